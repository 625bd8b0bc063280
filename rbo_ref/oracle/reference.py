"""The package's own loop in the shape of a port: the oracle judges it like any other."""

from __future__ import annotations

from typing import Any

from geometry import Descent, FunctionGraph
from geometry._namespace import Array
from rbo_ref.rolling_ball import RollingBall

__all__ = ["jitted_rolling_ball", "rolling_ball"]


def rolling_ball(
    loss: Any, theta: Array, *, learning_rate: float, radius: float, projection_rate: float, projection_steps: int
) -> dict[str, Array]:
    """One step of `RollingBall` with the paper's inner loop, and its intermediates."""
    ball = RollingBall(learning_rate, radius, Descent(projection_rate, projection_steps))
    step = ball.step(FunctionGraph.from_value_and_gradient(loss), theta, ball.init(theta))
    return {
        "theta": step.theta,
        "normal": step.normal,
        "tangent": step.tangent,
        "center": step.center,
        "candidate": step.candidate,
    }


def jitted_rolling_ball(loss: Any, theta: Array, **hyper: Any) -> dict[str, Array]:
    """The same under ``jax.jit``."""
    import jax

    return jax.jit(lambda t: rolling_ball(loss, t, **hyper))(theta)
