"""Whether a treatment that the note names was given: given, ongoing, planned, declined, never, another person's, or unclear."""

from __future__ import annotations

import re
from functools import lru_cache

from matcher.domain import Course
from matcher.notes.document import Document
from matcher.notes.signals import Signal, signals_of
from matcher.notes.statements import REACH, Setting, setting_of, statement_at
from matcher.notes.treatments import Group
from models import load_vocabulary

_CLAUSE = re.compile(r"[,\s]*\b(?:but|however|although|though|except|whereas|yet|who|then|therefore|because|so)\b|(?<=\w)\s+[-–—]+\s+|:\s|[()]|->|→|//", re.IGNORECASE)
_STRONG_BREAK = re.compile(r"\b(?:but|however|although|though|except|whereas|then|so|hence|therefore|instead(?! of))\b|//", re.IGNORECASE)
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_THEN_INFUSED = re.compile(r"[^.;\n]{0,80}[.;] (?:(?:and|then|it|he|she|they|patient|pt|was|were|the|cells|product) ){0,3}(?:re)?infused (?:(?:on|in|at) )?(?:\d|[A-Z][a-z]{2,8} \d)", re.IGNORECASE)
_LABEL = re.compile(r"[\s*•#()\d.:-]*(?:(?:line|rx|lot|l|regimen|course)[\s#]*(?:\d{1,2}|[ivx]{1,5}|[a-h]\b)?(?:st|nd|rd|th)?[\s.:)|-]*)?", re.IGNORECASE)
_CONDITION = re.compile(r"[^.;,\n]*,?[^.;,\n]*")  # between "if" and the name
_PARENTHESIS = re.compile(r"\s*\([^()\n]{0,120}\)")
_INFUSION_DAY = re.compile(r"\b(?:(?:re)?infus(?:ed|ion)\b|(?:day|D) ?0\b)(?: (?:date|day|on|was|of cells))*[\s:=|-]*\(?(?:\d{1,4}[./-]\d|\d{1,2} [A-Z][a-z]{2}|[A-Z][a-z]{2,8} \d)", re.IGNORECASE)
_LASTING = re.compile(r"(?:since|until|till|through|last)\b", re.IGNORECASE)
_HAD_IT = re.compile(r"\s*(?:he|she|they|the patient|pt) (?:had|received|took|got|was given|tolerated|completed|responded to) (?:it|this|them|that)\b", re.IGNORECASE)
_INFUSION_OF = re.compile(r"(?<!no )(?<!not )\b(?:re)?infusion of (?:(?!\b(?:planned|scheduled|before|until)\b)[^.;,\n]){0,80}$", re.IGNORECASE)
_NOTHING_INFUSED = re.compile(r"\bnothing (?:was |has been |ever )?(?:re)?infused\b", re.IGNORECASE)
_UNDONE_INFUSION = re.compile(r"\b(?:not|never|no|if|to be|will be|planned|scheduled|before|until)\b", re.IGNORECASE)
_DOUBT = re.compile(r"[^*x×#]?\?", re.IGNORECASE)  # of the treatment; "DRd x?" is of its cycles
_QUESTION = re.compile(r"(?:\s*\([^()\n]{0,40}\))?(?:\s[\w/-]+){0,3}\s?\?|\s+or\s+[\w/-]+\s?\?")
_DATED = re.compile(r"\b(?:19|20)\d\d\b|\d[/.]\d\d\b")
_ARROW = re.compile(r"\s?(?:[-=]*>|→)")  # a step that another follows: "DPd -> X -> Kd"
_ARROW_BEFORE = re.compile(_ARROW.pattern + r"\s?$")
_TO_PRESENT = re.compile(r"\d\s*(?:[-–—]|to|until|till)\s*(?:present|now|current|today|date|ongoing)\b[\s:|*-]*$", re.IGNORECASE)  # "08/2024-present  DPd"
_SENTENCE_OR_ROW = re.compile(r"\.\s(?=[A-Z])|\n\s*\n")
_PRIOR_LIST = re.compile(r"[^.:;\n]{0,30}:[^.\n]*")
_LIST_OVER = re.compile(r"[.)]\s+[A-Z(]|\n[ \t]*\n|\b(?i:off|stop\w*|held|past|prior|previous\w*|discontinued|until|completed|allerg\w*)\b")  # of the medicines that are taken
# No word of denial, wish or condition stands between.
_AND_THEN = re.compile(r"[^.;\n]{0,40}?(?:,|\band\b|\bthen\b)(?: (?:and|then|he|she|they|the|patient|pt|was|has|had|since|subsequently|later)){0,4} ", re.IGNORECASE)
_NUMBER_OF = re.compile(r"[^.\n]{0,80}\b(?:\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|twelve) ", re.IGNORECASE)


def course_of(doc: Document, group: Group, following: int | None = None) -> Course:
    """How the note asserts this treatment. `following`: where the next treatment of the same statement begins."""
    at = setting_of(doc, group, following)
    section = doc.section_at(group.start)
    if _of_family(doc, group.start) or _others(at):
        return Course.FAMILY
    if section.kind == "allergies" and "\n\n" not in doc.text[section.start : group.start]:
        return Course.POSSIBLE
    if denied := _denied(at):
        return denied
    if _corrected(at):
        return Course.ABSENT
    if _never_infused(group, at):
        return Course.ABSENT
    infused = _infused(group, at)
    if infused and not _UNDONE_INFUSION.search(at.text, at.end, max(infused, min(at.high, max(at.end + 60, infused + 20)))):
        return Course.GIVEN
    if _received_it(at) or _goes_on_with(at):
        return Course.GIVEN
    added = section.kind == "plan" and doc.lowered.find("addendum", section.start, group.start) >= 0
    if _planned(at, section.kind == "plan" and not added and not _listed_as_prior(at, section.start)):
        return Course.PLANNED
    if _doubtful(at) or (_generic(group) and not _ongoing(at) and not _shown_given(at, _beyond_brackets(at), _cells(group.drugs)) and not _infused_below(doc, group) and not _had_it(doc, at)):
        return Course.POSSIBLE
    listed = section.kind == "medications" and not _LIST_OVER.search(doc.text, section.start, group.start + 1)
    return Course.ONGOING if listed or _ongoing(at) or (_supportive(group) and _on_it(at)) else Course.GIVEN


def _infused(group: Group, at: Setting) -> int | None:
    """Where the words end that tell of its infusion: in its clause, or of a cell product in the next sentence."""
    if (told := at.signals.first("infused", at.end, at.high)) and told.start - at.end <= 100 and not re.search(r"[.;\n]", at.until(told)):
        return told.end
    then = _THEN_INFUSED.match(at.text, at.end, at.end + _NEXT_WORDS) if _cells(group.drugs) else None
    return then.end() if then else None


def _received_it(at: Setting) -> bool:
    """What was planned, and then told as done: "consented to X and received it", "X planned for today, 5 cycles so far"."""
    return any(_AND_THEN.fullmatch(at.text, at.end, told.start) for told in at.signals.within("received_it", at.end, at.high)) \
        or any(_NUMBER_OF.fullmatch(at.text, at.end, told.start) for told in at.signals.within("so_far", at.end, at.end + _NEXT_WORDS))


_LATER_DOSE = re.compile(r"\s*\(?(?:dose|cycle|infusion|injection|C) ?#?(?:[2-9]|[1-9]\d)\b(?! ?m)", re.IGNORECASE)


def _goes_on_with(at: Setting) -> bool:
    """What is to be given next is not the first of its doses: "third step-up dose of X tomorrow", "due for X dose 14"."""
    if _LATER_DOSE.match(at.text, at.end):
        return True
    further = at.signals.up_to("further_dose", at.start, at.low)
    return further is not None and not at.signals.first("planned_before", at.low, further.start)


def _listed_as_prior(at: Setting, low: int) -> bool:
    """In an assessment too: "Prior: VRd; Kd; DPd"."""
    head = at.signals.last("prior_list", max(low, at.start - REACH), at.start)
    return head is not None and _PRIOR_LIST.fullmatch(at.text, head.end, at.start) is not None


def shown_given(doc: Document, group: Group, following: int | None = None) -> bool:
    """Whether the words around a treatment show that it was given: a date, a response, "received", "last dose"."""
    at = setting_of(doc, group, following)
    return _shown_given(at, at.near, _cells(group.drugs)) or _had_it(doc, at)


def _ongoing(at: Setting) -> bool:
    if (mark := at.after("ongoing_after", 60)) and not re.search(r"\bPD\b|progress", at.until(mark)):
        return True
    if (day := at.after("taken_now", 40)) and not at.until(day).strip(" ,()-"):
        return True
    if _TO_PRESENT.search(at.text, max(at.low, at.start - 30), at.start):
        return True
    cue = at.before("ongoing_before")
    return cue is not None and at.start - cue.end < 25 and not re.search(r"[,.;]|:\s*\S", at.since(cue))


def _supportive(group: Group) -> bool:
    """Medicines for other ills than the malignancy, which are taken until the note says that they were stopped."""
    known = load_vocabulary().drugs
    return bool(group.drugs) and all(d in known and not known[d].antineoplastic for d in group.drugs)


_ON = re.compile(r"\bon (?:[\w-]+ )?$")  # "atrial fibrillation, on apixaban"
_ON_THEN = re.compile(r"\b(?:was|were|been|had|while|whilst|when|progress\w*|relaps\w*|develop\w*|occurr\w*|bleed\w*|despite)\b[^,;]*$", re.IGNORECASE)


def _on_it(at: Setting) -> bool:
    lead = at.text[max(at.low, at.start - 80) : at.start]
    return _ON.search(lead) is not None and not _ON_THEN.search(lead) and not at.after("stopped", 60) and not re.match(r"\W*(?:until|till|before|in \d)", at.text[at.end : at.high])


def _doubtful(at: Setting) -> bool:
    if at.text.find("?", at.low, at.high) >= 0 and (_DOUBT.match(at.text, at.end, at.near) or _QUESTION.match(at.text, at.end, at.high) or at.text[at.low : at.start].rstrip()[-1:] == "?"):
        return True
    cue = at.before("uncertain_before")
    if cue is None or (at.text[cue.end - 1] == "?" and at.since(cue).strip()):
        return False
    return at.start - cue.end < 40 and not _CLAUSE.search(at.since(cue))


def _never_infused(group: Group, at: Setting) -> bool:
    """Of a cell product: "collected, but never received the cells", in the sentence or the next words."""
    if not _cells(group.drugs):
        return False
    nothing = _NOTHING_INFUSED.search(at.text, at.end, at.end + REACH)
    if nothing and "infus" not in at.text[at.end : nothing.start()]:
        return True
    over = _SENTENCE_OR_ROW.search(at.text, at.end, at.end + REACH)
    undone = at.signals.first("uninfused", at.end, over.start() if over else at.end + REACH)
    return undone is not None and at.signals.first("infused", at.end, undone.start) is None


def _beyond_brackets(at: Setting) -> int:
    """Where what tells of the name ends, a bracket about the bridging left out: "cilta-cel (bridging DCEP x1) | 8/16/2023"."""
    bracket = _PARENTHESIS.match(at.text, at.end, at.high)
    return at.high if bracket and at.near < bracket.end() else at.near


def _infused_below(doc: Document, group: Group) -> bool:
    """The course sheet of a cell therapy: "Product: Carvykti. Apheresis 7/8. Infusion 9/13/24." """
    high = _PARAGRAPH.search(doc.text, group.end, group.end + 300)
    infused = _INFUSION_DAY.search(doc.text, group.end, high.start() if high else group.end + 300)
    return infused is not None and signals_of(doc.text).last("planned_before", max(group.end, infused.start() - 60), infused.end()) is None


def _had_it(doc: Document, at: Setting) -> bool:
    """The next sentence says so: "... an anti-BCMA bispecific antibody. He had it for eleven months"."""
    following = statement_at(doc, min(at.high + 1, len(doc.text) - 1))[0] if at.high == statement_at(doc, at.start)[1] else at.high
    return _HAD_IT.match(doc.text, min(following, at.high)) is not None


@lru_cache(maxsize=4096)
def _cells(drugs: tuple[str, ...]) -> bool:
    known = load_vocabulary().drugs
    return any(d in known and known[d].modality == "car_t" for d in drugs)


def _generic(group: Group) -> bool:
    """A cell product, an unnamed engager or a bare "transplant": the name is no exposure without a word of its being given."""
    if group.drugs:
        return all(d.startswith("anti-") for d in group.drugs) or _cells(group.drugs)
    return bool(set(group.therapies) & {"car_t", "bispecific_antibody", "bcma"}) or set(group.therapies) == {"stem_cell_transplant"}


def _shown_given(at: Setting, near: int, cells: bool = False) -> bool:
    """`cells`: of a cell product, which is given once and not "since the spring", and is collected and made before."""
    cue = at.before("given_before")
    if at.signals.first("caused_after", at.end, at.end + 20) and at.text[at.end] == "-":
        return True
    if (cue and at.start - cue.end < 40 and not (cells and (_AHEAD_OF.search(at.since(cue)) or at.signals.first("prepared", cue.start, at.start)))) or _halted(at):
        return True
    if cells and (made := at.signals.first("prepared", at.end, min(at.high, at.end + 120))):
        return at.signals.first("cells_given", made.end, at.high) is not None
    if _INFUSION_OF.search(at.text, max(at.low, at.start - 100), at.start) or (_ARROW_BEFORE.search(at.text, max(at.low, at.start - 4), at.start) and _ARROW.match(at.text, at.end)):
        return True
    if (part := at.before("took_part")) and at.start - part.end < 120:
        return True  # "participated in a study, in another city, of a bispecific antibody"
    shown = at.signals.first("given_after", at.end, min(near, at.end + 120))
    if (shown and not (cells and _LASTING.match(at.text, shown.start))) or re.search(r"\b(?:infus|reinfus|receiv|given)", at.text[at.end : min(at.high, at.end + 200)], re.IGNORECASE):
        return True
    beside = re.split(r"[.;]\s(?!\d)|\n", at.text[at.end : min(near, at.end + 60)])[0]
    return bool(re.search(r"\b(?:19|20)\d\d\b|\d/\d\d\b", at.text[max(at.low, at.start - 40) : at.start] + beside) or _LABEL.fullmatch(at.text, at.low, at.start))


def _of_family(doc: Document, place: int) -> bool:
    """In a family history: on the heading's own line, or in the list below it that names a relative."""
    section = doc.section_at(place)
    if section.kind != "family":
        return False
    start, end = statement_at(doc, place)
    return doc.text.count("\n", section.start, place) <= 1 and "\n\n" not in doc.text[section.start : place] and (
        "\n" not in doc.text[section.start : place].strip("\n") or signals_of(doc.text).first("relative", start, end) is not None)


def _others(at: Setting) -> bool:
    """Said of a relative, a room-mate: somebody who is not the patient."""
    person = at.before("relative")
    if person and not _STRONG_BREAK.search(at.since(person)):
        between = at.since(person)
        if len(between) < 90 and at.signals.first("other_person_verb", person.end, at.start) and not re.search(r"\b(?:he|she|patient|pt|his|her own)\b", between, re.IGNORECASE):
            if re.search(r"\b(?:plan|continues?|period|we|now|currently)\b", between, re.IGNORECASE):
                return False
            return not re.search(r"\b(?:with|accompanied by|by|and|lives with|from)\s+(?:(?:his|her|the)\s+)?$", at.text[at.low : person.start], re.IGNORECASE)
    person = at.signals.first("relative", at.end, min(at.high, at.end + 60))
    return person is not None and re.match(r"\s*(?:is|was|has|takes|got|gets|received)\b", at.text[person.end : at.high]) is not None and not re.search(r"[.;,]", at.until(person))


_ALL_OF_THEM = re.compile(r"[\s,/]*(?:(?:[\w-]+[\s,/]+){0,8}(?:and|or)\s+[\w-]+|[\w\s,/-]{0,60}\ball)?[\s,:=-]*(?:(?:is|was|were|are|has|have) (?:been )?)?")
_REPLACED = re.compile(r"\s*(?:was |were )?(?:replaced|corrected|changed)\b")
_ANSWERED_NO = re.compile(r"\s*[:=?|–-]+\s*(?:no|n|never|none|nil)\b(?=\s*(?:[.,;)\n|/]|$))", re.IGNORECASE)
_OF_ITS_HARM = re.compile(r"\d{4}[^,;]*,")  # "X 2023, CRS | none"
_ONE_NAME = re.compile(r"\s*(?:\w+[ -])?")


def _denied(at: Setting) -> Course | None:
    """ABSENT, DECLINED, or None where neither is said."""
    if (never := at.before("never_before")) and not _STRONG_BREAK.search(between := at.since(never)) and not re.search(r"\bexcept|\bother than|\bonly\b", between) \
            and not at.signals.first("given_strong_after", never.end, at.start) and not at.signals.first("called_wrong", never.end, at.start):
        return Course.ABSENT
    if (never := at.before("never_alone")) and _ONE_NAME.fullmatch(at.since(never)):
        return Course.ABSENT
    if (no := at.before("no_before")) and _adjacent_negation(at.since(no), at.text[at.end : min(at.near, at.end + 40)]):
        return Course.ABSENT
    if _ANSWERED_NO.match(at.text, at.end):
        return Course.ABSENT
    if _REPLACED.match(at.text, at.end, at.high) and re.search(r"\bcorrection\b[^.;]*$", at.text[at.low : at.start], re.IGNORECASE):
        return Course.ABSENT
    if (undone := at.after("never_after", 120)) and undone.start - at.end < 45 and not _CLAUSE.search(at.until(undone).rstrip(" -:–?=")) and not _OF_ITS_HARM.search(at.until(undone)):
        return Course.ABSENT
    if (undone := at.signals.first("never_after", at.near, at.high)) and at.near < at.high and _ALL_OF_THEM.fullmatch(at.until(undone)):
        return Course.ABSENT  # "ADC, bispecific and CAR-T all not used"
    if (slip := at.after("mistaken", 70)) and not re.search(r"[.;]\s|\n", at.until(slip)):
        return Course.ABSENT
    if (refused := at.before("declined")) and at.start - refused.end < 40 and not _STRONG_BREAK.search(at.since(refused)) and not ("," in at.since(refused) and _given_beside(at)):
        return Course.DECLINED
    refused = at.after("declined", 60)
    if refused and at.until(refused).strip() and (verb := at.before("received")) and _DETERMINED.fullmatch(at.since(verb)):
        return None  # "got X after the insurer had refused it"
    return Course.DECLINED if refused and not ("," in at.until(refused) and _leads_on(at, refused)) else None


_AHEAD_OF = re.compile(r"\b(?:before|prior to|ahead of|until|pending|towards?)\b", re.IGNORECASE)
_NEXT_WORDS = 160  # characters after a name in which its record is called wrong
_IN_ITS_STEAD = re.compile(r"[\s.,;:–-]*(?:(?:it|this) (?:was|is|should)(?! (?:never|not)\b)|actually|rather|in fact it|should be)\b", re.IGNORECASE)


def _corrected(at: Setting) -> bool:
    """What a record says of the patient, and the next words call wrong: "problem list carries s/p X; this is wrong"; not where they only correct its date."""
    record = at.before("by_record")
    if record is None or _SENTENCE_OR_ROW.search(at.since(record)):
        return False
    slip = at.signals.first("called_wrong", at.end, at.end + _NEXT_WORDS)
    return slip is not None and _PARAGRAPH.search(at.until(slip)) is None and _IN_ITS_STEAD.match(at.text, slip.end) is None


def _leads_on(at: Setting, cue: Signal) -> bool:
    """The cue stands right before the next name, and tells of that one: "VRd x9, declined | ASCT"."""
    return at.near < at.high and _DETERMINED.fullmatch(at.text, cue.end, at.near) is not None


_NEGATED_LIST = re.compile(r"\s*(?:[\w/-]+[\s,/]+){0,6}?(?:(?:and|or|nor)\s+(?:an?\s+|any\s+)?)?", re.IGNORECASE)
_NOT_OF_THE_NAME = re.compile(r"\b(?:except|other than|apart|response|benefit|effect|continue|tolerate|complete|to|on|after|from|under|longer|evidence|signs?|progression|relapse|toxicity|with|since|during|until|maint\w*|were|was|only|refractory|more than|better|by|choice|wish|and)\b|[;.()]|\n|\d", re.IGNORECASE)


def _adjacent_negation(between: str, after: str) -> bool:
    """Between "no" and the name stand only names or qualifiers: "no CAR-T, bispecific or ADC"; not "no response to X"."""
    if _NOT_OF_THE_NAME.search(between) or ("," in between and not re.search(r"\b(?:or|nor)\b", between + after, re.IGNORECASE)):
        return False
    return len(between) < 60 and _NEGATED_LIST.fullmatch(between) is not None


_ALTERNATIVE = re.compile(r"\s*(?:,? or |/|,? vs\.? |, )\s*[\w-]+(?: [\w-]+)?(?=\s(?:can|could|may|might|would|will|is|are|was|were|to)\b)")
_SAID_OVER = re.compile(r";\s|\.\s(?=[A-Z][a-z])")
_SUPPOSED = re.compile(r"\bif\b|\bwould\b|\bplan|\bconsider")
_FEW_WORDS = re.compile(r"\s(?:\w+\s){0,2}")  # "at relapse was | offered"
_DETERMINED = re.compile(r"\s*(?:on |with |the |an? )*")
_PLANNED_DOSE = re.compile(r"\s*(?:an? |the )?\w+ of")  # "alternatively | infusion of"
_FOR = re.compile(r"\bfor (?:an? |the |his |her |their )?$")
_NOUN = re.compile(r"[\s(-]*(?:the\s|clinical\s|T[- ]cell\s)*")


def _planned(at: Setting, in_plan: bool) -> bool:
    before = at.text[at.low : at.start]
    if ((condition := at.before("condition")) and _CONDITION.fullmatch(at.text, condition.end, at.start)) or ((taught := at.before("taught")) and not _CLAUSE.search(at.since(taught))):
        return True
    if _halted(at):
        return False
    given, evidence = at.before("given_before"), _given_beside(at)
    if at.after("begun_after", 30) and not re.search(r"[.;\n]", at.text[at.end : at.end + 12]):
        return False
    plan = _unfulfilled(at, at.signals.within("planned_before", at.low, at.start))
    if plan and not _STRONG_BREAK.search(at.since(plan[-1])):
        cue = plan[-1]
        closer = (given is not None and given.start >= cue.end and not _PLANNED_DOSE.fullmatch(at.text, cue.end, given.end)) or at.before("took_part") is not None
        beside = at.start - cue.end < 40 and not _CLAUSE.search(at.since(cue))
        if not closer and (beside or not (evidence and re.search(r"\d", at.text[at.end : min(at.near, at.end + 40)]))):
            return True
    if _planned_after(at, evidence):
        return True
    if (noun := at.after("planned_noun", 60)) and _NOUN.fullmatch(at.until(noun)) and not (given and not _FOR.search(before)) and not evidence \
            and not re.search(r"infus|received|given|enrolled", at.text[noun.end : min(at.near, noun.end + 120)]):
        return True
    return in_plan and evidence is None and _part_of_a_plan(at, before, given)


def _unfulfilled(at: Setting, cues: list[Signal]) -> list[Signal]:
    """Cues of a plan, without those of "as planned" and the like: they tell of what was done."""
    return [cue for cue in cues if not any(done.start <= cue.start < done.end for done in at.signals.within("past_planned", cue.start - 20, at.high))]


def _given_beside(at: Setting) -> Signal | None:
    """A word after the name that shows it given, unless of a condition."""
    over = _SAID_OVER.search(at.text, at.end, min(at.near, at.end + 70))
    shown = at.signals.first("given_after", at.end, over.start() if over else min(at.near, at.end + 70))
    return shown if shown and not _SUPPOSED.search(at.until(shown)) and at.text[shown.end : shown.end + 4] != " if " else None


def _planned_after(at: Setting, evidence: Signal | None) -> bool:
    other = _ALTERNATIVE.match(at.text, at.end, at.high)
    high = min(at.high, other.end() + 120) if other else min(at.near, at.end + 120)
    marks = _unfulfilled(at, at.signals.within("planned_after", other.end() if other else at.end, high))
    if not marks:
        return False
    mark = marks[0]
    if at.signals.first("done_after", mark.end, min(at.near, mark.end + 40)):
        return False  # "planned for 2/23 and given 3/23"
    if other and mark.start - other.end() < 30:
        return True
    if _DATED.search(at.until(mark)) or mark.start - at.end >= 50:
        return False  # a date of its own comes first: what is awaited is something else
    if (verb := at.before("received")) and _DETERMINED.fullmatch(at.since(verb)) and not at.before("planned_before"):
        return False  # "commenced on X as that was what she could afford"
    shown = evidence is not None and evidence.start < mark.start and not _FEW_WORDS.fullmatch(at.text, evidence.end, mark.start)
    return not shown and not _CLAUSE.search(at.until(mark).lstrip("( :)-–"))


def _halted(at: Setting) -> bool:
    """What is to be stopped, held or spaced out is being taken."""
    cue = at.before("halted")
    return cue is not None and _DETERMINED.fullmatch(at.since(cue)) is not None


def _part_of_a_plan(at: Setting, before: str, given: Signal | None) -> bool:
    if re.search(r"\b(?:then|followed by|afterwards?|subsequently)\b[^.;]*$", before) and not re.search(r"\b(?:received|had|was|were|underwent|progress\w*|relaps\w*|PD)\b", before):
        return True
    return given is None and not re.search(r"\bon\s+$|progress\w*\b[^.;]*$|refractory[^.;]*$|exposed[^.;]*$", before, re.IGNORECASE) \
        and not re.match(r"\W*(?:refractory|exposed|naive|failure)", at.text[at.end : at.high], re.IGNORECASE) and not at.before("ongoing_before")
