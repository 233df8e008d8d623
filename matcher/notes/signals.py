"""What a note says about its treatments besides their names: progression, stops, plans, denials ... found in one pass, asked for by place."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache

from models.therapy_cues import cues_at

_TOKEN = re.compile(r"[A-Za-z0-9]+|[^\sA-Za-z0-9]")
_NEGATED = re.compile(r"\b(?:no|not|without|never|nor|denies|w/o|if|in case of|in the event of|should|risk of)\b(?:\s+\w+){0,3}\s*$|\[ ?\]\s*$", re.IGNORECASE)
_LONGEST = 90  # characters of a cue and the blanks after it
_LEAD = 40  # characters before a cue in which a negation bears on it


@dataclass(frozen=True, slots=True)
class Signal:
    """The place of a cue (models/resources/therapy_cues.csv). `kind`: what it tells."""

    kind: str
    start: int
    end: int


class Signals:
    """The signals of a text, by kind. Every question names a stretch of the text; a signal lies in it whole."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: dict[str, list[Signal]] = {}
        for token in _TOKEN.finditer(text):
            start = token.start()
            for cue in cues_at(token.group()):
                if match := cue.pattern.match(text, start):
                    self._add(Signal(cue.kind, start, match.end()))
        self._starts = {kind: [s.start for s in found] for kind, found in self._found.items()}

    def _add(self, signal: Signal) -> None:
        same = self._found.setdefault(signal.kind, [])
        if not same or same[-1].start != signal.start:
            same.append(signal)
        elif same[-1].end < signal.end:  # of two that begin at one place the longer
            same[-1] = signal

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
