"""What a note says of the electrocardiogram."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.notes.document import Document
from matcher.notes.electrocardiogram import read_ecg


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ECG: normal sinus rhythm.", "absent"),
        ("EKG NSR, WNL", "absent"),
        ("ECG sinus rhythm, normal, no delta wave.", "absent"),
        ("ECG without pathological changes", "absent"),
        ("Electrocardiogram: sinus rhythm 62/min", "absent"),
        ("ECG: left bundle branch block, new", "present"),
        ("ECG: AF, rate 76", "present"),
        ("ECG low voltage, first degree AV block", "present"),
        ("ECG sinus tachycardia, ST-T changes", "possible"),
        ("ECG: sinus rhythm, nonspecific ST-T change", "possible"),
        ("EKG not repeated.", None),
        ("ECG ordered for next week", None),
        ("Heart sounds normal.", None),
        ("ECG 2021: atrial fibrillation. ECG today: sinus rhythm, normal.", "absent"),
    ],
)
def test_ecg(text, wanted):
    found = read_ecg(Document(text))
    assert (found and found.status.value) == wanted


@given(st.text(alphabet="ECG: normalAF.st\n"))
def test_evidence_quotes_the_note(text):
    found = read_ecg(Document(text))
    assert found is None or all(text[e.start : e.end] == e.text for e in found.evidence)
