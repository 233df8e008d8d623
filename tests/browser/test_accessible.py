"""A walk through the states of a service that is well. test_states.py asks the same of the others, where they come about."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import accessible


def test_every_state_is_accessible_and_fits_the_screen(page: Page, example: str, batch: str):
    page.goto("/")
    expect(page.get_by_label("The note", exact=True)).to_be_visible()
    accessible(page)

    page.goto("/#/lists")
    expect(page.get_by_role("button", name="Match the list")).to_be_visible()
    accessible(page)

    page.route("**/api/v1/matches/*?wait=*", lambda route: None, times=1)
    page.goto(example)
    expect(page.get_by_text("Reading the note")).to_be_visible()
    accessible(page)

    page.goto(batch)
    page.get_by_text("1 row failed").click()
    expect(page.get_by_role("button", name="Match again: P-4")).to_be_visible()
    accessible(page)

    page.get_by_label("P-2, XINQIAO-BCMA: Ruled out").click()
    expect(page.locator(".trial.open .criterion.violated").first).to_be_visible()
    expect(page.locator("mark[tabindex='0']")).to_be_attached()  # the last of the page to come
    accessible(page)

    for button in ("Correct BCMA exposure", "Correct Hemoglobin", "Add or correct a fact", "Copy summary"):
        page.get_by_role("button", name=button).first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        accessible(page, "dialog")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)

    page.goto(f"{batch}/3")
    expect(page.get_by_role("heading", name="P-4 was not matched")).to_be_visible()
    accessible(page)

    page.goto("/#/match/" + "0" * 32)
    expect(page.get_by_role("heading", name="Nothing behind this link")).to_be_visible()
    accessible(page)
