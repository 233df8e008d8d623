"""Slips of the pen and of the scanner: what a misspelled word or a number with letters in it stands for.

A word the program knows is never touched. An unknown one is restored only to a word that statements turn on (a drug, a
condition, a test, a cue), and only where exactly one is that near: a wrong link is worse than none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from matcher.notes.linking import link_drug
from matcher.quantities import SPOKEN, dictated
from models import load_vocabulary
from models.cues import load_cues
from models.vocabulary import read_rows
from models.words import load_words

_SHORTEST_NAME = 7  # letters; shorter names have too many English neighbours
_SHORTEST_CUE = 6
_ENDINGS = ("s", "es", "d", "ed", "ing", "ly", "al", "er", "e", "y", "ic", "ally", "ist", "ists", "ion", "or", "able")
_LETTERS = re.compile(r"[a-z]+")
_TOKEN = re.compile(r"[A-Za-z0-9|]{3,}")
_SCANNED = str.maketrans("01|58i", "olls8l")  # shapes that scanners confuse, each as one of them
_DIGITS = str.maketrans("OoIl|", "00111")
# A number with letters in it. "S1", "O2" and "L4" are names, "2l" are litres, "38o" is a degree.
_NUMBER = re.compile(r"(?<![\w.,/^-])(?=[\dOIl|.,]{0,7}\d)(?![\d.,]+[lo]\b)(?:[\dOIl|]{1,4}[.,][\dOoIl|]{1,3}|\d[\dOoIl|]{0,5}[\dO])(?![\w^]|[.,-]\w)")


_WRAPPED = re.compile(r"([A-Za-z]{2,})-\r?\n[ \t]*([a-z]{2,})")  # a word parted at the end of its line


class Correction(NamedTuple):
    start: int
    end: int
    text: str


class _Known(NamedTuple):
    words: frozenset[str]
    usual: frozenset[str]  # words that turn most statements: cues, tests, agents against cancer
    near: dict[str, list[str]]  # initial letter -> words to restore
    shapes: dict[str, str | None]  # as a scanner may confuse them -> the one word, None where there are several


@lru_cache(maxsize=1)
def _known() -> _Known:
    vocabulary, listed = load_vocabulary(), load_words()
    words, targets = {*listed.other, *listed.read}, {w for w in listed.read if len(w) >= _SHORTEST_CUE}
    for table in (vocabulary.conditions, vocabulary.drugs, vocabulary.tests, vocabulary.therapies, vocabulary.regimens):
        for row in table.values():
            for name in (row.id.replace("_", " "), getattr(row, "name", ""), *row.aliases):
                found = _LETTERS.findall(name.lower())
                words.update(found)
                targets.update(w for w in found if len(w) >= _SHORTEST_NAME)
    for cue in load_cues():
        words.update(_LETTERS.findall(cue.text.lower()))
    for _, cells in read_rows("therapy_cues.csv"):
        words.update(_LETTERS.findall(cells["pattern"].lower()))
    targets -= listed.other
    near, shapes = defaultdict(list), {}
    for word in sorted(targets):
        near[word[0]].append(word)
        shape = _shape(word)
        shapes[shape] = None if shape in shapes else word
    agents = (row for row in vocabulary.drugs.values() if row.antineoplastic or "corticosteroid" in row.classes)
    names = (*(test.name for test in vocabulary.tests.values()), *(agent.id for agent in agents))
    usual = {*listed.read, *(w for name in names for w in _LETTERS.findall(name.lower()))}
    return _Known(frozenset(words), frozenset(usual), dict(near), shapes)


def _shape(word: str) -> str:
    return word.translate(_SCANNED).replace("rn", "m").replace("vv", "w").replace("cl", "d")


def is_known(word: str) -> bool:
    """Whether the vocabulary or the list of words has the word (small letters), or it is a form of one that they have."""
    words = _known().words
    return word in words or any(word.endswith(end) and word[: -len(end)] in words for end in _ENDINGS)


@lru_cache(maxsize=50_000)
def restored(word: str) -> str | None:
    """The word of the vocabulary that a misspelled or mis-scanned one (small letters, digits, |) stands for; None where it is known or nothing is near."""
    known = _known()
    if len(word) < _SHORTEST_CUE or len(word) > 40 or is_known(word):
        return None
    if scanned := known.shapes.get(_shape(word)):
        return scanned
    if not word.isalpha():
        return None
    found = process.extract(word, known.near.get(word[0], ()), scorer=OSA.distance, score_cutoff=1, limit=2)
    if len(found) == 1:
        return found[0][0]
    drug = link_drug(word)
    return drug if all(link_drug(near[0]) == drug for near in found) else None  # spellings of one drug are no doubt


def corrections(text: str) -> list[Correction]:
    """What to replace, in order, without overlaps: slips, and numbers dictated in words. The capitals of a word are kept where they are all or the first."""
    found = [Correction(*m.span(), m[1] + m[2]) for m in (_WRAPPED.finditer(text) if "-\n" in text or "-\r" in text else ()) if is_known((m[1] + m[2]).lower())]
    joined = [(c.start, c.end) for c in found]
    for match in _TOKEN.finditer(text):
        written = match.group()
        if written.isdigit() or any(start <= match.start() < end for start, end in joined):
            continue
        word = restored(written.lower())
        if word is not None:
            found.append(Correction(*match.span(), word.upper() if written.isupper() else word.capitalize() if written[0].isupper() else word))
    taken = {c.start for c in found}
    for match in _NUMBER.finditer(text):
        if not match.group().replace(".", "").replace(",", "").isdigit() and match.start() not in taken:
            found.append(Correction(*match.span(), match.group().translate(_DIGITS)))
    if any(word in text.lower() for word in (" point ", "percent", "per cent")):
        found += [Correction(*spoken.span(), dictated(spoken)) for spoken in SPOKEN.finditer(text)]
    return sorted(found)
