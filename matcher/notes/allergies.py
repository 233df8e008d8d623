"""Allergies of the note."""

from __future__ import annotations

from matcher.domain import Allergy
from matcher.notes.document import Document


def read_allergies(doc: Document) -> tuple[Allergy, ...]:
    return ()
