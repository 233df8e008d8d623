"""The patient's chart: a profile indexed once, so that hundreds of trials can ask it the same things."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from typing import Any, Literal, TypeAlias, TypeVar

from matcher.domain import (
    ConditionFact,
    Course,
    Evidences,
    PartialDate,
    PatientProfile,
    Status,
    Treatment,
    Truth,
    Window,
)
from models import Vocabulary, load_vocabulary

_T = TypeVar("_T")
Unmentioned: TypeAlias = Literal["unknown", "absent"]
Days: TypeAlias = tuple[float, float]  # at least, at most
NEVER: Days = (float("inf"), float("inf"))
DISPUTED: Days = (0, float("inf"))  # told as ended in one place and as being taken in another
_RECENT = 365  # days; "recent" and "within 5 half-lives" reach no further: of the antibodies that stay longest five are 5 months (Ryman & Meibohm, CPT 2017;6:576)
# Given on one day: the first day is the last.
_ONCE = ("stem_cell_transplant", "cell_therapy", "vaccine", "surgery", "lymphodepletion", "conditioning_regimen", "leukapheresis", "bridging_therapy")
_COURSE = 63  # days of the longest course of external radiotherapy in use: 81 Gy in 45 fractions (Zelefsky, J Urol 2001)
_AS_THERAPY = {"oxygen_dependence": "oxygen_therapy", "coronary_revascularization": "coronary_revascularization_procedure"}
_COMPLETE = ("systemic_anticancer_therapy", "cell_therapy", "stem_cell_transplant", "antibody_therapy", "anti_myeloma_therapy")
_OUTSIDE_LINES = ("autologous_transplant", "allogeneic_transplant", "stem_cell_transplant", "high_dose_chemotherapy", "donor_lymphocyte_infusion")
STEM_CELLS = {"autologous": "autologous_transplant", "allogeneic": "allogeneic_transplant"}


@dataclass(frozen=True, slots=True)
class Exposure:
    """One treatment that was given. `since`: days since the last dose, at least and at most."""

    agent: str
    ongoing: bool
    since: Days
    evidence: Evidences
    start: PartialDate | None = None
    end: PartialDate | None = None
    line: int | None = None
    purpose: str | None = None


@dataclass(frozen=True)
class Chart:
    """`today` is what windows count back from: `as_of`, else the note's date; None leaves windows open."""

    profile: PatientProfile
    today: date | None = None
    unmentioned: Unmentioned = "unknown"

    @classmethod
    def of(cls, profile: PatientProfile, as_of: date | None = None, unmentioned: Unmentioned = "unknown") -> Chart:
        return cls(profile, as_of or profile.note_date, unmentioned)

    @cached_property
    def strict(self) -> Chart:
        """The same patient where nothing is presumed."""
        return replace(self, unmentioned="unknown")

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return load_vocabulary()

    @property
    def sex(self) -> str | None:
        return self.profile.sex.value if self.profile.sex else None

    @property
    def age(self) -> int | None:
        return self.profile.age_years.value if self.profile.age_years else None

    @cached_property
    def answers(self) -> dict[Any, Any]:
        """Answers to atoms already asked of this chart; trials ask the same things."""
        return {}

    # ---- conditions

    @cached_property
    def conditions(self) -> Mapping[str, tuple[ConditionFact, ...]]:
        """The patient's own conditions (present, historical, possible) under each concept that covers them."""
        own = (*self.profile.conditions, *self._allergies)
        return _by_ancestor(self.vocabulary, ((f.id, f) for f in own if f.status not in (Status.ABSENT, Status.FAMILY)))

    @cached_property
    def denied(self) -> Mapping[str, ConditionFact]:
        """The conditions the note rules out."""
        return {f.id: f for f in (*self._allergies, *self.profile.conditions) if f.status is Status.ABSENT}

    @cached_property
    def _allergies(self) -> tuple[ConditionFact, ...]:
        """The allergies that the vocabulary names as conditions ("sulfa allergy"), and the groups that the note denies."""
        told = {f.id for f in self.profile.conditions}
        groups = {"any": "drug_allergy", "all": "allergy"}
        named = (
            (groups.get(a.substance) if a.status is Status.ABSENT else allergy_to(a.substance), a)
            for a in self.profile.allergies
            if a.severity != "intolerance"
        )
        return tuple(ConditionFact(concept, a.status, a.evidence) for concept, a in named if concept and concept not in told)

    @cached_property
    def relatives(self) -> Mapping[str, tuple[ConditionFact, ...]]:
        return _by_ancestor(self.vocabulary, ((f.id, f) for f in self.profile.conditions if f.status is Status.FAMILY))

    @cached_property
    def malignancies(self) -> tuple[ConditionFact, ...]:
        """The malignancies the patient has now, and those plasma cell disorders that are none yet."""
        return tuple(
            f
            for f in self.profile.conditions
            if f.status is Status.PRESENT and (self.vocabulary.is_a(f.id, "malignancy") or self.vocabulary.is_a(f.id, "plasma_cell_disorder"))
        )

    @cached_property
    def primaries(self) -> tuple[str, ...]:
        """The malignancies by their most specific names; of a primary that is known, the metastases say no more."""
        ids = tuple(dict.fromkeys(f.id for f in self.malignancies))
        known = [i for i in ids if not self.vocabulary.is_a(i, "metastatic_disease") and i != "cns_involvement"] or ids
        return tuple(i for i in known if not any(i != other and self.vocabulary.is_a(other, i) for other in known))

    # ---- treatments

    @cached_property
    def exposures(self) -> tuple[Exposure, ...]:
        """Everything that was given, with the time since its last dose. A mention without a date, of what has one elsewhere,
        adds nothing, nor does an unnamed product beside a named one of its class; a cancer drug outside the lines belongs to
        what came before the last line ended."""
        named = self._named()
        placed = {e.agent for e in named if e.start or e.end or e.ongoing or e.line is not None}
        going_on = {(e.agent, e.start) for e in named if e.ongoing}
        products = {c for e in named if not e.agent.startswith("anti-") and (drug := self.vocabulary.drugs.get(e.agent)) for c in drug.classes}
        named = [e for e in named if not (e.agent.startswith("anti-") and self.product_class(e.agent) in products)]
        dated_once = {e.agent for e in named if e.end and self._once(e.agent)}
        named = [e for e in named if e.ongoing or e.end or (e.agent, e.start) not in going_on]
        kept = [e for e in named if e.end or (e.agent not in dated_once and (e.start or e.ongoing or e.line is not None or e.agent not in placed))]
        floor = min((e.since[0] for e in kept if e.line is not None and e.line == self._last_line), default=0)
        return tuple(
            replace(e, since=(floor, e.since[1]))
            if not (e.start or e.end or e.ongoing or e.line is not None) and e.agent in self.vocabulary.drugs and self.vocabulary.drugs[e.agent].antineoplastic
            else e
            for e in kept
        )

    @cached_property
    def _last_line(self) -> int | None:
        return max((line.number for line in self.profile.lines), default=None)

    def _named(self) -> list[Exposure]:
        profile = self.profile
        lines = {line.number: line for line in profile.lines}
        ended = {(t.agent, t.line) for t in profile.treatments if t.course is Course.GIVEN and t.end} | {(d, n) for n, line in lines.items() if line.end for d in line.drugs}
        found: list[Exposure] = []
        for t in profile.treatments:
            if t.course in (Course.GIVEN, Course.ONGOING) and not self._contradicted(t):
                line = lines.get(t.line) if t.line is not None else None
                once = self._once(t.agent)
                ongoing = t.course is Course.ONGOING and not once and not t.end
                end = t.end or (t.start if once else line.end if line and not ongoing else None)
                start = t.start or (line.start if line and not once else None)
                told = self._exposure(t.agent, ongoing, start, end, t.evidence, t.line, t.purpose)
                found.append(replace(told, since=DISPUTED) if ongoing and (t.agent, t.line) in ended else told)
        known = {(e.agent, e.line) for e in found}
        for line in profile.lines:
            for drug in line.drugs:
                if (drug, line.number) not in known:
                    found.append(self._exposure(drug, False, line.start, line.end, line.evidence, line.number, "myeloma"))
        agents = {e.agent for e in found}
        found += [self._exposure(STEM_CELLS[t.type], False, t.date, t.date, t.evidence, None, None) for t in profile.transplants]
        dated = {STEM_CELLS[t.type] for t in profile.transplants}
        found += [
            self._exposure(STEM_CELLS[line.transplant], False, line.start, None, line.evidence, line.number, None)
            for line in profile.lines
            if line.transplant and STEM_CELLS[line.transplant] not in dated
        ]
        found += [self._exposure(a.agent, False, a.date, None, a.evidence, None, "myeloma") for a in profile.bcma.agents if a.agent not in agents]
        found += [self._procedure(fact) for fact in profile.conditions if fact.status in (Status.PRESENT, Status.HISTORICAL) and self._therapy_of(fact)]
        return found

    def _contradicted(self, t: Treatment) -> bool:
        """The reading of BCMA exposure outranks a single mention of a BCMA product; and a class of cancer drugs that is named
        outside every line ("discussed CAR-T") is no exposure of its own, since each line lists its drugs."""
        if self.vocabulary.is_a(t.agent, "bcma"):
            return self.profile.bcma.status != "exposed"
        return bool(self.profile.lines) and t.line is None and t.agent not in self.vocabulary.drugs and t.agent not in _OUTSIDE_LINES and self.in_history(t.agent)

    def in_history(self, concept: str) -> bool:
        """Whether a complete treatment history would name it: cancer drugs, their classes and targets, cell and stem cell therapy."""
        vocabulary = self.vocabulary
        if concept in vocabulary.drugs:
            return vocabulary.drugs[concept].antineoplastic
        if any(vocabulary.is_a(concept, general) for general in _COMPLETE):
            return True
        therapy = vocabulary.therapies.get(concept)
        targeted = therapy is not None and therapy.kind == "target"
        return targeted and any(d in vocabulary.drugs and vocabulary.drugs[d].antineoplastic for d in vocabulary.descendants(concept))

    def _therapy_of(self, fact: ConditionFact) -> str | None:
        """The procedure that a condition names as well (dialysis, hysterectomy, home oxygen)."""
        return _AS_THERAPY.get(fact.id, fact.id if fact.id in self.vocabulary.therapies else None)

    def _procedure(self, fact: ConditionFact) -> Exposure:
        agent, ended = self._therapy_of(fact) or fact.id, fact.until or (fact.date if fact.status is Status.HISTORICAL else None)
        ongoing = fact.status is Status.PRESENT and not self._once(agent)
        return self._exposure(agent, ongoing, fact.date, None if ongoing else ended or fact.date, fact.evidence, None, None)

    def _once(self, agent: str) -> bool:
        return any(self.vocabulary.is_a(agent, kind) for kind in _ONCE)

    def _exposure(
        self, agent: str, ongoing: bool, start: PartialDate | None, end: PartialDate | None, evidence: Evidences, line: int | None, purpose: str | None
    ) -> Exposure:
        if start and end and start.earliest > end.latest:
            start = None  # of two dates that exclude each other the later one counts for windows
        least, most = self._since(ongoing, start, end, line)
        if start and not end and not ongoing and self.vocabulary.is_a(agent, "radiotherapy"):
            least = max(least, self.days_ago(start)[0] - _COURSE)
        return Exposure(agent, ongoing, (least, most), evidence, start, end, line, purpose)

    def _since(self, ongoing: bool, start: PartialDate | None, end: PartialDate | None, line: int | None) -> Days:
        if ongoing:
            return (0, 0)
        if self.today is None:
            return (0, float("inf"))
        if end is not None:
            return self.days_ago(end)
        at_most = self.days_ago(start)[1] if start else float("inf")
        return (min(self._next_line_began(line), at_most), at_most)

    def _next_line_began(self, line: int | None) -> float:
        """Days since the line after this one began, at least: a drug of an earlier line ended before it."""
        later = [x for x in self.profile.lines if line is not None and x.number > line]
        return max((self.days_ago(x.start)[0] for x in later if x.start), default=1 if later else 0)

    def product_class(self, concept: str) -> str:
        """An unnamed product ("anti-bcma car-t", "insulin") asks for its class, whichever product it was."""
        drug = self.vocabulary.drugs.get(concept)
        unnamed = drug is not None and bool(drug.classes) and (concept.startswith("anti-") or drug.classes[0] == f"{concept}_class")
        return drug.classes[0] if drug is not None and unnamed else concept

    @cached_property
    def given(self) -> Mapping[str, tuple[Exposure, ...]]:
        """Exposures under each drug, class, target, modality or procedure that covers them."""
        own = [(e.agent, e) for e in self.exposures]
        against_myeloma = [e for e in self.exposures if e.line is not None or e.purpose == "myeloma"]
        index = _by_ancestor(self.vocabulary, own)
        for general in ("anti_myeloma_therapy", "systemic_anticancer_therapy"):
            members = index.get(general, ())
            index[general] = members + tuple(e for e in against_myeloma if e not in members)
        return index

    @cached_property
    def not_given(self) -> Mapping[str, tuple[Treatment, ...]]:
        """Treatments the note names and that were not given (denied, planned, declined, possible), under each concept covering them."""
        doubted = (
            replace(t, course=Course.POSSIBLE)
            for t in self.profile.treatments
            if t.course in (Course.GIVEN, Course.ONGOING) and self._contradicted(t) and not (self.profile.bcma.status == "naive" and self.vocabulary.is_a(t.agent, "bcma"))
        )
        named = (t for t in self.profile.treatments if t.course not in (Course.GIVEN, Course.ONGOING))
        return _by_ancestor(self.vocabulary, ((t.agent, t) for t in (*doubted, *named)))

    @cached_property
    def never_treated(self) -> bool:
        return self.profile.n_lines is not None and self.profile.n_lines.value == 0 and not self.profile.lines

    @cached_property
    def complete_history(self) -> bool:
        return bool(self.profile.complete_history and self.profile.complete_history.value) or self.never_treated

    # ---- time

    def days_ago(self, when: PartialDate) -> Days:
        """How long ago a date was, at least and at most; (0, inf) where the note has no date to count from."""
        if self.today is None:
            return (0, float("inf"))
        return (max(0, (self.today - when.latest).days), max(0, (self.today - when.earliest).days))


@lru_cache(maxsize=1)
def _allergy_names() -> Mapping[str, str]:
    vocabulary = load_vocabulary()
    return {name.casefold(): c.id for c in vocabulary.conditions.values() if vocabulary.is_a(c.id, "allergy") for name in (c.name, *c.aliases)}


@lru_cache(maxsize=512)
def allergy_to(substance: str) -> str | None:
    """The condition that an allergy to a substance, a drug or a class of drugs is: "sulfa", "peanuts", amoxicillin."""
    vocabulary = load_vocabulary()
    names = [substance.casefold().replace("_", " "), substance.casefold().removesuffix("s")]
    classes = (vocabulary.therapies[c] for c in sorted(vocabulary.ancestors(substance)) if c in vocabulary.therapies)
    names += [name.casefold() for c in classes for name in (c.name, *c.aliases)]
    known = _allergy_names()
    return next((known[f"{name} allergy"] for name in names if f"{name} allergy" in known), None)


def in_window(since: Days, window: Window | None) -> Truth:
    """Whether something that long ago falls into a window. `current` means today."""
    if window is None:
        return Truth.TRUE
    least, most = since
    if window.relation == "within" and window.days is None:
        return Truth.TRUE if most <= 0 else Truth.FALSE if least > _RECENT else Truth.UNKNOWN
    if window.relation == "current" or window.days is None:
        return Truth.TRUE if most <= 0 else Truth.FALSE if least > 0 else Truth.UNKNOWN
    if window.relation == "within":
        return Truth.TRUE if most <= window.days else Truth.FALSE if least > window.days else Truth.UNKNOWN
    return Truth.TRUE if least >= window.days else Truth.FALSE if most < window.days else Truth.UNKNOWN


def _by_ancestor(vocabulary: Vocabulary, members: Iterable[tuple[str, _T]]) -> dict[str, tuple[_T, ...]]:
    index: dict[str, list[_T]] = {}
    for concept, member in members:
        for general in vocabulary.ancestors(concept):
            index.setdefault(general, []).append(member)
    return {general: tuple(found) for general, found in index.items()}
