"""Values in tables: a column a date ("Hgb  10.1 L  9.8 L  12.0-15.5 g/dL"), or a row a date ("3/22  14  11  1.3")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from matcher.dates import DateMention
from matcher.domain import PartialDate
from matcher.lexicon import Hit
from matcher.notes.measure_specimen import ISOTYPES, M_PROTEINS, specimen
from matcher.notes.measure_tail import FLAG, LIMIT, RANGE, limits_of
from matcher.notes.measure_words import Number, Words, Written

_HEADING = re.compile(
    r"(?:labs?|laborator\w*|data|results?|analys\w*|analytes?|tests?|dates?|param\w*|ref\w*|range|units?|flags?|norm(?:al)?|current|previous|prior|last|latest|values?|bloods?|"
    r"interval|limits?|h/l|abn\w*|component|specimen|chem\w*|heme|h[a]?ematology|cbc|fbc|cmp|review|study|drawn|collected|recent|in|on|of|and|trend|comment\w*|status|lab|"
    r"today|baseline|admit|admission|discharge|d/c|pre|post|day|c\d+d\d+|mon|tue|wed|thu|fri|sat|sun|at|the|uln|lln|nl|ul|ll|result|time|am|pm|\d{1,2}:\d\d|[^\w\s]+)",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"\b(?:ref\w*|range|norm(?:al)?|units?|flags?|limits?|h/l|uln|comment\w*|nl)\b(?:[ \t](?:range|interval|values?))?", re.IGNORECASE)
_CELL = re.compile(r"[^\s|](?:[^\t|\n ]|[ ](?![ \t|\n]))*")
_SPACED = re.compile(r"\S[ \t]{2,}\S|\||\t")
_WIDE_GAP = re.compile(r"[ \t]{2,}|\||\t")
_NOTHING = re.compile(r"(?:[-–—.*]+|pend\w*|n/?[ad]|none|nd|not done|neg\w*|trace|--+|\?|tnp|cancel\w*|undetect\w*|nm|hemoly\w*|clotted|ni)$", re.IGNORECASE)
_JOINT = re.compile(r"[ \t]*/[ \t]*")
_PLAIN_NUMBER = re.compile(r"[<>]?\d[\d.,]*[*HL]?|--+")
_SPACED_PART = re.compile(r"[<>]?\d[\d.,]*[*HL]?(?=[ ]|$)|--+|\S+")
_OWN_BRACKET = re.compile(r"[ \t]*[HL*]*[ \t]*\(")  # after a value and its flag


@dataclass(frozen=True, slots=True)
class _Column:
    """`start`, `end`: the heading's place in its line, see _place."""

    start: int
    end: int
    date: PartialDate | None = None
    name: Hit[str] | None = None
    unit: str | None = None


class _Line(NamedTuple):
    start: int
    end: int


def tables(words: Words) -> tuple[list[Written], bytearray]:
    """The values of every table, and a flag for each character that a table has read."""
    covered = bytearray(len(words.text))
    found: list[Written] = []
    lines = _lines(words.text)
    at = 0
    while at < len(lines):
        columns = _dated_columns(words, lines, at)
        if columns:
            at = _read(words, lines, at + 1, columns, found, covered, _dated_row)
            continue
        columns = _named_columns(words, lines, at)
        if columns:
            _order_rows(words, lines, at + 1)
            before = len(found)
            following = _read(words, lines, at + 1, columns, found, covered, _named_row)
            if len(found) > before:
                covered[lines[at].start : lines[at].end] = b"\x01" * (lines[at].end - lines[at].start)
                at = following
                continue
        at += 1
    return found, covered


def _lines(text: str) -> list[_Line]:
    lines, place = [], 0
    for line in text.splitlines(keepends=True):
        lines.append(_Line(place, place + len(line.rstrip("\r\n"))))
        place += len(line)
    return lines


def _read(words: Words, lines: list[_Line], at: int, columns: list[_Column], found: list[Written], covered: bytearray, row) -> int:  # type: ignore[no-untyped-def]
    """Reads rows until one is none; the number of the line after the table. One blank line or rule may stand between rows."""
    misses = 0
    while at < len(lines):
        line = lines[at]
        content = words.text[line.start : line.end].strip(" \t|-+=:")
        values = row(words, line, columns) if content else None
        if values is None:
            misses += 1
            if misses > 1 or (content and not _SPACED.search(words.text, line.start, line.end)):
                return at
        else:
            misses = 0
            found.extend(values)
            if values:
                covered[line.start : line.end] = b"\x01" * (line.end - line.start)
        at += 1
    return at


# ---------------------------------------------------------------- a column a date


def _dated_columns(words: Words, lines: list[_Line], at: int) -> list[_Column]:
    """The columns of a heading of dates; empty where the line is none."""
    line = lines[at]
    dates = [d for d in words.dates_within(line.start, line.end) if d.date.month]
    if not dates:
        return []
    if words.names_within(line.start, line.end):
        return []
    text = words.text
    if len(dates) < 2 and not _WIDE_GAP.search(text, dates[0].end, line.end):
        return []
    rest = text[line.start : line.end]
    for mention in dates:
        a, b = mention.start - line.start, mention.end - line.start
        rest = rest[:a] + " " * (b - a) + rest[b:]
    if sum(map(str.isalpha, rest)) > 60:
        return []
    asides = [m for m in _ASIDE.finditer(rest) if line.start + m.start() > dates[0].start]
    gapped = all(_WIDE_GAP.search(text, a.end, b.start) for a, b in pairwise(dates))
    if len(dates) < 2 and not (asides and _WIDE_GAP.search(text, dates[0].end, line.start + asides[0].start())):
        return []
    if not _row_follows(words, lines, at) or sum(map(str.isalpha, _HEADING.sub(" ", rest))) > (12 if gapped else 0):
        return []
    days = _in_order(words, dates)
    columns = [_Column(*_place(words, line, d.start, d.end), day) for d, day in zip(dates, days, strict=True)]
    columns += [_Column(*_place(words, line, line.start + m.start(), line.start + m.end())) for m in asides]
    return sorted(columns, key=lambda c: c.start)


def _row_follows(words: Words, lines: list[_Line], at: int) -> bool:
    for line in lines[at + 1 : at + 4]:
        content = words.text[line.start : line.end].strip(" \t|-+=:")
        if content:
            return _row_names(words, line) is not None or bool(re.match(r"\S[^\d\n]{0,30}?(?:[ \t]{2,}|\||\t)[ \t]*(?:[<>]?\d|--)", content))
    return False


def _in_order(words: Words, dates: list[DateMention]) -> list[PartialDate]:
    """Columns run one way in time; short dates take the meaning that makes them."""
    days = [words.day(d) for d in dates]
    if days not in (sorted(days), sorted(days, reverse=True)):
        others = [d.other or d.date for d in dates]
        if others in (sorted(others), sorted(others, reverse=True)):
            return others
    return days


def _row_names(words: Words, line: _Line) -> list[Hit[str]] | None:
    """The name or names a row begins with; None where it begins with none, or names a second test later."""
    text = words.text
    indent = len(text[line.start : line.end]) - len(text[line.start : line.end].lstrip(" \t|*-•"))
    inside = words.names_within(line.start, line.end)
    if not inside or inside[0].start > line.start + indent + 8 or re.search(r"\d", text[line.start + indent : inside[0].start]):
        return None
    group = [inside[0]]
    for name in inside[1:]:
        between = text[group[-1].end : name.start]
        isotype = group[0].meaning in M_PROTEINS and name.meaning in ISOTYPES | M_PROTEINS
        if _JOINT.fullmatch(between) or (isotype and re.fullmatch(r"[ \t(,]{1,2}(?:type )?", between)):
            group.append(name)
        elif re.search(r"\d", between) and not isotype and text.rfind("(", line.start, name.start) <= text.rfind(")", line.start, name.start):
            return None  # a list of several tests, which prose reads
    return group


def _dated_row(words: Words, line: _Line, columns: list[_Column]) -> list[Written] | None:
    names = _row_names(words, line)
    if names is None:
        text = words.text[line.start : line.end]
        if words.names_within(line.start, line.end):
            return None
        return [] if re.match(r"[ \t|]*[^\W\d][^\n]{0,40}?(?:[ \t]{2,}|\||\t)[ \t]*(?:[<>]?\d|--|pend)", text) else None
    tests = [n.meaning for n in names]
    if tests[0] in M_PROTEINS and all(t in ISOTYPES | M_PROTEINS for t in tests):
        tests = tests[:1]
    cells = _cells(words, names[-1].end, line.end)
    numbered = {cell: number for cell in cells if (number := _value_in(words, cell)) is not None}
    if not numbered:
        return []
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    unit: str | None = None
    values: list[tuple[tuple[int, int], Number]] = []
    dated = [c for c in columns if c.date]
    for cell in cells:
        number = numbered.get(cell)
        if number is None:
            low, high = _limits_in(words, cell) or (low, high)
            unit = unit or _unit_in(words, cell)
        else:
            column = _nearest(columns, _place(words, line, cell[0], number.end))
            if column.date is None and number.comparator:
                low, high = ((number.readings, ()) if number.comparator[0] == ">" else ((), number.readings))
                unit = unit or _unit_in(words, cell)
                continue
            if column.date is None and len(numbered) > 1:
                continue  # a lone number in the range's column
            values.append((cell, number))
    slots = [c for c in cells if c in [v[0] for v in values] or _NOTHING.match(words.text[c[0] : c[1]])]
    places = [_place(words, line, cell[0], number.end) for cell, number in values]
    assigned = _assigned(dated, [v[0] for v in values], places, slots)
    written: list[Written] = []
    for (cell, number), date in zip(values, assigned, strict=True):
        written += _cell_values(words, cell, number, tests, (names[0].start, names[-1].end), date)
    for value in written:
        value.unit, value.low, value.high = value.unit or unit, low, high
        value.test = specimen(words, value, value.unit) or ""
    return [value for value in written if value.test]


def _assigned(dated: list[_Column], cells: list[tuple[int, int]], places: list[tuple[int, int]], slots: list[tuple[int, int]]) -> list[PartialDate | None]:
    """The date of each value: by order where every date has a cell, else by place."""
    if len(slots) == len(dated):
        by_slot = dict(zip(slots, dated, strict=True))
        return [by_slot[cell].date for cell in cells]
    nearest = [_nearest(dated, place) for place in places]
    if len({c.start for c in nearest}) < len(nearest) <= len(dated):
        return [c.date for c in dated[: len(nearest)]]
    return [c.date for c in nearest]


def _nearest(columns: list[_Column], place: tuple[int, int]) -> _Column:
    """The column whose left edge, right edge or middle is nearest to a cell's; all counted from the start of the line."""
    start, end = place
    return min(columns, key=lambda c: min(abs(c.start - start), abs(c.end - end), abs(c.start + c.end - start - end) / 2))


def _place(words: Words, line: _Line, start: int, end: int) -> tuple[int, int]:
    """Where something stands in its line: thousands a tab or a bar that parts cells; characters where there are none."""
    for mark in "\t|":
        if words.text.find(mark, line.start, line.end) >= 0:
            cell = 1000 * words.text.count(mark, line.start, start)
            return cell, cell
    return start - line.start, end - line.start


def _cells(words: Words, start: int, end: int) -> list[tuple[int, int]]:
    """The cells of the rest of a row: split at tabs, bars and wide gaps; at single spaces where numbers stand so."""
    cells = []
    for m in _CELL.finditer(words.text, start, end):
        a, b = m.span()
        parts = list(_SPACED_PART.finditer(words.text[a:b]))
        plain_numbers = [p for p in parts if _PLAIN_NUMBER.fullmatch(p.group())]
        if len(plain_numbers) > 1 and len(plain_numbers) >= len(parts) - 2 and plain_numbers[0] is parts[0] and parts[-1] is plain_numbers[-1] and "/" not in words.text[a:b]:
            cells += [(a + p.start(), a + p.end()) for p in plain_numbers]
        else:
            cells.append((a, b))
    return cells


def _value_in(words: Words, cell: tuple[int, int]) -> Number | None:
    """The number a cell begins with, where the cell is no range and no unit (10*9/L)."""
    unit = words.unit(cell[0])
    if (unit and unit[1] >= cell[1]) or _limits_in(words, cell) is not None:
        return None
    return words.number(cell[0])


def _limits_in(words: Words, cell: tuple[int, int]) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """The limits in a cell that is a reference range: "4.0-10.5 K/uL", "(<5)", "ref 8-10"; a bare "<5" may be a value."""
    text = words.text[cell[0] : cell[1]]
    inner = text.strip("()[] ")
    if limits := RANGE.match(inner):
        after = inner[limits.end() :]
        if words.date_at.get(cell[0]) is None and not re.match(r"[\d/](?!\d+[-–]\d)", after):
            return limits_of(words, limits)
    if text[:1] in "([" and (limit := LIMIT.match(inner)):
        return limits_of(words, limit)
    return None


def _unit_in(words: Words, cell: tuple[int, int]) -> str | None:
    """The unit a cell consists of or ends with."""
    for m in re.finditer(r"(?<![A-Za-z])[A-Za-zµ%x/(1]", words.text[cell[0] : cell[1]]):
        place = cell[0] + m.start() + (m.group() == "(")
        unit = words.unit(place)
        if unit and not words.text[unit[1] : cell[1]].strip(" )HL*"):
            return unit[0]
    return None


def _cell_values(words: Words, cell: tuple[int, int], number: Number, tests: list[str], name: tuple[int, int], date: PartialDate | None) -> Iterator[Written]:
    """The value, or the values between slashes, of a cell."""
    if tests == ["flc_ratio"] and re.match(r"[\d.,]+[ \t]?/[ \t]?\d", words.text[number.start : cell[1]]):
        tests = ["kappa_flc", "lambda_flc"]
    current: Number | None = number
    for test in tests:
        if current is None or current.start >= cell[1]:
            return
        unit = words.unit(current.end)
        if unit and unit[1] > cell[1]:
            unit = None
        end = unit[1] if unit else current.end
        own = _OWN_BRACKET.match(words.text, end)
        mention = words.date_at.get(own.end()) if own else None
        yield Written(test, current.start, end, current.readings, unit[0] if unit else None, current.comparator, name, words.day(mention) if mention else date)
        flag = FLAG.match(words.text, end)
        joint = _JOINT.match(words.text, flag.end() if flag else end)
        if joint is None:
            return
        current = words.number(joint.end())


# ---------------------------------------------------------------- a row a date


def _named_columns(words: Words, lines: list[_Line], at: int) -> list[_Column]:
    """The columns of a heading of names; empty where the line is none."""
    line = lines[at]
    names, text = words.names_within(line.start, line.end), words.text
    if len(names) < 2 or len({n.meaning for n in names}) < 2 or at + 1 >= len(lines) or not all(_WIDE_GAP.search(text, a.end, b.start) for a, b in pairwise(names)):
        return []
    columns = []
    for n, following in zip(names, [*names[1:], None], strict=True):
        unit = words.unit(n.end) or words.unit(n.end + 2 if text[n.end : n.end + 2] == " (" else n.end)
        limit = following.start if following else line.end
        if unit and unit[1] > limit:
            unit = None
        if re.search(r"\d", text[unit[1] if unit else n.end : limit]):
            return []
        columns.append(_Column(*_place(words, line, n.start, unit[1] if unit else n.end), name=n, unit=unit[0] if unit else None))
    if re.search(r"\d", text[line.start : names[0].start]):
        return []
    others = [m for m in _CELL.finditer(text, names[-1].end + len(text[names[-1].end : line.end].partition("  ")[0]), line.end) if m.group().strip(" )")]
    return columns + [_Column(*_place(words, line, m.start(), m.end())) for m in others]


def _order_rows(words: Words, lines: list[_Line], at: int) -> None:
    """Rows run one way in time; the short dates that begin them take the meaning that makes them."""
    leads = []
    for line in lines[at : at + 40]:
        dates = words.dates_within(line.start, line.end)
        if dates and not words.text[line.start : dates[0].start].strip(" \t|-*"):
            leads.append(dates[0])
    for mention, day in zip(leads, _in_order(words, leads), strict=True):
        words.revised[mention.start] = day


def _named_row(words: Words, line: _Line, columns: list[_Column]) -> list[Written] | None:
    if words.names_within(line.start, line.end):
        return None
    text = words.text
    cells = _cells(words, line.start, line.end)
    date: PartialDate | None = None
    lead = words.dates_within(line.start, line.end)
    if lead and not text[line.start : lead[0].start].strip(" \t|-*"):
        date = words.day(lead[0])
        cells = [c for c in cells if c[0] >= lead[0].end] if any(c[0] == lead[0].start and c[1] <= lead[0].end for c in cells) else _cells(words, lead[0].end, line.end)
    numbered = [(cell, number) for cell in cells if (number := _value_in(words, cell)) is not None]
    if not numbered or (date is None and len(numbered) < 2):
        return None
    named = [c for c in columns if c.name]
    slots = [c for c in cells if words.number(c[0]) or _NOTHING.match(text[c[0] : c[1]])]
    unit = next((u for c in cells if words.number(c[0]) is None and (u := _unit_in(words, c))), None)
    written = []
    for cell, number in numbered:
        if len(slots) == len(named):
            column = named[slots.index(cell)]
        else:
            column = _nearest(columns, _place(words, line, cell[0], number.end))
        if column.name is None:
            continue
        test = column.name.meaning
        own = unit if test in ("kappa_flc", "lambda_flc") else None
        for value in _cell_values(words, cell, number, [test], (column.name.start, column.name.end), date):
            value.unit = value.unit or column.unit or own
            written.append(value)
    return written
