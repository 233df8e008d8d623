"""Cues of assertion: the words by which a text denies, doubts, dates or ascribes to another what it mentions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias, get_args

from models.vocabulary import VocabularyError, read_rows

Category: TypeAlias = Literal[
    "negated",  # it is not there
    "not_new",  # nothing beyond what is known is there: "no other", "no new"
    "ignored",  # looks like a cue and is none: "not only", "gram negative", "no change in"
    "possible",
    "family",
    "other_person",
    "past",
    "resolved",  # it is over, whatever it was
    "treated",  # over for a tumour or an acute illness; a chronic disease goes on
    "current",
    "hypothetical",  # planned, feared, conditional, taught: not asserted at all
    "boundary",  # ends the scope of what stands before it
    "patient",  # brings the subject back from a relative
]
Direction: TypeAlias = Literal[
    "forward",  # the cue stands before what it speaks of
    "backward",  # the cue stands after it
    "next",  # speaks of the very next words only
    "previous",  # speaks of the words just before it only
    "both",
]


@dataclass(frozen=True, slots=True)
class Cue:
    text: str
    category: Category
    direction: Direction
    source: str


@lru_cache(maxsize=1)
def load_cues() -> tuple[Cue, ...]:
    """The rows of cues.csv. Raises VocabularyError with file, line and remedy."""
    cues: list[Cue] = []
    seen: set[tuple[str, ...]] = set()
    for where, row in read_rows("cues.csv"):
        for column, allowed in (("category", get_args(Category)), ("direction", get_args(Direction))):
            if row[column] not in allowed:
                raise VocabularyError(f'{where}, column {column}: "{row[column]}" is none of {", ".join(allowed)}')
        key = (row["cue"].casefold(), row["category"], row["direction"])
        if not row["cue"] or key in seen:
            raise VocabularyError(f'{where}: the cue "{row["cue"]}" is empty or given twice with the same meaning; remove the row')
        seen.add(key)
        cues.append(Cue(row["cue"], row["category"], row["direction"], row["source"]))  # type: ignore[arg-type]
    return tuple(cues)
