"""The changes of a job record that must happen whole or not at all, as Redis scripts (Redis 6.2 to 8).

Keys of a job: `eligo:job:ID` (hash: kind, tenant, state, available, total, next, done, failed, expires ...) and
`:notes` `:results` `:summaries` `:corrections` (hashes: index → sealed value), `:revisions` (hash: index → how often it was corrected),
`:failures` (set of indexes), `:leases` (sorted set: index → deadline), `:attempts` (hash), `:upload` (hash: piece → sealed bytes). `eligo:active` (sorted set): unfinished jobs → when the sweep looks at them next.
Times are milliseconds of the Redis clock, so that hosts need not agree on theirs. Whoever listens to `eligo:changes` hears the ids of
jobs whose counts or state changed; a Redis that does not let us publish (pcall) costs its callers a moment, not a result.
"""

SUFFIXES = ("", ":notes", ":results", ":summaries", ":leases", ":attempts", ":upload", ":corrections", ":revisions", ":failures")

_PRELUDE = f"""
local suffixes = {{{", ".join(repr(suffix) for suffix in SUFFIXES)}}}
""" + """
local job = KEYS[1]
local notes, results, summaries, leases, attempts = job..':notes', job..':results', job..':summaries', job..':leases', job..':attempts'
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function expire(at)
  for _, suffix in ipairs(suffixes) do redis.call('PEXPIREAT', job..suffix, at) end
end
local function keep(...)
  for _, key in ipairs({...}) do
    if redis.call('PTTL', key) == -1 then redis.call('PEXPIREAT', key, redis.call('HGET', job, 'expires')) end
  end
end
local function changed(id) redis.pcall('PUBLISH', 'eligo:changes', id) end
local function tell(id)
  if redis.call('HGET', job, 'notify') == '1' then redis.call('ZADD', 'eligo:webhooks', now, id) end
end
"""

# KEYS job, active, tenant's jobs, idempotency | ARGV id, ttl, look, fingerprint, with idempotency, note ('' for a batch), field, value ...
SUBMIT = _PRELUDE + """
local id, ttl, look = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if ARGV[5] == '1' then
  local seen = redis.call('HMGET', KEYS[4], 'job', 'fingerprint')
  if seen[1] then return seen end
end
local fields = {}
for i = 7, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('HSET', job, 'created', now, 'expires', now + ttl, unpack(fields))
if ARGV[6] ~= '' then redis.call('HSET', notes, 0, ARGV[6]) end
if ARGV[5] == '1' then
  redis.call('HSET', KEYS[4], 'job', id, 'fingerprint', ARGV[4])
  redis.call('PEXPIREAT', KEYS[4], now + ttl)
  redis.call('HSET', job, 'idempotency', KEYS[4])
end
redis.call('ZADD', KEYS[3], now, id)
redis.call('PEXPIREAT', KEYS[3], now + ttl)
redis.call('ZADD', KEYS[2], now + look, id)
expire(now + ttl)
return {id, ARGV[4]}
"""

# A process reads one note and may hold the one after it: an attempt counts when its reading begins, not when a lease is given, so that a
# process which dies takes one note's attempt with it. A lost note comes first, so that no batch ends with its hardest ones. The last notes
# of a list are given singly, to whoever is free. The upload is index -1 of a batch, taken by a reading turn only.
# A claim is index, attempt, revision, sealed note, sealed corrections, created.
_CLAIM = """
local function begin(index, attempt)
  redis.call('HSET', attempts, index, attempt)
  keep(attempts)
end
local function hold(id, lease, index)
  redis.call('ZADD', leases, now + lease, index)
  redis.call('ZADD', KEYS[2], 'XX', now + lease, id)
  keep(leases)
  local attempt = tonumber(redis.call('HGET', attempts, index) or 0) + 1
  local revision = tonumber(redis.call('HGET', job..':revisions', index) or 0)
  local corrections = revision > 0 and redis.call('HGET', job..':corrections', index) or ''
  return {index, attempt, revision, redis.call('HGET', notes, index) or '', corrections, redis.call('HGET', job, 'created')}
end
local function following(least)
  for _, index in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, 2)) do
    if index ~= '-1' then return tonumber(index) end
  end
  local f = redis.call('HMGET', job, 'available', 'next')
  local available, index = tonumber(f[1]), tonumber(f[2])
  while index >= 0 and index < available and redis.call('HEXISTS', results, index) == 1 do index = index + 1 end
  local found = index >= 0 and available - index >= least
  redis.call('HSET', job, 'next', found and index + 1 or index)
  return found and index or nil
end
local function claim(id, lease, has_one)
  local state, claims = redis.call('HGET', job, 'state'), {}
  if not state or state == 'done' or state == 'failed' then return claims end
  local first = not has_one and following(1)
  if first then
    claims[1] = hold(id, lease, first)
    begin(first, claims[1][2])
    if state == 'queued' then redis.call('HSET', job, 'state', 'running', 'started', now) end
  end
  local ahead = (has_one or first) and following(8)
  if ahead then claims[#claims + 1] = hold(id, lease, ahead) end
  return claims
end
"""

# KEYS job, active | ARGV id, lease | answers claims: the first is begun, a second is for after it
CLAIM = _PRELUDE + _CLAIM + """
return claim(ARGV[1], tonumber(ARGV[2]), false)
"""

# KEYS job, active | ARGV id, lease | answers the claim of the upload, where nobody has it
CLAIM_UPLOAD = _PRELUDE + _CLAIM + """
local deadline = redis.call('ZSCORE', leases, -1)
if redis.call('HGET', job, 'next') == '-1' then
  redis.call('HSET', job, 'next', 0, 'state', 'running', 'started', now)
elseif not deadline or tonumber(deadline) > now then
  return nil
end
local upload = hold(ARGV[1], tonumber(ARGV[2]), -1)
begin(-1, upload[2])
return upload
"""

_FINISH = """
local function finish(ttl)
  local f = redis.call('HMGET', job, 'total', 'done', 'failed', 'kind')
  if not f[1] or tonumber(f[2]) + tonumber(f[3]) < tonumber(f[1]) then return 0 end
  local state = (f[4] == 'match' and tonumber(f[3]) > 0) and 'failed' or 'done'
  redis.call('HSET', job, 'state', state, 'expires', now + ttl)
  redis.call('HSETNX', job, 'finished', now)
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('DEL', leases, attempts, job..':upload')
  expire(now + ttl)
  tell(ARGV[1])
  changed(ARGV[1])
  return 1
end
"""

# One result per note and revision, whoever else is reading it; and at once the next claim, so that a note costs one write to the disk.
# Unheld results (bad rows) have no lease to give back.
# KEYS job, active, stats
# ARGV id, ttl, index, revision, done or failed, result, summary, lease of the next notes ('' for none),
#      1 where they are claimed only while no other job is unfinished, the note that its process begins now ('' for none), its attempt, counter, amount ...
# answers 0 not taken, 1 taken, 2 taken and the job is finished; then claims, of which the first is begun where no note was said to be
SETTLE = _PRELUDE + _FINISH + _CLAIM + """
local function settle(index, revision, outcome)
  if redis.call('EXISTS', job) == 0 or (redis.call('HGET', job..':revisions', index) or '0') ~= revision then return 0 end
  redis.call('ZREM', leases, index)
  redis.call('HDEL', attempts, index)
  if redis.call('HSETNX', results, index, ARGV[6]) == 0 then return 0 end
  redis.call('HSET', summaries, index, ARGV[7])
  redis.call('HINCRBY', job, outcome, 1)
  if outcome == 'failed' then redis.call('SADD', job..':failures', index) end
  for i = 12, #ARGV, 2 do redis.call('HINCRBYFLOAT', KEYS[3], ARGV[i], ARGV[i + 1]) end
  keep(results, summaries, job..':failures')
  local finished = finish(tonumber(ARGV[2]))
  if finished == 0 then changed(ARGV[1]) end
  return 1 + finished
end
local settled, begun = settle(ARGV[3], ARGV[4], ARGV[5]), ARGV[10] ~= ''
if begun and redis.call('ZSCORE', leases, ARGV[10]) then begin(ARGV[10], ARGV[11]) end
local more = ARGV[8] ~= '' and (ARGV[9] == '0' or redis.call('ZCARD', KEYS[2]) <= 1)
return {settled, unpack(more and claim(ARGV[1], tonumber(ARGV[8]), begun) or {})}
"""

# Notes of an upload become available in order; reading the upload a second time changes nothing.
# KEYS job | ARGV first index, sealed note or '' ... | answers 0 where the job is gone
APPEND = _PRELUDE + """
if redis.call('EXISTS', job) == 0 then return 0 end
local first = tonumber(ARGV[1])
for i = 2, #ARGV do
  if ARGV[i] ~= '' then redis.call('HSETNX', notes, first + i - 2, ARGV[i]) end
end
local available = first + #ARGV - 1
if available > tonumber(redis.call('HGET', job, 'available')) then redis.call('HSET', job, 'available', available) end
redis.call('PEXPIREAT', notes, redis.call('HGET', job, 'expires'))
return 1
"""

# KEYS job, active | ARGV id, ttl, total | the upload has been read to its end
PARSED = _PRELUDE + _FINISH + """
if redis.call('EXISTS', job) == 0 then return 0 end
redis.call('HSET', job, 'total', ARGV[3])
redis.call('ZREM', leases, -1)
redis.call('DEL', job..':upload')
return 1 + finish(tonumber(ARGV[2]))
"""

# KEYS job, active | ARGV id, ttl, sealed reason | the upload cannot be read at all
REFUSE = _PRELUDE + """
if redis.call('EXISTS', job) == 0 then return 0 end
redis.call('HSET', job, 'state', 'failed', 'error', ARGV[3], 'finished', now, 'expires', now + tonumber(ARGV[2]))
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('DEL', leases, attempts, notes, job..':upload')
expire(now + tonumber(ARGV[2]))
tell(ARGV[1])
changed(ARGV[1])
return 1
"""

# A clinician's corrections: the note is matched again, under its next revision, before any other note of the job: its lease has run out.
# Who reads it under an earlier revision settles nothing. A job stays finished when it first was.
# KEYS job, active | ARGV id, index, sealed corrections, look | answers the revision, 0 gone, -1 no result to correct
CORRECT = _PRELUDE + """
local revisions, index = job..':revisions', ARGV[2]
local f = redis.call('HMGET', job, 'state', 'expires')
if not f[1] then return 0 end
if redis.call('HEXISTS', notes, index) == 0 then return -1 end
if redis.call('HDEL', results, index) == 1 then
  redis.call('HINCRBY', job, redis.call('SREM', job..':failures', index) == 1 and 'failed' or 'done', -1)
elseif redis.call('HEXISTS', revisions, index) == 0 then
  return -1
end
redis.call('HDEL', summaries, index)
redis.call('HSET', job..':corrections', index, ARGV[3])
redis.call('ZADD', leases, 0, index)
redis.call('HDEL', attempts, index)
if f[1] ~= 'running' then redis.call('HSET', job, 'state', 'queued') end
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[4]), ARGV[1])
local revision = redis.call('HINCRBY', revisions, index, 1)
expire(f[2])
return revision
"""

# Which of the active jobs have work that nobody holds. ARGV[2]: how long until each is looked at again.
# KEYS active | ARGV limit, look | answers id, kind, 1 where its upload waits to be read, notes to claim, notes held now ...
SWEEP = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local answer = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])) do
  local job = 'eligo:job:'..id
  local f = redis.call('HMGET', job, 'available', 'next', 'state', 'kind')
  if not f[1] or f[3] == 'done' or f[3] == 'failed' then
    redis.call('ZREM', KEYS[1], id)
  else
    redis.call('ZADD', KEYS[1], 'XX', now + tonumber(ARGV[2]), id)
    local deadline = redis.call('ZSCORE', job..':leases', -1)
    local unread = f[2] == '-1' or (deadline and tonumber(deadline) <= now)
    local lost = redis.call('ZCOUNT', job..':leases', '-inf', now)
    local held = redis.call('ZCOUNT', job..':leases', '('..now, '+inf')
    local waiting = tonumber(f[1]) - math.max(0, tonumber(f[2])) + lost
    if unread or waiting > 0 then
      for _, value in ipairs({id, f[4], unread and 1 or 0, waiting, held}) do answer[#answer + 1] = value end
    end
  end
end
return answer
"""

# Finished jobs that somebody is to be told of. Each comes again after 2, 4, 8 ... times ARGV[2] ms, up to ARGV[3] times.
# KEYS webhooks, tries | ARGV limit, wait, most | answers ids
DUE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local due = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])) do
  local tries = redis.call('HINCRBY', KEYS[2], id, 1)
  if tries > tonumber(ARGV[3]) then
    redis.call('ZREM', KEYS[1], id)
    redis.call('HDEL', KEYS[2], id)
  else
    redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]) * 2 ^ tries, id)
    due[#due + 1] = id
  end
end
return due
"""

# Token bucket. KEYS bucket | ARGV tokens a second, burst | answers 0, or milliseconds to wait
TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local b = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = math.min(burst, (tonumber(b[1]) or burst) + (now - (tonumber(b[2]) or now)) * rate / 1000)
local wait = 0
if tokens >= 1 then tokens = tokens - 1 else wait = math.ceil((1 - tokens) * 1000 / rate) end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
return wait
"""
