"""The trained artefacts of models/trained, read from disk when first asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language

TRAINED = Path(__file__).parent / "trained"
RECOGNITION = TRAINED / "recognition"
NAMES = TRAINED / "names.json"
NAME_KINDS = ("agent", "medicine", "other")


class ArtefactError(ValueError):
    """A trained artefact or a pipeline that a user names cannot be loaded; the message says what to do."""


def grams(word: str) -> list[str]:
    """The pieces of two to five letters of a word, with its beginning and end marked."""
    marked = f"<{word.lower()}>"
    return [marked[i : i + n] for n in (2, 3, 4, 5) for i in range(len(marked) - n + 1)]


@dataclass(frozen=True, slots=True)
class NameModel:
    """Weights of letters for each of NAME_KINDS."""

    bias: tuple[float, ...]
    weights: Mapping[str, tuple[float, ...]]

    @classmethod
    def read(cls, path: Path) -> NameModel:
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(tuple(content["bias"]), {gram: tuple(w) for gram, w in content["weights"].items()})

    def probabilities(self, word: str) -> tuple[float, ...]:
        """Of each of NAME_KINDS, by the letters of the word alone."""
        totals = list(self.bias)
        for gram in set(grams(word)):
            if (found := self.weights.get(gram)) is not None:
                totals = [t + w for t, w in zip(totals, found, strict=True)]
        top = max(totals)
        powers = [exp(t - top) for t in totals]
        return tuple(p / sum(powers) for p in powers)


@lru_cache(maxsize=1)
def load_name_model() -> NameModel:
    """Raises ArtefactError where the artefact is missing."""
    try:
        return NameModel.read(NAMES)
    except OSError:
        raise ArtefactError(f"{NAMES} is missing; run `make train`") from None


@lru_cache(maxsize=4)
def load_pipeline(name: str | Path = RECOGNITION) -> Language:
    """A spaCy pipeline: ours, or one by the name of its package or by its path. Raises ArtefactError."""
    import spacy  # one second of start-up, which notes without unknown names are spared

    try:
        return spacy.load(name)
    except (OSError, ValueError, ImportError) as error:
        remedy = "run `make train`" if name == RECOGNITION else "install that package, or give the path of a folder that spaCy wrote"
        raise ArtefactError(f'the spaCy pipeline "{name}" cannot be loaded ({type(error).__name__}); {remedy}') from None
