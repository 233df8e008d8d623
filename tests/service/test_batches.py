"""A list of patients: uploaded, watched, taken along."""

from __future__ import annotations

import csv
import io
import json
from time import perf_counter

import openpyxl
import pytest

from matcher.registry import bundled_trials
from tests.service.stack import NOTE, wait_for, wait_forgotten

LIST = f'mrn,date,note\np1,2024-02-11,"{NOTE}"\np2,2024-02-11,\np3,2024-01-02,"[slow]{NOTE}"\np3,2023-01-02,"[raise]"\n"=cmd()",2024-02-11,"Healthy volunteer."\n'.encode()


def upload(client, content: bytes = LIST, name: str = "list.csv", **fields) -> str:
    answer = client.post("/api/v1/batches", files={"file": (name, content)}, data=fields)
    assert answer.status_code == 202, answer.text
    return answer.headers["location"]


def finished(client, location: str) -> dict:
    return wait_for(lambda: (a := client.get(location).json())["state"] in ("done", "failed") and a, "the end of the batch")


@pytest.fixture(scope="module")
def batch(stack):
    with stack.client() as client:
        location = upload(client)
        return location, finished(client, location)


def test_counts_are_of_patients_and_bad_rows(batch):
    _, state = batch
    assert {k: state[k] for k in ("state", "total", "done", "failed")} == {"state": "done", "total": 4, "done": 2, "failed": 2}


def test_results_as_json(client, batch):
    answer = client.get(batch[0] + "/results").json()
    assert [(r["note_id"], r["rows"], r["state"]) for r in answer["results"]] == [("p1", [2], "done"), ("p2", [3], "failed"), ("p3", [4, 5], "failed"), ("=cmd()", [6], "done")]
    assert answer["results"][1]["error"] == "the note is empty"
    assert len(answer["results"][0]["result"]["trials"]) == len(bundled_trials())
    assert answer["results"][0]["result"]["as_of"] == "2024-02-11"


def test_summaries_for_the_matrix(client, batch):
    answer = client.get(batch[0] + "/results", params={"detail": "summary", "offset": 0, "limit": 1}).json()
    assert [r["note_id"] for r in answer["results"]] == ["p1"]
    assert answer["results"][0]["trials"][0].keys() == {"trial_id", "rank", "score", "verdict", "counts", "violated", "reason", "missing"}


def test_failures_with_their_reasons(client, batch):
    answer = client.get(batch[0] + "/results", params={"only": "failed"}).json()
    assert [(r["rows"], r["error"]) for r in answer["results"]] == [([3], "the note is empty"), ([4, 5], "the reader failed on this note (ValueError)")]


def test_results_as_csv_hold_no_formula(client, batch):
    answer = client.get(batch[0] + "/results", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    table = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(table) == 2 * len(bundled_trials()) + 2
    assert {row["patient"] for row in table} == {"p1", "p2", "p3", "'=cmd()"}


def test_results_as_a_workbook(client, batch):
    answer = client.get(batch[0] + "/results", params={"format": "xlsx"})
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    rows = list(sheet.iter_rows(values_only=True))
    assert len(rows) == 1 + 2 * len(bundled_trials()) + 2
    assert rows[-1][0] == "=cmd()"
    assert sheet.cell(len(rows), 1).data_type in ("s", "inlineStr")  # text, not a formula


def test_a_patient_of_the_list_is_explained_with_the_note_as_read(client, batch):
    answer = client.get(batch[0] + "/notes/0").json()
    assert answer["note"] == NOTE
    for condition in answer["result"]["patient"]["conditions"]:
        assert all(answer["note"][e["start"] : e["end"]] == e["text"] for e in condition["evidence"])
    assert client.get(batch[0] + "/notes/99").status_code == 404


def test_who_of_the_list_fits_a_trial(client, batch):
    trial = bundled_trials()[0].trial_id
    answer = client.get(f"/api/v1/trials/{trial}/patients", params={"batch": batch[0].rsplit("/", 1)[1]}).json()
    order = ["eligible", "possible", "ineligible"]
    assert sorted(p["note_id"] for p in answer["patients"]) == ["=cmd()", "p1"]
    ranks = [(order.index(p["verdict"]), -p["score"]) for p in answer["patients"]]
    assert ranks == sorted(ranks)


def test_columns_and_trials_can_be_named(client):
    trial = bundled_trials()[0].trial_id
    location = upload(client, b"who,what\nx,Myeloma.\n", patient_column="who", note_column="what", trials=trial, as_of="2024-01-01")
    finished(client, location)
    (only,) = client.get(location + "/results").json()["results"]
    assert (only["note_id"], only["result"]["as_of"], [t["trial_id"] for t in only["result"]["trials"]]) == ("x", "2024-01-01", [trial])


@pytest.mark.parametrize(("name", "content", "reason"), [("l.csv", b"mrn,weight\n1,70\n", "no column of notes"), ("l.xlsx", b"PK", "not a readable"), ("l.csv", b"", "no column")])
def test_a_list_that_cannot_be_read_fails_with_its_reason(client, name, content, reason):
    state = finished(client, upload(client, content, name))
    assert state["state"] == "failed"
    assert reason in state["error"]


def test_the_same_upload_with_the_same_key_is_one_batch(client):
    send = lambda content: client.post("/api/v1/batches", files={"file": ("l.csv", content)}, headers={"Idempotency-Key": "list-1"})  # noqa: E731
    first, again, other = send(LIST), send(LIST), send(LIST + b"x,2024-01-01,y\n")
    assert first.headers["location"] == again.headers["location"]
    assert other.status_code == 422


def test_a_patient_of_the_list_is_ranked_again_with_corrections_the_others_stay(client, stack):
    location = upload(client)
    before = finished(client, location)
    results = client.get(location + "/results").json()["results"]
    corrections = [{"fact": "ecog", "value": 3}, {"fact": "lvef", "value": 55, "unit": "%", "date": "2024-02-01"}]
    answer = client.post(location + "/notes/0/corrections", json={"corrections": corrections})
    assert (answer.status_code, answer.json()["revision"], answer.headers["location"]) == (202, 1, location + "/notes/0")
    corrected = client.get(answer.headers["location"], params={"wait": 20}).json()
    assert (corrected["state"], corrected["revision"], corrected["corrections"], corrected["note"]) == ("done", 1, corrections, NOTE)
    assert corrected["result"]["patient"]["ecog"] == 3
    after = finished(client, location)
    assert {k: after[k] for k in ("state", "total", "done", "failed", "finished")} == {k: before[k] for k in ("state", "total", "done", "failed", "finished")}
    first, *others = client.get(location + "/results").json()["results"]
    assert (first["corrections"], first["result"]) == (corrections, corrected["result"])
    assert others == results[1:]
    (summary,) = client.get(location + "/results", params={"detail": "summary", "limit": 1}).json()["results"]
    assert summary["corrections"] == corrections
    table = list(csv.DictReader(io.StringIO(client.get(location + "/results", params={"format": "csv"}).content.decode("utf-8-sig"))))
    assert {row["corrections"] for row in table if row["patient"] == "p1"} == {"ecog 3; lvef 55 % (2024-02-01)"}
    assert {row["corrections"] for row in table if row["patient"] != "p1"} == {""}
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(location + "/results", params={"format": "xlsx"}).content)).active
    assert sheet.cell(2, sheet.max_column).value == "ecog 3; lvef 55 % (2024-02-01)"
    client.post(location + "/notes/0/corrections", json={"corrections": []})
    taken_back = client.get(location + "/notes/0", params={"wait": 20}).json()
    assert (taken_back["revision"], taken_back["corrections"], taken_back["result"]) == (2, [], results[0]["result"])
    client.delete(location)
    wait_forgotten(stack.store().redis, location.rsplit("/", 1)[1])


def test_corrections_in_quick_succession_end_with_the_last(client):
    location = upload(client)
    finished(client, location)
    revisions = [client.post(location + "/notes/0/corrections", json={"corrections": [{"fact": "ecog", "value": value}]}).json()["revision"] for value in (0, 1, 2, 3)]
    assert revisions == [1, 2, 3, 4]
    answer = wait_for(lambda: (a := client.get(location + "/notes/0", params={"wait": 20}).json())["revision"] == 4 and a)
    assert (answer["state"], answer["result"]["patient"]["ecog"]) == ("done", 3)
    assert {k: finished(client, location)[k] for k in ("done", "failed")} == {"done": 2, "failed": 2}


def test_a_patient_whose_note_failed_is_tried_again(client):
    location = upload(client)
    finished(client, location)
    assert client.post(location + "/notes/2/corrections", json={"corrections": []}).status_code == 202
    answer = client.get(location + "/notes/2", params={"wait": 20}).json()
    assert (answer["state"], answer["error"]) == ("failed", "the reader failed on this note (ValueError)")
    assert {k: finished(client, location)[k] for k in ("done", "failed")} == {"done": 2, "failed": 2}


@pytest.mark.parametrize(("note", "corrections", "status"), [(1, [], 409), (99, [], 409), (0, [{"fact": "ecog", "value": "good"}], 422), (-1, [], 422)])
def test_what_cannot_be_corrected_is_refused(client, batch, note, corrections, status):
    assert client.post(f"{batch[0]}/notes/{note}/corrections", json={"corrections": corrections}).status_code == status


def test_a_deleted_list_is_gone_from_every_key(client, stack):
    location = upload(client)
    finished(client, location)
    assert client.delete(location).status_code == 204
    assert client.get(location + "/results").status_code == 404
    wait_forgotten(stack.store().redis, location.rsplit("/", 1)[1])


def test_a_pasted_note_does_not_wait_behind_a_list_and_a_list_in_work_can_be_deleted(fresh):
    fresh.start_worker("tests.service.poisoned", processes=1)
    client = fresh.client()
    fresh.ready(client)

    def pasted() -> str:
        location = client.post("/api/v1/matches", json={"note": NOTE}).headers["location"]
        return client.get(location, params={"wait": 30}).json()["state"]

    location = upload(client, "\n".join(json.dumps({"id": f"p{i}", "note": "[slow]" + NOTE}) for i in range(2000)).encode(), "l.jsonl")
    wait_for(lambda: client.get(location).json()["done"] > 5, "the first notes of the list")
    assert pasted() == "done"
    assert client.get(location).json()["state"] == "running"
    client.delete(location)
    assert pasted() == "done"  # by the one process, which has let go of the list
    wait_forgotten(fresh.store().redis, location.rsplit("/", 1)[1])


def test_ten_thousand_rows_are_accepted_within_a_second_of_their_last_byte(client, stack):
    rows = b"mrn,note\n" + b"".join(b'%d,"%s"\n' % (i, NOTE.encode() * 8) for i in range(10_000))
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="l.csv"\r\n\r\n'
    sent = 0.0

    def body():
        nonlocal sent
        yield head
        for start in range(0, len(rows), 1 << 16):
            yield rows[start : start + (1 << 16)]
        sent = perf_counter()
        yield b"\r\n--b--\r\n"

    answer = client.post("/api/v1/batches", content=body(), headers={"Content-Type": "multipart/form-data; boundary=b"})
    took = perf_counter() - sent
    assert answer.status_code == 202
    assert took < 1
    client.delete(answer.headers["location"])


def test_events_of_a_batch_end_with_its_counts(client):
    job = upload(client).rsplit("/", 1)[1]
    with client.stream("GET", f"/api/v1/jobs/{job}/events") as stream:
        last = [line for line in stream.iter_lines() if line.startswith("data: ")][-1]
    data = json.loads(last.removeprefix("data: "))
    assert {k: data[k] for k in ("state", "total", "done", "failed")} == {"state": "done", "total": 4, "done": 2, "failed": 2}
