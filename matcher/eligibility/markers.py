"""Receptors, antigens and alterations: what the note reports of them, and the diseases that are defined by them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from matcher.domain import Presence, Status, Truth
from matcher.eligibility.chart import Chart
from matcher.eligibility.measurements import Interval, holds
from matcher.eligibility.reasons import (
    Answer,
    false,
    name_of,
    shown_lab,
    silent,
    spaced,
    together,
    true,
    unsettled,
)
from models import load_vocabulary
from models.vocabulary import Marker


def expression_of(asked: Presence, chart: Chart) -> Answer:
    """A marker of the malignant cells: a measured share, or what the note reports of it, of its kinds or of what it is a kind of."""
    known = chart.vocabulary.markers
    marker = known.get(asked.value) or chart.vocabulary.findings.get(asked.value)
    if (measured := _measured(asked, chart)) is not None:
        return measured
    if marker is None:
        return silent(f"{asked.value.replace('_', ' ')} expression", f"expression:{asked.value}")
    missing = f"condition:{marker.fact}"
    facts = chart.conditions.get(marker.fact, ())
    for fact in (f for f in facts if f.status is Status.PRESENT):
        found = chart.vocabulary.findings.get(fact.id, marker).said(True)
        if asked.qualifiers:
            return unsettled(f"{found}, {' and '.join(f'{k} {spaced(v)}' for k, v in asked.qualifiers)} not stated", missing, fact.evidence)
        return true(found, fact.evidence)
    if (absent := _absent(marker, chart)) is not None:
        return absent
    if facts:
        return unsettled(f"{facts[0].status.value} {name_of(facts[0].id)}", missing, facts[0].evidence)
    return silent(marker.name, missing)


def _absent(marker: Marker, chart: Chart) -> Answer | None:
    """Reported as not there: itself, all that it is a kind of, or every one of its own kinds where it is nothing else."""
    for concept in (marker.fact, *sorted(chart.vocabulary.ancestors(marker.fact) - {marker.fact})):
        if concept in chart.denied:
            general = chart.vocabulary.findings.get(concept)
            return false(general.said(False) if general else f"no {name_of(concept)}", chart.denied[concept].evidence)
    kinds = [m for m in chart.vocabulary.markers.values() if marker.union and marker.id in m.parents]
    if kinds and all(k.fact in chart.denied for k in kinds):
        return together(Truth.FALSE, [false(k.said(False), chart.denied[k.fact].evidence) for k in kinds])
    return None


def _measured(asked: Presence, chart: Chart) -> Answer | None:
    """The share of cells that express it, where the note gives one."""
    lab = chart.profile.latest(f"{asked.value}_expression")
    if lab is None:
        return None
    found, missing = Interval.measured(lab.value, lab.comparator), f"expression:{asked.value}"
    shown = shown_lab(lab)
    for _, wanted in asked.qualifiers:
        met = _share(found, wanted)
        if met is not Truth.TRUE:
            return Answer(met, true(shown, verb="required", asked=spaced(wanted)).said, evidence=lab.evidence, missing=(missing,) if met is Truth.UNKNOWN else ())
    return Answer(holds(found, ">", 0), true(shown).said, evidence=lab.evidence)


def _share(found: Interval, wanted: str) -> Truth:
    op = next((o for o in (">=", "<=", ">", "<", "=") if wanted.startswith(o)), "")
    try:
        return holds(found, op or ">=", float(wanted.removeprefix(op).rstrip("% ")))
    except ValueError:
        return Truth.UNKNOWN


def by_definition(disease: str, chart: Chart) -> Answer | None:
    """A disease that markers define (triple negative breast cancer), from the disease it is a kind of and its markers; None where
    the note does not settle it."""
    defining = _defining().get(disease, ())
    kinds = [f for parent in chart.vocabulary.conditions[disease].parents for f in chart.conditions.get(parent, ()) if f.status is Status.PRESENT] if defining else []
    if not kinds:
        return None
    answers = [(there, expression_of(Presence("expression", marker), chart)) for marker, there in defining]
    against = [a for there, a in answers if a.truth is (Truth.FALSE if there else Truth.TRUE)]
    if against:
        return together(Truth.FALSE, against)
    if all(a.truth is (Truth.TRUE if there else Truth.FALSE) for there, a in answers):
        return together(Truth.TRUE, [true(name_of(kinds[0].id), kinds[0].evidence), *(a for _, a in answers)])
    return None


@lru_cache(maxsize=1)
def _defining() -> dict[str, tuple[tuple[str, bool], ...]]:
    return {disease: tuple(pairs) for disease, pairs in _definitions()}


def _definitions() -> Iterator[tuple[str, list[tuple[str, bool]]]]:
    vocabulary = load_vocabulary()
    for disease in vocabulary.conditions:
        pairs = [(m.id, disease in m.positive_in) for m in vocabulary.markers.values() if disease in m.positive_in or disease in m.negative_in]
        if pairs:
            yield disease, pairs
