"""The library: values in, values out; no network, no queue, no clock of its own, no environment variables."""

from matcher.domain import EligoError
from matcher.eligibility import TrialIndex, evaluate, judge_criterion, match
from matcher.notes import read_note
from matcher.trials import compile_criterion, constraints, read_trials

__all__ = ["EligoError", "TrialIndex", "compile_criterion", "constraints", "evaluate", "judge_criterion", "match", "read_note", "read_trials"]
