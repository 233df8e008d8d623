"""What a text says of receptors, antigens and alterations of the malignant cells: "ER+/PR+/HER2-", "EGFR, ALK and ROS1 negative".

Notes and criteria say it in the same words. Names and cues are data (markers.csv, marker_cues.csv); what stands between
them is grammar: names of one list share the sign that follows it, or that leads it ("negative for EGFR and ALK").
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeAlias

from matcher.lexicon import Hit, Lexicon
from models import load_vocabulary
from models.vocabulary import Marker, MarkerCue, load_marker_cues


@dataclass(frozen=True, slots=True)
class Statement:
    """`marker` (id) is there, or not. `stated`: in words or signs of its own; else by being named ("KRAS G12C", "an EGFR mutation"),
    which what stands before the list may deny. `first`: where its list begins. `limit`: (operator, number) where a percentage says
    it; `score`: of immunohistochemistry."""

    marker: str
    there: bool
    start: int
    end: int
    stated: bool = True
    first: int = -1
    limit: tuple[str, float] | None = None
    score: int | None = None


@dataclass(frozen=True, slots=True)
class _Name:
    """`there`: what the name itself says, None where it needs a sign."""

    marker: Marker
    there: bool | None


_Meaning: TypeAlias = _Name | MarkerCue


@lru_cache(maxsize=1)
def _names() -> Lexicon[_Name]:
    markers = load_vocabulary().markers.values()
    return Lexicon(
        [(phrase, _Name(m, there)) for m in markers for there, phrases in ((True, m.positive), (False, m.negative), (None, m.aliases)) for phrase in phrases]
    )


@lru_cache(maxsize=1)
def _cues() -> Lexicon[MarkerCue]:
    return Lexicon(load_marker_cues())


_WORDS = r"(?:is|was|are|were|be|been|by|in|of|on|the|for|to|with|a|an|and|or|nor|as|at|its|has|have|had|from|via|but)\b"
_GAP = re.compile(rf"(?:[\s,/:=()\[\]&+\"'|~<>≥≤%*-]++|\d++(?:\.\d+)?|{_WORDS})*+", re.IGNORECASE)
_COMMA = re.compile(r",|/|&|\b(?:and|or|nor)\b", re.IGNORECASE)
_AND = re.compile(r"/|&|\b(?:and/or|and|or|nor)\b", re.IGNORECASE)
_OF_ALL = re.compile(r":|\b(?:are|were|have)\b|\s[-–—]\s", re.IGNORECASE)
_SIGN = re.compile(r"\s?(?:(?P<plus>\(\+{1,3}\)|\+{1,3}(?:ve\b)?(?!\w))|(?P<minus>\([-–−]\)|[-–−]ve\b|[-–−](?=[,;/.)\]]|\s*$|\s+(?!\d))))", re.MULTILINE)
_PERCENT = re.compile(r"[\s:=(~]*(?P<op>[<>≥≤]?=?)\s?(?P<number>\d{1,3}(?:\.\d+)?)(?:\s?[-–]\s?\d{1,3})?\s?%")
_SCORE = re.compile(r"[\s:=(]*(?:score\s*(?:of\s*)?)?(?:(?P<plus>[0-3])\s?\+|(?P<zero>0)\b(?!\.\d|[%+/]))", re.IGNORECASE)
_VARIANT = re.compile(r"[\s:(-]*(?:exon\s?\d{1,2}\b\s*)?(?:p\.)?\(?(?P<change>[A-Z](?:[a-z]{2})?\d{2,4}(?:[A-Z](?:[a-z]{2})?|\*|fs\S{0,6}|del|ins|dup|_\w{2,12})|exon\s?\d{1,2}\s(?:del\w*|ins\w*|skipping|mutation))(?!\w)\)?")
_BAND = re.compile(r"\s?\([pq][\d.]{1,5};?[pq]?[\d.]{0,5}\)")
_AGAINST = re.compile(r"\b(?:anti|non)[- ]?\Z", re.IGNORECASE)
_DENIED = re.compile(r"\b(?:not|non|without|no)[ -]\Z", re.IGNORECASE)
_TUMOUR = re.compile(r"breast|mamma|receptor|endometri", re.IGNORECASE)
_LISTED = 60  # characters; a longer gap ends a list


@dataclass(slots=True)
class _List:
    """Names that share what is said of them. `lead`: the sign before the first. `altered`: the alteration said of them.
    `shared`: that a negative sign is said of all of them; without it "t(8;21), FLT3-ITD negative" leaves the former open.
    `together`: the first name of those joined to the last without a comma, which share a mark ("ER/PR+").
    """

    names: list[Hit[_Name]] = field(default_factory=list)
    lead: tuple[bool, int] | None = None
    altered: MarkerCue | None = None
    query: bool = False
    end: int = 0
    score: int | None = None
    shared: bool = False
    together: int = 0

    def said(self, there: bool, end: int, limit: tuple[str, float] | None = None, first: int = 0) -> list[Statement]:
        """The sign said of the names, from the `first` of them on; the sign belongs to the words of the last."""
        last = len(self.names) - 1
        return [
            Statement(h.meaning.marker.id, there, h.start, end if i == last else h.end, limit=limit, score=self.score)
            for i, h in enumerate(self.names) if i == last or (i >= first and (there or self.shared or h.meaning.there is None))
        ]

    def unsigned(self) -> list[Statement]:
        """What the names say without a sign after them."""
        found = []
        for i, h in enumerate(self.names):
            name, end = h.meaning, self.end if i == len(self.names) - 1 else h.end
            if self.altered and name.there is None:
                if not self.altered.kinds or name.marker.kind in self.altered.kinds:
                    lead = self.lead[0] if self.lead else True
                    found.append(Statement(name.marker.id, lead, self.lead[1] if self.lead and i == 0 else h.start, end, self.lead is not None and not lead, self.names[0].start))
            elif self.lead and not (self.query and name.there is None):
                found.append(Statement(name.marker.id, self.lead[0] is not (name.there is False), self.lead[1] if i == 0 else h.start, end))
            elif name.there is not None and not self.query:
                found.append(Statement(name.marker.id, name.there, h.start, end if self.altered else h.end, not name.there, self.names[0].start))
        return found


def read_statements(text: str) -> list[Statement]:
    """Every statement about a marker, in order of the text."""
    names = [h for h in _names().find(text) if not _AGAINST.search(text, max(0, h.start - 6), h.start)]
    if not names:
        return []
    taken = {place for n in names for place in range(n.start, n.end)}
    cues = [c for c in _cues().find(_around(text, names)) if c.start not in taken]
    return _Reader(text, names).read(sorted((*names, *cues), key=lambda h: h.start))


def _around(text: str, names: list[Hit[_Name]]) -> str:
    """The text with nothing left but the stretches that can say something of the names, every offset unchanged."""
    kept, last = [], 0
    for name in names:
        first, right = max(last, name.start - _LISTED), name.end + 2 * _LISTED
        left = text.rfind(" ", max(last, first - _LISTED), first) + 1
        right = max(right, text.find(" ", right, right + _LISTED))
        if left > last:
            kept.append(" " * (left - last))
            last = left
        if right > last:
            kept.append(text[last:right])
            last = right
    return "".join(kept)


class _Reader:
    def __init__(self, text: str, names: list[Hit[_Name]]) -> None:
        self._text = text
        self._names = names
        self._starts = [n.start for n in names]
        self._list = _List()
        self._before: list[Statement] = []  # what the last sign was said of, to which another may be added
        self._found: list[Statement] = []

    def read(self, hits: Iterable[Hit[_Name] | Hit[MarkerCue]]) -> list[Statement]:
        last = 0
        for hit in hits:
            if hit.start < last:
                continue  # part of a sign that was read with the name before
            gap = self._text[last : hit.start]
            if len(gap) > _LISTED or not _GAP.fullmatch(gap) or gap.count("\n") > 1:
                self._close()
                self._before = []
            last = self._name(hit, gap) if isinstance(hit.meaning, _Name) else self._cue(hit, hit.meaning, gap)  # type: ignore[arg-type]
        self._close()
        return sorted(self._found, key=lambda s: (s.start, s.end))

    def _close(self) -> None:
        self._found += self._list.unsigned()
        self._list = _List()

    def _name(self, hit: Hit[_Name], gap: str) -> int:
        current = self._list
        if current.names and not self._goes_on(hit, gap):
            self._close()
        elif not current.names and current.lead and re.search(r"[,(\n/]", gap):
            current.lead = None
        if hit.meaning.marker.kind == "receptor" and hit.end - hit.start <= 2 and not self._in_company(hit):
            self._close()
            return hit.end
        self._before = []
        current = self._list
        if current.names and not _AND.fullmatch(gap.strip()):
            current.together = len(current.names)
        current.shared = current.shared or bool(current.names and _AND.search(gap))
        current.names.append(hit)
        current.end = hit.end
        marker = hit.meaning.marker
        if marker.kind == "aberration" and (band := _BAND.match(self._text, hit.end)):
            current.end = band.end()
        if hit.meaning.there is None and marker.kind in ("mutation", "alteration") and (variant := _VARIANT.match(self._text, hit.end)):
            current.altered = MarkerCue("altered", ())
            current.end = hit.end if self._named(hit.end, variant.end()) else variant.end()
            return current.end
        if sign := _SIGN.match(self._text, current.end):
            return self._say(sign["plus"] is not None, sign.end(), None, current.together)
        return self._measured(current.end, current.together)

    def _goes_on(self, hit: Hit[_Name], gap: str) -> bool:
        """Whether a name goes on with the list. "KRAS G12C, ALK negative" are two statements: only the latter needs the sign."""
        current, last = self._list, self._list.names[-1]
        if current.altered or current.query or (self._text[last.end : hit.start].strip() and not _COMMA.search(self._text, last.end, hit.start)):
            return False
        return _AND.search(gap) is not None or (last.meaning.there is None) is (hit.meaning.there is None)

    def _in_company(self, hit: Hit[_Name]) -> bool:
        """ "PR" is a receptor beside another one, or in a line about the breast; elsewhere a response."""
        left = max(self._text.rfind("\n", 0, hit.start) + 1, hit.start - 80)
        right = self._text.find("\n", hit.end) % (len(self._text) + 1)
        right = min(right, hit.end + 80)
        others = any(n.meaning.marker.kind == "receptor" and n.meaning.marker is not hit.meaning.marker for n in self._named(left, right))
        return others or _TUMOUR.search(self._text, left, right) is not None

    def _named(self, left: int, right: int) -> list[Hit[_Name]]:
        return self._names[bisect_left(self._starts, left) : bisect_left(self._starts, right)]

    def _measured(self, end: int, first: int = 0) -> int:
        """A percentage or a score after a name or what qualifies it; where that settles nothing the list stays open."""
        current = self._list
        wanted = current.names[-1].meaning.marker.positive_from if current.names else ""
        if wanted.endswith("%") and (share := _PERCENT.match(self._text, end)):
            op, number = share["op"].replace("≥", ">=").replace("≤", "<="), float(share["number"])
            there = number >= float(wanted[:-1]) and op not in ("<", "<=")
            return self._say(there, share.end(), (op or "=", number), first)
        if wanted.endswith("+") and (score := _SCORE.match(self._text, end)):
            current.score = int(score["plus"] or score["zero"])
            current.end = score.end()
            if current.score != int(wanted[0]) - 1:
                return self._say(current.score >= int(wanted[0]), score.end(), None, first)
        return current.end

    def _say(self, there: bool, end: int, limit: tuple[str, float] | None = None, first: int = 0) -> int:
        current = self._list
        if current.names[-1].meaning.marker.positive_from.endswith("+") and current.score is None and (score := _SCORE.match(self._text, end)):
            current.score = int(score["plus"] or score["zero"])
        self._before = current.said(there, end, limit, first)
        if first:
            current.names, current.end = current.names[:first], current.names[first - 1].end
            self._close()
        self._found += self._before
        self._list = _List(score=current.score)
        return end

    def _cue(self, hit: Hit[MarkerCue], cue: MarkerCue, gap: str) -> int:
        current = self._list
        kinds = {n.meaning.marker.kind for n in current.names} or {self._kind(s) for s in self._before}
        fits = not cue.kinds or bool(kinds.intersection(cue.kinds))
        if cue.role in ("positive", "negative") and (fits or not kinds):
            there = (cue.role == "positive") is not (_DENIED.search(self._text, max(0, hit.start - 8), hit.start) is not None)
            if current.names:
                current.shared = current.shared or _OF_ALL.search(gap) is not None
                return self._say(there, hit.end)
            if self._before and "," not in gap:
                self._again(there, hit.end)
            else:
                self._close()
                self._list.lead, self._before = (there, hit.start), []
        elif cue.role == "altered" and (fits or not kinds):
            if current.names:
                current.altered, current.end = cue, hit.end
            elif not self._before:
                self._list.lead = (True, hit.start)
        elif cue.role in ("open", "therapy", "altered") or not fits:
            self._list, self._before = _List(), []
        elif current.names:
            current.query = current.query or cue.role == "query"
            return max(hit.end, self._measured(hit.end)) if cue.role == "link" else hit.end
        return hit.end

    def _kind(self, statement: Statement) -> str:
        return load_vocabulary().markers[statement.marker].kind

    def _again(self, there: bool, end: int) -> None:
        """A second test of the same ("IHC 3+ or ISH positive"); of two that differ the later decides ("2+, FISH negative")."""
        for said in self._before:
            self._found[self._found.index(said)] = replace(said, there=there, end=max(end, said.end))
        self._before = []
