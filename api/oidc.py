"""OpenID Connect: bearer tokens checked against the provider's published keys, and sign-in by authorization code with PKCE (PyJWT)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import jwt
import structlog

from api.keys import SCOPES, Caller
from workers.settings import Settings

log = structlog.get_logger()

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]  # asymmetric only
_TIMEOUT = 5  # seconds for the provider to answer


class ProviderError(Exception):
    """The identity provider does not answer, or not as OpenID Connect Discovery says."""


class SignInRefused(Exception):
    """A sign-in that does not end with a caller; the message is one word for the page."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a browser's sign-in must come back with: `state` (RFC 6749), `nonce` (OIDC Core), `verifier` (RFC 7636); then it goes to `then`."""

    state: str
    nonce: str
    verifier: str
    then: str

    @classmethod
    def new(cls, then: str) -> Attempt:
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(32), then)


class Oidc:
    """Issuer, audience, expiry and signature are checked; the tenant and the scopes come from claims of the token."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def signs_in(self) -> bool:
        return bool(self._settings.oidc_client_id)

    @cached_property
    def _provider(self) -> dict[str, Any]:
        found = httpx.get(self._settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration", timeout=_TIMEOUT)
        return dict(found.raise_for_status().json())

    @cached_property
    def _keys(self) -> jwt.PyJWKClient:
        return jwt.PyJWKClient(self._settings.oidc_jwks_url or str(self._provider["jwks_uri"]), cache_keys=True, lifespan=3600, timeout=_TIMEOUT)

    def caller(self, token: str) -> Caller | None:
        """Who a bearer token speaks for. None for one that is not valid here."""
        claims = self._claims(token, self._settings.oidc_audience or self._settings.oidc_client_id)
        return self._caller(claims) if claims else None

    def _claims(self, token: str, audience: str) -> dict[str, Any] | None:
        """None for a token that is not valid here; which check failed is logged, the token is not."""
        try:
            key = self._keys.get_signing_key_from_jwt(token).key
            return dict(
                jwt.decode(
                    token, key, algorithms=_ALGORITHMS, audience=audience, issuer=self._settings.oidc_issuer, leeway=30,
                    options={"require": ["exp", "iss", "aud", "sub"]},
                )
            )  # fmt: skip
        except (jwt.PyJWTError, httpx.HTTPError, KeyError, ValueError) as error:
            log.info("token_refused", error=type(error).__name__)
            return None

    def _caller(self, claims: Mapping[str, Any]) -> Caller | None:
        tenant = claims.get(self._settings.oidc_tenant_claim)
        granted = claims.get(self._settings.oidc_scope_claim) or ""
        words = granted.split() if isinstance(granted, str) else [str(word) for word in granted]
        scopes = frozenset(scope for scope in SCOPES if scope in words or f"eligo:{scope}" in words)
        return Caller(f"oidc:{claims['sub']}", str(tenant), scopes) if tenant else None

    def authorization_url(self, attempt: Attempt, redirect_uri: str) -> str:
        """Where the browser signs in. Raises ProviderError."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code", "client_id": self._settings.oidc_client_id, "redirect_uri": redirect_uri, "scope": self._settings.oidc_scopes,
            "state": attempt.state, "nonce": attempt.nonce, "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        endpoint = self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def signed_in(self, attempt: Attempt, code: str, redirect_uri: str) -> Caller:
        """Exchange the code and say who it is. The access token names tenant and scopes where it is one for us, else the ID token does.

        Raises ProviderError, SignInRefused.
        """
        tokens = self._exchange({"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": attempt.verifier})
        identity = self._claims(str(tokens.get("id_token")), self._settings.oidc_client_id)
        if identity is None or identity.get("nonce") != attempt.nonce:
            raise SignInRefused("failed")
        audience = self._settings.oidc_audience
        access = self._claims(str(tokens.get("access_token")), audience) if audience else None
        if access is not None and access["sub"] != identity["sub"]:
            raise SignInRefused("failed")
        caller = self._caller(access or identity)
        if caller is None or not caller.scopes:
            raise SignInRefused("not_allowed")
        return caller

    def _exchange(self, form: dict[str, str]) -> dict[str, Any]:
        """RFC 6749, section 4.1.3; a secret, where there is one, goes as section 2.3.1 says."""
        client_id, secret = self._settings.oidc_client_id, self._settings.oidc_client_secret.get_secret_value()
        auth = httpx.BasicAuth(quote(client_id, safe=""), quote(secret, safe="")) if secret else None
        try:
            answer = httpx.post(self._endpoint("token_endpoint"), data=form if auth else {**form, "client_id": client_id}, auth=auth, timeout=_TIMEOUT)
            tokens = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderError(type(error).__name__) from None
        if not answer.is_success or not isinstance(tokens, dict):
            log.info("code_refused", status=answer.status_code)
            raise SignInRefused("failed")
        return tokens

    def _endpoint(self, name: str) -> str:
        try:
            return str(self._provider[name])
        except (httpx.HTTPError, KeyError, ValueError) as error:
            raise ProviderError(type(error).__name__) from None


def configured(settings: Settings) -> Oidc | None:
    return Oidc(settings) if settings.oidc_issuer and (settings.oidc_audience or settings.oidc_client_id) else None
