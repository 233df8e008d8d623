"""Names that no table lists, names written wrongly, and the pipelines that a user brings."""

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from matcher import read_note
from matcher.notes import pipeline_entities
from matcher.notes.casing import restore_case
from matcher.notes.linking import link_condition
from matcher.notes.spelling import corrections, restored
from matcher.notes.transcript import transcribe
from models import load_vocabulary
from models.artefacts import ArtefactError
from models.training import recognition
from tests.noise import NOISES

HISTORY = "Multiple myeloma. Line 1: VRd 2019, progressed 2020. Line 2: {} from 2021 to 2022, stopped for progression."


@pytest.mark.parametrize(("written", "agent"), [
    ("CT-0596", "ct-0596"),
    ("anvatabart", "anvatabart"),
    ("pomalidamide", "pomalidomide"),
    ("Darzalex Faspro", "daratumumab"),
    ("Kyprollis", "carfilzomib"),
    ("elranatamabb", "elranatamab"),
    ("bortez0mib", "bortezomib"),
    ("cevtuzomib", "cevtuzomib"),
])
def test_an_agent_counts_as_a_line_under_the_name_it_stands_for(written, agent):
    profile = read_note(HISTORY.format(written))
    assert [line.drugs for line in profile.lines] == [("bortezomib", "lenalidomide", "dexamethasone"), (agent,)]
    assert profile.lines[1].evidence[0].text in written


@pytest.mark.parametrize(("written", "said"), [
    ("CT-0596", "ct-0596 is in no list of drugs; taken for an agent against cancer"),
    ("anvatabart", "anvatabart is in no list of drugs; by its name a monoclonal antibody"),
    ("cevtuzomib", "cevtuzomib is in no list of drugs; by its name a proteasome inhibitor"),
])
def test_an_unlisted_agent_is_shown_as_unrecognised(written, said):
    assert [f.value for f in read_note(HISTORY.format(written)).flags] == [said]


@pytest.mark.parametrize(("agent", "general"), [
    ("cevtuzomib", "proteasome_inhibitor"), ("zelvadomide", "imid"), ("anvatabart", "monoclonal_antibody"), ("pravotamig", "bispecific_antibody"),
    ("velmetinib", "kinase_inhibitor"), ("brevicabtagene autoleucel", "car_t"), ("torvatamab vedotin", "antibody_drug_conjugate"),
])
def test_the_stem_of_a_name_tells_its_class(agent, general):
    assert load_vocabulary().is_a(agent, general)


@pytest.mark.parametrize("note", [
    "Seen by Dr Kowalczyk at Tallaght. Sample LAB-30412 sent. CD138 positive, t(4;14), NCT03473423.",
    "Room B1204. Her daughter Bridget established elsewhere; the gardening went well.",
    "Takes metformin, rosuvastatin and vitamin B12. COVID-19 vaccine given.",
    "Mieloma dx marzo 2018, trattamento da settembre 2019.",
])
def test_other_words_and_numbers_are_no_agents(note):
    assert [t.agent for t in read_note(note).treatments if t.agent not in load_vocabulary().drugs and t.agent not in load_vocabulary().therapies] == []


@pytest.mark.parametrize(("written", "meant"), [
    ("pnuemonia", "pneumonia"), ("dexamethasne", "dexamethasone"), ("refractroy", "refractory"), ("hemogoblin", None), ("platelests", "platelets"),
    ("creatnine", "creatinine"), ("carfilzornib", "carfilzomib"), ("myelorna", "myeloma"), ("neuropahty", "neuropathy"), ("fibri11ation", "fibrillation"),
])
def test_a_slip_is_restored(written, meant):
    assert restored(written) == meant


@pytest.mark.parametrize("word", [
    "metformin", "melphalan", "hypothyroidism", "hyperthyroidism", "hypotension", "hypertension", "hypokalemia", "hyperkalemia", "addition", "deceased", "infection",
    "injection", "effusion", "infusion", "ileum", "ilium", "prostrate", "generic", "mobility", "dysphasia", "dysphagia", "thought", "perineal", "reactive",
])
def test_a_word_of_its_own_is_not_restored_to_another(word):
    assert restored(word) is None


@pytest.mark.parametrize(("written", "meant"), [
    ("Hb 1O.4, WBC 9.O, plt 15O", "Hb 10.4, WBC 9.0, plt 150"), ("O2 2l via NC, L4 fracture, S1", "O2 2l via NC, L4 fracture, S1"), ("since 2O15", "since 2015"), ("volume 0.5l", "volume 0.5l"),
])
def test_letters_in_numbers(written, meant):
    assert transcribe(written).text == meant


@pytest.mark.parametrize(("spoken", "written"), [
    ("M-spike zero point seven", "M-spike 0.7"), ("ejection fraction fifty-five percent", "ejection fraction 55 percent"), ("twelve point three", "12.3"),
    ("at one point two nurses came", "at one point two nurses came"), ("six cycles, one point to note", "six cycles, one point to note"),
])
def test_numbers_dictated_in_words(spoken, written):
    assert transcribe(spoken).text == written


def test_a_note_without_capitals_gets_those_of_its_short_forms():
    note = "patient with mm, vrd then kpd with vgpr. pd in 2020. no cad or chf. hb 10 g/dl and all is well, he said."
    assert restore_case(note) == "Patient with MM, VRd then KPd with VGPR. PD in 2020. No CAD or CHF. Hb 10 g/dl and all is well, he said."


def test_a_note_with_capitals_keeps_its_own():
    note = "He is on vrd for MM and tolerates it well. Dr Smith agrees with the plan."
    assert restore_case(note) == note


@pytest.mark.parametrize("noise", list(NOISES.values()), ids=list(NOISES))
def test_evidence_quotes_the_note_as_received(noise):
    note = noise("MULTIPLE myeloma, IgG kappa, diagnosed 2015. Treatrnent: VRd, progresion 2017; then carfilzornib with dexamethosone 2018, PD. Hb 1O.4 g/dL, creatinine 1.1. No pnuemonia, hypertension.")
    profile = read_note(note)
    evidence = [e for facts in (profile.conditions, profile.labs, profile.treatments, profile.lines) for fact in facts for e in fact.evidence]
    assert evidence
    assert [note[e.start : e.end] for e in evidence] == [e.text for e in evidence]


@given(st.text(alphabet="abcdeimorn rlO01.,|\n-AMPD5", max_size=200))
def test_places_lead_back_for_any_text(text):
    found = corrections(text)
    assert all(a.end <= b.start for a, b in zip(found, found[1:], strict=False))
    transcript = transcribe(text)
    for fact in read_note(text).labs:
        assert all(text[e.start : e.end] == e.text for e in fact.evidence)
    assert transcript.received == text


@pytest.mark.parametrize(("entity", "condition"), [
    ("infarction of the myocardium", "myocardial_infarction"), ("myocardial infarction", "myocardial_infarction"), ("failure, heart", "heart_failure"), ("Parkinson's disease", "parkinson_disease"),
    ("rheumatiod arthritis", "rheumatoid_arthritis"), ("hypoparathyroidism", "hypoparathyroidism"), ("sadness of the garden", None), ("", None),
])
def test_an_entity_links_to_a_condition_or_to_none(entity, condition):
    assert link_condition(entity) == condition


@pytest.fixture(scope="module")
def own_pipeline(tmp_path_factory):
    """A user's pipeline: small, trained here to find gadolinosis, which no table of ours lists under that name, and a drug."""
    nlp = spacy.blank("en")
    ner = nlp.add_pipe("ner")
    texts = [("Diagnosed with failure, heart in {}.", "failure, heart", "DISEASE"), ("Received QX-77 in {}.", "QX-77", "CHEMICAL"), ("Seen in clinic in {}.", "", "")]
    examples = []
    for template, surface, label in texts:
        for year in range(2000, 2012):
            text = template.format(year)
            start = text.find(surface)
            entities = [(start, start + len(surface), label)] if surface else []
            examples.append(spacy.training.Example.from_dict(nlp.make_doc(text), {"entities": entities}))
    for label in ("DISEASE", "CHEMICAL"):
        ner.add_label(label)
    spacy.util.fix_random_seed(1)
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(15):
        nlp.update(examples, sgd=optimizer)
    path = tmp_path_factory.mktemp("own") / "pipeline"
    nlp.to_disk(path)
    return str(path)


def test_entities_of_a_users_pipeline_join_as_candidates(own_pipeline):
    note = "Diagnosed with failure, heart in 2005."
    assert [c.id for c in read_note(note, recognisers=()).conditions] == []
    assert [(c.id, c.evidence[0].text) for c in read_note(note, recognisers=(pipeline_entities(own_pipeline),)).conditions] == [("heart_failure", "failure, heart")]


def test_what_the_rules_read_stays(own_pipeline):
    note = "Multiple myeloma, VRd in 2019. No heart failure."
    assert read_note(note, recognisers=(pipeline_entities(own_pipeline),)) == read_note(note)


def test_a_pipeline_that_is_not_there_is_named():
    with pytest.raises(ArtefactError, match="no_such_pipeline"):
        pipeline_entities("no_such_pipeline")


def test_training_documents_keep_their_entities():
    blank = spacy.blank("en")
    from models.training.corpus import Entity, Text
    doc = recognition.as_doc(blank, Text("Given CT-0596 in 2020.", (Entity(6, 13, "DRUG"), Entity(17, 21, "DATE"))))
    assert [(e.text, e.label_) for e in doc.ents] == [("CT-0596", "DRUG"), ("2020", "DATE")]
