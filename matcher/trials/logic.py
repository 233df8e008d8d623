"""Joining pieces of a sentence: negation and its scope, and/or with precedence, and the plain constructors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from matcher.domain import AllOf, AnyOf, AtScreening, Comparison, Expression, Kind, Not, Presence, Unparsed
from matcher.expressions import atoms
from models import load_vocabulary


@dataclass(frozen=True, slots=True)
class Context:
    """What the sentence stands in: its text, the role of the criterion, and the trial's own diseases."""

    text: str
    kind: Kind
    conditions: tuple[str, ...] = ()
    depth: int = 0  # of clauses within clauses

    @property
    def exclusion(self) -> bool:
        return self.kind is Kind.EXCLUSION

    @property
    def excluding(self) -> Context:
        """The same context for a clause that lists what is excluded."""
        return replace(self, kind=Kind.EXCLUSION, depth=self.depth + 1)

    @property
    def inner(self) -> Context:
        """The same context for a clause within the clause."""
        return replace(self, depth=self.depth + 1)

@dataclass(frozen=True, slots=True)
class Piece:
    """`joint`: what stood before it: "" (nothing), "," "and" "or" ";". `negation`: the scope it stands in, 0 for none.
    `opens`: its chunk begins anew ("or a history of ..."). `group`: names who the sentence is about, not what is asked."""

    expression: Expression
    joint: str = ""
    negation: int = 0
    opens: bool = False
    group: bool = False
    judged: bool = False  # the investigator decides about what stands before it
    measured: str = ""  # the fact of a comparison
    member: bool = False  # an example of the class before it
    demanded: bool = False  # a group of whom more is asked than of others: "men must ..."
    either: bool = False  # begins "either A or B", which holds together before any `and`

    @property
    def text(self) -> str:
        return getattr(self.expression, "value", "") if isinstance(self.expression, Presence) else ""


EXTENT = ("metastatic_disease", "locally_advanced_disease", "unresectable_disease")  # of the disease, no disease beside it
LIFE_STAGES = frozenset({"newborn", "infant", "child", "adolescent", "adult", "older_adult"})


def conjoin(*parts: Expression | None) -> Expression:
    """All of the parts; nested conjunctions are one, and one part is itself."""
    return _join(AllOf, parts)


def disjoin(*parts: Expression | None) -> Expression:
    """Any of the parts; nested disjunctions are one, and one part is itself."""
    return _join(AnyOf, parts)


def _join(kind: type[AllOf] | type[AnyOf], parts: Iterable[Expression | None]) -> Expression:
    flat: list[Expression] = []
    for part in parts:
        for inner in part.parts if isinstance(part, kind) else () if part is None else (part,):
            if inner not in flat:
                flat.append(inner)
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def negate(expression: Expression) -> Expression:
    """The opposite; two negations cancel, and what is not understood stays so."""
    if isinstance(expression, Not):
        return expression.part
    if isinstance(expression, Unparsed | AtScreening):
        return expression
    return Not(expression)


def combine(pieces: Sequence[Piece], exclusion: bool) -> Expression | None:
    """One expression of a sentence's pieces, or None where there are none.

    "A, B and C" takes the last connective for its commas; `and` binds closer than `or`, except that an exclusion's list of
    three or more findings excludes each of them. A negation covers its whole list: "no A or B" denies both.
    """
    told = [p for p in pieces if not p.group]
    if exclusion and (cut := _next_group(pieces)):
        return disjoin(combine(pieces[:cut], exclusion), combine(pieces[cut:], exclusion))
    aged = any(p.measured == "age" for p in told)  # years say more than "children"
    groups = [p for p in pieces if p.group and not (aged and p.text in LIFE_STAGES)]
    if not told:
        return disjoin(*(p.expression for p in groups)) if groups else None
    body = _body(told, exclusion)
    staged = [p.expression for p in groups if p.text in LIFE_STAGES]
    if exclusion and staged and all(isinstance(e, Unparsed | AtScreening) for e in atoms(body)):
        return body
    if exclusion and staged and told[0].joint in ("and", "or", ","):
        return disjoin(*staged, body)  # "newborns and pregnant women"
    return _subgroup(groups, told, body, exclusion) if groups else body


def _next_group(pieces: Sequence[Piece]) -> int:
    """Where a list goes on with other people: "pregnant women, or women of childbearing potential who ..."; 0 where it does not."""
    listed = (at for at, p in enumerate(pieces) if p.group and at and p.joint in ("or", ",") and p.text not in LIFE_STAGES)
    return next((at for at in listed if any(not p.group for p in pieces[:at]) and any(not p.group for p in pieces[at:])), 0)


def _subgroup(groups: Sequence[Piece], told: Sequence[Piece], body: Expression, exclusion: bool) -> Expression:
    if any(isinstance(e, Presence) and e.value in ("pregnancy", "breastfeeding") for e in atoms(body)) and all(p.text == "female" for p in groups):
        return body
    if all(isinstance(e, AtScreening) for e in atoms(body)):
        groups = [replace(p, expression=Presence("condition", "childbearing_potential")) if p.text == "female" else p for p in groups]
    if not exclusion and {p.text for p in groups} == {"male"} and any(isinstance(e, Presence) and e.value == "pregnancy" for e in atoms(body)):
        return body  # "males and non-pregnant females"
    who = disjoin(*(p.expression for p in groups))
    if {p.text for p in groups} >= {"male", "female"}:
        return body
    if exclusion:
        return conjoin(who, body)
    if any(p.demanded or p.text == "childbearing_potential" for p in groups) or any(isinstance(e, AtScreening) for e in atoms(body)):
        return disjoin(negate(who), body)
    return conjoin(who, body)


def _body(pieces: Sequence[Piece], exclusion: bool) -> Expression:
    units: list[tuple[str, Expression, Piece]] = []
    pieces = _illustrated(pieces, exclusion)
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        if piece.negation:
            end = at + 1
            while end < len(pieces) and pieces[end].negation == piece.negation:
                end += 1
            units.append((piece.joint, _denied(pieces[at:end]), piece))
            at = end
            continue
        if piece.judged:
            if not units:
                units.append((piece.joint, piece.expression, piece))
            else:
                before = _join_units([(j, e) for j, e, _ in units], [p for *_, p in units], exclusion)
                units = [("", conjoin(before, piece.expression), piece)]
            at += 1
            continue
        units.append((piece.joint, piece.expression, piece))
        at += 1
    return _join_units([(j, e) for j, e, _ in units], [p for *_, p in units], exclusion)


def _illustrated(pieces: Sequence[Piece], exclusion: bool) -> list[Piece]:
    """A broad group with examples excludes what is like them; another member of the group is for the investigator."""
    shown: list[Piece] = []
    for at, piece in enumerate(pieces):
        if exclusion and not piece.member and not piece.negation and at + 1 < len(pieces) and pieces[at + 1].member and _broad(piece.expression):
            piece = replace(piece, expression=conjoin(piece.expression, AtScreening("such a condition")))
        shown.append(piece)
    return shown


def _broad(expression: Expression) -> bool:
    if not isinstance(expression, Presence) or expression.fact != "condition" or expression.value in ("malignancy", "neoplasm"):
        return False
    row = load_vocabulary().conditions.get(expression.value)
    return row is not None and row.course == "group" and not row.source.startswith("vocabulary")


def _denied(pieces: Sequence[Piece]) -> Expression:
    """No A, B or C: each is absent; what only tightens a piece ("no uncontrolled X") stays with it."""
    parts: list[Expression] = []
    for piece in pieces:
        if not piece.joint and parts and not isinstance(piece.expression, Comparison):
            parts[-1] = conjoin(parts[-1], piece.expression)
        else:
            parts.append(_not_for(piece.expression))
    return negate(parts[0]) if len(parts) == 1 else conjoin(*(negate(p) for p in parts))


def _not_for(expression: Expression) -> Expression:
    """ "No treatment for at least 4 weeks": none within them."""
    if isinstance(expression, Presence) and expression.fact == "prior_therapy" and expression.window and expression.window.relation == "before":
        return replace(expression, window=replace(expression.window, relation="within"))
    return expression


def _join_units(units: list[tuple[str, Expression]], pieces: Sequence[Piece], exclusion: bool) -> Expression:
    tight: list[tuple[str, Expression]] = []
    units = _alternatives(units, exclusion)
    states = _leading_state(units)
    for joint, expression in units[1:] if states else units:
        if exclusion and tight and joint == "" and isinstance(expression, Comparison) and isinstance(tight[-1][1], Comparison):
            tight.append((",", expression))  # limits that lost the lines between them
        elif tight and joint == "" and not (_measures(tight[-1][1]) and _protein(expression)):
            if exclusion and isinstance(tight[-1][1], AtScreening) and isinstance(expression, Presence) and expression.fact == "prior_therapy" and not any(p.member for p in pieces):
                _limit_list(tight, expression)
            tight[-1] = (tight[-1][0], conjoin(tight[-1][1], expression))
        else:
            tight.append((joint, expression))
    units = _measurable(_eithers(tight, pieces), exclusion)
    runs: list[list[tuple[str, Expression]]] = [[]]
    for joint, expression in units:
        if joint.startswith(";") and runs[-1]:
            runs.append([])
        runs[-1].append((joint, expression))
    parts = [_precedence(run, exclusion) for run in runs]
    either = any(run[0][0] == ";or" for run in runs[1:])
    body = disjoin(*parts) if exclusion or either else conjoin(*parts)
    return conjoin(states, body) if states else body


def _limit_list(units: list[tuple[str, Expression]], limit: Expression) -> None:
    """ "A, B or any other condition that required immunosuppression": A and B are conditions that did."""
    place = len(units) - 1
    while place and units[place][0] in ("or", ",") and isinstance(said := units[place - 1][1], Presence) and said.fact == "condition":
        place -= 1
        units[place] = (units[place][0], conjoin(said, limit))


MONOCLONAL = frozenset({"serum_m_protein", "urine_m_protein", "kappa_flc", "lambda_flc", "flc_ratio"})


def _protein(expression: Expression) -> bool:
    return all(isinstance(e, Comparison) and e.fact in MONOCLONAL for e in atoms(expression))


def _measures(expression: Expression) -> bool:
    return isinstance(expression, Presence) and expression.fact == "measurable_disease"


def _measurable(units: list[tuple[str, Expression]], exclusion: bool) -> list[tuple[str, Expression]]:
    """Measurable disease with the levels that define it: any one of them is enough (IMWG: Kumar, Lancet Oncol 2016;17:e328)."""
    defining = [at for at, (_, e) in enumerate(units) if _protein(e) or _measures(e)]
    if exclusion or len(defining) < 2:
        return units
    alternatives: list[Expression] = []
    for at in defining:
        joint, expression = units[at]
        ratio = any(isinstance(e, Comparison) and e.fact == "flc_ratio" for e in atoms(expression))
        if joint == "and" and alternatives and ratio != any(isinstance(e, Comparison) and e.fact == "flc_ratio" for e in atoms(alternatives[-1])) and _chains(alternatives[-1], expression):
            alternatives[-1] = conjoin(alternatives[-1], expression)
        else:
            alternatives.append(expression)
    rest = [u for at, u in enumerate(units) if at not in defining[1:]]
    first = next(at for at, (_, e) in enumerate(rest) if e == units[defining[0]][1])
    rest[first] = (rest[first][0], disjoin(*alternatives))
    return rest


def _chains(*expressions: Expression) -> bool:
    return all(isinstance(e, Comparison) and e.fact in ("kappa_flc", "lambda_flc", "flc_ratio") for x in expressions for e in atoms(x))


def _eithers(units: list[tuple[str, Expression]], pieces: Sequence[Piece]) -> list[tuple[str, Expression]]:
    begun = {id(p.expression) for p in pieces if p.either}
    joined: list[tuple[str, Expression]] = []
    open_ = False
    for at, (joint, expression) in enumerate(units):
        last_or = any(j == "or" for j, _ in units[at:])
        if open_ and joint in ("or", ",") and last_or:
            joined[-1] = (joined[-1][0], disjoin(joined[-1][1], expression))
            continue
        open_ = id(expression) in begun
        joined.append((joint, expression))
    return joined


def _is_disease(expression: Expression) -> bool:
    first = next(atoms(expression), None)
    return isinstance(first, Presence) and first.fact == "disease" and first.value not in EXTENT


def _failed(expression: Expression) -> bool:
    return all(isinstance(e, Presence) and e.fact in ("refractory_to", "intolerant_to") for e in atoms(expression))


def _is_state(expression: Expression) -> bool:
    return all(isinstance(e, Presence) and e.fact == "disease_state" for e in atoms(expression))


def _alternatives(units: list[tuple[str, Expression]], exclusion: bool) -> list[tuple[str, Expression]]:
    """ "Relapsed or progressive after X", "after A and B and failed A or B", a demanded "lymphoma, leukemia": one of them, whatever stands beside them."""
    listed = not exclusion and any(joint == "," and _is_disease(expression) for joint, expression in units)
    joined: list[tuple[str, Expression]] = []
    for joint, expression in units:
        states = joint in ("or", ",") and joined and _is_state(expression) and _is_state(joined[-1][1])
        failed = joint == "or" and len(joined) > 1 and joined[-1][0] == "and" and _failed(expression) and _failed(joined[-1][1]) and not _failed(joined[-2][1])
        diseases = listed and joined and joint in (",", "or", "and") and _is_disease(expression) and _is_disease(joined[-1][1])
        if states or failed or diseases:
            joined[-1] = (joined[-1][0], disjoin(joined[-1][1], expression))
        else:
            joined.append((joint, expression))
    return joined


def _leading_state(units: list[tuple[str, Expression]]) -> Expression | None:
    """ "Relapsed or refractory CLL, NHL or MM": the state is every disease's."""
    first = units[0][1]
    rest = units[1:]
    if rest and rest[0][0] == "" and _is_state(first) and all(isinstance(e, Presence) and e.fact == "disease" for _, e in rest):
        return first
    return None


def _precedence(units: list[tuple[str, Expression]], exclusion: bool) -> Expression:
    if len(units) == 1:
        return units[0][1]
    joints = [j for j, _ in units[1:]]
    default = "or" if exclusion else "and"
    resolved: list[str] = []
    for at, joint in enumerate(joints):
        if joint in ("and", "or"):
            resolved.append(joint)
        elif joint.startswith(";"):
            resolved.append(default)
        else:
            later = next((j for j in joints[at + 1 :] if j in ("and", "or", ";")), ";")
            resolved.append(later if later != ";" else next((j for j in reversed(joints[:at]) if j in ("and", "or")), default))
    if exclusion and len(units) > 2 and ("or" not in resolved or "," in joints) and all(_finding(e) for _, e in units):
        resolved = ["or"] * len(resolved)
    if exclusion and len(units) == 2 and resolved == ["and"] and all(isinstance(e, Presence) and e.value in ("pregnancy", "breastfeeding") for _, e in units):
        resolved = ["or"]
    if exclusion and len(units) == 2 and {e.value for e in atoms(units[0][1]) if isinstance(e, Presence)} & {e.value for e in atoms(units[1][1]) if isinstance(e, Presence)}:
        resolved = ["or"]  # "neuropathy of grade 3, and painful neuropathy of grade 2"
    compared = [e for _, e in units if isinstance(e, Comparison)]
    apart = len(compared) == 2 and [e.op[0] for e in compared] == ["<", ">"] and compared[0].value <= compared[1].value  # "below 18 and above 65"
    if exclusion and resolved == ["and"] * len(resolved) and len(compared) == len(units) and (apart or len({e.fact for e in compared}) > 1):
        resolved = ["or"] * len(resolved)
    alternatives: list[Expression] = []
    together = [units[0][1]]
    for joint, (_, expression) in zip(resolved, units[1:], strict=True):
        if joint == "and":
            together.append(expression)
        else:
            alternatives.append(conjoin(*together))
            together = [expression]
    alternatives.append(conjoin(*together))
    return disjoin(*alternatives)


def _finding(expression: Expression) -> bool:
    return any(isinstance(e, Presence) for e in atoms(expression)) or isinstance(expression, Unparsed)
