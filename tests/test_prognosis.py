"""How long the patient is expected to live, in words of the note."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher import read_note
from matcher.notes.document import Document
from matcher.notes.prognosis import read_life_expectancy


@pytest.mark.parametrize(("text", "days", "comparator"), [
    ("Life expectancy > 6 months.", 180, ">"),
    ("Life expectancy: at least 12 weeks", 84, ">="),
    ("Expected survival judged longer than 3 months.", 90, ">"),
    ("His life expectancy is 4-6 months.", 120, None),
    ("Prognosis is poor, in the order of two months.", 60, None),
    ("Prognosis of a few weeks, family informed.", 60, "<"),
    ("Estimated survival of weeks to 2-3 months.", 90, "<"),
    ("Palliative care estimates survival of \"days to weeks\".", 60, "<"),
    ("Estimated survival: weeks to a couple of months at best", 60, "<"),
    ("Life expectancy less than one year.", 365, "<"),
    ("Life expectancy of at least 3 months required for the study.", None, None),
    ("Prognosis: 5-year survival of 40 %.", None, None),
    ("Good prognosis. Follow-up in 3 months.", None, None),
    ("Prognosis guarded.", None, None),
])
def test_life_expectancy(text, days, comparator):
    found = read_note(text).life_expectancy_days
    assert (found and found.value, found and found.comparator) == (days, comparator)
    if found:
        assert all(text[e.start : e.end] == e.text for e in found.evidence)


@given(st.text(alphabet="life expectancy prognosis 3-weeks>mo,. \n", max_size=300))
def test_any_text_has_an_answer(text):
    found = read_life_expectancy(Document(text))
    assert found is None or found.value >= 0
