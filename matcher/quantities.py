"""Numbers and units: spellings to UCUM, conversion to the canonical unit of a test."""

from __future__ import annotations


def ucum(spelling: str) -> str | None:
    """The UCUM code of a unit as people write it ("x10^9/L", "K/uL", "gm%", "µmol/l"), or None."""
    return None


def convert(value: float, unit: str, test: str) -> float | None:
    """The value in the canonical unit of a test of the vocabulary; `unit` in UCUM. None where the two do not convert."""
    return None
