"""How the service is doing: the living worker processes, the oldest work, the counters. `client`: of `workers.connection`."""

from __future__ import annotations

from typing import Any

from workers.store import ACTIVE, STATS, job_key

_WORKERS = "eligo:workers"  # hash: worker process → until when it is taken to live, in seconds of the Redis clock, and its memory in bytes


def beat(client: Any, worker: str, memory: int, living: float) -> None:
    """A worker process is alive, with so many bytes of memory, and is taken for dead after `living` seconds."""
    seconds, _ = client.time()
    client.hset(_WORKERS, worker, f"{seconds + living} {memory}")


def living_workers(client: Any) -> dict[str, int]:
    """The living worker processes and their memory in bytes."""
    seconds, _ = client.time()
    living = {}
    for name, value in client.hgetall(_WORKERS).items():
        until, memory = value.decode().split()
        if float(until) >= seconds:
            living[name.decode()] = int(memory)
        elif float(until) < seconds - 60:
            client.hdel(_WORKERS, name)
    return living


def oldest_age(client: Any, now: float, sample: int = 200) -> float:
    """Seconds since the oldest unfinished job was accepted, among those that have waited longest for a look."""
    with client.pipeline(transaction=False) as pipe:
        for job in client.zrange(ACTIVE, 0, sample - 1):
            pipe.hget(job_key(job.decode()), "created")
        created = [int(value) / 1000 for value in pipe.execute() if value]
    return max(0.0, now - min(created)) if created else 0.0


def counters(client: Any) -> dict[str, float]:
    """`notes:OUTCOME` and `seconds:STAGE`, since this Redis began."""
    return {name.decode(): float(value) for name, value in client.hgetall(STATS).items()}
