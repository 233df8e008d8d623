"""Trial documents of any kind, recognised by content: registry JSON and XML, JSON lines, saved pages, exports, text."""

from __future__ import annotations

from matcher.domain import EligoError, Trial


class TrialDocumentError(EligoError):
    """The document holds no trial, or cannot be read; the message names it and says what to do."""


def read_trials(content: bytes, source: str) -> list[Trial]:
    """The trials of a document. Raises TrialDocumentError where it holds none."""
    return []
