"""The border to interval arithmetic: which library it comes from, and what arrays of intervals need besides.

The library is `ival` (PyPI: crival), IEEE 1788 intervals over NumPy arrays; where it is not installed, `_arb`. Both
have a class `Interval` with the ends `lo` and `hi`, and functions of intervals under the same names. Every operation
contains all results of the exact one; the empty interval is [nan, nan].
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy

__all__ = [
    "add_up",
    "call",
    "engine",
    "halved",
    "hull",
    "interval",
    "joined",
    "library_of",
    "like",
    "mapped",
    "midpoint",
    "point",
    "rows",
    "symmetric",
    "total",
    "width",
    "within",
]

Interval = Any
TINY = 5e-324  # the least positive float
FEW = 8  # terms, which are added one after the other
ENGINES = {"ival": "ival", "arb": "geometry.certified._arb"}


@cache
def engine(name: str | None = None) -> Any:
    """The module that has intervals: "ival", "arb", or the first of them that is installed."""
    if name is not None and name not in ENGINES:
        raise ValueError(f"arithmetic must be 'ival' or 'arb', got {name!r}")
    if name is None:
        try:
            return engine("ival")
        except ImportError:
            return engine("arb")
    try:
        return importlib.import_module(ENGINES[name])
    except (ImportError, OSError) as error:
        raise ImportError("arithmetic='ival' needs the package crival: pip install crival") from error


def interval(lo: Any, hi: Any = None, *, arithmetic: str | None = None) -> Interval:
    """Arrays of intervals from their ends, or of single numbers."""
    lo = numpy.ascontiguousarray(lo, dtype=float)
    return engine(arithmetic).Interval(lo, lo if hi is None else numpy.ascontiguousarray(hi, dtype=float))


def library_of(x: Interval) -> str:
    """The module that has functions of such intervals."""
    return type(x).__module__


def call(name: str, x: Interval, *others: Any) -> Interval:
    """The function of that name, from the library of `x`."""
    return getattr(sys.modules[library_of(x)], name)(x, *others)


def like(x: Interval, lo: numpy.ndarray, hi: numpy.ndarray) -> Interval:
    """Intervals of the library of `x`, from ends that need no check."""
    new = object.__new__(type(x))
    new.lo, new.hi = lo, hi
    return new


def mapped(function: Callable[[numpy.ndarray], numpy.ndarray], x: Interval) -> Interval:
    """`function`, which moves elements about, of both ends."""
    return like(x, function(x.lo), function(x.hi))


def hull(x: Interval, y: Interval) -> Interval:
    return x | y


def symmetric(x: Interval) -> Interval:
    """[−m, m], m the greatest absolute value."""
    size = x.mag
    return like(x, -size, size)


def halved(x: Interval) -> Interval:
    """x/2: exact, but for the smallest numbers of all, which move outward."""
    return like(x, x.lo * 0.5 - TINY, x.hi * 0.5 + TINY)


def point(kind: Interval, numbers: numpy.ndarray) -> Interval:
    """Finite numbers as intervals of the library of `kind`."""
    ends = numpy.ascontiguousarray(numbers)
    return like(kind, ends, ends)


def width(x: Interval) -> numpy.ndarray:
    """hi − lo, rounded to nearest: for choices, not for bounds."""
    return x.hi - x.lo


def within(x: Interval, low: float, high: float) -> numpy.ndarray:
    """Whether the intervals lie inside of the open interval (low, high)."""
    return (x.lo > low) & (x.hi < high)


def midpoint(x: Interval) -> numpy.ndarray:
    """A finite member in the middle of each interval; 0 for the empty one."""
    with numpy.errstate(all="ignore"):
        middle = (x.lo + x.hi) * 0.5  # in between, for rounding is monotone
        if numpy.isfinite(middle).all():
            return middle
        middle = numpy.nan_to_num(x.lo / 2 + x.hi / 2, nan=0.0)  # the largest float for infinity
    return numpy.fmax(numpy.fmin(middle, x.hi), x.lo)


def add_up(x: Interval, axis: int) -> Interval:
    """Σ along one axis.

    However n numbers are added, rounding moves their sum by less than n·2⁻⁵³/(1 − n·2⁻⁵³) times the sum of their sizes
    (Higham, "Accuracy and Stability of Numerical Algorithms" (2002), Section 4.2). We allow for twice as much, which
    covers the rounding of that bound as well.
    """
    if x.lo.shape[axis] <= FEW:
        terms = [mapped(lambda end, i=i: end.take(i, axis), x) for i in range(x.lo.shape[axis])]  # type: ignore[misc]
        return sum(terms[1:], terms[0])
    slack = x.lo.shape[axis] * numpy.finfo(float).eps
    with numpy.errstate(invalid="ignore"):
        lo = x.lo.sum(axis) - slack * numpy.abs(x.lo).sum(axis)
        hi = x.hi.sum(axis) + slack * numpy.abs(x.hi).sum(axis)
    return like(x, numpy.nextafter(lo, -numpy.inf), numpy.nextafter(hi, numpy.inf))


def rows(x: Interval) -> list[Interval]:
    return [x[i] for i in range(x.shape[0])]


def total(x: Interval) -> Interval:
    """Σ over the first axis."""
    first, *rest = rows(x)
    for row in rest:
        first = first + row
    return first


def joined(parts: Sequence[Interval], axis: int = 0) -> Interval:
    lows, highs = [x.lo for x in parts], [x.hi for x in parts]
    return like(parts[0], numpy.concatenate(lows, axis), numpy.concatenate(highs, axis))
