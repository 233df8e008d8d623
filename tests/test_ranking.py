"""Trials in order: verdicts, scores, ties, notices, and what to ask next."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.domain import (
    AllOf,
    AnyOf,
    AtScreening,
    Comparison,
    ConditionFact,
    Criterion,
    CriterionResult,
    Kind,
    Outcome,
    PatientProfile,
    Presence,
    Reading,
    Status,
    Trial,
    Truth,
    Verdict,
)
from matcher.eligibility import match
from matcher.eligibility.ranking import score

ADULT = Comparison("age", ">=", 18, "a")
FIT = Comparison("ecog", "<=", 1, "1")
HIV = Presence("condition", "hiv_infection")
STROKE = Presence("condition", "stroke")
MYELOMA = Presence("disease", "multiple_myeloma")
PATIENT = PatientProfile(
    "note",
    date(2025, 3, 14),
    age_years=Reading(63),
    sex=Reading("female"),
    ecog=Reading(1),
    conditions=(ConditionFact("multiple_myeloma", Status.PRESENT, ()), ConditionFact("stroke", Status.ABSENT, ())),
)


def item(kind, number, expression, assessable=True, cohort=None):
    return Criterion(f"{'I' if kind == 'inclusion' else 'E'}{number}", Kind(kind), "text", 0, 4, expression, assessable, cohort)


def trial(trial_id, *criteria, disease=MYELOMA, **more):
    return Trial(trial_id, f"{trial_id}.txt", trial_id, tuple(criteria), disease=disease, **more)


def ranked(*trials, patient=PATIENT):
    return [(m.trial.trial_id, m.verdict.value) for m in match(patient, trials).matches]


@pytest.mark.parametrize(
    ("criteria", "verdict"),
    [
        ((item("inclusion", 1, ADULT), item("exclusion", 1, STROKE)), "eligible"),
        ((item("inclusion", 1, ADULT), item("exclusion", 1, HIV)), "possible"),
        ((item("inclusion", 1, FIT), item("inclusion", 2, Comparison("ecog", "<=", 0, "1")), item("exclusion", 1, HIV)), "ineligible"),
        ((item("inclusion", 1, ADULT), item("inclusion", 2, AtScreening("consent"), assessable=False)), "eligible"),
        ((item("inclusion", 1, AtScreening("consent"), assessable=False),), "possible"),
        ((item("inclusion", 1, ADULT), item("inclusion", 2, Comparison("ecog", "<=", 0, "1"), cohort="Cohort 2")), "possible"),
        ((item("inclusion", 1, ADULT), item("inclusion", 2, AllOf(()))), "eligible"),  # "prior transplantation is allowed"
        ((item("inclusion", 1, ADULT), item("exclusion", 1, AnyOf(()))), "possible"),  # an exclusion of which nothing was understood
        ((), "possible"),
    ],
)
def test_verdicts(criteria, verdict):
    assert ranked(trial("T", *criteria)) == [("T", verdict)]


def test_an_ineligible_trial_never_outranks_a_possible_one_and_ties_break_by_id():
    met = [item("inclusion", n, ADULT) for n in range(1, 20)]
    failed = item("exclusion", 1, MYELOMA)
    open_ = item("exclusion", 1, HIV)
    trials = [trial("failed", *met, failed), trial("b", open_), trial("a", open_), trial("met", *met), trial("closer", *met, open_)]
    expected = [("met", "eligible"), ("closer", "possible"), ("a", "possible"), ("b", "possible"), ("failed", "ineligible")]
    assert ranked(*trials) == expected == ranked(*reversed(trials))


def test_a_trial_without_criteria_is_judged_by_its_disease_and_limits_and_says_so():
    report = match(PATIENT, [trial("bare"), trial("young", max_age=60.0), trial("men", sex="male"), trial("breast", disease=Presence("disease", "breast_cancer"))])
    assert [(m.trial.trial_id, m.verdict.value) for m in report.matches] == [
        ("bare", "possible"), ("men", "ineligible"), ("young", "ineligible"), ("breast", "ineligible")]
    assert all(any("no eligibility criteria" in notice for notice in m.notices) for m in report.matches)
    assert "Not for this patient: Age 63, required ≤ 60" in report.matches[2].notices


def test_a_structured_limit_counts_only_where_the_criteria_do_not_state_it():
    assert ranked(trial("T", item("inclusion", 1, ADULT), min_age=70.0)) == [("T", "eligible")]
    assert ranked(trial("T", item("exclusion", 1, STROKE), min_age=70.0)) == [("T", "ineligible")]


@pytest.mark.parametrize(("status", "noticed"), [("recruiting", False), ("terminated", True), ("completed", True), (None, False)])
def test_a_trial_that_does_not_recruit_says_so(status, noticed):
    notices = match(PATIENT, [trial("T", item("inclusion", 1, ADULT), status=status)]).matches[0].notices
    assert any(status and status in notice for notice in notices) is noticed


def test_what_to_ask_next_counts_the_trials_that_an_answer_would_settle():
    tb, gout = Presence("condition", "tuberculosis"), Presence("condition", "gout")
    trials = [
        trial("A", item("exclusion", 1, HIV)),
        trial("B", item("exclusion", 1, HIV), item("exclusion", 2, tb)),
        trial("C", item("exclusion", 1, AnyOf((tb, gout)))),
        trial("D", item("exclusion", 1, AnyOf((HIV, STROKE))), item("exclusion", 2, MYELOMA)),  # ruled out already
    ]
    assert match(PATIENT, trials).questions == (("condition:hiv_infection", 2), ("condition:tuberculosis", 2), ("condition:gout", 1))


def _results(outcomes):
    criterion = item("inclusion", 1, ADULT)
    return [CriterionResult(criterion, outcome, "") for outcome in outcomes]


@given(st.lists(st.sampled_from(Outcome), min_size=1), st.sampled_from(Truth), st.sampled_from(Verdict), st.floats(0, 1), st.data())
def test_settling_an_unknown_as_satisfied_never_lowers_the_score(outcomes, disease, verdict, relevance, data):
    at = data.draw(st.integers(0, len(outcomes) - 1))
    better = [Outcome.SATISFIED if i == at and o is Outcome.UNKNOWN else o for i, o in enumerate(outcomes)]
    before, after = (score(verdict, _results(these), disease, relevance) for these in (outcomes, better))
    assert 0 <= before <= after <= 1


@given(st.lists(st.sampled_from(Outcome)), st.lists(st.sampled_from(Outcome)), st.sampled_from(Truth), st.sampled_from(Truth), st.floats(0, 1), st.floats(0, 1))
def test_scores_of_verdicts_do_not_overlap(left, right, left_disease, right_disease, left_relevance, right_relevance):
    ineligible = score(Verdict.INELIGIBLE, _results(left), left_disease, left_relevance)
    possible = score(Verdict.POSSIBLE, _results(right), right_disease, right_relevance)
    assert ineligible <= possible <= score(Verdict.ELIGIBLE, _results(left), left_disease, left_relevance)
