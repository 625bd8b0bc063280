"""The command ``rbo-ref``: one module for each of its commands."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

from rbo_ref._words import printable, text_of
from rbo_ref.cli._arguments import split, with_numbers
from rbo_ref.cli._common import COULD_NOT_RUN, STATUSES, CouldNotRun
from rbo_ref.cli._guard import guarded
from rbo_ref.cli._streams import finish_streams, only_ours, prepare_streams, say, warn, warn_at_length

__all__ = ["main"]

DEBUG, DEBUGGING = "--debug", "show where an error comes from"
EPILOG = f"Exit status: {', '.join(f'{status} {meaning}' for status, meaning in STATUSES.items())}; docs/statuses.rst."
COMMANDS = {  # each is the module of its name
    "check": "judge a port, or the package's own loop",
    "board": "judge the optimizers of all libraries that are installed",
    "cases": "list the cases",
    "mistakes": "list the known mistakes",
    "draw": "draw a ball that rolls on a landscape, or other optimizers",
    "figures": "draw the figures of the paper, and the geometry of landscapes",
    "freeze": "write anew what follows from cases, mistakes and laws",
    "iron": "how a ball irons a landscape, a profile or an image",
    "matrix": "which case catches which known mistake",
    "play": "write a page to play with and to judge by",
    "roll": "a film of a ball that rolls on a landscape",
    "replay": "judge a recorded run, or compare two",
    "vectors": "conformance vectors in files",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command of these arguments in this process, or that of the command line, which is watched over.

    The exit status is one of `STATUSES`, whatever happens.
    """
    words, program = split(sys.argv[1:] if arguments is None else arguments)
    try:
        prepare_streams()
        return _run(words, program, is_watched=arguments is None)
    except SystemExit as end:  # of argparse, which has told what there is to tell
        return end.code if isinstance(end.code, int) else COULD_NOT_RUN
    except KeyboardInterrupt:
        return _failed("interrupted")
    except BrokenPipeError:
        return COULD_NOT_RUN
    except BaseException as error:
        if DEBUG in words:
            warn_at_length(traceback.format_exc())
        return _failed(_sentence(error))


def _run(words: Sequence[str], program: list[str] | None, is_watched: bool) -> int:
    try:
        options = _parser(words).parse_args(
            with_numbers(words), argparse.Namespace(program=program, runs_foreign_code=False)
        )
    finally:
        finish_streams()
    if is_watched and options.runs_foreign_code:
        return guarded(lambda: _done(options), "rbo-ref began")
    return _done(options)


def _done(options: argparse.Namespace) -> int:
    try:
        with only_ours():
            return options.run(options)
    except SystemExit as error:  # of a port, or its library
        raise CouldNotRun(f"SystemExit: {text_of(error)}") from error
    finally:
        finish_streams()


def _sentence(error: BaseException) -> str:
    """What kept us from our work: in our words, in those of the operating system, or what nobody expected."""
    if isinstance(error, CouldNotRun):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"{type(error).__name__}: {printable(error)} ({DEBUG} shows where)"


def _failed(reason: str) -> int:
    """Say why, if there is somebody to tell."""
    warn(reason)
    with suppress(CouldNotRun, BrokenPipeError):
        finish_streams()
    return COULD_NOT_RUN


class _Parser(argparse.ArgumentParser):
    """A parser that shows words of the command line in a line, and does not take it that nobody reads its help."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))

    def _print_message(self, message: str, file: Any = None) -> None:
        say(message.rstrip("\n")) if file is sys.stdout else warn_at_length(message)


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """A parser that knows the options of the commands among the arguments; the modules of others are not imported."""
    parser = _Parser(prog="rbo-ref", description="Is my Rolling Ball Optimizer right?", epilog=EPILOG)
    parser.add_argument(DEBUG, action="store_true", help=DEBUGGING)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, about in COMMANDS.items():
        command = commands.add_parser(name, help=about)
        command.add_argument(DEBUG, action="store_true", help=DEBUGGING)
        if name in arguments:
            import_module(f"rbo_ref.cli._{name}").add(command)
            command.epilog = f"{command.epilog or ''} {EPILOG}"
    return parser
