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
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy

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
from geometry.certified._truth import Truth, Undecided

__all__ = ["Form", "Record", "box_form", "elementary", "expanded", "point_form"]

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


class Form:
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
    __array_priority__ = 2000.0
    __hash__: ClassVar[Any] = None
    namespace: ClassVar[Any] = None  # the module of functions of forms, which enters itself here

    dtype: ClassVar[Any] = numpy.dtype(float)
    device: ClassVar[str] = "cpu"

    def __init__(self, center: Interval, slopes: Slopes, record: Record) -> None:
        self.center, self.slopes, self.record = center, slopes, record
        record.largest = max(record.largest, numpy.size(center.lo))

    # The face of an array.

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return self.namespace

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            raise TypeError(f"numpy.{ufunc.__name__}.{method} with {options} is not known for intervals")
        return self.namespace.__function__(ufunc.__name__)(*inputs)

    def __array_function__(self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self.namespace.__function__(function.__name__)(*args, **kwargs)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise Undecided("intervals cannot become an array of numbers; write the function in array functions throughout")

    def __float__(self) -> float:
        raise Undecided("an interval is not one number; use functions of arrays, not those of `math`")

    __int__ = __index__ = __complex__ = __float__

    def __bool__(self) -> bool:
        return bool(self != 0)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.center.shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(numpy.size(self.center.lo))

    @property
    def mT(self) -> Form:
        return self.moved(lambda end: numpy.swapaxes(end, -1, -2), full=True)

    @property
    def T(self) -> Form:
        return self.namespace.permute_dims(self, tuple(reversed(range(self.ndim))))

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"Form(center={self.center!r}, slopes={self.slopes!r})"

    def __getitem__(self, key: Any) -> Form:
        key = key if isinstance(key, tuple) else (key,)
        slopes = self.full_slopes()
        slopes = slopes if slopes is None else mapped(lambda end: end[(slice(None), *key)], slopes)
        return self.new(mapped(lambda end: numpy.asarray(end[key]), self.center), slopes)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def sum(self, axis: Any = None, **options: Any) -> Form:
        return self.namespace.sum(self, axis=axis, **options)

    def mean(self, axis: Any = None, **options: Any) -> Form:
        return self.namespace.mean(self, axis=axis, **options)

    def max(self, axis: Any = None, **options: Any) -> Form:
        return self.namespace.max(self, axis=axis, **options)

    def min(self, axis: Any = None, **options: Any) -> Form:
        return self.namespace.min(self, axis=axis, **options)

    def reshape(self, *shape: Any) -> Form:
        return self.namespace.reshape(self, shape[0] if isinstance(shape[0], tuple) else shape)

    def copy(self) -> Form:
        return self

    # Parts.

    def new(self, center: Interval, slopes: Slopes) -> Form:
        return Form(center, slopes, self.record)

    def constant(self, value: Any) -> Form:
        """Numbers as forms of the same evaluation."""
        end = numpy.ascontiguousarray(value, dtype=float)
        return self.new(type(self.center)(numpy.atleast_1d(end)), None)

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

    def spread_to(self, shape: tuple[int, ...]) -> Form:
        """Broadcast to a shape."""
        slopes = self.lifted(len(shape))
        if slopes is not None:
            slopes = mapped(lambda end: numpy.broadcast_to(end, (len(end), *shape)), slopes)
        return self.new(mapped(lambda end: numpy.broadcast_to(end, shape), self.center), slopes)

    def moved(self, move: Callable[[numpy.ndarray], numpy.ndarray], full: bool = True) -> Form:
        """`move`, which acts on trailing axes only, of all parts."""
        slopes = self.full_slopes() if full else self.slopes
        return self.new(mapped(move, self.center), slopes if slopes is None else mapped(move, slopes))

    def swing(self) -> Interval:
        """[−R, R] for R = Σ|A_i|; the center must be added for the range."""
        slopes = self.lifted(self.ndim)
        size = slopes.mag
        total = like(slopes, -size[0], size[0])
        for i in range(1, len(size)):
            total = total + like(slopes, -size[i], size[i])
        return total

    def range(self) -> Interval:
        """An interval that holds all values, (...)."""
        return self.center if self.slopes is None else self.center + self.swing()

    # Arithmetic.

    def __neg__(self) -> Form:
        return self.new(-self.center, None if self.slopes is None else -self.slopes)

    def __pos__(self) -> Form:
        return self

    def __abs__(self) -> Form:
        return self.namespace.abs(self)

    def __add__(self, other: Any) -> Form:
        if not isinstance(other, Form):
            other = _number(other)
            return NotImplemented if other is None else self.new(self.center + other, self.slopes)
        center = self.center + other.center
        if self.slopes is None or other.slopes is None:
            return self.new(center, other.slopes if self.slopes is None else self.slopes)
        ndim = len(center.shape)
        return self.new(center, self.lifted(ndim) + other.lifted(ndim))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Form:
        if isinstance(other, Form):
            return self + -other
        other = _number(other)
        return NotImplemented if other is None else self.new(self.center - other, self.slopes)

    def __rsub__(self, other: Any) -> Form:
        return -self + other

    def __mul__(self, other: Any) -> Form:
        if other is self:
            return self.namespace.square(self)
        if not isinstance(other, Form):
            other = _number(other)
            return NotImplemented if other is None else self._scaled(other, lambda x, k: x * k)
        if self.slopes is None or other.slopes is None:
            fixed, form = (self, other) if self.slopes is None else (other, self)
            return form._scaled(fixed.center, lambda x, k: x * k)
        return _product(self, other)

    __rmul__ = __mul__

    def _scaled(self, factor: Any, operation: Callable[[Interval, Any], Interval]) -> Form:
        center = operation(self.center, factor)
        return self.new(center, None if self.slopes is None else operation(self.lifted(len(center.shape)), factor))

    def __truediv__(self, other: Any) -> Form:
        if not isinstance(other, Form):
            other = _number(other)
            return NotImplemented if other is None else self._scaled(other, lambda x, k: x / k)
        if self.slopes is None and other.slopes is None:
            zero = (other.center.lo <= 0) & (other.center.hi >= 0)
            self.record.partial_where(zero)
            return self.new(self.center / other.center, None)
        return self * self.namespace.reciprocal(other)

    def __rtruediv__(self, other: Any) -> Form:
        return self.namespace.reciprocal(self) * other

    def __pow__(self, power: Any) -> Form:
        return self.namespace.pow(self, power)

    def __rpow__(self, base: Any) -> Form:
        return self.namespace.pow(self.constant(base), self)

    def __matmul__(self, other: Any) -> Form:
        return self.namespace.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Form:
        return self.namespace.matmul(other, self)

    # Comparisons.

    def _compared(self, other: Any) -> tuple[Interval, Interval]:
        difference = (self - other).range()  # what both have in common cancels
        return difference.lo, difference.hi

    def __lt__(self, other: Any) -> Any:
        low, high = self._compared(other)
        return Truth(high < 0, low >= 0)

    def __le__(self, other: Any) -> Any:
        low, high = self._compared(other)
        return Truth(high <= 0, low > 0)

    def __gt__(self, other: Any) -> Any:
        return ~(self <= other)

    def __ge__(self, other: Any) -> Any:
        return ~(self < other)

    def __eq__(self, other: Any) -> Any:
        low, high = self._compared(other)
        return Truth((low == 0) & (high == 0), (low > 0) | (high < 0))

    def __ne__(self, other: Any) -> Any:
        return ~(self == other)


def _number(value: Any) -> Any:
    """A constant operand, as an array; None for what is no number."""
    if isinstance(value, Real):
        return float(value) if not isinstance(value, Integral) or abs(int(value)) <= 2**53 else value
    array = numpy.asarray(value)
    if array.dtype.kind not in "biuf":
        return None
    return array.astype(float) if array.dtype.kind == "b" else array


def point_form(point: numpy.ndarray, arithmetic: Callable[..., Interval], record: Record) -> Form:
    """Single points (n, d)."""
    return Form(arithmetic(point), None, record)


def box_form(center: numpy.ndarray, radius: numpy.ndarray, make: Callable[..., Interval], record: Record) -> Form:
    """The coordinates center ± radius of boxes, (n, d): each its own ε."""
    d = center.shape[-1]
    slopes = numpy.zeros((d, *center.shape))
    for i in range(d):
        slopes[i, ..., i] = radius[..., i]
    return Form(make(center), make(slopes), record)


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
