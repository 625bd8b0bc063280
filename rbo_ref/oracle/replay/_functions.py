"""The functions of the array API standard on arrays of numbers of a foreign arithmetic.

NumPy's own names (``numpy.concatenate``) lead here as well.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy

from rbo_ref.oracle.replay._numbers import Numbers, Part, Parts, Truth, as_numbers

__all__ = ["Numbers", "Parts", "Truth"]

__array_api_version__ = "2024.12"
NUMPY_NAMES = {
    "absolute": "abs", "fabs": "abs", "arctan": "atan", "concatenate": "concat", "power": "pow", "amax": "max",
    "amin": "min", "true_divide": "divide", "transpose": "permute_dims", "fmax": "maximum", "fmin": "minimum",
}  # fmt: skip


def asarray(obj: Any, *, dtype: Any = None, device: Any = None, copy: Any = None) -> Any:
    return obj if isinstance(obj, Numbers) else numpy.asarray(obj, dtype=dtype)


def astype(x: Any, dtype: Any, *, copy: Any = True, device: Any = None) -> Any:
    return x if isinstance(x, Numbers) else numpy.asarray(x).astype(dtype)


def result_type(*arrays: Any) -> Any:
    return numpy.dtype(float)


def full_like(x: Numbers, fill_value: Any, **_: Any) -> Numbers:
    return x.constant(numpy.full(x.shape, fill_value))


def zeros_like(x: Numbers, **_: Any) -> Numbers:
    return full_like(x, 0.0)


def ones_like(x: Numbers, **_: Any) -> Numbers:
    return full_like(x, 1.0)


def broadcast_to(x: Any, shape: Sequence[int]) -> Any:
    if not isinstance(x, Numbers):
        return numpy.broadcast_to(x, shape)
    return x.moved(lambda part: numpy.broadcast_to(part, shape))


def reshape(x: Numbers, shape: Any, **_: Any) -> Numbers:
    return x.moved(lambda part: part.reshape(shape))


def expand_dims(x: Numbers, axis: int = 0) -> Numbers:
    return x.moved(lambda part: numpy.expand_dims(part, axis))


def squeeze(x: Numbers, axis: Any) -> Numbers:
    return x.moved(lambda part: numpy.squeeze(part, axis))


def flip(x: Numbers, *, axis: Any = None) -> Numbers:
    return x.moved(lambda part: numpy.flip(part, axis))


def roll(x: Numbers, shift: Any, *, axis: Any = None) -> Numbers:
    return x.moved(lambda part: numpy.roll(part, shift, axis))


def permute_dims(x: Numbers, axes: Any) -> Numbers:
    return x.moved(lambda part: numpy.transpose(part, axes))


def matrix_transpose(x: Numbers) -> Numbers:
    return x.moved(lambda part: numpy.swapaxes(part, -1, -2))


def _joined(join: Callable[..., Part]) -> Callable[..., Numbers]:
    def joined(arrays: Sequence[Any], /, *, axis: int = 0) -> Numbers:
        numbers = as_numbers(*arrays)
        return numbers[0].new(tuple(join(parts, axis=axis) for parts in zip(*(x.parts for x in numbers), strict=True)))

    return joined


stack, concat = _joined(numpy.stack), _joined(numpy.concatenate)


def unstack(x: Numbers, /, *, axis: int = 0) -> tuple[Numbers, ...]:
    return tuple(x.moved(lambda part, i=i: numpy.take(part, i, axis)) for i in range(x.shape[axis]))  # type: ignore[misc]


def where(condition: Any, x1: Any, x2: Any) -> Any:
    truth = condition if isinstance(condition, Truth) else Truth(condition)
    if not any(isinstance(x, Numbers) for x in (x1, x2)):
        raise TypeError("where(condition, a, b) of a condition on such numbers needs an array of them for a or b")
    a, b = as_numbers(x1, x2)
    return a.new(a.arithmetic.choose(truth, a.parts, b.parts))


def isfinite(x: Numbers) -> Truth:
    return x.arithmetic.is_finite(x.parts)


def isnan(x: Numbers) -> Truth:
    return ~isfinite(x)


def abs_(x: Numbers) -> Numbers:
    return abs(x)


def sign(x: Numbers) -> Numbers:
    return where(x > 0, ones_like(x), where(x < 0, -ones_like(x), zeros_like(x)))


def maximum(a: Any, b: Any) -> Numbers:
    a, b = as_numbers(a, b)
    return a.new(a.arithmetic.largest(a.parts, b.parts))


def minimum(a: Any, b: Any) -> Numbers:
    a, b = as_numbers(a, b)
    return -maximum(-a, -b)


def clip(x: Numbers, min: Any = None, max: Any = None) -> Numbers:
    x = x if min is None else maximum(x, min)
    return x if max is None else minimum(x, max)


def _reduced(x: Numbers, axis: Any, keepdims: bool, along: Callable[[Numbers, int], Numbers]) -> Numbers:
    axes = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    for a in sorted(a if a < 0 else a - x.ndim for a in axes):  # from the front, counted from the end
        x = along(x, a)
        x = expand_dims(x, a) if keepdims else x
    return x


def sum_(x: Numbers, axis: Any = None, keepdims: bool = False, **_: Any) -> Numbers:
    return _reduced(x, axis, keepdims, lambda y, a: y.new(y.arithmetic.sum(y.parts, a)))


def mean(x: Numbers, axis: Any = None, keepdims: bool = False, **_: Any) -> Numbers:
    total = sum_(x, axis, keepdims)
    return total / (x.size // max(total.size, 1))


def _folded(combine: Callable[[Any, Any], Any]) -> Callable[..., Numbers]:
    def along(x: Numbers, axis: int) -> Numbers:
        result, *others = unstack(x, axis=axis)
        for other in others:
            result = combine(result, other)
        return result

    def reduced(x: Numbers, axis: Any = None, keepdims: bool = False, **_: Any) -> Numbers:
        return _reduced(x, axis, keepdims, along)

    return reduced


prod, max_, min_ = _folded(lambda a, b: a * b), _folded(maximum), _folded(minimum)


def vecdot(a: Any, b: Any, *, axis: int = -1) -> Numbers:
    return sum_(a * b, axis)


def matmul(a: Any, b: Any) -> Numbers:
    if b.ndim == 1:
        return sum_(a * b, -1)
    if a.ndim == 1:
        return sum_(a[..., :, None] * b, -2)
    return sum_(a[..., :, :, None] * b[..., None, :, :], -2)


dot = matmul


def vector_norm(x: Numbers, axis: Any = None, keepdims: bool = False) -> Numbers:
    return sqrt(sum_(x * x, axis, keepdims))


def hypot(a: Any, b: Any) -> Numbers:
    a, b = as_numbers(a, b)
    return sqrt(a * a + b * b)


def square(x: Numbers) -> Numbers:
    return x * x


def reciprocal(x: Numbers) -> Numbers:
    return 1 / x


def negative(x: Numbers) -> Numbers:
    return -x


def _operator(apply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Numbers]:
    return lambda a, b: apply(*as_numbers(a, b))


add, subtract = _operator(operator.add), _operator(operator.sub)
multiply, divide = _operator(operator.mul), _operator(operator.truediv)


def pow_(x: Any, exponent: Any) -> Numbers:
    return x**exponent


def _function(name: str) -> Callable[[Numbers], Numbers]:
    def elementary(x: Numbers, /) -> Numbers:
        return x.new(x.arithmetic.function(name, x.parts))

    return elementary


sqrt, exp, log = _function("sqrt"), _function("exp"), _function("log")


def __function__(name: str) -> Callable[..., Any]:
    """The function of that name in the standard or in NumPy."""
    found = getattr(namespace, NUMPY_NAMES.get(name, name), None)
    if found is None:
        raise TypeError(f"the function {name} is not known to the replay of recordings")
    return found


namespace = ModuleType("numbers", __doc__)
for _name in ("e", "pi", "inf", "nan", "newaxis", "float64", "arange", "eye", "finfo", "isdtype", "linspace", "ones",
              "zeros", "full"):  # fmt: skip
    setattr(namespace, _name, getattr(numpy, _name))
for _name in ("expm1", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "atan", "round", "floor", "ceil"):
    setattr(namespace, _name, _function(_name))
for _name, _public in list(globals().items()):
    if callable(_public) and not _name.startswith("_") and _name[0].islower():
        setattr(namespace, _name.rstrip("_"), _public)
namespace.__array_api_version__ = __array_api_version__  # type: ignore[attr-defined]
namespace.__function__ = __function__  # type: ignore[attr-defined]
Numbers.namespace = namespace
