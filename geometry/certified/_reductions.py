"""Sums, products, extremes and norms of arrays of forms, under the names of the array API standard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from geometry.certified import _choices
from geometry.certified._arrays import (
    as_forms,
    axis_from_end,
    expand_dims,
    only_float,
    permute_dims,
    stack,
    take,
    unstack,
)
from geometry.certified._choices import summed
from geometry.certified._elementary import sqrt, square
from geometry.certified._face import Face
from geometry.certified._table import offered

__all__ = ["cumulative_sum", "diff", "dot", "einsum", "matmul", "max_", "mean", "min_", "norm", "prod", "sum_",
           "tensordot", "vecdot", "vector_norm"]  # fmt: skip


def _reduce(x: Any, axis: Any, keepdims: Any, along: Callable[[Any, int], Any]) -> Any:
    axes = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    counted = sorted(axis_from_end(x, a) for a in axes)
    if len({*counted}) < len(counted):
        raise ValueError(f"axis must name each axis once, got {axis}")
    for a in counted:  # from the front, so that the axes behind, counted from the end, keep their numbers
        if not x.shape[a]:
            raise TypeError("intervals have no reductions of nothing")
        x = along(x, a)
        x = expand_dims(x, a) if keepdims else x
    return +x


def _is_number(value: Any, number: int) -> bool:
    return isinstance(value, int | float) and value == number


@offered
def sum_(x: Any, axis: Any = None, dtype: Any = None, *, keepdims: Any = False, initial: Any = 0.0) -> Any:
    only_float(dtype)
    total = _reduce(x, axis, keepdims, summed)
    return total if _is_number(initial, 0) else total + initial


@offered
def mean(x: Any, axis: Any = None, dtype: Any = None, *, keepdims: Any = False) -> Any:
    total = sum_(x, axis, dtype, keepdims=keepdims)
    return total / (x.size // total.size)


def _by_twos(operation: Callable[[Any, Any], Any]) -> Callable[[Any, int], Any]:
    def along(x: Any, axis: int) -> Any:
        result, *rest = unstack(x, axis)
        for other in rest:
            result = operation(result, other)
        return result

    return along


@offered
def prod(x: Any, axis: Any = None, dtype: Any = None, *, keepdims: Any = False, initial: Any = 1.0) -> Any:
    only_float(dtype)
    product = _reduce(x, axis, keepdims, _by_twos(lambda a, b: a * b))
    return product if _is_number(initial, 1) else product * initial


@offered
def max_(x: Any, axis: Any = None, *, keepdims: Any = False, initial: Any = None) -> Any:
    largest = _reduce(x, axis, keepdims, _by_twos(_choices.maximum))
    return largest if initial is None else _choices.maximum(*as_forms(largest, initial))


@offered
def min_(x: Any, axis: Any = None, *, keepdims: Any = False, initial: Any = None) -> Any:
    least = _reduce(x, axis, keepdims, _by_twos(_choices.minimum))
    return least if initial is None else _choices.minimum(*as_forms(least, initial))


@offered
def cumulative_sum(x: Any, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
    only_float(dtype)
    if axis is None and x.ndim != 1:
        raise ValueError("cumulative_sum needs an axis unless there is one only")
    first, *rest = unstack(x, -1 if axis is None else axis)
    sums = [0 * first, first] if include_initial else [first]
    for term in rest:
        sums.append(sums[-1] + term)
    return stack(sums, -1 if axis is None else axis)


@offered
def diff(x: Any, *, axis: int = -1) -> Any:
    n = x.shape[axis]
    return take(x, range(1, n), axis) - take(x, range(n - 1), axis)


def _meeting(a: Any, i: int, b: Any, j: int) -> tuple[Any, Any]:
    """Two arrays of which an axis of one meets an axis of the other in a product."""
    a, b = (x if isinstance(x, Face) else numpy.asarray(x) for x in (a, b))
    if not (a.ndim and b.ndim and a.shape[i] == b.shape[max(j, -b.ndim)]):
        raise ValueError(f"products of arrays need axes of one length, got shapes {a.shape} and {b.shape}")
    return a, b


@offered
def vecdot(a: Any, b: Any, *, axis: int = -1) -> Any:
    a, b = _meeting(a, axis, b, axis)
    return sum_(a * b, axis)


@offered
def matmul(a: Any, b: Any) -> Any:
    a, b = _meeting(a, -1, b, -2)
    if b.ndim == 1:
        return sum_(a * b, -1)
    if a.ndim == 1:
        return sum_(expand_dims(a, -1) * b, -2)
    return sum_(expand_dims(a, -1) * expand_dims(b, -3), -2)


@offered
def dot(a: Any, b: Any) -> Any:
    if not all(getattr(x, "shape", ()) for x in (a, b)):
        return a * b
    if b.ndim > 2:
        raise TypeError("dot of intervals needs a second array of one or two axes; see matmul and tensordot")
    return matmul(a, b)


@offered
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


@offered
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Over the last axes of a and the first ones of b, or over two lists of axes."""
    of_a, of_b = (range(a.ndim - axes, a.ndim), range(axes)) if isinstance(axes, int) else axes
    names = [chr(0x61 + i) for i in range(a.ndim + b.ndim)]
    left, right = names[: a.ndim], names[a.ndim :]
    for i, j in zip(of_a, of_b, strict=True):
        a, b = _meeting(a, i, b, j)
        right[j] = left[i]
    output = [c for c in left + right if (c in left) != (c in right)]
    return einsum(f"{''.join(left)},{''.join(right)}->{''.join(output)}", a, b)


@offered
def vector_norm(x: Any, axis: Any = None, keepdims: Any = False, *, ord: Any = 2) -> Any:
    if ord == 2:
        return sqrt(sum_(square(x), axis, keepdims=keepdims))
    if ord == 1:
        return sum_(abs(x), axis, keepdims=keepdims)
    if ord == numpy.inf:
        return max_(abs(x), axis, keepdims=keepdims)
    raise TypeError(f"norms of intervals are of order 1, 2 or inf, got ord={ord!r}")


@offered
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    """As `numpy.linalg.norm`, but for norms of matrices other than Frobenius'."""
    if ord is None:
        return vector_norm(x, axis, keepdims)
    if (x.ndim if axis is None else numpy.size(axis)) != 1:
        raise TypeError(f"norms of matrices of intervals are Frobenius', got ord={ord!r}")
    return vector_norm(x, axis, keepdims, ord=ord)
