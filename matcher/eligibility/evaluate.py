"""The truth of an expression for a patient."""

from __future__ import annotations

from datetime import date
from typing import Literal

from matcher.domain import Expression, Finding, PatientProfile, Truth

Unmentioned = Literal["unknown", "absent"]


def evaluate(expression: Expression, profile: PatientProfile, as_of: date | None = None, unmentioned: Unmentioned = "unknown") -> Finding:
    """Kleene's strong three-valued logic over what the note says. Windows count back from `as_of`, else the note's date."""
    return Finding(Truth.UNKNOWN, "not evaluated")
