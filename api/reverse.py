"""Reverse matching: who on this list fits this trial."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from matcher.domain import MatchReport, Outcome, Verdict

BEST_FIRST = {verdict: place for place, verdict in enumerate(Verdict)}


def patients_by_trial(reports: Iterable[MatchReport], top: int | None = None) -> list[dict[str, Any]]:
    """For each trial, in the order of its id, the patients by verdict and score: {trial_id, title, patients: [...]}."""
    rows: dict[str, dict[str, Any]] = {}
    for report in reports:
        for found in report.matches:
            row = rows.setdefault(found.trial.trial_id, {"trial_id": found.trial.trial_id, "title": found.trial.title, "patients": []})
            against = [r for r in found.results if r.outcome is Outcome.VIOLATED]
            row["patients"].append({
                "note_id": report.profile.note_id,
                "verdict": found.verdict.value,
                "score": round(found.score, 4),
                "ruled_out_by": [{"id": r.criterion.id, "reason": r.reason} for r in against],
                "missing": sorted({m for r in found.results if r.outcome is Outcome.UNKNOWN and r.criterion.assessable for m in r.missing}),
            })
    for row in rows.values():
        row["patients"].sort(key=lambda p: (BEST_FIRST[p["verdict"]], -p["score"], p["note_id"]))
        row["patients"] = row["patients"][:top]
    return [rows[trial_id] for trial_id in sorted(rows)]
