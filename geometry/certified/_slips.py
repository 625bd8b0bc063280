"""Whether hand-written derivatives are those of the values: proofs do not rest on them, but users should know."""

from __future__ import annotations

import numpy

from geometry._spread import kronecker
from geometry.surface import OfFunction

__all__ = ["check_near", "check_within"]

FAR = 1e300  # sums of what is larger overflow
POINTS = 8  # of the queries, and as many around them; of a box


def check_near(surface: OfFunction, theta: numpy.ndarray, radius: numpy.ndarray) -> None:
    """Raise if hand-written derivatives are wrong at some of the points θ (n, d), or around them, within the radii."""
    some = numpy.flatnonzero((numpy.abs(theta) < FAR).all(1) & (radius < FAR))
    some = some[:: max(1, len(some) // POINTS)][:POINTS]
    reach = radius[some, None] / numpy.sqrt(theta.shape[1])
    around = theta[some] + (2 * kronecker(theta.shape[1], 1, len(some) + 1) - 1) * reach
    _check(surface, numpy.concatenate([theta[some], around]))


def check_within(surface: OfFunction, low: numpy.ndarray, high: numpy.ndarray) -> None:
    """Raise if hand-written derivatives are wrong at some points of a box."""
    _check(surface, low + kronecker(len(low), 1, POINTS + 1) * (high - low))


def _check(surface: OfFunction, theta: numpy.ndarray) -> None:
    if told := surface.slip(theta):
        raise ValueError(f"{surface.name}: {told}")
