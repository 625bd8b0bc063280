"""Bounds over a box, for a surface in a slab of the form C + Σ A_i ε_i over it.

Each bound is linear in a vector that may be *any* vector for the bound to hold; it is chosen in ordinary floats where
the bound is best, and then the bound is evaluated in intervals.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy

from geometry.arithmetic.intervals import Interval, interval, sqr, sqrt, total
from geometry.certified._branching import Bounds
from geometry.certified._cells import Cells

__all__ = ["Slabs", "distance_bounds", "height_bounds", "nearest", "slabs"]

SWEEPS = 3  # over the coordinates, towards the place of the extremum


class Slabs(NamedTuple):
    """Of pairs of a query (x, y) and a box; coordinates come first, (d, n)."""

    away: Interval  # (d, n): center − x
    up: Interval  # (n,): C − y
    slopes: Interval  # (d, n): A
    center: numpy.ndarray  # (d, n)
    radius: numpy.ndarray  # (d, n)
    known: Interval  # (n,): f(center) − y where f may be undefined elsewhere in the box, otherwise empty

    def slope(self) -> numpy.ndarray:
        """Rise for a unit of θ, roughly."""
        return numpy.nan_to_num(self.slopes.middle / self.radius)

    def at(self, shift: numpy.ndarray) -> tuple[numpy.ndarray, Interval, Interval]:
        """A place of the box, as ε: θ − x, and f(θ) − y there."""
        epsilon = numpy.clip(numpy.nan_to_num(shift / self.radius), -1.0, 1.0)
        at = interval(epsilon)
        theta = self.away + interval(self.radius) * at
        height = self.up + total(self.slopes * at)
        at_center = ~numpy.isnan(self.known.lo)
        if at_center.any():
            epsilon = numpy.where(at_center, 0.0, epsilon)
            theta = self.away.where(at_center, theta)
            height = self.known.where(at_center, height)
        return epsilon, theta, height


def slabs(cells: Cells, x: numpy.ndarray, y: numpy.ndarray, query: numpy.ndarray, cell: numpy.ndarray) -> Slabs:
    known = Interval(cells.known.lo[:, cell], cells.known.hi[:, cell])
    center, radius = (numpy.ascontiguousarray(a[cell].T) for a in (cells.center, cells.radius))
    away = interval(center) - interval(numpy.ascontiguousarray(x[query].T))
    level = interval(y[query])
    return Slabs(away, known[0] - level, known[1:-1], center, radius, known[len(center) + 1] - level)


def distance_bounds(s: Slabs) -> Bounds:
    """Of the distance of (x, y) to the surface over the box.

    The slab over the box is convex, and for every vector n

        |p − q| ≥ n·(p − q)/|n| ≥ (n_θ·away + n_y·up − Σ |r_i n_i + n_y A_i|)/|n|.

    n is the vector from q to the nearest point of the slab.
    """
    with numpy.errstate(all="ignore"):
        shift, rest = nearest(s)
        n = numpy.nan_to_num(s.away.middle + shift)
        epsilon, theta, height = s.at(shift)
    n_across, n_up = interval(n), interval(rest)
    size = sqrt(total(sqr(n_across)) + sqr(n_up))
    swing = total(abs(interval(s.radius) * n_across + s.slopes * interval(rest[None, :])))
    support = total(s.away * n_across) + s.up * n_up - swing
    lower = (support / size).lo
    lower = numpy.where((size.lo > 0) & (lower > 0), lower, 0.0)
    lower = numpy.where(numpy.isnan(s.up.lo), numpy.inf, lower)  # no surface there
    upper = sqrt(total(sqr(theta)) + sqr(height)).hi
    return Bounds(lower, numpy.where(numpy.isnan(upper), numpy.inf, upper), (s.center + s.radius * epsilon).T)


def nearest(s: Slabs) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Where in the box the slab is nearest to the query, from the center; and how far above or below it is there."""
    u, v, a, r = s.away.middle, s.up.middle, s.slope(), s.radius
    half = s.up.width / 2
    half = numpy.where(numpy.isfinite(half), half, numpy.inf)
    shift = numpy.clip(-u, -r, r)
    above = v + (a * shift).sum(0)
    v = numpy.where(numpy.abs(above) <= half, 0.0, v - numpy.copysign(half, above))
    a = numpy.where(numpy.abs(above) <= half, 0.0, a)
    steep = 1 + (a * a).sum(0)
    shift = numpy.clip(-u - a * ((v - (a * u).sum(0)) / steep), -r, r)
    for _ in range(SWEEPS if len(u) > 1 else 0):
        for i in range(len(u)):
            others = v + (a * shift).sum(0) - a[i] * shift[i]
            shift[i] = numpy.clip(-(u[i] + a[i] * others) / (1 + a[i] ** 2), -r[i], r[i])
    return shift, numpy.nan_to_num(v + (a * shift).sum(0))


def height_bounds(s: Slabs, radius: numpy.ndarray) -> Bounds:
    """Of *minus* the height at which a ball over x rests on the surface over the box, from y = 0.

    A ball that rests on p = (θ + s, F) has its centre at F + √(ρ² − |s|²), and for every vector w

        F + √(ρ² − |s|²) ≤ F + ρ√(1 + |w|²) + w·s ≤ C + ρ√(1 + |w|²) + w·away + Σ |A_i + r_i w_i|.
    """
    with numpy.errstate(all="ignore"):
        shift = _highest(s, radius)
        u = s.away.middle
        across = u + shift
        room = radius**2 - (across**2).sum(0)
        w = numpy.nan_to_num(-across / numpy.sqrt(numpy.maximum(room, radius * s.radius.max(0)) + 1e-300))
        epsilon, theta, height = s.at(shift)
    rho = interval(radius)
    lean = sqrt(total(sqr(interval(w))) + 1.0)
    swing = total(abs(s.slopes + interval(s.radius) * w))
    highest = (s.up + rho * lean + total(s.away * interval(w)) + swing).hi
    nearest = total(sqr(s.away + Interval(-s.radius, s.radius)))
    outside = (sqrt(nearest) - rho).lo > 0
    rises = sqr(rho) - total(sqr(theta))
    lowest = numpy.where(rises.lo >= 0, (height + sqrt(rises)).lo, -numpy.inf)
    lowest = numpy.where(numpy.isnan(lowest), -numpy.inf, lowest)
    highest = numpy.where(numpy.isnan(highest), numpy.inf, highest)
    highest = numpy.where(outside | numpy.isnan(s.up.lo), -numpy.inf, highest)
    return Bounds(-highest, -lowest, (s.center + s.radius * epsilon).T)


def _highest(s: Slabs, radius: numpy.ndarray) -> numpy.ndarray:
    """Where in the box, from the center, the middle of the slab plus the cap √(ρ² − |s|²) is highest."""
    u, a, r = s.away.middle, s.slope(), s.radius
    shift = numpy.clip(-u, -r, r)
    for _ in range(SWEEPS if len(u) > 1 else 1):
        for i in range(len(u)):
            square = ((u + shift) ** 2).sum(0) - (u[i] + shift[i]) ** 2
            room = numpy.sqrt(numpy.maximum(radius**2 - square, 0.0))
            shift[i] = numpy.clip(room * (a[i] / numpy.hypot(1.0, a[i])) - u[i], -r[i], r[i])
    return shift
