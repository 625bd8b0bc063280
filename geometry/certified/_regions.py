"""From the boxes that remain after a search to regions of θ, and the proof that a region holds one stationary point."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import Any, NamedTuple

import numpy

from geometry.arithmetic._affine import Record
from geometry.arithmetic._forms import Form
from geometry.arithmetic.intervals import Interval, interval
from geometry.certified._cells import derivatives, evaluated, in_batches, regular
from geometry.certified._model import Model

__all__ = ["Boxes", "Nearest", "System", "contracted", "merged", "newton"]

ROUNDS = 12  # of Newton's method; it converges quadratically
SLOW = 0.9  # of the size of a box: what shrinks less is left as it is
INFLATION = 1.25  # so that a stationary point on the border of a region is inside of the box that is tested
MANY = 20_000  # boxes of one query: they are not told apart


class Boxes(NamedTuple):
    """Boxes lower ≤ θ ≤ upper, (k, d), each of a query, (k,)."""

    query: numpy.ndarray
    lower: numpy.ndarray
    upper: numpy.ndarray


def merged(query: numpy.ndarray, center: numpy.ndarray, radius: numpy.ndarray) -> tuple[Boxes, numpy.ndarray]:
    """The hulls of boxes that touch, by query; and the number of the hull of every box."""
    span = interval(center) + interval(-radius, radius)
    label = _touching_on_a_line(query, span) if center.shape[1] == 1 else _touching(query, center, radius)
    label = numpy.unique(numpy.stack([query, label]), axis=1, return_inverse=True)[1].reshape(-1)
    count = int(label.max(initial=-1)) + 1
    shape = (count, center.shape[1])
    lower, upper, owner = numpy.full(shape, numpy.inf), numpy.full(shape, -numpy.inf), numpy.zeros(count, dtype=int)
    numpy.minimum.at(lower, label, span.lo)
    numpy.maximum.at(upper, label, span.hi)
    owner[label] = query
    return Boxes(owner, lower, upper), label


def _touching_on_a_line(query: numpy.ndarray, span: Interval) -> numpy.ndarray:
    """Numbers of groups; boxes of a tree do not overlap, so that both ends are in one order."""
    order = numpy.lexsort((span.lo[:, 0], query))
    lower, upper, owner = span.lo[order, 0], span.hi[order, 0], query[order]
    apart = numpy.ones(len(query), dtype=bool)
    apart[1:] = (lower[1:] > upper[:-1]) | (owner[1:] != owner[:-1])
    label = numpy.empty(len(query), dtype=int)
    label[order] = numpy.cumsum(apart)
    return label


def _touching(query: numpy.ndarray, center: numpy.ndarray, radius: numpy.ndarray) -> numpy.ndarray:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    largest = float(radius.max(initial=0))
    few = (numpy.bincount(query, minlength=1) <= MANY)[query]
    ids = numpy.flatnonzero(few)
    points = numpy.concatenate([center[ids], query[ids, None] * (8 * largest)], axis=1)
    pairs = ids[cKDTree(points).query_pairs(2.01 * largest, p=numpy.inf, output_type="ndarray")]
    i, j = pairs.reshape(-1, 2).T
    touch = (numpy.abs(center[i] - center[j]) <= (radius[i] + radius[j]) * (1 + 1e-9)).all(1) & (query[i] == query[j])
    i, j = i[touch], j[touch]
    graph = coo_array((numpy.ones(len(i), dtype=bool), (i, j)), shape=(len(query), len(query)))
    label = connected_components(graph, directed=False)[1]
    return numpy.where(few, label, len(query) + query)


class System(ABC):
    """Equations G(z) = 0 of queries, as many as unknowns, of which the nearest points are solutions."""

    def __init__(self, model: Model) -> None:
        self.model = model

    @abstractmethod
    def residual(self, query: numpy.ndarray, z: numpy.ndarray) -> Interval:
        """G at points (n, m): (n, m)."""

    @abstractmethod
    def jacobian(self, query: numpy.ndarray, center: numpy.ndarray, radius: numpy.ndarray) -> tuple[Interval, Record]:
        """∂G/∂z over boxes (n, m), (n, m, m), and whether something on the way was not smooth."""

    def regular(self, center: numpy.ndarray, radius: numpy.ndarray) -> numpy.ndarray:
        """Over which boxes G is known to be smooth, (n,)."""
        return regular(lambda form: derivatives(self.model.surface, form), center, radius)


class Nearest(System):
    """∇φ(θ) = (θ − x) + (f − y) ∇f = 0, where half the squared distance to (x, y) is stationary."""

    def __init__(self, model: Model, x: numpy.ndarray, y: numpy.ndarray) -> None:
        super().__init__(model)
        self.x, self.y = x, y

    def residual(self, query: numpy.ndarray, z: numpy.ndarray) -> Interval:
        def gradient(form: Form) -> Form:
            value, g = derivatives(self.model.surface, form, order=1)
            return form - self.x[query] + (value - self.y[query])[..., None] * g

        return evaluated(gradient, z)[0].center

    def jacobian(self, query: numpy.ndarray, center: numpy.ndarray, radius: numpy.ndarray) -> tuple[Interval, Record]:
        """1 + g gᵀ + (f − y) H."""

        def hessian(form: Form) -> Any:
            value, g, h = derivatives(self.model.surface, form)
            rise = (value - self.y[query])[..., None, None]
            return numpy.eye(center.shape[1]) + g[..., :, None] * g[..., None, :] + rise * h

        found, record = evaluated(hessian, center, radius)
        return found.range(), record


def contracted(system: System, boxes: Boxes) -> tuple[Boxes, numpy.ndarray, numpy.ndarray]:
    """Boxes that hold the same solutions, where there is proven to be one only, and into which of them each of the
    given boxes has gone.

    Two regions that a proof has shrunk to the same place are one: their hull is tried again.
    """
    if not len(boxes.query):
        return boxes, numpy.zeros(len(boxes.query), dtype=bool), numpy.arange(len(boxes.query))
    boxes, unique = newton(system, boxes)
    label = _overlapping(boxes, unique)
    owner, one = numpy.zeros(label.max() + 1, dtype=int), numpy.zeros(label.max() + 1, dtype=bool)
    lower, upper = (numpy.full((len(owner), boxes.lower.shape[1]), end) for end in (numpy.inf, -numpy.inf))
    owner[label], one[label] = boxes.query, unique
    numpy.minimum.at(lower, label, boxes.lower)
    numpy.maximum.at(upper, label, boxes.upper)
    hulls, again = Boxes(owner, lower, upper), numpy.flatnonzero(numpy.bincount(label) > 1)
    if again.size:
        found, one[again] = newton(system, Boxes(*(part[again] for part in hulls)))
        lower[again], upper[again] = found.lower, found.upper
    return hulls, one, label


def _overlapping(boxes: Boxes, unique: numpy.ndarray) -> numpy.ndarray:
    """Numbers of groups of proven boxes that overlap, one for each other box."""
    twins = numpy.bincount(boxes.query, weights=unique, minlength=1)[boxes.query] > 1
    ids = numpy.flatnonzero(twins & unique)
    label = numpy.arange(len(unique))
    center, radius = boxes.lower / 2 + boxes.upper / 2, (boxes.upper - boxes.lower) / 2
    if ids.size:
        label[ids] = ids[_first_of(_touching(boxes.query[ids], center[ids], radius[ids]))]
    return numpy.unique(label, return_inverse=True)[1]


def _first_of(label: numpy.ndarray) -> numpy.ndarray:
    """For each label where it occurs first."""
    _, first, which = numpy.unique(label, return_index=True, return_inverse=True)
    return first[which]


def newton(system: System, boxes: Boxes) -> tuple[Boxes, numpy.ndarray]:
    """Smaller boxes with the same solutions, and where there is proven to be one only.

    With the Jacobian J of G over a box X around m, and Y any matrix, every zero of G in X is in

        K = m − Y G(m) + (1 − Y J)(X − m),

    and if K is inside of X, there is exactly one (Krawczyk 1969; Moore, Kearfott, Cloud 2009, Theorem 8.1).
    """
    parts: list[Any] = in_batches(partial(_shrunk, system), system.model.cost * boxes.lower.shape[1] ** 2, *boxes)
    lower, upper, unique = (numpy.concatenate(p) for p in zip(*parts, strict=True))
    return Boxes(boxes.query, lower, upper), unique


def _shrunk(
    system: System, query: numpy.ndarray, lower: numpy.ndarray, upper: numpy.ndarray
) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    unique, lower, upper = numpy.zeros(len(query), dtype=bool), lower.copy(), upper.copy()
    middle, size = (lower + upper) / 2, (upper - lower) / 2
    size = size * INFLATION + 4 * numpy.spacing(numpy.abs(middle))
    outer = middle - size, middle + size
    ids = numpy.arange(len(unique))
    for _ in range(ROUNDS):
        low, high, inside, smooth = _krawczyk(system, query[ids], outer[0][ids], outer[1][ids])
        unique[ids] |= inside & smooth
        ids, low, high = ids[unique[ids] & smooth], low[unique[ids] & smooth], high[unique[ids] & smooth]
        before = (outer[1][ids] - outer[0][ids]).max(1)
        outer[0][ids], outer[1][ids] = low, high
        ids = ids[(high - low).max(1) < SLOW * before]
        if not ids.size:
            break
    lower[unique], upper[unique] = outer[0][unique], outer[1][unique]
    return lower, upper, unique


def _krawczyk(
    system: System, query: numpy.ndarray, low: numpy.ndarray, high: numpy.ndarray
) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """Both ends of K ∩ X; whether K is inside of X; whether G is known to be smooth over X."""
    middle = low / 2 + high / 2
    whole = interval(low, high)
    offset = whole - middle
    n, d = middle.shape
    bend, record = system.jacobian(query, middle, offset.mag)
    smooth = system.regular(middle, offset.mag) if record.irregular else numpy.full(len(query), True)
    residual = system.residual(query, middle)
    center = numpy.nan_to_num(bend.middle)
    inverse = _inverse(center)
    swing = numpy.broadcast_to(numpy.eye(d), (n, d, d)) - _times(inverse, bend)
    image = Interval(middle, middle) - _applied(Interval(inverse, inverse), residual) + _applied(swing, offset)
    inside = ((image.lo > low) & (image.hi < high)).all(1)
    both = image & whole
    return both.lo, both.hi, inside, smooth


def _inverse(matrices: numpy.ndarray) -> numpy.ndarray:
    """Inverses, roughly; zero where there is none, which proves nothing."""
    good = numpy.isfinite(matrices).all((1, 2)) & (numpy.abs(numpy.linalg.det(matrices)) > 0)
    safe = numpy.where(good[:, None, None], matrices, numpy.eye(matrices.shape[-1]))
    return numpy.where(good[:, None, None], numpy.linalg.inv(safe), 0.0)


def _times(a: numpy.ndarray, b: Interval) -> Interval:
    """Products of matrices (n, d, d), of numbers and of intervals."""
    total = b[:, 0:1, :] * a[:, :, 0:1]
    for k in range(1, a.shape[-1]):
        total = total + b[:, k : k + 1, :] * a[:, :, k : k + 1]
    return total


def _applied(a: Interval, v: Interval) -> Interval:
    """Matrices (n, d, d) times vectors (n, d)."""
    total = a[:, :, 0] * v[:, 0:1]
    for k in range(1, v.shape[-1]):
        total = total + a[:, :, k] * v[:, k : k + 1]
    return total
