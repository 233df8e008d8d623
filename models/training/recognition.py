"""The spaCy pipeline: texts as training documents, training from its configuration, figures on held-out texts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as run
from spacy.util import filter_spans, load_config

from models.training.corpus import Corpus, Text

CONFIGURATION = Path(__file__).parent / "recognition.cfg"


def train(output: Path, texts: int = 7000, steps: int | None = None, seed: int = 11) -> Language:
    """Trains on invented texts and writes the pipeline to `output`. The same numbers give the same pipeline."""
    blank = spacy.blank("en")
    with tempfile.TemporaryDirectory() as folder:
        paths = {"train": Path(folder) / "train.spacy", "dev": Path(folder) / "dev.spacy"}
        DocBin(docs=[as_doc(blank, t) for t in Corpus(seed).texts(texts)]).to_disk(paths["train"])
        DocBin(docs=[as_doc(blank, t) for t in Corpus(seed + 1).texts(max(50, texts // 20))]).to_disk(paths["dev"])
        overrides: dict[str, object] = {f"paths.{name}": str(path) for name, path in paths.items()}
        if steps is not None:
            overrides |= {"training.max_steps": steps, "training.eval_frequency": steps}
        nlp = init_nlp(load_config(CONFIGURATION, overrides))
        nlp, _ = run(nlp, None)
    for name in ("train", "dev"):
        nlp.config["paths"][name] = None
    nlp.to_disk(output)
    return nlp


def as_doc(nlp: Language, text: Text) -> Doc:
    """The text as a training document; an entity that ends within a token takes the token."""
    doc = nlp.make_doc(text.text)
    spans = (doc.char_span(e.start, e.end, label=e.label, alignment_mode="expand") for e in text.entities)
    doc.ents = filter_spans([s for s in spans if s is not None])
    return doc


def figures(nlp: Language, texts: Iterable[Text]) -> dict[str, tuple[float, float, float]]:
    """Label -> precision, recall, F1 of exact spans; `ALL` for all labels."""
    examples = []
    for text in texts:
        reference = as_doc(nlp, text)
        examples.append(Example(nlp(nlp.make_doc(text.text)), reference))
    scores = nlp.evaluate([Example(e.predicted.copy(), e.reference) for e in examples])
    per_type = {label: (s["p"], s["r"], s["f"]) for label, s in sorted((scores["ents_per_type"] or {}).items())}
    return {**per_type, "ALL": (scores["ents_p"], scores["ents_r"], scores["ents_f"])}
