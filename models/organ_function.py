"""What adequate and severely impaired organ function mean in numbers: rows of organ_function.csv, checked when loaded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from models.vocabulary import VocabularyError, load_vocabulary, read_rows

_LIMIT = re.compile(r"(\w+)(?: (<|<=|>|>=) (\d+(?:\.\d+)?)( uln)?)?(?: (nyha|grade) ([<>=]*\d))?")


@dataclass(frozen=True, slots=True)
class Limit:
    """A test against a number in its canonical unit (or a multiple of the upper limit of normal), or a finding (`op` None)."""

    fact: str
    op: str | None = None
    value: float = 0.0
    x_uln: bool = False
    qualifiers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Organ:
    """`normal`: all hold. `severe`: any holds."""

    id: str
    names: tuple[str, ...]
    normal: tuple[Limit, ...]
    severe: tuple[Limit, ...]
    source: str


def _limits(where: str, column: str, cell: str) -> tuple[Limit, ...]:
    vocabulary = load_vocabulary()
    limits = []
    for part in cell.split("|"):
        found = _LIMIT.fullmatch(part.strip())
        if not found:
            raise VocabularyError(f'{where}, column {column}: "{part}" is no limit; write "test < 5", "test < 5 uln" or a finding')
        fact, op, value, uln, scale, grade = found.groups()
        table = vocabulary.tests if op else {**vocabulary.conditions, **vocabulary.therapies}
        if fact not in table:
            raise VocabularyError(f'{where}, column {column}: "{fact}" is not in the vocabulary; add its row first')
        limits.append(Limit(fact, op, float(value or 0), bool(uln), ((scale, grade),) if scale else ()))
    return tuple(limits)


@lru_cache(maxsize=1)
def load_organs() -> tuple[Organ, ...]:
    """All rows of organ_function.csv. Raises VocabularyError with file, line and remedy."""
    return tuple(
        Organ(row["organ"], tuple(row["names"].split("|")), _limits(where, "normal", row["normal"]), _limits(where, "severe", row["severe"]), row["source"])
        for where, row in read_rows("organ_function.csv")
    )
