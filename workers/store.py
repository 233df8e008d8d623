"""The job record in Redis, which is the truth: what was accepted, what is held by whom, what has been answered.

The queue is only a hint that there is work. A note is claimed from its job by lease, a lease that is not renewed is claimed
by another process, and a note is settled once: the second result of a note read twice is dropped. Every change is one
script (`workers.scripts`), so nothing is ever half done.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import time
from typing import Any

import redis
import structlog
from pydantic_core import from_json, to_json

from workers import scripts
from workers.connection import Sent
from workers.sealing import Sealer
from workers.settings import Settings

log = structlog.get_logger()

ACTIVE = "eligo:active"
STATS = "eligo:stats"
WEBHOOKS = "eligo:webhooks"
CHANGES = "eligo:changes"  # a channel: ids of jobs as they change
ERASED = "eligo:erased"  # how many keys had expired at the last rewrite of the append-only file; gone where something was deleted since
UPLOAD = -1  # the index of a batch's file, which is read like a note, once, before its notes
_LOOK = 2_000  # ms after submission when the sweep first asks whether somebody took the job
_FSYNC = 2_000  # ms for a disk to take what was submitted
_PAGE = 64  # results opened at a time when streaming


class JobGone(LookupError):
    """The job was deleted, has expired, never was, or is another tenant's."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One note in one process's hands. `attempt` counts the processes that began to read it, this one included."""

    job: str
    index: int
    attempt: int
    revision: int
    sealed: bytes  # the note; empty for the upload
    corrections: bytes  # sealed; empty where there are none
    waited: float  # seconds since the job was accepted


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a note: its result (one with an "error" is a failure), the few values of it that lists show, and what to add to the counters."""

    result: Mapping[str, Any]
    summary: Mapping[str, Any]
    stats: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Settled:
    """Whether an answer was taken (a note has one, and a deleted job none), whether it finished the job, and the claims that were made with it."""

    taken: bool
    finished: bool
    claims: list[Claim]


@dataclass(frozen=True, slots=True)
class Idle:
    """An unfinished job: whether its upload waits to be read, and how many notes wait and are held."""

    job: str
    kind: str
    unread: bool
    waiting: int
    held: int


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its owner may see it; counts are of notes. `total` is None until the upload has been read."""

    id: str
    kind: str
    tenant: str
    state: str
    total: int | None
    done: int
    failed: int
    created: float  # seconds since the epoch, Redis clock
    expires: float
    started: float | None
    finished: float | None
    options: dict[str, Any]
    error: str | None = None
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Submission:
    kind: str  # match | batch
    tenant: str
    options: Mapping[str, Any]  # trials, as_of, unmentioned: nothing about a patient
    note: Mapping[str, Any] | None = None  # of a match
    idempotency: str | None = None  # the caller's key
    fingerprint: str = ""  # of the request, so that a key is not used for two
    trace: str = ""  # W3C traceparent
    id: str = ""


def new_id() -> str:
    return secrets.token_hex(16)


class Store:
    """`client`: of `workers.connection`. Errors of a Redis that is away or full come through as redis.RedisError."""

    def __init__(self, client: Any, sealer: Sealer, settings: Settings) -> None:
        self.redis = client
        self._has_waitaof: bool | None = None
        self._sealer = sealer
        self._ttl = int(settings.ttl * 1000)
        self._lease = int(settings.lease * 1000)
        self._notify = int(bool(settings.webhook_url))
        self._script = {
            name: client.register_script(getattr(scripts, name))
            for name in ("SUBMIT", "CLAIM", "CLAIM_UPLOAD", "SETTLE", "APPEND", "PARSED", "REFUSE", "CORRECT", "SWEEP", "DUE", "TAKE")
        }

    # ------------------------------------------------------------ accepting

    def fingerprint(self, request: bytes) -> str:
        return self._sealer.fingerprint(request)

    def submit(self, submission: Submission) -> tuple[str, bool]:
        """The job's id, and whether the idempotency key had been used for a different request. On disk when it returns."""
        job = submission.id or new_id()
        match = submission.kind == "match"
        fields = {
            "kind": submission.kind, "tenant": submission.tenant, "state": "queued", "options": json.dumps(dict(submission.options)),
            "available": 1 if match else 0, "next": 0 if match else UPLOAD, "done": 0, "failed": 0, "trace": submission.trace, "notify": self._notify,
            **({"total": 1} if match else {}),
        }  # fmt: skip
        key = submission.idempotency and self.fingerprint(submission.idempotency.encode())
        note = self._seal(submission.note, job, "notes", 0) if submission.note is not None else b""
        keys = [job_key(job), ACTIVE, _tenant_jobs(submission.tenant), f"eligo:idempotency:{submission.tenant}:{key}"]
        flat = [part for pair in fields.items() for part in pair]
        with self.redis.client() as one:  # connection: WAITAOF speaks of what was written on it
            found, fingerprint = self._script["SUBMIT"](
                keys=keys, args=[job, self._ttl, _LOOK, submission.fingerprint, int(key is not None), note, *flat], client=one
            )
            if not self._reached_disk(one):
                if found.decode() == job:
                    self.delete(job)  # what is not accepted is not kept
                raise redis.TimeoutError("the job store did not reach its disk in time")
        return found.decode(), fingerprint.decode() != submission.fingerprint

    def _reached_disk(self, one: Any) -> bool:
        """A server with WAITAOF (7.2) has fsynced when this returns; an older one must run `appendfsync always`, as ours does."""
        if self._has_waitaof is None:
            self._has_waitaof = _supports_waitaof(one)
        return not self._has_waitaof or one.execute_command("WAITAOF", 1, 0, _FSYNC)[0] >= 1

    def put_piece(self, job: str, number: int, piece: bytes) -> None:
        """One piece of an upload that is still arriving; swept away by its time to live if it never ends."""
        key = job_key(job, ":upload")
        with self.redis.pipeline(transaction=False) as pipe:
            pipe.hset(key, str(number), self._sealer.seal(piece, f"{job}:upload:{number}"))
            pipe.pexpire(key, 3_600_000)
            pipe.execute()

    def piece(self, job: str, number: int) -> bytes:
        sealed = self.redis.hget(job_key(job, ":upload"), str(number))
        if sealed is None:
            raise JobGone(job)
        return self._sealer.open(sealed, f"{job}:upload:{number}")

    def append(self, job: str, first: int, notes: Sequence[Mapping[str, Any] | None]) -> None:
        """Notes of an upload, by index from `first`; None where the row was bad and is settled already."""
        sealed = [b"" if note is None else self._seal(note, job, "notes", first + i) for i, note in enumerate(notes)]
        if not self._script["APPEND"](keys=[job_key(job)], args=[first, *sealed]):
            raise JobGone(job)

    def parsed(self, job: str, total: int) -> None:
        """The upload has been read to its end; it held so many notes."""
        self._script["PARSED"](keys=[job_key(job), ACTIVE], args=[job, self._ttl, total])

    def refuse(self, job: str, reason: str) -> None:
        """The upload cannot be read at all: the job has failed."""
        self._script["REFUSE"](keys=[job_key(job), ACTIVE], args=[job, self._ttl, self._seal(reason, job, "error", 0)])

    def correct(self, job: str, index: int, corrections: Sequence[Mapping[str, Any]]) -> int:
        """Replace the corrections of one note and queue it again: the new revision, 0 if gone, -1 if it has no result yet."""
        sealed = self._seal(list(corrections), job, "corrections", index)
        return self._script["CORRECT"](keys=[job_key(job), ACTIVE], args=[job, index, sealed, _LOOK])

    # ------------------------------------------------------------ working

    def claim(self, job: str) -> list[Claim]:
        """The next note of a job that nobody holds, under a lease; of a long list, the one after it, too."""
        return [_claim(job, found) for found in self._script["CLAIM"](keys=[job_key(job), ACTIVE], args=[job, self._lease])]

    def claim_upload(self, job: str) -> Claim | None:
        found = self._script["CLAIM_UPLOAD"](keys=[job_key(job), ACTIVE], args=[job, self._lease])
        return _claim(job, found) if found else None

    def opened(self, claim: Claim) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The note {"note_id", "note", "rows"?} and a clinician's corrections to it. Raises SealError."""
        note = self._open(claim.sealed, claim.job, "notes", claim.index)
        return note, self._open(claim.corrections or None, claim.job, "corrections", claim.index) or []

    def renew(self, claims: Sequence[Claim]) -> None:
        """A sign of life; without one for the length of the lease a note goes to another process."""
        seconds, micros = self.redis.time()
        deadline = seconds * 1000 + micros // 1000 + self._lease
        with self.redis.pipeline(transaction=False) as pipe:
            for claim in claims:
                pipe.zadd(job_key(claim.job, ":leases"), {str(claim.index): deadline}, xx=True)
                pipe.zadd(ACTIVE, {claim.job: deadline}, xx=True)
            pipe.execute()

    def settle(self, claim: Claim, answer: Answer, following: Claim | None = None, more: bool = False, if_alone: bool = False) -> Sent[Settled]:
        """Keep the one answer of a note.

        `following` is the note that its process now goes on to. With `more`, the next claims are made in the same step; with `if_alone`, only
        while no other job is unfinished.
        """
        job, index = claim.job, claim.index
        args: list[Any] = [job, self._ttl, index, claim.revision, "failed" if "error" in answer.result else "done"]
        args += [self._seal(answer.result, job, "results", index), self._seal(answer.summary, job, "summaries", index)]
        args += [self._lease if more else "", int(if_alone), *((following.index, following.attempt) if following else ("", ""))]
        args += (part for pair in answer.stats.items() for part in pair)
        return Sent(self._script["SETTLE"], [job_key(job), ACTIVE, STATS], args, lambda said: Settled(said[0] > 0, said[0] == 2, [_claim(job, found) for found in said[1:]]))

    def has_work(self, job: str) -> bool:
        """Whether there are notes that nobody has taken yet."""
        state, available, taken = self.redis.hmget(job_key(job), "state", "available", "next")
        return state == b"running" and 0 <= int(taken) < int(available)

    def sweep(self, look: float, limit: int = 1000) -> list[Idle]:
        """Jobs whose work nobody may know of; each is asked again after `look` seconds."""
        answer = self._script["SWEEP"](keys=[ACTIVE], args=[limit, int(look * 1000)])
        rows = (answer[i : i + 5] for i in range(0, len(answer), 5))
        return [Idle(job.decode(), kind.decode(), bool(unread), waiting, held) for job, kind, unread, waiting, held in rows]

    def webhooks_due(self, wait: float, most: int) -> list[str]:
        """Finished jobs to tell of now; one that is not `told` comes again, later and later, `most` times in all."""
        return [job.decode() for job in self._script["DUE"](keys=[WEBHOOKS, f"{WEBHOOKS}:tries"], args=[10, int(wait * 1000), most])]

    def told(self, job: str) -> None:
        self.redis.zrem(WEBHOOKS, job)
        self.redis.hdel(f"{WEBHOOKS}:tries", job)

    # ------------------------------------------------------------ looking

    def job(self, job: str, tenant: str | None = None) -> Job:
        """Raises JobGone, also for a tenant who does not own it."""
        f = {k.decode(): v if k == b"error" else v.decode() for k, v in self.redis.hgetall(job_key(job)).items()}
        if "kind" not in f or (tenant is not None and f["tenant"] != tenant):
            raise JobGone(job)
        return Job(
            id=job,
            kind=f["kind"],
            tenant=f["tenant"],
            state=f["state"],
            total=int(f["total"]) if "total" in f else None,
            done=int(f["done"]),
            failed=int(f["failed"]),
            created=int(f["created"]) / 1000,
            expires=int(f["expires"]) / 1000,
            started=int(f["started"]) / 1000 if "started" in f else None,
            finished=int(f["finished"]) / 1000 if "finished" in f else None,
            options=json.loads(f["options"]),
            error=self._open(f["error"], job, "error", 0) if "error" in f else None,
            rows=int(f["available"]),
        )

    def order(self, job: str) -> tuple[str, dict[str, Any], str]:
        """What was asked for: kind, options, and the trace it belongs to. Raises JobGone."""
        kind, options, trace = self.redis.hmget(job_key(job), "kind", "options", "trace")
        if kind is None:
            raise JobGone(job)
        return kind.decode(), json.loads(options), (trace or b"").decode()

    def jobs(self, tenant: str, offset: int, limit: int) -> tuple[list[str], int]:
        """A tenant's unexpired jobs, newest first, and how many there are."""
        key = _tenant_jobs(tenant)
        seconds, _ = self.redis.time()
        self.redis.zremrangebyscore(key, "-inf", seconds * 1000 - self._ttl * 2)
        ids = self.redis.zrevrange(key, offset, offset + limit - 1)
        return [i.decode() for i in ids], self.redis.zcard(key)

    def note(self, job: str, index: int) -> dict[str, Any] | None:
        return self._open(self.redis.hget(job_key(job, ":notes"), str(index)), job, "notes", index)

    def result(self, job: str, index: int) -> dict[str, Any] | None:
        return self._open(self.redis.hget(job_key(job, ":results"), str(index)), job, "results", index)

    def results(self, job: str, kind: str, start: int, stop: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """(index, value) of `results` or `summaries` in order, a page at a time; what is not settled yet is left out."""
        for low in range(start, stop, _PAGE):
            indexes = range(low, min(low + _PAGE, stop))
            for index, sealed in zip(indexes, self.redis.hmget(job_key(job, f":{kind}"), [str(i) for i in indexes]), strict=True):
                if sealed is not None:
                    yield index, self._open(sealed, job, kind, index)

    def delete(self, job: str) -> bool:
        """The note and everything derived from it is gone; a process that still reads it finds nothing to write to."""
        idempotency, tenant = self.redis.hmget(job_key(job), "idempotency", "tenant")
        with self.redis.pipeline(transaction=False) as pipe:  # a full Redis takes no transaction, but must take this
            pipe.delete(*(job_key(job, suffix) for suffix in scripts.SUFFIXES), *([idempotency] if idempotency else []))
            pipe.delete(ERASED)
            pipe.zrem(ACTIVE, job)
            pipe.zrem(WEBHOOKS, job)
            pipe.hdel(f"{WEBHOOKS}:tries", job)
            pipe.zrem(_tenant_jobs((tenant or b"").decode()), job)
            pipe.publish(CHANGES, job)
            return bool(pipe.execute()[0])

    def take(self, bucket: str, rate: float, burst: int) -> float:
        """One token of a caller's bucket: 0, or the seconds to wait for one."""
        return self._script["TAKE"](keys=[f"eligo:rate:{bucket}"], args=[rate, burst]) / 1000

    def _seal(self, value: Any, job: str, field: str, index: int) -> bytes:
        return self._sealer.seal(to_json(value), f"{job}:{field}:{index}")

    def _open(self, sealed: bytes | None, job: str, field: str, index: int) -> Any:
        return None if sealed is None else from_json(self._sealer.open(sealed, f"{job}:{field}:{index}"))


def job_key(job: str, suffix: str = "") -> str:
    return f"eligo:job:{job}{suffix}"


def _claim(job: str, found: Sequence[Any]) -> Claim:
    index, attempt, revision, sealed, corrections, created = found
    return Claim(job, index, attempt, revision, sealed, corrections, max(0.0, time() - int(created) / 1000))


def _tenant_jobs(tenant: str) -> str:
    return f"eligo:tenant:{tenant}:jobs"


def _supports_waitaof(client: Any) -> bool:
    """Warns of a server that may lose in a crash what was accepted; one that hides its settings is trusted."""
    version = tuple(int(part) for part in str(client.info("server")["redis_version"]).split(".")[:2])
    appends = client.info("persistence").get("aof_enabled") == 1
    if appends and version >= (7, 2):
        return True
    try:
        fsync = client.config_get("appendfsync").get("appendfsync", "always")
    except redis.ResponseError:
        fsync = "always"
    if not appends or fsync != "always":
        log.warning("redis_not_durable", need="appendonly yes; before Redis 7.2 also appendfsync always", appendonly=appends, appendfsync=fsync)
    return False
