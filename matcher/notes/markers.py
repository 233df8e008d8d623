"""Antigens on the malignant cells: "CD138+ CD56-", "BCMA IHC positive in 90 %"."""

from __future__ import annotations

import re

from matcher.domain import ConditionFact, Status
from matcher.notes.document import Document

# Source of the notation: flow cytometry and immunohistochemistry reports; dim, weak and partial expression is expression.
_ANTIGEN = r"(?<![\w-])(?P<antigen>CD ?138|CD ?38|CD ?56|CD ?19|CD ?20|BCMA|GPRC5D|FcRH5)\b"
_BETWEEN = r"(?:[ -]?(?:antigen|expression|IHC|immunostain(?:ing)?|stain(?:ing)?|flow|by (?:IHC|flow(?: cytometry)?|immunohistochemistry)|is|was|are|were|strongly|weakly|partially|uniformly|diffusely|positive rate)\b){0,4}[ :\"“]*"
_MARK = re.compile(
    _ANTIGEN + r"(?:" + _BETWEEN + r"(?:(?P<pos>\(\+{1,3}\)|\+{1,3}|-?pos(?:itive)?\b|dim\b|weak\b|bright\b|strong\b|retained\b|partial\b|expressed\b)"
    r"|(?P<neg>\([-–−]\)|-?neg(?:ative)?\b|lost\b|absent\b|not (?:expressed|detected)\b|[-–−](?=[\s,;/.)]|$))))",
    re.IGNORECASE,
)
_LISTED = re.compile(r"\b(?P<sign>positive|negative|express(?:es|ing)?) (?:for )?(?P<list>(?:CD ?\d{2,3}|BCMA|GPRC5D)(?:(?:,| and|,? ?and|/| )+(?:CD ?\d{2,3}|BCMA|GPRC5D))*)", re.IGNORECASE)
_NAME = re.compile(r"CD ?(?:138|38|56|19|20)|BCMA|GPRC5D", re.IGNORECASE)


def read_markers(doc: Document) -> tuple[ConditionFact, ...]:
    """One entry an antigen: `cd138_positive`, present or absent; positive anywhere outranks negative."""
    found: dict[str, ConditionFact] = {}

    def add(antigen: str, positive: bool, start: int, end: int) -> None:
        concept = f"{antigen.lower().replace(' ', '')}_positive"
        if concept not in found or (positive and found[concept].status is Status.ABSENT):
            found[concept] = ConditionFact(concept, Status.PRESENT if positive else Status.ABSENT, (doc.evidence(start, end),))

    for mark in _MARK.finditer(doc.text):
        add(mark["antigen"], mark["pos"] is not None, mark.start(), mark.end())
    for listed in _LISTED.finditer(doc.text):
        for name in _NAME.finditer(listed["list"]):
            start = listed.start("list") + name.start()
            add(name.group(), not listed["sign"].lower().startswith("neg"), start, start + len(name.group()))
    return tuple(found.values())
