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
    floating,
    is_array_api_obj,
    is_traced,
    quietly,
    whole,
)
from geometry._vectors import dot
from geometry.graph import FunctionGraph
from geometry.level_set import LevelSet, Surface, check_any_surface

__all__ = [
    "Bottleneck",
    "Reach",
    "bottleneck",
    "check_side",
    "corners",
    "critical_radius",
    "radius_of",
    "reach",
]

SIGNS = {"above": 1.0, "below": -1.0}
SAMPLES, LEVEL_SAMPLES = 2**16, 2**13
NEARBY = 20  # steps from a sample to a level set: what is farther is left to nearer samples
CLIMBS = 2**15  # evaluations that climbs to the largest curvatures take, more or less


class Reach(NamedTuple):
    """The reach, and where it is attained."""

    value: Array  # (): inf where nothing bends or faces itself
    theta: Array  # (d,): where the extreme curvature is, or one end of the bottleneck
    side: str  # "above" or "below": on which side the ball of this radius gets stuck; in a trace as it was asked for


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
    count = LEVEL_SAMPLES if isinstance(surface, LevelSet) else SAMPLES
    count = count if samples is None else whole("samples", samples, 1)
    xp, low, high = corners(box, surface)
    found = _bent(surface, xp, low, high, side, count)
    if isinstance(surface, LevelSet):
        neck = bottleneck(surface, box, side=side)
        if float(neck.radius) < float(found.value):
            inside = _height(xp, surface, neck.points) > 0
            return Reach(neck.radius, neck.points[0, ...], "above" if bool(inside) else "below")
    return found


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


def check_side(name: str, side: Any, *, both: bool = False) -> None:
    """Raise unless `side` is the name of a side."""
    allowed = [*SIGNS, "both"] if both else [*SIGNS]
    if side not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {side!r}")


def corners(box: Any, surface: Surface | None = None) -> tuple[Namespace, Array, Array]:
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
    function: Any = surface._graph._value if isinstance(surface, LevelSet) else surface._value
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
    if isinstance(surface, FunctionGraph):
        surface = surface.prepared(low[None, :], samples + CLIMBS, order=2)

    @quietly
    def curvature(theta: Array) -> Array:
        """−inf outside of the box and off the surface."""
        x = surface.point(theta, max_steps=NEARBY) if isinstance(surface, LevelSet) else theta
        outside = xp.any((x < low) | (x > high), axis=-1)
        bend = functools.reduce(xp.maximum, _towards(surface.curvatures(x), side).values())
        return xp.where(outside | xp.isnan(bend), -xp.inf, bend)

    compiled = _compiled(surface, low, high, side)
    units = 256 if isinstance(surface, LevelSet) else 16  # the way to a level set leaves some rounding
    value, theta = highest(
        curvature, ((low + high) / 2)[None, :], ((high - low) / 2)[None, :], samples, units, compiled
    )
    value, theta = value[0], theta[0, :]
    theta = surface.point(theta) if isinstance(surface, LevelSet) else theta
    if is_traced(value) or side != "both":
        return Reach(radius_of(xp, value), theta, side)
    bends = {name: float(bend) for name, bend in _towards(surface.curvatures(theta), side).items()}
    return Reach(radius_of(xp, value), theta, max(bends, key=lambda name: bends[name]))


def _compiled(surface: Surface, low: Array, high: Array, side: str) -> Compiled | None:
    """What compiled code looks for; None where arrays do."""
    expression = surface.to_look(low[None, :], "look") if isinstance(surface, FunctionGraph) else None
    if expression is None:
        return None
    sides = [float(side in (name, "both")) for name in SIGNS]
    items = numpy.concatenate([(low + high) / 2, (high - low) / 2, low, high, sides])[None, :]
    return Compiled("bending", expression, items)


def radius_of(xp: Namespace, curvature: Array) -> Array:
    """1/κ, or inf where κ ≤ 0 (or NaN)."""
    bent = curvature > 0
    return xp.where(bent, 1 / xp.where(bent, curvature, 1.0), xp.inf)


def _height(xp: Namespace, surface: Surface, points: Array) -> Array:
    """The height of the second of two points over the tangent plane of the first."""
    return dot(xp, points[1, ...] - points[0, ...], surface.normal(points[0, ...]))
