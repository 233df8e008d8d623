"""Labs, vital signs and performance status: invented note text in, values out, whole lists compared."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.notes.document import Document
from matcher.notes.measurements import read_labs, read_performance
from models import load_vocabulary

NOTE = date(2025, 6, 10)


def labs(text):
    """{test: value} where each test has one value."""
    found = read_labs(Document(text), NOTE)
    assert len({lab.test for lab in found}) == len(found), found
    return {lab.test: float(f"{lab.value:.3g}") for lab in found}


def history(text):
    """[(test, value, date)] in order of test, date."""
    return sorted((lab.test, float(f"{lab.value:.3g}"), str(lab.date or "")) for lab in read_labs(Document(text), NOTE))


def latest(text):
    """{test: value}: of each test the last by date, of equal dates the later."""
    current = {}
    for lab in read_labs(Document(text), NOTE):
        known = current.get(lab.test)
        if known is None or str(lab.date or "") >= str(known.date or ""):
            current[lab.test] = lab
    return {test: float(f"{lab.value:.3g}") for test, lab in current.items()}


@pytest.mark.parametrize(("text", "values"), [
    # prose and lists
    ("His hemoglobin today is 9.8 g/dL, white count 3.9, platelets 112,000.", {"hemoglobin": 9.8, "wbc": 3.9, "platelets": 112}),
    ("anemia with a hemoglobin of 8.2 and a creatinine of 1.8", {"hemoglobin": 8.2, "creatinine": 1.8}),
    ("anemia (Hb 8.2), thrombocytopenia (plt 45k), hypercalcemia (Ca 12.4)", {"hemoglobin": 8.2, "platelets": 45, "calcium": 12.4}),
    ("Na 138 K 4.4 Cl 101 BUN 31 Cr 1.7 Ca 9.9 Mg 1.9", {"sodium": 138, "potassium": 4.4, "chloride": 101, "bun": 31, "creatinine": 1.7, "calcium": 9.9, "magnesium": 1.9}),
    ("WBC 3.5 L | ANC 1.9 | Hgb 10.1 L | Plt 88 L", {"wbc": 3.5, "anc": 1.9, "hemoglobin": 10.1, "platelets": 88}),
    ("M-protein 3 g/L; small M-protein - 10-yr risk told", {"serum_m_protein": 0.3}),
    ("Labs 0400 / yest: WBC 0.3/0.2, Plt 22/31", {"wbc": 0.3, "platelets": 22}),
    ("TLC 4,200, DLC N 58 L 30, ANC 2,430", {"wbc": 4.2, "lymphocyte_percentage": 30, "anc": 2.43}),
    ("Leukocytes 14.2 /nl, of these plasma cells 31%", {"wbc": 14.2}),
    ("marrow 25% plasma cells, of which 70% expressed BCMA", {"bone_marrow_plasma_cells": 25, "bcma_expression": 70}),
    ("LDH elevated at 412; the ferritin has come back at 886 ng/mL", {"ldh": 412, "ferritin": 886}),
    ("HEMOGLOBIN 10.2 GRAMS, CREATININE 0.9 MILLIGRAMS PERCENT", {"hemoglobin": 10.2, "creatinine": 0.9}),
    ("na 138 k 5.0 cr 2.3", {"sodium": 138, "potassium": 5.0, "creatinine": 2.3}),
    # glued to the name, as in a fax
    ("LABS: WBC2.7/ANC1.2/HGB9.8/PLT79; NA141 K3.9 CR1.02 CA9.4 TP9.1 TBILI0.8; TP53 mutated, CA125 14", {
        "wbc": 2.7, "anc": 1.2, "hemoglobin": 9.8, "platelets": 79, "sodium": 141, "potassium": 3.9, "creatinine": 1.02, "calcium": 9.4, "total_protein": 9.1,
        "total_bilirubin": 0.8, "ca125": 14}),
    ("Na138/K4.1/Cr0.9", {"sodium": 138, "potassium": 4.1, "creatinine": 0.9}),
    ("T. protein 9.2, T.Bil 0.9, D.Bil 0.2", {"total_protein": 9.2, "total_bilirubin": 0.9, "direct_bilirubin": 0.2}),
    ("M 2.7 g/dL, FLC k 933 mg/L, l 2.2 mg/L", {"serum_m_protein": 2.7, "kappa_flc": 933, "lambda_flc": 2.2}),
    ("Marrow: 45% plasma cells, BCMA pos 62% by flow", {"bone_marrow_plasma_cells": 45, "bcma_expression": 62}),
    ("HBsAg positive, on entecavir, DNA 85 IU/mL", {"hbv_dna": 85}),
    ("HBsAg positive, CMV DNA 400 IU/mL", {"cmv_dna": 400}),
    # slashes
    ("AST / ALT 22 / 19", {"ast": 22, "alt": 19}),
    ("WBC/Hgb/Plt 3.9/9.8/112", {"wbc": 3.9, "hemoglobin": 9.8, "platelets": 112}),
    ("IgG/IgA/IgM 3,410/22/15 mg/dL", {"igg": 3410, "iga": 22, "igm": 15}),
    ("Na/K 139/4.1", {"sodium": 139, "potassium": 4.1}),
    ("Ht 64 in, Wt 150 lb", {"height": 163, "weight": 68}),
    ("WBC 700, ANC 320, platelets 310", {"wbc": 0.7, "anc": 0.32, "platelets": 310}),
    ("BUN/Cr 17/0.92", {"bun": 17, "creatinine": 0.92}),
    ("INR / aPTT 1.0 / 29 s", {"inr": 1.0, "aptt": 29}),
    ("Quick / INR 1.3", {"inr": 1.3}),
    ("CBC 3.9/9.8/112", {"wbc": 3.9, "hemoglobin": 9.8, "platelets": 112}),
    ("sFLC k / l 87.2 / 0.52 mg/dL", {"kappa_flc": 872, "lambda_flc": 5.2}),
    # the world's names and units
    ("Hb 9,8 g/dl, Leukozyten 3,9 /nl, Thrombozyten 112 /nl, Kreatinin 1,3 mg/dl", {"hemoglobin": 9.8, "wbc": 3.9, "platelets": 112, "creatinine": 1.3}),
    ("GB 3.900/mmc (N 2.100, L 620), PLT 63.000/mmc", {"wbc": 3.9, "anc": 2.1, "alc": 0.62, "platelets": 63}),
    ("Hb 9.8 gm%, TLC 3,900/cumm, Platelet 0.62 lakh/cumm, S.creat 1.3 mg%", {"hemoglobin": 9.8, "wbc": 3.9, "platelets": 62, "creatinine": 1.3}),
    ("B-Hb 101 g/L, B-LPK 4,2, B-TPK 88, P-ASAT 0,50 ukat/L", {"hemoglobin": 10.1, "wbc": 4.2, "platelets": 88, "ast": 30}),
    ("Hb98g/L, PLT112×10⁹/L, Cr 88.4μmol/L", {"hemoglobin": 9.8, "platelets": 112, "creatinine": 1.0}),
    ("WBC 3,200/uL (Neut 1,890, Ly 830), Plt 7.8x10^4/uL", {"wbc": 3.2, "anc": 1.89, "alc": 0.83, "platelets": 78}),
    ("leucocytes 3,6 G/L; PNN 2,1 G/L", {"wbc": 3.6, "anc": 2.1}),
    ("Hb 9.O g/dL Leuc 4,l x10e9/L lgM 4120 mg/dL", {"hemoglobin": 9.0, "wbc": 4.1, "igm": 4120}),  # a scan
    ("creatinine back down to 1.3, plt ct 23", {"creatinine": 1.3, "platelets": 23}),
    # units left out
    ("Hb 98, creat 88.4, bili 17.1, alb 34, adj Ca 2.5, paraprotein 24", {"hemoglobin": 9.8, "creatinine": 1.0, "total_bilirubin": 1.0, "albumin": 3.4, "calcium": 10.0, "serum_m_protein": 2.4}),
    ("Hgb 9.8, Cr 1.3, T bili 1.1, M-spike 2.4", {"hemoglobin": 9.8, "creatinine": 1.3, "total_bilirubin": 1.1, "serum_m_protein": 2.4}),
    ("lambda FLC 640 mg/L, kappa 3.1", {"lambda_flc": 640, "kappa_flc": 3.1}),
    ("kappa 44.1 mg/dL, lambda 1.1, ratio 40.1", {"kappa_flc": 441, "lambda_flc": 11, "flc_ratio": 40.1}),
    ("IgG 410, IgA 38 mg/dL", {"igg": 410, "iga": 38}),
    ("urea 10 mmol/L", {"urea": 60.1, "bun": 28.0}),
    ("urea 38 mg/dl", {"urea": 38, "bun": 17.7}),
    # protein in serum and urine
    ("24h urine: monoclonal kappa 140 mg/24 h", {"urine_m_protein": 140}),
    ("UPEP 24h 410 mg BJP lambda", {"urine_m_protein": 410}),
    ("a 24 hour urine 310 mg of kappa", {"urine_m_protein": 310}),
    ("24 h urine protein 0.42 g, urine immunofixation positive", {"urine_protein_24h": 420}),  # total protein is no M-protein
    ("M-protein IgG kappa 36 g/L", {"serum_m_protein": 3.6}),
    ("a 2.3 g/dL IgG kappa M-spike", {"serum_m_protein": 2.3}),
    ("Calcium-ion 1.29 mmol/L", {"ionized_calcium": 1.29}),
    ("Calcium corrected 2.5 mmol/L", {"calcium": 10.0}),
    ("neutrophils 62 %, lymphocytes 25 %", {"neutrophil_percentage": 62, "lymphocyte_percentage": 25}),
    ("HBV-DNA 1.2x10^3 IU/mL", {"hbv_dna": 1200}),
    # marrow, antigen, heart
    ("BM bx: 45% CD138+ kappa-restricted plasma cells", {"bone_marrow_plasma_cells": 45}),
    ("Bone marrow: infiltration 25 %, CD138+", {"bone_marrow_plasma_cells": 25}),
    ("Marrow: plasma cells 61.5%. BCMA positive rate 86.3%", {"bone_marrow_plasma_cells": 61.5, "bcma_expression": 86.3}),
    ("BCMA by IHC strong in 80% of plasma cells", {"bcma_expression": 80}),
    ("31% circulating plasma cells", {}),
    ("CSF: WBC 42, plasma cells 71%", {}),
    ("BCMA CAR-T had a response rate of 80%", {}),
    ("LVEF 62%", {"lvef": 62}),
    ("EF 55-60%", {"lvef": 55}),
    ("heart failure with recovered EF, 50% by echo", {"lvef": 50}),
    ("the echo reads 54%", {"lvef": 54}),
    # vital signs
    ("BP 128/76, HR 78, T 36.6, SpO2 98% on room air, Wt 70.2 kg, Ht 170 cm",
     {"systolic_bp": 128, "diastolic_bp": 76, "heart_rate": 78, "temperature": 36.6, "spo2": 98, "weight": 70.2, "height": 170}),
    ("37.1, 148/92, 96% RA, 54.2 kg", {"systolic_bp": 148, "diastolic_bp": 92, "spo2": 96, "weight": 54.2}),
    ("T 98.6 F, weight 212 lb, height 5 ft 3 in", {"temperature": 37.0, "weight": 96.2, "height": 160}),
    ("RR 135/85, HF 76", {"systolic_bp": 135, "diastolic_bp": 85, "heart_rate": 76}),
    ("Ht 5' 5\", blood pressure 134/74 mm Hg and pulse 87/min", {"height": 165, "systolic_bp": 134, "diastolic_bp": 74, "heart_rate": 87}),
    ("LVEF 60 to 65 percent", {"lvef": 60}),
    ("WBC 3.9 (N 62%, L 25%)", {"wbc": 3.9, "neutrophil_percentage": 62, "lymphocyte_percentage": 25}),
    ("pulse ox 93% no oxygen", {"spo2": 93}),
    ("BMA 11.05.25 - 38% plasma cells; S.Ca++ 9.1; M comp 1.9 gm/day", {"bone_marrow_plasma_cells": 38, "calcium": 9.1, "urine_m_protein": 1900}),
    ("Bloods (03/02/2025 unless stated): WBC 2.9, Hgb 10.4.", {"wbc": 2.9, "hemoglobin": 10.4}),
    ("Best response PR (paraprotein 8 g/L)", {"serum_m_protein": 0.8}),
    ("KLC 512 LLC 6 ratio 85, ly 0.4", {"kappa_flc": 512, "lambda_flc": 6, "flc_ratio": 85, "alc": 0.4}),
])
def test_values(text, values):
    assert labs(text) == values


@pytest.mark.parametrize("text", [
    "Transfuse for Hb < 7 or plt < 10. G-CSF if ANC < 0.5.",
    "Refer back if the haemoglobin falls under 110 g/L or the creatinine exceeds 150.",
    "pre-treatment parameters (ANC >1.0, plt >50)",
    "ALT normal. Creatinine stable. IgG kappa myeloma since 2020.",
    "HBV DNA undetectable; M-protein not measurable",
    "HBV-DNA 2.4 LogIU/mL -> not detected since May",
    "[ ] PRBC 2, plt 1",
    "Weight up 3 lbs. Call for wt >2 lb above the last.",
    "since May plasma cells are back in the film, 8%",
    "lost 4 kg; weight loss 4 kg; dose 1.0x10^6/kg",
    "Na restriction 2 g. Vitamin K 10 mg. albumin 25 g iv",
    "The EF of 45% was a typing error.",
    "sat <90 call 911",
    "leukocytes in urine of 20/mL",
    "carfilzomib 70 mg/m2, dex 20 mg, melphalan 200",
    "t(11;14), CD138+, IgG4 disease, T12 fracture, stage III",
    "",
])
def test_no_values(text):
    assert labs(text) == {}


TABLES = {
    "a column a date, flags, ranges, gaps": ("""
                    05/10/25     06/09/25     Ref
WBC                 3.4 L        3.9 L        4.0-10.5 K/uL
Hgb                 10.1 L       9.8 L        12.0-15.5 g/dL
AST / ALT           24 / 20      22 / 19      <40 U/L
LDH                 --           231          120-246
M-spike             2.4          2.7 g/dL
IgG / IgA           --           3,410 / 22 mg/dL
Kappa FLC           15.9         18.4 H       0.33-1.94 mg/dL
Albumin             3.7          --           3.5-5.0
""", {"wbc": 3.9, "hemoglobin": 9.8, "ast": 22, "alt": 19, "ldh": 231, "serum_m_protein": 2.7, "igg": 3410, "iga": 22, "kappa_flc": 184, "albumin": 3.7}),
    "units after the name": ("""
                    05/10/25   06/09/25   Flag  Range
HGB   g/dL          9.4        8.6        L     13.5-17.0
NA    mmol/L        139        137              135-145
KAPPA mg/L          612        1,344      H     3.3-19.4
""", {"hemoglobin": 8.6, "sodium": 137, "kappa_flc": 1340}),
    "a column of limits, pairs among them": ("""
Laboratory               10.05.25     09.06.25      Norm
Hemoglobin  g/dl         11,9         10,6          13,5-17,5
LDH  U/l                 181          244           <250
GOT / GPT  U/l           33/41        27/52         <50/<50
Bilirubin mg/dl          0,6          0,5           <1,2
""", {"hemoglobin": 10.6, "ldh": 244, "ast": 27, "alt": 52, "total_bilirubin": 0.5}),
    "units and ranges in columns of their own": ("""
RESULTS          22-Apr     04-May     09-Jun     units     ref
 Hgb             94         87         85         g/L       135-175   L
 Plt             162        190        140        10*9/L    150-400   L
 M-protein       41         --         29         g/L       0         H
 IgG             52.0       --         --         g/L       7-16      H
""", {"hemoglobin": 8.5, "platelets": 140, "serum_m_protein": 2.9, "igg": 5200}),
    "bars": ("""
| item | 2025-05-10 | 2025-06-09 | unit |
|------|------------|------------|------|
| HGB  | 58         | 71         | g/L  |
| Cr   | 168        | 88.4       | umol/L |
| IgA  | -          | 46.2       | g/L  |
""", {"hemoglobin": 7.1, "creatinine": 1.0, "iga": 4620}),
    "tabs": ("Date\t05/10/2025\t06/09/2025\nWBC\t3.1\t3.9\nPLT\t\t112\n", {"wbc": 3.9, "platelets": 112}),
    "newest first": ("""
Labs     06/09/25   05/10/25   04/11/25
Hb       9.8        10.1       10.9
plt      112        101        --
""", {"hemoglobin": 9.8, "platelets": 112}),
    "one value, its columns named": ("""
Test            Result   Flag  Units      Reference
Hemoglobin      9.8      L     g/dL       12.0-15.5
Platelets       112      L     K/uL       150-400
""", {"hemoglobin": 9.8, "platelets": 112}),
    "a row a date": ("""
 date       kappa mg/L   lambda mg/L   ratio
 3/22          14           11         1.3
 9/24         127            9        14.1
 6/2/25       394            9        43.8
""", {"kappa_flc": 394, "lambda_flc": 9, "flc_ratio": 43.8}),
    "a row a date, many tests": ("""
 date          Hgb    WBC   Plt   Cr    M-spike
 10/2023       13.1   6.0   244   0.7   1.6
 06/01/2025    12.6   5.7   255   0.8   1.8
""", {"hemoglobin": 12.6, "wbc": 5.7, "platelets": 255, "creatinine": 0.8, "serum_m_protein": 1.8}),
    "names over values": ("Labs today\nWBC    Hgb    Plt\n3.9    9.8    112\n", {"wbc": 3.9, "hemoglobin": 9.8, "platelets": 112}),
    "names above values": ("Labs today\nHgb\n9.8\nPlt\n112\n", {"hemoglobin": 9.8, "platelets": 112}),
    "a value of another day within a row": ("""
LABS          06/01       06/05       06/09
 WBC          9.1         3.0 L       2.8 L
 M-PROTEIN    3.4 (06/03) --          --   g/dL
 PLT          40 L        21 L        28 L    (plts 06/07)
""", {"wbc": 2.8, "serum_m_protein": 3.4, "platelets": 28}),
    "Nordic": ("""
Analysis                    2025-05-10     2025-06-09      ref
B-Hemoglobin                103            96     L        117-153 g/L
P-LD                        3.8            5.0    H        <3.5 ukat/L
eGFR (kreat, rel)           75             68              mL/min/1.73
tU-M-protein lambda, 24 h   0.15           -               g/24h
""", {"hemoglobin": 9.6, "ldh": 300, "egfr": 68, "urine_m_protein": 150}),
    "bars that are not aligned, limits of one side": ("""
Test | 01/14/2025 | 02/11/2025 | Reference
AST U/L | 31 | 28 | <40
CRP mg/L | - | 7 | <5
LDH U/L | 240 | 233 | <250
""", {"ast": 28, "crp": 7, "ldh": 233}),
    "values that recovered": ("EF recovered from 35% to 55%, platelets have recovered from 12 to 95.", {"lvef": 55, "platelets": 95}),
    "an earlier share in brackets": ("Marrow 02/03/2025: 10% plasma cells (was 70% 03/2024).", {"bone_marrow_plasma_cells": 10}),
}


@pytest.mark.parametrize("name", TABLES)
def test_the_latest_value_of_a_table(name):
    text, values = TABLES[name]
    assert latest(text) == values


@pytest.mark.parametrize(("text", "values"), [
    ("Labs 6/8: Hgb 9.8, plt 112", [("hemoglobin", 9.8, "2025-06-08"), ("platelets", 112, "2025-06-08")]),
    ("Labs 6/8 (5/1): Hgb 9.8 (10.4)", [("hemoglobin", 9.8, "2025-06-08"), ("hemoglobin", 10.4, "2025-05-01")]),
    ("Hgb 8.1 (06:00) 7.9 (14:00)", [("hemoglobin", 7.9, ""), ("hemoglobin", 8.1, "")]),
    ("Hgb 9.8 g/dL (5/1: 10.4; 4/1: 10.9)", [("hemoglobin", 9.8, "2025-06-10"), ("hemoglobin", 10.4, "2025-05-01"), ("hemoglobin", 10.9, "2025-04-01")]),
    ("M-spike 0.4 -> 1.2 -> 1.7 (11/24, 1/25, 2/25)", [("serum_m_protein", 0.4, "2024-11-24"), ("serum_m_protein", 1.2, "2025-01-25"), ("serum_m_protein", 1.7, "2025-02-25")]),
    ("M-spike 2.1 in March -> 3.3 on 6/1", [("serum_m_protein", 2.1, "2025-03"), ("serum_m_protein", 3.3, "2025-06-01")]),
    ("M-spike 1.6 (5/20); 1.1 (4/23)", [("serum_m_protein", 1.1, "2025-04-23"), ("serum_m_protein", 1.6, "2025-05-20")]),
    ("M-spike 1.4 (5/21) from 0.9 (3/12)", [("serum_m_protein", 0.9, "2025-03-12"), ("serum_m_protein", 1.4, "2025-05-21")]),
    ("free lambda 6,120 mg/L on admission, 940 on 6/2", [("lambda_flc", 940, "2025-06-02"), ("lambda_flc", 6120, "")]),
    ("Labs (06/09/2025): WBC 3.9; (05/02/2025): WBC 4.4", [("wbc", 3.9, "2025-06-09"), ("wbc", 4.4, "2025-05-02")]),
    ("On 05/02/2025 Hb was 10.9, on 06/09/2025 9.8.", [("hemoglobin", 9.8, "2025-06-09"), ("hemoglobin", 10.9, "2025-05-02")]),
    ("Component Value Date/Time\nWBC 3.9 06/09/2025 08:10 AM", [("wbc", 3.9, "2025-06-09")]),
    ("Labor vom 12.05.2025:\nHb 9,8 g/dl, eGFR (CKD-EPI 2021) 48", [("egfr", 48, "2025-05-12"), ("hemoglobin", 9.8, "2025-05-12")]),
    ("Paraprotein (2/6) 39 g/L, oedema, haemoglobin", [("serum_m_protein", 3.9, "2025-06-02")]),
    ("EF 54% 11/24, EF 43% 3/2025", [("lvef", 43, "2025-03"), ("lvef", 54, "2024-11-24")]),
    ("LVEF was 45% in 2023, now recovered to 55%", [("lvef", 45, "2023"), ("lvef", 55, "2025-06-10")]),
    ("kappa 98 mg/dL, lambda 0.8, ratio 122 on 5/3 (kappa 41 in March)",
     [("flc_ratio", 122, "2025-05-03"), ("kappa_flc", 410, "2025-03"), ("kappa_flc", 980, "2025-05-03"), ("lambda_flc", 8, "2025-05-03")]),
    ("Today Hb 8.1, plt 31. Yesterday plt 36.", [("hemoglobin", 8.1, "2025-06-10"), ("platelets", 31, "2025-06-10"), ("platelets", 36, "2025-06-09")]),
    ("At diagnosis in 2019: Hb 7.9. Today: Hb 11.2.", [("hemoglobin", 7.9, "2019"), ("hemoglobin", 11.2, "2025-06-10")]),
    ("Presented with Hb 6.9, plt 22.\n\nLabs 6/8\n Hb 8.2  plt 71", [("hemoglobin", 6.9, ""), ("hemoglobin", 8.2, "2025-06-08"), ("platelets", 22, ""), ("platelets", 71, "2025-06-08")]),
    ("SPEP 5/22: M-spike 1.9 g/dL (0.8 in March). Kappa 96 mg/L", [("kappa_flc", 96, "2025-05-22"), ("serum_m_protein", 0.8, "2025-03"), ("serum_m_protein", 1.9, "2025-05-22")]),
])
def test_values_have_their_day(text, values):
    assert history(text) == sorted(values)


def test_the_notes_own_range_is_kept_in_the_canonical_unit():
    lab, = read_labs(Document("Creatinine 96 umol/L (45-88.4)"), NOTE)
    assert (lab.upper_normal, lab.unit) == (pytest.approx(1.0, rel=1e-3), "mg/dL")
    lab, = read_labs(Document("ALT 96 (ULN 41)"), NOTE)
    assert (lab.upper_normal, lab.lower_normal) == (41, None)


def test_a_bound_is_kept():
    lab, = read_labs(Document("IgA <5 mg/dL"), NOTE)
    assert (lab.value, lab.comparator) == (5, "<")


def test_room_air_outranks_oxygen_of_the_same_day():
    found = [(lab.value, lab.condition) for lab in read_labs(Document("Exam: SpO2 91% RA, now 94% on 2 L NC."), NOTE)]
    assert found == [(94, "on oxygen"), (91, "room air")]


def test_evidence_is_the_value_with_its_name():
    text = "CBC today: Hgb 9.8 g/dL; plt 112"
    assert [[e.text for e in lab.evidence] for lab in read_labs(Document(text), NOTE)] == [["Hgb 9.8 g/dL"], ["plt 112"]]


@pytest.mark.parametrize(("text", "ecog", "kps"), [
    ("ECOG 1", 1, None), ("ECOG PS: 2", 2, None), ("PS 1", 1, None), ("ECOG zero", 0, None), ("ECOG II", 2, None), ("WHO performance status 1", 1, None),
    ("performance status of 2", 2, None), ("Eastern Co-operative Oncology Group score three", 3, None), ("ECOG 0-1", 1, None),
    ("KPS 80", None, 80), ("Karnofsky 80 %, ECOG 1", 1, 80), ("KPS 70-80", None, 70), ("ECOG 1 / KPS 80", 1, 80), ("ECOG/KPS 1/80", 1, 80), ("PS 80%", None, 80),
    ("ECOG 1 (mine), was 0 in March", 1, None),
    ("ECOG pre-admit 1; now 3 (bed)", 3, None), ("ECOG prior to admission 1; currently 3.", 3, None), ("performance status 2 at diagnosis and 1 now", 1, None),
    ("PS0", 0, None), ("PS-1", 1, None), ("Perf status 2-3.", 3, None), ("ECOG per RN 10-JUN: 2.", 2, None),
    ("ECOG 2 (from 3 in hospital)", 2, None), ("ECOG 3 on a bad day but 2 overall", 2, None), ("ECOG: l", 1, None),
    ("ECOG 1 (2025-05-06); ECOG 2 (2025-03-18)", 1, None),
    ("ECOG went from 2 to 1", 1, None),
    ("ECOG 2 [template].\nADDENDUM: I make him ECOG 1.", 1, None),
    ("S [carried 4/2024]: in a wheelchair, ECOG 3.\nS [6/10/2025]: shops again, ECOG 1.", 1, None),
    ("Trial requires ECOG 0-2. If ECOG improves to 1, reconsider. ECOG ≤2 needed.", None, None),
    ("PS 3 today (PS 1 until October)", 3, None),
    ("ECOG:  0 [ ]  1 [x]  2 [ ]", 1, None), ("ECOG PS  [ ] 0  [ ] 1  [X] 2", 2, None), ("ECOG: [ ] 0 [ ] 1 [ ] 2", None, None),
    ("good performance status", None, None), ("PS: see above", None, None), ("", None, None),
])
def test_performance(text, ecog, kps):
    assert tuple(reading and reading.value for reading in read_performance(Document(text), NOTE)) == (ecog, kps)


TESTS = sorted(load_vocabulary().tests)
FRAGMENTS = ["Hb ", "WBC", " plt ", "kappa", "M-spike ", "9.8", "112", "3,410", "%", " g/dL", "K/uL", "(", ")", "/", " -> ", "--", "  ", "\n", "\t", "|", "6/8", "06/01/2025", ": ", "; ", "<", "L ", "BP ", " RA", "ECOG "]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join) | st.text(max_size=120))
def test_any_text_is_read_and_quoted_exactly(text):
    doc = Document(text)
    found = read_labs(doc, NOTE)
    assert found == read_labs(Document(text), NOTE)
    for lab in found:
        test = load_vocabulary().tests[lab.test]
        assert lab.unit == test.unit
        assert test.low <= lab.value <= test.high or lab.test == "bun"
        assert all(text[e.start : e.end] == e.text for e in lab.evidence)
    for reading in read_performance(doc, NOTE):
        assert reading is None or text[reading.evidence[0].start : reading.evidence[0].end] == reading.evidence[0].text


def test_every_test_is_found_by_its_name_and_aliases():
    """A row whose name cannot be read from "name: value unit" is a row that does nothing."""
    missing = []
    for test in load_vocabulary().tests.values():
        if test.id in ("ecog", "kps", "blood_pressure", "flc_ratio"):
            continue
        value = (max(test.low, 0.5) * 3 + min(test.high, 1000.0)) / 4
        for name in (test.name, *test.aliases):
            written = name.removeprefix("=")
            text = f"Exam: {written}: {value:.4g} {test.unit if test.unit != '1' else ''}"
            if not any(lab.test == test.id or test.id == "urine_m_protein" for lab in read_labs(Document(text), NOTE)):
                missing.append((test.id, written))
    assert missing == []
