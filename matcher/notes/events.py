"""A combination as the note tells of it: its course, its dates, its number and the words around it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from matcher.domain import Course, Evidence, PartialDate
from matcher.notes.document import Document
from matcher.notes.signals import Signal, Signals
from matcher.notes.treatments import Group
from models import load_vocabulary

STEROIDS = frozenset({"dexamethasone", "prednisone", "prednisolone", "methylprednisolone"})
_OTHER_CANCERS = ("hormonal_therapy", "jak_inhibitor", "radiopharmaceutical_therapy", "checkpoint_inhibitor", "fluoropyrimidine", "taxane", "antifolate")
_CLAUSE = re.compile(r"[.;,\n→-](?:(?<=[\n→])|(?<=[.;,])(?<![ (]T.)\s|(?<=-)>)")  # "T. lenalidomide" is a tablet
_ITEM = re.compile(r"[ \t|*•-]*(?:#?\d{1,2}(?:[.):]\s|\s*\||\s{2,}|\t)|#\d{1,2}\s|(?:X{0,3}(?:IX|IV|V?I{1,3}|V|X))[.):]\s|[a-h][.)]\s|L\d{1,2}\b)", re.IGNORECASE)
_MARK_LEAD = 140  # characters before a name in which the number of its line stands
_PRIOR_HEAD = re.compile(r"[^.;\n]{0,80}[:=-]\s*(?:\(?1[.):]|#1|L1:?)?\s*$|[^.;\n]{0,30}(?:regimen|therap|treatment|line)[^.;\n]{0,20}$", re.IGNORECASE)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


@lru_cache(maxsize=4096)
def counts_in_line(drug: str) -> bool:
    """Whether a drug is anti-myeloma (or another cancer drug, for lines of an other plasma cell disease), steroids included."""
    known = load_vocabulary().drugs.get(drug)
    if drug in STEROIDS or known is None:
        return True
    return known.antineoplastic and not any(load_vocabulary().is_a(drug, c) for c in _OTHER_CANCERS)


def active(drugs: Iterable[str]) -> frozenset[str]:
    """Of a combination the drugs that are no steroids."""
    return _active(tuple(drugs))


@lru_cache(maxsize=4096)
def _active(drugs: tuple[str, ...]) -> frozenset[str]:
    return frozenset(drugs) - STEROIDS


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

    @cached_property
    def evidence(self) -> Evidence:
        """The words that name it."""
        return self.doc.evidence(self.group.start, self.group.end)

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
    def active(self) -> frozenset[str]:
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
        if self.at_once("unfailed_after") or self.at_once("caused_after") or self.at_once("exposure_after") or self._two_of_a_class:
            return True
        text, start = self.doc.text, self.group.start
        if (head := self.signals.last("exposure", max(self.low, start - 60), start)) and re.fullmatch(r"[^\w.;\n]*(?:(?!admi|here|seen|start|now)\w+[^\w.;\n]*){0,4}", text[head.end : start]):
            return True
        if (head := self.signals.last("exposure_to", max(self.low, start - 120), start)) and not re.search(r"[.;\n]", text[head.end : start]):
            return True
        harm = self.signals.last("toxicity_of", max(self.low, start - 60), start)
        return harm is not None and re.fullmatch(r"\s*(?:\w+\s+)?", text[harm.end : start]) is not None

    @property
    def _two_of_a_class(self) -> bool:
        """Three drugs or more that nobody combines: two of them are of one class."""
        if len(self.active) < 3 or self.is_regimen:
            return False
        vocabulary = load_vocabulary().drugs
        classes = [c for d in self.active if d in vocabulary for c in vocabulary[d].classes if c in ("proteasome_inhibitor", "imid", "anti_cd38")]
        return len(classes) != len(set(classes))

    @cached_property
    def restated(self) -> bool:
        """Named as what the disease progressed on, or what was stopped: no new start."""
        told = self.up_to("tells_of")
        begun = told is not None and (self.up_to("then") or self.signals.up_to("begun", told.start, self.low)) is not None  # "after that X", "started on X"
        return (told is not None and not begun) or self.at_once("recalled") is not None or self.in_exposure_list

    @property
    def heads_prior(self) -> bool:
        """Below "prior therapy:", where what came before the treatment told first stands."""
        head = self.signals.last("prior_list", max(self.low, self.group.start - 110), self.group.start)
        return head is not None and _PRIOR_HEAD.match(self.doc.text[head.end : self.group.start]) is not None

    @property
    def before_it(self) -> bool:
        """Said to have come before what is told before it: "before that X"."""
        found = self.signals.last("before_it", max(self.low, self.group.start - 60), self.group.start)
        return found is not None and not self.doc.text[found.end : self.group.start].strip(" :,")


def _mark(kind: str, words: str) -> Mark:
    if kind != "ordinal":
        return Mark(int(re.sub(r"\D", "", words)) if "#" in words else None, False)
    digits = re.search(r"\d{1,2}", words)
    number = int(digits.group()) if digits else next((n for n, word in enumerate(_ORDINALS, 1) if words.lower().startswith(word)), None)
    return Mark(number, re.search(r"line|\bL(?:OT)? ?-?\d", words, re.IGNORECASE) is not None)
