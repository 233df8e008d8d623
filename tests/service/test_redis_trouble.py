"""A Redis that is away or full: 503 with Retry-After, nothing half-accepted, and all goes on when it is back."""

from __future__ import annotations

import pytest

from tests.service.stack import wait_for

pytestmark = pytest.mark.service

NOTE = "62-year-old man with myeloma. ECOG 1."
LIST = ("mrn,note\n" + "\n".join(f"{i},{NOTE}" for i in range(20))).encode()


def submissions(client):
    return [
        client.post("/api/v1/matches", json={"note": NOTE}),
        client.post("/api/v1/matches", json={"note": NOTE}, headers={"Idempotency-Key": "k"}),
        client.post("/api/v1/batches", files={"file": ("l.csv", LIST)}),
    ]


def refused(answer) -> bool:
    return (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json") and int(answer.headers["retry-after"]) > 0


def test_redis_away(fresh):
    fresh.start_worker()
    client = fresh.client()
    fresh.ready(client)
    location = client.post("/api/v1/matches", json={"note": NOTE}).headers["location"]
    fresh.redis.kill()
    fresh.redis.wait()
    assert all(map(refused, submissions(client)))
    assert refused(client.get(location))
    assert refused(client.get("/health/ready"))
    assert client.get("/health/live").status_code == 200
    assert "eligo_redis_up 0.0" in client.get("/metrics").text
    fresh.start_redis()
    assert client.get(location, params={"wait": 20}).json()["state"] == "done"
    assert client.get("/api/v1/jobs").json()["total"] == 1
    answers = submissions(client)
    assert [a.status_code for a in answers] == [202, 202, 202]
    fresh.ready(client)


def test_a_worker_whose_acknowledgement_was_lost_with_redis_goes_on(fresh):
    """With one process it could hold one message, and would think for ever that it does."""
    fresh.start_worker("tests.service.poisoned", processes=1, note_soft_limit=0.5)
    client = fresh.client()
    fresh.ready(client)
    location = client.post("/api/v1/matches", json={"note": "[loop]"}).headers["location"]
    wait_for(lambda: client.get(location).json()["state"] == "running", "the note in hand")
    fresh.redis.kill()
    fresh.redis.wait()
    wait_for(lambda: b"ack %r" in fresh.log.read_bytes() or b"celery.worker.consumer.consumer" in fresh.log.read_bytes(), "the lost acknowledgement")
    fresh.start_redis()
    wait_for(lambda: client.get(location).json()["state"] == "failed", "the note's end")


def test_redis_full(fresh):
    client = fresh.client()
    redis = fresh.store().redis
    accepted = client.post("/api/v1/matches", json={"note": NOTE}).headers["location"]
    before = set(redis.scan_iter())
    redis.config_set("maxmemory", 1)
    assert all(map(refused, submissions(client)))
    assert set(redis.scan_iter()) == before
    fresh.start_worker()
    wait_for(lambda: b"redis_unavailable" in fresh.log.read_bytes() or b"sweep_failed" in fresh.log.read_bytes(), "the worker's word of it")
    assert client.delete(client.get(accepted).url.path).status_code == 204  # room can be made
    redis.config_set("maxmemory", 0)
    answers = submissions(client)
    assert [a.status_code for a in answers] == [202, 202, 202]
    for answer in answers:
        wait_for(lambda answer=answer: client.get(answer.headers["location"]).json()["state"] == "done")
