"""Errors as problem+json (RFC 9457), every one of them, with one table from exceptions to statuses."""

from __future__ import annotations

from collections.abc import Mapping
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


def unavailable() -> JSONResponse:
    return problem(503, "the job store is not available or full; nothing was accepted, try again", {"Retry-After": str(RETRY_AFTER)})


def install(app: FastAPI) -> None:
    @app.exception_handler(ProblemError)
    async def ours(request: Request, error: ProblemError) -> JSONResponse:
        return problem(error.status, error.detail, error.headers)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        # The input is left out: it can be a note.
        errors = [{"at": "/".join(str(part) for part in e["loc"]), "reason": e["msg"]} for e in error.errors()]
        return problem(422, "the request does not fit its schema; see errors", errors=errors)

    @app.exception_handler(JobGone)
    async def gone(request: Request, error: JobGone) -> JSONResponse:
        return problem(404, "no such job: it was deleted, has expired, or never was")

    @app.exception_handler(RegistryError)
    async def no_trial(request: Request, error: RegistryError) -> JSONResponse:
        return problem(404, str(error))

    @app.exception_handler(EligoError)
    async def mendable(request: Request, error: EligoError) -> JSONResponse:
        return problem(422, str(error))

    @app.exception_handler(redis.RedisError)
    async def away(request: Request, error: redis.RedisError) -> JSONResponse:
        log.warning("redis_unavailable", error=type(error).__name__)
        return unavailable()

    @app.exception_handler(OperationalError)
    async def broker_away(request: Request, error: OperationalError) -> JSONResponse:
        return unavailable()

    @app.exception_handler(Exception)
    async def bug(request: Request, error: Exception) -> JSONResponse:
        log.error("request_failed", error=type(error).__name__, at=where(error))
        return problem(500, "the program failed; the log has the place under this request_id")
