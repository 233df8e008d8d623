"""Limits that a criterion leaves unsaid: of organ function, and of findings that a lab value makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from models.vocabulary import VocabularyError, load_vocabulary, many, read_rows


@dataclass(frozen=True, slots=True)
class OrganLimit:
    """One test of an organ. `side`: the side of the limits that is bad (above, below). `relative`: limits are multiples of
    the upper limit of normal. Beyond `definite` the organ is inadequate for any trial. Tests of one `set` stand for each other."""

    test: str
    set: str
    side: str
    relative: bool
    normal: float
    moderate: float
    severe: float
    definite: float


@dataclass(frozen=True, slots=True)
class Organ:
    """`asked_as`: condition ids that ask for its dysfunction; `diseases` put normal tests in doubt; `failing` mean failure."""

    id: str
    name: str
    asked_as: tuple[str, ...]
    diseases: tuple[str, ...]
    failing: tuple[str, ...]
    limits: tuple[OrganLimit, ...]


@dataclass(frozen=True, slots=True)
class LabFinding:
    """A condition that is a lab value beyond a limit, in the test's canonical unit. `sex`: "" for both."""

    condition: str
    sex: str
    test: str
    side: str
    limit: float


@dataclass(frozen=True, slots=True)
class Limits:
    organs: Mapping[str, Organ]  # by id
    organ_asked: Mapping[str, Organ]  # by the condition that asks for its dysfunction
    findings: Mapping[str, tuple[LabFinding, ...]]  # by condition
    weights: tuple[tuple[float, float, float], ...]  # (age in years from, low kg, high kg), ages ascending from 0

    def weight(self, age: float) -> tuple[float, float]:
        """The body weights in kg of nearly everybody of an age in years."""
        return next((low, high) for start, low, high in reversed(self.weights) if age >= start)


def _number(where: str, column: str, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise VocabularyError(f'{where}, column {column}: "{cell}" is not a number') from None


def _side(where: str, cell: str) -> str:
    if cell not in ("above", "below"):
        raise VocabularyError(f'{where}, column side: "{cell}" is neither above nor below')
    return cell


def _known(where: str, concept: str, *tables: Mapping[str, object]) -> str:
    if not any(concept in table for table in tables):
        raise VocabularyError(f'{where}: "{concept}" is not in the vocabulary; add its row first')
    return concept


def _organ_limits() -> dict[str, list[OrganLimit]]:
    limits: dict[str, list[OrganLimit]] = {}
    for where, row in read_rows("organ_limits.csv"):
        if row["scale"] not in ("uln", "1"):
            raise VocabularyError(f'{where}, column scale: "{row["scale"]}" is neither uln nor 1')
        normal, moderate, severe, definite = (_number(where, c, row[c]) for c in ("normal", "moderate", "severe", "definite"))
        ordered = normal <= moderate <= severe if row["side"] == "above" else normal >= moderate >= severe
        if not ordered:
            raise VocabularyError(f"{where}: normal, moderate and severe must lie in that order on the side {row['side']}")
        limit = OrganLimit(_known(where, row["test"], load_vocabulary().tests), row["set"], _side(where, row["side"]), row["scale"] == "uln", normal, moderate, severe, definite)
        limits.setdefault(row["organ"], []).append(limit)
    return limits


def _weights() -> tuple[tuple[float, float, float], ...]:
    bands: list[tuple[float, float, float]] = []
    for where, row in read_rows("body_weight.csv"):
        start, low, high = (_number(where, column, row[column]) for column in ("age_from", "low", "high"))
        if low >= high or row["unit"] != "kg" or (start != 0 and (not bands or start <= bands[-1][0])):
            raise VocabularyError(f"{where}: bands are in kg, low below high, with ages ascending from 0")
        bands.append((start, low, high))
    return tuple(bands)


@lru_cache(maxsize=1)
def load_limits() -> Limits:
    """The limit tables of models/resources. Raises VocabularyError with file, line and remedy."""
    vocabulary, organ_limits = load_vocabulary(), _organ_limits()
    organs = {}
    for where, row in read_rows("organs.csv"):
        if row["organ"] not in organ_limits:
            raise VocabularyError(f'{where}: "{row["organ"]}" has no row in organ_limits.csv')
        for concept in (*many(row["diseases"]), *many(row["failing"])):
            _known(where, concept, vocabulary.conditions, vocabulary.therapies)
        organs[row["organ"]] = Organ(row["organ"], row["name"], many(row["asked_as"]), many(row["diseases"]), many(row["failing"]),
                                     tuple(organ_limits[row["organ"]]))
    findings: dict[str, list[LabFinding]] = {}
    for where, row in read_rows("lab_findings.csv"):
        condition, test = _known(where, row["condition"], vocabulary.conditions), _known(where, row["test"], vocabulary.tests)
        found = LabFinding(condition, row["sex"], test, _side(where, row["side"]), _number(where, "limit", row["limit"]))
        findings.setdefault(found.condition, []).append(found)
    return Limits(
        organs=MappingProxyType(organs),
        organ_asked=MappingProxyType({asked: organ for organ in organs.values() for asked in organ.asked_as}),
        findings=MappingProxyType({condition: tuple(rows) for condition, rows in findings.items()}),
        weights=_weights(),
    )
