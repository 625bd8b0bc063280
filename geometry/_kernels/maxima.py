"""The searches for global maxima of `geometry._maximum`, for one item after the other, over compiled blocks.

What is maximised is known by its number and by a row of numbers for each item:

    RESTING    the height of a resting ball           θ (d), ρ                               at places v of its chart
    TOUCHING   the curvature of a touching ball       p (d+1), ν (d+1), noise, low, high     at places θ
    BENDING    the largest curvature of the graph     center, half, low, high (d), above, below     at v in [−1, 1]ᵈ

All is compiled once for all functions, whose blocks are called by their addresses. For AT_ONCE places the workspace
`w` (3, AT_ONCE) holds numbers of each, `x` (AT_ONCE, d) where the function is evaluated, `g` and `h` its derivatives.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from geometry._kernels.blocks import BLOCK
from geometry._kernels.compiling import compiled
from geometry._kernels.elementary import cos, sin
from geometry._kernels.pointers import copy, eigen, hypotenuse, length, scale_along

__all__ = ["BENDING", "RESTING", "TOUCHING", "climb", "look", "rest", "touch"]

RESTING, TOUCHING, BENDING = range(3)
AT_ONCE = 64  # places
VALUES, LIFTED, SIZES = range(3)  # lines of the workspace: what is maximised, what else is seen, |v|
MEAN, PATH, DRIFT = range(3)  # vectors of a climb
STRETCH, TURN, PRODUCT = range(3)  # its matrices
EPS = 2.0**-52
NOTHING = -np.finfo(np.float64).max / 4
OVERLAP, LOOK_AROUND, NOISE, LONGEST = 2.0, 2.0, 8, math.pi  # as in `geometry._maximum` and the verbs

POINTER = types.FunctionType(BLOCK)
VECTOR, MATRIX, CUBE = (types.Array(types.float64, n, "C") for n in (1, 2, 3))
NEIGHBORS, INTEGER = types.Array(types.int64, 3, "C"), types.int64

_compiled = compiled(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


@_compiled
def _seen(kind, block, item, places, w, x, g, h):
    """What is maximised, in w[VALUES], and what else is seen, in w[LIFTED], at places (n, d)."""
    if kind == RESTING:
        _resting(block, item, places, w, x, g, h)
    elif kind == TOUCHING:
        _touching(block, item, places, w, x, g, h)
    else:
        _bending(block, item, places, w, x, g, h)


@_compiled
def _resting(block, item, v, w, x, g, h):
    """f + ρ cos|v| at the contact θ + ρ sin|v| v/|v|, and f: as `geometry.offsets._Ball.heights`."""
    n, d = v.shape
    radius = item[d]
    for i in range(n):
        square = 0.0
        for k in range(d):
            square += v[i, k] * v[i, k]
        w[SIZES, i] = math.sqrt(square)
    for i in range(n):
        size = w[SIZES, i]
        angle = min(size, math.pi)
        w[VALUES, i] = radius * cos(angle)
        w[SIZES, i] = radius * (sin(angle) / size if size > 0 else 1.0)
    for i in range(n):
        for k in range(d):
            x[i, k] = item[k] + w[SIZES, i] * v[i, k]
    block(x[:n], w[LIFTED, :n], g[:n], h[:n])
    for i in range(n):
        if math.isnan(w[LIFTED, i]):
            w[LIFTED, i] = -np.inf
        w[VALUES, i] += w[LIFTED, i]


@_compiled
def _touching(block, item, theta, w, x, g, h):
    """2h/|q − p|² and h, lowered by its rounding error: as `geometry.reachability._Touch.seen`."""
    n, d = theta.shape
    point, normal, noise = item[: d + 1], item[d + 1 : 2 * d + 2], item[2 * d + 2]
    low, high = item[2 * d + 3 : 3 * d + 3], item[3 * d + 3 :]
    own = 0.0
    for k in range(d + 1):
        own += abs(point[k])
    for i in range(n):
        for k in range(d):
            x[i, k] = theta[i, k]
    block(x[:n], w[VALUES, :n], g[:n], h[:n])
    for i in range(n):
        value = w[VALUES, i]
        height, square, size, inside = 0.0, 0.0, 0.0, True
        for k in range(d):
            away = x[i, k] - point[k]
            height += away * normal[k]
            square += away * away
            size += abs(x[i, k])
            inside = inside and low[k] <= x[i, k] <= high[k]
        away = value - point[d]
        height, square, size = height + away * normal[d], square + away * away, size + abs(value)
        height -= NOISE * EPS * (size + own) + noise
        bend = height / (square / 2)
        if math.isnan(bend) or square == 0 or not inside:
            bend = height = -np.inf
        w[VALUES, i], w[LIFTED, i] = bend, height


@_compiled
def _bending(block, item, v, w, x, g, h):
    """The largest curvature towards the sides asked for: as the function in `geometry.reaches._sought`."""
    n, d = v.shape
    for i in range(n):
        for k in range(d):
            x[i, k] = item[k] + item[d + k] * min(max(v[i, k], -1.0), 1.0)
    block(x[:n], w[LIFTED, :n], g[:n], h[:n])
    for i in range(n):
        inside = True
        for k in range(d):
            inside = inside and item[2 * d + k] <= x[i, k] <= item[3 * d + k]
        bend = _largest_bend(g[i], h[i], d, item[4 * d] > 0, item[4 * d + 1] > 0)
        w[VALUES, i] = bend if inside and not math.isnan(bend) else -np.inf


@_compiled
def _largest_bend(g, h, d, above, below):
    """From ∇f and ∇²f, row by row, which is used up; NaN where they are not finite. As `FunctionGraph.curvatures`."""
    steepness = length(g, d)
    stretch = hypotenuse(1.0, steepness)
    if d == 1:
        bend = h[0] / stretch / stretch / stretch
        known = math.isfinite(stretch) and math.isfinite(h[0])
        return max(bend if above else -np.inf, -bend if below else -np.inf) if known else np.nan
    normal, bends, vectors = g[d : 2 * d], g[2 * d : 3 * d], g[3 * d :]
    finite = math.isfinite(stretch)
    for i in range(d):
        normal[i] = g[i] / steepness if steepness > 0 else 0.0
    for _ in range(2):  # rows, and columns
        for i in range(d):
            scale_along(h[d * i :], normal, 1 / stretch, d)
        for i in range(d):
            for k in range(i):
                h[d * i + k], h[d * k + i] = h[d * k + i], h[d * i + k]
    for i in range(d * d):
        finite = finite and math.isfinite(h[i])
    if not finite:
        return np.nan
    eigen(h, vectors, bends, d)
    largest = -np.inf
    for i in range(d):
        bend = bends[i] / stretch
        largest = max(largest, bend if above else largest, -bend if below else largest)
    return largest


@_compiled
def _room(kind, d):
    """A workspace. Rows of `g` have room for what becomes of ∇f and ∇²f: a unit slope, eigenvalues and eigenvectors."""
    wide, square = ((3 + d) * d, d * d) if kind == BENDING else (0, 0)
    return np.empty((3, AT_ONCE)), np.empty((AT_ONCE, d)), np.empty((AT_ONCE, wide)), np.empty((AT_ONCE, square))


@_compiled
def _look(kind, block, item, places, values, w, x, g, h):
    """What is maximised at all places (n, d); the largest of what else is seen."""
    top = -np.inf
    for first in range(0, len(places), AT_ONCE):
        stop = min(first + AT_ONCE, len(places))
        _seen(kind, block, item, places[first:stop], w, x, g, h)
        for i in range(stop - first):
            values[first + i] = w[VALUES, i]
            top = max(top, w[LIFTED, i])
    return top


@_compiled
def _local_maxima(values, neighbors, found):
    """The indices of the highest samples that no neighbour exceeds, highest first; 0 where there are no more."""
    count = 0
    for i in range(len(values)):
        value, peak = values[i], values[i] > -np.inf
        for k in range(neighbors.shape[1]):
            peak = peak and value >= values[neighbors[i, k]]
        if peak and (count < len(found) or value > values[found[-1]]):
            place = min(count, len(found) - 1)
            while place > 0 and value > values[found[place - 1]]:
                found[place] = found[place - 1]
                place -= 1
            found[place] = i
            count = min(count + 1, len(found))
    for k in range(count, len(found)):
        found[k] = 0


@_compiled
def _keep(values, places, around, neighbors, found, row, kept, kept_places, kept_spacing):
    """The local maxima of a sweep, in row `row` of what is kept; the highest of them."""
    _local_maxima(values, neighbors, found)
    for k in range(len(found)):
        place = row * len(found) + k
        kept[place], kept_spacing[place] = values[found[k]], around[found[k]]
        copy(places[found[k]], kept_places[place], places.shape[1])
    return values[found[0]]


@_compiled
def _distinct(values, places, spacing, out_values, out_places, out_spacing):
    """The highest starts, no two of them so close that they are seen from one another. `values` is used up."""
    kept = np.empty(len(values))
    copy(values, kept, len(values))
    for j in range(len(out_values)):
        best = 0
        for i in range(len(values)):
            if values[i] > values[best]:
                best = i
        out_values[j], out_spacing[j] = kept[best], spacing[best]
        copy(places[best], out_places[j], places.shape[1])
        for i in range(len(values)):
            square = 0.0
            for k in range(places.shape[1]):
                square += (places[i, k] - places[best, k]) ** 2
            if math.sqrt(square) <= OVERLAP * max(spacing[i], spacing[best]):
                values[i] = -np.inf


@_compiled
def _region(item, bend, highest, box):
    """Centre and half sides, in `box`, of what may stop a smaller ball: as `geometry.reachability._Touch.region`."""
    d, widest = box.shape[1], 0.0
    radius = 1 / bend if bend > 0 else np.inf
    far = LOOK_AROUND * math.sqrt(2 * radius * max(highest, 0.0)) + radius / 2**10
    for k in range(d):
        here, low, high = item[k], -np.inf, np.inf
        if radius < np.inf:
            center = item[k] + radius * item[d + 1 + k]
            low, high = max(center - radius, here - far), min(center + radius, here + far)
        low, high = max(low, item[2 * d + 3 + k]), min(high, item[3 * d + 3 + k])
        if not math.isfinite(high - low):
            low = high = here
        box[0, k], box[1, k] = (low + high) / 2, max((high - low) / 2, 0.0)
        widest = max(widest, box[1, k])
    return widest


@_compiled
def _start(place, v, m):
    for i in range(len(place)):
        v[MEAN, i], v[PATH, i] = place[i], 0.0
        for k in range(len(place)):
            m[STRETCH, i, k] = 1.0 if i == k else 0.0


@_compiled
def _children(z, stride, v, m, theta):
    """The mean, and around it a generation."""
    for i in range(len(z)):
        for k in range(z.shape[1]):
            step = 0.0
            for j in range(z.shape[1]):
                step += z[i, j] * m[STRETCH, k, j]
            theta[i, k] = v[MEAN, k] + stride * step


@_compiled
def _rank(values, order):
    """Indices of the values, highest first, equal ones in their order; what is nothing counts alike."""
    for i in range(len(order)):
        values[i] = max(values[i], NOTHING)
        place = i
        while place > 0 and values[i] > values[order[place - 1]]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = i


@_compiled
def _evolve(z, order, weights, rates, stride, v, m):
    """The next mean, path and matrix, from the best of a generation; the next stride."""
    d, drift, turn, product = z.shape[1], v[DRIFT], m[TURN], m[PRODUCT]
    for i in range(d):
        drift[i] = 0.0
        for k in range(d):
            turn[i, k] = 0.0
    for j in range(len(weights)):
        for i in range(d):
            drift[i] += weights[j] * z[order[j], i]
            for k in range(d):
                turn[i, k] += (weights[j] * z[order[j], i]) * z[order[j], k]
    square = 0.0
    for i in range(d):
        v[PATH, i] = (1 - rates[0]) * v[PATH, i] + rates[1] * drift[i]
        square += v[PATH, i] ** 2
    for i in range(d):
        for k in range(d):
            one = 1.0 if i == k else 0.0
            turn[i, k] = rates[2] * (v[PATH, i] * v[PATH, k] - one) + rates[3] * (turn[i, k] - one) + one
    for i in range(d):
        step = 0.0
        for k in range(d):
            step += m[STRETCH, i, k] * drift[k]
            product[i, k] = 0.0
            for j in range(d):
                product[i, k] += m[STRETCH, i, j] * turn[j, k]
        v[MEAN, i] += stride * step
    for i in range(d):
        copy(product[i], m[STRETCH, i], d)
    return stride * math.exp(rates[4] * (math.sqrt(square) / rates[5] - 1))


@compiled(types.void(INTEGER, POINTER, MATRIX, MATRIX, INTEGER, INTEGER, MATRIX), error_model="numpy")
def look(kind, block, items, places, first, stop, values):
    """What is maximised for items (b, m) at places first, ..., stop − 1 of (n, d): values (b, n)."""
    w, x, g, h = _room(kind, places.shape[1])
    for b in range(len(items)):
        _look(kind, block, items[b], places[first:stop], values[b, first:stop], w, x, g, h)


@compiled(
    types.void(
        POINTER, MATRIX, CUBE, NEIGHBORS, VECTOR, INTEGER, INTEGER, INTEGER, MATRIX, CUBE, MATRIX
    ), error_model="numpy",
)  # fmt: skip
def rest(block, items, points, neighbors, spacings, peaks, first, stop, values, places, spacing):
    """The starts of balls first, ..., stop − 1, the pole behind them: as `geometry.offsets._starts`."""
    (sweeps, n, d), pole = points.shape, values.shape[1] - 1
    w, x, g, h = _room(RESTING, d)
    seen, around, v, order = np.empty(n), np.empty(n), np.empty((n, d)), np.empty(peaks, np.int64)
    kept, kept_places, kept_spacing = np.empty(sweeps * peaks), np.empty((sweeps * peaks, d)), np.empty(sweeps * peaks)
    for b in range(first, stop):
        item, radius, angle = items[b], items[b, d], math.pi / 2
        spacing[b, pole] = angle
        for k in range(d):
            places[b, pole, k] = 0.0
        highest = _look(RESTING, block, item, places[b, pole:], values[b, pole:], w, x, g, h)
        best = values[b, pole]
        for sweep in range(sweeps):
            for i in range(n):
                around[i] = angle * spacings[sweep]
                for k in range(d):
                    v[i, k] = angle * points[sweep, i, k]
            highest = max(highest, _look(RESTING, block, item, v, seen, w, x, g, h))
            found = _keep(seen, v, around, neighbors[sweep], order, sweep, kept, kept_places, kept_spacing)
            best = max(best, found)
            lowest = (best - highest) / radius
            widest = LOOK_AROUND * math.acos(0.0 if math.isnan(lowest) else min(max(lowest, 0.0), 1.0))
            angle = min(max(widest, EPS**0.5), math.pi / 2)
        _distinct(kept, kept_places, kept_spacing, values[b, :pole], places[b, :pole], spacing[b, :pole])


@compiled(
    types.void(
        POINTER, MATRIX, VECTOR, CUBE, CUBE, MATRIX, NEIGHBORS, VECTOR, INTEGER, INTEGER, INTEGER, MATRIX, CUBE, MATRIX
    ), error_model="numpy",
)  # fmt: skip
def touch(block, items, bends, points, away, sizes, neighbors, spacings, peaks, first, stop, values, places, spacing):
    """The starts of contacts first, ..., stop − 1: as `geometry.reachability._sweeps` and `sampled`."""
    sweeps, n, d = points.shape
    (w, x, g, h), box = _room(TOUCHING, d), np.empty((2, d))
    seen, around, theta, order = np.empty(n), np.empty(n), np.empty((n, d)), np.empty(peaks, np.int64)
    kept, kept_places, kept_spacing = np.empty(sweeps * peaks), np.empty((sweeps * peaks, d)), np.empty(sweeps * peaks)
    for b in range(first, stop):
        best, top = bends[b], np.inf
        for sweep in range(sweeps):
            widest = _region(items[b], best if sweep > 0 or len(away) == 0 else -np.inf, top, box)
            for i in range(n):
                everywhere = widest == 0 and len(away) > 0
                around[i] = sizes[sweep, i] if everywhere else 2 * spacings[sweep] * widest
                for k in range(d):
                    step = away[sweep, i, k] if everywhere else box[1, k] * points[sweep, i, k]
                    theta[i, k] = box[0, k] + step
            top = _look(TOUCHING, block, items[b], theta, seen, w, x, g, h)
            found = _keep(seen, theta, around, neighbors[sweep], order, sweep, kept, kept_places, kept_spacing)
            best = max(best, found)
        _distinct(kept, kept_places, kept_spacing, values[b], places[b], spacing[b])


@compiled(
    types.void(
        INTEGER, POINTER, MATRIX, CUBE, VECTOR, VECTOR, MATRIX, MATRIX, INTEGER, INTEGER, MATRIX, CUBE
    ), error_model="numpy",
)  # fmt: skip
def climb(kind, block, items, normals, weights, rates, spacing, resolution, first, stop, values, places):
    """Climbs first, ..., stop − 1 of all from `places` (b, k, d), which become their ends; `values` are those there."""
    (_, k, d), children = places.shape, normals.shape[1]
    v, m, order = np.empty((3, d)), np.empty((3, d, d)), np.empty(children, np.int64)
    theta, (w, x, g, h) = np.empty((children, d)), _room(kind, d)
    for c in range(first, stop):
        b, j = c // k, c % k
        stride, best = spacing[b, j], max(values[b, j], NOTHING)
        _start(places[b, j], v, m)
        for generation in range(len(normals)):
            _children(normals[generation], stride, v, m, theta)
            _seen(kind, block, items[b], theta, w, x, g, h)
            _rank(w[VALUES], order)
            highest, least = w[VALUES, order[0]], w[VALUES, order[len(weights) - 1]]
            if highest > best:
                best = highest
                copy(theta[order[0]], places[b, j], d)
            if highest - least <= resolution[b, j]:
                break
            stride = min(_evolve(normals[generation], order, weights, rates, stride, v, m), LONGEST * spacing[b, j])
        values[b, j] = best if best > NOTHING else -np.inf
