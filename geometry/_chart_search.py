"""The safeguarded descent to footpoints on a surface that is known by charts: a level set, or a parametrised surface.

A chart says where a parameter lies, which way half the squared distance falls there, and where a step leads. A graph is
no chart here, but has a search of its own, `_safeguarded`: there f − y and the polar form of ∇f are at hand, which keep
φ exact to its rounding and steep walls in range, and the compiled searches repeat it operation by operation. A chart
knows only points, of which φ is good to the rounding of their coordinates.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from geometry._beside import aside, half_square_to, is_balanced, nearest
from geometry._contact import Status, choose, mark, unit_of
from geometry._namespace import Array, array_namespace, count_dtype, device_of, epsilon, while_loop
from geometry._vectors import dot, length
from geometry.frames import eigh

__all__ = ["Chart", "Spot", "descend", "downhill"]

RUNNING = -1
SUFFICIENT_DECREASE, NOISE = 1e-4, 64  # Armijo's constant; rounding errors that are taken for granted


class Spot(NamedTuple):
    """A point of the surface, seen from a query."""

    theta: Array  # (..., d): its parameters
    point: Array  # (..., n)
    slope: Array  # (..., d): −∇φ by the parameters, in which a step counts
    direction: Array  # (..., d): where to go
    size: Array  # (...): how far that is in the ambient space
    residual: Array  # (...): length of the tangential part of query − point
    is_minimum: Array  # (...): False where a stationary point is known to be no minimum of the distance


class Chart(Protocol):
    """What the descent asks of a surface."""

    def onto(self, start: Array) -> Array:
        """Parameters of a point near the start; NaN where there is none."""

    def spot(self, theta: Array, query: Array, curved: bool) -> Spot:
        """What is seen at θ, and Newton's step; not `curved`: that of Gauss and Newton."""

    def moved(self, theta: Array, step: Array) -> tuple[Array, Array]:
        """Where a step leads, and the step that leads there."""

    def beside(self, theta: Array, far: Array, way: Array) -> tuple[Array, Array]:
        """Steps that way, so far in the ambient space, and the points there; a way is as many numbers as dimensions."""

    def dimension(self, theta: Array) -> int:
        """Of the surface."""

    def is_smooth(self, theta: Array) -> bool:
        """Whether the surface is known to have no kinks."""


class _State(NamedTuple):
    theta: Array
    point: Array
    slope: Array
    direction: Array
    size: Array
    residual: Array
    is_minimum: Array
    stride: Array
    steps: Array
    status: Array
    sure: Array  # (...): the distance is no less beside


class _Descent(NamedTuple):
    chart: Any
    query: Array
    start: Array
    far: Array  # |query|
    curved: bool
    tolerance: float
    max_steps: int

    def scale(self, point: Array) -> Array:
        return length(array_namespace(point), point) + self.far

    def settle(self, state: _State, moved: Array) -> _State:
        """Name the items that stop here."""
        xp, size = array_namespace(state.point), self.scale(state.point)
        small = state.stride * state.size <= 4 * epsilon(xp, state.point.dtype) * size
        status = mark(state.status, state.steps >= self.max_steps, Status.STEPS_USED)
        status = mark(status, small, Status.STALLED)
        flat = self.is_stationary(state) | (small & moved)
        status = mark(status, flat & state.is_minimum, Status.CONVERGED)
        return state._replace(status=xp.where(state.status == RUNNING, status, state.status))

    def iterate(self, state: _State) -> _State:
        xp = array_namespace(state.point)
        running = state.status == RUNNING
        theta, step = self.chart.moved(state.theta, state.stride[..., None] * state.direction)
        trial = self.chart.spot(theta, self.query, self.curved)
        unit = unit_of(length(xp, self.query - state.point))
        here, there = ((self.query - at) / unit[..., None] for at in (state.point, trial.point))
        old, new = dot(xp, here, here) / 2, dot(xp, there, there) / 2
        gain = dot(xp, step / unit[..., None], state.slope / unit[..., None])
        falls = (new <= old - SUFFICIENT_DECREASE * gain) & (new < old)
        level = new <= old + NOISE * epsilon(xp, theta.dtype) * (self.scale(state.point) / unit) ** 2
        level = level & (trial.residual <= 0.99 * state.residual)
        nearer = running & xp.all(xp.isfinite(trial.point), axis=-1) & (falls | level)
        chosen = choose(nearer, (*trial, xp.ones_like(state.stride)), (*state[:-4], state.stride / 4))
        steps = state.steps + xp.astype(running, state.steps.dtype)
        return self.settle(_State(*chosen, steps, state.status, state.sure), nearer)  # type: ignore[call-arg]

    def doubts(self, state: _State) -> Array:
        """Where the search has converged to what no derivative may tell from a minimum: see `_beside`."""
        balanced = is_balanced(state.theta, self.start) | ~self.is_stationary(state)
        return (state.status == int(Status.CONVERGED)) & balanced & ~state.sure

    def is_stationary(self, state: _State) -> Array:
        return state.residual <= self.tolerance * self.scale(state.point)

    def look_beside(self, doubtful: Array, state: _State) -> _State:
        """Let those whose distance is less beside go there; the others are sure.

        Where the point is not stationary, the search has come to a kink by ever smaller steps, and is stalled.
        """
        xp, distance = array_namespace(state.point), length(array_namespace(state.point), self.query - state.point)
        unit = unit_of(distance)
        noise = NOISE * epsilon(xp, distance.dtype) * (self.scale(state.point) / unit) * (distance / unit)
        far, tells = aside(distance, noise, unit, self.scale(state.point))
        d = self.chart.dimension(state.theta)
        step, least = nearest(lambda way: self.chart.beside(state.theta, far, way), self.query, state.theta, d, unit)
        stationary = self.is_stationary(state)
        slope = xp.where(stationary, state.residual / unit, xp.zeros_like(noise))
        lower = half_square_to(state.point, self.query, unit) - least > noise + 2 * (far / unit) * slope
        lower = lower & tells & doubtful
        return state._replace(
            direction=xp.where(lower[..., None], step, state.direction),
            stride=xp.where(lower, xp.ones_like(state.stride), state.stride),
            size=xp.where(lower, far, state.size),
            status=mark(mark(state.status, lower, Status.STALLED), lower & stationary, RUNNING),
            sure=state.sure | (doubtful & ~lower),
        )


def descend(
    chart: Chart, query: Array, start: Array, curved: bool, tolerance: float | None, max_steps: int
) -> tuple[Array, Array, Array, Array]:
    """Footpoints: parameters, residuals, steps and statuses."""
    xp = array_namespace(query)
    tolerance = epsilon(xp, query.dtype) ** 0.75 if tolerance is None else tolerance
    start = chart.onto(start)
    descent = _Descent(chart, query, start, length(xp, query), curved, tolerance, max_steps)
    first = chart.spot(start, query, curved)
    steps = xp.zeros(first.residual.shape, dtype=count_dtype(xp, query), device=device_of(query))
    finite = xp.all(xp.isfinite(first.point), axis=-1) & xp.all(xp.isfinite(query), axis=-1)
    status = mark(mark(steps, None, RUNNING), ~finite, Status.NOT_FINITE)
    state = descent.settle(_State(*first, xp.ones_like(first.residual), steps, status, steps < 0), steps < 0)
    end = _State(*_settled(descent, tuple(state), not (curved and chart.is_smooth(start))))
    return end.theta, end.residual, end.steps, end.status


def _settled(descent: _Descent, state: tuple[Array, ...], doubts: bool) -> tuple[Array, ...]:
    """Where the search ends."""
    xp = array_namespace(descent.query)

    def runs(state: tuple[Array, ...]) -> Array:
        return xp.any(_State(*state).status == RUNNING)

    def run(state: tuple[Array, ...]) -> tuple[Array, ...]:
        return while_loop(runs, lambda s: tuple(descent.iterate(_State(*s))), state, descent.query)

    def doubtful(state: tuple[Array, ...]) -> Array:
        return descent.doubts(_State(*state))

    def look(state: tuple[Array, ...]) -> tuple[Array, ...]:
        return tuple(descent.look_beside(doubtful(state), _State(*state)))

    def settle(state: tuple[Array, ...]) -> tuple[Array, ...]:
        return while_loop(lambda s: xp.any(doubtful(s)), look, run(state), descent.query)

    if not doubts:
        return run(state)
    return while_loop(lambda s: runs(s) | xp.any(doubtful(s)), settle, state, descent.query)


def downhill(bend: Array, force: Array, height: Array) -> tuple[Array, Array]:
    """|I − B|⁻¹ force, and whether I − B is positive, in an orthonormal frame of the tangent space.

    Where I − B has negative eigenvalues their absolute values make the step one of descent; where the force vanishes
    there, the step follows the negative curvature, as far as `height`, the distance of the query. At a kink, where B is
    not finite, no minimum is known.
    """
    xp = array_namespace(force)
    finite = xp.isfinite(height) & xp.all(xp.isfinite(bend), axis=(-2, -1))
    bends, vectors = eigh(xp, xp.where(finite[..., None, None], bend, xp.zeros_like(bend)))
    stiffness = xp.where(finite[..., None], 1 - bends, -1.0)
    parts = xp.sum(vectors * force[..., :, None], axis=-2)
    floor = epsilon(xp, force.dtype) ** 0.5
    steps = parts / xp.maximum(xp.abs(stiffness), xp.full_like(stiffness, floor))
    lowest = xp.min(stiffness, axis=-1, keepdims=True)
    beyond = lowest[..., 0] < -floor
    lost = beyond & (length(xp, force) <= 4 * floor * xp.abs(height))
    escape = xp.where(stiffness == lowest, xp.copysign(xp.abs(height)[..., None] + 0 * parts, parts), 0.0)
    steps = xp.where(lost[..., None], escape, steps)
    return xp.sum(vectors * steps[..., None, :], axis=-1), ~beyond
