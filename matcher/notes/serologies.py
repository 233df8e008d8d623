"""Infections by their serology: panels of markers with results, and what the markers of one infection mean together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from matcher.domain import Evidence, Status
from matcher.lexicon import Lexicon
from matcher.notes.document import Document
from models.vocabulary import read_rows


@dataclass(frozen=True, slots=True)
class Marker:
    """One marker of the note with its result. `kind`: antigen core immunity nucleic_acid antibody treponemal reagin screen load any."""

    infection: str
    kind: str
    start: int
    end: int
    positive: bool | None
    result_end: int


_RESULT = (
    r"(?:(?P<neg>\b(?:false[- ]pos(?:itive)?s?|neg(?:ative|atives|s)?|non[- ]?reac(?:tive|tant)|non[- ]?reagent|not reagent|NR|not? detect\w*|non[- ]?detect\w*|undetect\w*|below (?:the )?(?:limit of )?detection(?: limit)?|absent|not found|TND)\b|\(\s*[-–−]\s*\)|(?<=[A-Za-z])[-–−](?=[\s,;/.)]|$)|(?<=\s)[-–−](?=\s*(?:[,;/)\n]|\(\d|$))|[-–−]\s?ve\b)"
    r"|(?P<pos>\b(?:pos(?:itive)?|reactive|detect(?:ed|able)|persistently positive)\b|\(\s*\+\s*\)|\+(?:ve\b)?|\d[\d.,]*(?:\s?[x×]\s?10\^?\d+)?\s?(?:IU|copies|cp)/m?L))"
)
# What may stand between the markers of one list, and between a marker and its result.
_SEPARATOR = re.compile(r"[\s,/&+|()\[\]]*(?:(?:and|or|plus|total|ag|ab|antibod(?:y|ies)(?: to| against)?|antigen|igg|serolog(?:y|ies)|tests?|screen|status|as well as|also|the|for|I{1,2}|1|2)[\s,/&+|()\[\]]*)*", re.IGNORECASE)
_TO_RESULT = (
    r"[\s:=,|)/'\"*&-]*(?:\([^()\n]{0,40}\)[\s:=,|&-]*)?(?:(?:is|are|I{1,2}|and|was|were|all|both|also|now|again|currently|still|remains?|persistently|antibod(?:y|ies)|antigen|ag|ab|total|igg|igm|pcr|dna|rna|tests?|testing|screen(?:ing)?|serolog(?:y|ies)|status|results?|today|qualitative|quantitative|by|viral load|ratio|came back|returned|repeat(?:ed)?|indeterminate|equivocal|done|in|on|at|from|\d[\d./-]*|jan\w*|feb\w*|mar\w*|apr\w*|may|june?|july?|aug\w*|sep\w*|oct\w*|nov\w*|dec\w*)\b[\s:=,|&-]*)*(?:\([^()\n]{0,40}\)[\s:=,-]*)?"
)
_WITH_RESULT = re.compile(_TO_RESULT + _RESULT, re.IGNORECASE)
_OPEN_BRACKET = re.compile(r"\([^()]*$")
_PANEL_END = re.compile(r"(?<![,-])(?<!and)\s*\n|\.\s")
_REACH = 150  # characters between markers of one panel, or from a marker to its result
_LEADING = re.compile(r"(?:neg(?:ative)?|non-?reactive|not? detected)\s*(?:results?|tests?|serolog(?:y|ies)|screen(?:ing)?)?\s*(?:for|:|\(|incl(?:uding|\.)?)\s*(?:the\s+)?$|\bneg(?:ative)?\s+$", re.IGNORECASE)
# Within a sentence about one virus, its name is often left out: "HBV core Ab pos / sAg neg / DNA not detected".
_ELLIPSIS = re.compile(
    r"\b(?:(?P<antigen>s(?:urface)?[- ]?(?:ag|antigen)|surface antigen|Ag\b)|(?P<core>c(?:ore)?[- ]?(?:ab|antibody)|core(?! ?biops)|anti-?core)|(?P<immunity>s(?:urface)?[- ]?(?:ab|antibody))|(?P<nucleic_acid>(?:DNA|RNA|PCR|VL|viral load)))\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=1)
def _lexicon() -> Lexicon[tuple[str, str]]:
    return Lexicon((row["marker"], (row["infection"], row["kind"])) for _, row in read_rows("serology.csv"))


def read_markers(doc: Document) -> list[Marker]:
    """Every marker, in order; `positive` is None where the note gives no result ("serology was not sent").

    A bare name of an infection counts as a marker only with a result.
    """
    text = doc.text
    found: list[Marker] = []
    named = [(h.start, h.end, *h.meaning) for h in _lexicon().find(text)]
    for panel in _panels(text, named):
        right = _panel_end(text, panel[-1][1])
        marks = _with_ellipses(text, panel[0][0], right, panel)
        before = len(found)
        result: tuple[bool, int] | None = None
        for i in range(len(marks) - 1, -1, -1):
            start, end, infection, kind = marks[i]
            limit = marks[i + 1][0] if i + 1 < len(marks) else right
            if own := _WITH_RESULT.match(text, end, limit):
                result = (own["pos"] is not None, own.end())
            elif i + 1 == len(marks) or not _SEPARATOR.fullmatch(_OPEN_BRACKET.sub("", text[end:limit])):
                result = None  # the list that shared the result ends here
            if result:
                found.append(Marker(infection, kind, start, end, *result))
        if len(found) == before:
            found += _led(text, marks)
    read = {m.start for m in found}
    found += [Marker(infection, kind, start, end, None, end) for start, end, infection, kind in named if start not in read and kind != "any" and not _bare(text[start:end])]
    return sorted(found, key=lambda m: m.start)


def _bare(name: str) -> bool:
    """HIV names both the test and the infection."""
    return re.fullmatch(r"HIV(?:[- ]?1)?(?:[-/ ]*2)?", name, re.IGNORECASE) is not None


def _panels(text: str, named: list[tuple[int, int, str, str]]) -> Iterator[list[tuple[int, int, str, str]]]:
    """Markers of one line or sentence, wrapped lists included."""
    panel: list[tuple[int, int, str, str]] = []
    for mark in named:
        if panel and (mark[0] - panel[-1][1] > _REACH or _PANEL_END.search(text, panel[-1][1], mark[0])):
            yield panel
            panel = []
        panel.append(mark)
    if panel:
        yield panel


def _panel_end(text: str, end: int) -> int:
    stop = _PANEL_END.search(text, end, end + _REACH)
    return stop.start() if stop else min(len(text), end + _REACH)


def _with_ellipses(text: str, left: int, right: int, marks: list[tuple[int, int, str, str]]) -> list[tuple[int, int, str, str]]:
    viral = [m for m in marks if m[2] in ("hepatitis_b", "hepatitis_c")]
    if not viral:
        return marks
    found = list(marks)
    for m in re.finditer(r"(?<=[Bb])\s?(?:\([^()\n]{0,40}\)\s?)?(?:/|and|&|,)\s?C\b", text[left:right]):  # "hepatitis B and C"
        if any(start < left + m.start() <= end for start, end, *_ in viral) or text[left + m.start() - 12 : left + m.start()].lower().endswith("hepatitis b"):
            found.append((left + m.end() - 1, left + m.end(), "hepatitis_c", "any"))
    for m in _ELLIPSIS.finditer(text, left, right):
        before = [v for v in viral if v[0] <= m.start()]
        if before and not any(s < m.end() and m.start() < e for s, e, *_ in found):
            kind = m.lastgroup or "any"
            virus = before[-1][2] if kind == "nucleic_acid" else "hepatitis_b"
            if any(v[2] == virus for v in viral):
                found.append((m.start(), m.end(), virus, kind))
    return sorted(found)


def _led(text: str, marks: list[tuple[int, int, str, str]]) -> Iterable[Marker]:
    """Markers after their common result: "negative for HIV, HBV and HCV"."""
    led = False
    for i, (start, end, infection, kind) in enumerate(marks):
        led = bool(_LEADING.search(text[max(0, start - 40) : start])) or (led and i > 0 and bool(_SEPARATOR.fullmatch(text, marks[i - 1][1], start)))
        if led:
            yield Marker(infection, kind, start, end, False, end)


def read_places(markers: Iterable[Marker]) -> tuple[tuple[int, int], ...]:
    """The places that need no further reading as mentions."""
    return tuple((m.start, m.end) for m in markers if not (m.positive and m.infection in _SPOKEN))


def interpret(markers: Iterable[Marker], doc: Document) -> dict[str, tuple[Status, tuple[Evidence, ...]]]:
    """The status of each infection whose markers settle it. Of several results of one kind the last counts.

    Hepatitis B: antigen or DNA is infection; core antibody without them is past infection; immunity alone says nothing (annotation
    guidelines; AASLD 2018). Hepatitis C: antibody without RNA is past infection. Syphilis: a treponemal test stays positive after treatment,
    reagin (RPR, VDRL, TRUST) shows activity.
    """
    by: dict[str, dict[str, Marker]] = {}
    for m in markers:
        if m.positive is None:
            continue
        by.setdefault(m.infection, {})[m.kind] = m
    found = {}
    for infection, kinds in by.items():
        result = {kind: m.positive for kind, m in kinds.items()}
        status = _READERS.get(infection, _simple)(result)
        if status is not None:
            evidence = tuple(doc.evidence(m.start, max(m.end, m.result_end if m.result_end - m.end < 80 else m.end)) for m in kinds.values())
            found[infection] = (status, evidence)
    return found


def _hepatitis_b(r: dict[str, bool | None]) -> Status | None:
    if r.get("nucleic_acid") or r.get("antigen") or r.get("any"):
        return Status.PRESENT
    if r.get("core"):
        return Status.HISTORICAL
    return Status.ABSENT if {"antigen", "core", "any", "nucleic_acid"} & r.keys() else None


def _hepatitis_c(r: dict[str, bool | None]) -> Status | None:
    if r.get("nucleic_acid"):
        return Status.PRESENT
    if r.get("antibody") or r.get("any"):
        return Status.HISTORICAL if "nucleic_acid" in r else Status.PRESENT
    return Status.ABSENT


def _hiv(r: dict[str, bool | None]) -> Status | None:
    if r.get("antibody") or r.get("any") or r.get("load"):
        return Status.PRESENT
    return Status.ABSENT if {"antibody", "any"} & r.keys() else None


def _syphilis(r: dict[str, bool | None]) -> Status | None:
    if r.get("treponemal"):
        return Status.HISTORICAL if r.get("reagin") is False else Status.PRESENT
    return Status.PRESENT if r.get("any") or r.get("reagin") else Status.ABSENT


def _simple(r: dict[str, bool | None]) -> Status | None:
    return Status.PRESENT if r.get("any") else Status.ABSENT


def _only_absent(r: dict[str, bool | None]) -> Status | None:
    """A positive screen for tuberculosis is latent infection; a positive test of an acute infection is told, dated and ended in words."""
    return None if any(r.values()) else Status.ABSENT


_SPOKEN = ("tuberculosis", "covid_19", "influenza", "rsv_infection")
_READERS = {**dict.fromkeys(_SPOKEN, _only_absent), "hepatitis_b": _hepatitis_b, "hepatitis_c": _hepatitis_c, "hiv_infection": _hiv, "syphilis": _syphilis}
