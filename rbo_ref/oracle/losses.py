"""Losses that the oracle serves: value and gradient in ball arithmetic, and the Hessian in float64 for conditioning.

A loss is a sum of terms. Its coefficients are float64 numbers taken as exact, whatever dtype a port works in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy
from numpy.typing import NDArray

if TYPE_CHECKING:
    from flint import arb, arb_mat

__all__ = ["Bumps", "Loss", "Quadratic", "Ridges"]

Vector = list[Any]  # of arb
Matrix = NDArray[numpy.float64]


class Term(Protocol):
    """A summand of a loss."""

    def value_and_gradient(self, theta: Vector) -> tuple[arb, Vector]: ...

    def hessian(self, theta: Matrix) -> Matrix: ...


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

    def hessian(self, theta: Matrix) -> Matrix:
        """∇²f(θ) in float64."""
        return sum((term.hessian(theta) for term in self.terms), numpy.zeros((theta.size, theta.size)))


def _matrix(rows: Matrix) -> arb_mat:
    from flint import arb, arb_mat

    return arb_mat([[arb(float(x)) for x in row] for row in rows])


def _column(vector: Vector) -> arb_mat:
    from flint import arb_mat

    return arb_mat([[x] for x in vector])


def _entries(column: arb_mat) -> Vector:
    return [column[i, 0] for i in range(column.nrows())]


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
        curved = _entries(self._exact * _column(theta))
        slope = [float(b) for b in self.slope]
        value = _dot(curved, theta) / 2 + _dot(theta, slope) + self.height
        return value, [a + b for a, b in zip(curved, slope, strict=True)]

    def hessian(self, theta: Matrix) -> Matrix:
        return self.matrix


def _softplus(u: arb) -> tuple[arb, arb]:
    e = u.exp()
    return e.log1p(), e / (1 + e)


PROFILES: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "sin": lambda u: u.sin_cos(),
    "exp": lambda u: (u.exp(), u.exp()),
    "softplus": _softplus,
}
BENDS: dict[str, Callable[[Matrix], Matrix]] = {
    "sin": lambda u: -numpy.sin(u),
    "exp": numpy.exp,
    "softplus": lambda u: 1 / (2 + 2 * numpy.cosh(u)),
}


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

    def value_and_gradient(self, theta: Vector) -> tuple[arb, Vector]:
        down, up = self._exact
        arguments = [u + float(s) for u, s in zip(_entries(down * _column(theta)), self.shifts, strict=True)]
        values, slopes = zip(*map(PROFILES[self.profile], arguments), strict=True)
        amplitudes = [float(a) for a in self.amplitudes]
        scaled = [a * slope for a, slope in zip(amplitudes, slopes, strict=True)]
        return _dot(list(values), amplitudes), _entries(up * _column(scaled))

    def hessian(self, theta: Matrix) -> Matrix:
        bends = self.amplitudes * BENDS[self.profile](self.weights @ theta + self.shifts)
        return self.weights.T @ (bends[:, None] * self.weights)


@dataclass(frozen=True, eq=False)
class Bumps:
    """Σ_k a exp(−|θ − m_k|²/s): Gaussian bumps (a > 0) or wells (a < 0)."""

    centers: Matrix  # (K, d)
    amplitude: float
    square_width: float  # s

    def value_and_gradient(self, theta: Vector) -> tuple[arb, Vector]:
        value, gradient = theta[0] * 0, [t * 0 for t in theta]
        for center in self.centers:
            away = [t - float(m) for t, m in zip(theta, center, strict=True)]
            bump = self.amplitude * (-_dot(away, away) / self.square_width).exp()
            value += bump
            gradient = [g - 2 * bump * a / self.square_width for g, a in zip(gradient, away, strict=True)]
        return value, gradient

    def hessian(self, theta: Matrix) -> Matrix:
        away = theta - self.centers
        bumps = self.amplitude * numpy.exp(-(away**2).sum(-1) / self.square_width)
        outer = numpy.einsum("k,ki,kj->ij", bumps, away, away) * (4 / self.square_width**2)
        return outer - numpy.eye(theta.size) * (2 * bumps.sum() / self.square_width)
