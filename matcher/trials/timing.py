"""Where in time a statement holds: the period written before or after what it limits."""

from __future__ import annotations

from dataclasses import dataclass, replace

from matcher.domain import AllOf, AnyOf, Comparison, Expression, Not, Presence, Unparsed, Window
from matcher.trials.logic import conjoin
from matcher.trials.periods import period_at
from matcher.trials.words import Words
from models import load_vocabulary


@dataclass
class Timing(Words):
    """Where in time a statement holds: the period written before or after what it limits."""

    def _on_negated_support(self, at: int) -> int:
        """ "Without transfusion or growth factor within 7 days": the days are those of the support, not of the test."""
        place = at + 1
        while self._next_kind(place, 0) in ("or", "and", "/", "therapy", "drug", "stop", "filler") and place < at + 10:
            place += 1
        period = period_at(self.tokens, place, self.context.text) if self._next_kind(place, 0) in ("within", "op", "ever") else None
        return period.end if period else at + 1

    def _measures_time(self, at: int) -> bool:
        return "life_expectancy" in self.heads or ("age" in self.heads and not self.pieces)

    def _place_in_time(self, window: Window, onward: bool) -> None:
        if onward:
            if window.relation == "before":
                self.since = window
            else:
                self.window = window
            return
        if len(self.pieces) == 0 and not (window.relation == "before" and self._finding()):
            self.window = window
            return
        if window.relation == "before" and self.negation and self.pieces[-1].negation == self.negation and _happens(self.pieces[-1].expression):
            window = replace(window, relation="within")  # "no seizure for at least 6 months"
        if window.relation == "before":
            if isinstance(said := self.pieces[-1].expression, Presence) and (said.fact, said.value) == ("disease_state", "remission") and len(self.pieces) > 1:
                self.pieces.pop()  # in remission for 5 years: the disease was 5 years ago
            last = self.pieces[-1].expression
            if isinstance(last, Presence) and last.fact in ("condition", "disease"):
                self.pieces[-1] = replace(self.pieces[-1], expression=within(last, window) if last.fact == "condition" else replace(last, window=window))
                return
            if not self.context.exclusion and not self.negation and all(given(p.expression) for p in self.pieces):
                classes = [p for p in self.pieces if not p.member] or self.pieces
                self.pieces = [replace(p, expression=since(p.expression, window), joint="and" if p.joint else "") for p in classes]
                return
        named = False  # "an effusion requiring drainage within 14 days": the drainage
        for place in range(len(self.pieces) - 1, -1, -1):
            piece = self.pieces[place]
            if named:
                named = False
                continue
            if piece.group:
                break
            if not _timed(piece.expression):
                if isinstance(piece.expression, Unparsed):
                    continue
                if getattr(piece.expression, "fact", "") == "disease" and place == len(self.pieces) - 1:  # "diagnosed within 3 months"
                    self._limit_last(Unparsed(f"{window.relation} {window.days} days"))
                break
            self.pieces[place] = replace(piece, expression=within(piece.expression, window))
            named = piece.joint == "" and place > 0 and given(piece.expression) and self.pieces[place - 1].text in load_vocabulary().conditions
            if named:
                continue
            if piece.opens or (piece.joint in (";", "") and place) or (piece.member and not self.pieces[place - 1].member and isinstance(piece.expression, Presence) and piece.expression.fact == "condition"):
                break


def _happens(expression: Expression) -> bool:
    """Whether it comes and goes: a treatment or an illness, not a state such as the menopause."""
    known = load_vocabulary().conditions.get(getattr(expression, "value", ""))
    return given(expression) or (known is not None and known.course != "state")


def given(expression: Expression) -> bool:
    parts = expression.parts if isinstance(expression, AnyOf) else (expression,)
    return all(isinstance(p, Presence) and p.fact == "prior_therapy" for p in parts)


def since(expression: Expression, window: Window) -> Expression:
    """Completed at least so many days ago: of each therapy, the time since its last dose."""
    parts = expression.parts if isinstance(expression, AnyOf) else (expression,)
    return conjoin(*(Comparison("days_since", ">=", float(window.days or 0), "d", of=p.value) for p in parts if isinstance(p, Presence)))


def _timed(expression: Expression) -> bool:
    match expression:
        case Presence(fact="disease" | "sex" | "measurable_disease" | "allergy" | "response" | "expression"):
            return False
        case Presence() | Comparison(window=None):
            return getattr(expression, "window", None) is None or expression.window.relation == "current"  # type: ignore[union-attr]
        case AllOf(parts) | AnyOf(parts):
            return any(_timed(p) for p in parts)
        case Not(part):
            return _timed(part)
    return False


def within(expression: Expression, window: Window) -> Expression:
    match expression:
        case Presence() | Comparison():
            if isinstance(expression, Comparison) and expression.fact in ("age", "prior_lines", "life_expectancy", "days_since"):
                return expression
            return replace(expression, window=window) if _timed(expression) else expression
        case AllOf(parts):
            return AllOf(tuple(within(p, window) for p in parts))
        case AnyOf(parts):
            return AnyOf(tuple(within(p, window) for p in parts))
        case Not(part):
            return Not(within(part, window))
    return expression
