"""What rounding does to whole powers."""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import NDArray

__all__ = ["error_of_power", "whole"]

Floats = NDArray[numpy.float64]


@numpy.errstate(all="ignore")
def error_of_power(x: Any, times: Any) -> Floats:
    """The error of xᵗ by t products, each of which is rounded.

    A product with x, which has the error r, makes of a number s at most sq + ε, with q = (|x| + r)(1 + u) and the
    error ε of what is flushed to zero. So t of them make of 1 at most qᵗ + ε(qᵗ − 1)/(q − 1).

    Parameters
    ----------
    x : Rounded
    times : int or array
        t.

    Examples
    --------
    >>> from geometry.arithmetic.formats import format_of
    >>> from geometry.arithmetic.rounded import Arithmetic
    >>> half = Arithmetic(format_of("float64")).exact([0.5])
    >>> (error_of_power(half, 3) * 2**52).round(9)
    array([0.375])
    """
    size, radius, arithmetic, target = numpy.abs(x.middle), x.radius, x.arithmetic, x.arithmetic.target
    flushed = arithmetic.rounding(0 * size, target)
    unit = arithmetic.rounding(1 + 0 * size, target) - flushed
    growth = times * (numpy.log1p(radius / size) + numpy.log1p(unit))
    q = (size + radius) * (1 + unit)
    largest = numpy.where(size > 0, size**times * numpy.exp(growth), q**times)
    error = numpy.where(size > 0, size**times * numpy.expm1(growth), largest - size**times)
    error = error + flushed * numpy.where(q == 1, times, (largest - 1) / (q - 1))
    return numpy.where(arithmetic.rounding(largest, target) < numpy.inf, error, numpy.inf)


def whole(exponent: Any) -> int:
    """An exponent, if it is a whole number that is not negative.

    Examples
    --------
    >>> whole(2.0)
    2
    """
    if exponent != int(exponent) or exponent < 0:
        raise TypeError(f"a power of {exponent} is not known")
    return int(exponent)
