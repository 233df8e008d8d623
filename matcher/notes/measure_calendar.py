"""When a measured value is from: the day its place in the note speaks of."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from matcher.dates import DateMention
from matcher.domain import PartialDate
from matcher.notes.document import Section

if TYPE_CHECKING:
    from matcher.notes.measure_words import Words

# What is looked for in small letters.
_BLOCK = re.compile(
    r"\b(?:labs?|labor|laborwerte|blutbild|bloodwork|laborator\w*|bloods?|blood (?:results|tests|count|routine)|data|results?|investigations?|inv|biology|biolog\w+|chemistry|biochem\w*|"
    r"h[a]?ematology|examinations?(?: results)?|examinatons?|para-?clinical|tests?|cbc|fbc|cmp|bmp|counts?|analyses|analysis|work-?up|"
    r"parameters|values|workup|panel|latest|current)\b"
)
_ITEM = re.compile(
    r"\b(?:spep|upep|sflc|flc|serum|urine|24.?h|echo\w*|tte|muga|ef|marrow|bm|bmbx?|biopsy|smear|aspirate|flow|fish|pet\S*|ct|mri|ecg|ekg|ucg|ultrasound|cardiac|"
    r"coag\w*|immunology|immun\w*|virology|infect\w*|hbv\S*|cytogenetics?|visit|clinic|seen|day|call|addendum|entry|on|chart|note|electrophoresis|igg?|free light chains?)\b"
)
# A value or a sentence before a date: then the date does not lead its line. Numbering, 24 h, C1D8 and B2M are no values.
_VALUED = re.compile(r"(?<![\w+])(?!24\b|24h|\d{1,2}[.)]\s)\d|[a-z)][.;](?:\s|$)")
_LIST_END = re.compile(r"(?:[^.;:()\[\]\n]|\.(?=\d)){0,120}?[ \t](?:on|from|dated|of)[ \t]+(?=\d|[A-Z][a-z]{2})")
_TODAY_AFTER = re.compile(r"[\d.,]*[ ]?(?:[a-zµ]+/[a-z]+[ ])?(?:today|now|currently|at present)\b")
_TODAY_WITHIN = 50  # characters
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
            if not line.strip():
                blank = True
                self._leads.append((start, end, None, block))
                continue
            lead = self._lead(start, end)
            heads = lead is not None and self._heads_block(start, end, lead)
            if heads or block is not None:
                section = self.words.doc.section_at(start + len(line) - len(line.lstrip()))
                if heads:
                    block, block_section = lead, section.start
                elif self._ends_block(start, end, section, block_section, blank):
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
        return not names or bool(headed and not _BLOCK.search(headed.group().lower()) and not _ITEM.match(line.lower()) and names[0].start > start + headed.end())

    def _lead(self, start: int, end: int) -> DateMention | None:
        for mention in self.words.dates_within(start, end):
            before = self.words.doc.lowered[start : mention.start]
            if len(before) > 70 or _VALUED.search(before):
                return None
            if not before.strip(" \t-*•#[(:") or _BLOCK.search(before) or _ITEM.search(before):
                return mention
            if not mention.date.month:
                continue
            return None
        return None

    def _heads_block(self, start: int, end: int, lead: DateMention) -> bool:
        before = self.words.doc.lowered[start : lead.start]
        if _BLOCK.search(before):
            return True
        after = self.words.text[lead.end : end].strip(" \t\r\n:-()[]")
        return not before.strip() and not after  # a line that is a date alone

    def at(self, place: int, name_start: int | None = None) -> PartialDate | None:
        """The date of a value at a place, for the name it belongs to."""
        name = place if name_start is None else name_start
        start, end, lead, block = self._line(name)
        sentence = max(start, self.words.doc.sentence_at(name)[0], name - 800)
        for mention in reversed(self.words.dates_within(sentence, name)):
            if self._governs(mention, name) and not self._ahead(mention):
                return self.words.day(mention)
        if self.words.says("now", place, place + _TODAY_WITHIN) and self.words.today and _TODAY_AFTER.match(self.words.doc.lowered, place):
            return self.words.today
        if lead is not None and lead.end <= name:
            return self.words.day(lead)
        if (after := self._after(place)) is not None:
            return after
        if block is not None and block.end <= name and not self.words.says("then", sentence, name):
            return self.words.day(block)
        if self.words.note_date is None:
            return None
        near = max(sentence, name - 60)
        if self.words.says("yesterday", near, name):
            return PartialDate.of(self.words.note_date - timedelta(days=1))
        if self.words.says("now", near, name):
            return self.words.today
        if self.words.says("then", max(start, name - 300), name):
            return None
        kind = self.words.doc.section_at(name).kind
        span = (start, end) if end - start < 600 else (sentence, self.words.doc.sentence_at(name)[1])
        listed = kind not in _PAST_SECTIONS and self.words.count_names(*span) >= 3
        return self.words.today if listed or kind in _CURRENT_SECTIONS else None

    def _ahead(self, mention: DateMention) -> bool:
        """Whether a date is a plan: values lie in the past, or in an addendum of the next days."""
        note_date = self.words.note_date
        return note_date is not None and (self.words.day(mention).earliest - note_date).days > 3

    def _after(self, place: int) -> PartialDate | None:
        """The date that closes a list of values: "kappa 98, lambda 0.8, ratio 122 on 12/3"."""
        if not self.words.dates_within(place, place + 140):
            return None
        closing = _LIST_END.match(self.words.text, place)
        mention = self.words.date_at.get(closing.end()) if closing else None
        return self.words.day(mention) if mention else None

    def _governs(self, mention: DateMention, name: int) -> bool:
        """A date in brackets closed before the name belongs to what the brackets follow, unless that is a heading."""
        text = self.words.text
        opened = text.rfind("(", max(0, mention.start - 40), mention.start)
        closed = text.find(")", mention.end, name)
        if closed >= 0 and text[closed + 1 : closed + 2] == ":":  # "(05/02/2025): WBC 4.4", but not "Labs 6/8 (5/1): Hgb 9.8 (10.4)"
            return opened < 0 or not any(d.end >= opened - 1 for d in self.words.dates_within(opened - 12, opened))
        if opened >= 0 and closed >= 0 and text.find(")", opened, mention.start) < 0:
            return bool(_BLOCK.search(self.words.doc.lowered, max(0, opened - 30), opened)) and not re.search(r"\d", text[max(0, opened - 12) : opened])
        return True

    def _line(self, place: int) -> tuple[int, int, DateMention | None, DateMention | None]:
        at = bisect_right(self._starts, place) - 1
        return self._leads[at] if self._leads else (0, 0, None, None)

    @cached_property
    def _starts(self) -> list[int]:
        return [start for start, *_ in self._leads]

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
