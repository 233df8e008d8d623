"""The files of the page, read and compressed once.

What is painted first comes in one answer: the style sheet and the script that the first paint needs stand in it, allowed by their
hashes. The other files lie in a folder named after their content, which a browser keeps for good; an upgrade is another folder.
"""

from __future__ import annotations

import gzip
import mimetypes
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from api.door import content_policy

_REFERENCE = re.compile(r'<link rel="stylesheet" href="(?P<style>[^"]+)">|<script src="(?P<script>[^"]+)"></script>|(?<=\s)(?P<name>href|src)="(?=[a-z])')
_SMALL = 1000  # bytes, below which packing gains nothing
_KEPT = "public, max-age=31536000, immutable"
_ASKED = "no-cache"  # asked for anew by its ETag: an upgrade shows at once


class PageFile:
    def __init__(self, content: bytes, media_type: str, headers: dict[str, str] | None = None) -> None:
        self._content, self._media_type = content, media_type
        self._packed = gzip.compress(content, mtime=0) if len(content) > _SMALL else b""
        self._etag = f'"{sha256(content).hexdigest()[:16]}"'
        self._headers = {"ETag": self._etag, "Vary": "Accept-Encoding", **(headers or {})}

    def answer(self, request: Request, cache: str) -> Response:
        headers = {**self._headers, "Cache-Control": cache}
        if self._etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if self._packed and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(self._packed, media_type=self._media_type, headers={**headers, "Content-Encoding": "gzip"})
        return Response(self._content, media_type=self._media_type, headers=headers)


def page_files(folder: Path) -> APIRouter:
    """Routes for `folder`: its index.html at /, every other file at its own path and, to be kept, below the version's."""
    contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    version = "~" + sha256(b"".join(name.encode() + content for name, content in contents.items())).hexdigest()[:12]
    index = _composed(contents.pop("index.html").decode(), contents, version)
    files = {name: PageFile(content, mimetypes.guess_type(name)[0] or "application/octet-stream") for name, content in contents.items()}
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=["GET", "HEAD"])
    async def start(request: Request) -> Response:
        return index.answer(request, _ASKED)

    @router.api_route("/{path:path}", methods=["GET", "HEAD"])
    async def file(path: str, request: Request) -> Response:
        # A page opened before an upgrade asks for its own version, and gets what is there now.
        asked, name = path.split("/", 1) if path.startswith("~") and "/" in path else ("", path)
        if (found := files.get(name)) is None:
            raise HTTPException(404)
        return found.answer(request, _KEPT if asked == version else _ASKED)

    return router


def _composed(html: str, contents: dict[str, bytes], version: str) -> PageFile:
    """The page with its style sheet and its classic script in it, and its other references below the version."""
    hashes: dict[str, str] = {}

    def resolved(reference: re.Match[str]) -> str:
        for tag in ("style", "script"):
            if reference[tag]:
                text = contents[reference[tag]]
                hashes[tag] = f"'sha256-{b64encode(sha256(text).digest()).decode()}'"
                return f"<{tag}>{text.decode()}</{tag}>"
        return f'{reference["name"]}="{version}/'

    composed = _REFERENCE.sub(resolved, html)
    return PageFile(composed.encode(), "text/html", {"Content-Security-Policy": content_policy(**hashes)})
