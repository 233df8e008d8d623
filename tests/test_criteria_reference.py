"""The figures reached on the reference trials; no later change lowers them unnoticed. Skipped without ../shared."""

import json
from collections import Counter
from pathlib import Path

import pytest

from matcher.trials import compile_criterion, constraints, read_trials
from tests import reference

SHARED = Path(__file__).resolve().parents[2] / "shared"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared with the reference trials is not here")


def f1(gold, got):
    both = sum((gold & got).values())
    return 2 * both / (sum(gold.values()) + sum(got.values()))


def test_numeric_statements_of_trials_of_all_diseases():
    gold, got = Counter(), Counter()
    for record in json.loads((SHARED / "eval" / "numeric_criteria.json").read_text()):
        line = json.dumps({"id": record["id"], "title": "", "conditions": [], "eligibility": record["text"]}).encode()
        gold.update((record["id"], op, value) for r in record["numeric"] for op, value in r["constraints"])
        rows = [c for criterion in read_trials(line, "x.jsonl")[0].criteria for c in constraints(criterion.expression)]
        got.update((record["id"], c["op"], float(c["value"])) for c in rows if isinstance(c["value"], int | float) and not isinstance(c["value"], bool))
    assert f1(gold, got) >= 0.85


def test_atomic_statements_of_myeloma_trials():
    gold, got = Counter(), Counter()
    for trial in json.loads((SHARED / "eval" / "myeloma_constraints.json").read_text()):
        for item in trial["items"]:
            gold.update(_key(trial["id"], c) for c in item.get("constraints", []) if not (c["fact"] == "ecog" and c["value"] == 0))
            expression, _ = compile_criterion(item["text"], item["kind"], ("multiple_myeloma",))
            got.update(_key(trial["id"], c) for c in constraints(expression) if not (c["fact"] == "ecog" and c["value"] == 0))
    assert f1(gold, got) >= 0.88


def _key(trial, c):
    value = c.get("value")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return trial, c["fact"], c["op"], float(f"{value:.3g}"), bool(c.get("x_uln")), c.get("of")
    return trial, c["fact"], str(value).lower()


def test_share_of_myeloma_criteria_that_became_logic():
    assert reference.figure(reference.understanding(), "share whole") >= 0.85
