"""Values known by their unit and surroundings rather than by a name before them: "45% CD138+ plasma cells", "96% RA", "68.4 kg"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from matcher.notes.measure_prose import RETRACTED, condition_of
from matcher.notes.measure_words import Words, Written
from matcher.quantities import convert, numbers

_N = r"(?P<n>\d{1,3}(?:[.,]\d{1,2})?)"
_CELLS = r"(?:plasma[- ]?cells?|plasmatic cells?|plasmacytes?|plasmocytes?|PCs?\b|plasmacytosis|myeloma cells|plasmablasts?|lambda PC|kappa PC|CD138\+? cells)"
_MARROW = re.compile(r"\b(?:bone marrow|marrow|BM(?:BX|A|AT)?|biopsy|aspirat\w+|smear|trephine|bx|myelogram|punct\w+)\b", re.IGNORECASE)
_ELSEWHERE = re.compile(r"\b(?:circulating|peripheral|blood film|in (?:the )?blood|CSF|pleural|asci\w+|effusion|leuk[a]?emi\w+ phase)\b", re.IGNORECASE)
_SHARE = re.compile(rf"(?<![\d.,/-]){_N}\s?(?:[-–]\s?\d{{1,3}}\s?)?(?:%|percent|per cent)(?P<between>(?:[^.;:%\n\d]|CD\d+){{0,60}}?){_CELLS}", re.IGNORECASE)
_MARKER = re.compile(r"\b(?:BCMA|GPRC5D|IHC|positiv\w*|express\w*|stain\w*|CD\d+\+? in)\b", re.IGNORECASE)
_INFILTRATED = re.compile(rf"(?:infiltrat\w+|involve\w+|plasmacytosis|replace\w+|cellularity with)\b[^.;:%\n\d]{{0,30}}?{_N}\s?(?:[-–]\s?\d{{1,3}}\s?)?%", re.IGNORECASE)
_FRACTION = re.compile(rf"(?:plasma[- ]?cell (?:fraction|share|component|percentage|content|burden)|{_CELLS})[^.;:%\n\d]{{0,25}}?(?:about|approx\w*|~|ca\.?)?\s*{_N}\s?(?:[-–]\s?\d{{1,3}}\s?)?%(?!\s*of (?:the )?(?:\w+ )?(?:plasma )?cells)", re.IGNORECASE)
_BCMA = re.compile(rf"\bBCMA\b(?P<between>[^.;:%\n\d]{{0,60}}?)[(~≈<>]?\s?{_N}\s?(?:[-–]\s?\d{{1,3}}\s?)?%", re.IGNORECASE)
_BCMA_AFTER = re.compile(rf"(?<![\d.,/-]){_N}\s?%\s?(?P<between>[^.;:%\n\d]{{0,40}}?)\bBCMA\b(?![- ]?(?:directed|targeted|CAR|bispec|therap|agent|drug))", re.IGNORECASE)
_OTHER_MARKER = re.compile(r"\b(?:CAR|bispecific|directed|targeted|targeting|therap\w+|antibod\w+|exposed|response|respon\w+|ORR|trial|GPRC5D|FcRH5|CD\d+|SLAMF7|after|naive|treat\w+)\b", re.IGNORECASE)
_OXYGEN = r"(?:(?:on|in|at|w/o|without|off)\s+)?(?:RA|room air|ambient air|indoor air|air|AA|at rest|no (?:O2|oxygen)|(?:w/o|without|off) (?:any )?(?:O2|oxygen)|(?:\d+(?:\.\d)?\s?(?:L|lpm|liters?|litres?)\b)(?:\s?(?:NC|O2|oxygen|nasal\w*))?|NC|oxygen|O2)\b"
_EJECTION = re.compile(rf"(?:\b(?:LV)?EF\b|\bejection fraction\b)[^.;%\n\d]{{1,50}}?{_N}\s?(?:[-–]\s?\d{{1,3}}\s?)?%", re.IGNORECASE)
_COUNT = re.compile(r"(?<![\d.,/-])\d[\d,]*(?:\.\d+)?\s?(?=K/|/[un]L|x\s?10|(?-i:G/L)|/mm|/cumm)", re.IGNORECASE)
_FEET = re.compile(r"(?<![\d.,/])(?P<n>[4-7])\s?(?:'|′|ft\.?|feet|foot)\s?(?:and\s)?(?:(?P<i>\d{1,2}(?:\.\d+)?)\s?(?:\"|″|''|in\.?\b|inch(?:es)?)?|(?<=t|T)\b)(?![\d/])", re.IGNORECASE)
_SATURATION = re.compile(rf"(?<![\d.,/-])(?P<n>[4-9]\d|100)\s?%\s*(?:SpO2|O2 ?sat\w*|sat\w*)?,?\s*\(?{_OXYGEN}", re.IGNORECASE)
_VITALS = re.compile(r"\b(?:RA|SpO2|sats?|saturation|BP|HR|vitals?|VS|temp|afebrile|pulse|RR|T\s?3\d|T\s?9\d|O2|wt|weight|ht|height|ECOG|KPS|Karnofsky)\b|\b\d{2,3}/\d{2,3}\b|\d{3}\s?cm\b", re.IGNORECASE)
_MASS = re.compile(r"(?<![\d.,/+x-])(?P<n>\d{2,3}(?:[.,]\d{1,2})?)\s?(?P<u>kg|kgs|lbs?|pounds)\b(?!\s*(?:/|lost|loss|gain|down|less|more|lighter|heavier|in \d|over|weight loss))", re.IGNORECASE)
_CHANGE = re.compile(r"(?:lost|loss(?: of)?|gain(?:ed)?(?: of)?|minus|down|up|per|each|[-–+/x]|dropped|lift\w*|carry\w*|over|under|below|above|than|of \w+|dose\w*|tumou?r|mass|mg)\s*(?:by|about|from|another|~)?\s*$", re.IGNORECASE)
_LENGTH = re.compile(r"(?<![\d.,/x×-])(?P<n>1[2-9]\d(?:[.,]\d)?|2[01]\d)\s?cm\b(?!\s*(?:mass|lesion|h2o|from))", re.IGNORECASE)
_PRESSURE = re.compile(r"(?<![\d./,-])(?P<s>[7-9]\d|1\d\d|2[0-4]\d)\s?/\s?(?P<d>[3-9]\d|1[0-3]\d)(?![\d/%.])(?!\s?(?:mg|U/|mm\b))")


def unnamed(words: Words) -> Iterator[Written]:
    """Values without a name before them; a place that prose read too gives the same value once more."""
    for value in chain(_marrow(words), _expression(words), _vitals(words), _counts(words)):
        if not RETRACTED.match(words.text, value.end):
            yield value


def _value(words: Words, test: str, m: re.Match[str], unit: str, condition: str | None = None) -> Written:
    end = m.end("n")
    if found := words.unit(end):
        end = found[1]
    return Written(test, m.start("n"), end, numbers(m.group("n"), words.decimal_comma) or (0.0,), unit, condition=condition)


def _sentence(words: Words, m: re.Match[str]) -> str:
    """The sentence up to the end of a match."""
    start = max(words.doc.sentence_at(m.start("n"))[0], m.start("n") - 250)
    return words.text[start : m.end()]


def _marrow(words: Words) -> Iterator[Written]:
    for pattern in (_SHARE, _FRACTION):
        for m in pattern.finditer(words.text):
            said = _sentence(words, m)
            spoiled = _ELSEWHERE.search(words.text, max(m.start() - 25, 0), m.end()) or re.search(r"BCMA|GPRC5D|positiv\w+ in|express", m.group(), re.IGNORECASE)
            marked = re.match(r"\s*of\b", m.groupdict().get("between") or "") and _MARKER.search(re.split(r"[:;.]\s", said)[-1])
            if not spoiled and not marked and (_MARROW.search(said) or pattern is _FRACTION or re.search(r"plasma", m.group(), re.IGNORECASE)):
                yield _value(words, "bone_marrow_plasma_cells", m, "%")
    for m in _INFILTRATED.finditer(words.text):
        if _MARROW.search(_sentence(words, m)):
            yield _value(words, "bone_marrow_plasma_cells", m, "%")


def _expression(words: Words) -> Iterator[Written]:
    for pattern in (_BCMA, _BCMA_AFTER):
        for m in pattern.finditer(words.text):
            if not _OTHER_MARKER.search(m.group("between")):
                yield _value(words, "bcma_expression", m, "%")


def _vitals(words: Words) -> Iterator[Written]:
    text = words.text
    for m in _SATURATION.finditer(text):
        if not re.search(r"(?:keep|above|over|below|under|goal|target|if|>|<|≥)\s*$", text[max(0, m.start() - 12) : m.start()], re.IGNORECASE):
            yield _value(words, "spo2", m, "%", condition_of(m.group()))
    for m in _EJECTION.finditer(text):
        yield _value(words, "lvef", m, "%")
    for m in _FEET.finditer(text):
        inches = 12 * int(m.group("n")) + (float(m.group("i")) if m.group("i") else 0)
        yield Written("height", m.start("n"), m.end(), (inches,), "[in_i]")
    for m in _MASS.finditer(text):
        if _among_vitals(words, m) and not _CHANGE.search(text[max(0, m.start() - 18) : m.start()]):
            yield _value(words, "weight", m, "kg" if m.group("u").lower().startswith("k") else "[lb_av]")
    for m in _LENGTH.finditer(text):
        if _among_vitals(words, m) and re.search(r"\d\s?(?:kg|lb)|weight|wt|height|ht\b|bmi", _line(words, m), re.IGNORECASE):
            yield _value(words, "height", m, "cm")
    for m in _PRESSURE.finditer(text):
        upper, lower = int(m.group("s")), int(m.group("d"))
        if upper >= lower + 10 and m.start() not in words.date_at and _among_vitals(words, m, 1):
            for test, group in (("systolic_bp", "s"), ("diastolic_bp", "d")):
                yield Written(test, m.start(group), m.end(group), (float(m.group(group)),), "mm[Hg]")


def _counts(words: Words) -> Iterator[Written]:
    """A cell count whose name stands in the sentence before: "platelet clumping in EDTA. Citrate tube 64 K/uL"."""
    for m in _COUNT.finditer(words.text):
        number = words.number(m.start())
        unit = words.unit(number.end) if number else None
        if number is None or unit is None:
            continue
        before = words.names_within(max(0, m.start() - 90), m.start())
        said = words.text[before[-1].end : m.start()] if before else ""
        if before and "\n" not in said and not re.search(r"\d", said) and convert(1.0, unit[0], before[-1].meaning) is not None:
            yield Written(before[-1].meaning, number.start, unit[1], number.readings, unit[0], number.comparator)


def _line(words: Words, m: re.Match[str]) -> str:
    start, end = words.doc.line_at(m.start())
    return words.text[max(start, m.start() - 80) : min(end, m.end() + 80)]


def _among_vitals(words: Words, m: re.Match[str], own: int = 0) -> bool:
    """Whether other vital signs stand near; `own`: how many a match itself counts for."""
    return len(_VITALS.findall(_line(words, m))) > own
