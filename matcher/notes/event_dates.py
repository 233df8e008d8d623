"""The first and the last day of a treatment, from the dates beside its name."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from datetime import date

from matcher.dates import DateMention, find_dates
from matcher.domain import PartialDate
from matcher.notes.document import Document
from matcher.notes.events import Event
from matcher.notes.treatments import is_cell_product

_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_REACH = 400  # characters in which a paragraph tells the day of an infusion


def course_dates(doc: Document, note_date: date | None) -> list[DateMention]:
    """Every date of the note, as a history of treatment means it."""
    return [_as_course(d, note_date) for d in find_dates(doc.text, doc.day_first, as_of=note_date)]


def _as_course(mention: DateMention, note_date: date | None) -> DateMention:
    """In a course of treatment a short date (5/18) is the month of a year, where it can be."""
    if mention.other is not None and not mention.other.day and (note_date is None or mention.other.earliest <= note_date):
        return DateMention(mention.start, mention.end, mention.other, mention.date)
    return mention


_OF_ANOTHER = re.compile(r"→|-+>|=>|\)\s*[/,;+]")
_TO = r"(?:-+>?|–|—|→|~|\||to|until|till|til|through|thru|up to|and|stop\w*|end\w*|last(?: fill| dose)?)"
_RANGE = re.compile(rf"\s*{_TO}[\s:]*(?:the end of|end of|early|late|mid)?\s*|[ \t]{{2,}}|\t", re.IGNORECASE)  # also two columns of a table
_UNTIL = re.compile(r"(?:\b(?:until|till|til|through|thru|up to)|stop\w*|discontinued|last)\b[^.;,\n\d]{0,25}$", re.IGNORECASE)
_BEGUN = re.compile(r"[^.;\n]{0,60}\.\s+(?:started|commenced|begun|initiated|start(?: date)?)[\s:]*(?:on|in)?\s*", re.IGNORECASE)
_STARTED = re.compile(r"\b(?:start(?:ed)?|begun|began|from)\W{0,3}$", re.IGNORECASE)
_ROW = re.compile(r"\n[ \t]*[-*•–—|]")
_OVER = re.compile(r"[.;]\s|\n(?=.*\w)|\n\s*[-*•\d]")


def dates_of(event: Event, dates: Sequence[DateMention], starts: Sequence[int], low: int, high: int) -> tuple[PartialDate | None, PartialDate | None]:
    """(start, end) of a treatment from the dates beside it within low..high: after it, else before it."""
    text, begin, stop = event.doc.text, event.group.start, event.group.end
    at = bisect_left(starts, stop)
    following = dates[at] if at < len(dates) and dates[at].start < high and _beside_after(event, dates[at].start) else None
    before = bisect_left(starts, begin) - 1
    previous = dates[before] if before >= 0 and _beside_before(event, dates[before], low) else None
    if previous is not None and "\n" in text[max(0, previous.start - 14) : previous.start] and (
            not text[previous.end : begin].strip(" \t:|-–") or (following is not None and "\n" in text[stop : following.start])):
        following = None  # a column of dates leads the list
    if following is not None and _leads_next(text, stop, following, event.high):
        following = None
    if following is not None and "\n" in text[stop : following.start] and _leads_row(text, dates, starts, begin):
        following = None
    start = end = None
    if following is not None and (previous is None or following.start - stop <= begin - previous.end + 25):
        start, end = following.date, None
        if at + 1 < len(dates) and dates[at + 1].start < high and _ranges(text, following, dates[at + 1]):
            end = dates[at + 1].date
        elif _UNTIL.search(text[stop : following.start]):
            told = previous is not None and (_STARTED.search(text, max(low, previous.start - 12), previous.start) or not text[previous.end : begin].strip(" \t~:|-–"))
            start, end = previous.date if previous and told else None, following.date
    elif previous is not None:
        start = previous.date
        if before and dates[before - 1].start >= low and _ranges(text, dates[before - 1], previous):
            start, end = dates[before - 1].date, previous.date
    if start and end and start.earliest > end.latest:  # "Jan-May 2020"
        start = PartialDate(end.year, start.month) if start.month and end.month and start.month <= end.month else end
    return start, end


_INFUSED_ON = re.compile(r"\b(?:re)?infus(?:ed|ion)\b(?: (?:date|day|on|was|of cells|given))*[\s:=(|-]*", re.IGNORECASE)


def infused_on(event: Event, dates: Sequence[DateMention], starts: Sequence[int]) -> PartialDate | None:
    """The day of a cell product that its paragraph tells further on: "ide-cel: apheresis 6/2023, bridging Kd x1, infused 8/2/2023"."""
    if not event.received or not any(is_cell_product(d) for d in event.drugs):
        return None
    text, stop = event.doc.text, event.group.end
    over = _PARAGRAPH.search(text, stop, stop + _REACH)
    for told in _INFUSED_ON.finditer(text, stop, over.start() if over else stop + _REACH):
        at = bisect_left(starts, told.end())
        if at < len(starts) and starts[at] == told.end():
            return dates[at].date
    return None


_NEW_CLAUSE = re.compile(r"[^.;\n]*[,;]\s*(?:(?:and|then|later|again)\s+)*in\s+$", re.IGNORECASE)
_ON_TO_NEXT = re.compile(r"[^,.;()\n\d]{1,45}")


def _leads_next(text: str, stop: int, date: DateMention, high: int) -> bool:
    """Whether a date opens the clause of the treatment told next: "VAD + auto, in 2013 after relapse | bortezomib"."""
    return _NEW_CLAUSE.fullmatch(text, stop, date.start) is not None and _ON_TO_NEXT.fullmatch(text, date.end, high) is not None and text[high - 1 : high] in " ("


def _leads_row(text: str, dates: Sequence[DateMention], starts: Sequence[int], place: int) -> bool:
    """Whether a date begins the row of a place, as it then does the row below."""
    row = text.rfind("\n", 0, place) + 1
    first = bisect_left(starts, row)
    return first < len(starts) and starts[first] < place and not text[row : starts[first]].strip(" \t-*•|")


def _ranges(text: str, one: DateMention, other: DateMention) -> bool:
    """Whether two dates are the first and the last: of a range, or in two columns."""
    if not _RANGE.fullmatch(text, one.end, other.start) or _ROW.search(text, one.end, other.start):
        return False
    return text[one.end : other.start].strip() not in ("", "|") or one.date.earliest <= other.date.latest


def _beside_after(event: Event, place: int) -> bool:
    stop = event.group.end
    words = event.doc.text[stop:place]
    if _BEGUN.fullmatch(words):
        return True
    return place - stop <= 70 and not _OVER.search(words + ".") and not event.signals.said("progression", stop, place) and not event.signals.said("relapse", stop, place)


def _beside_before(event: Event, mention: DateMention, low: int) -> bool:
    text, begin = event.doc.text, event.group.start
    lead = text[mention.end : begin]
    if mention.start < low or len(lead) > 45 or "\n" in lead or _OF_ANOTHER.search(lead):
        return False
    if 0 < low < mention.start < low + 16 and re.search(r"\b(?:then|followed by|f/b)\b", lead) and not re.search(r"[.;,\n]", text[low : mention.start]):
        return False  # "IsaVRd 2022, then | ASCT"
    if 0 < low < mention.start < low + 4 and not text[low : mention.start].strip(" (") and re.match(r"\s*[,)/]", lead):
        return False  # the date of what was told before it
    return not re.search(r"[.;]\s", lead) or lead.strip() in (".", ":", "]", ")", "].", ");")
