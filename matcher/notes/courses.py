"""The course of treatment as a note tells it: every combination it names, in order, with its course and dates."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from itertools import zip_longest

from matcher.dates import DateMention
from matcher.domain import Course
from matcher.notes.document import Document
from matcher.notes.event_dates import dates_of, infused_on
from matcher.notes.events import Event, counts_in_line
from matcher.notes.exposure import course_of
from matcher.notes.signals import signals_of
from matcher.notes.statements import statement_at
from matcher.notes.treatments import TRANSPLANTS, Group, find_mentions, group_mentions
from models import load_vocabulary

_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_LABEL = re.compile(r"\s?[:(]\s?")
_LEAD, _TAIL = 400, 200  # characters before and after a name that bear on it


def read_events(doc: Document, note_date: date | None, dates: Sequence[DateMention]) -> list[Event]:
    """Every combination the note names, in order, with its course and those of the `dates` beside it; purposes and corrections are not yet settled."""
    named = [g for g in group_mentions(doc, find_mentions(doc)) if g.drugs or any(_names_treatment(doc, g, t) for t in g.therapies)]
    groups = [g for g, following in zip_longest(named, named[1:]) if following is None or not _labels(doc, g, following)]
    starts = [d.start for d in dates]
    paragraphs = [0, *(m.end() for m in _PARAGRAPH.finditer(doc.text))]
    events: list[Event] = []
    signals, last = signals_of(doc.text), 0
    for place, group in enumerate(groups):
        following = groups[place + 1].start if place + 1 < len(groups) else len(doc.text)
        event = Event(doc, signals, group, course_of(doc, group, following), tuple(d for d in group.drugs if counts_in_line(d)), max(last, group.start - _LEAD),
                      min(following, group.end + _TAIL), bisect_right(paragraphs, group.start), transplant=_transplant_kind(doc, group))
        event.start, event.end = dates_of(event, dates, starts, max(last, group.start - 120), min(following, group.end + 160))
        if events and events[-1].active and _CAME_BEFORE.search(event.gap[-30:]):
            event.start = event.end = None  # of what it came before
        if infused := infused_on(event, dates, starts):
            event.start = event.end = infused
        if events and _of_cycle(event, events[-1]):
            continue
        event.course = _settled(event, events[-1] if events else None, note_date)
        events.append(event)
        last = group.end
    return events


def _labels(doc: Document, group: Group, following: Group) -> bool:
    """A kind of treatment that only introduces the one told next: "Chemotherapy: | KCd", "CAR-T (| ide-cel"."""
    return not group.drugs and not group.transplant and bool(following.drugs) and _LABEL.fullmatch(doc.text, group.end, following.start) is not None


def _names_treatment(doc: Document, group: Group, therapy: str) -> bool:
    """A target counts as a treatment only where more than its bare name is written: "anti-CD38", not "CD38"."""
    return load_vocabulary().therapies[therapy].kind != "target" or re.search(r"[- ]", doc.text[group.start : group.end]) is not None


def _transplant_kind(doc: Document, group: Group) -> str | None:
    if not any(t in TRANSPLANTS for t in group.therapies):
        return None
    if "allogeneic_transplant" in group.therapies:
        return "allogeneic"
    around = doc.text[max(0, group.start - 30) : group.end + 30].lower()
    return "allogeneic" if "stem_cell_transplant" in group.therapies and ("allo" in around or "donor" in around) and "auto" not in around else "autologous"


_CAME_BEFORE = re.compile(r"\d\)?,?\s+(?:after|following)\s+$", re.IGNORECASE)  # "elranatamab in 3/2022 after | DPd"
_RANGE_BESIDE = re.compile(r"[\s(:,|\[]*(?:(?:x|×|#)\s?\d+[\s(:,|]*)?(?:from|since|in|between)?\s*(?:\d|[A-Z][a-z]{2})")
_UNDONE_BEFORE = re.compile(r"\b(?:no|not|never|declin\w*|refus\w*|cancel\w*|instead of|rather than|plan\w*|offer\w*|approv\w*)\s+(?:[\w-]+\s+)?$", re.IGNORECASE)
_UNDONE_AFTER = re.compile(r"\b(?:not|never|cancel\w*|declin\w*|refus\w*|plan\w*|error|mistake)\b", re.IGNORECASE)
_CHAINED = re.compile(r"[)\]\s,]*(?:,|\bthen\b|\bfollowed by\b|-+>|→|\band\b|\bf/b\b|\bor\b|\+)[^.;\n]*", re.IGNORECASE)
_AFTER_IT = re.compile(r"\s*(?:after(?:wards?)?|thereafter|next|later|subsequently|to follow)\s*(?:[.;,)\n]|$)", re.IGNORECASE)  # "RT to start 6/10, D-VRd after"
_START_OF = re.compile(r"\b(?:start|begin|initiation|commencement)(?: of| on| with)?\s+$", re.IGNORECASE)
_NOT_RECEIVED = (Course.PLANNED, Course.DECLINED, Course.ABSENT, Course.POSSIBLE)
_STEP = re.compile(r"→|-+>|\]|;|\n")


def _dated_assessment(event: Event) -> bool:
    """In the assessment, with no word of a plan: "Impression: exposed to three classes. VRd (2016), ..."."""
    begun = statement_at(event.doc, event.group.start)[0]
    return event.doc.section_at(event.group.start).kind == "plan" and not event.signals.first("planned_before", begun, event.group.start) \
        and not event.signals.first("planned_after", event.group.end, event.tail)


def _start_of(event: Event) -> bool:
    """In a list of dates, in a full year: "Start of Kd 06/2025"."""
    return _START_OF.search(event.gap) is not None and re.match(r"[\s(:,]*(?:\w+[ .]|[\d./-]+)?(?:19|20)\d\d\b", event.after) is not None


_CYCLE_GIVEN = re.compile(r"\n[ \t|]*(?:c(?:ycle)? ?#?)?\d{1,2}(?:[ /]?d\d{1,2})?[ \t|:,-]+(?=\d)(?P<day>[\d/.-]{6,10})[ \t|:,-]+(?:complete|given|administered|done|received|in progress|ongoing)", re.IGNORECASE)


def _cycle_given(event: Event) -> bool:
    """Below the name of a plan stand its cycles, the first of them given: "Treatment plan: DRd | 1  2025-03-31  complete"."""
    over = _PARAGRAPH.search(event.doc.text, event.group.end, event.group.end + _LEAD)
    return _CYCLE_GIVEN.search(event.doc.text, event.group.end, over.start() if over else event.group.end + _LEAD) is not None


def _of_cycle(event: Event, plan: Event) -> bool:
    """Told in the row of a cycle of the plan named before: "1  2025-03-31  complete  bortezomib held"."""
    row = event.doc.text.rfind("\n", plan.group.end, event.group.start)
    return row >= 0 and bool(event.drugs) and set(event.drugs) <= set(plan.drugs) and _CYCLE_GIVEN.match(event.doc.text, row, event.group.start) is not None


def _settled(event: Event, previous: Event | None, note_date: date | None) -> Course:
    """The course as dates and neighbours have it: what lies ahead is planned, what has run from one past date to another was given, and what
    follows a plan in its own sentence is part of it."""
    text, signals, course = event.doc.text, event.signals, event.course
    if event.received and event.start and note_date and event.start.earliest > note_date and not re.search(r"\b(?:of that|of the same|that) year\b", event.after[:60]):
        return Course.PLANNED
    undone = course in _NOT_RECEIVED and _UNDONE_AFTER.search(event.after[:60]) is not None
    if course in _NOT_RECEIVED and event.start and event.end and (note_date is None or event.end.earliest <= note_date):
        beside = _RANGE_BESIDE.match(event.after) or re.search(r"\d[\s:|)\]-]*$", event.gap)
        if beside and not undone and not _UNDONE_BEFORE.search(event.gap[-40:]):
            return Course.GIVEN
    if course is Course.PLANNED and event.start and event.start.day and note_date and event.start.latest < note_date and _RANGE_BESIDE.match(event.after):
        steps = [m.end() for m in _STEP.finditer(text, event.low, event.group.start)]
        if steps and not signals.first("planned_before", steps[-1], event.group.start) and not undone:
            return Course.GIVEN
    if course is Course.PLANNED and event.drugs and not undone and _cycle_given(event):
        return Course.GIVEN
    past = event.start is not None and note_date is not None and event.start.latest < note_date
    if course is Course.PLANNED and past and not undone and (event.leads("enrolled", 90) or event.since("course_planned") or _start_of(event) or _dated_assessment(event)):
        return Course.GIVEN
    if event.received and previous is not None and previous.course is Course.PLANNED and len(event.gap) < 40 and not re.search(r"[.;]\s|\n", event.gap) and _AFTER_IT.match(event.after):
        return Course.PLANNED
    if event.received and event.start is None and previous is not None and previous.course is Course.PLANNED and len(event.gap) < 40 and _CHAINED.fullmatch(event.gap) \
            and not signals.first("given_before", event.low, event.group.start) and not event.follows("given_after", 40):
        return Course.PLANNED
    return course
