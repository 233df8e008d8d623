"""Age, sex and the note's own date."""

from __future__ import annotations

from datetime import date

from matcher.domain import Reading
from matcher.notes.document import Document


def read_note_date(doc: Document) -> date | None:
    """The date of the visit or dictation (not of birth, referral, print or a result)."""
    return None


def read_age(doc: Document, note_date: date | None) -> Reading | None:
    return None


def read_sex(doc: Document) -> Reading | None:
    return None
