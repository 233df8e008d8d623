"""One pasted note: submit, look, correct, delete."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse
from opentelemetry import propagate

from api.keys import Caller
from api.problems import ProblemError, documented
from api.service import Reader, Service, Submitter, Svc
from api.shapes import Accepted, Corrections, MatchAnswer, MatchRequest, Orders, times
from matcher import EligoError
from matcher.corrections import apply_corrections
from matcher.domain import PatientProfile
from workers.store import Job, JobGone, Submission

router = APIRouter(prefix="/matches", tags=["matches"])

JobId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="As the Location of the submission gives it")]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=200, description="The same key with the same request is answered with the same job")]
_POLL = 0.02, 0.25  # seconds: how often a waiting request looks, at first and at most


def owned(svc: Service, who: Caller, job_id: str, kind: str | None = None) -> Job:
    job = svc.store.job(job_id, who.tenant)
    if kind is not None and job.kind != kind:
        raise JobGone(job_id)
    return job


def options(svc: Service, orders: Orders) -> dict[str, Any]:
    """What the worker needs to know. Raises EligoError naming a trial that is not in the registry."""
    if orders.trials is not None and (unknown := set(orders.trials) - svc.catalogue.etags().keys()):
        raise EligoError(f"not in the registry: {', '.join(sorted(unknown)[:5])}; GET /api/v1/trials lists what is")
    return orders.model_dump(mode="json", include={"trials", "as_of", "unmentioned"})


def traceparent() -> str:
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent", "")


@router.post("", status_code=202, response_model=Accepted, summary="Match a note against trials")
def submit(body: MatchRequest, response: Response, svc: Svc, who: Submitter, idempotency_key: IdempotencyKey = None) -> Accepted:
    """The note is read by a worker; the Location says where its result will be."""
    if not body.note.strip():
        raise ProblemError(422, "the note is blank")
    if len(body.note.encode()) > svc.settings.max_note_bytes:
        raise ProblemError(413, f"a note may have {svc.settings.max_note_bytes} bytes (ELIGO_MAX_NOTE_BYTES)")
    submission = Submission(
        kind="match", tenant=who.tenant, options=options(svc, body), note={"note_id": body.note_id, "note": body.note},
        idempotency=idempotency_key, fingerprint=svc.store.fingerprint(body.model_dump_json().encode()), trace=traceparent(),
    )  # fmt: skip
    job, differs = svc.store.submit(submission)
    if differs:
        raise ProblemError(422, "this Idempotency-Key was used for a different request")
    svc.announce("match", job)
    svc.audit.add(who.name, who.tenant, "submit", job)
    response.headers["Location"] = f"/api/v1/matches/{job}"
    return Accepted(id=job)


@router.get("/{id}", response_model=MatchAnswer, response_model_exclude_none=True, summary="A match and its result")
async def look(id: JobId, svc: Svc, who: Reader, wait: Annotated[float, Query(ge=0, le=30, description="Seconds to wait for the result")] = 0) -> MatchAnswer:
    until, pause = monotonic() + wait, _POLL[0]
    job = await run_in_threadpool(owned, svc, who, id, "match")
    while job.state in ("queued", "running") and monotonic() < until:
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _POLL[1])
        job = await run_in_threadpool(owned, svc, who, id, "match")
    return await run_in_threadpool(_answer, svc, who, job)


def _answer(svc: Service, who: Caller, job: Job) -> MatchAnswer:
    answer = MatchAnswer(**times(job), revision=job.revision)
    if job.state in ("done", "failed"):
        result = svc.store.result(job.id, 0)
        if result is not None and "error" in result:
            answer.error = result["error"]
        else:
            answer.result = result
            answer.corrections = svc.store.corrections(job.id, 0)
        svc.audit.add(who.name, who.tenant, "read", job.id)
    return answer


@router.get("/{id}/note", response_class=PlainTextResponse, summary="The note as it was given")
def note(id: JobId, svc: Svc, who: Reader) -> PlainTextResponse:
    job = owned(svc, who, id, "match")
    found = svc.store.note(job.id, 0)
    if found is None:
        raise JobGone(id)
    svc.audit.add(who.name, who.tenant, "read note", id)
    return PlainTextResponse(found["note"])


@router.post("/{id}/corrections", status_code=202, response_model=Accepted, summary="Rank again with a clinician's corrections", responses=documented({409: "It has no result to correct yet"}))
def correct(id: JobId, body: Corrections, response: Response, svc: Svc, who: Submitter) -> Accepted:
    """The list replaces an earlier one, is kept with the result, and goes when the match goes. `matcher.corrections` gives its form."""
    apply_corrections(PatientProfile("check"), body.corrections)  # a wrong one is refused here, not by the worker
    owned(svc, who, id, "match")
    revision = svc.store.correct(id, 0, body.corrections)
    if revision == 0:
        raise JobGone(id)
    if revision < 0:
        raise ProblemError(409, "this match has no result to correct yet")
    svc.announce("match", id)
    svc.audit.add(who.name, who.tenant, "correct", id)
    response.headers["Location"] = f"/api/v1/matches/{id}"
    return Accepted(id=id)


@router.delete("/{id}", status_code=204, summary="Delete a note and everything derived from it")
def delete(id: JobId, svc: Svc, who: Submitter) -> None:
    owned(svc, who, id, "match")
    svc.store.delete(id)
    svc.audit.add(who.name, who.tenant, "delete", id)
