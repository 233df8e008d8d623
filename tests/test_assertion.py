"""How a sentence asserts the term in [brackets]."""

from __future__ import annotations

import csv
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.domain import Status
from matcher.notes.assertion import assert_span, assertion, scopes
from matcher.notes.document import Document
from models.cues import load_cues
from models.vocabulary import RESOURCES

PRESENT, ABSENT, POSSIBLE, FAMILY, HISTORICAL = Status.PRESENT, Status.ABSENT, Status.POSSIBLE, Status.FAMILY, Status.HISTORICAL


def status_of(marked: str) -> Status:
    start = marked.index("[[")
    end = marked.index("]]") - 2
    return assert_span(marked.replace("[[", "").replace("]]", ""), start, end)


@pytest.mark.parametrize("marked", [
    "Denies [[chest pain]].",
    "Denies hypertension, diabetes and [[gout]].",
    "No fever, chills or [[night sweats]].",
    "There is no evidence of [[pneumonia]].",
    "She never had a [[stroke]].",
    "Negative for [[tuberculosis]].",
    "Without [[edema]].",
    "w/o [[rash]]",
    "Neither cough nor [[wheeze]] was reported.",
    "[[Pulmonary embolism]] was ruled out.",
    "Amyloid, gout and [[sarcoidosis]] excluded.",
    "[[Fever]]: none. Cough: yes.",
    "[[Diabetes]] no. Asthma yes.",
    "[[Goitre]] (-), nodules (+).",
    "(-) [[syphilis]]",
    "-ve for [[malaria]]",
    "[[Lymphoma]]? No, that was a lipoma.",
    "[[Thyroid cancer]]? - patient says no",
    "Grade 0 [[neuropathy]].",
    "She has nothing [[autoimmune]].",
    "Not a [[seizure disorder]].",
    "No new [[lesions]].",
    "He does not have [[heart failure]].",
    "No family or personal history of [[melanoma]] in this man.",
    "Free of [[ascites]] at the last visit.",
    "Chest pain but no [[dyspnea]].",
    "No signs of cholecystitis, [[pancreatitis]] or peptic ulcer.",
    "She was left with no residual [[weakness]].",
    "The scan was negative for [[pulmonary embolism]] and showed an effusion.",
    "Cultures have been negative for [[tuberculosis]].",
    "He has been ruled out for [[myocardial infarction]].",
    "The test was not positive for [[syphilis]].",
    "She isn't [[diabetic]].",
    "He doesn\u2019t report any [[chest pain]].",
])
def test_denied(marked: str) -> None:
    assert status_of(marked) is ABSENT


@pytest.mark.parametrize("marked", [
    "He has [[gout]].",
    "No fever but [[cough]].",
    "No chest pain; [[palpitations]] at night.",
    "No fever, [[hypertension]] is controlled.",
    "No antibiotics for [[pneumonia]].",
    "No change in the [[pleural effusion]].",
    "Not only [[gout]] but asthma.",
    "Gram negative [[bacteremia]].",
    "Cannot walk because of [[arthritis]].",
    "No edema, on lisinopril for [[hypertension]].",
    "No longer smokes. [[COPD]] stable.",
    "[[Diabetes]], not well controlled.",
    "Hypoxia without fever due to [[pneumonia]].",
    "[[Hepatitis C]] (+), HIV (-).",
    "Allergies: none. [[Asthma]].",
    "Her mother reports that she has [[migraine]].",
    "Here with his daughter. [[Gout]] is better.",
    "Lives with her sister. [[Asthma]].",
    "There is no reason to doubt [[rheumatoid arthritis]].",
    "Never smoked. [[Emphysema]] on CT.",
])
def test_asserted(marked: str) -> None:
    assert status_of(marked) is PRESENT


@pytest.mark.parametrize("marked", [
    "Possible [[pneumonia]].",
    "r/o [[deep vein thrombosis]]",
    "Rule out [[myeloma]].",
    "?[[cellulitis]]",
    "Concern for [[sepsis]].",
    "[[Sepsis]] not excluded.",
    "[[Cirrhosis]] unlikely but a scan is booked to exclude it.",
    "Presumed [[sarcoidosis]].",
    "[[Lymphoma]] cannot be excluded.",
    "Pneumonia vs [[atelectasis]].",
    "Suspected [[stroke]].",
])
def test_doubted(marked: str) -> None:
    assert status_of(marked) is POSSIBLE


@pytest.mark.parametrize("marked", [
    "Mother had [[breast cancer]].",
    "Father - MI at 49 and [[colon cancer]] at 70.",
    "FH: sister with [[lupus]].",
    "Family history: mother stroke; brother [[gout]].",
    "His brother, also a farmer, died of [[myeloma]].",
    "Strong family history of [[diabetes]].",
    "Her sister has just been diagnosed with [[breast cancer]].",
    "[[Colon cancer]]: mother, sister.",
    "She asks about tremor because her father has [[Parkinson disease]].",
    "[[Hemophilia]] in his brother.",
])
def test_of_a_relative(marked: str) -> None:
    assert status_of(marked) is FAMILY


@pytest.mark.parametrize("marked", [
    "History of [[stroke]].",
    "s/p [[myocardial infarction]]",
    "[[Pneumonia]] in March, resolved.",
    "[[DVT]] ten years ago.",
    "[[Prostate cancer]] 2009, radical prostatectomy.",
    "Previous [[pulmonary embolism]].",
    "[[Asthma]] in childhood.",
    "[[Shingles]] last winter, healed.",
    "[[Melanoma]] excised with clear margins.",
    "[[Cytokine release syndrome]] grade 1 and tremor, both recovered.",
])
def test_past(marked: str) -> None:
    assert status_of(marked) is HISTORICAL


@pytest.mark.parametrize("marked", [
    "Return if [[fever]] occurs.",
    "Call for [[bleeding]].",
    "Vaccinated against [[influenza]].",
    "[[Hepatitis B]] vaccine given.",
    "[[DVT]] prophylaxis with enoxaparin.",
    "We discussed the risk of [[neuropathy]].",
    "She asked whether it was [[lymphoma]].",
    "Watch for [[tumor lysis syndrome]].",
    "[ ] [[Diabetes]] [x] Hypertension",
    "His roommate has [[tuberculosis]].",
    "Husband [[hepatitis C]].",
    "Flu and [[COVID]] shots are due.",
])
def test_not_said_of_the_patient(marked: str) -> None:
    """Conditions, warnings, plans and other people: no fact (a caller who must have a status gets `possible`)."""
    start = marked.index("[[")
    text = marked.replace("[[", "").replace("]]", "")
    context = scopes(Document(text)).context(start, marked.index("]]") - 2)
    assert context.hypothetical or context.other
    assert context.status is POSSIBLE


def test_an_afterthought_reaches_only_the_nearest_mention() -> None:
    text = "Asthma, pneumonia in May, resolved."
    found = scopes(Document(text))
    starts = [0, 8]
    assert [found.context(a, b, starts).resolved for a, b in ((0, 6), (8, 17))] == [False, True]


def test_every_cue_has_a_known_category_and_stands_once() -> None:
    cues = load_cues()
    assert len(cues) > 1000
    with (RESOURCES / "cues.csv").open(encoding="utf-8") as lines:
        assert len(cues) == sum(1 for _ in csv.DictReader(lines))
    assert set(Counter(c.category for c in cues)) == {
        "negated", "not_new", "ignored", "possible", "family", "other_person", "past", "resolved", "treated", "current", "hypothetical", "boundary", "patient"}


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("no denies. , ; ( ) - fever:\n?/|mother")), max_size=200), st.data())
def test_any_text_has_a_status(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    assert assertion(Document(text), start, end) in Status


@pytest.mark.parametrize("finding", ["gout", "asthma", "heart failure", "pneumonia"])
def test_a_denial_turns_any_finding_round(finding: str) -> None:
    assert status_of(f"He has [[{finding}]].") is PRESENT
    assert status_of(f"He denies [[{finding}]].") is ABSENT
