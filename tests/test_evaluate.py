"""Statements of a trial against facts of a note: what is true, untrue or unknown, and what the clinician reads."""

from datetime import date

import pytest

from matcher.domain import (
    Allergy,
    AllOf,
    AnyOf,
    AtLeast,
    AtScreening,
    BcmaAgent,
    BcmaExposure,
    Comparison,
    ConditionFact,
    Course,
    Criterion,
    Evidence,
    Kind,
    Lab,
    Not,
    PartialDate,
    PatientProfile,
    Presence,
    Reading,
    Status,
    TherapyLine,
    Transplant,
    Treatment,
    Unparsed,
    Window,
)
from matcher.eligibility import evaluate, judge_criterion
from matcher.eligibility.measurements import ckd_epi, cockcroft_gault

TODAY = date(2025, 3, 14)
TRUE, FALSE, UNKNOWN = "true", "false", "unknown"


def on(text):
    return PartialDate.parse(text) if text else None


def note(**facts):
    return PatientProfile("note", TODAY, **facts)


def lab(test, value, unit, when=None, comparator=None, **normal):
    return Lab(test, value, unit, (), on(when), comparator, **normal)


def has(concept, status="present", date=None, until=None, **qualifiers):
    return ConditionFact(concept, Status(status), (), on(date), on(until), tuple(sorted(qualifiers.items())))


def drug(agent, course="given", start=None, end=None, line=None, purpose=None):
    return Treatment(agent, Course(course), (), on(start), on(end), line, purpose)


def truth(statement, **facts):
    return evaluate(statement, note(**facts)).truth.value


def within(days):
    return Window("within", days)


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("value", "comparator", "op", "limit", "wanted"),
    [
        (9.8, None, ">", 8.0, TRUE),
        (8.0, None, ">", 8.0, FALSE),
        (8.0, None, ">=", 8.0, TRUE),
        (8.0, None, "<", 8.0, FALSE),
        (8.0, None, "<=", 8.0, TRUE),
        (7.9, None, ">=", 8.0, FALSE),
        (8.0, "<", "<", 8.0, TRUE),
        (8.0, "<", ">=", 8.0, FALSE),
        (8.0, "<=", "<", 8.0, UNKNOWN),
        (9.0, "<", "<", 8.0, UNKNOWN),
        (7.0, ">", ">=", 8.0, UNKNOWN),
        (8.0, ">", ">", 8.0, TRUE),
        (8.0, ">=", ">", 8.0, UNKNOWN),
    ],
)
def test_a_value_meets_a_limit(value, comparator, op, limit, wanted):
    assert truth(Comparison("hemoglobin", op, limit, "g/dL"), labs=(lab("hemoglobin", value, "g/dL", comparator=comparator),)) == wanted


@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        (Comparison("hemoglobin", ">=", 98, "g/L"), TRUE),
        (Comparison("hemoglobin", ">", 98, "g/L"), FALSE),
        (Comparison("hemoglobin", ">", 8, "U/L"), UNKNOWN),
    ],
)
def test_a_limit_in_another_unit_is_converted(statement, wanted):
    assert truth(statement, labs=(lab("hemoglobin", 9.8, "g/dL"),)) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (lab("alt", 100, "U/L"), TRUE),  # 2.5 x 40 by default
        (lab("alt", 101, "U/L"), FALSE),
        (lab("alt", 101, "U/L", upper_normal=55), TRUE),  # the note's own range comes first
        (lab("alt", 51, "U/L", upper_normal=20), FALSE),
    ],
)
def test_a_multiple_of_the_upper_limit_of_normal(given, wanted):
    assert truth(Comparison("alt", "<=", 2.5, "1", x_uln=True), labs=(given,)) == wanted


def test_the_most_recent_value_counts_whatever_its_age_unless_the_criterion_has_a_window():
    values = (lab("platelets", 90, "10*9/L", "2025-03-01"), lab("platelets", 40, "10*9/L", "2025-01-01"))
    assert truth(Comparison("platelets", ">=", 50, "10*9/L"), labs=values) == TRUE
    assert truth(Comparison("platelets", ">=", 50, "10*9/L", window=within(14)), labs=values) == TRUE
    assert truth(Comparison("platelets", ">=", 50, "10*9/L", window=within(7)), labs=values) == UNKNOWN


@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        (Comparison("age", ">=", 18, "a"), TRUE),
        (Comparison("age", "<=", 75, "a"), TRUE),
        (Comparison("age", ">", 75, "a"), FALSE),
        (Comparison("age", ">=", 216, "mo"), TRUE),
        (Comparison("ecog", "<=", 1, "1"), FALSE),
        (Comparison("kps", ">=", 70, "1"), UNKNOWN),  # never derived from ECOG
        (Comparison("life_expectancy", ">", 84, "d"), UNKNOWN),
    ],
)
def test_age_and_performance(statement, wanted):
    assert truth(statement, age_years=Reading(75), ecog=Reading(2)) == wanted


def test_cockcroft_gault_is_computed_where_its_four_inputs_are_given():
    assert cockcroft_gault(60, 72, 1.0, "male") == pytest.approx(80)
    inputs = {"age_years": Reading(60), "sex": Reading("female"), "labs": (lab("weight", 72, "kg"), lab("creatinine", 1.0, "mg/dL"))}
    assert truth(Comparison("creatinine_clearance", ">=", 60, "mL/min"), **inputs) == TRUE
    assert truth(Comparison("creatinine_clearance", ">=", 70, "mL/min"), **inputs) == FALSE
    for left_out in inputs:
        assert truth(Comparison("creatinine_clearance", ">=", 60, "mL/min"), **{**inputs, left_out: () if left_out == "labs" else None}) == UNKNOWN
    assert truth(Comparison("creatinine_clearance", ">=", 60, "mL/min"), labs=(lab("egfr", 90, "mL/min/{1.73_m2}"),)) == UNKNOWN


@pytest.mark.parametrize(("age", "creatinine", "sex", "rate"), [(50, 1.0, "male", 92), (60, 1.0, "female", 64), (25, 0.6, "female", 128), (80, 3.0, "male", 20)])
def test_ckd_epi_of_2021(age, creatinine, sex, rate):
    assert ckd_epi(age, creatinine, sex) == pytest.approx(rate, abs=0.6)


def test_filtration_follows_from_the_creatinine_of_an_adult():
    minimum = Comparison("egfr", ">=", 60, "mL/min/{1.73_m2}")
    inputs = {"age_years": Reading(60), "sex": Reading("female"), "labs": (lab("creatinine", 1.0, "mg/dL"),)}
    assert truth(minimum, **inputs) == TRUE
    assert truth(minimum, **{**inputs, "labs": (*inputs["labs"], lab("egfr", 58, "mL/min/{1.73_m2}"))}) == FALSE
    for unknown in ({"sex": None}, {"age_years": Reading(9)}, {"labs": (lab("creatinine", 1.0, "mg/dL", comparator="<"),)}):
        assert truth(minimum, **{**inputs, **unknown}) == UNKNOWN


@pytest.mark.parametrize("minimum", [Comparison("creatinine_clearance", ">=", 30, "mL/min"), Comparison("egfr", ">=", 15, "mL/min/{1.73_m2}")])
def test_dialysis_violates_any_minimum_clearance(minimum):
    assert truth(minimum, treatments=(drug("hemodialysis", "ongoing"),)) == FALSE
    assert truth(minimum, conditions=(has("end_stage_renal_disease"),)) == FALSE
    assert truth(minimum, treatments=(drug("hemodialysis", "given"),)) == UNKNOWN


def test_saturation_under_oxygen_says_nothing_of_room_air():
    on_air = Comparison("spo2", ">", 92, "%")
    assert truth(on_air, labs=(lab("spo2", 95, "%"),)) == TRUE
    assert truth(on_air, labs=(lab("spo2", 95, "%"),), treatments=(drug("oxygen_therapy", "ongoing"),)) == UNKNOWN
    assert truth(on_air, labs=(lab("spo2", 90, "%"),), treatments=(drug("oxygen_therapy", "ongoing"),)) == FALSE
    low = Comparison("spo2", "<=", 92, "%")
    assert truth(low, labs=(lab("spo2", 95, "%"),), treatments=(drug("oxygen_therapy", "ongoing"),)) == UNKNOWN


LINES = (
    TherapyLine(1, ("bortezomib", "lenalidomide", "dexamethasone"), (), start=on("2018-03"), end=on("2021-01"), best_response="VGPR"),
    TherapyLine(2, ("daratumumab", "pomalidomide", "dexamethasone"), (), start=on("2021-02"), end=on("2025-02"), best_response="PR"),
)


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({"n_lines": Reading(3)}, TRUE),
        ({"n_lines": Reading(2), "lines": LINES}, FALSE),
        ({"lines": LINES}, UNKNOWN),  # at least two
        ({"lines": LINES, "complete_history": Reading(True)}, FALSE),
        ({}, UNKNOWN),
    ],
)
def test_prior_lines(facts, wanted):
    assert truth(Comparison("prior_lines", ">=", 3, "1"), **facts) == wanted


@pytest.mark.parametrize(
    ("treatment", "wanted"),
    [
        (drug("carfilzomib", end="2025-03-01"), FALSE),
        (drug("carfilzomib", end="2025-02-28"), TRUE),
        (drug("carfilzomib", end="2025-02"), TRUE),
        (drug("carfilzomib", end="2025-03"), FALSE),
        (drug("carfilzomib", end="2025"), UNKNOWN),  # a year that straddles the limit
        (drug("carfilzomib", end="2024"), TRUE),
        (drug("carfilzomib", "ongoing", start="2023"), FALSE),
        (drug("carfilzomib"), UNKNOWN),
        (drug("carfilzomib", start="2025-03-10"), FALSE),
        (drug("proteasome_inhibitor", "absent"), TRUE),
        (drug("carfilzomib", "absent"), UNKNOWN),
        (drug("carfilzomib", "planned"), UNKNOWN),
    ],
)
def test_a_washout_counts_from_the_last_dose_to_the_day_of_the_note(treatment, wanted):
    assert truth(Comparison("days_since", ">=", 14, "d", of="proteasome_inhibitor"), treatments=(treatment,)) == wanted


def test_a_drug_of_an_earlier_line_ended_before_the_next_began():
    statement = Comparison("days_since", ">=", 365, "d", of="lenalidomide")
    assert truth(statement, lines=(TherapyLine(1, ("lenalidomide",), ()), LINES[1])) == TRUE


def test_as_of_moves_the_day_that_windows_count_from():
    statement, treated = Comparison("days_since", ">=", 14, "d", of="bortezomib"), note(treatments=(drug("bortezomib", end="2025-03-10"),))
    assert evaluate(statement, treated).truth.value == FALSE
    assert evaluate(statement, treated, as_of=date(2025, 4, 1)).truth.value == TRUE


# ---------------------------------------------------------------- conditions


@pytest.mark.parametrize(
    ("facts", "asked", "wanted"),
    [
        ((has("crohn_disease"),), "autoimmune_disease", TRUE),
        ((has("autoimmune_disease", "absent"),), "crohn_disease", FALSE),
        ((has("crohn_disease", "absent"),), "autoimmune_disease", UNKNOWN),
        ((has("autoimmune_disease"),), "crohn_disease", UNKNOWN),
        ((has("heart_disease", "absent"), has("myocardial_infarction", "historical", "2011")), "myocardial_infarction", TRUE),
        ((has("cirrhosis", "possible"),), "cirrhosis", UNKNOWN),
        ((has("prostate_cancer", "family"),), "prostate_cancer", UNKNOWN),
        ((has("stroke", "historical"),), "stroke", TRUE),  # a history of
        ((has("active_infection", "absent"),), "pneumonia", FALSE),
        ((has("active_infection", "absent"),), "fungal_infection", FALSE),
        ((has("active_infection", "absent"),), "hiv_infection", UNKNOWN),
        ((has("pneumonia", "historical"),), "pneumonia", FALSE),  # cured
        ((has("pneumonia", "historical"), has("active_infection", "absent")), "active_infection", FALSE),
        ((has("hepatitis_c", "historical"),), "hepatitis_c", TRUE),
        ((), "hiv_infection", UNKNOWN),
    ],
)
def test_conditions_by_hierarchy_and_status(facts, asked, wanted):
    assert truth(Presence("condition", asked), conditions=facts) == wanted


@pytest.mark.parametrize(
    ("fact", "window", "wanted"),
    [
        (has("myocardial_infarction", "historical", "2011"), within(365), FALSE),
        (has("myocardial_infarction", "historical", "2024-09"), within(365), TRUE),
        (has("myocardial_infarction", "historical", "2024"), within(365), UNKNOWN),
        (has("myocardial_infarction", "historical"), within(365), UNKNOWN),
        (has("prostate_cancer", "historical", "2010", "2023-11"), within(1825), TRUE),  # treated until 2023
        (has("prostate_cancer", "historical", "2009"), Window("before", 1825), TRUE),
        (has("pneumonia", "historical", "2025-03-01"), Window("current"), FALSE),
        (has("pneumonia"), Window("current"), TRUE),
    ],
)
def test_conditions_in_time(fact, window, wanted):
    assert truth(Presence("condition", fact.id, window), conditions=(fact,)) == wanted


@pytest.mark.parametrize(
    ("told", "asked", "wanted"),
    [
        ({"nyha": "3"}, {"nyha": ">=3"}, TRUE),
        ({"nyha": "2"}, {"nyha": ">=3"}, FALSE),
        ({"nyha": "III"}, {"nyha": ">=3"}, TRUE),
        ({}, {"nyha": ">=3"}, UNKNOWN),
        ({"severity": "mild"}, {"severity": "severe"}, FALSE),
        ({"severity": "severe"}, {"severity": ">=moderate"}, TRUE),
        ({"control": "controlled"}, {"control": "uncontrolled"}, FALSE),
        ({"treatment": "none"}, {"treatment": "systemic"}, FALSE),
        ({"treatment": "systemic"}, {"treatment": "systemic"}, TRUE),
        ({"nyha": "3"}, {"nyha": ">=3", "control": "uncontrolled"}, UNKNOWN),
    ],
)
def test_qualifiers(told, asked, wanted):
    statement = Presence("condition", "heart_failure", qualifiers=tuple(sorted(asked.items())))
    assert truth(statement, conditions=(has("heart_failure", **told),)) == wanted


SECOND = Presence("condition", "malignancy", within(1825), (), ("multiple_myeloma",))


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ((has("multiple_myeloma"),), UNKNOWN),
        ((has("multiple_myeloma"), has("plasma_cell_leukemia")), UNKNOWN),  # the same disease
        ((has("multiple_myeloma"), has("prostate_cancer", "historical", "2009")), FALSE),
        ((has("multiple_myeloma"), has("prostate_cancer", "historical", "2023")), TRUE),
        ((has("multiple_myeloma"), has("colorectal_cancer")), TRUE),
        ((has("multiple_myeloma"), has("breast_cancer", "family")), UNKNOWN),
        ((has("multiple_myeloma"), has("ductal_carcinoma_in_situ", "historical", "2009")), FALSE),
        ((has("multiple_myeloma"), has("ductal_carcinoma_in_situ", "historical", "2024")), UNKNOWN),  # whether in situ counts is not said
    ],
)
def test_second_malignancies(facts, wanted):
    assert truth(SECOND, conditions=facts) == wanted


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({"sex": Reading("male"), "age_years": Reading(40)}, FALSE),
        ({"sex": Reading("female"), "age_years": Reading(60)}, FALSE),
        ({"sex": Reading("female"), "age_years": Reading(59)}, UNKNOWN),
        ({"sex": Reading("female"), "age_years": Reading(45), "treatments": (drug("hysterectomy"),)}, FALSE),
        ({"sex": Reading("female"), "conditions": (has("pregnancy", "absent"),)}, FALSE),
        ({"sex": Reading("female"), "conditions": (has("pregnancy"),)}, TRUE),
        ({"sex": Reading("female"), "conditions": (has("pregnancy", "historical"),)}, FALSE),
    ],
)
def test_sex_age_and_surgery_settle_pregnancy(facts, wanted):
    assert truth(Presence("condition", "pregnancy"), **facts) == wanted


def test_what_only_the_other_sex_can_have():
    assert truth(Presence("condition", "prostate_cancer"), sex=Reading("female")) == FALSE
    assert truth(Presence("condition", "ovarian_cancer"), sex=Reading("male")) == FALSE


@pytest.mark.parametrize(
    ("facts", "asked", "wanted"),
    [
        ((has("smoking"),), "never_smoker", FALSE),
        ((has("heart_disease", "absent"),), "coronary_revascularization", FALSE),
        ((has("kidney_disease", "absent"),), "renal_impairment", FALSE),
        ((has("indwelling_catheter", "historical"),), "indwelling_catheter", UNKNOWN),  # another may be in place
        ((has("cd138_positive"),), "minimal_residual_disease", TRUE),
        ((has("pneumonia"),), "active_infection", TRUE),
        ((has("type_1_diabetes_mellitus"),), "type_2_diabetes_mellitus", FALSE),
        ((has("ulcerative_colitis"),), "crohn_disease", FALSE),
        ((has("esophageal_varices"),), "portal_hypertension", TRUE),
        ((has("pacemaker"),), "mri_contraindication", TRUE),
        ((has("pacemaker", "possible"),), "mri_contraindication", UNKNOWN),
    ],
)
def test_what_follows_from_other_conditions(facts, asked, wanted):
    assert truth(Presence("condition", asked), conditions=facts) == wanted


def test_who_had_a_stent_has_coronary_disease():
    asked = Presence("condition", "coronary_artery_disease")
    assert truth(asked, treatments=(drug("coronary_stent", start="2019"),)) == TRUE
    assert truth(asked, treatments=(drug("coronary_stent", "planned"),)) == UNKNOWN


def test_an_active_infection_is_treated_and_an_autoimmune_disease_by_its_immunosuppressant():
    systemic = (("treatment", "systemic"),)
    assert truth(Presence("condition", "active_infection", within(14), systemic), conditions=(has("pneumonia"),)) == TRUE
    autoimmune = Presence("condition", "autoimmune_disease", None, systemic)
    assert truth(autoimmune, conditions=(has("rheumatoid_arthritis"),)) == UNKNOWN
    assert truth(autoimmune, conditions=(has("rheumatoid_arthritis"),), treatments=(drug("methotrexate", "ongoing"),)) == TRUE
    assert truth(autoimmune, conditions=(has("rheumatoid_arthritis", treatment="none"),)) == FALSE


def test_an_exception_that_the_note_cannot_tell_apart_leaves_it_open():
    asked = Presence("condition", "indwelling_catheter", Window("current"), (), ("central_venous_catheter",))
    assert truth(asked, conditions=(has("indwelling_catheter"),)) == UNKNOWN


def test_graft_versus_host_disease_needs_a_donor():
    gvhd = Presence("condition", "graft_versus_host_disease", qualifiers=(("grade", ">=3"),))
    assert truth(gvhd, complete_history=Reading(True), lines=LINES) == FALSE
    assert truth(gvhd, lines=LINES) == UNKNOWN
    assert truth(gvhd, transplants=(Transplant("allogeneic", ()),), complete_history=Reading(True)) == UNKNOWN


@pytest.mark.parametrize(
    ("anc", "asked", "wanted"),
    [
        (2.1, Presence("condition", "neutropenia"), FALSE),
        (0.9, Presence("condition", "neutropenia"), TRUE),
        (0.9, Presence("condition", "neutropenia", qualifiers=(("control", "uncontrolled"),)), UNKNOWN),
        (2.1, Presence("condition", "neutropenia", qualifiers=(("control", "uncontrolled"),)), FALSE),
    ],
)
def test_a_condition_that_a_lab_value_defines(anc, asked, wanted):
    assert truth(asked, labs=(lab("anc", anc, "10*9/L"),)) == wanted


@pytest.mark.parametrize(("age", "wanted"), [(40, TRUE), (None, TRUE), (3, UNKNOWN)])
def test_limits_of_vital_signs_are_those_of_adults(age, wanted):
    facts = {"labs": (lab("systolic_bp", 84, "mm[Hg]"),), "age_years": Reading(age) if age else None}
    assert truth(Presence("condition", "hypotension"), **facts) == wanted


GOOD_LIVER = (lab("total_bilirubin", 0.5, "mg/dL"), lab("alt", 20, "U/L"))


@pytest.mark.parametrize(
    ("asked", "facts", "wanted"),
    [
        (("renal_impairment", None), {"labs": (lab("creatinine", 0.9, "mg/dL"),)}, FALSE),
        (("renal_impairment", None), {"labs": (lab("creatinine", 1.5, "mg/dL"),)}, UNKNOWN),
        (("renal_impairment", None), {"labs": (lab("creatinine", 4.0, "mg/dL"),)}, TRUE),
        (("renal_impairment", None), {"labs": (lab("creatinine", 0.9, "mg/dL"),), "conditions": (has("chronic_kidney_disease"),)}, UNKNOWN),
        (("renal_impairment", "severe"), {"labs": (lab("creatinine", 1.5, "mg/dL"),)}, FALSE),
        (("renal_impairment", "severe"), {"treatments": (drug("dialysis", "ongoing"),)}, TRUE),
        (("hepatic_impairment", None), {"labs": GOOD_LIVER}, FALSE),
        (("hepatic_impairment", None), {"labs": GOOD_LIVER[:1]}, UNKNOWN),
        (("hepatic_impairment", None), {"labs": (lab("total_bilirubin", 3.0, "mg/dL"),)}, TRUE),
        (("heart_disease", "severe"), {"labs": (lab("lvef", 35, "%"),)}, TRUE),
        (("heart_disease", "severe"), {"labs": (lab("lvef", 60, "%"),)}, FALSE),
        (("heart_disease", "severe"), {"labs": (lab("lvef", 60, "%"),), "conditions": (has("heart_failure", nyha="3"),)}, TRUE),
        (("heart_disease", None), {"labs": (lab("lvef", 60, "%"),)}, UNKNOWN),  # a good ejection fraction rules out no heart disease
    ],
)
def test_organ_function(asked, facts, wanted):
    value, severity = asked
    assert truth(Presence("condition", value, qualifiers=(("severity", severity),) if severity else ()), **facts) == wanted


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ((has("peripheral_neuropathy", grade="2"),), TRUE),
        ((has("peripheral_neuropathy", grade="1"),), UNKNOWN),
        ((has("treatment_toxicity", "absent"), has("peripheral_neuropathy", grade="1")), FALSE),
        ((), UNKNOWN),
    ],
)
def test_toxicity_that_has_not_recovered(facts, wanted):
    assert truth(Presence("condition", "treatment_toxicity", qualifiers=(("grade", ">1"),)), conditions=facts) == wanted


# ---------------------------------------------------------------- therapies


@pytest.mark.parametrize(
    ("asked", "facts", "wanted"),
    [
        ("bcma", {"bcma": BcmaExposure("exposed", (BcmaAgent("teclistamab", "bispecific_antibody", ()),))}, TRUE),
        ("bispecific_antibody", {"bcma": BcmaExposure("exposed", (BcmaAgent("teclistamab", "bispecific_antibody", ()),))}, TRUE),
        ("bcma_car_t", {"bcma": BcmaExposure("exposed", (BcmaAgent("teclistamab", "bispecific_antibody", ()),))}, UNKNOWN),
        ("bcma_car_t", {"bcma": BcmaExposure("naive")}, FALSE),
        ("anti-bcma car-t", {"bcma": BcmaExposure("exposed", (BcmaAgent("idecabtagene vicleucel", "car_t", ()),))}, TRUE),
        ("car_t", {"bcma": BcmaExposure("naive")}, UNKNOWN),  # one against another target
        ("car_t", {"treatments": (drug("cell_therapy", "absent"),)}, FALSE),
        ("bcma", {"treatments": (drug("talquetamab"),)}, UNKNOWN),
        ("gprc5d", {"treatments": (drug("talquetamab"),)}, TRUE),
        ("imid", {"lines": LINES}, TRUE),
        ("proteasome_inhibitor", {"treatments": (drug("carfilzomib", "planned"),)}, UNKNOWN),
        ("proteasome_inhibitor", {"treatments": (drug("carfilzomib", "declined"),)}, UNKNOWN),
        ("proteasome_inhibitor", {"treatments": (drug("carfilzomib", "family"),)}, UNKNOWN),
        ("proteasome_inhibitor", {"treatments": (drug("carfilzomib", "possible"),)}, UNKNOWN),
        ("xpo1_inhibitor", {"lines": LINES, "complete_history": Reading(True)}, FALSE),
        ("allogeneic_transplant", {"lines": LINES, "complete_history": Reading(True)}, FALSE),
        ("live_vaccine", {"lines": LINES, "complete_history": Reading(True)}, UNKNOWN),
        ("investigational_agent", {"lines": LINES, "complete_history": Reading(True)}, UNKNOWN),
        ("anti_cd38", {"n_lines": Reading(0)}, FALSE),
        ("radiotherapy", {"n_lines": Reading(0)}, UNKNOWN),
        ("autologous_transplant", {"transplants": (Transplant("autologous", ()),)}, TRUE),
        ("stem_cell_transplant", {"transplants": (Transplant("allogeneic", ()),)}, TRUE),
    ],
)
def test_prior_therapy(asked, facts, wanted):
    assert truth(Presence("prior_therapy", asked), **facts) == wanted


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({"transplants": (Transplant("autologous", (), on("2025-01-20")),)}, TRUE),
        ({"transplants": (Transplant("autologous", (), on("2016")),)}, FALSE),
        ({"n_lines": Reading(4)}, FALSE),  # a recent transplant would be named
        ({}, UNKNOWN),
    ],
)
def test_a_recent_transplant(facts, wanted):
    assert truth(Presence("prior_therapy", "autologous_transplant", within(84)), **facts) == wanted


@pytest.mark.parametrize(
    ("statement", "treatments", "wanted"),
    [
        # "on no steroids" of a patient who had them speaks of now, and of nothing else
        (Presence("prior_therapy", "systemic_corticosteroid", within(7)), (drug("dexamethasone"), drug("corticosteroid", "absent")), FALSE),
        (Presence("prior_therapy", "systemic_corticosteroid", within(7)), (drug("dexamethasone"),), UNKNOWN),
        (Presence("prior_therapy", "systemic_corticosteroid", within(365)), (drug("dexamethasone"), drug("corticosteroid", "absent")), UNKNOWN),
        (Presence("prior_therapy", "systemic_corticosteroid"), (drug("dexamethasone"), drug("corticosteroid", "absent")), TRUE),
        (Presence("prior_therapy", "prednisone"), (drug("dexamethasone"), drug("corticosteroid", "absent")), UNKNOWN),
        # what one place has ended and another still lists is for the reader to settle
        (Presence("prior_therapy", "lenalidomide", within(14)), (drug("lenalidomide", start="2024-01", end="2025-01-31"), drug("lenalidomide", "ongoing")), UNKNOWN),
        (Comparison("days_since", ">=", 14, "d", of="imid"), (drug("lenalidomide", start="2024-01", end="2025-01-31"), drug("lenalidomide", "ongoing")), UNKNOWN),
        (Presence("prior_therapy", "lenalidomide", within(14)), (drug("pomalidomide", end="2025-01-31"), drug("lenalidomide", "ongoing")), TRUE),
        # an operation of long ago says nothing of the last weeks
        (Presence("prior_therapy", "major_surgery", within(14)), (drug("prostatectomy", start="2013"),), UNKNOWN),
        (Presence("prior_therapy", "major_surgery", within(14)), (drug("prostatectomy", start="2025-03-10"),), TRUE),
        (Presence("prior_therapy", "radiotherapy", within(14)), (drug("radiotherapy", start="2024-12", end="2025-01"),), FALSE),
    ],
)
def test_what_is_given_now(statement, treatments, wanted):
    assert truth(statement, treatments=treatments) == wanted


def test_a_cell_product_is_dated_by_its_infusion():
    infused = {"treatments": (drug("ciltacabtagene autoleucel", start="2024-08-23"),), "bcma": BcmaExposure("exposed", (BcmaAgent("ciltacabtagene autoleucel", "car_t", ()),))}
    assert truth(Comparison("days_since", ">=", 90, "d", of="car_t"), **infused) == TRUE


def test_a_class_named_outside_every_line_is_no_exposure():
    assert truth(Presence("prior_therapy", "car_t"), lines=LINES, treatments=(drug("car_t", start="2021"),)) == UNKNOWN
    assert truth(Presence("prior_therapy", "car_t"), lines=LINES, treatments=(drug("car_t", start="2021"),), complete_history=Reading(True)) == FALSE


def test_the_reading_of_bcma_exposure_outranks_a_single_mention():
    assert truth(Presence("prior_therapy", "bcma"), treatments=(drug("teclistamab"),), bcma=BcmaExposure("naive")) == FALSE
    assert truth(Presence("prior_therapy", "bcma"), treatments=(drug("teclistamab"),)) == UNKNOWN


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({"conditions": (has("oxygen_dependence"),)}, TRUE),
        ({"treatments": (drug("oxygen_therapy", "ongoing"),)}, TRUE),
        ({"conditions": (has("oxygen_dependence", "historical"),)}, UNKNOWN),
    ],
)
def test_a_condition_can_name_a_treatment(facts, wanted):
    assert truth(Presence("prior_therapy", "oxygen_therapy", Window("current")), **facts) == wanted


@pytest.mark.parametrize(
    ("state", "line", "wanted"),
    [
        ("relapsed_refractory", {"reason_stopped": "progression"}, TRUE),
        ("relapsed", {"end": on("2024-09"), "reason_stopped": "completion"}, TRUE),
        ("relapsed", {"end": on("2020"), "reason_stopped": "completion"}, FALSE),
        ("relapsed", {"reason_stopped": "completion"}, UNKNOWN),
        ("newly_diagnosed", {"end": on("2024-09")}, FALSE),
    ],
)
def test_a_relapse_soon_after_the_last_line(state, line, wanted):
    asked = Presence("disease_state", "relapsed", Window("within", 365, "the last line of therapy"))
    assert truth(asked, disease_state=Reading(state), lines=(TherapyLine(1, ("bortezomib",), (), **line),)) == wanted


def test_one_old_failure_among_the_drugs_of_a_line_is_no_progression_on_it():
    asked = Presence("disease_state", "relapsed", Window("within", 365, "the last line of therapy"))
    facts = {"disease_state": Reading("relapsed"), "lines": (TherapyLine(1, ("talquetamab", "pomalidomide"), ()),)}
    assert truth(asked, refractory_to=(Reading("pomalidomide"),), **facts) is UNKNOWN
    assert truth(asked, refractory_to=(Reading("pomalidomide"), Reading("talquetamab")), **facts) is TRUE


def _line(response, stopped, drugs=("daratumumab",)):
    return (TherapyLine(1, drugs, (), best_response=response, reason_stopped=stopped),)


DROPPED = (TherapyLine(1, ("daratumumab", "lenalidomide"), (), start=on("2020-02"), end=on("2022-04"), best_response="VGPR", reason_stopped="progression"),)


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({"refractory_to": (Reading("daratumumab"),)}, TRUE),
        ({"refractory_to": (Reading("lenalidomide"),), "lines": LINES}, UNKNOWN),
        ({"complete_history": Reading(True), "lines": LINES[:1]}, FALSE),  # never given
        ({"lines": _line("VGPR", "completion")}, FALSE),
        ({"lines": _line("VGPR", "toxicity")}, FALSE),
        ({"lines": _line("SD", "completion")}, UNKNOWN),
        ({"lines": _line("VGPR", None)}, UNKNOWN),
        ({"lines": _line(None, None), "disease_state": Reading("remission")}, FALSE),
        # progression on what was left of the line, more than 60 days after the last dose
        ({"lines": DROPPED, "treatments": (drug("daratumumab", start="2020-02", end="2020-11", line=1),)}, FALSE),
        ({"lines": DROPPED, "treatments": (drug("daratumumab", start="2020-02", end="2022-03", line=1),)}, UNKNOWN),
        ({}, UNKNOWN),
    ],
)
def test_refractory_by_class(facts, wanted):
    assert truth(Presence("refractory_to", "anti_cd38"), **facts) == wanted


def _allergy(substance, status="present", severity=None):
    return Allergy(substance, Status(status), (), severity)


@pytest.mark.parametrize(
    ("asked", "qualifiers", "allergies", "wanted"),
    [
        ("fludarabine", (), (_allergy("any", "absent"),), FALSE),
        ("fludarabine", (), (_allergy("penicillin"),), UNKNOWN),
        ("fludarabine", (), (_allergy("fludarabine"),), TRUE),
        ("any", (("severity", "severe"),), (_allergy("any", "absent"),), UNKNOWN),  # no drug allergy is not no allergy
        ("any", (("severity", "severe"),), (_allergy("all", "absent"),), FALSE),
        ("any", (("severity", "severe"),), (_allergy("penicillin", severity="anaphylaxis"),), TRUE),
        ("any", (("severity", "severe"),), (_allergy("penicillin", severity="mild"),), UNKNOWN),  # of another the note says nothing
        ("penicillin", (("severity", "severe"),), (_allergy("penicillin", severity="mild"),), FALSE),
        ("any", (("severity", "severe"),), (_allergy("penicillin"),), UNKNOWN),
    ],
)
def test_allergies(asked, qualifiers, allergies, wanted):
    assert truth(Presence("allergy", asked, qualifiers=qualifiers), allergies=allergies) == wanted


def test_intolerance():
    asked = Presence("intolerant_to", "bortezomib")
    assert truth(asked, lines=_line("PR", "toxicity", ("bortezomib",))) == TRUE
    assert truth(asked, lines=_line("PR", "toxicity", ("bortezomib", "lenalidomide"))) == UNKNOWN
    assert truth(asked, allergies=(_allergy("any", "absent"),)) == FALSE


# ---------------------------------------------------------------- the disease


@pytest.mark.parametrize(
    ("facts", "asked", "wanted"),
    [
        ((has("multiple_myeloma"),), "multiple_myeloma", TRUE),
        ((has("multiple_myeloma"),), "breast_cancer", FALSE),  # the note is about another one
        ((has("multiple_myeloma"),), "hematologic_malignancy", TRUE),
        ((has("lymphoma"),), "diffuse_large_b_cell_lymphoma", UNKNOWN),
        ((has("mgus"),), "multiple_myeloma", FALSE),
        ((has("multiple_myeloma", "possible"),), "multiple_myeloma", UNKNOWN),
        ((has("hypertension"),), "multiple_myeloma", UNKNOWN),
    ],
)
def test_the_trials_disease(facts, asked, wanted):
    assert truth(Presence("disease", asked), conditions=facts) == wanted


@pytest.mark.parametrize(
    ("state", "asked", "wanted"),
    [
        ("relapsed_refractory", "relapsed_refractory", TRUE),
        ("relapsed", "relapsed_refractory", TRUE),
        ("relapsed", "refractory", FALSE),
        ("relapsed", "newly_diagnosed", FALSE),
        ("newly_diagnosed", "relapsed_refractory", FALSE),
        ("remission", "relapsed", FALSE),
        (None, "relapsed", UNKNOWN),
    ],
)
def test_the_state_of_the_disease(state, asked, wanted):
    assert truth(Presence("disease_state", asked), disease_state=state and Reading(state)) == wanted


@pytest.mark.parametrize(
    ("labs", "wanted"),
    [
        ((lab("serum_m_protein", 2.7, "g/dL"),), TRUE),
        ((lab("serum_m_protein", 0.6, "g/dL"),), UNKNOWN),
        ((lab("serum_m_protein", 0.3, "g/dL"), lab("urine_m_protein", 410, "mg/(24.h)")), TRUE),
        ((lab("kappa_flc", 394, "mg/L"), lab("lambda_flc", 9, "mg/L")), TRUE),
        ((lab("kappa_flc", 394, "mg/L"),), UNKNOWN),  # the ratio is not known
        ((lab("serum_m_protein", 0.4, "g/dL"), lab("kappa_flc", 16, "mg/L"), lab("lambda_flc", 31, "mg/L")), FALSE),
        ((lab("serum_m_protein", 0.4, "g/dL"),), UNKNOWN),
        ((), UNKNOWN),
    ],
)
def test_measurable_disease(labs, wanted):
    assert truth(Presence("measurable_disease", "true"), labs=labs) == wanted


def test_expression_and_response():
    share = Presence("expression", "bcma", qualifiers=(("share", ">50"),))
    assert truth(share, labs=(lab("bcma_expression", 90, "%"),)) == TRUE
    assert truth(share, labs=(lab("bcma_expression", 50, "%"),)) == FALSE
    assert truth(share) == UNKNOWN
    assert truth(Presence("response", "PR"), lines=LINES) == TRUE
    assert truth(Presence("response", "CR"), lines=LINES) == FALSE


# ---------------------------------------------------------------- logic, reasons, policy

YES, NO, SILENT = Presence("condition", "hypertension"), Presence("condition", "stroke"), Presence("condition", "hiv_infection")
KNOWN = (has("hypertension"), has("stroke", "absent"))


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        (AllOf((YES, NO, SILENT)), FALSE),
        (AllOf((YES, SILENT)), UNKNOWN),
        (AllOf((YES, Not(NO))), TRUE),
        (AnyOf((NO, SILENT)), UNKNOWN),
        (AnyOf((YES, SILENT)), TRUE),
        (AnyOf((NO, NO)), FALSE),
        (Not(SILENT), UNKNOWN),
        (AtLeast(2, (YES, Not(NO), SILENT)), TRUE),
        (AtLeast(2, (YES, NO, SILENT)), UNKNOWN),
        (AtLeast(3, (YES, NO, SILENT)), FALSE),
        (AtScreening("consent"), UNKNOWN),
        (Unparsed("something else"), UNKNOWN),
    ],
)
def test_logic(expression, wanted):
    assert truth(expression, conditions=KNOWN) == wanted


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (Comparison("hemoglobin", ">", 8.0, "g/dL"), "Hemoglobin 9.8 g/dL on 2024-02-11, required > 8 g/dL"),
        (AllOf((Comparison("age", ">=", 18, "a"), Comparison("age", "<=", 75, "a"))), "Age 63, required ≥ 18 and ≤ 75"),
        (Not(Comparison("hemoglobin", "<", 8.0, "g/dL")), "Hemoglobin 9.8 g/dL on 2024-02-11, excluded if < 8 g/dL"),
        (AnyOf((Presence("condition", "hiv_infection"), Presence("condition", "syphilis"))), "The note does not mention HIV infection or syphilis"),
        (Presence("prior_therapy", "bcma"), "Teclistamab given in 2023-05"),
        (Comparison("days_since", ">=", 14, "d", of="bcma"), "Teclistamab given in 2023-05: the last dose is not dated closely enough"),
        (Presence("condition", "stroke"), "No stroke"),
        (Presence("condition", "myocardial_infarction", within(365)), "Past myocardial infarction in 2011, more than 1 year ago"),
        (Presence("condition", "prostate_cancer"), "Prostate cancer in a relative; the note does not mention prostate cancer of the patient"),
        (AtScreening("consent"), "To be confirmed at screening"),
        (Unparsed("odd words"), "Not interpreted: “odd words”"),
        (AllOf(()), "Permits, and asks nothing of the patient"),
        (Comparison("creatinine_clearance", ">=", 30, "mL/min"), "Creatinine clearance 63 mL/min (Cockcroft-Gault), required ≥ 30 mL/min"),
        (Presence("condition", "heart_failure"), "Heart failure NYHA II"),
        (Presence("condition", "heart_failure", qualifiers=(("nyha", ">=3"),)), "Heart failure NYHA II, not NYHA ≥ III"),
        (Presence("prior_therapy", "bortezomib"), "Bortezomib given in line 1 (2021-02 to 2022-04)"),
        (Presence("prior_therapy", "lenalidomide"), "Lenalidomide ongoing since 2024-01"),  # told once as given, once as going on
        (Presence("prior_therapy", "carfilzomib"), "Carfilzomib given in 2020-03"),  # said to have begun after it ended
        (Presence("allergy", "other"), "No known drug allergies; the note does not mention other allergies"),
    ],
)
def test_reasons_read_as_a_clinician_writes(expression, reason):
    patient = note(
        age_years=Reading(63),
        sex=Reading("male"),
        labs=(lab("hemoglobin", 9.8, "g/dL", "2024-02-11"), lab("weight", 70, "kg"), lab("creatinine", 1.188, "mg/dL")),
        lines=(TherapyLine(1, ("bortezomib",), (), start=on("2021-02"), end=on("2022-04")),),
        treatments=(drug("lenalidomide", "ongoing", "2024-01"), drug("lenalidomide", "given", "2024-01"), drug("carfilzomib", start="2020-06", end="2020-03")),
        allergies=(_allergy("any", "absent"),),
        bcma=BcmaExposure("exposed", (BcmaAgent("teclistamab", "bispecific_antibody", (), on("2023-05")),)),
        conditions=(has("stroke", "absent"), has("myocardial_infarction", "historical", "2011"), has("prostate_cancer", "family"), has("heart_failure", nyha="2")),
    )
    assert evaluate(expression, patient).reason == reason


@pytest.mark.parametrize(("statement", "wanted"), [
    (Presence("disease_state", "progressive", Window("within", 60, "after the last line of therapy")), FALSE),
    (Presence("disease_state", "progressive", Window("within", 60, "before enrolment")), UNKNOWN),
    (AllOf((Presence("disease_state", "previously_treated"), Not(Presence("response", "MR")))), FALSE),
])
def test_who_was_never_treated_has_not_failed_a_treatment(statement, wanted):
    assert truth(statement, n_lines=Reading(0)) == wanted


def test_measurable_disease_of_another_malignancy_is_not_asked_of_the_m_protein():
    found = evaluate(Presence("measurable_disease", "true"), note(conditions=(has("breast_cancer"),)))
    assert (found.truth.value, found.reason) == (UNKNOWN, "The note does not mention measurable lesions")


def test_who_has_had_a_line_is_previously_treated():
    assert truth(Presence("disease_state", "previously_treated"), lines=LINES) == TRUE


def test_evidence_and_missing_facts_are_those_of_the_deciding_parts():
    first, second = Evidence(0, 3, "HTN"), Evidence(5, 9, "CVA-")
    facts = (ConditionFact("hypertension", Status.PRESENT, (first,)), ConditionFact("stroke", Status.ABSENT, (second,)))
    assert evaluate(AllOf((YES, NO, SILENT)), note(conditions=facts)).evidence == (second,)
    found = evaluate(AllOf((YES, SILENT)), note(conditions=facts))
    assert (found.evidence, found.missing) == ((), ("condition:hiv_infection",))


def criterion(kind, expression):
    return Criterion("X1", Kind(kind), "text", 0, 4, expression, True)


@pytest.mark.parametrize(
    ("kind", "expression", "strict", "presumed"),
    [
        ("exclusion", SILENT, "unknown", "satisfied"),
        ("inclusion", Not(SILENT), "unknown", "satisfied"),
        ("inclusion", SILENT, "unknown", "unknown"),  # a demanded condition is not presumed either way
        ("exclusion", Presence("prior_therapy", "bcma"), "unknown", "satisfied"),
        ("exclusion", Comparison("hemoglobin", "<", 8, "g/dL"), "unknown", "unknown"),  # nor is a result that excludes and stands alone
        ("exclusion", AnyOf((SILENT, Comparison("hemoglobin", "<", 8, "g/dL"))), "unknown", "satisfied"),
        ("inclusion", Comparison("hemoglobin", ">=", 8, "g/dL"), "unknown", "unknown"),  # a demanded result is not presumed either way
        ("inclusion", Comparison("age", ">=", 18, "a"), "unknown", "unknown"),
        ("inclusion", Comparison("days_since", ">=", 14, "d", of="major_surgery"), "unknown", "satisfied"),
        ("inclusion", AtScreening("consent"), "unknown", "satisfied"),
        ("exclusion", AtScreening("no consent"), "unknown", "satisfied"),
        ("exclusion", YES, "violated", "violated"),
        ("exclusion", NO, "satisfied", "satisfied"),
    ],
)
def test_the_policy_for_what_a_note_does_not_mention(kind, expression, strict, presumed):
    patient = note(conditions=KNOWN)
    results = [judge_criterion(criterion(kind, expression), patient, unmentioned=policy) for policy in ("unknown", "absent")]
    assert [r.outcome.value for r in results] == [strict, presumed]
    assert [r.presumed for r in results] == [False, strict != presumed]


def test_a_presumption_says_so():
    result = judge_criterion(criterion("exclusion", AnyOf((SILENT, Presence("condition", "syphilis")))), note(), unmentioned="absent")
    assert result.reason == "The note does not mention HIV infection or syphilis, presumed absent"
