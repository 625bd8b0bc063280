"""How far a right port may be from the truth: a rounding budget for every number, from the conditioning of the case.

Every operation of a port rounds. The errors made in one inner iteration, at most ℓ_j in whatever order a port sums,
reach the result multiplied by the Jacobians of the iterations that follow,

    tolerance = Σ_j |J_{P−1} ··· J_{j+1}| ℓ_j,    J_k = I − γ(I + ggᵀ + (f − y)H),

entry by entry. Each J_k is enclosed over the whole box of places where a right port may be after k iterations, and what
it varies there counts as a further error, so that the sum is a bound and not a linearisation. A port that is outside
it is wrong. Where a case amplifies rounding until it is as large as the step itself, a port inside it may be wrong too.

A port may declare that it computes inside in another format than that of θ. In a coarser one it rounds θ first, which
moves every quantity; in a finer one, only what it hands out is rounded to the format of θ.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.dialects import Dialect
from rbo_ref.oracle.losses import Loss, Vector, column, identity
from rbo_ref.oracle.precision import working_precision
from rbo_ref.oracle.rounding import Format, coarser
from rbo_ref.oracle.truth import Hyper, TrueStep, enclosed, midpoints

__all__ = [
    "SAFETY",
    "UNDECIDABLE",
    "Budget",
    "budget_of",
    "handing_over",
    "inner_budget",
    "is_decidable",
    "projection_budget",
    "rounding",
    "share_of",
    "storing",
]

Floats = NDArray[numpy.float64]
SAFETY = 2.0  # unit roundoffs allowed to an operation, for the sake of formulations that were not thought of
DECIDABLE = 1e-2  # of the move: the tolerance within which a port is right
COARSE = 512  # in unit roundoffs, what 16-bit formats are allowed instead,
UNDECIDABLE = 0.5  # up to this
PRECISION = 128  # bits, for Jacobians


class Budget(NamedTuple):
    """Tolerances of the quantities of one step; entries as in `TrueStep`."""

    normal: Floats
    tangent: Floats
    center: Floats
    candidate: Floats
    theta: Floats
    is_decidable: bool  # whether the tolerance of theta is small against the move


def is_decidable(tolerance: Floats, move: Floats, target: Format) -> bool:
    """Whether errors of a wrong port would stand out from rounding to this format."""
    return bool(numpy.isfinite(tolerance).all() and tolerance.max() <= share_of(target) * numpy.abs(move).max())


def share_of(target: Format) -> float:
    """The largest share of a move that a tolerance may be: a port within a larger one has proved nothing."""
    return min(max(DECIDABLE, COARSE * target.unit), UNDECIDABLE)


def rounding(numbers: Floats, target: Format) -> Floats:
    """The error of one operation with such results: what is subnormal may be flushed to zero, the range may be left."""
    size = numpy.abs(numbers)
    error = SAFETY * target.unit * size + target.smallest_normal
    return numpy.where(size < 2.0 ** (target.most - 2), error, numpy.inf)


def storing(numbers: Floats, target: Format, inside: Format) -> Floats:
    """The error of handing out numbers that were computed in another format: none if that is no finer."""
    return rounding(numbers, target) if target.precision < inside.precision else 0 * numbers


def _lost(parameter: float, inside: Format) -> float:
    """How much of a hyper-parameter a format may lose beyond its rounding: small ones flush, large ones overflow."""
    if abs(parameter) >= 2.0 ** (inside.most - 2):
        return numpy.inf
    return abs(parameter) if abs(parameter) < 2 * inside.smallest_normal else 0.0


@lru_cache(maxsize=4096)
def budget_of(
    loss: Loss, step: TrueStep, hyper: Hyper, dialect: Dialect, target: Format, inside: Format | None = None
) -> Budget:
    """The tolerances of one step from a θ of the target format; of all quantities but θ, before they are handed out."""
    d, inside = len(step.contact) - 1, inside or target
    if not step.is_tight:
        unknown = numpy.full(d + 1, numpy.nan)
        return Budget(unknown, unknown, unknown, unknown, unknown[:-1], False)
    contact, normal, tangent = midpoints(step.contact), midpoints(step.normal), midpoints(step.tangent)
    old, new = contact[:-1], midpoints(step.theta)
    with numpy.errstate(all="ignore"):  # what overflows makes a tolerance infinite or NaN: nothing is decidable then
        square = 1 + tangent[-1:]
        relative = (d / 2 + 6) * rounding(square, inside) / square
        e_normal = relative * numpy.abs(normal) + rounding(normal, inside)
        e_tangent = numpy.array([1.0] * d + [d + 3.0]) * rounding(tangent, inside)
        e_center = 3 * rounding(contact, inside) + _lost(hyper.radius, inside) * numpy.abs(normal)
        e_center = e_center + hyper.radius * (e_normal + 3 * rounding(normal, inside))
        e_candidate = e_center + rounding(midpoints(step.center), inside)
        e_candidate = e_candidate + _lost(hyper.learning_rate, inside) * numpy.abs(tangent)
        e_candidate = e_candidate + hyper.learning_rate * (e_tangent + 3 * rounding(tangent, inside))
        e_old = storing(old, inside, target)  # θ is rounded to a coarser format first
        if e_old.any():
            moved = _moved(loss, step, hyper, dialect, e_old)
            e_normal, e_tangent, e_center, e_candidate = (
                error + more for error, more in zip((e_normal, e_tangent, e_center, e_candidate), moved, strict=True)
            )
        e_start = e_candidate[:-1] if dialect.start == "candidate" else e_old
        rate = hyper.projection_rate * dialect.factor
        e_theta = _spread(loss, step.inner, step.candidate, e_start, e_candidate, rate, inside)
        e_theta = e_theta + handing_over(old, new, coarser(target, inside))
    decidable = is_decidable(e_theta, new - old, coarser(target, inside))
    return Budget(e_normal, e_tangent, e_center, e_candidate, e_theta, decidable)


def _moved(loss: Loss, step: TrueStep, hyper: Hyper, dialect: Dialect, radius: Floats) -> list[Floats]:
    """How far normal, tangent, centre and candidate are from those at another θ in this box."""
    from flint import arb

    with working_precision(PRECISION):
        box = [t + arb(0, float(r)) for t, r in zip(step.contact, radius, strict=False)]
        there = enclosed(loss, box, hyper._replace(projection_steps=0), dialect)
        pairs = (
            (there.normal, step.normal),
            (there.tangent, step.tangent),
            (there.center, step.center),
            (there.candidate, step.candidate),
        )
        return [_size([a - b for a, b in zip(one, other, strict=True)]) for one, other in pairs]


def projection_budget(
    loss: Loss,
    theta: Floats,
    inner: list[Vector],
    candidate: Vector,
    hyper: Hyper,
    dialect: Dialect,
    target: Format,
    inside: Format | None = None,
) -> Floats:
    """Tolerance of the last of the inner iterates of a candidate that was handed out, the step being from θ."""
    inside = inside or target
    rate = hyper.projection_rate * dialect.factor
    with numpy.errstate(all="ignore"):
        e_candidate = storing(midpoints(candidate), target, inside)
        e_start = e_candidate[:-1] if dialect.start == "candidate" else storing(theta, inside, target)
        spread = _spread(loss, inner, candidate, e_start, e_candidate, rate, inside)
        return spread + handing_over(theta, midpoints(inner[-1]), coarser(target, inside))


def handing_over(old: Floats, new: Floats, target: Format) -> Floats:
    """The new θ may be formed as θ + (θ' − θ)."""
    return rounding(new - old, target) + rounding(new, target)


def inner_budget(
    loss: Loss,
    theta: Vector,
    after: Vector,
    candidate: Vector,
    e_candidate: Floats,
    rate: float,
    shown: Format,
    inside: Format | None = None,
) -> Floats:
    """Tolerance of one inner iteration from a θ that the port may hold more precisely than it showed."""
    e_start, e_after = rounding(midpoints(theta), shown), rounding(midpoints(after), shown)
    with numpy.errstate(all="ignore"):
        return e_after + _spread(loss, [theta, after], candidate, e_start, e_candidate, rate, inside or shown)


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
    from flint import arb

    with working_precision(PRECISION):
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
    local = rate * (e_across + e_candidate[:-1] + e_product) + _lost(rate, target) * (side + slope * height)
    return numpy.array([midpoints(row) for row in jacobian]), numpy.array([_radii(row) for row in jacobian]), local


def _size(vector: Vector) -> Floats:
    """The largest absolute values in balls."""
    return numpy.array([float(abs(ball).upper()) for ball in vector])


def _radii(vector: Vector) -> Floats:
    return numpy.array([float(ball.rad()) for ball in vector])


def _largest(*vectors: Vector) -> Floats:
    return numpy.max([_size(vector) for vector in vectors], axis=0)
