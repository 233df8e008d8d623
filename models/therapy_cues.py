"""The words that tell how a note speaks of a treatment: planned, declined, bridging, stopped for progression ..."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from models.vocabulary import VocabularyError, read_rows


@dataclass(frozen=True, slots=True)
class Cue:
    """One row of therapy_cues.csv: what it tells (`kind`), and the words that tell it."""

    kind: str
    pattern: re.Pattern[str]


@lru_cache(maxsize=1)
def _by_opening() -> dict[str, tuple[Cue, ...]]:
    """How a cue may begin -> the cues, in the order of the rows.

    Letter case does not matter, unless the row begins with `=`. Raises VocabularyError naming the line of a pattern that does not compile.
    """
    found: dict[str, list[Cue]] = {}
    for where, row in read_rows("therapy_cues.csv"):
        pattern = row["pattern"].removeprefix("=")
        try:
            compiled = re.compile(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])", re.NOFLAG if row["pattern"].startswith("=") else re.IGNORECASE)
        except re.error as fault:
            raise VocabularyError(f"{where}, column pattern: {fault}; mend the pattern") from None
        cue = Cue(row["cue"], compiled)
        for opening in openings(pattern):
            found.setdefault(opening.lower(), []).append(cue)
    return {opening: tuple(dict.fromkeys(cues)) for opening, cues in found.items()}


@lru_cache(maxsize=20_000)
def cues_at(token: str) -> tuple[Cue, ...]:
    """The cues that may begin with a word (in small letters) or a sign: the few that are worth a try."""
    table = _by_opening()
    return tuple(cue for length in range(len(token) + 1) for cue in table.get(token[:length], ()))


_LITERAL = re.compile(r"(?P<letters>(?:[a-z0-9](?![?*{]))+)|\\(?P<sign>[^\w\s](?![?*{]))|(?P<plain>[^\w\s\\()\[\]{}.?*+|^$](?![?*{]))", re.IGNORECASE)
_QUANTIFIER = re.compile(r"(?:[?*]|\{0?,?\d*,?\d*\})\??")


def openings(pattern: str) -> set[str]:
    """How a text that matches may begin: with the letters or the sign an alternative starts with, "" for anything."""
    return {found for alternative in _alternatives(pattern) for found in _begins(alternative)}


def _begins(pattern: str) -> set[str]:
    if not pattern.startswith("("):
        literal = _LITERAL.match(pattern)
        return {literal[literal.lastgroup or 0]} if literal else {""}
    close = next(place for place, _, depth in _walk(pattern) if depth == 0)
    inside, rest = re.sub(r"^\(\?(?:-i)?:|^\(", "", pattern[:close]), pattern[close + 1 :]
    if inside.startswith("?"):  # a look around takes nothing
        return _begins(rest)
    optional = re.match(r"[?*]|\{0", rest)
    return openings(inside) | (_begins(_QUANTIFIER.sub("", rest, count=1)) if optional else set())


def _alternatives(pattern: str) -> list[str]:
    cuts = [-1, *(place for place, sign, depth in _walk(pattern) if sign == "|" and depth == 0), len(pattern)]
    return [pattern[a + 1 : b] for a, b in zip(cuts, cuts[1:], strict=False)]


def _walk(pattern: str) -> list[tuple[int, str, int]]:
    """(place, sign, depth of groups after it) of each bracket and bar that has its meaning, not as a literal."""
    depth, found = 0, []
    for match in re.finditer(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]", pattern):
        if (sign := match.group()) in ("(", ")", "|"):
            depth += {"(": 1, ")": -1, "|": 0}[sign]
            found.append((match.start(), sign, depth))
    return found
