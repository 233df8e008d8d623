"""Which trials are about the patient, among trials of all diseases."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher import TrialIndex, match, read_note, read_trials
from matcher.domain import Outcome, Truth, Verdict
from matcher.eligibility.ranking import score

OPEN = "Inclusion Criteria:\n1. ECOG performance status 0-1\n2. LVEF 50% or more\nExclusion Criteria:\n1. HIV infection"
EASY = "Inclusion Criteria:\n1. Age 18 years or older\n2. LVEF 50% or more"


def record(trial_id, title, eligibility="", **more):
    return read_trials(json.dumps({"id": trial_id, "title": title, "conditions": [], "eligibility": eligibility, **more}).encode(), "t.jsonl")[0]


TRIALS = (
    record("asthma", "Inhaled budesonide in persistent asthma", EASY, conditions=["Asthma"]),
    record("b_cell", "Rituximab in lymphoma", OPEN),
    record("gout", "Febuxostat for gout", EASY, conditions=["Gout"]),
    record("heart", "Remote care of heart failure", EASY, conditions=["Heart Failure"]),
    record("lymphoma", "Bispecific antibody in diffuse large B-cell lymphoma", OPEN, conditions=["DLBCL"]),
    record("myeloma", "Bispecific antibody in multiple myeloma", OPEN, conditions=["Multiple Myeloma"]),
    record("unstructured", "Immune cells after transplantation", "", summary="Cells are given to people whose myeloma came back."),
)


def order(note, trials=TRIALS):
    return [m.trial.trial_id for m in match(read_note(note), trials).matches]


def relevance(note):
    return {m.trial.trial_id: m.relevance for m in match(read_note(note), TRIALS).matches}


def test_trials_of_the_patients_malignancy_come_before_easier_ones_of_other_diseases():
    found = order("64-year-old woman with relapsed multiple myeloma after VRd. Heart failure since 2019.")
    assert found[:3] == ["myeloma", "heart", "unstructured"]
    assert {*found[-2:]} == {"b_cell", "lymphoma"}  # ruled out: another malignancy


def test_a_patient_without_a_malignancy_has_the_trials_of_the_diseases_the_note_speaks_of():
    assert order("52-year-old man with asthma since childhood. His asthma is not controlled. Heart failure.")[:2] == ["asthma", "heart"]


@pytest.mark.parametrize("said", ["", "No asthma.", "Denies asthma or gout.", "Her mother has asthma.", "Family history: gout, asthma."])
def test_what_is_denied_or_said_of_a_relative_attracts_nothing(said):
    found = relevance(f"64-year-old woman with multiple myeloma. {said}")
    assert (found["asthma"], found["gout"], found["myeloma"]) == (0, 0, 1)


@pytest.mark.parametrize(
    ("note", "about"),
    [
        ("Multiple myeloma.", {"myeloma"}),
        ("Diffuse large B-cell lymphoma.", {"b_cell", "lymphoma"}),  # what it is a kind of
        ("Lymphoma.", {"b_cell", "lymphoma"}),  # the note may mean a kind of it
        ("Cancer.", set()),  # which one?
        ("Asthma.", set()),
    ],
)
def test_wholly_about_the_patient_is_a_trial_of_the_malignancy_itself(note, about):
    assert {trial for trial, found in relevance(note).items() if found == 1} == about


def test_a_disease_weighs_more_than_a_finding_and_what_is_historical_less():
    now, past = relevance("Asthma."), relevance("Asthma as a child, resolved.")
    trials = (TRIALS[0], record("cough", "Honey for cough", conditions=["Cough"]))
    assert now["asthma"] >= past["asthma"] > 0
    assert order("Asthma with cough.", trials) == ["asthma", "cough"]


def test_words_find_what_the_vocabulary_does_not_know():
    trials = (record("a", "Sleep hygiene"), record("b", "Enzyme replacement for zorbinosis"))
    assert order("A 40-year-old man with zorbinosis.", trials) == ["b", "a"]


def test_in_a_registry_of_one_malignancy_the_criteria_alone_make_the_order():
    trials = [record(f"T{n}", f"Agent {n} in multiple myeloma", text) for n, text in enumerate((OPEN, EASY, "", OPEN + "\n2. Stroke"))]
    report = match(read_note("64-year-old woman with multiple myeloma. ECOG 1. No stroke."), trials)
    values = [sum({Outcome.SATISFIED: 1.0, Outcome.UNKNOWN: 0.5, Outcome.VIOLATED: 0.0}[r.outcome] for r in m.results) / (len(m.results) or 2) for m in report.matches]
    assert [m.relevance for m in report.matches] == [1.0] * 4
    assert len({m.verdict for m in report.matches}) == 1
    assert values[:3] == sorted(values[:3], reverse=True)


def test_open_facts_are_asked_for_trials_about_the_patient():
    asked = record("asthma", "Asthma", "Inclusion Criteria:\n1. Age 18 years or older\nExclusion Criteria:\n1. Tuberculosis", conditions=["Asthma"])
    facts = {fact for fact, _ in match(read_note("64-year-old woman with multiple myeloma."), [*TRIALS, asked]).questions}
    assert "condition:hiv_infection" in facts
    assert "condition:tuberculosis" not in facts


@given(st.permutations(TRIALS))
def test_the_order_does_not_depend_on_how_the_trials_are_given(trials):
    note = "64-year-old woman with multiple myeloma and heart failure."
    assert order(note, trials) == order(note, TrialIndex.of(TRIALS)) == order(note)


@given(st.text(max_size=200), st.lists(st.text(max_size=60), max_size=4))
def test_any_note_and_any_trials_have_a_relevance_from_0_to_1(note, titles):
    matches = match(read_note(note), [record(f"T{n}", title) for n, title in enumerate(titles)]).matches
    assert len(matches) == len(titles)
    assert all(0 <= m.relevance <= 1 and 0 <= m.score <= 1 for m in matches)


def test_a_trial_that_is_not_about_the_patient_keeps_the_order_of_its_criteria():
    results = match(read_note("Multiple myeloma. ECOG 1."), [TRIALS[5]]).matches[0].results
    assert score(Verdict.POSSIBLE, results[:1], Truth.UNKNOWN, 0) > score(Verdict.POSSIBLE, results[2:], Truth.UNKNOWN, 0)
