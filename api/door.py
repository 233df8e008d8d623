"""What every request passes through: an id, a size limit, an origin check, security headers, a log line, a measurement."""

from __future__ import annotations

import re
from time import perf_counter
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from opentelemetry import propagate
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem
from api.service import is_loopback
from workers.settings import Settings, listed
from workers.tracing import span

log = structlog.get_logger()


def content_policy(script: str = "", style: str = "") -> str:
    """Nothing but this service's own files, and what stands in the page itself under these hashes."""
    return (
        f"default-src 'none'; script-src 'self' {script}; style-src 'self' {style}; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


_HEADERS = {
    "Content-Security-Policy": content_policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ENVELOPE = 65_536  # bytes for what stands around a note or a file


class Door:
    """ASGI middleware, outermost."""

    def __init__(self, app: ASGIApp, settings: Settings, requests: Counter, seconds: Histogram) -> None:
        self._app, self._settings = app, settings
        self._requests, self._seconds = requests, seconds
        self._origins, self._hosts = set(listed(settings.cors_origins)), set(listed(settings.trusted_hosts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, started, status = Headers(scope=scope), perf_counter(), 500
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                out = MutableHeaders(scope=message)
                out["X-Request-ID"] = request_id
                for name, value in _HEADERS.items():
                    out.setdefault(name, value)
                out.setdefault("Cache-Control", "no-store" if scope["path"].startswith("/api/") else "no-cache")
                if scope.get("scheme") == "https":
                    out["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        with span("request", propagate.extract(dict(headers))) as seen:
            try:
                refusal = self._refuse(scope, headers)
                if refusal is None:
                    await self._app(scope, _counted(receive, self._limit(scope["path"])), answer)
                else:
                    await refusal(scope, receive, answer)
            finally:
                route, took = _route(scope), perf_counter() - started
                seen.set_attributes({"http.request.method": scope["method"], "http.route": route, "http.response.status_code": status})
                self._measure(scope["method"], route, status, took)

    def _measure(self, method: str, route: str, status: int, took: float) -> None:
        """Counts and logs a request that took so many seconds."""
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(took)
        if not route.startswith("/health"):
            log.info("request", method=method, route=route, status=status, ms=round(took * 1000, 1))

    def _limit(self, path: str) -> int:
        s = self._settings
        # JSON may write a character of a note as six.
        return _ENVELOPE + (s.max_upload_bytes if path.rstrip("/").endswith("/batches") else 6 * s.max_note_bytes)

    def _refuse(self, scope: Scope, headers: Headers) -> JSONResponse | None:
        """The answer to a request that goes no further."""
        length = headers.get("content-length", "0")
        if not length.isdigit():
            return problem(400, "Content-Length is no number")
        if int(length) > self._limit(scope["path"]):
            return problem(413, f"this may have {self._limit(scope['path'])} bytes at most", {"Connection": "close"})
        host = urlsplit("//" + headers.get("host", "")).hostname
        if self._hosts and host not in self._hosts:
            return problem(400, "this Host is not served here (ELIGO_TRUSTED_HOSTS)")
        # Without credentials the only guard of a local service is that a web page elsewhere cannot pose as its user:
        # neither by a name that it lets resolve to this machine, nor by posting from another origin.
        if not self._hosts and "authorization" not in headers and not is_loopback(host) and is_loopback((scope.get("server") or (None,))[0]):
            return problem(400, "a local service answers to localhost only; set ELIGO_TRUSTED_HOSTS to the names it is reached by")
        origin = headers.get("origin")
        if origin and scope["method"] not in ("GET", "HEAD", "OPTIONS") and origin not in self._origins and urlsplit(origin).netloc != headers.get("host"):
            return problem(403, "requests from this origin are not accepted (ELIGO_CORS_ORIGINS)")
        return None


_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}


def _route(scope: Scope) -> str:
    """The template of the path: the path itself can name a job."""
    return getattr(scope.get("route"), "path", "none")


def _counted(receive: Receive, limit: int) -> Receive:
    """The body, refused where it grows past its limit without having said so."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413, f"this may have {limit} bytes at most")
        return message

    return limited
