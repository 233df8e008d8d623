"""Conditions and allergies of the note, one entry a condition, with status, date and qualifiers."""

from __future__ import annotations

from datetime import date

from matcher.domain import Allergy, ConditionFact
from matcher.notes.document import Document


def read_conditions(doc: Document, note_date: date | None) -> tuple[ConditionFact, ...]:
    return ()


def read_allergies(doc: Document) -> tuple[Allergy, ...]:
    return ()
