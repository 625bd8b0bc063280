"""Certified searches for nearest points in a tree of boxes with polynomials (`rows`): compiled loops over queries."""

from __future__ import annotations

import math
from collections import namedtuple
from functools import cache

import numpy
from numba import types

from geometry._kernels.compiling import compiled
from geometry._kernels.distances import ABOVE, SLACK, convexity, settle, slab
from geometry._kernels.pointers import address, at
from geometry._kernels.rows import DEAD, LOWEST, UNBUILT, U, inner, row_below, width
from geometry._kernels.shares import available_cores, shared

__all__ = ["CLOSED", "OPEN", "WAITING", "nearest"]

CLOSED, WAITING, OPEN = 0, 1, 2
"""What became of a query: its gap is closed; it needs boxes that are `wanted`; its budget or memory has ended."""
HELD = 4096  # boxes of a query that wait
SETTLED = 1024  # boxes of a query that need no division
ASKED = 16  # boxes that a query may ask for at once
NUMBERS = 71  # of `Work`, from `bound` on
MINUTE = 2.0**-44  # of the size of the numbers: smaller boxes are not divided

Tree = namedtuple("Tree", "k places coefficients sizes rows links wanted")
Work = namedtuple(
    "Work", "keys ids made owner settled count bound theta u s t out center best b c gradient step matrix"
)
"""Of one thread: the heap; boxes made for this query; what needs no division; the numbers and bounds below."""
WAIT, FRESH, KEPT, WANTS, SEEN, LOST = range(6)  # in `count`: how many are in the heap, made, settled, wanted, examined
LEAST = 1  # in `bound`, beside `ABOVE`, the upper bound: the least lower bound of what has left the heap


def nearest(tree, x, y, offsets, roots, limits, tolerance, max_boxes, queries, wanted, results, regions):
    """Enclose the distances of (x, y) for the queries of these numbers, on all cores.

    The roots of query i are roots[offsets[i]], ..., roots[offsets[i + 1] − 1]; they cover the ball of radius limits[i].
    `results` are filled: lower and upper bounds, θ, numbers of boxes, what became of the query. Returned are regions,
    `regions` a query at most: rows of a query, the ends of a box, and a lower bound of the distance over it. All places
    of the minimum are in one of them.
    """
    d = tree.d
    boxes = tree.degree + 1, tree.places, tree.coefficients, tree.sizes, tree.rows, tree.links, wanted
    loop = _loop(d)
    x, y, limits = (numpy.ascontiguousarray(array) for array in (x, y, limits))

    def task(first, stop):
        room, size = numpy.empty((regions * (stop - first), 2 * d + 2)), numpy.empty
        work = (
            size(HELD + 16), size(HELD + 16, dtype=numpy.int64), size((HELD, tree.rows.shape[1])),
            size(HELD, dtype=numpy.int64), size((SETTLED, 2 * d + 6)), size(6, dtype=numpy.int64), size(NUMBERS),
        )  # fmt: skip
        asked = x, y, offsets, roots, limits, tolerance, max_boxes, queries[first:stop]
        return room[: loop(*boxes, *work, *asked, *results, room, d)].copy()

    return shared(task, len(queries), available_cores(), max(16, min(256, len(queries) // 16)))


@cache
def _loop(d):
    """The search for d variables, a literal: its loops over the axes have a known length."""
    matrix, vector, counts = types.float64[:, ::1], types.float64[::1], types.int64[::1]
    boxes = types.int64, matrix, matrix, matrix, matrix, types.int64[:, ::1], types.uint8[::1]
    work = vector, counts, matrix, counts, matrix, counts, vector
    asked = matrix, vector, counts, counts, vector, types.float64, types.int64, counts
    results = vector, vector, matrix, counts, counts
    return _nearest.compile(types.int64(*boxes, *work, *asked, *results, matrix, types.literal(d)))


# A heap of boxes, the least lower bound first.


@inner
def _push(w, key, id_):
    keys, ids, i = w.keys, w.ids, w.count[WAIT]
    while i > 0:
        up = (i - 1) // 2
        if keys[up] <= key:
            break
        keys[i], ids[i] = keys[up], ids[up]
        i = up
    keys[i], ids[i] = key, id_
    w.count[WAIT] += 1


@inner
def _drop(w):
    """Take the first box away."""
    w.count[WAIT] -= 1
    keys, ids, n = w.keys, w.ids, w.count[WAIT]
    key, id_, i = keys[n], ids[n], 0
    while True:
        down = 2 * i + 1
        if down >= n:
            break
        if down + 1 < n and keys[down + 1] < keys[down]:
            down += 1
        if key <= keys[down]:
            break
        keys[i], ids[i] = keys[down], ids[down]
        i = down
    keys[i], ids[i] = key, id_


# The search.


@compiled(error_model="numpy")
def _nearest(
    k, places, coefficients, sizes, rows, links, wanted, keys, ids, made, owner, settled, count, numbers,
    x, y, offsets, roots, limits, tolerance, max_boxes, queries, lower, upper, theta, boxes, status, regions, d,
):  # fmt: skip
    """The number of `regions` that were written."""
    tree = Tree(
        k, address(places), address(coefficients), address(sizes), address(rows), address(links), address(wanted)
    )
    n = address(numbers)
    w = Work(
        address(keys), address(ids), address(made), address(owner), address(settled), address(count),
        n, at(n, 2), at(n, 5), at(n, 8), at(n, 11), at(n, 14), at(n, 27), at(n, 30), at(n, 38), at(n, 47), at(n, 56),
        at(n, 59), at(n, 62),
    )  # fmt: skip
    written = 0
    for q in queries:
        for i in range(6):
            w.count[i] = 0
        w.bound[ABOVE] = w.bound[LEAST] = math.inf
        place = at(address(x), q * d)
        for i in range(offsets[q], offsets[q + 1]):
            _push(w, _look(at(tree.rows, roots[i] * width(d)), w, d, place, y[q], 0.0), roots[i])
        while w.count[WAIT] > 0 and not w.count[LOST] and w.count[WANTS] < ASKED:
            key, above = w.keys[0], w.bound[ABOVE]
            if key > above or above - min(key, w.bound[LEAST]) <= tolerance:
                break
            _step(tree, w, d, place, y[q], tolerance, max_boxes)
        if w.count[WAIT] > 0:
            w.bound[LEAST] = min(w.bound[LEAST], w.keys[0])
        above = w.bound[ABOVE]
        lower[q], upper[q], boxes[q] = min(w.bound[LEAST], above), above, w.count[SEEN]
        for a in range(d):
            theta[q, a] = w.theta[a]
        closed = not w.count[LOST] and above - lower[q] <= tolerance and above <= limits[q]
        status[q] = CLOSED if closed else OPEN
        if w.count[WANTS] > 0 and (not closed or len(regions) > 0):
            status[q] = WAITING
        if status[q] == CLOSED and len(regions) > 0:
            if written + _remaining(w, d) > len(regions):
                status[q] = OPEN
            else:
                written = _write(address(regions), written, q, tree, w, d)
    return written


@inner
def _row(tree, w, id_, d):
    """The row of a box of the tree, or of one that was made for this query."""
    return at(tree.rows, id_ * width(d)) if id_ >= 0 else at(w.made, (-id_ - 1) * width(d))


@inner
def _look(row, w, d, x, y, least):
    """A lower bound over a box, which is at least that of its parent; a better upper bound is kept."""
    below, here = slab(row, d, x, y, w.u, w.s)
    w.count[SEEN] += 1
    if here < w.bound[ABOVE]:
        w.bound[ABOVE] = here
        for a in range(d):
            w.theta[a] = row[a] + row[d] * w.s[a]
    return max(below, least)


@inner
def _step(tree, w, d, x, y, tolerance, max_boxes):
    """Take the first box from the heap: it is wanted, settled, or divided."""
    key, id_ = w.keys[0], w.ids[0]
    _drop(w)
    row = _row(tree, w, id_, d)
    link = tree.links[2 * id_] if id_ >= 0 else LOWEST
    polynomial = tree.links[2 * id_ + 1] if id_ >= 0 else w.owner[-id_ - 1]
    spent = w.count[SEEN] >= max_boxes
    if link == UNBUILT and not spent:
        tree.wanted[id_] = 1
        w.count[WANTS] += 1
        w.bound[LEAST] = min(w.bound[LEAST], key)
        return
    stiff = convexity(row, d, y, w.b, w.c) if polynomial >= 0 else 0.0
    size = tree.places[polynomial * (d + 1) + d] if polynomial >= 0 else 0.0  # from there, centers are exact as well
    for a in range(d):
        size = max(size, abs(row[a]))
    full = w.count[KEPT] == SETTLED or w.count[FRESH] + 2**d > HELD or w.count[WAIT] + 2**d > HELD
    if full or (spent and stiff <= 0):
        w.count[LOST] = 1
        w.bound[LEAST] = min(w.bound[LEAST], key)
    elif stiff > 0 or link == DEAD or row[d] <= MINUTE * size:
        _keep(tree, w, row, polynomial, d, x, y, stiff, key, tolerance)
    else:
        _divide(tree, w, row, link, polynomial, d, x, y, key)


@inner
def _keep(tree, w, row, polynomial, d, x, y, stiff, key, tolerance):
    """Settle a box: nothing of it needs to be divided."""
    kept = at(w.settled, w.count[KEPT] * (2 * d + 6))
    bottom = key
    kept[2 * d + 3] = stiff
    for a in range(d + 1):
        kept[a] = row[a]
    if stiff > 0:
        place = at(tree.places, polynomial * (d + 1))
        bottom, kept[2 * d + 4] = settle(tree, w, row, polynomial, d, x, y, stiff, tolerance)
        if bottom < 0:  # numbers that overflow prove nothing
            kept[2 * d + 3] = 0.0
        bottom = max(bottom, key)
        for a in range(d):
            kept[d + 2 + a] = place[a] + place[d] * w.best[a]
        kept[2 * d + 2], kept[2 * d + 5] = w.best[3], tree.sizes[4 * polynomial + 3]
    kept[d + 1] = bottom
    if bottom <= w.bound[ABOVE]:
        w.count[KEPT] += 1
        w.bound[LEAST] = min(w.bound[LEAST], bottom)


@inner
def _divide(tree, w, row, link, polynomial, d, x, y, key):
    for corner in range(2**d):
        child_id = link + corner if link >= 0 else -w.count[FRESH] - 1
        if link < 0:
            w.owner[w.count[FRESH]] = polynomial
            for a in range(d):
                w.center[a] = row[a] + (row[d] / 2 if (corner >> a) & 1 else -row[d] / 2)
            row_below(
                row, at(tree.coefficients, polynomial * tree.k**d), tree.k, d, at(tree.places, polynomial * (d + 1)),
                at(tree.sizes, polynomial * 4), w.center, row[d] / 2, _row(tree, w, child_id, d), w.t, w.out,
            )  # fmt: skip
        below = _look(_row(tree, w, child_id, d), w, d, x, y, key)
        if below <= w.bound[ABOVE]:
            _push(w, below, child_id)
            w.count[FRESH] += link < 0


@inner
def _remaining(w, d):
    """How many boxes may hold a place of the minimum."""
    count = 0
    for i in range(w.count[WAIT]):
        count += w.keys[i] <= w.bound[ABOVE]
    for i in range(w.count[KEPT]):
        count += w.settled[i * (2 * d + 6) + d + 1] <= w.bound[ABOVE]
    return count


@inner
def _write(regions, written, q, tree, w, d):
    above = w.bound[ABOVE]
    for i in range(w.count[WAIT]):
        if w.keys[i] <= above:
            row, region = _row(tree, w, w.ids[i], d), at(regions, written * (2 * d + 2))
            region[0], region[2 * d + 1] = q, w.keys[i]
            for a in range(d):
                region[1 + a], region[1 + d + a] = row[a] - row[d], row[a] + row[d]
            written += 1
    for i in range(w.count[KEPT]):
        kept = at(w.settled, i * (2 * d + 6))
        if kept[d + 1] > above:
            continue
        region = at(regions, written * (2 * d + 2))
        region[0], region[2 * d + 1] = q, kept[d + 1]
        stiff, radius = kept[2 * d + 3], math.inf
        if stiff > 0:
            # F ≤ ½(above + E)² where the distance is at most `above`.
            farthest = (above + kept[2 * d + 5]) * (1 + SLACK)
            room = max((farthest - kept[2 * d + 4]) * (farthest + kept[2 * d + 4]) / 2, 0.0) * (1 + SLACK)
            pull = kept[2 * d + 2]
            radius = (pull + math.sqrt(pull * pull + 2 * stiff * room)) / stiff * (1 + SLACK) * kept[d]
        for a in range(d):
            region[1 + a], region[1 + d + a] = kept[a] - kept[d], kept[a] + kept[d]
            if radius < math.inf:
                m = kept[d + 2 + a]
                wide = radius + 8 * U * (abs(m) + kept[d])
                region[1 + a] = max(region[1 + a], m - wide)
                region[1 + d + a] = min(region[1 + d + a], m + wide)
        written += 1
    return written
