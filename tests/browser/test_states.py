"""What the page says when there is nothing to show."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from api.keys import KeyFile
from tests.browser.conftest import EXAMPLE, accessible, match, opened
from tests.service.provider import CLIENT, SECRET, Provider
from tests.service.stack import ROOT, Stack


@pytest.mark.parametrize("address", ["/#/match/" + "0" * 32, "/#/batch/" + "0" * 32, "/#/batch/" + "0" * 32 + "/1"])
def test_an_expired_link_says_so(page: Page, address):
    page.goto(address)
    expect(page.get_by_role("heading", name="Nothing behind this link")).to_be_visible()


def test_a_mangled_link_says_so(page: Page):
    page.goto("/#/match/what-is-this")
    expect(page.get_by_role("alert")).to_be_visible()


def test_an_empty_box_asks_for_a_note(page: Page):
    page.goto("/")
    page.get_by_role("button", name="Find trials").click()
    expect(page.get_by_text("The box is empty")).to_be_visible()


def test_a_note_that_says_nothing_still_has_a_page(page: Page):
    page.goto("/")
    page.get_by_label("The note").fill("See scanned letter.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".badge.bcma")).to_contain_text("the note does not say")
    expect(page.get_by_text("No treatment of the cancer was read")).to_be_visible()
    expect(page.get_by_text("Is this the whole note?")).to_be_visible()


def test_a_view_that_was_left_draws_nothing_over_the_next(page: Page, example):
    page.route("**/api/v1/version", lambda route: None)  # the last answer that the result waits for never comes
    with page.expect_response("**/api/v1/matches/*/note"), page.expect_response(re.compile(r"/matches/\w+\?wait")):
        page.goto(example)
    expect(page.get_by_text("Reading the note")).to_be_visible()
    with page.expect_response("**/api/v1/jobs?*"):
        page.get_by_role("link", name="Patient lists").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Match a list of patients")


def test_a_note_sent_twice_in_haste_is_one_note(page: Page):
    sent: list[Route] = []
    page.route("**/api/v1/matches", lambda route: sent.append(route))
    page.goto("/")
    page.get_by_label("The note").fill("64-year-old man with multiple myeloma.")
    with page.expect_request("**/api/v1/matches"):
        page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    page.get_by_role("link", name="Patient lists").click()  # and who has gone on is not called back
    expect(page.get_by_role("heading", level=1)).to_have_text("Match a list of patients")
    with page.expect_response("**/api/v1/matches"):
        sent[0].continue_()
    page.get_by_role("link", name="New note").click()
    expect(page.get_by_label("The note")).to_have_value("")
    assert len(sent) == 1


def test_corrections_made_in_haste_are_both_kept(page: Page):
    match(page)
    held: list[Route] = []
    page.route("**/corrections", lambda route: held.append(route), times=1)
    with page.expect_request("**/corrections"):
        correct_number(page, "ECOG", "4")
    correct_number(page, "Prior lines", "5")
    held[0].continue_()
    entered = page.get_by_role("region", name="Entered by the clinician")
    expect(entered).to_contain_text("Prior lines of therapy: 5")
    expect(entered).to_contain_text("ECOG performance status: 4")


def correct_number(page: Page, label: str, value: str) -> None:
    """By keyboard: a page that is busy takes no click."""
    page.get_by_role("button", name=f"Correct {label}").press("Enter")
    page.get_by_role("spinbutton").fill(value)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, str, str]]:
    """A service without a worker that asks for a key, and the keys of two tenants."""
    with Stack(tmp_path_factory.mktemp("keyed"), processes=1, bundled_trials=False) as own:
        keys = KeyFile(own.settings.keys_file)
        ours, theirs = (keys.create(name, name, ("submit", "read")) for name in ("ours", "theirs"))
        own.start_redis()
        own.start_api()
        yield own, ours, theirs


def test_sign_in_and_a_foreign_link(browser: Browser, keyed):
    own, ours, theirs = keyed
    for page in opened(browser, own):
        page.goto("/")
        sign_in(page, "eligo_wrong_key")
        expect(page.get_by_text("This key is not valid here")).to_be_visible()
        accessible(page, "dialog")
        sign_in(page, ours)
        page.get_by_label("The note").fill(EXAMPLE)
        page.keyboard.press("Control+Enter")
        expect(page).to_have_url(re.compile(r"#/match/[0-9a-f]{32}$"))
        address = page.url
        with page.expect_event("load"):
            page.get_by_role("button", name="Sign out").click()
        sign_in(page, theirs)
        page.goto(address)
        expect(page.get_by_role("heading", name="Nothing behind this link")).to_be_visible()
        assert theirs not in page.url


def test_a_service_without_a_worker_says_so_and_goes_on_when_one_comes(browser: Browser, keyed):
    own, ours, _ = keyed
    for page in opened(browser, own):
        page.goto("/")
        sign_in(page, ours)
        expect(page.get_by_text("no worker is alive")).to_be_visible()
        page.get_by_label("The note").fill(EXAMPLE)
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("Your note is kept and waits to be read")).to_be_visible()
        accessible(page)
        own.start_worker()
        expect(page.get_by_role("heading", level=1)).to_have_text("66-year-old man")
        page.context.set_offline(True)
        page.get_by_role("link", name="New note").click()
        page.get_by_label("The note").fill(EXAMPLE)
        page.keyboard.press("Control+Enter")
        expect(page.get_by_role("heading", name="The service does not answer")).to_be_visible()
        assert page.get_by_label("The note").input_value() == EXAMPLE  # nothing typed is lost
    own.stop_workers()


def test_a_refusal_that_comes_late_does_not_ask_again(browser: Browser, keyed):
    own, ours, _ = keyed
    late: list[Route] = []
    for page in opened(browser, own):
        page.route("**/api/v1/version", lambda route: late.append(route), times=1)
        with page.expect_request("**/api/v1/version"):
            page.goto("/")
        sign_in(page, ours)
        expect(page.get_by_role("dialog")).to_have_count(0)
        late[0].fulfill(status=401, json={"title": "Unauthorized", "status": 401})
        expect(page.locator("#version")).to_contain_text("Version")
        expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Provider]]:
    """A service without a worker whose users sign in at an identity provider."""
    folder = tmp_path_factory.mktemp("guarded")
    own_settings = {"processes": 1, "bundled_trials": False, "oidc_audience": "eligo", "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    with Provider() as provider, Stack(folder, oidc_issuer=provider.issuer, **own_settings) as own:
        own.start_redis()
        own.start_api()
        yield own, provider


def test_sign_in_at_the_identity_provider_and_out_again(browser: Browser, guarded):
    own, provider = guarded
    for page in opened(browser, own, also=provider.issuer):
        page.goto("/#/lists")
        expect(page.get_by_role("dialog")).to_be_visible()
        accessible(page, "dialog")
        sign_in_at_provider(page)
        expect(page).to_have_url(re.compile(r"/#/lists$"))  # back where one was, and nothing of the sign-in in the address
        page.get_by_role("link", name="New note").click()
        page.get_by_label("The note").fill(EXAMPLE)
        page.keyboard.press("Control+Enter")
        expect(page).to_have_url(re.compile(r"#/match/[0-9a-f]{32}$"))
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert page.evaluate("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]  # no token within reach of a script
        with page.expect_event("load"):
            page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("link", name="Sign in with your organisation")).to_be_visible()


def test_a_sign_in_that_does_not_hold_says_why(browser: Browser, guarded, monkeypatch: pytest.MonkeyPatch):
    own, provider = guarded
    monkeypatch.setattr(provider, "denies", True)
    for page in opened(browser, own, also=provider.issuer):
        page.goto("/")
        sign_in_at_provider(page)
        expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text("The identity provider did not let you in.")
        expect(page).to_have_url(re.compile(r"/$"))


def test_a_note_in_the_box_outlives_a_session_that_ends(browser: Browser, guarded):
    own, provider = guarded
    for page in opened(browser, own, also=provider.issuer):
        page.goto("/")
        sign_in_at_provider(page)
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        page.get_by_label("The note").fill(EXAMPLE)
        page.context.clear_cookies()
        page.keyboard.press("Control+Enter")
        with page.expect_popup() as tab:
            page.get_by_role("link", name="Sign in with your organisation").click()
        expect(tab.value.get_by_role("button", name="Sign out")).to_be_visible()
        page.get_by_role("button", name="I have signed in").click()
        expect(page).to_have_url(re.compile(r"#/match/[0-9a-f]{32}$"))


def sign_in_at_provider(page: Page) -> None:
    """There and back again, to a page of its own."""
    with page.expect_event("load"):
        page.get_by_role("link", name="Sign in with your organisation").click()


def sign_in(page: Page, key: str) -> None:
    page.get_by_label("Key or token").fill(key)
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()


def test_the_first_paint_needs_one_answer_and_the_other_files_are_kept(service: Stack):
    with service.client() as client:
        page = client.get("/")
        policy = page.headers["content-security-policy"]
        for tag in ("style", "script"):
            (inner,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page.text, re.DOTALL)
            digest = b64encode(sha256(inner.encode()).digest()).decode()
            assert f"{tag}-src 'self' 'sha256-{digest}';" in policy
        assert "unsafe" not in policy
        assert page.headers["cache-control"] == "no-cache"
        assert client.get("/", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
        (module,) = re.findall(r'src="([^"]+main\.js)"', page.text)
        assert "immutable" in client.get(f"/{module}").headers["cache-control"]
        older = client.get("/~older/js/main.js")
        assert (older.text, older.headers["cache-control"]) == (client.get(f"/{module}").text, "no-cache")
        assert client.get("/js/../../app.py").status_code == client.get("/nothing").status_code == 404


def test_the_box_for_the_note_comes_with_the_program_that_takes_it(page: Page):
    held = []
    page.route("**/js/start.js", lambda route: held.append(route), times=1)
    with page.expect_request("**/js/start.js"):
        page.goto("/", wait_until="commit")
    expect(page.get_by_role("heading", level=1)).to_have_text("Which trials fit this patient?")
    expect(page.get_by_role("textbox")).to_have_count(0)
    held.pop().continue_()
    expect(page.get_by_role("textbox", name="The note")).to_be_focused()


def test_a_page_whose_program_does_not_come_says_so(page: Page):
    page.route("**/js/main.js", lambda route: route.abort())
    page.goto("/")
    expect(page.get_by_role("main")).to_contain_text("Reload")


def test_the_page_is_small_and_draws_only_what_is_its_own():
    files = [f for f in (ROOT / "api" / "web").rglob("*") if f.is_file()]
    assert sum(f.stat().st_size for f in files) < 150_000
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text), file
        assert not re.search(r"(?:src|href|url\(|from)\W{1,3}(?:https?:)?//", text), file
        assert file.suffix != ".html" or not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", text), file
