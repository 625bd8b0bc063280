"""Reach: how far from a surface footpoints are unique.

The reach of a set Γ is the largest r such that every point nearer to Γ than r has one footpoint only (Federer 1959).
Two things make it small: curvature, and bottlenecks, where two sheets face each other. The graph of a C² function has
no bottleneck, so that its reach is 1 / sup |κ|; the proof is in ``docs/reach.rst``.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy

from geometry._autodiff import constant, is_differentiable, is_recorded, with_derivative_of
from geometry._bottleneck import narrowest
from geometry._implicit import at_maximum, still
from geometry._maximum import Compiled, highest
from geometry._namespace import (
    Array,
    Namespace,
    array_namespace,
    device_of,
    epsilon,
    floating,
    is_array_api_obj,
    is_traced,
    quietly,
    whole,
)
from geometry._results import comparable
from geometry._sides import SIGNS, check_side
from geometry._vectors import dot, length
from geometry.level_set import LevelSet
from geometry.parametric import Parametric
from geometry.surface import Surface, check_any_surface

__all__ = [
    "Bottleneck",
    "Reach",
    "bottleneck",
    "corners",
    "critical_radius",
    "radius_of",
    "reach",
]

SAMPLES, LEVEL_SAMPLES = 2**16, 2**13
PAIRS = 2**14  # of parameters, at which a parametric surface may face itself
NOISE, NEAR = 8, 1e-6  # units of the last place that a height may be wrong by; how much narrower than bent it must be
CLIMBS = 2**15  # evaluations that climbs to the largest curvatures take, more or less


@comparable
class Reach(NamedTuple):
    """The reach, and where it is attained."""

    value: Array  # (): inf where nothing bends or faces itself
    theta: Array  # (d,): where the extreme curvature is, or one end of the bottleneck
    side: str  # "above" or "below": on which side the ball of this radius gets stuck; in a trace as it was asked for


@comparable
class Bottleneck(NamedTuple):
    """A segment that is normal to the surface at both of its ends."""

    radius: Array  # (): half its length; inf where none was found
    points: Array  # (2, n): its ends


def reach(
    surface: Surface, box: Sequence[tuple[float, float]] | Array, *, side: str = "both", samples: int | None = None
) -> Reach:
    """Reach of a surface: the smaller of its least radius of curvature and, for a level set, half its bottleneck.

    Parameters
    ----------
    surface : FunctionGraph or LevelSet
        Twice continuously differentiable, with a Hessian. At a kink the reach is 0, which curvatures do not see.
    box : sequence of (low, high)
        Where the extreme curvature is sought: one pair for each dimension of θ (of the ambient space for a level set).
        The search runs on the library of an array; for numbers on that of which the surface makes its values, NumPy if
        it has none of its own.
    side : {"above", "below", "both"}
        "above" counts what stops a ball above the surface: positive curvatures. "both" is the reach in Federer's sense.
    samples : int, optional
        How many points of the box are looked at. Default: 65536, or 8192 for a level set. Peaks of the curvature that
        are much narrower than their spacing may be missed: see Notes.

    Returns
    -------
    Reach

    Raises
    ------
    TypeError, ValueError
        For arguments of the wrong kind or shape.

    Notes
    -----
    The search is not rigorous: the best of the samples are climbed from, and what falls between them is not seen. The
    value is an upper bound of the reach, up to rounding. `geometry.certified.reach` encloses it.

    References
    ----------
    H. Federer, "Curvature measures", Trans. AMS 93 (1959), 418–491.
    E. Aamari et al., "Estimating the reach of a manifold", Electronic J. Statistics 13 (2019), Theorem 3.4.

    Examples
    --------
    The double well bends most beside its minima, where its curvature is 8:

    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> well = FunctionGraph(
    ...     lambda t: (t[..., 0] ** 2 - 1) ** 2, lambda t: 4 * t * (t**2 - 1), lambda t: (12 * t**2 - 4)[..., None]
    ... )
    >>> found = reach(well, [(-2, 2)])
    >>> found.value.round(12), np.abs(found.theta).round(6), found.side
    (np.float64(0.122285678467), array([1.014441]), 'above')
    """
    check_any_surface(surface)
    check_side("side", side, both=True)
    xp, low, high = corners(box, surface)
    count = LEVEL_SAMPLES if surface.dimension(low) < low.shape[0] else SAMPLES
    count = count if samples is None else whole("samples", samples, 1)
    found = _bent(surface, xp, low, high, side, count)
    return _narrowed(surface, found, xp, low, high, side)


@functools.singledispatch
def _narrowed(surface: Any, found: Reach, xp: Namespace, low: Array, high: Array, side: str) -> Reach:
    """The reach, given that of curvature: where the surface faces itself it may be less. A graph never does."""
    return found


@_narrowed.register
def _(surface: LevelSet, found: Reach, xp: Namespace, low: Array, high: Array, side: str) -> Reach:
    neck = bottleneck(surface, xp.stack([low, high], axis=-1), side=side)
    if float(neck.radius) >= float(found.value):
        return found
    inside = _height(xp, surface, neck.points) > 0
    return Reach(neck.radius, neck.points[0, ...], "above" if bool(inside) else "below")


@_narrowed.register
def _(surface: Parametric, found: Reach, xp: Namespace, low: Array, high: Array, side: str) -> Reach:
    """Federer's quotient over all pairs of parameters."""
    k = low.shape[0]

    @quietly
    def curvature(pairs: Array) -> Array:
        p, q = surface.point(pairs[..., :k]), surface.point(pairs[..., k:])
        rise = _rise(surface, pairs[..., :k], q - p, side)
        square = dot(xp, q - p, q - p)
        doubt = NOISE * epsilon(xp, low.dtype) * (length(xp, p) + length(xp, q))
        bend = 2 * (rise - doubt) / square
        return xp.where((square > 0) & ~xp.isnan(bend), bend, -xp.inf)

    low, high = xp.concat([low, low]), xp.concat([high, high])
    value, pair = highest(curvature, ((low + high) / 2)[None, :], ((high - low) / 2)[None, :], PAIRS, 256)
    radius = radius_of(xp, value[0])
    if not float(radius) < float(found.value) * (1 - NEAR):  # pairs that are near each other only see the curvature
        return found
    p, q = pair[0, :k], pair[0, k:]
    if side == "both" and surface.point(p).shape[-1] == k + 1:
        side = "above" if float(_rise(surface, p, surface.point(q) - surface.point(p), "above")) > 0 else "below"
    return Reach(radius, p, side)


def _rise(surface: Parametric, theta: Array, away: Array, side: str) -> Array:
    """How far points are over the tangent spaces at θ, towards a side."""
    xp = array_namespace(away)
    if side == "both":
        return length(xp, surface.across(theta, away))
    return SIGNS[side] * dot(xp, away, surface.normal(theta))


def critical_radius(
    surface: Surface, box: Sequence[tuple[float, float]] | Array, *, samples: int | None = None
) -> Array:
    """Radius up to which a ball above the surface touches every point of it: the reach from above.

    For a graph it is 1 / sup κ over the positive principal curvatures. Up to it f_ρ is a parallel surface.

    Parameters
    ----------
    surface, box, samples
        As in `reach`.

    Returns
    -------
    array ()

    Notes
    -----
    An upper bound, found by a search that is not rigorous; `geometry.certified.critical_radius` encloses it.

    Examples
    --------
    The hill exp(−x²/2) has reach 1, at its top. A ball above it gets stuck only in the feet of the hill:

    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> bell = lambda t: np.exp(-t**2 / 2)
    >>> hill = FunctionGraph(
    ...     lambda t: bell(t)[..., 0], lambda t: -t * bell(t), lambda t: ((t**2 - 1) * bell(t))[..., None]
    ... )
    >>> reach(hill, [(-5, 5)]).value.round(12), critical_radius(hill, [(-5, 5)]).round(12)
    (np.float64(1.0), np.float64(2.676208711245))
    """
    return reach(surface, box, side="above", samples=samples).value


@quietly
def bottleneck(
    surface: LevelSet, box: Sequence[tuple[float, float]] | Array, *, side: str = "both", samples: int = 2048
) -> Bottleneck:
    """The narrowest bottleneck of a level set: the shortest segment that is normal to it at both ends.

    Parameters
    ----------
    surface : LevelSet
        With a Hessian.
    box : sequence of (low, high)
        Both ends are sought in it.
    side : {"above", "below", "both"}
        Whether the segment leaves both ends upwards (towards F > 0), or downwards.
    samples : int
        How many points of the surface are paired with one another.

    Returns
    -------
    Bottleneck

    Notes
    -----
    Not rigorous: bottlenecks narrower than the spacing of the samples may be missed. The candidates are refined by
    Gauss–Newton steps on the conditions F(p) = F(q) = 0 and p − q ∥ ∇F(p), ∇F(q).

    References
    ----------
    D. Eklund, "The numerical algebraic geometry of bottlenecks", Advances in Applied Mathematics 142 (2023).

    Examples
    --------
    >>> import numpy as np
    >>> ellipse = LevelSet(
    ...     lambda x: x[..., 0] ** 2 / 9 + x[..., 1] ** 2 - 1,
    ...     lambda x: x * np.array([2 / 9, 2.0]),
    ...     lambda x: np.diag([2 / 9, 2.0]) + 0 * x[..., None],
    ... )
    >>> bottleneck(ellipse, [(-4, 4), (-2, 2)]).radius.round(12)
    np.float64(1.0)
    """
    if not isinstance(surface, LevelSet):
        raise TypeError(f"surface must be a LevelSet, got {surface!r}")
    check_side("side", side, both=True)
    whole("samples", samples, 2)
    _, low, high = corners(box, surface)
    return Bottleneck(
        *narrowest(surface, low, high, [sign for name, sign in SIGNS.items() if side in (name, "both")], samples)
    )


def corners(box: Any, surface: Any = None) -> tuple[Namespace, Array, Array]:
    """The lowest and the highest corner of a box, arrays (d,); of numbers in the library of a surface."""
    if not is_array_api_obj(box):
        try:
            box = [(float(low), float(high)) for low, high in box]
        except (TypeError, ValueError) as error:
            raise ValueError(f"box must be a sequence of (low, high), one for each dimension, got {box!r}") from error
    xp, sides = floating("box", box)
    if sides.ndim != 2 or sides.shape[0] == 0 or sides.shape[1] != 2:
        raise ValueError(f"box must be a sequence of (low, high), one for each dimension, got shape {sides.shape}")
    if surface is not None and not is_array_api_obj(box):
        xp, sides = _in_library_of(surface, sides)
    low, high = sides[:, 0], sides[:, 1]
    if not is_traced(sides) and not bool(xp.all(xp.isfinite(sides)) & xp.all(low < high)):
        raise ValueError(f"box must have finite sides with low < high, got {box!r}")
    return xp, low, high


def _in_library_of(surface: Surface, sides: Array) -> tuple[Namespace, Array]:
    """A box of NumPy's as an array of the library of which the surface makes values: PyTorch's take no other arrays."""
    function: Any = surface.function
    for name in ("numpy", "torch"):
        try:
            value = function(sys.modules[name].asarray(sides.mean(axis=1)))
        except Exception:  # no such library, or none that the function takes: that is told where it is evaluated
            continue
        if is_array_api_obj(value):
            xp = array_namespace(value)
            return xp, xp.asarray(sides, device=None if is_traced(value) else device_of(value))
        break
    return array_namespace(sides), sides


def _bent(surface: Surface, xp: Namespace, low: Array, high: Array, side: str, samples: int) -> Reach:
    """The least radius of curvature in a box."""
    if not is_differentiable(xp):
        return _sought(surface, xp, low, high, side, samples)
    held, was_recorded = still(surface)
    found = _sought(held, xp, constant(xp, low), constant(xp, high), side, samples)
    if not (was_recorded() or is_recorded(xp, low, high)):
        return found
    theta = found.theta
    theta = xp.where(theta >= high, high, xp.where(theta <= low, low, theta))  # on the rim it moves with the box

    def curvature(theta: Array) -> Array:
        return functools.reduce(xp.maximum, _towards(surface.curvatures(theta), side).values())

    bend = at_maximum(curvature, theta[None, :], 1 / found.value[None])[0]
    value = with_derivative_of(xp, found.value, xp.where(found.value < xp.inf, 1 / bend, found.value))
    return found._replace(value=value)


def _towards(bends: Array, side: str) -> dict[str, Array]:
    """The largest curvature towards each side, from the principal curvatures."""
    return {name: sign * bends[..., -1 if sign > 0 else 0] for name, sign in SIGNS.items() if side in (name, "both")}


def _sought(surface: Surface, xp: Namespace, low: Array, high: Array, side: str, samples: int) -> Reach:
    surface = surface.prepared(low[None, :], samples + CLIMBS, order=2)
    is_implicit = surface.dimension(low) < low.shape[0]

    @quietly
    def curvature(theta: Array) -> Array:
        """−inf outside of the box and off the surface."""
        x = surface.settled(theta)
        outside = xp.any((x < low) | (x > high), axis=-1)
        bend = functools.reduce(xp.maximum, _towards(surface.curvatures(x), side).values())
        return xp.where(outside | xp.isnan(bend), -xp.inf, bend)

    compiled = _compiled(surface, low, high, side)
    units = 256 if is_implicit else 16  # the way to a level set leaves some rounding
    value, theta = highest(
        curvature, ((low + high) / 2)[None, :], ((high - low) / 2)[None, :], samples, units, compiled
    )
    value, theta = value[0], theta[0, :]
    theta = surface.point(theta) if is_implicit else theta
    if is_traced(value) or side != "both":
        return Reach(radius_of(xp, value), theta, side)
    bends = {name: float(bend) for name, bend in _towards(surface.curvatures(theta), side).items()}
    return Reach(radius_of(xp, value), theta, max(bends, key=lambda name: bends[name]))


def _compiled(surface: Surface, low: Array, high: Array, side: str) -> Compiled | None:
    """What compiled code looks for; None where arrays do."""
    expression = surface.to_look(low[None, :], "look")
    if expression is None:
        return None
    sides = [float(side in (name, "both")) for name in SIGNS]
    items = numpy.concatenate([(low + high) / 2, (high - low) / 2, low, high, sides])[None, :]
    return Compiled("bending", expression, items)


def radius_of(xp: Namespace, curvature: Array) -> Array:
    """1/κ, or inf where κ ≤ 0 (or NaN)."""
    bent = curvature > 0
    return xp.where(bent, 1 / xp.where(bent, curvature, 1.0), xp.inf)


def _height(xp: Namespace, surface: LevelSet, points: Array) -> Array:
    """The height of the second of two points over the tangent plane of the first."""
    return dot(xp, points[1, ...] - points[0, ...], surface.normal(points[0, ...]))
