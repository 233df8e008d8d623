"""How long a complaint has lasted so far, where the note says it in words: "fever for 2 days", "a 3-week history of cough"."""

from __future__ import annotations

import re

from matcher.elapsed import COUNTS

DAYS = {"hour": 1 / 24, "hr": 1 / 24, "day": 1.0, "week": 7.0, "wk": 7.0, "month": 30.0, "year": 365.0, "yr": 365.0}
_SPAN = rf"(?:a\s+(?=couple))?(?P<count>\d{{1,3}}(?:\.5)?|{'|'.join(sorted(COUNTS, key=len, reverse=True))})(?:\s+full)?[\s-]{{1,2}}(?P<unit>{'|'.join(DAYS)})s?\b['’]?"
_ABOUT = r"(?:(?:about|approximately|around|roughly|~|the|these|his|her|last|past|previous|preceding)\s+){0,3}"
_LASTING = re.compile(
    rf"(?P<between>(?:[^.;:\n]|\.(?=\d)){{0,40}}?)\s*(?:\b(?:for|over|during|lasting|since|x|of)|×)\s+{_ABOUT}{_SPAN}(?P<after>\s+(?:duration|now|ago))?"
    rf"|(?P<course>[^.;:\n]{{0,25}}?)\b(?:began|started|starting|beginning|begun|developed|onset|first noticed|diagnosed|confirmed|detected|discovered)\s+{_ABOUT}{_SPAN.replace('<count>', '<since>').replace('<unit>', '<of>')}\s+(?:ago|earlier|before|prior)\b")
_HISTORY = re.compile(rf"\b{_SPAN}(?:\s+(?:history|h/o|duration|course|complaint))?\s+of\s+(?P<between>(?:[^.;:\n]|\.(?=\d)){{0,60}})\Z")
# A duration after one of these is the treatment's, or the journey's.
_OTHERS = re.compile(r"\d|\b(?:treat\w*|given|receiv\w*|took|taking|on|with|hospitali\w*|admi\w*|resolv\w*|travel\w*|vacation|trip|returned|after|before|until|improv\w*|who|his|her)\b")


_UNIT = re.compile("|".join(rf"{unit[0]}(?<=[\s-].){unit[1:]}" for unit in DAYS))  # none in "today"
_DEGREES = re.compile(r"\b\d{2,3}(?:\.\d)?\s?°?\s?[cf]\b")


def lasted(text: str, start: int, end: int, sentence: tuple[int, int]) -> float | None:
    """Days that what stands at [start:end) has lasted, by the words of its sentence beside it; None where they do not say. The text is in small letters."""
    left, right = max(sentence[0], start - 110), min(sentence[1], end + 120)
    if not _UNIT.search(text, left, right):
        return None
    after = _LASTING.match(text, end, right)
    if after is not None and not _between(after["between"] or after["course"] or ""):
        if after["since"]:
            return _days(after["since"], after["of"])
        if not re.search(r"\bof\s+\S+\s+\S+\Z", after.group()) or after["after"]:  # "pain of 3 days" is rare, "of 3 weeks duration" is not
            return _days(after["count"], after["unit"])
    before = _HISTORY.search(text[left:start])
    if before is not None and not _between(before["between"]):
        return _days(before["count"], before["unit"])
    return None


def _between(words: str) -> bool:
    return bool(_OTHERS.search(_DEGREES.sub("", words)))


def _days(count: str, unit: str) -> float:
    return round((COUNTS[count.lower()] if count.lower() in COUNTS else float(count)) * DAYS[unit.lower()], 3)
