"""Arrays of affine forms: enclosures of a function over a box, to second order, in one evaluation of the function.

Over a box the numbers x(ε), |ε_i| ≤ 1, are held as

    x(ε) ∈ C + Σ_i A_i ε_i    for every ε,

where C and the A_i are intervals. Sums and multiples are exact, a product leaves Σ A_i B_j ε_i ε_j in C, and a smooth
function φ is expanded at the middle m of C, with u = x − m:

    φ(m + u) ∈ φ(m) + φ′(m) u + ½φ″(X) u²,    X ⊇ {x(ε)}.

Where φ(X) itself is much narrower, it is taken, without slopes. So the excess of an enclosure is of second order in the
size of the box where the function is smooth on the scale of the box, and not much more than that of natural interval
arithmetic elsewhere: term by term, as for a sum of waves of many lengths. Without slopes, A = None, this *is* natural
interval arithmetic.

Functions are restricted to where they are defined: a form contains the values at all ε where there are any.

R. E. Moore, R. B. Kearfott, M. J. Cloud, "Introduction to Interval Analysis" (2009), Chapter 6 (slopes); J. Stolfi,
L. H. de Figueiredo, "Self-Validated Numerical Methods and Applications" (1997), Chapter 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from geometry.certified._face import Face, operand
from geometry.certified._intervals import (
    Interval,
    call,
    halved,
    like,
    mapped,
    midpoint,
    point,
    symmetric,
    width,
)

__all__ = ["Form", "Record", "box_form", "elementary", "expanded", "point_form"]

LARGEST = float(numpy.finfo(float).max)
Slopes = Any  # Interval (d, ...), which broadcasts against the center; or None


class Record:
    """What happened during one evaluation of a function."""

    __slots__ = ("irregular", "largest", "partial")

    def __init__(self) -> None:
        self.partial = False  # whether the function may be undefined somewhere in some box
        self.irregular = False  # whether the function may be undefined or not smooth somewhere in some box
        self.largest = 0  # the greatest number of elements of a form

    def irregular_where(self, where: Any) -> None:
        self.irregular = self.irregular or bool(numpy.any(where))

    def partial_where(self, where: Any) -> None:
        self.partial = self.partial or bool(numpy.any(where))
        self.irregular = self.irregular or self.partial


class Form(Face):
    """An array of affine forms, with the face of an array of the array API standard.

    Attributes
    ----------
    center : Interval (...)
    slopes : Interval (d, ...) or None
        Broadcasts against the center.
    record : Record
        Of the evaluation that this form takes part in.
    """

    __slots__ = ("center", "record", "slopes")

    def __init__(self, center: Interval, slopes: Slopes, record: Record, shared: bool = False) -> None:
        self.center, self.slopes, self.record, self.shared = _of_arrays(center), slopes, record, shared
        record.largest = max(record.largest, self.center.lo.size)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.center.shape

    def __repr__(self) -> str:
        return f"Form(center={self.center!r}, slopes={self.slopes!r})"

    def __getitem__(self, key: Any) -> Form:
        key = key if isinstance(key, tuple) else (key,)
        slopes = self.full_slopes()
        if slopes is None:
            pass
        elif any(isinstance(k, list | numpy.ndarray) for k in key):  # these may move to the front of a result
            slopes = mapped(lambda ends: numpy.stack([end[key] for end in ends]), slopes)
        else:
            slopes = mapped(lambda end: end[(slice(None), *key)], slopes)
        return self.view(mapped(lambda end: numpy.asarray(end[key]), self.center), slopes)

    # Parts.

    def new(self, center: Interval, slopes: Slopes) -> Form:
        return Form(center, slopes, self.record)

    def view(self, center: Interval, slopes: Slopes) -> Form:
        """A form that shares its memory with this one, if NumPy's arrays do."""
        self.shared = True
        return Form(center, slopes, self.record, shared=True)

    def copy(self) -> Form:
        return self.new(self.center, self.slopes)

    def becomes(self, other: Form) -> None:
        self.center, self.slopes = other.center, other.slopes

    def flat(self, values: Interval) -> Form:
        return self.new(values, None)

    def constant(self, value: Any) -> Form:
        number = operand(value)
        if number is None or isinstance(number, Face):
            raise TypeError(f"expected numbers, got {value!r:.80}")
        end = numpy.asarray(number)
        low, high = (
            numpy.nan_to_num(end, nan=numpy.nan, posinf=p, neginf=n)
            for p, n in ((LARGEST, -numpy.inf), (numpy.inf, -LARGEST))
        )
        known = type(self.center)(*(numpy.ascontiguousarray(e) for e in (low, high)))  # of one axis at least
        return self.new(mapped(lambda ends: ends.reshape(end.shape), known), None)

    def unbounded_where(self, where: Any) -> Form:
        """Anything where NumPy has an infinity, of which intervals know nothing: it may become a number again."""
        if not numpy.any(where):
            return self
        center = like(
            self.center,
            *(
                numpy.where(where, e, end)
                for e, end in zip((-numpy.inf, numpy.inf), (self.center.lo, self.center.hi), strict=True)
            ),
        )
        slopes = self.lifted(len(center.shape))
        return self.new(center, slopes if slopes is None else mapped(lambda end: numpy.where(where, 0.0, end), slopes))

    def lifted(self, ndim: int) -> Slopes:
        """The slopes, ready to broadcast against arrays of `ndim` dimensions."""
        if self.slopes is None or len(self.slopes.shape) == ndim + 1:
            return self.slopes
        d, *rest = self.slopes.shape
        return mapped(lambda end: end.reshape(d, *(1,) * (ndim - len(rest)), *rest), self.slopes)

    def full_slopes(self) -> Slopes:
        """The slopes, one of each for every element."""
        slopes = self.lifted(self.ndim)
        if slopes is None or slopes.shape[1:] == self.shape:
            return slopes
        return mapped(lambda end: numpy.broadcast_to(end, (len(end), *self.shape)), slopes)

    def reshaped(self, shape: tuple[int, ...]) -> Form:
        slopes = self.full_slopes()
        slopes = slopes if slopes is None else mapped(lambda end: end.reshape(len(end), *shape), slopes)
        return self.view(mapped(lambda end: end.reshape(shape), self.center), slopes)

    def spread_to(self, shape: tuple[int, ...]) -> Form:
        slopes = self.lifted(len(shape))
        if slopes is not None:
            slopes = mapped(lambda end: numpy.broadcast_to(end, (len(end), *shape)), slopes)
        return self.view(mapped(lambda end: numpy.broadcast_to(end, shape), self.center), slopes)

    def moved(self, move: Callable[[numpy.ndarray], numpy.ndarray], full: bool = True) -> Form:
        slopes = self.full_slopes() if full else self.slopes
        return self.view(mapped(move, self.center), slopes if slopes is None else mapped(move, slopes))

    def swing(self) -> Interval:
        """[−R, R] for R = Σ|A_i|; the center must be added for the range."""
        slopes = self.lifted(self.ndim)
        size = slopes.mag
        total = like(slopes, -size[0], size[0])
        for i in range(1, len(size)):
            total = total + like(slopes, -size[i], size[i])
        return total

    def range(self) -> Interval:
        return self.center if self.slopes is None else _of_arrays(self.center + self.swing())

    # Arithmetic.

    def _operand(self, other: Any) -> Any:
        """A form, or finite floats; None for what is no number, or sees to mixed arithmetic itself."""
        other = operand(other)
        if isinstance(other, Face) or other is None:
            return other if isinstance(other, Form) else None
        return self.constant(other) if numpy.any(numpy.isinf(other)) else other

    def __neg__(self) -> Form:
        return self.new(-self.center, None if self.slopes is None else -self.slopes)

    def __add__(self, other: Any) -> Any:
        other = self._operand(other)
        if not isinstance(other, Form):
            return NotImplemented if other is None else self.new(self.center + other, self.slopes)
        center = self.center + other.center
        if self.slopes is None or other.slopes is None:
            return self.new(center, other.slopes if self.slopes is None else self.slopes)
        ndim = len(center.shape)
        return self.new(center, self.lifted(ndim) + other.lifted(ndim))

    def __mul__(self, other: Any) -> Any:
        if other is self:
            return self.namespace.square(self)
        other = self._operand(other)
        if not isinstance(other, Form):
            return NotImplemented if other is None else self._scaled(other, lambda x, k: x * k)
        if self.slopes is None or other.slopes is None:
            fixed, form = (self, other) if self.slopes is None else (other, self)
            return form._scaled(fixed.center, lambda x, k: x * k)
        return _product(self, other)

    def _scaled(self, factor: Any, operation: Callable[[Interval, Any], Interval]) -> Form:
        center = operation(self.center, factor)
        return self.new(center, None if self.slopes is None else operation(self.lifted(len(center.shape)), factor))

    def __truediv__(self, other: Any) -> Any:
        other = self._operand(other)
        if other is None:
            return NotImplemented
        if not isinstance(other, Form):
            self.record.partial_where(numpy.equal(other, 0))
            return self._scaled(other, lambda x, k: x / k).unbounded_where(numpy.equal(other, 0))
        if self.slopes is None and other.slopes is None:
            low, high = other.center.lo, other.center.hi
            self.record.partial_where((low <= 0) & (high >= 0))
            return self.new(self.center / other.center, None).unbounded_where((low == 0) & (high == 0))
        return self * self.namespace.reciprocal(other)


def _of_arrays(x: Interval) -> Interval:
    """Intervals with arrays as ends; libraries have numbers where no axis is left."""
    return x if isinstance(x.lo, numpy.ndarray) else mapped(numpy.asarray, x)


def point_form(point: numpy.ndarray, arithmetic: Callable[..., Interval], record: Record) -> Form:
    """Single points (n, d)."""
    return Form(arithmetic(point), None, record, shared=True)


def box_form(center: numpy.ndarray, radius: numpy.ndarray, make: Callable[..., Interval], record: Record) -> Form:
    """The coordinates center ± radius of boxes, (n, d): each its own ε."""
    d = center.shape[-1]
    slopes = numpy.zeros((d, *center.shape))
    for i in range(d):
        slopes[i, ..., i] = radius[..., i]
    return Form(make(center), make(slopes), record, shared=True)


def _product(x: Form, y: Form) -> Form:
    center = x.center * y.center
    ndim = len(center.shape)
    a, b = x.lifted(ndim), y.lifted(ndim)
    unit = like(a, numpy.zeros(1), numpy.ones(1))
    for i in range(a.shape[0]):
        center = center + a[i] * b[i] * unit  # ε_i² is in [0, 1]
        for j in range(i):
            center = center + symmetric(abs(a[i] * b[j] + a[j] * b[i]))
    return x.new(center, b * x.center + a * y.center)


def elementary(
    x: Form,
    value: Callable[[Interval], Interval],
    first: Callable[[Interval, Interval], Interval],
    second: Callable[[Interval, Interval], Interval],
) -> Form:
    """φ(x), from φ, and φ′ and φ″ as functions of an argument and of the value of φ there."""
    if x.slopes is None:
        return x.new(value(x.center), None)
    swing = x.swing()
    whole = x.center + swing
    ends = midpoint(x.center)
    middle = like(whole, ends, ends)
    at_middle, over_all = value(middle), value(whole)
    bend = second(whole, over_all) * call("sqr", whole - middle)
    return expanded(x, ends, at_middle, first(middle, at_middle), bend, swing, over_all)


def expanded(
    x: Form,
    middle: numpy.ndarray,
    value: Interval,
    first: Interval,
    bend: Interval,
    swing: Interval,
    natural: Interval,
) -> Form:
    """φ(m) + φ′(m) u + ½ bend, u = x − m, bend = φ″(X) u²; or `natural`, φ(X), where that is much narrower."""
    center = value + halved(bend)
    if not (x.center.lo == x.center.hi).all():
        center = center + first * (x.center - point(value, middle))
    slopes = x.lifted(x.ndim) * first
    # Slopes are worth more than their width: they may cancel against others.
    with numpy.errstate(invalid="ignore"):  # infinite derivatives are no use, even over no distance
        flat = ~(width(center) + swing.hi * first.mag < width(natural))
    if not flat.any():
        return x.new(center, slopes)
    center = like(center, numpy.where(flat, natural.lo, center.lo), numpy.where(flat, natural.hi, center.hi))
    return x.new(center, like(slopes, numpy.where(flat, 0.0, slopes.lo), numpy.where(flat, 0.0, slopes.hi)))
