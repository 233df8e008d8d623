"""Laws of the evaluator, over generated expressions and patients."""

from dataclasses import replace
from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.domain import (
    AllOf,
    AnyOf,
    AtLeast,
    AtScreening,
    Comparison,
    ConditionFact,
    Course,
    Expression,
    Lab,
    Not,
    Op,
    PartialDate,
    PatientProfile,
    Presence,
    PresenceFact,
    Reading,
    Status,
    Treatment,
    Truth,
    Unparsed,
    Window,
)
from matcher.eligibility import evaluate, match
from matcher.eligibility.chart import Chart
from matcher.eligibility.evaluate import PRESENCES, judge
from matcher.eligibility.measurements import Interval, holds
from matcher.eligibility.questions import truth_of

CONCEPTS = ["stroke", "hiv_infection", "heart_disease", "myocardial_infarction", "malignancy", "multiple_myeloma", "active_infection", "pneumonia"]
AGENTS = ["bortezomib", "proteasome_inhibitor", "teclistamab", "bcma", "car_t", "autologous_transplant", "dexamethasone"]
dates = st.one_of(st.none(), st.builds(PartialDate, st.integers(2015, 2025)), st.builds(PartialDate, st.integers(2015, 2025), st.integers(1, 12)))
windows = st.one_of(st.none(), st.builds(Window, st.sampled_from(["within", "before"]), st.integers(1, 2000)), st.just(Window("current")))
profiles = st.builds(
    PatientProfile,
    note_id=st.just("note"),
    note_date=st.one_of(st.none(), st.just(date(2025, 3, 14))),
    age_years=st.one_of(st.none(), st.builds(Reading, st.integers(0, 100))),
    sex=st.one_of(st.none(), st.builds(Reading, st.sampled_from(["female", "male"]))),
    ecog=st.one_of(st.none(), st.builds(Reading, st.integers(0, 4))),
    n_lines=st.one_of(st.none(), st.builds(Reading, st.integers(0, 8))),
    conditions=st.lists(st.builds(ConditionFact, st.sampled_from(CONCEPTS), st.sampled_from(Status), st.just(()), dates, dates), unique_by=lambda c: c.id, max_size=5).map(tuple),
    treatments=st.lists(st.builds(Treatment, st.sampled_from(AGENTS), st.sampled_from(Course), st.just(()), dates, dates), max_size=4).map(tuple),
    labs=st.lists(st.builds(Lab, st.just("hemoglobin"), st.floats(3, 18), st.just("g/dL"), st.just(()), dates), max_size=3).map(tuple),
)
atoms = st.one_of(
    st.builds(Comparison, st.just("hemoglobin"), st.sampled_from(get_args(Op)), st.floats(3, 18), st.just("g/dL"), window=windows),
    st.builds(Comparison, st.sampled_from(["age", "ecog", "prior_lines"]), st.sampled_from(get_args(Op)), st.integers(0, 90).map(float), st.none()),
    st.builds(Comparison, st.just("days_since"), st.sampled_from(get_args(Op)), st.integers(0, 900).map(float), st.just("d"), of=st.sampled_from(AGENTS)),
    st.builds(Presence, st.just("condition"), st.sampled_from(CONCEPTS), windows),
    st.builds(Presence, st.sampled_from(["prior_therapy", "refractory_to"]), st.sampled_from(AGENTS), windows),
    st.builds(Presence, st.just("disease_state"), st.sampled_from(["relapsed", "refractory", "newly_diagnosed"])),
    st.builds(AtScreening, st.just("consent")),
    st.builds(Unparsed, st.just("words")),
)
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(AtLeast, st.integers(1, 3), st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=8,
)


def truth(expression, profile):
    return evaluate(expression, profile).truth


@given(expressions, profiles)
def test_every_expression_has_a_truth_and_a_reason(expression, profile):
    found = evaluate(expression, profile)
    assert isinstance(found.truth, Truth)
    assert found.reason
    assert not found.presumed


@given(expressions, profiles)
def test_evaluation_is_deterministic(expression, profile):
    assert evaluate(expression, profile) == evaluate(expression, replace(profile))


@given(expressions, expressions, profiles)
def test_de_morgan(left, right, profile):
    assert truth(Not(AllOf((left, right))), profile) == truth(AnyOf((Not(left), Not(right))), profile)
    assert truth(Not(AnyOf((left, right))), profile) == truth(AllOf((Not(left), Not(right))), profile)
    assert truth(Not(Not(left)), profile) == truth(left, profile)


@given(st.lists(expressions, min_size=1, max_size=4).map(tuple), profiles)
def test_at_least_one_is_any_and_at_least_all_is_all(parts, profile):
    assert truth(AtLeast(1, parts), profile) == truth(AnyOf(parts), profile)
    assert truth(AtLeast(len(parts), parts), profile) == truth(AllOf(parts), profile)


def leaves(expression):
    match expression:
        case AllOf(parts) | AnyOf(parts) | AtLeast(_, parts):
            return [leaf for part in parts for leaf in leaves(part)]
        case Not(part):
            return leaves(part)
    return [expression]


@given(expressions, st.data())
def test_more_information_never_takes_back_what_was_settled(expression, data):
    before = {leaf: data.draw(st.sampled_from(Truth)) for leaf in leaves(expression)}
    after = {leaf: data.draw(st.sampled_from([Truth.TRUE, Truth.FALSE])) if t is Truth.UNKNOWN else t for leaf, t in before.items()}
    settled = truth_of(expression, lambda leaf, _: before[leaf])
    assert settled is Truth.UNKNOWN or truth_of(expression, lambda leaf, _: after[leaf]) is settled


@given(expressions, profiles)
def test_logic_with_and_without_reasons_agree(expression, profile):
    chart = Chart.of(profile)
    assert truth_of(expression, lambda leaf, wanted: judge(leaf, chart, wanted).truth) == judge(expression, chart).truth


@given(expressions, profiles)
def test_the_policy_settles_only_what_was_unknown(expression, profile):
    strict, lenient = evaluate(expression, profile), evaluate(expression, profile, unmentioned="absent")
    assert strict.truth is Truth.UNKNOWN or strict.truth is lenient.truth


@given(st.floats(1, 20), st.floats(1, 20), st.sampled_from(get_args(Op)))
def test_the_same_value_in_another_unit_gives_the_same_truth(value, limit, op):
    patient = PatientProfile("note", labs=(Lab("hemoglobin", value, "g/dL", ()),))
    assert truth(Comparison("hemoglobin", op, limit, "g/dL"), patient) == truth(Comparison("hemoglobin", op, limit * 10, "g/L"), patient)


@given(st.floats(0.1, 1e6))
def test_less_and_at_most_differ_exactly_at_the_limit(limit):
    at = Interval.measured(limit)
    assert [holds(at, op, limit) for op in ("<", "<=", "=", ">=", ">")] == [Truth.FALSE, Truth.TRUE, Truth.TRUE, Truth.TRUE, Truth.FALSE]


@given(st.floats(0, 100), st.floats(0, 100), st.sampled_from([None, "<", "<=", ">", ">="]))
def test_a_limit_and_its_opposite(value, limit, comparator):
    found = Interval.measured(value, comparator)
    assert holds(found, "<", limit) is ~holds(found, ">=", limit)
    assert holds(found, "<=", limit) is ~holds(found, ">", limit)


@pytest.mark.parametrize("fact", get_args(PresenceFact))
def test_every_kind_of_presence_has_an_evaluator(fact):
    assert isinstance(evaluate(Presence(fact, "stroke"), PatientProfile("note")).truth, Truth)
    assert fact in PRESENCES


def test_every_kind_of_expression_has_an_evaluator():
    samples = {AllOf: AllOf((Unparsed("x"),)), AnyOf: AnyOf((Unparsed("x"),)), AtLeast: AtLeast(1, (Unparsed("x"),)), Not: Not(Unparsed("x")),
               Comparison: Comparison("age", ">", 1, "a"), Presence: Presence("condition", "stroke"), AtScreening: AtScreening("x"), Unparsed: Unparsed("x")}
    assert set(samples) == set(get_args(Expression))
    assert all(evaluate(sample, PatientProfile("note")).truth is Truth.UNKNOWN for sample in samples.values())


@given(profiles)
def test_ranking_without_trials_is_empty(profile):
    assert match(profile, []).matches == ()
