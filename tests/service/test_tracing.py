"""Traces reach a collector: one request's spans in the API and in the worker belong together, and hold no word of a note."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.service.stack import Stack, wait_for

pytestmark = pytest.mark.service

MARK = "Zweizahnwal"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector:
    """Takes OTLP over HTTP in its JSON encoding."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        collector = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                collector.bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self, trace: str) -> dict[str, dict]:
        """By their ids, each with its service."""
        found = {}
        for body in self.bodies:
            for resource in json.loads(body)["resourceSpans"]:
                service = resource["resource"]["attributes"][0]["value"]["stringValue"]
                for scope in resource["scopeSpans"]:
                    found |= {span["spanId"]: {**span, "service": service} for span in scope["spans"] if span["traceId"] == trace}
        return found


@pytest.fixture
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.server.shutdown()
    running.server.server_close()


def test_a_trace_goes_from_the_caller_through_the_api_into_the_worker(tmp_path, collector):
    with Stack(tmp_path, bundled_trials=False, otlp_endpoint=f"http://127.0.0.1:{collector.server.server_port}") as stack:
        stack.start_redis()
        stack.start_worker("tests.service.poisoned")
        client = stack.start_api()
        stack.ready(client)
        for text, trace in (("[raise]", TRACE[::-1]), ("62-year-old man with myeloma.", TRACE)):
            location = client.post("/api/v1/matches", json={"note": f"{text} {MARK}"}, headers={"traceparent": f"00-{trace}-{PARENT}-01"}).headers["location"]
            client.get(location, params={"wait": 20})

        def arrived() -> dict[str, dict] | None:
            spans = collector.spans(TRACE)
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
        assert MARK.encode() not in b"".join(collector.bodies)
