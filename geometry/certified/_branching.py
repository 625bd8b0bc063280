"""Branch and bound: minima of many functions at once, over boxes that they share.

Best first, many at a time: in each round a query splits those of its boxes whose lower bound is in the better half
between its least one and its upper bound. A box is *settled* when its lower bound is within the tolerance of the upper
bound, and dropped when it exceeds it. What remains at the end may hold a minimum, what was dropped cannot.

Where the function is proven to be strictly convex, in a *valley*, nothing is split any further: see `_convexity`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy

from geometry.certified._cells import Cells
from geometry.certified._convexity import Valleys

__all__ = ["Bounds", "Found", "Overflow", "gap", "minimize"]

SAMPLE = 16  # of the queries, to see whether it is time to look for valleys
WINDOW = 4.0  # half-width of where a valley is looked for: radii of the box with the least lower bound


Prove = Callable[[numpy.ndarray, numpy.ndarray, numpy.ndarray], Valleys]
"""From queries and boxes around their centers to what is proven of the minimum there, such as `Convexity`."""


class Bounds(NamedTuple):
    """Of a query's function over a box, for pairs of queries and boxes."""

    lower: numpy.ndarray  # (n,): nowhere in the box is it less; inf where it is not defined
    upper: numpy.ndarray  # (n,): somewhere in the box it is no more than that
    theta: numpy.ndarray  # (n, d): about where


class Found(NamedTuple):
    """The minima, and the pairs of queries and boxes that remain."""

    lower: numpy.ndarray  # (N,)
    upper: numpy.ndarray  # (N,)
    theta: numpy.ndarray  # (N, d): where the upper bound holds, up to rounding
    boxes: numpy.ndarray  # (N,): how many were examined
    query: numpy.ndarray  # (n,)
    cell: numpy.ndarray  # (n,)
    cell_lower: numpy.ndarray  # (n,)
    valley: numpy.ndarray  # (n,): in which valley the box is; −1 if in none
    valleys: Valleys


def gap(lower: numpy.ndarray, upper: numpy.ndarray) -> numpy.ndarray:
    """upper − lower, rounded up; infinite where the upper bound is."""
    with numpy.errstate(invalid="ignore"):
        width = numpy.nextafter(upper - lower, numpy.inf)
    return numpy.where(upper == lower, 0.0, numpy.where(numpy.isnan(width), numpy.inf, width))


class Overflow(Exception):
    """More boxes at once than may be held; fewer queries at once need fewer."""


def minimize(
    cells: Cells,
    bounds: Callable[[numpy.ndarray, numpy.ndarray, numpy.ndarray], Bounds],
    query: numpy.ndarray,
    cell: numpy.ndarray,
    upper: numpy.ndarray,
    theta: numpy.ndarray,
    convexity: Prove | None = None,
    *,
    gap: Callable[[numpy.ndarray, numpy.ndarray], numpy.ndarray],
    tolerance: float,
    max_boxes: int,
    at_most: int,
    report: Callable[[int, int, float], object] | None = None,
) -> Found:
    """Enclose the minimum of each query.

    Parameters
    ----------
    bounds : callable
        Of pairs of queries and boxes, from their numbers and the upper bounds that the queries have by now.
    query, cell : array (n,) of int
        The pairs to begin with; together the boxes of a query cover all places of its minimum.
    upper, theta : array (N,), (N, d)
        Upper bounds of the minima, and where they hold.
    convexity : callable, optional
        Finds valleys of the functions that `bounds` are for.
    gap : callable
        From lower and upper bounds to the width that the tolerance is for, rounded up.
    max_boxes : int
        For each query. A query that would need more stops with what it has.
    at_most : int
        Boxes to hold at once, for all queries together.
    report : callable, optional
        Told in each round how many queries are done, how many boxes were examined, and the widest gap that is left.
    """
    number = len(upper)
    upper, theta, boxes = upper.copy(), theta.copy(), numpy.bincount(query, minlength=number)
    active = numpy.ones(number, dtype=bool)
    first = bounds(query, cell, upper[query])
    _improve(upper, theta, query, first)
    pairs = _Pairs(query, cell, first.lower, numpy.full(len(query), -1))
    landscape = _Landscape(convexity, cells, theta)
    while True:
        pairs = pairs.where(pairs.lower <= upper[pairs.query])
        if len(pairs.query) > at_most and number > 1:
            raise Overflow
        pairs = landscape.explored(pairs, active, upper, theta)
        settled = (gap(pairs.lower, upper[pairs.query]) <= tolerance) | cells.is_minute(pairs.cell)
        open_ = ~settled & active[pairs.query]
        least = numpy.full(number, numpy.inf)
        numpy.minimum.at(least, pairs.query[open_], pairs.lower[open_])
        active &= least < numpy.inf
        if report is not None:
            widest = gap(least[active], upper[active]).max(initial=0.0)
            report(number - int(active.sum()), int(boxes.sum()), float(widest))
        split = open_ & (pairs.lower <= _better_half(least, upper)[pairs.query])
        wanted = numpy.bincount(pairs.query[split], minlength=number) * cells.split
        active &= boxes + wanted <= max_boxes
        split &= active[pairs.query]
        if not split.any():
            break
        boxes += numpy.where(active, wanted, 0)
        children = cells.children(pairs.cell[split])
        parents = pairs.where(split).repeated(children.shape[1])
        found = bounds(parents.query, children.ravel(), upper[parents.query])
        _improve(upper, theta, parents.query, found)
        pairs = pairs.where(~split).joined(
            parents._replace(cell=children.ravel(), lower=numpy.maximum(found.lower, parents.lower))
        )
    least = upper.copy()
    numpy.minimum.at(least, pairs.query, pairs.lower)
    return Found(least, upper, theta, boxes, *pairs, landscape.valleys)


class _Pairs(NamedTuple):
    """Pairs of queries and boxes."""

    query: numpy.ndarray
    cell: numpy.ndarray
    lower: numpy.ndarray
    valley: numpy.ndarray

    def where(self, chosen: numpy.ndarray) -> _Pairs:
        return _Pairs(*(part[chosen] for part in self))

    def repeated(self, times: int) -> _Pairs:
        return _Pairs(*(numpy.repeat(part, times) for part in self))

    def joined(self, other: _Pairs) -> _Pairs:
        return _Pairs(*(numpy.concatenate(both) for both in zip(self, other, strict=True)))


def _better_half(least: numpy.ndarray, upper: numpy.ndarray) -> numpy.ndarray:
    """Up to where lower bounds are to be split: all of them as long as no upper bound is known."""
    with numpy.errstate(invalid="ignore"):
        middle = numpy.where(upper < numpy.inf, least + (upper - least) / 2, numpy.inf)
    return numpy.where(least > -numpy.inf, numpy.maximum(middle, least), least)


def _improve(upper: numpy.ndarray, theta: numpy.ndarray, query: numpy.ndarray, found: Bounds) -> None:
    """Lower the upper bounds, in place."""
    better = numpy.flatnonzero(found.upper < upper[query])
    numpy.minimum.at(upper, query[better], found.upper[better])
    best = better[found.upper[better] == upper[query[better]]]
    theta[query[best]] = found.theta[best]


class _Landscape:
    """The valleys that have been found.

    Each query looks around its box with the least lower bound, in a window of some radii of the box: whenever the
    window is half as wide as the last one, and after every success. A few queries try first whether it is time.
    """

    def __init__(self, convexity: Prove | None, cells: Cells, theta: numpy.ndarray) -> None:
        self.convexity, self.cells = convexity, cells
        nothing = numpy.empty(0)
        self.valleys = Valleys(nothing, nothing, theta[:0], nothing)
        self._tried = numpy.full(len(theta), numpy.inf)  # the size of the last window

    def explored(self, pairs: _Pairs, active: numpy.ndarray, upper: numpy.ndarray, theta: numpy.ndarray) -> _Pairs:
        """The pairs with better lower bounds; upper bounds become better in place."""
        if self.convexity is None:
            return pairs
        ids, box = self._windows(pairs, active)
        for some in _sample_first(len(ids)):
            query, center = ids[some], self.cells.center[box[some]]
            radius = WINDOW * self.cells.radius[box[some]]
            found = self.convexity(query, center, radius)
            proven = found.radius < numpy.inf
            self._tried[query] = numpy.where(proven, 4, 1) * radius.max(1)
            pairs = self._entered(pairs, query, center, radius, found, proven)
            _improve(upper, theta, query, Bounds(found.lower, found.upper, found.theta))
            if 4 * proven.sum() < len(query):
                break
        return pairs

    def _windows(self, pairs: _Pairs, active: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
        """Which queries are to look around which boxes."""
        outside = numpy.flatnonzero(active[pairs.query] & (pairs.valley < 0))
        query, lower = pairs.query[outside], pairs.lower[outside]
        least = numpy.full(len(active), numpy.inf)
        numpy.minimum.at(least, query, lower)
        best = numpy.full(len(active), -1)
        is_best = lower == least[query]
        best[query[is_best]] = pairs.cell[outside[is_best]]
        ids = numpy.flatnonzero(best >= 0)
        box = best[ids]
        chosen = WINDOW * self.cells.radius[box].max(1) <= self._tried[ids] / 2
        return ids[chosen], box[chosen]

    def _entered(
        self,
        pairs: _Pairs,
        query: numpy.ndarray,
        center: numpy.ndarray,
        radius: numpy.ndarray,
        found: Valleys,
        proven: numpy.ndarray,
    ) -> _Pairs:
        """Number the valleys, and the boxes that are in them."""
        number = len(self.valleys.lower) + numpy.cumsum(proven) - 1
        self.valleys = Valleys(*(numpy.concatenate([a, b[proven]]) for a, b in zip(self.valleys, found, strict=True)))
        which = numpy.full(len(self._tried), -1)
        which[query[proven]] = numpy.flatnonzero(proven)
        at = which[pairs.query]
        near = numpy.flatnonzero((at >= 0) & (pairs.valley < 0))
        at, box = at[near], pairs.cell[near]
        reach = numpy.abs(self.cells.center[box] - center[at]) + self.cells.radius[box]
        inside = (reach * (1 + 1e-15) <= radius[at]).all(1)
        near, at = near[inside], at[inside]
        lower, valley = pairs.lower.copy(), pairs.valley.copy()
        lower[near], valley[near] = numpy.maximum(lower[near], found.lower[at]), number[at]
        return pairs._replace(lower=lower, valley=valley)


def _sample_first(count: int) -> list[numpy.ndarray]:
    """A few of the numbers below `count`, and then the others."""
    every = numpy.arange(count)
    sample = every[:: max(1, count // SAMPLE)]
    return [some for some in (sample, numpy.setdiff1d(every, sample, assume_unique=True)) if some.size]
