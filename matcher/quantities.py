"""Numbers and units: spellings to UCUM, conversion to the canonical unit of a test, and what a number without a unit can mean."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain, pairwise
from types import MappingProxyType

from matcher.lexicon import lower
from models import load_vocabulary
from models.vocabulary import Test, Unit

# Units a number without one may be in, most usual first, by the dimension of the test's own unit.
_USUAL = {
    "mass/volume": ("mmol/L", "umol/L", "g/L", "mg/dL", "mg/L"),
    "count/volume": ("/uL",),
    "catalysis/volume": ("ukat/L",),
    "temperature": ("[degF]",),
    "length": ("m",),
    "ratio": ("1",),
}
_CELLS_IN_FULL = ("wbc", "anc", "alc")
_MOST_CELLS = 300  # x 10*9/L: without a unit more are cells a microlitre; "WBC 900" is neutropenia, hyperleukocytosis is written with its unit
_CREATININE = 113.12  # g/mol: mg/mmol of a urine ratio means per mmol of creatinine

_PLAIN = str.maketrans({"µ": "u", "μ": "u", "×": "x", "\u00a0": " ", "\u202f": " ", **{c: str(n) for n, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}})


def _key(spelling: str) -> str:
    """What makes two spellings one unit: spaces, stars, carets, raised digits and the two micro signs do not matter."""
    return re.sub(r"[\s^*]", "", spelling.translate(_PLAIN))


@lru_cache(maxsize=1)
def _spellings() -> tuple[MappingProxyType[str, str], MappingProxyType[str, str]]:
    exact: dict[str, str] = {}
    folded: dict[str, str] = {}
    for spelling, code in load_vocabulary().units.items():
        if spelling.startswith("="):
            exact.setdefault(_key(spelling[1:]), code)
        else:
            folded.setdefault(_key(spelling).casefold(), code)
    return MappingProxyType(exact), MappingProxyType(folded)


def plain(text: str) -> str:
    """Lower case with one micro sign and no raised digits, every offset unchanged: what `unit_at` reads."""
    return lower(text).translate(_PLAIN)


def unit_at(plain_text: str, text: str, place: int) -> tuple[str, int] | None:
    """The unit that begins at a place, after at most a short gap: (UCUM, end). The longest spelling wins."""
    match = _unit_pattern().match(plain_text, place)
    if match is None:
        return None
    code = ucum(text[match.start(1) : match.end(1)])
    return None if code is None else (code, match.end(1))


@lru_cache(maxsize=1)
def _unit_pattern() -> re.Pattern[str]:
    trie: dict[str, dict] = {}  # type: ignore[type-arg]
    for spelling, code in load_vocabulary().units.items():
        if code == "1":
            continue  # a pure number has no unit to find
        node = trie
        for before, char in pairwise(" " + plain(spelling.removeprefix("="))):
            element = {" ": " ?", "/": " ?/ ?", "^": r"[\^*]?", "*": r"[\^*]?"}.get(char, re.escape(char))
            if (before.isalpha() and char.isdigit()) or (before.isdigit() and char.isalpha()):
                element = " ?" + element
            node = node.setdefault(element, {})
        node["(?![a-z0-9])" if spelling[-1].isalnum() else ""] = {}
    return re.compile(rf"[ \t]{{0,14}}({_alternatives(trie)})")


def _alternatives(trie: dict[str, dict]) -> str:  # type: ignore[type-arg]
    """A regular expression of a trie, the end of a spelling tried last."""
    branches = [element + _alternatives(rest) for element, rest in trie.items() if rest] + [end for end, rest in trie.items() if not rest]
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


_PREFIX = {"kilo": "k", "deci": "d", "milli": "m", "micro": "u", "nano": "n", "pico": "p", "femto": "f"}
_BASE = {"gram": "g", "mole": "mol", "liter": "L", "litre": "L", "equivalent": "eq"}
_IN_FULL = re.compile(rf"({'|'.join(_PREFIX)})?({'|'.join(_BASE)})(?:me)?s?\b", re.IGNORECASE)


@lru_cache(maxsize=4096)
def ucum(spelling: str) -> str | None:
    """The UCUM code of a unit as people write it ("x10^9/L", "K/uL", "gm%", "µmol/l", "micromoles per liter"), or None."""
    exact, folded = _spellings()
    key = _key(spelling)
    known = exact.get(key) or folded.get(key.casefold())
    if known is None and _IN_FULL.search(spelling):
        short = _IN_FULL.sub(lambda m: _PREFIX.get((m[1] or "").lower(), "") + _BASE[m[2].lower()], spelling)
        return ucum(re.sub(r"\s+per\s+", "/", short))
    return known


def convert(value: float, unit: str, test: str) -> float | None:
    """The value in the canonical unit of a test of the vocabulary; `unit` in UCUM. None where the two do not convert.

    Moles become grams by the molar mass of the test (haemoglobin as its monomer, urea nitrogen as N2: 2.8 mg/dL a mmol/L).
    A mass alone counts as one of 24 hours where the test is an excretion a day.
    """
    line = _line(unit, test)
    if line == (1.0, 0.0):
        return value
    return None if line is None else float(f"{value * line[0] + line[1]:.12g}")  # the ratio of magnitudes is not exact in binary


@lru_cache(maxsize=4096)
def _line(unit: str, test: str) -> tuple[float, float] | None:
    """(slope, intercept) from a unit to the canonical unit of a test."""
    row = load_vocabulary().tests.get(test)
    if row is None:
        return None
    if unit == row.unit:
        return 1.0, 0.0
    source, target = _unit(unit), _unit(row.unit)
    if source is None or target is None:
        return None
    if target.dimension == source.dimension == "temperature":
        return (5 / 9, -160 / 9) if unit == "[degF]" else None
    if test == "hba1c" and unit == "mmol/mol":
        return 0.09148, 2.152  # NGSP from IFCC, Hoelzel et al., Clin Chem 2004
    step = _step(source.dimension, target.dimension, row)
    return None if step is None else (source.magnitude * step / target.magnitude, 0.0)


def _step(source: str, target: str, row: Test) -> float | None:
    """What one base unit of a dimension is in the base unit of another, for this test."""
    if source == target:
        return 1.0
    match source, target:
        case "substance/volume", "mass/volume":
            return row.molar_mass
        case "mass/volume", "substance/volume":
            return 1 / row.molar_mass if row.molar_mass else None
        case ("iu/volume", "catalysis/volume") | ("catalysis/volume", "iu/volume"):
            return 1.0  # "IU/L" of an enzyme, "U/mL" of a hormone
        case "equivalents/volume", "substance/volume":
            return 1.0  # sodium, potassium, chloride, bicarbonate: one charge each
        case "mass", "mass/time":
            return 1.0
        case "mass/substance", "ratio":
            return 1 / _CREATININE
    return None


def _unit(code: str) -> Unit | None:
    return load_vocabulary().ucum.get(code) or _unit_by_library(code)


@lru_cache(maxsize=512)
def _unit_by_library(code: str) -> Unit | None:
    """A UCUM code that is not in our table, by pint. Imported late: its registry takes seconds, the table covers what notes use."""
    import pint
    from ucumvert.parser import InvalidUcumError

    units = _registry()
    try:
        quantity = units.from_ucum(code)
        for known in load_vocabulary().ucum.values():
            if known.dimension in _USUAL or "/" in known.dimension:
                like = units.from_ucum(known.ucum)
                if like.dimensionality == quantity.dimensionality:
                    return Unit(code, known.dimension, float(quantity.to(like.units).magnitude / like.magnitude) * known.magnitude)
    except (InvalidUcumError, pint.errors.PintError, ValueError, AttributeError, TypeError):
        return None
    return None


@lru_cache(maxsize=1)
def _registry():  # type: ignore[no-untyped-def]
    import ucumvert

    return ucumvert.PintUcumRegistry()


_ONES = {word: n for n, word in enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"])}
_TENS = {word: 10 * n for n, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)}
_DIGIT = "|".join(list(_ONES)[:10])
COUNTED = rf"(?:(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(list(_ONES)[1:10])}))?|{'|'.join(sorted(_ONES, key=len, reverse=True))})"  # a whole number below 100 in words
SPOKEN = re.compile(
    rf"\b(?<!at )(?P<whole>{COUNTED}) point(?P<part>(?: (?:{_DIGIT}))+)\b|\b(?P<share>{COUNTED})(?= ?(?:%|percent\b|per cent\b))", re.IGNORECASE)


def counted(words: str) -> int:
    """The number that words of COUNTED, or digits, write."""
    return int(words) if words.isdigit() else sum(_TENS.get(word, _ONES.get(word, 0)) for word in re.split(r"[- ]", words.lower()))


def dictated(spoken: re.Match[str]) -> str:
    """The digits of a match of SPOKEN: "zero point four" is 0.4, "forty-five percent" 45."""
    if spoken["share"]:
        return str(counted(spoken["share"]))
    return f"{counted(spoken['whole'])}." + "".join(str(_ONES[word]) for word in spoken["part"].lower().split())


_LOOKALIKE = str.maketrans({**dict.fromkeys("OoQ", "0"), **dict.fromkeys("lI|", "1"), "'": None, "\u00a0": None, "\u202f": None})
_GROUPS_OF_COMMA = re.compile(r"\d{1,3}(,\d{3}){2,}(\.\d+)?|\d{1,3},\d{3}\.\d+")
_GROUPS_OF_DOT = re.compile(r"\d{1,3}(\.\d{3}){2,}(,\d+)?|\d{1,3}\.\d{3},\d+")
_ONE_SEPARATOR = re.compile(r"\d*[.,]\d+", re.ASCII)
_GROUPED = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")


def numbers(written: str, decimal_comma: bool = False) -> tuple[float, ...]:
    """What a written number can mean, likeliest first: "3,410" is 3410 or 3.41, "63.000" 63 or 63000, "9.O" (a scan's 9.0) 9.

    `decimal_comma`: the text writes decimals with a comma, so the comma is tried as one first.
    """
    if written.isascii() and written.replace(".", "", 1).isdecimal() and "." not in (written[-1], written[-4:-3]):
        return (float(written),)  # as most are: no group of three behind the point
    plain = "".join(written.translate(_LOOKALIKE).split())
    if plain.isdecimal():
        return (float(plain),)
    if not _ONE_SEPARATOR.fullmatch(plain):
        if _GROUPS_OF_COMMA.fullmatch(plain):
            return (float(plain.replace(",", "")),)
        return (float(plain.replace(".", "").replace(",", ".")),) if _GROUPS_OF_DOT.fullmatch(plain) else ()
    decimal = float(plain.replace(",", "."))
    if not _GROUPED.fullmatch(plain):
        return (decimal,)
    joined = float(plain.replace(",", "").replace(".", ""))
    joined_first = ("," in plain) != decimal_comma  # "3,410" among decimal points, "63.000" among decimal commas
    return (joined, decimal) if joined_first else (decimal, joined)


def canonical(values: Iterable[float], unit: str | None, test: str, prefer: Iterable[str] = ()) -> tuple[float, str] | None:
    """The first reading that is plausible for the test, in its canonical unit, and the unit it was read in. None: no reading is.

    `unit`: UCUM, as written, or None. `prefer`: units to try first
    where none is written (the one this note uses for the test elsewhere, or its reference range's).
    """
    row = load_vocabulary().tests[test]
    values = tuple(values)
    if unit == "g/L" and row.unit == "10*9/L":
        unit = "10*9/L"  # "G/L" in small letters
    if unit in ("g", "mg") and load_vocabulary().ucum[row.unit].dimension == "mass/volume":
        unit += "/dL"  # dictated: "10.2 grams"
    candidates: Iterable[str] = (unit,) if unit is not None else chain(prefer, _in_full(values, test), (row.unit,), _usual(test))
    for code in candidates:
        for value in sorted(values, reverse=True) if code == "/uL" else values:  # nobody counts parts of a cell
            converted = convert(value, code, test)
            if converted is not None and row.low <= converted <= row.high:
                return converted, code
    return None


def _in_full(values: tuple[float, ...], test: str) -> tuple[str, ...]:
    return ("/uL",) if test in _CELLS_IN_FULL and min(values, default=0) >= _MOST_CELLS else ()


@lru_cache(maxsize=1024)
def _usual(test: str) -> tuple[str, ...]:
    row = load_vocabulary().tests[test]
    dimension = load_vocabulary().ucum[row.unit].dimension
    return tuple(code for code in _USUAL.get(dimension, ()) if _line(code, test) is not None)
