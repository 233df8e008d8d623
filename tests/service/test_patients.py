"""Lists of notes in, patients out."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from contextlib import contextmanager
from datetime import date, datetime

import openpyxl
import pytest

from workers.patients import Columns, ListError, Patient, file_rows, folder_rows, read_patients

ANY = Columns()


def read(content: bytes, name: str, columns: Columns = ANY) -> list[Patient]:
    @contextmanager
    def source():
        yield io.BytesIO(content)

    return list(read_patients(lambda: file_rows(source, name, columns)))


def workbook(*rows) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def archive(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, content in files.items():
            writer.writestr(name.replace("__", "."), content)
    return out.getvalue()


def test_the_workbook_with_entities_is_one_that_is_read_without_them():
    assert [p.id for p in read(_rebuilt(b""), "l.xlsx")] == ["1"]


TWO = [Patient("a", (2,), "first note"), Patient("b", (3,), "second note")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("l.csv", b"patient_id,note\na,first note\nb,second note\n"),
        ("L.CSV", b"\xef\xbb\xbfMRN;Note Text\r\na;first note\r\nb;second note\r\n"),
        ("l.csv", "id,text\na,first note\nb,second note\n".encode("utf-16")),
        ("l.csv", b'"Subject ID","Clinical Note"\n"a","first note"\n\n"b","second note"'),
        ("l.tsv", b"mrn\treport\na\tfirst note\nb\tsecond note\n"),
        ("l.xlsx", workbook(["Patient ID", "Note"], ["a", "first note"], ["b", "second note"])),
    ],
)
def test_columns_are_found_by_their_usual_names(name, content):
    found = read(content, name)
    assert [(p.id, p.note) for p in found] == [(p.id, p.note) for p in TWO]


def test_columns_can_be_named():
    assert read(b"who,what\na,first note\nb,second note\n", "l.csv", Columns(patient="who", note="what")) == TWO


def test_without_a_column_of_patients_every_row_is_one():
    assert [p.id for p in read(b"note\nx\ny\n", "l.csv")] == ["row 2", "row 3"]


def test_a_file_of_json_lines():
    lines = [{"id": "a", "note": "first note"}, {"id": "b", "note": "second note"}]
    assert [(p.id, p.rows, p.note) for p in read("\n".join(map(json.dumps, lines)).encode(), "l.jsonl")] == [("a", (1,), "first note"), ("b", (2,), "second note")]


def test_half_a_character_becomes_a_mark_in_its_place():
    assert [p.note for p in read(b'{"id": "a", "note": "x\\ud800y"}\n', "l.jsonl")] == ["x?y"]


def test_an_archive_of_text_files_and_tables():
    found = read(archive(a__txt=b"first note", l__csv=b"id,note\nb,second note\n", c__pdf=b"%PDF"), "l.zip")
    assert [(p.id, p.rows, p.note, bool(p.problem)) for p in found] == [("a", (1,), "first note", False), ("c", (2,), "", True), ("b", (3,), "second note", False)]


def test_a_folder_of_text_files(tmp_path):
    for name, text in {"b.txt": b"second note", "a.txt": b"first note", "c.dat": b"no"}.items():
        (tmp_path / name).write_bytes(text)
    assert [(p.id, p.note) for p in read_patients(lambda: folder_rows(tmp_path))] == [("a", "first note"), ("b", "second note")]


def test_notes_of_a_patient_become_one_in_the_order_of_their_dates():
    found = read(b"mrn,date,note\n1,2024-02-01,newer\n2,2024-01-01,other\n1,2023-05-09,older\n1,2024-02-01,newer\n", "l.csv")
    assert [(p.id, p.rows, p.as_of) for p in found] == [("2", (3,), date(2024, 1, 1)), ("1", (2, 4, 5), date(2024, 2, 1))]
    assert found[1].note == "Note date: 2023-05-09\nolder\n\nNote date: 2024-02-01\nnewer\n"


def test_a_spreadsheets_numbers_and_dates_are_read_as_such():
    rows = ["mrn", "date", "note"], [12.0, datetime(2024, 1, 2), "new"], [12, date(2023, 1, 2), "old"]
    assert [(p.id, p.rows, p.as_of) for p in read(workbook(*rows), "l.xlsx")] == [("12", (2, 3), date(2024, 1, 2))]


@pytest.mark.parametrize(("other", "day"), [("13/01/2024", date(2024, 4, 3)), ("01/13/2024", date(2024, 3, 4))])
def test_rows_that_read_one_way_only_decide_the_order_of_day_and_month(other, day):
    assert next(p.as_of for p in read(f"mrn,date,note\n1,03/04/2024,x\n2,{other},y\n".encode(), "l.csv")) == day


@pytest.mark.parametrize(
    ("name", "content", "problems"),
    [
        ("l.csv", b"mrn,note\n1,x\n2,\n,y\n3\n4,z\n", [(3, "the note is empty"), (4, "no patient identifier"), (5, "the note is empty")]),
        ("l.jsonl", b'{"id": 1, "note": "x"}\n{"id"\n[]\n{"id": 2}\n{"id": 3, "note": 4}\n',
         [(2, "not a JSON object"), (3, "not a JSON object"), (4, "no note among its fields"), (5, "the note is not text")]),
        ("l.zip", archive(a__txt=b"x", b__txt=b"\0\1\2", c__txt=b" "), [(2, "not a text file"), (3, "the note is empty")]),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_and_the_rest_is_read(name, content, problems):
    found = read(content, name)
    assert [(p.rows[0], p.problem) for p in found if p.problem] == problems
    assert any(not p.problem for p in found)


_LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'


def _rebuilt(declaration: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(["mrn", "note"], ["1", "x"]))) as book, zipfile.ZipFile(out, "w") as evil:
        for entry in book.infolist():
            content = book.read(entry)
            if entry.filename.endswith(("sharedStrings.xml", "sheet1.xml")):
                content = declaration + content[content.index(b"<sst") if b"<sst" in content else content.index(b"<worksheet") :]
            evil.writestr(entry.filename, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("l.csv", b"", "no column of notes"),
        ("l.csv", b"mrn,note\n", "no notes"),
        ("l.csv", b"mrn,weight\n1,70\n", "mrn, weight"),
        ("l.doc", b"x", ".doc"),
        ("l.zip", b"PK nonsense", "not a readable"),
        ("l.xlsx", archive(a__txt=b"x"), "cannot be read"),
        ("l.xlsx", b"\0" * 100, "not a readable"),
        ("l.zip", archive(a__txt=b"0" * 60_000_000), "unpacks to far more"),
        ("l.xlsx", _rebuilt(_LAUGHS), "cannot be read"),
    ],
)
def test_a_list_that_cannot_be_read_says_why(name, content, reason):
    with pytest.raises(ListError, match=reason):
        read(content, name)


def test_a_long_list_is_not_held_in_memory():
    class Counting(io.RawIOBase):
        """An file of 10,000 notes of 2,000 characters, made as it is read."""

        def __init__(self):
            self.row, self.rest = -1, b"mrn,note\n"

        def readable(self):
            return True

        def seekable(self):
            return True

        def seek(self, offset, whence=0):
            assert (offset, whence) == (0, 0)
            self.__init__()
            return 0

        def readinto(self, buffer):
            while len(self.rest) < len(buffer) and self.row < 10_000:
                self.row += 1
                self.rest += b"%d,%s\n" % (self.row, b"x" * 2000)
            part, self.rest = self.rest[: len(buffer)], self.rest[len(buffer) :]
            buffer[: len(part)] = part
            return len(part)

    @contextmanager
    def source():
        yield io.BufferedReader(Counting(), 1 << 16)

    tracemalloc.start()
    try:
        count = sum(1 for _ in read_patients(lambda: file_rows(source, "l.csv")))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 10_001
    assert peak < 8_000_000  # the ids and their counts; the notes are 20 MB
