"""Clauses around a sentence: exceptions, conditions on who it is for, permissions, and brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from matcher.domain import AllOf, AtScreening, Comparison, Expression, Kind, Presence, Unparsed
from matcher.expressions import atoms
from matcher.trials.exceptions import GENERAL, excuse
from matcher.trials.lexer import CONCEPTS, Token
from matcher.trials.logic import Context, combine, conjoin, disjoin, negate
from matcher.trials.statements import DEEPEST, Reader
from matcher.trials.timing import within

_PEOPLE_WITH = re.compile(r"(?:all |any )?(?:patients?|subjects?|participants?|individuals?|those)\s+(?:with|who|whose|having)\b", re.IGNORECASE)
_NAMING = CONCEPTS | {"word", "filler", "adjective"}
_DIVIDERS = ("except", "unless", "if")


def read_sentence(tokens: Sequence[Token], context: Context) -> Expression | None:
    """What one sentence says about the patient, or None where it says nothing."""
    permitted = next(permissions(tokens, context.text), None)
    if permitted is None or any(t.kind == "unless" for t in tokens):
        return _divided(tokens, context)
    if tokens[0].kind == "neg" and not any(t.kind in (";", ".") for t in tokens[:permitted]):  # "no prior chemotherapy is allowed", of either role
        denied = read_sentence([*tokens[:permitted], *tokens[permitted + 1 :]], replace(context, kind=Kind.INCLUSION))
        return negate(denied) if context.exclusion and denied is not None else denied
    breaks = [p for p, t in enumerate(tokens) if (t.kind == ";" or (t.kind == "," and _people_at(tokens, p + 1, context))) and _depth(tokens, p) == 0]
    start = max((p + 1 for p in breaks if p < permitted), default=0)
    end = min((p for p in breaks if p > permitted), default=len(tokens))
    main = _divided(tokens[:start], context) if start else None
    if (conditional := Reader(tokens[start:end], context).permission(main)) is not None:
        main = conditional
    elif main is None and any(t.kind == "op" for t in tokens[:permitted]) and ({t.kind for t in tokens[:permitted]} & {"grade", "test"}) != {"grade"}:
        main = _divided(tokens[:permitted], context)
    further = read_sentence(tokens[end + 1 :], context.inner) if end < len(tokens) and context.depth < DEEPEST else None
    either = context.exclusion or (tokens[end + 1 : end + 2] and tokens[end + 1].kind == "or")
    return main if further is None else (disjoin if either else conjoin)(main, further)


def permissions(tokens: Sequence[Token], text: str) -> Iterator[int]:
    """Where a sentence says that something is allowed: outside brackets, and not of what follows ("other than permitted drugs")."""
    for at, token in enumerate(tokens):
        if token.kind == "allowed" and _depth(tokens, at) == 0:
            follows = tokens[at + 1] if at + 1 < len(tokens) else None
            attribute = " " not in text[token.start : token.end] and follows is not None and follows.kind in _NAMING
            if follows is None or not attribute or text[follows.start].isupper():
                yield at


def _people_at(tokens: Sequence[Token], at: int, context: Context) -> bool:
    return at < len(tokens) and (tokens[at].kind == "subject" or _PEOPLE_WITH.match(context.text, tokens[at].start) is not None)


def _permission(tokens: Sequence[Token], context: Context) -> Expression | None:
    """What a sentence of permission allows ("A central line is allowed"), or None where it is none or names nothing."""
    kinds = {t.kind for t in tokens}
    if "allowed" not in kinds or "unless" in kinds or ("op" in kinds and kinds & {"grade", "test"} != {"grade"}):
        return None
    inner = [t for t in tokens if t.kind not in ("allowed", "(", ")", "neg")]
    allowed = combine(Reader(inner, context.excluding).read(), True)
    return allowed if allowed is not None and not isinstance(allowed, Unparsed | AtScreening) else None


def widen(main: Expression, tokens: Sequence[Token], context: Context) -> Expression | None:
    """The statement before with what a sentence of permission does to it, or None where the sentence is none."""
    if (conditional := Reader(tokens, context).permission(main)) is not None:
        return conditional
    permitted = _permission(tokens, context) if context.exclusion else None
    return None if permitted is None else excuse(main, permitted, context, "except")


def _asked_of_some(tokens: Sequence[Token], context: Context) -> Expression | None:
    """ "Patients with HIV must have CD4 > 350": asked of those patients alone, unless they are all that the trial is for."""
    if context.exclusion or not tokens or not _PEOPLE_WITH.match(context.text, tokens[0].start):
        return None
    must = next((p for p, t in enumerate(tokens) if context.text[t.start : t.end].lower() in ("must", "should") and _depth(tokens, p) == 0), 0)
    if not must:
        return None
    who = combine(Reader(tokens[:must], context.inner).read(), True)
    if who is None or not any(isinstance(e, Presence) and e.fact in ("condition", "prior_therapy") for e in atoms(who)):
        return None
    if any(isinstance(e, Comparison) or (isinstance(e, Presence) and e.fact in ("disease", "disease_state", "sex")) for e in atoms(who)):
        return None
    reader = Reader(tokens[must:], context.inner)
    if not reader.read() and reader.window and reader.window.relation == "before":
        return disjoin(negate(who), within(who, reader.window))  # "... must be disease-free for at least 5 years"
    asked = _divided(tokens[must:], context.inner)
    return None if asked is None else disjoin(negate(who), asked)


def _divided(tokens: Sequence[Token], context: Context) -> Expression | None:
    if (asked := _asked_of_some(tokens, context)) is not None:
        return asked
    at = next((p for p, t in enumerate(tokens) if t.kind in _DIVIDERS and _depth(tokens, p) == 0), None)
    if at is not None and tokens[at].kind == "if" and any(t.kind == "screening" and t.value != "discretion" for t in tokens[:at]):
        at = None
    if at is None or context.depth > DEEPEST:
        return combine(Reader(tokens, context).read(), context.exclusion)
    kind = tokens[at].kind
    if kind == "if":
        return _conditional(tokens, at, context)
    main = combine(Reader(tokens[:at], context).read(), context.exclusion)
    rest = _trim(tokens[at + 1 :])
    verdict = next((p for p, t in enumerate(rest) if t.kind == "prohibited"), None)
    if verdict is not None and context.exclusion:  # "second malignancies other than X are not eligible if ..."
        rest, further = rest[:verdict], rest[verdict + 1 :]
        if further and further[0].kind == "if" and main is not None:
            main = _when(combine(Reader(further[1:], context).read(), True), main, context)
    if main is None:
        comma = next((p for p, t in enumerate(rest) if t.kind == ","), len(rest))
        main, rest = _divided(rest[comma + 1 :], context.inner), rest[:comma]
        if main is None:
            return _divided(rest, context.inner) if rest else None
    if kind == "except" and not context.exclusion and (recent := _recent(main, rest, context)) is not None:
        return conjoin(main, negate(recent))
    for named, after in _exceptions(kind, rest):
        if (exception := _exception(after, main, context)) is not None:
            main = excuse(main, exception, context, named)
        elif any(t.kind in ("number", "word") for t in after):
            main = conjoin(main, Unparsed(context.text[after[0].start : after[-1].end]))  # "diabetes other than type 2"
    return main


def _recent(main: Expression, tokens: Sequence[Token], context: Context) -> Presence | None:
    """The demanded treatment within a time that alone is excepted: "prior chemotherapy, but not in the last 4 weeks"."""
    treated = [e for e in atoms(main) if isinstance(e, Presence) and e.fact == "prior_therapy" and e.window is None]
    reader = Reader(tokens, context.excluding)
    alone = bool(treated) and not reader.read() and reader.window is not None and reader.window.relation == "within"
    return replace(treated[-1], window=reader.window) if alone else None


def _exceptions(kind: str, tokens: Sequence[Token]) -> Iterator[tuple[str, Sequence[Token]]]:
    """(kind, clause) of each exception: "other than X, unless disease-free for 4 years" makes two of the one statement."""
    start = 0
    for at, token in enumerate(tokens):
        if token.kind in ("except", "unless") and at and _depth(tokens, at) == 0:
            yield kind, tokens[start:at]
            kind, start = token.kind, at + 1
    yield kind, _trim(tokens[start:])


def _exception(tokens: Sequence[Token], main: Expression, context: Context) -> Expression | None:
    reader = Reader(tokens, context.excluding)
    exception = combine(reader.read(), True)
    elsewhere = bool(tokens) and "protocol" in context.text[tokens[0].start : tokens[-1].end]
    if exception is None and tokens and (elsewhere or not any(isinstance(e, Presence) and e.fact == "condition" for e in atoms(main))):
        return Unparsed(context.text[tokens[0].start : tokens[-1].end])
    if exception is None and reader.window and reader.window.relation == "before":
        return Presence("condition", GENERAL[0], reader.window)  # "unless disease-free for 5 years"
    if isinstance(exception, Presence) and exception.value == "remission" and exception.window:
        return Presence("condition", GENERAL[0], exception.window)  # "unless in remission for 5 years"
    return exception


def _trim(tokens: Sequence[Token]) -> Sequence[Token]:
    while tokens and tokens[0].kind in ("stop", ":", ",", "if"):
        tokens = tokens[1:]
    return tokens


def _depth(tokens: Sequence[Token], at: int) -> int:
    return sum((t.kind == "(") - (t.kind == ")") for t in tokens[:at])


def _conditional(tokens: Sequence[Token], at: int, context: Context) -> Expression | None:
    before, after = tokens[:at], tokens[at + 1 :]
    if not any(t.kind not in ("stop", "and", "or", ",", "(") for t in before):
        comma = next((p for p, t in enumerate(after) if t.kind in (",", ":")), None)
        if comma is None:
            return _divided(after, context.inner)
        condition, then = combine(Reader(after[:comma], context).read(), True), after[comma + 1 :]
        main = _divided(then, context.inner)
        if main is None and any(t.kind != "stop" for t in then):  # what follows for them was not understood, and is not that they are they
            main = Unparsed(context.text[then[0].start : then[-1].end])
        return _when(condition, main, context)
    comma = next((p for p, t in enumerate(after) if t.kind == ","), 0)
    if comma and [t.kind for t in before if t.kind != ","][-1] == "or" and not context.exclusion:  # "≤ 3 x ULN or, in patients with A, ≤ 5 x ULN"
        reader = Reader(before, context)
        pieces = reader.read()
        allowed = combine(Reader(after[comma + 1 :], context.inner, last_heads=reader.last_heads).read(), False)
        return disjoin(combine(pieces, False), conjoin(_divided(after[:comma], context.excluding), allowed))
    tests = {t.value for t in before if t.kind == "test"}
    again = next((p for p, t in enumerate(after) if t.kind in ("and", ",") and any(u.kind == "test" and u.value in tests for u in after[p + 1 : p + 2])), 0)
    if again:  # "platelets ≥ 75 in patients with A and platelets ≥ 50 in patients with B"
        return (disjoin if context.exclusion else conjoin)(_conditional(tokens[: at + 1 + again], at, context), _divided(after[again + 1 :], context.inner))
    pieces = Reader(before, context).read()
    condition = _divided(after, context.excluding)
    if not pieces:
        return condition
    if condition is None:
        reader = Reader(after, context.excluding)
        main = combine(pieces, context.exclusion)
        return within(main, reader.window) if not reader.read() and reader.window and main is not None else main  # "... if within the last 2 weeks"
    last = pieces[-1]
    if last.measured and any(p.measured == last.measured for p in pieces[:-1]):
        base = combine(pieces[:-1], context.exclusion)
        return disjoin(base, conjoin(last.expression, condition))
    return _when(condition, combine(pieces, context.exclusion), context)


def _when(condition: Expression | None, main: Expression | None, context: Context) -> Expression | None:
    if condition is None or main is None:
        return main or condition
    if not context.exclusion:  # "in patients with multiple myeloma": all of them
        parts = condition.parts if isinstance(condition, AllOf) else (condition,)
        further = [p for p in parts if not (isinstance(p, Presence) and p.fact == "disease")]
        if not further:
            return main
        condition = conjoin(*further)
    return conjoin(main, condition) if context.exclusion else disjoin(main, negate(condition))
