"""Labs, vital signs and performance status, with unit conversion and dates."""

from __future__ import annotations

from datetime import date

from matcher.domain import Lab, Reading
from matcher.notes.document import Document


def read_labs(doc: Document, note_date: date | None) -> tuple[Lab, ...]:
    """Every value of every test of the vocabulary, converted to its canonical unit, with its date where known."""
    return ()


def read_performance(doc: Document, note_date: date | None) -> tuple[Reading | None, Reading | None]:
    """(ECOG, KPS): the current ones."""
    return None, None
