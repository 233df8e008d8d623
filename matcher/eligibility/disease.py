"""The malignancy itself: is it the trial's disease, in which state, measurable, how did it respond."""

from __future__ import annotations

from matcher.domain import Lab, Presence, Reading, Status, Truth
from matcher.eligibility.chart import Chart
from matcher.eligibility.conditions import condition
from matcher.eligibility.measurements import FLC_RATIO, Interval, holds, measurement
from matcher.eligibility.reasons import (
    Answer,
    duration,
    evidence_of,
    false,
    name_of,
    number,
    on,
    shown_lab,
    silent,
    together,
    true,
    unit_of,
    unsettled,
)
from matcher.eligibility.therapies import responded

# Which stated states meet which asked ones (IMWG; Rajkumar 2011). `relapsed_refractory` is asked as either of the two.
_STATES: dict[str, frozenset[str]] = {
    "relapsed": frozenset({"relapsed", "relapsed_refractory"}),
    "refractory": frozenset({"refractory", "relapsed_refractory"}),
    "relapsed_refractory": frozenset({"relapsed", "refractory", "relapsed_refractory", "progressive"}),
    "progressive": frozenset({"progressive", "relapsed_refractory", "relapsed", "refractory"}),
    "previously_treated": frozenset({"relapsed", "refractory", "relapsed_refractory", "remission"}),
    "newly_diagnosed": frozenset({"newly_diagnosed"}),
    "remission": frozenset({"remission"}),
    "stable": frozenset({"stable"}),
}
# Serum and urine M-protein, involved free light chain. IMWG 2016 asks 1 g/dL of serum M-protein (Kumar, Lancet Oncol 2016;17:e328);
# many protocols accept 0.5 g/dL, so that a value between the two is for the protocol to say.
_SERUM_IMWG, _SERUM_LEAST, _URINE, _CHAIN = 1.0, 0.5, 200.0, 100.0


def disease(asked: Presence, chart: Chart) -> Answer:
    """Has the patient the trial's malignancy? A note that is about another one settles that it is not this."""
    answer = condition(asked, chart)
    vocabulary, value = chart.vocabulary, asked.value
    own = chart.conditions.get(value, ())
    if answer.truth is Truth.TRUE and chart.malignancies and own and all(f.status is Status.HISTORICAL for f in own):
        return unsettled(f"past {name_of(own[0].id)}", f"condition:{value}", own[0].evidence, f"the note is about {_named(chart)}")
    if answer.truth is not Truth.UNKNOWN or not answer.silent or not (vocabulary.is_a(value, "malignancy") or vocabulary.is_a(value, "plasma_cell_disorder")):
        return answer
    if chart.malignancies and not any(vocabulary.is_a(value, f.id) for f in chart.malignancies):
        return false(f"the patient has {_named(chart)}", chart.malignancies[0].evidence, "with no mention of", name_of(value))
    return answer


def _named(chart: Chart) -> str:
    return " and ".join(map(name_of, chart.primaries))


def disease_state(asked: Presence, chart: Chart) -> Answer:
    profile = chart.profile
    if asked.value == "previously_treated" and profile.lines:
        return true(f"{len(profile.lines)} line{'s' if len(profile.lines) > 1 else ''} of therapy", profile.lines[0].evidence)
    wanted, name = asked.value, asked.value.replace("_", "/" if asked.value == "relapsed_refractory" else " ")
    state = profile.disease_state
    if state is not None:
        meeting = _STATES.get(wanted, frozenset({wanted}))
        shown = f"disease {str(state.value).replace('relapsed_refractory', 'relapsed and refractory').replace('_', ' ')}"
        if state.value in meeting and asked.window and not asked.qualifiers:
            return _since_last_line(asked, shown, chart)
        if state.value in meeting and asked.qualifiers:
            return unsettled(shown, "disease_state", state.evidence, "since when is not stated")
        if state.value in meeting:
            return true(shown, state.evidence)
        if wanted in _STATES:
            return false(f"{shown}, not {name}", state.evidence)
        return unsettled(f"{shown}; {name} is not stated", "disease_state", state.evidence)
    after_treatment = wanted in ("relapsed", "refractory", "relapsed_refractory", "previously_treated", "remission")
    if chart.never_treated and (after_treatment or (wanted == "progressive" and _counts_from_treatment(asked))):
        return false(f"no treatment given so far, so not {name}", evidence_of(profile.n_lines))
    if wanted == "newly_diagnosed" and profile.n_lines and profile.n_lines.value > 1:
        return false(f"{profile.n_lines.value} prior lines, so not newly diagnosed", profile.n_lines.evidence)
    return silent("the state of the disease", "disease_state")


def _since_last_line(asked: Presence, shown: str, chart: Chart) -> Answer:
    """A relapse "within 12 months after the last line": on the last line, or so soon after it ended. Other anchors stay open."""
    window, state = asked.window, chart.profile.disease_state
    if window is None or state is None or window.days is None or not _counts_from_treatment(asked):
        return unsettled(shown, "disease_state", state.evidence if state else (), "since when is not stated")
    last = max(chart.profile.lines, key=lambda x: x.number, default=None)
    if last is None:
        return unsettled(f"{shown}; the last line of therapy is not described", "disease_state", state.evidence)
    failed = {r.value for r in chart.profile.refractory_to}
    if last.reason_stopped == "progression" or set(last.drugs) <= failed:
        return true(f"progression on line {last.number}", last.evidence)
    if last.end is None or chart.today is None:
        return unsettled(f"{shown}; when line {last.number} ended is not stated", "disease_state", state.evidence + last.evidence)
    ended = chart.days_ago(last.end)
    relapsed = chart.days_ago(state.date) if state.date else (0.0, 0.0)
    least, most = max(0, ended[0] - relapsed[1]), max(0, ended[1] - relapsed[0])
    told = f"{shown}; line {last.number} ended{on(last.end)}"
    if most <= window.days:
        return true(told, state.evidence + last.evidence)
    # without a date of the relapse only a treatment-free time far beyond the window says that it came later
    if least > window.days * (1 if state.date else 2):
        return false(f"{told}, more than {duration(window.days)} before", state.evidence + last.evidence)
    return unsettled(f"{told}; when it relapsed is not stated", "disease_state", state.evidence + last.evidence)


def _counts_from_treatment(asked: Presence) -> bool:
    anchor = (asked.window.anchor or "").casefold() if asked.window else ""
    return any(word in anchor for word in ("line", "therap", "treatment", "regimen", "dose"))


def response(asked: Presence, chart: Chart) -> Answer:
    """Best response to the last line: at least the asked one; PD and SD as such."""
    lines = chart.profile.lines
    if not lines and chart.never_treated:
        return unsettled("no treatment given so far, so no response to it", "response", evidence_of(chart.profile.n_lines))
    if not lines:
        return silent("the response to treatment", "response")
    last = max(lines, key=lambda x: x.number)
    shown = f"best response {last.best_response or 'not stated'} to line {last.number}"
    match responded(last, asked.value):
        case Truth.TRUE:
            return true(shown, last.evidence)
        case Truth.FALSE:
            return false(shown, last.evidence)
    return unsettled(shown, "response", last.evidence)


def measurable_disease(asked: Presence, chart: Chart) -> Answer:
    """IMWG: serum M-protein, urine M-protein of 200 mg/24 h, or an involved free light chain of 100 mg/L with abnormal ratio."""
    serum, urine = chart.profile.latest("serum_m_protein"), chart.profile.latest("urine_m_protein")
    chain = _involved_chain(chart)
    judged = [
        _reaches(serum, _SERUM_IMWG, chart),
        _reaches(urine, _URINE, chart),
        _chain_measurable(chain, chart),
    ]
    if found := [a for a in judged if a and a.truth is Truth.TRUE]:
        return together(Truth.TRUE, found)
    if serum is not None and holds(Interval.measured(serum.value, serum.comparator), ">=", _SERUM_LEAST) is not Truth.FALSE:
        return unsettled(f"{shown_lab(serum)}: measurable where the protocol accepts {_SERUM_LEAST} g/dL", "measurable_disease", serum.evidence)
    normal_ratio = _ratio_normal(chart)
    no_chains = normal_ratio is True or (judged[2] is not None and judged[2].truth is Truth.FALSE)
    settled = [a for a in judged if a and a.truth is Truth.FALSE]
    if no_chains and (serum is not None or normal_ratio) and (urine is not None or normal_ratio):
        return together(Truth.FALSE, settled)
    if not settled and chart.malignancies and not any(chart.vocabulary.is_a(f.id, "plasma_cell_disorder") for f in chart.malignancies):
        return silent("measurable lesions", "measurable_disease")
    if not settled:
        return silent("M-protein or free light chains", "measurable_disease")
    return Answer(Truth.UNKNOWN, tuple(s for a in settled for s in a.said), evidence=tuple(e for a in settled for e in a.evidence), missing=("measurable_disease",))


def _reaches(lab: Lab | None, least: float, chart: Chart) -> Answer | None:
    if lab is None:
        return None
    there = holds(Interval.measured(lab.value, lab.comparator), ">=", least)
    wanted = f"≥ {number(least)}{unit_of(lab.unit)}"
    return Answer(there, (true(shown_lab(lab), verb="measurable if", asked=wanted).said), evidence=lab.evidence, missing=() if there is not Truth.UNKNOWN else ("measurable_disease",))


def _involved_chain(chart: Chart) -> Lab | None:
    chains = [lab for lab in (chart.profile.latest("kappa_flc"), chart.profile.latest("lambda_flc")) if lab]
    return max(chains, key=lambda lab: lab.value, default=None)


def _ratio_normal(chart: Chart) -> bool | None:
    ratio = measurement("flc_ratio", chart)
    if ratio is None or ratio.comparator:
        return None
    return FLC_RATIO[0] <= ratio.value <= FLC_RATIO[1]


def _chain_measurable(chain: Lab | None, chart: Chart) -> Answer | None:
    normal = _ratio_normal(chart)
    if normal:
        ratio = measurement("flc_ratio", chart)
        return false(f"free light chain ratio {number(ratio.value)} normal", ratio.evidence) if ratio else None
    if chain is None:
        return None
    reached = _reaches(chain, _CHAIN, chart)
    if reached and reached.truth is Truth.TRUE and normal is None:
        return Answer(Truth.UNKNOWN, reached.said, evidence=reached.evidence, missing=("flc_ratio",))
    return reached


def sex(asked: Presence, chart: Chart) -> Answer:
    stated: Reading | None = chart.profile.sex
    if stated is None:
        return silent("the patient's sex", "sex")
    return (true if stated.value == asked.value else false)(f"{stated.value} patient", stated.evidence)
