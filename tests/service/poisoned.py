"""A worker whose reader can be hurt: `python -m tests.service.poisoned`. The product has no such hook; this wraps it from outside."""

import os
import signal
import time

import matcher
from matcher.domain import PatientProfile
from workers.__main__ import main

_read = matcher.read_note


def read_note(text: str, note_id: str = "note") -> PatientProfile:
    if "[kill]" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "[loop]" in text:
        while True:
            pass
    if "[deaf]" in text:  # does not hear the alarm, as a library in C would not
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        while True:
            pass
    if "[raise]" in text:
        raise ValueError(text)
    if "[stuck]" in text:
        time.sleep(600)
    if "[slow]" in text:
        time.sleep(0.02)
    return _read(text, note_id)


if __name__ == "__main__":
    matcher.read_note = read_note
    main()
