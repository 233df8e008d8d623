"""How many lines of therapy, and of which kind: "no more than 2 prior chemotherapy regimens for metastatic disease"."""

from __future__ import annotations

from dataclasses import dataclass, replace

from matcher.domain import AllOf, Unparsed
from matcher.trials.logic import conjoin, disjoin
from matcher.trials.measures import Bounds
from matcher.trials.timing import Timing


@dataclass
class LineLimits(Timing):
    """How many lines of therapy, and of which kind."""

    def _lines_follow(self, at: int) -> bool:
        for token in self.tokens[at : at + 7]:
            if token.kind == "lines":
                return True
            if token.kind not in ("stop", "filler", "ever", "current", "word", "frame", "therapy", "condition", "anchor"):
                return False
        return False

    def _lines_of_a_kind(self, end: int, limit: Bounds) -> int:
        """The place after "chemotherapy regimens for metastatic disease", where the most that is allowed is told; 0 where lines of any kind are."""
        if self.context.exclusion == (limit.sides[-1].op[0] == "<"):
            return 0
        kinds, place = [], end
        while self._goes_on(place):
            kinds.append("" if self._own(str(self.tokens[place].value)) else self._next_kind(place, 0))
            place += 1
        return place if {"therapy", "drug"} & set(kinds[: kinds.index("lines")] if "lines" in kinds else kinds) or "condition" in kinds else 0

    def _goes_on(self, at: int) -> bool:
        """Whether the token belongs to the name of a kind of lines and what they were for."""
        kind = self._next_kind(at, 0)
        if kind in ("or", "and", "/"):
            return self._next_kind(at) == "condition"
        return kind in ("lines", "ever", "filler", "current", "word", "therapy", "drug", "condition", "adjective", "qual") or (kind == "stop" and self._words(self.tokens[at]) not in ("with", "which", "that"))

    def _limit_lines(self, at: int, end: int) -> None:
        """Lines of one kind are some of all lines: with as few of all as are allowed there are no more of the kind, with more there may be."""
        last, said = self.pieces[-1], Unparsed(self.context.text[self.tokens[at].start : self.tokens[end - 1].end])
        *fewest, most = last.expression.parts if isinstance(last.expression, AllOf) else (last.expression,)
        self.pieces[-1] = replace(last, expression=conjoin(last.expression, said) if self.context.exclusion else conjoin(*fewest, disjoin(most, said)))
