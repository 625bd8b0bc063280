"""The working precision of python-flint, which all threads share: one of them at a time may change it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["working_precision"]

_TURN = [threading.RLock()]


@contextmanager
def working_precision(bits: int) -> Iterator[None]:
    """As ``flint.ctx.workprec``, for one thread after the other.

    Two threads that overlapped would compute with each other's precision, and leave the wrong one behind. Functions of
    users must not be called inside: they may wait for another thread that waits for its turn.

    >>> from flint import arb
    >>> with working_precision(200):
    ...     third = 1 / arb(3)
    >>> third.rel_accuracy_bits() > 190
    True
    """
    from flint import ctx

    with _TURN[0], ctx.workprec(bits):
        yield


def _take_turns_anew() -> None:
    """A forked child has one thread, and none that would give back the turn that another had in its parent."""
    _TURN[0] = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_take_turns_anew)
