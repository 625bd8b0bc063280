"""Loss landscapes to roll on: the functions of the paper, and the classical test functions of optimization.

Each function returns a `geometry.FunctionGraph` of one formula in functions of the array API standard: θ of shape
(..., d) from any array library, the answer in its namespace and dtype and on its device. Gradients and Hessians are
derived from the formula, by the framework of the array where it has one.
Parameters are Python numbers (or small arrays of them), fixed when the landscape is made.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from geometry import FunctionGraph
from rbo_ref.landscapes.classical import ackley, beale, himmelblau, rastrigin, rosenbrock
from rbo_ref.landscapes.closed_forms import gaussian_well, paraboloid, plane
from rbo_ref.landscapes.paper import gaussians, sine, weierstrass, wrinkled

__all__ = [
    "LANDSCAPES",
    "ackley",
    "beale",
    "by_name",
    "gaussian_well",
    "gaussians",
    "himmelblau",
    "paraboloid",
    "plane",
    "rastrigin",
    "rosenbrock",
    "sine",
    "weierstrass",
    "wrinkled",
]

LANDSCAPES: dict[str, Callable[[], FunctionGraph]] = {
    "sine": sine,
    "wrinkled": wrinkled,
    "gaussians": partial(gaussians, 0.1, convention="authors"),
    "weierstrass": weierstrass,
    "paraboloid": paraboloid,
    "gaussian_well": gaussian_well,
    "beale": beale,
    "rosenbrock": rosenbrock,
    "himmelblau": himmelblau,
    "ackley": ackley,
    "rastrigin": rastrigin,
}
"""The landscapes that need no arguments, by name; "gaussians" has the σ and the convention of the authors' code."""


def by_name(name: str) -> FunctionGraph:
    """The landscape of that name in `LANDSCAPES`, with its default parameters.

    Examples
    --------
    >>> by_name("sine")
    sine()
    """
    if name not in LANDSCAPES:
        raise ValueError(f"no landscape is called {name!r}; there are {', '.join(LANDSCAPES)}")
    return LANDSCAPES[name]()
