"""Criterion text as typed tokens: vocabulary concepts, grammar cues, numbers with their units, symbols and other words.

Every token keeps its offsets in the text as given; `plain` changes characters one for one, so offsets never move.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from matcher.lexicon import Hit, Lexicon, fold, names_of
from matcher.markers import Statement, read_statements
from matcher.quantities import COUNTED, counted
from models import load_vocabulary
from models.criteria_cues import load_cues
from models.vocabulary import VocabularyError, read_rows


@dataclass(frozen=True, slots=True)
class Token:
    """`kind`: condition drug therapy regimen test marker no_marker target (value: id), a cue role (value: its value), number (value: float), unit
    (value: text as written), op (value: an operator), punctuation (its own character), word (value: folded), or stop."""

    kind: str
    value: Any
    start: int
    end: int


CONCEPTS = frozenset({"condition", "drug", "therapy", "regimen", "test"})
_PLAIN = str.maketrans({"\\": " ", "＜": "<", "＞": ">", "＝": "=", "≦": "≤", "≧": "≥", "⩽": "≤", "⩾": "≥", "⩿": "≤", "﹤": "<", "﹥": ">", "，": ",", "；": ";", "：": ":",
                        "（": "(", "）": ")", "［": "[", "］": "]", "、": ",", "。": ".", "％": "%", "～": "~", "∼": "~", "〜": "~", "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-",
                        "✕": "×", "╳": "×", "х": "x", "Х": "x", "·": ".", **dict.fromkeys("•●▪◦‣→➢➤►✓✔✗✘❖○■□◆◇»☐☑∙⁃", " "), "*": "*", "＊": "*", "“": '"', "”": '"', "’": "'", "‘": "'", "®": " ", "™": " ", "µ": "μ",
                        "\xa0": " ", "\u2009": " ", "\u202f": " ", "\u200b": " ", "\t": " ", "\r": " ", "_": " "})
_ENTITY = {"&lt;": "<   ", "&gt;": ">   ", "&le;": "≤   ", "&ge;": "≥   ", "&amp;": "&    ", "&nbsp;": "      "}


def plain(text: str) -> str:
    """The text with escapes, full-width forms, dashes and entities made plain, every offset unchanged."""
    if "&" in text:
        text = re.sub("|".join(_ENTITY), lambda m: _ENTITY[m.group()], text)
    return _FOOTER.sub(lambda m: " " * len(m.group()), text).translate(_PLAIN)


_FOOTER = re.compile(r"(?<=\n)[ \t]*page \d{1,4}(?: of \d{1,4})?[ \t]*(?=\n|\Z)", re.IGNORECASE)
_SIGN = re.compile(
    r"(?P<ge>>\s{0,2}/\s{0,2}=|>\s{0,2}=|=\s{0,2}/?\s{0,2}>|≥\s{0,2}=?|>\s{0,2}or\s{0,2}(?:=|equal(?:\s+to)?)|=\s{0,2}or\s{0,2}>|≥|\+/>|>/\+)"
    r"|(?P<le><\s{0,2}/\s{0,2}[=+]|<\s{0,2}=|=\s{0,2}/?\s{0,2}<|≤\s{0,2}=?|<\s{0,2}or\s{0,2}(?:=|equal(?:\s+to)?)|=\s{0,2}or\s{0,2}<|≤)"
    r"|(?P<gt>>+)|(?P<lt><+)|(?P<eq>=)",
    re.IGNORECASE,
)
_OPERATOR = {"ge": ">=", "le": "<=", "gt": ">", "lt": "<", "eq": "="}
_UNIT_WORD = (
    r"(?:m\s?\^?\s?2|(?:mm|millimet(?:er|re)s?) of mercury|%|percent|percents|kilomet(?:er|re)s?|cigs?|drinks|steps|(?:city\s)?blocks|‰|°\s?[CF]?|º\s?[CF]?|degrees?(?:\s+(?:celsius|fahrenheit|c\b|f\b))?|(?:kilo|milli|micro|nano|deci)?(?:grams?|lit(?:er|re)s?|gm|metres?|meters?|moles?|mol(?:ar)?)|"
    r"(?:mg|gms?|g)\s?%|[kmnpμucd]?g|gms?|mcg|kgs?|lbs?|pounds?|[mnpμuf]?mol|(?-i:[mnpμuf]M)|(?:m|k|μ|u)?[il]u|m?u|units?|international units|meqs?|(?:mc|[dmμu])?l|cc|cmm|cumm|cu\.?\s?mm|mm\s?\^?\s?3|mm³|mm\s{0,12}(?:of\s|/)?hg|[kcmμn]?m|cmh2o|kpa|"
    r"m\s?\^?\s?2|m²|1\.73\s?m\s?\^?\s?2|1\.73\s?m²|min(?:ute)?s?|mn|msec(?:ond)?s?|ms|sec(?:onds?)?|s|24[\s-]?h(?:ou)?rs?|24[\s-]?h|h(?:ou)?rs?|h|days?|d|bpm|beats|breaths|cells?|copies|points?|cgy|gy|ppm|k|"
    r"standard deviations?|SDs?|(?:th|st|nd|rd)?\s?percentiles?|(?:th|st|nd|rd)?\s?centiles?|pack[\s-]?years?|cigarettes?|dioptres?|diopters?|wood\s+units?|WU|cm\s?\^?\s?2|kcal|dl)"
)
_GAP = r"(?:[ \t]{0,3}\n[ \t]{0,40}|\s?)"  # a line of a record may end between a number and its unit
_UNIT = re.compile(rf"{_GAP}(?:(?P<power>[x×*]{_GAP}10\s?[\^e(]?\s?\(?(?P<exponent>\d{{1,2}})\)?){_GAP})?(?P<unit>{_UNIT_WORD}(?:\s?(?:/|\bper\b|\.){_GAP}(?:{_UNIT_WORD}|week|month|year)){{0,3}}|(?:/|per\b)\s?{_UNIT_WORD}(?:\s?/\s?{_UNIT_WORD})?)?(?![a-zA-Z])", re.IGNORECASE)
_LOST_POWER = re.compile(r"\s?[x×*]\s?10(?P<exponent>[3689]|1[02])\s?(?=/)", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?: \d{3})+(?![\d.]|\s*(?:x|×|\*)\s?10)|\d+\.\d+|(?!\d,\d\s*(?:,|or\b|and\b))\d+,\d{1,2}(?!\d)|\.\d+|\d+)(?=(?P<glued>[a-zA-Zμ%×°/]?))")
_SIGNED = re.compile(r"(?:[<>≤≥=]|\b(?:than|to|of|between|and|least|most|above|below))\s*[-+]\Z", re.IGNORECASE)
_ADJUSTED = re.compile(r"(?:\s*(?:and|/|,)\s*(?:sex|gender))?[\s-]*(?:adjusted|matched|appropriate|specific)\b", re.IGNORECASE)  # limits of normal of an age
_YEARS = re.compile(r"\s*(?:years?|yrs?|months?)\b", re.IGNORECASE)
_VERSION = re.compile(r"\bv(?:er(?:sion)?)?\.?\s?\d+(?:\.\d+)*\b", re.IGNORECASE)
_TARGET = re.compile(r"\b(?:BCMA|GPRC5D|Fc[Rr]H5|SLAMF7|CD\d{1,3}[a-z]?|HER-?2|PD-?\(?L?\)?-?[12]|EGFR|FLT3|TROP-?2|Claudin ?18\.2)\b")
_PLUS = re.compile(r"\+(?![\w/+)])|\+(?=\s?(?:years?|yrs?|y)\b)|(?<=\d\d)\+(?=\))")  # "18+", "(65+)"; "(3+)" is a grade
_DEGREE = re.compile(r"\s?([CF])(?![\w-])")
_LEVEL = re.compile(r"\s+(?:levels?|concentrations?)\b")
_BODY = (34, 110)  # degrees of a body, Celsius or Fahrenheit
_PEOPLE = re.compile(r"patients?|subjects?|participants?|(?:fe)?males?|(?:wo)?men|adults?|children|of\b|the\b|other\b|these\b", re.IGNORECASE)
_TIMES = re.compile(r"[x×](?=\s|u|l|\Z)(?!\s?10)", re.IGNORECASE)
_GLUED = re.compile(r"x\s?(?:\d|the|u|ln|norm|inst)|times|fold|st\b|nd\b|rd\b|th\b|and|or|y", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_](?:[\w'’]|[-](?=[^\W_]))*|\d+\w*")
_LETTERS = re.compile(r"[^\W\d_]+")
_COUNTED = re.compile(COUNTED)
_TO_NUMBER = re.compile(r"\s*(?:to|through|until|-)\s*\d")
_COUNT = {"single": 1.0, "once": 1.0, "twice": 2.0}
ROMAN = {"i": 1.0, "ii": 2.0, "iii": 3.0, "iv": 4.0, "v": 5.0}
_SCALED = re.compile(r"(?:class|grade|stage|grades|stages|classes|asa|nyha|degree|score|type|association|classification|status)\W*$|[ivIV]\s*(?:(?:,|or|and|to|-|/|through)\s*)+$")
STOP = frozenset(
    ["a", "an", "the", "of", "to", "in", "on", "at", "for", "by", "with", "as", "is", "are", "was", "were", "be", "been", "being", "this", "that", "these", "those", "their", "his", "her", "its", "it", "which", "has", "have", "had", "having", "do", "does", "did", "will", "would", "should", "must", "may", "can", "could", "there", "other", "another", "than", "then", "so", "such", "also", "only", "same", "own", "per", "via", "into", "onto", "out", "about", "around", "under", "within", "upon", "s", "t", "one's", "any", "all", "each", "every", "some", "both", "either", "more", "most", "very"]
)
_SCALE = re.compile(r"(?:nyha|new york heart|ecog ?\d|grade ?\d)", re.IGNORECASE)  # a scale with its grade is grammar, not a name
_STATES = frozenset(("condition", state) for state in ("pregnancy", "breastfeeding", "smoking"))  # "non-pregnant" denies, "non-ischemic" tells a kind
_PUNCTUATION = frozenset(",;:.()[]{}/-~+!?\"'")


@lru_cache(maxsize=1)
def _lexicon() -> Lexicon[tuple[str, str]]:
    vocabulary = load_vocabulary()
    names: list[tuple[str, tuple[str, str]]] = []
    tables = {"therapy": vocabulary.therapies, "drug": vocabulary.drugs, "condition": vocabulary.conditions, "test": vocabulary.tests, "regimen": vocabulary.regimens}
    for kind, table in tables.items():
        names += [(name, (kind, concept)) for name, concept in names_of(table)]
    names += [(row["marker"], ("condition", row["infection"])) for _, row in read_rows("serology.csv") if row["infection"] in vocabulary.conditions]
    cues = []
    for phrase, cue in load_cues():
        kind, _, concept = cue.value.partition(":")
        if cue.role != "short":
            cues.append((phrase, (cue.role, cue.value)))
        elif concept in tables[kind]:
            cues.append((phrase, (kind, concept)))
        else:
            raise VocabularyError(f'criteria_cues.csv: "{phrase}" stands for "{cue.value}", which has no row; add it first')
    return Lexicon(cues + [n for n in names if not _SCALE.match(n[0])])


def name_of_whole(words: str) -> tuple[str, str] | None:
    """(kind, id) of the concept that all the words name, or None."""
    return next((h.meaning for h in _lexicon().find(words) if (h.start, h.end) == (0, len(words)) and h.meaning[0] in CONCEPTS), None)


def tokens(text: str) -> list[Token]:
    """The tokens of a criterion in order, without overlaps; only spaces lie between them. `text` is as `plain` gives it."""
    found: list[Token] = []
    occupied = bytearray(len(text))

    def take(kind: str, value: Any, start: int, end: int) -> None:
        found.append(Token(kind, value, start, end))
        occupied[start:end] = b"\x01" * (end - start)

    for version in _VERSION.finditer(text):
        take("stop", "version", *version.span())
    hits = _lexicon().find(text)
    for said in _statements(text, hits):
        take("marker" if said.there else "no_marker", said.marker, said.start, said.end)
    for sign in _SIGN.finditer(text):
        if occupied[sign.start()] or (sign.group() == "=" and sign.end() < len(text) and text[sign.end()].isalpha() and sign.start() and text[sign.start() - 1].isalpha()):
            continue
        take("op", _OPERATOR[sign.lastgroup or "eq"], *sign.span())
    hits = [h for h in hits if occupied.find(1, h.start, h.end) < 0]
    named = {place: h for h in hits if h.meaning[0] in CONCEPTS | {"any_of", "target", "anchor"} for place in range(h.start, h.end)}
    for number in _NUMBER.finditer(text):
        start, end = number.span()
        unit = _UNIT.match(text, end)
        value = _value(number.group())
        glued = (_glued(text, end) or _degrees(value, text, end)) if not (unit and unit["unit"]) else None
        if start in named or occupied.find(1, start, end) >= 0 or (number["glued"].isalpha() and not glued and not (unit and unit["unit"]) and not _GLUED.match(text, end)):
            continue
        if start and text[start - 1] == "-" and start > 1 and text[start - 2].isalpha() and not _YEARS.match(text, end):
            continue
        if text[start - 1 : start] in ("-", "+") and _SIGNED.search(text[max(0, start - 12) : start]):
            start, value = start - 1, -value if text[start - 1] == "-" else value
        if _PLUS.match(text, end):
            take("number", value, start, end)
            take("postop", ">=", end, end + 1)
            continue
        lost = _LOST_POWER.match(text, end)
        unit = _UNIT.match(text, lost.end()) if lost else unit
        power = lost["exponent"] if lost else unit["exponent"] if unit and unit["power"] else None
        take("number", value, start, end)
        if _TIMES.match(text, end):
            take("times", "", end, end + 1)
            if (limit := text[end + 1 : end + 4].lower()) in ("uln", "lln"):
                take(limit, "", end + 1, end + 4)
            continue
        if glued and not power:
            take(*glued)
            continue
        if lost and unit and unit["unit"]:
            take("unit", f"10*{lost['exponent']}{unit['unit'].replace(' ', '')}", end, unit.end())
        elif unit and power and unit["unit"]:
            take("unit", f"10*{power}{'' if unit['unit'].startswith('/') else '/'}{unit['unit']}", end, unit.end())
        elif unit and unit["unit"] and not ((hit := named.get(unit.start("unit"))) and hit.end > unit.end("unit")):
            if text[end : unit.end()].strip() != "D" and text[end : unit.end()].strip().lower() in ("days", "day", "d", "h", "hour", "hours", "hrs", "hr"):
                continue  # a duration: the time cue says so
            take("unit", "%" if unit["unit"].lower().startswith("percent") and "ile" not in unit["unit"].lower() else unit["unit"], *unit.span("unit"))
    for hit in hits:
        if occupied.find(1, hit.start, hit.end) < 0:
            adjusted = hit.meaning[0] == "age" and _ADJUSTED.match(text, hit.end)
            take(*(("stop", "age") if adjusted else hit.meaning), hit.start, hit.end)
    for target in _TARGET.finditer(text):
        if occupied.find(1, target.start(), target.end()) < 0:
            take("target", re.sub(r"[-() ]", "", target.group().lower()), *target.span())
    states = {h.start for h in hits if h.meaning in _STATES}
    for word in _WORD.finditer(text):
        if word.group()[:4].lower() == "non-" and word.start() + 4 in states:
            take("neg", "", word.start(), word.start() + 4)
        if occupied.find(1, word.start(), word.end()) >= 0:
            if occupied.find(0, word.start(), word.end()) >= 0:  # "self-reported", of which "reported" is known
                for part in _LETTERS.finditer(text, *word.span()):
                    if occupied.find(1, part.start(), part.end()) < 0:
                        take("stop" if fold(part.group()) in STOP else "word", fold(part.group()), *part.span())
            continue
        folded = fold(word.group())
        ends = re.fullmatch(r"([iv]+)-([iv]+)", folded)
        if ends and ends[1] in ROMAN and ends[2] in ROMAN:
            take("number", ROMAN[ends[1]], word.start(), word.start() + len(ends[1]))
            take("-", "-", word.start() + len(ends[1]), word.start() + len(ends[1]) + 1)
            take("number", ROMAN[ends[2]], word.end() - len(ends[2]), word.end())
        elif folded == "birth" and _TO_NUMBER.match(text, word.end()):
            take("number", 0.0, *word.span())
        elif folded in _COUNT or _COUNTED.fullmatch(folded):
            take("number", _COUNT.get(folded) or float(counted(folded)), *word.span())
        elif folded in ROMAN and _SCALED.search(text[max(0, word.start() - 24) : word.start()].lower()):
            take("number", ROMAN[folded], *word.span())
        else:
            take("stop" if folded in STOP else "word", folded, *word.span())
    place = occupied.find(0)
    while place >= 0:
        if not (char := text[place]).isspace():
            take(char if char in _PUNCTUATION else "word" if char.isalnum() else "stop", char, place, place + 1)
        place = occupied.find(0, place + 1)
    found.sort(key=lambda t: t.start)
    found = [Token(mark := ":" if _label(found[:at]) else ";", mark, t.start, t.end) if t.kind == "-" and _dash(found, at, text) else t for at, t in enumerate(found)]
    found = [Token("op", t.value[0], t.start, t.end) if t.kind == "postop" and found[at + 1 : at + 2] and found[at + 1].value == "than" else t for at, t in enumerate(found)]
    found = [u for at, t in enumerate(found) for u in (_opposed(t) if t.kind == "postop" and t.end - t.start > 1 and found[at + 1 : at + 2] and found[at + 1].kind == "number" else (t,))]
    found = [_measured(t, found[at + 1], text) if t.kind in ("condition", "drug", "subject", "filler") and at + 1 < len(found) else t for at, t in enumerate(found)]
    found = [_endured(t, found[at + 1 : at + 4], text) if t.kind == "test" else t for at, t in enumerate(found)]
    return [_timeless(t, found[at - 1] if at else None, text) if t.kind == "time" else t for at, t in enumerate(found)]


def _glued(text: str, end: int) -> tuple[str, str, int, int] | None:
    """The time or age written onto a number: "45years", "6months", "18yo"."""
    letters = _LETTERS.match(text, end)
    hit = _lexicon().find(letters.group())[:1] if letters else []
    if not hit or letters is None or hit[0].meaning[0] not in ("time", "age") or hit[0].end != len(letters.group()):
        return None
    return *hit[0].meaning, letters.start(), letters.end()


def _degrees(value: float, text: str, end: int) -> tuple[str, str, int, int] | None:
    """The degrees of a temperature of the body: "38.0C", "100.4 F"."""
    degree = _DEGREE.match(text, end) if _BODY[0] <= value <= _BODY[1] else None
    return ("unit", f"°{degree[1]}", *degree.span(1)) if degree else None


def _dash(found: list[Token], at: int, text: str) -> bool:
    """A dash between spaces before a capital begins a new item of a list that lost its lines."""
    token = found[at]
    apart = text[max(0, token.start - 1) : token.start].isspace() and text[token.end : token.end + 1].isspace()
    return apart and 0 < at < len(found) - 1 and found[at - 1].kind not in ("number", ":", "age", "test") and text[found[at + 1].start].isupper()


_LABELS = ("adjective", "organ_name", "therapy")


def _label(before: list[Token]) -> bool:
    """The name of an organ system or a kind of treatment before a dash is a heading: "Pulmonary - No asthma"."""
    return len(before) <= 3 and any(t.kind in _LABELS for t in before) and all(t.kind in (*_LABELS, "filler", "stop") for t in before)


def _statements(text: str, hits: list[Hit[tuple[str, str]]]) -> Iterator[Statement]:
    """What is asked of markers; not where they are part of a longer name ("HER2-positive breast cancer"), nor where a number
    asks another share of cells than makes them positive."""
    concepts = [h for h in hits if h.meaning[0] in CONCEPTS]
    for said in read_statements(text):
        usual = load_vocabulary().markers[said.marker].positive_from
        if said.limit and (said.limit[0] not in (">=", "<") or usual != f"{said.limit[1]:g}%"):
            continue
        if not any(h.start < said.end and said.start < h.end and h.end - h.start > said.end - said.start for h in concepts):
            yield said


@lru_cache(maxsize=1)
def _test_names() -> Lexicon[str]:
    return Lexicon(names_of(load_vocabulary().tests))


def _endured(token: Token, after: list[Token], text: str) -> Token:
    """ "Fever of 39 °C" is a temperature, "fever of 5 days" is not."""
    kinds = [t.kind for t in after if t.kind not in ("op", "postop")]
    return Token("condition", "fever", token.start, token.end) if kinds[:2] == ["number", "time"] and text.startswith(("fever", "Fever"), token.start) else token


def _opposed(token: Token) -> tuple[Token, Token]:
    """ "Below 18 and above 65": the words of "18 and above" begin another limit."""
    joint = "and" if token.value == ">=" else "or"
    return Token(joint, "", token.start, token.start), Token("op", token.value[0], token.start, token.end)


def _measured(token: Token, after: Token, text: str) -> Token:
    """A finding that names its test and is compared is the test: "elevated INR ≥ 1.5"; "ASA 3" is the class, not aspirin,
    "PT and PTT" no patient, "estradiol level" no treatment."""
    if text[token.start : token.end] == "ASA" and after.kind in ("op", "number", "between", "class", "grade"):
        return Token("test", "asa", token.start, token.end)
    if text[token.start : token.end] == "ALL" and _PEOPLE.match(text, after.start):
        return Token("stop", "all", token.start, token.end)
    if text[token.start : token.end] == "PT" and after.kind in ("op", "number", "and", "or", "/", ","):
        return Token("test", "pt", token.start, token.end)
    tests = _test_names().find(text[token.start : token.end]) if after.kind in ("op", "between") or _LEVEL.match(text, token.end) else []
    if token.kind == "subject" or (token.kind in ("drug", "filler") and not (tests and tests[0].end == token.end - token.start)):
        return token
    change = fold(text[token.start : token.end]).rpartition(" ")[2] in ("loss", "gain")  # no level: "weight loss > 10 %"
    return Token("test", tests[-1].meaning, token.start, token.end) if tests and not change else token


def _timeless(token: Token, before: Token | None, text: str) -> Token:
    """A unit of time that follows no number is no duration: "HR > 100", "for years"."""
    if before is not None and (before.kind in ("number", "-", "half_life", "stop", "within", "ever", "postop") or (before.kind == ")" and text[before.start - 1].isdigit())):
        return token
    written = text[token.start : token.end]
    return Token("word" if written.isupper() else "stop", written.lower(), token.start, token.end)


def _value(written: str) -> float:
    """The number written; a comma before one or two digits is a decimal one."""
    if re.fullmatch(r"\d{1,3}(?:[ ,]\d{3})+(?:\.\d+)?", written):
        return float(re.sub("[ ,]", "", written))
    return float(written.replace(",", "."))
