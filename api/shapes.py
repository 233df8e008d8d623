"""The requests and answers of the API. What stands inside a result is `matcher.answers`' to say."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from workers.store import Job

EXAMPLE_NOTE = (
    "Consult 2024-02-11. 64-year-old woman with IgG kappa multiple myeloma, relapsed and refractory after four prior lines "
    "(VRd and autologous transplant 2018, DPd, KCd, Xd). No prior BCMA-directed therapy. ECOG 1. Hb 9.8 g/dL, platelets 82 x10^9/L, creatinine 0.9 mg/dL."
)

Unmentioned = Literal["unknown", "absent"]
TrialId = Annotated[str, Field(min_length=1, max_length=200)]
TrialIds = Annotated[list[TrialId], Field(min_length=1, max_length=10_000)]
State = Literal["queued", "running", "done", "failed"]


class TrialFile(BaseModel):
    """A trial as saved: JSON or XML of a registry, a web page, or text."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, description="Its file name; the result's `source`")
    content: str = Field(min_length=1)


class TrialRecord(BaseModel):
    """A trial as a line of a .jsonl of trials."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1, max_length=200)
    title: str
    eligibility: str = Field(min_length=1, description="Inclusion and exclusion criteria, as the registry has them")
    conditions: list[str] = []
    summary: str | None = None
    description: str | None = None
    phase: str | None = None
    min_age: str | None = None
    max_age: str | None = None
    sex: str | None = None


class Orders(BaseModel):
    """How to match."""

    model_config = ConfigDict(extra="forbid")

    as_of: date | None = Field(None, description="The date to count windows back from; the note's own where not given")
    unmentioned: Unmentioned = Field("unknown", description="What to hold of conditions and treatments that the note does not mention")


class ListOrders(Orders):
    """What to match against, and how."""

    trials: TrialIds | None = Field(None, description="Ids of trials in the registry; all of them where none is named")


class MatchRequest(Orders):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"note": EXAMPLE_NOTE, "as_of": "2024-02-11"},
                {"note": EXAMPLE_NOTE, "trials": [{"name": "protocol.txt", "content": "Title: ...\nInclusion Criteria:\n1. Age 18 years or older\nExclusion Criteria:\n1. Pregnancy"}]},
            ]
        },
    )

    trials: Annotated[list[TrialId | TrialFile | TrialRecord], Field(min_length=1, max_length=10_000)] | None = Field(
        None, description="Ids of trials in the registry, or trials as documents or records, which are read for this match only and kept with the note; the whole registry where none is named"
    )
    note: str = Field(min_length=1, description="The note, as plain text")
    note_id: str = Field("note", min_length=1, max_length=200, description="Your name for it; comes back in the result. Not a patient's name, please")


class Accepted(BaseModel):
    id: str
    state: State = "queued"


class Corrected(Accepted):
    revision: int = Field(description="Of the result to come")


class JobAnswer(BaseModel):
    """Counts are of notes; times are UTC. `total` is null until the file has been read to its end."""

    id: str
    state: State
    created: datetime
    expires: datetime
    finished: datetime | None = None
    error: str | None = None


class MatchAnswer(JobAnswer):
    revision: int = Field(0, description="How often the result was corrected")
    result: dict[str, Any] | None = Field(None, description="As `eligo match --json` prints it")
    corrections: list[dict[str, Any]] = Field(default_factory=list, description="A clinician's, marked as such in the result")


class BatchAnswer(JobAnswer):
    total: int | None = None
    read: int = Field(0, description="Patients found in the file so far")
    done: int = 0
    failed: int = 0
    rate: float | None = Field(None, description="Notes a second since the work began")
    seconds_left: float | None = None


class JobsPage(BaseModel):
    items: list[dict[str, Any]]
    total: int
    next: str | None = Field(None, description="Where the next page is")


class CallerAnswer(BaseModel):
    name: str
    tenant: str
    scopes: list[str]


class SessionAnswer(BaseModel):
    required: bool = Field(description="Whether anybody must sign in")
    methods: list[Literal["key", "oidc"]] = Field(description="key: an API key as bearer token; oidc: by way of `login`")
    login: str | None = Field(description="Where a browser goes to sign in at the identity provider, with `?next=` for the way back")
    caller: CallerAnswer | None = Field(description="Who asks; null for nobody")


class NoteAnswer(BaseModel):
    """One patient of a list. Offsets of evidence count characters of `note`."""

    index: int
    rows: list[int] = Field(description="Of the list, as a spreadsheet counts them")
    note_id: str
    state: State
    note: str | None = Field(description="As it was read; null where the row held none")
    error: str | None = None
    revision: int = Field(0, description="How often the result was corrected")
    result: dict[str, Any] | None = Field(None, description="As `eligo match --json` prints it")
    corrections: list[dict[str, Any]] = Field(default_factory=list, description="A clinician's, marked as such in the result")


class Corrections(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"corrections": [{"fact": "ecog", "value": 1}, {"fact": "therapy:bcma", "value": "naive"}, {"fact": "lvef", "value": 55, "date": "2024-02-01"}]}]},
    )

    corrections: list[dict[str, Any]] = Field(max_length=200, description="The whole list: it replaces an earlier one; empty takes them back")


class TrialDocument(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "NCT00000000.txt", "document": "Title: ...\nInclusion Criteria:\n1. Age 18 years or older\nExclusion Criteria:\n1. Pregnancy"}]},
    )

    document: str = Field(min_length=1, description="The trial as saved: JSON or XML of a registry, a web page, or text")
    name: str = Field("document.txt", min_length=1, max_length=200, description="Its file name")


class TrialSummary(BaseModel):
    trial_id: str
    title: str
    status: str | None = None
    phase: str | None = None
    conditions: list[str] = []
    criteria: int = Field(description="How many")
    etag: str


class TrialsPage(BaseModel):
    items: list[TrialSummary]
    total: int
    next: str | None = None


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def times(job: Job) -> dict[str, Any]:
    finished = moment(job.finished) if job.finished and job.state in ("done", "failed") else None
    return {"id": job.id, "state": job.state, "created": moment(job.created), "expires": moment(job.expires), "finished": finished, "error": job.error}


def batch_answer(job: Job, now: float) -> BatchAnswer:
    settled = job.done + job.failed
    spent = (job.finished or now) - job.started if job.started else 0
    rate = settled / spent if settled and spent > 0 else None
    left = (job.total - settled) / rate if rate and job.total is not None else None
    return BatchAnswer(**times(job), total=job.total, read=job.rows, done=job.done, failed=job.failed, rate=rate, seconds_left=left)
