"""Trial documents of every kind in, the same facts out."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher import read_trials
from matcher.trials import TrialDocumentError
from matcher.trials.documents import NO_CRITERIA
from tests.reference import SEEDS, TRIALS, needs_reference, seed_trials

ELIGIBILITY = "Inclusion Criteria:\n\n* Multiple myeloma\n* Age \\>= 18\n\nExclusion Criteria:\n\n* HIV infection"
API = {
    "protocolSection": {
        "identificationModule": {"nctId": "NCT00000001", "briefTitle": "Anti-BCMA CAR-T in Relapsed Multiple Myeloma"},
        "statusModule": {"overallStatus": "NOT_YET_RECRUITING"},
        "sponsorCollaboratorsModule": {"leadSponsor": {"name": "A Hospital"}},
        "conditionsModule": {"conditions": ["Multiple Myeloma"]},
        "designModule": {"phases": ["PHASE1", "PHASE2"]},
        "armsInterventionsModule": {"interventions": [{"name": "anti-BCMA CAR-T"}]},
        "eligibilityModule": {"eligibilityCriteria": ELIGIBILITY, "minimumAge": "18 Years", "maximumAge": "75 Years", "sex": "ALL", "healthyVolunteers": False},
        "contactsLocationsModule": {"locations": [{"city": "Oslo", "country": "Norway"}]},
    }
}
XML = """<?xml version="1.0"?><clinical_study><id_info><nct_id>NCT00000001</nct_id></id_info>
<brief_title>Anti-BCMA CAR-T in Relapsed Multiple Myeloma</brief_title><sponsors><lead_sponsor><agency>A Hospital</agency></lead_sponsor></sponsors>
<overall_status>Not yet recruiting</overall_status><phase>Phase 1/Phase 2</phase><condition>Multiple Myeloma</condition>
<intervention><intervention_name>anti-BCMA CAR-T</intervention_name></intervention>
<eligibility><criteria><textblock>ELIGIBILITY</textblock></criteria><gender>All</gender><minimum_age>18 Years</minimum_age><maximum_age>75 Years</maximum_age><healthy_volunteers>No</healthy_volunteers></eligibility>
<location><facility><address><city>Oslo</city><country>Norway</country></address></facility></location></clinical_study>""".replace("ELIGIBILITY", ELIGIBILITY.replace(">", "&gt;"))
LINE = {"id": "NCT00000001", "title": "Anti-BCMA CAR-T in Relapsed Multiple Myeloma", "conditions": ["Multiple Myeloma"], "eligibility": ELIGIBILITY, "phase": "Phase 1/Phase 2", "status": "not yet recruiting", "min_age": 18, "max_age": 75, "sex": "all", "interventions": ["anti-BCMA CAR-T"], "sponsor": "A Hospital", "locations": ["Oslo, Norway"]}
PAGE = """Anti-BCMA CAR-T in Relapsed Multiple Myeloma
ClinicalTrials.gov Identifier: NCT00000001 |
Recruitment Status :
Not yet recruiting
Biological: anti-BCMA CAR-T
Phase 1/Phase 2
Ages Eligible for Study: | 18 Years to 75 Years |
Sexes Eligible for Study: | All |
Inclusion Criteria:
- Multiple myeloma
- Age >= 18
Exclusion Criteria:
- HIV infection

Contacts and Locations
Oslo, Norway
Sponsor: A Hospital
"""


@pytest.mark.parametrize("content", [json.dumps(API), json.dumps({"studies": [API]}), XML, json.dumps(LINE), PAGE, f"<html><body><pre>{PAGE}</pre></body></html>"], ids=["api", "page of studies", "xml", "json line", "saved page", "html"])
def test_one_trial_in_six_formats(content):
    (trial,) = read_trials(content.encode(), "a file")
    assert (trial.trial_id, trial.title, trial.conditions, trial.phase, trial.status) == ("NCT00000001", "Anti-BCMA CAR-T in Relapsed Multiple Myeloma", ("multiple_myeloma",), "Phase 1/Phase 2", "not yet recruiting")
    assert (trial.min_age, trial.max_age, trial.sex, trial.sponsor, trial.locations, trial.targets) == (18, 75, "all", "A Hospital", ("Oslo, Norway",), ("bcma",))
    assert [(c.id, c.text.replace("\\", "")) for c in trial.criteria] == [("I1", "Multiple myeloma"), ("I2", "Age >= 18"), ("E1", "HIV infection")]


@pytest.mark.parametrize("body", [
    "<table><tr><th>Inclusion criteria</th><th>Exclusion criteria</th></tr><tr><td>Gout</td><td>Stroke</td></tr></table>",
    "<table><tr><th>No.</th><th>Inclusion criteria</th></tr><tr><td>1</td><td>Gout</td></tr></table><table><tr><th>No.</th><th>Exclusion criteria</th></tr><tr><td>1</td><td>Stroke</td></tr></table>",
    "<h2>Inclusion</h2><ul><li>Gout</li></ul><h2>Exclusion</h2><ul><li>Stroke</li></ul>",
])
def test_criteria_in_tables_and_lists_of_a_page(body):
    trial = read_trials(f"<html><body><h1>A study of gout, NCT01234567</h1>{body}</body></html>".encode(), "page.html")[0]
    assert [(c.id, c.text) for c in trial.criteria] == [("I1", "Gout"), ("E1", "Stroke")]


def test_sentences_of_demand_without_a_heading_are_criteria():
    trial = read_trials(b"A study of gout, NCT01234567\n\nThe study lasts a year. Patients must be 18 years or older. Patients with asthma are excluded. Call us.\n", "page.txt")[0]
    assert [c.text for c in trial.criteria] == ["Patients must be 18 years or older.", "Patients with asthma are excluded."]


def test_several_records_in_one_file():
    lines = "\n".join(json.dumps({**LINE, "id": name}) for name in ("A", "B"))
    assert [t.trial_id for t in read_trials(lines.encode(), "two.jsonl")] == ["A", "B"]


def test_a_document_without_criteria_says_so():
    (trial,) = read_trials(b"Study of CT071 Injection in RRMM\nA trial in patients with relapsed/refractory multiple myeloma.", "export.txt")
    assert (trial.trial_id, trial.conditions, trial.criteria, NO_CRITERIA in trial.notices) == ("ct071", ("multiple_myeloma",), (), True)


def test_structured_and_written_age_limits_that_disagree_are_told():
    (trial,) = read_trials(json.dumps({**LINE, "min_age": 21}).encode(), "x.json")
    assert trial.notices == ("The record's minimum age is 21, its criteria say 18.",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\x00\x01\x02", "binary"),
        (b"{", "not valid JSON"),
        (b"[1]", "JSON object"),
        (b'{"name": "x"}', "neither a registry study"),
        (b'{"protocolSection": {}}', "nctId"),
        (b"<?xml version='1.0'?><rss/>", "<rss>"),
        (b"<?xml version='1.0'?><clinical_study>", "not a readable XML"),
        (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><clinical_study>&a;</clinical_study>', "not a readable XML"),
        (b"Buy milk and bread.", "no trial"),
        (b"\x1f\x8bxx", "damaged"),
    ],
)
def test_what_is_no_trial_is_named_with_the_remedy(content, said):
    with pytest.raises(TrialDocumentError, match=said) as error:
        read_trials(content, "bad.file")
    assert str(error.value).startswith("bad.file")


@given(st.binary(max_size=300))
def test_any_bytes_give_trials_or_one_clear_error(content):
    try:
        found = read_trials(content, "x")
    except TrialDocumentError:
        found = []
    assert all(t.source == "x" for t in found)


@needs_reference
def test_the_seed_documents():
    counted = [(t.trial_id, sum(c.kind == "inclusion" for c in t.criteria), sum(c.kind == "exclusion" for c in t.criteria), t.conditions[0], t.status) for t in seed_trials()]
    assert counted == [
        ("first-affiliated-hospital-soochow-university-ct0591cp", 11, 24, "multiple_myeloma", "recruiting"),
        ("ct071", 0, 0, "multiple_myeloma", None),
        ("xinqiao-hospital-chongqing-anti-bcma-car-t", 16, 17, "multiple_myeloma", "recruiting"),
        ("NCT03473496", 8, 11, "multiple_myeloma", "terminated"),
        ("shanghai-changzheng-hospital-anti-bcma-car-t", 0, 0, "multiple_myeloma", None),
    ]
    for path, trial in zip(sorted(SEEDS.iterdir()), seed_trials(), strict=True):
        text = path.read_text()
        assert all(text[c.start : c.end] == c.text for c in trial.criteria)


@needs_reference
def test_every_real_record_is_read():
    for path in sorted((TRIALS / "records").iterdir()):
        (trial,) = read_trials(path.read_bytes(), path.name)
        assert (trial.trial_id, bool(trial.title), bool(trial.criteria), trial.min_age is not None) == (path.stem, True, True, True)


@pytest.mark.parametrize("odd", [None, [], {}, 7, "words", [None], [["x"]], [{"a": 1}], True])
@pytest.mark.parametrize("module, name", [
    ("conditionsModule", "conditions"), ("designModule", "phases"), ("eligibilityModule", "eligibilityCriteria"), ("eligibilityModule", "minimumAge"),
    ("contactsLocationsModule", "locations"), ("armsInterventionsModule", "interventions"), ("sponsorCollaboratorsModule", "leadSponsor"), ("descriptionModule", "briefSummary"),
])
def test_a_field_of_another_kind_is_left_out(module, name, odd):
    record = {"protocolSection": {"identificationModule": {"nctId": "NCT00000001", "briefTitle": "A study"}, module: {name: odd}}}
    [trial] = read_trials(json.dumps(record).encode(), "record.json")
    assert (trial.trial_id, trial.title) == ("NCT00000001", "A study")


def test_json_too_deep_for_a_record_is_refused():
    with pytest.raises(TrialDocumentError, match="nested too deeply"):
        read_trials(b"[" * 200_000, "deep.json")
