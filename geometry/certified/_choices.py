"""Forms from several forms: choices between them, their sums, and arrays of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from geometry.certified._forms import Form
from geometry.certified._intervals import Interval, add_up, call, hull, like, mapped
from geometry.certified._truth import Truth, as_truth

__all__ = ["choose", "maximum", "minimum", "stacked", "summed"]


def choose(condition: Any, a: Form, b: Form) -> Form:
    """a where the condition certainly holds, b where it certainly does not, otherwise the hull of both."""
    condition = as_truth(condition)
    a.record.irregular_where(~(condition.yes | condition.no))
    shape = numpy.broadcast_shapes(condition.shape, a.shape, b.shape)

    def of(x: Interval, y: Interval) -> Interval:
        x, y = (
            mapped(lambda end: numpy.broadcast_to(end, (*end.shape[: end.ndim - len(shape)], *shape)), z)
            for z in (x, y)
        )
        both = hull(x, y)
        return like(
            both,
            numpy.where(condition.yes, x.lo, numpy.where(condition.no, y.lo, both.lo)),
            numpy.where(condition.yes, x.hi, numpy.where(condition.no, y.hi, both.hi)),
        )

    if a.slopes is None and b.slopes is None:
        return a.new(of(a.center, b.center), None)
    d = (b if a.slopes is None else a).slopes.shape[0]
    zero = mapped(lambda end: numpy.zeros((d, *(1,) * len(shape))), a.center)
    slopes = [zero if x.slopes is None else x.lifted(len(shape)) for x in (a, b)]
    return a.new(of(a.center, b.center), of(*slopes))


def maximum(a: Form, b: Form) -> Form:
    """The larger one; where that is undecided, of the ranges."""
    larger = a >= b
    decided = choose(larger, a, b)
    return _or_else(larger, decided, lambda: call("max", a.range(), b.range()))


def minimum(a: Form, b: Form) -> Form:
    smaller = a <= b
    decided = choose(smaller, a, b)
    return _or_else(smaller, decided, lambda: call("min", a.range(), b.range()))


def _or_else(truth: Truth, form: Form, natural: Callable[[], Interval]) -> Form:
    """The form where the truth is decided, otherwise the intervals."""
    open_ = ~(truth.yes | truth.no)
    if not open_.any():
        return form
    other = natural()
    center = like(
        other, *(numpy.where(open_, o, e) for o, e in ((other.lo, form.center.lo), (other.hi, form.center.hi)))
    )
    if form.slopes is None:
        return form.new(center, None)
    slopes = form.full_slopes()
    return form.new(center, mapped(lambda end: numpy.where(open_, 0.0, end), slopes))


def summed(x: Form, axis: int) -> Form:
    """Σ along one axis, which is negative."""
    center = add_up(x.center, axis)
    if x.slopes is None:
        return x.new(center, None)
    slopes, n = x.lifted(x.ndim), x.shape[axis]
    if slopes.shape[axis] == n:
        return x.new(center, add_up(slopes, axis))
    return x.new(center, mapped(lambda end: end.take(0, axis), slopes) * float(n))


def stacked(forms: list[Form], axis: int, join: Callable[..., Any]) -> Form:
    """`join`, which is numpy.stack or numpy.concatenate, along an axis counted from the end."""
    slopes = [form.full_slopes() for form in forms]
    d = next((len(s.lo) for s in slopes if s is not None), None)
    center = like(forms[0].center, *(join([getattr(f.center, end) for f in forms], axis=axis) for end in ("lo", "hi")))
    if d is None:
        return forms[0].new(center, None)
    zero = [
        mapped(lambda end: numpy.zeros((d, *end.shape)), f.center) if s is None else s
        for f, s in zip(forms, slopes, strict=True)
    ]
    parts = (join([getattr(s, end) for s in zero], axis=axis) for end in ("lo", "hi"))
    return forms[0].new(center, like(center, *parts))
