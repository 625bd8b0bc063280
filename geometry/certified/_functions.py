"""The functions of the array API standard on arrays of affine forms: a function written for arrays runs on boxes.

Constants stay NumPy arrays, which forms take for exact numbers. NumPy's own names (``numpy.arcsin``) lead here as well.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy

from geometry.certified import _choices, _elementary, _reductions  # noqa: F401  they enter themselves into the table
from geometry.certified._arrays import as_forms, stack, unstack
from geometry.certified._choices import choose
from geometry.certified._elementary import sqrt, square
from geometry.certified._face import Face
from geometry.certified._intervals import call, like, within
from geometry.certified._table import TABLE, by_numpy, offered
from geometry.certified._truth import Truth, as_truth

__array_api_version__ = "2024.12"


class _Info:
    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        return {"real floating": numpy.dtype(float), "integral": numpy.dtype(int), "bool": numpy.dtype(numpy.bool_)}

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        return {"float64": numpy.dtype(float)}


def __array_namespace_info__() -> _Info:
    return _Info()


@offered
def result_type(*arrays: Any) -> Any:
    return numpy.result_type(*(a.dtype if isinstance(a, Face) else a for a in arrays))


# Comparisons and choices.


@offered
def where(condition: Any, x1: Any, x2: Any) -> Any:
    if not any(isinstance(x, Face) for x in (x1, x2)):
        raise TypeError("where(condition, a, b) of a condition on intervals needs an array of intervals for a or b")
    known = condition if isinstance(condition, Truth) else numpy.asarray(condition, dtype=bool)
    return choose(known, *as_forms(x1, x2))


@offered
def less(a: Any, b: Any) -> Any:
    return a < b if isinstance(a, Face | Truth) else b > a


@offered
def less_equal(a: Any, b: Any) -> Any:
    return a <= b if isinstance(a, Face | Truth) else b >= a


@offered
def greater(a: Any, b: Any) -> Any:
    return a > b if isinstance(a, Face | Truth) else b < a


@offered
def greater_equal(a: Any, b: Any) -> Any:
    return a >= b if isinstance(a, Face | Truth) else b <= a


@offered
def equal(a: Any, b: Any) -> Any:
    return a == b if isinstance(a, Face | Truth) else b == a


@offered
def not_equal(a: Any, b: Any) -> Any:
    return a != b if isinstance(a, Face | Truth) else b != a


@offered
def logical_and(a: Any, b: Any) -> Any:
    return as_truth(a) & b


@offered
def logical_or(a: Any, b: Any) -> Any:
    return as_truth(a) | b


@offered
def logical_xor(a: Any, b: Any) -> Any:
    return as_truth(a) ^ b


@offered
def logical_not(a: Any) -> Any:
    return ~as_truth(a)


@offered
def any_(x: Any, *, axis: Any = None) -> Any:
    return as_truth(x).any(axis)


@offered
def all_(x: Any, *, axis: Any = None) -> Any:
    return as_truth(x).all(axis)


@offered
def isfinite(x: Any) -> Any:
    """Certain only while every function so far was defined on all of every box."""
    return Truth(within(x.range(), -numpy.inf, numpy.inf) & (not x.record.partial), False)


@offered
def isnan(x: Any) -> Any:
    return ~isfinite(x)


@offered
def isinf(x: Any) -> Any:
    return ~isfinite(x)


@offered
def sign(x: Any) -> Any:
    x.record.irregular_where(~((x.range().lo > 0) | (x.range().hi < 0)))
    return x.flat(call("sign", x.range()))


def _step(x: Any, name: str) -> Any:
    """A rounding function: constant between its jumps, which may be on the border of a box."""
    whole = x.range()
    around = call(name, like(whole, numpy.nextafter(whole.lo, -numpy.inf), numpy.nextafter(whole.hi, numpy.inf)))
    x.record.irregular_where(around.lo != around.hi)
    return x.flat(call(name, whole))


@offered
def floor(x: Any) -> Any:
    return _step(x, "floor")


@offered
def ceil(x: Any) -> Any:
    return _step(x, "ceil")


@offered
def trunc(x: Any) -> Any:
    return _step(x, "trunc")


@offered
def round_(x: Any, decimals: int = 0) -> Any:
    if decimals != 0:
        raise TypeError(f"round of intervals knows no decimals but 0, got {decimals!r}")
    return _step(x, "roundeven")


@offered
def maximum(a: Any, b: Any) -> Any:
    return _choices.maximum(*as_forms(a, b))


@offered
def minimum(a: Any, b: Any) -> Any:
    return _choices.minimum(*as_forms(a, b))


def _or_the_other(choice: Callable[..., Any], a: Any, b: Any) -> Any:
    """A choice that takes the other one where one is not defined."""
    a, b = as_forms(a, b)
    if a.record.partial or any(numpy.isnan(x.range().lo).any() for x in (a, b)):
        return choose(Truth(False, False), a, b)
    return choice(a, b)


@offered
def fmax(a: Any, b: Any) -> Any:
    return _or_the_other(_choices.maximum, a, b)


@offered
def fmin(a: Any, b: Any) -> Any:
    return _or_the_other(_choices.minimum, a, b)


@offered
def abs_(x: Any) -> Any:
    return maximum(x, -x)


@offered
def clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    if (a_min is not None and min is not None) or (a_max is not None and max is not None):
        raise TypeError("clip takes min or a_min, max or a_max, not both")
    low, high = a_min if min is None else min, a_max if max is None else max
    x = +x if low is None else maximum(x, low)
    return x if high is None else minimum(x, high)


@offered
def sort(x: Any, axis: int = -1, *, descending: bool = False, stable: Any = True) -> Any:
    """By exchanges of neighbours, which are minima and maxima."""
    parts = list(unstack(x, axis))
    for last in range(len(parts) - 1, 0, -1):
        for i in range(last):
            parts[i], parts[i + 1] = minimum(parts[i], parts[i + 1]), maximum(parts[i], parts[i + 1])
    return stack(parts[::-1] if descending else parts, axis)


@offered
def atan2(y: Any, x: Any) -> Any:
    """The angle of (x, y): atan(y/x) or −atan(x/y), with the larger divisor, and quarter turns; at worst [−π, π]."""
    y, x = as_forms(y, x)
    up, across = y.range(), x.range()
    flat = across.mig >= up.mig
    quarters = numpy.select(
        [flat & (across.lo > 0), ~flat & (up.lo > 0), ~flat & (up.hi < 0), flat & (up.lo > 0), flat & (up.hi < 0)],
        [0, 1, -1, 2, -2],
        default=9,
    )
    known = quarters < 9
    x.record.irregular_where(~known)
    ratio = choose(flat, y, x) / choose(~known, x.constant(1.0), choose(flat, x, y))
    turn, quarter = _elementary.atan(ratio), _elementary.acos(x.constant(0.0))
    angle = choose(flat, turn, -turn) + quarter * numpy.where(known, quarters, 0)
    both, pi = up + across, numpy.nextafter(numpy.pi, 4)
    defined = both.lo <= both.hi
    anywhere = like(both, numpy.where(defined, -pi, both.lo), numpy.where(defined, pi, both.hi))
    return choose(known, angle, x.flat(anywhere))


# Arithmetic under its names.


@offered
def add(a: Any, b: Any) -> Any:
    return a + b if isinstance(a, Face) else b + a


@offered
def multiply(a: Any, b: Any) -> Any:
    return a * b if isinstance(a, Face) else b * a


@offered
def subtract(a: Any, b: Any) -> Any:
    return a - b if isinstance(a, Face) else -b + a


@offered
def divide(a: Any, b: Any) -> Any:
    return a / b if isinstance(a, Face) else b.constant(a) / b


@offered
def negative(x: Any) -> Any:
    return -x


@offered
def positive(x: Any) -> Any:
    return +x


@offered
def hypot(a: Any, b: Any) -> Any:
    a, b = as_forms(a, b)
    return sqrt(square(a) + square(b))


CONSTANTS = ("e", "pi", "inf", "nan", "newaxis", "float64", "int64", "arange", "eye", "finfo", "isdtype", "linspace",
             "ones", "zeros")  # fmt: skip
namespace = ModuleType("intervals", __doc__)
for _name in CONSTANTS:
    setattr(namespace, _name, getattr(numpy, _name))
for _name, _function in TABLE.items():
    setattr(namespace, _name, _function)
vars(namespace).update(
    __array_api_version__=__array_api_version__,
    __array_namespace_info__=__array_namespace_info__,
    __function__=by_numpy,
    bool=numpy.bool_,
)
Face.namespace = namespace
