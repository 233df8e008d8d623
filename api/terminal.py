"""Tables for people, in the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from matcher.answers import understanding
from matcher.domain import Status, Trial
from matcher.eligibility.reasons import name_of, number, test_name, unit_of
from matcher.expressions import render
from models import load_vocabulary

console = Console(highlight=False, soft_wrap=False)
_COLOUR = {"eligible": "green", "possible": "yellow", "ineligible": "red", "satisfied": "green", "unknown": "yellow", "violated": "red"}
_MARK = {"violated": "NOT met", "unknown": "open", "satisfied": "met"}


def _words(concept: str) -> str:
    return concept.replace("_", " ")


def _said(value: Any) -> str:
    return "not stated" if value is None else _words(str(value))


def latest_labs(labs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The most recent value of each test; of equal dates the later in the note."""
    latest: dict[str, dict[str, Any]] = {}
    for lab in labs:
        known = latest.get(lab["test"])
        if known is None or (lab["date"] or "") >= (known["date"] or ""):
            latest[lab["test"]] = lab
    return list(latest.values())


def _listing(**options: Any) -> Table:
    """Rows without borders whose last column wraps under itself."""
    return Table(show_header=False, box=None, pad_edge=False, **options)


def _named(conditions: list[dict[str, Any]]) -> str:
    """The conditions by their most specific names: type 2 diabetes, and not diabetes as well."""
    is_a, ids = load_vocabulary().is_a, [c["id"] for c in conditions]
    specific = (c for c in conditions if not any(other != c["id"] and is_a(other, c["id"]) for other in ids))
    return ", ".join(name_of(c["id"]) + (f" ({c['date']})" if c["date"] else "") for c in specific)


def _labs_by_date(labs: list[dict[str, Any]]) -> list[str]:
    """The latest value of each test under its date, newest first: an old value is seen to be old."""
    dated: dict[str, list[str]] = {}
    for x in sorted(latest_labs(labs), key=lambda x: x["date"] or "", reverse=True):
        dated.setdefault(x["date"] or "undated", []).append(f"{test_name(x['test'])} {x['comparator'] or ''}{number(x['value'])}{unit_of(x['unit'])}")
    return [f"{date}: {', '.join(values)}" for date, values in dated.items()]


def show_profile(patient: dict[str, Any]) -> None:
    """What a note says (an `extract` answer), as a clinician would list it."""
    table = _listing(title=f"{patient['note_id']}  {patient['note_date'] or 'undated'}", title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    bcma = {"exposed": "EXPOSED", "naive": "naive", "unknown": "unknown: the note does not say"}[patient["bcma"]["status"]]
    agents = "; ".join(f"{a['agent']} ({name_of(a['modality'])}{', ' + a['date'] if a['date'] else ''})" for a in patient["bcma"]["agents"])
    asked = patient["bcma"]["status"] != "unknown" or any(load_vocabulary().is_a(c["id"], "plasma_cell_disorder") for c in patient["conditions"])
    rows = [
        *([("BCMA", f"{bcma}  {agents}".strip())] if asked else []),
        ("Patient", f"age {_said(patient['age_years'])}, {_said(patient['sex'])}; ECOG {_said(patient['ecog'])}, KPS {_said(patient['kps'])}"),
        ("Disease state", _said(patient["disease_state"]).replace("relapsed refractory", "relapsed and refractory")),
        ("Prior lines", _said(patient["n_lines"])),
    ]
    for line in patient["lines"]:
        when = " to ".join(dict.fromkeys(d for d in (line["start"], line["end"]) if d))
        parts = [", ".join(line["drugs"]) or line["regimen"] or "not named", f"{line['transplant']} transplant" if line["transplant"] else "", when, line["best_response"] or "", f"stopped: {line['reason_stopped']}" if line["reason_stopped"] else ""]
        rows.append((f"  line {line['number']}", "; ".join(p for p in parts if p)))
    rows.append(("Refractory to", ", ".join(patient["refractory_to"]) or "none stated"))
    for status in Status:
        if named := _named([c for c in patient["conditions"] if c["status"] == status and "said" not in c]):
            rows.append((status.value.capitalize(), named))
    if markers := [c["said"] for c in patient["conditions"] if "said" in c]:
        rows.append(("Markers", ", ".join(markers)))
    rows += [("" if later else "Labs", day) for later, day in enumerate(_labs_by_date(patient["labs"]))]
    rows += [("Note well", flag["text"]) for flag in patient["flags"]]
    for name, text in rows:
        table.add_row(name, escape(text))
    console.print(table)
    console.print()


def show_report(answer: dict[str, Any]) -> None:
    """A `match` answer: the ranked trials with what rules each out or is missing, what to ask next, then every criterion."""
    show_profile(answer["patient"])
    table = _listing(title="Trials", title_justify="left")
    for found in answer["trials"]:
        counts = ", ".join(f"{n} {mark}" for outcome, mark in _MARK.items() if (n := sum(c["outcome"] == outcome for c in found["criteria"])))
        table.add_row(str(found["rank"]), _coloured(found["verdict"]), f"{found['score']:.2f}", f"[bold]{escape(found['trial_id'])}[/]  [dim]{counts}[/]\n{escape(_why(found))}")
    console.print(table)
    if answer["questions"]:
        asked = (missing_words(q["fact"]) + (f" ({q['trials']} trials)" if q["trials"] > 1 else "") for q in answer["questions"][:6])
        console.print("\n[bold]What to ask next[/]  " + escape("; ".join(asked)))
    for found in answer["trials"]:
        _show_match(found)
    console.print("[dim]Supports and does not replace clinical judgment.[/]\n")


def _coloured(word: str) -> str:
    return f"[{_COLOUR[word]}]{word}[/]"


_ASKED = {"therapy": "prior {}", "refractory": "refractory to {}", "allergy": "allergy to {}"}
_ALLERGIES = {"allergy:any": "drug allergies", "allergy:other": "other allergies"}


def missing_words(fact: str) -> str:
    """A missing fact as people say it: "condition:ecg_abnormality" is "ECG abnormality"."""
    kind, _, concept = fact.rpartition(":")
    if fact in _ALLERGIES:
        return _ALLERGIES[fact]
    return test_name(concept) if kind in ("", "measurement") else _ASKED.get(kind, "{}").format(name_of(concept))


def _missing(criteria: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(missing_words(m) for c in criteria if c["outcome"] == "unknown" and c["assessable"] for m in c["missing"]))


def _why(found: dict[str, Any]) -> str:
    against = [c for c in found["criteria"] if c["outcome"] == "violated"]
    if against:
        return "; ".join(f"{c['id']} {c['reason']}" for c in against[:3]) + (f"; and {len(against) - 3} more" if len(against) > 3 else "")
    missing = _missing(found["criteria"])
    return "; ".join([*found["notices"], *(["missing: " + ", ".join(missing[:6])] if missing else [])])


def _show_match(found: dict[str, Any]) -> None:
    console.print(f"\n[bold]{found['rank']}. {escape(found['trial_id'])}[/]  {_coloured(found['verdict'])}")
    console.print(escape(found["title"]), end="\n" * bool(found["title"]))
    table = _listing()
    for notice in found["notices"]:
        table.add_row("", "", f"[yellow]{escape(notice)}[/]")
    for outcome, mark in _MARK.items():
        for c in found["criteria"]:
            if c["outcome"] == outcome and (c["assessable"] or outcome != "unknown"):
                table.add_row(f"[{_COLOUR[outcome]}]{mark}[/]", c["id"], escape(c["reason"]))
    if folded := [c["id"] for c in found["criteria"] if not c["assessable"] and c["outcome"] == "unknown"]:
        table.add_row("", "", f"[dim]to confirm at screening: {', '.join(folded)}[/]")
    console.print(table)


def show_patients(row: dict[str, Any]) -> None:
    """The patients for one trial, best first."""
    table = Table(title=f"{row['trial_id']}  {escape(row['title'])}", title_justify="left")
    for name in ("Patient", "Verdict", "Score", "Why"):
        table.add_column(name)
    for p in row["patients"]:
        why = "; ".join(f"{r['id']} {r['reason']}" for r in p["ruled_out_by"][:2]) or ("missing: " + ", ".join(missing_words(m) for m in p["missing"][:6]) if p["missing"] else "")
        table.add_row(escape(p["note_id"]), f"[{_COLOUR[p['verdict']]}]{p['verdict']}[/]", f"{p['score']:.2f}", escape(why))
    console.print(table)


def show_judgement(text: str, outcome: str, reason: str) -> None:
    console.print(f"[{_COLOUR[outcome]}]{outcome:9}[/] {escape(' '.join(text.split()))}\n          {escape(reason)}")


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
