"""ECOG and Karnofsky performance status: the current one, as a number the note gives."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from matcher.dates import DateMention, find_dates
from matcher.domain import PartialDate, Reading
from matcher.lexicon import Hit, Lexicon
from matcher.notes.document import Document

_GRADES = {"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "nil": 0, "i": 1, "ii": 2, "iii": 3, "iv": 4, "l": 1}
_GAP = (
    r"(?:[ \t:=~,(/|\[\]*-]|\r?\n(?=[ \t]*\d)|\b(?:ecog|who|ps|kps|oms|performance|status|score|scale|grade|index|level|class|is|was|of|at|today|now|currently|current|remains?|stable|"
    r"still|about|around|approximately|approx|estimated|est|per|by|as|a|an|the|her|his|md|rn|np|primary|team|note|him|she|he|to|be|been|has|have|improved|declined|decreased|increased|assessed|"
    r"pre-?admit|pre-?admission|baseline|previously|prior|before|on|admission|discharge|in|clinic|functional|karnofsky|score of|equals?|unchanged|good|fair|poor|reported|recorded|documented|"
    r"rated|self|from|went|up|down|range)\b|\((?:0|range)[ ]?[-–][ ]?[45]\)|\d{1,2}[-/](?:\d{1,2}|[a-z]{3})(?:[-/]\d{2,4})?(?=:)|\)){0,14}?"
)
_ECOG = re.compile(
    rf"(?P<name>(?:ECOG|E\.C\.O\.G\.?|Eastern Co-?operative (?:Oncology )?Group|Zubrod|WHO(?=[ -]*(?:PS|performance|status|score|grade|class|\d))|OMS(?=[ :=]*\d)|perf(?:ormance|\.)? (?:status|score)|PS(?=[ ]?(?:\(|ECOG|WHO|of|is|today|now|[:=|-]|[ ]?\||\d))))"
    rf"(?P<gap>{_GAP})(?P<n>(?<![\d.])[0-5](?![\d%]|[ ]?[-–][ ]?5\)|[.,]\d|[ ]?(?:days?|weeks?|months?|years?|lines?|cycles?|prior|mg|x\b))|\b(?:zero|one|two|three|four|nil|I{{1,3}}|IV|l)\b)(?:\s?(?:[-–/]|to|or)\s?(?P<n2>[0-5])(?!\d|\.\d|[%/]))?",
    re.IGNORECASE,
)
_KPS = re.compile(
    rf"(?P<name>(?:KPS|Karno[fv]sk[iy](?:'s)?|K\.P\.S\.?|IK(?=[ :=]*\d)|KI(?=[ :=]*\d)|Lansky|PS(?=[ :=]*\d\d)|performance status(?= (?:of |is )?\d\d)))(?P<gap>{_GAP})(?P<n>100|[1-9]0|[1-9]5)(?!\d|[.,]\d)(?:\s?%?\s?(?:[-–]|to)\s?(?P<n2>100|[1-9]0)(?!\d))?",
    re.IGNORECASE,
)
_PAIR = re.compile(r"ECOG\s?/\s?(?:KPS|Karnofsky)[ :=]*(?P<ecog>[0-4])\s?/\s?(?P<kps>100|[1-9]0)\b", re.IGNORECASE)
_AHEAD = re.compile(r"(?<![\d.,/-])(?P<n>[0-4])[\s\"'”’]{0,3}[([][ ]?(?:ECOG|WHO|PS|Zubrod)\b(?: PS)?[ ]?[)\]]")  # "I'm a 1" (ECOG)
_NEXT = re.compile(r"[ ]?(?:\([^()\n]{0,30}\)|(?:in|at|on|last)\s[^.;,\n\d]{0,20})?(?:\s*(?:-{1,2}>|→|to\b)\s*|[;,]?\s*(?:and\s+|but\s+)?(?:in (?:my|our|the) \w+\s+)?(?:is\s+|it is\s+)?(?:now|today|currently|at present)\s+(?:is\s+|at\s+|to\s+)?|[;,]?\s*but\s+(?:is\s+)?(?=\d\s+(?:overall|mostly|usually|generally|in general|most days)))(?P<n>[0-5]|100|[1-9]0)(?!\d|\.\d)", re.IGNORECASE)
_NOW_AFTER = re.compile(r"[^.;\n\d]{0,30}?(?:,|\band|\bbut|\bto)\s+(?P<n>[0-5]|100|[1-9]0)\s+(?:now|today|currently)\b", re.IGNORECASE)  # "2 at diagnosis and 1 now"
_SCALE = re.compile(r"[ ]?(?:PS|performance status|status|score|grade)?[ \t]*[:=]?[ \t]*", re.IGNORECASE)
_LIMIT = re.compile(r"(?:[<>≤≥]=?|less than|at least|or less|or better|must|require\w*|criteri\w+|eligib\w+|needs? an?|if|unless|until|when|should|trial wants|wants|cut-?off|allow\w*)\b[^.;,\n]{0,25}$|[<>≤≥]=?\s*$", re.IGNORECASE)
_PAST = re.compile(r"\b(?:was|were|had|pre-?admit|pre-?admission|prior|previous(?:ly)?|before|baseline|at (?:diagnosis|dx|presentation|that time|relapse)|last (?:visit|year|month)|carried|copied|template|formerly|initial(?:ly)?|from)\b[^.;\n]{0,30}$", re.IGNORECASE)
_PAST_AFTER = re.compile(r"[ ]?(?:\[(?:template|carried|copied)[^\]]*\]|\((?:template|carried|copied)[^)]*\)|(?:at (?:diagnosis|dx|presentation|that time|baseline)|on admission|before\b|pre-?admi\w+|last (?:visit|month|year)|previously|in the past|until|till|up to))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Status:
    value: int
    start: int
    end: int
    when: PartialDate | None
    past: bool


def read_performance(doc: Document, note_date: date | None) -> tuple[Reading | None, Reading | None]:
    """(ECOG, KPS): the current ones.

    Of several the latest by date, then the last in the note, where an addendum corrects; one told as past ("was 0", "pre-admit 1",
    a carried section) only where no other stands. A range gives its worse end. Neither is derived from the other.
    """
    dates = [d for d in find_dates(doc.text, doc.day_first, as_of=note_date) if d.date.month and d.date.earliest <= (note_date or date.max)]
    names = _names().find(doc.text)
    ecog, kps = list(_statuses(doc, _ECOG, names, dates)), list(_statuses(doc, _KPS, names, dates))
    for name in names:
        if pair := _PAIR.match(doc.text, name.start):
            ecog.append(_Status(int(pair.group("ecog")), pair.start(), pair.end(), None, False))
            kps.append(_Status(int(pair.group("kps")), pair.start(), pair.end(), None, False))
        if ahead := _AHEAD.search(doc.text, max(0, name.start - 8), name.end + 5):
            ecog.append(_Status(int(ahead.group("n")), ahead.start(), ahead.end(), None, False))
    return _current(doc, ecog, note_date), _current(doc, [k for k in kps if k.value >= 10], note_date)


def _current(doc: Document, found: list[_Status], note_date: date | None) -> Reading | None:
    today = str(note_date) if note_date else "9999"
    if not found:
        return None
    best = max(found, key=lambda s: (not s.past, str(s.when) if s.when else today, s.start, s.end))
    return Reading(best.value, (doc.evidence(best.start, best.end),), best.when)


@lru_cache(maxsize=1)
def _names() -> Lexicon[str]:
    """The words that the names of the scales begin with."""
    return Lexicon((name, name) for name in (
        "ECOG", "E.C.O.G", "Eastern Cooperative", "Eastern Co-operative", "Zubrod", "WHO", "OMS", "performance status", "performance score", "perf status", "perf. status", "PS", *(f"{scale}{n}" for scale in ("PS", "ECOG", "WHO") for n in range(5)), "KPS", "K.P.S", "Karnofsky",
        "Karnofski", "Karnovsky", "Karnovski", "IK", "KI", "Lansky"))


def _statuses(doc: Document, pattern: re.Pattern[str], names: list[Hit[str]], dates: list[DateMention]) -> Iterator[_Status]:
    text, read = doc.text, 0
    for name in names:
        if name.start < read:
            continue
        if pattern is _ECOG and (row := doc.ticked(_SCALE.match(text, name.end).end())):  # type: ignore[union-attr]
            read, choice = row
            if choice and text[slice(*choice)] in ("0", "1", "2", "3", "4"):
                yield _Status(int(text[slice(*choice)]), name.start, choice[1], None, False)
            continue
        m = pattern.match(text, name.start)
        if m is None:
            continue
        read = m.end()
        line_start = text.rfind("\n", 0, m.start()) + 1
        before = text[max(line_start, m.start() - 60) : m.start()]
        gap = m.group("gap")
        if _LIMIT.search(before) or re.search(r"[<>≤≥]", text[m.start("n") - 2 : m.start("n")]) or m.group("name").lower() == "lansky":
            continue
        if re.match(r"\s?(?:or (?:less|better|lower|below)|and (?:below|under))", text[m.end() : m.end() + 14], re.IGNORECASE):
            continue
        value = _worse(m, pattern is _KPS)
        when = _behind(doc, dates, m.end()) or _when(doc, dates, line_start, m.start())
        section = doc.section_at(m.start()).kind
        trend = m.group("n2") is not None and "from" in gap.lower()
        past = bool(_PAST.search(before) or (not trend and re.search(r"\b(?:was|pre-?admi\w+|baseline|previously|prior|before|from)\b", gap, re.IGNORECASE)) or _PAST_AFTER.match(text, m.end()))
        past = past or bool(re.search(r"\b(?:carried|copied)\b", text[line_start : m.start()], re.IGNORECASE)) or section in ("oncology", "history", "family")
        yield _Status(value, m.start(), m.end(), when, past)
        if (following := _NEXT.match(text, m.end()) or _NOW_AFTER.match(text, m.end())) and (int(following.group("n")) >= 10) == (pattern is _KPS):
            yield _Status(int(following.group("n")), m.start(), following.end(), when, False)


def _worse(m: re.Match[str], karnofsky: bool) -> int:
    """The number, or the worse end of a range."""
    written = m.group("n").lower()
    value = _GRADES[written] if written in _GRADES else int(written)
    if m.group("n2") is None:
        return value
    other = int(m.group("n2"))
    if re.search(r"\bfrom\b", m.group("gap"), re.IGNORECASE):
        return other
    if not karnofsky and "/" in m.group() and other in (4, 5):
        return value  # 1/5: one of five
    return min(value, other) if karnofsky else max(value, other)


_STATEMENT_END = re.compile(r"[.;]\s")


def _behind(doc: Document, dates: list[DateMention], place: int) -> PartialDate | None:
    """The day right behind the number: "ECOG 2 on 6/15"."""
    at = bisect_left(dates, place, key=lambda d: d.start)
    return dates[at].date if at < len(dates) and re.fullmatch(r"[ ]?(?:\(|on |in |of |at |\()[ ]?", doc.text[place : dates[at].start]) else None


def _when(doc: Document, dates: list[DateMention], line_start: int, place: int) -> PartialDate | None:
    """The day that leads the line, if one does: log entries, dated sections of a carried note."""
    at = bisect_left(dates, line_start, key=lambda d: d.start)
    if at == len(dates) or dates[at].end > min(place, line_start + 60) or _STATEMENT_END.search(doc.text, line_start, dates[at].start):
        return None
    return dates[at].date
