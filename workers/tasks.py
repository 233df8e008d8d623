"""A turn at one job: claim a note, answer it, settle it, until the slice is used up. Doing a turn twice changes nothing."""

from __future__ import annotations

import os
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from time import monotonic, perf_counter, sleep
from typing import Any

import redis
import structlog
from celery import Celery
from celery.worker.request import Request
from kombu.exceptions import OperationalError
from opentelemetry import propagate

from matcher import EligoError
from matcher.domain import Trial
from workers.app import QUEUES, READ, WORK, enqueue
from workers.catalogue import Catalogue
from workers.connection import connect
from workers.matching import answer_note, summary
from workers.sealing import load_sealer
from workers.settings import Settings
from workers.store import Claim, JobGone, Store
from workers.tracing import span
from workers.upload import read_upload

log = structlog.get_logger()

_BEAT = 1.0  # seconds between signs of life
_LIVING = 5.0  # seconds after which a silent process is taken for dead
_LONGEST_TURN = 1.0  # seconds, well within a soft shutdown
_INSIST = 10.0  # seconds to go on offering a finished result to a Redis that is away or full


class Process:
    """One worker process: its Redis, its trials, and the thread that shows it is alive while it reads."""

    def __init__(self, settings: Settings, celery: Celery, catalogue: Catalogue) -> None:
        self.settings, self.celery, self.catalogue = settings, celery, catalogue
        self.store = Store(connect(settings), load_sealer(settings), settings)
        self._holding: Claim | None = None
        self._reading_ends = float("inf")  # when the note in hand has had its hard limit
        threading.Thread(target=self._beat, daemon=True, name="beat").start()

    def _beat(self) -> None:
        name = f"{socket.gethostname()}:{os.getpid()}"
        while True:
            if monotonic() > self._reading_ends:
                os.kill(os.getpid(), signal.SIGKILL)  # what does not hear the soft limit; the attempt is counted when the note is claimed again
            try:
                self.store.beat(name, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, _LIVING)
                if (claim := self._holding) is not None:
                    self.store.renew(claim)
            except redis.RedisError:
                pass  # it is away for the others too; a later beat finds it back
            sleep(_BEAT)

    def work(self, job: str) -> None:
        """Match notes of a job for one slice, or while nobody else waits; then, if it has more, ask for another turn behind the others."""
        with self._turn(job) as (kind, options):
            trials = self.catalogue.trials(options.get("trials"))
            began, claim = monotonic(), self.store.claim(job)
            while claim is not None:
                with self._held(claim):
                    result, stats = self._answer(claim, trials, options)
                    settled, claim = self._settle(claim, result, stats, monotonic() - began)
                if settled == 2:
                    log.info("job_finished")
                elif claim is None and self.store.has_work(job):
                    enqueue(self.celery, kind, job)

    def read(self, job: str) -> None:
        """Make the upload of a batch into its notes; others begin to match them meanwhile."""
        with self._turn(job) as (kind, options):
            claim = self.store.claim(job, reading=True)
            if claim is None:
                return
            if claim.attempt > self.settings.max_attempts:
                self.store.refuse(job, f"given up: {claim.attempt - 1} processes ended while reading the file")
                return
            with self._held(claim):
                read_upload(self.store, claim, options, lambda: enqueue(self.celery, kind, job, self.settings.processes))

    @contextmanager
    def _turn(self, job: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The job's kind and options. A deleted job ends the turn; so does a Redis that is away: leases run out, the sweep begins again."""
        try:
            kind, options, parent = self.store.order(job)
            with structlog.contextvars.bound_contextvars(job=job), span("turn", propagate.extract({"traceparent": parent})):
                yield kind, options
        except JobGone:
            log.info("job_gone", job=job)
        except (redis.RedisError, OperationalError) as error:
            log.warning("redis_unavailable", job=job, error=type(error).__name__)

    @contextmanager
    def _held(self, claim: Claim) -> Iterator[None]:
        self._holding = claim
        try:
            yield
        finally:
            self._holding = None

    def _answer(self, claim: Claim, trials: Sequence[Trial], options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, float]]:
        """The result of a note, and what its work took."""
        started, took = perf_counter(), dict[str, float]()
        corrections: Sequence[Mapping[str, Any]] = ()
        result: dict[str, Any]
        try:
            note = self.store.claimed_note(claim)
            if claim.attempt > self.settings.max_attempts:
                result = {"note_id": note["note_id"], "error": f"given up: {claim.attempt - 1} processes ended while reading it", "kind": "crash"}
            else:
                corrections = self.store.corrections(claim.job, claim.index) if claim.revision else ()
                self._reading_ends = monotonic() + self.settings.note_hard_limit
                result, took = answer_note(note, trials, options, self.settings.note_soft_limit, corrections)
                self._reading_ends = float("inf")
            if "rows" in note:
                result["rows"] = note["rows"]
            if claim.revision:
                result |= {"revision": claim.revision, "corrections": corrections}
        except EligoError as error:
            result = {"note_id": "", "error": str(error), "kind": "sealed"}
        outcome = f"failed:{result['kind']}" if "error" in result else "done"
        stats = {f"seconds:{stage}": seconds for stage, seconds in took.items()}
        stats |= {f"notes:{outcome}": 1, "seconds:wait": claim.waited, "seconds:work": perf_counter() - started}
        return result, stats

    def _settle(self, claim: Claim, result: dict[str, Any], stats: dict[str, float], spent: float) -> tuple[int, Claim | None]:
        """Also takes the next note: to hand a job back costs as much as a tenth of a note, and is for others who wait."""
        until, short = monotonic() + _INSIST, summary(result)
        while True:
            try:
                return self.store.settle(claim, result, short, stats, spent < _LONGEST_TURN, QUEUES if spent >= self.settings.slice else ())
            except redis.RedisError:
                if monotonic() > until:
                    raise
                sleep(0.2)


class Turn(Request):
    """A message whose acknowledgement Redis does not hear counts against what its worker may hold, for good, and Celery only logs that.

    With no errors to expect it lets them through: they end the connection, and the worker begins anew with another.
    """

    def __init__(self, message: Any, **options: Any) -> None:
        super().__init__(message, **{**options, "connection_errors": ()})


def register(celery: Celery, settings: Settings, catalogue: Catalogue) -> Callable[[], Process]:
    """Give the application its tasks. What is returned makes the one Process of a forked child, on its first call there."""

    @cache
    def process() -> Process:
        return Process(settings, celery, catalogue)

    @celery.task(name=WORK, Request=Turn)
    def work(job: str) -> None:
        process().work(job)

    @celery.task(name=READ, Request=Turn)
    def read(job: str) -> None:
        process().read(job)

    return process
