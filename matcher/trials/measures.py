"""Numbers in criteria: bounds ("18-75", "≥ 3 but ≤ 5", "2 or more") and what the unit means.

A reader is given the tokens and a place; it answers with what begins there and the place after it, or None.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from matcher.domain import Op
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

    @property
    def days(self) -> int:
        """The first side of a duration in whole days."""
        return round(self.sides[0].value * (self.sides[0].days or 1))


def skip(tokens: Sequence[Token], at: int, *kinds: str) -> int:
    while at < len(tokens) and tokens[at].kind in kinds:
        at += 1
    return at


def kind_at(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].kind if 0 <= at < len(tokens) else ""


def is_at(tokens: Sequence[Token], at: int, *words: str) -> bool:
    return 0 <= at < len(tokens) and tokens[at].value in words


def quantity(tokens: Sequence[Token], at: int) -> tuple[Bound, int] | None:
    """A number with its unit and multiple of a limit of normal; the operator is left `=`."""
    if kind_at(tokens, at) in ("uln", "lln") and kind_at(tokens, at + 1) == "times" and kind_at(tokens, at + 2) == "number":
        limit = tokens[at].kind
        return Bound("=", tokens[at + 2].value, None, None, limit == "uln", limit == "lln"), at + 3
    if kind_at(tokens, at) in ("uln", "lln"):
        limit = tokens[at].kind
        return Bound("=", 1.0, None, None, limit == "uln", limit == "lln"), at + 1
    if kind_at(tokens, at) != "number":
        return None
    value, unit, days, end = tokens[at].value, None, None, at + 1
    if [kind_at(tokens, p) for p in range(end, end + 3)] == ["(", "number", ")"] and tokens[end + 1].value == value:
        end += 3  # "one (1)"
    if kind_at(tokens, end) == "unit":
        unit, end = tokens[end].value, end + 1
    elif kind_at(tokens, end) == "time" or (is_at(tokens, end, "-") and kind_at(tokens, end + 1) == "time"):
        end += tokens[end].kind != "time"
        days, unit, end = float(tokens[end].value), "time", end + 1
    fold = end + (is_at(tokens, end, "-") and kind_at(tokens, end + 1) == "times")  # "2-fold"
    after = skip(tokens, fold, "times", "stop") if unit is None or unit == "%" else end
    if after > end and kind_at(tokens, owned := skip(tokens[: after + 5], after, "word", "filler", "stop", "'")) in ("uln", "lln"):
        after = owned  # "times the local laboratory's upper limit"
    if kind_at(tokens, after) == "(" and kind_at(tokens, after + 1) in ("uln", "lln") and (kind_at(tokens, after + 2) == ")" or after > end):
        after += 1
    if kind_at(tokens, after) == "op" and tokens[after].value == ">" and kind_at(tokens, skip(tokens, after + 1, "stop")) == "uln" and (unit == "%" or after > end):
        after = skip(tokens, after + 1, "stop")  # "20 % above the upper limit", "1.3 times above"
        value += 100 if unit == "%" else 0
    if kind_at(tokens, after) in ("uln", "lln") and unit in (None, "%"):
        limit = tokens[after].kind
        value = value / 100 if unit == "%" else value
        after += 1
        while kind_at(tokens, after) in ("uln", "lln") or (kind_at(tokens, after) in ("(", ")", "stop", "for") and kind_at(tokens, after + 1) in ("uln", "lln")):
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
    if kind_at(tokens, at) != "test":
        return False
    place = at + 1
    if [kind_at(tokens, p) for p in range(place, place + 3)] == ["(", "test", ")"]:
        place += 3  # "Platelets (PLT) > 50"
    place = skip(tokens, place, "stop", "filler", ":", "lead")
    return kind_at(tokens, place) in ("op", "number", "between", "not_between")


def _through(tokens: Sequence[Token], at: int) -> int | None:
    if kind_at(tokens, at) in ("-", "~", "through") or (is_at(tokens, at, "to") and kind_at(tokens, at) == "stop"):
        return at + 1
    return None


def bounds_at(tokens: Sequence[Token], at: int) -> Bounds | None:
    """The limit that begins here: operator first, between, a range, a number with "or more", or a bare number."""
    kind = kind_at(tokens, at)
    if kind in ("between", "not_between") or (kind == "within" and _range(tokens, at + 1)):
        found = _range(tokens, skip(tokens, at + 1, "stop", "age", ":"), with_and=True)
        if found is None:
            return None
        sides, end = found
        return Bounds(sides, end, outside=kind == "not_between")
    if kind == "op" or (kind == "(" and kind_at(tokens, at + 1) == "op" and kind_at(tokens, at + 2) == "number" and kind_at(tokens, at + 3) == ")"):
        return _operated(tokens, at)
    if kind == "number":
        found = _range(tokens, at)
        if found:
            return Bounds(*found)
        return _numbered(tokens, at)
    return None


def _range(tokens: Sequence[Token], at: int, with_and: bool = False) -> tuple[tuple[Bound, ...], int] | None:
    at = skip(tokens, at, "op") if with_and else at
    first = quantity(tokens, at)
    if first is None:
        return None
    low, middle = first
    if with_and:
        middle = skip(tokens, middle, "age")
    middle = middle + 1 if kind_at(tokens, middle) == "age" and _through(tokens, middle + 1) else middle
    up_to = kind_at(tokens, middle) == "op" and tokens[middle].value == "<=" and kind_at(tokens, at - 1) == "since"  # "from 18 up to 65"
    joint = _through(tokens, middle) or (middle + 1 if up_to or (with_and and kind_at(tokens, middle) in ("and", "or")) else None)
    if joint is None:
        return None
    strict = {t.value for t in tokens[joint : joint + 1] if t.kind == "op"}
    joint = skip(tokens, joint, "op") if with_and or strict <= {"<=", "<"} else joint
    second = quantity(tokens, skip(tokens, joint, "stop", "age"))
    if second is None:
        return None
    high, end = second
    if low.days and not high.days and not high.unit and kind_at(tokens, end) == "age" and tokens[end].end - tokens[end].start > len("of age"):
        high = replace(high, unit="time", days=365.0)  # "2 months to 20 years of age"
    if high.value < low.value and (low.value <= 0 or (not low.unit and not high.unit and is_at(tokens, at - 1, "of", "from"))):
        low, high = high, low  # "between -1.0 and -2.5", "a letter score of 78 to 24"
    if high.value < low.value and not (high.unit or low.unit):
        return None
    return _spread([replace(low, op=">="), replace(high, op="<" if "<" in strict else "<=")]), end


def _operated(tokens: Sequence[Token], at: int) -> Bounds | None:
    closing = tokens[at].kind == "("
    at += closing
    op, place = tokens[at].value, at + 1
    if kind_at(tokens, place) == "or" and kind_at(tokens, place + 1) == "op":  # "> or =", "less than or ="
        other = tokens[place + 1].value
        op, place = (f"{op}=" if other == "=" and op in "<>" else f"{other}=" if op == "=" and other in "<>" else op), place + 2
    elif kind_at(tokens, place) == "op":  # "≥ at least", "= >"
        other = tokens[place].value
        op, place = (op if other == "=" or op[0] == other[0] else other if op == "=" else op), place + 1
    if [t.kind for t in tokens[place : place + 3]] in (["(", "op", ")"], ["[", "op", "]"]):
        op, place = tokens[place + 1].value, place + 3  # "greater than or equal to (>=)"
    place = skip(tokens, place, "stop", ":", "age")
    first = quantity(tokens, place)
    if first is None:
        return None
    bound, end = first
    if closing and kind_at(tokens, end) == ")":
        end += 1
    sides = [replace(bound, op=op)]
    high = _through(tokens, end)
    if op in (">", ">=") and high and (second := quantity(tokens, high)) and second[0].value > bound.value:
        return Bounds(_spread([sides[0], replace(second[0], op="<=")]), second[1])
    if op == "=" and high and (second := quantity(tokens, high)):
        return Bounds(_spread([replace(bound, op=">="), replace(second[0], op="<=")]), second[1])
    if op in (">=", ">", "=") and kind_at(tokens, end) == "postop" and tokens[end].value[0] in "<>":
        sides, end = [replace(bound, op=tokens[end].value if op == "=" else op)], end + 1
    joint = skip(tokens, end, "age")
    if kind_at(tokens, joint) in ("and", "but", ",", "to", ";") or _through(tokens, joint):
        further = skip(tokens, joint + 1, "and", "but", "stop", "age")
        if kind_at(tokens, further) == "op" and tokens[further].value[0] != op[0] and "=" not in (op, tokens[further].value):
            second = quantity(tokens, skip(tokens, further + 1, "stop"))
            same = second and (second[0].x_uln, second[0].x_lln) == (bound.x_uln, bound.x_lln)
            between = op[0] == ">" and second and second[0].value >= bound.value
            own = kind_at(tokens, second[1]) not in CONCEPTS - {"condition"} or limited(tokens, second[1]) if second else False
            if second and own and (same or not second[0].unit) and (between or (op[0] == "<" and second[0].value <= bound.value)):
                return Bounds(_spread([sides[0], replace(second[0], op=tokens[further].value)]), second[1])
    return Bounds(tuple(sides), end)


def _numbered(tokens: Sequence[Token], at: int) -> Bounds | None:
    multiple = skip(tokens, at + 3, "stop")
    if [kind_at(tokens, p) for p in (at + 1, at + 2, multiple)] == ["times", "postop", "uln"]:  # "4 times or less the upper limit"
        return Bounds((Bound(tokens[at + 2].value, tokens[at].value, x_uln=True),), multiple + 1)
    first = quantity(tokens, at)
    if first is None:
        return None
    bound, end = first
    place = skip(tokens, end, "age", ",") if kind_at(tokens, end) in ("age", ",") else end
    if kind_at(tokens, place) == "(" and kind_at(tokens, place + 1) == "postop":
        place += 1
    if kind_at(tokens, place) == "postop":
        op, end = tokens[place].value, place + 1
        if kind_at(tokens, end) == ")" and kind_at(tokens, place - 1) == "(":
            end += 1
        if kind_at(tokens, end) == "time" and not bound.days:
            bound, end = replace(bound, unit="time", days=float(tokens[end].value)), end + 1
        high = skip(tokens, end, "and", "but", ",")
        if high > end and kind_at(tokens, high) in ("op", "number") and (further := bounds_at(tokens, high)) and len(further.sides) == 1 and further.sides[0].op[0] != op[0] and not further.bare:
            return Bounds(_spread([replace(bound, op=op), further.sides[0]]), further.end)
        return Bounds((replace(bound, op=op),), end)
    if kind_at(tokens, place) == "op" and tokens[place].value in (">=", "<=") and place + 1 == len(tokens):
        return Bounds((replace(bound, op=tokens[place].value),), place + 1)  # "18 years minimum"
    values, last = [bound.value], end
    place = end
    while kind_at(tokens, place) in (",", "or", "and", "/"):
        place = skip(tokens, place, ",", "or", "and", "/", "stop")
        if kind_at(tokens, place) != "number" or (found := quantity(tokens, place)) is None:
            break
        values.append(found[0].value)
        bound = replace(bound, unit=bound.unit or found[0].unit, days=bound.days or found[0].days)
        place = last = found[1]
    if len(values) > 1 and max(values) <= 10 and not bound.days:
        return Bounds((replace(bound, op=">=", value=min(values)), replace(bound, op="<=", value=max(values))), last, listed=True)
    return Bounds((replace(first[0], op="="),), end, bare=True)


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


def scale_value(limit: Bounds) -> str:
    sides = limit.sides
    if len(sides) == 1:
        return f"{'' if sides[0].op == '=' else sides[0].op}{sides[0].value:g}"
    low, high = sides[0].value, sides[1].value
    return f"<={high:g}" if low <= 1 else f">={low:g}"
