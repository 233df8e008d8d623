"""Dates as people write them: text in, dates out."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.dates import day_first, find_dates

NOTE = date(2025, 6, 10)


def dates(text, **how):
    return [str(mention.date) for mention in find_dates(text, **how)]


@pytest.mark.parametrize(("text", "found"), [
    ("Seen 2025-03-14.", ["2025-03-14"]),
    ("2018/05/03 and 2024.10.30", ["2018-05-03", "2024-10-30"]),
    ("since 2018-05", ["2018-05"]),
    ("03/14/2025", ["2025-03-14"]),
    ("11/6/24", ["2024-11-06"]),
    ("27.08.2024", ["2024-08-27"]),
    ("18-12-2023", ["2023-12-18"]),
    ("Dx 02/2018, PD 9/2022", ["2018-02", "2022-09"]),
    ("14 March 2025; 3-Feb-25; 17-Jul-2023; 9-Jan-24", ["2025-03-14", "2025-02-03", "2023-07-17", "2024-01-09"]),
    ("March 14, 2025 and Sept. 3rd, 2024", ["2025-03-14", "2024-09-03"]),
    ("Feb 2023, Dec. 2019, March of 2011, Jan '24", ["2023-02", "2019-12", "2011-03", "2024-01"]),
    ("MI in 2011, dx '17", ["2011", "2017"]),
    ("VTD 2014-15, Rd 2016-2018", ["2014", "2015", "2016", "2018"]),
    ("12/2023-1/2024", ["2023-12", "2024-01"]),
    ("Informe del 2 de junio de 2025, den 12. März 2024, le 3 mai 2023", ["2025-06-02", "2024-03-12", "2023-05-03"]),
    ("Lab 10 July 2025: Hb 12; lab 9-Jun-2025: Hb 11; 3 May 24: Hb 10", ["2025-07-10", "2025-06-09", "2024-05-03"]),
    ("2O24-O1-O2", ["2024-01-02"]),  # a scan's zeros
    ("Date : 09 - Oct - 2023 , relapse Mar - 2021", ["2023-10-09", "2021-03"]),
])
def test_dates_with_a_year(text, found):
    assert dates(text) == found


@pytest.mark.parametrize(("text", "found"), [
    ("Labs 5/12:", ["2025-05-12"]),
    ("echo 22 May, marrow May 28", ["2025-05-22", "2025-05-28"]),
    ("induction 12/05 - 24/10/2024", ["2024-05-12", "2024-10-24"]),  # the year of the end
    ("clinic 7/2", ["2025-07-02"]),              # next month's plan
    ("last Dec, in October, (Feb)", ["2024-12", "2024-10", "2025-02"]),
    ("flu shot 11/3", ["2024-11-03"]),           # the last one before the note
    ("KRd 6/16", ["2025-06-16"]),                # or June 2016: the other meaning
])
def test_dates_without_a_year_are_near_the_note(text, found):
    assert dates(text, as_of=NOTE) == found


@pytest.mark.parametrize(("text", "found"), [
    ("stroke two years ago", ["2023"]),
    ("bled six weeks ago, infarction 3 months ago", ["2025-04-29", "2025-03"]),
    ("last dose 10 days ago; a year ago; 2 wks back", ["2025-05-31", "2024", "2025-05-27"]),
    ("8 months ago", ["2024-10"]),
    ("more than 5 years ago, over 2 weeks ago, > 3 months ago", []),  # a side of the time
    ("2 to 3 weeks ago, 5-6 years ago", []),
    ("back pain for 3 weeks, some time ago", []),
])
def test_how_long_ago_is_a_date_where_the_note_has_one(text, found):
    assert dates(text, as_of=NOTE) == found
    assert dates(text) == []


def test_a_short_date_has_two_meanings():
    mention, = find_dates("stopped 3/22", as_of=NOTE)
    assert (str(mention.date), str(mention.other)) == ("2025-03-22", "2022-03")


def test_a_short_date_after_the_note_is_a_month_of_its_year():
    mention, = find_dates("M-spike 1.7 (2/25)", as_of=date(2025, 2, 20))
    assert (str(mention.date), str(mention.other)) == ("2025-02", "2025-02-25")


@pytest.mark.parametrize("text", [
    "BP 118/70", "pain 3/10", "vision 20/60", "10-25 mg", "0.7-1.3", "t(11;14)", "strength 4/5", "24/7", "PAX8, CD138", "IgG 2010 mg/dL", "version 1.2.3",
    "he may 2 things", "5 cycles", "", "31/31/2025",
])
def test_not_dates(text):
    assert dates(text, as_of=NOTE) == []


@pytest.mark.parametrize(("text", "wanted"), [
    ("seen 14/03/2025, typed 03/04/2025", True),
    ("seen 03/14/2025, next 03/04/2025", False),
    ("Thurs 5/6/25", True),                       # a Thursday as 5 June only
    ("07.03.2024", True),
    ("03/04/2025 CT 28/2", True),
    ("03/04/2025 haemoglobin 101, oedema", True),
    ("03/04/2025 Hgb 10.1, edema", False),
    ("03/04/2025", None),
    ("", None),
])
def test_which_comes_first(text, wanted):
    assert day_first(text) is wanted


def test_the_order_may_be_told():
    assert dates("03/04/2025", day_first=True) == ["2025-04-03"]
    assert dates("03/04/2025", day_first=False) == ["2025-03-04"]


FORMATS = ["%Y-%m-%d", "%d %B %Y", "%B %d, %Y", "%d-%b-%Y", "%d-%b-%y", "%Y/%m/%d", "%Y.%m.%d"]


@given(st.dates(date(1950, 1, 1), date(2044, 12, 31)), st.sampled_from(FORMATS))
def test_a_written_date_is_read_back(day, form):
    if form.endswith("%y") and not 1950 <= day.year < 2045:
        return
    assert dates(f"on {day.strftime(form)}.") == [day.isoformat()]


@given(st.dates(date(1950, 1, 1), date(2044, 12, 31)), st.booleans())
def test_numeric_dates_follow_the_order(day, first):
    assert dates(day.strftime("%d/%m/%Y" if first else "%m/%d/%Y"), day_first=first) == [day.isoformat()]


@given(st.text(st.sampled_from("0123456789/-. Ojan Febmry'()"), max_size=60))
def test_mentions_are_ordered_places_of_the_text(text):
    end = 0
    for mention in find_dates(text, as_of=NOTE):
        assert end <= mention.start < mention.end <= len(text)
        end = mention.end
