"""``rbo-ref play``: a page to play with and to judge by."""

from __future__ import annotations

import argparse
import sys

from rbo_ref.cli._common import RIGHT
from rbo_ref.cli._output import check_place, write_text
from rbo_ref.playground import page

__all__ = ["add"]


def add(command: argparse.ArgumentParser) -> None:
    """Add the options to the command's parser."""
    command.description = _play.__doc__
    command.add_argument("--out", required=True, metavar="FILE", help="the page, HTML ('-': standard output)")
    command.set_defaults(run=_play)


def _play(options: argparse.Namespace) -> int:
    """Write a page: a ball to roll on the landscapes, and a judge of steps in JavaScript and of answers to vectors.

    It is one file that fetches nothing, made in two minutes.
    """
    from tqdm import tqdm

    check_place(options.out)
    with tqdm(desc="vectors", unit="vector", leave=False, disable=None if sys.stderr.isatty() else True) as bar:
        text = page(progress=bar.update)
    write_text(text, options.out)
    return RIGHT
