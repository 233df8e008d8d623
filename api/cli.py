"""The command line: `eligo`. Exit status 0 done, 1 some inputs failed (named on standard error), 2 the call was wrong."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from api import terminal
from api.cli_service import AsOf, More, Policy, Trials, Unmentioned, service_app, trials_to_match
from api.inputs import InputError, NoteInput, json_lines, read_notes, read_trial_files
from matcher import EligoError, TrialIndex, compile_criterion, judge_criterion, match
from matcher.answers import extract_answer, match_answer, trial_answer
from matcher.domain import Criterion, Kind, Trial
from matcher.registry import Registry, bundled_trials
from matcher.registry.store import logic_file
from workers.reading import read_note
from workers.settings import load_settings

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Reads patient notes and ranks clinical trials, each outcome with its reason and its words.")
trials_app = typer.Typer(no_args_is_help=True, help="Trial documents and the registry.")
app.add_typer(trials_app, name="trials")
app.add_typer(service_app)


Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, and nothing else.")]


def _say(problem: str) -> None:
    print(problem, file=sys.stderr)


def _print_json(answer: dict[str, Any]) -> None:
    print(json.dumps(answer, ensure_ascii=False))


def _registry() -> Registry:
    return Registry(load_settings().data_dir)


def known_trials() -> tuple[Trial, ...]:
    """The bundled trials and the user's own, which replace a bundled one of the same id."""
    own = _registry().trials() if (load_settings().data_dir / "trials.sqlite").exists() else ()
    ids = {t.trial_id for t in own}
    return (*(t for t in bundled_trials() if t.trial_id not in ids), *own)


def _each_note(source: str, answer: Callable[[NoteInput], None]) -> bool:
    """Calls `answer` on every note that can be read; true if all could."""
    whole = True
    for note in read_notes(source):
        if note.problem:
            _say(note.problem)
            whole = False
            continue
        answer(note)
    return whole


def _finish(whole: bool) -> None:
    if not whole:
        raise typer.Exit(1)


@app.command()
def extract(notes: Annotated[str, typer.Argument(metavar="NOTES")], as_json: Json = False) -> None:
    """What each note says: conditions, lines of therapy, labs, BCMA exposure, with the words they rest on."""

    def answer(note: NoteInput) -> None:
        (_print_json if as_json else terminal.show_profile)(extract_answer(read_note(note.text, note.id)))

    _finish(_each_note(notes, answer))


@app.command("match")
def match_command(
    notes: Annotated[str, typer.Argument(metavar="NOTES")],
    trials: Trials = None,
    more: More = None,
    as_of: AsOf = None,
    top: Annotated[int | None, typer.Option("--top", min=1, help="Only the first N trials.")] = None,
    unmentioned: Policy = Unmentioned.unknown,
    by_trial: Annotated[bool, typer.Option("--by-trial", help="For each trial, the patients who fit, best first.")] = False,
    as_json: Json = False,
) -> None:
    """Ranks the trials for each note, every criterion with outcome, reason and evidence."""
    chosen, problems = trials_to_match([*(trials or []), *(more or [])], known_trials)
    index, reports = TrialIndex.of(chosen), []

    def answer(note: NoteInput) -> None:
        report = match(read_note(note.text, note.id), index, as_of, unmentioned.value)
        if by_trial:
            reports.append(report)
        else:
            (_print_json if as_json else terminal.show_report)(match_answer(report, top))

    whole = _each_note(notes, answer)
    if by_trial:
        from api.reverse import patients_by_trial

        for row in patients_by_trial(reports, top):
            (_print_json if as_json else terminal.show_patients)(row)
    _finish(whole and not problems)


@app.command()
def judge(pairs: Annotated[Path, typer.Argument(metavar="PAIRS.jsonl")], unmentioned: Policy = Unmentioned.unknown, as_json: Json = False) -> None:
    """One criterion text against one note, a pair a line: {"id", "note", "kind", "criterion"}."""
    whole, profiles = True, {}
    for where, row, problem in _lines(pairs, ("id", "note", "kind", "criterion")):
        try:
            if row is None:
                raise InputError(problem or where)
            if row["kind"] not in ("inclusion", "exclusion"):
                raise InputError(f'{where}: kind is "inclusion" or "exclusion", not {row["kind"]!r}')
        except InputError as error:
            _say(str(error))
            whole = False
            continue
        if row["note"] not in profiles:
            profiles = {row["note"]: read_note(row["note"], str(row["id"]))}  # pairs of a patient follow each other
        kind, text = Kind(row["kind"]), str(row["criterion"])
        expression, assessable = compile_criterion(text, kind)
        result = judge_criterion(Criterion("C1", kind, text, 0, len(text), expression, assessable), profiles[row["note"]], None, unmentioned.value)
        answer = {"id": row["id"], "outcome": result.outcome.value, "reason": result.reason, "evidence": [{"start": e.start, "end": e.end, "text": e.text} for e in result.evidence], "presumed": result.presumed}
        _print_json(answer) if as_json else terminal.show_judgement(text, answer["outcome"], answer["reason"])
    _finish(whole)


@app.command("assert")
def assert_command(spans: Annotated[Path, typer.Argument(metavar="SPANS.jsonl")], as_json: Json = False) -> None:
    """How a text asserts a span, one a line: {"id", "text", "start", "end"}."""
    from matcher.notes.assertion import assert_span

    whole = True
    for where, row, problem in _lines(spans, ("id", "text", "start", "end")):
        if row is None or not 0 <= row["start"] <= row["end"] <= len(row["text"]):
            _say(problem or f"{where}: start and end must lie within the text")
            whole = False
            continue
        answer = {"id": row["id"], "status": assert_span(row["text"], row["start"], row["end"]).value}
        _print_json(answer) if as_json else print(f"{row['id']}\t{answer['status']}\t{row['text'][row['start']:row['end']]}")
    _finish(whole)


def _lines(path: Path, wanted: tuple[str, ...]) -> Iterator[tuple[str, dict | None, str | None]]:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    return json_lines(path, wanted)


@trials_app.command("parse")
def parse(documents: Annotated[list[str], typer.Argument(metavar="DOC...")], as_json: Json = False) -> None:
    """Criteria with their logic, and what was not understood."""
    trials, problems = read_trial_files(documents)
    for trial in trials:
        _print_json(trial_answer(trial)) if as_json else terminal.show_trial(trial)
    for problem in problems:
        _say(problem)
    _finish(not problems)


@trials_app.command("add")
def add(documents: Annotated[list[str], typer.Argument(metavar="DOC...")]) -> None:
    """Adds trials to the registry; one of the same id is replaced, a curator's corrections to it are kept."""
    trials, problems = read_trial_files(documents)
    kept = _registry()
    for trial in trials:
        kept.put(trial)
        print(f"{trial.trial_id}\t{len(trial.criteria)} criteria\t{trial.title}")
    for problem in problems:
        _say(problem)
    _finish(not problems)


@trials_app.command("list")
def list_trials(as_json: Json = False) -> None:
    """The trials of the registry."""
    _show_list(known_trials(), as_json)


@trials_app.command("search")
def search(text: str, as_json: Json = False) -> None:
    """The trials whose title, condition, agent, sponsor or criteria hold all the words."""
    words = text.lower().split()

    def holds(trial: Trial) -> bool:
        said = " ".join((trial.trial_id, trial.title, *trial.condition_names, *trial.conditions, *trial.interventions, *trial.targets, trial.sponsor or "", *(c.text for c in trial.criteria))).lower()
        return all(word in said for word in words)

    _show_list(tuple(t for t in known_trials() if holds(t)), as_json)


def _show_list(trials: tuple[Trial, ...], as_json: bool) -> None:
    if as_json:
        for trial in trials:
            _print_json(trial_answer(trial))
    else:
        terminal.show_list(trials)


def _known(trial_id: str) -> Trial:
    found = next((t for t in known_trials() if t.trial_id.lower() == trial_id.lower()), None)
    if found is None:
        raise InputError(f"{trial_id}: no such trial; `eligo trials list` shows what is there")
    return found


@trials_app.command("show")
def show(trial_id: Annotated[str, typer.Argument(metavar="ID")], as_json: Json = False) -> None:
    """One trial with its criteria and their logic."""
    trial = _known(trial_id)
    _print_json(trial_answer(trial)) if as_json else terminal.show_trial(trial)


@trials_app.command("logic")
def logic(trial_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """The trial's logic as YAML, to correct and give to `eligo trials correct`."""
    print(logic_file(_known(trial_id)), end="")


@trials_app.command("correct")
def correct(trial_id: Annotated[str, typer.Argument(metavar="ID")], corrections: Annotated[Path, typer.Argument(metavar="LOGIC.yaml")]) -> None:
    """Puts a curator's logic in place of the parse; it survives re-import while the wording stays the same."""
    trial, registry = _known(trial_id), _registry()
    if trial.trial_id not in registry.etags():
        registry.put(trial)
    try:
        written = corrections.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{corrections}: cannot be read as UTF-8 text ({error})") from None
    registry.correct(trial.trial_id, written)
    print(f"{trial.trial_id}: corrected")


def main() -> None:
    """Runs the command line; an error a caller can mend is one line and exit status 2."""
    try:
        app()
    except EligoError as error:
        _say(f"eligo: {error}")
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
