"""The logic of eligibility criteria: the text of an item in, its expression out, as the line that people read."""

import pytest

from matcher.domain import AllOf, AnyOf, AtLeast, AtScreening, Comparison, Kind, Not, Presence, Unparsed, Window
from matcher.expressions import atoms
from matcher.trials import compile_criterion, constraints
from matcher.trials.criteria import coverage

INCLUSION, EXCLUSION = Kind.INCLUSION, Kind.EXCLUSION


def line(e):
    """A compact form of an expression for the tables below."""
    match e:
        case AllOf(parts):
            return "(" + " & ".join(map(line, parts)) + ")"
        case AnyOf(parts):
            return "(" + " | ".join(map(line, parts)) + ")"
        case AtLeast(n, parts):
            return f"{n} of (" + ", ".join(map(line, parts)) + ")"
        case Not(part):
            return "not " + line(part)
        case AtScreening():
            return "screening"
        case Unparsed(text):
            return f"?{text}?"
        case Comparison():
            return f"{e.fact}{f'[{e.of}]' if e.of else ''} {e.op} {e.value:g}{' ULN' if e.x_uln else ''}{_window(e.window)}"
        case Presence():
            qualifiers = "".join(f" {k}={v}" for k, v in e.qualifiers)
            excluding = " but " + ",".join(e.excluding) if e.excluding else ""
            fact = "" if e.fact in ("condition", "prior_therapy") else f"{e.fact}:"
            return f"{fact}{e.value}{qualifiers}{excluding}{_window(e.window)}"


def _window(window):
    return f" @{window.relation} {window.days or ''}".rstrip() if window else ""


def read(text, kind):
    return line(compile_criterion(text, kind, ("multiple_myeloma",))[0])


@pytest.mark.parametrize("kind, text, wanted", [
    (EXCLUSION, "Pregnant or breastfeeding women", "(pregnancy | breastfeeding)"),
    (EXCLUSION, "Asthma, cirrhosis, and psoriasis", "(asthma | cirrhosis | psoriasis)"),
    (EXCLUSION, "Pregnant women, or women of childbearing potential not willing to use contraception", "(pregnancy | (childbearing_potential & screening))"),
    (EXCLUSION, "Asthma Cirrhosis Psoriasis", "(asthma | cirrhosis | psoriasis)"),
    (EXCLUSION, "Fever and pneumonia", "(fever | pneumonia)".replace("|", "&")),
    (INCLUSION, "Platelets ≥ 50 x 10^9/L and hemoglobin ≥ 8 g/dL", "(platelets >= 50 & hemoglobin >= 8)"),
    (INCLUSION, "Treated with lenalidomide and either a proteasome inhibitor or an anti-CD38 antibody", "(lenalidomide & (proteasome_inhibitor | anti_cd38))"),
    (EXCLUSION, "ALT or AST > 3 x ULN", "(alt > 3 ULN | ast > 3 ULN)"),
    (INCLUSION, "ALT or AST ≤ 3 x ULN", "(alt <= 3 ULN & ast <= 3 ULN)"),
    (EXCLUSION, "Any of the following: 1) asthma 2) cirrhosis 3) psoriasis", "(asthma | cirrhosis | psoriasis)"),
    (INCLUSION, "At least two of the following: 1) asthma 2) cirrhosis 3) psoriasis", "2 of (asthma, cirrhosis, psoriasis)"),
    (INCLUSION, "Adequate function: (1) hemoglobin > 8 g/dL; (2) creatinine < 2 mg/dL", "(hemoglobin > 8 & creatinine < 2)"),
    (INCLUSION, "Adequate marrow function (ANC >= 1.0) and hepatic function (bilirubin <= 1.5 x ULN)", "(anc >= 1 & total_bilirubin <= 1.5 ULN)"),
    (INCLUSION, "Adequate renal function (creatinine clearance >= 50 mL/min) and hepatic function", "(creatinine_clearance >= 50 & not hepatic_impairment)"),
    (EXCLUSION, "Neutrophils decreased more than 10 days", "neutropenia duration=>10"),
    (EXCLUSION, "Recurrent infections", "active_infection course=recurrent"),
    (EXCLUSION, "Untreated or symptomatic brain metastases", "(brain_metastasis treatment=none | brain_metastasis severity=symptomatic)"),
    (EXCLUSION, "Symptomatic or untreated brain metastases or leptomeningeal disease", "(brain_metastasis severity=symptomatic | brain_metastasis treatment=none | leptomeningeal_disease)"),
    (EXCLUSION, "Prior or current malignancy other than multiple myeloma", "malignancy but multiple_myeloma"),
    (EXCLUSION, "Contraindication to the use of aspirin", "intolerant_to:acetylsalicylic acid"),
    (EXCLUSION, "Allergic reaction of grade ≥ 2 while taking thalidomide", "allergy:thalidomide grade=>=2"),
    (EXCLUSION, "Known allergies, hypersensitivity or intolerance to mannitol", "allergy:mannitol"),
    (EXCLUSION, "Active infection requiring treatment (antibiotics, antivirals or antifungals)", "active_infection @current"),
    (EXCLUSION, "Uncontrolled infection with HIV, hepatitis B or hepatitis C", "(hiv_infection control=uncontrolled | hepatitis_b control=uncontrolled | hepatitis_c control=uncontrolled)"),
    (EXCLUSION, "Prior T-cell therapy targeting BCMA, including T-cell engagers and CAR-T", "bcma"),
    (EXCLUSION, "Current or recent treatment with an immunotherapy", "immunotherapy @within"),
    (EXCLUSION, "Autoimmune disease (e.g. psoriasis or thrombocytopenia)", "(autoimmune_disease | psoriasis)"),
    (EXCLUSION, "IgM multiple myeloma", "disease:multiple_myeloma isotype=igm"),
    (EXCLUSION, "Non-secretory multiple myeloma", "nonsecretory_myeloma"),
    (INCLUSION, "Stem cell transplant not within 3 months before enrolment", "not (autologous_transplant @within 90 | allogeneic_transplant @within 90)"),
    (INCLUSION, "Ovarian cancer cohorts only: ECOG ≤ 1", "(not ovarian_cancer | ecog <= 1)"),
    (INCLUSION, "Recovery from toxicity. The presence of alopecia and grade < 2 neuropathy is allowed.", "not treatment_toxicity"),
    (EXCLUSION, "Bilateral pneumonia or advanced liver disease", "(pneumonia kind=bilateral | liver_disease kind=advanced)"),
    (EXCLUSION, "Uncontrolled disease (e.g. cardiac or metabolic disease)", "(heart_disease control=uncontrolled | metabolic_disorder control=uncontrolled)"),
    (EXCLUSION, "Autoimmune disease not requiring treatment", "autoimmune_disease treatment=none"),
    (EXCLUSION, "Hypothyroidism not adequately treated", "(hypothyroidism & ?not adequately treated?)"),
    (EXCLUSION, "Diabetes mellitus other than type 2", "(diabetes_mellitus & ?type 2?)"),
    (EXCLUSION, "Amyloidosis or other similar conditions", "(al_amyloidosis | screening)"),
    (EXCLUSION, "Diarrhea regardless of its cause", "diarrhea"),
    (EXCLUSION, "No prior chemotherapy is allowed", "chemotherapy"),
    (EXCLUSION, "Multiple episodes of myeloma within 3 months", "(disease:multiple_myeloma & ?within 90 days?)"),
    (EXCLUSION, "Personal or family history of epilepsy", "(seizure_disorder | seizure_disorder relative=yes)"),
    (EXCLUSION, "Hepatitis B or C", "(hepatitis_b | hepatitis_c)"),
    (EXCLUSION, "Serious medical or psychiatric illness", "(screening | psychiatric_disorder severity=severe)"),
    (EXCLUSION, "Pleural or pericardial effusion", "(pleural_effusion | pericardial_effusion)"),
    (EXCLUSION, "Acute or chronic pancreatitis", "(acute_pancreatitis | chronic_pancreatitis)"),
    (EXCLUSION, "Immunodeficiency (HIV)", "(immunodeficiency | hiv_infection)"),
    (INCLUSION, "Treated with lenalidomide and bortezomib and failed lenalidomide or bortezomib", "(lenalidomide & bortezomib & (refractory_to:lenalidomide | refractory_to:bortezomib))"),
    (EXCLUSION, "Bortezomib, lenalidomide and dexamethasone as combination therapy", "(bortezomib & lenalidomide & dexamethasone)"),
    (EXCLUSION, "Psoriasis or any other condition that required immunosuppression", "((psoriasis & immunosuppressant) | (screening & immunosuppressant))"),
    (EXCLUSION, "Infection (e.g. tuberculosis [TB], hepatitis B)", "(active_infection | tuberculosis | hepatitis_b)"),
    (EXCLUSION, "Quixotic treatment (e.g. warfarin)", "(?Quixotic? | warfarin)"),
    (INCLUSION, "Asthma (confirmed by lung disease center)", "asthma"),
])
def test_and_or(kind, text, wanted):
    assert read(text, kind) == wanted


@pytest.mark.parametrize("kind, text, wanted", [
    (INCLUSION, "No history of stroke or seizure", "(not stroke & not seizure_disorder)"),
    (INCLUSION, "HIV negative", "not hiv_infection"),
    (INCLUSION, "Not pregnant", "not pregnancy"),
    (INCLUSION, "Negative pregnancy test", "not pregnancy"),
    (INCLUSION, "Women of childbearing potential must have a negative serum or urine pregnancy test within 7 days", "(not childbearing_potential | not pregnancy @within 7)"),
    (INCLUSION, "Last chemotherapy not within 21 days prior to enrollment", "not chemotherapy @within 21"),
    (INCLUSION, "No asthma and platelets ≥ 50 x 10^9/L", "(not asthma & platelets >= 50)"),
    (INCLUSION, "Stem cell transplantation not within 3 months", "not (autologous_transplant @within 90 | allogeneic_transplant @within 90)"),
    (INCLUSION, "BCMA-naive patients", "not bcma"),
    (INCLUSION, "No seizure for at least 6 months", "not seizure_disorder @within 180"),
    (INCLUSION, "Not postmenopausal for at least 6 months", "not postmenopausal @before 180"),
    (EXCLUSION, "No asthma or cirrhosis", "not (not asthma & not cirrhosis)"),  # what is asked, told among the exclusions
    (EXCLUSION, "No chemotherapy within 4 weeks", "chemotherapy @within 28"),
    (EXCLUSION, "No measurable disease", "not measurable_disease:true"),
    (INCLUSION, "No HIV infection with CD4 count < 350/uL", "not (hiv_infection & cd4_count < 350)"),
    (INCLUSION, "Stage 3 disease without evidence of metastases", "(disease:multiple_myeloma stage=3 & not metastatic_disease)"),
    (INCLUSION, "Non-pregnant, and either postmenopausal or surgically sterile", "(not pregnancy & (postmenopausal | tubal_ligation))"),
    (EXCLUSION, "Pregnant women, or women of childbearing potential without a negative pregnancy test", "(pregnancy | (childbearing_potential & pregnancy))"),
    (INCLUSION, "If lenalidomide was not given, bortezomib is required", "(bortezomib | lenalidomide)"),
    (EXCLUSION, "Measuring bones is not feasible (e.g. obesity)", "(?Measuring bones is not feasible? | obesity)"),
    (EXCLUSION, "A subject must not be pregnant", "pregnancy"),
    (EXCLUSION, "If on warfarin, these criteria must be met:\n - Must not have asthma\n - Must have platelets > 75,000/uL", "(anticoagulation & not (not asthma & platelets > 75))"),
    (EXCLUSION, "Asthma. Patients with cirrhosis:\n - Must be postmenopausal\n - Must not have ascites", "(asthma | (cirrhosis & not (postmenopausal & not ascites)))"),
    (INCLUSION, "Asthma. Excluded: cirrhosis, psoriasis", "(asthma & not (cirrhosis | psoriasis))"),
])
def test_negation(kind, text, wanted):
    assert read(text, kind) == wanted


@pytest.mark.parametrize("kind, text, wanted", [
    (EXCLUSION, "Myocardial infarction within 6 months before enrollment", "myocardial_infarction @within 180"),
    (EXCLUSION, "Unstable angina or myocardial infarction within 4 months prior to randomization", "(unstable_angina @within 120 | myocardial_infarction @within 120)"),
    (EXCLUSION, "Psoriasis, or a history of seizure within the past 12 months", "(psoriasis | seizure_disorder @within 360)"),
    (EXCLUSION, "Live vaccine within 8 weeks or major surgery within 4 weeks before lymphodepletion", "(live_vaccine @within 56 | major_surgery @within 28)"),
    (EXCLUSION, "Autologous stem cell transplantation less than 12 weeks before consent", "autologous_transplant @within 84"),
    (EXCLUSION, "Major surgery 14 days before ICF", "major_surgery @within 14"),
    (EXCLUSION, "Chemotherapy within 28 days or 5 half-lives, whichever is longer, before the first dose", "chemotherapy @within 28"),
    (EXCLUSION, "Radiotherapy within 14 days; chemotherapy or immunotherapy within 21 days", "(radiotherapy @within 14 | chemotherapy @within 21 | immunotherapy @within 21)"),
    (INCLUSION, "At least 4 weeks since prior chemotherapy (6 weeks for melphalan)", "(days_since[chemotherapy] >= 28 & days_since[melphalan] >= 42)"),
    (INCLUSION, "Radiotherapy completed for at least 2 weeks before enrollment", "days_since[radiotherapy] >= 14"),
    (EXCLUSION, "Active hepatitis B", "hepatitis_b @current"),
    (EXCLUSION, "Chemotherapy < 3 weeks, immunotherapy < 6 weeks", "(chemotherapy @within 21 | immunotherapy @within 42)"),
    (EXCLUSION, "Active tuberculosis or hepatitis B", "(tuberculosis @current | hepatitis_b @current)"),
    (EXCLUSION, "Active tuberculosis or a history of stroke", "(tuberculosis @current | stroke)"),
    (INCLUSION, "Fever of 3 or more days", "fever duration=>=3"),
    (INCLUSION, "No treatment within 7 days of major surgery or within 3 days of minor surgery", "(not major_surgery @within 7 & not minor_surgery @within 3)"),
    (INCLUSION, "At least 4 weeks since prior chemotherapy, radiotherapy or surgery", "(days_since[chemotherapy] >= 28 & days_since[radiotherapy] >= 28 & days_since[surgery] >= 28)"),
    (INCLUSION, "No chemotherapy within 4 weeks (6 weeks for nitrosoureas)", "not (chemotherapy @within 28 | nitrosourea @within 42)"),
    (EXCLUSION, "Heart disease such as myocardial infarction within 6 months or NYHA class III heart failure", "((heart_disease & screening) | myocardial_infarction @within 180 | heart_failure nyha=3)"),
    (EXCLUSION, "History of or current asthma", "asthma"),
    (EXCLUSION, "Stroke within last 3 months, or asthma (past 5 years)", "(stroke @within 90 | asthma @within 1825)"),
    (EXCLUSION, "Lenalidomide within the drug-specific window", "(lenalidomide & ?within?)"),
    (EXCLUSION, "Asthma or stroke are not eligible if within 2 weeks before enrollment", "(asthma @within 14 | stroke @within 14)"),
    (INCLUSION, "Corticosteroids are allowed but not within 10 days of enrollment", "(not corticosteroid | not corticosteroid @within 10)"),
    (EXCLUSION, "Use of warfarin", "warfarin @current"),
    (EXCLUSION, "Prior use of warfarin", "warfarin"),
    (EXCLUSION, "Use of bortezomib", "bortezomib"),
    (EXCLUSION, "Receiving chronic, systemic treatment with warfarin", "warfarin @current"),
    (INCLUSION, "Patients may not be on corticosteroids", "not corticosteroid @current"),
])
def test_time(kind, text, wanted):
    assert read(text, kind) == wanted


@pytest.mark.parametrize("kind, text, wanted", [
    (EXCLUSION, "Other malignancy except non-melanoma skin cancer or cervical carcinoma in situ", "malignancy but multiple_myeloma,non_melanoma_skin_cancer,cervical_carcinoma_in_situ"),
    (EXCLUSION, "Prior malignancy unless disease-free for at least 5 years", "malignancy but multiple_myeloma @within 1825"),
    (EXCLUSION, "Prior malignancy other than multiple myeloma, unless disease-free for at least 4 years", "malignancy but multiple_myeloma @within 1460"),
    (EXCLUSION, "Prior malignancy unless in remission for 4 years", "malignancy but multiple_myeloma @within 1460"),
    (EXCLUSION, "Systemic corticosteroids within 7 days, except inhaled steroids", "corticosteroid but inhaled_corticosteroid,topical_corticosteroid @within 7"),
    (EXCLUSION, "Arrhythmia unless the patient has a pacemaker", "(arrhythmia & not pacemaker)"),
    (INCLUSION, "Prior chemotherapy, but not in the last 4 weeks", "(chemotherapy & not chemotherapy @within 28)"),
    (EXCLUSION, "Prior malignancy. The exceptions are: non-melanoma skin cancer, any other cancer with no evidence of disease for at least 10 years", "malignancy but multiple_myeloma,non_melanoma_skin_cancer @within 3650"),
    (EXCLUSION, "Corticosteroids. Topical use of corticosteroids is permitted", "(corticosteroid & not corticosteroid route=topical)"),
    (EXCLUSION, "Prior malignancy except low-risk prostate cancer", "(malignancy but multiple_myeloma & not prostate_cancer risk=low)"),
    (EXCLUSION, "Prior malignancy except in situ cancer of the cervix or breast", "malignancy but multiple_myeloma,cervical_carcinoma_in_situ,ductal_carcinoma_in_situ"),
    (EXCLUSION, "Asthma; exceptions are defined in the protocol", "(asthma & ?defined in the protocol?)"),
    (INCLUSION, "No grade 3 toxicity due to prior chemotherapy (except alopecia)", "not treatment_toxicity grade=3 but alopecia"),
    (INCLUSION, "AST ≤ 3 x ULN (≤ 5 x ULN if liver metastases are present)", "(ast <= 3 ULN | (ast <= 5 ULN & liver_metastasis))"),
    (EXCLUSION, "Prior malignancy except cervical carcinoma in situ or adequately treated stage I cancer", "(malignancy but multiple_myeloma,cervical_carcinoma_in_situ & ?other malignancy?)"),
    (EXCLUSION, "Prior malignancy except cervical carcinoma in situ or one that in the opinion of the investigator is cured", "malignancy but multiple_myeloma,cervical_carcinoma_in_situ"),
])
def test_exceptions(kind, text, wanted):
    assert read(text, kind) == wanted


@pytest.mark.parametrize("kind, text, wanted", [
    (EXCLUSION, "NYHA class III or IV heart failure", "heart_failure nyha=>=3"),
    (EXCLUSION, "Heart disease (New York Heart Association class III-IV)", "heart_failure nyha=>=3"),
    (EXCLUSION, "Grade 2 or worse peripheral neuropathy", "peripheral_neuropathy grade=>=2"),
    (EXCLUSION, "Neuropathy or neuralgia ≥ 2, according to CTCAE", "(peripheral_neuropathy grade=>=2 | neuralgia grade=>=2)"),
    (EXCLUSION, "Uncontrolled diabetes", "diabetes_mellitus control=uncontrolled"),
    (EXCLUSION, "Severe hepatic function impairment", "hepatic_impairment severity=severe"),
    (INCLUSION, "Adequate liver and kidney function", "(not hepatic_impairment & not renal_impairment)"),
    (INCLUSION, "Recovered to grade 1 or less from toxicities of prior therapy", "not treatment_toxicity grade=>1"),
    (EXCLUSION, "Toxicities of prior therapy that have not recovered to CTCAE v5.0 ≤ 1", "treatment_toxicity grade=>1"),
    (EXCLUSION, "Grade V pneumonia", "pneumonia grade=5"),
    (EXCLUSION, "Significant impairment of hepatic or renal function", "(hepatic_impairment | renal_impairment)"),
    (INCLUSION, "Adequate organ and bone marrow function", "(not bone_marrow_impairment & screening)"),
    (INCLUSION, "Unresectable stage III disease", "(unresectable_disease & disease:multiple_myeloma stage=3)"),
    (EXCLUSION, "NYHA (New York Hospital Association) class III heart failure", "heart_failure nyha=3"),
])
def test_grades_and_organs(kind, text, wanted):
    assert read(text, kind) == wanted


@pytest.mark.parametrize("kind, text, wanted", [
    (EXCLUSION, "Prednisone > 15 mg/day", "prednisone dose=>15 mg/day"),
    (EXCLUSION, "Corticosteroids equivalent to more than 15 mg/day of prednisone", "corticosteroid dose=>15 mg/day"),
    (EXCLUSION, "More than 15 mg of prednisone daily", "prednisone dose=>15 mg"),
    (EXCLUSION, "More than 2 episodes of syncope", "syncope count=>2"),
    (EXCLUSION, "Doxorubicin/epirubicin exceeding 300 mg/m2", "(doxorubicin dose=>300 mg/m2 | epirubicin dose=>300 mg/m2)"),
    (INCLUSION, "No more than one prior proteasome inhibitor", "(not proteasome_inhibitor | ?No more than one prior proteasome inhibitor?)"),
    (INCLUSION, "At least one proteasome inhibitor", "proteasome_inhibitor"),
    (EXCLUSION, "More than 4 quixotic zeppelins", "?More than 4 quixotic zeppelins?"),
    (INCLUSION, "Ferritin 300 ng/mL, ECOG 1", "(?Ferritin 300 ng/mL? & ecog = 1)"),
    (INCLUSION, "Creatinine 1.5 mg/dL, platelets 75,000/mm3", "(creatinine <= 1.5 & platelets >= 75)"),
    (INCLUSION, "Hemoglobin: men ≥ 13 g/dL, women ≥ 12 g/dL", "((not sex:male | hemoglobin >= 13) & (not sex:female | hemoglobin >= 12))"),
    (EXCLUSION, "QTc > 440 ms (men) and > 450 ms (women)", "((sex:male & qtc > 440) | (sex:female & qtc > 450))"),
    (INCLUSION, "AST ≤ 2 x ULN (liver metastases ≤ 5 x ULN)", "(ast <= 2 ULN | (ast <= 5 ULN & liver_metastasis))"),
    (INCLUSION, "AST ≤ 3 x ULN or, in patients with liver metastases, AST ≤ 5 x ULN", "(ast <= 3 ULN | (liver_metastasis & ast <= 5 ULN))"),
    (INCLUSION, "Bilirubin ≤ 1.5 x ULN (except patients with Gilbert syndrome, who must have bilirubin ≤ 3 x ULN)", "(total_bilirubin <= 1.5 ULN | (gilbert_syndrome & total_bilirubin <= 3 ULN))"),
    (INCLUSION, "Platelets ≥ 75 x 10^9/L for patients with lymphoma and platelets ≥ 50 x 10^9/L for patients with leukemia", "((platelets >= 75 | not lymphoma) & (platelets >= 50 | not leukemia))"),
    (EXCLUSION, "Chloride outside the normal range", "(chloride < 1 | chloride > 1 ULN)"),
    (EXCLUSION, "The QTc must be less than 480 ms", "not qtc < 480"),
    (EXCLUSION, "Bilirubin > 2xULN", "total_bilirubin > 2 ULN"),
    (INCLUSION, "AST 4 times or less ULN", "ast <= 4 ULN"),
    (EXCLUSION, "Age at onset > 45 years", "?Age at onset >?"),
    (INCLUSION, "No more than 1 prior chemotherapy regimen for metastatic disease", "(prior_lines <= 1 | ?No more than 1 prior chemotherapy regimen for metastatic disease?)"),
])
def test_amounts_limit_what_they_stand_beside(kind, text, wanted):
    assert read(text, kind) == wanted


@pytest.mark.parametrize("kind, text, wanted", [
    (EXCLUSION, "Prior anti-BCMA therapy", "bcma"),
    (EXCLUSION, "Allergic to fludarabine or cyclophosphamide", "(allergy:fludarabine | allergy:cyclophosphamide)"),
    (EXCLUSION, "Intolerance to mannitol or gluconate", "(intolerant_to:mannitol | intolerant_to:gluconate)"),
    (INCLUSION, "Previously treated multiple myeloma", "(prior_lines >= 1 & disease:multiple_myeloma)"),
    (INCLUSION, "Previously treated with lenalidomide", "lenalidomide"),
    (INCLUSION, "IgA myeloma (serum M-protein ≥ 0.6 g/dL)", "(disease:multiple_myeloma & serum_m_protein >= 0.6)"),
    (INCLUSION, "Refractory to lenalidomide and bortezomib", "(refractory_to:lenalidomide & refractory_to:bortezomib)"),
    (INCLUSION, "Relapsed/refractory multiple myeloma", "(disease_state:relapsed_refractory & disease:multiple_myeloma)"),
    (INCLUSION, "Newly diagnosed multiple myeloma", "(disease_state:newly_diagnosed & disease:multiple_myeloma)"),
    (INCLUSION, "Positive expression of BCMA (>30%) on plasma cells", "expression:bcma share=>30%"),
    (INCLUSION, "Measurable disease: serum M-protein ≥ 1 g/dL, or urine M-protein ≥ 200 mg/24 h, or involved free light chain ≥ 100 mg/L",
     "(measurable_disease:true | serum_m_protein >= 1 | urine_m_protein >= 200 | kappa_flc >= 100 | lambda_flc >= 100)"),
    (INCLUSION, "Relapsed after bortezomib", "(disease_state:relapsed & bortezomib)"),
    (INCLUSION, "Refractory to the last therapy", "disease_state:refractory"),
    (EXCLUSION, "Allergy to any of the study drugs; known sensitivity to melphalan", "(screening | allergy:melphalan)"),
    (EXCLUSION, "Prior anti-myeloma therapy (does not include radiotherapy)", "prior_lines >= 1"),
    (INCLUSION, "ALL patients with asthma", "asthma"),
    (EXCLUSION, "COPD (defined as FEV1 < 50% or SpO2 < 90%)", "(copd & (fev1 < 50 | spo2 < 90))"),
    (INCLUSION, "Prior chemotherapy, such as cyclophosphamide and melphalan", "(chemotherapy | cyclophosphamide | melphalan)"),
    (INCLUSION, "HIV status must be known", "?HIV?"),
    (EXCLUSION, "POEMS (polyneuropathy, organomegaly, endocrinopathy, monoclonal protein, skin changes) syndrome", "poems_syndrome"),
])
def test_treatment_and_disease(kind, text, wanted):
    assert read(text, kind) == wanted


@pytest.mark.parametrize("kind, text, wanted", [
    (INCLUSION, "Signed informed consent", "screening"),
    (INCLUSION, "Men must agree to use contraception for 6 months", "(not sex:male | screening)"),
    (INCLUSION, "Women of childbearing potential must have a negative pregnancy test and agree to use contraception", "(not childbearing_potential | (not pregnancy & screening))"),
    (EXCLUSION, "Any other condition that the investigator considers unsuitable", "(screening & screening)"),
])
def test_what_only_screening_settles(kind, text, wanted):
    expression, assessable = compile_criterion(text, kind)
    assert line(expression) == wanted
    assert assessable == ("pregnancy)" in wanted or "pregnancy &" in wanted)


@pytest.mark.parametrize("kind, text, wanted", [
    (INCLUSION, "Prior lenalidomide is allowed", "()"),
    (INCLUSION, "Asthma, patients with cirrhosis are not excluded", "asthma"),
    (EXCLUSION, "Ownership of a quixotic zeppelin", "?Ownership of a quixotic zeppelin?"),
    (EXCLUSION, "Asthma, quixotic zeppelin, or psoriasis", "(asthma | ?quixotic zeppelin? | psoriasis)"),
])
def test_what_is_permitted_or_not_understood(kind, text, wanted):
    assert read(text, kind) == wanted


@pytest.mark.parametrize("kind, text, wanted", [
    (EXCLUSION, "Uncontrolled diabetes, hypertension or arrhythmia", "(diabetes_mellitus control=uncontrolled | hypertension control=uncontrolled | arrhythmia control=uncontrolled)"),
    (EXCLUSION, "Uncontrolled hypertension, pregnancy or stroke", "(hypertension control=uncontrolled | pregnancy | stroke)"),
    (EXCLUSION, "Stroke, uncontrolled hypertension, or cirrhosis", "(stroke | hypertension control=uncontrolled | cirrhosis)"),
    (EXCLUSION, "Concurrent hormonal therapy, chemotherapy and radiotherapy", "(hormonal_therapy @current | chemotherapy @current | radiotherapy @current)"),
    (EXCLUSION, "Moderate or severe asthma", "asthma severity=>=moderate"),
    (EXCLUSION, "Pelvic or abdominal radiotherapy", "radiotherapy site=pelvic or abdominal"),
    (EXCLUSION, "Asthma (controlled intermittent asthma is allowed)", "(asthma & not asthma control=controlled course=intermittent)"),
])
def test_how_far_an_adjective_reaches(kind, text, wanted):
    assert read(text, kind) == wanted


@pytest.mark.parametrize("kind, text, wanted", [
    (EXCLUSION, "A malignancy that is progressing or requires active treatment", "(malignancy course=progressive but multiple_myeloma | malignancy treatment=systemic but multiple_myeloma)"),
    (INCLUSION, "Multiple myeloma that has relapsed or progressed after bortezomib", "(disease:multiple_myeloma & (disease_state:relapsed | disease_state:progressive) & bortezomib)"),
    (EXCLUSION, "Peripheral neuropathy that is greater than or equal to grade 2", "peripheral_neuropathy grade=>=2"),
    (EXCLUSION, "Pneumonitis that required steroids, or cirrhosis", "((pneumonitis & corticosteroid) | cirrhosis)"),
    (EXCLUSION, "Ascites requiring paracentesis within 14 days", "(ascites & paracentesis @within 14)"),
    (EXCLUSION, "Anticoagulation with warfarin within 28 days", "warfarin @within 28"),
    (EXCLUSION, "Active bleeding or at high risk of bleeding", "(bleeding @current | screening)"),
    (EXCLUSION, "Untreated or active brain tumor", "(brain_tumor treatment=none | brain_tumor @current)"),
    (EXCLUSION, "Brain involvement by malignancy", "cns_involvement"),
    (EXCLUSION, "Diastolic blood pressure > 90 mmHg (because of the effects of scopolamine)", "diastolic_bp > 90"),
    (INCLUSION, "Patients with HIV must have a CD4 count > 350/uL", "(not hiv_infection | cd4_count > 350)"),
    (INCLUSION, "Patients with multiple myeloma must have measurable disease", "(disease:multiple_myeloma & measurable_disease:true)"),
    (EXCLUSION, "Pregnancy; female patients must be postmenopausal", "(pregnancy | not (not sex:female | postmenopausal))"),
    (EXCLUSION, "Progression before day 100 after autologous transplantation", "(disease_state:progressive & autologous_transplant & ?before day 100?)"),
])
def test_what_a_clause_limits(kind, text, wanted):
    assert read(text, kind) == wanted


@pytest.mark.parametrize("kind, text, wanted", [
    (INCLUSION, "At least 2 prior regimens (e.g., VAD, MP)", "prior_lines >= 2"),
    (EXCLUSION, "Prior VAD", "(vincristine & doxorubicin & dexamethasone)"),
    (INCLUSION, "Diagnosis of 1 of the following:\n - Asthma\n - Cirrhosis with 1 of the following:\n   - Ascites\n   - Jaundice", "(asthma | (cirrhosis & (ascites | jaundice)))"),
    (EXCLUSION, "Patients with the following will be excluded:\n - Asthma\n - Cirrhosis", "(asthma | cirrhosis)"),
    (INCLUSION, "Transaminases < 3 x ULN", "(alt < 3 ULN & ast < 3 ULN)"),
    (EXCLUSION, "QTc > 450 ms in males or > 470 ms in females", "((sex:male & qtc > 450) | (sex:female & qtc > 470))"),
    (INCLUSION, "QTc ≤ 450 ms in males or ≤ 470 ms in females", "((not sex:male | qtc <= 450) & (not sex:female | qtc <= 470))"),
    (INCLUSION, "Karnofsky ≥ 80% for patients ≥ 60 years old or ≥ 70% for patients < 60", "((not age >= 60 | kps >= 80) & (not age < 60 | kps >= 70))"),
    (EXCLUSION, "ANC < 1,000/uL Platelets < 75,000/uL", "(anc < 1 | platelets < 75)"),
    (INCLUSION, "None of the following:\n - Asthma\n - Cirrhosis", "(not asthma & not cirrhosis)"),
    (INCLUSION, "No heart disease, including:\n - Angina\n - Stroke", "(not heart_disease & not angina_pectoris & not stroke)"),
    (EXCLUSION, "Any of the following within 6 months:\n - Stroke\n - Asthma", "(stroke @within 180 | asthma @within 180)"),
    (EXCLUSION, "Liver disease and/or any of the following:\n - AST > 3 x ULN\n - Asthma", "(liver_disease | ast > 3 ULN | asthma)"),
    (EXCLUSION, "Allergy to any of the following:\n - Fludarabine\n - Mannitol", "(allergy:fludarabine | allergy:mannitol)"),
    (INCLUSION, "Measurable disease defined as serum M-protein ≥ 1 g/dL or urine M-protein ≥ 200 mg/24 h", "(measurable_disease:true | serum_m_protein >= 1 | urine_m_protein >= 200)"),
])
def test_lists_and_examples(kind, text, wanted):
    assert read(text, kind) == wanted


def test_constraints_speak_the_contract():
    expression, _ = compile_criterion("Chronic lymphocytic leukemia, hypersensitivity to rituximab, or radiotherapy within 2 weeks", EXCLUSION, ("multiple_myeloma",))
    assert constraints(expression) == [
        {"fact": "condition", "op": "present", "value": "leukemia", "unit": None, "window_days": None},
        {"fact": "prior_therapy", "op": "present", "value": "radiotherapy", "unit": None, "window_days": 14},
    ]


@pytest.mark.parametrize("kind, text, wanted", [
    (INCLUSION, "ECOG ≤ 2. Patients with ECOG 3 are eligible if due to bone pain", "(ecog <= 2 | (ecog = 3 & bone_pain))"),
    (INCLUSION, "ECOG ≤ 2 (ECOG 3 is allowed if due to bone pain)", "(ecog <= 2 | (ecog = 3 & bone_pain))"),
    (INCLUSION, "ECOG ≤ 2; ECOG 3 is allowed if due to bone pain; no asthma", "((ecog <= 2 | (ecog = 3 & bone_pain)) & not asthma)"),
    (INCLUSION, "Bisphosphonates are allowed; no prior bortezomib", "not bortezomib"),
    (INCLUSION, "Prior bortezomib is permitted provided that the patient has no neuropathy", "(not bortezomib | not peripheral_neuropathy)"),
    (EXCLUSION, "Prior pomalidomide. Prior pomalidomide is permitted provided the last dose was more than 12 months ago", "(pomalidomide & not days_since[pomalidomide] >= 360)"),
    (EXCLUSION, "Asthma (patients with quixotic hypertension are eligible as long as they are treated)", "(asthma & ?quixotic?)"),
    (EXCLUSION, "Patients who are eligible for autologous transplantation", "screening"),
    (EXCLUSION, "HIV infection. Hepatitis B is allowed if quixotic", "(hiv_infection | (hepatitis_b & ?quixotic?))"),
])
def test_a_permission_with_a_condition_is_an_alternative(kind, text, wanted):
    assert read(text, kind) == wanted


@pytest.mark.parametrize("text, now", [
    ("Patients receiving warfarin or heparin", [True, True]),
    ("Is on heparin", [True]),
    ("Has received or is receiving warfarin", [False]),
    ("History of receiving warfarin", [False]),
    ("Has received warfarin", [False]),
])
def test_the_present_tense_means_now(text, now):
    assert [e.window == Window("current") for e in atoms(compile_criterion(text, EXCLUSION)[0])] == now


@pytest.mark.parametrize("text, wanted", [
    ("Pulmonary - No asthma", "not asthma"),
    ("Renal - Creatinine clearance ≥ 60 mL/min", "creatinine_clearance >= 60"),
])
def test_an_organ_system_before_a_dash_is_a_heading(text, wanted):
    assert read(text, INCLUSION) == wanted


def test_coverage_is_the_share_that_became_logic():
    text = "Asthma, quixotic zeppelin"
    assert coverage(text, compile_criterion(text, EXCLUSION)[0]) == pytest.approx(1 - len("quixoticzeppelin") / len("Asthma,quixoticzeppelin"))
    assert coverage("Asthma", compile_criterion("Asthma", EXCLUSION)[0]) == 1


def test_of_a_list_of_diseases_one_is_demanded():
    text = "Metastatic bladder cancer, melanoma and small cell lung cancer"
    wanted = "(metastatic_disease & (disease:bladder_cancer | disease:melanoma | disease:small_cell_lung_cancer))"
    assert line(compile_criterion(text, INCLUSION)[0]) == wanted
