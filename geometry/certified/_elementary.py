"""The elementary functions of affine forms, each with its first two derivatives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import numpy
from numpy import inf

from geometry._kernels import kernel
from geometry.certified._face import Face
from geometry.certified._forms import Form, elementary, expanded
from geometry.certified._intervals import Interval, call, library_of, like, mapped, midpoint, within
from geometry.certified._jets import Jet
from geometry.certified._points import LARGEST, sine_and_cosine
from geometry.certified._table import offered

__all__ = [
    "acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp", "expm1", "log", "log1p", "log2", "log10",
    "pow_", "reciprocal", "sin", "sinh", "sqrt", "square", "tan", "tanh",
]  # fmt: skip


Rule = Callable[[Any, Any], tuple[Any, Any]]  # φ′ and φ″, from an argument and the value of φ there


def _on_jets(rule: Rule) -> Callable[[Callable[[Form], Form]], Callable[[Any], Any]]:
    """A function of forms becomes one of jets as well."""

    def decorated(function: Callable[[Form], Form]) -> Callable[[Any], Any]:
        @wraps(function)
        def of_any(x: Any) -> Any:
            if not isinstance(x, Jet):
                return function(x)
            value = function(x.value)
            return x.composed(value, *rule(x.value, value))

        return of_any

    return decorated


@offered
@_on_jets(lambda x, y: (2.0 * x, 2.0))
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


@offered
@_on_jets(lambda x, y: (-square(y), 2.0 * square(y) * y))
def reciprocal(x: Form) -> Form:
    whole = x.range()
    x.record.partial_where((whole.lo <= 0) & (whole.hi >= 0))
    found = elementary(
        x, lambda u: call("recip", u), lambda u, y: -call("sqr", y), lambda u, y: 2.0 * call("pown", y, 3)
    )
    return found.unbounded_where((whole.lo == 0) & (whole.hi == 0))


@offered
def pow_(x: Any, power: Any) -> Any:
    if isinstance(power, Face):
        return _form_power(x if isinstance(x, Face) else power.constant(x), power)
    power = numpy.asarray(power)
    if power.ndim:
        exponents = numpy.unique(power)
        if exponents.size != 1:
            raise TypeError("powers of intervals need one exponent, or take exp(p * log(x))")
        return x.spread_to(numpy.broadcast_shapes(x.shape, power.shape)) ** exponents[0]
    p = float(power)
    if not numpy.abs(p) < 2**31:
        raise TypeError(f"intervals have powers up to 2^31, got {p:g}")
    if p in (0, 1, 2):
        return x.constant(numpy.ones(x.shape)) if p == 0 else x.copy() if p == 1 else square(x)
    if p.is_integer():
        return _on_jets(lambda x, y: (p * x ** (p - 1), p * ((p - 1) * x ** (p - 2))))(_whole_power(int(p)))(x)
    return _on_jets(partial(_powers_below, p))(_real_power(p))(x)


def _powers_below(p: float, x: Form, y: Form) -> tuple[Form, Form]:
    """p x^(p−1) and p(p − 1) x^(p−2), from y = xᵖ: p − 1 may be no float."""
    r = reciprocal(x)
    first = p * y * r
    return first, (x.constant(p) - 1.0) * first * r


def _form_power(x: Any, power: Any) -> Any:
    """exp(p log x) for x > 0. Elsewhere no slopes: 0ᵖ is 0, 1 or infinite, and (−x)ᵖ is ±xᵖ if p is whole."""
    base, exponent = x.range(), power.range()
    positive = base.lo > 0
    if positive.all():
        return exp(power * log(x))
    x.record.irregular_where(~positive)
    x.record.partial_where((base.lo < 0) | ((base.lo <= 0) & (exponent.lo < 0)))
    size, zero = call("pow", abs(base), exponent), (base.lo <= 0) & (base.hi >= 0)
    one = zero & (exponent.lo <= 0) & (exponent.hi >= 0)
    high = numpy.where(zero & (exponent.lo < 0), inf, numpy.where(one, numpy.fmax(size.hi, 1.0), size.hi))
    low = numpy.where(zero, 0.0, size.lo)
    return x.flat(like(size, numpy.where(base.lo < 0, -high, low), high))


def _whole_power(n: int) -> Callable[[Form], Form]:
    def power(x: Form) -> Form:
        whole = x.range()
        x.record.partial_where((n < 0) & (whole.lo <= 0) & (whole.hi >= 0))
        found = elementary(
            x,
            lambda u: call("pown", u, n),
            lambda u, y: float(n) * call("pown", u, n - 1),
            lambda u, y: float(n * (n - 1)) * call("pown", u, n - 2),
        )
        return found.unbounded_where((n < 0) & (whole.lo == 0) & (whole.hi == 0))

    return power


def _real_power(p: float) -> Callable[[Form], Form]:
    def power(x: Form) -> Form:
        whole, exact = x.range(), like(x.center, *2 * (numpy.full(1, p),))
        x.record.irregular_where(~(whole.lo > 0))
        x.record.partial_where(_straddles(whole, 0.0, inf, p > 0))
        found = elementary(
            x,
            lambda u: call("pow", u, exact),
            lambda u, y: exact * call("pow", u, exact - 1.0),
            lambda u, y: exact * (exact - 1.0) * call("pow", u, exact - 2.0),
        )
        return found.unbounded_where((p < 0) & (whole.hi == 0))

    return power


@offered
def sin(x: Any) -> Any:
    if not isinstance(x, Jet):
        return _waves(x, ("sin",))[0]
    sine, cosine = _waves(x.value, ("sin", "cos"))
    return x.composed(sine, cosine, -sine)


@offered
def cos(x: Any) -> Any:
    if not isinstance(x, Jet):
        return _waves(x, ("cos",))[0]
    sine, cosine = _waves(x.value, ("sin", "cos"))
    return x.composed(cosine, -sine, -cosine)


def _waves(x: Form, names: tuple[str, ...]) -> list[Form]:
    """sin and cos: φ′ is ± the other one, φ″ is −φ, and |φ(m + u) − φ(m)| ≤ |u|."""
    if x.slopes is None:
        return [x.new(_of_points(x.center, name), None) for name in names]
    swing, middle = x.swing(), midpoint(x.center)
    offset = x.center + swing - like(swing, middle, middle)
    size = offset.mag
    waves = _at_points(middle, size < 3, x.center)  # elsewhere [−1, 1] is hard to beat
    natural = like(offset, numpy.full(x.shape, -1.0), numpy.full(x.shape, 1.0))
    square_of_offset, nearby = call("sqr", offset), like(offset, -size, size)

    def wave(name: str) -> Form:
        at_middle, first = (waves["sin"], waves["cos"]) if name == "sin" else (waves["cos"], -waves["sin"])
        all_values = (at_middle + nearby) & natural
        return expanded(x, middle, at_middle, first, -all_values * square_of_offset, swing, natural)

    return [wave(name) for name in names]


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
    rule: Rule,
    closed: bool = False,
) -> Callable[[Any], Any]:
    """A function of the interval library that is smooth on the open interval (low, high), with its derivatives, as
    intervals and as forms.

    If `closed`, it is defined at the ends as well.
    """

    def smooth(x: Form) -> Form:
        whole = x.range()
        x.record.irregular_where(~within(whole, low, high))
        x.record.partial_where(_straddles(whole, low, high, closed))
        found = elementary(x, lambda u: call(name, u), first, second)
        return found if closed else found.unbounded_where((whole.hi == low) | (whole.lo == high))

    smooth.__name__ = name
    return offered(_on_jets(rule)(smooth))


def _straddles(whole: Interval, low: float, high: float, closed: bool) -> numpy.ndarray:
    """Where intervals lie partly in a domain, partly not. Those outside have empty values, which say it themselves.

    So does an end that is not in the domain, where NumPy has an infinity, which may become a number again.
    """
    if closed:
        return ((whole.lo < low) & (whole.hi >= low)) | ((whole.lo <= high) & (whole.hi > high))
    return ((whole.lo <= low) & (whole.hi >= low)) | ((whole.lo <= high) & (whole.hi >= high))


def _sqr(x: Interval) -> Interval:
    return call("sqr", x)


def _root(x: Interval) -> Interval:
    return call("sqrt", x)


def _cube(x: Interval) -> Interval:
    return call("pown", x, 3)


def _by(function: Callable[[Any], Any], factor: float = 1.0) -> Rule:
    """The rule of φ′ = r = ±1/√q and φ″ = factor·x·r³, from r."""

    def rule(x: Any, y: Any) -> tuple[Any, Any]:
        r = function(x)
        return r, factor * x * square(r) * r

    return rule


exp = _smooth("exp", lambda x, y: y, lambda x, y: y, rule=lambda x, y: (y, y))
expm1 = _smooth("expm1", lambda x, y: y + 1.0, lambda x, y: y + 1.0, rule=lambda x, y: (y + 1.0, y + 1.0))
log = _smooth(
    "log", lambda x, y: 1.0 / x, lambda x, y: -1.0 / _sqr(x), 0.0, rule=lambda x, y: _with_minus_square(reciprocal(x))
)
log1p = _smooth(
    "log1p",
    lambda x, y: 1.0 / (x + 1.0),
    lambda x, y: -1.0 / _sqr(x + 1.0),
    -1.0,
    rule=lambda x, y: _with_minus_square(reciprocal(x + 1.0)),
)
sqrt = _smooth(
    "sqrt",
    lambda x, y: 0.5 / y,
    lambda x, y: -0.25 / (x * y),
    0.0,
    closed=True,
    rule=lambda x, y: (0.5 * reciprocal(y), -0.25 * reciprocal(x * y)),
)
sinh = _smooth("sinh", lambda x, y: call("cosh", x), lambda x, y: y, rule=lambda x, y: (_cosh(x), y))
cosh = _smooth("cosh", lambda x, y: call("sinh", x), lambda x, y: y, rule=lambda x, y: (sinh(x), y))
tanh = _smooth(
    "tanh",
    lambda x, y: 1.0 - _sqr(y),
    lambda x, y: -2.0 * y * (1.0 - _sqr(y)),
    rule=lambda x, y: (1.0 - square(y), -2.0 * y * (1.0 - square(y))),
)
atan = _smooth(
    "atan",
    lambda x, y: 1.0 / (1.0 + _sqr(x)),
    lambda x, y: -2.0 * x / _sqr(1.0 + _sqr(x)),
    rule=lambda x, y: _with_square(reciprocal(1.0 + square(x)), -2.0 * x),
)
asinh = _smooth(
    "asinh",
    lambda x, y: 1.0 / _root(1.0 + _sqr(x)),
    lambda x, y: -x / _cube(_root(1.0 + _sqr(x))),
    rule=_by(lambda x: reciprocal(sqrt(1.0 + square(x))), -1.0),
)
asin = _smooth(
    "asin",
    lambda x, y: 1.0 / _root(1.0 - _sqr(x)),
    lambda x, y: x / _cube(_root(1.0 - _sqr(x))),
    -1.0,
    1.0,
    closed=True,
    rule=_by(lambda x: reciprocal(sqrt(1.0 - square(x)))),
)
acos = _smooth(
    "acos",
    lambda x, y: -1.0 / _root(1.0 - _sqr(x)),
    lambda x, y: -x / _cube(_root(1.0 - _sqr(x))),
    -1.0,
    1.0,
    closed=True,
    rule=_by(lambda x: -reciprocal(sqrt(1.0 - square(x)))),
)
acosh = _smooth(
    "acosh",
    lambda x, y: 1.0 / _root(_sqr(x) - 1.0),
    lambda x, y: -x / _cube(_root(_sqr(x) - 1.0)),
    1.0,
    closed=True,
    rule=_by(lambda x: reciprocal(sqrt(square(x) - 1.0)), -1.0),
)
atanh = _smooth(
    "atanh",
    lambda x, y: 1.0 / (1.0 - _sqr(x)),
    lambda x, y: 2.0 * x / _sqr(1.0 - _sqr(x)),
    -1.0,
    1.0,
    rule=lambda x, y: _with_square(reciprocal(1.0 - square(x)), 2.0 * x),
)


def _cosh(x: Any) -> Any:
    return cosh(x)


def _with_square(r: Any, factor: Any) -> tuple[Any, Any]:
    return r, factor * square(r)


def _with_minus_square(r: Any) -> tuple[Any, Any]:
    return r, -square(r)


@offered
@_on_jets(lambda x, y: (1.0 + square(y), 2.0 * y * (1.0 + square(y))))
def tan(x: Form) -> Form:
    whole = call("tan", x.range())
    x.record.partial_where(~within(whole, -inf, inf))
    return elementary(x, lambda u: call("tan", u), lambda u, y: 1.0 + _sqr(y), lambda u, y: 2.0 * y * (1.0 + _sqr(y)))


@offered
def log2(x: Any) -> Any:
    return log(x) / log(x.constant(2.0))


@offered
def log10(x: Any) -> Any:
    return log(x) / log(x.constant(10.0))
