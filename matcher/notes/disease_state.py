"""The state of the myeloma at the note's date, and the number of lines that the note states."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from matcher.domain import ConditionFact, Evidence, Reading, Status
from matcher.notes.document import Document
from matcher.notes.endings import Ending
from matcher.notes.events import active
from matcher.notes.exposure import statement_at
from matcher.notes.lines import Line
from matcher.notes.signals import signals_of

_NUMBERS = {"no": 0, "zero": 0, "one": 1, "a single": 1, "single": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12}
_ORDINAL = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10}
_N = r"(\d{1,2}|" + "|".join(sorted(_NUMBERS, key=len, reverse=True)) + r")"
_UNIT = r"(?:lines?|(?-i:LOTs?)|lots of (?:therapy|treatment)|regimens?)"
_COUNT = (
    re.compile(rf"\b{_N}\s*(?:different |separate |distinct )?(?:prior|previous|earlier|past|preceding|antecedent)\s+(?:therapeutic |treatment |systemic |therapy )?(?:lines?|LOTs?|regimens?|therapies)\b", re.IGNORECASE),
    re.compile(rf"\b(?:prior|previous)\s+(?:lines?|LOT|regimens?|therapies)(?:\s+of\s+(?:therapy|treatment))?\s*(?:[:=(x×]|were|number(?:ing)?)\s*(?:n\s*=\s*)?{_N}\b(?!\s*[./-]\d)", re.IGNORECASE),
    re.compile(rf"(?:\bs/p|status[- ]post|after|through|had|received|\bso|total(?:\s+of)?|=|failed|following|over|\bin all|altogether|across|count(?:ed|ing)? as|\()\s*[\"“']?(?:at least |about |some )?{_N}\s+(?!more\b|additional\b|further\b|other\b|new\b|central\b|IV\b)(?:[a-z-]+\s+)?{_UNIT}\b(?:\s+of (?:therapy|treatment))?", re.IGNORECASE),
    re.compile(rf"(?<![\w-])(?:lines?|LOTs?)\s*[:=]\s*{_N}\b(?!\s*[./-]\d)|\b(\d{{1,2}}) priors\b", re.IGNORECASE),
    re.compile(rf"\b{_N}\s+(?:finished |completed |full |different |separate )?{_UNIT}(?:\s+of\s+(?:prior\s+)?(?:therapy|treatment|anti-?myeloma))?\b", re.IGNORECASE),
)
_CURRENT = re.compile(r"\b(?:(\d{1,2})(?:st|nd|rd|th)|(" + "|".join(_ORDINAL) + r"))[- ]line\b|\b(?:L(\d{1,2})\s+ongoing|(?<!\d[.])(?<!\d)(\d{1,2})\. ?line\b)|\b(?:this is|now) (?:the |his |her )?line (\d{1,2})\b|\b(\d{1,2})L\b(?=\s*(?:\)|,|;|\.|$|ongoing|relaps|RRMM|MM\b|myeloma))", re.IGNORECASE)
_NOW = re.compile(r"(?:this is|now)\b", re.IGNORECASE)
_QUOTED = re.compile(r"\b(?:at least|minimum|requires?|required|requiring|eligib\w*|criteri\w*|label(?:led)?|indicated|approved|licen[sc]ed|reimburs\w*|exclu\w*|wants?|needs?|inclusion|per protocol|trial (?:for|of)|or more|≥|>=|>|<|≤)\b|[≥≤<>]=?\s*$", re.IGNORECASE)
_PLUS_CURRENT = re.compile(r"\s*(?:of (?:therapy|treatment) )?(?:,\s*)?(?:plus|\+|and|in addition to) (?:the |his |her )?(?:current|present|ongoing)\b", re.IGNORECASE)
_NOT_THERAPY = re.compile(r"\b(?:IV|central|PICC|arterial|suture|cell|lead)\s*$", re.IGNORECASE)
_RELAPSED_REFRACTORY = re.compile(r"\bR/?R\s*-?\s*(?:MM|myeloma)\b|\bRRMM\b|relaps(?:ed|ing)?\s*[-/,&]?\s*(?:and|or)?\s*[-/]?\s*refractory|\bR/R\b|refractory\s*(?:and|/)\s*relapsed|\bMM,?\s*RR\b", re.IGNORECASE)
_NEW = re.compile(r"\bnewly[- ]diagnosed\b|\bNDMM\b|\b(?:new(?:ly)?|recent) diagnosis of (?:multiple )?myeloma|\bnew (?:multiple )?myeloma\b|\bnew MM\b|\bde novo (?:multiple )?myeloma|\b(?:just|recently) diagnosed\b|\buntreated\b|\btreatment[- ]na[iï]ve\b|\bat (?:initial )?(?:diagnosis|presentation)\b", re.IGNORECASE)
_REMISSION = re.compile(r"(?<!transplant )\b(?:in|remains in|ongoing|sustained|maintained|continued|continues in|still in|response is an?|MRD[- ]negative)\s+(?:\w+[- ]){0,3}?(?:remission|complete response|s?CR\b)|\bMRD[- ]neg(?:ative)?\b(?![^.\n]{0,30}(?:until|then|relaps))|no evidence of (?:disease|active myeloma)", re.IGNORECASE)
_TO_COME = re.compile(r"\b(?:later|once|when|eval\w*|consider\w*|transplant)\b[^.;\n]*$", re.IGNORECASE)  # "transplant in first remission"
_NEGATED = re.compile(r"\b(?:not|non|never|no)[\s-]+(?:yet )?$", re.IGNORECASE)
_NEAR = 100  # characters
_OF_MYELOMA = re.compile(r"relaps(?:ed|ing)(?: [\w-]+){0,5}? (?:myeloma|MM)\b", re.IGNORECASE)
_REFRACTORY = re.compile(r"\bprimary[- ]refractory\b", re.IGNORECASE)


def read_stated_lines(doc: Document, described: int, numbered: int = 0) -> Reading | None:
    """The number of lines in words or figures, where it is the patient's; of several the one in an addendum, else the most telling.

    `described`: how many lines the note describes; `numbered`: the highest number it gives to one of them.
    """
    found: list[tuple[int, int, int, int]] = []  # rank, value, start, end
    spans = doc.near(("line", "lot", "regimen", "therapies", "priors"), 80, 40)
    for rank, pattern in enumerate(_COUNT):
        for match in (m for a, b in spans for m in pattern.finditer(doc.text, a, b)):
            value = _value(next(g for g in match.groups() if g))
            if value is not None and _of_patient(doc, *match.span()):
                found.append((rank, value + bool(_PLUS_CURRENT.match(doc.text, match.end())), *match.span()))
    for match in doc.matches(_CURRENT, ("line", *(f"l{n}" for n in range(1, 10)), *(f"{n}l" for n in range(10))), 14, 20):
        value = int(match.group(1) or match.group(3) or match.group(4) or match.group(5) or match.group(6) or 0) or _ORDINAL.get((match.group(2) or "").lower(), 0)
        if value and _of_patient(doc, *match.span()) and not re.search(r"\b(?:option|therapy would|plan|consider|next)\b", doc.text[statement_at(doc, match.start())[0] : match.end() + 30], re.IGNORECASE):
            found.append((len(_COUNT), value, *match.span()))
    counts = [f for f in found if f[0] < len(_COUNT)]
    if not counts:
        top = max((f for f in found), key=lambda f: f[1], default=None)
        if numbered > described and (top is None or top[1] < numbered):
            return Reading(numbered)
        return _reading(doc, top) if top and top[1] > described else None
    addendum = min((m.start() for m in re.finditer(r"(?i)\baddend(?:um|a)\b", doc.text)), default=len(doc.text))
    settled = [f for f in counts if f[2] > addendum] or [f for f in counts if re.search(r"addend|correct|minutes to read|settled|agreed|actually", doc.text[max(0, f[2] - 120) : f[2]], re.IGNORECASE)]
    if settled:
        return _reading(doc, settled[-1])
    if agreeing := [f for f in counts if f[1] == described]:
        return _reading(doc, agreeing[0])
    if current := [f for f in found if f[0] == len(_COUNT) and (f[1] == described or _NOW.match(doc.text, f[2])) and f[1] > max(c[1] for c in counts)]:
        return _reading(doc, current[0])  # the lines before it are counted
    best = min(f[0] for f in counts)
    return _reading(doc, max((f for f in counts if f[0] == best), key=lambda f: f[1]))


def _reading(doc: Document, found: tuple[int, int, int, int]) -> Reading:
    return Reading(found[1], (doc.evidence(found[2], found[3]),))


def _value(written: str) -> int | None:
    value = _NUMBERS.get(written.lower()) if not written.isdigit() else int(written)
    return value if value is not None and value <= 20 else None


def _of_patient(doc: Document, begin: int, stop: int) -> bool:
    start, end = statement_at(doc, begin)
    low = max(start, begin - 80)
    before, after = doc.text[low:begin], doc.text[stop : min(end, stop + 40)]
    if _QUOTED.search(before + " ") or re.match(r"\s*(?:or more|\+|and (?:over|above)|required|needed|are required|of (?:platinum|chemo\w* for))", after, re.IGNORECASE):
        return False
    return not _NOT_THERAPY.search(before) and not signals_of(doc.text).said("relative", low, begin)


def read_disease_state(doc: Document, conditions: Sequence[ConditionFact], lines: Sequence[Line], endings: Sequence[Ending], plasma_cell: bool, n_lines: int | None = None,
                       refractory: Collection[str] = ()) -> Reading | None:
    """None where the patient has no active plasma cell malignancy (`has_active_myeloma`)."""
    if not plasma_cell:
        return None
    for match in doc.matches(_RELAPSED_REFRACTORY, ("rr", "r/r", "refractory"), 30, 40):
        if _of_patient(doc, *match.span()) and not re.search(r"\b(?:not|no|for|trials? (?:of|for|in)|in)\s+(?:\w+\s+)?$", doc.text[max(0, match.start() - 25) : match.start()], re.IGNORECASE):
            return Reading("relapsed_refractory", (doc.evidence(*match.span()),))
    if primary := _REFRACTORY.search(doc.text):
        later = any(e.relapsed and e.best not in (None, "SD", "PD") for e in endings[1:])
        return Reading("relapsed_refractory" if later else "refractory", (doc.evidence(*primary.span()),))
    relapsed = bool(refractory) or any(e.relapsed or e.failed for e in endings)
    first = doc.evidence(lines[0].events[0].group.start, lines[0].events[0].group.end) if lines else None
    signals = signals_of(doc.text)
    by_class = next((s for s in signals.within("class_refractory", 0, len(doc.text)) if not _NEGATED.search(doc.text, max(0, s.start - 20), s.start)), None)
    if not lines and by_class and _of_patient(doc, by_class.start, by_class.end):
        return Reading("relapsed_refractory", (doc.evidence(by_class.start, by_class.end),))
    relapsed = relapsed or (n_lines or 0) > max(1, len(lines)) or any(_of_patient(doc, s.start, s.end) and not _elsewhere(doc, s.start) for s in signals.within("relapse", 0, len(doc.text)) if not signals.negated(s))
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
    said = next((m for m in _NEW.finditer(doc.text) if not _elsewhere(doc, m.start())), None)
    return Reading("newly_diagnosed", (doc.evidence(*said.span()),) if said else ()) if said or n_lines == 0 else None


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
    named = {c.id for c in conditions if c.id in ("multiple_myeloma", "al_amyloidosis", "waldenstrom_macroglobulinemia", "lymphoma", "mgus", "smoldering_multiple_myeloma")}
    return bool(lines) and not named
