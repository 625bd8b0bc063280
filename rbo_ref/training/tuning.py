"""The search for hyper-parameters: as many trials for one optimizer as for any other."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy

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
        Point n has the coordinates frac(s + n/φ, s + n/φ², …), where φ is the positive root of φ^(d+1) = φ + 1, the
        golden ratio for d = 1: Roberts' additive recurrence. Three significant digits of each are kept.

    Examples
    --------
    >>> [point["learning_rate"] for point in candidates({"learning_rate": (0.001, 1.0)}, 4)]
    [0.00582, 0.416, 0.0297, 0.00212]
    """
    dimension = len(ranges)
    ratio = 2.0
    for _ in range(60):  # a contraction with the root as its fixed point
        ratio = (1 + ratio) ** (1 / (dimension + 1))
    shift = numpy.random.default_rng(seed).random(dimension)
    steps = ratio ** -numpy.arange(1.0, dimension + 1)
    points = (shift + numpy.arange(1, count + 1)[:, None] * steps) % 1
    return [{name: _between(*ends, u) for (name, ends), u in zip(ranges.items(), p, strict=True)} for p in points]


def _between(low: float, high: float, fraction: float) -> float:
    value = math.exp(math.log(low) + fraction * math.log(high / low))
    return round(value) if isinstance(low, int) and isinstance(high, int) else float(f"{value:.3g}")
