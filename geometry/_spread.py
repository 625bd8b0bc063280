"""Points all over a cube."""

from __future__ import annotations

import numpy

__all__ = ["kronecker"]


def kronecker(d: int, first: int, stop: int) -> numpy.ndarray:
    """Points first, ..., stop − 1 of an additive recurrence in the unit cube, (n, d): multiples of powers, modulo 1.

    The powers are those of 1/s, s^(d+1) = s + 1, which makes the worst gap small in every dimension; for d = 1 s is the
    golden ratio. M. Roberts, "The unreasonable effectiveness of quasirandom sequences" (2018).
    """
    root = 2.0
    for _ in range(64):
        root = (1 + root) ** (1 / (d + 1))
    return (0.5 + numpy.arange(first, stop)[:, None] * root ** -numpy.arange(1.0, d + 1)) % 1
