"""The safeguarded search of `geometry._safeguarded`, for one query after the other, over a compiled function.

It calls functions by their addresses, and so is compiled once for all functions of d variables: d is a literal type,
so that for each d the loops over the axes have a known length.

A contact seen from a query, `geometry._contact.View`, is a block of BLOCK(d) numbers: scalars first, then vectors of d
numbers each. The workspace w of an item holds three of them (where the search is, the trial, where it began), three
more vectors, and two d×d matrices. All are addresses; those of different names do not overlap.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from geometry._kernels.compiling import compiled
from geometry._kernels.pointers import (
    ADDRESS,
    address,
    at,
    copy,
    eigen,
    hypotenuse,
    keep,
    length,
    scale_along,
    solve,
)

__all__ = ["ANY", "FUNCTION", "POINTER", "find", "search", "signature", "workspace"]

VALUE, HEIGHT, STEEPNESS, STRETCH, RESIDUAL, ACROSS, GAP, SIZE, HEIGHTS, TURN = range(10)
THETA, GRADIENT, NORMAL, OFFSET, PULL, FORCE = range(6)  # θ; g; g/|g|; θ − x; ∇φ; G^(-1/2) ∇φ
EPS = 2.0**-52
FLOOR = EPS**0.5
ENOUGH = EPS**0.75
LARGE = np.finfo(np.float64).max ** 0.375
CONVERGED, STEPS_USED, STALLED, NOT_FINITE = range(4)  # `geometry._contact.Status`
SUFFICIENT_DECREASE, NOISE = 1e-4, 64.0

FUNCTION = types.float64(ADDRESS, ADDRESS, ADDRESS)
"""value = f(x, g, h): ∇f goes to g, ∇²f, row by row, to h."""
POINTER = types.FunctionType(FUNCTION)

_compiled = compiled(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


@_compiled
def _block(d):
    return 10 + 6 * d


@_compiled
def workspace(d):
    """Numbers that `find` works on."""
    return 3 * _block(d) + 3 * d + 2 * d * d


@_compiled
def row(block, which, d):
    """A vector of a contact."""
    return at(block, 10 + which * d)


@_compiled
def _trial(w, d):
    return at(w, _block(d))


@_compiled
def _first(w, d):
    return at(w, 2 * _block(d))


@_compiled
def _direction(w, d):
    return at(w, 3 * _block(d))


@_compiled
def _parts(w, d):
    return at(w, 3 * _block(d) + d)


@_compiled
def _bends(w, d):
    return at(w, 3 * _block(d) + 2 * d)


@_compiled
def _matrix(w, d):
    return at(w, 3 * _block(d) + 3 * d)


@_compiled
def _vectors(w, d):
    return at(w, 3 * _block(d) + 3 * d + d * d)


@_compiled
def find(first_order, second_order, query, newton, tolerance, max_steps, w, d):
    """One search for the query (x, y) from the θ of the block w, which its end replaces: value, steps and status."""
    here, trial, direction = w, _trial(w, d), _direction(w, d)
    far = length(query, d)
    _look(first_order, second_order, query, far, newton, here, w, d)
    copy(here, _first(w, d), _block(d))
    if not _is_finite(here, query, d):
        return here[VALUE], 0, NOT_FINITE
    minimum = _aim(newton, w, d)
    stride, steps, moved = 1.0, 0, False
    while True:
        size = length(direction, d)
        reach = here[ACROSS] + here[GAP]
        stride = min(stride, reach / size) if size > 0 else min(stride, reach)
        small = stride * size <= 2 * EPS * here[SIZE]
        stationary = _is_converged(here, tolerance) or (small and moved)
        if stationary and minimum:
            status = CONVERGED
            break
        if small:
            status = STALLED
            break
        if steps >= max_steps:
            status = STEPS_USED
            break
        _step(stride, stride * size, reach, w, d)
        _look(first_order, second_order, query, far, newton, trial, w, d)
        steps += 1
        moved, shrink = _judge(stride, w, d)
        if moved:
            stride = 1.0 if newton else _secant_stride(stride, w, d)
            copy(trial, here, _block(d))
            minimum = _aim(newton, w, d)
        else:
            stride *= shrink
    status = _not_farther(status, tolerance, w, d)
    return here[VALUE], steps, status


@_compiled
def _step(stride, size, reach, w, d):
    """Put the trial where the stride leads."""
    theta, normal, trial, direction = row(w, THETA, d), row(w, NORMAL, d), row(_trial(w, d), THETA, d), _direction(w, d)
    turn = stride * stride * w[TURN]
    turn = turn if abs(turn) <= min(size / 2, reach - size) else 0.0
    for i in range(d):
        trial[i] = theta[i] + (stride * direction[i] + turn * normal[i])


@_compiled
def _not_farther(status, tolerance, w, d):
    """Let the search end at its start, if that is nearer, and not only within the rounding of a flatter end."""
    here, first = w, _first(w, d)
    unit = _unit(first[GAP])
    farther = _half_square(here, unit, d) - _half_square(first, unit, d)
    flatter = here[RESIDUAL] < first[RESIDUAL]
    if farther > 0 and not (flatter and farther <= _rounding(first, unit, d)):
        copy(first, here, _block(d))
        if not _is_converged(first, tolerance):
            return STALLED
    return status


@_compiled
def _look(first_order, second_order, query, far, newton, contact, w, d):
    """Fill the block of a contact from its θ; the Hessian goes into the matrix."""
    theta, gradient, normal = row(contact, THETA, d), row(contact, GRADIENT, d), row(contact, NORMAL, d)
    offset, pull, force = row(contact, OFFSET, d), row(contact, PULL, d), row(contact, FORCE, d)
    matrix = _matrix(w, d)
    value = second_order(theta, gradient, matrix) if newton else first_order(theta, gradient, matrix)
    height = value - query[d]
    steepness = length(gradient, d)
    stretch = _stretched(steepness)
    for i in range(d):
        normal[i] = gradient[i] / steepness if steepness > 0 else 0.0
        offset[i] = theta[i] - query[i]
        pull[i] = offset[i] + height * gradient[i]
        force[i] = pull[i]
    scale_along(force, normal, 1 / stretch, d)
    across = length(offset, d)
    contact[VALUE], contact[HEIGHT], contact[STEEPNESS], contact[STRETCH] = value, height, steepness, stretch
    contact[RESIDUAL], contact[ACROSS], contact[GAP] = length(force, d), across, hypotenuse(across, abs(height))
    contact[SIZE], contact[HEIGHTS], contact[TURN] = length(theta, d) + far, abs(value) + abs(query[d]), 0.0


@_compiled
def _stretched(steepness):
    """√(1 + |g|²)."""
    return math.sqrt(1 + steepness * steepness) if steepness < 1e140 else steepness


@_compiled
def _unit(size):
    """A length to count in: 1, but where the squares of lengths of this size overflow or vanish, the size itself."""
    extreme = size > LARGE or 0 < size < 1 / LARGE
    return size if extreme and size < np.inf else 1.0


@_compiled
def _half_square(contact, unit, d):
    """φ, in units."""
    offset, height = row(contact, OFFSET, d), contact[HEIGHT]
    if unit != 1:
        total = (height / unit) ** 2
        for i in range(d):
            total += (offset[i] / unit) ** 2
        return total / 2
    total = height * height
    for i in range(d):
        total += offset[i] * offset[i]
    return total / 2


@_compiled
def _is_finite(contact, query, d):
    theta, gradient = row(contact, THETA, d), row(contact, GRADIENT, d)
    finite = math.isfinite(contact[VALUE]) and math.isfinite(query[d])
    for i in range(d):
        finite = finite and math.isfinite(theta[i]) and math.isfinite(gradient[i]) and math.isfinite(query[i])
    return finite


@_compiled
def _is_converged(contact, tolerance):
    """As `geometry._contact.is_converged`; a negative tolerance is the usual one."""
    heights = contact[HEIGHTS] * (contact[STEEPNESS] / contact[STRETCH])
    scale = contact[SIZE] + heights + abs(contact[HEIGHT])
    allowed = (ENOUGH if tolerance < 0 else tolerance) * scale + 4 * EPS * contact[STRETCH] * contact[SIZE]
    return contact[RESIDUAL] <= allowed


@_compiled
def _rounding(contact, unit, d):
    """The rounding error of φ that is taken for granted."""
    across = contact[ACROSS] / unit * (contact[SIZE] / unit)
    heights = abs(contact[HEIGHT]) / unit * (contact[HEIGHTS] / unit)
    return NOISE * EPS * (_half_square(contact, unit, d) + across + heights)


@_compiled
def _judge(stride, w, d):
    """Whether the trial is accepted, and the factor by which a rejected stride shrinks."""
    here, trial, direction, pull = w, _trial(w, d), _direction(w, d), row(w, PULL, d)
    finite = math.isfinite(trial[VALUE])
    for i in range(d):
        finite = finite and math.isfinite(row(trial, GRADIENT, d)[i])
    if not finite:
        return False, 0.1
    unit = _unit(here[GAP])
    old, new = _half_square(here, unit, d), _half_square(trial, unit, d)
    slope = 0.0
    for i in range(d):
        slope += (direction[i] / unit) * (pull[i] / unit)
    slope *= stride
    accepted = new <= old + SUFFICIENT_DECREASE * slope and new < old
    if not accepted and new <= old + _rounding(here, unit, d):
        accepted = trial[RESIDUAL] <= 0.99 * here[RESIDUAL]
    bend = 2 * (new - old - slope)
    best = -slope / bend if bend > 0 else 0.1
    return accepted, min(max(best, 0.1), 0.5)


@_compiled
def _secant_stride(stride, w, d):
    """Barzilai–Borwein length in the metric G of the trial."""
    here, trial, stretched = w, _trial(w, d), _parts(w, d)
    for i in range(d):
        stretched[i] = row(trial, THETA, d)[i] - row(here, THETA, d)[i]
    scale_along(stretched, row(trial, NORMAL, d), trial[STRETCH], d)
    unit = _unit(length(stretched, d))
    bend, square = 0.0, 0.0
    for i in range(d):
        step = row(trial, THETA, d)[i] - row(here, THETA, d)[i]
        bend += (step / unit) * ((row(trial, PULL, d)[i] - row(here, PULL, d)[i]) / unit)
        square += (stretched[i] / unit) ** 2
    secant = square / bend if bend > 0 else np.inf
    return secant if math.isfinite(secant) else 2 * stride


@_compiled
def _aim(newton, w, d):
    """Fill the direction; whether a stationary point here may be a minimum of the distance."""
    here, direction = w, _direction(w, d)
    for i in range(d):
        direction[i] = -row(here, FORCE, d)[i]
    minimum = _newton_step(w, d) if newton else True
    scale_along(direction, row(here, NORMAL, d), 1 / here[STRETCH], d)
    return minimum


@_compiled
def _newton_step(w, d):
    """−|I + (f−y)K|⁻¹ G^(-1/2) ∇φ from the force −G^(-1/2) ∇φ in the direction and the Hessian in the matrix."""
    here, matrix, force, parts, vectors = w, _matrix(w, d), _direction(w, d), _parts(w, d), _vectors(w, d)
    finite = _shape(w, d)
    if finite and solve(matrix, here[HEIGHT], FLOOR, force, vectors, parts, d):
        bend = 0.0
        for i in range(d):
            for j in range(d):
                bend += matrix[i * d + j] * parts[i] * parts[j]
        here[TURN] = _turn(here, bend)
        copy(parts, force, d)
        return True
    return _spectral_step(finite, w, d)


@_compiled
def _turn(here, bend):
    """As `geometry._safeguarded._turn`."""
    return -(bend / 2) * (here[STEEPNESS] / here[STRETCH]) / here[STRETCH]


@_compiled
def _spectral_step(finite, w, d):
    """The same, where the matrix is not positive definite."""
    here, force, bends, parts, vectors = w, _direction(w, d), _bends(w, d), _parts(w, d), _vectors(w, d)
    eigen(_matrix(w, d), vectors, bends, d)
    lowest = np.inf
    for k in range(d):
        lowest = min(lowest, _eigenvalue(here, bends[k], finite))
        parts[k] = 0.0
        for i in range(d):
            parts[k] += vectors[i * d + k] * -force[i]
        parts[k] = -parts[k]  # with the sign of a zero that it has in `geometry._safeguarded.newton`
    beyond = lowest < -FLOOR
    lost = beyond and _is_lost(finite, w, d)
    bend = 0.0
    for k in range(d):
        value = _eigenvalue(here, bends[k], finite)
        if lost:
            parts[k] = math.copysign(here[HEIGHT], parts[k]) if value == lowest else 0.0
        else:
            parts[k] /= max(abs(value), FLOOR)
        bend += bends[k] * parts[k] ** 2
    here[TURN] = _turn(here, bend)
    for i in range(d):
        force[i] = 0.0
        for k in range(d):
            force[i] += vectors[i * d + k] * parts[k]
    return not beyond


@_compiled
def _eigenvalue(here, bend, finite):
    """Of I + (f−y)K; at a kink no minimum is known."""
    return 1 + here[HEIGHT] * bend if finite else -1.0


@_compiled
def _is_lost(finite, w, d):
    """Whether ∇φ vanishes beyond a focal point: it is zero, or promises a gain in φ that rounding would hide."""
    here, bends, parts = w, _bends(w, d), _parts(w, d)
    unit = _unit(here[GAP])
    gain = 0.0
    for k in range(d):
        gain += (parts[k] / unit) * (parts[k] / max(abs(_eigenvalue(here, bends[k], finite)), FLOOR) / unit)
    return gain <= _rounding(here, unit, d) or _is_converged(here, -1.0)


@_compiled
def _shape(w, d):
    """G^(-1/2) H G^(-1/2) in the matrix; whether it is finite, otherwise it is zero."""
    matrix, normal, factor = _matrix(w, d), row(w, NORMAL, d), 1 / w[STRETCH]
    for _ in range(2):
        for i in range(d):
            scale_along(at(matrix, i * d), normal, factor, d)
        for i in range(d):
            for j in range(i):
                matrix[i * d + j], matrix[j * d + i] = matrix[j * d + i], matrix[i * d + j]
    finite = math.isfinite(w[HEIGHT])
    for i in range(d * d):
        finite = finite and math.isfinite(matrix[i])
    if not finite:
        for i in range(d * d):
            matrix[i] = 0.0
    return finite


def signature(d):
    """Of `search` for d variables."""
    matrix, vector, counts = types.float64[:, ::1], types.float64[::1], types.int64[::1]
    settings = types.boolean, types.float64, types.int64, types.int64, types.int64
    results = matrix, vector, matrix, counts, counts
    return types.void(POINTER, POINTER, matrix, matrix, *settings, *results, types.literal(d))


ANY = types.void(*signature(1).args[:-1], types.int64)
"""Its signature where d is no literal."""


@compiled(error_model="numpy")
def search(
    first_order, second_order, queries, starts, newton, tolerance, max_steps, first, stop,
    thetas, values, gradients, counts, statuses, d,
):  # fmt: skip
    """Queries first, ..., stop − 1: (n, d+1) and starts (n, d) → contacts, numbers of evaluations, statuses."""
    room = np.empty(workspace(d))
    w = address(room)
    for n in range(first, stop):
        copy(at(address(starts), n * d), row(w, THETA, d), d)
        values[n], counts[n], statuses[n] = find(
            first_order, second_order, at(address(queries), n * (d + 1)), newton, tolerance, max_steps, w, d
        )
        copy(row(w, THETA, d), at(address(thetas), n * d), d)
        copy(row(w, GRADIENT, d), at(address(gradients), n * d), d)
    keep(room)
