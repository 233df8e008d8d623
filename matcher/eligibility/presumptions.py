"""The policy "absent": what chart reviewers presume where a note is silent. Each presumption is marked as one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from matcher.domain import AtScreening, Comparison, Expression, Presence, Status, Truth, Unparsed, Window
from matcher.eligibility.chart import Chart, Exposure
from matcher.eligibility.conditions import condition
from matcher.eligibility.measurements import Interval, holds
from matcher.eligibility.reasons import Answer, Said, listing, name_of, true
from matcher.eligibility.therapies import exposure_shown, prior_therapy
from matcher.expressions import atoms
from models.limits import load_limits
from models.presumptions import load_presumptions

_PRESUMABLE = {"condition", "disease", "disease_state", "prior_therapy", "refractory_to", "intolerant_to", "allergy", "expression"}
# What a patient offers by coming: contraception, insurance, a stable course and what the body can do are facts that the note would have to tell.
_OFFERED = re.compile(
    r"\b(?:consent|assent|compl[iy]|adher|willing|agree|able\b|abilit|capable|capacity|availab|attend|follow|co-?operat|participat|accept|understand|comprehen|communicat|provi[ds]|volunt|speak|read\b)",
    re.IGNORECASE)
_COMPLIANCE = re.compile(r"complian|adheren|comply", re.IGNORECASE)
_OWN_FACT = re.compile(r"contracep|birth control|abstinen|steril|insur|stable|donat|\b(?:walk|mov(?:e|ing)|ambula|produc|sput)", re.IGNORECASE)

_FEW = 2  # words
_NAME = re.compile(r"[a-zA-Z][A-Z]|\d|\b[nN]on\b")  # an abbreviation, a number or a negation says something of its own


def presumed(expression: Expression, answer: Answer, chart: Chart, favourable: Truth) -> Answer:
    """The answer under the chart's policy. `favourable`: the truth that speaks for enrolling.

    What excludes is presumed not to be there: conditions, treatments, also of what is there, values beyond a limit, what was
    not understood; but not a condition that would explain what the patient has. What is told as history is presumed not to be recent. Of what
    is demanded, consent and compliance (unless the note tells of the contrary), a life expectancy and an ordinary body
    weight are presumed; a state that no note leaves out is presumed not to be there. A disease or a laboratory value that
    a trial demands is not presumed either way.
    """
    if chart.unmentioned != "absent" or answer.truth is not Truth.UNKNOWN:
        return answer
    excluding = favourable is Truth.FALSE
    match expression:
        case AtScreening(text) if _COMPLIANCE.search(text) and (told := chart.conditions.get("noncompliance")):
            return replace(true(f"{name_of(told[0].id)}, presumed to go on", told[0].evidence), truth=~favourable, presumed=True)
        case AtScreening(text) if excluding or (_OFFERED.search(text) and not _OWN_FACT.search(text)):
            return replace(answer, truth=favourable, said=(Said("to be confirmed at screening; presumed to be met"),), presumed=True)
        case Unparsed() if excluding:
            return replace(answer, truth=Truth.FALSE, said=adding("presumed not to exclude", answer), presumed=True)
        case Presence(fact="condition") if answer.silent and excluding and (explained := _would_explain(expression.value, chart)):
            return replace(answer, said=(Said(f"{name_of(expression.value)} would explain {listing(explained, 'and')}"),))
        case Presence() if excluding and not answer.silent and _is_of_treatment(expression) and _unqualified(expression, chart).truth is Truth.TRUE:
            return replace(answer, truth=Truth.FALSE, said=adding("presumed not", answer), missing=(), presumed=True)
        case Presence(fact="condition", window=Window(relation="within")) if excluding and _only_past(expression.value, chart):
            return replace(answer, truth=Truth.FALSE, said=adding("presumed not so recent", answer), missing=(), presumed=True)
        case Presence(fact="prior_therapy", window=Window(relation="current")) if (taken := _undated(expression, chart)):
            return Answer(Truth.TRUE, (Said(f"{exposure_shown(taken[0])}, presumed to go on"),), evidence=taken[0].evidence, presumed=True)
        case Presence() if answer.silent and expression.fact in _PRESUMABLE and (excluding or _evident(expression, chart)):
            return replace(answer, truth=Truth.FALSE, missing=(), presumed=True)
        case Comparison(fact="days_since", op=">" | ">=") if answer.silent and not excluding:
            return replace(answer, truth=Truth.TRUE, missing=(), presumed=True)
        case Comparison() if answer.silent and expression.fact != "age" and (excluding or _ordinary(expression, chart)):
            said = tuple(Said(f"the note does not mention {name}, presumed {'not to exclude' if excluding else 'sufficient'}") for name in answer.silent)
            return replace(answer, truth=favourable, said=said, silent=(), missing=(), presumed=True)
    return answer


def adding(words: str, answer: Answer) -> tuple[Said, ...]:
    return tuple(replace(s, left_open=f"{s.left_open}, {words}") if s.left_open else replace(s, shown=f"{s.shown}, {words}") for s in answer.said)


def minor(limit: Expression) -> bool:
    """Whether a demand's limit that was not understood is one of a word or two, such as "documented" or "typical"."""
    return isinstance(limit, Unparsed) and len(limit.text.split()) <= _FEW and not _OWN_FACT.search(limit.text) and not _NAME.search(limit.text)


def only_measured(expression: Expression, chart: Chart) -> bool:
    """Whether an item is about tests and names nothing else. A value beyond a limit is presumed not to be there beside the
    diseases of a list; alone it is a value that nobody has told."""
    leaves = list(atoms(expression))
    return any(isinstance(e, Comparison) and e.fact in chart.vocabulary.tests for e in leaves) and not any(isinstance(e, Presence) for e in leaves)


def _would_explain(asked: str, chart: Chart) -> tuple[str, ...]:
    """The findings of the patient that the asked condition would explain, and that no diagnosis of the note explains: what is
    worked up is not denied by silence. A chronic disease leaves open whether there is an acute one as well."""
    conditions, is_a = chart.vocabulary.conditions, chart.vocabulary.is_a

    def explained(finding: str, causes: Iterable[str]) -> bool:
        acute = conditions[asked].course == "acute"
        return any(_has(c, chart) and not is_a(finding, c) and (not acute or conditions[c].course == "acute") for c in causes)

    return tuple(
        name_of(finding)
        for finding, causes in load_presumptions().explains.items()
        if asked in causes and _has(finding, chart) and not explained(finding, causes)
    )


def _has(concept: str, chart: Chart) -> bool:
    return any(f.status is Status.PRESENT for f in chart.conditions.get(concept, ()))


def _is_of_treatment(asked: Presence) -> bool:
    """A treatment of some kind, or a disease by its treatment: which the note does not mention. How severe a disease is that it
    does mention is no such thing, and stays open."""
    return (asked.fact == "prior_therapy" and bool(asked.qualifiers)) or (asked.fact == "condition" and [key for key, _ in asked.qualifiers] == ["treatment"])


def _unqualified(asked: Presence, chart: Chart) -> Answer:
    """Whether it is there at all: of a kind that the note does not tell, it is presumed not to be the one that excludes."""
    return (condition if asked.fact == "condition" else prior_therapy)(replace(asked, qualifiers=()), chart)


def _only_past(asked: str, chart: Chart) -> bool:
    """What is told as history, without a date, is presumed not to be of the last weeks."""
    facts = chart.conditions.get(asked, ())
    return bool(facts) and all(f.status is Status.HISTORICAL for f in facts)


def _undated(asked: Presence, chart: Chart) -> tuple[Exposure, ...]:
    """Medicines other than cancer drugs that are named without a date: what is listed is presumed to be taken."""
    drugs = chart.vocabulary.drugs
    return tuple(
        e
        for e in chart.given.get(chart.product_class(asked.value), ())
        if e.agent in drugs and not drugs[e.agent].antineoplastic and not (e.start or e.end or e.line)
        and not any(chart.vocabulary.is_a(e.agent, chart.product_class(x)) for x in asked.excluding)
    )


def _evident(asked: Presence, chart: Chart) -> bool:
    """A state that no note leaves out, unless it shows what the state explains; of a pregnancy that is told, the complications
    may still be found."""
    if any(shown in chart.conditions for shown in load_presumptions().explains.get(asked.value, ())):
        return False
    if asked.window is not None and asked.window.relation != "current":
        return False
    if chart.vocabulary.is_a(asked.value, "pregnancy_complication") and "pregnancy" in chart.conditions:
        return False
    return any(chart.vocabulary.is_a(asked.value, state) for state in load_presumptions().evident)


def _ordinary(asked: Comparison, chart: Chart) -> bool:
    """Whether nearly everybody of the patient's age meets a demanded limit (body weight), or treatment presupposes it."""
    if asked.fact == "life_expectancy":
        return asked.op in (">", ">=")
    if asked.fact != "weight" or chart.age is None or asked.unit not in (None, "kg"):
        return False
    low, high = load_limits().weight(chart.age)
    return holds(Interval(low, high), asked.op, asked.value) is Truth.TRUE
