"""A pasted note: accepted, answered as the library answers, deleted."""

from __future__ import annotations

import json

import pytest

from matcher import match, read_note, read_trials
from matcher.answers import match_answer
from matcher.registry import bundled_trials
from tests.service.stack import NOTE, all_bytes, wait_forgotten


def submit(client, **body) -> str:
    answer = client.post("/api/v1/matches", json={"note": NOTE, **body})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/v1/matches/{answer.json()['id']}"
    return answer.headers["location"]


def result(client, location: str) -> dict:
    return client.get(location, params={"wait": 20}).json()


def test_a_note_is_answered_as_the_library_answers_it(client):
    trials = sorted(bundled_trials(), key=lambda t: t.trial_id)
    answer = result(client, submit(client, note_id="n1"))
    assert answer["state"] == "done"
    assert answer["result"] == match_answer(match(read_note(NOTE, "n1"), trials))


def test_only_the_named_trials_are_matched_as_of_the_day_named(client):
    trial = bundled_trials()[0]
    answer = result(client, submit(client, trials=[trial.trial_id], as_of="2024-06-01", unmentioned="absent"))["result"]
    assert [t["trial_id"] for t in answer["trials"]] == [trial.trial_id]
    assert (answer["as_of"], answer["unmentioned"]) == ("2024-06-01", "absent")


FILE = {"name": "own.txt", "content": "Title: Our own\nInclusion Criteria:\n1. Age 18 years or older\n2. ECOG performance status 0-1\nExclusion Criteria:\n1. Pregnancy\n"}
RECORD = {"id": "OWN-2", "title": "Another", "conditions": ["Multiple Myeloma"], "eligibility": "Inclusion Criteria:\n1. Hemoglobin >= 8 g/dL\n"}


def test_trials_may_come_with_the_note_beside_those_of_the_registry(client):
    named = bundled_trials()[0].trial_id
    before = client.get("/api/v1/trials").json()["total"]
    answer = result(client, submit(client, trials=[named, FILE, RECORD]))["result"]
    given = [*read_trials(FILE["content"].encode(), FILE["name"]), *read_trials(json.dumps(RECORD).encode(), RECORD["id"])]
    assert answer["trials"] == match_answer(match(read_note(NOTE), [bundled_trials()[0], *given]))["trials"]
    assert client.get("/api/v1/trials").json()["total"] == before  # read for this match only


def test_trials_that_came_with_a_note_alone_are_all_it_is_matched_against_also_after_corrections(client):
    location = submit(client, trials=[RECORD])
    assert [t["trial_id"] for t in result(client, location)["result"]["trials"]] == ["OWN-2"]
    client.post(location + "/corrections", json={"corrections": [{"fact": "hemoglobin", "value": 7}]})
    (trial,) = result(client, location)["result"]["trials"]
    assert (trial["trial_id"], trial["criteria"][0]["outcome"]) == ("OWN-2", "violated")


def test_a_document_without_a_trial_fails_with_what_to_do(client):
    answer = result(client, submit(client, trials=[{"name": "page.json", "content": "{}"}]))
    assert answer["state"] == "failed"
    assert "page.json" in answer["error"]
    assert "protocolSection" in answer["error"]


@pytest.mark.parametrize(
    ("trials", "status", "says"),
    [
        ([], 422, "schema"),
        ([{"name": "x.txt"}], 422, "schema"),
        ([{"id": "x", "title": "t"}], 422, "schema"),
        ([FILE] * 21, 413, "POST /api/v1/trials"),
        ([{"name": "x.txt", "content": "x" * 1_000_001}], 413, "POST /api/v1/trials"),
        ([FILE, "nonesuch"], 422, "nonesuch"),
    ],
)
def test_trials_that_do_not_fit_are_refused_with_what_to_do(client, trials, status, says):
    answer = client.post("/api/v1/matches", json={"note": NOTE, "trials": trials})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert says in answer.json()["detail"]


def test_the_same_idempotency_key_is_the_same_job(client):
    send = lambda note: client.post("/api/v1/matches", json={"note": note}, headers={"Idempotency-Key": "k-1"})  # noqa: E731
    first, again, other = send(NOTE), send(NOTE), send("another note")
    assert first.headers["location"] == again.headers["location"]
    assert other.status_code == 422
    assert "Idempotency-Key" in other.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "request_", "status", "says"),
    [
        ("GET", "/api/v1/matches/" + "0" * 32, {}, 404, "no such job"),
        ("GET", "/api/v1/matches/nothing", {}, 422, "schema"),
        ("GET", "/api/v1/nothing", {}, 404, ""),
        ("PATCH", "/api/v1/matches", {}, 405, ""),
        ("POST", "/api/v1/matches", {"json": {}}, 422, "schema"),
        ("POST", "/api/v1/matches", {"json": {"note": " \n"}}, 422, "blank"),
        ("POST", "/api/v1/matches", {"json": {"note": "x", "trial": []}}, 422, "schema"),
        ("POST", "/api/v1/matches", {"json": {"note": "x", "trials": ["nonesuch"]}}, 422, "nonesuch"),
        ("POST", "/api/v1/matches", {"content": b"{", "headers": {"content-type": "application/json"}}, 422, "schema"),
        ("POST", "/api/v1/matches", {"json": {"note": "x" * 5_000_001}}, 413, "bytes"),
        ("POST", "/api/v1/matches", {"content": b"x" * 31_000_000}, 413, "bytes"),
        ("GET", "/api/v1/trials/nonesuch", {}, 404, "nonesuch"),
        ("POST", "/api/v1/batches", {"json": {}}, 415, "multipart"),
        ("POST", "/api/v1/batches", {"files": {"other": ("a.csv", b"")}}, 422, "`file`"),
        ("POST", "/api/v1/batches", {"files": {"file": ("a.doc", b"x")}}, 422, ".csv"),
    ],
)
def test_every_error_is_a_problem(client, method, path, request_, status, says):
    answer = client.request(method, path, **request_)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert says in problem["detail"]


def test_events_tell_progress_and_end(client):
    location = submit(client)
    with client.stream("GET", f"/api/v1/jobs/{location.rsplit('/', 1)[1]}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in stream.iter_lines() if line]
    assert lines[-2] == "event: done"
    last = json.loads(lines[-1].removeprefix("data: "))
    assert (last["state"], last["total"], last["done"], last["failed"]) == ("done", 1, 1, 0)


def test_the_note_comes_back_as_it_was_sent(client):
    note = "Überweisung\r\n\tFrau, 64 J. \u2028 ≥ 3 Linien 🩸"
    location = submit(client, note=note)
    assert client.get(location + "/note").text == note


def test_a_deleted_note_is_gone_from_every_key(client, stack):
    location = submit(client, note=NOTE + " Zweizahnwal.")
    job = location.rsplit("/", 1)[1]
    assert result(client, location)["state"] == "done"
    assert job.encode() in all_bytes(stack.store().redis)
    assert client.delete(location).status_code == 204
    assert [client.get(location + rest).status_code for rest in ("", "/note")] == [404, 404]
    assert client.delete(location).status_code == 404
    wait_forgotten(stack.store().redis, job)


def test_a_note_deleted_while_it_is_read_stays_deleted(client, stack):
    location = submit(client, note="[slow]" + NOTE)
    assert client.delete(location).status_code == 204
    wait_forgotten(stack.store().redis, location.rsplit("/", 1)[1])


def test_jobs_are_listed_newest_first_in_pages(client):
    mine = [submit(client).rsplit("/", 1)[1] for _ in range(3)]
    page = client.get("/api/v1/jobs", params={"limit": 2}).json()
    assert [item["id"] for item in page["items"]] == mine[:0:-1]
    assert client.get(page["next"]).json()["items"][0]["id"] == mine[0]


def test_a_job_expires(client, stack):
    location = submit(client)
    result(client, location)
    store = stack.store()
    keys = list(store.redis.scan_iter("eligo:job:*"))
    assert all(0 < store.redis.ttl(key) <= stack.settings.ttl for key in keys)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/", "/openapi.json", "/docs", "/api/v1/version"])
def test_what_stands_beside_the_api_answers(client, path):
    assert client.get(path).status_code == 200


def test_without_a_provider_a_key_is_the_way(client):
    assert client.get("/api/v1/session").json() == {
        "required": False, "methods": ["key"], "login": None, "caller": {"name": "local", "tenant": "local", "scopes": ["admin", "read", "submit"]},
    }  # fmt: skip
    assert client.get("/api/v1/session/login").status_code == 404


def test_the_page_comes_packed_and_is_not_sent_twice(client):
    first = client.get("/js/main.js", headers={"Accept-Encoding": "gzip"})
    assert (first.headers["content-encoding"], first.headers["cache-control"], first.headers["vary"]) == ("gzip", "no-cache", "Accept-Encoding")
    again = client.get("/js/main.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_metrics_count_the_work(client):
    result(client, submit(client))
    metrics = client.get("/metrics").text
    for name in ("eligo_queue_depth", "eligo_oldest_job_seconds", 'eligo_notes_total{outcome="done"}', 'eligo_stage_seconds_total{stage="read"}', "eligo_worker_processes 2.0"):
        assert name in metrics


def test_a_result_reports_the_version_and_the_registry(client):
    assert client.get("/api/v1/version").json().keys() == {"version", "trials", "registry_date"}


def test_corrections_rank_again_and_are_kept_until_taken_back(client):
    location = submit(client)
    before = result(client, location)["result"]
    corrections = [{"fact": "ecog", "value": 3}, {"fact": "lvef", "value": 55, "date": "2024-02-01"}]
    assert client.post(location + "/corrections", json={"corrections": corrections}).status_code == 202
    answer = result(client, location)
    assert (answer["state"], answer["revision"], answer["corrections"]) == ("done", 1, corrections)
    assert answer["result"]["patient"]["ecog"] == 3
    client.post(location + "/corrections", json={"corrections": []})
    answer = result(client, location)
    assert (answer["revision"], answer["corrections"], answer["result"]) == (2, [], before)


def test_a_wrong_correction_changes_nothing(client):
    location = submit(client)
    before = result(client, location)
    answer = client.post(location + "/corrections", json={"corrections": [{"fact": "ecog", "value": "good"}]})
    assert answer.status_code == 422
    assert "correction 1" in answer.json()["detail"]
    assert result(client, location) == before
