"""How long the patient is expected to live, where the note says: "life expectancy > 6 months", "prognosis of a few weeks"."""

from __future__ import annotations

import re

from matcher.domain import Reading
from matcher.elapsed import COUNTS
from matcher.notes.document import Document
from matcher.notes.durations import DAYS

_COUNT = rf"\d{{1,3}}(?:\.5)?|a\s+couple\s+of|{'|'.join(sorted(COUNTS, key=len, reverse=True))}"
_SAID = r"\b(?:life[ -]expectancy|life[ -]span|prognosis|(?:expected|estimated|estimates|anticipated|predicted)\s+(?:\w+\s+)?survival|survival\s+(?:time\s+)?(?:is\s+)?(?:estimated|expected|judged))\b"
_BETWEEN = r"(?:[^\d.;\n<>≤≥]|\.(?=\d)){0,50}?"
_BOUND = r"(?P<bound>>=|≥|>|more\s+than|longer\s+than|greater\s+than|over|at\s+least|beyond|exceed\w*|<=|≤|<|less\s+than|shorter\s+than|under|below|at\s+most|up\s+to|not\s+more\s+than)?"
_UNIT = rf"(?:{'|'.join(DAYS)})s?\b(?![\s-]+(?:overall\s+)?(?:survival|mortality|risk|rate|OS|PFS|EFS)\b)"
_SPAN = rf"{_BOUND}\s*\b(?P<low>{_COUNT})(?:\s*(?:-|–|to|or)\s*(?P<high>{_COUNT}))?[\s-]*(?P<unit>{_UNIT})"
_SHORT = rf"\b(?P<short>days|weeks)\b(?:\s*(?:-|–|to|or)\s*(?:(?:{_COUNT})\s*(?:-|–|to)\s*)?(?P<most>{_COUNT})?\s*(?P<of>{_UNIT}))?"
_EXPECTED = re.compile(rf"{_SAID}{_BETWEEN}(?P<span>{_SPAN}|{_SHORT})", re.IGNORECASE)
_ASKED = re.compile(r"\b(?:required?|criteri\w+|must|eligib\w+|needs?)\b", re.IGNORECASE)
# "Days", "weeks", "weeks to months" without a number: what the prognosis stays below, in days, as palliative care words it.
_UNCOUNTED = {"day": 14.0, "week": 60.0, "month": 180.0}


def read_life_expectancy(doc: Document) -> Reading | None:
    """The last that the note says, in days; a range by its lower end, "weeks to months" by what it stays below."""
    found = None
    for match in doc.matches(_EXPECTED, ("life", "prognosis", "survival"), 60, 180):
        if not _ASKED.search(doc.text, *doc.sentence_at(match.start())):
            found = match
    if found is None:
        return None
    days, comparator = _bounded(found)
    return Reading(days, (doc.evidence(found.start(), found.end()),), comparator=comparator)


def _bounded(found: re.Match[str]) -> tuple[int, str | None]:
    if found["short"]:
        last = (found["of"] or found["short"]).lower().rstrip("s")
        return round(_days(found["most"], last) if found["most"] else _UNCOUNTED.get(last, DAYS[last])), "<"
    bound = " ".join((found["bound"] or "").lower().split())
    days = round(_days(found["low"], found["unit"]))
    if not bound:
        return days, None
    below = bound[0] in "<≤" or bound.split()[0] in ("less", "shorter", "under", "below", "up", "not") or bound == "at most"
    strict = bound in (">", "<") or bound.split()[0] in ("more", "longer", "greater", "over", "beyond", "less", "shorter", "under", "below")
    return days, ("<" if below else ">") + ("" if strict else "=")


def _days(count: str, unit: str) -> float:
    words = " ".join(count.lower().split()).removeprefix("a ") if "couple" in count.lower() else count.lower()
    return (COUNTS[words] if words in COUNTS else float(words)) * DAYS[unit.lower().rstrip("s")]
