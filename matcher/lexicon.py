"""Known words in text: every name of the vocabulary, found in one pass with its place.

Matching works on characters (Aho-Corasick), because a tokenizer costs ten times more and splits "anti-CD38" its own way.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

import ahocorasick_rs

Meaning = TypeVar("Meaning")

_LONE_SURROGATES = map(chr, range(0xD800, 0xE000))  # of broken input; UTF-8 cannot carry them
_FOLD = str.maketrans({
    **dict.fromkeys(_LONE_SURROGATES, "\ufffd"), **dict.fromkeys("‐‑‒–—−", "-"), **dict.fromkeys("\u00a0\u202f\t\n\r", " "),
    "’": "'", "ö": "o", "é": "e", "è": "e", "ü": "u", "ï": "i",
})


def lower(text: str) -> str:
    """Lower case, with every offset unchanged."""
    return low if len(low := text.lower()) == len(text) else "".join(c if len(c.lower()) > 1 else c.lower() for c in text)


def fold(text: str) -> str:
    """Lower case, plain dashes, spaces and accents, with every offset unchanged."""
    return lower(text).translate(_FOLD)


class Hit(NamedTuple, Generic[Meaning]):
    start: int
    end: int
    meaning: Meaning


class Lexicon(Generic[Meaning]):
    """Names with their meanings. A name matches whole words, whatever its case, with hyphen, space or line break alike and
    a plural s; a name that begins with `=` matches only as written. Of overlapping names the longest, then the first, wins."""

    def __init__(self, names: Iterable[tuple[str, Meaning]]) -> None:
        self._meanings: dict[str, Meaning] = {}
        self._exact: dict[str, list[tuple[str, Meaning]]] = {}
        for name, meaning in names:
            if name.startswith("="):
                self._exact.setdefault(_spaced(fold(name[1:])), []).append((name[1:], meaning))
            else:
                spaced = _spaced(fold(name))
                self._meanings.setdefault(spaced, meaning)
                if re.search(r"[^aeiou]y$", spaced) and len(spaced) > 3:
                    self._meanings.setdefault(spaced[:-1] + "ies", meaning)
        self._patterns = sorted({*self._meanings, *self._exact} - {""})
        self._automaton = ahocorasick_rs.AhoCorasick([_titled(p) for p in self._patterns], implementation=ahocorasick_rs.Implementation.DFA) if self._patterns else None

    def find(self, text: str, broken_by: re.Pattern[str] | None = None) -> list[Hit[Meaning]]:
        """All names in the text, in order, without overlaps; none that spans what `broken_by` matches."""
        if self._automaton is None:
            return []
        squeezed, places = _squeezed(text)
        candidates = []
        for index, start, end in self._automaton.find_matches_as_indexes(squeezed, overlapping=True):
            if start and squeezed[start - 1].isalnum() and squeezed[start].isalnum():
                continue
            stop = end
            if stop < len(squeezed) and squeezed[stop].isalnum() and squeezed[end - 1].isalnum():
                if squeezed[stop] in "sS" and not squeezed[stop + 1 : stop + 2].isalnum() and end - start > 2:
                    stop += 1
                else:
                    continue
            first, last = places[start], places[stop - 1] + 1
            if broken_by is not None and broken_by.search(text, first, last):
                continue
            meaning = self._meaning(self._patterns[index], text[first : places[end - 1] + 1])
            if meaning is not None:
                candidates.append((first, last, meaning))
        candidates.sort(key=lambda c: (c[0] - c[1], c[0]))
        taken: list[tuple[int, int, Meaning]] = []
        occupied = bytearray(len(text))
        for first, last, meaning in candidates:
            if not any(occupied[first:last]):
                occupied[first:last] = b"\x01" * (last - first)
                taken.append((first, last, meaning))
        return [Hit(*t) for t in sorted(taken, key=lambda t: t[0])]

    def _meaning(self, pattern: str, written: str) -> Meaning | None:
        for name, meaning in self._exact.get(pattern, ()):
            if name == written:
                return meaning
        return self._meanings.get(pattern)


def _spaced(folded: str) -> str:
    return re.sub(r"[\s\-]+", " ", folded).strip()


class _Places:
    """Offset in the folded text of each character of the squeezed one."""

    def __init__(self, cuts: list[int], shifts: list[int]) -> None:
        self._cuts, self._shifts = cuts, shifts

    def __getitem__(self, at: int) -> int:
        return at + self._shifts[bisect_right(self._cuts, at)]


_GAP = re.compile(" {2,}")


@lru_cache(maxsize=2)  # several lexicons read one note in turn
def _squeezed(text: str) -> tuple[str, _Places]:
    """The folded text, titled, with each run of spaces and hyphens as one space."""
    spaced = fold(text).replace("-", " ")
    cuts, shifts, removed = [], [0], 0
    for run in _GAP.finditer(spaced):
        cuts.append(run.start() - removed + 1)
        removed += run.end() - run.start() - 1
        shifts.append(removed)
    return _titled(_GAP.sub(" ", spaced)), _Places(cuts, shifts)


def _titled(folded: str) -> str:
    """A capital for the first letter of each word, so that the search meets few names within words."""
    titled = folded.title()
    if len(titled) == len(folded):
        return titled
    return "".join("ʃ" if len(c.title()) > 1 else c for c in folded).title()  # ß and ligatures would grow


def names_of(table: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    """(name, id) of a vocabulary table: preferred names and aliases; where a row has no name, its id is one (an INN)."""
    for concept, row in table.items():
        yield getattr(row, "name", concept), concept
        for alias in row.aliases:  # type: ignore[attr-defined]
            yield alias, concept
