"""Exposure to BCMA-directed therapy: exposed, naive in words or by a complete history, otherwise unknown. Never naive by silence."""

from __future__ import annotations

import re
from collections.abc import Sequence

from matcher.domain import BcmaAgent, BcmaExposure, Course, Evidence, Reading
from matcher.notes.document import Document
from matcher.notes.events import Event
from matcher.notes.exposure import shown_given
from matcher.notes.line_rules import Line
from matcher.notes.naive import BCMA, denied_bcma, hypothetical, said_yes
from matcher.notes.treatments import without_generic
from models import load_vocabulary

_MODALITY = {"car_t": "car_t", "car_nk": "car_t", "bispecific_antibody": "bispecific_antibody", "trispecific_antibody": "bispecific_antibody", "antibody_drug_conjugate": "antibody_drug_conjugate"}
_KIND = r"(?:directed |targeted |targeting )?(?:therapy |treatment |agents? )?"
_NO_ANSWER = r"(?!\s*[?:|=]+\s*(?:n\b|no\b|none|never|nil|\[ ?\]))"
_EXPOSED = (
    re.compile(rf"{BCMA}[- ]*{_KIND}[- ]*(?:pre-?treated|exposed|experienced|refractory|failures?|failed)\b{_NO_ANSWER}", re.IGNORECASE),
    re.compile(rf"\b(?:refractory|exposed|resistant)\s*(?:to\b|\(|:)[^.;:\n]{{0,80}}{BCMA}\b(?![- ]*(?:directed |targeted )?(?:trial|study|studies))", re.IGNORECASE),
    re.compile(rf"(?<!most )(?<!than )\b(?:one|two|three|several|multiple|both|[123]) (?:prior|previous) {BCMA}[- ]*{_KIND}(?:therap(?:y|ies)|treatments?|agents?|lines?)", re.IGNORECASE),
    re.compile(rf"\bpost[- ]{BCMA}[- ]*{_KIND}(?:relapse|progression|failure)", re.IGNORECASE),
    re.compile(rf"\b(?:not|no longer|non)[\s-]+{BCMA}[- ]*na[iï]ve\b", re.IGNORECASE),
)
_ANSWERED = re.compile(rf"\b(?:relaps|progress|fail|refractory|respon|benefit|tolerat)\w* (?:to |from |on |after |through |under )?(?:the |his |her )?(?:prior|previous) {BCMA}\b", re.IGNORECASE)
_PRIOR = re.compile(rf"\b(?:prior|previous|earlier|past) {BCMA}[- ]*{_KIND}(?:exposure|therapy|treatment|exposed)?|{BCMA}[- ]*{_KIND}expos(?:ure|ed)", re.IGNORECASE)
_NOT_EXPOSED = re.compile(r"\b(?:not|no|never|non|without|neither|nor|denies|isn't|wasn't)\b[^.;\n]{0,40}$|\bnon-$", re.IGNORECASE)


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
            evidence = event.evidence
            known = found.get(drug)
            found[drug] = BcmaAgent(drug, _MODALITY[row.modality], (*(known.evidence if known else ()), evidence), (known.date if known else None) or event.start)  # type: ignore[arg-type]
    return [found[d] for d in without_generic(found)]


def _exposed_in_words(doc: Document) -> Evidence | None:
    """Exposure without an agent's name: "BCMA-exposed", "refractory to PI, IMiD, CD38 and BCMA"."""
    near = doc.near(("bcma", "maturation"), 110, 60)
    said = [m for a, b in near for pattern in _EXPOSED for m in pattern.finditer(doc.text, a, b)]
    said += [m for a, b in near for m in _PRIOR.finditer(doc.text, a, b) if said_yes(doc, m.end())]
    said = [m for m in said if not _NOT_EXPOSED.search(doc.text, max(0, m.start() - 60), m.start())]
    said += [m for a, b in near for m in _ANSWERED.finditer(doc.text, a, b)]
    for match in sorted(said, key=lambda m: m.start()):
        if not hypothetical(doc, match.start()):
            return doc.evidence(*match.span())
    return None


def naive_in_words(doc: Document) -> Evidence | None:
    """The words that say no BCMA-directed therapy was given, whatever else the note tells."""
    said = denied_bcma(doc)
    return doc.evidence(*said) if said else None


def _unsettled(events: Sequence[Event]) -> bool:
    """Something given, or perhaps given, may have been against BCMA: an unnamed bispecific, cell product or study drug."""
    for event in events:
        unnamed = {"car_t", "bispecific_antibody", "antibody_drug_conjugate", "cell_therapy", "investigational_agent", "t_cell_engager"} & set(event.group.therapies)
        if event.course in (Course.GIVEN, Course.ONGOING, Course.POSSIBLE) and unnamed:
            return True
        if event.course in (Course.GIVEN, Course.ONGOING, Course.POSSIBLE) and any("bcma" in load_vocabulary().drugs[d].targets for d in event.drugs if d in load_vocabulary().drugs):
            return True
    return False
