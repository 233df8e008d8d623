"""The reference data beside the project and its scorers: answers written, scored, and read back as figures."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from matcher import TrialIndex, match, read_note, read_trials
from matcher.answers import extract_answer, match_answer, trial_answer
from matcher.domain import Trial

SHARED = Path(__file__).parents[2] / "shared"
DEV, SEEDS, EVAL, TRIALS = SHARED / "dev", SHARED / "seeds", SHARED / "eval", SHARED / "trials"

needs_reference = pytest.mark.skipif(not SHARED.is_dir(), reason="the reference data (../shared) is not beside this checkout")


def notes(folder: Path = DEV) -> list[tuple[str, str]]:
    """(id, note) of a folder of annotated notes."""
    read = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json")))
    return [(n["id"], n["note"]) for n in read]


def seed_trials() -> list[Trial]:
    return [trial for path in sorted(SEEDS.iterdir()) for trial in read_trials(path.read_bytes(), path.name)]


def scored(scorer: str, *arguments: str, answers: Iterable[dict[str, Any]]) -> str:
    """What a scorer prints of these answers; `ANSWERS` among the arguments stands for their file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.jsonl"
        with path.open("w", encoding="utf-8") as lines:
            for answer in answers:
                lines.write(json.dumps(answer, ensure_ascii=False) + "\n")
        command = [sys.executable, str(EVAL / scorer), *(str(path) if a == "ANSWERS" else a for a in arguments)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


reading = cache(read_note)  # for the facts and for the criteria


def extraction(folder: Path = DEV, *more: str, read: Callable[[str, str], Any] = reading) -> str:
    return scored("score.py", "extract", str(folder), "ANSWERS", *more, answers=(extract_answer(read(text, name)) for name, text in notes(folder)))


def criteria(folder: Path = DEV, *more: str) -> str:
    trials = seed_trials()
    return scored("score.py", "match", str(folder), "ANSWERS", str(EVAL / "criteria_items.json"), *more, answers=(match_answer(match(reading(text, name), trials)) for name, text in notes(folder)))


def pairs() -> str:
    return scored("benchmarks.py", "pairs", str(EVAL / "criterion_pairs.jsonl"), "ANSWERS", answers=_cli_lines("judge", str(EVAL / "criterion_pairs.jsonl"), "--unmentioned", "absent", "--json"))


def spans() -> str:
    return scored("benchmarks.py", "spans", str(EVAL / "negation_spans.jsonl"), "ANSWERS", answers=_cli_lines("assert", str(EVAL / "negation_spans.jsonl"), "--json"))


def numeric() -> str:
    gold = EVAL / "numeric_criteria.json"
    records = subprocess.run([sys.executable, str(EVAL / "benchmarks.py"), "trials", str(gold)], check=True, capture_output=True).stdout
    return scored("benchmarks.py", "numeric", str(gold), "ANSWERS", answers=(trial_answer(t) for t in read_trials(records, gold.name)))


@cache
def _trials(name: str) -> list[Trial]:
    return read_trials((TRIALS / name).read_bytes(), name)


def constraints() -> str:
    answers = (trial_answer(t) for name in ("myeloma.jsonl", "oncology.jsonl") for t in _trials(name))
    return scored("benchmarks.py", "constraints", str(EVAL / "myeloma_constraints.json"), "ANSWERS", answers=answers)


def understanding() -> str:
    """How much of the myeloma trials' criteria became logic; those that only screening settles are counted apart."""
    shares = [trial_answer(t)["understanding"] for t in _trials("myeloma.jsonl")]
    criteria, assessable, whole = (sum(s[name] for s in shares) for name in ("criteria", "assessable", "whole"))
    return f"{len(shares)} trials, {criteria} criteria, {assessable} assessable; whole {whole}, share whole {whole / assessable:.4f}\n"


def ranking() -> str:
    """Trials of all diseases in order for each topic of TREC; minutes."""
    topics, corpus = EVAL / "ranking_topics_2021.jsonl", EVAL / "ranking_corpus.jsonl.gz"
    index = TrialIndex.of(read_trials(corpus.read_bytes(), corpus.name))
    asked = [json.loads(line) for line in topics.read_text(encoding="utf-8").splitlines()]
    answers = (match_answer(match(read_note(topic["note"], topic["id"]), index), 1000) for topic in asked)
    return scored("benchmarks.py", "ranking", str(EVAL / "ranking_qrels_2021.json"), "ANSWERS", answers=answers)


def _cli_lines(*arguments: str) -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-c", "from api.cli import main; main()", *arguments], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def figure(table: str, name: str) -> float:
    """The last number that stands behind a name in a scorer's table."""
    found = re.findall(rf"{re.escape(name)}[:\s]+(-?\d+(?:\.\d+)?)", table)
    if not found:
        raise KeyError(f"no figure {name!r} in:\n{table}")
    return float(found[-1])
