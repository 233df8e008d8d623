"""Dates as people write them: 03/14/2025, 14.03.25, 2025-03, 3-Feb-25, March 2024, '17, 2018; in a note also 3/14, 14 March."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from itertools import zip_longest
from typing import NamedTuple

from matcher.domain import PartialDate
from matcher.elapsed import times_ago
from matcher.lexicon import capitalised

_FRAGMENT = 200  # characters: a part of a note, whose dates nobody asks for twice
_AHEAD = 60  # days: a day without a year is a plan of the coming weeks, or lies in the year before them
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
_MONTH = (
    r"(?=[adfjmnos])(?:jan(?:uary)?|febr?(?:uary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_ABROAD = {  # months in other languages, after a day: 2 de junio de 2025, 12. März 2025, 3 mai 2025
    name: number for number, names in enumerate((
        "enero janvier januar januari gennaio janeiro", "febrero février fevrier februar februari febbraio fevereiro", "marzo mars märz maerz maart março marco",
        "abril avril aprile", "mayo mai mei maj maggio maio", "junio juin juni giugno junho", "julio juillet juli luglio julho",
        "agosto août aout augustus augusti", "septiembre septembre settembre setembro", "octubre octobre oktober ottobre outubro",
        "noviembre novembre novembro", "diciembre décembre decembre dezember dicembre dezembro desember"), 1) for name in names.split()
}
_YEAR = r"(?:19[2-9]\d|20[0-4]\d)"
_DATE = re.compile(  # matched only at the places _PLACE finds, which is ten times faster than a search
    rf"""(?:
    (?=\d{{4}})(?:
        (?P<iso>{_YEAR})(?P<s1>[-/.]|[ ]/[ ])(?P<iso_m>0?[1-9]|1[0-2])(?:(?P=s1)(?P<iso_d>\d{{1,2}}))?(?![\d/])(?!\.\d)
      | (?P<y4>{_YEAR})[ -](?P<m4>{_MONTH})\b(?:[ -](?P<d4>\d{{1,2}})(?!\d))?
      | (?P<y8>{_YEAR})(?![\d%/]|[.,]\d)(?!-\d(?!\d))
    )
  | (?=\d)(?:
        (?P<a>\d{{1,2}})(?P<s2>[-/.])(?P<b>\d{{1,2}})(?P=s2)(?P<y>{_YEAR}|\d\d)(?![\d/%])(?!\.\d)
      | (?P<my_m>\d{{1,2}})[-/.](?P<my_y>{_YEAR})(?![\d/])(?!\.\d)
      | (?P<d5>\d{{1,2}})[ ]-[ ](?P<m5>{_MONTH})[ ]-[ ](?P<y5>{_YEAR})
      | (?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?:[ /-]|\s+of\s+)?(?P<m1>{_MONTH})\b\.?(?:[ ,/-]{{0,2}}(?P<y1>{_YEAR}|'\d\d|\d\d(?=[\s,;:.)\]]|$))(?!\d|:\d))?
      | (?P<d0>\d{{1,2}})(?:\.|er|º)?[ ](?:de[ ])?(?P<m0>{"|".join(sorted(_ABROAD, key=len, reverse=True))})\b(?:[ ](?:del?[ ])?(?P<y0>{_YEAR}))?
      | (?P<a9>0[1-9]|1[0-2])\.(?P<b9>[0-3]\d)(?![\d%]|[.,]\d)(?![ ]?(?:mg|g/|x|u/|mmol|umol|ng|iu|cm|mm|kg|ml))
      | (?P<a5>\d\d)\.(?P<b5>\d\d)\.(?!\d)
      | (?P<a6>\d{{1,2}})(?P<s6>[/-])(?P<b6>\d{{1,2}})(?![\d%]|/\d)(?![.,]\d)
    )
  | (?=[a-z])(?:
        (?P<m2>{_MONTH})\b\.?[ -]{{0,2}}(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:/%.]\d|\d)(?:[ ,/-]{{1,2}}(?P<y2>{_YEAR}|'\d\d))?(?!\d)
      | (?P<m3>{_MONTH})\b\.?,?(?:[ /-]|[ ]-[ ]|\s+of\s+)?(?P<y3>{_YEAR}|'\d\d)(?!\d)
      | (?P<m7>{_MONTH})\b(?![-'])
    )
  | '(?P<y9>\d\d)(?![\d'])
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_MONTH_OF_YEAR = re.compile(rf"(?<!\d )(?<!\d-)(?<!\d(?:st|nd|rd|th) )\b{_MONTH}\b\.?,? {_YEAR}\b", re.IGNORECASE)  # not of a day: "3 Oct 2023"
_SHORT_YEARS = re.compile(rf"\b{_MONTH}\.?(?: \d\d)?\s?[-–—~]\s?{_MONTH}\.? (?:0[5-9]|[1-4]\d)(?![\d/:]|,? {_YEAR})", re.IGNORECASE)  # "Jun 23 – Oct 24", "Sep–Dec 22"
_DOTTED = re.compile(r"(?:19|20)\d\d\.\d\d?\.\d")
_TRIGRAMS = "|".join(_NAMES).title()
# Where a date may begin, each word with a capital: a number that a separator or a month follows, a year, a month; no letter or number runs into it.
# What must stand before it is looked at after its first character, because a search for a set of characters is ten times faster.
_PLACE = re.compile(
    rf"""[\d'{''.join(sorted({name[0] for name in _TRIGRAMS.split('|')}))}](?<!\w.)(?<!\d[.,/].)(?:
      (?<=\d)\d?(?!\d)(?=[/-]|\.(?!\d(?![\d.]))|(?:St|Nd|Rd|Th)?[ -]*(?:(?:Of|De)[ ])?(?:{"|".join(sorted({*_NAMES, *(name[:3] for name in _ABROAD)})).title()}))
    | (?:(?<=1)9|(?<=2)0)\d\d(?!\d)
    | (?<=')\d\d
    | (?<=[^\d'])..(?<={_TRIGRAMS})
    )""",
    re.VERBOSE,
)
# A pair of numbers that is a score, strength, vision, donor match or tumour size, not a day of a month.
_NOT_A_DAY = re.compile(
    r"(?:\b(?:pain|ice|power|strength|score|vas|nrs|scale|vision|va|bp|rr|donor|hla|apgar|rated?|grade|motor|aox?|wt|level|mrc|match\w*|exp|rr|"
    r"ast|alt|inr|ratio|nodes?|hb|wbc|plt|of|temp|cycle|course|dose|q)\b[ :=]*|\bp?N[0-3x][a-c]?\s?\(|\d\s?)$", re.IGNORECASE
)
_NOT_A_YEAR = re.compile(r"\s*(?:mg|mcg|ug|µg|ml|l/|/ul|/mm|/cumm|u/|iu|ng|kg|g\b|units?|cells|kcal|steps|cc\b|x\s?10|ms\b|m\b|gy\b|cgy|mmol|umol)", re.IGNORECASE)
_OF_SOMETHING = re.compile(r"\s*(?:mg|%|cm|mm|kg|g/|x\b|ml|h\b|hours?|min|weeks?|days?|months?|years?|y\b|yrs?|/(?![A-Z]))", re.IGNORECASE)
_TOLD = re.compile(r"\b(?:was|were|had|since|from|last|until)\b[^.;\n]{0,30}$", re.IGNORECASE)  # of what has been
_SECONDARY = re.compile(r"\s+[a-z]")  # "stopped 2/2 neuropathy": secondary to
_CELL_END = re.compile(r"[:)\]]|[ \t]*(?:$|\||\n)")
_LED = re.compile(r"(?:\b(?:in|since|from|of|last|until|till|by|early|late|mid|end of|to|during|before|after|this|through|until|on)[ -]+|[(\[]|[-–/])$", re.IGNORECASE)
_PARTS = re.compile(r"(\d(?<![0-9./-].)\d?)([/.-])(?:(?<!\.)|(?=\d\d?\.\d))(\d{1,2})(?:\2(\d{4}|\d\d))?(?![\d/%]|[.,]\d)")
_WEEKDAY = re.compile(r"\b(mon|tue|wed|thu|fri|sat|sun)\w{0,6}\.?,?\s*$", re.IGNORECASE)
# Spelling tells where a text is from when its dates do not.
_BRITISH = ("haem", "aemi", "oedema", "tumour", "paraprotein", "wcc", "centre", "umol/l", "µmol", "lakh", "sats ")
_AMERICAN = ("hgb", " edema", "tumor", "anemi", "hematol", " lb", "k/ul", "mg/dl")


class DateMention(NamedTuple):
    """`other`: the second meaning of a short date, which only its use decides: 3/24 is a day of March, or March 2024."""

    start: int
    end: int
    date: PartialDate
    other: PartialDate | None = None


def find_dates(text: str, day_first: bool | None = None, default_year: int | None = None, as_of: date | None = None) -> list[DateMention]:
    """Every calendar date in the text, in order, as precise as written.

    `day_first` reads 03/04/2024 as 3 April; None lets the text decide (a part above 12), month first where it cannot.
    `default_year` completes dates without a year. `as_of`, the date of the note, does so better, and "two weeks ago" counts from it: a day without a year is the
    last one that is not well after it, and a short date that would lie after it as a day (2/25) is a month of a year if that does not.
    """
    read = _dates_of if len(text) > _FRAGMENT else _dates_of.__wrapped__
    return list(read(text, day_first, None if as_of else default_year, as_of))


@lru_cache(maxsize=4)  # the readers of one note ask for the same dates
def _dates_of(text: str, day_first: bool | None, default_year: int | None, as_of: date | None) -> tuple[DateMention, ...]:
    forms = _forms(text, day_first) if len(text) > _FRAGMENT else _forms.__wrapped__(text, day_first)
    reader = _Reader(forms, default_year, as_of)
    found: list[DateMention] = []
    end = 0
    for match, whole in forms.written:
        if match.start() >= end and (mention := whole or reader.read(match)) is not None:
            found.append(mention)
            end = mention.end
    found = _completed(forms.text, found)
    if as_of and (relative := [DateMention(*told) for told in times_ago(text, as_of)]):
        found = sorted([*found, *relative])
    return tuple(found)


_SCANNED_ZERO = re.compile(r"[Oo](?=[\d/.-])(?:(?<=[\d/.-].)|(?<=[\s(].)(?=\d[/.-]\d))")


def _unscanned(text: str) -> str:
    """A scan's letter O among the digits of a date is a zero; offsets stay."""
    return _SCANNED_ZERO.sub("0", text)


@dataclass(frozen=True)
class _Forms:
    """Whatever in a text has the form of a date, in order, with its date where nothing but the text decides it; one may begin within another."""

    text: str
    day_first: bool
    written: tuple[tuple[re.Match[str], DateMention | None], ...]

    @cached_property
    def full_years(self) -> bool:
        """Whether the text writes "Oct 2023", and no "June 23 – Oct 24", so that its "March 12" is a day."""
        places = [m.start() for m, _ in self.written]
        return any(_MONTH_OF_YEAR.match(self.text, place) for place in places) and not any(_SHORT_YEARS.match(self.text, place) for place in places)

    @cached_property
    def dotted(self) -> bool:
        """Whether the text writes 2025.01.22, and so 01.22 too."""
        return _DOTTED.search(self.text) is not None


@lru_cache(maxsize=2)  # asked for without the date of the note, to find it, and with it
def _forms(text: str, day_first: bool | None) -> _Forms:
    text = _unscanned(text)
    order = bool(puts_day_first(text) if day_first is None else day_first)
    written = (m for place in _PLACE.finditer(capitalised(text)) if (m := _DATE.match(text, place.start())))
    return _Forms(text, order, tuple((m, _mention(m, _whole(m, text, order))) for m in written))


def _whole(m: re.Match[str], text: str, day_first: bool) -> PartialDate | None:
    """The date of a match of _DATE that gives its year, told by the last group of the form that it took."""
    match m.lastgroup:
        case "iso_m" | "iso_d":
            return _date(int(m["iso"]), int(m["iso_m"]), int(m["iso_d"] or 0))
        case "y":
            return _numeric(m, text, day_first)
        case "my_y":
            return _date(int(m["my_y"]), int(m["my_m"]))
        case "y0":
            return _date(int(m["y0"]), _ABROAD[m["m0"].lower()], int(m["d0"]))
        case "y5":
            return _date(int(m["y5"]), _month(m["m5"]), int(m["d5"]))
        case "y1":
            return _date(_full_year(m["y1"]), _month(m["m1"]), int(m["d1"]))
        case "y2":
            return _date(_full_year(m["y2"]), _month(m["m2"]), int(m["d2"]))
        case "y3":
            return _date(_full_year(m["y3"]), _month(m["m3"]))
        case "m4" | "d4":
            return _date(int(m["y4"]), _month(m["m4"]), int(m["d4"] or 0))
        case "y8":
            return None if _NOT_A_YEAR.match(text, m.end()) or _counts(text, m.start()) else PartialDate(int(m["y8"]))
        case "y9":
            return PartialDate(_full_year(m["y9"]))
    return None


def _mention(m: re.Match[str], found: PartialDate | None, other: PartialDate | None = None) -> DateMention | None:
    found, other = found or other, other if found else None
    return None if found is None else DateMention(m.start(), m.end(), found, other if other != found else None)


def _counts(text: str, start: int) -> bool:
    """Whether what precedes a four-digit number makes it a quantity rather than a year."""
    return text[max(0, start - 2) : start].endswith(("<", ">", "< ", "> ", "$", "#", "€", "£"))


def _numeric(m: re.Match[str], text: str, day_first: bool) -> PartialDate | None:
    a, b, year = int(m["a"]), int(m["b"]), _full_year(m["y"])
    day_month, month_day = _date(year, b, a), _date(year, a, b)
    if day_month and month_day and (weekday := _weekday_before(text, m.start())) is not None:
        fits = [d for d in (day_month, month_day) if d.earliest.weekday() == weekday]
        if len(fits) == 1:
            return fits[0]
    first, second = (day_month, month_day) if day_first else (month_day, day_month)
    return first or second


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the dates that leave out their year."""

    forms: _Forms
    default_year: int | None
    as_of: date | None

    @property
    def text(self) -> str:
        return self.forms.text

    def read(self, m: re.Match[str]) -> DateMention | None:
        """The date of a match of _DATE without a year, told by the last group of the form that it took."""
        match m.lastgroup:
            case "m0":
                return _mention(m, self._yearless(_ABROAD[m["m0"].lower()], int(m["d0"])))
            case "m1":
                return self._day_of_month(m, int(m["d1"]), _month(m["m1"]))
            case "d2":
                return self._day_of_month(m, int(m["d2"]), _month(m["m2"]))
            case "b9":
                plain_decimal = m["a9"][0] == "1" and not _CELL_END.match(self.text, m.end(), m.end() + 3)
                return None if plain_decimal or not self.forms.dotted else _mention(m, self._yearless(int(m["a9"]), int(m["b9"])))
            case "b5":
                return _mention(m, self._yearless(int(m["b5"]), int(m["a5"]))) if self.forms.day_first else None
            case "b6":
                return self._short(m, int(m["a6"]), int(m["b6"]), m["s6"])
            case "m7":
                return self._bare_month(m, m["m7"])
        return None

    def _day_of_month(self, m: re.Match[str], day: int, month: int) -> DateMention | None:
        if m.group()[:4] == "may ":
            return None  # the verb
        as_year = m.group("m2") and day >= 5 and not self.forms.full_years and not m.group().lower().endswith(("st", "nd", "rd", "th"))
        other = _date(2000 + day, month) if as_year else None
        return _mention(m, *self._ranked(self._yearless(month, day), other))

    def _short(self, m: re.Match[str], a: int, b: int, separator: str) -> DateMention | None:
        """3/14, 14/3, 3/24, 02-14: a day without a year, or a month of a year."""
        if m.group() == "24/7" or (m.group() == "2/2" and _SECONDARY.match(self.text, m.end()) and not _LED.search(self.text, max(0, m.start() - 12), m.start())):
            return None
        if _NOT_A_DAY.search(self.text, max(0, m.start() - 12), m.start()):
            return None
        if separator == "-" and (len(m.group()) != 5 or not ("0" in (m.group()[0], m.group()[3]) or a > b)):
            return None  # 10-25 is a range; 02-14, 25-11 a day
        if _OF_SOMETHING.match(self.text, m.end(), m.end() + 8):
            return None
        day_month, month_day = self._yearless(b, a), self._yearless(a, b)
        if separator == "-" and month_day and a < 13 and m.group()[0] == "0" and not self.forms.day_first:
            return _mention(m, month_day)
        days = (day_month, month_day) if self.forms.day_first else (month_day, day_month)
        as_month = _date(2000 + b, a) if separator == "/" and len(m.group().split("/")[1]) == 2 else None
        if as_month and self.as_of and as_month.earliest > self.as_of:
            as_month = None
        if as_month is None and self.as_of is None and self.default_year is None:
            return None
        as_day, contrary = days
        first, second = self._ranked(as_day, as_month) if as_day else (as_month, contrary)
        return _mention(m, first, second or contrary)

    def _ranked(self, as_day: PartialDate | None, as_month: PartialDate | None) -> tuple[PartialDate | None, PartialDate | None]:
        """The day first, unless it lies after the note and the month is one of the note's own year."""
        if as_day and as_month and self.as_of and as_month.earliest <= self.as_of < as_day.earliest and as_month.year == self.as_of.year:
            return as_month, as_day
        return as_day, as_month

    def _yearless(self, month: int, day: int = 0) -> PartialDate | None:
        year = self.as_of.year if self.as_of else self.default_year
        if year is None:
            return None
        if self.as_of is None:
            return _date(year, month, day)
        near = (_date(y, month, day) for y in (year, year - 1, year + 1))
        return next((d for d in near if d and -_AHEAD < (self.as_of - d.earliest).days <= 366 - _AHEAD), None)

    def _bare_month(self, m: re.Match[str], name: str) -> DateMention | None:
        """"in March", "(Feb)", "since October": not the verb may, not the Mar of a name."""
        led = _LED.search(self.text, max(0, m.start() - 12), m.start())
        closed = self.text[m.end() : m.end() + 1] in (":", ")", "]")
        if not name[0].isupper() or not (led or closed or len(name) > 4) or (name.lower() in ("may", "mar") and not (led or closed)):
            return None
        found = self._yearless(_month(name))
        if found and self.as_of and found.earliest > self.as_of and _TOLD.search(self.text, max(0, m.start() - 40), m.start()):
            found = _date(found.year - 1, found.month)
        return _mention(m, found)


_TO = re.compile(r"\s*(?:[-–—]+|to|until|till)\s*")
_WITH_YEAR = re.compile(r"(?:19|20)\d\d|'\d\d|\d[/.-]\d+[/.-]\d")
_LAST_YEAR = re.compile(r"\s?[-–]\s?(\d\d)(?![\d%./-])")


def _completed(text: str, found: list[DateMention]) -> list[DateMention]:
    """Ranges give their parts what they leave out: 12/05 - 24/10/2025, 2016-18, 3-5/2025."""
    done: list[DateMention] = []
    for mention, following in zip_longest(found, found[1:]):
        ranged = following is not None and mention.date.day and following.date.day and _TO.fullmatch(text, mention.end, following.start)
        if ranged and _WITH_YEAR.search(text, following.start, following.end) and not _WITH_YEAR.search(text, mention.start, mention.end):
            year = following.date.year - ((mention.date.month, mention.date.day) > (following.date.month, following.date.day))
            mention = DateMention(mention.start, mention.end, _date(year, mention.date.month, mention.date.day) or mention.date)
        done.append(mention)
        if not mention.date.month and (tail := _LAST_YEAR.match(text, mention.end)):
            year = mention.date.year // 100 * 100 + int(tail.group(1))
            if mention.date.year < year <= mention.date.year + 30:
                done.append(DateMention(tail.start(1), tail.end(1), PartialDate(year)))
    return done


def _month(name: str) -> int:
    return _MONTHS[name[:3].lower()]


@lru_cache(maxsize=4096)
def _date(year: int, month: int = 0, day: int = 0) -> PartialDate | None:
    try:
        return PartialDate(year, month, day) if month else None
    except ValueError:
        return None


def _full_year(written: str) -> int:
    number = int(written.lstrip("'"))
    return number if number > 99 else 2000 + number if number < 45 else 1900 + number


def _weekday_before(text: str, place: int) -> int | None:
    found = _WEEKDAY.search(text[max(0, place - 14) : place])
    return None if found is None else _WEEKDAYS.index(found.group(1).lower())


def day_first(text: str) -> bool | None:
    """Whether numeric dates in this text put the day first; None where nothing tells.

    Decided by dates only one order allows, then by a weekday beside a date, by dots (14.03.2025), then by spelling.
    """
    votes = 0
    short = 0
    for m in _PARTS.finditer(text):
        a, b = int(m.group(1)), int(m.group(3))
        if m.group(4) is None:
            if b <= 12 < a <= 31 and not _NOT_A_DAY.search(text, max(0, m.start() - 12), m.start()):
                short += 1
            continue
        if a <= 31 and b <= 12 < a:
            votes += 3
        elif a <= 12 < b <= 31:
            votes -= 3
        elif a <= 12 and b <= 12:
            votes += 2 if m.group(2) == "." else 0
            year = m.group(4)
            weekday = _weekday_before(text, m.start())
            if weekday is not None and a != b:
                day_month, month_day = _date(_full_year(year), b, a), _date(_full_year(year), a, b)
                votes += 5 * bool(day_month and day_month.earliest.weekday() == weekday) - 5 * bool(month_day and month_day.earliest.weekday() == weekday)
    if votes:
        return votes > 0
    if short:
        return True
    lowered = text.lower()
    british, american = (sum(map(lowered.count, words)) for words in (_BRITISH, _AMERICAN))
    return None if british == american else british > american


puts_day_first = day_first  # find_dates has a parameter of that name
