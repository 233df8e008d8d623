"""The answers as plain JSON values, in the form that others rely on. Fields may be added, never renamed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from functools import cache
from typing import Any

from matcher.domain import (
    AtScreening,
    ConditionFact,
    Criterion,
    CriterionResult,
    Evidence,
    Kind,
    Lab,
    MatchReport,
    PartialDate,
    PatientProfile,
    Reading,
    Status,
    Trial,
    TrialMatch,
    Unparsed,
)
from matcher.expressions import atoms, from_tree, render, to_tree
from matcher.trials.criteria import constraints, coverage
from models import load_vocabulary


def plain(value: Any) -> Any:
    """Domain values as JSON values: dates as text, tuples as lists, dataclasses as objects."""
    kind = value.__class__
    return value if kind in _JSON else _writer(kind)(value)


_JSON = (str, int, float, bool, type(None))


@cache
def _writer(kind: type) -> Callable[[Any], Any]:
    if issubclass(kind, tuple | list):
        return lambda values: [plain(value) for value in values]
    if issubclass(kind, PartialDate | date):
        return str
    if issubclass(kind, Enum):
        return lambda member: member.value
    if is_dataclass(kind):
        names = [f.name for f in fields(kind)]
        return lambda found: {name: plain(getattr(found, name)) for name in names}
    return lambda value: value


def _value(reading: Reading | None) -> Any:
    return None if reading is None else plain(reading.value)


def _evidence(spans: tuple[Evidence, ...]) -> list[dict[str, Any]]:
    return [{"start": e.start, "end": e.end, "text": e.text} for e in spans]


def _said(fact: ConditionFact) -> dict[str, str]:
    """How a clinician says a finding of the malignant cells: "HER2 negative", which is no condition that is absent."""
    marker = load_vocabulary().findings.get(fact.id)
    return {"said": marker.said(fact.status is Status.PRESENT)} if marker and fact.status in (Status.PRESENT, Status.ABSENT) else {}


def _is_reported(lab: Lab) -> bool:
    """Whether the test is one that clients know by name; the other tests and vital signs are told apart from them."""
    return load_vocabulary().tests[lab.test].source.startswith("vocabulary")


def extract_answer(profile: PatientProfile) -> dict[str, Any]:
    """What a note says, as `eligo extract --json` prints it. `readings` holds the evidence of the single values."""
    single = {
        "age_years": profile.age_years,
        "sex": profile.sex,
        "disease_state": profile.disease_state,
        "n_lines": profile.n_lines,
        "ecog": profile.ecog,
        "kps": profile.kps,
    }
    return {
        "note_id": profile.note_id,
        "note_date": plain(profile.note_date),
        "age_years": _value(profile.age_years),
        "sex": _value(profile.sex),
        "conditions": [{**plain(c), "qualifiers": dict(c.qualifiers), **_said(c)} for c in profile.conditions],
        "disease_state": _value(profile.disease_state),
        "n_lines": _value(profile.n_lines),
        "lines": plain(profile.lines),
        "refractory_to": [_value(r) for r in profile.refractory_to],
        "bcma": plain(profile.bcma),
        "transplants": plain(profile.transplants),
        "labs": plain([lab for lab in profile.labs if _is_reported(lab)]),
        "ecog": _value(profile.ecog),
        "kps": _value(profile.kps),
        "treatments": plain(profile.treatments),
        "allergies": plain(profile.allergies),
        "life_expectancy_days": _value(profile.life_expectancy_days),
        "complete_history": _value(profile.complete_history),
        "measurements": plain([lab for lab in profile.labs if not _is_reported(lab)]),
        "flags": [{"text": r.value, "evidence": _evidence(r.evidence)} for r in profile.flags],
        "readings": {
            **{name: {"value": _value(r), "date": plain(r.date), "evidence": _evidence(r.evidence)} for name, r in single.items() if r},
            "refractory_to": [{"value": _value(r), "evidence": _evidence(r.evidence)} for r in profile.refractory_to],
        },
    }


def _result_answer(result: CriterionResult) -> dict[str, Any]:
    c = result.criterion
    return {
        "id": c.id,
        "kind": c.kind.value,
        "text": c.text,
        "outcome": result.outcome.value,
        "assessable": c.assessable,
        "reason": result.reason,
        "evidence": _evidence(result.evidence),
        "missing": list(result.missing),
        "presumed": result.presumed,
        "cohort": c.cohort,
    }


def _trial_match_answer(found: TrialMatch) -> dict[str, Any]:
    t = found.trial
    return {
        "trial_id": t.trial_id,
        "source": t.source,
        "title": t.title,
        "rank": found.rank,
        "score": round(found.score, 4),
        "relevance": round(found.relevance, 4),
        "verdict": found.verdict.value,
        "status": t.status,
        "phase": t.phase,
        "sponsor": t.sponsor,
        "locations": list(t.locations),
        "notices": list(found.notices),
        "criteria": [_result_answer(r) for r in found.results],
    }


def match_answer(report: MatchReport, top: int | None = None) -> dict[str, Any]:
    """The ranked trials for one note, as `eligo match --json` prints them."""
    return {
        "note_id": report.profile.note_id,
        "as_of": plain(report.as_of),
        "unmentioned": report.unmentioned,
        "patient": extract_answer(report.profile),
        "trials": [_trial_match_answer(m) for m in report.matches[:top]],
        "questions": [{"fact": fact, "trials": n} for fact, n in report.questions],
    }


def _criterion_answer(criterion: Criterion) -> dict[str, Any]:
    return {
        "id": criterion.id,
        "kind": criterion.kind.value,
        "text": criterion.text,
        "start": criterion.start,
        "end": criterion.end,
        "assessable": criterion.assessable,
        "cohort": criterion.cohort,
        "topic": criterion.topic,
        "logic": render(criterion.expression),
        "understood": round(coverage(criterion.text, criterion.expression), 3),
        "expression": to_tree(criterion.expression),
        "constraints": constraints(criterion.expression),
    }


def trial_answer(trial: Trial) -> dict[str, Any]:
    """A trial as read, as `eligo trials parse --json` prints it. `trial_from_answer` reads it back."""
    named = ("criteria", "disease")
    return {
        **{f.name: plain(getattr(trial, f.name)) for f in fields(trial) if f.name not in named},
        "disease": to_tree(trial.disease) if trial.disease else None,
        "criteria": [_criterion_answer(c) for c in trial.criteria],
        "understanding": understanding(trial),
    }


def trial_from_answer(answer: dict[str, Any]) -> Trial:
    """The Trial that `trial_answer` wrote. Raises ExpressionError where its logic is none."""
    plain_fields = {f.name for f in fields(Trial)} - {"criteria", "disease"}
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in answer.items() if k in plain_fields}
    criteria = tuple(
        Criterion(c["id"], Kind(c["kind"]), c["text"], c["start"], c["end"], from_tree(c["expression"], c["id"]), c["assessable"], c.get("cohort"), c.get("topic"))
        for c in answer["criteria"]
    )
    return Trial(**values, criteria=criteria, disease=from_tree(answer["disease"]) if answer.get("disease") else None)


def understanding(trial: Trial) -> dict[str, Any]:
    """How much of a trial became logic: share of the assessable criteria without an unparsed part, and of their characters."""
    assessable = [c for c in trial.criteria if c.assessable]
    whole = [c for c in assessable if not any(isinstance(a, Unparsed) for a in atoms(c.expression))]
    characters = sum(len(c.text) for c in assessable)
    return {
        "criteria": len(trial.criteria),
        "assessable": len(assessable),
        "whole": len(whole),
        "at_screening": sum(all(isinstance(a, AtScreening) for a in atoms(c.expression)) for c in trial.criteria),
        "criteria_understood": round(len(whole) / len(assessable), 3) if assessable else None,
        "characters_understood": round(sum(coverage(c.text, c.expression) * len(c.text) for c in assessable) / characters, 3) if characters else None,
    }
