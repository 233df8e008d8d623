"""Signals: every cue of the table is found where it stands, by way of the few that may begin there. Invented text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from matcher.notes.signals import Signals
from models.therapy_cues import load_cues, openings

NOTES = [json.loads(path.read_text(encoding="utf-8"))["note"] for path in sorted((Path(__file__).parent / "specimens").glob("SP-0[1-4].json"))]


@pytest.mark.parametrize(("pattern", "begins"), [
    ("progressive(?:ly)?", {"progress"}),
    ("stopp?ed", {"stoped", "stopped"}),
    (r"d/c'?d", {"d/cd", "d/c'd"}),
    (r"(?:was |were )?held", {"was held", "were hel", "held"}),
    (r"(?<!not )(?:a|b)\)", {"a)", "b)"}),
    (r"(?:ha){1,3} no", {"ha no", "haha"}),
    (r"(?:on )*[Rr]x", {"on Rx", "on rx", "on on ", "Rx", "rx"}),
    (r"off?[- ]drug", {"of-drug", "of drug", "off-drug", "off drug"}),
    (r"#\d", {f"#{digit}" for digit in range(10)}),
    (r"m(?:ab)?[a-c]", {"m"}),
    (r"\w+ing", {""}),
])
def test_openings(pattern, begins):
    assert openings(pattern) == begins


@pytest.mark.parametrize("note", NOTES)
def test_no_cue_is_missed_for_being_looked_for_in_few_places(note):
    signals = Signals(note)
    for kind in {cue.kind for cue in load_cues()}:
        tried: dict[int, int] = {}
        for cue in (c for c in load_cues() if c.kind == kind):
            for place in (p for p in range(len(note)) if not note[p].isspace()):
                if match := cue.pattern.match(note, place):
                    tried[place] = max(tried.get(place, 0), match.end())
        assert {s.start: s.end for s in signals.within(kind, 0, len(note))} == tried


@pytest.mark.parametrize(("text", "found"), [
    ("progression in 2020", True),
    ("no progression", False),
    ("without any sign of progression", False),
    ("[ ] PD", False),
    ("[x] PD", True),
])
def test_what_is_denied_is_not_said(text, found):
    assert (Signals(text).said("progression", 0, len(text)) is not None) == found
