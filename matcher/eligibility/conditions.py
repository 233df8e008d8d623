"""Is a condition there: by hierarchy, status, time, severity; and what sex, age and lab values settle by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from matcher.domain import ConditionFact, Evidences, Presence, Qualifiers, Status, Truth, Window
from matcher.eligibility.chart import Chart, in_window
from matcher.eligibility.markers import by_definition
from matcher.eligibility.measurements import Interval, holds, measurement
from matcher.eligibility.organs import organ_dysfunction
from matcher.eligibility.reasons import (
    Answer,
    Said,
    capitalised,
    denied,
    duration,
    evidence_of,
    false,
    listing,
    name_of,
    number,
    on,
    silent,
    test_name,
    together,
    true,
    unit_of,
    unsettled,
)
from matcher.eligibility.therapies import never_given
from models.limits import load_limits
from models.presumptions import load_presumptions

SEVERITIES = ("mild", "moderate", "severe")
_FERTILITY = ("pregnancy", "breastfeeding", "childbearing_potential")
_MENOPAUSE = 60  # annotation guidelines: women of 60 and above
_MENARCHE = 9
# Ages in years, from and before: ICH E11(R1) for newborns, children (2-11, here with adolescents) and adolescents; WHO for older people.
LIFE_STAGES = {"newborn": (0, 28 / 365), "infant": (0, 2), "child": (0, 18), "adolescent": (12, 18), "adult": (18, float("inf")), "older_adult": (65, float("inf"))}
_NOT_OF_WOMEN = ("male_genital_disease", "prostate_cancer", "testicular_cancer", "penile_cancer")
_NOT_OF_MEN = ("gynecologic_disease", "gynecologic_cancer", "pregnancy_complication", "pregnancy", "breastfeeding")
# A note that lists one of these has reviewed the whole group: annotators take the list of other cancers, or of autoimmune diseases, as complete.
_LISTED = ("malignancy", "autoimmune_disease")
_SEVERAL = ("indwelling_catheter",)  # one that was removed leaves open whether another is in place
_PASSING = (*_FERTILITY, *_SEVERAL, "fever")
_STAYING = ("autoimmune_disease", "cns_involvement")
_SUPPRESSANTS = ("immunosuppressant", "dmard", "biologic_dmard", "systemic_corticosteroid")
_LASTING = ("hiv_infection", "hepatitis_b", "hepatitis_c", "tuberculosis", "syphilis", "mycobacterial_infection", "viral_hepatitis")


def condition(asked: Presence, chart: Chart) -> Answer:
    """The answer to "the patient has X" (in the window, of that severity). What the note does not speak of is unknown."""
    value = asked.value
    if ("relative", "yes") in asked.qualifiers:
        return _of_relatives(value, chart)
    if value in _FERTILITY and (settled := _infertile(value, chart)) is not None:
        return settled
    if (wrong_sex := _of_the_other_sex(value, chart)) is not None:
        return wrong_sex
    if value in LIFE_STAGES:
        return _life_stage(value, chart)
    if value in ("good_health", "acute_illness"):
        return _illness(value, chart)
    if value == "treatment_toxicity":
        return _treatment_toxicity(asked, chart)
    if value == "minimal_residual_disease" and (clonal := chart.conditions.get("cd138_positive")):
        return true("CD138-positive plasma cells", clonal[0].evidence)  # annotation guidelines
    own = _counted(asked, chart)
    judged = [_one(f, asked, chart) for f in own]
    if found := [a for a in judged if a.truth is Truth.TRUE]:
        return together(Truth.TRUE, found)
    if not own and (defined := by_definition(value, chart)) is not None:
        return defined
    ruled_out = _ruled_out(value, chart)
    if ruled_out is not None and not any(f.id == value for f in own):
        doubtful = [a for f, a in zip(own, judged, strict=True) if a.truth is Truth.UNKNOWN and (f.status is not Status.HISTORICAL or f.until or f.date)]
        return together(Truth.UNKNOWN, doubtful) if doubtful else ruled_out
    if (organ := organ_dysfunction(asked, chart)) is not None and organ.truth is not Truth.UNKNOWN:
        return organ
    if open_ := [a for a in judged if a.truth is Truth.UNKNOWN]:
        return together(Truth.UNKNOWN, open_)
    if judged and (any(f.id == value for f in own) or any(chart.vocabulary.is_a(value, group) for group in _LISTED)):
        return together(Truth.FALSE, judged)
    if (measured := _by_measurement(asked, chart)) is not None:
        return measured
    if not judged and (permitted := _only_permitted(asked, chart)) is not None:
        return permitted
    return _follows(asked, chart) or _contradicted(value, chart) or organ or _not_said(value, chart)


def _of_relatives(value: str, chart: Chart) -> Answer:
    related = chart.relatives.get(value, ())
    if related:
        return together(Truth.TRUE, [true(f"{name_of(f.id)} in a relative", f.evidence) for f in related])
    return silent(f"family history of {name_of(value)}", f"condition:{value}")


def _counted(asked: Presence, chart: Chart) -> list[ConditionFact]:
    """The patient's conditions that the statement may mean: not what it excepts, nor the kind above it, told in the same words."""
    facts = chart.conditions.get(asked.value, ())
    if not asked.excluding:
        return list(facts)
    excepted = {e for f in facts if _excluded(f.id, asked, chart) for e in f.evidence}
    return [f for f in facts if not _excluded(f.id, asked, chart) and not (f.evidence and excepted.issuperset(f.evidence)) and not _may_be_excluded(f, asked, chart)]


def _excluded(concept: str, asked: Presence, chart: Chart) -> bool:
    """What the statement excepts; beside a malignancy also its own spread and the other names of its disease."""
    vocabulary = chart.vocabulary
    if any(vocabulary.is_a(concept, x) for x in asked.excluding):
        return True
    if not asked.excluding or asked.value not in ("malignancy", "neoplasm", "hematologic_malignancy", "solid_tumor"):
        return False
    plasma_cells = any(vocabulary.is_a(x, "plasma_cell_disorder") for x in asked.excluding)
    return vocabulary.is_a(concept, "metastatic_disease") or concept == "minimal_residual_disease" or (
        plasma_cells and vocabulary.is_a(concept, "plasma_cell_disorder"))


def _may_be_excluded(fact: ConditionFact, asked: Presence, chart: Chart) -> bool:
    """"Malignancy" said of a patient with myeloma is the myeloma, where the statement is about another one."""
    return fact.status is Status.PRESENT and any(chart.vocabulary.is_a(x, fact.id) for x in asked.excluding)


def _only_permitted(asked: Presence, chart: Chart) -> Answer | None:
    """Past tumours that are all excepted: a note that lists them has reviewed the group, and lists no other."""
    if asked.value not in _LISTED:
        return None
    listed = list(dict.fromkeys(f for x in asked.excluding for f in chart.conditions.get(x, ()) if f.status is Status.HISTORICAL))
    return together(Truth.FALSE, [false(f"{_shown(f)}, which is allowed", f.evidence) for f in listed]) if listed else None


# ---------------------------------------------------------------- one fact


def _one(fact: ConditionFact, asked: Presence, chart: Chart) -> Answer:
    """One own condition against the statement's status, time and severity."""
    name, missing = name_of(fact.id), f"condition:{asked.value}"
    shown = _shown(fact)
    if fact.status is Status.POSSIBLE:
        return unsettled(name, missing, fact.evidence, "possible, not confirmed")
    timing = Truth.FALSE if _healed(fact, asked.value, chart) else _timing(fact, asked.window, chart)
    if timing is Truth.FALSE and fact.id in _SEVERAL:
        return unsettled(shown, missing, fact.evidence, "the note does not say whether there is another")
    if timing is Truth.FALSE:
        return false(f"{shown}{_outside(fact, asked.window)}", fact.evidence)
    if asked.excluding and any(x not in chart.vocabulary.conditions for x in asked.excluding):
        return unsettled(shown, missing, fact.evidence, f"the note does not say whether it is {listing([name_of(x) for x in asked.excluding])}, which is allowed")
    worst = Truth.TRUE
    for key, wanted in (*asked.qualifiers, *_active(fact, asked, chart)):
        met = qualifies(dict(fact.qualifiers), key, wanted)
        if met is Truth.UNKNOWN and (key == "activity" or (key == "treatment" and wanted not in ("none", "no"))):
            met = _treated(fact, key, chart)
        if met is Truth.UNKNOWN and key == "control" and fact.status is Status.HISTORICAL:
            met = Truth.FALSE if wanted == "uncontrolled" else met
        if met is Truth.FALSE:
            return false(f"{shown}, not {_worded(key, wanted)}", fact.evidence)
        if met is Truth.UNKNOWN:
            worst, unstated = Truth.UNKNOWN, _worded(key, wanted)
    if timing is Truth.UNKNOWN:
        return unsettled(shown, missing, fact.evidence, "the note does not date it closely enough")
    if worst is Truth.UNKNOWN:
        return unsettled(shown, missing, fact.evidence, f"the note does not say whether {unstated}")
    return true(shown, fact.evidence)


def _active(fact: ConditionFact, asked: Presence, chart: Chart) -> Qualifiers:
    """An autoimmune disease lasts for life, and a treated metastasis of the brain stays to be seen: that it is active now has to
    be said, or to follow from its treatment."""
    now = asked.window is not None and asked.window.relation == "current"
    return (("activity", "active"),) if now and any(chart.vocabulary.is_a(fact.id, kind) for kind in _STAYING) else ()


def _shown(fact: ConditionFact) -> str:
    told = dict(fact.qualifiers)
    grade = "".join(f" {label} {told[key]}" for key, label in (("nyha", "NYHA"), ("grade", "grade"), ("stage", "stage")) if key in told)
    words = [told[key] for key in ("severity", "control", "acuity") if key in told and not name_of(fact.id).startswith(told[key])]
    name = " ".join([*words, name_of(fact.id)]) + grade
    if fact.status is Status.HISTORICAL:
        return f"past {name}{on(fact.until or fact.date)}"
    lasted = f" for {duration(float(told['duration']))}" if "duration" in told else ""
    return f"{name}{' since ' + str(fact.date) if fact.date else lasted}"


def _timing(fact: ConditionFact, window: Window | None, chart: Chart) -> Truth:
    """Without a window, what the patient had counts as had, but for what passes without trace: an infection that was cured,
    a pregnancy. What is present now is current, and within any window."""
    if fact.status is Status.PRESENT:
        if window is None or window.relation != "before":
            return Truth.TRUE
        if (lasted := dict(fact.qualifiers).get("duration")) is not None:
            return in_window((float(lasted), float(lasted)), window)
        return in_window(chart.days_ago(fact.date), window) if fact.date else Truth.UNKNOWN
    if window is None:
        return Truth.FALSE if fact.id in _PASSING or _passing_infection(fact.id, chart) else Truth.TRUE
    if window.relation == "current":
        return Truth.FALSE
    when = fact.until or fact.date
    return in_window(chart.days_ago(when), window) if when else Truth.UNKNOWN


def _healed(fact: ConditionFact, asked: str, chart: Chart) -> bool:
    """A past infection is no disease of the organ it was in."""
    vocabulary = chart.vocabulary
    organ = (known := vocabulary.conditions.get(asked)) is not None and known.course == "group" and not vocabulary.is_a(asked, "infectious_disease")
    return organ and fact.status is Status.HISTORICAL and vocabulary.is_a(fact.id, "infectious_disease")


def _passing_infection(concept: str, chart: Chart) -> bool:
    return chart.vocabulary.is_a(concept, "infectious_disease") and not any(chart.vocabulary.is_a(concept, x) for x in _LASTING)


def _outside(fact: ConditionFact, window: Window | None) -> str:
    if window is None or window.days is None or window.relation == "current":
        return ", not current"
    return f", {'more' if window.relation == 'within' else 'less'} than {duration(window.days)} ago"


def _treated(fact: ConditionFact, key: str, chart: Chart) -> Truth:
    """Systemic treatment that follows from the rest of the note: an infection that is active is treated (annotation
    guidelines), as is a malignancy that is not said to be watched; an autoimmune disease beside an immunosuppressant outside
    the lines of therapy is treated by it."""
    known = chart.vocabulary.conditions.get(fact.id)
    if (key == "treatment" and known and known.course == "malignancy") or (fact.status is Status.PRESENT and _passing_infection(fact.id, chart)):
        return Truth.TRUE
    if fact.status is Status.PRESENT and chart.vocabulary.is_a(fact.id, "autoimmune_disease"):
        drugs = [e for kind in _SUPPRESSANTS for e in chart.given.get(kind, ()) if e.line is None and not e.end and e.purpose in (None, fact.id)]
        if drugs:
            return Truth.TRUE
    return Truth.UNKNOWN


_LIMIT = re.compile(r"(<=|>=|<|>|=)?\s*(.+)", re.DOTALL)
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5}
_SYNONYMS = {"serious": "severe", "life-threatening": "severe", "major": "severe", "minor": "mild"}


def qualifies(told: dict[str, str], key: str, wanted: str) -> Truth:
    """Whether what the note tells of a condition meets one qualifier; unknown where it does not tell."""
    match = _LIMIT.fullmatch(wanted.strip())
    if key not in told or match is None:
        return Truth.UNKNOWN
    op, limit = match.group(1) or "=", match.group(2).strip().casefold()
    have = told[key].strip().casefold()
    have, limit = _SYNONYMS.get(have, have), _SYNONYMS.get(limit, limit)
    if (low := _rank(have)) is not None and (bound := _rank(limit)) is not None:
        return holds(Interval(low, low), op, bound)
    if key == "treatment" and op == "=" and limit not in ("none", "no"):
        return Truth.FALSE if have in ("none", "no", "topical", "local") else Truth.TRUE if have == limit else Truth.UNKNOWN
    if limit == "symptomatic" and have in SEVERITIES:
        return Truth.UNKNOWN
    if op == "=":
        return Truth.TRUE if have == limit else Truth.FALSE
    return Truth.UNKNOWN


def _rank(word: str) -> float | None:
    if word in SEVERITIES:
        return SEVERITIES.index(word)
    if word in _ROMAN:
        return _ROMAN[word]
    try:
        return float(word)
    except ValueError:
        return None


def _worded(key: str, wanted: str) -> str:
    wanted = wanted.replace(">=", "≥ ").replace("<=", "≤ ")
    if key == "duration":
        return f"lasting {wanted} days"
    if (key, wanted) == ("treatment", "none"):
        return "untreated"
    return f"NYHA {wanted}" if key == "nyha" else f"{key} {wanted}" if key in ("grade", "stage", "class") else f"needing {wanted} treatment" if key == "treatment" else wanted


# ---------------------------------------------------------------- what the note rules out


def _ruled_out(value: str, chart: Chart) -> Answer | None:
    """A denied condition, or a complete statement that covers it ("no history of cardiac disease")."""
    for concept in (value, *sorted(chart.vocabulary.ancestors(value) - {value})):
        if concept in chart.denied:
            return denied(name_of(concept), chart.denied[concept].evidence)
    infection = chart.denied.get("active_infection")
    if infection and _passing_infection(value, chart):
        return denied(name_of("active_infection"), infection.evidence)
    return None


def _follows(asked: Presence, chart: Chart) -> Answer | None:
    """What therapies settle: graft-versus-host disease needs a donor."""
    if chart.vocabulary.is_a(asked.value, "graft_versus_host_disease") and "allogeneic_transplant" not in chart.given:
        never = never_given("allogeneic_transplant", chart)
        return never and false("no allogeneic transplantation, so no graft-versus-host disease", never.evidence)
    return None


def _contradicted(value: str, chart: Chart) -> Answer | None:
    """A condition that another one of the note excludes, or shows (presumptions.csv)."""
    known = load_presumptions()
    for table, settled in ((known.excluded_by, false), (known.shown_by, true)):
        for fact in (f for other in table.get(value, ()) for f in chart.conditions.get(other, ())):
            if fact.status is Status.PRESENT or (fact.status is Status.HISTORICAL and settled is false):
                return settled(_shown(fact), fact.evidence)
    return None


def _infertile(value: str, chart: Chart) -> Answer | None:
    """Sex, age and surgery settle pregnancy, breastfeeding and childbearing (annotation guidelines)."""
    profile = chart.profile
    if chart.sex == "male":
        return false("male patient", evidence_of(profile.sex))
    if chart.age is not None and (chart.age >= _MENOPAUSE or chart.age < _MENARCHE):
        return false(f"age {chart.age}, not of childbearing potential", evidence_of(profile.age_years))
    if surgery := chart.given.get("hysterectomy"):
        return false("hysterectomy", surgery[0].evidence)
    for concept in ("hysterectomy", "postmenopausal", "menopause"):
        for fact in chart.conditions.get(concept, ()):
            if fact.status in (Status.PRESENT, Status.HISTORICAL):
                return false(name_of(concept), fact.evidence)
    return None


def _life_stage(value: str, chart: Chart) -> Answer:
    """Who is spoken of by age: "children", "adults"."""
    low, high = LIFE_STAGES[value]
    if chart.age is None:
        return silent("the patient's age", "age")
    found = Interval(chart.age, chart.age + 1, open_high=True)
    from_, before = holds(found, ">=", low), holds(found, "<", high)
    shown, evidence = f"age {chart.age}", evidence_of(chart.profile.age_years)
    if Truth.FALSE in (from_, before):
        return false(shown, evidence, "not", value)
    return true(shown, evidence) if from_ is before is Truth.TRUE else unsettled(shown, "age", evidence)


def _illness(value: str, chart: Chart) -> Answer:
    """A healthy volunteer has no malignancy and no acute illness, and is not in hospital; the latter two are acute illness.
    Without them the note leaves it open."""
    courses = ("acute", "malignancy") if value == "good_health" else ("acute",)
    ill = [
        f for f in chart.profile.conditions
        if f.status is Status.PRESENT and (known := chart.vocabulary.conditions.get(f.id)) and (f.id == "hospitalization" or known.course in courses)
    ]
    if ill and value == "good_health":
        return together(Truth.FALSE, [false(_shown(f), f.evidence) for f in ill])
    if ill:
        return together(Truth.TRUE, [true(_shown(f), f.evidence) for f in ill])
    return silent("whether the patient is healthy" if value == "good_health" else name_of(value), f"condition:{value}")


def _of_the_other_sex(value: str, chart: Chart) -> Answer | None:
    groups = {"male": _NOT_OF_MEN, "female": _NOT_OF_WOMEN}.get(chart.sex or "", ())
    if any(chart.vocabulary.is_a(value, group) for group in groups):
        return false(f"{chart.sex} patient", evidence_of(chart.profile.sex))
    return None


# ---------------------------------------------------------------- what numbers and gradings settle


def _by_measurement(asked: Presence, chart: Chart) -> Answer | None:
    """A condition that is by definition a lab value beyond a limit (lab_findings.csv)."""
    for finding in load_limits().findings.get(asked.value, ()):
        lab = measurement(finding.test, chart)
        if lab is None or (finding.sex and finding.sex != chart.sex):
            continue
        there = holds(Interval.measured(lab.value, lab.comparator), "<" if finding.side == "below" else ">", finding.limit)
        shown = f"{test_name(lab.test)} {lab.comparator or ''}{number(lab.value)}{unit_of(lab.unit)}{on(lab.date)}"
        if there is Truth.FALSE:
            return false(f"{shown}, no {name_of(asked.value)}", lab.evidence)
        if there is Truth.TRUE and (asked.qualifiers or asked.window):
            return unsettled(f"{shown}, {name_of(asked.value)}", f"condition:{asked.value}", lab.evidence, _course_open(asked))
        if there is Truth.TRUE:
            return true(f"{shown}: {name_of(asked.value)}", lab.evidence)
    return None


def _course_open(asked: Presence) -> str:
    return "the note does not settle " + (listing([_worded(k, v) for k, v in asked.qualifiers]) if asked.qualifiers else "since when")


# Conditions that treatment commonly leaves behind; a grade of 2 and more has not recovered.
_TOXICITIES = ("peripheral_neuropathy", "mucositis", "hand_foot_syndrome", "corneal_disease", "adverse_drug_reaction", "cardiotoxicity",
               "immune_related_adverse_event", "radiation_pneumonitis", "radiation_proctitis", "pneumonitis", "cytokine_release_syndrome", "icans")


def _treatment_toxicity(asked: Presence, chart: Chart) -> Answer:
    """Adverse events of earlier treatment (above a grade): any graded condition that treatments leave, or a plain denial."""
    suffered = _graded(chart)
    judged = [_one(f, asked, chart) for f in suffered]
    if found := [a for a in judged if a.truth is Truth.TRUE]:
        return together(Truth.TRUE, found)
    for concept in ("treatment_toxicity", "adverse_drug_reaction"):
        if concept in chart.denied:
            return denied("unresolved toxicity", chart.denied[concept].evidence)
    if open_ := [a for a in judged if a.truth is Truth.UNKNOWN]:
        return together(Truth.UNKNOWN, open_)
    return silent("recovery from earlier toxicity", "condition:treatment_toxicity")


def _graded(chart: Chart) -> list[ConditionFact]:
    kinds: Iterable[str] = ("treatment_toxicity", *_TOXICITIES)
    return list(dict.fromkeys(f for kind in kinds for f in chart.conditions.get(kind, ()) if f.status is Status.PRESENT))


def _not_said(value: str, chart: Chart) -> Answer:
    name, missing = name_of(value), f"condition:{value}"
    organ = load_limits().organ_asked.get(value)
    if organ is not None and value not in chart.vocabulary.conditions:
        return replace(silent(f"tests of {organ.name}", missing), missing=tuple(dict.fromkeys(limit.test for limit in organ.limits)))
    relatives = chart.relatives.get(value, ())
    if relatives:
        told: Evidences = tuple(e for f in relatives for e in f.evidence)
        return Answer(Truth.UNKNOWN, (Said(capitalised(f"{name_of(relatives[0].id)} in a relative")),), (), (f"{name} of the patient",), told, (missing,))
    return silent(name, missing)
