"""``rbo-ref draw``: a ball that rolls on a landscape."""

from __future__ import annotations

import argparse
from typing import Any

import numpy

from geometry import Descent, FunctionGraph
from rbo_ref.cli._common import RIGHT, CouldNotRun
from rbo_ref.cli._output import PICTURES, check_picture, save_picture
from rbo_ref.cli._streams import warn
from rbo_ref.figures import one_step, rolling
from rbo_ref.landscapes import LANDSCAPES, by_name
from rbo_ref.rolling_ball import RollingBall
from rbo_ref.run import trajectory

__all__ = ["add"]


def add(draw: argparse.ArgumentParser) -> None:
    """Add the options to the command's parser."""
    draw.description = _draw.__doc__
    draw.add_argument("landscape", metavar="LANDSCAPE", help=", ".join(LANDSCAPES))
    draw.add_argument("--out", required=True, metavar="FILE", help=f"the picture: {', '.join(PICTURES)}")
    draw.add_argument("--radius", type=float, default=0.5, metavar="R")
    draw.add_argument("--learning-rate", type=float, default=0.1, metavar="E")
    draw.add_argument("--start", type=float, nargs="+", metavar="X", help="one or two coordinates (default: 0.5 each)")
    draw.add_argument("--steps", type=int, default=50, metavar="N")
    draw.add_argument("--projection-rate", type=float, metavar="G", help="of the paper's inner loop")
    draw.add_argument("--projection-steps", type=int, metavar="P", help="of the paper's inner loop")
    draw.set_defaults(run=_draw)


def _draw(options: argparse.Namespace) -> int:
    """Draw a ball that rolls on a landscape of one or two dimensions. One step in one dimension is drawn in detail.

    Without a projection rate and steps the ball is projected by Newton's method.
    """
    check_picture(options.out)
    try:
        picture = _picture(options)
    except (TypeError, ValueError, ImportError, ArithmeticError, MemoryError) as error:
        raise CouldNotRun(str(error) or "there is not enough memory") from error
    save_picture(picture, options.out)
    return RIGHT


def _picture(options: argparse.Namespace) -> Any:
    surface, solver = by_name(options.landscape), _solver(options)
    ball = RollingBall(options.learning_rate, options.radius, solver)
    start = _start(surface) if options.start is None else options.start
    if len(start) > 2:
        raise CouldNotRun(f"--start takes one or two coordinates, got {len(start)}")
    if len(start) == options.steps == 1:
        return one_step(surface, start, ball).figure
    with numpy.errstate(all="ignore"):
        path = trajectory(ball, surface, start, options.steps)
    finite = numpy.isfinite(path.theta).all(axis=-1) & numpy.isfinite(path.height)
    if finite[0] and not finite.all():
        warn(f"not finite after {finite.argmin()} steps; drawn up to there")
    return rolling(surface, path, options.radius).figure


def _solver(options: argparse.Namespace) -> Descent | None:
    """The paper's inner loop, if it is asked for."""
    rate, steps = options.projection_rate, options.projection_steps
    if (rate is None) != (steps is None):
        raise CouldNotRun("--projection-rate and --projection-steps belong together")
    return None if rate is None else Descent(rate, steps)


def _start(surface: FunctionGraph) -> list[float]:
    """A start in as few dimensions as the landscape allows."""
    try:
        surface.value([0.5])
    except ValueError:
        return [0.5, 0.5]
    return [0.5]
