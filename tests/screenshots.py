"""`make screenshots`: every state of the page as a picture in screenshots/, at 1440 and 390 pixels."""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, EXAMPLE
from tests.service.stack import ROOT, Stack

SIZES = {1440: 900, 390: 844}
TARGET = ROOT / "screenshots"


@contextmanager
def running(folder: Path, worker: bool = True) -> Iterator[Stack]:
    with Stack(folder, processes=1) as service:
        service.start_redis()
        if worker:
            service.start_worker()
        with service.start_api() as client:
            if worker:
                service.ready(client)
        yield service


def main() -> None:
    if not CHROMIUM.exists():
        sys.exit(f"{CHROMIUM} is missing; .ci/run installs it")
    TARGET.mkdir(exist_ok=True)
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as folder:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for part in ("up", "down"):
            (Path(folder) / part).mkdir()
        with running(Path(folder) / "up") as service:
            for width in SIZES:
                _states(browser, service, width, Path(folder))
        with running(Path(folder) / "down", worker=False) as service:
            for width in SIZES:
                page = _page(browser, service, width)
                page.goto("/")
                page.get_by_label("The note").fill(EXAMPLE)
                page.keyboard.press("Control+Enter")
                expect(page.get_by_text("Your note is kept")).to_be_visible(timeout=30_000)
                _shot(page, "no-worker", width)
        browser.close()


def _page(browser: Browser, service: Stack, width: int, scheme: str = "light") -> Page:
    page = browser.new_context(base_url=str(service.client().base_url), viewport={"width": width, "height": SIZES[width]}, color_scheme=scheme).new_page()
    page.set_default_timeout(60_000)
    return page


def _shot(page: Page, state: str, width: int) -> None:
    page.wait_for_timeout(400)  # for smooth scrolling to end
    page.screenshot(path=TARGET / f"{state}-{width}.png")
    print(f"screenshots/{state}-{width}.png")


def _states(browser: Browser, service: Stack, width: int, folder: Path) -> None:
    expect.set_options(timeout=60_000)
    page = _page(browser, service, width)
    page.goto("/")
    _shot(page, "start", width)
    page.get_by_role("button", name="Find trials").click()
    _shot(page, "empty", width)
    page.get_by_label("The note").fill(EXAMPLE)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("66-year-old man")
    address = page.url
    _shot(page, "result", width)
    page.locator(".details").scroll_into_view_if_needed()
    _shot(page, "details", width)
    page.locator(".trial-title").first.click()
    page.locator(".quote").first.click()
    _shot(page, "evidence", width)
    page.goto("about:blank")
    page.goto(address)
    if width < 1100:
        page.get_by_role("button", name="Note", exact=True).click()
    page.locator("mark", has_text="VRd").click()
    _shot(page, "became", width)
    page.goto("about:blank")
    page.goto(address)
    page.get_by_role("button", name="Correct ECOG").click()
    _shot(page, "correct", width)
    page.get_by_role("spinbutton", name="ECOG").fill("4")
    page.get_by_role("button", name="Save and re-rank").click()
    expect(page.locator(".changes")).to_be_visible()
    page.locator(".corrections").scroll_into_view_if_needed()
    _shot(page, "corrected", width)
    page.get_by_role("button", name="Copy summary").click()
    _shot(page, "summary", width)
    page.goto("/#/match/" + "0" * 32)
    _shot(page, "expired", width)
    _lists(page, width, folder)
    dark = _page(browser, service, width, "dark")
    dark.goto(address)
    expect(dark.get_by_role("heading", level=1)).to_have_text("66-year-old man")
    _shot(dark, "dark", width)


def _lists(page: Page, width: int, folder: Path) -> None:
    path = folder / f"list-{width}.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["patient_id", "note"])
        for n in range(24):
            note = EXAMPLE.replace("ECOG 1", f"ECOG {n % 4}").replace("66-year-old", f"{52 + n}-year-old")
            rows.writerow([f"P-{n + 1:02}", note if n % 5 else note.replace("No prior BCMA-directed therapy", "Teclistamab 03/2025")])
        rows.writerow(["P-25", ""])
    page.goto("/#/lists")
    _shot(page, "lists", width)
    page.get_by_label("Choose a list, or drop it here").set_input_files(path)
    page.get_by_role("button", name="Match the list").click()
    expect(page.locator(".progress progress")).to_be_visible()
    _shot(page, "progress", width)
    expect(page.locator(".progress.ended")).to_be_visible()
    _shot(page, "matrix", width)


if __name__ == "__main__":
    main()
