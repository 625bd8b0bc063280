"""A model of a landscape: a tree of boxes which is fine enough, where queries look, that a polynomial is in each leaf.

It belongs to a recorded function, not to a query: what one call has built serves all later ones.
"""

from __future__ import annotations

import math
import os
import threading
from itertools import product
from typing import Any, NamedTuple

import numpy

from geometry._kernels import kernel
from geometry.certified._complex import is_analytic
from geometry.certified._model import Model
from geometry.certified._polynomials import DEGREES, fitted
from geometry.graph import FunctionGraph

__all__ = ["Landscape", "Searched", "Unsuitable", "by_landscape", "known_landscape", "remember"]

LEVELS = (3, 3, 1)  # of boxes below a polynomial that are kept, in 1, 2 or 3 variables
DEPTH = 26  # halvings of a root; a box without a polynomial is not divided any further
LARGEST = 2**20  # boxes: more of them are not worth their memory
HOPE = 1e4  # the error of a half as wide box is less by 2ⁿ, and by as much as that
MANY = 64  # queries: for fewer no model is begun
FINEST = 1e-11  # tolerance: a polynomial has rounding errors, too
ROUGH = 4096  # boxes without a polynomial, beside some for every query that has been asked
KEPT = 4  # landscapes


class Unsuitable(Exception):
    """No model of this function, or of so much of it, is worth its price."""


class Searched(NamedTuple):
    """What is found for queries: as `_branching.Found`, and which of them the model has been enough for."""

    lower: numpy.ndarray
    upper: numpy.ndarray
    theta: numpy.ndarray
    boxes: numpy.ndarray
    closed: numpy.ndarray
    regions: numpy.ndarray  # (k, 2d + 2): query, ends of a box, and a lower bound over it


class Landscape:
    """The tree.

    Attributes
    ----------
    side : float
        Of the roots, cubes of a grid; a power of two.
    target : float
        Largest error of a polynomial.
    """

    def __init__(self, surface: FunctionGraph, d: int, side: float, target: float):
        expression = surface.expression(d)
        if d > len(DEGREES) or kernel("nearest", numpy) is None or not is_analytic(expression):
            raise Unsuitable
        from geometry._kernels import nearest, rows

        self._search: Any = nearest
        self._below: Any = rows
        self.expression, self.d, self.side, self.target = expression, d, side, target
        self.model = Model(surface, d)
        self.degree, self.levels = DEGREES[d - 1], LEVELS[d - 1]
        self.count = self.rough = self.asked = 0
        self._roots: dict[tuple[int, ...], int] = {}
        self.rows = numpy.empty((0, self._below.width(d)))
        self.links = numpy.empty((0, 2), dtype=numpy.int64)  # first child, polynomial
        self.depth = numpy.empty(0, dtype=numpy.int64)
        self.hopeless = numpy.empty(0, dtype=bool)  # whether the children need not be tried
        self.coefficients = numpy.empty((0, (self.degree + 1) ** d))
        self.places = numpy.empty((0, d + 1))
        self.sizes = numpy.empty((0, 4))

    def serves(self, exponent: int, tolerance: float) -> bool:
        """Whether the boxes are of use for queries of that size, and the polynomials for that tolerance."""
        return 2.0 ** (exponent - 1) <= self.side <= 2.0 ** (exponent + 8) and 32 * self.target <= tolerance

    def roots(self, x: numpy.ndarray, radius: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
        """Roots that cover the balls around x (n, d): where those of each ball begin, (n + 1,), and their numbers."""
        reach = radius * (1 + 1e-12) + numpy.abs(x).max(1, initial=0) * 1e-12
        low, high = (numpy.floor((x + s * reach[:, None]) / self.side) for s in (-1, 1))
        most = int((high - low).max(initial=0)) + 1
        if most > 5:
            raise Unsuitable
        corners = low[:, None, :] + numpy.array(list(product(range(most), repeat=self.d)))
        inside = (corners <= high[:, None, :]).all(-1)
        wanted, which = numpy.unique(corners[inside], axis=0, return_inverse=True)
        if not numpy.abs(wanted).max(initial=0) < 2.0**20:
            raise Unsuitable
        keys = [tuple(map(int, corner)) for corner in wanted]
        new = [i for i, key in enumerate(keys) if key not in self._roots]
        if new:
            center = (wanted[new] + 0.5) * self.side
            nothing = numpy.zeros(len(new), dtype=int)
            numbers = self._add(center, self.side / 2, nothing, nothing.astype(bool))
            self._roots |= {keys[i]: int(n) for i, n in zip(new, numbers, strict=True)}
        numbers = numpy.array([self._roots[key] for key in keys], dtype=numpy.int64)
        offsets = numpy.concatenate([[0], numpy.cumsum(inside.sum(1))])
        return offsets, numbers[which.reshape(-1)]

    def divide(self, boxes: numpy.ndarray) -> None:
        """Make the children of boxes that have none."""
        corners = numpy.array(list(product((-1.0, 1.0), repeat=self.d)))
        for half in numpy.unique(self.rows[boxes, self.d]):
            some = boxes[self.rows[boxes, self.d] == half]
            center = (self.rows[some, None, : self.d] + corners * (half / 2)).reshape(-1, self.d)
            split = len(corners)
            new = self._add(center, half / 2, self.depth[some].repeat(split) + 1, self.hopeless[some].repeat(split))
            self.links[some, 0] = new[::split]

    def _add(self, center: numpy.ndarray, half: float, depth: numpy.ndarray, hopeless: numpy.ndarray) -> numpy.ndarray:
        """Boxes of one size, with polynomials where these are good enough."""
        d, numbers = self.d, self._reserve(len(center))
        self.rows[numbers, :d], self.rows[numbers, d], self.depth[numbers] = center, half, depth
        self.links[numbers, 0] = numpy.where(depth >= DEPTH, self._below.DEAD, self._below.UNBUILT)
        self.links[numbers, 1] = -1
        good, tried = numpy.zeros(len(center), dtype=bool), numpy.flatnonzero(~hopeless)
        self.hopeless[numbers] = False
        if tried.size:
            fits = fitted(self.expression, self.model.heights, center[tried], half, self.target)
            fine = fits.error <= self.target
            good[tried] = fine
            far = ~(fits.truncation <= self.target * 2.0**self.degree * HOPE)
            self.hopeless[numbers[tried]] = far & (numpy.arange(len(tried)) % 16 != 0) & (far.mean() > 0.9)
            self._plant(numbers[tried[fine]], fits.coefficients[fine], fits.error[fine])
        rough = numbers[~good]
        self.rough += len(rough)
        if rough.size:
            self._flatten(rough)
        return numbers

    def _flatten(self, numbers: numpy.ndarray) -> None:
        """Rows without a polynomial: C + Σ A_i s_i, in an interval around numbers."""
        d, base = self.d, self.d + 1
        half = self.rows[numbers, d]
        found = self.model._slabs(self.rows[numbers, :d], numpy.repeat(half[:, None], d, axis=1))
        with numpy.errstate(invalid="ignore", over="ignore"):
            low, high = found.lo[: d + 1], found.hi[: d + 1]
            middle = numpy.nan_to_num(low / 2 + high / 2, posinf=0.0, neginf=0.0)
            away = numpy.fmax(high - middle, middle - low)
            off = away.sum(0) * (1 + 1e-12) + 1e-300
        self.rows[numbers, base:] = 0.0
        self.rows[numbers, base : base + d + 1] = middle.T
        self.rows[numbers, base + 1 + d + d * d :] = numpy.inf
        self.rows[numbers, base + 1 + d + d * d] = numpy.where(numpy.isnan(off), numpy.inf, off)

    def _plant(self, numbers: numpy.ndarray, coefficients: numpy.ndarray, error: numpy.ndarray) -> None:
        """Polynomials of boxes, and the boxes below."""
        if not len(numbers):
            return
        d, k = self.d, self.degree + 1
        size, degree = numpy.abs(coefficients), numpy.indices((k,) * d).sum(0).reshape(-1)
        sizes = numpy.stack([*((size * degree**p).sum(1) * (1 + 1e-12) for p in range(3)), error], axis=1)
        first = len(self.places)
        self.links[numbers, 1] = numpy.arange(first, first + len(numbers))
        self.places = numpy.concatenate([self.places, self.rows[numbers, : d + 1]])
        self.coefficients = numpy.concatenate([self.coefficients, coefficients])
        self.sizes = numpy.concatenate([self.sizes, sizes])
        below = sum(2 ** (d * level) for level in range(1, self.levels + 1))
        starts = self._reserve(below * len(numbers))[::below]
        boxes = self.places, self.coefficients, self.sizes, self.rows, self.links
        self._below.sprout(numbers, starts, self.levels, k, *boxes)

    def _reserve(self, more: int) -> numpy.ndarray:
        first = self.count
        self.count = first + more
        if self.count > LARGEST:
            raise Unsuitable
        if self.count > len(self.rows):
            size = max(self.count, 2 * len(self.rows), 1024)
            for name in ("rows", "links", "depth", "hopeless"):
                old = getattr(self, name)
                new = numpy.zeros((size, *old.shape[1:]), dtype=old.dtype)
                new[:first] = old[:first]
                setattr(self, name, new)
        return numpy.arange(first, self.count)

    def distances(
        self, x: numpy.ndarray, y: numpy.ndarray, limits: numpy.ndarray, tolerance: float, max_boxes: int, regions: int
    ) -> Searched:
        """Of the points (x, y), which are no farther than `limits`; with so many regions for each of them at most."""
        n = len(x)
        self.asked += n
        status = numpy.full(n, self._search.OPEN, dtype=numpy.int64)
        lower, upper, theta = numpy.zeros(n), numpy.full(n, numpy.inf), x.copy()
        results = lower, upper, theta, numpy.zeros(n, dtype=numpy.int64), status
        ids, kept = numpy.arange(n), [numpy.empty((0, 2 * self.d + 2))]
        offsets, roots = self.roots(x, limits)
        while ids.size:
            wanted = numpy.zeros(len(self.links), dtype=numpy.uint8)
            kept += self._search.nearest(
                self, x, y, offsets, roots, limits, tolerance, max_boxes, ids, wanted, results, regions
            )
            ids = ids[status[ids] == self._search.WAITING]
            if ids.size:
                if max(len(self.places), self.rough - ROUGH) > MANY * self.asked:
                    raise Unsuitable
                self.divide(numpy.flatnonzero(wanted))
        return Searched(*results[:4], status == self._search.CLOSED, numpy.concatenate(kept))


_LANDSCAPES: dict[tuple[Any, ...], Landscape | None] = {}
_LOCK = threading.RLock()


def _forget() -> None:
    """A forked child may hold half of a tree, and a lock that nobody opens."""
    global _LOCK
    _LOCK = threading.RLock()
    _LANDSCAPES.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def by_landscape(
    surface: FunctionGraph,
    x: numpy.ndarray,
    y: numpy.ndarray,
    limits: numpy.ndarray,
    *,
    tolerance: float,
    max_boxes: int,
    regions: int,
) -> Searched | None:
    """As `Landscape.distances`, by a model that is there or worth its price; None if there is none."""
    if tolerance < FINEST or not len(x):
        return None
    with _LOCK:
        landscape = _found(surface, x, limits, tolerance)
        try:
            return None if landscape is None else landscape.distances(x, y, limits, tolerance, max_boxes, regions)
        except Unsuitable:
            return None


def _found(surface: FunctionGraph, x: numpy.ndarray, limits: numpy.ndarray, tolerance: float) -> Landscape | None:
    """A model for queries near x, if there is one, or there are enough of them to begin one."""
    try:
        digest = surface.expression(x.shape[1]).digest
    except TypeError:
        return None
    size = float(max(1.0, limits.max(), numpy.abs(x).max()))
    exponent = int(numpy.ceil(numpy.log2(size))) + 1
    for key, known in _LANDSCAPES.items():
        if key[0] == digest and (known is None or known.serves(exponent, tolerance)):
            _LANDSCAPES[key] = _LANDSCAPES.pop(key)  # the last one that was used is at the end
            return known
    if len(x) < MANY:
        return None
    try:
        made = Landscape(surface, x.shape[1], 2.0**exponent, 2.0 ** math.floor(math.log2(tolerance / 64)))
    except Unsuitable:
        made = None
    remember(digest, made, exponent, tolerance)
    return made


def remember(digest: str, landscape: Landscape | None, *what: float) -> None:
    """Keep a model, or that there is none, in place of the one that has not been used for longest."""
    with _LOCK:
        for key in [key for key, known in _LANDSCAPES.items() if key[0] == digest and known is None]:
            del _LANDSCAPES[key]
        while len(_LANDSCAPES) >= KEPT:
            del _LANDSCAPES[next(iter(_LANDSCAPES))]
        _LANDSCAPES[digest, *what] = landscape


def known_landscape(digest: str) -> Landscape | None:
    """The model of a function that was used last."""
    with _LOCK:
        return next((known for key, known in reversed(_LANDSCAPES.items()) if key[0] == digest and known), None)
