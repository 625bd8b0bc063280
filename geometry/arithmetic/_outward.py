"""Functions of floats with a known error, and how far outward their values must go to be bounds.

Every function here is one text for arrays, and for the numbers of a compiled loop (`geometry._kernels.elementwise`).
With u = 2⁻⁵³, each operation of float64 is exact up to a factor 1 + δ, |δ| ≤ u, if it neither overflows nor underflows.

Two integers times the parts of a constant, k·HIGH, are exact, as HIGH has few digits; Taylor's polynomials leave out
less than u/20 of their values. The relative error of each function follows from its steps, and stands beside it; the
`MARGINS` are larger by half at least, which covers the rounding of the bounds as well.

J.-M. Muller et al., "Handbook of Floating-Point Arithmetic" (2018), Chapters 4 and 10; W. J. Cody, W. Waite, "Software
Manual for the Elementary Functions" (1980); S. M. Rump et al., "Computing predecessor and successor in rounding to
nearest", BIT 49 (2009).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy

from geometry._kernels import kernel

__all__ = ["FAR", "MARGINS", "fast"]

UNIT = 2.0**-53
PHI = UNIT * (1 + 2 * UNIT)  # x ± PHI|x| ± TINY is at least one float further out, and at most two (Rump et al.)
TINY = 5e-324
INF, LARGEST = math.inf, float(numpy.finfo(float).max)
SPLIT = 2.0**27 + 1
SAFE = 2.0**-960  # products above it have an error that is a float
LN2, LN2_HIGH, LN2_LOW = (
    float.fromhex(h) for h in ("0x1.62e42fefa39efp-1", "0x1.62e42feep-1", "0x1.a39ef35793c76p-33")
)
HALF_PI = math.pi / 2
FIRST, SECOND, THIRD = (float.fromhex(h) for h in ("0x1.921fb544p+0", "0x1.0b4611a6p-34", "0x1.3198a2e037073p-69"))
FAR = 2.0**20
"""Up to here the multiples of the first two parts of π/2 are exact."""
E2, E3, E4, E5, E6, E7, E8, E9, E10, E11, E12, E13 = (1 / math.factorial(n) for n in range(2, 14))
L3, L5, L7, L9, L11, L13, L15, L17, L19, L21 = (1 / n for n in range(3, 22, 2))
S3, S5, S7, S9, S11, S13, S15, S17 = ((-1) ** n / math.factorial(2 * n + 1) for n in range(1, 9))
C2, C4, C6, C8, C10, C12, C14, C16 = ((-1) ** n / math.factorial(2 * n) for n in range(1, 9))

Floats = Any  # arrays, or the numbers of a compiled loop


@cache
def fast(function: Callable[..., Floats]) -> Callable[..., numpy.ndarray]:
    """The function as a compiled one of NumPy, or as it is where nothing can be compiled."""
    compile_ = kernel("elementwise", numpy)
    return function if compile_ is None else compile_(function)


# What arrays and compiled loops have in different ways.


def where(condition: Floats, x: Floats, y: Floats) -> Floats:
    return numpy.where(condition, x, y)


def two_to(k: Floats) -> Floats:
    """2ᵏ for whole numbers, −1022 ≤ k ≤ 1023."""
    return numpy.ldexp(1.0, numpy.asarray(k).astype(numpy.int32))


def exponent(x: Floats) -> Floats:
    """k of a positive normal x = m·2ᵏ, 1 ≤ m < 2."""
    return numpy.frexp(x)[1] - 1.0


# Arithmetic. `down` and `up` are bounds of the exact result, which is the result itself where that is a float.


def below(x: Floats) -> Floats:
    """A float less than x; what has overflowed was beyond the largest one."""
    return where(x == INF, LARGEST, x - (numpy.abs(x) * PHI + TINY))


def above(x: Floats) -> Floats:
    return where(x == -INF, -LARGEST, x + (numpy.abs(x) * PHI + TINY))


def error_of_sum(x: Floats, y: Floats, total: Floats) -> Floats:
    """x + y − total, which is a float (Knuth); NaN after an overflow."""
    virtual = total - x
    return (x - (total - virtual)) + (y - virtual)


def error_of_product(x: Floats, y: Floats, product: Floats) -> Floats:
    """x·y − product, which is a float (Dekker, Veltkamp); NaN where that is not so, or not known."""
    high, other = SPLIT * x - (SPLIT * x - x), SPLIT * y - (SPLIT * y - y)
    low, rest = x - high, y - other
    error = low * rest - (((product - high * other) - low * other) - high * rest)
    return where(is_zero(x, y), 0.0, where(numpy.abs(product) > SAFE, error, numpy.nan))


def sum_down(x: Floats, y: Floats) -> Floats:
    total = x + y
    return where(error_of_sum(x, y, total) >= 0, total, below(total))


def sum_up(x: Floats, y: Floats) -> Floats:
    total = x + y
    return where(error_of_sum(x, y, total) <= 0, total, above(total))


def times(x: Floats, y: Floats) -> Floats:
    """x·y, where 0·∞ is 0: an end that is infinite stands for arbitrarily large numbers."""
    return where(is_zero(x, y), 0.0, x * y)


def is_zero(x: Floats, y: Floats) -> Floats:
    """Whether a product is 0 exactly."""
    return ((x == 0) & (y == y)) | ((y == 0) & (x == x))


def times_down(x: Floats, y: Floats) -> Floats:
    product = times(x, y)
    return where(error_of_product(x, y, product) >= 0, product, below(product))


def times_up(x: Floats, y: Floats) -> Floats:
    product = times(x, y)
    return where(error_of_product(x, y, product) <= 0, product, above(product))


def scaled_down(low: Floats, high: Floats, factor: Floats) -> Floats:
    """The least of factor·x, low ≤ x ≤ high."""
    return times_down(where(factor >= 0, low, high), factor)


def scaled_up(low: Floats, high: Floats, factor: Floats) -> Floats:
    return times_up(where(factor >= 0, high, low), factor)


def product_down(a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """The least of x·y, a ≤ x ≤ b, c ≤ y ≤ d: rounding is monotone, so that it is beside the least rounded corner."""
    least = below(numpy.minimum(numpy.minimum(times(a, c), times(a, d)), numpy.minimum(times(b, c), times(b, d))))
    positive = ((a >= 0) & (c >= 0)) | ((b <= 0) & (d <= 0)) | ((a == 0) & (b == 0)) | ((c == 0) & (d == 0))
    return where(positive, numpy.maximum(least, 0.0), least)


def product_up(a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    return -product_down(-b, -a, c, d)


def is_product(x: Floats, y: Floats, product: Floats) -> Floats:
    """Whether it is known to be exact."""
    return (x * y == product) & (error_of_product(x, y, product) == 0)


def root_down(x: Floats) -> Floats:
    root = numpy.sqrt(x)
    return where(is_product(root, root, x), root, below(root))


def root_up(x: Floats) -> Floats:
    root = numpy.sqrt(x)
    return where(is_product(root, root, x), root, above(root))


def quotient_down(x: Floats, low: Floats, high: Floats) -> Floats:
    """The least of x/y, 0 < low ≤ y ≤ high."""
    divisor = where(x >= 0, high, low)
    quotient = x / divisor
    least = where(is_product(quotient, divisor, x), quotient, below(quotient))
    return where(x >= 0, numpy.maximum(least, 0.0), least)


def quotient_up(x: Floats, low: Floats, high: Floats) -> Floats:
    return -quotient_down(-x, low, high)


# Values with a known error.


def value_down(x: Floats, exact: Floats, value: Floats, margin: Floats, room: Floats) -> Floats:
    """A lower bound from a value at x with a relative error, and an absolute one, that is exact at one place."""
    return where(x == exact, value, where(value == INF, LARGEST, value - (numpy.abs(value) * margin + room)))


def value_up(x: Floats, exact: Floats, value: Floats, margin: Floats, room: Floats) -> Floats:
    return where(x == exact, value, where(value == -INF, -LARGEST, value + (numpy.abs(value) * margin + room)))


# Elementary functions, with their relative errors.


def exp(x: Floats) -> Floats:
    """3u. eʳ − 1 is less than 0.42 for |r| ≤ 0.347, with an error below 1.1u, and eʳ more than 0.7."""
    x = where(x < -800.0, -800.0, where(x > 800.0, 800.0, x))
    k = numpy.rint(x / LN2)
    rest = exp_of_rest((x - k * LN2_HIGH) - k * LN2_LOW)
    half = numpy.rint(k / 2)  # 2ᵏ in two factors, for k may be beyond the exponents of float64
    return ((1.0 + rest) * two_to(half)) * two_to(k - half)


def exp_of_rest(r: Floats) -> Floats:
    """2u: eʳ − 1 for |r| ≤ 0.347."""
    tail = E7 + r * (E8 + r * (E9 + r * (E10 + r * (E11 + r * (E12 + r * E13)))))
    return r + r * r * (E2 + r * (E3 + r * (E4 + r * (E5 + r * (E6 + r * tail)))))


def expm1(x: Floats) -> Floats:
    """12u: eˣ − 1 for x > 0.34 has 3u·eˣ/(eˣ − 1) + u."""
    near = numpy.abs(x) < 0.34
    return where(near, exp_of_rest(where(near, x, 0.0)), exp(x) - 1.0)


def log(x: Floats) -> Floats:
    """6u: as `log_of_parts`."""
    small = x < 2.0**-1000
    scaled = where(small, x * 2.0**100, x)
    k = exponent(scaled)
    m = (0.5 * scaled) * two_to(1.0 - k)
    large = m > 1.4142
    part = where(large, 0.5 * m, m) - 1.0  # exact
    whole = where(large, k + 1.0, k) - where(small, 100.0, 0.0)
    return where(x == INF, INF, where(x > 0, log_of_parts(part, whole), where(x == 0, -INF, numpy.nan)))


def log_of_parts(part: Floats, k: Floats) -> Floats:
    """6u: log((1 + part)·2ᵏ) for −0.293 ≤ part ≤ 0.4143.

    With s = part/(2 + part) the first is 2s(1 + s²/3 + …) with 4u; where k ≠ 0 the sum is at least 0.34.
    """
    s = part / (2.0 + part)
    z = s * s
    tail = L11 + z * (L13 + z * (L15 + z * (L17 + z * (L19 + z * L21))))
    first = 2.0 * s + 2.0 * s * (z * (L3 + z * (L5 + z * (L7 + z * (L9 + z * tail)))))
    return k * LN2_HIGH + (k * LN2_LOW + first)


def log1p(x: Floats) -> Floats:
    """9u: that of 1 + x counts thrice, where |log(1 + x)| ≥ 0.34."""
    near = (x > -0.29) & (x < 0.41)
    return where(near, log_of_parts(where(near, x, 0.0), 0.0 * x), log(1.0 + x))


def sin(x: Floats) -> Floats:
    """8u, and 10⁻³⁰ for |x| > 0.78, if |x| ≤ `FAR`."""
    return turned(x, 0.0)


def cos(x: Floats) -> Floats:
    """8u and 10⁻³⁰, if |x| ≤ `FAR`."""
    return turned(x, 1.0)


def turned(x: Floats, quarters: Floats) -> Floats:
    """sin(x + quarters·π/2).

    In r = ((x − k·P₁) − k·P₂) − k·P₃ the first step is exact, and two others round, by u·|r| at most. The polynomials
    have errors below 6u.
    """
    k = numpy.rint(x / HALF_PI)
    r = ((x - k * FIRST) - k * SECOND) - k * THIRD
    z = r * r
    sine = r + r * (z * (S3 + z * (S5 + z * (S7 + z * (S9 + z * (S11 + z * (S13 + z * (S15 + z * S17))))))))
    cosine = 1.0 + z * (C2 + z * (C4 + z * (C6 + z * (C8 + z * (C10 + z * (C12 + z * (C14 + z * C16)))))))
    turn = k + quarters
    turn = turn - 4.0 * numpy.floor(turn / 4.0)
    value = where((turn == 1.0) | (turn == 3.0), cosine, sine)
    return where(turn >= 2.0, -value, value)


def atan(x: Floats) -> Floats:
    """16u: t = |x| or 1/|x| has u, each halving of the angle adds 5u; if π/2 is in the sum, that is at least 0.78."""
    size = numpy.abs(x)
    t = where(size > 1.0, 1.0 / size, size)
    t = t / (1.0 + numpy.sqrt(1.0 + t * t))
    t = t / (1.0 + numpy.sqrt(1.0 + t * t))
    z = t * t
    tail = L13 - z * (L15 - z * (L17 - z * (L19 - z * (L21 - z / 23.0))))
    quarter = t - t * (z * (L3 - z * (L5 - z * (L7 - z * (L9 - z * (L11 - z * tail))))))
    angle = where(size > 1.0, HALF_PI - 4.0 * quarter, 4.0 * quarter)
    return where(x < 0, -angle, angle)


def asin(x: Floats) -> Floats:
    """20u."""
    return atan(x / numpy.sqrt((1.0 - x) * (1.0 + x)))


def acos(x: Floats) -> Floats:
    """19u."""
    return 2.0 * atan(numpy.sqrt((1.0 - x) / (1.0 + x)))


def sinh(x: Floats) -> Floats:
    """15u. From 22 on e⁻ˣ is of no account."""
    size = numpy.abs(x)
    e, root = expm1(numpy.minimum(size, 22.0)), exp(0.5 * size)
    value = where(size > 22.0, (0.5 * root) * root, 0.5 * (e + e / (e + 1.0)))
    return where(x < 0, -value, value)


def cosh(x: Floats) -> Floats:
    """8u."""
    size = numpy.abs(x)
    e, root = exp(numpy.minimum(size, 22.0)), exp(0.5 * size)
    return where(size > 22.0, (0.5 * root) * root, 0.5 * (e + 1.0 / e))


def tanh(x: Floats) -> Floats:
    """15u."""
    e = expm1(2.0 * numpy.minimum(numpy.abs(x), 22.0))
    value = e / (e + 2.0)
    return where(x < 0, -value, value)


def asinh(x: Floats) -> Floats:
    """16u. From 2²⁸ on it is log 2x, up to 1/(4x²)."""
    size = numpy.abs(x)
    near = numpy.minimum(size, 2.0**28)
    square = near * near
    close = log1p(near + square / (1.0 + numpy.sqrt(1.0 + square)))
    value = where(size > 2.0**28, log(size) + LN2, close)
    return where(x < 0, -value, value)


def acosh(x: Floats) -> Floats:
    """16u."""
    t = numpy.minimum(x, 2.0**28) - 1.0
    return where(x > 2.0**28, log(x) + LN2, log1p(t + numpy.sqrt(t * (t + 2.0))))


def atanh(x: Floats) -> Floats:
    """11u."""
    size = numpy.abs(x)
    value = 0.5 * log1p(2.0 * size / (1.0 - size))
    return where(x < 0, -value, value)


ERRORS: dict[Callable[..., Floats], float] = {
    exp: 3, expm1: 12, log: 6, log1p: 9, sin: 8, cos: 8, cosh: 8, sinh: 15, tanh: 15,
    atan: 16, asin: 20, acos: 19, asinh: 16, acosh: 16, atanh: 11,
}  # fmt: skip
MARGINS = {function: 1.5 * UNIT * error for function, error in ERRORS.items()}
"""Relative errors of the functions, and half of them again."""
