"""Texts that no clinician writes, but a form, a scanner or a broken export: reading them takes a time that grows with their length only."""

from __future__ import annotations

import time

import pytest

from matcher.notes import read_note

SIZE = 5_000  # characters; the second text has four times as many
STEEPEST = 10  # four times the text takes 4 times as long where time grows with length, 16 times where it grows with its square
NOISE = 0.5  # seconds


def seconds(text: str) -> float:
    begun = time.process_time()
    profile = read_note(text)
    spent = time.process_time() - begun
    assert all(text[e.start : e.end] == e.text for t in profile.treatments for e in t.evidence)
    return spent


@pytest.mark.parametrize("sign", ["-", "- ", "=", " ", "\t", "\n", "|", "| ", "*", "?", ".", ",", "(", ":", "[ ]", "+", "'", "1", "1.", "1,", "1/", "a", "a-", "no ", "\u00a0", "ECOG ", "no CAR-T, ", "Hb  9.8  10.2\n"])
def test_time_grows_with_the_length(sign):
    short, long = (f"Seen 3/14/2025. {sign * (size // len(sign))} VRd 2020, hemoglobin 9.8" for size in (SIZE, 4 * SIZE))
    read_note("")
    assert seconds(long) < STEEPEST * seconds(short) + NOISE
