"""Which test a value belongs to, where its name alone does not say: serum or urine, light chain or M-protein, blood or fluid."""

from __future__ import annotations

import re

from matcher.notes.measure_words import Words, Written

ISOTYPES = frozenset({"igg", "iga", "igm", "kappa_flc", "lambda_flc"})
M_PROTEINS = frozenset({"serum_m_protein", "urine_m_protein"})
_STUDIES = frozenset({"echo", "tte", "muga", "echocardiogram"})
_OTHER_FLUID = re.compile(r"\b(?:CSF|cerebrospinal|LP\b|lumbar puncture|ascit\w+|pleural|peritoneal|synovial|pericardial|joint) ?(?:fluid|tap)?\b[^.;\n]{0,60}$|\b(?:urinalysis|UA)\b(?![ \t:]*\d)[^.;\n]{0,40}$", re.IGNORECASE)
_PERCENTAGES = {"anc": "neutrophil_percentage", "alc": "lymphocyte_percentage"}
_TOLD_BY_WORDS = frozenset({*M_PROTEINS, "kappa_flc", "lambda_flc", "total_protein", "height", "lvef", *_PERCENTAGES})
_STATEMENT_END = re.compile(r"[.;\n](?:\s|$)")
_IN_FLUIDS = frozenset({"wbc", "rbc", "anc", "alc", "glucose", "total_protein", "albumin", "ldh", "bone_marrow_plasma_cells"})
_IN_URINE = re.compile(r"\bin (?:the )?(?:urine|stool|CSF|sputum|fluid)\b", re.IGNORECASE)
_URINE = re.compile(r"\b(?:urin\w*|upep|24.?h\w*|bence|bj[lp]?|uife|proteinuria)\b", re.IGNORECASE)
_DIFFERENTIAL = re.compile(r"\b(?:DLC|DC|diff(?:erential)?)\b[^.;]{0,30}$", re.IGNORECASE)  # its numbers are shares
_SUBSET = re.compile(r"\W{1,2}of (?:which|these|them|those)\b", re.IGNORECASE)  # "25% plasma cells, of which 70% ..."
_AMONG_LEUKOCYTES = re.compile(r"\bof (?:which|these|them|those),?\s*$", re.IGNORECASE)  # "leukocytes 14.2, of these plasma cells 31%"
EXCRETED = ("mg", "g", "mg/(24.h)", "g/(24.h)")


def specimen(words: Words, value: Written, unit: str | None) -> str | None:
    """Serum or urine, light chain or M-protein: by the unit and the words around. None where it is neither."""
    test = value.test
    name = value.name or (value.start, value.end)
    if test in _IN_FLUIDS and _of_other_fluid(words, name, value.start):
        return None
    if test == "bone_marrow_plasma_cells" and (_SUBSET.match(words.text, name[1]) or _SUBSET.match(words.text, value.end) or _AMONG_LEUKOCYTES.search(words.text, max(0, name[0] - 12), name[0])):
        return None
    if test not in _TOLD_BY_WORDS:
        return test
    excreted = unit in EXCRETED
    before = words.text[max(0, name[0] - 60) : name[0]]
    clause = _STATEMENT_END.split(before)[-1]
    if test in ("serum_m_protein", "kappa_flc", "lambda_flc") and excreted:
        around = clause + words.text[name[0] : value.end + 30]
        if _URINE.search(around) or unit in ("mg/(24.h)", "g/(24.h)"):
            return "urine_m_protein"
        return test if test == "serum_m_protein" else None
    if test in ("kappa_flc", "lambda_flc") and re.search(r"\bIg[GAMDE][ -]*$", before):
        return "serum_m_protein" if unit in ("g/L", "g/dL") else None  # "IgG kappa 24 g/L" is the paraprotein
    if test == "urine_m_protein" and unit is None and not re.search(r"U-M|urin", words.text[name[0] : name[1]], re.IGNORECASE):
        return None
    if test == "total_protein" and (_URINE.search(clause) or (unit is None and words.plain[name[0] : name[1]] == "protein")):
        return None
    if test == "height" and unit == "[ft_i]":
        return None  # feet go with inches, which stand apart
    if test == "lvef" and unit != "%" and words.plain[name[0] : name[1]] in _STUDIES:
        return None
    return _PERCENTAGES[test] if test in _PERCENTAGES and (unit == "%" or (unit is None and value.readings[0] <= 100 and _DIFFERENTIAL.search(clause))) else test


def _of_other_fluid(words: Words, name: tuple[int, int], value: int) -> bool:
    if words.says("other_fluid", max(0, name[0] - 80), name[0]) and _OTHER_FLUID.search(words.text, max(0, name[0] - 80), name[0]):
        return True
    return _IN_URINE.search(words.text, name[1], max(name[1], value)) is not None
