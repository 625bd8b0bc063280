"""What an operation may err by in a floating format, and when a verdict is possible in spite of it."""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.rounding import Format

__all__ = ["SAFETY", "UNDECIDABLE", "handing_over", "is_decidable", "rounding", "share_of", "storing"]

Floats = NDArray[numpy.float64]
SAFETY = 2.0  # unit roundoffs allowed to an operation, for the sake of formulations that were not thought of
DECIDABLE = 1e-2  # of the move: the tolerance within which a port is right
COARSE = 512  # in unit roundoffs, what 16-bit formats are allowed instead,
UNDECIDABLE = 0.5  # up to this


def is_decidable(tolerance: Floats, move: Floats, target: Format) -> bool:
    """Whether errors of a wrong port would stand out from rounding to this format."""
    return bool(numpy.isfinite(tolerance).all() and tolerance.max() <= share_of(target) * numpy.abs(move).max())


def share_of(target: Format) -> float:
    """The largest share of a move that a tolerance may be: a port within a larger one has proved nothing."""
    return min(max(DECIDABLE, COARSE * target.unit), UNDECIDABLE)


def rounding(numbers: Floats, target: Format) -> Floats:
    """The error of one operation with such results: what is subnormal may be flushed to zero, the range may be left."""
    size = numpy.abs(numbers)
    error = SAFETY * target.unit * size + target.smallest_normal
    return numpy.where(size < 2.0 ** (target.most - 2), error, numpy.inf)


def storing(numbers: Floats, target: Format, inside: Format) -> Floats:
    """The error of handing out numbers that were computed in another format: none if that is no finer."""
    return rounding(numbers, target) if target.precision < inside.precision else 0 * numbers


def handing_over(old: Floats, new: Floats, target: Format) -> Floats:
    """The new θ may be formed as θ + (θ' − θ)."""
    return rounding(new - old, target) + rounding(new, target)
