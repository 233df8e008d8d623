"""The page's own speed, in the browser: first paint, drawing a result, scrolling; part of `make bench`."""

from __future__ import annotations

import copy
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, EXAMPLE
from tests.screenshots import running
from tests.service.stack import ROOT, Stack

PAGE = 3000  # characters of a printed page
PAGES, HIGHLIGHTS, TRIALS = 20, 400, 500
RUNS = 5

_SCROLL = """async (selector) => {
  const target = selector ? document.querySelector(selector) : document.scrollingElement;
  const gaps = [];
  let before = performance.now();
  const began = before;
  while (performance.now() - began < 2000) {
    target.scrollTop = (target.scrollHeight - target.clientHeight) * (performance.now() - began) / 2000;
    await new Promise(requestAnimationFrame);
    gaps.push(performance.now() - before);
    before = performance.now();
  }
  return Math.max(...gaps.slice(2));
}"""


def large(result: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A result of 20 pages, 400 highlighted places and 500 trials, made of the example's: the note repeated, each of its facts found in every copy."""
    copies = PAGES * PAGE // len(EXAMPLE) + 1
    note, big = EXAMPLE * copies, copy.deepcopy(result)

    def spread(fact: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**fact, "evidence": [{**e, "start": e["start"] + n * len(EXAMPLE), "end": e["end"] + n * len(EXAMPLE)} for e in fact["evidence"]]} for n in range(copies)]

    patient, places = big["patient"], 0
    for kind in ("conditions", "labs"):
        for fact in result["patient"][kind]:
            if places < HIGHLIGHTS:
                found = spread(fact)[1:]
                patient[kind] += found
                places += sum(len(f["evidence"]) for f in found)
    big["trials"] = [{**copy.deepcopy(t), "trial_id": f"NCT{n:08}", "rank": n + 1} for n in range(TRIALS) for t in [result["trials"][n % len(result["trials"])]]]
    return note, big


def main() -> None:
    if not CHROMIUM.exists():
        print(f"page: not measured, {CHROMIUM} is missing")
        return
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as service, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        for name, value, wanted in _figures(browser, service):
            print(f"{name:<90}{value:>10}   {wanted}")
        browser.close()


def _figures(browser: Browser, service: Stack) -> list[tuple[str, str, str]]:
    with service.client() as client:
        job = client.post("/api/v1/matches", json={"note": EXAMPLE}).json()["id"]
        answer = client.get(f"/api/v1/matches/{job}", params={"wait": 30}).json()
    weight = sum(f.stat().st_size for f in (ROOT / "api" / "web").rglob("*") if f.is_file())
    paints, draws = [], []
    for _ in range(RUNS):
        page = _page(browser, service)
        page.goto("/")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        draws.append(_drawn(page, job))
        page.context.close()
    note, big = large(answer["result"])
    page = _page(browser, service)
    page.route(f"**/api/v1/matches/{job}?*", lambda route: _fulfil(route, json.dumps({**answer, "result": big}), "application/json"))
    page.route(f"**/api/v1/matches/{job}/note", lambda route: _fulfil(route, note, "text/plain; charset=utf-8"))
    page.goto("/")
    whole = _drawn(page, job)
    expect(page.locator(".trial")).to_have_count(TRIALS, timeout=60_000)
    marks, trials_stall, note_stall = page.locator("mark").count(), page.evaluate(_SCROLL, None), page.evaluate(_SCROLL, ".note-text")
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    size = f"{len(note) // PAGE} pages, {marks} highlights, {TRIALS} trials"
    return [
        ("page: load of the machine meanwhile, a core (above 1 it is not the page that is measured)", f"{busy:.1f}", ""),
        ("page: weight of its files", f"{weight / 1000:.0f} KB", "< 150 KB"),
        (f"page: first contentful paint, median of {RUNS}", _ms(sorted(paints)[RUNS // 2]), "< 200 ms"),
        (f"page: result drawn, median of {RUNS}", _ms(sorted(draws)[RUNS // 2]), "< 100 ms"),
        (f"page: result drawn, {size}", _ms(whole), ""),
        (f"page: longest frame scrolling the trials, {size}", _ms(trials_stall), "< 50 ms"),
        (f"page: longest frame scrolling the note, {size}", _ms(note_stall), "< 50 ms"),
    ]


def _page(browser: Browser, service: Stack) -> Page:
    page = browser.new_context(base_url=str(service.client().base_url), viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(60_000)
    return page


def _drawn(page: Page, job: str) -> float:
    """Milliseconds from the arrived result to the frame that shows it."""
    page.goto(f"/#/match/{job}")
    expect(page.locator(".banner h1")).to_be_visible(timeout=60_000)
    page.wait_for_timeout(500)
    return page.evaluate("performance.getEntriesByName('draw').at(-1).duration")


def _fulfil(route: Route, body: str, kind: str) -> None:
    route.fulfill(status=200, body=body, content_type=kind)


def _ms(value: float) -> str:
    return f"{value:.0f} ms"


if __name__ == "__main__":
    sys.exit(main())
