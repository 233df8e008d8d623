"""Tables for people, in the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from matcher.answers import understanding
from matcher.domain import CriterionResult, MatchReport, Outcome, PatientProfile, Reading, Status, Trial, TrialMatch
from matcher.expressions import render

console = Console(highlight=False, soft_wrap=False)
_COLOUR = {"eligible": "green", "possible": "yellow", "ineligible": "red", "satisfied": "green", "unknown": "yellow", "violated": "red"}
_MARK = {Outcome.SATISFIED: "met", Outcome.VIOLATED: "NOT met", Outcome.UNKNOWN: "open"}


def _words(concept: str) -> str:
    return concept.replace("_", " ")


def _said(reading: Reading | None) -> str:
    return "not stated" if reading is None else _words(str(reading.value))


def show_profile(profile: PatientProfile) -> None:
    """What a note says, as a clinician would list it."""
    table = Table(title=f"{profile.note_id}  {profile.note_date or 'undated'}", title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    bcma = {"exposed": "EXPOSED", "naive": "naive", "unknown": "unknown: the note does not say"}[profile.bcma.status]
    agents = "; ".join(f"{a.agent} ({_words(a.modality)}{', ' + str(a.date) if a.date else ''})" for a in profile.bcma.agents)
    rows = [
        ("BCMA", f"{bcma}  {agents}".strip()),
        ("Patient", f"age {_said(profile.age_years)}, {_said(profile.sex)}; ECOG {_said(profile.ecog)}, KPS {_said(profile.kps)}"),
        ("Disease state", _said(profile.disease_state)),
        ("Prior lines", _said(profile.n_lines)),
    ]
    for line in profile.lines:
        when = " to ".join(str(d) for d in (line.start, line.end) if d)
        parts = [", ".join(line.drugs) or (line.regimen or "not named"), f"{line.transplant} transplant" if line.transplant else "", when, line.best_response or "", f"stopped: {line.reason_stopped}" if line.reason_stopped else ""]
        rows.append((f"  line {line.number}", "; ".join(p for p in parts if p)))
    rows.append(("Refractory to", ", ".join(str(r.value) for r in profile.refractory_to) or "none stated"))
    for status in Status:
        named = [_words(c.id) + (f" ({c.date})" if c.date else "") for c in profile.conditions if c.status is status]
        if named:
            rows.append((status.value.capitalize(), ", ".join(named)))
    current = [lab for test in dict.fromkeys(x.test for x in profile.labs) if (lab := profile.latest(test))]
    rows.append(("Labs", ", ".join(f"{_words(x.test)} {x.comparator or ''}{x.value:g} {'' if x.unit == '1' else x.unit}".strip() for x in current) or "none"))
    rows += [("Note well", str(flag.value)) for flag in profile.flags]
    for name, text in rows:
        table.add_row(name, escape(text))
    console.print(table)
    console.print()


def show_report(report: MatchReport, top: int | None = None) -> None:
    """The ranked trials of one note, then what rules each out and what is missing."""
    show_profile(report.profile)
    table = Table(title="Trials", title_justify="left")
    for name, options in (("#", {"justify": "right"}), ("Trial", {"no_wrap": True}), ("Verdict", {}), ("Score", {"justify": "right"}), ("Met / not / open", {"justify": "center", "no_wrap": True}), ("Why", {"ratio": 1})):
        table.add_column(name, **options)  # type: ignore[arg-type]
    for found in report.matches[:top]:
        counts = [sum(r.outcome is o for r in found.results) for o in (Outcome.SATISFIED, Outcome.VIOLATED, Outcome.UNKNOWN)]
        table.add_row(str(found.rank), escape(found.trial.trial_id), f"[{_COLOUR[found.verdict.value]}]{found.verdict.value}[/]", f"{found.score:.2f}", " / ".join(map(str, counts)), escape(_why(found)))
    console.print(table)
    for found in report.matches[:top]:
        _show_match(found)
    if report.questions:
        console.print("[bold]What to ask next[/]  " + escape("; ".join(f"{_words(fact)} ({n} trial{'s' * (n > 1)})" for fact, n in report.questions[:6])))
    console.print("[dim]Supports and does not replace clinical judgment.[/]\n")


def _why(found: TrialMatch) -> str:
    against = [r for r in found.results if r.outcome is Outcome.VIOLATED]
    if against:
        return "; ".join(f"{r.criterion.id} {r.reason}" for r in against[:3]) + (f"; and {len(against) - 3} more" if len(against) > 3 else "")
    missing = list(dict.fromkeys(m for r in found.results if r.outcome is Outcome.UNKNOWN and r.criterion.assessable for m in r.missing))
    return "; ".join([*found.notices, *(["missing: " + ", ".join(_words(m) for m in missing[:6])] if missing else [])])


def _show_match(found: TrialMatch) -> None:
    console.print(f"\n[bold]{found.rank}. {escape(found.trial.trial_id)}[/]  {escape(found.trial.title)}  [{_COLOUR[found.verdict.value]}]{found.verdict.value}[/]")
    for notice in found.notices:
        console.print(f"   [yellow]{escape(notice)}[/]")
    for outcome in (Outcome.VIOLATED, Outcome.UNKNOWN, Outcome.SATISFIED):
        for result in found.results:
            if result.outcome is outcome and (result.criterion.assessable or outcome is not Outcome.UNKNOWN):
                console.print(f"   [{_COLOUR[outcome.value]}]{_MARK[outcome]:8}[/]{result.criterion.id:4} {escape(result.reason)}", soft_wrap=True)
    folded = [r.criterion.id for r in found.results if not r.criterion.assessable and r.outcome is Outcome.UNKNOWN]
    if folded:
        console.print(f"   [dim]to confirm at screening: {', '.join(folded)}[/]")


def show_patients(row: dict[str, Any]) -> None:
    """The patients for one trial, best first."""
    table = Table(title=f"{row['trial_id']}  {escape(row['title'])}", title_justify="left")
    for name in ("Patient", "Verdict", "Score", "Why"):
        table.add_column(name)
    for p in row["patients"]:
        why = "; ".join(f"{r['id']} {r['reason']}" for r in p["ruled_out_by"][:2]) or ("missing: " + ", ".join(_words(m) for m in p["missing"][:6]) if p["missing"] else "")
        table.add_row(escape(p["note_id"]), f"[{_COLOUR[p['verdict']]}]{p['verdict']}[/]", f"{p['score']:.2f}", escape(why))
    console.print(table)


def show_judgement(text: str, result: CriterionResult) -> None:
    console.print(f"[{_COLOUR[result.outcome.value]}]{result.outcome.value:9}[/] {escape(' '.join(text.split()))}\n          {escape(result.reason)}")


def show_trial(trial: Trial) -> None:
    """Criteria with their logic, and what was not understood."""
    limits = f"age {trial.min_age or 'any'} to {trial.max_age or 'any'}, {trial.sex or 'sex not stated'}"
    console.print(f"[bold]{escape(trial.trial_id)}[/]  {escape(trial.title)}")
    console.print(escape(f"  {'; '.join(trial.condition_names)} | {trial.phase or 'phase not stated'} | {trial.status or 'status not stated'} | {limits} | targets {', '.join(trial.targets) or 'not stated'} | {trial.sponsor or ''} | {', '.join(trial.locations[:3])}"))
    for notice in trial.notices:
        console.print(f"  [yellow]{escape(notice)}[/]")
    for c in trial.criteria:
        mark = "" if c.assessable else " [dim](at screening)[/]"
        console.print(f"  [bold]{c.id:4}[/]{escape(' '.join(c.text.split()))}{mark}{f' [cyan]{escape(c.cohort)}[/]' if c.cohort else ''}", soft_wrap=True)
        logic = render(c.expression)
        console.print(f"       = {escape(logic)}", style="yellow" if "[not understood" in logic else "dim", soft_wrap=True)
    share = understanding(trial)
    if share["criteria_understood"] is not None:
        console.print(f"  understood: {share['criteria_understood']:.0%} of {share['assessable']} assessable criteria whole, {share['characters_understood']:.0%} of their characters\n")


def show_list(trials: tuple[Trial, ...]) -> None:
    table = Table()
    for name in ("Trial", "Title", "Phase", "Status", "Criteria", "Understood"):
        table.add_column(name)
    for t in trials:
        share = understanding(t)["criteria_understood"]
        table.add_row(escape(t.trial_id), escape(t.title), t.phase or "", t.status or "", str(len(t.criteria)), "" if share is None else f"{share:.0%}")
    console.print(table)
