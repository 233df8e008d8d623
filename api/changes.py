"""Wakes requests that wait for a job as soon as something about it changed, so that nobody has to ask Redis many times a second."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import Any, TypeVar

import redis
from fastapi.concurrency import run_in_threadpool

from workers.store import CHANGES

T = TypeVar("T")

_ANYWAY = 1.0  # seconds after which a waiting request looks without having been woken: a message may be lost with its connection
_LISTEN = 30.0  # seconds for one read of the channel
_AWAY = 0.5  # seconds between tries to reach Redis


class Changes:
    """`client`: of `workers.connection`. One thread listens for the whole process."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread, for as long as the process lives."""
        threading.Thread(target=self._run, args=(loop,), daemon=True, name="changes").start()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while not loop.is_closed():
            try:
                with self._client.pubsub(ignore_subscribe_messages=True) as channel:
                    channel.subscribe(CHANGES)
                    while True:
                        message = channel.get_message(timeout=_LISTEN)
                        if message and (job := message["data"].decode()) in self._waiting:
                            loop.call_soon_threadsafe(self._wake, job)
            except (redis.RedisError, RuntimeError):  # away, or the loop has ended
                sleep(_AWAY)

    def _wake(self, job: str) -> None:
        for event in self._waiting.get(job, ()):
            event.set()

    @contextmanager
    def of(self, job: str) -> Iterator[asyncio.Event]:
        """An event that is set when the job changes; clear it before you look at the job, so that no change falls between."""
        event = asyncio.Event()
        self._waiting.setdefault(job, set()).add(event)
        try:
            yield event
        finally:
            self._waiting[job].discard(event)
            if not self._waiting[job]:
                del self._waiting[job]

    async def until(self, job: str, look: Callable[[], T], ready: Callable[[T], bool], seconds: float) -> T:
        """The first look that is ready, or the last one in time. Looks are made in threads."""
        end = monotonic() + seconds
        with self.of(job) as changed:
            while True:
                changed.clear()
                found = await run_in_threadpool(look)
                left = end - monotonic()
                if ready(found) or left <= 0:
                    return found
                await wait(changed, min(left, _ANYWAY))


async def wait(changed: asyncio.Event, seconds: float = _ANYWAY) -> None:
    """Until the event is set, or so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await changed.wait()
