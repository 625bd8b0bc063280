"""The graph of a function over boxes: slabs between two parallel planes, and roots of the tree that cover a ball."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy

from geometry.arithmetic._forms import Record
from geometry.arithmetic.intervals import Interval, interval, joined
from geometry.certified._cells import Cells, derivatives, evaluated, in_batches, recorded
from geometry.graph import FunctionGraph
from geometry.surface import OfFunction

__all__ = ["Model", "cover", "least_side", "mirrored"]


class Model:
    """Heights of a surface over boxes and at points.

    Over a box center + radius·ε the height is in C + Σ A_i ε_i, wherever it is defined. Kept are the intervals C, A_1,
    ..., A_d, and, where f may be undefined somewhere in the box, its height at the center.
    """

    def __init__(self, surface: OfFunction, d: int) -> None:
        recorded(surface, d)
        self.surface, self.d = surface, d
        self._cost: int | None = None  # numbers for each box; unknown until the function has been seen
        self.restart()

    @property
    def cost(self) -> int:
        """Numbers for each box in the largest array of an evaluation."""
        return self._cost or 1

    def restart(self) -> None:
        """Forget all boxes."""
        self.cells = Cells(self.d, self._slabs)

    def heights(self, theta: numpy.ndarray) -> Interval:
        """f at points (n, d), shape (n,); everything where rounding leaves open whether f is defined."""
        if self._cost is None and len(theta) > 1:
            self._height(theta[:1])
        parts = in_batches(self._height, self.cost, theta)
        return parts[0] if len(parts) == 1 else joined(parts)

    def _height(self, theta: numpy.ndarray) -> Interval:
        form, record = self._run(theta, None)
        if not record.partial:
            return form.center
        if len(theta) == 1:
            return Interval(numpy.full(1, -numpy.inf), numpy.full(1, numpy.inf))
        return joined([self._height(part) for part in _halves(theta)])

    def _slabs(self, center: numpy.ndarray, radius: numpy.ndarray) -> Interval:
        if self._cost is None and len(center) > 1:
            self._slab(center[:1], radius[:1])
        parts = in_batches(self._slab, self.cost, center, radius)
        return parts[0] if len(parts) == 1 else joined(parts, axis=1)

    def _slab(self, center: numpy.ndarray, radius: numpy.ndarray) -> Interval:
        form, record = self._run(center, radius)
        if record.partial and len(center) > 1:
            return joined([self._slab(*both) for both in zip(_halves(center), _halves(radius), strict=True)], axis=1)
        first, slopes = form.center.map(lambda end: end[None, :]), form.full_slopes()
        if slopes is None:
            zero = numpy.zeros((self.d, len(center)))
            slopes = Interval(zero, zero)
        nothing = numpy.full((1, len(center)), numpy.nan)
        known = Interval(nothing, nothing)
        if record.partial:
            here = self._height(center)
            outside = numpy.isnan(here.lo)
            ends = (numpy.where(outside, e, h) for e, h in ((-numpy.inf, here.lo), (numpy.inf, here.hi)))
            known = Interval(*(end[None, :] for end in ends))
        return joined([first, slopes, known])

    def _run(self, center: numpy.ndarray, radius: numpy.ndarray | None) -> tuple[Any, Record]:
        (form,), record = evaluated(lambda form: derivatives(self.surface, form, 0), center, radius)
        self._cost = max(1, record.largest // len(center))
        return form, record


def mirrored(surface: Any) -> FunctionGraph:
    """The graph of −f, of which above is below."""
    return FunctionGraph(lambda theta: -surface.value(theta), name=surface.name)


def _halves(array: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    return array[: len(array) // 2], array[len(array) // 2 :]


def least_side(x: numpy.ndarray, radius: numpy.ndarray) -> numpy.ndarray:
    """How large boxes around x (N, d) must be to cover balls, and to be of numbers that floats can tell apart, (N,)."""
    return numpy.maximum(radius, numpy.abs(x).max(1, initial=0) * 2.0**-40)


def cover(cells: Cells, x: numpy.ndarray, radius: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Boxes of one size that cover the balls around x (N, d): pairs of a ball's and a box's number."""
    d = x.shape[1]
    size = float(least_side(x, radius).max(initial=2.0**-900))
    side = 2.0 ** math.ceil(math.log2(size) + 1e-9)
    span = interval(x) + interval(-radius, radius)[:, None]
    low, high = numpy.floor(span.lo / side), numpy.floor(span.hi / side)
    corners = low[:, None, :] + numpy.array(list(product(range(3), repeat=d)))
    inside = (corners <= high[:, None, :]).all(-1)
    query = numpy.nonzero(inside)[0]
    wanted, which = numpy.unique(corners[inside], axis=0, return_inverse=True)
    roots = cells.add((wanted + 0.5) * side, numpy.full(wanted.shape, side / 2))
    return query, roots[which.reshape(-1)]
