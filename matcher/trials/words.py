"""The words of the grammar: separators, negation, time, frames, qualifiers, who is spoken of, what only screening settles."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from matcher.domain import AllOf, AnyOf, AtScreening, Comparison, Not, Presence, Unparsed, Window
from matcher.trials.lexer import CONCEPTS
from matcher.trials.logic import Piece, combine
from matcher.trials.periods import period_at
from matcher.trials.qualifiers import Qualifiers, qualified
from models import load_vocabulary

_IN_A_TIME = re.compile(r"\b(?:in|within|during|over) the (?:\w+ )?\Z", re.IGNORECASE)
SEPARATORS = {",": ",", ";": ";", "and": "and", "or": "or", "/": "or", ":": ":"}


def _alike(before: Piece, piece: Piece) -> bool:
    """Whether two names without a connective are of one treatment: "platinum doublet chemotherapy"."""
    return all(isinstance(p.expression, Presence) and p.expression.fact == "prior_therapy" for p in (before, piece))


def _lasts(treatment: str) -> bool:
    """Whether a treatment counts after it has ended: one against cancer, a procedure, a vaccine."""
    vocabulary = load_vocabulary()
    row = vocabulary.therapies.get(treatment)
    return (row is not None and row.kind == "procedure") or any(vocabulary.is_a(treatment, kind) for kind in ("systemic_anticancer_therapy", "radiotherapy", "cellular_therapy", "vaccine"))


def controllable(concept: str) -> bool:
    """Whether a condition can be under control: a disease or finding, no event or state, and no infection that stays."""
    vocabulary = load_vocabulary()
    course = vocabulary.conditions[concept].course
    return course in ("acute", "finding", "group") or vocabulary.is_a(concept, "cns_involvement") or (course == "chronic" and not vocabulary.is_a(concept, "infectious_disease"))


@dataclass
class Words(Qualifiers):
    """The words of the grammar: separators, negation, time, frames, qualifiers, who is spoken of, what only screening settles."""

    def _on_separator(self, at: int) -> int:
        mark = SEPARATORS[self.tokens[at].kind]
        if mark == ":":
            if not self.heads and at + 1 < len(self.tokens):  # a label: "Hematologic:", "Radiotherapy:"
                self.unknown = []
                if at <= 3 and not any(t.kind in ("any_of", "or") for t in self.tokens[:at]) and all(isinstance(p.expression, Presence) and p.expression.fact in ("prior_therapy", "condition") and not p.expression.window for p in self.pieces):
                    self.pieces, self.chunk = [], 0
            if self.pieces and not self.joint:
                self.joint = ","
            return at + 1
        if mark == "," and self._next_kind(at) in ("and", "or"):
            return at + 1
        alike = self.current and ((self.frame != "" and len(self.pieces) == self.chunk and self._next_kind(at) == "filler") or (mark == "or" and self._next_kind(at) == "condition" and not any(p.joint == "," for p in self.pieces[self.chunk :])) or self._governed(at + 1))
        self._close_chunk()
        self.current = alike  # "active A or B", "concurrent A, B and C": all of them
        if mark == ";":
            self._leftover()
            self._reset()
        elif self._clause_follows(at + 1):
            self.negation, self.opens = 0, True
        elif self.negation and self._words(self.tokens[self.negation - 1]) == "non-" and self._next_kind(at) != "condition":
            self.negation = 0  # "non-pregnant, and either sterile or ..."
        if self.after and mark == ",":
            mark, self.after = "and", False  # "After transplantation, ..."
        if self.joint == ";" and mark in ("and", "or"):
            mark = f";{mark}"
        if self.member and mark == "and" and (self.context.exclusion or (self.illustrated and self._next_kind(at) == self._next_kind(at, -1))):
            mark = "or"  # an example is one of them
        one_limit = self.heads and mark == "or" and self._next_kind(at) == "test"  # "bilirubin ≤ 2, AST or ALT ≤ 3": these have one limit
        if not (self.joint and (mark == "," or one_limit)):
            self.joint = mark
        return at + 1

    def _governed(self, at: int) -> bool:
        """Whether the next of a list goes on with the word that began it."""
        token = self.tokens[at] if at < len(self.tokens) else None
        return token is not None and self.leads and (token.kind in ("therapy", "drug") or (token.kind == "condition" and controllable(token.value)))

    def _on_neg(self, at: int) -> int:
        if self.pieces and self._next_kind(at) in ("within", "op", "number") and (period := period_at(self.tokens, at + 1, self.context.text)) and period.window.relation == "within":
            return self._on_negpost(at)  # "last treatment not within 21 days"
        if len(self.pieces) > self.chunk and self._next_kind(at) == "frame" and self._next_concept(at + 2) is None and getattr(self.pieces[-1].expression, "fact", "") == "prior_therapy":
            return self._on_negpost(at)  # "lenalidomide was not given"
        self._add_staged()
        self.negation = at + 1
        self.during = "concurrent" in self._words(self.tokens[at])
        return at + 1

    def _on_within(self, at: int) -> int:
        """A time that is not told in numbers: "within the drug-specific window"."""
        if self._words(self.tokens[at]) == "within" and self._next_kind(at) not in ("uln", "lln", "label"):
            self.unknown.append(self.tokens[at])
        return at + 1

    def _on_time(self, at: int) -> int:
        """ "In the month preceding the trial": a period that no rule reads limits what it stands beside."""
        if _IN_A_TIME.search(self.context.text, max(0, self.tokens[at].start - 40), self.tokens[at].start):
            self.unknown.append(self.tokens[at])
        return at + 1

    def _on_before(self, at: int) -> int:
        """ "Before day 100 after transplantation": when in the course of a treatment; kept as words."""
        if [self._words(t) for t in self.tokens[at + 1 : at + 2]] == ["day"] and self._next_kind(at, 2) == "number":
            self.unknown += self.tokens[at : at + 3]
            return at + 3
        return at + 1

    def _on_risk(self, at: int) -> int:
        """Who may get a condition does not have it; how great the risk is, the investigator judges."""
        end = self._until(at, ",", ";", "or", "and", "/", "(")
        self._add(AtScreening(self.context.text[self.tokens[at].start : self.tokens[end - 1].end]))
        return end

    def _on_negpost(self, at: int) -> int:
        if self.negation and all(t.kind in ("stop", "filler") for t in self.tokens[self.negation : at]):
            self.negation = 0  # "without a negative pregnancy test"
            return at + 1
        named = next((t for t in self.tokens[at + 1 : at + 6] if t.kind not in ("filler", "stop", "or", "and", "/")), None)
        if all(p.group for p in self.pieces) and named is not None and named.kind in CONCEPTS:
            self.negation = at + 1  # "results are negative in the pregnancy test"
            return at + 1
        scope = len(self.pieces) - 1
        while scope > 0 and (self.pieces[scope].joint in ("or", ",") or (self.pieces[scope].joint == "" and _alike(self.pieces[scope - 1], self.pieces[scope])) or (self.pieces[scope].joint == "and" and len(self.pieces) == self.chunk + 1)) and isinstance(self.pieces[scope - 1].expression, Presence):
            scope -= 1
        for place in range(max(scope, 0), len(self.pieces)):
            if isinstance(self.pieces[place].expression, Presence | AnyOf):
                self.pieces[place] = replace(self.pieces[place], negation=-at - 1)
        return at + 1

    def _on_label(self, at: int) -> int:
        """ "Groups 1 and 5:", "cycle 2": the number is a name."""
        at += 1
        while self._next_kind(at, 0) in ("number", "and", "-", ",", "or") and (self._next_kind(at, 0) == "number" or self._next_kind(at) == "number"):
            at += 1
        return at

    def _on_prohibited(self, at: int) -> int:
        """ "X is not allowed": an exclusion that lists it excludes X; an inclusion that says so demands its absence."""
        if self.tokens[at + 1 : at + 2] and self.tokens[at + 1].value == "for":
            self.frame = "not_now"
            return at + 1
        if not self.context.exclusion:
            for place in range(self.chunk if len(self.pieces) > self.chunk else 0, len(self.pieces)):
                if isinstance(self.pieces[place].expression, Presence | AllOf):
                    self.pieces[place] = replace(self.pieces[place], negation=-at - 1)
        for place, piece in enumerate(self.pieces):
            if isinstance(piece.expression, Presence) and piece.expression.fact == "prior_therapy" and piece.expression.window == Window("current"):
                self.pieces[place] = replace(piece, expression=AtScreening(f"concurrent {piece.expression.value.replace('_', ' ')}"), negation=0)
        return at + 1

    def _on_but(self, at: int) -> int:
        self._close_chunk()
        self.negation, self.joint = 0, "and"
        return at + 1

    def _on_recent(self, at: int) -> int:
        """ "Current or recent", without a number."""
        self.window = Window("within", None, "recent")
        return at + 1

    def _on_ever(self, at: int) -> int:
        self.opens = self.opens or len(self.pieces) > 0
        self.current = False
        return at + 1

    def _on_current(self, at: int) -> int:
        if self._next_kind(at, -1) in ("or", "and", "/") and self._next_kind(at, -2) == "ever":
            return at + 1  # "prior or current": at any time
        repeated = [p.text for p in self.pieces] == [named.value if (named := self._next_concept(at + 1)) else ""]  # "untreated or active brain metastases"
        self.current, self.leads = True, repeated or not self.pieces or self.member or self.joint not in ("and", "or", ",")
        return at + 1

    def _on_frame(self, at: int) -> int:
        return self._on_frame_of(self.tokens[at].value, at)

    def _on_frame_of(self, frame: str, at: int) -> int:
        before = self.tokens[at - 1] if at else None
        if frame == "use":  # of a drug against cancer at any time, of any other now
            named = self._next_concept(at + 1)
            ever = (before is not None and before.kind in ("ever", "neg", "qual")) or named is None or named.kind not in ("drug", "therapy") or _lasts(named.value)
            frame = "prior_therapy" if ever else "current_therapy"
        if frame in ("prior_therapy", "current_therapy") and self.frame in ("allergy", "intolerant_to") and len(self.pieces) == self.chunk:
            return at + 1  # "contraindication to the use of", "allergic reaction while taking"
        led = next((t.kind for t in reversed(self.tokens[:at]) if t.kind in ("frame", "or", "and", "/")), "")
        if frame == "prior_therapy" and self.frame == "current_therapy" and led == "frame" and len(self.pieces) == self.chunk:
            return at + 1  # "receiving treatment with", but "receiving or has received"
        if frame == "current_therapy" and before and (before.kind in ("ever", "ago") or self._words(before) == "while" or (self.frame == "prior_therapy" and not self.pieces)):
            frame = "prior_therapy"  # "history of receiving", "rash while taking", "has received or is receiving"
        if not (self.frame == "not_now" and frame in ("prior_therapy", "current_therapy") and len(self.pieces) == self.chunk):
            self.frame = frame
        self.framed = self.tokens[at] if frame in ("allergy", "intolerant_to", "refractory_to") else self.framed
        self.opens = self.opens or len(self.pieces) > 0
        return at + 1

    def _on_subgroup(self, at: int) -> int:
        value = self.tokens[at].value
        last = self.pieces[-1] if len(self.pieces) > self.chunk else None
        if last and last.measured and at and self._words(self.tokens[at - 1]) in ("in", "for", "(") and value != "childbearing_potential":
            self._limit_to(Presence("sex", value))  # "QTc > 450 ms in males"
            return at + 1
        if value in ("male", "female") and (self.heads or self.last_heads) and self._next_kind(at + (self._next_kind(at) == ":")) in ("op", "between"):
            self.whose = Presence("sex", value)
            return at + 1
        demanded = self._next_kind(at) == ":" or any(self._words(t) == "must" for t in self.tokens[at + 1 : at + 5])
        self._add(Presence("condition" if value == "childbearing_potential" else "sex", value), group=True, demanded=demanded)
        return at + 1

    def _on_life_stage(self, at: int) -> int:
        """ "Children with asthma" are who is spoken of; the "adult literacy test" is not about adults."""
        if self.unknown or self._next_kind(at) == "word":
            self.unknown.append(self.tokens[at])
        elif not any(p.text == self.tokens[at].value for p in self.pieces):
            self._add(Presence("condition", self.tokens[at].value), group=True)
        return at + 1

    def _on_healthy(self, at: int) -> int:
        people = self._words(self.tokens[at]) != "healthy" or self._next_kind(at) in ("subject", "subgroup", "both_sexes", "life_stage", "age")
        if people and not any(p.text == "good_health" for p in self.pieces):
            self._add(Presence("condition", "good_health"))
        return at + 1

    def _on_state(self, at: int) -> int:
        value = self.tokens[at].value
        if value == "remission" and self._next_kind(at) == "time":
            return at + 1
        if value == "previously_treated" and at + 1 < len(self.tokens) and self.tokens[at + 1].value == "with":
            return self._on_frame_of("prior_therapy", at)
        if self._of_another_condition(at):
            return at + 1
        if self.about is not None:
            self._add(qualified(self.about, "course", value))
            return at + 1
        if value == "previously_treated":
            self._add(Comparison("prior_lines", ">=", 1, "1"))
        else:
            self._add(Presence("disease_state", value))
        return at + 1

    def _of_another_condition(self, at: int) -> bool:
        """ "Refractory shock", "untreated or symptomatic brain metastases": limits that condition, and is no state of the malignancy."""
        limits = {"relapsed": ("course", "recurrent"), "refractory": ("course", "refractory")}
        limit = ("treatment", "none") if self._words(self.tokens[at]) == "untreated" else limits.get(self.tokens[at].value)
        shared = self._next_kind(at) in ("or", "/") and self._next_kind(at, 2) in ("qual", "current")
        named = self._next_concept(at + 2 if shared else at + 1)
        if limit is None or named is None or named.kind != "condition":
            return False
        vocabulary = load_vocabulary()
        own = self._own(named.value) or (not (self.context.exclusion and self.context.conditions) and vocabulary.conditions[named.value].course == "malignancy")
        if own and not (shared and self.context.exclusion) and not vocabulary.is_a(named.value, "metastatic_disease"):
            return False
        if shared:
            self._add(Presence("condition", named.value, qualifiers=(limit,)))
        else:
            self.qualifiers[limit[0]] = limit[1]
        return True

    def _on_lines(self, at: int) -> int:
        if self.frame == "refractory_to":  # "refractory to the last line"
            self._add(Presence("disease_state", "refractory"))
            self.frame = ""
        return at + 1

    def _on_response(self, at: int) -> int:
        response = Presence("response", self.tokens[at].value)
        negation, self.negation = self.negation, 0
        # who has not responded has been treated
        self._add(AllOf((Presence("disease_state", "previously_treated"), Not(response))) if negation else response)
        self.negation = negation
        return at + 1

    def _on_measurable(self, at: int) -> int:
        present = Presence("measurable_disease", "true")
        if any(isinstance(p.expression, Presence) and p.expression.fact == "measurable_disease" for p in self.pieces):
            return at + 1
        self._add(present if self.tokens[at].value == "present" else Not(present))
        return at + 1

    def _on_either(self, at: int) -> int:
        self.either = True
        return at + 1

    def _on_examples(self, at: int) -> int:
        if self.pieces and self.pieces[-1].measured == "prior_lines" and self.tokens[at].value == "illustration":
            return self._until(at, ";")  # lines "such as VAD" demand none of its drugs
        if self.pieces and self.pieces[-1].measured == "prior_lines" and not self.context.exclusion:
            demanded = combine(self._nested(self.tokens[at + 1 :], frame="prior_therapy"), exclusion=False)
            self.joint = "and"
            if demanded is not None:
                self._add(demanded)
            return len(self.tokens)
        self._close_chunk()
        self.illustrated = self.tokens[at].value == "illustration"
        self.joint = "or" if self.illustrated else self.joint or "or"
        self.member = True
        return at + 1

    def _on_screening(self, at: int) -> int:
        when = self.tokens[at].value == "consent" and self._next_kind(at, -1) in ("current", "before", "since")  # "at the time of informed consent"
        if when or self._measured_later(at):
            return at + 1  # a word of procedure beside a limit that a note can settle
        end = self._until(at, ";")
        if self.tokens[at].value in ("discretion", "procedure"):
            while self.pieces and isinstance(self.pieces[-1].expression, Unparsed):
                self.joint = self.pieces.pop().joint
            start = self.unknown[0].start if self.unknown else self.tokens[at].start
            self.unknown, self.chunk = [], len(self.pieces)
            self._add(AtScreening(self.context.text[start : self.tokens[end - 1].end]), judged=True)
        else:
            start = self.unknown[0].start if self.unknown else self.tokens[at].start
            self.unknown = []
            self._add(AtScreening(self.context.text[start : self.tokens[end - 1].end]))
        self.heads = []
        return end

    def _measured_later(self, at: int) -> bool:
        for place in range(at, len(self.tokens) - 1):
            if self.tokens[place].kind == ";":
                return False
            if self.tokens[place].kind in ("test", "age", "life", "chains") and any(t.kind in ("op", "between") for t in self.tokens[place + 1 : place + 5]):
                return True
            if [t.kind for t in self.tokens[place : place + 3]] in (["op", "number", "unit"], ["op", "age", "number"], ["test", "number", ")"]):
                return True
        return False

    def _on_adjective(self, at: int) -> int:
        self.unknown.append(self.tokens[at])
        return at + 1

    def _on_organ_name(self, at: int) -> int:
        """An organ before its function: "renal function is adequate", "hepatic: ..." is a label."""
        self.unknown.append(self.tokens[at])
        return at + 1

    def _on_vague(self, at: int) -> int:
        """An unnamed illness: only the investigator knows which is meant."""
        if self._words(self.tokens[at]) == "medical" and self._next_kind(at) not in ("or", "and", "/", ","):
            return at + 1
        adjectives = self.unknown and all(t.kind in ("adjective", "organ_name") for t in self.unknown)
        if len(self.pieces) == self.chunk and not adjectives and not self.heads:
            start = self.unknown[0].start if self.unknown else self.tokens[at].start
            end = self._until(at, ";", ",") if [self._words(t) for t in self.tokens[at + 1 : at + 3]] == ["in", "which"] else at + 1
            self.unknown = []
            self._add(AtScreening(self.context.text[start : self.tokens[end - 1].end]))
            return end
        return at + 1

    def _on_transaminases(self, at: int) -> int:
        self.heads += [test for test in ("alt", "ast") if test not in self.heads]
        self.unknown, self.named = [], True
        return at + 1

    def _on_ineffective(self, at: int) -> int:
        for place, piece in enumerate(self.pieces):
            if isinstance(piece.expression, Presence) and piece.expression.fact == "prior_therapy":
                self.pieces[place] = replace(piece, expression=Presence("refractory_to", piece.expression.value))
        return at + 1
