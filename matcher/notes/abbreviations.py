"""Short forms: those the note defines itself, and those whose neighbours tell what they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from matcher.notes.document import Document
from models.vocabulary import Abbreviation

_IN_BRACKETS = re.compile(r"\(\s*([A-Za-z][A-Za-z0-9/&+-]{1,9})s?\s*[);,]")
_WORD = re.compile(r"\w+")


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
    near = doc.text[max(doc.text.rfind("\n", 0, start) + 1, start - 80) : min(len(doc.text), end + 80)].lower()
    for row in rows:
        if (not row.when or any(_near(word, near) for word in row.when)) and not any(_near(word, near) for word in row.unless):
            return row
    return None


def _near(word: str, text: str) -> bool:
    place = text.find(word.lower())
    while place >= 0:
        before, after = text[place - 1 : place] if place else "", text[place + len(word) : place + len(word) + 1]
        if not (before.isalnum() and word[0].isalnum()) and not (after.isalnum() and word[-1].isalnum()):
            return True
        place = text.find(word.lower(), place + 1)
    return False
