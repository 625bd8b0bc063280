"""Nearest points of a level set {F = 0}: which boxes can hold one, and where a zero of F is proven to be.

Between two points at which F has opposite signs there is a zero, if F is continuous on the way: it is at most as far as
the farther one. Over a box F is in a slab C + Σ A_i ε_i, and wherever it is 0, for every vector n and number λ

    |x − q| ≥ n·(x − q)/|n| ≥ (n·away + λC − Σ |r_i n_i + λA_i|)/|n|.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy

from geometry.arithmetic._affine import Record
from geometry.arithmetic._forms import Form, stacked
from geometry.arithmetic.intervals import Interval, interval, joined, sqr, sqrt, total
from geometry.certified._batches import CELLS, Problem, solved
from geometry.certified._branching import Bounds, Found, gap
from geometry.certified._cells import derivatives, evaluated, regular
from geometry.certified._convexity import Valleys
from geometry.certified._model import Model, cover, least_side
from geometry.certified._problems import LADDER, Solution, remaining
from geometry.certified._regions import Boxes, System, contracted, newton
from geometry.certified._slabs import Slabs, slabs
from geometry.certified._slips import check_near
from geometry.footpoint import project
from geometry.level_set import LevelSet

__all__ = ["level_distances"]

TINIEST = 1e-300
SMALL = 2.0**-20
HALVINGS = 50  # of the interval in which λ is sought
ROOM = 2.0**-40  # how far from an approximate zero signs are sought, in units of its size


def level_distances(
    surface: LevelSet,
    q: numpy.ndarray,
    starts: list[numpy.ndarray],
    *,
    regions: bool,
    tolerance: float,
    max_boxes: int,
    progress: Any,
) -> Solution:
    """Distances of points q (N, n) to a level set, and where the nearest points may be."""
    number, n = q.shape
    model = Model(surface, n)
    upper, theta = _first_zeros(model, q, starts)
    check_near(surface, q, upper)
    solution = Solution(numpy.zeros(number), upper, theta, numpy.zeros(number, dtype=int), partial(_side, model, q))
    ids = numpy.flatnonzero(upper < numpy.inf)

    def problem(some: numpy.ndarray) -> Problem:
        if model.cells.count > CELLS:
            model.restart()

        def bounds(query: numpy.ndarray, cell: numpy.ndarray, best: numpy.ndarray) -> Bounds:
            at = slabs(model.cells, q[some], numpy.zeros(len(some)), query, cell)
            return _bounds(model, at, q[some][query], best)

        pairs = cover(model.cells, q[some], upper[some])
        return Problem(model.cells, bounds, *pairs, upper[some], theta[some], Normal(model, q[some]).alone)

    options: dict[str, Any] = {"gap": gap, "tolerance": tolerance, "max_boxes": max_boxes, "progress": progress}
    for some, _, found in solved(ids, problem, solution.boxes, least_side(q, upper), **options):
        lower, better, place = found.lower, found.upper, found.theta
        if regions:
            lower, better, place, kept = _sharpened(model, q[some], found)
            solution.regions.append((kept[0]._replace(query=some[kept[0].query]), kept[1]))
        solution.lower[some], solution.upper[some], solution.theta[some] = lower, better, place
        solution.boxes[some] = found.boxes
    return solution


def _side(model: Model, q: numpy.ndarray) -> numpy.ndarray:
    above = model.heights(q) if len(q) else interval(numpy.empty(0))
    return numpy.where(above.lo > 0, 1, numpy.where(above.hi < 0, -1, 0))


def _first_zeros(model: Model, q: numpy.ndarray, starts: list[numpy.ndarray]) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Upper bounds of the distances, and places: around approximate footpoints, and on the way to points all around."""
    upper, theta, n = numpy.full(len(q), numpy.inf), q.copy(), q.shape[1]
    finite = numpy.flatnonzero(numpy.isfinite(q).all(1))

    def look(ids: numpy.ndarray, a: numpy.ndarray, b: numpy.ndarray) -> None:
        far = _zero_between(model, q[ids], a, b)
        better = far < upper[ids]
        upper[ids[better]], theta[ids[better]] = far[better], (a + b)[better] / 2

    surface: Any = model.surface
    for guess in [q, *starts] if finite.size else []:
        with numpy.errstate(all="ignore"):
            foot = project(surface, q[finite], start=guess[finite])
            point, normal = foot.theta, surface.normal(foot.theta)
        known = numpy.isfinite(point).all(1) & numpy.isfinite(normal).all(1)
        step = normal[known] * (ROOM * numpy.maximum(1.0, numpy.abs(point[known]).max(1, initial=0)))[:, None]
        look(finite[known], point[known] - step, point[known] + step)
    for size in LADDER:
        for step in size * numpy.concatenate([numpy.eye(n), -numpy.eye(n)]):
            lost = finite[upper[finite] == numpy.inf]
            if lost.size:
                look(lost, q[lost], q[lost] + step)
    return upper, theta


def _zero_between(model: Model, q: numpy.ndarray, a: numpy.ndarray, b: numpy.ndarray) -> numpy.ndarray:
    """How far from q a zero can be that is proven to be between a and b, (k,); ∞ where none is proven."""
    far = numpy.full(len(q), numpy.inf)
    if not len(q):
        return far
    at_a, at_b = model.heights(a), model.heights(b)
    opposite = numpy.flatnonzero(((at_a.hi < 0) & (at_b.lo > 0)) | ((at_a.lo > 0) & (at_b.hi < 0)))
    if opposite.size:
        ends = numpy.minimum(a, b)[opposite], numpy.maximum(a, b)[opposite]
        center = ends[0] / 2 + ends[1] / 2
        known = regular(lambda form: derivatives(model.surface, form, 0), center, (interval(*ends) - center).mag)
        reach = numpy.maximum(*(_length(interval(end[opposite]) - q[opposite]).hi for end in (a, b)))
        far[opposite[known]] = reach[known]
    return far


def _length(x: Interval) -> Interval:
    """Of vectors (k, n): (k,)."""
    return sqrt(total(sqr(x).map(lambda end: end.T)))


def _bounds(model: Model, s: Slabs, q: numpy.ndarray, best: numpy.ndarray) -> Bounds:
    with numpy.errstate(all="ignore"):
        shift, weight = _nearest_zero(s)
        n = s.away.middle + shift
        swing = total(abs(interval(s.radius) * n + s.slopes * weight))
        lower = ((total(s.away * n) + s.up * weight - swing) / sqrt(total(sqr(interval(n))))).lo
        whole = s.up + Interval(-total(interval(s.slopes.mag)).hi, total(interval(s.slopes.mag)).hi)
        lower = numpy.where(lower > 0, lower, 0.0)
        lower = numpy.where((whole.lo <= 0) & (whole.hi >= 0), lower, numpy.inf)  # NaN: F is nowhere defined
        place, slope = (s.center + shift).T, s.slope().T
        steep = numpy.sqrt((slope**2).sum(1))
        room = 2 * s.up.width / steep + ROOM * numpy.maximum(1.0, numpy.abs(place).max(1, initial=0))
        step = slope * (room / steep)[:, None]
        tried = numpy.flatnonzero((lower < best) & (steep > 0) & (room <= 4 * s.radius.max(0)))
        tried = tried[numpy.sqrt(((place - q)[tried] ** 2).sum(1)) < best[tried]]
        upper = numpy.full(len(q), numpy.inf)
        upper[tried] = _zero_between(model, q[tried], (place - step)[tried], (place + step)[tried])
    return Bounds(lower, upper, place)


def _nearest_zero(s: Slabs) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The zero of the middle of the slab in the box that is nearest to the query, from the center, and its λ, roughly.

    The shift clip(−u − λa) has a·shift falling in λ, so that halving finds where v + a·shift = 0.
    """
    u, v, a, r = s.away.middle, s.up.middle, s.slope(), s.radius
    steep = (a * a).sum(0)
    limit = (numpy.abs(u).max(0) + 2 * r.max(0)) / numpy.sqrt(numpy.where(steep > 0, steep, 1.0))
    low, high = -limit, limit.copy()
    for _ in range(HALVINGS):
        weight = low / 2 + high / 2
        above = v + (a * numpy.clip(-u - weight * a, -r, r)).sum(0) > 0
        low, high = numpy.where(above, weight, low), numpy.where(above, high, weight)
    weight = numpy.nan_to_num(low / 2 + high / 2)
    return numpy.nan_to_num(numpy.clip(-u - weight * a, -r, r)), weight


class Normal(System):
    """F = 0 and w = (x − q)(∇F·a) − ∇F((x − q)·a) = 0: x − q is along ∇F, as it is at every nearest point.

    The vectors a are the rough normals in the middle of boxes. As a·w = 0, one component of w says nothing, and is left
    out: that of the greatest entry of a. Where ∇F·a ≠ 0, which is seen to, w = 0 says that x − q is along ∇F.
    """

    def __init__(self, model: Model, q: numpy.ndarray) -> None:
        super().__init__(model)
        self.q = q

    def residual(self, query: numpy.ndarray, z: numpy.ndarray) -> Interval:
        a = self._normal(z)

        def equations(form: Form) -> Form:
            value, g = derivatives(self.model.surface, form, 1)
            away = form - self.q[query]
            across = away * (g * a).sum(-1)[..., None] - g * (away * a).sum(-1)[..., None]
            return stacked([value, *(across[..., i] for i in range(z.shape[1]))])

        return _chosen(evaluated(equations, z)[0].center, a)

    def jacobian(self, query: numpy.ndarray, center: numpy.ndarray, radius: numpy.ndarray) -> tuple[Interval, Record]:
        """[∇Fᵀ; (∇F·a) 1 + (x − q)(Ha)ᵀ − ((x − q)·a) H − ∇F aᵀ]."""
        a = self._normal(center)

        def rows(form: Form) -> tuple[Form, Form, Form]:
            _, g, h = derivatives(self.model.surface, form)
            away, along = form - self.q[query], (g * a).sum(-1)
            turn = away[..., :, None] * (h * a[:, None, :]).sum(-1)[..., None, :] - g[..., :, None] * a[:, None, :]
            bend = along[..., None, None] * numpy.eye(center.shape[1]) - (away * a).sum(-1)[..., None, None] * h
            return g, turn + bend, along

        (g, across, along), record = evaluated(rows, center, radius)
        found = _chosen(joined([g.range()[:, None, :], across.range()], axis=1), a)
        unknown = ~((along.range().lo > 0) | (along.range().hi < 0))[:, None, None]
        return found.where(~unknown, interval(-numpy.inf, numpy.inf)), record

    def _normal(self, x: numpy.ndarray) -> numpy.ndarray:
        """∇F at points, roughly."""
        g = evaluated(lambda form: derivatives(self.model.surface, form, 1)[1], x)[0].center.middle
        return g / numpy.maximum(numpy.abs(g).max(1, initial=0), TINIEST)[:, None]

    def alone(self, query: numpy.ndarray, center: numpy.ndarray, radius: numpy.ndarray) -> Valleys:
        """Boxes with one solution: if the nearest of all points is in one of them, it is this one."""
        span = interval(center) + Interval(-radius, radius)
        found, unique = newton(self, Boxes(query, span.lo, span.hi))
        ends = interval(found.lower, found.upper)
        far, middle = _length(ends - self.q[query]), ends.middle
        away, nothing = (ends - middle).mag.max(1), numpy.full(len(query), numpy.inf)
        unique &= away <= SMALL * radius.max(1)  # others will be told from smaller boxes
        lower, upper = numpy.where(unique, far.lo, -nothing), numpy.where(unique, far.hi, nothing)
        return Valleys(lower, upper, middle, numpy.where(unique, away, nothing))


def _chosen(rows: Interval, a: numpy.ndarray) -> Interval:
    """The first row, and the others but for that of the greatest entry of a; (k, n + 1, ...) to (k, n, ...)."""
    n = a.shape[1]
    greatest = numpy.abs(a).argmax(1)[:, None]
    others = numpy.arange(n - 1) + (numpy.arange(n - 1) >= greatest) + 1
    kept = numpy.concatenate([numpy.zeros_like(greatest), others], axis=1)
    return rows.map(lambda end: end[numpy.arange(len(a))[:, None], kept])


def _sharpened(
    model: Model, q: numpy.ndarray, found: Found
) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, tuple[Boxes, numpy.ndarray]]:
    """Bounds from regions that Newton's method has contracted; and the regions that can still be nearest."""
    boxes, bounds = remaining(model.cells, found)
    boxes, unique, label = contracted(Normal(model, q), boxes)
    least = numpy.full(len(unique), numpy.inf)
    numpy.minimum.at(least, label, bounds)
    upper, theta = found.upper.copy(), found.theta.copy()
    far = _length(interval(boxes.lower, boxes.upper) - q[boxes.query])  # of the only point that the region holds
    least = numpy.where(unique, numpy.maximum(least, far.lo), least)
    numpy.minimum.at(upper, boxes.query[unique], far.hi[unique])
    best = unique & (far.hi <= upper[boxes.query])
    theta[boxes.query[best]] = (boxes.lower / 2 + boxes.upper / 2)[best]
    kept = least <= upper[boxes.query]
    lower = upper.copy()
    numpy.minimum.at(lower, boxes.query[kept], least[kept])
    return lower, upper, theta, (Boxes(*(part[kept] for part in boxes)), unique[kept])
