"""The one safeguarded search behind `GaussNewton` and `Newton`, in lock-step over the batch.

Every iteration evaluates one trial point of every item. Finished items stand still: fixed shapes keep every array
library in play, at the price of evaluations that are thrown away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy

from geometry._contact import (
    Contact,
    Status,
    choose,
    distance,
    distance_gradient,
    half_square,
    is_converged,
    is_finite,
    mark,
    residual,
    scale_along,
    unit_of,
)
from geometry._kernels import kernel
from geometry._namespace import Array, array_namespace, count_dtype, device_of, epsilon, while_loop
from geometry._vectors import dot, length, slope
from geometry.expressions.expression import Expression
from geometry.graph import FunctionGraph, shape_matrix

__all__ = ["Direction", "descend", "gauss_newton", "newton", "newton_cg"]


class Move(NamedTuple):
    """Where to go from a contact."""

    direction: Array  # (..., d)
    is_minimum: Array  # (...): False where a stationary point is known to be no minimum of the distance


Direction = Callable[[FunctionGraph, Array, Contact], Move]
RUNNING = -1
SUFFICIENT_DECREASE = 1e-4  # Armijo's constant
NOISE = 64  # rounding errors of f that are taken for granted, in units of the last place
CG_TOLERANCE, CG_STEPS = 1e-3, 100


class _State(NamedTuple):
    theta: Array
    value: Array
    gradient: Array
    direction: Array
    is_minimum: Array
    stride: Array  # the next trial is theta + stride * direction
    steps: Array
    status: Array


def descend(
    surface: FunctionGraph,
    query: Array,
    start: Array,
    direction_of: Direction,
    tolerance: float | None,
    max_steps: int,
) -> tuple[Contact, Array, Array]:
    """Follow `direction_of` downhill in φ until stationary: the contact, the steps and the status of each item."""
    xp = array_namespace(start)
    expression = None if direction_of is newton_cg else surface.to_compile(start)
    if expression is not None and (compiled := kernel("search", xp)) is not None:
        return _compiled(compiled, expression, query, start, direction_of is newton, tolerance, max_steps)
    eps = epsilon(xp, start.dtype)
    precision = 2 * eps * length(xp, query[..., :-1])

    def settle(state: _State, moved: Array) -> _State:
        """Name the items that stop here, and keep the next trial inside the ball that holds every nearer point."""
        here = Contact(*state[:3])
        size = length(xp, state.direction)
        reach = length(xp, here.theta - query[..., :-1]) + distance(here, query)
        stride = xp.minimum(state.stride, reach / xp.where(size > 0, size, xp.ones_like(size)))
        small = stride * size <= precision + 2 * eps * length(xp, here.theta)
        status = mark(state.status, state.steps >= max_steps, Status.STEPS_USED)
        status = mark(status, small, Status.STALLED)
        stationary = is_converged(here, query, tolerance) | (small & moved)
        status = mark(status, stationary & state.is_minimum, Status.CONVERGED)
        status = xp.where(state.status == RUNNING, status, state.status)
        return state._replace(stride=stride, status=status)

    def iterate(state: _State) -> _State:
        here = Contact(*state[:3])
        running = state.status == RUNNING
        theta = here.theta + state.stride[..., None] * state.direction
        trial = Contact(theta, *surface.value_and_gradient(theta))
        nearer, shrink = _judge(here, trial, query, state)
        nearer = nearer & running
        there = choose(nearer, trial, here)
        move = choose(nearer, direction_of(surface, query, there), Move(state.direction, state.is_minimum))
        stride = xp.ones_like(state.stride)
        if direction_of is gauss_newton:
            stride = _secant_stride(here, trial, query, state)
        stride = xp.where(nearer, stride, shrink * state.stride)
        steps = state.steps + xp.astype(running, state.steps.dtype)
        return settle(_State(*there, *move, stride, steps, state.status), nearer)

    first = Contact(start, *surface.value_and_gradient(start))
    zeros = xp.zeros(start.shape[:-1], dtype=count_dtype(xp, start), device=device_of(start))
    status = mark(mark(zeros, None, RUNNING), ~is_finite(first, query), Status.NOT_FINITE)
    state = _State(*first, *direction_of(surface, query, first), xp.ones_like(first.value), zeros, status)
    state = settle(state, zeros < 0)
    state = _State(
        *while_loop(lambda s: xp.any(s[-1] == RUNNING), lambda s: tuple(iterate(_State(*s))), tuple(state), query)
    )
    end = Contact(*state[:3])
    unit = unit_of(distance(first, query))
    farther = half_square(end, query, unit) - half_square(first, query, unit)
    flatter = residual(end, query) < residual(first, query)  # φ knows θ only to √ε: within its rounding, this decides
    farther = (farther > 0) & ~(flatter & (farther <= _rounding(first, query, unit)))
    status = mark(state.status, farther & ~is_converged(first, query, tolerance), Status.STALLED)
    return choose(farther, first, end), state.steps, status


def _compiled(
    search: Callable[..., Any], expression: Expression, query: Array, start: Array, *settings: Any
) -> tuple[Contact, Array, Array]:
    """The same, by a loop over the items that is compiled with the function."""
    d, batch = expression.d, start.shape[:-1]
    flat = query.reshape(-1, d + 1), start.reshape(-1, d)
    theta, value, gradient, steps, status = search(expression, *flat, *settings)
    contact = Contact(theta.reshape(start.shape), value.reshape(batch), gradient.reshape(start.shape))
    return contact, steps.reshape(batch), status.reshape(batch)


def _judge(here: Contact, trial: Contact, query: Array, state: _State) -> tuple[Array, Array]:
    """Whether the trial is accepted, and the factor by which a rejected stride shrinks.

    Accepted: φ falls enough (Armijo); or φ stays within its rounding error and the residual falls, because φ alone
    locates a minimum only to the square root of the precision.
    """
    xp = array_namespace(query)
    unit = unit_of(distance(here, query))
    old, new = half_square(here, query, unit), half_square(trial, query, unit)
    force = distance_gradient(here, query) / unit[..., None]
    slope_ = state.stride * dot(xp, state.direction / unit[..., None], force)
    falls = (new <= old + SUFFICIENT_DECREASE * slope_) & (new < old)
    level = new <= old + _rounding(here, query, unit)
    flatter = residual(trial, query) <= 0.99 * residual(here, query)
    bend = 2 * (new - old - slope_)
    best = -slope_ / xp.where(bend > 0, bend, xp.ones_like(bend))
    finite = is_finite(trial, query)
    shrink = xp.clip(xp.where(finite & (bend > 0), best, xp.full_like(best, 0.1)), 0.1, 0.5)
    return finite & (falls | (level & flatter)), shrink


def _rounding(contact: Contact, query: Array, unit: Array) -> Array:
    """The rounding error of φ that is taken for granted."""
    xp = array_namespace(query)
    x, y = query[..., :-1], query[..., -1]
    across = length(xp, contact.theta - x) / unit * ((length(xp, contact.theta) + length(xp, x)) / unit)
    heights = xp.abs(contact.value - y) / unit * ((xp.abs(contact.value) + xp.abs(y)) / unit)
    return NOISE * epsilon(xp, query.dtype) * (half_square(contact, query, unit) + across + heights)


def _secant_stride(here: Contact, trial: Contact, query: Array, state: _State) -> Array:
    """Barzilai–Borwein length in the metric G: sᵀGs / sᵀz for the step s and the change z of ∇φ.

    For d = 1 this is the secant method. Where φ curves downwards along s the stride doubles.
    """
    xp = array_namespace(query)
    s = trial.theta - here.theta
    z = distance_gradient(trial, query) - distance_gradient(here, query)
    stretched = scale_along(s, slope(xp, trial.gradient), 1)
    unit = unit_of(length(xp, stretched))[..., None]
    stretched = stretched / unit
    bend = dot(xp, s / unit, z / unit)
    secant = dot(xp, stretched, stretched) / xp.where(bend > 0, bend, xp.ones_like(bend))
    return xp.where((bend > 0) & xp.isfinite(secant), secant, 2 * state.stride)


def gauss_newton(surface: FunctionGraph, query: Array, contact: Contact) -> Move:
    """−G⁻¹∇φ by the Sherman–Morrison formula."""
    xp = array_namespace(query)
    step = -scale_along(distance_gradient(contact, query), slope(xp, contact.gradient), -2)
    return Move(step, xp.isfinite(contact.value))


def newton(surface: FunctionGraph, query: Array, contact: Contact) -> Move:
    """−G^(-1/2) |I + (f−y)K|⁻¹ G^(-1/2) ∇φ; beyond a focal point where ∇φ vanishes, along the negative curvature."""
    xp = array_namespace(query)
    at = slope(xp, contact.gradient)
    height = contact.value - query[..., -1]
    matrix = shape_matrix(contact.gradient, surface.hessian(contact.theta))
    finite = xp.isfinite(height) & xp.all(xp.isfinite(matrix), axis=(-2, -1))
    matrix = xp.where(finite[..., None, None], matrix, xp.zeros_like(matrix))
    bends, vectors = xp.linalg.eigh(matrix)
    eigenvalues = xp.where(finite[..., None], 1 + height[..., None] * bends, -1.0)  # no minimum is known at a kink
    force = -scale_along(distance_gradient(contact, query), at, -1)
    parts = xp.sum(vectors * force[..., :, None], axis=-2)
    floor = epsilon(xp, query.dtype) ** 0.5
    steps = parts / xp.maximum(xp.abs(eigenvalues), xp.full_like(eigenvalues, floor))
    lowest = xp.min(eigenvalues, axis=-1)
    beyond = lowest < -floor
    escape = xp.where(eigenvalues == lowest[..., None], xp.copysign(height[..., None], parts), xp.zeros_like(parts))
    steps = xp.where(_is_lost(contact, query, beyond, parts, steps)[..., None], escape, steps)
    step = scale_along(xp.sum(vectors * steps[..., None, :], axis=-1), at, -1)
    return Move(step, ~beyond)


def _is_lost(contact: Contact, query: Array, beyond: Array, force: Array, step: Array) -> Array:
    """Whether ∇φ vanishes beyond a focal point: it is zero, or promises a gain in φ that rounding would hide."""
    unit = unit_of(distance(contact, query))
    gain = dot(array_namespace(query), force / unit[..., None], step / unit[..., None])
    return beyond & (is_converged(contact, query) | (gain <= _rounding(contact, query, unit)))


def newton_cg(surface: FunctionGraph, query: Array, contact: Contact) -> Move:
    """The Newton step by conjugate gradients on I + (f−y)K, cut at negative curvature; needs only products with H.

    Where ∇φ vanishes, a random vector takes its place, which finds negative curvature that ∇φ is blind to: see Royer,
    O'Neill and Wright, "A Newton-CG algorithm with complexity guarantees" (2020).
    """
    xp = array_namespace(query)
    at = slope(xp, contact.gradient)
    height = (contact.value - query[..., -1])[..., None]
    force = -scale_along(distance_gradient(contact, query), at, -1)
    random = numpy.random.default_rng(0).standard_normal(force.shape[-1])
    probe = xp.zeros_like(force) + xp.asarray(random, dtype=query.dtype, device=device_of(query))

    def product(v: Array) -> Array:
        return v + height * scale_along(surface.hessian_vector(contact.theta, scale_along(v, at, -1)), at, -1)

    known = ~is_converged(contact, query)
    unit = unit_of(length(xp, force))[..., None]
    b = xp.where(known[..., None], force / unit, probe)
    v, downhill = _conjugate_gradients(product, b, is_finite(contact, query))
    kink = ~xp.all(xp.isfinite(v) & xp.isfinite(downhill), axis=-1)
    v, downhill = xp.where(known[..., None], v * unit, v), xp.where(kink[..., None], probe, downhill)
    v = xp.where(kink[..., None], force, v)
    size = length(xp, downhill)[..., None]
    beyond = size[..., 0] > 0
    away = xp.copysign(
        xp.abs(height) / xp.where(size > 0, size, xp.ones_like(size)), dot(xp, downhill, force)[..., None]
    )
    v = xp.where(_is_lost(contact, query, beyond, force, v)[..., None], away * downhill, v)
    return Move(scale_along(v, at, -1), ~beyond)


def _conjugate_gradients(product: Callable[[Array], Array], b: Array, running: Array) -> tuple[Array, Array]:
    """The solution of A v = b, roughly, and a direction of negative curvature of A if one is met, otherwise zero."""
    xp = array_namespace(b)
    eps = epsilon(xp, b.dtype)
    enough = CG_TOLERANCE**2 * dot(xp, b, b)

    def iterate(state: tuple[Array, ...]) -> tuple[Array, ...]:
        v, rest, p, downhill, running, count = state
        square, bent = dot(xp, rest, rest), product(p)
        bend, unit = dot(xp, p, bent), dot(xp, p, p)
        downhill = xp.where((running & (bend < -(eps**0.5) * unit))[..., None], p, downhill)
        convex = bend > eps * unit
        safe = xp.where(bend == 0, xp.ones_like(bend), xp.abs(bend))
        moving = running & (convex | (count == 0))  # the very first direction is taken even where A curves down
        alpha = xp.where(moving, square / safe, xp.zeros_like(square))[..., None]
        v, new = v + alpha * p, rest - alpha * bent
        new_square = dot(xp, new, new)
        running = moving & convex & (new_square > enough) & (count + 1 < CG_STEPS)
        beta = new_square / xp.where(square > 0, square, xp.ones_like(square))
        return v, new, new + beta[..., None] * p, downhill, running, count + 1

    zero = xp.zeros_like(b)
    count = xp.zeros(b.shape[:-1], dtype=count_dtype(xp, b), device=device_of(b))
    state = (zero, b, b, zero, running & (dot(xp, b, b) > 0), count)
    v, _, _, downhill, *_ = while_loop(lambda s: xp.any(s[4]), iterate, state)
    return v, downhill
