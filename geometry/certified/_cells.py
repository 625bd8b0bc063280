"""Boxes in θ with what is known of a function over them: a tree that many queries share.

Every box is evaluated once, whoever asks for it first. A split box has 2ᵈ children, in a row. Roots that are cubes of a
power-of-two grid have children without any rounding; others are made a little too large rather than too small.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import numpy

from geometry.arithmetic._forms import Form, Record, box_form, differentiated, point_form
from geometry.arithmetic.intervals import Interval, interval
from geometry.expressions.expression import Expression
from geometry.surface import OfFunction

__all__ = ["Cells", "derivatives", "evaluated", "in_batches", "recorded", "regular"]

Evaluate = Callable[[numpy.ndarray, numpy.ndarray], Interval]
BATCH = 2**16  # numbers in one array: what a processor's cache holds several of
MINUTE = 2.0**-200


class Cells:
    """A growing table of boxes center ± radius.

    Parameters
    ----------
    d : int
    evaluate : callable
        From center and radius, (n, d), to the intervals (k, n) that are kept of each box.
    """

    def __init__(self, d: int, evaluate: Evaluate) -> None:
        self.evaluate, self.count = evaluate, 0
        self.center, self.radius = numpy.empty((0, d)), numpy.empty((0, d))
        self.first_child = numpy.empty(0, dtype=numpy.int64)
        self.known = interval(numpy.empty((0, 0)))
        self.split = 2**d  # children of a box
        self._corners = numpy.array(list(product((-1.0, 1.0), repeat=d)))
        _keep_freed_memory()

    def add(self, center: numpy.ndarray, radius: numpy.ndarray) -> numpy.ndarray:
        """New boxes, evaluated; their numbers."""
        known, n = self.evaluate(center, radius), len(center)
        self._reserve(self.count + n, known)
        new = slice(self.count, self.count + n)
        self.center[new], self.radius[new], self.first_child[new] = center, radius, -1
        self.known.lo[:, new], self.known.hi[:, new] = known.lo, known.hi
        self.count += n
        return numpy.arange(new.start, new.stop)

    def children(self, cells: numpy.ndarray) -> numpy.ndarray:
        """The children of boxes, (n, 2ᵈ)."""
        missing = numpy.unique(cells[self.first_child[cells] < 0])
        if missing.size:
            center, radius = self.center[missing, None, :], self.radius[missing, None, :]
            middle = center + self._corners * (radius / 2)
            half = numpy.maximum(radius / 2, _reach(center, radius, middle, self._corners))
            d = middle.shape[-1]
            new = self.add(middle.reshape(-1, d), half.reshape(-1, d))
            self.first_child[missing] = new[:: len(self._corners)]
        return self.first_child[cells][:, None] + numpy.arange(len(self._corners))

    def is_minute(self, cells: numpy.ndarray) -> numpy.ndarray:
        """Whether boxes are so small that floats hardly tell their halves apart, or nobody asks for them."""
        center, radius = self.center[cells], self.radius[cells]
        return (radius <= 4 * numpy.spacing(numpy.abs(center)) + MINUTE).any(-1)

    def _reserve(self, size: int, known: Interval) -> None:
        if size <= len(self.center):
            return
        size = max(size, 2 * len(self.center), 1024)
        for name in ("center", "radius", "first_child"):
            old = getattr(self, name)
            new = numpy.empty((size, *old.shape[1:]), dtype=old.dtype)
            new[: self.count] = old[: self.count]
            setattr(self, name, new)
        ends = [numpy.empty((known.shape[0], size)) for _ in range(2)]
        if self.count:
            ends[0][:, : self.count], ends[1][:, : self.count] = (
                e[:, : self.count] for e in (self.known.lo, self.known.hi)
            )
        self.known = Interval(*ends)


def _keep_freed_memory() -> None:
    """Let the allocator of glibc keep the memory of temporary arrays, rather than return it and ask for it again.

    It keeps blocks that are smaller than the largest it has freed, up to 32 MiB; this one is never touched.
    """
    numpy.empty(31 * 2**17)


def _reach(center: Any, radius: Any, middle: Any, corner: numpy.ndarray) -> numpy.ndarray:
    """From the middle of a child to its parent's middle and to its parent's end, whichever is farther, rounded up."""
    center, radius, middle = numpy.broadcast_arrays(center, radius, middle)
    inner = interval(center) - middle
    outer = interval(center) + interval(numpy.broadcast_to(corner, center.shape) * radius) - middle
    return numpy.maximum(inner.mag, outer.mag)


def in_batches(function: Callable[..., Any], cost: int, *arrays: numpy.ndarray) -> list[Any]:
    """`function` of slices of arrays, so many items at once as have `cost` numbers each, on all cores.

    The threads end with the call: none is left behind for a process that is forked.
    """
    n, each = len(arrays[0]), max(1, BATCH // max(1, cost))
    slices = [slice(i, i + each) for i in range(0, n, each)]
    if len(slices) < 2:
        return [function(*arrays)]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    with ThreadPoolExecutor(min(cores, len(slices))) as pool:
        return list(pool.map(lambda s: function(*(a[s] for a in arrays)), slices))


def derivatives(surface: OfFunction, theta: Form, order: int = 2) -> tuple[Form, ...]:
    """f(θ), ∇f(θ) and ∇²f(θ) up to an order, from the values alone: (...), (..., d), (..., d, d)."""
    return differentiated(recorded(surface, theta.shape[-1]), theta, order)


def recorded(surface: OfFunction, d: int) -> Expression:
    """What the function of a surface does; raise TypeError where that cannot be recorded."""
    try:
        return surface.expression(d)
    except TypeError as error:
        raise TypeError(f"{surface.name} cannot run on intervals: {error}") from error


def evaluated(
    function: Callable[[Form], Any], center: numpy.ndarray, radius: numpy.ndarray | None = None
) -> tuple[Any, Record]:
    """A function of forms over boxes (or, without a radius, at points), and what happened on the way."""
    record = Record()
    theta = point_form(center, record) if radius is None else box_form(center, radius, record)
    with numpy.errstate(all="ignore"):
        return function(theta), record


def regular(function: Callable[[Form], Any], center: numpy.ndarray, radius: numpy.ndarray) -> numpy.ndarray:
    """Over which boxes a function is known to be defined and smooth, (n,)."""
    _, record = evaluated(function, center, radius)
    if not record.irregular or len(center) < 2:
        return numpy.full(len(center), not record.irregular)
    half = len(center) // 2
    parts = (slice(half), slice(half, None))
    return numpy.concatenate([regular(function, center[s], radius[s]) for s in parts])
