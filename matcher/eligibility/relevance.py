"""Which trials are about this patient: an index of what trials are about, and how near a patient is to each.

The vector space model (Salton & Buckley, Inf Process Manag 1988;24:513) twice, over conditions and over words; docs/ranking.md.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import log
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from matcher.domain import Expression, Kind, PatientProfile, Presence, Status, Trial
from matcher.eligibility.chart import Chart
from matcher.expressions import atoms
from matcher.trials.population import conditions_named
from models import load_vocabulary

Numbers: TypeAlias = NDArray[np.float32] | NDArray[np.float64]

_WORD = re.compile(r"[^\W\d_]{4,}")  # most function words are shorter; short names of diseases are read as conditions
# How often a word of each part of a trial counts: its title says what it is about, its criteria name much beside.
_TITLE, _SUMMARY, _CRITERION = 4, 2, 1
_TOLD = {Status.PRESENT: 1.0, Status.HISTORICAL: 0.5, Status.POSSIBLE: 0.5}
# A disease is what a note is about; findings and states go with many.
_WEIGHT = {"malignancy": 1.0, "chronic": 1.0, "acute": 1.0, "event": 0.5, "group": 0.5, "finding": 0.25, "state": 0.25}


@dataclass(frozen=True, slots=True)
class _Space:
    """Terms by trials: the trials of each term, a slice of `rows` from its `begins` on, with their weights there.

    A weight is (1 + log count) × rarity, over the length of the trial's vector; rarity is log(1 + trials / trials with the term).
    """

    places: Mapping[str, int]
    rarity: Numbers
    begins: NDArray[np.int64]
    rows: NDArray[np.int32]
    weights: Numbers
    size: int

    @classmethod
    def of(cls, counted: Iterable[Mapping[str, int]]) -> _Space:
        places: dict[str, int] = {}
        cells = array("q")  # term, trial, count; term, trial, count ...
        size = 0
        for counts in counted:
            for term, n in counts.items():
                cells.extend((places.setdefault(term, len(places)), size, n))
            size += 1
        table = np.frombuffer(cells, dtype=np.int64).reshape(-1, 3)
        terms, rows, times = table[np.argsort(table[:, 0], kind="stable")].T
        with_term = np.bincount(terms, minlength=len(places))
        rarity = np.log1p(size / with_term)
        weights = (1 + np.log(times)) * rarity[terms]
        weights /= np.sqrt(np.bincount(rows, weights**2, size))[rows]
        return cls(places, rarity, np.concatenate(([0], np.cumsum(with_term))), rows.astype(np.int32), weights.astype(np.float32), size)

    def nearness(self, asked: Mapping[str, float]) -> Numbers:
        """The cosine of each trial with what is asked, 0 to 1; terms that no trial has are passed over."""
        wanted = {place: weight * self.rarity[place] for term, weight in asked.items() if (place := self.places.get(term)) is not None}
        near = np.zeros(self.size)
        for place, weight in wanted.items():
            of_term = slice(self.begins[place], self.begins[place + 1])
            near[self.rows[of_term]] += weight * self.weights[of_term]
        length = np.sqrt(sum(weight**2 for weight in wanted.values()))
        return near / length if length else near


@dataclass(frozen=True, slots=True)
class TrialIndex:
    """Trials with what each is about. Made once, used for many patients."""

    trials: tuple[Trial, ...]
    diseases: tuple[frozenset[str], ...]  # of each trial, as its population names them
    conditions: _Space
    words: _Space

    @classmethod
    def of(cls, trials: Iterable[Trial]) -> TrialIndex:
        trials = tuple(trials)
        return cls(trials, tuple(frozenset(_diseases(t.disease)) for t in trials), _Space.of(map(_conditions_of, trials)), _Space.of(map(_words_of, trials)))

    def relevance(self, chart: Chart) -> list[float]:
        """How much each trial is about the patient, 0 to 1: 1 where its disease is a malignancy the patient has now, a kind of it
        or its kind; else the mean of two cosines, of the conditions with those that the trial names, and of the words."""
        near = (self.conditions.nearness(_conditions_told(chart)) + self.words.nearness(_words_told(chart.profile))) / 2
        own = _same(chart)
        return [round(min(n, 1.0), 6) if own.isdisjoint(diseases) else 1.0 for n, diseases in zip(near.tolist(), self.diseases, strict=True)]


def _parts(trial: Trial) -> Iterator[tuple[str, int]]:
    """What the document says the trial is about, with how often a word there counts."""
    yield f"{trial.title}. {'; '.join(trial.condition_names)}. {'; '.join(trial.interventions)}", _TITLE
    yield trial.summary or "", _SUMMARY
    yield "\n".join(c.text for c in trial.criteria if c.kind is Kind.INCLUSION), _CRITERION


def _conditions_of(trial: Trial) -> Counter[str]:
    """The conditions named, each with every kind above it."""
    ancestors, found = load_vocabulary().ancestors, Counter[str]()
    for text, times in _parts(trial):
        for condition, n in Counter(conditions_named(text)).items():
            for kind in sorted(ancestors(condition)):  # sums in the same order each time
                found[kind] += times * n
    return found


def _words_of(trial: Trial) -> Counter[str]:
    found = Counter[str]()
    for text, times in _parts(trial):
        for word, n in Counter(_words(text)).items():
            found[word] += times * n
    return found


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _conditions_told(chart: Chart) -> dict[str, float]:
    """The patient's own conditions with every kind above them: a disease before a finding, and what is said often before what is
    said once. What the note denies, or says of a relative, attracts nothing."""
    vocabulary, told = chart.vocabulary, dict[str, float]()
    for fact in chart.profile.conditions:
        if fact.id in vocabulary.conditions and fact.status in _TOLD:
            weight = _TOLD[fact.status] * _WEIGHT[vocabulary.conditions[fact.id].course] * (1 + log(max(1, len(fact.evidence))))
            for kind in sorted(vocabulary.ancestors(fact.id)):
                told[kind] = max(weight, told.get(kind, 0))
    return told


def _words_told(profile: PatientProfile) -> dict[str, float]:
    """The words of the note, without the conditions that are not the patient's."""
    text = profile.text
    for fact in profile.conditions:
        if fact.status not in _TOLD:
            for e in fact.evidence:
                text = f"{text[: e.start]}{' ' * (e.end - e.start)}{text[e.end :]}"
    return {word: 1 + log(n) for word, n in Counter(_words(text)).items()}


def _same(chart: Chart) -> frozenset[str]:
    """The malignancies the patient has now, their kinds, and what they are kinds of; a group ("cancer") stands for none of its kinds."""
    vocabulary = chart.vocabulary
    named = [c for c in chart.primaries if vocabulary.conditions[c].course != "group"]
    return frozenset[str]().union(*(vocabulary.ancestors(c) | vocabulary.descendants(c) for c in named))


def _diseases(disease: Expression | None) -> Iterator[str]:
    return (a.value for a in atoms(disease) if isinstance(a, Presence) and a.fact == "disease") if disease else iter(())
