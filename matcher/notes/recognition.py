"""Names that no table lists: what trained pipelines take for a drug or a condition joins what the rules read.

A candidate never replaces a reading of the rules. An agent that no table lists is reported under its name as written, in small
letters; a condition only where it links to the knowledge base: a wrong link is worse than none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache

from matcher.domain import Reading, Treatment
from matcher.lexicon import Lexicon, lower, names_of
from matcher.notes.document import Candidate, Document
from matcher.notes.linking import link_condition, link_drug
from matcher.notes.spelling import is_known
from models import load_vocabulary
from models.artefacts import NAME_KINDS, load_name_model, load_pipeline

Recogniser = Callable[[Document], Iterable[Candidate]]

_ODD = r"(?<![\w/.@-])(?:(?P<code>[A-Za-z]{2,6}-?\d{2,6}[A-Za-z]?)|(?:%s))(?![\w@])"
_WORD = re.compile(r"[a-z]{5,30}")
# Codes of other things: antigens, chromosomes, visits, trials, records, isotopes, vitamins, viruses, staging, dates.
_NO_AGENT = re.compile(r"(?:CD|NCT|ISRCTN|EUDRACT|ICD|HLA|CYP|MRN|MR|ID|REF|LAB|RM|ROOM|BED|FAX|TEL|EXT|ZIP|POB?|SN|LOT|DOB|CA|BRCA|COVID|SARS|HPV|HHV|PD|TP|IL|GRADE|STAGE|FEV|SPO|PAO|DAY|WEEK|CYCLE|VISIT|LINE|AGE|APT|BLDG|UNIT|BX|ECOG|KPS|JAN|FEB|MAR|APR|MAY|JUNE?|JULY?|AUG|SEPT?|OCT|NOV|DEC|HPF|UTC|GMT|ISS|CKD|PMH|FY|Q)-?\d+\w?", re.IGNORECASE)
_TITLE = re.compile(r"\b(?:Drs?|Mrs?|Ms|Miss|Prof(?:essor)?|Sr|Nurse|PA|RN|NP|MD|Sister)\.?\s+(?:[A-Z][\w'-]*\.?\s+){0,2}$")
_LIKELY = 0.5  # of an agent by its letters; below it a word is not looked at
_PLACES = 3  # of each word are read; more tell nothing new
_WORDS = 60  # of a note are read, so that no note takes more than a fraction of a second
_AROUND = 160  # characters on each side of a word; a sentence is shorter, a table without stops is not
_DRUG_LABELS = frozenset(("DRUG", "CHEMICAL", "CHEM", "MEDICATION", "MEDICINE", "TREATMENT", "SIMPLE_CHEMICAL"))
_CONDITION_LABELS = frozenset(("DISEASE", "CONDITION", "PROBLEM", "DIAGNOSIS", "DISORDER", "CANCER", "PATHOLOGICAL_FORMATION", "SYMPTOM"))
_ANY_LABEL = "ENTITY"  # scispaCy's core pipelines name no type


def recognise(doc: Document, recognisers: Iterable[Recogniser]) -> Document:
    """The document with the recognisers' candidates."""
    found = tuple(sorted({c for recogniser in recognisers for c in recogniser(doc)}))
    return Document(doc.text, found) if found else doc


def unlisted_agents(doc: Document) -> Iterable[Candidate]:
    """Agents against cancer by their shape and their context, as our trained pipeline reads it."""
    odd = _odd_words(doc.text)
    if not odd:
        return
    pipeline = load_pipeline()
    places = [(word, span) for word, spans in odd.items() for span in spans[:_PLACES]]
    windows = [_window(doc, *span) for _, span in places]
    votes: dict[str, list[bool]] = defaultdict(list)
    for (word, span), (start, _), read in zip(places, windows, pipeline.pipe(doc.text[a:b] for a, b in windows), strict=True):
        votes[word].append(any(e.label_ == "DRUG" and start + e.start_char <= span[0] and span[1] <= start + e.end_char for e in read.ents))
    for word, told in votes.items():
        if 2 * sum(told) > len(told):
            yield from (Candidate(*span, "drug", word) for span in odd[word])


def _odd_words(text: str) -> dict[str, list[tuple[int, int]]]:
    """Unknown words that may be an agent, in small letters, each with its places."""
    found: dict[str, list[tuple[int, int]]] = {}
    unknown = sorted(w for w in set(_WORD.findall(lower(text))) if _may_be_agent(w))
    for match in re.finditer(_ODD % "|".join(unknown or ("(?!)",)), text, re.IGNORECASE):
        word = match.group().lower()
        if word not in found:
            if (match["code"] and not _may_be_code(match.group())) or len(found) == _WORDS or _TITLE.search(text, max(0, match.start() - 40), match.start()):
                continue
            found[word] = []
        found[word].append(match.span())
    return found


def _may_be_code(written: str) -> bool:
    return _NO_AGENT.fullmatch(written) is None and ("-" in written or sum(c.isdigit() for c in written) > 2)


@lru_cache(maxsize=50_000)
def _may_be_agent(word: str) -> bool:
    return not is_known(word) and load_name_model().probabilities(word)[NAME_KINDS.index("agent")] >= _LIKELY


def _window(doc: Document, start: int, end: int) -> tuple[int, int]:
    first, last = doc.sentence_at(start)
    return max(first, start - _AROUND), max(end, min(last, end + _AROUND))


def pipeline_entities(name: str) -> Recogniser:
    """The entities of a spaCy pipeline that a user names (a package, or a path). Raises ArtefactError where it cannot be loaded."""
    pipeline = load_pipeline(name)

    def read(doc: Document) -> Iterable[Candidate]:
        for paragraph in re.finditer(r"\S[^\n]*(?:\n(?!\s*\n)[^\n]*)*", doc.text):
            for start in range(*paragraph.span(), pipeline.max_length):
                part = doc.text[start : min(start + pipeline.max_length, paragraph.end())]
                yield from _linked(start, pipeline(part).ents)

    return read


def _linked(start: int, entities: Iterable) -> Iterable[Candidate]:  # type: ignore[type-arg]
    for entity in entities:
        label, place = entity.label_.upper(), (start + entity.start_char, start + entity.end_char)
        concept = _drug(entity.text) if label in _DRUG_LABELS or label == _ANY_LABEL else None
        if concept:
            yield Candidate(*place, "drug", concept)
        elif (label in _CONDITION_LABELS or label == _ANY_LABEL) and (concept := link_condition(entity.text)):
            yield Candidate(*place, "condition", concept)


@lru_cache(maxsize=1)
def _drug_names() -> Lexicon[str]:
    return Lexicon(names_of(load_vocabulary().drugs))


def _drug(surface: str) -> str | None:
    """A listed drug, or an agent against cancer that none is."""
    hits = _drug_names().find(surface)
    if hits:
        return hits[0].meaning
    if linked := link_drug(surface):
        return linked
    words = surface.lower().split()
    return " ".join(words) if words and all(w.isascii() for w in words) and (_may_be_agent(words[0]) if words[0].isalpha() else _may_be_code(surface)) else None


def unrecognised(treatments: Iterable[Treatment]) -> tuple[Reading, ...]:
    """For people: the agents that no table lists, with what their names tell. The value is a sentence."""
    vocabulary = load_vocabulary()
    found: dict[str, Reading] = {}
    for t in treatments:
        if t.agent not in vocabulary.drugs and t.agent not in vocabulary.therapies and t.agent not in found:
            classes = " ".join(vocabulary.therapies[c].name for c in vocabulary.classes_by_name(t.agent)[:1])
            found[t.agent] = Reading(f"{t.agent} is in no list of drugs; by its name {_article(classes)} {classes}" if classes else f"{t.agent} is in no list of drugs; taken for an agent against cancer", t.evidence)
    return tuple(found.values())


def _article(noun: str) -> str:
    return "an" if noun[:1].lower() in "aeiou" else "a"


RECOGNISERS: tuple[Recogniser, ...] = (unlisted_agents,)
