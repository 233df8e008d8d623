"""What an item is about: from its logic where that is clear, else from its words."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from matcher.domain import AtScreening, Comparison, Expression, Presence, Unparsed
from matcher.expressions import atoms
from models import load_vocabulary
from models.criteria_classifier import load_criteria_classifier
from models.limits import load_limits

_OF_PRESENCE = {
    "disease": "disease", "expression": "disease", "disease_state": "disease_state", "response": "disease_state", "refractory_to": "prior_therapy",
    "intolerant_to": "prior_therapy", "measurable_disease": "measurement_or_imaging", "allergy": "allergy", "sex": "demographics",
}
_OF_COMPARISON = {
    "age": "demographics", "weight": "demographics", "height": "demographics", "bmi": "demographics", "ecog": "performance_status", "kps": "performance_status",
    "lansky": "performance_status", "life_expectancy": "performance_status", "prior_lines": "prior_therapy",
}
_OF_CONDITION = {  # by the nearest kind above a condition, the first that fits
    "pregnancy": "pregnancy_contraception", "breastfeeding": "pregnancy_contraception", "childbearing_potential": "pregnancy_contraception",
    "contraception": "pregnancy_contraception", "pregnancy_complication": "pregnancy_contraception", "allergy": "allergy", "infectious_disease": "infection",
}
_ORGANS = ("kidney", "liver", "heart", "lung")


def topic_of(text: str, expression: Expression, conditions: tuple[str, ...] = ()) -> str | None:
    """One of models.criteria_classifier.TOPICS: that of the first statement, else what the words tell, None where they tell nothing clear.

    `conditions`: the trial's own diseases (condition ids), which tell its disease from another malignancy.
    """
    stated = next(_stated(expression, conditions), None)
    return stated or load_criteria_classifier().classify(text).topic


def _stated(expression: Expression, conditions: tuple[str, ...]) -> Iterator[str]:
    """The topics of the statements that have a clear one; none from the first part that only words can tell."""
    for atom in atoms(expression):
        match atom:
            case AtScreening() | Unparsed():
                return
            case Comparison("days_since", of=of) if of:
                yield _of_concept(of, conditions)
            case Comparison(fact=fact):
                if found := _OF_COMPARISON.get(fact) or _of_test(fact):
                    yield found
            case Presence("prior_therapy", window=window):
                yield "concomitant_therapy" if window and window.relation == "current" else "prior_therapy"
            case Presence("condition", value=value):
                yield _of_concept(value, conditions)
            case Presence(fact=fact):
                yield _OF_PRESENCE[fact]


def _of_concept(concept: str, conditions: tuple[str, ...]) -> str:
    """A day counted from anything but a condition is counted from a treatment."""
    vocabulary = load_vocabulary()
    if concept not in vocabulary.conditions:
        return "prior_therapy"
    above = vocabulary.ancestors(concept)
    if concept in load_limits().organ_asked:
        return "organ_function"
    if found := next((topic for kind, topic in _OF_CONDITION.items() if kind in above), None):
        return found
    if "neoplasm" not in above:
        return "comorbidity"
    return "disease" if any(vocabulary.is_a(concept, own) or vocabulary.is_a(own, concept) for own in conditions if concept != "neoplasm") else "other_malignancy"


@cache
def _of_test(test: str) -> str | None:
    if any(limit.test == test for organ in _ORGANS for limit in load_limits().organs[organ].limits):
        return "organ_function"
    known = load_vocabulary().tests.get(test)
    return "laboratory" if known and known.kind == "lab" else None
