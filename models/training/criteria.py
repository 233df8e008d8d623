"""Trains models/criteria_classifier.py: TF-IDF and logistic regression (scikit-learn), written as weights, so that reading a trial
needs neither scikit-learn nor a pickle. `python -m models.training.criteria` trains and prints figures in seconds.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, precision_recall_fscore_support

from models.criteria_classifier import CRITERIA, TOPICS, CriteriaClassifier, pieces

EXAMPLES = Path(__file__).parent / "criteria_examples.csv"
SCALE = 50  # weights are written as whole numbers of 1/50


@dataclass(frozen=True, slots=True)
class Example:
    text: str
    assessable: bool
    topic: str


def examples(split: str) -> list[Example]:
    """The invented items of one side: `train`, `dev` (looked at while training items were added) or `test` (never). Styles (`source`) differ."""
    with EXAMPLES.open(encoding="utf-8", newline="") as file:
        return [Example(row["text"], row["assessable"] == "yes", row["topic"]) for row in csv.DictReader(file) if row["split"] == split]


def train(output: Path = CRITERIA) -> CriteriaClassifier:
    known = examples("train")
    vectorizer = TfidfVectorizer(analyzer=pieces, min_df=2, sublinear_tf=True)
    seen = vectorizer.fit_transform([e.text for e in known])
    topic = LogisticRegression(C=20, max_iter=500, class_weight="balanced", random_state=0).fit(seen, [e.topic for e in known])
    assessable = LogisticRegression(C=20, max_iter=500, class_weight="balanced", random_state=0).fit(seen, [e.assessable for e in known])
    order = [list(topic.classes_).index(t) for t in TOPICS]
    table = np.column_stack([vectorizer.idf_, topic.coef_[order].T, assessable.coef_[0]])
    bias = [*topic.intercept_[order], *assessable.intercept_]
    content = {
        "topics": list(TOPICS),
        "scale": SCALE,
        "bias": [round(float(b), 3) for b in bias],
        "pieces": {piece: [round(float(x) * SCALE) for x in table[at]] for piece, at in sorted(vectorizer.vocabulary_.items())},
    }
    output.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    return CriteriaClassifier.read(output)


def figures(model: CriteriaClassifier, items: Iterable[Example]) -> dict[str, Any]:
    """Assessable: accuracy, and precision, recall, F1 of "not assessable". Topic: share answered, accuracy of the answers and of all, F1 by topic."""
    items = list(items)
    read = [model.classify(e.text) for e in items]
    truth, found = [e.assessable for e in items], [r.assessable for r in read]
    precision, recall, f1, _ = precision_recall_fscore_support(truth, found, pos_label=False, average="binary", zero_division=0)
    topics, said = [e.topic for e in items], [r.topic or "" for r in read]
    by_topic = f1_score(topics, said, labels=list(TOPICS), average=None, zero_division=0)
    return {
        "items": len(items),
        "assessable_accuracy": _share(a == b for a, b in zip(truth, found, strict=True)),
        "not_assessable": {"precision": round(float(precision), 3), "recall": round(float(recall), 3), "f1": round(float(f1), 3)},
        "topic_answered": _share(bool(b) for b in said),
        "topic_accuracy_of_answered": _share(a == b for a, b in zip(topics, said, strict=True) if b),
        "topic_accuracy": _share(a == b for a, b in zip(topics, said, strict=True)),
        "topic_f1": {topic: round(float(f), 3) for topic, f in zip(TOPICS, by_topic, strict=True)},
    }


def _share(right: Iterable[bool]) -> float:
    return round(float(np.mean(list(right))), 3)


if __name__ == "__main__":
    trained = train()
    print(json.dumps({split: figures(trained, examples(split)) for split in ("dev", "test")}, indent=1))
