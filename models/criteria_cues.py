"""The words eligibility sections are built from: comparison, negation, time, exception, what only screening can settle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from models.vocabulary import VocabularyError, alias_key, read_rows


@dataclass(frozen=True, slots=True)
class Cue:
    """`role` names the grammar's use of the phrase (criteria_cues.csv), `value` what it stands for in that role."""

    role: str
    value: str


OPERATORS = {"<", "<=", "=", ">=", ">"}


def _rows() -> Iterator[tuple[str, Cue, str]]:
    for where, row in read_rows("criteria_cues.csv"):
        if row["role"] in ("op", "postop") and row["value"] not in OPERATORS:
            raise VocabularyError(f'{where}, column value: "{row["value"]}" is none of {" ".join(sorted(OPERATORS))}')
        if row["role"] in ("time", "any_of"):
            try:
                float(row["value"])
            except ValueError:
                raise VocabularyError(f'{where}, column value: "{row["value"]}" is not a number') from None
        for phrase in row["phrases"].split("|"):
            yield where, Cue(row["role"], row["value"]), phrase.strip()


@lru_cache(maxsize=1)
def load_cues() -> tuple[tuple[str, Cue], ...]:
    """(phrase, cue) of criteria_cues.csv. Raises VocabularyError where a phrase is empty or has two owners."""
    owner: dict[str, str] = {}
    cues = []
    for where, cue, phrase in _rows():
        key = alias_key(phrase)
        if not key:
            raise VocabularyError(f"{where}, column phrases: an empty phrase; remove the stray |")
        if key in owner:
            raise VocabularyError(f'{where}: the phrase "{phrase}" stands in {owner[key]} too; keep it in one row')
        owner[key] = where
        cues.append((phrase, cue))
    return tuple(cues)
