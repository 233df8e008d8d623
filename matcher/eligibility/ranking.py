"""Trials in order of how well a patient satisfies their criteria, each with a verdict and reasons.

The score is described in docs/ranking.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from matcher.domain import (
    Comparison,
    Criterion,
    CriterionResult,
    Expression,
    Kind,
    MatchReport,
    Outcome,
    PatientProfile,
    Presence,
    Trial,
    TrialMatch,
    Truth,
    Unparsed,
    Verdict,
)
from matcher.eligibility.chart import Chart, Unmentioned
from matcher.eligibility.evaluate import judge
from matcher.eligibility.presumptions import only_measured
from matcher.eligibility.questions import questions
from matcher.eligibility.reasons import Answer, finding, render
from matcher.eligibility.relevance import TrialIndex
from matcher.expressions import atoms

_FAVOURABLE = {Kind.INCLUSION: Truth.TRUE, Kind.EXCLUSION: Truth.FALSE}
_TIERS = {Verdict.ELIGIBLE: (0.7, 1.0), Verdict.POSSIBLE: (0.35, 0.7), Verdict.INELIGIBLE: (0.0, 0.35)}
_OPEN = 0.5  # what an unknown criterion counts, between a violated one (0) and a satisfied one (1)
_DISEASE = 0.3  # share of the disease match in the score within a verdict
_NEAR = 0.5  # share of the highest relevance from which a trial's open facts are asked for
_APART = 0.1  # of the share that a trial keeps which is not about the patient, so that its criteria still order it
_RECRUITING = ("recruiting", "not yet recruiting", "enrolling by invitation", "available")


def judge_criterion(criterion: Criterion, profile: PatientProfile, as_of: date | None = None, unmentioned: Unmentioned = "unknown") -> CriterionResult:
    """The outcome of one criterion for one patient. An exclusion is satisfied where what it excludes is not there."""
    return _judged(criterion, Chart.of(profile, as_of, unmentioned))


def _judged(criterion: Criterion, chart: Chart) -> CriterionResult:
    favourable = _FAVOURABLE[criterion.kind]
    told = chart.strict if chart.unmentioned == "absent" and criterion.kind is Kind.EXCLUSION and only_measured(criterion.expression, chart) else chart
    # an exclusion that permits all is one of which nothing was understood
    unread = criterion.kind is Kind.EXCLUSION and not any(True for _ in atoms(criterion.expression))
    answer = judge(Unparsed(criterion.text) if unread else criterion.expression, told, favourable)
    outcome = Outcome.UNKNOWN if answer.truth is Truth.UNKNOWN else Outcome.SATISFIED if answer.truth is favourable else Outcome.VIOLATED
    found = finding(answer)
    return CriterionResult(criterion, outcome, found.reason, found.evidence, found.missing, found.presumed)


@dataclass(frozen=True, slots=True)
class _Judged:
    trial: Trial
    results: tuple[CriterionResult, ...]
    verdict: Verdict
    score: float
    relevance: float
    notices: tuple[str, ...]


def match(profile: PatientProfile, trials: Iterable[Trial] | TrialIndex, as_of: date | None = None, unmentioned: Unmentioned = "unknown") -> MatchReport:
    """Every trial judged and ranked for one patient: by verdict, then score, then relevance, then trial id.

    A trial is ineligible where one criterion, or a structured age or sex limit that its criteria do not repeat, or its
    disease is violated; eligible where all that a note can settle are satisfied; else possible. A criterion of one cohort
    only cannot rule the trial out. A trial that lists no criteria is never eligible. For several patients, give an index of the trials.
    """
    chart = Chart.of(profile, as_of, unmentioned)
    index = trials if isinstance(trials, TrialIndex) else TrialIndex.of(trials)
    judged = [_judge_trial(trial, relevance, chart) for trial, relevance in zip(index.trials, index.relevance(chart), strict=True)]
    order = {verdict: place for place, verdict in enumerate(_TIERS)}
    judged.sort(key=lambda j: (order[j.verdict], -j.score, -j.relevance, j.trial.trial_id, j.trial.source))
    matches = tuple(TrialMatch(j.trial, j.verdict, j.score, rank, j.results, j.notices, j.relevance) for rank, j in enumerate(judged, 1))
    possible = [j for j in judged if j.verdict is Verdict.POSSIBLE]
    asked_from = _NEAR * max((j.relevance for j in possible), default=0.0)
    still_possible = (
        (j.trial.trial_id, [(r.criterion, r.missing) for r in j.results if r.outcome is Outcome.UNKNOWN])
        for j in possible
        if j.relevance >= asked_from
    )
    return MatchReport(profile, matches, chart.today, unmentioned, questions(still_possible, chart))


def _judge_trial(trial: Trial, relevance: float, chart: Chart) -> _Judged:
    results = tuple(_judged(c, chart) for c in trial.criteria)
    limits = [judge(limit, chart) for limit in _structured_limits(trial)]
    disease = judge(trial.disease, chart) if trial.disease is not None else Answer(Truth.UNKNOWN)
    ruled_out = [a for a in (*limits, *([disease] if trial.disease is not None else [])) if a.truth is Truth.FALSE]
    verdict = _verdict(results, bool(ruled_out))
    notices = (*trial.notices, *_notices(trial, ruled_out))
    return _Judged(trial, results, verdict, score(verdict, results, disease.truth, relevance), relevance, notices)


def _verdict(results: tuple[CriterionResult, ...], ruled_out: bool) -> Verdict:
    if ruled_out or any(r.outcome is Outcome.VIOLATED and r.criterion.cohort is None for r in results):
        return Verdict.INELIGIBLE
    assessable = [r for r in results if r.criterion.assessable]
    return Verdict.ELIGIBLE if assessable and all(r.outcome is Outcome.SATISFIED for r in assessable) else Verdict.POSSIBLE


def score(verdict: Verdict, results: Iterable[CriterionResult], disease: Truth, relevance: float = 1.0) -> float:
    """0 to 1: the verdict's range, and within it (0.1 + 0.9 × relevance) × (0.7 × the mean over the assessable criteria (satisfied 1,
    unknown 0.5, violated 0; 0.5 where there are none) + 0.3 × the disease match (true 1, unknown 0.5, untrue 0)).

    Ranges: ineligible 0-0.35, possible 0.35-0.7, eligible 0.7-1. Settling an unknown as satisfied never lowers it.
    """
    worth = {Outcome.SATISFIED: 1.0, Outcome.UNKNOWN: _OPEN, Outcome.VIOLATED: 0.0}
    counted = [worth[r.outcome] for r in results if r.criterion.assessable or r.outcome is Outcome.VIOLATED]
    mean = sum(counted) / len(counted) if counted else _OPEN
    matched = {Truth.TRUE: 1.0, Truth.UNKNOWN: 0.5, Truth.FALSE: 0.0}[disease]
    low, high = _TIERS[verdict]
    return round(low + (high - low) * (_APART + (1 - _APART) * relevance) * ((1 - _DISEASE) * mean + _DISEASE * matched), 6)


def _structured_limits(trial: Trial) -> Iterator[Expression]:
    """The registry's age and sex limits that the written criteria do not state themselves."""
    def written(fact: str) -> bool:
        return any(isinstance(atom, Comparison | Presence) and atom.fact == fact for c in trial.criteria for atom in atoms(c.expression))

    if not written("age"):
        if trial.min_age is not None:
            yield Comparison("age", ">=", trial.min_age, "a")
        if trial.max_age is not None:
            yield Comparison("age", "<=", trial.max_age, "a")
    if trial.sex in ("female", "male") and not written("sex"):
        yield Presence("sex", trial.sex)


def _notices(trial: Trial, ruled_out: list[Answer]) -> Iterator[str]:
    if not trial.criteria and not any("criteria" in n for n in trial.notices):
        yield "The document lists no eligibility criteria; judged by its disease and its age and sex limits only"
    if trial.status and trial.status.casefold() not in _RECRUITING:
        yield f"Recruiting status: {trial.status}"
    for answer in ruled_out:
        yield f"Not for this patient: {render(answer)}"
    if any(c.cohort for c in trial.criteria):
        yield "Some criteria apply to one cohort only; they do not rule the trial out"
