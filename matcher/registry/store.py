"""The registry: trials by id in one SQLite file, compiled once, with a curator's corrections that survive re-import."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from matcher.answers import trial_answer, trial_from_answer
from matcher.domain import EligoError, Trial
from matcher.expressions import ExpressionError, from_tree, to_tree
from matcher.trials import read_trials

BUNDLED = Path(__file__).parents[2] / "models" / "resources" / "trials.jsonl"

_SCHEMA = """
create table if not exists trials (
    id text primary key, source text not null, compiled text not null, corrections text not null default '', etag text not null
) strict;
"""


class RegistryError(EligoError):
    """A trial that is not there, or a correction that does not fit; the message says what to do."""


@lru_cache(maxsize=1)
def bundled_trials() -> tuple[Trial, ...]:
    """The trials that come with the program, restated as facts."""
    return tuple(read_trials(BUNDLED.read_bytes(), BUNDLED.name))


class Registry:
    """The user's trials in a folder. Safe to open from several processes; every write is one transaction."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "trials.sqlite"
        with self._open() as db:
            db.executescript(_SCHEMA)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self._path, timeout=10)
        try:
            with db:
                yield db
        finally:
            db.close()

    def put(self, trial: Trial) -> str:
        """Stores a trial, keeping a curator's corrections made to an earlier reading of it. Returns its etag."""
        compiled = json.dumps(trial_answer(trial), ensure_ascii=False, sort_keys=True)
        with self._open() as db:
            corrections = (db.execute("select corrections from trials where id = ?", (trial.trial_id,)).fetchone() or ("",))[0]
            etag = hashlib.sha256((compiled + corrections).encode()).hexdigest()[:16]
            db.execute("insert or replace into trials values (?, ?, ?, ?, ?)", (trial.trial_id, trial.source, compiled, corrections, etag))
        return etag

    def get(self, trial_id: str) -> Trial:
        with self._open() as db:
            row = db.execute("select compiled, corrections from trials where id = ?", (trial_id,)).fetchone()
        if row is None:
            raise RegistryError(f"{trial_id}: no such trial in the registry; `eligo trials list` shows what is there")
        return _corrected(trial_from_answer(json.loads(row[0])), row[1])

    def delete(self, trial_id: str) -> None:
        with self._open() as db:
            if not db.execute("delete from trials where id = ?", (trial_id,)).rowcount:
                raise RegistryError(f"{trial_id}: no such trial in the registry; `eligo trials list` shows what is there")

    def etags(self) -> dict[str, str]:
        """The ids in order, each with the etag that changes when the trial or its corrections do."""
        with self._open() as db:
            return dict(db.execute("select id, etag from trials order by id").fetchall())

    def trials(self) -> tuple[Trial, ...]:
        """All trials in the order of their ids."""
        with self._open() as db:
            rows = db.execute("select compiled, corrections from trials order by id").fetchall()
        return tuple(_corrected(trial_from_answer(json.loads(compiled)), corrections) for compiled, corrections in rows)

    def correct(self, trial_id: str, corrections: str) -> Trial:
        """Sets a curator's corrections (YAML, see `logic_file`) of a trial; "" takes them back. Raises where one does not fit."""
        trial = _corrected(replace(self.get(trial_id)), corrections)
        with self._open() as db:
            compiled = db.execute("select compiled from trials where id = ?", (trial_id,)).fetchone()[0]
            etag = hashlib.sha256((compiled + corrections).encode()).hexdigest()[:16]
            db.execute("update trials set corrections = ?, etag = ? where id = ?", (corrections, etag, trial_id))
        return trial


def logic_file(trial: Trial) -> str:
    """The trial's logic as a YAML file to correct: a list of {id, text, assessable, logic}. What is taken out stays as parsed."""
    rows: list[dict[str, Any]] = [{"id": c.id, "text": " ".join(c.text.split()), "assessable": c.assessable, "logic": to_tree(c.expression)} for c in trial.criteria]
    return yaml.safe_dump(rows, allow_unicode=True, sort_keys=False, width=120)


def _corrected(trial: Trial, corrections: str) -> Trial:
    """The trial with its curator's logic in place of the parse. A correction whose text no longer fits is set aside, with a notice."""
    if not corrections.strip():
        return trial
    try:
        rows = yaml.safe_load(corrections)
    except yaml.YAMLError as error:
        raise RegistryError(f"{trial.trial_id}: the corrections are no YAML ({error}); start from `eligo trials logic {trial.trial_id}`") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "id" in row and "logic" in row for row in rows):
        raise RegistryError(f"{trial.trial_id}: corrections are a list of {{id, text, logic}}; start from `eligo trials logic {trial.trial_id}`")
    by_id = {str(row["id"]): row for row in rows}
    if unknown := by_id.keys() - {c.id for c in trial.criteria}:
        raise RegistryError(f"{trial.trial_id}: no criterion {', '.join(sorted(unknown))}; it has {', '.join(c.id for c in trial.criteria)}")
    criteria, notices = [], list(trial.notices)
    for c in trial.criteria:
        row = by_id.get(c.id)
        if row is None:
            criteria.append(c)
        elif "text" in row and " ".join(str(row["text"]).split()) != " ".join(c.text.split()):
            criteria.append(c)
            notices.append(f"{c.id} was corrected for another wording; the correction is set aside until it is checked.")
        else:
            try:
                criteria.append(replace(c, expression=from_tree(row["logic"], c.id), assessable=bool(row.get("assessable", c.assessable))))
            except ExpressionError as error:
                raise RegistryError(f"{trial.trial_id} {error}") from None
    return replace(trial, criteria=tuple(criteria), notices=tuple(notices))
