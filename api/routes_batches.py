"""A list of patients: upload, watch, take the results, delete."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath
from time import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import ValidationError
from redis import RedisError

from api.problems import ProblemError, documented
from api.receive import Form, receive_form
from api.routes_matches import NO_RESULT, IdempotencyKey, JobId, Wait, options, owned, rank_again, traceparent
from api.service import Reader, Service, Submitter, Svc
from api.shapes import Accepted, BatchAnswer, Corrected, Corrections, ListOrders, NoteAnswer, batch_answer
from api.tables import rows, write_csv, write_xlsx
from workers.patients import SUFFIXES
from workers.store import Job, JobGone, Submission, new_id
from workers.upload import PIECE

router = APIRouter(prefix="/batches", tags=["batches"])

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NoteIndex = Annotated[int, Path(ge=0, le=10_000_000, description="A patient's place in the list, as the results give it")]
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "A list: .csv .tsv .xlsx .jsonl .zip"},
                        "trials": {"type": "string", "description": "Ids of trials, comma-separated; all where empty"},
                        "as_of": {"type": "string", "format": "date", "description": "Where not given: the date of each patient's last note"},
                        "unmentioned": {"type": "string", "enum": ["unknown", "absent"]},
                        "patient_column": {"type": "string"},
                        "note_column": {"type": "string"},
                        "date_column": {"type": "string"},
                    },
                }
            }
        },
    }
}
_COLUMNS = ("patient", "note", "date")


@router.post("", status_code=202, response_model=Accepted, summary="Match a list of patients", openapi_extra=_UPLOAD, responses=documented({415: "Not multipart/form-data"}))
async def submit(request: Request, response: Response, svc: Svc, who: Submitter, idempotency_key: IdempotencyKey = None) -> Accepted:
    """Columns are found by their usual names, or named. Several notes of a patient are read as one, in the order of their dates."""
    job = new_id()
    try:
        form = await receive_form(request, lambda number, piece: svc.store.put_piece(job, number, piece), PIECE)
        submission = await run_in_threadpool(_submission, svc, who.tenant, job, form, idempotency_key)
        found, differs = await run_in_threadpool(svc.store.submit, submission)
    except BaseException:
        await run_in_threadpool(_drop, svc, job)
        raise
    if found != job:
        await run_in_threadpool(_drop, svc, job)
    if differs:
        raise ProblemError(422, "this Idempotency-Key was used for a different request")
    await run_in_threadpool(svc.announce, "batch", found)
    await run_in_threadpool(svc.audit.add, who.name, who.tenant, "submit", found)
    response.headers["Location"] = f"/api/v1/batches/{found}"
    return Accepted(id=found)


def _submission(svc: Service, tenant: str, job: str, form: Form, key: str | None) -> Submission:
    given = {name: value for name, value in form.fields.items() if value}
    suffix = PurePosixPath(form.name.lower()).suffix
    if suffix not in SUFFIXES:
        raise ProblemError(422, f"a list is one of {' '.join(SUFFIXES)}")
    try:
        orders = ListOrders.model_validate(
            {name: [i.strip() for i in value.split(",")] if name == "trials" else value for name, value in given.items() if name in ListOrders.model_fields}
        )
    except ValidationError as error:
        raise ProblemError(422, "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())) from None
    columns = {role: given.get(f"{role}_column", "") for role in _COLUMNS}
    # The file's name is not kept: people name lists after patients.
    upload = {"name": "list" + suffix, "size": form.size, "columns": columns}
    return Submission("batch", tenant, {**options(svc, orders, orders.trials), "upload": upload}, idempotency=key, fingerprint=svc.store.fingerprint(form.digest.encode()), trace=traceparent(), id=job)


def _drop(svc: Service, job: str) -> None:
    with suppress(RedisError):  # what stays behind ends with its time to live
        svc.store.delete(job)


@router.get("/{id}", response_model=BatchAnswer, summary="How far a batch is")
def look(id: JobId, svc: Svc, who: Reader) -> BatchAnswer:
    return batch_answer(owned(svc, who, id, "batch"), time())


@router.get(
    "/{id}/results",
    summary="What is done so far, streamed",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/json": {"schema": {"type": "object"}}, "text/csv": {"schema": {"type": "string"}}, XLSX: {"schema": {"type": "string", "format": "binary"}}}}},
)
def results(
    id: JobId, request: Request, svc: Svc, who: Reader,
    format: Annotated[Literal["json", "csv", "xlsx"] | None, Query(description="Else as Accept says, else JSON")] = None,
    detail: Annotated[Literal["full", "summary"], Query(description="JSON only: whole answers, or verdicts and counts")] = "full",
    only: Annotated[Literal["failed"] | None, Query(description="Only what failed, with its reason")] = None,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int | None, Query(ge=1)] = None,
) -> StreamingResponse:  # fmt: skip
    job = owned(svc, who, id, "batch")
    svc.audit.add(who.name, who.tenant, "read", id)
    stop = job.rows if limit is None else min(job.rows, offset + limit)
    accept = request.headers.get("accept", "")
    chosen = format or ("csv" if "text/csv" in accept else "xlsx" if XLSX in accept else "json")
    if chosen == "json":
        return StreamingResponse(_json(svc, job, detail, only, offset, stop), media_type="application/json")
    table = rows(s for _, s in _settled(svc, job, "summaries", only, offset, stop))
    media, stream = ("text/csv; charset=utf-8", write_csv(table)) if chosen == "csv" else (XLSX, write_xlsx(table))
    return StreamingResponse(stream, media_type=media, headers={"Content-Disposition": f'attachment; filename="eligo-{id[:8]}.{chosen}"'})


def _settled(svc: Service, job: Job, kind: str, only: str | None, start: int, stop: int) -> Iterator[tuple[int, dict[str, Any]]]:
    return ((index, value) for index, value in svc.store.results(job.id, kind, start, stop) if only is None or "error" in value)


def _json(svc: Service, job: Job, detail: str, only: str | None, start: int, stop: int) -> Iterator[str]:
    head = json.dumps({"id": job.id, "state": job.state, "total": job.total, "done": job.done, "failed": job.failed})
    yield head[:-1] + ', "results": ['
    separator = "\n"
    for index, value in _settled(svc, job, "results" if detail == "full" else "summaries", only, start, stop):
        yield separator + json.dumps(_item(index, value, detail), ensure_ascii=False)
        separator = ",\n"
    yield "\n]}\n"


def _item(index: int, value: dict[str, Any], detail: str) -> dict[str, Any]:
    rows_of = value.pop("rows", [])
    about: dict[str, Any] = {name: value.pop(name) for name in ("revision", "corrections") if name in value}
    item: dict[str, Any] = {"index": index, "rows": rows_of, "note_id": value["note_id"], "state": "failed" if "error" in value else "done", **about}
    if "error" in value:
        return {**item, "error": value["error"]}
    return {**item, "result": value} if detail == "full" else {**item, "trials": value["trials"]}


@router.get("/{id}/notes/{index}", response_model=NoteAnswer, response_model_exclude_none=True, summary="One patient of a batch: the note as it was read, and its result")
async def note(id: JobId, index: NoteIndex, svc: Svc, who: Reader, wait: Wait = 0) -> dict[str, Any]:
    def look() -> dict[str, Any]:
        owned(svc, who, id, "batch")
        kept, value = svc.store.note(id, index), svc.store.result(id, index)
        if value is not None:
            return {**_item(index, value, "full"), "note": kept["note"] if kept else None}
        if kept is None:
            raise JobGone(id)
        return {"index": index, "rows": kept["rows"], "note_id": kept["note_id"], "state": "queued", "note": kept["note"]}

    found = await svc.changes.until(id, look, lambda item: item["state"] != "queued", wait)
    await run_in_threadpool(svc.audit.add, who.name, who.tenant, "read note", f"{id}/{index}")
    return found


@router.post("/{id}/notes/{index}/corrections", status_code=202, response_model=Corrected, summary="Rank one patient of a batch again with a clinician's corrections", responses=NO_RESULT)
def correct(id: JobId, index: NoteIndex, body: Corrections, response: Response, svc: Svc, who: Submitter) -> Corrected:
    """As for a match; the others of the list stay as they are, and everything that is exported shows the corrections."""
    owned(svc, who, id, "batch")
    response.headers["Location"] = f"/api/v1/batches/{id}/notes/{index}"
    return rank_again(svc, who, id, index, body)


@router.delete("/{id}", status_code=204, summary="Delete a list and everything derived from it")
def delete(id: JobId, svc: Svc, who: Submitter) -> None:
    owned(svc, who, id, "batch")
    svc.store.delete(id)
    svc.audit.add(who.name, who.tenant, "delete", id)
