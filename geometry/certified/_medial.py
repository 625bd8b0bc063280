"""The search for the largest ball that touches a graph at p and has no point of it inside.

A point q of the graph stops a ball that touches at p, with the unit normal ν, at the radius |q − p|²/(2(q − p)·ν). For
all q of a convex set, and every vector n,

    radius ≥ n·(q − p)/(|n| + n·ν),

for a ball of radius ρ that has q on it has n·(q − p − ρν) ≤ ρ|n|. Nearest to p, where this is 0/0, the radius is at
least 1/κ for every curvature κ of a shape operator with H and g from anywhere around p.
"""

from __future__ import annotations

from typing import Any

import numpy

from geometry.arithmetic._forms import Form
from geometry.arithmetic.intervals import Interval, interval, sqr, sqrt, total
from geometry.certified._batches import CELLS, Problem, solved
from geometry.certified._branching import Bounds, gap
from geometry.certified._cells import derivatives, evaluated, regular
from geometry.certified._curvature import extreme_curvature, shape_operator
from geometry.certified._model import Model, cover, least_side
from geometry.certified._problems import LADDER, Solution
from geometry.certified._slabs import Slabs, nearest, slabs

__all__ = ["medial_radii"]

FARTHEST = 4 * LADDER[-1]  # where to stop looking for what stops a ball


class Contacts:
    """The points p, and the normals there."""

    def __init__(self, model: Model, theta: numpy.ndarray) -> None:
        self.model, self.theta = model, theta

        def function(form: Form) -> tuple[Form, ...]:
            return derivatives(model.surface, form, order=1)

        (value, gradient), record = evaluated(function, theta, None)
        self.smooth = numpy.full(len(theta), True)
        if record.irregular:
            self.smooth = regular(function, theta, numpy.zeros_like(theta))
        self.height = value.center
        g = gradient.center.map(lambda end: numpy.ascontiguousarray(end.T))
        self.up = 1.0 / sqrt(total(sqr(g)) + 1.0)  # ν_y = 1/W
        self.across = -g * self.up  # ν_θ, (d, N)

    def radius(self, query: numpy.ndarray, away: Interval, up: Interval) -> numpy.ndarray:
        """Upper bound of |q − p|²/(2(q − p)·ν) for points q − p = (away, up); ∞ where q does not stop the ball."""
        square = total(sqr(away)) + sqr(up)
        along = total(away * _at(self.across, query)) + up * _at(self.up, query)
        stopped = (square / (along * 2.0)).hi
        return numpy.where((along.lo > 0) & ~numpy.isnan(stopped), stopped, numpy.inf)

    def bounds(self, query: numpy.ndarray, cell: numpy.ndarray, upper: numpy.ndarray) -> Bounds:
        rho = numpy.where(upper < numpy.inf, upper, FARTHEST)
        normal, up = _at(self.across, query).middle, _at(self.up, query).middle
        height = _at(self.height, query).middle
        everyone = numpy.arange(len(query))
        tip = (self.theta[query] + (normal * rho).T, height + up * rho)
        from_tip = slabs(self.model.cells, *tip, everyone, cell)
        with numpy.errstate(all="ignore"):
            shift, rest = nearest(from_tip)
            n = numpy.nan_to_num(from_tip.away.middle + shift)
            epsilon = from_tip.at(shift)[0]
        from_p = slabs(self.model.cells, self.theta, numpy.zeros(len(self.theta)), query, cell)
        from_p = from_p._replace(up=from_p.up - _at(self.height, query), known=from_p.known - _at(self.height, query))
        lower = self._support(query, from_p, n, rest)
        _, away, rise = from_p.at(shift)
        place = (from_p.center + from_p.radius * epsilon).T
        near = (numpy.abs(from_p.away.middle) <= 3 * from_p.radius).all(0) & ~numpy.isnan(lower)
        if near.any():
            lower[near] = numpy.maximum(lower[near], self._by_curvature(query[near], cell[near]))
        return Bounds(numpy.where(numpy.isnan(lower), numpy.inf, lower), self.radius(query, away, rise), place)

    def _support(self, query: numpy.ndarray, s: Slabs, n: numpy.ndarray, rest: numpy.ndarray) -> numpy.ndarray:
        """The bound n·(q − p)/(|n| + n·ν) over boxes; NaN where there is no surface."""
        n_across, n_up, size = interval(n), interval(rest), interval(s.radius)
        swing = total(abs(size * n_across + s.slopes * n_up))
        support = total(s.away * n_across) + s.up * n_up - swing
        length = sqrt(total(sqr(n_across)) + sqr(n_up))
        lean = length + total(n_across * _at(self.across, query)) + n_up * _at(self.up, query)
        lower = (support / lean).lo
        useful = (support.lo > 0) & (lean.lo > 0)
        return numpy.where(numpy.isnan(s.up.lo), numpy.nan, numpy.where(useful, lower, 0.0))

    def _by_curvature(self, query: numpy.ndarray, cell: numpy.ndarray) -> numpy.ndarray:
        """1/κ over hulls of p and boxes."""
        cells, p = self.model.cells, self.theta[query]
        span = interval(cells.center[cell]) + interval(-cells.radius[cell], cells.radius[cell])
        low, high = numpy.minimum(span.lo, p), numpy.maximum(span.hi, p)
        center = low / 2 + high / 2
        return least_radius(self.model, center, (interval(low, high) - center).mag, query, self)


def least_radius(
    model: Model, center: numpy.ndarray, radius: numpy.ndarray, query: numpy.ndarray, contacts: Contacts
) -> numpy.ndarray:
    """The least radius |t|²(1 + s²)·W/tᵀHt, for a slope s along t and an H from anywhere in the box."""
    found, record = evaluated(lambda form: derivatives(model.surface, form), center, radius)
    _, gradient, hessian = found
    g, h = (form.new(form.range(), None) for form in (gradient, hessian))  # slope and H need not be of one place
    d = center.shape[1]
    if d == 1:
        curvature = h[..., 0, 0] / (1 + g[..., 0] ** 2)
    else:
        stretch = (1 + (g**2).sum(-1)) ** 0.5
        curvature = shape_operator(g, h) * stretch[..., None, None]
    normal_up = contacts.up[query]
    high = extreme_curvature(curvature if d > 1 else curvature[..., None, None])[0]
    bounded = numpy.isfinite(high)
    kappa = (interval(numpy.where(bounded, high, 0.0)) * normal_up).hi
    least = numpy.where(kappa > 0, (1.0 / interval(numpy.where(kappa > 0, kappa, 1.0))).lo, numpy.inf)
    return numpy.where(bounded & (not record.irregular), least, 0.0)


def _at(x: Interval, query: numpy.ndarray) -> Interval:
    """Items of the last axis."""
    return x.map(lambda end: numpy.ascontiguousarray(end[..., query]))


def medial_radii(
    model: Model,
    theta: numpy.ndarray,
    box: tuple[numpy.ndarray, numpy.ndarray] | None,
    cap: numpy.ndarray | float = numpy.inf,
    *,
    tolerance: float,
    max_boxes: int,
    progress: bool,
) -> Solution:
    """The radii ρ_max at points θ (n, d), or the caps (n,) where they are less: what is beyond is not looked at."""
    contacts = Contacts(model, theta)
    number = len(theta)
    known = contacts.smooth & numpy.isfinite(theta).all(1) & ~numpy.isnan(contacts.up.lo)
    upper = numpy.where(known, numpy.minimum(_first_stop(contacts) if box is None else numpy.inf, cap), numpy.inf)
    solution = Solution(numpy.zeros(number), upper, theta.copy(), numpy.zeros(number, dtype=int))
    ids = numpy.flatnonzero(known)
    horizon = numpy.where(upper < numpy.inf, 2 * upper, FARTHEST)

    def problem(some: numpy.ndarray) -> Problem:
        if model.cells.count > CELLS:
            model.restart()
        if box is None:
            pairs = cover(model.cells, theta[some], horizon[some])
        else:
            middle = box[0] / 2 + box[1] / 2
            root = model.cells.add(middle[None], (interval(*box) - middle).mag[None])
            pairs = numpy.arange(len(some)), numpy.repeat(root, len(some))

        def bounds(query: numpy.ndarray, cell: numpy.ndarray, best: numpy.ndarray) -> Bounds:
            return contacts.bounds(some[query], cell, best)

        return Problem(model.cells, bounds, *pairs, upper[some], theta[some])

    options: dict[str, Any] = {"tolerance": tolerance, "max_boxes": max_boxes, "progress": progress}
    for some, _, found in solved(ids, problem, solution.boxes, least_side(theta, horizon), gap=gap, **options):
        # A point beyond the horizon stops a ball at half its distance, or more.
        solution.lower[some] = found.lower if box is not None else numpy.minimum(found.lower, horizon[some] / 2)
        solution.upper[some], solution.theta[some], solution.boxes[some] = found.upper, found.theta, found.boxes
    return solution


def _first_stop(contacts: Contacts) -> numpy.ndarray:
    """Upper bounds of the radius, from points around p at all distances."""
    theta, d = contacts.theta, contacts.theta.shape[1]
    query = numpy.arange(len(theta))
    upper = numpy.full(len(theta), numpy.inf)
    p = interval(numpy.ascontiguousarray(theta.T))
    for size in LADDER if len(theta) else ():
        for step in size * numpy.concatenate([numpy.eye(d), -numpy.eye(d)]):
            place = theta + step
            away = interval(numpy.ascontiguousarray(place.T)) - p
            up = contacts.model.heights(place) - contacts.height
            upper = numpy.minimum(upper, contacts.radius(query, away, up))
    return upper
