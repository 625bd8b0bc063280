"""The array functions of numbers that are no floats: one namespace for `Rounded` and `Running` arrays.

The elementwise functions are those of the table of operations (`geometry.expressions`), each by what the arithmetic
makes of it. What depends on the format itself, such as a cast to float32, or on a decomposition, is not here, nor what
an arithmetic cannot bound: what calls it raises `AttributeError`, and can run on floats only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy

from geometry.arithmetic.comparisons import Compared
from geometry.arithmetic.formats import Floats
from geometry.arithmetic.rounded import Rounded, concatenated
from geometry.arithmetic.running import Running
from geometry.expressions._operations import TABLE

__all__ = [
    "arange",
    "asarray",
    "clip",
    "concat",
    "eye",
    "finfo",
    "matmul",
    "max",
    "mean",
    "ones_like",
    "reshape",
    "stack",
    "sum",
    "where",
    "zeros_like",
]

Numbers = (Rounded, Running)
arange = numpy.arange


def _elementwise(name: str) -> Callable[..., Any]:
    enclosure = TABLE[name].enclosure

    def function(*arguments: Any) -> Any:
        one = next(x for x in arguments if isinstance(x, Numbers))
        last = arguments[-1]  # whole powers are those of any number
        if name == "pow" and not isinstance(last, Numbers) and numpy.ndim(last) == 0:
            return enclosure(arguments[0], float(last))
        return enclosure(*(x if isinstance(x, Compared) else one.operand(x) for x in arguments))

    return function


def __getattr__(name: str) -> Any:
    """A function of the table, or a number of NumPy's."""
    if name in TABLE:
        return _elementwise(name)
    if name in ("pi", "e", "inf", "nan", "newaxis"):
        return getattr(numpy, name)
    raise AttributeError(f"{name} is not known of numbers that are no floats")


def asarray(numbers: Any, dtype: Any = None, device: Any = None) -> Any:
    """Floats are exact where they meet other numbers."""
    return numbers if isinstance(numbers, Numbers) else numpy.asarray(numbers)


def where(condition: Any, a: Any, b: Any) -> Any:
    """a where a condition holds, else b; where rounding may decide, either."""
    one: Any = a if isinstance(a, Numbers) else b
    return one.operand(a).choice(condition, one.operand(b))


def reshape(x: Any, shape: tuple[int, ...]) -> Any:
    """The same entries in another shape."""
    return x.reshaped(shape) if isinstance(x, Rounded) else x.moved(lambda part: part.reshape(shape))


def concat(parts: Sequence[Any], axis: int = 0) -> Any:
    """One array of several, end to end."""
    if isinstance(parts[0], Rounded):
        return concatenated(list(parts), axis)
    return Running.joined(parts, lambda arrays: numpy.concatenate(arrays, axis))


def stack(parts: Sequence[Any], axis: int = 0) -> Any:
    """One array of several, along a new axis."""
    if isinstance(parts[0], Running):
        return Running.joined(parts, lambda arrays: numpy.stack(arrays, axis))
    if axis:
        raise TypeError("such numbers are stacked along the first axis only")
    return concat([reshape(part, (1, *part.shape)) for part in parts])


def sum(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The sum, in any order; of `Rounded` numbers also the square of the root of it."""
    if isinstance(x, Running):
        return x.sum(-1 if axis is None else axis)
    if axis is None:
        return x.sum().again(2)
    axis %= len(x.shape)
    moved = [x[(slice(None),) * axis + (k,)] for k in range(x.shape[axis])]
    total = moved[0]
    for part in moved[1:]:
        total = total + part
    total = total.again(len(moved))
    return total.reshaped((*x.shape[:axis], 1, *x.shape[axis + 1 :])) if keepdims else total


def mean(x: Any) -> Any:
    """The mean of all entries."""
    return sum(x) / float(x.value.size)


def matmul(a: Any, b: Any) -> Any:
    """The product of matrices."""
    one: Any = a if isinstance(a, Numbers) else b
    return one.operand(a) @ one.operand(b)


def max(x: Any, axis: int | None = None) -> Any:
    """The largest entry, or those along an axis."""
    if isinstance(x, Running):
        return x.largest(-1 if axis is None else axis)
    flat = x.reshaped((-1,))
    largest = flat[0]
    for k in range(1, flat.shape[0]):
        largest = largest.maximum(flat[k])
    return largest


def clip(x: Any, low: float, high: float) -> Any:
    """The nearest numbers between two bounds."""
    return x.maximum(low).minimum(high)


def ones_like(x: Any) -> Any:
    """As many ones."""
    return _filled(x, 1.0)


def zeros_like(x: Any) -> Any:
    """As many zeros."""
    return _filled(x, 0.0)


def _filled(x: Any, number: float) -> Any:
    numbers = numpy.full(x.shape, number)
    return x.arithmetic.exact(numbers) if isinstance(x, Rounded) else x.constant(numbers)


def eye(size: int, dtype: Any = None, device: Any = None) -> Floats:
    """The unit matrix, of exact numbers."""
    return numpy.eye(size)


def finfo(dtype: Any) -> SimpleNamespace:
    """What is known of the format that rounds."""
    return SimpleNamespace(eps=2 * dtype.unit)


Rounded.namespace = Running.namespace = sys.modules[__name__]
