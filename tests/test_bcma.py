"""BCMA exposure: exposed where any agent was given, naive only where the note says so or tells a complete history. Invented patients."""

from __future__ import annotations

from datetime import date

import pytest

from matcher.notes.conditions import read_conditions
from matcher.notes.document import Document
from matcher.notes.therapy import read_therapy

DATE = date(2025, 3, 1)


def bcma(text: str):
    doc = Document("Multiple myeloma. " + text)
    return read_therapy(doc, DATE, read_conditions(doc, DATE)).bcma


@pytest.mark.parametrize(("text", "agents"), [
    ("Tecvayli 2/2023 - 10/2024, VGPR.", [("teclistamab", "bispecific_antibody")]),
    ("Blenrep from 11/2022, stopped for his eyes.", [("belantamab mafodotin", "antibody_drug_conjugate")]),
    ("Ide-cel infused 7/19/2021, then teclistamab 2023.", [("idecabtagene vicleucel", "car_t"), ("teclistamab", "bispecific_antibody")]),
    ("BCMA CAR-T on protocol at an outside center (no product name), infused 11/2020.", [("anti-bcma car-t", "car_t")]),
    ("Line 3 BCMA bispecific on trial 2022-2023, PD.", [("anti-bcma bispecific", "bispecific_antibody")]),
    ("BCMA CAR-T (equecabtagene autoleucel, CT103A) infused 9/2021.", [("equecabtagene autoleucel", "car_t")]),
    ("Progressing on elranatamab. A second BCMA agent is not advised.", [("elranatamab", "bispecific_antibody")]),
    # a copied statement that a later passage corrects
    ("prior BCMA-directed therapy: none\n(added later) infusion of autologous BCMA CAR-T 2022-10-05; so the line above is not valid.", [("anti-bcma car-t", "car_t")]),
    ("Line 7: Carvykti 7/2021, CR.\nADDENDUM: the product was Abecma (ide-cel); the template has always said Carvykti.", [("idecabtagene vicleucel", "car_t")]),
])
def test_exposed(text, agents):
    found = bcma(text)
    assert (found.status, [(a.agent, a.modality) for a in found.agents]) == ("exposed", agents)


@pytest.mark.parametrize("text", [
    "VRd 2018, DPd 2020. BCMA-naive.",
    "No prior BCMA-directed therapy.",
    "She has never received a BCMA-directed agent of any kind, no bispecific, no CAR-T.",
    "Never had CAR-T or bispecifics.",
    "BCMA-targeted therapy: none so far.",
    "T cells collected and product released but not yet infused. Will be his first BCMA agent.",
    "Teclistamab proposed in July; she refused. To date therefore no anti-BCMA administered.",
    "Talquetamab 2023, PD. BCMA-naive.",
    "Treatment to date (complete): 1st line VTD 2016. 2nd line DPd 2019-2021, PD.",
    "VRd 2020, PD 2022. No other treatment. Teclistamab planned.",
    "Newly diagnosed, previously untreated.",
    "No myeloma treatment has been given yet.",
    "On DRd since 1/2024, which is her first treatment.",
    "VCd x5 2023. BCMA therapy / CAR-T not received.",
    "Problem list says s/p cilta-cel. To be clear: no cilta-cel was infused. He has had no BCMA-directed therapy.",
])
def test_naive(text):
    assert bcma(text).status == "naive"


@pytest.mark.parametrize("text", [
    "VRd 2018, DPd 2020.",
    "Accepted for BCMA CAR-T; apheresed 2/20, infusion scheduled for April.",
    "A study bispecific, target masked, 2023, PD.",
    "Talquetamab 2023, cevostamab 2024.",
    "BCMA IHC positive in 90% of plasma cells.",
    "5 prior lines, first three elsewhere; outside records not available. KPd 2023, PD.",
    "Her sister had ide-cel last year.",
    "Carvykti slot in May; teclistamab if the slot slips.",
    "Choices depend on whether he had BCMA therapy there.",
    "The trial requires no prior BCMA-directed therapy.",
    "VCd 2020; protein rising again, no therapy yet.",
    "Two lines of treatment: MPT 2021, VCd 2023. The case file of the other hospital is not available, other agents cannot be excluded.",
])
def test_unknown(text):
    assert bcma(text).status == "unknown"


@pytest.mark.parametrize(("text", "status"), [
    ("RRMM. Study drug today: LINVOSELTAMAB 200 mg q4w, dose 19. Response VGPR.", "exposed"),
    ("RRMM. Teclistamab C5D1 today, tolerating.", "exposed"),
    ("RRMM, here for cycle 4 of elranatamab. No fever.", "exposed"),
    ("Infusion chart: belantamab mafodotin cycle 3.", "exposed"),
    ("RRMM. Today's treatment: teclistamab, week 9.", "exposed"),
    ("RRMM; ICANS gr 3 from Abecma in 2022.", "exposed"),
    ("RRMM; CRS grade 1 after teclistamab.", "exposed"),
    ("New MM. No myeloma therapy so far other than dexamethasone for the cord.", "naive"),
    ("Newly diagnosed multiple myeloma. No anti-myeloma treatment to date apart from steroids.", "naive"),
    ("BCMA: naive. T cells for ide-cel collected 3 Jul 2023; never infused. Now back for a cilta-cel slot. MM: RVd 2019, PD.", "naive"),
    ("Myeloma, VTD then autograft May 2020, then lenalidomide, nothing else ever. In complete remission.", "naive"),
    ("Impression: triple-class exposed myeloma. VRd (2016), KD (2018). Anti-BCMA bispecific on a phase 1 protocol Mar 2022 - Dec 2022, PR then PD. Selinexor/dex 2023.", "exposed"),
    ("Prior therapies (confirmed complete w/ pt and outside records): RVd 2018-19; DKd 2021-22 (PD); PCd 2022-23 (PD). Wants trial. RRMM.", "naive"),
    ("RRMM. Plan: hold elranatamab for neutropenia.", "exposed"),
    ("RRMM. Plan: stop belantamab because of keratopathy.", "exposed"),
    ("RRMM. Plan: hold apixaban for the teclistamab step-up next week.", "unknown"),
    ("RRMM. Assessment: progressing. Teclistamab requested 3/12/2024, insurance denied.", "unknown"),
    ("Transplant-ineligible 80M, IgG lambda MM. MPV 9 cycles 2017.", "unknown"),
    ("Waiting for a cilta-cel slot. MM: VRd 2018, PD 2020, DKd 2021.", "unknown"),
    ("Currently listed for ide-cel. MM, VRd 2018, PD.", "unknown"),
    ("RRMM. Next in line for teclistamab, dose 1 on Monday.", "unknown"),
    ("MM: VRd 2018; trial 2020, name of the agent not recorded; DPd 2021. Records discarded. 2 prior lines.", "unknown"),
    ("MM: BD 2017 and then a clinical trial of which the drug was not told to us. Ld 2020, PD. EPd 2022, PD. 3 prior lines.", "unknown"),
    ("MM: first bortezomib-based, PD, then DKd 2021, PD. 2 prior lines.", "unknown"),
])
def test_what_is_taken_what_is_awaited_and_what_nobody_knows(text, status):
    assert bcma(text).status == status


@pytest.mark.parametrize("given", ["teclistamab 2023, PD", "Carvykti infused 3/2022", "belamaf x4 doses, no response", "elranatamab since 5/2024", "ide-cel infused 2021"])
@pytest.mark.parametrize("naive", ["BCMA-naive.", "No prior BCMA therapy.", "Treatment history complete.", "Never had CAR-T or bispecifics."])
def test_exposure_outranks_every_statement_of_none(given, naive):
    assert bcma(f"VRd 2018. Then {given}. {naive}").status == "exposed"


WORDED_AS_GIVEN = (
    "Blenrep from January to May, eyes.",
    "s/p cilta-cel 3/2024.",
    "Status post ide-cel in 2022, relapsed at 14 months.",
    "Abecma Mar 2023 -> CR x 11 mo.",
    "She underwent BCMA CAR-T in Shanghai in 2021.",
    "Got Carvykti last spring.",
    "Tecvayli x 6 cycles, off for infections.",
    "Teclistamab: SUD completed, C3 now.",
    "On elranatamab since August, in VGPR.",
    "Currently receiving linvoseltamab 200 mg q2w.",
    "Progressed through teclistamab.",
    "Teclistamab-refractory disease.",
    "Post-CAR-T (BCMA) relapse.",
    "Relapse 8 months after anti-BCMA CAR T cells.",
    "BCMA bispecific on trial 2022, PD.",
    "Previously enrolled in KarMMa-3 and received ide-cel.",
    "Treated on a trial of belantamab mafodotin plus Pd, stopped for keratopathy.",
    "Refractory to PI, IMiD, CD38 and BCMA.",
    "Prior BCMA exposure: yes (teclistamab).",
    "Prior BCMA-directed therapy: cilta-cel 5/22.",
    "BCMA exposed.",
    "He had his BCMA CAR-T infusion on 4 May.",
    "CAR-T day +45 (cilta-cel), doing well.",
    "Day 90 post Carvykti.",
    "Last dose of teclistamab was given 2 weeks ago.",
    "Teclistamab was discontinued due to CMV reactivation.",
    "Elranatamab held for pneumonia.",
    "Had 2 doses belantamab, then stopped, eye toxicity.",
    "L5 teclistamab 11/23-6/24 PD",
    "5. Talquetamab + teclistamab (RedirecTT-1) - CR",
    "Line 6: ABBV-383 study drug 2022",
    "Anti-BCMA ADC (MEDI2228) 2019, SD.",
    "Zevor-cel infused in a study in 2021.",
    "Equecabtagene autoleucel 2023, MRD neg.",
    "CT053 infusion 2020.",
    "bb2121 in 2018.",
    "LCAR-B38M 2017.",
    "Orva-cel on EVOLVE trial.",
    "GSK2857916 x4 2019.",
    "AMG 420 2018, then nothing until 2020.",
    "Her fifth line was an anti-BCMA T-cell engager.",
    "BsAb targeting BCMA x CD3, 4 cycles.",
    "After failing CAR-T against BCMA she went on to talquetamab.",
    "He has had both a BCMA CAR-T and talquetamab.",
    "Exposed to: bortezomib, lenalidomide, daratumumab, teclistamab.",
    "Was on teclistamab until Sept; stopped d/t hypogammaglobulinemia and sepsis.",
    "Teclistamab not tolerated - grade 3 ICANS after step-up dose 2.",
    "Tec stopped after PD.",
    "No response to ide-cel.",
    "Did not respond to teclistamab.",
    "Lost response to cilta-cel in June.",
    "Teclistamab given off-label from 5/23; no CRS.",
    "Could not continue elranatamab because of infections.",
    "Belantamab mafodotin was not effective.",
    "Elranatamab failed.",
    "Never responded to belantamab.",
    "Ide-cel (manufacturing delayed by 3 weeks) infused 6/2/23.",
    "Consented to cilta-cel, collected 1/24, infused 3/24.",
    "BCMA CAR-T was planned for 2/23 and given 3/23.",
)
WORDED_AS_NOT_GIVEN = (
    'She does not know whether she ever had a "BCMA drug" and the letter does not say.',
    "Plan: teclistamab.",
    "Referred for cilta-cel.",
    "Discussed ide-cel; he declined.",
    "Cilta-cel slot requested.",
    "Apheresis done 3/4 for ide-cel; manufacturing.",
    "Awaiting Carvykti infusion.",
    "Considering elranatamab vs talquetamab.",
    "If progression, then BCMA bispecific.",
    "Teclistamab not available here.",
    "Teclistamab approval pending.",
    "Candidate for CAR-T (BCMA).",
    "CAR-T was cancelled, product out of specification.",
    "Insurance denied teclistamab.",
    "Screen failure for the BCMA CAR-T trial.",
    "Would benefit from belantamab at next relapse.",
    "BCMA CAR-T deferred.",
    "Bridging before ide-cel scheduled 3 June.",
    "Cilta-cel manufacturing failed twice; never infused.",
    "Talquetamab since May.",
    "CD19 CAR-T 2019.",
    "GPRC5D CAR-T infused 2024.",
    "BCMA expression 80% on plasma cells.",
    "sBCMA 300 ng/mL.",
    "Teclistamab to start Monday.",
    "Wife read about Carvykti online.",
    "Not a candidate for teclistamab.",
    "BCMA therapy was discussed.",
    "Next: elranatamab.",
    "Elranatamab was offered but she preferred talquetamab.",
    "Brother-in-law got Carvykti elsewhere.",
)
WORDED_AS_NAIVE = (
    "No prior BCMA-directed therapy.",
    "BCMA naive.",
    "BCMA-naïve.",
    "Never had CAR-T or bispecifics.",
    "No previous anti-BCMA treatment.",
    "He has not received any BCMA targeted agent.",
    "Prior BCMA: none.",
    "BCMA exposure: no.",
    "CAR-T/bispecific naive.",
    "Has never been exposed to BCMA-directed agents.",
    "Without prior BCMA therapy.",
    "No CAR-T, no bispecific antibodies so far.",
)


@pytest.mark.parametrize(("text", "status"), [
    *((text, "exposed") for text in WORDED_AS_GIVEN), *((text, "unknown") for text in WORDED_AS_NOT_GIVEN), *((text, "naive") for text in WORDED_AS_NAIVE)])
def test_many_wordings(text, status):
    assert bcma(text).status == status
