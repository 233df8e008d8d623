"""The trials of this installation, and who of a list fits one of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query, Response

from api.problems import ProblemError, documented
from api.reverse import BEST_FIRST
from api.routes_matches import owned
from api.service import Admin, Reader, Service, Svc
from api.shapes import TrialDocument, TrialsPage, TrialSummary
from matcher import EligoError, read_trials
from matcher.answers import trial_answer
from matcher.domain import Trial

router = APIRouter(prefix="/trials", tags=["trials"])

TrialId = Annotated[str, Path(min_length=1, max_length=200)]
IfMatch = Annotated[str | None, Header(max_length=200, description="The ETag you know: refused with 412 where the trial has changed since")]
_CHANGED = {412: "The trial has changed since; read it again"}


@router.get("", response_model=TrialsPage, summary="The trials, in the order of their ids")
def trials(
    svc: Svc, who: Reader,
    q: Annotated[str | None, Query(max_length=200, description="Words of the id, title, conditions or status")] = None,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> TrialsPage:  # fmt: skip
    etags = svc.catalogue.etags()
    words = (q or "").lower().split()
    found = [t for t in svc.catalogue.trials() if all(word in _words(t) for word in words)]
    items = [
        TrialSummary(trial_id=t.trial_id, title=t.title, status=t.status, phase=t.phase, conditions=list(t.conditions), criteria=len(t.criteria), etag=etags.get(t.trial_id, ""))
        for t in found[offset : offset + limit]
    ]
    following = f"/api/v1/trials?offset={offset + limit}&limit={limit}" if offset + limit < len(found) else None
    return TrialsPage(items=items, total=len(found), next=following)


def _words(trial: Trial) -> str:
    return " ".join((trial.trial_id, trial.title, trial.status or "", trial.sponsor or "", *trial.conditions, *trial.condition_names, *trial.interventions)).lower()


@router.get("/{id}", summary="A trial as read, criterion by criterion", responses={304: {"description": "As you know it (If-None-Match)"}}, response_model=None)
def trial(id: TrialId, response: Response, svc: Svc, who: Reader, if_none_match: Annotated[str | None, Header(max_length=2000)] = None) -> dict[str, Any] | Response:
    found, etag = svc.catalogue.get(id)
    quoted = f'"{etag}"'
    if if_none_match is not None and (if_none_match.strip() == "*" or quoted in [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]):
        return Response(status_code=304, headers={"ETag": quoted})
    response.headers["ETag"] = quoted
    return trial_answer(found)


@router.post("", status_code=201, summary="Add the trials of a document", responses=documented({409: "A trial of this id is there already; PUT replaces it"}))
def add(body: TrialDocument, response: Response, svc: Svc, who: Admin) -> dict[str, Any]:
    read = _read(body)
    if there := [t.trial_id for t in read if t.trial_id in svc.catalogue.etags()]:
        raise ProblemError(409, f"there already: {', '.join(there)[:300]}; PUT replaces a trial")
    for found in read:
        svc.catalogue.own.put(found)
        svc.audit.add(who.name, who.tenant, "add trial", found.trial_id)
    response.headers["Location"] = f"/api/v1/trials/{read[0].trial_id}"
    return {"trials": [trial_answer(found) for found in read]}


@router.put("/{id}", summary="Replace a trial, or add it", responses=documented(_CHANGED))
def replace(id: TrialId, body: TrialDocument, response: Response, svc: Svc, who: Admin, if_match: IfMatch = None) -> dict[str, Any]:
    _check(svc, id, if_match)
    read = _read(body)
    if [t.trial_id for t in read] != [id]:
        raise ProblemError(422, f"the document is of {', '.join(t.trial_id for t in read)[:300]}, not of {id}")
    response.headers["ETag"] = f'"{svc.catalogue.own.put(read[0])}"'
    svc.audit.add(who.name, who.tenant, "replace trial", id)
    return trial_answer(svc.catalogue.get(id)[0])


@router.delete("/{id}", status_code=204, summary="Delete a trial", responses=documented({**_CHANGED, 409: "It comes with the program"}))
def delete(id: TrialId, svc: Svc, who: Admin, if_match: IfMatch = None) -> None:
    _check(svc, id, if_match)
    svc.catalogue.get(id)
    if id not in svc.catalogue.own.etags():
        raise ProblemError(409, "this trial comes with the program; name the trials to match, or set ELIGO_BUNDLED_TRIALS=false to leave all such out")
    svc.catalogue.own.delete(id)
    svc.audit.add(who.name, who.tenant, "delete trial", id)


def _check(svc: Service, trial_id: str, if_match: str | None) -> None:
    if if_match is not None and if_match.strip() != "*" and f'"{svc.catalogue.etags().get(trial_id)}"' not in [tag.strip() for tag in if_match.split(",")]:
        raise ProblemError(412, "the trial has changed since you read it, or is gone; GET it again")


def _read(body: TrialDocument) -> list[Trial]:
    read = read_trials(body.document.encode("utf-8", "replace"), body.name)
    if not read:
        raise EligoError("no trial in this document")
    return read


@router.get("/{id}/patients", summary="Who of a list fits this trial, best first")
def patients(
    id: TrialId, svc: Svc, who: Reader,
    batch: Annotated[str, Query(pattern="^[0-9a-f]{32}$", description="Id of a batch of yours")],
    verdict: Annotated[list[Literal["eligible", "possible", "ineligible"]] | None, Query()] = None,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:  # fmt: skip
    job = owned(svc, who, batch, "batch")
    svc.audit.add(who.name, who.tenant, "read", batch)
    fits = []
    for index, summary in svc.store.results(job.id, "summaries", 0, job.rows):
        for found in summary.get("trials", ()):
            if found["trial_id"] == id and (verdict is None or found["verdict"] in verdict):
                fits.append({"index": index, "note_id": summary["note_id"], **{k: found[k] for k in ("verdict", "score", "counts", "violated", "reason", "missing")}})
    fits.sort(key=lambda f: (BEST_FIRST[f["verdict"]], -f["score"], f["index"]))
    following = f"/api/v1/trials/{id}/patients?batch={batch}&offset={offset + limit}&limit={limit}" if offset + limit < len(fits) else None
    return {"trial_id": id, "batch": batch, "total": len(fits), "state": job.state, "patients": fits[offset : offset + limit], "next": following}
