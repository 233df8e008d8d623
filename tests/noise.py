"""Copies of notes with typing slips, a scanner's confusions, small letters, or an agent nobody knows. Seeded by the note: every run reads the same copies."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from random import Random
from typing import Any

from matcher.notes.document import Document
from matcher.notes.treatments import find_mentions
from models import load_vocabulary
from models.training.names import Names

_WORD = re.compile(r"[A-Za-z]{4,}")
_NEIGHBOURS = {a: near for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm") for i, a in enumerate(row) for near in [row[max(0, i - 1) : i] + row[i + 1 : i + 2]]}
_CONFUSED = (("rn", "m"), ("m", "rn"), ("cl", "d"), ("0", "O"), ("O", "0"), ("l", "1"), ("1", "l"), ("I", "l"), ("o", "0"), ("i", "1"))


def typos(note: str, share: float = 0.05) -> str:
    """One slip (a letter doubled, dropped, swapped with the next, or hit beside its key) in this share of the words of four letters or more."""
    draw = Random(note)

    def slip(match: re.Match[str]) -> str:
        word = match.group()
        if draw.random() >= share:
            return word
        at = draw.randrange(1, len(word) - 1)
        kind = draw.choice(("double", "drop", "swap", "beside"))
        if kind == "double":
            return word[:at] + word[at] + word[at:]
        if kind == "drop":
            return word[:at] + word[at + 1 :]
        if kind == "swap":
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        return word[:at] + draw.choice(_NEIGHBOURS[word[at].lower()]) + word[at + 1 :]

    return _WORD.sub(slip, note)


def scanned(note: str, share: float = 0.05) -> str:
    """One confusion of shapes (0/O, 1/l/I, rn/m, cl/d) in this share of the words and numbers that have one."""
    draw = Random(note)

    def confuse(match: re.Match[str]) -> str:
        word = match.group()
        possible = [(a, b) for a, b in _CONFUSED if a in word]
        if not possible or draw.random() >= share:
            return word
        old, new = draw.choice(possible)
        at = draw.choice([i for i in range(len(word)) if word.startswith(old, i)])
        return word[:at] + new + word[at + len(old) :]

    return re.sub(r"[A-Za-z0-9.]{3,}", confuse, note)


NOISES: dict[str, Callable[[str], str]] = {
    "as written": lambda note: note, "5 % typos": typos, "scanned": scanned, "small letters": str.lower,
}


def renamed(note: str, gold: dict[str, Any]) -> tuple[str, dict[str, Any], str | None]:
    """(note, answer, name): one agent of the lines under a name that no table lists, wherever the note writes it out.

    None, and the note as it is, where no agent is written out everywhere (part of a regimen's short form, or a BCMA product).
    """
    vocabulary, draw = load_vocabulary(), Random(note)
    written: dict[str, list[tuple[int, int]]] = defaultdict(list)
    hidden: set[str] = set()
    for mention in find_mentions(Document(note)):
        if len(mention.drugs) == 1 and not mention.regimen and note[mention.start : mention.end].isalpha():
            written[mention.drugs[0]].append((mention.start, mention.end))
        else:
            hidden.update(mention.drugs)
    used = {d for line in gold["lines"] for d in line["drugs"]}
    agents = [d for d in sorted(used & written.keys() - hidden) if d in vocabulary.drugs and not {"corticosteroid", "bcma"} & vocabulary.ancestors(d) and max(b - a for a, b in written[d]) > 4]
    if not agents:
        return note, gold, None
    agent = draw.choice(agents)
    names = Names(draw, held_out=True)
    name = draw.choice((names.invented_agent, names.code))().replace(" ", "-")
    for start, end in reversed(written[agent]):
        note = note[:start] + name + note[end:]

    def exchanged(drugs: list[str]) -> list[str]:
        return [name.lower() if d == agent else d for d in drugs]

    lines = [{**line, "drugs": exchanged(line["drugs"])} for line in gold["lines"]]
    return note, {**gold, "lines": lines, "refractory_to": exchanged(gold["refractory_to"])}, name
