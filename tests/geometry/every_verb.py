"""Every verb of `geometry` on every kind of surface, by name: for those who attack them with numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import geometry
from geometry import (
    Descent,
    FunctionGraph,
    GaussNewton,
    LevelSet,
    MultiStart,
    Newton,
    Parametric,
    SampledGraph,
    Sampling,
)
from rbo_ref import RollingBall

BAD = (np.nan, np.inf, -np.inf, 1e308, -1e308, 1e160, 5e-324, -0.0)


class Kind(NamedTuple):
    """A surface of some kind, with good parameters of three of its points and three query points."""

    surface: Any
    theta: np.ndarray  # (3, k)
    points: np.ndarray  # (3, n)


def _of(surface: Any, k: int, n: int) -> Kind:
    theta = np.linspace(0.3, 0.9, 3 * k).reshape(3, k)
    return Kind(surface, theta, np.linspace(0.4, 1.6, 3 * n).reshape(3, n))


SURFACES = {
    "recorded": _of(FunctionGraph(lambda t: np.sin(t[..., 0]) * np.exp(-(t[..., 1] ** 2))), 2, 3),
    "given": _of(FunctionGraph(lambda t: np.sin(t[..., 0]), np.cos, lambda t: -np.sin(t)[..., None]), 1, 2),
    "first order": _of(
        FunctionGraph.from_value_and_gradient(lambda t: (np.sum(t**4, -1), 4 * t**3), name="quartic"), 2, 3
    ),
    "sampled": _of(SampledGraph(np.sin(np.arange(12.0)), 0.25), 1, 2),
    "level set": _of(LevelSet(lambda x: np.sum(x**2, -1) - x[..., 0] * x[..., 1] - 1), 2, 2),
    "parametric": _of(Parametric(lambda t: np.concat([np.cos(t), 2 * np.sin(t)], -1), box=[(0, 2 * np.pi)]), 1, 2),
    "unbounded": _of(Parametric(lambda t: np.concat([t, t**3], -1)), 1, 2),
}

_METHODS = (
    "value",
    "gradient",
    "value_and_gradient",
    "hessian",
    "point",
    "normal",
    "point_and_normal",
    "tangent",
    "metric",
    "curvatures",
    "shape_operator",
    "jacobian",
    "second_derivatives",
)
_SOLVERS = {
    "default": None,
    "descent": Descent(0.1, 3),
    "gauss-newton": GaussNewton(max_steps=30),
    "newton": Newton(max_steps=30),
    "newton-cg": Newton(matrix=False, max_steps=30),
    "starts": MultiStart(GaussNewton(max_steps=30), starts=3),
    "sampling": Sampling(samples=64, candidates=2),
}


def _method(name: str) -> Callable[..., Any]:
    return lambda surface, theta: getattr(surface, name)(theta)


def _feet(solver: Any) -> Callable[..., Any]:
    def told(surface: Any, points: np.ndarray) -> tuple[np.ndarray, ...]:
        found = geometry.project(surface, points, solver)
        return found.theta, found.point, found.normal, found.distance, found.residual, found.gradient, found.status

    return told


def _step(solver: Any, variant: str) -> Callable[..., Any]:
    def told(surface: Any, theta: np.ndarray) -> tuple[np.ndarray, ...]:
        if not isinstance(surface, FunctionGraph):
            raise TypeError("the ball rolls on graphs")
        ball = RollingBall(0.1, 0.5, solver, variant)
        taken = ball.step(surface, theta, ball.init(theta))
        return *taken[:1], *taken[2:-1], taken.footpoints.distance

    return told


def _box(surface: Any, theta: np.ndarray) -> Any:
    """What of the surface global verbs look at."""
    return surface.box or [(-2.0, 2.0)] * theta.shape[-1]


AT_PARAMETERS: dict[str, Callable[..., Any]] = {
    **{name: _method(name) for name in _METHODS},
    "hessian_vector": lambda s, t: s.hessian_vector(t, np.ones_like(t)),
    "offset": lambda s, t: geometry.offset(s, t, 0.5),
    "offset_function": lambda s, t: geometry.offset_function(s, t, 0.5, samples=16),
    "medial_radius": lambda s, t: geometry.medial_radius(s, t, box=_box(s, t), samples=16),
    "reachable": lambda s, t: geometry.reachable(s, t, 0.5, box=_box(s, t), samples=16),
    "step": _step(None, "footpoint"),
    "step by descent": _step(Descent(0.01, 3), "footpoint"),
    "step by distance": _step(None, "distance"),
}
"""From a surface and parameters (m, k) to arrays of m items."""

AT_POINTS: dict[str, Callable[..., Any]] = {
    **{f"project: {name}": _feet(solver) for name, solver in _SOLVERS.items()},
    "distance": geometry.distance,
    "signed_distance": geometry.signed_distance,
    "distance_gradient": geometry.distance_gradient,
    "is_above": lambda s, p: s.is_above(p),
}
"""From a surface and query points (m, n) to arrays of m items."""


def items(answer: Any) -> tuple[np.ndarray, ...]:
    """The arrays of an answer."""
    return tuple(map(np.asarray, answer)) if isinstance(answer, tuple) else (np.asarray(answer),)


def answered(verb: Callable[..., Any], surface: Any, where: np.ndarray) -> tuple[np.ndarray, ...] | None:
    """The arrays of a verb's answer; None where it is not for this kind of surface."""
    try:
        return items(verb(surface, where))
    except (TypeError, AttributeError):
        return None
