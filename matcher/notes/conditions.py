"""Conditions of the note, one entry a condition, with status, date and qualifiers (annotation guidelines)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import date, timedelta
from functools import cache

from matcher.domain import ConditionFact, Qualifiers, Status
from matcher.notes.document import Document
from matcher.notes.durations import lasted
from matcher.notes.mentions import Mention, read_mentions
from matcher.notes.serologies import interpret, read_markers, read_places
from models import Vocabulary, load_vocabulary

RECENT = timedelta(days=60)  # an acute illness dated earlier, and not said to go on, is over
SEROLOGIC = ("hiv_infection", "hepatitis_b", "hepatitis_c", "syphilis")
_LAB_ORDER = re.compile(r"\b(?:serolog\w*|virolog\w*|screen(?:s|ing|ed)?|tests?|panel|sent|pending|ordered|to be checked|awaited|not done|(?:not|never)(?: yet| been)? (?:tested|checked|known)|unknown)\b", re.IGNORECASE)  # a name there is a test
_ANTIBODY = re.compile(r"[ -]?(?:Ig ?[GM]\b|antibod|Abs?\b|sero)", re.IGNORECASE)  # of a past contact
CURABLE = ("hepatitis_c", "graft_versus_host_disease")  # chronic, and over when treated, or told and then denied as active
TUMOUR_FREE = timedelta(days=3 * 365)  # a tumour dated earlier, and not said to be active, counts as past
# What a note denies by its usual wider name; the evaluator expands every other group by the hierarchy.
ENTAILED_ABSENCE = {
    "cerebrovascular_disease": ("stroke",),
    "venous_thromboembolism": ("deep_vein_thrombosis", "pulmonary_embolism"),
    "plasmacytoma": ("solitary_plasmacytoma",),
    "inflammatory_bowel_disease": ("crohn_disease", "ulcerative_colitis"),
    "viral_hepatitis": ("hepatitis_b", "hepatitis_c"),
    "hepatitis": ("hepatitis_b", "hepatitis_c"),
    "latent_tuberculosis": ("tuberculosis",),
}


def read_conditions(doc: Document, note_date: date | None) -> tuple[ConditionFact, ...]:
    """One fact a condition the note speaks of: the patient's own status outranks a relative's, what is current what is past."""
    vocabulary = load_vocabulary()
    markers = read_markers(doc)
    serology = interpret(markers, doc)
    mentions = read_mentions(doc, note_date, read_places(markers))
    now = note_date or max((m.date.latest for m in mentions if m.date), default=None)
    said: dict[str, list[tuple[Status, Mention]]] = defaultdict(list)
    told = [(mention, _status(doc, mention, vocabulary, now)) for mention in mentions]
    if not any(status is Status.PRESENT and _is_primary(mention.id, vocabulary) for mention, status in told):
        told = [(mention, _status(doc, mention, vocabulary, None) if _own_cancer(doc, mention, vocabulary) else status) for mention, status in told]
    for mention, status in told:
        if status is not None:
            for concept in _reported(mention.id):
                if concept != "active_infection" or status in (Status.PRESENT, Status.ABSENT, Status.POSSIBLE):
                    said[concept].append((status, mention))
    _context_of_myeloma(doc, said, vocabulary)
    for general, members in ENTAILED_ABSENCE.items():
        for concept in members:
            said[concept] += [(s, m) for s, m in said.get(general, ()) if s is Status.ABSENT and not m.context.weak]
    said = {concept: statements for concept, statements in said.items() if statements}
    facts: dict[str, ConditionFact] = {}
    for concept, statements in said.items():
        facts[concept] = _fact(doc, concept, statements, vocabulary)
    for concept, (status, evidence) in serology.items():
        own = facts.get(concept)
        if own is None or own.status in (Status.FAMILY, Status.ABSENT, Status.POSSIBLE) or status is Status.PRESENT or (
            own.status is Status.PRESENT and status is Status.HISTORICAL):
            facts[concept] = ConditionFact(concept, status, (*evidence, *(own.evidence if own and own.status is status else ())))
    _derive(facts, said, vocabulary)
    return tuple(sorted(facts.values(), key=lambda f: (f.evidence[0].start, f.id)))


def _is_primary(concept: str, vocabulary: Vocabulary) -> bool:
    return vocabulary.conditions[concept].course == "malignancy" and not vocabulary.is_a(concept, "metastatic_disease")


_PAST_HISTORY = re.compile(r"\b(?:PMHx?|past|previous|medical history|background)\b[^.;\n]{0,60}\Z", re.IGNORECASE)


def _own_cancer(doc: Document, mention: Mention, vocabulary: Vocabulary) -> bool:
    """Whether a tumour may be what the note is about, however long ago it began: not one of the past history."""
    listed = mention.section == "history" or _PAST_HISTORY.search(doc.text, max(0, mention.start - 80), mention.start)
    return vocabulary.conditions[mention.id].course == "malignancy" and not listed


@cache
def _reported(concept: str) -> tuple[str, ...]:
    """The concept and, where it is finer than the reporting vocabulary, the kinds of that vocabulary it belongs to."""
    rows = load_vocabulary().conditions
    found, above = [concept], list(rows[concept].parents)
    if rows[concept].source.startswith("vocabulary") or rows[concept].course == "finding":  # a fast pulse is no arrhythmia yet
        return (concept,)
    while above:
        parent = above.pop(0)
        if rows[parent].source.startswith("vocabulary"):
            if (rows[parent].course != "group" or _serious_psychiatric(concept, parent)) and parent != "active_infection" and parent not in found:
                found.append(parent)
        else:
            above.extend(rows[parent].parents)
    return tuple(found)


def _serious_psychiatric(concept: str, parent: str) -> bool:
    """Depression stands for itself, anxiety and sleep are symptoms; psychosis, bipolar and post-traumatic disorder are psychiatric disorders."""
    return parent == "psychiatric_disorder" and load_vocabulary().conditions[concept].course == "chronic" and not re.search(r"anxi|insomn|sleep|substance|alcohol|tobacco|nicotine|opioid|eating|adhd|attention|autis|intellect|mood", concept)


_BONE = re.compile(r"solitary|bone|osseous|skeletal|vertebra|\brib|stern|iliac|sacr|femur|humer|skull|clavic|pelvi|spine|[TL]\d", re.IGNORECASE)
_OF_ORGAN = re.compile(r"s? (?:of|in|on) (?:the )?(?:\w+ )?(?:pancreas|liver|kidney|spleen|skin|breast|testi\w+|lung|pleura|stomach|bowel|gut|duodenum|thyroid|lymph node|orbit|nasopharynx|larynx|muscle|retroperitone\w+|mediastin\w+|brain|meninges)\b", re.IGNORECASE)
_OTHER_FRACTURE = re.compile(r"osteopor|\bfall\b|\bfell\b|trauma|accident|hip\b|wrist|ankle|childhood|skiing|bicycle|motor", re.IGNORECASE)


_OF_HEART = re.compile(r"\b(?:cardiac|heart)\b[^.\n]{0,50}\b(?:involve\w+|amyloid\w*|disease)\b|\b(?:involv\w+|of|with)\b[^.\n]{0,25}\b(?:the )?heart\b", re.IGNORECASE)


def _context_of_myeloma(doc: Document, said: dict[str, list[tuple[Status, Mention]]], vocabulary: Vocabulary) -> None:
    """In a note about a plasma cell disorder amyloid is AL, and a fracture that nothing else explains is of its bone disease."""
    if not any(vocabulary.is_a(concept, "plasma_cell_disorder") for concept in said):
        return
    said["al_amyloidosis"] += said.get("amyloidosis", [])
    if said["al_amyloidosis"]:
        said["cardiac_amyloidosis"] += [
            (s, m) for s, m in said["al_amyloidosis"] if s is Status.PRESENT and _OF_HEART.search(doc.text, m.start, min(doc.text.find("\n", m.end) % (len(doc.text) + 1), m.end + 160))]
    if any(s is Status.PRESENT for s, _ in said["plasma_cell_leukemia"]):  # which "leukemic" then speaks of
        said["leukemia"] = [(s, m) for s, m in said["leukemia"] if s is not Status.PRESENT or m.id != "leukemia"]
    said["cns_involvement"] += [(s, m) for s, m in said.get("cns_disease", ()) if s is Status.ABSENT]
    said["extramedullary_disease"] += [
        (s, m) for s, m in said.get("plasmacytoma", ()) if s is Status.PRESENT and m.id == "plasmacytoma" and not (_BONE.search(doc.text, *_around(doc.text, m.start, m.end, 120, 120)) and not _OF_ORGAN.match(doc.text, m.end))]
    for concept in vocabulary.descendants("fracture") - {"pathologic_fracture", "osteoporotic_fracture"}:
        said["pathologic_fracture"] += [
            (s, m) for s, m in said.get(concept, ()) if s is not Status.FAMILY and not _OTHER_FRACTURE.search(doc.text, *_around(doc.text, m.start, m.end, 120, 120))]
    for concept in ("al_amyloidosis", "cardiac_amyloidosis", "pathologic_fracture", "cns_involvement", "extramedullary_disease"):
        if not said[concept]:
            del said[concept]


_REPAIRED = re.compile(r"\b(?:(?:kypho|vertebro)plast\w+|nail(?:ed|ing)|ORIF|internal fixation|osteosynthesis|fixed|cemented)\b", re.IGNORECASE)
_LABEL = re.compile(r"[ \t]*:[ \t]*(?!yes|pos|present|known|\+)\w", re.IGNORECASE)
_TAKEN_OUT = re.compile(r"\W{0,2}(?:\w+ )?(?:(?:is|was|were|been|line|catheter|tube) )*(?:out|removed|pulled|d/?c'?d|discontinued|taken out)\b", re.IGNORECASE)


_TO_COME = re.compile(r"\W{0,2}(?:(?:is|was) )?(?:not yet|to be (?:placed|inserted)|ordered|planned|booked|requested)\b", re.IGNORECASE)
_DEVICE_RELATED = re.compile(r"[- ](?:associated|related|acquired)\b", re.IGNORECASE)  # an infection
_VACCINATED = re.compile(r"[ :,(-]{1,3}(?:vaccinat\w+|immuni[sz]ed|immune|non-?immune)\b", re.IGNORECASE)
_IN_USE = re.compile(r"\bnew \S|\bin (?:use|situ|place)\b", re.IGNORECASE)


def _device_status(doc: Document, mention: Mention) -> Status:
    """A line, port, tube or drain is in place until the note says that it came out."""
    c = mention.context
    if _IN_USE.search(doc.text, max(0, mention.start - 5), min(len(doc.text), mention.end + 30)):
        return Status.PRESENT
    out = _TAKEN_OUT.match(doc.text, mention.end) or c.treated or c.resolved or (c.past and not c.current)
    return Status.HISTORICAL if out else Status.PRESENT


_NO_SUCH = re.compile(r"\bnot (?:really )?an? $", re.IGNORECASE)  # "not an allergy": of the drug that is spoken of
_GRADES = r"(?:grade|gr\.?|G|CTCAE|NYHA(?: class)?|stage) ?(?:[1-4]|I{1,3}V?|IV)\b"
_NO_WORSE = re.compile(rf"[ (]*(?:(?:worse|greater) than\b|(?:of|above|over|beyond|exceeding|more than|higher than|[>≥]=?)? ?{_GRADES})", re.IGNORECASE)
_NO_GRADED = re.compile(rf"\b(?:(?:no|denies|without)(?: more than| any| CTCAE)? ?[>≥]?=? ?{_GRADES}[ \w+/≥>=-]{{0,20}}|(?:uncontrolled|poorly controlled|decompensated|severe) )$", re.IGNORECASE)
_NO_FURTHER = re.compile(r"\bno (?:evidence of |sign of )?(?:new|further|additional|other|more)\b[^.;\n]*$", re.IGNORECASE)
_REACTION = re.compile(r"\b(?:allerg\w+|intoleran\w+|hypersensitiv\w+|ADRs?)\b[^.;\n]{0,80}$", re.IGNORECASE)  # what a drug once did


_AGAIN = re.compile(r"\b(?:recurrent|recurring|repeated|frequent|multiple|several|bouts of|episodes of|prone to)(?: \w+)? $", re.IGNORECASE)  # a tendency
_NOW = re.compile(r"[^.;\n]{0,40}?\b(?:now|currently|today|at present|ongoing|being treated|day \d)\b", re.IGNORECASE)


_SINCE = re.compile(r"(?: (?:at|of|with|on|for|in) [\w. ]{1,25})?,? since (?=\w)", re.IGNORECASE)  # "home oxygen at 2 litres since August": to this day


_SINCE_THEN = re.compile(r"[^.;\n\d]{0,45}?\bsince (?:\w+ )?(?=\d)", re.IGNORECASE)  # "lymphoma, stage IV, since May 2019"
_YEAR = r"(?:\d{1,2}[/.])?(?:19|20)\d\d"
_RAN = re.compile(rf"(?: of (?:the )?\w+(?: and \w+)?)?[ ,(:]{{1,2}}(?:from )?{_YEAR} ?(?:-|–|to|until) ?{_YEAR}\b", re.IGNORECASE)  # "depression 2014-2016"
_OF_THAT_DAY = re.compile(r"\bacute \w|\((?:acute|active)[,; ]", re.IGNORECASE)  # "acute pneumonia 3/2019": as it was then
_AT_AGE = re.compile(r"[^.;,\n]{0,20}\b(?:at (?:the )?age (?:of )?|aged )\d", re.IGNORECASE)


def _status(doc: Document, mention: Mention, vocabulary: Vocabulary, now: date | None) -> Status | None:
    """The status one mention gives its condition; None where it asserts nothing of the patient or the family."""
    c = mention.context
    if c.family:
        return None if c.negated or c.hypothetical or c.other else Status.FAMILY
    if c.negated:
        if _NO_WORSE.match(doc.text, mention.end) or _NO_GRADED.search(doc.text, max(0, mention.start - 45), mention.start):
            return None  # a lesser degree is left open
        if vocabulary.conditions[mention.id].course == "malignancy" and _NO_FURTHER.search(doc.text, max(0, mention.start - 40), mention.start):
            return None  # of those that are known it says nothing
        if mention.id == "allergy" and _NO_SUCH.search(doc.text, max(0, mention.start - 12), mention.start):
            return None
        out = mention.id == "indwelling_catheter" and _TAKEN_OUT.match(doc.text, mention.end)  # "no catheter now (port removed)"
        return Status.HISTORICAL if out else Status.ABSENT
    if c.other or c.hypothetical:
        return None
    if c.possible:
        return Status.POSSIBLE
    if mention.id in SEROLOGIC and _LAB_ORDER.search(doc.text, *_around(doc.text, mention.start, mention.end, 60, 60)):
        return None
    if mention.id == "active_infection" and doc.lowered[mention.start : mention.end] == "infections":
        return None  # a tendency ("recurrent infections"), or a risk
    if _ANTIBODY.match(doc.text, mention.end) and vocabulary.is_a(mention.id, "infectious_disease"):
        return None
    if mention.id == "indwelling_catheter":
        return None if _TO_COME.match(doc.text, mention.end) or _DEVICE_RELATED.match(doc.text, mention.end) else _device_status(doc, mention)
    if mention.id == "hepatitis_b" and _VACCINATED.match(doc.text, mention.end):
        return None
    row = vocabulary.conditions[mention.id]
    if (row.course == "group" or mention.id == "active_infection") and _LABEL.match(doc.text, mention.end):
        return None  # "Autoimmune: Hashimoto's", "Infection: cefepime": a question, which what follows answers
    if row.course in ("acute", "finding") and _REACTION.search(doc.text, doc.line_at(mention.start)[0], mention.start):
        return Status.HISTORICAL
    if _acute_infection(mention.id, vocabulary) and _AGAIN.search(doc.text, max(0, mention.start - 30), mention.start) and not _NOW.match(doc.text, mention.end):
        return Status.HISTORICAL
    lasting = vocabulary.is_a(mention.id, "plasma_cell_disorder")
    told = mention.date or (mention.frame if row.course == "acute" else None)
    since = _SINCE.match(doc.text, mention.end) is not None
    old = (told is not None and now is not None and told.latest < now - RECENT and not since) or _AT_AGE.match(doc.text, mention.end) is not None
    if vocabulary.is_a(mention.id, "fracture") and not c.current and _REPAIRED.search(doc.text, *_around(doc.text, mention.start, mention.end, 60, 60)):
        return Status.HISTORICAL
    if mention.id in _THROMBOSES and not c.past and _anticoagulated(doc.text, mention.end):
        return Status.PRESENT
    if row.course in ("chronic", "group") or lasting:
        over = c.resolved or _RAN.match(doc.text, mention.end) or ((c.treated or c.past) and mention.id in CURABLE)
        return Status.HISTORICAL if over and not lasting else Status.PRESENT
    if row.course == "malignancy":
        long_ago = mention.date is not None and now is not None and mention.date.latest < now - TUMOUR_FREE and not _SINCE_THEN.match(doc.text, mention.end)
        over = c.resolved or ((c.treated or c.past or long_ago) and not c.current)
        return Status.HISTORICAL if over else Status.PRESENT
    if mention.id in _OF_CELLS and not (c.resolved or c.past or c.treated) and (day := _DAY_AFTER.search(doc.text, 0, 400)) and int(day["n"]) <= 14:
        return Status.PRESENT
    if row.course == "event":
        return Status.PRESENT if c.current and not (old or c.resolved or c.treated or c.past) else Status.HISTORICAL
    current = c.current and not (old and _OF_THAT_DAY.search(doc.text, max(0, mention.start - 7), mention.end + 12))
    if c.resolved or ((c.treated or c.past or old or (mention.section == "history" and row.course == "acute")) and not current):
        return Status.HISTORICAL
    return Status.PRESENT


_OF_CELLS = ("cytokine_release_syndrome", "icans")  # within two weeks of the infusion, where the note does not say that they are over
_DAY_AFTER = re.compile(r"\bD(?:ay)? ?\+ ?(?P<n>\d{1,3})\b", re.IGNORECASE)
_THROMBOSES = ("pulmonary_embolism", "deep_vein_thrombosis")
_TAKES = re.compile(r"[^.;\n]{0,60}?\b(?:(?:still |remains |now )?on|continues|continuing)\s+(?P<drug>[A-Za-z]+)\b(?!\s*(?:until|till|through|stopped|completed|x\s?\d|for \d))", re.IGNORECASE)


@cache
def _anticoagulants() -> frozenset[str]:
    vocabulary = load_vocabulary()
    return frozenset(name.lower() for drug, row in vocabulary.drugs.items() if vocabulary.is_a(drug, "anticoagulant") for name in (drug, *row.aliases))


def _anticoagulated(text: str, end: int) -> bool:
    """Whether a thrombosis is still treated: "PE 2022, on rivaroxaban"."""
    takes = _TAKES.match(text, end, min(len(text), end + 90))
    return takes is not None and takes["drug"].lower() in _anticoagulants()


def _fact(doc: Document, concept: str, statements: list[tuple[Status, Mention]], vocabulary: Vocabulary) -> ConditionFact:
    status = _device_outcome(doc, statements) if concept == "indwelling_catheter" else _outcome(doc, statements)
    if concept in CURABLE and status is Status.PRESENT and any(s is Status.ABSENT for s, _ in statements):
        status = Status.HISTORICAL
        statements = [(status if s is Status.PRESENT else s, m) for s, m in statements]
    support = [m for s, m in statements if s is status]
    support.sort(key=lambda m: (m.context.weak, m.section == "reason", m.start))
    dated = [m.date for m in support if m.date]
    return ConditionFact(
        concept, status, tuple(doc.evidence(m.start, m.end) for m in support),
        date=min(dated, key=str) if dated and status is not Status.ABSENT else None,
        qualifiers=_qualifiers(doc, concept, support) if status in (Status.PRESENT, Status.HISTORICAL) else (),
    )


def _outcome(doc: Document, statements: list[tuple[Status, Mention]]) -> Status:
    """One status from all that is said of a condition. A word in quotation marks is somebody else's; it counts where it is all there is."""
    if len(told := {s for s, _ in statements}) == 1:
        return told.pop()
    own = [(s, m) for s, m in statements if s is not Status.FAMILY]
    own = [(s, m) for s, m in own if not (doc.text[max(0, m.start - 1) : m.start] in _QUOTES and _QUOTE_ENDS.match(doc.text, m.end))] or own
    count = Counter(s for s, _ in own)
    firm = sum(s is Status.ABSENT and not m.context.weak for s, m in own)
    over = [m.start for s, m in own if s is Status.HISTORICAL and m.context.resolved and load_vocabulary().conditions[m.id].course == "malignancy"]
    current = any(s is Status.PRESENT and not any(m.start < end < m.start + _SOON_AFTER for end in over) and (m.context.current or _CHRONIC.search(doc.text, max(0, m.start - 8), m.end)) for s, m in own)
    resolved = any(s is Status.HISTORICAL and (m.context.resolved or m.context.treated) for s, m in own)
    if count[Status.PRESENT] and not (firm > count[Status.PRESENT] and not current) and not (resolved and not current):
        return Status.PRESENT
    for status in (Status.HISTORICAL, Status.ABSENT, Status.POSSIBLE):
        if count[status]:
            return status
    return Status.PRESENT


_SOON_AFTER = 200  # characters in which a story goes on: "relapsed in 2018 ...; the lymphoma has remained in remission since"
_CHRONIC = re.compile(r"chronic|\bcG", re.IGNORECASE)
_QUOTES = ('"', "\u201c", "\u201d", "'")
_QUOTE_ENDS = re.compile(r"[^\n.;\"\u201d']{0,15}[\"\u201d']")


def _device_outcome(doc: Document, statements: list[tuple[Status, Mention]]) -> Status:
    """Of several devices each has its own end; one still in place counts."""
    last = {doc.text[m.start : m.end].lower(): s for s, m in statements}
    return next(s for s in (Status.PRESENT, Status.HISTORICAL, Status.ABSENT, Status.POSSIBLE, Status.FAMILY) if s in last.values())


_GRADE = re.compile(r"\b(?:grade|gr\.?|G|CTC(?:AE)?(?: grade)?)\s?(?P<grade>[0-5]|I{1,3}V?|IV)\b(?!\s*/)", re.IGNORECASE)
_NYHA = re.compile(r"\bNYHA(?:\s+(?:functional\s+)?(?:class|stage|grade))?\s*(?P<nyha>IV|I{1,3}|[1-4])\b", re.IGNORECASE)
_STAGE = re.compile(r"\bstage\s*(?P<stage>[1-5][ab]?|I{1,3}V?|IV)\b", re.IGNORECASE)
_KIDNEY_STAGE = re.compile(r"\b(?:stage|CKD|G)\s*(?P<stage>[1-5][ab]?|I{1,3}V?|IV)\b", re.IGNORECASE)  # KDIGO 2024
_SEVERITY = re.compile(r"\b(?P<severity>asymptomatic|mild|moderate|severe|trivial|trace|small|large|massive)\b", re.IGNORECASE)
_CONTROL = re.compile(r"\b(?P<not>un|poorly[ -]|not (?:well[ -])?|inadequately )?(?:well[ -])?controlled\b", re.IGNORECASE)
_ACTIVITY = re.compile(
    r"\b(?P<quiet>in (?:complete |clinical |full |sustained )?remission|quiescent|quiet|inactive|not (?:currently )?active|dormant|burn(?:t|ed) out|no (?:recent )?flares?)\b|\b(?:active|flar(?:e|es|ing))\b")
_ACUITY = re.compile(r"\b(?P<acuity>acute|chronic)\b", re.IGNORECASE)
_LIMITING = re.compile(r"g(?:r(?:ade)?\.?)? ?[0-5i]|ctc|stage|ckd|asymptomatic|mild|moderate|severe|trivial|trace|small|large|massive|acute|chronic|controlled")  # any of these, in small letters
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4"}
_SEVERE = {"trivial": "mild", "trace": "mild", "small": "mild", "large": "severe", "massive": "severe"}


_WATCHED = re.compile(r"\b(?:active surveillance|watchful waiting|watch (?:and|&) wait|expectant management|observation only|(?:no|never|not|without) (?:yet )?treat\w+|untreated)\b", re.IGNORECASE)
_CLAUSE_STOP = re.compile(r"[;\n]|\. ")
_BREAK = re.compile(r"[,;]|\.\s")


def _around(text: str, start: int, end: int, before: int, after: int) -> tuple[int, int]:
    """The clause of a span, no wider than given."""
    left, right = max(0, start - before), min(len(text), end + after)
    left = max(left, text.rfind(";", left, start) + 1, text.rfind("\n", left, start) + 1)
    stop = _CLAUSE_STOP.search(text, end, right)
    return left, stop.start() if stop else right


def _beside(pattern: re.Pattern[str], text: str, mention: Mention, left: int, right: int) -> re.Match[str] | None:
    """The limit that stands nearest to a mention. A comma ends the reach of a grade or stage, but of one right after it
    ("neuropathy, grade 2"). The size in a name ("large cell lymphoma") is no severity."""
    found = []
    for hit in pattern.finditer(text, left, right):
        before = text[hit.end() : mention.start] if hit.end() <= mention.start else ""
        after = text[mention.end : hit.start()] if hit.start() >= mention.end else ""
        named = pattern is _SEVERITY and mention.start <= hit.start() and hit.end() <= mention.end
        apart = pattern not in (_SEVERITY, _ACUITY) and (_BREAK.search(before) or ("," in after and after.strip(" ,:(")))
        if not named and not apart:
            found.append((len(before) + len(after), hit.start(), hit))
    return min(found)[2] if found else None


def _qualifiers(doc: Document, concept: str, support: list[Mention]) -> Qualifiers:
    """The words around a mention that limit it: within its clause and 40 characters; activity within its sentence."""
    found: dict[str, str] = {}
    vocabulary = load_vocabulary()
    for m in support[:3]:
        left, right = _around(doc.text, m.start, m.end, 25, 45)
        if concept == "heart_failure" and (nyha := _NYHA.search(doc.text, max(0, m.start - 10), min(len(doc.text), m.end + 60))):
            found.setdefault("nyha", _ROMAN.get(nyha["nyha"].lower(), nyha["nyha"]))
        limited = _LIMITING.search(doc.lowered, left, right) is not None
        stage = _KIDNEY_STAGE if vocabulary.is_a(concept, "kidney_disease") else _STAGE
        for pattern, key in ((_GRADE, "grade"), (stage, "stage"), (_SEVERITY, "severity"), (_ACUITY, "acuity")):
            if limited and (hit := _beside(pattern, doc.text, m, left, right)):
                value = hit[key].lower()
                found.setdefault(key, _ROMAN.get(value, _SEVERE.get(value, value)))
        if limited and (hit := _CONTROL.search(doc.text, left, right)):
            found.setdefault("control", "uncontrolled" if hit["not"] else "controlled")
        if vocabulary.is_a(concept, "autoimmune_disease") and (hit := _ACTIVITY.search(doc.lowered, left, doc.sentence_at(m.start)[1])):
            found.setdefault("activity", "inactive" if hit["quiet"] else "active")
        if vocabulary.conditions[concept].course == "malignancy" and _WATCHED.search(doc.text, left, doc.sentence_at(m.start)[1]):
            found.setdefault("treatment", "none")
        if (days := lasted(doc.lowered, m.start, m.end, doc.sentence_at(m.start))) is not None:
            found.setdefault("duration", f"{days:g}")
    return tuple(sorted(found.items()))


def _derive(facts: dict[str, ConditionFact], said: dict[str, list[tuple[Status, Mention]]], vocabulary: Vocabulary) -> None:
    """What one fact says of another (annotation guidelines; IMWG 2014 for the order of plasma cell disorders)."""
    _active_infection(facts, said, vocabulary)
    _plasma_cell_order(facts, said)


def _active_infection(facts: dict[str, ConditionFact], said: dict[str, list[tuple[Status, Mention]]], vocabulary: Vocabulary) -> None:
    """An acute infection that goes on is an active infection. Where the note says there is none, one that it does not call current is over."""
    known = facts.pop("active_infection", None)
    denied = known is not None and known.status is Status.ABSENT
    going_on = []
    for fact in [f for f in facts.values() if f.status is Status.PRESENT and _acute_infection(f.id, vocabulary)]:
        if denied and not any(m.context.current for s, m in said.get(fact.id, ()) if s is Status.PRESENT):
            _past(facts, fact.id)
        else:
            going_on.append(fact)
    own = known.evidence if known and known.status is Status.PRESENT else ()
    if going_on or own:
        facts["active_infection"] = ConditionFact("active_infection", Status.PRESENT, (*own, *(e for f in going_on for e in f.evidence)))
    elif known and known.status in (Status.ABSENT, Status.POSSIBLE):
        facts["active_infection"] = known


def _acute_infection(concept: str, vocabulary: Vocabulary) -> bool:
    return vocabulary.is_a(concept, "infectious_disease") and vocabulary.conditions[concept].course == "acute"


def _plasma_cell_order(facts: dict[str, ConditionFact], said: dict[str, list[tuple[Status, Mention]]]) -> None:
    def present(concept: str) -> bool:
        return concept in facts and facts[concept].status is Status.PRESENT

    def count(concept: str) -> int:
        return sum(s is Status.PRESENT for s, _ in said.get(concept, ()))

    active = any(s is Status.PRESENT and m.context.current for s, m in said.get("multiple_myeloma", ())) or any(
        m.context.past for _, m in said.get("smoldering_multiple_myeloma", ()))
    if present("smoldering_multiple_myeloma") and present("multiple_myeloma") and not active and count("smoldering_multiple_myeloma") >= count("multiple_myeloma"):
        del facts["multiple_myeloma"]
    later = [c for c in ("multiple_myeloma", "plasma_cell_leukemia") if present(c)]
    if later and present("solitary_plasmacytoma"):
        _past(facts, "solitary_plasmacytoma")
    if later and present("smoldering_multiple_myeloma"):
        _past(facts, "smoldering_multiple_myeloma")
    if (later or present("smoldering_multiple_myeloma")) and present("mgus"):
        _past(facts, "mgus")


def _past(facts: dict[str, ConditionFact], concept: str) -> None:
    known = facts[concept]
    facts[concept] = ConditionFact(concept, Status.HISTORICAL, known.evidence, known.date, known.until, known.qualifiers)


