"""The array functions that the catalogues' classes call, over `Rounded`: a mistake runs on it unchanged.

Its result is the certified wrong answer, with a tolerance of its own. What depends on the format itself, such as a cast
to float32, or on a decomposition, is not here: what calls it raises `AttributeError` and can run on floats only.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy

from geometry.arithmetic.rounded import Compared, Floats, Rounded, concatenated

__all__ = [
    "abs",
    "arange",
    "clip",
    "concat",
    "eye",
    "finfo",
    "max",
    "maximum",
    "mean",
    "minimum",
    "ones_like",
    "reshape",
    "round",
    "sign",
    "sin",
    "sqrt",
    "stack",
    "sum",
    "where",
    "zeros_like",
]

arange = numpy.arange


def concat(parts: Any, axis: int = 0) -> Rounded:
    """One array of several, end to end."""
    return concatenated(list(parts), axis)


def stack(parts: Any) -> Rounded:
    """One array of several, along an axis in front."""
    return concat([reshape(part, (1, *part.shape)) for part in parts])


def reshape(x: Rounded, shape: tuple[int, ...]) -> Rounded:
    """The same entries in another shape."""
    return x.reshaped(shape)


def sum(x: Rounded, axis: int | None = None, keepdims: bool = False) -> Rounded:
    """The sum, in any order, or the square of the root of it."""
    if axis is None:
        return x.sum().again(2)
    axis %= len(x.shape)
    moved = [x[(slice(None),) * axis + (k,)] for k in range(x.shape[axis])]
    total = moved[0]
    for part in moved[1:]:
        total = total + part
    total = total.again(len(moved))
    shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :]) if keepdims else total.shape
    return total.reshaped(shape)


def mean(x: Rounded) -> Rounded:
    """The mean of all entries."""
    return sum(x) / float(x.value.size)


def sqrt(x: Rounded) -> Rounded:
    """Root, entry by entry."""
    return x.sqrt()


def abs(x: Rounded) -> Rounded:
    """Size, entry by entry."""
    return x.__abs__()


def sign(x: Rounded) -> Rounded:
    """−1, 0 or 1."""
    return x.signs()


def sin(x: Rounded) -> Rounded:
    """Sine, entry by entry, of numbers of any size: its argument is not rounded anew."""
    return x.sine()


def round(x: Rounded) -> Rounded:
    """The nearest integers."""
    return x.integers()


def maximum(a: Rounded, b: Rounded) -> Rounded:
    """The larger of two numbers."""
    return a.maximum(b)


def minimum(a: Rounded, b: Rounded) -> Rounded:
    """The smaller of two numbers."""
    return a.minimum(b)


def max(x: Rounded) -> Rounded:
    """The largest entry."""
    flat = x.reshaped((-1,))
    largest = flat[0]
    for k in range(1, flat.shape[0]):
        largest = largest.maximum(flat[k])
    return largest


def clip(x: Rounded, low: float, high: float) -> Rounded:
    """The nearest numbers between two bounds."""
    return x.maximum(low).minimum(high)


def where(condition: Any, a: Any, b: Any) -> Rounded:
    """a where a condition holds, else b; where rounding may decide, either."""
    if not isinstance(a, Rounded):
        a = b.arithmetic.exact(a)
    condition = condition if isinstance(condition, Compared) else Compared.certain(condition)
    return a.chosen(b, condition)


def ones_like(x: Rounded) -> Rounded:
    """As many ones."""
    return x.arithmetic.exact(numpy.ones(x.shape))


def zeros_like(x: Rounded) -> Rounded:
    """As many zeros."""
    return x.arithmetic.exact(numpy.zeros(x.shape))


def eye(size: int, dtype: Any = None) -> Floats:
    """The unit matrix, of exact numbers."""
    return numpy.eye(size)


def finfo(dtype: Any) -> SimpleNamespace:
    """What is known of the format that rounds."""
    return SimpleNamespace(eps=2 * dtype.unit)


Rounded.namespace = sys.modules[__name__]
