"""What a child process owes its parent: not to outlive it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(signum: int = signal.SIGTERM, parent: int | None = None) -> None:
    """Ask the kernel for a signal when the parent dies, even by kill -9. `parent`: its pid, to see that it is not dead already."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signum)
        if parent is not None and os.getppid() != parent:
            os.kill(os.getpid(), signum)
