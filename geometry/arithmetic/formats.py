"""Floating formats: rounding of exact numbers and enclosures to them, what an operation may err by, and errors."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.precision import working_precision

if TYPE_CHECKING:
    from flint import arb

__all__ = [
    "BFLOAT16_ROUNDED_ONCE",
    "FORMATS",
    "SAFETY",
    "Format",
    "coarse",
    "coarser",
    "deviation_of",
    "error_of",
    "exact",
    "format_of",
    "handing_over",
    "midpoints",
    "nearest",
    "nearest_middle",
    "rounded",
    "rounding",
    "storing",
]


Floats = NDArray[numpy.float64]


class Format(NamedTuple):
    """A binary floating format."""

    dtype: numpy.dtype  # of the arrays that hold its numbers
    precision: int  # bits of the significand, the hidden one included
    least: int  # the smallest subnormal number is 2^least
    most: int  # all numbers are below 2^most
    unit: float  # unit roundoff, half the distance from 1 to the next number

    @property
    def name(self) -> str:
        """What users call the format."""
        return _name(self)

    @property
    def smallest_normal(self) -> float:
        """Below it, numbers have fewer bits, and some devices none at all."""
        return 2.0 ** (self.least + self.precision - 1)


@cache
def _name(target: Format) -> str:
    return next((n for n, held in HELD_IN_SINGLE.items() if held[:-1] == target[:-1]), target.dtype.name)


SAFETY = 2.0  # unit roundoffs allowed to an operation, for the sake of formulations that were not thought of
FORMATS = ("float16", "bfloat16", "tf32", "float32", "float64")
HELD_IN_SINGLE = {
    name: Format(numpy.dtype(numpy.float32), bits, -125 - bits, 128, 2.0**-bits)
    for name, bits in (("bfloat16", 8), ("tf32", 11))
}

BFLOAT16_ROUNDED_ONCE = Format(numpy.dtype(numpy.float32), 8, -133, 128, 2.0**-9)  # half of its unit


@cache
def format_of(dtype: Any) -> Format:
    """The `Format` of a NumPy dtype (float16, float32, float64, longdouble), of "bfloat16", or of "tf32".

    NumPy has no bfloat16, and no library has arrays of TF32, to which matrix units round their input: their numbers
    are held in arrays of float32.
    """
    if isinstance(dtype, str) and dtype in HELD_IN_SINGLE:
        return HELD_IN_SINGLE[dtype]
    dtype = numpy.dtype(dtype)
    if dtype.kind != "f":
        raise TypeError(f"dtype must be a floating dtype, got {dtype}")
    info = numpy.finfo(dtype)
    precision, least = int(info.nmant) + 1, int(info.minexp) - int(info.nmant)
    return Format(dtype, precision, least, int(info.maxexp), float(info.eps) / 2)


FLOAT64 = format_of("float64")


def coarser(one: Format, other: Format) -> Format:
    """The format of fewer bits; the first of two that have equally many."""
    return other if other.precision < one.precision else one


def coarse(unit: float, target: Format) -> Format:
    """A format of about this unit roundoff, with the range of another.

    Examples
    --------
    >>> coarse(1e-9, format_of("float64")).precision
    30
    """
    return target._replace(precision=max(1, round(-numpy.log2(unit))), unit=unit)


def rounded(numbers: Any, target: Format) -> NDArray[Any]:
    """An array of the nearest numbers of a format.

    Examples
    --------
    >>> rounded([1.0, 0.3], format_of("bfloat16")).tolist()
    [1.0, 0.30078125]
    """
    numbers = numpy.asarray(numbers)
    with numpy.errstate(over="ignore"):
        if target.precision <= numpy.finfo(target.dtype).nmant:
            numbers = _of_fewer_bits(numbers, target)
        return numbers.astype(target.dtype)


def _of_fewer_bits(numbers: NDArray[Any], target: Format) -> NDArray[Any]:
    """Numbers rounded to the bits of a format, in one that is wide enough: not twice, as through float32."""
    wide = numbers.astype(numpy.promote_types(numbers.dtype, numpy.float64))
    _, exponent = numpy.frexp(wide)
    last = numpy.maximum(exponent - target.precision, target.least)  # the weight of the last bit is 2^last
    return numpy.ldexp(numpy.rint(numpy.ldexp(wide, -last)), last)


def rounding(numbers: Floats, target: Format) -> Floats:
    """The error of one operation with such results: what is subnormal may be flushed to zero, the range may be left."""
    size = numpy.abs(numbers)
    error = SAFETY * target.unit * size + target.smallest_normal
    return numpy.where(size < 2.0 ** (target.most - 2), error, numpy.inf)


def storing(numbers: Floats, target: Format, inside: Format) -> Floats:
    """The error of handing out numbers that were computed in another format: none if that is no finer."""
    return rounding(numbers, target) if target.precision < inside.precision else 0 * numbers


def handing_over(old: Floats, new: Floats, target: Format) -> Floats:
    """The new θ may be formed as θ + (θ' − θ)."""
    return rounding(new - old, target) + rounding(new, target)


def exact(number: Any) -> arb:
    """A finite floating number of any of the formats as an exact ball."""
    from flint import arb

    if isinstance(number, numpy.longdouble):
        numerator, denominator = number.as_integer_ratio()
        return arb((numerator, 1 - denominator.bit_length()))
    return arb(float(number))


def nearest(ball: arb, target: Format) -> Any | None:
    """The number of the format nearest to every point of the ball (ties to even); None while the ball is too wide.

    Numbers too large for the format become infinite; zero has no sign. The bounds of an inexact ball are taken at the
    working precision of `flint.ctx`.
    """
    if not ball.is_finite():
        return None
    bounds = (ball, ball) if ball.is_exact() else (ball.lower(), ball.upper())
    low, high = (_rounded(bound, target) for bound in bounds)
    return low if low == high else None


def _rounded(bound: arb, target: Format) -> Any:
    if target == FLOAT64:
        return target.dtype.type(float(bound) + 0.0)  # flint rounds to nearest, ties to even; 0.0 for -0.0
    return _number(*_round(*_ratio_of(bound), target), target)


def _ratio_of(bound: arb) -> tuple[int, int]:
    man, exp = bound.mid().man_exp()
    return int(man), int(exp)


def _round(man: int, exp: int, target: Format) -> tuple[int, int]:
    """man·2^exp rounded to the format, half to even, as a reduced pair."""
    bits = abs(man).bit_length()
    drop = max(bits - target.precision, target.least - exp)
    if drop > bits:  # below half of the smallest number; 2^drop may be too large to write
        return 0, 0
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
    if abs(man).bit_length() + exp > target.most:
        return scalar(numpy.copysign(numpy.inf, man))
    high, low = divmod(abs(man), 1 << 32)  # two exact pieces: man may have the 64 bits of a long double
    value = (
        numpy.ldexp(scalar(high), exp + 32) + numpy.ldexp(scalar(low), exp) if high else numpy.ldexp(scalar(low), exp)
    )
    return -value if man < 0 else value


def nearest_middle(balls: Iterable[arb], target: Format) -> NDArray[Any]:
    """The numbers of the format nearest to the midpoints of balls."""
    return numpy.array([nearest(ball.mid(), target) for ball in balls], dtype=target.dtype)


def midpoints(balls: Iterable[arb]) -> NDArray[numpy.float64]:
    """The midpoints of balls, in float64."""
    return numpy.array([float(ball.mid()) for ball in balls])


def error_of(numbers: NDArray[Any], truth: Iterable[arb]) -> NDArray[numpy.float64]:
    """|number − truth|, entry by entry, computed exactly and rounded up to float64 (inf for NaN)."""

    def one(number: Any, ball: arb) -> float:
        return float(abs(exact(number) - ball).upper()) if numpy.isfinite(number) else numpy.inf

    with working_precision(256):
        return numpy.array([one(x, ball) for x, ball in zip(numbers.reshape(-1), truth, strict=True)])


def deviation_of(numbers: NDArray[Any], truth: Iterable[arb]) -> NDArray[numpy.float64]:
    """number − truth, entry by entry, with its sign (NaN for what is not finite)."""

    def one(number: Any, ball: arb) -> float:
        return float((exact(number) - ball).mid()) if numpy.isfinite(number) else numpy.nan

    with working_precision(256):
        return numpy.array([one(x, ball) for x, ball in zip(numbers.reshape(-1), truth, strict=True)])
