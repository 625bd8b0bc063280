"""The command ``rbo-ref``: one module for each of its commands."""

from __future__ import annotations

import argparse
import os
import re
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress

from rbo_ref._words import printable
from rbo_ref.cli import _check, _draw, _iron, _matrix, _program, _replay, _train, _vectors
from rbo_ref.cli._common import COULD_NOT_RUN, CouldNotRun
from rbo_ref.cli._guard import guarded
from rbo_ref.cli._streams import finish_streams, prepare_streams

__all__ = ["main"]

DEBUG = "RBO_REF_DEBUG"  # in the environment: show where an error comes from
NEGATIVE = re.compile(r"-(\d+\.?\d*|\.\d+)e[+-]?\d+|-inf(inity)?", re.IGNORECASE | re.ASCII)


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
    before, program = _program.split(sys.argv[1:] if arguments is None else arguments)
    try:
        options = _parser().parse_args(
            _with_numbers(before), argparse.Namespace(program=program, runs_foreign_code=False)
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


def _with_numbers(arguments: Sequence[str]) -> list[str]:
    """The arguments, with a blank before those negative numbers that argparse would take for options, like -1e-3."""
    return [f" {text}" if NEGATIVE.fullmatch(text) else text for text in arguments]


def _failed(reason: object) -> int:
    """Say why, if there is somebody to tell."""
    with suppress(OSError, ValueError):
        print(f"rbo-ref: {printable(reason)}", file=sys.stderr, flush=True)
    with suppress(CouldNotRun, BrokenPipeError):
        finish_streams()
    return COULD_NOT_RUN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rbo-ref", description="Is my Rolling Ball Optimizer right?")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (_check, _draw, _iron, _matrix, _replay, _train, _vectors):
        module.add(commands)
    return parser
