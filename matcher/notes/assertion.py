"""How a text asserts what it mentions: denied, doubted, past, of a relative, or not at all.

The method is ConText (Harkema et al., J Biomed Inform 2009): cues before or after a term reach as far as their scope, which a
boundary word, the end of the clause or a fresh statement after a comma ends. Cues are data (cues.csv); scopes are grammar.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from matcher.domain import Status
from matcher.lexicon import Lexicon
from matcher.notes.document import Document
from models.cues import Cue, load_cues


class Context(NamedTuple):
    """What the cues say of one mention. `other`: a person outside the family; `weak`: only more of it is denied ("no new ...");
    `treated`: over, unless it is a chronic disease; `current`: said to be going on."""

    negated: bool = False
    weak: bool = False
    possible: bool = False
    family: bool = False
    other: bool = False
    hypothetical: bool = False
    past: bool = False
    resolved: bool = False
    treated: bool = False
    current: bool = False

    @property
    def status(self) -> Status:
        """The context as one status. What is not asserted of the patient at all (a condition, a warning, another person) is POSSIBLE."""
        if self.negated:
            return Status.ABSENT
        if self.hypothetical or self.other:
            return Status.POSSIBLE
        if self.family:
            return Status.FAMILY
        if self.possible:
            return Status.POSSIBLE
        if self.resolved or self.treated or (self.past and not self.current):
            return Status.HISTORICAL
        return Status.PRESENT


def assertion(doc: Document, start: int, end: int) -> Status:
    """The status of the span in its sentence and section."""
    return scopes(doc).context(start, end).status


def assert_span(text: str, start: int, end: int) -> Status:
    """As `assertion`, for a text that is no whole note."""
    return assertion(Document(text), start, end)


@lru_cache(maxsize=1)
def _lexicon() -> Lexicon[tuple[Cue, ...]]:
    rows: dict[str, list[Cue]] = {}
    for cue in load_cues():
        for text in (cue.text, *_contracted(cue.text)):
            rows.setdefault(text, []).append(cue)
    return Lexicon((text, tuple(cues)) for text, cues in rows.items())


_NOT = re.compile(r"(?:(is|are|was|were|does|do|did|has|have|had|could|would) )?not\b")
_AUXILIARIES = ("is", "are", "was", "were", "does", "do", "did", "has", "have", "had")


def _contracted(cue: str) -> list[str]:
    """The cue as people speak: "does not have" is "doesn't have", "not resolved" also "hasn't resolved"."""
    said = _NOT.match(cue)
    return [f"{verb}n't{cue[said.end():]}" for verb in ((said[1],) if said[1] else _AUXILIARIES)] if said else []


# A wrapped line goes on below; a short one, or one that a capital follows, has ended.
_LINE_END = re.compile(r"\n")
_WRAP = 55  # characters; shorter lines of a wrapped paragraph are rare
_FAR = 400  # characters; no cue reaches further, however long the sentence
# Semicolons, cells of a table, boxes of a form, and full stops of a hasty note that goes on without a capital.
_BREAK = re.compile(r"[☐☒☑;|.\[](?:(?<![.\[])|(?<=\[)[ xX]?\]|(?:(?<=[a-z]{4}\.)|(?<=[\d)]\.))\s(?=[a-z]))")
# After a comma these begin a statement of its own, which an earlier "no" does not reach.
_FRESH = re.compile(
    r"\b(?:is|are|was|were|has|had|have|does|did|takes?|took|reports?|states?|started|stopped|received|developed|remain(?:s|ed)|continue[sd]?|present(?:s|ed)"
    r"|underwent|show(?:s|ed|ing)|reveal(?:s|ed)|s/p|h/o|hx|history of|positive|known|persist(?:s|ent|ing)|controlled|stable|appears?|seems?|with|only|found"
    r"|treated|ok|okay|fine|clean|dry|intact|normal|good|unchanged|unremarkable|in place|in situ|uses|using|requiring|needs|lives|works|smokes|on (?!exam|physical|ct|mri|pet|imaging|x-?ray|cxr|echo|tte|us|ultrasound|duplex|biops|admission|ekg|ecg|urinalysis|ua))\b"
    r"|\d{4}|\b\d+ ?(?:%|(?:mg|mcg|days?|years?|yrs?)\b)|\+",
    re.IGNORECASE,
)
# Between a cue like "no" and its noun: the noun of a phrase that the cue does not deny ("no antibiotics for pneumonia").
_TURN = re.compile(
    r"\b(?:for|after|despite|against|given|caused by|attributed to|related to|due to|because of|treated with|gave up|quit|is|are|was|were|has|have|had|does|did|will|may|can|would|should)\b|\bd/t\b|\s[-–—]+\s|[:=+?]|\n\s*\n|\d{1,2}[.)]\s",
    re.IGNORECASE,
)
_DENIAL = re.compile(r"den(?:y|ies|ied|ying)|not (?!on|taking|receiving|requiring)|.*\b(?:have|had|has|show|reveal|demonstrate|feel|see|appear)\b", re.IGNORECASE)
# Grammar of results and answers that stand right after, or right before, what they speak of. Most names are followed by nothing that opens one.
_OPENS = re.compile(r"[ \t]{2}|\s*(?:[/<>≤≥(:=?+–—−→-]|\.\.|,\sn|[\"')]+\?|a(?:b|g|nti)|ig[gm]|pcr|screen|sero|status|test|result|g(?:r|\s?0)|n|denie|y)", re.IGNORECASE)
_CLOSES = "0)?]☐eErR"  # the last character of a sign before a name
_ANSWER_NO = re.compile(
    r"(?:\s+(?:ag|ab|igg|igm|antibody|antigen|pcr|screen|test|serology|status|result)|\s?/\s?[a-z][\w'-]{2,20}(?=\s*:|\s{3}))?\s*(?:[:=]|\.{2,}|\s[-–—]|\?\s*[-–—]?)?\s*"
    r"(?:\(\s*(?:[-–−]|no|nil|none|neg(?:ative)?|absent|denied|never)\s*\)|,\s(?:no|never)(?=\s*(?:[.;]|$|\n))|(?:grade|gr\.?|G)\s?0\b|(?:no|none(?: (?:known|seen|noted|found|identified|reported|detected))?|nil|neg|negative|absent|denie[sd]|never|nr|n/a|not applicable)(?=\s*(?:[.,;()\]|!?]|$|\n|-\s|/\s)|[ \t]{3}|/\s*no\b)|[-–−]\s?ve\b|[-–−](?=[,;])|(?<=[:=])\s*[-–−](?=\s|$))",
    re.IGNORECASE,
)
_ANSWER_YES = re.compile(r"\s*(?:[:=]\s*)?(?:\(\s*\+\s*\)|\+ve\b|\+(?!\w))|\s*[:=]\s*(?:yes|positive|pos|present)\b", re.IGNORECASE)
# One letter: "HIV: N", "COPD (Y/N): N", "Active infection: Y / N -> N", "HIV/HBV: N/N", "Other malignancy <5y: N", and in capitals "HIV N,".
_ANSWER_LETTER = re.compile(
    r"(?:\s?/\s?[a-z][\w'-]{1,20}){0,3}(?:\s?[<>≤≥]\s?\d{1,2}\s?[a-z]{1,6})?\s*(?:\(?y\s?/\s?n\)?)?\s*(?:[:=?]|->|→|\s[-–—]\s)\s*(?:y\s?/\s?n\s*(?:->|→|:)?\s*)?"
    r"(?P<told>[yn])(?:/[yn])*(?=\s*(?:[.,;()\]|]|$|\n|\s{2}))|\s(?-i:(?P<bare>[YN]))(?=[.,;|]|$|\n|\s{2})", re.IGNORECASE)
_STATEMENT_END = re.compile(r"[.;\n]")
# A form whose answers stand in a column, before or after what they answer: "N  COPD", "Y  asthma     N  stroke / TIA".
_ANSWER_COLUMN = re.compile(r"(?:^|(?<=[ \t]{3}))[ \t]{0,8}(?P<answer>yes|no|[yn?])[ \t]{2,}(?:(?![ \t]{3}).)*\Z", re.IGNORECASE | re.MULTILINE)
_ANSWER_CELL = re.compile(r"[ \t]{2,}(?P<answer>yes|no|[yn?])[ \t]*(?:$|[ \t]{2})", re.IGNORECASE | re.MULTILINE)
_OF_PATIENT = re.compile(r"[^.;\n]*\bin (?:the )?(?:pt|patient)\b|[^.;\n]*\bpatient (?:himself|herself)\b", re.IGNORECASE)
_COURSE_DAY = re.compile(r"d(?<!\w.)(?:ay)? ?\d{1,2} ?(?:of|/) ?\d{1,2}\b")  # "pneumonia, co-amoxiclav day 4 of 7"
_DOUBTED = re.compile(r"\s?(?:\(\?\)|\?)")
_CORRECTED = re.compile(r"\s*[\"')]*\?\s*[-–—:]*\s*(?:(?:pt|patient|she|he)\s+(?:says|said|states)\s+)?no\b|\s*\?\s*[-–—]\s*[^.\n?]{0,60}\b(?:but|actually|in fact|so no)\b", re.IGNORECASE)
_PREFIX_NO = re.compile(r"(?:\b(?:grade|gr\.?)\s?0\s|\(\s*[-–−]\s*\)|[-–−]\s?ve(?:\s+for)?)\s*$", re.IGNORECASE)
_PREFIX_DOUBT = re.compile(r"\?\s?$")
_UNTICKED = re.compile(r"(?:\[\s?\]|☐|\(\s\))\s*$")
_LISTING = re.compile(r",\s*(?:and|or|&|nor)\s|\s(?:and|or|&|nor)\s|/", re.IGNORECASE)
_COMPANY = re.compile(
    r"(?:\b(?:with|by|from|per|lives?|living|accompanied by|married to|and)\s+(?:his|her|the|a|an|their|my|patient's|pt's)?\s*(?:\w+\s)?$)", re.IGNORECASE)
_NEAR = r"[ \t(-]*(?:\w+[ \t]+)?|[ \t]*(?:[+/&]|and|or)[ \t]*\w+(?:[- ]\w+)?[ \t]*"  # between a term and the "vaccine", "clinic", "prophylaxis" it goes with
_GONE = r"(?:resolved|cleared|healed|settled|disappeared|subsided|went away)\b(?! (?:only|in part|partly|partially))"
_OUTCOMES = ("resolved", "cleared", "healed", "settled", "disappeared", "subsided", "went away", "ruled", "excluded")
_OUTCOME_REACH = 210  # characters from a name to the word for its outcome, at most
# The next sentence tells how it went on: "pneumonia in May. It has since resolved", "cancer was suspected; biopsies ruled it out".
_AFTERWARDS = re.compile(
    r"(?:(?!\band\b)[^.;,\n]){0,70}(?:[.;] (?:[A-Z][^.;\n]{0,60}\bit\b[^.;\n]{0,40}\. )?"
    rf"(?P<gone>(?:[Ii]t|[Tt]his)(?: (?:has|had))?(?: (?:fully|completely|now|since|later|then)){{0,2}} {_GONE})|[.;,] [^.;,\n]{{0,40}}\b(?:ruled (?:it|this) out|(?:excluded|out-?ruled) (?:it|this)\b))")
_WISHED = re.compile(r"\b(?:wants?|needs? (?:him|her|them|to)|must|should|provided)\b[^.;,]{0,30}$", re.IGNORECASE)  # "wants two weeks clear of infection"
_OWNS = re.compile(r"'s\b|\s+(?:has|had|with|who)\b", re.IGNORECASE)
_INFORMANT = re.compile(r"\s*(?:\([^)]*\)\s*)?(?:says?|said|reports?|reported|states?|stated|notes?|noted|noticed|asks?|asked|calls?|called|confirms?|confirmed|thinks|believes|is with|is here|here|present|at bedside|in attendance|drove|brought|wants?|helps?|offered|typed|matched|haplo\w*|is a match|declined|feels|worr\w+|concerned|describes?|informed|was told|lives|requests?)\b", re.IGNORECASE)


class Scopes:
    """The cues of one document and what they reach."""

    def __init__(self, doc: Document) -> None:
        self._doc, self._text = doc, doc.text
        cues = [(hit.start, hit.end, cue) for hit in _lexicon().find(doc.text) for cue in hit.meaning]
        self._cues = [c for c in cues if c[2].category != "ignored"]
        self._ignored = [start for start, _, cue in cues if _shields(cue)]
        self._denying = [(start, end) for start, end, cue in cues if cue.category == "ignored" and cue.text.startswith(("no ", "without "))]
        self._starts = [c[0] for c in self._cues]
        self._hard = sorted({*(a for a, _ in doc.sentences), *_line_ends(doc.text), *(m.start() for m in _BREAK.finditer(doc.text))})
        self._soft = sorted({*self._hard, *(start for start, _, cue in self._cues if cue.category == "boundary")})
        self._patient = [start for start, _, cue in self._cues if cue.category == "patient"]
        self._family = _family_paragraphs(doc)
        self._course_days = [m.start() for m in _COURSE_DAY.finditer(doc.lowered)]
        self._outcomes = doc.places(_OUTCOMES)

    def context(self, start: int, end: int, others: Sequence[int] = ()) -> Context:
        """What the cues say of the span. `others`: sorted starts of the other mentions; an afterthought ("..., resolved") reaches
        only the nearest."""
        text = self._text
        hard_left, hard_right = self._between(self._hard, start, end)
        soft_left, soft_right = self._between(self._soft, start, end)
        found: set[str] = set()
        if self._in_family(start) and not _OF_PATIENT.match(text, end, min(len(text), end + 60)):
            found.add("family")
        before = text[max(0, start - 8) : start]
        signed = before.rstrip()[-1:] in _CLOSES
        if answer := self._answer(start, end, before if signed else ""):
            found.add(answer)
        if signed and _UNTICKED.search(before):
            found.add("hypothetical")
        if any(low < start < high for low, high in self._denying):
            found.add("negated")  # "no dialysis", which shields what it might be for, denies itself
        for i in range(bisect_left(self._starts, hard_left), bisect_left(self._starts, hard_right)):
            cue_start, cue_end, cue = self._cues[i]
            if cue_start < start:
                if cue.direction == "forward":
                    reaches = self._forward(cue, cue_start, cue_end, start, end, soft_left)
                elif cue.direction == "next":
                    reaches = start < cue_end or re.fullmatch(r"[ \t-]*(?:\w+[ \t-]+)?", text[cue_end:start]) is not None
                else:
                    continue
            elif cue_start >= end:
                if cue.direction == "backward":
                    reaches = self._backward(cue, cue_start, end, soft_right, others)
                elif cue.direction == "previous":
                    reaches = re.fullmatch(_NEAR if cue.category == "hypothetical" else r"[ \t]*[(,:\-–][ \t]*(?:in |his |her |pt's )?(?:\w+ )?", text[end:cue_start]) is not None
                else:
                    continue
            else:  # part of the name: "old myocardial infarction", "childhood asthma"; or across its end: "plasma cell tumor board"
                reaches = (cue.category in ("past", "resolved") and cue.direction == "forward" and cue_end < end) or (cue.direction == "previous" and cue_end > end)
            if reaches:
                wished = cue.category == "negated" and cue_start < start and _WISHED.search(text, max(hard_left, cue_start - 50), cue_start)
                found.add("hypothetical" if wished else cue.category)
        if _next(self._outcomes, end, _OUTCOME_REACH) is not None and (later := _AFTERWARDS.match(text, end)):
            found.add("resolved" if later["gone"] else "negated")
        if not found:
            return _PLAIN
        negated = "negated" in found
        return Context(
            negated=negated or "not_new" in found, weak=not negated and "not_new" in found, possible="possible" in found and not negated,
            family="family" in found, other="other_person" in found, hypothetical="hypothetical" in found and not negated,
            past="past" in found, resolved="resolved" in found, treated="treated" in found, current="current" in found,
        )

    def _answer(self, start: int, end: int, before: str) -> str | None:
        """What a form or a sign beside the span answers, as the category of a cue. `before`: the words that lead to it, where they may close a sign."""
        text = self._text
        if (box := self._doc.ticked(end)) and box[1]:
            return "negated" if text[box[1][0]].lower() == "n" else "current"
        opened = _OPENS.match(text, end) is not None
        if column := self._column_before(start) or (_ANSWER_CELL.match(text, end) if opened else None):
            return {"y": "current", "n": "negated", "?": "possible"}[column["answer"][0].lower()]
        if opened:
            after = text[end : end + 70]
            if letter := _ANSWER_LETTER.match(after):
                return "current" if (letter["told"] or letter["bare"]) in "Yy" else "negated"
            if _ANSWER_YES.match(after):
                return "current"
            if _ANSWER_NO.match(after) or _CORRECTED.match(after):
                return "negated"
        if before and _PREFIX_NO.search(before):
            return "negated"
        if self._course_runs(end):
            return "current"
        return "possible" if (opened and _DOUBTED.match(text, end)) or (before and _PREFIX_DOUBT.search(before)) else None

    def _forward(self, cue: Cue, cue_start: int, cue_end: int, start: int, end: int, soft_left: int) -> bool:
        text, gap = self._text, self._text[min(cue_end, start) : start]
        if cue.category in ("family", "other_person"):
            if bisect_left(self._patient, cue_end) < bisect_left(self._patient, start):
                return False
            if cue.category == "other_person":
                return len(gap) < 60
            company = _COMPANY.search(text[max(0, cue_start - 25) : cue_start]) and not _OWNS.match(text, cue_end)
            return not company and not _INFORMANT.match(text, cue_end)
        if (closed := gap.find(")")) >= 0 and "(" not in gap[:closed]:
            return False
        if cue.category == "hypothetical":
            return len(gap) < 160 and " because " not in gap
        if cue_start < soft_left:
            return False
        pieces = gap.split(",")
        if cue.category in ("negated", "not_new"):
            if bisect_left(self._ignored, cue_end) < bisect_left(self._ignored, start):
                return False
            first = pieces[0]
            turn = _TURN.search(first)
            if turn and not _DENIAL.match(cue.text) and (turn.group() != ":" or first[: turn.start()].strip()):
                return False
            return len(pieces) == 1 or not self._fresh(pieces, start, end)
        if cue.category in ("past", "treated", "resolved"):
            if cue.text in _ADJACENT:
                return len(pieces) == 1 and len(gap) < 30
            return len(gap) < 150 and (len(pieces) == 1 or not self._fresh(pieces, start, end))
        return len(pieces) == 1 and len(gap) < 60  # doubt and present tense: the phrase they stand in

    def _fresh(self, pieces: list[str], start: int, end: int) -> bool:
        """Whether a piece after the first comma says something of its own. The last piece runs on past the span to the next comma."""
        stop = min((p for mark in ",.;\n" if (p := self._text.find(mark, end, end + 60)) >= 0), default=min(len(self._text), end + 60))
        return any(_FRESH.search(piece) for piece in (*pieces[1:-1], pieces[-1] + self._text[start:stop])) or any(
            re.search(r"[-–—]\s|\n\s*\n|:", piece) for piece in pieces[1:])

    def _backward(self, cue: Cue, cue_start: int, end: int, soft_right: int, others: Sequence[int]) -> bool:
        gap = self._text[end:cue_start]
        if cue.category in ("resolved", "treated", "past") or cue.text.startswith(_STILL_THERE):
            nearest = bisect_left(others, end) == bisect_left(others, cue_start)
            return len(gap) < 120 and (nearest or bool(re.search(r"\b(?:both|all)\s*$", gap)))
        if cue.category == "family":
            return len(gap) < 60
        if cue_start > soft_right or (cue_start == soft_right and not cue.text.startswith("but ")):
            return False
        if cue.category == "negated":
            lead, (head, _, inside) = gap.rstrip(), gap.partition("(")
            if inside.strip() and ")" not in inside and (head.strip() or _GENE.fullmatch(inside.strip())):
                return False  # of what the bracket names: "metastatic HER2 2+ (ISH negative)", "AML (NPM1 neg"
            listed = lead.endswith((":", "-", "–")) or cue.text.startswith(("all ", "both ", "are ", "were ")) or re.search(r"\b(?:all|both|were|are)$", lead)
            if cue.text in ("denies", "deny") or (cue.text == "denied" and not re.search(r"\b(?:is|are|was|were|-|,|:)\s*$|^\W*$", gap)):
                return False
            if "," in gap:
                return bool(listed or _LISTING.search(gap)) and not _FRESH.search(gap.rsplit(",", 1)[0]) and "no " not in gap
            return len(gap) < 60 and not re.search(r"\b(?:with|for|and (?:was|is|has)|no|treated|has|had|by)\b", gap)
        if cue.text in ("vs", "vs.", "versus") and re.search(r"\b(?:from|due|of|with|on|to|for)\b", gap):
            return False
        return "," not in gap and not gap.partition("(")[2].strip() and len(gap) < 50

    def _between(self, cuts: list[int], start: int, end: int) -> tuple[int, int]:
        at = bisect_right(cuts, start)
        right = bisect_left(cuts, end, at)
        return max(cuts[at - 1] if at else 0, start - _FAR), min(cuts[right] if right < len(cuts) else len(self._text), end + _FAR)

    def _column_before(self, start: int) -> re.Match[str] | None:
        """What a form answers in the column before."""
        low = max(0, start - 149)
        low = self._text.rfind("\n", low, start) + 1 or low
        gap = self._text.find("  ", low, start) >= 0 or self._text.find("\t", low, start) >= 0
        return _ANSWER_COLUMN.search(self._text, low, start) if gap else None

    def _course_runs(self, end: int) -> bool:
        """Whether what follows is treated these days."""
        day = _next(self._course_days, end, 70)
        return day is not None and not _STATEMENT_END.search(self._text, end, day)

    def _in_family(self, place: int) -> bool:
        at = bisect_right(self._family, (place, len(self._text) + 1)) - 1
        return at >= 0 and place < self._family[at][1]


_PLAIN = Context()


def _next(places: Sequence[int], place: int, reach: int) -> int | None:
    """The first of sorted places from one on, within reach."""
    at = bisect_left(places, place)
    return places[at] if at < len(places) and places[at] <= place + reach else None


def _shields(cue: Cue) -> bool:
    """A pseudo-cue takes its noun out of the reach of an earlier "no": "no fever, no recurrent infections"."""
    return cue.category == "ignored" or (cue.category == "hypothetical" and cue.text.startswith("no "))


_GENE = re.compile(r"[A-Za-z]{2,6}\d{1,2}[A-Za-z]?|BRCA(?:1/2|s)?|MSI|MMR")
_ADJACENT = {"old", "past", "former", "prior", "previous", "previously", "formerly", "post", "earlier", "remote", "after", "history", "treated", "resolved", "healed", "cured", "cleared", "childhood"}


_STILL_THERE = ("on ", "under ", "still ", "relaps", "recur", "progress", "spread", "metast", "mets")  # an afterthought, as far as "resolved" reaches


@lru_cache(maxsize=4)
def scopes(doc: Document) -> Scopes:
    return Scopes(doc)


def _line_ends(text: str) -> list[int]:
    """Line breaks that end a statement, as opposed to those that wrap a paragraph."""
    ends, line_start = [], 0
    for match in _LINE_END.finditer(text):
        place = match.start()
        following = text[place + 1 : place + 2]
        wraps = place - line_start >= _WRAP and text[place - 1 : place] not in ".:;" and following not in "\n-*•#|" and not following.isspace()
        if not wraps and not (following.islower() and text[place - 1 : place] != ":"):
            ends.append(place)
        line_start = place + 1
    return ends


_KINSHIP = re.compile(r"[\s*•-]*(?:(?-i:[a-z])|(?:mother|father|brother|sister|son|daughter|aunt|uncle|grand|cousin|parents|siblings|maternal|paternal|no\b|nobody|none|pat\b|mat\b))|\s*[-*•]", re.IGNORECASE)


def _one_line(text: str, start: int, end: int) -> int:
    """Where a family history told on its heading's own line ends: with that line, unless it wraps or the next tells of a relative."""
    place = start
    while True:
        stop = text.find("\n", place, end)
        if stop < 0 or not text[start:stop].strip():
            return end
        line = text[text.rfind("\n", 0, stop) + 1 : stop].rstrip()
        following = text[stop + 1 : stop + 40]
        wraps = len(line) >= _WRAP and not line.endswith(".")
        if not wraps and not _KINSHIP.match(following):
            return stop
        if not wraps and following[:1].islower() and line.endswith("."):
            return stop
        place = stop + 1


def _family_paragraphs(doc: Document) -> list[tuple[int, int]]:
    """Family history sections, to the end of their first paragraph: headings further on may be none that we know."""
    found = []
    for section in doc.sections:
        if section.kind == "family":
            body = len(doc.text[section.start : section.end]) - len(doc.text[section.start : section.end].lstrip())
            stop = re.compile(r"\n\s*\n|\n(?=[^\n:]{2,30}:)").search(doc.text, section.start + body, section.end)
            end = stop.start() if stop else section.end
            found.append((section.start, _one_line(doc.text, section.start, end)))
    return found
