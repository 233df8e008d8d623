"""The parts of the service as processes that a test can start, kill and look into."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import redis

from matcher import read_trials
from matcher.registry import Registry
from workers.connection import connect
from workers.embedded import start_redis
from workers.processes import die_with_parent
from workers.sealing import load_sealer
from workers.settings import Settings
from workers.store import Store

ROOT = Path(__file__).parents[2]
NOTE = "Consult 2024-02-11. 64-year-old woman, relapsed multiple myeloma after VRd and autologous transplant. ECOG 1. Hb 9.8 g/dL."


PATIENCE = 300  # seconds; a slow machine is no failure


def wait_for(condition: Callable[[], Any], what: str = "condition", seconds: float = PATIENCE) -> Any:
    """Polls a condition of another process, less and less often; its first true value."""
    until, pause = monotonic() + seconds, 0.01
    while True:
        if found := condition():
            return found
        assert monotonic() < until, f"{what} did not come true in {seconds} s"
        sleep(pause)
        pause = min(pause * 1.3, 0.2)


SMALL_TRIAL = "Title: A small trial\nInclusion Criteria:\n1. Age 18 years or older\n2. ECOG performance status 0-1\nExclusion Criteria:\n1. Pregnancy\n"


class Stack:
    """Redis, workers and API on one data folder. Everything they write goes to `log`. `url`: of a Redis that runs already."""

    def __init__(self, folder: Path, url: str = "", **settings: Any) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "everything.log"
        values = {"processes": 2, "lease": 2, "log_level": "DEBUG", **settings}
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith(("ELIGO_", "REDIS_"))}
        self._environment |= {f"ELIGO_{name.upper()}": str(value) for name, value in values.items()} | {"ELIGO_DATA_DIR": str(folder)}
        self.settings = Settings(data_dir=folder, **values)
        if not self.settings.bundled_trials:
            for trial in read_trials(SMALL_TRIAL.encode(), "small.txt"):
                Registry(folder).put(trial)
        self.redis: subprocess.Popen[bytes] | None = None
        self.url, self.workers, self.api = url, list[subprocess.Popen[bytes]](), None
        self._listening: socket.socket | None = None
        if url:
            self._use(url)

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, *_: object) -> None:
        for child in [self.api, *self.workers, self.redis]:
            if child is not None:
                child.kill()
                child.wait()
        if self._listening is not None:
            self._listening.close()

    def start_redis(self) -> None:
        self.redis, self.url = start_redis(self.settings)
        self._use(self.url)

    def _use(self, url: str) -> None:
        self._environment["REDIS_URL"] = url
        self.settings = self.settings.model_copy(update={"redis_url": url})

    def start_worker(self, module: str = "workers", **settings: Any) -> subprocess.Popen[bytes]:
        worker = self._spawn(module, **settings)
        self.workers.append(worker)
        return worker

    def start_api(self) -> httpx.Client:
        if self._listening is None:
            self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.api = self._spawn("api", str(self._listening.fileno()), fds=(self._listening.fileno(),))
        return self.client()

    def client(self, key: str = "") -> httpx.Client:
        assert self._listening is not None
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=f"http://127.0.0.1:{self._listening.getsockname()[1]}", headers=headers, timeout=PATIENCE, trust_env=False, verify=False)  # to load authorities that plain HTTP never asks takes 30 ms

    def store(self) -> Store:
        return Store(connect(self.settings), load_sealer(self.settings), self.settings)

    def ready(self, client: httpx.Client) -> None:
        def answers() -> bool:
            for child in [self.api, *self.workers]:
                assert child is None or child.poll() is None, self.log.read_text()[-3000:]
            try:
                return client.get("/health/ready", timeout=10).status_code == 200
            except httpx.HTTPError:
                return False

        wait_for(answers, "readiness")

    def pool(self, worker: subprocess.Popen[bytes]) -> list[int]:
        """The pids of a worker's processes."""
        children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children")
        return [int(pid) for pid in children.read_text().split()] if children.exists() else []

    def stop_workers(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.workers.clear()

    def _spawn(self, module: str, *args: str, fds: tuple[int, ...] = (), **settings: Any) -> subprocess.Popen[bytes]:
        parent, environment = os.getpid(), self._environment | {f"ELIGO_{name.upper()}": str(value) for name, value in settings.items()}
        with open(self.log, "ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", module, *args], cwd=ROOT, env=environment, pass_fds=fds, stdout=log, stderr=log,
                preexec_fn=lambda: die_with_parent(signal.SIGKILL, parent),
            )  # fmt: skip


def wait_forgotten(client: redis.Redis, job: str) -> None:
    """Until no key tells of a deleted job. Its message does until the turn that took it has ended, and by then all is written that the turn may write."""
    wait_for(lambda: job.encode() not in all_bytes(client), f"forgetting {job}")


def all_bytes(client: redis.Redis) -> bytes:
    """Every key and every value that a Redis holds."""
    found = []
    for key in client.scan_iter(count=1000):
        kind = client.type(key)
        found.append(key)
        if kind == b"string":
            found.append(client.get(key) or b"")
        elif kind == b"hash":
            found += [part for pair in client.hgetall(key).items() for part in pair]
        elif kind == b"list":
            found += client.lrange(key, 0, -1)
        elif kind == b"set":
            found += client.smembers(key)
        elif kind == b"zset":
            found += client.zrange(key, 0, -1)
    return b"\n".join(found)
