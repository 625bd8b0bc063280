"""Floating formats, and correct rounding of exact numbers and certified enclosures to them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

if TYPE_CHECKING:
    from flint import arb

__all__ = ["Format", "exact", "format_of", "nearest"]


class Format(NamedTuple):
    """A binary floating format."""

    dtype: numpy.dtype
    precision: int  # bits of the significand, the hidden one included
    least: int  # exponent of the smallest subnormal number
    unit: float  # unit roundoff, half the distance from 1 to the next number


@cache
def format_of(dtype: Any) -> Format:
    """The `Format` of a NumPy dtype (float16, float32, float64, longdouble)."""
    dtype = numpy.dtype(dtype)
    if dtype.kind != "f":
        raise TypeError(f"dtype must be a floating dtype, got {dtype}")
    info = numpy.finfo(dtype)
    return Format(dtype, int(info.nmant) + 1, int(info.minexp) - int(info.nmant), float(info.eps) / 2)


def exact(number: Any) -> arb:
    """A floating number of any of the formats as an exact ball."""
    from flint import arb

    if isinstance(number, numpy.longdouble):
        high = float(number)
        low = float(number - numpy.longdouble(high))
        return _shifted(*_ratio(high)) if low == 0 else _sum_exact(high, low)
    return arb(float(number))


def nearest(ball: arb, target: Format) -> Any | None:
    """The number of the format nearest to every point of the ball (ties to even); None while the ball is too wide.

    The bounds of an inexact ball are taken at the working precision of `flint.ctx`.
    """
    bounds = (ball, ball) if ball.is_exact() else (ball.lower(), ball.upper())
    low, high = (_round(*_ratio_of(bound), target) for bound in bounds)
    return _number(*low, target) if low == high else None


def _ratio_of(bound: arb) -> tuple[int, int]:
    man, exp = bound.mid().man_exp()
    return int(man), int(exp)


def _round(man: int, exp: int, target: Format) -> tuple[int, int]:
    """man·2^exp rounded to the format, half to even, as a reduced pair."""
    drop = max(abs(man).bit_length() - target.precision, target.least - exp)
    if drop > 0:
        quotient, rest = divmod(abs(man), 1 << drop)
        half = 1 << (drop - 1)
        quotient += rest > half or (rest == half and quotient & 1)
        man, exp = (quotient if man > 0 else -quotient), exp + drop
    while man and man % 2 == 0:
        man, exp = man // 2, exp + 1
    return (man, exp) if man else (0, 0)


def _number(man: int, exp: int, target: Format) -> Any:
    scalar = target.dtype.type
    high, low = divmod(abs(man), 1 << 32)  # two exact pieces: man may have the 64 bits of a long double
    value = (
        numpy.ldexp(scalar(high), exp + 32) + numpy.ldexp(scalar(low), exp) if high else numpy.ldexp(scalar(low), exp)
    )
    return -value if man < 0 else value


def _ratio(number: float) -> tuple[int, int]:
    numerator, denominator = number.as_integer_ratio()
    return numerator, 1 - denominator.bit_length()


def _shifted(man: int, exp: int) -> arb:
    from flint import arb, fmpz

    return arb((fmpz(man), fmpz(exp)))


def _sum_exact(high: float, low: float) -> arb:
    (a, e), (b, k) = _ratio(high), _ratio(low)
    least = min(e, k)
    return _shifted((a << (e - least)) + (b << (k - least)), least)
