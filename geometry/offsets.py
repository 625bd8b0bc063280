"""Offsets of a graph: the parallel surface, contact by contact, and the offset function, its upper envelope."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from geometry._autodiff import constant, is_differentiable, is_recorded
from geometry._implicit import at_maximum, still
from geometry._itemwise import by_items
from geometry._kernels import kernel
from geometry._maximum import (
    CHILDREN,
    Compiled,
    Samples,
    Starts,
    alike,
    climb,
    in_chunks,
    join,
    sampled,
    samples_of_the_ball,
)
from geometry._namespace import (
    Array,
    Namespace,
    array_namespace,
    broadcast,
    device_of,
    epsilon,
    floating,
    is_dask,
    per_item,
    positive,
    quietly,
    repeat,
    whole,
)
from geometry.footpoint import project
from geometry.graph import FunctionGraph, check_surface
from geometry.surface import Surface, check_any_surface

__all__ = ["offset", "offset_function"]

SWEEPS, PEAKS, STARTS = 4, 4, 4  # sets of samples, starts that each of them offers, starts that are climbed from
CLIMBS = (STARTS + 1) * CHILDREN * 40  # evaluations that climbs take, more or less
LOOK_AROUND = 2.0  # how much farther than where the ball can touch the next sweep looks
AT_ONCE = 2**15  # coordinates to hold at once
FEW, MANY = 3, 32  # dimensions: up to few, values alone find a maximum; beyond many, a climb's matrices are too large
ROUNDS = 8  # of rolling a contact to where it is its own footpoint; the convergence is quadratic


@quietly
def offset(surface: Surface, theta: Array, radius: Array) -> Array:
    """The point of the parallel surface over a contact: p + ρν(p), the centre of the ball that touches at θ.

    Parameters
    ----------
    surface : FunctionGraph or LevelSet
    theta : array (..., d)
        For a level set: a point at or near it.
    radius : float or array
        ρ; broadcasts against the batch. A negative radius gives the parallel surface below.

    Returns
    -------
    array (..., d+1)

    Notes
    -----
    Up to the critical radius this parametrises the offset Γ_ρ. Beyond it the parallel surface folds over itself, and
    parts of it are nearer to Γ than ρ; `offset_function` has no such parts.

    References
    ----------
    Belgoumri et al. (2025), Eq. (6).

    Examples
    --------
    >>> import numpy as np
    >>> plane = FunctionGraph(lambda t: 0.75 * t[..., 0], lambda t: np.full_like(t, 0.75))
    >>> offset(plane, [0.0], 5.0)
    array([-3.,  4.])
    """
    check_any_surface(surface)
    xp, theta = floating("theta", theta)
    point, normal = surface.point_and_normal(theta)
    return point + per_item(xp, "radius", radius, point) * normal


@quietly
def offset_function(surface: FunctionGraph, theta: Array, radius: Array, *, samples: int | None = None) -> Array:
    """Height of the centre of the ball that rests on the surface, with its centre above θ: the offset function

    f_ρ(θ) = max over |s| ≤ ρ of f(θ + s) + √(ρ² − |s|²).

    Parameters
    ----------
    surface : FunctionGraph
        Values are enough. Where f is NaN there is no surface, where it is +inf a wall.
    theta : array (..., d)
    radius : float or array
        ρ ≥ 0; broadcasts against the batch.
    samples : int, optional
        How many points of the ball look for the highest maximum. Default: 4096 for d = 1, 16384 for d = 2, otherwise
        65536.

    Returns
    -------
    array (...)
        A lower bound of f_ρ: a height that a ball has which rests on some point of the surface, up to rounding. It is
        f_ρ where the samples see the right hill. Where no sample meets the surface it is f(θ), which may be NaN.

    Raises
    ------
    TypeError, ValueError
        For arguments of the wrong kind or shape.

    Notes
    -----
    The maximum is global as far as the samples resolve f. The point of the ball that touches is sought in the chart
    s = ρ v sin|v|/|v|, in which the height of the centre, f(θ + s) + ρ cos|v|, is smooth up to the rim, |v| = π/2.
    A quarter of the samples looks at the whole ball, each further quarter where the ball may still touch, to judge by
    the heights seen before: a ball much larger than the hills looks at the few below its pole. The best four of the
    samples that no neighbour exceeds, and the pole, are climbed from. The climb needs values alone, so that f may have
    kinks, creases and jumps. In more than three dimensions, where samples are sparse, it is preceded by steps along
    gradients, if the surface has any, which roll a contact to the footpoint of its own centre; in more than 32 these
    are all.

    Hills that are thinner than the samples are apart may be missed: `geometry.certified.offset_function` encloses f_ρ
    however thin they are.

    The memory does not grow with the batch: about 2¹⁵ coordinates at once, and `samples` points of d coordinates.

    References
    ----------
    Belgoumri et al., "Rolling Ball Optimizer" (2025), Section 4.2.

    Examples
    --------
    A ball larger than the critical radius, 1 for the sine wave, does not reach the bottom of a valley. It rests on both
    slopes:

    >>> import numpy as np
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]))
    >>> offset_function(wave, [-np.pi / 2], [0.5, 1.0, 2.0, 10.0]).round(6)
    array([-0.5     ,  0.      ,  1.25833 , 10.543108])
    """
    check_surface(surface)
    xp, theta = floating("theta", theta)
    if theta.ndim == 0 or theta.shape[-1] == 0:
        raise ValueError(f"theta must have shape (..., d) with d >= 1, got {tuple(theta.shape)}")
    positive("radius", radius, zero=True)
    theta, radius = _all_pairs(xp, theta, radius)
    batch, d = theta.shape[:-1], theta.shape[-1]
    samples = 4 ** (5 + min(d, 3)) if samples is None else whole("samples", samples, 1)
    if is_dask(theta):
        items, results = ((theta, 1), (radius, 0)), (((), theta.dtype),)
        return by_items(lambda t, r: (offset_function(surface, t, r, samples=samples),), items, results)[0]
    if 0 in batch:
        return xp.zeros(batch, dtype=theta.dtype, device=device_of(theta))
    theta, radius = xp.reshape(theta, (-1, d)), xp.reshape(radius, (-1,))
    wanted = theta, radius
    held, was_recorded = still(surface) if is_differentiable(xp) else (surface, lambda: False)
    theta, radius = constant(xp, theta), constant(xp, radius)
    best, contact = _highest(held, theta, radius, samples)
    if was_recorded() or is_recorded(xp, *wanted):
        derived = at_maximum(lambda s: _resting(surface, s, *wanted), contact, best)
        best = xp.where(xp.isfinite(best), derived, best)
    return xp.reshape(best, batch)


def _resting(surface: FunctionGraph, contact: Array, theta: Array, radius: Array) -> Array:
    """f(s) + √(ρ² − |s − θ|²), (b,): by θ and ρ it has a derivative where f has none."""
    xp, away = array_namespace(theta), contact - theta
    square = radius**2 - xp.vecdot(away, away)
    rises = square > 0
    return surface.value(contact) + xp.where(rises, xp.sqrt(xp.where(rises, square, 1.0)), 0.0)


def _highest(surface: Any, theta: Array, radius: Array, samples: int) -> tuple[Array, Array]:
    """f_ρ, (b,), and where the ball touches, (b, d)."""
    xp, d = array_namespace(theta), theta.shape[-1]
    each = -(-samples // SWEEPS)
    rolls = d > FEW and surface.has_gradient(theta)
    surface = surface.prepared(theta, theta.shape[0] * (samples + CLIMBS))
    many = theta.shape[0] if _Ball(surface, theta, radius).compiled() else 0

    def begun(*ball: Array) -> tuple[Array, ...]:
        return tuple(_starts(_Ball(surface, *ball), each))

    def refined(theta: Array, radius: Array, *starts: Array) -> tuple[Array, ...]:
        return _refined(_Ball(surface, theta, radius), Starts(*starts), rolls)

    starts = in_chunks(xp, begun, max(many, AT_ONCE // (each * d)), theta, radius)
    size = max(many, AT_ONCE // ((STARTS + 1) * CHILDREN * d))
    best, contact = in_chunks(xp, refined, size, theta, radius, *starts)
    return best, contact


def _all_pairs(xp: Namespace, theta: Array, radius: Any) -> tuple[Array, Array]:
    """θ (..., d) and ρ (...) of one batch, from arguments that broadcast against each other."""
    radius = per_item(xp, "radius", radius, theta)
    if isinstance(radius, float):
        radius = xp.full((1,), radius, dtype=theta.dtype, device=device_of(theta))
    batch = broadcast(theta=theta.shape[:-1], radius=radius.shape[:-1])
    return xp.broadcast_to(theta, (*batch, theta.shape[-1])), xp.broadcast_to(radius[..., 0], batch)


class _Ball(NamedTuple):
    """Balls over θ (b, d) of radius ρ (b,), each lowered until its point v touches the surface."""

    surface: FunctionGraph
    theta: Array
    radius: Array

    def compiled(self) -> Compiled | None:
        """What compiled code climbs; None where arrays do."""
        xp, expression = array_namespace(self.theta), self.surface.to_look(self.theta, "rest")
        if expression is None:
            return None
        return Compiled("resting", expression, xp.concat([self.theta, self.radius[:, None]], axis=1))

    def contact(self, v: Array) -> Array:
        """θ + s for points v (b, k, d) of the chart."""
        xp, size = array_namespace(v), _size(v)
        ratio = xp.where(size > 0, xp.sin(_angle(size)) / xp.where(size > 0, size, 1.0), 1.0)
        return self.theta[:, None, :] + (self.radius[:, None] * ratio)[..., None] * v

    def point(self, contact: Array) -> Array:
        """v for contacts (b, k, d)."""
        xp = array_namespace(contact)
        away = (contact - self.theta[:, None, :]) / xp.where(self.radius > 0, self.radius, 1.0)[:, None, None]
        sine = _size(away)
        ratio = xp.where(sine > 0, xp.asin(xp.clip(sine, 0.0, 1.0)) / xp.where(sine > 0, sine, 1.0), 1.0)
        return ratio[..., None] * away

    def heights(self, v: Array) -> tuple[Array, Array]:
        """f at the contact, and the height of the centre, each (b, k); −inf where there is no surface."""
        xp = array_namespace(v)
        touched = self.surface.value(self.contact(v))
        touched = xp.where(xp.isnan(touched), -xp.inf, touched)
        return touched, touched + self.radius[:, None] * xp.cos(_angle(_size(v)))


def _size(v: Array) -> Array:
    """|v|, for numbers whose squares do not overflow."""
    xp = array_namespace(v)
    return xp.sqrt(xp.vecdot(v, v))


def _angle(size: Array) -> Array:
    """From the bottom of the ball, 0, to its top, π, and not beyond."""
    return array_namespace(size).clip(size, 0.0, math.pi)


def _starts(ball: _Ball, count: int) -> Starts:
    """From where to climb: the highest samples, and the pole, the point below the centre, last."""
    xp, d = array_namespace(ball.theta), ball.theta.shape[-1]
    compiled = ball.compiled()
    if compiled is not None and (run := kernel("rest", xp)) is not None:
        samples = [samples_of_the_ball(d, count, sweep) for sweep in range(SWEEPS)]
        return Starts(*run(*compiled[1:], samples, PEAKS, STARTS))
    pole = xp.zeros_like(ball.theta)[:, None, :]
    touched, heights = ball.heights(pole)
    starts = sampled(_sweeps(ball, touched[:, 0], heights[:, 0], count), PEAKS, STARTS)
    return join([starts, Starts(heights, pole, xp.full_like(heights, math.pi / 2))])


def _sweeps(ball: _Ball, highest: Array, best: Array, count: int) -> Iterator[tuple[Samples, Starts]]:
    """The whole ball first, then where it may still touch: `highest` and `best` are f and f_ρ as seen so far, (b,)."""
    xp, d = array_namespace(ball.theta), ball.theta.shape[-1]
    angle = xp.full_like(best, math.pi / 2)
    for sweep in range(SWEEPS):
        samples = samples_of_the_ball(d, count, sweep)
        v = angle[:, None, None] * alike(ball.theta, samples.points)
        touched, heights = ball.heights(v)
        yield samples, Starts(heights, v, xp.broadcast_to((angle * samples.spacing)[:, None], heights.shape))
        highest, best = xp.maximum(highest, xp.max(touched, axis=1)), xp.maximum(best, xp.max(heights, axis=1))
        lowest = (best - highest) / ball.radius  # no height seen so far lets the ball touch where the cosine is less
        widest = LOOK_AROUND * xp.acos(xp.clip(xp.where(xp.isnan(lowest), 0.0, lowest), 0.0, 1.0))
        angle = xp.clip(widest, epsilon(xp, best.dtype) ** 0.5, math.pi / 2)


def _refined(ball: _Ball, starts: Starts, rolls: bool) -> tuple[Array, Array]:
    """The greatest height of the centre that is found from the starts, (b,), and its contact, (b, d)."""
    xp = array_namespace(starts.values)
    if rolls:
        v = _rolled(ball, starts.places)
        starts = Starts(xp.maximum(starts.values, ball.heights(v)[1]), v, starts.spacing)
    if ball.theta.shape[-1] <= MANY:
        resolution = 8 * epsilon(xp, starts.values.dtype) * (xp.abs(starts.values) + ball.radius[:, None])
        starts = climb(lambda v: ball.heights(v)[1], starts, resolution, ball.compiled())
    ends = starts.take(xp.argmax(starts.values, axis=1, keepdims=True))
    best = ends.values[:, 0]
    return xp.where(best == -xp.inf, ball.surface.value(ball.theta), best), ball.contact(ends.places)[:, 0, :]


def _rolled(ball: _Ball, v: Array) -> Array:
    """Contacts that are local footpoints of the centres that rest on them.

    A footpoint is nearer to the centre than the contact was, so that a ball that rests on it is higher.
    """
    xp = array_namespace(v)

    def roll(v: Array) -> Array:
        start, heights = ball.contact(v), ball.heights(v)[1]
        center = xp.concat([xp.broadcast_to(ball.theta[:, None, :], v.shape), heights[..., None]], axis=-1)
        moved = ball.point(project(ball.surface, center, start=start).theta)
        return xp.where((ball.heights(moved)[1] > heights)[..., None], moved, v)

    return repeat(ROUNDS, roll, v, ball.theta, ball.radius)
