"""Exceptions: "except", "unless", "other than". What they name is taken out of the statement they follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matcher.domain import AllOf, AnyOf, AtScreening, Comparison, Expression, Not, Presence, Unparsed, Window
from matcher.expressions import atoms
from matcher.trials.logic import Context, conjoin, disjoin, negate
from models import load_vocabulary

GENERAL = ("malignancy", "neoplasm", "solid_tumor", "hematologic_malignancy")


def excuse(main: Expression, exception: Expression, context: Context, kind: str) -> Expression:
    """The main statement less what its exception names: ids that do not count, a period after which it does not, or Not."""
    if isinstance(main, Not):
        return negate(excuse(main.part, exception, context.excluding, kind))
    if not context.exclusion and isinstance(exception, AnyOf) and {_limited_fact(main)} & {_limited_fact(p) for p in exception.parts} - {""}:
        limits = [p for p in exception.parts if _limited_fact(p)]  # "≤ 1.5 x ULN, except in Gilbert's syndrome, ≤ 3 x ULN": who is excepted has a limit of his own
        return disjoin(main, conjoin(disjoin(*(p for p in exception.parts if p not in limits)) if len(limits) < len(exception.parts) else None, *limits))
    if not context.exclusion and kind == "unless":
        return disjoin(main, exception)
    if isinstance(main, Presence) and main.value == "anti_myeloma_therapy" and all(isinstance(e, Presence) and e.fact == "prior_therapy" for e in atoms(exception)):
        return replace(main, excluding=tuple(dict.fromkeys((*main.excluding, *(e.value for e in atoms(exception) if isinstance(e, Presence))))))
    named, further = _named(exception)
    names = tuple(named)
    if names and (changed := _excluding(main, names)) is not None:
        main = changed
        remaining = list(further)
    else:
        remaining = [exception]
    for part in remaining:
        if isinstance(part, Presence) and part.window and part.window.relation == "before" and (limited := _recent(main, part.window)) is not None:
            main = limited
        elif isinstance(part, Unparsed | AtScreening):
            main = conjoin(main, part)
        elif not context.exclusion:
            main = disjoin(main, part)
        else:
            main = conjoin(main, negate(part))
    return main


def _limited_fact(expression: Expression) -> str:
    return expression.fact if isinstance(expression, Comparison) else ""


def permit(main: Expression | None, named: Expression, condition: Expression, context: Context) -> Expression:
    """The main statement beside "X is allowed if Y". A limit gets an alternative ("ECOG 3 if due to bone pain"); a finding or a
    treatment is allowed to who meets the condition alone, of an exclusion that covers it and of a demand."""
    facts = {e.fact for e in atoms(named) if isinstance(e, Comparison)}
    if not context.exclusion:
        if not facts and not isinstance(named, Unparsed):
            return conjoin(main, disjoin(negate(named), condition))
        parts = main.parts if isinstance(main, AllOf) else () if main is None else (main,)
        limits = [p for p in parts if isinstance(named, Unparsed) or all(isinstance(e, Comparison) and e.fact in facts for e in atoms(p))]
        return conjoin(*(p for p in parts if p not in limits), disjoin(conjoin(*limits), conjoin(named, condition)) if limits else None)
    if main == named:
        return conjoin(main, negate(condition))
    if main is not None and any(isinstance(e, Unparsed) for e in atoms(named)):
        return conjoin(main, *(e for e in atoms(named) if isinstance(e, Unparsed)))  # what is allowed is not understood
    less = main if main is None else _excluding(main, tuple(e.value for e in atoms(named) if isinstance(e, Presence))) or main
    return disjoin(less, conjoin(named, negate(condition)))


def _named(exception: Expression) -> tuple[list[str], list[Expression]]:
    """(ids the exception names without limit of time, its other parts)."""
    names: list[str] = []
    further: list[Expression] = []
    others: list[Expression] = []
    if isinstance(exception, AllOf) and any(isinstance(p, AnyOf) for p in exception.parts) and all(isinstance(p, AnyOf | AtScreening | Unparsed) for p in exception.parts):
        exception = disjoin(*(p for p in exception.parts if isinstance(p, AnyOf)))  # "X, Y, or one that the investigator considers cured"
    for part in exception.parts if isinstance(exception, AnyOf | AllOf) else (exception,):
        inner = part.parts if isinstance(part, AllOf | AnyOf) else (part,)
        presences = [p for p in inner if isinstance(p, Presence)]
        general = [p for p in presences if p.value in GENERAL]
        if general:
            window = next((p.window for p in presences if p.window), None)
            if window:
                further.append(replace(general[0], window=window))
            else:  # "... or one that is considered cured": whether this one is, the investigator knows, or nobody here
                others.append(next((e for e in atoms(exception) if isinstance(e, AtScreening)), Unparsed("other malignancy")))
        elif presences and len(presences) == len([p for p in inner if not isinstance(p, Unparsed | AtScreening)]) and not _limited(inner):
            names += [p.value for p in presences]
        else:
            further.append(part)
    return names, [f for f in further if not (names and isinstance(f, Unparsed | AtScreening))] + others


def _limited(parts: Sequence[Expression]) -> bool:
    """Whether a cancer is excepted only as far as told: "low-risk prostate cancer" is not every prostate cancer."""
    conditions = load_vocabulary().conditions
    malignant = any(isinstance(p, Presence) and p.value in conditions and conditions[p.value].course == "malignancy" for p in parts)
    return malignant and any(isinstance(p, Unparsed) or (isinstance(p, Presence) and p.qualifiers) for p in parts)


def _excluding(main: Expression, names: tuple[str, ...]) -> Expression | None:
    """The main statement with the names taken out of the classes they belong to; None where no class is theirs."""
    vocabulary = load_vocabulary()
    match main:
        case Presence(fact="condition" | "disease" | "prior_therapy" | "refractory_to" | "allergy"):
            treatment = main.fact == "prior_therapy"
            names = tuple(n for n in names if n != main.value)  # of the statement itself a kind is excepted, never all of it
            if not names or (treatment and any(n not in vocabulary.therapies and n not in vocabulary.drugs for n in names)):
                return None
            if treatment or main.value == "treatment_toxicity" or any(name != main.value and (vocabulary.is_a(name, main.value) or main.value in GENERAL) for name in names):
                return replace(main, excluding=tuple(dict.fromkeys((*main.excluding, *names))))
            return None
        case AllOf(parts) | AnyOf(parts):
            changed = [_excluding(p, names) for p in parts]
            if not any(changed):
                return None
            return type(main)(tuple(c or p for c, p in zip(changed, parts, strict=True)))
    return None


def _recent(main: Expression, window: Window) -> Expression | None:
    """ "... except those in remission for more than 5 years": only the last 5 years count."""
    match main:
        case Presence(fact="condition", window=None) | Presence(fact="condition", window=Window(relation="current")):
            return replace(main, window=Window("within", window.days, window.anchor))
        case AllOf(parts) | AnyOf(parts):
            changed = [_recent(p, window) for p in parts]
            return type(main)(tuple(c or p for c, p in zip(changed, parts, strict=True))) if any(changed) else None
        case Presence(window=Window(relation="within")):
            return main
    return None
