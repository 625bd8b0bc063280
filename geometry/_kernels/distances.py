"""Bounds of the distance of a query (x, y) to a surface over a box (`rows`), compiled.

A bound goes outward by a multiple of the sum of the sizes of its terms, which covers the rounding of no more than 12
operations in a row on each. `w` is the workspace of a search: see `nearest`.
"""

from __future__ import annotations

import math

from geometry._kernels.pointers import at
from geometry._kernels.rows import U, evaluate, inner

__all__ = ["ABOVE", "SLACK", "convexity", "settle", "slab"]

ABOVE = 0  # in `w.bound`: the upper bound of the distance
SLACK = 64 * U
STEPS = 8  # of Newton's method
SWEEPS = 3  # over the coordinates, towards the nearest place of a slab


@inner
def _closest(row, d, v, half, u, s):
    """A place s of a box where two planes are about nearest to a query; and how far above or below it is there."""
    eta, g = row[d], d + 2
    above = v
    for i in range(d):
        s[i] = min(max(-u[i] / eta, -1.0), 1.0)
        above += row[g + i] * s[i]
    if abs(above) <= half:
        return 0.0
    v -= math.copysign(half, above)
    steep, dot, rest = 1.0, 0.0, v
    for i in range(d):
        slope = row[g + i] / eta
        steep += slope * slope
        dot += slope * u[i]
    for i in range(d):
        s[i] = min(max(-(u[i] + row[g + i] / eta * ((v - dot) / steep)) / eta, -1.0), 1.0)
        rest += row[g + i] * s[i]
    for _ in range(SWEEPS if d > 1 else 0):
        for i in range(d):
            others = rest - row[g + i] * s[i]
            s[i] = min(max(-(u[i] * eta + row[g + i] * others) / (eta * eta + row[g + i] ** 2), -1.0), 1.0)
            rest = others + row[g + i] * s[i]
    return rest


@inner
def slab(row, d, x, y, u, s):
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
    rest = _closest(row, d, v, half, u, s)
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


@inner
def convexity(row, d, y, b, inverse):
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
            b[i * d + j] = row[g + i] * row[g + j] + v * row[h + i * d + j]
            total += abs(row[g + i]) * other + abs(row[g + j]) * turn + turn * other
            total += abs(v) * r2 + wide * (abs(row[h + i * d + j]) + r2)
            trace += abs(row[g + i] * row[g + j]) + abs(v * row[h + i * d + j])
        b[i * d + i] += eta * eta
        trace += eta * eta
        if not b[i * d + i] > total * 0.5:
            return 0.0
        change = max(change, total)
    return _least(b, d, inverse, trace) - change * (1 + SLACK) - SLACK * trace


@inner
def _least(b, d, c, trace):
    """A number below the least eigenvalue of a symmetric matrix whose entries have errors of a few u times `trace`.

    1/‖B⁻¹‖, and then the proof: if Cholesky's method runs to its end for B − λ in floats, the least eigenvalue of that
    is more than −8u times its trace (S. M. Rump, "Verification of positive definiteness", BIT 46 (2006)).
    """
    if d == 1:
        return b[0]
    if d == 2:
        determinant = b[0] * b[3] - b[1] * b[1]
        norm = math.sqrt(b[0] ** 2 + b[3] ** 2 + 2 * b[1] ** 2)
    else:
        norm = determinant = 0.0
        for i in range(3):
            j, k = (i + 1) % 3, (i + 2) % 3
            for m in range(3):
                n, o = (m + 1) % 3, (m + 2) % 3
                minor = b[j * d + n] * b[k * d + o] - b[j * d + o] * b[k * d + n]
                norm += minor * minor
                if i == 0:
                    determinant += b[m] * minor
        norm = math.sqrt(norm)
    if not (determinant > 0 and norm > 0):
        return 0.0
    least = 0.99 * determinant / norm
    for i in range(d):
        for j in range(i + 1):
            total = b[i * d + j] - (least if i == j else 0.0)
            for k in range(j):
                total -= c[i * d + k] * c[j * d + k]
            if i == j:
                if not total > 0:
                    return 0.0
                c[i * d + i] = math.sqrt(total)
            else:
                c[i * d + j] = total / c[j * d + j]
    return least - SLACK * trace


@inner
def settle(tree, w, row, polynomial, d, x, y, stiff, tolerance):
    """Bounds over a box where F is strictly convex, by Newton's method inside of it.

    With m any place of the box, F ≥ F(m) + ∇F(m)·(s − m) + ½λ|s − m|², and the least value of that over the box is one
    for each coordinate. Returns a lower bound of the distance, and the distance at m to the graph of p from below;
    `best` becomes m, with the size of ∇F there.
    """
    t, out, gradient, s, best = w.t, w.out, w.gradient, w.s, w.best
    place, sizes, k = at(tree.places, polynomial * (d + 1)), at(tree.sizes, polynomial * 4), tree.k
    coefficients = at(tree.coefficients, polynomial * k**d)
    tau, eta = row[d] / place[d], place[d]
    e = 16 * k * d * U
    e0, e1 = e * sizes[0], e * sizes[1]
    lower, lowest = -1.0, 0.0
    for i in range(d):
        s[i] = 0.0
    for _ in range(STEPS):
        for i in range(d):
            middle = (row[i] - place[i]) / eta  # the box is middle ± τ, exactly
            t[i] = min(max(middle + tau * s[i], middle - tau), middle + tau)
        evaluate(coefficients, k, d, t, out)
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
            loss += _loss(gradient[i], error, stiff, s[i], 1 + 8 * U * (1 + 1 / tau))
        distance = math.sqrt(square)
        slip += 8 * U * distance
        here = (distance + slip + sizes[3]) * (1 + 8 * U) + 1e-300
        inside = max(distance - slip, 0.0)
        below = math.sqrt(max(inside * inside * (1 - 8 * U) - 2 * loss * (1 + 1e-12), 0.0)) * (1 - 8 * U)
        below = max(below - sizes[3] * (1 + 8 * U), 0.0)
        if below > lower:
            lower, lowest, best[3] = below, inside, math.sqrt(size) * (1 + SLACK)
            for i in range(d):
                best[i] = t[i]
        if here < w.bound[ABOVE]:
            w.bound[ABOVE] = here
            for i in range(d):
                w.theta[i] = place[i] + eta * t[i]
        if lower > w.bound[ABOVE] or here - lower <= 2 * sizes[3] + 2 * slip + 0.01 * tolerance:
            break
        _newton(w, d, tau, eta, rise)
    return lower, lowest


@inner
def _loss(pull, error, stiff, s, room):
    """−min of G·δ + ½λδ² over s + δ in [−1, 1], for every |G − pull| ≤ error.

    t is rounded, so that s is within 4u/τ of what it should be: hence a little more `room`.
    """
    loss = 0.0
    if pull - error < 0:
        far = min(max(room - s, 0.0), (error - pull) / stiff)
        loss = (error - pull) * far - stiff * far * far / 2
    if pull + error > 0:
        far = max(min(-room - s, 0.0), -(pull + error) / stiff)
        loss = max(loss, -(pull + error) * far - stiff * far * far / 2)
    return loss


@inner
def _newton(w, d, tau, eta, rise):
    """A step of Newton's method for s, along those coordinates that do not push against a side of the box."""
    for i in range(d):
        stuck = (w.s[i] >= 1 and w.gradient[i] < 0) or (w.s[i] <= -1 and w.gradient[i] > 0)
        for j in range(d):
            bend = tau * tau * (w.out[1 + i] * w.out[1 + j] + rise * w.out[4 + 3 * i + j])
            w.matrix[i * d + j] = 0.0 if stuck else bend
        w.matrix[i * d + i] = 1.0 if stuck else w.matrix[i * d + i] + tau * tau * eta * eta
        w.step[i] = 0.0 if stuck else -w.gradient[i]
    _solve(w.matrix, w.step, d)
    for i in range(d):
        if math.isfinite(w.step[i]):
            w.s[i] = min(max(w.s[i] + w.step[i], -1.0), 1.0)


@inner
def _solve(a, b, d):
    """Gaussian elimination, in place."""
    for i in range(d):
        pivot = i
        for j in range(i + 1, d):
            if abs(a[j * d + i]) > abs(a[pivot * d + i]):
                pivot = j
        if pivot != i:
            for k in range(d):
                a[i * d + k], a[pivot * d + k] = a[pivot * d + k], a[i * d + k]
            b[i], b[pivot] = b[pivot], b[i]
        for j in range(i + 1, d):
            factor = a[j * d + i] / a[i * d + i]
            for k in range(i, d):
                a[j * d + k] -= factor * a[i * d + k]
            b[j] -= factor * b[i]
    for i in range(d - 1, -1, -1):
        for k in range(i + 1, d):
            b[i] -= a[i * d + k] * b[k]
        b[i] /= a[i * d + i]
