"""Bearer tokens of an OpenID Connect provider, checked against its published keys (PyJWT)."""

from __future__ import annotations

from functools import cached_property

import httpx
import jwt
import structlog

from api.keys import SCOPES, Caller
from workers.settings import Settings

log = structlog.get_logger()

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]  # asymmetric only
_TIMEOUT = 5  # seconds for the provider to answer


class Oidc:
    """Issuer, audience, expiry and signature are checked; the tenant and the scopes come from claims of the token."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _keys(self) -> jwt.PyJWKClient:
        url = self._settings.oidc_jwks_url
        if not url:
            found = httpx.get(self._settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration", timeout=_TIMEOUT)
            url = str(found.raise_for_status().json()["jwks_uri"])
        return jwt.PyJWKClient(url, cache_keys=True, lifespan=3600, timeout=_TIMEOUT)

    def caller(self, token: str) -> Caller | None:
        """None for a token that is not valid here; which check failed is logged, the token is not."""
        s = self._settings
        try:
            key = self._keys.get_signing_key_from_jwt(token).key
            claims = jwt.decode(
                token, key, algorithms=_ALGORITHMS, audience=s.oidc_audience, issuer=s.oidc_issuer, leeway=30,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )  # fmt: skip
        except (jwt.PyJWTError, httpx.HTTPError, KeyError, ValueError) as error:
            log.info("token_refused", error=type(error).__name__)
            return None
        tenant = claims.get(s.oidc_tenant_claim)
        granted = claims.get(s.oidc_scope_claim) or ""
        words = granted.split() if isinstance(granted, str) else [str(word) for word in granted]
        scopes = frozenset(scope for scope in SCOPES if scope in words or f"eligo:{scope}" in words)
        return Caller(f"oidc:{claims['sub']}", str(tenant), scopes) if tenant else None


def configured(settings: Settings) -> Oidc | None:
    return Oidc(settings) if settings.oidc_issuer and settings.oidc_audience else None
