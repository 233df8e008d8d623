"""The uploaded file of a batch becomes its notes, read piece by piece from the store and never written in the clear."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

import structlog
from redis import RedisError

from workers.matching import summary, where
from workers.patients import Columns, ListError, Patient, file_rows, read_patients
from workers.store import Answer, Claim, JobGone, Store

log = structlog.get_logger()

PIECE = 1 << 20  # bytes
_GROUP = 100, 500_000  # notes, and characters, that are stored at a time


class SealedFile(io.RawIOBase):
    """An upload as a seekable file; one piece of it is open at a time."""

    def __init__(self, store: Store, job: str, size: int) -> None:
        self._store, self._job, self._size = store, job, size
        self._at = 0
        self._piece: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._size:
            return 0
        number, offset = divmod(self._at, PIECE)
        if number != self._piece[0]:
            self._piece = number, self._store.piece(self._job, number)
        part = self._piece[1][offset : offset + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def read_upload(store: Store, claim: Claim, options: Mapping[str, Any], announce: Callable[[], None]) -> None:
    """Store the notes in groups, calling `announce` after each, so that others match them meanwhile. Reading twice changes nothing."""
    job, upload = claim.job, options["upload"]

    @contextmanager
    def source() -> Iterator[BinaryIO]:
        with io.BufferedReader(SealedFile(store, job, upload["size"]), PIECE) as file:
            yield cast(BinaryIO, file)

    columns = Columns(**upload["columns"])
    count = 0
    try:
        for group in _groups(read_patients(lambda: file_rows(source, upload["name"], columns))):
            _keep(store, claim, count, group)
            count += len(group)
            announce()
    except ListError as error:
        store.refuse(job, str(error))
    except (RedisError, JobGone):
        raise
    except Exception as error:  # whatever a strange file leads a library to, the job ends with a reason
        log.error("upload_failed", error=type(error).__name__, at=where(error))
        store.refuse(job, f"the file cannot be read ({type(error).__name__})")
    else:
        store.parsed(job, count)


def _groups(patients: Iterable[Patient]) -> Iterator[list[Patient]]:
    group, characters = list[Patient](), 0
    for patient in patients:
        group.append(patient)
        characters += len(patient.note)
        if len(group) >= _GROUP[0] or characters >= _GROUP[1]:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _keep(store: Store, claim: Claim, first: int, group: list[Patient]) -> None:
    notes: list[dict[str, Any] | None] = []
    for index, patient in enumerate(group, first):
        if patient.problem:
            bad = {"note_id": patient.id, "rows": list(patient.rows), "error": patient.problem, "kind": "row"}
            row = Claim(claim.job, index, 1, claim.revision, b"", b"", 0.0)
            store.settle(row, Answer(bad, summary(bad), {"notes:failed:row": 1})).answer()
            notes.append(None)
        else:
            as_of = patient.as_of.isoformat() if patient.as_of else None
            notes.append({"note_id": patient.id, "rows": list(patient.rows), "note": patient.note, "as_of": as_of})
    store.append(claim.job, first, notes)
