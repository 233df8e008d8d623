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
])
def test_unknown(text):
    assert bcma(text).status == "unknown"


@pytest.mark.parametrize("given", ["teclistamab 2023, PD", "Carvykti infused 3/2022", "belamaf x4 doses, no response", "elranatamab since 5/2024", "ide-cel infused 2021"])
@pytest.mark.parametrize("naive", ["BCMA-naive.", "No prior BCMA therapy.", "Treatment history complete.", "Never had CAR-T or bispecifics."])
def test_exposure_outranks_every_statement_of_none(given, naive):
    assert bcma(f"VRd 2018. Then {given}. {naive}").status == "exposed"
