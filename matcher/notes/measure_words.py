"""The words measurements are made of: names of tests, numbers with their comparator, units, dates."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import NamedTuple

from matcher.dates import DateMention, find_dates
from matcher.domain import PartialDate
from matcher.lexicon import Hit, Lexicon
from matcher.notes.document import Document
from matcher.notes.measure_calendar import Calendar
from matcher.notes.measure_names import names_in
from matcher.quantities import numbers, plain, unit_at
from models.vocabulary import read_rows


@dataclass(slots=True)
class Written:
    """One value of one test as the note writes it, filled in while its surroundings are read. `unit` is UCUM, None where none stands by it.

    `date` is the value's own; without one, `earlier` values are of an unknown day before the others, `now` those they are
    told from, the rest of the day their surroundings tell. `low`, `high`: readings of the reference range's limits.
    """

    test: str
    start: int
    end: int
    readings: tuple[float, ...]
    unit: str | None = None
    comparator: str | None = None
    name: tuple[int, int] | None = None
    date: PartialDate | None = None
    earlier: bool = False
    now: bool = False
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    condition: str | None = None


class Number(NamedTuple):
    start: int
    end: int
    readings: tuple[float, ...]
    comparator: str | None


_NUMBER = re.compile(
    r"(?P<cmp>(?=[^\d.])(?:[<>≤≥]\s?=?|=[<>]|less than|more than|greater than|at least|up to)\s*)?"
    r"(?P<n>\d{1,3}(?:[,.'\u202f\u00a0]\d{3})+(?:[.,]\d+)?(?!\d)|[1-9]\d{0,2}(?: \d{3})+(?=\s?(?:mg/|/[um]|/mm|U/|UI/|IU/|ng/|x ?10|µg))|\d+[.,](?=\d*(?-i:[OolI]))(?-i:[\dOolI]+)(?![A-Za-z\d])|\d+[.,]\d+|\d+|\.\d+)(?!\d)",
    re.IGNORECASE,
)
_POWER = re.compile(r"[ ]?[x*·][ ]?10[ ]?(?:[\^*e]|\()?[ ]?(\d{1,2})\)?(?![\d.,/])|[ ](?:million|mio\.?)(?=[ ](?:iu|copies|[^a-z]|$))")
_COMPARATORS = {"<": "<", ">": ">", "≤": "<=", "≥": ">=", "<=": "<=", ">=": ">=", "=<": "<=", "=>": ">=",
                "less than": "<", "more than": ">", "greater than": ">", "at least": ">=", "up to": "<="}


_CLAUSE_END = re.compile(r"[.;\n](?:(?<=\n)|(?=\s))")
_DECIMAL_COMMA, _DECIMAL_POINT = (re.compile(rf"{sign}(?<=\d.)\d{{1,2}}(?![\d.,])") for sign in (",", r"\."))


@lru_cache(maxsize=1)
def _cue_lexicon() -> Lexicon[str]:
    return Lexicon((row["cue"], row["category"]) for _, row in read_rows("measure_cues.csv"))


class Words:
    """A note's names, dates and numbers, found once and asked for by place."""

    def __init__(self, doc: Document, note_date: date | None) -> None:
        self.doc = doc
        self.text = doc.text
        self.plain = plain(doc.text)
        self.note_date = note_date
        self.today = PartialDate.of(note_date) if note_date else None
        self.dates = find_dates(doc.text, doc.day_first, as_of=note_date)
        self.date_at = {d.start: d for d in self.dates}
        self._cues: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for hit in _cue_lexicon().find(doc.text):
            self._cues[hit.meaning].append((hit.start, hit.end))
        self.revised: dict[int, PartialDate] = {}  # short dates that their table gives another meaning
        self.names = [n for n in names_in(doc.text) if n.meaning not in ("ecog", "kps")]  # readings of their own
        self._name_ends = {n.end for n in self.names}
        self._units: dict[int, tuple[str, int] | None] = {}
        commas = len(_DECIMAL_COMMA.findall(doc.text))
        self.decimal_comma = commas > 0 and commas > len(_DECIMAL_POINT.findall(doc.text))

    def day(self, mention: DateMention) -> PartialDate:
        """The day of a value: results lie in the past."""
        revised = self.revised.get(mention.start)
        if revised is not None:
            return revised
        if self.note_date and mention.date.earliest > self.note_date and mention.other and mention.other.earliest <= self.note_date:
            return mention.other
        return mention.date

    def number(self, place: int) -> Number | None:
        """The number, with its comparator, that begins at a place; a date is none."""
        match = _NUMBER.match(self.text, place)
        if match is None:
            return None
        start = match.start("n")
        if start and (self.text[start - 1].isalnum() or self.text[start - 1] in "_'") and start not in self._name_ends:
            return None
        if (mention := self.date_at.get(start)) and mention.end >= match.end():
            return None
        readings = numbers(match.group("n"), self.decimal_comma)
        if not readings:
            return None
        written = match.group("cmp")
        comparator = _COMPARATORS.get(" ".join(written.lower().split()).replace(" =", "=")) if written else None
        end = match.end()
        if end < len(self.plain) and self.plain[end] in " x*·" and (power := _POWER.match(self.plain, end)) and self.unit(end) is None:
            exponent = int(power.group(1)) if power.group(1) else 6
            readings, end = tuple(r * 10.0**exponent for r in readings), power.end()
        return Number(match.start() if comparator else start, end, readings, comparator)

    def unit(self, place: int) -> tuple[str, int] | None:
        """The unit that begins at a place, after a short gap: (UCUM, end). The name of a test (Mg) is none."""
        if place not in self._units:  # every reader of a value asks for it
            self._units[place] = self._unit(place)
        return self._units[place]

    def _unit(self, place: int) -> tuple[str, int] | None:
        if self.plain[place : place + 1] == "k" and self.plain[place - 1 : place].isdigit() and not self.plain[place + 1 : place + 2].isalnum() and self.plain[place + 1 : place + 2] != "/":
            return "10*9/L", place + 1  # "112K"
        found = unit_at(self.plain, self.text, place)
        if found and found[1] - place <= 4 and self.names_within(place, found[1]):
            return None
        return found

    def names_within(self, start: int, end: int) -> list[Hit[str]]:
        first = bisect_right(self._name_starts, start - 1)
        return self.names[first : bisect_right(self._name_starts, end - 1)]

    def count_names(self, start: int, end: int) -> int:
        return bisect_right(self._name_starts, end - 1) - bisect_right(self._name_starts, start - 1)

    @cached_property
    def _name_starts(self) -> list[int]:
        return [n.start for n in self.names]

    def clause_start(self, place: int) -> int:
        """Where the clause of a place begins: after a stop, a semicolon or a line end."""
        at = bisect_right(self._clause_ends, place)
        return self._clause_ends[at - 1] if at else 0

    @cached_property
    def _clause_ends(self) -> list[int]:
        return [m.end() for m in _CLAUSE_END.finditer(self.text)]

    def dates_within(self, start: int, end: int) -> list[DateMention]:
        first = bisect_right(self._date_starts, start - 1)
        return self.dates[first : bisect_right(self._date_starts, end - 1)]

    @cached_property
    def _date_starts(self) -> list[int]:
        return [d.start for d in self.dates]

    def says(self, category: str, start: int, end: int) -> bool:
        """Whether a cue of a category of measure_cues.csv stands wholly within a span."""
        if (places := self._cues.get(category)) is None:
            return False
        at = bisect_left(places, (start, 0))
        return at < len(places) and places[at][1] <= end

    def retracted(self, place: int) -> bool:
        """Whether the words after a value take it back: "9.8 (lab error)", "6.1, a typo"."""
        if not self.says("retracted", place, place + 50):
            return False
        at = bisect_right(self._clause_ends, place)
        return at == len(self._clause_ends) or self.says("retracted", place, self._clause_ends[at])

    @cached_property
    def calendar(self) -> Calendar:
        return Calendar(self)
