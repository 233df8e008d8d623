"""Values in running text: "creatinine 1.3 (1.1), sodium 132", "AST / ALT 22 / 19", "M-spike 0.4 -> 1.2 (11/24, 1/25)"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from matcher.domain import PartialDate
from matcher.lexicon import Hit
from matcher.notes.measure_words import Number, Words, Written
from matcher.quantities import convert, numbers

# Words that may stand between a name and its value.
_FILL = (
    r"was|is|were|are|of|at|now|today|currently|current|levels?|counts?|values?|results?|remains?|remained|stable|up|down|rising|rose|risen|fell|fallen|falling|"
    r"dropped|drifting|increased|decreased|improved|improving|climbing|climbed|creeping|crept|come back|come|came|measured last|went|has|have|been|about|around|approximately|approx\.?|ca\.?|circa|only|"
    r"just|still|again|also|measured|measures|reading|reads|calculated|calc\.?|estimated|est\.?|by|cg|c-g|cockcroft(?:[- ]gault)?|total|serum|plasma|blood|venous|"
    r"abs\.?|absolute|corrected|corr\.?|adjusted|adj\.?|random|fasting|trough|peak|max\.?|per|quantified|equals?|came back|returned|show(?:s|ed|ing)?|"
    r"found|noted|recorded|an?|the|with|to|from|free|(?-i:24 ?-?h(?:(?:ou)?rs?)?)|urine|spot|concentration|percent(?:age)?|rate|in|low|high|elevated|normal|"
    r"on (?:room air|air|ra|oxygen|admission|arrival)|room air|at rest|resting|type|chain|chains|light|band|here|yesterday|this morning|this week|repeat(?:ed)?|latest|last|recent|most recent"
)
_LINK = re.compile(rf"(?>(?:[ \t]+|[:=|~≈#]+|\.{{2,}}|\*(?=[ \t])|(?:{_FILL})(?![\w/])|[-–—]{{1,2}}(?=[ \t\d<>.~])|\b[HL](?=[ \t]+\d)|,(?=[ \t]?\d+(?:\.\d+)?[ \t]?(?:%|[a-zµ]+/))|\r?\n[ \t]{{0,12}}(?=\d+(?:[.,]\d+)?[ \t]*(?:[%,;)(a-zA-Z\r\n]|$)))*)", re.IGNORECASE)
_WORDED = re.compile(r"(?:[ \t,]+[A-Za-z'’/-]+){1,7}?[ \t~≈:]+(?=[<>]?\d)")
_AWAY = re.compile(r"\b(?:if|under|below|above|over|by|increase|rise|drop|every|than|not|no|until|fall|reduction|decrease|iv|po|dose|daily|mg|infus\w+|replace\w*|given|weigh\w*|max)\b", re.IGNORECASE)
FLAG = re.compile(r"[ \t]*(?:\((?:[HLC]{1,2}|[v^*↑↓]|high|low)\)|[*↑↓^!†#]+|\b(?:HH|LL|[HLC]|high|low|hi|lo)\b(?!/)(?![ \t]*(?:[A-Za-z]{2,} |[=:])))", re.IGNORECASE)
_ARROW = re.compile(r"\s{0,3}(?:-{1,2}>|→|➔|⇒|=>|>{2}|\bto\b|,? (?:and )?then\b|,? rising to|,? falling to|[;,]? (?:but |and )?(?:has |is )?now\b)(?:\s*(?:now|up|down|back|recovered|improved|normali[sz]ed|increased|decreased|fallen|risen|dropped|about|at|is|to)\b)*\s*", re.IGNORECASE)
_FROM = re.compile(r",?\s*(?:\(?(?:up|down|rising|improved|increased|decreased|risen|rose|fell)?\s*from|vs\.?|versus|was|previously|prior|prev\.?|formerly|compared (?:to|with))\s+", re.IGNORECASE)
_CHAIN = re.compile(r"\s*[;,]\s*(?:and\s+)?(?:now\s+|then\s+)?", re.IGNORECASE)
_WHEN = re.compile(r",?[ \t]*(?:(?:on|in|from|at|as of|of|by echo|since|drawn|dated|back in)[ \t]+)?(?:early |late |mid-?)?", re.IGNORECASE)
_BEFORE_NOW = re.compile(r"[ \t]*,?[ \t]*(?:at (?:diagnosis|dx|presentation|baseline|onset|relapse|start|the start|progression|outset)|on (?:admission|admit|arrival|presentation)|"
                         r"before\b|pre-?op|pre-?transplant|after (?:\w+ )?(?:two|three|four|five|six|\d+)\b(?: cycles?)?|initially|previously|at nadir|nadir|last (?:visit|time|month|year))", re.IGNORECASE)
RANGE = re.compile(r"[ \t]*(?:(?:ref(?:erence)?(?:[ \t]range)?|normal(?:[ \t]range)?|range|nl|n|norm)[ \t]*[:.=]?[ \t]*)?(?P<low>\d+(?:[.,]\d+)*)[ \t]?[-–—][ \t]?(?P<high>\d+(?:[.,]\d+)*)", re.IGNORECASE)
_RANGE_ONLY = re.compile(RANGE.pattern + r"[ \t]*[^\d]{0,16}(?:1[.,]73 ?m.{0,2})?", re.IGNORECASE)
LIMIT = re.compile(r"[ \t]*(?:(?P<word>uln|upper limit(?: of normal)?|ref(?:erence)?|normal|nl|n|lln)[ \t]*[:.=]?[ \t]*(?P<cmp>[<>≤≥]=?)?|(?P<cmp2>[<>≤≥]=?))[ \t]*(?P<limit>\d+(?:[.,]\d+)*)", re.IGNORECASE)
_SPOILED = re.compile(r"[ \t]*(?:days?|weeks?|wks?|months?|mos?|years?|yrs?|cycles?|times|units?|doses?|hours?|hrs?|lines?|pack|tabs?|tablets?|visits|draws|points|occasions|consecutive|tests|samples|siblings|of|fold|L\b(?=[ \t]*(?:NC|O2|nasal|oxygen|/min))|x(?=\s))\b|[ \t]?[x×][ \t]?\d|(?:st|nd|rd|th)\b", re.IGNORECASE)
_CONDITIONAL = re.compile(r"\b(?:if|unless|until|till|as long as|goal|target|threshold|transfuse|parameters|once|exceeds?|aim(?:ing)?|trigger|whenever|provided|in case|cut-?off|keep|maintain|fall(?:s|ing)? (?:under|below)|stay(?:s)? (?:above|below|over|under)|criteri\w+|eligib\w+|requires? (?:a|an)\b|wants?)\b", re.IGNORECASE)
_LOOSE_CONDITIONAL = re.compile(r"\b(?:when|while|hold|should|requir\w+|need\w*|must|ensure|stop|for|with|at)\b", re.IGNORECASE)
_OFTEN_OVER = frozenset({"egfr", "creatinine_clearance", "spo2", "ferritin", "d_dimer"})  # reported as above the last step of the scale
RETRACTED = re.compile(r"[^.;\n]{0,30}\b(?:typo|typing error|(?:in|an?|was|lab|entry|charting) error|erroneous\w*|incorrect\w*|mistake\w*|belong(?:s|ed) to (?:another|a different)|another patient|misread|spurious)\b", re.IGNORECASE)
_BLOOD_COUNTS = frozenset({"hemoglobin", "wbc", "anc", "alc", "platelets"})
ISOTYPES = frozenset({"igg", "iga", "igm", "kappa_flc", "lambda_flc"})
M_PROTEINS = frozenset({"serum_m_protein", "urine_m_protein"})
_RANGED = frozenset({"lvef", "spo2", "bone_marrow_plasma_cells", "bcma_expression"})
_QUALIFIED = re.compile(r"[ \t]*[(\[][^)\]\n\d]*")
_GROUPED = re.compile(r"[ \t]*(?:/|&|\band\b)[ \t]*", re.IGNORECASE)
_STUDIES = frozenset({"echo", "tte", "muga", "echocardiogram"})
_OTHER_FLUID = re.compile(r"\b(?:CSF|cerebrospinal|LP\b|lumbar puncture|ascit\w+|pleural|peritoneal|synovial|pericardial|joint) ?(?:fluid|tap)?\b[^.;\n]{0,60}$|\b(?:urinalysis|UA)\b(?![ \t:]*\d)[^.;\n]{0,40}$", re.IGNORECASE)
_IN_FLUIDS = frozenset({"wbc", "rbc", "anc", "alc", "glucose", "total_protein", "albumin", "ldh", "bone_marrow_plasma_cells"})
_URINE = re.compile(r"\b(?:urin\w*|upep|24.?h\w*|bence|bj[lp]?|uife|proteinuria)\b", re.IGNORECASE)
_EXCRETED = ("mg", "g", "mg/(24.h)", "g/(24.h)")
_PANELS = {  # strips without names, by number of values
    ("cbc", 3): ("wbc", "hemoglobin", "platelets"),
    ("cbc", 4): ("wbc", "hemoglobin", "hematocrit", "platelets"),
    ("bmp", 7): ("sodium", "potassium", "chloride", "bicarbonate", "bun", "creatinine", "glucose"),
}
_PANEL = re.compile(r"\b(?P<name>cbc|fbc|bmp|chem ?-?7|smac)\b[ \t:=-]*(?P<strip>\d+(?:\.\d+)?(?:[ \t]?[/|\\<>][ \t]?\d+(?:\.\d+)?){2,6})(?![\d/])", re.IGNORECASE)


@dataclass
class _Reading:
    """Values of one test read so far, oldest first as written, and where reading goes on."""

    test: str
    name: tuple[int, int]
    place: int
    date: PartialDate | None = None
    unit: str | None = None
    earlier: bool = False
    values: list[Written] = field(default_factory=list)
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


def prose(words: Words, covered: bytearray) -> Iterator[Written]:
    """Every value that follows its name, where `covered` (a flag a character) does not say that a table holds the name."""
    names = [n for n in words.names if not covered[n.start]]
    at = 0
    while at < len(names):
        group = _group(words, names, at)
        at += len(group)
        while at < len(names) and _QUALIFIED.fullmatch(words.text, group[-1].end, names[at].start) and names[at].start - group[-1].end < 30:
            at += 1  # a name within the bracket that qualifies this one: "clearance (Cockcroft-Gault) 38"
        yield from _values(words, group, names[at] if at < len(names) else None)
    yield from _panels(words)


def _group(words: Words, names: list[Hit[str]], at: int) -> list[Hit[str]]:
    """The names joined as in "AST / ALT", or an M-protein with the isotype that follows it."""
    group = [names[at]]
    for following in names[at + 1 : at + 7]:
        between = words.text[group[-1].end : following.start]
        absorbed = group[0].meaning in M_PROTEINS and following.meaning in (ISOTYPES | M_PROTEINS) and re.fullmatch(r"[ \t(,]*(?:type |protein )?", between)
        if not absorbed and not _GROUPED.fullmatch(between):
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
    reading = _Reading(tests[0], (first.start, group[-1].end), group[-1].end)
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
    _tail(words, reading, number, following)
    yield from _settled(words, reading)


def _light_chain_before(words: Words, name: Hit[str]) -> bool:
    return bool(re.search(r"kappa|lambda|lamda|flc|light chain|κ|λ", words.plain[max(0, name.start - 160) : name.start]))


def _link(words: Words, reading: _Reading, following: Hit[str] | None) -> Number | None:
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
            closed = _closing(text, place)
            if closed is None:
                return None
            inside = text[place + 1 : closed]
            dates = words.dates_within(place, closed)
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
        if (unit := words.unit(place)) and place > start and re.match(r"[ \t]*[:=|]?[ \t]*[<>]?\d", text[unit[1] :]):
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


def _closing(text: str, opened: int) -> int | None:
    """Where a bracket closes: on its line, within 80 characters."""
    close = {"(": ")", "[": "]"}[text[opened]]
    end = text.find(close, opened + 1, opened + 80)
    inner = text.find(text[opened], opened + 1, end)
    if inner >= 0 and end >= 0:
        end = text.find(close, end + 1, opened + 100)
    return None if end < 0 or "\n" in text[opened:end] else end


def _acceptable(words: Words, reading: _Reading, number: Number) -> bool:
    """Whether a number after a name is its value: no limit someone set, no count of days, no part of a longer number."""
    text = words.text
    clause = re.split(r"[.;\n](?:\s|$)", text[max(0, reading.name[0] - 80) : reading.name[0]])[-1]
    between = text[reading.name[1] : number.start]
    if _CONDITIONAL.search(clause) or _CONDITIONAL.search(between):
        return False
    if number.comparator:
        if _LOOSE_CONDITIONAL.search(clause) and reading.test in _BLOOD_COUNTS:
            return False
        if number.comparator[0] == ">" and (reading.test in _BLOOD_COUNTS or (reading.test not in _OFTEN_OVER and not words.unit(number.end))):
            return False
        if words.doc.section_at(number.start).kind == "plan" and reading.test in _BLOOD_COUNTS:
            return False
    if re.search(r"\b(?:under|below|over|above)\s*$", text[max(0, number.start - 8) : number.start], re.IGNORECASE):
        return False
    if RETRACTED.match(text, number.end):
        return False
    if words.unit(number.end):
        return True
    after = text[number.end : number.end + 1]
    if after.isalpha() and not re.match(r"[HL]\b", text[number.end :]):
        return False
    if after == "/" and text[number.end + 1 : number.end + 2].isdigit():
        return False
    if re.match(r"[-–]\d", text[number.end : number.end + 2]) and reading.test not in _RANGED:
        return False
    return not _SPOILED.match(text, number.end)


def _slashed(words: Words, number: Number, most: int) -> list[tuple[Number, tuple[str, int] | None]]:
    """Numbers joined by slashes (or by "and", a dash for ranges excluded), each with the unit at its end."""
    found = [(number, words.unit(number.end))]
    while len(found) < most:
        last, unit = found[-1]
        place = unit[1] if unit else last.end
        if flag := FLAG.match(words.text, place):
            place = flag.end()
        joint = re.compile(r"[ \t]*(?:/|,|&|\band\b)[ \t]*").match(words.text, place)
        if joint is None:
            # a slash can have been read as the beginning of a unit, as in 1.0/29 s
            return found
        following = words.number(joint.end())
        if following is None:
            return found
        found.append((following, words.unit(following.end)))
    return found


def _strip(words: Words, reading: _Reading, tests: list[str], slashed: list[tuple[Number, tuple[str, int] | None]]) -> Iterator[Written]:
    last_unit = next((unit for _, unit in reversed(slashed) if unit), None)
    end = slashed[-1][1][1] if slashed[-1][1] else slashed[-1][0].end
    date = reading.date or _date_after(words, end)
    for test, (number, unit) in zip(tests, slashed, strict=True):
        code = unit or last_unit
        stop = unit[1] if unit else number.end
        yield Written(test, number.start, stop, number.readings, code[0] if code else reading.unit, number.comparator, reading.name, date)


def _date_after(words: Words, place: int) -> PartialDate | None:
    opened = re.compile(r"[ \t]*\(").match(words.text, place)
    mention = words.date_at.get(opened.end()) if opened else None
    return words.day(mention) if mention and words.text[mention.end : mention.end + 1] == ")" else None


def _tail(words: Words, reading: _Reading, number: Number, following: Hit[str] | None) -> None:
    """Reads what follows a first value: its unit, flag, range, date, and further values of other days."""
    text = words.text
    _add(words, reading, number, reading.date, reading.earlier)
    stop = min(len(text), number.start + 400, following.start if following else len(text))
    while reading.place < stop:
        place = reading.place
        for step in (_unit_step, _flag_step, _range_step, _bracket_step, _arrow_step, _date_step, _from_step, _chain_step):
            step(words, reading, stop)
            if reading.place != place:
                break
        else:
            return


def _add(words: Words, reading: _Reading, number: Number, date: PartialDate | None, earlier: bool) -> None:
    unit = words.unit(number.end)
    end = unit[1] if unit else number.end
    reading.place = end
    reading.values.append(Written(reading.test, number.start, end, number.readings, unit[0] if unit else None, number.comparator, reading.name, date, earlier))


def _unit_step(words: Words, reading: _Reading, stop: int) -> None:
    last = reading.values[-1]
    if last.unit is None and (unit := words.unit(reading.place)) and unit[1] <= stop:
        reading.values[-1] = replace(last, unit=unit[0])
        reading.place = unit[1]


def _flag_step(words: Words, reading: _Reading, stop: int) -> None:
    if (flag := FLAG.match(words.text, reading.place)) and flag.end() <= stop:
        reading.place = flag.end()


def _range_step(words: Words, reading: _Reading, stop: int) -> None:
    """A reference range after the value: named, or in its own column."""
    text, place = words.text, reading.place
    limits = RANGE.match(text, place) or LIMIT.match(text, place)
    if limits is None or limits.end() > stop or words.date_at.get(limits.start() + len(limits.group()) - len(limits.group().lstrip())):
        return
    if text[place : place + 2] not in ("  ", "\t") and not re.match(r"[ \t]*[A-Za-z]", limits.group()):
        return
    reading.low, reading.high = limits_of(words, limits)
    reading.place = limits.end()


def limits_of(words: Words, limits: re.Match[str]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The readings of the lower and of the upper limit of a reference range."""
    found = limits.groupdict()
    if "high" in found:
        return numbers(found["low"], words.decimal_comma), numbers(found["high"], words.decimal_comma)
    value = numbers(found["limit"], words.decimal_comma)
    lower = (found["cmp"] or found["cmp2"] or "<")[0] in ">≥" or (found["word"] or "").lower() == "lln"
    return (value, ()) if lower else ((), value)


_BRACKETED = re.compile(r"(?:was|prev\w*|prior|last|from|baseline|peak|nadir|max|min|adm\w*|previously|earlier|down from|up from|at \w+|in \w+|vs\.?)?[ \t:]*$", re.IGNORECASE)


def _bracket_step(words: Words, reading: _Reading, stop: int) -> None:
    """A bracket after a value: its range, its date, what it was measured on, or values of earlier days."""
    text = words.text
    opened = re.compile(r"[ \t]{0,4}[(\[]").match(text, reading.place)
    if opened is None:
        return
    start = opened.end()
    closed = _closing(text, start - 1)
    if closed is None or start > stop:
        return
    reading.place = closed + 1
    inside = text[start:closed]
    dates = words.dates_within(start, closed)
    limits = _RANGE_ONLY.fullmatch(inside.strip()) or LIMIT.match(inside)
    if limits and not dates:
        reading.low, reading.high = limits_of(words, limits)
        return
    found = list(_bracketed_numbers(words, start, closed))
    if found:
        for number, date in found:
            _insert_earlier(words, reading, number, date or words.calendar.brackets(reading.name[0]))
        reading.place = closed + 1
    elif dates and not re.search(r"\d", _blanked(words, start, closed)):
        _assign(reading, [words.day(d) for d in dates])
    elif condition := condition_of(inside):
        reading.values[-1] = replace(reading.values[-1], condition=condition)


def _blanked(words: Words, start: int, end: int) -> str:
    text = words.text[start:end]
    for mention in words.dates_within(start, end):
        text = text[: mention.start - start] + " " * (mention.end - mention.start) + text[mention.end - start :]
    return text


def _bracketed_numbers(words: Words, start: int, closed: int) -> Iterator[tuple[Number, PartialDate | None]]:
    """The values in a bracket, each with its date: "(Jan: 41)", "(2,110; 905 in may)", "(14-11-2023: 27; 02-08-2023: 15)"."""
    blank = _blanked(words, start, closed)
    for part in re.finditer(r"(?:[^;,]|,(?=\d))+", blank):
        number_at = re.search(r"[<>]?\d", part.group())
        if number_at is None or not _BRACKETED.match(part.group()[: number_at.start()].strip(" :")):
            continue
        number = words.number(start + part.start() + number_at.start())
        if number is None:
            continue
        unit = words.unit(number.end)
        after = words.text[unit[1] if unit else number.end : start + part.end()]
        if re.match(r"[ \t]*(?:[x×/+-]|days?|weeks?|months?|years?|cycles?|u\b|units?|h\b|exch\w+|doses?|mg\b|to\b)", after, re.IGNORECASE) and not unit:
            continue
        dates = words.dates_within(start + part.start(), start + part.end())
        yield number, words.day(dates[0]) if dates else None


def _insert_earlier(words: Words, reading: _Reading, number: Number, date: PartialDate | None) -> None:
    current = reading.values.pop()
    place = reading.place
    _add(words, reading, number, date, earlier=True)
    reading.values.append(current)
    reading.place = place


def _assign(reading: _Reading, dates: list[PartialDate]) -> None:
    """Dates in a bracket belong to the values before it one by one, or to the last."""
    if len(dates) == len(reading.values) > 1:
        reading.values = [replace(v, date=d, earlier=False) for v, d in zip(reading.values, dates, strict=True)]
    else:
        reading.values[-1] = replace(reading.values[-1], date=dates[-1], earlier=False)


_ROOM_AIR = re.compile(r"\b(?:RA|room air|ambient air|indoor air|on air|air|AA|without (?:oxygen|o2)|no (?:oxygen|o2)|off (?:oxygen|o2)|w/o o2)\b", re.IGNORECASE)
_ON_OXYGEN = re.compile(r"\b(?:on |with |@ ?)?\d+(?:\.\d)? ?(?:l|lpm|liters?|litres?)\b|\bNC\b|\bnasal|\bcannula|\bmask|\bventilat|\bBiPAP|\bCPAP|\bhigh.?flow|\bHFNC|\bon (?:oxygen|o2|home o2)|\bsupplemental", re.IGNORECASE)


def condition_of(said: str) -> str | None:
    """What an oxygen saturation was measured on."""
    if _ROOM_AIR.search(said):
        return "room air"
    return "on oxygen" if _ON_OXYGEN.search(said) else None


def _arrow_step(words: Words, reading: _Reading, stop: int) -> None:
    arrow = _ARROW.match(words.text, reading.place)
    if arrow is None or arrow.end() > stop:
        return
    number = words.number(arrow.end())
    if number is None or _SPOILED.match(words.text, number.end):
        return
    last = reading.values[-1]
    if last.date is None or last.date == reading.date:
        reading.values[-1] = replace(last, earlier=last.date is None)
    _add(words, reading, number, None, earlier=False)


def _date_step(words: Words, reading: _Reading, stop: int) -> None:
    """A date after the value ("940 on 8/26", "2.1 in March", "54% 11/24"), or words that say it was long before."""
    text, place = words.text, reading.place
    if before := _BEFORE_NOW.match(text, place):
        if before.end() <= stop:
            reading.values[-1] = replace(reading.values[-1], earlier=True)
            reading.place = before.end()
        return
    led = _WHEN.match(text, place)
    mention = words.date_at.get(led.end()) if led else None
    if mention is None or mention.end > stop or not text[place:place + 1].isspace():
        return
    worded = bool(led and re.search(r"[a-z]", led.group(), re.IGNORECASE))
    if not worded and not re.match(r"[ \t]*(?:[,;.)(\]/|-]|$|\n)", text[mention.end :]):
        return
    if re.match(r"[ \t]*:", text[mention.end :]):
        return  # heads what follows
    reading.values[-1] = replace(reading.values[-1], date=words.day(mention), earlier=False)
    reading.place = mention.end


def _from_step(words: Words, reading: _Reading, stop: int) -> None:
    led = _FROM.match(words.text, reading.place)
    number = words.number(led.end()) if led and led.end() <= stop else None
    if number is None or _SPOILED.match(words.text, number.end):
        return
    current = reading.values.pop()
    _add(words, reading, number, None, earlier=True)
    opened = re.compile(r"[ \t]*(?:\(|(?:on|in|at) )").match(words.text, reading.place)
    mention = words.date_at.get(opened.end()) if opened else None
    if opened and mention:
        reading.values[-1] = replace(reading.values[-1], date=words.day(mention))
        reading.place = mention.end + (words.text[mention.end : mention.end + 1] == ")")
    reading.values.append(current)


def _chain_step(words: Words, reading: _Reading, stop: int) -> None:
    """A further value with its own date after a separator: "1.6 (11/20) ; 1.1 (10/23)", "6,120 on admission, 940 on 8/26"."""
    last = reading.values[-1]
    chain = _CHAIN.match(words.text, reading.place)
    number = words.number(chain.end()) if chain and chain.end() <= stop else None
    if number is None:
        return
    unit = words.unit(number.end)
    end = unit[1] if unit else number.end
    led = re.compile(r"[ \t]*(?:\(|(?:on|in|at)[ \t]+)").match(words.text, end)
    mention = words.date_at.get(led.end()) if led else None
    if mention is not None and last.date is None and not last.earlier:
        reading.place = end
        _insert_earlier(words, reading, number, words.day(mention))  # "2.6, 1.1 in February"
        reading.place = mention.end + (words.text[mention.end : mention.end + 1] == ")")
    elif mention is not None:
        _add(words, reading, number, words.day(mention), earlier=False)
        reading.place = mention.end + (words.text[mention.end : mention.end + 1] == ")")
    elif (last.date or last.earlier) and _BEFORE_NOW.match(words.text, end):
        _add(words, reading, number, None, earlier=True)


def _settled(words: Words, reading: _Reading) -> Iterator[Written]:
    """The values with what they share: the unit written once, the range, urine's M-protein, what oxygen was measured on."""
    unit = next((v.unit for v in reversed(reading.values) if v.unit), None) or reading.unit
    contrasted = any(v.date for v in reading.values)
    for value in reading.values:
        test = specimen(words, value, unit)
        if test is None:
            continue
        value = replace(value, now=contrasted and not value.earlier and value is reading.values[-1])
        condition = value.condition
        if test == "spo2" and condition is None:
            after = words.text[value.end : value.end + 40].split("\n")[0]
            condition = condition_of(re.split(r"[,;.](?:\s|$)", after)[0]) or condition_of(words.text[reading.name[1] : value.start])
        yield replace(value, test=test, unit=None if test == "flc_ratio" else value.unit or unit, low=reading.low, high=reading.high, condition=condition)


def specimen(words: Words, value: Written, unit: str | None) -> str | None:
    """Serum or urine, light chain or M-protein: by the unit and the words around. None where it is neither."""
    test = value.test
    if test in _IN_FLUIDS and _OTHER_FLUID.search(words.text, max(0, (value.name or (value.start,))[0] - 80), (value.name or (value.start,))[0]):
        return None
    excreted = unit in _EXCRETED
    name = value.name or (value.start, value.end)
    before = words.text[max(0, name[0] - 60) : name[0]]
    clause = re.split(r"[.;\n](?:\s|$)", before)[-1]
    if test in ("serum_m_protein", "kappa_flc", "lambda_flc") and excreted:
        around = clause + words.text[name[0] : value.end + 30]
        if _URINE.search(around) or unit in ("mg/(24.h)", "g/(24.h)"):
            return "urine_m_protein"
        return test if test == "serum_m_protein" else None
    if test in ("kappa_flc", "lambda_flc") and re.search(r"\bIg[GAMDE][ -]*$", before):
        return "serum_m_protein" if unit in ("g/L", "g/dL") else None  # "IgG kappa 24 g/L" is the paraprotein
    if test == "urine_m_protein" and unit is None and not re.search(r"U-M|urin", words.text[name[0] : name[1]], re.IGNORECASE):
        return None
    if test == "total_protein" and (_URINE.search(clause) or (unit is None and words.plain[name[0] : name[1]] == "protein")):
        return None
    if test == "height" and unit == "[ft_i]":
        return None  # feet go with inches, which stand apart
    if test == "lvef" and unit != "%" and words.plain[name[0] : name[1]] in _STUDIES:
        return None
    if test in ("anc", "alc") and unit == "%":
        return {"anc": "neutrophil_percentage", "alc": "lymphocyte_percentage"}[test]
    return test


def _value_before(words: Words, name: Hit[str], test: str) -> Iterator[Written]:
    """ "620 mg M-protein", "a 2.3 g/dL IgG kappa M-spike": the value stands before the name."""
    window = words.text[max(0, name.start - 40) : name.start]
    for m in reversed(list(re.finditer(r"[<>]?\d[\d.,]*", window))):
        number = words.number(max(0, name.start - 40) + m.start())
        unit = words.unit(number.end) if number else None
        if number is None or unit is None or (test not in M_PROTEINS and unit[0] not in _EXCRETED):
            continue
        if re.fullmatch(r"[ \t]*(?:(?:of|an?|the|monoclonal|serum|urine|urinary|lambda|kappa|IgG|IgA|IgM|faint|small|total)[ \t-]*)*", words.text[unit[1] : name.start], re.IGNORECASE):
            value = Written(test, number.start, unit[1], number.readings, unit[0], number.comparator, (name.start, name.end))
            kind = specimen(words, value, unit[0])
            if kind:
                yield replace(value, test=kind)
        return


def _panels(words: Words) -> Iterator[Written]:
    """Strips whose names are understood: "CBC 3.9/9.8/112", "BMP 138/4.4/102/24/31/1.7/140"."""
    for m in _PANEL.finditer(words.text):
        panel = "cbc" if m.group("name").lower() in ("cbc", "fbc") else "bmp"
        parts = list(re.finditer(r"\d+(?:\.\d+)?", m.group("strip")))
        for test, part in zip(_PANELS.get((panel, len(parts)), ()), parts, strict=False):
            start = m.start("strip") + part.start()
            yield Written(test, start, start + len(part.group()), (float(part.group()),), name=(m.start("name"), m.end("name")))
