"""The searches behind the verbs: nearest points of a graph, and the height of a ball that rests on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy

from geometry.arithmetic.intervals import Interval, interval, sqr, sqrt
from geometry.certified._batches import CELLS, Problem, solved
from geometry.certified._branching import Bounds, Found, gap
from geometry.certified._cells import Cells
from geometry.certified._convexity import Convexity, Height, SquaredDistance
from geometry.certified._landscape import by_landscape
from geometry.certified._model import Model, cover, least_side
from geometry.certified._regions import Boxes, Nearest, contracted, merged
from geometry.certified._slabs import distance_bounds, height_bounds, slabs
from geometry.certified._slips import check_near

__all__ = ["Solution", "distances", "offsets", "remaining"]

LEEWAY = 1e-9  # of a distance that was rounded
REGIONS = 64  # of one query at most, that a model is enough for
LARGE = 2.0**10  # beside the other queries: what is larger is not for a model of theirs
FAR = 2.0**500  # beyond it, squares overflow
LADDER = 4.0 ** numpy.arange(-10, 11)  # how far to look for a surface that is not defined below the query


@dataclass
class Solution:
    """Bounds of many queries."""

    lower: numpy.ndarray  # (N,)
    upper: numpy.ndarray  # (N,)
    theta: numpy.ndarray  # (N, d)
    boxes: numpy.ndarray  # (N,)
    side: Any = None  # what to call for `above`
    regions: list[tuple[Boxes, numpy.ndarray]] = field(default_factory=list)

    @cached_property
    def above(self) -> numpy.ndarray:
        """1 where a point is proven to be above the surface, −1 below, (N,)."""
        side: numpy.ndarray = self.side()
        return side

    def between(self, lower: numpy.ndarray, upper: numpy.ndarray) -> Solution:
        """Other bounds."""
        return replace(self, lower=lower, upper=upper)

    def all_regions(self) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray]:
        """Lower and upper ends, query, and whether there is one stationary point only; sorted by query."""
        lost = numpy.setdiff1d(numpy.arange(len(self.theta)), [i for b, _ in self.regions for i in b.query])
        whole = numpy.full((len(lost), self.theta.shape[1]), numpy.inf)  # nothing is known of where they are nearest
        parts = [(lost, -whole, whole, numpy.full(len(lost), False)), *((*b, u) for b, u in self.regions)]
        query, lower, upper, unique = (numpy.concatenate(part) for part in zip(*parts, strict=True))
        order = numpy.lexsort((*lower.T[::-1], query))
        return lower[order], upper[order], query[order], unique[order]


def distances(
    model: Model,
    x: numpy.ndarray,
    y: numpy.ndarray,
    starts: list[numpy.ndarray],
    *,
    regions: bool,
    tolerance: float,
    max_boxes: int,
    progress: bool,
) -> Solution:
    """Distances of (x, y) to a graph, and where the nearest points may be."""
    zero, side = numpy.zeros(len(x)), partial(_side, model, x, y)
    solution = Solution(zero, zero + numpy.inf, x.copy(), zero.astype(int), side)
    ids = _by_landscape(model, x, y, starts, solution, regions, tolerance, max_boxes)
    upper, theta = _nearest_known(model, x, y, [x, *starts], ids)
    solution.upper[ids], solution.theta[ids] = upper[ids], theta[ids]
    ids = ids[upper[ids] < FAR]

    def problem(some: numpy.ndarray) -> Problem:
        if model.cells.count > CELLS:
            model.restart()
        pairs = cover(model.cells, x[some], upper[some])
        at = partial(slabs, model.cells, x[some], y[some])
        convex = SquaredDistance(model.surface, x[some], y[some])
        return Problem(
            model.cells,
            lambda q, c, _: distance_bounds(at(q, c)),
            *pairs,
            upper[some],
            theta[some],
            Convexity(convex),
        )

    options: dict[str, Any] = {"gap": gap, "tolerance": tolerance, "max_boxes": max_boxes, "progress": progress}
    for some, posed, found in solved(ids, problem, solution.boxes, least_side(x, upper), **options):
        lower, better, place = found.lower, found.upper, found.theta
        if regions:
            boxes, least = remaining(posed.cells, found)
            lower, better, place, kept = _sharpened(model, x[some], y[some], boxes, least, better, place)
            solution.regions.append((kept[0]._replace(query=some[kept[0].query]), kept[1]))
        solution.lower[some], solution.upper[some], solution.theta[some] = lower, better, place
        solution.boxes[some] = found.boxes
    return solution


def _side(model: Model, x: numpy.ndarray, y: numpy.ndarray) -> numpy.ndarray:
    above = y - model.heights(x) if len(x) else interval(numpy.empty(0))
    return numpy.where(above.lo > 0, 1, numpy.where(above.hi < 0, -1, 0))


def _by_landscape(
    model: Model,
    x: numpy.ndarray,
    y: numpy.ndarray,
    starts: list[numpy.ndarray],
    solution: Solution,
    regions: bool,
    tolerance: float,
    max_boxes: int,
) -> numpy.ndarray:
    """Solve what a model of the landscape is enough for; the numbers of the other queries."""
    with numpy.errstate(all="ignore"):
        limits = [numpy.abs(model.surface.value(x) - y)]
        limits += [numpy.hypot(numpy.linalg.norm(s - x, axis=1), model.surface.value(s) - y) for s in starts]
        limit = numpy.fmin.reduce(limits) * (1 + LEEWAY) + LEEWAY * (1 + numpy.abs(y))
    check_near(model.surface, x, limit)
    everything = numpy.arange(len(x))
    size = least_side(x, limit * 2.0**-40) * 2.0**40  # of the greatest number that occurs
    some = numpy.flatnonzero(size < FAR)
    some = some[size[some] <= LARGE * numpy.median(size[some])] if some.size else some
    options = {"tolerance": tolerance, "max_boxes": max_boxes, "regions": REGIONS * regions}
    found = by_landscape(model.surface, x[some], y[some], limit[some], **options)  # type: ignore[arg-type]
    if found is None:
        return everything
    lower, upper, theta, done = found.lower, found.upper, found.theta, found.closed
    if regions and done.any():
        box = found.regions[done[found.regions[:, 0].astype(int)]]
        query, d = box[:, 0].astype(int), x.shape[1]
        low, high = box[:, 1 : d + 1], box[:, d + 1 : 2 * d + 1]
        boxes, label = merged(query, low / 2 + high / 2, _covering(Boxes(query, low, high), low / 2 + high / 2))
        least = numpy.full(len(boxes.query), numpy.inf)
        numpy.minimum.at(least, label, box[:, -1])
        sharp, upper, theta, kept = _sharpened(model, x[some], y[some], boxes, least, upper, theta)
        lower = numpy.maximum(lower, sharp)
        solution.regions.append((kept[0]._replace(query=some[kept[0].query]), kept[1]))
    ids = some[done]
    solution.lower[ids], solution.upper[ids], solution.theta[ids] = lower[done], upper[done], theta[done]
    solution.boxes[ids] = found.boxes[done]
    return numpy.setdiff1d(everything, ids)


def remaining(cells: Cells, found: Found) -> tuple[Boxes, numpy.ndarray]:
    """Regions that hold all minima, and lower bounds there: around the bottoms of valleys, and hulls of other boxes."""
    rough = found.valley < 0
    query, cell = found.query[rough], found.cell[rough]
    boxes, label = merged(query, cells.center[cell], cells.radius[cell])
    least = numpy.full(len(boxes.query), numpy.inf)
    numpy.minimum.at(least, label, found.cell_lower[rough])
    valley, first = numpy.unique(found.valley[~rough], return_index=True)
    bottom, radius = found.valleys.theta[valley], found.valleys.radius[valley][:, None]
    span = interval(bottom) + interval(-radius, radius)
    parts = (found.query[~rough][first], span.lo, span.hi)
    joined = Boxes(*(numpy.concatenate(both) for both in zip(boxes, parts, strict=True)))
    return joined, numpy.concatenate([least, found.valleys.lower[valley]])


def _nearest_known(
    model: Model, x: numpy.ndarray, y: numpy.ndarray, guesses: list[numpy.ndarray], ids: numpy.ndarray
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The least distance to points over guesses of θ, rounded up, and the guess."""
    upper, theta = numpy.full(len(x), numpy.inf), x.copy()

    def look(ids: numpy.ndarray, place: numpy.ndarray) -> None:
        far = _distance_to(model, x[ids], y[ids], place)
        better = far < upper[ids]
        upper[ids[better]], theta[ids[better]] = far[better], place[better]

    finite = ids[numpy.isfinite(x[ids]).all(1) & numpy.isfinite(y[ids])]
    for guess in guesses:
        look(finite, guess[finite])
    lost = finite[upper[finite] == numpy.inf]
    for size in LADDER if lost.size else ():
        for step in size * numpy.concatenate([numpy.eye(x.shape[1]), -numpy.eye(x.shape[1])]):
            look(lost, x[lost] + step)
    return upper, theta


def _distance_to(model: Model, x: numpy.ndarray, y: numpy.ndarray, theta: numpy.ndarray) -> numpy.ndarray:
    if not len(x):
        return numpy.empty(0)
    total = sqr(model.heights(theta) - y)
    for i in range(x.shape[1]):
        total = total + sqr(interval(theta[:, i]) - x[:, i])
    far = sqrt(total).hi
    return numpy.where(numpy.isnan(far), numpy.inf, far)


def _sharpened(
    model: Model,
    x: numpy.ndarray,
    y: numpy.ndarray,
    boxes: Boxes,
    least: numpy.ndarray,
    upper: numpy.ndarray,
    theta: numpy.ndarray,
) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, tuple[Boxes, numpy.ndarray]]:
    """Bounds from regions that Newton's method has contracted; and the regions that can still be nearest."""
    boxes, unique, label = contracted(Nearest(model, x, y), boxes)
    bounds, upper, theta = least, upper.copy(), theta.copy()
    least = numpy.full(len(unique), numpy.inf)
    numpy.minimum.at(least, label, bounds)
    if unique.any():
        center = boxes.lower / 2 + boxes.upper / 2
        cells = Cells(x.shape[1], model._slabs)
        radius = _covering(boxes, center)
        found = distance_bounds(slabs(cells, x, y, boxes.query, cells.add(center, radius)))
        least = numpy.where(unique, numpy.maximum(least, found.lower), least)
        numpy.minimum.at(upper, boxes.query, found.upper)
        best = found.upper <= upper[boxes.query]
        theta[boxes.query[best]] = found.theta[best]
    kept = least <= upper[boxes.query]
    lower = upper.copy()
    numpy.minimum.at(lower, boxes.query[kept], least[kept])
    return lower, upper, theta, (Boxes(*(part[kept] for part in boxes)), unique[kept])


def _covering(boxes: Boxes, center: numpy.ndarray) -> numpy.ndarray:
    """Radii of boxes around the centers, rounded up."""
    span: Interval = interval(boxes.lower, boxes.upper) - center
    return numpy.maximum(span.mag, numpy.finfo(float).tiny)


def offsets(
    model: Model, x: numpy.ndarray, radius: numpy.ndarray, *, tolerance: float, max_boxes: int, progress: bool
) -> Solution:
    """Heights of the centres of balls over x."""
    at_pole = model.heights(x) + radius if len(x) else interval(numpy.zeros(1))
    height = numpy.where(numpy.isnan(at_pole.lo[: len(x)]), -numpy.inf, at_pole.lo[: len(x)])
    solution = Solution(height, numpy.full(len(x), numpy.inf), x.copy(), numpy.zeros(len(x), dtype=int))
    finite = numpy.isfinite(x).all(1)
    flat = finite & (radius == 0)
    solution.upper[flat] = numpy.where(numpy.isnan(at_pole.hi[flat]), -numpy.inf, at_pole.hi[flat])
    check_near(model.surface, x, radius)
    ids = numpy.flatnonzero(finite & (radius > 0) & (radius < FAR))

    def problem(some: numpy.ndarray) -> Problem:
        if model.cells.count > CELLS:
            model.restart()
        pairs = cover(model.cells, x[some], radius[some])
        level = numpy.zeros(len(some))

        def bounds(query: numpy.ndarray, cell: numpy.ndarray, _: numpy.ndarray) -> Bounds:
            return height_bounds(slabs(model.cells, x[some], level, query, cell), radius[some][query])

        convex = Height(model.surface, x[some], radius[some])
        return Problem(model.cells, bounds, *pairs, -height[some], x[some], Convexity(convex))

    options: dict[str, Any] = {"gap": gap, "tolerance": tolerance, "max_boxes": max_boxes, "progress": progress}
    for some, _, found in solved(ids, problem, solution.boxes, least_side(x, radius), **options):
        solution.lower[some], solution.upper[some] = -found.upper, -found.lower
        solution.theta[some], solution.boxes[some] = found.theta, found.boxes
    return solution
