"""Age, sex and the note's date: invented first lines in, facts out."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.notes.demographics import read_age, read_note_date, read_sex
from matcher.notes.document import Document


def age(text, on=None):
    reading = read_age(Document(text), on)
    return None if reading is None else reading.value


def sex(text):
    reading = read_sex(Document(text))
    return None if reading is None else reading.value


@pytest.mark.parametrize(("text", "years"), [
    ("Re: gentleman of 67, myeloma", 67),
    ("(copied 2023) 69 y.o. man with myeloma. Today: he is now 70.", 70),
    ("58-year-old man with anemia.", 58),
    ("A 63 y/o woman presents.", 63),
    ("71M here for labs.", 71),
    ("57F  kappa light chain", 57),
    ("Ms. V is 60. New rib pain.", 60),
    ("Mrs. Ito turned 80 last week.", 80),
    ("The patient is 58, retired.", 58),
    ("He is 63 today.", 63),
    ("Mr. K is 70 kg. Mrs. L is 14 days after transplant.", None),
    ("Age: 64   Sex: male", 64),
    ("Patient aged 74.", 74),
    ("Mr X, 47 years, seen at clinic.", 47),
    ("Mrs X, retired teacher, 68. She drove here.", 68),
    ("Name: withheld   56 yrs / M", 56),
    ("M/62", 62),
    ("62/M with fever", 62),
    ("Pt: F, 64", 64),
    ("Woman, 61 yrs", 61),
    ("our patient, 55 years, male", 55),
    ("Female 61y", 61),
    ("Pt is a 69 -> 70-year-old woman", 70),
    ("A fifty-two-year-old woman", 52),
    ("8-month-old girl", 0),
    ("18 month old boy", 1),
    ("3-day-old newborn", 0),
    ("66yoF with myeloma", 66),
    ("His mother died at 80. He is a 66 year old farmer.", 66),
    ("Father had colon cancer at age 71. 58 yo M.", 58),
    ("diagnosed at the age of 24; now 49-year-old female", 49),
    ("72 / Chinese / Female, now ECOG 3", 72),
    ("Hypertension for 12 years.", None),
    ("Her 40-year-old sister is the donor.", None),
    ("Mrs K, 83, lives alone", 83),
    ("Haem ward round (SpR / F2). 61F  1ary amyloidosis", 61),
    ("", None),
])
def test_age(text, years):
    assert age(text) == years


def test_age_from_the_date_of_birth():
    assert age("DOB: 06/11/1960. Here for follow-up.", date(2025, 6, 10)) == 64
    assert age("DOB: 06/09/1960. Here for follow-up.", date(2025, 6, 10)) == 65
    assert [age(f"{said} 12.02.1957", date(2025, 6, 10)) for said in ("geb.", "geboren am", "née le", "Fecha de nacimiento:", "nato il")] == [68] * 5
    assert age("DOB 03/1960", date(2025, 6, 10)) == 65
    assert age("born in June 1960", date(2025, 6, 10)) is None  # a month that runs leaves two ages, as a year does
    assert age("born in 1960", date(2025, 6, 10)) is None


@pytest.mark.parametrize(("text", "wanted"), [
    ("58-year-old man", "male"),
    ("DOB 10/05/1966 (58)  M   INS: PPO", "male"),
    ("Pt K.L. DOB 1/2/1960 F MRN 1234", "female"),
    ("DOB 1/2/1960 M-spike 2.1", None),
    ("DOB 1/2/1960 F/U visit", None),
    ("63 y/o woman", "female"),
    ("57F", "female"),
    ("71M w/ MM here for f/u", "male"),
    ("62/M", "male"),
    ("Mrs X., 61 year.\nAlbumin  43  42\nM-protein  22", "female"),
    ("Sex: F", "female"),
    ("Sex: [x] M [ ] F   Age at screening: 70 years", "male"),
    ("Gender  [ ] male  [X] female", "female"),
    ("Sex: M [ ] F [x]", "female"),
    ("68-year-old retired teacher seen with her husband. She is well.", "female"),
    ("70 yr old husband of the caller", "male"),
    ("Mrs R., second opinion", "female"),
    ("Kd 2021, MR, then PD. MR spine clear.", None),
    ("Multiple sclerosis (MS), QTc 440 ms, did not miss a dose.", None),
    ("Mrs D., weight 61 kg for 1 m 63", "female"),
    ("Patient of the feminine sex", "female"),
    ("this 74 year old gentleman", "male"),
    ("The patient says she is tired. Her brother drove her.", "female"),
    ("66 yo teacher. Prostate cancer 2009, radical prostatectomy.", "male"),
    ("44 yo teacher, hysterectomy 2016.", "female"),
    ("Mother had diabetes. He feels well.", "male"),
    ("No one is described here.", None),
    ("", None),
])
def test_sex(text, wanted):
    assert sex(text) == wanted


@pytest.mark.parametrize(("text", "wanted"), [
    ("CLINIC NOTE\nDate of service: 03/14/2025\nLabs 03/11/2025: fine", "2025-03-14"),
    ("MYELOMA CLINIC - PROGRESS NOTE  11/6/24\n71M", "2024-11-06"),
    ("PATIENT: K., M.   AGE/SEX: 63F\nONCOLOGY FOLLOW UP 03/18/2026\nDX: myeloma", "2026-03-18"),
    ("Clinic date: 11/09/2025     Dictated 15/09/2025     Typed 18/09/2025", "2025-09-11"),
    ("Admitted 2024-08-02     Discharged 2024-08-29\nPatient: woman", "2024-08-29"),
    ("DOB 03/04/1960   Referral received 02/01/2025\nVisit date: 02/20/2025", "2025-02-20"),
    ("Progress note\nPrinted 05/05/2025   Note date: 05/01/2025", "2025-05-01"),
    ("Time of visit: 2025.06.18   Department: Hematology", "2025-06-18"),
    ("Thurs 5/6/25  ITEM 7\n59M", "2025-06-05"),
    ("Outpatient letter of 17.04.2025\n\npresented on 15.04.2025 and again today", "2025-04-17"),
    ("12 June 2025\n\nDear Colleague", "2025-06-12"),
    ("ADMISSION RECORD   Admission 2025-10-11 09:40   Record 2025-10-12", "2025-10-12"),
    ("NAVIGATOR LOG\n07/30/25 Referral in.\n08/06/25 Consult.\n08/12/25 Echo.\n09/04/25 Collected.", "2025-09-04"),
    ("A letter without a date.\n\nShe was treated from 03/03/2021 until 04/04/2022 and is well.", None),
    ("", None),
    ("Oncology follow-up - 2025-06-03\n72M with lung cancer", "2025-06-03"),
    ("70M with myeloma, progressing.\nSeen by Dr Okoye, Feb 4, 2025", "2025-02-04"),
    ("I had the pleasure of seeing Mr. Almeida, a 55 year old baker, on January 15, 2026. Anaemic since May 2025.", "2026-01-15"),
    ("He is well; no change. " * 12 + "\nCheers, Anna (9 Oct 2024)", "2024-10-09"),
    ("Letter of introduction\nDate: 2024 / 05 / 20\nHb 9", "2024-05-20"),
    ("ONCOLOGY OUTPATIENT      10/Mar/2025\nHb 9", "2025-03-10"),
    ("A dictation on Mr. Kerr, seen in the Ballarat rooms on 27 September 2024.\nMyeloma since 2016.", "2024-09-27"),
    ("ONCOLOGY: CONSULTATION       Dictated 2024-05-30\n\nAug 2014: CyBorD x 4, ASCT Jan 8, 2015", "2024-05-30"),
    ("Dr, good evening. Myeloma, no fever. Can you take him? 17/12/2023", "2023-12-17"),
    ("Dear colleague, thank you for seeing this lady.\nKind regards\n14 March 2025\n", "2025-03-14"),
])
def test_note_date(text, wanted):
    found = read_note_date(Document(text))
    assert (found and found.isoformat()) == wanted


@given(st.text(max_size=200))
def test_any_text_has_readings_that_quote_it(text):
    doc = Document(text)
    on = read_note_date(doc)
    for reading in (read_age(doc, on), read_sex(doc)):
        for evidence in reading.evidence if reading else ():
            assert text[evidence.start : evidence.end] == evidence.text
