"""One condition of the note against a statement: its status, its time, its severity, whether it is treated or active."""

from __future__ import annotations

import re

from matcher.domain import ConditionFact, Presence, Qualifiers, Status, Truth, Window
from matcher.eligibility.chart import Chart, in_window
from matcher.eligibility.measurements import Interval, holds
from matcher.eligibility.reasons import Answer, duration, false, listing, name_of, on, spaced, true, unsettled

SEVERITIES = ("mild", "moderate", "severe")
FERTILITY = ("pregnancy", "breastfeeding", "childbearing_potential")
_SEVERAL = ("indwelling_catheter",)  # one that was removed leaves open whether another is in place
_PASSING = (*FERTILITY, *_SEVERAL, "fever")
_STAYING = ("autoimmune_disease", "cns_involvement")
_SUPPRESSANTS = ("immunosuppressant", "dmard", "biologic_dmard", "systemic_corticosteroid")
_LASTING = ("hiv_infection", "hepatitis_b", "hepatitis_c", "tuberculosis", "syphilis", "mycobacterial_infection", "viral_hepatitis")


def judge_fact(fact: ConditionFact, asked: Presence, chart: Chart) -> Answer:
    """One own condition against the statement's status, time and severity."""
    name, missing = name_of(fact.id), f"condition:{asked.value}"
    shown = shown_fact(fact)
    if fact.status is Status.POSSIBLE:
        return unsettled(name, missing, fact.evidence, "possible, not confirmed")
    timing = Truth.FALSE if _healed(fact, asked.value, chart) else _timing(fact, asked.window, chart)
    if timing is Truth.FALSE and fact.id in _SEVERAL:
        return unsettled(shown, missing, fact.evidence, "the note does not say whether there is another")
    if timing is Truth.FALSE:
        return false(f"{shown}{_outside(fact, asked.window)}", fact.evidence)
    if asked.excluding and any(x not in chart.vocabulary.conditions for x in asked.excluding):
        return unsettled(shown, missing, fact.evidence, f"the note does not say whether it is {listing([name_of(x) for x in asked.excluding])}, which is allowed")
    worst = Truth.TRUE
    for key, wanted in (*asked.qualifiers, *_active(fact, asked, chart)):
        met = qualifies(dict(fact.qualifiers), key, wanted)
        if met is Truth.UNKNOWN and (key == "activity" or (key == "treatment" and wanted not in ("none", "no", "given"))):
            met = _treated(fact, key, chart)
        if met is Truth.UNKNOWN and key == "control" and fact.status is Status.HISTORICAL:
            met = Truth.FALSE if wanted == "uncontrolled" else met
        if met is Truth.FALSE:
            return false(f"{shown}, not {worded(key, wanted)}", fact.evidence)
        if met is Truth.UNKNOWN:
            worst, unstated = Truth.UNKNOWN, worded(key, wanted)
    if timing is Truth.UNKNOWN:
        return unsettled(shown, missing, fact.evidence, "the note does not date it closely enough")
    if worst is Truth.UNKNOWN:
        return unsettled(shown, missing, fact.evidence, f"the note does not say whether {unstated}")
    return true(shown, fact.evidence)


def _active(fact: ConditionFact, asked: Presence, chart: Chart) -> Qualifiers:
    """An autoimmune disease lasts for life, and a treated metastasis of the brain stays to be seen: that it is active now has to
    be said, or to follow from its treatment."""
    now = asked.window is not None and asked.window.relation == "current"
    return (("activity", "active"),) if now and any(chart.vocabulary.is_a(fact.id, kind) for kind in _STAYING) else ()


def shown_fact(fact: ConditionFact) -> str:
    told = dict(fact.qualifiers)
    grade = "".join(f" {worded(key, told[key])}" for key in ("nyha", "grade", "stage") if key in told)
    words = [told[key] for key in ("severity", "control", "acuity") if key in told and not name_of(fact.id).startswith(told[key])]
    name = " ".join([*words, name_of(fact.id)]) + grade
    if fact.status is Status.HISTORICAL:
        return f"past {name}{on(fact.until or fact.date)}"
    lasted = f" for {duration(float(told['duration']))}" if "duration" in told else ""
    return f"{name}{' since ' + str(fact.date) if fact.date else lasted}"


def _timing(fact: ConditionFact, window: Window | None, chart: Chart) -> Truth:
    """Without a window, what the patient had counts as had, but for what passes without trace: an infection that was cured,
    a pregnancy. What is present now is current, and within any window."""
    if fact.status is Status.PRESENT:
        if window is None or window.relation != "before":
            return Truth.TRUE
        if (lasted := dict(fact.qualifiers).get("duration")) is not None:
            return in_window((float(lasted), float(lasted)), window)
        return in_window(chart.days_ago(fact.date), window) if fact.date else Truth.UNKNOWN
    if window is None:
        return Truth.FALSE if fact.id in _PASSING or passing_infection(fact.id, chart) else Truth.TRUE
    if window.relation == "current":
        return Truth.FALSE
    when = fact.until or fact.date
    return in_window(chart.days_ago(when), window) if when else Truth.UNKNOWN


def _healed(fact: ConditionFact, asked: str, chart: Chart) -> bool:
    """A past infection is no disease of the organ it was in."""
    vocabulary = chart.vocabulary
    organ = (known := vocabulary.conditions.get(asked)) is not None and known.course == "group" and not vocabulary.is_a(asked, "infectious_disease")
    return organ and fact.status is Status.HISTORICAL and vocabulary.is_a(fact.id, "infectious_disease")


def passing_infection(concept: str, chart: Chart) -> bool:
    return chart.vocabulary.is_a(concept, "infectious_disease") and not any(chart.vocabulary.is_a(concept, x) for x in _LASTING)


def _outside(fact: ConditionFact, window: Window | None) -> str:
    if window is None or window.days is None or window.relation == "current":
        return ", not current"
    return f", {'more' if window.relation == 'within' else 'less'} than {duration(window.days)} ago"


def _treated(fact: ConditionFact, key: str, chart: Chart) -> Truth:
    """Systemic treatment that follows from the rest of the note: an infection that is active is treated (annotation
    guidelines), as is a malignancy that is not said to be watched; an autoimmune disease beside an immunosuppressant outside
    the lines of therapy is treated by it."""
    known = chart.vocabulary.conditions.get(fact.id)
    if (key == "treatment" and known and known.course == "malignancy") or (fact.status is Status.PRESENT and passing_infection(fact.id, chart)):
        return Truth.TRUE
    if fact.status is Status.PRESENT and chart.vocabulary.is_a(fact.id, "autoimmune_disease"):
        drugs = [e for kind in _SUPPRESSANTS for e in chart.given.get(kind, ()) if e.line is None and not e.end and e.purpose in (None, fact.id)]
        if drugs:
            return Truth.TRUE
    return Truth.UNKNOWN


_LIMIT = re.compile(r"(<=|>=|<|>|=)?\s*(.+)", re.DOTALL)
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5}
_CLASSES = ("I", "II", "III", "IV")
_CLASS = re.compile(r"[1-4]")
_SYNONYMS = {"serious": "severe", "life-threatening": "severe", "major": "severe", "minor": "mild"}


def qualifies(told: dict[str, str], key: str, wanted: str) -> Truth:
    """Whether what the note tells of a condition meets one qualifier; unknown where it does not tell."""
    match = _LIMIT.fullmatch(wanted.strip())
    if key not in told or match is None:
        return Truth.UNKNOWN
    op, limit = match.group(1) or "=", match.group(2).strip().casefold()
    have = told[key].strip().casefold()
    have, limit = _SYNONYMS.get(have, have), _SYNONYMS.get(limit, limit)
    if (low := _rank(have)) is not None and (bound := _rank(limit)) is not None:
        return holds(Interval(low, low), op, bound)
    if key == "treatment" and op == "=" and limit not in ("none", "no"):
        return Truth.FALSE if have in ("none", "no", "topical", "local") else Truth.TRUE if have == limit else Truth.UNKNOWN
    if limit == "symptomatic" and have in SEVERITIES:
        return Truth.UNKNOWN
    if op == "=":
        return Truth.TRUE if have == limit else Truth.FALSE
    return Truth.UNKNOWN


def _rank(word: str) -> float | None:
    if word in SEVERITIES:
        return SEVERITIES.index(word)
    if word in _ROMAN:
        return _ROMAN[word]
    try:
        return float(word)
    except ValueError:
        return None


def worded(key: str, wanted: str) -> str:
    wanted = spaced(wanted)
    if key == "duration":
        return f"lasting {wanted} days"
    if (key, wanted) == ("treatment", "given"):
        return "treated"
    if (key, wanted) == ("treatment", "none"):
        return "untreated"
    if key == "nyha":
        return "NYHA " + _CLASS.sub(lambda figure: _CLASSES[int(figure.group()) - 1], wanted)
    return f"{key} {wanted}" if key in ("grade", "stage", "class") else f"needing {wanted} treatment" if key == "treatment" else wanted
