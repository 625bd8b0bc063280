"""Landscapes that know their bounds: sums of ridges and bumps, of which slope and curvature are bounded everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy

from geometry import FunctionGraph
from geometry._namespace import Array, Namespace, array_namespace, device_of
from geometry.arithmetic.batched import errors_of_formulas
from geometry.arithmetic.formats import coarse, format_of
from geometry.arithmetic.running import Rounding

__all__ = ["PROFILES", "Bump", "Landscape", "Ridge"]

Function = Callable[[Namespace, Array], Array]


class _Profile(NamedTuple):
    """φ of one variable, its first two derivatives, and bounds of the first three."""

    value: Function
    slope: Function
    bend: Function
    slope_bound: float
    bend_bound: float
    jerk_bound: float


PROFILES: dict[str, _Profile] = {
    "linear": _Profile(lambda xp, u: u, lambda xp, u: 0 * u + 1, lambda xp, u: 0 * u, 1.0, 0.0, 0.0),
    "square": _Profile(lambda xp, u: u * u / 2, lambda xp, u: u, lambda xp, u: 0 * u + 1, math.inf, 1.0, 0.0),
    "sine": _Profile(
        lambda xp, u: xp.sin(u), lambda xp, u: xp.cos(u), lambda xp, u: -xp.sin(u), 1.0, 1.0, 1.0
    ),
    "hyperbola": _Profile(  # √(1 + u²) − 1
        lambda xp, u: u * u / (1 + xp.sqrt(1 + u * u)),
        lambda xp, u: u / xp.sqrt(1 + u * u),
        lambda xp, u: 1 / (xp.sqrt(1 + u * u) * (1 + u * u)),
        1.0,
        1.0,
        1.5 * 0.8**2.5,  # |φ‴| = 3|u|/(1 + u²)^(5/2), largest at u = ½
    ),
}  # fmt: skip


def _like(xp: Namespace, theta: Array, numbers: Any) -> Array:
    return xp.asarray(numbers, dtype=theta.dtype, device=device_of(theta))


@dataclass(frozen=True)
class Ridge:
    """The term a φ(w·θ + s).

    Attributes
    ----------
    profile : str
        φ: "linear" u, "square" u²/2, "sine" sin u or "hyperbola" √(1 + u²) − 1.
    amplitude : float
        a
    weights : tuple of float
        w
    shift : float
        s

    Examples
    --------
    >>> wave = Ridge("sine", 2.0, (0.0, 3.0))
    >>> print(wave, wave.bounds)
    2·sin(3θ2) (6.0, 18.0, 54.0)
    """

    profile: str
    amplitude: float
    weights: tuple[float, ...]
    shift: float = 0.0

    @property
    def dimension(self) -> int:
        return len(self.weights)

    @property
    def bounds(self) -> tuple[float, float, float]:
        """Bounds of |∇f|, ‖∇²f‖ and ‖∇³f‖."""
        profile, steepness = PROFILES[self.profile], math.hypot(*self.weights)
        known = (profile.slope_bound, profile.bend_bound, profile.jerk_bound)
        powers = (abs(self.amplitude) * steepness**k for k in (1, 2, 3))
        first, second, third = (b * p if p else 0.0 for b, p in zip(known, powers, strict=True))
        return first, second, third

    def _argument(self, theta: Array) -> tuple[Namespace, Array, Array]:
        xp = array_namespace(theta)
        weights = _like(xp, theta, self.weights)
        return xp, weights, xp.sum(weights * theta, axis=-1) + self.shift

    def value(self, theta: Array) -> Array:
        xp, _, u = self._argument(theta)
        return self.amplitude * PROFILES[self.profile].value(xp, u)

    def gradient(self, theta: Array) -> Array:
        xp, weights, u = self._argument(theta)
        return (self.amplitude * PROFILES[self.profile].slope(xp, u))[..., None] * weights

    def hessian(self, theta: Array) -> Array:
        xp, weights, u = self._argument(theta)
        bend = self.amplitude * PROFILES[self.profile].bend(xp, u)
        return bend[..., None, None] * (weights[:, None] * weights[None, :])

    def moved(self, by: Sequence[float] | numpy.ndarray) -> Ridge:
        return replace(self, shift=self.shift - float(numpy.dot(self.weights, by)))

    def scaled(self, factor: float) -> Ridge:
        return replace(self, amplitude=self.amplitude * factor, weights=tuple(w / factor for w in self.weights))

    def turned(self, matrix: numpy.ndarray) -> Ridge:
        return replace(self, weights=tuple((matrix @ self.weights).tolist()))

    def __str__(self) -> str:
        names = [(w, f"θ{i}") for i, w in enumerate(self.weights, 1) if w]
        inside = " ".join(f"{w:+g}{name}" for w, name in names) + (
            f" {self.shift:+g}" if self.shift or not names else ""
        )
        shape = {"linear": "({})", "square": "({})²/2", "sine": "sin({})", "hyperbola": "(√(1+({})²) − 1)"}
        return f"{self.amplitude:g}·{shape[self.profile].format(inside.strip().removeprefix('+'))}"


@dataclass(frozen=True)
class Bump:
    """The term a exp(−|θ − m|²/(2σ²)): a hill, or for a < 0 a well.

    Attributes
    ----------
    amplitude : float
        a
    center : tuple of float
        m
    width : float
        σ

    Examples
    --------
    >>> well = Bump(-1.0, (0.0, 0.0), 0.5)
    >>> well.value(numpy.zeros(2)), well.bounds[1]
    (np.float64(-1.0), 4.0)
    """

    amplitude: float
    center: tuple[float, ...]
    width: float = 1.0

    @property
    def dimension(self) -> int:
        return len(self.center)

    @property
    def bounds(self) -> tuple[float, float, float]:
        """Bounds of |∇f|, ‖∇²f‖ and ‖∇³f‖: the largest derivatives of exp(−t²/2)."""
        first, second, third = (
            abs(self.amplitude) * b / self.width**k for k, b in ((1, math.exp(-0.5)), (2, 1.0), (3, 1.3802))
        )
        return first, second, third

    def _parts(self, theta: Array) -> tuple[Namespace, Array, Array]:
        """exp(−|z|²/2) and z = (θ − m)/σ."""
        xp = array_namespace(theta)
        z = (theta - _like(xp, theta, self.center)) / self.width
        return xp, xp.exp(-xp.sum(z * z, axis=-1) / 2), z

    def value(self, theta: Array) -> Array:
        return self.amplitude * self._parts(theta)[1]

    def gradient(self, theta: Array) -> Array:
        _, e, z = self._parts(theta)
        return (-self.amplitude / self.width * e)[..., None] * z

    def hessian(self, theta: Array) -> Array:
        xp, e, z = self._parts(theta)
        unit = xp.eye(self.dimension, dtype=theta.dtype, device=device_of(theta))
        return (self.amplitude / self.width**2 * e)[..., None, None] * (z[..., :, None] * z[..., None, :] - unit)

    def moved(self, by: Sequence[float] | numpy.ndarray) -> Bump:
        return replace(self, center=tuple(m + float(b) for m, b in zip(self.center, by, strict=True)))

    def scaled(self, factor: float) -> Bump:
        return Bump(self.amplitude * factor, tuple(m * factor for m in self.center), self.width * factor)

    def turned(self, matrix: numpy.ndarray) -> Bump:
        return replace(self, center=tuple((matrix @ self.center).tolist()))

    def __str__(self) -> str:
        center = ", ".join(f"{m:g}" for m in self.center)
        return f"{self.amplitude:g}·exp(−|θ − ({center})|²/{2 * self.width**2:g})"


@dataclass(frozen=True)
class Landscape:
    """A sum of ridges and bumps in one number of parameters.

    Its numbers are exact in every floating format that the terms' numbers are exact in.

    Examples
    --------
    >>> hill = Landscape((Ridge("linear", 1.0, (0.5, 0.0)), Bump(2.0, (0.0, 1.0))))
    >>> print(hill)
    1·(0.5θ1) + 2·exp(−|θ − (0, 1)|²/2)
    >>> hill.curvature_bound, round(hill.slope_bound, 3)
    (2.0, 1.713)
    >>> float(hill.graph.value([1.0, 1.0]).round(3))
    1.713
    """

    terms: tuple[Ridge | Bump, ...]

    @property
    def dimension(self) -> int:
        """The number of parameters, d."""
        return self.terms[0].dimension

    @property
    def slope_bound(self) -> float:
        """A bound of |∇f|, and so of the Lipschitz constant; inf with a square among the terms."""
        return sum(term.bounds[0] for term in self.terms)

    @property
    def curvature_bound(self) -> float:
        """A bound of ‖∇²f‖, and so of all principal curvatures: G^(-1/2)HG^(-1/2)/W is no larger than H."""
        return sum(term.bounds[1] for term in self.terms)

    @property
    def jerk_bound(self) -> float:
        """A bound of ‖∇³f‖, the Lipschitz constant of the Hessian."""
        return sum(term.bounds[2] for term in self.terms)

    @cached_property
    def graph(self) -> FunctionGraph:
        """Value, gradient and Hessian for every array library."""
        hessian = partial(self.second, xp=numpy)
        return FunctionGraph(self._value, self._gradient, hessian, name=str(self))

    def first(self, theta: Array, xp: Namespace) -> tuple[Array, Array]:
        """f and ∇f at places (..., d) in numbers of any arithmetic."""
        return self._value(theta), self._gradient(theta)

    def second(self, theta: Array, xp: Namespace) -> Array:
        """∇²f, (..., d, d), likewise."""
        return sum(term.hessian(theta) for term in self.terms)

    def _value(self, theta: Array) -> Array:
        return sum(term.value(theta) for term in self.terms)

    def _gradient(self, theta: Array) -> Array:
        return sum(term.gradient(theta) for term in self.terms)

    def rounding(self, theta: Array, unit: float) -> tuple[float, float]:
        """How far value and gradient may be from the truth at θ (d,), at that unit roundoff; inf: without bound."""
        place = numpy.asarray(theta, dtype=float)[None]
        target = coarse(unit, format_of("float64"))
        value, gradient = errors_of_formulas(self, place, numpy.zeros(place.shape), Rounding(target))
        errors = numpy.array([value[0], numpy.linalg.norm(gradient[0])])
        e_value, e_gradient = numpy.where(numpy.isnan(errors), numpy.inf, errors).tolist()
        return e_value, e_gradient

    def moved(self, by: Sequence[float] | numpy.ndarray) -> Landscape:
        """f(θ − by)."""
        return Landscape(tuple(term.moved(by) for term in self.terms))

    def lifted(self, by: float) -> Landscape:
        """f + by."""
        return Landscape((*self.terms, Ridge("linear", 1.0, (0.0,) * self.dimension, by)))

    def scaled(self, factor: float) -> Landscape:
        """The similar graph: factor·f(θ/factor)."""
        return Landscape(tuple(term.scaled(factor) for term in self.terms))

    def turned(self, matrix: Any) -> Landscape:
        """f(Qᵀθ) for an orthogonal matrix Q (d, d)."""
        return Landscape(tuple(term.turned(numpy.asarray(matrix)) for term in self.terms))

    def flattened(self, factor: float) -> Landscape:
        """factor·f."""
        return Landscape(tuple(replace(term, amplitude=term.amplitude * factor) for term in self.terms))

    def mirrored(self, center: Sequence[float] | numpy.ndarray) -> Landscape:
        """f(θ) + f(2m − θ), which is even about m."""
        image = self.turned(-numpy.eye(self.dimension)).moved([2 * m for m in center])
        return Landscape(self.terms + image.terms)

    def __str__(self) -> str:
        return " + ".join(map(str, self.terms))
