"""The number of lines of therapy that the note states: in words, in figures, or as the line that is given now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from matcher.domain import Reading
from matcher.notes.document import Document
from matcher.notes.signals import signals_of
from matcher.notes.statements import statement_at

_NUMBERS = {"no": 0, "zero": 0, "one": 1, "a single": 1, "single": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10}
_MOST = 20
_N = r"(\d{1,2}|" + "|".join(sorted(_NUMBERS, key=len, reverse=True)) + r")"
_PRIOR = r"(?:prior|previous|earlier|past|preceding|antecedent)"
_KIND = r"(?:therapeutic |treatment |systemic |therapy )?"
_WHOLE = r"(?:different |separate |distinct |finished |completed |full )?"
_LINES = r"(?:lines?|LOTs?|regimens?|therapies)"
_UNIT = r"(?:lines?|(?-i:LOTs?)|lots of (?:therapy|treatment)|regimens?)"
_OF = r"(?:\s+of\s+(?:prior\s+)?(?:therapy|treatment|anti-?myeloma))?"
_IN_ALL = r"(?:\b(?:s/p|status[- ]post|after|through|had|received|so|total(?:\s+of)?|failed|following|over|in all|altogether|across|count(?:ed|ing)? as)|[=(])"
_OF_OTHERS = r"(?!(?:more|additional|further|other|new|central|IV)\b)"
_NO_DATE = r"\b(?!\s*[./-]\d)"
# The most telling first.
_COUNTS = tuple(re.compile(pattern, re.IGNORECASE) for pattern in (
    rf"\b{_N}\s*{_WHOLE}{_PRIOR}\s+{_KIND}{_LINES}\b",
    rf"\b{_PRIOR}\s+{_LINES}{_OF}\s*(?:[:=(x×]|were|number(?:ing)?)\s*(?:n?\s*=\s*)?{_N}{_NO_DATE}",
    rf"{_IN_ALL}\s*[\"“']?(?:at least |about |some )?{_N}\s+{_OF_OTHERS}(?:[a-z-]+\s+)?{_UNIT}\b{_OF}",
    rf"(?<![\w-])(?:lines?|LOTs?)\s*[:=]\s*{_N}{_NO_DATE}(?![.)]\s?[A-Z])|\b(\d{{1,2}}) priors\b",
    rf"\b{_N}\s+{_WHOLE}{_UNIT}{_OF}\b",
))
_OF_THERAPY = re.compile(r"prior|previous|earlier|past|therap|treat|regimen", re.IGNORECASE)  # "no lines" alone are those in veins
_ORDINAL = re.compile("|".join((
    rf"\b(?:(\d{{1,2}})(?:st|nd|rd|th)|({'|'.join(_ORDINALS)}))[- ]line\b",
    r"\bL(\d{1,2})\s+ongoing",
    r"\b(?<!\d[.])(?<!\d)(\d{1,2})\. ?line\b",
    r"\b(?:(?:this|that) is|now) (?:the |his |her )?line #?(\d{1,2})\b",
    r"\b(\d{1,2})L\b(?=\s*(?:\)|,|;|\.|$|ongoing|relaps|RRMM|MM\b|myeloma))",
)), re.IGNORECASE)
_ORDINAL_WORDS = ("line", *(f"l{n}" for n in range(1, 10)), *(f"{n}l" for n in range(10)))
_TO_COME = re.compile(r"\b(?:option|therapy would|plan|consider|next)\b", re.IGNORECASE)
_NOW = re.compile(r"(?:(?:this|that) is|now)\b", re.IGNORECASE)
_SETTLED = re.compile(r"addend|correct|minutes to read|settled|agreed|actually", re.IGNORECASE)
_ADDENDUM = re.compile(r"\baddend(?:um|a)\b", re.IGNORECASE)
_PLUS_CURRENT = re.compile(r"\s*(?:of (?:therapy|treatment) )?(?:,\s*)?(?:plus|\+|and|in addition to) (?:the |his |her )?(?:current|present|ongoing)\b", re.IGNORECASE)
# What a trial or a label asks, not what the patient had.
_ASKED = r"requires?|required|requiring|eligib\w*|criteri\w*|inclusion|exclu\w*|wants?|needs?|per protocol|trial (?:for|of)"
_LABEL = r"label(?:led)?|indicated|approved|licen[sc]ed|reimburs\w*"
_QUOTED = re.compile(rf"\b(?:at least|minimum|or more|{_ASKED}|{_LABEL}|≥|>=|>|<|≤)\b|[≥≤<>]=?\s*$", re.IGNORECASE)
_QUOTED_AFTER = re.compile(r"\s*(?:or more|\+|and (?:over|above)|required|needed|are required|of (?:platinum|chemo\w* for))", re.IGNORECASE)
_RANGE = re.compile(r"\d\s*(?:to|or|[-–])\s*$")  # "2 to 4 prior lines" is what somebody asks
_NOT_THERAPY = re.compile(r"\b(?:IV|central|PICC|arterial|suture|cell|lead)\s*$", re.IGNORECASE)


class Stated(NamedTuple):
    """A number of lines at its place; the lower the `rank`, the more telling."""

    rank: int
    value: int
    start: int
    end: int


def read_stated_lines(doc: Document, described: int | None, numbered: int = 0) -> Reading | None:
    """The number of lines in words or figures, where it is the patient's; of several the one in an addendum, else the most telling.

    `described`: how many lines the note describes, None of a disease whose lines are not told apart: "first-line" alone states no number then. `numbered`: the highest number it gives to one of them.
    """
    counts, ordinals = list(_counts(doc)), list(stated_ordinals(doc)) if described is not None else []
    if not counts:
        top = max(ordinals, key=lambda s: s.value, default=None)
        if described is None:
            return None
        if numbered > described and (top is None or top.value < numbered):
            return Reading(numbered)
        return _reading(doc, top) if top and top.value > described else None
    addendum = next((m.start() for m in doc.matches(_ADDENDUM, ("addend",), 1, 10)), len(doc.text))
    if settled := [s for s in counts if s.start > addendum] or [s for s in counts if _SETTLED.search(doc.text, max(0, s.start - 120), s.start)]:
        return _reading(doc, settled[-1])
    if agreeing := [s for s in counts if s.value == described]:
        return _reading(doc, agreeing[0])
    if current := [s for s in ordinals if (s.value == described or _NOW.match(doc.text, s.start)) and s.value > max(c.value for c in counts)]:
        return _reading(doc, current[0])  # the lines before it are counted
    best = min(s.rank for s in counts)
    return _reading(doc, max((s for s in counts if s.rank == best), key=lambda s: s.value))


def stated_ordinals(doc: Document) -> Iterator[Stated]:
    """The lines told by their number, as the patient's: "now on 3rd line"."""
    for match in doc.matches(_ORDINAL, _ORDINAL_WORDS, 14, 20):
        written = next(g for g in match.groups() if g).lower()
        value = int(written) if written.isdigit() else _ORDINALS[written]
        if value and of_patient(doc, *match.span()) and not _TO_COME.search(doc.text, statement_at(doc, match.start())[0], match.end() + 30):
            yield Stated(len(_COUNTS), value, *match.span())


def _counts(doc: Document) -> Iterator[Stated]:
    spans = doc.near(("line", "lot", "regimen", "therapies", "priors"), 80, 40)
    for rank, pattern in enumerate(_COUNTS):
        for match in (m for low, high in spans for m in pattern.finditer(doc.text, low, high)):
            written = next(g for g in match.groups() if g).lower()
            value = int(written) if written.isdigit() else _NUMBERS[written]
            if value <= _MOST and (value or _OF_THERAPY.search(match.group())) and of_patient(doc, *match.span()):
                yield Stated(rank, value + bool(_PLUS_CURRENT.match(doc.text, match.end())), *match.span())


def of_patient(doc: Document, begin: int, stop: int) -> bool:
    """Said of the patient: not what a trial or a label asks, nor of a relative, nor of a line into a vein."""
    start, end = statement_at(doc, begin)
    low = max(start, begin - 80)
    before = doc.text[low:begin]
    if _QUOTED.search(before + " ") or _QUOTED_AFTER.match(doc.text, stop, min(end, stop + 40)):
        return False
    return not _NOT_THERAPY.search(before) and not _RANGE.search(before) and not signals_of(doc.text).said("relative", low, begin)


def _reading(doc: Document, stated: Stated) -> Reading:
    return Reading(stated.value, (doc.evidence(stated.start, stated.end),))
