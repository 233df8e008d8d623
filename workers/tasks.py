"""A turn at one job: claim a note, answer it, settle it, until the slice is used up. Doing a turn twice changes nothing."""

from __future__ import annotations

import os
import resource
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from functools import cache
from time import monotonic, perf_counter, sleep
from typing import Any

import redis
import structlog
from celery import Celery
from celery.worker.request import Request
from kombu.exceptions import OperationalError
from opentelemetry import propagate

from matcher import EligoError, TrialIndex
from workers.app import READ, WORK, enqueue
from workers.catalogue import Catalogue
from workers.connection import Sent, connect
from workers.gauges import beat, living_workers
from workers.matching import answer_note, summary
from workers.sealing import load_sealer
from workers.settings import Settings
from workers.store import Answer, Claim, JobGone, Settled, Store
from workers.tracing import span
from workers.upload import read_upload

log = structlog.get_logger()

_BEAT = 1.0  # seconds between signs of life
_LIVING = 5.0  # seconds after which a silent process is taken for dead
_LONGEST_TURN = 60.0  # seconds, well within the time limit of a task
_INSIST = 10.0  # seconds to go on offering a finished result to a Redis that is away or full


class Process:
    """One worker process: its Redis, its trials, and the thread that shows it is alive while it reads. `stopping`: whether the worker was told to."""

    def __init__(self, settings: Settings, celery: Celery, catalogue: Catalogue, stopping: Callable[[], bool]) -> None:
        self.settings, self.celery, self.catalogue, self.stopping = settings, celery, catalogue, stopping
        self.store = Store(connect(settings), load_sealer(settings), settings)
        self._holding: Sequence[Claim] = ()
        self._reading_ends = float("inf")  # when the note in hand has had its hard limit
        threading.Thread(target=self._beat, daemon=True, name="beat").start()

    def _beat(self) -> None:
        name = f"{socket.gethostname()}:{os.getpid()}"
        while True:
            if monotonic() > self._reading_ends:
                os.kill(os.getpid(), signal.SIGKILL)  # what does not hear the soft limit
            try:
                beat(self.store.redis, name, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, _LIVING)
                if claims := self._holding:
                    self.store.renew(claims)
            except redis.RedisError:
                pass  # it is away for the others too; a later beat finds it back
            sleep(_BEAT)

    def work(self, job: str) -> None:
        """Match notes of a job for one slice, or while it is the only one; then, if it has more, ask for another turn behind the others."""
        self._turn(job, self._match)

    def read(self, job: str) -> None:
        """Make the upload of a batch into its notes; other processes begin to match them meanwhile, and this one when it is done."""
        self._turn(job, self._read)
        self._turn(job, self._match)

    def _turn(self, job: str, do: Callable[[str, str, dict[str, Any]], None]) -> None:
        """Does it with the job's kind and options. A deleted job ends the turn; so does a Redis that is away: leases run out, the sweep begins again."""
        try:
            kind, options, parent = self.store.order(job)
            with structlog.contextvars.bound_contextvars(job=job), span("turn", propagate.extract({"traceparent": parent})):
                do(job, kind, options)
        except JobGone:
            log.info("job_gone", job=job)
        except (redis.RedisError, OperationalError) as error:
            log.warning("redis_unavailable", job=job, error=type(error).__name__)
        finally:
            self._holding = ()

    def _match(self, job: str, kind: str, options: dict[str, Any]) -> None:
        """While a note is read, Redis takes the result of the one before it and answers with the one after it."""
        index = self.catalogue.index(options.get("trials"))
        began, hand, sent = monotonic(), self.store.claim(job), None
        try:
            while hand:
                self._holding = hand
                claim, *hand = hand
                answer = self._answer(claim, index, options)
                if sent is not None:
                    hand += self._heard(sent)
                spent = monotonic() - began
                more = spent < _LONGEST_TURN and not self.stopping()
                sent = self.store.settle(claim, answer, hand[0] if hand else None, more, spent >= self.settings.slice)
                if not hand:
                    hand, sent = self._heard(sent), None
        finally:
            if sent is not None:
                sent.close()
        if self.store.has_work(job):
            enqueue(self.celery, kind, job)

    def _heard(self, sent: Sent[Settled]) -> list[Claim]:
        settled = sent.answer(_INSIST)
        if settled.finished:
            log.info("job_finished")
        return settled.claims

    def _read(self, job: str, kind: str, options: dict[str, Any]) -> None:
        claim = self.store.claim_upload(job)
        if claim is None:
            return
        if claim.attempt > self.settings.max_attempts:
            self.store.refuse(job, f"given up: {claim.attempt - 1} processes ended while reading the file")
            return
        self._holding = [claim]
        read_upload(self.store, claim, options, lambda: enqueue(self.celery, kind, job, len(living_workers(self.store.redis))))

    def _answer(self, claim: Claim, index: TrialIndex, options: dict[str, Any]) -> Answer:
        started, took = perf_counter(), dict[str, float]()
        result: dict[str, Any]
        try:
            note, corrections = self.store.opened(claim)
            if claim.attempt > self.settings.max_attempts:
                result = {"note_id": note["note_id"], "error": f"given up: {claim.attempt - 1} processes ended while reading it", "kind": "crash"}
            else:
                self._reading_ends = monotonic() + self.settings.note_hard_limit
                result, took = answer_note(note, index, options, self.settings.note_soft_limit, corrections)
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
        return Answer(result, summary(result), stats)


class Turn(Request):
    """A message whose acknowledgement Redis does not hear counts against what its worker may hold, for good, and Celery only logs that.

    With no errors to expect it lets them through: they end the connection, and the worker begins anew with another.
    """

    def __init__(self, message: Any, **options: Any) -> None:
        super().__init__(message, **{**options, "connection_errors": ()})


def register(celery: Celery, settings: Settings, catalogue: Catalogue, stopping: Callable[[], bool]) -> Callable[[], Process]:
    """Give the application its tasks. What is returned makes the one Process of a forked child, on its first call there."""

    @cache
    def process() -> Process:
        return Process(settings, celery, catalogue, stopping)

    @celery.task(name=WORK, Request=Turn)
    def work(job: str) -> None:
        process().work(job)

    @celery.task(name=READ, Request=Turn)
    def read(job: str) -> None:
        process().read(job)

    return process
