"""Short forms: those the note defines itself, and those whose neighbours tell what they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from matcher.notes.document import Document
from models.vocabulary import Abbreviation

_IN_BRACKETS = re.compile(r"\(\s*([A-Za-z][A-Za-z0-9/&+-]{1,9})s?\s*[);,]")
_WORD = re.compile(r"\w+")
_NEAR = 80  # characters, on the same line, that tell what a short form means


def definitions(doc: Document) -> Iterator[tuple[str, int, int]]:
    """(short form, start, end of its long form) of each "long form (SF)" in the note.

    Source: Schwartz & Hearst, Pac Symp Biocomput 2003: the letters of the short form occur in order in the words before it, its first
    at the beginning of a word.
    """
    for match in _IN_BRACKETS.finditer(doc.text):
        short = match.group(1)
        if sum(c.isupper() for c in short) < 2:
            continue
        window_start = max(doc.text.rfind("\n", 0, match.start()) + 1, match.start() - 12 * (len(short) + 2))
        window = doc.text[window_start : match.start()].rstrip()
        place = _long_form(short, window)
        if place is not None:
            yield short, window_start + place, window_start + len(window)


def _long_form(short: str, window: str) -> int | None:
    words = list(_WORD.finditer(window))[-min(len(short) + 5, len(short) * 2) :]
    if not words:
        return None
    letters = [c.lower() for c in short if c.isalnum()]
    initials = [window[w.start()].lower() for w in words]
    if initials[-len(letters) :] == letters:  # "multiple myeloma (MM)" is no "myeloma"
        return words[-len(letters)].start()
    at = len(window) - 1
    for i in range(len(short) - 1, -1, -1):
        letter = short[i].lower()
        if not letter.isalnum():
            continue
        while at >= words[0].start() and (window[at].lower() != letter or (i == 0 and at > 0 and window[at - 1].isalnum())):
            at -= 1
        if at < words[0].start():
            return None
        at -= 1
    return at + 1


def reading(rows: tuple[Abbreviation, ...], doc: Document, start: int, end: int) -> Abbreviation | None:
    """The first row whose context holds. `when`: one of these stands near (none given: always); `unless`: none of these does."""
    if not rows[0].when and not rows[0].unless:
        return rows[0]
    near = doc.lowered[max(doc.text.rfind("\n", max(0, start - _NEAR), start) + 1, start - _NEAR) : end + _NEAR]
    for row in rows:
        if (not row.when or _stands(row.when, near)) and not _stands(row.unless, near):
            return row
    return None


def _stands(signs: tuple[str, ...], near: str) -> bool:
    return any(sign in near and whole.search(near) for sign, whole in _signs(signs))


@cache
def _signs(signs: tuple[str, ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Words, phrases and symbols in small letters, each with a pattern for it as whole words."""
    lowered = [sign.lower() for sign in signs]
    return tuple((sign, re.compile(rf"(?<!\w){re.escape(sign)}(?!\w)" if sign[0].isalnum() and sign[-1].isalnum() else re.escape(sign))) for sign in lowered)
