"""One Redis, named one way, reached by the job store and by Celery: plain, TLS, unix socket or Sentinel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic, sleep
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from workers.settings import Settings, SettingsError

T = TypeVar("T")

_TIMEOUT = 5.0  # seconds; a Redis that does not answer by then is away


def connect(settings: Settings) -> redis.Redis:
    """A client of REDIS_URL. Raises SettingsError where the URL is of no known kind."""
    url = settings.redis_url
    # One quick retry only: a broken connection is mended, a Redis that is away is said to be away.
    options: dict[str, Any] = {"socket_timeout": _TIMEOUT, "socket_connect_timeout": 2.0, "retry": Retry(ExponentialBackoff(cap=0.1, base=0.02), 1)}
    if url.startswith("sentinel://"):
        parts = [urlsplit(part) for part in url.split(";")]
        sentinels = [(part.hostname or "localhost", part.port or 26379) for part in parts]
        credentials = {"username": parts[0].username, "password": parts[0].password}
        sentinel = Sentinel(sentinels, socket_timeout=_TIMEOUT, sentinel_kwargs={"socket_timeout": 2.0})
        return sentinel.master_for(settings.sentinel_master, **options, **{k: v for k, v in credentials.items() if v})
    if url.startswith("redis+socket:"):
        url = url.replace("redis+socket:", "unix:", 1)
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise SettingsError(f"REDIS_URL must begin with redis://, rediss://, unix:// or sentinel://, not {url.split(':')[0] or 'nothing'}")
    return redis.Redis.from_url(url, **options)


def broker_url(settings: Settings) -> str:
    """REDIS_URL in the form that Celery's transport reads."""
    url = settings.redis_url
    return url.replace("unix:", "redis+socket:", 1) if url.startswith("unix:") else url


class Sent(Generic[T]):
    """A script on its way to Redis while its caller does something else; what it answers is heard later, through `reading`."""

    def __init__(self, script: Any, keys: Sequence[str], args: Sequence[Any], reading: Callable[[Any], T]) -> None:
        self._script, self._keys, self._args, self._reading = script, keys, args, reading
        self._pool = script.registered_client.connection_pool
        self._connection: Any = None
        try:
            self._connection = self._pool.get_connection()
            self._connection.send_command("EVALSHA", script.sha, len(keys), *keys, *args)
        except redis.RedisError:
            self.close()

    def answer(self, insist: float = 0) -> T:
        """Waits for it; where it is an error or does not come, runs the script again, for so many seconds. Raises redis.RedisError."""
        until = monotonic() + insist
        if self._connection is not None:
            try:
                heard = self._connection.read_response()
                self._pool.release(self._connection)
                self._connection = None
                return self._reading(heard)
            except redis.RedisError:
                self.close()
        while True:
            try:
                return self._reading(self._script(keys=self._keys, args=self._args))
            except redis.RedisError:
                if monotonic() > until:
                    raise
                sleep(0.2)

    def close(self) -> None:
        """Gives the connection back; an answer that nobody heard would be taken for the next command's."""
        if self._connection is not None:
            self._connection.disconnect()
            self._pool.release(self._connection)
            self._connection = None
