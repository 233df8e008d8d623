"""What people hand in: notes and trials from files, folders, lines and standard input; a bad one is named, the rest is read."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from matcher import EligoError, read_trials
from matcher.domain import Trial

MAX_NOTE_CHARACTERS = 1_000_000  # a 20-page note is some 60,000; more than this is no note
TRIAL_SUFFIXES = {".json", ".jsonl", ".gz", ".xml", ".txt", ".html", ".htm", ".md"}


class InputError(EligoError):
    """An input that cannot be read; the message names it and says what to do."""


@dataclass(frozen=True, slots=True)
class NoteInput:
    """One note, or why there is none (`problem`)."""

    id: str
    text: str = ""
    problem: str | None = None


def note_text(content: bytes, name: str) -> str:
    """The text of a note file. Raises InputError for one that is empty, binary, in no known encoding, or far too long."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", errors="replace")
    elif b"\x00" in content[:8192]:
        raise InputError(f"{name}: a binary file; give the note as text (.txt) or as a .jsonl of id and note")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
    return checked_note(text, name)


def checked_note(text: object, name: str) -> str:
    if not isinstance(text, str):
        raise InputError(f'{name}: "note" must be text, not {type(text).__name__}')
    if not text.strip():
        raise InputError(f"{name}: the note is empty; paste the note's text")
    if len(text) > MAX_NOTE_CHARACTERS:
        raise InputError(f"{name}: {len(text):,} characters are more than a note holds ({MAX_NOTE_CHARACTERS:,}); split the file into notes")
    if sum(not (c.isprintable() or c.isspace()) for c in text[:20000]) > len(text[:20000]) / 10:
        raise InputError(f"{name}: this does not read as text; save the note as UTF-8 text")
    return text


def read_notes(source: str) -> Iterator[NoteInput]:
    """The notes of a text file, `-`, a folder of .txt files, or a .jsonl of {"id", "note"}. Raises InputError if there is nothing there."""
    if source == "-":
        yield _note("note", sys.stdin.buffer.read(), "standard input")
        return
    path = Path(source)
    if path.is_dir():
        files = sorted(path.glob("*.txt"))
        if not files:
            raise InputError(f"{source}: no .txt file in this folder")
        for file in files:
            yield _note(file.stem, file.read_bytes(), str(file))
    elif not path.exists():
        raise InputError(f"{source}: no such file or folder")
    elif path.suffix == ".jsonl":
        yield from _note_lines(path)
    else:
        yield _note(path.stem, path.read_bytes(), source)


def _note(name: str, content: bytes, where: str) -> NoteInput:
    try:
        return NoteInput(name, note_text(content, where))
    except InputError as error:
        return NoteInput(name, problem=str(error))


def json_lines(path: Path, wanted: Iterable[str]) -> Iterator[tuple[str, dict | None, str | None]]:
    """(where, object, problem) of each line of a .jsonl file."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            where = f"{path} line {number}"
            try:
                row = json.loads(line)
            except (json.JSONDecodeError, UnicodeDecodeError) as error:
                yield where, None, f"{where}: not JSON ({error})"
                continue
            missing = [key for key in wanted if not isinstance(row, dict) or key not in row]
            yield (where, None, f"{where}: {', '.join(missing)} missing; a line is {{{', '.join(wanted)}}}") if missing else (where, row, None)


def _note_lines(path: Path) -> Iterator[NoteInput]:
    for where, row, problem in json_lines(path, ("id", "note")):
        if row is None:
            yield NoteInput(where, problem=problem)
            continue
        try:
            yield NoteInput(str(row["id"]), checked_note(row["note"], where))
        except InputError as error:
            yield NoteInput(str(row["id"]), problem=str(error))


def read_trial_files(sources: Iterable[str]) -> tuple[list[Trial], list[str]]:
    """The trials of files and folders, and what could not be read."""
    trials: list[Trial] = []
    problems: list[str] = []
    for source in sources:
        path = Path(source)
        if not path.exists():
            problems.append(f"{source}: no such file or folder")
            continue
        files = sorted(f for f in path.rglob("*") if f.suffix.lower() in TRIAL_SUFFIXES) if path.is_dir() else [path]
        if not files:
            problems.append(f"{source}: no trial document ({', '.join(sorted(TRIAL_SUFFIXES))}) in this folder")
        for file in files:
            try:
                trials += read_trials(file.read_bytes(), file.name)
            except EligoError as error:
                problems.append(str(error))
    return trials, problems
