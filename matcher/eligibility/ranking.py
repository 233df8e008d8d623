"""Trials in order of how well a patient satisfies their criteria, each with a verdict and reasons."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from matcher.domain import Criterion, CriterionResult, MatchReport, Outcome, PatientProfile, Trial
from matcher.eligibility.evaluate import Unmentioned


def judge_criterion(criterion: Criterion, profile: PatientProfile, as_of: date | None = None, unmentioned: Unmentioned = "unknown") -> CriterionResult:
    """The outcome of one criterion for one patient."""
    return CriterionResult(criterion, Outcome.UNKNOWN, "not evaluated")


def match(profile: PatientProfile, trials: Iterable[Trial], as_of: date | None = None, unmentioned: Unmentioned = "unknown") -> MatchReport:
    """Every trial judged and ranked for one patient."""
    return MatchReport(profile, ())
