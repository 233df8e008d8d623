"""What was given, what it was not, what failed, what was not tolerated."""

from __future__ import annotations

from dataclasses import replace

from matcher.domain import Course, Presence, Status, TherapyLine, Treatment, Truth, Window
from matcher.eligibility.chart import STEM_CELLS, Chart, Exposure, allergy_to, in_window
from matcher.eligibility.reasons import (
    Answer,
    Said,
    capitalised,
    denied,
    duration,
    evidence_of,
    false,
    name_of,
    on,
    silent,
    spaced,
    together,
    true,
    unsettled,
)

RESPONSES = ("PD", "SD", "MR", "PR", "VGPR", "CR", "sCR")  # IMWG, from worst to best
_NEEDS = {"coronary_revascularization_procedure": "coronary_artery_disease"}  # who never had the disease never had the procedure
_RECENT = 31  # days that "on no steroids" speaks for
_REPEATED = ("surgery", "vaccine", "transfusion")  # an earlier one says nothing of a recent one
_REFRACTORY = 60  # days after the last dose in which progression makes the disease refractory (IMWG; Rajkumar, Blood 2011;117:4691)
_SEVERE = ("severe", "serious", "life-threatening", "anaphylaxis", "anaphylactic")


def prior_therapy(asked: Presence, chart: Chart) -> Answer:
    """Was it given (in the window)? Any drug, class, target, modality or procedure that the asked one covers counts."""
    asked = replace(asked, value=chart.product_class(asked.value), excluding=tuple(map(chart.product_class, asked.excluding)))
    given = [e for e in chart.given.get(asked.value, ()) if not any(chart.vocabulary.is_a(e.agent, x) for x in asked.excluding) and _meant(e, asked.value, chart)]
    if given:
        found = _any_of([_was_given(e, asked, chart) for e in given], given)
        if found.truth is Truth.UNKNOWN and (none_now := _none_now(asked, chart)) is not None:
            return none_now
        if found.truth is Truth.FALSE and asked.window and asked.window.relation == "within" and any(chart.vocabulary.is_a(asked.value, x) for x in _REPEATED):
            return replace(found, truth=Truth.UNKNOWN, silent=(f"a more recent {name_of(asked.value)}",), missing=(f"therapy:{asked.value}",))
        return found
    if (never := never_given(asked.value, chart)) is not None:
        return never
    if asked.window and asked.window.relation != "before" and (recent := _no_recent_transplant(asked.value, chart)) is not None:
        return recent
    return _not_said(asked.value, chart)


def _meant(exposure: Exposure, asked: str, chart: Chart) -> bool:
    """A cytotoxic drug suppresses immunity too; asked for immunosuppressants, its use against the malignancy is not meant."""
    drug = chart.vocabulary.drugs.get(exposure.agent)
    return asked != "immunosuppressant" or drug is None or not drug.antineoplastic or (exposure.line is None and exposure.purpose != "other_malignancy")


def _any_of(answers: list[Answer], given: list[Exposure]) -> Answer:
    for truth in (Truth.TRUE, Truth.UNKNOWN):
        if found := [a for a in answers if a.truth is truth]:
            return together(truth, found)
    latest = min(range(len(given)), key=lambda i: given[i].since[::-1])
    return answers[latest]  # the last one says it for those before it


def _none_now(asked: Presence, chart: Chart) -> Answer | None:
    """ "On no steroids", said of a patient who had them: none now, which settles a window of weeks."""
    window = asked.window
    if window is None or (window.relation == "within" and (window.days or 0) > _RECENT) or window.relation == "before":
        return None
    for t in chart.profile.treatments:
        if t.course is Course.ABSENT and chart.vocabulary.is_a(asked.value, t.agent):
            return false(f"no {name_of(t.agent)} now", t.evidence)
    return None


def _was_given(exposure: Exposure, asked: Presence, chart: Chart) -> Answer:
    shown, missing = exposure_shown(exposure), f"therapy:{asked.value}"
    timing = in_window(exposure.since, asked.window)
    if timing is Truth.FALSE:
        return false(f"{shown}{_outside(asked.window)}", exposure.evidence)
    if timing is Truth.UNKNOWN:
        return unsettled(shown, missing, exposure.evidence, undated(exposure) + ("" if exposure.ongoing else f" for {_window(asked.window)}"))
    for key, wanted in asked.qualifiers:
        match qualified(exposure, key, wanted, chart):
            case Truth.FALSE:
                return false(f"{shown}, not {wanted.replace('_', ' ')}", exposure.evidence)
            case Truth.UNKNOWN:
                return unsettled(shown, missing, exposure.evidence, f"the note does not say whether the {key.replace('_', ' ')} was {spaced(wanted.replace('_', ' '))}")
    return true(shown, exposure.evidence)


def qualified(exposure: Exposure, key: str, wanted: str, chart: Chart) -> Truth:
    """Whether an exposure has what a qualifier wants: its purpose, the response to it, failure of it."""
    lines = [line for line in chart.profile.lines if line.number == exposure.line]
    if key == "purpose" and exposure.purpose:
        return Truth.TRUE if exposure.purpose == wanted else Truth.FALSE
    if key == "response" and lines:
        return responded(lines[0], wanted)
    return Truth.UNKNOWN


def responded(line: TherapyLine, wanted: str) -> Truth:
    """Whether a line reached at least the wanted response; PD and SD are met by themselves only (IMWG 2016)."""
    best, wanted = line.best_response, wanted.removeprefix(">=")
    if wanted == "PD" and line.reason_stopped == "progression":
        return Truth.TRUE
    if best not in RESPONSES or wanted not in RESPONSES:
        return Truth.UNKNOWN
    if wanted in ("PD", "SD"):
        return Truth.TRUE if best == wanted else Truth.FALSE
    return Truth.TRUE if RESPONSES.index(best) >= RESPONSES.index(wanted) else Truth.FALSE


def exposure_shown(exposure: Exposure) -> str:
    name = capitalised(name_of(exposure.agent))
    if exposure.ongoing:
        return f"{name} ongoing" + (f" since {exposure.start}" if exposure.start else "")
    if exposure.agent in STEM_CELLS.values():
        return f"{name}{on(exposure.start or exposure.end)}"
    if not exposure.start or not exposure.end or exposure.start == exposure.end:
        return f"{name} given{on(exposure.end or exposure.start)}"
    dates = f"{exposure.start} to {exposure.end}"
    return f"{name} given {dates}" if exposure.line is None else f"{name} given in line {exposure.line} ({dates})"


def undated(exposure: Exposure) -> str:
    return "the note also says that it ended" if exposure.ongoing else "the last dose is not dated closely enough"


def _window(window: Window | None) -> str:
    if window is None or window.days is None:
        return "its being recent" if window and window.relation == "within" else "its being current"
    return f"the last {duration(window.days)}" if window.relation == "within" else f"at least {duration(window.days)} ago"


def _outside(window: Window | None) -> str:
    if window is None or window.days is None:
        return ", not recent" if window and window.relation == "within" else ", not current"
    return f", more than {duration(window.days)} ago" if window.relation == "within" else f", less than {duration(window.days)} ago"


def never_given(value: str, chart: Chart) -> Answer | None:
    """The note settles that it was never given: in words, by BCMA status, or by a complete history without it."""
    profile, vocabulary = chart.profile, chart.vocabulary
    for t in profile.treatments:
        if t.course is Course.ABSENT and vocabulary.is_a(value, t.agent) and t.agent not in chart.given:
            return denied(_prior(t.agent), t.evidence)
    if profile.bcma.status == "naive" and vocabulary.is_a(value, "bcma"):
        return denied(_prior("bcma"), profile.bcma.evidence)
    for general, disease in _NEEDS.items():
        if vocabulary.is_a(value, general):
            for concept in vocabulary.ancestors(disease):
                if concept in chart.denied:
                    return denied(name_of(concept), chart.denied[concept].evidence)
    if chart.never_treated and chart.in_history(value):
        return false("no treatment given so far", evidence_of(profile.n_lines))
    if chart.complete_history and chart.in_history(value):
        return false("the treatment history is complete", evidence_of(profile.complete_history), "with no mention of", name_of(value))
    return None


def _prior(agent: str) -> str:
    return f"prior {name_of(agent)}"


def _no_recent_transplant(value: str, chart: Chart) -> Answer | None:
    """A transplant of the last weeks dominates any history of treatment; a history that names none had none in that time."""
    if not chart.vocabulary.is_a(value, "stem_cell_transplant") or not (chart.profile.lines or chart.profile.n_lines):
        return None
    evidence = evidence_of(chart.profile.n_lines) or tuple(e for line in chart.profile.lines for e in line.evidence)
    return false(f"no recent {name_of(value)} in the treatment history", evidence)


_NOT_GIVEN = {Course.PLANNED: "planned", Course.DECLINED: "declined", Course.FAMILY: "given to a relative"}


def _not_said(value: str, chart: Chart) -> Answer:
    name, missing = name_of(value), f"therapy:{value}"
    named: tuple[Treatment, ...] = chart.not_given.get(value, ())
    for t in named:
        if t.course is Course.POSSIBLE:
            return unsettled(f"{name_of(t.agent)} may have been given; the note cannot tell", missing, t.evidence)
    for t in named:
        if t.course in _NOT_GIVEN:
            return Answer(Truth.UNKNOWN, (Said(f"{capitalised(name_of(t.agent))} {_NOT_GIVEN[t.course]}"),), (), (f"{name} given before",), t.evidence, (missing,))
    return silent(name, missing)


def last_given(value: str, chart: Chart) -> tuple[Exposure, Exposure] | None:
    """The exposure that may be the most recent one and the one that is so by its dates: the last dose lies between. None where none is told."""
    given = chart.given.get(chart.product_class(value), ())
    return (min(given, key=lambda e: e.since), min(given, key=lambda e: e.since[::-1])) if given else None


def refractory_to(asked: Presence, chart: Chart) -> Answer:
    """Refractoriness by drug, class or target (IMWG): stated, or settled as untrue where it was never given or did not fail."""
    asked = replace(asked, value=chart.product_class(asked.value))
    failed = [r for r in chart.profile.refractory_to if chart.vocabulary.is_a(r.value, asked.value)]
    if failed:
        return together(Truth.TRUE, [true(f"refractory to {name_of(r.value)}", r.evidence) for r in failed])
    given, name = chart.given.get(asked.value, ()), name_of(asked.value)
    if not given:
        return never_given(asked.value, chart) or silent(f"refractoriness to {name}", f"refractory:{asked.value}")
    if all(_did_not_fail(e, chart) for e in given):
        return together(Truth.FALSE, [false(f"{exposure_shown(e)}, not refractory", e.evidence) for e in given])
    evidence = tuple(e for exposure in given for e in exposure.evidence)
    return unsettled(exposure_shown(given[-1]), f"refractory:{asked.value}", evidence, "the note does not say whether the disease was refractory to it")


def _did_not_fail(exposure: Exposure, chart: Chart) -> bool:
    """A response, and no progression on it. A patient in remission or still in first treatment is refractory to nothing."""
    state = chart.profile.disease_state.value if chart.profile.disease_state else None
    if state in ("remission", "newly_diagnosed"):
        return True
    line = next((x for x in chart.profile.lines if x.number == exposure.line), None)
    if line is None or line.best_response not in RESPONSES[RESPONSES.index("MR") :]:
        return False
    if exposure.end and line.end and (line.end.earliest - exposure.end.latest).days > _REFRACTORY:
        return True
    if exposure.ongoing:
        return state not in ("refractory", "relapsed_refractory")
    return line.reason_stopped in ("completion", "toxicity", "preference")


def intolerant_to(asked: Presence, chart: Chart) -> Answer:
    hypersensitive = allergy(asked, chart)
    if hypersensitive.truth is not Truth.UNKNOWN:
        return hypersensitive
    stopped = [
        line
        for line in chart.profile.lines
        if line.reason_stopped == "toxicity" and any(chart.vocabulary.is_a(drug, asked.value) for drug in line.drugs)
    ]
    alone = [line for line in stopped if len(line.drugs) == 1]
    if alone:
        return together(Truth.TRUE, [true(f"{capitalised(name_of(line.drugs[0]))} stopped for toxicity", line.evidence) for line in alone])
    if stopped:
        evidence = tuple(e for line in stopped for e in line.evidence)
        return unsettled(f"a regimen with {name_of(asked.value)} was stopped for toxicity", f"allergy:{asked.value}", evidence)
    return silent(f"intolerance of {name_of(asked.value)}", f"allergy:{asked.value}")


def allergy(asked: Presence, chart: Chart) -> Answer:
    """No known drug allergies settle a named drug; only "no allergies" of any kind settles "another serious allergy"."""
    profile, vocabulary, value = chart.profile, chart.vocabulary, asked.value
    of_any = value in ("any", "all", "other", "drug") or vocabulary.is_a(value, "allergy")
    named = allergy_to(value)
    suffered = [
        a
        for a in profile.allergies
        if a.status in (Status.PRESENT, Status.HISTORICAL)
        and (of_any or vocabulary.is_a(a.substance, value) or a.substance.casefold() == value.casefold() or (named and allergy_to(a.substance) == named))
        and not any(vocabulary.is_a(a.substance, x) for x in asked.excluding)
    ]
    severe = dict(asked.qualifiers).get("severity") in _SEVERE
    missing = f"allergy:{value}"
    for a in suffered:
        if not severe or (a.severity or "").casefold() in _SEVERE:
            return true(f"{a.severity + ' ' if a.severity else ''}allergy to {name_of(a.substance)}", a.evidence)
    if suffered and severe and not of_any and all(a.severity for a in suffered):
        return false(f"allergy to {name_of(suffered[0].substance)} is {suffered[0].severity}", suffered[0].evidence)
    if suffered:
        return unsettled(f"allergy to {name_of(suffered[0].substance)}, {suffered[0].severity or 'severity not stated'}", missing, suffered[0].evidence)
    for a in profile.allergies:
        if a.status is Status.ABSENT and a.substance == "any" and (of_any or (named and not vocabulary.is_a(named, "drug_allergy"))):
            return Answer(Truth.UNKNOWN, (Said("no known drug allergies"),), silent=("other allergies",), evidence=a.evidence, missing=(missing,))
        if a.status is Status.ABSENT and (a.substance == "all" or (not of_any and (a.substance == "any" or vocabulary.is_a(value, a.substance)))):
            return denied("known allergies" if a.substance == "all" else "known drug allergies" if a.substance == "any" else f"allergy to {name_of(value)}", a.evidence)
    for concept in ("allergy",) if of_any else ("allergy", "drug_allergy"):
        if concept in chart.denied:
            return denied("known allergies", chart.denied[concept].evidence)
    return silent("allergies" if of_any else f"allergy to {name_of(value)}", missing)
