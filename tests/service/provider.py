"""A small identity provider: OpenID Connect discovery, signed tokens, and the authorization code flow with PKCE."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "eligo-page", "a secret: of two parts"


class Provider:
    """`claims` go into every token of a sign-in; `access` chooses what the access token is; `denies` ends sign-ins at the provider."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.jwk = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key())), "kid": "k1", "use": "sig", "alg": "RS256"}
        self.claims: dict[str, object] = {}
        self.access: dict[str, object] | None = {}
        self.denies = False
        self._codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _answering(self))
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Provider:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def token(self, key: object = None, **claims: object) -> str:
        standard = {"iss": self.issuer, "aud": "eligo", "sub": "u1", "exp": time() + 300, "tenant": "north", "scope": "openid eligo:submit eligo:read"}
        return jwt.encode({**standard, **claims}, key or self._key, algorithm="RS256", headers={"kid": "k1"})

    def discovery(self) -> dict[str, str]:
        return {name: self.issuer + path for name, path in (("issuer", ""), ("jwks_uri", "/keys"), ("authorization_endpoint", "/authorize"), ("token_endpoint", "/token"))}

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser goes after the user has signed in."""
        if self.denies:
            return f"{query['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': query['state']})}"
        assert (query["response_type"], query["client_id"], query["code_challenge_method"]) == ("code", CLIENT, "S256")
        code = secrets.token_hex(8)
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def exchange(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """Tokens for a code, once, for the client that can show its verifier (RFC 7636) and its secret."""
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        client = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != form["redirect_uri"] or client != f"{CLIENT}:{SECRET.replace(' ', '%20').replace(':', '%3A')}":
            return None
        identity = {"aud": CLIENT, "nonce": asked["nonce"], **self.claims}
        return {
            "token_type": "Bearer",
            "id_token": self.token(**identity),
            "access_token": "opaque" if self.access is None else self.token(**{**self.claims, "aud": "eligo", **self.access}),
        }


def _answering(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize({k: v[0] for k, v in parse_qs(url.query).items()}))
                self.end_headers()
            else:
                self._json(200, {"keys": [provider.jwk]} if url.path == "/keys" else provider.discovery())

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            tokens = provider.exchange({k: v[0] for k, v in form.items()}, self.headers.get("authorization", ""))
            self._json(*((200, tokens) if tokens else (400, {"error": "invalid_grant"})))

        def _json(self, status: int, body: object) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    return Answer
