"""Standard output and error of a command, which may be closed, full, in ASCII, or read by nobody any more."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO

from rbo_ref.cli._common import CouldNotRun

__all__ = ["finish_streams", "prepare_streams"]


def prepare_streams() -> None:
    """Make sure that there are standard streams, and that they take every character, if need be as an escape."""
    _occupy()
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, "w", encoding="utf-8", closefd=False))
        with suppress(AttributeError, ValueError, OSError):  # a stream of somebody else, as in a notebook
            getattr(sys, name).reconfigure(errors="backslashreplace")


def _occupy() -> None:
    """Keep files that are opened later from getting the numbers of closed standard streams."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def finish_streams() -> None:
    """Write what is left to write. What a stream does not take is forgotten: the interpreter would try it again.

    Raises
    ------
    CouldNotRun
        If standard output does not take it.
    BrokenPipeError
        If the reader of standard output has left, as ``head`` does.
    """
    with suppress(OSError, ValueError):
        _finish(sys.stderr)
    try:
        _finish(sys.stdout)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise CouldNotRun(f"cannot write to standard output: {getattr(error, 'strerror', None) or error}") from error


def _finish(stream: TextIO) -> None:
    try:
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError, AttributeError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        raise
