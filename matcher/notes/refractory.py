"""The drugs the disease is refractory to: those that failed in a line, and those the note says it of, by name or by class."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable

from matcher.domain import Evidence, Reading
from matcher.notes.document import Document
from matcher.notes.endings import Ending, governing, taken_at_end
from matcher.notes.events import Event, active
from matcher.notes.line_rules import Line
from matcher.notes.linking import REGIMEN_LETTERS
from matcher.notes.signals import Signal, signals_of
from matcher.notes.statements import statement_at
from matcher.notes.treatments import is_cell_product
from models import load_vocabulary

# What "triple-class", "penta-refractory" ... stand for; only what the patient received counts (annotation guidelines).
_CLASSES = {"triple": ("proteasome_inhibitor", "imid", "anti_cd38"), "double": ("proteasome_inhibitor", "imid")}
_QUAD = frozenset({"bortezomib", "carfilzomib", "lenalidomide", "pomalidomide"})
_PENTA = _QUAD | {"daratumumab", "isatuximab"}
_NOT_BEFORE = re.compile(r"(?:\b(?:not|never|non|nor|no)|n't)\b[\s-]*(?:(?:yet|considered|formally|to be|deemed|quote|call|label|him|her|it|as) )*[\"'“‘]?$", re.IGNORECASE)
_NOT_AFTER = re.compile(r"^[\s(:,-]{0,3}(?:\w+\s+){0,3}?(?:never failed|not refractory|not considered refractory|no \(|sensitive|-sensitive|no progression|not PD|not failed)|^\s*failed\?\s*-*\s*no|^-sensitive", re.IGNORECASE)
_NOT_TO = re.compile(r"\bnot (?:\w+ )?refractory (?:to\s+)?$", re.IGNORECASE)
_CHAINED = re.compile(r"[\s,]*(?:maint\w*)?[\s,]*(?:(?:and|then|most recently|later|also)[\s,]+)+(?:on|under|during|through|despite)\s+(?:the\s+)?", re.IGNORECASE)
_LISTED = re.compile(r"[\s,/+&]*(?:(?:and|then)\s+)?", re.IGNORECASE)
_LETTER = re.compile(r"(?<![\w/-])([DVRKPT])(?![\w/-])(\s+no\b)?")
_ALL = re.compile(r"\s*(?:all|everything|each)\b(?! of (?:these|them|the following|the above))(?:[^.;\n]{0,30}?\b(?P<but>except|but|other than|apart from)\b)?", re.IGNORECASE)
_SINCE_YEAR = re.compile(r"\b(?:from|since|after)\s+((?:19|20)\d\d)\b", re.IGNORECASE)  # "to everything from 2019 onwards"
_REACH = 70


class _Found:
    """Drugs with the words that say the disease is refractory to them; `denied`: said not to be."""

    def __init__(self, doc: Document, received: list[str]) -> None:
        self.doc, self.received = doc, received
        self.words: dict[str, list[Evidence]] = {}
        self.denied: set[str] = set()

    def add(self, drugs: Iterable[str], start: int, end: int) -> None:
        for drug in {_product(d, self.received) for d in drugs}:
            if drug in self.received:
                self.words.setdefault(drug, []).append(self.doc.evidence(start, end))

    def add_event(self, event: Event) -> None:
        self.add(_covered(event, self.received), event.group.start, event.group.end)


def read_refractory(doc: Document, lines: list[Line], endings: list[Ending], events: list[Event]) -> tuple[Reading, ...]:
    """Each drug the disease is refractory to, in the order of the lines, with the words it rests on."""
    signals = signals_of(doc.text)
    if signals.first("not_refractory", 0, len(doc.text)):
        return ()
    given = [d for e in events if e.received and e.purpose is None for d in e.drugs]
    received = list(dict.fromkeys([*(d for line in lines for d in line.drugs), *given]))
    found = _Found(doc, received)
    for line, ending in zip(lines, endings, strict=True):
        words = ending.evidence or (line.events[0].evidence,)
        for drug in ending.failed:
            found.words.setdefault(drug, []).extend(words)
    for said in signals.within("each_failed", 0, len(doc.text)):
        low = statement_at(doc, said.start)[0]
        if said.start - low < 3:  # "X, Y and Z. All failed."
            low = statement_at(doc, low - 2)[0]
        for line in (known for known in lines if low <= known.events[0].group.start < said.start and not known.product_only):
            found.add(taken_at_end(doc, line, said.start), said.start, said.end)
        for event in (e for e in events if low <= e.group.start < said.start and e.received and e.in_exposure_list):
            found.add(event.active, said.start, said.end)
    _of_events(found, events)
    _of_lists(found, events, lines)
    by_class = _of_classes(found, lines, endings)
    order = {d: n for n, d in enumerate(received)}
    drugs = (d for d in {**found.words, **by_class} if d not in found.denied)
    return tuple(Reading(d, tuple(dict.fromkeys([*found.words.get(d, ()), *by_class.get(d, ())]))) for d in sorted(drugs, key=lambda d: order[d]))


def _of_events(found: _Found, events: list[Event]) -> None:
    """What stands beside a name: "X-refractory", "failed X, Y and Z", "progressed on X, then on Y"."""
    governed = False
    for place, event in enumerate(events):
        group, drugs = event.group, _covered(event, found.received)
        chained, governed = governed and _CHAINED.fullmatch(event.gap) is not None, False
        if not drugs:
            continue
        lead = event.doc.text[max(0, group.start - _REACH) : group.start]
        if _NOT_AFTER.match(event.after) or _NOT_TO.search(lead):
            found.denied |= drugs if "no longer" not in lead else set()
        elif event.at_once("refractory_after"):
            if event.after.startswith("-") and "," in event.doc.text[group.start : group.end]:  # "Kyprolis, len-refractory"
                drugs = set(active(group.mentions[-1].drugs))
                lead = event.doc.text[max(0, group.mentions[-1].start - _REACH) : group.mentions[-1].start]
            if _NOT_BEFORE.search(lead):
                found.denied |= drugs
            else:
                found.add(drugs, group.start, group.end)
        elif event.received and (event.at_once("failed_after") or event.at_once("stopped_for_it")) and not any(is_cell_product(d) for d in drugs):
            found.add_event(event)
        elif event.received and event.up_to("failed"):
            for other in _list_from(events, place):
                found.add_event(other)
        elif chained or (event.received and _progressed_on(event)):
            governed = True
            found.add((d for d in drugs if not is_cell_product(d)), group.start, group.end)


def _progressed_on(event: Event) -> bool:
    low = max(event.low, event.group.start - _REACH)
    failing = governing(event.signals, event.doc.text, event.group.start, low)
    return failing is not None and not re.search(r"\b(?:no|not|without|if)\b[^;\n]*$", event.doc.text[low : event.group.start], re.IGNORECASE)


def _list_from(events: list[Event], place: int) -> list[Event]:
    """An event and those listed after it: "failed X, Y and Z"."""
    listed = [events[place]]
    for other in events[place + 1 : place + 12]:
        if not _LISTED.fullmatch(other.doc.text[listed[-1].group.end : other.group.start]):
            break
        listed.append(other)
    return listed


def _of_lists(found: _Found, events: list[Event], lines: list[Line]) -> None:
    """ "Refractory to X, Y (not Z)", "refr: R, V no, P"."""
    doc, signals = found.doc, signals_of(found.doc.text)
    places = [e.group.start for e in events]
    for said in signals.within("refractory_to", 0, len(doc.text)):
        high = _list_end(doc, said)
        negated = _NOT_BEFORE.search(doc.text[max(0, said.start - 25) : said.start]) is not None
        if (all_of := _ALL.match(doc.text, said.end)) and not negated:  # "to all except X"
            high = min(statement_at(doc, said.end)[1], said.end + 400)
            since = _SINCE_YEAR.search(doc.text, all_of.end() if not all_of["but"] else all_of.start(), high)
            told = {d for line in lines for d in line.drugs if line.start and line.start.year >= int(since[1])} if since else set(found.received)
            found.add((d for d in found.received if d in told and active([d]) and not is_cell_product(d)), said.start, said.end)
            if all_of["but"]:
                for event in events[bisect_left(places, all_of.end()) : bisect_left(places, high)]:
                    found.denied |= _covered(event, found.received)
            continue
        for event in events[bisect_left(places, said.end) : bisect_left(places, high)]:
            if negated or _NOT_AFTER.match(event.after):
                found.denied |= _covered(event, found.received)
            else:
                found.add_event(event)
        for letter in () if negated else _LETTER.finditer(doc.text, said.end, high):
            if letter.group(2):
                found.denied.add(REGIMEN_LETTERS[letter.group(1)])
            else:
                found.add([REGIMEN_LETTERS[letter.group(1)]], letter.start(1), letter.end(1))


def _list_end(doc: Document, said: Signal) -> int:
    end = min(statement_at(doc, said.end)[1], said.end + 400)
    if doc.text[said.end - 1] == ":":
        return end
    stop = signals_of(doc.text).first("list_end", said.end, end)
    over = re.compile(r"[.;]\s|\n").search(doc.text, said.end, max(said.end, end))
    return min(end, *(s for s in (stop.start if stop else end, over.start() if over else end)))


def _product(drug: str, received: list[str]) -> str:
    """Of a kind named without its product ("the BCMA bispecific") the product received."""
    known = load_vocabulary().drugs
    if not drug.startswith("anti-") or drug not in known:
        return drug
    named = [d for d in received if not d.startswith("anti-") and d in known and set(known[d].classes) & set(known[drug].classes)]
    return named[-1] if named else drug


def _covered(event: Event, received: list[str]) -> set[str]:
    """The drugs an event speaks of: its own, or those received of the class it names."""
    drugs, vocabulary = set(event.active), load_vocabulary()
    for therapy in event.group.therapies:
        row = vocabulary.therapies.get(therapy)
        if row and (row.kind == "class" or therapy == "cd38"):
            drugs |= {d for d in received if vocabulary.is_a(d, therapy) and active([d])}
    return drugs


def _of_classes(found: _Found, lines: list[Line], endings: list[Ending]) -> dict[str, list[Evidence]]:
    """ "Triple-class refractory": the drugs received of the classes, but for those stopped for another reason than progression."""
    doc, vocabulary = found.doc, load_vocabulary()
    spared = {d for line, e in zip(lines, endings, strict=True) if e.reason in ("toxicity", "preference") for d in line.drugs} - {d for e in endings for d in e.failed}
    words: dict[str, list[Evidence]] = {}
    for said in signals_of(doc.text).within("class_refractory", 0, len(doc.text)):
        if _NOT_BEFORE.search(doc.text[max(0, said.start - 20) : said.start]):
            continue
        kind = doc.text[said.start : said.end].lower()
        if kind.startswith(("penta", "quint", "quad")):
            drugs = [d for d in found.received if d in (_QUAD if kind.startswith("quad") else _PENTA)]
        else:
            drugs = [d for d in found.received if any(vocabulary.is_a(d, c) for c in _CLASSES["triple" if kind.startswith(("triple", "tcr")) else "double"])]
        for drug in drugs:
            if drug not in spared:
                words.setdefault(drug, []).append(doc.evidence(said.start, said.end))
    return words
