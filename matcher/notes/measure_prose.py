"""Values in running text: "creatinine 1.3 (1.1), sodium 132", "AST / ALT 22 / 19", "M-spike 0.4 -> 1.2 (11/24, 1/25)"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from matcher.domain import PartialDate
from matcher.lexicon import Hit
from matcher.notes.measure_specimen import EXCRETED, ISOTYPES, M_PROTEINS, specimen
from matcher.notes.measure_tail import FLAG, RANGE, RANGED, SPOILED, Series, closing, condition_of, follow, limits_of
from matcher.notes.measure_words import Number, Words, Written
from matcher.quantities import convert
from models import load_vocabulary

# Words that may stand between a name and its value.
_FILL = (
    r"was|is|were|are|of|at|now|today|currently|current|levels?|counts?|values?|results?|remains?|remained|stable|up|down|rising|rose|risen|fell|fallen|falling|"
    r"dropped|drifting|drifted|increased|decreased|improved|improving|recovered|recovering|normali[sz]ed|settled|back|climbing|climbed|creeping|crept|come back|come|came|measured last|went|has|have|been|about|around|approximately|approx\.?|ca\.?|circa|only|"
    r"just|still|again|also|measured|measures|reading|reads|calculated|calc\.?|estimated|est\.?|by|cg|c-g|cockcroft(?:[- ]gault)?|total|serum|plasma|blood|venous|"
    r"abs\.?|absolute|corrected|corr\.?|adjusted|adj\.?|random|fasting|trough|peak|max\.?|per|quantified|equals?|came back|returned|show(?:s|ed|ing)?|"
    r"found|noted|recorded|an?|the|with|to|from|free|(?-i:24 ?-?h(?:(?:ou)?rs?)?)|urine|spot|concentration|percent(?:age)?|rate|in|low|high|elevated|normal|"
    r"on (?:room air|air|ra|oxygen|admission|arrival)|room air|at rest|resting|type|chain|chains|light|band|here|yesterday|this morning|this week|repeat(?:ed)?|latest|last|recent|most recent"
)
_LINK = re.compile(rf"(?>(?:[ \t]+|[:=|~≈#]+|\.{{2,}}|\*(?=[ \t])|(?=[a-z2])(?:{_FILL})(?![\w/])|[-–—]{{1,2}}(?=[ \t\d<>.~])|\b[HL](?=[ \t]+\d)|,(?=[ \t]?\d+(?:\.\d+)?[ \t]?(?:%|[a-zµ]+/))|\r?\n[ \t]{{0,12}}(?=\d+(?:[.,]\d+)?[ \t]*(?:[%,;)(a-zA-Z\r\n]|$)))*)", re.IGNORECASE)
_WORDED = re.compile(r"(?:[ \t,]+[A-Za-z'’/-]+){1,7}?[ \t~≈:]+(?=[<>]?\d)")
_AWAY = re.compile(r"\b(?:if|under|below|above|over|by|increase|rise|drop|every|than|not|no|until|fall|reduction|decrease|iv|po|dose|daily|mg|infus\w+|replace\w*|given|bcma|gprc5d|fcrh5|cd\d+|weigh\w*|max)\b", re.IGNORECASE)


_OFTEN_OVER = frozenset({"egfr", "creatinine_clearance", "spo2", "ferritin", "d_dimer"})  # reported as above the last step of the scale
_SIDE = re.compile(r"\b(?:under|below|over|above)\s*$", re.IGNORECASE)
_BLOOD_PRODUCT = re.compile(r"\b(?:PRBCs?|pRBCs?|FFP|cryo)[ \t]*(?:x ?)?\d{0,2}(?: units?)?(?:,|\+|/| and)[ \t]*$")  # "PRBC 1, plt 1": units given
_BY = re.compile(r"\b(?:up|down|loss|lost|gain(?:ed)?|dropped|fell)\b(?! (?:to|at)\b)[^\d]{0,12}\Z", re.IGNORECASE)
_FLAG_LETTER = re.compile(r"[HL]\b")
_NUMBER_AHEAD = re.compile(r"[ \t]*[:=|]?[ \t]*[<>]?\d")


_BLOOD_COUNTS = frozenset({"hemoglobin", "wbc", "anc", "alc", "platelets"})


_VITAL_SIGNS = frozenset({"blood_pressure", "heart_rate", "respiratory_rate", "temperature", "spo2", "weight", "height"})
_QUALIFIED = re.compile(r"[ \t]*[(\[][^)\]\n\d]{0,28}")
_CLOSES = re.compile(r"[^)\]\n\d]{0,30}(?:(?:19|20)\d\d)?[)\]]")
_JOINT = re.compile(r"[ \t]*(?:/|,|&|\band\b)[ \t]*")
_OPENED = re.compile(r"[ \t]*\(")
_RANGE_GOES_ON = re.compile(r"[-–]\d")
_INCHES = re.compile(r"[ ]?(?:in\b\.?|\"|″)(?=[ ]?(?:[,;.)/|\n]|$))")
_GROUPED = ("/", "&", "and")


_PANELS = {  # strips without names, by number of values
    ("cbc", 3): ("wbc", "hemoglobin", "platelets"),
    ("cbc", 4): ("wbc", "hemoglobin", "hematocrit", "platelets"),
    ("bmp", 7): ("sodium", "potassium", "chloride", "bicarbonate", "bun", "creatinine", "glucose"),
}
_PANEL_NAMES = ("cbc", "fbc", "bmp", "chem", "smac")
_PANEL = re.compile(r"(?P<name>cbc|fbc|bmp|chem ?-?7|smac)\b(?:[ \t]+(?:on |from )?\(?\d{1,2}/\d{1,2}(?:/\d{2,4})?\)?)?[ \t:=-]*(?P<strip>\d+(?:\.\d+)?(?:[ \t]?[/|\\<>][ \t]?\d+(?:\.\d+)?){2,6})(?![\d/])")


def prose(words: Words, covered: bytearray) -> Iterator[Written]:
    """Every value that follows its name, where `covered` (a flag a character) does not say that a table holds the name."""
    names = [n for n in words.names if not covered[n.start]]
    at = 0
    while at < len(names):
        group = _group(words, names, at)
        at += len(group)
        while at < len(names) and _QUALIFIED.fullmatch(words.text, group[-1].end, names[at].start) and _CLOSES.match(words.text, names[at].end):
            at += 1  # a name within the bracket that qualifies this one: "clearance (Cockcroft-Gault) 38"
        yield from _values(words, group, names[at] if at < len(names) else None)
    yield from _panels(words)
    yield from _skeletons(words)


def _group(words: Words, names: list[Hit[str]], at: int) -> list[Hit[str]]:
    """The names joined as in "AST / ALT", or an M-protein with the isotype that follows it."""
    group = [names[at]]
    for following in names[at + 1 : at + 7]:
        between = words.text[group[-1].end : following.start]
        absorbed = group[0].meaning in M_PROTEINS and following.meaning in (ISOTYPES | M_PROTEINS) and re.fullmatch(r"[ \t(,]*(?:type |protein )?", between)
        joined = between.strip(" \t").lower() in _GROUPED and ("/" in between or not _VITAL_SIGNS & {group[0].meaning, following.meaning})
        if not absorbed and not joined:
            break
        if absorbed and any(n.meaning not in M_PROTEINS | ISOTYPES for n in group):
            break
        group.append(following)
    return group


def _values(words: Words, group: list[Hit[str]], following: Hit[str] | None) -> Iterator[Written]:
    first = group[0]
    tests = [n.meaning for n in group]
    if tests[0] in M_PROTEINS and all(t in ISOTYPES | M_PROTEINS for t in tests):
        tests = tests[:1]
    if tests == ["flc_ratio"] and first.end - first.start <= 8 and not _light_chain_before(words, first):
        return
    reading = Series(tests[0], (first.start, group[-1].end), group[-1].end)
    number = _link(words, reading, following)
    if number is None:
        if tests[0] in M_PROTEINS or tests[0] in ("kappa_flc", "lambda_flc"):
            yield from _value_before(words, first, tests[0])
        return
    if tests[0] == "blood_pressure" or tests == ["respiratory_rate"] or len(tests) > 1 or tests == ["flc_ratio"]:
        slashed = _slashed(words, number, max(2, len(tests)))
        if tests[0] in ("blood_pressure", "respiratory_rate") and len(slashed) == 2:
            tests = ["systolic_bp", "diastolic_bp"]
        elif tests == ["flc_ratio"] and len(slashed) == 2:
            tests = ["kappa_flc", "lambda_flc"]
        if len(slashed) == len(tests) > 1:
            yield from _strip(words, reading, tests, slashed)
            return
        if len(set(tests)) > 1:  # "Quick / INR 1.3"
            reading.test = tests[-1]
    if tests[0] == "blood_pressure" or not _acceptable(words, reading, number):
        return
    follow(words, reading, number, following)
    yield from _settled(words, reading)


def _light_chain_before(words: Words, name: Hit[str]) -> bool:
    return bool(re.search(r"kappa|lambda|lamda|flc|klc|llc|light chain|κ|λ", words.plain[max(0, name.start - 160) : name.start]))


def _link(words: Words, reading: Series, following: Hit[str] | None) -> Number | None:
    """Steps from the name to its value over filling words, brackets, a date, a unit; None where no value follows."""
    text, start = words.text, reading.place
    bracket: tuple[int, int] | None = None
    limit = min(len(text), start + 90)
    while reading.place < limit:
        place = _LINK.match(text, reading.place).end()  # type: ignore[union-attr]
        if following is not None and place > following.start:
            return None
        said = text[reading.place : place].lower()
        reading.earlier = reading.earlier or "from" in said or "peak" in said
        reading.place = place
        if (number := words.number(place)) and (bracket is None or number.start - bracket[1] < 40):
            return number
        if mention := words.date_at.get(place):
            reading.date, reading.place = words.day(mention), mention.end
            continue
        if place < len(text) and text[place] in "([":
            closed = closing(text, place)
            if closed is None:
                return None
            inside = text[place + 1 : closed]
            dates = [d for d in words.dates_within(place, closed) if d.date.month]
            if dates:
                reading.date = words.day(dates[-1])
            elif (unit := words.unit(place + 1)) and unit[1] == closed:
                reading.unit = unit[0]
            elif limits := RANGE.fullmatch(inside.strip()):
                reading.low, reading.high = limits_of(words, limits)
            elif bracket is None:
                bracket = (place, closed)
            reading.place = closed + 1
            continue
        if (unit := words.unit(place)) and place > start and _NUMBER_AHEAD.match(text, unit[1]):
            reading.unit, reading.place = unit
            continue
        if bracket is None and (worded := _WORDED.match(text, reading.place)) and (following is None or worded.end() <= following.start):
            number = words.number(worded.end())
            unit = words.unit(number.end) if number else None
            if number and unit and convert(1.0, unit[0], reading.test) is not None and not _AWAY.search(worded.group()):
                reading.earlier = reading.earlier or bool(re.search(r"\bfrom\b", worded.group()))
                return number
        break
    if bracket is not None and (number := words.number(bracket[0] + 1)):
        rest = text[number.end : bracket[1]]
        unit = words.unit(number.end)
        if not rest.strip(" HL*") or (unit and not text[unit[1] : bracket[1]].strip(" HL*,")):
            reading.place = bracket[0] + 1
            return number
    return None


def _acceptable(words: Words, reading: Series, number: Number) -> bool:
    """Whether a number after a name is its value: no limit someone set, no count of days, no part of a longer number."""
    text = words.text
    name = reading.name[0]
    clause = max(words.clause_start(name), name - 80, 0)
    if words.says("conditional", clause, name) or words.says("conditional", reading.name[1], number.start):
        return False
    if number.comparator:
        if reading.test in ("weight", "height"):
            return False
        if reading.test == "spo2" and number.comparator[0] == "<":
            return False
        if reading.test in _BLOOD_COUNTS and words.says("loosely_conditional", clause, name):
            return False
        if number.comparator[0] == ">" and (reading.test in _BLOOD_COUNTS or (reading.test not in _OFTEN_OVER and not words.unit(number.end))):
            return False
        if words.doc.section_at(number.start).kind == "plan" and reading.test in _BLOOD_COUNTS:
            return False
    if _SIDE.search(text, max(0, number.start - 8), number.start):
        return False
    if reading.test == "weight" and _BY.search(words.text, reading.name[1], number.start):
        return False
    if reading.test == "platelets" and not words.unit(number.end) and _BLOOD_PRODUCT.search(text, clause, name):
        return False
    if words.retracted(number.end):
        return False
    if words.unit(number.end):
        return True
    after = text[number.end : number.end + 1]
    if after.isalpha() and not _FLAG_LETTER.match(text, number.end):
        return False
    if after and after in "'′":
        return False  # feet
    if after == "/" and text[number.end + 1 : number.end + 2].isdigit() and not _out_of_most(reading.test, text[number.end + 1 : number.end + 6]):
        return _BESIDE_EARLIER.search(text, words.doc.line_at(number.start)[0], number.start) is not None
    if _RANGE_GOES_ON.match(text, number.end) and reading.test not in RANGED:
        return False
    return not SPOILED.match(text, number.end)


_BESIDE_EARLIER = re.compile(r"/ ?(?:yest\w*|y'?day|prev\w*|prior|last|baseline|adm\w*)\b[^\n:]{0,12}:", re.IGNORECASE)  # "Labs 0400 / yest: WBC 0.3/0.2"


def _out_of_most(test: str, after: str) -> bool:
    """A score told out of the most it can be: "GCS 6/15", "MMSE 24/30"."""
    row, most = load_vocabulary().tests.get(test), re.match(r"\d+(?![\d/])", after)
    return row is not None and row.unit == "1" and most is not None and float(most.group()) == row.high


def _slashed(words: Words, number: Number, most: int) -> list[tuple[Number, tuple[str, int] | None]]:
    """Numbers joined by slashes (or by "and", a dash for ranges excluded), each with the unit at its end."""
    found = [(number, words.unit(number.end))]
    while len(found) < most:
        last, unit = found[-1]
        place = unit[1] if unit else last.end
        if flag := FLAG.match(words.text, place):
            place = flag.end()
        joint = _JOINT.match(words.text, place)
        if joint is None:
            # a slash can have been read as the beginning of a unit, as in 1.0/29 s
            return found
        following = words.number(joint.end())
        if following is None:
            return found
        found.append((following, words.unit(following.end)))
    return found


def _strip(words: Words, reading: Series, tests: list[str], slashed: list[tuple[Number, tuple[str, int] | None]]) -> Iterator[Written]:
    last_unit = next((unit for _, unit in reversed(slashed) if unit), None)
    end = slashed[-1][1][1] if slashed[-1][1] else slashed[-1][0].end
    date = reading.date or _date_after(words, end)
    for test, (number, unit) in zip(tests, slashed, strict=True):
        code = unit or last_unit
        stop = unit[1] if unit else number.end
        shared = code[0] if code and (unit or convert(1.0, code[0], test) is not None) else reading.unit
        yield Written(test, number.start, stop, number.readings, shared, number.comparator, reading.name, date)


def _date_after(words: Words, place: int) -> PartialDate | None:
    opened = _OPENED.match(words.text, place)
    mention = words.date_at.get(opened.end()) if opened else None
    return words.day(mention) if mention and words.text[mention.end : mention.end + 1] == ")" else None


_BASELINE = re.compile(r"base(?<!\w....)-?line (?:\w+ )?$")  # this and the next in small letters
_UNTIL = re.compile(r"[^.;,\n\d]{0,12}\b(?:till|until|up to|before|as of last|last)\b(?! now| today| date)")  # "creat 1.0 till March"


def _settled(words: Words, reading: Series) -> Iterator[Written]:
    """The values with what they share: the unit written once, the range, urine's M-protein, what oxygen was measured on."""
    unit = next((v.unit for v in reversed(reading.values) if v.unit), None) or reading.unit
    contrasted = any(v.date for v in reading.values)
    for value in reading.values:
        test = specimen(words, value, unit)
        if test is None:
            continue
        condition = value.condition
        if test == "spo2" and condition is None:
            after = words.text[value.end : value.end + 40].split("\n")[0]
            condition = condition_of(re.split(r"[,;.](?:\s|$)", after)[0]) or condition_of(words.text[reading.name[1] : value.start])
        if value.date is None and (_UNTIL.match(words.doc.lowered, value.end) or _BASELINE.search(words.doc.lowered, max(0, reading.name[0] - 16), reading.name[0])):
            value.earlier = True
        value.now = contrasted and not value.earlier and value is reading.values[-1]
        value.test, value.unit = test, None if test == "flc_ratio" else value.unit or unit
        value.low, value.high, value.condition = reading.low, reading.high, condition
        if test == "height" and value.unit is None and _INCHES.match(words.text, value.end):
            value.unit = "[in_i]"
        yield value


def _value_before(words: Words, name: Hit[str], test: str) -> Iterator[Written]:
    """ "620 mg M-protein", "a 2.3 g/dL IgG kappa M-spike": the value stands before the name."""
    window = words.text[max(0, name.start - 40) : name.start]
    for m in reversed(list(re.finditer(r"[<>]?\d[\d.,]*", window))):
        number = words.number(max(0, name.start - 40) + m.start())
        unit = words.unit(number.end) if number else None
        if number is None or unit is None or (test not in M_PROTEINS and unit[0] not in EXCRETED):
            continue
        if re.fullmatch(r"[ \t]*(?:(?:of|an?|the|monoclonal|serum|urine|urinary|lambda|kappa|IgG|IgA|IgM|faint|small|total)[ \t-]*)*", words.text[unit[1] : name.start], re.IGNORECASE):
            value = Written(test, number.start, unit[1], number.readings, unit[0], number.comparator, (name.start, name.end))
            kind = specimen(words, value, unit[0])
            if kind:
                value.test = kind
                yield value
        return


_SKELETON = re.compile(
    r"(?<![\d.])(?P<wbc>\d{1,3}(?:\.\d{1,2})?)[ ]?>[ ]?(?P<hemoglobin>\d{1,2}\.\d)(?:[ ]?/[ ]?\d{2}(?:\.\d)?)?[ ]?<[ ]?(?P<platelets>\d{1,4})(?![\d.])"
    r"|(?<![\d.])(?P<sodium>1[0-7]\d)[ ]?[/|][ ]?(?P<potassium>[1-9]\.\d)[ ]?[/|][ ]?(?P<chloride>\d{2,3})[ ]?[/|][ ]?(?P<bicarbonate>\d{1,2})[ ]?[/|][ ]?(?P<bun>\d{1,3})[ ]?[/|][ ]?(?P<creatinine>\d{1,2}\.\d{1,2})[ ]?<[ ]?(?P<glucose>\d{2,3})(?![\d.])"
    r"|(?<![\d.])(?P<sodium2>1[0-7]\d)[ ]?\|[ ]?(?P<chloride2>\d{2,3})[ ]?\|[ ]?(?P<bun2>\d{1,3})[ ]?(?:<[ ]?(?P<glucose2>\d{2,3})[ ]?)?(?:\n[ \t]*|/[ ]?)(?P<potassium2>[1-9]\.\d)[ ]?\|[ ]?(?P<bicarbonate2>\d{1,2})[ ]?\|[ ]?(?P<creatinine2>\d{1,2}\.\d{1,2})(?:[ ]?<[ ]?(?P<glucose3>\d{2,3}))?")

_BAR = re.compile(r"[<>|](?= ?\d)(?:(?<=\d.)|(?<=\d .))")  # every skeleton has one, few notes have


def _skeletons(words: Words) -> Iterator[Written]:
    """The strips of the ward, told by their form: "3.2 > 9.8 / 29.1 < 120" and "138 / 4.1 | 102 / 24 | 18 / 0.9 < 98"."""
    if not (("<" in words.text or "|" in words.text) and _BAR.search(words.text)):
        return
    for m in _SKELETON.finditer(words.text):
        for test, value in m.groupdict().items():
            if value is not None:
                start, end = m.span(test)
                yield Written(test.rstrip("23"), start, end, (float(value),), name=(m.start(), start))


def _panels(words: Words) -> Iterator[Written]:
    """Strips whose names are understood: "CBC 3.9/9.8/112", "BMP 138/4.4/102/24/31/1.7/140"."""
    for m in filter(None, (_PANEL.match(words.plain, place) for place in words.doc.places(_PANEL_NAMES))):
        panel = "cbc" if m.group("name") in ("cbc", "fbc") else "bmp"
        parts = list(re.finditer(r"\d+(?:\.\d+)?", m.group("strip")))
        for test, part in zip(_PANELS.get((panel, len(parts)), ()), parts, strict=False):
            start = m.start("strip") + part.start()
            yield Written(test, start, start + len(part.group()), (float(part.group()),), name=(m.start("name"), m.end("name")))
