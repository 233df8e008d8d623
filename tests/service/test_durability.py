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
        if turn % 2:  # a whole worker with its processes
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
        assert client.get(location, params={"wait": 30}).json()["state"] == "done"
    # Even what died unanswered was taken once at most: a job for every key.
    assert len(jobs) <= 160


def test_a_queue_that_lost_everything_is_filled_again(fresh):
    """The queue is only a hint: with every message of it gone, the work is done all the same."""
    client = fresh.client()
    locations = [client.post("/api/v1/matches", json={"note": NOTE}).headers["location"] for _ in range(20)] + [upload(client, notes(30, NOTE))]
    store = fresh.store()
    for key in ("eligo.interactive", "eligo.bulk", "unacked", "unacked_index"):
        store.redis.delete(key)
    fresh.start_worker()
    for location in locations:
        wait_for(lambda location=location: progress(client, location)["state"] == "done", location)


def test_a_message_delivered_many_times_makes_one_result(fresh):
    client = fresh.client()
    location = upload(client, notes(50, NOTE))
    app = make_app(fresh.settings)
    for _ in range(20):
        enqueue_reading(app, location.rsplit("/", 1)[1])
        enqueue(app, "batch", location.rsplit("/", 1)[1])
    fresh.start_worker()
    wait_for(lambda: progress(client, location)["state"] == "done")
    every_note_once(client, location, 50)
    assert fresh.store().stats()["notes:done"] == 50


def test_a_worker_told_to_stop_leaves_the_rest_to_others(fresh):
    worker = fresh.start_worker("tests.service.poisoned", note_soft_limit=600, note_hard_limit=600)
    client = fresh.client()
    fresh.ready(client)
    location = upload(client, notes(100) + b"\n" + json.dumps({"id": "p100", "note": "[stuck] " + NOTE}).encode())
    wait_for(lambda: progress(client, location)["done"] > 20)
    worker.terminate()
    worker.wait()
    assert progress(client, location)["state"] == "running"
    fresh.start_worker()
    wait_for(lambda: progress(client, location)["state"] == "done")
    every_note_once(client, location, 101)


@pytest.mark.parametrize("ends", ["deleted", "expired"])
def test_what_is_deleted_or_has_expired_leaves_the_disk(fresh, ends):
    client, redis = fresh.client(), fresh.store().redis
    fresh.start_worker(erase_every=1)
    fresh.ready(client)
    location = client.post("/api/v1/matches", json={"note": NOTE}).headers["location"]
    client.get(location, params={"wait": 30})
    keys = list(redis.scan_iter(f"eligo:job:{location.rsplit('/', 1)[1]}*"))
    sealed = [redis.hget(key, "0") for key in keys if key.endswith((b":notes", b":results"))]

    def on_disk() -> list[bool]:
        written = b"".join(path.read_bytes() for path in list((fresh.folder / "redis").rglob("*aof*")) if path.is_file())
        return [value in written for value in sealed]

    assert on_disk() == [True, True]
    if ends == "deleted":
        client.delete(location)
    else:
        for key in keys:
            redis.pexpire(key, 1)
        wait_for(lambda: client.get(location).status_code == 404)
    wait_for(lambda: on_disk() == [False, False], "the rewrite")
