"""API keys: who may call, for which tenant, and what for. Only hashes are kept; a key is shown once."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from matcher import EligoError

SCOPES = ("submit", "read", "admin")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `name` is what the audit log says; an admin may do everything within the tenant, and change trials."""

    name: str
    tenant: str
    scopes: frozenset[str]
    authenticated: bool = True

    def may(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes


@dataclass(frozen=True, slots=True)
class Key:
    id: str
    name: str
    tenant: str
    scopes: tuple[str, ...]
    sha256: str  # of the secret; 256 random bits need no slow hash
    created: str
    revoked: str | None = None


class KeyFile:
    """The keys in one file of the data folder, readable by its owner only, read again when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = (0, 0)
        self._keys: dict[str, Key] = {}

    def all(self) -> list[Key]:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._keys = {}
            return []
        found = status.st_mtime_ns, status.st_ino  # two writes may fall into one tick of the file system's clock
        if found != self._read:
            rows = json.loads(self._path.read_text())
            self._keys = {row["id"]: Key(**{**row, "scopes": tuple(row["scopes"])}) for row in rows}
            self._read = found
        return list(self._keys.values())

    def create(self, name: str, tenant: str, scopes: tuple[str, ...]) -> str:
        """The key's text, which is kept nowhere. Raises EligoError on an unknown scope."""
        if unknown := set(scopes) - set(SCOPES):
            raise EligoError(f"no scope {', '.join(sorted(unknown))}; there are {', '.join(SCOPES)}")
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        key = Key(key_id, name, tenant, scopes, _hash(secret), _now())
        with self._rewriting() as keys:
            keys.append(key)
        return f"eligo_{key_id}_{secret}"

    def revoke(self, key_id: str) -> None:
        with self._rewriting() as keys:
            at = next((i for i, key in enumerate(keys) if key.id == key_id), None)
            if at is None:
                raise EligoError(f"no key {key_id}; `eligo keys list` shows them")
            keys[at] = Key(**{**asdict(keys[at]), "revoked": _now()})

    def caller(self, text: str) -> Caller | None:
        prefix, _, rest = text.partition("_")
        key_id, _, secret = rest.partition("_")
        self.all()
        key = self._keys.get(key_id)
        if prefix != "eligo" or key is None or key.revoked or not hmac.compare_digest(key.sha256, _hash(secret)):
            return None
        return Caller(f"key:{key.id}", key.tenant, frozenset(key.scopes))

    @contextmanager
    def _rewriting(self) -> Iterator[list[Key]]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with open(self._path.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            keys = self.all()
            yield keys
            draft = self._path.with_suffix(".new")
            with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
                json.dump([asdict(key) for key in keys], file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
