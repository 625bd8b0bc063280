"""Certified searches over trees of boxes with polynomials: compiled loops over queries.

A box of the tree is a cube center + η·[−1, 1]ᵈ. Over it, with θ = center + η·s,

    |f(θ) − (c + g·s + ½ s·Hs)| ≤ R0,

and where f has a polynomial p there, |f − p| ≤ E, the derivatives of p by s are those of c + g·s + ½ s·Hs up to R1 for
each of the first and R2 for each of the second ones, and T bounds the third derivative along any s of the cube. A row
of `rows` holds center, η, c, g, H, R0, R1, R2, T. `links` holds the first child of 2ᵈ, or one of the numbers below, and
the polynomial.

All numbers are floats; a bound goes outward by a multiple of the sum of the sizes of its terms, which covers the
rounding: with u = 2⁻⁵³, of no more than 12 roundings in a row each.
"""

from __future__ import annotations

import math

import numpy

from geometry._kernels.compiling import compiled
from geometry._kernels.shares import available_cores, shared

__all__ = ["CLOSED", "DEAD", "LOWEST", "OPEN", "UNBUILT", "WAITING", "nearest", "sprout", "width"]

UNBUILT, LOWEST, DEAD = -1, -2, -3
"""Instead of a child: not known yet; what comes below is made from the polynomial; nothing comes below."""
CLOSED, WAITING, OPEN = 0, 1, 2
"""What became of a query: its gap is closed; it needs boxes that are `wanted`; its budget or memory has ended."""
U = 2.0**-53
SLACK = 64 * U
STEPS = 8  # of Newton's method
SWEEPS = 3  # over the coordinates, towards the nearest place of a slab
HELD = 4096  # boxes of a query that wait
SETTLED = 1024  # boxes of a query that need no division
ASKED = 16  # boxes that a query may ask for at once
MINUTE = 2.0**-44  # of the size of the numbers: smaller boxes are not divided

_inner = compiled(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


def width(d: int) -> int:
    """The length of a row."""
    return 2 * d + d * d + 6


# Polynomials.


@_inner
def _plane(c, first, k, x, y):
    """Of Σ c_ij xⁱyʲ: value, first derivatives by x and y, and second ones."""
    v = v1 = v2 = v11 = v12 = v22 = 0.0
    for i in range(k - 1, -1, -1):
        p0 = p1 = p2 = 0.0
        row = first + i * k
        for j in range(k - 1, -1, -1):
            p2 = p2 * y + p1
            p1 = p1 * y + p0
            p0 = p0 * y + c[row + j]
        v11 = v11 * x + v1
        v1 = v1 * x + v
        v = v * x + p0
        v12 = v12 * x + v2
        v2 = v2 * x + p1
        v22 = v22 * x + p2
    return v, v1, v2, 2 * v11, v12, 2 * v22


@_inner
def _evaluate(c, k, d, t, out):
    """p, ∇p and ∇²p at t: out[0], out[1 + a], out[4 + 3a + b]."""
    if d == 1:
        p0 = p1 = p2 = 0.0
        for j in range(k - 1, -1, -1):
            p2 = p2 * t[0] + p1
            p1 = p1 * t[0] + p0
            p0 = p0 * t[0] + c[j]
        out[0], out[1], out[4] = p0, p1, 2 * p2
    elif d == 2:
        out[0], out[1], out[2], out[4], out[5], out[8] = _plane(c, 0, k, t[0], t[1])
        out[7] = out[5]
    else:
        v = va = vaa = v1 = v2 = va1 = va2 = v11 = v12 = v22 = 0.0
        for i in range(k - 1, -1, -1):
            q, q1, q2, q11, q12, q22 = _plane(c, i * k * k, k, t[1], t[2])
            vaa = vaa * t[0] + va
            va = va * t[0] + v
            v = v * t[0] + q
            va1, v1 = va1 * t[0] + v1, v1 * t[0] + q1
            va2, v2 = va2 * t[0] + v2, v2 * t[0] + q2
            v11, v12, v22 = v11 * t[0] + q11, v12 * t[0] + q12, v22 * t[0] + q22
        out[0], out[1], out[2], out[3] = v, va, v1, v2
        out[4], out[5], out[6], out[8], out[9], out[12] = 2 * vaa, va1, va2, v11, v12, v22
        out[7], out[10], out[11] = va1, va2, v12


@_inner
def _shift(c, k, d, t, tau, work):
    """The coefficients of p(t + τs) in s, into `work`."""
    size = k**d
    for i in range(size):
        work[i] = c[i]
    stride = size
    for axis in range(d):
        stride //= k
        for line in range(size // k):
            start = line // stride * stride * k + line % stride
            for low in range(k - 1):
                for j in range(k - 2, low - 1, -1):
                    work[start + j * stride] += t[axis] * work[start + (j + 1) * stride]
            scale = 1.0
            for j in range(k):
                work[start + j * stride] *= scale
                scale *= tau


# Rows.


@_inner
def _row_from_shift(work, k, d, sizes, tau, row):
    """c, g, H, R0, R1, R2, T from the coefficients in s; `sizes` are Σ|c|, Σ|k||c|, Σ|k|²|c| of p, and E."""
    base, r0, t3 = d + 1, 0.0, 0.0
    r1 = numpy.zeros(3)
    r2 = numpy.zeros(9)
    power = numpy.zeros(3, dtype=numpy.int64)
    for i in range(k**d):
        rest, degree = i, 0
        for axis in range(d - 1, -1, -1):
            power[axis] = rest % k
            rest //= k
            degree += power[axis]
        b = work[i]
        if degree == 0:
            row[base] = b
        elif degree == 1:
            for axis in range(d):
                if power[axis] == 1:
                    row[base + 1 + axis] = b
        elif degree == 2:
            for axis in range(d):
                for other in range(d):
                    if power[axis] == 2 and axis == other:
                        row[base + 1 + d + axis * d + other] = 2 * b
                    elif power[axis] == 1 and power[other] == 1 and axis != other:
                        row[base + 1 + d + axis * d + other] = b
        else:
            b = abs(b)
            r0 += b
            t3 += b * degree * (degree - 1) * (degree - 2)
            for axis in range(d):
                r1[axis] += b * power[axis]
                for other in range(d):
                    r2[axis * d + other] += b * power[axis] * (power[other] - (1 if axis == other else 0))
    off = 8 * k * d * U * sizes[0]  # of all coefficients in s together
    end = base + 1 + d + d * d
    row[end] = (r0 + off + sizes[3]) * (1 + 1e-12)
    row[end + 1] = (r1.max() + k * off) * (1 + 1e-12)
    row[end + 2] = (r2.max() + k * k * off) * (1 + 1e-12)
    row[end + 3] = (t3 + k * k * k * off * d * d * d) * (1 + 1e-12)


@_inner
def _row_from_values(parent, coefficients, k, d, place, sizes, center, half, row, t, out):
    """A child of a lowest box: value and derivatives at its center, the rest from the third derivative."""
    base = d + 1
    end = base + 1 + d + d * d
    tau = half / place[d]
    for i in range(d):
        row[i] = center[i]
        t[i] = (center[i] - place[i]) / place[d]
    row[d] = half
    _evaluate(coefficients, k, d, t, out)
    row[base] = out[0]
    for i in range(d):
        row[base + 1 + i] = out[1 + i] * tau
        for j in range(d):
            row[base + 1 + d + i * d + j] = out[4 + 3 * i + j] * tau * tau
    e = 16 * k * d * U
    e0, e1, e2 = e * sizes[0], e * sizes[1] * tau, e * sizes[2] * tau * tau
    t3 = parent[end + 3] / 8
    row[end] = (t3 / 6 + e0 + d * e1 + d * d * e2 / 2 + sizes[3]) * (1 + 1e-12)
    row[end + 1] = (t3 / 2 + e1 + d * e2) * (1 + 1e-12)
    row[end + 2] = (t3 + e2) * (1 + 1e-12)
    row[end + 3] = t3


@compiled(error_model="numpy")
def sprout(roots, starts, levels, k, d, places, coefficients, sizes, rows, links, first, stop):
    """Boxes below polynomials: root[i] is the box of the i-th polynomial, its descendants begin at starts[i]."""
    work, t, count = numpy.empty(k**d), numpy.empty(3), 2**d
    for i in range(first, stop):
        node, below = roots[i], starts[i]
        polynomial = links[node, 1]
        place = places[polynomial]
        next_, of_level, queue = below, 1, below
        for level in range(levels + 1):
            for m in range(of_level):
                box = node if level == 0 else queue + m
                row = rows[box]
                links[box, 1] = polynomial
                for a in range(d):
                    t[a] = (row[a] - place[a]) / place[d]
                _shift(coefficients[polynomial], k, d, t, row[d] / place[d], work)
                _row_from_shift(work, k, d, sizes[polynomial], row[d] / place[d], row)
                links[box, 0] = LOWEST
                if level < levels:
                    links[box, 0] = next_
                    for corner in range(count):
                        child = rows[next_ + corner]
                        for a in range(d):
                            sign = 1.0 if (corner >> (d - 1 - a)) & 1 else -1.0
                            child[a] = row[a] + sign * row[d] / 2
                        child[d] = row[d] / 2
                    next_ += count
            if level > 0:
                queue += of_level
            of_level *= count


# Bounds of the distance over a box.


@_inner
def _slab(row, d, x, y, u, s):
    """Bounds of the distance of (x, y) to the surface over a box, and a place s of the box where the upper one holds.

    The surface is between two planes, at v + g·s ± S. For every vector n the distance is at least
    (n_θ·u + n_y·v − Σ|η n_i + n_y g_i| − |n_y|S)/|n|; n is about the vector to the nearest place between the planes.
    """
    eta, base = row[d], d + 1
    g, h, end = base + 1, base + 1 + d, base + 1 + d + d * d
    up = row[base] - y
    low = high = off = bend = 0.0
    for i in range(d):
        u[i] = row[i] - x[i]
        a = row[h + i * d + i] / 2
        low += min(a, 0.0)
        high += max(a, 0.0)
        for j in range(i):
            off += abs(row[h + i * d + j])
    middle = (low + high) / 2
    half = ((high - low) / 2 + off) * (1 + 1e-14) + row[end]
    v = up + middle
    above, across = v, 0.0
    for i in range(d):
        s[i] = min(max(-u[i] / eta, -1.0), 1.0)
        above += row[g + i] * s[i]
    if abs(above) <= half:
        rest = 0.0
    else:
        w = v - math.copysign(half, above)
        steep, dot = 1.0, 0.0
        for i in range(d):
            slope = row[g + i] / eta
            steep += slope * slope
            dot += slope * u[i]
        across = (w - dot) / steep
        rest = w
        for i in range(d):
            s[i] = min(max(-(u[i] + row[g + i] / eta * across) / eta, -1.0), 1.0)
            rest += row[g + i] * s[i]
        if d > 1:
            for _ in range(SWEEPS):
                for i in range(d):
                    others = rest - row[g + i] * s[i]
                    new = min(max(-(u[i] * eta + row[g + i] * others) / (eta * eta + row[g + i] ** 2), -1.0), 1.0)
                    rest = others + row[g + i] * new
                    s[i] = new
    support, terms, square = rest * v - abs(rest) * half, abs(rest) * (abs(up) + abs(middle) + half), rest * rest
    for i in range(d):
        n = u[i] + eta * s[i]
        swing = abs(eta * n + rest * row[g + i])
        support += n * u[i] - swing
        terms += abs(n * u[i]) + abs(eta * n) + abs(rest * row[g + i])
        square += n * n
    lower = (support - SLACK * terms) / math.sqrt(square) * (1 - SLACK) if square > 1e-280 else 0.0
    lower = lower if 0 < lower < math.inf else 0.0
    if not row[end + 2] < math.inf:
        return lower, math.inf
    height, square, slip = up, 0.0, abs(up)
    for i in range(d):
        height += row[g + i] * s[i]
        slip += abs(row[g + i])
        for j in range(d):
            bend = row[h + i * d + j] * s[j] * s[i] / 2
            height += bend
            slip += abs(bend)
        n = u[i] + eta * s[i]
        square += n * n + SLACK * (u[i] * u[i] + eta * eta)
    height = abs(height) + row[end] + SLACK * slip
    return lower, math.sqrt(square + height * height) * (1 + SLACK) + 1e-300


@_inner
def _convexity(row, d, y, b, inverse):
    """λ > 0 with ∇²F ≥ λ over the box, by s, for F = ½|θ − x|² + ½(p − y)²; or 0."""
    eta, base = row[d], d + 1
    g, h, end = base + 1, base + 1 + d, base + 1 + d + d * d
    r0, r1, r2 = row[end], row[end + 1], row[end + 2]
    if not r2 < math.inf:
        return 0.0
    v = row[base] - y
    wide = r0
    for i in range(d):
        wide += abs(row[g + i])
        for j in range(d):
            wide += abs(row[h + i * d + j]) / 2
    trace = change = 0.0
    for i in range(d):
        total, turn = 0.0, r1
        for j in range(d):
            turn += abs(row[h + i * d + j])
        for j in range(d):
            other = r1
            for k in range(d):
                other += abs(row[h + j * d + k])
            b[i, j] = row[g + i] * row[g + j] + v * row[h + i * d + j]
            total += abs(row[g + i]) * other + abs(row[g + j]) * turn + turn * other
            total += abs(v) * r2 + wide * (abs(row[h + i * d + j]) + r2)
            trace += abs(row[g + i] * row[g + j]) + abs(v * row[h + i * d + j])
        b[i, i] += eta * eta
        trace += eta * eta
        if not b[i, i] > total * 0.5:
            return 0.0
        change = max(change, total)
    return _least(b, d, inverse, trace) - change * (1 + SLACK) - SLACK * trace


@_inner
def _least(b, d, c, trace):
    """A number below the least eigenvalue of a symmetric matrix whose entries have errors of a few u times `trace`.

    1/‖B⁻¹‖, and then the proof: if Cholesky's method runs to its end for B − λ in floats, the least eigenvalue of that
    is more than −8u times its trace (S. M. Rump, "Verification of positive definiteness", BIT 46 (2006)).
    """
    if d == 1:
        return b[0, 0]
    if d == 2:
        determinant = b[0, 0] * b[1, 1] - b[0, 1] * b[0, 1]
        norm = math.sqrt(b[0, 0] ** 2 + b[1, 1] ** 2 + 2 * b[0, 1] ** 2)
    else:
        norm = determinant = 0.0
        for i in range(3):
            j, k = (i + 1) % 3, (i + 2) % 3
            for m in range(3):
                n, o = (m + 1) % 3, (m + 2) % 3
                minor = b[j, n] * b[k, o] - b[j, o] * b[k, n]
                norm += minor * minor
                if i == 0:
                    determinant += b[0, m] * minor
        norm = math.sqrt(norm)
    if not (determinant > 0 and norm > 0):
        return 0.0
    least = 0.99 * determinant / norm
    for i in range(d):
        for j in range(i + 1):
            total = b[i, j] - (least if i == j else 0.0)
            for k in range(j):
                total -= c[i, k] * c[j, k]
            if i == j:
                if not total > 0:
                    return 0.0
                c[i, i] = math.sqrt(total)
            else:
                c[i, j] = total / c[j, j]
    return least - SLACK * trace


@_inner
def _settle(row, coefficients, k, d, place, sizes, x, y, stiff, upper, tolerance, s, best, space):
    """Bounds over a box where F is strictly convex, by Newton's method inside of it.

    With m any place of the box, F ≥ F(m) + ∇F(m)·(s − m) + ½λ|s − m|², and the least value of that over the box is one
    for each coordinate. Returns bounds of the distance, and the distance at m to the graph of p from below; `best`
    becomes m, with the size of ∇F there.
    """
    t, out, gradient, step, matrix = space
    tau, eta = row[d] / place[d], place[d]
    e = 16 * k * d * U
    e0, e1 = e * sizes[0], e * sizes[1]
    lower, lowest, above = 0.0, 0.0, math.inf
    for round_ in range(STEPS):
        for i in range(d):
            middle = (row[i] - place[i]) / eta  # the box is middle ± τ, exactly
            t[i] = min(max(middle + tau * s[i], middle - tau), middle + tau)
        _evaluate(coefficients, k, d, t, out)
        rise = out[0] - y
        off = e0 + 4 * U * (abs(out[0]) + abs(y))
        square, slip, loss, size = rise * rise, off, 0.0, 0.0
        for i in range(d):
            from_center = place[i] - x[i]
            away = from_center + eta * t[i]
            error = 4 * U * (abs(from_center) + eta)
            square += away * away
            slip += error
            a, b = eta * away, rise * out[1 + i]
            gradient[i] = tau * (a + b)
            error = tau * (eta * error + (abs(rise) + off) * e1 + off * abs(out[1 + i]) + 8 * U * (abs(a) + abs(b)))
            size += (abs(gradient[i]) + error) ** 2
            # t is rounded, so that s is within 4u/τ of what it should be.
            room = 1 + 8 * U * (1 + 1 / tau)
            pull = gradient[i] - error
            if pull < 0:
                far = min(max(room - s[i], 0.0), -pull / stiff)
                loss -= pull * far + stiff * far * far / 2
            pull = gradient[i] + error
            if pull > 0:
                far = max(min(-room - s[i], 0.0), -pull / stiff)
                loss -= pull * far + stiff * far * far / 2
        distance = math.sqrt(square)
        slip += 8 * U * distance
        here = (distance + slip + sizes[3]) * (1 + 8 * U) + 1e-300
        inner = max(distance - slip, 0.0)
        below = math.sqrt(max(inner * inner * (1 - 8 * U) - 2 * loss * (1 + 1e-12), 0.0)) * (1 - 8 * U)
        below = max(below - sizes[3] * (1 + 8 * U), 0.0)
        if below > lower or round_ == 0:
            lower, lowest = below, inner
            for i in range(d):
                best[i] = t[i]
            best[3] = math.sqrt(size) * (1 + SLACK)
        if here < above:
            above = here
            for i in range(d):
                best[4 + i] = t[i]
        if lower > upper or here - lower <= 2 * sizes[3] + 2 * slip + 0.01 * tolerance:
            break
        for i in range(d):
            stuck = (s[i] >= 1 and gradient[i] < 0) or (s[i] <= -1 and gradient[i] > 0)
            for j in range(d):
                matrix[i, j] = tau * tau * (out[1 + i] * out[1 + j] + rise * out[4 + 3 * i + j])
                if stuck:
                    matrix[i, j] = 0.0
            matrix[i, i] = 1.0 if stuck else matrix[i, i] + tau * tau * eta * eta
            step[i] = 0.0 if stuck else -gradient[i]
        _solve(matrix, step, d)
        for i in range(d):
            s[i] = min(max(s[i] + step[i], -1.0), 1.0) if math.isfinite(step[i]) else s[i]
    return lower, above, lowest


@_inner
def _solve(a, b, d):
    """Gaussian elimination, in place."""
    for i in range(d):
        pivot = i
        for j in range(i + 1, d):
            if abs(a[j, i]) > abs(a[pivot, i]):
                pivot = j
        if pivot != i:
            for k in range(d):
                a[i, k], a[pivot, k] = a[pivot, k], a[i, k]
            b[i], b[pivot] = b[pivot], b[i]
        for j in range(i + 1, d):
            factor = a[j, i] / a[i, i]
            for k in range(i, d):
                a[j, k] -= factor * a[i, k]
            b[j] -= factor * b[i]
    for i in range(d - 1, -1, -1):
        for k in range(i + 1, d):
            b[i] -= a[i, k] * b[k]
        b[i] /= a[i, i]


# A heap of boxes, the least lower bound first.


@_inner
def _push(keys, ids, n, key, id_):
    i = n
    while i > 0:
        up = (i - 1) // 2
        if keys[up] <= key:
            break
        keys[i], ids[i] = keys[up], ids[up]
        i = up
    keys[i], ids[i] = key, id_


@_inner
def _drop(keys, ids, n):
    """Take the first of n away."""
    key, id_, i = keys[n - 1], ids[n - 1], 0
    while True:
        down = 2 * i + 1
        if down >= n - 1:
            break
        if down + 1 < n - 1 and keys[down + 1] < keys[down]:
            down += 1
        if key <= keys[down]:
            break
        keys[i], ids[i] = keys[down], ids[down]
        i = down
    keys[i], ids[i] = key, id_


# The search.


def nearest(tree, x, y, offsets, roots, limits, tolerance, max_boxes, queries, wanted, results, regions):
    """Search for the queries of these numbers, on all cores; the regions that were found, `regions` a query at most."""
    d = tree.d

    def task(first, stop):
        room = numpy.empty((regions * (stop - first), 2 * d + 2))
        count = _nearest(
            tree.degree + 1, tree.places, tree.coefficients, tree.sizes, tree.rows, tree.links, wanted, x, y,
            offsets, roots, limits, tolerance, max_boxes, queries, first, stop, *results, room,
        )  # fmt: skip
        return room[:count].copy()

    return shared(task, len(queries), available_cores(), max(16, min(256, len(queries) // 16)))


@compiled(error_model="numpy")
def _nearest(
    k, places, coefficients, sizes, rows, links, wanted, x, y, offsets, roots, limits, tolerance, max_boxes,
    queries, first, stop, lower, upper, theta, boxes, status, regions,
):  # fmt: skip
    """Enclose the distances of queries[first], ..., queries[stop − 1]; the number of `regions` that were written.

    The roots of query i are roots[offsets[i]], ..., roots[offsets[i + 1] − 1]; they cover the ball of radius limits[i].
    A row of `regions` is a query, the ends of a box, and a lower bound of the distance over it: all places of the
    minimum are in one of them.
    """
    d = x.shape[1]
    length, split = rows.shape[1], 2**d
    keys, ids = numpy.empty(HELD + 16), numpy.empty(HELD + 16, dtype=numpy.int64)
    made, owner = numpy.empty((HELD, length)), numpy.empty(HELD, dtype=numpy.int64)
    settled = numpy.empty((SETTLED, 2 * d + 6))  # center, η, lower, m, |∇F|, λ, distance to p at m from below, E
    u, s, t, out = numpy.empty(3), numpy.empty(3), numpy.empty(3), numpy.empty(13)
    center, best, b, c = numpy.empty(3), numpy.empty(8), numpy.empty((3, 3)), numpy.empty((3, 3))
    space = (t, out, numpy.empty(3), numpy.empty(3), numpy.empty((3, 3)))
    written = 0
    for q in queries[first:stop]:
        top, height, limit = x[q], y[q], limits[q]
        held = fresh = count = asked = examined = 0
        above, least, lost = math.inf, math.inf, False
        for i in range(offsets[q], offsets[q + 1]):
            below, here = _slab(rows[roots[i]], d, top, height, u, s)
            examined += 1
            if here < above:
                above = here
                for a in range(d):
                    theta[q, a] = rows[roots[i], a] + rows[roots[i], d] * s[a]
            _push(keys, ids, held, below, roots[i])
            held += 1
        while held > 0:
            key, id_ = keys[0], ids[0]
            if key > above or above - min(key, least) <= tolerance:
                break
            _drop(keys, ids, held)
            held -= 1
            row = rows[id_] if id_ >= 0 else made[-id_ - 1]
            link = links[id_, 0] if id_ >= 0 else LOWEST
            polynomial = links[id_, 1] if id_ >= 0 else owner[-id_ - 1]
            if link == UNBUILT and examined < max_boxes:
                wanted[id_] = True
                asked += 1
                least = min(least, key)
                if asked >= ASKED:
                    break
                continue
            stiff = _convexity(row, d, height, b, c) if polynomial >= 0 else 0.0
            size = 0.0
            for a in range(d):
                size = max(size, abs(row[a]))
            minute = row[d] <= MINUTE * size
            if stiff > 0 or minute or link == DEAD or examined >= max_boxes:
                if count == SETTLED:
                    lost = True
                    least = min(least, key)
                    break
                kept = settled[count]
                bottom = key
                for a in range(d):
                    kept[a] = row[a]
                kept[d], kept[2 * d + 3] = row[d], 0.0
                if stiff > 0:
                    for a in range(d):
                        s[a] = 0.0
                    place = places[polynomial]
                    bottom, here, lowest = _settle(
                        row, coefficients[polynomial], k, d, place, sizes[polynomial], top, height, stiff, above,
                        tolerance, s, best, space,
                    )  # fmt: skip
                    bottom = max(bottom, key)
                    if here < above:
                        above = here
                        for a in range(d):
                            theta[q, a] = place[a] + place[d] * best[4 + a]
                    for a in range(d):
                        kept[d + 2 + a] = place[a] + place[d] * best[a]
                    kept[2 * d + 2], kept[2 * d + 3], kept[2 * d + 4] = best[3], stiff, lowest
                    kept[2 * d + 5] = sizes[polynomial, 3]
                elif examined >= max_boxes:
                    lost = True
                kept[d + 1] = bottom
                if bottom <= above:
                    count += 1
                    least = min(least, bottom)
                continue
            if (link == LOWEST and fresh + split > HELD) or held + split > HELD:
                lost = True
                least = min(least, key)
                break
            for corner in range(split):
                if link >= 0:
                    child, child_id = rows[link + corner], link + corner
                else:
                    child, child_id = made[fresh], -fresh - 1
                    owner[fresh] = polynomial
                    for a in range(d):
                        sign = 1.0 if (corner >> a) & 1 else -1.0
                        center[a] = row[a] + sign * row[d] / 2
                    _row_from_values(
                        row, coefficients[polynomial], k, d, places[polynomial], sizes[polynomial], center, row[d] / 2,
                        child, t, out,
                    )  # fmt: skip
                below, here = _slab(child, d, top, height, u, s)
                examined += 1
                below = max(below, key)
                if here < above:
                    above = here
                    for a in range(d):
                        theta[q, a] = child[a] + child[d] * s[a]
                if below <= above:
                    _push(keys, ids, held, below, child_id)
                    held += 1
                    if link < 0:
                        fresh += 1
        if held > 0:
            least = min(least, keys[0])
        lower[q], upper[q], boxes[q] = min(least, above), above, examined
        closed = not lost and above - lower[q] <= tolerance and above <= limit
        status[q] = CLOSED if closed else OPEN
        if asked > 0 and (not closed or len(regions) > 0):
            status[q] = WAITING
        if status[q] == CLOSED and len(regions) > 0:
            if written + held + count > len(regions):
                status[q] = OPEN
                continue
            written = _write(regions, written, q, d, rows, made, keys, ids, held, settled, count, above)
    return written


@_inner
def _write(regions, written, q, d, rows, made, keys, ids, held, settled, count, above):
    for i in range(held):
        if keys[i] <= above:
            row = rows[ids[i]] if ids[i] >= 0 else made[-ids[i] - 1]
            region = regions[written]
            region[0], region[2 * d + 1] = q, keys[i]
            for a in range(d):
                region[1 + a], region[1 + d + a] = row[a] - row[d], row[a] + row[d]
            written += 1
    for i in range(count):
        kept = settled[i]
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
