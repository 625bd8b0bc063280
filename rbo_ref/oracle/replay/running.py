"""Running error analysis: every number carries a bound of its distance from what it stands for.

A number is a midpoint m and a radius r in float64. An operation makes a ball that holds the results for all numbers of
the balls it is given, widened by one rounding, `unit` times the result: so the radius bounds both what varies over a
box of arguments and what rounding does to a formula, in whatever order sums are taken. Radii are rounded to nearest;
what that leaves out is 2⁻⁵² of them for each operation.

N. J. Higham, "Accuracy and Stability of Numerical Algorithms" (2002), Section 3.3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry import FunctionGraph
from geometry.arithmetic.formats import SAFETY, Format
from rbo_ref.oracle.replay._functions import Numbers, Parts, Truth

__all__ = ["Running", "balls", "formula_error", "rounding_to"]

Floats = NDArray[numpy.float64]
FUNCTION = 4.0  # roundings charged to an elementary function
FINE = 2.0**-40  # roundings of radii by units below this are left out like those of the radii themselves


def _steepness(name: str, m: Floats, r: Floats) -> Floats:
    """The largest slope of an elementary function on [m − r, m + r]."""
    return SLOPES[name](m, r)


def _smallest(m: Floats, r: Floats) -> Floats:
    """The least absolute value in [m − r, m + r]."""
    return numpy.maximum(numpy.abs(m) - r, 0.0)


def _sum(x: Floats, axis: int) -> Floats:
    """Term by term where there are few, which `numpy.sum` is slow at."""
    if x.shape[axis] > 8:
        return numpy.sum(x, axis=axis)
    first, *others = (numpy.take(x, i, axis) for i in range(x.shape[axis]))
    return sum(others, first)


SLOPES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "sin": lambda m, r: numpy.minimum(numpy.abs(numpy.cos(m)) + r, 1.0),
    "cos": lambda m, r: numpy.minimum(numpy.abs(numpy.sin(m)) + r, 1.0),
    "exp": lambda m, r: numpy.exp(m + r),
    "expm1": lambda m, r: numpy.exp(m + r),
    "log": lambda m, r: 1 / numpy.maximum(m - r, 0.0),
    "log1p": lambda m, r: 1 / numpy.maximum(1 + m - r, 0.0),
    "sqrt": lambda m, r: 1 / (numpy.sqrt(numpy.maximum(m - r, 0.0)) + numpy.sqrt(m)),
    "sinh": lambda m, r: numpy.cosh(numpy.abs(m) + r),
    "cosh": lambda m, r: numpy.sinh(numpy.abs(m) + r),
    "tanh": lambda m, r: 1 / numpy.cosh(numpy.minimum(_smallest(m, r), 700.0)) ** 2,
    "atan": lambda m, r: 1 / (1 + _smallest(m, r) ** 2),
}


class Running:
    """The arithmetic.

    Parameters
    ----------
    unit : float
        Error of one operation, relative to its result.
    precision : int
        Bits of the numbers that constants are rounded to.
    smallest : float
        Error of one operation where the result underflows.
    """

    def __init__(self, unit: float = 2.0**-53, precision: int = 53, smallest: float = 0.0) -> None:
        self.unit, self.precision, self.smallest = unit, precision, smallest

    def constant(self, value: Floats) -> Parts:
        shifted = numpy.ldexp(numpy.frexp(value)[0], self.precision)
        rounds = shifted != numpy.rint(shifted)
        if not rounds.any():
            return value, numpy.broadcast_to(0.0, value.shape)
        return value, numpy.where(rounds, self.unit * numpy.abs(value), 0.0)

    def negative(self, a: Parts) -> Parts:
        return -a[0], a[1]

    def add(self, a: Parts, b: Parts) -> Parts:
        return self._rounded(a[0] + b[0], b[1] if _is_exact(a) else a[1] if _is_exact(b) else a[1] + b[1])

    def multiply(self, a: Parts, b: Parts) -> Parts:
        a, b = (b, a) if _is_exact(b) else (a, b)
        (m, r), (n, s) = a, b
        spread = s if _is_exact(b) else numpy.abs(m) * s
        return self._rounded(m * n, spread if _is_exact(a) else spread + (numpy.abs(n) + s) * r)

    def divide(self, a: Parts, b: Parts) -> Parts:
        (m, r), (n, s) = a, b
        quotient = m / n
        return self._rounded(quotient, (numpy.abs(quotient) * s + r) / _smallest(n, s))

    def power(self, a: Parts, exponent: int) -> Parts:
        if exponent < 0:
            return self.divide(self.constant(numpy.ones(())), self.power(a, -exponent))
        m, r = a
        if exponent == 0:
            return numpy.ones_like(m), numpy.zeros_like(m)
        spread = exponent * (numpy.abs(m) + r) ** (exponent - 1) * r
        return self._rounded(m**exponent, spread, max(exponent - 1, 1))

    def function(self, name: str, a: Parts) -> Parts:
        m, r = a
        if name in ("round", "floor", "ceil"):
            return self._step(name, m, r)
        if name == "tan":
            return self.divide(self.function("sin", a), self.function("cos", a))
        value = getattr(numpy, {"atan": "arctan"}.get(name, name))(m)
        spread = numpy.where(r > 0, _steepness(name, m, r) * r, 0.0)
        return self._rounded(value, spread, 1.0 if name == "sqrt" else FUNCTION)

    def _step(self, name: str, m: Floats, r: Floats) -> Parts:
        step = getattr(numpy, name)
        return step(m), numpy.maximum(step(m + r) - step(m), step(m) - step(m - r))

    def largest(self, a: Parts, b: Parts) -> Parts:
        return numpy.maximum(a[0], b[0]), numpy.maximum(a[1], b[1])

    def sum(self, a: Parts, axis: int) -> Parts:
        m, r = a
        rounded = (m.shape[axis] - 1) * self.unit
        return _sum(m, axis), _sum((1 + rounded) * r + rounded * numpy.abs(m), axis)

    def is_less(self, a: Parts, b: Parts) -> Truth:
        difference, radius = b[0] - a[0], a[1] + b[1]
        return Truth(difference > 0, ~(numpy.abs(difference) > radius) & (radius > 0))

    def is_finite(self, a: Parts) -> Truth:
        return Truth(numpy.isfinite(a[0]) & numpy.isfinite(a[1]))

    def choose(self, truth: Truth, a: Parts, b: Parts) -> Parts:
        (m, r), (n, s) = a, b
        doubtful = numpy.where(truth.doubt, numpy.abs(m - n) + numpy.maximum(r, s), 0.0)
        return numpy.where(truth.yes, m, n), numpy.maximum(numpy.where(truth.yes, r, s), doubtful)

    def _rounded(self, value: Floats, spread: Floats, roundings: float = 1.0) -> Parts:
        """A result widened by the roundings of an operation, unit·(|value| + spread) + smallest each."""
        error = numpy.abs(value)
        error *= roundings * self.unit
        error += spread if self.unit < FINE else spread * (1 + roundings * self.unit)
        if self.smallest:
            error += self.smallest
        return value, error


def _is_exact(a: Parts) -> bool:
    """Whether all radii are one zero, as those of constants are."""
    radius = a[1]
    return radius.size > 0 and not any(radius.strides) and radius.flat[0] == 0


def balls(midpoint: Any, radius: Any, arithmetic: Running) -> Numbers:
    """An array of balls.

    Examples
    --------
    >>> import numpy as np
    >>> one = balls([1.0], 0.5, Running())
    >>> np.round((one * one - one).parts, 3)      # x² − x on [0.5, 1.5], to first order about 1
    array([[0.  ],
           [1.75]])
    """
    midpoint = numpy.asarray(midpoint, dtype=float)
    return Numbers(arithmetic, midpoint, numpy.broadcast_to(numpy.asarray(radius, dtype=float), midpoint.shape))


def rounding_to(target: Format) -> Running:
    """The arithmetic of ports in a format."""
    return Running(SAFETY * target.unit, target.precision, target.smallest_normal)


def formula_error(graph: FunctionGraph, middle: Floats, radius: Floats, target: Format) -> tuple[Floats, Floats]:
    """What rounding in a format adds to f, (n,), and ∇f, (n, d), evaluated anywhere in boxes (n, d)."""
    exact = graph.value_and_gradient(balls(middle, radius, Running(0.0)))
    rounded = graph.value_and_gradient(balls(middle, radius, rounding_to(target)))
    value, gradient = (b.parts[1] - a.parts[1] for a, b in zip(exact, rounded, strict=True))
    return value, gradient
