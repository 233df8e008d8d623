"""Values known by their unit and surroundings rather than by a name before them: "45% CD138+ plasma cells", "96% RA", "68.4 kg"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice

from matcher.notes.measure_tail import condition_of
from matcher.notes.measure_words import Words, Written
from matcher.quantities import convert, numbers

_PERCENT = re.compile(r"(?P<n>\d\d{0,2}(?:[.,]\d{1,2})?)(?:\s?[-–]\s?\d{1,3})?\s?(?:%|percent\b|per cent\b)", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_DATED = re.compile(r"[ ](?:(?:on|in) )?(?=\S)")
_EARLIER = re.compile(r"\((?:was|prev\w*|prior|formerly|from)[ ~:]*\Z", re.IGNORECASE)
_STOP = re.compile(r"[.;%\n\d(](?:(?<=[.;%\n])|(?<=\d)(?<![A-Za-z].)|(?<=\()(?=[^)]*\)))")  # a share refers back no further: another number, a closed bracket
_AFTER = re.compile(r"(?:[^.;:%\n\d]|(?<=[A-Za-z])\d{1,3})*")
_CELLS = re.compile(r"plasma[- ]?cells?|plasmatic cells?|plasmacytes?|plasmocytes?|\bPCs?\b|plasmacytosis|myeloma cells|plasmablasts?|CD138\+? cells", re.IGNORECASE)
_BLOOD = re.compile(r"\b(?:leu[ck]ocytes|WBC|white cells|lymphocytes|neutrophils|monocytes|blood count|differential)\b(?:[^.\n]|\.\d)*$", re.IGNORECASE)
_MARROW_ALONE = re.compile(r"\b(?:bone marrow|marrow|BMBx|BMB?|BMA)\s*(?:bx|biopsy|aspirate)?\s*(?:[\d./-]{4,10}\s?)?[:=]?\s*~?$", re.IGNORECASE)
_INFILTRATE = re.compile(r"infiltrat\w+|involve\w+|plasmacytosis|replace\w+", re.IGNORECASE)
_FRACTION = re.compile(r"(?:fraction|share|component|percentage|content|burden)?[^.;:%\n\d]{0,25}$", re.IGNORECASE)
_MARROW = re.compile(r"\b(?:bone marrow|marrow|BM(?:BX|A|AT)?|biopsy|aspirat\w+|smear|trephine|bx|trepano\w+|trephine biopsy|BMB|myelogram|punct\w+)\b", re.IGNORECASE)
_ELSEWHERE = re.compile(r"\b(?:circulating|peripheral|film|in (?:the )?blood|CSF|cerebrospinal|pleural|asci\w+|effusion|leuk[a]?emi\w+ phase)\b", re.IGNORECASE)
_FLUID = re.compile(r"\b(?:CSF|cerebrospinal|lumbar puncture|pleural|ascit\w+|effusion)\b", re.IGNORECASE)
_MARKER = re.compile(r"\b(?:BCMA|GPRC5D|IHC|positiv\w*|express\w*|stain\w*|CD\d+\+? in)\b", re.IGNORECASE)
_BCMA = re.compile(r"\bBCMA\b", re.IGNORECASE)
_BCMA_DRUG = re.compile(r"BCMA\b[- ]?(?:directed|targeted|CAR|bispec|therap|agent|drug)", re.IGNORECASE)
_OTHER_MARKER = re.compile(r"\b(?:CAR|bispecific|directed|targeted|targeting|therap\w+|antibod\w+|exposed|response|respon\w+|ORR|trial|GPRC5D|FcRH5|CD\d+|SLAMF7|after|naive|treat\w+)\b", re.IGNORECASE)
_EJECTION = re.compile(r"(?:\b(?:LV)?EF\b|\bejection fraction\b)[^.;%\n\d]{0,50}$", re.IGNORECASE)
_OXYGEN = re.compile(
    r"\s*(?:SpO2|O2 ?sat\w*|sat\w*)?,?\s*\(?(?:(?:on|in|at|w/o|without|off)\s+)?(?:RA|room air|ambient air|indoor air|air|AA|at rest|no (?:O2|oxygen)|(?:w/o|without|off) (?:any )?(?:O2|oxygen)|"
    r"(?:\d+(?:\.\d)?\s?(?:L|lpm|liters?|litres?)\b)(?:\s?(?:NC|O2|oxygen|nasal\w*))?|NC|oxygen|O2)\b(?!\s*(?:walking|ambulat\w*|on exertion|exertion|with exertion|exercis\w*|stairs|asleep))", re.IGNORECASE)
_WANTED = re.compile(r"(?:keep|above|over|below|under|goal|target|if|>|<|≥|desaturat\w* to)\s*$", re.IGNORECASE)
_COUNT = re.compile(r"\d[\d,]*(?:\.\d+)?\s?(?=K/|/[un]L|x\s?10|(?-i:G/L)|/mm|/cumm)", re.IGNORECASE)
_FEET = re.compile(r"(?P<n>[4-7])\s?(?:'|′|ft\.?|feet|foot)\s?(?:and\s)?(?:(?P<i>\d{1,2}(?:\.\d+)?)\s?(?:\"|″|''|in\.?\b|inch(?:es)?)?|(?<=t|T)\b)(?![\d/])", re.IGNORECASE)
_VITALS = re.compile(r"\b(?:ra|spo2|sats?|saturation|bp|hr|vitals?|vs|temp|afebrile|pulse|rr|t\s?3\d|t\s?9\d|o2|wt|weight|ht|height|ecog|kps|karnofsky)\b|\b\d{2,3}/\d{2,3}\b|\d{3}\s?cm\b")  # in small letters
_MASS = re.compile(r"(?P<n>\d\d\d?(?:[.,]\d{1,2})?)\s?(?P<u>kgs?|kilograms|lbs?|pounds)\b(?!\s*(?:/(?! \d)|lost|loss|gain|down|less|more|lighter|heavier|in \d|over|weight loss))", re.IGNORECASE)
_CHANGE = re.compile(r"(?:lost|loss(?: of)?|gain(?:ed)?(?: of)?|minus|down|up|per|each|[-–+x]|(?<! )/|dropped|lift\w*|carry\w*|over|under|below|above|than|of \w+|dose\w*|tumou?r|mass|mg)\s*(?:by|about|from|another|~)?\s*$", re.IGNORECASE)
_METRES = re.compile(r"(?P<n>[12](?:(?<=1)\s?m\s?\d\d|[.,]\d\d?\s?m))\b(?![/\w²2])")
_LENGTH = re.compile(r"(?P<n>[12]\d\d(?:[.,]\d)?)\s?cm\b(?!\s*(?:mass|lesion|h2o|from))", re.IGNORECASE)
_VIRAL_LOAD = re.compile(r"(?:\bDNA|\bviral load|\bVL)\b[ :=]*(?P<n>\d[\d.,]*)(?=\s?IU)", re.IGNORECASE)
_HEPATITIS_B = re.compile(r"HBsAg|\bHBV|\bhep(?:atitis)?[ -]?B\b", re.IGNORECASE)
_OTHER_VIRUS = re.compile(r"\b(?:CMV|EBV|HCV|hep(?:atitis)?[ -]?C|HHV|adeno\w*|BK|JC|HIV|B19)\b", re.IGNORECASE)
_BEFORE_UNIT, _AFTER_UNIT = 16, 40  # characters that a number with its unit, and what is looked for behind it, may take
_PRESSURE = re.compile(r"(?P<s>\d\d\d?)\s?/\s?(?P<d>[3-9]\d|1[0-3]\d)(?![\d/%.])(?!\s?(?:mg|U/|mm\b))")


def unnamed(words: Words) -> Iterator[Written]:
    """Values without a name before them; a place that prose read too gives the same value once more."""
    for value in chain(_percents(words), _vitals(words), _counts(words), _viral_loads(words)):
        if not words.retracted(value.end):
            yield value


def _found(pattern: re.Pattern[str], words: Words, *units: str) -> Iterator[re.Match[str]]:
    """The matches, beside one of the units (small letters) where such are given, that no number, slash, sign or letter runs into. A lookbehind in the pattern would cost ten times as much."""
    barred = "./,+×" if pattern is _PERCENT else "./,+×-"
    for match in words.doc.matches(pattern, units, _BEFORE_UNIT, _AFTER_UNIT) if units else pattern.finditer(words.text):
        found: re.Match[str] | None = match
        while found and _runs_on(words.text, found.start(), barred):  # the share of "10.07.25 - 44%" begins after the date
            found = pattern.search(words.text, _DIGITS.match(words.text, found.start()).end(), match.end())  # type: ignore[union-attr]
        if found:
            yield found


def _runs_on(text: str, place: int, barred: str) -> bool:
    before = text[place - 1 : place]
    return before.isalnum() or (before != "" and before in barred)


def _percents(words: Words) -> Iterator[Written]:
    """Shares told by what stands around them: marrow plasma cells, BCMA, ejection fraction, saturation."""
    text = words.text
    for m in _found(_PERCENT, words, "%", "percent", "per cent"):
        test = _share_of(words, m)
        if test is not None:
            end = m.end("n")
            unit = words.unit(end)
            oxygen = _OXYGEN.match(text, m.end()) if test == "spo2" else None
            condition = condition_of(oxygen.group()) if oxygen else None
            led = _DATED.match(text, m.end())
            dated = words.date_at.get(led.end()) if led else None
            earlier = dated is None and _EARLIER.search(text, max(0, m.start() - 14), m.start()) is not None
            yield Written(test, m.start("n"), unit[1] if unit else end, numbers(m.group("n"), words.decimal_comma) or (0.0,), "%",
                          date=words.day(dated) if dated else None, earlier=earlier, condition=condition)


def _share_of(words: Words, m: re.Match[str]) -> str | None:
    text = words.text
    stop = max(0, m.start() - 70)
    for mark in _STOP.finditer(text, stop, m.start()):
        stop = mark.end()
    before = text[stop : m.start()]
    after = _AFTER.match(text, m.end(), m.end() + 75).group()  # type: ignore[union-attr]
    number = float(m.group("n").replace(",", "."))
    if _OXYGEN.match(text, m.end()) and 40 <= number <= 100 and not _WANTED.search(text, max(0, m.start() - 18), m.start()):
        return "spo2"
    if _EJECTION.search(text, max(0, m.start() - 75), m.start()):
        return "lvef"
    if (bcma := _last(_BCMA, before)) and not _OTHER_MARKER.search(before, bcma.end()):
        return "bcma_expression"
    cells = _CELLS.search(after)
    of_marrow = cells is not None and not re.match(r"\s*of\b", after) and "," in after[cells.end() : cells.end() + 2]  # "65% PC, BCMA negative"
    if not of_marrow and (bcma := _BCMA.search(after)) and not _OTHER_MARKER.search(after, 0, bcma.start()) and not _BCMA_DRUG.match(after, bcma.start()):
        return "bcma_expression"
    return "bone_marrow_plasma_cells" if _is_marrow(words, m, before, after) else None


def _last(pattern: re.Pattern[str], said: str) -> re.Match[str] | None:
    found = None
    for found in pattern.finditer(said):  # noqa: B007
        pass
    return found


def _is_marrow(words: Words, m: re.Match[str], before: str, after: str) -> bool:
    """Whether a share is the marrow's plasma cells: "45% CD138+ plasma cells", "infiltration 25 %", "plasma cell fraction (about 8%)"."""
    start = max(words.doc.sentence_at(m.start())[0], m.start() - 250)
    said = words.text[start : m.start()]
    marrow = _MARROW.search(said)
    if marrow is None and _BLOOD.search(said):
        return False
    near = before[-30:]
    if _FLUID.search(said):
        return False
    if _MARROW_ALONE.search(said) and re.match(r"\s*(?:[,;.|)\n]|$)", words.text[m.end() : m.end() + 3]):
        return True  # "marrow 70%"
    if cells := _CELLS.search(after):
        of_cells = re.match(r"\s*of\b", after) and _MARKER.search(re.split(r"[:;.]\s", said)[-1])
        spoiled = of_cells or _ELSEWHERE.search(after, 0, (after + ",").find(",", cells.end())) or _ELSEWHERE.search(near)
        return not spoiled and (marrow is not None or "plasm" in cells.group().lower())
    if _INFILTRATE.search(after[:30]) and marrow:
        return not _ELSEWHERE.search(said)
    if (cells := _last(_CELLS, before)) and _FRACTION.match(before, cells.end()):
        return not (re.match(r"\s*of\b", after) or _ELSEWHERE.search(before) or _MARKER.search(before, cells.end()))
    return bool(marrow and _INFILTRATE.search(near) and not _ELSEWHERE.search(said))


def _measure(words: Words, test: str, m: re.Match[str], unit: str) -> Written:
    return Written(test, m.start("n"), m.end(), numbers(m.group("n"), words.decimal_comma), unit)


def _vitals(words: Words) -> Iterator[Written]:
    text = words.text
    for m in _found(_FEET, words, "'", "′", "ft", "feet", "foot"):
        inches = 12 * int(m.group("n")) + (float(m.group("i")) if m.group("i") else 0)
        yield Written("height", m.start("n"), m.end(), (inches,), "[in_i]")
    for m in _found(_MASS, words, "kg", "lb", "pound"):
        if _among_vitals(words, m) and not _CHANGE.search(text[max(0, m.start() - 18) : m.start()]):
            yield _measure(words, "weight", m, "kg" if m.group("u").lower().startswith("k") else "[lb_av]")
    for m in _found(_METRES, words):
        if re.search(r"\d\s?(?:kg|lb)|weight|wt|height|ht\b|bmi|size|measures", _line(words, m)):
            metres = float(re.sub(r"\s?m\s?", ".", m.group("n")).rstrip(".").replace(",", "."))
            if metres > 1.2:
                yield Written("height", m.start("n"), m.end(), (100 * metres,), "cm")
    for m in _found(_LENGTH, words, "cm"):
        if _among_vitals(words, m) and re.search(r"\d\s?(?:kg|lb)|weight|wt|height|ht\b|bmi", _line(words, m)):
            yield _measure(words, "height", m, "cm")
    for m in _found(_PRESSURE, words):
        upper, lower = int(m.group("s")), int(m.group("d"))
        if 70 <= upper < 250 and upper >= lower + 10 and m.start() not in words.date_at and _among_vitals(words, m, 1):
            for test, group in (("systolic_bp", "s"), ("diastolic_bp", "d")):
                yield Written(test, m.start(group), m.end(group), (float(m.group(group)),), "mm[Hg]")


def _counts(words: Words) -> Iterator[Written]:
    """A cell count whose name stands in the sentence before: "platelet clumping in EDTA. Citrate tube 64 K/uL"."""
    for m in _found(_COUNT, words, "k/", "g/l", "/ul", "/nl", "/mm", "/cumm", "x10", "x 10"):
        number = words.number(m.start())
        unit = words.unit(number.end) if number else None
        if number is None or unit is None:
            continue
        before = words.names_within(max(0, m.start() - 90), m.start())
        said = words.text[before[-1].end : m.start()] if before else ""
        if before and "\n" not in said and not re.search(r"\d", said) and convert(1.0, unit[0], before[-1].meaning) is not None:
            yield Written(before[-1].meaning, number.start, unit[1], number.readings, unit[0], number.comparator)


def _viral_loads(words: Words) -> Iterator[Written]:
    """A viral load told of a hepatitis B named before it: "HBsAg positive, on entecavir, DNA 85 IU/mL"."""
    for m in words.doc.matches(_VIRAL_LOAD, ("iu",), 30, 4):
        start = max(words.doc.sentence_at(m.start())[0], m.start() - 90)
        if (named := _last(_HEPATITIS_B, words.text[start : m.start()])) and not _OTHER_VIRUS.search(words.text, start + named.end(), m.start()):
            unit = words.unit(m.end("n"))
            yield Written("hbv_dna", m.start("n"), unit[1] if unit else m.end("n"), numbers(m["n"], words.decimal_comma), unit[0] if unit else None)


def _line(words: Words, m: re.Match[str]) -> str:
    """The line of a match, no wider than what belongs to it, in small letters."""
    start, end = words.doc.line_at(m.start())
    return words.doc.lowered[max(start, m.start() - 80) : min(end, m.end() + 80)]


def _among_vitals(words: Words, m: re.Match[str], own: int = 0) -> bool:
    """Whether other vital signs stand near; `own`: how many a match itself counts for."""
    return len(list(islice(_VITALS.finditer(_line(words, m)), own + 1))) > own
