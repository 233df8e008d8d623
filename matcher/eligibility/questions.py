"""What to ask next: the facts a note leaves open, by how many trials they would settle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from matcher.domain import AllOf, AnyOf, AtLeast, Criterion, Expression, Kind, Not, Truth
from matcher.eligibility.chart import Chart
from matcher.eligibility.evaluate import judge


def truth_of(expression: Expression, leaf: Callable[[Expression, Truth], Truth], favourable: Truth = Truth.TRUE) -> Truth:
    """Kleene's logic without reasons, over whatever truth each leaf is given."""
    match expression:
        case AllOf(parts):
            return _least(truth_of(p, leaf, favourable) for p in parts)
        case AnyOf(parts):
            return ~_least(~truth_of(p, leaf, favourable) for p in parts)
        case AtLeast(n, parts):
            truths = [truth_of(p, leaf, favourable) for p in parts]
            met, open_ = truths.count(Truth.TRUE), truths.count(Truth.UNKNOWN)
            return Truth.TRUE if met >= n else Truth.UNKNOWN if met + open_ >= n else Truth.FALSE
        case Not(part):
            return ~truth_of(part, leaf, ~favourable)
    return leaf(expression, favourable)


def _least(truths: Iterable[Truth]) -> Truth:
    least = Truth.TRUE
    for truth in truths:
        if truth is Truth.FALSE:
            return truth
        if truth is Truth.UNKNOWN:
            least = truth
    return least


def settles(fact: str, criterion: Criterion, chart: Chart) -> bool:
    """Whether one of the two answers to an open fact would decide the criterion."""
    favourable = Truth.TRUE if criterion.kind is Kind.INCLUSION else Truth.FALSE

    def answered(given: Truth) -> Callable[[Expression, Truth], Truth]:
        def leaf(atom: Expression, wanted: Truth) -> Truth:
            answer = judge(atom, chart, wanted)
            return given if answer.truth is Truth.UNKNOWN and fact in answer.missing else answer.truth

        return leaf

    return any(truth_of(criterion.expression, answered(given), favourable) is not Truth.UNKNOWN for given in (Truth.TRUE, Truth.FALSE))


def questions(open_criteria: Iterable[tuple[str, Iterable[tuple[Criterion, tuple[str, ...]]]]], chart: Chart) -> tuple[tuple[str, int], ...]:
    """(fact, number of trials) for each fact that alone would decide an open criterion of a trial still possible; most first,
    and of equals what the best trial asks first.

    `open_criteria`: for each such trial, best first, its id and its open criteria with what they miss.
    """
    decided: dict[tuple[Criterion, str], bool] = {}
    counted: Counter[str] = Counter()
    for _, criteria in open_criteria:
        settled: dict[str, None] = {}
        for criterion, missing in criteria:
            for fact in missing:
                if fact in settled:
                    continue
                key = (criterion, fact)
                if key not in decided:
                    decided[key] = settles(fact, criterion, chart)
                if decided[key]:
                    settled[fact] = None
        counted.update(list(settled))
    return tuple(counted.most_common())
