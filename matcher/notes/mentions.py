"""Where a note names conditions: names, short forms and shared nouns, each with how and when it is said."""

from __future__ import annotations

import re
from bisect import bisect_left
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from matcher.dates import find_dates
from matcher.domain import PartialDate
from matcher.lexicon import Lexicon, names_of
from matcher.notes.abbreviations import definitions, reading
from matcher.notes.assertion import Context, scopes
from matcher.notes.document import Document
from models import load_vocabulary
from models.vocabulary import Abbreviation


class Mention(NamedTuple):
    """`section`: kind of the section it stands in. `date`: the date said with it. `frame`: the date its sentence tells of before it."""

    id: str
    start: int
    end: int
    context: Context
    section: str
    date: PartialDate | None
    frame: PartialDate | None


def read_mentions(doc: Document, note_date: date | None, taken: tuple[tuple[int, int], ...] = ()) -> list[Mention]:
    """Every mention of a condition, in order. `taken`: places that another reader has read, sorted."""
    places = [p for p in _places(doc) if not _overlaps(p[0], p[1], taken)]
    conditions = load_vocabulary().conditions
    starts = [start for start, _, concept in places if conditions[concept].course != "state"]
    dates = [(d.start, d.end, d.date) for d in find_dates(doc.text, doc.day_first, as_of=note_date)]
    found = scopes(doc)
    mentions = []
    for start, end, concept in places:
        sentence = doc.sentence_at(start)
        mentions.append(Mention(concept, start, end, found.context(start, end, starts), doc.section_at(start).kind, _date_of(doc, start, end, sentence, dates, starts), _frame(doc, start, sentence, dates)))
    return mentions


@lru_cache(maxsize=1)
def _lexicon() -> Lexicon[str | tuple[Abbreviation, ...]]:
    vocabulary = load_vocabulary()
    short: dict[str, list[Abbreviation]] = {}
    for row in vocabulary.abbreviations:
        short.setdefault(row.short, []).append(row)
    names: list[tuple[str, str | tuple[Abbreviation, ...]]] = list(names_of(vocabulary.conditions))
    return Lexicon([*names, *((f"={form}", tuple(rows)) for form, rows in short.items())])


_VALUE = re.compile(r"\s?[:=]?\s?\d{1,3}\.\d|\s?[<>]\s?\d")  # "TB 0.3" is bilirubin
_CARE = re.compile(r"[ -](?:rx|tx|treatments?|therap(?:y|ies)|drugs?|medicines?|care|risk)\b", re.IGNORECASE)  # "cancer treatment: none" names no cancer
_TEST_NAME = re.compile(r"[- ]?EPI\b", re.IGNORECASE)  # CKD-EPI is a formula


@lru_cache(maxsize=1)
def _written_otherwise() -> frozenset[str]:
    """Spellings that, in exactly this case, name a regimen or a test and no condition: "PVd" is none of "PVD", "PSA" none of "PsA"."""
    vocabulary = load_vocabulary()
    conditions = {alias.lstrip("=") for row in vocabulary.conditions.values() for alias in (row.name, *row.aliases)}
    others = {alias.lstrip("=") for table in (vocabulary.regimens, vocabulary.tests) for row in table.values() for alias in (row.id, *row.aliases)}
    return frozenset(name for name in others - conditions if len(name) <= 6 and name.lower() != name)


@lru_cache(maxsize=1)
def _hyphenated_drugs() -> frozenset[str]:
    """Short names of drugs that end like a condition: "T-DM1" is no type 1 diabetes."""
    return frozenset(alias.lstrip("=") for row in load_vocabulary().drugs.values() for alias in row.aliases if alias.lstrip("=")[1:2] == "-")


def _places(doc: Document) -> list[tuple[int, int, str]]:
    hits = _lexicon().find(doc.text)
    ending = {h.end: (h.start, h.meaning) for h in hits}
    local: dict[str, str | None] = {}
    for form, start, end in definitions(doc):
        first, meaning = ending.get(end, (-1, ""))
        local[form] = meaning if isinstance(meaning, str) and first >= start else None
    places: list[tuple[int, int, str]] = []
    for hit in hits:
        written = doc.text[hit.start : hit.end]
        if written in local:
            concept = local[written]
        elif isinstance(hit.meaning, str):
            concept = None if written in _written_otherwise() or doc.text[hit.start - 2 : hit.end] in _hyphenated_drugs() else hit.meaning
        else:
            row = reading(hit.meaning, doc, hit.start, hit.end)
            concept = row.id if row is not None and row.table == "conditions" else None
        if concept == "malignancy" and _CARE.match(doc.text, hit.end):
            continue
        if concept is not None and not (_TEST_NAME.match(doc.text, hit.end) or (len(written) <= 4 and _VALUE.match(doc.text, hit.end))):
            places.append((hit.start, hit.end, concept))
    named = sorted((start, end) for start, end, _ in places)
    further = [(c.start, c.end, c.concept) for c in doc.candidates if c.kind == "condition" and not _overlaps(c.start, c.end, tuple(named))]
    return _whole(sorted({*places, *further, *_shared_nouns(doc.text, places), *_metastatic_sites(doc), *_organ_cancers(doc), *_sensory(doc, places), *_bleeding_in_head(doc, places)}), doc.text)


def _whole(places: list[tuple[int, int, str]], text: str) -> list[tuple[int, int, str]]:
    """"PJP pneumonia" names one disease: a kind and, right after it, what it is a kind of."""
    joined: list[tuple[int, int, str]] = []
    for start, end, concept in places:
        if joined and text[joined[-1][1] : start] == " " and load_vocabulary().is_a(joined[-1][2], concept):
            joined[-1] = (joined[-1][0], end, joined[-1][2])
        else:
            joined.append((start, end, concept))
    return joined


_PLACE = r"(?:feet|foot|toes?|soles?|finger(?:tip)?s?|hands?|ankles?)"
_SENSE = r"(?:numb(?:ness)?|tingl\w*|par(?:a)?esthesi\w*|pins and needles|N/T)"
_SENSORY = re.compile(rf"\b{_SENSE}\b[^.;,\n]{{0,25}}\b{_PLACE}\b|\b{_PLACE}\b[^.;,\n]{{0,12}}\b(?:numb|tingl\w*)\b", re.IGNORECASE)


def _sensory(doc: Document, places: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Numbness or tingling of hands or feet is peripheral neuropathy (CTCAE v5, peripheral sensory neuropathy)."""
    known = tuple((start, end) for start, end, concept in places if concept == "peripheral_neuropathy")
    return [(m.start(), m.end(), "peripheral_neuropathy") for m in doc.matches(_SENSORY, ("numb", "tingl", "esthesi", "pins and", "n/t"), 40, 60) if not _overlaps(m.start(), m.end(), known)]


_HEAD_SCAN = re.compile(r"\b(?:CT|MRI|scan|imaging) (?:of (?:the )?)?(?:head|brain)\b|\b(?:head|brain|cranial) (?:CT|MRI|scan|imaging)\b|\bCTH\b", re.IGNORECASE)


def _bleeding_in_head(doc: Document, places: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """What a scan of the head shows or denies as bleeding is intracranial."""
    return [
        (start, end, "intracranial_hemorrhage")
        for start, end, concept in places if concept == "bleeding" and _HEAD_SCAN.search(doc.text, max(doc.sentence_at(start)[0], start - 120), start)
    ]


_FRAME = 250  # characters within which a date still dates what its sentence tells
_SHARED = re.compile(r"(?P<list>\b[a-z]{4,14}(?:,\s*(?:no\s+)?[a-z]{4,14})*,?\s*(?:/|\b(?:or|and|nor)\b)\s*(?:no\s+)?)$", re.IGNORECASE)
_NOUN = re.compile(r"\s(disease|disorder|problem|condition|illness|history|antecedent|failure|dysfunction|impairment|infection|cancer)s?$", re.IGNORECASE)


def _shared_nouns(text: str, places: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """"heart or lung disease" names a heart disease too."""
    found = []
    for start, end, _ in places:
        noun = _NOUN.search(text, start, end)
        if noun is None:
            continue
        left = max(0, start - 60)
        adjectives = _SHARED.search(text[left:start])
        if adjectives is None:
            continue
        for word in re.finditer(r"[A-Za-z]{4,}", adjectives.group("list")):
            hits = _lexicon().find(f"{word.group()} {noun.group(1)}")
            if len(hits) == 1 and hits[0].start == 0 and isinstance(hits[0].meaning, str):
                at = left + adjectives.start() + word.start()
                found.append((at, at + len(word.group()), hits[0].meaning))
    return found


_SITE = r"(?:(?:lymph|soft|left|right|[lr]) )?[a-z]{4,12}"
_AND = r"(?:,?\s*(?:and|or|&)\s+|\s*[,/+]\s*)"
_SITES = re.compile(
    rf"(?:\b(?:metasta\w+|mets|spread)|(?-i:M1[a-d]?))\b(?: [\w/+-]+){{0,4}}?(?: (?:to|in|into|involving)(?: the| both)?\s+|\s*[:,(–-]\s*)"
    rf"(?P<list>{_SITE}(?:{_AND}(?:the )?{_SITE})*)(?=\s*(?:[.,;:)(\n]|$))", re.IGNORECASE)
_SITES_OF = re.compile(rf"\b(?P<list>{_SITE}(?:{_AND}{_SITE})+) (?:metasta\w+|mets)\b", re.IGNORECASE)  # "bone and liver mets"
# UICC TNM: distant metastases are M1, and stage IV of a solid tumour.
_ADVANCED = re.compile(
    r"\b[a-z]{0,2}T[0-4x][\w()]{0,5}[ ,]?[a-z]?N[0-3x][\w()]{0,5}[ ,]?[a-z]?M1[a-d]?\b"
    r"|\bstage (?:IV|4)[a-c]?\b(?=[^.;,\n]{0,40}\b(?:\w*carcinoma|cancer|melanoma|\w*sarcoma|NSCLC|SCLC|CRC|HCC|RCC|TNBC)\b)", re.IGNORECASE)


_CANCER_OF = re.compile(r"\b(?:cancer|(?:adeno)?carcinoma|malignancy|ca) of (?:the |his |her )?(?:left |right |upper |lower |both )?(?P<organ>[a-z]{4,12})\b", re.IGNORECASE)


def _organ_cancers(doc: Document) -> list[tuple[int, int, str]]:
    """"carcinoma of the left breast" is a breast cancer."""
    found = []
    for named in doc.matches(_CANCER_OF, ("cancer of", "carcinoma of", "malignancy of", "ca of"), 6, 60):
        hits = _lexicon().find(f"{named['organ'].removesuffix('s')} cancer")
        if len(hits) == 1 and hits[0].start == 0 and isinstance(hits[0].meaning, str):
            found.append((named.start(), named.end(), hits[0].meaning))
    return found


def _metastatic_sites(doc: Document) -> list[tuple[int, int, str]]:
    """"mets to bone and brain": each organ that the list names is a site; so is what staging alone says."""
    found = [(m.start(), m.end(), "metastatic_disease") for m in doc.matches(_ADVANCED, ("stage", "m1"), 30, 60)]
    for sites in (*doc.matches(_SITES, ("metasta", "mets", "spread", "m1"), 1, 250), *doc.matches(_SITES_OF, ("metasta", "mets"), 100, 20)):
        for site in re.finditer(_SITE, sites["list"], re.IGNORECASE):
            hits = _lexicon().find(f"{site.group().split()[-1].removesuffix('s')} metastasis")
            if len(hits) == 1 and hits[0].start == 0 and isinstance(hits[0].meaning, str):
                start = sites.start("list") + site.start()
                found.append((start, start + len(site.group()), hits[0].meaning))
    return found


_BETWEEN = re.compile(r"[;\n.](?:(?<!\.)|(?=\s))")
_BEFORE = re.compile(r"[;\n),.](?:(?<!\.)|(?=\s))")


def _date_of(doc: Document, start: int, end: int, sentence: tuple[int, int], dates: list[tuple[int, int, PartialDate]], starts: list[int]) -> PartialDate | None:
    """The date nearest in the same clause, with no other condition in between: after the mention first, as lists write it."""
    left, right = sentence
    at = bisect_left(dates, (end,))
    if at < len(dates):
        first, _, value = dates[at]
        between = doc.text[end:first]
        if first < right and len(between) < 45 and bisect_left(starts, end) == bisect_left(starts, first) and not _BETWEEN.search(between):
            return value
    if at:
        _, last, value = dates[at - 1]
        between = doc.text[last:start]
        if last > left and 0 <= len(between) < 40 and bisect_left(starts, last) == bisect_left(starts, start) and not _BEFORE.search(between):
            return value
    return None


def _frame(doc: Document, start: int, sentence: tuple[int, int], dates: list[tuple[int, int, PartialDate]]) -> PartialDate | None:
    at = bisect_left(dates, (start,))
    return dates[at - 1][2] if at and dates[at - 1][0] >= sentence[0] and start - dates[at - 1][1] < _FRAME and ";" not in doc.text[dates[at - 1][1] : start] else None


def _overlaps(start: int, end: int, taken: tuple[tuple[int, int], ...]) -> bool:
    at = bisect_left(taken, (end, 0)) - 1
    return at >= 0 and taken[at][1] > start
