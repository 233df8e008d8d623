"""Tells one address, set by the operator, of every finished job: by identifier and counts, signed, until it says 2xx."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from time import sleep, time

import httpx
import redis
import structlog

from workers.settings import Settings
from workers.store import JobGone, Store

log = structlog.get_logger()

_EVERY = 0.5  # seconds between looks
_WAIT, _MOST = 1.0, 10  # seconds, doubled each time; tries: the last is some 17 minutes after the first
_TIMEOUT = 5.0


def signature(secret: str, moment: int, body: bytes) -> str:
    """The header Eligo-Signature: `t=SECONDS,v1=HEX`, HMAC-SHA256 under the shared secret of "SECONDS." and the body."""
    return f"t={moment},v1={hmac.new(secret.encode(), f'{moment}.'.encode() + body, hashlib.sha256).hexdigest()}"


def tell(store: Store, settings: Settings, client: httpx.Client) -> None:
    """One pass over what is due."""
    for job_id in store.webhooks_due(_WAIT, _MOST):
        try:
            job = store.job(job_id)
        except JobGone:
            store.told(job_id)
            continue
        body = json.dumps({"id": job.id, "kind": job.kind, "state": job.state, "total": job.total, "done": job.done, "failed": job.failed}).encode()
        headers = {"Content-Type": "application/json", "Eligo-Signature": signature(settings.webhook_secret.get_secret_value(), int(time()), body)}
        try:
            answer = client.post(settings.webhook_url, content=body, headers=headers)
        except httpx.HTTPError as error:
            log.warning("webhook_failed", job=job_id, error=type(error).__name__)
            continue
        if answer.is_success:
            store.told(job_id)
        else:
            log.warning("webhook_refused", job=job_id, status=answer.status_code)


def start_telling(store: Store, settings: Settings) -> None:
    """A thread for as long as the worker lives, where an address is set."""

    def run() -> None:
        with httpx.Client(timeout=_TIMEOUT, follow_redirects=False) as client:
            while True:
                sleep(_EVERY)
                try:
                    tell(store, settings, client)
                except redis.RedisError as error:
                    log.warning("webhooks_wait", error=type(error).__name__)

    if settings.webhook_url:
        threading.Thread(target=run, daemon=True, name="webhooks").start()
