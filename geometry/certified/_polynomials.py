"""Polynomials that a function is proven to be close to, over boxes.

Over a cube center + η·[−1, 1]ᵈ let I f be the polynomial of degree n in each variable that interpolates f at the
extrema of Chebyshev's polynomial, in all variables. If f is analytic and |f| ≤ M_a where the a-th variable is in the
ellipse with the foci ±1 and semi-axes (r ± 1/r)/2, and the others are in [−1, 1], then

    |f − I f| ≤ E = Σ_a Λᵃ·4M_a r⁻ⁿ/(r − 1),     Λ = 1 + (2/π) log(n + 1),    a = 0, …, d − 1,

from one variable after the other. How a polynomial p of these degrees was found is of no account: p − I f is one, too,
and so at most Λᵈ times as large as at the nodes, where it is f that p is compared with. Thus

    |f − p| ≤ E + Λᵈ·max |f − p| at the nodes.

The nodes are floats next to the extrema. By Markov's inequality that changes p − I f by a small part of its largest
value, which is counted, and f − I f at the nodes is at most E instead of 0.

L. N. Trefethen, "Approximation Theory and Approximation Practice" (2013), Theorems 8.2 and 15.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy

from geometry._kernels.shares import available_cores, shared
from geometry.arithmetic.intervals import Interval, interval
from geometry.certified._complex import largest_values
from geometry.certified._roundoff import values
from geometry.certified._thinning import Thinned, thinned
from geometry.expressions.expression import Expression

__all__ = ["DEGREES", "Fits", "fitted"]

DEGREES = (15, 15, 7)  # in each of 1, 2 or 3 variables
ELLIPSES = (4.0, 6.0, 8.0, 12.0)  # the r that are tried
UNIT = 2.0**-53
SAMPLE = 16  # boxes that decide on r
TOGETHER = 512  # boxes
NEIGHBOURS = 64  # boxes, which are a cube
UP = 1 + 1e-9  # covers the rounding of the formulas for E

Heights = Callable[[numpy.ndarray], Interval]


class Fits(NamedTuple):
    """Polynomials in (θ − center)/η, their coefficients of 1, t, t², … in each variable, the last one fastest."""

    coefficients: numpy.ndarray  # (m, (n + 1)ᵈ)
    error: numpy.ndarray  # (m,): |f − p| over the box is at most that; ∞ where nothing is proven
    truncation: numpy.ndarray  # (m,): E, for the polynomials that were not worth finding as well


def fitted(expression: Expression, heights: Heights, center: numpy.ndarray, half: float, target: float) -> Fits:
    """Polynomials for cubes center ± half, (m, d): where E is no more than is of use for an error `target`.

    Neighbours are done together, by a function that is as good as f around all of them.
    """
    m, d = center.shape
    block = numpy.floor(center / (2 * half * round(NEIGHBOURS ** (1 / d))))
    _, block = numpy.unique(block, axis=0, return_inverse=True)
    order = numpy.argsort(block.reshape(-1), kind="stable")
    starts = numpy.flatnonzero(numpy.diff(block.reshape(-1)[order], prepend=-1))
    low, high = (extreme.reduceat(center[order], starts) for extreme in (numpy.minimum, numpy.maximum))
    shorter = thinned(expression, low - half, high + half, target / 64)
    groups = _packed([(s, order[i:j]) for s, i, j in zip(shorter, starts, [*starts[1:], m], strict=True)])

    def part(first: int, stop: int) -> Fits:
        (f, off), ids = groups[first]
        return _fitted(f, off, heights, center[ids], half, target)

    parts = shared(part, len(groups), available_cores(), 1)
    inverse = numpy.argsort(numpy.concatenate([ids for _, ids in groups]))
    return Fits(*(numpy.concatenate(part)[inverse] for part in zip(*parts, strict=True)))


def _packed(groups: list[tuple[Thinned, numpy.ndarray]]) -> list[tuple[Thinned, numpy.ndarray]]:
    """Groups in succession that have the same function are one, up to a size."""
    packed: list[tuple[Thinned, numpy.ndarray]] = []
    for function, ids in groups:
        if packed and packed[-1][0] is function and len(packed[-1][1]) + len(ids) <= TOGETHER:
            packed[-1] = function, numpy.concatenate([packed[-1][1], ids])
        else:
            packed.append((function, ids))
    return packed


def _fitted(
    expression: Expression, off: float, heights: Heights, center: numpy.ndarray, side: float, target: float
) -> Fits:
    """With an expression of which f is not farther than `off`; heights are those of f."""
    (m, d), half = center.shape, numpy.full(len(center), side)
    n = DEGREES[d - 1]
    lebesgue = (1 + 2 / math.pi * math.log(n + 1)) * UP
    truncation = _truncation(expression, center, half, n, lebesgue)
    shift = 2 * UNIT * (2 + (numpy.abs(center).max(1) + half) / half)  # of a node, in units of η: it is off by 3u
    markov = lebesgue**d * d * n**2 * shift
    worth = numpy.flatnonzero((truncation * (1 + 2 * lebesgue**d) <= target) & (markov < 0.01))
    coefficients, error = numpy.zeros((m, (n + 1) ** d)), numpy.full(m, numpy.inf)
    if worth.size:
        found, miss = _interpolated(expression, heights, center[worth], half[worth], shift[worth], n)
        spread = lebesgue**d / (1 - markov[worth])
        coefficients[worth] = found
        total = (off + truncation[worth] + spread * (truncation[worth] + off + miss)) * UP
        error[worth] = numpy.where(numpy.isfinite(total), total, numpy.inf)
    return Fits(coefficients, error, truncation)


def _truncation(
    expression: Expression, center: numpy.ndarray, half: numpy.ndarray, n: int, lebesgue: float
) -> numpy.ndarray:
    """E, (m,), with the r that is best for some of the boxes."""

    def total(some: slice, r: float) -> numpy.ndarray:
        weights = lebesgue ** numpy.arange(center.shape[1]) * (4 * UP * r**-n / (r - 1))
        sizes = [_largest(expression, center[some], half[some], axis, r) for axis in range(center.shape[1])]
        return numpy.einsum("a,am->m", weights, numpy.stack(sizes))

    with numpy.errstate(invalid="ignore", over="ignore"):
        few = slice(None, None, max(1, len(half) // SAMPLE))
        tried = [total(few, r) for r in ELLIPSES]
        best = int(numpy.argmin([numpy.median(t) for t in tried]))
        found = tried[best] if len(tried[best]) == len(half) else total(slice(None), ELLIPSES[best])
        found[few] = numpy.minimum.reduce(tried)
    return numpy.where(numpy.isnan(found), numpy.inf, found)


def _largest(expression: Expression, center: numpy.ndarray, half: numpy.ndarray, axis: int, r: float) -> numpy.ndarray:
    """M of one variable."""
    along, across = numpy.ones(center.shape[1]), numpy.zeros(center.shape[1])
    along[axis], across[axis] = (r + 1 / r) / 2 * UP, (r - 1 / r) / 2 * UP
    wide, high = half[:, None] * along, half[:, None] * across
    return largest_values(expression, interval(center) + interval(-wide, wide), interval(-high, high))


@cache
def _nodes(n: int) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """Nodes t; the matrices of powers of t, from values to Chebyshev's coefficients, from these to those of powers."""
    angle = numpy.pi * numpy.arange(n + 1) / n
    t = numpy.cos(angle)
    t[[0, -1]], t[n // 2] = (1.0, -1.0), t[n // 2] if n % 2 else 0.0
    waves = numpy.cos(numpy.outer(numpy.arange(n + 1), angle))
    weights = numpy.ones(n + 1)
    weights[[0, -1]] = 0.5
    to_chebyshev = waves * weights * (2.0 / n) * weights[:, None]
    to_powers = numpy.zeros((n + 1, n + 1))
    for k in range(n + 1):
        to_powers[: k + 1, k] = numpy.polynomial.chebyshev.cheb2poly(numpy.eye(n + 1)[k])[: k + 1]
    return t, t[:, None] ** numpy.arange(n + 1), to_chebyshev, to_powers


def _interpolated(
    expression: Expression,
    heights: Heights,
    center: numpy.ndarray,
    half: numpy.ndarray,
    shift: numpy.ndarray,
    n: int,
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Coefficients, and bounds of |f − p| at the nodes."""
    m, d = center.shape
    t, powers, *inverse = _nodes(n)
    grid = numpy.array(list(product(t, repeat=d)))
    theta = center[:, None, :] + half[:, None, None] * grid
    found = values(expression, theta) or heights(theta.reshape(-1, d))
    low, high = (end.reshape((m,) + (n + 1,) * d) for end in (found.lo, found.hi))
    with numpy.errstate(invalid="ignore"):
        middle = low / 2 + high / 2
        coefficients = _along_all(inverse[1], _along_all(inverse[0], middle))
        fit = _along_all(powers, coefficients)
        off = numpy.maximum(high - fit, fit - low).reshape(m, -1).max(1)
        size = numpy.abs(coefficients).reshape(m, -1)
        degree = numpy.indices((n + 1,) * d).sum(0).reshape(-1)
        # Of `fit` by the rounding of d products of matrices, and by the place of the nodes.
        off += 8 * d * (n + 2) * UNIT * size.sum(1) + shift * UP * (size * degree).sum(1) + 2 * UNIT * numpy.abs(off)
    return coefficients.reshape(m, -1), off


def _along_all(matrix: numpy.ndarray, arrays: numpy.ndarray) -> numpy.ndarray:
    """A matrix applied along every axis but the first."""
    for axis in range(1, arrays.ndim):
        arrays = numpy.moveaxis(numpy.tensordot(arrays, matrix, axes=(axis, 1)), -1, axis)
    return arrays
