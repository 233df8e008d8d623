"""What each part of the note reader adds, and what it costs: the development notes, and copies that are harder to read."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from matcher import read_note
from matcher.answers import extract_answer
from matcher.domain import PatientProfile
from matcher.notes import read_document
from matcher.notes.document import Document
from tests.noise import NOISES, renamed
from tests.reference import DEV, EVAL, figure

Annotated = dict[str, Any]  # {"id", "note", "gold"}
PARTS: dict[str, Callable[[str, str], PatientProfile]] = {
    "rules alone": lambda note, name: read_document(Document(note), name),
    "+ spelling and linking": lambda note, name: read_note(note, name, recognisers=()),
    "+ trained recognition": read_note,
}


def copies() -> Iterable[tuple[str, list[Annotated]]]:
    """Each kind of copy with its notes."""
    notes = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(DEV.glob("*.json"))]
    for name, noise in NOISES.items():
        yield name, [{**n, "note": noise(n["note"])} for n in notes]
    unknown = []
    for n in notes:
        note, gold, agent = renamed(n["note"], n["gold"])
        if agent:
            unknown.append({**n, "note": note, "gold": gold})
    yield f"unknown agent ({len(unknown)} notes)", unknown


def scored(notes: list[Annotated], read: Callable[[str, str], PatientProfile], *more: str) -> tuple[str, float]:
    """The scorer's table, and milliseconds a note."""
    took, answers = 0.0, []
    for n in notes:
        begun = time.process_time()
        profile = read(n["note"], n["id"])
        took += time.process_time() - begun
        answers.append(json.dumps(extract_answer(profile), ensure_ascii=False))
    with tempfile.TemporaryDirectory() as folder:
        for n in notes:
            (Path(folder) / f"{n['id']}.json").write_text(json.dumps(n, ensure_ascii=False), encoding="utf-8")
        (Path(folder) / "answers.jsonl").write_text("\n".join(answers) + "\n", encoding="utf-8")
        command = [sys.executable, str(EVAL / "score.py"), "extract", folder, str(Path(folder) / "answers.jsonl"), *more]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout, 1000 * took / len(notes)


def main() -> str:
    for read in PARTS.values():
        read("Multiple myeloma, VRd 2020, then CT-0596 and anvatabart.", "warm")
    rows = [f"{'copy':26s} {'part':24s} {'facts F1':>8s} {'lines F1':>8s} {'values':>7s} {'ms/note':>8s}"]
    for name, notes in copies():
        for part, read in PARTS.items():
            table, cost = scored(notes, read)
            lines = next(line for line in table.splitlines() if line.startswith("lines "))
            rows.append(f"{name:26s} {part:24s} {figure(table, 'facts micro-F1'):8.4f} {figure(lines, 'F1'):8.3f} {figure(table, 'single-value accuracy'):7.3f} {cost:8.1f}")
    return "\n".join(rows)


if __name__ == "__main__":
    print(main())
