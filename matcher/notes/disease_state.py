"""The state of the myeloma at the note's date."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from matcher.domain import ConditionFact, Evidence, Reading, Status
from matcher.notes.document import Document
from matcher.notes.endings import Ending
from matcher.notes.events import active
from matcher.notes.exposure import statement_at
from matcher.notes.line_count import of_patient
from matcher.notes.line_rules import Line
from matcher.notes.signals import signals_of

_RELAPSED_REFRACTORY = re.compile(r"\bR/?R\s*-?\s*(?:MM|myeloma)\b|\bRRMM\b|relaps(?:ed|ing)?\s*[-/,&]?\s*(?:and|or)?\s*[-/]?\s*refractory|\bR/R\b|refractory\s*(?:and|/)\s*relapsed|\bMM,?\s*RR\b", re.IGNORECASE)
_NEW = re.compile(r"\bnewly[- ](?:diagnosed|dx(?:'?d)?)\b|\bNDMM\b|\b(?:new(?:ly)?|recent) diagnosis of (?:multiple )?myeloma|\bnew (?:multiple )?myeloma\b|\bnew MM\b|\bde novo (?:multiple )?myeloma|\b(?:just|recently) diagnosed\b|\buntreated\b|\btreatment[- ]na[iï]ve\b|\bat (?:initial )?(?:diagnosis|presentation)\b", re.IGNORECASE)
_REMISSION = re.compile(r"(?<!transplant )\b(?:in|remains in|ongoing|sustained|maintained|continued|continues in|still in|response is an?|MRD[- ]negative)\s+(?:\w+[- ]){0,3}?(?:remission|complete response|s?CR\b)|\bMRD[- ]neg(?:ative)?\b(?![^.\n]{0,30}(?:until|then|relaps))|no evidence of (?:disease|active myeloma)", re.IGNORECASE)
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
    for match in doc.matches(_RELAPSED_REFRACTORY, ("rr", "r/r", "refractory"), 30, 40):
        if of_patient(doc, *match.span()) and not re.search(r"\b(?:not|no|for|trials? (?:of|for|in)|in)\s+(?:\w+\s+)?$", doc.text[max(0, match.start() - 25) : match.start()], re.IGNORECASE):
            return Reading("relapsed_refractory", (doc.evidence(*match.span()),))
    if primary := _REFRACTORY.search(doc.text):
        later = any(e.relapsed and e.best not in (None, "SD", "PD") for e in endings[1:])
        return Reading("relapsed_refractory" if later else "refractory", (doc.evidence(*primary.span()),))
    relapsed = bool(refractory) or any(e.relapsed or e.failed for e in endings)
    first = doc.evidence(lines[0].events[0].group.start, lines[0].events[0].group.end) if lines else None
    signals = signals_of(doc.text)
    by_class = next((s for s in signals.within("class_refractory", 0, len(doc.text)) if not _NEGATED.search(doc.text, max(0, s.start - 20), s.start)), None)
    if not lines and by_class and of_patient(doc, by_class.start, by_class.end):
        return Reading("relapsed_refractory", (doc.evidence(by_class.start, by_class.end),))
    relapsed = relapsed or (n_lines or 0) > max(1, len(lines)) or any(of_patient(doc, s.start, s.end) and not _elsewhere(doc, s.start) for s in signals.within("relapse", 0, len(doc.text)) if not signals.negated(s))
    if not relapsed and (len(lines) <= 1 or (len(lines) == 2 and endings[0].reason == "toxicity")):
        remission = next((m for m in _REMISSION.finditer(doc.text) if not _elsewhere(doc, m.start()) and not _TO_COME.search(doc.text, max(0, m.start() - 40), m.start())), None)
        if remission:
            return Reading("remission", (doc.evidence(*remission.span()),))
        if lines and (endings[0].best in ("sCR", "CR") or (endings[0].best in ("sCR", "CR", "VGPR") and lines[0].maintenance)):
            return Reading("remission", (first,)) if first else None
        return _newly_diagnosed(doc, first, n_lines)
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
    said = (m for m in _NEW.finditer(doc.text) if not _elsewhere(doc, m.start()))
    return next((doc.evidence(*m.span()) for m in said), None)


def _elsewhere(doc: Document, place: int) -> bool:
    """Said of another disease, or of what may come."""
    start, end = statement_at(doc, place)
    start, end = max(start, place - _NEAR), min(end, place + _NEAR)
    if _OF_MYELOMA.match(doc.text, place):
        return False
    return re.search(r"colitis|crohn|depress|psych|arthrit|lupus|psoria|lymphoma|leuk\w+mia|breast|prostate|sarcoid|nephr|asthma|migraine|substance|alcohol|\bif\b|\bwill\b|\bshould\b|at relapse|risk of|\bPE\b|DVT", doc.text[start:end], re.IGNORECASE) is not None


def has_active_myeloma(conditions: Sequence[ConditionFact], lines: Sequence[Line]) -> bool:
    """Myeloma that needs treatment or was treated, plasma cell leukaemia or Waldenstrom disease; not MGUS, smouldering disease or amyloidosis alone."""
    present = {c.id for c in conditions if c.status in (Status.PRESENT, Status.HISTORICAL)}
    if {"multiple_myeloma", "plasma_cell_leukemia", "waldenstrom_macroglobulinemia"} & present:
        return True
    named = {c.id for c in conditions if c.status is not Status.FAMILY and c.id in ("multiple_myeloma", "al_amyloidosis", "waldenstrom_macroglobulinemia", "lymphoma", "mgus", "smoldering_multiple_myeloma")}
    return bool(lines) and not named
