"""Nothing accepted is lost, nothing is answered twice: parts are killed, every note ends with exactly one result."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
from time import sleep

import httpx
import pytest

from tests.service.stack import wait_for
from workers.app import enqueue, enqueue_reading, make_app
from workers.gauges import counters
from workers.store import Answer, Claim, Submission

pytestmark = pytest.mark.service

NOTE = "62-year-old man with myeloma. ECOG 1."
SLOW = "[slow] " + NOTE  # 20 ms of reading, so that a kill finds notes in hand


def notes(count: int, text: str = SLOW) -> bytes:
    return "\n".join(json.dumps({"id": f"p{i}", "note": text}) for i in range(count)).encode()


def upload(client, content: bytes) -> str:
    answer = client.post("/api/v1/batches", files={"file": ("l.jsonl", content)})
    assert answer.status_code == 202, answer.text
    return answer.headers["location"]


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def progress(client, location: str) -> dict:
    """Asks until it is answered: the API or its Redis may be on its way back."""
    while True:
        try:
            answer = client.get(location)
            if answer.status_code == 200:
                return answer.json()
        except httpx.HTTPError:  # the connection of a killed API
            pass
        sleep(0.05)


def every_note_once(client, location: str, count: int) -> None:
    state = progress(client, location)
    assert (state["total"], state["done"], state["failed"]) == (count, count, 0)
    results = client.get(location + "/results", params={"detail": "summary"}).json()["results"]
    assert sorted(r["note_id"] for r in results) == sorted(f"p{i}" for i in range(count))


def test_workers_are_killed_ten_times_redis_and_the_api_once(fresh):
    count = 500
    running = [fresh.start_worker("tests.service.poisoned") for _ in range(2)]
    client = fresh.client()
    fresh.ready(client)
    location = upload(client, notes(count))
    chance = random.Random(7)
    for turn in range(10):
        at = (turn + 1) * count // 14
        wait_for(lambda at=at: (s := progress(client, location))["done"] >= at or s["state"] == "done", f"{at} notes")
        which = chance.randrange(2)
        children = fresh.pool(running[which])
        if turn % 3 == 1:  # a whole worker with its processes
            kill(running[which].pid)
            running[which].wait()
            running[which] = fresh.start_worker("tests.service.poisoned")
        elif children:  # one of its processes
            kill(chance.choice(children))
        if turn == 4:
            fresh.redis.kill()
            fresh.redis.wait()
            fresh.start_redis()
        if turn == 7:
            fresh.api.kill()
            fresh.api.wait()
            fresh.start_api()
    wait_for(lambda: progress(client, location)["state"] == "done", "the end of the batch")
    every_note_once(client, location, count)


def test_a_process_that_dies_takes_an_attempt_of_the_note_it_was_reading_only(fresh):
    """It may hold the note after it, too, and what Redis has not told it of yet; those are as if nobody had had them."""
    store = fresh.store()
    job, _ = store.submit(Submission("batch", "local", {}))
    store.claim_upload(job)
    store.append(job, 0, [{"note_id": f"p{i}", "note": NOTE} for i in range(40)])

    def attempts(claims: list[Claim]) -> dict[int, int]:
        return {claim.index: claim.attempt for claim in claims}

    def die() -> None:
        for index in store.redis.zrange(f"eligo:job:{job}:leases", 0, -1):
            store.redis.zadd(f"eligo:job:{job}:leases", {index: 0})

    first, second = store.claim(job)
    settled = store.settle(first, Answer({"note_id": "p0"}, {}, {}), second, more=True).answer()
    assert (settled.taken, settled.finished, attempts(settled.claims)) == (True, False, {2: 1})
    die()
    assert attempts(store.claim(job)) == {1: 2, 2: 1}  # lost notes go first
    assert attempts(store.claim(job)) == {3: 1, 4: 1}
    die()
    assert [attempts(store.claim(job)) for _ in range(3)] == [{1: 3, 2: 1}, {3: 2, 4: 1}, {5: 1, 6: 1}]


def test_what_was_accepted_before_a_kill_is_done_after_it(fresh):
    """The API dies at any moment of accepting; what it had answered 202 to is done, and no idempotency key makes two jobs."""
    client = fresh.client()
    accepted: dict[str, str] = {}

    def send(first: int) -> None:
        with fresh.client() as mine:
            for i in range(first, first + 40):
                for _ in range(3):
                    try:
                        answer = mine.post("/api/v1/matches", json={"note": NOTE}, headers={"Idempotency-Key": f"k{i}"})
                        accepted[f"k{i}"] = answer.headers["location"]
                        break
                    except httpx.HTTPError:  # the connection broke; a client tries again
                        sleep(0.05)

    threads = [threading.Thread(target=send, args=(n * 100,)) for n in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(accepted) > 30)
    fresh.api.kill()
    fresh.api.wait()
    fresh.redis.kill()
    fresh.redis.wait()
    fresh.start_redis()
    client = fresh.start_api()
    for thread in threads:
        thread.join()
    assert len(accepted) > 60
    store = fresh.store()
    jobs = [key for key in store.redis.scan_iter("eligo:job:*") if key.count(b":") == 2]
    assert len(set(accepted.values())) == len(accepted)
    assert len(jobs) >= len(accepted)
    fresh.start_worker()
    for location in accepted.values():
        wait_for(lambda location=location: progress(client, location)["state"] == "done", location)
    # Even what died unanswered was taken once at most: a job for every key.
    assert len(jobs) <= 160


def test_the_queue_is_only_a_hint(fresh):
    """With every message of it gone, the work is done all the same; with many messages for one list, once."""
    client, store = fresh.client(), fresh.store()
    locations = [client.post("/api/v1/matches", json={"note": NOTE}).headers["location"] for _ in range(20)] + [upload(client, notes(30, NOTE))]
    for key in ("eligo.interactive", "eligo.bulk", "unacked", "unacked_index"):
        store.redis.delete(key)
    often = upload(client, notes(50, NOTE))
    app = make_app(fresh.settings)
    for _ in range(20):
        enqueue_reading(app, often.rsplit("/", 1)[1])
        enqueue(app, "batch", often.rsplit("/", 1)[1])
    fresh.start_worker()
    for location in [*locations, often]:
        wait_for(lambda location=location: progress(client, location)["state"] == "done", location)
    every_note_once(client, often, 50)
    assert counters(store.redis)["notes:done"] == 20 + 30 + 50


def test_a_worker_told_to_stop_leaves_the_rest_to_others_and_readiness_says_that_there_is_none(fresh):
    worker = fresh.start_worker("tests.service.poisoned", note_soft_limit=600, note_hard_limit=600)
    client = fresh.client()
    fresh.ready(client)
    location = upload(client, notes(100) + b"\n" + json.dumps({"id": "p100", "note": "[stuck] " + NOTE}).encode())
    wait_for(lambda: progress(client, location)["done"] > 20)
    worker.terminate()
    worker.wait()
    assert progress(client, location)["state"] == "running"
    assert "no worker is alive" in wait_for(lambda: (a := client.get("/health/ready")).status_code == 503 and a.json())["detail"]
    fresh.start_worker()
    wait_for(lambda: progress(client, location)["state"] == "done")
    every_note_once(client, location, 101)


def test_what_is_deleted_or_has_expired_leaves_the_disk(fresh):
    client, redis = fresh.client(), fresh.store().redis
    fresh.start_worker(erase_every=1)
    fresh.ready(client)
    deleted, expired = (client.post("/api/v1/matches", json={"note": NOTE}).headers["location"] for _ in range(2))
    for location in (deleted, expired):
        client.get(location, params={"wait": 30})
    keys = {location: list(redis.scan_iter(f"eligo:job:{location.rsplit('/', 1)[1]}*")) for location in (deleted, expired)}
    sealed = [redis.hget(key, "0") for of_one in keys.values() for key in of_one if key.endswith((b":notes", b":results"))]

    def on_disk() -> list[bool]:
        written = b"".join(path.read_bytes() for path in list((fresh.folder / "redis").rglob("*aof*")) if path.is_file())
        return [value in written for value in sealed]

    assert on_disk() == [True] * 4
    client.delete(deleted)
    for key in keys[expired]:
        redis.pexpire(key, 1)
    wait_for(lambda: [client.get(location).status_code for location in (deleted, expired)] == [404, 404])
    wait_for(lambda: on_disk() == [False] * 4, "the rewrite")
