"""Balls whose footpoints are proven to be the nearest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy

from geometry import FunctionGraph
from rbo_ref.rolling_ball import RollingBall
from rbo_ref.run import trajectory

__all__ = ["Rolled", "rolled_to_the_nearest"]

TOGETHER = 64
"""From so many queries on the search makes a model of the landscape, which serves all steps."""


class Rolled(NamedTuple):
    """A `Trajectory` of balls, which has centres."""

    theta: numpy.ndarray  # (steps + 1, n, 1)
    height: numpy.ndarray  # (steps + 1, n)
    center: numpy.ndarray  # (steps + 1, n, 2)


def rolled_to_the_nearest(
    surface: FunctionGraph, learning_rate: float, radii: Sequence[float], start: float, steps: int
) -> Rolled:
    """Paths of balls of several radii from one contact, of shape (steps + 1, len(radii))."""
    from geometry.certified import Certified  # which is long to load, and other figures do without it

    nearest: Any = Certified()
    balls = numpy.resize(numpy.asarray(radii, dtype=float), max(TOGETHER, len(radii)))  # the same ones over and over
    found = trajectory(
        RollingBall(learning_rate, balls, nearest), surface, numpy.full((len(balls), 1), float(start)), steps
    )
    assert found.center is not None
    return Rolled(*(part[:, : len(radii)] for part in (found.theta, found.height, found.center)))
