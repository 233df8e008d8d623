"""What the page needs beside the matching: the names of concepts, an example note, the text of a PDF."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import sys
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import PlainTextResponse

from api.problems import ProblemError, documented
from api.service import Reader, Submitter, Svc
from models import load_vocabulary

router = APIRouter(tags=["page"])

_EXAMPLE = Path(__file__).with_name("example_note.txt")
_MAX_PDF = 20_000_000  # bytes
_PDF_SECONDS = 20.0
_PDF_READERS = asyncio.Semaphore(2)
# Classes by which a myeloma clinician reads a treatment history: the triad of triple-class, and the redirected targets.
_CLASSES = (
    "imid", "proteasome_inhibitor", "anti_cd38", "corticosteroid", "alkylator", "bcma", "gprc5d", "fcrh5", "car_t",
    "bispecific_antibody", "antibody_drug_conjugate",
)  # fmt: skip


@router.get("/vocabulary", summary="The names of conditions, treatments and tests, by id", responses={304: {"description": "As you know it (If-None-Match)"}}, response_model=None)
def vocabulary(who: Reader, if_none_match: Annotated[str | None, Header(max_length=2000)] = None) -> Response:
    """The whole of it, so that no request names what a patient has. An empty name is the id with spaces. A condition: its name, then its parents; a drug: 1 where it treats cancer."""
    packed, etag = _vocabulary()
    headers = {"ETag": f'"{etag}"', "Cache-Control": "private, max-age=3600"}
    if if_none_match and f'"{etag}"' in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(packed, media_type="application/json", headers={**headers, "Content-Encoding": "gzip"})


@lru_cache(maxsize=1)
def _vocabulary() -> tuple[bytes, str]:
    known = load_vocabulary()
    concepts = [*known.drugs, *known.therapies]
    classes = {concept: found for concept in concepts if (found := [c for c in _CLASSES if c != concept and known.is_a(concept, c)])}
    answer: dict[str, Any] = {
        "conditions": {c.id: [_name(c.id, c.name), *c.parents] for c in known.conditions.values()} | {fact: [m.said(True)] for fact, m in known.findings.items()},
        "therapies": {t.id: _name(t.id, t.name) for t in known.therapies.values()},
        "drugs": {d.id: int(d.antineoplastic) for d in known.drugs.values()},
        "classes": classes,
        "tests": {t.id: {"name": t.name, "unit": t.unit, "lln": t.lln, "uln": t.uln, "low": t.low, "high": t.high} for t in known.tests.values()},
    }
    packed = gzip.compress(json.dumps(answer, separators=(",", ":"), ensure_ascii=False).encode(), mtime=0)
    return packed, hashlib.sha256(packed).hexdigest()[:16]


def _name(concept: str, name: str) -> str:
    return "" if name == concept.replace("_", " ") else name


@router.get("/example", response_class=PlainTextResponse, summary="An invented note, to try the program with")
def example(who: Reader) -> PlainTextResponse:
    return PlainTextResponse(_EXAMPLE.read_text(encoding="utf-8"))


@router.post(
    "/text",
    summary="The text of a PDF, to be looked at before it is submitted",
    openapi_extra={"requestBody": {"required": True, "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}},
    responses={200: {"content": {"application/json": {"example": {"text": "Clinic letter ...", "pages": 2}}}}, **documented({415: "Not application/pdf"})},
)
async def text(request: Request, svc: Svc, who: Submitter) -> dict[str, Any]:
    """Read in a process of its own, with limits of time and memory, and kept nowhere. A scanned page has no text; it is not guessed at."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/pdf":
        raise ProblemError(415, "send the file as application/pdf")
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _MAX_PDF:
            raise ProblemError(413, f"a PDF may have {_MAX_PDF:,} bytes")
    async with _PDF_READERS:
        answer = await _read_pdf(bytes(content))
    if "error" in answer:
        raise ProblemError(422, answer["error"])
    return answer


async def _read_pdf(content: bytes) -> dict[str, Any]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "api.pdf_text", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        out, _ = await asyncio.wait_for(child.communicate(content), _PDF_SECONDS)
    except TimeoutError:
        return {"error": "this PDF takes too long to read; copy its text into the box"}
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    try:
        found: dict[str, Any] = json.loads(out)
    except ValueError:  # it ended before it could say why
        return {"error": "this PDF cannot be read; copy its text into the box"}
    return found
