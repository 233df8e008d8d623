"""The note as its author meant it, beside the note as received: slips repaired, and every place led back."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from typing import Any, TypeVar

from matcher.domain import Evidence
from matcher.notes.casing import restore_case
from matcher.notes.spelling import Correction, corrections

Value = TypeVar("Value")


@dataclass(frozen=True)
class Transcript:
    """`text` is read; `received` is quoted. `corrections` are places of the received note."""

    received: str
    text: str
    corrections: tuple[Correction, ...] = ()

    def quoted(self, value: Value) -> Value:
        """The value with all Evidence of the text as Evidence of the note as received."""
        return value if self.text == self.received else self._quoted(value, _Places(self.corrections))

    def _quoted(self, value: Any, places: _Places) -> Any:
        if isinstance(value, Evidence):
            start, end = places.before(value.start), places.behind(value.end)
            return Evidence(start, end, self.received[start:end])
        if isinstance(value, tuple):
            return tuple(self._quoted(v, places) for v in value)
        inner = {name: old for name in _fields(type(value)) if isinstance(old := getattr(value, name), tuple) or _fields(type(old))}  # type: ignore[arg-type]  # a class is hashable
        return replace(value, **{name: self._quoted(old, places) for name, old in inner.items()}) if inner else value


@cache
def _fields(kind: type) -> tuple[str, ...]:
    """Names of the fields of a dataclass; none of any other type."""
    return tuple(f.name for f in fields(kind)) if is_dataclass(kind) else ()


def transcribe(note: str) -> Transcript:
    """Capitals first, because they tell a name from a word; then misspelled words and mis-scanned numbers."""
    cased = restore_case(note)
    found = tuple(corrections(cased))
    parts, last = [], 0
    for start, end, text in found:
        parts += [cased[last:start], text]
        last = end
    return Transcript(note, "".join([*parts, cased[last:]]), found)


class _Places:
    """Where in the note as received a place of the transcript is: a corrected word as a whole."""

    def __init__(self, found: tuple[Correction, ...]) -> None:
        self._corrections = found
        self._starts, shift = [], 0
        self._shifts = [0]
        for start, end, text in found:
            self._starts.append(start + shift)
            shift += len(text) - (end - start)
            self._shifts.append(shift)

    def before(self, place: int) -> int:
        at = bisect_right(self._starts, place)
        if at and place < self._starts[at - 1] + len(self._corrections[at - 1].text):
            return self._corrections[at - 1].start
        return place - self._shifts[at]

    def behind(self, place: int) -> int:
        at = bisect_right(self._starts, place - 1)
        if at and place - 1 < self._starts[at - 1] + len(self._corrections[at - 1].text):
            return self._corrections[at - 1].end
        return place - self._shifts[at]
