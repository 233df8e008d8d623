"""Receptors, antigens and alterations of the malignant cells, as notes report them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.domain import Kind, Truth
from matcher.eligibility import evaluate
from matcher.markers import read_statements
from matcher.notes import read_note
from matcher.notes.document import Document
from matcher.notes.markers import read_markers
from matcher.trials.criteria import compile_criterion
from models import load_vocabulary


def facts(text):
    """The findings of a text as "er_positive", "no her2_positive", "family brca1_mutation"."""
    said = {"present": "", "absent": "no ", "family": "family ", "possible": "possible "}
    return {said[f.status.value] + f.id for f in read_note(text).conditions if f.id in load_vocabulary().findings}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Marrow: 40% CD138+ plasma cells.", [("cd138_positive", "present")]),
        ("CD38+/CD138+/CD56-, lambda restricted", [("cd38_positive", "present"), ("cd138_positive", "present"), ("cd56_positive", "absent")]),
        ("plasma cells, CD138 positive; BCMA not stained", [("cd138_positive", "present")]),
        ("BCMA IHC positive in 85% of cells", [("bcma_positive", "present")]),
        ("CD138 strongly positive, CD38 dim", [("cd138_positive", "present"), ("cd38_positive", "present")]),
        ("CD138 (+), CD56 (-)", [("cd138_positive", "present"), ("cd56_positive", "absent")]),
        ("CD138-positive kappa plasma cells", [("cd138_positive", "present")]),
        ("positive for CD138 and CD56", [("cd138_positive", "present"), ("cd56_positive", "present")]),
        ("GPRC5D lost", [("gprc5d_positive", "absent")]),
        ("carcinoma, CD138 neg", [("cd138_positive", "absent")]),
        ("anti-CD38 antibody in 2021", []),
        ("CD138 stain pending", []),
    ],
)
def test_antigens(text, wanted):
    assert [(f.id, f.status.value) for f in read_markers(Document(text))] == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Breast cancer, ER+/PR+/HER2-.", "er_positive, pr_positive, no her2_positive"),
        ("Breast core: ER 90%, PR neg, HER2 IHC 2+ FISH negative.", "er_positive, no pr_positive, no her2_positive, her2_low"),
        ("HER2 3+ by immunohistochemistry.", "her2_positive"),
        ("HER2 equivocal (2+), FISH pending.", ""),
        ("Carcinoma of the breast, ER/PR negative, HER2 not amplified.", "no er_positive, no pr_positive, no her2_positive"),
        ("ER, PR and HER2 were all negative on the breast biopsy.", "no er_positive, no pr_positive, no her2_positive"),
        ("HER2-low breast cancer.", "her2_low, no her2_positive"),
        ("Metastatic breast cancer, triple negative.", "no er_positive, no pr_positive, no her2_positive, no hormone_receptor_positive"),
        ("Best response PR in 2021, then PD; hepatitis serology triple negative.", ""),
        ("Lung adenocarcinoma, EGFR L858R, PD-L1 TPS 60%.", "egfr_l858r, pdl1_positive"),
        ("EGFR exon 19 deletion, ALK negative.", "egfr_exon_19_deletion, no alk_rearrangement"),
        ("EGFR/ALK/ROS1 wild type, PD-L1 <1%.", "no egfr_mutation, no alk_rearrangement, no ros1_rearrangement, no pdl1_positive"),
        ("ALK rearrangement negative.", "no alk_rearrangement"),
        ("Negative for EGFR, ALK and ROS1.", "no egfr_mutation, no alk_rearrangement, no ros1_rearrangement"),
        ("No EGFR or ALK alterations.", "no egfr_mutation, no alk_rearrangement"),
        ("No actionable mutations.", "no actionable_alteration"),
        ("EGFR mutation testing pending, ALK status unknown.", ""),
        ("KRAS G12C inhibitor was discussed; on an EGFR TKI.", ""),
        ("If EGFR mutated, osimertinib.", ""),
        ("Colon cancer, KRAS G12D, BRAF wild-type, MSS.", "kras_g12d, no braf_mutation, no msi_high"),
        ("MSI-H/dMMR tumour.", "msi_high"),
        ("Mismatch repair proteins: intact.", "no msi_high"),
        ("Loss of MLH1 and PMS2.", "msi_high"),
        ("Melanoma, BRAF V600E mutated.", "braf_v600e"),
        ("BRAF V600E not detected.", "no braf_v600e"),
        ("BRCA1 germline pathogenic variant.", "brca1_mutation"),
        ("BRCA2 variant of uncertain significance.", ""),
        ("Mother with a BRCA1 mutation.", "family brca1_mutation"),
        ("AML, FLT3-ITD positive, NPM1 mutated, IDH2 R140Q VAF 32%.", "flt3_itd, npm1_mutation, idh2_r140"),
        ("AML with t(8;21), FLT3-ITD negative.", "no flt3_itd"),  # whether the translocation is negative too is not said
        ("t(4;14), t(14;16), del(17p): not detected.", "no t_4_14, no t_14_16, no del_17p"),
        ("FISH: no del(17p), t(4;14) or t(14;16). t(11;14) present in 60% of cells, 1q gain.", "no del_17p, no t_4_14, no t_14_16, t_11_14, gain_1q"),
        ("TP53 mutated.", "tp53_mutation"),
        ("B-ALL, Ph+, CD19+, CD20-.", "bcr_abl1, cd19_positive, no cd20_positive"),
        ("BCR::ABL1 positive.", "bcr_abl1"),
        ("Waldenström, MYD88 L265P.", "myd88_l265p"),
        ("Diffuse large B-cell lymphoma, CD20 positive.", "cd20_positive"),
        ("Prostate cancer with PSMA-avid lesions.", "psma_positive"),
        ("ESR1 mutation in ctDNA.", "esr1_mutation"),
    ],
)
def test_findings_of_a_note(text, wanted):
    assert facts(text) == set(filter(None, wanted.split(", ")))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("EGFR 45 mL/min, creatinine 1.8 mg/dL", {"egfr": 45}),
        ("EGFR 19 del. eGFR 72 mL/min", {"egfr": 72}),
        ("EGFR T790M negative", {}),
        ("EGFR - 45", {"egfr": 45}),
    ],
)
def test_the_gene_is_not_the_filtration_rate(text, wanted):
    profile = read_note(text)
    assert {lab.test: lab.value for lab in profile.labs if lab.test == "egfr"} == wanted
    assert facts(text) == ({"egfr_exon_19_deletion"} if "del" in text else {"no egfr_t790m"} if "T790M" in text else set())


@given(st.text(alphabet="CD138 BCMAEGFRHER2 ALK t(1;)+-%()positvengaw\n,/"))
def test_evidence_quotes_the_note(text):
    assert all(text[e.start : e.end] == e.text for f in read_markers(Document(text)) for e in f.evidence)


@pytest.mark.parametrize(("unit", "names"), [("EGFR, ALK/", 2), ("ER ", 0), ("KRAS exon; ", 0), ("HER2 IHC 2+; ", 0), ("positive for CD138 ", 1)])
def test_long_lists_are_read_in_one_pass(unit, names):
    assert len(read_statements(unit * 5_000 + "and ROS1: negative")) == names * 5_000 + 1


T, F, U = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN


@pytest.mark.parametrize(
    ("note", "criterion", "truth"),
    [
        ("Breast cancer, ER 95%, PR 20%, HER2 1+.", "HER2-negative breast cancer", T),
        ("Breast cancer, ER+.", "HER2-negative breast cancer", U),
        ("Breast cancer, HER2 3+.", "HER2-negative breast cancer", F),
        ("Breast cancer, ER+/PR-/HER2-.", "Hormone receptor positive (ER and/or PR >= 1%), HER2-negative breast cancer", T),
        ("Breast cancer, ER-, PR-.", "Hormone receptor positive disease", F),
        ("Breast cancer, ER-.", "Hormone receptor positive disease", U),
        ("Breast cancer, ER 0%, PR 0%, HER2 0.", "Triple negative breast cancer", T),
        ("Breast cancer, ER+.", "Triple negative breast cancer", F),
        ("Triple negative breast cancer.", "HER2 positive (IHC 3+ or ISH amplified)", F),
        ("Breast cancer, HER2 IHC 2+, FISH not amplified.", "HER2-low breast cancer", T),
        ("NSCLC with EGFR exon 19 deletion.", "Documented EGFR sensitising mutation (exon 19 deletion or L858R)", T),
        ("NSCLC, EGFR T790M.", "Documented EGFR sensitising mutation (exon 19 deletion or L858R)", U),
        ("NSCLC, EGFR wild type, ALK negative.", "No EGFR or ALK alteration", T),
        ("NSCLC, EGFR L858R.", "No EGFR or ALK alteration", F),
        ("NSCLC, no actionable mutations.", "ROS1 rearrangement", F),
        ("NSCLC, PD-L1 TPS 60%.", "PD-L1 TPS >= 50 %", T),
        ("NSCLC, PD-L1 TPS 5%.", "PD-L1 TPS >= 50 %", F),
        ("NSCLC, PD-L1 negative (<1%).", "PD-L1 positive tumour", F),
        ("NSCLC, KRAS G12D.", "KRAS G12C mutation", U),
        ("NSCLC, KRAS wild type.", "KRAS G12C mutation", F),
        ("Melanoma, BRAF V600E.", "BRAF V600 mutation", T),
        ("Melanoma, BRAF K601E.", "BRAF mutation (V600E or V600K)", U),
        ("Colon cancer, KRAS and NRAS wild-type.", "Wild-type RAS", T),
        ("Colon cancer, MSS.", "MSI-H or dMMR", F),
        ("Colon cancer, dMMR.", "Tumor must be microsatellite stable (MSS)", F),
        ("AML, FLT3-ITD positive.", "FLT3 mutation", T),
        ("B-ALL, BCR::ABL1 positive.", "Ph-positive ALL", T),
        ("B-ALL, Ph-negative.", "Philadelphia chromosome positive ALL", F),
        ("Myeloma, FISH: t(11;14).", "Multiple myeloma with t(11;14)", T),
        ("Myeloma, BCMA expression 80%.", "BCMA expression >= 50 %", T),
        ("Diffuse large B-cell lymphoma, CD20 negative.", "CD20-positive lymphoma", F),
        ("Unresectable melanoma.", "Metastatic or unresectable melanoma", T),
        ("Breast cancer.", "Metastatic breast cancer", U),
        ("eGFR 62 mL/min.", "EGFR mutation", U),
        ("EGFR L858R.", "eGFR >= 45 mL/min", U),
    ],
)
def test_a_criterion_asks_what_notes_report(note, criterion, truth):
    expression, _ = compile_criterion(criterion, Kind.INCLUSION)
    assert evaluate(expression, read_note(note)).truth is truth


@pytest.mark.parametrize(
    ("note", "criterion", "reason"),
    [
        ("Breast cancer, HER2 0.", "HER2 positive disease", "HER2 negative"),
        ("NSCLC, EGFR wild type.", "EGFR mutation", "No EGFR mutation"),
        ("Colon cancer, MSS.", "MSI-H", "Not MSI-high/dMMR"),
        ("Colon cancer.", "MSI-H", "The note does not mention MSI-high/dMMR"),
    ],
)
def test_reasons_speak_as_clinicians_do(note, criterion, reason):
    expression, _ = compile_criterion(criterion, Kind.INCLUSION)
    assert evaluate(expression, read_note(note)).reason == reason
