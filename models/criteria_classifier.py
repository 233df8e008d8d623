"""What an eligibility item is about, and whether a note can settle it, by its words alone: for items that no rule reads.

Trained by models/training/criteria.py on models/training/criteria_examples.csv; docs/model-card-criteria.md has its figures.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import exp
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.artefacts import TRAINED, ArtefactError

CRITERIA = TRAINED / "criteria.json"
TOPICS = (
    "demographics", "disease", "disease_state", "performance_status", "laboratory", "organ_function", "prior_therapy", "concomitant_therapy",
    "infection", "comorbidity", "other_malignancy", "pregnancy_contraception", "consent_compliance", "logistics_or_other",
    "measurement_or_imaging", "allergy",
)
CLEAR = 0.3  # probability from which a topic is told; on the development items it is then right 9 times in 10
SET_ASIDE = 0.7  # probability from which an item counts as not assessable: a wrong one hides that it was not understood
READ = 1_500  # characters of an item that are looked at: its beginning tells what it is about
_WORD = re.compile(r"[^\W\d_]+|\d+|[<>≤≥=%×]")

Weights: TypeAlias = NDArray[np.float64]


def pieces(text: str) -> list[str]:
    """Words, pairs of words, and pieces of three to five letters of a word with its ends marked; every number is the same word."""
    words = ["0" if word[0].isdecimal() else word for word in _WORD.findall(text[:READ].lower())]
    found = [f"={word}" for word in words] + [f"={a} {b}" for a, b in pairwise(words)]
    for word in words:
        marked = f" {word} "
        found += [marked[i : i + n] for n in (3, 4, 5) for i in range(len(marked) - n + 1)]
    return found


@dataclass(frozen=True, slots=True)
class ItemReading:
    """`topic`: the likeliest of TOPICS, None where none is CLEAR. `assessable`: a note can settle the item."""

    assessable: bool
    topic: str | None


@dataclass(frozen=True, slots=True)
class CriteriaClassifier:
    """Two logistic regressions over the same TF-IDF. Columns of `weights` and `bias`: TOPICS, then assessable."""

    places: Mapping[str, int]  # piece -> row
    rarity: Weights  # inverse document frequency of each row
    weights: Weights
    bias: Weights

    @classmethod
    def read(cls, path: Path) -> CriteriaClassifier:
        """Raises OSError and ValueError where the file is missing or its rows do not fit TOPICS."""
        content = json.loads(path.read_text(encoding="utf-8"))
        table = np.array(list(content["pieces"].values()), dtype=np.float64) / content["scale"]
        bias = np.array(content["bias"], dtype=np.float64)
        if tuple(content["topics"]) != TOPICS or bias.shape != (len(TOPICS) + 1,) or table.shape[1:] != (len(TOPICS) + 2,):
            raise ValueError(f"{path}: the rows do not fit the topics")
        return cls({piece: at for at, piece in enumerate(content["pieces"])}, table[:, 0], table[:, 1:], bias)

    def classify(self, text: str) -> ItemReading:
        """Every text has an answer; one without a known piece is assessable, so that nothing is set aside unread."""
        counts = Counter(at for piece in pieces(text) if (at := self.places.get(piece)) is not None)
        if not counts:
            return ItemReading(True, None)
        rows = np.fromiter(counts.keys(), dtype=np.intp, count=len(counts))
        values = self.rarity[rows] * (1 + np.log(np.fromiter(counts.values(), dtype=np.float64, count=len(counts))))
        totals = self.bias + (values / np.linalg.norm(values)) @ self.weights[rows]
        powers = np.exp(totals[:-1] - totals[:-1].max())
        likeliest = int(np.argmax(powers))
        topic = TOPICS[likeliest] if powers[likeliest] / powers.sum() >= CLEAR else None
        return ItemReading(bool(1 / (1 + exp(totals[-1])) < SET_ASIDE), topic)


@lru_cache(maxsize=1)
def load_criteria_classifier() -> CriteriaClassifier:
    """Raises ArtefactError where the artefact is missing or damaged."""
    try:
        return CriteriaClassifier.read(CRITERIA)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtefactError(f"{CRITERIA} cannot be read ({type(error).__name__}); run `make train`") from None
