"""How far a right port may be from the truth: a rounding budget for every number, from the conditioning of the case.

Every operation of a port rounds. An error made in producing the inner iterate θ^(j) reaches the result multiplied by
the Jacobians of the iterations that follow,

    tolerance = SAFETY · Σ_j |J_{P−1} ··· J_j| ℓ_j,    J_k = I − γ(I + ggᵀ + (f − y)H) at θ^(k),

entry by entry, where ℓ_j bounds the rounding of one iteration in whatever order a port sums. Where a case amplifies
rounding until it is as large as the step itself, no verdict is possible at that level.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.dialects import Dialect
from rbo_ref.oracle.losses import Loss
from rbo_ref.oracle.truth import Hyper, TrueStep, midpoints

__all__ = ["SAFETY", "Budget", "budget_of", "inner_budget", "is_decidable"]

Floats = NDArray[numpy.float64]
SAFETY = 2.0
DECIDABLE = 1e-2  # a tolerance above this fraction of the move says nothing about the mathematics


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


def budget_of(loss: Loss, step: TrueStep, theta: Floats, hyper: Hyper, dialect: Dialect, unit: float) -> Budget:
    """The tolerances of one step in a format with the given unit roundoff."""
    d = theta.size
    normal, tangent = midpoints(step.normal), midpoints(step.tangent)
    center, candidate = midpoints(step.center), midpoints(step.candidate)
    value = center[-1] - hyper.radius * normal[-1]
    origin = numpy.abs([*theta, value])
    e_normal = (d / 2 + 6) * numpy.abs(normal)
    e_tangent = numpy.array([1.0] * d + [d + 3.0]) * numpy.abs(tangent)
    e_center = 3 * origin + hyper.radius * (e_normal + 2 * numpy.abs(normal))
    e_candidate = e_center + numpy.abs(center) + hyper.learning_rate * (e_tangent + 2 * numpy.abs(tangent))
    e_theta = _propagated(loss, [midpoints(x) for x in step.inner], candidate, e_candidate, hyper, dialect)
    scale = SAFETY * unit
    decidable = is_decidable(scale * e_theta, midpoints(step.theta) - theta)
    return Budget(
        scale * e_normal, scale * e_tangent, scale * e_center, scale * e_candidate, scale * e_theta, decidable
    )


def _propagated(
    loss: Loss, inner: list[Floats], candidate: Floats, e_candidate: Floats, hyper: Hyper, dialect: Dialect
) -> Floats:
    """Σ_j |J_{P−1} ··· J_j| ℓ_j in units of the roundoff."""
    rate = hyper.projection_rate * dialect.factor
    product = numpy.eye(inner[0].size)
    largest = numpy.abs(inner).max(axis=0)
    with numpy.errstate(over="ignore", invalid="ignore"):
        total = 2 * largest  # the result may be formed as θ_t + (θ_{t+1} − θ_t)
        for theta in reversed(inner[:-1]):
            local, jacobian = _local(loss, theta, candidate, e_candidate, rate)
            total = total + numpy.abs(product) @ (local + 2 * largest)
            product = product @ jacobian
        seed = largest if dialect.start == "contact" else largest + e_candidate[:-1]
        return total + numpy.abs(product) @ seed


def _local(loss: Loss, theta: Floats, candidate: Floats, e_candidate: Floats, rate: float) -> tuple[Floats, Floats]:
    """Rounding of one inner iteration beyond that of θ itself, and its Jacobian."""
    value, gradient = _float_value_and_gradient(loss, theta)
    x, y = candidate[:-1], candidate[-1]
    slope, height = numpy.abs(gradient), value - y
    e_height = 2 * abs(value) + 3 * abs(height) + e_candidate[-1]
    e_across = 2 * numpy.abs(theta - x) + e_candidate[:-1] + numpy.abs(theta) + numpy.abs(x)
    local = rate * (e_across + slope * (e_height + 3 * abs(height)))
    curved = numpy.eye(theta.size) + numpy.outer(gradient, gradient) + height * loss.hessian(theta)
    return local, numpy.eye(theta.size) - rate * curved


def inner_budget(
    loss: Loss, theta: Floats, after: Floats, candidate: Floats, e_candidate: Floats, rate: float, unit: float
) -> Floats:
    """Tolerance of one inner iteration from a θ that the port may hold more precisely than it asked about."""
    local, jacobian = _local(loss, theta, candidate, e_candidate / unit, rate)
    kept = numpy.abs(jacobian) @ numpy.abs(theta) + 3 * numpy.maximum(numpy.abs(theta), numpy.abs(after))
    return SAFETY * unit * (local + kept)


def _float_value_and_gradient(loss: Loss, theta: Floats) -> tuple[float, Floats]:
    from flint import arb

    value, gradient = loss.value_and_gradient([arb(float(t)) for t in theta])
    return float(value.mid()), midpoints(gradient)
