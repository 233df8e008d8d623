"""Limits that criteria leave unsaid, as data."""

import pytest

from models import load_vocabulary
from models.limits import load_limits


@pytest.mark.parametrize(("test", "limit"), [("alt", 40), ("ast", 40), ("total_bilirubin", 1.2), ("creatinine", 1.2)])
def test_upper_limits_of_normal_in_general_use(test, limit):
    assert load_vocabulary().tests[test].uln == limit


def test_every_organ_has_limits_and_each_limit_an_order():
    for organ in load_limits().organs.values():
        assert organ.limits
        for limit in organ.limits:
            steps = [limit.normal, limit.moderate, limit.severe]
            assert steps == sorted(steps, reverse=limit.side == "below")


def test_an_organ_is_asked_by_its_own_names_only():
    asked = [name for organ in load_limits().organs.values() for name in organ.asked_as]
    assert len(asked) == len(set(asked))
