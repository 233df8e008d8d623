"""Encryption at rest: AES-256-GCM under a list of keys, each sealed value bound to the place it is kept in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import tempfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from matcher import EligoError
from workers.settings import Settings, SettingsError

_FORMAT = b"\x01"
_NAME = 4  # bytes of a key's name: the start of its SHA-256
_NONCE = 12  # NIST SP 800-38D; random, so a key should seal fewer than 2**32 values


class SealError(EligoError):
    """A sealed value cannot be opened: its key is not in the list, or it was changed or moved."""


class Sealer:
    """`context` names the place (job and field), so that a value copied to another place does not open there."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = {hashlib.sha256(key).digest()[:_NAME]: AESGCM(key) for key in keys}
        self._first = hashlib.sha256(keys[0]).digest()[:_NAME]
        self._mac = hashlib.sha256(b"eligo fingerprint" + keys[0]).digest()

    def seal(self, plain: bytes, context: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return _FORMAT + self._first + nonce + self._keys[self._first].encrypt(nonce, zlib.compress(plain, 1), context.encode())

    def fingerprint(self, content: bytes) -> str:
        """Tells whether two requests were the same; keyed, so that a guessed note cannot be confirmed from it."""
        return hmac.new(self._mac, content, hashlib.sha256).hexdigest()

    def open(self, sealed: bytes, context: str) -> bytes:
        name, nonce, body = sealed[1 : 1 + _NAME], sealed[1 + _NAME : 1 + _NAME + _NONCE], sealed[1 + _NAME + _NONCE :]
        key = self._keys.get(name)
        if sealed[:1] != _FORMAT or key is None:
            raise SealError("a stored value is sealed under a key that is not in ELIGO_ENCRYPTION_KEYS; add the old key after the new one")
        try:
            return zlib.decompress(key.decrypt(nonce, body, context.encode()))
        except (InvalidTag, ValueError):
            raise SealError("a stored value was changed or moved; it is not used") from None


def new_key() -> str:
    """A fresh key as text, for ELIGO_ENCRYPTION_KEYS."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def _parse(text: str, where: str) -> list[bytes]:
    keys = []
    for item in text.replace("\n", ",").split(","):
        if item.strip():
            try:
                key = base64.urlsafe_b64decode(item.strip().replace("+", "-").replace("/", "_"))
            except ValueError:
                key = b""
            if len(key) != 32:
                raise SettingsError(f"{where}: every key must be base64 of 32 bytes; `eligo keys encryption` prints one")
            keys.append(key)
    return keys


def load_sealer(settings: Settings) -> Sealer:
    """Keys from ELIGO_ENCRYPTION_KEYS, else ELIGO_ENCRYPTION_KEY_FILE, else (embedded Redis only) one kept in the data folder."""
    keys = _parse(settings.encryption_keys.get_secret_value(), "ELIGO_ENCRYPTION_KEYS")
    if not keys and settings.encryption_key_file:
        keys = _parse(settings.encryption_key_file.read_text(), "ELIGO_ENCRYPTION_KEY_FILE")
    if not keys and (not settings.redis_url or settings.redis_url.startswith(("unix:", "redis+socket:"))):
        keys = _parse(_kept_key(settings.data_dir / "encryption.key"), "encryption.key")
    if not keys:
        raise SettingsError("set ELIGO_ENCRYPTION_KEYS or ELIGO_ENCRYPTION_KEY_FILE: notes are kept encrypted; `eligo keys encryption` prints a key")
    return Sealer(keys)


def _kept_key(path: Path) -> str:
    """The key in the data folder, made where there is none. Of two processes that begin at once both use the first one's."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=path.parent)  # for its owner only
        with open(descriptor, "w") as file:
            file.write(new_key() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
        os.unlink(draft)
    return path.read_text()
