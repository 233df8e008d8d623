"""A multipart upload, sealed piece by piece as it arrives: it is never whole in memory, nor in the clear on a disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import python_multipart
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header

from api.problems import ProblemError

_MAX_FIELD = 100_000  # bytes of a form field that is no file


@dataclass
class Form:
    """`fields` as sent; of the file, its name and size, and the digest of everything."""

    fields: dict[str, str] = field(default_factory=dict)
    name: str = ""
    size: int = 0
    digest: str = ""


async def receive_form(request: Request, keep: Callable[[int, bytes], None], piece_size: int) -> Form:
    """Reads the request; `keep(number, piece)` is called, in a thread, with every full piece of the field `file` and the last one."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise ProblemError(415, "send multipart/form-data with the list in the field `file`")
    receiver = _Receiver()
    try:
        parser = python_multipart.MultipartParser(options[b"boundary"], receiver.callbacks())
    except python_multipart.exceptions.FormParserError:
        raise ProblemError(400, "the multipart boundary is malformed") from None
    digest, number = hashlib.sha256(), 0
    try:
        async for chunk in request.stream():
            parser.write(chunk)
            while len(receiver.file) >= piece_size:
                piece = bytes(receiver.file[:piece_size])
                del receiver.file[:piece_size]
                digest.update(piece)
                await run_in_threadpool(keep, number, piece)
                number += 1
        parser.finalize()
    except MultipartParseError:
        raise ProblemError(400, "the multipart body is malformed") from None
    if not receiver.form.name:
        raise ProblemError(422, "the field `file` is missing, or has no file name")
    if not receiver.ended:
        raise ProblemError(400, "the body ended too soon")
    if receiver.file:
        digest.update(receiver.file)
        await run_in_threadpool(keep, number, bytes(receiver.file))
    digest.update(repr(sorted(receiver.form.fields.items())).encode())
    receiver.form.digest = digest.hexdigest()
    return receiver.form


class _Receiver:
    def __init__(self) -> None:
        self.form, self.file, self.ended = Form(), bytearray(), False
        self._header, self._value, self._disposition, self._field = bytearray(), bytearray(), b"", bytearray()
        self._name, self._is_file = "", False

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._disposition, self._is_file = b"", False
        self._field.clear()

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        file_name = options.get(b"filename", b"").decode("utf-8", "replace")
        self._is_file = self._name == "file" and bool(file_name) and not self.form.name
        if self._is_file:
            self.form.name = file_name

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self.file += data[start:end]
            self.form.size += end - start
        else:
            self._field += data[start:end]
            if len(self._field) > _MAX_FIELD:
                raise ProblemError(413, f"a form field may have {_MAX_FIELD} bytes")

    def _end(self) -> None:
        if not self._is_file and self._name:
            self.form.fields[self._name] = self._field.decode("utf-8", "replace")

    def _finish(self) -> None:
        self.ended = True
