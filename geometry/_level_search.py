"""Ways onto a level set {F = 0}, along gradients, and to footpoints on it, by Newton steps in its tangent spaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from geometry._autodiff import is_recorded, with_derivative_of
from geometry._chart_search import Spot, downhill
from geometry._namespace import Array, Namespace, array_namespace, count_dtype, device_of, epsilon, while_loop
from geometry._vectors import dot, length

__all__ = ["LevelChart", "retract", "tangential", "unit"]

HALVINGS = 12  # of a step along the gradient that does not bring |F| down
BESIDE = (2.0**-10, -(2.0**-10), 2.0**-4, -(2.0**-4), 0.5, -0.5)  # of the size of the coordinates
ORDER = 2  # of the derivatives that are right
NOISE = 64  # rounding errors that are taken for granted


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
    x = end.x
    for _ in range(ORDER if is_recorded(xp, x, end.value) else 0):  # steps that go nowhere and carry derivatives
        x = with_derivative_of(xp, end.x, x + model(x)[1])
    return xp.where(found[..., None], x, xp.nan)


class LevelChart(NamedTuple):
    """A level set in its tangent spaces; the way back to it is `retract`."""

    surface: Any

    def onto(self, start: Array) -> Array:
        return _onto(self.surface, start)

    def moved(self, x: Array, step: Array) -> tuple[Array, Array]:
        return self.surface.point(x + step), step

    def is_smooth(self, x: Array) -> bool:
        return self.surface.is_smooth(x)

    def dimension(self, x: Array) -> int:
        return self.surface.dimension(x)

    def beside(self, x: Array, far: Array, way: Array) -> tuple[Array, Array]:
        """In the tangent plane, from where two of Newton's steps lead to the level set."""
        xp = array_namespace(x)
        way = xp.concat([way, xp.zeros_like(way[..., :1])], axis=-1)
        steps = far[..., None] * reflect(xp, self.surface.normal(x), way[..., None, :])[..., 0, :]
        points = x + steps
        for _ in range(2):
            value, gradient = self.surface.value_and_gradient(points)
            size = length(xp, gradient)[..., None]
            points = points - value[..., None] / size * (gradient / size)
        return steps, points

    def spot(self, x: Array, query: Array, curved: bool) -> Spot:
        """With the shape operator S and the height s over the tangent plane, φ has the Hessian I − sS."""
        xp = array_namespace(x)
        normal, away = self.surface.normal(x), query - x
        height = dot(xp, away, normal)
        force = away - height[..., None] * normal
        step, is_minimum = force, xp.isfinite(height)
        if curved:
            local = reflect(xp, normal, force[..., None, :])[..., 0, :-1]
            bend = height[..., None, None] * self.surface.shape_operator(x)
            step, is_minimum = downhill(bend, local, height)
            step = xp.concat([step, xp.zeros_like(step[..., :1])], axis=-1)
            step = reflect(xp, normal, step[..., None, :])[..., 0, :]
        return Spot(x, x, force, step, length(xp, step), length(xp, force), is_minimum)


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
