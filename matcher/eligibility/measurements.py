"""Numbers against limits: labs, vital signs, age, performance status, prior lines, time since a therapy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matcher.domain import Comparison, Evidences, Lab, Reading, Status, Truth
from matcher.eligibility.chart import NEVER, Chart, Days, in_window
from matcher.eligibility.reasons import (
    Answer,
    duration,
    false,
    name_of,
    number,
    on,
    shown_lab,
    sign,
    silent,
    test_name,
    true,
    unit_of,
    unsettled,
)
from matcher.eligibility.therapies import exposure_shown, last_given, never_given, undated
from matcher.quantities import convert
from models.limits import load_limits

_DAYS = {"d": 1, "wk": 7, "mo": 30, "a": 365, "h": 1 / 24, "min": 1 / 1440}
FLC_RATIO = (0.26, 1.65)  # reference interval of the serum kappa to lambda ratio (Katzmann, Clin Chem 2002;48:1437)
_ADULT = 18
_FILTRATION = ("creatinine_clearance", "egfr")
_YEARS = {"a": 1, "mo": 1 / 12, "wk": 7 / 365, "d": 1 / 365}


@dataclass(frozen=True, slots=True)
class Interval:
    """The values a measurement allows. `open_low`: the low end itself is not among them."""

    low: float
    high: float
    open_low: bool = False
    open_high: bool = False

    @classmethod
    def measured(cls, value: float, comparator: str | None = None) -> Interval:
        """A value as reported, where "<50" or ">= 3" says a side."""
        value = _figures(value)
        match comparator:
            case "<" | "<=":
                return cls(-math.inf, value, open_high=comparator == "<")
            case ">" | ">=":
                return cls(value, math.inf, open_low=comparator == ">")
        return cls(value, value)


def holds(found: Interval, op: str, limit: float) -> Truth:
    """Whether every, no or some value of the interval meets the limit."""
    limit = _figures(limit)
    match op:
        case "<":
            return ~holds(found, ">=", limit)
        case "<=":
            return ~holds(found, ">", limit)
        case "=":
            if found.low == found.high == limit:
                return Truth.TRUE
            outside = limit < found.low or limit > found.high or (limit == found.low and found.open_low) or (limit == found.high and found.open_high)
            return Truth.FALSE if outside else Truth.UNKNOWN
    if found.low > limit or (found.low == limit and (op == ">=" or found.open_low)):
        return Truth.TRUE
    if found.high < limit or (found.high == limit and (op == ">" or found.open_high)):
        return Truth.FALSE
    return Truth.UNKNOWN


def _figures(value: float) -> float:
    """Ten significant figures: unit arithmetic must not turn 80 g/L into more than 8 g/dL."""
    return float(f"{value:.10g}")


def compare(asked: Comparison, chart: Chart, verb: str) -> Answer:
    """The answer to a comparison; `verb` introduces the limit in its reason ("required", "excluded if")."""
    profile = chart.profile
    match asked.fact:
        case "age":
            return _age(asked, chart, verb)
        case "ecog" | "kps":
            return _reading(asked, profile.ecog if asked.fact == "ecog" else profile.kps, asked.fact.upper(), verb, chart)
        case "life_expectancy":
            return _life_expectancy(asked, chart, verb)
        case "prior_lines":
            return _prior_lines(asked, chart, verb)
        case "days_since":
            return _days_since(asked, chart, verb)
    return _lab(asked, chart, verb)


def _limit(asked: Comparison, value: float | None = None, unit: str | None = None) -> str:
    return f"{sign(asked.op)} {number(asked.value if value is None else value)}{unit_of(unit)}"


def _age(asked: Comparison, chart: Chart, verb: str) -> Answer:
    age = chart.profile.age_years
    if age is None:
        return silent("the patient's age", "age")
    limit = asked.value * _YEARS.get(asked.unit or "a", 1)
    # a whole year of age is the year that follows the birthday; only a limit in months or weeks can fall inside it
    found = Interval(age.value, age.value) if limit == int(limit) else Interval(age.value, age.value + 1, open_high=True)
    return _told(holds(found, asked.op, limit), f"age {age.value}", age.evidence, verb, _limit(asked, unit=None if asked.unit in (None, "a") else asked.unit), "age")


def _reading(asked: Comparison, reading: Reading | None, name: str, verb: str, chart: Chart) -> Answer:
    if reading is None:
        return silent(f"{name} performance status" if name == "ECOG" else f"{name} score", asked.fact)
    if asked.window and reading.date and in_window(chart.days_ago(reading.date), asked.window) is not Truth.TRUE:
        return unsettled(f"{name} {reading.value}{on(reading.date)} is older than {duration(asked.window.days or 0)}", asked.fact, reading.evidence)
    found = Interval.measured(reading.value)
    return _told(holds(found, asked.op, asked.value), f"{name} {reading.value}{on(reading.date)}", reading.evidence, verb, _limit(asked), asked.fact)


def _life_expectancy(asked: Comparison, chart: Chart, verb: str) -> Answer:
    reading = chart.profile.life_expectancy_days
    if reading is None:
        return silent("life expectancy", "life_expectancy")
    limit = asked.value * _DAYS.get(asked.unit or "d", 1)
    shown = f"life expectancy {sign(reading.comparator) + ' ' if reading.comparator else ''}{duration(reading.value)}"
    return _told(holds(Interval.measured(reading.value, reading.comparator), asked.op, limit), shown, reading.evidence, verb, f"{sign(asked.op)} {duration(limit)}", asked.fact)


def _prior_lines(asked: Comparison, chart: Chart, verb: str) -> Answer:
    stated, lines = chart.profile.n_lines, chart.profile.lines
    evidence: Evidences = tuple(e for line in lines for e in line.evidence)
    if stated is not None:
        found, shown, evidence = Interval.measured(stated.value), _counted(stated.value), stated.evidence or evidence
    elif lines and chart.complete_history:
        found, shown = Interval.measured(len(lines)), _counted(len(lines))
    elif lines:
        found, shown = Interval.measured(len(lines), ">="), f"at least {_counted(len(lines))}"
    else:
        return silent("the number of prior lines of therapy", "prior_lines")
    return _told(holds(found, asked.op, asked.value), shown, evidence, verb, _limit(asked), "prior_lines")


def _counted(lines: int) -> str:
    return "no prior line of therapy" if lines == 0 else f"{lines} prior line{'s' if lines > 1 else ''} of therapy"


def _days_since(asked: Comparison, chart: Chart, verb: str) -> Answer:
    of = asked.of or "anti_myeloma_therapy"
    limit = asked.value * _DAYS.get(asked.unit or "d", 1)
    wanted = f"{sign(asked.op)} {duration(limit)} ago"
    if of in chart.vocabulary.conditions and of not in chart.vocabulary.therapies:
        return _days_since_condition(of, asked, limit, chart, verb, wanted)
    if (last := last_given(of, chart)) is not None:
        soonest, latest = last
        truth = holds(Interval(soonest.since[0], latest.since[1]), asked.op, limit)
        if truth is Truth.UNKNOWN:
            return unsettled(exposure_shown(soonest), f"therapy:{of}", soonest.evidence, undated(soonest))
        return _told(truth, exposure_shown(latest), latest.evidence, verb, wanted, f"therapy:{of}")
    if (never := never_given(chart.product_class(of), chart)) is not None:
        # a washout from what was never given is met; "given at least N days ago" asks the presence as a part of its own
        shown = never.said[0].shown if never.said else f"no {never.denied[0]}"
        return _told(holds(Interval(*NEVER), asked.op, limit), shown, never.evidence, verb, wanted, f"therapy:{of}")
    return silent(name_of(of), f"therapy:{of}")


def _days_since_condition(of: str, asked: Comparison, limit: float, chart: Chart, verb: str, wanted: str) -> Answer:
    facts = chart.conditions.get(of, ())
    dates = [when for f in facts if (when := f.until or f.date)]
    if not dates:
        if of in chart.denied:
            return _told(holds(Interval(*NEVER), asked.op, limit), f"no {name_of(of)}", chart.denied[of].evidence, verb, wanted, f"condition:{of}")
        return silent(name_of(of), f"condition:{of}")
    latest = max(dates)
    evidence = tuple(e for f in facts for e in f.evidence)
    return _told(holds(_days(chart.days_ago(latest)), asked.op, limit), f"{name_of(of)}{on(latest)}", evidence, verb, wanted, f"condition:{of}")


def _days(since: Days) -> Interval:
    return Interval(*since)


def _lab(asked: Comparison, chart: Chart, verb: str) -> Answer:
    lab = measurement(asked.fact, chart) or _by_name(asked.fact, chart)
    if asked.fact in _FILTRATION and (failure := _kidney_failure(chart)) is not None:
        truth = holds(Interval(0, 0), asked.op, max(asked.value, 0))
        return _told(truth, f"{name_of(failure[0])}, which no minimum clearance allows", failure[1], verb, _limit(asked, unit=asked.unit), asked.fact)
    if lab is None and asked.fact == "urine_m_protein" and (ratio := _normal_chain_ratio(chart)) is not None:
        shown = f"free light chain ratio {number(ratio.value)}{on(ratio.date)} is normal, so no measurable light chains in urine"
        return _told(holds(Interval(0, 0), asked.op, asked.value), shown, ratio.evidence, "", "", asked.fact)
    if lab is None:
        return silent(test_name(asked.fact), asked.fact)
    limit = _in_canonical_unit(asked, lab, chart)
    shown = shown_lab(lab)
    if limit is None:
        return unsettled(f"{shown} cannot be compared with a limit in{unit_of(asked.unit) or ' no unit'}", asked.fact, lab.evidence)
    if asked.window and lab.date and in_window(chart.days_ago(lab.date), asked.window) is not Truth.TRUE:
        return unsettled(f"{shown} is older than {duration(asked.window.days or 0)}", asked.fact, lab.evidence)
    wanted = _limit(asked, limit, lab.unit)
    if asked.x_uln or asked.x_lln:
        wanted = f"{sign(asked.op)} {number(asked.value)} × {'ULN' if asked.x_uln else 'LLN'} ({number(limit)}{unit_of(lab.unit)})"
    truth = holds(Interval.measured(lab.value, lab.comparator), asked.op, limit)
    good = Truth.TRUE if asked.op in (">", ">=") else Truth.FALSE
    if truth is good and asked.fact == "spo2" and (oxygen := _on_oxygen(chart)) is not None:
        return unsettled(f"{shown}, measured in a patient who needs oxygen", asked.fact, lab.evidence + oxygen)
    return _told(truth, shown, lab.evidence, verb, wanted, asked.fact)


def _in_canonical_unit(asked: Comparison, lab: Lab, chart: Chart) -> float | None:
    if asked.x_uln or asked.x_lln:
        normal = upper_normal(lab, chart) if asked.x_uln else lower_normal(lab, chart)
        return None if normal is None else asked.value * normal
    if asked.unit in (None, "1", "{class}", lab.unit):
        return asked.value
    return convert(asked.value, asked.unit, asked.fact) if asked.unit else asked.value


def upper_normal(lab: Lab, chart: Chart) -> float | None:
    """The note's own upper limit of normal, else the one in general use (tests.csv)."""
    test = chart.vocabulary.tests.get(lab.test)
    return lab.upper_normal if lab.upper_normal is not None else (test.uln if test else None)


def lower_normal(lab: Lab, chart: Chart) -> float | None:
    test = chart.vocabulary.tests.get(lab.test)
    return lab.lower_normal if lab.lower_normal is not None else (test.lln if test else None)


def measurement(test: str, chart: Chart) -> Lab | None:
    """The latest value of a test, computed from others where its definition allows."""
    found = chart.profile.latest(test)
    if found is not None:
        return found
    match test:
        case "creatinine_clearance":
            return _estimated_clearance(chart)
        case "egfr":
            return _estimated_filtration(chart)
        case "bmi":
            return _body_mass_index(chart)
        case "flc_ratio":
            return _ratio("flc_ratio", chart.profile.latest("kappa_flc"), chart.profile.latest("lambda_flc"))
    return None


def _by_name(test: str, chart: Chart) -> Lab | None:
    """The side of a limit that a finding of an adult names by definition (lab_findings.csv): obesity is a body mass index above it."""
    for finding in (f for rows in load_limits().findings.values() for f in rows if f.test == test and f.sex in ("", chart.sex)):
        named = [f for f in chart.conditions.get(finding.condition, ()) if f.status is Status.PRESENT]
        if named and (chart.age or _ADULT) >= _ADULT:
            return Lab(test, finding.limit, chart.vocabulary.tests[test].unit, named[0].evidence, comparator=">" if finding.side == "above" else "<")
    return None


def _estimated_clearance(chart: Chart) -> Lab | None:
    weight, creatinine = chart.profile.latest("weight"), chart.profile.latest("creatinine")
    if chart.age is None or chart.sex is None or weight is None or creatinine is None or creatinine.value <= 0 or creatinine.comparator:
        return None
    value = cockcroft_gault(chart.age, weight.value, creatinine.value, chart.sex)
    return Lab("creatinine_clearance", value, "mL/min", creatinine.evidence + weight.evidence, creatinine.date, condition="Cockcroft-Gault")


def cockcroft_gault(age: int, weight: float, creatinine: float, sex: str) -> float:
    """Estimated creatinine clearance in mL/min. Age in years, weight in kg, serum creatinine in mg/dL (above zero).

    Source: Cockcroft & Gault, Nephron 1976;16:31-41.
    """
    clearance = (140 - age) * weight / (72 * creatinine)
    return clearance * 0.85 if sex == "female" else clearance


def _estimated_filtration(chart: Chart) -> Lab | None:
    creatinine = chart.profile.latest("creatinine")
    if chart.age is None or chart.age < _ADULT or chart.sex is None or creatinine is None or creatinine.value <= 0 or creatinine.comparator:
        return None
    value = ckd_epi(chart.age, creatinine.value, chart.sex)
    return Lab("egfr", value, "mL/min/{1.73_m2}", creatinine.evidence, creatinine.date, condition="CKD-EPI 2021")


def ckd_epi(age: int, creatinine: float, sex: str) -> float:
    """Estimated glomerular filtration rate of an adult in mL/min/1.73 m². Age in years, serum creatinine in mg/dL (above zero).

    Source: Inker et al., N Engl J Med 2021;385:1737-1749 (creatinine, without race).
    """
    kappa, alpha, factor = (0.7, -0.241, 1.012) if sex == "female" else (0.9, -0.302, 1.0)
    ratio = creatinine / kappa
    return 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age * factor  # type: ignore[no-any-return]


def _body_mass_index(chart: Chart) -> Lab | None:
    weight, height = chart.profile.latest("weight"), chart.profile.latest("height")
    if weight is None or height is None or height.value <= 0:
        return None
    return Lab("bmi", weight.value / (height.value / 100) ** 2, "kg/m2", weight.evidence + height.evidence, weight.date, condition="from weight and height")


def _ratio(test: str, over: Lab | None, under: Lab | None) -> Lab | None:
    if over is None or under is None or under.value <= 0 or over.comparator or under.comparator or over.date != under.date:
        return None
    return Lab(test, over.value / under.value, "1", over.evidence + under.evidence, over.date, condition="calculated")


def _normal_chain_ratio(chart: Chart) -> Lab | None:
    """A normal serum ratio stands for urine without light chains (Katzmann, Mayo Clin Proc 2006;81:1575)."""
    ratio = measurement("flc_ratio", chart)
    return ratio if ratio is not None and not ratio.comparator and FLC_RATIO[0] <= ratio.value <= FLC_RATIO[1] else None


def _kidney_failure(chart: Chart) -> tuple[str, Evidences] | None:
    return _ongoing(("dialysis", "end_stage_renal_disease"), chart)


def _on_oxygen(chart: Chart) -> Evidences | None:
    found = _ongoing(("oxygen_therapy", "oxygen_dependence"), chart)
    return found[1] if found else None


def _ongoing(concepts: Sequence[str], chart: Chart) -> tuple[str, Evidences] | None:
    """The first of some treatments and conditions that the patient has now."""
    for concept in concepts:
        treated = (e.evidence for e in chart.given.get(concept, ()) if e.ongoing)
        present = (f.evidence for f in chart.conditions.get(concept, ()) if f.status is Status.PRESENT)
        if (evidence := next(iter((*treated, *present)), None)) is not None:
            return concept, evidence
    return None


def _told(truth: Truth, shown: str, evidence: Evidences, verb: str, wanted: str, missing: str) -> Answer:
    if truth is Truth.UNKNOWN:
        return unsettled(f"{shown} does not settle {wanted}", missing, evidence)
    return (true if truth is Truth.TRUE else false)(shown, evidence, verb, wanted)
