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
from typing import Any, ClassVar, Self

import numpy

from geometry.arithmetic.intervals import Interval, symmetric

__all__ = ["Affine", "Record"]

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


class Affine:
    """The arithmetic of forms: operators, items, sums.

    Attributes
    ----------
    center : Interval (...)
    slopes : Interval (d, ...) or None
        Broadcasts against the center.
    record : Record
        Of the evaluation that this form takes part in.
    """

    __slots__ = ("center", "record", "slopes")
    __array_ufunc__ = None  # NumPy arrays leave mixed arithmetic to us
    __hash__: ClassVar[Any] = None

    def __init__(self, center: Interval, slopes: Slopes, record: Record) -> None:
        self.center, self.slopes, self.record = of_arrays(center), slopes, record
        record.largest = max(record.largest, self.center.lo.size)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.center.shape

    @property
    def ndim(self) -> int:
        return len(self.center.shape)

    def __repr__(self) -> str:
        return f"Form(center={self.center!r}, slopes={self.slopes!r})"

    def __getitem__(self, key: Any) -> Self:
        key, slopes = key if isinstance(key, tuple) else (key,), self.full_slopes()
        if slopes is not None:
            slopes = slopes.map(lambda end: end[(slice(None), *key)])
        return self.new(self.center.map(lambda end: numpy.asarray(end[key])), slopes)

    # Parts.

    def new(self, center: Interval, slopes: Slopes) -> Self:
        return type(self)(center, slopes, self.record)

    def flat(self, values: Interval) -> Self:
        """Intervals as numbers of the same evaluation that do not depend on θ."""
        return self.new(values, None)

    def constant(self, value: Any) -> Self:
        """Numbers as numbers of the same evaluation; an infinity stands for arbitrarily large ones."""
        end = numpy.asarray(value, dtype=float)
        low, high = (
            numpy.nan_to_num(end, nan=numpy.nan, posinf=p, neginf=n)
            for p, n in ((LARGEST, -numpy.inf), (numpy.inf, -LARGEST))
        )
        return self.flat(Interval(low, low if numpy.array_equal(low, high, equal_nan=True) else high))

    def unbounded_where(self, where: Any) -> Self:
        """Anything where NumPy has an infinity, of which intervals know nothing: it may become a number again."""
        if not numpy.any(where):
            return self
        ends = ((-numpy.inf, self.center.lo), (numpy.inf, self.center.hi))
        center, slopes = Interval(*(numpy.where(where, e, end) for e, end in ends)), self.lifted(self.ndim)
        return self.new(center, slopes if slopes is None else slopes.map(lambda end: numpy.where(where, 0.0, end)))

    def lifted(self, ndim: int) -> Slopes:
        """The slopes, ready to broadcast against arrays of `ndim` dimensions."""
        if self.slopes is None or len(self.slopes.shape) == ndim + 1:
            return self.slopes
        d, *rest = self.slopes.shape
        return self.slopes.map(lambda end: end.reshape(d, *(1,) * (ndim - len(rest)), *rest))

    def full_slopes(self) -> Slopes:
        """The slopes, one of each for every element."""
        slopes = self.lifted(self.ndim)
        if slopes is None or slopes.shape[1:] == self.shape:
            return slopes
        return slopes.map(lambda end: numpy.broadcast_to(end, (len(end), *self.shape)))

    def swing(self) -> Interval:
        """[−R, R] for R = Σ|A_i|; the center must be added for the range."""
        slopes = self.lifted(self.ndim)
        size = slopes.mag
        total = Interval(-size[0], size[0])
        for i in range(1, len(size)):
            total = total + Interval(-size[i], size[i])
        return total

    def range(self) -> Interval:
        """An interval that holds all values, (...)."""
        return self.center if self.slopes is None else of_arrays(self.center + self.swing())

    # Arithmetic.

    def __neg__(self) -> Self:
        return self.new(-self.center, None if self.slopes is None else -self.slopes)

    def __pos__(self) -> Self:
        return self

    def __add__(self, other: Any) -> Self:
        other = self._operand(other)
        if not isinstance(other, Affine):
            return self.new(self.center + other, self.slopes)
        center = self.center + other.center
        if self.slopes is None or other.slopes is None:
            return self.new(center, other.slopes if self.slopes is None else self.slopes)
        ndim = len(center.shape)
        return self.new(center, self.lifted(ndim) + other.lifted(ndim))

    def __mul__(self, other: Any) -> Self:
        if other is self:
            return self.square()
        other = self._operand(other)
        if not isinstance(other, Affine):
            return self._scaled(other, lambda x, k: x * k)
        if self.slopes is None or other.slopes is None:
            fixed, form = (self, other) if self.slopes is None else (other, self)
            return form._scaled(fixed.center, lambda x, k: x * k)  # type: ignore[return-value]
        return self._product(other)

    def __truediv__(self, other: Any) -> Self:
        other = self._operand(other)
        if not isinstance(other, Affine):
            self.record.partial_where(numpy.equal(other, 0))
            return self._scaled(other, lambda x, k: x / k).unbounded_where(numpy.equal(other, 0))
        if self.slopes is None and other.slopes is None:
            low, high = other.center.lo, other.center.hi
            self.record.partial_where((low <= 0) & (high >= 0))
            return self.new(self.center / other.center, None).unbounded_where((low == 0) & (high == 0))
        return self * other.reciprocal()

    def __sub__(self, other: Any) -> Self:
        return self + -self._operand(other)

    def __radd__(self, other: Any) -> Self:
        return self + other

    def __rsub__(self, other: Any) -> Self:
        return -self + other

    def __rmul__(self, other: Any) -> Self:
        return self * other

    def __rtruediv__(self, other: Any) -> Self:
        return self.reciprocal() * other

    def __matmul__(self, other: Any) -> Self:
        return (self[..., :, :, None] * other[..., None, :, :]).sum(-2)

    def __rmatmul__(self, other: Any) -> Self:
        return (other[..., :, :, None] * self[..., None, :, :]).sum(-2)

    def square(self) -> Self:
        raise NotImplementedError

    def reciprocal(self) -> Self:
        raise NotImplementedError

    def _operand(self, other: Any) -> Any:
        """A form, or finite floats."""
        if isinstance(other, Affine | float):
            return other if isinstance(other, Affine) or numpy.isfinite(other) else self.constant(other)
        other = numpy.asarray(other, dtype=float)
        return self.constant(other) if numpy.any(numpy.isinf(other)) else other

    def _scaled(self, factor: Any, operation: Callable[[Interval, Any], Interval]) -> Self:
        center = operation(self.center, factor)
        return self.new(center, None if self.slopes is None else operation(self.lifted(len(center.shape)), factor))

    def _product(self, other: Affine) -> Self:
        center = self.center * other.center
        ndim = len(center.shape)
        a, b = self.lifted(ndim), other.lifted(ndim)
        unit = Interval(numpy.zeros(1), numpy.ones(1))
        for i in range(a.shape[0]):
            center = center + a[i] * b[i] * unit  # ε_i² is in [0, 1]
            for j in range(i):
                center = center + symmetric(abs(a[i] * b[j] + a[j] * b[i]))
        return self.new(center, b * self.center + a * other.center)

    def sum(self, axis: int = -1) -> Self:
        """Σ along an axis, counted from the end."""
        center = self.center.sum(axis)
        if self.slopes is None:
            return self.new(center, None)
        slopes, n = self.lifted(self.ndim), self.shape[axis]
        if slopes.shape[axis] == n:
            return self.new(center, slopes.sum(axis))
        return self.new(center, slopes.map(lambda end: end.take(0, axis)) * float(n))


def of_arrays(x: Interval) -> Interval:
    """Intervals with arrays as ends; libraries have numbers where no axis is left."""
    return x if isinstance(x.lo, numpy.ndarray) else x.map(numpy.asarray)
