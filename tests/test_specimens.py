"""Whole notes by many hands (tests/specimens): how much of their reference answers the reader finds.

The notes are invented, one of each style; the rules for the answers are those of the annotation guidelines. The floors stand a
little under the figures reached, so that a change that costs more than a slip or two is seen.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from matcher.answers import extract_answer
from matcher.notes import read_note
from models import load_vocabulary

SPECIMENS = sorted(Path(__file__).with_name("specimens").glob("SP-*.json"))
STEROIDS = {"dexamethasone", "prednisone", "methylprednisolone"}  # refractoriness to them is not scored
FLOORS = {"conditions": 0.97, "lines": 0.94, "refractory_to": 0.95, "bcma": 0.96, "transplants": 0.94, "labs": 0.98}
VALUES_FLOOR = 0.975


def facts(profile: dict, conditions: list[tuple[str, str]], labs: dict[str, float]) -> dict[str, set]:
    return {
        "conditions": set(conditions),
        "lines": {(n, *sorted(line["drugs"]), line["transplant"]) for n, line in enumerate(profile["lines"], 1)},
        "refractory_to": set(profile["refractory_to"]) - STEROIDS,
        "bcma": {(a["agent"], a["modality"]) for a in profile["bcma"]["agents"]},
        "transplants": {(t["type"], (t["date"] or "")[:4]) for t in profile["transplants"]},
        "labs": set(labs.items()),
    }


def same(one: float, other: float) -> bool:
    return abs(one - other) <= 0.015 * max(abs(one), abs(other)) + 1e-9


def latest(labs: list[dict]) -> dict[str, float]:
    """The most recent value of each test; of one day the one told last."""
    found: dict[str, dict] = {}
    for lab in labs:
        known = found.get(lab["test"])
        if known is None or (lab["date"] or "") >= (known["date"] or ""):
            found[lab["test"]] = lab
    return {test: lab["value"] for test, lab in found.items()}


def values(profile: dict, age: int | None) -> tuple:
    return (age, *(profile[name] for name in ("sex", "note_date", "ecog", "kps", "disease_state", "n_lines")), profile["bcma"]["status"])


@cache
def reading(path: Path) -> tuple[dict, dict]:
    """A specimen and what is read from it."""
    specimen = json.loads(path.read_text())
    return specimen, extract_answer(read_note(specimen["note"], specimen["id"]))


def readings() -> Iterator[tuple[str, dict, dict]]:
    for specimen, got in map(reading, SPECIMENS):
        yield specimen["id"], specimen["gold"], got


@cache
def compared() -> tuple[Counter, Counter, Counter]:
    """(found, extra, missed) of each kind of fact."""
    scored = {c.id for c in load_vocabulary().conditions.values() if c.source.startswith("vocabulary")}
    found, extra, missed = Counter(), Counter(), Counter()
    for _, gold, got in readings():
        measured = latest(got["labs"])
        agreed = {test: gold["labs"][test] if test in gold["labs"] and same(value, gold["labs"][test]) else value for test, value in measured.items()}
        want = facts(gold, [c for c in gold["conditions"].items() if c[0] in scored], gold["labs"])
        have = facts(got, [(c["id"], c["status"]) for c in got["conditions"] if c["id"] in scored], agreed)
        for kind in FLOORS:
            found[kind] += len(want[kind] & have[kind])
            extra[kind] += len(have[kind] - want[kind])
            missed[kind] += len(want[kind] - have[kind])
    return found, extra, missed


@pytest.mark.parametrize("kind", FLOORS)
def test_facts(kind):
    found, extra, missed = (counter[kind] for counter in compared())
    assert 2 * found / (2 * found + extra + missed) >= FLOORS[kind]


def test_single_values():
    pairs = [pair for _, gold, got in readings() for pair in zip(values(gold, gold["age"]), values(got, got["age_years"]), strict=True)]
    assert sum(want == have for want, have in pairs) / len(pairs) >= VALUES_FLOOR


def test_nobody_exposed_to_bcma_is_called_naive():
    assert [name for name, gold, got in readings() if gold["bcma"]["status"] == "exposed" and got["bcma"]["status"] == "naive"] == []


@pytest.mark.parametrize("path", SPECIMENS, ids=lambda p: p.stem)
def test_evidence_is_quoted(path):
    specimen, got = reading(path)

    def quotes(node):
        if isinstance(node, dict):
            if {"start", "end", "text"} <= node.keys():
                yield node
            for value in node.values():
                yield from quotes(value)
        elif isinstance(node, list):
            for value in node:
                yield from quotes(value)

    assert [q for q in quotes(got) if specimen["note"][q["start"] : q["end"]] != q["text"]] == []
