"""Lines of therapy: the course of treatment as a note tells it, cut where a new line begins, in the order of time.

What other passages of the note tell again is joined to the lines that are known.
"""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise

from matcher.domain import Course
from matcher.notes.events import STEROIDS, Event, active
from matcher.notes.line_rules import COURSE, FAR, Line, begins_line, undated
from matcher.notes.treatments import is_cell_product, without_generic
from models import load_vocabulary

_ADDED_TO = re.compile(r"\s*(?:was |were |is |being )?(?:then |also |subsequently )?(?:added (?:back )?(?:on )?to|(?:combined|paired|given together|given in combination|used together) with)\s*(?:the |his |her |ongoing )*", re.IGNORECASE)
_AFTER_TRANSPLANT = re.compile(r"[^.;]{0,40}\b(?:after|following|preceded by|conditioned|with|by)\b[^.;]{0,30}$")
_STEROID_OF = re.compile(r"[^.;\n]{0,30},\s*|[^.\n]{0,80}(?:\bwith|\bw/|\+|\bplus)\s*", re.IGNORECASE)
_LISTED = re.compile(r"\s*(?:,|,? and)\s+", re.IGNORECASE)
_MOST_LINES = 30  # no patient has had more; a longer text repeats itself
_LOOK_BACK = 600  # characters


def build_lines(events: list[Event]) -> list[Line]:
    """The lines, in order. The passage that tells most of the course decides; what other passages repeat adds no line."""
    usable = [e for e in events if e.received and e.purpose is None and (e.active or e.transplant)]
    for previous, event in pairwise(usable):  # what was planned or denied in between belongs to the words between
        event.low = max(previous.group.end, event.group.start - _LOOK_BACK)
    _take_steroids(events)
    for event, partner in pairwise(usable):
        if _ADDED_TO.fullmatch(partner.gap) and event.drugs and partner.drugs:
            event.drugs = tuple(dict.fromkeys([*event.drugs, *partner.drugs]))
    passages: dict[int, list[Event]] = {}
    for event in usable:
        passages.setdefault(event.block, []).append(event)
    if not passages:
        return []
    told = {block: _segment(part) for block, part in passages.items()}
    main = max(sorted(told), key=lambda block: (_weight(told[block]), -block))
    lines = told[main]
    for block in (b for b in sorted(told) if b > main):
        _extend(passages[block], lines)
    earlier = [e for e in usable if e.block < main and not _known(e, lines)]
    before = [line for line in _segment(earlier) if _stands_alone(line)]
    found = [line for line in (*before, *lines) if active(line.drugs)]
    if not found:  # "myeloma, on lenalidomide" is all that is told
        found = [_open(e) for e in usable if e.active and not e.in_exposure_list][:1]
    return _in_order(found)


def _take_steroids(events: list[Event]) -> None:
    """A steroid told behind a treatment in its own row belongs to it: "Revlimid (with Velcade through 01/2020, dex)"."""
    for event, steroid in pairwise(events):
        alone = steroid.drugs and not steroid.active and steroid.received and steroid.purpose is None
        if alone and event.received and event.active and event.purpose is None and not STEROIDS & set(event.drugs) and _STEROID_OF.fullmatch(steroid.gap):
            event.drugs = (*event.drugs, *steroid.drugs)


def _weight(lines: list[Line]) -> float:
    """How much of a course a passage tells: its lines, those with a date or a number more."""
    return sum(1 + (line.start is not None) / 2 + (line.events[0].mark is not None) / 2 for line in lines if active(line.drugs))


def _segment(events: list[Event]) -> list[Line]:
    lines: list[Line] = []
    pending: Event | None = None  # a transplant told before its induction
    for place, event in enumerate(events):
        if not lines and not event.active:
            pending = event
        elif not lines:
            if not event.restated or event.start or event.course is Course.ONGOING or (event.is_regimen and (event.up_to("came_after") or _lists(events[place : place + 2]))):
                lines.append(_open(event))
                if pending and _follows(pending, lines[0], event.gap):
                    _take(lines[0], pending)
        elif len(lines) < _MOST_LINES and begins_line(event, lines, events[place + 1 : place + 3]):
            fresh = _open(event)
            if _introduced(lines, event):
                lines.pop(0)
            while lines and _part_of(lines[-1], event):
                lines.pop()
            if pending and _follows(pending, fresh, event.gap[-60:]):
                _take(fresh, pending)  # told after its induction, the latest first
                pending = None
            if lines and not fresh.product_only and not lines[-1].product_only and _adds(event):
                stopped = {d for e in lines[-1].events[1:] if e.stop_follows for d in e.drugs}
                fresh.drugs.extend(d for d in lines[-1].maintenance or lines[-1].drugs if d not in fresh.drugs and d not in stopped)
            lines.append(fresh)
        elif not event.active and event.start and lines[-1].start and lines[-1].start.earliest - event.start.latest > FAR:
            pending = event
        else:
            _merge(event, lines)
    return lines


def _follows(transplant: Event, line: Line, gap: str) -> bool:
    """Whether a transplant told before a treatment came after it: by the dates of both, else by the words between."""
    if line.start and transplant.start and transplant.start.month:
        return timedelta(0) <= transplant.start.latest - line.start.earliest < COURSE
    return _AFTER_TRANSPLANT.match(gap) is not None


def _lists(events: list[Event]) -> bool:
    """Regimens told in a row: "progressed on VRd, DRd and Kd"."""
    return len(events) == 2 and all(e.is_regimen for e in events) and _LISTED.fullmatch(events[1].gap) is not None


def _introduced(lines: list[Line], event: Event) -> bool:
    """The regimen at hand, named at the head of the passage ("here for DPd. Prior: ...") and now told in its place."""
    first = lines[0]
    return active(first.drugs) == event.active and len(first.events) == 1 and first.start is None and first.events[0].mark is None and event.start is not None


def _part_of(line: Line, event: Event) -> bool:
    """One drug told ahead of its combination: "dose changes: lenalidomide ... Regimen: VRd since"."""
    alone = len(line.drugs) == 1 and line.start is None and not line.ended and not line.transplant and not line.events[0].mark and not line.events[0].maintenance
    return alone and event.start is not None and set(line.drugs) < event.active and not any(event.since(kind) for kind in ("progression", "relapse", "switch", "added")) and not event.up_to("then")


def _adds(event: Event) -> bool:
    """A drug added to what is taken ("progressed, daratumumab added"), where no acronym tells the combination."""
    if event.is_regimen:
        return False
    text = event.doc.text
    near = max((m.end() for m in re.finditer(r"[.;]\s|\n|->|→", text[event.low : event.group.start])), default=0) + event.low
    return event.signals.said("added", max(near, event.group.start - 30), min(event.tail, event.group.end + 25)) is not None


def _extend(events: list[Event], lines: list[Line]) -> None:
    """Later passages: a new treatment that the main passage does not know opens a line if it is told as one."""
    opened = False
    for event in events:
        mark, alone = event.mark, _stands_alone(_open(event))
        told = bool(mark and (mark.line or 0) > len(lines) and event.start) if _known(event, lines) else alone and len(lines) < _MOST_LINES
        if told and (not lines or begins_line(event, lines)):
            lines.append(_open(event))
            opened = True
        elif opened:
            _merge(event, lines)


def _known(event: Event, lines: list[Line]) -> bool:
    drugs, vocabulary = event.active, load_vocabulary().drugs
    if not drugs or any(drugs <= set(line.drugs) for line in lines):
        return True
    if all(d.startswith("anti-") and d in vocabulary for d in drugs):
        classes = {c for d in drugs for c in vocabulary[d].classes}
        return any(classes & set(vocabulary[d].classes) for line in lines for d in line.drugs if d in vocabulary)
    return event.in_exposure_list


def _stands_alone(line: Line) -> bool:
    event = line.events[0]
    dated = event.start is not None or event.course is Course.ONGOING or event.mark is not None
    return bool(active(line.drugs)) and dated and (not event.restated or (event.course is Course.ONGOING and not event.in_exposure_list))


def _open(event: Event) -> Line:
    line = Line([])
    line.add(event)
    _take(line, event)
    return line


def _merge(event: Event, lines: list[Line]) -> None:
    """Part of the line at hand, unless it names drugs of an earlier one only, or a transplant of an earlier time."""
    line, drugs = lines[-1], event.active
    if event.start and drugs and (known := undated(event, lines[:-1])):
        known.add(event)
        return
    if event.transplant and not drugs and "\n" in event.gap and not event.mark and (
            any(known.transplant == event.transplant for known in lines[:-1]) or (event.start is None and (line.number or 0) > 1)):
        return  # a list of the transplants
    if not drugs <= set(line.drugs) and (
            (any(drugs <= set(known.drugs) for known in lines) and not (line.transplant and event.maintenance)) or event.in_exposure_list or (line.product_only and not any(is_cell_product(d) for d in drugs))):
        return
    if event.restated and (event.since("progression") or event.since("relapse")):
        line.ended = True
    line.add(event)
    after_transplant = line.transplant and len(drugs) == 1 and not event.restated and not event.stop_follows
    if drugs and (event.maintenance or after_transplant) and not event.leads("consolidation", 30) and not event.signals.first("consolidation", event.group.end, event.group.end + 20):
        line.maintenance.extend(d for d in event.drugs if d not in line.maintenance)
    _take(line, event)


def _take(line: Line, event: Event) -> None:
    if any(is_cell_product(d) for d in event.drugs):
        line.drugs = without_generic(dict.fromkeys(d for d in (*line.drugs, *event.drugs) if is_cell_product(d)))
    elif not line.product_only and (event.active or not line.drugs):
        line.drugs = without_generic(dict.fromkeys((*line.drugs, *event.drugs)))
    line.transplant = line.transplant or event.transplant


# ---------------------------------------------------------------- in the order of time


def _in_order(lines: list[Line]) -> list[Line]:
    """As the note numbers them, else by their dates; without either the regimen at hand, told first, goes last."""
    at_hand = [line for line in lines if line.start is None and not line.number and line.events[0].course is Course.ONGOING]
    if 0 < len(at_hand) < len(lines):
        return [*_in_order([line for line in lines if line not in at_hand]), *at_hand]
    numbers = [line.number or 0 for line in lines]
    if len(lines) > 1 and all(numbers) and len(set(numbers)) == len(numbers):
        return [line for _, line in sorted(zip(numbers, lines, strict=True), key=lambda pair: pair[0])]
    dated = [line.start.earliest for line in lines if line.start]
    if len(dated) == len(lines):
        return [line for _, line in sorted(zip(dated, lines, strict=True), key=lambda pair: pair[0])]
    if head := next((n for n, line in enumerate(lines) if n and line.events[0].heads_prior), 0):
        return [*lines[head:], *lines[:head]]
    if len(dated) > 2 and dated == sorted(dated, reverse=True) and dated[0] != dated[-1]:
        return lines[::-1]
    told = _as_told(lines)
    current = numbers[0]
    if 1 < current <= len(lines) and not any(numbers[1:]):
        told.remove(lines[0])
        told.insert(current - 1, lines[0])
    return told


def _as_told(lines: list[Line]) -> list[Line]:
    """The lines with each that the note tells as "before that" ahead of the one told before it, and what is listed with it."""
    order = lines[:1]
    for previous, line in pairwise(lines):
        first, place = line.events[0], order.index(previous)
        order.insert(place if first.before_it else place + 1 if _LISTED.fullmatch(first.gap) else len(order), line)
    return order
