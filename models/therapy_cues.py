"""The words that tell how a note speaks of a treatment: planned, declined, bridging, stopped for progression ..."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from models.vocabulary import VocabularyError, read_rows


@lru_cache(maxsize=1)
def load_therapy_cues() -> Mapping[str, re.Pattern[str]]:
    """Cue -> one pattern of all its rows in therapy_cues.csv. Letter case does not matter, unless the row begins with `=`.

    Raises VocabularyError naming the line of a pattern that does not compile, or that has no source.
    """
    alternatives: dict[str, list[str]] = {}
    for where, row in read_rows("therapy_cues.csv"):
        exact = row["pattern"].startswith("=")
        pattern = f"(?-i:{row['pattern'][1:]})" if exact else row["pattern"]
        try:
            re.compile(pattern)
        except re.error as fault:
            raise VocabularyError(f"{where}, column pattern: {fault}; mend the pattern") from None
        alternatives.setdefault(row["cue"], []).append(pattern)
    return MappingProxyType({
        cue: re.compile(r"(?<![A-Za-z0-9])(?:" + "|".join(patterns) + r")(?![A-Za-z0-9])", re.IGNORECASE) for cue, patterns in alternatives.items()
    })
