"""Items that no rule reads: whether a note can settle them, and what they are about."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.answers import trial_answer, trial_from_answer
from matcher.domain import AnyOf, AtScreening, Comparison, Presence, Unparsed, Window
from matcher.trials import read_trials
from matcher.trials.criteria import _assessable
from matcher.trials.topics import topic_of
from models.criteria_classifier import CRITERIA, TOPICS, CriteriaClassifier, ItemReading, load_criteria_classifier
from models.training import criteria


@pytest.mark.parametrize(
    ("text", "assessable"),
    [
        ("Volunteers must be willing to comply with all study visits and procedures", False),
        ("Signed consent of the parents", False),
        ("Any other reason for which the investigator considers the candidate unsuitable", False),
        ("Relatives of study staff", False),
        ("Serum amyloid level higher than twice the normal limit", True),
        ("Chronic infection of the sinuses", True),
        ("Prior treatment with a radioligand", True),
        ("", True),
        ("§ ¤ ¤", True),
    ],
)
def test_a_wholly_unparsed_item_is_assessable_unless_its_words_say_clearly_that_it_is_not(text, assessable):
    assert load_criteria_classifier().classify(text).assessable is assessable
    assert _assessable(AnyOf((Unparsed(text), Unparsed("")))) is assessable


def test_logic_is_assessable_whatever_the_words_around_it():
    words = Unparsed("as judged by the investigator, and willing to sign informed consent")
    assert _assessable(AnyOf((Comparison("ecog", "<=", 1, None), words)))


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Written informed consent given by the patient", "consent_compliance"),
        ("Severe allergy to any component of the drug", "allergy"),
        ("Untreated hepatitis infection", "infection"),
        ("Another cancer within the past 4 years", "other_malignancy"),
        ("Breastfeeding or pregnant at the start of the trial", "pregnancy_contraception"),
        ("Serum haemoglobin level of at least 85", "laboratory"),
        ("qqq zzz", None),
    ],
)
def test_words_tell_the_topic_or_nothing(text, topic):
    assert load_criteria_classifier().classify(text).topic == topic


@pytest.mark.parametrize(
    ("expression", "topic"),
    [
        (Comparison("age", ">=", 18, "year"), "demographics"),
        (Comparison("ecog", "<=", 2, None), "performance_status"),
        (Comparison("ferritin", ">", 300, "ng/mL"), "laboratory"),
        (Comparison("creatinine_clearance", ">=", 40, "mL/min"), "organ_function"),
        (Comparison("days_since", ">=", 28, "day", of="radiotherapy"), "prior_therapy"),
        (Presence("prior_therapy", "proteasome_inhibitor"), "prior_therapy"),
        (Presence("prior_therapy", "corticosteroid", Window("current")), "concomitant_therapy"),
        (Presence("condition", "tuberculosis"), "infection"),
        (Presence("condition", "heart_failure"), "comorbidity"),
        (Presence("condition", "breast_cancer"), "other_malignancy"),
        (Presence("condition", "multiple_myeloma"), "disease"),
        (Presence("condition", "pregnancy"), "pregnancy_contraception"),
        (Presence("disease", "multiple_myeloma"), "disease"),
        (Presence("measurable_disease", "measurable_disease"), "measurement_or_imaging"),
        (AnyOf((Presence("allergy", "albumin"), Comparison("age", ">=", 18, "year"))), "allergy"),
    ],
)
def test_logic_tells_the_topic_before_words_do(expression, topic):
    assert topic_of("Signed informed consent", expression, ("multiple_myeloma",)) == topic


@pytest.mark.parametrize("expression", [AtScreening("Signed informed consent"), Unparsed("Signed informed consent")])
def test_words_tell_the_topic_of_what_is_no_logic(expression):
    assert topic_of("Signed informed consent", expression) == "consent_compliance"


def test_a_trial_carries_its_topics_through_its_answer():
    [trial] = read_trials(b'{"id": "T1", "title": "Myeloma", "conditions": ["Multiple myeloma"], "eligibility": "Inclusion Criteria:\\n- Age 18 or older\\n- Signed informed consent\\n- ECOG 0-1"}', "t")
    assert [c.topic for c in trial.criteria] == ["demographics", "consent_compliance", "performance_status"]
    assert trial_from_answer(trial_answer(trial)).criteria == trial.criteria


def test_an_answer_written_before_topics_reads_without_them():
    [trial] = read_trials(b'{"id": "T1", "title": "Myeloma", "eligibility": "Inclusion Criteria:\\n- Age 18 or older"}', "t")
    answer = trial_answer(trial)
    del answer["criteria"][0]["topic"]
    assert [c.topic for c in trial_from_answer(answer).criteria] == [None]


@given(st.text(max_size=300))
def test_every_text_has_an_answer(text):
    read = load_criteria_classifier().classify(text)
    assert read == load_criteria_classifier().classify(text)
    assert read.topic is None or read.topic in TOPICS


def test_a_very_long_item_is_told_by_its_beginning():
    assert load_criteria_classifier().classify("Signed informed consent " + "consent " * 1_000_000) == ItemReading(False, "consent_compliance")


@pytest.fixture(scope="module")
def retrained(tmp_path_factory):
    return criteria.train(tmp_path_factory.mktemp("trained") / "criteria.json")


def test_the_artefact_is_what_training_gives(retrained):
    kept = load_criteria_classifier()
    assert kept.places == retrained.places
    np.testing.assert_allclose(kept.weights, retrained.weights, atol=2 / criteria.SCALE)


@pytest.mark.parametrize(("split", "not_assessable", "answered"), [("dev", 0.80, 0.88), ("test", 0.80, 0.66)])
def test_what_it_says_is_as_right_as_the_model_card_says(split, not_assessable, answered):
    figures = criteria.figures(load_criteria_classifier(), criteria.examples(split))
    assert figures["not_assessable"]["precision"] >= not_assessable
    assert figures["topic_accuracy_of_answered"] >= answered


def test_examples_are_of_known_topics_and_of_one_side_only():
    sides = [criteria.examples(split) for split in ("train", "dev", "test")]
    assert {e.topic for side in sides for e in side} == set(TOPICS)
    texts = [e.text.lower() for side in sides for e in side]
    assert len(texts) == len(set(texts))


@pytest.mark.parametrize("content", ["", "{}", '{"topics": [], "scale": 1, "bias": [], "pieces": {}}'])
def test_a_damaged_artefact_is_refused(content, tmp_path):
    path = tmp_path / "criteria.json"
    path.write_text(content)
    with pytest.raises((ValueError, KeyError)):
        CriteriaClassifier.read(path)


def test_the_artefact_is_small():
    assert CRITERIA.stat().st_size < 1_500_000
