"""Bounds of the extreme principal curvature of a graph over boxes.

With g, H the gradient and the Hessian, W = √(1 + |g|²) and P = 1 − g gᵀ/(W(1 + W)), which is G^(-1/2), the principal
curvatures are the eigenvalues of S = P H P/W. S is turned by a matrix V of approximate eigenvectors, B = VᵀSV, and by
Gershgorin's theorem, with any positive weights w, no eigenvalue of B exceeds max_i B_ii + Σ_j |B_ij| w_j/w_i.
"""

from __future__ import annotations

from functools import partial

import numpy

from geometry.arithmetic._forms import Form, enclosed
from geometry.arithmetic.intervals import Interval, interval, joined, symmetric
from geometry.certified._cells import BATCH, derivatives, evaluated, in_batches, recorded, regular
from geometry.expressions._nodes import ordered
from geometry.graph import FunctionGraph

__all__ = ["ExtremeCurvature", "extreme_curvature", "shape_operator"]

SMOOTH = frozenset(
    {
        *("theta", "constant", "take", "join", "sum", "matmul", "add", "subtract", "multiply", "negative", "square"),
        *("exp", "expm1", "sin", "cos", "sinh", "cosh", "tanh", "atan", "asinh"),
    }
)
ROUNDS, KEPT = 4, 256  # of a search for a great curvature in floats, and the places that it goes on from
"""Operations on all numbers: what is made of them has nothing to tell by its values that its derivatives do not."""


def shape_operator(gradient: Form, hessian: Form) -> Form:
    """S, (..., d, d)."""
    d = gradient.shape[-1]
    square = (gradient**2).sum(-1)
    if d == 1:
        return hessian * ((1 + square) ** -1.5)[..., None, None]
    stretch = (1 + square) ** 0.5
    outer = gradient[..., :, None] * gradient[..., None, :]
    root = numpy.eye(d) - outer / (stretch * (1 + stretch))[..., None, None]
    return root @ hessian @ root / stretch[..., None, None]


class ExtremeCurvature:
    """The greatest curvature over boxes, with respect to the upward normal, or of both signs.

    P ≤ 1 and W ≥ 1: no curvature exceeds the greatest eigenvalue of H, if that is positive. Where this is less than a
    curvature that has been found already, nothing else is computed.
    """

    def __init__(self, surface: FunctionGraph, d: int, both: bool) -> None:
        self.surface, self.d, self.both = surface, d, both
        self.greatest, self.place = -numpy.inf, numpy.zeros(d)  # curvature that is proven to occur, and where
        expression = recorded(surface, d)
        smooth = all(node.operation in SMOOTH for node in ordered([expression.node]))
        self._bend = partial(enclosed, expression), ("curvature",) if smooth else ("node", "curvature")
        self._cost = BATCH // 16

    def __call__(self, center: numpy.ndarray, radius: numpy.ndarray) -> Interval:
        """Minus an upper bound of it over each box, and minus a lower bound of it at the center: (2, n)."""
        parts = in_batches(self._bounds, self._cost, center, radius)
        return parts[0] if len(parts) == 1 else joined(parts, axis=1)

    def ascend(self, center: numpy.ndarray, radius: numpy.ndarray, low: numpy.ndarray, high: numpy.ndarray) -> None:
        """Look for a great curvature from the middles of boxes upward, inside of low ≤ θ ≤ high, and prove it."""
        theta, value, step = center, self._roughly(center), radius[0]
        axes = numpy.eye(self.d) / 2
        away = numpy.concatenate([axes, -axes, numpy.zeros((1, self.d))])[:, None, :]
        for _ in range(ROUNDS):
            best = numpy.argsort(value)[-KEPT:]
            around = numpy.clip(theta[best] + step * away, low, high)  # (2d + 1, KEPT, d)
            values = self._roughly(around)
            which = values.argmax(0), numpy.arange(len(best))
            theta, value, step = around[which], values[which], step / 2
        place = theta[[value.argmax()]]
        _, found = self._by_shape_operator(place, numpy.zeros_like(place))
        if found[0] > self.greatest:
            self.greatest, self.place = float(found[0]), place[0]

    def _roughly(self, theta: numpy.ndarray) -> numpy.ndarray:
        """Curvatures at places (..., d) in plain floats, which prove nothing."""
        with numpy.errstate(all="ignore"):
            found = self.surface.curvatures(theta)
        found = numpy.nan_to_num(found, nan=-numpy.inf)
        return (numpy.abs(found) if self.both else found).max(-1)

    def _bounds(self, center: numpy.ndarray, radius: numpy.ndarray) -> Interval:
        high, low = self.by_hessian(center, radius), numpy.full(len(center), -numpy.inf)
        some = numpy.flatnonzero(high > self.greatest)
        if some.size:
            high[some], low[some] = self._by_shape_operator(center[some], radius[some])
            self.greatest = max(self.greatest, float(low.max()))
        return Interval(-numpy.stack([high, low]), -numpy.stack([high, low]))

    def by_hessian(self, center: numpy.ndarray, radius: numpy.ndarray) -> numpy.ndarray:
        """The greatest eigenvalue of H over boxes, or 0; ∞ where nothing is known."""
        of, names = self._bend
        (*_, hessian), record = evaluated(lambda form: of(form, *names), center, radius)
        self._cost = max(1, record.largest // len(center))
        if record.irregular:
            return numpy.full(len(center), numpy.inf)
        high = numpy.maximum(extreme_curvature(hessian)[0], 0.0)
        if self.both:
            high = numpy.maximum(high, extreme_curvature(-hessian)[0])
        return numpy.where(numpy.isnan(high), numpy.inf, high)

    def _by_shape_operator(self, center: numpy.ndarray, radius: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
        at = (center, radius)
        found, record = evaluated(lambda form: shape_operator(*derivatives(self.surface, form)[1:]), *at)
        high, low = extreme_curvature(found)
        if self.both:
            below = extreme_curvature(-found)
            high, low = numpy.fmax(high, below[0]), numpy.fmax(low, below[1])
        if record.irregular:
            smooth = regular(lambda form: derivatives(self.surface, form), *at)
            high, low = numpy.where(smooth, high, numpy.inf), numpy.where(smooth, low, -numpy.inf)
        empty = numpy.isnan(found.center.lo).any((1, 2))  # no surface there
        high = numpy.where(empty, -numpy.inf, numpy.where(numpy.isnan(high), numpy.inf, high))
        return high, numpy.where(numpy.isnan(low), -numpy.inf, low)


def extreme_curvature(shape: Form) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Of symmetric matrices (n, d, d) the greatest eigenvalue: from above over boxes, from below at their centers."""
    if shape.shape[-1] == 1:
        entry = shape[..., 0, 0]
        return entry.range().hi, entry.center.lo
    middle = numpy.nan_to_num(shape.center.middle)
    values, vectors = numpy.linalg.eigh(numpy.clip(middle, -1e300, 1e300))
    values, vectors = values[:, ::-1], numpy.ascontiguousarray(vectors[:, :, ::-1])
    turned = numpy.swapaxes(vectors, -1, -2) @ shape @ vectors
    whole = turned.range()
    size, n = numpy.nan_to_num(whole.mag), len(values)
    with numpy.errstate(all="ignore"):
        weights = numpy.clip(numpy.nan_to_num(2 * size[:, 0] / (values[:, :1] - values), nan=1.0), 1e-8, 1.0)
    weights[:, 0] = 1.0
    d = values.shape[1]
    rows = []
    for i in range(d):
        row = whole[:, i, i]
        for j in range(d):
            if j != i:
                ratio = interval(weights[:, j]) / interval(weights[:, i])
                row = row + symmetric(whole[:, i, j]) * ratio
        rows.append(row.hi)
    skew = interval(_skewness(vectors, n))
    one = interval(numpy.ones(n))
    high, low = numpy.max(rows, axis=0), turned.center.lo[:, 0, 0]
    less, more = one - skew, one + skew
    with_bounds = numpy.isfinite(high), numpy.isfinite(low)
    over, under = (interval(numpy.where(f, e, 0.0)) for f, e in zip(with_bounds, (high, low), strict=True))
    highest = numpy.where(with_bounds[0], numpy.maximum((over / less).hi, (over / more).hi), numpy.inf)
    lowest = numpy.where(with_bounds[1], numpy.minimum((under / less).lo, (under / more).lo), -numpy.inf)
    return highest, lowest


def _skewness(vectors: numpy.ndarray, n: int) -> numpy.ndarray:
    """A bound of ‖VᵀV − 1‖, by the sums of its rows."""
    d = vectors.shape[-1]
    v = interval(vectors)
    total = numpy.zeros((n, d))
    for i in range(d):
        row = interval(numpy.zeros(n))
        for j in range(d):
            entry = interval(numpy.full(n, -float(i == j)))
            for k in range(d):
                entry = entry + v[:, k, i] * v[:, k, j]
            row = row + abs(entry)
        total[:, i] = row.hi
    return total.max(1)
