"""Treatments, lines of therapy, refractoriness, BCMA exposure, transplants, disease state."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date

from matcher.dates import DateMention, find_dates
from matcher.domain import (
    BcmaExposure,
    ConditionFact,
    Course,
    Evidence,
    PartialDate,
    Reading,
    Status,
    TherapyLine,
    Transplant,
    Treatment,
)
from matcher.notes.bcma import denies_infusion, read_bcma, read_complete_history
from matcher.notes.disease_state import has_active_myeloma, read_disease_state, read_stated_lines
from matcher.notes.document import Document
from matcher.notes.exposure import course_of, statement_at
from matcher.notes.lines import (
    NOT_OF_A_LINE,
    Event,
    Line,
    active,
    build_lines,
    counts_in_line,
    dates_around,
    is_cell_product,
    numbered_as,
    restated,
)
from matcher.notes.refractory import Ending, read_ending, read_refractory
from matcher.notes.treatments import TRANSPLANTS, find_mentions, group_mentions
from models import load_vocabulary
from models.therapy_cues import load_therapy_cues

_SENTENCE = 1000  # characters of a run-on sentence that bear on a name
_NEARBY = 40  # events: what was said further up no longer bears on one
_PARAGRAPH = re.compile(r"\n[ \t]*\n")


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
    dates = find_dates(doc.text, doc.day_first, as_of=note_date)
    events = _events(doc, dates, note_date)
    counted = _lines_count(conditions, events)
    lines = build_lines(doc, events) if counted else []
    endings = [read_ending(doc, line, until, events, dates) for line, until in zip(lines, _stories(doc, lines), strict=False)]
    refractory = read_refractory(doc, lines, endings, events) if counted else ()
    stated = read_stated_lines(doc, len(lines), max((n for line in lines if (n := numbered_as(line.events[0]))), default=0))
    complete = read_complete_history(doc, stated, lines, stated.value if stated else None) or _first_line(doc, conditions, lines, endings, stated, refractory)
    n_lines = stated or (Reading(len(lines), tuple(_evidence(doc, line.events[0]) for line in lines)) if lines else Reading(0, complete.evidence) if complete else _never_treated(conditions, events))
    return TherapyReading(
        treatments=_ledger(doc, events, lines),
        lines=tuple(_line(doc, number, line, ending) for number, (line, ending) in enumerate(zip(lines, endings, strict=False), 1)),
        n_lines=n_lines,
        refractory_to=refractory,
        bcma=read_bcma(doc, events, lines, complete),
        transplants=_transplants(doc, events),
        disease_state=read_disease_state(doc, conditions, lines, endings, has_active_myeloma(conditions, lines), n_lines.value if n_lines else 0, {r.value for r in refractory}),
        complete_history=complete,
    )


def _lines_count(conditions: tuple[ConditionFact, ...], events: list[Event]) -> bool:
    """Lines are those of a plasma cell disease; a note of another cancer alone has none."""
    status = {c.id: c.status for c in conditions}
    own = (Status.PRESENT, Status.HISTORICAL)
    plasma = any(status.get(c) in own for c in ("multiple_myeloma", "plasma_cell_leukemia", "al_amyloidosis", "waldenstrom_macroglobulinemia", "poems_syndrome", "solitary_plasmacytoma", "smoldering_multiple_myeloma"))
    other = any(status.get(c) in own for c in ("lymphoma", "leukemia", "renal_cell_carcinoma", "lung_cancer", "breast_cancer", "colorectal_cancer", "myelodysplastic_syndrome"))
    treated = any(_MYELOMA_DRUGS & set(e.drugs) and e.course in (Course.GIVEN, Course.ONGOING) for e in events)
    return plasma or (not other and status.get("multiple_myeloma") is not Status.ABSENT) or (treated and status.get("multiple_myeloma") is Status.FAMILY)


def _first_line(doc: Document, conditions: tuple[ConditionFact, ...], lines: list[Line], endings: list[Ending], stated: Reading | None, refractory: tuple[Reading, ...]) -> Reading | None:
    """A patient in the first line, never relapsed, has been told of in full."""
    known = {c.id for c in conditions if c.status is Status.PRESENT} & {"multiple_myeloma", "plasma_cell_leukemia", "al_amyloidosis"}
    if len(lines) != 1 or not known or (stated is not None and stated.value > 1) or refractory or not _MYELOMA_DRUGS & set(lines[0].drugs):
        return None
    state = read_disease_state(doc, conditions, lines, endings, has_active_myeloma(conditions, lines), 1)
    return Reading(True, (_evidence(doc, lines[0].events[0]),)) if state is not None and state.value == "newly_diagnosed" and lines[0].start else None


def _never_treated(conditions: tuple[ConditionFact, ...], events: list[Event]) -> Reading | None:
    """MGUS and smouldering myeloma with no treatment told have had no line."""
    early = next((c for c in conditions if c.id in ("mgus", "smoldering_multiple_myeloma") and c.status is Status.PRESENT), None)
    treated = any(active(e.drugs) and e.course in (Course.GIVEN, Course.ONGOING) and e.purpose is None for e in events)
    return Reading(0, early.evidence) if early and not treated else None


def _events(doc: Document, dates: list[DateMention], note_date: date | None) -> list[Event]:
    vocabulary = load_vocabulary()
    groups = [g for g in group_mentions(doc, find_mentions(doc)) if g.drugs or any(vocabulary.therapies[t].kind != "target" or "-" in doc.text[g.start : g.end] or " " in doc.text[g.start : g.end] for t in g.therapies)]
    course_dates = [_as_course(d, note_date) for d in dates]
    starts = [d.start for d in dates]
    paragraphs = [0, *(m.end() for m in _PARAGRAPH.finditer(doc.text))]
    events: list[Event] = []
    last = 0
    for place, group in enumerate(groups):
        following = groups[place + 1].start if place + 1 < len(groups) else len(doc.text)
        gap = doc.text[max(last, group.start - 400) : group.start]
        drugs = tuple(d for d in group.drugs if counts_in_line(d))
        event = Event(group, course_of(doc, group, following), gap if last else "\n" + gap, doc.text[group.end : min(following, group.end + 200)], drugs,
                      transplant=_transplant_kind(doc, group.start, group.end, group.therapies), block=bisect_right(paragraphs, group.start))
        event.start, event.end = dates_around(course_dates, starts, doc.text, (group.start, group.end), max(last, group.start - 120), min(following, group.end + 160))
        if event.start and event.end and event.start.earliest > event.end.latest:  # "Jan-May 2020"
            event.start = PartialDate(event.end.year, event.start.month) if event.start.month and event.end.month and event.start.month <= event.end.month else event.end
        event.course = _settled(doc, event, events[-1] if events else None, note_date)
        event.purpose = _purpose(doc, event) if drugs or event.transplant else None
        bridge = next((e for e in reversed(events[-_NEARBY:]) if e.course in (Course.GIVEN, Course.ONGOING) and e.drugs), None)
        if event.purpose is None and bridge and bridge.purpose == "bridging" and active(drugs) and not any(is_cell_product(d) for d in drugs) and _goes_on(doc.text[bridge.group.end : group.start]):
            event.purpose = "bridging"
        told = next((e.purpose for e in events[-_NEARBY:] if e.purpose in NOT_OF_A_LINE and active(drugs) and active(drugs) <= set(e.drugs)), None)
        if event.purpose is None and told and restated(event, event.gap):
            event.purpose = told
        events.append(event)
        last = group.end
    _correct(doc, events)
    denied = {d for e in events if e.course is Course.ABSENT and denies_infusion(doc, e) for d in e.drugs if is_cell_product(d)}
    for event in events:
        if denied & set(event.drugs) and event.course in (Course.GIVEN, Course.ONGOING):
            event.course = Course.ABSENT  # "to be clear: it was never infused" outranks a problem list
    return events


_RANGE_BESIDE = re.compile(r"[\s(:,|\[]*(?:(?:x|×|#)\s?\d+[\s(:,|]*)?(?:from|since|in|between)?\s*(?:\d|[A-Z][a-z]{2})")
_UNDONE_BEFORE = re.compile(r"\b(?:no|not|never|declin\w*|refus\w*|cancel\w*|instead of|rather than|plan\w*|offer\w*|approv\w*)\s+(?:[\w-]+\s+)?$", re.IGNORECASE)
_UNDONE_AFTER = re.compile(r"\b(?:not|never|cancel\w*|declin\w*|refus\w*|plan\w*|error|mistake)\b", re.IGNORECASE)
_CHAINED = re.compile(r"[)\]\s,]*(?:,|\bthen\b|\bfollowed by\b|-+>|→|\band\b|\bf/b\b|\bor\b|\+)[^.;\n]*", re.IGNORECASE)


def _settled(doc: Document, event: Event, previous: Event | None, note_date: date | None) -> Course:
    """The course as dates and neighbours have it: what lies ahead is planned, what has run from one past date to another was given, and what
    follows a plan in its own sentence is part of it."""
    given = event.course in (Course.GIVEN, Course.ONGOING)
    if given and event.start and note_date and event.start.earliest > note_date and not re.search(r"\b(?:of that|of the same|that) year\b", event.after[:60]):
        return Course.PLANNED
    if event.course in (Course.PLANNED, Course.DECLINED, Course.ABSENT, Course.POSSIBLE) and event.start and event.end and (note_date is None or event.end.earliest <= note_date):
        beside = _RANGE_BESIDE.match(event.after) or re.search(r"\d[\s:|)\]-]*$", event.gap)
        if beside and not _UNDONE_BEFORE.search(event.gap[-40:]) and not _UNDONE_AFTER.search(event.after[:60]):
            return Course.GIVEN
    if event.course is Course.PLANNED and event.start and event.start.day and note_date and event.start.latest < note_date and _RANGE_BESIDE.match(event.after):
        clause = re.split(r"→|-+>|\]|;|\n", event.gap)
        if len(clause) > 1 and not load_therapy_cues()["planned_before"].search(clause[-1]) and not _UNDONE_AFTER.search(event.after[:60]):
            return Course.GIVEN
    if given and event.start is None and previous is not None and previous.course is Course.PLANNED and len(event.gap) < 40 and _CHAINED.fullmatch(event.gap) \
            and not load_therapy_cues()["given_before"].search(event.gap) and not load_therapy_cues()["given_after"].search(re.split(r"[.;]\s|\n", event.after)[0][:40]):
        return Course.PLANNED
    return event.course


def _correct(doc: Document, events: list[Event]) -> None:
    """What a correction withdraws is replaced, wherever the note tells it, by what the correction names in its stead."""
    cue, known = load_therapy_cues()["correction"], load_vocabulary().drugs
    for place, event in enumerate(events):
        if event.course is not Course.ABSENT or not event.drugs:
            continue
        start, end = statement_at(doc, event.group.start)
        if not cue.search(doc.text[max(0, start - 200) : min(end, event.group.end + 200)]):
            continue
        given = [e for e in events[max(0, place - _NEARBY) : place + _NEARBY] if e.course is Course.GIVEN and e.drugs and e is not event and abs(e.group.start - event.group.start) < 200 and not set(e.drugs) & set(event.drugs)
                 and all(d in known and known[d].modality == known[event.drugs[0]].modality for d in e.drugs if event.drugs[0] in known)]
        if not given or not cue.search(doc.text[max(0, given[0].group.start - 250) : given[0].group.end + 100]):
            continue
        for other in events:
            if other not in (event, given[0]) and other.course in (Course.GIVEN, Course.ONGOING) and set(event.drugs) <= set(other.drugs):
                other.drugs = _exchanged(other.drugs, event.drugs, given[0].drugs)


def _exchanged(drugs: tuple[str, ...], out: tuple[str, ...], into: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*into, *(d for d in drugs if d not in out)]))


def _as_course(mention: DateMention, note_date: date | None) -> DateMention:
    """In a course of treatment a short date (5/18) is the month of a year, where it can be."""
    if mention.other is not None and not mention.other.day and (note_date is None or mention.other.earliest <= note_date):
        return DateMention(mention.start, mention.end, mention.other, mention.date)
    return mention


def _transplant_kind(doc: Document, start: int, end: int, therapies: tuple[str, ...]) -> str | None:
    if not any(t in TRANSPLANTS for t in therapies):
        return None
    if "allogeneic_transplant" in therapies:
        return "allogeneic"
    around = doc.text[max(0, start - 30) : end + 30].lower()
    return "allogeneic" if "stem_cell_transplant" in therapies and ("allo" in around or "donor" in around) and "auto" not in around else "autologous"


def _purpose(doc: Document, event: Event) -> str | None:
    cues = load_therapy_cues()
    ahead = re.split(r"[.;,]\s|\n|->|→|\)", event.gap)[-1][-60:]
    statement = doc.text[statement_at(doc, event.group.start)[0] : event.group.start][-90:]
    behind = re.split(r"[.;,(]\s|\n", event.after)[0][:50]
    if re.search(r"\b(?:continued|counted|counts|became|regarded|considered)\b[^.;]{0,30}\bline\b", doc.text[event.group.end : event.group.end + 120], re.IGNORECASE):
        return None
    if _other_cancer(doc, event):
        return "other_malignancy"
    if {"fludarabine", "cyclophosphamide"} == active(event.drugs):
        return "lymphodepletion"
    if any(is_cell_product(d) for d in event.drugs):
        return None
    for purpose in NOT_OF_A_LINE:
        if purpose == "supportive" and active(event.drugs):
            continue
        near = cues[purpose].search(ahead) or cues[purpose].search(behind)
        if not near and purpose in ("bridging", "premedication") and (said_before := cues[purpose].search(statement)):
            near = said_before if "." not in statement[said_before.end() :] and _goes_on(statement[said_before.end() :]) else None
        if near and not (event.transplant and not event.drugs):
            return purpose
    if active(event.drugs) == {"melphalan"} and re.match(r"\s*(?:\d+\s*(?:mg(?:/m2)?)?\s*)?(?:/|\+|and|with|-|\(|followed by)?\s*(?:auto|ASCT|stem|SCT|transplant)", doc.text[event.group.end : event.group.end + 40], re.IGNORECASE):
        return "conditioning"
    return None


_PLASMA = re.compile(r"myeloma|\bMM\b|[Pp]lasma cell|[Aa]myloid|[Pp]lasmacytoma|Waldenstr|\bWM\b|POEMS|MYELOMA")
_OTHER = re.compile(
    r"(?i:lymphoma|hodgkin|leuk(?:a)?emia|sarcoma|melanoma|carcinoma|seminoma|\b(?:breast|prostate|colon|colorectal|lung|gastric|bladder|thyroid|ovarian|cervical|renal|rectal|testicular|neck)\b[^.;\n]{0,25}\b(?:cancer|ca|tumou?r)\b)|\b(?:DLBCL|CLL|AML|MDS|NHL)\b")


def _other_cancer(doc: Document, event: Event) -> bool:
    """Told of another cancer: its statement, or the heading of its paragraph, names one and no plasma cell disease."""
    if _MYELOMA_DRUGS & set(event.drugs):
        return False
    start, end = statement_at(doc, event.group.start)
    start, end = max(start, event.group.start - _SENTENCE), min(end, event.group.end + _SENTENCE)
    statement = doc.text[start:end]
    if _OTHER.search(statement):
        return _PLASMA.search(statement) is None
    paragraph = max((m.end() for m in _PARAGRAPH.finditer(doc.text, max(0, start - 1500), start)), default=0)
    heading = doc.text[paragraph : doc.text.find("\n", paragraph, start) if "\n" in doc.text[paragraph:start] else start][:80]
    return _OTHER.search(heading) is not None and _PLASMA.search(doc.text[paragraph:end]) is None


_MYELOMA_DRUGS = {"bortezomib", "carfilzomib", "ixazomib", "lenalidomide", "pomalidomide", "thalidomide", "daratumumab", "isatuximab", "elotuzumab", "selinexor", "panobinostat", "iberdomide", "mezigdomide"}


def _goes_on(between: str) -> bool:
    """Nothing since the bridging before says that it was over: no infusion, relapse, response or new number."""
    return len(between) < 400 and re.search(r"infused|relaps|progress|\bPD\b|\bCR\b|VGPR|\bline\b|\n\s*[-*•(L]|\n\s*\d{1,2}[.)]|\n\s*\n", between, re.IGNORECASE) is None


_NO_COURSE = ("plan", "family", "social", "allergies", "medications")


def _stories(doc: Document, lines: list[Line]) -> list[int]:
    """Where each line's story ends: where the next begins, or with its paragraph."""
    firsts = sorted(line.events[0].group.start for line in lines)
    ends = []
    for line in lines:
        first = line.events[0].group
        paragraph = _PARAGRAPH.search(doc.text, line.events[-1].group.end)
        following = min((f for f in firsts if f > first.start), default=len(doc.text))
        section = doc.section_at(line.events[-1].group.start)
        if section.kind != "plan" and doc.section_at(section.end).kind in _NO_COURSE:
            following = min(following, section.end)
        ends.append(max(min(paragraph.start() if paragraph else len(doc.text), following), first.end))
    return ends


def _evidence(doc: Document, event: Event) -> Evidence:
    return doc.evidence(event.group.start, event.group.end)


def _line(doc: Document, number: int, line: Line, ending: Ending) -> TherapyLine:
    spans = dict.fromkeys((e.group.start, e.group.end) for e in line.events)
    last = max((e.end for e in line.events if e.end), default=None)
    return TherapyLine(number, tuple(line.drugs), tuple(doc.evidence(a, b) for a, b in spans), transplant=line.transplant,  # type: ignore[arg-type]
                       start=line.start, end=last, best_response=ending.best, reason_stopped=ending.reason)


_RANGE_TOLD = re.compile(r"\d\s*(?:[-–~]|to|or|until)\s*(?:\d|[A-Z])")
_EACH_DATED = re.compile(r"\s*x\s*[2-4]\s*[(:]([^()\n]{4,60})\)?", re.IGNORECASE)  # "ASCT x2 (2014, 2020)"


def _transplants(doc: Document, events: list[Event]) -> tuple[Transplant, ...]:
    found: list[Transplant] = []
    for place, event in enumerate(events):
        if event.transplant is None or event.course not in (Course.GIVEN, Course.ONGOING):
            continue
        when = event.start
        following = events[place + 1] if place + 1 < len(events) else None
        if when is None and following is not None and re.fullmatch(r"\s?[-/+]\s?", doc.text[event.group.end : following.group.start]):
            when = following.start  # "KRd-auto-R ('18)"
        if event.group.therapies == ("high_dose_melphalan",) and any(o.transplant and o.group.therapies != ("high_dose_melphalan",) and o.course in (Course.GIVEN, Course.ONGOING) and abs(o.group.start - event.group.end) < 160 for o in events[max(0, place - 8) : place + 9]):
            continue  # the conditioning of a transplant told beside it
        if when and re.match(r"\W{0,3}(?:19|20)\d\d or (?:19|20)\d\d", event.after):
            when = None
        if several := _EACH_DATED.match(event.after):
            days = [d.date for d in find_dates(several.group(1), doc.day_first)]
            if len(days) > 1 and not _RANGE_TOLD.search(several.group(1)):
                found.extend(Transplant(event.transplant, (_evidence(doc, event),), d) for d in days)  # type: ignore[arg-type]
                continue
        if "tandem" in event.gap[-20:].lower() and event.end and when:
            found.extend(Transplant(event.transplant, (_evidence(doc, event),), d) for d in (when, event.end))  # type: ignore[arg-type]
            continue
        same = next((t for t in found if t.type == event.transplant and (when is None or t.date is None or t.date.year == when.year)), None)
        if same is None:
            found.append(Transplant(event.transplant, (_evidence(doc, event),), when))  # type: ignore[arg-type]
        else:
            better = when if same.date is None or (when and when.month and not same.date.month) else same.date
            found[found.index(same)] = Transplant(same.type, (*same.evidence, _evidence(doc, event)), better)
    return tuple(found)


def _ledger(doc: Document, events: list[Event], lines: list[Line]) -> tuple[Treatment, ...]:
    ledger: dict[tuple[str, Course, int | None], Treatment] = {}
    number_of = {id(e): n for n, line in enumerate(lines, 1) for e in line.events}
    for event in events:
        for agent in (*event.drugs, *(d for d in event.group.drugs if not counts_in_line(d)), *event.group.therapies):
            known = [n for n, line in enumerate(lines, 1) if agent in line.drugs]
            number = number_of.get(id(event)) or (known[-1] if known and event.course in (Course.GIVEN, Course.ONGOING) and event.purpose is None else None)
            key = (agent, event.course, number)
            purpose = event.purpose or ("myeloma" if number else None)
            old = ledger.get(key)
            evidence = _evidence(doc, event)
            if old is None:
                ledger[key] = Treatment(agent, event.course, (evidence,), event.start, event.end, number, purpose)
            else:
                ledger[key] = Treatment(agent, event.course, (*old.evidence, evidence), old.start or event.start, _later(old.end, event.end), number, old.purpose or purpose)
    return tuple(ledger.values())


def _later(one: PartialDate | None, other: PartialDate | None) -> PartialDate | None:
    return max((d for d in (one, other) if d), default=None)
