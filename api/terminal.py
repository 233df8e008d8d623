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


def show_profile(patient: dict[str, Any]) -> None:
    """What a note says (an `extract` answer), as a clinician would list it."""
    table = Table(title=f"{patient['note_id']}  {patient['note_date'] or 'undated'}", title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    bcma = {"exposed": "EXPOSED", "naive": "naive", "unknown": "unknown: the note does not say"}[patient["bcma"]["status"]]
    agents = "; ".join(f"{a['agent']} ({_words(a['modality'])}{', ' + a['date'] if a['date'] else ''})" for a in patient["bcma"]["agents"])
    rows = [
        ("BCMA", f"{bcma}  {agents}".strip()),
        ("Patient", f"age {_said(patient['age_years'])}, {_said(patient['sex'])}; ECOG {_said(patient['ecog'])}, KPS {_said(patient['kps'])}"),
        ("Disease state", _said(patient["disease_state"])),
        ("Prior lines", _said(patient["n_lines"])),
    ]
    for line in patient["lines"]:
        when = " to ".join(d for d in (line["start"], line["end"]) if d)
        parts = [", ".join(line["drugs"]) or line["regimen"] or "not named", f"{line['transplant']} transplant" if line["transplant"] else "", when, line["best_response"] or "", f"stopped: {line['reason_stopped']}" if line["reason_stopped"] else ""]
        rows.append((f"  line {line['number']}", "; ".join(p for p in parts if p)))
    rows.append(("Refractory to", ", ".join(patient["refractory_to"]) or "none stated"))
    for status in Status:
        named = [name_of(c["id"]) + (f" ({c['date']})" if c["date"] else "") for c in patient["conditions"] if c["status"] == status and "said" not in c]
        if named:
            rows.append((status.value.capitalize(), ", ".join(named)))
    if markers := [c["said"] for c in patient["conditions"] if "said" in c]:
        rows.append(("Markers", ", ".join(markers)))
    labs = [f"{test_name(x['test'])} {x['comparator'] or ''}{number(x['value'])}{unit_of(x['unit'])}" for x in latest_labs(patient["labs"])]
    rows.append(("Labs", ", ".join(labs) or "none"))
    rows += [("Note well", flag["text"]) for flag in patient["flags"]]
    for name, text in rows:
        table.add_row(name, escape(text))
    console.print(table)
    console.print()


def show_report(answer: dict[str, Any]) -> None:
    """A `match` answer: the ranked trials, what rules each out and what is missing, what to ask next."""
    show_profile(answer["patient"])
    table = Table(title="Trials", title_justify="left")
    whole = {"no_wrap": True}
    for name, options in (("#", {"justify": "right", **whole}), ("Trial", {"overflow": "fold", "max_width": 24}), ("Verdict", whole), ("Score", {"justify": "right", **whole}),
                          ("Met/not/open", {"justify": "center", **whole}), ("Why", {"ratio": 1, "min_width": 16})):
        table.add_column(name, **options)  # type: ignore[arg-type]
    for found in answer["trials"]:
        counts = [sum(c["outcome"] == o for c in found["criteria"]) for o in ("satisfied", "violated", "unknown")]
        table.add_row(str(found["rank"]), escape(found["trial_id"]), _coloured(found["verdict"]), f"{found['score']:.2f}", "/".join(map(str, counts)), escape(_why(found)))
    console.print(table)
    for found in answer["trials"]:
        _show_match(found)
    if answer["questions"]:
        asked = (f"{missing_words(q['fact'])} ({q['trials']} trial{'s' * (q['trials'] > 1)})" for q in answer["questions"][:6])
        console.print("\n[bold]What to ask next[/]  " + escape("; ".join(asked)))
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
    console.print(f"\n[bold]{found['rank']}. {escape(found['trial_id'])}[/]  {escape(found['title'])}  {_coloured(found['verdict'])}")
    for notice in found["notices"]:
        console.print(f"   [yellow]{escape(notice)}[/]")
    for outcome, mark in _MARK.items():
        for c in found["criteria"]:
            if c["outcome"] == outcome and (c["assessable"] or outcome != "unknown"):
                console.print(f"   [{_COLOUR[outcome]}]{mark:8}[/]{c['id']:4} {escape(c['reason'])}", soft_wrap=True)
    folded = [c["id"] for c in found["criteria"] if not c["assessable"] and c["outcome"] == "unknown"]
    if folded:
        console.print(f"   [dim]to confirm at screening: {', '.join(folded)}[/]")


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
