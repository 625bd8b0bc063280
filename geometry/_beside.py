"""Whether the distance is less beside a footpoint: at a kink of the surface no derivative tells.

Rounding drives a search off a kink, unless arithmetic keeps it there: at its start, in coordinates that never change,
or in coordinates of one size. Only there does a search doubt that it has come to a minimum, and looks beside: along the
axes and between two of them, which is where such symmetries make the distance less, and in directions between all axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy

from geometry._contact import choose
from geometry._namespace import Array, array_namespace, epsilon, fixed, is_compiling, is_traced
from geometry._vectors import dot

__all__ = ["aside", "half_square_to", "is_balanced", "nearest", "ways"]

MOST = 6  # directions in which a search looks
FAINT = 1 / 16  # share of φ that is rounding, where nothing is to be seen beside


def is_balanced(theta: Array, start: Array) -> Array:
    """Where θ may have been kept on a kink: a coordinate is that of the start, or two of them have one size."""
    xp = array_namespace(theta)
    sizes = xp.sort(xp.abs(theta), axis=-1)
    return xp.any(theta == start, axis=-1) | xp.any(sizes[..., 1:] == sizes[..., :-1], axis=-1)


def ways(like: Array, d: int) -> Array:
    """Directions (2k, d) of length 1, each with its opposite: the axes, between two axes, and between all of them.

    The last ones are orthonormal, and none of their numbers is zero: they cross every fold of the surface.
    """
    return fixed(_ways, like, d)


def _ways(d: int) -> numpy.ndarray:
    rows = _cosines(d)
    if d <= MOST:
        axes = numpy.eye(d)
        pairs = [(axes[i] + sign * axes[j]) / math.sqrt(2) for i in range(d) for j in range(i) for sign in (1, -1)]
        rows = numpy.concatenate([rows, axes, numpy.reshape(pairs, (-1, d))])
    return numpy.concatenate([rows, -rows])


def _cosines(d: int) -> numpy.ndarray:
    """The first rows of a discrete cosine transform (of type IV): odd multiples of π/4d are no zeros of the cosine."""
    odd = 2 * numpy.arange(d) + 1
    return math.sqrt(2 / d) * numpy.cos(math.pi / (4 * d) * odd[:MOST, None] * odd)


def aside(distance: Array, noise: Array, unit: Array, size: Array) -> tuple[Array, Array]:
    """How far to look, and where that tells anything.

    The rounding error ε of φ, counted in squares of `unit`, hides a kink by less than ε/h at the distance h, and a
    curvature by less than ε/h². Between both lies h = r (ε/r²)^(3/8), for coordinates of some size at least a few of
    their rounding errors.
    """
    xp = array_namespace(distance)
    share = noise / xp.where(distance > 0, distance / unit, xp.ones_like(distance)) ** 2
    step = xp.maximum(distance * share**0.375, 8 * epsilon(xp, size.dtype) * size)
    return step, (distance > 0) & (share <= FAINT) & (step < distance)


def nearest(
    look: Callable[[Array], tuple[Array, Array]], query: Array, like: Array, d: int, unit: Array
) -> tuple[Array, Array]:
    """Of the steps to all sides the one to the nearest point, (..., d), and φ there in squares of `unit`.

    `look` takes directions (k, ..., d) to steps and points (k, ..., n). It is asked for one after the other, so that
    large batches need no more memory; where it is traced, for all at once.
    """
    xp = array_namespace(query)
    way = xp.reshape(ways(like, d), (-1, *(1,) * (like.ndim - 1), d))
    together = is_traced(query, like) or is_compiling()
    parts = [way] if together else [way[k : k + 1, ...] for k in range(way.shape[0])]
    found = [_nearest(*look(part), query, unit) for part in parts]
    best = found[0]
    for other in found[1:]:
        best = choose(other[1] < best[1], other, best)
    return best


def _nearest(steps: Array, points: Array, query: Array, unit: Array) -> tuple[Array, Array]:
    xp, seen = array_namespace(query), half_square_to(points, query, unit)
    seen = xp.where(xp.isfinite(seen), seen, xp.full_like(seen, xp.inf))
    which, step = xp.argmin(seen, axis=0), steps[0, ...]
    for k in range(1, steps.shape[0]):
        step = xp.where((which == k)[..., None], steps[k, ...], step)
    return step, xp.min(seen, axis=0)


def half_square_to(points: Array, query: Array, unit: Array) -> Array:
    """φ of points, in squares of `unit`."""
    away = (query - points) / unit[..., None]
    return dot(array_namespace(query), away, away) / 2
