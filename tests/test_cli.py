"""The command line as people call it: what is printed, and the exit status."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from api.terminal import missing_words

ROOT = Path(__file__).parents[1]
NOTE = "Date of visit: 2025-03-01\n61-year-old woman with multiple myeloma. ECOG 1. Hemoglobin 10.1 g/dL."
TRIAL = {"id": "T-1", "title": "A study in multiple myeloma", "conditions": ["multiple myeloma"], "eligibility": "Inclusion Criteria:\n- Age 18 or older\n- Hemoglobin > 8 g/dL\nExclusion Criteria:\n- HIV infection"}


@pytest.fixture
def note(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text(NOTE)
    return path


@pytest.fixture
def trial(tmp_path):
    path = tmp_path / "trial.json"
    path.write_text(json.dumps(TRIAL))
    return path


def answers(printed):
    return [json.loads(line) for line in printed.splitlines()]


def test_extract_prints_one_object_a_note_and_nothing_else(note):
    done = subprocess.run([sys.executable, "-c", "from api.cli import main; main()", "extract", note, "--json"], capture_output=True, text=True, cwd=ROOT)
    status, out, err = done.returncode, done.stdout, done.stderr
    (answer,) = answers(out)
    assert (status, err, answer["note_id"], answer["age_years"], answer["sex"], answer["ecog"]) == (0, "", "note", 61, "female", 1)


def test_match_ranks_the_given_trials(eligo, note, trial):
    status, out, _ = eligo("match", note, "--trials", trial, "--json")
    (answer,) = answers(out)
    (found,) = answer["trials"]
    assert (status, found["trial_id"], found["source"], found["rank"]) == (0, "T-1", "trial.json", 1)
    assert [(c["id"], c["kind"], c["outcome"]) for c in found["criteria"]] == [("I1", "inclusion", "satisfied"), ("I2", "inclusion", "satisfied"), ("E1", "exclusion", "unknown")]


def test_match_takes_several_documents_after_one_option(eligo, note, trial, tmp_path):
    other = tmp_path / "other.json"
    other.write_text(json.dumps({**TRIAL, "id": "T-2"}))
    _, out, _ = eligo("match", note, "--trials", trial, other, "--json")
    assert sorted(t["trial_id"] for t in answers(out)[0]["trials"]) == ["T-1", "T-2"]


def test_without_trials_the_registry_is_matched(eligo, note, trial):
    assert eligo("trials", "add", trial)[0] == 0
    _, out, _ = eligo("match", note, "--json")
    assert {t["trial_id"] for t in answers(out)[0]["trials"]} == {"T-1", "SOOCHOW-CT0591CP", "CT071", "XINQIAO-BCMA", "NCT03473496", "CHANGZHENG-BCMA"}


def test_people_get_a_table_that_fits_their_screen(eligo, note, trial):
    status, out, _ = eligo("match", note, "--trials", trial)
    lines = [line.rstrip() for line in out.splitlines()]
    assert status == 0
    assert max(map(len, lines)) <= 80
    assert lines[:2] == ["note  2025-03-01", "BCMA           unknown: the note does not say"]
    told = lines[lines.index("Trials") :]
    assert told == [
        "Trials",
        "1  possible  0.66  T-1  1 open, 2 met",
        "                   missing: HIV infection",
        "",
        "What to ask next  HIV infection",
        "",
        "1. T-1  possible",
        "A study in multiple myeloma",
        "open  E1  The note does not mention HIV infection",
        "met   I1  Age 61, required ≥ 18",
        "met   I2  Hemoglobin 10.1 g/dL, required > 8 g/dL",
        "Supports and does not replace clinical judgment.",
        "",
    ]


@pytest.mark.parametrize(("fact", "said"), [
    ("condition:ecg_abnormality", "ECG abnormality"),
    ("therapy:bcma", "prior BCMA-directed therapy"),
    ("refractory:daratumumab", "refractory to daratumumab"),
    ("allergy:other", "other allergies"),
    ("aptt", "activated partial thromboplastin time"),
])
def test_what_is_missing_is_said_as_people_say_it(fact, said):
    assert missing_words(fact) == said


def test_the_note_may_come_from_standard_input_or_a_folder(eligo, note):
    assert answers(eligo("extract", "-", "--json", stdin=NOTE.encode())[1])[0]["age_years"] == 61
    assert answers(eligo("extract", note.parent, "--json")[1])[0]["note_id"] == "note"


def test_a_bad_line_is_named_and_the_others_are_done(eligo, tmp_path):
    lines = tmp_path / "notes.jsonl"
    lines.write_text("\n".join([json.dumps({"id": "a", "note": NOTE}), "{broken", json.dumps({"id": "b"}), json.dumps({"id": "c", "note": "  "}), json.dumps({"id": "d", "note": 3}), json.dumps({"id": "e", "note": NOTE})]))
    status, out, err = eligo("extract", lines, "--json")
    assert (status, [a["note_id"] for a in answers(out)]) == (1, ["a", "e"])
    assert [line.split(": ", 1)[0].rsplit(" ", 2)[-2:] for line in err.splitlines()] == [["line", "2"], ["line", "3"], ["line", "4"], ["line", "5"]]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "empty"), (b"\x89PNG\x00\x00", "binary"), (b"a " * 2_500_000, "more than a note holds"), (bytes(range(1, 32)) * 9, "does not read as text")],
)
def test_what_is_no_note_is_named_with_the_remedy(eligo, tmp_path, content, said):
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    status, out, err = eligo("extract", path, "--json")
    assert (status, out) == (1, "")
    assert "bad.txt" in err
    assert said in err


def test_a_note_in_another_encoding_is_read(eligo, tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes("Patientin, 61 years, Diagnose Waldenström. ECOG 1.".encode("cp1252"))
    assert eligo("extract", path, "--json")[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [["extract", "nowhere.txt"], ["match", "-", "--trials", "nowhere"], ["match", "-", "--as-of", "yesterday"], ["judge", "nowhere.jsonl"], ["trials", "show", "NCT0"], ["dance"]],
)
def test_a_wrong_call_exits_with_two(eligo, arguments):
    status, out, err = eligo(*arguments, stdin=NOTE.encode())
    assert (status, out) == (2, "")
    assert err


def test_a_document_without_a_trial_is_named_and_the_others_are_parsed(eligo, trial, tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text("[1]")
    status, out, err = eligo("trials", "parse", trial, bad, "--json")
    assert (status, [a["trial_id"] for a in answers(out)]) == (1, ["T-1"])
    assert "bad.json" in err


def test_a_curator_corrects_the_logic_of_a_trial(eligo, trial, tmp_path):
    eligo("trials", "add", trial)
    logic = tmp_path / "logic.yaml"
    logic.write_text("- {id: I1, logic: {fact: age, op: '>=', value: 65, unit: a}}")
    assert eligo("trials", "correct", "T-1", logic)[0] == 0
    (shown,) = answers(eligo("trials", "show", "T-1", "--json")[1])
    assert shown["criteria"][0]["expression"] == {"fact": "age", "op": ">=", "value": 65.0, "unit": "a"}


def test_a_pair_is_judged(eligo, tmp_path):
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text(json.dumps({"id": "p1", "note": NOTE, "kind": "inclusion", "criterion": "Age 18 or older"}) + "\n" + json.dumps({"id": "p2", "note": NOTE, "kind": "maybe", "criterion": "x"}))
    status, out, err = eligo("judge", pairs, "--json")
    assert (status, [(a["id"], a["outcome"]) for a in answers(out)]) == (1, [("p1", "satisfied")])
    assert "maybe" in err


def test_a_span_is_asserted(eligo, tmp_path):
    spans = tmp_path / "spans.jsonl"
    spans.write_text(json.dumps({"id": "s1", "text": "Denies fever.", "start": 7, "end": 12}) + "\n" + json.dumps({"id": "s2", "text": "x", "start": 5, "end": 9}))
    status, out, err = eligo("assert", spans, "--json")
    assert (status, answers(out)) == (1, [{"id": "s1", "status": "absent"}])
    assert "line 2" in err


def test_who_on_the_list_fits_a_trial(eligo, trial, tmp_path):
    lines = tmp_path / "notes.jsonl"
    lines.write_text("\n".join(json.dumps({"id": name, "note": text}) for name, text in (("anaemic", NOTE.replace("10.1", "7.1")), ("fit", NOTE))))
    (row,) = answers(eligo("match", lines, "--trials", trial, "--by-trial", "--json")[1])
    assert [(p["note_id"], p["verdict"]) for p in row["patients"]] == [("fit", "possible"), ("anaemic", "ineligible")]
