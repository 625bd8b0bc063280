"""What vectors expect: true values, and how far from them a right port may be."""

from __future__ import annotations

from collections.abc import Callable, Generator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format, handing_over, midpoints, nearest_middle
from geometry.arithmetic.precision import working_precision
from geometry.arithmetic.rounded import Rounded
from rbo_ref.oracle.tolerance import is_decidable

__all__ = ["Expected", "certain", "followed", "nearest_to", "walked"]

Floats = NDArray[numpy.float64]
PRECISIONS = (512, 2048, 8192)  # bits
RESTING = 64  # units roundoff
NARROW = 2.0**-210  # of an enclosure against its number, which is more than 60 digits


class Expected(NamedTuple):
    """Enclosed numbers, with their tolerances."""

    value: NDArray[numpy.object_]  # balls
    tolerance: Floats

    @property
    def is_narrow(self) -> bool:
        """Whether the enclosures determine all digits."""
        balls = self.value.reshape(-1)
        return all(ball.is_finite() and ball.rad() <= abs(ball.mid()) * NARROW + 2.0**-400 for ball in balls)


def certain(truths: Callable[[], Any], of: Callable[[Any], list[Expected]] = list) -> Any:
    """What a function computes, with the precision raised until all its truths are narrow.

    Raises
    ------
    ArithmeticError
        If they never are.
    """
    for bits in PRECISIONS:
        with working_precision(bits), numpy.errstate(all="ignore"):
            found = truths()
        if all(truth.is_narrow for truth in of(found)):
            return found
    raise ArithmeticError(f"the truth cannot be enclosed with {PRECISIONS[-1]} bits")


def followed(steps: Generator[Rounded, Rounded, None], theta: Rounded, length: int, target: Format) -> list[Expected]:
    """The iterates of a port that goes its own way: what rounding adds in one step starts the next."""
    next(steps)
    truths = []
    for _ in range(length):
        new = steps.send(theta)
        theta = new.doubted(handing_over(theta.middle, new.middle, target))
        truths.append(Expected(theta.value, theta.radius))
    return truths


def walked(start: NDArray[Any], truths: list[Expected], target: Format) -> int:
    """How many of the iterates can be judged."""
    places = [start.astype(float), *(_middles(truth) for truth in truths)]
    moves = [there - here for here, there in pairwise(places)]
    judged = [_is_judged(truth.tolerance, move, target) for truth, move in zip(truths, moves, strict=True)]
    return judged.index(False) if False in judged else len(judged)


def _is_judged(tolerance: Floats, move: Floats, target: Format) -> bool:
    """At a point of rest no tolerance is small against the move; there it must be small altogether."""
    resting = not move.any() and bool(tolerance.max() <= RESTING * target.unit)
    return resting or is_decidable(tolerance, move, target)


def _middles(truth: Expected) -> Floats:
    return midpoints(truth.value.reshape(-1)).reshape(truth.value.shape)


def nearest_to(truth: Expected, target: Format) -> NDArray[Any]:
    """The numbers of a format nearest to the truth."""
    return nearest_middle(truth.value.reshape(-1), target).reshape(truth.value.shape)
