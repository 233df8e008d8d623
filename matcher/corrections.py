"""A clinician's corrections: facts put right or added, in a small JSON form; a new profile results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from matcher.domain import (
    Allergy,
    BcmaAgent,
    BcmaExposure,
    ConditionFact,
    Course,
    EligoError,
    Lab,
    PartialDate,
    PatientProfile,
    Reading,
    Status,
    Transplant,
    Treatment,
)
from matcher.quantities import convert, ucum
from models import load_vocabulary

Correction = Mapping[str, Any]
_STEM_CELLS = {"autologous_transplant": "autologous", "allogeneic_transplant": "allogeneic"}
_STATES = ("newly_diagnosed", "relapsed", "refractory", "relapsed_refractory", "remission")


class CorrectionError(EligoError):
    """A correction that names no fact, or a value that the fact cannot have; the message says which and what is allowed."""


def apply_corrections(profile: PatientProfile, corrections: Iterable[Correction]) -> PatientProfile:
    """The profile with each correction applied in order; each leaves its note in `flags`, and its facts have no evidence.

    A correction is an object with `fact`, `value` and, where it applies, `date` (YYYY, YYYY-MM or YYYY-MM-DD). `fact` is
    the same id that a criterion reports as missing and a question asks for:

    | fact | value |
    |---|---|
    | `ecog`, `kps`, `age`, `prior_lines` | a whole number; null removes it |
    | `life_expectancy` | days |
    | `sex` | "female", "male" |
    | `disease_state` | "newly_diagnosed", "relapsed", "refractory", "relapsed_refractory", "remission" |
    | a test (`lvef`, `hemoglobin`) | a number, with `unit` (default: the canonical one), `comparator`? |
    | `condition:ID` | "present", "historical", "absent", "possible", with `until`?, `qualifiers`? ({"nyha": "2"}) |
    | `therapy:ID` | "given", "ongoing", "absent", with `date` = last dose, `start`?; `therapy:bcma` also takes "naive", "unknown" |
    | `refractory:DRUG` | true, false |
    | `allergy:SUBSTANCE` | "present", "absent", with `severity`?; `allergy:any` for no known drug allergies |
    | `complete_history` | true, false |

    Raises CorrectionError; nothing is applied by halves.
    """
    for number, correction in enumerate(corrections, 1):
        profile = _apply(profile, correction, f"correction {number}")
    return profile


def _apply(profile: PatientProfile, correction: Correction, where: str) -> PatientProfile:
    fact = correction.get("fact") if isinstance(correction, Mapping) else None
    if not isinstance(fact, str) or "value" not in correction:
        raise CorrectionError(f'{where}: an object with "fact" and "value" is wanted, as {{"fact": "ecog", "value": 1}}')
    kind, _, concept = fact.partition(":")
    apply = _KINDS.get(kind) if concept else _SINGLE.get(fact, _lab if fact in load_vocabulary().tests else None)
    if apply is None:
        raise CorrectionError(f'{where}: "{fact}" is no fact; a test, a condition:, therapy:, refractory: or allergy:, or one of {", ".join(_SINGLE)} is')
    corrected = apply(profile, concept or fact, correction, where)
    shown = correction["value"] if not isinstance(correction["value"], bool) else "yes" if correction["value"] else "no"
    dated = f" ({correction['date']})" if correction.get("date") else ""
    return replace(corrected, flags=(*corrected.flags, Reading(f"Entered by the clinician: {fact} {shown}{dated}")))


def _date(correction: Correction, key: str, where: str) -> PartialDate | None:
    written = correction.get(key)
    if written is None:
        return None
    try:
        return PartialDate.parse(written)
    except (ValueError, TypeError, AttributeError):
        raise CorrectionError(f'{where}, {key}: "{written}" is no date; write YYYY, YYYY-MM or YYYY-MM-DD') from None


def _number(value: Any, where: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise CorrectionError(f"{where}, value: a number from {low:g} to {high:g} is wanted, not {value!r}")
    return value


def _one_of(value: Any, allowed: Iterable[str], where: str) -> str:
    if value not in tuple(allowed):
        raise CorrectionError(f"{where}, value: one of {', '.join(allowed)} is wanted, not {value!r}")
    return str(value)


def _whole(field: str, low: int, high: int) -> Callable[..., PatientProfile]:
    def apply(profile: PatientProfile, _: str, correction: Correction, where: str) -> PatientProfile:
        value = correction["value"]
        reading = None if value is None else Reading(int(_number(value, where, low, high)), (), _date(correction, "date", where))
        return replace(profile, **{field: reading})  # type: ignore[arg-type]

    return apply


def _sex(profile: PatientProfile, _: str, correction: Correction, where: str) -> PatientProfile:
    return replace(profile, sex=Reading(_one_of(correction["value"], ("female", "male"), where)))


def _state(profile: PatientProfile, _: str, correction: Correction, where: str) -> PatientProfile:
    return replace(profile, disease_state=Reading(_one_of(correction["value"], _STATES, where), (), _date(correction, "date", where)))


def _complete(profile: PatientProfile, _: str, correction: Correction, where: str) -> PatientProfile:
    if not isinstance(correction["value"], bool):
        raise CorrectionError(f"{where}, value: true or false is wanted")
    return replace(profile, complete_history=Reading(correction["value"]))


def _lab(profile: PatientProfile, test: str, correction: Correction, where: str) -> PatientProfile:
    known = load_vocabulary().tests[test]
    value, written = _number(correction["value"], where, float("-inf"), float("inf")), correction.get("unit")
    unit = None if written is None else ucum(str(written)) or str(written)
    converted = value if unit in (None, known.unit) else convert(value, str(unit), test)
    if converted is None:
        raise CorrectionError(f'{where}, unit: "{written}" does not convert to {known.unit}')
    if not known.low <= converted <= known.high:
        raise CorrectionError(f"{where}, value: {known.name} lies between {known.low:g} and {known.high:g} {known.unit}, not {converted:g}")
    comparator = correction.get("comparator")
    if comparator is not None:
        _one_of(comparator, ("<", "<=", ">=", ">"), f"{where}, comparator")
    when = _date(correction, "date", where) or _today(profile)
    others = tuple(lab for lab in profile.labs if lab.test != test or (when is not None and lab.date != when))
    return replace(profile, labs=(*others, Lab(test, converted, known.unit, (), when, comparator)))


def _today(profile: PatientProfile) -> PartialDate | None:
    """The day of the newest fact: an undated correction is what holds now, and stands after every dated value."""
    dates: list[date] = [lab.date.latest for lab in profile.labs if lab.date]
    dates += [profile.note_date] if profile.note_date else []
    return PartialDate.of(max(dates)) if dates else None


def _condition(profile: PatientProfile, concept: str, correction: Correction, where: str) -> PatientProfile:
    vocabulary = load_vocabulary()
    _known(concept, {**vocabulary.conditions, **vocabulary.findings}, where)
    status = Status(_one_of(correction["value"], ("present", "historical", "absent", "possible"), where))
    qualifiers = correction.get("qualifiers") or {}
    if not isinstance(qualifiers, Mapping):
        raise CorrectionError(f'{where}, qualifiers: an object is wanted, as {{"nyha": "2"}}')
    pairs = tuple(sorted((str(k), str(v)) for k, v in qualifiers.items()))
    fact = ConditionFact(concept, status, (), _date(correction, "date", where), _date(correction, "until", where), pairs)
    return replace(profile, conditions=(*(c for c in profile.conditions if c.id != concept), fact))


def _therapy(profile: PatientProfile, concept: str, correction: Correction, where: str) -> PatientProfile:
    vocabulary = load_vocabulary()
    _known(concept, {**vocabulary.drugs, **vocabulary.therapies}, where)
    course = _one_of(correction["value"], ("given", "ongoing", "absent", *(("exposed", "naive", "unknown") if concept == "bcma" else ())), where)
    when, start = _date(correction, "date", where), _date(correction, "start", where)
    if course in ("absent", "naive", "unknown"):
        profile = _without(profile, concept)
        if course != "unknown":
            profile = replace(profile, treatments=(*profile.treatments, Treatment(concept, Course.ABSENT, ())))
        return replace(profile, bcma=BcmaExposure("unknown" if course == "unknown" else "naive")) if concept == "bcma" else profile
    bcma, kept = profile.bcma, tuple(t for t in profile.treatments if not (t.agent == concept and t.line is None))
    kept += (Treatment(concept, Course.ONGOING if course == "ongoing" else Course.GIVEN, (), start, None if course == "ongoing" else when),)
    if concept in _STEM_CELLS:
        profile = replace(profile, transplants=(*profile.transplants, Transplant(_STEM_CELLS[concept], (), when)))  # type: ignore[arg-type]
    if vocabulary.is_a(concept, "bcma"):
        modality = next((m for m in ("car_t", "bispecific_antibody", "antibody_drug_conjugate") if vocabulary.is_a(concept, m)), None)
        known = tuple(a for a in bcma.agents if a.agent != concept)
        bcma = BcmaExposure("exposed", (*known, BcmaAgent(concept, modality, (), when or start)) if modality else known)  # type: ignore[arg-type]
    return replace(profile, treatments=kept, bcma=bcma)


def _without(profile: PatientProfile, concept: str) -> PatientProfile:
    """The profile without a treatment, nor any of its kinds, wherever the note told it: treatments, procedures, lines, BCMA."""
    is_a = load_vocabulary().is_a
    lines = (
        replace(line, drugs=tuple(d for d in line.drugs if not is_a(d, concept)), transplant=None if line.transplant and is_a(f"{line.transplant}_transplant", concept) else line.transplant)
        for line in profile.lines
    )
    agents = tuple(a for a in profile.bcma.agents if not is_a(a.agent, concept))
    return replace(
        profile,
        treatments=tuple(t for t in profile.treatments if not is_a(t.agent, concept)),
        conditions=tuple(c for c in profile.conditions if not is_a(c.id, concept)),
        lines=tuple(line for line in lines if line.drugs or line.transplant),
        transplants=tuple(t for t in profile.transplants if not is_a(f"{t.type}_transplant", concept)),
        refractory_to=tuple(r for r in profile.refractory_to if not is_a(r.value, concept)),
        bcma=BcmaExposure("unknown") if profile.bcma.agents and not agents else replace(profile.bcma, agents=agents),
    )


def _refractory(profile: PatientProfile, concept: str, correction: Correction, where: str) -> PatientProfile:
    vocabulary = load_vocabulary()
    _known(concept, {**vocabulary.drugs, **vocabulary.therapies}, where)
    if not isinstance(correction["value"], bool):
        raise CorrectionError(f"{where}, value: true or false is wanted")
    others = tuple(r for r in profile.refractory_to if not vocabulary.is_a(r.value, concept))
    return replace(profile, refractory_to=(*others, Reading(concept)) if correction["value"] else others)


def _allergy(profile: PatientProfile, substance: str, correction: Correction, where: str) -> PatientProfile:
    status = Status(_one_of(correction["value"], ("present", "absent"), where))
    severity = correction.get("severity")
    others = tuple(a for a in profile.allergies if a.substance != substance)
    return replace(profile, allergies=(*others, Allergy(substance, status, (), None if severity is None else str(severity))))


def _known(concept: str, table: Mapping[str, object], where: str) -> None:
    if concept not in table:
        raise CorrectionError(f'{where}: "{concept}" is not in the vocabulary')


_KINDS: Mapping[str, Callable[..., PatientProfile]] = {"condition": _condition, "therapy": _therapy, "refractory": _refractory, "allergy": _allergy}
_SINGLE: Mapping[str, Callable[..., PatientProfile]] = {
    "ecog": _whole("ecog", 0, 5),
    "kps": _whole("kps", 0, 100),
    "age": _whole("age_years", 0, 130),
    "prior_lines": _whole("n_lines", 0, 40),
    "life_expectancy": _whole("life_expectancy_days", 0, 40000),
    "sex": _sex,
    "disease_state": _state,
    "complete_history": _complete,
}
