"""A port that forks may come back twice: the copy of this process ends there, and the process that asked is told."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from mmap import mmap

__all__ = ["CameBackTwice", "without_copies"]

PATIENCE = 0.2  # seconds for a copy to come back, after a call that has forked
LOOK = 0.005  # seconds between two looks
SPENT = 5  # times that we wait: most who fork do so in every call, and their copies do not come back


class CameBackTwice(Exception):
    """A call has forked, and its copy came back, too."""


@contextmanager
def without_copies() -> Iterator[None]:
    """What comes back from within in another process than it went in ends that process.

    Raises
    ------
    CameBackTwice
        In the process that went in; where the copy is late, at one of the next calls.

    Examples
    --------
    >>> with without_copies():
    ...     os.fork()  # doctest: +SKIP
    Traceback (most recent call last):
    ...
    rbo_ref.oracle.copies.CameBackTwice: forked, and came back in two processes
    """
    process, seen, forks = os.getpid(), _seen(), _forks.count
    try:
        yield
    finally:
        if os.getpid() != process:
            seen[0] = 1
            os._exit(0)
    if _forks.count != forks and _forks.patience:
        _wait(seen)
    if seen[0]:
        seen[0] = 0
        raise CameBackTwice("forked, and came back in two processes")


@cache
def _seen() -> mmap:
    """Memory of this process and all copies of it: whether one of them came back."""
    return mmap(-1, 1)


class _Forks:
    """How often this process has forked, as far as Python knows, and how often we wait yet."""

    count, patience = 0, SPENT

    def add(self) -> None:
        self.count += 1


_forks = _Forks()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_parent=_forks.add)


def _wait(seen: mmap) -> None:
    _forks.patience -= 1
    deadline = time.monotonic() + PATIENCE
    while not seen[0] and time.monotonic() < deadline:
        time.sleep(LOOK)
