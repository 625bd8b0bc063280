"""Numbers in vectors: bit patterns are normative, a decimal for people stands beside them."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_CEILING, Context, Decimal
from typing import TYPE_CHECKING, Any

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format, format_of
from geometry.arithmetic.precision import working_precision
from rbo_ref.oracle.bits import encode

if TYPE_CHECKING:
    from flint import arb

__all__ = ["DIGITS", "FLOAT64", "NEAREST", "Record", "coarse", "enclosed", "nested", "numbered", "tolerated"]

Record = dict[str, Any]  # a JSON object
DIGITS = 60  # of the decimals of expected numbers
PRECISION = 2**14  # bits, of ends before they are rounded
FLOAT64 = format_of("float64")
NEAREST = Context(prec=DIGITS)
_UPWARD = Context(prec=3, rounding=ROUND_CEILING)


def nested(function: Callable[[Any], Any], values: Any) -> Any:
    """The function of every entry, as nested lists.

    Examples
    --------
    >>> nested(str, [[1, 2], [3, 4]])
    [['1', '2'], ['3', '4']]
    """
    return [nested(function, value) for value in values] if numpy.ndim(values) else function(values)


def numbered(numbers: Any, target: Format = FLOAT64) -> Record:
    """Numbers of a format: bit patterns, and the shortest decimals that round to them.

    Examples
    --------
    >>> numbered([0.1, 2.0])
    {'bits': ['0x3fb999999999999a', '0x4000000000000000'], 'decimal': ['0.1', '2.0']}
    """
    numbers = numpy.asarray(numbers, dtype=target.dtype)
    return {"bits": encode(numbers, target), "decimal": nested(str, numbers)}


def tolerated(tolerances: Any) -> Record:
    """Tolerances, rounded up to three digits: the order of sums in which they were found does not show.

    Examples
    --------
    >>> tolerated([1.00001e-15, numpy.inf])
    {'bits': ['0x3cd231cd8973e3bf', '0x7ff0000000000000'], 'decimal': ['1.01e-15', 'inf']}
    """

    return numbered(coarse(tolerances))


def coarse(tolerances: Any) -> NDArray[numpy.float64]:
    """Rounded up to three digits; NaN, which is no bound, becomes infinite."""

    def upward(tolerance: Any) -> float:
        finite = numpy.isfinite(tolerance)
        return float(_UPWARD.create_decimal_from_float(float(tolerance))) if finite else numpy.inf

    return numpy.array(nested(upward, tolerances))


def enclosed(balls: NDArray[numpy.object_], target: Format) -> Record:
    """Enclosures: ends in the format, rounded outward, and the truth to 60 digits."""
    with working_precision(PRECISION):
        lower, upper = (
            nested(lambda ball: _least(ball, target), balls),
            nested(lambda b: 0.0 - _least(-b, target), balls),
        )
    return {"lower": encode(lower, target), "upper": encode(upper, target), "decimal": nested(_decimal, balls)}


def _least(ball: arb, target: Format) -> float:
    """The largest number of the format below all of a ball."""
    return _floor(*_dyadic(ball if ball.is_exact() else ball.lower()), target)


def _dyadic(ball: arb) -> tuple[int, int]:
    """The midpoint as man·2^exp."""
    man, exp = ball.mid().man_exp()
    return int(man), int(exp)


def _floor(man: int, exp: int, target: Format) -> float:
    """The largest number of the format that is at most man·2^exp."""
    drop = max(abs(man).bit_length() - target.precision, target.least - exp, 0)
    man, exp = man >> drop, exp + drop
    if abs(man).bit_length() + exp > target.most:
        largest = math.ldexp(2**target.precision - 1, target.most - target.precision)
        return largest if man > 0 else -math.inf
    return math.ldexp(man, exp)


def _decimal(ball: arb) -> str:
    """The midpoint, correctly rounded to so many digits."""
    man, exp = _dyadic(ball)
    return str(NEAREST.divide(Decimal(man << max(exp, 0)), Decimal(1 << max(-exp, 0))))
