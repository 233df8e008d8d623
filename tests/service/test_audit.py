"""The log of who read what cannot be changed unseen."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.audit import AuditLog, verify
from matcher import EligoError


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "audit.jsonl"
    for what in ("job1", "job2", "job3"):
        AuditLog(path).add("key:a", "north", "read", what)
    return path


def test_it_says_who_did_what(log):
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(e["who"], e["tenant"], e["did"], e["what"]) for e in entries] == [("key:a", "north", "read", f"job{i}") for i in (1, 2, 3)]
    assert verify(log)[0] == 3


def test_many_writers_make_one_chain(log):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: AuditLog(log).add("k", "t", "read", str(i)), range(100)))
    assert verify(log)[0] == 103


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda lines: [lines[0], lines[1].replace("job2", "job9"), lines[2]], 2),
        (lambda lines: [lines[0], lines[2]], 2),
        (lambda lines: [lines[1], lines[2]], 1),
        (lambda lines: [lines[1], lines[0], lines[2]], 1),
        (lambda lines: [*lines[:2], "{", lines[2]], 3),
    ],
)
def test_a_change_is_found_at_its_line(log, spoil, line):
    log.write_text("\n".join(spoil(log.read_text().splitlines())) + "\n")
    with pytest.raises(EligoError, match=f"line {line}"):
        verify(log)


def test_a_cut_off_end_is_found_by_a_noted_hash(log):
    _, head = verify(log)
    AuditLog(log).add("k", "t", "read", "job4")
    verify(log, head)
    log.write_text("\n".join(log.read_text().splitlines()[:2]) + "\n")
    verify(log)
    with pytest.raises(EligoError, match="cut off"):
        verify(log, head)
