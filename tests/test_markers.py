"""Antigens that a note reports on the malignant cells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.notes.document import Document
from matcher.notes.markers import read_markers


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Marrow: 40% CD138+ plasma cells.", [("cd138_positive", "present")]),
        ("CD38+/CD138+/CD56-, lambda restricted", [("cd38_positive", "present"), ("cd138_positive", "present"), ("cd56_positive", "absent")]),
        ("plasma cells, CD138 positive; BCMA not stained", [("cd138_positive", "present")]),
        ("BCMA IHC positive in 85% of cells", [("bcma_positive", "present")]),
        ("CD138 strongly positive, CD38 dim", [("cd138_positive", "present"), ("cd38_positive", "present")]),
        ("CD138 (+), CD56 (-)", [("cd138_positive", "present"), ("cd56_positive", "absent")]),
        ("CD138-positive kappa plasma cells", [("cd138_positive", "present")]),
        ("positive for CD138 and CD56", [("cd138_positive", "present"), ("cd56_positive", "present")]),
        ("GPRC5D lost", [("gprc5d_positive", "absent")]),
        ("carcinoma, CD138 neg", [("cd138_positive", "absent")]),
        ("anti-CD38 antibody in 2021", []),
        ("CD138 stain pending", []),
    ],
)
def test_markers(text, wanted):
    assert [(f.id, f.status.value) for f in read_markers(Document(text))] == wanted


@given(st.text(alphabet="CD138 BCMA+-()positvenga,/"))
def test_evidence_quotes_the_note(text):
    assert all(text[e.start : e.end] == e.text for f in read_markers(Document(text)) for e in f.evidence)
