"""One sentence of a criterion becomes pieces of logic in reading order; `combine` (logic.py) joins them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from matcher.domain import AllOf, AnyOf, AtScreening, Comparison, Expression, Not, Presence, Unparsed, Window
from matcher.trials.exceptions import GENERAL, excuse
from matcher.trials.lexer import CONCEPTS, Token
from matcher.trials.logic import Context, Piece, combine, conjoin, disjoin, negate
from matcher.trials.measures import Bound, Bounds, bounds_at, canonical, closing, period_at
from models import load_vocabulary
from models.limits import load_limits

SEPARATORS = {",": ",", ";": ";", "and": "and", "or": "or", "/": "or", ":": ":", ".": ";"}
FLC = ("kappa_flc", "lambda_flc")
NORMAL_RATIO = (("<", 0.26), (">", 1.65))  # beyond it the ratio is abnormal (Dispenzieri, Leukemia 2009;23:215)
DEEPEST = 12  # clauses within clauses; no writer goes so far, and arbitrary text must not exhaust the stack
SCALES = {"nyha": "nyha", "grade": "grade", "stage": "stage", "class": "class"}
_DISEASE_OF = {"renal_impairment": "kidney_disease", "hepatic_impairment": "liver_disease", "cardiac_impairment": "heart_disease", "pulmonary_impairment": "lung_disease",
               "hemostasis_impairment": "bleeding_disorder", "bone_marrow_impairment": "hematologic_disease"}
_DOSE = re.compile(r"(?:[munpμkd]|mc)?g(?:ms?|rams?)?(?:\s?/.*)?|mg/.*", re.IGNORECASE)
_VERB = re.compile(r"(?:the\s+|their\s+)?(?:\w+\s+){0,2}(?:has|have|had|is|are|was|were)\b", re.IGNORECASE)
_BELOW = re.compile(r"\b(?:decreased?|low|reduced|reduction)\b", re.IGNORECASE)
_ABOVE = re.compile(r"\b(?:elevated|increased?|high|raised)\b", re.IGNORECASE)
_BY_OXYGEN = re.compile(r"\bonly\b.*\b(?:oxygen inhalation|oxygen therapy|supplement\w+|by oxygen|with oxygen)\b", re.IGNORECASE | re.DOTALL)
_STATED = ((r"relaps.*refract|refract.*relaps|^rr|r/r", "relapsed_refractory"), (r"newly|^nd", "newly_diagnosed"), (r"refractory", "refractory"), (r"relapse", "relapsed"))
_TREATMENT_FRAMES = {"prior_therapy", "refractory_to", "allergy", "intolerant_to"}


@dataclass
class Reader:
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
    during: bool = False  # "no concurrent ...": during the trial
    after: bool = False  # the sentence begins "After X, ..."
    either: bool = False
    named: bool = False  # a test was named since the last separator

    # ------------------------------------------------------------ the loop

    def read(self) -> list[Piece]:
        at, tokens = 0, self.tokens
        if self.context.depth > DEEPEST:
            return [Piece(Unparsed(self.context.text[tokens[0].start : tokens[-1].end]))] if tokens else []
        while at < len(tokens):
            at = self._step(at)
        self._close_chunk()
        self._leftover_heads()
        return [replace(p, expression=Comparison("prior_lines", ">=", 1, "1")) if _any_line(p.expression) else p for p in self.pieces]

    def _step(self, at: int) -> int:
        token = self.tokens[at]
        period = period_at(self.tokens, at, self.context.text) if token.kind in ("within", "op", "number", "between", "ever") else None
        if period and not self._measures_time(at):
            self._place_in_time(period.window, period.onward)
            return period.end
        if token.kind == "op" and re.search(r"\bor (?!=|equal|more than or)\w+( than)?$", self._words(token)) and not re.search(r"equal", self._words(token)):
            self._close_chunk()
            self.joint = "or"
        if token.kind == "since" and not self.pieces:
            self.after = True
        limit = bounds_at(self.tokens, at) if token.kind in ("op", "number", "between", "not_between", "neg", "uln", "within") or (token.kind == "(" and self._next_kind(at) == "op") else None
        if limit and self._next_kind(limit.end, 0) in ("grade", "stage") and not limit.bare and not self._next_number(limit.end + 1):
            self.qualifiers[self._next_kind(limit.end, 0)] = _scale_value(limit)
            return limit.end + 1
        if limit:
            taken = self._measure(at, limit)
            if taken:
                return taken
            if limit.time and not limit.bare:
                self.unknown.append(token)  # a duration of something: kept as words
                return limit.end
        if token.kind in ("(", "["):
            return self._bracket(at)
        handler = getattr(self, f"_on_{token.kind}", None)
        if handler:
            return handler(at)
        if token.kind in CONCEPTS:
            return self._on_concept(at)
        if token.kind in SEPARATORS:
            return self._on_separator(at)
        if token.kind == "stop" and token.value in ("that", "which") and (relative := self._relative(at)):
            return relative
        if token.value == "because":
            return next((p for p in range(at, len(self.tokens)) if self.tokens[p].kind in (",", ";")), len(self.tokens))  # a reason asks nothing
        if token.kind == "word":
            self._word(token)
        return at + 1

    def _relative(self, at: int) -> int | None:
        """ "Autoimmune disease that has caused organ damage or requires steroids": all of it limits what stands before."""
        if any(t.kind == "resolved" for t in self.tokens[at:]):
            return None
        last = self.pieces[-1] if len(self.pieces) > self.chunk or (self.pieces and self._next_kind(at, -1) == ")") else None
        if last is None and self.pieces and at and re.fullmatch(r"(?:conditions?|disease conditions?|diseases?|disorders?|illness(?:es)?)", self._words(self.tokens[at - 1])):
            self._add(Unparsed(self._words(self.tokens[at - 1])))
            last = self.pieces[-1]
            end = next((p for p in range(at, len(self.tokens)) if self.tokens[p].kind in (";", "prohibited", "screening")), len(self.tokens))
            limits = combine(Reader(self.tokens[at + 1 : end], self.context.inner).read(), exclusion=True)
            self.pieces[-1] = replace(last, expression=conjoin(last.expression, limits))
            return end
        if last is None or not isinstance(last.expression, Presence | AnyOf) or last.measured or self._next_kind(at) not in ("frame", "word", "stop", "qual", "neg"):
            return None
        end = next((p for p in range(at, len(self.tokens)) if self.tokens[p].kind in (";", "prohibited", "screening")), len(self.tokens))
        inner = Reader(self.tokens[at + 1 : end], self.context.inner).read()
        if inner and (limits := combine(inner, exclusion=True)) is not None:
            self.pieces[-1] = replace(last, expression=conjoin(last.expression, limits))
        return end

    def _word(self, token: Token) -> None:
        """What nothing names, but for what stands on the words before: hepatitis B or C, M-protein in serum or urine."""
        last = self.pieces[-1].expression if self.pieces else None
        transplant = f"{token.value}_transplant"
        if transplant in load_vocabulary().therapies and self._next_kind(self.tokens.index(token)) in ("or", "and", "/"):
            self._treatment(transplant)  # "allogeneic or autologous transplant"
        elif token.value in ("a", "b", "c") and isinstance(last, Presence) and "hepatitis" in last.value and (kin := f"hepatitis_{token.value}") in load_vocabulary().conditions:
            self._add(replace(last, value=kin))
        elif token.value in ("urine", "urinary") and any(p.measured == "serum_m_protein" for p in self.pieces):
            self.heads.append("urine_m_protein")
        else:
            self.unknown.append(token)

    def _next_kind(self, at: int, step: int = 1) -> str:
        return self.tokens[at + step].kind if 0 <= at + step < len(self.tokens) else ""

    def _next_concept(self, at: int) -> Token | None:
        for token in self.tokens[at:]:
            if token.kind in CONCEPTS:
                return token
            if token.kind not in ("stop", "ever", "current", "qual", "filler", "frame", "subject", "any_of", "state", "word"):
                return None
        return None

    # ------------------------------------------------------------ joining

    def _on_separator(self, at: int) -> int:
        mark = SEPARATORS[self.tokens[at].kind]
        if mark == ":":
            if not self.heads and at + 1 < len(self.tokens):  # a label: "Hematologic:", "Radiotherapy:"
                self.unknown = []
                if at <= 3 and all(isinstance(p.expression, Presence) and p.expression.fact in ("prior_therapy", "condition") and not p.expression.window for p in self.pieces):
                    self.pieces, self.chunk = [], 0
            return at + 1
        if mark == "," and self._next_kind(at) in ("and", "or"):
            return at + 1
        self._close_chunk()
        if mark == ";":
            self._leftover_heads()
            self._reset()
        elif self._clause_follows(at + 1):
            self.negation, self.opens = 0, True
        if self.after and mark == ",":
            mark, self.after = "and", False  # "After transplantation, ..."
        if self.joint == ";" and mark in ("and", "or"):
            mark = f";{mark}"
        if not (self.joint and mark == ","):
            self.joint = mark
        return at + 1

    def _clause_follows(self, at: int) -> bool:
        """A new clause with its own verb ends a negation: "not achieved a response, or the disease has progressed"."""
        if at >= len(self.tokens) or self.tokens[at].kind == "neg":
            return False
        return bool(_VERB.match(self.context.text, self.tokens[at].start))

    def _reset(self) -> None:
        self.negation, self.frame, self.window, self.since, self.qualifiers, self.member = 0, "", None, None, {}, False
        self.last_heads = []

    def _close_chunk(self) -> None:
        """Words that nothing took limit the piece of their chunk; alone they are a part that was not understood."""
        if self.unknown and len(self.pieces) == self.chunk and all(t.kind in ("adjective", "organ_name") for t in self.unknown):
            for token in self.unknown:  # "cardiac, pulmonary or hepatic disease"
                self._add(Presence("condition", _DISEASE_OF.get(token.value, token.value), qualifiers=tuple(sorted(self.qualifiers.items()))))
            self.unknown = []
        if self.unknown:
            text = self.context.text[self.unknown[0].start : self.unknown[-1].end]
            if self.frame == "allergy" and len(self.pieces) == self.chunk:
                self._add(Presence("allergy", text.strip()))
            elif len(self.pieces) > self.chunk:
                last = self.pieces[-1]
                if not isinstance(last.expression, Comparison):
                    self.pieces[-1] = replace(last, expression=conjoin(last.expression, Unparsed(text)))
            elif not self.heads:
                self._add(Unparsed(text))
            self.unknown = []
        self.chunk, self.opens, self.current, self.named = len(self.pieces), False, False, False

    def _leftover_heads(self) -> None:
        """A test that is named and compared with nothing: only an abnormal light chain ratio has limits of its own."""
        if "flc_ratio" in self.heads and "abnormal" in self.context.text.lower():
            self._add(disjoin(*(Comparison("flc_ratio", op, value, "1") for op, value in NORMAL_RATIO)))  # type: ignore[arg-type]
        for finding in () if not self.heads else (f for findings in load_limits().findings.values() for f in findings):
            side = _BELOW if finding.side == "below" else _ABOVE
            if finding.test in self.heads and side.search(self.context.text):
                self._add(Presence("condition", finding.condition))
                break
        self.heads = []

    def _add(self, expression: Expression, **more: object) -> None:
        self.pieces.append(Piece(expression, self.joint, negation=self.negation, opens=self.opens, either=self.either, member=self.member, **more))  # type: ignore[arg-type]
        self.joint, self.opens, self.either = "", False, False

    # ------------------------------------------------------------ words of the grammar

    def _on_neg(self, at: int) -> int:
        if self.pieces and self._next_kind(at) in ("within", "op", "number") and (period := period_at(self.tokens, at + 1, self.context.text)) and period.window.relation == "within":
            return self._on_negpost(at)  # "last treatment not within 21 days"
        self.negation = at + 1
        self.during = "concurrent" in self._words(self.tokens[at])
        return at + 1

    def _on_negpost(self, at: int) -> int:
        if all(p.group for p in self.pieces) and self._next_concept(at + 1):
            self.negation = at + 1  # "results are negative in the pregnancy test"
            return at + 1
        scope = len(self.pieces) - 1
        while scope > 0 and self.pieces[scope].joint in ("or", ",") and isinstance(self.pieces[scope - 1].expression, Presence):
            scope -= 1
        for place in range(max(scope, 0), len(self.pieces)):
            if isinstance(self.pieces[place].expression, Presence):
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
                if isinstance(self.pieces[place].expression, Presence):
                    self.pieces[place] = replace(self.pieces[place], negation=-at - 1)
        for place, piece in enumerate(self.pieces):
            if isinstance(piece.expression, Presence) and piece.expression.fact == "prior_therapy" and piece.expression.window == Window("current"):
                self.pieces[place] = replace(piece, expression=AtScreening(f"concurrent {piece.expression.value.replace('_', ' ')}"), negation=0)
        return at + 1

    def _on_but(self, at: int) -> int:
        self._close_chunk()
        self.negation, self.joint = 0, "and"
        return at + 1

    def _on_ever(self, at: int) -> int:
        self.opens = self.opens or len(self.pieces) > 0
        self.current = False
        return at + 1

    def _on_current(self, at: int) -> int:
        self.current = True
        return at + 1

    def _on_frame(self, at: int) -> int:
        if not (self.frame == "not_now" and self.tokens[at].value == "prior_therapy" and len(self.pieces) == self.chunk):
            self.frame = self.tokens[at].value
        self.opens = self.opens or len(self.pieces) > 0
        return at + 1

    def _on_qual(self, at: int) -> int:
        name, value = self.tokens[at].value.split("=")
        concept = self._next_concept(at + 1)
        if concept is None and len(self.pieces) > self.chunk:
            self._qualify_last(name, value)
        elif concept is None and self.pieces and name in ("control", "treatment"):
            for place in range(len(self.pieces) - 1, -1, -1):  # "..., and are difficult to control": all of them
                self._qualify(place, name, value)
                if self.pieces[place].opens or self.pieces[place].joint == ";":
                    break
        else:
            self.qualifiers[name] = value
        return at + 1

    def _qualify_last(self, name: str, value: str) -> None:
        self._qualify(len(self.pieces) - 1, name, value)

    def _qualify(self, place: int, name: str, value: str) -> None:
        piece = self.pieces[place]
        if isinstance(piece.expression, Presence) and piece.expression.fact in ("condition", "allergy"):
            kept = {**dict(piece.expression.qualifiers), name: value}
            self.pieces[place] = replace(piece, expression=replace(piece.expression, qualifiers=tuple(sorted(kept.items()))))

    def _on_both_sexes(self, at: int) -> int:
        return at + 1

    def _on_subgroup(self, at: int) -> int:
        value = self.tokens[at].value
        if value == "childbearing_potential":
            self._add(Presence("condition", value), group=True)
        else:
            self._add(Presence("sex", value), group=True)
        return at + 1

    def _on_state(self, at: int) -> int:
        value = self.tokens[at].value
        if value == "remission" and self._next_kind(at) == "time":
            return at + 1
        if value == "previously_treated":
            self._add(Comparison("prior_lines", ">=", 1, "1"))
        else:
            self._add(Presence("disease_state", value))
        return at + 1

    def _on_response(self, at: int) -> int:
        self._add(Presence("response", self.tokens[at].value))
        return at + 1

    def _on_measurable(self, at: int) -> int:
        present = Presence("measurable_disease", "true")
        if any(isinstance(p.expression, Presence) and p.expression.fact == "measurable_disease" for p in self.pieces):
            return at + 1
        self._add(present if self.tokens[at].value == "present" else Not(present))
        return at + 1

    def _on_age(self, at: int) -> int:
        if "age" not in self.heads:
            self.heads.append("age")
        return at + 1

    def _on_life(self, at: int) -> int:
        self.heads.append("life_expectancy")
        return at + 1

    def _on_lines(self, at: int) -> int:
        return at + 1

    def _on_toxicity(self, at: int) -> int:
        self._add(Presence("condition", "treatment_toxicity", qualifiers=tuple(sorted(self.qualifiers.items()))))
        self.qualifiers = {}
        return at + 1

    def _on_resolved(self, at: int) -> int:
        """Recovered to grade 1 or less: no toxicity above it; not recovered: such a toxicity."""
        if not any(t.kind == "toxicity" for t in self.tokens):
            return at + 1
        limit, end = None, at + 1
        for place in range(at + 1, min(at + 24, len(self.tokens))):
            if self.tokens[place].kind in (";", ".", "except"):
                break
            found = bounds_at(self.tokens, place)
            if found and not found.time and found.sides[-1].value <= 3 and self.tokens[place].kind in ("op", "number"):
                limit, end = found, found.end
                while self._next_kind(end, 0) in ("grade", "stop"):
                    end += 1
                break
        grade = f">{limit.sides[-1].value - (limit.sides[-1].op == '<'):g}" if limit else None
        there = Presence("condition", "treatment_toxicity", qualifiers=(("grade", grade),) if grade else ())
        negated = self.negation
        self.pieces = [p for p in self.pieces if not (isinstance(p.expression, Presence) and p.expression.value == "treatment_toxicity")]
        self.negation, self.unknown, self.chunk = 0, [], len(self.pieces)
        self._add(there if negated else Not(there))
        return end

    def _on_ecg(self, at: int) -> int:
        rest = self.tokens[at : at + 8]
        abnormal = next((p for p, t in enumerate(rest) if t.kind == "organ" and t.value == "inadequate"), None)
        if abnormal is None:
            self.unknown.append(self.tokens[at])
            return at + 1
        if any(t.kind == "neg" for t in rest[:abnormal]):
            self.negation = at + 1
        self._add(Presence("condition", "ecg_abnormality"))
        self.unknown = []
        return at + abnormal + 1

    def _on_marker(self, at: int) -> int:
        """An antigen: expressed by the malignant cells, or the target of a treatment that is spoken of."""
        value = self.tokens[at].value
        therapies = load_vocabulary().therapies
        last = self.pieces[-1] if self.pieces else None
        if last and isinstance(last.expression, Presence) and last.expression.fact in ("prior_therapy", "refractory_to") and value in therapies:
            named = therapies.get(last.expression.value)
            if named and named.kind in ("modality", "group"):  # "monoclonal antibodies of BCMA or CD38"
                self.pieces.pop()
                self.joint = last.joint
            self._add(Presence(last.expression.fact, value, last.expression.window))
        elif any(t.kind == "antigen" for t in self.tokens):
            self._add(Presence("expression", value))
        elif self.frame in _TREATMENT_FRAMES and value in therapies:
            self._treatment(value)
        else:
            self.unknown.append(self.tokens[at])
        return at + 1

    def _on_organ(self, at: int) -> int:
        """Adequate (or severely impaired) function of the organs named; where numbers follow, they say what is adequate."""
        adequate = self.tokens[at].value == "adequate"
        stop = next((p for p in range(at + 1, len(self.tokens)) if self.tokens[p].kind in (";", ".", ":", "(", "op", "number", "between", "examples")), len(self.tokens))
        last = max((p for p in range(at, stop) if self.tokens[p].kind in ("organ_word", "organ_name")), default=None)
        severe = self.qualifiers.get("severity") == "severe"
        organs = [t.value for t in self.tokens[at:stop] if t.kind == "organ_name"]
        named = last is not None and any(t.kind == "organ_word" or "function" in self._words(t) for t in self.tokens[at : last + 1])
        if not adequate and not (severe and organs):
            self.unknown.append(self.tokens[at])
            return at + 1
        if last is None or not named:
            return at + 1
        self.unknown, self.qualifiers = [], {}
        if adequate and any(t.kind in ("op", "between", "test", "uln") for t in self.tokens[stop:]):
            return last + 1
        if not organs:
            self._add(AtScreening(self.context.text[self.tokens[at].start : self.tokens[last].end]))
            return last + 1
        qualifiers = (("severity", "severe"),) if severe else ()
        doubles = ["hepatic_impairment"] if "hepatorenal" in "".join(self._words(t) for t in self.tokens[at:stop]) else []
        doubles += ["pulmonary_impairment"] if "cardiopulmonary" in "".join(self._words(t) for t in self.tokens[at:stop]) else []
        impaired = [Presence("condition", organ, qualifiers=qualifiers) for organ in dict.fromkeys(organs + doubles)]
        self._add(conjoin(*(Not(p) for p in impaired)) if adequate else disjoin(*impaired))
        return last + 1

    def _words(self, token: Token) -> str:
        return self.context.text[token.start : token.end].lower()

    def _on_organ_name(self, at: int) -> int:
        """An organ before its function: "renal function is adequate", "hepatic: ..." is a label."""
        self.unknown.append(self.tokens[at])
        return at + 1

    def _on_adjective(self, at: int) -> int:
        self.unknown.append(self.tokens[at])
        return at + 1

    def _on_vague(self, at: int) -> int:
        """An unnamed illness: only the investigator knows which is meant."""
        adjectives = self.unknown and all(t.kind in ("adjective", "organ_name") for t in self.unknown)
        if len(self.pieces) == self.chunk and not adjectives and not self.heads:
            start = self.unknown[0].start if self.unknown else self.tokens[at].start
            self.unknown = []
            self._add(AtScreening(self.context.text[start : self.tokens[at].end]))
        return at + 1

    def _on_ineffective(self, at: int) -> int:
        for place, piece in enumerate(self.pieces):
            if isinstance(piece.expression, Presence) and piece.expression.fact == "prior_therapy":
                self.pieces[place] = replace(piece, expression=Presence("refractory_to", piece.expression.value))
        return at + 1

    # ------------------------------------------------------------ brackets

    def _bracket(self, at: int) -> int:
        """What stands in brackets: an abbreviation or synonym, an example, an exception, a limit, or more of the sentence."""
        end = closing(self.tokens, at) or len(self.tokens)
        inner = [t for t in self.tokens[at + 1 : end] if t.kind not in (")", "]")]
        last = self.pieces[-1] if self.pieces else None
        kinds = {t.kind for t in inner}
        if len(inner) > 1 and inner[0].value == "n" and inner[1].kind == "op":
            return end  # "(n=20)"
        if last and "allowed" in kinds and self.context.exclusion:
            allowed = combine(Reader([t for t in inner if t.kind != "allowed"], self.context.inner).read(), True)
            if allowed is not None and not isinstance(allowed, Unparsed | AtScreening):
                self.pieces[-1] = replace(last, expression=excuse(last.expression, allowed, self.context, "except"))
            return end
        if not inner or kinds & {"negated_support", "allowed", "label"} or _spells(self.tokens[at - 1] if at else None, inner, self.context.text):
            return end
        first = next((t for t in inner if t.kind not in ("stop", "qual")), inner[0])
        if first.kind in ("except", "unless"):
            if last:
                exception = combine(Reader(inner[inner.index(first) + 1 :], self.context.excluding).read(), True)
                if exception is not None:
                    self.pieces[-1] = replace(last, expression=excuse(last.expression, exception, self.context, first.kind))
            return end
        concepts = [t for t in inner if t.kind in CONCEPTS]
        if last and isinstance(last.expression, Presence) and last.expression.fact == "expression" and (share := bounds_at(inner, 0)):
            wanted = f"{share.sides[0].op}{share.sides[0].value:g}%"
            self.pieces[-1] = replace(last, expression=replace(last.expression, qualifiers=(("share", wanted),)))
            return end
        if len(inner) == 1 and inner[0].kind == "test" and self.unknown and len(self.pieces) == self.chunk:
            self.unknown = []
            return self._on_test(at + 1) + 1
        if last and isinstance(last.expression, Comparison) and last.expression.fact == "days_since" and (period := bounds_at(inner, 0)) and period.time:
            reader = Reader(inner[period.end :], self.context.inner, since=Window("before", round(period.sides[0].value * (period.sides[0].days or 1))))
            self.pieces[-1] = replace(last, expression=conjoin(last.expression, *(p.expression for p in reader.read() if isinstance(p.expression, Comparison))))
            return end
        limits = kinds & {"op", "between", "postop"} or ("number" in kinds and kinds & {"test", "age", "life"})
        if limits and last and last.measured and not self.heads:
            return self._second_limit(inner, last, end)
        if limits or kinds & {"nyha", "grade", "within", "before", "class"}:
            return at + 1
        if first.kind == "examples" or (len(concepts) > 1 and last is not None):
            self._members(inner)
            return end
        if not concepts or last is not None or self.heads or self.unknown:
            known = {t.value for t in concepts}
            if last is None and self.heads and "test" in kinds:
                self.heads += [v for v in known if v not in self.heads and first.kind != "test"]
            return end
        return at + 1

    def _second_limit(self, inner: list[Token], last: Piece, end: int) -> int:
        """After a limit: the same in another unit, or another for a subgroup ("≥ 30 if the marrow is involved")."""
        condition = next((p for p, t in enumerate(inner) if t.kind == "if" or (t.kind == "stop" and t.value in ("in", "for", "with") and any(u.kind in CONCEPTS or u.kind == "subgroup" for u in inner[p:]))), None)
        own = {t.value for t in inner if t.kind == "test"}
        if condition is None and not own - {last.measured}:
            if not any(t.kind == "or" for t in inner[:1]):
                return end
        reader = Reader(inner[: condition if condition is not None else len(inner)], self.context.inner, last_heads=[last.measured])
        alternative = combine(reader.read(), self.context.exclusion)
        when = combine(Reader(inner[condition + 1 :], self.context.inner).read(), True) if condition is not None else None
        if alternative is not None:
            joined = conjoin(alternative, when) if when is not None else alternative
            self.pieces[-1] = replace(last, expression=disjoin(last.expression, joined))
        return end

    def _members(self, inner: list[Token]) -> None:
        """Examples of a class count as members of it; what is not understood among them is only an illustration."""
        reader = Reader(inner, self.context.excluding, frame=self.frame, window=self.window, since=self.since)
        found = [p.expression for p in reader.read() if isinstance(p.expression, Presence | Comparison)]
        if not found:
            return
        if self.since and self.pieces:
            self.pieces[-1] = replace(self.pieces[-1], expression=conjoin(self.pieces[-1].expression, *found))
            return
        if self.pieces and isinstance(self.pieces[-1].expression, Presence | AnyOf):
            last = self.pieces[-1]
            self.pieces[-1] = replace(last, expression=disjoin(last.expression, *found))
        else:
            self.unknown = []
            self._add(disjoin(*found))

    def _on_either(self, at: int) -> int:
        self.either = True
        return at + 1

    def _on_chains(self, at: int) -> int:
        """Free light chains: the involved one, kappa or lambda."""
        self.heads += [chain for chain in FLC if chain not in self.heads]
        self.unknown = []
        return at + 1

    def _on_examples(self, at: int) -> int:
        if self.pieces and self.pieces[-1].measured == "prior_lines" and not self.context.exclusion:
            demanded = combine(Reader(self.tokens[at + 1 :], self.context.inner, frame="prior_therapy").read(), exclusion=False)
            self.joint = "and"
            if demanded is not None:
                self._add(demanded)
            return len(self.tokens)
        self._close_chunk()
        self.joint = self.joint or "or"
        self.member = True
        return at + 1

    def _on_screening(self, at: int) -> int:
        if self._measured_later(at):
            return at + 1  # a word of procedure beside a limit that a note can settle
        end = next((p for p in range(at, len(self.tokens)) if self.tokens[p].kind == ";"), len(self.tokens))
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
        return False

    def _scale(self, at: int) -> int:
        """NYHA class III or IV, grade ≥ 2, grade 2 or worse, ≥ grade 3, stage II."""
        name = SCALES[self.tokens[at].kind]
        place = at + 1
        while place < len(self.tokens) and self.tokens[place].kind in ("class", "grade", "stop", "(", ")", "nyha", ":", "lead") and self._next_number(place):
            place += 1
        limit = bounds_at(self.tokens, place)
        before = self.tokens[at - 1] if at else None
        if limit is None:
            if name == "nyha" and self.pieces and isinstance(said := self.pieces[-1].expression, Presence) and "grade" in dict(said.qualifiers):
                graded = dict(said.qualifiers)
                graded["nyha"] = graded.pop("grade")
                self.pieces[-1] = replace(self.pieces[-1], expression=replace(said, qualifiers=tuple(sorted(graded.items()))))
            return at + 1
        value = _scale_value(limit)
        if limit.bare and before is not None and before.kind == "op":
            value = f"{before.value}{limit.sides[0].value:g}"
        if name == "class":
            name = "nyha" if any(p.text in ("heart_failure", "nyha") for p in self.pieces[-1:]) else "class"
        end = limit.end
        if name == "nyha":
            while end < len(self.tokens) and self.tokens[end].kind in (")", "]", "[", "(", "class", "nyha", "stop") and self._next_kind(end) in ("condition", "nyha", "class", "]", ")"):
                end += 1
            self._heart_failure(value)
            if end < len(self.tokens) and self.tokens[end].value == "heart_failure":
                end += 1
            return end
        last = self.pieces[-1] if self.pieces else None
        if last and isinstance(last.expression, Presence) and last.expression.fact == "condition" and (len(self.pieces) > self.chunk or self._next_concept(end) is None):
            self._qualify_last(name, value)
        else:
            self.qualifiers[name] = value
        return end

    _on_nyha = _on_grade = _on_stage = _on_class = _scale

    def _next_number(self, at: int) -> bool:
        return any(t.kind in ("number", "op") for t in self.tokens[at : at + 4])

    def _heart_failure(self, value: str) -> None:
        vocabulary = load_vocabulary()
        grade = self.qualifiers.pop("grade", None)
        for place in range(len(self.pieces) - 1, max(len(self.pieces) - 2, -1), -1):
            expression = self.pieces[place].expression
            if isinstance(expression, Presence) and (expression.value in ("heart_disease", "cardiovascular_disease") or vocabulary.is_a(expression.value, "heart_failure")):
                self.pieces[place] = replace(self.pieces[place], expression=Presence("condition", "heart_failure", expression.window, (("nyha", value),)))
                return
        self._add(Presence("condition", "heart_failure", qualifiers=(("nyha", grade or value),)))

    # ------------------------------------------------------------ concepts

    def _on_concept(self, at: int) -> int:
        token = self.tokens[at]
        if token.kind == "test":
            return self._on_test(at)
        if token.kind == "condition":
            if self._adjective(token):
                self.unknown.append(token)
            elif not self._purpose(at):
                self._condition(token)
        elif token.kind == "regimen":
            for drug in load_vocabulary().regimens[token.value].drugs:
                self._treatment(drug)
        else:
            self._treatment(token.value)
        return at + 1

    def _on_test(self, at: int) -> int:
        fact = self.tokens[at].value
        if fact in ("kps", "lansky") and self.heads[-1:] == ["ecog"]:
            self.heads[-1] = fact  # "performance status (Karnofsky)"
        elif fact not in self.heads and not self.named:
            self.heads.append(fact)
        self.named = True
        return at + 1

    def _adjective(self, token: Token) -> bool:
        """ "Myeloma-defining events" are not myeloma, and "non-hematologic" says the opposite."""
        after = self.context.text[token.end : token.end + 9].lower()
        if self.context.text[: token.start].lower().endswith(("non-", "non ")):
            return True
        return len(after) > 1 and after[0] == "-" and after[1].isalpha() and not after[1:].startswith(("patient", "subject"))

    def _own(self, concept: str) -> bool:
        vocabulary = load_vocabulary()
        return any(vocabulary.is_a(c, concept) or vocabulary.is_a(concept, c) for c in self.context.conditions if concept not in ("malignancy", "neoplasm", "solid_tumor"))

    def _purpose(self, at: int) -> bool:
        """ "... for multiple myeloma", "involvement of myeloma": what a treatment was for, not a statement of its own."""
        before = self.context.text[: self.tokens[at].start].lower().removesuffix("the ").split()
        led = before[-1:] and before[-1] in ("for", "of", "by", "against", "from", "in") and before[-2:-1] not in (["diagnosis"], ["history"], ["evidence"], ["form"], ["forms"])
        return bool(led and (self.pieces or self.unknown) and self._own(self.tokens[at].value))

    def _condition(self, token: Token) -> None:
        vocabulary = load_vocabulary()
        concept = token.value
        allergy = self.frame == "allergy"
        if concept in ("allergy", "drug_allergy"):
            another = re.search(r"\b(?:another|other|any)\b", self.context.text[max(0, token.start - 30) : token.start], re.IGNORECASE)
            if another or not any(isinstance(p.expression, Presence) and p.expression.fact == "allergy" for p in self.pieces):
                self._add(Presence("allergy", "other" if concept == "allergy" else "drug", qualifiers=tuple(sorted(self.qualifiers.items()))))
            return
        self.heads = [h for h in self.heads if h not in ("age",)]
        if concept == "amyloidosis" and any(vocabulary.is_a(c, "plasma_cell_disorder") for c in self.context.conditions):
            concept = "al_amyloidosis"  # in trials of plasma cell disorders amyloid is of light chains
        words = self._words(token)
        self.current = self.current or bool(re.search(r"\bactive|\bcurrent|hbsag|surface antigen", words))
        if re.search(r"uncontrolled|poorly controlled", words):
            self.qualifiers["control"] = "uncontrolled"
        for pattern, state in _STATED:
            if re.search(pattern, words):
                self._add(Presence("disease_state", state))
                break
        own = self._own(concept) and not (self.context.exclusion and any(vocabulary.is_a(concept, c) and concept != c for c in self.context.conditions))
        malignant = vocabulary.conditions[concept].course == "malignancy"
        disease = not allergy and (own or (not self.context.conditions and malignant and not self.context.exclusion and not self.negation))
        qualifiers = tuple(sorted(self.qualifiers.items()))
        self.qualifiers = {}
        window = self.window or (Window("current") if self.current and not disease else None)
        previous = self.pieces[-1].expression if self.pieces else None
        if isinstance(previous, Presence) and previous.fact == "condition" and not self.joint and concept != previous.value and vocabulary.is_a(concept, previous.value):
            qualifiers = tuple(sorted({**dict(previous.qualifiers), **dict(qualifiers)}.items()))  # "heart disease with heart failure": the latter
            self.joint = self.pieces.pop().joint
            previous = self.pieces[-1].expression if self.pieces else None
        if isinstance(previous, Presence) and previous.value == "nonsecretory_disease" and own and not self.joint:
            return
        if isinstance(previous, Presence) and previous.value == concept and not self.joint.replace(",", ""):
            return  # "human immunodeficiency virus (HIV) infection"
        if isinstance(previous, Presence) and not self.joint and len(self.pieces) > self.chunk and previous.fact == "condition":
            if concept == "active_infection" and vocabulary.is_a(previous.value, "infectious_disease"):
                return
            if previous.value == "active_infection" and vocabulary.is_a(concept, "infectious_disease"):
                self.pieces[-1] = replace(self.pieces[-1], expression=replace(previous, value=concept))
                return
        if self.since:
            self._add(Comparison("days_since", ">=", float(self.since.days or 0), "d", of=concept))
            return
        excluding = self.context.conditions if concept in GENERAL and not disease and (self.context.exclusion or self.negation) else ()
        self._add(Presence("allergy" if allergy else "disease" if disease else "condition", concept, window, qualifiers, excluding))

    def _treatment(self, concept: str) -> None:
        if self.since:
            self._add(Comparison("days_since", ">=", float(self.since.days or 0), "d", of=concept), shared=True)
            return
        if self.during:
            self._add(AtScreening(f"concurrent {concept.replace('_', ' ')}"))
            return
        if self.frame == "not_now":
            self._add(AtScreening(f"candidate for {concept.replace('_', ' ')}"))
            return
        previous = self.pieces[-1].expression if self.pieces else None
        if isinstance(previous, Presence) and previous.value == concept and not self.joint:
            return
        fact = self.frame if self.frame in _TREATMENT_FRAMES else "prior_therapy"
        excluding: tuple[str, ...] = ()
        if concept == "systemic_corticosteroid":
            concept, excluding = "corticosteroid", ("inhaled_corticosteroid", "topical_corticosteroid")
        window = self.window or (Window("current") if self.current and fact == "prior_therapy" else None)
        if concept == "stem_cell_transplant" and fact == "prior_therapy":
            self._add(AnyOf((Presence(fact, "autologous_transplant", window), Presence(fact, "allogeneic_transplant", window))))
            return
        self.qualifiers.pop("acuity", None)
        qualifiers = tuple(sorted(self.qualifiers.items())) if fact == "allergy" else ()
        self.qualifiers = {}
        self._add(Presence(fact, concept, window, qualifiers, excluding))  # type: ignore[arg-type]

    # ------------------------------------------------------------ time

    def _measures_time(self, at: int) -> bool:
        return "life_expectancy" in self.heads or ("age" in self.heads and not self.pieces)

    def _place_in_time(self, window: Window, onward: bool) -> None:
        if onward:
            if window.relation == "before":
                self.since = window
            else:
                self.window = window
            return
        if len(self.pieces) == 0:
            self.window = window
            return
        if window.relation == "before":
            if isinstance(said := self.pieces[-1].expression, Presence) and (said.fact, said.value) == ("disease_state", "remission") and len(self.pieces) > 1:
                self.pieces.pop()  # in remission for 5 years: the disease was 5 years ago
            last = self.pieces[-1].expression
            if isinstance(last, Presence) and last.fact == "condition":
                self.pieces[-1] = replace(self.pieces[-1], expression=_within(last, window))
                return
            if not self.context.exclusion and not self.negation and all(_given(p.expression) for p in self.pieces):
                classes = [p for p in self.pieces if not p.member] or self.pieces
                self.pieces = [replace(p, expression=_since(p.expression, window), joint="and" if p.joint else "") for p in classes]
                return
        for place in range(len(self.pieces) - 1, -1, -1):
            piece = self.pieces[place]
            if not _timed(piece.expression):
                if isinstance(piece.expression, Unparsed):
                    continue
                break
            self.pieces[place] = replace(piece, expression=_within(piece.expression, window))
            if piece.opens or (piece.joint in (";", "") and place):
                break

    # ------------------------------------------------------------ numbers

    def _measure(self, at: int, limit: Bounds) -> int | None:
        if self._next_kind(at, limit.end - at) in ("grade", "nyha", "stage") or (at and self._next_kind(at, -1) in ("grade", "stage")):
            return None
        ahead = self.tokens[limit.end] if limit.end < len(self.tokens) else None
        facts = self._facts(at, limit, ahead)
        if not facts:
            return limit.end if limit.bare else None
        self.last_heads = list(facts)
        expressions = [self._compared(fact, limit) for fact in facts]
        if set(facts) == set(FLC) and not self.context.exclusion:
            expression: Expression = disjoin(*expressions)
        else:
            expression = disjoin(*expressions) if self.context.exclusion else conjoin(*expressions)
        self.heads, self.unknown, self.named = [], [], False
        if facts == ["spo2"] and _BY_OXYGEN.search(self.context.text):
            expression = disjoin(*(Comparison("spo2", "<=", b.value, "%") for b in limit.sides[:1]), Presence("prior_therapy", "oxygen_therapy", Window("current")))
        negation, self.negation = self.negation, 0
        self._add(expression if not negation else negate(expression), measured=facts[0])
        end = limit.end
        if facts == ["spo2"] and isinstance(expression, AnyOf):
            return len(self.tokens)
        if facts == ["prior_lines"]:
            while end < len(self.tokens) and self.tokens[end].kind in ("lines", "stop", "filler", "ever"):
                end += 1
        while self._next_kind(end, 0) == "age":
            end += 1
        named = end + (self._next_kind(end, 0) == "stop")
        return named + 1 if self._next_kind(named, 0) == "test" and self.tokens[named].value in facts else end

    def _facts(self, at: int, limit: Bounds, ahead: Token | None) -> list[str]:
        """What a limit is about: the tests named before it, else what its unit or the words around it say; empty for none."""
        word = self._words(self.tokens[at])
        if "young" in word or "older" in word or (limit.end and "older" in self._words(self.tokens[limit.end - 1])) or "young" in self._words(self.tokens[limit.end - 1]):
            return ["age"]
        if limit.time:
            return self._time_facts(at, limit, ahead)
        if self.heads and self.heads[-1] == "age":
            return ["age"] if limit.sides[-1].unit is None and 0 < limit.sides[-1].value <= 120 else []
        if ahead is not None and ahead.kind == "age":
            return ["age"]
        if ahead is not None and (ahead.kind == "lines" or self._lines_follow(limit.end)):
            return ["prior_lines"]
        if self.heads:
            told = ("test", "stop", "filler", ":", "lead", "age", "word", ")", "op", "chains", "(", "=", "number", "unit", "-", ",", "between")
            if limit.bare and limit.sides[0].unit is None and self._next_kind(at, -1) not in told:
                return []
            return self._tests()
        if limit.bare or (ahead is not None and ahead.kind in ("drug", "therapy", "condition", "regimen")):
            return []
        if ahead is not None and ahead.kind == "test":
            return [ahead.value]
        return self._unnamed(at, limit, ahead)

    def _time_facts(self, at: int, limit: Bounds, ahead: Token | None) -> list[str]:
        if "life_expectancy" in self.heads:
            return ["life_expectancy"]
        if "age" in self.heads or (ahead is not None and ahead.kind == "age"):
            return ["age"]
        if self.heads:
            return []  # how long, not how much
        years = any(b.days == 365 for b in limit.sides)
        before = self.tokens[at - 1] if at else None
        lasting = before is not None and (before.kind in ("filler", "condition", "test", "therapy") or before.value in ("for", "of"))
        people = all(p.group or p.measured == "age" for p in self.pieces) and not self.unknown and not lasting
        if people and not limit.bare and (years or self._next_kind(at, -1) == "subject"):
            return ["age"]
        return []

    def _unnamed(self, at: int, limit: Bounds, ahead: Token | None) -> list[str]:
        """A limit whose test the vocabulary lacks goes by the document's own words; a counted noun or a dose is no test."""
        unit = limit.sides[-1].unit
        if unit and re.match(r"(?:min|h|days?|sec|s\b)", unit, re.IGNORECASE):
            return []  # how long, not how much
        if unit == "%" and any(t.value == "bone_marrow_impairment" for t in self.unknown):
            return ["bone_marrow_plasma_cells"]
        if unit and _DOSE.fullmatch(unit) and any(isinstance(p.expression, Presence) and p.expression.fact in ("prior_therapy", "allergy") for p in self.pieces):
            return []
        if unit == "%" and any(t.kind == "subject" for t in self.tokens[limit.end : limit.end + 3]):
            return []
        counted = unit is None and ahead is not None and ahead.kind in ("word", "filler", "subject", "times", "unit", "adjective") and not limit.sides[-1].x_uln
        named = [t for t in self.unknown if t.kind != "op" and t.kind != "number" and len(t.value) > 1][-3:]
        if named and not counted:
            return ["_".join(self.context.text[t.start : t.end].lower() for t in named).replace("-", "_").replace(" ", "_")]
        last = self.pieces[-1].expression if len(self.pieces) > self.chunk else None
        if isinstance(last, Presence) and unit and (last.fact == "condition" or re.fullmatch(r"c?gy", unit, re.IGNORECASE)):
            return [last.value]
        if unit and at and self.tokens[at - 1].kind == "filler":
            return [self._words(self.tokens[at - 1]).replace(" ", "_").replace("-", "_")]
        if self.last_heads and not counted:
            return self.last_heads
        if unit is None and 10 <= limit.sides[0].value <= 110 and not limit.listed and all(p.group for p in self.pieces):
            return ["age"]
        following = []
        for token in self.tokens[limit.end : limit.end + 5]:
            if token.kind == "test":
                return [token.value]
            if token.kind == "word":
                following.append(token.value)
            elif token.kind != "stop":
                break
        scored = any("score" in self._words(t) for t in self.tokens[max(0, at - 3) : at])
        if not following and scored and self.pieces and isinstance(last := self.pieces[-1].expression, Unparsed):
            following = re.findall(r"\w+", last.text.lower())
            self.pieces.pop()
        return ["_".join(following[:3]).replace("-", "_")] if following and (unit or scored) else []

    def _tests(self) -> list[str]:
        if self.heads == ["fev1", "fvc"]:
            return ["fev1_fvc"]
        facts = [h for h in self.heads if h not in ("age", "life_expectancy")]
        return facts

    def _lines_follow(self, at: int) -> bool:
        for token in self.tokens[at : at + 7]:
            if token.kind == "lines":
                return True
            if token.kind not in ("stop", "filler", "ever", "current", "word", "frame", "therapy", "condition"):
                return False
        return False

    def _compared(self, fact: str, limit: Bounds) -> Expression:
        sides = conjoin(*(self._comparison(fact, b, limit) for b in limit.sides))
        return Not(sides) if limit.outside else sides

    def _comparison(self, fact: str, bound: Bound, limit: Bounds) -> Comparison:
        op = bound.op
        if limit.bare and not limit.listed:
            op = ">=" if not self.context.exclusion and fact in ("lvef", "kps", "spo2", "life_expectancy") else "="
        if fact == "age":
            days = bound.days or 365
            years = bound.value if days == 365 else bound.value * days / (360 if days == 30 else 365)
            return Comparison("age", op, float(f"{years:.6g}"), "a")
        if fact == "life_expectancy":
            return Comparison(fact, op, round(bound.value * (bound.days or 30), 3), "d")
        if fact == "prior_lines":
            return Comparison(fact, op, bound.value, "1")
        value, unit = canonical(fact, bound)
        return Comparison(fact, op, value, unit, bound.x_uln, bound.x_lln, window=self.window)


def _scale_value(limit: Bounds) -> str:
    sides = limit.sides
    if len(sides) == 1:
        return f"{'' if sides[0].op == '=' else sides[0].op}{sides[0].value:g}"
    low, high = sides[0].value, sides[1].value
    return f"<={high:g}" if low <= 1 else f">={low:g}"


def _given(expression: Expression) -> bool:
    parts = expression.parts if isinstance(expression, AnyOf) else (expression,)
    return all(isinstance(p, Presence) and p.fact == "prior_therapy" for p in parts)


def _since(expression: Expression, window: Window) -> Expression:
    """Completed at least so many days ago: of each therapy, the time since its last dose."""
    parts = expression.parts if isinstance(expression, AnyOf) else (expression,)
    return conjoin(*(Comparison("days_since", ">=", float(window.days or 0), "d", of=p.value) for p in parts if isinstance(p, Presence)))


def _any_line(expression: Expression) -> bool:
    """Any anti-myeloma therapy at any time is a line of it."""
    return isinstance(expression, Presence) and (expression.fact, expression.value, expression.window) == ("prior_therapy", "anti_myeloma_therapy", None)


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


def _within(expression: Expression, window: Window) -> Expression:
    match expression:
        case Presence() | Comparison():
            if isinstance(expression, Comparison) and expression.fact in ("age", "prior_lines", "life_expectancy", "days_since"):
                return expression
            return replace(expression, window=window) if _timed(expression) else expression
        case AllOf(parts):
            return AllOf(tuple(_within(p, window) for p in parts))
        case AnyOf(parts):
            return AnyOf(tuple(_within(p, window) for p in parts))
        case Not(part):
            return Not(_within(part, window))
    return expression


def _spells(before: Token | None, inner: list[Token], text: str) -> bool:
    """Whether the bracket spells an abbreviation out: POEMS (polyneuropathy, organomegaly, ...)."""
    if before is None:
        return False
    short = text[before.start : before.end].split()[0]
    initials = "".join(text[t.start] for t in inner if t.kind not in (",", "and", "stop", "or", "-", "/")).lower()
    return len(short) > 2 and short.isupper() and initials[: len(short) - 1] == short.lower()[:-1]
