"""Where a text names a test: the vocabulary's names, the shorthand of lists, names a scan misread."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from matcher.lexicon import Hit, Lexicon, names_of
from models import load_vocabulary
from models.vocabulary import read_rows

_GAP = re.compile(r"[\r\n\t]|  ")


def names_in(text: str) -> list[Hit[str]]:
    """Names of tests in order, none across a column gap or a line end."""
    hits = _lexicon().find(text, broken_by=_GAP)
    found = {h.start: h for h in (*_letters(text), *_attached(text), *hits)}
    ordered = [found[start] for start in sorted(found)]
    return [h for before, h in zip([None, *ordered], ordered, strict=False) if before is None or h.start >= before.end]


@lru_cache(maxsize=1)
def _lexicon() -> Lexicon[str]:
    names = [(name, test) for name, test in names_of(load_vocabulary().tests) if len(name.removeprefix("=")) > 1]
    shorthand = [(f"={short}", test) for short, test in _shorthand() if len(short) > 1]
    return Lexicon([*names, *shorthand, *_misread(names)])


@lru_cache(maxsize=1)
def _shorthand() -> tuple[tuple[str, str], ...]:
    return tuple((row["short"], row["test"]) for _, row in read_rows("shorthand.csv"))


def _misread(names: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Longer names as scans misread them: rn for m, l or 1 for I. Short forms have too little left to be sure of."""
    for name, test in names:
        if len(name) > 4 and not name.startswith("="):
            for right, wrong in (("m", "rn"), ("I", "l"), ("I", "1")):
                if right in name:
                    yield name.replace(right, wrong), test
                    yield name.replace(right, wrong, 1), test


@lru_cache(maxsize=1)
def _short_names() -> tuple[dict[str, str], dict[str, str]]:
    """Short forms: those of any letter case, in small letters; and those of one."""
    names = [(name, test) for name, test in names_of(load_vocabulary().tests) if name.lstrip("=").isalpha() and 2 <= len(name.lstrip("=")) <= 6 and name.isascii()]
    return {name.lower(): test for name, test in names if name[0] != "="}, {name[1:]: test for name, test in names if name[0] == "="}


_NUMBER_BEHIND = re.compile(r"\d(?<=[A-Za-z]{2}.)")
_NAME_BEFORE = re.compile(r"(?<![^\W_])(?<!-)(?<![^\d]/)[A-Za-z]{2,6}\Z")
_TELLING = re.compile(r"\d{0,3}\.\d|\d{3}(?!\d)")  # beside a form of capitals that names a gene or an antigen too: not "TP53"
_GLUED_POTASSIUM = re.compile(r"K(?<![\w.-].)(?=[2-7]\.\d(?!\d))")
_ISOFORM = re.compile(r"\d(?![.,]?\d)")


def _attached(text: str) -> Iterator[Hit[str]]:
    """Names with the value right behind them: "Hb98g/L", "PLT112"; not the subclass IgG4."""
    known, exact = _short_names()
    for number in _NUMBER_BEHIND.finditer(text):
        end = number.start()
        name = _NAME_BEFORE.search(text, max(0, end - 6), end)
        test = (known.get(name.group().lower()) or (exact.get(name.group()) if _TELLING.match(text, end) else None)) if name else None
        if name and test is not None and not name.group().islower() and not (test in ("igg", "iga", "igm") and _ISOFORM.match(text, end)):
            yield Hit(name.start(), end, test)
    for potassium in _GLUED_POTASSIUM.finditer(text):
        yield Hit(*potassium.span(), "potassium")


_LETTER = re.compile(r"[A-Zklκλ](?=[ \t:=|/(\-])(?<![^\W_].)")
_NUMBER_NEXT = re.compile(r"[ \t]?[:=]?[ \t]?\d")
_IN_A_LIST = re.compile(r"[(,;/|:\n][ \t]?$")
_AFTER_WHITE_CELLS = re.compile(r"\b(?:WBC|WCC|TLC|Leu\w*|Lc|N|ANC|neuts?)[ :=]*\d[\d.,]*[ ,]+$", re.IGNORECASE)
_BEFORE_CREATININE = re.compile(r"[ ]?[:=]?[ ]?\d{1,2}(?:\.\d)?[ ,;/]+(?:mmol/L[ ,;]*)?(?:Cr|Creat|Crea)\b", re.IGNORECASE)
_POTASSIUM = re.compile(r"[ \t:=|]*(?:\(?m(?:mol|Eq)/L\)?[ \t|]*)?(?:[<>]?[1-9][.,]\d{1,2}(?!\d|[.,]\d)|[2-9](?!\d|[.,/]\d|x)|--|-[ \t])")
_LIGHT_CHAIN = re.compile(r"(?<![\w/.].)[ :=]{1,2}[\d.,]+[ ]?mg/d?L")  # no other K or L is measured so
_M_PROTEIN = re.compile(r"(?<![\w/.].)[ :=]{1,2}\d{1,2}[.,]\d{1,2}[ ]?g/d?L")
_MEASURED_SO = {**dict.fromkeys("Kk", (_LIGHT_CHAIN, "kappa_flc")), **dict.fromkeys("Ll", (_LIGHT_CHAIN, "lambda_flc")), "M": (_M_PROTEIN, "serum_m_protein")}
_SMALL_POTASSIUM = re.compile(r"[ \t]?[:=]?[ \t]?[2-7][.,]\d{1,2}(?!\d|[.,]\d)")


@lru_cache(maxsize=1)
def _one_letter() -> dict[str, str]:
    letters = {name.removeprefix("="): test for name, test in names_of(load_vocabulary().tests) if len(name.removeprefix("=")) == 1}
    return letters | {short: test for short, test in _shorthand() if len(short) == 1}


def _letters(text: str) -> Iterator[Hit[str]]:
    """Names of one letter: the number follows at once; L is a flag and N a limit except in a list of cells."""
    for m in _LETTER.finditer(text):
        letter, end = m.group(), m.end()
        if (told := _MEASURED_SO.get(letter)) and told[0].match(text, end):
            yield Hit(m.start(), end, told[1])
            continue
        test = _one_letter().get(letter)
        if test is None:
            continue
        if letter in "Kk":
            stands = text[m.start() - 1 : m.start()] == "/" or (_POTASSIUM if letter == "K" else _SMALL_POTASSIUM).match(text, end)
        elif test in ("anc", "alc"):
            stands = _NUMBER_NEXT.match(text, end) and (_IN_A_LIST.search(text[max(0, m.start() - 3) : m.start()]) or _AFTER_WHITE_CELLS.search(text[max(0, m.start() - 24) : m.start()]))
        elif test == "urea":
            stands = _BEFORE_CREATININE.match(text, end)
        else:
            stands = _NUMBER_NEXT.match(text, end)
        if stands:
            yield Hit(m.start(), end, test)
