"""A clinician puts facts right: the profile changes, the criteria follow, and the change stays visible."""

from dataclasses import replace
from datetime import date

import pytest

from matcher.corrections import CorrectionError, apply_corrections
from matcher.domain import (
    BcmaAgent,
    BcmaExposure,
    Comparison,
    ConditionFact,
    Course,
    Evidence,
    Lab,
    PartialDate,
    PatientProfile,
    Presence,
    Reading,
    Status,
    TherapyLine,
    Transplant,
    Treatment,
)
from matcher.eligibility import evaluate

NOTE = PatientProfile(
    "note",
    date(2025, 3, 14),
    ecog=Reading(2, (Evidence(0, 6, "ECOG 2"),)),
    bcma=BcmaExposure("exposed", (BcmaAgent("teclistamab", "bispecific_antibody", ()),)),
    labs=(Lab("lvef", 40, "%", (), PartialDate(2025, 3, 1)),),
    conditions=(ConditionFact("hypertension", Status.PRESENT, ()),),
)


@pytest.mark.parametrize(
    ("correction", "statement", "truth"),
    [
        ({"fact": "ecog", "value": 1}, Comparison("ecog", "<=", 1, "1"), "true"),
        ({"fact": "ecog", "value": None}, Comparison("ecog", "<=", 1, "1"), "unknown"),
        ({"fact": "lvef", "value": 55, "date": "2025-03-10"}, Comparison("lvef", ">=", 50, "%"), "true"),
        ({"fact": "lvef", "value": 55}, Comparison("lvef", ">=", 50, "%"), "true"),
        ({"fact": "lvef", "value": 55, "date": "2020"}, Comparison("lvef", ">=", 50, "%"), "false"),  # the newer value stands
        ({"fact": "hemoglobin", "value": 98, "unit": "g/L"}, Comparison("hemoglobin", ">=", 9.8, "g/dL"), "true"),
        ({"fact": "therapy:bcma", "value": "naive"}, Presence("prior_therapy", "bcma"), "false"),
        ({"fact": "therapy:ciltacabtagene autoleucel", "value": "given", "date": "2024-05"}, Presence("prior_therapy", "bcma_car_t"), "true"),
        ({"fact": "condition:hiv_infection", "value": "absent"}, Presence("condition", "hiv_infection"), "false"),
        ({"fact": "condition:hypertension", "value": "present", "qualifiers": {"control": "controlled"}},
         Presence("condition", "hypertension", qualifiers=(("control", "uncontrolled"),)), "false"),
        ({"fact": "prior_lines", "value": 4}, Comparison("prior_lines", ">=", 3, "1"), "true"),
        ({"fact": "disease_state", "value": "relapsed"}, Presence("disease_state", "relapsed_refractory"), "true"),
        ({"fact": "refractory:daratumumab", "value": True}, Presence("refractory_to", "anti_cd38"), "true"),
        ({"fact": "allergy:any", "value": "absent"}, Presence("allergy", "fludarabine"), "false"),
        ({"fact": "therapy:autologous_transplant", "value": "given", "date": "2025-02-20"}, Presence("prior_therapy", "stem_cell_transplant"), "true"),
    ],
)
def test_a_correction_changes_what_criteria_see(correction, statement, truth):
    corrected = apply_corrections(NOTE, [correction])
    assert evaluate(statement, corrected).truth.value == truth
    assert corrected.flags[-1].value.startswith(f"Entered by the clinician: {correction['fact']}")
    assert corrected.flags[-1].evidence == ()


@pytest.mark.parametrize(("denied", "asked", "bcma"), [
    ("daratumumab", "anti_cd38", "exposed"),
    ("anti_cd38", "daratumumab", "exposed"),
    ("autologous_transplant", "stem_cell_transplant", "exposed"),
    ("dialysis", "hemodialysis", "exposed"),
    ("teclistamab", "teclistamab", "unknown"),  # of other products nothing was said
    ("bcma", "teclistamab", "naive"),
])
def test_what_was_not_given_is_taken_out_wherever_the_note_told_it(denied, asked, bcma):
    told = replace(
        NOTE,
        lines=(TherapyLine(1, ("daratumumab", "dexamethasone"), (), transplant="autologous"), TherapyLine(2, ("teclistamab",), ())),
        treatments=(Treatment("teclistamab", Course.GIVEN, (), line=2),),
        transplants=(Transplant("autologous", ()),),
        refractory_to=(Reading("daratumumab"),),
        conditions=(ConditionFact("dialysis", Status.PRESENT, ()),),
    )
    statement = Presence("prior_therapy", asked)
    corrected = apply_corrections(told, [{"fact": f"therapy:{denied}", "value": "absent"}])
    assert [evaluate(Presence("prior_therapy", denied), p).truth.value for p in (told, corrected)] == ["true", "false"]
    assert evaluate(statement, corrected).truth.value != "true"
    assert corrected.bcma.status == bcma


def test_the_note_itself_is_unchanged_and_the_corrected_fact_has_no_evidence():
    assert apply_corrections(NOTE, [{"fact": "ecog", "value": 1}]).ecog == Reading(1)
    assert NOTE.ecog == Reading(2, (Evidence(0, 6, "ECOG 2"),))
    assert apply_corrections(NOTE, []) == NOTE


@pytest.mark.parametrize(
    ("correction", "said"),
    [
        ({}, '"fact" and "value"'),
        ({"fact": "mood", "value": 1}, '"mood" is no fact'),
        ({"fact": "ecog", "value": 9}, "from 0 to 5"),
        ({"fact": "ecog", "value": "one"}, "from 0 to 5"),
        ({"fact": "sex", "value": "f"}, "female, male"),
        ({"fact": "lvef", "value": 55, "date": "last week"}, "is no date"),
        ({"fact": "lvef", "value": 5500}, "lies between"),
        ({"fact": "hemoglobin", "value": 98, "unit": "U/L"}, "does not convert"),
        ({"fact": "condition:unheard", "value": "absent"}, "not in the vocabulary"),
        ({"fact": "condition:stroke", "value": "maybe"}, "present, historical, absent, possible"),
        ({"fact": "therapy:lenalidomide", "value": "naive"}, "given, ongoing, absent"),
    ],
)
def test_a_correction_that_cannot_be_is_refused_with_the_remedy(correction, said):
    with pytest.raises(CorrectionError, match=said):
        apply_corrections(NOTE, [correction])
