"""Allergies and intolerances of the note, and the statement that there are none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from matcher.domain import Allergy, Status
from matcher.lexicon import Lexicon
from matcher.notes.document import Document
from models import load_vocabulary

_NONE = re.compile(
    r"\bNK(?:D|F|M)?A(?:LL)?\b|\b(?:no|nil|not|without|denies|denied|none)\s+(?:any\s+)?(?:known\s+|significant\s+|documented\s+|reported\s+|relevant\s+)?(?:history of\s+)?"
    r"(?:(?:food|drug|medication|medicine|latex|environmental|seasonal|other|and|or|,|/)\s*)*(?:allerg(?:y|ies|ic(?: history| reactions?)?)|hypersensitivit(?:y|ies))(?:\s+to\s+(?:any\s+)?(?:drugs?|medications?|medicines?)[^.;\n]{0,30})?",
    re.IGNORECASE,
)
_FOOD_ONLY = re.compile(r"\b(?:foods?|latex|environmental|seasonal)\b", re.IGNORECASE)
_DRUGS_TOO = re.compile(r"drug|medic", re.IGNORECASE)
_HEADING = re.compile(r"(?:^|(?<=[.\n;])[ \t]*)[ \t#*•-]*(?:drug |medication |known )?(?:allerg(?:y|ies)(?: status| list)?|all|ADRs?|hypersensitivit(?:y|ies)|adverse drug reactions?|intolerances?)[ \t]*(?:\([^)\n]{0,30}\)[ \t]*)?(?::|[-–—](?=\s))[ \t]*(?P<list>[^\n]*)", re.IGNORECASE | re.MULTILINE)
_EMPTY = re.compile(r"\s*(?:none|nil|no|negative|neg|denies|denied|unknown none|none known[^.;]*|nil known|no known[^.;]*|NK(?:D)?A[^.;]*)\s*(?:[.;,(]|$)", re.IGNORECASE)
_STATED = (
    re.compile(r"\b(?:allergic(?: reaction)? (?:to|with)|allerg(?:y|ies) to|hypersensitiv(?:e|ity) to|anaphyla(?:xis|ctic reaction) (?:to|with|after|from)|intolerant (?:to|of)|intolerance (?:to|of))\s+(?P<what>[^.;:\n()]{3,80})", re.IGNORECASE),
    re.compile(r"\b(?P<what>[A-Za-z][A-Za-z/-]{3,30}(?: [A-Za-z]{3,20})?)\s+(?:allergy|allergies|intolerance|hypersensitivity)\b", re.IGNORECASE),
    re.compile(r"\b(?P<what>[A-Za-z][A-Za-z/-]{3,30})\s?(?:\(|:|[-–—])\s?(?:rash|hives|urticaria|anaphyla|angio-?edema)", re.IGNORECASE),
    re.compile(r"\b(?:rash|hives|urticaria|angio-?edema)\s+(?:due to|to|from)\s+(?P<what>[A-Za-z][\w-]{3,40})", re.IGNORECASE),
)
_TRIGGERS = ("allerg", "hypersens", "intoleran", "anaphyla", "nka", "nkda", "nkfa", "nkma", "rash", "hives", "urticaria", "ngioedema", "ngio-edema")
_SHORT_HEADING = re.compile(r"A(?:LL|ll|DRs?)\b")
_REACH = 300  # characters on either side of a trigger
_ITEM = re.compile(r"\s*(?:(?:CAVE|known|documented|reported|to|and|or|also|has|had|is|the|patient|allergic|allergy|allergies|anaphylaxis|intolerance|intolerant|severe|mild|of)\s+)*(?P<what>[A-Za-z0-9][\w/+.' -]*?)\s*(?:\((?P<note>[^)]*)\)|(?:\s[-–—]+\s*|[:=→]|->|\bcauses?\b|\bcaused\b|\bgives?\b|\bwith\b)\s*(?P<reaction>.*))?\s*$", re.IGNORECASE | re.DOTALL)
_SEVERE = re.compile(r"anaphyla|angio-?edema|angiooedema|stevens|\bSJS\b|\bTEN\b|necrolysis|intubat|throat|glottis|shock|\bDRESS\b|bronchospasm|airway|severe|collapse", re.IGNORECASE)
_MILD = re.compile(r"rash|hive|itch|urticari|prurit|mild|flush|erythema|exanthem|swelling", re.IGNORECASE)
_INTOLERANCE = re.compile(r"nausea|vomit|diarrh|\bGI\b|upset|tendon|constipat|headache|dizz|cough|cramp|myalgia|sedat|confus|halluc|intoleran|stomach", re.IGNORECASE)
_NOT_A_SUBSTANCE = re.compile(r"^(?:none|nil|no|not|known|unknown|as above|see|reviewed|updated|per|list|drug|drugs|food|medication|medications|other|multiple|seasonal|any|history|reaction|severe|nkda|nka|meds?|his|her|pt|patient|denies|yes|carries|carrying|later|tolerated|avoid|takes|uses|wears|also|then|since)\b", re.IGNORECASE)


def read_allergies(doc: Document) -> tuple[Allergy, ...]:
    """Each substance once. ABSENT of `any`: no drug allergies are known; of `all`: no allergies at all. Severity: severe, mild or intolerance."""
    found: dict[str, Allergy] = {}
    for allergy in _statements(doc):
        known = found.get(allergy.substance)
        if known is None or (known.severity is None and allergy.severity):
            found[allergy.substance] = allergy
    suffered = [a.substance for a in found.values() if a.status is Status.PRESENT]
    if suffered:
        found.pop("all", None)
    if any(_is_drug(substance) for substance in suffered):
        found.pop("any", None)
    return tuple(sorted(found.values(), key=lambda a: a.evidence))


def _statements(doc: Document) -> Iterator[Allergy]:
    windows: list[list[int]] = []
    for place in sorted([*doc.places(_TRIGGERS), *(m.start() for m in _SHORT_HEADING.finditer(doc.text))]):
        left, right = max(0, doc.text.rfind("\n", 0, place) + 1, place - _REACH), min(len(doc.text), place + _REACH)
        if windows and left <= windows[-1][1]:
            windows[-1][1] = right
        else:
            windows.append([left, right])
    for left, right in windows:
        yield from _in_window(doc, left, right)


def _in_window(doc: Document, left: int, right: int) -> Iterator[Allergy]:
    text = doc.text
    for none in _NONE.finditer(text, left, right):
        if not _FOOD_ONLY.search(none.group()) or _DRUGS_TOO.search(none.group()):
            yield Allergy(_none_of(none.group()), Status.ABSENT, (doc.evidence(none.start(), none.end()),))
    listed: list[tuple[int, int]] = []
    for heading in _HEADING.finditer(text, left, right):
        start, end = heading.span("list")
        listed.append((heading.start(), end))
        if empty := _EMPTY.match(text, start, end):
            said = doc.evidence(heading.start() + len(heading.group()) - len(heading.group().lstrip()), max(start, empty.end()))
            yield Allergy(_none_of(said.text), Status.ABSENT, (said,))
            continue
        yield from _items(doc, start, _list_end(text, start, end))
    for pattern in _STATED:
        for stated in pattern.finditer(text, left, right):
            if any(a <= stated.start() < b for a, b in listed) or re.search(r"\b(?:no|not|denies|nil|without|never|food or|food and|no known|if|for)\b[^.;\n]{0,30}$", text[max(0, stated.start() - 40) : stated.start() + 1] + text[stated.start() : stated.start("what")], re.IGNORECASE):
                continue
            yield from _items(doc, *stated.span("what"), only_known=pattern is not _STATED[0])


def _none_of(said: str) -> str:
    """"NKDA" and "no drug allergies" speak of drugs only; "no known allergies", "no food or drug allergy" of all."""
    drugs_only = _DRUGS_TOO.search(said) or re.search(r"\bNKDA\b", said, re.IGNORECASE)
    return "any" if drugs_only and not _FOOD_ONLY.search(said) else "all"


def _list_end(text: str, start: int, end: int) -> int:
    """A list of allergies ends with its sentence; the line may go on to something else ("Meds: ...")."""
    stop = re.compile(r"\.\s+(?=[A-Z])|\.\s*$|\s{2,}(?=[A-Z]\w+:)|\s(?=(?:Meds?|Medications|Current medications|PE|Exam|FH|SH|Social|Family)\b[^,;]{0,15}:)").search(text, start, end)
    return stop.start() if stop else end


def _items(doc: Document, start: int, end: int, only_known: bool = False) -> Iterator[Allergy]:
    text = doc.text
    for piece in re.finditer(r"(?:\([^)\n]*\)|[^;,(\n]|\((?![^)\n]*\)))+", text[start:end]):
        for part in re.finditer(r"(?:(?!\s(?:and|or)\s).)+(?:\s(?=and\s|or\s))?", piece.group(), re.DOTALL):
            a = start + piece.start() + part.start()
            item = _ITEM.match(text, a, start + piece.start() + part.end())
            if item is None:
                continue
            what = item["what"].strip(" .-'")
            reaction = " ".join(filter(None, (item["note"], item["reaction"]))) or part.group()
            substance = _substance(what)
            if _NOT_A_SUBSTANCE.match(what) or (not substance and (only_known or len(what) < 3 or len(what.split()) > 4 or _MILD.match(what) or _SEVERE.match(what) or _INTOLERANCE.match(what))):
                continue
            denied = re.match(r"\s*\?\s*(?:\w+\s+(?:says|said)\s+)?no\b|\s*:\s*no\b", text[item.end("what") : item.end("what") + 25], re.IGNORECASE)
            yield Allergy(substance or what.lower(), Status.ABSENT if denied else Status.PRESENT, (doc.evidence(item.start("what"), item.start("what") + len(what)),), _severity(reaction))


def _severity(reaction: str) -> str | None:
    for pattern, severity in ((_SEVERE, "severe"), (_MILD, "mild"), (_INTOLERANCE, "intolerance")):
        if pattern.search(reaction):
            return severity
    return None


@lru_cache(maxsize=1)
def _drugs() -> Lexicon[str]:
    vocabulary = load_vocabulary()
    names = [(name, drug.id) for drug in vocabulary.drugs.values() for name in (drug.id, *drug.aliases)]
    groups = [("penicillin", "penicillin"), ("penicillins", "penicillin"), ("PCN", "penicillin"), ("pcn", "penicillin"), ("sulfa", "sulfonamide"), ("sulfa drugs", "sulfonamide"),
              ("sulfonamide", "sulfonamide"), ("sulfonamides", "sulfonamide"), ("sulpha", "sulfonamide"), ("Bactrim", "trimethoprim-sulfamethoxazole"), ("co-trimoxazole", "trimethoprim-sulfamethoxazole"),
              ("contrast", "iodinated contrast"), ("iodinated contrast", "iodinated contrast"), ("IV contrast", "iodinated contrast"), ("contrast dye", "iodinated contrast"), ("iodine", "iodine"),
              ("ASA", "aspirin"), ("NSAIDs", "nsaid"), ("NSAID", "nsaid"), ("latex", "latex")]
    return Lexicon([*names, *groups])


def _substance(what: str) -> str | None:
    hits = _drugs().find(what)
    return hits[0].meaning if hits else None


def _is_drug(substance: str) -> bool:
    return bool(_drugs().find(substance)) and substance != "latex"
