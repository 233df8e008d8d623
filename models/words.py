"""Words that statements turn on, and words that only look like a misspelling of another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from models.vocabulary import VocabularyError, read_rows


@dataclass(frozen=True, slots=True)
class Words:
    """`read`: restored where a note misspells them. `other`: English, never a misspelling. `short`: short forms with their capitals.
    `small`: English words that are a short form only where a note writes them in capitals. `given`: verbs of giving a treatment;
    `exposure`: what else may stand between a denial and the treatment it denies. `dosing`: words of dose, form and supply between the drugs
    of a combination, a hyphen for a blank too."""

    read: frozenset[str]
    other: frozenset[str]
    short: tuple[str, ...]
    small: frozenset[str]
    given: frozenset[str]
    exposure: frozenset[str]
    dosing: frozenset[str]


@lru_cache(maxsize=1)
def load_words() -> Words:
    """The rows of words.csv. Raises VocabularyError with file, line and remedy."""
    uses: dict[str, set[str]] = {"read": set(), "other": set(), "short": set(), "small": set(), "given": set(), "exposure": set(), "dosing": set()}
    for where, row in read_rows("words.csv"):
        if row["use"] not in uses:
            raise VocabularyError(f'{where}, column use: "{row["use"]}" is none of {", ".join(uses)}')
        plain = row["word"].replace("-", "") if row["use"] == "dosing" else row["word"]
        if row["use"] != "short" and not (plain.isalpha() and plain.islower()):
            raise VocabularyError(f'{where}, column word: "{row["word"]}" must be one word in small letters')
        uses[row["use"]].add(row["word"])
    if twice := uses["read"] & uses["other"]:
        raise VocabularyError(f"words.csv: {', '.join(sorted(twice))} stand under both uses; keep one row each")
    return Words(frozenset(uses["read"]), frozenset(uses["other"]), tuple(sorted(uses["short"])), frozenset(uses["small"]), frozenset(uses["given"]), frozenset(uses["exposure"]), frozenset(uses["dosing"]))
