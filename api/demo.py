"""`make demo`: the main job on a bundled, invented note, through the service: own Redis, worker and API, stopped afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from api import terminal

EXAMPLE_NOTE = Path(__file__).with_name("example_note.txt")
PATIENCE = 60  # seconds from start to answer


def main() -> int:
    """Starts the service in a folder of its own, posts the example note, prints the ranked trials, stops what it started."""
    with tempfile.TemporaryDirectory(prefix="eligo-") as folder:
        own = {k: v for k, v in os.environ.items() if not k.startswith(("ELIGO_", "REDIS_"))}
        command = [sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", "0"]
        service = subprocess.Popen(command, env={**own, "ELIGO_DATA_DIR": folder}, stderr=subprocess.PIPE, text=True)
        try:
            url = next((line.split()[-1] for line in service.stderr or () if line.startswith("Eligo is at")), None)
            if url is None:
                print("the service did not start; run `make serve` to see why", file=sys.stderr)
                return 1
            print(f"Posting {EXAMPLE_NOTE.name} to {url}/api/v1/matches")
            terminal.show_report(_result(url.rstrip("/")))
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(PATIENCE)
    return 0


def _result(url: str) -> dict:
    """The answer for the example note, once a worker is there to read it."""
    deadline = time.monotonic() + PATIENCE
    with httpx.Client(base_url=url, timeout=10) as client:
        place = client.post("/api/v1/matches", json={"note": EXAMPLE_NOTE.read_text(encoding="utf-8")}).raise_for_status().headers["Location"]
        while time.monotonic() < deadline:
            job = client.get(place).raise_for_status().json()
            if job["state"] == "done":
                return job["result"]
            if job["state"] == "failed":
                raise SystemExit(f"the note could not be read: {job['error']}")
            time.sleep(0.1)
    raise SystemExit(f"no answer within {PATIENCE} seconds; run `make serve` to see why")


if __name__ == "__main__":
    sys.exit(main())
