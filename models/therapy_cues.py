"""The words that tell how a note speaks of a treatment: planned, declined, bridging, stopped for progression ..."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from models.vocabulary import VocabularyError, read_rows


@dataclass(frozen=True, slots=True)
class Cue:
    """One row of therapy_cues.csv: what it tells (`kind`), the words that tell it, and how they may begin (`openings`)."""

    kind: str
    pattern: re.Pattern[str]
    openings: frozenset[str]


@lru_cache(maxsize=1)
def load_cues() -> tuple[Cue, ...]:
    """The rows of therapy_cues.csv. Letter case does not matter, unless the row begins with `=`.

    Raises VocabularyError naming the line of a pattern that does not compile.
    """
    cues = []
    for where, row in read_rows("therapy_cues.csv"):
        exact, pattern = row["pattern"].startswith("="), row["pattern"].removeprefix("=")
        try:
            compiled = re.compile(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])", re.NOFLAG if exact else re.IGNORECASE)
        except re.error as fault:
            raise VocabularyError(f"{where}, column pattern: {fault}; mend the pattern") from None
        cues.append(Cue(row["cue"], compiled, frozenset(opening.lower() for opening in openings(pattern))))
    return tuple(cues)


@lru_cache(maxsize=1)
def _by_opening() -> dict[str, tuple[Cue, ...]]:
    found: dict[str, list[Cue]] = {}
    for cue in load_cues():
        for opening in cue.openings:
            found.setdefault(opening, []).append(cue)
    return {opening: tuple(cues) for opening, cues in found.items()}


@lru_cache(maxsize=20_000)
def cues_at(token: str) -> tuple[Cue, ...]:
    """The cues that may begin with a word or a sign: the few that are worth a try."""
    table, key = _by_opening(), token.lower() + _WORD_END
    return tuple(cue for length in range(len(key) + 1) for cue in table.get(key[:length], ()))


_WORD_END = "\0"
_LITERAL = re.compile(r"(?P<letters>(?:[a-z0-9](?![?*{]))+)|\\(?P<sign>[^\w\s](?![?*{]))|(?P<plain>[^\w\s\\()\[\]{}.?*+|^$](?![?*{]))", re.IGNORECASE)
_QUANTIFIER = re.compile(r"(?:[?*]|\{0?,?\d*,?\d*\})\??")
_NO_LETTER = re.compile(r"(?:\\[^\w]|[ /:;,'-])(?![?*{])")


def openings(pattern: str, whole: bool = True) -> set[str]:
    """How a text that matches may begin: with the letters or the sign an alternative starts with, "" for anything.

    Where the word ends after the letters, a `_WORD_END` follows them. `whole`: after the pattern no letter or digit follows.
    """
    return {found for alternative in _alternatives(pattern) for found in _begins(alternative, whole)}


def _begins(pattern: str, whole: bool) -> set[str]:
    if not pattern.startswith("("):
        literal = _LITERAL.match(pattern)
        if literal is None:
            return {""}
        begun = literal[literal.lastgroup or 0]
        return {begun + _WORD_END * (literal.lastgroup == "letters" and _ends_word(pattern[literal.end() :], whole))}
    close = next(place for place, _, depth in _walk(pattern) if depth == 0)
    inside, rest = re.sub(r"^\(\?(?:-i)?:|^\(", "", pattern[:close]), pattern[close + 1 :]
    if inside.startswith("?"):  # a look around takes nothing
        return _begins(rest, whole)
    optional = re.match(r"[?*]|\{0", rest)
    return openings(inside, _ends_word(rest, whole)) | (_begins(_QUANTIFIER.sub("", rest, count=1), whole) if optional else set())


def _ends_word(rest: str, whole: bool) -> bool:
    return whole if not rest else _NO_LETTER.match(rest) is not None


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
