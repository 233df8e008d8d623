"""Treatments, refractoriness and disease state as a note tells them. Invented patients."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.domain import Course
from matcher.notes.conditions import read_conditions
from matcher.notes.document import Document
from matcher.notes.therapy import TherapyReading, read_therapy

DATE = date(2025, 3, 1)
STEROIDS = {"dexamethasone", "prednisone", "methylprednisolone"}


def reading(text: str) -> TherapyReading:
    doc = Document(text)
    return read_therapy(doc, DATE, read_conditions(doc, DATE))


def refractory(text: str) -> set[str]:
    return {r.value for r in reading(text).refractory_to} - STEROIDS


def courses(text: str, agent: str) -> set[str]:
    return {t.course.value for t in reading(text).treatments if t.agent == agent}


@pytest.mark.parametrize(("text", "drugs"), [
    # progression on therapy, or within 60 days of the last dose
    ("MM. DPd 3/2021-11/2022, PD on treatment.", {"daratumumab", "pomalidomide"}),
    ("MM. Kd 1/2023 to 2/2024; stopped for heart failure, progressed within 4 weeks of stopping.", {"carfilzomib"}),
    ("MM. Rd until progression in 2019.", {"lenalidomide"}),
    ("MM. DRd 2020-2023, discontinued due to PD.", {"daratumumab", "lenalidomide"}),
    # no minimal response
    ("MM. SVd 2022, best response SD, stopped for nausea.", {"selinexor", "bortezomib"}),
    ("MM. Belantamab mafodotin 2020, no response.", {"belantamab mafodotin"}),
    # stopped in response; came back later
    ("MM. KCd 2022-2023, PR. Stopped for hypertension. Relapse 8 months later.", set()),
    ("MM. VCd x6 2017, CR, completed as planned. Relapse 2020.", set()),
    ("MM. Blenrep from 11/2022, VGPR. Stopped 3/2024 because of keratopathy, disease stable.", set()),
    # a cell product given once is not what the disease progressed on
    ("MM. Ide-cel infused 6/2022, CR; PD 6/2024.", set()),
    # after a transplant only the maintenance counts
    ("MM. VRd x4, ASCT 2018, lenalidomide maintenance; PD 1/2021 on maintenance.", {"lenalidomide"}),
    ("MM. VTd x6, ASCT 2018, no maintenance. PD 2021.", set()),
    # what was dropped before
    ("MM. DVd from 2/2021 (bortezomib stopped after eight cycles as per protocol); progressed on single agent daratumumab 10/2022.", {"daratumumab"}),
    ("MM. DVd 2019-2021; Velcade for the first 8 cycles, PD.", {"daratumumab"}),
    # in words
    ("MM, VRd, KPd and DVd given. Refractory to lenalidomide, pomalidomide and daratumumab.", {"lenalidomide", "pomalidomide", "daratumumab"}),
    ("MM. VRd 2018, len-refractory.", {"lenalidomide"}),
    ("MM s/p VRd, DPd. Refr: R, V no (stopped for PN), P, dara.", {"lenalidomide", "pomalidomide", "daratumumab"}),
    ("MM, VRd and DVd. Refractory to lenalidomide; bortezomib-sensitive.", {"lenalidomide"}),
    ("MM. VRd 2016, KPd 2018, DVd 2020. Triple-class refractory.",
     {"bortezomib", "lenalidomide", "carfilzomib", "pomalidomide", "daratumumab"}),
    ("MM. VTd 2012, Rd, Vd, Kd, Pd, Dara. Penta-refractory.", {"lenalidomide", "bortezomib", "carfilzomib", "pomalidomide", "daratumumab"}),
    ("MM. VRd 2016 x8 then observation, DPd 2020 CR. Triple-class exposed.", set()),
    ("MM, one line of VRd 2016-2017, relapse 2021 off therapy. Not refractory to anything.", set()),
    ("MM. VRd 2016, DPd 2018, Kd 2020. Refractory to all except bortezomib.", {"lenalidomide", "daratumumab", "pomalidomide", "carfilzomib"}),
    ("MM. DVd 2019-2021 and then Pd, progressed through both.", {"daratumumab", "bortezomib", "pomalidomide"}),
    ("MM. VCd x5 Mar-Jul 2023: stable disease. Changed to KRd.", {"bortezomib", "cyclophosphamide"}),
    ("Relapsed multiple myeloma on teclistamab, in VGPR.", set()),
    ("MM. Teclistamab 6/2021-12/2022 [ ] PD [x] AE: infections.", set()),
    ("MM. Failed Rev/dex, Velcade and Kyprolis.", {"lenalidomide", "bortezomib", "carfilzomib"}),
    ("MM. VCd 2020, then thalidomide maintenance. M-protein rise in 1/2021 while on thalidomide. Rd since.", {"thalidomide"}),
    ("MM. DVd 2019-2021 and the Velcade came off after eight cycles as planned; she progressed on that and got Pd.", {"daratumumab"}),
    ("MM. VRd 2019, Kd 2021. Don't call him refractory to bortezomib.", set()),
    ("MM. Tried: Revlimid, Velcade, Darzalex, Kyprolis, Pomalyst. All failed.", {"lenalidomide", "bortezomib", "daratumumab", "carfilzomib", "pomalidomide"}),
    ("MM. KRd x8, CR. Lenalidomide 10 mg until Nov 2021, PD.", {"lenalidomide"}),
    ("MM. VCD 8/2019-12/2019, PR, defaulted, no treatment for 14 months. Feb 2021: rising M-band, restarted on VRd, VGPR.", set()),
    ("MM. VRd 2019, PR, lost to follow-up. 2021 relapse, DPd, VGPR.", set()),
    ("MM. She progressed through lenalidomide maintenance, then through DPd.", {"lenalidomide", "daratumumab", "pomalidomide"}),
])
def test_refractory(text, drugs):
    assert refractory(text) == drugs


@pytest.mark.parametrize(("text", "agent", "course"), [
    ("Received daratumumab in 2020.", "daratumumab", {"given"}),
    ("Currently on pomalidomide 4 mg.", "pomalidomide", {"ongoing"}),
    ("Elranatamab 11/2024 - present.", "elranatamab", {"ongoing"}),
    ("08/2024-present  Elranatamab", "elranatamab", {"ongoing"}),
    ("Plan: start talquetamab next week.", "talquetamab", {"planned"}),
    ("We will hold off on teclistamab until the infection clears.", "teclistamab", {"planned"}),
    ("Options: Carvykti, a trial, talquetamab as fall back.", "ciltacabtagene autoleucel", {"planned"}),
    ("Teclistamab was discussed but nothing given.", "teclistamab", {"planned"}),
    ("Referred for CAR-T evaluation.", "car_t", {"planned"}),
    ("Elranatamab was applied for in December.", "elranatamab", {"planned"}),
    ("If the kappa doubles I would go for teclistamab instead.", "teclistamab", {"planned"}),
    ("She declined teclistamab.", "teclistamab", {"declined"}),
    ("Daratumumab was offered; refused.", "daratumumab", {"planned"}),
    ("Never received lenalidomide.", "lenalidomide", {"absent"}),
    ("No CAR-T, bispecific or ADC.", "car_t", {"absent"}),
    ("A trial of a BCMA x CD3 bispecific antibody was started in 2023 and she remains on it.", "anti-bcma bispecific", {"given"}),
    ("She commenced thalidomide as that was what she could afford.", "thalidomide", {"given"}),
    ("Allogeneic SCT: [ ] yes [x] no", "allogeneic_transplant", {"absent"}),
    ("KRd? never filled.", "carfilzomib", {"absent"}),
    ("A slot for Abecma fell through.", "idecabtagene vicleucel", {"absent"}),
    ("His roommate is on teclistamab.", "teclistamab", {"family"}),
    ("Family history: mother had myeloma, treated with thalidomide.", "thalidomide", {"family"}),
    ("DPd or Kd? he is unsure.", "daratumumab", {"possible"}),
    ("Palliative radiotherapy to the hip 8 Gy in May 2024.", "palliative_radiotherapy", {"given"}),
])
def test_course(text, agent, course):
    assert courses("Multiple myeloma. " + text, agent) == course


@pytest.mark.parametrize(("text", "agent", "purpose"), [
    ("Bridging with DCEP x1, then cilta-cel infused 8/2024.", "etoposide", "bridging"),
    ("Flu/Cy 8/18-8/20, cilta-cel infused 8/23/2024.", "fludarabine", "lymphodepletion"),
    ("Cyclophosphamide mobilisation, ASCT 5/2018.", "cyclophosphamide", "mobilisation"),
    ("Premed: dexamethasone 20 mg.", "dexamethasone", "premedication"),
])
def test_what_a_treatment_was_for(text, agent, purpose):
    assert {t.purpose for t in reading("Multiple myeloma. " + text).treatments if t.agent == agent} == {purpose}


@pytest.mark.parametrize(("text", "state"), [
    ("RRMM, s/p VRd and DPd.", "relapsed_refractory"),
    ("Multiple myeloma. VRd 2018, PR. DPd 2020-2022, PD on treatment.", "relapsed_refractory"),
    ("Multiple myeloma. KRd x8 2016-2017, CR. Relapse 2025 off all therapy.", "relapsed"),
    ("Newly diagnosed multiple myeloma. Started D-VRd.", "newly_diagnosed"),
    ("Multiple myeloma. D-VRd x6, ASCT 2024, remains in MRD-negative complete remission.", "remission"),
    ("Multiple myeloma. D-VRd cycles 1-6 since 10/2024. Response: complete remission after cycle 6.", "remission"),
    ("Your patient with myeloma is in complete remission on lenalidomide, after VTD then autologous transplant in May 2021; he asks about his osteoarthritis.", "remission"),
    ("Multiple myeloma. DPd 2021, PD 2022. Ide-cel infused 3/2023, sCR. 11/2024 M protein appears again, no treatment since the cells.", "relapsed"),
    ("Multiple myeloma, primary refractory to VRd.", "refractory"),
    ("Multiple myeloma on selinexor, pomalidomide and dexamethasone since May.", None),
    ("IgG lambda disease: VRd 2018, PR. DPd 2020-2022, PD on treatment. A brother has MGUS.", "relapsed_refractory"),
    ("Smoldering multiple myeloma, never treated.", None),
    ("MGUS.", None),
    ("Type 2 diabetes.", None),
])
def test_disease_state(text, state):
    found = reading(text).disease_state
    assert (found.value if found else None) == state


FRAGMENTS = ["VRd", "ASCT 5/2016", "PD", "\n- ", "; ", "L2: ", "Carvykti", "no ", "never ", "refractory to ", "dara", "2/2021 - ", "(", ")", "maintenance", "relapse", "CAR-T", ". ", "lenalidomide", "?",
             "\n\n", "| ", "R, V no, K", "triple-class refractory", "addendum", "not ", "BCMA-naive", "5 prior lines", "é", "‘"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join))
def test_every_text_reads_and_every_quotation_is_exact(text):
    found = reading(text)
    spans = [e for t in found.treatments for e in t.evidence] + [e for line in found.lines for e in line.evidence]
    spans += [e for r in found.refractory_to for e in r.evidence] + list(found.bcma.evidence) + [e for t in found.transplants for e in t.evidence]
    assert all(text[e.start : e.end] == e.text for e in spans)
    assert {d for line in found.lines for d in line.drugs} <= {t.agent for t in found.treatments if t.course in (Course.GIVEN, Course.ONGOING)}


def test_a_long_note_is_read_in_time_that_grows_with_its_length():
    text = "Multiple myeloma. " + "DPd 3/2021 - 11/2022, PD on treatment. Metformin 500 mg. " * 400
    assert len(reading(text).lines) >= 1
