"""Browser sessions: after a sign-in the page holds a random cookie, and Redis who that is, until it signs out or the session ends."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict
from time import time
from typing import Any

from api.keys import Caller
from api.oidc import Attempt
from workers.sealing import Sealer, SealError

ATTEMPT_SECONDS = 600  # in which a sign-in must come back


class Sessions:
    def __init__(self, client: Any, sealer: Sealer, ttl: int) -> None:
        self._redis, self._sealer, self.ttl = client, sealer, ttl

    def start(self, who: Caller) -> str:
        """The cookie's value, which is kept nowhere else."""
        token = secrets.token_urlsafe(32)
        key = _key(token)
        value = json.dumps({"name": who.name, "tenant": who.tenant, "scopes": sorted(who.scopes)}).encode()
        self._redis.set(key, self._sealer.seal(value, key), ex=self.ttl)
        return token

    def caller(self, token: str) -> Caller | None:
        key = _key(token)
        sealed = self._redis.get(key)
        if sealed is None:
            return None
        try:
            known = json.loads(self._sealer.open(sealed, key))
        except SealError:  # its key was rotated out
            return None
        return Caller(known["name"], known["tenant"], frozenset(known["scopes"]))

    def end(self, token: str) -> None:
        self._redis.delete(_key(token))

    def pack(self, attempt: Attempt) -> str:
        """An attempt as a cookie that only this service can read: nothing is kept for who has not signed in yet."""
        return self._sealer.seal(json.dumps({**asdict(attempt), "until": time() + ATTEMPT_SECONDS}).encode(), "sign-in").hex()

    def unpack(self, cookie: str) -> Attempt | None:
        try:
            known = json.loads(self._sealer.open(bytes.fromhex(cookie), "sign-in"))
        except (SealError, ValueError):
            return None
        return Attempt(**known) if known.pop("until") > time() else None


def _key(token: str) -> str:
    return "eligo:session:" + hashlib.sha256(token.encode()).hexdigest()
