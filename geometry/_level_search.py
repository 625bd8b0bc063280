"""Ways onto a level set {F = 0}, along gradients, and to footpoints on it, by Newton steps in its tangent spaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from geometry._contact import Status, choose, mark, unit_of
from geometry._namespace import Array, Namespace, array_namespace, count_dtype, device_of, epsilon, while_loop
from geometry._vectors import dot, length

__all__ = ["descend", "retract", "tangential", "unit"]

RUNNING = -1
HALVINGS = 12  # of a step along the gradient that does not bring |F| down
BESIDE = (2.0**-10, -(2.0**-10), 2.0**-4, -(2.0**-4), 0.5, -0.5)  # of the size of the coordinates
SUFFICIENT_DECREASE, NOISE = 1e-4, 64  # Armijo's constant; rounding errors that are taken for granted


def unit(xp: Namespace, vector: Array) -> Array:
    """v/|v|; zero for zero."""
    size = length(xp, vector)[..., None]
    return vector / xp.where(size > 0, size, 1.0)


def tangential(xp: Namespace, normal: Array, matrix: Array) -> Array:
    """A symmetric matrix (..., n, n) restricted to the complement of a unit vector, (..., n−1, n−1).

    The reflection that carries the vector to the last axis carries its complement to the other axes.
    """
    half = reflect(xp, normal, matrix)
    return reflect(xp, normal, xp.matrix_transpose(half))[..., :-1, :-1]


def reflect(xp: Namespace, normal: Array, rows: Array) -> Array:
    """Rows (..., k, n), reflected so that `normal` comes to lie on the last axis."""
    last = normal[..., -1:]
    mirror = xp.concat([normal[..., :-1], last + xp.where(last < 0, -1.0, xp.ones_like(last))], axis=-1)
    mirror = mirror[..., None, :]
    return rows - 2 * mirror * (dot(xp, rows, mirror) / dot(xp, mirror, mirror))[..., None]


class _Retraction(NamedTuple):
    x: Array
    value: Array
    step: Array  # −F ∇F/|∇F|², the way to the zero of the linear model
    stride: Array
    count: Array
    running: Array


def retract(function: Callable[[Array], tuple[Array, Array]], start: Array, max_steps: int) -> Array:
    """The point of {F = 0} that Newton steps along ∇F reach from x; NaN where they reach none.

    Parameters
    ----------
    function : callable
        x (..., n) → F (...), ∇F (..., n).
    """
    xp = array_namespace(start)
    eps = epsilon(xp, start.dtype)

    def model(x: Array) -> tuple[Array, Array]:
        value, gradient = function(x)
        size = length(xp, gradient)
        size = xp.where(size > 0, size, 1.0)
        return value, -(value / size)[..., None] * (gradient / size[..., None])

    def near(x: Array, step: Array, times: float, *others: Array) -> Array:
        return length(xp, step) <= times * eps * (length(xp, x) + sum(length(xp, other) for other in others))

    def iterate(state: tuple[Array, ...]) -> tuple[Array, ...]:
        now = _Retraction(*state)
        x = now.x + now.stride[..., None] * now.step
        value, step = model(x)
        better = now.running & (xp.abs(value) < xp.abs(now.value)) & xp.all(xp.isfinite(step), axis=-1)
        x, step = (xp.where(better[..., None], a, b) for a, b in ((x, now.x), (step, now.step)))
        value = xp.where(better, value, now.value)
        stride = xp.where(better, xp.minimum(2 * now.stride, xp.ones_like(now.stride)), now.stride / 2)
        arrived = (value == 0) | near(x, step, 2)
        running = now.running & ~arrived & (stride > 2.0**-HALVINGS)
        return tuple(_Retraction(x, value, step, stride, now.count + 1, running))

    value, step = model(start)
    zero = xp.zeros((), dtype=count_dtype(xp, start), device=device_of(start))
    running = xp.all(xp.isfinite(step), axis=-1) & (value != 0)
    first = _Retraction(start, value, step, xp.ones_like(value), zero, running)
    end = _Retraction(*while_loop(lambda s: xp.any(s[-1]) & (s[-2] < max_steps), iterate, tuple(first), start))
    # Where F is the difference of large numbers, near the origin, its rounding keeps |F| from falling any further.
    found = (end.value == 0) | near(end.x, end.step, NOISE)
    found = found | ((end.stride <= 2.0**-HALVINGS) & near(end.x, end.step, NOISE, start))
    found = found & (xp.any(end.step != 0, axis=-1) | (end.value == 0))  # a zero gradient leads nowhere
    return xp.where(found[..., None], end.x, xp.nan)


class _State(NamedTuple):
    x: Array
    direction: Array
    residual: Array
    is_minimum: Array
    stride: Array
    steps: Array
    status: Array


class _Descent(NamedTuple):
    """Of half the squared distance, on a level set."""

    surface: Any
    query: Array
    curved: bool
    tolerance: float
    max_steps: int

    def scale(self, x: Array) -> Array:
        xp = array_namespace(x)
        return length(xp, x) + length(xp, self.query)

    def move(self, x: Array) -> tuple[Array, Array, Array]:
        """Where to go from x, the residual, and whether a stationary point is a minimum as far as is known."""
        xp = array_namespace(x)
        normal, away = self.surface.normal(x), self.query - x
        height = dot(xp, away, normal)
        force = away - height[..., None] * normal
        if not self.curved:
            return force, length(xp, force), xp.isfinite(height)
        direction, is_minimum = _newton(xp, self.surface, x, normal, height, force)
        return direction, length(xp, force), is_minimum

    def settle(self, state: _State, moved: Array) -> _State:
        """Name the items that stop here."""
        xp, size = array_namespace(state.x), self.scale(state.x)
        small = state.stride * length(xp, state.direction) <= 4 * epsilon(xp, state.x.dtype) * size
        status = mark(state.status, state.steps >= self.max_steps, Status.STEPS_USED)
        status = mark(status, small, Status.STALLED)
        flat = (state.residual <= self.tolerance * size) | (small & moved)
        status = mark(status, flat & state.is_minimum, Status.CONVERGED)
        return state._replace(status=xp.where(state.status == RUNNING, status, state.status))

    def iterate(self, state: _State) -> _State:
        xp = array_namespace(state.x)
        running = state.status == RUNNING
        x = self.surface.point(state.x + state.stride[..., None] * state.direction)
        direction, residual, is_minimum = self.move(x)
        unit = unit_of(length(xp, self.query - state.x))
        here, there = ((self.query - at) / unit[..., None] for at in (state.x, x))
        old, new = dot(xp, here, here) / 2, dot(xp, there, there) / 2
        gain = state.stride * dot(xp, state.direction / unit[..., None], here)
        falls = (new <= old - SUFFICIENT_DECREASE * gain) & (new < old)
        level = new <= old + NOISE * epsilon(xp, x.dtype) * (self.scale(state.x) / unit) ** 2
        level = level & (residual <= 0.99 * state.residual)
        nearer = running & xp.all(xp.isfinite(x), axis=-1) & (falls | level)
        moved = (x, direction, residual, is_minimum, xp.ones_like(state.stride))
        chosen = choose(nearer, moved, (*state[:4], state.stride / 4))
        steps = state.steps + xp.astype(running, state.steps.dtype)
        return self.settle(_State(*chosen, steps, state.status), nearer)


def descend(
    surface: Any, query: Array, start: Array, curved: bool, tolerance: float | None, max_steps: int
) -> tuple[Array, Array, Array, Array]:
    """Footpoints on a level set: the points, residuals, steps and statuses.

    Each step is Newton's in the tangent space, where half the squared distance has the Hessian I − sS for the height s
    of the query over the tangent plane and the shape operator S; not `curved`: I alone. The way back is `retract`.
    """
    xp = array_namespace(query)
    tolerance = epsilon(xp, query.dtype) ** 0.75 if tolerance is None else tolerance
    descent = _Descent(surface, query, curved, tolerance, max_steps)
    x = _onto(surface, start)
    steps = xp.zeros(x.shape[:-1], dtype=count_dtype(xp, x), device=device_of(x))
    finite = xp.all(xp.isfinite(x), axis=-1) & xp.all(xp.isfinite(query), axis=-1)
    status = mark(mark(steps, None, RUNNING), ~finite, Status.NOT_FINITE)
    first = descent.settle(_State(x, *descent.move(x), xp.ones_like(x[..., 0]), steps, status), steps < 0)
    end = _State(
        *while_loop(
            lambda s: xp.any(s[-1] == RUNNING), lambda s: tuple(descent.iterate(_State(*s))), tuple(first), query
        )
    )
    return end.x, end.residual, end.steps, end.status


def _onto(surface: Any, start: Array) -> Array:
    """Points of the level set near the starts; from where ∇F leads nowhere, as at a centre, from beside it."""
    xp, n = array_namespace(start), start.shape[-1]
    size = length(xp, start)[..., None] + 1
    sides = xp.concat([xp.eye(n, dtype=start.dtype, device=device_of(start)) * s for s in BESIDE], axis=0)
    finite = xp.all(xp.isfinite(start), axis=-1)

    def lost(x: Array) -> Array:
        return finite & ~xp.all(xp.isfinite(x), axis=-1)

    def look(state: tuple[Array, ...]) -> tuple[Array, ...]:
        x, tries = state
        side = xp.take(sides, xp.reshape(tries, (1,)), axis=0)[0, :]
        return xp.where(lost(x)[..., None], surface.point(start + size * side), x), tries + 1

    def unfinished(state: tuple[Array, ...]) -> Array:
        return xp.any(lost(state[0])) & (state[1] < sides.shape[0])

    none = xp.zeros((), dtype=count_dtype(xp, start), device=device_of(start))
    return while_loop(unfinished, look, (surface.point(start), none), start)[0]


def _newton(xp: Namespace, surface: Any, x: Array, normal: Array, height: Array, force: Array) -> tuple[Array, Array]:
    """|I − sS|⁻¹ force, and whether I − sS is positive; where it is not, along its negative curvature as well."""
    shape = surface.shape_operator(x)
    finite = xp.isfinite(height) & xp.all(xp.isfinite(shape), axis=(-2, -1))
    shape = xp.where(finite[..., None, None], shape, xp.zeros_like(shape))
    bends, vectors = xp.linalg.eigh(shape)
    stiffness = xp.where(finite[..., None], 1 - height[..., None] * bends, -1.0)  # no minimum is known at a kink
    local = reflect(xp, normal, force[..., None, :])[..., 0, :-1]
    parts = xp.sum(vectors * local[..., :, None], axis=-2)
    floor = epsilon(xp, x.dtype) ** 0.5
    steps = parts / xp.maximum(xp.abs(stiffness), xp.full_like(stiffness, floor))
    lowest = xp.min(stiffness, axis=-1, keepdims=True)
    beyond = lowest[..., 0] < -floor
    lost = beyond & (length(xp, force) <= 4 * floor * xp.abs(height))
    escape = xp.where(stiffness == lowest, xp.copysign(xp.abs(height)[..., None] + 0 * parts, parts), 0.0)
    steps = xp.where(lost[..., None], escape, steps)
    step = xp.sum(vectors * steps[..., None, :], axis=-1)
    step = xp.concat([step, xp.zeros_like(step[..., :1])], axis=-1)
    return reflect(xp, normal, step[..., None, :])[..., 0, :], ~beyond
