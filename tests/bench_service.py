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

from tests.service.stack import ROOT, Stack
from workers.gauges import counters

NOTE = (ROOT / "api" / "example_note.txt").read_text(encoding="utf-8")
CLIENTS, SECONDS = 200, 60
ROWS, TURNS = 300, 3  # of the list that measures batches, and how often: the best turn is the one that others disturbed least
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
    with client.stream("GET", f"/api/v1/jobs/{answer.json()['id']}/events", timeout=_AFTER) as events:
        last = [line for line in events.iter_lines() if line.startswith("data: ")][-1]
    took = perf_counter() - sent
    assert json.loads(last.removeprefix("data: "))["done"] == rows
    return accepted, took


def overhead(stack: Stack, client: httpx.Client, processes: int) -> tuple[float, str]:
    """Of one list, in ms a note: what its processes spent on anything but reading and matching (claiming, opening, writing the answer,
    sealing, settling, waiting, their share of Celery, Redis and the API on the same cores), and all figures as a line."""
    pool = [pid for worker in stack.workers for pid in stack.pool(worker)]
    stats, spent = counters(stack.store().redis), cpu(pool)
    _, took = batch(client, ROWS)
    spent = (cpu(pool) - spent) / ROWS * 1000
    now = counters(stack.store().redis)
    busy = sum(now[key] - stats.get(key, 0) for key in ("seconds:read", "seconds:match")) / ROWS * 1000
    rest = took * processes / ROWS * 1000 - busy
    return rest, f"{ROWS / took:.1f} notes/s; reading and matching {busy:.1f} ms a note, all else {rest:.1f} ms; CPU of its processes {spent:.1f} ms a note"


def main(clients: int = CLIENTS, seconds: float = SECONDS) -> None:
    for processes in (1, 2):
        with service(processes=processes) as (stack, client):
            one_note(client, 10)
            idle = one_note(client)
            print(f"{processes} worker process(es), one note of {len(NOTE)} characters, idle: {percentiles(idle)}")
            before = counters(stack.store().redis)
            taken, failed = asyncio.run(_clients(str(client.base_url), clients, seconds))
            after = counters(stack.store().redis)
            done = after["notes:done"] - before["notes:done"]
            assert not failed
            assert done == len(taken), (done, len(taken))
            print(f"  {clients} clients for {seconds:g} s: accepted {len(taken)} = completed {done:.0f}; {len(taken) / seconds:.1f} notes/s; {percentiles(taken)}")
            _, figures = min(overhead(stack, client, processes) for _ in range(TURNS))
            print(f"  a list of {ROWS}, best of {TURNS}, load of the machine {os.getloadavg()[0]:.1f}: {figures}")
            accepted, _ = batch(client, 10_000)
            print(f"  a list of 10,000: 202 after {accepted * 1000:.0f} ms from its last byte")
            workers = [memory(pid) for worker in stack.workers for pid in (worker.pid, *stack.pool(worker))]
            api, redis = memory(stack.api.pid), memory(stack.redis.pid)  # type: ignore[union-attr]
            each = ", ".join(f"worker {m['rss']:.0f} / {m['pss']:.0f}" for m in workers)
            print(f"  memory in MB, resident / own share: {each}, API {api['rss']:.0f}, Redis {redis['rss']:.0f}")


if __name__ == "__main__":
    os.chdir(ROOT)
    main(*(int(argument) for argument in sys.argv[1:]))
