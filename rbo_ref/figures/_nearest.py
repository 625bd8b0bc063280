"""Balls whose footpoints are proven to be the nearest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from geometry import FunctionGraph
from geometry.certified import Certified
from rbo_ref.rolling_ball import RollingBall
from rbo_ref.run import Trajectory, trajectory

__all__ = ["rolled_to_the_nearest"]

TOGETHER = 64
"""From so many queries on the search makes a model of the landscape, which serves all steps."""


def rolled_to_the_nearest(
    surface: FunctionGraph, learning_rate: float, radii: Sequence[float], start: float, steps: int
) -> Trajectory:
    """Trajectories of balls of several radii from one contact, of shape (steps + 1, len(radii))."""
    balls = numpy.resize(numpy.asarray(radii, dtype=float), max(TOGETHER, len(radii)))  # the same ones over and over
    found = trajectory(
        RollingBall(learning_rate, balls, Certified()), surface, numpy.full((len(balls), 1), float(start)), steps
    )
    return Trajectory(*(part[:, : len(radii)] for part in found))
