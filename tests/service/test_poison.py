"""A note that hurts its reader fails alone, with its reason, after a bounded number of tries."""

from __future__ import annotations

import json

import pytest

from tests.service.stack import wait_for

NOTE = "62-year-old man with myeloma. ECOG 1."

pytestmark = pytest.mark.service


LIMITS = {"note_soft_limit": 0.5, "note_hard_limit": 1.5, "max_attempts": 2}
REASONS = {
    "[loop]": "reading took longer than 0.5 s",
    "[kill]": "given up: 2 processes ended while reading it",
    "[deaf]": "given up: 2 processes ended while reading it",
    "[raise]": "the reader failed on this note (ValueError)",
}


def test_each_fails_with_its_reason_and_the_rest_is_done(fresh):
    fresh.start_worker("tests.service.poisoned", **LIMITS)
    client = fresh.client()
    fresh.ready(client)
    texts = [*[NOTE] * 9, *REASONS, *[NOTE] * 27]
    content = "\n".join(json.dumps({"id": f"p{i}", "note": text}) for i, text in enumerate(texts)).encode()
    location = client.post("/api/v1/batches", files={"file": ("l.jsonl", content)}).headers["location"]
    alone = client.post("/api/v1/matches", json={"note": "[kill]"}).headers["location"]
    state = wait_for(lambda: (s := client.get(location).json())["state"] == "done" and s, "the end of the batch")
    assert (state["done"], state["failed"]) == (36, 4)
    results = client.get(location + "/results").json()["results"]
    assert {text: r["error"] for text, r in zip(texts, results, strict=True) if r["state"] == "failed"} == REASONS

    # A single note that kills its reader fails as well; each failure is counted by its kind.
    state = wait_for(lambda: (s := client.get(alone).json())["state"] == "failed" and s)
    assert state["error"] == REASONS["[kill]"]
    metrics = client.get("/metrics").text
    for kind, count in (("timeout", 1), ("crash", 3), ("error", 1)):
        assert f'eligo_notes_total{{outcome="failed:{kind}"}} {count}.0' in metrics
