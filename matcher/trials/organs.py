"""Organ function in words ("adequate liver and kidney function") as limits: organ_function.csv, with their sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from matcher.domain import AtScreening, Comparison, Expression, Presence
from matcher.trials.logic import conjoin, disjoin, negate
from models import load_vocabulary
from models.organ_function import Limit, load_organs


def _expression(limit: Limit) -> Expression:
    if limit.op is None:
        fact = "prior_therapy" if limit.fact in load_vocabulary().therapies else "condition"
        return Presence(fact, limit.fact, qualifiers=limit.qualifiers)  # type: ignore[arg-type]
    unit = "1" if limit.x_uln else load_vocabulary().tests[limit.fact].unit
    return Comparison(limit.fact, limit.op, limit.value, unit, limit.x_uln)  # type: ignore[arg-type]


@lru_cache(maxsize=1)
def _organs() -> Mapping[str, tuple[Expression, Expression]]:
    """Word -> (normal, severely impaired)."""
    found = {}
    for organ in load_organs():
        normal = conjoin(*map(_expression, organ.normal))
        severe = disjoin(*map(_expression, organ.severe))
        for name in organ.names:
            known = found.get(name)
            found[name] = (conjoin(known[0], normal), disjoin(known[1], severe)) if known else (normal, severe)
    return found


def organ_function(words: Sequence[str], adequate: bool) -> Expression | None:
    """The limits that the named organs' adequate (or severely impaired) function stands for; None where no organ is named.

    Between normal and severely impaired the document leaves it to the screening visit, so the statement stays unknown there.
    """
    parts = [_organs()[w] for w in dict.fromkeys(words) if w in _organs()]
    if not parts:
        return None
    severe = disjoin(*(s for _, s in parts))
    if not adequate:
        return severe
    return disjoin(conjoin(*(n for n, _ in parts)), conjoin(negate(severe), AtScreening("adequate function")))
