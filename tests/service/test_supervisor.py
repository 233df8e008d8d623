"""`eligo serve` with nothing installed but itself: starts together, stops together, and picks up what it had accepted."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.service.stack import PATIENCE, ROOT, wait_for

pytestmark = pytest.mark.service

NOTE = "62-year-old man with myeloma. ECOG 1."


class Serve:
    def __init__(self, folder: Path, *args: str) -> None:
        self.log = folder / "serve.log"
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("ELIGO_", "REDIS_"))}
        environment |= {"ELIGO_DATA_DIR": str(folder / "data"), "ELIGO_PROCESSES": "1", "ELIGO_LEASE": "2", "PYTHONUNBUFFERED": "1"}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([sys.executable, "-c", "from api.cli import main; main()", "serve", *args], cwd=ROOT, env=environment, stderr=log)
        self.client: httpx.Client | None = None

    def ready(self) -> httpx.Client:
        url = wait_for(lambda: re.search(r"Eligo is at (\S+)", self.log.read_text()), "readiness")[1]
        self.client = httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False, verify=False)
        return self.client

    def family(self) -> set[int]:
        """The supervisor's descendants."""
        found, todo = set(), [self.process.pid]
        while todo:
            for task in Path(f"/proc/{todo.pop()}/task").glob("*/children"):
                children = {int(pid) for pid in task.read_text().split()} - found
                found |= children
                todo += children
        return found


@contextmanager
def serving(folder: Path, *args: str) -> Iterator[Serve]:
    serve = Serve(folder, *args)
    try:
        yield serve
    finally:
        family = serve.family()
        serve.process.kill()
        serve.process.wait()
        wait_for(lambda: not any(map(alive, family)), "the end of the children")


def alive(pid: int) -> bool:
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_it_serves_recovers_and_stops_as_one(tmp_path, eligo):
    with serving(tmp_path, "--port", "0") as serve:
        client = serve.ready()
        assert client.get("/").status_code == 200
        location = client.post("/api/v1/matches", json={"note": NOTE}).headers["location"]
        assert client.get(location, params={"wait": 20}).json()["state"] == "done"

        # Killed without warning, with work accepted: its children go, too, and the next start finishes the work.
        unfinished = [client.post("/api/v1/matches", json={"note": NOTE + " Stable." * 200}).headers["location"] for _ in range(20)]
        family = serve.family()
        assert len(family) >= 4
        serve.process.kill()
        serve.process.wait()
        wait_for(lambda: not any(map(alive, family)), "the end of the children")
    with serving(tmp_path, "--port", "0") as serve:
        client = serve.ready()
        for accepted in [location, *unfinished]:
            assert client.get(accepted, params={"wait": 30}).json()["state"] == "done"

        # A second one on the same folder is refused.
        status, _, says = eligo("serve", "--port", "0")
        assert status == 2
        assert "another `eligo serve`" in says

        # Each child that is killed is started again.
        for task in Path(f"/proc/{serve.process.pid}/task").glob("*/children"):
            for child in task.read_text().split():
                os.kill(int(child), signal.SIGKILL)
        wait_for(lambda: serve.log.read_text().count("starting it again") >= 3, "the restarts")
        location = wait_for(lambda: (a := client.post("/api/v1/matches", json={"note": NOTE})).status_code == 202 and a.headers["location"])
        wait_for(lambda: client.get(location, params={"wait": 5}).json()["state"] == "done")

        # Told to stop, it stops everything.
        family = serve.family()
        serve.process.send_signal(signal.SIGTERM)
        assert serve.process.wait() == 0
        assert not any(map(alive, family))


def test_the_network_needs_credentials_first(eligo):
    status, _, says = eligo("serve", "--host", "0.0.0.0", "--port", "0")
    assert status == 2
    assert "eligo keys create" in says
