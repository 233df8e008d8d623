"""A note that hurts its reader fails alone, with its reason, after a bounded number of tries."""

from __future__ import annotations

import json

import pytest

from tests.service.stack import Stack, wait_for

NOTE = "62-year-old man with myeloma. ECOG 1."

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A batch of harmless notes with four that are not; the first of two processes to fall takes the batch no further down."""
    with Stack(tmp_path_factory.mktemp("poison"), note_soft_limit=0.5, note_hard_limit=1.5, max_attempts=2, lease=1.2, bundled_trials=False) as stack:
        stack.start_redis()
        stack.start_worker("tests.service.poisoned")
        client = stack.start_api()
        stack.ready(client)
        texts = [NOTE] * 8
        texts[1:1] = ["[loop]", "[kill]", "[raise]", "[deaf]"]
        content = "\n".join(json.dumps({"id": f"p{i}", "note": text}) for i, text in enumerate(texts)).encode()
        location = client.post("/api/v1/batches", files={"file": ("l.jsonl", content)}).headers["location"]
        state = wait_for(lambda: (s := client.get(location).json())["state"] == "done" and s, 60, "the end of the batch")
        answers = client.get(location + "/results").json()["results"]
        yield state, dict(zip(texts, answers, strict=True)), stack, client


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        ("[loop]", "reading took longer than 0.5 s"),
        ("[kill]", "given up: 2 processes ended while reading it"),
        ("[deaf]", "given up: 2 processes ended while reading it"),
        ("[raise]", "the reader failed on this note (ValueError)"),
    ],
)
def test_each_fails_with_its_reason(results, note, reason):
    assert results[1][note]["error"] == reason


def test_the_rest_of_the_batch_is_done(results):
    assert (results[0]["done"], results[0]["failed"]) == (8, 4)
    assert results[1][NOTE]["state"] == "done"


def test_failures_are_counted_by_kind(results):
    metrics = results[3].get("/metrics").text
    for kind, count in (("timeout", 1), ("crash", 2), ("error", 1)):
        assert f'eligo_notes_total{{outcome="failed:{kind}"}} {count}.0' in metrics


def test_a_single_note_that_kills_its_reader_fails_too(results):
    client = results[3]
    location = client.post("/api/v1/matches", json={"note": "[kill]"}).headers["location"]
    state = wait_for(lambda: (s := client.get(location).json())["state"] == "failed" and s, 60)
    assert state["error"] == "given up: 2 processes ended while reading it"
