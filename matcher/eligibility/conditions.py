"""Is a condition there: what the note lists, denies or implies of it; and what sex, age and lab values settle by themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from matcher.domain import ConditionFact, Evidences, Presence, Status, Truth
from matcher.eligibility.chart import Chart
from matcher.eligibility.condition_facts import FERTILITY, judge_fact, passing_infection, shown_fact, worded
from matcher.eligibility.markers import by_definition
from matcher.eligibility.measurements import Interval, holds, measurement
from matcher.eligibility.organs import organ_dysfunction
from matcher.eligibility.reasons import (
    Answer,
    Said,
    capitalised,
    denied,
    evidence_of,
    false,
    listing,
    name_of,
    shown_lab,
    silent,
    together,
    true,
    unsettled,
)
from matcher.eligibility.therapies import exposure_shown, never_given
from models.limits import load_limits
from models.presumptions import load_presumptions

_MENOPAUSE = 60  # annotation guidelines: women of 60 and above
_MENARCHE = 9
_ADULT = 18
_VITAL = ("systolic_bp", "heart_rate")  # whose limits are those of adults
# Ages in years, from and before: ICH E11(R1) for newborns, children (2-11, here with adolescents) and adolescents; WHO for older people.
LIFE_STAGES = {"newborn": (0, 28 / 365), "infant": (0, 2), "child": (0, 18), "adolescent": (12, 18), "adult": (18, float("inf")), "older_adult": (65, float("inf"))}
_NOT_OF_WOMEN = ("male_genital_disease", "prostate_cancer", "testicular_cancer", "penile_cancer")
_NOT_OF_MEN = ("gynecologic_disease", "gynecologic_cancer", "pregnancy_complication", "pregnancy", "breastfeeding")
# A note that lists one of these has reviewed the whole group: annotators take the list of other cancers, or of autoimmune diseases, as complete.
_LISTED = ("malignancy", "autoimmune_disease")


def condition(asked: Presence, chart: Chart) -> Answer:
    """The answer to "the patient has X" (in the window, of that severity). What the note does not speak of is unknown."""
    value = asked.value
    if ("relative", "yes") in asked.qualifiers:
        return _of_relatives(value, chart)
    if ("other", "yes") in asked.qualifiers:
        return condition(_beside_the_own(asked, chart), chart)
    if value in FERTILITY and (settled := _infertile(value, chart)) is not None:
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
    judged = [judge_fact(f, asked, chart) for f in own]
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
    return _follows(asked, chart) or _contradicted(value, chart) or organ or _not_said(asked, chart)


def _of_relatives(value: str, chart: Chart) -> Answer:
    related = chart.relatives.get(value, ())
    if related:
        return together(Truth.TRUE, [true(f"{name_of(f.id)} in a relative", f.evidence) for f in related])
    return silent(f"family history of {name_of(value)}", f"condition:{value}")


def _beside_the_own(asked: Presence, chart: Chart) -> Presence:
    """ "Another malignancy", "other liver disease": than the patient's, where there is one; of two present ones each is another
    than the other, unless both are of plasma cells."""
    is_a = chart.vocabulary.is_a
    there = {f.id for f in chart.conditions.get(asked.value, ()) if f.status is Status.PRESENT}
    own = chart.primaries if is_a("malignancy", asked.value) else tuple(i for i in sorted(there) if not any(i != other and is_a(other, i) for other in there))
    if len(own) > 1 and not all(is_a(i, "plasma_cell_disorder") for i in own):
        own = ()
    return replace(asked, qualifiers=tuple(q for q in asked.qualifiers if q != ("other", "yes")), excluding=(*asked.excluding, *own))


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
    """Past tumours that are all excepted, or in situ and too long ago: a note that lists them has reviewed the group, and lists no other."""
    if asked.value not in _LISTED:
        return None
    in_situ = [judge_fact(f, asked, chart) for f in chart.conditions.get("carcinoma_in_situ", ()) if asked.value == "malignancy"]
    if in_situ and all(a.truth is Truth.FALSE for a in in_situ):
        return together(Truth.FALSE, in_situ)
    listed = list(dict.fromkeys(f for x in asked.excluding for f in chart.conditions.get(x, ()) if f.status is Status.HISTORICAL))
    return together(Truth.FALSE, [false(f"{shown_fact(f)}, which is allowed", f.evidence) for f in listed]) if listed else None


# ---------------------------------------------------------------- what the note rules out


def _ruled_out(value: str, chart: Chart) -> Answer | None:
    """A denied condition, or a complete statement that covers it ("no history of cardiac disease")."""
    for concept in (value, *sorted(chart.vocabulary.ancestors(value) - {value})):
        if concept in chart.denied:
            return denied(name_of(concept), chart.denied[concept].evidence)
    infection = chart.denied.get("active_infection")
    if infection and passing_infection(value, chart):
        return denied(name_of("active_infection"), infection.evidence)
    return None


def _follows(asked: Presence, chart: Chart) -> Answer | None:
    """What therapies settle: graft-versus-host disease needs a donor."""
    if chart.vocabulary.is_a(asked.value, "graft_versus_host_disease") and "allogeneic_transplant" not in chart.given:
        never = never_given("allogeneic_transplant", chart)
        return never and false("no allogeneic transplantation, so no graft-versus-host disease", never.evidence)
    return None


def _contradicted(value: str, chart: Chart) -> Answer | None:
    """A condition that another one of the note excludes, or that another one or a treatment of it shows (presumptions.csv)."""
    known = load_presumptions()
    for table, settled in ((known.excluded_by, false), (known.shown_by, true)):
        for other in table.get(value, ()):
            for fact in chart.conditions.get(other, ()):
                if fact.status is Status.PRESENT or (fact.status is Status.HISTORICAL and settled is false):
                    return settled(shown_fact(fact), fact.evidence)
            if settled is true and (given := chart.given.get(other)):
                return true(exposure_shown(given[0]), given[0].evidence)
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
        return together(Truth.FALSE, [false(shown_fact(f), f.evidence) for f in ill])
    if ill:
        return together(Truth.TRUE, [true(shown_fact(f), f.evidence) for f in ill])
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
        if lab is None or (finding.sex and finding.sex != chart.sex) or (finding.test in _VITAL and (chart.age or _ADULT) < _ADULT):
            continue
        there = holds(Interval.measured(lab.value, lab.comparator), "<" if finding.side == "below" else ">", finding.limit)
        shown = shown_lab(lab)
        if there is Truth.FALSE:
            return false(f"{shown}, no {name_of(asked.value)}", lab.evidence)
        if there is Truth.TRUE and (asked.qualifiers or asked.window):
            return unsettled(f"{shown}, {name_of(asked.value)}", f"condition:{asked.value}", lab.evidence, _course_open(asked))
        if there is Truth.TRUE:
            return true(f"{shown}: {name_of(asked.value)}", lab.evidence)
    return None


def _course_open(asked: Presence) -> str:
    return "the note does not settle " + (listing([worded(k, v) for k, v in asked.qualifiers]) if asked.qualifiers else "since when")


# Conditions that treatment commonly leaves behind; a grade of 2 and more has not recovered.
_TOXICITIES = ("peripheral_neuropathy", "mucositis", "hand_foot_syndrome", "corneal_disease", "adverse_drug_reaction", "cardiotoxicity",
               "immune_related_adverse_event", "radiation_pneumonitis", "radiation_proctitis", "pneumonitis", "cytokine_release_syndrome", "icans")


def _treatment_toxicity(asked: Presence, chart: Chart) -> Answer:
    """Adverse events of earlier treatment (above a grade): any graded condition that treatments leave, or a plain denial."""
    suffered = _graded(chart)
    judged = [judge_fact(f, asked, chart) for f in suffered]
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


def _not_said(asked: Presence, chart: Chart) -> Answer:
    value, own = asked.value, any(_excluded(f.id, asked, chart) for f in chart.conditions.get(asked.value, ()))
    name, missing = f"another {name_of(value)}" if own else name_of(value), f"condition:{value}"
    organ = load_limits().organ_asked.get(value)
    if organ is not None and value not in chart.vocabulary.conditions:
        return replace(silent(f"tests of {organ.name}", missing), missing=tuple(dict.fromkeys(limit.test for limit in organ.limits)))
    relatives = chart.relatives.get(value, ())
    if relatives:
        told: Evidences = tuple(e for f in relatives for e in f.evidence)
        return Answer(Truth.UNKNOWN, (Said(capitalised(f"{name_of(relatives[0].id)} in a relative")),), (), (f"{name} of the patient",), told, (missing,))
    return silent(name, missing)
