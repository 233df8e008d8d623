"""The course of treatment as a note tells it: each combination with its course, its dates, its number and the words around it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from itertools import zip_longest

from matcher.dates import DateMention, find_dates
from matcher.domain import Course, PartialDate
from matcher.notes.document import Document
from matcher.notes.exposure import course_of, statement_at
from matcher.notes.signals import Signal, Signals, signals_of
from matcher.notes.treatments import TRANSPLANTS, Group, find_mentions, group_mentions
from models import load_vocabulary

STEROIDS = frozenset({"dexamethasone", "prednisone", "prednisolone", "methylprednisolone"})
_OTHER_CANCERS = ("hormonal_therapy", "jak_inhibitor", "radiopharmaceutical_therapy", "checkpoint_inhibitor", "fluoropyrimidine", "taxane", "antifolate")
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_CLAUSE = re.compile(r"(?<![ (]T)[.;,]\s|\n|->|→")  # "T. lenalidomide" is a tablet
_LABEL = re.compile(r"\s?[:(]\s?")
_ITEM = re.compile(r"[ \t|*•-]*(?:#?\d{1,2}(?:[.):]\s|\s*\||\s{2,}|\t)|#\d{1,2}\s|(?:X{0,3}(?:IX|IV|V?I{1,3}|V|X))[.):]\s|[a-h][.)]\s|L\d{1,2}\b)", re.IGNORECASE)
_LEAD, _TAIL = 400, 200  # characters before and after a name that bear on it
_MARK_LEAD = 140  # ... in which the number of a line stands
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


@lru_cache(maxsize=4096)
def is_cell_product(drug: str) -> bool:
    known = load_vocabulary().drugs.get(drug)
    return known.modality in ("car_t", "car_nk", "tcr_t", "cell_therapy") if known else drug.endswith(("leucel", "-cel"))


@lru_cache(maxsize=4096)
def counts_in_line(drug: str) -> bool:
    """Whether a drug is anti-myeloma (or another cancer drug, for lines of an other plasma cell disease), steroids included."""
    known = load_vocabulary().drugs.get(drug)
    if drug in STEROIDS or known is None:
        return True
    return known.antineoplastic and not any(load_vocabulary().is_a(drug, c) for c in _OTHER_CANCERS)


def active(drugs: Sequence[str]) -> set[str]:
    return {d for d in drugs if d not in STEROIDS}


@dataclass(frozen=True, slots=True)
class Mark:
    """What numbers or lists the treatment told after it: "2nd line:", "(3)", "L4.". `line`: its number, where it counts lines."""

    line: int | None
    says_line: bool


@dataclass(eq=False)
class Event:
    """A combination as the note tells of it. `low`..`high`: the words about it, from the treatment told before to the one told after.

    `purpose`: what else than the disease it was for (matcher/notes/purposes.py). `block`: its paragraph.
    """

    doc: Document
    signals: Signals
    group: Group
    course: Course
    drugs: tuple[str, ...]
    low: int
    high: int
    block: int
    start: PartialDate | None = None
    end: PartialDate | None = None
    transplant: str | None = None
    purpose: str | None = None

    @property
    def received(self) -> bool:
        return self.course in (Course.GIVEN, Course.ONGOING)

    @property
    def gap(self) -> str:
        """The words since the treatment told before."""
        return self.doc.text[self.low : self.group.start]

    @property
    def after(self) -> str:
        """The words to the treatment told after."""
        return self.doc.text[self.group.end : self.high]

    @cached_property
    def lead(self) -> int:
        """Where the clause begins that leads to the name."""
        return max((m.end() for m in _CLAUSE.finditer(self.doc.text, self.low, self.group.start)), default=self.low)

    @cached_property
    def tail(self) -> int:
        """Where the clause ends that follows the name."""
        over = _CLAUSE.search(self.doc.text, self.group.end, self.high)
        return over.start() if over else self.high

    @property
    def active(self) -> set[str]:
        """Its drugs but for steroids."""
        return active(self.drugs)

    @cached_property
    def is_regimen(self) -> bool:
        return any(m.regimen for m in self.group.mentions)

    def since(self, kind: str) -> Signal | None:
        """What is said, and not denied, between the treatment told before and this one."""
        return self.signals.said(kind, self.low, self.group.start)

    def leads(self, kind: str, reach: int) -> Signal | None:
        """What is said in its own clause, at most `reach` characters before it."""
        return self.signals.last(kind, max(self.lead, self.group.start - reach), self.group.start)

    def follows(self, kind: str, reach: int) -> Signal | None:
        """What is said in its own clause, at most `reach` characters after it."""
        return self.signals.first(kind, self.group.end, min(self.tail, self.group.end + reach))

    def at_once(self, kind: str) -> Signal | None:
        """What is said right after the name."""
        found = self.signals.first(kind, self.group.end, self.high)
        return found if found and not self.doc.text[self.group.end : found.start].strip(" -/") else None

    def up_to(self, kind: str) -> Signal | None:
        """What is said right before the name."""
        return self.signals.up_to(kind, self.group.start, self.low)

    @cached_property
    def mark(self) -> Mark | None:
        """The number that the note gives to what begins here."""
        text, start = self.doc.text, self.group.start
        low = max(self.low, start - _MARK_LEAD)
        for found in sorted((s for kind in ("ordinal", "item", "relapse_count") for s in self.signals.within(kind, low, start)), key=lambda s: -s.start):
            between = text[found.end : start]
            if len(between) < 90 and not re.search(r"[.;]\s|\n", between.strip()):
                return _mark(found.kind, text[found.start : found.end])
        if label := self.signals.up_to("line_label", start, low):
            return _mark("ordinal", text[label.start : label.end])
        begun = text.rfind("\n", 0, start) + 1
        item = _ITEM.match(text, begun, start) if begun >= low and start - begun < 90 and begun else None
        if item:
            return _mark("ordinal" if "L" in item.group().upper() else "item", item.group())
        behind = self.signals.first("ordinal_after", self.group.end, min(self.high, self.group.end + 60))
        if behind and re.fullmatch(r"[\s,(]*(?:currently|now|as)?[\s,(]*", text[self.group.end : behind.start]):
            return _mark("ordinal", text[behind.start : behind.end])
        return None

    @property
    def maintenance(self) -> bool:
        return bool(self.leads("maintenance", 45) or self.follows("maintenance", 40))

    @property
    def stop_follows(self) -> bool:
        """Stopped, by the next words."""
        stop = self.signals.first("stopped", self.group.end, min(self.high, self.group.end + 40))
        return stop is not None and not re.search(r"\d{4}|[;.]|\d/\d", self.doc.text[self.group.end : stop.start])

    @cached_property
    def in_exposure_list(self) -> bool:
        """Told as what the patient was exposed, refractory or allergic to."""
        vocabulary = load_vocabulary().drugs
        if self.at_once("unfailed_after") or self.at_once("caused_after") or self.at_once("exposure_after"):
            return True
        classes = [c for d in self.active if d in vocabulary for c in vocabulary[d].classes if c in ("proteasome_inhibitor", "imid", "anti_cd38")]
        if len(self.active) >= 3 and len(classes) != len(set(classes)) and not self.is_regimen:
            return True
        text, start = self.doc.text, self.group.start
        if (head := self.signals.last("exposure", max(self.low, start - 60), start)) and re.fullmatch(r"[^\w.;\n]*(?:\w+[^\w.;\n]*){0,4}", text[head.end : start]):
            return True
        if (head := self.signals.last("exposure_to", max(self.low, start - 120), start)) and not re.search(r"[.;\n]", text[head.end : start]):
            return True
        harm = self.signals.last("toxicity_of", max(self.low, start - 60), start)
        return harm is not None and re.fullmatch(r"\s*(?:\w+\s+)?", text[harm.end : start]) is not None

    @cached_property
    def restated(self) -> bool:
        """Named as what the disease progressed on, or what was stopped: no new start."""
        told = self.up_to("tells_of")
        begun = told is not None and self.signals.up_to("begun", told.start, self.low) is not None  # "started on X"
        return (told is not None and not begun) or self.at_once("recalled") is not None or self.in_exposure_list


def _mark(kind: str, words: str) -> Mark:
    if kind != "ordinal":
        return Mark(int(re.sub(r"\D", "", words)) if "#" in words else None, False)
    digits = re.search(r"\d{1,2}", words)
    number = int(digits.group()) if digits else next((n for n, word in enumerate(_ORDINALS, 1) if words.lower().startswith(word)), None)
    return Mark(number, "line" in words.lower())


def read_events(doc: Document, note_date: date | None) -> list[Event]:
    """Every combination the note names, in order, with its course and dates; purposes and corrections are not yet settled."""
    named = [g for g in group_mentions(doc, find_mentions(doc)) if g.drugs or any(_names_treatment(doc, g, t) for t in g.therapies)]
    groups = [g for g, following in zip_longest(named, named[1:]) if following is None or not _labels(doc, g, following)]
    dates = course_dates(doc, note_date)
    starts = [d.start for d in dates]
    paragraphs = [0, *(m.end() for m in _PARAGRAPH.finditer(doc.text))]
    events: list[Event] = []
    signals, last = signals_of(doc.text), 0
    for place, group in enumerate(groups):
        following = groups[place + 1].start if place + 1 < len(groups) else len(doc.text)
        event = Event(doc, signals, group, course_of(doc, group, following), tuple(d for d in group.drugs if counts_in_line(d)), max(last, group.start - _LEAD),
                      min(following, group.end + _TAIL), bisect_right(paragraphs, group.start), transplant=_transplant_kind(doc, group))
        event.start, event.end = _dates_of(event, dates, starts, max(last, group.start - 120), min(following, group.end + 160))
        if events and events[-1].active and _CAME_BEFORE.search(event.gap):
            event.start = event.end = None  # of what it came before
        if infused := _infused_on(event, dates, starts):
            event.start = event.end = infused
        if events and _of_cycle(event, events[-1]):
            continue
        event.course = _settled(event, events[-1] if events else None, note_date)
        events.append(event)
        last = group.end
    return events


def _labels(doc: Document, group: Group, following: Group) -> bool:
    """A kind of treatment that only introduces the one told next: "Chemotherapy: | KCd", "CAR-T (| ide-cel"."""
    return not group.drugs and not group.transplant and bool(following.drugs) and _LABEL.fullmatch(doc.text, group.end, following.start) is not None


def _names_treatment(doc: Document, group: Group, therapy: str) -> bool:
    """A target counts as a treatment only where more than its bare name is written: "anti-CD38", not "CD38"."""
    return load_vocabulary().therapies[therapy].kind != "target" or re.search(r"[- ]", doc.text[group.start : group.end]) is not None


def course_dates(doc: Document, note_date: date | None) -> list[DateMention]:
    """Every date of the note, as a history of treatment means it."""
    return [_as_course(d, note_date) for d in find_dates(doc.text, doc.day_first, as_of=note_date)]


def _as_course(mention: DateMention, note_date: date | None) -> DateMention:
    """In a course of treatment a short date (5/18) is the month of a year, where it can be."""
    if mention.other is not None and not mention.other.day and (note_date is None or mention.other.earliest <= note_date):
        return DateMention(mention.start, mention.end, mention.other, mention.date)
    return mention


def _transplant_kind(doc: Document, group: Group) -> str | None:
    if not any(t in TRANSPLANTS for t in group.therapies):
        return None
    if "allogeneic_transplant" in group.therapies:
        return "allogeneic"
    around = doc.text[max(0, group.start - 30) : group.end + 30].lower()
    return "allogeneic" if "stem_cell_transplant" in group.therapies and ("allo" in around or "donor" in around) and "auto" not in around else "autologous"


_OF_ANOTHER = re.compile(r"→|-+>|=>|\)\s*[/,;+]")
_TO = r"(?:-+>?|–|—|→|~|\||to|until|till|til|through|thru|up to|and|stop\w*|end\w*|last(?: fill| dose)?)"
_RANGE = re.compile(rf"\s*{_TO}[\s:]*(?:the end of|end of|early|late|mid)?\s*|[ \t]{{2,}}|\t", re.IGNORECASE)  # also two columns of a table
_UNTIL = re.compile(r"(?:\b(?:until|till|til|through|thru|up to)|stop\w*|discontinued|last dose)\b[^.;,\n\d]{0,25}$", re.IGNORECASE)
_BEGUN = re.compile(r"[^.;\n]{0,60}\.\s+(?:started|commenced|begun|initiated|start(?: date)?)[\s:]*(?:on|in)?\s*", re.IGNORECASE)
_STARTED = re.compile(r"\b(?:start(?:ed)?|begun|began|from)\W{0,3}$", re.IGNORECASE)
_ROW = re.compile(r"\n[ \t]*[-*•–—|]")
_OVER = re.compile(r"[.;]\s|\n(?=.*\w)|\n\s*[-*•\d]")


def _dates_of(event: Event, dates: Sequence[DateMention], starts: Sequence[int], low: int, high: int) -> tuple[PartialDate | None, PartialDate | None]:
    """(start, end) of a treatment from the dates beside it within low..high: after it, else before it."""
    text, begin, stop = event.doc.text, event.group.start, event.group.end
    at = bisect_left(starts, stop)
    following = dates[at] if at < len(dates) and dates[at].start < high and _beside_after(event, dates[at].start) else None
    before = bisect_left(starts, begin) - 1
    previous = dates[before] if before >= 0 and _beside_before(event, dates[before], low) else None
    if previous is not None and "\n" in text[max(0, previous.start - 14) : previous.start] and (
            not text[previous.end : begin].strip(" \t:|-–") or (following is not None and "\n" in text[stop : following.start])):
        following = None  # a column of dates leads the list
    if following is not None and _leads_next(text, stop, following, event.high):
        following = None
    if following is not None and "\n" in text[stop : following.start] and _leads_row(text, dates, starts, begin):
        following = None
    start = end = None
    if following is not None and (previous is None or following.start - stop <= begin - previous.end + 25):
        start, end = following.date, None
        if at + 1 < len(dates) and dates[at + 1].start < high and _ranges(text, following, dates[at + 1]):
            end = dates[at + 1].date
        elif _UNTIL.search(text[stop : following.start]):
            start, end = previous.date if previous is not None and _STARTED.search(text, max(low, previous.start - 12), previous.start) else None, following.date
    elif previous is not None:
        start = previous.date
        if before and dates[before - 1].start >= low and _ranges(text, dates[before - 1], previous):
            start, end = dates[before - 1].date, previous.date
    if start and end and start.earliest > end.latest:  # "Jan-May 2020"
        start = PartialDate(end.year, start.month) if start.month and end.month and start.month <= end.month else end
    return start, end


_INFUSED_ON = re.compile(r"\b(?:re)?infus(?:ed|ion)\b(?: (?:date|day|on|was|of cells|given))*[\s:=(|-]*", re.IGNORECASE)


def _infused_on(event: Event, dates: Sequence[DateMention], starts: Sequence[int]) -> PartialDate | None:
    """The day of a cell product that its paragraph tells further on: "ide-cel: apheresis 6/2023, bridging Kd x1, infused 8/2/2023"."""
    if not event.received or not any(is_cell_product(d) for d in event.drugs):
        return None
    text, stop = event.doc.text, event.group.end
    over = _PARAGRAPH.search(text, stop, stop + _LEAD)
    for told in _INFUSED_ON.finditer(text, stop, over.start() if over else stop + _LEAD):
        at = bisect_left(starts, told.end())
        if at < len(starts) and starts[at] == told.end():
            return dates[at].date
    return None


_NEW_CLAUSE = re.compile(r"[^.;\n]*[,;]\s*(?:(?:and|then|later|again)\s+)*in\s+$", re.IGNORECASE)
_ON_TO_NEXT = re.compile(r"[^,.;()\n\d]{1,45}")


def _leads_next(text: str, stop: int, date: DateMention, high: int) -> bool:
    """Whether a date opens the clause of the treatment told next: "VAD + auto, in 2013 after relapse | bortezomib"."""
    return _NEW_CLAUSE.fullmatch(text, stop, date.start) is not None and _ON_TO_NEXT.fullmatch(text, date.end, high) is not None and text[high - 1 : high] in " ("


def _leads_row(text: str, dates: Sequence[DateMention], starts: Sequence[int], place: int) -> bool:
    """Whether a date begins the row of a place, as it then does the row below."""
    row = text.rfind("\n", 0, place) + 1
    first = bisect_left(starts, row)
    return first < len(starts) and starts[first] < place and not text[row : starts[first]].strip(" \t-*•|")


def _ranges(text: str, one: DateMention, other: DateMention) -> bool:
    """Whether two dates are the first and the last: of a range, or in two columns."""
    if not _RANGE.fullmatch(text, one.end, other.start) or _ROW.search(text, one.end, other.start):
        return False
    return text[one.end : other.start].strip() not in ("", "|") or one.date.earliest <= other.date.latest


def _beside_after(event: Event, place: int) -> bool:
    stop = event.group.end
    words = event.doc.text[stop:place]
    if _BEGUN.fullmatch(words):
        return True
    return place - stop <= 70 and not _OVER.search(words + ".") and not event.signals.said("progression", stop, place) and not event.signals.said("relapse", stop, place)


def _beside_before(event: Event, mention: DateMention, low: int) -> bool:
    text, begin = event.doc.text, event.group.start
    lead = text[mention.end : begin]
    if mention.start < low or len(lead) > 45 or "\n" in lead or _OF_ANOTHER.search(lead):
        return False
    if 0 < low < mention.start < low + 16 and re.search(r"\b(?:then|followed by|f/b)\b", lead) and not re.search(r"[.;,\n]", text[low : mention.start]):
        return False  # "IsaVRd 2022, then | ASCT"
    if 0 < low < mention.start < low + 4 and not text[low : mention.start].strip(" (") and re.match(r"\s*[,)/]", lead):
        return False  # the date of what was told before it
    return not re.search(r"[.;]\s", lead) or lead.strip() in (".", ":", "]", ")", "].", ");")


_CAME_BEFORE = re.compile(r"\d\)?,?\s+(?:after|following)\s+$", re.IGNORECASE)  # "elranatamab in 3/2022 after | DPd"
_RANGE_BESIDE = re.compile(r"[\s(:,|\[]*(?:(?:x|×|#)\s?\d+[\s(:,|]*)?(?:from|since|in|between)?\s*(?:\d|[A-Z][a-z]{2})")
_UNDONE_BEFORE = re.compile(r"\b(?:no|not|never|declin\w*|refus\w*|cancel\w*|instead of|rather than|plan\w*|offer\w*|approv\w*)\s+(?:[\w-]+\s+)?$", re.IGNORECASE)
_UNDONE_AFTER = re.compile(r"\b(?:not|never|cancel\w*|declin\w*|refus\w*|plan\w*|error|mistake)\b", re.IGNORECASE)
_CHAINED = re.compile(r"[)\]\s,]*(?:,|\bthen\b|\bfollowed by\b|-+>|→|\band\b|\bf/b\b|\bor\b|\+)[^.;\n]*", re.IGNORECASE)
_AFTER_IT = re.compile(r"\s*(?:after(?:wards?)?|thereafter|next|later|subsequently|to follow)\s*(?:[.;,)\n]|$)", re.IGNORECASE)  # "RT to start 6/10, D-VRd after"
_START_OF = re.compile(r"\b(?:start|begin|initiation|commencement)(?: of| on| with)?\s+$", re.IGNORECASE)
_STEP = re.compile(r"→|-+>|\]|;|\n")


def _dated_assessment(event: Event) -> bool:
    """In the assessment, with no word of a plan: "Impression: exposed to three classes. VRd (2016), ..."."""
    begun = statement_at(event.doc, event.group.start)[0]
    return event.doc.section_at(event.group.start).kind == "plan" and not event.signals.first("planned_before", begun, event.group.start) \
        and not event.signals.first("planned_after", event.group.end, event.tail)


def _start_of(event: Event) -> bool:
    """In a list of dates, in a full year: "Start of Kd 06/2025"."""
    return _START_OF.search(event.gap) is not None and re.match(r"[\s(:,]*(?:\w+[ .]|[\d./-]+)?(?:19|20)\d\d\b", event.after) is not None


_CYCLE_GIVEN = re.compile(r"\n[ \t|]*(?:c(?:ycle)? ?#?)?\d{1,2}(?:[ /]?d\d{1,2})?[ \t|:,-]+(?=\d)(?P<day>[\d/.-]{6,10})[ \t|:,-]+(?:complete|given|administered|done|received|in progress|ongoing)", re.IGNORECASE)


def _cycle_given(event: Event) -> bool:
    """Below the name of a plan stand its cycles, the first of them given: "Treatment plan: DRd | 1  2025-03-31  complete"."""
    over = _PARAGRAPH.search(event.doc.text, event.group.end, event.group.end + _LEAD)
    return _CYCLE_GIVEN.search(event.doc.text, event.group.end, over.start() if over else event.group.end + _LEAD) is not None


def _of_cycle(event: Event, plan: Event) -> bool:
    """Told in the row of a cycle of the plan named before: "1  2025-03-31  complete  bortezomib held"."""
    row = event.doc.text.rfind("\n", plan.group.end, event.group.start)
    return row >= 0 and bool(event.drugs) and set(event.drugs) <= set(plan.drugs) and _CYCLE_GIVEN.match(event.doc.text, row, event.group.start) is not None


def _settled(event: Event, previous: Event | None, note_date: date | None) -> Course:
    """The course as dates and neighbours have it: what lies ahead is planned, what has run from one past date to another was given, and what
    follows a plan in its own sentence is part of it."""
    text, signals, course = event.doc.text, event.signals, event.course
    if event.received and event.start and note_date and event.start.earliest > note_date and not re.search(r"\b(?:of that|of the same|that) year\b", event.after[:60]):
        return Course.PLANNED
    undone = _UNDONE_AFTER.search(event.after[:60]) is not None
    if course in (Course.PLANNED, Course.DECLINED, Course.ABSENT, Course.POSSIBLE) and event.start and event.end and (note_date is None or event.end.earliest <= note_date):
        beside = _RANGE_BESIDE.match(event.after) or re.search(r"\d[\s:|)\]-]*$", event.gap)
        if beside and not undone and not _UNDONE_BEFORE.search(event.gap[-40:]):
            return Course.GIVEN
    if course is Course.PLANNED and event.start and event.start.day and note_date and event.start.latest < note_date and _RANGE_BESIDE.match(event.after):
        steps = [m.end() for m in _STEP.finditer(text, event.low, event.group.start)]
        if steps and not signals.first("planned_before", steps[-1], event.group.start) and not undone:
            return Course.GIVEN
    if course is Course.PLANNED and event.drugs and not undone and _cycle_given(event):
        return Course.GIVEN
    past = event.start is not None and note_date is not None and event.start.latest < note_date
    if course is Course.PLANNED and past and not undone and (event.leads("enrolled", 90) or event.since("course_planned") or _start_of(event) or _dated_assessment(event)):
        return Course.GIVEN
    if event.received and previous is not None and previous.course is Course.PLANNED and len(event.gap) < 40 and not re.search(r"[.;]\s|\n", event.gap) and _AFTER_IT.match(event.after):
        return Course.PLANNED
    if event.received and event.start is None and previous is not None and previous.course is Course.PLANNED and len(event.gap) < 40 and _CHAINED.fullmatch(event.gap) \
            and not signals.first("given_before", event.low, event.group.start) and not event.follows("given_after", 40):
        return Course.PLANNED
    return course
