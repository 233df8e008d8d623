"""Known words in text: every name of the vocabulary, found in one pass with its place.

Matching works on characters (Aho-Corasick), because a tokenizer costs ten times more and splits "anti-CD38" its own way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from operator import itemgetter
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
        meanings: dict[str, Meaning] = {}
        exact: dict[str, dict[str, Meaning]] = {}
        for name, meaning in names:
            if name.startswith("="):
                exact.setdefault(_spaced(fold(name[1:])), {}).setdefault(name[1:], meaning)
            else:
                spaced = _spaced(fold(name))
                meanings.setdefault(spaced, meaning)
                if spaced.endswith("y") and len(spaced) > 3 and spaced[-2] not in "aeiou":
                    meanings.setdefault(spaced[:-1] + "ies", meaning)
        patterns = sorted({*meanings, *exact} - {""})
        self._names = [(meanings.get(p), exact.get(p)) for p in patterns]
        # As fast here as the DFA, in a tenth of its memory.
        self._automaton = ahocorasick_rs.AhoCorasick([titled(p) for p in patterns], implementation=ahocorasick_rs.Implementation.ContiguousNFA) if patterns else None

    def find(self, text: str, broken_by: re.Pattern[str] | None = None) -> list[Hit[Meaning]]:
        """All names in the text, in order, without overlaps; none that spans what `broken_by` matches."""
        if self._automaton is None:
            return []
        squeezed, places = _squeezed(text)
        bounded = squeezed + "  "  # blanks after the last character
        candidates: list[tuple[int, int, int, int, Meaning]] = []
        for index, start, end in self._automaton.find_matches_as_indexes(squeezed, overlapping=True):
            stop = end
            if bounded[end].isalnum() and bounded[end - 1].isalnum():  # a letter runs into it: none but a plural s may
                if bounded[end] not in "sS" or bounded[end + 1].isalnum() or end - start < 3:
                    continue
                stop += 1
            if bounded[start - 1].isalnum() and bounded[start].isalnum():
                continue
            first, last = places[start], places[stop - 1] + 1
            if broken_by is not None and broken_by.search(text, first, last):
                continue
            meaning, exact = self._names[index]
            if exact:
                meaning = exact.get(text[first : places[end - 1] + 1], meaning)
            if meaning is not None:
                candidates.append((first - last, len(candidates), first, last, meaning))
        candidates.sort()  # the longest first; those of one length in their order
        occupied = bytearray(len(text))
        taken = []
        for _, _, first, last, meaning in candidates:
            if occupied.find(1, first, last) < 0:
                occupied[first:last] = b"\x01" * (last - first)
                taken.append((first, last, meaning))
        return [Hit(*hit) for hit in sorted(taken, key=itemgetter(0))]


def _spaced(folded: str) -> str:
    return " ".join(folded.replace("-", " ").split())


_GAP = re.compile("   *")  # two blanks or more; written out, so that a search goes for them


@lru_cache(maxsize=2)  # several lexicons read one note in turn
def _squeezed(text: str) -> tuple[str, list[int]]:
    """The folded text, titled, with each run of spaces and hyphens as one space; and the place in the text of each of its characters."""
    spaced = fold(text).replace("-", " ")
    places: list[int] = []
    parts: list[str] = []
    begun = 0
    for gap in _GAP.finditer(spaced):
        places.extend(range(begun, gap.start() + 1))
        parts.append(spaced[begun : gap.start() + 1])
        begun = gap.end()
    places.extend(range(begun, len(spaced)))
    return titled("".join([*parts, spaced[begun:]])), places


def titled(folded: str) -> str:
    """A capital for the first letter of each word, so that a search meets few names within words; every offset unchanged."""
    if len(title := folded.title()) == len(folded):
        return title
    return "".join("ʃ" if len(c.title()) > 1 else c for c in folded).title()  # ß and ligatures would grow


@lru_cache(maxsize=2)  # dates and cues of one note in turn
def capitalised(text: str) -> str:
    """Each word with a capital, the rest in small letters; every offset unchanged."""
    return titled(lower(text))


def names_of(table: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    """(name, id) of a vocabulary table: preferred names and aliases; where a row has no name, its id is one (an INN)."""
    for concept, row in table.items():
        yield getattr(row, "name", concept), concept
        for alias in row.aliases:  # type: ignore[attr-defined]
            yield alias, concept
