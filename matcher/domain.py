"""The shared language: what a note says, what a trial asks, how an answer is given. Imports nothing of ours.

Everything here is an immutable value. Names of concepts (conditions, drugs, therapies, labs) are ids of the
vocabulary; units are UCUM codes; offsets count characters of the note, or of the trial document, as received.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Literal, TypeAlias


class EligoError(Exception):
    """Root of the errors a caller can mend; the message says what is wrong with which input and what to do."""


class Truth(StrEnum):
    """Kleene's three values, of a statement about the patient. UNKNOWN: the note is silent or does not settle it."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"

    def __invert__(self) -> Truth:
        return {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE, Truth.UNKNOWN: Truth.UNKNOWN}[self]


class Status(StrEnum):
    """How the note asserts a condition (annotation guidelines)."""

    PRESENT = "present"
    HISTORICAL = "historical"
    ABSENT = "absent"
    FAMILY = "family"
    POSSIBLE = "possible"


class Course(StrEnum):
    """How the note asserts a treatment. Only GIVEN and ONGOING are exposure."""

    GIVEN = "given"
    ONGOING = "ongoing"
    PLANNED = "planned"  # scheduled, referred for, discussed, considered, screened, collected and not infused
    DECLINED = "declined"
    ABSENT = "absent"  # the note says it was never given
    FAMILY = "family"
    POSSIBLE = "possible"  # may have been given; the note cannot tell


class Outcome(StrEnum):
    """Of a criterion, about eligibility: SATISFIED speaks for enrolling."""

    SATISFIED = "satisfied"
    VIOLATED = "violated"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    INCLUSION = "inclusion"
    EXCLUSION = "exclusion"


class Verdict(StrEnum):
    ELIGIBLE = "eligible"
    POSSIBLE = "possible"
    INELIGIBLE = "ineligible"


@dataclass(frozen=True, slots=True, order=True)
class Evidence:
    """The exact words a fact rests on: `note[start:end] == text`, always."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, order=True)
class PartialDate:
    """A date as precise as the note gives it: a year, a month, or a day. `str()` is YYYY, YYYY-MM or YYYY-MM-DD."""

    year: int
    month: int = 0  # 0: not given
    day: int = 0

    def __post_init__(self) -> None:
        if self.day and not self.month:
            raise ValueError("a day needs a month")
        date(self.year, self.month or 1, self.day or 1)  # ValueError on a date that does not exist

    @classmethod
    def of(cls, value: date) -> PartialDate:
        return cls(value.year, value.month, value.day)

    @classmethod
    def parse(cls, text: str) -> PartialDate:
        return cls(*(int(part) for part in text.split("-")))

    @property
    def earliest(self) -> date:
        return date(self.year, self.month or 1, self.day or 1)

    @property
    def latest(self) -> date:
        month = self.month or 12
        return date(self.year, month, self.day or calendar.monthrange(self.year, month)[1])

    def __str__(self) -> str:
        return "-".join([f"{self.year:04d}"] + [f"{part:02d}" for part in (self.month, self.day) if part])


Evidences: TypeAlias = tuple[Evidence, ...]
Qualifiers: TypeAlias = tuple[tuple[str, str], ...]  # sorted pairs, e.g. (("nyha", "3"), ("severity", "severe"))


# ---------------------------------------------------------------- what a note says


@dataclass(frozen=True, slots=True)
class ConditionFact:
    """One condition the note speaks of. `date`: onset or event; `until`: last known treatment of it, or resolution.

    Qualifiers in use: nyha 1-4, grade 0-5 (CTCAE, GVHD), stage, severity mild|moderate|severe, control
    controlled|uncontrolled, acuity acute|chronic, treatment (what it needs: systemic|none|..., or given), duration (days it has
    lasted so far, where the note says how long and not since when), activity active|inactive (autoimmune diseases).
    """

    id: str
    status: Status
    evidence: Evidences
    date: PartialDate | None = None
    until: PartialDate | None = None
    qualifiers: Qualifiers = ()


@dataclass(frozen=True, slots=True)
class Lab:
    """A measurement in the canonical unit of its test. `comparator`: one of < <= >= > where the note gives a bound.

    `condition`: what a saturation was measured on, "room air" or "on oxygen", where the note says; how a value that is not in
    the note was calculated.
    """

    test: str
    value: float
    unit: str
    evidence: Evidences
    date: PartialDate | None = None
    comparator: str | None = None
    upper_normal: float | None = None  # the note's own reference range, canonical unit
    lower_normal: float | None = None
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Treatment:
    """One exposure (or planned, declined, denied exposure) to a drug, class or procedure, in a line or not.

    `agent` is a drug id (INN) or a therapy id. `purpose`: myeloma, or what else it was for where the note says
    (a condition id, prophylaxis, supportive, conditioning, bridging, lymphodepletion).
    """

    agent: str
    course: Course
    evidence: Evidences
    start: PartialDate | None = None
    end: PartialDate | None = None  # last dose; None with ONGOING
    line: int | None = None  # number of the line it belongs to
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class TherapyLine:
    """A line of therapy (Rajkumar et al., Blood 2015). `drugs` are INNs, in the order given."""

    number: int
    drugs: tuple[str, ...]
    evidence: Evidences
    regimen: str | None = None
    transplant: Literal["autologous", "allogeneic"] | None = None
    start: PartialDate | None = None
    end: PartialDate | None = None
    best_response: str | None = None  # sCR CR VGPR PR MR SD PD
    reason_stopped: str | None = None  # progression toxicity completion preference other


@dataclass(frozen=True, slots=True)
class BcmaAgent:
    agent: str
    modality: Literal["car_t", "bispecific_antibody", "antibody_drug_conjugate"]
    evidence: Evidences
    date: PartialDate | None = None


@dataclass(frozen=True, slots=True)
class BcmaExposure:
    """`exposed`, `naive` (said in words, or a complete history without one) or `unknown`."""

    status: Literal["exposed", "naive", "unknown"]
    agents: tuple[BcmaAgent, ...] = ()
    evidence: Evidences = ()


@dataclass(frozen=True, slots=True)
class Transplant:
    type: Literal["autologous", "allogeneic"]
    evidence: Evidences
    date: PartialDate | None = None


@dataclass(frozen=True, slots=True)
class Allergy:
    """`substance`: a drug id or a plain name; with ABSENT "any" where no drug allergies are known, "all" where none of any kind."""

    substance: str
    status: Status
    evidence: Evidences
    severity: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A single value with the words it was read from (age, sex, ECOG, disease state, number of lines ...).

    `comparator`: one of < <= >= > where the note gives a bound ("life expectancy of more than 6 months").
    """

    value: Any
    evidence: Evidences = ()
    date: PartialDate | None = None
    comparator: str | None = None


@dataclass(frozen=True, slots=True)
class PatientProfile:
    """All that one note says. A None reading, or a concept in no tuple, means that the note is silent."""

    note_id: str
    note_date: date | None = None
    age_years: Reading | None = None  # int
    sex: Reading | None = None  # "female" | "male"
    conditions: tuple[ConditionFact, ...] = ()  # one entry a condition id
    disease_state: Reading | None = None
    n_lines: Reading | None = None  # int
    lines: tuple[TherapyLine, ...] = ()
    refractory_to: tuple[Reading, ...] = ()  # value: INN; corticosteroids included where said
    bcma: BcmaExposure = BcmaExposure("unknown")
    transplants: tuple[Transplant, ...] = ()
    labs: tuple[Lab, ...] = ()  # every dated value; `latest` gives the current one
    ecog: Reading | None = None  # int
    kps: Reading | None = None  # int
    treatments: tuple[Treatment, ...] = ()  # the exposure ledger: every drug, class, procedure, in a line or not
    allergies: tuple[Allergy, ...] = ()
    life_expectancy_days: Reading | None = None
    complete_history: Reading | None = None  # True where the note states the complete treatment history
    flags: tuple[Reading, ...] = ()  # contradictions and doubts a reader should see, value: a sentence
    text: str = ""  # the note as received

    def condition(self, concept: str) -> ConditionFact | None:
        return next((c for c in self.conditions if c.id == concept), None)

    def latest(self, test: str) -> Lab | None:
        """The most recent value of a test; of equal dates the later in the note."""
        found = [lab for lab in self.labs if lab.test == test]
        return max(enumerate(found), key=lambda p: (str(p[1].date or ""), p[0]))[1] if found else None


# ---------------------------------------------------------------- what a trial asks

Op: TypeAlias = Literal["<", "<=", "=", ">=", ">"]


@dataclass(frozen=True, slots=True)
class Window:
    """When a statement must have held, in days (a month 30, a year 365, a week 7), counted back from the note's date.

    `within`: in the last `days` ("within 6 months", "in the past 2 years", "less than 12 weeks before").
    `before`: more than `days` ago ("at least 5 years ago"). `current`: now. `ever` is no window at all.
    `anchor`: what the document counts from (consent, infusion, enrollment ...), for the reason.
    """

    relation: Literal["within", "before", "current"]
    days: int | None = None
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A number against a limit: `hemoglobin > 8 g/dL`, `ecog <= 1`, `prior_lines >= 3`, `days_since of radiotherapy >= 14`.

    `fact`: a lab or vital id, or age, ecog, kps, life_expectancy, prior_lines, days_since, or another snake_case score.
    `x_uln`/`x_lln`: value is a multiple of the limit of normal and unit is "1". `of`: what days_since counts from.
    """

    fact: str
    op: Op
    value: float
    unit: str | None
    x_uln: bool = False
    x_lln: bool = False
    of: str | None = None
    window: Window | None = None


PresenceFact: TypeAlias = Literal[
    "condition", "disease", "disease_state", "prior_therapy", "refractory_to", "measurable_disease", "allergy", "sex",
    "intolerant_to", "response", "expression",
]


@dataclass(frozen=True, slots=True)
class Presence:
    """A statement that something is there. `value`: an id of the vocabulary (any descendant counts), or a snake_case name.

    `disease`: the malignancy the trial is for. `disease_state`: relapsed, refractory, relapsed_refractory (either),
    newly_diagnosed, progressive ... `response`: sCR .. PD to the last line. `expression`: a marker, e.g. bcma, cd138.
    `qualifiers`: the statement's own limits, in the words of ConditionFact (nyha ">=3", grade ">=2", severity, control
    uncontrolled, treatment systemic, relative yes: of a relative ...); a value may carry an operator. `excluding`: ids that do not count.
    A qualifier the evaluator has no fact for makes a true presence unknown, and leaves a false one false.
    """

    fact: PresenceFact
    value: str
    window: Window | None = None
    qualifiers: Qualifiers = ()
    excluding: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Expression


@dataclass(frozen=True, slots=True)
class AtLeast:
    n: int
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AtScreening:
    """Consent, willingness, contraception, compliance, discretion: no note settles it. Always unknown."""

    text: str


@dataclass(frozen=True, slots=True)
class Unparsed:
    """Words that did not become logic. Always unknown; never dropped."""

    text: str


Expression: TypeAlias = Comparison | Presence | AllOf | AnyOf | Not | AtLeast | AtScreening | Unparsed


@dataclass(frozen=True, slots=True)
class Criterion:
    """One item as the document lists it; `document[start:end] == text`.

    `expression` says what the item says about the patient; that an exclusion excludes is the role of `kind`, not of the
    expression. A subgroup item ("women of childbearing potential must ...") is AnyOf(Not(subgroup), demand).
    """

    id: str  # I1.. E1.. in the document's order
    kind: Kind
    text: str
    start: int
    end: int
    expression: Expression
    assessable: bool  # can a note settle it at all
    cohort: str | None = None  # the arm or cohort it is limited to, as the document names it
    topic: str | None = None  # what it is about, one of models.criteria_classifier.TOPICS; None where that is not clear


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial as read. `source`: file name. Ages in years. `criteria` empty where the document lists none."""

    trial_id: str
    source: str
    title: str
    criteria: tuple[Criterion, ...] = ()
    conditions: tuple[str, ...] = ()  # condition ids
    condition_names: tuple[str, ...] = ()  # as the document gives them
    phase: str | None = None
    status: str | None = None  # recruiting, terminated ...: lower case, as the registry says
    min_age: float | None = None
    max_age: float | None = None
    sex: Literal["all", "female", "male"] | None = None
    healthy_volunteers: bool | None = None
    interventions: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()  # target ids, e.g. bcma
    sponsor: str | None = None
    locations: tuple[str, ...] = ()  # "City, Country"
    summary: str | None = None
    disease: Expression | None = None  # the population from title/conditions, used for documents without criteria and for ranking
    notices: tuple[str, ...] = ()  # "the document lists no criteria", "structured and written age limits disagree" ...


# ---------------------------------------------------------------- how an answer is given


@dataclass(frozen=True, slots=True)
class Finding:
    """The truth of an expression for a patient, with a reason a clinician can read and the note's words."""

    truth: Truth
    reason: str
    evidence: Evidences = ()
    missing: tuple[str, ...] = ()  # facts that would settle an unknown: "hemoglobin", "condition:hiv_infection" ...
    presumed: bool = False  # the policy for what a note does not mention decided it


@dataclass(frozen=True, slots=True)
class CriterionResult:
    criterion: Criterion
    outcome: Outcome
    reason: str
    evidence: Evidences = ()
    missing: tuple[str, ...] = ()
    presumed: bool = False


@dataclass(frozen=True, slots=True)
class TrialMatch:
    trial: Trial
    verdict: Verdict
    score: float  # 0..1
    rank: int
    results: tuple[CriterionResult, ...] = ()
    notices: tuple[str, ...] = ()
    relevance: float = 1.0  # 0..1, how much the trial is about this patient


@dataclass(frozen=True, slots=True)
class MatchReport:
    profile: PatientProfile
    matches: tuple[TrialMatch, ...]
    as_of: date | None = None
    unmentioned: Literal["unknown", "absent"] = "unknown"
    questions: tuple[tuple[str, int], ...] = field(default=())  # what to ask next: fact, number of trials it would settle
