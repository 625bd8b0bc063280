"""The package's own optimizers in the shape of a port: the oracle judges them like any other."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from geometry import Descent, FunctionGraph
from geometry._namespace import Array, array_namespace
from rbo_ref.oracle.formulas import formula_of
from rbo_ref.rolling_ball import RollingBall

__all__ = ["OPTIONS", "jitted_rolling_ball", "reference", "rolling_ball"]

NAMES = {
    "gradient-descent": "GradientDescent",
    "adam": "Adam",
    "adamw": "AdamW",
    "muon": "Muon",
    "sam": "SAM",
    "entropy-sgd": "EntropySGD",
    "induced-metric": "InducedMetric",
    "alice": "Alice",
    "rmsprop": "RMSprop",
    "nadam": "NAdam",
    "lion": "Lion",
}
OPTIONS: dict[tuple[str, str], dict[str, Any]] = {
    ("muon", "match_rms_adamw"): {"adjustment": "match_rms_adamw"},
    ("entropy-sgd", "code"): {"noise_form": "code", "average_form": "code", "scaled": False},
    ("entropy-sgd", "fixed-scope"): {"scoping": 0.0},
    ("sam", "without-epsilon"): {"epsilon": 0.0},
    ("nadam", "optax"): {"momentum_decay": 1e6},
    ("nadam", "keras"): {"momentum_decay": 1.0},
}
"""Of the package's optimizers, for the dialects that they speak besides the first."""


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
    """The same under ``jax.jit``, compiled once for every loss, shape and number of projection steps."""
    return _compiled()(loss, theta, **hyper)


@cache
def _compiled() -> Callable[..., dict[str, Array]]:
    import jax

    return jax.jit(rolling_ball, static_argnames=("loss", "projection_steps"))


class _Served:
    """The oracle's loss for the package's optimizers, whose parameters have another shape."""

    def __init__(self, loss: Callable[[Array], tuple[Array, Array]], shape: tuple[int, ...]) -> None:
        self.loss, self.shape = loss, shape

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        value, gradient = self.loss(_shaped(theta, self.shape))
        return value, _shaped(gradient, theta.shape)


def _shaped(array: Array, shape: tuple[int, ...]) -> Array:
    return array_namespace(array).reshape(array, shape)


def reference(optimizer: str, dialect: str | None = None) -> Callable[..., Any]:
    """The package's own optimizer as a port; matrices are rows of numbers to all of them but Muon.

    Raises
    ------
    ValueError
        If the package's does not speak the dialect.

    Examples
    --------
    >>> from rbo_ref.oracle import check
    >>> check(reference("adam"), optimizer="adam", cases="usual-*").passed
    True
    """
    import rbo_ref.optimizers

    if optimizer not in NAMES:
        return rolling_ball
    made = getattr(rbo_ref.optimizers, NAMES[optimizer])
    if dialect not in (None, formula_of(optimizer).dialect) and (optimizer, dialect) not in OPTIONS:
        raise ValueError(f"{NAMES[optimizer]} of this package does not speak the dialect {dialect!r}")
    reading = OPTIONS.get((optimizer, dialect or ""), {})

    def port(
        loss: Callable[[Array], tuple[Array, Array]],
        theta: Array,
        *,
        iterations: int,
        draws: Array | None = None,
        **hyper: Any,
    ) -> list[Array]:
        if "nesterov" in hyper and not hyper["momentum"]:
            hyper = hyper | {"nesterov": False}
        stepper, iterates, served = made(**hyper | reading), [], _Served(loss, theta.shape)
        if optimizer != "muon":
            theta = _shaped(theta, (-1,))
        state = stepper.init(theta)
        for t in range(iterations):
            noise = (
                {}
                if draws is None
                else {"noise": _shaped(draws[t, ...], (*draws.shape[1 : -len(served.shape)], *theta.shape))}
            )
            step = stepper.step(served, theta, state, **noise)
            theta, state = step.theta, step.state
            iterates.append(_shaped(theta, served.shape))
        return iterates

    port.__qualname__ = NAMES[optimizer]
    return port
