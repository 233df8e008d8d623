"""Every state, light and dark, against the rules of axe-core; nothing is wider than the screen."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import opened
from tests.service.stack import Stack

SIZES = [(360, 740, "dark"), (1440, 900, "light")]
WIDEST = 3840


def start(page: Page, example: str, batch: str) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def result(page: Page, example: str, batch: str) -> None:
    page.goto(example)
    trial = page.locator(".trial-title").first
    trial.click()
    expect(page.locator(".criterion").first).to_be_visible()


def correction(page: Page, example: str, batch: str) -> None:
    page.goto(example)
    page.get_by_role("button", name="Correct BCMA exposure").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def lists(page: Page, example: str, batch: str) -> None:
    page.goto("/#/lists")
    expect(page.get_by_role("button", name="Match the list")).to_be_visible()


def matrix(page: Page, example: str, batch: str) -> None:
    page.goto(batch)
    expect(page.locator("a.cell").first).to_be_visible()
    page.get_by_text("1 row failed").click()
    expect(page.get_by_role("button", name="Match again: P-4")).to_be_visible()


def failed(page: Page, example: str, batch: str) -> None:
    page.goto(f"{batch}/3")
    expect(page.get_by_role("heading", name="P-4 was not matched")).to_be_visible()


def gone(page: Page, example: str, batch: str) -> None:
    page.goto("/#/match/" + "0" * 32)
    expect(page.get_by_role("alert")).to_be_visible()


@pytest.mark.parametrize(("width", "height", "scheme"), SIZES)
def test_every_state_is_accessible_and_fits_the_screen(browser: Browser, service: Stack, example, batch, width, height, scheme):
    found = {}
    for page in opened(browser, service, viewport={"width": width, "height": height}, color_scheme=scheme, bypass_csp=True):
        for state in (start, result, correction, lists, matrix, failed, gone):
            state(page, example, batch)
            violations = Axe().run(page).response["violations"]
            found[state.__name__] = [(v["id"], v["nodes"][0]["target"], v["nodes"][0]["failureSummary"]) for v in violations if v["impact"] in ("serious", "critical")]
            for size in (width, WIDEST):
                page.set_viewport_size({"width": size, "height": height})
                assert page.evaluate("document.documentElement.scrollWidth") <= size, f"{state.__name__} is wider than {size} px"
            page.set_viewport_size({"width": width, "height": height})
    assert found == {state: [] for state in found}
