"""One pasted note: submit, look, correct, delete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse
from opentelemetry import propagate

from api.keys import Caller
from api.problems import ProblemError, documented
from api.service import Reader, Service, Submitter, Svc
from api.shapes import (
    Accepted,
    Corrected,
    Corrections,
    MatchAnswer,
    MatchRequest,
    Orders,
    TrialFile,
    TrialRecord,
    times,
)
from matcher import EligoError
from matcher.corrections import apply_corrections
from matcher.domain import PatientProfile
from workers.store import Job, JobGone, Submission

router = APIRouter(prefix="/matches", tags=["matches"])

JobId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="As the Location of the submission gives it")]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=200, description="The same key with the same request is answered with the same job")]
Wait = Annotated[float, Query(ge=0, le=30, description="Seconds to wait for the result")]
_MAX_GIVEN, _MAX_GIVEN_CHARACTERS = 20, 1_000_000  # their reading is part of the note's time


def owned(svc: Service, who: Caller, job_id: str, kind: str | None = None) -> Job:
    job = svc.store.job(job_id, who.tenant)
    if kind is not None and job.kind != kind:
        raise JobGone(job_id)
    return job


def options(svc: Service, orders: Orders, ids: Sequence[str] | None) -> dict[str, Any]:
    """What the worker needs to know. `ids`: of the registry's trials; all where None. Raises EligoError naming one that is not there."""
    if ids and (unknown := set(ids) - svc.catalogue.etags().keys()):
        raise EligoError(f"not in the registry: {', '.join(sorted(unknown)[:5])}; GET /api/v1/trials lists what is")
    return {"trials": ids, **orders.model_dump(mode="json", include={"as_of", "unmentioned"})}


def _named_and_given(trials: Sequence[str | TrialFile | TrialRecord] | None) -> tuple[list[str] | None, list[dict[str, str]]]:
    """The ids of the registry's trials, and the documents that came with the note, as {"name", "content"}."""
    if trials is None:
        return None, []
    given = [trial for trial in trials if not isinstance(trial, str)]
    documents = [
        {"name": trial.name, "content": trial.content} if isinstance(trial, TrialFile) else {"name": trial.id, "content": trial.model_dump_json(exclude_none=True)} for trial in given
    ]
    if len(documents) > _MAX_GIVEN or sum(len(document["content"]) for document in documents) > _MAX_GIVEN_CHARACTERS:
        raise ProblemError(413, f"a match may bring {_MAX_GIVEN} trials of {_MAX_GIVEN_CHARACTERS:,} characters in all; add more to the registry (POST /api/v1/trials) and name their ids")
    return [trial for trial in trials if isinstance(trial, str)], documents


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
    ids, documents = _named_and_given(body.trials)
    submission = Submission(
        kind="match", tenant=who.tenant, options=options(svc, body, ids), note={"note_id": body.note_id, "note": body.note, **({"documents": documents} if documents else {})},
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
async def look(id: JobId, svc: Svc, who: Reader, wait: Wait = 0) -> MatchAnswer:
    job = await svc.changes.until(id, lambda: owned(svc, who, id, "match"), lambda job: job.state in ("done", "failed"), wait)
    return await run_in_threadpool(_answer, svc, who, job)


def _answer(svc: Service, who: Caller, job: Job) -> MatchAnswer:
    answer = MatchAnswer(**times(job))
    if job.state in ("done", "failed") and (result := svc.store.result(job.id, 0)) is not None:
        answer.revision, answer.corrections = result.pop("revision", 0), result.pop("corrections", [])
        answer.error = result.get("error")
        answer.result = None if answer.error else result
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


NO_RESULT = documented({409: "It has no result to correct yet"})


def rank_again(svc: Service, who: Caller, job: str, index: int, body: Corrections) -> Corrected:
    """Replace the corrections of one note of a job and queue it before all other work. `matcher.corrections` gives their form."""
    apply_corrections(PatientProfile("check"), body.corrections)  # a wrong one is refused here, not by the worker
    revision = svc.store.correct(job, index, body.corrections)
    if revision == 0:
        raise JobGone(job)
    if revision < 0:
        raise ProblemError(409, "there is no result to correct yet")
    svc.announce("match", job)
    svc.audit.add(who.name, who.tenant, "correct", f"{job}/{index}")
    return Corrected(id=job, revision=revision)


@router.post("/{id}/corrections", status_code=202, response_model=Corrected, summary="Rank again with a clinician's corrections", responses=NO_RESULT)
def correct(id: JobId, body: Corrections, response: Response, svc: Svc, who: Submitter) -> Corrected:
    """The list replaces an earlier one, is kept with the result, and goes when the match goes. The result has come when its `revision` is the answer's."""
    owned(svc, who, id, "match")
    response.headers["Location"] = f"/api/v1/matches/{id}"
    return rank_again(svc, who, id, 0, body)


@router.delete("/{id}", status_code=204, summary="Delete a note and everything derived from it")
def delete(id: JobId, svc: Svc, who: Submitter) -> None:
    owned(svc, who, id, "match")
    svc.store.delete(id)
    svc.audit.add(who.name, who.tenant, "delete", id)
