"""One criterion against one note: what the policy for the unmentioned presumes, and what it leaves open."""

import pytest

from matcher import compile_criterion, judge_criterion, read_note
from matcher.domain import Criterion, Kind


def judge(text, kind, note, unmentioned="absent"):
    kind = Kind(kind)
    expression, assessable = compile_criterion(text, kind)
    return judge_criterion(Criterion("C1", kind, text, 0, len(text), expression, assessable), read_note(note), None, unmentioned)


WOMAN = "A 34-year-old woman with asthma comes with fever and cough for 3 days."
BOY = "A 6-year-old boy has had a rash since yesterday."


@pytest.mark.parametrize(("kind", "text", "note", "strict", "presumed"), [
    # what excludes is presumed not to be there
    ("exclusion", "Cirrhosis of the liver", WOMAN, "unknown", "satisfied"),
    ("exclusion", "Cirrhosis or platelets below 50 x 10^9/L", WOMAN, "unknown", "satisfied"),
    # but not a value that nobody has told, nor what would explain what the patient has
    ("exclusion", "Platelet count below 50 x 10^9/L", WOMAN, "unknown", "unknown"),
    ("exclusion", "Pneumonia", WOMAN, "unknown", "unknown"),
    ("exclusion", "Pneumonia after transplantation of a cornea", WOMAN, "unknown", "unknown"),
    ("exclusion", "Pneumonia", BOY, "unknown", "satisfied"),
    ("exclusion", "Asthma", WOMAN, "violated", "violated"),
    # nor an acute cause beside a chronic one; a chronic one where another chronic one explains it is
    ("exclusion", "Pneumothorax", "A 70-year-old man with COPD and dyspnea.", "unknown", "unknown"),
    ("exclusion", "Asthma", "A 70-year-old man with COPD and dyspnea.", "unknown", "satisfied"),
    # how severe it is stays open, of what is there; words that were not understood are presumed not to exclude, a few of a demand to be met
    ("exclusion", "Severe asthma", WOMAN, "unknown", "unknown"),
    ("exclusion", "Asthma of the greenhouse type", WOMAN, "unknown", "satisfied"),
    ("inclusion", "Pollinator asthma", WOMAN, "unknown", "satisfied"),
    ("inclusion", "Non-greenhouse asthma", WOMAN, "unknown", "unknown"),
    ("inclusion", "Asthma with frequent KIN attacks", WOMAN, "unknown", "unknown"),
    ("exclusion", "Relapsed disease", WOMAN, "unknown", "satisfied"),
    # another disease of a kind is another than the patient's
    ("exclusion", "Any other liver disease", "A 50-year-old man with chronic hepatitis C.", "unknown", "satisfied"),
    ("exclusion", "Any other liver disease", "A 50-year-old man with chronic hepatitis C and hemochromatosis.", "violated", "violated"),
    # who has a disease has not been treated for it by that alone, nor has had every course of it
    ("exclusion", "Any treatment for hepatitis C in the last 6 months", "A 50-year-old man with hepatitis C.", "unknown", "satisfied"),
    ("exclusion", "Anti-obesity medication", "A 50-year-old obese man.", "unknown", "satisfied"),
    ("exclusion", "Participation in a diabetes trial", "A 50-year-old man with diabetes.", "unknown", "satisfied"),
    ("exclusion", "COPD exacerbation within 6 weeks", "A 70-year-old man with COPD.", "unknown", "satisfied"),
    ("exclusion", "Bilateral breast cancer", "A 50-year-old woman with breast cancer.", "unknown", "unknown"),
    ("exclusion", "Progressive forms of multiple sclerosis", "A 30-year-old woman with RRMS.", "satisfied", "satisfied"),
    # insulin is any insulin, and no tablet
    ("exclusion", "Treatment with insulin", "A 30-year-old man on insulin glargine.", "violated", "violated"),
    ("exclusion", "Antidiabetic drugs other than insulin", "A 30-year-old man on insulin glargine.", "unknown", "satisfied"),
    ("exclusion", "Oral hypoglycemic agents", "A 30-year-old man on insulin glargine.", "unknown", "satisfied"),
    # another malignancy is another than the patient's
    ("exclusion", "Another malignancy within the past 3 years", "64-year-old man with metastatic lung adenocarcinoma.", "unknown", "satisfied"),
    ("exclusion", "History of a second primary malignancy", "64-year-old man with lung adenocarcinoma. Colon cancer in 2019.", "violated", "violated"),
    ("exclusion", "Malignancy other than the disease under study", "64-year-old man with lung adenocarcinoma.", "unknown", "satisfied"),
    # a demanded disease or laboratory value is not presumed either way
    ("inclusion", "Confirmed pulmonary tuberculosis", WOMAN, "unknown", "unknown"),
    ("inclusion", "Hemoglobin above 9 g/dL", WOMAN, "unknown", "unknown"),
    # a state that no note leaves out is presumed not to be there
    ("inclusion", "Pregnancy", WOMAN, "unknown", "violated"),
    ("inclusion", "Mechanical ventilation", WOMAN, "unknown", "violated"),
    # what patients offer by coming, and what nearly everybody meets
    ("inclusion", "Written informed consent", WOMAN, "unknown", "satisfied"),
    ("inclusion", "Able to walk without aids", WOMAN, "unknown", "unknown"),
    ("inclusion", "Effective contraception during the study", WOMAN, "unknown", "unknown"),
    ("inclusion", "Life expectancy of more than 3 months", WOMAN, "unknown", "satisfied"),
    ("inclusion", "Body weight of at least 10 kg", BOY, "unknown", "satisfied"),
    ("inclusion", "Body weight of at least 40 kg", BOY, "unknown", "unknown"),
    # what is told as history is presumed not to be of the last weeks
    ("exclusion", "Myocardial infarction within 6 months", "A 70-year-old man with a history of myocardial infarction.", "unknown", "satisfied"),
    ("inclusion", "Willing to comply with the protocol", "A 50-year-old man, non-adherent to insulin.", "unknown", "violated"),
    # a medicine that is named without a date is presumed to be taken, a state is not denied by silence beside what it explains
    ("exclusion", "Concomitant treatment with MAO-B inhibitors", "A 69-year-old man with tremor in spite of rasagiline.", "unknown", "violated"),
    ("exclusion", "Concomitant treatment with MAO-B inhibitors", "A 69-year-old man, rasagiline until 2019.", "unknown", "unknown"),
    ("inclusion", "Traumatic brain injury", "A 27-year-old man with an acute subdural hematoma.", "unknown", "unknown"),
    ("inclusion", "Traumatic brain injury", WOMAN, "unknown", "violated"),
])
def test_what_is_presumed(kind, text, note, strict, presumed):
    answers = [judge(text, kind, note, policy) for policy in ("unknown", "absent")]
    assert [a.outcome.value for a in answers] == [strict, presumed]
    assert [a.presumed for a in answers] == [False, strict != presumed]
    assert ("presumed" in answers[1].reason) is (strict != presumed)


@pytest.mark.parametrize(("kind", "text", "outcome"), [
    ("inclusion", "Age 18+", "satisfied"),
    ("inclusion", "Aged 40+ years", "violated"),
    ("inclusion", "Age 6 months to 50 years of age", "satisfied"),
    ("inclusion", "Patients of either sex", "satisfied"),
    ("inclusion", "Female gender", "satisfied"),
    ("inclusion", "Male and non-pregnant females aged 18 to 60 years", "satisfied"),
    ("inclusion", "Children with asthma", "violated"),
    ("exclusion", "Children", "satisfied"),
    ("inclusion", "Adults presenting to the emergency department with fever", "satisfied"),
    ("inclusion", "Healthy volunteers with asthma", "unknown"),
    ("inclusion", "Fever of more than 5 days", "violated"),
    ("inclusion", "Fever ≥ 48 hours", "satisfied"),
    ("inclusion", "Cough for at least 2 weeks", "violated"),
    ("exclusion", "Fever lasting more than 7 days", "satisfied"),
    ("inclusion", "Ability to swallow tablets", "satisfied"),
    ("exclusion", "Must not have received live vaccines within 4 weeks", "satisfied"),
    ("inclusion", "Asthma as defined by the GINA criteria", "satisfied"),
    ("exclusion", "Body mass index above 40 kg/m2", "unknown"),
    ("inclusion", "Asthma confirmed by chest radiograph", "satisfied"),
    ("inclusion", "Height more than 2 standard deviations below the mean", "unknown"),
])
def test_criteria_of_general_medicine(kind, text, outcome):
    assert judge(text, kind, WOMAN).outcome.value == outcome


@pytest.mark.parametrize(("note", "outcome"), [
    ("A 25-year-old man admitted to hospital with pneumonia.", "violated"),
    ("A 25-year-old man for a check-up.", "unknown"),
])
def test_good_health(note, outcome):
    assert judge("Subjects in good health", "inclusion", note, "unknown").outcome.value == outcome


WRITTEN = "A 31-year-old woman, G2P1, at 33 weeks with a singleton pregnancy, membranes intact. Smokes. Acute bronchitis."
TUMOURS = "70-year-old man with multiple myeloma. Basal cell carcinoma of the nose excised in 2015."


@pytest.mark.parametrize(("kind", "text", "note", "outcome"), [
    # what another state of the note excludes
    ("exclusion", "Multiple pregnancy", WRITTEN, "satisfied"),
    ("exclusion", "Premature rupture of membranes", WRITTEN, "satisfied"),
    ("inclusion", "Former smoker", WRITTEN, "violated"),
    ("exclusion", "Prematurity", "A 3-year-old girl, born at term.", "satisfied"),
    ("inclusion", "Mild cognitive impairment", "A 70-year-old man with dementia.", "violated"),
    ("inclusion", "Premenopausal", "A 38-year-old woman with irregular periods.", "satisfied"),
    ("exclusion", "Postmenopausal women", "A 30-year-old woman, her menstrual periods are heavy.", "satisfied"),
    ("inclusion", "Community-dwelling", "An 80-year-old man who lives in a nursing home.", "violated"),
    ("inclusion", "Singleton pregnancy", "A 24-year-old woman with a twin pregnancy.", "violated"),
    ("inclusion", "Body mass index above 27 kg/m2", "A 50-year-old obese man.", "satisfied"),
    ("inclusion", "Body mass index above 35 kg/m2", "A 50-year-old obese man.", "unknown"),
    ("inclusion", "Body mass index above 27 kg/m2", "A 9-year-old obese boy.", "unknown"),
    ("exclusion", "Current ectopic pregnancy", "A 38-year-old woman. Ectopic pregnancy at age 26.", "satisfied"),
    ("inclusion", "Naive to triptans", "A 38-year-old woman. Sumatriptan helps her migraine.", "violated"),
    # acute illness is any illness with an acute course, and a stay in hospital
    ("exclusion", "Acute illness at the time of enrolment", WRITTEN, "violated"),
    ("exclusion", "Acute illness at the time of enrolment", "A 40-year-old man with hypertension.", "unknown"),
    # a note that lists past tumours lists them all
    ("exclusion", "Other malignancies except basal cell carcinoma of the skin", TUMOURS, "satisfied"),
    ("exclusion", "Other malignancies except cervical carcinoma in situ", TUMOURS, "violated"),
    ("exclusion", "Other malignancies except basal cell carcinoma of the skin", "70-year-old man with multiple myeloma.", "unknown"),
])
def test_what_follows_from_another_fact(kind, text, note, outcome):
    kind = Kind(kind)
    expression, assessable = compile_criterion(text, kind, ("multiple_myeloma",))
    assert judge_criterion(Criterion("C1", kind, text, 0, len(text), expression, assessable), read_note(note)).outcome.value == outcome


@pytest.mark.parametrize(("text", "note", "outcome"), [
    ("Current use of anticoagulants", "She takes warfarin for atrial fibrillation.", "violated"),
    ("Current use of anticoagulants", "Medications: bisoprolol 5 mg, apixaban 5 mg bd.", "violated"),
    ("Current use of anticoagulants", "Medications: bisoprolol 5 mg. Stopped: apixaban.", "unknown"),
    ("Current use of anticoagulants", "Warfarin given after the operation.", "unknown"),
    ("Current use of anticoagulants", "Atrial fibrillation, on apixaban.", "violated"),
    ("Current use of anticoagulants", "Was on warfarin in 2019.", "unknown"),
    ("Requires supplemental oxygen", "Seen on 4 November 2024. On home oxygen at 2 litres since May 2024.", "violated"),
    ("Corticosteroids within 7 days", "Seen 2025-01-08. Myeloma. Pom-dex 2021-12 to 2022-08, PD. Dexamethasone 5 mg daily from 2025-01-06.", "violated"),
    ("Known allergy to fludarabine", "Codeine made him sick in 2018; not an allergy.", "unknown"),
    ("Any pneumonia within 4 weeks", "Seen on 4 November 2024. Pneumonia in May 2024, well since.", "satisfied"),
])
def test_what_is_current(text, note, outcome):
    assert judge(text, "exclusion", note, "unknown").outcome.value == outcome


@pytest.mark.parametrize(("note", "outcome"), [
    ("Rheumatoid arthritis, on methotrexate.", ["violated", "violated"]),
    ("Rheumatoid arthritis, currently active.", ["violated", "violated"]),
    ("Psoriasis of the elbows.", ["unknown", "unknown"]),
    ("Ulcerative colitis since 2001, in remission without medicine.", ["satisfied", "unknown"]),
    ("Crohn disease, resection in 2013, quiescent since.", ["satisfied", "unknown"]),
    ("No autoimmune disease.", ["satisfied", "satisfied"]),
])
def test_an_autoimmune_disease_is_active_where_the_note_says_so_or_treats_it(note, outcome):
    asked = ("Active autoimmune disease", "Active autoimmune disease, such as psoriasis or rheumatoid arthritis")
    assert [judge(text, "exclusion", note, "unknown").outcome.value for text in asked] == outcome


BRAIN = "Lung cancer with brain metastases treated by radiosurgery, asymptomatic."


@pytest.mark.parametrize(("kind", "text", "note", "outcome"), [
    ("exclusion", "Family history of long QT syndrome", "Mother has long QT syndrome.", "violated"),
    ("exclusion", "Family history of long QT syndrome", "Long QT syndrome.", "unknown"),
    ("exclusion", "Personal or family history of epilepsy", "Epilepsy since childhood.", "violated"),
    ("exclusion", "Personal or family history of epilepsy", "Brother has epilepsy.", "violated"),
    ("exclusion", "Symptomatic brain metastases", BRAIN, "satisfied"),
    ("exclusion", "Untreated or symptomatic brain metastases", BRAIN, "unknown"),
    ("exclusion", "Known allergy to penicillin or cephalosporins", "Anaphylaxis to cefazolin.", "violated"),
    ("exclusion", "Severe hypoglycemia", "One episode of mild hypoglycemia.", "satisfied"),
    ("exclusion", "Severe hypoglycemia", "Hypoglycemia last week.", "unknown"),
])
def test_whose_condition_and_how_bad(kind, text, note, outcome):
    assert judge(text, kind, note, "unknown").outcome.value == outcome


@pytest.mark.parametrize(("text", "note", "outcome"), [
    ("Known hypersensitivity to sulfonamides", "Allergies: sulfa.", "violated"),
    ("Known hypersensitivity to sulfonamides", "Allergies: co-trimoxazole (rash).", "violated"),
    ("Allergy to penicillin", "Allergies: amoxicillin.", "violated"),
    ("Allergy to contrast agents", "Allergic to iodinated contrast.", "violated"),
    ("Peanut allergy", "Allergies: peanuts, latex.", "violated"),
    ("Peanut allergy", "Allergies: penicillin.", "unknown"),
    ("Allergy to penicillin", "NKDA.", "satisfied"),
    ("Latex allergy", "NKDA.", "unknown"),
    ("Latex allergy", "No known allergies.", "satisfied"),
])
def test_an_allergy_by_its_substance_or_by_its_name(text, note, outcome):
    assert judge(text, "exclusion", note, "unknown").outcome.value == outcome
