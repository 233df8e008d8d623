"""Receptors, antigens and alterations of the malignant cells that a note reports, one entry a finding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from matcher.domain import ConditionFact, Evidence, Status
from matcher.markers import Statement, read_statements
from matcher.notes.assertion import scopes
from matcher.notes.document import Document
from models import load_vocabulary

_OWN = (Status.PRESENT, Status.ABSENT, Status.POSSIBLE)


def read_markers(doc: Document, conditions: Iterable[ConditionFact] = ()) -> tuple[ConditionFact, ...]:
    """One entry a marker: `cd138_positive`, `egfr_mutation`, present or absent, of a relative, or possible.

    What the patient's `conditions` are by definition says it too (triple negative breast cancer). Positive anywhere outranks
    negative; the patient's own outranks a relative's.
    """
    said: dict[str, dict[Status, list[Evidence]]] = {}
    for fact, status, evidence in (*_stated(doc), *_defined(conditions)):
        said.setdefault(fact, {}).setdefault(status, []).append(evidence)
    found = []
    for fact, by_status in said.items():
        status = next(s for s in (*_OWN, Status.FAMILY) if s in by_status)
        found.append(ConditionFact(fact, status, tuple(dict.fromkeys(by_status[status]))))
    return tuple(sorted(found, key=lambda f: (f.evidence[0].start, f.id)))


def _stated(doc: Document) -> Iterator[tuple[str, Status, Evidence]]:
    markers = load_vocabulary().markers
    for statement in read_statements(doc.text):
        status = _status(doc, statement)
        if status is None:
            continue
        evidence = doc.evidence(statement.start, statement.end)
        yield markers[statement.marker].fact, status, evidence
        if status is Status.PRESENT or status is Status.ABSENT:
            for other, there in (*_entailed().get(statement.marker, ()), *_low(statement)):
                if status is Status.PRESENT or other == "her2_low":
                    yield markers[other].fact, Status.PRESENT if there else Status.ABSENT, evidence


def _status(doc: Document, said: Statement) -> Status | None:
    """How the note asserts a statement; None where it is none about the patient or the family."""
    context = scopes(doc).context(said.start, said.end)
    if context.hypothetical or context.other:
        return None
    denied = not said.stated and (context.negated or scopes(doc).context(said.first, said.first + 1).negated)
    there = said.there and not denied
    if context.family:
        return Status.FAMILY if there else None
    if context.possible:
        return Status.POSSIBLE
    return Status.PRESENT if there else Status.ABSENT


def _low(said: Statement) -> Iterator[tuple[str, bool]]:
    """HER2-low: immunohistochemistry 1+, or 2+ without amplification (ASCO/CAP 2023)."""
    if said.marker == "her2" and said.score is not None and not said.there:
        yield "her2_low", said.score > 0


def _defined(conditions: Iterable[ConditionFact]) -> Iterator[tuple[str, Status, Evidence]]:
    markers = load_vocabulary().markers
    for condition in conditions:
        if condition.status is Status.PRESENT:
            for marker, there in _entailed().get(condition.id, ()):
                yield from ((markers[marker].fact, Status.PRESENT if there else Status.ABSENT, evidence) for evidence in condition.evidence)


@lru_cache(maxsize=1)
def _entailed() -> dict[str, list[tuple[str, bool]]]:
    """Condition or marker: the markers that it is positive or negative for by definition."""
    found: dict[str, list[tuple[str, bool]]] = {}
    for marker in load_vocabulary().markers.values():
        for there, sources in ((True, marker.positive_in), (False, marker.negative_in)):
            for source in sources:
                found.setdefault(source, []).append((marker.id, there))
    return found
