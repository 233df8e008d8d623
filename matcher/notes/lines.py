"""Lines of therapy: the course of treatment as a note tells it, cut where a new line begins (Rajkumar et al., Blood 2015)."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise

from matcher.dates import DateMention
from matcher.domain import Course, PartialDate
from matcher.notes.document import Document
from matcher.notes.treatments import Group, without_generic
from models import load_vocabulary
from models.therapy_cues import load_therapy_cues

NOT_OF_A_LINE = ("bridging", "lymphodepletion", "mobilisation", "premedication", "supportive")
_STEROIDS = frozenset({"dexamethasone", "prednisone", "prednisolone", "methylprednisolone"})
_OTHER_CANCERS = ("hormonal_therapy", "jak_inhibitor", "radiopharmaceutical_therapy", "checkpoint_inhibitor", "fluoropyrimidine", "taxane", "antifolate")
_CELL_OR_ENGAGER = frozenset({"car_t", "bispecific_antibody", "antibody_drug_conjugate", "trispecific_antibody"})
_ORDINALS = r"(?:1st|2nd|3rd|[4-9]th|1\dth|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)"
_NUMBERED = re.compile(
    rf"\b{_ORDINALS}(?:[- ]line|(?:\s+and\s+(?:\w+\s+){{1,2}})?\s*regimen|(?=\s*(?::|was\b|,\s|[-–]\s|came\b|therapy\b|with\b)))|\b(?:line|LOT)\s*\#?\d{{1,2}}\b|\bL\d{{1,2}}[.:)]|\n[ \t|]*L\d{{1,2}}\b|\b\d{{1,2}}L\b[:.)]?"
    r"|\(\d{1,2}\)|(?:\n|[;.:]\s|--\s)[ \t*•-]*#\d{1,2}\b(?=[\s:.)])|\n[ \t]*(?:X{0,3}(?:IX|IV|V?I{1,3}|V|X))[.):]\s|\b\d{1,2}\.\s?line\b|(?<![\w(])[a-h]\)(?=\s)|\n[ \t]*[A-Ha-h][.)]\s|\n[ \t|]*\d{1,2}(?:[.):]\s|\s*\||\s{2,})|(?:\n|[;.]\s+)\(?\d{1,2}[).]\s(?=\S)", re.IGNORECASE)
_RELAPSE_COUNT = re.compile(rf"\b{_ORDINALS}\s*:|\b{_ORDINALS}\s+relapse", re.IGNORECASE)
_BULLET = re.compile(r"\n[ \t]*(?:[-*•+>–#~]{1,3}|→)[ \t]*[^\n]{0,60}$|//[^/\n]{0,40}$")
_LINE_HEAD = re.compile(r"\n[ \t]*(?:[\d/.,'’~–\-\s]|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*|from|since|relapse[d]?\.?|then|:|\()*$", re.IGNORECASE)
_THEN = re.compile(r"\bthen\b|followed by|->|→|-->|=>|;|//|\bnext\b|\bafter that\b|\bthereafter\b|\bsubsequent(?:ly)?\b|\bwent on\b", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:no|not|without|never|nor|denies|w/o|if|in case of|in the event of|should|risk of)\b(?:\s+\w+){0,2}\s*$", re.IGNORECASE)
_NUMBERED_AFTER = re.compile(rf"^[\s,(]*(?:currently|now|as)?[\s,(]*({_ORDINALS})[- ]line(?=\s*(?:[,;.)]|since\b|from\b|therapy\b|treatment\b|$))", re.IGNORECASE)
_BEFORE_IT = re.compile(r"\b(?:before (?:it|that|this|which)|prior to (?:it|that|this|which)|(?:was |were )?preceded by|(?:that|this|which) (?:had )?followed|prior|previously|before|(?<=\) )after|(?<=\d )after)[\s:,]*(?:(?:he|she|they) (?:had|was on|received|took)\s*)?$", re.IGNORECASE)
_FAILED_ON = re.compile(r"(?:\bPD|\bprogress\w*|\brelaps\w*|\bfail\w*)\s+(?:on|under|during|through|despite)\s*$", re.IGNORECASE)
_PRIOR_LIST = re.compile(r"\b(?:prior|previous(?:ly)?|prev|past|earlier|before that)\b[^.;\n]{0,40}[:=-]\s*(?:\(?1[.):]|#1|L1:?)?\s*$|\b(?:prior|previous|earlier|past)\b[^.;\n]{0,30}(?:regimen|therap|treatment|line)[^.;\n]{0,20}$", re.IGNORECASE)
_INSUFFICIENT = re.compile(r"\bintensif\w+|\b(?:less than|suboptimal|sub-optimal|insufficient|inadequate)\b[^.;\n]{0,25}\b(?:response|remission|V?G?PR)\b(?![^;\n]{0,60}(?:\n|;))", re.IGNORECASE)
_TOLD_AGAIN = re.compile(r"^\s*(?:worked|lasted|held|failed|gave|helped|ended|was (?:stopped|good|effective)|had (?:been|worked|lasted))\b", re.IGNORECASE)
_OUTCOME_OF = re.compile(
    r"(?:\b(?:on|under|during|through|despite|off|refractory(?: to)?|resistant to|intoleran(?:t|ce) (?:to|of)|exposed to|exposure to|sensitive to|since|because of|due to|against|last doses? of|response to|toxicity (?:of|from)|stopped|dropped|held|discontinued|doses?|last|after|while on|receiving|while receiving)"
    r"(?:\s+(?:the|both|her|his|single[- ]agent|full[- ]dose|all|continued|prior|ongoing|weekly|maintenance|monotherapy|post-transplant|same|current|this|that|3 drugs|\d(?:st|nd|rd|th)[- ]line))*|\brefr?:?)\s*$", re.IGNORECASE)
_EXPOSURE_LIST = re.compile(r"(?:refractor\w+|refr|resistan\w+|exposed|intoleran\w+|sensitiv\w+|na[iï]ve|exposures?|contraindicat\w+|allerg\w+)[^\w.;\n]*(?:to|of|from|:|to both|after|since|with)?(?:[^\w.;\n]*\w+){0,3}[^\w.;\n]*$|(?:rash|neuropathy|toxicity|thrombosis|DVT|PE)\s*(?:\(|to|of|from|after|since|with|on|due to)\s*(?:\w+\s+)?$", re.IGNORECASE)
_ADDED_TO = re.compile(r"\s*(?:was |were |is |being )?(?:then |also |subsequently )?added (?:back )?(?:on )?to\s*(?:the |his |her |ongoing )*", re.IGNORECASE)
_CONSOLIDATION = re.compile(r"consolidat|tandem", re.IGNORECASE)
_MOST_LINES = 30  # no patient has had more; a longer text repeats itself
_FAR = timedelta(days=75)
_COURSE = timedelta(days=700)  # from the first induction to its transplant


@dataclass(slots=True)
class Event:
    """A combination as the course of treatment tells of it. `gap`: the words since the one before; `purpose`: of NOT_OF_A_LINE."""

    group: Group
    course: Course
    gap: str
    after: str
    drugs: tuple[str, ...]
    start: PartialDate | None = None
    end: PartialDate | None = None
    transplant: str | None = None
    purpose: str | None = None
    block: int = 0
    number: tuple[str, re.Match[str] | None] | None = None  # the gap last looked at, and the number found in it

    @property
    def maintenance(self) -> bool:
        cue = load_therapy_cues()["maintenance"]
        near = re.split(r"[.;,]\s|\n|->", self.gap)[-1][-45:]
        return bool(cue.search(near)) or bool(cue.search(re.split(r"[.;,]\s|\n|->", self.after)[0][:40]))


@dataclass(slots=True)
class Line:
    """A line under construction. `events` are those that made it."""

    drugs: list[str]
    events: list[Event] = field(default_factory=list)
    transplant: str | None = None
    maintenance: list[str] = field(default_factory=list)
    ended: bool = False  # told that the disease progressed on it

    @property
    def start(self) -> PartialDate | None:
        return next((e.start for e in self.events if e.start and not _FAILED_ON.search(e.gap)), None) or next((e.start for e in self.events if e.start), None)

    @property
    def product_only(self) -> bool:
        return any(is_cell_product(d) for d in self.drugs)


@lru_cache(maxsize=4096)
def is_cell_product(drug: str) -> bool:
    known = load_vocabulary().drugs.get(drug)
    return known.modality in ("car_t", "car_nk", "tcr_t", "cell_therapy") if known else drug.endswith(("leucel", "-cel"))


@lru_cache(maxsize=4096)
def counts_in_line(drug: str) -> bool:
    """Whether a drug is anti-myeloma (or another cancer drug, for lines of an other plasma cell disease), steroids included."""
    known = load_vocabulary().drugs.get(drug)
    if drug in _STEROIDS or known is None:
        return True
    return known.antineoplastic and not any(load_vocabulary().is_a(drug, c) for c in _OTHER_CANCERS)


def active(drugs: Sequence[str]) -> set[str]:
    return {d for d in drugs if d not in _STEROIDS}


def said(cue: str, text: str) -> re.Match[str] | None:
    """The first place of a cue in the text that no negation precedes ("no progression")."""
    for match in load_therapy_cues()[cue].finditer(text):
        if not _NEGATION.search(text[max(0, match.start() - 30) : match.start()]):
            return match
    return None


def build_lines(doc: Document, events: list[Event]) -> list[Line]:
    """The lines, in order. The passage that tells most of the course decides; what other passages repeat adds no line."""
    usable = [e for e in events if e.course in (Course.GIVEN, Course.ONGOING) and e.purpose is None and (active(e.drugs) or e.transplant)]
    for previous, event in pairwise(usable):  # what was planned or denied in between belongs to the words between
        event.gap = doc.text[max(previous.group.end, event.group.start - 600) : event.group.start]
    for event, partner in pairwise(usable):
        if _ADDED_TO.fullmatch(partner.gap) and event.drugs and partner.drugs:
            event.drugs = tuple(dict.fromkeys([*event.drugs, *partner.drugs]))
    if not usable:
        return []
    by_block: dict[int, list[Event]] = {}
    for event in usable:
        by_block.setdefault(event.block, []).append(event)
    told = {block: _segment(part, []) for block, part in by_block.items()}
    blocks = sorted(told)
    main = max(blocks, key=lambda b: (sum(1 + (line.start is not None) / 2 + (_numbered(line.events[0]) is not None) / 2 for line in told[b] if active(line.drugs)), -b))
    lines = told[main]
    for block in (b for b in blocks if b > main):
        lines = _extend(by_block[block], lines)
    earlier = [e for e in usable if e.block < main and not _known(e, lines)]
    before = [line for line in _segment(earlier, []) if _stands_alone(line)]
    return _in_order([line for line in (*before, *lines) if active(line.drugs)])


def _in_order(lines: list[Line]) -> list[Line]:
    """As the note numbers them, else by their dates; without either the regimen at hand, told first, goes last."""
    if len(lines) > 1 and all(numbers := [numbered_as(line.events[0]) or 0 for line in lines]) and len(set(numbers)) == len(numbers):
        return sorted(lines, key=lambda line: numbers[lines.index(line)])
    if all(line.start for line in lines):
        return sorted(lines, key=lambda line: line.start.earliest)  # type: ignore[union-attr]
    if head := next((n for n, line in enumerate(lines) if n and _PRIOR_LIST.search(line.events[0].gap)), 0):
        return [*lines[head:], *lines[:head]]
    dated = [line.start.earliest for line in lines if line.start]
    if len(dated) > 2 and dated == sorted(dated, reverse=True) and dated[0] != dated[-1]:
        return lines[::-1]
    told = _as_told(lines)
    current = numbered_as(lines[0].events[0])
    if current and 1 < current <= len(lines) and not any(numbered_as(line.events[0]) for line in lines[1:]):
        told.remove(lines[0])
        told.insert(current - 1, lines[0])
    if told != lines:
        return told
    return lines


def _as_told(lines: list[Line]) -> list[Line]:
    """The lines with each that the note tells as "before that" ahead of the one told before it."""
    order = lines[:1]
    for previous, line in pairwise(lines):
        order.insert(order.index(previous) if _BEFORE_IT.search(line.events[0].gap) else len(order), line)
    return order


def _segment(events: list[Event], lines: list[Line]) -> list[Line]:
    pending = None
    for event in events:
        if not lines and not active(event.drugs):
            pending = event  # a transplant told before its induction
        elif not lines:
            if not restated(event, event.gap) or event.start or event.course is Course.ONGOING:
                lines.append(_open(event))
                if pending and re.match(r"[^.;]{0,40}\b(?:after|following|preceded by|conditioned|with|by)\b[^.;]{0,12}$", event.gap):
                    _take(lines[0], pending)
        elif len(lines) < _MOST_LINES and _opens(event, lines):
            fresh = _open(event)
            if pending and pending.start and fresh.start and timedelta(0) <= pending.start.latest - fresh.start.earliest < _COURSE:
                _take(fresh, pending)  # told after its induction, the latest first
                pending = None
            if not fresh.product_only and not lines[-1].product_only and _adds(event):
                stopped = {d for e in lines[-1].events[1:] if _stop_follows(e) for d in e.drugs}
                fresh.drugs.extend(d for d in lines[-1].maintenance or lines[-1].drugs if d not in fresh.drugs and d not in stopped)
            lines.append(fresh)
        elif not active(event.drugs) and event.start and lines[-1].start and lines[-1].start.earliest - event.start.latest > _FAR:
            pending = event
        else:
            _merge(event, lines)
    return lines


def _adds(event: Event) -> bool:
    """A drug added to what is taken ("progressed, daratumumab added"), where no acronym tells the combination."""
    near = re.split(r"[.;]\s|\n|->|→", event.gap)[-1][-30:] + " " + re.split(r"[.;,]\s|\n|->|→", event.after)[0][:25]
    return not any(m.regimen for m in event.group.mentions) and not re.match(r"\s*(?:was |were )?added to\b", event.after, re.IGNORECASE) and said("added", near) is not None


def _extend(events: list[Event], lines: list[Line]) -> list[Line]:
    """Later passages: a new treatment that the main passage does not know opens a line if it is told as one."""
    for event in events:
        if _known(event, lines):
            if (numbered_as(event) or 0) > len(lines) and event.start and _opens(event, lines):
                lines.append(_open(event))
            continue
        fresh = Line([*event.drugs], [event])
        if len(lines) < _MOST_LINES and _stands_alone(fresh) and _opens(event, lines):
            lines.append(_open(event))
    return lines


def _known(event: Event, lines: list[Line]) -> bool:
    drugs = active(event.drugs)
    if not drugs:
        return True
    if any(drugs <= set(line.drugs) for line in lines):
        return True
    generic = {d for d in drugs if d.startswith("anti-")}
    if generic and generic == drugs:
        classes = {c for d in drugs for c in load_vocabulary().drugs[d].classes} if all(d in load_vocabulary().drugs for d in drugs) else set()
        return any(classes & set(load_vocabulary().drugs[d].classes) for line in lines for d in line.drugs if d in load_vocabulary().drugs)
    return bool(_EXPOSURE_LIST.search(event.gap[-60:]))


def _stands_alone(line: Line) -> bool:
    event = line.events[0]
    dated = event.start is not None or event.course is Course.ONGOING or _numbered(event) is not None
    return bool(active(line.drugs)) and dated and not restated(event, event.gap)


def _exposure_list(event: Event) -> bool:
    classes = [c for d in active(event.drugs) if d in load_vocabulary().drugs for c in load_vocabulary().drugs[d].classes if c in ("proteasome_inhibitor", "imid", "anti_cd38")]
    if re.match(r"\s*(?:was |has |is )?(?:never|not) (?:failed|refractory|been)|[- ](?:related|induced|associated|caused)", event.after):
        return True
    crowded = len(active(event.drugs)) >= 3 and len(classes) != len(set(classes)) and not any(m.regimen for m in event.group.mentions)
    return crowded or bool(_EXPOSURE_LIST.search(event.gap[-60:])) or re.search(r"\b(?:ref\.?|refr|refractory|resistant|intolerant|exposed)\s*(?:to|:)[^.;\n]*$", event.gap[-120:], re.IGNORECASE) is not None or re.match(r"\s*[-/]?\s*(?:refractory|refr\b|naive|exposed|resistant|sensitive|intoleran)", event.after) is not None


def _numbered(event: Event) -> re.Match[str] | None:
    """The number that the note gives to what begins here: "2nd line:", "(3)", "L4."."""
    if event.number is None or event.number[0] is not event.gap:
        event.number = (event.gap, _number_told(event))
    return event.number[1]


def _number_told(event: Event) -> re.Match[str] | None:
    found = None
    gap = event.gap[-140:]
    for pattern in (_NUMBERED, _RELAPSE_COUNT):
        for match in pattern.finditer(gap):
            between = gap[match.end() :]
            if len(between) < 90 and not re.search(r"[.;]\s|\n", between.strip()) and (found is None or match.start() > found.start()):
                found = match
    return found or _NUMBERED_AFTER.search(event.after[:60])


def numbered_as(event: Event) -> int | None:
    """The number a note gives to a line where it says so: "4th line", "L4", "Line 4", "4th -"."""
    found = _numbered(event)
    if found is None or _RELAPSE_COUNT.fullmatch(found.group()):
        return None
    marker = (found.group(1) if found.re is _NUMBERED_AFTER else found.group()).strip().lower() + (" line" if found.re is _NUMBERED_AFTER else "")
    if not re.search(r"line|lot|^l\d|\dl\b|st|nd|rd|th|#", marker):
        return None
    if digits := re.search(r"\d{1,2}", marker):
        return int(digits.group())
    return next((n for n, word in enumerate(("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"), 1) if marker.startswith(word)), None)


def restated(event: Event, gap: str) -> bool:
    """Named as what the disease progressed on, or what was stopped: no new start."""
    return bool(_OUTCOME_OF.search(gap)) or _exposure_list(event)


def _stop_follows(event: Event) -> bool:
    match = load_therapy_cues()["stopped"].search(event.after[:40])
    return match is not None and not re.search(r"\d{4}|[;.]|\d/\d", event.after[: match.start()])


def _opens(event: Event, lines: list[Line]) -> bool:
    line, gap = lines[-1], event.gap
    drugs, earlier = active(event.drugs), {d for known in lines for d in known.drugs}
    if _INSUFFICIENT.search(gap) and not said("progression", gap) and not said("relapse", gap) and not said("toxicity", gap):
        return False  # intensified for a response that was short of the aim: one planned course (Rajkumar 2015)
    same = drugs <= set(line.drugs)
    boundary = line.ended or said("progression", gap) or said("relapse", gap) or said("switch", gap)
    numbered = _numbered(event)
    if _exposure_list(event):
        return False
    if not drugs:  # a transplant by itself
        return bool((said("progression", gap) or said("relapse", gap)) and line.transplant and event.start)
    if event.maintenance and not (numbered and re.search("line", numbered.group(), re.IGNORECASE)) and (line.transplant or same or not boundary):
        return False
    if same and (_stop_follows(event) or restated(event, gap)) and not numbered:
        return False
    if any(is_cell_product(d) for d in drugs):
        if line.product_only and len(without_generic([*drugs, *line.drugs])) < len({*drugs, *line.drugs}):
            return False
        return (not drugs <= earlier and len(without_generic([*drugs, *earlier])) == len({*drugs, *earlier})) or (numbered is not None and not same)
    if not numbered and _TOLD_AGAIN.search(event.after) and any(drugs == active(known.drugs) for known in lines):
        return False
    if same and not numbered and len(line.events) == 1 and _FAILED_ON.search(line.events[0].gap) and not said("relapse", gap):
        return False  # "PD on DRd" and, a row below it, "DRd started"
    listed = numbered or _BULLET.search(gap) or _LINE_HEAD.search(gap)
    if drugs <= earlier and len(drugs) == 1 and not numbered and (not event.start or restated(event, gap)):
        return False
    if event.course is Course.ONGOING and not numbered and any(drugs <= set(known.drugs) for known in lines):
        return False
    if listed:
        return not same or (bool(event.start or numbered) and not (restated(event, gap) and not numbered))
    if same:
        over = re.search(r"[.;\n]|\bthen\b|->|→", gap) is not None
        return bool(boundary and over and event.start and event.course is not Course.ONGOING and (len(drugs) > 1 or said("switch", gap) or any(m.regimen for m in event.group.mentions)))
    if restated(event, gap) and drugs <= earlier:
        return False
    if not event.start and not boundary and active(line.drugs) < drugs and len(gap.split()) > 2 and not said("added", gap):
        return False  # the combination at hand, told in full
    if boundary or (said("stopped", gap) and (said("toxicity", gap) or _THEN.search(gap))):
        return True
    if _CELL_OR_ENGAGER & _modalities(drugs) and not said("added", gap):
        return True
    if _CELL_OR_ENGAGER & _modalities(active(line.drugs)) and len(drugs) > 1 and not drugs & active(line.drugs) and not said("added", gap):
        return True
    if line.transplant and len(event.drugs) == 1 and not event.start:
        return False
    several = len(event.drugs) > 1 and len(line.drugs) > 1
    set_off = re.search(r"[;|/]\s*[^;|,]{0,40}$|\n[^\n,]{0,40}$", gap) is not None
    if event.start and line.start:
        return event.start.latest - line.start.earliest > _FAR and (several or set_off or not line.transplant)
    return bool(several and (re.search(r"[,;|\n]|//", gap) or any(m.regimen for m in event.group.mentions))) or bool(_THEN.search(gap) and not line.transplant)


def _modalities(drugs: set[str]) -> set[str]:
    known = load_vocabulary().drugs
    return {known[d].modality for d in drugs if d in known}


def _open(event: Event) -> Line:
    line = Line([], [event])
    _take(line, event)
    return line


def _merge(event: Event, lines: list[Line]) -> None:
    """Part of the line at hand, unless it names drugs of an earlier one only, or a transplant of an earlier time."""
    line = lines[-1]
    drugs = active(event.drugs)
    if event.transplant and not drugs and "\n" in event.gap and not _numbered(event) and (
            any(known.transplant == event.transplant for known in lines[:-1]) or (event.start is None and (numbered_as(line.events[0]) or 0) > 1)):
        return  # a list of the transplants
    if not drugs <= set(line.drugs):
        if any(drugs <= set(known.drugs) for known in lines) or _exposure_list(event):
            return
        if line.product_only and not any(is_cell_product(d) for d in drugs):
            return
    if restated(event, event.gap) and (said("progression", event.gap) or said("relapse", event.gap)):
        line.ended = True
    line.events.append(event)
    after_transplant = bool(line.transplant) and len(drugs) == 1 and not restated(event, event.gap) and not _stop_follows(event)
    if (event.maintenance or after_transplant) and drugs and not _CONSOLIDATION.search(re.split(r"[.;,]\s|\n|->", event.gap)[-1][-30:] + event.after[:20]):
        line.maintenance.extend(d for d in event.drugs if d not in line.maintenance)
    _take(line, event)


def _take(line: Line, event: Event) -> None:
    if any(is_cell_product(d) for d in event.drugs):
        line.drugs = without_generic(dict.fromkeys([*(d for d in line.drugs if is_cell_product(d)), *(d for d in event.drugs if is_cell_product(d))]))
    elif not line.product_only and (active(event.drugs) or not line.drugs):
        line.drugs.extend(d for d in event.drugs if d not in line.drugs)
    if event.transplant and event.transplant != line.transplant:
        line.transplant = line.transplant or event.transplant


def dates_around(dates: Sequence[DateMention], starts: Sequence[int], text: str, place: tuple[int, int], low: int, high: int) -> tuple[PartialDate | None, PartialDate | None]:
    """(start, end) of a treatment at `place`, from the dates beside it within low..high: after it, else before it."""
    begin, stop = place
    at = bisect_left(starts, stop)
    following = dates[at] if at < len(dates) and dates[at].start < high else None
    previous = dates[bisect_left(starts, begin) - 1] if bisect_left(starts, begin) else None
    if previous is not None and (previous.start < low or _OF_ANOTHER.search(text[previous.end : begin]) or (
            previous.start - low < 4 and 0 < low < previous.start and not text[low : previous.start].strip(" (") and re.match(r"\s*[,)/]", text[previous.end : begin]))):
        previous = None  # the date of what was told before it
    if following is not None and (following.start - stop > 70 or re.search(r"[.;]\s|\n(?=.*\w)|\n\s*[-*•\d]", text[stop : following.start] + ".") or said("progression", text[stop : following.start]) or said("relapse", text[stop : following.start])):
        following = None
    lead = text[previous.end : begin] if previous is not None else ""
    if previous is not None and (len(lead) > 45 or "\n" in lead or (re.search(r"[.;]\s|\n\s*\n", lead) and lead.strip() not in (".", ":", "]", ")", "].", ");"))):
        previous = None
    if previous is not None and "\n" in text[max(0, previous.start - 14) : previous.start] and (
            not text[previous.end : begin].strip(" \t:|-–") or (following is not None and "\n" in text[stop : following.start])):
        following = None  # a column of dates leads the list
    if following is not None and (previous is None or following.start - stop <= begin - previous.end + 25):
        return following.date, _range_end(dates, at, text, high)
    if previous is not None:
        index = bisect_left(starts, begin) - 1
        first = dates[index - 1] if index and dates[index - 1].start >= low and _RANGE.fullmatch(text[dates[index - 1].end : previous.start]) else None
        return (first.date, previous.date) if first else (previous.date, None)
    return None, None


_OF_ANOTHER = re.compile(r"→|-+>|=>|\)\s*[/,;+]")
_RANGE = re.compile(r"\s*(?:-+>?|–|—|→|~|to|until|till|til|through|thru|up to|and)\s*(?:the end of|end of|early|late|mid)?\s*", re.IGNORECASE)


def _range_end(dates: Sequence[DateMention], at: int, text: str, high: int) -> PartialDate | None:
    if at + 1 < len(dates) and dates[at + 1].start < high and _RANGE.fullmatch(text[dates[at].end : dates[at + 1].start]):
        return dates[at + 1].date
    return None
