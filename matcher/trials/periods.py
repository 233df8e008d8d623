"""Durations with their place in time: "within 14 days before consent", "for at least 5 years", "28 days or 5 half-lives".

A reader is given the tokens and a place; it answers with what begins there and the place after it, or None.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from matcher.domain import Window
from matcher.trials.lexer import CONCEPTS, Token
from matcher.trials.measures import Bound, Bounds, bounds_at, is_at, kind_at, skip


@dataclass(frozen=True, slots=True)
class Period:
    """A duration with its place in time. `counts_from`: where the tokens of its anchor begin; `end`: after them.
    `onward`: the event the duration is counted from follows ("at least 4 weeks since prior chemotherapy")."""

    window: Window
    end: int
    onward: bool = False


_FREE = re.compile(r"free|cured|treated|remission|diagnosed", re.IGNORECASE)  # "disease-free 5 years"


def _days(bound: Bound) -> int:
    return round(bound.value * (bound.days or 1)) if bound.value * (bound.days or 1) >= 1 else 1


def period_at(tokens: Sequence[Token], at: int, text: str) -> Period | None:
    """A window that begins here, or None: "within 14 days before consent", "in the past 2 years", "less than 12 weeks before",
    "14 days before", "for at least 5 years", "5 half-lives or 28 days, whichever is longer"."""
    place, relation = at, None
    if kind_at(tokens, place) == "within":
        relation, place = "within", place + 1
        place = skip(tokens, place, "stop", "within", "ever", "(")
        if kind_at(tokens, place) == "op" and tokens[place].value in ("<", "<=", "="):
            place += 1
    elif kind_at(tokens, place) == "ever" and kind_at(tokens, place + 1) == "number" and tokens[place].value == "":
        relation, place = "within", place + 1
    limit = bounds_at(tokens, place) if kind_at(tokens, place) in ("op", "number", "between") else None
    if relation and kind_at(tokens, place) == "time":  # "within the previous year"
        limit = Bounds((Bound("=", 1.0, "time", float(tokens[place].value)),), place + 1, bare=True)
    if limit is None:
        return None
    if not limit.time:
        return _half_lives(tokens, place, limit, text) if relation or kind_at(tokens, limit.end) == "half_life" else None
    bound, end = limit.sides[-1], limit.end
    if relation is None and limit.bare and kind_at(tokens, end) == "postop":
        bound, end = replace(bound, op=tokens[end].value), end + 1
    lead = next((t for t in reversed(tokens[:at]) if t.value not in ("of", "a", "an")), None)
    end = _alternatives(tokens, end)
    if kind_at(tokens, end) == "(" and (close := closing(tokens, end)) and any(t.kind in ("half_life", "whichever", "time") for t in tokens[end:close]) and not any(t.kind in CONCEPTS for t in tokens[end:close]):
        end = close
    marker = skip(tokens, end, "stop")
    if kind_at(tokens, elapsed := skip(tokens[: end + 5], end, "stop", "filler", "word")) == "since":
        marker = elapsed  # "at least 21 days must have elapsed since ..."
    kind = kind_at(tokens, marker)
    if relation is None:
        if kind == "ever" and kind_at(tokens, marker + 1) == "before":
            marker, kind = marker + 1, "before"
        if kind in ("before", "since", "ago") or (kind == "ever" and is_at(tokens, marker, "") and tokens[marker].kind == "ever" and kind_at(tokens, marker + 1) in ("stop", "anchor")):
            relation = "before" if bound.op in (">", ">=") else "within"
        elif lead is not None and (lead.value == "for" or lead.kind in ("state", "response") or _FREE.search(text[lead.start : lead.end])) and bound.op in (">", ">=", "="):
            return Period(Window("before", _days(bound)), end)
        else:
            return None
    if bound.op in (">", ">=") and relation == "within":
        relation = "before"
    onward = kind == "since" and kind_at(tokens, skip(tokens, marker + 1, "stop", "ever", "current", "qual", "any_of", "filler", "subject", "all_of", "frame")) in CONCEPTS
    anchor_end = end if onward else _anchor(tokens, end)
    anchor = text[tokens[end].start : tokens[anchor_end - 1].end].strip() if anchor_end > end else None
    return Period(Window(relation, _days(bound), anchor), marker + 1 if onward else anchor_end, onward)  # type: ignore[arg-type]


def _half_lives(tokens: Sequence[Token], place: int, limit: Bounds, text: str) -> Period | None:
    """Half-lives alone have no length in days; with an alternative in days, the days count."""
    if kind_at(tokens, limit.end) != "half_life":
        return None
    after = limit.end + 1
    joint = skip(tokens, after, "or", ",", "(", "stop", "and")
    further = period_at(tokens, joint, text) if kind_at(tokens, joint) in ("number", "within") else None
    if further:
        return further
    days = bounds_at(tokens, joint) if kind_at(tokens, joint) in ("number", "op") else None
    if days and days.time:
        end = _anchor(tokens, _alternatives(tokens, days.end))
        return Period(Window("within", _days(days.sides[-1])), end)
    return Period(Window("within", None, "half-lives"), _anchor(tokens, _alternatives(tokens, after)))


def _alternatives(tokens: Sequence[Token], end: int) -> int:
    """After "28 days": ", or 5 half-lives, whichever is longer,"."""
    place = end
    while True:
        joint = skip(tokens, place, ",", "or", "stop", "(")
        if kind_at(tokens, joint) == "whichever":
            place = joint + 1
        elif kind_at(tokens, joint) == "number" and kind_at(tokens, joint + 1) == "half_life":
            place = joint + 2
        else:
            break
    return skip(tokens, place, ")") if place > end else end


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
        elif (kind in ("stop", "filler", "lines", "ever", "time", "subject", "current", "number", "frame") and (opened or kind == "stop")) or (opened and kind == "word") or (opened and kind in ("therapy", "drug") and place and tokens[place - 1].kind in ("before", "stop", "anchor", "since")) or (kind in ("and", "or", "/") and opened and kind_at(tokens, skip(tokens, place + 1, "stop")) == "anchor" and kind_at(tokens, place - 1) == "anchor"):
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
