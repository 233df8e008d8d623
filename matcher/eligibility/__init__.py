"""The evaluator: expressions against a profile in three-valued logic, outcomes, ranking, what to ask next."""

from __future__ import annotations

from matcher.eligibility.evaluate import evaluate
from matcher.eligibility.ranking import judge_criterion, match
from matcher.eligibility.relevance import TrialIndex

__all__ = ["TrialIndex", "evaluate", "judge_criterion", "match"]
