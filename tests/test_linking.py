"""Drug names as people misspell them, and English that only looks like them."""

from __future__ import annotations

import pytest

from matcher.notes.linking import link_drug, regimen_drugs, unlisted_agent


@pytest.mark.parametrize(("surface", "drug"), [
    ("bortezomib", "bortezomib"), ("Velcaide", "bortezomib"), ("pomalidamide", "pomalidomide"), ("daratumamab", "daratumumab"), ("Revlamid", "lenalidomide"),
    ("darzelex", "daratumumab"), ("carfilzomab", "carfilzomib"), ("lenalidamide", "lenalidomide"), ("Pomalist", "pomalidomide"), ("elranatimab", "elranatamab"),
    ("teclistimab", "teclistamab"), ("cyclophosphamid", "cyclophosphamide"), ("dexamethazone", "dexamethasone"), ("bendarnustine", "bendamustine"),
    ("metformin", None), ("melatonin", None), ("methadone", None), ("decade", None), ("carbamazepine", None), ("prednisolone", "prednisolone"), ("venlafaxine", None),
    ("dex", None), ("", None), ("thalassemia", None), ("velocity", None), ("selection", None), ("blended", None), ("telling", None), ("isolated", None),
])
def test_link_drug(surface, drug):
    assert link_drug(surface) == drug


ENGLISH = ["Yesterday", "the", "patient", "described", "progressive", "weakness", "after", "carrying", "furniture", "upstairs;", "examination", "revealed", "reduced", "strength", "and", "decreased", "reflexes", "without", "sensory", "disturbance.", "Relevant", "background", "includes", "hypertension,", "hyperlipidaemia,", "reflux", "oesophagitis", "and", "seasonal", "allergies.", "Because", "symptoms", "persisted", "overnight,", "colleagues", "requested", "magnetic", "resonance", "imaging,", "echocardiography,", "electrophoresis", "and", "repeated", "biochemistry.", "Everything", "considered,", "the", "consultant", "recommended", "physiotherapy,", "adequate", "hydration,", "analgesia", "whenever", "necessary", "and", "careful", "observation.", "Daughter", "telephoned;", "transport", "arranged,", "medication", "reviewed,", "vaccinations", "discussed,", "discharge", "summary", "forwarded.", "Selective", "attention,", "dexterity,", "velocity,", "elaborate", "elocution,", "bordering,", "bartering,", "revelation,", "revolved,", "pomegranate,", "pommelled,", "dartboard,", "darling,", "kyphosis,", "cyclical,", "cyclone,", "cytology,", "melancholy,", "melanoma,", "thalamus,", "carefully,", "carpeting,", "ventilated,", "ventral,", "talking,", "tallest,", "talcum,", "teething,", "technical,", "elegant,", "elevated,", "issue,", "isolation,", "ninety,", "empathy,", "embolic,", "sarcoid,", "sarcasm,", "expo,", "exploration,", "alcohol,", "evolved"]


def test_no_english_word_is_taken_for_a_drug():
    assert [w for w in ENGLISH if link_drug(w.strip(".,;")) is not None] == []


@pytest.mark.parametrize(("surface", "context", "agent"), [
    ("xevinatamab", False, "xevinatamab"), ("zuvomidomide", False, "zuvomidomide"), ("norva-cel", False, "norva-cel"), ("CT-0596", True, "ct-0596"), ("CT-0596", False, None),
    ("atorvastatin", False, None), ("CD138", True, None), ("nystatin", False, None), ("vitamin", False, None),
])
def test_an_agent_that_no_table_lists(surface, context, agent):
    assert unlisted_agent(surface, context) == agent


@pytest.mark.parametrize(("surface", "drugs"), [
    ("EKPd", ("elotuzumab", "carfilzomib", "pomalidomide", "dexamethasone")), ("Bad", ()), ("Rd", ()), ("VBd", ()), ("LED", ()), ("DKTd", ("daratumumab", "carfilzomib", "thalidomide", "dexamethasone")),
])
def test_regimen_letters(surface, drugs):
    assert regimen_drugs(surface) == drugs
