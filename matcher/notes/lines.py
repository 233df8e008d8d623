"""Lines of therapy: the course of treatment as a note tells it, cut where a new line begins (Rajkumar et al., Blood 2015).

A planned course and all its phases are one line. `RULES` decide of each treatment told whether it begins a line; the first that
knows an answer gives it. What other passages of the note tell again is joined to the lines that are known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

from matcher.domain import Course, PartialDate
from matcher.notes.events import STEROIDS, Event, active, is_cell_product
from matcher.notes.treatments import without_generic
from models import load_vocabulary

_CELL_OR_ENGAGER = frozenset({"car_t", "bispecific_antibody", "antibody_drug_conjugate", "trispecific_antibody"})
_BULLET = re.compile(r"\n[ \t]*(?:[-*•+>–#~]{1,3}|→)[ \t]*[^\n]{0,60}$|//[^/\n]{0,40}$")
_LINE_HEAD = re.compile(r"\n[ \t]*(?:[\d/.,'’~–\-\s]|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*|from|since|relapse[d]?\.?|then|:|\()*$", re.IGNORECASE)
_PRIOR_HEAD = re.compile(r"[^.;\n]{0,40}[:=-]\s*(?:\(?1[.):]|#1|L1:?)?\s*$|[^.;\n]{0,30}(?:regimen|therap|treatment|line)[^.;\n]{0,20}$", re.IGNORECASE)
_ADDED_TO = re.compile(r"\s*(?:was |were |is |being )?(?:then |also |subsequently )?added (?:back )?(?:on )?to\s*(?:the |his |her |ongoing )*", re.IGNORECASE)
_AFTER_TRANSPLANT = re.compile(r"[^.;]{0,40}\b(?:after|following|preceded by|conditioned|with|by)\b[^.;]{0,30}$")
_WITH = re.compile(r"\(\s*(?:with|w/|plus|\+)\s*$", re.IGNORECASE)
_LABELLED = re.compile(r"[^.;,\n\d]{0,40}[:(=]\s*")  # "the ixazomib arm: | ixazomib, lenalidomide, dexamethasone"
_FEW_CYCLES = re.compile(r"\s*(?:[x×*#]\s?[1-4]\b|(?:for )?(?:[1-4]|one|two|three|four) (?:cycles?|courses?)\b)", re.IGNORECASE)
_STEROID_OF = re.compile(r"[^.;\n]{0,30},\s*|[^.\n]{0,80}(?:\bwith|\bw/|\+|\bplus)\s*", re.IGNORECASE)
_LISTED = re.compile(r"\s*(?:,|,? and)\s+", re.IGNORECASE)
_MOST_LINES = 30  # no patient has had more; a longer text repeats itself
_FAR = timedelta(days=75)
_SOON = timedelta(days=200)  # from a transplant to its maintenance
_COURSE = timedelta(days=700)  # from the first induction to its transplant
_LOOK_BACK = 600  # characters


@dataclass(slots=True, eq=False)
class Line:
    """A line under construction. `events` are those that made it."""

    drugs: list[str]
    events: list[Event] = field(default_factory=list)
    transplant: str | None = None
    maintenance: list[str] = field(default_factory=list)
    ended: bool = False  # told that the disease progressed on it

    @property
    def start(self) -> PartialDate | None:
        """Of the treatment told first, or of a later phase's range that reaches back further (a table's columns)."""
        dated = [e for e in self.events if e.start]
        begun = [e.start for e in dated if e.start and not e.up_to("failed_on")][:1] or [e.start for e in dated if e.start][:1]
        ranges = [e.start for e in dated if e.start and e.end and not e.restated]
        return min([*begun, *ranges], key=lambda d: d.earliest, default=None)

    @property
    def number(self) -> int | None:
        """The number the note gives to it."""
        mark = self.events[0].mark
        return mark.line if mark else None

    @property
    def regimen(self) -> str | None:
        """The name the note gives to the combination."""
        return next((e.doc.text[m.start : m.end] for e in self.events for m in e.group.mentions if m.regimen), None)

    @property
    def product_only(self) -> bool:
        return any(is_cell_product(d) for d in self.drugs)


# ---------------------------------------------------------------- what begins a line


@dataclass(frozen=True, slots=True)
class Told:
    """A treatment told after `lines`: what the rules ask of it."""

    event: Event
    lines: list[Line]
    drugs: set[str]
    earlier: set[str]  # drugs of all lines so far
    same: bool  # no drug that the line at hand does not have
    boundary: bool  # progression, relapse or a switch since the treatment told before
    listed: bool  # an item of a list, or numbered
    ahead: Sequence[Event]  # the treatments told next

    @property
    def line(self) -> Line:
        return self.lines[-1]

    @property
    def numbered(self) -> bool:
        return self.event.mark is not None


def _told(event: Event, lines: list[Line], ahead: Sequence[Event]) -> Told:
    drugs, gap = event.active, event.gap
    boundary = lines[-1].ended or any(event.since(kind) for kind in ("progression", "relapse", "switch"))
    listed = event.mark is not None or _BULLET.search(gap[-90:]) is not None or _LINE_HEAD.search(gap[-60:]) is not None
    return Told(event, lines, drugs, {d for known in lines for d in known.drugs}, drugs <= set(lines[-1].drugs), boundary, listed, ahead)


def _intensified(told: Told) -> bool | None:
    """Changed for a response that was short of the aim: one planned course."""
    event = told.event
    short = event.since("insufficient") or event.follows("insufficient", 60)
    return False if short and not any(event.since(k) for k in ("progression", "relapse", "toxicity")) else None


def _part_told(told: Told) -> bool | None:
    """What the bracket after a name adds, or the induction told after its transplant."""
    after_transplant = not active(told.line.drugs) and not told.boundary
    label = len(told.line.events) == 1 and active(told.line.drugs) <= told.drugs and not told.boundary and _LABELLED.fullmatch(told.event.gap)
    return False if after_transplant or label or _WITH.search(told.event.gap) else None


def _induction(told: Told) -> bool | None:
    """A few cycles, then a few of another combination, then the transplant: one planned course, unless the note tells why it changed."""
    event, line = told.event, told.line
    if line.transplant or told.boundary or told.numbered or not event.drugs or any(event.since(k) for k in ("toxicity", "stopped")):
        return None
    transplant = next((e for e in told.ahead if e.transplant), None)
    near = transplant is not None and transplant.group.start - event.group.end < 80 and not any(transplant.since(k) for k in ("progression", "relapse"))
    return False if near and _FEW_CYCLES.match(line.events[-1].after) else None


def _same_row(told: Told) -> bool | None:
    """A few cycles, then others, in one row of a numbered list or table: the row counts as the note counts it."""
    event, first = told.event, told.line.events[0]
    rows = first.mark is not None and (any(e.mark for e in told.ahead) or any(known.events[0].mark for known in told.lines[:-1]))
    cut = told.boundary or told.listed or re.search(r"[\n;]", event.gap) or any(event.since(k) for k in ("toxicity", "stopped"))
    far = event.start and told.line.start and event.start.earliest - told.line.start.latest > _COURSE
    return False if rows and event.drugs and not cut and not far and _FEW_CYCLES.match(told.line.events[-1].after) else None


def _told_before(told: Told) -> bool | None:
    """ "Before that X", "Previous: X": another line, told after the one it came before."""
    return True if not told.same and (_before_it(told.event) or _heads_prior(told.event)) else None


def _exposure(told: Told) -> bool | None:
    """A list of exposures tells what was given before."""
    return False if told.event.in_exposure_list else None


def _transplant_alone(told: Told) -> bool | None:
    if told.drugs:
        return None
    relapse = told.event.since("progression") or told.event.since("relapse")
    when, began = told.event.start, told.line.start
    return bool(relapse and when and not (began and when.latest < began.earliest))


def _phase(told: Told) -> bool | None:
    """Consolidation and maintenance belong to the course before them."""
    mark = told.event.mark
    if mark is None and len(told.drugs) == 1 and not told.boundary and _soon_after_transplant(told):
        return False
    if told.event.maintenance and not (mark and mark.says_line) and (told.line.transplant or told.same or not told.boundary):
        return False
    return None


def _soon_after_transplant(told: Told) -> bool:
    grafted = next((e.start for e in told.line.events if e.transplant and e.start), None)
    return bool(grafted and told.event.start and timedelta(0) <= told.event.start.earliest - grafted.earliest < _SOON)


def _outcome(told: Told) -> bool | None:
    """What the disease progressed on, or what was stopped, was begun before."""
    return False if told.same and not told.numbered and (told.event.stop_follows or told.event.restated) else None


def _cell_product(told: Told) -> bool | None:
    if not any(is_cell_product(d) for d in told.drugs):
        return None
    if told.line.product_only and _of_one_kind(told.drugs, told.line.drugs):
        return False
    return (not told.drugs <= told.earlier and not _of_one_kind(told.drugs, told.earlier)) or (told.numbered and not told.same)


def _told_again(told: Told) -> bool | None:
    """ "DPd held for three years", or "PD on DRd" and, a row below it, "DRd started"."""
    if told.numbered and not (told.event.restated and len(told.drugs) == 1 and told.drugs <= told.earlier):
        return None
    if told.event.start and _undated(told.event, told.lines[:-1]):
        return False
    if told.event.at_once("told_again") and any(told.drugs == active(known.drugs) for known in told.lines):
        return False
    if told.same and told.line.start is None and re.search(r"\b(?:the|this|that)\s+$", told.event.gap, re.IGNORECASE):
        return False
    first = told.line.events
    if told.same and len(first) == 1 and first[0].up_to("failed_on") and not told.event.since("relapse"):
        return False
    if told.drugs <= told.earlier and len(told.drugs) == 1 and (not told.event.start or told.event.restated):
        return False
    if told.event.course is Course.ONGOING and any(told.drugs <= set(known.drugs) for known in told.lines):
        return False
    return None


def _undated(event: Event, lines: list[Line]) -> Line | None:
    """The line named before without a date, of which an event tells when it began: "Elranatamab C7D1 ... Elra began 7/2025"."""
    return next((known for known in lines if event.active == active(known.drugs) and known.start is None and not known.ended and not known.events[0].mark), None)


def _list_item(told: Told) -> bool | None:
    if not told.listed:
        return None
    return not told.same or (bool(told.event.start or told.numbered) and not (told.event.restated and not told.numbered))


def _again(told: Told) -> bool | None:
    """The same drugs once more, after relapse."""
    if not told.same:
        return None
    event = told.event
    over = re.search(r"[.;\n]|\bthen\b|->|→", event.gap) is not None
    return bool(told.boundary and over and event.start and event.course is not Course.ONGOING and (len(told.drugs) > 1 or event.since("switch") or event.is_regimen))


def _in_full(told: Told) -> bool | None:
    """The combination at hand, told in full; or a name told again."""
    event = told.event
    if event.restated and told.drugs <= told.earlier:
        return False
    if not event.start and not told.boundary and active(told.line.drugs) < told.drugs and len(event.gap.split()) > 2 and not event.since("added"):
        return False
    return None


def _changed(told: Told) -> bool | None:
    """Therapy changed because of progression, relapse or toxicity."""
    event = told.event
    if told.boundary or (event.since("stopped") and (event.since("toxicity") or event.since("then"))):
        return True
    return None


def _other_kind(told: Told) -> bool | None:
    """A cell therapy, engager or conjugate is not a phase of conventional therapy, nor the reverse."""
    if told.event.since("added"):
        return None
    if _CELL_OR_ENGAGER & _modalities(told.drugs):
        return True
    own = active(told.line.drugs)
    return True if _CELL_OR_ENGAGER & _modalities(own) and len(told.drugs) > 1 and not told.drugs & own else None


def _later(told: Told) -> bool | None:
    """No reason is told: the dates, or the way the course is written, decide."""
    event, line = told.event, told.line
    if line.transplant and len(event.drugs) == 1 and not event.start:
        return False
    several = len(event.drugs) > 1 and len(line.drugs) > 1
    if line.maintenance and several and not told.drugs & set(line.drugs):
        return True
    if event.start and not line.start and not line.transplant and not told.drugs & set(line.drugs) and re.search(r"\.\s", event.gap):
        return True
    if event.start and line.start:
        set_off = re.search(r"[;|/]\s*[^;|,]{0,40}$|\n[^\n,]{0,40}$", event.gap) is not None
        return event.start.latest - line.start.earliest > _FAR and (several or set_off or not line.transplant)
    return (several and (re.search(r"[,;|\n]|//", event.gap) is not None or event.is_regimen)) or (event.since("then") is not None and not line.transplant)


RULES: tuple[Callable[[Told], bool | None], ...] = (
    _intensified, _exposure, _transplant_alone, _part_told, _phase, _outcome, _cell_product, _told_again, _induction, _same_row, _list_item, _told_before, _again, _in_full, _changed, _other_kind, _later)


def begins_line(event: Event, lines: list[Line], ahead: Sequence[Event] = ()) -> bool:
    told = _told(event, lines, ahead)
    return next(answer for rule in RULES if (answer := rule(told)) is not None)


def _of_one_kind(drugs: set[str], known: Sequence[str] | set[str]) -> bool:
    """One of them is the unnamed product of the others' kind."""
    return len(without_generic([*drugs, *known])) < len({*drugs, *known})


def _modalities(drugs: set[str]) -> set[str]:
    known = load_vocabulary().drugs
    return {known[d].modality for d in drugs if d in known}


# ---------------------------------------------------------------- from events to lines


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
            if not event.restated or event.start or event.course is Course.ONGOING or (event.is_regimen and event.up_to("came_after")):
                lines.append(_open(event))
                if pending and _AFTER_TRANSPLANT.match(event.gap):
                    _take(lines[0], pending)
        elif len(lines) < _MOST_LINES and begins_line(event, lines, events[place + 1 : place + 3]):
            fresh = _open(event)
            if _introduced(lines, event):
                lines.pop(0)
            while lines and _part_of(lines[-1], event):
                lines.pop()
            if pending and (_AFTER_TRANSPLANT.match(event.gap[-60:]) if fresh.start is None else pending.start and timedelta(0) <= pending.start.latest - fresh.start.earliest < _COURSE):
                _take(fresh, pending)  # told after its induction, the latest first
                pending = None
            if lines and not fresh.product_only and not lines[-1].product_only and _adds(event):
                stopped = {d for e in lines[-1].events[1:] if e.stop_follows for d in e.drugs}
                fresh.drugs.extend(d for d in lines[-1].maintenance or lines[-1].drugs if d not in fresh.drugs and d not in stopped)
            lines.append(fresh)
        elif not event.active and event.start and lines[-1].start and lines[-1].start.earliest - event.start.latest > _FAR:
            pending = event
        else:
            _merge(event, lines)
    return lines


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
    if event.is_regimen or _ADDED_TO.match(event.after):
        return False
    text = event.doc.text
    near = max((m.end() for m in re.finditer(r"[.;]\s|\n|->|→", text[event.low : event.group.start])), default=0) + event.low
    return event.signals.said("added", max(near, event.group.start - 30), min(event.tail, event.group.end + 25)) is not None


def _extend(events: list[Event], lines: list[Line]) -> None:
    """Later passages: a new treatment that the main passage does not know opens a line if it is told as one."""
    opened = False
    for event in events:
        mark, alone = event.mark, _stands_alone(Line([*event.drugs], [event]))
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
    return bool(active(line.drugs)) and dated and not event.restated


def _open(event: Event) -> Line:
    line = Line([], [event])
    _take(line, event)
    return line


def _merge(event: Event, lines: list[Line]) -> None:
    """Part of the line at hand, unless it names drugs of an earlier one only, or a transplant of an earlier time."""
    line, drugs = lines[-1], event.active
    if event.start and drugs and (known := _undated(event, lines[:-1])):
        known.events.append(event)
        return
    if event.transplant and not drugs and "\n" in event.gap and not event.mark and (
            any(known.transplant == event.transplant for known in lines[:-1]) or (event.start is None and (line.number or 0) > 1)):
        return  # a list of the transplants
    if not drugs <= set(line.drugs) and (
            (any(drugs <= set(known.drugs) for known in lines) and not (line.transplant and event.maintenance)) or event.in_exposure_list or (line.product_only and not any(is_cell_product(d) for d in drugs))):
        return
    if event.restated and (event.since("progression") or event.since("relapse")):
        line.ended = True
    line.events.append(event)
    after_transplant = line.transplant and len(drugs) == 1 and not event.restated and not event.stop_follows
    if drugs and (event.maintenance or after_transplant) and not event.leads("consolidation", 30) and not event.signals.first("consolidation", event.group.end, event.group.end + 20):
        line.maintenance.extend(d for d in event.drugs if d not in line.maintenance)
    _take(line, event)


def _take(line: Line, event: Event) -> None:
    if any(is_cell_product(d) for d in event.drugs):
        line.drugs = without_generic(dict.fromkeys(d for d in (*line.drugs, *event.drugs) if is_cell_product(d)))
    elif not line.product_only and (event.active or not line.drugs):
        line.drugs.extend(d for d in event.drugs if d not in line.drugs)
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
    if head := next((n for n, line in enumerate(lines) if n and _heads_prior(line.events[0])), 0):
        return [*lines[head:], *lines[:head]]
    if len(dated) > 2 and dated == sorted(dated, reverse=True) and dated[0] != dated[-1]:
        return lines[::-1]
    told = _as_told(lines)
    current = numbers[0]
    if 1 < current <= len(lines) and not any(numbers[1:]):
        told.remove(lines[0])
        told.insert(current - 1, lines[0])
    return told


def _heads_prior(event: Event) -> bool:
    """Below "prior therapy:" stands what came before the treatment told first."""
    head = event.signals.last("prior_list", max(event.low, event.group.start - 90), event.group.start)
    return head is not None and _PRIOR_HEAD.match(event.doc.text[head.end : event.group.start]) is not None


def _as_told(lines: list[Line]) -> list[Line]:
    """The lines with each that the note tells as "before that" ahead of the one told before it, and what is listed with it."""
    order, ahead = lines[:1], False
    for previous, line in pairwise(lines):
        listed = ahead and _LISTED.fullmatch(line.events[0].gap) is not None
        ahead = listed or _before_it(line.events[0])
        order.insert(order.index(previous) + listed if ahead else len(order), line)
    return order


def _before_it(event: Event) -> bool:
    found = event.signals.last("before_it", max(event.low, event.group.start - 60), event.group.start)
    return found is not None and not event.doc.text[found.end : event.group.start].strip(" :,")
