"""The trials of this installation: those that come with the program, and its own registry, which goes before them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version

from matcher import TrialIndex
from matcher.domain import Trial
from matcher.registry import Registry, RegistryError, bundled_trials
from matcher.registry.store import BUNDLED
from workers.settings import Settings


class Catalogue:
    """Compiled trials by id, read again when the registry has changed. An own trial replaces a bundled one of the same id."""

    def __init__(self, settings: Settings) -> None:
        self.own = Registry(settings.data_dir)
        self._bundled = _bundled_etags() if settings.bundled_trials else {}
        self._seen: dict[str, str] | None = None
        self._trials: dict[str, Trial] = {}
        self._indexes: list[TrialIndex] = []  # the last two in use: all trials, and those a job named

    def etags(self) -> dict[str, str]:
        """Every id, in order, with the etag that changes when the trial does."""
        return dict(sorted((self._bundled | self.own.etags()).items()))

    def trials(self, ids: Sequence[str] | None = None) -> tuple[Trial, ...]:
        """The named trials, or all. A trial that was deleted since it was named is left out."""
        known = self._known()
        return tuple(known.values()) if ids is None else tuple(known[i] for i in ids if i in known)

    def index(self, ids: Sequence[str] | None = None) -> TrialIndex:
        """The named trials, or all, ready to be matched."""
        trials = self.trials(ids)
        index = next((known for known in self._indexes if known.trials == trials), None) or TrialIndex.of(trials)
        self._indexes = [index, *(known for known in self._indexes if known is not index)][:2]
        return index

    def get(self, trial_id: str) -> tuple[Trial, str]:
        """A trial and its etag. Raises RegistryError where there is none."""
        etag = self.etags().get(trial_id)
        trial = self._known().get(trial_id)
        if etag is None or trial is None:
            raise RegistryError(f"{trial_id}: no such trial")
        return trial, etag

    def _known(self) -> dict[str, Trial]:
        etags = self.own.etags()
        if etags != self._seen:
            bundled = bundled_trials() if self._bundled else ()  # seconds of compiling
            known = {t.trial_id: t for t in bundled} | {t.trial_id: t for t in self.own.trials()}
            self._trials, self._seen = dict(sorted(known.items())), etags
        return self._trials


@cache
def _bundled_etags() -> dict[str, str]:
    """Of the document and the program that reads it: compiling the trials takes seconds, and to list them needs none."""
    lines = BUNDLED.read_text(encoding="utf-8").splitlines()
    return {json.loads(line)["id"]: hashlib.sha256((version("eligo") + line).encode()).hexdigest()[:16] for line in lines if line.strip()}
