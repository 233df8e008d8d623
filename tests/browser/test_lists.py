"""A list of patients: uploaded, watched, looked at from both sides, taken along."""

from __future__ import annotations

import re

import openpyxl
from playwright.sync_api import Page, expect

from tests.browser.conftest import patient_list


def upload(page: Page, path) -> None:
    page.goto("/#/lists")
    page.get_by_label("Choose a list, or drop it here").set_input_files(path)
    page.get_by_role("button", name="Match the list").click()
    expect(page.locator(".progress.ended")).to_contain_text("4 of 4 · 1 failed")
    expect(page.locator("#live")).to_have_text("3 patients matched, 1 failed")  # and all of them are drawn


def test_a_list_becomes_a_matrix(page: Page, tmp_path):
    upload(page, patient_list(tmp_path))
    expect(page.locator(".matrix tbody tr")).to_have_count(3)
    page.get_by_text("1 row failed").click()
    failed = page.locator(".failures li")
    expect(failed).to_contain_text("Row 5 (P-4): the note is empty")
    failed.get_by_role("button", name="Match again: P-4").click()
    expect(failed).to_contain_text("no note to read")
    cells = page.locator("a.cell")
    signs = {"eligible": "✓", "possible": "?", "ineligible": "✕"}
    for cell in cells.all():
        verdict = next(v for v in signs if v in cell.get_attribute("class").split())
        assert cell.locator(".sign").text_content() == signs[verdict]  # never by colour alone


def test_a_list_is_followed_over_a_broken_connection(page: Page, tmp_path):
    page.route("**/api/v1/jobs/*/events", lambda route: route.abort(), times=1)
    upload(page, patient_list(tmp_path))
    expect(page.locator(".matrix tbody tr")).to_have_count(3)


def test_either_side_sorts_the_other(page: Page, batch):
    page.goto(batch)
    trial = page.get_by_role("button", name=re.compile("^XINQIAO-BCMA"))
    trial.click()
    column = page.locator("thead th[aria-sort='descending']")
    expect(column).to_contain_text("XINQIAO-BCMA")
    expect(page.locator("tbody th").last).to_have_text("P-2")  # ECOG 4
    page.get_by_role("button", name="P-2").click()
    expect(page.get_by_role("button", name="P-2")).to_have_attribute("aria-pressed", "true")
    cells = page.locator("tbody tr", has_text="P-2").locator("a.cell")
    found = [("✓?✕".index(cell[0]), -int(cell[1:])) for cell in cells.all_text_contents()]
    assert found == sorted(found)
    assert len({verdict for verdict, _ in found}) > 1
    page.get_by_label("Search patients").fill("P-3")
    expect(page.locator(".matrix tbody tr")).to_have_count(1)


def test_a_cell_opens_its_explanation(page: Page, batch):
    page.goto(batch)
    page.get_by_label(re.compile("P-2, XINQIAO-BCMA: Ruled out")).click()
    expect(page.locator(".trial.open")).to_contain_text("XINQIAO-BCMA")
    expect(page.locator(".trial.open .criterion.violated").first).to_contain_text("ECOG")
    expect(page.locator(".note-text")).to_contain_text("ECOG 4")
    page.get_by_role("link", name="List", exact=False).filter(has_text="←").click()
    expect(page.locator(".matrix tbody tr")).to_have_count(3)


def test_a_patient_of_a_list_is_corrected_and_ranked_again(page: Page, tmp_path):
    upload(page, patient_list(tmp_path))
    page.get_by_label(re.compile("P-1, XINQIAO-BCMA: Possible")).click()
    page.get_by_role("button", name="Correct ECOG").click()
    page.get_by_role("spinbutton", name="ECOG").fill("4")
    page.get_by_role("button", name="Save and re-rank").click()
    expect(page.get_by_role("region", name="Entered by the clinician")).to_contain_text("ECOG performance status: 4")
    page.get_by_role("link", name="List", exact=False).filter(has_text="←").click()
    expect(page.get_by_label(re.compile("P-1, XINQIAO-BCMA: Ruled out"))).to_be_visible()
    expect(page.locator("tbody tr", has_text="P-1")).to_contain_text("corrected")


def test_arrow_keys_go_from_cell_to_cell(page: Page, batch):
    page.goto(batch)
    page.locator("a.cell").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(page.locator("tbody tr").nth(1).locator("a.cell").nth(1)).to_be_focused()


def test_the_results_are_exported(page: Page, batch, tmp_path):
    page.goto(batch)
    with page.expect_download() as csv_file:
        page.get_by_role("button", name="CSV").click()
    lines = csv_file.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert {line.split(",")[0] for line in lines[1:]} == {"P-1", "P-2", "P-3", "P-4"}
    with page.expect_download() as xlsx_file:
        page.get_by_role("button", name="XLSX").click()
    xlsx_file.value.save_as(tmp_path / "list.xlsx")
    assert openpyxl.load_workbook(tmp_path / "list.xlsx").active.max_row == len(lines)


def test_a_file_that_is_no_list_says_what_is(page: Page, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("a,b\n1,2\n")
    page.goto("/#/lists")
    page.get_by_label("Choose a list, or drop it here").set_input_files(path)
    page.get_by_role("button", name="Match the list").click()
    expect(page.get_by_role("alert").get_by_text("no column of notes among: a, b")).to_be_visible()
