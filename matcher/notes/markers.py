"""Antigens on the malignant cells: "CD138+ CD56-", "BCMA IHC positive in 90 %"."""

from __future__ import annotations

import re

from matcher.domain import ConditionFact, Status
from matcher.notes.document import Document

# Source of the notation: flow cytometry and immunohistochemistry reports; dim, weak and partial expression is expression.
_ANTIGEN = re.compile(r"(?:cd ?(?:138|38|56|19|20)|bcma|gprc5d|fcrh5)\b")  # of a note in small letters
_BETWEEN = r"(?:[ -]?(?:antigen|expression|IHC|immunostain(?:ing)?|stain(?:ing)?|flow|by (?:IHC|flow(?: cytometry)?|immunohistochemistry)|is|was|are|were|strongly|weakly|partially|uniformly|diffusely|positive rate)\b){0,4}[ :\"“]*"
_SIGN = re.compile(
    _BETWEEN + r"(?:(?P<pos>\(\+{1,3}\)|\+{1,3}|-?pos(?:itive)?\b|dim\b|weak\b|bright\b|strong\b|retained\b|partial\b|expressed\b)"
    r"|(?P<neg>\([-–−]\)|-?neg(?:ative)?\b|lost\b|absent\b|not (?:expressed|detected)\b|[-–−](?=[\s,;/.)]|$)))",
    re.IGNORECASE,
)
_LEAD = re.compile(r"\b(?:positive|(?P<neg>negative)|express(?:es|ing)?) (?:for )?(?:(?:CD ?\d{2,3}|BCMA|GPRC5D)(?:,| and|,? ?and|/| )+)*\Z", re.IGNORECASE)
_LISTED = 80  # characters before an antigen that may open its list


def read_markers(doc: Document) -> tuple[ConditionFact, ...]:
    """One entry an antigen: `cd138_positive`, present or absent; positive anywhere outranks negative."""
    found: dict[str, ConditionFact] = {}

    def add(antigen: str, positive: bool, start: int, end: int) -> None:
        concept = f"{antigen.replace(' ', '')}_positive"
        if concept not in found or (positive and found[concept].status is Status.ABSENT):
            found[concept] = ConditionFact(concept, Status.PRESENT if positive else Status.ABSENT, (doc.evidence(start, end),))

    for antigen in _ANTIGEN.finditer(doc.lowered):
        start, end = antigen.span()
        if doc.lowered[max(0, start - 1) : start].isalnum() or doc.lowered[max(0, start - 1) : start] in ("-", "_"):
            continue
        if sign := _SIGN.match(doc.text, end):
            add(antigen.group(), sign["pos"] is not None, start, sign.end())
        elif lead := _LEAD.search(doc.text, max(0, start - _LISTED), start):
            add(antigen.group(), lead["neg"] is None, start, end)
    return tuple(found.values())
