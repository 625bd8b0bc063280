"""``rbo-ref mistakes``: the known mistakes, of which a failing port is told the one it makes."""

from __future__ import annotations

import argparse

from rbo_ref.cli._common import RIGHT
from rbo_ref.cli._optimizer import add_optimizer
from rbo_ref.cli._streams import say
from rbo_ref.oracle.catalogue import catalogue
from rbo_ref.oracle.dialects import ROLLING_BALL

__all__ = ["add"]


def add(known: argparse.ArgumentParser) -> None:
    """Add the options to the command's parser."""
    known.description = _mistakes.__doc__
    add_optimizer(known, "those of another optimizer", default=ROLLING_BALL)
    known.set_defaults(run=_mistakes)


def _mistakes(options: argparse.Namespace) -> int:
    """List the known mistakes that a failing port is compared with."""
    for name, cls in catalogue(options.optimizer).items():
        say(f"{name:<34}{cls.description}")
    return RIGHT
