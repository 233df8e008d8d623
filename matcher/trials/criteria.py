"""One eligibility item as written becomes a typed expression; what is not understood stays as Unparsed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from matcher.domain import AllOf, AnyOf, AtLeast, AtScreening, Comparison, Expression, Kind, Not, Presence, Unparsed
from matcher.trials.clauses import read_sentence
from matcher.trials.lexer import Token, plain, tokens
from matcher.trials.logic import Context, conjoin, disjoin

_PART = re.compile(r"(?:^|(?<=[\s;:,.)]))(?:\(\s?(?:\d{1,2}|[a-h]|i{1,3}|iv|vi{0,3})\s?\)|(?:\d{1,2}|[a-h]|i{1,3}|iv)\s?\)|\n\s*[-*+]\s|\n\s*(?:\d{1,2}|[a-h])\.\s)(?=\s?\S)", re.IGNORECASE)


def compile_criterion(text: str, kind: Kind, conditions: tuple[str, ...] = ()) -> tuple[Expression, bool]:
    """(expression, assessable): what the item says about the patient, and whether a note can settle it at all.

    `conditions`: the trial's own diseases (condition ids), which "the disease under study" and "relapsed" refer to.
    Every text compiles; what is not understood is an Unparsed part with its words.
    """
    shown = plain(text)
    context = Context(shown, kind, conditions)
    found = tokens(shown)
    expression = _item(found, context)
    if expression is None:
        expression = Unparsed(text.strip()) if any(t.kind not in ("stop", ".", ",") for t in found) and not _permission(found) else AllOf(())
    return expression, _assessable(expression)


def _permission(found: list[Token]) -> bool:
    return any(t.kind == "allowed" for t in found)


def _assessable(expression: Expression) -> bool:
    leaves = list(_leaves(expression))
    return not leaves or not all(isinstance(e, AtScreening) or (isinstance(e, Presence) and e.value in ("childbearing_potential", "male", "female")) for e in leaves)


def _leaves(expression: Expression) -> Iterator[Expression]:
    match expression:
        case AllOf(parts) | AnyOf(parts) | AtLeast(_, parts):
            for part in parts:
                yield from _leaves(part)
        case Not(part):
            yield from _leaves(part)
        case _:
            yield expression


def _item(found: list[Token], context: Context) -> Expression | None:
    """Numbered or bulleted parts of one item, else its sentences."""
    cuts = [m.span() for m in _PART.finditer(context.text)]
    cuts = [c for c in cuts if not any(t.start < c[0] < t.end for t in found)]
    if len(cuts) >= 2:
        head = [t for t in found if t.end <= cuts[0][0]]
        parts = []
        for number, (_, start) in enumerate(cuts):
            end = cuts[number + 1][0] if number + 1 < len(cuts) else len(context.text)
            parts.append([t for t in found if t.start >= start and t.end <= end])
        return _listed(head, parts, context)
    return _sentences(found, context)


def _listed(head: list[Token], parts: list[list[Token]], context: Context) -> Expression | None:
    count = next((int(t.value) for t in head if t.kind == "any_of"), 0)
    all_of = any(t.kind == "all_of" for t in head) and not count
    inner = [e for p in parts if (e := _sentences(p, context)) is not None]
    lead = _sentences([t for t in head if t.kind not in ("any_of", "all_of")], context)
    ends_or = sum(bool(p) and p[-1].kind == "or" for p in parts)
    either = count == 1 or ends_or or (context.exclusion and not all_of) or _measurable(lead)
    if not inner:
        return lead
    if count > 1 and not ends_or:
        listed: Expression = AtLeast(min(count, len(inner)), tuple(inner))
    else:
        listed = disjoin(*inner) if either else conjoin(*inner)
    if lead is None or isinstance(lead, Unparsed | AtScreening):
        return listed
    return conjoin(lead, listed)


def _measurable(lead: Expression | None) -> bool:
    return lead is not None and any(isinstance(e, Presence) and e.fact == "measurable_disease" for e in _leaves(lead))


def _sentences(found: list[Token], context: Context) -> Expression | None:
    """Sentences of an item: all hold for an inclusion, any excludes."""
    runs: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        depth = max(0, depth + (token.kind in ("(", "[")) - (token.kind in (")", "]")))
        if token.kind == "." and depth == 0:
            runs.append([])
        else:
            runs[-1].append(token)
    expressions = [e for run in runs if run and (e := read_sentence(run, context)) is not None]
    if not expressions:
        return None
    return disjoin(*expressions) if context.exclusion else conjoin(*expressions)


def coverage(text: str, expression: Expression) -> float:
    """The share of the text's characters that became logic, 0 to 1: what stands in Unparsed parts is not counted."""
    size = len("".join(text.split()))
    lost = sum(len("".join(e.text.split())) for e in _leaves(expression) if isinstance(e, Unparsed))
    return max(0.0, 1 - lost / size) if size else 1.0


# ---------------------------------------------------------------- constraints


def constraints(expression: Expression) -> list[dict[str, Any]]:
    """The atomic statements within an item, as commands.md lists them: fact, op, value, unit, window_days, x_uln, of."""
    found = []
    for statement, absent in _statements(expression, False):
        row = _row(statement, absent)
        if row is not None and row not in found:
            found.append(row)
    return found


def _statements(expression: Expression, negated: bool) -> Iterator[tuple[Comparison | Presence, bool]]:
    match expression:
        case AllOf(parts) | AnyOf(parts) | AtLeast(_, parts):
            for part in parts:
                yield from _statements(part, negated)
        case Not(part):
            yield from _statements(part, not negated)
        case Comparison() | Presence():
            yield expression, negated


_FLIP = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "="}


def _row(statement: Comparison | Presence, absent: bool) -> dict[str, Any] | None:
    window = statement.window.days if statement.window and statement.window.relation == "within" else None
    if isinstance(statement, Comparison):
        row: dict[str, Any] = {"fact": statement.fact, "op": _FLIP[statement.op] if absent else statement.op, "value": statement.value, "unit": statement.unit, "window_days": window}
        row |= {"x_uln": True} if statement.x_uln else {}
        row |= {"of": statement.of} if statement.of else {}
        return row
    value: Any = True if statement.fact == "measurable_disease" else statement.value
    return {"fact": statement.fact, "op": "absent" if absent else "present", "value": value, "unit": None, "window_days": window}
