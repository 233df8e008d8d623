"""Results as tables, streamed: CSV that no spreadsheet takes for formulas, and XLSX written without a copy on disk."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

HEADER = (
    "patient", "rows", "state", "error", "trial_id", "rank", "verdict", "score",
    "satisfied", "violated", "unknown", "violated_criteria", "reason", "missing", "corrections",
)  # fmt: skip

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")  # OWASP, CSV Injection
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2
_CELL = 32_767  # characters; Excel's limit

Cell = str | int | float | None


def rows(summaries: Iterable[Mapping[str, Any]]) -> Iterator[Sequence[Cell]]:
    """The header, then a row for every patient and trial, or for what failed and why."""
    yield HEADER
    for s in summaries:
        first = [s["note_id"], " ".join(map(str, s.get("rows", ())))]
        corrected = "; ".join(map(_correction, s.get("corrections", ()))) or None
        if "error" in s:
            yield [*first, "failed", s["error"], *[None] * 10, corrected]
        for t in s.get("trials", ()):
            counts = t["counts"]
            yield [
                *first, "done", None, t["trial_id"], t["rank"], t["verdict"], t["score"],
                counts["satisfied"], counts["violated"], counts["unknown"], " ".join(t["violated"]), t["reason"], ", ".join(t["missing"]), corrected,
            ]  # fmt: skip


def _correction(correction: Mapping[str, Any]) -> str:
    """As `lvef 55 % (2024-02-01)`."""
    dated = f"({correction['date']})" if correction.get("date") else ""
    value = json.dumps(correction["value"], ensure_ascii=False).strip('"')
    return " ".join(str(part) for part in (correction["fact"], correction.get("comparator"), value, correction.get("unit"), dated) if part)


def write_csv(table: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """UTF-8 with the mark by which Excel knows it. A cell that could begin a formula begins with an apostrophe."""
    yield b"\xef\xbb\xbf"
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in table:
        writer.writerow([_defused(cell) for cell in row])
        if buffer.tell() > 1 << 16:
            yield buffer.getvalue().encode("utf-8", "replace")
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode("utf-8", "replace")


def _defused(cell: Cell) -> Cell:
    return "'" + cell if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def write_xlsx(table: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """A workbook of one sheet. Text is stored as inline strings, which are never evaluated (ECMA-376 part 1, 18.18.11)."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in _PARTS.items():
            archive.writestr(name, content)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(_SHEET.encode())
            for number, row in enumerate(table, 1):
                sheet.write(_xml_row(number, row).encode("utf-8", "replace"))
                if sink.size > 1 << 16:
                    yield sink.take()
            sheet.write(b"</sheetData></worksheet>")
    yield sink.take()


def _xml_row(number: int, row: Sequence[Cell]) -> str:
    return f'<row r="{number}">' + "".join(map(_xml_cell, row)) + "</row>"


def _xml_cell(cell: Cell) -> str:
    if cell is None:
        return "<c/>"
    if isinstance(cell, int | float):
        return f"<c><v>{cell}</v></c>"
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(_NOT_XML.sub(" ", cell[:_CELL]))}</t></is></c>'


class _Sink(io.RawIOBase):
    """What the archive has written and nobody has taken yet; it cannot seek, so the archive streams."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def take(self) -> bytes:
        taken, self._parts, self.size = b"".join(self._parts), [], 0
        return taken


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_FORMAT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SHEET = f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" state="frozen"/></sheetView></sheetViews><sheetData>'
_PARTS = {
    "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_FORMAT}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_FORMAT}.worksheet+xml"/></Types>',
    "_rels/.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets><sheet name="matches" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
