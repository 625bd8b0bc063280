"""Sine and cosine of many single numbers, between bounds with a proof.

With k = rint(2x/π), |k| < 2²⁰, and π/2 = P₁ + P₂ + P₃ + δ, where P₁ and P₂ have 33 significant bits, k·P₁ and k·P₂ are
exact, and so is x − k·P₁ (by Sterbenz' lemma). Of the subtractions in

    r = ((x − k·P₁) − k·P₂) − k·P₃

two round, each by at most u·|result|, u = 2⁻⁵³; the rounding of k·P₃ and k·δ stay below 10⁻³⁰ together. As |r| ≤ 0.79,
Taylor's polynomials of degree 17 and 16 leave out less than 10⁻¹⁹·|r| of sin r and 3·10⁻¹⁸ of cos r. In Horner's scheme
all but the first term is at most 0.11·|r| and 0.32, with a relative error below 10u. So the errors, that of r
included, are less than 6u·|r| + 10⁻³⁰ for the sine and 7u for the cosine, with fused multiplications or without. We
allow for 16u.

W. J. Cody, W. Waite, "Software Manual for the Elementary Functions" (1980), Chapter 8 (reduction in three parts).
"""

from __future__ import annotations

import math

import numpy

__all__ = ["LARGEST", "sine_and_cosine"]

LARGEST = 2.0**20  # |x| for which the reduction is proven; |k| is less
PARTS = (float.fromhex("0x1.921fb544p+0"), float.fromhex("0x1.0b4611a6p-34"), float.fromhex("0x1.3198a2e037073p-69"))
SINE = [(-1) ** n / math.factorial(2 * n + 1) for n in range(1, 9)]  # of r³, r⁵, ..., r¹⁷
COSINE = [(-1) ** n / math.factorial(2 * n) for n in range(1, 9)]  # of r², r⁴, ..., r¹⁶
MARGIN = 16 * 2.0**-53
TINIEST = 1e-323  # for products that underflow
TOGETHER = 2**13  # numbers: what the nearest cache holds several arrays of


def sine_and_cosine(x: numpy.ndarray) -> numpy.ndarray:
    """Lower and upper bounds of sin x, and of cos x, for |x| ≤ `LARGEST`: (4, ...).

    >>> low, high = sine_and_cosine(numpy.asarray(1.0))[:2]
    >>> bool(low < math.sin(1) < high), bool(high - low < 4e-15)
    (True, True)
    """
    flat = numpy.ascontiguousarray(x, dtype=float).reshape(-1)
    bounds = numpy.empty((4, flat.size))
    for i in range(0, flat.size, TOGETHER):
        _portion(flat[i : i + TOGETHER], bounds[:, i : i + TOGETHER])
    return bounds.reshape(4, *numpy.shape(x))


def _portion(x: numpy.ndarray, bounds: numpy.ndarray) -> None:
    k = numpy.rint(x * (2 / math.pi))
    r = x - k * PARTS[0]
    r -= k * PARTS[1]
    r -= k * PARTS[2]
    z = r * r
    sine, cosine = _horner(SINE, z), _horner(COSINE, z)
    sine *= r
    sine += r
    cosine += 1.0
    slack = numpy.abs(r)
    slack *= MARGIN
    slack += numpy.where(k != 0, 1e-30, numpy.where(r != 0, TINIEST, 0.0))
    quadrant = k.astype(numpy.int64)
    turned, flipped = (quadrant & 1).astype(bool), (quadrant & 2).astype(bool)
    # sin(r + kπ/2) is sin r, cos r, −sin r, −cos r for k = 0, 1, 2, 3, and the cosine is the sine for k + 1.
    _bounds(numpy.where(turned, cosine, sine), numpy.where(turned, MARGIN, slack), flipped, bounds[:2])
    flipped ^= turned
    _bounds(numpy.where(turned, sine, cosine), numpy.where(turned, slack, MARGIN), flipped, bounds[2:])


def _horner(coefficients: list[float], z: numpy.ndarray) -> numpy.ndarray:
    """Σ cₙ zⁿ, n ≥ 1."""
    total = z * coefficients[-1]
    for c in coefficients[-2::-1]:
        total += c
        total *= z
    return total


def _bounds(value: numpy.ndarray, slack: numpy.ndarray, negative: numpy.ndarray, bounds: numpy.ndarray) -> None:
    numpy.negative(value, out=value, where=negative)
    numpy.subtract(value, slack, out=bounds[0])
    numpy.add(value, slack, out=bounds[1])
    numpy.clip(bounds, -1.0, 1.0, out=bounds)
