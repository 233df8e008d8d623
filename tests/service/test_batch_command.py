"""`eligo batch`: a list in, a file out, without a server; interrupted anywhere, it goes on."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys

import openpyxl
import pytest

import matcher
from matcher.answers import match_answer
from tests.service import poisoned
from tests.service.stack import ROOT, SMALL_TRIAL, wait_for
from workers.local import answer_all
from workers.patients import Patient

LIST = "mrn,date,note\np1,2024-02-01,62-year-old man. ECOG 1.\np2,2024-02-01,\np3,2024-02-01,62-year-old man. ECOG 3.\n"


@pytest.fixture
def here(tmp_path):
    (tmp_path / "list.csv").write_text(LIST)
    (tmp_path / "small.txt").write_text(SMALL_TRIAL)
    return tmp_path


def test_a_list_becomes_a_file_and_a_bad_row_is_named(here, eligo):
    status, out, err = eligo("batch", "list.csv", "--trials", "small.txt", "--out", "out.jsonl")
    assert (status, out) == (1, "")
    assert "row 3 (p2): the note is empty" in err
    answers = [json.loads(line) for line in (here / "out.jsonl").read_text().splitlines()]
    assert [(a["note_id"], a["rows"], "error" in a) for a in answers] == [("p1", [2], False), ("p2", [3], True), ("p3", [4], False)]
    assert [a["trials"][0]["verdict"] for a in answers if "trials" in a][1] == "ineligible"
    assert not list(here.glob("out.jsonl.*"))


def test_tables(here, eligo):
    for name in ("out.csv", "out.xlsx"):
        assert eligo("batch", "list.csv", "--trials", "small.txt", "--out", name)[0] == 1
    with open(here / "out.csv", encoding="utf-8-sig") as file:
        assert [(row["patient"], row["state"]) for row in csv.DictReader(file)] == [("p1", "done"), ("p2", "failed"), ("p3", "done")]
    assert openpyxl.load_workbook(here / "out.xlsx").active.max_row == 4


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["nothing.csv", "--out", "o.csv"], "nothing.csv"),
        (["list.csv", "--out", "o.pdf"], ".jsonl .csv .xlsx"),
        (["list.csv", "--out", "o.csv", "--as-of", "soon"], "YYYY-MM-DD"),
        (["list.csv", "--out", "o.csv", "--note-column", "x"], "'x'"),
        (["small.txt", "--out", "o.csv"], ".csv .tsv .xlsx .jsonl .zip"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(here, eligo, args, says):
    status, _, err = eligo("batch", *args)
    assert status == 2
    assert says in err


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_list_goes_on_where_it_was(here, eligo, blow):
    count, last = 40, 20  # the first run gets no further than a note that does not end
    (here / "list.jsonl").write_text("\n".join(json.dumps({"id": f"p{i}", "note": f"{'[stuck]' if i == last else ''} {40 + i}-year-old man. ECOG 1."}) for i in range(count)))
    args = ["batch", "list.jsonl", "--trials", "small.txt", "--out", "out.jsonl"]
    journal = here / "out.jsonl.part"
    environment = {**os.environ, "ELIGO_DATA_DIR": str(here / "data"), "ELIGO_PROCESSES": "2", "ELIGO_NOTE_SOFT_LIMIT": "600", "ELIGO_NOTE_HARD_LIMIT": "600", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.service.slow_command", *args]
    hears = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731 - a shell starts what runs in the background deaf to it
    with subprocess.Popen(command, cwd=here, env=environment, stderr=subprocess.PIPE, preexec_fn=hears) as first:
        wait_for(lambda: journal.exists() and journal.read_bytes().count(b"\n") > 10)
        first.send_signal(blow)
        first.wait()
    assert first.returncode == (130 if blow == signal.SIGINT else -signal.SIGKILL)
    before = journal.read_bytes()
    journal.write_bytes(before + b'{"torn')  # as a machine that loses power leaves it
    assert 10 < before.count(b"\n") <= 1 + last
    (here / "small.txt").write_text(SMALL_TRIAL.replace("0-1", "0-2"))  # answers of the one and the other are not mixed
    assert eligo(*args)[0] == 2
    (here / "small.txt").write_text(SMALL_TRIAL)
    status, _, err = eligo(*args)
    assert status == 0, err
    whole = (here / "out.jsonl").read_bytes()
    assert whole.startswith(before.split(b"\n", 1)[1].rpartition(b"\n")[0])
    assert [json.loads(line)["note_id"] for line in whole.splitlines()] == [f"p{i}" for i in range(count)]


def test_a_journal_of_another_list_is_not_taken_up(here, eligo):
    (here / "out.csv.part").write_text('{"of": "another"}\n')
    status, _, err = eligo("batch", "list.csv", "--trials", "small.txt", "--out", "out.csv")
    assert status == 2
    assert "another list" in err


@pytest.mark.parametrize("processes", [1, 3])
def test_a_poisonous_note_falls_alone(processes, monkeypatch):
    monkeypatch.setattr(matcher, "read_note", poisoned.read_note)
    texts = ["fine", "[kill]", "fine", "[loop]", "[deaf]", "[raise]", *["fine"] * 5]
    patients = [Patient(str(i), (i,), text) for i, text in enumerate(texts)]
    answers = list(answer_all(patients, (), {}, processes, soft_limit=0.3, hard_limit=1))
    assert [a["note_id"] for a in answers] == [str(i) for i in range(len(texts))]
    assert [a.get("error") for a in answers] == [
        None, "the process reading it ended", None, "reading took longer than 0.3 s", "reading took longer than 1 s", "the reader failed on this note (ValueError)", *[None] * 5,
    ]  # fmt: skip


def test_answers_are_those_of_the_library():
    (answer,) = answer_all([Patient("p", (1,), "62-year-old man. ECOG 1.")], (), {}, 1, 5, 10)
    assert answer == {**match_answer(matcher.match(matcher.read_note("62-year-old man. ECOG 1.", "p"), ())), "rows": [1]}
