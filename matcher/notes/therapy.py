"""Treatments, lines of therapy, refractoriness, BCMA exposure, transplants, disease state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from matcher.domain import BcmaExposure, ConditionFact, Reading, TherapyLine, Transplant, Treatment
from matcher.notes.document import Document


@dataclass(frozen=True, slots=True)
class TherapyReading:
    """The treatment half of a PatientProfile; the fields are those of the profile."""

    treatments: tuple[Treatment, ...] = ()
    lines: tuple[TherapyLine, ...] = ()
    n_lines: Reading | None = None
    refractory_to: tuple[Reading, ...] = ()
    bcma: BcmaExposure = BcmaExposure("unknown")
    transplants: tuple[Transplant, ...] = ()
    disease_state: Reading | None = None
    complete_history: Reading | None = None
    flags: tuple[Reading, ...] = ()


def read_therapy(doc: Document, note_date: date | None, conditions: tuple[ConditionFact, ...]) -> TherapyReading:
    return TherapyReading()
