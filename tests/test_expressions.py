"""Criterion logic written and read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.domain import AllOf, AnyOf, AtLeast, AtScreening, Comparison, Not, Presence, Unparsed, Window
from matcher.expressions import ExpressionError, from_tree, render, to_tree

windows = st.none() | st.builds(Window, st.sampled_from(["within", "before"]), st.integers(1, 4000), st.none() | st.just("consent")) | st.just(Window("current"))
leaves = (
    st.builds(Comparison, st.sampled_from(["hemoglobin", "age"]), st.sampled_from(["<", "<=", "=", ">=", ">"]), st.integers(0, 500).map(float), st.just("g/dL"), st.booleans(), st.booleans(), st.none() | st.just("radiotherapy"), windows)
    | st.builds(Presence, st.sampled_from(["condition", "prior_therapy"]), st.just("hiv_infection"), windows, st.just(()) | st.just((("nyha", ">=3"),)), st.just(()) | st.just(("melanoma",)))
    | st.builds(AtScreening, st.text(min_size=1))
    | st.builds(Unparsed, st.text(min_size=1))
)
expressions = st.recursive(leaves, lambda inner: st.builds(Not, inner) | st.builds(AllOf, st.lists(inner, max_size=3).map(tuple)) | st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple)) | st.builds(AtLeast, st.integers(1, 3), st.lists(inner, min_size=1, max_size=3).map(tuple)))


@given(expressions)
def test_a_written_expression_reads_back_the_same(expression):
    assert from_tree(to_tree(expression)) == expression


@pytest.mark.parametrize(
    ("expression", "line"),
    [
        (Comparison("hemoglobin", ">", 8, "g/dL"), "hemoglobin > 8 g/dL"),
        (Comparison("alt", "<=", 2.5, "1", x_uln=True), "alt <= 2.5 × ULN"),
        (Comparison("days_since", ">=", 14, "d", of="radiotherapy"), "days since radiotherapy >= 14 d"),
        (Presence("condition", "myocardial_infarction", Window("within", 365)), "myocardial infarction within 365 days"),
        (AllOf((Presence("refractory_to", "imid"), AnyOf((Presence("prior_therapy", "bcma"), Unparsed("odd"))))), "refractory to imid AND (prior bcma OR [not understood: odd])"),
        (Not(Presence("condition", "hiv_infection")), "NOT hiv infection"),
    ],
)
def test_logic_reads_as_a_line(expression, line):
    assert render(expression) == line


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ("hiv", "a mapping is wanted"),
        ({}, "one of all, any"),
        ({"all": None}, "at least one part"),
        ({"at_least": 2, "of": []}, "at least one part"),
        ({"fact": "age", "op": "=>", "value": 1}, "op: '=>' is none of"),
        ({"fact": "age", "op": ">", "value": "old"}, "a number is wanted"),
        ({"fact": "age", "op": "present", "value": 1}, "fact: 'age' is none of"),
        ({"all": [{"not": 3}]}, r"all\[0\].not"),
        ({"fact": "condition", "op": "present", "value": "x", "window": {"relation": "soon"}}, "window: relation"),
    ],
)
def test_a_tree_that_is_no_expression_is_named(tree, said):
    with pytest.raises(ExpressionError, match=said):
        from_tree(tree)
