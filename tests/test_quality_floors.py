"""The quality reached on the development data; no later change lowers it unnoticed. Skipped where ../shared is missing."""

import pytest

from tests import reference

pytestmark = reference.needs_reference


@pytest.fixture(scope="module")
def extracted():
    return reference.extraction()


@pytest.fixture(scope="module")
def matched():
    return reference.criteria()


@pytest.mark.parametrize(("figure", "floor"), [("facts micro-F1", 0.97), ("single-value accuracy", 0.985)])
def test_what_the_notes_say(extracted, figure, floor):
    assert reference.figure(extracted, figure) >= floor


@pytest.mark.parametrize("danger", ["exposed to BCMA but called naive", "evidence spans that do not match the note"])
def test_what_must_never_happen(extracted, danger):
    assert reference.figure(extracted, danger) == 0


def test_criteria_of_the_seed_trials(matched):
    assert reference.figure(matched, "settled-criterion F1") >= 0.92
    assert reference.figure(matched, "accuracy") >= 0.915
    assert reference.figure(matched, "flipped") <= 24
    assert reference.figure(matched, "evidence spans that do not match the note") == 0


@pytest.mark.parametrize(
    ("table", "figure", "floor"),
    [
        (reference.spans, "F1", 0.96),
        (reference.numeric, "F1", 0.85),
        (reference.constraints, "constraints F1", 0.92),
        (reference.pairs, "accuracy", 0.76),
        (reference.understanding, "share whole", 0.85),
    ],
    ids=["negation", "numeric criteria", "atomic statements", "criterion pairs", "logic of criteria"],
)
def test_other_reference_data(table, figure, floor):
    assert reference.figure(table(), figure) >= floor
