"""Whom a trial is for, from its title and conditions: the diseases, their state, and the targets of its treatment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from matcher.domain import AllOf, AnyOf, Expression, Presence
from matcher.lexicon import Lexicon, names_of
from models import load_vocabulary

_STATES = {
    "relapsed_refractory": r"\brelapsed?\W{0,3}(?:and|or|/|&|and/or)?\W{0,3}refractory|\brefractory\W{0,3}(?:and|or|/|and/or)?\W{0,3}relapsed?|\bR/?R\b|\bRRMM\b",
    "newly_diagnosed": r"\b(?:newly[- ]diagnosed|untreated|treatment[- ]na[iï]ve|first[- ]line)\b",
    "relapsed": r"\brelapsed?\b",
    "refractory": r"\brefractory\b",
}


def conditions_named(text: str) -> Iterator[str]:
    """The conditions, as often as they are named."""
    return (hit.meaning for hit in _condition_names().find(text))


def diseases(text: str) -> tuple[str, ...]:
    """The conditions named, in order; where malignancies are among them, those alone; none beside a kind of it."""
    vocabulary = load_vocabulary()
    found = dict.fromkeys(c for c in conditions_named(text) if vocabulary.conditions[c].course != "group")
    malignant = {c for c in found if vocabulary.conditions[c].course == "malignancy"}
    kept = malignant - {"metastatic_disease"} or malignant or found.keys()  # where it has spread is no disease beside its name
    general = {above for c in kept for above in vocabulary.ancestors(c) - {c}}
    return tuple(c for c in found if c in kept and c not in general)


def drugs(text: str) -> tuple[str, ...]:
    """The drugs named, in order."""
    return tuple(dict.fromkeys(hit.meaning for hit in _treatment_names().find(text) if hit.meaning in load_vocabulary().drugs))


def targets(text: str) -> tuple[str, ...]:
    """The targets of the treatment under study, by name or through its class or agent."""
    vocabulary = load_vocabulary()
    found = (hit.meaning for hit in _treatment_names().find(text))
    targets = (t for concept in found for t in sorted(vocabulary.ancestors(concept)) if (row := vocabulary.therapies.get(t)) and row.kind == "target")
    return tuple(dict.fromkeys(targets))


def population(conditions: tuple[str, ...], words: str) -> Expression | None:
    """The disease, and its state where the title gives one, that a patient must have."""
    if not conditions:
        return None
    diseases = tuple(Presence("disease", c) for c in conditions)
    disease: Expression = diseases[0] if len(diseases) == 1 else AnyOf(diseases)
    state = next((s for s, pattern in _STATES.items() if re.search(pattern, words, re.IGNORECASE)), None)
    return AllOf((disease, Presence("disease_state", state))) if state else disease


@lru_cache(maxsize=1)
def _condition_names() -> Lexicon[str]:
    """Names of conditions, and the short forms whose first reading is one where nothing else stands near."""
    vocabulary = load_vocabulary()
    first = {a.short: a for a in reversed(vocabulary.abbreviations) if not a.when}
    forms = [(f"={short}", a.id) for short, a in first.items() if a.table == "conditions"]
    return Lexicon([*names_of(vocabulary.conditions), *forms])


@lru_cache(maxsize=1)
def _treatment_names() -> Lexicon[str]:
    vocabulary = load_vocabulary()
    antigens = [(f"={t.id.upper()}", t.id) for t in vocabulary.therapies.values() if t.kind == "target"]
    return Lexicon([*names_of(vocabulary.drugs), *names_of(vocabulary.therapies), *antigens])
