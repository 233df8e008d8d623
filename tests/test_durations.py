"""How long a complaint has lasted, in words beside it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher import read_note
from matcher.notes.durations import lasted


@pytest.mark.parametrize(("text", "complaint", "days"), [
    ("He has had fever and chills for 3 days.", "fever", 3),
    ("Fever up to 39.5 C and rigors for 3 days.", "Fever", 3),
    ("Brought in with six days of spiking fever and rash.", "fever", 6),
    ("A 3-week history of dry cough.", "cough", 21),
    ("Vertigo that had started 2 hours before admission.", "Vertigo", 0.083),
    ("Hoarseness for the past two years.", "Hoarseness", 730),
    ("Diarrhoea of 4 weeks duration.", "Diarrhoea", 28),
    ("Headache x 3 days", "Headache", 3),
    ("Cough treated with amoxicillin for 5 days.", "Cough", None),
    ("Fever after a vacation of 10 days.", "Fever", None),
    ("Palpitations. For 3 days he has also been dizzy.", "Palpitations", None),
    ("A fever on two occasions", "fever", None),
])
def test_durations(text, complaint, days):
    start = text.index(complaint)
    assert lasted(text.lower(), start, start + len(complaint), (0, len(text))) == days


def test_a_fact_tells_its_duration():
    facts = read_note("A 40-year-old man with fever for 5 days. No rash for 2 years.").conditions
    assert {f.id: dict(f.qualifiers).get("duration") for f in facts} == {"fever": "5", "rash": None}


@given(st.text(alphabet="fever for 3 days of,.;\n", max_size=200), st.integers(0, 200), st.integers(0, 200))
def test_any_place_of_any_text_has_an_answer(text, one, other):
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    assert lasted(text.lower(), start, end, (0, len(text))) is None or lasted(text.lower(), start, end, (0, len(text))) > 0
