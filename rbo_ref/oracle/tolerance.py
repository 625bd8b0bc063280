"""When a verdict is possible in spite of rounding."""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format

__all__ = ["DECIDABLE", "UNDECIDABLE", "is_decidable", "share_of"]

Floats = NDArray[numpy.float64]
DECIDABLE = 1e-2  # of the move: the tolerance within which a port is right
COARSE = 512  # in unit roundoffs, what 16-bit formats are allowed instead,
UNDECIDABLE = 0.5  # up to this


def is_decidable(tolerance: Floats, move: Floats, target: Format) -> bool:
    """Whether errors of a wrong port would stand out from rounding to this format."""
    return bool(numpy.isfinite(tolerance).all() and tolerance.max() <= share_of(target) * numpy.abs(move).max())


def share_of(target: Format) -> float:
    """The largest share of a move that a tolerance may be: a port within a larger one has proved nothing."""
    return min(max(DECIDABLE, COARSE * target.unit), UNDECIDABLE)
