"""Laws of the criterion compiler over arbitrary text: total, deterministic, nothing lost, comparisons never turned."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.domain import AllOf, AnyOf, AtLeast, AtScreening, Comparison, Kind, Not, Presence, Unparsed
from matcher.trials import compile_criterion, constraints
from matcher.trials.criteria import coverage
from matcher.trials.lexer import plain, tokens

WORDS = st.lists(
    st.sampled_from(
        ["no", "not", "any", "of", "the", "following", ":", ";", ",", ".", "(", ")", "[", "]", "and", "or", "unless", "except", "if", "within", "14", "days", "weeks", "before", "since", "prior", "to", "history", "of", "≥", "<", "<=", ">", "=", "1", "2.5", "18", "75", "x", "ULN", "g/dL", "%", "hemoglobin", "ANC", "platelets", "creatinine", "ECOG", "age", "years", "asthma", "stroke", "HIV", "hepatitis", "B", "C", "malignancy", "lenalidomide", "bortezomib", "BCMA", "CAR-T", "radiotherapy", "surgery", "that", "who", "which", "must", "consent", "contraception", "women", "of", "childbearing", "potential", "grade", "NYHA", "III-IV", "toxicity", "recovered", "to", "adequate", "function", "severe", "active", "e.g.", "such", "as", "including", "1)", "2)", "\n -", "zeppelin"]
    ),
    max_size=40,
).map(" ".join)
KINDS = st.sampled_from(list(Kind))


def leaves(expression):
    match expression:
        case AllOf(parts) | AnyOf(parts) | AtLeast(_, parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield expression


@settings(max_examples=300, deadline=None)
@given(st.one_of(WORDS, st.text(max_size=200)), KINDS)
def test_any_text_compiles_to_the_same_expression_twice(text, kind):
    expression, assessable = compile_criterion(text, kind, ("multiple_myeloma",))
    assert (expression, assessable) == compile_criterion(text, kind, ("multiple_myeloma",))
    assert all(isinstance(e, Comparison | Presence | AtScreening | Unparsed) for e in leaves(expression))
    assert 0 <= coverage(text, expression) <= 1
    constraints(expression)


@settings(max_examples=200, deadline=None)
@given(st.one_of(WORDS, st.text(max_size=200)))
def test_plain_text_keeps_its_length_and_tokens_their_places(text):
    shown = plain(text)
    assert len(shown) == len(text)
    found = tokens(shown)
    assert all(a.end <= b.start for a, b in zip(found, found[1:], strict=False))
    assert all(a.start < a.end <= len(shown) for a in found)


@pytest.mark.parametrize("text", ["(" * 3000, "that " * 2000 + "asthma", "if " * 2000, "no " * 3000 + "asthma", "1" * 5000, "≥ " * 3000, "except asthma " * 1000, "a) " * 3000, "x" * 50_000, "None of the following:\n - (Asthma or stroke)\n - Cirrhosis"])
@pytest.mark.parametrize("kind", list(Kind))
def test_long_deep_or_odd_text_compiles(text, kind):
    compile_criterion(text, kind)


@settings(deadline=None)
@given(value=st.integers(1, 300), space=st.sampled_from(["", " ", "  "]), written=st.sampled_from([("<", "<"), ("\\<", "<"), ("<=", "<="), ("\\<=", "<="), ("≤", "<="), (">", ">"), ("\\>", ">"), (">=", ">="), ("\\>=", ">="), ("≥", ">=")]), kind=KINDS)
def test_spacing_and_escapes_never_turn_a_comparison(value, space, written, kind):
    sign, op = written
    expression, _ = compile_criterion(f"Platelets{space or ' '}{sign}{space}{value} x 10^9/L", kind)
    assert [(c["fact"], c["op"], c["value"]) for c in constraints(expression)] == [("platelets", op, value)]


@settings(deadline=None)
@given(low=st.integers(18, 40), width=st.integers(1, 50), form=st.sampled_from(["Age {0}-{1}", "Age {0} to {1} years", "Between {0} and {1} years of age", "≥ {0} and ≤ {1} years", "Aged {0} – {1}"]), kind=KINDS)
def test_a_range_has_two_sides(low, width, form, kind):
    expression, _ = compile_criterion(form.format(low, low + width), kind)
    assert [(c["fact"], c["op"], c["value"]) for c in constraints(expression)] == [("age", ">=", low), ("age", "<=", low + width)]


@pytest.mark.parametrize("condition", ["asthma", "cirrhosis", "psoriasis", "stroke", "HIV infection"])
def test_no_turns_a_presence_into_its_absence(condition):
    stated, _ = compile_criterion(condition, Kind.INCLUSION)
    denied, _ = compile_criterion(f"No {condition}", Kind.INCLUSION)
    assert denied == Not(stated)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["asthma", "quagmire zeppelin", "cirrhosis", "ventose blimp", "psoriasis"]), min_size=1, max_size=5, unique=True))
def test_no_word_is_lost(parts):
    text = ", ".join(parts)
    expression, _ = compile_criterion(text, Kind.EXCLUSION)
    kept = " ".join(e.text for e in leaves(expression) if isinstance(e, Unparsed))
    known = {e.value for e in leaves(expression) if isinstance(e, Presence)}
    for part in parts:
        assert part in known or all(re.search(rf"\b{word}\b", kept) for word in part.split())
