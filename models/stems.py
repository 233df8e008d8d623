"""Stems of international nonproprietary names: what the name of an agent tells of its class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from models.vocabulary import VocabularyError, load_vocabulary, read_rows


@dataclass(frozen=True, slots=True)
class Stem:
    """`suffix` ends the name; `classes` are ids of therapies."""

    suffix: str
    classes: tuple[str, ...]
    source: str


@lru_cache(maxsize=1)
def load_stems() -> tuple[Stem, ...]:
    """The rows of stems.csv, longer suffixes first. Raises VocabularyError naming a class that is no therapy."""
    stems = []
    for where, row in read_rows("stems.csv"):
        classes = tuple(c for c in row["classes"].split("|") if c)
        for c in classes:
            if c not in load_vocabulary().therapies:
                raise VocabularyError(f'{where}, column classes: "{c}" is not in therapies.csv')
        stems.append(Stem(row["suffix"], classes, row["source"]))
    return tuple(sorted(stems, key=lambda s: (-len(s.suffix), s.suffix)))


def classes_of(name: str) -> tuple[str, ...]:
    """The classes that the stem of an agent's name tells; () where it tells none ("ct-0596")."""
    written = name.lower()
    for part in dict.fromkeys((written, *written.split()[:1])):
        if found := next((s.classes for s in load_stems() if part.endswith(s.suffix) and len(part) > len(s.suffix) + 1), None):
            return found
    return ()
