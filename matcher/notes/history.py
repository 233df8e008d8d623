"""Whether the note tells all the treatment there was: in words, by the number of lines, or because the first line is going on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from matcher.dates import DateMention
from matcher.domain import ConditionFact, Course, Reading, Status
from matcher.notes.disease_state import FOR_RELAPSE, said_new
from matcher.notes.document import Document
from matcher.notes.line_count import stated_ordinals
from matcher.notes.line_rules import Line
from matcher.notes.naive import hypothetical
from matcher.notes.purposes import MYELOMA_DRUGS
from matcher.notes.signals import signals_of

_FIRST_LINE = timedelta(days=550)  # of induction, and of a transplant with its consolidation
_SOON = timedelta(days=200)  # from the diagnosis to its first treatment
_PLASMA_CELL = ("multiple_myeloma", "plasma_cell_leukemia", "al_amyloidosis")
_INCOMPLETE = re.compile(r"\b(?:incomplete|not complete)\b", re.IGNORECASE)
_SINCE_DIAGNOSIS = re.compile(r"[^.;\n]{0,20}\bsince (?:the |her |his )?(?:dx|diagnosis)\b", re.IGNORECASE)
_DIAGNOSED = re.compile(r"\b(?:dx|diagnosed|diagnosis)[\s:]*(?:in|on)?\s*$", re.IGNORECASE)


def stated_complete(doc: Document, lines: Sequence[Line], stated: Reading | None) -> Reading | None:
    """True where the note says that it tells all treatment there was, or that there was none; or where it tells as many lines as it says there were."""
    signals = signals_of(doc.text)
    kinds = ["complete_history"] + (["first_treatment"] if len(lines) == 1 else []) + ([] if lines else ["untreated"])
    for said in (s for kind in kinds for s in signals.within(kind, 0, len(doc.text))):
        words = doc.evidence(said.start, said.end)
        if not hypothetical(doc, said.start) and not _INCOMPLETE.search(words.text):
            return Reading(True, (words,))
    if not lines or signals.first("unnamed", 0, len(doc.text)) is not None:
        return None
    if stated is not None and stated.value == len(lines):
        return Reading(True, stated.evidence)
    return _numbered_to_the_last(doc, lines)


def _numbered_to_the_last(doc: Document, lines: Sequence[Line]) -> Reading | None:
    """A numbered list of lines, and the note says apart from it that the last of them is the line of now."""
    if len(lines) < 2 or any(line.events[0].mark is None for line in lines):
        return None
    first, last = (lines[n].events[0].group for n in (0, -1))
    now = (s for s in stated_ordinals(doc) if s.value == len(lines) and not first.start < s.end < last.end and not first.start - 40 < s.end <= first.start)
    return next((Reading(True, (doc.evidence(s.start, s.end),)) for s in now), None)


def told_from_the_first(doc: Document, note_date: date | None, conditions: Sequence[ConditionFact], lines: Sequence[Line], state: Reading | None, dates: Sequence[DateMention]) -> Reading | None:
    """True for a patient in the first line, begun of late or at the diagnosis, and never relapsed."""
    known = [c for c in conditions if c.status is Status.PRESENT and c.id in _PLASMA_CELL]
    if len(lines) != 1 or not known or state is None or state.value != "newly_diagnosed" or not MYELOMA_DRUGS & set(lines[0].drugs):
        return None
    events, start = lines[0].events, lines[0].start
    diagnosed = next((c.date for c in known if c.date), None) or next((d.date for d in dates if _DIAGNOSED.search(doc.text, max(0, d.start - 25), d.start)), None)
    begun = start or diagnosed
    if FOR_RELAPSE & set(lines[0].drugs) and said_new(doc) is None:
        return None
    of_late = said_new(doc) is not None or (begun and note_date and note_date - begun.latest < _FIRST_LINE)
    ongoing = any(e.course is Course.ONGOING for e in events)
    at_diagnosis = any(_SINCE_DIAGNOSIS.match(e.after) for e in events) or (start and diagnosed and timedelta(0) <= start.latest - diagnosed.earliest < _SOON)
    first = events[0]
    return Reading(True, (first.evidence,)) if of_late or (ongoing and at_diagnosis) else None
