"""What a request may use: made once for an application, handed to the routes."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Annotated

import structlog
from celery import Celery
from fastapi import Depends, Request
from kombu.exceptions import OperationalError
from redis import RedisError

from api.audit import AuditLog
from api.changes import Changes
from api.keys import SCOPES, Caller, KeyFile
from api.oidc import Oidc
from api.problems import ProblemError
from api.sessions import Sessions
from workers.app import enqueue, enqueue_reading
from workers.catalogue import Catalogue
from workers.settings import Settings
from workers.store import Store

log = structlog.get_logger()

_LOCAL = Caller("local", "local", frozenset(SCOPES), authenticated=False)


@dataclass(frozen=True)
class Service:
    settings: Settings
    store: Store
    celery: Celery
    catalogue: Catalogue
    keys: KeyFile
    oidc: Oidc | None
    sessions: Sessions
    audit: AuditLog
    changes: Changes

    def requires_credentials(self) -> bool:
        """Once a key was made, or OIDC is set up, nobody is let in without; revoking the last key does not open the door."""
        return self.oidc is not None or bool(self.keys.all())

    def announce(self, kind: str, job: str) -> None:
        """Queue an accepted job. It is accepted whether or not this works: the sweep queues what was missed."""
        try:
            if kind == "batch":
                enqueue_reading(self.celery, job)
            else:
                enqueue(self.celery, kind, job)
        except (RedisError, OperationalError) as error:
            log.warning("not_queued_yet", job=job, error=type(error).__name__)


def service(request: Request) -> Service:
    found: Service = request.app.state.service
    return found


def is_loopback(host: str | None) -> bool:
    if host in (None, "localhost"):  # None: a unix socket
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def session_cookie(https: bool) -> str:
    """The name of the session's cookie; the prefix has the browser see to it that no other host set it (RFC 6265bis)."""
    return "__Host-eligo" if https else "eligo"


def find_caller(request: Request) -> Caller | None:
    """Who asks: by key or token, else by the browser's session; a local user where no credentials are required."""
    svc = service(request)
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credentials:
        return svc.keys.caller(credentials.strip()) or (svc.oidc.caller(credentials.strip()) if svc.oidc else None)
    if svc.oidc and (token := request.cookies.get(session_cookie(True)) or request.cookies.get(session_cookie(False))):
        return svc.sessions.caller(token)
    return _LOCAL if not svc.requires_credentials() and is_loopback((request.scope.get("server") or (None,))[0]) else None


def caller(request: Request) -> Caller:
    """As `find_caller`; nobody is answered with 401."""
    found = find_caller(request)
    if found is None:
        raise ProblemError(401, "send a key of `eligo keys create`, or a token of your identity provider, as `Authorization: Bearer ...`", {"WWW-Authenticate": "Bearer"})
    return found


def _may(scope: str) -> Caller:
    def check(request: Request, who: Annotated[Caller, Depends(caller)]) -> Caller:
        if not who.may(scope):
            raise ProblemError(403, f"these credentials lack the scope {scope!r}")
        if scope == "submit" and who.authenticated and request.method == "POST":
            settings = service(request).settings
            if settings.rate_per_second:
                wait = service(request).store.take(who.name, settings.rate_per_second, settings.rate_burst)
                if wait:
                    raise ProblemError(429, "too many submissions; slow down", {"Retry-After": str(int(wait) + 1)})
        return who

    return Depends(check)  # type: ignore[return-value]


Svc = Annotated[Service, Depends(service)]
Reader = Annotated[Caller, _may("read")]
Submitter = Annotated[Caller, _may("submit")]
Admin = Annotated[Caller, _may("admin")]
