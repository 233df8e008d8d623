"""A line of therapy, and what begins one (Rajkumar et al., Blood 2015).

A planned course and all its phases are one line. `RULES` decide of each treatment told whether it begins a line; the first that
knows an answer gives it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from matcher.domain import PartialDate
from matcher.notes.events import Event, active
from matcher.notes.treatments import is_cell_product, without_generic
from models import load_vocabulary

_CELL_OR_ENGAGER = frozenset({"car_t", "bispecific_antibody", "antibody_drug_conjugate", "trispecific_antibody"})
_BULLET = re.compile(r"\n[ \t]*(?:[-*•+>–#~]{1,3}|→)[ \t]*[^\n]{0,60}$|//[^/\n]{0,40}$")
_LINE_HEAD = re.compile(r"\n[ \t]*(?:[\d/.,'’~–\-\s]|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*|from|since|relapse[d]?\.?|then|:|\()*$", re.IGNORECASE)
_WITH = re.compile(r"\(\s*(?:with|w/|plus|\+)\s*$", re.IGNORECASE)
_LABELLED = re.compile(r"[^.;,\n\d]{0,40}[:(=]\s*")  # "the ixazomib arm: | ixazomib, lenalidomide, dexamethasone"
_FEW_CYCLES = re.compile(r"\s*(?:[x×*#]\s?[1-4]\b|(?:for )?(?:[1-4]|one|two|three|four) (?:cycles?|courses?)\b)", re.IGNORECASE)
FAR = timedelta(days=75)  # between what one line tells and the next
_SOON = timedelta(days=200)  # from a transplant to its maintenance
COURSE = timedelta(days=700)  # from the first induction to its transplant


@dataclass(slots=True, eq=False)
class Line:
    """A line under construction. `events` are those that made it."""

    drugs: list[str]
    events: list[Event] = field(default_factory=list)
    transplant: str | None = None
    maintenance: list[str] = field(default_factory=list)
    ended: bool = False  # told that the disease progressed on it
    start: PartialDate | None = None  # of the treatment told first, or of a later phase's range that reaches back further (a table's columns)
    _first: Event | None = None  # told first with its date; not one told as what failed, where there is another
    _range: PartialDate | None = None

    def add(self, event: Event) -> None:
        self.events.append(event)
        if event.start is None:
            return
        if self._first is None or (self._first.up_to("failed_on") and not event.up_to("failed_on")):
            self._first = event
        if event.end and not event.restated and (self._range is None or event.start.earliest < self._range.earliest):
            self._range = event.start
        self.start = min((d for d in (self._first.start, self._range) if d), key=lambda d: d.earliest)

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


@dataclass(frozen=True, slots=True)
class Told:
    """A treatment told after `lines`: what the rules ask of it."""

    event: Event
    lines: list[Line]
    drugs: frozenset[str]
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
    if not _FEW_CYCLES.match(line.events[-1].after) or line.transplant or told.boundary or told.numbered or not event.drugs or any(event.since(k) for k in ("toxicity", "stopped")):
        return None
    transplant = next((e for e in told.ahead if e.transplant), None)
    near = transplant is not None and transplant.group.start - event.group.end < 80 and not any(transplant.since(k) for k in ("progression", "relapse"))
    return False if near else None


def _same_row(told: Told) -> bool | None:
    """A few cycles, then others, in one row of a numbered list or table: the row counts as the note counts it."""
    event, first = told.event, told.line.events[0]
    if not _FEW_CYCLES.match(told.line.events[-1].after):
        return None
    rows = first.mark is not None and (any(e.mark for e in told.ahead) or any(known.events[0].mark for known in told.lines[:-1]))
    cut = told.boundary or told.listed or re.search(r"[\n;]", event.gap) or any(event.since(k) for k in ("toxicity", "stopped"))
    far = event.start and told.line.start and event.start.earliest - told.line.start.latest > COURSE
    return False if rows and event.drugs and not cut and not far else None


def _told_before(told: Told) -> bool | None:
    """ "Before that X", "Previous: X": another line, told after the one it came before."""
    return True if not told.same and (told.event.before_it or told.event.heads_prior) else None


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
    another = mark is not None and mark.says_line and mark.line != told.line.number
    if told.event.maintenance and not another and (told.line.transplant or told.same or not told.boundary):
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
    return (not told.drugs <= told.earlier and not _of_one_kind(told.drugs, told.earlier)) or (told.numbered and not told.same)


def _told_again(told: Told) -> bool | None:
    """ "DPd held for three years", or "PD on DRd" and, a row below it, "DRd started"."""
    if not told.event.start and not told.boundary and told.drugs and _of_one_kind(told.drugs, active(told.line.drugs)):
        return False  # "fourth line with a BCMA bispecific", after its name
    if told.numbered and not (told.event.restated and len(told.drugs) == 1 and told.drugs <= told.earlier):
        return None
    if told.event.start and undated(told.event, told.lines[:-1]):
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
    return None


def undated(event: Event, lines: list[Line]) -> Line | None:
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
    return bool(told.boundary and over and event.start)


def _recalled(told: Told) -> bool | None:
    """Named once more, as what the disease progressed on or what was stopped."""
    return False if told.event.restated and told.drugs <= told.earlier else None


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
    several = len(event.drugs) > 1 and len(line.drugs) > 1
    if event.start and not line.start and not line.transplant and not told.drugs & set(line.drugs) and re.search(r"\.\s", event.gap):
        return True
    if event.start and line.start:
        set_off = re.search(r"[;|/]\s*[^;|,]{0,40}$|\n[^\n,]{0,40}$", event.gap) is not None
        return event.start.latest - line.start.earliest > FAR and (several or set_off or not line.transplant)
    return (several and (re.search(r"[,;|\n]|//", event.gap) is not None or event.is_regimen)) or (event.since("then") is not None and not line.transplant)


RULES: tuple[Callable[[Told], bool | None], ...] = (
    _intensified, _exposure, _transplant_alone, _part_told, _phase, _outcome, _cell_product, _told_again, _induction, _same_row, _list_item, _told_before, _again, _recalled, _changed, _other_kind, _later)


def begins_line(event: Event, lines: list[Line], ahead: Sequence[Event] = ()) -> bool:
    told = _told(event, lines, ahead)
    return next(answer for rule in RULES if (answer := rule(told)) is not None)


def _of_one_kind(drugs: Collection[str], known: Collection[str]) -> bool:
    """One of them is the unnamed product of the others' kind."""
    return len(without_generic([*drugs, *known])) < len({*drugs, *known})


def _modalities(drugs: Collection[str]) -> set[str]:
    known = load_vocabulary().drugs
    return {known[d].modality for d in drugs if d in known}
