"""Every state, light and dark, against the rules of axe-core; nothing is wider than the screen."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import opened, patient_list
from tests.browser.test_lists import upload
from tests.service.stack import Stack

SIZES = [(360, 740, "dark"), (1440, 900, "light"), (3840, 2160, "light")]


def start(page: Page, example: str, folder) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def result(page: Page, example: str, folder) -> None:
    page.goto(example)
    trial = page.locator(".trial-title").first
    trial.click()
    expect(page.locator(".criterion").first).to_be_visible()


def correction(page: Page, example: str, folder) -> None:
    page.goto(example)
    page.get_by_role("button", name="Correct BCMA exposure").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def lists(page: Page, example: str, folder) -> None:
    upload(page, patient_list(folder))
    expect(page.locator("a.cell").first).to_be_visible()


def gone(page: Page, example: str, folder) -> None:
    page.goto("/#/match/" + "0" * 32)
    expect(page.get_by_role("alert")).to_be_visible()


@pytest.mark.parametrize(("width", "height", "scheme"), SIZES)
def test_every_state_is_accessible_and_fits_the_screen(browser: Browser, service: Stack, example, tmp_path, width, height, scheme):
    found = {}
    for page in opened(browser, service, viewport={"width": width, "height": height}, color_scheme=scheme, bypass_csp=True):
        for state in (start, result, correction, lists, gone):
            state(page, example, tmp_path)
            violations = Axe().run(page).response["violations"]
            found[state.__name__] = [(v["id"], v["nodes"][0]["target"], v["nodes"][0]["failureSummary"]) for v in violations if v["impact"] in ("serious", "critical")]
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{state.__name__} is wider than {width} px"
    assert found == {state: [] for state in found}
