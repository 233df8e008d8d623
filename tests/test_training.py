"""The invented corpus and the trainings, in small."""

import pytest

from models import load_vocabulary
from models.artefacts import NAME_KINDS, load_name_model, load_pipeline
from models.training import recognition
from models.training.corpus import ASSERTIONS, LABELS, Corpus


@pytest.mark.parametrize("held_out", [False, True])
def test_every_entity_has_its_words_and_a_known_label(held_out):
    texts = list(Corpus(4, held_out).texts(300))
    entities = [(t, e) for t in texts for e in t.entities]
    assert {e.label for _, e in entities} == set(LABELS)
    assert {e.assertion for _, e in entities if e.label == "CONDITION"} == set(ASSERTIONS)
    assert all(0 <= e.start < e.end <= len(t.text) and t.text[e.start : e.end] == t.text[e.start : e.end].strip() for t, e in entities)


def test_a_seed_gives_the_same_texts_and_another_seed_others():
    assert list(Corpus(4).texts(50)) == list(Corpus(4).texts(50))
    assert list(Corpus(4).texts(50)) != list(Corpus(5).texts(50))


def test_held_out_texts_share_no_template():
    assert not set(Corpus(1).templates) & set(Corpus(1, held_out=True).templates)


def test_most_agents_are_in_no_list():
    names = {a.lower() for d in load_vocabulary().drugs.values() for a in (d.id, *d.aliases)}
    agents = [t.text[e.start : e.end].lower() for t in Corpus(9, held_out=True).texts(300) for e in t.entities if e.label == "DRUG"]
    assert sum(a in names for a in agents) < 0.5 * len(agents)


def test_a_tiny_training_is_repeatable(tmp_path):
    texts = [t.text for t in Corpus(8).texts(5)]
    runs = [recognition.train(tmp_path / str(i), texts=30, steps=3) for i in range(2)]
    assert [[(e.text, e.label_) for e in nlp(t).ents] for nlp in runs[:1] for t in texts] == [[(e.text, e.label_) for e in nlp(t).ents] for nlp in runs[1:] for t in texts]


def test_the_artefacts_are_there_and_small():
    assert load_pipeline().pipe_names == ["ner"]
    assert set(load_pipeline().get_pipe("ner").labels) == set(LABELS)


@pytest.mark.parametrize(("word", "kind"), [("velmetinib", "agent"), ("anvatabart", "agent"), ("torvasartan", "medicine"), ("drospril", "medicine"), ("gardening", "other"), ("yesterday", "other")])
def test_letters_tell_what_a_word_is(word, kind):
    assert max(zip(load_name_model().probabilities(word), NAME_KINDS, strict=True))[1] == kind
