"""Invented clinical text with known entities and assertions, from templates, with the noise of real notes.

Every text comes from a seed and nothing else. Held-out texts use templates, roots of names, company codes and vocabulary drugs
that the training texts do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from random import Random

from models import load_vocabulary
from models.training.names import Names
from models.words import load_words

LABELS = ("DRUG", "MEDICINE", "REGIMEN", "CONDITION", "LAB", "VALUE", "PROCEDURE", "PERFORMANCE", "DATE")
ASSERTIONS = ("present", "absent", "historical", "family", "possible")
_CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)(?::(\w+))?\}")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec")
_RESPONSES = ("CR", "VGPR", "PR", "sCR", "MR", "SD", "PD", "stable disease", "partial response", "complete remission")
_DOSES = ("10 mg", "25 mg", "1.3 mg/m2", "16 mg/kg", "4 mg", "500 mg", "0.5 mg/kg", "5 mg", "40 mg", "76 mg", "1 g", "20/27 mg/m2")
_PROCEDURES = ("ASCT", "autologous stem cell transplant", "allogeneic transplant", "bone marrow biopsy", "vertebroplasty", "kyphoplasty", "plasmapheresis", "stem cell collection",
               "radiotherapy to T8", "port placement", "hysterectomy", "CABG", "PCI", "colonoscopy", "cholecystectomy", "tandem auto", "leukapheresis", "echocardiogram")
_HEADINGS = ("HPI:", "Oncologic history:", "PMH:", "Meds:", "Labs:", "Assessment/Plan:", "Interval history:", "Treatment history:", "Exam:", "Family history:", "")
_SWAPPED = (("0", "O"), ("1", "l"), ("l", "1"), ("m", "rn"), ("rn", "m"), ("i", "1"), ("o", "0"))


@dataclass(frozen=True, slots=True)
class Entity:
    """`assertion` of a condition, else None."""

    start: int
    end: int
    label: str
    assertion: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    entities: tuple[Entity, ...]


@dataclass(frozen=True)
class Corpus:
    """Texts of one side of the split."""

    seed: int
    held_out: bool = False

    @cached_property
    def templates(self) -> list[str]:
        path = Path(__file__).parent / f"templates_{'test' if self.held_out else 'train'}.txt"
        return [line.replace("\\t", "\t").replace("\\n", "\n") for line in path.read_text(encoding="utf-8").splitlines() if line]

    @cached_property
    def _weighted(self) -> list[str]:
        """Templates with choices stand for many; they are drawn as often as all the others together."""
        many = [t for t in self.templates if _CHOICE.search(t)]
        return self.templates + many * (len(self.templates) // len(many) if many else 0)

    def texts(self, count: int) -> Iterator[Text]:
        draw = Random(self.seed)
        names = Names(draw, self.held_out)
        for _ in range(count):
            yield self._noisy(self._note(draw, names), draw)

    def _note(self, draw: Random, names: Names) -> Text:
        """One sentence, or a few under headings."""
        whole, entities = "", []
        for _ in range(draw.choice((1, 1, 2, 3, 5))):
            if whole:
                whole += draw.choice((" ", " ", "\n", "\n- ", "\n\n" + draw.choice(_HEADINGS) + "\n"))
            part = self._filled(draw.choice(self._weighted), draw, names)
            entities += [replace(e, start=e.start + len(whole), end=e.end + len(whole)) for e in part.entities]
            whole += part.text
        return Text(whole, tuple(entities))

    def _filled(self, template: str, draw: Random, names: Names) -> Text:
        template = _CHOICE.sub(lambda choice: draw.choice(choice[1].split("|")), template)
        if draw.random() < 0.15:  # other words around the names, so that no phrase is learnt by heart
            template = re.sub(r"(?<![{\w:])[a-z]{4,}(?![\w}:])", lambda word: draw.choice(_surfaces()["words"]) if draw.random() < 0.3 else word.group(), template)
        parts, entities, length, last = [], [], 0, 0
        for slot in _SLOT.finditer(template):
            plain, filler = template[last : slot.start()], self._filler(slot[1], draw, names)
            length += len(plain)
            if slot[1] in LABELS:
                entities.append(Entity(length, length + len(filler), slot[1], slot[2]))
            parts += [plain, filler]
            length += len(filler)
            last = slot.end()
        return Text("".join([*parts, template[last:]]), tuple(entities))

    def _filler(self, slot: str, draw: Random, names: Names) -> str:
        match slot:
            case "DRUG":
                return names.agent()
            case "MEDICINE":
                return names.medicine()
            case "REGIMEN":
                return draw.choice(_surfaces()["regimens"])
            case "CONDITION":
                return draw.choice(_surfaces()["conditions"])
            case "LAB":
                return draw.choice(_surfaces()["tests"])
            case "VALUE":
                return draw.choice((f"{draw.uniform(0.1, 15):.1f}", str(draw.randint(1, 900)), f"{draw.uniform(1, 12):.2f} g/dL", f"{draw.randint(10, 400)} U/L", f"{draw.randint(10, 400)} x10^9/L", f"<{draw.randint(1, 9)}", f"{draw.randint(1, 99)} %"))
            case "PROCEDURE":
                return draw.choice(_PROCEDURES)
            case "PERFORMANCE":
                return draw.choice((f"ECOG {draw.randint(0, 4)}", f"ECOG PS {draw.randint(0, 4)}", f"KPS {draw.randint(3, 10) * 10}", f"Karnofsky {draw.randint(3, 10) * 10}%", f"PS {draw.randint(0, 4)}", f"WHO {draw.randint(0, 4)}"))
            case "DATE":
                month, day, year = draw.randint(1, 12), draw.randint(1, 28), draw.randint(2008, 2026)
                return draw.choice((f"{month}/{day}/{year}", f"{year}-{month:02d}-{day:02d}", f"{_MONTHS[month - 1]} {year}", f"{day} {_MONTHS[month - 1]} {year}", f"{month:02d}/{year}", str(year), f"{_MONTHS[month - 1]} {day}, {year}", f"{month}/{year % 100:02d}"))
            case "response":
                return draw.choice(_RESPONSES)
            case "dose":
                return draw.choice(_DOSES)
            case "n":
                return str(draw.randint(1, 12))
            case "person":
                return names.person()
            case "place":
                return names.place()
            case "code":
                return names.number()
            case "trial":
                return f"NCT{draw.randint(10**7, 10**8 - 1)}"
            case "word":
                return draw.choice(_surfaces()["words"])
        raise ValueError(f"{{{slot}}} is no slot of a template; see LABELS and the cases above")

    def _noisy(self, text: Text, draw: Random) -> Text:
        """A third of the texts with slips of typing or scanning, and some in one case."""
        kind = draw.random()
        if kind < 0.2:
            text = _edited(text, draw, _typo, 0.05)
        elif kind < 0.33:
            text = _edited(text, draw, _misread, 0.06)
        case = draw.random()
        if case < 0.12:
            return replace(text, text=text.text.lower())
        if case < 0.16 and len(text.text.upper()) == len(text.text):
            return replace(text, text=text.text.upper())
        return text


def _edited(text: Text, draw: Random, edit: Callable[[str, Random], str], share: float) -> Text:
    """Some words edited, the entities moved along."""
    parts, shifts, last, shift = [], [], 0, 0
    for word in re.finditer(r"[A-Za-z0-9]{4,}", text.text):
        if draw.random() < share:
            new = edit(word.group(), draw)
            parts += [text.text[last : word.start()], new]
            last = word.end()
            shift += len(new) - len(word.group())
            shifts.append((word.end(), shift))
    parts.append(text.text[last:])

    def moved(place: int) -> int:
        return place + next((s for end, s in reversed(shifts) if end <= place), 0)

    return Text("".join(parts), tuple(replace(e, start=moved(e.start), end=moved(e.end)) for e in text.entities))


def _typo(word: str, draw: Random) -> str:
    at = draw.randrange(1, len(word) - 1)
    return draw.choice((word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:], word[:at] + word[at + 1] + word[at] + word[at + 2 :], word[:at] + draw.choice("aeiorstln") + word[at + 1 :]))


def _misread(word: str, draw: Random) -> str:
    old, new = draw.choice(_SWAPPED)
    return word.replace(old, new, 1)


@cache
def _surfaces() -> dict[str, list[str]]:
    """Names of the vocabulary by table, shorter than a line."""
    vocabulary = load_vocabulary()
    tables = {"conditions": vocabulary.conditions, "tests": vocabulary.tests, "regimens": vocabulary.regimens}
    found = {kind: [n for concept, row in table.items() for alias in (getattr(row, "name", concept), *getattr(row, "aliases", ())) if 2 < len(n := alias.lstrip("=")) < 50] for kind, table in tables.items()}
    return {**found, "words": sorted(load_words().other)}
