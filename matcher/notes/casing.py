"""Notes typed without capitals, or in nothing else: the case of short forms and sentences is restored, since "MM" and "CR" are read by it."""

from __future__ import annotations

import re
from functools import lru_cache

from matcher.lexicon import Lexicon
from matcher.notes.linking import regimen_drugs
from models import load_vocabulary
from models.vocabulary import read_rows
from models.words import load_words

_CASELESS = 0.01  # share of capitals; prose of any style has more
_CAPITALS = 0.9
_SMALLEST = 40  # letters; a shorter text tells nothing of its writer
_CAPITAL = re.compile(r"[A-ZÀ-ÖØ-Þ]")
_SMALL = re.compile(r"[a-zß-öø-ÿ]+")
_SENTENCE = re.compile(r"(?:^|[.!?]\s+|\n[ \t]*(?:[-*•+>#]\s*)?)([a-z])")
_MEASURE = re.compile(r"(?<!\d{3})(?<![/\d]/\d)\d ?$")  # of no date
_GLUED = re.compile(r"(?<![^\W\d_])[a-z]{1,6}(?=\d)|(?<![\w/'’.])[b-hj-z](?![\w/'’.])")  # "HGB9.8", "58 M": short forms, whatever they are
_ACRONYM = re.compile(r"(?<![\w-])[dvbrlkptcxsm]{2,5}d(?![\w-])")  # no vowel: "kpd" is no word, "bed" is one


@lru_cache(maxsize=1)
def _short_forms() -> Lexicon[str]:
    vocabulary = load_vocabulary()
    regimens = [alias.lstrip("=") for row in vocabulary.regimens.values() for alias in row.aliases]
    tables = (vocabulary.therapies, vocabulary.drugs, vocabulary.tests, vocabulary.conditions)
    names = [alias.lstrip("=") for table in tables for row in table.values() for alias in row.aliases]
    names += [row.short for row in vocabulary.abbreviations]
    names += [row["pattern"][1:] for _, row in read_rows("therapy_cues.csv") if row["pattern"].startswith("=")]
    # The first owner of a form wins: "pd" is far more often progressive disease than pomalidomide with dexamethasone.
    forms = [*load_words().short, *regimens, *(n for n in names if sum(map(str.isupper, n)) > 1)]
    units = {spelling.lstrip("=").lower() for spelling in vocabulary.units}
    own = set(load_words().short)
    plain = (f for f in forms if f.lower() not in load_words().small and (f in own or f.lower() not in units) and f.lower() != f and re.fullmatch(r"[\w/&+ -]+", f))
    return Lexicon((form, form) for form in plain)


def restore_case(text: str) -> str:
    """The text with capitals where a writer sets them, every offset unchanged; as it is, where its writer set some."""
    capitals, small = len(_CAPITAL.findall(text)), sum(map(len, _SMALL.findall(text)))
    if capitals + small < _SMALLEST or _CASELESS < capitals / (capitals + small) < _CAPITALS:
        return text
    letters = list(text if capitals < small else "".join(low if len(low := c.lower()) == 1 else c for c in text))
    plain = "".join(letters)
    for match in _SENTENCE.finditer(plain):
        letters[match.start(1)] = match.group(1).upper()
    for match in _GLUED.finditer(plain) if capitals >= small else ():
        letters[match.start() : match.end()] = match.group().upper()
    for match in _ACRONYM.finditer(plain):
        if regimen_drugs(cased := match.group()[:-1].upper() + "d"):
            letters[match.start() : match.end()] = cased
    for hit in _short_forms().find(plain):
        measured = _MEASURE.search(plain, max(0, hit.start - 6), hit.start)  # "5 mm" are millimetres
        if hit.end - hit.start == len(hit.meaning) and not measured:
            letters[hit.start : hit.end] = hit.meaning
    return "".join(letters)
