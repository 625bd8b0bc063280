"""The range of an offset function over a box, between bounds that are proven.

The highest f_ρ over a box B is the highest of f(p) + √(ρ² − d²) for d = |p − θ|, θ the point of B that is nearest to p:
one search over places p. For every vector w

    f(p) + √(ρ² − |p − θ|²) ≤ f(p) + ρ√(1 + |w|²) + w·p − min over B of w·θ.

The lowest f_ρ is sought over boxes X of θ. A ball over their middle touches at some p, and over all of X, f_ρ is at
least f(p) + √(ρ² − max |p − θ|²).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy

from geometry._namespace import Array, positive
from geometry.arithmetic.intervals import Interval, interval, sqr, sqrt, total
from geometry.certified._batches import Problem, Report, solved
from geometry.certified._border import checked, numbers, sides
from geometry.certified._branching import Bounds, gap
from geometry.certified._model import Model, mirrored
from geometry.certified._problems import Solution, offsets
from geometry.certified._slabs import Slabs, slabs
from geometry.certified.enclosure import Enclosure
from geometry.graph import FunctionGraph, check_surface

__all__ = ["ironing"]


def ironing(
    surface: FunctionGraph,
    radius: Array,
    box: Sequence[tuple[float, float]] | Array,
    *,
    tolerance: float = 1e-4,
    max_boxes: int = 1_000_000,
    progress: bool | Report = False,
) -> Enclosure:
    """Δ(ρ) = max f_ρ − min f_ρ over a box; the ball also rests on what lies outside of it.

    Parameters
    ----------
    surface : FunctionGraph
        As in `distance`.
    radius : float or array (...)
        ρ ≥ 0.
    box : sequence of (low, high)
        Of the places under the centre: one pair for each dimension of θ.
    tolerance : float
        Largest width, upper − lower, asked for; a length.
    max_boxes : int
        Largest number of boxes to examine for one radius, more or less.
    progress : bool or callable
        As in `distance`, of the search for the maximum.

    Returns
    -------
    Enclosure
        Its `theta` is about where f_ρ is lowest.

    Raises
    ------
    TypeError, ValueError
        As `distance`.

    References
    ----------
    Belgoumri et al., "Rolling Ball Optimizer" (2025), Sections 4.2 and 5.1.

    Examples
    --------
    >>> import numpy as np
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]))
    >>> found = ironing(wave, [0.5, 2.0], [(-np.pi, np.pi)], tolerance=1e-3)
    >>> found.lower.round(2), found.upper.round(2), found.closed
    (array([2.  , 1.74]), array([2.  , 1.74]), array([ True,  True]))
    """
    check_surface(surface)
    options = checked(tolerance, max_boxes, progress)
    positive("radius", radius, zero=True)
    home, radii = numbers("radius", radius)
    ends = sides(box)[1]
    model = Model(surface, len(ends[0]))
    ranges = [_range(model, rho, *ends, **options) for rho in radii.reshape(-1)]
    lower, upper, theta, boxes = (numpy.array([getattr(r, name) for r in ranges]) for name in _Range._fields)
    return home.enclosure(Solution(lower, upper, theta, boxes), tolerance, radii.shape)


class _Range(NamedTuple):
    """Of one radius."""

    lower: float
    upper: float
    theta: numpy.ndarray  # (d,)
    boxes: int


def _range(
    model: Model,
    rho: float,
    low: numpy.ndarray,
    high: numpy.ndarray,
    *,
    tolerance: float,
    max_boxes: int,
    progress: Any,
) -> _Range:
    budget = max(1, max_boxes // 2)
    top, _, some = _highest(model, rho, low, high, tolerance / 4, budget, progress)
    if rho > 0:
        bottom, theta, more = _lowest(model, rho, low, high, tolerance / 2, budget)
    else:
        below = Model(mirrored(model.surface), model.d)
        most, theta, more = _highest(below, rho, low, high, tolerance / 2, budget, progress)
        bottom = -most
    whole = top - bottom
    return _Range(max(float(whole.lo), 0.0), float(whole.hi), theta, some + more)


def _highest(
    model: Model, rho: float, low: numpy.ndarray, high: numpy.ndarray, tolerance: float, max_boxes: int, progress: Any
) -> tuple[Interval, numpy.ndarray, int]:
    """max f_ρ, where it touches, and how many boxes were examined."""
    model.restart()
    span = interval(low, high) + interval(-rho, rho)
    middle = span.middle
    root = model.cells.add(middle[None], (span - middle).mag[None])

    def bounds(query: numpy.ndarray, cell: numpy.ndarray, _: numpy.ndarray) -> Bounds:
        at = slabs(model.cells, numpy.zeros((1, model.d)), numpy.zeros(1), query, cell)
        return _heights(at, rho, low[:, None], high[:, None])

    nothing = numpy.full(1, numpy.inf)
    problem = Problem(model.cells, bounds, numpy.zeros(1, dtype=int), root, nothing, middle[None])
    options: dict[str, Any] = {"tolerance": tolerance, "max_boxes": max_boxes, "progress": progress}
    one = numpy.zeros(1, dtype=int)
    _, _, found = next(solved(one, lambda _: problem, one, one, gap=gap, **options))
    return Interval(-found.upper[0], -found.lower[0]), found.theta[0], int(found.boxes[0])


def _heights(s: Slabs, rho: float, low: numpy.ndarray, high: numpy.ndarray) -> Bounds:
    """Of minus the height of a ball that rests on the surface over a box, with its centre over B; low, high: (d, 1)."""
    with numpy.errstate(all="ignore"):
        shift = numpy.copysign(s.radius, s.slope())
        place = s.center + shift
        away = place - numpy.clip(place, low, high)
        w = numpy.nan_to_num(
            -away / numpy.sqrt(numpy.maximum(rho**2 - (away**2).sum(0), rho * s.radius.max(0) + 1e-300))
        )
        epsilon, theta, height = s.at(shift)
    lean, swing = sqrt(total(sqr(interval(w))) + 1.0), total(abs(s.slopes + interval(s.radius) * w))
    least = total(Interval(numpy.where(w > 0, low, high), numpy.where(w > 0, low, high)) * w)
    highest = (s.up + lean * rho + swing + total(s.away * w) - least).hi
    gaps = total(sqr(_beyond(s, low, high)))
    highest = numpy.where((gaps.lo > (interval(rho) * rho).hi) | numpy.isnan(s.up.lo), -numpy.inf, highest)
    rises = interval(rho) * rho - total(sqr(theta - numpy.clip(theta.middle, low, high)))
    lowest = numpy.where(rises.lo >= 0, (height + sqrt(rises)).lo, -numpy.inf)
    lowest = numpy.where(numpy.isnan(lowest), -numpy.inf, lowest)
    return Bounds(-numpy.where(numpy.isnan(highest), numpy.inf, highest), -lowest, (s.center + s.radius * epsilon).T)


def _beyond(s: Slabs, low: numpy.ndarray, high: numpy.ndarray) -> Interval:
    """How far the box is from B at least, in every coordinate, (d, n)."""
    box = s.away + Interval(-s.radius, s.radius)  # queries are at 0
    before, after = (low - box).lo, (box - high).lo
    return interval(numpy.maximum(numpy.maximum(before, after), 0.0))


def _lowest(
    model: Model, rho: float, low: numpy.ndarray, high: numpy.ndarray, tolerance: float, max_boxes: int
) -> tuple[Interval, numpy.ndarray, int]:
    """min f_ρ, where, and how many boxes were examined."""
    corners = numpy.array(list(product((-1.0, 1.0), repeat=model.d)))
    middle = low / 2 + high / 2
    center, radius = middle[None], (interval(low, high) - middle).mag[None]
    least, upper, theta, boxes, dropped = numpy.full(1, -numpy.inf), numpy.inf, middle, 0, numpy.inf
    while len(center):
        found = offsets(
            model, center, numpy.full(len(center), rho), tolerance=tolerance / 4, max_boxes=max_boxes, progress=False
        )
        boxes += int(found.boxes.sum()) + len(center)
        best = int(found.upper.argmin())
        if found.upper[best] < upper:
            upper, theta = float(found.upper[best]), center[best]
        least = numpy.maximum(least, _least(model, found.theta, center, radius, rho))
        open_ = (gap(least, numpy.full(len(least), upper)) > tolerance) & (least < upper)
        dropped = min(dropped, float(least[~open_].min(initial=numpy.inf)))
        if boxes >= max_boxes or (radius[0] / 2 + center == center).any():
            dropped = min(dropped, float(least.min(initial=numpy.inf)))
            break
        half = radius[open_, None] / 2 * (1 + 2.0**-40)  # a little more, for the rounding of the middle
        center = (center[open_, None] + corners * radius[open_, None] / 2).clip(low, high).reshape(-1, model.d)
        radius = numpy.broadcast_to(half, (len(half), len(corners), model.d)).reshape(-1, model.d)
        least = numpy.repeat(least[open_], len(corners))
    return interval(min(dropped, upper), upper), theta, boxes


def _least(
    model: Model, contact: numpy.ndarray, center: numpy.ndarray, radius: numpy.ndarray, rho: float
) -> numpy.ndarray:
    """Lower bounds of f_ρ over boxes, (n,), from the places (n, d) that balls over their middle touch."""
    box = interval(center) + Interval(-radius, radius)
    farthest = (box - contact).map(lambda end: numpy.ascontiguousarray(end.T))
    room = interval(rho) * rho - total(sqr(interval(farthest.mag)))
    height = model.heights(contact) + sqrt(room)
    touching = numpy.where((room.lo >= 0) & ~numpy.isnan(height.lo), height.lo, -numpy.inf)
    return numpy.maximum(touching, _above(model, center, radius, rho))


def _above(model: Model, center: numpy.ndarray, radius: numpy.ndarray, rho: float) -> numpy.ndarray:
    """f + ρ, which f_ρ is nowhere less than, over boxes where f is known to be defined: of use where they are large."""
    slab, d = model._slabs(center, radius), model.d
    below = (slab[0] - total(interval(slab[1 : d + 1].mag)) + rho).lo
    return numpy.where(numpy.isnan(slab[d + 1].lo) & ~numpy.isnan(below), below, -numpy.inf)
