"""`python -m api FD`: the API on a socket that is listening already; its parent keeps it, so that a restart refuses nobody."""

from __future__ import annotations

import signal
import socket
import sys

import uvicorn

from api.app import create_app
from workers.processes import die_with_parent
from workers.settings import load_settings
from workers.tracing import start_tracing


def run(listening: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = load_settings()
    start_tracing(settings, "api")
    config = uvicorn.Config(
        create_app(settings), log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=5, backlog=2048,
        timeout_keep_alive=75,  # longer than proxies and clients keep an idle connection: a request never meets one that is closing
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    die_with_parent(signal.SIGTERM)
    run(socket.socket(fileno=int(sys.argv[1])))
