"""Numbers and units: what people write, and what it is in the unit a test is kept in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.quantities import canonical, convert, numbers, plain, ucum, unit_at
from models import load_vocabulary


@pytest.mark.parametrize(("spelling", "code"), [
    ("x10^9/L", "10*9/L"), ("x 10⁹/L", "10*9/L"), ("10E9/L", "10*9/L"), ("x10(9)/L", "10*9/L"), ("K/uL", "10*9/L"), ("10*3/mm3", "10*9/L"),
    ("/nl", "10*9/L"), ("G/L", "10*9/L"), ("g/L", "g/L"), ("g/l", "g/L"), ("/mm3", "/uL"), ("/cumm", "/uL"), ("lakh/cumm", "10*5/uL"),
    ("10^4/uL", "10*4/uL"), ("gm%", "g/dL"), ("g/dl", "g/dL"), ("µmol/l", "umol/L"), ("μmol/L", "umol/L"), ("micromol/L", "umol/L"),
    ("µkat/L", "ukat/L"), ("IU/L", "U/L"), ("UI/L", "U/L"), ("mg/24 h", "mg/(24.h)"), ("g/day", "g/(24.h)"), ("mIU/mL", "m[IU]/mL"),
    ("mL/min/1.73 m²", "mL/min/{1.73_m2}"), ("mm Hg", "mm[Hg]"), ("°F", "[degF]"), ("lbs", "[lb_av]"), ("furlong", None), ("", None),
])
def test_spellings(spelling, code):
    assert ucum(spelling) == code


@pytest.mark.parametrize(("text", "at", "found"), [
    ("9.8 g/dL (L)", 3, ("g/dL", 8)),
    ("140 mg/24 h.", 3, ("mg/(24.h)", 11)),  # not mg
    ("0.62 lakh/cumm", 4, ("10*5/uL", 14)),
    ("36 g/L", 2, ("g/L", 6)),
    ("112 today", 3, None),
    ("5 cycles", 1, None),
])
def test_unit_after_a_number(text, at, found):
    assert unit_at(plain(text), text, at) == found


@pytest.mark.parametrize(("value", "unit", "test", "wanted"), [
    (6.0, "mmol/L", "hemoglobin", 9.668),       # monomer, 16,114 g/mol
    (88.4, "umol/L", "creatinine", 1.0),
    (17.1, "umol/L", "total_bilirubin", 1.0),
    (2.5, "mmol/L", "calcium", 10.02),
    (10.0, "mmol/L", "bun", 28.0),              # nitrogen: two atoms in urea
    (10.0, "mmol/L", "urea", 60.06),
    (5.5, "mmol/L", "glucose", 99.1),
    (0.40, "mmol/L", "uric_acid", 6.72),
    (1.0, "ukat/L", "alt", 60.0),
    (98.0, "g/L", "hemoglobin", 9.8),
    (3200.0, "/uL", "wbc", 3.2),
    (0.62, "10*5/uL", "platelets", 62.0),
    (7.8, "10*4/uL", "platelets", 78.0),
    (18.4, "mg/dL", "kappa_flc", 184.0),
    (1.12, "g", "urine_m_protein", 1120.0),     # a mass alone is one of 24 hours
    (0.9, "g/(24.h)", "urine_m_protein", 900.0),
    (212.0, "[lb_av]", "weight", 96.16),
    (101.3, "[degF]", "temperature", 38.5),
    (53.0, "mmol/mol", "hba1c", 7.0),
    (1.5, "mL/s", "creatinine_clearance", 90.0),
    (10.0, "kPa", "pao2", 75.0),
    (10.0, "10*3/mm3", "wbc", 10.0),            # UCUM that our table does not list
    (4.0, "mg/dL", "wbc", None),
    (4.0, "no unit at all", "wbc", None),
    (4.0, "g/L", "no such test", None),
])
def test_conversion(value, unit, test, wanted):
    found = convert(value, unit, test)
    assert found is None if wanted is None else found == pytest.approx(wanted, rel=2e-3)


@pytest.mark.parametrize(("written", "readings"), [
    ("9", (9.0,)), ("9.8", (9.8,)), ("9,8", (9.8,)), (".5", (0.5,)), ("0.016", (0.016,)),
    ("3,410", (3410.0, 3.41)), ("63.000", (63.0, 63000.0)), ("1,234,567", (1234567.0,)), ("1.234,5", (1234.5,)), ("1'260", (1260.0,)),
    ("9.O", (9.0,)), ("4,l", (4.1,)), ("1.2.3", ()), ("twelve", ()), ("", ()),
])
def test_written_numbers(written, readings):
    assert numbers(written) == readings


def test_a_text_with_decimal_commas_reads_groups_the_other_way():
    assert numbers("63.000", decimal_comma=True) == (63000.0, 63.0)
    assert numbers("5,230", decimal_comma=True) == (5.23, 5230.0)


@pytest.mark.parametrize(("written", "unit", "test", "value"), [
    ("101", None, "hemoglobin", 10.1),      # g/L
    ("54", None, "platelets", 54.0),
    ("112,000", None, "platelets", 112.0),
    ("1,120", None, "anc", 1.12),
    ("96", None, "creatinine", 1.086),      # umol/L
    ("2.38", None, "calcium", 9.54),        # mmol/L
    ("98", None, "total_protein", 9.8),     # g/L
    ("11.8", None, "igg", 1180.0),          # g/L
    ("0.41", None, "ast", 24.6),            # ukat/L
    ("98.1", None, "temperature", 36.72),   # Fahrenheit
    ("63.000", "/uL", "platelets", 63.0),   # nobody counts parts of a cell
    ("3.6", "g/L", "wbc", 3.6),             # G/L in small letters
    ("10.2", "g", "hemoglobin", 10.2),      # "10.2 grams"
    ("100", "%", "total_protein", None),
    ("9000", "g/dL", "hemoglobin", None),
])
def test_plausible_reading(written, unit, test, value):
    found = canonical(numbers(written), unit, test)
    assert found is None if value is None else found is not None and found[0] == pytest.approx(value, rel=2e-3)


VOCABULARY = load_vocabulary()
PAIRS = [(unit, test.id) for test in VOCABULARY.tests.values() for unit in VOCABULARY.ucum if convert(1.0, unit, test.id) is not None]


@given(st.sampled_from(PAIRS), st.floats(0.01, 1e6))
def test_conversion_keeps_order_and_scale(pair, value):
    """Twice as much in any unit is twice as much in another, apart from the offsets of temperature and HbA1c."""
    unit, test = pair
    low, mid, high = (convert(v, unit, test) for v in (value, 2 * value, 3 * value))
    assert low < mid < high
    assert high - mid == pytest.approx(mid - low, rel=1e-6)


@given(st.text(max_size=20), st.booleans())
def test_any_text_is_some_numbers_or_none(written, decimal_comma):
    assert all(isinstance(number, float) for number in numbers(written, decimal_comma))


def test_magnitudes_agree_with_the_library():
    """Our table of units against ucumvert and pint, for every two units of one dimension."""
    ucumvert = pytest.importorskip("ucumvert")
    library = ucumvert.PintUcumRegistry()
    by_dimension = {}
    for unit in VOCABULARY.ucum.values():
        if unit.dimension not in ("temperature", "a1c", "equivalents/volume", "acidity"):
            by_dimension.setdefault(unit.dimension, []).append(unit)
    for first, *others in by_dimension.values():
        for other in others:
            ratio = library.from_ucum(other.ucum).to(library.from_ucum(first.ucum).units).magnitude / library.from_ucum(first.ucum).magnitude
            assert other.magnitude / first.magnitude == pytest.approx(float(ratio), rel=1e-6), (first.ucum, other.ucum)
