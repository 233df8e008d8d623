"""What chart reviewers presume of what a note does not mention (presumptions.csv)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from models.vocabulary import VocabularyError, load_vocabulary, read_rows


@dataclass(frozen=True, slots=True)
class Presumptions:
    """`evident`: states that no note of such a patient leaves out, as condition and therapy ids.
    `explains`: by finding, the conditions that would explain it; silence about one of these is no denial."""

    evident: tuple[str, ...]
    explains: Mapping[str, tuple[str, ...]]


@lru_cache(maxsize=1)
def load_presumptions() -> Presumptions:
    """Raises VocabularyError with file, line and remedy."""
    vocabulary = load_vocabulary()
    evident: list[str] = []
    explains: dict[str, tuple[str, ...]] = {}
    for where, row in read_rows("presumptions.csv"):
        causes = tuple(part for part in row["causes"].split("|") if part)
        for concept in (row["concept"], *causes):
            if concept not in vocabulary.conditions and concept not in vocabulary.therapies:
                raise VocabularyError(f'{where}: "{concept}" is not in the vocabulary; add its row first')
        match row["kind"]:
            case "evident":
                evident.append(row["concept"])
            case "explains" if causes and row["concept"] not in explains:
                explains[row["concept"]] = causes
            case kind:
                raise VocabularyError(f'{where}: kind "{kind}" is evident, or explains with causes and one row a finding')
    return Presumptions(tuple(evident), MappingProxyType(explains))
