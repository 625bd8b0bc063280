"""``rbo-ref matrix``: which case catches which known wrong port."""

from __future__ import annotations

import argparse
import os
import sys

from rbo_ref.cli._common import RIGHT, WRONG
from rbo_ref.cli._optimizer import add_optimizer
from rbo_ref.cli._output import ALONE, add_file, check_files, write_text
from rbo_ref.cli._streams import say
from rbo_ref.oracle.checking import DTYPES
from rbo_ref.oracle.dialects import ROLLING_BALL
from rbo_ref.oracle.matrix import KillMatrix, kill_matrix

__all__ = ["add"]


def add(matrix: argparse.ArgumentParser) -> None:
    """Add the options to the command's parser."""
    matrix.description = _matrix.__doc__
    add_optimizer(matrix, f"default: {ROLLING_BALL}", default=ROLLING_BALL)
    matrix.add_argument("--dtype", default="float64", choices=DTYPES)
    add_file(matrix, "--csv", "write the matrix", ALONE)
    add_file(matrix, "--html", "write it as a page, likewise")
    matrix.add_argument(
        "--processes", type=_count, default=os.cpu_count() or 1, metavar="N", help="that work side by side"
    )
    matrix.set_defaults(run=_matrix)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1 up, got {text!r}")
    return int(text)


def _matrix(options: argparse.Namespace) -> int:
    """Judge every known wrong port by every case: each must be caught by two, and nine in ten be called by name."""
    check_files(csv=options.csv, html=options.html)
    matrix = _made(options)
    if options.csv:
        write_text(matrix.to_csv(), options.csv)
    if options.html:
        write_text(matrix.to_html(), options.html)
    if "-" not in (options.csv, options.html):
        say(matrix)
    return RIGHT if matrix.passed else WRONG


def _made(options: argparse.Namespace) -> KillMatrix:
    from tqdm import tqdm

    with tqdm(desc=options.optimizer, leave=False, unit="port", disable=None if sys.stderr.isatty() else True) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return kill_matrix(options.optimizer, options.dtype, processes=options.processes, progress=progress)
