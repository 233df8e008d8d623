"""`make demo`: the main job on a bundled, invented note."""

from __future__ import annotations

from pathlib import Path

from api import terminal
from matcher import match, read_note
from matcher.registry import bundled_trials

EXAMPLE_NOTE = Path(__file__).with_name("example_note.txt")


def main() -> None:
    """Reads the example note and ranks the bundled trials for it."""
    terminal.show_report(match(read_note(EXAMPLE_NOTE.read_text(encoding="utf-8"), "example"), bundled_trials()))


if __name__ == "__main__":
    main()
