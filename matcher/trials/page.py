"""A trial document that is only text: a saved registry page, an export, a pasted protocol synopsis."""

from __future__ import annotations

import re
from dataclasses import dataclass

from matcher.trials.segment import headings

# What follows the criteria on registry pages and their copies.
_AFTER = re.compile(
    r"^[ \t#*|]*(?:\d{1,2}(?:\.\d{1,2}){0,3}\.?[ \t]+)?(?:trial details|trial id|contacts?(?: and locations?| information| a trial team)?|to learn more about this study|(?:study |international )?(?:locations?|sites?)"
    r"|study (?:design|plan|details|contacts?|type|officials?)|(?:lead )?sponsors?(?: (?:and|/|&) collaborators?)?|(?:primary |secondary |what is the study measuring\W*)?outcomes?(?: measures?)?"
    r"|arms?(?: groups?)?(?: (?:and|&) interventions?)?|interventions?|more information|publications?|how is the study designed\W*|collaborators?|investigators?|references|timeline"
    r"|(?:subject |patient |participant )?(?:withdrawal|discontinuation)(?: criteria)?|screen failures|lifestyle considerations|study (?:procedures|treatments?|assessments|objectives)|objectives|(?:primary |secondary )?endpoints?|statistical (?:methods|considerations|analysis)"
    r"|central contacts?|keywords?|other study id numbers|last update\w*)[ \t]*:?[ \t|]*$",
    re.IGNORECASE | re.MULTILINE,
)
_AFTER_SENTENCE = re.compile(r"^(?:to learn more about this study|if you are interested in learning more|please refer to this study|this platform is for informational)", re.IGNORECASE | re.MULTILINE)
MOST_DEMANDS = 200  # sentences; no criteria are so many
_DEMAND = re.compile(
    r"(?:(?<=[.!?]\s)|(?<=\n))(?:(?:all|eligible) )?(?:patients?|subjects?|participants?|they|women|men)\b[^.\n]{0,120}\b(?:must|should|are (?:not )?eligible|(?:are|will be) excluded)\b(?:[^.\n]|\.\d){0,300}\.?",
    re.IGNORECASE,
)
NCT = re.compile(r"\bNCT\d{8}\b", re.IGNORECASE)

_STATUSES = "not yet recruiting|recruiting|active, not recruiting|enrolling by invitation|completed|terminated|suspended|withdrawn|unknown status|no longer available|available"
_STATUS = re.compile(rf"\b(?:overall|recruitment|recruiting|trial|study)?[ \t]*status\b[ \t]*[:|\-]*\s*[|]?\s*(?P<status>{_STATUSES})\b", re.IGNORECASE)
_PHASE = re.compile(r"\b(?P<phase>(?:early[ \t]+)?phase[ \t]*(?:[1-4]|i{1,3}v?|iv)[ab]?(?:[ \t]*(?:/|-|and)[ \t]*(?:phase[ \t]*)?(?:[1-4]|i{1,3}|iv)[ab]?)?|not applicable)\b(?![ \t]*:)", re.IGNORECASE)
_AGES = re.compile(
    r"\bages?(?:[ \t]+eligible[ \t]+for[ \t]+study)?\b(?:[ \t]*:)?[ \t|]*(?P<low>\d{1,3})[ \t]*(?P<unit>years?|months?|days?|weeks?)?[ \t]*(?:(?:-|–|to|up to)[ \t]*(?P<high>\d{1,3})[ \t]*(?P<high_unit>years?|months?)?|(?P<older>and (?:older|over|above)|\+))",
    re.IGNORECASE,
)
_SEX = re.compile(r"\b(?:gender|sex(?:es)?(?:[ \t]+eligible[ \t]+for[ \t]+study)?)\b[ \t]*:?[ \t|]*(?P<sex>all|both|female|male)\b", re.IGNORECASE)
_SPONSOR = re.compile(r"^[ \t|]*(?:lead[ \t]+sponsor|sponsor|responsible[ \t]+party|sponsored[ \t]+by)\b[ \t]*:?[ \t|]*(?P<rest>[^\n]*)", re.IGNORECASE | re.MULTILINE)
_COUNTRIES = "China|United States|Japan|Korea, Republic of|South Korea|United Kingdom|France|Germany|Spain|Italy|Canada|Australia|Belgium|Netherlands|Sweden|Norway|Denmark|Finland|Poland|Israel|India|Brazil|Turkey|Greece|Portugal|Austria|Switzerland|Ireland|Taiwan|Singapore|Thailand|Russia|Mexico|Argentina|Czechia|Hungary|Hong Kong|New Zealand|South Africa|Egypt"
_PLACE = re.compile(rf"^[ \t|*-]*(?P<place>[^\n|:.]{{2,60}},[ \t]*(?:{_COUNTRIES}))(?:,[ \t]*\d+)?[ \t|]*$", re.MULTILINE)
_OFFICIAL = re.compile(r"^[ \t|]*official title[ \t]*:?[ \t|]*(?P<title>[^\n|]{10,})", re.IGNORECASE | re.MULTILINE)
_INTERVENTION = re.compile(r"\b(?:drug|biological|genetic|combination[_ ]product|procedure|device|experimental)\s*:\s*(?:experimental\s*:\s*)?(?P<name>[^\n|]{3,160}(?:\n[^\n|:]{3,160}(?=[ \t]*\|[ \t]*$))?)", re.IGNORECASE | re.MULTILINE)
_INSTITUTION = re.compile(r"^[ \t|]*(?P<name>[^\n|:.]{0,60}\b(?:Hospital|University|Institute|Cancer Cent(?:er|re)|Clinic|Medical Cent(?:er|re))\b[^\n|:.]{0,60}?)[ \t|]*$", re.MULTILINE)
_CODE = re.compile(r"\b(?!NCT|ICD|ISO|FDA|CTCAE|IMWG|COVID|PHASE|GRADE)[A-Z]{2,6}-?\d{3,6}[A-Z]{0,3}\b")
_VOLUNTEERS = re.compile(r"accepts healthy volunteers[ \t]*:?[ \t|]*(?P<answer>yes|no)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Page:
    """What a text says of its trial. `criteria`: (start, end) of the eligibility text, None where it lists none."""

    title: str
    trial_id: str | None
    official_title: str | None
    phase: str | None
    status: str | None
    min_age: float | None
    max_age: float | None
    sex: str | None
    sponsor: str | None
    locations: tuple[str, ...]
    interventions: tuple[str, ...]
    codes: tuple[str, ...]
    healthy_volunteers: bool | None
    criteria: tuple[int, int] | None


def read_page(text: str) -> Page:
    criteria = criteria_region(text)
    outside = text if criteria is None else text[: criteria[0]] + "\n" + text[criteria[1] :]
    number, ages, sex, status = NCT.search(text), _AGES.search(outside), _SEX.search(outside), _STATUS.search(outside)
    official, volunteers = _OFFICIAL.search(outside), _VOLUNTEERS.search(outside)
    return Page(
        title=_title(text),
        trial_id=number.group().upper() if number else None,
        official_title=official["title"].strip() if official else None,
        phase=_phase(outside),
        status=status["status"].lower() if status else None,
        min_age=_years(ages["low"], ages["unit"]) if ages else None,
        max_age=_years(ages["high"], ages["high_unit"] or ages["unit"]) if ages and ages["high"] else None,
        sex=_sex(sex["sex"]) if sex else None,
        sponsor=_sponsor(outside),
        locations=tuple(dict.fromkeys(m["place"].strip() for m in _PLACE.finditer(outside))),
        interventions=tuple(dict.fromkeys(" ".join(m["name"].split()).strip(" -") for m in _INTERVENTION.finditer(outside))),
        codes=tuple(dict.fromkeys(_CODE.findall(text))),
        healthy_volunteers=volunteers["answer"].lower() == "yes" if volunteers else None,
        criteria=criteria,
    )


def criteria_region(text: str) -> tuple[int, int] | None:
    """From the first heading of criteria to what follows them on the page, or the sentences that demand; None where it has neither."""
    found = list(headings(text))
    specific = [h for h in found if h[0] is not None]
    if not specific:
        return _demands(text)
    last = specific[-1][3]
    ends = [m.start() for pattern in (_AFTER, _AFTER_SENTENCE) if (m := pattern.search(text, last + 1))]
    return specific[0][2], min(ends, default=len(text))


def _demands(text: str) -> tuple[int, int] | None:
    """From the first sentence that says who may take part to the last; one alone is no list of criteria."""
    found = list(_DEMAND.finditer(text))
    return (found[0].start(), found[-1].end()) if 2 <= len(found) <= MOST_DEMANDS else None


def _title(text: str) -> str:
    for line in text.splitlines():
        words = line.strip(" #*|\ufeff\t")
        if len(words) >= 4 and any(c.isalpha() for c in words):
            return words if len(words) <= 300 else words[:297].rsplit(" ", 1)[0] + "..."
    return ""


def _phase(text: str) -> str | None:
    """The phase; a glossary line ("Phase 1: Studies that ...") names none."""
    found = [m["phase"] for m in _PHASE.finditer(text)]
    return found[0] if found else None


def _years(number: str, unit: str | None) -> float:
    per_year = {"m": 12, "w": 52, "d": 365}.get((unit or "y")[0].lower(), 1)
    return round(int(number) / per_year, 2)


def _sex(word: str) -> str:
    return "all" if word.lower() in ("all", "both") else word.lower()


def _sponsor(text: str) -> str | None:
    """The name after the label; a definition between the two ("The sponsor is the ...") is passed over."""
    for label in _SPONSOR.finditer(text):
        rest = label["rest"].strip(" |:")
        if rest:
            return rest
        for line in text[label.end() :].splitlines()[:6]:
            words = line.strip(" |")
            if words and not re.search(r"\b(?:is|are) the\b", words):
                return words
    institution = _INSTITUTION.search(text)
    return institution["name"].strip() if institution else None
