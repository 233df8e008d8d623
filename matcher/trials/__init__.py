"""The trial reader: a trial document becomes Trials with criteria as expressions."""

from __future__ import annotations

from matcher.trials.criteria import compile_criterion, constraints, coverage
from matcher.trials.documents import TrialDocumentError, read_trials

__all__ = ["TrialDocumentError", "compile_criterion", "constraints", "coverage", "read_trials"]
