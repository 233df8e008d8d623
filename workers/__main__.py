"""`python -m workers`: one Celery worker with its pool of processes."""

from __future__ import annotations

import resource
import signal

from celery import Celery
from celery.signals import celeryd_init, setup_logging, worker_process_init, worker_ready

from matcher.registry import bundled_trials
from workers.app import make_app
from workers.connection import connect
from workers.logs import configure_logging
from workers.matching import warm_up
from workers.processes import die_with_parent
from workers.sealing import load_sealer
from workers.settings import Settings, load_settings
from workers.store import Store
from workers.sweep import start_sweeping
from workers.tasks import register
from workers.tracing import start_tracing
from workers.webhooks import start_telling


def main(settings: Settings | None = None) -> None:
    """Runs until told to stop: SIGTERM finishes the turns in hand (see `workers.app`)."""
    settings = settings or load_settings()
    configure_logging(settings.log_level, "worker")
    app: Celery = make_app(settings)
    process = register(app, settings)

    @setup_logging.connect(weak=False)
    def keep_our_logging(**_: object) -> None:
        """Celery would otherwise install handlers that print tracebacks with their values."""

    @celeryd_init.connect(weak=False)
    def load_language(**_: object) -> None:
        warm_up(bundled_trials() if settings.bundled_trials else ())
        # A process that a strange note has made grow is replaced after its turn.
        app.conf.worker_max_memory_per_child = max(450_000, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + 100_000)  # KiB

    @worker_process_init.connect(weak=False)
    def start_process(**_: object) -> None:
        die_with_parent(signal.SIGKILL)
        start_tracing(settings, "worker")
        process()

    @worker_ready.connect(weak=False)
    def ready(**_: object) -> None:
        store = Store(connect(settings), load_sealer(settings), settings)
        start_sweeping(store, app, settings.erase_every, settings.alive_file)
        start_telling(store, settings)

    app.worker_main(["--quiet", "worker", "--without-gossip", "--without-mingle", "--without-heartbeat", f"--loglevel={settings.log_level}"])


if __name__ == "__main__":
    die_with_parent(signal.SIGKILL)  # what it had in hand is read again
    main()
