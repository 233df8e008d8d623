"""What conditions say of each other, and what chart reviewers presume of what a note does not mention (presumptions.csv)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from models.vocabulary import VocabularyError, load_vocabulary, read_rows


@dataclass(frozen=True, slots=True)
class Presumptions:
    """`evident`: states that no note of such a patient leaves out, as condition and therapy ids.
    `explains`: by finding, the conditions that would explain it; silence about one of these is no denial.
    `excluded_by`, `shown_by`: by condition, those of which any rules it out, or settles that it is there."""

    evident: tuple[str, ...]
    explains: Mapping[str, tuple[str, ...]]
    excluded_by: Mapping[str, tuple[str, ...]]
    shown_by: Mapping[str, tuple[str, ...]]


@lru_cache(maxsize=1)
def load_presumptions() -> Presumptions:
    """Raises VocabularyError with file, line and remedy."""
    vocabulary = load_vocabulary()
    evident: list[str] = []
    others: dict[str, dict[str, tuple[str, ...]]] = {"explains": {}, "excluded_by": {}, "shown_by": {}}
    for where, row in read_rows("presumptions.csv"):
        kind, causes = row["kind"], tuple(part for part in row["causes"].split("|") if part)
        for concept in (row["concept"], *causes):
            if concept not in vocabulary.conditions and concept not in vocabulary.therapies:
                raise VocabularyError(f'{where}: "{concept}" is not in the vocabulary; add its row first')
        if kind == "evident":
            evident.append(row["concept"])
        elif kind in others and causes and row["concept"] not in others[kind]:
            others[kind][row["concept"]] = causes
        else:
            raise VocabularyError(f'{where}: kind "{kind}" is evident, or one of {", ".join(others)} with causes and one row a concept')
    return Presumptions(tuple(evident), **{kind: MappingProxyType(rows) for kind, rows in others.items()})
