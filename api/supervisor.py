"""`eligo serve`: Redis where none is named, the worker and the API as children that start, restart and stop together."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import monotonic, sleep
from typing import TextIO

from api import oidc
from api.keys import KeyFile
from api.service import is_loopback
from matcher import EligoError
from workers.embedded import start_redis
from workers.sealing import load_sealer
from workers.settings import Settings, SettingsError

_QUICK = 10.0  # seconds; a child that ends sooner has not really started
_TRIES = 5  # quick ends in a row before the supervisor gives up

Child = subprocess.Popen[bytes]


def check_door(settings: Settings, host: str) -> None:
    """Refuse to let anyone on the network in without credentials."""
    if not is_loopback(host) and not KeyFile(settings.keys_file).all() and oidc.configured(settings) is None:
        raise SettingsError(
            f"{host} can be reached from the network, and no credentials are required yet: make a key with `eligo keys create`, "
            "or set ELIGO_OIDC_ISSUER and ELIGO_OIDC_AUDIENCE; or stay on 127.0.0.1"
        )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises EligoError where the port is taken or the host is not this machine's."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise EligoError(f"cannot listen on {host} port {port}: {error.strerror}; choose another with --port") from None
    listening.set_inheritable(True)
    return listening


class Supervisor:
    """Children by name, each with the way to start it again. Stops them in the reverse order of their start."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._environment = {**os.environ, "ELIGO_DATA_DIR": str(settings.data_dir.absolute())}
        self._start: dict[str, Callable[[], Child]] = {}
        self._children: dict[str, Child] = {}
        self._quick: dict[str, int] = {}
        self._started: dict[str, float] = {}
        self._stopping = False

    def run(self, listening: socket.socket, ready: Callable[[str], None]) -> None:
        """Until SIGTERM or SIGINT. `ready` is called with the URL once notes can be matched."""
        lock = _lock(self._settings.data_dir)
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._stop)
        try:
            if not self._settings.redis_url:
                load_sealer(self._settings)  # makes the key before two children could
                self._add("redis", self._redis)
            self._add("worker", lambda: self._python("workers"))
            self._add("api", lambda: self._python("api", str(listening.fileno()), fds=(listening.fileno(),)))
            self._watch(listening, ready)
        finally:
            self._stop_children()
            lock.close()

    def _redis(self) -> Child:
        child, url = start_redis(self._settings)
        self._environment["REDIS_URL"] = url
        return child

    def _python(self, module: str, *args: str, fds: tuple[int, ...] = ()) -> Child:
        return subprocess.Popen(
            [sys.executable, "-m", module, *args], env=self._environment, pass_fds=fds, stdin=subprocess.DEVNULL, start_new_session=True,
            stdout=subprocess.DEVNULL,  # where Celery announces its shutdown; logs go to standard error
        )  # fmt: skip

    def _add(self, name: str, start: Callable[[], Child]) -> None:
        self._start[name] = start
        self._started[name] = monotonic()
        self._children[name] = start()

    def _watch(self, listening: socket.socket, ready: Callable[[str], None]) -> None:
        host, port = listening.getsockname()[:2]
        host = "127.0.0.1" if host == "0.0.0.0" else host
        told, asked = False, monotonic()
        while not self._stopping:
            for name, child in list(self._children.items()):
                if child.poll() is not None:
                    self._restart(name, child)
            if not told and monotonic() - asked > 0.1:
                asked = monotonic()
                told = _is_ready(host, port)
                if told:
                    ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
            sleep(0.05)

    def _restart(self, name: str, child: Child) -> None:
        quick = monotonic() - self._started[name] < _QUICK
        self._quick[name] = self._quick.get(name, 0) + 1 if quick else 0
        if self._quick[name] >= _TRIES:
            raise EligoError(f"the {name} ends as soon as it starts (exit status {child.returncode}); what it said stands above")
        print(f"eligo: the {name} ended (exit status {child.returncode}); starting it again", file=sys.stderr)
        self._add(name, self._start[name])

    def _stop(self, signum: int, frame: object) -> None:
        self._stopping = True

    def _stop_children(self) -> None:
        for name in reversed(list(self._children)):
            child = self._children[name]
            child.terminate()
            try:
                child.wait(self._settings.soft_shutdown + 5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _is_ready(host: str, port: int) -> bool:
    connection = HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _lock(data_dir: Path) -> TextIO:
    """One supervisor for one data folder; the lock goes with the process, however it ends."""
    data_dir.mkdir(parents=True, exist_ok=True)
    file = open(data_dir / "serve.lock", "w")  # noqa: SIM115 - open as long as the process lives
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise EligoError(f"another `eligo serve` uses {data_dir}; stop it, or set ELIGO_DATA_DIR to another folder") from None
    return file
