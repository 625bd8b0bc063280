"""Trajectories of balls as loops compiled with the loss, where `rbo_ref.run.trajectory` has much to do."""

from __future__ import annotations

from typing import Any

import numpy

from geometry import Descent, FunctionGraph, GaussNewton, Newton, project, steepest_tangent
from geometry._beside import is_balanced
from geometry._kernels import kernel
from geometry._lending import lend
from geometry._namespace import Array, Namespace, array_namespace, per_item, quietly
from geometry._vectors import length
from rbo_ref.rolling_ball import RollingBall

__all__ = ["rolled"]

SEARCH = 150
"""Evaluations on arrays that last as long as the operations of one search, if the items are few."""
NEARER = 1e-9
"""Share of the distance that is no rounding."""


def rolled(ball: Any, surface: FunctionGraph, theta: Array, steps: int) -> tuple[Array, Array, Array] | None:
    """What a `Trajectory` of the ball holds; None where the loop over arrays rolls it, or answers bad arguments."""
    xp = array_namespace(theta)
    if type(ball) is not RollingBall or 0 in (steps, theta.ndim, *theta.shape[-1:]):
        return None
    if type(ball.solver) not in (Descent, GaussNewton, Newton, type(None)):
        return None
    hyper = [per_item(xp, name, getattr(ball, name), theta) for name in ("radius", "learning_rate")]
    try:
        shape = numpy.broadcast_shapes(theta.shape, *((*numpy.shape(array)[:-1], 1) for array in hyper))
    except ValueError:
        return None
    inner = ball.solver.steps if isinstance(ball.solver, Descent) else SEARCH
    start = xp.broadcast_to(theta, shape)
    expression = surface.to_compile(start, steps * (1 + inner))
    if expression is None or (projection := _projection(xp, ball.solver, surface, start)) is None:
        return None
    rates, *settings = projection
    (rates, theta, *hyper), back = lend(rates, theta, *hyper)
    if (compiled := kernel("roll", array_namespace(theta))) is None:
        return None
    path = compiled(expression, theta, *hyper, steps, (rates, *settings), carried=ball.variant == "distance")
    theta, height, center = map(back, path)
    doubts = rates is None and (isinstance(ball.solver, GaussNewton) or not expression.is_smooth)
    return None if doubts and _strays(ball, surface, theta, center) else (theta, height, center)


@quietly
def _strays(ball: RollingBall, surface: FunctionGraph, theta: Array, center: Array) -> bool:
    """Whether `geometry.project`, which looks beside such places, finds a nearer point than a ball that is balanced."""
    xp = array_namespace(theta)
    here, there, candidate = theta[:-1], theta[1:], center[1:]
    balanced = is_balanced(there, here)
    if not xp.any(balanced):
        return False
    if ball.variant == "footpoint":
        eta = per_item(xp, "learning_rate", ball.learning_rate, here[0])
        candidate = center[:-1] - eta * steepest_tangent(surface.gradient(here))
    candidate, there = candidate[balanced], there[balanced]
    nearest = project(surface, candidate, ball.solver, start=there).distance
    return bool(xp.any(nearest < (1 - NEARER) * length(xp, candidate - surface.point(there))))


def _projection(xp: Namespace, solver: Any, surface: FunctionGraph, theta: Array) -> tuple[Any, ...] | None:
    """A solver as compiled loops know it: rates, steps, whether it is Newton's, tolerance."""
    if isinstance(solver, Descent):
        return per_item(xp, "rate", solver.rate, theta), solver.steps, False, None
    if solver is None:
        solver = Newton() if surface.has_second_order(theta) else GaussNewton()
    if isinstance(solver, Newton) and solver.matrix is False:
        return None
    return None, solver.max_steps, isinstance(solver, Newton), solver.tolerance
