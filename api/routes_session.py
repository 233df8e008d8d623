"""Signing in with a browser: what is possible, the way to the identity provider and back, signing out."""

from __future__ import annotations

from secrets import compare_digest
from typing import Annotated, Any
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.oidc import Attempt, Oidc, ProviderError, SignInRefused
from api.problems import RETRY_AFTER, ProblemError, documented
from api.service import Svc, find_caller, session_cookie
from api.sessions import ATTEMPT_SECONDS
from api.shapes import CallerAnswer, SessionAnswer

log = structlog.get_logger()
router = APIRouter(prefix="/session", tags=["session"])

_ATTEMPT = "eligo_sign_in"
_LOGIN = "/api/v1/session/login"
_REDIRECTS: dict[int | str, dict[str, Any]] = {
    302: {"description": "To the identity provider, or back to the page"},
    **documented({503: "The identity provider does not answer"}),
}
_NO_PROVIDER = "no identity provider is set up for sign-in (ELIGO_OIDC_ISSUER, ELIGO_OIDC_CLIENT_ID); use a key of `eligo keys create`"


@router.get("", response_model=SessionAnswer, summary="How one can sign in, and who is")
def session(request: Request, svc: Svc) -> SessionAnswer:
    """Open to all. Where nothing is required, `caller` is the local user."""
    who = find_caller(request)
    signs_in = svc.oidc is not None and svc.oidc.signs_in
    return SessionAnswer(
        required=svc.requires_credentials(),
        methods=["key", "oidc"] if signs_in else ["key"],
        login=_LOGIN if signs_in else None,
        caller=CallerAnswer(name=who.name, tenant=who.tenant, scopes=sorted(who.scopes)) if who else None,
    )


@router.get("/login", status_code=302, response_class=RedirectResponse, summary="Sign in at the identity provider", responses=_REDIRECTS)
def login(request: Request, svc: Svc, then: Annotated[str, Query(alias="next", max_length=2000, description="A path of this service to come back to")] = "/") -> RedirectResponse:
    """For a browser to go to, not to fetch. Authorization code with PKCE (RFC 7636); it comes back to `/api/v1/session/callback`, which must be registered there."""
    oidc = _oidc(svc.oidc)
    attempt = Attempt.new(then if _is_local(then) else "/")
    try:
        answer = RedirectResponse(oidc.authorization_url(attempt, _redirect_uri(request, svc)), 302)
    except ProviderError as error:
        raise _away(error) from None
    # Lax: the way back begins on the provider's site.
    answer.set_cookie(_ATTEMPT, svc.sessions.pack(attempt), max_age=ATTEMPT_SECONDS, path="/api/v1/session", httponly=True, secure=_is_https(request, svc), samesite="lax")
    return answer


@router.get("/callback", status_code=302, response_class=RedirectResponse, summary="The way back from the identity provider", responses=_REDIRECTS)
def callback(
    request: Request, svc: Svc,
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str, Query(max_length=5000)] = "",
    error: Annotated[str, Query(max_length=500)] = "",
) -> RedirectResponse:  # fmt: skip
    """To the page, signed in; or to `/?sign_in=` with `refused` (by the provider), `failed` (begin again) or `not_allowed` (no tenant or no scope here)."""
    oidc, attempt = _oidc(svc.oidc), svc.sessions.unpack(request.cookies.get(_ATTEMPT, ""))
    try:
        if attempt is None or not compare_digest(attempt.state.encode(), state.encode()):
            raise SignInRefused("failed")
        if error or not code:
            raise SignInRefused("refused")
        who = oidc.signed_in(attempt, code, _redirect_uri(request, svc))
    except SignInRefused as refused:
        log.info("sign_in_refused", reason=str(refused))
        answer = RedirectResponse(f"/?sign_in={refused}", 302)
    except ProviderError as away:
        raise _away(away) from None
    else:
        answer, https = RedirectResponse(attempt.then, 302), _is_https(request, svc)
        answer.set_cookie(session_cookie(https), svc.sessions.start(who), max_age=svc.sessions.ttl, httponly=True, secure=https, samesite="strict")
        svc.audit.add(who.name, who.tenant, "sign in", "session")
    answer.delete_cookie(_ATTEMPT, path="/api/v1/session")
    return answer


@router.delete("", status_code=204, summary="Sign out")
def sign_out(request: Request, response: Response, svc: Svc) -> None:
    """The session ends here; the one at the identity provider is not ours to end."""
    for https in (True, False):
        if token := request.cookies.get(session_cookie(https)):
            if who := svc.sessions.caller(token):
                svc.audit.add(who.name, who.tenant, "sign out", "session")
            svc.sessions.end(token)
            response.delete_cookie(session_cookie(https), secure=https, httponly=True, samesite="strict")


def _oidc(found: Oidc | None) -> Oidc:
    if found is None or not found.signs_in:
        raise ProblemError(404, _NO_PROVIDER)
    return found


def _away(error: ProviderError) -> ProblemError:
    log.warning("provider_unavailable", error=str(error))
    return ProblemError(503, "the identity provider does not answer; try again, or use a key", {"Retry-After": str(RETRY_AFTER)})


def _is_local(path: str) -> bool:
    """Not a way to lead a browser elsewhere: `//host`, `/\\host` and control characters are read as one."""
    return path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable() and not urlsplit(path).netloc


def _public(request: Request, svc: Svc) -> str:
    return svc.settings.public_url.rstrip("/") or str(request.base_url).rstrip("/")


def _redirect_uri(request: Request, svc: Svc) -> str:
    return _public(request, svc) + "/api/v1/session/callback"


def _is_https(request: Request, svc: Svc) -> bool:
    return _public(request, svc).startswith("https://")
