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
from api.keys import SCOPES, Caller, KeyFile
from api.oidc import Oidc
from api.problems import ProblemError
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
    audit: AuditLog

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


def caller(request: Request) -> Caller:
    """Who asks; 401 without valid credentials, unless none are required and the connection is a local one."""
    svc = service(request)
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credentials:
        found = svc.keys.caller(credentials.strip()) or (svc.oidc.caller(credentials.strip()) if svc.oidc else None)
        if found is not None:
            return found
    elif not svc.requires_credentials() and is_loopback((request.scope.get("server") or (None,))[0]):
        return _LOCAL
    raise ProblemError(401, "send a key of `eligo keys create`, or a token of your identity provider, as `Authorization: Bearer ...`", {"WWW-Authenticate": "Bearer"})


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
