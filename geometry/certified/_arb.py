"""Intervals over NumPy arrays with the elementary functions of python-flint's `arb`: the slow stand-in for `ival`.

Sums, products and quotients are NumPy's, correctly rounded, and then one number outward. Elementary functions go
through `arb` number by number, and are rounded outward to floats. Balls contain the truth at any precision, so
that of `flint.ctx`, which all threads share and which is the user's, stays what it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy

_INF = math.inf


class Interval:
    """Arrays `lo` ≤ `hi` of float64; the empty interval is [nan, nan]."""

    __slots__ = ("hi", "lo")

    def __init__(self, lo: Any, hi: Any = None) -> None:
        lo, hi = numpy.broadcast_arrays(*(numpy.asarray(end, dtype=float) for end in (lo, lo if hi is None else hi)))
        empty = ~(lo <= hi) | (lo == _INF) | (hi == -_INF)
        self.lo, self.hi = numpy.where(empty, math.nan, lo), numpy.where(empty, math.nan, hi)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.lo.shape

    @property
    def mag(self) -> numpy.ndarray:
        return numpy.maximum(numpy.abs(self.lo), numpy.abs(self.hi))

    @property
    def mig(self) -> numpy.ndarray:
        return abs(self).lo

    def __getitem__(self, key: Any) -> Interval:
        return Interval(self.lo[key], self.hi[key])

    def __neg__(self) -> Interval:
        return Interval(-self.hi, -self.lo)

    def __abs__(self) -> Interval:
        straddles = (self.lo < 0) & (self.hi > 0)
        smallest = numpy.where(straddles, 0.0, numpy.minimum(numpy.abs(self.lo), numpy.abs(self.hi)))
        return Interval(smallest, self.mag)

    def __add__(self, other: Any) -> Interval:
        other = _interval(other)
        return _outward([self.lo + other.lo], [self.hi + other.hi])

    def __sub__(self, other: Any) -> Interval:
        return self + -_interval(other)

    def __mul__(self, other: Any) -> Interval:
        other = _interval(other)
        corners = [_product(a, b) for a in (self.lo, self.hi) for b in (other.lo, other.hi)]
        return _outward(corners, corners)

    def __truediv__(self, other: Any) -> Interval:
        return self * recip(_interval(other))

    def __radd__(self, other: Any) -> Interval:
        return self + other

    def __rsub__(self, other: Any) -> Interval:
        return -self + other

    def __rmul__(self, other: Any) -> Interval:
        return self * other

    def __rtruediv__(self, other: Any) -> Interval:
        return _interval(other) / self

    def __and__(self, other: Any) -> Interval:
        return Interval(numpy.maximum(self.lo, other.lo), numpy.minimum(self.hi, other.hi))

    def __or__(self, other: Any) -> Interval:
        return Interval(numpy.fmin(self.lo, other.lo), numpy.fmax(self.hi, other.hi))

    __array_ufunc__ = None  # NumPy arrays leave mixed arithmetic to us


def _interval(value: Any) -> Interval:
    return value if isinstance(value, Interval) else Interval(value)


def _outward(low: list[numpy.ndarray], high: list[numpy.ndarray]) -> Interval:
    """From ends rounded to nearest: the smallest and the largest of them, one float further out."""
    lo, hi = numpy.minimum.reduce(low), numpy.maximum.reduce(high)
    with numpy.errstate(over="ignore"):  # beyond the largest float is infinity
        return Interval(numpy.nextafter(lo, -_INF), numpy.nextafter(hi, _INF))


def _product(a: numpy.ndarray, b: numpy.ndarray) -> numpy.ndarray:
    """a·b, where 0·∞ is 0: an end that is infinite stands for arbitrarily large numbers."""
    with numpy.errstate(all="ignore"):
        zero = ((a == 0) & numpy.isinf(b)) | ((b == 0) & numpy.isinf(a))
        return numpy.where(zero, 0.0, a * b)


def recip(x: Interval) -> Interval:
    """1/x; everything where 0 is inside."""
    with numpy.errstate(all="ignore"):
        low = numpy.where(x.hi == 0, -_INF, numpy.nextafter(1 / x.hi, -_INF))
        low = numpy.where(x.hi == _INF, 0.0, low)
        high = numpy.where(x.lo == 0, _INF, numpy.nextafter(1 / x.lo, _INF))
        high = numpy.where(x.lo == -_INF, 0.0, high)
    # 1/[0, b] begins at 1/b, 1/[a, 0] ends at 1/a.
    straddles = (x.lo < 0) & (x.hi > 0)
    low, high = numpy.where(straddles, -_INF, low), numpy.where(straddles, _INF, high)
    low = numpy.where((x.hi == 0) & (x.lo < 0), -_INF, low)
    return Interval(numpy.where((x.lo == 0) & (x.hi == 0), math.nan, low), high)


def sqr(x: Interval) -> Interval:
    size = abs(x)
    product = size * size
    return Interval(numpy.maximum(product.lo, 0.0), product.hi)


def minimum(x: Interval, y: Any) -> Interval:
    y = _interval(y)
    return Interval(numpy.minimum(x.lo, y.lo), numpy.minimum(x.hi, y.hi))


def maximum(x: Interval, y: Any) -> Interval:
    y = _interval(y)
    return Interval(numpy.maximum(x.lo, y.lo), numpy.maximum(x.hi, y.hi))


def pown(x: Interval, n: int) -> Interval:
    """x^n for an integer n."""
    if n < 0:
        return recip(pown(x, -n))
    if n % 2:
        return _increasing(x, lambda a: a**n, (-_INF, _INF), (-_INF, _INF))
    return _increasing(abs(x), lambda a: a**n, (0.0, _INF), (0.0, _INF))


def pow(x: Interval, y: Any) -> Interval:
    """x^y on x ≥ 0; 0^y is 0 for y > 0."""
    y = _interval(y)
    power, zero = exp(y * log(x)), (x.lo <= 0) & (x.hi >= 0) & (y.hi > 0)
    return Interval(
        numpy.where(zero, numpy.fmin(power.lo, 0.0), power.lo), numpy.where(zero, numpy.fmax(power.hi, 0.0), power.hi)
    )


def _rounding(name: str) -> Callable[[Interval], Interval]:
    return lambda x: Interval(getattr(numpy, name)(x.lo), getattr(numpy, name)(x.hi))


floor, ceil, trunc, sign, roundeven = (_rounding(name) for name in ("floor", "ceil", "trunc", "sign", "rint"))


# Elementary functions.


def _floats(ball: Any) -> tuple[float, float]:
    """The floats just around an `arb`."""
    from flint import arb

    if not ball.is_finite():
        return -_INF, _INF
    low, high = ball.lower(), ball.upper()
    a, b = float(low), float(high)
    return a if arb(a) <= low else math.nextafter(a, -_INF), b if arb(b) >= high else math.nextafter(b, _INF)


def _each(x: Interval, ends: Callable[[float, float], tuple[float, float]]) -> Interval:
    """`ends` of every interval that is not empty."""
    pairs = [(a, a) if a != a else ends(a, b) for a, b in zip(x.lo.flat, x.hi.flat, strict=True)]
    both = numpy.array(pairs, dtype=float).reshape(*x.shape, 2)
    return Interval(both[..., 0], both[..., 1])


def _increasing(
    x: Interval, function: Callable[[Any], Any], domain: tuple[float, float], limits: tuple[float, float]
) -> Interval:
    """Of an increasing function, from its values at both ends, and its limits at the ends of its domain."""
    from flint import arb

    def around(a: float) -> tuple[float, float]:
        if a not in domain:
            return _floats(function(arb(a)))
        limit = limits[domain.index(a)]
        exact = limit in (0, 1, -1, _INF, -_INF)
        return (limit, limit) if exact else (math.nextafter(limit, -_INF), math.nextafter(limit, _INF))

    whole = Interval(numpy.full(x.shape, domain[0]), numpy.full(x.shape, domain[1]))
    return _each(x & whole, lambda a, b: (around(a)[0], around(b)[1]))


def _ball(x: Interval, function: Callable[[Any], Any], bound: float) -> Interval:
    """Of a function with values in ±bound, from arb's value of the whole interval, or of its only number."""
    from flint import arb

    def ends(a: float, b: float) -> tuple[float, float]:
        if a == -_INF or b == _INF:
            return -bound, bound
        low, high = _floats(function(arb(a) if a == b else arb(a).union(arb(b))))
        return (low if low > -bound else -bound), (high if high < bound else bound)

    return _each(x, ends)


def _monotone(name: str, domain: tuple[float, float], limits: tuple[float, float]) -> Callable[[Interval], Interval]:
    return lambda x: _increasing(x, lambda a: getattr(a, name)(), domain, limits)


def _per_unit(function: Callable[[Interval], Interval], base: int) -> Callable[[Interval], Interval]:
    """A logarithm to another base, from the natural one."""
    return lambda x: function(x) / log(Interval(numpy.full(x.shape, float(base))))


_LINE = (-_INF, _INF)
exp = _monotone("exp", _LINE, (0.0, _INF))
expm1 = _monotone("expm1", _LINE, (-1.0, _INF))
log = _monotone("log", (0.0, _INF), _LINE)
log1p = _monotone("log1p", (-1.0, _INF), _LINE)
log2, log10 = _per_unit(log, 2), _per_unit(log, 10)
sqrt = _monotone("sqrt", (0.0, _INF), (0.0, _INF))
sinh = _monotone("sinh", _LINE, _LINE)
tanh = _monotone("tanh", _LINE, (-1.0, 1.0))
asin = _monotone("asin", (-1.0, 1.0), (-math.pi / 2, math.pi / 2))
atan = _monotone("atan", _LINE, (-math.pi / 2, math.pi / 2))
asinh = _monotone("asinh", _LINE, _LINE)
acosh = _monotone("acosh", (1.0, _INF), (0.0, _INF))
atanh = _monotone("atanh", (-1.0, 1.0), _LINE)


def acos(x: Interval) -> Interval:
    half_pi = Interval(math.pi / 2, math.nextafter(math.pi / 2, _INF))
    return half_pi - asin(x)


def cosh(x: Interval) -> Interval:
    return _increasing(abs(x), lambda a: a.cosh(), (0.0, _INF), (1.0, _INF))


def sin(x: Interval) -> Interval:
    return _ball(x, lambda a: a.sin(), 1.0)


def cos(x: Interval) -> Interval:
    return _ball(x, lambda a: a.cos(), 1.0)


def tan(x: Interval) -> Interval:
    return _ball(x, lambda a: a.tan(), _INF)


min, max = minimum, maximum  # as `ival` calls them
