"""The option ``--optimizer``."""

from __future__ import annotations

import argparse
from typing import Any

from rbo_ref.oracle.dialects import OPTIMIZERS, optimizer_of

__all__ = ["add_optimizer"]


def add_optimizer(command: argparse.ArgumentParser, help: str, **more: Any) -> None:
    """Add the option to a command's parser; an optimizer may be called by any of its names."""
    command.add_argument("--optimizer", type=optimizer_of, choices=OPTIMIZERS, help=help, **more)
