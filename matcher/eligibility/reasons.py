"""The answer to one statement: its truth, and what a clinician is told. Sentences are put together once, at the end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TypeVar

from matcher.domain import Evidences, Finding, Lab, PartialDate, Reading, Truth
from models import load_vocabulary

_T = TypeVar("_T")
_CLASS = re.compile(r"^(.+) class against (.+)$")
_OPERATOR = re.compile(r"[<>]=? ?")
_SHOWN = 4  # a reason names at most this many deciding facts
_LISTED = 6


@dataclass(frozen=True, slots=True)
class Said:
    """What the note shows, and what is asked of it ("Age 63", "required", "≥ 18") or what it leaves open."""

    shown: str
    verb: str = ""
    asked: str = ""
    left_open: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`denied`: names the note settles as absent. `silent`: names it does not speak of."""

    truth: Truth
    said: tuple[Said, ...] = ()
    denied: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    evidence: Evidences = ()
    missing: tuple[str, ...] = ()
    presumed: bool = False


def true(shown: str, evidence: Evidences = (), verb: str = "", asked: str = "") -> Answer:
    return Answer(Truth.TRUE, (Said(shown, verb, asked),), evidence=evidence)


def false(shown: str, evidence: Evidences = (), verb: str = "", asked: str = "") -> Answer:
    return Answer(Truth.FALSE, (Said(shown, verb, asked),), evidence=evidence)


def denied(name: str, evidence: Evidences = ()) -> Answer:
    return Answer(Truth.FALSE, denied=(name,), evidence=evidence)


def unsettled(shown: str, missing: str, evidence: Evidences = (), left_open: str = "") -> Answer:
    """The note speaks of it and does not settle it; `left_open` says what it would have to add."""
    return Answer(Truth.UNKNOWN, (Said(shown, left_open=left_open),), evidence=evidence, missing=(missing,))


def silent(name: str, missing: str) -> Answer:
    """The note does not speak of it."""
    return Answer(Truth.UNKNOWN, silent=(name,), missing=(missing,))


def flip(answer: Answer) -> Answer:
    return Answer(~answer.truth, answer.said, answer.denied, answer.silent, answer.evidence, answer.missing, answer.presumed)


def together(truth: Truth, answers: Iterable[Answer], presumed: bool = False) -> Answer:
    """One answer that gives the reasons of all, in order."""
    parts = tuple(answers)
    if len(parts) == 1 and parts[0].truth is truth and parts[0].presumed is presumed:
        return parts[0]
    return Answer(
        truth,
        _unique(s for a in parts for s in a.said),
        _unique(n for a in parts for n in a.denied),
        _unique(n for a in parts for n in a.silent),
        tuple(sorted({e for a in parts for e in a.evidence})),
        _unique(m for a in parts for m in a.missing),
        presumed,
    )


def _unique(values: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(values))


def finding(answer: Answer) -> Finding:
    return Finding(answer.truth, render(answer), answer.evidence, answer.missing, answer.presumed)


def render(answer: Answer) -> str:
    asked: dict[str, dict[str, list[str]]] = {}
    left_open: dict[str, list[str]] = {}
    for said in answer.said:
        if said.left_open:
            left_open.setdefault(said.left_open, []).append(said.shown)
            continue
        verbs = asked.setdefault(said.shown, {})
        if said.asked and not any(said.asked in wanted for wanted in verbs.values()):
            verbs.setdefault(said.verb, []).append(said.asked)
    sentences = [shown + "".join(f", {verb} {listing(wanted) if verb in ('not', 'with no mention of') else ' and '.join(wanted)}" for verb, wanted in verbs.items()) for shown, verbs in asked.items()]
    sentences += [f"{listing(_unique(shown), 'and')}: {what}" for what, shown in left_open.items()]
    if len(sentences) > _SHOWN:
        sentences[_SHOWN:] = [f"and {len(sentences) - _SHOWN} more"]
    if answer.denied:
        sentences.append(f"no {listing(answer.denied)}")
    if answer.silent:
        sentences.append(f"the note does not mention {listing(answer.silent)}" + (", presumed absent" if answer.presumed else ""))
    return capitalised("; ".join(sentences))


def listing(names: Sequence[str], last: str = "or") -> str:
    """"a, b or c"; of many the first few and how many more."""
    shown = list(names[:_LISTED])
    if len(names) > _LISTED:
        return f"{', '.join(shown)} {last} {len(names) - _LISTED} more"
    return f" {last} ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]


def capitalised(text: str) -> str:
    first = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if first.islower() or first[1:].islower() else text


@lru_cache(maxsize=4096)
def name_of(concept: str) -> str:
    """What clinicians call a concept of the vocabulary."""
    vocabulary = load_vocabulary()
    for table in (vocabulary.therapies, vocabulary.conditions):
        if concept in table:
            return _CLASS.sub(r"\2-directed \1", table[concept].name)
    if concept in vocabulary.findings:
        return vocabulary.findings[concept].said(True)
    return concept if concept in vocabulary.drugs else concept.replace("_", " ")


def test_name(test: str) -> str:
    """What clinicians call a measurement; "egfr" is a test here and a target elsewhere."""
    known = load_vocabulary().tests.get(test)
    return known.name if known else test.replace("_", " ")


def shown_lab(lab: Lab) -> str:
    """ "Hemoglobin 9.2 g/dL on 2025-03-01", "oxygen saturation 94% (room air)"; with the bound where the report gives one."""
    how = f" ({lab.condition})" if lab.condition else ""
    return f"{test_name(lab.test)} {lab.comparator or ''}{number(lab.value)}{unit_of(lab.unit)}{how}{on(lab.date)}"


def number(value: float) -> str:
    """3,410 and 0.53, as a report would print it: at most four figures after conversion, whole counts whole."""
    if value == int(value):
        return f"{int(value):d}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}"


def unit_of(unit: str | None) -> str:
    """A UCUM unit as people write it."""
    written = {"1": "", "{score}": "", "10*9/L": "×10⁹/L", "mL/min/{1.73_m2}": "mL/min/1.73 m²", "[IU]/mL": "IU/mL", "mg/(24.h)": "mg/24 h", "Cel": "°C",
               "mm[Hg]": "mmHg", "kg/m2": "kg/m²", "a": "years", "d": "days"}
    spelled = written.get(unit or "", unit or "")
    return f" {spelled}" if spelled and spelled != "%" else spelled


def sign(op: str) -> str:
    return {"<=": "≤", ">=": "≥"}.get(op, op)


def spaced(limit: str) -> str:
    """A qualifier's limit as people write it: ">=50%" is "≥ 50%"."""
    return _OPERATOR.sub(lambda op: f"{sign(op.group().strip())} ", limit)


def on(when: PartialDate | date | None) -> str:
    """" on 2024-02-11" or " in 2024-02"."""
    if when is None:
        return ""
    return f" {'on' if isinstance(when, date) or when.day else 'in'} {when}"


def duration(days: float) -> str:
    """A window as a protocol says it: months of 30 days, years of 365."""
    for size, name in ((365, "year"), (30, "month"), (7, "week"), (1, "day")):
        if days >= size and days % size == 0:
            count = int(days // size)
            return f"{count} {name}{'s' if count > 1 else ''}"
    return f"{number(days)} days"


def evidence_of(reading: Reading | None) -> Evidences:
    return reading.evidence if reading else ()
