"""Who read which result: an append-only log whose every line carries the hash of the line before."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from pathlib import Path
from typing import BinaryIO

from matcher import EligoError

_START = "0" * 64
_LONGEST = 4096  # bytes of an entry


class AuditLog:
    """JSON lines {"at", "who", "tenant", "did", "what", "before", "hash"}; identifiers only. Safe for several processes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, who: str, tenant: str, did: str, what: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600), "rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            before = _last_hash(file)
            entry = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "who": who, "tenant": tenant, "did": did, "what": what, "before": before}
            line = json.dumps({**entry, "hash": _hash(entry)}, ensure_ascii=False) + "\n"
            file.seek(0, os.SEEK_END)
            file.write(line.encode())


def verify(path: Path, head: str | None = None) -> tuple[int, str]:
    """Number of entries and the hash of the last. Raises EligoError naming the first line that was changed, removed or added.

    `head`: a last hash noted earlier, which must still be in the chain; without it a cut-off end cannot be seen.
    """
    before, count, seen = _START, 0, head is None
    if path.exists():
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    entry = json.loads(line)
                    given = entry.pop("hash")
                except (ValueError, AttributeError, KeyError):
                    raise EligoError(f"{path} line {number}: not an entry of the log") from None
                if entry.get("before") != before or given != _hash(entry):
                    raise EligoError(f"{path} line {number}: the chain is broken here; this line or one before it was changed, removed or added")
                before, count = given, number
                seen = seen or given == head
    if not seen:
        raise EligoError(f"{path}: the noted hash {head} is not in the chain; entries were cut off")
    return count, before


def _last_hash(file: BinaryIO) -> str:
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return _START
    file.seek(max(0, size - _LONGEST))
    try:
        return str(json.loads(file.read().splitlines()[-1])["hash"])
    except (ValueError, KeyError):
        return "torn"  # a machine that died while writing: the log goes on, and `verify` points at the line


def _hash(entry: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(entry, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
