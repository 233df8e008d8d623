"""The state of the myeloma at the note's date."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from matcher.domain import ConditionFact, Evidence, Reading, Status
from matcher.notes.document import Document
from matcher.notes.endings import Ending
from matcher.notes.events import active
from matcher.notes.line_count import of_patient
from matcher.notes.line_rules import Line
from matcher.notes.signals import signals_of
from matcher.notes.statements import statement_at

# Licensed for myeloma that was treated before only (labels of FDA and EMA, 2025): who takes one is hardly in the first line.
FOR_RELAPSE = frozenset({"pomalidomide", "selinexor", "panobinostat", "elotuzumab", "venetoclax", "melphalan flufenamide", "iberdomide", "mezigdomide"})
_NOT_OF_IT = re.compile(r"\b(?:not|no|for|trials? (?:of|for|in)|in)\s+(?:\w+\s+)?$", re.IGNORECASE)
_TO_COME = re.compile(r"\b(?:later|once|when|eval\w*|consider\w*|transplant)\b[^.;\n]*$", re.IGNORECASE)  # "transplant in first remission"
_NEGATED = re.compile(r"\b(?:not|non|never|no)[\s-]+(?:yet )?$", re.IGNORECASE)
_NEAR = 100  # characters
_OF_MYELOMA = re.compile(r"relaps(?:ed|ing)(?: [\w-]+){0,5}? (?:myeloma|MM)\b", re.IGNORECASE)
_REFRACTORY = re.compile(r"\bprimary[- ]refractory\b", re.IGNORECASE)


def read_disease_state(doc: Document, conditions: Sequence[ConditionFact], lines: Sequence[Line], endings: Sequence[Ending], plasma_cell: bool, n_lines: int | None = None,
                       refractory: Collection[str] = ()) -> Reading | None:
    """None where the patient has no active plasma cell malignancy (`has_active_myeloma`)."""
    if not plasma_cell:
        return None
    signals = signals_of(doc.text)
    for said in signals.within("relapsed_refractory", 0, len(doc.text)):
        if of_patient(doc, said.start, said.end) and not _NOT_OF_IT.search(doc.text, max(0, said.start - 25), said.start):
            return Reading("relapsed_refractory", (doc.evidence(said.start, said.end),))
    if primary := next(doc.matches(_REFRACTORY, ("primary",), 1, 20), None):
        later = any(e.relapsed and e.best not in (None, "SD", "PD") for e in endings[1:])
        return Reading("relapsed_refractory" if later else "refractory", (doc.evidence(*primary.span()),))
    relapsed = bool(refractory) or any(e.relapsed or e.failed for e in endings)
    first = lines[0].events[0].evidence if lines else None
    by_class = next((s for s in signals.within("class_refractory", 0, len(doc.text)) if not _NEGATED.search(doc.text, max(0, s.start - 20), s.start)), None)
    if not lines and by_class and of_patient(doc, by_class.start, by_class.end):
        return Reading("relapsed_refractory", (doc.evidence(by_class.start, by_class.end),))
    relapsed = relapsed or (n_lines or 0) > max(1, len(lines)) or any(of_patient(doc, s.start, s.end) and not _elsewhere(doc, s.start) for s in signals.within("relapse", 0, len(doc.text)) if not signals.negated(s))
    if not relapsed and (len(lines) <= 1 or (len(lines) == 2 and endings[0].reason == "toxicity")):
        told = (s for s in signals.within("remission", 0, len(doc.text)) if not _elsewhere(doc, s.start) and not _TO_COME.search(doc.text, max(0, s.start - 40), s.start))
        if remission := next(told, None):
            return Reading("remission", (doc.evidence(remission.start, remission.end),))
        if lines and (endings[0].best in ("sCR", "CR") or (endings[0].best in ("sCR", "CR", "VGPR") and lines[0].maintenance)):
            return Reading("remission", (first,)) if first else None
        return _newly_diagnosed(doc, None if lines and FOR_RELAPSE & set(lines[0].drugs) else first, n_lines)
    if not lines:
        return Reading("relapsed_refractory" if refractory else "relapsed")
    last = endings[-1]
    answered = any(e.best not in (None, "SD", "PD") for e in endings) or max(len(lines), n_lines or 0) > 1
    evidence = last.evidence or ((first,) if first else ())
    if last.failed or set(active(lines[-1].drugs)) & set(refractory):
        return Reading("relapsed_refractory" if answered else "refractory", evidence)
    if last.relapsed:
        return Reading("relapsed", evidence)
    return Reading("relapsed_refractory" if refractory or any(e.failed for e in endings) else "relapsed", evidence)


def _newly_diagnosed(doc: Document, first: Evidence | None, n_lines: int | None) -> Reading | None:
    """In the first line, or said to be new or untreated; a note that is silent about treatment does not settle it."""
    if first is not None:
        return Reading("newly_diagnosed", (first,))
    said = said_new(doc)
    return Reading("newly_diagnosed", (said,) if said else ()) if said or n_lines == 0 else None


def said_new(doc: Document) -> Evidence | None:
    """The words that call the disease new or untreated."""
    said = (s for s in signals_of(doc.text).within("newly_diagnosed", 0, len(doc.text)) if not _elsewhere(doc, s.start))
    return next((doc.evidence(s.start, s.end) for s in said), None)


def _elsewhere(doc: Document, place: int) -> bool:
    """Said of another disease, or of what may come."""
    start, end = statement_at(doc, place)
    start, end = max(start, place - _NEAR), min(end, place + _NEAR)
    if _OF_MYELOMA.match(doc.text, place):
        return False
    return signals_of(doc.text).first("other_disease", start, end) is not None


def has_active_myeloma(conditions: Sequence[ConditionFact], lines: Sequence[Line]) -> bool:
    """Myeloma that needs treatment or was treated, plasma cell leukaemia or Waldenstrom disease; not MGUS, smouldering disease or amyloidosis alone."""
    present = {c.id for c in conditions if c.status in (Status.PRESENT, Status.HISTORICAL)}
    if {"multiple_myeloma", "plasma_cell_leukemia", "waldenstrom_macroglobulinemia"} & present:
        return True
    named = {c.id for c in conditions if c.status is not Status.FAMILY and c.id in ("multiple_myeloma", "al_amyloidosis", "waldenstrom_macroglobulinemia", "lymphoma", "mgus", "smoldering_multiple_myeloma")}
    return bool(lines) and not named
