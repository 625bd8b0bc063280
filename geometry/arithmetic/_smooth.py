"""The elementary functions of affine forms. Their derivatives are the slope rules of the table of operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy
from numpy import inf

from geometry.arithmetic._affine import Affine, Record
from geometry.arithmetic.intervals import FUNCTIONS, Interval, interval, pow, pown, recip, sqr, symmetric
from geometry.expressions._operations import TABLE
from geometry.expressions._programs import Program
from geometry.expressions._rates import rates

__all__ = ["Elementary"]

BOUNDS = interval(-1.0, 1.0)


class Elementary(Affine):
    """Forms with functions of one number, under the names of the interval library."""

    __slots__ = ("_known",)

    def __init__(self, center: Interval, slopes: Any, record: Record) -> None:
        super().__init__(center, slopes, record)
        self._known: Any = None  # of sine and cosine

    # Powers.

    def square(self) -> Self:
        if self.slopes is None:
            return self.flat(sqr(self.center))
        swing = self.swing()
        center = sqr(self.center) + sqr(swing)
        slopes = self.lifted(self.ndim) * (self.center + self.center)
        crossing = ~(swing.hi < self.center.mig)  # 0 may be inside, and then x² ≥ 0 is worth more than the slopes
        if not crossing.any():
            return self.new(center, slopes)
        natural = sqr(self.center + swing)
        ends = (numpy.where(crossing, n, c) for n, c in ((natural.lo, center.lo), (natural.hi, center.hi)))
        return self.new(Interval(*ends), slopes.map(lambda end: numpy.where(crossing, 0.0, end)))

    def reciprocal(self) -> Self:
        return self.power(-1.0)

    def power(self, p: Any) -> Self:
        """xᵖ, for a number p or a form."""
        if isinstance(p, Affine):
            return self._varying_power(p)
        if not numpy.abs(p) < 2**31:
            raise TypeError(f"intervals have powers up to 2^31, got {p:g}")
        if p in (0, 1, 2):
            return self.constant(numpy.ones(self.shape)) if p == 0 else self if p == 1 else self.square()
        return self._whole_power(int(p)) if float(p).is_integer() else self._real_power(float(p))

    def __pow__(self, p: Any) -> Self:
        return self.power(p)

    def _whole_power(self, n: int) -> Self:
        whole = self.range()
        self.record.partial_where((n < 0) & (whole.lo <= 0) & (whole.hi >= 0))
        found = self._expanded(lambda u: recip(u) if n == -1 else pown(u, n), *rates("pow", float(n)))
        return found.unbounded_where((n < 0) & (whole.lo == 0) & (whole.hi == 0))

    def _real_power(self, p: float) -> Self:
        whole, exact = self.range(), Interval(*2 * (numpy.full(1, p),))
        self.record.irregular_where(~(whole.lo > 0))
        self.record.partial_where(_straddles(whole, 0.0, inf, p > 0))
        return self._expanded(lambda u: pow(u, exact), *rates("pow", p)).unbounded_where((p < 0) & (whole.hi == 0))

    def _varying_power(self, power: Affine) -> Any:
        """exp(p log x) for x > 0. Elsewhere no slopes: 0ᵖ is 0, 1 or infinite, and (−x)ᵖ is ±xᵖ if p is whole."""
        base, exponent = self.range(), power.range()
        positive = base.lo > 0
        if positive.all() and not numpy.isnan(exponent.lo).any():
            return (power * self.smooth("log", 0.0)).smooth("exp")  # type: ignore[attr-defined]
        self.record.irregular_where(~positive)
        self.record.partial_where((base.lo < 0) | ((base.lo <= 0) & (exponent.lo < 0)))
        size, zero = pow(abs(base), exponent), (base.lo <= 0) & (base.hi >= 0)
        one = zero & (exponent.lo <= 0) & (exponent.hi >= 0)
        high = numpy.where(zero & (exponent.lo < 0), inf, numpy.where(one, numpy.fmax(size.hi, 1.0), size.hi))
        low = numpy.where(zero, 0.0, size.lo)
        # IEEE 754: x⁰ and 1ʸ are 1 even where x, or y, is not defined.
        named = numpy.isnan(base.lo) & (exponent.lo <= 0) & (exponent.hi >= 0)
        named |= numpy.isnan(exponent.lo) & (base.lo <= 1) & (base.hi >= 1)
        self.record.partial_where(named)
        low, high = (numpy.where(named, 1.0, end) for end in (numpy.where(base.lo < 0, -high, low), high))
        return self.flat(Interval(low, high))

    # Functions that are smooth on an interval.

    def smooth(self, name: str, low: float = -inf, high: float = inf, closed: bool = False) -> Self:
        """A function that is smooth on the open interval (low, high); if `closed`, it is defined at the ends too."""
        whole = self.range()
        self.record.irregular_where(~whole.within(low, high))
        self.record.partial_where(_straddles(whole, low, high, closed))
        found = self._expanded(lambda u: FUNCTIONS[name](u), *rates(name))
        return found if closed else found.unbounded_where((whole.hi == low) | (whole.lo == high))

    def tan(self) -> Self:
        self.record.partial_where(~(FUNCTIONS["tan"](self.range())).within(-inf, inf))
        return self._expanded(lambda u: FUNCTIONS["tan"](u), *rates("tan"))

    def _expanded(self, value: Callable[[Interval], Interval], first: Program, second: Program) -> Self:
        """φ(x), from φ and programs for φ′ and φ″ in (x, φ(x))."""
        if self.slopes is None:
            return self.flat(value(self.center))
        swing = self.swing()
        whole = self.center + swing
        ends = self.center.middle
        middle = Interval(ends, ends)
        at_middle, over_all = value(middle), value(whole)
        bend = self._rate(second, whole, over_all) * sqr(whole - middle)
        return self._by_taylor(ends, at_middle, self._rate(first, middle, at_middle), bend, swing, over_all)

    def _rate(self, rate: Program, x: Interval, y: Interval) -> Interval:
        """A derivative over intervals, by natural interval arithmetic; where it is undefined is not on record."""
        pair = _Pair(*(type(self)(u, None, Record()) for u in (x, y)))
        [[found]] = rate.run(pair, lambda name: TABLE[name].enclosure, pair[0].constant)
        return found.center

    def _by_taylor(
        self,
        middle: numpy.ndarray,
        value: Interval,
        first: Interval,
        bend: Interval,
        swing: Interval,
        natural: Interval,
    ) -> Self:
        """φ(m) + φ′(m) u + ½ bend, u = x − m, bend = φ″(X) u²; or `natural`, φ(X), where that is much narrower."""
        center = value + bend * 0.5
        if not (self.center.lo == self.center.hi).all():
            center = center + first * (self.center - interval(middle))
        slopes = self.lifted(self.ndim) * first
        # Slopes are worth more than their width: they may cancel against others.
        with numpy.errstate(invalid="ignore"):  # infinite derivatives are no use, even over no distance
            flat = ~(center.width + swing.hi * first.mag < natural.width)
        if not flat.any():
            return self.new(center, slopes)
        center = Interval(numpy.where(flat, natural.lo, center.lo), numpy.where(flat, natural.hi, center.hi))
        return self.new(center, Interval(numpy.where(flat, 0.0, slopes.lo), numpy.where(flat, 0.0, slopes.hi)))

    # Sine and cosine: φ′ is ± the other one, φ″ is −φ, and |φ(m + u) − φ(m)| ≤ |u|.

    def sin(self) -> Self:
        return self._wave("sin")

    def cos(self) -> Self:
        return self._wave("cos")

    def _wave(self, name: str) -> Self:
        if self.slopes is None:
            return self.flat(FUNCTIONS[name](self.center))
        if self._known is None:  # sine and cosine are mostly wanted both
            swing, middle = self.swing(), self.center.middle
            offset = self.center + swing - middle
            near = offset.mag < 3  # elsewhere [−1, 1] is hard to beat
            at = interval(numpy.where(near, middle, 0.0))
            self._known = swing, middle, offset, {n: FUNCTIONS[n](at).where(near, BOUNDS) for n in ("sin", "cos")}
        swing, middle, offset, waves = self._known
        at_middle, first = (waves["sin"], waves["cos"]) if name == "sin" else (waves["cos"], -waves["sin"])
        all_values = (at_middle + symmetric(offset)).clipped(-1.0, 1.0)
        natural = Interval(numpy.full(self.shape, -1.0), numpy.full(self.shape, 1.0))
        return self._by_taylor(middle, at_middle, first, -all_values * sqr(offset), swing, natural)

    # Functions that jump.

    def sign(self) -> Self:
        whole = self.range()
        self.record.irregular_where(~((whole.lo > 0) | (whole.hi < 0)))
        return self.flat(FUNCTIONS["sign"](whole))

    def rounded(self, name: str) -> Self:
        """A rounding function: constant between its jumps, which may be on the border of a box."""
        whole = self.range()
        around = FUNCTIONS[name](Interval(numpy.nextafter(whole.lo, -inf), numpy.nextafter(whole.hi, inf)))
        self.record.irregular_where(around.lo != around.hi)
        return self.flat(FUNCTIONS[name](whole))


class _Pair:
    """x and φ(x), which a program takes as its two variables."""

    def __init__(self, *both: Any) -> None:
        self.both = both

    def __getitem__(self, key: Any) -> Any:
        return self.both[key[-1] if isinstance(key, tuple) else key]


def _straddles(whole: Interval, low: float, high: float, closed: bool) -> numpy.ndarray:
    """Where intervals lie partly in a domain, partly not. Those outside have empty values, which say it themselves.

    So does an end that is not in the domain, where NumPy has an infinity, which may become a number again.
    """
    if closed:
        return ((whole.lo < low) & (whole.hi >= low)) | ((whole.lo <= high) & (whole.hi > high))
    return ((whole.lo <= low) & (whole.hi >= low)) | ((whole.lo <= high) & (whole.hi >= high))
