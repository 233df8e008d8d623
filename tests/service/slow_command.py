"""The command line with a reader that can be slowed down, for the tests that interrupt it."""

import matcher
from api import cli
from tests.service.poisoned import read_note

if __name__ == "__main__":
    matcher.read_note = read_note
    cli.main()
