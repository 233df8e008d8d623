"""Days told by how long ago they were: "six weeks ago", "2 years back"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from matcher.domain import PartialDate
from matcher.lexicon import lower

COUNTS = {w: float(n) for n, w in enumerate(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 1)} | {"a": 1.0, "an": 1.0, "couple of": 2.0}
_AGO = re.compile(r"(?:ago(?<!\w...)|back(?<!\w....))\b")  # in small letters
_BEFORE = re.compile(rf"(?<![\w.,/–-])(?P<count>\d{{1,2}}|{'|'.join(COUNTS)})[\s-]+(?P<unit>day|week|wk|month|mo|year|yr)s?\.?[\s-]+\Z", re.IGNORECASE)
_BOUND = re.compile(r"(?:\bthan|\bover|\bunder|\bleast|\bmost|\bwithin|\bto|[<>≥≤~+])\s*\Z", re.IGNORECASE)  # says a side of the time, or is one end of a range
_REACH = 30


def times_ago(text: str, today: date) -> Iterator[tuple[int, int, PartialDate]]:
    """(start, end, date) of each, as precise as its unit: days and weeks give a day, months a month, years a year."""
    for found in _AGO.finditer(lower(text)):
        low = max(0, found.start() - _REACH)
        told = _BEFORE.search(text[low : found.start()])
        if told is None or _BOUND.search(text, max(0, low + told.start() - 12), low + told.start()):
            continue
        when = _before(today, int(COUNTS.get(told["count"].lower()) or told["count"]), told["unit"][0].lower() + told["unit"][1:2].lower())
        if when is not None:
            yield low + told.start(), found.end(), when


def _before(today: date, count: int, unit: str) -> PartialDate | None:
    if unit in ("da", "we", "wk"):
        return PartialDate.of(today - timedelta(days=count * (1 if unit == "da" else 7)))
    if unit == "mo":
        year, month = divmod(today.year * 12 + today.month - 1 - count, 12)
        return PartialDate(year, month + 1)
    return PartialDate(today.year - count)
