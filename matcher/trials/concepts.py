"""Named things: conditions, treatments, antigens."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from matcher.domain import (
    AnyOf,
    AtScreening,
    Comparison,
    Expression,
    Not,
    Presence,
    PresenceFact,
    Unparsed,
    Window,
)
from matcher.trials.exceptions import GENERAL
from matcher.trials.lexer import Token, name_of_whole
from matcher.trials.logic import EXTENT, conjoin, disjoin
from matcher.trials.qualifiers import OF_TREATMENT
from matcher.trials.words import SEPARATORS, Words, controllable
from models import load_vocabulary

_ANOTHER = re.compile(r"\b(?:another|other|second(?:ary)?|additional|concurrent|concomitant|synchronous|different)\b[^.;,:]{0,45}$", re.IGNORECASE)
_ANOTHER_OF_KIND = re.compile(r"(?<!or )(?<!and )\b(?:an)?other\s+(?:(?:known|clinically|significant|serious|chronic|active|major|concurrent|underlying)\s+){0,2}$", re.IGNORECASE)  # not the end of a list, "asthma or other lung disease"
_TREATMENT = r"(?:medications?|medicines?|drugs?|agents?|therap(?:y|ies)|treatments?|prevention|prophylaxis)"
_TREATED = re.compile(rf"(?:\banti[- ]?|\b{_TREATMENT}\s+(?:\w+\s+)?(?:for|of|against)\s+(?:(?:this|the|any|their)\s+)?(?:(?:treatment|prevention)\s+of\s+)?)$", re.IGNORECASE)
_TREATING = re.compile(rf"\s(?:{_TREATMENT}|(?:clinical\s+)?(?:trial|study))\b", re.IGNORECASE)
_NOT_THE_STUDIED = re.compile(r"[^.;,]{0,12}\b(?:other than|except|besides|apart from|excluding)\b[^.;]{0,25}\b(?:stud(?:y|ied)|trial|current|present|index|primary|target)\b", re.IGNORECASE)
_KIN = re.compile(r"\b(?:family|familial|relatives?|first[- ]degree relatives?|(?:biological )?(?:parents?|siblings?))\s+(?:members?\s+)?(?:(?:medical\s+)?history|with|diagnosed|who (?:has|have|had))\b[^.;:]{0,40}\Z", re.IGNORECASE)
_CAUSE = re.compile(r"\b(?:toxicit(?:y|ies)|adverse events?|AEs?|effects?)\b[^.;()]{0,60}?\b(?:from|due to|related to|caused by|attributable to|attributed to)\b(?:(?!\bwithin\b)[^.;()]){0,90}\Z", re.IGNORECASE)
_STATED = ((r"relaps.*refract|refract.*relaps|^rr|r/r", "relapsed_refractory"), (r"newly|^nd", "newly_diagnosed"), (r"refractory", "refractory"), (r"relapse", "relapsed"))
_OF = re.compile(r".{3,40}\bof (?:the )?(?=\w+\Z)", re.IGNORECASE)
_ISOTYPES = ("igg", "iga", "igm", "igd", "ige")  # "IgA myeloma" is a kind of it, not a level
HIGH_RISK = "high_risk_cytogenetics"  # what it is defined as, or such as, says no more
TREATMENT_FRAMES = {"prior_therapy", "refractory_to", "allergy", "intolerant_to"}


@dataclass
class Concepts(Words):
    """Named things: conditions, treatments, antigens."""

    def _on_concept(self, at: int) -> int:
        token = self.tokens[at]
        if token.kind == "condition":
            if self.frame in ("required", "current_therapy", "prior_therapy") and self._words(token) == "immunosuppression":
                self._treatment("immunosuppressant")
            elif self._adjective(token) or (self._next_kind(at) == "organ_word" and self._words(self.tokens[at + 1]) == "status" and "positive" not in self._words(token)):
                self.unknown.append(token)  # "known HIV status": of either result
            elif not self._purpose(at):
                if self.context.exclusion and not self.joint and self._next_kind(at, -1) == "condition" and self._unlike(self.tokens[at - 1], token):
                    self.joint = ","  # a list that lost its lines
                if self.governs and self._next_kind(at, -1) in SEPARATORS and "control" not in self.qualifiers and controllable(token.value):
                    self.qualifiers["control"] = self.governs
                self._condition(token)
        elif token.kind == "therapy" and self.frame not in TREATMENT_FRAMES and _CAUSE.search(self.context.text, max(0, token.start - 170), token.start):
            pass  # "toxicity due to chemotherapy or radiotherapy": what caused it
        elif token.kind == "therapy" and self._method(token):
            pass  # how it was measured
        elif token.kind == "regimen":
            first = len(self.pieces)
            for drug in load_vocabulary().regimens[token.value].drugs:
                self._treatment(drug)
            if len(self.pieces) - first > 1:
                self.pieces[first:] = [replace(self.pieces[first], expression=conjoin(*(p.expression for p in self.pieces[first:])))]
        else:
            self._treatment(token.value)
        return at + 1

    def _on_together(self, at: int) -> int:
        """ "A, B and C in combination": all of them are asked, not each."""
        first = len(self.pieces)
        while first and _treated(self.pieces[first - 1].expression) and (first == len(self.pieces) or self.pieces[first].joint in (",", "and")):
            first -= 1
        if len(self.pieces) - first > 1:
            self.pieces[first:] = [replace(self.pieces[first], expression=conjoin(*(p.expression for p in self.pieces[first:])))]
        return at + 1

    def _on_separator(self, at: int) -> int:
        if not self._tail_of():
            self._head_of(at)
        return super()._on_separator(at)

    def _close_chunk(self) -> None:
        self._tail_of()
        super()._close_chunk()

    def _of_noun(self, before: str, noun: Token) -> tuple[str, str] | None:
        """What the words before name together with all, all but the first, or the last of the noun's words."""
        words = self._words(noun).split()
        return next((n for first in (0, 1, -1) if (n := name_of_whole(" ".join([before, *words[first:]]))) and n[0] == noun.kind), None)

    def _tail_of(self) -> bool:
        """ "Carcinoma in situ of the cervix or breast", "cancer of the colon, lung or ovary": the words after the connective are of the noun before it."""
        if not self.unknown or len(self.pieces) > self.chunk or self.heads or self.joint not in ("or", "and", ","):
            return False
        last = next((t for t in reversed(self.tokens) if t.kind == "condition" and t.end <= self.unknown[0].start), None)
        if last is None:
            return False
        noun = _OF.match(self.context.text, last.start, last.end)
        place = self.context.text[self.unknown[0].start : self.unknown[-1].end]
        named = (name_of_whole(noun[0] + place) or ("situ" in noun[0] and name_of_whole(f"carcinoma in situ of the {place}"))) if noun else None
        if not named or named[0] != "condition":
            return False
        self.unknown = []
        self._condition(Token(*named, last.start, last.end))
        return True

    def _head_of(self, at: int) -> None:
        """ "Pleural or pericardial effusion", "acute or chronic pancreatitis": the words before the connective are of the noun after it."""
        told = [self.tokens[at - 1]] if at and self.tokens[at - 1].kind == "qual" and "acuity" in self.qualifiers else self.unknown
        stated = all(isinstance(p.expression, Presence) and p.expression.fact == "disease_state" for p in self.pieces[self.chunk :])
        if not told or not stated or self.heads or (self.joint in ("or", "and") and self.tokens[at].kind == ","):
            return
        before = self.context.text[told[0].start : told[-1].end]
        follows, named = next(((t, n) for t in self.tokens[at + 1 : at + 9] if t.kind in ("condition", "therapy") and (n := self._of_noun(before, t))), (None, None))
        if follows is None:
            return
        if told is not self.unknown and (named or str(self.tokens[at + 1].value).startswith("acuity=")):
            self.qualifiers.pop("acuity")
        if named is not None:
            self.unknown, shared = [], self.qualifiers
            if named[0] == "condition":
                self._condition(Token(*named, follows.start, follows.end))
                self.qualifiers = shared  # "severe pulmonary or renal disease": both
            else:
                self._treatment(named[1])

    def _adjective(self, token: Token) -> bool:
        """ "Myeloma-defining events" are not myeloma, and "non-hematologic" says the opposite."""
        after = self.context.text[token.end : token.end + 10].lower()
        if self.context.text[: token.start].lower().endswith(("non-", "non ")):
            return token.value not in ("pregnancy", "breastfeeding", "smoking")
        return len(after) > 1 and after[0] == "-" and after[1].isalpha() and not after[1:].startswith(("patient", "subject", "positive", "negative", "infected"))

    def _unlike(self, before: Token, token: Token) -> bool:
        vocabulary, capital = load_vocabulary(), self.context.text[token.start : token.start + 2].istitle()
        return capital and len(self.pieces) > self.chunk and not vocabulary.is_a(before.value, token.value) and not vocabulary.is_a(token.value, before.value)

    def _purpose(self, at: int) -> bool:
        """ "... for multiple myeloma", "involvement of myeloma": what a treatment was for, not a statement of its own."""
        before = self.context.text[: self.tokens[at].start].lower().removesuffix("the ").split()
        led = before[-1:] and before[-1] in ("for", "of", "by", "against", "from", "in") and before[-2:-1] not in (["diagnosis"], ["history"], ["evidence"], ["form"], ["forms"])
        concept, last = self.tokens[at].value, self.pieces[-1].text if len(self.pieces) > self.chunk else ""
        if concept in GENERAL and last:  # "brain involvement by malignancy", "bleeding unrelated to cancer": of which it tells
            return bool(led) or before[-2:-1] in (["unrelated"], ["related"], ["due"], ["secondary"]) or (before[-1:] == ["with"] and load_vocabulary().is_a(last, "metastatic_disease"))
        of_own = bool(led and (self.pieces or self.unknown) and self._own(concept))
        if of_own and before[-1] == "for" and last and not load_vocabulary().is_a(concept, "neoplasm") and _treated(self.pieces[-1].expression):
            self._qualify_last("purpose", concept)  # "antibiotics for the infection under study"
        return of_own

    def _condition(self, token: Token) -> None:
        vocabulary = load_vocabulary()
        concept = token.value
        allergy = self.frame == "allergy"
        if concept in ("allergy", "drug_allergy"):
            another = re.search(r"\b(?:another|other|any)\b", self.context.text[max(0, token.start - 30) : token.start], re.IGNORECASE)
            if not another and self._allergen_follows(token):
                self.frame = "allergy"
                return
            if another or not any(isinstance(p.expression, Presence) and p.expression.fact == "allergy" for p in self.pieces):
                self._add(Presence("allergy", "other" if concept == "allergy" else "drug", qualifiers=tuple(sorted(self.qualifiers.items()))))
            return
        malignant = vocabulary.conditions[concept].course == "malignancy" and concept not in EXTENT
        if concept in EXTENT:
            self._add_staged()
        isotype = ""
        if malignant and self.heads and all(h in _ISOTYPES for h in self.heads):
            isotype, self.heads, self.named = self.heads[0], [], False
        self.heads = [h for h in self.heads if h != "age"]
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
        disease = not allergy and (own or (not self.context.conditions and malignant and not self.context.exclusion and not self.negation))
        first = not self.pieces or self.governs or self.member or self.joint not in ("and", "or", ",")
        self.governs = self.qualifiers.get("control", "") if first else ""
        if (malignant or concept in GENERAL) and self.qualifiers.get("kind") in ("advanced", "invasive"):
            del self.qualifiers["kind"]  # as a cancer is
        qualifiers = tuple(sorted(self.qualifiers.items()))
        self.qualifiers = {}
        window = self.window or (Window("current") if self.current and not disease else self._window_of_kind(concept))
        if vocabulary.is_a(concept, "infectious_disease") and self.pieces and (self.member or self.joint in (",", "or")):
            qualifiers = qualifiers or tuple(q for q in getattr(self.pieces[-1].expression, "qualifiers", ()) if q[0] == "control")  # "uncontrolled infection with HIV or hepatitis B"
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
            if concept in ("active_infection", "viral_infection") and vocabulary.is_a(previous.value, "infectious_disease"):
                return
            if previous.value == "active_infection" and vocabulary.is_a(concept, "infectious_disease"):
                self.pieces[-1] = replace(self.pieces[-1], expression=replace(previous, value=concept))
                return
        if self.since:
            self._add(Comparison("days_since", ">=", float(self.since.days or 0), "d", of=concept))
            return
        if malignant:
            self._describe()
        excluding = self.context.conditions if concept in GENERAL and not disease and (self.context.exclusion or self.negation) else ()
        if (concept in GENERAL and not disease and all(c in EXTENT for c in excluding) and (self.context.exclusion or self.negation) and self._another(token)) or (concept not in GENERAL and not self.pieces and self.context.exclusion and len(vocabulary.descendants(concept)) > 1 and _ANOTHER_OF_KIND.search(self.context.text, max(0, token.start - 40), token.start)):
            qualifiers = tuple(sorted((*qualifiers, ("other", "yes"))))
        if (self.context.exclusion or self.negation) and not allergy and not vocabulary.is_a(concept, "allergy") and self._treats(token):
            qualifiers = tuple(sorted({**dict(qualifiers), "treatment": "given"}.items()))
        if kin := _KIN.search(self.context.text, max(0, token.start - 60), token.start):
            self._add(self._of_relatives(Presence("condition", concept), kin))
            return
        if vocabulary.is_a(concept, "drug_allergy"):
            self.frame = "allergy"  # "allergy to penicillin or cephalosporins"
        if isotype and self.context.exclusion:
            qualifiers = tuple(sorted((*qualifiers, ("isotype", isotype))))  # one isotype is not all of the disease
        self._add(Presence("allergy" if allergy else "disease" if disease else "condition", concept, window, qualifiers, excluding))

    def _treats(self, token: Token) -> bool:
        """ "Any treatment for X", "anti-X medication", "X drugs", "an X trial": who has X does not meet it by that alone."""
        text = self.context.text
        return _TREATED.search(text, max(0, token.start - 80), token.start) is not None or _TREATING.match(text, token.end) is not None

    def _another(self, token: Token) -> bool:
        """ "A second malignancy", "malignancy other than the disease under study": another than the patient's, whichever that is."""
        text = self.context.text
        return _ANOTHER.search(text, max(0, token.start - 40), token.end) is not None or _NOT_THE_STUDIED.match(text, token.end) is not None

    def _of_relatives(self, own: Presence, kin: re.Match[str]) -> Expression:
        """ "Family history of X", "personal or family history of X": of a relative, or of either."""
        self.unknown = [t for t in self.unknown if not kin.start() <= t.start < kin.end()]
        related = replace(own, qualifiers=(("relative", "yes"),))
        if self.pieces and isinstance(self.pieces[-1].expression, Unparsed) and self.pieces[-1].expression.text.lower() == "personal":
            self.joint = self.pieces.pop().joint
            return disjoin(own, related)
        return related

    def _window_of_kind(self, concept: str) -> Window | None:
        """An example is meant as the kind it is listed under: "active autoimmune disease, such as psoriasis"."""
        kind = next((p.expression for p in reversed(self.pieces) if not p.member), None) if self.member else None
        return kind.window if isinstance(kind, Presence) and load_vocabulary().is_a(concept, kind.value) else None

    def _describe(self) -> None:
        """ "Locally advanced or metastatic breast cancer": the alternatives are of the one disease."""
        first = len(self.pieces)
        while first and _describes(self.pieces[first - 1].expression) and (first == len(self.pieces) or self.pieces[first].joint in ("or", ",")):
            first -= 1
        if len(self.pieces) - first > 1 and not self.joint and any(p.joint == "or" for p in self.pieces[first + 1 :]):
            self.pieces[first:] = [replace(self.pieces[first], expression=disjoin(*(p.expression for p in self.pieces[first:])))]

    def _treatment(self, concept: str) -> None:
        if self.since:
            self.joint = self.joint and "and"  # at least 4 weeks since A, B or C: since each
            self._add(Comparison("days_since", ">=", float(self.since.days or 0), "d", of=concept))
            return
        if self.during:
            self._add(AtScreening(f"concurrent {concept.replace('_', ' ')}"))
            return
        if self._names_no_more(concept):
            return
        if self.frame == "not_now":
            self._add(AtScreening(f"candidate for {concept.replace('_', ' ')}"))
            return
        previous = self.pieces[-1].expression if self.pieces else None
        if isinstance(previous, Presence) and previous.value == concept and not self.joint:
            return
        fact: PresenceFact = self.frame if self.frame in TREATMENT_FRAMES else "prior_therapy"  # type: ignore[assignment]
        row = load_vocabulary().therapies.get(concept)
        if fact == "allergy" and row is not None and row.kind == "procedure":
            fact = "prior_therapy"  # nobody is allergic to radiotherapy
        excluding: tuple[str, ...] = ()
        if concept == "systemic_corticosteroid":
            concept, excluding = "corticosteroid", ("inhaled_corticosteroid", "topical_corticosteroid")
        needed = self.frame == "required" and (row is None or row.kind != "procedure")
        if isinstance(previous, Presence) and previous.fact == fact and not self.joint and len(self.pieces) > self.chunk and load_vocabulary().is_a(concept, previous.value):
            self.joint = self.pieces.pop().joint  # "anticoagulation with warfarin": the latter
        now = self.current or self.frame == "current_therapy" or needed or self.qualifiers.get("acuity") == "chronic"
        window = self.window or (Window("current") if now and fact == "prior_therapy" else None)
        if concept == "stem_cell_transplant" and fact == "prior_therapy":
            self._add(AnyOf((Presence(fact, "autologous_transplant", window), Presence(fact, "allogeneic_transplant", window))))
            return
        self.qualifiers.pop("acuity", None)
        qualifiers = tuple(sorted((k, v) for k, v in self.qualifiers.items() if fact == "allergy" or k in OF_TREATMENT))
        self.qualifiers = {}
        self._add(Presence(fact, concept, window, qualifiers, excluding))

    def _on_marker(self, at: int) -> int:
        """A receptor, antigen or alteration that is asked to be there (or, `no_marker`, not to be)."""
        token = self.tokens[at]
        there = Presence("expression", token.value)
        asked = there if token.kind == "marker" else Not(there)
        last = self.pieces[-1] if self.pieces else None
        general = isinstance(last.expression, Presence) and self._is_kind(there, last.expression) if last else False
        if last and isinstance(last.expression, Presence) and general and last.expression.fact == "expression" and not self.joint:
            self.pieces[-1] = replace(last, expression=asked)  # "BRAF mutation V600E"
        elif not (last and (last.expression == asked or (general and last.text == HIGH_RISK))):  # "MSI-H or dMMR"
            self._add(asked)
        return at + 1

    def _is_kind(self, marker: Presence, general: Presence) -> bool:
        vocabulary = load_vocabulary()
        above = vocabulary.ancestors(vocabulary.markers[marker.value].fact) - {vocabulary.markers[marker.value].fact}
        known = vocabulary.markers.get(general.value)
        return (known.fact if known and general.fact == "expression" else general.value) in above

    _on_no_marker = _on_marker

    def _on_target(self, at: int) -> int:
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
        elif (self.frame in TREATMENT_FRAMES | {"current_therapy"} or any(self._words(t).startswith("na") for t in self.tokens[at + 1 : at + 3])) and value in therapies:
            self._treatment(value)
        else:
            self.unknown.append(self.tokens[at])
        return at + 1


def _treated(expression: Expression) -> bool:
    return isinstance(expression, Presence) and expression.fact == "prior_therapy"


def _describes(expression: Expression) -> bool:
    asked = expression.part if isinstance(expression, Not) else expression
    return isinstance(asked, Presence) and (asked.fact == "expression" or (asked.fact == "condition" and asked.value in EXTENT))
