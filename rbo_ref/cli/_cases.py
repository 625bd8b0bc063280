"""``rbo-ref cases``: what ports are judged by."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from rbo_ref.cli._common import RIGHT
from rbo_ref.cli._optimizer import add_optimizer
from rbo_ref.cli._streams import say
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.dialects import ROLLING_BALL

__all__ = ["add"]


def add(show: argparse.ArgumentParser) -> None:
    """Add the options to the command's parser."""
    show.description = _cases.__doc__
    add_optimizer(show, "those of another optimizer", default=ROLLING_BALL)
    show.set_defaults(run=_cases)


def _cases(options: argparse.Namespace) -> int:
    """List the cases: id, dimension, what it is about, and the mistakes it is there to catch."""
    for case in all_cases(options.optimizer):
        told = case.note or f"{case.walk} steps; {_listed(case.hyper(0))}"
        say(f"{case.id:<20} d={case.dimension:<3} {told}")
        if case.catches:
            say(f"{'':<26}catches {', '.join(case.catches)}")
    return RIGHT


def _listed(hyper: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in hyper.items())
