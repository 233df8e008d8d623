"""The truth of an expression for a patient: Kleene's strong three-valued logic over what the note says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from matcher.domain import (
    AllOf,
    AnyOf,
    AtLeast,
    AtScreening,
    Comparison,
    Expression,
    Finding,
    Not,
    PatientProfile,
    Presence,
    Truth,
    Unparsed,
)
from matcher.eligibility import conditions, disease, markers, therapies
from matcher.eligibility.chart import Chart, Unmentioned
from matcher.eligibility.measurements import compare
from matcher.eligibility.presumptions import adding, minor, presumed
from matcher.eligibility.reasons import Answer, Said, finding, flip, together
from matcher.expressions import atoms

PRESENCES: Mapping[str, Callable[[Presence, Chart], Answer]] = {
    "condition": conditions.condition,
    "disease": disease.disease,
    "disease_state": disease.disease_state,
    "prior_therapy": therapies.prior_therapy,
    "refractory_to": therapies.refractory_to,
    "intolerant_to": therapies.intolerant_to,
    "allergy": therapies.allergy,
    "measurable_disease": disease.measurable_disease,
    "response": disease.response,
    "expression": markers.expression_of,
    "sex": disease.sex,
}


def evaluate(expression: Expression, profile: PatientProfile, as_of: date | None = None, unmentioned: Unmentioned = "unknown") -> Finding:
    """Kleene's strong three-valued logic over what the note says. Windows count back from `as_of`, else the note's date.

    `unmentioned="absent"`: what the note does not speak of is presumed as chart reviewers do (presumptions.py).
    """
    return finding(judge(expression, Chart.of(profile, as_of, unmentioned)))


def judge(expression: Expression, chart: Chart, favourable: Truth = Truth.TRUE) -> Answer:
    """The answer with its reasons. `favourable`: which truth speaks for enrolling; it flips under Not."""
    match expression:
        case AllOf(parts):
            return all_of(_with_limits(parts, [judge(p, chart, favourable) for p in parts], chart, favourable))
        case AnyOf(parts):
            return any_of([judge(p, chart, favourable) for p in parts])
        case AtLeast(n, parts):
            return at_least(n, [judge(p, chart, favourable) for p in parts])
        case Not(part):
            return flip(judge(part, chart, ~favourable))
    known = chart.answers.get((expression, favourable))
    if known is None:
        known = chart.answers[expression, favourable] = presumed(expression, _atom(expression, chart, favourable), chart, favourable)
    return known


def _with_limits(parts: Sequence[Expression], answers: list[Answer], chart: Chart, favourable: Truth) -> list[Answer]:
    """Words that were not understood, or that screening settles, limit what stands beside them. Under the policy "absent", where
    the note shows all of that, a limit of an exclusion is presumed not to be met, and a small one of a demand to be met; beside
    what is open itself they stay open."""
    limits = [not a.evidence and all(isinstance(leaf, Unparsed | AtScreening) for leaf in atoms(p)) for p, a in zip(parts, answers, strict=True)]
    if chart.unmentioned != "absent" or all(limits) or not any(limits):
        return answers
    shown = all(a.truth is Truth.TRUE and not a.presumed for a, limit in zip(answers, limits, strict=True) if not limit)
    if favourable is Truth.FALSE:
        return answers if shown else [judge(p, chart.strict, favourable) if limit else a for p, a, limit in zip(parts, answers, limits, strict=True)]
    if not shown or limits.count(True) > 1:
        return answers
    return [replace(a, truth=Truth.TRUE, said=adding("presumed to be met", a), presumed=True) if limit and minor(p) else a for p, a, limit in zip(parts, answers, limits, strict=True)]


def _atom(expression: Expression, chart: Chart, favourable: Truth) -> Answer:
    match expression:
        case Comparison():
            return compare(expression, chart, "required" if favourable is Truth.TRUE else "excluded if")
        case Presence():
            return PRESENCES[expression.fact](expression, chart)
        case AtScreening():
            return Answer(Truth.UNKNOWN, (Said("to be confirmed at screening"),))
        case Unparsed(text):
            return Answer(Truth.UNKNOWN, (Said(f"not interpreted: “{_shortened(text)}”"),))
    raise TypeError(f"{type(expression).__name__} is no expression")


def _shortened(text: str, most: int = 90) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= most else plain[: most - 1].rsplit(" ", 1)[0] + " …"


def all_of(answers: Sequence[Answer]) -> Answer:
    """Conjunction. Untrue as soon as one part is, by the parts that are; a certain part decides before a presumed one."""
    return _decided(answers, Truth.FALSE)


def any_of(answers: Sequence[Answer]) -> Answer:
    """Disjunction, the dual of all_of."""
    return _decided(answers, Truth.TRUE)


def _decided(answers: Sequence[Answer], deciding: Truth) -> Answer:
    if not answers:
        return Answer(~deciding, (Said("permits, and asks nothing of the patient"),))
    found = [a for a in answers if a.truth is deciding]
    if found:
        certain = [a for a in found if not a.presumed]
        return together(deciding, certain or found, presumed=not certain)
    open_ = [a for a in answers if a.truth is Truth.UNKNOWN]
    if open_:
        return together(Truth.UNKNOWN, open_)
    return together(~deciding, answers, presumed=any(a.presumed for a in answers))


def at_least(n: int, parts: Sequence[Answer]) -> Answer:
    """At least n parts are true. A count of them is what decides."""
    met = [a for a in parts if a.truth is Truth.TRUE]
    open_ = [a for a in parts if a.truth is Truth.UNKNOWN]
    if len(met) >= n:
        return together(Truth.TRUE, met, presumed=sum(not a.presumed for a in met) < n)
    if len(met) + len(open_) < n:
        untrue = [a for a in parts if a.truth is Truth.FALSE]
        return together(Truth.FALSE, untrue or parts, presumed=_needs_presumption(n, parts))
    return together(Truth.UNKNOWN, open_)


def _needs_presumption(n: int, parts: Sequence[Answer]) -> bool:
    """Whether the count stays below n only because some parts are presumed untrue."""
    return sum(a.truth is Truth.TRUE or (a.truth is Truth.FALSE and a.presumed) for a in parts) >= n
