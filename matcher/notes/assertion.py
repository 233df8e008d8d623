"""How a text asserts what it mentions: present, absent, possible, family, historical."""

from __future__ import annotations

from matcher.domain import Status
from matcher.notes.document import Document


def assertion(doc: Document, start: int, end: int) -> Status:
    """The status of the span in its sentence and section."""
    return Status.PRESENT
