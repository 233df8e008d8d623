"""Note in, allergies out."""

from __future__ import annotations

import pytest

from matcher.notes.allergies import read_allergies
from matcher.notes.document import Document


@pytest.mark.parametrize(("note", "allergies"), [
    ("NKDA", [("any", "absent", None)]),
    ("Allergies: none.", [("all", "absent", None)]),
    ("No known drug allergies.", [("any", "absent", None)]),
    ("Nil known allergies. Never smoked.", [("all", "absent", None)]),
    ("Denies food and drug allergy.", [("all", "absent", None)]),
    ("Allergy - NKDA", [("any", "absent", None)]),
    ("No food allergies.", []),
    ("Allergies: penicillin (anaphylaxis), sulfa - hives.", [("penicillin", "present", "severe"), ("sulfonamide", "present", "mild")]),
    ("All: PCN (rash). Meds: aspirin.", [("penicillin", "present", "mild")]),
    ("Allergies: morphine (nausea). Iodine? pt says no.", [("morphine", "present", "intolerance")]),
    ("She is allergic to amoxicillin.", [("amoxicillin", "present", None)]),
    ("Known latex allergy.", [("latex", "present", None)]),
    ("Penicillin - rash as a child.", [("penicillin", "present", None)]),
    ("Allergies: anaphylaxis to bee stings, carries a pen. No drug allergies.", [("bee stings", "present", "severe"), ("any", "absent", None)]),
    ("History of rash to amoxicillin. A rash to the chest.", [("amoxicillin", "present", None)]),
    ("Gout and asthma.", []),
])
def test_allergies(note: str, allergies: list[tuple[str, str, str | None]]) -> None:
    found = read_allergies(Document(note))
    assert [(a.substance, a.status.value, a.severity) for a in found] == allergies
    assert all(note[e.start : e.end] == e.text for a in found for e in a.evidence)
