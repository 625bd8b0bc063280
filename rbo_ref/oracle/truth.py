"""The truth: one step of Algorithm 1 in ball arithmetic, with the precision doubled until the enclosure is tight.

This file shares no line with the code it judges.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.dialects import Dialect
from rbo_ref.oracle.losses import Loss, Vector
from rbo_ref.oracle.precision import working_precision
from rbo_ref.oracle.rounding import Format, exact, nearest

if TYPE_CHECKING:
    from flint import arb

__all__ = [
    "Hyper",
    "TrueStep",
    "correctly_rounded",
    "deviation_of",
    "enclosed",
    "error_of",
    "inner_step",
    "midpoints",
    "true_step",
]

Point = tuple[Any, ...]  # numbers of one floating dtype
PRECISIONS = tuple(2**k for k in range(7, 15))


class Hyper(NamedTuple):
    """The hyper-parameters of one step."""

    learning_rate: float  # η
    radius: float  # ρ
    projection_rate: float  # γ
    projection_steps: int  # P


@dataclass(frozen=True, eq=False)
class TrueStep:
    """One step of Algorithm 1, enclosed. Lists of balls; ambient vectors have d + 1 entries, height last."""

    contact: Vector  # (θ, f(θ))
    normal: Vector
    tangent: Vector
    center: Vector
    candidate: Vector
    inner: list[Vector]  # θ^(0), ..., θ^(P)
    is_tight: bool = True

    @property
    def theta(self) -> Vector:
        return self.inner[-1]


def enclosed(loss: Loss, theta: Vector, hyper: Hyper, dialect: Dialect) -> TrueStep:
    """Algorithm 1, lines 4 to 6, as printed (with p for θ in line 4), at the working precision of `flint.ctx`."""
    value, gradient = loss.value_and_gradient(theta)
    square = sum((g * g for g in gradient[1:]), gradient[0] * gradient[0])
    stretch = (1 + square).sqrt()
    normal = [-g / stretch for g in gradient] + [1 / stretch]
    tangent = [*gradient, square]
    contact = [*theta, value]
    center = [p + hyper.radius * n for p, n in zip(contact, normal, strict=True)]
    candidate = [c - hyper.learning_rate * t for c, t in zip(center, tangent, strict=True)]
    inner = [theta if dialect.start == "contact" else candidate[:-1]]
    for _ in range(hyper.projection_steps):
        inner.append(inner_step(loss, inner[-1], candidate, hyper.projection_rate * dialect.factor))
    return TrueStep(contact, normal, tangent, center, candidate, inner)


def inner_step(loss: Loss, theta: Vector, candidate: Vector, rate: float) -> Vector:
    """One inner iteration, θ − γ[(θ − x) + (f − y)∇f], the candidate being (x, y)."""
    value, gradient = loss.value_and_gradient(theta)
    height = value - candidate[-1]
    return [t - rate * ((t - x) + height * g) for t, x, g in zip(theta, candidate, gradient, strict=False)]


def _is_tight(step: TrueStep, target: Format) -> bool:
    """Whether every ball is 2^20 times narrower than the rounding of its entry, for θ of the largest entry."""
    own = [[ball] for vector in (step.normal, step.tangent, step.center, step.candidate) for ball in vector]
    return all(_are_narrow(balls, target) for balls in (*own, *step.inner))


def _are_narrow(balls: Vector, target: Format) -> bool:
    from flint import arb

    rounding = max(abs(ball.mid()) for ball in balls) * target.unit + arb((1, target.least))
    return all(ball.is_finite() and ball.rad() <= rounding * 2.0**-20 for ball in balls)


@lru_cache(maxsize=4096)
def true_step(loss: Loss, theta: Point, hyper: Hyper, dialect: Dialect, target: Format) -> TrueStep:
    """The step from an exact θ, enclosed more tightly than numbers of the format can tell.

    A step that even the largest precision cannot follow, because it explodes, is returned with ``is_tight`` false.
    """
    start = [exact(t) for t in theta]
    for precision in PRECISIONS:
        with working_precision(precision):
            step = enclosed(loss, start, hyper, dialect)
            if _is_tight(step, target):
                return step
    return replace(step, is_tight=False)


@lru_cache(maxsize=65536)
def correctly_rounded(loss: Loss, theta: Point, target: Format) -> tuple[Any, NDArray[Any]]:
    """f(θ) and ∇f(θ), each number the nearest of the format."""
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


def midpoints(vector: Vector) -> NDArray[numpy.float64]:
    """The midpoints of balls, in float64."""
    return numpy.array([float(ball.mid()) for ball in vector])


def error_of(numbers: NDArray[Any], truth: Vector) -> NDArray[numpy.float64]:
    """|number − truth|, entry by entry, computed exactly and rounded up to float64 (inf for NaN)."""

    def one(number: Any, ball: arb) -> float:
        return float(abs(exact(number) - ball).upper()) if numpy.isfinite(number) else numpy.inf

    with working_precision(256):
        return numpy.array([one(x, ball) for x, ball in zip(numbers.reshape(-1), truth, strict=True)])


def deviation_of(numbers: NDArray[Any], truth: Vector) -> NDArray[numpy.float64]:
    """number − truth, entry by entry, with its sign (NaN for what is not finite)."""
    from flint import ctx

    def one(number: Any, ball: arb) -> float:
        return float((exact(number) - ball).mid()) if numpy.isfinite(number) else numpy.nan

    with ctx.workprec(256):
        return numpy.array([one(x, ball) for x, ball in zip(numbers.reshape(-1), truth, strict=True)])
