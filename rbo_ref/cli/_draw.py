"""``rbo-ref draw``: balls that roll on a landscape, and other optimizers."""

from __future__ import annotations

import argparse
from typing import Any

import numpy

from geometry import FunctionGraph
from rbo_ref.cli._common import RIGHT, CouldNotRun
from rbo_ref.cli._landscape import add_ball, landscape_and_start, solver_of, tell_of_jumps
from rbo_ref.cli._output import PICTURES, check_picture, save_picture
from rbo_ref.cli._streams import warn
from rbo_ref.figures import OPTIMIZERS, make_optimizer, one_step, rolling
from rbo_ref.oracle.dialects import optimizer_of
from rbo_ref.rolling_ball import RollingBall
from rbo_ref.run import Trajectory, trajectory

__all__ = ["add"]

BALL = "rolling-ball"


def add(draw: argparse.ArgumentParser) -> None:
    """Add the options to the command's parser."""
    draw.description = _draw.__doc__
    add_ball(draw)
    draw.add_argument("--out", required=True, metavar="FILE", help=f"the picture: {', '.join(PICTURES)}")
    draw.add_argument(
        "--optimizer",
        nargs="+",
        type=optimizer_of,
        default=[BALL],
        choices=OPTIMIZERS,
        metavar="NAME",
        help=f"one or several of {', '.join(OPTIMIZERS)} (default: {BALL})",
    )
    draw.set_defaults(run=_draw)


def _draw(options: argparse.Namespace) -> int:
    """Draw optimizers that go down a landscape of one or two dimensions. One step of a ball in one is drawn in detail.

    Without a projection rate and steps the ball is projected by Newton's method. A ball that goes through a mountain is
    marked, and told of.
    """
    check_picture(options.out)
    try:
        picture = _picture(options)
    except (TypeError, ValueError, ImportError, ArithmeticError, MemoryError) as error:
        raise CouldNotRun(str(error) or "there is not enough memory") from error
    save_picture(picture, options.out)
    return RIGHT


def _picture(options: argparse.Namespace) -> Any:
    surface, start = landscape_and_start(options)
    ball = RollingBall(options.learning_rate, _radius(options), solver_of(options))
    if len(start) > 2:
        raise CouldNotRun(f"--start takes one or two coordinates, got {len(start)}")
    names = list(dict.fromkeys(options.optimizer))
    if names == [BALL] and len(start) == options.steps == 1:
        tell_of_jumps(surface, trajectory(ball, surface, start, 1))
        return one_step(surface, start, ball).figure
    paths = {name: _path(name, ball, surface, start, options.steps) for name in names}
    return rolling(surface, paths[BALL] if names == [BALL] else paths, ball.radius if BALL in names else None).figure


def _path(name: str, ball: RollingBall, surface: FunctionGraph, start: list[float], steps: int) -> Trajectory:
    optimizer = ball if name == BALL else make_optimizer(name, ball.learning_rate, d=len(start))
    with numpy.errstate(all="ignore"):
        path = trajectory(optimizer, surface, start, steps)
    finite = numpy.isfinite(path.theta).all(axis=-1) & numpy.isfinite(path.height)
    if finite[0] and not finite.all():
        warn(f"{name}: not finite after {finite.argmin()} steps; drawn up to there")
    if path.center is not None:
        tell_of_jumps(surface, path)
    return path


def _radius(options: argparse.Namespace) -> float:
    """Of the ball, if there is one."""
    given = [name for name in ("radius", "projection_rate", "projection_steps") if getattr(options, name) is not None]
    if given and BALL not in options.optimizer:
        raise CouldNotRun(f"--{given[0].replace('_', '-')} is for {BALL}, which is not among the optimizers")
    return 0.5 if options.radius is None else options.radius
