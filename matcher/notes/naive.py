"""What a note says in words was never given: "no prior BCMA-directed therapy", "CAR-T: none", "bispecifics have not been used".

A denial reaches what it denies over plain words of exposure only (words.csv): "no slot for BCMA CAR-T" denies a slot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from matcher.notes.document import Document
from matcher.notes.signals import signals_of
from matcher.notes.statements import statement_at
from models import load_vocabulary
from models.words import load_words

BCMA = r"(?:anti[- ]?)?(?:BCMA|B[- ]cell maturation antigen)"
_TARGET = re.compile(rf"\b{BCMA}\b", re.IGNORECASE)
_CELLS = re.compile(r"(?<!GPRC5D )(?<!CD19 )\b(?:CAR[- ]?T|cell(?:ular)? therap(?:y|ies))\b", re.IGNORECASE)
_ENGAGERS = re.compile(r"(?<!GPRC5D )(?<!FcRH5 )(?<!CD20 )\b(?:bispecifics?|BsAbs?|BiTEs?|T[- ]cell[- ](?:engag\w+|redirect\w+))\b", re.IGNORECASE)
_NO = re.compile(r"\b(?:no|nor|neither|without|zero|denie[sd]|denying|never|none of|untreated with|(?:history|list|lines|therap(?:y|ies)|treatments?) (?:does|do|did) not (?:include|contain)|not (?:one|a single)|not|na[iï]ve (?:to|for|of)|yet to|(?:will|would|to) be (?:his|her|their|the|a) first)\b|n't\b|\bw/o\b", re.IGNORECASE)
_NEEDS_VERB = ("not", "n't", "yet to")
_UNMEANT = re.compile(r"\b(?:will|would|can|could|should|shall|may|might|must|no longer|nor|not|non)[\s-]*$|\bcan$", re.IGNORECASE)
_TOKEN = re.compile(r"[^\W\d_][\w'’]*|\S")
_TICK = r"(?:☒|☑|✓|\[[xX✓]\]|\([xX]\))"
_BLANK = r"(?:☐|\[ ?\]|\( ?\))"
_NO_WORD = r"(?:no|none|nil|never|denied|n|n/a|na[iï]ve|unexposed|not (?:exposed|received|given|used|done|performed|yet))"
_COLON = r"(?:[:=?|(–—-][\s:=?|(–—-]*|\t\s*|(?<=therapy )|(?<=treatment ))"
_ANSWER_OVER = r"(?=\s{2}|\s*(?:[.,;()\]\n|/&]|$|so far|to date|yet|until now|ever|given|received|used))"
_CHOICE = r"\(?y(?:es)?\s?/\s?no?\b\)?"  # "(Y/N)": a question still
_ANSWERED = re.compile(rf"[\s)]*(?:{_CHOICE})?\s*{_COLON}(?:{_CHOICE}[\s:>→-]*)?(?:{_NO_WORD}\b|0|\(?-\)){_ANSWER_OVER}", re.IGNORECASE)
_TICKED = re.compile(rf"[\s:?|-]*(?:{_BLANK}\s*y(?:es)?\b[\s,/|]*{_TICK}\s*no?\b|{_TICK}\s*no?\b)", re.IGNORECASE)
_TICKED_YES = re.compile(rf"[\s:?|=-]*(?:{_TICK}\s*y(?:es)?\b|(?:{_BLANK}\s*no?\b[\s,/|]*)?{_TICK}\s*y(?:es)?\b|(?<=[:=?|\s])(?:yes|y|\+|positive)(?!\s?/\s?n)(?![\w/]))", re.IGNORECASE)
_NAIVE = re.compile(r"[\s:-]*(?:na[iï]ve|unexposed|(?:not|non|never)[ -]exposed)\b(?!\s?[:?=]\s?no?\b)", re.IGNORECASE)
_AS_EXPOSED = re.compile(r"[\s-]*(?:exposed|experienced|(?:pre-?)?treated)\b", re.IGNORECASE)
_NEVER = re.compile(r"[\s,;]*(?:(?:has|have|had|was|were|is|are)\s+)*(?:never|not|n't)\b", re.IGNORECASE)
_NOT_NAIVE = re.compile(r"\b(?:not|non|never|no longer|nor|cannot|unclear|whether|assum\w*|presum\w*|if)\b[^.;\n]*$", re.IGNORECASE)
_SO_FAR = re.compile(r"\s*(?:yet|so far|to date|till now|until now)\s*(?:[.,;)\n]|$)", re.IGNORECASE)
_THEN_NEVER = re.compile(r"[^.\n]{0,60}[;,]\s*never\s+(?:used|given|received|had|tried)\b", re.IGNORECASE)  # "not available in the public system; never used"
_LINKED = re.compile(r"[\s-]*(?:(?:is|are|was|were|currently|yet|being|at present) )*", re.IGNORECASE)
_AWAITED = re.compile(r"\b(?:before cells|until|unless)\b", re.IGNORECASE)
_TAKEN_BACK = re.compile(r"[\s.,;:–\"'”’)-]*(?:(?:in|on) \w+ )?")
_BEFORE, _AFTER = 110, 90  # characters within which a denial bears on a name


def denied_bcma(doc: Document) -> tuple[int, int] | None:
    """Where the note says that no BCMA-directed therapy was given: by name, or as neither cells nor engagers."""
    if target := next(_denials(doc, _TARGET, ("bcma", "maturation")), None):
        return target
    cells = next(_denials(doc, _CELLS, ("car", "cell")), None)
    engagers = next(_denials(doc, _ENGAGERS, ("bispecific", "bsab", "bite", "engag", "redirect")), None) if cells else None
    return (min(cells[0], engagers[0]), max(cells[1], engagers[1])) if cells and engagers and abs(cells[0] - engagers[0]) < 300 else cells if cells and engagers else None


def said_yes(doc: Document, end: int) -> bool:
    """Whether what ends at a place is answered with yes: "prior BCMA: Y", "[x] yes"."""
    return _TICKED_YES.match(doc.text, end) is not None


def hypothetical(doc: Document, place: int) -> bool:
    """Said of a condition, a trial's demand or a relative."""
    start, end = statement_at(doc, place)
    return signals_of(doc.text).first("hypothetical", start, place) is not None or _AWAITED.search(doc.text, place, end) is not None


def _denials(doc: Document, name: re.Pattern[str], words: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    for match in doc.matches(name, words, 12, 40):
        found = _denied_before(doc, *match.span()) or _denied_after(doc, *match.span())
        if found and not hypothetical(doc, match.start()) and signals_of(doc.text).first("unsure", *found) is None and not _called_wrong(doc, found[1]):
            yield found


def _called_wrong(doc: Document, end: int) -> bool:
    """The next words take the denial back: "BCMA-naive, which is wrong"."""
    slip = signals_of(doc.text).first("called_wrong", end, end + 60)
    return slip is not None and _TAKEN_BACK.fullmatch(doc.text, end, slip.start) is not None


def _denied_before(doc: Document, start: int, end: int) -> tuple[int, int] | None:
    text, low = doc.text, max(statement_at(doc, start)[0], start - _BEFORE)
    over = _plain_to(text, end, end + _AFTER)[0]
    if _of_another_matter(doc, end, over):
        return None
    for head in reversed(list(_NO.finditer(text, low, start))):
        reached, words = _plain_to(text, head.end(), start)
        if reached == start and not _UNMEANT.search(text, max(low, head.start() - 14), head.start()) and (head.group().lower() not in _NEEDS_VERB or words & load_words().given or _AS_EXPOSED.match(text, end)):
            return head.start(), end
    return None


def _denied_after(doc: Document, start: int, end: int) -> tuple[int, int] | None:
    text, high = doc.text, min(len(doc.text), end + _AFTER)
    if later := _THEN_NEVER.match(text, end, high):
        return start, later.end()
    for over in _ends(text, end, high):
        if naive := _NAIVE.match(text, over, high):
            return None if _NOT_NAIVE.search(text, max(0, start - 50), start) else (start, naive.end())
        if answer := _TICKED.match(text, over, high) or _ANSWERED.match(text, over, high):
            return start, answer.end()
        if never := _NEVER.match(text, over, high):
            reached, words = _plain_to(text, never.end(), high)
            if words & load_words().given or _SO_FAR.match(text, never.end(), high) or (never.group().lower().endswith("never") and not text[reached : reached + 1].isalpha()):
                return None if _of_another_matter(doc, end, reached) else (start, max(reached, never.end()))
    return None


def _ends(text: str, end: int, high: int) -> list[int]:
    """Where what is denied may end: with the name, or after plain words that go on with it."""
    places = [end]
    for token in _TOKEN.finditer(text, end, high):
        if not _is_plain(token.group()) or token.group().lower() in ("no", "not", "never"):
            break
        places.append(token.end())
    return places


def _plain_to(text: str, low: int, high: int) -> tuple[int, set[str]]:
    """How far plain words of exposure reach, and which they are."""
    words: set[str] = set()
    place = low
    for token in _TOKEN.finditer(text, low, high):
        if not _is_plain(token.group()):
            return place, words
        words.add(token.group().lower())
        place = token.end()
    return high if not text[place:high].strip() else place, words


def _is_plain(token: str) -> bool:
    return token.lower() in load_words().exposure or token.lower() in load_words().given or token.lower() in _names() or token in ",/-–+&()'\"’"


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    """The words of which names of targets and cancer drugs consist."""
    vocabulary = load_vocabulary()
    targets = [id for id, row in vocabulary.therapies.items() if row.kind == "target"]
    drugs = [name for drug, row in vocabulary.drugs.items() if row.antineoplastic for name in (drug, *row.aliases)]
    return frozenset(word.lower() for name in (*targets, *drugs) for word in re.findall(r"[^\W\d_][\w'’]{3,}", name))


def _of_another_matter(doc: Document, end: int, place: int) -> bool:
    """What follows tells that the denial was of a test, a trial or a plan; a bracket only explains it."""
    if doc.text.rfind("(", end, place) > doc.text.rfind(")", end, place):
        return False
    signals = signals_of(doc.text)
    following = [s for kind in ("other_matter", "planned_after", "planned_noun") if (s := signals.first(kind, place, place + 40))]
    return any(_LINKED.fullmatch(doc.text, place, s.start) for s in following)
