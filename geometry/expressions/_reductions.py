"""Sums and other reductions of recorded arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy

from geometry.expressions import _nodes
from geometry.expressions._functions import FUNCTIONS, apply, function
from geometry.expressions._functions import where as select
from geometry.expressions._nodes import Node, constant, places
from geometry.expressions._operations import elementwise
from geometry.expressions._rearranging import broadcast_to, concatenate, moveaxis, ravel, stack
from geometry.expressions._recorder import Recorded, as_node, numeric, refuse

__all__ = ["count_nonzero", "largest", "smallest", "sum_"]

SHORT = 16
"""Longer axes are not sorted, and their extremes are no network of pairs."""


def _rows(x: Any, axis: Any, keepdims: bool) -> tuple[Node, Callable[[Node], Recorded]]:
    """The array with the reduced axes as one, the last; and what gives a result its shape."""
    node = numeric(as_node(x))
    ndim = len(node.shape)
    axes = numpy.lib.array_utils.normalize_axis_tuple(range(ndim) if axis is None else axis, ndim)
    kept = [i for i in range(ndim) if i not in axes]
    shape = tuple(node.shape[i] for i in kept)
    length = math.prod(node.shape[i] for i in axes)
    rows = _nodes.take(node, numpy.transpose(places(node), [*kept, *axes]).reshape(*shape, length))

    def shaped(result: Node) -> Recorded:
        full = tuple(1 if i in axes else n for i, n in enumerate(node.shape)) if keepdims else shape
        return Recorded(_nodes.take(result, numpy.arange(result.size).reshape(full)))

    return rows, shaped


def _count(x: Any, axis: Any) -> int:
    return _rows(x, axis, False)[0].shape[-1]


def _check(name: str, dtype: Any, out: Any) -> None:
    if dtype is not None and numpy.dtype(dtype) != numpy.float64:
        raise refuse(f"dtype={dtype!r} of {name}")
    if out is not None:
        raise refuse(f"out= of {name}", "use the result")


def _given(x: Any, condition: Any, neutral: Any) -> Any:
    """The entries where the condition holds; elsewhere what changes nothing."""
    return x if condition is True else select(condition, x, neutral)


@function("sum")
def sum_(
    x: Any,
    /,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = 0,
    where: Any = True,
) -> Recorded:
    _check("sum", dtype, out)
    rows, shaped = _rows(_given(x, where, 0.0), axis, keepdims)
    result = shaped(_nodes.total(rows))
    return result if isinstance(initial, int | float) and initial == 0 else result + initial


@function("prod")
def prod(
    x: Any,
    /,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = 1,
    where: Any = True,
) -> Recorded:
    _check("prod", dtype, out)
    rows, shaped = _rows(_given(x, where, 1.0), axis, keepdims)
    result = shaped(_halved("multiply", rows) if rows.shape[-1] else constant(numpy.ones(rows.shape[:-1])))
    return result if isinstance(initial, int | float) and initial == 1 else result * initial


@function("mean")
def mean(
    x: Any, /, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Recorded:
    _check("mean", dtype, out)
    count: Any = _count(x, axis)
    if where is not True:
        ones = constant(numpy.ones(as_node(x).shape))
        count = sum_(select(where, Recorded(ones), 0.0), axis=axis, keepdims=keepdims)
    return sum_(x, axis=axis, keepdims=keepdims, where=where) / count


@function("var")
def var(
    x: Any,
    /,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    correction: float = 0,
) -> Recorded:
    _check("var", dtype, out)
    if ddof and correction:
        raise TypeError("ddof and correction are one argument")
    away = x - mean(x, axis=axis, keepdims=True)
    return sum_(away * away, axis=axis, keepdims=keepdims) / (_count(x, axis) - ddof - correction)


@function("std")
def std(x: Any, /, *arguments: Any, **options: Any) -> Recorded:
    return apply("sqrt", var(x, *arguments, **options))


@function("count_nonzero")
def count_nonzero(x: Any, /, axis: Any = None, *, keepdims: bool = False) -> Recorded:
    return sum_(apply("not_equal", x, 0.0), axis=axis, keepdims=keepdims)


def _halved(name: str, rows: Node) -> Node:
    """An associative operation along the last axis, by operations on halves."""
    array = Recorded(rows)
    while (n := array.shape[-1]) > 1:
        half = n // 2
        pairs = apply(name, array[..., :half], array[..., half : 2 * half])
        array = concatenate([pairs, array[..., 2 * half :]], axis=-1) if n % 2 else pairs
    return array[..., 0].node


def _extreme(name: str) -> Callable[..., Recorded]:
    def extreme(
        x: Any, /, axis: Any = None, out: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
    ) -> Recorded:
        _check(name, None, out)
        if where is not True and initial is None:
            raise ValueError(f"{name}: where= needs initial=")
        rows, shaped = _rows(_given(x, where, initial), axis, keepdims)
        if not rows.shape[-1]:
            raise ValueError(f"{name} of no numbers")
        result = shaped(_extreme_of(name, rows))
        return result if initial is None else apply(name, result, initial)

    return extreme


def _extreme_of(name: str, rows: Node) -> Node:
    if rows.shape[-1] <= SHORT:
        return _halved(name, rows)
    if name == "maximum":
        return _nodes.largest(rows)
    return elementwise("negative", _nodes.largest(elementwise("negative", rows)))


largest, smallest = _extreme("maximum"), _extreme("minimum")
FUNCTIONS |= {"max": largest, "amax": largest, "min": smallest, "amin": smallest}


@function("logaddexp.reduce")
def logaddexp_reduce(x: Any, /, axis: Any = 0, *, keepdims: bool = False) -> Recorded:
    rows, shaped = _rows(x, axis, keepdims)
    return shaped(_halved("logaddexp", rows) if rows.shape[-1] else constant(numpy.full(rows.shape[:-1], -math.inf)))


@function("average")
def average(x: Any, /, axis: Any = None, weights: Any = None, *, keepdims: bool = False) -> Recorded:
    if weights is None:
        return mean(x, axis=axis, keepdims=keepdims)
    shape, weights = as_node(x).shape, weights if isinstance(weights, Recorded) else numpy.asarray(weights)
    if weights.shape != shape:
        if not isinstance(axis, int) or weights.ndim != 1:
            raise refuse("average with weights of another shape along several axes", "write sum(w * x) / sum(w)")
        weights = moveaxis(broadcast_to(weights, (*numpy.delete(shape, axis), len(weights))), -1, axis)
    weight = sum_(weights, axis=axis, keepdims=keepdims)
    return sum_(apply("multiply", x, weights), axis=axis, keepdims=keepdims) / weight


@function("trapezoid")
def trapezoid(y: Any, /, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Recorded:
    rows = moveaxis(y, axis, -1)
    widths = dx if x is None else diff(x) if len(as_node(x).shape) == 1 else diff(moveaxis(x, axis, -1))
    return sum_(apply("multiply", widths, (rows[..., 1:] + rows[..., :-1]) / 2), axis=-1)


@function("interp")
def interp(x: Any, xp: Any, fp: Any, /) -> Recorded:
    """A polygon is its first height and the rise along each side as far as x has come."""
    corners, heights = numpy.asarray(xp, float), numpy.asarray(fp, float)
    if corners.ndim != 1 or corners.shape != heights.shape or not corners.size or not (numpy.diff(corners) > 0).all():
        raise ValueError("interp: xp and fp are one-dimensional, of one length, and xp increases")
    come = apply("subtract", Recorded(as_node(x))[..., None], corners[:-1])
    come = apply("minimum", apply("maximum", come, 0.0), numpy.diff(corners))
    return sum_(come * (numpy.diff(heights) / numpy.diff(corners)), axis=-1) + heights[0]


@function("ptp")
def ptp(x: Any, /, axis: Any = None, *, keepdims: bool = False) -> Recorded:
    return largest(x, axis=axis, keepdims=keepdims) - smallest(x, axis=axis, keepdims=keepdims)


@function("any")
def any_(x: Any, /, axis: Any = None, *, keepdims: bool = False) -> Recorded:
    return apply("greater", largest(apply("not_equal", x, 0.0), axis=axis, keepdims=keepdims), 0.5)


@function("all")
def all_(x: Any, /, axis: Any = None, *, keepdims: bool = False) -> Recorded:
    return apply("greater", smallest(apply("not_equal", x, 0.0), axis=axis, keepdims=keepdims), 0.5)


def _cumulative(name: str, neutral: float) -> Callable[..., Recorded]:
    """Prefix sums or products by doubling: every entry is combined with the one 1, 2, 4, ... before it."""

    def cumulate(
        x: Any, /, axis: int | None = None, dtype: Any = None, out: Any = None, *, include_initial: bool = False
    ) -> Recorded:
        _check("a cumulative function", dtype, out)
        array = Recorded(numeric(as_node(x)))
        array = ravel(array) if axis is None else moveaxis(array, axis, -1)
        shift = 1
        while shift < array.shape[-1]:
            pairs = apply(name, array[..., shift:], array[..., :-shift])
            array = concatenate([array[..., :shift], pairs], axis=-1)
            shift *= 2
        if include_initial:
            array = concatenate([numpy.full((*array.shape[:-1], 1), neutral), array], axis=-1)
        return array if axis is None else moveaxis(array, -1, axis)

    return cumulate


FUNCTIONS["cumsum"] = FUNCTIONS["cumulative_sum"] = _cumulative("add", 0.0)
FUNCTIONS["cumprod"] = FUNCTIONS["cumulative_prod"] = _cumulative("multiply", 1.0)


@function("diff")
def diff(a: Any, n: int = 1, axis: int = -1) -> Recorded:
    array = moveaxis(a, axis, -1)
    for _ in range(n):
        array = array[..., 1:] - array[..., :-1]
    return moveaxis(array, -1, axis)


@function("sort")
def sort(x: Any, /, axis: int = -1, *, descending: bool = False, stable: bool | None = None) -> Recorded:
    array = moveaxis(Recorded(numeric(as_node(x))), axis, -1)
    n = array.shape[-1]
    if n > SHORT:
        raise refuse(f"sort of {n} numbers", f"at most {SHORT} can be sorted")
    entries = [array[..., i] for i in range(n)]
    for end in range(n - 1, 0, -1):  # bubble sort: comparisons that do not depend on the data
        for i in range(end):
            pair = entries[i], entries[i + 1]
            entries[i], entries[i + 1] = apply("minimum", *pair), apply("maximum", *pair)
    return moveaxis(stack(entries[::-1] if descending else entries, axis=-1), -1, axis)


@function("median")
def median(x: Any, /, axis: Any = None, *, keepdims: bool = False) -> Recorded:
    rows, shaped = _rows(x, axis, keepdims)
    ordered, n = sort(Recorded(rows)), rows.shape[-1]
    if not n:
        raise ValueError("median of no numbers")
    return shaped(((ordered[..., (n - 1) // 2] + ordered[..., n // 2]) / 2).node)
