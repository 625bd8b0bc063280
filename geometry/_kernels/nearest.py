"""Certified searches for nearest points in a tree of boxes with polynomials (`rows`): compiled loops over queries."""

from __future__ import annotations

import math
from collections import namedtuple

import numpy

from geometry._kernels.compiling import compiled
from geometry._kernels.distances import ABOVE, SLACK, convexity, settle, slab
from geometry._kernels.rows import DEAD, LOWEST, UNBUILT, U, inner, row_below
from geometry._kernels.shares import available_cores, shared

__all__ = ["CLOSED", "OPEN", "WAITING", "nearest"]

CLOSED, WAITING, OPEN = 0, 1, 2
"""What became of a query: its gap is closed; it needs boxes that are `wanted`; its budget or memory has ended."""
HELD = 4096  # boxes of a query that wait
SETTLED = 1024  # boxes of a query that need no division
ASKED = 16  # boxes that a query may ask for at once
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
    boxes = Tree(tree.degree + 1, tree.places, tree.coefficients, tree.sizes, tree.rows, tree.links, wanted)

    def task(first, stop):
        room = numpy.empty((regions * (stop - first), 2 * d + 2))
        count = _nearest(
            boxes, _work(d, tree.rows.shape[1]), x, y, offsets, roots, limits, tolerance, max_boxes,
            queries[first:stop], *results, room,
        )  # fmt: skip
        return room[:count].copy()

    return shared(task, len(queries), available_cores(), max(16, min(256, len(queries) // 16)))


def _work(d, length):
    small, square = (numpy.empty(3) for _ in range(7)), (numpy.empty((3, 3)) for _ in range(3))
    theta, u, s, t, center, gradient, step = small
    b, c, matrix = square
    return Work(
        numpy.empty(HELD + 16), numpy.empty(HELD + 16, dtype=numpy.int64), numpy.empty((HELD, length)),
        numpy.empty(HELD, dtype=numpy.int64),
        numpy.empty((SETTLED, 2 * d + 6)),  # center, η, lower, m, |∇F|, λ, distance to p at m from below, E
        numpy.empty(6, dtype=numpy.int64), numpy.empty(2), theta, u, s, t, numpy.empty(13), center, numpy.empty(8),
        b, c, gradient, step, matrix,
    )  # fmt: skip


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
    tree, w, x, y, offsets, roots, limits, tolerance, max_boxes, queries, lower, upper, theta, boxes, status, regions
):
    """The number of `regions` that were written."""
    d, written = x.shape[1], 0
    for q in queries:
        w.count[:] = 0
        w.bound[:] = math.inf
        for i in range(offsets[q], offsets[q + 1]):
            _push(w, _look(tree.rows[roots[i]], w, d, x[q], y[q], 0.0), roots[i])
        while w.count[WAIT] > 0 and not w.count[LOST] and w.count[WANTS] < ASKED:
            key, above = w.keys[0], w.bound[ABOVE]
            if key > above or above - min(key, w.bound[LEAST]) <= tolerance:
                break
            _step(tree, w, d, x[q], y[q], tolerance, max_boxes)
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
            if written + w.count[WAIT] + w.count[KEPT] > len(regions):
                status[q] = OPEN
            else:
                written = _write(regions, written, q, tree, w, d)
    return written


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
    row = tree.rows[id_] if id_ >= 0 else w.made[-id_ - 1]
    link = tree.links[id_, 0] if id_ >= 0 else LOWEST
    polynomial = tree.links[id_, 1] if id_ >= 0 else w.owner[-id_ - 1]
    spent = w.count[SEEN] >= max_boxes
    if link == UNBUILT and not spent:
        tree.wanted[id_] = True
        w.count[WANTS] += 1
        w.bound[LEAST] = min(w.bound[LEAST], key)
        return
    stiff = convexity(row, d, y, w.b, w.c) if polynomial >= 0 else 0.0
    size = tree.places[polynomial, d] if polynomial >= 0 else 0.0  # so that centers are exact seen from there, too
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
    kept = w.settled[w.count[KEPT]]
    bottom = key
    kept[2 * d + 3] = stiff
    for a in range(d + 1):
        kept[a] = row[a]
    if stiff > 0:
        place = tree.places[polynomial]
        bottom, kept[2 * d + 4] = settle(tree, w, row, polynomial, d, x, y, stiff, tolerance)
        if bottom < 0:  # numbers that overflow prove nothing
            kept[2 * d + 3] = 0.0
        bottom = max(bottom, key)
        for a in range(d):
            kept[d + 2 + a] = place[a] + place[d] * w.best[a]
        kept[2 * d + 2], kept[2 * d + 5] = w.best[3], tree.sizes[polynomial, 3]
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
                row, tree.coefficients[polynomial], tree.k, d, tree.places[polynomial], tree.sizes[polynomial],
                w.center, row[d] / 2, w.made[w.count[FRESH]], w.t, w.out,
            )  # fmt: skip
        below = _look(tree.rows[child_id] if link >= 0 else w.made[-child_id - 1], w, d, x, y, key)
        if below <= w.bound[ABOVE]:
            _push(w, below, child_id)
            w.count[FRESH] += link < 0


@inner
def _write(regions, written, q, tree, w, d):
    above = w.bound[ABOVE]
    for i in range(w.count[WAIT]):
        if w.keys[i] <= above:
            row = tree.rows[w.ids[i]] if w.ids[i] >= 0 else w.made[-w.ids[i] - 1]
            region = regions[written]
            region[0], region[2 * d + 1] = q, w.keys[i]
            for a in range(d):
                region[1 + a], region[1 + d + a] = row[a] - row[d], row[a] + row[d]
            written += 1
    for i in range(w.count[KEPT]):
        kept = w.settled[i]
        if kept[d + 1] > above:
            continue
        region = regions[written]
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
