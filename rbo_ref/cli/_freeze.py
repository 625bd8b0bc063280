"""``rbo-ref freeze``: write anew what follows from cases, mistakes and laws."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from rbo_ref.cli._common import RIGHT, WRONG, CouldNotRun
from rbo_ref.cli._optimizer import add_optimizer
from rbo_ref.cli._streams import say
from rbo_ref.oracle.dialects import OPTIMIZERS

__all__ = ["add"]

SHOWN = 6  # changed lines of a file


def add(freeze: argparse.ArgumentParser) -> None:
    """Add the options to the command's parser."""
    freeze.description = _freeze.__doc__
    freeze.add_argument("--check", action="store_true", help="write nothing, say what would change")
    add_optimizer(freeze, "only what follows from this one; may be repeated", action="append")
    freeze.add_argument("--major", action="store_true", help="published cases and vectors may change or go")
    freeze.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, metavar="N", help="that work side by side"
    )
    freeze.set_defaults(run=_freeze)


def _freeze(options: argparse.Namespace) -> int:
    """Write anew what follows from cases, mistakes and laws: who hunts what, the suite, the lists of vectors, numbers
    in the documents.
    """
    from rbo_ref.oracle.freezing import FrozenError, planned, root

    try:
        top = root()
        plan = planned(
            options.optimizer or OPTIMIZERS, major=options.major, processes=options.processes, told=_progress()
        )
        changes = plan.changes()
        if not options.check:
            plan.write()
    except FrozenError as error:
        raise CouldNotRun(str(error)) from error
    except OSError as error:
        raise CouldNotRun(f"cannot write {error.filename}: {error.strerror}") from error
    for path, lines in changes.items():
        hidden = len(lines) - SHOWN
        say("\n  ".join([str(path.relative_to(top)), *lines[:SHOWN], *[f"... and {hidden} more lines"] * (hidden > 0)]))
    say(f"{len(changes)} of {len(plan.files)} files {'would change' if options.check else 'have changed'}")
    return WRONG if options.check and changes else RIGHT


def _progress() -> Callable[[str], object]:
    """Says on a terminal what is being done."""
    return lambda step: print(f"\r\033[K{step}", end="", file=sys.stderr) if sys.stderr.isatty() else None
