"""What stands in brackets: an abbreviation or synonym, examples, an exception, a limit, or more of the sentence."""

from __future__ import annotations

from dataclasses import dataclass, replace

from matcher.domain import AllOf, AnyOf, AtScreening, Comparison, Expression, Not, Presence, Unparsed, Window
from matcher.expressions import atoms
from matcher.trials.comparisons import Comparisons
from matcher.trials.concepts import Concepts
from matcher.trials.exceptions import excuse, permit
from matcher.trials.lexer import CONCEPTS, Token
from matcher.trials.logic import Piece, combine, conjoin, disjoin
from matcher.trials.measures import bounds_at
from matcher.trials.periods import closing, period_at
from matcher.trials.severity import Severity
from matcher.trials.timing import given, since, within
from models import load_vocabulary
from models.limits import load_limits


@dataclass
class Brackets(Concepts, Severity, Comparisons):
    """What stands in brackets: an abbreviation or synonym, examples, an exception, a limit, or more of the sentence."""

    def _bracket(self, at: int) -> int:
        """What stands in brackets: an abbreviation or synonym, an example, an exception, a limit, or more of the sentence."""
        closed = closing(self.tokens, at)
        end = closed or len(self.tokens)
        inner = list(self.tokens[at + 1 : end - 1 if closed else end])
        last = self.pieces[-1] if self.pieces else None
        kinds = {t.kind for t in inner}
        if inner and (inner[0].kind == "reason" or [t.value for t in inner[:1]] + [t.kind for t in inner[1:2]] == ["n", "op"]):
            return end  # "(n=20)", "(because of ...)"
        if last and not isinstance(last.expression, AtScreening) and (permitted := type(self)(inner, self.context.inner).permission(last.expression)) is not None:
            self.pieces[-1] = replace(last, expression=permitted)
            return end
        if last and "allowed" in kinds and self.context.exclusion:
            allowed = combine(self._nested([t for t in inner if t.kind != "allowed"]), True)
            if allowed is not None and not isinstance(allowed, Unparsed | AtScreening):
                self.pieces[-1] = replace(last, expression=excuse(last.expression, allowed, self.context, "except"))
            return end
        if last and last.measured and kinds == {"subgroup"}:
            return self._on_subgroup(at + 1) + 1
        if not inner or kinds & {"negated_support", "allowed"} or ("label" in kinds and not kinds & {"op", "test"}) or _spells(self.tokens[at - 1] if at else None, inner, self.context.text):
            return end
        first = next((t for t in inner if t.kind not in ("stop", "qual")), inner[0])
        if first.kind in ("except", "unless"):
            exception = combine(self._nested(inner[inner.index(first) + 1 :], self.context.excluding, last_heads=self.last_heads), True)
            if last and exception is not None:
                toxic = next((p for p in range(self.chunk, len(self.pieces)) if self.pieces[p].text == "treatment_toxicity"), -1)
                excepted = self.pieces[toxic]  # "toxicity of chemotherapy (except alopecia)"
                self.pieces[toxic] = replace(excepted, expression=excuse(excepted.expression, exception, self.context.excluding if excepted.negation else self.context, first.kind))
            return end
        if last and last.measured == "prior_lines" and first.value == "illustration":
            return end  # "(e.g. VAD)" demands none of its drugs
        concepts = [t for t in inner if t.kind in CONCEPTS]
        if last and isinstance(last.expression, Presence) and last.expression.fact == "expression" and (share := bounds_at(inner, 0)):
            wanted = f"{share.sides[0].op}{share.sides[0].value:g}%"
            self.pieces[-1] = replace(last, expression=replace(last.expression, qualifiers=(("share", wanted),)))
            return end
        if last and first.kind != "examples" and (narrower := self._markers(inner, last)) is not None:
            self.pieces[-1] = replace(last, expression=narrower)
            return end
        if self.heads[-1:] == ["ecog"] and first.kind == "test" and first.value in ("kps", "lansky"):
            self.heads[-1] = first.value
        spelled = self.unknown or (last is not None and not last.measured)
        if kinds <= {"test", "and", "or", ",", "/"} and spelled and not self.heads and self._limit_follows(end):
            self.unknown, self.heads = [], list(dict.fromkeys(t.value for t in inner if t.kind == "test"))
            self.named = True  # "liver enzymes (ALT and AST) < 3 x ULN"
            return end
        if last and concepts and (period := bounds_at(inner, 0)) and period.time:  # "4 weeks since chemotherapy (6 weeks for nitrosoureas)"
            days = period.days
            if isinstance(last.expression, Comparison) and last.expression.fact == "days_since":
                apart = self._nested(inner[period.end :], since=Window("before", days))
                self.pieces[-1] = replace(last, expression=conjoin(last.expression, *(p.expression for p in apart if isinstance(p.expression, Comparison))))
                return end
            own = self._nested(inner[period.end :], window=Window("within", days)) if given(last.expression) and period.bare else []
            if own and all(given(p.expression) for p in own):
                self.pieces[-1] = replace(last, expression=disjoin(last.expression, *(p.expression for p in own)))
                while self._next_kind(end, 0) in ("before", "anchor", "stop") or (self._next_kind(end, -1) == "anchor" and self._next_kind(end, 0) == "screening"):
                    end += 1  # what both periods are counted from
                return end
        limits = kinds & {"op", "between", "postop"} or ("number" in kinds and kinds & {"test", "age", "life"})
        if last and not last.group and len(inner) <= 4 and (ago := bounds_at(inner, 0)) and ago.time and ago.end == len(inner) and ago.sides[0].op in ("<", "<="):
            self._place_in_time(Window("within", ago.days), False)
            return end
        if limits and last and last.measured and not self.heads and not (self.joint and self.unknown):
            return self._second_limit(inner, last, end)
        if first.kind == "op" and "or" in kinds and last and not last.measured and isinstance(last.expression, Presence) and not self.heads:
            amounts = combine(self._nested(self.tokens[at + 1 : end], last_heads=[last.expression.value]), self.context.exclusion)
            if amounts is not None and all(isinstance(e, Comparison) for e in atoms(amounts)):
                self.pieces[-1] = replace(last, expression=conjoin(last.expression, amounts))  # "TBI (> 5 Gy single or > 8 Gy fractionated)"
                return end
        if last and isinstance(last.expression, Presence) and last.expression.fact == "refractory_to" and any(t.kind == "state" for t in inner):
            return end  # "refractory to X (progressed while receiving X or within 60 days)" says what the word means
        if limits and ";" in kinds and last and last.text in load_vocabulary().conditions:  # a definition: all of it
            self.pieces[-1] = replace(last, expression=conjoin(last.expression, combine(self._nested(inner), False)))
            return end
        if last and not last.group and (when := period_at(inner, 0, self.context.text)) and when.end == len(inner):
            self._place_in_time(when.window, False)  # "(past 5 years)"
            return end
        if limits and last and len(self.pieces) > self.chunk and last.text in load_vocabulary().conditions and self._words(first).startswith("defined"):
            self.pieces[-1] = replace(last, expression=conjoin(last.expression, combine(self._nested(inner), self.context.exclusion)))
            return end
        if self._next_kind(at, -1) == "anchor" and not concepts and not limits:
            return end  # "within 14 days before baseline (day 1 of cycle 1, before dosing)"
        if limits or kinds & {"nyha", "grade", "within", "before", "class"} or (self.heads and (span := bounds_at(inner, 0)) and not span.bare and not span.time):
            return at + 1
        if first.kind == "examples" or (last is not None and (len(concepts) > 1 or (concepts and _narrower(concepts[0], last.expression)))):
            self._members(inner)
            return end
        if not concepts or last is not None or self.heads or self.unknown:
            known = {t.value for t in concepts}
            if self.unknown and [t.kind for t in inner] == ["test"] and not self.heads and len(self.pieces) == self.chunk and any(t.kind == "op" for t in self.tokens[end:]):
                self.unknown, self.heads, self.named = [], [inner[0].value], True  # "aspartate transferase (AST)"
            elif last is None and self.heads and "test" in kinds:
                self.heads += [v for v in known if v not in self.heads and first.kind != "test"]
            return end
        return at + 1

    def permission(self, main: Expression | None) -> Expression | None:
        """The statement before beside this one, "X is allowed if Y"; None where this is none or has no condition."""
        at = next((p for p, t in enumerate(self.tokens) if t.kind == "allowed"), len(self.tokens))
        condition = next((p for p in range(at + 1, len(self.tokens)) if self.tokens[p].kind in ("if", "but")), at + 3)
        if condition > at + 2 or condition + 1 >= len(self.tokens):
            return None
        measured = [e.fact for e in atoms(main) if isinstance(e, Comparison)][-1:] if main is not None else []
        named = combine(self._nested(self.tokens[:at], self.context.excluding, last_heads=measured), True)
        if named is None or isinstance(named, AtScreening):
            return None
        reader = type(self)(self.tokens[condition + 1 :], self.context.excluding)
        asked = combine(reader.read(), True)
        if asked is None and reader.window and reader.window.relation == "before" and given(named):
            asked = since(named, reader.window)  # "... if stopped more than 6 months ago"
        if self.tokens[condition + 1].kind == "not_between" and given(named) and (apart := bounds_at(self.tokens, condition + 2)) and apart.time:
            asked = Not(within(named, Window("within", apart.days)))  # "... but not within 14 days"
        if asked is None:
            asked = Unparsed(self.context.text[reader.tokens[0].start : reader.tokens[-1].end])
        return permit(main, named, asked, self.context)

    def _limit_follows(self, at: int) -> bool:
        while self._next_kind(at, 0) == "(" and self._next_kind(at) == "test":
            at = closing(self.tokens, at) or len(self.tokens)
        return next((t.kind for t in self.tokens[at:] if t.kind not in ("stop", "filler", ":", "lead", "label")), "") in ("op", "number", "between", "not_between")

    def _markers(self, inner: list[Token], last: Piece) -> Expression | None:
        """ "EGFR mutation (exon 19 deletion or L858R)" means these; "HER2 negative (ER positive)" asks both."""
        if not any(t.kind in ("marker", "no_marker") for t in inner):
            return None
        said = combine(self._nested(inner), True)
        asked = list(atoms(said)) if said is not None else []
        if said is None or not all(isinstance(a, Presence) and a.fact == "expression" for a in asked):
            return None
        general = isinstance(last.expression, Presence) and all(isinstance(a, Presence) and self._is_kind(a, last.expression) for a in asked)
        return said if general else conjoin(last.expression, said)

    def _second_limit(self, inner: list[Token], last: Piece, end: int) -> int:
        """After a limit: the same in another unit, or another for a subgroup ("≥ 30 if the marrow is involved")."""
        condition = next((p for p, t in enumerate(inner) if t.kind == "if" or (t.kind == "stop" and t.value in ("in", "for", "with") and any(u.kind in CONCEPTS or u.kind == "subgroup" for u in inner[p:]))), None)
        first = next((p for p, t in enumerate(inner) if t.kind in ("op", "number", "between")), len(inner))
        alone = sum(t.kind in ("op", "between") for t in inner) == 1
        if alone and inner[0].kind in ("condition", "if") and first > (inner[0].kind == "if"):  # "(liver metastases: ≤ 5 x ULN)"
            said, where = inner[first:], inner[inner[0].kind == "if" : first]
        else:
            said, where = inner[:condition], inner[condition + 1 :] if condition is not None else []
        own = {t.value for t in inner if t.kind == "test"}
        if not where and not own - {last.measured} and not any(t.kind == "or" for t in inner[:1]):
            return end
        limits = self._nested(said, last_heads=self.last_heads or [last.measured], compared=self.compared)
        alternative = combine(limits, self.context.exclusion)
        when = combine(self._nested(where), True) if where else None
        if alternative is not None:
            joined = conjoin(alternative, when) if when is not None else alternative
            self.pieces[-1] = replace(last, expression=disjoin(last.expression, joined))
        return end

    def _members(self, inner: list[Token]) -> None:
        """Examples of a class count as members of it; what is not understood among them is only an illustration."""
        examples = self._nested(inner, self.context.excluding, frame=self.frame, window=self.window, since=self.since, qualifiers=self.qualifiers)
        self.qualifiers = {}
        main = self.pieces[-1].expression if self.pieces else None
        illness = main.value if isinstance(main, Presence) and main.fact == "condition" else None
        examples = [p for p in examples if illness is None or not _widens(p.expression, illness)]
        found = [p.expression for p in examples if isinstance(p.expression, Presence | Comparison) or (isinstance(p.expression, AllOf) and given(disjoin(*p.expression.parts)))]
        if not found:
            return
        if self.since and self.pieces:
            self.pieces[-1] = replace(self.pieces[-1], expression=conjoin(self.pieces[-1].expression, *found))
            return
        if self.pieces and isinstance(self.pieces[-1].expression, Presence | AnyOf):
            last = self.pieces[-1]
            if not isinstance(last.expression, Presence) or "dose" not in dict(last.expression.qualifiers):  # of a dose each is a part
                self.pieces[-1] = replace(last, expression=disjoin(last.expression, *found))
        else:
            group = [Unparsed(self.context.text[self.unknown[0].start : self.unknown[-1].end])] if self.unknown and self.context.exclusion else []
            if self.unknown and self.negation and self.unknown[0].start < self.tokens[self.negation - 1].start:
                self.negation = 0  # "where scanning is not feasible (e.g. obesity)": an example of the whole
            self.unknown = []
            self._add(disjoin(*group, *found))  # of an unknown group more is excluded than its examples


def _widens(example: Expression, illness: str) -> bool:
    """A low count is no kind of an illness, nor what an infection is treated with: "autoimmune disease (e.g. thrombocytopenia)"; nor
    is what the illness is a kind of: "breast cancer (confirmed at the cancer center)"."""
    vocabulary = load_vocabulary()
    if not isinstance(example, Presence) or vocabulary.is_a(example.value, illness):
        return False
    return vocabulary.is_a(illness, example.value) or example.value in load_limits().findings or (illness == "active_infection" and vocabulary.is_a(example.value, "anti_infective"))


def _narrower(token: Token, said: Expression) -> bool:
    """Whether the bracket names a kind of what stands before it: "immunodeficiency (HIV)"."""
    return isinstance(said, Presence) and token.value != said.value and load_vocabulary().is_a(token.value, said.value)


def _spells(before: Token | None, inner: list[Token], text: str) -> bool:
    """Whether the bracket spells an abbreviation out: POEMS (polyneuropathy, organomegaly, ...)."""
    if before is None:
        return False
    short = text[before.start : before.end].partition(" ")[0]
    initials = "".join(text[t.start] for t in inner if t.kind not in (",", "and", "stop", "or", "-", "/")).lower()
    return len(short) > 2 and short.isupper() and initials[: len(short) - 1] == short.lower()[:-1]
