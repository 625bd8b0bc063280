"""How a function bends in a box: what small errors of a place do to its value and gradient beyond the first order."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.ball_arrays import middles, radii
from geometry.arithmetic.precision import working_precision

__all__ = ["Bends", "bends"]

FEW = 64  # bits, some more than a float has: they bound what is small
Floats = NDArray[numpy.float64]


class Bends(NamedTuple):
    """∇²f at a place, in floats; and in the box around it, how far from that it is at most, and how large."""

    here: Floats
    away: Floats
    largest: Floats


def bends(loss: Any, place: NDArray[Any], middle: Floats, radius: Floats) -> Bends:
    """The Hessian of a loss at a place of balls, whose middle is given, and in the box of this radius."""
    from flint import arb

    here = loss.second(middle, numpy)
    with working_precision(FEW):
        there = loss.hessian([ball + arb(0, float(r)) for ball, r in zip(place, radius, strict=True)])
        centre, reach = middles(there), radii(there)
    return Bends(here, numpy.abs(centre - here) + reach, numpy.abs(centre) + reach)
