"""Bounds of sine and cosine for NumPy arrays, one number after the other."""

from __future__ import annotations

import math

import numpy

from geometry._kernels.compiling import compiled

__all__ = ["sine_and_cosine"]

FIRST, SECOND, THIRD = (float.fromhex(h) for h in ("0x1.921fb544p+0", "0x1.0b4611a6p-34", "0x1.3198a2e037073p-69"))
S3, S5, S7, S9, S11, S13, S15, S17 = ((-1) ** n / math.factorial(2 * n + 1) for n in range(1, 9))
C2, C4, C6, C8, C10, C12, C14, C16 = ((-1) ** n / math.factorial(2 * n) for n in range(1, 9))
TURN, MARGIN, TINY, TINIEST = 2 / math.pi, 16 * 2.0**-53, 1e-30, 1e-323


def sine_and_cosine(x: numpy.ndarray) -> numpy.ndarray:
    """As `geometry.certified._points.sine_and_cosine`."""
    flat = numpy.ascontiguousarray(x, dtype=numpy.float64).reshape(-1)
    bounds = numpy.empty((4, flat.size))
    _fill(flat, bounds)
    return bounds.reshape(4, *numpy.shape(x))


@compiled(error_model="numpy")
def _fill(x: numpy.ndarray, bounds: numpy.ndarray) -> None:
    for i in range(x.size):
        k = numpy.rint(x[i] * TURN)
        r = ((x[i] - k * FIRST) - k * SECOND) - k * THIRD
        z = r * r
        s = z * (S9 + z * (S11 + z * (S13 + z * (S15 + z * S17))))
        sine = (z * (S3 + z * (S5 + z * (S7 + s)))) * r + r
        c = z * (C8 + z * (C10 + z * (C12 + z * (C14 + z * C16))))
        cosine = z * (C2 + z * (C4 + z * (C6 + c))) + 1.0
        slack = abs(r) * MARGIN + (TINY if k != 0 else TINIEST if r != 0 else 0.0)
        turned, flipped = (int(k) & 1) != 0, (int(k) & 2) != 0
        value, room = (cosine, MARGIN) if turned else (sine, slack)
        value = -value if flipped else value
        bounds[0, i], bounds[1, i] = max(value - room, -1.0), min(value + room, 1.0)
        value, room = (sine, slack) if turned else (cosine, MARGIN)
        value = -value if flipped != turned else value
        bounds[2, i], bounds[3, i] = max(value - room, -1.0), min(value + room, 1.0)
