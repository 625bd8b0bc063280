"""The functions of the array API standard on arrays of affine forms: a function written for arrays runs on boxes.

Constants stay NumPy arrays, which forms take for exact numbers. NumPy's own names (``numpy.arcsin``) lead here as well.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy

from geometry.certified import _arrays, _elementary
from geometry.certified._arrays import as_forms, axis_from_end, expand_dims, permute_dims, stack, take, unstack
from geometry.certified._choices import choose, summed
from geometry.certified._choices import maximum as _maximum
from geometry.certified._choices import minimum as _minimum
from geometry.certified._elementary import sqrt, square
from geometry.certified._forms import Form
from geometry.certified._intervals import call, like, within
from geometry.certified._truth import Truth, as_truth

__array_api_version__ = "2024.12"

NUMPY_NAMES = {
    "absolute": "abs", "fabs": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh",
    "arctan": "atan", "arctanh": "atanh", "arctan2": "atan2", "concatenate": "concat", "power": "pow",
    "float_power": "pow", "true_divide": "divide", "amax": "max", "amin": "min", "fmax": "maximum", "fmin": "minimum",
    "rint": "round", "transpose": "permute_dims", "norm": "vector_norm", "invert": "logical_not", "around": "round",
    "bitwise_and": "logical_and", "bitwise_or": "logical_or", "conjugate": "positive", "fix": "trunc",
}  # fmt: skip


class _Info:
    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        return {"real floating": numpy.dtype(float), "integral": numpy.dtype(int), "bool": numpy.dtype(numpy.bool_)}

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        return {"float64": numpy.dtype(float)}


def __array_namespace_info__() -> _Info:
    return _Info()


def result_type(*arrays: Any) -> Any:
    return numpy.dtype(float)


# Comparisons and choices.


def where(condition: Any, x1: Any, x2: Any) -> Any:
    if not any(isinstance(x, Form) for x in (x1, x2)):
        if not isinstance(condition, numpy.ndarray | numpy.bool_):
            raise TypeError("where(condition, a, b) of a condition on intervals needs an array of intervals for a or b")
        return numpy.where(condition, x1, x2)
    return choose(condition, *as_forms(x1, x2))


def less(a: Any, b: Any) -> Any:
    return a < b if isinstance(a, Form) else b > a


def less_equal(a: Any, b: Any) -> Any:
    return a <= b if isinstance(a, Form) else b >= a


def greater(a: Any, b: Any) -> Any:
    return a > b if isinstance(a, Form) else b < a


def greater_equal(a: Any, b: Any) -> Any:
    return a >= b if isinstance(a, Form) else b <= a


def equal(a: Any, b: Any) -> Any:
    return a == b if isinstance(a, Form) else b == a


def not_equal(a: Any, b: Any) -> Any:
    return a != b if isinstance(a, Form) else b != a


def logical_and(a: Any, b: Any) -> Any:
    return as_truth(a) & b


def logical_or(a: Any, b: Any) -> Any:
    return as_truth(a) | b


def logical_not(a: Any) -> Any:
    return ~as_truth(a)


def any_(x: Any, *, axis: Any = None, **_: Any) -> Any:
    return x.any(axis)


def all_(x: Any, *, axis: Any = None, **_: Any) -> Any:
    return x.all(axis)


def isfinite(x: Form) -> Any:
    """Certain only while every function so far was defined on all of every box."""
    whole = x.range()
    return Truth(within(whole, -numpy.inf, numpy.inf) & (not x.record.irregular), False)


def isnan(x: Form) -> Any:
    return ~isfinite(x)


def isinf(x: Form) -> Any:
    return ~isfinite(x)


def sign(x: Form) -> Form:
    x.record.irregular_where(~((x.range().lo > 0) | (x.range().hi < 0)))
    return x.new(call("sign", x.range()), None)


def _step(name: str) -> Callable[[Form], Form]:
    """A rounding function: constant between its jumps."""

    def step(x: Form, *_: Any) -> Form:
        result = call(name, x.range())
        x.record.irregular_where(result.lo != result.hi)
        return x.new(result, None)

    return step


floor, ceil, trunc, round_ = _step("floor"), _step("ceil"), _step("trunc"), _step("roundeven")


def abs_(x: Any) -> Any:
    if not isinstance(x, Form):
        return numpy.abs(x)
    return _maximum(x, -x)


def maximum(a: Any, b: Any) -> Any:
    return _maximum(*as_forms(a, b))


def minimum(a: Any, b: Any) -> Any:
    return _minimum(*as_forms(a, b))


def clip(x: Any, min: Any = None, max: Any = None, **_: Any) -> Any:
    x = x if min is None else maximum(x, min)
    return x if max is None else minimum(x, max)


def sort(x: Any, axis: int = -1, *, descending: bool = False, **_: Any) -> Any:
    """By exchanges of neighbours, which are minima and maxima."""
    parts = list(unstack(x, axis))
    for last in range(len(parts) - 1, 0, -1):
        for i in range(last):
            parts[i], parts[i + 1] = minimum(parts[i], parts[i + 1]), maximum(parts[i], parts[i + 1])
    return stack(parts[::-1] if descending else parts, axis)


def atan2(y: Any, x: Any) -> Form:
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
    return choose(known, angle, x.new(anywhere, None))


# Reductions.


def _reduce(x: Any, axis: Any, keepdims: Any, along: Callable[[Form, int], Form]) -> Any:
    axes = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    counted = sorted(axis_from_end(x, a) for a in axes)
    for a in counted:  # from the front, so that the axes behind, counted from the end, keep their numbers
        x = along(x, a)
        x = expand_dims(x, a) if keepdims else x
    return x


def sum_(x: Any, axis: Any = None, keepdims: Any = False, **_: Any) -> Any:
    return numpy.sum(x, axis=axis, keepdims=keepdims) if not isinstance(x, Form) else _reduce(x, axis, keepdims, summed)


def mean(x: Any, axis: Any = None, keepdims: Any = False, **_: Any) -> Any:
    if not isinstance(x, Form):
        return numpy.mean(x, axis=axis, keepdims=keepdims)
    total = sum_(x, axis, keepdims)
    return total / (x.size // total.size)


def prod(x: Any, axis: Any = None, keepdims: Any = False, **_: Any) -> Any:
    def along(x: Form, axis: int) -> Form:
        product, *rest = unstack(x, axis)
        for factor in rest:
            product = product * factor
        return product

    return _reduce(x, axis, keepdims, along) if isinstance(x, Form) else numpy.prod(x, axis=axis, keepdims=keepdims)


def _extreme(choice: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def along(x: Form, axis: int) -> Form:
        best, *rest = unstack(x, axis)
        for other in rest:
            best = choice(best, other)
        return best

    def reduced(x: Any, axis: Any = None, keepdims: Any = False, **_: Any) -> Any:
        return _reduce(x, axis, keepdims, along)

    return reduced


max_, min_ = _extreme(_maximum), _extreme(_minimum)


def cumulative_sum(x: Form, *, axis: int = -1, **_: Any) -> Form:
    first, *rest = unstack(x, axis)
    sums = [first]
    for term in rest:
        sums.append(sums[-1] + term)
    return stack(sums, axis)


def diff(x: Form, *, axis: int = -1) -> Form:
    n = x.shape[axis]
    return take(x, range(1, n), axis) - take(x, range(n - 1), axis)


def vecdot(a: Any, b: Any, *, axis: int = -1) -> Any:
    return sum_(a * b, axis)


def matmul(a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return sum_(a * b, -1)
    if a.ndim == 1:
        return sum_(expand_dims(a, -1) * b, -2)
    return sum_(expand_dims(a, -1) * expand_dims(b, -3), -2)


def einsum(subscripts: str, *operands: Any) -> Any:
    """Sums of products as `numpy.einsum` has them, without diagonals: no index twice in one operand."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    dots = [a.ndim - len(term.replace("...", "")) for term, a in zip(terms, operands, strict=True)]
    letters = "".join(chr(0x3B1 + i) for i in range(max(dots)))  # names of the axes that the dots stand for
    terms = [term.replace("...", letters[len(letters) - n :]) for term, n in zip(terms, dots, strict=True)]
    every = letters + "".join(sorted({*"".join(terms)} - {*letters}))
    if any(len({*term}) < len(term) or len(term) != a.ndim for term, a in zip(terms, operands, strict=True)):
        raise TypeError(f"einsum of intervals does not know the subscripts {subscripts!r}")
    output = output.replace("...", letters) if arrow else "".join(c for c in every if inputs.count(c) < 2)
    product: Any = 1.0
    for term, a in zip(terms, operands, strict=True):
        spread = permute_dims(a, [term.index(c) for c in every if c in term])
        for i, c in enumerate(every):
            spread = spread if c in term else expand_dims(spread, i)
        product = spread * product
    gone = tuple(i - len(every) for i, c in enumerate(every) if c not in output)
    left = [c for c in every if c in output]
    return permute_dims(sum_(product, gone) if gone else product, [left.index(c) for c in output])


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Over the last axes of a and the first ones of b, or over two lists of axes."""
    of_a, of_b = (range(a.ndim - axes, a.ndim), range(axes)) if isinstance(axes, int) else axes
    names = [chr(0x61 + i) for i in range(a.ndim + b.ndim)]
    left, right = names[: a.ndim], names[a.ndim :]
    for i, j in zip(of_a, of_b, strict=True):
        right[j] = left[i]
    output = [c for c in left + right if (c in left) != (c in right)]
    return einsum(f"{''.join(left)},{''.join(right)}->{''.join(output)}", a, b)


def vector_norm(x: Form, axis: Any = None, keepdims: Any = False, **_: Any) -> Form:
    return sqrt(sum_(square(x), axis, keepdims))


dot = matmul


# Arithmetic under its names.


def add(a: Any, b: Any) -> Any:
    return a + b if isinstance(a, Form) else b + a


def multiply(a: Any, b: Any) -> Any:
    return a * b if isinstance(a, Form) else b * a


def subtract(a: Any, b: Any) -> Any:
    return a - b if isinstance(a, Form) else -b + a


def divide(a: Any, b: Any) -> Any:
    return a / b if isinstance(a, Form) else b.constant(a) / b


def negative(x: Any) -> Any:
    return -x


def positive(x: Any) -> Any:
    return x


def hypot(a: Any, b: Any) -> Any:
    a, b = as_forms(a, b)
    return sqrt(square(a) + square(b))


def __function__(name: str) -> Callable[..., Any]:
    """The function of forms with that name in the standard or in NumPy."""
    found = getattr(namespace, NUMPY_NAMES.get(name, name), None)
    if found is None:
        raise TypeError(f"the function {name} is not known for intervals")
    return found


CONSTANTS = ("e", "pi", "inf", "nan", "newaxis", "float64", "int64", "arange", "eye", "finfo", "isdtype", "linspace",
             "ones", "zeros")  # fmt: skip
namespace = ModuleType("intervals", __doc__)
for _name in CONSTANTS:
    setattr(namespace, _name, getattr(numpy, _name))
for _functions in (vars(_elementary), vars(_arrays), globals()):
    for _name, _function in list(_functions.items()):
        if callable(_function) and (not _name.startswith("_") or _name.endswith("__")):
            setattr(namespace, _name if _name.endswith("__") else _name.rstrip("_"), _function)
namespace.bool = numpy.bool_  # type: ignore[attr-defined]
Form.namespace = namespace
