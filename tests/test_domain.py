"""The values every room shares."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.domain import PartialDate, Truth
from matcher.lexicon import Lexicon, fold


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024-02-11", date(2024, 2, 11), date(2024, 2, 11)),
    ],
)
def test_a_partial_date_spans_what_it_does_not_say(text, earliest, latest):
    when = PartialDate.parse(text)
    assert (str(when), when.earliest, when.latest) == (text, earliest, latest)


@pytest.mark.parametrize("text", ["2024-13", "2023-02-29", "2024-00-01"])
def test_a_date_that_does_not_exist_is_refused(text):
    with pytest.raises(ValueError):
        PartialDate.parse(text)


def test_negation_swaps_true_and_false_and_keeps_unknown():
    assert [~t for t in (Truth.TRUE, Truth.FALSE, Truth.UNKNOWN)] == [Truth.FALSE, Truth.TRUE, Truth.UNKNOWN]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Multiple-\nmyeloma", ["Multiple-\nmyeloma"]),
        ("RR MM, 3 mm lesion", ["MM"]),
        ("anti CD38 antibodies", ["anti CD38 antibodies"]),
        ("heart  failures", ["heart  failures"]),
        ("xheart failure", []),
        ("myelomatous", []),
    ],
)
def test_names_match_whole_words_however_spaced(text, found):
    lexicon = Lexicon([("multiple myeloma", 1), ("=MM", 1), ("anti-CD38 antibody", 2), ("heart failure", 3)])
    assert [text[h.start : h.end] for h in lexicon.find(text)] == found


@given(st.text())
def test_folding_keeps_every_offset(text):
    assert len(fold(text)) == len(text)


@given(st.text(alphabet="ab -c\n"))
def test_hits_are_ordered_and_do_not_overlap(text):
    hits = Lexicon([("a b", 1), ("b c", 2), ("a", 3), ("c-a", 4)]).find(text)
    assert all(left.end <= right.start for left, right in zip(hits, hits[1:], strict=False))
