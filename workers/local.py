"""Many notes on this machine without a server: one process a core, each with one note in hand, so that a poisonous note falls alone."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from time import monotonic
from typing import Any

from matcher import TrialIndex
from matcher.domain import Trial
from workers.matching import answer_note, warm_up
from workers.patients import Patient
from workers.processes import die_with_parent

_AHEAD = 64  # answers that may wait for a slower one before them, for each process
_fork = multiprocessing.get_context("fork")  # the trials and the vocabulary are loaded once, and shared


@dataclass(slots=True)
class _Child:
    process: BaseProcess
    pipe: Connection
    index: int | None = None  # of the note in hand
    patient: Patient | None = None
    until: float = 0.0

    def give(self, index: int, patient: Patient, seconds: float) -> None:
        """A note to read, within so many seconds."""
        as_of = patient.as_of.isoformat() if patient.as_of else None
        self.pipe.send({"note_id": patient.id, "note": patient.note, "as_of": as_of})
        self.index, self.patient, self.until = index, patient, monotonic() + seconds


def answer_all(
    patients: Iterable[Patient], trials: Sequence[Trial], options: Mapping[str, Any], processes: int, soft_limit: float, hard_limit: float
) -> Iterator[dict[str, Any]]:
    """The answer of each patient, in order: {..., "rows"}, or {"note_id", "rows", "error"}. Limits in seconds."""
    trial_index = TrialIndex.of(trials)
    warm_up(trials)
    source = enumerate(patients)
    done: dict[int, dict[str, Any]] = {}
    emitted, exhausted = 0, False
    children = [_start(trial_index, options, soft_limit) for _ in range(processes)]
    try:
        while True:
            for child in children:
                while child.index is None and not exhausted and len(done) < _AHEAD * processes:
                    index, patient = next(source, (None, None))
                    if index is None or patient is None:
                        exhausted = True
                    elif patient.problem:
                        done[index] = {"note_id": patient.id, "error": patient.problem, "rows": list(patient.rows)}
                    else:
                        child.give(index, patient, hard_limit)
            while emitted in done:
                yield done.pop(emitted)
                emitted += 1
            busy = [child for child in children if child.index is not None]
            if not busy and exhausted and not done:
                return
            ready = wait([child.pipe for child in busy], timeout=0.5)
            for i, child in enumerate(children):
                if child.index is None or child.patient is None or (child.pipe not in ready and monotonic() < child.until):
                    continue
                try:
                    if child.pipe not in ready:
                        raise EOFError
                    answer = child.pipe.recv()
                except (EOFError, OSError):
                    _stop(child)
                    children[i] = _start(trial_index, options, soft_limit)
                    reason = f"reading took longer than {hard_limit:g} s" if monotonic() >= child.until else "the process reading it ended"
                    answer = {"note_id": child.patient.id, "error": reason}
                done[child.index] = {**answer, "rows": list(child.patient.rows)}
                child.index = child.patient = None
    finally:
        for child in children:
            _stop(child)


def _start(trial_index: TrialIndex, options: Mapping[str, Any], limit: float) -> _Child:
    ours, theirs = _fork.Pipe()
    process = _fork.Process(target=_serve, args=(theirs, trial_index, options, limit), daemon=True)
    process.start()
    theirs.close()
    return _Child(process, ours)


def _serve(pipe: Connection, trial_index: TrialIndex, options: Mapping[str, Any], limit: float) -> None:
    die_with_parent(signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    while True:
        try:
            note = pipe.recv()
        except EOFError:
            return
        answer, _ = answer_note(note, trial_index, options, limit)
        pipe.send({k: v for k, v in answer.items() if k != "kind"})


def _stop(child: _Child) -> None:
    child.process.kill()
    child.process.join()
    child.pipe.close()
