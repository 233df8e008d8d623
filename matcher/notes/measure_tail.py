"""What follows a first value: its unit, flag, range and date, and values of other days."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from matcher.domain import PartialDate
from matcher.lexicon import Hit
from matcher.notes.measure_words import Number, Words, Written
from matcher.quantities import numbers

FLAG = re.compile(r"[ \t]*(?:\((?:[HLC]{1,2}|[v^*↑↓]|high|low)\)|[*↑↓^!†#]+|\b(?:HH|LL|[HLC]|high|low|hi|lo)\b(?!/)(?![ \t]*(?:[A-Za-z]{2,} |[=:])))", re.IGNORECASE)
_ARROW = re.compile(r"\s{0,3}(?:-{1,2}>|→|➔|⇒|=>|>{2}|\bto\b|,? (?:and )?then\b|,? rising to|,? falling to|,? back (?:up |down )?to|[;,]? (?:but |and )?(?:has |is )?now\b)(?:\s*(?:now|up|down|back|recovered|improved|normali[sz]ed|increased|decreased|fallen|risen|dropped|about|at|is|to)\b)*\s*", re.IGNORECASE)
_FROM = re.compile(r",?\s*(?:\(?(?:up|down|rising|improved|increased|decreased|risen|rose|fell)?\s*from|vs\.?|versus|was|previously|prior|prev\.?|formerly|compared (?:to|with))\s+", re.IGNORECASE)
_CHAIN = re.compile(r"\s*[;,]\s*(?:and\s+)?(?:now\s+|then\s+)?", re.IGNORECASE)
_WHEN = re.compile(r",?[ \t]*(?:(?:on|in|from|at|as of|of|by echo|since|drawn|dated|back in)[ \t]+)?(?:early |late |mid-?)?", re.IGNORECASE)
_BEFORE_NOW = re.compile(r"[ \t]*,?[ \t]*(?:at (?:diagnosis|dx|presentation|baseline|onset|relapse|start|the start|progression|outset)|on (?:admission|admit|arrival|presentation)|"
                         r"before\b|pre-?op|pre-?transplant|after (?:\w+ )?(?:two|three|four|five|six|\d+)\b(?: cycles?)?|initially|previously|at nadir|nadir|last (?:visit|time|month|year))", re.IGNORECASE)
RANGE = re.compile(r"[ \t]*(?:(?:ref(?:erence)?(?:[ \t]range)?|normal(?:[ \t]range)?|range|nl|n|norm)[ \t]*[:.=]?[ \t]*)?(?P<low>\d+(?:[.,]\d+)*)[ \t]?[-–—][ \t]?(?P<high>\d+(?:[.,]\d+)*)", re.IGNORECASE)
_RANGE_ONLY = re.compile(RANGE.pattern + r"[ \t]*[^\d]{0,16}(?:1[.,]73 ?m.{0,2})?", re.IGNORECASE)
LIMIT = re.compile(r"[ \t]*(?:(?P<word>uln|upper limit(?: of normal)?|ref(?:erence)?|normal|nl|n(?=[ \t]*[<>≤≥])|lln)[ \t]*[:.=]?[ \t]*(?P<cmp>[<>≤≥]=?)?|(?P<cmp2>[<>≤≥]=?))[ \t]*(?P<limit>\d+(?:[.,]\d+)*)", re.IGNORECASE)
_CLOCK = re.compile(r"\s*\d{1,2}[:h]\d\d\s*(?:h|hrs?|am|pm)?\s*", re.IGNORECASE)
_AGAIN_AT = re.compile(r"[ \t]{0,3}(?P<n>\d[\d.,]*)[ \t]?\(\s*\d{1,2}[:h]\d\d")  # "8.1 (06:00) | 7.9 (14:00)"
_OPENED = re.compile(r"[ \t]{0,4}[(\[]")
_DATED = re.compile(r"[ \t]*(?:\(|(?:on|in|at)[ \t]+)")
_ENDS = re.compile(r"[ \t]*(?:[,;.)(\]/|-]|$|\n|\d{1,2}:\d\d)")
_COLON = re.compile(r"[ \t]*:")
SPOILED = re.compile(r"[ \t]*-?(?:days?|weeks?|wks?|months?|mos?|years?|yrs?|cycles?|times|units?|doses?|hours?|hrs?|lines?|pack|tabs?|tablets?|visits|draws|points|occasions|consecutive|tests|samples|siblings|of|fold|L\b(?=[ \t]*(?:NC|O2|nasal|oxygen|/min))|x(?=\s))\b|[ \t]?[x×][ \t]?\d|(?:st|nd|rd|th)\b", re.IGNORECASE)
_BRACKETED = re.compile(r"(?:was|prev\w*|prior|last|from|baseline|peak|nadir|max|min|adm\w*|previously|earlier|down from|up from|at \w+|in \w+|vs\.?)?[ \t:]*$", re.IGNORECASE)
RANGED = frozenset({"lvef", "spo2", "bone_marrow_plasma_cells", "bcma_expression"})
_ROOM_AIR = re.compile(r"\b(?:RA|room air|ambient air|indoor air|on air|air|AA|without (?:oxygen|o2)|no (?:oxygen|o2)|off (?:oxygen|o2)|w/o o2)\b", re.IGNORECASE)
_ON_OXYGEN = re.compile(r"\b(?:on |with |@ ?)?\d+(?:\.\d)? ?(?:l|lpm|liters?|litres?)\b|\bNC\b|\bnasal|\bcannula|\bmask|\bventilat|\bBiPAP|\bCPAP|\bhigh.?flow|\bHFNC|\bon (?:oxygen|o2|home o2)|\bsupplemental", re.IGNORECASE)


@dataclass
class Series:
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


def follow(words: Words, reading: Series, number: Number, following: Hit[str] | None) -> None:
    """Reads what follows a first value: its unit, flag, range, date, and further values of other days."""
    text = words.text
    _add(words, reading, number, reading.date, reading.earlier)
    stop = min(len(text), number.start + 400, following.start if following else len(text))
    if stop - reading.place < 8 and not text[reading.place : stop].strip(" \t\r\n,;|/"):
        return  # the next name of a list
    while reading.place < stop:
        place = reading.place
        for step in (_unit_step, _flag_step, _range_step, _bracket_step, _arrow_step, _date_step, _from_step, _chain_step):
            step(words, reading, stop)
            if reading.place != place:
                break
        else:
            return


def _add(words: Words, reading: Series, number: Number, date: PartialDate | None, earlier: bool) -> None:
    unit = words.unit(number.end)
    end = unit[1] if unit else number.end
    reading.place = end
    reading.values.append(Written(reading.test, number.start, end, number.readings, unit[0] if unit else None, number.comparator, reading.name, date, earlier))


def _unit_step(words: Words, reading: Series, stop: int) -> None:
    last = reading.values[-1]
    if last.unit is None and (unit := words.unit(reading.place)) and unit[1] <= stop:
        last.unit = unit[0]
        reading.place = unit[1]


def _flag_step(words: Words, reading: Series, stop: int) -> None:
    if (flag := FLAG.match(words.text, reading.place)) and flag.end() <= stop:
        reading.place = flag.end()


def _range_step(words: Words, reading: Series, stop: int) -> None:
    """A reference range after the value: named, or in its own column."""
    text, place = words.text, reading.place
    limits = RANGE.match(text, place) or LIMIT.match(text, place)
    if limits is None or limits.end() > stop or words.date_at.get(limits.start() + len(limits.group()) - len(limits.group().lstrip())):
        return
    if text[place : place + 2] not in ("  ", "\t") and not limits.group().lstrip(" \t")[:1].isalpha():
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


def _bracket_step(words: Words, reading: Series, stop: int) -> None:
    """A bracket after a value: its range, its date, what it was measured on, or values of earlier days."""
    text = words.text
    opened = _OPENED.match(text, reading.place)
    if opened is None:
        return
    start = opened.end()
    closed = closing(text, start - 1)
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
    again = _AGAIN_AT.match(text, closed + 1) if _CLOCK.fullmatch(inside) else None
    if again and (later := words.number(again.start("n"))):
        _add(words, reading, later, reading.date, earlier=False)
    elif found:
        for number, date in found:
            _insert_earlier(words, reading, number, date or words.calendar.brackets(reading.name[0]))
        reading.place = closed + 1
    elif dates and not re.search(r"\d", _blanked(words, start, closed)):
        _assign(reading, [words.day(d) for d in dates])
    elif condition := condition_of(inside):
        reading.values[-1].condition = condition


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
        if re.match(r"[ \t]*(?:[x×/+-]|:\d\d|days?|weeks?|months?|years?|cycles?|u\b|units?|h\b|exch\w+|doses?|mg\b|to\b)", after, re.IGNORECASE) and not unit:
            continue
        dates = words.dates_within(start + part.start(), start + part.end())
        yield number, words.day(dates[0]) if dates else None


def _insert_earlier(words: Words, reading: Series, number: Number, date: PartialDate | None) -> None:
    current = reading.values.pop()
    place = reading.place
    _add(words, reading, number, date, earlier=True)
    reading.values.append(current)
    reading.place = place


def _assign(reading: Series, dates: list[PartialDate]) -> None:
    """Dates in a bracket belong to the values before it one by one, or to the last."""
    if len(dates) == len(reading.values) > 1:
        for value, date in zip(reading.values, dates, strict=True):
            value.date, value.earlier = date, False
    else:
        reading.values[-1].date, reading.values[-1].earlier = dates[-1], False


def condition_of(said: str) -> str | None:
    """What an oxygen saturation was measured on."""
    if _ROOM_AIR.search(said):
        return "room air"
    return "on oxygen" if _ON_OXYGEN.search(said) else None


def _arrow_step(words: Words, reading: Series, stop: int) -> None:
    arrow = _ARROW.match(words.text, reading.place)
    if arrow is None or arrow.end() > stop:
        return
    number = words.number(arrow.end())
    if number is None or SPOILED.match(words.text, number.end):
        return
    if arrow.group().strip().lower() == "to" and reading.test in RANGED and not reading.values[-1].earlier:
        reading.place = number.end  # "60 to 65 percent" is a range
        return
    last = reading.values[-1]
    if last.date is None or last.date == reading.date:
        last.earlier = last.date is None
    _add(words, reading, number, None, earlier=False)


def _date_step(words: Words, reading: Series, stop: int) -> None:
    """A date after the value ("940 on 8/26", "2.1 in March", "54% 11/24"), or words that say it was long before."""
    text, place = words.text, reading.place
    if before := _BEFORE_NOW.match(text, place):
        if before.end() <= stop:
            reading.values[-1].earlier = True
            reading.place = before.end()
        return
    led = _WHEN.match(text, place)
    mention = words.date_at.get(led.end()) if led else None
    if mention is None or mention.end > stop or not text[place:place + 1].isspace():
        return
    worded = bool(led and re.search(r"[a-z]", led.group(), re.IGNORECASE))
    if not worded and not _ENDS.match(text, mention.end):
        return
    if _COLON.match(text, mention.end):
        return  # heads what follows
    reading.values[-1].date, reading.values[-1].earlier = words.day(mention), False
    reading.place = mention.end


def _from_step(words: Words, reading: Series, stop: int) -> None:
    led = _FROM.match(words.text, reading.place)
    number = words.number(led.end()) if led and led.end() <= stop else None
    if number is None or SPOILED.match(words.text, number.end):
        return
    current = reading.values.pop()
    _add(words, reading, number, None, earlier=True)
    opened = _DATED.match(words.text, reading.place)
    mention = words.date_at.get(opened.end()) if opened else None
    if opened and mention:
        reading.values[-1].date = words.day(mention)
        reading.place = mention.end + (words.text[mention.end : mention.end + 1] == ")")
    reading.values.append(current)


def _chain_step(words: Words, reading: Series, stop: int) -> None:
    """A further value with its own date after a separator: "1.6 (11/20) ; 1.1 (10/23)", "6,120 on admission, 940 on 8/26"."""
    last = reading.values[-1]
    chain = _CHAIN.match(words.text, reading.place)
    if chain is None or chain.end() > stop:
        return
    number = words.number(chain.end())
    if number is None:
        _dated_value(words, reading, chain.end())
        return
    unit = words.unit(number.end)
    end = unit[1] if unit else number.end
    led = _DATED.match(words.text, end)
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


def closing(text: str, opened: int) -> int | None:
    """Where a bracket closes: on its line, within 80 characters."""
    close = {"(": ")", "[": "]"}[text[opened]]
    end = text.find(close, opened + 1, opened + 80)
    inner = text.find(text[opened], opened + 1, end)
    if inner >= 0 and end >= 0:
        end = text.find(close, end + 1, opened + 100)
    return None if end < 0 or "\n" in text[opened:end] else end


def _dated_value(words: Words, reading: Series, place: int) -> None:
    """A further value led by its date: "was 10.9 on 2 May, on 9 June 9.8"."""
    led = _ON.match(words.text, place)
    mention = words.date_at.get(led.end()) if led else None
    if mention is None:
        return
    said = _SAID.match(words.text, mention.end)
    number = words.number(said.end()) if said else None
    if number is not None and not SPOILED.match(words.text, number.end):
        _add(words, reading, number, words.day(mention), earlier=False)


_ON = re.compile(r"(?:(?:on|in|by|at) )?(?=\S)")
_SAID = re.compile(r"[ \t]*(?:it )?(?:was|is|=|:)?[ \t]+(?=[<>]?\d)")
