"""How each line ended: its best response, why and when it was stopped, and which of its drugs the disease progressed on.

A drug failed where no minimal response was reached, or the disease progressed on it or within 60 days of the last dose
(IMWG: Rajkumar et al., Blood 2011; guidelines of this project). Stopped in response: not failed.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from matcher.dates import DateMention
from matcher.domain import Evidence, PartialDate
from matcher.notes.document import Document
from matcher.notes.events import Event, active
from matcher.notes.line_rules import Line
from matcher.notes.signals import Signal, Signals, signals_of
from matcher.notes.statements import statement_at

WINDOW = timedelta(days=60)  # IMWG
RESPONSES = ("sCR", "CR", "VGPR", "PR", "MR", "SD", "PD")  # deepest first (IMWG 2016)
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_CLAUSE = re.compile(r"[.;]\s|[.;]$|\n|[()]")
_NOT_REACHED = re.compile(r"\b(?:no|not|never|without|until|despite|for)\s+(?:\w+\s+)?$", re.IGNORECASE)
_AS_BEST = re.compile(r"max\w*|best|only|efficacy|chang|switch|no better|never better|respon|effect|benefit|SD\b|at best", re.IGNORECASE)
_OF_RESPONSE = re.compile(r"best|respon", re.IGNORECASE)
_NOT_MET = re.compile(r"(?:[^.;\n]|\.(?=\d)){0,40}\b(?:not|does not|doesn't|without) (?:yet )?(?:meet\w*|fulfil\w*|PD|progress\w*)|\s*\?")
_BECAUSE = r"(?:because of|due to|owing to|on account of|in view of|for)\s+(?:[\w-]+\s+){0,2}"
_REASON_TO_ADD = re.compile(rf"\b(?:added|started|begun|initiated|commenced)\b[^.;\n]{{0,60}}\b(?:given\s+(?:[\w-]+\s+){{0,2}}|{_BECAUSE})$", re.IGNORECASE)
_CHANGED_FOR = re.compile(rf"[^.;\n]{{0,60}}\b(?:added|switched|changed)\b[^.;\n]{{0,60}}\b{_BECAUSE}(?P<why>progress\w*|PD\b)", re.IGNORECASE)
_PLAINLY = re.compile(r"[Rr]efractory\b(?! to)(?<![\w-].{10})(?<!class .{10})(?<!relapsed[ /].{10})(?<!not .{10})(?<!relapsed and .{10})")
_COUNT = r"(?P<{}>\d+|an?|one|two|three|four|six|eight) (?P<{}>days?|weeks?|months?|wks?|mo)\b"
_WITHIN = re.compile("within " + _COUNT.format("n", "unit") + "|" + _COUNT.format("n2", "unit2") + r" (?:after|from|of|post) (?:the |its |her |his )?(?:stop\w*|last|end|discontinu\w*|cessation)", re.IGNORECASE)
_NUMBER = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "six": 6, "eight": 8}
_GOES_ON = re.compile(r"\b(?:then|thereafter|followed by|just|only)\s+(?:(?:just|only|on|with|by|single[- ]agent)\s+)*\||\|\s*(?:was |were |is )?(?:alone\b|by itself|continu\w+|carried on)", re.IGNORECASE)
_FIRST_CYCLES = re.compile(r"^[\s,]*(?:only )?(?:for )?(?:the )?first \w+ (?:cycles?|courses?|months?)|^[\s,]*(?:only )?for (?:the )?(?:scheduled |planned )?\w+ (?:cycles?|courses?)", re.IGNORECASE)
_UNTIL_IT = re.compile(r"\s*(?:\d+ ?mg\s+)?(?:until|till)\b", re.IGNORECASE)
_UNTIL_DATE = re.compile(r"(?:\b(?:to|until|till|til|through|thru|up to)|[-–~])\s*(?:the end of|end of|early|late|mid)?\s*$", re.IGNORECASE)
_NO_COURSE = ("plan", "family", "social", "allergies", "medications")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a line ended: best response, why it was stopped, the drugs that failed in it with the words that say so, and its last date."""

    best: str | None
    reason: str | None
    failed: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    relapsed: bool
    end: PartialDate | None = None


@dataclass(frozen=True, slots=True)
class _Story:
    """A line with the stretch of the note that tells of it."""

    doc: Document
    signals: Signals
    line: Line
    start: int
    until: int
    told: list[Event]
    dates: list[DateMention]

    def near(self, place: int, before: int, after: int) -> tuple[int, int]:
        """The words of the statement at a place, within the story."""
        low, high = statement_at(self.doc, place)
        return max(low, place - before, self.start), min(high, place + after, self.until)


def governing(signals: Signals, text: str, place: int, low: int) -> Signal | None:
    """The failure that is told of what stands at a place: "progressed on | X"."""
    link = signals.up_to("while", place, low)
    while link and (earlier := signals.up_to("while", link.start, low)):
        link = earlier
    failing = signals.last("failing", max(low, link.start - 55), link.start) if link else None
    if link is None or failing is None or link.start - failing.end > 41 or re.search(r"[.;)\n]", text[failing.end : link.start]) or signals.first("acted", failing.end, link.start):
        return None
    return failing


def _row_of(text: str, place: int) -> int:
    """Where the row of a place begins, if but its dates stand before the place: "10/2019-06/2021  | DPd"."""
    row = text.rfind("\n", 0, place) + 1
    return row if _DATES_ALONE.fullmatch(text, row, place) else place


def stories(doc: Document, lines: list[Line]) -> list[int]:
    """Where each line's story ends: where the next begins, or with its paragraph."""
    firsts = sorted(_row_of(doc.text, line.events[0].group.start) for line in lines)
    ends = []
    for line in lines:
        first = line.events[0].group
        paragraph = _PARAGRAPH.search(doc.text, line.events[-1].group.end)
        following = min((f for f in firsts if f > first.end), default=len(doc.text))
        section = doc.section_at(line.events[-1].group.start)
        if section.kind != "plan" and doc.section_at(section.end).kind in _NO_COURSE:
            following = min(following, section.end)
        ends.append(max(min(paragraph.start() if paragraph else len(doc.text), following), first.end))
    return ends


def read_endings(doc: Document, lines: list[Line], events: Sequence[Event], dates: Sequence[DateMention]) -> list[Ending]:
    places, starts = [e.group.start for e in events], [d.start for d in dates]
    endings = []
    for line, until in zip(lines, stories(doc, lines), strict=True):
        start, signals = line.events[0].group.start, signals_of(doc.text)
        if ahead := governing(signals, doc.text, until, start):  # "progressing on" what opens the next line tells of that one
            until = ahead.start
        told = list(events[bisect_left(places, start) : bisect_left(places, until)])
        endings.append(_ending(_Story(doc, signals, line, start, until, told, list(dates[bisect_left(starts, start) : bisect_left(starts, until + 30)]))))
    return endings


def _ending(story: _Story) -> Ending:
    doc, signals, line, best = story.doc, story.signals, story.line, _best(story)
    progression, relapse = _progression(story), signals.said("relapse", story.start, story.until)
    stop = _stop(story, progression.start if progression else story.until)
    failed, at = ((), None) if line.product_only else _failed(story, progression, relapse, stop)
    if best and best.kind in ("SD", "PD") and not failed:
        failed, at = tuple(line.drugs), (best.start, best.end)
    reason = "progression" if failed else stop[1] if stop else None
    evidence = (doc.evidence(*at),) if at else ()
    return Ending(None if best is None or best.kind == "PD" else best.kind, reason, tuple(d for d in failed if d in line.drugs), evidence, bool(relapse or progression),
                  _end(story, progression, stop))


def _failed(story: _Story, progression: Signal | None, relapse: Signal | None, stop: tuple[int, str] | None) -> tuple[tuple[str, ...], tuple[int, int] | None]:
    """The drugs that the disease progressed on, and the words that say so."""
    signals, text = story.signals, story.doc.text
    if progression and not _of_another(story, progression) and _while_on(story, progression, stop) and (failed := _taken_at(story, progression.start)):
        return failed, (progression.start, progression.end)
    if (plain := _PLAINLY.search(text, story.start, story.until)) and (failed := _taken_at(story, plain.start())):
        return failed, plain.span()
    if relapse:
        low, high = story.near(relapse.start, 40, relapse.end - relapse.start + 60)
        off = signals.said("off_drug", low, high)
        until = re.search(r"\buntil\s+(?:\w+\s+){0,2}$", text[max(story.start, relapse.start - 40) : relapse.start])
        taken = (signals.said("on_drug", low, high) and not off) or _named_with(story, relapse.start) or (stop is None and not off and (until or _within_window(story, relapse)))
        if taken and (failed := _taken_at(story, relapse.start)):
            return failed, (relapse.start, relapse.end)
    if changed := _CHANGED_FOR.match(text, story.until, story.until + 200):
        return _taken_at(story, story.until) or tuple(story.line.maintenance), changed.span("why")
    return (), None


def _best(story: _Story) -> Signal | None:
    text = story.doc.text
    for name in RESPONSES:
        for found in story.signals.within(name, story.start, story.until):
            lead = text[max(story.start, found.start - 40) : found.start]
            if name == "SD" and not _AS_BEST.search(lead + text[found.start : min(story.until, found.end + 30)]):
                continue
            if name == "PD" and not _OF_RESPONSE.search(lead[-25:]):
                continue
            if name in ("SD", "PD") or not _NOT_REACHED.search(lead[-20:]):
                return found
    return None


def _progression(story: _Story) -> Signal | None:
    text = story.doc.text
    for found in story.signals.within("progression", story.start, story.until):
        if not story.signals.negated(found, story.start) and not _NOT_MET.match(text, found.end, story.until) and not _REASON_TO_ADD.search(text, max(story.start, found.start - 140), found.start):
            return found
    return None


def _stop(story: _Story, before: int) -> tuple[int, str] | None:
    """(place, reason) where the whole line was stopped for something other than progression, before the progression."""
    text, signals, line = story.doc.text, story.signals, story.line
    begun = max((e.group.start for e in line.events if e.active and not e.restated and e.group.start < before), default=story.start)  # its last phase
    for found in signals.within("stopped", begun if line.maintenance else story.start, before):
        low = max((m.end() for m in _CLAUSE.finditer(text, max(story.start, found.start - 300), found.start)), default=max(story.start, found.start - 300))
        over = _CLAUSE.search(text, found.end, story.until)
        high = over.start() if over else story.until
        own = [e for e in story.told if low <= e.group.start < high and e.active]
        if own and own[0].group.start > story.start and not line.maintenance and not all(active(line.drugs) <= set(e.drugs) for e in own):
            continue  # one of its drugs
        if not signals.first("for_progression", low, high):
            return found.start, next((cue for cue in ("toxicity", "completion", "preference") if signals.said(cue, low, high)), "other")
    for found in signals.within("completion", begun if line.maintenance else story.start, before):
        if not any(0 <= found.start - e.group.end < 25 and len(e.active) < len(active(line.drugs)) for e in story.told):
            return found.start, "completion"
    return None


def _dates_at(story: _Story, found: Signal) -> PartialDate | None:
    """The date said with a signal, not that of the sentence before; of two the one that follows it at once ("04/2021 -> progressed 01/2022")."""
    low, text = max(found.start - 12, story.doc.text.rfind("\n", 0, found.start)), story.doc.text
    high = text.find("\n", found.end, found.end + 25)
    beside = [d for d in story.dates if low <= d.start < (found.end + 25 if high < 0 else high)]
    told = [d for d in beside if d.start >= found.start or not re.search(r"[.;]\s", text[d.end : found.start])]
    at_once = (d for d in told if _AT_ONCE.fullmatch(text, found.end, d.start))
    return next((d.date for d in (*at_once, *told)), None)


def _while_on(story: _Story, found: Signal, stop: tuple[int, str] | None) -> bool:
    """Whether the line was taken when the disease progressed, or not more than the window before."""
    text, signals, line, where = story.doc.text, story.signals, story.line, found.start
    if near := _WITHIN.search(text, where, min(where + 60, story.until)):
        told, unit = (near["n"] or near["n2"]).lower(), (near["unit"] or near["unit2"]).lower()
        return timedelta(days=(int(told) if told.isdigit() else _NUMBER[told]) * (1 if unit.startswith("d") else 7 if unit.startswith("w") else 30)) <= WINDOW
    low, high = story.near(where, 60, 70)
    if signals.said("on_drug", low, high) or any(governing(signals, text, e.group.start, where) for e in story.told if where < e.group.start < where + 70):
        return True
    if _long_over(story, found):
        return False
    if stop is not None and stop[1] == "other" and where - stop[0] < 60 and not signals.said("off_drug", low, high) and "." not in text[stop[0] : where] and _dates_at(story, found) is None:
        return True  # "stopped 20 September, PR then PD": the progression is why
    if stop is not None:
        stopped = next((d.date for d in story.dates if stop[0] <= d.start < where), None) or next((e.end for e in reversed(line.events) if e.end), None)
        progressed = _dates_at(story, found)
        return bool(stopped and progressed and stopped.month and progressed.month and stop[1] != "completion"
                    and timedelta(0) <= progressed.earliest - stopped.latest <= WINDOW and stopped.latest <= progressed.earliest)
    return not signals.said("off_drug", low, high) and bool(not line.transplant or line.maintenance or not active(line.drugs))


def _of_another(story: _Story, found: Signal) -> bool:
    """Progression on other drugs than the line's: "on cyclophosphamide now. Progressed on Rd last year"."""
    low, end = statement_at(story.doc, found.start)
    end = min(end, story.until)
    before = [e for e in story.told if low <= e.group.start < found.start and e.active]
    if before and before[-1].at_once("stopped_for_it") and not before[-1].active & set(story.line.drugs):
        return True
    named = [e for e in story.told if found.end <= e.group.start < end and e.active and governing(story.signals, story.doc.text, e.group.start, found.start)]
    return bool(named) and not any(e.active & set(story.line.drugs) for e in named)


def _long_over(story: _Story, found: Signal) -> bool:
    """Whether the dates say that treatment ended more than the window before the progression: "VMP 2019.05~2020.09, PD 2021.03"."""
    text = story.doc.text
    taken = [e for e in story.line.events if e.active]
    runs_to = [d for d in story.dates if taken and taken[-1].group.end <= d.start < found.start and _UNTIL_DATE.search(text[max(0, d.start - 20) : d.start])]
    ended = runs_to[-1].date if runs_to else taken[-1].end if taken else None
    progressed = next((d.date for d in story.dates if found.start - 12 <= d.start < found.end + 12 and d not in runs_to and "\n" not in text[found.end : max(found.end, d.start)]), None)
    return bool(ended and ended.month and progressed and progressed.month and progressed.earliest - ended.latest > WINDOW)


def _within_window(story: _Story, found: Signal) -> bool:
    """Whether a relapse is dated within the window after the last phase of the line: "len maint June 23 – Oct 24, relapse Oct 24"."""
    ended = next((e.end for e in reversed(story.line.events) if e.active and e.group.start < found.start), None)
    when = _dates_at(story, found)
    return bool(ended and ended.month and when and when.month and ended.earliest <= when.latest and when.earliest - ended.latest <= WINDOW)


def _named_with(story: _Story, where: int) -> list[Event]:
    """Drugs of the line that the statement names after "on", "despite" ..."""
    high = min(statement_at(story.doc, where)[1], story.until)
    return [e for e in story.told if where <= e.group.start < high and e.active and e.active <= set(story.line.drugs) and re.search(r"\b(?:on|under|during|through|despite)\s+(?:[\w-]+\s+){0,2}$", e.gap[-60:])]


def _taken_at(story: _Story, where: int) -> tuple[str, ...]:
    """The drugs being taken when the disease progressed: after a transplant the maintenance, else all that was not dropped."""
    line, text = story.line, story.doc.text
    end = min(statement_at(story.doc, where)[1], story.until)
    taken = [*line.drugs]
    if line.maintenance and (line.transplant or len(line.maintenance) < len(active(line.drugs))):
        taken = [d for d in line.drugs if d in line.maintenance]
    elif line.transplant:
        taken = []
    if named := _named_with(story, where):
        drugs = {d for e in named for d in e.active}
        alone = story.signals.first("alone", where, end) or story.signals.first("maintenance", where, end)
        if alone or line.transplant or len(drugs) == len(active(line.drugs)) or not re.search(r"\b(?:all|both)\b", text[where:end]):
            return tuple(d for d in line.drugs if d in drugs)
    for event in story.told[1:]:
        if event.active and event.group.start <= where + 80 and event.active < active(line.drugs):
            taken = _after_part(story, event, taken, where)
    return tuple(taken)


def _after_part(story: _Story, event: Event, taken: list[str], where: int) -> list[str]:
    """What is taken after the note tells of a part of the combination: that it was dropped, or went on alone."""
    before, signals, text = event.group.start < where, story.signals, story.doc.text
    if before and not story.line.transplant and _GOES_ON.search(text[max(event.lead, event.group.start - 40) : event.group.start] + "|" + text[event.group.end : event.tail][:40]):
        return [d for d in taken if d in event.drugs] or taken
    clause = text[event.group.end : event.tail].split(")")[0]
    high = event.group.end + len(clause)
    stopped = signals.first("dropped", event.group.end, min(high, event.group.end + 45)) or event.leads("dropped", 25) or _FIRST_CYCLES.search(clause) or re.match(r"\s*(?:only )?until\b", clause)
    if stopped and before and not signals.first("progression", event.group.end, min(high, event.group.end + 60)):
        return [d for d in taken if d not in event.active]
    if signals.first("alone", event.group.end, min(high, event.group.end + 25)) or event.leads("alone", 25) or (before and _UNTIL_IT.match(clause)):
        return [d for d in taken if d in event.drugs]
    return taken


def taken_at_end(doc: Document, line: Line, until: int) -> tuple[str, ...]:
    """The drugs of a line that were taken to its end."""
    return _taken_at(_Story(doc, signals_of(doc.text), line, line.events[0].group.start, until, line.events, []), line.events[-1].group.end)


def _end(story: _Story, progression: Signal | None, stop: tuple[int, str] | None) -> PartialDate | None:
    """The last day told of a line: of its last phase, else of the stop or the progression that ended it; a cell product is given on one day."""
    if story.line.product_only:
        return story.line.start
    dates = [d for d in story.dates if d.start < story.until]
    if last_doses := [d.date for d in dates if _says(story, "last_dose", d.start, 60)]:
        return max(last_doses, key=lambda d: d.latest)
    last_phase = max((e.group.start for e in story.line.events if e.active), default=story.start)  # "lenalidomide maintenance from 4/2018"
    ends = [(e.group.start, e.end) for e in story.line.events if e.end]
    ends += [(d.start, d.date) for d in dates if _says(story, "until", d.start, 30) or _TO.search(story.doc.text, max(story.start, d.start - 30), d.start)]
    if progression and not any(place >= last_phase for place, _ in ends) and not (stop and stop[1] != "other") and (when := _dates_at(story, progression)):
        ends.append((progression.start, when))
    return max((date for _, date in ends), key=lambda d: d.latest, default=None)


def _says(story: _Story, kind: str, place: int, reach: int) -> bool:
    """Whether what is said right before a place, at most `reach` characters away, is of this kind: "last dose given | 5/2021"."""
    said = story.signals.last(kind, story.start, place)
    return said is not None and place - said.end <= reach and not re.search(r"[.;\n\d]", story.doc.text[said.end : place])


_DATES_ALONE = re.compile(r"[*•]?(?>[\d./–~|:,\s-]|[A-Z][a-z]{2,8}\.? (?:\d{1,2},? )?\d{2,4}|to|until)++")
_AT_ONCE = re.compile(r"\s*(?:[(@]|on|in|since|as of)?\s*", re.IGNORECASE)
_TO = re.compile(r"\d\s*(?:to|-|–|—|~|→)\s*(?:the end of|end of|early|late|mid)?\s*$", re.IGNORECASE)
