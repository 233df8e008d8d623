"""The words that tell how a note speaks of a treatment: planned, declined, bridging, stopped for progression ..."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from models.vocabulary import VocabularyError, read_rows


@dataclass(frozen=True, slots=True)
class Cue:
    """One row of therapy_cues.csv: what it tells (`kind`), the words that tell it, and how they may begin (`openings`, in small letters)."""

    kind: str
    pattern: re.Pattern[str]
    openings: frozenset[str]


@lru_cache(maxsize=1)
def load_cues() -> tuple[Cue, ...]:
    """The rows of therapy_cues.csv. Letter case does not matter, unless the row begins with `=`.

    Raises VocabularyError naming the line of a pattern that does not compile, or that anything may begin.
    """
    cues = []
    for where, row in read_rows("therapy_cues.csv"):
        exact, pattern = row["pattern"].startswith("="), row["pattern"].removeprefix("=")
        try:
            # the bounds without regard of case would take most of the time to compile
            compiled = re.compile(rf"(?-i:(?<![A-Za-z0-9]))(?:{pattern})(?-i:(?![A-Za-z0-9]))", re.NOFLAG if exact else re.IGNORECASE)
        except re.error as fault:
            raise VocabularyError(f"{where}, column pattern: {fault}; mend the pattern") from None
        begins = frozenset(opening.lower() for opening in openings(pattern))
        if "" in begins:
            raise VocabularyError(f"{where}, column pattern: anything may begin it; let it begin with a letter or a sign")
        cues.append(Cue(row["cue"], compiled, begins))
    return tuple(cues)


_ENOUGH = 8  # characters of an opening: few other words begin so
_SIGN = re.compile(r"\\([^\w\s])|([^\\()\[\]{}.?*+|^$])|\[([^\]\\^-][^\]\\-]*|-[^\]\\-]*)\]|\\(d)")  # or a set without a range, whose hyphen comes first
_REPEAT = re.compile(r"(?:(?P<optional>[?*]|\{0?,\d*\})|\+|\{\d+(?:,\d*)?\})[?+]?")


def openings(pattern: str) -> set[str]:
    """The letters and signs that a text which matches may begin with, as far as they are certain; "" for anything."""
    found = {begun for alternative in _alternatives(pattern) for begun in _begins(alternative, "")}
    return {begun for begun in found if not any(begun[:length] in found for length in range(len(begun)))}


def _begins(pattern: str, begun: str) -> set[str]:
    """How a match of one alternative may go on after the letters already `begun`."""
    sign = _SIGN.match(pattern)
    if len(begun) >= _ENOUGH or not (sign or pattern.startswith("(")):
        return {begun}
    end = sign.end() if sign else 1 + next(place for place, _, depth in _walk(pattern) if depth == 0)
    repeat = _REPEAT.match(pattern, end)
    rest = pattern[repeat.end() if repeat else end :]
    # where it may be repeated, the next is the rest or one more, after which nothing is certain
    following = [rest, pattern[:end] + "."] if repeat and not repeat.group().startswith("?") else [rest]
    if sign:
        found = {b for one in ("0123456789" if sign[4] else sign[sign.lastindex or 0]) for after in following for b in _begins(after, begun + one)}
    elif re.match(r"\(\?<?[=!]", pattern):  # a look around takes nothing
        return _begins(rest, begun)
    else:
        inside = re.sub(r"^\((?:\?(?:-i)?:)?", "", pattern[: end - 1])
        found = {b for alternative in _alternatives(inside) for after in following for b in _begins(alternative + after, begun)}
    return found | _begins(rest, begun) if repeat and repeat["optional"] else found


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
