"""From formulas to graphs, and checks of their parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy

from geometry import FunctionGraph
from geometry._namespace import Array, Namespace, array_namespace, device_of, floating, to_numpy

__all__ = ["Formula", "finite", "landscape", "like", "number"]

Formula = Callable[[Namespace, Array], Array]


def landscape(name: str, formula: Formula, *, at_least: int = 1, at_most: float = math.inf) -> FunctionGraph:
    """The graph of a formula in (xp, θ) that holds for at_least ≤ d ≤ at_most."""

    def value(theta: Array) -> Array:
        if not at_least <= theta.shape[-1] <= at_most:
            d = f"d = {at_least}" if at_least == at_most else f"d >= {at_least}"
            raise ValueError(f"{name}: theta must have shape (..., d) with {d}, got {tuple(theta.shape)}")
        return formula(array_namespace(theta), theta)

    return FunctionGraph(value, name=name)


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
