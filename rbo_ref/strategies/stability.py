"""Hyper-parameters, and what is known of the inner loop before it runs: where it is stable and where it is not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy
from hypothesis import strategies as st

from geometry._namespace import Array
from rbo_ref.oracle.dialects import Hyper
from rbo_ref.strategies.landscape import Landscape
from rbo_ref.strategies.numbers import radii

__all__ = ["REGIMES", "InnerBounds", "hyper_parameters", "inner_bounds"]

REGIMES = ("stable", "unstable", "any")
SIMPLE = (1.0, 0.5, 0.25, 2.0, 0.125, 0.0625, 0.015625, 0.00390625)  # learning rates


class InnerBounds(NamedTuple):
    """Bounds of the inner loop's problem, min φ(t) = ½|c̃ − (t, f(t))|², as long as φ does not rise.

    They hold on {t : φ(t) ≤ φ(θ)}, where |f − y| ≤ r and |t − θ| ≤ 2r.
    """

    distance: float  # r = |c̃ − p| = √(ρ² + η²|τ|²), from the candidate to the contact
    slope: float  # of |∇f|
    low: float  # of the eigenvalues of ∇²φ = I + ggᵀ + (f − y)∇²f from below: 1 − rh, h bounding ‖∇²f‖
    high: float  # and from above: 1 + |∇f|² + rh


def inner_bounds(landscape: Landscape, theta: Array, learning_rate: float, radius: float) -> InnerBounds:
    """The bounds for the step from θ.

    Gradient descent on φ with γ ≤ 1/high never moves away from the candidate (the descent lemma), so that it stays
    where the bounds hold.

    Examples
    --------
    >>> from rbo_ref.strategies import Ridge
    >>> inner_bounds(Landscape((Ridge("linear", 1.0, (0.75,)),)), numpy.zeros(1), 1.0, 2.0).high
    1.5625
    """
    theta = numpy.asarray(theta, dtype=float)
    steepness = float(numpy.linalg.norm(landscape.graph.gradient(theta)))
    tangent = steepness * math.hypot(1, steepness)
    r, h = math.hypot(radius, learning_rate * tangent), landscape.curvature_bound
    slope = min(landscape.slope_bound, steepness + 2 * r * h)
    return InnerBounds(r, slope, 1 - r * h, 1 + slope**2 + r * h)


@st.composite
def hyper_parameters(
    draw: Callable[[st.SearchStrategy[Any]], Any],
    landscape: Landscape,
    theta: Array,
    *,
    regime: str = "stable",
    learning_rates: st.SearchStrategy[float] | None = None,
    radii: st.SearchStrategy[float] = radii(below=16.0),  # noqa: B008
    max_steps: int = 12,
) -> Hyper:
    """η, ρ, γ and P for the step of a ball from θ.

    Parameters
    ----------
    landscape, theta
        What the ball is on.
    regime : {"stable", "unstable", "any"}
        "stable": γ ≤ 1/(1 + |∇f|² + rh), with which the inner loop provably approaches the candidate (`inner_bounds`).
        "unstable": γ ≥ 2/λ for the largest eigenvalue λ of the inner Hessian I + ggᵀ + (f − y)∇²f at the contact, so
        that the first iterations move away along its eigenvector.
    learning_rates, radii : strategies, optional
    max_steps : int
        Largest P.

    Examples
    --------
    >>> from hypothesis import find
    >>> from rbo_ref.strategies import Ridge
    >>> bowl = Landscape((Ridge("square", 1.0, (1.0,)),))
    >>> hyper = find(hyper_parameters(bowl, [0.0], radii=st.just(0.5)), lambda hyper: hyper.projection_steps > 2)
    >>> hyper.radius, hyper.projection_steps > 2
    (0.5, True)
    """
    if regime not in REGIMES:
        raise ValueError(f"regime must be one of {', '.join(REGIMES)}, got {regime!r}")
    eta = draw(st.sampled_from(SIMPLE) if learning_rates is None else learning_rates)
    rho, steps = draw(radii), draw(st.integers(1, max_steps))
    unstable = draw(st.booleans()) if regime == "any" else regime == "unstable"
    if unstable:
        least = 2 / _largest_eigenvalue(landscape, numpy.asarray(theta, dtype=float), eta, rho)
        gamma = draw(st.sampled_from([1.0, 1.5, 2.0])) * 2.0 ** math.ceil(math.log2(least))
    else:
        most = 1 / inner_bounds(landscape, theta, eta, rho).high
        gamma = draw(st.sampled_from([1.0, 0.75, 0.5, 0.25, 0.0625])) * 2.0 ** math.floor(math.log2(most))
    return Hyper(eta, rho, gamma, steps)


def _largest_eigenvalue(landscape: Landscape, theta: Array, eta: float, rho: float) -> float:
    """Of ∇²φ at the contact, where f − y = −ρ/W + η|g|²; at least 1/2, to bound the rates."""
    g, hessian = landscape.graph.gradient(theta), landscape.graph.hessian(theta)
    rise = eta * float(g @ g) - rho / math.hypot(1, *g)
    inner = numpy.eye(len(g)) + numpy.outer(g, g) + rise * hessian
    return max(float(numpy.linalg.eigvalsh(inner)[-1]), 0.5)
