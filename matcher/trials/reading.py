"""The state of reading one sentence, and how what is understood becomes pieces: chunks, joints, what nothing took."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from matcher.domain import AllOf, AnyOf, AtScreening, Comparison, Expression, Not, Presence, Unparsed, Window
from matcher.expressions import atoms
from matcher.trials.lexer import CONCEPTS, Token
from matcher.trials.logic import EXTENT, MONOCLONAL, Context, Piece, conjoin, disjoin, negate
from models import load_vocabulary
from models.limits import load_limits

_DISEASE_OF = {"renal_impairment": "kidney_disease", "hepatic_impairment": "liver_disease", "cardiac_impairment": "heart_disease", "pulmonary_impairment": "lung_disease",
               "hemostasis_impairment": "bleeding_disorder", "bone_marrow_impairment": "hematologic_disease"}
_VERB = re.compile(r"(?:the\s+|their\s+)?(?:\w+\s+){0,3}(?:has|have|had|is|are|was|were)\b", re.IGNORECASE)
_BELOW = re.compile(r"\b(?:decreased?|low|reduced|reduction)\b", re.IGNORECASE)
_ABOVE = re.compile(r"\b(?:elevated|increased?|high|raised)\b", re.IGNORECASE)
_ABNORMAL = re.compile(r"\b(?:outside|abnormal\w*|out of|beyond|exceed\w*)\b", re.IGNORECASE)
_STAGING = (("durie_salmon", "durie"), ("r_iss", "revised"), ("r_iss", "r-iss"), ("iss", "international staging"), ("iss", "iss "))  # of myeloma
_TREATMENT = re.compile(r"\b(?:therap(?:y|ies)|treatments?|regimens?)\b", re.IGNORECASE)
_STUDIED = re.compile(r"\b(?:study|trial|protocol|investigational|components?|excipients?|constituents?|ingredients?|formulations?|agents?|compounds?)\b", re.IGNORECASE)
NORMAL_RATIO = (("<", 0.26), (">", 1.65))  # beyond it the ratio is abnormal (Dispenzieri, Leukemia 2009;23:215)


@cache
def worse_side(test: str) -> str | None:
    """The side on which a value is of an impaired organ, "above" or "below"; None for a test that is of no organ."""
    return next((limit.side for organ in load_limits().organs.values() for limit in organ.limits if limit.test == test), None)


@dataclass
class Reading:
    """Reads the tokens of one sentence from left to right. `pieces` is what was understood, in order."""
    tokens: Sequence[Token]
    context: Context
    pieces: list[Piece] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)  # tests named and not yet compared
    last_heads: list[str] = field(default_factory=list)
    joint: str = ""  # how the next piece joins the one before it
    unknown: list[Token] = field(default_factory=list)  # words of this chunk that nothing took
    chunk: int = 0  # first piece of this chunk
    negation: int = 0
    frame: str = ""
    since: Window | None = None
    window: Window | None = None  # one that was written before what it limits
    current: bool = False
    qualifiers: dict[str, str] = field(default_factory=dict)
    opens: bool = False
    member: bool = False  # what comes is an example of what stands before
    illustrated: bool = False  # "such as": an example that demands nothing of its own
    during: bool = False  # "no concurrent ...": during the trial
    after: bool = False  # the sentence begins "After X, ..."
    either: bool = False
    named: bool = False  # a test was named since the last separator
    leads: bool = False  # `current` was said at the head of a list
    governs: str = ""  # "uncontrolled A, B or C": how the conditions of the list are to be controlled
    whose: Presence | None = None  # "men ≥ 13 g/dL": for whom the limit is that follows
    about: Presence | None = None  # the condition that a relative clause limits
    framed: Token | None = None  # "allergic to", of which nothing was named yet

    def _nested(self, tokens: Sequence[Token], context: Context | None = None, **state: Any) -> list[Piece]:
        """The pieces of a clause within the clause."""
        return type(self)(tokens, context or self.context.inner, **state).read()

    def read(self) -> list[Piece]:
        """The pieces of the sentence, in order."""
        raise NotImplementedError

    def _next_kind(self, at: int, step: int = 1) -> str:
        return self.tokens[at + step].kind if 0 <= at + step < len(self.tokens) else ""

    def _next_concept(self, at: int) -> Token | None:
        for token in self.tokens[at:]:
            if token.kind in CONCEPTS:
                return token
            if token.kind not in ("stop", "ever", "current", "qual", "filler", "frame", "subject", "any_of", "state", "word"):
                return None
        return None

    def _until(self, at: int, *kinds: str) -> int:
        """The place of the next token of these kinds that no bracket encloses, or the end."""
        depth = 0
        for place in range(at, len(self.tokens)):
            kind = self.tokens[place].kind
            depth += (kind in ("(", "[")) - (kind in (")", "]"))
            if kind in kinds and depth <= 0:
                return place
        return len(self.tokens)

    def _words(self, token: Token) -> str:
        return self.context.text[token.start : token.end].lower()

    def _clause_follows(self, at: int) -> bool:
        """A new clause with its own verb ends a negation: "not achieved a response, or the disease has progressed"."""
        if at >= len(self.tokens) or self.tokens[at].kind == "neg":
            return False
        return bool(_VERB.match(self.context.text, self.tokens[at].start))

    def _reset(self) -> None:
        self.negation, self.frame, self.window, self.since, self.qualifiers, self.member = 0, "", None, None, {}, False
        self.last_heads, self.governs = [], ""

    def _close_chunk(self) -> None:
        """Words that nothing took limit the piece of their chunk; alone they are a part that was not understood."""
        if self.unknown and len(self.pieces) == self.chunk and all(t.kind in ("adjective", "organ_name") for t in self.unknown):
            for token in self.unknown:  # "cardiac, pulmonary or hepatic disease"; "... and hepatic function" is demanded to be adequate
                if "function" in self._words(token) and not self.context.exclusion:
                    self._add(Not(Presence("condition", token.value)))
                    continue
                self._add(Presence("condition", _DISEASE_OF.get(token.value, token.value), qualifiers=tuple(sorted(self.qualifiers.items()))))
            self.unknown = []
        if not self.unknown and (len(self.pieces) == self.chunk or self.pieces[-1].text in EXTENT):
            self._add_staged()
        if self.about is not None and self.qualifiers and not self.unknown and len(self.pieces) == self.chunk:
            self._add(replace(self.about, qualifiers=tuple(sorted({**dict(self.about.qualifiers), **self.qualifiers}.items()))))
            self.qualifiers = {}
        if self.unknown:
            text = self.context.text[self.unknown[0].start : self.unknown[-1].end]
            if self.frame in ("allergy", "intolerant_to") and len(self.pieces) == self.chunk:
                self._add(Presence("allergy" if self.frame == "allergy" else "intolerant_to", text.strip()))
            elif len(self.pieces) > self.chunk:
                self._limit_last(Unparsed(text))
            elif not self.heads:
                self._add(Unparsed(text))
            self.unknown = []
        self.chunk, self.opens, self.current, self.named = len(self.pieces), False, False, False

    def _add_staged(self) -> None:
        """A stage that stands for itself, "stage III", is of the disease under study."""
        if "stage" in self.qualifiers and self.context.conditions:
            system = next((name for name, cue in _STAGING if cue in self.context.text.lower()), "stage")
            self._add(Presence("disease", self.context.conditions[0], qualifiers=((system, self.qualifiers.pop("stage")),)))

    def _leftover(self) -> None:
        """What is left at the end of a statement: limits that found nothing to limit, tests compared with nothing."""
        self._leftover_heads()
        if not (self.qualifiers or self.window or self.negation):
            return
        said = [e for p in self.pieces for e in atoms(p.expression)]
        limits = [limit[1] for limit in sorted(self.qualifiers.items()) if not any(limit in getattr(e, "qualifiers", ()) for e in said)]
        if self.window and self.window.anchor != "recent" and not any(getattr(e, "window", None) == self.window for e in said):
            limits.append(f"{self.window.relation} {self.window.days} days")
        if self.negation and not any(p.negation == self.negation for p in self.pieces) and self.tokens[self.negation :]:
            limits.append(self.context.text[self.tokens[self.negation - 1].start : self.tokens[-1].end])
        if limits and not all(isinstance(e, Unparsed | AtScreening) for p in self.pieces[-1:] for e in atoms(p.expression)):
            self._limit_last(Unparsed(" ".join(limits)))

    def _leftover_heads(self) -> None:
        """Only an abnormal light chain ratio has limits of its own."""
        if "flc_ratio" in self.heads and "abnormal" in self.context.text.lower():
            self._add(disjoin(*(Comparison("flc_ratio", op, value, "1") for op, value in NORMAL_RATIO)))  # type: ignore[arg-type]
        if self.heads and any(t.kind == "uln" for t in self.tokens):  # "bilirubin normal", "ejection fraction within normal limits"
            low = worse_side(self.heads[-1]) == "below"
            tests = [h for h in self.heads if h in load_vocabulary().tests]
            said = self.context.text[self.tokens[0].start : self.tokens[-1].end]
            if _ABNORMAL.search(said) and "within" not in said:
                self._add(disjoin(*(Comparison(h, op, 1.0, "1", x_uln=op == ">", x_lln=op == "<") for h in tests for op in ("<", ">"))))  # type: ignore[arg-type]
            else:
                self._add(conjoin(*(Comparison(h, ">=" if low else "<=", 1.0, "1", x_uln=not low, x_lln=low) for h in tests)))
            self.heads = []
        self._finding()
        compared = set() if not self.heads else {e.fact for p in self.pieces for e in atoms(p.expression) if isinstance(e, Comparison)}
        compared |= MONOCLONAL if "measurable" in self.context.text.lower() else set()  # which of them is, its definition tells
        if untold := [t for t in self.tokens if t.kind == "test" and t.value in self.heads and t.value not in compared]:
            self._add(Unparsed(self.context.text[untold[0].start : untold[-1].end]))
        self.heads = []
        if self.framed is not None:  # "hypersensitivity to any of the study drugs": which these are is known at the site
            end = self._until(self.tokens.index(self.framed), ";")
            said = self.context.text[self.framed.start : self.tokens[end - 1].end]
            self._add(Presence("disease_state", "refractory") if self.framed.value == "refractory_to" and _TREATMENT.search(said) else AtScreening(said) if _STUDIED.search(said) else Unparsed(said))

    def _limit_last(self, limit: Expression) -> None:
        last = self.pieces[-1]
        self.pieces[-1] = replace(last, expression=conjoin(last.expression, limit))

    def _finding(self) -> bool:
        """A test that is said to be low or high is the condition it defines: "neutrophils have decreased"."""
        for finding in () if not self.heads else (f for findings in load_limits().findings.values() for f in findings):
            side = _BELOW if finding.side == "below" else _ABOVE
            if finding.test in self.heads and side.search(self.context.text):
                self.unknown = [t for t in self.unknown if not side.search(self._words(t))]
                self.heads = []
                self._add(Presence("condition", finding.condition))
                return True
        return False

    def _add(self, expression: Expression, **more: object) -> None:
        self.pieces.append(Piece(expression, self.joint, negation=self.negation, opens=self.opens, either=self.either, member=self.member, **more))  # type: ignore[arg-type]
        self.joint, self.opens, self.either, self.framed = "", False, False, None

    def _limit_to(self, who: Expression) -> None:
        """The last limit is for some patients alone: "QTc ≤ 450 ms in men or ≤ 470 ms in women" demands each of its own."""
        last, before = self.pieces[-1], self.pieces[-2].expression if len(self.pieces) > 1 else None
        each = isinstance(before, AnyOf) and isinstance(before.parts[0], Not)
        if self.context.exclusion and isinstance(before, AllOf) and type(before.parts[0]) is type(who):
            self.pieces[-1] = replace(last, expression=conjoin(who, last.expression), joint="or")  # "> 440 ms (men) and > 450 ms (women)"
        elif self.context.exclusion or (last.joint == "or" and not each):
            self.pieces[-1] = replace(last, expression=conjoin(who, last.expression))
        else:
            self.pieces[-1] = replace(last, expression=disjoin(negate(who), last.expression), joint="and" if each else last.joint)

    def _own(self, concept: str) -> bool:
        vocabulary = load_vocabulary()
        return any(vocabulary.is_a(c, concept) or vocabulary.is_a(concept, c) for c in self.context.conditions if concept not in ("malignancy", "neoplasm", "solid_tumor"))

    def _method(self, token: Token) -> bool:
        """ "> 30 % by bone marrow aspirate or biopsy", "plasma cells in a biopsy of > 5 %"."""
        measured = bool(self.pieces and self.pieces[-1].measured)
        return (token.value == "biopsy" and (measured or bool(self.heads))) or (measured and re.search(r"\bby\b[^,;]*$", self.context.text[: token.start][-30:]) is not None)

    def _allergen_follows(self, token: Token) -> bool:
        """ "Allergies, hypersensitivity or intolerance to X", "allergic reaction while taking X": the first words name no allergen."""
        after = self.tokens[self.tokens.index(token) + 1 :]
        return any(t.kind == "frame" and t.value in ("allergy", "intolerant_to") for t in after[:8]) or any(self._words(t) == "while" for t in after[:8])

    def _names_no_more(self, concept: str) -> bool:
        """What treats an infection that is to need treatment ("requiring antibiotics, antivirals or antifungals"), and the kinds of
        product against a target ("targeting BCMA, including T-cell engagers and CAR-T"), widen nothing."""
        vocabulary = load_vocabulary()
        last = self.pieces[-1].expression if self.pieces else None
        if isinstance(last, Presence) and "treatment" in dict(last.qualifiers) and vocabulary.is_a(concept, "anti_infective"):
            self.chunk, self.joint = len(self.pieces) - 1, ""
            return True
        main = next((p.text for p in reversed(self.pieces) if not p.member), "") if self.member else ""
        kinds = [row.kind if (row := vocabulary.therapies.get(c)) else "" for c in (main, concept)]
        return kinds == ["target", "modality"]
