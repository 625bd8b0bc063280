"""Branch and bound: minima of many functions at once, over boxes that they share.

Best first, many at a time: in each round a query splits those of its boxes whose lower bound is in the better half
between its least one and its upper bound. A box is *settled* when its lower bound is within the tolerance of the upper
bound, and dropped when it exceeds it. What remains at the end may hold a minimum, what was dropped cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy

from geometry.certified._cells import Cells

__all__ = ["Bounds", "Found", "Overflow", "minimize"]


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


class Overflow(Exception):
    """More boxes at once than may be held; fewer queries at once need fewer."""


def minimize(
    cells: Cells,
    bounds: Callable[[numpy.ndarray, numpy.ndarray, numpy.ndarray], Bounds],
    query: numpy.ndarray,
    cell: numpy.ndarray,
    upper: numpy.ndarray,
    theta: numpy.ndarray,
    *,
    gap: Callable[[numpy.ndarray, numpy.ndarray], numpy.ndarray],
    tolerance: float,
    max_boxes: int,
    at_most: int,
    report: Callable[[int], object] = lambda closed: None,
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
    gap : callable
        From lower and upper bounds to the width that the tolerance is for, rounded up.
    max_boxes : int
        For each query. A query that would need more stops with what it has.
    at_most : int
        Boxes to hold at once, for all queries together.
    """
    number = len(upper)
    upper, theta, boxes = upper.copy(), theta.copy(), numpy.bincount(query, minlength=number)
    active = numpy.ones(number, dtype=bool)
    first = bounds(query, cell, upper[query])
    lower = first.lower
    _improve(upper, theta, query, first)
    while True:
        alive = lower <= upper[query]
        query, cell, lower = query[alive], cell[alive], lower[alive]
        if query.size > at_most and number > 1:
            raise Overflow
        settled = (gap(lower, upper[query]) <= tolerance) | cells.is_minute(cell)
        open_ = ~settled & active[query]
        least = numpy.full(number, numpy.inf)
        numpy.minimum.at(least, query[open_], lower[open_])
        active &= least < numpy.inf
        report(number - int(active.sum()))
        # Where no upper bound is known yet, all boxes are as good.
        with numpy.errstate(invalid="ignore"):
            enough = numpy.where(upper < numpy.inf, least + (upper - least) / 2, numpy.inf)
        split = open_ & (lower <= numpy.maximum(enough, least)[query])
        wanted = numpy.bincount(query[split], minlength=number) * cells.split
        active &= boxes + wanted <= max_boxes
        split &= active[query]
        if not split.any():
            break
        boxes += numpy.where(active, wanted, 0)
        children = cells.children(cell[split])
        parents = numpy.repeat(query[split], children.shape[1])
        parent_lower = numpy.repeat(lower[split], children.shape[1])
        found = bounds(parents, children.ravel(), upper[parents])
        _improve(upper, theta, parents, found)
        query = numpy.concatenate([query[~split], parents])
        cell = numpy.concatenate([cell[~split], children.ravel()])
        lower = numpy.concatenate([lower[~split], numpy.maximum(found.lower, parent_lower)])
    least = upper.copy()
    numpy.minimum.at(least, query, lower)
    return Found(least, upper, theta, boxes, query, cell, lower)


def _improve(upper: numpy.ndarray, theta: numpy.ndarray, query: numpy.ndarray, found: Bounds) -> None:
    """Lower the upper bounds, in place."""
    better = numpy.flatnonzero(found.upper < upper[query])
    numpy.minimum.at(upper, query[better], found.upper[better])
    best = better[found.upper[better] == upper[query[better]]]
    theta[query[best]] = found.theta[best]
