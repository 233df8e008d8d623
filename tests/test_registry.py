"""The registry keeps trials, and a curator's corrections through re-import."""

from dataclasses import replace

import pytest

from matcher.domain import Comparison
from matcher.registry import Registry, RegistryError, bundled_trials
from matcher.registry.store import logic_file


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path)


@pytest.fixture
def trial():
    return bundled_trials()[0]


AGE = """
- id: I2
  logic: {fact: age, op: '>=', value: 21, unit: a}
"""


def test_the_bundled_trials_are_the_five_seeds_restated():
    assert [(t.trial_id, len(t.criteria)) for t in bundled_trials()] == [("SOOCHOW-CT0591CP", 35), ("CT071", 0), ("XINQIAO-BCMA", 33), ("NCT03473496", 19), ("CHANGZHENG-BCMA", 0)]


def test_what_is_put_is_got(registry, trial):
    registry.put(trial)
    assert registry.get(trial.trial_id) == trial
    assert registry.trials() == (trial,)
    assert list(registry.etags()) == [trial.trial_id]


def test_an_etag_changes_with_the_trial_and_only_then(registry, trial):
    first = registry.put(trial)
    assert registry.put(trial) == first
    assert registry.put(replace(trial, title="another")) != first


def test_a_correction_replaces_the_parse_and_survives_reimport(registry, trial):
    registry.put(trial)
    before = registry.etags()[trial.trial_id]
    registry.correct(trial.trial_id, AGE)
    registry.put(trial)
    corrected = registry.get(trial.trial_id)
    assert corrected.criteria[1].expression == Comparison("age", ">=", 21, "a")
    assert corrected.criteria[0] == trial.criteria[0]
    assert registry.etags()[trial.trial_id] != before
    registry.correct(trial.trial_id, "")
    assert registry.get(trial.trial_id) == trial


def test_a_correction_of_another_wording_is_set_aside_with_a_notice(registry, trial):
    registry.put(trial)
    registry.correct(trial.trial_id, AGE + f"  text: {trial.criteria[1].text}")
    amended = replace(trial, criteria=tuple(replace(c, text="Age 30 or older") if c.id == "I2" else c for c in trial.criteria))
    registry.put(amended)
    found = registry.get(trial.trial_id)
    assert found.criteria[1] == amended.criteria[1]
    assert found.notices == (*trial.notices, "I2 was corrected for another wording; the correction is set aside until it is checked.")


def test_the_logic_file_reads_back_as_it_stands(registry, trial):
    registry.put(trial)
    assert registry.correct(trial.trial_id, logic_file(trial)) == trial


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[", "no YAML"),
        ("id: I2", "a list of"),
        ("- {id: I99, logic: {unparsed: x}}", "no criterion I99"),
        ("- {id: I2, logic: {fact: age, op: '~', value: 1}}", "I2.op"),
    ],
)
def test_a_correction_that_does_not_fit_is_refused(registry, trial, written, said):
    registry.put(trial)
    with pytest.raises(RegistryError, match=said):
        registry.correct(trial.trial_id, written)
    assert registry.get(trial.trial_id) == trial


def test_a_trial_that_is_not_there(registry):
    for call in (registry.get, registry.delete):
        with pytest.raises(RegistryError, match="eligo trials list"):
            call("NCT99999999")


def test_a_deleted_trial_is_gone(registry, trial):
    registry.put(trial)
    registry.delete(trial.trial_id)
    assert registry.trials() == ()
