"""`eligo serve`, `batch`, `keys`, `audit`: mounted by `api.cli`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable
from datetime import date
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from api.inputs import read_trial_files
from matcher import EligoError
from matcher.domain import Trial
from workers.settings import SettingsError, load_settings

if TYPE_CHECKING:
    from api.batch_file import Journal

service_app = typer.Typer()
keys_app = typer.Typer(no_args_is_help=True, help="Keys of callers, and of what is kept encrypted.")
audit_app = typer.Typer(no_args_is_help=True, help="The log of who read which result.")
service_app.add_typer(keys_app, name="keys")
service_app.add_typer(audit_app, name="audit")


class Part(StrEnum):
    api = "api"
    worker = "worker"


class Unmentioned(StrEnum):
    unknown = "unknown"
    absent = "absent"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date; write it as YYYY-MM-DD") from None


Policy = Annotated[Unmentioned, typer.Option("--unmentioned", help="What a note does not mention: unknown, or presumed absent.")]
AsOf = Annotated[date | None, typer.Option("--as-of", metavar="DATE", parser=_day, help="Count windows back from this day (YYYY-MM-DD), not from the note's.")]
Trials = Annotated[list[str] | None, typer.Option("--trials", help="Files or folders; without it, the registry.")]
More = Annotated[list[str] | None, typer.Argument(hidden=True)]  # --trials A B: what a shell's wildcard leaves


def trials_to_match(named: list[str], registry: Callable[[], Iterable[Trial]]) -> tuple[list[Trial], list[str]]:
    """The trials of the named files and folders, else of the registry; and what could not be read, which is said. Raises EligoError where there is none."""
    trials, problems = read_trial_files(named) if named else (list(registry()), [])
    for problem in problems:
        print(problem, file=sys.stderr)
    if not trials:
        raise EligoError("no trial to match: give --trials, or add some with `eligo trials add`")
    return trials, problems


@service_app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (ELIGO_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on (ELIGO_PORT); 0 chooses one.")] = None,
    only: Annotated[Part | None, typer.Option(help="Only this part, in this process, with REDIS_URL: for containers.")] = None,
) -> None:
    """Redis (unless REDIS_URL names one), a worker, the API and the page, until Ctrl-C."""
    from api import supervisor

    settings = load_settings()
    host, port = host or settings.host, settings.port if port is None else port
    if only is not None and not settings.redis_url:
        raise SettingsError(f"--only {only} needs REDIS_URL: the parts meet there")
    if only is Part.worker:
        from workers.__main__ import main

        main(settings)
        return
    supervisor.check_door(settings, host)
    with supervisor.listen(host, port) as listening:
        if only is Part.api:
            from api.__main__ import run

            run(listening)
        else:
            supervisor.Supervisor(settings).run(listening, lambda url: print(f"Eligo is at {url}", file=sys.stderr, flush=True))


@service_app.command()
def batch(
    source: Annotated[Path, typer.Argument(metavar="PATIENTS", exists=True, help="A list: .csv .tsv .xlsx .jsonl .zip, or a folder of .txt files.")],
    out: Annotated[Path, typer.Option("--out", metavar="RESULTS", help="Where the results go: .jsonl .csv .xlsx")],
    trials: Trials = None,
    more: More = None,
    as_of: AsOf = None,
    unmentioned: Policy = Unmentioned.unknown,
    processes: Annotated[int | None, typer.Option("--processes", min=1, help="How many at a time (ELIGO_PROCESSES).")] = None,
    patient_column: Annotated[str, typer.Option(help="Found by its usual names where not given.")] = "",
    note_column: Annotated[str, typer.Option(help="Found by its usual names where not given.")] = "",
    date_column: Annotated[str, typer.Option(help="Found by its usual names where not given.")] = "",
) -> None:
    """Match a list of patients without a server. Progress on standard error; run again after an interruption, it goes on where it was."""
    from api import batch_file
    from matcher.answers import trial_answer
    from workers.catalogue import Catalogue
    from workers.local import answer_all
    from workers.logs import configure_logging
    from workers.patients import Columns

    settings = load_settings()
    configure_logging(logging.getLevelName(logging.CRITICAL), "batch")  # failures are told below, by row
    if out.suffix not in batch_file.SUFFIXES:
        raise typer.BadParameter(f"results are one of {' '.join(batch_file.SUFFIXES)}", param_hint="--out")
    chosen, problems = trials_to_match([*(trials or []), *(more or [])], lambda: Catalogue(settings).trials())
    options = {"as_of": as_of and as_of.isoformat(), "unmentioned": unmentioned.value}
    columns = Columns(patient_column, note_column, date_column)
    order = {**options, "columns": [patient_column, note_column, date_column], "trials": [trial_answer(t) for t in chosen]}
    count = sum(1 for _ in batch_file.patients(source, columns))
    journal = batch_file.Journal(out, batch_file.fingerprint(source, order))
    rest = islice(batch_file.patients(source, columns), journal.count, None)
    try:
        _keep(journal, answer_all(rest, chosen, options, processes or settings.processes, settings.note_soft_limit, settings.note_hard_limit), count)
    except KeyboardInterrupt:
        journal.close()
        print(f"\nstopped after {journal.count} of {count}; the same command goes on from there", file=sys.stderr)
        raise typer.Exit(130) from None
    failed = journal.failed
    for answer in journal.answers() if failed else ():
        if "error" in answer:
            print(f"{source.name} row {', '.join(map(str, answer['rows']))} ({answer['note_id'] or 'no identifier'}): {answer['error']}", file=sys.stderr)
    journal.finish(out)
    print(f"{count - failed} of {count} patients matched; results in {out}", file=sys.stderr)
    if failed or problems:
        raise typer.Exit(1)


def _keep(journal: Journal, answers: Iterable[dict[str, Any]], count: int) -> None:
    """Each answer as it comes; with a bar, on a terminal only and never in the way of the results."""
    shown = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), TextColumn("{task.fields[failed]}")
    console, began = Console(stderr=True), journal.count
    with Progress(*shown, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("patients", total=count, completed=began, rate="", failed="")
        for answer in answers:
            journal.add(answer)
            elapsed = progress.tasks[0].elapsed or 0
            rate = f"{(journal.count - began) / elapsed:.1f}/s" if elapsed > 1 else ""
            progress.update(task, completed=journal.count, rate=rate, failed=f"{journal.failed} failed" if journal.failed else "")


@keys_app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose it is, or what for.")],
    scope: Annotated[list[str] | None, typer.Option(help="submit, read, admin; submit and read where not given.")] = None,
    tenant: Annotated[str, typer.Option(help="Whose jobs it sees: callers of one tenant share them.")] = "default",
) -> None:
    """Make a key. It is printed once and kept nowhere; from the first one on, callers must have one."""
    from api.keys import KeyFile

    print(KeyFile(load_settings().keys_file).create(name, tenant, tuple(scope or ("submit", "read"))))


@keys_app.command("list")
def list_keys() -> None:
    """The keys there are, without their secrets."""
    from api.keys import KeyFile

    table = Table("id", "name", "tenant", "scopes", "created", "revoked", box=None)
    for key in KeyFile(load_settings().keys_file).all():
        table.add_row(key.id, key.name, key.tenant, " ".join(key.scopes), key.created, key.revoked or "")
    Console().print(table)


@keys_app.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Take a key back; a running service sees it at once."""
    from api.keys import KeyFile

    KeyFile(load_settings().keys_file).revoke(key_id)


@keys_app.command()
def encryption() -> None:
    """Print a fresh key for ELIGO_ENCRYPTION_KEYS. To rotate, put it before the old one, and drop the old one after the time to live."""
    from workers.sealing import new_key

    print(new_key())


@audit_app.command()
def verify(head: Annotated[str | None, typer.Option(help="The hash of a last entry noted earlier: shows that no end was cut off.")] = None) -> None:
    """Check that no entry was changed, removed or added. Exit status 1 where one was."""
    from api.audit import verify as check

    try:
        count, last = check(load_settings().audit_file, head)
    except EligoError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from None
    print(f"{count} entries, unbroken; the last is {last}")
