"""Arrays of python-flint's balls, with as much of an array namespace as losses need."""

from __future__ import annotations

from collections import OrderedDict
from operator import methodcaller
from typing import Any

import numpy
from numpy.typing import NDArray

__all__ = ["asarray", "cos", "exp", "log1p", "matmul", "middles", "radii", "sin", "stack", "sum", "vector"]

Balls = NDArray[numpy.object_]
HELD = 256  # matrices of floats that are kept as matrices of balls
_EXACT: OrderedDict[int, tuple[NDArray[Any], Any]] = OrderedDict()


def vector(balls: Any) -> Balls:
    """An array of some balls.

    Examples
    --------
    >>> from flint import arb
    >>> vector([arb(1), arb(2)]).shape
    (2,)
    """
    values = numpy.empty(len(balls), dtype=object)
    values[:] = balls
    return values


def middles(balls: Balls) -> NDArray[numpy.float64]:
    """The midpoints of balls."""
    return balls.astype(numpy.float64)


def radii(balls: Balls) -> NDArray[numpy.float64]:
    """Their radii."""
    return numpy.array([float(ball.rad()) for ball in balls.reshape(-1)]).reshape(balls.shape)


def asarray(numbers: Any, dtype: Any = None) -> Any:
    """Floats are exact where they meet balls."""
    return numbers


def sum(numbers: Any, axis: int = -1) -> Any:
    """Sums along an axis."""
    return numpy.asarray(numpy.add.reduce(numbers, axis=axis), dtype=object)


def stack(arrays: Any, axis: int = 0) -> Any:
    """Arrays side by side along a new axis."""
    return numpy.stack(arrays, axis=axis)


def matmul(a: Any, b: Any) -> Any:
    """The product of two matrices, or of a vector and a matrix.

    Examples
    --------
    >>> from flint import arb
    >>> matmul(vector([arb(1), arb(2)]), numpy.array([[3.0], [4.0]]))
    array([11.0000000000000], dtype=object)
    """
    product = vector((_matrix(a) * _matrix(b)).entries())
    return product.reshape(len(a), -1) if a.ndim == 2 else product


def _matrix(numbers: Any) -> Any:
    """A matrix of python-flint; those of floats, which are coefficients, are kept."""
    from flint import arb_mat

    rows = numbers if numbers.ndim == 2 else numbers[None]
    if rows.dtype == object:
        return arb_mat(rows.tolist())
    kept = _EXACT.get(id(numbers))
    if kept is None or kept[0] is not numbers:
        kept = _EXACT[id(numbers)] = numbers, arb_mat(rows.tolist())
        if len(_EXACT) > HELD:
            _EXACT.popitem(last=False)
    return kept[1]


def _each(name: str) -> Any:
    return numpy.frompyfunc(methodcaller(name), 1, 1)


sin = _each("sin")
cos = _each("cos")
exp = _each("exp")
log1p = _each("log1p")
