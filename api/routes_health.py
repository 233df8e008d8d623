"""Is it alive, can it match notes, how is it doing."""

from __future__ import annotations

import sqlite3
from importlib.metadata import version
from typing import Any

import redis
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.problems import problem
from api.service import Reader, Service, Svc
from api.shapes import moment
from matcher import EligoError
from workers.gauges import living_workers

router = APIRouter(tags=["health"])
versioned = APIRouter(tags=["health"])


@router.get("/health/live", summary="The process answers")
def live() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/health/ready", summary="Notes can be matched: Redis, a worker and trials are there")
def ready(svc: Svc) -> JSONResponse:
    checks = _checks(svc)
    missing = [f"{name}: {state}" for name, state in checks.items() if state != "ok"]
    if missing:
        return problem(503, "; ".join(missing), {"Retry-After": "2"})
    return JSONResponse({"status": "ok", "checks": checks})


def _checks(svc: Service) -> dict[str, str]:
    checks = {"redis": "ok", "workers": "ok", "registry": "ok"}
    try:
        if not living_workers(svc.store.redis):
            checks["workers"] = "no worker is alive"
    except redis.RedisError:
        checks |= {"redis": "does not answer", "workers": "unknown while Redis is away"}
    try:
        if not svc.catalogue.etags():
            checks["registry"] = "holds no trial"
    except (EligoError, OSError, sqlite3.Error) as error:
        checks["registry"] = f"cannot be read ({type(error).__name__})"
    return checks


@router.get("/metrics", summary="Prometheus metrics", response_class=Response)
def metrics(request: Request, who: Reader) -> Response:
    return Response(generate_latest(request.app.state.metrics), media_type=CONTENT_TYPE_LATEST)


@versioned.get("/version", summary="The program's version, and what its registry holds")
def program(svc: Svc) -> dict[str, Any]:
    """For the page and the record: a result should say what made it."""
    changed = (svc.settings.data_dir / "trials.sqlite").stat().st_mtime
    return {"version": version("eligo"), "trials": len(svc.catalogue.etags()), "registry_date": moment(changed).date().isoformat()}
