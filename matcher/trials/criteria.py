"""One eligibility item as written becomes a typed expression; what is not understood stays as Unparsed."""

from __future__ import annotations

from typing import Any

from matcher.domain import Expression, Kind, Unparsed


def compile_criterion(text: str, kind: Kind, conditions: tuple[str, ...] = ()) -> tuple[Expression, bool]:
    """(expression, assessable): what the item says about the patient, and whether a note can settle it at all.

    `conditions`: the trial's own diseases (condition ids), which "the disease under study" and "relapsed" refer to.
    """
    return Unparsed(text), True


def constraints(expression: Expression) -> list[dict[str, Any]]:
    """The atomic statements within an item, as commands.md lists them: fact, op, value, unit, window_days, x_uln, of."""
    return []
