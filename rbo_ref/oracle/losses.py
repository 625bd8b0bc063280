"""Losses that the oracle serves, written once for arrays of floats of any library, of balls, or of other numbers.

A loss is a sum of terms. Its coefficients are float64 numbers taken as exact, whatever dtype a port works in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy
from numpy.typing import NDArray

from geometry._namespace import Array, Namespace, array_namespace
from geometry.arithmetic import ball_arrays as balls
from geometry.arithmetic.formats import Format, exact, nearest
from geometry.arithmetic.precision import working_precision

if TYPE_CHECKING:
    from flint import arb

    from geometry import FunctionGraph

__all__ = ["Bumps", "Loss", "Quadratic", "Ridges", "Term", "correctly_rounded", "evaluate"]

PRECISIONS = tuple(2**k for k in range(7, 15))  # bits
Vector = list[Any]  # of arb
Matrix = NDArray[numpy.float64]
Pair = tuple[Array, Array]  # of shapes (...) and (..., d)


class Term(Protocol):
    """A summand of a loss."""

    def first(self, theta: Array, xp: Namespace) -> Pair:
        """f and ∇f at places (..., d)."""

    def second(self, theta: Array, xp: Namespace) -> Array:
        """∇²f, (..., d, d)."""


@dataclass(frozen=True, eq=False)
class Loss:
    """A sum of terms."""

    terms: tuple[Term, ...]

    def first(self, theta: Array, xp: Namespace) -> Pair:
        """f and ∇f at places (..., d)."""
        values, gradients = zip(*(term.first(theta, xp) for term in self.terms), strict=True)
        return sum(values[1:], values[0]), sum(gradients[1:], gradients[0])

    def second(self, theta: Array, xp: Namespace) -> Array:
        """∇²f, (..., d, d)."""
        parts = [term.second(theta, xp) for term in self.terms]
        return sum(parts[1:], parts[0])

    def value_and_gradient(self, theta: Vector) -> tuple[arb, Vector]:
        """f(θ) and ∇f(θ), enclosed at the working precision of `flint.ctx`."""
        value, gradient = self.first(balls.vector(theta), balls)
        return numpy.asarray(value, dtype=object).item(), list(gradient)

    def hessian(self, theta: Vector) -> NDArray[Any]:
        """∇²f(θ), (d, d), enclosed likewise."""
        hessian: NDArray[Any] = self.second(balls.vector(theta), balls)
        return hessian

    @cached_property
    def graph(self) -> FunctionGraph:
        """The graph of the loss as a function of arrays.

        Examples
        --------
        >>> Loss((Quadratic(numpy.eye(2), numpy.array([0.75, -1.0])),)).graph.gradient([[0.0, 0.0]])
        array([[ 0.75, -1.  ]])
        """
        from geometry import FunctionGraph

        both, hessian = (partial(_in_its_arithmetic, part) for part in (self.first, self.second))
        return FunctionGraph.from_value_and_gradient(both, hessian=hessian, name="a loss of the oracle")


@lru_cache(maxsize=65536)
def correctly_rounded(loss: Loss, theta: tuple[Any, ...], target: Format) -> tuple[Any, NDArray[Any]]:
    """f(θ) and ∇f(θ), each number the nearest of the format; θ are numbers of one floating dtype."""
    start = [exact(t) for t in theta]
    for precision in PRECISIONS:
        with working_precision(precision):
            value, gradient = loss.value_and_gradient(start)
            rounded = [nearest(ball, target) for ball in (value, *gradient)]
        if None not in rounded:
            break
    else:  # an exact zero or an exact tie, which no precision can certify: take the midpoint
        rounded = [nearest(ball.mid(), target) for ball in (value, *gradient)]
    numbers = numpy.array(rounded, dtype=target.dtype)
    return numbers[0], numbers[1:]


def evaluate(loss: Loss, theta: Array) -> Pair:
    """f(θ) and ∇f(θ) in the arithmetic of θ, of whatever shape.

    Examples
    --------
    >>> evaluate(Loss((Quadratic(numpy.eye(2), numpy.zeros(2), 1.0),)), numpy.array([2.0, 0.0]))
    (np.float64(3.0), array([2., 0.]))
    """
    xp = array_namespace(theta)
    value, gradient = loss.first(xp.reshape(theta, (-1,)), xp)
    return value, xp.reshape(gradient, theta.shape)


def _in_its_arithmetic(part: Callable[[Array, Namespace], Any], theta: Array) -> Any:
    return part(theta, array_namespace(theta))


def _row(vector: Array, matrix: Array, xp: Namespace) -> Array:
    """vᵀM for vectors (..., n) and a matrix (n, m), one by one: the bits do not depend on how many there are."""
    return xp.matmul(vector[..., None, :], matrix)[..., 0, :]


def _held(numbers: Matrix, theta: Array, xp: Namespace) -> Array:
    """Coefficients in the arithmetic of θ."""
    return xp.asarray(numbers, dtype=theta.dtype)


@dataclass(frozen=True, eq=False)
class Quadratic:
    """½ θᵀAθ + b·θ + c, A symmetric."""

    matrix: Matrix
    slope: Matrix
    height: float = 0.0

    def first(self, theta: Array, xp: Namespace) -> Pair:
        curved = _row(theta, _held(self.matrix, theta, xp), xp)
        slope = _held(self.slope, theta, xp)
        value = xp.sum(theta * curved, axis=-1) / 2 + xp.sum(slope * theta, axis=-1) + self.height
        return value, curved + slope

    def second(self, theta: Array, xp: Namespace) -> Array:
        return 0 * theta[..., None] + _held(self.matrix, theta, xp)


def _sin(u: Array, xp: Namespace) -> tuple[Array, Array, Array]:
    sine = xp.sin(u)
    return sine, xp.cos(u), -sine


def _exp(u: Array, xp: Namespace) -> tuple[Array, Array, Array]:
    e = xp.exp(u)
    return e, e, e


def _softplus(u: Array, xp: Namespace) -> tuple[Array, Array, Array]:
    e = xp.exp(u)
    slope = e / (1 + e)
    return xp.log1p(e), slope, slope / (1 + e)


PROFILES: dict[str, Callable[[Array, Namespace], tuple[Array, Array, Array]]] = {
    "sin": _sin,
    "exp": _exp,
    "softplus": _softplus,
}
"""φ, φ' and φ''."""


@dataclass(frozen=True, eq=False)
class Ridges:
    """Σ_k a_k φ(w_k·θ + s_k) for one profile φ: sin, exp or softplus."""

    profile: str
    weights: Matrix  # (K, d)
    shifts: Matrix  # (K,)
    amplitudes: Matrix  # (K,)

    @cached_property
    def _across(self) -> Matrix:
        return self.weights.T

    def _jets(self, theta: Array, xp: Namespace, *orders: int) -> list[Array]:
        """Derivatives of some orders of each ridge, (..., K)."""
        u = _row(theta, _held(self._across, theta, xp), xp) + _held(self.shifts, theta, xp)
        jets = PROFILES[self.profile](u, xp)
        return [_held(self.amplitudes, theta, xp) * jets[order] for order in orders]

    def first(self, theta: Array, xp: Namespace) -> Pair:
        heights, slopes = self._jets(theta, xp, 0, 1)
        return xp.sum(heights, axis=-1), _row(slopes, _held(self.weights, theta, xp), xp)

    def second(self, theta: Array, xp: Namespace) -> Array:
        (bends,) = self._jets(theta, xp, 2)
        bent = bends[..., None] * _held(self.weights, theta, xp)
        return xp.matmul(_held(self._across, theta, xp), bent)


@dataclass(frozen=True, eq=False)
class Bumps:
    """Σ_k a exp(−|θ − m_k|²/s): Gaussian bumps (a > 0) or wells (a < 0)."""

    centers: Matrix  # (K, d)
    amplitude: float
    square_width: float  # s

    @cached_property
    def _across(self) -> Matrix:
        return self.centers.T

    def _bumps(self, theta: Array, xp: Namespace) -> Pair:
        """The height of each bump, (..., K), and the way from its centre, (..., K, d)."""
        away = theta[..., None, :] - _held(self.centers, theta, xp)
        return self.amplitude * xp.exp(-xp.sum(away * away, axis=-1) / self.square_width), away

    def first(self, theta: Array, xp: Namespace) -> Pair:
        bump, away = self._bumps(theta, xp)
        return xp.sum(bump, axis=-1), xp.sum(bump[..., None] * away, axis=-2) * -2 / self.square_width

    def second(self, theta: Array, xp: Namespace) -> Array:
        bump, away = self._bumps(theta, xp)
        one, across = _held(numpy.eye(self.centers.shape[1]), theta, xp), _held(self._across, theta, xp)
        curved = xp.matmul(theta[..., :, None] - across, bump[..., None] * away) * 2 / self.square_width
        return 2 * (curved - xp.sum(bump, axis=-1)[..., None, None] * one) / self.square_width
