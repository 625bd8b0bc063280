"""Distance, nearest points and offset of a graph, each with a proof."""

from __future__ import annotations

from typing import Any

import numpy

from geometry._namespace import Array, broadcast, floating, positive, to_numpy, whole
from geometry.certified._model import Model
from geometry.certified._problems import distances, offsets
from geometry.certified.enclosure import Enclosure, Regions
from geometry.graph import FunctionGraph, check_surface

__all__ = ["distance", "footpoint", "offset_function"]


def distance(
    surface: FunctionGraph,
    points: Array,
    *,
    tolerance: float = 1e-6,
    max_boxes: int = 100_000,
    start: Array | None = None,
    progress: bool = False,
) -> Enclosure:
    """Distance of points to a graph, between bounds that are proven.

    Parameters
    ----------
    surface : FunctionGraph
        Bounds rest on its values alone, as `geometry.expressions.record` records them, and on the derivatives of the
        recording; it is taken for the exact function of its formulas, with constants that are the floats they are. A
        gradient and a Hessian that it was given save some time; they are compared with those of the values at some
        points.
    points : array (..., d+1)
        Query points, height last. NumPy arrays come back, whatever the library of the points.
    tolerance : float
        Largest width, upper − lower, asked for; a length.
    max_boxes : int
        Largest number of boxes to examine for one point. Memory does not grow beyond that of these boxes, or of about
        a million for many points together.
    start : array (..., d), optional
        Guesses of the nearest points: a good one saves boxes, a bad one costs nothing.
    progress : bool
        Whether to show a progress bar: points that are done, boxes examined, and the widest gap that is left.

    Returns
    -------
    Enclosure

    Raises
    ------
    TypeError, ValueError
        For arguments of the wrong kind or shape, for functions that cannot be recorded, and for derivatives that
        are not those of the values: see `geometry.check_gradient`.

    Notes
    -----
    No domain is needed: a point of the graph that is nearer than the one below the query, at distance |f(x) − y|, is
    within that distance in θ as well. Where f is not defined there is no surface.

    Over each box f is enclosed between two parallel planes, with an error of second order in the size of the box, by
    one evaluation of f. The boxes are shared by all points of one call: it pays to ask for many at once.

    Examples
    --------
    >>> import numpy as np
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]))
    >>> found = distance(wave, [[-np.pi / 2, 1.0], [0.0, 0.5]], tolerance=1e-9)
    >>> found.lower.round(8), found.closed
    (array([1.81454424, 0.35537439]), array([ True,  True]))
    """
    options = _options(tolerance, max_boxes, progress)
    model, x, y, starts, batch = _queries(surface, points, start)
    return distances(model, x, y, starts, regions=False, **options).enclosure(tolerance, batch)


def footpoint(
    surface: FunctionGraph,
    points: Array,
    *,
    tolerance: float = 1e-6,
    max_boxes: int = 100_000,
    start: Array | None = None,
    progress: bool = False,
) -> Regions:
    """All regions of θ that may hold a nearest point on a graph; on the medial axis there are several.

    Parameters
    ----------
    surface : FunctionGraph
        As in `distance`.
    points, tolerance, max_boxes, start, progress
        As in `distance`; the tolerance is that of the distance.

    Returns
    -------
    Regions
        Every nearest point is in one of them. Those that are marked as `unique` are as small as floats can tell apart,
        and proven to hold one stationary point each; others may hold none, or many.

    Raises
    ------
    TypeError, ValueError
        As `distance`.

    Examples
    --------
    >>> import numpy as np
    >>> bowl = FunctionGraph(lambda t: (t**2).sum(-1) / 2)
    >>> found = footpoint(bowl, [[0.5, 1.0], [0.0, 3.0]])
    >>> found.lower.round(9), found.unique            # θ = 1, and θ = ±2 for the point on the axis
    (array([[ 1.],
           [-2.],
           [ 2.]]), array([ True,  True,  True]))
    """
    options = _options(tolerance, max_boxes, progress)
    model, x, y, starts, batch = _queries(surface, points, start)
    found = distances(model, x, y, starts, regions=True, **options)
    return Regions(found.enclosure(tolerance, batch), *found.all_regions(), found.theta.reshape(*batch, x.shape[1]))


def offset_function(
    surface: FunctionGraph,
    theta: Array,
    radius: Array,
    *,
    tolerance: float = 1e-6,
    max_boxes: int = 100_000,
    progress: bool = False,
) -> Enclosure:
    """Height of the centre of a ball that rests on a graph, f_ρ(θ) = sup over |s| ≤ ρ of f(θ + s) + √(ρ² − |s|²).

    Parameters
    ----------
    surface : FunctionGraph
        As in `distance`.
    theta : array (..., d)
    radius : float or array
        ρ ≥ 0; broadcasts against the batch.
    tolerance, max_boxes, progress
        As in `distance`.

    Returns
    -------
    Enclosure
        −∞ where the surface is not defined within the ball.

    Raises
    ------
    TypeError, ValueError
        As `distance`.

    References
    ----------
    Belgoumri et al., "Rolling Ball Optimizer" (2025), Section 4.2.

    Examples
    --------
    >>> import numpy as np
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]))
    >>> found = offset_function(wave, [-np.pi / 2], [0.5, 2.0])
    >>> found.lower.round(5), found.closed
    (array([-0.5    ,  1.25833]), array([ True,  True]))
    """
    check_surface(surface)
    options = _options(tolerance, max_boxes, progress)
    positive("radius", radius, zero=True)
    theta, radius = (to_numpy(floating(name, a)[1]).astype(float) for name, a in (("theta", theta), ("radius", radius)))
    if theta.ndim == 0 or theta.shape[-1] == 0:
        raise ValueError(f"theta must have shape (..., d) with d >= 1, got {theta.shape}")
    batch, d = broadcast(theta=theta.shape[:-1], radius=radius.shape), theta.shape[-1]
    x = numpy.broadcast_to(theta, (*batch, d)).reshape(-1, d)
    rho = numpy.broadcast_to(radius, batch).reshape(-1)
    return offsets(Model(surface, d), x, rho, **options).enclosure(tolerance, batch)


# The border.


def _options(tolerance: float, max_boxes: int, progress: bool) -> dict[str, Any]:
    positive("tolerance", tolerance, zero=True)
    whole("max_boxes", max_boxes, least=1)
    return {"tolerance": float(tolerance), "max_boxes": max_boxes, "progress": bool(progress)}


def _queries(
    surface: FunctionGraph, points: Array, start: Array | None
) -> tuple[Model, numpy.ndarray, numpy.ndarray, list[numpy.ndarray], tuple[int, ...]]:
    """The surface on intervals; x, y and guesses of θ of the flattened batch; and the batch."""
    check_surface(surface)
    points = to_numpy(floating("points", points)[1]).astype(float)
    if points.ndim == 0 or points.shape[-1] < 2:
        raise ValueError(f"points must have shape (..., d+1) with d >= 1, got {points.shape}")
    batch, d = points.shape[:-1], points.shape[-1] - 1
    starts = []
    if start is not None:
        start = to_numpy(floating("start", start)[1]).astype(float)
        if start.ndim == 0 or start.shape[-1] != d:
            raise ValueError(f"start must have shape (..., {d}), got {start.shape}")
        batch = broadcast(points=batch, start=start.shape[:-1])
        starts = [numpy.broadcast_to(start, (*batch, d)).reshape(-1, d)]
    points = numpy.broadcast_to(points, (*batch, d + 1)).reshape(-1, d + 1)
    x, y = numpy.ascontiguousarray(points[:, :-1]), numpy.ascontiguousarray(points[:, -1])
    return Model(surface, d), x, y, starts, batch
