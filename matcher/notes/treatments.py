"""What a note names as treatment: drugs, regimens, procedures and classes, each with its place, and the combinations they form."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from matcher.lexicon import Lexicon, names_of
from matcher.notes.abbreviations import reading
from matcher.notes.document import Document
from matcher.notes.linking import REGIMEN_LETTERS, regimen_drugs, unlisted_agent
from models import load_vocabulary
from models.vocabulary import Abbreviation
from models.words import load_words

# A formulation counts as its substance (annotation guidelines: a switch of formulation begins no line).
_SUBSTANCE = {"pegylated liposomal doxorubicin": "doxorubicin"}
# Letters that stand for drugs by what is beside them: "KR maintenance", "VRd/ASCT/R (PD)", "stopped K 10/2021", "on D until".
_AFTER_COURSE = re.compile(r"(?:/|→|->|=>)\s?(?P<letter>[RVKDT])(?=\s*(?:\(|→|-+>|=>|,|;|\)|\.|\n|$)|\s(?:til|until|till|x)\b)")
_OF_A_SERVICE = re.compile(r"[ ]?[/&][ ]?(?:cell(?:ular)?\b|CT\b)|[ ](?:units?|program(?:me)?s?|cent(?:re|er)s?|clinics?|dep(?:artmen)?t|teams?|services?|wards?|coordinators?|physicians?|fellows?|transfer|handoff)\b", re.IGNORECASE)
_COURSE_END = re.compile(r"(?:SCT|HCT|BMT|auto|transplant|d)(?:\s?['’]?\d[\w/.'’-]{1,10})?(?:\s?\([^()\n]{0,20}\))?\s?-*$")
# Each begins with a set of characters, so that most places are passed over at once.
_LETTER = re.compile(
    r"""[DVRKPT](?=[DVRKPT]?\s)(?:
      (?<![\w.-].)[DVRKPT]?(?=\s+(?:maint|mono))
    | (?<=[Ss]topped[ ].)(?=\s(?:\d{1,2}/|in\b|for\b|due\b|d/t\b|after\b))
    | (?<=\bon[ ][VRKDT])(?=\s(?:until|till|alone|only)\b)
    | (?<=[;>→][ ].)(?=\s+(?:alone\b|(?:19|20)\d\d\b|till\b|until\b))
    | (?<=then[ ].)(?=\s+(?:alone|only|till|until|to[ ]PD)\b)
    )""",
    re.VERBOSE,
)
_LETTER_AFTER = re.compile(r"(?:SCT|HCT|BMT|auto|Auto)\s?(?:-+>?|→|/)\s?(?P<letter>[VRKPT])(?![\w-])")  # "KRd-ASCT-R"
# The words for transplants that a list of names cannot hold: "auto" and "allo" by what is beside them, cells given back, and a transplant
# that is not a place or a person.
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_AFTER_AUTO = rf"#|['’]?\d|\(|/|[,;.+)]|-+>|→|(?:{_MONTHS})[a-z]*\b|(?:then|in|on|at|that|tx|with|and|x)\b|$"
_AFTER_ALLO = r"(?:RIC|MAC|NMA|haplo|MUD|MRD|SIB|from|sib\w*|in|on|['’]?\d|\d)\b"
_STEM_CELLS = r"(?:(?:peripheral )?(?:blood )?(?:stem|progenitor)[- ]cells? |PBSC )?"
_GIVEN_BACK = r"(?:rescue|procedure|graft|support|re-?infusion|re-?transfusion|return)\b"
_ABBREVIATED = r"(?:HCT|SCT|PBSCT|HSCT|BMT|TPH|TASPE|TMO|TCTH|txp|tx|transplant\w*)\b"
_AUTO = re.compile("|".join((
    r"(?<=[A-Za-z]-)auto(?=-[A-Z])",  # "VTd-auto-VTd"
    rf"(?<![\w-])auto(?:s|grafted|grafts?)?(?=\s*(?:{_AFTER_AUTO}))",
    rf"(?<![\w-])autologous(?=\s+(?:in |on )?\d|\s+{_STEM_CELLS}{_GIVEN_BACK})",
    rf"(?<![\w-])allo(?=\s+{_AFTER_ALLO}|\s*\()",
    rf"(?<![\w-])(?:auto|allo)[- ]?{_ABBREVIATED}",
)), re.IGNORECASE)
_PLACE = r"cent(?:er|re)|team|clinic|OPD|unit|ward|service|department|outpatient|board|program"
_CARE = r"status|work-?up|evaluation|referral|follow|eligib|ineligib|candidate|coordinator|physician|consult"
_TRANSPLANT = re.compile("|".join((
    r"(?<![\w-])own (?:stem )?cells (?:were |was )?(?:(?:given |infused |put )?back|returned|re-?infused)\b",
    r"(?<![\w-])stem[- ]cell (?:txp|tx|xplant|tplant|rescue|support|re-?infusion|return)\b",
    rf"(?<![\w-])(?:auto-?|allo-?)?transplant(?:ed|ation|s)?\b(?![\s-]+(?:{_PLACE}|{_CARE}))",
)), re.IGNORECASE)
_ORGAN = re.compile(r"(?:heart|kidney|renal|liver|lung|corneal?|cardiac|hair|islet|pancreas|f(?:a)?ecal)[- ]*$", re.IGNORECASE)
_WITH_DEX = re.compile(r"[-/]d(?![\w-])")  # "Isa-d", "Pom/d"
_STEMS = ("mab", "nib", "mide", "mib", "clax", "leucel", "exor", "vedotin", "tecan", "parib", "lisib")
_STEMMED = re.compile(rf"[a-z](?<!\w.)[a-z]{{2,}}+(?:-cel\b|{'|'.join(f'(?<={stem})' for stem in _STEMS)})")  # of a note in small letters
_IN_CAPITALS = re.compile(
    r"""[A-Z](?=[A-Z])(?<!\w.)(?:
      (?P<code>[A-Z]{1,4}-?\d{3,6}\b)
    | (?P<acronym>(?<=[DVBRLKPTCEIXSAM])(?<![A-Za-z]\d-.)[DVBRLKPTCEIXSAM]{1,4}d(?!\w))
    | (?P<capitals>(?:(?<=[DVBRKPTCEIX])[DVBRKPTCEIX]{1,3}|(?<=[VRKB]))D(?=\s*(?:→|-+>|[x×*\#]\s?\d|(?:regimen|scheme|protocol|chemotherapy)\b|(?:for[ ])?\d+[ ](?:cycles|courses))))
    )""",
    re.VERBOSE,
)  # "CT-053", "KRd", "IRD x6"
_PRODUCTS = {"car_t": "anti-bcma car-t", "cell_therapy": "anti-bcma car-t", "bispecific_antibody": "anti-bcma bispecific", "t_cell_engager": "anti-bcma bispecific",
             "antibody_drug_conjugate": "anti-bcma adc"}
_AIMED = re.compile(r"[\s(/,:-]*(?:(?:anti|against|targeting|targeted|directed|specific|to|target)[\s:-]*)*")  # "BCMA-directed | CAR-T"
_AIMED_AT = re.compile(r"[\s(]*\((?:anti-?)?BCMA\b|\s+(?:against|targeting|directed (?:at|against))\s+BCMA\b", re.IGNORECASE)  # "CAR-T (BCMA, trial)"
_DRUG_CONTEXT = re.compile(r"trial|stud(?:y|ies)|investigational|phase|compound|agent|inhibitor|degrader|\bCAR\b|CAR-?T|antibody|bispecific|protocol|infus|cells", re.IGNORECASE)


class Mention(NamedTuple):
    """One name. `drugs`: drug ids (several for a regimen); `therapy`: a therapy id where it names a class or procedure."""

    start: int
    end: int
    drugs: tuple[str, ...] = ()
    therapy: str | None = None
    regimen: bool = False


class Group(NamedTuple):
    """Names that stand together as one combination: "Kyprolis with oral cyclophosphamide and dex", "KCd (carfilzomib ...)".

    `drugs`: ids without repetition, in the order given; a product replaces its own kind ("BCMA CAR-T (Abecma)").
    """

    mentions: tuple[Mention, ...]
    start: int
    end: int
    drugs: tuple[str, ...]
    therapies: tuple[str, ...]

    @classmethod
    def of(cls, mentions: Sequence[Mention]) -> Group:
        named = dict.fromkeys(_SUBSTANCE.get(d, d) for m in mentions for d in m.drugs)
        therapies = dict.fromkeys(m.therapy for m in mentions if m.therapy)
        return cls(tuple(mentions), mentions[0].start, mentions[-1].end, tuple(without_generic(named)), tuple(therapies))

    @property
    def transplant(self) -> bool:
        return any(t in TRANSPLANTS for t in self.therapies)


TRANSPLANTS = ("autologous_transplant", "allogeneic_transplant", "stem_cell_transplant", "high_dose_melphalan")


def without_generic(drugs: Iterable[str]) -> list[str]:
    """Drugs without the unnamed product ("anti-bcma car-t") where a named one of the same class stands beside it."""
    vocabulary, listed = load_vocabulary(), list(drugs)
    if not any(d.startswith("anti-") for d in listed):
        return listed

    def classes(drug: str) -> set[str]:
        return set(vocabulary.drugs[drug].classes) if drug in vocabulary.drugs else set()
    named = {c for d in listed if not d.startswith("anti-") for c in classes(d)}
    return [d for d in listed if not (d.startswith("anti-") and classes(d) & named)]


_HYPHENED = re.compile(r"=?[A-Za-z]{2,}(?:-[A-Za-z]{2,})+")  # "Vel-Cy-Dex", written "vel/cy/dex" too


@lru_cache(maxsize=1)
def _lexicon() -> Lexicon[tuple[str, str]]:
    vocabulary = load_vocabulary()
    tables = (("drug", vocabulary.drugs), ("regimen", vocabulary.regimens), ("therapy", vocabulary.therapies))
    named = [(name, (table, concept)) for table, rows in tables for name, concept in names_of(rows)]
    slashed = [(name.replace("-", "/"), ("regimen", id)) for name, (table, id) in named if table == "regimen" and _HYPHENED.fullmatch(name) and name.count("-") + 1 == len(vocabulary.regimens[id].drugs)]
    return Lexicon([*named, *slashed])


def find_mentions(doc: Document) -> list[Mention]:
    """Every treatment named in the note, in order, without overlaps."""
    vocabulary, text = load_vocabulary(), doc.text
    found: list[Mention] = []
    for hit in _lexicon().find(text):
        table, concept = hit.meaning
        if table == "drug":
            found.append(Mention(hit.start, hit.end, (concept,)))
        elif table == "regimen" and not _means_another(doc, hit.start, hit.end):
            regimen = vocabulary.regimens[concept]
            found.append(Mention(hit.start, hit.end, regimen.drugs, f"{regimen.transplant}_transplant" if regimen.transplant else None, True))
        elif table == "therapy" and not _OF_A_SERVICE.match(text, hit.end):
            found.append(Mention(hit.start, hit.end, therapy=concept))
    free = _Free(found)
    for mention in [m for m in found if m.drugs and not m.regimen]:
        if _WITH_DEX.match(text, mention.end):
            free.add(Mention(mention.end, mention.end + 2, ("dexamethasone",)))
    for match in _LETTER.finditer(text):
        free.add(Mention(*match.span(), tuple(dict.fromkeys(REGIMEN_LETTERS[letter] for letter in match.group()))))
    for match in _AFTER_COURSE.finditer(text):
        if _COURSE_END.search(text[max(0, match.start() - 45) : match.start()]):
            free.add(Mention(*match.span("letter"), (REGIMEN_LETTERS[match.group("letter")],)))
    for match in doc.matches(_LETTER_AFTER, ("sct", "hct", "bmt", "auto"), 0, 20):
        free.add(Mention(*match.span("letter"), (REGIMEN_LETTERS[match.group("letter")],)))
    for match in doc.matches(_AUTO, ("auto", "allo"), 1, 40):
        allogeneic = match.group().lower().startswith("allo")
        free.add(Mention(*match.span(), therapy="allogeneic_transplant" if allogeneic else "autologous_transplant"))
    for match in doc.matches(_TRANSPLANT, ("transplant", "stem cell", "stem-cell", "own cells", "own stem"), 6, 60):
        if not _ORGAN.search(text[max(0, match.start() - 15) : match.start()]):
            free.add(Mention(*match.span(), therapy="stem_cell_transplant"))
    for match in (m for low, high in doc.near((*_STEMS, "-cel"), 40, 8) for m in _STEMMED.finditer(doc.lowered, low, high)):
        if agent := unlisted_agent(match.group(), False):
            free.add(Mention(*match.span(), (agent,)))
    for mention in _in_capitals(text):
        free.add(mention)
    for candidate in doc.candidates:
        if candidate.kind == "drug" and not free.follows(text, candidate.start):
            free.add(Mention(candidate.start, candidate.end, (candidate.concept,)))
    return _aimed(text, free.mentions())


def _in_capitals(text: str) -> Iterator[Mention]:
    """Study codes, and acronyms that no list has: their letters tell the drugs."""
    for match in _IN_CAPITALS.finditer(text):
        word = match.group()
        if match["code"]:
            if agent := unlisted_agent(word, bool(_DRUG_CONTEXT.search(text[max(0, match.start() - 40) : match.end() + 40]))):
                yield Mention(*match.span(), (agent,))
        elif match["acronym"]:
            if drugs := regimen_drugs(word):
                yield Mention(*match.span(), drugs, None, True)
        elif drugs := regimen_drugs(word[:-1] + "d") or tuple(REGIMEN_LETTERS[letter] for letter in word[:-1] if len(word) == 2):
            yield Mention(*match.span(), (*dict.fromkeys((*drugs, "dexamethasone")),), None, True)


def _aimed(text: str, mentions: list[Mention]) -> list[Mention]:
    """A kind of product beside its target is an unnamed product against it: "BCMA-directed CAR-T", "CAR-T (anti-BCMA"."""
    found: list[Mention] = []
    for mention in mentions:
        beside = {found[-1].therapy, mention.therapy} if found else set()
        product = next((_PRODUCTS[kind] for kind in beside if kind in _PRODUCTS), None)
        if product and "bcma" in beside and _AIMED.fullmatch(text, found[-1].end, mention.start):
            found[-1] = Mention(found[-1].start, mention.end, (product,))
        elif mention.therapy in _PRODUCTS and (at := _AIMED_AT.match(text, mention.end)):
            found.append(Mention(mention.start, at.end(), (_PRODUCTS[mention.therapy],)))
        elif not found or found[-1].end <= mention.start:
            found.append(mention)
    return found


_OF_A_GENE = re.compile(r"[A-Za-z]\d-$")  # "FLT3-ITD"


@lru_cache(maxsize=1)
def _shared_forms() -> dict[str, tuple[Abbreviation, ...]]:
    """Regimens whose short form stands for a condition too: PAD, CVD."""
    rows = load_vocabulary().abbreviations
    regimens = {name.lstrip("=") for name, _ in names_of(load_vocabulary().regimens)}
    return {short: tuple(row for row in rows if row.short == short) for short in {row.short for row in rows if row.table == "conditions"} & regimens}


def _means_another(doc: Document, start: int, end: int) -> bool:
    if _OF_A_GENE.search(doc.text, max(0, start - 3), start):
        return True
    rows = _shared_forms().get(doc.text[start:end])
    row = reading(rows, doc, start, end) if rows else None
    return row is not None and row.table != "none"


class _Free:
    """Mentions kept free of overlaps: what came first stays."""

    def __init__(self, mentions: list[Mention]) -> None:
        self._mentions, self._starts = mentions, [m.start for m in mentions]
        self._new: list[Mention] = []

    def add(self, mention: Mention) -> None:
        at = bisect_left(self._starts, mention.end)
        if (at and self._mentions[at - 1].end > mention.start) or any(m.start < mention.end and mention.start < m.end for m in self._new[-4:]):
            return
        self._new.append(mention)

    def follows(self, text: str, start: int) -> bool:
        """Whether a name stands right before: the second word of a brand ("Darzalex Faspro") is no agent of its own."""
        at = bisect_left(self._starts, start)
        return bool(at) and bool(self._mentions[at - 1].drugs) and text[self._mentions[at - 1].end : start] == " "

    def mentions(self) -> list[Mention]:
        ordered: list[Mention] = []
        for mention in sorted([*self._mentions, *self._new], key=lambda m: (m.start, -m.end)):
            if not ordered or ordered[-1].end <= mention.start:
                ordered.append(mention)
        return ordered


_AMOUNT = r"\d{2}/\d{2}(?=\s*(?:mg|weekly|wkly|qw|\+))|(?!(?:19|20)\d\d\b(?!\s*(?:mg|mcg|g)\b))\d+(?:[.,]\d+)?\s*(?:mg|mcg|g)?(?:/m2|/m²|/kg)?(?![\d/-])"
_SCHEDULE = r"q\d*\w{1,3}|s\.c\.|i\.v\."
_DOSAGE_FORM = r"\b(?:tabs?|caps?|inj|[TC])\.(?=\s)"  # "T. dexamethasone"
_WITH_OTHERS = r"with|plus|in combination with|combined with"
_CONDITIONED = re.compile(r"[\s+/(\-–,&]*(?:and|with|after|followed by|using|conditioning|then|supported by)?\s*", re.IGNORECASE)
_JOINER = re.compile(r"[+/&,(:=-]|\b(?:and|with|plus|w)\b", re.IGNORECASE)
_LISTED = re.compile(r"\s*(?:,|,?\s+and|&)\s*", re.IGNORECASE)
_TAKEN_UP = re.compile(r"\b(?:and|then|but) the $", re.IGNORECASE)
_LIST_BREAK = re.compile(r"\n\s*(?:[-*•+>|#]|\(?\d{1,2}[.)]|\n)|\|")


@lru_cache(maxsize=1)
def _joins() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What may stand between the drugs of a combination, and beside the name of a regimen."""
    words = "|".join(re.escape(word).replace(r"\-", "[- ]") for word in sorted(load_words().dosing, key=len, reverse=True))
    filler = rf"\b(?:{_AMOUNT}|{_SCHEDULE}|{words})\b"
    together = rf"\b(?:and|{_WITH_OTHERS}|combination of|along with|together with)\b"
    drugs = re.compile(rf"(?:[\s,+/&\-–—():='‘’“”]|{together}|w/|{filler}|{_DOSAGE_FORM})*", re.IGNORECASE)
    return drugs, re.compile(rf"(?:\s|\+|-|[(]|:|=|/|\b(?:{_WITH_OTHERS})\b|w/|{filler})*", re.IGNORECASE)


@lru_cache(maxsize=4096)
def is_cell_product(drug: str) -> bool:
    known = load_vocabulary().drugs.get(drug)
    return known.modality in ("car_t", "car_nk", "tcr_t", "cell_therapy") if known else drug.endswith(("leucel", "-cel"))


def group_mentions(doc: Document, mentions: list[Mention]) -> list[Group]:
    """Combinations: neighbouring names joined by +, /, commas, "and", "with" or a bracket that spells the regimen out."""
    groups: list[list[Mention]] = []
    for mention in mentions:
        if groups and _joined(doc.text[groups[-1][-1].end : mention.start], groups[-1], mention):
            groups[-1].append(mention)
        else:
            groups.append([mention])
    return [Group.of(part) for group in groups for part in _combinations(doc.text, group)]


def _combinations(text: str, group: list[Mention]) -> list[list[Mention]]:
    """A list of combinations ("A/B, C + D") falls apart at its commas; a combination written with commas stays whole."""
    joins = [text[a.end : b.start] for a, b in pairwise(group)]
    if not (any("," in j for j in joins) and any(re.search(r"[+/]|^-$", j) for j in joins)):
        return [group]
    hyphened = any(j == "-" for j in joins)
    parts = [[group[0]]]
    for join, mention in zip(joins, group[1:], strict=True):
        if "," in join or (hyphened and re.search(r"\b(?:and|with|plus)\b", join)):
            parts.append([mention])
        else:
            parts[-1].append(mention)
    return parts if all(len({d for m in part for d in m.drugs}) > 1 for part in parts) else [group]


def _joined(between: str, group: list[Mention], mention: Mention) -> bool:
    last = group[-1]
    if len(between) > 60 or _LIST_BREAK.search(between) or ("\n" in between and not _JOINER.search(between)):
        return False
    if last.therapy in TRANSPLANTS and mention.therapy in TRANSPLANTS and "high_dose_melphalan" in (last.therapy, mention.therapy):
        return _CONDITIONED.fullmatch(between) is not None
    if not (last.drugs and mention.drugs):
        return False
    drugs_join, regimen_joins = _joins()
    known = {_SUBSTANCE.get(d, d) for m in group for d in m.drugs}
    named = {_SUBSTANCE.get(d, d) for d in mention.drugs}
    spelled_out = (named == known if mention.regimen else named <= known) and re.search(r"[(:=]", between) is not None
    if mention.regimen or last.regimen:
        if between[:1] == ")" and len(group) > 1 and last.drugs == group[-2].drugs:
            between = between[1:]  # "belantamab (Blenrep) + Pd"
        plain = between.strip()
        if mention.regimen and last.regimen:
            return (spelled_out or plain in {"+", "="} or plain.lower() in {"with", "plus"}) and regimen_joins.fullmatch(between) is not None
        if any(m.regimen for m in group) and named <= known and re.fullmatch(r"[\s,/+&]*(?:and|with|oral|\w+\s*mg(?:/m2)?|weekly|\s)*", between):
            return True  # the bracket goes on: "KCd (carfilzomib, cyclophosphamide"
        if ":" in between and not (named <= known or known <= named):
            return False  # "progression under Revlimid: KPd"
        return regimen_joins.fullmatch(between) is not None
    spelling = any(m.regimen for m in group)
    if spelling and not named <= known:
        return between.strip().lower() in {"+", "and", "with", "plus", "w/", "/"} and ")" not in between
    if named <= known and _TAKEN_UP.search(between):
        return False  # "X with Y and Z and the | Y came off"
    if any(map(is_cell_product, last.drugs)) != any(map(is_cell_product, mention.drugs)) and _LISTED.fullmatch(between):
        return False  # no cells are given in combination: "cilta-cel and talquetamab"
    return drugs_join.fullmatch(between) is not None
