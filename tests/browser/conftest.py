from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.service.stack import ROOT, Stack, wait_for

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-features=PreloadTopChromeWebUI"]  # no pages of its own beside ours
PATIENCE = 120_000  # milliseconds; a slow machine is no failure
expect.set_options(timeout=PATIENCE)
SCREENS = [(360, 740, "dark"), (1440, 900, "light")]
WIDEST = 3840
EXAMPLE = (ROOT / "api" / "example_note.txt").read_text(encoding="utf-8")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing; .ci/run installs it")
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Redis, a worker and the API with the bundled trials."""
    with Stack(tmp_path_factory.mktemp("page"), processes=1) as running:
        running.start_redis()
        running.start_worker()
        with running.start_api() as client:
            running.ready(client)
        yield running


@pytest.fixture
def page(browser: Browser, service: Stack) -> Iterator[Page]:
    yield from opened(browser, service)


def opened(browser: Browser, service: Stack, also: str = "", **options) -> Iterator[Page]:
    """A page of its own, which asks nobody but the service (and the origin `also`) and reports no error of its own."""
    base = str(service.client().base_url)
    context = browser.new_context(base_url=base, **options)
    context.set_default_timeout(PATIENCE)
    found = context.new_page()
    asked: list[str] = []
    errors: list[str] = []
    found.on("request", lambda request: asked.append(request.url))
    found.on("pageerror", lambda error: errors.append(str(error)))
    found.on("console", lambda message: errors.append(message.text) if "Content Security Policy" in message.text else None)
    yield found
    context.close()
    assert [url for url in asked if not url.startswith((base, "data:", f"blob:{base}", also or base))] == []
    assert errors == []


@pytest.fixture(scope="session")
def example(service: Stack) -> str:
    """The address of the example's result."""
    with service.client() as client:
        return f"/#/match/{client.post('/api/v1/matches', json={'note': EXAMPLE}).json()['id']}"


@pytest.fixture(scope="session")
def batch(service: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a list that is matched; for tests that leave it as it is."""
    with service.client() as client, patient_list(tmp_path_factory.mktemp("list")).open("rb") as file:
        path = client.post("/api/v1/batches", files={"file": file}).headers["Location"]
        wait_for(lambda: client.get(path).json()["state"] == "done", "the list")
    return f"/#/batch/{path.rsplit('/', 1)[1]}"


@pytest.fixture
def result(page: Page, example: str) -> Page:
    """The example's result; for tests that leave it as it is."""
    page.goto(example)
    expect(page.get_by_role("heading", level=1)).to_have_text("66-year-old man")
    return page


def match(page: Page, note: str = EXAMPLE) -> None:
    """Paste a note and wait for its trials."""
    page.goto("/")
    page.get_by_label("The note").fill(note)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("year-old")


def patient_list(folder: Path) -> Path:
    """Three patients and a row without a note."""
    path = folder / "list.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["patient_id", "note"])
        for patient, ecog in (("P-1", 1), ("P-2", 4), ("P-3", 0)):
            rows.writerow([patient, EXAMPLE.replace("ECOG 1", f"ECOG {ecog}")])
        rows.writerow(["P-4", ""])
    return path


_SERIOUS = """async (part) => (await axe.run(part, {resultTypes: ['violations']})).violations
  .filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => [v.id, v.nodes[0].target, v.nodes[0].failureSummary])"""


def accessible(page: Page, part: str = "html") -> None:
    """What is shown, by the rules of axe-core, on a small screen in the dark and on a larger one in the light; and it fits every screen."""
    before = page.viewport_size
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    for width, height, scheme in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(_SERIOUS, part) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": WIDEST, "height": 2160})
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDEST
    page.set_viewport_size(before)
