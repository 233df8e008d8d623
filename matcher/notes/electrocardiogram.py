"""The electrocardiogram: normal, abnormal, or something whose weight only a clinician can tell."""

from __future__ import annotations

import re

from matcher.domain import ConditionFact, Status
from matcher.notes.document import Document

_TRACING = re.compile(r"(?:ecg|ekg|electrocardiogra(?:m|phy|phic))\b(?P<said>(?:[^.;\n]|\.(?=\d)){0,120})")
_NOT_DONE = re.compile(r"not (?:repeated|done|performed|available|obtained)|pending|ordered|request|to be|scheduled|next visit", re.IGNORECASE)
_ABNORMAL = re.compile(
    r"\bL?R?BBB\b|bundle branch|fascicular|av[- ]block|heart block|degree (?:av )?block|low voltage|infarct|q[- ]waves?|\bAF\b|\bAfib\b|fibrillation|flutter|pre-?excitation|delta wave"
    r"|prolonged qt|qtc? (?:prolong|5\d\d)|st[- ](?:elevation|depression)|t[- ]wave inversion|paced|ventricular (?:tachy|ectop)|hypertrophy|\bLVH\b|\babnormal",
    re.IGNORECASE,
)
_OPEN = re.compile(r"st-?t|nonspecific|non-specific|tachy|brady|ectop|extrasystol|premature|\bPVC|\bPAC|borderline|minor|\?", re.IGNORECASE)
_NORMAL = re.compile(r"\bnormal\b|\bWNL\b|unremarkable|within normal|\bNSR\b|sinus rhythm|\bsinus\b|\bno (?:\w+ )?(?:abnormalit|alteration|change)|without (?:\w+ )?(?:abnormalit|alteration|change|patholog)", re.IGNORECASE)
_DENIED = re.compile(r"\b(?:no|without|not)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)


def read_ecg(doc: Document) -> ConditionFact | None:
    """`ecg_abnormality` by the last tracing that says something: absent, present, or possible where its weight is open."""
    found = None
    for tracing in _TRACING.finditer(doc.lowered):
        said = tracing["said"]
        if _NOT_DONE.search(said):
            continue
        status = _status(said)
        if status is not None:
            end = tracing.start("said") + len(said.rstrip())
            found = ConditionFact("ecg_abnormality", status, (doc.evidence(tracing.start(), end),))
    return found


def _status(said: str) -> Status | None:
    if any(not _DENIED.search(said[: m.start()]) for m in _ABNORMAL.finditer(said)):
        return Status.PRESENT
    if any(not _DENIED.search(said[: m.start()]) for m in _OPEN.finditer(said)):
        return Status.POSSIBLE
    return Status.ABSENT if _NORMAL.search(said) else None
