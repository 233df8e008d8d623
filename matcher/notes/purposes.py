"""What a treatment was for besides the plasma cell disease, and what a correction in the note takes back."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache

from matcher.domain import Course
from matcher.notes.document import Document
from matcher.notes.events import Event
from matcher.notes.statements import statement_at
from matcher.notes.treatments import is_cell_product
from models import load_vocabulary

NOT_OF_A_LINE = ("bridging", "lymphodepletion", "mobilisation", "premedication", "supportive")
_NEARBY = 40  # events: what was said further up no longer bears on one
_SENTENCE = 1000  # characters of a run-on sentence that bear on a name
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_PLASMA = re.compile(r"myeloma|\bMM\b|[Pp]lasma cell|[Aa]myloid|[Pp]lasmacytoma|Waldenstr|\bWM\b|POEMS|MYELOMA")
_CANCERS = ("lymphoma", "hodgkin", "leukemia", "leukaemia", "sarcoma", "melanoma", "carcinoma", "seminoma")
_ORGANS = ("breast", "prostate", "colon", "colorectal", "lung", "gastric", "bladder", "thyroid", "ovarian", "cervical", "renal", "rectal", "testicular", "neck")
_SHORT = ("DLBCL", "CLL", "AML", "MDS", "NHL")
_OTHER = re.compile(rf"(?i:{'|'.join(_CANCERS)}|\b(?:{'|'.join(_ORGANS)})\b[^.;\n]{{0,25}}\b(?:cancer|ca|tumou?r)\b)|\b(?:{'|'.join(_SHORT)})\b")
_OTHER_WORDS = (*_CANCERS, *_ORGANS, *(short.lower() for short in _SHORT))
MYELOMA_DRUGS = frozenset({"bortezomib", "carfilzomib", "ixazomib", "lenalidomide", "pomalidomide", "thalidomide", "daratumumab", "isatuximab", "elotuzumab", "selinexor", "panobinostat", "iberdomide", "mezigdomide"})
_TRANSPLANT_BEHIND = re.compile(r"\s*(?:\d+\s*(?:mg(?:/m2)?)?\s*)?(?:/|\+|and|with|-|\(|followed by)?\s*(?:auto|ASCT|stem|SCT|transplant)", re.IGNORECASE)
_AS_LINE = re.compile(r"[^.;]{0,30}\bline\b", re.IGNORECASE)
_AS_BRIDGE = re.compile(r"[^.;\n]{0,25}?\b(?:as|for) (?:a |the )?bridg", re.IGNORECASE)  # "DCEP x1 as bridging": bridging has a mention of its own
_NOT_INFUSED = re.compile(r"\b(?:no|not|never)\b.*\b(?:infused|given|received|administered)\b", re.IGNORECASE)
_BRIDGE_OVER = re.compile(r"infused|relaps|progress|diagnos|initial|\bfirst\b|previous|prior|\bPD\b|\bCR\b|VGPR|\bline\b|\n\s*[-*•(L]|\n\s*\d{1,2}[.)]|\n\s*\n", re.IGNORECASE)


def settle_purposes(events: list[Event]) -> None:
    """Sets `purpose` of each event, then applies what the note corrects."""
    for place, event in enumerate(events):
        if event.drugs or event.transplant:
            earlier = events[max(0, place - _NEARBY) : place]
            event.purpose = _purpose(event, earlier) or _as_before(event, earlier)
    _correct(events)
    denied = {d for e in events if e.course is Course.ABSENT and _denies_infusion(e) for d in e.drugs if is_cell_product(d)}
    for event in events:
        if denied & set(event.drugs) and event.received:
            event.course = Course.ABSENT  # "to be clear: it was never infused" outranks a problem list


def _purpose(event: Event, earlier: list[Event]) -> str | None:
    if any(_AS_LINE.match(event.doc.text, count.end) for count in event.signals.within("counted", event.group.end, event.group.end + 120)):
        return None
    if _other_cancer(event, earlier):
        return "other_malignancy"
    if event.active == {"fludarabine", "cyclophosphamide"}:
        return "lymphodepletion"
    if any(is_cell_product(d) for d in event.drugs):
        return None
    for purpose in NOT_OF_A_LINE:
        if not (purpose == "supportive" and event.active) and not (event.transplant and not event.drugs) and _said_of(event, purpose):
            return purpose
    if event.active == {"melphalan"} and _TRANSPLANT_BEHIND.match(event.doc.text, event.group.end, event.group.end + 40):
        return "conditioning"
    return None


def _said_of(event: Event, purpose: str) -> bool:
    text, start = event.doc.text, event.group.start
    if purpose not in event.signals:
        return False
    if purpose == "bridging" and _AS_BRIDGE.match(text, event.group.end):
        return True
    bracket = text.rfind(")", event.low, start) + 1
    if event.signals.last(purpose, max(event.lead, bracket, start - 60), start):
        return True
    opened = text.find("(", event.group.end, event.tail)
    if event.signals.first(purpose, event.group.end, min(event.tail if opened < 0 else opened, event.group.end + 50)):
        return True
    told = event.signals.last(purpose, max(statement_at(event.doc, start)[0], start - 90), start) if purpose in ("bridging", "premedication") else None
    return told is not None and "." not in text[told.end : start] and _goes_on(text[told.end : start])


def _as_before(event: Event, earlier: list[Event]) -> str | None:
    """The purpose of what this goes on with, or tells again."""
    settled = [e for e in earlier if e.purpose]
    if not settled:
        return None
    bridge = next((e for e in reversed(earlier) if e.received and e.drugs), None)
    if bridge and bridge.purpose == "bridging" and event.active and not any(is_cell_product(d) for d in event.drugs) and _goes_on(event.doc.text[bridge.group.end : event.group.start]):
        return "bridging"
    again = any(is_cell_product(d) for d in event.drugs)
    if any(e.purpose == "other_malignancy" and e.active == event.active for e in settled) and (again or event.restated):
        return "other_malignancy"
    told = next((e.purpose for e in settled if e.purpose in NOT_OF_A_LINE and event.active and event.active <= set(e.drugs)), None)
    return told if told and event.restated else None


def _goes_on(between: str) -> bool:
    """Nothing since the bridging before says that it was over: no infusion, relapse, response or new number."""
    return len(between) < 400 and _BRIDGE_OVER.search(between) is None


def _other_cancer(event: Event, earlier: list[Event]) -> bool:
    """Told of another cancer: its statement, or the heading of its paragraph, names one and no plasma cell disease."""
    if MYELOMA_DRUGS & set(event.drugs) or not _other_cancers(event.doc):
        return False
    text = event.doc.text
    start, end = statement_at(event.doc, event.group.start)
    start, end = max(start, event.group.start - _SENTENCE), min(end, event.group.end + _SENTENCE)
    if _names_other(event.doc, start, end):
        return _PLASMA.search(text, start, end) is None and not (event.transplant and any(start <= e.group.start for e in earlier[-2:] if MYELOMA_DRUGS & set(e.drugs)))
    paragraph = max((m.end() for m in _PARAGRAPH.finditer(text, max(0, start - 1500), start)), default=0)
    line_end = text.find("\n", paragraph, start)
    return _names_other(event.doc, paragraph, min(start if line_end < 0 else line_end, paragraph + 80)) and _PLASMA.search(text, paragraph, end) is None


def _names_other(doc: Document, low: int, high: int) -> bool:
    """Whether a stretch of the note names another cancer."""
    places = _other_cancers(doc)
    at = bisect_left(places, (low, 0))
    return at < len(places) and places[at][1] <= high


@lru_cache(maxsize=2)
def _other_cancers(doc: Document) -> tuple[tuple[int, int], ...]:
    return tuple(m.span() for place in doc.places(_OTHER_WORDS) if (m := _OTHER.match(doc.text, place)))


def _denies_infusion(event: Event) -> bool:
    """ "No cilta-cel was infused": what was not given, said of the product by name."""
    return _NOT_INFUSED.search(event.doc.text, max(event.low, event.group.start - 30), min(event.high, event.group.end + 40)) is not None


def _correct(events: list[Event]) -> None:
    """What a correction withdraws is replaced, wherever the note tells it, by what the correction names in its stead."""
    for place, event in enumerate(events):
        if event.course is not Course.ABSENT or not event.drugs:
            continue
        start, end = statement_at(event.doc, event.group.start)
        if not event.signals.first("correction", max(0, start - 200), min(end, event.group.end + 200)):
            continue
        slip = events[place - 1] if place else None
        if slip and slip.drugs == event.drugs and slip.received and len(event.gap) < _NEARBY:
            slip.course = Course.ABSENT  # "X, sorry, correction, not X"
        stead = next((e for e in events[max(0, place - _NEARBY) : place + _NEARBY] if _in_its_stead(e, event)), None)
        if stead is None or not event.signals.first("correction", max(0, stead.group.start - 250), stead.group.end + 100):
            continue
        for other in events:
            if other not in (event, stead) and other.received and set(event.drugs) <= set(other.drugs):
                other.drugs = tuple(dict.fromkeys([*stead.drugs, *(d for d in other.drugs if d not in event.drugs)]))


def _in_its_stead(other: Event, event: Event) -> bool:
    known = load_vocabulary().drugs
    kind = known[event.drugs[0]].modality if event.drugs[0] in known else None
    return other.course is Course.GIVEN and other is not event and bool(other.drugs) and abs(other.group.start - event.group.start) < 200 \
        and not set(other.drugs) & set(event.drugs) and all(d in known and (kind is None or known[d].modality == kind) for d in other.drugs)
