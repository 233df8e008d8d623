"""How well treatment histories are read that were written before the reader saw them. Invented patients; floors lie a little under the figures reached."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from matcher import read_note
from matcher.answers import extract_answer

SPECIMENS = Path(__file__).parent / "specimens" / "therapy"
STEROIDS = {"dexamethasone", "prednisone", "methylprednisolone"}
FLOORS = {"lines": 0.95, "refractory_to": 0.97, "bcma_agents": 0.98, "transplants": 0.93, "n_lines": 0.96, "disease_state": 0.9, "bcma_status": 0.95}


def _sets(answer: dict) -> dict[str, set]:
    """The facts scored as sets (F1), as ../shared/eval/score.py has them: lines with their place, transplants by the year."""
    return {
        "lines": {(n, ",".join(sorted(line["drugs"])), line.get("transplant")) for n, line in enumerate(answer["lines"], 1)},
        "refractory_to": set(answer["refractory_to"]) - STEROIDS,
        "bcma_agents": {(a["agent"], a["modality"]) for a in answer["bcma"]["agents"]},
        "transplants": {(t["type"], (t.get("date") or "")[:4]) for t in answer["transplants"]},
    }


def _values(answer: dict) -> dict[str, object]:
    return {"n_lines": answer["n_lines"], "disease_state": answer["disease_state"], "bcma_status": answer["bcma"]["status"]}


@cache
def scores(folder: Path = SPECIMENS, first: str = "", last: str = "~") -> tuple[dict[str, float], list[str]]:
    """(figure of each measure, what differs) for the specimens of a folder whose names lie in first..last."""
    hit, extra, missed, errors = Counter(), Counter(), Counter(), []
    for path in sorted(p for p in folder.glob("*.json") if first <= p.stem <= last):
        specimen = json.loads(path.read_text(encoding="utf-8"))
        gold, got = specimen["gold"], extract_answer(read_note(specimen["note"], specimen["id"]))
        for measure, wanted in _sets(gold).items():
            found = _sets(got)[measure]
            hit[measure] += 2 * len(wanted & found)
            missed[measure] += len(wanted - found)
            extra[measure] += len(found - wanted)
            if wanted != found:
                errors.append(f"{path.stem} {measure}: missed {sorted(wanted - found, key=str)} extra {sorted(found - wanted, key=str)}")
        for measure, value in _values(gold).items():
            hit[measure] += value == _values(got)[measure]
            missed[measure] += value != _values(got)[measure]
            if value != _values(got)[measure]:
                errors.append(f"{path.stem} {measure}: wanted {value}, got {_values(got)[measure]}")
        if gold["bcma"]["status"] == "exposed" and got["bcma"]["status"] == "naive":
            errors.append(f"{path.stem} UNSAFE")
    return {m: hit[m] / (hit[m] + missed[m] + extra[m] or 1) for m in FLOORS}, errors


@pytest.mark.parametrize("measure", FLOORS)
def test_measure(measure):
    figures, errors = scores()
    assert figures[measure] >= FLOORS[measure], "\n".join(e for e in errors if measure in e)


def test_no_exposure_is_taken_for_none():
    assert [e for e in scores()[1] if e.endswith("UNSAFE")] == []
