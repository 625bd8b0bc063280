"""``rbo-ref check ... -- COMMAND``: a program as the port."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import util
from typing import Any, TextIO

from rbo_ref._words import printable
from rbo_ref.cli._common import CouldNotRun
from rbo_ref.oracle import ProgramPort
from rbo_ref.oracle.calls import PortError
from rbo_ref.oracle.protocol.port import Undeclared

__all__ = ["add", "carrier", "program_port"]

Heard = Callable[[str, bytes], Any]


def add(judge: argparse.ArgumentParser) -> None:
    """Add what goes with a program to the options of ``check``."""
    judge.usage = "%(prog)s [options] [MODULE:ATTRIBUTE | -- COMMAND [ARGUMENT ...]]"
    judge.epilog = "A COMMAND is a program in any language that talks JSON Lines, see docs/protocol.rst."
    judge.add_argument(
        "--transcript", metavar="FILE", help="write the conversation with a program ('>' to it, '<' from)"
    )


@contextmanager
def program_port(options: argparse.Namespace) -> Iterator[ProgramPort]:
    """The program that the user names, which declares what it is asked for; it is stopped in the end."""
    if options.port or options.xp:
        raise CouldNotRun(
            f"{'--xp' if options.xp else 'MODULE:ATTRIBUTE'} goes with a port in Python, not with a program"
        )
    if not options.program:
        raise CouldNotRun("expected a command after --")
    with ExitStack() as stack:
        heard = _transcript(stack.enter_context(_opened(options.transcript))) if options.transcript else None
        port = stack.enter_context(_started(options, heard))
        _ask(port, options)
        yield port


def carrier(dtype: str) -> str:
    """The array library in which the oracle keeps the numbers of a program."""
    libraries = ("torch", "jax") if dtype == "bfloat16" else ("numpy",)
    found = next((library for library in libraries if util.find_spec(library)), None)
    if found is None:
        raise CouldNotRun(f"{dtype} needs one of {', '.join(libraries)}, and none is installed")
    return found


def _started(options: argparse.Namespace, heard: Heard | None) -> ProgramPort:
    optimizer = options.optimizer or "rolling-ball"
    try:
        return ProgramPort(options.program, optimizer, time_limit=options.time_limit, heard=heard)
    except OSError as error:
        raise CouldNotRun(f"cannot start {options.program[0]}: {error.strerror or error}") from error
    except ValueError as error:
        raise CouldNotRun(str(error)) from error


def _ask(port: ProgramPort, options: argparse.Namespace) -> None:
    """See that the program declares what it is asked for; its dialect, if the user names none."""
    try:
        port.require(options.dtype)
        options.dialect = options.dialect or port.capabilities.dialects.get(port.optimizer)
    except Undeclared as error:
        raise CouldNotRun(f"{port.name}: {error}") from error
    except (PortError, TimeoutError):
        pass  # the check will find the same, and report it


def _opened(file: str) -> TextIO:
    try:
        return open(file, "w", encoding="utf-8", buffering=1)
    except OSError as error:
        raise CouldNotRun(f"cannot write {file}: {error.strerror}") from error


def _transcript(file: TextIO) -> Heard:
    """What writes each line of the conversation to a file."""
    return lambda direction, line: file.write(f"{direction} {printable(line, None)}\n")
