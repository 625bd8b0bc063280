"""exp, sin and cos without branches, for compiled loops: LLVM evaluates several terms of a sum at once.

The errors are at most 1 unit in the last place, and 2⁻¹⁰⁰ beside that of sin and cos, whose arguments must not be
`is_far`: the reduction by multiples of π/2 loses digits there.
"""

from __future__ import annotations

import math
from typing import Any

from numba import types
from numba.extending import intrinsic

from geometry._kernels.compiling import compiled

__all__ = ["cos", "exp", "is_far", "plus", "sin"]

MAGIC = 1.5 * 2.0**52
"""Added to a number it leaves the nearest integer in the last bits."""
PER_LN2, PER_HALF_PI = 1 / math.log(2), 2 / math.pi
LN2_HIGH, LN2_LOW = (float.fromhex(h) for h in ("0x1.62e42feep-1", "0x1.a39ef35793c76p-33"))
FIRST, SECOND, THIRD = (float.fromhex(h) for h in ("0x1.921fb544p+0", "0x1.0b4611a6p-34", "0x1.3198a2e037073p-69"))
E2, E3, E4, E5, E6, E7, E8, E9, E10, E11, E12, E13 = (1 / math.factorial(n) for n in range(2, 14))
S3, S5, S7, S9, S11, S13, S15, S17 = ((-1) ** n / math.factorial(2 * n + 1) for n in range(1, 9))
C4, C6, C8, C10, C12, C14, C16 = ((-1) ** n / math.factorial(2 * n) for n in range(2, 9))
FAR = 2.0**20
"""Up to here the multiples of the first two parts of π/2 are exact."""

_compiled = compiled(error_model="numpy", fastmath={"contract"}, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@intrinsic
def bits_of(typing_context: Any, number: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.int64))

    return types.int64(types.float64), generate


@intrinsic
def number_of(typing_context: Any, bits: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generate


@compiled(fastmath={"reassoc"}, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def plus(total, term):
    """A sum whose terms may come in any order, but always in the same one."""
    return total + term


@_compiled
def exp(x):
    x = -800.0 if x < -800.0 else x
    x = 800.0 if x > 800.0 else x
    k = (x * PER_LN2 + MAGIC) - MAGIC
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    q = E8 + r * (E9 + r * (E10 + r * (E11 + r * (E12 + r * E13))))
    q = r * r * (E2 + r * (E3 + r * (E4 + r * (E5 + r * (E6 + r * (E7 + r * q))))))
    half = (k * 0.5 + MAGIC) - MAGIC  # 2ᵏ in two factors, since k may be beyond the exponents of float64
    return ((1.0 + (r + q)) * _power(half)) * _power(k - half)


@_compiled
def _power(k):
    """2ᵏ of an integer."""
    return number_of(bits_of(k + (MAGIC + 1023.0)) << 52)


@_compiled
def is_far(x):
    """1 if sin and cos are not for this number, else 0."""
    return 0 if abs(x) <= FAR else 1


@_compiled
def sin(x):
    return _turned(x, 0)


@_compiled
def cos(x):
    return _turned(x, 1)


@_compiled
def _turned(x, quarters):
    """sin(x + quarters·π/2)."""
    t = x * PER_HALF_PI + MAGIC
    k = t - MAGIC
    a, b = x - k * FIRST, k * SECOND  # both are exact
    high = a - b
    rest = ((a - high) - b) - k * THIRD
    r = high + rest
    rest = rest - (r - high)  # x is k·π/2 + r + rest
    z = r * r
    s = S9 + z * (S11 + z * (S13 + z * (S15 + z * S17)))
    sine = r + (r * (z * (S3 + z * (S5 + z * (S7 + z * s)))) + rest * (1.0 - 0.5 * z))
    half = 0.5 * z
    one = 1.0 - half
    c = C8 + z * (C10 + z * (C12 + z * (C14 + z * C16)))
    cosine = one + (((1.0 - one) - half) + (z * z * (C4 + z * (C6 + z * c)) - r * rest))
    turns = bits_of(t) + quarters
    value = cosine if turns & 1 else sine
    return -value if turns & 2 else value
