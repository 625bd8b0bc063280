"""Algorithm 1 and its parts in arithmetic that knows the truth and what rounding may do to it.

Vectors of the ambient space are pairs: the horizontal part, and the height.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import NamedTuple

from rbo_ref.oracle.dialects import Dialect
from rbo_ref.oracle.optimizers.rounded import Arithmetic, Rounded
from rbo_ref.oracle.optimizers.truth import Problem
from rbo_ref.oracle.truth import Hyper

__all__ = ["Ambient", "Lift", "inner_iteration", "lifted", "projection", "walk"]

Ambient = tuple[Rounded, Rounded]


class Lift(NamedTuple):
    """From the contact to the candidate."""

    normal: Ambient
    tangent: Ambient
    center: Ambient
    candidate: Ambient


def lifted(arithmetic: Arithmetic, theta: Rounded, value: Rounded, gradient: Rounded, hyper: Hyper) -> Lift:
    """ν = (−g, 1)/W,  τ = (g, |g|²),  c = (θ, f) + ρν,  c̃ = c − ητ."""
    eta, rho = arithmetic.given(hyper.learning_rate), arithmetic.given(hyper.radius)
    square = (gradient * gradient).sum().again(2)  # some take the square of the norm
    slope = (1 + square).sqrt().reciprocal()
    normal, tangent = (-(gradient * slope), slope), (gradient, square)
    center = (theta + rho * normal[0], value + rho * normal[1])
    return Lift(normal, tangent, center, (center[0] - eta * tangent[0], center[1] - eta * tangent[1]))


def inner_iteration(theta: Rounded, value: Rounded, gradient: Rounded, candidate: Ambient, rate: Rounded) -> Rounded:
    """θ − γ[(θ − x) + (f − y)∇f], the candidate being (x, y)."""
    return theta - rate * ((theta - candidate[0]) + (value - candidate[1]) * gradient)


def projection(problem: Problem, start: Rounded, candidate: Ambient, rate: Rounded, steps: int) -> Rounded:
    """The last inner iterate θ^(P)."""
    theta = start
    for _ in range(steps):
        value, gradient = problem.value_and_gradient(theta)
        theta = inner_iteration(theta, value, gradient, candidate, rate)
    return theta


def walk(
    problem: Problem, theta: Rounded, hypers: Iterable[Hyper], dialect: Dialect
) -> Generator[Rounded, Rounded, None]:
    """θ_{t+1}, one step after the other; it is sent where the next one starts."""
    for hyper in hypers:
        value, gradient = problem.value_and_gradient(theta)
        candidate = lifted(problem.arithmetic, theta, value, gradient, hyper).candidate
        start = theta if dialect.start == "contact" else candidate[0]
        rate = problem.arithmetic.given(hyper.projection_rate) * float(dialect.factor)
        theta = yield projection(problem, start, candidate, rate, hyper.projection_steps)
