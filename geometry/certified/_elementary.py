"""The elementary functions of affine forms, each with its first two derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from numpy import inf

from geometry._kernels import kernel
from geometry.certified._forms import Form, elementary, expanded
from geometry.certified._intervals import Interval, call, library_of, like, mapped, midpoint, within
from geometry.certified._points import LARGEST, sine_and_cosine

__all__ = [
    "acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp", "expm1", "log", "log1p", "log2", "log10",
    "pow_", "reciprocal", "sin", "sinh", "sqrt", "square", "tan", "tanh",
]  # fmt: skip


def square(x: Form) -> Form:
    if x.slopes is None:
        return x.new(call("sqr", x.center), None)
    swing = x.swing()
    center, slopes = call("sqr", x.center) + call("sqr", swing), x.lifted(x.ndim) * (x.center + x.center)
    crossing = ~(swing.hi < x.center.mig)  # 0 may be inside, and then x² ≥ 0 is worth more than the slopes
    if not crossing.any():
        return x.new(center, slopes)
    natural = call("sqr", x.center + swing)
    ends = (numpy.where(crossing, n, c) for n, c in ((natural.lo, center.lo), (natural.hi, center.hi)))
    return x.new(like(center, *ends), mapped(lambda end: numpy.where(crossing, 0.0, end), slopes))


def reciprocal(x: Form) -> Form:
    whole = x.range()
    x.record.partial_where((whole.lo <= 0) & (whole.hi >= 0))
    return elementary(
        x, lambda u: call("recip", u), lambda u, y: -call("sqr", y), lambda u, y: 2.0 * call("pown", y, 3)
    )


def pow_(x: Any, power: Any) -> Any:
    if isinstance(power, Form):
        if not isinstance(x, Form):
            x = power.constant(x)
        return exp(power * log(x))
    power = numpy.asarray(power)
    if power.ndim:
        exponents = numpy.unique(power)
        if exponents.size > 1:
            raise TypeError("powers of intervals need one exponent, or take exp(p * log(x))")
        return x.spread_to(numpy.broadcast_shapes(x.shape, power.shape)) ** exponents[0]
    p = float(power)
    if not p.is_integer() or numpy.abs(p) >= 2**31:
        return _real_power(x, p)
    if p in (0, 1, 2):
        return x.constant(numpy.ones(x.shape)) if p == 0 else x if p == 1 else square(x)
    return _whole_power(x, int(p))


def _whole_power(x: Form, n: int) -> Form:
    if n < 0:
        whole = x.range()
        x.record.partial_where((whole.lo <= 0) & (whole.hi >= 0))
    return elementary(
        x,
        lambda u: call("pown", u, n),
        lambda u, y: float(n) * call("pown", u, n - 1),
        lambda u, y: float(n * (n - 1)) * call("pown", u, n - 2),
    )


def _real_power(x: Form, p: float) -> Form:
    whole = x.range()
    x.record.irregular_where(~(whole.lo > 0))
    x.record.partial_where(_straddles(whole, 0.0, inf, p > 0))

    def power(u: Interval, exponent: Any) -> Interval:
        return call("pow", u, exponent)

    exact = like(x.center, *2 * (numpy.full(1, p),))
    return elementary(
        x,
        lambda u: power(u, exact),
        lambda u, y: exact * power(u, exact - 1.0),
        lambda u, y: exact * (exact - 1.0) * power(u, exact - 2.0),
    )


def sin(x: Form) -> Form:
    return _wave(x, "sin", "cos", 1.0)


def cos(x: Form) -> Form:
    return _wave(x, "cos", "sin", -1.0)


def _wave(x: Form, value: str, other: str, sense: float) -> Form:
    """sin and cos: φ′ is ± the other one, φ″ is −φ, and |φ(m + u) − φ(m)| ≤ |u|."""
    if x.slopes is None:
        return x.new(_of_points(x.center, value), None)
    swing, middle = x.swing(), midpoint(x.center)
    offset = x.center + swing - like(swing, middle, middle)
    size = offset.mag
    waves = _at_points(middle, size < 3, x.center)  # elsewhere [−1, 1] is hard to beat
    at_middle, first = waves[value], waves[other]
    natural = like(offset, numpy.full(x.shape, -1.0), numpy.full(x.shape, 1.0))
    all_values = (at_middle + like(offset, -size, size)) & natural
    return expanded(
        x, middle, at_middle, first if sense > 0 else -first, -all_values * call("sqr", offset), swing, natural
    )


def _of_points(x: Interval, name: str) -> Interval:
    """sin or cos of intervals; of short ones by |φ(x) − φ(m)| ≤ |x − m|."""
    middle = midpoint(x)
    size = (x - like(x, middle, middle)).mag
    short = size < 2.0**-20
    if not short.all():
        return call(name, x)
    everything = like(x, *(numpy.full(x.shape, end) for end in (-1.0, 1.0)))
    return (_at_points(middle, short, x)[name] + like(x, -size, size)) & everything


def _at_points(x: numpy.ndarray, where: numpy.ndarray, kind: Interval) -> dict[str, Interval]:
    """sin and cos of the numbers that are worth their price, elsewhere [−1, 1].

    The slow arithmetic, which is there to check the other one, computes its own.
    """
    quick = where & (numpy.abs(x) <= LARGEST) & (library_of(kind) == "ival")
    slow = where & ~quick
    run = kernel("sine_and_cosine", numpy) or sine_and_cosine
    bounds = run(numpy.where(quick, x, 0.0)).reshape(2, 2, *x.shape)
    if not quick.all():
        bounds[:, 0, ~quick], bounds[:, 1, ~quick] = -1.0, 1.0
    waves = dict(zip(("sin", "cos"), bounds, strict=True))
    for name, (low, high) in waves.items() if slow.any() else ():
        found = call(name, like(kind, *2 * (x[slow],)))
        low[slow], high[slow] = found.lo, found.hi
    return {name: like(kind, low, high) for name, (low, high) in waves.items()}


def _smooth(
    name: str,
    first: Callable[[Interval, Interval], Interval],
    second: Callable[[Interval, Interval], Interval],
    low: float = -inf,
    high: float = inf,
    *,
    closed: bool = False,
) -> Callable[[Any], Any]:
    """A function of the interval library that is smooth on the open interval (low, high), with its derivatives.

    If `closed`, it is defined at the ends as well.
    """

    def smooth(x: Any) -> Any:
        whole = x.range()
        x.record.irregular_where(~within(whole, low, high))
        x.record.partial_where(_straddles(whole, low, high, closed))
        return elementary(x, lambda u: call(name, u), first, second)

    smooth.__name__ = name
    return smooth


def _straddles(whole: Interval, low: float, high: float, closed: bool) -> numpy.ndarray:
    """Where intervals lie partly in a domain, partly not. Those outside have empty values, which say it themselves."""
    if closed:
        return ((whole.lo < low) & (whole.hi >= low)) | ((whole.lo <= high) & (whole.hi > high))
    return ((whole.lo <= low) & (whole.hi > low)) | ((whole.lo < high) & (whole.hi >= high))


def _sqr(x: Interval) -> Interval:
    return call("sqr", x)


def _root(x: Interval) -> Interval:
    return call("sqrt", x)


exp = _smooth("exp", lambda x, y: y, lambda x, y: y)
expm1 = _smooth("expm1", lambda x, y: y + 1.0, lambda x, y: y + 1.0)
log = _smooth("log", lambda x, y: 1.0 / x, lambda x, y: -1.0 / _sqr(x), 0.0)
log1p = _smooth("log1p", lambda x, y: 1.0 / (x + 1.0), lambda x, y: -1.0 / _sqr(x + 1.0), -1.0)
sqrt = _smooth("sqrt", lambda x, y: 0.5 / y, lambda x, y: -0.25 / (x * y), 0.0, closed=True)
sinh = _smooth("sinh", lambda x, y: call("cosh", x), lambda x, y: y)
cosh = _smooth("cosh", lambda x, y: call("sinh", x), lambda x, y: y)
tanh = _smooth("tanh", lambda x, y: 1.0 - _sqr(y), lambda x, y: -2.0 * y * (1.0 - _sqr(y)))
atan = _smooth("atan", lambda x, y: 1.0 / (1.0 + _sqr(x)), lambda x, y: -2.0 * x / _sqr(1.0 + _sqr(x)))
asinh = _smooth(
    "asinh", lambda x, y: 1.0 / _root(1.0 + _sqr(x)), lambda x, y: -x / call("pown", _root(1.0 + _sqr(x)), 3)
)
asin = _smooth(
    "asin",
    lambda x, y: 1.0 / _root(1.0 - _sqr(x)),
    lambda x, y: x / call("pown", _root(1.0 - _sqr(x)), 3),
    -1.0,
    1.0,
    closed=True,
)
acos = _smooth(
    "acos",
    lambda x, y: -1.0 / _root(1.0 - _sqr(x)),
    lambda x, y: -x / call("pown", _root(1.0 - _sqr(x)), 3),
    -1.0,
    1.0,
    closed=True,
)
acosh = _smooth(
    "acosh",
    lambda x, y: 1.0 / _root(_sqr(x) - 1.0),
    lambda x, y: -x / call("pown", _root(_sqr(x) - 1.0), 3),
    1.0,
    closed=True,
)
atanh = _smooth("atanh", lambda x, y: 1.0 / (1.0 - _sqr(x)), lambda x, y: 2.0 * x / _sqr(1.0 - _sqr(x)), -1.0, 1.0)


def tan(x: Form) -> Form:
    whole = call("tan", x.range())
    x.record.partial_where(~within(whole, -inf, inf))
    return elementary(x, lambda u: call("tan", u), lambda u, y: 1.0 + _sqr(y), lambda u, y: 2.0 * y * (1.0 + _sqr(y)))


def log2(x: Form) -> Form:
    return log(x) / _log_of(x, 2.0)


def log10(x: Form) -> Form:
    return log(x) / _log_of(x, 10.0)


def _log_of(x: Form, base: float) -> Form:
    return x.new(call("log", x.constant(base).center), None)
