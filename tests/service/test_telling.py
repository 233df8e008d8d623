"""What the service tells others of its work: signed webhooks until they are heard, and traces. Neither holds a word of a note."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.service.stack import Stack, wait_for
from workers.settings import SettingsError, load_settings
from workers.webhooks import signature

MARK = "Zweizahnwal"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Listener:
    """Hears webhooks, the first of which it refuses, and takes traces: OTLP over HTTP in its JSON encoding."""

    def __init__(self) -> None:
        self.webhooks: list[tuple[str, bytes]] = []
        self.traces: list[bytes] = []
        listener = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.path == "/v1/traces":
                    listener.traces.append(body)
                else:
                    listener.webhooks.append((self.headers["Eligo-Signature"], body))
                self.send_response(500 if len(listener.webhooks) == 1 and self.path != "/v1/traces" else 200)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self, trace: str) -> dict[str, dict]:
        """By their ids, each with its service."""
        found = {}
        for body in self.traces:
            for resource in json.loads(body)["resourceSpans"]:
                service = resource["resource"]["attributes"][0]["value"]["stringValue"]
                for scope in resource["scopeSpans"]:
                    found |= {span["spanId"]: {**span, "service": service} for span in scope["spans"] if span["traceId"] == trace}
        return found


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    running = Listener()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture(scope="module")
def stack(tmp_path_factory, listener) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("telling"), bundled_trials=False, otlp_endpoint=listener.url, webhook_url=f"{listener.url}/heard", webhook_secret="s3cret") as running:
        running.start_redis()
        running.start_worker("tests.service.poisoned")
        running.ready(running.start_api())
        yield running


def test_an_address_that_first_refuses_is_told_again(client, stack, listener):
    job = client.post("/api/v1/matches", json={"note": f"ECOG 1. {MARK}"}).json()["id"]
    wait_for(lambda: len(listener.webhooks) == 2, "the second word")
    wait_for(lambda: not stack.store().redis.exists("eligo:webhooks", "eligo:webhooks:tries"), "the end of it")
    for signed, body in listener.webhooks:
        assert json.loads(body) == {"id": job, "kind": "match", "state": "done", "total": 1, "done": 1, "failed": 0}
        assert signed == signature("s3cret", int(signed.split(",")[0].removeprefix("t=")), body)


def test_a_signature_needs_its_secret(monkeypatch):
    monkeypatch.setenv("ELIGO_WEBHOOK_URL", "http://127.0.0.1:1/")
    with pytest.raises(SettingsError, match="ELIGO_WEBHOOK_SECRET"):
        load_settings()


def test_a_trace_goes_from_the_caller_through_the_api_into_the_worker(client, listener):
    for text, trace in (("[raise]", TRACE[::-1]), ("62-year-old man with myeloma.", TRACE)):
        location = client.post("/api/v1/matches", json={"note": f"{text} {MARK}"}, headers={"traceparent": f"00-{trace}-{PARENT}-01"}).headers["location"]
        client.get(location, params={"wait": 20})

    def arrived() -> dict[str, dict] | None:
        spans = listener.spans(TRACE)
        names = {(span["service"], span["name"]) for span in spans.values()}
        return spans if names >= {("eligo-api", "request"), ("eligo-worker", "turn"), ("eligo-worker", "read note"), ("eligo-worker", "match")} else None

    spans = wait_for(arrived, "the spans")
    read = next(span for span in spans.values() if span["name"] == "read note")
    turn = spans[read["parentSpanId"]]
    assert turn["name"] == "turn"
    request = spans[turn["parentSpanId"]]
    while request["name"] != "request":  # the framework has spans of its own between
        request = spans[request["parentSpanId"]]
    assert request["parentSpanId"] == PARENT
    assert int(read["startTimeUnixNano"]) <= int(read["endTimeUnixNano"])
    attributes = {a["key"]: a["value"] for a in request["attributes"]}
    assert attributes == {
        "http.request.method": {"stringValue": "POST"}, "http.route": {"stringValue": "/matches"}, "http.response.status_code": {"intValue": "202"},
    }  # fmt: skip
    assert MARK.encode() not in b"".join(listener.traces)
