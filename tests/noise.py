"""Noisy copies of notes: typing slips, a scanner's confusions, small letters. Seeded by the note, so that every run reads the same copies."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_WORD = re.compile(r"[A-Za-z]{4,}")
_NEIGHBOURS = {a: near for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm") for i, a in enumerate(row) for near in [row[max(0, i - 1) : i] + row[i + 1 : i + 2]]}
_CONFUSED = (("rn", "m"), ("m", "rn"), ("cl", "d"), ("0", "O"), ("O", "0"), ("l", "1"), ("1", "l"), ("I", "l"), ("o", "0"), ("i", "1"))


def typos(note: str, share: float = 0.05) -> str:
    """One slip (a letter doubled, dropped, swapped with the next, or hit beside its key) in this share of the words of four letters or more."""
    draw = random.Random(note)

    def slip(match: re.Match[str]) -> str:
        word = match.group()
        if draw.random() >= share:
            return word
        at = draw.randrange(1, len(word) - 1)
        kind = draw.choice(("double", "drop", "swap", "beside"))
        if kind == "double":
            return word[:at] + word[at] + word[at:]
        if kind == "drop":
            return word[:at] + word[at + 1 :]
        if kind == "swap":
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        return word[:at] + draw.choice(_NEIGHBOURS[word[at].lower()]) + word[at + 1 :]

    return _WORD.sub(slip, note)


def scanned(note: str, share: float = 0.05) -> str:
    """One confusion of shapes (0/O, 1/l/I, rn/m, cl/d) in this share of the words and numbers that have one."""
    draw = random.Random(note)

    def confuse(match: re.Match[str]) -> str:
        word = match.group()
        possible = [(a, b) for a, b in _CONFUSED if a in word]
        if not possible or draw.random() >= share:
            return word
        old, new = draw.choice(possible)
        at = draw.choice([i for i in range(len(word)) if word.startswith(old, i)])
        return word[:at] + new + word[at + len(old) :]

    return re.sub(r"[A-Za-z0-9.]{3,}", confuse, note)


NOISES: dict[str, Callable[[str], str]] = {
    "as written": lambda note: note, "5 % typos": typos, "scanned": scanned, "small letters": str.lower,
}
