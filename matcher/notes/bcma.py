"""Exposure to BCMA-directed therapy: exposed, naive in words or by a complete history, otherwise unknown. Never naive by silence."""

from __future__ import annotations

import re
from collections.abc import Sequence

from matcher.domain import BcmaAgent, BcmaExposure, Course, Evidence, Reading
from matcher.notes.document import Document
from matcher.notes.events import Event
from matcher.notes.exposure import shown_given, statement_at
from matcher.notes.lines import Line
from matcher.notes.signals import signals_of
from matcher.notes.treatments import windows, without_generic
from models import load_vocabulary

_MODALITY = {"car_t": "car_t", "car_nk": "car_t", "bispecific_antibody": "bispecific_antibody", "trispecific_antibody": "bispecific_antibody", "antibody_drug_conjugate": "antibody_drug_conjugate"}
_BCMA = r"(?:anti[- ]?)?(?:BCMA|B-cell maturation antigen)"
_NAIVE = re.compile(
    rf"{_BCMA}[- ]*(?:directed |targeted |therapy |treatment |agent )*[-: ]*(?:na[iï]ve|unexposed|not exposed)\b"
    rf"|\bna[iï]ve (?:to|for|of) (?:all |any |prior )*{_BCMA}|\bfirst {_BCMA}[- ](?:directed |targeted )?(?:agent|therapy|treatment|exposure|product)"
    rf"|\b(?:no|without|denies|not|never)\b(?:[^.;\n]|\.(?=\d)){{0,60}}\b{_BCMA}(?![- ]*(?:stain|IHC|expression|posit|negat|test|result|loss|assess|measur))"
    rf"|{_BCMA}[^.\n]{{0,60}}[;,]\s*never (?:used|given|received|had|tried)\b"
    rf"|{_BCMA}[- ]*(?:directed|targeted)?[^.;\n(]{{0,25}}[:=][ ]*(?:none|never|no\b|nil|not)"
    rf"|{_BCMA}[- ]*(?:directed |targeted )?(?:exposure|exposed|therapy|treatment|treated|rx)\s*\??\s*[:|=\t-]+\s*(?:N|no|nil|none|never)\b"
    rf"|{_BCMA}[- ]*(?:directed|targeted)?\s*(?:drugs?|agents?|therap(?:y|ies)|treatments?)?(?: / CAR[- ]?T)?\s+(?:not|never|none)\s+(?:to date|so far|yet|given|received)", re.IGNORECASE)
_EXPOSED = re.compile(
    rf"{_BCMA}[- ]*(?:directed |targeted |targeting )?(?:therapy |treatment |agents? )?[- ]*(?:pre-?treated|exposed|experienced|refractory|failures?|failed)\b(?!\s*[?:|=]+\s*(?:n\b|no\b|none|never|nil|\[ ?\]))"
    rf"|\b(?:refractory|exposed|resistant) to [^.;:\n]{{0,80}}{_BCMA}\b(?![- ]*(?:directed |targeted )?(?:trial|study|studies))"
    rf"|\b(?:prior|previous) {_BCMA}[- ]*(?:directed |targeted )?(?:exposure|therapy|treatment)\s*[:=]\s*(?:yes|y\b|\+)", re.IGNORECASE)
_NOT_EXPOSED = re.compile(r"\b(?:not|no|never|non|without|neither|nor|denies|isn't|wasn't)\b[^.;\n]{0,40}$|\bnon-$", re.IGNORECASE)
_UNSURE = re.compile(r"\b(?:sure|certain|know|known|recall|remember|clear|say|state|whether|if)\b", re.IGNORECASE)  # "does not know whether she had a BCMA drug"
_NAIVE_TO_BOTH = re.compile(r"\b(?:CAR[- ]?T|cell therapy)(?: cells?)?\s*(?:/|and|&|,|\+)\s*(?:bispecifics?|T[- ]cell engagers?|BiTEs?)(?: antibod(?:y|ies))?[- ]*na[iï]ve\b", re.IGNORECASE)
_NEITHER = re.compile(r"\b(?:no|never|not|neither|without|denies)\b[^.\n]*?\b(?:CAR[- ]?T|cell(?:ular)? therap|T-cell engager|T-cell redirect)", re.IGNORECASE)
_ENGAGERS = ("bispecific", "t-cell engager", "t cell engager", "t-cell redirect", "bite")


def read_bcma(doc: Document, events: Sequence[Event], lines: Sequence[Line], complete: Reading | None) -> BcmaExposure:
    """Exposed where an agent is in a line, or its mention shows that it was given."""
    agents = _given(doc, events, {d for line in lines for d in line.drugs})
    if agents:
        return BcmaExposure("exposed", tuple(agents), tuple(e for a in agents for e in a.evidence))
    if told := _exposed_in_words(doc):
        return BcmaExposure("exposed", (), (told,))
    words = naive_in_words(doc)
    if words is not None:
        return BcmaExposure("naive", (), (words,))
    if complete is not None and not _unsettled(events):
        return BcmaExposure("naive", (), complete.evidence)
    return BcmaExposure("unknown")


def _given(doc: Document, events: Sequence[Event], in_lines: set[str]) -> list[BcmaAgent]:
    vocabulary = load_vocabulary()
    found: dict[str, BcmaAgent] = {}
    for event in events:
        if event.course not in (Course.GIVEN, Course.ONGOING):
            continue
        for drug in event.drugs:
            row = vocabulary.drugs.get(drug)
            if row is None or "bcma" not in row.targets or row.modality not in _MODALITY or not (drug in in_lines or shown_given(doc, event.group)):
                continue
            evidence = doc.evidence(event.group.start, event.group.end)
            known = found.get(drug)
            found[drug] = BcmaAgent(drug, _MODALITY[row.modality], (*(known.evidence if known else ()), evidence), (known.date if known else None) or event.start)  # type: ignore[arg-type]
    return [found[d] for d in without_generic(found)]


def _exposed_in_words(doc: Document) -> Evidence | None:
    """Exposure without an agent's name: "BCMA-exposed", "refractory to PI, IMiD, CD38 and BCMA"."""
    for match in (m for a, b in windows(doc.text, ("bcma", "maturation"), 110, 60) for m in _EXPOSED.finditer(doc.text, a, b)):
        if not _NOT_EXPOSED.search(doc.text, max(0, match.start() - 60), match.start()) and not _hypothetical(doc, match.start()):
            return doc.evidence(*match.span())
    return None


def naive_in_words(doc: Document) -> Evidence | None:
    """The words that say no BCMA-directed therapy was given, whatever else the note tells."""
    for match in (m for a, b in windows(doc.text, ("bcma", "maturation"), 90, 70) for m in _NAIVE.finditer(doc.text, a, b)):
        if re.search(r"\b(?:not|no longer|non)[ -]+$", doc.text[max(0, match.start() - 12) : match.start()], re.IGNORECASE) or _hypothetical(doc, match.start()) or _UNSURE.search(match.group()):
            continue
        return doc.evidence(*match.span())
    if both := _NAIVE_TO_BOTH.search(doc.text):
        return doc.evidence(*both.span())
    for match in (m for a, b in windows(doc.text, ("car-t", "car t", "cart", "cell therap", "cellular therap", "engager", "redirect"), 160, 20) for m in _NEITHER.finditer(doc.text, a, b)):
        start, end = statement_at(doc, match.start())
        words = doc.text[match.start() : max(end, match.end())].lower()
        if any(w in words for w in _ENGAGERS) and not re.search(r"\b(?:not sure|unsure|unclear|recall|know)\b", doc.text[start:end], re.IGNORECASE) and not _hypothetical(doc, match.start()):
            return doc.evidence(*match.span())
    return None


def _hypothetical(doc: Document, place: int) -> bool:
    start, end = statement_at(doc, place)
    return bool(re.search(r"\b(?:if|whether|unless|require[sd]?|criteria|eligib\w+|trial (?:wants|needs|requires|excludes)|must (?:be|have)|sister|brother|mother|father|wife|husband|roommate)\b", doc.text[start:place], re.IGNORECASE)) or \
        bool(re.search(r"\b(?:before cells|until|unless)\b", doc.text[place:end], re.IGNORECASE))


def _unsettled(events: Sequence[Event]) -> bool:
    """Something given, or perhaps given, may have been against BCMA: an unnamed bispecific, cell product or study drug."""
    for event in events:
        unnamed = {"car_t", "bispecific_antibody", "antibody_drug_conjugate", "cell_therapy", "investigational_agent", "t_cell_engager"} & set(event.group.therapies)
        if event.course in (Course.GIVEN, Course.ONGOING, Course.POSSIBLE) and unnamed:
            return True
        if event.course in (Course.GIVEN, Course.ONGOING, Course.POSSIBLE) and any("bcma" in load_vocabulary().drugs[d].targets for d in event.drugs if d in load_vocabulary().drugs):
            return True
    return False


def read_complete_history(doc: Document, n_lines: Reading | None, lines: Sequence[Line], stated: int | None) -> Reading | None:
    """True where the note says that it states all treatment there was, or that there was none."""
    kinds = ["complete_history"] + (["first_treatment"] if len(lines) == 1 else []) + ([] if lines else ["untreated"])
    for said in (s for kind in kinds for s in signals_of(doc.text).within(kind, 0, len(doc.text))):
        words = doc.evidence(said.start, said.end)
        if not _hypothetical(doc, said.start) and not re.search(r"\b(?:incomplete|not complete)\b", words.text, re.IGNORECASE):
            return Reading(True, (words,))
    if stated is not None and lines and stated == len(lines) and n_lines is not None and signals_of(doc.text).first("unnamed", 0, len(doc.text)) is None:
        return Reading(True, n_lines.evidence)
    return None
