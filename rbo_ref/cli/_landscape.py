"""Options of a ball on a landscape."""

from __future__ import annotations

import argparse

from geometry import Descent, FunctionGraph
from rbo_ref.cli._common import CouldNotRun
from rbo_ref.cli._streams import warn
from rbo_ref.jumps import jumps
from rbo_ref.landscapes import LANDSCAPES, by_name
from rbo_ref.run import Trajectory

__all__ = ["add_ball", "landscape_and_start", "solver_of", "tell_of_jumps"]


def add_ball(command: argparse.ArgumentParser) -> None:
    """Add the landscape and the options of the ball to a command's parser."""
    command.add_argument("landscape", metavar="LANDSCAPE", help=", ".join(LANDSCAPES))
    command.add_argument("--radius", type=float, metavar="R", help="of the ball (default: 0.5)")
    command.add_argument("--learning-rate", type=float, default=0.1, metavar="E")
    command.add_argument("--start", type=float, nargs="+", metavar="X", help="coordinates (default: 0.5 each)")
    command.add_argument("--steps", type=int, default=50, metavar="N")
    command.add_argument("--projection-rate", type=float, metavar="G", help="of the paper's inner loop")
    command.add_argument("--projection-steps", type=int, metavar="P", help="of the paper's inner loop")


def landscape_and_start(options: argparse.Namespace) -> tuple[FunctionGraph, list[float]]:
    """The landscape, and where to start on it."""
    surface = by_name(options.landscape)
    return surface, _start(surface) if options.start is None else options.start


def solver_of(options: argparse.Namespace) -> Descent | None:
    """The paper's inner loop, if it is asked for."""
    rate, steps = options.projection_rate, options.projection_steps
    if (rate is None) != (steps is None):
        raise CouldNotRun("--projection-rate and --projection-steps belong together")
    return None if rate is None else Descent(rate, steps)


def tell_of_jumps(surface: FunctionGraph, path: Trajectory) -> None:
    """Warn where a ball went through a mountain."""
    found = jumps(surface, path)
    if found.any():
        how_often = f"in {found.sum()} of {len(found)} steps, first in step {found.argmax() + 1}"
        warn(f"the ball goes through a mountain {how_often}: the straight way of its centre crosses the graph")


def _start(surface: FunctionGraph) -> list[float]:
    """A start in as few dimensions as the landscape allows."""
    try:
        surface.value([0.5])
    except ValueError:
        return [0.5, 0.5]
    return [0.5]
