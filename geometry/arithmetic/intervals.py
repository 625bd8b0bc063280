"""Arrays of intervals, rounded outward: every operation contains all results of the exact one.

Sums, differences and multiples are exact where floats are, otherwise one float outward; elementary functions have the
errors that are proven in `geometry.arithmetic._outward`. An end that is infinite stands for arbitrarily large numbers;
the empty interval is [NaN, NaN]. Functions are restricted to where they are defined: the root of [−1, 4] is [0, 2].

There is no state: intervals may be used on any thread, and after a fork.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy
from numpy import inf

from geometry.arithmetic import _outward as outward
from geometry.arithmetic._outward import FAR, MARGINS, TINY, fast

__all__ = [
    "FUNCTIONS",
    "Interval",
    "hull",
    "interval",
    "joined",
    "pow",
    "pown",
    "recip",
    "sqr",
    "sqrt",
    "symmetric",
    "total",
]

FEW = 8  # terms, which are added one after the other
ROOM = 20 * TINY  # for values that have underflowed on the way


class Interval:
    """Intervals lo ≤ x ≤ hi.

    Parameters
    ----------
    lo, hi : array (...) of float64
        Of one shape, with lo ≤ hi < ∞ or hi = ∞ and lo < ∞, or both NaN. They are not checked: `interval` does.

    Examples
    --------
    >>> third = 1 / interval([3.0])
    >>> bool(third.lo[0] < third.hi[0]), third.width.round(15)
    (True, array([0.]))
    >>> interval(-1.0, 2.0) * interval(0.0, 3.0)
    Interval(-3.0000000000000004, 6.000000000000001)
    """

    __slots__ = ("hi", "lo")
    __array_ufunc__ = None  # NumPy arrays leave mixed arithmetic to us

    def __init__(self, lo: Any, hi: Any) -> None:
        self.lo, self.hi = lo, hi

    def __repr__(self) -> str:
        return f"Interval({self.lo!s}, {self.hi!s})"

    @property
    def shape(self) -> tuple[int, ...]:
        return self.lo.shape

    @property
    def mag(self) -> numpy.ndarray:
        """The greatest absolute value, shape (...)."""
        return numpy.maximum(numpy.abs(self.lo), numpy.abs(self.hi))

    @property
    def mig(self) -> numpy.ndarray:
        """The least absolute value."""
        return numpy.maximum(numpy.maximum(self.lo, -self.hi), 0.0)

    @property
    def width(self) -> numpy.ndarray:
        """hi − lo, rounded to nearest: for choices, not for bounds."""
        return self.hi - self.lo

    @property
    def middle(self) -> numpy.ndarray:
        """A finite member in the middle of each interval; 0 for the empty one."""
        with numpy.errstate(all="ignore"):
            middle = (self.lo + self.hi) * 0.5  # in between, for rounding is monotone
            if numpy.isfinite(middle).all():
                return middle
            middle = numpy.nan_to_num(self.lo / 2 + self.hi / 2, nan=0.0)  # the largest float for infinity
        return numpy.fmax(numpy.fmin(middle, self.hi), self.lo)

    def map(self, function: Callable[[numpy.ndarray], numpy.ndarray]) -> Interval:
        """`function`, which moves elements about, of both ends."""
        lo = function(self.lo)
        return Interval(lo, lo if self.hi is self.lo else function(self.hi))

    def __getitem__(self, key: Any) -> Interval:
        return self.map(lambda end: end[key])

    def within(self, low: float, high: float) -> numpy.ndarray:
        """Whether the intervals lie inside of the open interval (low, high)."""
        return (self.lo > low) & (self.hi < high)

    def where(self, chosen: numpy.ndarray, other: Interval) -> Interval:
        """Itself where chosen, else the other."""
        return Interval(numpy.where(chosen, self.lo, other.lo), numpy.where(chosen, self.hi, other.hi))

    def clipped(self, low: float, high: float) -> Interval:
        """What of the intervals lies in [low, high]."""
        lo, hi = numpy.maximum(self.lo, low), numpy.minimum(self.hi, high)
        empty = ~(lo <= hi)
        if numpy.any(empty):
            lo, hi = numpy.where(empty, numpy.nan, lo), numpy.where(empty, numpy.nan, hi)
        return Interval(lo, hi)

    def __and__(self, other: Interval) -> Interval:
        return self.clipped(other.lo, other.hi)

    def __neg__(self) -> Interval:
        return Interval(-self.hi, -self.lo)

    def __abs__(self) -> Interval:
        return Interval(self.mig, self.mag)

    @numpy.errstate(all="ignore")
    def __add__(self, other: Any) -> Interval:
        lo, hi = _ends(other)
        return Interval(fast(outward.sum_down)(self.lo, lo), fast(outward.sum_up)(self.hi, hi))

    def __sub__(self, other: Any) -> Interval:
        return self + (-other if isinstance(other, Interval) else numpy.negative(other))

    @numpy.errstate(all="ignore")
    def __mul__(self, other: Any) -> Interval:
        """Times intervals, or finite numbers."""
        if not isinstance(other, Interval):
            lo, hi = (
                fast(outward.scaled_down)(self.lo, self.hi, other),
                fast(outward.scaled_up)(self.lo, self.hi, other),
            )
            return Interval(lo, hi)
        if other.lo is other.hi or self.lo is self.hi:
            return self * other.lo if other.lo is other.hi else other * self.lo
        ends = self.lo, self.hi, other.lo, other.hi
        return Interval(fast(outward.product_down)(*ends), fast(outward.product_up)(*ends))

    @numpy.errstate(all="ignore")
    def __truediv__(self, other: Any) -> Interval:
        """Everything where 0 is inside of the divisor; half of it where 0 is an end."""
        x, y = self, other if isinstance(other, Interval) else interval(other)
        negative = y.hi < 0
        if negative.any():
            x, y = (-x).where(negative, x), (-y).where(negative, y)
        if (y.lo > 0).all():
            ends = y.lo, y.hi
            return Interval(fast(outward.quotient_down)(x.lo, *ends), fast(outward.quotient_up)(x.hi, *ends))
        return x * recip(y)

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: Any) -> Interval:
        return -self + other

    def __rtruediv__(self, other: Any) -> Interval:
        return interval(other) / self

    def sum(self, axis: int) -> Interval:
        """Σ along one axis.

        However n numbers are added, rounding moves their sum by less than n·2⁻⁵³/(1 − n·2⁻⁵³) times the sum of their
        sizes (Higham, "Accuracy and Stability of Numerical Algorithms" (2002), Section 4.2). We allow for twice as
        much, which covers the rounding of that bound as well.
        """
        n = self.shape[axis]
        if n <= FEW:
            return reduce(operator.add, [self.map(lambda end, i=i: end.take(i, axis)) for i in range(n)])  # type: ignore[misc]
        slack = n * numpy.finfo(float).eps
        with numpy.errstate(all="ignore"):
            lo = self.lo.sum(axis) - slack * numpy.abs(self.lo).sum(axis)
            hi = self.hi.sum(axis) + slack * numpy.abs(self.hi).sum(axis)
        if (lost := numpy.isnan(lo) | numpy.isnan(hi)).any():  # sums that overflow are anything, not empty
            lost = lost & ~numpy.isnan(self.lo).any(axis)
            lo, hi = numpy.where(lost, -inf, lo), numpy.where(lost, inf, hi)
        return Interval(numpy.nextafter(lo, -inf), numpy.nextafter(hi, inf))


def interval(lo: Any, hi: Any = None) -> Interval:
    """Intervals between ends that are checked, or of single numbers.

    Parameters
    ----------
    lo, hi : array (...)
        Where not lo ≤ hi, the interval is empty.

    Examples
    --------
    >>> interval([1.0, 2.0], [1.5, 1.0])
    Interval([ 1. nan], [1.5 nan])
    """
    lo = numpy.asarray(lo, dtype=float)
    if hi is None:
        return Interval(lo, lo)
    lo, hi = numpy.broadcast_arrays(lo, numpy.asarray(hi, dtype=float))
    empty = ~(lo <= hi) | (lo == inf) | (hi == -inf)
    if not empty.any():
        return Interval(lo, hi)
    return Interval(numpy.where(empty, numpy.nan, lo), numpy.where(empty, numpy.nan, hi))


def _ends(x: Any) -> tuple[Any, Any]:
    return (x.lo, x.hi) if isinstance(x, Interval) else (x, x)


def hull(x: Interval, y: Interval) -> Interval:
    """The least intervals around both; of the empty one and another it is the other."""
    return Interval(numpy.fmin(x.lo, y.lo), numpy.fmax(x.hi, y.hi))


def joined(parts: Sequence[Interval], axis: int = 0) -> Interval:
    """Arrays of intervals one after the other."""
    if len(parts) == 1:
        return parts[0]
    return Interval(numpy.concatenate([x.lo for x in parts], axis), numpy.concatenate([x.hi for x in parts], axis))


def symmetric(x: Interval) -> Interval:
    """[−m, m], m the greatest absolute value."""
    size = x.mag
    return Interval(-size, size)


def total(x: Interval) -> Interval:
    """Σ over the first axis."""
    return reduce(operator.add, [x[i] for i in range(x.shape[0])])


@numpy.errstate(all="ignore")
def sqr(x: Interval) -> Interval:
    """x², [0, ∞) at most."""
    least, most = x.mig, x.mag
    return Interval(fast(outward.times_down)(least, least), fast(outward.times_up)(most, most))


@numpy.errstate(all="ignore")
def sqrt(x: Interval) -> Interval:
    """√x."""
    inside = x.clipped(0.0, inf)
    return Interval(numpy.maximum(fast(outward.root_down)(inside.lo), 0.0), fast(outward.root_up)(inside.hi))


@numpy.errstate(all="ignore")
def recip(x: Interval) -> Interval:
    """1/x."""
    straddles = (x.lo < 0) & (x.hi > 0)
    size, negative = abs(x), x.lo + x.hi < 0
    lo, hi = fast(outward.quotient_down)(1.0, size.lo, size.hi), fast(outward.quotient_up)(1.0, size.lo, size.hi)
    lo, hi = numpy.where(negative, -hi, lo), numpy.where(negative, -lo, hi)
    lo, hi = numpy.where(straddles, -inf, lo), numpy.where(straddles, inf, hi)
    nothing = size.hi == 0
    return Interval(numpy.where(nothing, numpy.nan, lo), numpy.where(nothing, numpy.nan, hi))


def _outward(function: Callable[..., Any], exact: float, low: Any, high: Any) -> tuple[numpy.ndarray, numpy.ndarray]:
    """A lower bound of a function at `low`, and an upper bound at `high`."""
    at_low = fast(function)(low)
    at_high = at_low if high is low else fast(function)(high)
    margin = MARGINS[function]
    return (
        fast(outward.value_down)(low, exact, at_low, margin, ROOM),
        fast(outward.value_up)(high, exact, at_high, margin, ROOM),
    )


def _increasing(
    function: Callable[..., Any], domain: tuple[float, float], values: tuple[float, float], exact: float = 0.0
) -> Callable[[Interval], Interval]:
    """A function that increases on a domain, has values in a range, and is a float at one place that is known."""

    @numpy.errstate(all="ignore")
    def of(x: Interval) -> Interval:
        inside = x if domain == (-inf, inf) else x.clipped(*domain)
        lo, hi = _outward(function, exact, inside.lo, inside.hi)
        return Interval(numpy.maximum(lo, values[0]), numpy.minimum(hi, values[1]))

    return of


LINE = (-inf, inf)
_cosh_of_size = _increasing(outward.cosh, (0.0, inf), (1.0, inf))


@numpy.errstate(all="ignore")
def _acos(x: Interval) -> Interval:
    """It decreases."""
    inside = x.clipped(-1.0, 1.0)
    lo, hi = _outward(outward.acos, 1.0, inside.hi, inside.lo)
    return Interval(numpy.maximum(lo, 0.0), hi)


def _cosh(x: Interval) -> Interval:
    """Of |x|."""
    return _cosh_of_size(abs(x))


def _sin(x: Interval) -> Interval:
    """Between the values at both ends, ±1 where there may be a crest or a trough between them."""
    return _wave(x, outward.sin, 0.25)


def _cos(x: Interval) -> Interval:
    """As `sin`."""
    return _wave(x, outward.cos, 0.0)


@numpy.errstate(all="ignore")
def _wave(x: Interval, function: Callable[..., Any], crest: float) -> Interval:
    """sin or cos, with crests at `crest` + n turns."""
    if x.hi is x.lo:
        return Interval(*_at_points(x.lo, function, numpy.zeros(1, dtype=bool)))
    wide = ~(x.hi - x.lo < 7)
    (lo, hi), other = (_at_points(end, function, wide) for end in (x.lo, x.hi))
    lo, hi = numpy.minimum(lo, other[0]), numpy.maximum(hi, other[1])
    some, troughs, crests = ~numpy.isnan(x.lo), wide | _passes(x, crest + 0.5, 1.0), wide | _passes(x, crest, 1.0)
    return Interval(numpy.where(troughs & some, -1.0, lo), numpy.where(crests & some, 1.0, hi))


def _passes(x: Interval, phase: float, period: float) -> numpy.ndarray:
    """Whether a number 2π(phase + n·period) may be in the interval; in doubt, yes."""
    first, last = x.lo / (2 * numpy.pi) - phase, x.hi / (2 * numpy.pi) - phase
    slack = 2.0**-50 * (1 + numpy.abs(first) + numpy.abs(last))
    return ~(numpy.floor((first - slack) / period) == numpy.floor((last + slack) / period))


def _at_points(
    x: numpy.ndarray, function: Callable[..., Any], unwanted: numpy.ndarray
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Bounds of sin or cos at single numbers; far away, where they are wanted, those of python-flint's balls."""
    size = numpy.abs(x)
    near = (size <= FAR) | unwanted
    value = fast(function)(x)
    room = numpy.where(size < 0.78, ROOM, 1e-30)
    lo = numpy.maximum(fast(outward.value_down)(x, 0.0, value, MARGINS[function], room), -1.0)
    hi = numpy.minimum(fast(outward.value_up)(x, 0.0, value, MARGINS[function], room), 1.0)
    if not near.all():
        lo, hi = numpy.asarray(lo), numpy.asarray(hi)
        lo[~near], hi[~near] = numpy.array([_far(float(t), function.__name__) for t in x[~near]]).T
    return lo, hi


def _far(x: float, name: str) -> tuple[float, float]:
    """Of sin or cos at one number. Balls hold the truth at any precision, so that the user's may stay what it is."""
    from flint import arb

    if not numpy.isfinite(x):
        return (x, x) if x != x else (-1.0, 1.0)
    ball = getattr(arb(x), name)()
    middle, radius = float(ball.mid()), float(ball.rad()) * 1.01 + 2.0**-52
    return max(middle - radius, -1.0), min(middle + radius, 1.0)


def _tan(x: Interval) -> Interval:
    """Between the values at both ends; everything where there may be a pole between them."""
    ends = [_sin(e) / _cos(e) for e in (Interval(x.lo, x.lo), Interval(x.hi, x.hi))]
    pole = _passes(x, 0.25, 0.5) & ~numpy.isnan(x.lo)
    return Interval(numpy.where(pole, -inf, ends[0].lo), numpy.where(pole, inf, ends[1].hi))


def pown(x: Interval, n: int) -> Interval:
    """xⁿ for a whole number n, by repeated squares."""
    if n < 0:
        return recip(pown(x, -n))
    if n % 2 == 0:
        return _power_of_size(abs(x), n)
    low, high = (_power_of_size(abs(Interval(end, end)), n) for end in (x.lo, x.hi))
    return Interval(numpy.where(x.lo < 0, -low.hi, low.lo), numpy.where(x.hi < 0, -high.lo, high.hi))


def _power_of_size(x: Interval, n: int) -> Interval:
    found = interval(numpy.where(numpy.isnan(x.lo), numpy.nan, 1.0))
    while n:
        if n % 2:
            found = found * x
        n //= 2
        x = sqr(x) if n else x
    return found


def pow(x: Interval, y: Interval) -> Interval:
    """xʸ on x ≥ 0; 0ʸ is 0 for y > 0."""
    power = FUNCTIONS["exp"](y * FUNCTIONS["log"](x))
    zero = (x.lo <= 0) & (x.hi >= 0) & (y.hi > 0)
    lo, hi = (
        numpy.where(zero, numpy.fmin(power.lo, 0.0), power.lo),
        numpy.where(zero, numpy.fmax(power.hi, 0.0), power.hi),
    )
    return Interval(lo, hi)


def _rounded(name: str) -> Callable[[Interval], Interval]:
    """A function of NumPy that rounds to whole numbers."""
    return lambda x: x.map(getattr(numpy, name))


FUNCTIONS: dict[str, Callable[[Interval], Interval]] = {
    "sqrt": sqrt,
    "exp": _increasing(outward.exp, LINE, (0.0, inf)),
    "expm1": _increasing(outward.expm1, LINE, (-1.0, inf)),
    "log": _increasing(outward.log, (0.0, inf), LINE, 1.0),
    "log1p": _increasing(outward.log1p, (-1.0, inf), LINE),
    "sin": _sin,
    "cos": _cos,
    "tan": _tan,
    "asin": _increasing(outward.asin, (-1.0, 1.0), LINE),
    "acos": _acos,
    "atan": _increasing(outward.atan, LINE, LINE),
    "sinh": _increasing(outward.sinh, LINE, LINE),
    "cosh": _cosh,
    "tanh": _increasing(outward.tanh, LINE, (-1.0, 1.0)),
    "asinh": _increasing(outward.asinh, LINE, LINE),
    "acosh": _increasing(outward.acosh, (1.0, inf), (0.0, inf), 1.0),
    "atanh": _increasing(outward.atanh, (-1.0, 1.0), LINE),
    "sign": _rounded("sign"),
    "floor": _rounded("floor"),
    "ceil": _rounded("ceil"),
    "trunc": _rounded("trunc"),
    "round": _rounded("rint"),
}
"""The elementary functions by the names of the array API standard; values at all numbers of the domain."""
