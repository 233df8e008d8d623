"""Statements: a sentence, a list item, what a semicolon sets off; and a treatment's name within its own."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from typing import NamedTuple

from matcher.notes.document import Document
from matcher.notes.signals import Signal, Signals, signals_of
from matcher.notes.treatments import Group

# Where one statement ends and the next begins. Line breaks inside running prose do not; those before a marker, a capital or a digit do.
_STATEMENT = re.compile(r"[.!?\n;|](?:(?<=[.!?])[)\"'\]]*\s+(?=[A-Z0-9(\[\"'~<>+#*-])|(?<=\n)(?:[ \t]*\n\s*|(?=[ \t]*[^a-z\s]))|(?<=;)|(?<=\|)\n)")
_ABBREVIATION = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|vs|e\.g|i\.e|ca|approx|No|gr|St|s\.c|i\.v|Inc|pt|wk|mo|yr|max|resp|incl|excl|p\.o|est|fig|al|(?-i:Tabs?|Caps?|Inj)|(?<!CAR )(?<!-)(?-i:T))\.$", re.IGNORECASE)
REACH = 320  # characters of a run-on statement that still bear on a name


@lru_cache(maxsize=8)
def _statements(text: str) -> tuple[int, ...]:
    cuts = [0]
    for match in _STATEMENT.finditer(text):
        place = match.start() + 1
        if text[place - 1] == "." and text[place] in " \n" and text[place - 2].isalpha() and _ABBREVIATION.search(text, max(0, place - 8), place):
            continue
        cuts.append(match.end())
    return (*cuts, len(text))


def statement_at(doc: Document, place: int) -> tuple[int, int]:
    """(start, end) of the statement around a place: a sentence, a list item or what a semicolon sets off."""
    cuts = _statements(doc.text)
    at = max(0, min(bisect_right(cuts, place) - 1, len(cuts) - 2))
    return cuts[at], cuts[at + 1]


class Setting(NamedTuple):
    """A name within its statement low..high; `near`: where the next name begins, or the statement ends."""

    text: str
    signals: Signals
    low: int
    start: int
    end: int
    near: int
    high: int

    def before(self, kind: str) -> Signal | None:
        return self.signals.last(kind, self.low, self.start)

    def after(self, kind: str, reach: int | None = None) -> Signal | None:
        """The first up to the next name, of at most `reach` characters."""
        return self.signals.first(kind, self.end, self.near if reach is None else min(self.near, self.end + reach))

    def since(self, signal: Signal) -> str:
        """The words between a signal before the name and the name."""
        return self.text[signal.end : self.start]

    def until(self, signal: Signal) -> str:
        return self.text[self.end : signal.start]


def setting_of(doc: Document, group: Group, following: int | None) -> Setting:
    start, end = statement_at(doc, group.start)
    high = max(group.end, min(end, group.end + REACH))
    near = high if following is None or following >= end else min(following, high)
    return Setting(doc.text, signals_of(doc.text), max(start, group.start - REACH), group.start, group.end, max(near, group.end), high)
