"""Processes that work for a command: Ctrl-C of a terminal reaches them too, and its answer is the command's."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["ending_quietly", "started_quietly"]


@contextmanager
def started_quietly() -> Iterator[None]:
    """Processes that are started within do not hear of Ctrl-C before they say what it means to them.

    Else it would end them while they import, with a traceback each. It waits for us, too, until the end of this.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ending_quietly() -> None:
    """In a process that was started so: end without a word at Ctrl-C, also at one that has come already."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
