"""The trials of an installation: those that come with the program, and its own before them."""

from dataclasses import replace

from matcher import read_trials
from matcher.registry import Registry, bundled_trials
from tests.service.stack import SMALL_TRIAL
from workers.catalogue import Catalogue
from workers.settings import Settings


def test_it_begins_as_the_bundled_trials(tmp_path):
    catalogue = Catalogue(Settings(data_dir=tmp_path))
    assert [t.trial_id for t in catalogue.trials()] == sorted(t.trial_id for t in bundled_trials()) == list(catalogue.etags())


def test_an_own_trial_goes_before_a_bundled_one_and_is_seen_at_once(tmp_path):
    catalogue = Catalogue(Settings(data_dir=tmp_path))
    bundled = catalogue.trials()[0]
    before = catalogue.get(bundled.trial_id)
    Registry(tmp_path).put(replace(bundled, title="Ours"))
    after = catalogue.get(bundled.trial_id)
    assert (after[0].title, before[0].title != "Ours", after[1] != before[1]) == ("Ours", True, True)
    Registry(tmp_path).delete(bundled.trial_id)
    assert catalogue.get(bundled.trial_id) == before


def test_the_bundled_can_be_left_out(tmp_path):
    (small,) = read_trials(SMALL_TRIAL.encode(), "small.txt")
    Registry(tmp_path).put(small)
    catalogue = Catalogue(Settings(data_dir=tmp_path, bundled_trials=False))
    assert [t.trial_id for t in catalogue.trials()] == [small.trial_id]
    assert catalogue.trials([small.trial_id, "nonesuch"]) == catalogue.trials()


def test_an_index_is_kept_until_its_trials_change(tmp_path):
    catalogue = Catalogue(Settings(data_dir=tmp_path))
    every, first = catalogue.index(), catalogue.trials()[0]
    named = catalogue.index([first.trial_id])
    assert (every.trials, named.trials) == (catalogue.trials(), (first,))
    assert catalogue.index() is every
    assert catalogue.index([first.trial_id]) is named
    Registry(tmp_path).put(replace(first, title="Ours"))
    assert catalogue.index().trials == catalogue.trials() != every.trials
