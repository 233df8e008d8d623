"""Milliseconds to read an invented note of 600 words on one core, beside medspaCy's default pipeline on the same notes.

medspaCy needs Python 3.12 here, and an environment of its own: it is made once in the user's cache. Where that is not possible
the reason is printed and the comparison left out. All figures of one run are measured in turns. Of each note its best turn counts: what a
shared machine adds is noise upwards. Its speed differs from minute to minute, so the ratios are those of one turn each, taken seconds apart.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import quantiles

from matcher import read_note
from matcher.notes import read_document
from matcher.notes.document import Document
from models import load_vocabulary

WORDS, NOTES, TURNS = 600, 12, 25
SPECIMENS = Path(__file__).parent / "specimens"
MEDSPACY = "medspacy>=1.3,<1.4"
# Reads {"terms", "notes"}, then for every line on standard input reads the notes once and prints the CPU seconds of each.
_MEDSPACY = """
import json, sys, time, logging
logging.disable(logging.CRITICAL)
import medspacy
from medspacy.target_matcher import TargetRule
given = json.loads(sys.stdin.readline())
nlp = medspacy.load()
nlp.get_pipe("medspacy_target_matcher").add([TargetRule(term, "TERM") for term in given["terms"]])
nlp(given["notes"][0])
print("ready", *nlp.pipe_names, flush=True)
for _ in sys.stdin:
    spent = []
    for note in given["notes"]:
        begun = time.process_time()
        found = len(nlp(note).ents)
        spent.append(time.process_time() - begun)
    print(json.dumps(spent), flush=True)
"""


def notes() -> list[str]:
    """Invented notes joined, and cut to the same number of words."""
    texts = [json.loads(path.read_text(encoding="utf-8"))["note"] for path in sorted(SPECIMENS.glob("*.json"))]
    cut = []
    for place in range(NOTES):
        whole = "\n\n".join(texts[(place * 2 + i) % len(texts)] for i in range(5))
        ends = [i for i, c in enumerate(whole) if c.isspace() and not whole[i - 1].isspace()]
        cut.append(whole[: ends[WORDS - 1]])
    return cut


def terms() -> list[str]:
    """Names for medspaCy to find, as many as a target list of ours: the conditions' and the drugs' first ones."""
    vocabulary = load_vocabulary()
    return [*(row.name for row in vocabulary.conditions.values()), *vocabulary.drugs]


def timed(read: Callable[[str], object], given: list[str]) -> list[float]:
    """CPU seconds of each note."""
    spent = []
    for note in given:
        begun = time.process_time()
        read(note)
        spent.append(time.process_time() - begun)
    return spent


class Medspacy:
    """medspaCy in its own process. `reason` says why there is none."""

    def __init__(self, given: list[str]) -> None:
        self.process: subprocess.Popen[str] | None = None
        python, self.reason = _environment()
        if python is None:
            return
        self.process = subprocess.Popen([python, "-W", "ignore", "-c", _MEDSPACY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.pipes = self._ask(json.dumps({"terms": terms(), "notes": given}))
        if not self.pipes.startswith("ready"):
            self.reason, self.process = "its pipeline did not load", None

    def _ask(self, line: str) -> str:
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def seconds(self) -> list[float]:
        found: list[float] = json.loads(self._ask("again"))
        return found

    def close(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
            self.process.wait(timeout=30)


def _environment() -> tuple[str | None, str]:
    """(its interpreter, "") or (None, why not)."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "eligo" / "medspacy-3.12"
    python = home / "bin" / "python"
    ready = home / ".ready"
    if not ready.exists():
        source = next(_python_312(), None)
        if source is None:
            return None, "no Python 3.12 on this machine"
        made = subprocess.run([source, "-m", "venv", "--clear", str(home)], capture_output=True, text=True)
        got = made if made.returncode else subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", MEDSPACY], capture_output=True, text=True)
        if got.returncode:
            return None, f"its environment could not be made ({(got.stderr.strip().splitlines() or ['unknown'])[-1][:120]})"
        ready.touch()
    return str(python), ""


def _python_312() -> Iterator[str]:
    found = [sys.executable, shutil.which("python3.12"), *map(str, sorted((Path.home() / ".pyenv" / "versions").glob("3.12*/bin/python")))]
    for candidate in found:
        if candidate and subprocess.run([candidate, "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 12))"], capture_output=True).returncode == 0:
            yield candidate


def main() -> None:
    given = notes()
    readers: dict[str, Callable[[str], object]] = {
        "rules and vocabulary alone": lambda note: read_document(Document(note)),
        "everything on": read_note,
        "everything on, an unknown agent in each note": lambda note: read_note(note + "\nThen treated with CT-0596 and anvatabart, progressed."),
    }
    for read in readers.values():
        timed(read, given[:2])
    other = Medspacy(given)
    turns: dict[str, list[list[float]]] = {}
    for _ in range(TURNS):
        for name, read in readers.items():
            turns.setdefault(name, []).append(timed(read, given))
        if other.process is not None:
            turns.setdefault("medspaCy", []).append(other.seconds())
    other.close()
    print(f"{len(given)} invented notes of {WORDS} words, one core, of each note the best of {TURNS} turns; of the ratios of each turn the median and the quartiles")
    for name, seconds in turns.items():
        beside = ""
        if name == "medspaCy":
            beside = f"({' '.join(other.pipes.split()[1:])}; {len(terms())} target terms)"
        elif "medspaCy" in turns:
            low, median, high = quantiles(sum(theirs) / sum(ours) for theirs, ours in zip(turns["medspaCy"], seconds, strict=True))
            beside = f"{median:5.1f} x medspaCy's throughput ({low:.1f} to {high:.1f})"
        print(f"{name:46s} {1000 * sum(map(min, zip(*seconds, strict=True))) / len(given):7.1f} ms a note   {beside}")
    if "medspaCy" not in turns:
        print(f"medspaCy: not measured, {other.reason}")


if __name__ == "__main__":
    main()
