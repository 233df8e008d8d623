"""The words that limit the thing they stand beside: severity, control, course, site, kind."""

from __future__ import annotations

from dataclasses import dataclass, replace

from matcher.domain import Presence
from matcher.trials.reading import Reading

SEVERITIES = ("mild", "moderate", "severe")  # CTCAE v5
OF_TREATMENT = frozenset({"dose", "site", "route", "extent", "intensity", "purpose", "course", "class"})  # the qualifiers that limit a treatment
_OPPOSITE = {("treatment", "systemic"): "none", ("control", "controlled"): "uncontrolled", ("control", "uncontrolled"): "controlled"}


def qualified(said: Presence, name: str, value: str) -> Presence:
    """The statement with one more limit."""
    return replace(said, qualifiers=tuple(sorted({**dict(said.qualifiers), name: value}.items())))


@dataclass
class Qualifiers(Reading):
    """Severity, control, course, site, kind."""

    def _on_qual(self, at: int) -> int:
        name, value = self.tokens[at].value.split("=")
        if (other := self._two_of(at, name)) is not None:
            name, value, at = other
            if not value:
                return at + 1
        concept = self._next_concept(at + 1)
        if name == "kind" and (concept is None or concept.kind != "condition"):
            return at + 1  # "the first dose", "advanced setting"
        if concept is None and self.negation and len(self.pieces) > self.chunk and not any(p.negation == self.negation for p in self.pieces[self.chunk :]):
            if (name, value) not in _OPPOSITE:
                return at + 1
            value, self.negation = _OPPOSITE[name, value], 0  # "autoimmune disease not requiring treatment"
        if name == "origin" and self._next_kind(at) in ("or", "/") and self._next_kind(at, 2) == "condition":
            return at + 2  # "acquired or inherited ...": of either origin
        if self._next_kind(at) in ("or", "/") and self._next_kind(at, 2) in ("state", "current") and (named := self._next_concept(at + 2)) and named.kind == "condition" and name not in OF_TREATMENT:
            self._add(Presence("condition", named.value, qualifiers=((name, value),)))  # "symptomatic or untreated brain metastases"
            return at + 1
        of_another = name != "acuity" and self._next_kind(at) in ("or", "/") and self._next_kind(at, 2) in ("condition", "drug", "therapy")
        if of_another or (concept is None and self._next_kind(at) == "word"):  # "high-grade or follicular lymphoma"
            self.unknown.append(self.tokens[at])
        elif concept is None and len(self.pieces) > self.chunk:
            if isinstance(said := self.pieces[-1].expression, Presence) and said.fact == "disease" and name == "extent":
                self.unknown.append(self.tokens[at])  # "carcinoma in situ" of the disease under study
            self._qualify_last(name, value)
        elif concept is None and self.about is not None and name not in OF_TREATMENT:
            self._add(qualified(self.about, name, value))
        elif concept is None and self.pieces and self.about is None and name in ("control", "treatment"):
            for place in range(len(self.pieces) - 1, -1, -1):  # "..., and are difficult to control": all of them
                self._qualify(place, name, value)
                if self.pieces[place].opens or self.pieces[place].joint == ";":
                    break
        else:
            self.qualifiers[name] = value
        return at + 1

    def _two_of(self, at: int, name: str) -> tuple[str, str, int] | None:
        """ "Moderate or severe", "pelvic or mediastinal": (name, what both say together, where the second stands); severities have an order."""
        joint, other = self.tokens[at + 1 : at + 2], self.tokens[at + 2 : at + 3]
        if not (joint and other and joint[0].kind in ("or", "/", "and") and other[0].kind == "qual" and other[0].value.startswith(name + "=")):
            return None
        values = [self.tokens[at].value.partition("=")[2], other[0].value.partition("=")[2]]
        if name != "severity" or set(values) - set(SEVERITIES):
            return name, " or ".join(dict.fromkeys(values)) if name in OF_TREATMENT else "", at + 2
        low = min(values, key=SEVERITIES.index)
        return name, f">={low}" if "severe" in values else f"<={max(values, key=SEVERITIES.index)}", at + 2

    def _qualify_last(self, name: str, value: str) -> None:
        """The last of the chunk that can have the limit; where none can, it waits and is not lost."""
        if not any(self._qualify(place, name, value) for place in range(len(self.pieces) - 1, self.chunk - 1, -1)):
            self.qualifiers.setdefault(name, value)

    def _qualify(self, place: int, name: str, value: str) -> bool:
        piece = self.pieces[place]
        said = piece.expression
        if not isinstance(said, Presence) or not (said.fact in ("condition", "allergy") or (said.fact == "prior_therapy" and name in OF_TREATMENT) or (said.fact == "disease" and name == "treatment")):
            return False
        self.pieces[place] = replace(piece, expression=qualified(said, name, value))
        return True
