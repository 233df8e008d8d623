"""Criterion logic in its two written forms: a tree of plain values (JSON, YAML; reads back) and a line for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast, get_args

from matcher.domain import (
    AllOf,
    AnyOf,
    AtLeast,
    AtScreening,
    Comparison,
    EligoError,
    Expression,
    Not,
    Op,
    Presence,
    PresenceFact,
    Unparsed,
    Window,
)

_OPS = get_args(Op)
_FACTS = get_args(PresenceFact)


class ExpressionError(EligoError):
    """A written tree that is no expression; the message names the part and what is allowed there."""


def to_tree(expression: Expression) -> dict[str, Any]:
    """The expression as plain values. `from_tree(to_tree(e)) == e`."""
    match expression:
        case AllOf(parts):
            return {"all": [to_tree(p) for p in parts]}
        case AnyOf(parts):
            return {"any": [to_tree(p) for p in parts]}
        case AtLeast(n, parts):
            return {"at_least": n, "of": [to_tree(p) for p in parts]}
        case Not(part):
            return {"not": to_tree(part)}
        case AtScreening(text):
            return {"at_screening": text}
        case Unparsed(text):
            return {"unparsed": text}
        case Comparison():
            tree: dict[str, Any] = {"fact": expression.fact, "op": expression.op, "value": expression.value, "unit": expression.unit}
            tree |= {key: True for key in ("x_uln", "x_lln") if getattr(expression, key)}
            if expression.of:
                tree["of"] = expression.of
        case Presence():
            tree = {"fact": expression.fact, "op": "present", "value": expression.value}
            if expression.qualifiers:
                tree["qualifiers"] = dict(expression.qualifiers)
            if expression.excluding:
                tree["excluding"] = list(expression.excluding)
    if expression.window:
        tree["window"] = {k: v for k in ("relation", "days", "anchor") if (v := getattr(expression.window, k)) is not None}
    return tree


def from_tree(tree: Any, where: str = "expression") -> Expression:
    """The expression that a tree writes. Raises ExpressionError naming the part at fault and what is allowed there."""
    if not isinstance(tree, Mapping):
        raise ExpressionError(f"{where}: a mapping is wanted (all, any, not, at_least, fact, at_screening or unparsed), not {tree!r}")
    for key, node in (("all", AllOf), ("any", AnyOf)):
        if key in tree:
            return node(_parts(tree[key], f"{where}.{key}") if tree[key] != [] else ())  # a mere permission has no part
    if "at_least" in tree:
        if not isinstance(tree["at_least"], int):
            raise ExpressionError(f"{where}.at_least: a whole number is wanted, not {tree['at_least']!r}")
        return AtLeast(tree["at_least"], _parts(tree.get("of"), f"{where}.of"))
    if "not" in tree:
        return Not(from_tree(tree["not"], f"{where}.not"))
    if "at_screening" in tree:
        return AtScreening(str(tree["at_screening"]))
    if "unparsed" in tree:
        return Unparsed(str(tree["unparsed"]))
    fact, op, value = tree.get("fact"), tree.get("op"), tree.get("value")
    if not isinstance(fact, str):
        raise ExpressionError(f"{where}: one of all, any, not, at_least, fact, at_screening, unparsed is wanted")
    window = _window(tree.get("window"), f"{where}.window")
    if op == "present":
        if fact not in _FACTS:
            raise ExpressionError(f"{where}.fact: {fact!r} is none of {', '.join(_FACTS)}")
        qualifiers = tuple(sorted((str(k), str(v)) for k, v in (tree.get("qualifiers") or {}).items()))
        return Presence(fact, str(value), window, qualifiers, tuple(tree.get("excluding") or ()))  # type: ignore[arg-type]
    if op not in _OPS:
        raise ExpressionError(f"{where}.op: {op!r} is none of {', '.join((*_OPS, 'present'))}; for absent write not")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ExpressionError(f"{where}.value: a number is wanted with {op}, not {value!r}")
    return Comparison(fact, cast(Op, op), float(value), tree.get("unit"), bool(tree.get("x_uln")), bool(tree.get("x_lln")), tree.get("of"), window)


def _parts(trees: Any, where: str) -> tuple[Expression, ...]:
    if not isinstance(trees, list) or not trees:
        raise ExpressionError(f"{where}: a list of at least one part is wanted")
    return tuple(from_tree(tree, f"{where}[{i}]") for i, tree in enumerate(trees))


def _window(tree: Any, where: str) -> Window | None:
    if tree is None:
        return None
    if not isinstance(tree, Mapping) or tree.get("relation") not in ("within", "before", "current"):
        raise ExpressionError(f"{where}: relation within, before or current is wanted, with days and anchor where they apply")
    return Window(tree["relation"], tree.get("days"), tree.get("anchor"))


def atoms(expression: Expression) -> Iterator[Expression]:
    """The leaves, in order."""
    match expression:
        case AllOf(parts) | AnyOf(parts) | AtLeast(_, parts):
            for part in parts:
                yield from atoms(part)
        case Not(part):
            yield from atoms(part)
        case _:
            yield expression


def render(expression: Expression) -> str:
    """The logic in one line that a clinician can check against the text."""
    match expression:
        case AllOf(parts):
            return " AND ".join(_inner(p) for p in parts)
        case AnyOf(parts):
            return " OR ".join(_inner(p) for p in parts)
        case AtLeast(n, parts):
            return f"at least {n} of ({'; '.join(render(p) for p in parts)})"
        case Not(part):
            return f"NOT {_inner(part)}"
        case AtScreening(text):
            return f"[at screening: {text}]"
        case Unparsed(text):
            return f"[not understood: {text}]"
        case Comparison():
            name = expression.fact.replace("_", " ") + (f" {expression.of.replace('_', ' ')}" if expression.of else "")
            limit = "× ULN" if expression.x_uln else "× LLN" if expression.x_lln else expression.unit if expression.unit not in (None, "1", "{class}") else ""
            return f"{name} {expression.op} {expression.value:g} {limit}".strip() + _when(expression.window)
        case Presence():
            said = {"condition": "", "disease": "", "prior_therapy": "prior ", "refractory_to": "refractory to ", "allergy": "allergy to ", "intolerant_to": "intolerant to "}
            words = said.get(expression.fact, expression.fact.replace("_", " ") + " ") + expression.value.replace("_", " ")
            if expression.qualifiers:
                words += " (" + ", ".join(f"{k} {v}" for k, v in expression.qualifiers) + ")"
            if expression.excluding:
                words += " other than " + ", ".join(e.replace("_", " ") for e in expression.excluding)
            return words + _when(expression.window)


def _inner(expression: Expression) -> str:
    return f"({render(expression)})" if isinstance(expression, AllOf | AnyOf) else render(expression)


def _when(window: Window | None) -> str:
    if window is None:
        return ""
    anchor = f" of {window.anchor}" if window.anchor else ""
    if window.relation == "current":
        return " now"
    return f" within {window.days} days{anchor}" if window.relation == "within" else f" more than {window.days} days before{anchor.removeprefix(' of')}"
