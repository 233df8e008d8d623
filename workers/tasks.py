"""A turn at one job: claim a note, answer it, settle it, until the slice is used up. Doing a turn twice changes nothing."""

from __future__ import annotations

import os
import resource
import socket
import threading
from collections.abc import Sequence
from functools import cached_property
from time import monotonic, perf_counter, sleep
from typing import Any

import redis
import structlog
from celery import Celery, Task
from kombu.exceptions import OperationalError
from opentelemetry import propagate, trace

from matcher import EligoError
from matcher.domain import Trial
from workers.app import WORK, enqueue
from workers.catalogue import Catalogue
from workers.connection import connect
from workers.matching import answer_note, summary
from workers.sealing import load_sealer
from workers.settings import Settings
from workers.store import UPLOAD, Claim, JobGone, Store
from workers.upload import read_upload

log = structlog.get_logger()
tracer = trace.get_tracer("eligo")

_BEAT = 1.0  # seconds between signs of life
_LIVING = 5.0  # seconds after which a silent process is taken for dead
_INSIST = 10.0  # seconds to go on offering a finished result to a Redis that is away or full


class Process:
    """One worker process: its Redis, its trials, and the thread that shows it is alive while it reads."""

    def __init__(self, settings: Settings, celery: Celery) -> None:
        self.settings, self.celery = settings, celery
        self.store = Store(connect(settings), load_sealer(settings), settings)
        self.catalogue = Catalogue(settings)
        self._holding: Claim | None = None
        threading.Thread(target=self._beat, daemon=True, name="beat").start()

    def _beat(self) -> None:
        name = f"{socket.gethostname()}:{os.getpid()}"
        while True:
            try:
                self.store.beat(name, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, _LIVING)
                if (claim := self._holding) is not None:
                    self.store.renew(claim)
            except redis.RedisError:
                pass  # it is away for the others too; a later beat finds it back
            sleep(_BEAT)

    def turn(self, job: str) -> None:
        """Work on a job for one slice; then, if it has more, ask for another turn behind the others."""
        try:
            kind, options, parent = self.store.order(job)
            with structlog.contextvars.bound_contextvars(job=job), tracer.start_as_current_span("turn", context=propagate.extract({"traceparent": parent})):
                trials = self.catalogue.trials(options.get("trials"))
                began = monotonic()
                while monotonic() - began < self.settings.slice and (claim := self.store.claim(job)) is not None:
                    self._holding = claim
                    try:
                        self._handle(claim, trials, options)
                    finally:
                        self._holding = None
            if self.store.has_work(job):
                enqueue(self.celery, kind, job)
        except JobGone:
            log.info("job_gone", job=job)
        except (redis.RedisError, OperationalError) as error:
            log.warning("redis_unavailable", job=job, error=type(error).__name__)  # leases run out, the sweep brings the notes back

    def _handle(self, claim: Claim, trials: Sequence[Trial], options: dict[str, Any]) -> None:
        if claim.index == UPLOAD:
            read_upload(self.store, claim, options, self.settings)
            enqueue(self.celery, "batch", claim.job, self.settings.processes)
            return
        started, took = perf_counter(), dict[str, float]()
        result: dict[str, Any]
        try:
            note = self.store.claimed_note(claim)
            if claim.attempt > self.settings.max_attempts:
                result = {"note_id": note["note_id"], "error": f"given up: {claim.attempt - 1} processes ended while reading it", "kind": "crash"}
            else:
                result, took = answer_note(note, trials, options, self.settings.note_soft_limit)
            if "rows" in note:
                result["rows"] = note["rows"]
        except EligoError as error:
            result = {"note_id": "", "error": str(error), "kind": "sealed"}
        outcome = f"failed:{result['kind']}" if "error" in result else "done"
        stats = {f"seconds:{stage}": seconds for stage, seconds in took.items()}
        stats |= {f"notes:{outcome}": 1, "seconds:wait": claim.waited, "seconds:work": perf_counter() - started}
        if self._settle(claim, result, stats) == 2:
            log.info("job_finished")

    def _settle(self, claim: Claim, result: dict[str, Any], stats: dict[str, float]) -> int:
        until = monotonic() + _INSIST
        while True:
            try:
                return self.store.settle(claim, result, summary(result), stats)
            except redis.RedisError:
                if monotonic() > until:
                    raise
                sleep(0.2)


def register(celery: Celery, settings: Settings) -> Task:
    """Give the application its task, which keeps one Process in every forked child."""

    class Work(Task):
        name = WORK

        @cached_property
        def process(self) -> Process:
            return Process(settings, celery)

        def run(self, job: str) -> None:
            self.process.turn(job)

    return celery.register_task(Work())
