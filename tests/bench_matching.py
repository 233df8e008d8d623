"""Trial compilation and matching: CPU seconds of one process, and what a pair costs."""

from __future__ import annotations

import time

from api.demo import EXAMPLE_NOTE
from matcher import match, read_note, read_trials
from tests import reference


def main() -> None:
    if not reference.SHARED.is_dir():
        print("matching: not measured, the reference trials (../shared) are not beside this checkout")
        return
    records = [(f.read_bytes(), f.name) for f in (reference.TRIALS / "myeloma.jsonl", reference.TRIALS / "oncology.jsonl")]
    for content, name in records:
        read_trials(content, name)
    begun = time.process_time()
    trials = [trial for content, name in records for trial in read_trials(content, name)]
    spent = time.process_time() - begun
    criteria = sum(len(t.criteria) for t in trials)
    print(f"compile {len(trials)} trials, {criteria} criteria: {spent:.2f} s CPU; 1,000 such trials {spent / len(trials) * 1000:.1f} s (wanted: at most 30)")
    note = EXAMPLE_NOTE.read_text(encoding="utf-8")
    read_note(note)
    begun = time.process_time()
    for _ in range(10):
        profile = read_note(note)
    reading = (time.process_time() - begun) / 10
    match(profile, trials)
    begun = time.process_time()
    match(profile, trials)
    spent = time.process_time() - begun
    print(f"read a note of {len(note.split())} words: {reading * 1000:.1f} ms CPU; match it to {len(trials)} trials: {spent * 1000:.1f} ms CPU, {spent / len(trials) * 1e3:.2f} ms a trial")


if __name__ == "__main__":
    main()
