"""A note as text with structure: sections, lines, sentences and clauses, each a span of the note as received."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from matcher.dates import day_first
from matcher.domain import Evidence
from matcher.lexicon import lower

# Section kinds and the headings that open them; a heading stands at the start of a line, or after a sentence in run-on notes.
HEADINGS: dict[str, str] = {
    "family": r"family(?:\s+(?:medical\s+)?(?:history|hx))?|fam(?:ily)?\s*h(?:x|istory)|fhx?|fh",
    "social": r"social(?:\s+(?:history|hx))?|shx|sh|occupation|lives",
    "allergies": r"(?:drug\s+)?allerg(?:y|ies)(?:\s+status)?|hypersensitivit(?:y|ies)|adverse drug reactions?",
    "medications": r"(?:(?:current|home|discharge|regular|outpatient)\s+)?(?:medications?|meds|drugs|treatment chart)(?:\s+(?:list|on (?:admission|discharge)))?|rx",
    "history": r"(?:past|previous|prior)\s+(?:medical|surgical|illness(?:es)?|histor\w+)(?:\s*(?:history|hx|and surgical history))?|pmh?x?|pmsh|psh(?:x)?|comorbidit(?:y|ies)|co-?morbid conditions|other (?:illness(?:es)?|conditions|problems|medical history)|previous illnesses|antecedents|past history|past",
    "oncology": r"(?:oncolog(?:y|ic(?:al)?)|onc|cancer|myeloma|disease|h(?:a)?ematolog(?:y|ic)|treatment|therapy|therapeutic|rx|tx)\s+(?:history|hx|course|summary|timeline)|course|prior (?:therap(?:y|ies)|lines|treatments?)|lines of therapy|previous (?:therap(?:y|ies)|treatments?)|present illness|history of (?:the )?(?:present illness|disease)|hpi|interval(?:\s+history)?|onc",
    "exam": r"(?:physical\s+)?exam(?:ination)?|physical|pe|o/e|on examination|status|vitals?(?:\s+signs)?|obs(?:ervations)?",
    "results": r"labs?(?:\s+(?:data|results|values))?|laborator(?:y|ies)(?:\s+\w+)?|data|results|investigations?|bloods?|biology|tests|auxiliary examinations?|imaging|radiology|studies|bone marrow|serolog(?:y|ies)",
    "plan": r"(?:assessment(?:\s*(?:and|&|/)\s*plan)?|a\s*[/&+]\s*p|impression(?:\s*(?:and|&|/)\s*(?:plan|recommendations?))?|plan|recommendations?|conclusions?|opinion|summary and plan|disposition|imp|resolution|(?:board |panel |mdt )?(?:decision|outcome|recommendation|consensus)|conduct|proposals?|advi[cs]e|adv|question(?:s)?|(?:further )?procedure|purpose|next steps?|to[- ]do|action(?:s| points?| plan)?|management|points (?:for|of) discussion|request|therapy recommendation|treatment plan|proposed (?:treatment|management|plan)|way forward|strategy|discharge plan|follow[- ]?up plan)",
    "reason": r"(?:reason for (?:visit|consultation|referral)|chief complaint|cc|presenting complaint|contact reason|id)",
}
# The patterns of headings are matched where a line starts, in small letters: a search would be many times slower.
_HEADING = re.compile(
    r"[ \t#*\-•]*(?:\d+[.)]\s*)?(?:" + "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in HEADINGS.items()) + r")\b[ \t]*(?:\([^)\n]{0,40}\)[ \t]*)?(?::|\.(?=\s)|-(?=\s)|\|(?=\s)|$)",
    re.MULTILINE,
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
# Results with their date and no colon: "Data 2024/05/14", "BIOLOGY 09/01/2026", "Bloods 11/6/25 (ref)".
_DATED_RESULTS = re.compile(
    r"[ \t#*\-•]*(?:labs?|laborator\w+|data|results?|inv(?:estigations?)?|bloods?|biology|examinations?|auxiliary examinations?|cbc|fbc|tests|para-?clinical|chemistry)"
    r"(?:[ \t]+(?:data|results?|values|tests?|review|findings|work))?[ \t]*(?:of|from|on|dated|drawn)?[ \t]*[(\[]?(?=\d{1,4}[./-]\d|\d{1,2}[ -]" + _MONTH + "|" + _MONTH + r"[ .]+\d)"
)
# Any other title of a paragraph ends the section before it; a study or a test within the results does not.
_OTHER_TITLE = re.compile(
    r"\n[ \t]*\r?\n(?=(?!(?:SPEP|UPEP|FLC|Free|Serum|Urine|24|Echo|TTE|MUGA|ECG|EKG|BM|Bone|Marrow|PET|CT|MRI|WB|X-?ray|Skelet|Coag|Immun|Infect|HIV|HBs|HBV|Hep|"
    r"Virus|Virol|Ig[GAM]|Cyto|FISH|Flow|Other|Comment|Note))[A-Z][A-Za-z0-9 /&'()-]{2,60}?:\s)"
)
_ABBREVIATED = "".join(rf"(?<!\b{word}\.)" for word in ["Dr", "Mr", "Mrs", "Ms", "vs", "e\\.g", "i\\.e", "approx", "gr", "St", "Sept", "Jan", "Feb", "Aug", "Oct", "Nov", "Dec", "T"])
_SENTENCE_END = re.compile(
    rf"[.!?\n](?:(?<!\n)(?=[)\"']?\s+[A-Z0-9(\"'\[~<>+-]){_ABBREVIATED}[)\"']?\s+"
    r"|(?<=\n)(?:[ \t]*\n\s*|(?=[ \t]*(?:[-*•+>#]|\d{1,2}[.)]\s|[A-Z][\w /&-]{0,40}:))))")
_LINE_END = re.compile(r"\n")
_BOX = re.compile(r"[\[(]\s?(?P<mark>[xX✓✔]?)\s?[\])]")
_BOX_ROW = 120  # characters
_BOX_GAP = 16  # characters, but for blanks, between the boxes of one row
_CHOICE, _CHOICE_BEFORE = re.compile(r"\s*(\w+)"), re.compile(r"(\w+)\s*\Z")


class Section(NamedTuple):
    """`kind` is a key of HEADINGS, or "body" before the first heading. `start` is after the heading."""

    kind: str
    start: int
    end: int
    heading: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """What a recogniser beside the rules takes for a name: a `kind` of drug or condition, and the id of its `concept`."""

    start: int
    end: int
    kind: str
    concept: str


@dataclass(frozen=True)
class Document:
    """The note and its structure. All offsets are the note's."""

    text: str
    candidates: tuple[Candidate, ...] = ()

    def evidence(self, start: int, end: int) -> Evidence:
        return Evidence(start, end, self.text[start:end])

    @cached_property
    def lowered(self) -> str:
        """The note in small letters, every offset unchanged: literal words are found in it several times faster than whatever their case."""
        return lower(self.text)

    def places(self, words: tuple[str, ...]) -> list[int]:
        """Where any of the words (small letters) stands, in order."""
        found = []
        for word in words:
            at = self.lowered.find(word)
            while at >= 0:
                found.append(at)
                at = self.lowered.find(word, at + len(word))
        return sorted(found)

    def near(self, words: tuple[str, ...], before: int, after: int) -> list[tuple[int, int]]:
        """The stretches of the note around any of the words (small letters), merged where they meet."""
        found: list[tuple[int, int]] = []
        for place in self.places(words):
            low, high = max(0, place - before), min(len(self.text), place + after)
            if found and low <= found[-1][1]:
                found[-1] = (found[-1][0], high)
            else:
                found.append((low, high))
        return found

    def matches(self, pattern: re.Pattern[str], words: tuple[str, ...], before: int, after: int) -> Iterator[re.Match[str]]:
        """The matches of a pattern that costs much to look for, around the words (small letters) of which each match has one."""
        return (m for low, high in self.near(words, before, after) for m in pattern.finditer(self.text, low, high))

    @cached_property
    def day_first(self) -> bool | None:
        """Whether this note's numeric dates put the day first."""
        return day_first(self.text)

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The sections in order; they cover the note."""
        headings: dict[int, tuple[str, int, int]] = {}
        read = 0  # a heading may run over the end of its line
        for start in (0, *(m.end() for m in _LINE_END.finditer(self.text))):
            if start >= read and (m := _HEADING.match(self.lowered, start)):
                read, headings[start] = m.end(), (m.lastgroup or "body", start, m.end())
            elif m := _DATED_RESULTS.match(self.lowered, start):
                headings[start] = ("results", start, m.end())
        for m in _OTHER_TITLE.finditer(self.text):
            headings.setdefault(m.end(), ("body", m.end(), m.end()))
        found = [Section("body", 0, len(self.text))]
        for kind, start, end in sorted(headings.values(), key=lambda h: h[1]):
            found[-1] = Section(found[-1].kind, found[-1].start, start, found[-1].heading)
            found.append(Section(kind, end, len(self.text), self.text[start:end]))
        return tuple(found)

    @cached_property
    def sentences(self) -> tuple[tuple[int, int], ...]:
        """(start, end) of each sentence, in order; they cover the note."""
        cuts = [0, *(m.end() for m in _SENTENCE_END.finditer(self.text)), len(self.text)]
        return tuple((a, b) for a, b in pairwise(cuts) if b > a)

    def section_at(self, place: int) -> Section:
        return self.sections[bisect_right(self._section_starts, place) - 1]

    @cached_property
    def _section_starts(self) -> list[int]:
        return [s.start for s in self.sections]

    def sentence_at(self, place: int) -> tuple[int, int]:
        if not self.sentences:
            return (0, 0)
        return self.sentences[bisect_right(self._sentence_starts, place) - 1]

    @cached_property
    def _sentence_starts(self) -> list[int]:
        return [start for start, _ in self.sentences]

    def ticked(self, place: int) -> tuple[int, tuple[int, int] | None] | None:
        """Of the row of boxes that begins at a place: its end, and the choice that its one marked box names ("[ ] M [x] F", "0 [ ] 1 [x] 2 [ ]")."""
        boxes: list[re.Match[str]] = []
        last = place
        for box in self._boxes[bisect_left(self._boxes, place, key=re.Match.start) : bisect_right(self._boxes, place + _BOX_ROW, key=re.Match.end)]:
            if "\n" in self.text[last : box.end()] or len(self.text[last : box.start()].strip()) > _BOX_GAP:
                break
            boxes.append(box)
            last = box.end()
        marked = [box for box in boxes if box["mark"]]
        if len(boxes) < 2:
            return None
        if len(marked) != 1:
            return boxes[-1].end(), None
        boxes_first = not self.text[place : boxes[0].start()].strip(" \t:=-")
        choice = _CHOICE.match(self.text, marked[0].end()) if boxes_first else _CHOICE_BEFORE.search(self.text, place, marked[0].start())
        return boxes[-1].end(), choice.span(1) if choice else None

    @cached_property
    def _boxes(self) -> list[re.Match[str]]:
        return list(_BOX.finditer(self.text))

    def line_at(self, place: int) -> tuple[int, int]:
        start = self.text.rfind("\n", 0, place) + 1
        end = self.text.find("\n", place)
        return start, len(self.text) if end < 0 else end
