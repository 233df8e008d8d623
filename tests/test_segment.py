"""Eligibility text in, items out: verbatim, in order, each with its side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.trials.segment import segment


def items(text):
    return [(i.kind.value[0].upper(), " ".join(text[i.start : i.end].split())) for i in segment(text)]


BULLETS = """
Inclusion Criteria:

  - Age 18 years or older
  - Measurable disease, with one of the
    following:

      1. Serum M-protein >= 0.5 g/dL
      2. Urine M-protein >= 200 mg/24 h

Exclusion Criteria:

  - Prior BCMA therapy
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (BULLETS, [("I", "Age 18 years or older"), ("I", "Measurable disease, with one of the following: 1. Serum M-protein >= 0.5 g/dL 2. Urine M-protein >= 200 mg/24 h"), ("E", "Prior BCMA therapy")]),
        ("Inclusion Criteria:\n1. Age over 18. 2. ECOG 0\n • - 1.\n3. Signed consent. Exclusion Criteria:\n1. Pregnant. 2. HIV positive. 3. Other trial.", [("I", "Age over 18."), ("I", "ECOG 0 • - 1."), ("I", "Signed consent."), ("E", "Pregnant."), ("E", "HIV positive."), ("E", "Other trial.")]),
        ("Exclusion criteria:\nAny of the following points: Asthma (mild; stable); Gout; Stroke; Any tumor), except skin;", [("E", "Asthma (mild; stable)"), ("E", "Gout"), ("E", "Stroke"), ("E", "Any tumor), except skin")]),
        ("Key Inclusion Criteria:\n\n* Cohort 2 only:\n   * Prior teclistamab\n   * Age \\>= 18\n* Consent\n\nNOTE: Other protocol defined criteria apply.", [("I", "Prior teclistamab"), ("I", "Age \\>= 18"), ("I", "Consent")]),
        ("Inclusion Criteria:\n\nLaboratory:\n\n  1. ANC >= 1\n  2. Plt >= 50\n", [("I", "ANC >= 1"), ("I", "Plt >= 50")]),
        ("DISEASE CHARACTERISTICS: Proven lymphoma PATIENT CHARACTERISTICS: Age: 18 and over Performance status: ECOG 0-2 Hepatic: Bilirubin normal", [("I", "Proven lymphoma"), ("I", "Age: 18 and over"), ("I", "Performance status: ECOG 0-2"), ("I", "Hepatic: Bilirubin normal")]),
        ("Exclusion:\n- A\n- B\nInclusion:\n- C", [("E", "A"), ("E", "B"), ("I", "C")]),
        ("Inclusion Criteria\n\nAge > 18 years\n\nECOG 0 - 2\n\nExclusion Criteria\n\nPrior allograft", [("I", "Age > 18 years"), ("I", "ECOG 0 - 2"), ("E", "Prior allograft")]),
        ("Inclusion Criteria: Adults over 50 were taken. BMI below 30 was wanted. Diabetes was allowed.", [("I", "Adults over 50 were taken."), ("I", "BMI below 30 was wanted."), ("I", "Diabetes was allowed.")]),
        ("Inclusion Criteria:\n - Age:\n     - 18 and over\n", [("I", "Age: - 18 and over")]),
        ("Inclusion Criteria:\n - Age 24-55\n - Any of: 1) Gout, 2) Asthma, and/or 3) Stroke\n - Must meet criteria for at least one group: none\n", [("I", "Age 24-55"), ("I", "Any of: 1) Gout, 2) Asthma, and/or 3) Stroke"), ("I", "Must meet criteria for at least one group: none")]),
        ("Inclusion\n→ Age > 18\n✓ Gout\nNon-inclusion criteria\n1- Asthma\n2- Stroke", [("I", "Age > 18"), ("I", "Gout"), ("E", "Asthma"), ("E", "Stroke")]),
        ("5.1 Inclusion Criteria\n1.1 Gout with any of\n  1.1.1 Asthma\n1.2 ECOG 0\n5.2 Exclusion Criteria\nE1. Stroke\nE2. Psoriasis", [("I", "Gout with any of 1.1.1 Asthma"), ("I", "ECOG 0"), ("E", "Stroke"), ("E", "Psoriasis")]),
        ("Who can take part?\n- Gout\nWho cannot take part?\n- Stroke", [("I", "Gout"), ("E", "Stroke")]),
        ("Patients are eligible if they have:\n- Gout\nPatients are not eligible if they have:\n- Stroke", [("I", "Gout"), ("E", "Stroke")]),
        ("| Inclusion criteria |\n| I1 | Gout |\n| I2 | Asthma |\n| Exclusion criteria |\n| E1 | Stroke |", [("I", "Gout"), ("I", "Asthma"), ("E", "Stroke")]),
        ("Exclusion criteria:\n1. Stroke\nPage 12 of 80\n2. Asthma", [("E", "Stroke"), ("E", "Asthma")]),
        ("", []),
    ],
)
def test_items(text, expected):
    assert items(text) == expected


def test_a_cohort_names_the_items_under_it():
    text = "Inclusion Criteria:\n\n- Part B only:\n   - HER2 positive\n- Consent"
    assert next(i.cohort for i in segment(text)) == "Part B only"


@given(st.text(alphabet="Inclusion Excriteria:;.\n-*1234567890() \tab≥", max_size=400))
def test_any_text_gives_ordered_items_within_it(text):
    spans = [(i.start, i.end) for i in segment(text)]
    assert all(0 <= a < b <= len(text) for a, b in spans)
    assert spans == sorted(spans)
    assert all(left[1] <= right[0] for left, right in zip(spans, spans[1:], strict=False))
