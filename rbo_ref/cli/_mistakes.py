"""``rbo-ref mistakes``: the known mistakes, of which a failing port is told the one it makes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from rbo_ref.cli._common import RIGHT
from rbo_ref.oracle import MISTAKES, optimizers

__all__ = ["add"]


def add(known: argparse.ArgumentParser) -> None:
    """Add the options to the command's parser."""
    known.description = _mistakes.__doc__
    known.add_argument("--optimizer", choices=optimizers.OPTIMIZERS, help="those of another optimizer")
    known.set_defaults(run=_mistakes)


def _mistakes(options: argparse.Namespace) -> int:
    """List the known mistakes that a failing port is compared with."""
    catalogue: Mapping[str, Any] = optimizers.MISTAKES[options.optimizer] if options.optimizer else MISTAKES
    for name, cls in catalogue.items():
        print(f"{name:<34}{cls.description}")
    return RIGHT
