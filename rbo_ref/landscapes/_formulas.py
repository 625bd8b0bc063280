"""From formulas to graphs, and checks of their parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy

from geometry import FunctionGraph
from geometry._namespace import Array, Namespace, array_namespace, device_of, floating, to_numpy

__all__ = [
    "Formula",
    "as_first",
    "as_last",
    "diagonal_matrix",
    "finite",
    "landscape",
    "like",
    "number",
    "outer_product",
    "separable",
    "symmetric_matrix",
    "unit_matrix",
]

Formula = Callable[[Namespace, Array], Array]


def landscape(
    name: str, value: Formula, gradient: Formula, hessian: Formula, *, at_least: int = 1, at_most: float = math.inf
) -> FunctionGraph:
    """A graph from formulas in (xp, θ) that hold for at_least ≤ d ≤ at_most."""

    def checked(formula: Formula) -> Callable[[Array], Array]:
        def evaluate(theta: Array) -> Array:
            if not at_least <= theta.shape[-1] <= at_most:
                d = f"d = {at_least}" if at_least == at_most else f"d >= {at_least}"
                raise ValueError(f"{name}: theta must have shape (..., d) with {d}, got {tuple(theta.shape)}")
            return formula(array_namespace(theta), theta)

        return evaluate

    return FunctionGraph(checked(value), checked(gradient), checked(hessian), name=name)


def separable(name: str, value: Formula, first: Formula, second: Formula, **dimension: int) -> FunctionGraph:
    """The graph of Σ_i φ(θ_i), from φ, φ′ and φ″, which act on every number."""
    return landscape(
        name,
        lambda xp, theta: xp.sum(value(xp, theta), axis=-1),
        first,
        lambda xp, theta: diagonal_matrix(xp, second(xp, theta)),
        **dimension,
    )


def like(xp: Namespace, theta: Array, constants: Any) -> Array:
    """Constants in the dtype of θ, on its device."""
    return xp.asarray(constants, dtype=theta.dtype, device=device_of(theta))


def unit_matrix(xp: Namespace, theta: Array, k: int = 0) -> Array:
    """Ones on the k-th diagonal, (d, d)."""
    return xp.eye(theta.shape[-1], k=k, dtype=theta.dtype, device=device_of(theta))


def diagonal_matrix(xp: Namespace, entries: Array) -> Array:
    return entries[..., None] * unit_matrix(xp, entries)


def outer_product(a: Array, b: Array) -> Array:
    return a[..., :, None] * b[..., None, :]


def symmetric_matrix(xp: Namespace, xx: Array, xy: Array, yy: Array) -> Array:
    return xp.stack([xp.stack([xx, xy], axis=-1), xp.stack([xy, yy], axis=-1)], axis=-2)


def as_first(xp: Namespace, entries: Array) -> Array:
    """`entries` (..., d−1) as the first d − 1 coordinates of a vector, the last 0."""
    return xp.concat([entries, xp.zeros_like(entries[..., :1])], axis=-1)


def as_last(xp: Namespace, entries: Array) -> Array:
    """`entries` (..., d−1) as the last d − 1 coordinates of a vector, the first 0."""
    return xp.concat([xp.zeros_like(entries[..., :1]), entries], axis=-1)


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
