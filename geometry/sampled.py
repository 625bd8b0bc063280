"""Height maps as surfaces: the graph of the spline through samples on a grid."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy

from geometry._autodiff import is_recorded
from geometry._namespace import (
    Array,
    Namespace,
    array_namespace,
    count_dtype,
    device_of,
    epsilon,
    floating,
    positive,
    to_numpy,
    whole,
)
from geometry.graph import FunctionGraph

__all__ = ["SampledGraph"]

HIGHEST = 5


class SampledGraph(FunctionGraph):
    """The graph of a height map: of the spline of a given order that passes through samples on a grid.

    Parameters
    ----------
    heights : array (n₁, ..., n_d)
        Finite samples, more than `order` along each axis.
    spacing : float or sequence of d floats
        Distances of neighbouring samples along the axes, in the unit of the heights. θ = index · spacing.
    order : int
        From 1 to 5. Splines of order 3 and more have the continuous second derivatives that curvatures and the reach
        rest on; those of order 1 have creases along the lines of the grid.
    name : str, optional

    Notes
    -----
    Beyond the outermost samples there is no surface: heights are NaN there. A footpoint that would lie beyond the rim
    is sought up to it, and is not called converged on it. Next to the rim the spline has no knots, so that every
    polynomial of degree `order` is its own spline, a tilted plane among them.

    The coefficients are found once, in float64, on the processor.

    References
    ----------
    C. de Boor, "A Practical Guide to Splines" (2001), chapters IX and XIII: the condition "not a knot".

    Examples
    --------
    >>> import numpy as np
    >>> from geometry import distance
    >>> dune = SampledGraph(np.sin(0.1 * np.arange(64)), 0.1)
    >>> dune.value([0.15]).round(6), dune.box
    (np.float64(0.149438), [(0.0, 6.300000000000001)])
    >>> distance(dune, [1.5, 2.0]).round(4)
    np.float64(1.0013)
    """

    def __init__(
        self, heights: Array, spacing: float | Sequence[float], *, order: int = 3, name: str | None = None
    ) -> None:
        self.order = whole("order", order, 1)
        if order > HIGHEST:
            raise ValueError(f"order must be at most {HIGHEST}, got {order}")
        coefficients = _samples(heights, order)
        self.shape, self.spacing = coefficients.shape, _steps(spacing, coefficients.ndim)
        for axis in range(coefficients.ndim):
            coefficients = numpy.moveaxis(_interpolating(numpy.moveaxis(coefficients, axis, 0), order), 0, axis)
        self._coefficients = coefficients
        super().__init__(self._height, self._slope, self._bend, name=name or "height map")
        self._both = self._height_and_slope

    @property
    def box(self) -> list[tuple[float, float]]:
        """Where there is a surface: the lowest and the highest θ along each axis."""
        return [(0.0, (n - 1) * h) for n, h in zip(self.shape, self.spacing, strict=True)]

    def __repr__(self) -> str:
        return f"<SampledGraph of {' × '.join(map(str, self.shape))} samples, spacing {self.spacing}>"

    def start_of(self, points: Array) -> Array:
        xp, x = array_namespace(points), points[..., :-1]
        high = xp.asarray([high for _, high in self.box], dtype=x.dtype, device=device_of(x))
        return xp.minimum(xp.maximum(x, xp.zeros_like(x)), high)

    def _height(self, theta: Array) -> Array:
        return self._seen(theta).derivative(())

    def _slope(self, theta: Array) -> Array:
        return self._height_and_slope(theta)[1]

    def _height_and_slope(self, theta: Array) -> tuple[Array, Array]:
        xp, seen = array_namespace(theta), self._seen(theta)
        return seen.derivative(()), xp.stack([seen.derivative((i,)) for i in range(len(self.shape))], axis=-1)

    def _bend(self, theta: Array) -> Array:
        xp, seen, d = array_namespace(theta), self._seen(theta), len(self.shape)
        entries = {(i, j): seen.derivative((i, j)) for i in range(d) for j in range(i, d)}
        rows = [xp.stack([entries[min(i, j), max(i, j)] for j in range(d)], axis=-1) for i in range(d)]
        return xp.stack(rows, axis=-2)

    def _seen(self, theta: Array) -> _Seen:
        """The coefficients around places θ (..., d), and where in their cells those are."""
        xp, d = array_namespace(theta), len(self.shape)
        if theta.shape[-1] != d:
            raise ValueError(f"theta must have {d} entries, one for each axis of the heights, got {theta.shape[-1]}")
        even = self.order % 2 == 0  # its pieces meet between the samples
        flat = xp.zeros(theta.shape[:-1], dtype=count_dtype(xp, theta), device=device_of(theta))
        parts, outside = [], flat < 0
        for i, (n, h) in enumerate(zip(self.shape, self.spacing, strict=True)):
            u = theta[..., i] / h
            slack = 4 * epsilon(xp, theta.dtype) * n  # θ/h of the outermost sample is rounded
            out = ~((u >= -slack) & (u <= n - 1 + slack))
            outside = outside | out
            u = xp.where(out, xp.zeros_like(u), u)
            cell = xp.floor(u + 0.5) if even else xp.clip(xp.floor(u), 0.0, float(max(n - 2, 0)))
            parts.append(u + 0.5 - cell if even else u - cell)
            flat = flat * self._coefficients.shape[i] + xp.astype(cell, flat.dtype)
        block = xp.take(_alike(self, theta), xp.reshape(flat[..., None] + _offsets(self, xp, flat), (-1,)))
        block = xp.reshape(block, (*theta.shape[:-1], *(self.order + 1,) * d))
        return _Seen(xp, block, tuple(parts), outside, self.order, self.spacing)


class _Seen(NamedTuple):
    xp: Namespace
    block: Array  # (..., p+1, ..., p+1)
    parts: tuple[Array, ...]  # of each axis, from 0 to 1
    outside: Array
    order: int
    spacing: tuple[float, ...]

    def derivative(self, axes: tuple[int, ...]) -> Array:
        """The spline, or its derivative by some of the axes; NaN where there is no surface."""
        xp, found = self.xp, self.block
        for i in reversed(range(len(self.parts))):
            times = axes.count(i)
            weights = _weights(self.xp, self.parts[i], self.order, times) / self.spacing[i] ** times
            found = xp.sum(found * xp.reshape(weights, (*weights.shape[:-1], *(1,) * i, weights.shape[-1])), axis=-1)
        return xp.where(self.outside, xp.nan, found)


def _weights(xp: Namespace, w: Array, order: int, times: int) -> Array:
    """The pieces of the basis spline, or of its derivative, at a part w of a cell, (..., p+1)."""
    pieces = []
    for polynomial in _basis(order):
        polynomial = numpy.polynomial.polynomial.polyder(polynomial, times) if times else polynomial
        value = xp.zeros_like(w)
        for coefficient in reversed(polynomial):
            value = value * w + float(coefficient)
        pieces.append(value)
    return xp.stack(pieces, axis=-1)


@lru_cache(maxsize=HIGHEST + 1)
def _basis(order: int) -> list[numpy.ndarray]:
    """The pieces of the basis spline as polynomials in w, lowest power first: of the coefficients from left to right.

    N_{p,k} = ((w + p − k) N_{p−1,k−1} + (k + 1 − w) N_{p−1,k}) / p, the recurrence of Cox and de Boor on a grid of 1.
    """
    if order == 0:
        return [numpy.ones(1)]
    less, pieces = [numpy.zeros(1), *_basis(order - 1), numpy.zeros(1)], []
    for k in range(order + 1):
        rising = numpy.polynomial.polynomial.polymul([order - k, 1.0], less[k])
        falling = numpy.polynomial.polynomial.polymul([k + 1.0, -1.0], less[k + 1])
        pieces.append(numpy.asarray(numpy.polynomial.polynomial.polyadd(rising, falling)) / order)
    return pieces


def _interpolating(samples: numpy.ndarray, order: int) -> numpy.ndarray:
    """Coefficients (n + 2e, ...) of the splines along the first axis of samples (n, ...), e = order // 2.

    Beside the n conditions of interpolation, differences of the coefficients of order p + 1 vanish at the ends: there
    the polynomial pieces are the same beyond e knots.
    """
    from scipy.sparse import csc_array
    from scipy.sparse.linalg import splu

    if order == 1:
        return samples
    n, e = len(samples), order // 2
    middle = 0.0 if order % 2 else 0.5
    weights = [float(numpy.polynomial.polynomial.polyval(middle, piece)) for piece in _basis(order)]
    weights = weights[: 2 * e + 1]  # of an odd order the last one is zero
    ends = [(-1) ** k * float(math.comb(order + 1, k)) for k in range(order + 2)]
    rows = [(i, weights) for i in range(n)] + [(i, ends) for i in range(e)]
    rows += [(n + 2 * e - len(ends) - i, ends) for i in range(e)]
    entries = [(value, row, first + k) for row, (first, values) in enumerate(rows) for k, value in enumerate(values)]
    value, row, column = (numpy.asarray(part) for part in zip(*entries, strict=True))
    right = numpy.concatenate([samples.reshape(n, -1), numpy.zeros((2 * e, samples.size // n))])
    found = splu(csc_array((value, (row, column)), shape=(n + 2 * e,) * 2)).solve(right)
    return found.reshape(-1, *samples.shape[1:])


def _alike(surface: SampledGraph, theta: Array) -> Array:
    return array_namespace(theta).asarray(surface._coefficients.reshape(-1), dtype=theta.dtype, device=device_of(theta))


def _offsets(surface: SampledGraph, xp: Namespace, like: Array) -> Array:
    """Of the coefficients around a place from the first of them, in the order of flat indices."""
    shape, steps = surface._coefficients.shape, range(surface.order + 1)
    offsets = [int(numpy.ravel_multi_index(k, shape)) for k in itertools.product(steps, repeat=len(shape))]
    return xp.asarray(offsets, dtype=like.dtype, device=device_of(like))


def _samples(heights: Array, order: int) -> numpy.ndarray:
    xp, heights = floating("heights", heights)
    if is_recorded(xp, heights):
        raise TypeError("heights must be numbers: a spline has no derivatives by its samples; pass heights.detach()")
    samples: numpy.ndarray = to_numpy(heights).astype(float)
    if samples.ndim == 0 or min(samples.shape) <= order:
        raise ValueError(f"heights must have more than {order} samples along each axis, got shape {samples.shape}")
    if not numpy.isfinite(samples).all():
        bad = tuple(int(i) for i in numpy.argwhere(~numpy.isfinite(samples))[0])
        raise ValueError(f"heights must be finite, got {samples[bad]} at index {bad}")
    return samples


def _steps(spacing: Any, d: int) -> tuple[float, ...]:
    steps = numpy.ravel(numpy.asarray(spacing, dtype=float))
    for step in steps:
        positive("spacing", float(step))
    if len(steps) not in (1, d):
        raise ValueError(f"spacing must be one number or one per axis ({d}), got {len(steps)} numbers")
    return tuple(float(h) for h in numpy.broadcast_to(steps, d))
