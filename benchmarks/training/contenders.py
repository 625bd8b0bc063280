"""The optimizers that are compared, and where their hyper-parameters are searched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from geometry import Descent, GaussNewton
from rbo_ref import optimizers
from rbo_ref.rolling_ball import RollingBall

__all__ = ["CONTENDERS", "Contender"]


class Contender(NamedTuple):
    """An optimizer with its search space."""

    title: str
    make: Callable[..., Any]  # of the searched hyper-parameters, by name, and of seed: an optimizer
    ranges: Mapping[str, tuple[float, float]]  # lowest and highest, on a logarithmic scale; integers, if both are
    fixed: str = ""  # what is not searched, in words


def _entropy_sgd(inner_rate: float, scope: float, seed: int) -> Any:
    return optimizers.EntropySGD(1.0, inner_rate=inner_rate, scope=scope, scoping=0.0, scaled=False, seed=seed)


def _rolling_ball(learning_rate: float, radius: float, rate: float, steps: int, seed: int) -> RollingBall:
    return RollingBall(learning_rate, radius, Descent(rate, steps))


def _gauss_newton_ball(learning_rate: float, radius: float, seed: int) -> RollingBall:
    return RollingBall(learning_rate, radius, GaussNewton(max_steps=2))


CONTENDERS: Mapping[str, Contender] = {
    "sgd": Contender(
        "SGD",
        lambda learning_rate, seed: optimizers.GradientDescent(learning_rate),
        {"learning_rate": (1e-3, 10)},
    ),
    "momentum": Contender(
        "SGD, momentum",
        lambda learning_rate, seed: optimizers.GradientDescent(learning_rate, momentum=0.9),
        {"learning_rate": (1e-4, 1)},
        "momentum 0.9",
    ),
    "adam": Contender(
        "Adam",
        lambda learning_rate, seed: optimizers.Adam(learning_rate),
        {"learning_rate": (1e-5, 0.1)},
        "betas 0.9, 0.999",
    ),
    "sam": Contender(
        "SAM",
        lambda learning_rate, radius, seed: optimizers.SAM(learning_rate, radius=radius),
        {"learning_rate": (1e-3, 10), "radius": (0.01, 0.5)},
    ),
    "entropy-sgd": Contender(
        "Entropy-SGD",
        _entropy_sgd,
        {"inner_rate": (1e-3, 10), "scope": (1e-4, 1)},
        "20 inner steps; the outer step ends at their average; no scoping",
    ),
    "rbo": Contender(
        "RBO, gradient steps",
        _rolling_ball,
        {"learning_rate": (0.01, 300), "radius": (0.01, 10), "rate": (3e-4, 1), "steps": (1, 5)},
        "the paper's inner loop",
    ),
    "rbo-gauss-newton": Contender(
        "RBO, Gauss-Newton",
        _gauss_newton_ball,
        {"learning_rate": (1e-3, 10), "radius": (0.01, 10)},
        "2 inner steps",
    ),
    "induced-metric": Contender(
        "InducedMetric",
        lambda learning_rate, xi, seed: optimizers.InducedMetric(learning_rate, xi=xi),
        {"learning_rate": (1e-2, 100), "xi": (1e-4, 10)},
        "plain, momentum 0.9",
    ),
    "alice": Contender(
        "Alice",
        lambda learning_rate, seed: optimizers.Alice(learning_rate, seed=seed),
        {"learning_rate": (1e-5, 0.1)},
        "betas 0.9, 0.999; 3 quick steps",
    ),
}
