"""Lines of therapy from the course of treatment as notes tell it (Rajkumar et al., Blood 2015). Invented patients."""

from __future__ import annotations

from datetime import date

import pytest

from matcher.notes.conditions import read_conditions
from matcher.notes.document import Document
from matcher.notes.therapy import TherapyReading, read_therapy

DATE = date(2025, 3, 1)
SHORT = {
    "V": "bortezomib", "R": "lenalidomide", "D": "daratumumab", "K": "carfilzomib", "P": "pomalidomide", "T": "thalidomide", "C": "cyclophosphamide",
    "X": "selinexor", "E": "elotuzumab", "I": "isatuximab", "Ix": "ixazomib", "d": "dexamethasone", "p": "prednisone", "M": "melphalan", "A": "doxorubicin",
    "cilta": "ciltacabtagene autoleucel", "ide": "idecabtagene vicleucel", "tec": "teclistamab", "elra": "elranatamab", "talq": "talquetamab",
    "bela": "belantamab mafodotin", "bcma-car": "anti-bcma car-t", "cevo": "cevostamab", "benda": "bendamustine", "vcr": "vincristine", "cddp": "cisplatin", "vp16": "etoposide",
}


def reading(text: str) -> TherapyReading:
    doc = Document(text)
    return read_therapy(doc, DATE, read_conditions(doc, DATE))


def lines(text: str) -> list[tuple[set[str], str | None]]:
    return [(set(line.drugs), line.transplant) for line in reading(text).lines]


def expected(shorthand: str) -> list[tuple[set[str], str | None]]:
    """ "V R d +auto | K d" as drugs and transplant, a line each."""
    found = []
    for line in filter(None, (part.split() for part in shorthand.split("|"))):
        transplant = {"+auto": "autologous", "+allo": "allogeneic"}.get(line[-1])
        found.append(({SHORT.get(word, word) for word in line if not word.startswith("+")}, transplant))
    return found


SHAPES = [
    ("numbers in one row", "L1 VRd/ASCT/R maint (2016-2020) L2 DRd 2020-22 L3 KPd 2022-24 L4 cilta-cel 3/24 CR x 20 mo L5 now relapse 11/25 -> tec", "V R d +auto | D R d | K P d | cilta | tec"),
    ("a letter that names no transplant", "She had six courses of Velcade, thalidomide and dexamethasone and her own stem cells returned in January 2018. In the summer of 2021 the light chains crept up and she went on to "
     "Revlimid and dexamethasone. Ixazomib was tried in 2023 but abandoned after a fortnight because of a rash. She has since had eleven cycles of pomalidomide and dexamethasone.", "V T d +auto | R d | Ix | P d"),
    ("listed as failed", "Refractory to VRd, DRd and KPd.", "V R d | D R d | K P d"),
    ("a cell product in a list", "Previously treated with VRd+ASCT, DRd, cilta-cel and talquetamab.", "V R d +auto | D R d | cilta | talq"),
    ("arrows", "58F RRMM. Tx: VRd x4 -> ASCT 3/2017 -> R maint (PD 5/2019) -> DKd 6/2019-8/2021 (PD) -> SPd 9/2021-2/2022 (SD, PD) -> Tec 3/2022-12/2023 PD.",
     "V R d +auto | D K d | X P d | tec"),
    ("numbered L", "Treatment history:\nL1: KRd x 4, ASCT 01/2018, KRd consolidation x2, lenalidomide maintenance until PD 02/2021\nL2: Dara-Pd 03/2021 - 11/2022, best response VGPR, PD\n"
     "L3: Ide-cel 04/2023 (bridging with Kd x1), CR, relapse 08/2024\nL4: Elranatamab 10/2024 - present, VGPR",
     "K R d +auto | D P d | ide | elra"),
    ("table", "| Line | Regimen | Start | Stop | Best response | Reason |\n| 1 | VTD + ASCT | 02/2014 | 09/2014 | CR | completed |\n| 2 | Rd | 03/2017 | 05/2019 | PR | progression |\n"
     "| 3 | DVd | 06/2019 | 07/2021 | VGPR | progression |\n| 4 | Kd | 08/2021 | 03/2022 | MR | progression |", "V T d +auto | R d | D V d | K d"),
    ("words in a letter", "First line: VCD x 6 then autograft May 2015; complete remission, no maintenance. Second line at relapse in August 2018: lenalidomide and dexamethasone, stopped in January 2019 "
     "because of severe rash while in partial response. Third line: ixazomib, cyclophosphamide and dexamethasone from June 2019, progressed September 2020 on treatment. "
     "Fourth line: daratumumab monotherapy, October 2020 to date, VGPR.", "V C d +auto | R d | Ix C d | D"),
    ("dictated, run on", "he got Velcade Cytoxan and Decadron up front in 2012, six rounds, then a stem cell transplant at the university in 2013; when it came back in 2016 we used Revlimid and dex which held him "
     "until 2018 when he progressed, and after that Kyprolis and dex 2018-2019 (progressed), Darzalex with Pomalyst and dex 2019-2021 with progression, then Xpovio and dex for three months in 2021",
     "V C d +auto | R d | K d | D P d | X d"),
    ("narrative", "She was treated initially with bortezomib, lenalidomide and dexamethasone for 6 cycles, achieving a very good partial response, and then underwent autologous stem cell transplantation in November 2016. "
     "She was placed on lenalidomide maintenance. In June 2019 her M-spike rose while on lenalidomide and she was switched to daratumumab, pomalidomide and dexamethasone, with a partial response until disease "
     "progression in March 2021. She then received carfilzomib, cyclophosphamide and dexamethasone from April 2021 through January 2022, when she again progressed. In February 2022 she underwent infusion of "
     "ciltacabtagene autoleucel.", "V R d +auto | D P d | K C d | cilta"),
    ("a paragraph a line", "MM diagnosed 3/2013.\n\nVRd from 4/2013 to 8/2013, followed by melphalan 200 mg/m2 and ASCT on 10/15/2013. Lenalidomide maintenance 1/2014 - 6/2016, stopped due to progression.\n\n"
     "Pomalidomide/dexamethasone 7/2016 - 9/2017. PD.\n\nDaratumumab/carfilzomib/dexamethasone 10/2017 - 4/2020. Progressed.\n\nBelantamab mafodotin 5/2020 - 9/2020. No response.",
     "V R d +auto | P d | D K d | bela"),
    ("dates lead", "2015-03 ~ 2015-08: VTD x5\n2015-10: ASCT (Mel 200)\n2018-01 ~ 2019-05: KRd, PD\n2019-06 ~ 2020-12: DVd, PD\n2021-02: LCAR-B38M CAR-T, CR\n2023-07 ~ 2024-02: Pd, PD",
     "V T d +auto | K R d | D V d | cilta | P d"),
    ("one-liner", "RRMM s/p (1) RVd -> auto -> len; (2) Dara-pom-dex; (3) Kd; (4) belamaf; (5) tec, PD on tec 1/2025.", "V R d +auto | D P d | K d | bela | tec"),
    ("comma list", "Prior therapy: VRd, DPd, Kd, and most recently Blenrep.", "V R d | D P d | K d | bela"),
    ("slashes", "68F w/ RRMM (s/p VRd/ASCT/len, DPd, KCd, Abecma 6/2023) admitted with pneumonia.", "V R d +auto | D P d | K C d | ide"),
    ("ordinals with a dot", "1. line: VCD 4 cycles, HD-melphalan with autologous SCT 11/2018, lenalidomide maintenance to 03/2021 (progression). 2. line: Isa-Kd 04/2021-09/2023 (progression). "
     "3. line: elranatamab since 11/2023.", "V C d R +auto | I K d | elra"),
    ("Roman numbers in brackets", "Lines: (i) RVd/ASCT 2013/R; (ii) Kd; (iii) DPd; (iv) EPd.", "V R d +auto | K d | D P d | E P d"),
    ("latest first in words", "On elranatamab since 8/2024; before that XVd from January to July 2024 without response; before that DRd 2020-2023, which ended with progression; and originally VMP 2018-19.",
     "V M p | D R d | X V d | elra"),
    ("the regimen at hand first", "Here for C8 of DPd. Prior: Rd 2016-2019 (PD), VCd 2020-2021 (stopped for neuropathy). DPd since 6/2024.", "R d | V C d | D P d"),
    ("capitals and years", "LOT1 '11 VD→ASCT (CR)\nLOT2 '15 RD ×36 mo → PD\nLOT3 '18 DVD → PD at 14 mo", "V d +auto | R d | D V d"),
    ("columns of start and end", "#1 VRd + ASCT    start JUN-2015  stop MAY-2018   PD\n#2 KPd    start JUN-2018  stop AUG-2019   PD", "V R d +auto | K P d"),
    ("Roman numbers", "I. VTD x4; autologous transplantation 03/2016; lenalidomide maintenance until progression June 2018.\nII. KRd x6, VGPR; relapse 2022.\nIII. Daratumumab-Pd 12/2022 - 8/2024, PD.",
     "V T d R +auto | K R d | D P d"),
    ("a German table of dates, in words", "Multiple myeloma. Befund (translated): Multiples Myelom IgA kappa, ED 03/2018. Therapie: 4 Zyklen VCD 04-07/18, dann HD-Mel/ASZT am 12.10.18, Lenalidomid-Erhaltung 01/19 bis PD 08/21. Ab 09/21 Dara-Kd, VGPR; PD 11/23. Seit 12/23 Pom-Dex, SD.",
     "V C d R +auto | D K d | P d"),
    ("a French letter", "Dear colleague, Mrs D., 66, IgG kappa myeloma diagnosed in 2016. First line: VTD then autologous graft (Melphalan 200) in December 2016 and lenalidomide until March 2019 (progression under lenalidomide). Second line: DARA-VD from April 2019 to October 2021 (biochemical then clinical progression under monthly daratumumab). Third line: KPd, November 2021, excellent response persisting to this day. She has never been treated with anti-BCMA.",
     "V T d R +auto | D V d | K P d"),
    ("a Brazilian summary", "Multiple myeloma. TTO PREVIO: CTD 6C (2014) -> TCTH auto 03/2015 -> RC ate 2018. 2a linha: VCD 8C 2018-2019 RP. 3a linha: Rd (judicial) 2020-2022 PD. 4a linha (atual): Daratumumabe + Vd desde 01/2023.",
     "C T d +auto | V C d | R d | D V d"),
    ("tablets and injections", "Multiple myeloma. Rx hx: Inj Bortezomib + T. Thalidomide + T. Dexa x 8 cycles (2018). BMT not done. Maintenance T. Lenalidomide 10 mg x 3 yrs, PD on it 2/2022. T. Pomalidomide + Inj Daratumumab + Dexa since 3/2022 - PD 1/2024. Inj Carfilzomib + Cyclophosphamide + Dexa 2/2024 till date. CAR-T not affordable. Never received bispecific or CAR-T.",
     "V T d R | D P d | K C d"),
    ("a Korean chain", "#. MM, IgG/K s/p VTD #4 (19.3~19.6) s/p autoPBSCT (19.8.13) s/p R maint (19.12~21.10) PD -> s/p KRd #8 (21.11~22.8) PD -> s/p DVd? Pd #12 (22.9~23.10) PD -> DCEP #2 -> on IRd",
     "V T d R +auto | K R d | P d | C d vp16 cddp | Ix R d"),
    ("arrows upwards of years", "75F MM '14. Tx hx: Vd '14 (CR) > R mono '17 - '19 (PD) > DVd '19 - '20 (PD) > KPd '20 - '21 (PD) > ven/bor/dex '21 - '22 (PD) > bela '22 x5 (PD) > benda/pred '23.",
     "V d | R | D V d | K P d | venetoclax V d | bela | benda p"),
    ("a referral's abbreviations", "MM hx: RVd->auto->R (PD)->DPd (PD)->KCd (PD). TCR. Apheresed for ide-cel 2/10, bridging w/ SVd x1, infusion set for 3/12.",
     "V R d +auto | D P d | K C d"),
    ("what the trial came after", "She enrolled on MagnetisMM-3 (elranatamab) in 3/2022 after RVd, DPd, and Kd; got 22 months with VGPR, then PD. Currently on talquetamab via EAP.",
     "V R d | D P d | K d | elra | talq"),
    ("one drug added to another", "Multiple myeloma. On Rd since 2019; 1/2021 biochemical progression so daratumumab was added; DRd continued until 8/2023 when he progressed clinically; switched to Kyprolis-Pomalyst-dex.",
     "R d | D R d | K P d"),
    ("a change for toxicity before the transplant", "Multiple myeloma. He started VRd in 1/2020, which was changed to KRd in 3/2020 due to rapidly progressive neuropathy. He completed 6 cycles of KRd with VGPR, underwent auto 10/2020 and has been on lenalidomide since. MRD negative at last marrow.",
     "V R d | K R d +auto"),
    ("changes of dose, then the regimen", "Dose mods: lenalidomide 25 -> 15 mg C3 (cytopenia) -> 10 mg C7 -> held C9 -> resumed 10 mg C10. Bortezomib 1.3 -> 1.0 C2. Regimen: VRd since 2/2024, VGPR. Diagnosed 1/2024, MM R-ISS II.",
     "V R d"),
    ("columns without bars", "Multiple myeloma. LINE  REGIMEN            DATES              BEST  REASON D/C\n1     RVd/ASCT/R         02/18-05/21        CR    PD\n2     DKd                06/21-09/22        VGPR  PD\n3     Cilta-cel          01/24/23           sCR   PD 01/25\n4     Talquetamab        02/25-             PR    ongoing",
     "V R d +auto | D K d | cilta | talq"),
    ("rows of phases", "Multiple myeloma. | Regimen | Start | End | Response | Notes |\n|---|---|---|---|---|\n| CyBorD | 2016-02 | 2016-07 | PR | |\n| ASCT (Mel200) | 2016-09 | | VGPR | |\n| Lenalidomide maintenance | 2016-12 | 2019-04 | | PD |\n| Dara-Pd | 2019-05 | 2021-02 | PR | PD |\n| SVd | 2021-03 | 2021-06 | SD | PD |",
     "V C d R +auto | D P d | X V d"),
    ("dictated with its stops", "Multiple myeloma. Patient is a sixty six year old male. Period. Initial therapy was KRd times four, comma, followed by stem cell transplant, period. Then Revlimid maintenance until progression in 2021 period. Second line Darzalex Velcade dex until 2023 period. Third line is Elrexfio, comma, he is on cycle eight period",
     "K R d +auto | D V d | elra"),
    ("dictated without them", "this is a seventy two year old woman with kappa light chain myeloma she was started on velcade revlimid and dex in march of two thousand nineteen she had four cycles and then a transplant in september she went on revlimid ten milligrams and stayed on it until june of twenty twenty two when her light chains doubled she then started darzalex pomalyst and dex which she took until february of twenty twenty four she progressed and is now on kyprolis cytoxan and dex her third line she has not had any b c m a therapy",
     "V R d +auto | D P d | K C d"),
    ("named regimens with dates and reasons", "Multiple myeloma. PRIOR TREATMENTS\nRegimen A: lenalidomide + dex. 03/15/2016 - 08/20/2018. Best response: VGPR. Reason for d/c: Disease progression.\nRegimen B: daratumumab + bortezomib + dex. 09/10/2018 - 02/02/2021. Best response: PR. Reason for d/c: Disease progression.\nRegimen C: carfilzomib + pomalidomide + dex. 03/01/2021 - 11/30/2022. Best response: PR. Reason for d/c: Disease progression.\nRegimen D: ciltacabtagene autoleucel. 02/14/2023. Best response: sCR. \nPrior BCMA: Y",
     "R d | D V d | K P d | cilta"),
    ("numbered and begun on a day", "SUMMARY OF ANTINEOPLASTIC THERAPY\nLot 1 - Start 2018-01-08 - VRd (stop 2018-06-30) / ASCT 2018-08-02 / R maint stop 2020-12-15 PD\nLot 2 - Start 2021-01-11 - Isa-Kd stop 2022-09-05 PD\nLot 3 - Start 2022-10-03 - linvoseltamab (LINKER-MM1) stop 2024-02-26 PD\nLot 4 - Start 2024-03-25 - Pd + elotuzumab ongoing",
     "V R d +auto | I K d | linvoseltamab | E P d"),
    ("years later", "Multiple myeloma. She was first given MPR in 2011 on protocol. Four years later thalidomide with dexamethasone. In 2018, bortezomib was begun with cyclophosphamide and prednisone. All three were stopped on completion. Since January 2023 daratumumab, lenalidomide and dexamethasone.",
     "M R p | T d | V C p | D R d"),
    ("brackets before each step", "Multiple myeloma. [2017/04] BD x 8, PR [2018/06] Ld start, [2020/03] PD [2020/04] DPd start [2022/08] PD [2022/09] Isa + Kd [2023/12] PD [2024/01] ide-cel (apheresis), [2024/03] infusion [2024/12] PD.",
     "V d | R d | D P d | I K d | ide"),
    ("cells of a row", "Multiple myeloma. Lines: VTD/auto/len -> PD | DRd?? no, Dara mono -> PD | KPd -> PD | CAR-T (Carvykti) 06/24 -> ongoing CR",
     "V T d R +auto | D | K P d | cilta"),
    ("relapses counted", "Multiple myeloma. Relapse #3. Rx so far - (i) CyBorD x 6 + ASCT; (ii) KRd x 12 + R till PD; (iii) DVd till PD Jun 24. Rel #3 therapy: PCd from Jul 24. Financial toxicity +. CAR-T: cannot afford.",
     "V C d +auto | K R d | D V d | P C d"),
    ("on a drug alone now", "MM s/p 2 lines, most recently DRd since 2021, on D alone since 2023 given neutropenia.",
     "D R d"),
    ("French short forms", "Antecedents: MM 2013; L1 VTD-auto-VTD; L2 (2017) Rd arret pour progression 2019; L3 (2019) IPd progression 2020; L4 (2020) Belantamab mafodotin ATU, 6 mois, progression; L5 (2021) KCd progression; L6 (2022) teclistamab ATU en cours, RC.",
     "V T d +auto | R d | Ix P d | bela | K C d | tec"),
    ("the one drug that is told", "PMH: multiple myeloma on Revlimid, HTN. Pt states had 'bone marrow transplant' 3 yrs ago.",
     "R"),
    ("numbers, a relapse and how many courses", "Mrs K, born 1951. Dx 2015 IgG-lambda MM stage II. Therapy: 1) 5x VCD, apheresis, HDM 200 + ASCT 02/16, CR. 2) 03/19 relapse: 10x EloRd until 05/20 (PD). 3) 06/20-01/22 DaraPomDex, PD. 4) since 02/22 Kd56, partial response, PD 01/25.",
     "V C d +auto | E R d | D P d | K d"),
    ("lines with their dates ahead", "Multiple myeloma. Line 1 (05/2017): VTD induction x4; HDM/ASCT 11/2017; VTD consolidation x2. Line 2 (09/2020): IRd, biochemical relapse 02/2022. Line 3 (03/2022): Isa-Pd, PD 12/2023. Line 4 (01/2024): Vd-selinexor, ongoing, MR. No CAR-T, no bispecific.",
     "V T d +auto | Ix R d | I P d | X V d"),
    ("said in small letters", "Multiple myeloma. she started out on revlimid and dex and that held her for almost three years then she went on to velcade cytoxan dex which she could not tolerate because of her feet and after that daratumumab alone and she is still on daratumumab every four weeks",
     "R d | V C d | D"),
    ("years and months ahead", "Multiple myeloma. 2019/05 Rd-DARA (MAIA trial arm) -> CR -> 2024/02 PD on dara+len. 2024/03 SVd -> PR; 2024/11 PD. 2024/12 Kd.",
     "D R d | X V d | K d"),
    ("the last line first", "Line 5 now: Iberdomide/dex (CC-220-MM-002). L4 Elranatamab. L3 Dara-Kd. L2 Pd. L1 VRd + ASCT.",
     "V R d +auto | P d | D K d | elra | iberdomide d"),
]


@pytest.mark.parametrize(("text", "course"), [case[1:] for case in SHAPES], ids=[case[0] for case in SHAPES])
def test_the_course_in_the_shapes_clinicians_write_it(text, course):
    assert lines(text) == expected(course)


@pytest.mark.parametrize(("text", "course"), [
    # induction, transplant, consolidation and maintenance are one planned course
    ("D-VRd x6, ASCT 3/2022, D-VRd x2 consolidation, lenalidomide maintenance ongoing.", "D V R d +auto"),
    ("VCD x4, autologous transplant 2016, thalidomide maintenance.", "V C d T +auto"),
    ("PAD x4, tandem autologous transplants (3/2012 and 8/2012).", "V A d +auto"),
    ("VRd x4, ASCT 5/2013. Relapse 2016: KPd x4 then allogeneic transplant from sister 3/2017.", "V R d +auto | K P d +allo"),
    # a few cycles, a few of another combination, then the transplant: one induction; intensified for a response short of the aim
    ("VCD x3 -> VRd x3 -> ASCT 5/2016. Relapse 2019: DPd.", "V C d R +auto | D P d"),
    ("VCd x4 with only a partial response, so lenalidomide was substituted for cyclophosphamide; ASCT 6/2018.", "V C d R +auto"),
    # the induction told after its transplant
    ("VRd 2015, ASCT 2015, no maintenance, relapse 2018. 2nd ASCT 3/2018 after VCd x3, thalidomide maintenance.", "V R d +auto | V C d T +auto"),
    # a bracket that adds to the name before it
    ("Revlimid 2019-2022 (with Velcade through 2020, dex).\nPomalyst 2022-2024 (w/ Darzalex + dex).", "R V d | P D d"),
    # dropping one drug begins none; exchanging one for toxicity does
    ("DVd from 6/2019; Velcade dropped after 4 cycles for neuropathy, PD on Dara 3/2021. Kd since 4/2021.", "D V d | K d"),
    ("Started VRd 5/2020; after 2 cycles bortezomib was stopped for grade 3 neuropathy and she was switched to KRd 7/2020 x6, CR. ASCT 2/2021.", "V R d | K R d +auto"),
    ("Rd from 3/2018; biochemical progression 8/2020, daratumumab added (DRd) 9/2020 - 12/2022, progression.", "R d | D R d"),
    # a break that was not planned, then the same again
    ("Rd 2015-2017, in CR, stopped by patient's choice. Biochemical relapse 2019: Rd restarted 6/2019, PR until 4/2021 progression on Rd.", "R d | R d"),
    # bridging, lymphodepletion, palliative radiotherapy and supportive steroids begin none
    ("1. DPd 2019-2021, PD. 2. cilta-cel infused 3/2023 after bridging KCd x2 and Flu/Cy; dexamethasone for CRS. RT 8 Gy to the hip 5/2024.", "D P d | cilta"),
    # planned, declined, never given: no line
    ("VRd x8 2019, len maintenance to PD 2022; DVd 2022 to PD 6/2024. Elranatamab was approved but never started because of infection; started EPd 8/2024 instead.", "V R d | D V d | E P d"),
    ("VRd 2020. She was offered DPd and declined. Plan: Kd to start next week.", "V R d"),
    ("KRd? never filled. DRd 2019-2022, PD.", "D R d"),
    # somebody else's
    ("Her sister, who also has myeloma, was treated with Carvykti last year. The patient herself: VMP x9 2018-2019, PR.", "V M p"),
    # another cancer's
    ("Diffuse large B-cell lymphoma 2010: R-CHOP x6.\n\nMultiple myeloma 2019: VRd 2019-2020. Relapse 2022, DKd.", "V R d | D K d"),
    # a correction replaces what it withdraws
    ("VRd/ASCT 2018. DPd 2021-2022, PD. Teclistamab 2023, CR.\nADDENDUM: previous entry wrong, the drug given in 2023 was talquetamab, not teclistamab.", "V R d +auto | D P d | talq"),
    # an unnamed product
    ("Line 1 VRd+ASCT 2016. Line 2 DPd 2019-2021, PD. Line 3 BCMA CAR-T on a trial, infused 3/2022.", "V R d +auto | D P d | bcma-car"),
])
def test_what_begins_a_line_and_what_does_not(text, course):
    assert lines(text) == expected(course)


@pytest.mark.parametrize(("text", "course"), [
    ("VRd 2018, PD. Pomalidomide arm of a trial: pomalidomide, bortezomib and dexamethasone 3/2020 to 5/2021, PD.", "V R d | P V d"),  # a label, then what it stands for
    ("L1 VTD 2016. L2 2018 assigned to the ixazomib group (ixazomib + lenalidomide + dexamethasone), PD 2020.", "V T d | Ix R d"),
    ("Line\tRegimen\tDates\n1\tVCd x2 then VRd x4\t2019\n2\tDPd\t2021-2023\n3\tKd\t2023 - ongoing", "V C d R | D P d | K d"),  # a row is one line
    ("4/2016 - 8/2016 Chemotherapy: RVd\n2/14/2017 Autologous transplant\n4/2020 - 5/2021 Chemotherapy: daratumumab, pomalidomide, dexamethasone\n12/20/2021 Cellular Therapy: ide-cel",
     "V R d +auto | D P d | ide"),  # a kind that only introduces what is told
    ("VRd 2016, PD. Belantamab 2021 and teclistamab 2023.", "V R d | bela | tec"),
    ("Elranatamab C7D1. Before this: VRd 2019-2021, PD. Elra began 7/2022.", "V R d | elra"),  # told again with its date
    ("VRd, auto 2017. DPd 2019-2021, PD. EVd also not. KCd 2021, PD. H/o DVT 2018 on len.", "V R d +auto | D P d | K C d"),
    ("VCd 2015; relapse 2018: randomised to the isatuximab arm = isatuximab, carfilzomib, dexamethasone, 2018-2021, PD.", "V C d | I K d"),
    ("October 2021: carfilzomib, pomalidomide, dexamethasone; progressed.\nMay 2018: allogeneic transplant from a brother, done after three courses of DVd given for second relapse. "
     "The DVd was started in January 2018.\nMarch 2014: VRd, then autologous transplant in August 2014.", "V R d +auto | D V d +allo | K P d"),
    ("VCd 4 cycles 2017, then lenalidomide maintenance, PD on it. DPd, PD. KCd, PD. Bortezomib was last given in 2017 as part of VCd.", "V C d R | D P d | K C d"),  # told again
    ("VRd 2016 PD. DKd 2019 PD. Pd 2021 PD. Len last taken 2018 (component of VRd).", "V R d | D K d | P d"),
    ("Line 1: VTD 2018. Line 2: ixazomib (compassionate use), lenalidomide, dexamethasone from May 2020, PD.", "V T d | Ix R d"),  # a remark between the names
    ("Line 1: VTD 2018. Line 2: carfilzomib (self-funded), cyclophosphamide and dexamethasone 2020, PD.", "V T d | K C d"),
    ("- 03/2019 VRd x6, refused autograft, lenalidomide maintenance till 02/2022, PD on len\n- 03/2022 DKd till 2024, PD", "V R d | D K d"),  # what was declined comes after
    ("VCd x 6 cycles, did not want a transplant, thalidomide maintenance until 5/2019, relapse. DRd since 2020.", "V C d T | D R d"),
    ("Line 1: 03/2014 VCd x4, autologous transplant 9/2014.\n\nLine 2: 02/2017 KRd x4, followed by planned allogeneic transplant from a sister 08/2017. Relapse 2019.\n\nLine 3: DPd 2019 - 2021, PD.",
     "V C d +auto | K R d +allo | D P d"),
    ("1st line 05/2019: VCD 4x, melphalan with autologous stem cell return 23-10-2019.", "V C d +auto"),
    ("VTD x4, HDM 200 and autologous PBSC support on 3 May 2018.", "V T d +auto"),
    ("Rd 2019, PD 2021. From 5/2021 KRd was not chosen; Pd (pomalidomide, dexamethasone) was given, PD 2022.", "R d | P d"),
    ("Study drug today: elranatamab, dose 7. Current VGPR.\n\n3 | DPd | 2021-2022 | PD\n2 | Kd | 2019-2020 | PD\n1 | VCd | 2016 | CR", "V C d | K d | D P d | elra"),  # at hand: the last
    ("RRMM. Received teclistamab yesterday, week 3. Before that, see chart; last was DPd, progressed 1/2024.", "D P d | tec"),
    ("Given talquetamab this morning.\n\nPrior lines:\n1. VRd 2018\n2. DKd 2020\n3. Pd 2021", "V R d | D K d | P d | talq"),
    ("Myeloma 2020: VRd 2020, PD. DKd 2022, PD.\nFollicular lymphoma 2015: R-CHOP, axi-cel 2019, remission.\nICANS grade 2 after axi-cel in 2019.", "V R d | D K d"),
    ("Assessment: quad-refractory MM. Prior: VRd/ASCT(2014)/R; Kd; DPd; SVd; most recently venetoclax-dex. CAR-T slot requested.", "V R d +auto | K d | D P d | X V d | venetoclax d"),  # past, in an assessment
    ("RRMM. Current: Sarclisa + Kyprolis + dex (C11). Previous: Revlimid/Velcade/dex (2019-20), Revlimid alone (2020-23).", "V R d | I K d"),
    ("RRMM, day +30 after Abecma. Bridging was DPd. MM treated first w/ VRd & auto (2019), then KPd 2021 until PD 2022, then Isa-Kd until PD 2023.", "V R d +auto | K P d | I K d | ide"),
    ("RRMM. In CR on len maintenance after VRd and ASCT until 2021, then PD. DKd 2021-23, PD. Now on teclistamab, C9.", "V R d +auto | D K d | tec"),
    ("MM. 'velcade shots' and decadron in 2014, his own cells back in 2015. It came back in 2019: 'revlimid pills' w/ decadron till it quit working.", "V d +auto | R d"),
    ("MM. VCd 4/2015 to 9/2015.\n* Auto 12/2015.\n* Revlimid 10 mg from March 2016 to 2019, PD.\n* DPd 2019-2021, PD.", "V C d R +auto | D P d"),  # soon after the transplant: its maintenance
    ("MM. He got Revlimid and dexamethasone to begin with until 2021 when it stopped working and then he was given daratumumab with Velcade and dexamethasone and the Velcade came off "
     "and he progressed on that and since August he has been on what we call KPd sorry correction not KPd he is on the combination of selinexor with pomalidomide and dexamethasone",
     "R d | D V d | X P d"),  # dictated, with a slip of the tongue
    ("MM. Treatment plan: DKd\n cycle start status\n 1  01/06/2025  given  carfilzomib held on day 8\n 2  02/03/2025  in progress", "D K d"),  # cycles of a plan
])
def test_what_stands_for_what_is_told_elsewhere(text, course):
    assert lines(text) == expected(course)


@pytest.mark.parametrize("text", [
    "52F with smoldering multiple myeloma, never treated. We discussed a trial of daratumumab; she declines.",
    "Metastatic breast cancer treated with paclitaxel, then capecitabine. No myeloma.",
    "Stage IV follicular lymphoma: R-CHOP x6 2015, then BEAM and autologous transplant 2018.",
    "AML, NPM1 negative, FLT3-ITd positive, treated abroad.",
    "Rheumatoid arthritis on prednisone 5 mg and methotrexate.",
    "",
])
def test_no_lines(text):
    assert lines(text) == []


@pytest.mark.parametrize(("text", "number"), [
    ("62M heavily pretreated IgG kappa MM (8 prior lines). Teclistamab 2024, PD.", 8),
    ("Myeloma s/p 5 LOT, last DPd 2022-2024.", 5),
    ("MM. VRd 2018. Off tx 8 mos then DPd 2022-2024.", 2),
    ("MM, so five lines in all; last was Kd 2023, PD.", 5),
    ("Myeloma. Now on seventh-line Pd since 3/2024.", 7),
    ("MM. Three prior lines. VRd 2018, DPd 2020.", 3),
    ("MM. Three prior lines plus the current one. VRd 2018, DPd 2020.", 4),
    ("MM. VRd 2018, PD. DPd 2020-2022, PD. Trial requires at least 3 prior lines.", 2),
    ("MM. BMT counted 4 lines; minutes to read THREE prior lines. VRd 2018 to PD 2019. Kd 2020 to PD 2021. DPd 2022.", 3),
    ("MM. 3 prior lines. DPd 2020.\n\nADDENDUM: old records show five prior lines, not 3.", 5),
    ("Myeloma, newly diagnosed, no treatment so far.", 0),
    ("MGUS since 2017, yearly review.", 0),
    ("Myeloma s/p 3 prior lines (copied). SVd since 3/2025, that is line #5.", 5),
    ("Myeloma. Lines: 1. Vel-Dex 2014, relapse 2019. 2. DVd 2019-2021, PD.", 2),
    ("Pneumonia, two IV lines placed.", None),
    ("Myeloma, VRd 2018, PD. Kd 2020. No edema, no lines.", 2),
    ("Myeloma. [x] 2 to 4 prior lines: = 3", 3),
    ("Myeloma, VRd x8, CR; BMT not willing. Relapse 2/2023: VRd not repeated, given KRd.", 2),
    ("Myeloma, VRd 2018, PD; two collections, two lots, nothing infused. DPd 2020.", 2),
    ("Myeloma, 5 prior lines before elranatamab (so this is line 6). Elranatamab since 7/2024.", 6),
    ("Lymphoma. Treatment complete: R-CHOP 2022, CMR.", None),
    ("Prostate cancer, docetaxel 2019. He has not had any other cancer treatment.", None),
])
def test_number_of_lines(text, number):
    found = reading(text).n_lines
    assert (found.value if found else None) == number


@pytest.mark.parametrize(("text", "told"), [
    ("DPd 03/2021 - 11/2022, best response VGPR, then PD on treatment.", [("DPd", "2021-03", "2022-11", "VGPR", "progression")]),
    ("DVd Apr 2021 -> progressed Jan 2022.", [("DVd", "2021-04", "2022-01", None, "progression")]),
    # the dates that lead a row are the row's
    ("\n11/2016-03/2017  VRd x5\n07/2017-09/2019  Len maintenance; PD 9/2019\n10/2019-06/2021  DPd -> PD\n",
     [("VRd", "2016-11", "2019-09", None, "progression"), ("DPd", "2019-10", "2021-06", None, "progression")]),
    ("KPd 1/2022-3/2023. Now on belantamab (Blenrep) + Pd since 2/2024.", [("KPd", "2022-01", "2023-03", None, None), ("Pd", "2024-02", "None", None, None)]),
    ("CyBorD x2, ASCT 11/2022, daratumumab maintenance. Kappa 45, then 890. He was started on carfilzomib/pomalidomide/dexamethasone.",
     [("CyBorD", "2022-11", "None", None, None), (None, "None", "None", None, None)]),
    ("KPd 7/2020-3/2021, stopped 2/2 afib.", [("KPd", "2020-07", "2021-03", None, "other")]),  # secondary to
    ("Start of Kd 06/2023; 10/2023 PD.", [("Kd", "2023-06", "2023-10", None, "progression")]),
    ("Ide-cel: apheresis 6/2023, bridging Kd x1, infused 8/2/2023.", [(None, "2023-08-02", "2023-08-02", None, None)]),
    # maintenance ends the line that it belongs to
    ("KRd x4 01/2017, ASCT 01/2018, KRd consolidation x2, lenalidomide maintenance until PD 02/2021.", [("KRd", "2017-01", "2021-02", None, "progression")]),
    ("VRd 1/2017-5/2017, auto 8/2017. Revlimid maintenance from 11/2017, stopped 10/2021 for cytopenias. Relapse 3/2024.", [("VRd", "2017-01", "2021-10", None, "toxicity")]),
    ("KRd 2/2018 - 8/2018. Autologous transplant 9/27/2018. Maintenance with lenalidomide and ixazomib June 2019 through November 2021; M-protein rose on both drugs.",
     [("KRd", "2018-02", "2021-11", None, "progression")]),
    ("VRd (5/2018 - 9/2018), VGPR. Lenalidomide maintenance from 2/2019. Progression on maintenance 03/2022.", [("VRd", "2018-05", "2022-03", "VGPR", "progression")]),
    ("EPd since 3/2024. PD by SPEP on 10/12/2024. Last dose of pomalidomide and elotuzumab 10/05/2024.", [("EPd", "2024-03", "2024-10-05", None, "progression")]),
    # the columns of a table
    ("\n| 1 | VRd x6 -> ASCT (07/2017) -> len maintenance | 01/2017 | 10/2018 | CR | PD on len |\n| 2 | Dara-Pd | 11/2018 | 06/2020 | VGPR | PD |",
     [("VRd", "2017-01", "2018-10", "CR", "progression"), ("Dara-Pd", "2018-11", "2020-06", "VGPR", "progression")]),
    ("Kd 1/2023 to 2/2024; stopped for heart failure.", [("Kd", "2023-01", "2024-02", None, "toxicity")]),
    ("VMP x9 (Feb 2018 to Jan 2019), complete response, treatment finished as planned. Relapse in June 2022.", [("VMP", "2018-02", "2019-01", "CR", "completion")]),
    ("Teclistamab 2/2023, VGPR. Last dose 10/21/24 (held after PET).", [(None, "2023-02", "2024-10-21", "VGPR", "other")]),
    ("DRd 3/2019-, ongoing, VGPR.", [("DRd", "2019-03", "None", "VGPR", None)]),
    ("Cilta-cel infused 3/14/2023, sCR. PD 1/2025.", [(None, "2023-03-14", "2023-03-14", "sCR", None)]),
])
def test_a_line_carries_its_name_dates_response_and_end(text, told):
    assert [(line.regimen, str(line.start), str(line.end), line.best_response, line.reason_stopped) for line in reading("Multiple myeloma. " + text).lines] == told


@pytest.mark.parametrize(("text", "flags"), [
    ("MM. BCMA-naive. Teclistamab 2023, PD.", ['BCMA: the note says "BCMA-naive", and tells of teclistamab']),
    ("MM. One prior line. VRd 2018, PD 2020. DPd 2020-2022, PD.", ["Lines: the note states 1 and describes 2"]),
    ("MM. Two prior lines. VRd 2018, PD 2020. DPd 2020-2022, PD. BCMA-naive.", []),
])
def test_what_the_note_says_in_two_ways_is_flagged(text, flags):
    assert [flag.value for flag in reading(text).flags] == flags


@pytest.mark.parametrize(("text", "transplants"), [
    ("VRd then ASCT 03/15/2017.", [("autologous", "2017-03-15")]),
    ("2018-11-09 autologous stem cell transplantation.", [("autologous", "2018-11-09")]),
    ("Mel 200 + auto SCT 08/2018", [("autologous", "2018-08")]),
    ("auto #1 (6/14/2011), auto #2 (11/8/2018)", [("autologous", "2011-06-14"), ("autologous", "2018-11-08")]),
    ("Allogeneic transplant from her brother in 2019 after KRd.", [("allogeneic", "2019")]),
    ("VRd x4, ASCT deferred. Autologous transplant is planned for June.", []),
    ("Kidney transplant 2010.", []),
    ("Service: BMT/Cellular Therapy.", []),
    ("Not a transplant candidate. Stem cells collected and stored.", []),
])
def test_transplants(text, transplants):
    assert [(t.type, str(t.date)) for t in reading(text).transplants] == transplants
