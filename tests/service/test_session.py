"""Signing in with a browser: to the identity provider and back, a session in a cookie, and out again."""

from __future__ import annotations

from collections.abc import Iterator
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from api.keys import KeyFile
from tests.service.provider import CLIENT, SECRET, Provider
from tests.service.stack import Stack, all_bytes

pytestmark = pytest.mark.service

LOGIN = "/api/v1/session/login"


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[tuple[Stack, Provider]]:
    with (
        Provider() as provider,
        Stack(
            tmp_path_factory.mktemp("session"), bundled_trials=False, oidc_issuer=provider.issuer, oidc_audience="eligo", oidc_client_id=CLIENT, oidc_client_secret=SECRET
        ) as stack,
    ):
        stack.start_redis()
        stack.start_worker()
        stack.ready(stack.start_api())
        yield stack, provider


@pytest.fixture
def stack(running) -> Stack:
    return running[0]


@pytest.fixture
def provider(running) -> Provider:
    found = running[1]
    found.claims, found.access, found.denies = {}, {}, False
    return found


def sign_in(browser: httpx.Client, path: str = LOGIN) -> httpx.Response:
    """Goes where a browser would go; the last answer is the first that leads back to the page."""
    to_provider = browser.get(path)
    assert to_provider.status_code == 302, to_provider.text
    back = httpx.get(to_provider.headers["location"], trust_env=False, verify=False)
    return browser.get(back.headers["location"])


def who(browser: httpx.Client) -> dict | None:
    return browser.get("/api/v1/session").json()["caller"]


def test_what_is_possible_is_told_to_everybody(stack, provider):
    assert stack.client().get("/api/v1/session").json() == {"required": True, "methods": ["key", "oidc"], "login": LOGIN, "caller": None}


def test_signing_in_is_enough_to_use_the_api(stack, provider):
    with stack.client() as browser:
        assert browser.get("/api/v1/jobs").status_code == 401
        landed = sign_in(browser, LOGIN + "?next=/%23/lists")
        assert (landed.status_code, landed.headers["location"]) == (302, "/#/lists")
        assert who(browser) == {"name": "oidc:u1", "tenant": "north", "scopes": ["read", "submit"]}
        location = browser.post("/api/v1/matches", json={"note": "62-year-old man with myeloma."}).headers["location"]
        assert browser.get(location, params={"wait": 20}).json()["state"] == "done"
        key = KeyFile(stack.settings.keys_file).create("k", "north", ("read",))
        assert stack.client(key).get(location).status_code == 200  # the same tenant


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(stack, provider):
    with stack.client() as browser:
        cookie = SimpleCookie(sign_in(browser).headers.get_list("set-cookie")[0])["eligo"]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "strict", "/")
        assert browser.post("/api/v1/matches", json={"note": "x"}, headers={"Origin": "https://evil.example"}).status_code == 403


def test_redis_holds_neither_the_cookie_nor_who_it_is_in_the_clear(stack, provider):
    provider.claims = {"sub": "Zweizahnwal"}
    with stack.client() as browser:
        sign_in(browser)
        held = all_bytes(stack.store().redis)
        assert browser.cookies["eligo"].encode() not in held
        assert b"Zweizahnwal" not in held
        assert b"Zweizahnwal" not in stack.log.read_bytes()


def test_signing_out_ends_the_session_not_only_the_cookie(stack, provider):
    with stack.client() as browser:
        sign_in(browser)
        cookie = browser.cookies["eligo"]
        assert browser.delete("/api/v1/session").status_code == 204
        assert "eligo" not in browser.cookies
        assert stack.client().get("/api/v1/jobs", headers={"Cookie": f"eligo={cookie}"}).status_code == 401
    did = [line for line in stack.settings.audit_file.read_text().splitlines() if "sign " in line]
    assert '"sign in"' in did[-2]
    assert '"sign out"' in did[-1]


def test_an_id_token_will_do_where_the_access_token_is_not_for_us(stack, provider):
    provider.access = None
    with stack.client() as browser:
        sign_in(browser)
        assert who(browser) == {"name": "oidc:u1", "tenant": "north", "scopes": ["read", "submit"]}


def test_the_access_token_says_what_is_allowed_where_it_is_for_us(stack, provider):
    provider.access = {"scope": "eligo:read"}
    with stack.client() as browser:
        sign_in(browser)
        assert browser.post("/api/v1/matches", json={"note": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("claims", "access", "denies", "reason"),
    [
        ({}, {}, True, "refused"),
        ({"tenant": None}, None, False, "not_allowed"),
        ({"scope": "openid"}, None, False, "not_allowed"),
        ({"aud": "another client"}, {}, False, "failed"),
        ({"nonce": "another sign-in's"}, {}, False, "failed"),
        ({"exp": 1}, {}, False, "failed"),
        ({}, {"sub": "somebody else"}, False, "failed"),
    ],
)
def test_a_sign_in_that_does_not_hold_leads_back_with_its_reason(stack, provider, claims, access, denies, reason):
    provider.claims, provider.access, provider.denies = claims, access, denies
    with stack.client() as browser:
        assert sign_in(browser).headers["location"] == f"/?sign_in={reason}"
        assert who(browser) is None


def test_a_sign_in_begun_in_another_browser_is_none(stack, provider):
    """An attacker cannot have a victim's browser finish the attacker's sign-in."""
    with stack.client() as mine, stack.client() as theirs:
        back = httpx.get(mine.get(LOGIN).headers["location"], trust_env=False, verify=False).headers["location"]
        theirs.get(LOGIN)
        assert theirs.get(back).headers["location"] == "/?sign_in=failed"
        assert stack.client().get(back).headers["location"] == "/?sign_in=failed"


def test_a_code_is_good_once(stack, provider):
    with stack.client() as browser:
        attempt = browser.get(LOGIN)
        back = httpx.get(attempt.headers["location"], trust_env=False, verify=False).headers["location"]
        cookie = {"Cookie": f"eligo_sign_in={browser.cookies['eligo_sign_in']}"}
        assert [stack.client().get(back, headers=cookie).headers["location"] for _ in range(2)] == ["/", "/?sign_in=failed"]


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "evil", "/\t/evil.example"])
def test_it_never_leads_to_another_site(stack, provider, elsewhere):
    with stack.client() as browser:
        browser.get(LOGIN, params={"next": elsewhere})
        assert sign_in(browser, str(httpx.URL(LOGIN, params={"next": elsewhere}))).headers["location"] == "/"


def test_behind_a_proxy_the_way_back_is_the_public_one_and_the_cookie_is_bound_to_it(tmp_path, provider):
    settings = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET, "public_url": "https://eligo.example/"}
    with Stack(tmp_path, bundled_trials=False, **settings) as stack:
        stack.start_redis()
        with stack.start_api() as client:
            to_provider = client.get(LOGIN)
            query = {k: v[0] for k, v in parse_qs(urlsplit(to_provider.headers["location"]).query).items()}
            assert query["redirect_uri"] == "https://eligo.example/api/v1/session/callback"
            assert "Secure" in to_provider.headers["set-cookie"]
            back = urlsplit(httpx.get(to_provider.headers["location"], trust_env=False, verify=False).headers["location"])
            attempt = to_provider.headers["set-cookie"].partition(";")[0]
            landed = client.get(f"{back.path}?{back.query}", headers={"Cookie": attempt})
            session = landed.headers.get_list("set-cookie")[0]
            assert session.startswith("__Host-eligo=")
            assert "Secure" in session
            assert client.get("/api/v1/jobs", headers={"Cookie": session.partition(";")[0]}).status_code == 200


def test_a_provider_that_is_away_is_said_to_be_away(tmp_path):
    with Stack(tmp_path, bundled_trials=False, oidc_issuer="http://127.0.0.1:9", oidc_client_id=CLIENT) as stack:
        stack.start_redis()
        with stack.start_api() as client:
            answer = client.get(LOGIN)
            assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
            assert "identity provider" in answer.json()["detail"]
