"""The safeguarded search of `geometry._search`, for one query after the other, over a compiled function.

It is compiled once for all functions: it calls them by their addresses. A workspace `w` (ROWS, d) holds all vectors of
an item, `m` (2, d, d) a matrix and its eigenvectors.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from geometry._kernels.compiling import compiled

__all__ = ["FUNCTION", "search"]

THETA, GRADIENT, DIRECTION, TRIAL, TRIAL_GRADIENT, FIRST, FIRST_GRADIENT, FORCE, LINE, PARTS, BENDS = range(11)
ROWS = 11
EPS = 2.0**-52
FLOOR = EPS**0.5
ENOUGH = EPS**0.75
LARGE = np.finfo(np.float64).max ** 0.375
CONVERGED, STEPS_USED, STALLED, NOT_FINITE = range(4)  # `geometry.footpoint.Status`
SUFFICIENT_DECREASE, NOISE = 1e-4, 64.0
SWEEPS = 30  # of Jacobi's rotations; five are usual

VECTOR, MATRIX = types.float64[::1], types.float64[:, ::1]
FUNCTION = types.float64(VECTOR, VECTOR, VECTOR)
"""value = f(x, g, h): ∇f goes to g, ∇²f, row by row, to h."""
POINTER = types.FunctionType(FUNCTION)
SETTINGS = (types.boolean, types.float64, types.int64, types.int64, types.int64)
COUNTS = types.int64[::1]

_compiled = compiled(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


@_compiled
def _one(first_order, second_order, query, newton, tolerance, max_steps, w, m):
    """One search from w[THETA]; the end is in w[THETA] and w[GRADIENT]."""
    theta, gradient, direction = w[THETA], w[GRADIENT], w[DIRECTION]
    hessian = m[0].reshape(-1)
    value = second_order(theta, gradient, hessian) if newton else first_order(theta, gradient, hessian)
    _copy(theta, w[FIRST])
    _copy(gradient, w[FIRST_GRADIENT])
    first_value = value
    if not _is_finite(theta, value, gradient, query):
        return value, 0, NOT_FINITE
    minimum = _aim(query, value, newton, w, m)
    stride, steps, moved = 1.0, 0, False
    precision = 2 * EPS * _across(query)
    while True:
        size = _length(direction)
        reach = _difference(theta, query) + _distance(theta, value, query)
        stride = min(stride, reach / size) if size > 0 else min(stride, reach)
        small = stride * size <= precision + 2 * EPS * _length(theta)
        stationary = _is_converged(theta, value, gradient, query, tolerance, w) or (small and moved)
        if stationary and minimum:
            status = CONVERGED
            break
        if small:
            status = STALLED
            break
        if steps >= max_steps:
            status = STEPS_USED
            break
        trial, trial_gradient = w[TRIAL], w[TRIAL_GRADIENT]
        for i in range(len(theta)):
            trial[i] = theta[i] + stride * direction[i]
        new = second_order(trial, trial_gradient, hessian) if newton else first_order(trial, trial_gradient, hessian)
        steps += 1
        moved, shrink = _judge(query, value, new, stride, w)
        longer = 1.0 if newton else _secant_stride(query, value, new, stride, w)
        if moved:
            value, stride = new, longer
            _copy(trial, theta)
            _copy(trial_gradient, gradient)
            minimum = _aim(query, value, newton, w, m)
        else:
            stride *= shrink
    return _not_farther(query, value, first_value, steps, status, tolerance, w)


@_compiled
def _not_farther(query, value, first_value, steps, status, tolerance, w):
    """The end of a search, or its start, if that is nearer and flatter."""
    theta, gradient, first, first_gradient = w[THETA], w[GRADIENT], w[FIRST], w[FIRST_GRADIENT]
    unit = _unit(_distance(first, first_value, query))
    farther = _half_square(theta, value, query, unit) > _half_square(first, first_value, query, unit)
    there = _residual(theta, value, gradient, query, w)
    if farther and there >= _residual(first, first_value, first_gradient, query, w):
        known = _is_converged(first, first_value, first_gradient, query, tolerance, w)
        _copy(first, theta)
        _copy(first_gradient, gradient)
        return first_value, steps, status if known else STALLED
    return value, steps, status


@_compiled
def _copy(source, target):
    for i in range(len(source)):
        target[i] = source[i]


@_compiled
def _dot(a, b):
    total = 0.0
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


@_compiled
def _length(vector):
    """|v|, safe against overflow and underflow of squares; NaN for NaN."""
    total = _dot(vector, vector)
    if 1e-280 < total < 1e280:
        return math.sqrt(total)
    size = 0.0
    for i in range(len(vector)):
        if not abs(vector[i]) <= size:
            size = abs(vector[i])
    if not 0 < size < np.inf:
        return size
    total = 0.0
    for i in range(len(vector)):
        total += (vector[i] / size) ** 2
    return size * math.sqrt(total)


@_compiled
def _across(query):
    """|x| of the query (x, y)."""
    return _length(query[:-1])


@_compiled
def _difference(theta, query):
    """|θ − x|."""
    total = 0.0
    for i in range(len(theta)):
        total += (theta[i] - query[i]) ** 2
    if 1e-280 < total < 1e280:
        return math.sqrt(total)
    size = 0.0
    for i in range(len(theta)):
        if not abs(theta[i] - query[i]) <= size:
            size = abs(theta[i] - query[i])
    if not 0 < size < np.inf:
        return size
    total = 0.0
    for i in range(len(theta)):
        total += ((theta[i] - query[i]) / size) ** 2
    return size * math.sqrt(total)


@_compiled
def _distance(theta, value, query):
    return math.hypot(_difference(theta, query), value - query[-1])


@_compiled
def _unit(size):
    """A length to count in: 1, but where the squares of lengths of this size overflow or vanish, the size itself."""
    extreme = size > LARGE or 0 < size < 1 / LARGE
    return size if extreme and size < np.inf else 1.0


@_compiled
def _half_square(theta, value, query, unit):
    total = ((value - query[-1]) / unit) ** 2
    for i in range(len(theta)):
        total += ((theta[i] - query[i]) / unit) ** 2
    return total / 2


@_compiled
def _is_finite(theta, value, gradient, query):
    for i in range(len(theta)):
        if not (math.isfinite(theta[i]) and math.isfinite(gradient[i]) and math.isfinite(query[i])):
            return False
    return math.isfinite(value) and math.isfinite(query[-1])


@_compiled
def _pull(theta, value, gradient, query, out):
    """∇φ = (θ − x) + (f − y) g."""
    for i in range(len(theta)):
        out[i] = (theta[i] - query[i]) + (value - query[-1]) * gradient[i]


@_compiled
def _scale_along(vector, gradient, steepness, factor):
    """G^(p/2) v in place: the part of v along g times factor = W^p."""
    if steepness > 0:
        along = 0.0
        for i in range(len(vector)):
            along += vector[i] * (gradient[i] / steepness)
        for i in range(len(vector)):
            n = gradient[i] / steepness
            vector[i] = (vector[i] - along * n) + along * factor * n


@_compiled
def _residual(theta, value, gradient, query, w):
    """|G^(-1/2) ∇φ|."""
    steepness = _length(gradient)
    line = w[LINE]
    _pull(theta, value, gradient, query, line)
    _scale_along(line, gradient, steepness, 1 / math.hypot(1.0, steepness))
    return _length(line)


@_compiled
def _is_converged(theta, value, gradient, query, tolerance, w):
    """As `geometry._contact.is_converged`; a negative tolerance is the usual one."""
    steepness = _length(gradient)
    stretch = math.hypot(1.0, steepness)
    size = _length(theta) + _across(query)
    heights = (abs(value) + abs(query[-1])) * (steepness / stretch)
    scale = size + heights + abs(value - query[-1])
    allowed = (ENOUGH if tolerance < 0 else tolerance) * scale + 4 * EPS * stretch * size
    return _residual(theta, value, gradient, query, w) <= allowed


@_compiled
def _rounding(theta, value, query, unit):
    """The rounding error of φ that is taken for granted."""
    across = _difference(theta, query) / unit * ((_length(theta) + _across(query)) / unit)
    heights = abs(value - query[-1]) / unit * ((abs(value) + abs(query[-1])) / unit)
    return NOISE * EPS * (_half_square(theta, value, query, unit) + across + heights)


@_compiled
def _judge(query, value, new, stride, w):
    """Whether the trial is accepted, and the factor by which a rejected stride shrinks."""
    theta, gradient, trial, trial_gradient = w[THETA], w[GRADIENT], w[TRIAL], w[TRIAL_GRADIENT]
    if not _is_finite(trial, new, trial_gradient, query):
        return False, 0.1
    unit = _unit(_distance(theta, value, query))
    old_square, new_square = _half_square(theta, value, query, unit), _half_square(trial, new, query, unit)
    _pull(theta, value, gradient, query, w[FORCE])
    slope = 0.0
    for i in range(len(theta)):
        slope += (w[DIRECTION, i] / unit) * (w[FORCE, i] / unit)
    slope *= stride
    accepted = new_square <= old_square + SUFFICIENT_DECREASE * slope and new_square < old_square
    if not accepted and new_square <= old_square + _rounding(theta, value, query, unit):
        there = _residual(trial, new, trial_gradient, query, w)
        accepted = there <= 0.99 * _residual(theta, value, gradient, query, w)
    bend = 2 * (new_square - old_square - slope)
    best = -slope / bend if bend > 0 else 0.1
    return accepted, min(max(best, 0.1), 0.5)


@_compiled
def _secant_stride(query, value, new, stride, w):
    """Barzilai–Borwein length in the metric G of the trial."""
    theta, gradient, trial, trial_gradient = w[THETA], w[GRADIENT], w[TRIAL], w[TRIAL_GRADIENT]
    stretched, change = w[LINE], w[PARTS]
    _pull(trial, new, trial_gradient, query, change)
    _pull(theta, value, gradient, query, w[FORCE])
    for i in range(len(theta)):
        stretched[i] = trial[i] - theta[i]
        change[i] -= w[FORCE, i]
    steepness = _length(trial_gradient)
    _scale_along(stretched, trial_gradient, steepness, math.hypot(1.0, steepness))
    unit = _unit(_length(stretched))
    bend, square = 0.0, 0.0
    for i in range(len(theta)):
        bend += ((trial[i] - theta[i]) / unit) * (change[i] / unit)
        square += (stretched[i] / unit) ** 2
    secant = square / bend if bend > 0 else np.inf
    return secant if math.isfinite(secant) else 2 * stride


@_compiled
def _aim(query, value, newton, w, m):
    """Fill the direction; whether a stationary point here may be a minimum of the distance."""
    gradient, direction = w[GRADIENT], w[DIRECTION]
    steepness = _length(gradient)
    stretch = math.hypot(1.0, steepness)
    _pull(w[THETA], value, gradient, query, direction)
    for i in range(len(gradient)):
        direction[i] = -direction[i]
    if not newton:
        _scale_along(direction, gradient, steepness, 1 / stretch**2)
        return True
    _scale_along(direction, gradient, steepness, 1 / stretch)
    return _newton_step(query, value, steepness, stretch, w, m)


@_compiled
def _newton_step(query, value, steepness, stretch, w, m):
    """−G^(-1/2) |I + (f−y)K|⁻¹ G^(-1/2) ∇φ from the force −G^(-1/2) ∇φ in w[DIRECTION] and the Hessian in m[0]."""
    force, bends, parts = w[DIRECTION], w[BENDS], w[PARTS]
    height = value - query[-1]
    finite = _shape(w[GRADIENT], steepness, stretch, m)
    _eigen(m, bends)
    lowest = np.inf
    for i in range(len(force)):
        bends[i] = 1 + height * bends[i] if finite else -1.0
        lowest = min(lowest, bends[i])
    beyond = lowest < -FLOOR
    unit = _unit(_distance(w[THETA], value, query))
    gain = 0.0
    for k in range(len(force)):
        part = 0.0
        for i in range(len(force)):
            part += m[1, i, k] * force[i]
        parts[k] = part
        gain += (part / unit) * (part / max(abs(bends[k]), FLOOR) / unit)
    lost = beyond and gain <= _rounding(w[THETA], value, query, unit)
    if beyond and not lost:
        lost = _is_converged(w[THETA], value, w[GRADIENT], query, -1.0, w)
    for k in range(len(force)):
        if lost:
            parts[k] = math.copysign(height, parts[k]) if bends[k] == lowest else 0.0
        else:
            parts[k] /= max(abs(bends[k]), FLOOR)
    for i in range(len(force)):
        total = 0.0
        for k in range(len(force)):
            total += m[1, i, k] * parts[k]
        force[i] = total
    _scale_along(force, w[GRADIENT], steepness, 1 / stretch)
    return not beyond


@_compiled
def _shape(gradient, steepness, stretch, m):
    """G^(-1/2) H G^(-1/2) in m[0]; whether it is finite, otherwise it is zero."""
    for _ in range(2):
        for i in range(len(gradient)):
            _scale_along(m[0, i], gradient, steepness, 1 / stretch)
        for i in range(len(gradient)):
            for j in range(i):
                m[0, i, j], m[0, j, i] = m[0, j, i], m[0, i, j]
    finite = True
    for i in range(len(gradient)):
        for j in range(len(gradient)):
            finite = finite and math.isfinite(m[0, i, j])
    if not finite:
        m[0, :, :] = 0.0
    return finite


@_compiled
def _eigen(m, values):
    """Eigenvalues of m[0], eigenvectors in the columns of m[1], by Jacobi's rotations."""
    a, v = m[0], m[1]
    for i in range(len(values)):
        for j in range(len(values)):
            v[i, j] = 1.0 if i == j else 0.0
    for _ in range(SWEEPS):
        off, size = 0.0, 0.0
        for i in range(len(values)):
            size = max(size, abs(a[i, i]))
            for j in range(i):
                off = max(off, abs(a[i, j]))
        if off <= EPS * size:
            break
        for p in range(len(values) - 1):
            for q in range(p + 1, len(values)):
                _rotate(a, v, p, q)
    for i in range(len(values)):
        values[i] = a[i, i]


@_compiled
def _rotate(a, v, p, q):
    """The rotation that makes a[p, q] zero."""
    if a[p, q] == 0:
        return
    ratio = (a[q, q] - a[p, p]) / (2 * a[p, q])
    t = math.copysign(1.0, ratio) / (abs(ratio) + math.hypot(1.0, ratio))
    c = 1 / math.hypot(1.0, t)
    s = t * c
    for k in range(len(a)):
        x, y = a[k, p], a[k, q]
        a[k, p], a[k, q] = c * x - s * y, s * x + c * y
    for k in range(len(a)):
        x, y = a[p, k], a[q, k]
        a[p, k], a[q, k] = c * x - s * y, s * x + c * y
    for k in range(len(a)):
        x, y = v[k, p], v[k, q]
        v[k, p], v[k, q] = c * x - s * y, s * x + c * y
    a[p, q] = a[q, p] = 0.0


@compiled(
    types.void(POINTER, POINTER, MATRIX, MATRIX, *SETTINGS, MATRIX, VECTOR, MATRIX, COUNTS, COUNTS), error_model="numpy"
)
def search(
    first_order, second_order, queries, starts, newton, tolerance, max_steps, first, stop,
    thetas, values, gradients, counts, statuses,
):  # fmt: skip
    """Queries first, ..., stop − 1: (n, d+1) and starts (n, d) → contacts, numbers of evaluations, statuses."""
    d = starts.shape[1]
    w, m = np.empty((ROWS, d)), np.empty((2, d, d))
    for n in range(first, stop):
        _copy(starts[n], w[THETA])
        values[n], counts[n], statuses[n] = _one(
            first_order, second_order, queries[n], newton, tolerance, max_steps, w, m
        )
        _copy(w[THETA], thetas[n])
        _copy(w[GRADIENT], gradients[n])
