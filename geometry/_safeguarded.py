"""The one safeguarded search behind `GaussNewton` and `Newton`, in lock-step over the batch.

Every iteration evaluates one trial point of every item. Finished items stand still: fixed shapes keep every array
library in play, at the price of evaluations that are thrown away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy

from geometry._beside import aside, is_balanced, nearest
from geometry._contact import (
    Contact,
    Status,
    View,
    choose,
    half_square,
    is_converged,
    is_finite,
    mark,
    pull,
    rounding,
    scale_along,
    unit_of,
    view,
)
from geometry._kernels import kernel
from geometry._lending import lend
from geometry._namespace import Array, array_namespace, count_dtype, device_of, epsilon, fixed, while_loop
from geometry._vectors import dot, length
from geometry.expressions.expression import Expression
from geometry.frames import eigh, in_unit_frames
from geometry.graph import FunctionGraph

__all__ = ["Direction", "descend", "gauss_newton", "newton", "newton_cg"]


class Move(NamedTuple):
    """Where to go from a contact: by t to θ + t·direction + t²·turn·(direction of the slope)."""

    direction: Array  # (..., d)
    turn: Array  # (...)
    is_minimum: Array  # (...): False where a stationary point is known to be no minimum of the distance


Direction = Callable[[FunctionGraph, View], Move]
RUNNING = -1
SUFFICIENT_DECREASE = 1e-4  # Armijo's constant
CG_TOLERANCE, CG_STEPS = 1e-3, 100


class _State(NamedTuple):
    here: View
    move: Move
    stride: Array  # t of the next trial
    turn: Array  # the part of its step along the slope
    steps: Array
    status: Array
    sure: Array  # (...): the distance is no less beside


def descend(
    surface: FunctionGraph,
    query: Array,
    start: Array,
    direction_of: Direction,
    tolerance: float | None,
    max_steps: int,
) -> tuple[Contact, Array, Array]:
    """Follow `direction_of` downhill in φ until stationary: the contact, the steps and the status of each item."""
    doubt = _Doubt(surface, start, tolerance) if direction_of is gauss_newton or not surface.is_smooth(start) else None
    if direction_of is not newton_cg and (expression := surface.to_compile(start)) is not None:
        return _compiled(expression, query, start, doubt, direction_of is newton, tolerance, max_steps)
    xp = array_namespace(start)
    far = length(xp, query[..., :-1])

    def look(theta: Array) -> View:
        return view(Contact(theta, *surface.value_and_gradient(theta)), query, far)

    def iterate(state: _State) -> _State:
        here, move, running = state.here, state.move, state.status == RUNNING
        step = state.stride[..., None] * move.direction + state.turn[..., None] * here.direction
        trial = look(here.theta + step)
        nearer, shrink = _judge(state, trial)
        nearer = nearer & running
        stride = _secant_stride(state, trial) if direction_of is gauss_newton else xp.ones_like(shrink)
        stride = xp.where(nearer, stride, shrink * state.stride)
        there = choose(nearer, trial, here)
        move = choose(nearer, direction_of(surface, there), move)
        steps = state.steps + xp.astype(running, state.steps.dtype)
        state = state._replace(here=there, move=move, stride=stride, steps=steps)
        return _settled(state, nearer, tolerance, max_steps)

    first = look(start)
    zeros = xp.zeros(start.shape[:-1], dtype=count_dtype(xp, start), device=device_of(start))
    status = mark(mark(zeros, None, RUNNING), ~is_finite(first.contact, query), Status.NOT_FINITE)
    ones = xp.ones_like(first.value)
    state = _State(first, direction_of(surface, first), ones, ones, zeros, status, zeros < 0)
    state = _settled(state, zeros < 0, tolerance, max_steps)

    def run(state: tuple[Any, ...]) -> tuple[Any, ...]:
        return while_loop(_any_runs, lambda s: tuple(iterate(_State(*s))), state, query)

    if doubt is None:
        return _not_farther(first, _State(*run(tuple(state))), tolerance)
    state = _State(
        *while_loop(lambda s: _any_runs(s) | doubt.any(s), lambda s: doubt.settle(run(s), query), tuple(state), query)
    )
    return _not_farther(first, state, tolerance)


def _any_runs(state: tuple[Any, ...]) -> Array:
    status = _State(*state).status
    return array_namespace(status).any(status == RUNNING)


class _Doubt(NamedTuple):
    """Where a search that has converged looks beside, and what it sees there."""

    surface: FunctionGraph
    start: Array
    tolerance: float | None

    def of(self, here: View, status: Array) -> Array:
        balanced = is_balanced(here.theta, self.start) | ~is_converged(here, self.tolerance)
        return (status == int(Status.CONVERGED)) & balanced

    def any(self, state: tuple[Any, ...]) -> Array:
        return array_namespace(self.start).any(self._about(_State(*state)))

    def settle(self, state: tuple[Any, ...], query: Array) -> tuple[Any, ...]:
        """The state with the next trial of those whose distance is less beside; the others are sure."""
        return while_loop(self.any, lambda s: tuple(self._look(_State(*s), query)), state, query)

    def _about(self, state: _State) -> Array:
        return self.of(state.here, state.status) & ~state.sure

    def _look(self, state: _State, query: Array) -> _State:
        xp, doubtful = array_namespace(self.start), self._about(state)
        lower, step, after = self.beside(state.here, query)
        lower = lower & doubtful
        return state._replace(
            move=state.move._replace(direction=xp.where(lower[..., None], step, state.move.direction)),
            stride=xp.where(lower, xp.ones_like(state.stride), state.stride),
            turn=xp.where(lower, xp.zeros_like(state.turn), state.turn),
            status=xp.where(lower, after, state.status),
            sure=state.sure | (doubtful & ~lower),
        )

    def beside(self, here: View, query: Array) -> tuple[Array, Array, Array]:
        """Where the distance is less beside a contact, the step that leads there, and the status of the search then.

        It goes on from a stationary point. Another one is on a kink that the search has come to by ever smaller steps.
        """
        xp, unit = array_namespace(query), unit_of(here.distance)
        noise, stationary = rounding(here, unit), is_converged(here, self.tolerance)
        far, tells = aside(here.distance, noise, unit, here.size)

        def look(way: Array) -> tuple[Array, Array]:
            steps = far[..., None] * scale_along(way, here.at, -1)
            thetas = here.theta + steps
            return steps, xp.concat([thetas, self.surface.value(thetas)[..., None]], axis=-1)

        step, least = nearest(look, query, here.theta, here.theta.shape[-1], unit)
        slope = xp.where(stationary, here.residual / unit, xp.zeros_like(noise))
        lower = half_square(here, unit) - least > noise + 2 * (far / unit) * slope
        after = mark(
            xp.full(noise.shape, int(Status.STALLED), dtype=count_dtype(xp, query), device=device_of(query)),
            stationary,
            RUNNING,
        )
        return lower & tells, step, after


def _settled(state: _State, moved: Array, tolerance: float | None, max_steps: int) -> _State:
    """Name the items that stop here, and keep the next trial inside the ball that holds every nearer point."""
    xp, here = array_namespace(state.stride), state.here
    size = length(xp, state.move.direction)
    reach = here.across + here.distance
    stride = xp.minimum(state.stride, reach / xp.where(size > 0, size, xp.ones_like(size)))
    step = stride * size
    turn = stride**2 * state.move.turn
    turn = xp.where(xp.abs(turn) <= xp.minimum(step / 2, reach - step), turn, xp.zeros_like(turn))
    small = step <= 2 * epsilon(xp, step.dtype) * here.size
    status = mark(state.status, state.steps >= max_steps, Status.STEPS_USED)
    status = mark(status, small, Status.STALLED)
    stationary = is_converged(here, tolerance) | (small & moved)
    status = mark(status, stationary & state.move.is_minimum, Status.CONVERGED)
    status = xp.where(state.status == RUNNING, status, state.status)
    return state._replace(stride=stride, turn=turn, status=status)


def _not_farther(first: View, state: _State, tolerance: float | None) -> tuple[Contact, Array, Array]:
    """The end of a search, or its start, if that is nearer."""
    end, unit = state.here, unit_of(first.distance)
    farther = half_square(end, unit) - half_square(first, unit)
    flatter = end.residual < first.residual  # φ knows θ only to √ε: within its rounding, this decides
    farther = (farther > 0) & ~(flatter & (farther <= rounding(first, unit)))
    status = mark(state.status, farther & ~is_converged(first, tolerance), Status.STALLED)
    return choose(farther, first.contact, end.contact), state.steps, status


def _compiled(
    expression: Expression, query: Array, start: Array, doubt: _Doubt | None, *settings: Any
) -> tuple[Contact, Array, Array]:
    """The same, by a loop over the items that is compiled with the function."""
    *how, max_steps = settings
    contact, steps, status = _compiled_search(expression, query, start, *settings)
    if doubt is None:
        return contact, steps, status
    xp = array_namespace(start)
    sure = steps < 0
    while xp.any(doubtful := doubt.of(here := view(contact, query), status) & ~sure):
        lower, step, after = doubt.beside(here, query)
        lower, running = lower & doubtful, lower & doubtful & (after == RUNNING)
        sure = sure | (doubtful & ~lower)
        status = mark(status, lower, Status.STALLED)
        if not xp.any(running):
            continue
        there = contact.theta + xp.where(running[..., None], step, xp.zeros_like(step))
        left = max_steps - 1 - int(xp.max(xp.where(running, steps, xp.zeros_like(steps))))
        again, more, then = _compiled_search(expression, query, there, *how, max(left, 0))
        contact = choose(running, again, contact)
        steps, status = xp.where(running, steps + 1 + more, steps), xp.where(running, then, status)
    return contact, steps, status


def _compiled_search(
    expression: Expression, query: Array, start: Array, *settings: Any
) -> tuple[Contact, Array, Array]:
    d, batch = expression.d, tuple(start.shape[:-1])
    lent, back = lend(query, start)
    search: Any = kernel("search", array_namespace(*lent))
    flat = lent[0].reshape(-1, d + 1), lent[1].reshape(-1, d)
    theta, value, gradient, steps, status = map(back, search(expression, *flat, *settings))
    contact = Contact(theta.reshape(start.shape), value.reshape(batch), gradient.reshape(start.shape))
    return contact, steps.reshape(batch), status.reshape(batch)


def _judge(state: _State, trial: View) -> tuple[Array, Array]:
    """Whether the trial is accepted, and the factor by which a rejected stride shrinks.

    Accepted: φ falls enough (Armijo); or φ stays within its rounding error and the residual falls, because φ alone
    locates a minimum only to the square root of the precision.
    """
    xp, here = array_namespace(trial.value), state.here
    unit = unit_of(here.distance)
    old, new = half_square(here, unit), half_square(trial, unit)
    slope = state.stride * dot(xp, state.move.direction / unit[..., None], pull(here) / unit[..., None])
    falls = (new <= old + SUFFICIENT_DECREASE * slope) & (new < old)
    level = new <= old + rounding(here, unit)
    flatter = trial.residual <= 0.99 * here.residual
    bend = 2 * (new - old - slope)
    finite = xp.isfinite(trial.value) & xp.all(xp.isfinite(trial.gradient), axis=-1)
    best = xp.where(finite & (bend > 0), -slope / bend, xp.full_like(bend, 0.1))
    return finite & (falls | (level & flatter)), xp.clip(best, 0.1, 0.5)


def _secant_stride(state: _State, trial: View) -> Array:
    """Barzilai–Borwein length in the metric G: sᵀGs / sᵀz for the step s and the change z of ∇φ.

    For d = 1 this is the secant method. Where φ curves downwards along s the stride doubles.
    """
    xp, here = array_namespace(trial.value), state.here
    s, z = trial.theta - here.theta, pull(trial) - pull(here)
    stretched = scale_along(s, trial.at, 1)
    unit = unit_of(length(xp, stretched))[..., None]
    stretched = stretched / unit
    bend = dot(xp, s / unit, z / unit)
    secant = dot(xp, stretched, stretched) / xp.where(bend > 0, bend, xp.ones_like(bend))
    return xp.where((bend > 0) & xp.isfinite(secant), secant, 2 * state.stride)


def gauss_newton(surface: FunctionGraph, seen: View) -> Move:
    """−G⁻¹∇φ by the Sherman–Morrison formula."""
    xp = array_namespace(seen.value)
    step = -scale_along(seen.force, seen.at, -1)
    return Move(step, xp.zeros_like(seen.value), xp.isfinite(seen.value))


def newton(surface: FunctionGraph, seen: View) -> Move:
    """−G^(-1/2) |I + (f−y)K|⁻¹ G^(-1/2) ∇φ; beyond a focal point where ∇φ vanishes, along the negative curvature."""
    xp = array_namespace(seen.value)
    matrix = in_unit_frames(surface.hessian(seen.theta), seen.at)
    finite = xp.isfinite(seen.height) & xp.all(xp.isfinite(matrix), axis=(-2, -1))
    matrix = xp.where(finite[..., None, None], matrix, xp.zeros_like(matrix))
    bends, vectors = eigh(xp, matrix)
    height = seen.height[..., None]
    eigenvalues = xp.where(finite[..., None], 1 + height * bends, -1.0)  # no minimum is known at a kink
    parts = -xp.sum(vectors * seen.force[..., :, None], axis=-2)
    floor = epsilon(xp, parts.dtype) ** 0.5
    steps = parts / xp.maximum(xp.abs(eigenvalues), xp.full_like(eigenvalues, floor))
    lowest = xp.min(eigenvalues, axis=-1)
    beyond = lowest < -floor
    escape = xp.where(eigenvalues == lowest[..., None], xp.copysign(height, parts), xp.zeros_like(parts))
    steps = xp.where(_is_lost(seen, beyond, parts, steps)[..., None], escape, steps)
    step = scale_along(xp.sum(vectors * steps[..., None, :], axis=-1), seen.at, -1)
    return Move(step, _turn(seen, xp.sum(bends * steps**2, axis=-1)), ~beyond)


def _turn(seen: View, bend: Array) -> Array:
    """Half the second derivative, along the slope, of the geodesic that leaves with the step s; bend = sᵀHs.

    The geodesics of the graph solve θ″ = −(θ′ᵀHθ′) g/W². A straight step in a steep curved valley runs into its wall.
    """
    return -(bend / 2) * (seen.steepness / seen.stretch) / seen.stretch


def _is_lost(seen: View, beyond: Array, force: Array, step: Array) -> Array:
    """Whether ∇φ vanishes beyond a focal point: it is zero, or promises a gain in φ that rounding would hide."""
    unit = unit_of(seen.distance)
    gain = dot(array_namespace(unit), force / unit[..., None], step / unit[..., None])
    return beyond & (is_converged(seen) | (gain <= rounding(seen, unit)))


def newton_cg(surface: FunctionGraph, seen: View) -> Move:
    """The Newton step by conjugate gradients on I + (f−y)K, cut at negative curvature; needs only products with H.

    Where ∇φ vanishes, a random vector takes its place, which finds negative curvature that ∇φ is blind to: see Royer,
    O'Neill and Wright, "A Newton-CG algorithm with complexity guarantees" (2020).
    """
    xp, at, height, force = array_namespace(seen.value), seen.at, seen.height[..., None], -seen.force
    probe = xp.zeros_like(force) + fixed(_any_vector, force, force.shape[-1])

    def product(v: Array) -> Array:
        return v + height * scale_along(surface.hessian_vector(seen.theta, scale_along(v, at, -1)), at, -1)

    known = ~is_converged(seen)
    unit = unit_of(length(xp, force))[..., None]
    b = xp.where(known[..., None], force / unit, probe)
    v, downhill = _conjugate_gradients(product, b, xp.isfinite(seen.distance) & xp.isfinite(seen.steepness))
    kink = ~xp.all(xp.isfinite(v) & xp.isfinite(downhill), axis=-1)
    v, downhill = xp.where(known[..., None], v * unit, v), xp.where(kink[..., None], probe, downhill)
    v = xp.where(kink[..., None], force, v)
    size = length(xp, downhill)[..., None]
    beyond = size[..., 0] > 0
    away = xp.copysign(
        xp.abs(height) / xp.where(size > 0, size, xp.ones_like(size)), dot(xp, downhill, force)[..., None]
    )
    v = xp.where(_is_lost(seen, beyond, force, v)[..., None], away * downhill, v)
    step = scale_along(v, at, -1)
    return Move(step, _turn(seen, dot(xp, step, surface.hessian_vector(seen.theta, step))), ~beyond)


def _any_vector(d: int) -> numpy.ndarray:
    return numpy.random.default_rng(0).standard_normal(d)


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
