"""One sentence of a criterion becomes pieces of logic in reading order; `combine` (logic.py) joins them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from matcher.domain import AnyOf, AtScreening, Comparison, Expression, Not, Presence, Unparsed, Window
from matcher.expressions import atoms
from matcher.trials.brackets import Brackets
from matcher.trials.lexer import CONCEPTS, Token
from matcher.trials.logic import Piece, combine, conjoin, disjoin
from matcher.trials.measures import Bounds, bounds_at, scale_value
from matcher.trials.periods import period_at
from matcher.trials.severity import SCALES
from matcher.trials.timing import given
from matcher.trials.words import SEPARATORS
from models import load_vocabulary

DEEPEST = 12  # clauses within clauses; no writer goes so far, and arbitrary text must not exhaust the stack


@dataclass
class Reader(Brackets):
    """One sentence of a criterion becomes pieces of logic in reading order; `combine` (logic.py) joins them."""

    def read(self) -> list[Piece]:
        at, tokens = 0, self.tokens
        if self.context.depth > DEEPEST:
            return [Piece(Unparsed(self.context.text[tokens[0].start : tokens[-1].end]))] if tokens else []
        while at < len(tokens):
            at = self._step(at)
        self._close_chunk()
        self._leftover()
        return [replace(p, expression=Comparison("prior_lines", ">=", 1, "1")) if _any_line(p.expression) else p for p in self.pieces]

    def _step(self, at: int) -> int:
        token = self.tokens[at]
        period = period_at(self.tokens, at, self.context.text) if token.kind in ("within", "op", "number", "between", "ever") else None
        if period and not self._measures_time(at):
            ahead = len(self.pieces) == self.chunk and self._words(self.tokens[min(period.end, len(self.tokens) - 1)]) in ("of", "from") and self._next_concept(period.end) is not None
            self._place_in_time(period.window, period.onward or ahead)
            return period.end
        if token.kind == "not_between" and self.pieces and (apart := bounds_at(self.tokens, at + 1)) and apart.time:
            period = period_at(self.tokens, at + 1, self.context.text)
            self._on_negpost(at)  # "last treatment not within 21 days"
            self._place_in_time(period.window if period else Window("within", apart.days), False)
            return (period or apart).end
        if token.kind == "op" and re.search(r"\bor (?!=|equal|more than or)\w+( than)?$", self._words(token)) and not re.search(r"equal", self._words(token)):
            self._close_chunk()
            self.joint = "or"
        if token.kind == "since" and all(t.kind == "stop" for t in self.tokens[:at]):
            self.after = True
        limit = bounds_at(self.tokens, at) if token.kind in ("op", "number", "between", "not_between", "neg", "uln", "within") or (token.kind == "(" and self._next_kind(at) == "op") else None
        if limit and self._next_kind(limit.end, 0) in ("grade", "stage") and not limit.bare and not self._next_number(limit.end + 1):
            self.qualifiers[self._next_kind(limit.end, 0)] = scale_value(limit)
            return limit.end + 1
        if limit:
            taken = self._measure(at, limit)
            if taken:
                return taken
            if limit.time and limit.sides[0].op in ("<", "<=") and self.context.exclusion and len(self.pieces) > self.chunk and given(self.pieces[-1].expression):
                self._place_in_time(Window("within", limit.days), False)
                return limit.end  # "chemotherapy < 4 weeks"
            if limit.time and not limit.bare:
                if not self._lasting(limit):
                    self.unknown.append(token)  # a duration of something: kept as words
                return limit.end
            if not limit.bare and self._next_kind(limit.end, 0) not in SCALES and self._next_kind(at, -1) not in SCALES:
                return self._amount(at, limit)
        if token.kind in ("(", "["):
            return self._bracket(at)
        if token.kind in (")", "]") and self.negation > max((p for p in range(at) if self.tokens[p].kind in ("(", "[")), default=at):
            self.negation = 0  # what was denied in the bracket ends with it
        handler = getattr(self, f"_on_{token.kind}", None)
        if handler:
            return handler(at)
        if token.kind in CONCEPTS:
            return self._on_concept(at)
        if token.kind in SEPARATORS:
            return self._on_separator(at)
        if token.kind == "stop" and token.value in ("that", "which") and (relative := self._relative(at)):
            return relative
        if token.kind == "reason":  # it asks nothing
            return self._until(at, ",", ";", ")")
        if token.kind == "word":
            self._word(token)
        return at + 1

    def _amount(self, at: int, limit: Bounds) -> int:
        """How much of a drug, how many of a finding: limits what it stands beside; beside nothing, it stays as words."""
        concept = self._next_concept(limit.end)
        if [(b.op, b.value, b.unit) for b in limit.sides] == [(">=", 1, None)] and (concept or self._next_kind(limit.end, 0) in ("measurable", "word")):
            return limit.end  # "at least one proteasome inhibitor", "at least one measurable lesion"
        said = " ".join(f"{b.op}{b.value:g}{' ' + b.unit if b.unit else ''}" for b in limit.sides)
        name = "dose" if limit.sides[-1].unit else "count"
        last = self.pieces[-1].expression if len(self.pieces) > self.chunk else None
        if name == "dose" and isinstance(last, Presence) and last.fact == "prior_therapy":
            for place in range(len(self.pieces) - 1, -1, -1):
                self._qualify(place, name, said)
                before = self.pieces[place - 1].expression if place and self.pieces[place].joint == "or" else None
                if not isinstance(before, Presence) or before.fact != "prior_therapy" or name in dict(before.qualifiers):
                    break  # "anthracycline or anthracenedione > 300 mg/m2": of either
            return self._equivalent(at, limit.end)
        if name == "dose" and isinstance(last, Presence) and (limit.sides[-1].unit or "").startswith("degree"):
            self._qualify_last("grade", scale_value(limit))
            return limit.end
        if concept and concept.kind in ("drug", "therapy") and name == "count" and limit.sides[0].op[0] == "<":
            after = self.tokens.index(concept) + 1  # "no more than one proteasome inhibitor": none is as good
            counted = Unparsed(self.context.text[self.tokens[at].start : concept.end])
            self._add(disjoin(Not(Presence("prior_therapy", concept.value, self.window)), counted))
            return after
        wanted = ("condition",) if name == "count" else ("drug", "therapy", "regimen")
        if concept and concept.kind in wanted:
            self.qualifiers[name] = said
        else:
            self.unknown += self.tokens[at : limit.end]
        return limit.end

    def _equivalent(self, at: int, end: int) -> int:
        """ "> 10 mg prednisone or equivalent", "equivalent to > 10 mg prednisone": the drug is the measure of the dose."""
        named = next((p for p in range(end, min(end + 3, len(self.tokens))) if self.tokens[p].kind == "drug"), None)
        around = [*range(max(0, at - 3), at), *range(end, min(end + 7, len(self.tokens)))]
        if not any("equivalent" in self._words(self.tokens[p]) for p in around if self.tokens[p].kind not in (",", ";", "and")):
            return end
        end = end if named is None else named + 1
        if any(self._words(t) == "equivalent" for t in self.tokens[end : end + 3]):  # "or an equivalent dose of other corticosteroids"
            while self._next_kind(end, 0) in ("or", "filler", "stop", "anchor", "drug", "therapy"):
                end += 1
        return end

    def _lasting(self, limit: Bounds) -> bool:
        """ "Fever of more than 5 days", "platelets low for 2 weeks": how long the condition before it has been there, in days."""
        self._finding()
        last = self.pieces[-1].expression if len(self.pieces) > self.chunk else None
        if not isinstance(last, Presence) or last.fact != "condition" or self.heads or self.unknown:
            return False
        limits = tuple(("duration", f"{b.op}{b.value * (b.days or 1):.4g}") for b in limit.sides)
        self.pieces[-1] = replace(self.pieces[-1], expression=replace(last, qualifiers=tuple(sorted((*last.qualifiers, *limits)))))
        return True

    def _relative(self, at: int) -> int | None:
        """ "Autoimmune disease that has caused organ damage or requires steroids": all of it limits what stands before."""
        if any(t.kind == "resolved" for t in self.tokens[at:]):
            return None
        last = self.pieces[-1] if len(self.pieces) > self.chunk or (self.pieces and self._next_kind(at, -1) == ")") else None
        if last is None and self.pieces and at and re.fullmatch(r"(?:conditions?|disease conditions?|diseases?|disorders?|illness(?:es)?)", self._words(self.tokens[at - 1])):
            self._add(Unparsed(self._words(self.tokens[at - 1])))
            last = self.pieces[-1]
            end = self._until(at, ";", "prohibited", "screening")
            limits = combine(self._nested(self.tokens[at + 1 : end]), exclusion=True)
            self.pieces[-1] = replace(last, expression=conjoin(last.expression, limits))
            return end
        lines = last is not None and last.measured == "prior_lines"  # "no more than 3 prior lines to which they did not respond"
        if last is None or not (lines or (isinstance(last.expression, Presence | AnyOf) and not last.measured)) or self._next_kind(at) not in ("frame", "word", "stop", "qual", "neg", "filler", "state"):
            return None
        end = self._clause_end(at)
        if all(t.kind in ("stop", "filler", ",", ":", "lead") or t.value == "prior_therapy" for t in self.tokens[at + 1 : end]):
            return end  # "that can be measured": what only screening decides follows, or nothing
        named = last.expression.parts[0] if isinstance(last.expression, AnyOf) else last.expression
        about = named if isinstance(named, Presence) and named.fact == "condition" else None
        inner = self._nested(self.tokens[at + 1 : end], about=about)
        if not (isinstance(last.expression, Presence) and last.expression.fact == "disease"):
            inner = [p for p in inner if not (isinstance(p.expression, Presence) and p.expression.fact == "disease")]  # "active against myeloma"
        limits = combine(inner, self.context.exclusion) if inner else None
        if about is last.expression and limits is not None and all(isinstance(e, Presence) and e.value == about.value for e in atoms(limits)):
            self.pieces[-1] = replace(last, expression=limits)  # "a malignancy that is progressing or requires treatment"
            return end
        if limits is None and (words := " ".join(self._words(t) for t in self.tokens[at + 1 : end])):
            limits = Unparsed(words)  # a limit that is not understood must not widen what stands before
        if limits is not None:
            self.pieces[-1] = replace(last, expression=conjoin(last.expression, limits))
        if isinstance(limits, AtScreening) and last.joint == "or" and len(self.pieces) > 1 and isinstance(self.pieces[-2].expression, Presence):
            self.pieces[-2] = replace(self.pieces[-2], expression=conjoin(self.pieces[-2].expression, limits))  # "neurologic or psychiatric disorder that would preclude consent"
        return end

    def _clause_end(self, at: int) -> int:
        """Where a relative clause ends: at a mark, a verdict, or where a comma begins the next item of the list around it."""
        end, depth = self._until(at, ";", "prohibited", "screening"), 0
        for place in range(at, end - 1):
            kind = self.tokens[place].kind
            if kind == "(" and self._next_kind(place) in ("except", "unless"):
                return place
            depth += (kind == "(") - (kind == ")")
            after = place + 1 + (self._next_kind(place) in ("and", "or"))
            if depth:
                continue
            if (kind == "," and self._next_kind(after, 0) in ("condition", "ever", "neg", "test")) or (kind == "or" and self._next_kind(place) in ("ever", "current")):
                return place
        return end

    def _word(self, token: Token) -> None:
        """What nothing names, but for what stands on the words before: hepatitis B or C, M-protein in serum or urine."""
        last = self.pieces[-1].expression if self.pieces else None
        transplant = f"{token.value}_transplant"
        if transplant in load_vocabulary().therapies and self._next_kind(self.tokens.index(token)) in ("or", "and", "/"):
            self._treatment(transplant)  # "allogeneic or autologous transplant"
        elif token.value in ("a", "b", "c") and isinstance(last, Presence) and "hepatitis" in last.value and (kin := f"hepatitis_{token.value}") in load_vocabulary().conditions:
            self._add(replace(last, value=kin))
        elif token.value in ("transplant", "transplants") and any(load_vocabulary().is_a(c, "hematologic_malignancy") for c in self.context.conditions):
            self._treatment("stem_cell_transplant")
        elif token.value in ("urine", "urinary") and any(p.measured == "serum_m_protein" for p in self.pieces):
            self.heads.append("urine_m_protein")
        else:
            self.unknown.append(token)


def _any_line(expression: Expression) -> bool:
    """Any anti-myeloma therapy at any time is a line of it."""
    return isinstance(expression, Presence) and (expression.fact, expression.value, expression.window) == ("prior_therapy", "anti_myeloma_therapy", None)
