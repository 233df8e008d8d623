"""What an unknown word is by its letters alone: an agent against cancer, another medicine, or no drug.

Logistic regression over character n-grams (scikit-learn), written as its weights, so that reading a note needs neither
scikit-learn nor a pickle.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from models import load_vocabulary
from models.artefacts import NAME_KINDS, NameModel, grams
from models.cues import load_cues
from models.training.names import Names
from models.words import load_words


def words(held_out: bool, seed: int = 21, count: int = 3000) -> list[tuple[str, str]]:
    """(word, kind): vocabulary and invented names, the held-out side of the split with other drugs, roots and words."""
    names = Names(Random(seed + held_out), held_out)
    labelled = [(word, kind) for against, kind in ((True, "agent"), (False, "medicine")) for name in names.known[against] for word in name.lower().split()[:1]]
    labelled += [(names.invented_agent().split()[0], "agent") for _ in range(count)] + [(names.brand(), "agent") for _ in range(count // 6)]
    labelled += [(names.medicine().split()[0], "medicine") for _ in range(count)]
    labelled += [(name.split()[-1], "other") for _ in range(count // 2) for name in (names.person(), names.place().split()[0])]
    labelled += [(word, "other") for place, word in enumerate(_english()) if (place % 5 == 0) == held_out]
    drugs = {w.lower() for w, kind in labelled if kind != "other"}
    return sorted({(w.lower(), kind) for w, kind in labelled if len(w) >= 5 and w.isalpha() and not (kind == "other" and w.lower() in drugs)})


def _english() -> list[str]:
    vocabulary, listed = load_vocabulary(), load_words()
    found = {*listed.other, *listed.read}
    for table in (vocabulary.conditions, vocabulary.tests, vocabulary.therapies):
        for row in table.values():
            for name in (row.name, *row.aliases):
                found.update(name.lower().replace("-", " ").split())
    found.update(w for cue in load_cues() for w in cue.text.lower().split())
    return sorted(w for w in found if w.isalpha() and len(w) >= 5)


def train(output: Path) -> NameModel:
    labelled = words(held_out=False)
    vectorizer = CountVectorizer(analyzer=grams, min_df=4, binary=True)
    seen = vectorizer.fit_transform([w for w, _ in labelled])
    model = LogisticRegression(C=0.5, max_iter=300, class_weight="balanced", random_state=0).fit(seen, [k for _, k in labelled])
    order = [list(model.classes_).index(kind) for kind in NAME_KINDS]
    weights = np.round(model.coef_[order], 2)
    kept = {gram: [float(x) for x in weights[:, at]] for gram, at in sorted(vectorizer.vocabulary_.items()) if np.abs(weights[:, at]).max() >= 0.06}
    content = {"kinds": list(NAME_KINDS), "bias": [float(x) for x in np.round(model.intercept_[order], 3)], "weights": kept}
    output.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    return NameModel.read(output)


def figures(model: NameModel) -> dict[str, tuple[float, float]]:
    """Kind -> precision and recall on the held-out side."""
    pairs = [(kind, max(zip(model.probabilities(word), NAME_KINDS, strict=True))[1]) for word, kind in words(held_out=True)]
    found = {}
    for kind in NAME_KINDS:
        right = sum(a == b == kind for a, b in pairs)
        found[kind] = (right / max(1, sum(b == kind for _, b in pairs)), right / max(1, sum(a == kind for a, _ in pairs)))
    return found
