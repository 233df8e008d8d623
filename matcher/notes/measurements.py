"""Labs, vital signs and performance status, with unit conversion and dates."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain
from math import log

from matcher.domain import Evidences, Lab
from matcher.notes.document import Document
from matcher.notes.measure_percent import unnamed
from matcher.notes.measure_performance import read_performance
from matcher.notes.measure_prose import prose
from matcher.notes.measure_tables import tables
from matcher.notes.measure_words import Words, Written
from matcher.quantities import canonical, convert
from models import load_vocabulary

__all__ = ["read_labs", "read_performance"]

# Tests that share their unit in a list ("IgG 412, IgA 28, IgM 19 mg/dL"), and those a laboratory reports in SI units together.
_LISTED = (("kappa_flc", "lambda_flc"), ("igg", "iga", "igm"))
_TOGETHER = (
    *_LISTED,
    ("ast", "alt", "alkaline_phosphatase", "ldh"),
    ("hemoglobin", "albumin", "total_protein", "igg", "iga", "igm", "serum_m_protein"),
    ("creatinine", "total_bilirubin", "calcium", "urea", "bun", "glucose", "uric_acid"),
)
_SI = frozenset({"g/L", "umol/L", "mmol/L"})
_OTHER_VALUE = re.compile(r"[\n0-9]")
_NITROGEN = 28.014 / 60.056  # of urea, by mass


def read_labs(doc: Document, note_date: date | None) -> tuple[Lab, ...]:
    """Every value of every test of the vocabulary, converted to its canonical unit, with its date where known.

    In the order of their names in the note, except that a saturation on oxygen stands before those of its day on room air, so that the latest
    one is what the patient has without help.
    """
    words = Words(doc, note_date)
    in_tables, covered = tables(words)
    written = _once(chain(in_tables, prose(words, covered), unnamed(words)))
    units = _Units(written)
    labs = [(value.earlier, lab) for value in written for lab in _labs(words, value, units)]
    labs.sort(key=lambda told: (not told[0], min(told[1].evidence).start))  # values of one name stay as told: older first
    return tuple(sorted((lab for _, lab in labs), key=lambda lab: (lab.test == "spo2" and lab.condition != "on oxygen")))


def _once(written: Iterable[Written]) -> list[Written]:
    """One value a place: a named reading before a nameless one."""
    taken: dict[tuple[str, int], Written] = {}
    claimed: set[int] = set()
    for value in written:
        if value.name is None and value.start in claimed:
            continue
        taken.setdefault((value.test, value.start), value)
        claimed.add(value.start)
    return list(taken.values())


class _Units:
    """The unit each test is written in elsewhere in the note, for values that stand without one."""

    def __init__(self, written: list[Written]) -> None:
        said: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for value in written:
            if value.unit is not None and convert(1.0, value.unit, value.test) is not None:
                said[value.test].append((value.start, value.unit))
            elif value.unit is None and (found := canonical(value.readings, None, value.test)) and found[1] in _SI:
                said[value.test].append((value.start, found[1]))  # plausible in an SI unit only
        self._said = {test: sorted(places) for test, places in said.items()}

    def likely(self, value: Written) -> Iterator[str]:
        """Units to try for a value without one: its reference range's, the test's own elsewhere, its neighbours'."""
        if unit := _unit_of_range(value):
            yield unit
        if near := self._nearest(value.test, value.start):
            yield near[1]
        for group in _TOGETHER:
            if value.test in group:
                neighbours = sorted(n for test in group if test != value.test and (n := self._nearest(test, value.start)))
                yield from (unit for _, unit in neighbours) if group in _LISTED else (u for _, unit in neighbours for u in _alike(unit, value.test))

    def _nearest(self, test: str, place: int) -> tuple[int, str] | None:
        """(distance, unit) of the nearest value of a test that has one."""
        places = self._said.get(test)
        if not places:
            return None
        at = bisect_left(places, (place, ""))
        return min((abs(start - place), unit) for start, unit in places[max(0, at - 1) : at + 1])


def _alike(unit: str, test: str) -> list[str]:
    """The unit a laboratory that writes this unit for a neighbour would write for the test."""
    if unit in ("umol/L", "mmol/L"):
        usual = {"creatinine": "umol/L", "total_bilirubin": "umol/L", "calcium": "mmol/L", "urea": "mmol/L", "bun": "mmol/L", "glucose": "mmol/L"}
        return [usual[test]] if test in usual else []
    return [unit] if unit in ("g/L", "ukat/L") and convert(1.0, unit, test) is not None else []


def _unit_of_range(value: Written) -> str | None:
    """The unit in which the note's reference range is nearest to the usual one."""
    if not value.high or not (row := load_vocabulary().tests[value.test]).uln:
        return None
    best: tuple[float, str] | None = None
    for unit in (row.unit, "g/L", "mg/dL", "mg/L", "umol/L", "mmol/L", "ukat/L", "/uL"):
        limit = convert(value.high[0], unit, value.test)
        if limit and (distance := abs(log(limit / row.uln))) < log(2.5) and (best is None or distance < best[0]):
            best = (distance, unit)
    return best[1] if best else None


def _labs(words: Words, value: Written, units: _Units) -> Iterable[Lab]:
    found = canonical(value.readings, value.unit, value.test, () if value.unit else units.likely(value))
    if found is None:
        return
    number, unit = found
    when = value.date or (None if value.earlier else words.calendar.at(value.start, value.name[0] if value.name else None))
    if when is None and value.now:
        when = words.today
    low, high = _limit(value.low, unit, value.test), _limit(value.high, unit, value.test)
    evidence = _evidence(words.doc, value)
    row = load_vocabulary().tests[value.test]
    yield Lab(value.test, number, row.unit, evidence, when, value.comparator, high, low, value.condition)
    if value.test == "urea":
        yield Lab("bun", float(f"{number * _NITROGEN:.6g}"), load_vocabulary().tests["bun"].unit, evidence, when, value.comparator)


def _limit(readings: tuple[float, ...], unit: str, test: str) -> float | None:
    return convert(readings[0], unit, test) if readings else None


def _evidence(doc: Document, value: Written) -> Evidences:
    """The value with its name where they stand together; else the value, then the name."""
    if value.name is None:
        return (doc.evidence(value.start, value.end),)
    if 0 <= value.start - value.name[1] < 40 and not _OTHER_VALUE.search(doc.text, value.name[1], value.start):
        return (doc.evidence(value.name[0], value.end),)
    return (doc.evidence(value.start, value.end), doc.evidence(*value.name))
