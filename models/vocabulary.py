"""The vocabulary: typed rows of models/resources, checked when loaded. Imports nothing of ours.

A new drug, lab or condition is a new row. Loading raises VocabularyError naming file, line and remedy.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

RESOURCES = Path(__file__).parent / "resources"


class VocabularyError(ValueError):
    """A row of models/resources that breaks a rule."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A disease, finding or state. `course`: chronic acute event finding state malignancy group."""

    id: str
    name: str
    aliases: tuple[str, ...]
    parents: tuple[str, ...]
    icd10cm: str
    snomed: str
    course: str
    source: str


@dataclass(frozen=True, slots=True)
class Drug:
    """`id` is the INN. `classes` and `targets` are ids of therapies."""

    id: str
    aliases: tuple[str, ...]
    classes: tuple[str, ...]
    targets: tuple[str, ...]
    modality: str
    antineoplastic: bool
    rxnorm: str
    atc: str
    source: str


@dataclass(frozen=True, slots=True)
class Therapy:
    """A class, target, modality, procedure or group of treatments."""

    id: str
    name: str
    aliases: tuple[str, ...]
    parents: tuple[str, ...]
    kind: str
    source: str


@dataclass(frozen=True, slots=True)
class Regimen:
    id: str
    aliases: tuple[str, ...]
    drugs: tuple[str, ...]
    transplant: str
    source: str


@dataclass(frozen=True, slots=True)
class Test:
    """A lab, vital sign or score. `unit`: canonical UCUM. `low`..`high`: plausible values in it; `lln`, `uln`: adult
    reference limits, where one is in general use. `molar_mass` (g/mol) lets mol convert to g."""

    id: str
    name: str
    aliases: tuple[str, ...]
    kind: str
    unit: str
    loinc: str
    low: float
    high: float
    lln: float | None
    uln: float | None
    molar_mass: float | None
    source: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A UCUM unit. Units of one `dimension` convert by the ratio of their magnitudes (temperature excepted: it has an offset)."""

    ucum: str
    dimension: str
    magnitude: float


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """One reading of an ambiguous short form; the first row of a form whose context holds is the reading."""

    short: str
    table: str
    id: str
    when: tuple[str, ...]
    unless: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Stem:
    """The end of a nonproprietary name, and the therapies that an agent of such a name is one of."""

    suffix: str
    classes: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Marker:
    """A receptor, antigen, mutation, fusion ... of the malignant cells: what a note reports as there or not.

    `aliases` need a word or sign that says which; `positive` and `negative` say it themselves. `positive_from`: the percentage
    or immunohistochemical score ("3+") from which it counts as positive. `positive_in`, `negative_in`: conditions and markers
    that are so by definition. `union`: nothing but its kinds, so that it is not there where none of them is.
    """

    id: str
    name: str
    aliases: tuple[str, ...]
    kind: str
    parents: tuple[str, ...]
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    positive_from: str
    positive_in: tuple[str, ...]
    negative_in: tuple[str, ...]
    union: bool
    source: str

    @property
    def fact(self) -> str:
        """The id of the finding in a profile: `her2_positive`, `kras_g12c`."""
        return f"{self.id}_positive" if self.kind in PROTEINS else self.id

    def said(self, there: bool) -> str:
        """How a clinician says the finding: HER2 negative, no EGFR mutation, MSI-high."""
        if self.kind in PROTEINS:
            return f"{self.name} {'positive' if there else 'negative'}"
        return self.name if there else f"{'not' if self.kind in LEVELS else 'no'} {self.name}"


@dataclass(frozen=True, slots=True)
class MarkerCue:
    """A word beside a marker. `role`: positive, negative, altered (there unless denied), query, open, therapy, link.
    `kinds`: of the markers it can be said of; () for all."""

    role: str
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    conditions: Mapping[str, Condition]
    drugs: Mapping[str, Drug]
    therapies: Mapping[str, Therapy]
    regimens: Mapping[str, Regimen]
    tests: Mapping[str, Test]
    units: Mapping[str, str]  # spelling -> UCUM; a spelling that begins with `=` holds only as written
    ucum: Mapping[str, Unit]
    abbreviations: tuple[Abbreviation, ...] = field(default=())
    stems: tuple[Stem, ...] = field(default=())  # longer suffixes first
    markers: Mapping[str, Marker] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def findings(self) -> Mapping[str, Marker]:
        """The markers by the id that their finding has in a profile."""
        return {m.fact: m for m in self.markers.values()}

    def ancestors(self, concept: str) -> frozenset[str]:
        """The concept itself and all that is more general: of a condition, a therapy, or a drug (through its classes).
        Of an agent that no table lists, what its name tells."""
        found = self._ancestors.get(concept)
        return found if found is not None else frozenset({concept}).union(*(self._ancestors[c] for c in self.classes_by_name(concept)))

    def classes_by_name(self, agent: str) -> tuple[str, ...]:
        """The classes that the stem of an unlisted agent's name tells; () where it tells none ("ct-0596")."""
        for part in dict.fromkeys((agent, *agent.split()[:1])):
            for stem in self.stems:
                if part.endswith(stem.suffix) and len(part) > len(stem.suffix) + 1:
                    return stem.classes
        return ()

    def is_a(self, concept: str, general: str) -> bool:
        return general in self.ancestors(concept)

    def descendants(self, concept: str) -> frozenset[str]:
        """The concept itself and all that is more special, drugs included."""
        return self._descendants.get(concept, frozenset({concept}))

    @cached_property
    def _ancestors(self) -> Mapping[str, frozenset[str]]:
        parents: dict[str, tuple[str, ...]] = {c.id: c.parents for c in self.conditions.values()}
        parents |= {t.id: t.parents for t in self.therapies.values()}
        parents |= {d.id: (*d.classes, *d.targets) for d in self.drugs.values()}
        parents |= {m.fact: tuple(self.markers[p].fact if p in self.markers else p for p in m.parents) for m in self.markers.values()}
        closed: dict[str, frozenset[str]] = {}

        def close(concept: str, path: tuple[str, ...]) -> frozenset[str]:
            if concept in path:
                raise VocabularyError(f"{' > '.join((*path, concept))}: a concept cannot be its own ancestor; remove one parent")
            if concept not in closed:
                above = (close(p, (*path, concept)) for p in parents.get(concept, ()))
                closed[concept] = frozenset({concept}).union(*above)
            return closed[concept]

        for concept in parents:
            close(concept, ())
        return closed

    @cached_property
    def _descendants(self) -> Mapping[str, frozenset[str]]:
        below: dict[str, set[str]] = {}
        for concept, above in self._ancestors.items():
            for general in above:
                below.setdefault(general, set()).add(concept)
        return {general: frozenset(special) for general, special in below.items()}


COURSES = {"chronic", "acute", "event", "finding", "state", "malignancy", "group"}
PROTEINS = frozenset({"receptor", "antigen", "expression"})
LEVELS = frozenset({"instability", "level"})
MARKER_KINDS = PROTEINS | LEVELS | {"mutation", "fusion", "alteration", "aberration"}
CUE_ROLES = {"positive", "negative", "altered", "query", "open", "therapy", "link"}
THERAPY_KINDS = {"class", "target", "modality", "procedure", "group"}


def read_rows(name: str) -> Iterator[tuple[str, dict[str, str]]]:
    path = RESOURCES / name
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        for row in reader:
            where = f"{name} line {reader.line_num}"
            if None in row or None in row.values():
                raise VocabularyError(f"{where}: {len(reader.fieldnames or ())} columns are wanted; quote a field that holds a comma")
            if not row["source"].strip():
                raise VocabularyError(f"{where}: column source is empty; say where the row comes from")
            yield where, {key: value.strip() for key, value in row.items()}


def many(cell: str) -> tuple[str, ...]:
    """The entries of a cell that lists several, set apart by "|"."""
    return tuple(part.strip() for part in cell.split("|") if part.strip())


def _number(where: str, column: str, cell: str) -> float | None:
    try:
        return float(cell) if cell else None
    except ValueError:
        raise VocabularyError(f'{where}, column {column}: "{cell}" is not a number') from None


Row = TypeVar("Row", Condition, Drug, Therapy, Regimen, Test, Marker)


def _table(name: str, build: Callable[[str, dict[str, str]], Row]) -> Mapping[str, Row]:
    table: dict[str, Row] = {}
    owner: dict[str, str] = {}
    for where, row in read_rows(name):
        built: Row = build(where, row)
        if built.id in table:
            raise VocabularyError(f'{where}: the id "{built.id}" has a row already; merge the two')
        table[built.id] = built
        said: tuple[str, ...] = (*built.positive, *built.negative) if isinstance(built, Marker) else (getattr(built, "name", built.id),)
        names = {alias_key(a) for a in (*built.aliases, *said)}
        for key in names:
            if owner.setdefault(key, built.id) != built.id:
                raise VocabularyError(f'{where}: the alias "{key}" belongs to "{owner[key]}" too; keep it in one row')
    return MappingProxyType(table)


def alias_key(alias: str) -> str:
    """What makes two aliases the same: letter case, spacing and hyphens do not, unless the alias is exact (`=`)."""
    return alias if alias.startswith("=") else re.sub(r"[\s\-\u2010-\u2015]+", " ", alias).strip().casefold()


def _known(where: str, column: str, ids: tuple[str, ...], table: Mapping[str, object]) -> tuple[str, ...]:
    for concept in ids:
        if concept not in table:
            near = get_close_matches(concept, table, n=1)
            hint = f'; did you mean "{near[0]}"?' if near else "; add its row first"
            raise VocabularyError(f'{where}, column {column}: "{concept}" is not known{hint}')
    return ids


def _condition(where: str, row: dict[str, str]) -> Condition:
    if row["course"] not in COURSES:
        raise VocabularyError(f'{where}, column course: "{row["course"]}" is none of {", ".join(sorted(COURSES))}')
    return Condition(row["id"], row["name"], many(row["aliases"]), many(row["parents"]), row["icd10cm"], row["snomed"], row["course"], row["source"])


def _drug(where: str, row: dict[str, str]) -> Drug:
    if row["antineoplastic"] not in ("yes", "no"):
        raise VocabularyError(f'{where}, column antineoplastic: "{row["antineoplastic"]}" is neither yes nor no')
    return Drug(row["id"], many(row["aliases"]), many(row["classes"]), many(row["targets"]), row["modality"],
                row["antineoplastic"] == "yes", row["rxnorm"], row["atc"], row["source"])


def _therapy(where: str, row: dict[str, str]) -> Therapy:
    if row["kind"] not in THERAPY_KINDS:
        raise VocabularyError(f'{where}, column kind: "{row["kind"]}" is none of {", ".join(sorted(THERAPY_KINDS))}')
    return Therapy(row["id"], row["name"], many(row["aliases"]), many(row["parents"]), row["kind"], row["source"])


def _marker(where: str, row: dict[str, str]) -> Marker:
    if row["kind"] not in MARKER_KINDS:
        raise VocabularyError(f'{where}, column kind: "{row["kind"]}" is none of {", ".join(sorted(MARKER_KINDS))}')
    if not re.fullmatch(r"(?:\d+%|[1-3]\+)?", row["positive_from"]):
        raise VocabularyError(f'{where}, column positive_from: a percentage ("1%") or a score ("3+") is wanted')
    lists = {column: many(row[column]) for column in ("aliases", "parents", "positive", "negative", "positive_in", "negative_in")}
    return Marker(id=row["id"], name=row["name"], kind=row["kind"], positive_from=row["positive_from"], union=row["union"] == "yes", source=row["source"], **lists)


def load_marker_cues() -> Iterator[tuple[str, MarkerCue]]:
    """(phrase, cue) of marker_cues.csv. Raises VocabularyError with file, line and remedy."""
    for where, row in read_rows("marker_cues.csv"):
        kinds = tuple(row["kinds"].split())
        if row["role"] not in CUE_ROLES or not MARKER_KINDS.issuperset(kinds):
            raise VocabularyError(f"{where}: role is one of {', '.join(sorted(CUE_ROLES))}, kinds are of {', '.join(sorted(MARKER_KINDS))}")
        yield from ((phrase, MarkerCue(row["role"], kinds)) for phrase in many(row["phrases"]))


def _regimen(where: str, row: dict[str, str]) -> Regimen:
    return Regimen(row["id"], many(row["aliases"]), many(row["drugs"]), row["transplant"], row["source"])


def _test(where: str, row: dict[str, str]) -> Test:
    low, high, lln, uln, molar_mass = (_number(where, c, row[c]) for c in ("low", "high", "lln", "uln", "molar_mass"))
    if low is None or high is None or low >= high:
        raise VocabularyError(f"{where}: low must be a number below high; they bound what a note can mean")
    return Test(row["id"], row["name"], many(row["aliases"]), row["kind"], row["unit"], row["loinc"], low, high, lln, uln, molar_mass, row["source"])


def _unit(where: str, row: dict[str, str]) -> Unit:
    magnitude = _number(where, "magnitude", row["magnitude"])
    if not magnitude or magnitude <= 0:
        raise VocabularyError(f"{where}: magnitude must be a number above zero")
    return Unit(row["ucum"], row["dimension"], magnitude)


def _abbreviation(row: dict[str, str]) -> Abbreviation:
    return Abbreviation(row["short"], row["table"], row["id"], many(row["when"]), many(row["unless"]), row["source"])


@lru_cache(maxsize=1)
def load_vocabulary() -> Vocabulary:
    """All tables of models/resources. Raises VocabularyError with file, line and remedy."""
    vocabulary = Vocabulary(
        conditions=_table("conditions.csv", _condition),
        drugs=_table("drugs.csv", _drug),
        therapies=_table("therapies.csv", _therapy),
        regimens=_table("regimens.csv", _regimen),
        tests=_table("tests.csv", _test),
        units=MappingProxyType({row["spelling"]: row["ucum"] for _, row in read_rows("units.csv")}),
        ucum=MappingProxyType({row["ucum"]: _unit(where, row) for where, row in read_rows("ucum.csv")}),
        abbreviations=tuple(_abbreviation(row) for _, row in read_rows("abbreviations.csv")),
        stems=tuple(sorted((Stem(row["suffix"], many(row["classes"]), row["source"]) for _, row in read_rows("stems.csv")), key=lambda s: (-len(s.suffix), s.suffix))),
        markers=_table("markers.csv", _marker),
    )
    for c in vocabulary.conditions.values():
        _known(f"conditions.csv {c.id}", "parents", c.parents, vocabulary.conditions)
    for t in vocabulary.therapies.values():
        _known(f"therapies.csv {t.id}", "parents", t.parents, vocabulary.therapies)
    for d in vocabulary.drugs.values():
        _known(f"drugs.csv {d.id}", "classes", d.classes, vocabulary.therapies)
        _known(f"drugs.csv {d.id}", "targets", d.targets, vocabulary.therapies)
    for r in vocabulary.regimens.values():
        _known(f"regimens.csv {r.id}", "drugs", r.drugs, vocabulary.drugs)
    for spelling, code in vocabulary.units.items():
        _known(f'units.csv "{spelling}"', "ucum", (code,), vocabulary.ucum)
    for test in vocabulary.tests.values():
        _known(f"tests.csv {test.id}", "unit", (test.unit,), vocabulary.ucum)
    for stem in vocabulary.stems:
        _known(f"stems.csv {stem.suffix}", "classes", stem.classes, vocabulary.therapies)
    known: Mapping[str, object] = {**vocabulary.conditions, **vocabulary.markers}
    for m in vocabulary.markers.values():
        for column in ("parents", "positive_in", "negative_in"):
            _known(f"markers.csv {m.id}", column, getattr(m, column), known)
    tables: Mapping[str, Mapping[str, object]] = {"conditions": vocabulary.conditions, "labs": vocabulary.tests, "therapies": vocabulary.therapies}
    for a in vocabulary.abbreviations:
        if a.table in tables:
            _known(f"abbreviations.csv {a.short}", "id", (a.id,), tables[a.table])
    vocabulary.ancestors("")  # raises on a cycle
    return vocabulary
