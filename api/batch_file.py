"""`eligo batch`: a list in, a file of results out, without a server; begun again where it was left."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from api.tables import rows, write_csv, write_xlsx
from matcher import EligoError
from workers.matching import summary
from workers.patients import Columns, Patient, file_rows, folder_rows, read_patients

SUFFIXES = (".jsonl", ".csv", ".xlsx")


def patients(source: Path, columns: Columns) -> Iterator[Patient]:
    """The patients of a file or a folder. Raises ListError."""
    if source.is_dir():
        return read_patients(lambda: folder_rows(source))

    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        with open(source, "rb") as file:
            yield file

    return read_patients(lambda: file_rows(opened, source.name, columns))


def fingerprint(source: Path, order: Mapping[str, Any]) -> str:
    """Tells whether a journal is of this list and this order."""
    digest = hashlib.sha256(json.dumps(order, sort_keys=True).encode())
    for path in sorted(source.glob("*.txt")) if source.is_dir() else [source]:
        digest.update(path.name.encode())
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


class Journal:
    """The answers so far, one a line in the order of the list, beside the file they will become. Survives a kill at any byte."""

    def __init__(self, out: Path, of: str) -> None:
        """Raises EligoError where a journal of another list or order is in the way."""
        self.path = out.with_name(out.name + ".part")
        self.count, self.failed = 0, 0
        self._file = open(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600), "rb+")  # noqa: SIM115 - closed by `close`
        head = self._file.readline()
        if head.endswith(b"\n"):
            if json.loads(head).get("of") != of:
                raise EligoError(f"{self.path} is of another list, or was begun with other trials or options; delete it to begin anew")
        else:
            self._file.seek(0)
            self._file.truncate()
            self._file.write(json.dumps({"of": of}).encode() + b"\n")
        whole = self._file.tell()
        for line in self._file:
            if not line.endswith(b"\n"):  # a line that the end of the process tore
                break
            whole += len(line)
            self.count += 1
            self.failed += "error" in json.loads(line)
        self._file.seek(whole)
        self._file.truncate()

    def add(self, answer: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        self._file.flush()
        self.count += 1
        self.failed += "error" in answer

    def answers(self) -> Iterator[dict[str, Any]]:
        with open(self.path, "rb") as file:
            file.readline()
            for line in file:
                yield json.loads(line)

    def close(self) -> None:
        self._file.close()

    def finish(self, out: Path) -> None:
        """Write the results as the name of `out` says, whole or not at all, and remove the journal."""
        self.close()
        chunks: Iterator[bytes]
        if out.suffix == ".jsonl":
            chunks = (json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace") + b"\n" for answer in self.answers())
        else:
            table = rows(summary(answer) for answer in self.answers())
            chunks = write_csv(table) if out.suffix == ".csv" else write_xlsx(table)
        draft = out.with_name(out.name + ".new")
        with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(out)
        self.path.unlink()
