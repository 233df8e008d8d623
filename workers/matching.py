"""One note against the trials, within its time: what a worker and `eligo batch` do for every note."""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import Any

import structlog

import matcher
from matcher import TrialIndex
from matcher.answers import match_answer
from matcher.corrections import CorrectionError, apply_corrections
from matcher.domain import Trial
from matcher.trials import TrialDocumentError
from workers.reading import read_note
from workers.tracing import span

log = structlog.get_logger()


class NoteTimeout(Exception):
    """A note took longer than its soft limit."""


def warm_up(trials: Iterable[Trial]) -> None:
    """Load what the readers know, the trained pipeline for unlisted agents too, once, before a fork: the processes then share these pages."""
    matcher.match(read_note("Note 2024-01-01. 60-year-old man, relapsed multiple myeloma after VRd, then the unlisted agent QZX-4021. No heart failure. ECOG 1. Hb 10 g/dL."), trials)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise NoteTimeout inside the block after so many seconds. Python code only; the hard limit ends what does not listen."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("notes are read in the main thread, where an alarm can interrupt them")

    def expire(signum: int, frame: Any) -> None:
        raise NoteTimeout

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def answer_note(
    note: Mapping[str, Any], index: TrialIndex, options: Mapping[str, Any], limit: float, corrections: Sequence[Mapping[str, Any]] = ()
) -> tuple[dict[str, Any], dict[str, float]]:
    """The match answer of one note {"note_id", "note", "documents"?: [{"name", "content"}] of further trials}, or {"note_id", "error": reason}; and the seconds each stage took.

    Never raises for anything a note can do: one poisonous note fails alone. The reason names no word of the note.
    """
    took: dict[str, float] = {}
    note_id = str(note["note_id"])
    try:
        with limited(limit):
            if documents := note.get("documents"):
                with span("read trials"), _timed(took, "trials"):
                    index = TrialIndex.of((*index.trials, *(trial for document in documents for trial in _given(document["content"], document["name"]))))
            with span("read note"), _timed(took, "read"):
                profile = apply_corrections(read_note(note["note"], note_id), corrections)
            with span("match"), _timed(took, "match"):
                day = options.get("as_of") or note.get("as_of")
                as_of = date.fromisoformat(day) if day else None
                report = matcher.match(profile, index, as_of, options.get("unmentioned") or "unknown")
            with _timed(took, "answer"):
                return match_answer(report), took
    except NoteTimeout:
        return {"note_id": note_id, "error": f"reading took longer than {limit:g} s", "kind": "timeout"}, took
    except TrialDocumentError as error:
        return {"note_id": note_id, "error": str(error), "kind": "trials"}, took
    except CorrectionError as error:
        return {"note_id": note_id, "error": str(error), "kind": "correction"}, took
    except Exception as error:
        log.error("note_failed", error=type(error).__name__, at=where(error))
        return {"note_id": note_id, "error": f"the reader failed on this note ({type(error).__name__})", "kind": "error"}, took


def summary(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The few values of an answer that tables, the matrix and reverse matching need."""
    about = {k: answer[k] for k in ("note_id", "rows", "revision", "corrections", "error") if k in answer}
    if "error" in answer:
        return about
    trials = [
        {
            **{name: t[name] for name in ("trial_id", "rank", "score", "verdict")},
            "counts": {o: sum(c["outcome"] == o for c in t["criteria"]) for o in ("satisfied", "violated", "unknown")},
            "violated": [c["id"] for c in t["criteria"] if c["outcome"] == "violated"],
            "reason": next((c["reason"] for c in t["criteria"] if c["outcome"] == "violated"), None),
            "missing": sorted({m for c in t["criteria"] for m in c.get("missing", ())})[:12],
        }
        for t in answer["trials"]
    ]
    return {**about, "trials": trials}


def where(error: BaseException) -> list[str]:
    """File and line of every frame, innermost last: a traceback without values, messages or source, which could hold a note's words."""
    return [f"{Path(frame.filename).name}:{frame.lineno}:{frame.name}" for frame in traceback.extract_tb(error.__traceback__)]


@lru_cache(maxsize=32)
def _given(content: str, name: str) -> tuple[Trial, ...]:
    """Trials that came with a note; the same often come with the next."""
    return tuple(matcher.read_trials(content.encode("utf-8", "replace"), name))


@contextmanager
def _timed(took: dict[str, float], stage: str) -> Iterator[None]:
    started = perf_counter()
    try:
        yield
    finally:
        took[stage] = perf_counter() - started
