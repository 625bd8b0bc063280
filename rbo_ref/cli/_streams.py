"""Standard output and error of a command, which may be closed, full, in ASCII, or read by nobody any more."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple, TextIO

from rbo_ref._words import printable
from rbo_ref.cli._common import CouldNotRun

__all__ = [
    "finish_streams",
    "from_our_folder",
    "only_ours",
    "prepare_streams",
    "say",
    "say_bytes",
    "warn",
    "warn_at_length",
]


def say(text: object = "", flush: bool = False) -> None:
    """Print to standard output, line by line, whatever the text holds."""
    lines = (printable(line, None) for line in str(text).split("\n"))
    with _explained():
        print("\n".join(lines), file=_output(), flush=flush)


def say_bytes(content: bytes) -> None:
    """Write to standard output in UTF-8, whatever the terminal takes."""
    stream = _output()
    with _explained():
        stream.flush()
        if hasattr(stream, "buffer"):
            stream.buffer.write(content)
        else:
            stream.write(content.decode())


def warn(text: object) -> None:
    """Print a line to standard error, if there is somebody to tell."""
    with suppress(OSError, ValueError):
        print(f"rbo-ref: {printable(text)}", file=sys.stderr, flush=True)


def warn_at_length(text: str) -> None:
    """Print lines to standard error, likewise."""
    with suppress(OSError, ValueError):
        print("\n".join(printable(line) for line in text.splitlines()), file=sys.stderr, flush=True)


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
    with _explained():
        _finish(sys.stdout)


def _finish(stream: TextIO) -> None:
    try:
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError, AttributeError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        raise


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise CouldNotRun(f"cannot write to standard output: {getattr(error, 'strerror', None) or error}") from error


# While ports run, standard output is ours alone.


class _Kept(NamedTuple):
    """What was when a command began."""

    output: TextIO
    process: int  # that may write there
    folder: str  # in which it was


_kept: list[_Kept] = []  # of the commands under way, the innermost one last


def _output() -> TextIO:
    """Our standard output. A copy of this process, which a port forked and let come back, ends here."""
    if _kept and os.getpid() != _kept[-1].process:
        os._exit(0)
    return _kept[-1].output if _kept else sys.stdout


def from_our_folder(file: str) -> str:
    """The path of a file that the user named, wherever a port has gone in the meantime."""
    return os.path.join(_kept[-1].folder if _kept else "", file)


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it is gone
        return ""


@contextmanager
def only_ours() -> Iterator[None]:
    """What ports and libraries print to standard output goes to standard error meanwhile, and they cannot close either.

    Standard output is for `say`, so that a verdict there is ours, and a report there is nothing else.
    """
    before = sys.stdout, sys.stderr
    sys.stdout.flush()
    with _aside() if _is_descriptor(sys.stdout, 1) else _swapped() as out:
        _kept.append(_Kept(out, os.getpid(), _folder()))
        try:
            yield
        finally:
            _output()
            _kept.pop()
            sys.stdout, sys.stderr = before


@contextmanager
def _swapped() -> Iterator[TextIO]:
    """Of streams that are no files, as in a notebook, only the names are changed."""
    out, sys.stdout = sys.stdout, sys.stderr
    yield out


@contextmanager
def _aside() -> Iterator[TextIO]:
    """Our standard output under another number, and other streams in place of ours."""
    kept = {number: os.dup(number) for number in (1, 2)}
    with open(os.dup(1), "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors) as out:
        os.dup2(2, 1)
        sys.stdout, sys.stderr = _stand_in(1), _stand_in(2) if _is_descriptor(sys.stderr, 2) else sys.stderr
        try:
            yield out
        finally:
            try:
                with _explained():
                    _finish(out)
            finally:
                for number, copy in kept.items():
                    os.dup2(copy, number)
                    os.close(copy)


def _stand_in(number: int) -> TextIO:
    """What ports may do with as they like; it is written to at once, as standard error is."""
    return open(number, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _is_descriptor(stream: TextIO, number: int) -> bool:
    try:
        return stream.fileno() == number
    except (AttributeError, OSError, ValueError):
        return False
