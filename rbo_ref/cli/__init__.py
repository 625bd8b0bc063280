"""The command ``rbo-ref``: one module for each of its commands."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

from rbo_ref._words import printable
from rbo_ref.cli._arguments import split, with_numbers
from rbo_ref.cli._common import COULD_NOT_RUN, CouldNotRun
from rbo_ref.cli._guard import guarded
from rbo_ref.cli._streams import finish_streams, prepare_streams

__all__ = ["main"]

DEBUG = "RBO_REF_DEBUG"  # in the environment: show where an error comes from
COMMANDS = {  # each is the module of its name
    "check": "judge a port, or the package's own loop",
    "board": "judge the optimizers of all libraries that are installed",
    "cases": "list the cases",
    "mistakes": "list the known mistakes",
    "draw": "draw a ball that rolls on a landscape",
    "freeze": "write anew what follows from cases, mistakes and laws",
    "iron": "how a ball irons a landscape, a profile or an image",
    "matrix": "which case catches which known mistake",
    "replay": "judge a recorded run, or compare two",
    "train": "compare optimizers on real data at equal cost",
    "vectors": "conformance vectors in files",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command of these arguments in this process, or that of the command line, which is watched over.

    The exit status is 0 (right), 1 (wrong), 2 (could not run), 3 (not decided or complete).
    """
    prepare_streams()
    try:
        return _run(arguments)
    except CouldNotRun as error:
        return _failed(error)
    except KeyboardInterrupt:
        return _failed("interrupted")
    except BrokenPipeError:
        return COULD_NOT_RUN
    except Exception as error:
        if os.environ.get(DEBUG):
            traceback.print_exc()
        return _failed(f"{type(error).__name__}: {printable(error)} ({DEBUG}=1 shows where)")


def _run(arguments: Sequence[str] | None) -> int:
    before, program = split(sys.argv[1:] if arguments is None else arguments)
    try:
        options = _parser(before).parse_args(
            with_numbers(before), argparse.Namespace(program=program, runs_foreign_code=False)
        )
    finally:
        finish_streams()
    if arguments is None and options.runs_foreign_code:
        return guarded(lambda: _done(options), "rbo-ref began")
    return _done(options)


def _done(options: argparse.Namespace) -> int:
    try:
        return options.run(options)
    finally:
        finish_streams()


def _failed(reason: object) -> int:
    """Say why, if there is somebody to tell."""
    with suppress(OSError, ValueError):
        print(f"rbo-ref: {printable(reason)}", file=sys.stderr, flush=True)
    with suppress(CouldNotRun, BrokenPipeError):
        finish_streams()
    return COULD_NOT_RUN


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """A parser that knows the options of the commands among the arguments; the modules of others are not imported."""
    parser = argparse.ArgumentParser(prog="rbo-ref", description="Is my Rolling Ball Optimizer right?")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, about in COMMANDS.items():
        command = commands.add_parser(name, help=about)
        if name in arguments:
            import_module(f"rbo_ref.cli._{name}").add(command)
    return parser
