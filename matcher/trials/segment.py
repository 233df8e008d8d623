"""Eligibility text into items: inclusion and exclusion, as the document lists them, verbatim and with offsets.

Layouts: bullets and numbers with nesting, blank-line paragraphs, run-on numbering in one line, one semicolon-separated
run, labelled paragraphs of the old registry ("PATIENT CHARACTERISTICS: Age: ..."), and free sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from matcher.domain import Kind


@dataclass(frozen=True, slots=True)
class Item:
    """`document[start:end]` is the item, its marker left out."""

    kind: Kind
    start: int
    end: int
    cohort: str | None = None


@dataclass(frozen=True, slots=True)
class _Block:
    """A bullet with its wrapped lines, or a paragraph. `indent`: columns before the marker or the text."""

    start: int
    end: int
    indent: int
    marker: str


_HEADING = re.compile(
    r"(?:^|(?<=[.;:!)])[ \t])[ \t#*_>|•\-]*(?P<head>(?:\d{1,2}(?:\.\d{1,2}){0,3}[.)]?[ \t]*)?(?:[A-Z][\w-]*[ \t]+){0,4}?"
    r"(?P<kind>non-?[ \t]?inclusion|inclusion|exclusion|eligibility|inclusionary|exclusionary)(?:[ \t]*(?:/|&|and|or)[ \t]*(?P<both>exclusion|inclusion))?"
    r"[ \t]*(?:criteri(?:a|on)|requirements?)?\b(?P<tail>[^\n:.;]{0,70}?))[ \t*_]*(?P<stop>:|$|-{2,}|(?=\n))",
    re.IGNORECASE | re.MULTILINE,
)
BULLETS = "•·●▪◦‣→➢➤►✓✔✗✘❖○■□◆◇»☐☑∙⁃"
_NUMBER = r"\(?\d{1,2}(?:\.\d{1,2})*[.)](?=[ \tA-Z≥≤<>])|\d{1,2}(?:\.\d{1,2}){1,3}(?=[ \t]+(?:(?!(?:Gy|ULN|UNL|LLN|IU|U)\b)[A-Z]|[≥≤<>]))|\d{1,2}-(?=[ \t]+[A-Z≥≤<>])"
_LABEL = r"(?:IC|EC|[IE])[ -]?\d{1,2}[.):](?=[ \t])|\|[ \t]*(?:[IE]-?)?\d{1,2}[.)]?[ \t]*\|"  # "E1.", "| I1 |"
_MARKER = re.compile(rf"(?P<indent>[ \t]*)(?P<marker>[-*–o](?=[ \t])|[{BULLETS}]|{_NUMBER}|{_LABEL}|\(?[a-zA-Z][.)](?=[ \t])|\(?[ivx]{{1,4}}[.)](?=[ \t]))[ \t]*")
_LAY_HEADING = re.compile(
    r"^[ \t#*]*(?:who can(?P<not>not|'t| not)? (?:take part|participate|join)[^\n]{0,30}"
    r"|(?:(?:patients?|subjects?|participants?|people|you) )?(?:are|may be|will be) (?P<out>not eligible|ineligible|excluded|not be eligible)?(?:eligible|included)?[^\n.]{0,40}\bif\b[^\n.]{0,50})[?:][ \t*]*$",
    re.IGNORECASE | re.MULTILINE,
)
_FURNITURE = re.compile(r"[ \t]*(?:page \d{1,4}(?: of \d{1,4})?|confidential)[ \t]*\Z", re.IGNORECASE)  # of a printed page
_LEAD_IN = re.compile(
    r"[^.;\n]{0,40}(?:\b(?:all|any|each|one or more)\b|\b(?:subjects?|patients?|participants?|individuals?)\b|\bcriteria\b)[^;\n]{0,160}\b(?:following|below|criteria|if|study|unless|conditions|excluded|included|eligible)\b[^;:\n]{0,90}[:.]\s*",
    re.IGNORECASE,
)
_NOTE = re.compile(r"(?:\*?\s*note\b[:\s-]*)?(?:other|additional|further)\s+(?:protocol[- ]?(?:defined|specified)|inclusion|exclusion)[^.\n]{0,80}(?:apply|applies|criteria)", re.IGNORECASE)
_COHORT = re.compile(r"\b(?:cohorts?|parts?|phase|arms?|groups?|stage|sub-?stud(?:y|ies)|expansion|escalation|substudy|module)\b", re.IGNORECASE)
_OLD_SECTION = re.compile(r"\b(?:DISEASE CHARACTERISTICS|PATIENT CHARACTERISTICS|PRIOR(?:/| )CONCURRENT THERAPY):\s*")
_OLD_LABEL = re.compile(
    r"(?<![\w-])(?:Age|Sex|Gender|Menopausal status|Performance status|Life expectancy|Hematopoietic|Hepatic|Renal|Cardiovascular|Pulmonary"
    r"|Neurologic|Other|Immunologic|Biologic therapy|Chemotherapy|Endocrine therapy|Radiotherapy|Surgery|Gastrointestinal|Metabolic): (?=\S)"
)
_SENTENCE = re.compile(r"(?<=[.!?])[)\"]?\s+(?=[A-Z0-9])")
_ITEM_NUMBER = re.compile(r"(?<![\w.])\(?(\d{1,2})([.)])[ \t]*(?=[A-Z(≥≤<>\"“])")


def segment(text: str, start: int = 0, end: int | None = None) -> list[Item]:
    """The items of an eligibility text (`text[start:end]`), in order. Without a heading every item is an inclusion."""
    end = len(text) if end is None else end
    items: list[Item] = []
    for kind, cohort, first, last in _sections(text, start, end):
        items += [replace(item, kind=kind, cohort=item.cohort or cohort) for item in _section_items(text, first, last)]
    return items


_ALONE = re.compile(r"(?:[\d.]+\s+)?(?:(?:key|main|major|selection)\s+){0,2}(?:non-?\s?)?(?:inclusion|exclusion)s?\s*", re.IGNORECASE)


def headings(text: str) -> Iterator[tuple[Kind | None, str | None, int, int]]:
    """(kind, cohort, start, end) of each heading of criteria; kind None for one that announces both."""
    lay = [(Kind.EXCLUSION if m["not"] or m["out"] else Kind.INCLUSION, None, m.start(), m.end()) for m in _LAY_HEADING.finditer(text)]
    yield from sorted([*_headings(text), *lay], key=lambda h: h[2])


def _headings(text: str) -> Iterator[tuple[Kind | None, str | None, int, int]]:
    for found in _HEADING.finditer(text):
        line = found["head"]
        if not found["stop"].startswith((":", "-")) and "criteri" not in line.lower() and not _ALONE.fullmatch(line):
            continue
        if re.match(r"\s*(?:more|meets?|all|see|other|no)\b|.*\b(?:must|meets?|fulfil\w*|satisf\w+)\b.*\bcriteria", line, re.IGNORECASE) or re.search(r"\b(?:apply|met|not)\b", found["tail"], re.IGNORECASE):
            continue
        both = found["both"] or found["kind"].lower().startswith("elig")
        kind = None if both else Kind.EXCLUSION if found["kind"].lower().startswith(("ex", "non")) else Kind.INCLUSION
        yield kind, line.strip(" *_#") if _COHORT.search(line) else None, found.start(), found.end()


def _sections(text: str, start: int, end: int) -> Iterator[tuple[Kind, str | None, int, int]]:
    kind, cohort, place = Kind.INCLUSION, None, start
    for next_kind, next_cohort, first, last in headings(text):
        if not start <= first < end:
            continue
        yield kind, cohort, place, first
        kind, cohort, place = next_kind or Kind.INCLUSION, next_cohort, last
    yield kind, cohort, place, end


def _section_items(text: str, start: int, end: int) -> list[Item]:
    if not text[start:end].strip():
        return []
    for split in (_labelled, _numbered_run, _semicolon_run):
        if spans := split(text, start, end):
            return [item for span in spans if (item := _item(text, *span))]
    return _listed(text, start, end)


def _item(text: str, start: int, end: int, cohort: str | None = None) -> Item | None:
    """The span without its surrounding space and marker; None where nothing is left."""
    if marker := _MARKER.match(text, start, end):
        start = marker.end()
    while start < end and (text[start].isspace() or text[start] in "*_•"):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in ";*_|"):
        end -= 1
    if not any(c.isalnum() for c in text[start:end]) or _NOTE.match(text, start, end):
        return None
    return Item(Kind.INCLUSION, start, end, cohort)


def _labelled(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Paragraphs of labels of the registry's old cancer records."""
    if not _OLD_SECTION.search(text, start, end) or re.search(r"\n[ \t]*[-*][ \t]", text[start:end]):
        return []
    cuts = sorted({start, end, *(m.end() for m in _OLD_SECTION.finditer(text, start, end)), *(m.start() for m in _OLD_LABEL.finditer(text, start, end))})
    headers = [m.span() for m in _OLD_SECTION.finditer(text, start, end)]
    spans = []
    for a, b in zip(cuts, cuts[1:], strict=False):
        for head_start, head_end in headers:
            if a <= head_start < b or head_start <= a < head_end:
                b = min(b, head_start) if head_start > a else b
                a = max(a, head_end) if head_start <= a else a
        spans.append((a, b))
    return spans


def _numbered_run(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Items numbered 1. 2. 3. without line breaks between them."""
    for delimiter in ".)":
        chain: list[re.Match[str]] = []
        for number in _ITEM_NUMBER.finditer(text, start, end):
            if number[2] == delimiter and int(number[1]) == len(chain) + 1:
                chain.append(number)
        inline = [m for m in chain if text[max(start, text.rfind("\n", start, m.start()) + 1) : m.start()].strip()]
        listed_before = chain and re.search(r"^[ \t]*[-*•][ \t]", text[start : chain[0].start()], re.MULTILINE)
        if len(chain) >= 3 and inline and not listed_before:
            stops = [m.start() for m in chain[1:]] + [end]
            return [(m.end(), stop) for m, stop in zip(chain, stops, strict=True)]
    return []


def _semicolon_run(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """One paragraph whose items end with semicolons; a lead-in before the first is left out."""
    body = text[start:end].strip()
    if body.count("\n") > 2 or body.count(";") < 3:
        return []
    lead = _LEAD_IN.match(text, start + len(text[start:end]) - len(text[start:end].lstrip()), end)
    place, spans = lead.end() if lead else start, []
    closed = _matched_parentheses(text, place, end)
    for cut in range(place, end):
        if text[cut] in ";；" and not any(a < cut < b for a, b in closed):
            spans.append((place, cut))
            place = cut + 1
    return [*spans, (place, end)]


def _matched_parentheses(text: str, start: int, end: int) -> list[tuple[int, int]]:
    opened, pairs = [], []
    for place in range(start, end):
        if text[place] in "(（[":
            opened.append(place)
        elif text[place] in ")）]" and opened:
            pairs.append((opened.pop(), place))
    return pairs


def _blocks(text: str, start: int, end: int) -> list[_Block]:
    blocks: list[_Block] = []
    fresh = True  # the next unmarked line begins a paragraph
    place = start
    while place < end:
        stop = text.find("\n", place, end)
        stop = end if stop < 0 else stop
        line = text[place:stop]
        if _FURNITURE.match(line):
            pass
        elif not line.strip():
            fresh = True
        elif marker := _MARKER.match(text, place, stop):
            blocks.append(_Block(place, stop, len(marker["indent"].expandtabs(4)), _marker_class(marker["marker"])))
            fresh = False
        elif fresh or not blocks:
            blocks.append(_Block(place, stop, len(line) - len(line.lstrip()), ""))
            fresh = False
        elif blocks[-1].marker == "" and not _wraps(text, blocks[-1], line):
            blocks.append(_Block(place, stop, len(line) - len(line.lstrip()), ""))
        else:
            blocks[-1] = replace(blocks[-1], end=stop)
        place = stop + 1
    return blocks


def _wraps(text: str, block: _Block, line: str) -> bool:
    """Whether an unmarked line continues the paragraph before it: it was broken by width, not by its writer."""
    last = text[text.rfind("\n", block.start, block.end) + 1 : block.end]
    return (len(last) >= 60 and last.rstrip()[-1:] not in ".;:") or line.lstrip()[:1].islower()


def _marker_class(marker: str) -> str:
    return "number" if marker.strip("()").rstrip(".)")[:1].isdigit() else "letter" if marker.strip("().").isalpha() else "bullet"


def _listed(text: str, start: int, end: int) -> list[Item]:
    """Bullets, numbers and paragraphs; sub-lists stay within the item they belong to."""
    blocks = _blocks(text, start, end)
    items: list[Item] = []
    cohort: str | None = None
    parent: _Block | None = None  # the block of the last item
    named: int | None = None  # where a label stands that the next item cannot be read without ("Age:" - 18 and over)
    for i, block in enumerate(blocks):
        after = blocks[i + 1] if i + 1 < len(blocks) else None
        words = text[block.start : block.end].strip()
        if not items and not block.marker and after and "following" in words and _LEAD_IN.fullmatch(" ".join(words.split()) + " "):
            continue
        if _is_label(text, block, after):
            name = _MARKER.sub("", words, count=1).strip(" *:_")
            cohort = name if _COHORT.search(name) else None
            named = block.start if _OLD_LABEL.match(name.capitalize() + ": x") else None
            parent = None
            continue
        if parent and len(items) == 1 and block.indent > parent.indent and block.marker and parent.marker and words and not _announces(text, parent):
            parent = block  # the first item alone stands further left
        if parent and items and ((block.indent > parent.indent and (block.marker or parent.marker)) or (text[parent.start : parent.end].rstrip().endswith(":") and not (block.marker and parent.marker))):
            items[-1] = replace(items[-1], end=_trimmed(text, block.end))
            if block.indent <= parent.indent and not block.marker:
                parent = replace(parent, start=block.start, end=block.end)  # the paragraph that a colon announced
            continue
        if item := _item(text, block.start, block.end, cohort):
            items.append(item if named is None else replace(item, start=named + len(text[named:]) - len(text[named:].lstrip())))
            parent, named = block, None
    if len(blocks) == 1 and len(items) == 1 and not blocks[0].marker:
        only = items[0]
        cuts = [only.start, *(m.end() for m in _SENTENCE.finditer(text, only.start, only.end)), only.end]
        return [item for a, b in zip(cuts, cuts[1:], strict=False) if (item := _item(text, a, b))]
    return items


def _trimmed(text: str, end: int) -> int:
    while end and (text[end - 1].isspace() or text[end - 1] in ";*_|"):
        end -= 1
    return end


def _announces(text: str, block: _Block) -> bool:
    """Whether a block opens a list of its own."""
    words = text[block.start : block.end].rstrip()
    return words.endswith((":", ",", "-")) or bool(re.search(r"\b(?:following|defined|criteria|either|any of|one of|including|must|who|include)\b", words))


def _is_label(text: str, block: _Block, after: _Block | None) -> bool:
    """A short line that names a group of items ("Laboratory:", "Cohort 2 only:") and is none itself."""
    words = text[block.start : block.end].strip()
    if after is None or len(words) > 70 or "following" in words.lower() or (any(c.isdigit() for c in words) and not _COHORT.search(words)):
        return False
    if block.marker:
        title = words[-1:].isalpha() and len(words.split()) <= 4 and words.lstrip("-*• ").istitle()
        return after.marker != "" and after.indent > block.indent and (title or (words.endswith(":") and bool(_COHORT.search(words)) and len(words.split()) <= 8))
    named = words.endswith(":") or (after.marker != "" and words[-1:].isalpha() and len(words.split()) <= 4)
    return named and len(words.split()) <= 7 and (after.marker != "" or words.isupper())
