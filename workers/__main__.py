"""`python -m workers`: one Celery worker with its pool of processes."""

from __future__ import annotations

import gc
import os
import resource
import signal
import sys
from multiprocessing.sharedctypes import RawValue
from typing import Any

import structlog
from celery import Celery
from celery.signals import setup_logging, worker_process_init, worker_ready

from matcher import EligoError
from workers.app import make_app
from workers.catalogue import Catalogue
from workers.connection import connect
from workers.logs import configure_logging
from workers.matching import warm_up, where
from workers.processes import die_with_parent
from workers.sealing import load_sealer
from workers.settings import Settings, load_settings
from workers.store import Store
from workers.sweep import start_sweeping
from workers.tasks import register
from workers.tracing import start_tracing
from workers.webhooks import start_telling

log = structlog.get_logger()

_WARM = 20  # trials matched before the fork; more would only take longer


def main(settings: Settings | None = None) -> None:
    """Runs until told to stop: SIGTERM finishes the turns in hand (see `workers.app`). Raises EligoError where it cannot begin."""
    settings = settings or load_settings()
    configure_logging(settings.log_level, "worker")
    app: Celery = make_app(settings)
    # What can fail is done here: Celery only logs what a signal's receiver raises, and goes on without it.
    store, catalogue = Store(connect(settings), load_sealer(settings), settings), Catalogue(settings)
    warm_up(catalogue.index().trials[:_WARM])
    # A process that a strange note has made grow is replaced after its turn.
    app.conf.worker_max_memory_per_child = max(450_000, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + 100_000)  # KiB
    stopping = RawValue("b", 0)  # shared with the processes
    process = register(app, settings, catalogue, lambda: bool(stopping.value))
    gc.freeze()  # what all notes need is neither searched for garbage nor, by that, copied from page to page in every process

    @setup_logging.connect(weak=False)
    def keep_our_logging(**_: object) -> None:
        """Celery would otherwise install handlers that print tracebacks with their values."""

    @worker_process_init.connect(weak=False)
    def start_process(**_: object) -> None:
        die_with_parent(signal.SIGKILL)
        try:
            start_tracing(settings, "worker")
            process()
        except Exception as error:
            log.critical("process_not_started", error=type(error).__name__, at=where(error), reason=str(error) if isinstance(error, EligoError) else None)
            os.kill(os.getppid(), signal.SIGTERM)  # a process that can do no turn would still be given some

    @worker_ready.connect(weak=False)
    def ready(**_: object) -> None:
        start_sweeping(store, app, settings.erase_every, settings.alive_file)
        start_telling(store, settings)
        go_on: Any = signal.getsignal(signal.SIGTERM)

        def stop(signum: int, frame: object) -> None:
            stopping.value = 1  # Celery waits for the turns in hand, but does not tell them
            go_on(signum, frame)

        signal.signal(signal.SIGTERM, stop)

    app.worker_main(["--quiet", "worker", "--without-gossip", "--without-mingle", "--without-heartbeat", f"--loglevel={settings.log_level}"])


if __name__ == "__main__":
    die_with_parent(signal.SIGKILL)  # what it had in hand is read again
    try:
        main()
    except EligoError as error:
        sys.exit(f"eligo: {error}")
