"""Numbers in eligibility criteria: the text of an item in, its atomic statements out."""

import pytest

from matcher.domain import Kind
from matcher.trials import compile_criterion, constraints


def statements(text, kind=Kind.INCLUSION):
    expression, _ = compile_criterion(text, kind, ("multiple_myeloma",))
    return [(c["fact"], c["op"], c["value"], c["unit"]) for c in constraints(expression)]


@pytest.mark.parametrize("text, wanted", [
    ("Age 21-70", [("age", ">=", 21, "a"), ("age", "<=", 70, "a")]),
    ("Between 21 and 70 years of age", [("age", ">=", 21, "a"), ("age", "<=", 70, "a")]),
    ("≥ 21 and < 70 years old", [("age", ">=", 21, "a"), ("age", "<", 70, "a")]),
    ("21 years or older", [("age", ">=", 21, "a")]),
    ("Aged over 21", [("age", ">", 21, "a")]),
    ("Anyone under the age of 16", [("age", "<", 16, "a")]),
    ("Adults no older than 75 years", [("age", "<=", 75, "a")]),
    ("Children at least 6 months old", [("age", ">=", 0.5, "a")]),
    ("Younger than 18 years of age or older than 80 years of age", [("age", "<", 18, "a"), ("age", ">", 80, "a")]),
    ("21 ≤ age < 66", [("age", ">=", 21, "a"), ("age", "<", 66, "a")]),
    ("From 21 up to 66 years", [("age", ">=", 21, "a"), ("age", "<=", 66, "a")]),
    ("Between the ages of twenty-one and sixty-six", [("age", ">=", 21, "a"), ("age", "<=", 66, "a")]),
    ("Below 21 or above 66years", [("age", "<", 21, "a"), ("age", ">", 66, "a")]),
    ("Lower age limit: 21 years", [("age", ">=", 21, "a")]),
    ("21 years minimum", [("age", ">=", 21, "a")]),
    ("Adults (21+)", [("age", ">=", 21, "a")]),
    ("Infants of 28 days to 12 months", [("age", ">=", 0.0767123, "a"), ("age", "<=", 1, "a")]),
    ("At least 12 archived slides", []),  # a count
    ("More than 24 clinic visits", []),
    ("Five year survival above 60 %", [("survival", ">", 60, "%")]),
])
def test_age(text, wanted):
    assert statements(text) == wanted


@pytest.mark.parametrize("text, wanted", [
    ("Haemoglobin at least 9 g/dL", [("hemoglobin", ">=", 9, "g/dL")]),
    ("Haemoglobin is more than 90 gram per litre", [("hemoglobin", ">", 9, "g/dL")]),
    ("Hemoglobin not lower than 9 g/dL", [("hemoglobin", ">=", 9, "g/dL")]),
    ("Hemoglobin at least 9\n             g/dL", [("hemoglobin", ">=", 9, "g/dL")]),  # a line of a record ends there
    ("Platelets ≥ 75 x\n   10^9/L", [("platelets", ">=", 75, "10*9/L")]),
    ("Hemoglobin greater than or equal to 9 g/dL", [("hemoglobin", ">=", 9, "g/dL")]),
    ("Platelets ≥ 60,000/mm3", [("platelets", ">=", 60, "10*9/L")]),
    ("Platelets ≥ 60 x 10^9/L", [("platelets", ">=", 60, "10*9/L")]),
    ("Platelets ≥ 60 × 109/L", [("platelets", ">=", 60, "10*9/L")]),
    ("Absolute lymphocyte count ≥ 3×10^8/L", [("alc", ">=", 0.3, "10*9/L")]),
    ("ANC ≥ 1.2 K/uL", [("anc", ">=", 1.2, "10*9/L")]),
    ("ANC ≥ 1200 without growth factor support", [("anc", ">=", 1.2, "10*9/L")]),
    ("LVEF ≥ 45%", [("lvef", ">=", 45, "%")]),
    ("ECOG 0-2", [("ecog", ">=", 0, "1"), ("ecog", "<=", 2, "1")]),
    ("ECOG performance status of 0, 1 or 2", [("ecog", ">=", 0, "1"), ("ecog", "<=", 2, "1")]),
    ("Performance status (Karnofsky) ≥ 60%", [("kps", ">=", 60, "1")]),
    ("Life expectancy of more than three months", [("life_expectancy", ">", 90, "d")]),
    ("Expected survival ≥ 12 weeks", [("life_expectancy", ">=", 84, "d")]),
    ("Body mass index 18.5-29.9 kg/m2", [("bmi", ">=", 18.5, "kg/m2"), ("bmi", "<=", 29.9, "kg/m2")]),
    ("BMI > 32,5", [("bmi", ">", 32.5, "kg/m2")]),
    ("Proptosis ≥ 3 mm", [("proptosis", ">=", 3, "mm")]),
    ("Bone mineral density T-score below -2.5", [("bone_density_t_score", "<", -2.5, "1")]),
    ("T-score between -1.0 and -2.5", [("bone_density_t_score", ">=", -2.5, "1"), ("bone_density_t_score", "<=", -1, "1")]),
    ("Less than 70 days' gestation", [("gestational_age", "<", 70, "d")]),
    ("Gestational age of 24 to 34 weeks", [("gestational_age", ">=", 24, "wk"), ("gestational_age", "<=", 34, "wk")]),
    ("Blood pressure < 150/95 mmHg", [("systolic_bp", "<", 150, "mm[Hg]"), ("diastolic_bp", "<", 95, "mm[Hg]")]),
    ("Liver enzymes (ALT and AST) below 90 U/L", [("alt", "<", 90, "U/L"), ("ast", "<", 90, "U/L")]),
    ("ASA physical status 3", [("asa", "=", 3, "1")]),
    ("ASA class I-III", []),  # a class is no number
    ("Laboratory tests:\n  - Hemoglobin > 9 g/dL\n  - Platelets > 60 x 10^9/L", [("hemoglobin", ">", 9, "g/dL"), ("platelets", ">", 60, "10*9/L")]),
    ("At least one (1) prior line of therapy", [("prior_lines", ">=", 1, "1")]),
    ("Hemoglobin greater than or equal to (>=) 9 gram per deciliter [g/dL]", [("hemoglobin", ">=", 9, "g/dL")]),
    ("Proteinuria below 2 gram per day", [("urine_protein_24h", "<", 2, "g/(24.h)")]),  # the contract fixes no unit of it
    ("Radiotherapy (> 5 Gy (single) or > 8 Gy (fractionated))", [("prior_therapy", "present", "radiotherapy", None), ("radiotherapy", ">", 5, "Gy"), ("radiotherapy", ">", 8, "Gy")]),
    ("Walks at least 3 city blocks", [("walks", ">=", 3, "city blocks")]),
    ("Whoever is under the age of 18 at enrolment", [("age", "<", 18, "a")]),
    ("A condition that precludes surgery (ASA 4)", [("asa", "=", 4, "1")]),
    ("Age over 50 years with pain (> 3/10)", [("age", ">", 50, "a")]),  # not of the age
    ("Age-adjusted D-dimer < 900 ng/mL", [("d_dimer", "<", 900, "ng/mL")]),
    ("Pulmonary vascular resistance > 4 Wood units", [("pulmonary_vascular_resistance", ">", 4, "Wood units")]),
    ("17 ≤ BMI < 33 kg/m2", [("bmi", ">=", 17, "kg/m2"), ("bmi", "<", 33, "kg/m2")]),
    ("ECOG of 0,1 or 2", [("ecog", ">=", 0, "1"), ("ecog", "<=", 2, "1")]),  # a comma of the list, not of a decimal
    ("QTc > 440 ms in men or 465 ms in women", [("qtc", ">", 440, "ms"), ("qtc", ">", 465, "ms")]),
    ("BMI ≥ 32, or 28 with diabetes", [("bmi", ">=", 32, "kg/m2"), ("bmi", ">=", 28, "kg/m2"), ("condition", "present", "diabetes_mellitus", None)]),
    ("Systolic or diastolic blood pressure > 165 or 95 mmHg, respectively", [("systolic_bp", ">", 165, "mm[Hg]"), ("diastolic_bp", ">", 95, "mm[Hg]")]),
    ("Supine pressure above 165 mmHg systolic and 95 mmHg diastolic", [("systolic_bp", ">", 165, "mm[Hg]"), ("diastolic_bp", ">", 95, "mm[Hg]")]),
    ("WBC > 3,100/mm3 and < 11,000/mm3 Platelets > 140,000/mm3", [("wbc", ">", 3.1, "10*9/L"), ("wbc", "<", 11, "10*9/L"), ("platelets", ">", 140, "10*9/L")]),
    ("Creatinine > 55 mL/min", [("creatinine_clearance", ">", 55, "mL/min")]),  # the unit says which test
    ("Bone marrow cellularity above 25 %", [("bone_marrow_cellularity", ">", 25, "%")]),
    ("Serum or urine M-protein of at least 1.2 g/dL or 300 mg/24 h", [("serum_m_protein", ">=", 1.2, "g/dL"), ("urine_m_protein", ">=", 300, "mg/(24.h)")]),
    ("Less than 21 or greater than 66 years old", [("age", "<", 21, "a"), ("age", ">", 66, "a")]),
    ("Poorly controlled glucose with HbA1c > 8.5 %", [("hba1c", ">", 8.5, "%")]),
    ("Heart rate-corrected QT interval (QTc) > 470 msecs", [("qtc", ">", 470, "ms")]),
    ("M-protein in serum ≥ 0.8 g/dL or in urine ≥ 300 mg/24 h", [("serum_m_protein", ">=", 0.8, "g/dL"), ("urine_m_protein", ">=", 300, "mg/(24.h)")]),
    ("Urine light chains > 0.3 g/24 h", [("urine_m_protein", ">", 300, "mg/(24.h)")]),
    ("Weight loss > 12 %", [("weight_loss", ">", 12, "%")]),  # no weight
    ("A decrease in systolic blood pressure of more than 25 mmHg", [("systolic_bp_change", ">", 25, "mm[Hg]")]),
    ("A lymph node > 2.5 cm", [("lymph_node", ">", 2.5, "cm")]),  # no lymphocytes
    ("Estradiol level < 25 pg/mL", [("estradiol", "<", 25, "pg/mL")]),  # no drug
    ("Temperature above 38.4C", [("temperature", ">", 38.4, "Cel")]),
    ("Triglycerides > 4.1 millimoles per litre", [("triglycerides", ">", 4.1, "mmol/L")]),
    ("Pain of at least 5 on a 0-10 numeric rating scale", [("pain_score", ">=", 5, "1")]),
    ("A letter score of 75 to 25", [("letter", ">=", 25, None), ("letter", "<=", 75, None)]),
    ("The mean of the three glucose tests", []),
])
def test_tests(text, wanted):
    assert statements(text) == wanted


@pytest.mark.parametrize("text, wanted", [
    ("ALT and AST ≤ 3 x ULN", [("alt", "<=", 3, "1"), ("ast", "<=", 3, "1")]),
    ("ALT, AST ≤ 3× UNL", [("alt", "<=", 3, "1"), ("ast", "<=", 3, "1")]),
    ("Creatinine less than 2 times the upper limit of normal", [("creatinine", "<", 2, "1")]),
    ("Creatinine < 2 times normal range", [("creatinine", "<", 2, "1")]),
    ("Total bilirubin ≤ 1.5× institutional ULN", [("total_bilirubin", "<=", 1.5, "1")]),
    ("ALT < 4-fold the upper limit of normal", [("alt", "<", 4, "1")]),
    ("ALT less than 30 % above the upper limit of normal", [("alt", "<", 1.3, "1")]),
    ("PT and PTT < 1.3 times the local laboratory's upper limit of normal", [("pt", "<", 1.3, "1"), ("aptt", "<", 1.3, "1")]),
    ("Bilirubin within 1.4 times the upper limit of normal", [("total_bilirubin", "<=", 1.4, "1")]),
    ("AST and ALT ≤ 2 x ULN (≤ 4 times if the liver is involved)", [("ast", "<=", 2, "1"), ("alt", "<=", 2, "1"), ("ast", "<=", 4, "1"), ("alt", "<=", 4, "1")]),
])
def test_multiples_of_the_limit_of_normal(text, wanted):
    assert statements(text) == wanted
    assert all(c["x_uln"] for c in constraints(compile_criterion(text, Kind.INCLUSION)[0]))


@pytest.mark.parametrize("written, op", [
    ("<", "<"), ("\\<", "<"), ("＜", "<"), ("&lt;", "<"), ("below", "<"), ("less than", "<"), ("lower than", "<"),
    ("<=", "<="), ("≤", "<="), ("≦", "<="), ("=<", "<="), ("</=", "<="), ("\\<=", "<="), ("< or =", "<="), ("&le;", "<="), ("no more than", "<="), ("at most", "<="), ("not exceeding", "<="),
    ("less than or equal to", "<="), ("up to", "<="),
    (">", ">"), ("\\>", ">"), ("＞", ">"), ("&gt;", ">"), ("above", ">"), ("more than", ">"), ("exceeding", ">"),
    (">=", ">="), ("≥", ">="), ("≧", ">="), ("=>", ">="), (">/=", ">="), ("\\>=", ">="), ("> or =", ">="), ("&ge;", ">="), ("at least", ">="), ("not less than", ">="), ("equal to or greater than", ">="),
])
@pytest.mark.parametrize("kind", list(Kind))
def test_a_comparison_is_the_one_that_is_written(written, op, kind):
    assert statements(f"Serum creatinine {written} 2.5 mg/dL", kind) == [("creatinine", op, 2.5, "mg/dL")]


@pytest.mark.parametrize("text, wanted", [
    ("At least 2 prior lines of therapy", [("prior_lines", ">=", 2, "1")]),
    ("1 to 3 prior regimens", [("prior_lines", ">=", 1, "1"), ("prior_lines", "<=", 3, "1")]),
    ("No more than one prior line of treatment", [("prior_lines", "<=", 1, "1")]),
    ("≥ 2 prior regimens including a proteasome inhibitor, an IMiD and an anti-CD38 antibody",
     [("prior_lines", ">=", 2, "1"), ("prior_therapy", "present", "proteasome_inhibitor", None), ("prior_therapy", "present", "imid", None), ("prior_therapy", "present", "anti_cd38", None)]),
])
def test_counts_of_prior_therapy(text, wanted):
    assert statements(text) == wanted


@pytest.mark.parametrize("text, wanted", [
    ("Platelets ≥ 45 x 10^9/L without transfusion within 5 days", [("platelets", None)]),  # days of the transfusion
    ("ANC ≥ 900/uL without transfusion or growth factor support within 9 days of screening", [("anc", None)]),
    ("Platelets ≥ 45 x 10^9/L within 5 days before enrolment", [("platelets", 5)]),
    ("Stroke within the previous year", [("condition", 365)]),
    ("Radiotherapy in the last month", [("prior_therapy", 30)]),
    ("Radiotherapy within three (3) weeks", [("prior_therapy", 21)]),
    ("At least 25 days must have elapsed since the last chemotherapy", [("days_since", None)]),
])
def test_windows(text, wanted):
    assert [(c["fact"], c["window_days"]) for c in constraints(compile_criterion(text, Kind.EXCLUSION)[0])] == wanted
