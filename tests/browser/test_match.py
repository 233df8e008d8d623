"""A note, its trials, and why: what an oncologist does in two minutes."""

from __future__ import annotations

import io
import re

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from matcher.registry import bundled_trials
from tests.browser.conftest import EXAMPLE, match

TRIALS = len(bundled_trials())


def test_the_example_gives_ranked_trials(page: Page):
    page.goto("/")
    page.get_by_role("button", name="Use the example").click()
    expect(page.get_by_label("The note")).to_have_value(EXAMPLE)
    page.get_by_role("button", name="Find trials").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("66-year-old man")
    expect(page).to_have_url(re.compile(r"#/match/[0-9a-f]{32}$"))
    expect(page.locator(".trial .rank")).to_have_text([str(n + 1) for n in range(TRIALS)])


@pytest.mark.parametrize(
    ("sentence", "badge"),
    [
        ("No prior BCMA-directed therapy.", "BCMA naive"),
        ("Teclistamab from 03/2024 to 09/2024, then progression.", "BCMA exposed: teclistamab (bispecific"),
        ("", "BCMA exposure unknown: the note does not say"),
    ],
)
def test_bcma_exposure_is_the_first_badge(page: Page, sentence, badge):
    match(page, f"Clinic visit 2025-01-10. 64-year-old woman with relapsed multiple myeloma after VRd in 2019. {sentence}")
    expect(page.locator(".badges > li").first).to_contain_text(badge)


def test_a_criterion_leads_to_its_words(result: Page):
    trial = result.locator(".trial", has=result.locator(".n.satisfied", has_text=re.compile(r"[1-9]"))).first
    trial.locator(".trial-title").click()
    outcomes = [next(o for o in ("violated", "unknown", "satisfied") if o in name) for name in trial.locator(".criteria h4").evaluate_all("all => all.map(e => e.className)")]
    assert outcomes == sorted(outcomes, key=("violated", "unknown", "satisfied").index)
    quote = trial.locator(".quote").first
    quote.click()
    lit = result.locator("mark.lit").first
    expect(lit).to_be_in_viewport()
    assert lit.text_content() in EXAMPLE
    assert lit.text_content() in quote.text_content() or quote.text_content().strip("“”… ") in " ".join(result.locator("mark.lit").all_text_contents())


def test_a_word_of_the_note_shows_what_it_became(result: Page):
    result.locator("mark", has_text="VRd").click()
    became = result.locator(".became")
    expect(became).to_contain_text("Line 1: bortezomib, lenalidomide, dexamethasone")
    became.get_by_role("button", name=re.compile("Line 1")).click()
    expect(result.get_by_role("button", name="Bortezomib, lenalidomide, dexamethasone", exact=True)).to_be_focused()


def test_offsets_count_characters_beyond_the_basic_plane(page: Page):
    match(page, "\U0001f9ec\U0001f9ec Visit 2025-01-10. 64-year-old woman with multiple myeloma. ECOG 2.")
    expect(page.locator("mark", has_text=re.compile("^multiple myeloma$"))).to_be_visible()


def test_markup_in_a_note_stays_text(page: Page):
    match(page, "64-year-old man with multiple myeloma. <img src=x onerror=alert(1)><b>ECOG 1</b>")
    expect(page.locator("mark[tabindex='0']")).to_be_attached()  # the note is drawn, and marked
    expect(page.locator(".note-text")).to_contain_text("<img src=x onerror=alert(1)><b>ECOG 1</b>")
    assert page.locator(".note-text img, .note-text b").count() == 0


def test_a_corrected_fact_changes_the_ranking(page: Page):
    match(page)
    before = page.locator(".trial .verdict").all_text_contents()
    page.get_by_role("button", name="Correct ECOG").click()
    page.get_by_role("spinbutton", name="ECOG").fill("4")
    page.get_by_role("button", name="Save and re-rank").click()
    expect(page.locator(".changes")).to_contain_text("ruled out")
    assert page.locator(".trial .verdict").all_text_contents() != before
    entered = page.get_by_role("region", name="Entered by the clinician")
    expect(entered).to_contain_text("ECOG performance status: 4")
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    assert '"value": 4' in download.value.path().read_text().split('"corrections"')[1]
    page.reload()
    expect(page.locator(".stats")).to_contain_text("clinician")
    page.get_by_role("button", name="Take back").click()
    expect(entered).not_to_contain_text("ECOG")
    assert page.locator(".trial .verdict").all_text_contents() == before


def test_any_fact_can_be_added(page: Page):
    match(page)
    page.get_by_role("button", name="Add or correct a fact").click()
    page.get_by_label("Test, condition or treatment").fill("left ventricular ej")
    page.get_by_role("button", name="Left ventricular ejection fraction").click()
    page.get_by_label("Value").fill("55")
    page.get_by_label("Measured on").fill("2025-06-01")
    page.get_by_role("button", name="Save and re-rank").click()
    expect(page.locator(".corrections")).to_contain_text("Left ventricular ejection fraction: 55 % (1 Jun 2025)")


def test_an_impossible_correction_is_refused_with_the_reason(result: Page):
    result.get_by_role("button", name="Add or correct a fact").click()
    result.get_by_label("Test, condition or treatment").fill("hemoglobin")
    result.get_by_role("button", name="Hemoglobin", exact=True).click()
    result.get_by_label("Value").fill("900")
    result.get_by_role("button", name="Save and re-rank").click()
    expect(result.get_by_role("dialog")).to_contain_text("lies between 2 and 25")


def test_filters_and_search_narrow_the_list(result: Page):
    trials = result.locator(".trial")
    expect(trials).to_have_count(TRIALS)
    possible = result.locator(".trial.possible").count()
    assert 0 < possible < TRIALS
    result.get_by_role("button", name=f"{possible} possible").click()
    expect(trials).to_have_count(possible)
    result.get_by_role("button", name=f"{possible} possible").click()
    result.get_by_label("Search the trials").fill("NCT03473496")
    expect(trials).to_have_count(1)
    result.get_by_label("Search the trials").fill("no such trial")
    expect(result.locator(".shown")).to_have_text("No trial fits these filters.")


def test_the_trials_are_sorted_as_asked(result: Page):
    def column(css: str) -> list[str]:
        expect(result.locator(".trial")).to_have_count(TRIALS)
        return result.locator(".trial").locator(css).all_text_contents()

    by_rank = column(".rank")
    assert by_rank == [str(n + 1) for n in range(TRIALS)]
    sort = result.get_by_label("Sort")
    sort.select_option("title")
    titles = column(".trial-title")
    assert titles == sorted(titles, key=str.casefold)
    sort.select_option("met")
    met = [int(words.split()[-1]) for words in column(".n.satisfied")]
    assert met == sorted(met, reverse=True)
    sort.select_option("rank")
    assert column(".rank") == by_rank


def test_time_is_counted_back_from_the_date_given(page: Page):
    page.goto("/")
    page.get_by_label("The note").fill(EXAMPLE)
    page.get_by_label("As of").fill("2025-09-30")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".actions")).to_contain_text("as of 30 Sep 2025")
    page.get_by_role("button", name="Copy summary").click()
    assert "as of 30 Sep 2025" in page.get_by_label("Summary", exact=True).input_value()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_dropped_text_file_is_in_the_box(page: Page, encoding):
    note = "Zustand nach VRd; Größe 180 cm, 64-year-old man."
    page.goto("/")
    drop(page, "letter.txt", "text/plain", note.encode(encoding))
    expect(page.get_by_label("The note", exact=True)).to_have_value(note)


def test_a_dropped_pdf_is_in_the_box(result: Page):
    pdf = result.pdf()
    result.goto("/")
    drop(result, "letter.pdf", "application/pdf", pdf)
    expect(result.get_by_label("The note", exact=True)).to_have_value(re.compile("BCMA naive"))


def test_a_dropped_picture_is_refused_with_what_to_do(page: Page):
    page.goto("/")
    drop(page, "scan.png", "image/png", b"\x89PNG")
    expect(page.get_by_role("alert")).to_contain_text("Drop a .txt or a .pdf file here")


def drop(page: Page, name: str, kind: str, content: bytes) -> None:
    """Drop a file onto the box, as a file manager does."""
    files = page.evaluate_handle(
        """([name, type, bytes]) => {
            const carried = new DataTransfer();
            carried.items.add(new File([new Uint8Array(bytes)], name, { type }));
            return carried;
        }""",
        [name, kind, list(content)],
    )
    page.locator(".drop textarea").dispatch_event("drop", {"dataTransfer": files})


def test_a_pdf_is_read_into_the_box(result: Page, tmp_path):
    path = tmp_path / "note.pdf"
    path.write_bytes(result.pdf())
    result.goto("/")
    result.get_by_label("A note as a file").set_input_files(path)
    expect(result.get_by_label("The note", exact=True)).to_have_value(re.compile("BCMA naive"))


def test_a_file_that_is_no_pdf_says_so(page: Page, tmp_path):
    path = tmp_path / "note.pdf"
    path.write_bytes(b"not a pdf")
    page.goto("/")
    page.get_by_label("A note as a file").set_input_files(path)
    expect(page.get_by_role("alert").get_by_text("not a PDF")).to_be_visible()


def test_print_is_one_page_with_the_caveat(result: Page):
    pages = PdfReader(io.BytesIO(result.pdf(format="A4", prefer_css_page_size=True))).pages
    assert len(pages) == 1
    text = " ".join(pages[0].extract_text().split())
    for words in ("BCMA naive", "66-year-old man", "supports and does not replace clinical judgment", "Eligo 0.1.0", "registry of"):
        assert words in text


def test_a_long_history_still_prints_on_one_page(page: Page):
    drugs = ["Bortezomib", "Daratumumab", "Carfilzomib", "Pomalidomide", "Ixazomib", "Selinexor", "Talquetamab", "Teclistamab", "Elotuzumab", "Melphalan"]
    history = "\n".join(f"Line {n}: {drug}, cyclophosphamide, dexamethasone 01/{2010 + n} - 11/{2010 + n}, PR, then progression." for n, drug in enumerate(drugs, 1))
    match(page, f"Clinic visit 2025-01-10. 64-year-old woman with relapsed multiple myeloma.\n{history}\nECOG 1. Hb 9.8 g/dL, platelets 88, creatinine 1.1 mg/dL.")
    assert len(PdfReader(io.BytesIO(page.pdf(format="A4", prefer_css_page_size=True))).pages) == 1


def test_treatments_in_no_line_are_shown_beside_the_lines(page: Page):
    match(page, "Clinic visit 2025-02-03. 58-year-old woman with metastatic breast cancer. Capecitabine 11/2024-01/2025, then progression. Metformin daily.")
    therapy = page.get_by_role("region", name="Lines of therapy")
    expect(therapy).to_contain_text("Capecitabine")
    expect(therapy).to_contain_text("Nov 2024 – Jan 2025")
    expect(therapy).not_to_contain_text("etformin")  # not for the cancer


def test_the_summary_is_plain_text_for_the_record(result: Page):
    result.context.grant_permissions(["clipboard-read", "clipboard-write"])
    result.get_by_role("button", name="Copy summary").click()
    expect(result.get_by_role("heading", name="Copied for the record")).to_be_visible()
    copied = result.evaluate("navigator.clipboard.readText()")
    assert copied.splitlines()[0] == "TRIAL MATCHING SUMMARY"
    assert "BCMA naive" in copied
    assert "Other conditions" in copied
    assert "supports and does not replace clinical judgment" in copied


def test_deleted_means_gone_for_the_link_too(page: Page):
    match(page)
    address = page.url
    page.get_by_role("button", name="Delete now").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete now").click()
    expect(page.get_by_role("heading", name="Deleted")).to_be_visible()
    page.goto("/")
    page.goto(address)
    expect(page.get_by_role("heading", name="Nothing behind this link")).to_be_visible()


def test_by_keyboard_alone(result: Page):
    result.locator(".trial-title").first.focus()
    result.keyboard.press("Enter")
    expect(result.locator(".trial-title").first).to_have_attribute("aria-expanded", "true")
    result.locator("mark[tabindex='0']").focus()
    result.keyboard.press("ArrowRight")
    result.keyboard.press("Enter")
    expect(result.locator(".became")).to_be_visible()
    result.keyboard.press("Escape")
    expect(result.locator(".became")).to_be_hidden()
