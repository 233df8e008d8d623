"""The page's own speed, in the browser: first paint, drawing a result, scrolling; part of `make bench`."""

from __future__ import annotations

import copy
import gzip
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, EXAMPLE
from tests.screenshots import running
from tests.service.stack import ROOT, Stack

PAGE = 3000  # characters of a printed page
PAGES, HIGHLIGHTS, TRIALS = 20, 400, 500
RUNS, LARGE_RUNS = 7, 3

# The frame that shows the result, since its answer had arrived: parsing it, and whatever the page still waits for, count.
_WATCH_BOX = """(function look() {
  if (document.getElementById('note-input')) requestAnimationFrame(() => setTimeout(() => performance.mark('box')));
  else requestAnimationFrame(look);
})()"""
_BOX = """() => new Promise((found) => new PerformanceObserver((list) => list.getEntriesByName('box').map((mark) => found(mark.startTime))).observe({type: 'mark', buffered: true}))"""
_DRAWN = """async (job) => {
  await new Promise((found) => new PerformanceObserver((list) => list.getEntriesByName('complete').length && found()).observe({type: 'mark', buffered: true}));
  const arrived = performance.getEntriesByType('resource').filter((r) => r.name.includes(`/matches/${job}?`)).at(-1).responseEnd;
  const draw = performance.getEntriesByName('draw').at(-1);
  const all = performance.getEntriesByName('complete').at(-1);
  return [draw.startTime + draw.duration - arrived, all.startTime - arrived];
}"""
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
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name, value, wanted in _figures(browser, service):
            print(f"{name:<90}{value:>10}   {wanted}")
        browser.close()


def _figures(browser: Browser, service: Stack) -> list[tuple[str, str, str]]:
    with service.client() as client:
        job = client.post("/api/v1/matches", json={"note": EXAMPLE}).json()["id"]
        answer = client.get(f"/api/v1/matches/{job}", params={"wait": 30}).json()
    files = [f.read_bytes() for f in (ROOT / "api" / "web").rglob("*") if f.is_file()]
    weight, packed = sum(map(len, files)), sum(len(gzip.compress(content)) for content in files)
    paints, boxes, draws = [], [], []
    for _ in range(RUNS + 1):  # each with a cache and a process of its own
        page = _page(browser, service)
        page.goto("/")
        page.wait_for_load_state("networkidle")
        paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        boxes.append(page.evaluate(_BOX))
        draws.append(_drawn(page, job)[0])
        page.context.close()
    paints, boxes, draws = paints[1:], boxes[1:], draws[1:]  # the first load warms the server
    note, big = large(answer["result"])
    wholes, completes, trial_stalls, note_stalls = [], [], [], []
    body = json.dumps({**answer, "result": big})
    for _ in range(LARGE_RUNS):
        page = _page(browser, service)
        page.route(f"**/api/v1/matches/{job}?*", lambda route: _fulfil(route, body, "application/json"))
        page.route(f"**/api/v1/matches/{job}/note", lambda route: _fulfil(route, note, "text/plain; charset=utf-8"))
        page.goto("/")
        page.wait_for_load_state("networkidle")
        drawn, complete = _drawn(page, job)
        wholes.append(drawn)
        completes.append(complete)
        expect(page.locator(".trial")).to_have_count(TRIALS, timeout=60_000)
        marks = page.locator("mark").count()
        trial_stalls.append(page.evaluate(_SCROLL, None))
        note_stalls.append(page.evaluate(_SCROLL, ".note-text"))
        page.context.close()
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    size = f"{len(note) // PAGE} pages, {marks} highlights, {TRIALS} trials"
    return [
        ("page: load of the machine meanwhile, a core (above 1 it is not the page that is measured)", f"{busy:.1f}", ""),
        ("page: weight of its files", f"{weight / 1000:.0f} KB", "< 150 KB"),
        ("page: the same as they are sent, packed", f"{packed / 1000:.0f} KB", ""),
        (f"page: first contentful paint, median of {RUNS}", _ms(paints), "< 200 ms"),
        (f"page: the box for the note stands, median of {RUNS}", _ms(boxes), ""),
        (f"page: result drawn after it arrived, median of {RUNS}", _ms(draws), "< 100 ms"),
        (f"page: the same, {size}, median of {LARGE_RUNS}", _ms(wholes), "< 100 ms"),
        ("page: the same, until every mark of the note is there, too", _ms(completes), ""),
        (f"page: longest frame scrolling the trials, {size}, median of {LARGE_RUNS}", _ms(trial_stalls), "< 50 ms"),
        (f"page: longest frame scrolling the note, {size}, median of {LARGE_RUNS}", _ms(note_stalls), "< 50 ms"),
    ]


def _page(browser: Browser, service: Stack) -> Page:
    page = browser.new_context(base_url=str(service.client().base_url), viewport={"width": 1440, "height": 900}).new_page()
    page.add_init_script(_WATCH_BOX)
    page.set_default_timeout(60_000)
    return page


def _drawn(page: Page, job: str) -> list[float]:
    """Milliseconds from the arrived answer to the frame that shows the result, and until what is out of sight is there, too. Nothing looks at the page meanwhile."""
    page.goto(f"/#/match/{job}")
    return page.evaluate(_DRAWN, job)


def _fulfil(route: Route, body: str, kind: str) -> None:
    route.fulfill(status=200, body=body, content_type=kind)


def _ms(values: list[float]) -> str:
    return f"{median(values):.0f} ms"


if __name__ == "__main__":
    sys.exit(main())
