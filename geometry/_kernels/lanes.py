"""The safeguarded search of `geometry._safeguarded` for functions of one variable, LANES queries at a time.

Each query has a lane of its own: what happens there depends on it alone, and a lane that is done takes the next query.
All that is done in a round is one loop over the lanes without branches, which LLVM vectorises; so is the function.

For d = 1 the metric is a number, G = W². The workspace w has rows of LANES numbers, of which the first ones are what a
function reads and writes.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from geometry._kernels.compiling import compiled
from geometry._kernels.pointers import ADDRESS, address, keep, select
from geometry._kernels.search import (
    CONVERGED,
    ENOUGH,
    EPS,
    FLOOR,
    LARGE,
    NOISE,
    NOT_FINITE,
    STALLED,
    STEPS_USED,
    SUFFICIENT_DECREASE,
)

__all__ = ["FUNCTION", "LANES", "search", "signature"]

LANES = 32
ROWS = 20
TRIAL, VALUE, GRADIENT, HESSIAN = range(4)  # θ of the trial, f, ∇f, ∇²f; then a row that only functions use
X, Y, THETA, HERE, SLOPE, CURVE, STRIDE, DIRECTION = range(5, 13)
FIRST, FIRST_VALUE, FIRST_SLOPE, FRESH, STEPS, STATUS, ITEM = range(13, 20)
OFFSET, HEIGHT, STRETCH, PULL, RESIDUAL, DISTANCE = range(6)  # of `_view`
RUNNING, IDLE = -1.0, -2.0
GREATEST = float(np.finfo(np.float64).max)

FUNCTION = types.void(ADDRESS)
"""From θ in row TRIAL to f, ∇f and ∇²f in the next ones; row 4 is for its own use."""
POINTER = types.FunctionType(FUNCTION)

_compiled = compiled(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


@_compiled
def _is_finite(x):
    return abs(x) <= GREATEST


@_compiled
def _unit(size):
    """As `geometry._contact.unit_of`."""
    extreme = ((size > LARGE) & (size < np.inf)) | ((size < 1 / LARGE) & (size > 0.0))
    return select(extreme, size, 1.0)


@_compiled
def _view(theta, value, gradient, x, y):
    """Offset, height, stretch, pull, residual and distance of a contact; see `geometry._contact.View`."""
    offset, height, steepness = theta - x, value - y, abs(gradient)
    stretch = select(steepness < 1e140, math.sqrt(1.0 + steepness * steepness), steepness)
    pull = offset + height * gradient
    total, large = offset * offset + height * height, max(abs(offset), abs(height))
    extreme = ((total <= 1e-280) | (total >= 1e280)) & (large > 0.0) & (large < np.inf)
    scale = select(extreme, large, 1.0)
    distance = scale * math.sqrt((offset / scale) ** 2 + (height / scale) ** 2)
    return offset, height, stretch, pull, abs(pull * (1.0 / stretch)), distance


@_compiled
def _is_converged(theta, value, gradient, height, stretch, residual, x, y, tolerance):
    size, heights = abs(theta) + abs(x), abs(value) + abs(y)
    scale = size + heights * (abs(gradient) / stretch) + abs(height)
    return residual <= tolerance * scale + 4 * EPS * stretch * size


@_compiled
def _half_square(offset, height, unit):
    return ((height / unit) ** 2 + (offset / unit) ** 2) / 2


@_compiled
def _rounding(theta, value, offset, height, x, y, unit):
    across = abs(offset) / unit * ((abs(theta) + abs(x)) / unit)
    heights = abs(height) / unit * ((abs(value) + abs(y)) / unit)
    return NOISE * EPS * (_half_square(offset, height, unit) + across + heights)


@_compiled
def _judge(here, there, noise, finite, direction, stride):
    """As `geometry._safeguarded._judge`."""
    unit = _unit(here[DISTANCE])
    old, new = _half_square(here[OFFSET], here[HEIGHT], unit), _half_square(there[OFFSET], there[HEIGHT], unit)
    slope = stride * ((direction / unit) * (here[PULL] / unit))
    falls = (new <= old + SUFFICIENT_DECREASE * slope) & (new < old)
    flatter = (new <= old + noise) & (there[RESIDUAL] <= 0.99 * here[RESIDUAL])
    bend = 2 * (new - old - slope)
    best = select(finite & (bend > 0.0), -slope / bend, 0.1)
    return finite & (falls | flatter), min(max(best, 0.1), 0.5)


@_compiled
def _newton(force, gradient, curve, height, per, unit, noise, zero):
    """As `geometry._safeguarded.newton`: the direction times the stretch, the turn; whether this may be a minimum."""
    bends = curve * per * per
    finite = _is_finite(height) & _is_finite(bends)
    bends = select(finite, bends, 0.0)
    eigenvalue = select(finite, 1.0 + height * bends, -1.0)
    beyond = eigenvalue < -FLOOR
    part = force / max(abs(eigenvalue), FLOOR)
    hidden = (force / unit) * (part / unit) <= noise
    part = select(beyond & (hidden | zero), math.copysign(height, force), part)
    return part, -(bends * (part * part) / 2) * (abs(gradient) * per) * per, not beyond


@_compiled
def _round(w, newton, tolerance, max_steps):
    """Judge the trial of each lane, and aim at the next one."""
    for k in range(LANES):
        x, y, fresh = w[X * LANES + k], w[Y * LANES + k], w[FRESH * LANES + k] > 0.0
        trial, new_value, new_gradient = w[TRIAL * LANES + k], w[VALUE * LANES + k], w[GRADIENT * LANES + k]
        theta, value, gradient = w[THETA * LANES + k], w[HERE * LANES + k], w[SLOPE * LANES + k]
        direction, stride = w[DIRECTION * LANES + k], w[STRIDE * LANES + k]
        running = w[STATUS * LANES + k] == RUNNING

        here, there = _view(theta, value, gradient, x, y), _view(trial, new_value, new_gradient, x, y)
        finite = _is_finite(new_value) & _is_finite(new_gradient)
        noise = _rounding(theta, value, here[OFFSET], here[HEIGHT], x, y, _unit(here[DISTANCE]))
        accepted, shrink = _judge(here, there, noise, finite, direction, stride)
        nearer = accepted & (not fresh) & running
        longer = 1.0 if newton else _secant_stride(trial - theta, there[PULL] - here[PULL], there[STRETCH], stride)
        stride = select(nearer, longer, stride * shrink)
        stride = select(fresh, 1.0, stride)

        moved = nearer | fresh
        theta, value = select(moved, trial, theta), select(moved, new_value, value)
        gradient = select(moved, new_gradient, gradient)
        curve = select(moved, w[HESSIAN * LANES + k], w[CURVE * LANES + k])
        offset, height = select(moved, there[OFFSET], here[OFFSET]), select(moved, there[HEIGHT], here[HEIGHT])
        stretch, pull = select(moved, there[STRETCH], here[STRETCH]), select(moved, there[PULL], here[PULL])
        residual, distance = (
            select(moved, there[RESIDUAL], here[RESIDUAL]),
            select(moved, there[DISTANCE], here[DISTANCE]),
        )
        per, turn, minimum = 1.0 / stretch, 0.0, True
        force = -pull * per
        if newton:
            noise = _rounding(theta, value, offset, height, x, y, _unit(distance))
            zero = _is_converged(theta, value, gradient, height, stretch, residual, x, y, ENOUGH)
            force, turn, minimum = _newton(force, gradient, curve, height, per, _unit(distance), noise, zero)
        direction = force * per

        # As `geometry._safeguarded._settled`.
        size, reach = abs(direction), abs(offset) + distance
        stride = min(stride, reach / select(size > 0.0, size, 1.0))
        step, turn = stride * size, stride * stride * turn
        turn = select((abs(turn) <= min(step / 2, reach - step)) & (gradient != 0.0), turn, 0.0)
        small = step <= 2 * EPS * (abs(theta) + abs(x))
        steps = w[STEPS * LANES + k] + select(fresh, 0.0, 1.0)
        zero = _is_converged(theta, value, gradient, height, stretch, residual, x, y, tolerance)
        status = select(steps >= max_steps, float(STEPS_USED), RUNNING)
        status = select(small, float(STALLED), status)
        status = select((zero | (small & nearer)) & minimum, float(CONVERGED), status)
        known = _is_finite(theta) & _is_finite(value) & _is_finite(gradient) & _is_finite(x) & _is_finite(y)
        status = select(fresh & (not known), float(NOT_FINITE), status)

        w[THETA * LANES + k], w[HERE * LANES + k], w[SLOPE * LANES + k] = theta, value, gradient
        w[CURVE * LANES + k], w[STRIDE * LANES + k], w[DIRECTION * LANES + k] = curve, stride, direction
        w[FIRST * LANES + k] = select(fresh, theta, w[FIRST * LANES + k])
        w[FIRST_VALUE * LANES + k] = select(fresh, value, w[FIRST_VALUE * LANES + k])
        w[FIRST_SLOPE * LANES + k] = select(fresh, gradient, w[FIRST_SLOPE * LANES + k])
        w[TRIAL * LANES + k] = theta + (stride * direction + math.copysign(turn, turn * gradient))
        w[STEPS * LANES + k], w[FRESH * LANES + k] = steps, 0.0
        w[STATUS * LANES + k] = select(running, status, w[STATUS * LANES + k])


@_compiled
def _secant_stride(step, change, stretch, stride):
    """As `geometry._safeguarded._secant_stride`."""
    stretched = step * stretch
    unit = _unit(abs(stretched))
    bend = (step / unit) * (change / unit)
    secant = (stretched / unit) ** 2 / bend
    return select((bend > 0.0) & _is_finite(secant), secant, 2 * stride)


@_compiled
def _not_farther(w, k, tolerance):
    """As `geometry._safeguarded._not_farther`: put the end in order, and return its status."""
    x, y, status = w[X * LANES + k], w[Y * LANES + k], w[STATUS * LANES + k]
    theta, value, gradient = w[FIRST * LANES + k], w[FIRST_VALUE * LANES + k], w[FIRST_SLOPE * LANES + k]
    before = (theta - x) ** 2 + (value - y) ** 2
    after = (w[THETA * LANES + k] - x) ** 2 + (w[HERE * LANES + k] - y) ** 2
    if 1e-200 < before < 1e200 and after <= before:  # as nearly always
        return int(status)
    first = _view(theta, value, gradient, x, y)
    end = _view(w[THETA * LANES + k], w[HERE * LANES + k], w[SLOPE * LANES + k], x, y)
    unit = _unit(first[DISTANCE])
    farther = _half_square(end[OFFSET], end[HEIGHT], unit) - _half_square(first[OFFSET], first[HEIGHT], unit)
    rounding = _rounding(theta, value, first[OFFSET], first[HEIGHT], x, y, unit)
    if farther > 0 and not (end[RESIDUAL] < first[RESIDUAL] and farther <= rounding):
        w[THETA * LANES + k], w[HERE * LANES + k], w[SLOPE * LANES + k] = theta, value, gradient
        seen = first[HEIGHT], first[STRETCH], first[RESIDUAL]
        if not _is_converged(theta, value, gradient, *seen, x, y, tolerance):
            return STALLED
    return int(status)


def signature(newton):
    """Of `search` by Newton's method, or by Gauss and Newton's."""
    matrix, vector, counts = types.float64[:, ::1], types.float64[::1], types.int64[::1]
    settings = types.float64, types.int64, types.int64, types.int64
    return types.void(POINTER, matrix, matrix, *settings, matrix, vector, matrix, counts, counts, types.literal(newton))


@compiled(error_model="numpy")
def search(
    function, queries, starts, tolerance, max_steps, first, stop, thetas, values, gradients, counts, statuses, newton
):
    """Queries first, ..., stop − 1: (n, 2) and starts (n, 1) → contacts, numbers of evaluations, statuses."""
    room = np.zeros(ROWS * LANES)
    w = address(room)
    coming, busy = first, 0
    for k in range(LANES):
        w[STATUS * LANES + k] = IDLE
        if coming < stop:
            _take(w, k, coming, queries, starts)
            coming, busy = coming + 1, busy + 1
    while busy:
        function(w)
        _round(w, newton, tolerance, max_steps)
        for k in range(LANES):
            if w[STATUS * LANES + k] >= 0:
                n = int(w[ITEM * LANES + k])
                statuses[n], counts[n] = _not_farther(w, k, tolerance), int(w[STEPS * LANES + k])
                thetas[n, 0], values[n] = w[THETA * LANES + k], w[HERE * LANES + k]
                gradients[n, 0] = w[SLOPE * LANES + k]
                if coming < stop:
                    _take(w, k, coming, queries, starts)
                    coming += 1
                else:
                    w[STATUS * LANES + k] = IDLE
                    busy -= 1
    keep(room)


@_compiled
def _take(w, k, n, queries, starts):
    """Let a lane begin with a query."""
    w[X * LANES + k], w[Y * LANES + k], w[TRIAL * LANES + k] = queries[n, 0], queries[n, 1], starts[n, 0]
    w[FRESH * LANES + k], w[STEPS * LANES + k] = 1.0, 0.0
    w[STATUS * LANES + k], w[ITEM * LANES + k] = RUNNING, float(n)
