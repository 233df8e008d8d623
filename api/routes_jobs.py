"""What every kind of job has: a place in the list, and events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from time import monotonic, time
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from api.changes import wait
from api.routes_matches import JobId, owned
from api.service import Reader, Svc
from api.shapes import JobsPage, batch_answer
from workers.store import JobGone

router = APIRouter(prefix="/jobs", tags=["jobs"])

_PACE = 0.1  # seconds between two events, however fast the work goes
_KEEP_ALIVE = 15.0  # seconds; proxies close what is silent for longer


@router.get("", response_model=JobsPage, summary="Your jobs, newest first")
def jobs(svc: Svc, who: Reader, offset: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> JobsPage:
    ids, total = svc.store.jobs(who.tenant, offset, limit)
    items = []
    for job_id in ids:
        try:
            job = svc.store.job(job_id, who.tenant)
        except JobGone:
            continue  # expired: its entry goes later
        items.append({"kind": job.kind, **batch_answer(job, time()).model_dump(mode="json", exclude_none=True)})
    following = f"/api/v1/jobs?offset={offset + limit}&limit={limit}" if offset + limit < total else None
    return JobsPage(items=items, total=total, next=following)


@router.get(
    "/{id}/events",
    summary="Progress as server-sent events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}, "example": 'event: progress\ndata: {"state": "running", "total": 500, "done": 120, "failed": 1}\n\n'}}}},
)
async def events(id: JobId, svc: Svc, who: Reader) -> StreamingResponse:
    """`progress` whenever the counts change, then `done` (whatever the outcome; `state` says it), or `gone`. Starts from the present: reconnecting loses nothing."""
    await run_in_threadpool(owned, svc, who, id)  # 404 before the stream begins

    async def stream() -> AsyncIterator[str]:
        before, spoke = None, monotonic()
        with svc.changes.of(id) as changed:
            while True:
                changed.clear()
                try:
                    job = await run_in_threadpool(owned, svc, who, id)
                except JobGone:
                    yield _event("gone", {"id": id})
                    return
                now: dict[str, Any] = batch_answer(job, time()).model_dump(mode="json", include={"state", "total", "read", "done", "failed", "rate", "seconds_left"})
                counts = (now["state"], now["total"], now["read"], now["done"], now["failed"])
                if job.state in ("done", "failed"):
                    yield _event("done", now)
                    return
                if counts != before:
                    before, spoke = counts, monotonic()
                    yield _event("progress", now)
                elif monotonic() - spoke > _KEEP_ALIVE:
                    spoke = monotonic()
                    yield ": still here\n\n"
                await asyncio.sleep(_PACE)
                await wait(changed)

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
