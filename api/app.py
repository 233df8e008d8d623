"""The application: routes under /api/v1, health and metrics beside them, the page at /."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse
from starlette.middleware.cors import CORSMiddleware

from api import (
    oidc,
    problems,
    routes_batches,
    routes_health,
    routes_jobs,
    routes_matches,
    routes_page,
    routes_session,
    routes_trials,
)
from api.audit import AuditLog
from api.changes import Changes
from api.docs_page import render_docs
from api.door import Door
from api.keys import KeyFile
from api.metrics import make_metrics
from api.page_files import page_files
from api.service import Service
from api.sessions import Sessions
from workers.app import make_app
from workers.catalogue import Catalogue
from workers.connection import connect
from workers.logs import configure_logging
from workers.sealing import load_sealer
from workers.settings import Settings, listed, load_settings
from workers.store import Store

_WEB = Path(__file__).parent / "web"


def create_app(settings: Settings | None = None) -> FastAPI:
    """For uvicorn's --factory, too. Raises EligoError where a setting is missing."""
    settings = settings or load_settings()
    configure_logging(settings.log_level, "api")
    client, sealer = connect(settings), load_sealer(settings)
    store, changes = Store(client, sealer, settings), Changes(client)

    @asynccontextmanager
    async def listening(_: FastAPI) -> AsyncIterator[None]:
        changes.listen(asyncio.get_running_loop())
        yield

    app = FastAPI(
        title="Eligo",
        version=version("eligo"),
        summary="Which trials does the patient of this note fit, criterion by criterion, and on which words of the note does each answer rest.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        lifespan=listening,
        responses=problems.documented(_PROBLEMS),
    )
    app.state.service = Service(
        settings, store, make_app(settings), Catalogue(settings), KeyFile(settings.keys_file), oidc.configured(settings),
        Sessions(client, sealer, settings.session_ttl), AuditLog(settings.audit_file), changes,
    )  # fmt: skip
    app.state.metrics, requests, seconds = make_metrics(store)
    v1 = APIRouter(prefix="/api/v1")
    for module in (routes_matches, routes_batches, routes_jobs, routes_trials, routes_page, routes_session):
        v1.include_router(module.router)
    v1.include_router(routes_health.versioned)
    app.include_router(v1)
    app.include_router(routes_health.router)

    @app.get("/docs", include_in_schema=False)
    @app.get("/api/v1/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(render_docs(app.openapi()))

    app.include_router(page_files(_WEB))
    problems.install(app)
    _let_other_origins_call(app, listed(settings.cors_origins))
    app.add_middleware(Door, settings=settings, requests=requests, seconds=seconds)
    return app


def _let_other_origins_call(app: FastAPI, origins: list[str]) -> None:
    if origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"], expose_headers=["Location", "ETag", "Retry-After", "X-Request-ID"],
        )  # fmt: skip


_PROBLEMS = {
    400: "The request is malformed",
    401: "No valid credentials",
    403: "The credentials do not reach so far",
    404: "There is no such thing, or it is another tenant's",
    413: "Too large",
    422: "The request does not fit",
    429: "Too many submissions; Retry-After says when",
    503: "The job store is away or full; nothing was accepted; Retry-After says when",
}
