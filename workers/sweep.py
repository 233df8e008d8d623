"""The sweep: asks Redis every second which accepted work nobody holds, and queues it again."""

from __future__ import annotations

import threading
from pathlib import Path
from time import sleep

import redis
import structlog
from celery import Celery
from kombu.exceptions import OperationalError

from workers.app import enqueue, enqueue_reading, waiting_turns
from workers.gauges import living_workers
from workers.store import ERASED, Store

log = structlog.get_logger()

_EVERY = 1.0  # seconds
_LOOK_IDLE = 2.0  # seconds until a job is looked at again: soon, where the queue is empty and so holds no turn for it
_LOOK_BUSY = 10.0  # later, where its turn may still be waiting in the queue


def sweep(store: Store, celery: Celery) -> int:
    """One pass; returns the turns queued. Safe to run in every worker at once: one of them does it."""
    client = store.redis
    if not client.set("eligo:sweeping", 1, nx=True, px=int(_EVERY * 800)):
        return 0
    waiting = waiting_turns(client)
    processes = max(1, len(living_workers(client)))
    turns = 0
    for idle in store.sweep(_LOOK_BUSY if waiting else _LOOK_IDLE):
        more = max(0, min(idle.waiting, processes - idle.held))
        if idle.unread:
            enqueue_reading(celery, idle.job)
        if more:
            enqueue(celery, idle.kind, idle.job, more)
        turns += more + idle.unread
    if turns:
        log.info("swept", turns=turns)
    return turns


def erase(store: Store, every: int) -> None:
    """Have Redis rewrite its append-only file where something was deleted or has expired since, so that the sealed bytes leave the disk, too.

    At most once in `every` seconds, whoever asks: a rewrite copies the whole data set.
    """
    client = store.redis
    if not client.set("eligo:erasing", 1, nx=True, ex=every):
        return
    expired = str(client.info("stats")["expired_keys"]).encode()
    if client.getset(ERASED, expired) == expired:
        return
    try:
        client.bgrewriteaof()
    except redis.ResponseError:  # one is running already, or a managed Redis keeps this to itself
        client.delete(ERASED)


def start_sweeping(store: Store, celery: Celery, erase_every: int, alive: Path | None = None) -> None:
    """A thread for as long as the worker lives; `alive` is touched after every pass."""

    def run() -> None:
        while True:
            sleep(_EVERY)
            try:
                sweep(store, celery)
                erase(store, erase_every)
                if alive is not None:
                    alive.touch()
            except (redis.RedisError, OperationalError) as error:
                log.warning("sweep_failed", error=type(error).__name__)

    threading.Thread(target=run, daemon=True, name="sweep").start()
