"""How bad a thing may be: toxicity and what it resolved to, the function of organs, grades, stages and classes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from matcher.domain import AtScreening, Not, Presence
from matcher.trials.logic import EXTENT, conjoin, disjoin
from matcher.trials.measures import bounds_at, scale_value
from matcher.trials.words import Words
from models import load_vocabulary

_LACKING = ("inadequate", "impaired", "insufficient", "compromised", "poor")
SCALES = {"nyha": "nyha", "grade": "grade", "stage": "stage", "class": "class"}


@dataclass
class Severity(Words):
    """Toxicity, organs, scales."""

    def _on_toxicity(self, at: int) -> int:
        if any("treatment_toxicity" in (p.text, getattr(getattr(p.expression, "part", None), "value", "")) for p in self.pieces):
            return at + 1
        if self.unknown and all(t.kind in ("adjective", "organ_name") for t in self.unknown):  # "gastrointestinal toxicity"
            self.qualifiers["site"], self.unknown = " ".join(self._words(t) for t in self.unknown), []
        self._add(Presence("condition", "treatment_toxicity", qualifiers=tuple(sorted(self.qualifiers.items()))))
        self.qualifiers = {}
        return at + 1

    def _on_resolved(self, at: int) -> int:
        """Recovered to grade 1 or less, or from a treatment: no toxicity above it; not recovered: such a toxicity."""
        named = self._next_concept(at + 1)
        of_treatment = named is not None and named.kind in ("therapy", "drug", "regimen")
        if not of_treatment and not any(t.kind == "toxicity" for t in self.tokens):
            return at + 1
        limit, end = None, at + 1
        while of_treatment and self._next_kind(end, 0) in ("stop", "filler", "ever", "any_of", "therapy", "drug", "regimen"):
            end += 1
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
            return at + 1  # by which it was found
        if any(t.kind == "neg" for t in rest[:abnormal]):
            self.negation = at + 1
        self._add(Presence("condition", "ecg_abnormality"))
        self.unknown = []
        return at + abnormal + 1

    def _on_organ(self, at: int) -> int:
        """Adequate (or severely impaired) function of the organs named; where numbers follow, they say what is adequate."""
        if self._next_kind(at) == "test" and self.tokens[at + 1].value == "flc_ratio":
            return at + 1  # an abnormal ratio has limits of its own
        adequate = self.tokens[at].value == "adequate"
        stop = next((p for p in range(at + 1, len(self.tokens)) if self.tokens[p].kind in (";", ".", ":", "(", "op", "number", "between", "examples")), len(self.tokens))
        last = max((p for p in range(at, stop) if self.tokens[p].kind in ("organ_word", "organ_name")), default=None)
        severe = self.qualifiers.get("severity") == "severe"
        lacking = not adequate and (self._words(self.tokens[at]) in _LACKING or [t.value for t in self.tokens[at + 1 : at + 2]] == ["of"])
        organs = [t.value for t in self.tokens[at:stop] if t.kind == "organ_name"]
        named = last is not None and any(t.kind == "organ_word" or "function" in self._words(t) for t in self.tokens[at : last + 1])
        before = [t.value for t in self.unknown if t.kind == "organ_name"]
        if not adequate and before and len(before) == len(self.unknown) and len(self.pieces) == self.chunk:
            for organ in dict.fromkeys(before):  # "hepatic function impairment"
                self._add(Presence("condition", organ, qualifiers=tuple(sorted(self.qualifiers.items()))))
            self.unknown, self.qualifiers = [], {}
            return at + 1
        if not adequate and not ((severe or lacking) and organs):
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
        further = [AtScreening("organ function")] if any(self._words(t).startswith("organ") for t in self.tokens[at : last + 1]) and not any(t.kind == "examples" for t in self.tokens[at:last]) else []
        self._add(conjoin(*(Not(p) for p in impaired), *further) if adequate else disjoin(*impaired))
        return last + 1

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
        value = scale_value(limit)
        if limit.bare and before is not None and before.kind == "op":
            value = f"{before.value}{limit.sides[0].value:g}"
        if name == "class":
            name = "nyha" if any(p.text == "heart_failure" for p in self.pieces[-1:]) or any(t.kind == "nyha" for t in self.tokens[:at]) else "class"
        end = limit.end
        if name == "nyha":
            while end < len(self.tokens) and self.tokens[end].kind in (")", "]", "[", "(", "class", "nyha", "stop") and self._next_kind(end) in ("condition", "nyha", "class", "]", ")"):
                end += 1
            self._heart_failure(value)
            if end < len(self.tokens) and self.tokens[end].value == "heart_failure":
                end += 1
            return end
        last = self.pieces[-1] if self.pieces else None
        if last and isinstance(last.expression, Presence) and last.expression.fact == "condition" and not (name == "stage" and last.text in EXTENT) and (len(self.pieces) > self.chunk or self._next_concept(end) is None):
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
        self._add(Presence("condition", "heart_failure", self.window, (("nyha", grade or value),)))
