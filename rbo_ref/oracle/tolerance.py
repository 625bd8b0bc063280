"""How far a right port may be from the truth: a rounding budget for every number, from the conditioning of the case.

Every operation of a port rounds. The errors made in one inner iteration, at most ℓ_j in whatever order a port sums,
reach the result multiplied by the Jacobians of the iterations that follow,

    tolerance = Σ_j |J_{P−1} ··· J_{j+1}| ℓ_j,    J_k = I − γ(I + ggᵀ + (f − y)H),

entry by entry. Each J_k is enclosed over the whole box of places where a right port may be after k iterations, and what
it varies there counts as a further error, so that the sum is a bound and not a linearisation. Where a case amplifies
rounding until it is as large as the step itself, no verdict is possible at that level.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.dialects import Dialect
from rbo_ref.oracle.losses import Loss, Vector, column, identity
from rbo_ref.oracle.rounding import Format
from rbo_ref.oracle.truth import Hyper, TrueStep, midpoints

__all__ = [
    "SAFETY",
    "Budget",
    "budget_of",
    "handing_over",
    "inner_budget",
    "is_decidable",
    "projection_budget",
    "rounding",
]

Floats = NDArray[numpy.float64]
SAFETY = 2.0  # unit roundoffs allowed to an operation, for the sake of formulations that were not thought of
DECIDABLE = 1e-2  # a tolerance above this fraction of the move says nothing about the mathematics
PRECISION = 128  # bits, for Jacobians


class Budget(NamedTuple):
    """Tolerances of the quantities of one step; entries as in `TrueStep`."""

    normal: Floats
    tangent: Floats
    center: Floats
    candidate: Floats
    theta: Floats
    is_decidable: bool  # whether the tolerance of theta is small against the move


def is_decidable(tolerance: Floats, move: Floats) -> bool:
    """Whether errors of a wrong port would stand out from rounding."""
    return bool(numpy.isfinite(tolerance).all() and tolerance.max() <= DECIDABLE * numpy.abs(move).max())


def rounding(numbers: Floats, target: Format) -> Floats:
    """The error of one operation with such results: what is subnormal may be flushed to zero, the range may be left."""
    size, smallest = numpy.abs(numbers), 2.0 ** (target.least + target.precision - 1)
    return numpy.where(size < 2.0 ** (target.most - 2), SAFETY * target.unit * size + smallest, numpy.inf)


@lru_cache(maxsize=4096)
def budget_of(loss: Loss, step: TrueStep, hyper: Hyper, dialect: Dialect, target: Format) -> Budget:
    """The tolerances of one step in a format."""
    d = len(step.contact) - 1
    if not step.is_tight:
        unknown = numpy.full(d + 1, numpy.nan)
        return Budget(unknown, unknown, unknown, unknown, unknown[:-1], False)
    contact, normal, tangent = midpoints(step.contact), midpoints(step.normal), midpoints(step.tangent)
    old, new = contact[:-1], midpoints(step.theta)
    with numpy.errstate(all="ignore"):  # what overflows makes a tolerance infinite or NaN: nothing is decidable then
        square = 1 + tangent[-1:]
        relative = (d / 2 + 6) * rounding(square, target) / square
        e_normal = relative * numpy.abs(normal) + rounding(normal, target)
        e_tangent = numpy.array([1.0] * d + [d + 3.0]) * rounding(tangent, target)
        e_center = 3 * rounding(contact, target) + hyper.radius * (e_normal + 3 * rounding(normal, target))
        e_candidate = e_center + rounding(midpoints(step.center), target)
        e_candidate = e_candidate + hyper.learning_rate * (e_tangent + 3 * rounding(tangent, target))
        e_start = e_candidate[:-1] if dialect.start == "candidate" else numpy.zeros(d)
        rate = hyper.projection_rate * dialect.factor
        e_theta = _spread(loss, step.inner, step.candidate, e_start, e_candidate, rate, target)
        e_theta = e_theta + handing_over(old, new, target)
    return Budget(e_normal, e_tangent, e_center, e_candidate, e_theta, is_decidable(e_theta, new - old))


def projection_budget(
    loss: Loss, theta: Floats, inner: list[Vector], candidate: Vector, rate: float, target: Format
) -> Floats:
    """Tolerance of the last of the inner iterates of an exact candidate, the step being from θ."""
    exact = numpy.zeros(len(candidate))
    with numpy.errstate(all="ignore"):
        spread = _spread(loss, inner, candidate, exact[:-1], exact, rate, target)
        return spread + handing_over(theta, midpoints(inner[-1]), target)


def handing_over(old: Floats, new: Floats, target: Format) -> Floats:
    """The new θ may be formed as θ + (θ' − θ)."""
    return rounding(new - old, target) + rounding(new, target)


def inner_budget(
    loss: Loss, theta: Vector, after: Vector, candidate: Vector, e_candidate: Floats, rate: float, target: Format
) -> Floats:
    """Tolerance of one inner iteration from a θ that the port may hold more precisely than it asked about."""
    e_start, e_after = rounding(midpoints(theta), target), rounding(midpoints(after), target)
    with numpy.errstate(all="ignore"):
        return e_after + _spread(loss, [theta, after], candidate, e_start, e_candidate, rate, target)


def _spread(
    loss: Loss,
    inner: list[Vector],
    candidate: Vector,
    e_start: Floats,
    e_candidate: Floats,
    rate: float,
    target: Format,
) -> Floats:
    """How far from the last inner iterate right ports may end.

    They lie in a zonotope about the true iterate, a generator for each rounding so far.
    """
    generators = numpy.diag(e_start)
    for theta, after in pairwise(inner):
        radius = numpy.abs(generators).sum(axis=1)
        if not numpy.isfinite(radius).all():
            return radius
        jacobian, doubt, local = _iteration(loss, theta, radius, candidate, e_candidate, rate, target)
        local = local + doubt @ radius + 2 * rounding(_largest(theta, after), target)
        generators = numpy.hstack([jacobian @ generators, numpy.diag(local)])
    return numpy.abs(generators).sum(axis=1)


def _iteration(
    loss: Loss, theta: Vector, radius: Floats, candidate: Vector, e_candidate: Floats, rate: float, target: Format
) -> tuple[Floats, Floats, Floats]:
    """Of one inner iteration: its Jacobian, how much that varies over the box about θ, and its rounding there."""
    from flint import arb, ctx

    with ctx.workprec(PRECISION):
        box = [t + arb(0, float(r)) for t, r in zip(theta, radius, strict=True)]
        value, gradient = loss.value_and_gradient(box)
        rise, slopes = value - candidate[-1], column(gradient)
        curved = identity(len(box)) + slopes * slopes.transpose() + loss.hessian(box) * rise
        jacobian = (identity(len(box)) - curved * rate).tolist()
        across = [t - x for t, x in zip(box, candidate, strict=False)]
    slope, side = _size(gradient), _size(across)
    level, height = _size([value]), _size([rise])
    e_height = 2 * rounding(level, target) + 2 * rounding(height, target) + e_candidate[-1]
    e_across = 3 * rounding(side, target) + rounding(_size(box), target) + rounding(_size(candidate[:-1]), target)
    e_product = slope * e_height + 2 * height * rounding(slope, target) + 3 * rounding(slope * height, target)
    local = rate * (e_across + e_candidate[:-1] + e_product)
    return numpy.array([midpoints(row) for row in jacobian]), numpy.array([_radii(row) for row in jacobian]), local


def _size(vector: Vector) -> Floats:
    """The largest absolute values in balls."""
    return numpy.array([float(abs(ball).upper()) for ball in vector])


def _radii(vector: Vector) -> Floats:
    return numpy.array([float(ball.rad()) for ball in vector])


def _largest(*vectors: Vector) -> Floats:
    return numpy.max([_size(vector) for vector in vectors], axis=0)
