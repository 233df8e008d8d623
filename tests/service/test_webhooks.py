"""The operator's address is told of every finished job, signed, until it has heard."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.service.stack import Stack, wait_for
from workers.settings import SettingsError, load_settings
from workers.webhooks import signature


@pytest.mark.service
def test_an_address_that_first_refuses_is_told_again(tmp_path):
    heard = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append((self.headers["Eligo-Signature"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if len(heard) == 1 else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Stack(tmp_path, bundled_trials=False, webhook_url=f"http://127.0.0.1:{server.server_port}/", webhook_secret="s3cret") as stack:
        stack.start_redis()
        stack.start_worker()
        client = stack.start_api()
        stack.ready(client)
        job = client.post("/api/v1/matches", json={"note": "ECOG 1."}).json()["id"]
        wait_for(lambda: len(heard) == 2)
        wait_for(lambda: not stack.store().redis.exists("eligo:webhooks", "eligo:webhooks:tries"))
    for signed, body in heard:
        assert json.loads(body) == {"id": job, "kind": "match", "state": "done", "total": 1, "done": 1, "failed": 0}
        assert signed == signature("s3cret", int(signed.split(",")[0].removeprefix("t=")), body)


def test_a_signature_needs_its_secret(monkeypatch):
    monkeypatch.setenv("ELIGO_WEBHOOK_URL", "http://127.0.0.1:1/")
    with pytest.raises(SettingsError, match="ELIGO_WEBHOOK_SECRET"):
        load_settings()
