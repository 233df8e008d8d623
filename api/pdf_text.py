"""The text of a PDF on standard input, as JSON on standard output: a process of its own, since a PDF can be made to exhaust its reader."""

from __future__ import annotations

import io
import json
import resource
import sys
from typing import Any

from pypdf import PdfReader
from pypdf.errors import PyPdfError

_MEMORY = 1_500_000_000  # bytes of address space
_CPU = 20  # seconds
_PAGES = 300
_CHARACTERS = 1_000_000


def pdf_text(content: bytes) -> dict[str, Any]:
    """{"text", "pages"}, or {"error": what to do}."""
    if not content[:1024].lstrip().startswith(b"%PDF"):
        return {"error": "this is not a PDF"}
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            return {"error": "this PDF is protected by a password; save it without one"}
        if len(reader.pages) > _PAGES:
            return {"error": f"this PDF has more than {_PAGES} pages; a note is shorter"}
        pages = [page.extract_text() for page in reader.pages]
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, MemoryError, OSError, NotImplementedError):
        return {"error": "this PDF cannot be read; copy its text into the box"}
    text = "\n\n".join(pages).strip()
    if not text:
        return {"error": "this PDF holds pictures and no text; recognise its text first, or copy it into the box"}
    if len(text) > _CHARACTERS:
        return {"error": f"this PDF holds more than {_CHARACTERS:,} characters; a note is shorter"}
    return {"text": text, "pages": len(pages)}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU, _CPU))
    json.dump(pdf_text(sys.stdin.buffer.read()), sys.stdout)


if __name__ == "__main__":
    main()
