"""Forms from several forms: choices between them, their sums, and arrays of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy

from geometry.certified._forms import Form
from geometry.certified._intervals import Interval, add_up, call, hull, like, mapped
from geometry.certified._jets import Jet, plain
from geometry.certified._truth import Truth, as_truth

__all__ = ["choose", "maximum", "minimum", "stacked", "summed"]


def choose(condition: Any, a: Any, b: Any) -> Any:
    """a where the condition certainly holds, b where it certainly does not, otherwise the hull of both."""
    condition = as_truth(condition)
    a.record.irregular_where(~(condition.yes | condition.no))
    return _of_parts(lambda *forms: _chosen(condition, *forms), [a, b])


def _of_parts(function: Callable[..., Form], arrays: list[Any]) -> Any:
    """A function of several forms which is linear in all of them; of jets, part by part."""
    jets = [x for x in arrays if isinstance(x, Jet)]
    value = function(*(plain(x) for x in arrays))
    if not jets:
        return value
    zero = jets[0].constant(0.0)

    def part(x: Any, key: Any) -> Form:
        return x.full(key) if isinstance(x, Jet) and key in x.parts else zero.spread_to(x.shape)

    keys = {key for jet in jets for key in jet.parts}
    return jets[0].new(value, {key: function(*(part(x, key) for x in arrays)) for key in keys})


def _chosen(condition: Truth, a: Form, b: Form) -> Form:
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


def maximum(a: Any, b: Any) -> Any:
    """The larger one; where that is undecided, of the ranges."""
    return _extreme("max", a, b, _order(plain(a) - plain(b)))


def minimum(a: Any, b: Any) -> Any:
    return _extreme("min", a, b, _order(plain(b) - plain(a)))


def _order(difference: Form) -> Truth:
    """Whether a difference is at least 0, wherever it is defined at all; where it can be 0, there may be a kink."""
    whole = difference.range()
    difference.record.irregular_where(~((whole.lo > 0) | (whole.hi < 0)))
    return Truth(whole.lo >= 0, whole.hi < 0)


def _extreme(name: str, a: Any, b: Any, first: Truth) -> Any:
    chosen = choose(first, a, b)
    open_ = ~(first.yes | first.no)
    if not open_.any():
        return chosen
    form = plain(chosen)
    other = call(name, a.range(), b.range())
    ends = ((other.lo, form.center.lo), (other.hi, form.center.hi))
    center = like(other, *(numpy.where(open_, o, e) for o, e in ends))
    slopes = form.full_slopes()
    slopes = slopes if slopes is None else mapped(lambda end: numpy.where(open_, 0.0, end), slopes)
    value = form.new(center, slopes)
    return chosen.new(value, chosen.parts) if isinstance(chosen, Jet) else value


def summed(x: Any, axis: int) -> Any:
    """Σ along one axis, which is negative."""
    if not isinstance(x, Jet):
        return _summed(x, axis, x.shape[axis])
    parts = {key: _summed(part, axis, x.shape[axis]) for key, part in x.parts.items()}
    return x.new(_summed(x.value, axis, x.shape[axis]), parts)


def _summed(x: Form, axis: int, n: int) -> Form:
    """Of an array that broadcasts to a length of n."""
    if x.ndim < -axis:
        return x * float(n)
    if x.shape[axis] != n:
        return x.moved(lambda end: end.take(0, axis)) * float(n)
    center = add_up(x.center, axis)
    if x.slopes is None:
        return x.new(center, None)
    slopes = x.lifted(x.ndim)
    if slopes.shape[axis] == n:
        return x.new(center, add_up(slopes, axis))
    return x.new(center, mapped(lambda end: end.take(0, axis), slopes) * float(n))


def stacked(arrays: list[Any], axis: int, join: Callable[..., Any]) -> Any:
    """`join`, which is numpy.stack or numpy.concatenate, along an axis counted from the end."""
    return _of_parts(lambda *forms: _stacked(forms, axis, join), arrays)


def _stacked(forms: Sequence[Form], axis: int, join: Callable[..., Any]) -> Form:
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
