"""Numbers that a person would write: dyadic fractions of few bits, exact in every format down to bfloat16."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy
from hypothesis import strategies as st

from geometry._namespace import Array

__all__ = ["DIMENSIONS", "coordinates", "dimensions", "dyadics", "points", "radii", "vectors"]

BITS = 4  # behind the binary point
DIMENSIONS = 4  # at most, but for the large ones
LARGE = (5, 9, 17, 33)  # beyond what implementations treat at once
OCTAVES = 12  # between the largest radius and the least, where no bound is given


@cache
def dimensions(least: int = 1) -> st.SearchStrategy[int]:
    """Numbers of parameters: few, and now and then more than implementations treat at once.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(dimensions(), lambda d: d > 4)
    5
    """
    few = [d for d in range(1, DIMENSIONS + 1) if d >= least]
    return st.sampled_from([*few * 4, *LARGE])


@cache
def dyadics(low: float, high: float, *, bits: int = BITS) -> st.SearchStrategy[float]:
    """Fractions k/2^b with b ≤ `bits` from `low` to `high`; they shrink to integers, and these to 0.

    Below 16, with the four bits that are the default, they are exact in all formats down to bfloat16.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(dyadics(-8, 8), lambda x: x > 2.3) * 16 in range(37, 129)
    True
    """
    if not low <= high:
        raise ValueError(f"low must not be above high, got {low} and {high}")
    numbers = _fractions(low, high, bits)
    if not numbers:
        raise ValueError(f"no fraction of {bits} bits lies between {low} and {high}")
    return st.sampled_from(numbers)


def _fractions(low: float, high: float, bits: int) -> list[float]:
    """k/2^b with b ≤ `bits` from `low` to `high`: integers first, of each denominator the smallest first."""
    numbers = {k / 2**bits for k in range(math.ceil(low * 2**bits), math.floor(high * 2**bits) + 1)}
    return sorted(numbers, key=lambda x: (x.as_integer_ratio()[1], x < 0, abs(x)))


@cache
def vectors(dimension: int, size: float = 8.0, *, bits: int = BITS) -> st.SearchStrategy[tuple[float, ...]]:
    """Tuples of `dyadics` between −size and size.

    Examples
    --------
    >>> from hypothesis import find
    >>> sum(find(vectors(2), lambda v: sum(v) > 1)) > 1
    True
    """
    return st.tuples(*[dyadics(-size, size, bits=bits)] * dimension)


@cache
def coordinates(dimension: int, size: float = 8.0, *, bits: int = BITS) -> st.SearchStrategy[tuple[float, ...]]:
    """`vectors` that take the same number of choices for every dimension up to `DIMENSIONS`: the last of them.

    A dimension that was drawn as well can then shrink on its own.

    Examples
    --------
    >>> from hypothesis import find
    >>> len(find(coordinates(2), lambda v: v[0] < 0))
    2
    """
    return vectors(max(dimension, DIMENSIONS), size, bits=bits).map(lambda v: v[-dimension:])


def points(dimension: int, *, size: float = 8.0, xp: Any = numpy, dtype: str = "float64") -> st.SearchStrategy[Array]:
    """Arrays (dimension,) of the library `xp`, with entries between −size and size.

    Examples
    --------
    >>> from hypothesis import find
    >>> found = find(points(3, dtype="float32"), lambda p: p[0] > 0)
    >>> found.shape, found.dtype
    ((3,), dtype('float32'))
    """
    return vectors(dimension, size).map(lambda v: xp.asarray(v, dtype=getattr(xp, dtype)))


@cache
def radii(*, above: float = 0.0, below: float = math.inf) -> st.SearchStrategy[float]:
    """Radii of balls, strictly between the bounds: numbers of eight bits of all magnitudes, the simplest first.

    Examples
    --------
    >>> from hypothesis import find
    >>> 2.5 < find(radii(above=2.5), lambda r: r < 100) < 100
    True
    """
    if not 0 <= above < below:
        raise ValueError(f"radii must have 0 <= above < below, got above={above} and below={below}")
    numbers = _eight_bits(above, below)
    if not numbers:
        raise ValueError(f"no number of eight bits lies between {above} and {below}")
    return st.sampled_from(numbers)


def _eight_bits(above: float, below: float) -> list[float]:
    """The numbers of eight bits strictly between the bounds, in `OCTAVES` octaves of them: those of few bits first."""
    most = below if below < math.inf else max(above, 1.0) * 2.0 ** (OCTAVES / 2)
    least = max(above, most / 2.0**OCTAVES)
    exponents = range(math.floor(math.log2(least)), math.ceil(math.log2(most)) + 1)
    known = {k / 128 * 2.0**e for e in exponents for k in range(128, 256)}
    return sorted((r for r in known if least <= r <= most and above < r < below), key=_complexity)


def _complexity(number: float) -> tuple[int, bool, float]:
    """The bits of a number, whether it is below 1, and how far its magnitude is from 1."""
    numerator = int(math.frexp(number)[0] * 2**8)
    return (numerator // (numerator & -numerator)).bit_length(), number < 1, abs(math.log2(number))
