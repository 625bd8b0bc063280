"""Which points of a surface a ball can touch, and the medial axis: the centres of the largest balls that do.

The ball of radius r that touches Γ at p from above has its centre at p + rν(p). It crosses Γ unless r is at most

    ρ_max(p) = inf over q ∈ Γ with (q − p)·ν(p) > 0 of |q − p|² / (2 (q − p)·ν(p)),

the one-sided Federer quotient: for each q that is the radius of the ball that touches at p and passes through q.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import singledispatch
from typing import Any, NamedTuple

from geometry._autodiff import constant, is_differentiable, is_recorded, with_derivative_of
from geometry._implicit import at_maximum, still
from geometry._itemwise import by_items
from geometry._kernels import kernel
from geometry._maximum import CHILDREN, Compiled, Samples, Starts, alike, climb, in_chunks, sampled, samples_of_the_cube
from geometry._namespace import (
    Array,
    Namespace,
    array_namespace,
    device_of,
    epsilon,
    floating,
    is_dask,
    per_item,
    positive,
    quietly,
    whole,
)
from geometry._results import comparable
from geometry._sides import SIGNS, check_side
from geometry._vectors import dot, length
from geometry.graph import FunctionGraph
from geometry.level_set import LevelSet
from geometry.reaches import corners, radius_of
from geometry.surface import Surface, check_any_surface

__all__ = ["MedialAxis", "medial_axis", "medial_radius", "reachable"]

SWEEPS, PEAKS, STARTS = 6, 4, 4  # sets of samples, starts that each of them offers, starts that are climbed from
CLIMBS = STARTS * CHILDREN * 40  # evaluations that climbs take, more or less
LOOK_AROUND = 2.0  # how much farther the next sweep looks than the highest point seen allows
SCALES = 12.0  # decades, around the size of 1, at which the first sweep looks for any point above the tangent plane
NOISE = 8  # units of the last place of the coordinates that a height over a tangent plane may be wrong by
LADDER = 40  # lengths, each four times the last, among which the resolution of a function is sought
AT_ONCE = 2**17  # coordinates to hold at once


@quietly
def medial_radius(
    surface: Surface,
    theta: Array,
    *,
    side: str = "above",
    box: Sequence[tuple[float, float]] | Array | None = None,
    samples: int | None = None,
) -> Array:
    """Radius of the largest ball that touches the surface at a point without crossing it, ρ_max(p).

    Parameters
    ----------
    surface : FunctionGraph or LevelSet
        With a gradient. Kinks that are not at p are no obstacle.
    theta : array (..., d)
        Parameters of the points p; for a level set, points x at or near it.
    side : {"above", "below"}
    box : sequence of (low, high), optional
        The part of the surface that the ball must not cross: one pair for each dimension of θ. Default: all of it.
    samples : int, optional
        How many points of the surface are looked at for each p. Default: 6144 for curves, otherwise 24576.

    Returns
    -------
    array (...)
        An upper bound of ρ_max, attained where the samples see the right hill; inf where nothing stops the ball, NaN
        where there is no surface or it has no normal.

    Raises
    ------
    TypeError, ValueError
        For arguments of the wrong kind or shape.

    Notes
    -----
    The point q that stops the ball maximises the curvature 2(q − p)·ν/|q − p|² of the ball through it. A first set of
    samples covers the box, or without one all distances from p between 1e-6 and 1e6. Any q that stops a smaller ball
    lies in the ball found so far, so that each further set looks there; the best samples are climbed from. The limit
    q → p is the largest principal curvature, which is taken into account if the surface has a Hessian. The search is
    not rigorous: `geometry.certified.medial_radius` encloses ρ_max.

    References
    ----------
    J. Ma, S. W. Bae, S. Choi, "3D medial axis point approximation using nearest neighbors and the normal field", The
    Visual Computer 28 (2012): the shrinking ball.

    Examples
    --------
    In the bottom of the parabola y = x²/2 the largest ball is that of curvature, 1; at x it is √(1 + x²):

    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> bowl = FunctionGraph(lambda t: t[..., 0] ** 2 / 2, lambda t: t, lambda t: np.ones_like(t)[..., None])
    >>> medial_radius(bowl, [[0.0], [0.75], [-2.4]]).round(9)
    array([1.  , 1.25, 2.6 ])
    >>> medial_radius(bowl, [0.75], side="below")
    array(inf)
    """
    check_any_surface(surface)
    check_side("side", side)
    xp, theta = floating("theta", theta)
    if theta.ndim == 0 or theta.shape[-1] == 0:
        raise ValueError(f"theta must have shape (..., d) with d >= 1, got {tuple(theta.shape)}")
    batch, d = theta.shape[:-1], theta.shape[-1]
    curve = surface.dimension(theta) == 1
    box = surface.box if box is None else box
    samples = SWEEPS * (1024 if curve else 4096) if samples is None else whole("samples", samples, SWEEPS)
    if is_dask(theta):

        def largest(theta: Array) -> tuple[Array]:
            return (medial_radius(surface, theta, side=side, box=box, samples=samples),)

        return by_items(largest, ((theta, 1),), (((), theta.dtype),))[0]
    bounds = None if box is None else _bounds(xp, box, theta)
    if 0 in batch:
        return xp.zeros(batch, dtype=theta.dtype, device=device_of(theta))
    each = -(-samples // SWEEPS)

    theta = xp.reshape(theta, (-1, d))
    held, was_recorded = still(surface) if is_differentiable(xp) else (surface, lambda: False)
    place = constant(xp, theta)
    held = held.prepared(place, theta.shape[0] * (samples + CLIMBS))
    many = theta.shape[0] if held.to_look(place, "touch") else 0

    def bent(theta: Array) -> tuple[Array, ...]:
        return _largest_curvature(_Touch.at(held, theta, SIGNS[side], bounds), each)

    curvature, stop = in_chunks(xp, bent, max(many, AT_ONCE // (each * d)), place)
    if was_recorded() or is_recorded(xp, theta):
        curvature = _differentiated(_Touch.at(surface, theta, SIGNS[side], bounds), curvature, stop)
    return xp.reshape(xp.where(xp.isnan(curvature), curvature, radius_of(xp, curvature)), batch)


def reachable(
    surface: Surface,
    theta: Array,
    radius: Array,
    *,
    side: str = "above",
    box: Sequence[tuple[float, float]] | Array | None = None,
    samples: int | None = None,
) -> Array:
    """Whether a ball of a radius can touch the surface at a point without crossing it: ρ ≤ ρ_max(p).

    Parameters
    ----------
    surface, theta, side, box, samples
        As in `medial_radius`.
    radius : float or array
        ρ > 0; broadcasts against the batch.

    Returns
    -------
    array (...) of bool
        False is certain up to rounding: a point was found inside of the ball. Where p has no normal, False.

    References
    ----------
    Belgoumri et al., "Rolling Ball Optimizer" (2025), Definition 1, for one side: see ``docs/reach.rst``.

    Examples
    --------
    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]), np.cos, lambda t: -np.sin(t)[..., None])
    >>> reachable(wave, [[-np.pi / 2], [0.0], [np.pi / 2]], 2.0)
    array([False,  True,  True])
    """
    positive("radius", radius)
    largest = medial_radius(surface, theta, side=side, box=box, samples=samples)
    xp = array_namespace(largest)
    radius = per_item(xp, "radius", radius, largest[..., None])
    return largest >= (radius if isinstance(radius, float) else radius[..., 0])


@comparable
class MedialAxis(NamedTuple):
    """Centres and radii of the largest balls that touch a surface."""

    points: Array  # (samples, n): inf or NaN where the radius is infinite
    radii: Array  # (samples,)


@quietly
def medial_axis(
    surface: Surface,
    box: Sequence[tuple[float, float]] | Array,
    *,
    side: str = "above",
    samples: int = 256,
) -> MedialAxis:
    """Points of the medial axis: the centres p + ρ_max(p) ν(p) of the largest balls that touch the surface.

    They have two footpoints or more, or are limits of such points.

    Parameters
    ----------
    surface : FunctionGraph or LevelSet
    box : sequence of (low, high)
        Where the balls touch: one pair for each dimension of θ. What else they may meet is not limited.
    side : {"above", "below"}
    samples : int
        How many balls. Their contacts are spread evenly over the box, for a level set over what is nearest to samples
        of the box.

    Returns
    -------
    MedialAxis
        Points where nothing stops the ball have an infinite radius; ``points[isfinite(radii)]`` leaves them out.

    Notes
    -----
    Each radius is an upper bound, as in `medial_radius`.

    Examples
    --------
    That of the parabola y = x²/2 is the line over its focal point, (0, 1):

    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> bowl = FunctionGraph(lambda t: t[..., 0] ** 2 / 2, lambda t: t, lambda t: np.ones_like(t)[..., None])
    >>> points, radii = medial_axis(bowl, [(-2, 2)], samples=5)
    >>> np.abs(points[:, 0]).max() < 1e-9, points[:, 1].min() >= 1 - 1e-9
    (np.True_, np.True_)
    """
    check_any_surface(surface)
    xp, low, high = corners(box)
    v = samples_of_the_cube(low.shape[0], whole("samples", samples, 1), 0).points
    v = xp.asarray(v, dtype=low.dtype, device=device_of(low))
    theta = (low + high) / 2 + (high - low) / 2 * v
    radii = medial_radius(surface, theta, side=side)
    point, normal = surface.point_and_normal(theta)
    return MedialAxis(point + SIGNS[side] * radii[:, None] * normal, radii)


def _bounds(xp: Namespace, box: Any, theta: Array) -> tuple[Array, Array]:
    """The corners of the box, with the dtype and on the device of θ."""
    _, low, high = corners(box)
    if low.shape[0] != theta.shape[-1]:
        raise ValueError(f"box must have one (low, high) for each of {theta.shape[-1]} dimensions, got {low.shape[0]}")
    low, high = (xp.asarray(c, dtype=theta.dtype, device=device_of(theta)) for c in (low, high))
    return low, high


class _Touch(NamedTuple):
    """Where balls touch: points p (b, n), their normals to one side, and the limit of curvature there (b,)."""

    surface: Surface
    here: Array  # their parameters, (b, d)
    point: Array
    normal: Array
    bend: Array  # −inf where it is not known
    noise: Array  # how far from p, along the normal, rounding hides that the surface has been left
    bounds: tuple[Array, Array] | None

    @classmethod
    def at(cls, surface: Surface, theta: Array, sign: float, bounds: tuple[Array, Array] | None) -> _Touch:
        xp = array_namespace(theta)
        point, normal = surface.point_and_normal(theta)
        here = surface.parameters(theta, point)
        bend = xp.full_like(point[:, 0], -xp.inf)
        if surface.has_second_order(theta):
            bends = sign * surface.curvatures(here)
            bend = xp.max(xp.where(xp.isnan(bends), -xp.inf, bends), axis=-1)
            rounding = NOISE * epsilon(xp, bend.dtype) * xp.max(xp.abs(bends), axis=-1)
            bend = xp.where(xp.abs(bend) <= rounding, xp.zeros_like(bend), bend)
        return cls(surface, here, point, sign * normal, bend, _resolution(surface, point, normal), bounds)

    def compiled(self) -> Compiled | None:
        """What compiled code climbs; None where arrays do."""
        if (expression := self.surface.to_look(self.here, "touch")) is None:
            return None
        xp, theta = array_namespace(self.point), self.here
        low, high = self.bounds or (xp.full_like(theta, -xp.inf), xp.full_like(theta, xp.inf))
        parts = self.point, self.normal, self.noise[:, None], *(xp.broadcast_to(c, theta.shape) for c in (low, high))
        return Compiled("touching", expression, xp.concat(parts, axis=1))

    def seen(self, theta: Array) -> tuple[Array, Array]:
        """For the points q of θ (b, k, d) the curvatures 2h/|q − p|², and the heights h = (q − p)·ν; −inf for no point.

        Heights are lowered by what they may be wrong by, so that no ball is stopped by rounding.
        """
        height, doubt, half = self._over(theta)
        bend, height = (height - doubt) / half, height - doubt
        none = array_namespace(theta).isnan(bend)
        return tuple(array_namespace(theta).where(none, -math.inf, a) for a in (bend, height))

    def curvature(self, theta: Array) -> Array:
        """The curvatures alone; where the doubt about a height is small, by the height itself."""
        xp, (height, doubt, half) = array_namespace(theta), self._over(theta)
        known = doubt <= epsilon(xp, theta.dtype) ** 0.5 * height
        return xp.where(known, height, height - doubt) / half

    def _over(self, theta: Array) -> tuple[Array, Array, Array]:
        """For the points q of θ (b, k, d): h, what it may be wrong by, and |q − p|²/2, which is NaN for no point.

        Wrong is h by its rounding error, and by how far q may be off the surface.
        """
        xp = array_namespace(theta)
        at = self.surface.settled(theta)
        q = self.surface.place(at)
        away = q - self.point[:, None, :]
        size = xp.sum(xp.abs(q), axis=-1) + xp.sum(xp.abs(self.point), axis=-1)[:, None]
        doubt = NOISE * epsilon(xp, theta.dtype) * size + self.noise[:, None] + 2 * _off(self.surface, q)
        half = dot(xp, away, away) / 2
        none = half == 0
        if self.bounds is not None:
            none = none | xp.any((at < self.bounds[0]) | (at > self.bounds[1]), axis=-1)
        return dot(xp, away, self.normal[:, None, :]), doubt, xp.where(none, xp.nan, half)

    def rounding(self, starts: Starts) -> Array:
        """The rounding error of the curvatures at some places, (b, k)."""
        xp = array_namespace(starts.values)
        bend, height = self.seen(starts.places)
        square = 2 * height / xp.where(bend != 0, bend, 1.0)
        size = 2 * xp.sum(xp.abs(self.point), axis=-1)[:, None] + xp.sqrt(xp.abs(square))
        eps = epsilon(xp, bend.dtype)
        error = xp.abs(bend) + (size + self.noise[:, None] / eps) / xp.where(square > 0, square, 1.0)
        return NOISE * eps * xp.where(xp.isfinite(error), error, 1.0)

    def region(self, bend: Array, highest: Array) -> tuple[Array, Array]:
        """Centre and half sides, (b, d), of a box around what may stop a smaller ball than that of curvature κ.

        It lies in the ball, and no farther from p than √(2h/κ) for its height h. Half sides are 0 where there is no
        bound at all.
        """
        xp = array_namespace(bend)
        radius = radius_of(xp, bend)[:, None]
        center = self.surface.parameters_of(self.point + radius * self.normal)
        here = self.here
        far = LOOK_AROUND * xp.sqrt(2 * radius * xp.clip(highest, 0.0)[:, None]) + radius / 2**10
        found = xp.isfinite(radius)
        found = found & ~xp.isnan(center)
        low = xp.where(found, xp.maximum(center - radius, here - far), -xp.inf)
        high = xp.where(found, xp.minimum(center + radius, here + far), xp.inf)
        if self.bounds is not None:
            low, high = xp.maximum(low, self.bounds[0]), xp.minimum(high, self.bounds[1])
        unbounded = ~xp.isfinite(high - low)
        low, high = xp.where(unbounded, here, low), xp.where(unbounded, here, high)
        return (low + high) / 2, xp.maximum((high - low) / 2, xp.zeros_like(low))


@singledispatch
def _off(surface: Any, q: Array) -> Array:
    """How far points are off a level set, to first order; other surfaces are where their points are."""
    return array_namespace(q).zeros_like(q[..., 0])


@_off.register
def _(surface: LevelSet, q: Array) -> Array:
    xp = array_namespace(q)
    value, gradient = surface.value_and_gradient(q)
    return xp.abs(value) / length(xp, gradient)


@singledispatch
def _resolution(surface: Any, point: Array, normal: Array) -> Array:
    """How far from points (b, n) what defines the surface begins to grow along its normal as it should, (b,).

    Below, the rounding errors inside of the function are larger than its values.
    """
    return array_namespace(point).zeros_like(point[:, 0])


@_resolution.register
def _(surface: LevelSet, point: Array, normal: Array) -> Array:
    return _growing(surface.value, length(array_namespace(point), surface.gradient(point)), point, normal)


@_resolution.register
def _(surface: FunctionGraph, point: Array, normal: Array) -> Array:
    return _growing(lambda x: x[..., -1] - surface.value(x[..., :-1]), 1 / normal[..., -1], point, normal)


def _growing(rise: Callable[[Array], Array], slope: Array, point: Array, normal: Array) -> Array:
    xp = array_namespace(point)
    size = xp.max(xp.abs(point), axis=-1)
    least = epsilon(xp, point.dtype) * xp.where(size > 0, size, xp.ones_like(size))
    here, found = rise(point), xp.full_like(size, xp.nan)
    for k in range(LADDER):
        away = least * 4.0**k
        up, down = (rise(point + (sign * away)[:, None] * normal) - here for sign in SIGNS.values())
        wrong = xp.maximum(xp.abs(up - away * slope), xp.abs(down + away * slope))
        found = xp.where(xp.isnan(found) & (wrong <= away * slope / 4), 4 * away, found)  # not by chance
    return xp.where(xp.isnan(found), xp.zeros_like(found), found)


def _differentiated(touch: _Touch, curvature: Array, stop: Array) -> Array:
    """The same curvatures (b,), with derivatives: those of the ball through q, or of the limit at p."""
    xp = array_namespace(curvature)
    stopped = curvature > touch.bend
    away = xp.where(stopped[:, None], stop, constant(xp, touch.here) + 1)
    derived = xp.where(stopped, at_maximum(lambda q: _bend(touch, q), away, curvature), touch.bend)
    return xp.where(xp.isfinite(curvature), with_derivative_of(xp, curvature, derived), curvature)


def _bend(touch: _Touch, theta: Array) -> Array:
    """2h/|q − p|² for one point q (b, d) of each ball."""
    xp = array_namespace(theta)
    away = touch.surface.point(theta) - touch.point
    square = dot(xp, away, away)
    return 2 * dot(xp, away, touch.normal) / xp.where(square > 0, square, xp.ones_like(square))


def _largest_curvature(touch: _Touch, count: int) -> tuple[Array, Array]:
    """sup of the curvature of the balls through points q, and of its limit at p, (b,), and the highest q, (b, d)."""
    xp = array_namespace(touch.point)
    starts = _starts(touch, count)
    ends = climb(lambda theta: touch.seen(theta)[0], starts, touch.rounding(starts), touch.compiled())
    best = ends.take(xp.argmax(ends.values, axis=1, keepdims=True))
    bend = xp.where(best.values == -xp.inf, best.values, touch.curvature(best.places))[:, 0]
    lost = xp.any(xp.isnan(touch.normal), axis=-1) | xp.any(xp.isnan(touch.point), axis=-1)
    return xp.where(lost, xp.nan, xp.maximum(touch.bend, bend)), best.places[:, 0, :]


def _starts(touch: _Touch, count: int) -> Starts:
    """From where to climb: the best of `count` samples a sweep."""
    xp, d, compiled = array_namespace(touch.point), touch.here.shape[1], touch.compiled()
    if compiled is None or (run := kernel("touch", xp)) is None:
        return sampled(_sweeps(touch, count), PEAKS, STARTS)
    samples = [samples_of_the_cube(d, count, sweep) for sweep in range(SWEEPS)]
    anywhere = [_all_scales(seen.points) for seen in samples if touch.bounds is None]
    away = xp.stack([away for away, _ in anywhere]) if anywhere else xp.zeros((0, 0, d))
    sizes = xp.stack([size[:, 0] for _, size in anywhere]) if anywhere else xp.zeros((0, 0))
    return Starts(*run(*compiled[1:], touch.bend, samples, away, sizes, PEAKS, STARTS))


def _sweeps(touch: _Touch, count: int) -> Iterator[tuple[Samples, Starts]]:
    """All that there is first, then where a point may stop a smaller ball than those seen before.

    The ball of curvature alone says little: it may be so large that samples of all of it miss what is near by.
    """
    xp, d = array_namespace(touch.point), touch.here.shape[-1]
    best, top = touch.bend, xp.full_like(touch.bend, xp.inf)
    for sweep in range(SWEEPS):
        samples = samples_of_the_cube(d, count, sweep)
        known = best if sweep or touch.bounds else xp.full_like(best, -xp.inf)
        points, (center, half) = alike(best, samples.points), touch.region(known, top)
        places = center[:, None, :] + half[:, None, :] * points
        spread = xp.broadcast_to(2 * samples.spacing * half[:, None, :], places.shape)
        if touch.bounds is None:
            away, size = _all_scales(points)
            unbounded = xp.all(half == 0, axis=-1)[:, None, None]
            places = xp.where(unbounded, center[:, None, :] + away, places)
            spread = xp.where(unbounded, size, spread)
        values, heights = touch.seen(places)
        yield samples, Starts(values, places, xp.max(spread, axis=-1))
        best, top = xp.maximum(best, xp.max(values, axis=1)), xp.max(heights, axis=1)


def _all_scales(points: Array) -> tuple[Array, Array]:
    """Samples of the cube carried to vectors of all sizes, each direction at every scale, and their spacing."""
    xp = array_namespace(points)
    size = xp.max(xp.abs(points), axis=-1, keepdims=True)
    scale = xp.exp((2 * size - 1) * (SCALES / 2 * math.log(10.0)))
    away = points / xp.where(size > 0, size, 1.0) * scale
    return away, xp.broadcast_to(scale * SCALES * 4 * points.shape[0] ** (-1 / points.shape[1]), away.shape)
