"""``rbo-ref roll``: a film of a ball that rolls on a landscape."""

from __future__ import annotations

import argparse
from io import BytesIO
from typing import Any

import numpy

from rbo_ref.cli._common import RIGHT, CouldNotRun
from rbo_ref.cli._landscape import add_ball, landscape_and_start, solver_of, tell_of_jumps
from rbo_ref.cli._output import write_bytes
from rbo_ref.figures import film
from rbo_ref.rolling_ball import RollingBall
from rbo_ref.run import trajectory

__all__ = ["add"]

FRAME, REST = 40, 1200  # milliseconds that a picture stands, and the last one


def add(roll: argparse.ArgumentParser) -> None:
    """Add the options to the command's parser."""
    roll.description = _roll.__doc__
    add_ball(roll)
    roll.add_argument("--frames", type=int, default=120, metavar="N", help="pictures at most (default: 120)")
    roll.add_argument("--out", required=True, metavar="FILE", help="the film, a .gif file")
    roll.set_defaults(run=_roll)


def _roll(options: argparse.Namespace) -> int:
    """Roll a ball on a landscape of one dimension, as a film: the ball, its contact, and the path of its centre."""
    if not options.out.lower().endswith(".gif"):
        raise CouldNotRun(f"the name of the film must end in .gif, got {options.out}")
    try:
        content = _film(options)
    except (TypeError, ValueError, ImportError, ArithmeticError, MemoryError) as error:
        raise CouldNotRun(str(error) or "there is not enough memory") from error
    write_bytes(content, options.out)
    return RIGHT


def _film(options: argparse.Namespace) -> bytes:
    surface, start = landscape_and_start(options)
    if len(start) != 1:
        raise CouldNotRun(f"a film shows one dimension, got a start in {len(start)}; rbo-ref draw shows two")
    radius = 0.5 if options.radius is None else options.radius
    with numpy.errstate(all="ignore"):
        path = trajectory(RollingBall(options.learning_rate, radius, solver_of(options)), surface, start, options.steps)
    images = film(surface, path, radius, frames=options.frames)
    tell_of_jumps(surface, path)
    return _gif(images)


def _gif(images: list[Any]) -> bytes:
    content = BytesIO()
    stands = [FRAME] * (len(images) - 1) + [REST]
    images[0].save(content, "GIF", save_all=True, append_images=images[1:], duration=stands, loop=0)
    return content.getvalue()
