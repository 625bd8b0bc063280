"""The search for hyper-parameters, on logarithmic scales."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy

from geometry._spread import kronecker

__all__ = ["candidates"]


def candidates(ranges: Mapping[str, tuple[float, float]], count: int, seed: int = 0) -> list[dict[str, float]]:
    """Points that fill a box evenly on logarithmic scales, for any number of points and of dimensions.

    Parameters
    ----------
    ranges : mapping of str to (lowest, highest)
        Of each hyper-parameter. Two integers ask for integers.
    count : int
    seed : int
        Shifts the points.

    Returns
    -------
    list of dict
        The points of `geometry._spread.kronecker`, shifted. Three significant digits of each are kept.

    Examples
    --------
    >>> [point["learning_rate"] for point in candidates({"learning_rate": (0.001, 1.0)}, 4)]
    [0.00258, 0.184, 0.0132, 0.94]
    """
    shift = numpy.random.default_rng(seed).random(len(ranges))
    points = (kronecker(len(ranges), 0, count) + shift) % 1
    return [{name: _between(*ends, u) for (name, ends), u in zip(ranges.items(), p, strict=True)} for p in points]


def _between(low: float, high: float, fraction: float) -> float:
    value = math.exp(math.log(low) + fraction * math.log(high / low))
    return round(value) if isinstance(low, int) and isinstance(high, int) else float(f"{value:.3g}")
