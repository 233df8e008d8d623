"""Note in, conditions out: whole lists, with status, date and qualifiers."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import read_note
from matcher.domain import PartialDate
from matcher.notes.abbreviations import definitions
from matcher.notes.conditions import read_conditions
from matcher.notes.document import Document
from matcher.notes.serologies import interpret, read_markers

VISIT = date(2025, 6, 1)


def conditions(note: str) -> dict[str, str]:
    return {fact.id: fact.status.value for fact in read_conditions(Document(note), VISIT)}


@pytest.mark.parametrize(("note", "facts"), [
    ("History of hypertension and gout.", {"hypertension": "present", "gout": "present"}),
    ("PMH: myocardial infarction 2012, COPD.", {"myocardial_infarction": "historical", "copd": "present"}),
    ("Pneumonia in January 2024, recovered.", {"pneumonia": "historical"}),
    ("He had a pneumonia in May. It has since resolved.", {"pneumonia": "historical"}),
    ("She developed heart failure. The cardiologist attributed it to carfilzomib. It resolved within the year.", {"heart_failure": "historical"}),
    ("Heart failure since 2021. It is stable.", {"heart_failure": "present"}),
    ("Diabetes and a shingles in 2021. It resolved.", {"diabetes_mellitus": "present", "herpes_zoster": "historical"}),
    ("A bladder cancer was suspected at cystoscopy; biopsies ruled it out.", {"bladder_cancer": "absent"}),
    ("A lung cancer was suspected, bronchoscopy excluded it.", {"lung_cancer": "absent"}),
    ("CNS involvement is not proven.", {"cns_involvement": "possible"}),
    ("Admitted with pneumonia, day 3 of ceftriaxone.", {"pneumonia": "present", "active_infection": "present"}),
    ("No active infection. Shingles in 2021.", {"active_infection": "absent", "herpes_zoster": "historical"}),
    ("Known smouldering myeloma that evolved to symptomatic myeloma.", {"smoldering_multiple_myeloma": "historical", "multiple_myeloma": "present"}),
    ("Smouldering myeloma, 10% a year risk of progressing to multiple myeloma.", {"smoldering_multiple_myeloma": "present"}),
    ("Problems: acute pneumonia 3/2019; COVID-19 (active, 1/2024). Seen 22 July 2025.", {"pneumonia": "historical", "covid_19": "historical"}),
    ("Depression 2014-2016. Chronic GVHD of the skin 2020-2022.", {"depression": "historical", "graft_versus_host_disease": "historical"}),
    ("Breast cancer 2009, recurred 2015, now NED.", {"breast_cancer": "historical"}),
    ("Gout, HTN -, COPD.", {"gout": "present", "hypertension": "absent", "copd": "present"}),
    ("Day +9 after cilta-cel. CRS grade 1->2, tocilizumab at 2.", {"cytokine_release_syndrome": "present"}),
    ("Day +100 after cilta-cel. CRS grade 2 on day +1.", {"cytokine_release_syndrome": "historical"}),
    ("Hep B: vaccinated, sAg neg, cAb neg.", {"hepatitis_b": "absent", "vaccinated": None}),
    ("Mother breast ca (BRCA neg).", {"breast_cancer": "family"}),
    ("Echo without vegetation, EF 62%, trivial pericardial effusion.", {"pericardial_effusion": "present"}),
    ("Never met criteria for sepsis.", {"sepsis": "absent"}),
    ("Query of cardiac amyloid in May; the cardiac MRI has out-ruled this.", {"cardiac_amyloidosis": "absent"}),
    ("Influenza, mild. No infection at present.", {"influenza": "historical", "active_infection": "absent"}),
    ("No recurrent infections.", {}),
    ("Recurrent pneumonias on IVIG, frequent UTIs.", {"pneumonia": "historical", "urinary_tract_infection": "historical"}),
    ("Recurrent sinusitis, now on amoxicillin.", {"active_infection": "present", "sinusitis": "present"}),
    ("Post-menopausal.", {"postmenopausal": "present"}),
    ("HIV: N   HBV: N  Active infection: Y / N -> N", {"hiv_infection": "absent", "hepatitis_b": "absent", "active_infection": "absent"}),
    ("Diabetes: Y   COPD (Y/N): N   Stroke? N", {"diabetes_mellitus": "present", "copd": "absent", "stroke": "absent"}),
    ("HIV/HBV/HCV: N/N/N", {"hiv_infection": "absent", "hepatitis_b": "absent", "hepatitis_c": "absent"}),
    ("[x] kidney disease   [ ] dialysis - No   [ ] hepatitis/HIV - never tested", {"kidney_disease": "present", "dialysis": "absent"}),
    ("HIV status unknown. Hepatitis B not tested. Syphilis: never checked.", {}),
    ("HIV N  CAD N", {"hiv_infection": "absent", "coronary_artery_disease": "absent"}),
    ("Not currently eligible d/t active infection.", {"active_infection": "present"}),
    ("Hypothyroidism, had a small stroke in 2019 from which she recovered completely.", {"hypothyroidism": "present", "stroke": "historical"}),
    ("She does not have diabetes and gave up smoking at forty.", {"diabetes_mellitus": "absent", "former_smoker": "present"}),
    ("CKD, no dialysis.", {"chronic_kidney_disease": "present", "dialysis": "absent"}),
    ("No dialysis catheter. No need for dialysis.", {"indwelling_catheter": "absent"}),
    ("No longer on dialysis. No longer needs home oxygen.", {"dialysis": "historical", "oxygen_dependence": "historical"}),
    ("No indication for splenectomy. No plans for pregnancy. No contraindication to anticoagulation.", {}),
    ("No recurrence of DVT. Without recurrence of pneumonia.", {"deep_vein_thrombosis": "historical", "pneumonia": "historical"}),
    ("No antibiotics for pneumonia.", {"active_infection": "present", "pneumonia": "present"}),
    ("No neuropathy worse than grade 1.", {}),
    ("No severe neuropathy. Uncontrolled HTN: N", {}),
    ("No CRS > G1. Denies rash of grade 2 or more.", {}),
    ("No grade 3 or higher diarrhoea, no vomiting.", {"vomiting": "absent"}),
    ("Myeloma with t(4;14), diagnosed 2015.", {"multiple_myeloma": "present", "high_risk_cytogenetics": "present"}),
    ("Prostate cancer, diagnosed 2016, bone metastases 2020, on enzalutamide.", {"prostate_cancer": "present", "bone_metastasis": "present"}),
    ("Heart clinic. PMH: breast cancer 2009.", {"breast_cancer": "historical"}),
    ("Multiple myeloma. Breast cancer 2009.", {"multiple_myeloma": "present", "breast_cancer": "historical"}),
    ("Depression 2019, off sertraline since 2021, nil current. Hypertension in the past, normal without any drug.", {"depression": "historical", "hypertension": "historical"}),
    ("COPD? - spirometry in May normal, so no. Takes shingles pills. PICC not yet, ordered.", {"copd": "absent"}),
    ("History (form)\n   Y  gout\n   N  COPD     N  stroke / TIA\n   ?  sleep apnea\nAsthma     N\nPsoriasis     Y",
     {"gout": "present", "copd": "absent", "stroke": "absent", "transient_ischemic_attack": "absent", "obstructive_sleep_apnea": "possible", "asthma": "absent", "psoriasis": "present"}),
    ("Hickman removed in May, new PICC 3 June, in use. Not infected at present.", {"indwelling_catheter": "present", "active_infection": "absent"}),
    ("Mantle cell lymphoma, blastoid, stage IV, since March 2020.", {"mantle_cell_lymphoma": "present", "lymphoma": "present"}),
    ("AML. Prior cancer treatment: none.", {"acute_myeloid_leukemia": "present", "leukemia": "present"}),
    ("Urosepsis. The surgeon wants two weeks clear of infection.", {"urosepsis": "present", "sepsis": "present", "urinary_tract_infection": "present", "active_infection": "present"}),
    ("Infection: none documented. Coronary 2-vessel disease.", {"active_infection": "absent", "coronary_artery_disease": "present"}),
    ("PMH: psoriasis (ciclosporin until 3/2025), HTN (ramipril held), gout.", {"psoriasis": "present", "hypertension": "present", "gout": "present"}),
    ("Diabetes (no). A stroke, no; asthma, never.", {"diabetes_mellitus": "absent", "stroke": "absent", "asthma": "absent"}),
    ("Gout? The old letter lists \"gout 2018\". Gout is an error, removed from the list.", {"gout": "absent"}),
    ("CT head clear, no bleed.", {"bleeding": "absent", "intracranial_hemorrhage": "absent"}),
    ("Prostate cancer 2010, radical prostatectomy, PSA undetectable.", {"prostate_cancer": "historical", "prostatectomy": None}),
    ("Deep vein thrombosis 2016, completed six months of warfarin.", {"deep_vein_thrombosis": "historical"}),
    ("Ulcerative colitis in remission.", {"ulcerative_colitis": "present"}),
    ("Childhood asthma.", {"asthma": "historical"}),
    ("Mother: stroke. She herself has hypertension.", {"stroke": "family", "hypertension": "present"}),
    ("FH: father with diabetes mellitus; nobody with myeloma.", {"diabetes_mellitus": "family"}),
    ("Brother has diabetes. Denies diabetes.", {"diabetes_mellitus": "absent"}),
    ("Brother with CLL.", {"chronic_lymphocytic_leukemia": "family", "leukemia": "family"}),
    ("Suspected sepsis.", {"sepsis": "possible"}),
    ("Osteolytic lesions of the skull.", {"lytic_bone_lesions": "present"}),
    ("Numbness of toes, grade 1.", {"peripheral_neuropathy": "present"}),
    ("Grade 0 neuropathy.", {"peripheral_neuropathy": "absent"}),
    ("No history of heart or lung disease.", {"heart_disease": "absent", "lung_disease": "absent"}),
    ("Denies any cerebrovascular disease.", {"cerebrovascular_disease": "absent", "stroke": "absent"}),
    ("MGUS 2015, multiple myeloma since 2020.", {"mgus": "historical", "multiple_myeloma": "present"}),
    ("Smoldering multiple myeloma, stable. Myeloma clinic.", {"smoldering_multiple_myeloma": "present"}),
    ("Stable MGUS. She does not have myeloma.", {"mgus": "present", "multiple_myeloma": "absent"}),
    ("Multiple myeloma. Congo red negative, no amyloid.", {"multiple_myeloma": "present", "al_amyloidosis": "absent", "amyloidosis": "absent"}),
    ("Multiple myeloma with wedge fracture of T8 in 2019.",
     {"multiple_myeloma": "present", "pathologic_fracture": "historical", "fracture": None, "vertebral_compression_fracture": None}),
    ("Allergies: co-trimoxazole (rash).", {"allergy": None, "rash": "historical"}),
    ("Allergies: none. Rash on the trunk.", {"allergy": None, "rash": "present"}),
    ("No CNS involvement.", {"cns_involvement": "absent"}),
    ("Recurrent sinusitis last winter, now well.", {"sinusitis": "historical"}),
    ("HIV Ag/Ab combo non-reactive.", {"hiv_infection": "absent"}),
    ("Haemorrhagic stroke in 2019.", {"stroke": "historical", "intracranial_hemorrhage": "historical", "hemorrhagic_stroke": "historical"}),
    ("Carcinoma of the left breast, on letrozole.", {"breast_cancer": "present"}),
    ("Chronic GVHD of the mouth until 2021, no active GVHD.", {"graft_versus_host_disease": "historical"}),
    ("CMV IgG positive, CMV PCR negative.", {"cytomegalovirus_infection": "absent"}),
    ("Tuberculosis was considered, GeneXpert negative, no tuberculosis.", {"tuberculosis": "absent"}),
    ("Wait for the marrow before calling it MDS.", {"myelodysplastic_syndrome": "possible"}),
    ("Lupus in daughter.", {"systemic_lupus_erythematosus": "family"}),
    ("Fever since the infusion: this is grade 1 CRS.", {"fever": None, "cytokine_release_syndrome": "present"}),
    ("Seizure / stroke           no / no\nCNS myeloma           no (MRI in May)", {"seizure_disorder": "absent", "stroke": "absent", "cns_involvement": "absent"}),
    ("CRS after the cells       [x] yes, grade 3\nICANS                          [ ] yes  [x] no", {"cytokine_release_syndrome": None, "icans": "absent"}),
    ("MRI excluded stroke. Excluded from a study because of thrombocytopenia.", {"stroke": "absent", "thrombocytopenia": "present"}),
    ("Since Monday she has had a urinary tract infection, under ceftriaxone.", {"urinary_tract_infection": "present", "active_infection": "present"}),
    ("A 49-year-old man with melanoma.", {"melanoma": "present"}),
    ("Breast cancer 2015, mastectomy, relapsed in 2022.", {"breast_cancer": "present", "mastectomy": None}),
    ("Breast cancer 2009, treated, without relapse.", {"breast_cancer": "historical"}),
    ("Gastric cancer with mets to liver, bone and brain.",
     {"gastric_cancer": "present", "metastatic_disease": None, "liver_metastasis": "present", "bone_metastasis": "present", "brain_metastasis": "present", "cns_involvement": None}),
    ("Melanoma. No metastases in lung or liver.", {"melanoma": "present", "metastatic_disease": "absent", "lung_metastasis": "absent", "liver_metastasis": "absent"}),
    ("Stage IV lung adenocarcinoma (cT2aN2M1c: brain, L adrenal).",
     {"lung_cancer": "present", "metastatic_disease": "present", "brain_metastasis": "present", "cns_involvement": None, "adrenal_metastasis": "present", "non_small_cell_lung_cancer": "present"}),
    ("Breast cancer with bone and liver mets.", {"breast_cancer": "present", "bone_metastasis": "present", "liver_metastasis": "present", "metastatic_disease": None}),
    ("Metastatic HER2 2+ (ISH negative) breast cancer.", {"breast_cancer": "present", "metastatic_disease": "present"}),
    ("Recent CAP, treated with doxycycline and resolved.", {"pneumonia": "historical"}),
    ("Therapy was held in June for PJP pneumonia, then resumed.", {"pneumocystis_pneumonia": "historical", "pneumonia": "historical", "fungal_infection": None}),
    ("She negates diabetes. Hypercalcemia on arrival (12.9) corrected with zoledronate.", {"diabetes_mellitus": "absent", "hypercalcemia": "historical"}),
    ("Dementia was queried; memory test normal, so not dementia.", {"dementia": "absent"}),
    ("CNS involvement: none known.", {"cns_involvement": "absent"}),
    ("Recurrent infections on the drug. Active infection: no.", {"active_infection": "absent"}),
    ("Father died of an infarct of myocardium.", {"myocardial_infarction": "family"}),
    ("Discussed at the plasma cell tumor board.", {"plasmacytoma": None, "extramedullary_disease": None}),
    ("Urinary catheter (IDC) in situ.", {"indwelling_catheter": "present", "breast_cancer": None}),
    ("Left breast IDC, excised 2011.", {"breast_cancer": "historical"}),
    ("No venous catheter at present (port removed 2019).", {"indwelling_catheter": "historical"}),
    ("Ankle fracture 2011 while skiing. Multiple myeloma.", {"multiple_myeloma": "present", "ankle_fracture": None, "fracture": None}),
])
def test_status(note: str, facts: dict[str, str | None]) -> None:
    """None: the note may say this too, and it does not matter here."""
    got = conditions(note)
    loose = {concept for concept, status in facts.items() if status is None}
    assert {c: s for c, s in got.items() if c not in loose} == {c: s for c, s in facts.items() if s is not None}


@pytest.mark.parametrize(("note", "status"), [
    ("PICC in the left arm.", "present"),
    ("Port R chest clean.", "present"),
    ("Foley catheter in place.", "present"),
    ("PICC removed yesterday.", "historical"),
    ("PICC removed for a catheter-associated infection.", "historical"),
    ("Dialysis catheter out 10/28. Foley out 10/31.", "historical"),
    ("Dialysis catheter out 10/28. Double-lumen PICC stays.", "present"),
    ("No indwelling catheter.", "absent"),
])
def test_lines_and_drains(note: str, status: str) -> None:
    assert conditions(note) == {"indwelling_catheter": status}


@pytest.mark.parametrize(("note", "facts"), [
    ("On hemodialysis since 2022.", {"dialysis": "present"}),
    ("Dialysis was not needed.", {"dialysis": "absent"}),
    ("Intubation was not required.", {"mechanical_ventilation": "absent"}),
    ("He is on the waiting list for a kidney transplant.", {}),
    ("Awaiting liver transplantation.", {}),
    ("Kidney transplant in 2015.", {"kidney_transplant": "present"}),
])
def test_a_procedure_is_a_state_of_the_patient_where_it_was_done(note: str, facts: dict[str, str]) -> None:
    assert {fact.id: fact.status.value for fact in read_note(note).conditions} == facts


@pytest.mark.parametrize(("panel", "facts"), [
    ("HBsAg neg, anti-HBc neg, HCV Ab neg, HIV neg.", {"hepatitis_b": "absent", "hepatitis_c": "absent", "hiv_infection": "absent"}),
    ("HIV, HBsAg, anti-HBc, HCV antibody, treponemal antibody (all 5/8): nonreactive.",
     {"hiv_infection": "absent", "hepatitis_b": "absent", "hepatitis_c": "absent", "syphilis": "absent"}),
    ("HBsAg (-), HBcAb (+), HBV-DNA below detection limit.", {"hepatitis_b": "historical"}),
    ("HBcAb+/HBsAg-", {"hepatitis_b": "historical"}),
    ("HBsAg (+), HBV-DNA 4.0x10^3 IU/mL.", {"hepatitis_b": "present"}),
    ("anti-HBs positive after vaccination", {}),
    ("HBV core Ab pos / sAg neg / DNA not detected 2/2025", {"hepatitis_b": "historical"}),
    ("Hepatitis B surface antigen and core antibody, hepatitis C antibody and HIV all negative.",
     {"hepatitis_b": "absent", "hepatitis_c": "absent", "hiv_infection": "absent"}),
    ("HCV antibody positive, RNA not detected.", {"hepatitis_c": "historical"}),
    ("HCV antibody positive, HCV RNA 800,000 IU/mL.", {"hepatitis_c": "present"}),
    ("HIV-Ab (-), TPPA (+), TRUST (-).", {"hiv_infection": "absent", "syphilis": "historical"}),
    ("RPR nonreactive", {"syphilis": "absent"}),
    ("HBV/HCV/HIV/syphilis all neg", {"hepatitis_b": "absent", "hepatitis_c": "absent", "hiv_infection": "absent", "syphilis": "absent"}),
    ("HIV / HBsAg / Anti-HCV / VDRL - non reactive", {"hiv_infection": "absent", "hepatitis_b": "absent", "hepatitis_c": "absent", "syphilis": "absent"}),
    ("Screen was negative for HIV, HBV and HCV.", {"hiv_infection": "absent", "hepatitis_b": "absent", "hepatitis_c": "absent"}),
    ("Hep B/C and HIV neg.", {"hepatitis_b": "absent", "hepatitis_c": "absent", "hiv_infection": "absent"}),
    ("HBsAg                 neg (04/2023)\nHep C Ab              neg (04/2023)", {"hepatitis_b": "absent", "hepatitis_c": "absent"}),
    ("Serum hCG negative.", {"pregnancy": "absent"}),
    ("Syphilis serology was not sent.", {}),
    ("COVID, flu and RSV neg", {"covid_19": "absent", "influenza": "absent", "rsv_infection": "absent"}),
    ("QuantiFERON positive", {}),
    ("False-positive HCV antibody.", {}),
    ("VIH negative, VHB negative, VHC negative", {"hiv_infection": "absent", "hepatitis_b": "absent", "hepatitis_c": "absent"}),
])
def test_serology(panel: str, facts: dict[str, str]) -> None:
    doc = Document(panel)
    assert {infection: status.value for infection, (status, _) in interpret(read_markers(doc), doc).items()} == facts


@pytest.mark.parametrize(("note", "concept", "qualifiers"), [
    ("Heart failure, NYHA class III.", "heart_failure", {"nyha": "3"}),
    ("Peripheral neuropathy grade 2.", "peripheral_neuropathy", {"grade": "2"}),
    ("Uncontrolled hypertension.", "hypertension", {"control": "uncontrolled"}),
    ("Well controlled asthma.", "asthma", {"control": "controlled"}),
    ("CRS grade 2, ICANS grade 1, both resolved.", "icans", {"grade": "1"}),
    ("Gout, CKD3b, AF on apixaban.", "atrial_fibrillation", {}),
    ("Gout, CKD3b, AF on apixaban.", "chronic_kidney_disease", {"stage": "3b"}),
    ("Diffuse large B-cell lymphoma.", "diffuse_large_b_cell_lymphoma", {}),
    ("Severe COPD.", "copd", {"severity": "severe"}),
    ("Small pericardial effusion.", "pericardial_effusion", {"severity": "mild"}),
])
def test_qualifiers(note: str, concept: str, qualifiers: dict[str, str]) -> None:
    fact = next(f for f in read_conditions(Document(note), VISIT) if f.id == concept)
    assert dict(fact.qualifiers) == qualifiers


@pytest.mark.parametrize(("note", "concept", "when"), [
    ("Stroke in 2014.", "stroke", PartialDate(2014)),
    ("Melanoma 03/2012, excised.", "melanoma", PartialDate(2012, 3)),
    ("Hypertension. Gout.", "gout", None),
])
def test_dates(note: str, concept: str, when: PartialDate | None) -> None:
    assert next(f for f in read_conditions(Document(note), VISIT) if f.id == concept).date == when


@pytest.mark.parametrize(("note", "concept"), [
    ("SpO2 97% RA. Heart regular.", "rheumatoid_arthritis"),
    ("PSA undetectable.", "psoriatic_arthritis"),
    ("Adjuvant T-DM1 until September 2021.", "type_1_diabetes_mellitus"),
    ("Brain mets stable after SRS; no new mets.", "metastatic_disease"),
    ("PVd from March, then DKd.", "peripheral_artery_disease"),
    ("eGFR CKD-EPI 80.", "chronic_kidney_disease"),
    ("AST 15, TB 0.3, ALP 88.", "tuberculosis"),
    ("Radiotherapy 20 Gy/5 fx to the hip.", "fracture"),
])
def test_words_that_are_something_else(note: str, concept: str) -> None:
    assert concept not in conditions(note)


@pytest.mark.parametrize(("text", "found"), [
    ("a bone marrow (BM) biopsy", [("BM", "bone marrow")]),
    ("heart failure with preserved ejection fraction (HFpEF)", [("HFpEF", "heart failure with preserved ejection fraction")]),
    ("graft versus host disease (GVHD)", [("GVHD", "graft versus host disease")]),
    ("two of them (see below)", []),
    ("creatinine (Cr)", []),
])
def test_the_note_defines_its_own_short_forms(text: str, found: list[tuple[str, str]]) -> None:
    assert [(short, text[start:end]) for short, start, end in definitions(Document(text))] == found


def test_a_local_definition_outranks_the_usual_reading() -> None:
    assert "multiple_sclerosis" not in conditions("Mitral stenosis (MS) is moderate. MS needs follow-up.")


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("HIVnegposBsACMb+-/(),.:; \n123?")) | st.characters(), max_size=300))
def test_evidence_quotes_the_note(text: str) -> None:
    facts = read_conditions(Document(text), None)
    assert all(text[e.start : e.end] == e.text for f in facts for e in f.evidence)
    assert len({f.id for f in facts}) == len(facts)
    assert all(f.evidence for f in facts)


def test_a_long_note_is_read_in_reasonable_time() -> None:
    note = "No fever, cough or DVT, HBsAg neg, mother had gout (2011), " * 300
    assert {f.id for f in read_conditions(Document(note), VISIT)} >= {"deep_vein_thrombosis", "hepatitis_b", "gout"}
