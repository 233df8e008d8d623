"""The words measurements are made of: names of tests, numbers with their comparator, units, and when each value is from."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache

from matcher.dates import DateMention, find_dates
from matcher.domain import PartialDate
from matcher.lexicon import Hit, Lexicon, names_of
from matcher.notes.document import Document, Section
from matcher.quantities import numbers, plain, unit_at
from models import load_vocabulary
from models.vocabulary import read_rows


@dataclass(frozen=True, slots=True)
class Written:
    """One value of one test as the note writes it. `unit` is UCUM, None where none stands by it.

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


@dataclass(frozen=True, slots=True)
class Number:
    start: int
    end: int
    readings: tuple[float, ...]
    comparator: str | None


_NUMBER = re.compile(
    r"(?P<cmp>(?:[<>≤≥]\s?=?|=[<>]|less than|more than|greater than|at least|up to)\s*)?"
    r"(?P<n>\d{1,3}(?:[,.'\u202f\u00a0]\d{3})+(?:[.,]\d+)?(?!\d)|\d+[.,](?=\d*(?-i:[OolI]))(?-i:[\dOolI]+)(?![A-Za-z\d])|\d+[.,]\d+|\d+|\.\d+)(?!\d)",
    re.IGNORECASE,
)
_POWER = re.compile(r"[ ]?[x*·][ ]?10[ ]?(?:[\^*e]|\()?[ ]?(\d{1,2})\)?(?![\d.,/])|[ ](?:million|mio\.?)(?=[ ](?:iu|copies|[^a-z]|$))")
_COMPARATORS = {"<": "<", ">": ">", "≤": "<=", "≥": ">=", "<=": "<=", ">=": ">=", "=<": "<=", "=>": ">=",
                "less than": "<", "more than": ">", "greater than": ">", "at least": ">=", "up to": "<="}


class Words:
    """A note's names, dates and numbers, found once and asked for by place."""

    def __init__(self, doc: Document, note_date: date | None) -> None:
        self.doc = doc
        self.text = doc.text
        self.plain = plain(doc.text)
        self.note_date = note_date
        self.dates = find_dates(doc.text, doc.day_first, as_of=note_date)
        self.date_at = {d.start: d for d in self.dates}
        self.revised: dict[int, PartialDate] = {}  # short dates that their table gives another meaning
        self.names = [n for n in names_in(doc.text) if n.meaning not in ("ecog", "kps")]  # readings of their own
        self._name_ends = {n.end for n in self.names}
        self.decimal_comma = len(re.findall(r"\d,\d{1,2}(?![\d,])", doc.text)) > len(re.findall(r"\d\.\d{1,2}(?![\d.])", doc.text))

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
        comparator = _COMPARATORS.get(re.sub(r"\s+", " ", (match.group("cmp") or "").strip().lower()).replace("< =", "<=").replace("> =", ">="))
        end = match.end()
        if (power := _POWER.match(self.plain, end)) and self.unit(end) is None:
            exponent = int(power.group(1)) if power.group(1) else 6
            readings, end = tuple(r * 10.0**exponent for r in readings), power.end()
        return Number(match.start() if comparator else start, end, readings, comparator)

    def unit(self, place: int) -> tuple[str, int] | None:
        """The unit that begins at a place, after a short gap: (UCUM, end). The name of a test (Mg) is none."""
        if self.plain[place : place + 1] == "k" and self.plain[place - 1 : place].isdigit() and not self.plain[place + 1 : place + 2].isalnum() and self.plain[place + 1 : place + 2] != "/":
            return "10*9/L", place + 1  # "112K"
        found = unit_at(self.plain, self.text, place)
        if found and found[1] - place <= 4 and self.names_within(place, found[1]):
            return None
        return found

    def names_within(self, start: int, end: int) -> list[Hit[str]]:
        first = bisect_right(self._name_starts, start - 1)
        return self.names[first : bisect_right(self._name_starts, end - 1)]

    @cached_property
    def _name_starts(self) -> list[int]:
        return [n.start for n in self.names]

    def dates_within(self, start: int, end: int) -> list[DateMention]:
        first = bisect_right(self._date_starts, start - 1)
        return self.dates[first : bisect_right(self._date_starts, end - 1)]

    @cached_property
    def _date_starts(self) -> list[int]:
        return [d.start for d in self.dates]

    @cached_property
    def calendar(self) -> Calendar:
        return Calendar(self)


@lru_cache(maxsize=1)
def _lexicon() -> Lexicon[str]:
    tests = load_vocabulary().tests
    names = list(names_of(tests))
    names += [(f"={row['short']}", row["test"]) for _, row in read_rows("shorthand.csv")]
    return Lexicon([*names, *_misread(names)])


def _misread(names: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Longer names as scans misread them: rn for m, l or 1 for I. Units and short forms have too little left to be sure of."""
    for name, test in names:
        if len(name) > 4 and not name.startswith("="):
            for right, wrong in (("m", "rn"), ("I", "l"), ("l", "1"), ("I", "1")):
                if name.count(right) and right != "l":
                    yield name.replace(right, wrong), test
                    if name.count(right) > 1:
                        yield name.replace(right, wrong, 1), test


def names_in(text: str) -> list[Hit[str]]:
    """Names of tests, none across a column gap or a line end."""
    hits = _lexicon().find(re.sub(r"[ \t]{2,}|[\r\n\t]", lambda gap: "\x1f" * len(gap.group()), text))
    hits = [h for h in hits if h.end - h.start > 1 or not text[h.start].isascii() or _stands_alone(text, h)]
    return sorted([*hits, *_attached(text, hits)], key=lambda h: h.start)


@lru_cache(maxsize=1)
def _short_names() -> dict[str, str]:
    return {name.lower(): test for name, test in names_of(load_vocabulary().tests) if name.isalpha() and 2 <= len(name) <= 6 and name.isascii()}


def _attached(text: str, hits: list[Hit[str]]) -> Iterator[Hit[str]]:
    """Names with the value right behind them: "Hb98g/L", "PLT112"."""
    taken = {place for h in hits for place in range(h.start, h.end)}
    for m in re.finditer(r"(?<![^\W_])(?<![-/])([A-Za-z]{2,6})(?=\d)", text):
        test = _short_names().get(m.group().lower())
        isoform = test in ("igg", "iga", "igm") and not re.match(r"\d{2,}|\d[.,]\d", text[m.end() :])
        if test is not None and m.start() not in taken and not m.group().islower() and not isoform:
            yield Hit(m.start(), m.end(), test)


def _stands_alone(text: str, hit: Hit[str]) -> bool:
    """Whether one letter is a name: its number follows at once; L is a flag and N a limit except in a list of cells."""
    if hit.meaning == "potassium":
        if text[hit.start - 1 : hit.start] == "/":
            return True
        gap = r"[ \t:=|]*(?:\(?m(?:mol|Eq)/L\)?[ \t|]*)?" if text[hit.start] == "K" else r"[ \t]?[:=]?[ \t]?"
        return re.match(gap + r"(?:[<>]?[1-9][.,]\d{1,2}(?!\d|[.,]\d)|[2-9](?!\d|[.,/]\d|x)|--|-[ \t])", text[hit.end : hit.end + 40]) is not None
    if not re.match(r"[ \t]?[:=]?[ \t]?\d", text[hit.end : hit.end + 5]):
        return False
    return hit.meaning not in ("anc", "alc") or bool(re.search(r"[(,;/|:\n][ \t]?$", text[max(0, hit.start - 3) : hit.start]))


# ---------------------------------------------------------------- when a value is from

_BLOCK = re.compile(
    r"\b(?:labs?|laborator\w*|bloods?|blood (?:results|tests|count|routine)|data|results?|investigations?|inv|biology|biolog\w+|chemistry|biochem\w*|"
    r"h[a]?ematology|examinations?(?: results)?|examinatons?|para-?clinical|tests?|cbc|fbc|cmp|bmp|counts?|analyses|analysis|work-?up|"
    r"parameters|values|workup|panel|latest|current)\b", re.IGNORECASE
)
_ITEM = re.compile(
    r"\b(?:spep|upep|sflc|flc|serum|urine|24.?h|echo\w*|tte|muga|ef|marrow|bm|bmbx?|biopsy|smear|aspirate|flow|fish|pet\S*|ct|mri|ecg|ekg|ucg|ultrasound|cardiac|"
    r"coag\w*|immunology|immun\w*|virology|infect\w*|hbv\S*|cytogenetics?|visit|clinic|seen|day|call|addendum|entry|on|chart|note|electrophoresis|igg?|free light chains?)\b",
    re.IGNORECASE,
)
_NOW = re.compile(r"\b(?:today(?:'s)?|yesterday(?:'s)?|now|current(?:ly)?|at present|presently|this (?:morning|visit|week)|present status)\b", re.IGNORECASE)
_THEN = re.compile(
    r"\b(?:at (?:diagnosis|dx|presentation|onset|relapse|baseline|that time|progression|start|screening then)|presentation|present(?:ed|ing)\b|initial(?:ly)?|"
    r"on (?:admission|arrival|admit)|at admission|admission (?:labs?|hb|wbc)|previous(?:ly)?|prior\b|was found|years? ago|months? ago|nadir|peak|"
    r"baseline|pre-?(?:transplant|treatment|admit|admission|op)|carried|copied|history of|in the past|last year|formerly|at the time|when (?:first|he|she|diagnosed)|dx|diagnosed|before)\b",
    re.IGNORECASE,
)
_LIST_END = re.compile(r"[^.;:()\[\]\n]*(?:\.\d[^.;:()\[\]\n]*){0,6}?[ \t](?:on|from|dated|of)[ \t]+(?=\d|[A-Z][a-z]{2})")
_PAST_SECTIONS = frozenset({"history", "oncology", "family"})
_CURRENT_SECTIONS = frozenset({"exam", "results", "plan"})


@dataclass
class Calendar:
    """The day a place of the note speaks of: a date before it in its sentence, the date that leads its line, the date that
    heads its block of results; else the note's own date where the text is about now, and none where it may be about then."""

    words: Words
    _leads: list[tuple[int, int, DateMention | None, DateMention | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """(line start, line end, date that leads the line, date of the block) of each line."""
        text, block, block_section, place = self.words.text, None, -1, 0
        blank = False
        for line in text.splitlines(keepends=True):
            start, end = place, place + len(line)
            place = end
            section = self.words.doc.section_at(start + len(line) - len(line.lstrip()))
            if not line.strip():
                blank = True
                self._leads.append((start, end, None, block))
                continue
            lead = self._lead(start, end)
            heads = lead is not None and self._heads_block(start, end, lead)
            if heads:
                block, block_section = lead, section.start
            elif block is not None and self._ends_block(start, end, section, block_section, blank):
                block = None
            blank = False
            self._leads.append((start, end, lead, block))

    def _ends_block(self, start: int, end: int, section: Section, block_section: int, blank: bool) -> bool:
        if section.start != block_section and section.kind not in ("results", "body"):
            return True
        line = self.words.text[start:end]
        if not blank or line[0] in " \t":
            return False
        names = self.words.names_within(start, end)
        headed = re.match(r"[A-Z][^:\n]{2,60}:", line)
        return not names or bool(headed and not _BLOCK.search(headed.group()) and not _ITEM.match(line) and names[0].start > start + headed.end())

    def _lead(self, start: int, end: int) -> DateMention | None:
        for mention in self.words.dates_within(start, end):
            before = self.words.text[start : mention.start]
            if len(before) > 70 or re.search(r"\d", re.sub(r"\b24\b|\b24(?=[hH])|^[\s*#•-]*\d{1,2}[.)]\s|\bC\d+D\d+|\b[A-Za-z]+\d", "", before)) or re.search(r"[.;](?:\s|$)", before.lstrip(" \t-*•#0123456789.)")):
                return None
            if not before.strip(" \t-*•#[(:") or _BLOCK.search(before) or _ITEM.search(before):
                return mention
            if not mention.date.month:
                continue
            return None
        return None

    def _heads_block(self, start: int, end: int, lead: DateMention) -> bool:
        before = self.words.text[start : lead.start]
        if _BLOCK.search(before):
            return True
        after = self.words.text[lead.end : end].strip(" \t\r\n:-()[]")
        return not before.strip() and not after  # a line that is a date alone

    def at(self, place: int, name_start: int | None = None) -> PartialDate | None:
        """The date of a value at a place, for the name it belongs to."""
        name = place if name_start is None else name_start
        start, _, lead, block = self._line(name)
        sentence = max(start, self.words.doc.sentence_at(name)[0])
        own = [d for d in self.words.dates_within(sentence, name) if self._governs(d, name)]
        if own:
            return self.words.day(own[-1])
        if lead is not None and lead.end <= name:
            return self.words.day(lead)
        if (after := self._after(place)) is not None:
            return after
        said = self.words.text[sentence:name]
        if block is not None and block.end <= name and not _THEN.search(said):
            return self.words.day(block)
        if self.words.note_date is None:
            return None
        today = PartialDate.of(self.words.note_date)
        if _NOW.search(said[-60:]):
            return today
        if _THEN.search(self.words.text[max(start, name - 300) : name]):
            return None
        kind = self.words.doc.section_at(name).kind
        listed = kind not in _PAST_SECTIONS and len(self.words.names_within(sentence, self.words.doc.sentence_at(name)[1])) >= 3
        return today if listed or kind in _CURRENT_SECTIONS else None

    def _after(self, place: int) -> PartialDate | None:
        """The date that closes a list of values: "kappa 98, lambda 0.8, ratio 122 on 12/3"."""
        closing = _LIST_END.match(self.words.text, place)
        mention = self.words.date_at.get(closing.end()) if closing else None
        return self.words.day(mention) if mention else None

    def _governs(self, mention: DateMention, name: int) -> bool:
        """A date in brackets closed before the name belongs to what the brackets follow, unless that is a heading."""
        text = self.words.text
        opened = text.rfind("(", max(0, mention.start - 40), mention.start)
        closed = text.find(")", mention.end, name)
        if opened >= 0 and closed >= 0 and text.find(")", opened, mention.start) < 0:
            return bool(_BLOCK.search(text[max(0, opened - 30) : opened])) and not re.search(r"\d", text[max(0, opened - 12) : opened])
        return True

    def _line(self, place: int) -> tuple[int, int, DateMention | None, DateMention | None]:
        at = bisect_right(self._leads, place, key=lambda line: line[0]) - 1
        return self._leads[at] if self._leads else (0, 0, None, None)

    def brackets(self, place: int) -> PartialDate | None:
        """The date a heading gives to values in brackets: "Labs 4/14 (3/17)", "(previous 12/09/2024 in brackets)"."""
        _, _, lead, block = self._line(place)
        heading = lead or block
        if heading is None:
            return None
        tail = self.words.text[heading.end : heading.end + 60].partition("\n")[0]
        opened = re.match(r"\s*[(\[]\s*(?:previous|prior|prev|last|before|admission|old)?\s*(?:on|from|of)?\s*", tail, re.IGNORECASE)
        if opened and (mention := self.words.date_at.get(heading.end + opened.end())):
            return self.words.day(mention)
        return None
