"""`make train`: rebuilds models/trained and writes its figures on held-out texts. The same code gives the same artefacts."""

from __future__ import annotations

import json
import time

from models.artefacts import NAMES, RECOGNITION, TRAINED
from models.training import criteria, drug_names, recognition
from models.training.corpus import Corpus

HELD_OUT_SEED, HELD_OUT_TEXTS = 99, 1000


def main() -> None:
    TRAINED.mkdir(exist_ok=True)
    begun = time.perf_counter()
    names = drug_names.train(NAMES)
    items = criteria.train()
    pipeline = recognition.train(RECOGNITION)
    minutes = (time.perf_counter() - begun) / 60
    entities = recognition.figures(pipeline, Corpus(HELD_OUT_SEED, held_out=True).texts(HELD_OUT_TEXTS))
    figures = {
        "entities": {label: dict(zip(("precision", "recall", "f1"), (round(x, 3) for x in scores), strict=True)) for label, scores in entities.items()},
        "names": {kind: dict(zip(("precision", "recall"), (round(x, 3) for x in scores), strict=True)) for kind, scores in drug_names.figures(names).items()},
        "criteria": criteria.figures(items, criteria.examples("test")),
    }
    (TRAINED / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(f"Trained in {minutes:.1f} minutes. On held-out texts:")
    for label, (precision, recall, f1) in entities.items():
        print(f"{label:12s} P {precision:.3f}  R {recall:.3f}  F1 {f1:.3f}")
    for kind, (precision, recall) in drug_names.figures(names).items():
        print(f"{kind:12s} P {precision:.3f}  R {recall:.3f}  (by its letters alone)")


if __name__ == "__main__":
    main()
