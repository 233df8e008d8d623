"""One eligibility item as written becomes a typed expression; what is not understood stays as Unparsed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import dropwhile, pairwise
from typing import Any

from matcher.domain import AllOf, AnyOf, AtLeast, AtScreening, Comparison, Expression, Kind, Not, Presence, Unparsed
from matcher.expressions import atoms
from matcher.trials.clauses import permissions, read_sentence, widen
from matcher.trials.comparisons import CLASS
from matcher.trials.exceptions import GENERAL, excuse
from matcher.trials.lexer import CONCEPTS, Token, plain, tokens
from matcher.trials.logic import Context, conjoin, disjoin, negate
from matcher.trials.periods import period_at
from models import load_vocabulary
from models.criteria_classifier import load_criteria_classifier
from models.vocabulary import Condition, Drug, Therapy

_PEOPLE = r"(?:patients?|subjects?|participants?|volunteers?|individuals?|(?:wo)?m[ae]n|(?:fe)?males?)"
_DEMAND = re.compile(rf"\W*(?:(?:an?|the|all|any|eligible)\s+)?(?:{_PEOPLE}\s+)?(?:must|should|may)\s+not\s+(?:be|have)\b|[^;.]{{1,120}}?\bmust be (?:(?:less|more|greater|higher|lower|above|below|at least|at most|no more)\b|[<>≤≥])", re.IGNORECASE)
_DENIED = re.compile(r"\W*no\b(?! (?:more|longer|less|fewer)\b)", re.IGNORECASE)
_DEMANDED = re.compile(rf"\W*(?:\w+\s+){{0,3}}?{_PEOPLE}\s+(?:[\w-]+\s+){{0,5}}?(?:must|should)\s+(?:be|have|agree|use)\b(?!\s+(?:not|no|excluded|discontinued|considered|off|stopped)\b)", re.IGNORECASE)
_MUST = re.compile(r"\W*(?:must|should)\b", re.IGNORECASE)
_MUST_BE_MET = re.compile(r"\b(?:criteria|conditions|requirements|following)\b[^.;]{0,40}\b(?:must|should|have to|need to)\b[^.;]{0,20}\b(?:met|fulfilled|satisfied|apply)\b", re.IGNORECASE)
_EXCLUDED = re.compile(r"\W*(?:are )?(?:excluded|exclusions?|not eligible|ineligible)\s*:", re.IGNORECASE)
_COHORT = re.compile(r"\s*(?P<who>[^:.;\n]{3,80}?)\s+(?:(?:dose|expansion|escalation)\s+)?(?:cohorts?|participants|patients|subjects|arms?)\s+only\s*:", re.IGNORECASE)
LONGEST = 20_000  # characters of one item that are read; what is longer is no criterion
_PART = re.compile(r"(?:(?:^|(?<=[\s;:,.)]))(?:\(\s?(?:\d{1,2}|[a-h]|i{1,3}|iv|vi{0,3})\s?\)|(?:\d{1,2}|[a-h]|i{1,3}|iv)\s?\))|\n\s*[-*+]\s|\n\s*(?:\d{1,2}|[a-h]|i{1,3}|iv)\.\s)(?=\s*\S)", re.IGNORECASE)


def compile_criterion(text: str, kind: Kind, conditions: tuple[str, ...] = ()) -> tuple[Expression, bool]:
    """(expression, assessable): what the item says about the patient, and whether a note can settle it at all.

    `conditions`: the trial's own diseases (condition ids), which "the disease under study" and "relapsed" refer to.
    Every text compiles; what is not understood is an Unparsed part with its words.
    """
    if len(text) > LONGEST:
        cut = text.rfind(" ", 0, LONGEST) + 1 or LONGEST
        expression, assessable = compile_criterion(text[:cut], kind, conditions)
        rest = Unparsed(text[cut:])
        return (disjoin(expression, rest) if kind is Kind.EXCLUSION else conjoin(expression, rest)), assessable
    if kind is Kind.EXCLUSION and _DEMAND.match(text):  # worded as a demand, it excludes who does not meet it
        demanded, assessable = compile_criterion(text, Kind.INCLUSION, conditions)
        return negate(demanded), assessable
    if kind is Kind.EXCLUSION and _DENIED.match(text):  # "No active infection" among the exclusions is what is asked
        demanded, assessable = compile_criterion(text, Kind.INCLUSION, conditions)
        stated = [e for e in atoms(demanded) if not isinstance(e, Unparsed | AtScreening)]
        if stated and all(isinstance(e, Presence) and (e.fact == "condition" or e.window) for e in stated):
            return negate(demanded), assessable
    if (cohort := _COHORT.match(text)) and (who := _whom(cohort["who"], conditions)) is not None:
        said, assessable = compile_criterion(text[cohort.end() :], kind, conditions)
        return (conjoin(who, said) if kind is Kind.EXCLUSION else disjoin(negate(who), said)), assessable
    shown = plain(text)
    context = Context(shown, kind, conditions)
    found = tokens(shown)
    read = _item(found, context)
    if read is None and _candidate(found):
        read = AtScreening(text.strip())
    if read is None and _announces(found):
        read = _nothing(kind)
    if read is None:
        read = Unparsed(text.strip()) if any(t.kind not in ("stop", ".", ",") for t in found) and not _permission(found, shown) else _nothing(kind)
    return read, _assessable(read)


def _whom(words: str, conditions: tuple[str, ...]) -> Expression | None:
    """The disease of a cohort, "Ovarian cancer cohorts only: ..."; None where the words name none."""
    who, _ = compile_criterion(words, Kind.EXCLUSION, conditions)
    return who if all(isinstance(e, Presence) and e.fact in ("condition", "disease") for e in atoms(who)) else None


def _nothing(kind: Kind) -> Expression:
    """A mere permission asks nothing of an inclusion and excludes nobody."""
    return AnyOf(()) if kind is Kind.EXCLUSION else AllOf(())


def _candidate(found: list[Token]) -> bool:
    """ "Patients who are eligible for transplantation" permits nothing: it says who is a candidate for a treatment."""
    return any(t.kind == "allowed" and after.value == "for" and any(u.kind in ("therapy", "drug", "regimen") for u in found[at:])
               for at, (t, after) in enumerate(pairwise(found)))


def _announces(found: list[Token]) -> bool:
    """Whether an item is the head of a list that follows as items of their own: "Patient has the following laboratory values:"."""
    return bool(found) and found[-1].kind == ":" and any(t.kind in ("any_of", "all_of") or t.value == "following" for t in found)


def _permission(found: list[Token], text: str) -> bool:
    """Whether an item only permits; with a condition ("allowed if ...") it asks something."""
    permits = any(not text[found[at].start : found[at].end].lower().endswith("not considered") for at in permissions(found, text))
    return (permits or any(t.kind == "both_sexes" for t in found)) and not any(t.kind == "if" for t in found)


def _assessable(expression: Expression) -> bool:
    leaves = list(atoms(expression))
    unread = [e.text for e in leaves if isinstance(e, Unparsed)]
    if unread and len(unread) == len(leaves):  # no rule reached it
        return load_criteria_classifier().classify(" ".join(unread)).assessable
    if any(isinstance(e, AtScreening) for e in leaves):
        leaves = [e for e in leaves if not isinstance(e, Unparsed)]
    return not leaves or not all(isinstance(e, AtScreening) or (isinstance(e, Presence) and e.value in ("childbearing_potential", "male", "female")) for e in leaves)


def _item(found: list[Token], context: Context) -> Expression | None:
    """Numbered or bulleted parts of one item, else its sentences."""
    cuts = [m.span() for m in _PART.finditer(context.text)]
    cuts = [c for c in cuts if not _closes(context.text, c) and not any(t.start < c[0] < t.end for t in found)]
    head = [t for t in found if t.end <= cuts[0][0]] if len(cuts) >= 2 else []
    if any(t.kind in ("except", "unless") for t in head[-8:]):  # a list of exceptions is one clause
        found = [t for t in found if not any(a <= t.start and t.end <= b for a, b in cuts)]
    elif len(cuts) >= 2:
        parts: list[_Part] = []
        depth = -1.0
        for number, (mark, start) in enumerate(cuts):
            end = cuts[number + 1][0] if number + 1 < len(cuts) else len(context.text)
            line = context.text[mark:start]
            depth = float(len(line) - len(line.lstrip())) if line[:1] == "\n" else depth if depth % 1 else depth + 0.5  # marks within a line are of the part before
            parts.append((depth, [t for t in found if t.start >= start and t.end <= end]))
        return _listed(head, parts, context)
    return _sentences(found, context)


def _closes(text: str, cut: tuple[int, int]) -> bool:
    """Whether "2)" ends a bracket, "(grade ≥ 2)", and marks no item."""
    return "(" not in text[cut[0] : cut[1]] and ")" in text[cut[0] : cut[1]] and text.rfind("(", 0, cut[0]) > text.rfind(")", 0, cut[0])


_Part = tuple[float, list[Token]]  # (how far its mark stands to the right, its tokens)


def _nested(parts: list[_Part], context: Context) -> Iterator[tuple[list[Token], Expression | None]]:
    """(tokens, expression) of each part of a list, with the parts that stand further right under it."""
    while parts:
        (depth, own), *rest = parts
        below = rest[: next((n for n, (further, _) in enumerate(rest) if further <= depth), len(rest))]
        parts = rest[len(below) :]
        if not below or any(t.kind in ("except", "unless") for t in own[-8:]):
            yield own, _sentences([*own, *(t for _, tokens in below for t in tokens)], context)  # a list of exceptions is one clause
        else:
            yield below[-1][1], _listed(own, below, context)


def _obliges(head: list[Token], parts: list[_Part], context: Context) -> bool:
    """Whether the list of an exclusion says what must hold: "If on warfarin, these criteria must be met: ..."."""
    met = bool(head) and _MUST_BE_MET.search(context.text, head[0].start, head[-1].end) is not None
    return context.exclusion and (met or all(own and _MUST.match(context.text, own[0].start) for _, own in parts))


def _listed(head: list[Token], parts: list[_Part], context: Context) -> Expression | None:
    if _obliges(head, parts, context):
        cut = _last_sentence(head)
        who = _condition_of(head[cut:], context) or _sentences([t for t in head[cut:] if t.kind not in ("any_of", "all_of")], context)
        who = None if isinstance(who, Unparsed | AtScreening) else who
        demanded = _listed([], parts, replace(context, kind=Kind.INCLUSION))
        return disjoin(_sentences(head[:cut], context), who if demanded is None else conjoin(who, negate(demanded)))
    count = next((int(t.value) for t in head if t.kind == "any_of"), 0)
    listed_only = context.exclusion and not any(t.value in ("must", "should") for t in head)
    all_of = not count and any(t.kind == "all_of" and not (listed_only and context.text[t.start : t.end].lower() == "the following") for t in head)
    if head and _DEFINES_WHO.search(context.text, head[0].start, head[-1].end):
        return AtScreening(context.text)  # who can bear children, the site knows by the protocol
    carried = _carried(head, context)
    read = list(_nested([(depth, [*carried, *own]) for depth, own in parts], context))
    inner = [e for _, e in read if e is not None]
    condition = _condition_of(head, context)
    told = [] if condition else head if not carried or _names(head) else head[: _last_sentence(head)]
    lead = _sentences([t for t in told if t.kind not in ("any_of", "all_of")], context)
    ends_or = sum(bool(own) and own[-1].kind == "or" for own, _ in read)
    denied = any(t.kind == "neg" for t in carried)
    either = not denied and (count == 1 or ends_or or (context.exclusion and not all_of) or _measurable(lead))
    if not inner:
        return lead
    if count > 1 and not ends_or:
        listed: Expression = AtLeast(min(count, len(inner)), tuple(inner))
    else:
        listed = disjoin(*inner) if either else conjoin(*inner)
    if condition is not None:
        return conjoin(condition, listed) if context.exclusion else disjoin(negate(condition), listed)
    if lead is None or isinstance(lead, Unparsed | AtScreening):
        return listed
    alternative = _measurable(lead) if not context.exclusion else _ends_with_or(head)
    return disjoin(lead, listed) if alternative else conjoin(lead, listed)


def _condition_of(head: list[Token], context: Context) -> Expression | None:
    """Whom a list is for: "If the patient is on warfarin, these criteria must be met:"."""
    comma = next((at for at, t in enumerate(head) if t.kind == ","), 0)
    return read_sentence(head[1:comma], context.excluding) if comma and head[0].kind == "if" else None


def _ends_with_or(head: list[Token]) -> bool:
    """ "Liver disease and/or participants with any of the following:"."""
    return next((t.kind for t in reversed(head) if t.kind not in ("any_of", "all_of", "stop", "subject", "filler", ":", "test", "anchor", "current")), "") == "or"


def _first(head: list[Token]) -> Token:
    return next((t for t in head if t.kind not in ("stop", "subject", "filler", "ever")), head[0])


def _names(head: list[Token]) -> bool:
    return any(t.kind in CONCEPTS or t.kind in _CONTENT for t in head[_last_sentence(head) :])


def _last_sentence(found: list[Token]) -> int:
    return max((at + 1 for at, t in enumerate(found) if t.kind in (".", ";")), default=0)


_CONTENT = frozenset({"age", "chains", "life", "life_stage", "lines", "marker", "measurable", "no_marker", "organ", "state", "response", "subgroup", "target", "toxicity"})
_FRAMES = ("allergy", "intolerant_to", "refractory_to", "current_therapy")


def _carried(head: list[Token], context: Context) -> list[Token]:
    """What a heading says of each item under it: "None of the following:", "Within 6 months, any of:", "Allergic to any of:"."""
    said, named = head[_last_sentence(head) :], _names(head)
    if named and not any(t.kind == "examples" for t in said):
        return []
    carried: list[Token] = []
    first = _first(said) if said else None
    if first and first.kind == "neg" and not (context.exclusion and context.text.startswith(("none", "None"), first.start)):
        carried.append(first)
    depth = 0
    for at, token in enumerate(said):
        depth += (token.kind in ("(", "[")) - (token.kind in (")", "]"))
        if token.kind == "within" and not depth and (period := period_at(said, at, context.text)):
            carried += said[at : period.end]
        elif token.kind == "frame" and token.value in _FRAMES and all(t.kind in ("any_of", "all_of", "stop", "filler", ":") for t in said[at + 1 :]):
            carried.append(token)
    return [*carried, Token(":", ":", head[-1].end, head[-1].end)] if carried else []


def _measurable(lead: Expression | None) -> bool:
    return lead is not None and any(isinstance(e, Presence) and e.fact == "measurable_disease" for e in atoms(lead))


def _sentences(found: list[Token], context: Context) -> Expression | None:
    """Sentences of an item: all hold for an inclusion, any excludes."""
    runs: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        depth = max(0, depth + (token.kind in ("(", "[")) - (token.kind in (")", "]")))
        if token.kind == "." and depth == 0:
            runs.append([])
        elif depth == 0 and runs[-1] and _begins(token, runs[-1][-1], context.text):
            runs.append([token])
        else:
            runs[-1].append(token)
    expressions: list[Expression] = []
    for run in runs:
        if expressions and run and (widened := widen(expressions[-1], run, context)) is not None:
            expressions[-1] = widened
        elif expressions and (named := _without_stops(run)) and named[0].kind in ("except", "unless") and (exception := read_sentence(named[1:], context.excluding)) is not None:
            expressions[-1] = excuse(expressions[-1], exception, context, named[0].kind)
        elif run and ((expressions and _DEFINES.search(context.text[run[0].start : run[-1].end])) or _DEFINES_WHO.search(context.text, run[0].start, run[-1].end)):
            continue  # a definition of words used before, or what the authors expect, asks nothing more
        else:
            expressions += [read for clause in _clauses(run, context) if (read := _stated(clause, context)) is not None]
    if not expressions:
        return None
    if not context.exclusion:
        return conjoin(*expressions)
    joined: list[Expression] = []
    for expression in expressions:  # a sentence of judgement qualifies the one before it
        if isinstance(expression, AtScreening) and joined:
            joined[-1] = conjoin(joined[-1], expression)
        else:
            joined.append(expression)
    return disjoin(*joined)


def _clauses(run: list[Token], context: Context) -> list[list[Token]]:
    """The sentence, or of an exclusion its clauses where one of them is a demand: "pregnancy; women must be postmenopausal"."""
    cuts = [-1, *(at for at, t in enumerate(run) if t.kind == ";"), len(run)]
    clauses = [clause for a, b in pairwise(cuts) if (clause := run[a + 1 : b])]
    return clauses if context.exclusion and any(_demanded(c, context) for c in clauses) else [run] if run else []


def _demanded(clause: list[Token], context: Context) -> bool:
    return bool(_DEMANDED.match(context.text, clause[0].start, clause[-1].end))


def _stated(clause: list[Token], context: Context) -> Expression | None:
    """What a clause says of whom it excludes: a demand within an exclusion excludes who does not meet it; a clause that is
    headed "Excluded:" denies, whatever list it stands in."""
    if not context.exclusion and (label := _EXCLUDED.match(context.text, clause[0].start)):
        excluded = read_sentence([t for t in clause if t.start >= label.end()], context.excluding)
        return None if excluded is None else negate(excluded)
    if not context.exclusion or not _demanded(clause, context):
        return read_sentence(clause, context)
    demanded = read_sentence(clause, replace(context, kind=Kind.INCLUSION))
    return None if demanded is None else negate(demanded)


def _without_stops(tokens: list[Token]) -> list[Token]:
    """ "The exceptions are ..." begins with its exception."""
    return list(dropwhile(lambda t: t.kind == "stop", tokens))


_BEGINS = re.compile(r"(?:No|Not|At least|Must|More than|Less than|Greater than|Patients|Subjects|Participants|Concurrent|Recovered|Prior|Fertile|HIV|Able|Adequate|Women|Men|Age|History of|Any|Note)\b")


_DEFINES = re.compile(r"\b(?:is|are)\s+defined\s+as\b|\A[^,;]{0,40}\bmethods?\b[^,;]{0,30}\b(?:are|include)\b|\A\s*(?:note|confirmation|we (?:anticipate|expect|estimate|assume|believe))\b", re.IGNORECASE)


_DEFINES_WHO = re.compile(r"\b(?:child-?\s?bearing|reproductive) potential\b[^.;:]{0,20}\b(?:is|are) (?:an?|any|considered|defined)\b", re.IGNORECASE)


def _begins(token: Token, before: Token, text: str) -> bool:
    """Whether a sentence begins without a full stop before it, as in records whose line breaks were lost."""
    return before.kind not in (",", ":", ";", "(", "and", "or", "/", "-", "neg", "subject", "ever", "frame", "stop", "filler") and bool(_BEGINS.match(text, token.start))


def coverage(text: str, expression: Expression) -> float:
    """The share of the text's characters that became logic, 0 to 1: what stands in Unparsed parts is not counted."""
    size = len("".join(text.split()))
    lost = sum(len("".join(e.text.split())) for e in atoms(expression) if isinstance(e, Unparsed))
    return max(0.0, 1 - lost / size) if size else 1.0


# ---------------------------------------------------------------- constraints


def constraints(expression: Expression) -> list[dict[str, Any]]:
    """The atomic statements within an item, as commands.md lists them: fact, op, value, unit, window_days, x_uln, of."""
    found = []
    for statement, absent in _statements(expression, False):
        found += [row for row in _row(statement, absent) if isinstance(statement, Comparison) or row not in found]
    return found


def _statements(expression: Expression, negated: bool) -> Iterator[tuple[Comparison | Presence, bool]]:
    match expression:
        case AllOf(parts) | AnyOf(parts) | AtLeast(_, parts):
            excepted = any(isinstance(p, Presence) and p.value in GENERAL and p.excluding for p in parts)
            for part in parts:
                if not (excepted and isinstance(part, Not)):  # an exception states nothing of its own
                    yield from _statements(part, negated)
        case Not(part):
            yield from _statements(part, not negated)
        case Comparison() | Presence():
            yield expression, negated


def _row(statement: Comparison | Presence, absent: bool) -> Iterator[dict[str, Any]]:
    """The contract's row, or rows where a finer or wider concept stands for several of its names; none for facts outside it."""
    window = statement.window.days if statement.window and statement.window.relation == "within" else None
    if isinstance(statement, Comparison):
        if statement.value == 1 and (statement.x_uln or statement.x_lln):
            return  # "bilirubin normal" states no number
        if statement.unit == CLASS:
            return
        for of in _reported(statement.of) if statement.of else (None,):
            row: dict[str, Any] = {"fact": statement.fact, "op": statement.op, "value": statement.value, "unit": statement.unit, "window_days": window}
            yield row | ({"x_uln": True} if statement.x_uln else {}) | ({"of": of} if of else {})
        return
    op = "absent" if absent else "present"
    if statement.fact == "measurable_disease":
        yield {"fact": statement.fact, "op": op, "value": True, "unit": None, "window_days": window}
    elif statement.fact in ("condition", "disease", "prior_therapy", "refractory_to"):
        for value in _reported(statement.value):
            yield {"fact": statement.fact, "op": op, "value": value, "unit": None, "window_days": window}


@cache
def _reported(concept: str) -> tuple[str, ...]:
    """The names of the contract's vocabulary that a concept stands for: itself, the nearest kinds above it, or its own kinds."""
    vocabulary = load_vocabulary()
    rows: Mapping[str, Condition | Drug | Therapy] = {**vocabulary.therapies, **vocabulary.drugs, **vocabulary.conditions}
    if concept not in rows:
        return ()
    listed = {c for c, row in rows.items() if row.source.partition(";")[0] == "vocabulary"}
    if concept in listed:
        return (concept,)
    if concept in vocabulary.drugs:
        return ()
    found: list[str] = []
    above = list(rows[concept].parents)  # type: ignore[union-attr]
    while above:
        parent = above.pop(0)
        if parent in listed:
            if concept in vocabulary.therapies or (vocabulary.conditions[parent].course != "group" and parent != "active_infection"):
                found.append(parent)
        else:
            above.extend(rows[parent].parents)  # type: ignore[union-attr]
    if not found and concept in vocabulary.conditions and vocabulary.conditions[concept].course != "group":
        below = sorted(c for c in vocabulary.descendants(concept) if c in listed)
        found = below if 2 <= len(below) <= 3 else []
    return tuple(dict.fromkeys(found))
