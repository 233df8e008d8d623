"""How each line ended, and the drugs the disease is refractory to (IMWG: Rajkumar et al., Blood 2011; guidelines of this project).

Refractory: no minimal response, or progression on therapy or within 60 days of the last dose. Stopped in response: not refractory.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from matcher.dates import DateMention
from matcher.domain import Course, Evidence, Reading
from matcher.notes.document import Document
from matcher.notes.exposure import statement_at
from matcher.notes.lines import Event, Line, active, is_cell_product, said
from matcher.notes.linking import REGIMEN_LETTERS
from models import load_vocabulary
from models.therapy_cues import load_therapy_cues

WINDOW = timedelta(days=60)  # IMWG
_RESPONSE = tuple((name, re.compile(pattern)) for name, pattern in (  # deepest first (IMWG 2016)
    ("sCR", r"\bsCR\b|(?i:stringent complete (?:response|remission)|stringent CR\b)"),
    ("CR", r"(?<![sn/])\bn?CR\b(?!S)|(?i:complete (?:response|remission))"),
    ("VGPR", r"\bVGPR\b|(?i:very good partial (?:response|remission))"),
    ("PR", r"\bPR\b|(?i:(?<!very good )partial (?:response|remission))"),
    ("MR", r"\bMR\b|(?i:minimal response|minor response)"),
    ("SD", r"\bSD\b|(?i:stable disease|(?:no|without|any) (?:\w+ )?response\b|(?:did not|didn't|never|not) respond\w*|non-?respon\w+|primary refractory|(?:no|without) (?:effect|benefit|efficacy)|ineffective|no better than (?:no response|stable))"),
    ("PD", r"\bPD\b"),
))
_REASON_TO_ADD = re.compile(r"\b(?:added|started|begun|initiated|commenced)\b[^.;\n]{0,60}\b(?:because of|due to|owing to|on account of|in view of|given|for)\s+(?:[\w-]+\s+){0,2}$", re.IGNORECASE)
_CHANGED_FOR = re.compile(r"[^.;\n]{0,60}\b(?:added|switched|changed)\b[^.;\n]{0,60}\b(?:because of|due to|owing to|on account of|in view of|for)\s+(?:[\w-]+\s+){0,2}(?P<why>progress\w*|PD\b)", re.IGNORECASE)
_WITHIN = re.compile(r"within (?:(\d+)|an?|one|two|three|four|six|eight) (days?|weeks?|months?|wks?|mo)\b|(\d+|an?|one|two|three|four|six|eight) (days?|weeks?|wks?|months?|mo) (?:after|from|of|post) (?:the |its |her |his )?(?:stop\w*|last|end|discontinu\w*|cessation)", re.IGNORECASE)
_NUMBER = {"one": 1, "two": 2, "three": 3, "four": 4, "six": 6, "eight": 8}
_ALONE = re.compile(r"\b(?:alone|mono-?therapy|single[- ]agent|as a single agent|only)\b", re.IGNORECASE)
_SINGLE = re.compile(r"\b(?:single[- ]agent|maint\w*|monotherapy)\b", re.IGNORECASE)
_DROPPED = re.compile(r"\b(?:stopped|stopping|dropped|discontinued|omitted|removed|withdrawn|d/c'?e?d|off|completed)\b", re.IGNORECASE)
_EACH_FAILED = re.compile(r"\b(?:all|each|every one)(?: of (?:them|which|these))? (?:w/|with|ended (?:in|with|by)|until|to|followed by|stopped for)\s*(?:PD\b|progress\w+)", re.IGNORECASE)
_GOES_ON = re.compile(r"\b(?:then|thereafter|followed by|just|only)\s+(?:(?:just|only|on|with|by|single[- ]agent)\s+)*\||\|\s*(?:was |were |is )?(?:alone\b|by itself|continu\w+|carried on)", re.IGNORECASE)
_FIRST_CYCLES = re.compile(r"^[\s,]*(?:only )?(?:for )?(?:the )?first \w+ (?:cycles?|courses?|months?)|^[\s,]*(?:only )?for (?:the )?(?:scheduled |planned )?\w+ (?:cycles?|courses?)", re.IGNORECASE)
_GOVERNED = re.compile(r"(?:progress\w*|\bPD\b|relaps\w*|fail\w*|up|rising|doubl\w+)(?:(?!\b(?:treated|then|start\w*|switch\w*|after|put|given|received|began|begun|chang\w*|placed|moved)\b)[^.;\n]){0,40}?\b(?:on|under|during|through|despite|in|with)\s+(?:(?:the|both|all|her|his|single[- ]agent|continued|maintenance|ongoing|weekly|monotherapy|of|\d(?:st|nd|rd|th)[- ]line|(?:first|second|third|fourth|fifth|sixth|seventh)[- ]line)\s+)*$", re.IGNORECASE)
_CHAINED = re.compile(r"[\s,]*(?:maint\w*)?[\s,]*(?:(?:and|then|most recently|later|also)[\s,]+)+(?:on|under|during|through|despite)\s+(?:the\s+)?", re.IGNORECASE)
_FAILED_AFTER = re.compile(r"\s*(?:then |also |eventually )?(?:failed\b(?!\s*\?)|(?:worked|lasted|held)\b[^.;\n]{0,50}\b(?:failed|stopped working|gave out)\b)", re.IGNORECASE)
_FAILED = re.compile(r"\b(?:has |have |had )?failed\s+(?:all of |both )?$", re.IGNORECASE)
_LISTED = re.compile(r"[\s,/+&]*(?:(?:and|then)\s+)?", re.IGNORECASE)
_CLASSES = {"triple": ("proteasome_inhibitor", "imid", "anti_cd38"), "double": ("proteasome_inhibitor", "imid")}
_PENTA = {"quad": ("bortezomib", "carfilzomib", "lenalidomide", "pomalidomide"), "penta": ("bortezomib", "carfilzomib", "lenalidomide", "pomalidomide", "daratumumab", "isatuximab")}
_CLASS_STATEMENT = re.compile(r"\b(triple|double|dual|quad(?:ruple)?|penta|quint)[ -]*(?:drug)?[ -]*(class)?[ -]*(?:drug)?[ -]*refr(?:act\w*)?\b|\bTCR\b(?! ?-?T)", re.IGNORECASE)
_REFRACTORY_TO = re.compile(r"\b(?:refractory|resistant|resistance|refr|ref(?= to\b))\b(?: \w+)?(?:\s+(?:disease\s+)?to\b|\s*:)|\bprogress\w* (?:on|through|despite) (?:all of|each of)\b", re.IGNORECASE)
_LIST_END = re.compile(r"\b(?:but|switch\w*|changed|then|(?<!and )now|started|began|currently|not|sensitive|intoleran\w*|exposed|naive|never|except|responded|responding|stopped|last|followed|relapsed after)\b|[.;]\s|\n", re.IGNORECASE)
_REFRACTORY_AFTER = re.compile(r"^[\s/]*[-–]?\s*(?:(?:is|was|are|all|both)\s+)*(?:refractory|refr|resistant)\b", re.IGNORECASE)
_NOT_BEFORE = re.compile(r"\b(?:not|never|non|nor|isn't|wasn't|no)\b[\s-]*(?:yet |considered |formally |to be |deemed )*$", re.IGNORECASE)
_NOT_AFTER = re.compile(r"^[\s(:,-]{0,3}(?:\w+\s+){0,3}?(?:never failed|not refractory|not considered refractory|no \(|sensitive|-sensitive|no progression|not PD|not failed)|^\s*failed\?\s*-*\s*no|^-sensitive", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a line ended: best response, why it was stopped, and the drugs that failed in it with the words that say so."""

    best: str | None
    reason: str | None
    failed: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    relapsed: bool
    failed_at: int | None


def read_ending(doc: Document, line: Line, until: int, events: Sequence[Event], dates: Sequence[DateMention]) -> Ending:
    """The ending of a line whose story runs to `until`."""
    start = line.events[0].group.start
    story = doc.text[start:until]
    if ahead := _GOVERNED.search(story):  # "progressing on" what opens the next line tells of that one
        until, story = start + ahead.start(), story[: ahead.start()]
    best = _best(story)
    places = [e.group.start for e in events]
    told = list(events[bisect_left(places, start) : bisect_left(places, until)])
    dates = [d for d in dates if start <= d.start < until + 30]
    relapse = said("relapse", story)
    progression = _progression(story, line)
    stop = _stop(story, line, told, start, progression.start() if progression else len(story))
    failed: tuple[str, ...] = ()
    at: re.Match[str] | None = None
    if progression and not line.product_only:
        where = start + progression.start()
        if not _of_another(told, where, until, line, doc) and _while_on(doc, where, start + progression.end(), stop, start, dates, line, until):
            failed, at = _active_at(doc, line, told, where, until), progression
    if not failed and not line.product_only and (plain := re.search(r"(?<!relapsed )(?<!relapsed/)(?<!not )(?<!relapsed and )(?<!-)\b[Rr]efractory\b(?! to)", story)):
        failed, at = _active_at(doc, line, told, start + plain.start(), until), plain
    if not failed and relapse and not line.product_only:
        a, b = statement_at(doc, start + relapse.start())
        clause = doc.text[max(a, start + relapse.start() - 40) : min(b, start + relapse.end() + 60, until)]
        if (said("on_drug", clause) and not said("off_drug", clause)) or _governing(told, start + relapse.start(), b, line) or (stop is None and not said("off_drug", clause) and re.search(r"\buntil\s+(?:\w+\s+){0,2}$", story[: relapse.start()])):
            failed, at = _active_at(doc, line, told, start + relapse.start(), until), relapse
    if not failed and not line.product_only and (passed_on := _CHANGED_FOR.match(doc.text[until : until + 200])):
        failed, at = _active_at(doc, line, told, until, until), re.compile(re.escape(passed_on.group("why"))).search(doc.text[start : until + 200])
    if best in ("SD", "PD") and not failed:
        failed = tuple(d for d in line.drugs)
        at = next((m for name, pattern in _RESPONSE if name == best and (m := pattern.search(story))), None)
    if line.product_only and failed and best not in ("SD", "PD"):
        failed = ()
    evidence = () if at is None else (doc.evidence(start + at.start(), start + at.end()),)
    reason = "progression" if failed else _reason(stop)
    return Ending(None if best == "PD" else best, reason, tuple(d for d in failed if d in line.drugs), evidence, bool(relapse or progression), start + at.start() if at else None)


def _best(story: str) -> str | None:
    for name, pattern in _RESPONSE:
        for match in pattern.finditer(story):
            if not re.search(r"\b(?:no|not|never|without|until|despite|for)\s+(?:\w+\s+)?$", story[max(0, match.start() - 20) : match.start()], re.IGNORECASE) or name in ("SD", "PD"):
                if name == "SD" and not re.search(r"max\w*|best|only|efficacy|no better|never better|respon|effect|benefit|SD\b|at best", story[max(0, match.start() - 40) : match.end() + 30], re.IGNORECASE):
                    continue
                if name == "PD" and not re.search(r"best|respon", story[max(0, match.start() - 25) : match.start()], re.IGNORECASE):
                    continue
                return name
    return None


def _progression(story: str, line: Line) -> re.Match[str] | None:
    found = None
    for found in load_therapy_cues()["progression"].finditer(story):
        lead = story[max(0, found.start() - 30) : found.start()]
        if re.search(r"\b(?:no|not|without|never|nor|if|risk of|in case of|in the event of|should)\b(?:\s+\w+){0,2}\s*$", lead, re.IGNORECASE):
            continue
        if re.match(r"[^.;\n]{0,30}\b(?:not|does not|doesn't|without) (?:yet )?(?:meet\w*|fulfil\w*|PD|progress\w*)", story[found.end() :]) or _REASON_TO_ADD.search(story[: found.start()]):
            continue
        if found.group().lower() == "failed" and re.match(r"\s*\?", story[found.end() :]):
            continue
        return found
    return None


@dataclass(frozen=True, slots=True)
class _Stop:
    place: int
    reason: str


def _stop(story: str, line: Line, told: list[Event], offset: int, before: int) -> _Stop | None:
    """Where the whole line was stopped for something other than progression, before the progression."""
    for match in load_therapy_cues()["stopped"].finditer(story[:before]):
        clause_start = max(story.rfind(";", 0, match.start()), story.rfind(". ", 0, match.start()), story.rfind("\n", 0, match.start()), story.rfind("(", 0, match.start())) + 1
        clause_end = min((p for p in (story.find(";", match.end()), story.find(". ", match.end()), story.find(")", match.end()), story.find("\n", match.end())) if p >= 0), default=len(story))
        words = story[clause_start:clause_end]
        own = [e for e in told if clause_start <= e.group.start - offset < clause_end and active(e.drugs)]
        partial = own and not all(active(line.drugs) <= set(e.drugs) for e in own) and own[0].group.start > line.events[0].group.start and not line.maintenance
        if partial:
            continue
        if re.search(r"\b(?:for|with|on|upon|following|given|in view of|in the face of|secondary to) (?:the )?(?:\w+ )?(?:progress|PD|relapse)|(?:due to|d/t|because of|owing to|on account of) (?:\w+ )?(?:progress|PD)|came off for progression", words, re.IGNORECASE):
            continue
        for cue, reason in (("toxicity", "toxicity"), ("completion", "completion"), ("preference", "preference")):
            if said(cue, words):
                return _Stop(match.start(), reason)
        return _Stop(match.start(), "other")
    for cue in ("completion",):
        for match in load_therapy_cues()[cue].finditer(story[:before]):
            if not told or not any(0 <= match.start() - (e.group.end - offset) < 25 and len(active(e.drugs)) < len(active(line.drugs)) for e in told):
                return _Stop(match.start(), "completion")
    return None


def _reason(stop: _Stop | None) -> str | None:
    return stop.reason if stop else None


def _while_on(doc: Document, where: int, end: int, stop: _Stop | None, offset: int, dates: Sequence[DateMention], line: Line, until: int) -> bool:
    a, b = statement_at(doc, where)
    words = doc.text[max(a, where - 60, offset) : min(b, where + 70, until)]
    near = _WITHIN.search(doc.text[where : min(where + 60, until)])
    if near:
        told = near.group(1) or near.group(3) or ""
        count = int(told) if told.isdigit() else next((n for w, n in _NUMBER.items() if w in near.group().lower()), 1)
        unit = (near.group(2) or near.group(4)).lower()
        return timedelta(days=count * (1 if unit.startswith("d") else 7 if unit.startswith("w") else 30)) <= WINDOW
    if said("on_drug", words) or _GOVERNED.search(doc.text[max(a, where) : min(b, where + 60)] + " "):
        return True
    if _long_over(doc, where, end, dates, line):
        return False
    if stop is not None and stop.reason == "other" and where - offset - stop.place < 60 and not said("off_drug", words) and "." not in doc.text[offset + stop.place : where] \
            and not any(where - 12 <= d.start < end + 25 for d in dates):
        return True  # "stopped 20 September, PR then PD": the progression is why
    if stop is not None:
        stopped = next((d.date for d in dates if d.start >= offset + stop.place and d.start < where), None) or next((e.end for e in reversed(line.events) if e.end), None)
        progressed = next((d.date for d in dates if where - 12 <= d.start < end + 25), None)
        return bool(stopped and progressed and stopped.month and progressed.month and stop.reason != "completion" and timedelta(0) <= progressed.earliest - stopped.latest <= WINDOW and stopped.latest <= progressed.earliest)
    if said("off_drug", words):
        return False
    return bool(not line.transplant or line.maintenance or len(active(line.drugs)) == 0)


def _of_another(told: list[Event], where: int, until: int, line: Line, doc: Document) -> bool:
    """Progression on other drugs than the line's: "on cyclophosphamide now. Progressed on Rd last year"."""
    end = min(statement_at(doc, where)[1], until)
    named = [e for e in told if where <= e.group.start < end and active(e.drugs) and re.fullmatch(r"[\w ]{0,14}\b(?:on|under|during|through|despite)\s+", doc.text[where : e.group.start][-60:].split("progress")[-1][3:] if "progress" in doc.text[where : e.group.start] else " ")]
    return bool(named) and not any(active(e.drugs) & set(line.drugs) for e in named)


_UNTIL = re.compile(r"(?:\b(?:to|until|till|til|through|thru|up to)|[-–~])\s*(?:the end of|end of|early|late|mid)?\s*$", re.IGNORECASE)


def _long_over(doc: Document, where: int, end: int, dates: Sequence[DateMention], line: Line) -> bool:
    """Whether the dates say that treatment ended more than the window before the progression: "VMP 2019.05~2020.09, PD 2021.03"."""
    taken = [e for e in line.events if active(e.drugs)]
    runs_to = [d for d in dates if d.start < where and _UNTIL.search(doc.text[max(0, d.start - 20) : d.start])]
    ended = runs_to[-1].date if runs_to else taken[-1].end if taken else None
    progressed = next((d.date for d in dates if where - 12 <= d.start < end + 12 and d not in runs_to and "\n" not in doc.text[end : max(end, d.start)]), None)
    return bool(ended and ended.month and progressed and progressed.month and progressed.earliest - ended.latest > WINDOW)


def _governing(told: list[Event], low: int, high: int, line: Line) -> list[Event]:
    return [e for e in told if low <= e.group.start < high and active(e.drugs) and active(e.drugs) <= set(line.drugs) and re.search(r"\b(?:on|under|during|through|despite)\s+(?:[\w-]+\s+){0,2}$", e.gap)]


def _active_at(doc: Document, line: Line, told: list[Event], where: int, until: int) -> tuple[str, ...]:
    """The drugs being taken when the disease progressed: after a transplant the maintenance, else all that was not dropped."""
    _, end = statement_at(doc, where)
    taken = [*line.drugs]
    if line.maintenance and (line.transplant or len(line.maintenance) < len(active(line.drugs))):
        taken = [d for d in line.drugs if d in line.maintenance]
    elif line.transplant:
        taken = []
    named = _governing(told, where, min(end, until), line)
    if named:
        drugs = {d for e in named for d in active(e.drugs)}
        if _SINGLE.search(doc.text[where : min(end, until)]) or line.transplant or len(drugs) == len(active(line.drugs)) or not re.search(r"\b(?:all|both)\b", doc.text[where:end]):
            return tuple(d for d in line.drugs if d in drugs)
    for event in told[1:]:
        drugs = active(event.drugs)
        if not drugs or event.group.start > where + 80 or not drugs < active(line.drugs):
            continue
        if event.group.start < where and not line.transplant and _GOES_ON.search(re.split(r"[.;(]\s|\n", event.gap)[-1][-40:] + "|" + re.split(r"[.;)]\s|\n", event.after)[0][:40]):
            taken = [d for d in taken if d in event.drugs] or taken
            continue
        clause = re.split(r"[.;,)]\s|\n|->", event.after)[0]
        ahead = re.split(r"[.;,(]\s|\n|->", event.gap)[-1]
        stopped = _DROPPED.search(clause[:45]) or _DROPPED.search(ahead[-25:]) or _FIRST_CYCLES.search(clause) or re.match(r"\s*(?:only )?until\b", clause)
        if stopped and event.group.start < where and not re.search(r"progress|\bPD\b", clause[:60]):
            taken = [d for d in taken if d not in drugs]
        elif _ALONE.search(clause[:25]) or _ALONE.search(ahead[-25:]):
            taken = [d for d in taken if d in event.drugs]
    return tuple(taken)


def read_refractory(doc: Document, lines: list[Line], endings: list[Ending], events: list[Event]) -> tuple[Reading, ...]:
    """Each drug the disease is refractory to, in the order of the lines, with the words it rests on."""
    received = list(dict.fromkeys([*(d for line in lines for d in line.drugs), *(d for e in events if e.course in (Course.GIVEN, Course.ONGOING) and e.purpose is None for d in e.drugs)]))
    found: dict[str, list[Evidence]] = {}
    for line, ending in zip(lines, endings, strict=False):
        for drug in ending.failed:
            evidence = ending.evidence or (doc.evidence(line.events[0].group.start, line.events[0].group.end),)
            found.setdefault(drug, []).extend(evidence)
    for match in _EACH_FAILED.finditer(doc.text):
        low = statement_at(doc, match.start())[0]
        for line in (known for known in lines if low <= known.events[0].group.start < match.start() and not known.product_only):
            for drug in _active_at(doc, line, line.events, line.events[-1].group.end, match.start()):
                found.setdefault(drug, []).append(doc.evidence(*match.span()))
    denied: set[str] = set()
    _statements(doc, events, received, found, denied)
    classes_found: dict[str, list[Evidence]] = {}
    _class_statements(doc, received, classes_found)
    in_response = _stopped_in_response(lines, endings)
    for drug, words in classes_found.items():
        if drug not in denied and drug not in in_response:
            found.setdefault(drug, []).extend(words)
    if re.search(r"\bnot refractory to (?:anything|any)\b|\bno (?:drug )?refractoriness\b", doc.text, re.IGNORECASE):
        found.clear()
    order = {d: n for n, d in enumerate(received)}
    return tuple(Reading(d, tuple(dict.fromkeys(found[d]))) for d in sorted(found, key=lambda d: order.get(d, len(order))) if d not in denied)


def _stopped_in_response(lines: list[Line], endings: list[Ending]) -> set[str]:
    """Drugs said to have been stopped for another reason than progression, wherever they were taken."""
    kept = {d for line, e in zip(lines, endings, strict=False) if e.reason in ("toxicity", "preference") for d in line.drugs}
    return kept - {d for e in endings for d in e.failed}


def _statements(doc: Document, events: list[Event], received: list[str], found: dict[str, list[Evidence]], denied: set[str]) -> None:
    def note(drugs: Iterable[str], start: int, end: int) -> None:
        for drug in {_received(d, received) for d in drugs}:
            if drug in received:
                found.setdefault(drug, []).append(doc.evidence(start, end))

    governed = False
    for place, event in enumerate(events):
        group, drugs = event.group, _covered(event, received)
        chained, governed = governed and _CHAINED.fullmatch(event.gap) is not None, False
        if not drugs:
            continue
        lead = doc.text[max(0, group.start - 70) : group.start]
        if _NOT_AFTER.match(event.after) or re.search(r"\bnot (?:\w+ )?refractory (?:to\s+)?$", lead, re.IGNORECASE):
            denied |= drugs if not re.search(r"no longer", lead) else set()
            continue
        if _REFRACTORY_AFTER.match(event.after):
            if event.after.startswith("-") and "," in doc.text[group.start : group.end]:
                lead, drugs = doc.text[max(0, group.mentions[-1].start - 70) : group.mentions[-1].start], active(group.mentions[-1].drugs)
            if _NOT_BEFORE.search(lead):
                denied |= drugs
            else:
                note(drugs, group.start, group.end)
        elif _FAILED_AFTER.match(event.after) and event.course in (Course.GIVEN, Course.ONGOING) and not any(is_cell_product(d) for d in drugs):
            note(drugs, group.start, group.end)
        elif _FAILED.search(event.gap[-40:]) and event.course in (Course.GIVEN, Course.ONGOING):
            note(drugs, group.start, group.end)
            previous = event
            for other in events[place + 1 : place + 12]:
                if not _LISTED.fullmatch(doc.text[previous.group.end : other.group.start]):
                    break
                note(_covered(other, received), other.group.start, other.group.end)
                previous = other
        elif chained or (_GOVERNED.search(re.split(r"[.;]\s|\n\s*\n", event.gap)[-1][-70:]) and event.course in (Course.GIVEN, Course.ONGOING) and not re.search(r"\bno\b|\bnot\b|\bwithout\b|\bif\b", event.gap[-70:])):
            governed = True
            note((d for d in drugs if not is_cell_product(d)), group.start, group.end)
    places = [e.group.start for e in events]
    for match in _REFRACTORY_TO.finditer(doc.text):
        end = min(statement_at(doc, match.end())[1], match.end() + 400)
        stop = _LIST_END.search(doc.text, match.end(), max(match.end(), end))
        high = stop.start() if stop and match.group()[-1] != ":" else end
        negated = bool(_NOT_BEFORE.search(doc.text[max(0, match.start() - 25) : match.start()]))
        for event in events[bisect_left(places, match.end()) : bisect_left(places, high)]:
            if event.group.start < high:
                drugs = _covered(event, received)
                if negated or _NOT_AFTER.match(event.after):
                    denied |= drugs
                else:
                    note(drugs, event.group.start, event.group.end)
        if not negated:
            for letter in re.finditer(r"(?<![\w/-])([DVRKPT])(?![\w/-])(\s+no\b)?", doc.text[match.end() : high]):
                drug = REGIMEN_LETTERS[letter.group(1)]
                if letter.group(2):
                    denied.add(drug)
                else:
                    note([drug], match.end() + letter.start(1), match.end() + letter.end(1))


def _received(drug: str, received: list[str]) -> str:
    """Of a kind named without its product ("the BCMA bispecific") the product received."""
    vocabulary = load_vocabulary()
    if not drug.startswith("anti-") or drug not in vocabulary.drugs:
        return drug
    named = [d for d in received if not d.startswith("anti-") and d in vocabulary.drugs and set(vocabulary.drugs[d].classes) & set(vocabulary.drugs[drug].classes)]
    return named[-1] if named else drug


def _covered(event: Event, received: list[str]) -> set[str]:
    """The drugs an event speaks of: its own, or those received of the class it names."""
    drugs = set(active(event.drugs))
    vocabulary = load_vocabulary()
    for therapy in event.group.therapies:
        row = vocabulary.therapies.get(therapy)
        if row and row.kind in ("class", "target") and (row.kind == "class" or therapy == "cd38"):
            drugs |= {d for d in received if vocabulary.is_a(d, therapy) and active([d])}
    return drugs


def _class_statements(doc: Document, received: list[str], found: dict[str, list[Evidence]]) -> None:
    vocabulary = load_vocabulary()
    for match in _CLASS_STATEMENT.finditer(doc.text):
        if _NOT_BEFORE.search(doc.text[max(0, match.start() - 20) : match.start()]):
            continue
        kind = (match.group(1) or "triple").lower()
        if kind.startswith(("penta", "quint")):
            drugs = {d for d in received if d in _PENTA["penta"]}
        elif kind.startswith("quad"):
            drugs = {d for d in received if d in _PENTA["quad"]}
        else:
            wanted = _CLASSES["triple" if kind == "triple" else "double"]
            drugs = {d for d in received if any(vocabulary.is_a(d, c) for c in wanted)}
        for drug in drugs:
            found.setdefault(drug, []).append(doc.evidence(*match.span()))
