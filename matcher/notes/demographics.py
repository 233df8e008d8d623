"""Age, sex and the note's own date."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import chain

from matcher.dates import DateMention, find_dates
from matcher.domain import Reading
from matcher.notes.document import Document
from matcher.quantities import COUNTED, counted

# What stands before a date and makes it the note's own, strongest first; the rest are dates of something else.
_OWN_DATE = (
    (90, r"(?:date|time|day) of (?:service|the visit|visit|clinic|encounter|consultation|contact|appointment|review|evaluation|examination|exam|"
         r"conference|meeting|the note|note|report|letter|entry|discharge)|\bdos|(?:visit|clinic|encounter|consultation|consult|note|service|appointment|"
         r"review|conference|meeting|discharge|contact|report|letter|entry|session)(?: (?:date|time|day))|(?:seeing|saw|met) [^;\n]{3,55} on|(?:seen|reviewed|discharged|visited|examined|attended)(?: on| (?:in|at) [^.;\n]{3,30} on)?|discharge|\bdod|d/c(?: date)?|\bout|date/time|reference date"),
    (70, r"\bdate|\bdt|dated|datum|fecha|\bdata|call received|received call|\brecord(?:ed)?(?: date| on| time)?|updated|\bupd|as of|"
         r"letter of|visit|clinic|encounter|consultation|\ble|written(?: on)?|created(?: on)?|minutes(?: of)?|board(?: of)?|conference(?: of)?|today(?: is)?|today's date"),
    (30, r"(?:electronically )?signed(?: on| by [^\n]{0,40})?|(?:seen|reviewed|examined|dictated|written) by [^\n]{0,40}|(?:cheers|regards|sincerely|faithfully|thanks|yours)\b[^\n]{0,40}|dictated(?: on)?|typed(?: on)?|transcribed(?: on)?|printed(?: on)?|authenticated(?: on)?|"
         r"completed(?: on)?|filed(?: on)?|\bin|admi(?:tted|ssion)(?: date| on)?|date of admission|date of dictation|dictation date"),
)
_OWN = tuple((weight, re.compile(rf"(?:{words})[\s:.=,(\[-]*(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?[,. ]*)?(?:the )?$")) for weight, words in _OWN_DATE)  # in small letters
_OTHER_DATE = re.compile(
    r"(?:\bd\.?o\.?b\.?|born(?: on| in)?|birth(?:day|date)?|date of birth|referr\w*(?: on| date)?|referral(?: date| received)?|received(?: on)?|since|from|"
    r"\bdx|diagnos\w*|started|last \w+|next \w+|follow.?up|return|labs?|laborator\w+|results?|bloods?|infused|expires?|valid|onset|surgery|due)[\s:.=,(-]*(?:on |in )?$"
)
_DICTATED = re.compile(r"\b(?:dictated|typed|transcribed|written|completed)(?: on)?[\s:]*$")
_FOLLOW_UP = re.compile(r"\bfollow.?up[\s:,(–-]*$")  # as a title, the visit itself
_TITLED_FOLLOW_UP = re.compile(r"(?!.*\b(?:for|next|return|in|on|to|at)\b)(?:[\w/&-]+ ){1,4}follow.?up[\s,(–-]*$")
_LED = re.compile(r"\b(?:on|in|until|to|till|before|after|by)\s*$")  # within a sentence
_STAY = re.compile(r"\.?\s*(?:-+|–|—|to|until|till|through)\s*")
_A_MONTH = timedelta(days=31)
_HEADER = 500  # characters: where a note carries its own date without a label


def read_note_date(doc: Document) -> date | None:
    """The date of the visit or dictation (not of birth, referral, print or a result)."""
    best: tuple[int, int] | None = None
    found: date | None = None
    title = _title_end(doc.text)
    entries: list[date] = []  # lines that begin with a date
    mentions = find_dates(doc.text[:20_000], doc.day_first)
    rows = _dated_rows(doc.text, mentions)
    for mention, following in zip(mentions, [*mentions[1:], None], strict=False):
        if not mention.date.day or (following is not None and following.date.day and mention.start < title and _STAY.fullmatch(doc.text, mention.end, following.start)):
            continue  # of a stay "03.02.2025 - 07.02.2025" the last day
        weight = 0 if mention.start in rows else _weight(doc, mention, title)
        if doc.text[doc.text.rfind("\n", 0, mention.start) + 1 : mention.start].strip(" -*[(") == "":
            entries.append(mention.date.earliest)
        if weight and (best is None or (weight, -mention.start) > best):
            best, found = (weight, -mention.start), mention.date.earliest
    if len(entries) >= 4 and (best is None or best[0] <= 50) and entries == sorted(entries):
        return entries[-1]  # a running log: the note is as of its last entry
    return found


def _dated_rows(text: str, mentions: Sequence[DateMention]) -> set[int]:
    """Where the dates stand that begin a row of a history: a row beside it begins with a date too, and a later row tells of a later time."""
    starts = {text.rfind("\n", 0, m.start) + 1: m for m in reversed(mentions) if not text[text.rfind("\n", 0, m.start) + 1 : m.start].strip(" -*[(")}
    rows, latest, found = sorted(starts), date.min + _A_MONTH, set()
    for row in reversed(rows):
        if starts[row].date.latest < latest - _A_MONTH and (text.find("\n", row) + 1 in starts or text.rfind("\n", 0, max(0, row - 1)) + 1 in starts):
            found.add(starts[row].start)
        latest = max(latest, starts[row].date.earliest)
    return found


def _title_end(text: str) -> int:
    """Where the first lines end: five lines that say something."""
    place = 0
    for _ in range(5):
        while place < len(text) and text[place] in "\r\n":
            place += 1
        following = text.find("\n", place)
        if following < 0:
            return min(len(text), _HEADER)
        place = following
    return min(place, _HEADER)


def _weight(doc: Document, mention: DateMention, title_end: int) -> int:
    line_start = doc.text.rfind("\n", 0, mention.start) + 1
    before = doc.lowered[max(line_start, mention.start - 60) : mention.start]
    in_head = mention.start < max(title_end, 80)
    # A label such as "visit" or "date" deep in the text is about another day; a signature at the end is the note's.
    begins_line = line_start >= mention.start - 60 and mention.start < 2500
    near_end = mention.start > len(doc.text) - 300
    if not (in_head or begins_line or near_end):
        return 0
    if _OTHER_DATE.search(before) and not (line_start == 0 and _FOLLOW_UP.search(before)) and not (in_head and _TITLED_FOLLOW_UP.match(before)):
        return 0
    for weight, words in _OWN if in_head or near_end else _OWN[:1]:
        if words.search(before):
            if line_start == 0 and _DICTATED.search(before):
                return 60  # in the title
            return weight if in_head else weight - 20 if (weight == 90 and begins_line) or (weight == 30 and near_end) else 0
    if in_head and (mention.start < 80 or mention.start - line_start < 90) and not _LED.search(doc.text, line_start, mention.start):
        return 50
    return 10 if (not before.strip() or before.rstrip()[-1] in ".?!") and not doc.text[mention.end :].strip(" .\n") else 0  # a letter's last line


_FEMALE = r"female|woman|women|lady|girl|f|gravida|primigravida|multigravida|primipara|nun|housewife|waitress|actress"
_MALE = r"male|man|gentleman|men|boy|m"
_SEXED = rf"(?:{_FEMALE}|{_MALE})"
_AGE = re.compile(  # in small letters
    rf"""(?<![\w./,])(?=\w)(?:
      (?=[\defnostz])(?:
          (?P<old>\d{{1,3}}|{COUNTED})[\s-]*(?:(?:years?|yrs?)\.?[\s-]*(?:of[\s-]age|old)|y\s?/\s?o|y\.?\s?o\.?(?:(?=[mf]\b)|(?![a-z]))|year-old|yr-old|jährige?r?|ans\b)
        | (?P<months>\d{{1,3}}|{COUNTED})[\s-]*(?P<short>months?|mos?|m/o|weeks?|wks?|days?|hours?)\.?[\s-]*(?:of[\s-]age|old)\b
      )
    | (?=\d)(?P<letter>\d{{1,3}})(?:[ ]/[ ][a-z]+[ ]/[ ]|[ \t]?(?:y(?:rs?|ears?)?\.?[ \t,/-]*|/[ \t]?)?)(?:[mf]\b(?!\s*[/:=]?\s*\d+(?![a-z\d]))|(?:male|female|woman|man|gentleman|lady)\b)
    | (?=[abfghlmpsw])(?:
          (?:\bage[ds]?|\bage\s*\(\w+\))\s*(?:is\s*|of\s*|[:=~.-]\s*)*(?P<aged>\d{{1,3}})(?!\s*(?:months?|mos?\b|weeks?|days?|[-–]\s*\d|[./]\d))
        | \b(?:mr|mrs|ms|miss|mx)\.?[ ](?:[\w'’-]+\.?[ ]?){{1,3}},[ ]?(?:[a-z][a-z '’-]{{2,40}},[ ])?(?P<titled>\d{{2,3}})(?=[ ]?[,.;)]|[ ](?:with|who|is|was|has)\b)
        | \b(?:man|woman|lady|gentleman|male|female)[ ]of[ ](?P<of>\d{{2,3}})\b(?![ ]?[./%-]\d)
        | \b(?:s?he|patient|(?:mr|mrs|ms|miss)\.?[ ][\w'’-]+\.?),?[ ](?:is[ ]now|is|has[ ]turned|turned|now)[ ](?P<turned>\d{{2,3}})(?=[ ]?[,.;)]|[ ](?:now|today|and|who|last|this)\b)
        | (?:(?<!\d[ ])\b[mf](?!\d\b)|\b(?:male|female|woman|man|boy|girl|gentleman|lady))\s*[/,;:(|-]?\s*(?:aged?\s*)?(?P<after>\d{{1,3}})(?:\s*(?:years?|yrs?|y)\b\.?)?(?!\s*(?:months?|weeks?|days?)|[\d/%-]|[.,]\d|\s*(?:mg|kg|cm|x\b))
      )
    | (?=\d)(?P<years>\d{{1,3}})\s*(?:years?|yrs?|y)\b\.?
    )""",
    re.VERBOSE,
)
_RELATIVE = re.compile(
    r"\b(?:mother|father|mom|mum|dad|brother|sister|son|daughter|uncle|aunt|cousin|grand\w+|niece|nephew|parents?|sibling\w*|twin|spouse|partner|"
    r"family|relatives?|neighbou?r|donor|maternal|paternal|fhx?|child|children|baby|infant|great-\w+)\b", re.IGNORECASE
)
_THEN = re.compile(r"(?:\b(?:at|@|since|from|until|till|by|before|after|over|under|above|below|aged?\s+at|when|was|for|past|last|every|within|in)\b|(?<!-)[<>≥≤@])\s*(?:the\s*)?(?:age\s*)?(?:of\s*)?(?:about\s*)?$", re.IGNORECASE)
_NAMED = re.compile(rf"(?:\b(?:mr|mrs|ms|miss|mister|madam|sir|patient|pt|name|sex|gender|{_SEXED})\b\.?(?:[^.;\n]|(?<=\b[A-Z])\.){{0,40}})$", re.IGNORECASE)


def read_age(doc: Document, note_date: date | None) -> Reading | None:
    """Whole years at the note's date, as stated; else from the date of birth. Children under a year are 0."""
    best: tuple[int, int, Reading] | None = None
    turned = (m for low, high in doc.near(("now ", "turned "), 25, 15) for m in _AGE.finditer(doc.lowered, low, high) if m["turned"])  # since the passage that was copied
    for m in chain(turned, _AGE.finditer(doc.lowered, 0, 40_000)):
        strength, years = _strength(doc, m)
        if strength and 0 <= years <= 120 and (best is None or strength > best[0]):
            best = (strength, m.start(), Reading(years, (doc.evidence(m.start(), m.end()),)))
            if strength >= 3:
                break
    return best[2] if best else _age_from_birth(doc, note_date)


def _strength(doc: Document, m: re.Match[str]) -> tuple[int, int]:
    """How surely a match is the patient's present age (0: it is not), and the years."""
    text = doc.text
    before = text[max(0, m.start() - 60) : m.start()]
    clause = re.split(r"[.;\n(]", before)[-1]
    if (_THEN.search(clause) and not (m.group("letter") and re.search(r"\b(?:for|was|when)(?: the)?\s*$", clause))) or (_RELATIVE.search(clause) and not re.search(r"\b(?:patient|pt)\b", clause, re.IGNORECASE)):
        return 0, 0
    g = m.groupdict()
    if g["months"]:
        number, unit = counted(g["months"]), g["short"][:2]
        return 3, number // 12 if unit == "mo" or g["short"] == "m/o" else number // 52 if unit in ("we", "wk") else number // 365 if unit == "da" else 0
    if g["old"]:
        after = doc.lowered[m.end() : m.end() + 20]
        if re.match(r"\s*(?:history|child|son|daughter|sister|brother|mother|father|baby|grand)", after) and not re.match(r"\s*(?:mother|father) (?:of|with|who|pres)", after):
            return 0, 0
        return 3, counted(g["old"])
    if g["letter"]:
        return (3 if re.search(r"[a-zMF]$", text[m.start() : m.end()]) else 0), int(g["letter"])
    if told := g["aged"] or g["titled"] or g["of"] or g["turned"]:
        return 3, int(told)
    if g["after"]:
        return 2, int(g["after"])
    if _NAMED.search(before) or re.match(rf"[\s,;/|-]*(?:{_SEXED})\b", text[m.end() : m.end() + 14], re.IGNORECASE):
        return 2, int(g["years"])
    return 0, 0


def _age_from_birth(doc: Document, note_date: date | None) -> Reading | None:
    if note_date is None:
        return None
    for mention in find_dates(doc.text[:20_000], doc.day_first):
        if re.search(r"(?:\bd\.?o\.?b\.?|birth(?:day|date)?|\bborn(?: on| in)?|\bgeb(?:oren)?(?: am)?|\bnée? le|\bnaissance|\bnacid[oa](?: el)?|\bnacimiento|\bnat[oa](?: il)?|\bnascita|\*)[\s:.=-]*$", doc.text[max(0, mention.start - 20) : mention.start], re.IGNORECASE):
            youngest, oldest = (_years(born, note_date) for born in (mention.date.latest, mention.date.earliest))
            if youngest == oldest and 0 <= oldest <= 120:  # a year of birth alone leaves two ages
                return Reading(oldest, (doc.evidence(mention.start, mention.end),))
    return None


def _years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


_SEX_LABEL = re.compile(r"\b(?:sex|gender)\s*(?:at birth\s*)?[:=]?\s*(?:(?P<sex>female|male|woman|man|f|m)\b(?!\s*\[)|(?=[\w ]{0,8}\[))", re.IGNORECASE)
_SEX_LETTER = re.compile(r"(?<![\w./])\d{1,3}[ \t]?(?:y(?:/?o|rs?|ears?)?\.?[\s,/|-]*(?:old)?[\s,/|-]*)?(?P<sex>[MF])\b(?!\s*[:=]?\s*\d|-\w)|\b(?P<sex2>[MF])\s*[/,|-]\s*\d{1,3}\b"
                         r"|(?:\b[Dd]\.?[Oo]\.?[Bb]\.?[ \t:]*[\d/.-]{8,10}|\(\d{1,3}\))[ \t(|,;]*(?:\(\d{1,3}\)[ \t,]*)?(?P<sex3>[MF])\b(?!\s*[:=]?\s*\d|[-/]\w| (?:protein|spike|band|comp))")
_SEX_WORD = re.compile(  # "Mr" and "Ms" before a name: "MR" is also a response or a scan, "MS" a disease
    r"\b(?P<f>female|feminine|woman|lady|girl|mrs|madam|(?-i:Ms|Miss|MS(?=\.))(?=\.? ?(?-i:[A-Z])))\b|\b(?P<m>male|masculine|man|gentleman|boy|mister|(?-i:Mr|MR(?=\.))(?=\.? ?(?-i:[A-Z])))\b", re.IGNORECASE)
_KIN = re.compile(r"\S+ (?:(?!her |his |with |and )[\w-]+ ){0,4}?(?:(?P<f>wife|mother|grandmother|housewife)|(?P<m>husband|father|grandfather))\b", re.IGNORECASE)
_PRONOUN = re.compile(r"\b(?:(?P<f>she|her|hers|herself)|(?P<m>he|his|him|himself))\b", re.IGNORECASE)
_ORGAN = re.compile(
    r"\b(?:(?P<f>pregnan\w+|hysterectomy|menopaus\w+|postmenopausal|menses|lmp|gravida|g\d ?p\d|oophorectomy|ovar\w+|uter\w+|tah/bso|breast-?feeding|para \d)|"
    r"(?P<m>prostat\w+|testic\w+|bph|turp|orchi\w+|psa))\b", re.IGNORECASE
)


_BESIDE = re.compile(rf"[^.;\n]{{0,60}}?(?<![A-Za-z])(?P<word>{_SEXED})(?!\w|/[a-z])", re.IGNORECASE)  # "71M w/ MM for f/u"


def read_sex(doc: Document) -> Reading | None:
    """"female" or "male": said beside the age or as a label; else by title, pronouns, or what only one sex has."""
    text = doc.text[:40_000]
    if m := next(doc.matches(_SEX_LABEL, ("sex", "gender"), 1, 60), None):
        if m["sex"]:
            return _sexed(doc, m.start(), m.end(), m["sex"][0].lower() in "fw")
        if (row := doc.ticked(m.end())) and (choice := row[1]):
            return _sexed(doc, *choice, text[choice[0]].lower() in "fw")
    for age in _AGE.finditer(doc.lowered, 0, 40_000):
        if _strength(doc, age)[0]:
            beside = _BESIDE.match(text, age.start()) or _BESIDE.match(text, age.end())  # "55 y.o. female": the stops are the age's own
            if kin := _KIN.match(text, age.start()):  # a caller's "70 yr old husband", "a 34-year-old mother of two"
                return _sexed(doc, kin.start(), kin.end(), kin.group("f") is not None)
            if beside and not _RELATIVE.search(text, age.start(), beside.start("word")):
                word = beside.group("word").lower()
                return _sexed(doc, beside.start("word"), beside.end("word"), re.fullmatch(_FEMALE, word) is not None)
    if m := _SEX_LETTER.search(text):
        return _sexed(doc, m.start(), m.end(), (m["sex"] or m["sex2"] or m["sex3"]) == "F")
    for m in _SEX_WORD.finditer(text):
        if not _RELATIVE.search(text, max(0, m.start() - 25), m.end() + 12):
            return _sexed(doc, m.start(), m.end(), m.group("f") is not None)
    return _majority(doc, _PRONOUN) or _majority(doc, _ORGAN)


def _majority(doc: Document, words: re.Pattern[str]) -> Reading | None:
    """The sex most words speak of, in clauses that name no relative."""
    found: dict[bool, list[re.Match[str]]] = {True: [], False: []}
    for m in _outside_kin(doc, words):
        found[m.group("f") is not None].append(m)
    female, male = len(found[True]), len(found[False])
    if female == male:
        return None
    first = found[female > male][0]
    return _sexed(doc, first.start(), first.end(), female > male)


def _outside_kin(doc: Document, words: re.Pattern[str]) -> Iterator[re.Match[str]]:
    for m in words.finditer(doc.text, 0, 40_000):
        if doc.section_at(m.start()).kind != "family" and not _RELATIVE.search(_clause_before(doc.text, m.start())):
            yield m


def _clause_before(text: str, place: int) -> str:
    return re.split(r"[.;\n]", text[max(0, place - 40) : place])[-1]


def _sexed(doc: Document, start: int, end: int, female: bool) -> Reading:
    return Reading("female" if female else "male", (doc.evidence(start, end),))
