"""Numbers against what they measure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from matcher.domain import AllOf, Comparison, Expression, Not, Presence, Unparsed, Window
from matcher.trials.lexer import CONCEPTS, ROMAN, Token
from matcher.trials.line_limits import LineLimits
from matcher.trials.logic import conjoin, disjoin, negate
from matcher.trials.measures import Bound, Bounds, bounds_at, canonical, fits, limited, quantity
from matcher.trials.reading import worse_side
from models import load_vocabulary

_WITH = re.compile(r"\bwith\s+(?:an?\s+|the\s+)?\Z", re.IGNORECASE)  # "HIV infection with CD4 < 200"
CLASS = "{class}"  # a UCUM annotation: the value is the place of a class in its scale ("ASA II"), not a number
FLC = ("kappa_flc", "lambda_flc")
_DOSE = re.compile(r"(?:[munpμkd]|mc)?g(?:ms?|rams?)?(?:\s?(?:/|per)\s?(?![dmμu]?l\b).*)?", re.IGNORECASE)
BODY_SURFACE = 1.73  # m2, to which a clearance is normalized: no limit
WORST_ECOG = 5  # the scale of Karnofsky goes on to 100
RATIOS = ("fev1_fvc", "pao2_fio2")  # two tests named with a stroke between them
CHANGES = frozenset({"increase", "increases", "rise", "change", "changes", "loss", "gain", "decrease", "drop", "fall", "decline", "reduction", "variation", "difference", "improvement"})
_CTCAE = re.compile(r"CTC|Common (?:Terminology|Toxicity)")
_FLIPPED = str.maketrans("<>", "><")
_BY_OXYGEN = re.compile(r"\bonly\b.*\b(?:oxygen inhalation|oxygen therapy|supplement\w+|by oxygen|with oxygen)\b", re.IGNORECASE | re.DOTALL)


@dataclass
class Comparisons(LineLimits):
    """Numbers against what they measure."""

    lower: Bound | None = None  # written before the name that it limits
    compared: tuple[list[str], Bounds] | None = None  # the last limit of the sentence and its tests

    def _on_test(self, at: int) -> int:
        fact = self.tokens[at].value
        if fact in ("kps", "lansky") and self.heads[-1:] == ["ecog"]:
            self.heads[-1] = fact  # "performance status (Karnofsky)"
        elif fact not in self.heads and not self.named:
            self.heads.append(fact)
        self.named = True
        return at + 1

    def _on_age(self, at: int) -> int:
        if "age" not in self.heads:
            self.heads.append("age")
        return at + 1

    def _on_life(self, at: int) -> int:
        self.heads.append("life_expectancy")
        return at + 1

    def _on_chains(self, at: int) -> int:
        """Free light chains: the involved one, kappa or lambda."""
        self.heads += [chain for chain in FLC if chain not in self.heads]
        self.unknown = []
        return at + 1

    def _mirrored(self, at: int) -> int | None:
        """ "18 ≤ age ≤ 75": the lower limit stands before the name; it waits for the upper one."""
        first = quantity(self.tokens, at)
        if self.heads or first is None or self._next_kind(first[1], 0) != "op":
            return None
        ahead = self.tokens[first[1] + 1 : first[1] + 6]
        second = next((p for p, t in enumerate(ahead) if t.kind == "op"), 0)
        if not second or not all(t.kind in ("test", "age", "word", "stop", "(", ")", "/") for t in ahead[:second]):
            return None
        op = self.tokens[first[1]].value
        self.lower = replace(first[0], op=op.translate(_FLIPPED))
        return first[1] + 1

    def _measure(self, at: int, limit: Bounds) -> int | None:
        if (limit.bare and limit.sides[0].value == BODY_SURFACE) or any("sensitivity" in self._words(t) for t in self.tokens[max(0, at - 2) : at]):
            return limit.end  # of the test, not of the patient
        if limit.bare and (past := self._mirrored(at)) is not None:
            return past
        if self.lower and len(limit.sides) == 1:
            limit = replace(limit, sides=(replace(self.lower, unit=limit.sides[0].unit, days=limit.sides[0].days), *limit.sides))
        self.lower = None
        if limit.bare and limit.sides[0].x_uln and self._next_kind(at, -1) == "within":
            limit = replace(limit, sides=(replace(limit.sides[0], op="<="),), bare=False)  # "within 1.5 times the upper limit of normal"
        if at and self.tokens[at - 1].kind == "condition" and not limit.bare and len(limit.sides) == 1 and limit.sides[0] == Bound(limit.sides[0].op, limit.sides[0].value) and limit.sides[0].value in range(1, 6) and _CTCAE.search(self.context.text):
            for place in range(len(self.pieces) - 1, -1, -1):  # "neuropathy or neuralgia ≥ 2, according to CTCAE"
                self._qualify(place, "grade", f"{limit.sides[0].op}{limit.sides[0].value:g}")
                if self.pieces[place].joint != "or":
                    break
            return limit.end
        if self._extent(at, limit) or self._next_kind(at, limit.end - at) in ("grade", "nyha", "stage") or (at and self._next_kind(at, -1) in ("grade", "stage")):
            return None
        ahead = self.tokens[limit.end] if limit.end < len(self.tokens) else None
        if ahead is not None and ahead.kind == "times" and self.compared and self.compared[1].sides[-1].x_uln and not self.heads:
            limit = replace(limit, sides=tuple(replace(b, x_uln=True) for b in limit.sides), end=limit.end + 1)  # "... (≤ 5 times if ...)"
            facts = self.compared[0]
        else:
            facts = self._facts(at, limit, ahead)
        if not facts and self._alternative(at, bool(limit.sides[0].unit or limit.sides[0].x_uln), ahead):
            facts, limit = self._carried(limit, ahead)
        if not facts:
            return limit.end if limit.bare else None
        if self._change(at, limit):
            facts = [f"{fact}_change" if fact in load_vocabulary().tests else fact for fact in facts]
        if facts == ["blood_pressure"] and (pair := self._pressures(limit)) is not None:
            self._add(pair[0], measured="blood_pressure")
            self.heads, self.unknown, self.named = [], [], False
            return pair[1]
        facts = ["kps" if fact == "ecog" and limit.sides[0].value > WORST_ECOG else fact for fact in facts]
        before = self.last_heads, self.compared
        self.last_heads, self.compared = list(facts), (list(facts), limit)
        limits, end = self._respective(facts, limit)
        unit = limit.sides[0].unit or facts == ["inr"]
        told = limit.sides[0].x_uln or (unit and self._next_kind(at, -1) not in ("op", "(", "[", "-"))
        if limit.bare and told and not limit.listed and not self.negation and len(sides := {worse_side(f) for f in facts}) == 1 and (side := sides.pop()):
            op = ">=" if (side == "below") is not self.context.exclusion else "<="  # "platelets 75,000/mm3": the side that is healthy is demanded
            limits = [replace(own, sides=tuple(replace(b, op=op) for b in own.sides), bare=False) for own in limits]  # type: ignore[arg-type]
        elif limit.bare and not all(_ordinal(f) or self._comparison(f, limit.sides[0], limit).op != "=" for f in facts):
            self.heads, self.unknown, self.named = [], [], False
            self._add(Unparsed(self.context.text[self._name_before(at) : self.tokens[end - 1].end]))
            return end  # "creatinine 1.5 mg/dL": nobody means just this value; which side of it, the document does not say
        expressions = [self._compared(fact, own) for fact, own in zip(facts, limits, strict=True)]
        if any(t.kind == "number" and self._words(t) in ROMAN for t in self.tokens[at : limit.end]):
            expressions = [_class(e) for e in expressions]
        if set(facts) == set(FLC) and not self.context.exclusion:
            expression: Expression = disjoin(*expressions)
        else:
            expression = disjoin(*expressions) if self.context.exclusion else conjoin(*expressions)
        self.heads, self.unknown, self.named = [], [], False
        by_oxygen = facts == ["spo2"] and _BY_OXYGEN.search(self.context.text) is not None
        if by_oxygen:
            expression = conjoin(*(Comparison("spo2", "<=", b.value, "%") for b in limit.sides[:1]), Presence("prior_therapy", "oxygen_therapy", Window("current")))
        if self.negation and self.pieces and self.pieces[-1].negation == self.negation and not self.joint and _WITH.search(self.context.text, max(0, (named := self._name_before(at)) - 12), named):
            self.pieces[-1] = replace(self.pieces[-1], expression=conjoin(self.pieces[-1].expression, expression))  # "no HIV with CD4 < 200"
            return end
        listed = any(p.negation == self.negation for p in self.pieces)  # "no asthma and platelets ≥ 50": the negation has had its list
        negation, self.negation = 0 if listed else self.negation, 0
        if facts == ["age"] and self._of_an_age(at):
            self.last_heads, self.compared = before
            self._limit_to(expression)
            return end + (self._next_kind(end, 0) == "age")
        self._add(expression if not negation else negate(expression), measured=facts[0])
        if self.whose is not None:
            self._limit_to(self.whose)
            self.whose = None
        if by_oxygen:
            return len(self.tokens)
        if facts == ["prior_lines"] and (kind := self._lines_of_a_kind(end, limit)):
            self._limit_lines(at, kind)
            end = kind
        if facts == ["prior_lines"]:
            while end < len(self.tokens) and self.tokens[end].kind in ("lines", "stop", "filler", "ever"):
                end += 1
        while self._next_kind(end, 0) == "age":
            end += 1
        named = end + (self._next_kind(end, 0) == "stop")
        return named + 1 if self._next_kind(named, 0) == "test" and self.tokens[named].value in facts else end

    def _name_before(self, at: int) -> int:
        """Where the name begins that a limit is written after."""
        start = self.tokens[at].start
        for token in reversed(self.tokens[:at]):
            if token.kind in ("number", ";"):
                break
            start = token.start if token.kind in ("test", "age", "transaminases") else start
        return start

    def _of_an_age(self, at: int) -> bool:
        """Whether the age is of those whom the limit before it is for: "< 80 % for patients ≥ 60 years"."""
        led = self._next_kind(at, -1) == "subject" and at > 1 and self._words(self.tokens[at - 2]) in ("for", "in")
        return led and len(self.pieces) > 0 and self.pieces[-1].measured not in ("", "age")

    def _pressures(self, limit: Bounds) -> tuple[Expression, int] | None:
        """ "Blood pressure > 160/100 mmHg": either is too high; below a limit both must lie, but for an exclusion."""
        second = quantity(self.tokens, limit.end + 1) if self._next_kind(limit.end, 0) == "/" else None
        if second is None:
            return None
        systolic, (diastolic, end) = limit.sides[0], second
        pair = [self._comparison("systolic_bp", replace(systolic, unit=diastolic.unit), limit), self._comparison("diastolic_bp", replace(diastolic, op=systolic.op), limit)]
        return (disjoin if self.context.exclusion or systolic.op[0] == ">" else conjoin)(*pair), end

    def _facts(self, at: int, limit: Bounds, ahead: Token | None) -> list[str]:
        """What a limit is about: the tests named before it, else what its unit or the words around it say; empty for none."""
        word = self._words(self.tokens[at])
        if "young" in word or "older" in word or (limit.end and "older" in self._words(self.tokens[limit.end - 1])) or "young" in self._words(self.tokens[limit.end - 1]):
            return ["age"]
        if limit.time:
            return self._time_facts(at, limit, ahead)
        if any(t.kind == "age" for t in self.tokens[at : limit.end]) or (self._of_an_age(at) and limit.sides[-1].unit is None and not limit.sides[-1].x_uln):
            return ["age"]  # "under the age of 18", "< 70 % for patients < 60"
        if self.heads and self.heads[-1] == "age":
            return ["age"] if limit.sides[-1].unit is None and 0 < limit.sides[-1].value <= 120 else []
        if ahead is not None and ahead.kind == "age":
            return ["age"]
        if ahead is not None and limit.sides[-1].unit is None and (ahead.kind == "lines" or self._lines_follow(limit.end)):
            return ["prior_lines"]
        spelled = self._words(self.tokens[at])
        if limit.bare and spelled.isalpha() and spelled not in ROMAN:
            return []  # a count in words: "the three tests"
        if self.heads:
            told = ("test", "stop", "filler", ":", "lead", "age", "word", ")", "op", "chains", "(", "=", "number", "unit", "-", ",", "between")
            if limit.bare and not limit.sides[0].x_uln and limit.sides[0].unit is None and self._next_kind(at, -1) not in told:
                return []
            return self._tests(at, limit, ahead)
        if limit.bare or (ahead is not None and ahead.kind in ("drug", "therapy", "condition", "regimen")):
            return []
        if ahead is not None and ahead.kind == "test":
            return [ahead.value] if not limited(self.tokens, limit.end) else self.last_heads
        return self._unnamed(at, limit, ahead)

    def _time_facts(self, at: int, limit: Bounds, ahead: Token | None) -> list[str]:
        if "life_expectancy" in self.heads:
            return ["life_expectancy"]
        if "age" in self.heads or (ahead is not None and ahead.kind == "age"):
            return ["age"]
        tests = self.heads or [t.value for t in self.tokens[limit.end : limit.end + 2] if t.kind == "test"]
        if tests and load_vocabulary().tests[tests[-1]].unit == "wk":
            return tests[-1:]  # a pregnancy is measured in weeks: "< 70 days' gestation"
        if self.heads:
            return []  # how long, not how much
        years = any(b.days == 365 for b in limit.sides)
        before = self.tokens[at - 1] if at else None
        lasting = before is not None and (before.kind in ("filler", "condition", "test", "therapy") or before.value in ("for", "of"))
        people = all(p.group or p.measured == "age" for p in self.pieces) and not self.unknown and not lasting
        who = next((t.kind for t in reversed(self.tokens[:at]) if t.kind != "stop"), "")
        if not limit.bare and ((people and (years or who == "subject")) or who == "life_stage" or (years and who == "subject" and self._of_an_age(at))):
            return ["age"]
        return []

    def _unnamed(self, at: int, limit: Bounds, ahead: Token | None) -> list[str]:
        """A limit whose test the vocabulary lacks goes by the document's own words; a counted noun or a dose is no test."""
        unit = limit.sides[-1].unit
        if unit and re.match(r"(?:min|h|days?|sec|s\b)", unit, re.IGNORECASE):
            return []  # how long, not how much
        if unit == "%" and any(t.value == "bone_marrow_impairment" for t in self.unknown):
            return ["bone_marrow_plasma_cells"]
        if unit and re.search(r"/\s?(?:kg|m2|m\^2|m²)", unit) and not unit.startswith("k"):
            return []  # a dose
        if unit and _DOSE.fullmatch(unit) and any(isinstance(p.expression, Presence) and p.expression.fact in ("prior_therapy", "allergy") for p in self.pieces):
            return []
        if unit == "%" and [t.value for t in self.tokens[limit.end : limit.end + 1]] == ["of"] and any(t.kind == "subject" for t in self.tokens[limit.end : limit.end + 3]):
            return []
        counted = unit is None and ahead is not None and ahead.kind in ("word", "filler", "subject", "times", "unit", "adjective") and not limit.sides[-1].x_uln
        concept = max((t.start for t in self.tokens[:at] if t.kind in CONCEPTS), default=-1)
        named = [t for t in self.unknown if t.kind not in ("op", "number", "unit") and len(t.value) > 1 and t.start > concept][-3:]
        if named and not counted:
            return ["_".join(self.context.text[t.start : t.end].lower() for t in named).replace("-", "_").replace(" ", "_")]
        last = self.pieces[-1].expression if len(self.pieces) > self.chunk else None
        if isinstance(last, Presence) and unit and (last.fact == "condition" or re.fullmatch(r"c?gy", unit, re.IGNORECASE)):
            return [last.value]
        if unit and at and self.tokens[at - 1].kind == "filler":
            return [self._words(self.tokens[at - 1]).replace(" ", "_").replace("-", "_")]
        last_heads = [f for f in self.last_heads if fits(f, limit.sides[-1])] or _kindred(self.last_heads, limit)
        if last_heads and not counted and (self.last_heads != ["age"] or not isinstance(last, Presence) or self.pieces[-1].group):
            return last_heads
        people = ahead is None or ahead.kind in ("op", "stop", ",", ";", ")", "and", "or", "but", "if", "lead") or self._next_kind(at, -1) in ("subject", "life_stage", "subgroup")
        if unit is None and people and not self.unknown and 10 <= limit.sides[0].value <= 110 and not limit.listed and all(p.group for p in self.pieces):
            return ["age"]
        if (scale := self._named_after(limit.end)) is not None:
            return [scale]
        following = []
        for token in self.tokens[limit.end : limit.end + 5]:
            if token.kind == "word":
                following.append(token.value)
            elif token.kind != "stop":
                break
        scored = any("score" in self._words(t) for t in self.tokens[max(0, at - 3) : at])
        if not following and scored and self.pieces and isinstance(last := self.pieces[-1].expression, Unparsed):
            following = re.findall(r"\w+", last.text.lower())
            self.pieces.pop()
        return ["_".join(following[:3]).replace("-", "_")] if following and (unit or scored) else []

    def _named_after(self, at: int) -> str | None:
        """The test that follows its limit: "at least 5 on the 0-10 numeric rating scale"."""
        for place in range(at, min(at + 8, len(self.tokens))):
            token = self.tokens[place]
            if token.kind == "test":
                return None if limited(self.tokens, place) else str(token.value)
            if token.kind not in ("stop", "word", "number", "-", "filler"):
                return None
        return None

    def _tests(self, at: int, limit: Bounds, ahead: Token | None) -> list[str]:
        """The tests named, those whose unit it can be; a unit of none of them is of a kindred test ("creatinine > 60 mL/min")."""
        if (ratio := "_".join(self.heads)) in RATIOS:
            return [ratio]
        facts = [h for h in self.heads if h not in ("age", "life_expectancy")]
        if {"systolic_bp", "diastolic_bp"} & set(facts):
            facts = [f for f in facts if f != "blood_pressure"]
        fitting = [f for f in facts if fits(f, limit.sides[-1])]
        if fitting or not facts:
            return fitting
        nearest = [t.value for t in reversed(self.tokens[:at]) if t.kind == "test"][:1]  # "poorly controlled glucose as shown by HbA1c > 8 %"
        kindred = [k for k in nearest if fits(k, limit.sides[-1])] or _kindred(facts, limit)
        dose = _DOSE.fullmatch(limit.sides[-1].unit or "") and any(t.kind in ("drug", "therapy") for t in self.tokens[max(0, at - 4) : at])
        if kindred or limit.bare or dose:
            return kindred[:1]
        return (self._unnamed(at, limit, ahead) if self.unknown else []) or facts

    def _extent(self, at: int, limit: Bounds) -> bool:
        """ "On a 0-10 numeric rating scale": the ends of a scale are no limits."""
        ends = len(limit.sides) == 2 and limit.sides[0].value <= 1 and self._next_kind(at, -1) == "stop" and self.tokens[at - 1].value in ("a", "an", "the")
        return ends and any(w in self._words(t) for t in self.tokens[limit.end : limit.end + 5] for w in ("scale", "point"))

    def _carried(self, limit: Bounds, ahead: Token | None) -> tuple[list[str], Bounds]:
        """A bare number is compared like the limit before it: of the same test, of one named after it, or of a kindred one by its unit."""
        named, before = self.compared or ([], limit)
        if (shared := _shared(before, limit)) is not None:
            return [ahead.value] if ahead and ahead.kind == "test" and not limited(self.tokens, limit.end) else named, shared
        kindred = _kindred(named, limit) if limit.bare and limit.sides[0].unit and not before.bare else []
        return kindred, replace(limit, sides=(replace(limit.sides[0], op=before.sides[-1].op),), bare=False) if kindred else limit

    def _alternative(self, at: int, unit: bool, after: Token | None) -> bool:
        """Whether a number stands beside the limit before it: "> 450 ms in men or 470 ms in women", "≥ 30, or 27 with diabetes"."""
        if self._next_kind(at, -1) == "/" and self.tokens[at].value == 24:
            return False  # "200 milligram [mg]/24 hours"
        between = next((t for t in reversed(self.tokens[:at]) if t.kind not in ("subgroup", "stop", ":", ")", "if", "filler")), None)
        joints = ("or", "and", "/", ",", ";") if unit else ("or",) if after is not None and (after.kind == "if" or after.value in ("with", "for", "in")) else ()
        return between is not None and between.kind in joints

    def _change(self, at: int, limit: Bounds) -> bool:
        """ "A decrease in blood pressure of more than 20 mmHg", "weight loss > 10 %": no level of the test."""
        if limit.sides[0].op[0] != ">" or limit.sides[0].x_uln:
            return False
        for token in reversed(self.tokens[max(0, at - 10) : at]):
            if token.kind not in ("test", "word", "stop", "filler", "(", ")", "-", "adjective", "current"):
                break
            if token.kind == "word" and token.value in CHANGES:
                return True
        return False

    def _respective(self, facts: list[str], limit: Bounds) -> tuple[list[Bounds], int]:
        """The limit of each test and the place after them: "systolic or diastolic pressure > 160 or 100 mmHg, respectively"."""
        limits = [limit]
        while len(limits) < len(facts) and self._next_kind(limits[-1].end, 0) in ("or", "and", ",", "/"):
            following = bounds_at(self.tokens, limits[-1].end + 1)
            if following is None:
                break
            limits.append(_shared(limit, following) or following)
        told = any("respectively" in self._words(t) for t in self.tokens[limits[-1].end : limits[-1].end + 4])
        return (limits, limits[-1].end) if len(limits) == len(facts) and told else ([limit] * len(facts), limit.end)

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


def _ordinal(fact: str) -> bool:
    """Whether a fact has a few values, of which one may be asked: "ECOG 1", "1 prior line"."""
    test = load_vocabulary().tests.get(fact)
    return test.kind == "score" if test else fact != "age"


def _shared(before: Bounds, limit: Bounds) -> Bounds | None:
    """A bare number in the unit of the limit before it is compared like that one; None where it is another quantity."""
    first, last = limit.sides[0], before.sides[-1]
    alike = first.unit == last.unit or None in (first.unit, last.unit)
    if not limit.bare or before.bare or len(before.sides) > 1 or not alike or (first.x_uln, first.x_lln) != (last.x_uln, last.x_lln):
        return None
    return replace(limit, sides=(replace(first, op=last.op),), bare=False)


def _kindred(facts: list[str], limit: Bounds) -> list[str]:
    """The test of the same substance in the unit of the limit: creatinine and its clearance, the M-protein of serum and of urine."""
    for fact in facts:
        fluids = {"urine_m_protein"} if fact in FLC else {fact.replace("serum_", "urine_"), fact.replace("urine_", "serum_")}
        kin = [t for t in load_vocabulary().tests if t != fact and (t.startswith(f"{fact}_") or t in fluids) and fits(t, limit.sides[-1])]
        if kin:
            return kin[:1]  # light chains of the urine are its M-protein
    return []


def _class(expression: Expression) -> Expression:
    match expression:
        case AllOf(parts):
            return AllOf(tuple(_class(p) for p in parts))
        case Comparison():
            return replace(expression, unit=CLASS)
    return expression
