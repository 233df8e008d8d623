"""Whether a treatment that the note names was given: given, ongoing, planned, declined, never, another person's, or unclear."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache

from matcher.domain import Course
from matcher.notes.document import Document
from matcher.notes.treatments import Group
from models import load_vocabulary
from models.therapy_cues import load_therapy_cues

# Where one statement ends and the next begins. Line breaks inside running prose do not; those before a marker, a capital or a digit do.
_STATEMENT = re.compile(r"(?<=[.!?])[)\"'\]]*\s+(?=[A-Z0-9(\[\"'~<>+#*-])|\n[ \t]*\n\s*|\n(?=[ \t]*[^a-z\s])|;|\|\n")
_ABBREVIATION = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|vs|e\.g|i\.e|ca|approx|No|gr|St|s\.c|i\.v|Inc|pt|wk|mo|yr|max|resp|incl|excl|p\.o|est|fig|al)\.$", re.IGNORECASE)
_CLAUSE = re.compile(r"[,\s]*\b(?:but|however|although|though|except|whereas|yet|who|then|therefore|because|so)\b|(?<=\w)\s+[-–—]+\s+|:\s|[()]|->|→|//", re.IGNORECASE)
_INFUSED = re.compile(r"[^.;\n]{0,100}?\b(?:infused|reinfused|received (?:the |an? )?(?:infusion|cells)|infusion (?:on|in|was given)|reinfusion)\b", re.IGNORECASE)
_LABEL = re.compile(r"[\s*•#()\d.:-]*(?:(?:line|rx|lot|l|regimen|course)[\s#]*(?:\d{1,2}|[ivx]{1,5})?(?:st|nd|rd|th)?[\s.:)|-]*)?", re.IGNORECASE)
_REACH = 320  # characters of a run-on statement that still bear on a name
_STRONG_BREAK = re.compile(r"\b(?:but|however|although|though|except|whereas|then|so|hence|therefore|instead(?! of))\b|//", re.IGNORECASE)
_CONDITION = re.compile(r"\bif\b[^.;,\n]*,?[^.;,\n]*$", re.IGNORECASE)
_PARENTHESIS = re.compile(r"\s*\([^()\n]{0,120}\)")
_CELLS_NOT_GIVEN = re.compile(r"\b(?:never|not)\s+(?:been\s+)?(?:received?|infused|given|reinfused|got)\b[^.;\n]{0,12}\b(?:cells?|product|infusion)\b|\b(?:excluded|withdrawn|dropped out|died|left the study)\s+before (?:the )?(?:infusion|lymphodepletion|cells)", re.IGNORECASE)
_INFUSION_DAY = re.compile(r"\b(?:re)?infus(?:ed|ion)\b(?: (?:date|day|on|was|of cells))*[\s:=|-]*\(?(?:\d{1,4}[./-]\d|\d{1,2} [A-Z][a-z]{2}|[A-Z][a-z]{2,8} \d)", re.IGNORECASE)


@lru_cache(maxsize=8)
def _statements(text: str) -> tuple[int, ...]:
    cuts = [0]
    for match in _STATEMENT.finditer(text):
        if text[match.start()] in " \n" and _ABBREVIATION.search(text[max(0, match.start() - 8) : match.start()]):
            continue
        cuts.append(match.end())
    return (*cuts, len(text))


def statement_at(doc: Document, place: int) -> tuple[int, int]:
    """(start, end) of the statement around a place: a sentence, a list item or what a semicolon sets off."""
    cuts = _statements(doc.text)
    at = max(0, min(bisect_right(cuts, place) - 1, len(cuts) - 2))
    return cuts[at], cuts[at + 1]


def _last(cue: str, text: str) -> re.Match[str] | None:
    return max(load_therapy_cues()[cue].finditer(text), key=lambda m: m.start(), default=None)


def _first(cue: str, text: str) -> re.Match[str] | None:
    return load_therapy_cues()[cue].search(text)


def course_of(doc: Document, group: Group, following: int | None = None) -> Course:
    """How the note asserts this treatment. `following`: where the next treatment of the same statement begins."""
    start, end = statement_at(doc, group.start)
    before, after = doc.text[max(start, group.start - _REACH) : group.start], doc.text[group.end : min(end, group.end + _REACH)]
    near_after = after if following is None or following >= end else doc.text[group.end : following]
    section = doc.section_at(group.start).kind
    if _of_family(doc, group.start) or _others(before, after):
        return Course.FAMILY
    if section == "allergies" and "\n\n" not in doc.text[doc.section_at(group.start).start : group.start]:
        return Course.POSSIBLE
    if denied := _denied(before, after, near_after):
        return denied
    if _generic(group) and group.drugs and _CELLS_NOT_GIVEN.search(doc.text[group.end : min(group.end + 300, max(end, doc.sentence_at(group.start)[1]))]):
        return Course.ABSENT
    told = re.split(r"\.\s(?=[A-Z])|\n\s*\n", doc.text[group.end : group.end + _REACH])[0] if _cells(group) else ""
    if (undone := _first("uninfused", told)) and not _INFUSED.search(told, 0, undone.start()):
        return Course.ABSENT
    if (infused := _INFUSED.match(after)) and not re.search(r"\b(?:not|never|no|if|to be|will be|planned|scheduled|before|until)\b", after[: max(60, infused.end() + 20)], re.IGNORECASE):
        return Course.GIVEN
    added = section == "plan" and re.search(r"\baddendum\b", doc.text[doc.section_at(group.start).start : group.start], re.IGNORECASE) is not None
    planned = _planned(before, after, near_after, "body" if added else section)
    if planned is not None:
        return planned
    if _first("uncertain_after", near_after[:2]) or re.match(r"(?:\s*\([^()\n]{0,40}\))?(?:\s[\w/-]+){0,3}\s?\?|\s+or\s+[\w/-]+\s?\?", after) or re.search(r"\?\s*$", before[-3:]):
        return Course.POSSIBLE
    if (cue := _last("uncertain_before", before)) and not _CLAUSE.search(before, cue.end()) and len(before) - cue.end() < 40:
        return Course.POSSIBLE
    if _generic(group) and not _shown_given(before, _beyond_brackets(near_after, after), after) and not _infused_below(doc, group):
        return Course.POSSIBLE
    if (ongoing := _first("ongoing_after", near_after[:60])) and not re.search(r"\bPD\b|progress", near_after[: ongoing.start()]):
        return Course.ONGOING
    if (cue := _last("ongoing_before", before)) and len(before) - cue.end() < 25 and not re.search(r"[,.;:]", before[cue.end() :]):
        return Course.ONGOING
    return Course.GIVEN


def _beyond_brackets(near_after: str, after: str) -> str:
    """What follows, a bracket about the bridging left out: "cilta-cel (bridging DCEP x1) | 8/16/2023"."""
    bracket = _PARENTHESIS.match(after)
    return after[bracket.end() :] if bracket and len(near_after) < bracket.end() else near_after


def _infused_below(doc: Document, group: Group) -> bool:
    """The course sheet of a cell therapy: "Product: Carvykti. Apheresis 7/8. Infusion 9/13/24." """
    if not group.drugs:
        return False
    following = re.split(r"\n[ \t]*\n", doc.text[group.end : group.end + 300])[0]
    infused = _INFUSION_DAY.search(following)
    return infused is not None and _last("planned_before", following[max(0, infused.start() - 60) : infused.end()]) is None


def _cells(group: Group) -> bool:
    return any(load_vocabulary().drugs[d].modality == "car_t" for d in group.drugs if d in load_vocabulary().drugs)


def _generic(group: Group) -> bool:
    """A cell product, an unnamed engager or a bare "transplant": the name is no exposure without a word of its being given."""
    if group.drugs:
        return all(d.startswith("anti-") for d in group.drugs) or any(load_vocabulary().drugs[d].modality == "car_t" for d in group.drugs if d in load_vocabulary().drugs)
    return bool(set(group.therapies) & {"car_t", "bispecific_antibody", "bcma"}) or set(group.therapies) == {"stem_cell_transplant"}


def shown_given(doc: Document, group: Group, following: int | None = None) -> bool:
    """Whether the words around a treatment show that it was given: a date, a response, "received", "last dose"."""
    start, end = statement_at(doc, group.start)
    after = doc.text[group.end : min(end, group.end + _REACH)]
    return _shown_given(doc.text[max(start, group.start - _REACH) : group.start], after if following is None else doc.text[group.end : min(end, following)], after)


def _shown_given(before: str, near_after: str, after: str) -> bool:
    cue = _last("given_before", before)
    if cue and len(before) - cue.end() < 40:
        return True
    if (part := _last("took_part", before)) and len(before) - part.end() < 120:
        return True  # "participated in a study, in another city, of a bispecific antibody"
    return bool(_first("given_after", near_after[:120]) or re.search(r"\b(?:infus|reinfus|receiv|given)", after[:200], re.IGNORECASE) or re.search(r"\b(?:19|20)\d\d\b|\d/\d\d\b", before[-40:] + re.split(r"[.;]\s|\n", near_after[:60])[0]) or _LABEL.fullmatch(before))


def _of_family(doc: Document, place: int) -> bool:
    """In a family history: on the heading's own line, or in the list below it that names a relative."""
    section = doc.section_at(place)
    if section.kind != "family":
        return False
    start, end = statement_at(doc, place)
    return doc.text.count("\n", section.start, place) <= 1 and "\n\n" not in doc.text[section.start : place] and (
        "\n" not in doc.text[section.start : place].strip("\n") or _first("relative", doc.text[start:end]) is not None)


def _others(before: str, after: str) -> bool:
    """Said of a relative, a room-mate: somebody who is not the patient."""
    person = _last("relative", before)
    if person and not _STRONG_BREAK.search(before, person.end()):
        between = before[person.end() :]
        if len(between) < 90 and _first("other_person_verb", between) and not re.search(r"\b(?:he|she|patient|pt|his|her own)\b", between, re.IGNORECASE):
            if re.search(r"\b(?:plan|continues?|period|we|now|currently)\b", between, re.IGNORECASE):
                return False
            return not re.search(r"\b(?:with|accompanied by|by|and|lives with|from)\s+(?:(?:his|her|the)\s+)?$", before[: person.start()], re.IGNORECASE)
    person = _first("relative", after[:60])
    return person is not None and re.match(r"\s*(?:is|was|has|takes|got|gets|received)\b", after[person.end() :]) is not None and not re.search(r"[.;,]", after[: person.start()])


def _denied(before: str, after: str, near_after: str) -> Course | None:
    for cue, scope in (("never_before", _STRONG_BREAK), ("no_before", None)):
        if match := _last(cue, before):
            between = before[match.end() :]
            if cue == "no_before":
                if _adjacent_negation(between, near_after[:40]):
                    return Course.ABSENT
            elif not scope.search(between) and not _last("given_strong_after", between) and not re.search(r"\bexcept|\bother than|\bonly\b", between):  # type: ignore[union-attr]
                return Course.ABSENT
    if re.search(r"\bcorrection\b[^.;]*$", before, re.IGNORECASE) and re.match(r"\s*(?:was |were )?(?:replaced|corrected|changed)\b", after):
        return Course.ABSENT
    if (match := _first("never_after", near_after[:120])) and not _CLAUSE.search(near_after[: match.start()].rstrip(" -:–?")) and match.start() < 45:
        return Course.ABSENT
    if len(after) > len(near_after) and (match := _first("never_after", after)) and re.fullmatch(r"[\s,/]*(?:(?:[\w-]+[\s,/]+){0,8}(?:and|or)\s+[\w-]+|[\w\s,/-]{0,60}\ball)?\s*", after[: match.start()]):
        return Course.ABSENT  # "ADC, bispecific and CAR-T all not used"
    if (match := _first("mistaken", near_after[:70])) and not re.search(r"[.;]\s|\n", near_after[: match.start()]):
        return Course.ABSENT
    match = _last("declined", before)
    if match and len(before) - match.end() < 40 and not _STRONG_BREAK.search(before, match.end()):
        return Course.DECLINED
    match = _first("declined", near_after[:100])
    if match and match.start() < 60:
        return Course.DECLINED
    return None


_NEGATED_LIST = re.compile(r"\s*(?:[\w/-]+[\s,/]+){0,6}?(?:(?:and|or|nor)\s+(?:an?\s+|any\s+)?)?", re.IGNORECASE)


def _adjacent_negation(between: str, after: str) -> bool:
    """Between "no" and the name stand only names or qualifiers: "no CAR-T, bispecific or ADC"; not "no response to X"."""
    if re.search(r"\b(?:response|benefit|effect|to|on|after|from|under|longer|evidence|signs?|progression|relapse|toxicity|with|since|during|until|maint\w*|were|was|only|refractory|more than|better|by|choice|wish|and)\b|[;.()]|\n|\d", between, re.IGNORECASE):
        return False
    if "," in between and not re.search(r"\b(?:or|nor)\b", between + after, re.IGNORECASE):
        return False
    return len(between) < 60 and _NEGATED_LIST.fullmatch(between) is not None


def _planned(before: str, after: str, near_after: str, section: str) -> Course | None:
    given = _last("given_before", before)
    plan = _last("planned_before", _mask(before))
    if _CONDITION.search(before) and not re.search(r"\bas if\b|\bif (?:any|not)\b", before, re.IGNORECASE):
        return Course.PLANNED
    evidence_after = _first("given_after", re.split(r";\s|\.\s(?=[A-Z][a-z])", near_after[:70])[0])
    if evidence_after and re.search(r"\bif\b|\bwould\b|\bplan|\bconsider", near_after[: evidence_after.start()]):
        evidence_after = None
    if plan and not _STRONG_BREAK.search(before, plan.end()):
        closer = (given is not None and given.start() >= plan.end()) or _last("took_part", before) is not None
        beside = len(before) - plan.end() < 40 and not _CLAUSE.search(before, plan.end())
        if not closer and (beside or not (evidence_after and re.search(r"\d", near_after[:40]))):
            return Course.PLANNED
    alternative = re.match(r"\s*(?:,? or |/|,? vs\.? |, )\s*[\w-]+(?: [\w-]+)?(?=\s(?:can|could|may|might|would|will|is|are|was|were|to)\b)", after)
    mark = _first("planned_after", _mask((after[alternative.end() :] if alternative else near_after)[:120]))
    if alternative and mark and mark.start() < 30:
        return Course.PLANNED
    if mark and re.search(r"\b(?:19|20)\d\d\b|\d[/.]\d\d\b", near_after[: mark.start()]):
        mark = None  # a date of its own comes first: what is awaited is something else
    if mark and mark.start() < 50 and not _CLAUSE.search(near_after[: mark.start()].lstrip("( :)")) and not (evidence_after and evidence_after.start() < mark.start()):
        return Course.PLANNED
    if (noun := _first("planned_noun", near_after[:60])) and re.fullmatch(r"[\s(-]*(?:the\s|clinical\s|T[- ]cell\s)*", near_after[: noun.start()]) and not given \
            and not re.search(r"infus|received|given|enrolled", near_after[noun.end() : noun.end() + 120]) and not evidence_after:
        return Course.PLANNED
    if section == "plan" and re.search(r"\b(?:then|followed by|afterwards?|subsequently)\b[^.;]*$", before) and evidence_after is None and not re.search(r"\b(?:received|had|was|were|underwent|progress\w*|relaps\w*|PD)\b", before):
        return Course.PLANNED
    if section == "plan" and given is None and evidence_after is None and not re.search(r"\bon\s+$|progress\w*\b[^.;]*$|refractory[^.;]*$|exposed[^.;]*$", before, re.IGNORECASE) \
            and not re.match(r"\W*(?:refractory|exposed|naive|failure)", after, re.IGNORECASE) and not _last("ongoing_before", before):
        return Course.PLANNED
    return None


def _mask(text: str) -> str:
    """The text with "as planned" and the like blanked out: they tell of what was done."""
    return load_therapy_cues()["past_planned"].sub(lambda m: " " * len(m.group()), text)
