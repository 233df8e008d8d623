"""The load run of `make bench`: what the service does on this machine, measured on real processes. `python -m tests.bench_service`."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

import httpx

from tests.service.stack import ROOT, Stack, wait_for

NOTE = (ROOT / "api" / "example_note.txt").read_text(encoding="utf-8")
CLIENTS, SECONDS = 200, 60
_AFTER = 300  # seconds for what was accepted to be answered; longer is a failure, not a figure


@contextmanager
def service(**settings: Any) -> Iterator[tuple[Stack, httpx.Client]]:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), log_level="WARNING", lease=5, **settings) as stack:
        stack.start_redis()
        stack.start_worker()
        client = stack.start_api()
        stack.ready(client)
        yield stack, client


def percentiles(seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100)
    return " ".join(f"p{p} {cuts[p - 1] * 1000:.0f} ms" for p in (50, 95, 99))


def memory(pid: int) -> dict[str, float]:
    """Megabytes of a process: resident, and its own share of what is shared."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().split()
    return {name: int(rollup[rollup.index(f"{key}:") + 1]) / 1024 for name, key in (("rss", "Rss"), ("pss", "Pss"))}


def cpu(pids: list[int]) -> float:
    """Seconds of CPU that these processes have used."""
    used = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids)
    return sum(int(times[11]) + int(times[12]) for times in used) / os.sysconf("SC_CLK_TCK")


def one_note(client: httpx.Client, count: int = 100) -> list[float]:
    """Seconds from POST to result, one note at a time on an idle service."""
    taken = []
    for _ in range(count):
        began = perf_counter()
        location = client.post("/api/v1/matches", json={"note": NOTE}).headers["location"]
        assert client.get(location, params={"wait": 20}).json()["state"] == "done"
        taken.append(perf_counter() - began)
    return taken


async def _paste(client: httpx.AsyncClient, until: float, taken: list[float], lost: list[str]) -> None:
    while monotonic() < until:
        began = perf_counter()
        answer = await client.post("/api/v1/matches", json={"note": NOTE})
        assert answer.status_code == 202, answer.text
        while True:
            state = (await client.get(answer.headers["location"], params={"wait": 30})).json()["state"]
            if state in ("done", "failed"):
                break
        if state == "failed":
            lost.append(answer.headers["location"])
        taken.append(perf_counter() - began)


async def _clients(url: str, count: int, seconds: float) -> tuple[list[float], list[str]]:
    taken, lost = list[float](), list[str]()
    async with httpx.AsyncClient(base_url=url, timeout=120, trust_env=False, limits=httpx.Limits(max_connections=count, keepalive_expiry=2)) as client:
        until = monotonic() + seconds
        async with asyncio.timeout(seconds + _AFTER):
            await asyncio.gather(*(_paste(client, until, taken, lost) for _ in range(count)))
    return taken, lost


def batch(client: httpx.Client, rows: int) -> tuple[float, float]:
    """(seconds from the last byte to the 202, seconds until all is done) of a list of so many patients."""
    text = json.dumps(NOTE)
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="l.jsonl"\r\n\r\n' + "\n".join(f'{{"id": "p{i}", "note": {text}}}' for i in range(rows)).encode()
    sent = 0.0

    def stream() -> Iterator[bytes]:
        nonlocal sent
        for start in range(0, len(body), 1 << 16):
            yield body[start : start + (1 << 16)]
        sent = perf_counter()
        yield b"\r\n--b--\r\n"

    answer = client.post("/api/v1/batches", content=stream(), headers={"Content-Type": "multipart/form-data; boundary=b"})
    accepted = perf_counter() - sent
    assert answer.status_code == 202
    location = answer.headers["location"]
    if rows > 2000:
        client.delete(location)
        return accepted, 0.0
    state = wait_for(lambda: (a := client.get(location).json())["state"] in ("done", "failed") and a, "the end of the list", _AFTER)
    assert state["done"] == rows
    return accepted, perf_counter() - sent


def main(clients: int = CLIENTS, seconds: float = SECONDS) -> None:
    for processes in (1, 2):
        with service(processes=processes) as (stack, client):
            one_note(client, 10)
            idle = one_note(client)
            print(f"{processes} worker process(es), one note of {len(NOTE)} characters, idle: {percentiles(idle)}")
            before = stack.store().stats()
            taken, failed = asyncio.run(_clients(str(client.base_url), clients, seconds))
            after = stack.store().stats()
            done = after["notes:done"] - before["notes:done"]
            assert not failed
            assert done == len(taken), (done, len(taken))
            print(f"  {clients} clients for {seconds:g} s: accepted {len(taken)} = completed {done:.0f}; {len(taken) / seconds:.1f} notes/s; {percentiles(taken)}")
            rows = 300
            stats = stack.store().stats()
            pool = [pid for worker in stack.workers for pid in stack.pool(worker)]
            spent = cpu(pool)
            _, took = batch(client, rows)
            spent = (cpu(pool) - spent) / rows * 1000
            worked = {k: v - stats.get(k, 0) for k, v in stack.store().stats().items()}
            busy = sum(worked[f"seconds:{stage}"] for stage in ("read", "match"))
            # What a process spends on a note besides reading and matching: claiming, opening, writing the answer, sealing, settling, its share of Celery and Redis.
            overhead = (took * processes - busy) / rows * 1000
            print(f"  a list of {rows}: {rows / took:.1f} notes/s; reading and matching {busy / rows * 1000:.1f} ms a note, all else {overhead:.1f} ms; CPU of its processes {spent:.1f} ms a note")
            accepted, _ = batch(client, 10_000)
            print(f"  a list of 10,000: 202 after {accepted * 1000:.0f} ms from its last byte")
            workers = [memory(pid) for worker in stack.workers for pid in (worker.pid, *stack.pool(worker))]
            api, redis = memory(stack.api.pid), memory(stack.redis.pid)  # type: ignore[union-attr]
            each = ", ".join(f"worker {m['rss']:.0f} / {m['pss']:.0f}" for m in workers)
            print(f"  memory in MB, resident / own share: {each}, API {api['rss']:.0f}, Redis {redis['rss']:.0f}")


if __name__ == "__main__":
    os.chdir(ROOT)
    main(*(int(argument) for argument in sys.argv[1:]))
