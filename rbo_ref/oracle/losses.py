"""Losses that the oracle serves: value, gradient and Hessian in ball arithmetic.

A loss is a sum of terms. Its coefficients are float64 numbers taken as exact, whatever dtype a port works in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.precision import working_precision
from rbo_ref.oracle.rounding import Format, exact, nearest

if TYPE_CHECKING:
    from flint import arb, arb_mat

__all__ = ["Bumps", "Loss", "Quadratic", "Ridges", "Term", "column", "correctly_rounded", "identity"]

PRECISIONS = tuple(2**k for k in range(7, 15))  # bits
Vector = list[Any]  # of arb
Matrix = NDArray[numpy.float64]
Jet = tuple[Any, Any, Any]  # value, slope and bend of a profile


class Term(Protocol):
    """A summand of a loss."""

    def value_and_gradient(self, theta: Vector) -> tuple[arb, Vector]: ...

    def hessian(self, theta: Vector) -> arb_mat: ...


@dataclass(frozen=True, eq=False)
class Loss:
    """A sum of terms."""

    terms: tuple[Term, ...]

    def value_and_gradient(self, theta: Vector) -> tuple[arb, Vector]:
        """f(θ) and ∇f(θ), enclosed at the working precision of `flint.ctx`."""
        parts = [term.value_and_gradient(theta) for term in self.terms]
        value, gradient = parts[0]
        for other, slope in parts[1:]:
            value, gradient = value + other, [a + b for a, b in zip(gradient, slope, strict=True)]
        return value, gradient

    def hessian(self, theta: Vector) -> arb_mat:
        """∇²f(θ), enclosed likewise."""
        first, *others = (term.hessian(theta) for term in self.terms)
        return sum(others, first)


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


def _matrix(rows: Matrix) -> arb_mat:
    from flint import arb, arb_mat

    return arb_mat([[arb(float(x)) for x in row] for row in rows])


def column(vector: Sequence[Any]) -> arb_mat:
    """A vector as a matrix of one column."""
    from flint import arb_mat

    return arb_mat([[x] for x in vector])


def _entries(column: arb_mat) -> Vector:
    return [column[i, 0] for i in range(column.nrows())]


def identity(size: int) -> arb_mat:
    """The unit matrix."""
    from flint import arb_mat

    return arb_mat(size, size, [i == j for i in range(size) for j in range(size)])


def _dot(a: Vector, b: Sequence[Any]) -> arb:
    return sum((x * y for x, y in zip(a[1:], b[1:], strict=True)), a[0] * b[0])


@dataclass(frozen=True, eq=False)
class Quadratic:
    """½ θᵀAθ + b·θ + c, A symmetric."""

    matrix: Matrix
    slope: Matrix
    height: float = 0.0

    @cached_property
    def _exact(self) -> arb_mat:
        return _matrix(self.matrix)

    def value_and_gradient(self, theta: Vector) -> tuple[arb, Vector]:
        curved = _entries(self._exact * column(theta))
        slope = [float(b) for b in self.slope]
        value = _dot(curved, theta) / 2 + _dot(theta, slope) + self.height
        return value, [a + b for a, b in zip(curved, slope, strict=True)]

    def hessian(self, theta: Vector) -> arb_mat:
        return self._exact


def _sin(u: arb) -> Jet:
    sine, cosine = u.sin_cos()
    return sine, cosine, -sine


def _exp(u: arb) -> Jet:
    e = u.exp()
    return e, e, e


def _softplus(u: arb) -> Jet:
    e = u.exp()
    slope = e / (1 + e)
    return e.log1p(), slope, slope / (1 + e)


PROFILES: dict[str, Callable[[Any], Jet]] = {"sin": _sin, "exp": _exp, "softplus": _softplus}


@dataclass(frozen=True, eq=False)
class Ridges:
    """Σ_k a_k φ(w_k·θ + s_k) for one profile φ: sin, exp or softplus."""

    profile: str
    weights: Matrix  # (K, d)
    shifts: Matrix  # (K,)
    amplitudes: Matrix  # (K,)

    @cached_property
    def _exact(self) -> tuple[arb_mat, arb_mat]:
        matrix = _matrix(self.weights)
        return matrix, matrix.transpose()

    def _jets(self, theta: Vector) -> Iterator[Jet]:
        """Value, slope and bend of each ridge."""
        profile = PROFILES[self.profile]
        for u, shift, amplitude in zip(
            _entries(self._exact[0] * column(theta)), self.shifts, self.amplitudes, strict=True
        ):
            value, slope, bend = profile(u + float(shift))
            yield float(amplitude) * value, float(amplitude) * slope, float(amplitude) * bend

    def value_and_gradient(self, theta: Vector) -> tuple[arb, Vector]:
        values, slopes, _ = zip(*self._jets(theta), strict=True)
        return sum(values[1:], values[0]), _entries(self._exact[1] * column(slopes))

    def hessian(self, theta: Vector) -> arb_mat:
        from flint import arb_mat

        down, up = self._exact
        bends = [bend for *_, bend in self._jets(theta)]
        return up * arb_mat([[bend * w for w in row] for bend, row in zip(bends, down.tolist(), strict=True)])


@dataclass(frozen=True, eq=False)
class Bumps:
    """Σ_k a exp(−|θ − m_k|²/s): Gaussian bumps (a > 0) or wells (a < 0)."""

    centers: Matrix  # (K, d)
    amplitude: float
    square_width: float  # s

    def _bumps(self, theta: Vector) -> Iterator[tuple[arb, Vector]]:
        """The height of each bump, and the way from its centre."""
        for center in self.centers:
            away = [t - float(m) for t, m in zip(theta, center, strict=True)]
            yield self.amplitude * (-_dot(away, away) / self.square_width).exp(), away

    def value_and_gradient(self, theta: Vector) -> tuple[arb, Vector]:
        value, gradient = theta[0] * 0, [t * 0 for t in theta]
        for bump, away in self._bumps(theta):
            value += bump
            gradient = [g - 2 * bump * a / self.square_width for g, a in zip(gradient, away, strict=True)]
        return value, gradient

    def hessian(self, theta: Vector) -> arb_mat:
        from flint import arb_mat

        total = arb_mat(len(theta), len(theta))
        for bump, away in self._bumps(theta):
            way, scale = column(away), 2 * bump / self.square_width
            total += way * way.transpose() * (2 * scale / self.square_width) - identity(len(theta)) * scale
        return total
