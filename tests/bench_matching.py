"""Trial compilation and matching: CPU seconds of one process, and what a pair costs."""

from __future__ import annotations

import time
from collections.abc import Callable

from api.demo import EXAMPLE_NOTE
from matcher import TrialIndex, match, read_note, read_trials
from tests import reference

TURNS = 5


def best(act: Callable[[], object]) -> float:
    """CPU seconds of the fastest turn, after one to warm up: what a shared machine adds is noise upwards."""
    act()
    spent = []
    for _ in range(TURNS):
        begun = time.process_time()
        act()
        spent.append(time.process_time() - begun)
    return min(spent)


def main() -> None:
    if not reference.SHARED.is_dir():
        print("matching: not measured, the reference trials (../shared) are not beside this checkout")
        return
    records = [(f.read_bytes(), f.name) for f in (reference.TRIALS / "myeloma.jsonl", reference.TRIALS / "oncology.jsonl")]
    trials = [trial for content, name in records for trial in read_trials(content, name)]
    criteria = sum(len(t.criteria) for t in trials)
    spent = best(lambda: [read_trials(content, name) for content, name in records])
    print(f"best of {TURNS} turns")
    print(f"compile {len(trials)} trials, {criteria} criteria: {spent:.2f} s CPU; 1,000 such trials {spent / len(trials) * 1000:.1f} s (wanted: at most 30)")
    note = EXAMPLE_NOTE.read_text(encoding="utf-8")
    profile, index = read_note(note), TrialIndex.of(trials)
    reading, spent = best(lambda: read_note(note)), best(lambda: match(profile, index))
    print(f"read a note of {len(note.split())} words: {reading * 1000:.1f} ms CPU; match it to {len(trials)} trials: {spent * 1000:.1f} ms CPU, {spent / len(trials) * 1e3:.2f} ms a trial")


if __name__ == "__main__":
    main()
