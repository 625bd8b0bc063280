"""Surfaces whose geometry is known on paper, with hand-written derivatives in array API functions."""

from __future__ import annotations

import numpy as np
from array_api_compat import array_namespace, device

from geometry import FunctionGraph


def _graph(name, value, gradient, hessian) -> FunctionGraph:
    """A surface from formulas in (xp, θ)."""
    formulas = (value, gradient, hessian)
    return FunctionGraph(*((lambda t, f=f: f(array_namespace(t), t)) for f in formulas), name=name)


def _identity(xp, t):
    return xp.eye(t.shape[-1], dtype=t.dtype, device=device(t))


def _square(xp, t):
    return xp.sum(t**2, axis=-1)


def _outer(t):
    return t[..., :, None] * t[..., None, :]


def plane(slope: float) -> FunctionGraph:
    """f = slope·Σθᵢ, any d."""
    return _graph(
        "plane",
        lambda xp, t: slope * xp.sum(t, axis=-1),
        lambda xp, t: slope * xp.ones_like(t),
        lambda xp, t: 0 * _outer(t),
    )


def paraboloid(k: float = 1.0) -> FunctionGraph:
    """f = k|θ|²/2, any d: curvature k at the bottom, the largest."""
    return _graph(
        "paraboloid",
        lambda xp, t: k / 2 * _square(xp, t),
        lambda xp, t: k * t,
        lambda xp, t: k * _identity(xp, t) + 0 * _outer(t),
    )


def sine(phase: float = 0.0) -> FunctionGraph:
    """f = sin(θ + phase), d = 1: critical radius 1."""
    return _graph(
        "sine",
        lambda xp, t: xp.sin(t[..., 0] + phase),
        lambda xp, t: xp.cos(t + phase),
        lambda xp, t: -xp.sin(t + phase)[..., None],
    )


def cap(r: float, sign: int = 1) -> FunctionGraph:
    """f = ±√(r² − |θ|²), any d: half a sphere, NaN beyond it; all curvatures ∓1/r."""

    def height(xp, t):
        return xp.sqrt(r**2 - _square(xp, t))

    def hessian(xp, t):
        h = height(xp, t)[..., None, None]
        return -sign * (_identity(xp, t) / h + _outer(t) / h**3)

    return _graph(
        "cap", lambda xp, t: sign * height(xp, t), lambda xp, t: -sign * t / height(xp, t)[..., None], hessian
    )


def well() -> FunctionGraph:
    """f = −exp(−|θ|²/2), any d: curvature 1 at the bottom, the largest."""

    def dent(xp, t):
        return xp.exp(-_square(xp, t) / 2)

    return _graph(
        "well",
        lambda xp, t: -dent(xp, t),
        lambda xp, t: dent(xp, t)[..., None] * t,
        lambda xp, t: dent(xp, t)[..., None, None] * (_identity(xp, t) - _outer(t)),
    )


def double_well() -> FunctionGraph:
    """f = (θ² − 1)², d = 1."""
    return _graph(
        "double well",
        lambda xp, t: (t[..., 0] ** 2 - 1) ** 2,
        lambda xp, t: 4 * t * (t**2 - 1),
        lambda xp, t: (12 * t**2 - 4)[..., None],
    )


def monkey_saddle() -> FunctionGraph:
    """f = x³ − 3xy², d = 2: Gaussian curvature −36r²/(1 + 9r⁴)²."""

    def stack(xp, *entries):
        return xp.stack(entries, axis=-1)

    def hessian(xp, t):
        x, y = t[..., 0], t[..., 1]
        return stack(xp, stack(xp, 6 * x, -6 * y), stack(xp, -6 * y, -6 * x))

    return _graph(
        "monkey saddle",
        lambda xp, t: t[..., 0] ** 3 - 3 * t[..., 0] * t[..., 1] ** 2,
        lambda xp, t: stack(xp, 3 * t[..., 0] ** 2 - 3 * t[..., 1] ** 2, -6 * t[..., 0] * t[..., 1]),
        hessian,
    )


def exponential() -> FunctionGraph:
    """f = eᶿ, d = 1: critical radius 3√3/2, at θ = −½ ln 2."""
    return _graph(
        "exponential", lambda xp, t: xp.exp(t[..., 0]), lambda xp, t: xp.exp(t), lambda xp, t: xp.exp(t)[..., None]
    )


def wrinkled() -> FunctionGraph:
    """f = Σ sin(k²θ)/k², k ≤ 100, d = 1: Eq. (13) of Belgoumri et al. (2025), curvatures up to 2·10⁵."""
    squares = np.arange(1.0, 101) ** 2

    def phases(xp, t):
        k2 = xp.asarray(squares, dtype=t.dtype, device=device(t))
        return k2, k2 * t[..., None]

    def value(xp, t):
        k2, phase = phases(xp, t)
        return xp.sum(xp.sin(phase) / k2, axis=(-2, -1))

    def hessian(xp, t):
        k2, phase = phases(xp, t)
        return -xp.sum(xp.sin(phase) * k2, axis=-1)[..., None]

    return _graph("wrinkled", value, lambda xp, t: xp.sum(xp.cos(phases(xp, t)[1]), axis=-1), hessian)


def counting(surface):
    """The same surface, and the list of its evaluations."""
    calls = []

    def pair(theta):
        calls.append(theta)
        return surface.value_and_gradient(theta)

    return FunctionGraph.from_value_and_gradient(pair, hessian=surface.hessian), calls
