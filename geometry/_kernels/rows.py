"""Boxes with polynomials: compiled evaluation, and enclosures over smaller and smaller boxes.

A box is a cube center + η·[−1, 1]ᵈ. Over it, with θ = center + η·s,

    |f(θ) − (c + g·s + ½ s·Hs)| ≤ R0,

and where f has a polynomial p there, |f − p| ≤ E, the derivatives of p by s are those of c + g·s + ½ s·Hs up to R1 for
each of the first and R2 for each of the second ones, and T bounds the third derivative along any s of the cube. A row
of `rows` holds center, η, c, g, H, R0, R1, R2, T. `links` holds the first child of 2ᵈ, or one of the numbers below, and
the polynomial. `places` holds center and η of the box of a polynomial, `sizes` Σ|c|, Σ|k||c|, Σ|k|²|c| of its
coefficients, and E.

An operation in floats has a relative error of u = 2⁻⁵³ at most; a polynomial of degree k − 1 in each of d variables is
evaluated, or moved to another center, with less than 4kd of them in a row, all on terms that are no larger in sum than
Σ|c|, or Σ|k||c| and Σ|k|²|c| for the derivatives. Centers and η of boxes are exact.
"""

from __future__ import annotations

from functools import cache

import numpy
from numba import types
from numba.extending import register_jitable

from geometry._kernels.compiling import compiled
from geometry._kernels.pointers import address, at

__all__ = ["DEAD", "LOWEST", "UNBUILT", "U", "evaluate", "inner", "row_below", "sprout", "width"]

UNBUILT, LOWEST, DEAD = -1, -2, -3
"""Instead of a child: not known yet; what comes below is made from the polynomial; nothing comes below."""
U = 2.0**-53

inner = compiled(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


@register_jitable
def width(d: int) -> int:
    """The length of a row."""
    return 2 * d + d * d + 6


# Polynomials.


@inner
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


@inner
def evaluate(c, k, d, t, out):
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


@inner
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


@inner
def _row_from_shift(work, k, d, sizes, tau, sums, power, row):
    """c, g, H, R0, R1, R2, T from the coefficients in s; `sizes` are Σ|c|, Σ|k||c|, Σ|k|²|c| of p, and E."""
    base, r0, t3 = d + 1, 0.0, 0.0
    for i in range(d + d * d):
        sums[i] = 0.0
    for axis in range(d):
        power[axis] = 0
    for i in range(k**d):
        degree = 0
        for axis in range(d):
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
                sums[axis] += b * power[axis]
                for other in range(d):
                    sums[d + axis * d + other] += b * power[axis] * (power[other] - (1 if axis == other else 0))
        axis = d - 1
        power[axis] += 1
        while axis > 0 and power[axis] == k:
            power[axis] = 0
            axis -= 1
            power[axis] += 1
    r1 = r2 = 0.0
    for axis in range(d):
        r1 = max(r1, sums[axis])
        for other in range(d):
            r2 = max(r2, sums[d + axis * d + other])
    off = 8 * k * d * U * sizes[0]  # of all coefficients in s together
    end = base + 1 + d + d * d
    row[end] = (r0 + off + sizes[3]) * (1 + 1e-12)
    row[end + 1] = (r1 + k * off) * (1 + 1e-12)
    row[end + 2] = (r2 + k * k * off) * (1 + 1e-12)
    row[end + 3] = (t3 + k * k * k * off * d * d * d) * (1 + 1e-12)


@inner
def row_below(parent, coefficients, k, d, place, sizes, center, half, row, t, out):
    """A child of a lowest box: value and derivatives at its center, the rest from the third derivative."""
    base = d + 1
    end = base + 1 + d + d * d
    tau = half / place[d]
    for i in range(d):
        row[i] = center[i]
        t[i] = (center[i] - place[i]) / place[d]
    row[d] = half
    evaluate(coefficients, k, d, t, out)
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


def sprout(roots, starts, levels, k, places, coefficients, sizes, rows, links):
    """Fill in boxes below polynomials: roots[i] is the box of one of these, its descendants begin at starts[i]."""
    d = places.shape[1] - 1
    room, counters = numpy.empty(k**d + 3 + d + d * d), numpy.empty(3, dtype=numpy.int64)
    roots, starts = (numpy.ascontiguousarray(array) for array in (roots, starts))
    _sprouting(d)(roots, starts, levels, k, places, coefficients, sizes, rows, links, room, counters, d)


@cache
def _sprouting(d):
    """`_sprout` for d variables, a literal: its loops over the axes have a known length."""
    matrix, counts = types.float64[:, ::1], types.int64[::1]
    boxes = matrix, matrix, matrix, matrix, types.int64[:, ::1]
    arguments = counts, counts, types.int64, types.int64, *boxes, types.float64[::1], counts, types.literal(d)
    return _sprout.compile(types.void(*arguments))


@compiled(error_model="numpy")
def _sprout(roots, starts, levels, k, places, coefficients, sizes, rows, links, room, counters, d):
    work, size, count = address(room), k**d, 2**d
    t, sums = at(work, size), at(work, size + 3)
    for i in range(len(roots)):
        next_, of_level, queue = starts[i], 1, starts[i]
        polynomial = links[roots[i], 1]
        place, own = at(address(places), polynomial * (d + 1)), at(address(sizes), polynomial * 4)
        c = at(address(coefficients), polynomial * size)
        for level in range(levels + 1):
            for m in range(of_level):
                box = roots[i] if level == 0 else queue + m
                row = at(address(rows), box * width(d))
                links[box, 1] = polynomial
                for a in range(d):
                    t[a] = (row[a] - place[a]) / place[d]
                _shift(c, k, d, t, row[d] / place[d], work)
                _row_from_shift(work, k, d, own, row[d] / place[d], sums, address(counters), row)
                links[box, 0] = LOWEST
                if level < levels:
                    links[box, 0] = next_
                    for corner in range(count):
                        child = at(address(rows), (next_ + corner) * width(d))
                        for a in range(d):
                            sign = 1.0 if (corner >> (d - 1 - a)) & 1 else -1.0
                            child[a] = row[a] + sign * row[d] / 2
                        child[d] = row[d] / 2
                    next_ += count
            if level > 0:
                queue += of_level
            of_level *= count
