"""The command ``rbo-ref``: one module for each of its commands."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from rbo_ref.cli import _check, _draw, _iron, _matrix, _program, _replay, _train, _vectors
from rbo_ref.cli._common import COULD_NOT_RUN, CouldNotRun
from rbo_ref.cli._guard import guarded

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command of these arguments in this process, or that of the command line, which is watched over.

    The exit status is 0 (right), 1 (wrong), 2 (could not run), 3 (not decided or complete).
    """
    before, program = _program.split(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(before, argparse.Namespace(program=program, runs_foreign_code=False))
    if arguments is None and options.runs_foreign_code:
        return guarded(lambda: _run(options), "rbo-ref began")
    return _run(options)


def _run(options: argparse.Namespace) -> int:
    try:
        return options.run(options)
    except CouldNotRun as error:
        print(f"rbo-ref: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        print("rbo-ref: interrupted", file=sys.stderr)
        return COULD_NOT_RUN
    except BrokenPipeError:  # the reader of our output has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return COULD_NOT_RUN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rbo-ref", description="Is my Rolling Ball Optimizer right?")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (_check, _draw, _iron, _matrix, _replay, _train, _vectors):
        module.add(commands)
    return parser
