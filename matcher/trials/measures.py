"""Numbers in criteria: bounds ("18-75", "≥ 3 but ≤ 5", "2 or more"), durations, windows, and what the unit means.

A reader is given the tokens and a place; it answers with what begins there and the place after it, or None.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from matcher.domain import Op, Window
from matcher.quantities import convert, ucum
from matcher.trials.lexer import CONCEPTS, Token
from models import load_vocabulary


@dataclass(frozen=True, slots=True)
class Bound:
    """One side of a limit as written: `unit` as in the text, `days` where the unit is one of time."""

    op: Op
    value: float
    unit: str | None = None
    days: float | None = None
    x_uln: bool = False
    x_lln: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """`sides` of one limit (a range has two); `end`: the place after it."""

    sides: tuple[Bound, ...]
    end: int
    bare: bool = False  # a number with no word or sign of comparison
    listed: bool = False  # "0, 1 or 2"
    outside: bool = False  # what lies beyond the range is meant

    @property
    def time(self) -> bool:
        return any(b.days for b in self.sides)


def _skip(tokens: Sequence[Token], at: int, *kinds: str) -> int:
    while at < len(tokens) and tokens[at].kind in kinds:
        at += 1
    return at


def _kind(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].kind if 0 <= at < len(tokens) else ""


def _is(tokens: Sequence[Token], at: int, *words: str) -> bool:
    return 0 <= at < len(tokens) and tokens[at].value in words


def quantity(tokens: Sequence[Token], at: int) -> tuple[Bound, int] | None:
    """A number with its unit and multiple of a limit of normal; the operator is left `=`."""
    if _kind(tokens, at) in ("uln", "lln") and _kind(tokens, at + 1) == "times" and _kind(tokens, at + 2) == "number":
        limit = tokens[at].kind
        return Bound("=", tokens[at + 2].value, None, None, limit == "uln", limit == "lln"), at + 3
    if _kind(tokens, at) in ("uln", "lln"):
        limit = tokens[at].kind
        return Bound("=", 1.0, None, None, limit == "uln", limit == "lln"), at + 1
    if _kind(tokens, at) != "number":
        return None
    value, unit, days, end = tokens[at].value, None, None, at + 1
    if [_kind(tokens, p) for p in range(end, end + 3)] == ["(", "number", ")"] and tokens[end + 1].value == value:
        end += 3  # "one (1)"
    if _kind(tokens, end) == "unit":
        unit, end = tokens[end].value, end + 1
    elif _kind(tokens, end) == "time" or (_is(tokens, end, "-") and _kind(tokens, end + 1) == "time"):
        end += tokens[end].kind != "time"
        days, unit, end = float(tokens[end].value), "time", end + 1
    fold = end + (_is(tokens, end, "-") and _kind(tokens, end + 1) == "times")  # "2-fold"
    after = _skip(tokens, fold, "times", "stop") if unit is None or unit == "%" else end
    if after > end and _kind(tokens, owned := _skip(tokens[: after + 5], after, "word", "filler", "stop", "'")) in ("uln", "lln"):
        after = owned  # "times the local laboratory's upper limit"
    if _kind(tokens, after) == "(" and _kind(tokens, after + 1) in ("uln", "lln") and (_kind(tokens, after + 2) == ")" or after > end):
        after += 1
    if _kind(tokens, after) == "op" and tokens[after].value == ">" and _kind(tokens, _skip(tokens, after + 1, "stop")) == "uln" and (unit == "%" or after > end):
        after = _skip(tokens, after + 1, "stop")  # "20 % above the upper limit", "1.3 times above"
        value += 100 if unit == "%" else 0
    if _kind(tokens, after) in ("uln", "lln") and unit in (None, "%"):
        limit = tokens[after].kind
        value = value / 100 if unit == "%" else value
        after += 1
        while _kind(tokens, after) in ("uln", "lln") or (_kind(tokens, after) in ("(", ")", "stop", "for") and _kind(tokens, after + 1) in ("uln", "lln")):
            after += 1
        return Bound("=", value, None, None, limit == "uln", limit == "lln"), after
    return Bound("=", value, unit, days), end


def _spread(sides: list[Bound]) -> tuple[Bound, ...]:
    """A unit written once counts for both ends of a range."""
    for b in reversed(sides):
        if b.unit or b.x_uln or b.x_lln:
            return tuple(replace(s, unit=s.unit or b.unit, days=s.days or b.days, x_uln=s.x_uln or b.x_uln, x_lln=s.x_lln or b.x_lln) for s in sides)
    return tuple(sides)


def limited(tokens: Sequence[Token], at: int) -> bool:
    """Whether the test named here has a limit of its own after it: "Platelets > 50", "Platelets (PLT): 50"."""
    if _kind(tokens, at) != "test":
        return False
    place = at + 1
    if [_kind(tokens, p) for p in range(place, place + 3)] == ["(", "test", ")"]:
        place += 3  # "Platelets (PLT) > 50"
    place = _skip(tokens, place, "stop", "filler", ":", "lead")
    return _kind(tokens, place) in ("op", "number", "between", "not_between")


def _through(tokens: Sequence[Token], at: int) -> int | None:
    if _kind(tokens, at) in ("-", "~", "through") or (_is(tokens, at, "to") and _kind(tokens, at) == "stop"):
        return at + 1
    return None


def bounds_at(tokens: Sequence[Token], at: int) -> Bounds | None:
    """The limit that begins here: operator first, between, a range, a number with "or more", or a bare number."""
    kind = _kind(tokens, at)
    if kind in ("between", "not_between") or (kind == "within" and _range(tokens, at + 1)):
        found = _range(tokens, _skip(tokens, at + 1, "stop", "age", ":"), with_and=True)
        if found is None:
            return None
        sides, end = found
        return Bounds(sides, end, outside=kind == "not_between")
    if kind == "op" or (kind == "(" and _kind(tokens, at + 1) == "op" and _kind(tokens, at + 2) == "number" and _kind(tokens, at + 3) == ")"):
        return _operated(tokens, at)
    if kind == "number":
        found = _range(tokens, at)
        if found:
            return Bounds(*found)
        return _numbered(tokens, at)
    return None


def _range(tokens: Sequence[Token], at: int, with_and: bool = False) -> tuple[tuple[Bound, ...], int] | None:
    at = _skip(tokens, at, "op") if with_and else at
    first = quantity(tokens, at)
    if first is None:
        return None
    low, middle = first
    if with_and:
        middle = _skip(tokens, middle, "age")
    middle = middle + 1 if _kind(tokens, middle) == "age" and _through(tokens, middle + 1) else middle
    up_to = _kind(tokens, middle) == "op" and tokens[middle].value == "<=" and _kind(tokens, at - 1) == "since"  # "from 18 up to 65"
    joint = _through(tokens, middle) or (middle + 1 if up_to or (with_and and _kind(tokens, middle) in ("and", "or")) else None)
    if joint is None:
        return None
    strict = {t.value for t in tokens[joint : joint + 1] if t.kind == "op"}
    joint = _skip(tokens, joint, "op") if with_and or strict <= {"<=", "<"} else joint
    second = quantity(tokens, _skip(tokens, joint, "stop", "age"))
    if second is None:
        return None
    high, end = second
    if low.days and not high.days and not high.unit and _kind(tokens, end) == "age" and tokens[end].end - tokens[end].start > len("of age"):
        high = replace(high, unit="time", days=365.0)  # "2 months to 20 years of age"
    if high.value < low.value and (low.value <= 0 or (not low.unit and not high.unit and _is(tokens, at - 1, "of", "from"))):
        low, high = high, low  # "between -1.0 and -2.5", "a letter score of 78 to 24"
    if high.value < low.value and not (high.unit or low.unit):
        return None
    return _spread([replace(low, op=">="), replace(high, op="<" if "<" in strict else "<=")]), end


def _operated(tokens: Sequence[Token], at: int) -> Bounds | None:
    closing = tokens[at].kind == "("
    at += closing
    op, place = tokens[at].value, at + 1
    if _kind(tokens, place) == "or" and _kind(tokens, place + 1) == "op":  # "> or =", "less than or ="
        other = tokens[place + 1].value
        op, place = (f"{op}=" if other == "=" and op in "<>" else f"{other}=" if op == "=" and other in "<>" else op), place + 2
    elif _kind(tokens, place) == "op":  # "≥ at least", "= >"
        other = tokens[place].value
        op, place = (op if other == "=" or op[0] == other[0] else other if op == "=" else op), place + 1
    if [t.kind for t in tokens[place : place + 3]] in (["(", "op", ")"], ["[", "op", "]"]):
        op, place = tokens[place + 1].value, place + 3  # "greater than or equal to (>=)"
    place = _skip(tokens, place, "stop", ":", "age")
    first = quantity(tokens, place)
    if first is None:
        return None
    bound, end = first
    if closing and _kind(tokens, end) == ")":
        end += 1
    sides = [replace(bound, op=op)]
    high = _through(tokens, end)
    if op in (">", ">=") and high and (second := quantity(tokens, high)) and second[0].value > bound.value:
        return Bounds(_spread([sides[0], replace(second[0], op="<=")]), second[1])
    if op == "=" and high and (second := quantity(tokens, high)):
        return Bounds(_spread([replace(bound, op=">="), replace(second[0], op="<=")]), second[1])
    if op in (">=", ">", "=") and _kind(tokens, end) == "postop" and tokens[end].value[0] in "<>":
        sides, end = [replace(bound, op=tokens[end].value if op == "=" else op)], end + 1
    joint = _skip(tokens, end, "age")
    if _kind(tokens, joint) in ("and", "but", ",", "to", ";") or _through(tokens, joint):
        further = _skip(tokens, joint + 1, "and", "but", "stop", "age")
        if _kind(tokens, further) == "op" and tokens[further].value[0] != op[0] and "=" not in (op, tokens[further].value):
            second = quantity(tokens, _skip(tokens, further + 1, "stop"))
            same = second and (second[0].x_uln, second[0].x_lln) == (bound.x_uln, bound.x_lln)
            between = op[0] == ">" and second and second[0].value >= bound.value
            own = _kind(tokens, second[1]) not in CONCEPTS - {"condition"} or limited(tokens, second[1]) if second else False
            if second and own and (same or not second[0].unit) and (between or (op[0] == "<" and second[0].value <= bound.value)):
                return Bounds(_spread([sides[0], replace(second[0], op=tokens[further].value)]), second[1])
    return Bounds(tuple(sides), end)


def _numbered(tokens: Sequence[Token], at: int) -> Bounds | None:
    first = quantity(tokens, at)
    if first is None:
        return None
    bound, end = first
    place = _skip(tokens, end, "age", ",") if _kind(tokens, end) in ("age", ",") else end
    if _kind(tokens, place) == "(" and _kind(tokens, place + 1) == "postop":
        place += 1
    if _kind(tokens, place) == "postop":
        op, end = tokens[place].value, place + 1
        if _kind(tokens, end) == ")" and _kind(tokens, place - 1) == "(":
            end += 1
        if _kind(tokens, end) == "time" and not bound.days:
            bound, end = replace(bound, unit="time", days=float(tokens[end].value)), end + 1
        high = _skip(tokens, end, "and", "but", ",")
        if high > end and _kind(tokens, high) in ("op", "number") and (further := bounds_at(tokens, high)) and len(further.sides) == 1 and further.sides[0].op[0] != op[0] and not further.bare:
            return Bounds(_spread([replace(bound, op=op), further.sides[0]]), further.end)
        return Bounds((replace(bound, op=op),), end)
    if _kind(tokens, place) == "op" and tokens[place].value in (">=", "<=") and place + 1 == len(tokens):
        return Bounds((replace(bound, op=tokens[place].value),), place + 1)  # "18 years minimum"
    values, last = [bound.value], end
    place = end
    while _kind(tokens, place) in (",", "or", "and", "/"):
        place = _skip(tokens, place, ",", "or", "and", "/", "stop")
        if _kind(tokens, place) != "number" or (found := quantity(tokens, place)) is None:
            break
        values.append(found[0].value)
        bound = replace(bound, unit=bound.unit or found[0].unit, days=bound.days or found[0].days)
        place = last = found[1]
    if len(values) > 1 and max(values) <= 10 and not bound.days:
        return Bounds((replace(bound, op=">=", value=min(values)), replace(bound, op="<=", value=max(values))), last, listed=True)
    return Bounds((replace(first[0], op="="),), end, bare=True)


# ---------------------------------------------------------------- time


@dataclass(frozen=True, slots=True)
class Period:
    """A duration with its place in time. `counts_from`: where the tokens of its anchor begin; `end`: after them.
    `onward`: the event the duration is counted from follows ("at least 4 weeks since prior chemotherapy")."""

    window: Window
    end: int
    onward: bool = False


def _days(bound: Bound) -> int:
    return round(bound.value * (bound.days or 1)) if bound.value * (bound.days or 1) >= 1 else 1


def period_at(tokens: Sequence[Token], at: int, text: str) -> Period | None:
    """A window that begins here, or None: "within 14 days before consent", "in the past 2 years", "less than 12 weeks before",
    "14 days before", "for at least 5 years", "5 half-lives or 28 days, whichever is longer"."""
    place, relation = at, None
    if _kind(tokens, place) == "within":
        relation, place = "within", place + 1
        place = _skip(tokens, place, "stop", "within", "ever")
        if _kind(tokens, place) == "op" and tokens[place].value in ("<", "<=", "="):
            place += 1
    elif _kind(tokens, place) == "ever" and _kind(tokens, place + 1) == "number" and tokens[place].value == "":
        relation, place = "within", place + 1
    limit = bounds_at(tokens, place) if _kind(tokens, place) in ("op", "number", "between") else None
    if relation and _kind(tokens, place) == "time":  # "within the previous year"
        limit = Bounds((Bound("=", 1.0, "time", float(tokens[place].value)),), place + 1, bare=True)
    if limit is None:
        return None
    if not limit.time:
        return _half_lives(tokens, place, limit, text) if relation or _kind(tokens, limit.end) == "half_life" else None
    bound, end = limit.sides[-1], limit.end
    if relation is None and limit.bare and _kind(tokens, end) == "postop":
        bound, end = replace(bound, op=tokens[end].value), end + 1
    lead = next((t for t in reversed(tokens[:at]) if t.value not in ("of", "a", "an")), None)
    end = _alternatives(tokens, end)
    if _kind(tokens, end) == "(" and (close := closing(tokens, end)) and any(t.kind in ("half_life", "whichever", "time") for t in tokens[end:close]) and not any(t.kind in CONCEPTS for t in tokens[end:close]):
        end = close
    marker = _skip(tokens, end, "stop")
    if _kind(tokens, elapsed := _skip(tokens[: end + 5], end, "stop", "filler", "word")) == "since":
        marker = elapsed  # "at least 21 days must have elapsed since ..."
    kind = _kind(tokens, marker)
    if relation is None:
        if kind == "ever" and _kind(tokens, marker + 1) == "before":
            marker, kind = marker + 1, "before"
        if kind in ("before", "since", "ago") or (kind == "ever" and _is(tokens, marker, "") and tokens[marker].kind == "ever" and _kind(tokens, marker + 1) in ("stop", "anchor")):
            relation = "before" if bound.op in (">", ">=") else "within"
        elif lead is not None and (lead.value == "for" or lead.kind in ("filler", "state", "response")) and bound.op in (">", ">=", "="):
            return Period(Window("before", _days(bound)), end)
        else:
            return None
    if bound.op in (">", ">=") and relation == "within":
        relation = "before"
    onward = kind == "since" and _kind(tokens, _skip(tokens, marker + 1, "stop", "ever", "current", "qual", "any_of", "filler", "subject", "all_of", "frame")) in CONCEPTS
    anchor_end = end if onward else _anchor(tokens, end)
    anchor = text[tokens[end].start : tokens[anchor_end - 1].end].strip() if anchor_end > end else None
    return Period(Window(relation, _days(bound), anchor), marker + 1 if onward else anchor_end, onward)  # type: ignore[arg-type]


def _half_lives(tokens: Sequence[Token], place: int, limit: Bounds, text: str) -> Period | None:
    """Half-lives alone have no length in days; with an alternative in days, the days count."""
    if _kind(tokens, limit.end) != "half_life":
        return None
    after = limit.end + 1
    joint = _skip(tokens, after, "or", ",", "(", "stop", "and")
    further = period_at(tokens, joint, text) if _kind(tokens, joint) in ("number", "within") else None
    if further:
        return further
    days = bounds_at(tokens, joint) if _kind(tokens, joint) in ("number", "op") else None
    if days and days.time:
        end = _anchor(tokens, _alternatives(tokens, days.end))
        return Period(Window("within", _days(days.sides[-1])), end)
    return Period(Window("within", None, "half-lives"), _anchor(tokens, _alternatives(tokens, after)))


def _alternatives(tokens: Sequence[Token], end: int) -> int:
    """After "28 days": ", or 5 half-lives, whichever is longer,"."""
    place = end
    while True:
        joint = _skip(tokens, place, ",", "or", "stop", "(")
        if _kind(tokens, joint) == "whichever":
            place = joint + 1
        elif _kind(tokens, joint) == "number" and _kind(tokens, joint + 1) == "half_life":
            place = joint + 2
        else:
            break
    return _skip(tokens, place, ")") if place > end else end


def closing(tokens: Sequence[Token], at: int) -> int | None:
    depth = 0
    for place in range(at, len(tokens)):
        depth += (tokens[place].kind in ("(", "[")) - (tokens[place].kind in (")", "]"))
        if depth == 0:
            return place + 1
    return None


def _anchor(tokens: Sequence[Token], at: int) -> int:
    """After a duration: "before the first dose of study drug". Stops at a concept, a connective or a mark."""
    place, opened = at, False
    while place < len(tokens):
        kind = tokens[place].kind
        if kind in ("before", "since", "ago", "anchor", "screening"):
            opened = True
        elif (kind in ("stop", "filler", "lines", "ever", "time", "subject", "current", "number", "frame") and (opened or kind == "stop")) or (opened and kind == "word") or (opened and kind in ("therapy", "drug") and place and tokens[place - 1].kind in ("before", "stop", "anchor", "since")) or (kind in ("and", "or", "/") and opened and _kind(tokens, _skip(tokens, place + 1, "stop")) == "anchor" and _kind(tokens, place - 1) == "anchor"):
            pass
        elif opened and kind == "(" and (close := closing(tokens, place)) and all(t.kind in ("anchor", "word", "(", ")", "stop", "number", "time", "-", "unit", "filler") for t in tokens[place:close]):
            place = close
            continue
        else:
            break
        place += 1
    while place > at and tokens[place - 1].kind == "stop":
        place -= 1
    return place


# ---------------------------------------------------------------- units


_OF_AGE = re.compile(r"SDs?|standard deviations?|(?:th|st|nd|rd)?\s?(?:per)?centiles?", re.IGNORECASE)  # against the norm of an age: no value of the test


def _code(unit: str | None, canonical_unit: str) -> str | None:
    code = ucum(unit.replace(" per ", "/")) if unit else None
    if code == "g/L" and canonical_unit == "10*9/L":
        return "10*9/L"  # "G/L" in small letters
    return f"{code}/(24.h)" if code in ("g", "mg") and canonical_unit.endswith("/(24.h)") else code


def fits(fact: str, bound: Bound) -> bool:
    """Whether the unit written, if any is known, is one of the test."""
    test = load_vocabulary().tests.get(fact)
    if test is None or bound.x_uln or bound.x_lln or test.unit == "1":
        return True
    code = _code(bound.unit, test.unit)
    return code in (None, test.unit) or (code in load_vocabulary().ucum and convert(bound.value, code, fact) is not None)


def canonical(fact: str, bound: Bound) -> tuple[float, str | None]:
    """(value, unit): in the unit that the contract fixes for the test, with the unit known or plain from the size; a test that
    the contract does not list keeps the value as written, in UCUM.

    A document that writes 1,000 cells/mL for a neutrophil count, or leaves the unit out, means the unit in which the value
    is a possible one; where none is, the value stays as written.
    """
    test = load_vocabulary().tests.get(fact)
    if test is None:
        return bound.value, None if bound.unit == "time" else _code(bound.unit, "") or bound.unit
    if bound.unit and _OF_AGE.fullmatch(bound.unit):
        return bound.value, "{percentile}" if "centile" in bound.unit.lower() else "{SD}"
    if bound.days == 1 and test.unit == "wk":
        return bound.value, "d"
    if bound.days and test.unit == "wk":
        return float(f"{bound.value * bound.days / 7:.4g}"), test.unit
    if bound.x_uln or bound.x_lln:
        return bound.value, "1"
    if test.unit == "1":
        return bound.value, "1"
    code = _code(bound.unit, test.unit)
    if code in ("g", "mg") and load_vocabulary().ucum[test.unit].dimension == "mass/volume":
        code += "/dL"
    known = code == test.unit or code in load_vocabulary().ucum  # others cost seconds to look up, and measure something else
    if code and (not test.source.startswith("vocabulary") or not known or convert(bound.value, code, fact) is None):
        return bound.value, code
    candidates = [code] if code else []
    candidates += [test.unit, "/uL"]
    for unit in candidates:
        value = bound.value if unit == test.unit else convert(bound.value, unit, fact)
        if value is not None and test.low <= value <= test.high:
            return float(f"{value:.12g}"), test.unit
    value = convert(bound.value, code, fact) if code else None
    return (float(f"{value:.12g}"), test.unit) if value is not None else (bound.value, bound.unit if code is None and bound.unit else test.unit)
