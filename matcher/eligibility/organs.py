"""Organ function from its tests: normal, clearly inadequate, or for the investigator to judge."""

from __future__ import annotations

from dataclasses import replace

from matcher.domain import Evidences, Lab, Presence, Status, Truth
from matcher.eligibility.chart import Chart
from matcher.eligibility.condition_facts import shown_fact
from matcher.eligibility.measurements import Interval, holds, measurement, upper_normal
from matcher.eligibility.reasons import Answer, denied, false, name_of, shown_lab, true, unsettled
from models.limits import Organ, OrganLimit, load_limits


def organ_dysfunction(asked: Presence, chart: Chart) -> Answer | None:
    """Is the organ's function impaired (severely, where the statement says severe)? None where no test speaks of it.

    Impaired: a test beyond its `definite` limit, or the organ has failed. Not impaired: every set of its tests is known and
    normal, and no disease of it is present. In between only the investigator can tell. `severe`: beyond `severe`; not
    severe: nothing beyond `moderate`.
    """
    organ = load_limits().organ_asked.get(asked.value)
    severity = dict(asked.qualifiers).get("severity")
    named = chart.vocabulary.conditions.get(asked.value)
    if organ is None or (asked.window and asked.window.relation != "current") or (named is not None and named.course == "group" and severity is None):
        return None
    severe = severity == "severe"
    if (failing := _failing(organ, chart)) is not None:
        return failing
    for group in organ.asked_as:
        if group in chart.denied:
            return denied(name_of(group), chart.denied[group].evidence)
    tests = [(limit, lab) for limit in organ.limits if (lab := measurement(limit.test, chart)) is not None]
    missing = f"condition:{asked.value}"
    for limit, lab in tests:
        if _beyond(limit, lab, limit.severe if severe else limit.definite, chart) is Truth.TRUE:
            return true(f"{shown_lab(lab)}: {'severely ' if severe else ''}impaired {organ.name}", lab.evidence)
    evidence: Evidences = tuple(e for _, lab in tests for e in lab.evidence)
    shown = ", ".join(shown_lab(lab) for _, lab in tests)
    if not tests:
        return None
    bound = [(limit, lab, limit.moderate if severe else limit.normal) for limit, lab in tests]
    known = {limit.set for limit, _ in tests} == {limit.set for limit in organ.limits}
    within = all(_beyond(limit, lab, tolerated, chart) is Truth.FALSE for limit, lab, tolerated in bound)
    ill = [f for disease in organ.diseases for f in chart.conditions.get(disease, ()) if f.status in (Status.PRESENT, Status.POSSIBLE)]
    if known and within and not ill:
        return false(f"{shown}: {organ.name} {'not severely impaired' if severe else 'normal'}", evidence)
    if ill:
        return unsettled(f"{name_of(ill[0].id)}, {shown}", missing, ill[0].evidence + evidence, f"whether {organ.name} suffices is for the investigator")
    absent = tuple(dict.fromkeys(limit.test for limit in organ.limits if limit.set not in {known.set for known, _ in tests}))
    if within and absent:
        return replace(unsettled(shown, missing, evidence, f"not all tests of {organ.name} are given"), missing=absent)
    return unsettled(shown, missing, evidence, f"whether {organ.name} suffices is for the investigator")


def _failing(organ: Organ, chart: Chart) -> Answer | None:
    for concept in organ.failing:
        for fact in chart.conditions.get(concept, ()):
            if fact.status is Status.PRESENT:
                return true(f"{name_of(fact.id)}: impaired {organ.name}", fact.evidence)
        for exposure in chart.given.get(concept, ()):
            if exposure.ongoing:
                return true(f"on {name_of(concept)}: impaired {organ.name}", exposure.evidence)
    if organ.id == "heart":
        for fact in chart.conditions.get("heart_failure", ()):
            if fact.status is Status.PRESENT and dict(fact.qualifiers).get("nyha", "") in ("3", "4", "III", "IV"):
                return true(shown_fact(fact), fact.evidence)
    return None


def _beyond(limit: OrganLimit, lab: Lab, bound: float, chart: Chart) -> Truth:
    if limit.relative:
        normal = upper_normal(lab, chart)
        if normal is None:
            return Truth.UNKNOWN
        bound *= normal
    return holds(Interval.measured(lab.value, lab.comparator), ">" if limit.side == "above" else "<", bound)
