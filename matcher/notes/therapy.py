"""Treatments, lines of therapy, refractoriness, BCMA exposure, transplants, disease state."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from matcher.dates import find_dates
from matcher.domain import (
    BcmaExposure,
    ConditionFact,
    Course,
    PartialDate,
    Reading,
    Status,
    TherapyLine,
    Transplant,
    Treatment,
)
from matcher.notes.bcma import naive_in_words, read_bcma
from matcher.notes.courses import read_events
from matcher.notes.disease_state import has_active_myeloma, read_disease_state
from matcher.notes.document import Document
from matcher.notes.endings import Ending, read_endings
from matcher.notes.event_dates import course_dates
from matcher.notes.events import Event, active, counts_in_line
from matcher.notes.history import stated_complete, told_from_the_first
from matcher.notes.line_count import read_stated_lines
from matcher.notes.line_rules import Line
from matcher.notes.lines import build_lines
from matcher.notes.purposes import MYELOMA_DRUGS, settle_purposes
from matcher.notes.refractory import read_refractory
from models import load_vocabulary

_PLASMA_CELL = ("multiple_myeloma", "plasma_cell_leukemia", "al_amyloidosis", "waldenstrom_macroglobulinemia", "poems_syndrome", "solitary_plasmacytoma",
                "smoldering_multiple_myeloma")


@dataclass(frozen=True, slots=True)
class TherapyReading:
    """The treatment half of a PatientProfile; the fields are those of the profile."""

    treatments: tuple[Treatment, ...] = ()
    lines: tuple[TherapyLine, ...] = ()
    n_lines: Reading | None = None
    refractory_to: tuple[Reading, ...] = ()
    bcma: BcmaExposure = BcmaExposure("unknown")
    transplants: tuple[Transplant, ...] = ()
    disease_state: Reading | None = None
    complete_history: Reading | None = None
    flags: tuple[Reading, ...] = ()


def read_therapy(doc: Document, note_date: date | None, conditions: tuple[ConditionFact, ...]) -> TherapyReading:
    dates = course_dates(doc, note_date)
    events = read_events(doc, note_date, dates)
    settle_purposes(events)
    counted = _lines_count(conditions, events)
    lines = build_lines(events) if counted else []
    endings = read_endings(doc, lines, events, dates)
    refractory = read_refractory(doc, lines, endings, events) if counted else ()
    stated = read_stated_lines(doc, len(lines) if counted else None, max((line.number or 0 for line in lines), default=0))
    complete = stated_complete(doc, lines, stated)
    n_lines = stated or _described(lines, complete if counted or not _treated(events) else None) or _never_treated(conditions, events)
    state = read_disease_state(doc, conditions, lines, endings, has_active_myeloma(conditions, lines), n_lines.value if n_lines else None, {r.value for r in refractory})
    complete = complete or told_from_the_first(doc, note_date, conditions, lines, state, dates)
    bcma = read_bcma(doc, events, lines, complete)
    return TherapyReading(
        treatments=_ledger(events, lines, endings),
        lines=tuple(_line(number, line, ending) for number, (line, ending) in enumerate(zip(lines, endings, strict=True), 1)),
        n_lines=n_lines,
        refractory_to=refractory,
        bcma=bcma,
        transplants=_transplants(events),
        disease_state=state,
        complete_history=complete,
        flags=tuple(_contradictions(doc, bcma, lines, stated)),
    )


def _contradictions(doc: Document, exposure: BcmaExposure, lines: list[Line], stated: Reading | None) -> Iterator[Reading]:
    """What the note says in two ways that exclude each other, for its reader to settle."""
    if exposure.status == "exposed" and (denial := naive_in_words(doc)) is not None:
        yield Reading(f"BCMA: the note says \"{denial.text}\", and tells of {exposure.agents[0].agent if exposure.agents else exposure.evidence[0].text}", (denial, *exposure.evidence))
    if stated is not None and stated.evidence and stated.value < len(lines):
        yield Reading(f"Lines: the note states {stated.value} and describes {len(lines)}", (*stated.evidence, *(line.events[0].evidence for line in lines)))


def _lines_count(conditions: tuple[ConditionFact, ...], events: list[Event]) -> bool:
    """Lines are those of a plasma cell disease; a note of another cancer alone has none."""
    status = {c.id: c.status for c in conditions}
    own = (Status.PRESENT, Status.HISTORICAL)
    vocabulary = load_vocabulary()
    if any(status.get(c) in own for c in _PLASMA_CELL):
        return True
    others = {s for c, s in status.items() if s in own and c != "malignancy" and vocabulary.is_a(c, "malignancy") and not vocabulary.is_a(c, "plasma_cell_disorder")}
    treated = any(MYELOMA_DRUGS & set(e.drugs) and e.received for e in events)
    family = status.get("multiple_myeloma") is Status.FAMILY
    return status.get("multiple_myeloma") is not Status.ABSENT and (not others or (treated and (family or Status.PRESENT not in others)))


def _treated(events: list[Event]) -> bool:
    """Whether any drug against a cancer was given, be it none that counts in a line."""
    drugs = load_vocabulary().drugs
    return any(e.received and any(d in drugs and drugs[d].antineoplastic for d in active(e.group.drugs)) for e in events)


def _described(lines: list[Line], complete: Reading | None) -> Reading | None:
    if lines:
        return Reading(len(lines), tuple(line.events[0].evidence for line in lines))
    return Reading(0, complete.evidence) if complete else None


def _never_treated(conditions: tuple[ConditionFact, ...], events: list[Event]) -> Reading | None:
    """MGUS and smouldering myeloma with no treatment told have had no line."""
    early = next((c for c in conditions if c.id in ("mgus", "smoldering_multiple_myeloma") and c.status is Status.PRESENT), None)
    treated = any(e.active and e.received and e.purpose is None for e in events)
    return Reading(0, early.evidence) if early and not treated else None


def _line(number: int, line: Line, ending: Ending) -> TherapyLine:
    evidence = tuple(dict.fromkeys(event.evidence for event in line.events))
    ongoing = any(event.course is Course.ONGOING for event in line.events) and ending.reason is None
    return TherapyLine(number, tuple(line.drugs), evidence, regimen=line.regimen, transplant=line.transplant,  # type: ignore[arg-type]
                       start=line.start, end=None if ongoing else ending.end, best_response=ending.best, reason_stopped=ending.reason)


# ---------------------------------------------------------------- transplants

_RANGE_TOLD = re.compile(r"\d\s*(?:[-–~]|to|or|until)\s*(?:\d|[A-Z])")
_EACH_DATED = re.compile(r"\s*x\s*[2-4]\s*[(:]([^()\n]{4,60})\)?", re.IGNORECASE)  # "ASCT x2 (2014, 2020)"
_CONDITIONING = ("high_dose_melphalan",)


def _transplants(events: list[Event]) -> tuple[Transplant, ...]:
    told = [(place, event) for place, event in enumerate(events) if event.transplant and event.received]
    found: list[Transplant] = []
    for place, event in told:
        if event.group.therapies == _CONDITIONING and any(o.group.therapies != _CONDITIONING and abs(o.group.start - event.group.end) < 160 for p, o in told if abs(p - place) <= 8):
            continue  # the conditioning of a transplant told beside it
        days = _days_of_several(event)
        if days:
            found.extend(Transplant(event.transplant, (event.evidence,), day) for day in days)  # type: ignore[arg-type]
            continue
        when = _day_of(events, place)
        same = next((n for n, t in enumerate(found) if t.type == event.transplant and (when is None or t.date is None or t.date.year == when.year)), None)
        if same is None:
            found.append(Transplant(event.transplant, (event.evidence,), when))  # type: ignore[arg-type]
        else:
            known = found[same].date
            better = when if known is None or (when and when.month and not known.month) else known
            found[same] = Transplant(found[same].type, (*found[same].evidence, event.evidence), better)
    return tuple(found)


def _day_of(events: list[Event], place: int) -> PartialDate | None:
    event = events[place]
    if event.start is None and place + 1 < len(events) and re.fullmatch(r"\s?[-/+]\s?", event.doc.text[event.group.end : events[place + 1].group.start]):
        return events[place + 1].start  # "KRd-auto-R ('18)"
    if event.start is None and place + 1 < len(events) and events[place + 1].group.therapies == _CONDITIONING and events[place + 1].group.start - event.group.end < 40:
        return events[place + 1].start  # "auto-HCT #1, Mel200 | 09/27/2018"
    return None if re.match(r"\W{0,3}(?:19|20)\d\d or (?:19|20)\d\d", event.after) else event.start


def _days_of_several(event: Event) -> list[PartialDate]:
    """The days of two transplants told with one word: "ASCT x2 (2014, 2020)", "tandem 3/2012 and 8/2012"."""
    if several := _EACH_DATED.match(event.after):
        days = [d.date for d in find_dates(several.group(1), event.doc.day_first)]
        if len(days) > 1 and not _RANGE_TOLD.search(several.group(1)):
            return days
    return [event.start, event.end] if event.start and event.end and "tandem" in event.gap[-20:].lower() else []


# ---------------------------------------------------------------- the ledger


def _ledger(events: list[Event], lines: list[Line], endings: list[Ending]) -> tuple[Treatment, ...]:
    """Every treatment told, once for each course it is told with and each line it belongs to."""
    told: defaultdict[tuple[str, Course, int | None], list[Event]] = defaultdict(list)
    number_of = {id(e): n for n, line in enumerate(lines, 1) for e in line.events}
    last_with = {drug: (n, ending.end) for n, (line, ending) in enumerate(zip(lines, endings, strict=True), 1) for drug in line.drugs}
    for event in events:
        own = event.received and event.purpose is None
        for agent in (*event.drugs, *(d for d in event.group.drugs if not counts_in_line(d)), *event.group.therapies):
            last, over = last_with.get(agent, (None, None)) if own else (None, None)
            again = event.start is not None and over is not None and event.start.earliest > over.latest  # after that line
            number = number_of.get(id(event)) or (None if again else last)
            told[agent, event.course, number].append(event)
    return tuple(_treatment(*key, those) for key, those in told.items())


def _treatment(agent: str, course: Course, line: int | None, told: list[Event]) -> Treatment:
    start, purpose = next((e.start for e in told if e.start), None), next((e.purpose for e in told if e.purpose), None)
    return Treatment(agent, course, tuple(e.evidence for e in told), start, max((e.end for e in told if e.end), default=None), line, "myeloma" if line else purpose)
