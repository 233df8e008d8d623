"""Lists of notes as clinics keep them, .csv .tsv .xlsx .jsonl .zip or a folder: one patient at a time, in bounded memory.

A list is read twice: once to count each patient's notes, once to hand out a patient as soon as the last of them is there.
Several notes of a patient become one text, oldest first, each under its date, so that the reader's own rules about dates and
corrections decide; offsets of evidence count characters of that text. A bad row is handed out by itself, with its reason.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from matcher import EligoError
from matcher.dates import day_first, find_dates

SUFFIXES = (".csv", ".tsv", ".xlsx", ".jsonl", ".zip")

# Usual names of columns, folded by _fold; the first that is there counts.
_NAMES = {
    "patient": (
        "patientid", "mrn", "medicalrecordnumber", "patid", "subjectid", "patient", "subject", "personid", "hospitalnumber", "nhsnumber",
        "patientennummer", "caseid", "case", "studyid", "id", "noteid",
    ),
    "note": ("note", "notetext", "text", "clinicalnote", "notes", "report", "reporttext", "narrative", "letter", "content", "document", "body", "befund", "arztbrief"),
    "date": ("date", "notedate", "documentdate", "servicedate", "dateofservice", "visitdate", "encounterdate", "reportdate", "dos", "datum", "written", "createdat"),
}  # fmt: skip

_MAX_NOTE = 5_000_000  # characters of one note
_MAX_STRINGS = 200_000_000  # bytes of an .xlsx's table of strings, which is held while the file is read
_MAX_UNPACKED = 4_000_000_000  # bytes of everything in an archive
_MAX_RATIO = 200  # unpacked to packed; text packs 3 to 10 to one
_MAX_FILES = 200_000

Source = Callable[[], AbstractContextManager[BinaryIO]]


class ListError(EligoError):
    """A list that cannot be read at all; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of columns as the file has them; empty: found by their usual names."""

    patient: str = ""
    note: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One note of a list, or why it is none (`problem`). `number`: as a spreadsheet counts, or the line, or the file."""

    number: int
    patient: str = ""
    text: str = ""
    written: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """One patient's notes as one text, or a bad row (`problem`). `as_of`: the date of the last note, where the list gives one."""

    id: str
    rows: tuple[int, ...]
    note: str = ""
    as_of: date | None = None
    problem: str = ""


@dataclass(slots=True)
class _Pieces:
    rows: list[int] = field(default_factory=list)
    notes: list[tuple[date | None, str]] = field(default_factory=list)


def file_rows(source: Source, name: str, columns: Columns = Columns()) -> Iterator[Row]:
    """The rows of a file; `name` tells its kind. Raises ListError."""
    with source() as file:
        yield from _rows(file, name, columns)


def folder_rows(folder: Path) -> Iterator[Row]:
    """A folder of .txt files, one patient each, named as the file."""
    for number, path in enumerate(sorted(folder.glob("*.txt")), 1):
        yield _text_file(number, path.stem, path.read_bytes() if path.stat().st_size <= _MAX_NOTE * 4 else None)


def read_patients(rows: Callable[[], Iterator[Row]]) -> Iterator[Patient]:
    """The patients of a list, each when complete, in the same order every time. `rows` begins anew with each call. Raises ListError."""
    left: Counter[str] = Counter()
    dates: dict[str, None] = {}
    for row in rows():
        if not row.problem:
            left[row.patient] += 1
            dates[row.written] = None
    order = day_first("\n".join(dates))  # whether 03/04 is the third of April: the rows that can be read one way only decide for all
    waiting: dict[str, _Pieces] = {}
    empty = True
    for row in rows():
        empty = False
        if row.problem:
            yield Patient(row.patient, (row.number,), problem=row.problem)
            continue
        pieces = waiting.setdefault(row.patient, _Pieces())
        pieces.rows.append(row.number)
        pieces.notes.append((_day(row.written, order), row.text))
        left[row.patient] -= 1
        if not left[row.patient]:
            del waiting[row.patient], left[row.patient]
            yield _patient(row.patient, pieces)
    if empty:
        raise ListError("the list holds no notes")


def _day(written: str, order: bool | None) -> date | None:
    found = find_dates(written, order) if written else []
    return found[0].date.earliest if found else None


def _patient(patient: str, pieces: _Pieces) -> Patient:
    notes = list(dict.fromkeys(pieces.notes))  # a note exported twice is one note
    notes.sort(key=lambda note: note[0] or date.min)  # stable: undated ones first, as listed
    as_of = max((written for written, _ in notes if written), default=None)
    return Patient(patient, tuple(pieces.rows), merge(notes), as_of)


def merge(notes: list[tuple[date | None, str]]) -> str:
    """One text of several notes, in the order given, each under its date."""
    if len(notes) == 1:
        return notes[0][1]
    return "\n\n".join(f"{'Note date: ' + written.isoformat() if written else 'Note without a date'}\n{text.strip()}" for written, text in notes) + "\n"


# ---------------------------------------------------------------- the rows of each kind of file


def _rows(file: BinaryIO, name: str, columns: Columns) -> Iterator[Row]:
    suffix = PurePosixPath(name.lower()).suffix
    if suffix in (".csv", ".tsv"):
        return _table(_csv_records(file, "\t" if suffix == ".tsv" else None), columns)
    if suffix == ".xlsx":
        return _table(_xlsx_records(file), columns)
    if suffix == ".jsonl":
        return _json_lines(file, columns)
    if suffix == ".zip":
        return _archive(file, columns)
    raise ListError(f"a list is one of {' '.join(SUFFIXES)}, not {suffix or 'a file without a suffix'}")


def _table(records: Iterator[tuple[int, list[Any]]], columns: Columns) -> Iterator[Row]:
    number, header = next(records, (0, []))
    names = [str(cell or "").strip() for cell in header]
    at = {role: _find(names, role, getattr(columns, role)) for role in _NAMES}
    if at["note"] is None:
        raise ListError(f"no column of notes among: {', '.join(filter(None, names))[:300] or 'nothing'}; name it (note_column)")
    for number, record in records:
        if not any(cell not in (None, "") for cell in record):
            continue
        cells = {role: record[i] if i is not None and i < len(record) else None for role, i in at.items()}
        yield _row(number, cells["patient"] if at["patient"] is not None else f"row {number}", cells["note"], cells["date"])


def _find(names: list[str], role: str, wanted: str) -> int | None:
    if wanted:
        if wanted not in names:
            raise ListError(f"no column {wanted!r} among: {', '.join(filter(None, names))[:300]}")
        return names.index(wanted)
    folded = [_fold(name) for name in names]
    return next((folded.index(usual) for usual in _NAMES[role] if usual in folded), None)


def _fold(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _row(number: int, patient: Any, note: Any, written: Any) -> Row:
    patient = str(patient if patient is not None else "").strip()
    if patient.endswith(".0") and patient[:-2].isdigit():
        patient = patient[:-2]  # a spreadsheet's number
    if not patient:
        return Row(number, problem="no patient identifier")
    if note is None or not str(note).strip():
        return Row(number, patient[:200], problem="the note is empty")
    if len(str(note)) > _MAX_NOTE:
        return Row(number, patient[:200], problem=f"the note is longer than {_MAX_NOTE} characters")
    day = written.isoformat() if isinstance(written, date | datetime) else str(written or "").strip()
    return Row(number, _whole(patient[:200]), _whole(str(note)), day)


def _whole(text: str) -> str:
    """JSON can write half of a character, which no encoding holds; it becomes a question mark in its place."""
    return text.encode("utf-8", "replace").decode()


def _csv_records(file: BinaryIO, delimiter: str | None) -> Iterator[tuple[int, list[Any]]]:
    text = io.TextIOWrapper(file, encoding=_encoding(file), errors="replace", newline="")
    first = text.readline(1_000_000)
    if delimiter is None:
        delimiter = max(",;\t|", key=first.count)
    csv.field_size_limit(_MAX_NOTE * 2)
    reader = csv.reader(chain([first], text) if first else text, delimiter=delimiter)
    number = 0
    while True:
        try:
            record = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            raise ListError(f"row {number + 1} and what follows cannot be read: {error}") from None
        number += 1
        yield number, record
    text.detach()


def _encoding(file: BinaryIO) -> str:
    """UTF-8 or UTF-16 where the bytes say so, else the one that Western European spreadsheets write."""
    start = file.read(4)
    file.seek(0)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := file.read(1 << 20):
            decoder.decode(chunk)
        return "utf-8-sig"
    except UnicodeDecodeError:
        return "cp1252"
    finally:
        file.seek(0)


def _xlsx_records(file: BinaryIO) -> Iterator[tuple[int, list[Any]]]:
    import openpyxl  # a fifth of a second of every process's start, which few lists need

    with _opened(file) as archive:
        _check(archive)
        strings = [entry for entry in archive.infolist() if entry.filename.endswith("sharedStrings.xml")]
        if sum(entry.file_size for entry in strings) > _MAX_STRINGS:
            raise ListError("this workbook's text is too large to be read in bounded memory; save it as .csv")
    file.seek(0)
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its size is not to be trusted
        for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            yield number, list(cells)
    except Exception as error:  # openpyxl raises whatever the broken part leads to; defusedxml under it, where XML entities are declared
        raise ListError(f"this workbook cannot be read ({type(error).__name__}); open it and save it again, or save it as .csv") from None


def _json_lines(file: BinaryIO, columns: Columns) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            yield Row(number, problem="not a JSON object")
            continue
        names = [str(name) for name in record]
        at = {role: _json_key(names, role, getattr(columns, role)) for role in _NAMES}
        if at["note"] is None:
            yield Row(number, problem="no note among its fields")
            continue
        values = {role: record[key] if key is not None else None for role, key in at.items()}
        if not isinstance(values["note"], str):
            yield Row(number, str(values["patient"] or "")[:200], problem="the note is not text")
            continue
        yield _row(number, values["patient"] if at["patient"] is not None else f"row {number}", values["note"], values["date"])


def _json_key(names: list[str], role: str, wanted: str) -> str | None:
    if wanted:
        return wanted if wanted in names else None
    at = _find(names, role, "")
    return None if at is None else names[at]


def _archive(file: BinaryIO, columns: Columns) -> Iterator[Row]:
    """Text files, one patient each; tables, with all their rows, which are numbered on through the archive."""
    with _opened(file) as archive:
        _check(archive)
        number = 0
        for entry in sorted(archive.infolist(), key=lambda e: e.filename):
            path = PurePosixPath(entry.filename)
            if entry.is_dir() or path.name.startswith(".") or "__MACOSX" in path.parts:
                continue
            suffix = path.suffix.lower()
            try:
                if suffix in (".csv", ".tsv", ".jsonl"):
                    with archive.open(entry) as member:
                        for row in _rows(member, path.name, columns):  # type: ignore[arg-type]
                            number += 1
                            yield Row(number, row.patient, row.text, row.written, row.problem)
                    continue
                number += 1
                if suffix == ".txt":
                    yield _text_file(number, path.stem, archive.read(entry) if entry.file_size <= _MAX_NOTE * 4 else None)
                else:
                    yield Row(number, path.stem[:200], problem=f"{suffix or 'this kind of file'} is not read inside an archive; put .txt, .csv, .tsv or .jsonl there")
            except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, OSError) as error:
                yield Row(number, path.stem[:200], problem=f"cannot be unpacked ({type(error).__name__})")


def _text_file(number: int, stem: str, content: bytes | None) -> Row:
    if content is None:
        return Row(number, stem[:200], problem=f"the note is longer than {_MAX_NOTE} characters")
    if b"\0" in content and not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Row(number, stem[:200], problem="not a text file")
    return _row(number, stem, content.decode(_encoding(io.BytesIO(content)), "replace"), None)


def _opened(file: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError):
        raise ListError("not a readable .xlsx or .zip file") from None


def _check(archive: zipfile.ZipFile) -> None:
    """Sizes as declared: the zip reader stops there, so that a file which lies about them only ends early."""
    entries = archive.infolist()
    unpacked, packed = sum(e.file_size for e in entries), sum(e.compress_size for e in entries)
    if len(entries) > _MAX_FILES or unpacked > _MAX_UNPACKED or (unpacked > 10_000_000 and unpacked > packed * _MAX_RATIO):
        raise ListError("this archive unpacks to far more than it should; it is not read")
