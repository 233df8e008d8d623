"""What a note says about its treatments besides their names: progression, stops, plans, denials ... found in one pass, asked for by place."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import ahocorasick_rs

from matcher.lexicon import capitalised, titled
from models.therapy_cues import load_cues

_NEGATED = re.compile(r"\b(?:no|not|without|never|nor|denies|w/o|if|in case of|in the event of|should|risk of)\b(?:\s+\w+){0,3}\s*$|\[ ?\]\s*$", re.IGNORECASE)
_LONGEST = 90  # characters of a cue and the blanks after it
_LEAD = 40  # characters before a cue in which a negation bears on it

_Matcher: TypeAlias = Callable[[str, int], re.Match[str] | None]  # of a cue that begins at a place of the text


class Signal(NamedTuple):
    """The place of a cue (models/resources/therapy_cues.csv). `kind`: what it tells."""

    kind: str
    start: int
    end: int


@lru_cache(maxsize=1)
def _openings() -> tuple[ahocorasick_rs.AhoCorasick, list[list[tuple[str, _Matcher]]]]:
    """A finder of how cues may begin, each word with a capital, and the kind and the matcher of the cues of each."""
    by: dict[str, list[tuple[str, _Matcher]]] = {}
    for cue in load_cues():
        for opening in cue.openings:
            by.setdefault(titled(opening), []).append((cue.kind, cue.pattern.match))
    return ahocorasick_rs.AhoCorasick(list(by)), list(by.values())


class Signals:
    """The signals of a text, by kind. Every question names a stretch of the text; a signal lies in it whole."""

    def __init__(self, text: str) -> None:
        self._text = text
        automaton, cues = _openings()
        ends: defaultdict[str, dict[int, int]] = defaultdict(dict)  # of two that begin at one place the longer
        for index, start, _ in automaton.find_matches_as_indexes(capitalised(text), overlapping=True):
            for kind, match_at in cues[index]:
                if (match := match_at(text, start)) and match.end() > (places := ends[kind]).get(start, 0):
                    places[start] = match.end()
        self._starts = {kind: sorted(places) for kind, places in ends.items()}
        self._found = {kind: [Signal(kind, start, ends[kind][start]) for start in starts] for kind, starts in self._starts.items()}

    def __contains__(self, kind: str) -> bool:
        return kind in self._starts

    def within(self, kind: str, low: int, high: int) -> list[Signal]:
        starts = self._starts.get(kind)
        if not starts:
            return []
        return [s for s in self._found[kind][bisect_left(starts, low) : bisect_left(starts, high)] if s.end <= high]

    def first(self, kind: str, low: int, high: int) -> Signal | None:
        starts = self._starts.get(kind)
        if starts:
            for place in range(bisect_left(starts, low), len(starts)):
                if starts[place] >= high:
                    return None
                if self._found[kind][place].end <= high:
                    return self._found[kind][place]
        return None

    def last(self, kind: str, low: int, high: int) -> Signal | None:
        starts = self._starts.get(kind)
        if starts:
            for place in range(bisect_right(starts, high) - 1, -1, -1):
                if starts[place] < low:
                    return None
                if self._found[kind][place].end <= high:
                    return self._found[kind][place]
        return None

    def said(self, kind: str, low: int, high: int) -> Signal | None:
        """The first that no negation precedes ("no progression")."""
        return next((s for s in self.within(kind, low, high) if not self.negated(s, low)), None)

    def negated(self, signal: Signal, low: int = 0) -> bool:
        return _NEGATED.search(self._text, max(low, signal.start - _LEAD), signal.start) is not None

    def up_to(self, kind: str, place: int, low: int = 0) -> Signal | None:
        """The signal that ends at a place, but for blanks: "progressed on | X"."""
        ends = (s for s in reversed(self.within(kind, max(low, place - _LONGEST), place)))
        return next((s for s in ends if not self._text[s.end : place].strip()), None)


@lru_cache(maxsize=4)
def signals_of(text: str) -> Signals:
    return Signals(text)
