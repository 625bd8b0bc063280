"""From formulas to graphs, and checks of their parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from numbers import Real
from typing import Any, ParamSpec

import numpy

from geometry import FunctionGraph
from geometry._namespace import Array, Namespace, array_namespace, device_of, floating, to_numpy
from geometry._results import call

__all__ = ["Formula", "Landscape", "finite", "landscape", "landscapes", "like", "number"]

P = ParamSpec("P")
Formula = Callable[[Namespace, Array], Array]


class Landscape(FunctionGraph):
    """A graph that knows which call made it: it is pickled, copied and written as that."""

    made: tuple[Callable[..., FunctionGraph], tuple[Any, ...], dict[str, Any]]

    def __repr__(self) -> str:
        return call(*self.made)

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_again, self.made, {"compile": self.compile}


def _made_again(function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return function(*arguments, **options)


def landscapes(function: Callable[P, Landscape]) -> Callable[P, FunctionGraph]:
    """A function that makes landscapes, which then know how they were made."""

    @wraps(function)
    def make(*arguments: P.args, **options: P.kwargs) -> FunctionGraph:
        graph = function(*arguments, **options)
        graph.made = make, *deepcopy((arguments, options))
        return graph

    return make


def landscape(name: str, formula: Formula, *, at_least: int = 1, at_most: float = math.inf) -> Landscape:
    """The graph of a formula in (xp, θ) that holds for at_least ≤ d ≤ at_most."""

    def value(theta: Array) -> Array:
        if not at_least <= theta.shape[-1] <= at_most:
            d = f"d = {at_least}" if at_least == at_most else f"d >= {at_least}"
            raise ValueError(f"{name}: theta must have shape (..., d) with {d}, got {tuple(theta.shape)}")
        return formula(array_namespace(theta), theta)

    return Landscape(value, name=name)


def like(xp: Namespace, theta: Array, constants: Any) -> Array:
    """Constants in the dtype of θ, on its device."""
    return xp.asarray(constants, dtype=theta.dtype, device=device_of(theta))


# The border.


def number(name: str, value: Any, *, above: float = -math.inf) -> float:
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a real number, got {value!r}")
    if not above < float(value) < math.inf:
        limit = "" if above == -math.inf else f" and above {above:g}"
        raise ValueError(f"{name} must be finite{limit}, got {value!r}")
    return float(value)


def finite(name: str, value: Any, what: str, *, ndim: int | tuple[int, ...]) -> numpy.ndarray:
    """A fresh float64 array from any library, finite, with one of the numbers of dimensions `ndim`."""
    array = to_numpy(floating(name, value)[1]).astype(float)
    if array.ndim not in numpy.atleast_1d(ndim) or array.size == 0 or not numpy.isfinite(array).all():
        raise ValueError(f"{name} must be {what}, got {value!r}")
    return array
