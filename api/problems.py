"""Errors as problem+json (RFC 9457), every one of them, with one table from exceptions to statuses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import redis
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from kombu.exceptions import OperationalError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from matcher import EligoError
from matcher.registry import RegistryError
from workers.matching import where
from workers.store import JobGone

log = structlog.get_logger()

RETRY_AFTER = 2  # seconds; an embedded Redis is back in less


class Problem(BaseModel):
    """RFC 9457. `detail` says what to do; it quotes nothing that was sent."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    request_id: str | None = None
    errors: list[dict[str, Any]] | None = Field(None, description="Which part of the request was wrong, and why")


def documented(what: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Statuses and what they mean, as a route's `responses`."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": meaning, "content": content} for status, meaning in what.items()}


class ProblemError(Exception):
    """Raised anywhere in a request to answer with this problem."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.detail, self.headers = status, detail, dict(headers or {})
        super().__init__(detail)


def problem(status: int, detail: str = "", headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, request_id=request_id, **more)
    return JSONResponse(body.model_dump(exclude_none=True), status, dict(headers or {}), media_type="application/problem+json")


def _invalid(error: RequestValidationError) -> JSONResponse:
    # The input is left out: it can be a note.
    errors = [{"at": "/".join(str(part) for part in e["loc"]), "reason": e["msg"]} for e in error.errors()]
    return problem(422, "the request does not fit its schema; see errors", errors=errors)


def _unavailable(error: Exception) -> JSONResponse:
    log.warning("redis_unavailable", error=type(error).__name__)
    return problem(503, "the job store is not available or full; nothing was accepted, try again", {"Retry-After": str(RETRY_AFTER)})


def _bug(error: Exception) -> JSONResponse:
    log.error("request_failed", error=type(error).__name__, at=where(error))
    return problem(500, "the program failed; the log has the place under this request_id")


_ANSWERS: dict[type[Exception], Callable[[Any], JSONResponse]] = {
    ProblemError: lambda error: problem(error.status, error.detail, error.headers),
    HTTPException: lambda error: problem(error.status_code, str(error.detail), error.headers),
    RequestValidationError: _invalid,
    JobGone: lambda error: problem(404, "no such job: it was deleted, has expired, or never was"),
    RegistryError: lambda error: problem(404, str(error)),
    EligoError: lambda error: problem(422, str(error)),
    redis.RedisError: _unavailable,
    OperationalError: _unavailable,
    Exception: _bug,
}


def install(app: FastAPI) -> None:
    """Every exception becomes a problem, and the OpenAPI document says what a problem is."""
    for kind, answer in _ANSWERS.items():
        app.add_exception_handler(kind, _handler(answer))
    generate = app.openapi

    def described() -> dict[str, Any]:
        document = generate()
        document["components"]["schemas"].setdefault("Problem", Problem.model_json_schema())
        return document

    app.openapi = described  # type: ignore[method-assign]


def _handler(answer: Callable[[Any], JSONResponse]) -> Callable[[Request, Exception], Awaitable[JSONResponse]]:
    async def handle(request: Request, error: Exception) -> JSONResponse:
        return answer(error)

    return handle
