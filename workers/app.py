"""The Celery application: tasks carry identifiers, the job record is the truth (`workers.store`)."""

from __future__ import annotations

import os
from typing import Any

# Must be set before celery is imported: SIGTERM then means "finish what is in hand, hand back the rest".
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")

from celery import Celery
from kombu import Exchange, Queue

from workers.connection import broker_url
from workers.settings import Settings

QUEUES = INTERACTIVE, BULK = "eligo.interactive", "eligo.bulk"  # consumed in this order: a pasted note does not wait behind a list
WORK, READ = "eligo.work", "eligo.read"
_TASK_LIMIT = 600  # seconds: a turn, a note, and trials that are read again
_READING = 3600  # seconds that reading one uploaded list may take


def make_app(settings: Settings) -> Celery:
    """The application for one Redis. Without the two restore settings a lost task comes back after 100 s or never (design/measured.md)."""
    app = Celery("eligo", broker=broker_url(settings), set_as_current=False)
    app.conf.update(
        task_queues=[Queue(name, exchange=Exchange(name), routing_key=name) for name in QUEUES],
        task_default_queue=BULK,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        # The last resort; a note that will not end is ended by its own limits long before (workers.tasks).
        task_time_limit=_TASK_LIMIT,
        worker_prefetch_multiplier=1,
        worker_concurrency=settings.processes,
        worker_soft_shutdown_timeout=settings.soft_shutdown,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": _TASK_LIMIT + 60,
            "unacked_restore_interval": 2,
            "unacked_restore_throttle": 1,
            "queue_order_strategy": "priority",
            "socket_timeout": 10.0,
            "socket_connect_timeout": 2.0,
            "health_check_interval": 5,
            "master_name": settings.sentinel_master,
        },
    )
    return app


def enqueue(app: Celery, kind: str, job: str, turns: int = 1) -> None:
    """Say that a job has work. Losing this loses time, not work: the sweep says it again."""
    for _ in range(turns):
        app.send_task(WORK, args=[job], queue=INTERACTIVE if kind == "match" else BULK, retry=False)


def waiting_turns(client: Any) -> int:
    """Turns that no process has taken yet."""
    with client.pipeline(transaction=False) as pipe:
        for queue in QUEUES:
            pipe.llen(queue)
        return sum(pipe.execute())


def enqueue_reading(app: Celery, job: str) -> None:
    """Say that a job's upload waits to be read."""
    app.send_task(READ, args=[job], queue=BULK, retry=False, time_limit=_READING)
