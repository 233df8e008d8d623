"""From the surface of a drug name to the vocabulary: misspellings of several letters, regimen shorthand and agents that no table lists."""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz import fuzz, process

from models import load_vocabulary

# One letter a drug, as the trial literature abbreviates myeloma regimens (e.g. D-VRd, EKPd; Rajkumar & Kumar, Blood Cancer J 2020).
REGIMEN_LETTERS = {
    "D": "daratumumab", "V": "bortezomib", "B": "bortezomib", "R": "lenalidomide", "L": "lenalidomide", "K": "carfilzomib", "P": "pomalidomide",
    "T": "thalidomide", "C": "cyclophosphamide", "E": "elotuzumab", "I": "ixazomib", "X": "selinexor", "S": "selinexor", "A": "doxorubicin", "M": "melphalan",
}
_MIN_LENGTH = 6  # shorter names have too many English neighbours
_MIN_RATIO = 88  # of 500 one-letter slips of drug names 97 % are found at this bound and no English word of the tests is
_INN_STEMS = re.compile(  # WHO stems of agents against cancer (INN stem book 2018)
    r"[a-z]{4,}(?:zomib|domide|tinib|ciclib|parib|clax|lisib|rafenib|denoson|tuzumab|tamab|tuximab|toclax|nexor|stat|vedotin|deruxtecan|mafodotin)|[a-z]{3,}[ -]?(?:leucel|cabtagene)|[a-z]{3,6}-cel", re.IGNORECASE)
_STATINS = re.compile(r"vastatin|cilastatin|somatostatin|nystatin|prostat|cystatin|pentostatin|ristat$|rheostat|thermostat|haemostat|hemostat", re.IGNORECASE)
_CODE = re.compile(r"(?!(?:JAN|FEB|MAR|APR|MAY|JUNE?|JULY?|AUG|SEPT?|OCT|NOV|DEC)-?\d{4}\b)[A-Z]{2,5}-?\d{3,6}")


@lru_cache(maxsize=1)
def _spellings() -> dict[str, dict[str, str]]:
    """Initial letter -> spelling -> drug id, of the cancer drugs and steroids."""
    table: dict[str, dict[str, str]] = {}
    for drug in load_vocabulary().drugs.values():
        if drug.antineoplastic or "corticosteroid" in drug.classes:
            for name in (drug.id, *drug.aliases):
                word = name.lstrip("=").lower()
                if len(word) >= _MIN_LENGTH and word.isalpha():
                    table.setdefault(word[0], {}).setdefault(word, drug.id)
    return table


@lru_cache(maxsize=1)
def _other_words() -> frozenset[str]:
    """Words the vocabulary knows as something else: a near miss of them is not a misspelled cancer drug."""
    vocabulary = load_vocabulary()
    names = [n for table in (vocabulary.drugs, vocabulary.conditions, vocabulary.tests, vocabulary.therapies) for row in table.values() for n in (row.id, *row.aliases)]
    own = {spelling for spellings in _spellings().values() for spelling in spellings}
    return frozenset(word for name in names for word in name.lstrip("=").lower().replace("_", " ").split()) - own


@lru_cache(maxsize=20_000)
def link_drug(surface: str) -> str | None:
    """The drug id of a name as written: a known spelling, or one a slip of the pen away from exactly one cancer drug; else None."""
    word = surface.lower()
    if not word.isalpha() or len(word) < _MIN_LENGTH:
        return None
    known = _spellings().get(word[0], {})
    if word in known:
        return known[word]
    if word in _other_words() or word[:-1] in _other_words():
        return None
    near = process.extractOne(word, known.keys(), scorer=fuzz.ratio, score_cutoff=_MIN_RATIO)
    return known[near[0]] if near else None


def unlisted_agent(surface: str, drug_context: bool) -> str | None:
    """The lower-cased name of a cancer agent that no table lists, told by its INN stem or, among drug words, by a company code."""
    if _INN_STEMS.fullmatch(surface) and not _STATINS.search(surface):
        return surface.lower()
    return surface.lower() if drug_context and _CODE.fullmatch(surface) and not surface.startswith("CD") else None


def regimen_drugs(surface: str) -> tuple[str, ...]:
    """The drugs of an acronym that no table lists ("EKPd"): capitals of two or more different drugs, then a small d. Else ()."""
    letters = surface[:-1]
    if not surface.endswith("d") or not 2 <= len(letters) <= 5 or not all(c in REGIMEN_LETTERS for c in letters):
        return ()
    drugs = tuple(dict.fromkeys(REGIMEN_LETTERS[c] for c in letters))
    return (*drugs, "dexamethasone") if len(drugs) == len(letters) else ()


_MIN_SORTED = 92  # of the words in any order; on the cases of docs/linking.md nothing that must not link does so from here on


@lru_cache(maxsize=1)
def _condition_names() -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """(name -> condition, words in order -> condition by the initial letter of the first word)."""
    exact: dict[str, str] = {}
    for row in load_vocabulary().conditions.values():
        for name in (row.name, row.id.replace("_", " "), *row.aliases):
            exact.setdefault(_words_in_order(name.lstrip("=")), row.id)
    by_initial: dict[str, dict[str, str]] = {}
    for name, concept in exact.items():
        if len(name) >= _MIN_LENGTH:
            by_initial.setdefault(name[0], {})[name] = concept
    return exact, by_initial


def _words_in_order(name: str) -> str:
    return " ".join(sorted(w for w in re.findall(r"[a-z0-9]+", name.lower()) if w not in ("of", "the", "a", "an", "and", "with", "in", "to", "due")))


@lru_cache(maxsize=20_000)
def link_condition(surface: str) -> str | None:
    """The condition that an entity names, its words in any order and with a slip of the pen; None where none is that near."""
    exact, by_initial = _condition_names()
    words = _words_in_order(surface)
    if words in exact:
        return exact[words]
    if len(words) < _MIN_LENGTH:
        return None
    near = process.extract(words, by_initial.get(words[0], {}).keys(), scorer=fuzz.ratio, score_cutoff=_MIN_SORTED, limit=2)
    concepts = {exact[name] for name, _, _ in near if _same_kind(words, name)}
    return concepts.pop() if len(concepts) == 1 else None


_OPPOSED = re.compile(r"hyper|hypo|\bnon|\banti|\bpost|\bpre|\bun|\bmacro|\bmicro|\bintra|\binter|\d+")


def _same_kind(one: str, other: str) -> bool:
    """Numbers and prefixes that turn a meaning are the same in both: hypothyroidism is not hyperthyroidism, type 1 not type 2."""
    return _OPPOSED.findall(one) == _OPPOSED.findall(other)
