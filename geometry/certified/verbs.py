"""Distance, nearest points and offset of a surface, each with a proof."""

from __future__ import annotations

import numpy

from geometry._namespace import Array, broadcast, floating, positive, to_numpy
from geometry.certified._batches import Report
from geometry.certified._border import Home, checked, numbers
from geometry.certified._levels import level_distances
from geometry.certified._model import Model
from geometry.certified._problems import Solution, distances, offsets
from geometry.certified.enclosure import Enclosure, Regions
from geometry.graph import FunctionGraph, check_surface
from geometry.level_set import LevelSet
from geometry.surface import OfFunction, check_of_function

__all__ = ["distance", "footpoint", "offset_function", "project", "signed_distance"]


def distance(
    surface: OfFunction,
    points: Array,
    *,
    tolerance: float = 1e-6,
    max_boxes: int = 100_000,
    start: Array | None = None,
    progress: bool | Report = False,
) -> Enclosure:
    """Distance of points to a surface, between bounds that are proven.

    Parameters
    ----------
    surface : FunctionGraph or LevelSet
        Bounds rest on its values alone, as `geometry.expressions.record` records them, and on the derivatives of the
        recording; it is taken for the exact function of its formulas, with constants that are the floats they are. A
        gradient and a Hessian that it was given save some time; they are compared with those of the values at some
        points.
    points : array (..., n)
        Query points, n = d + 1, height last for a graph. Results are arrays of their library, device and dtype, rounded
        outward; the search is done on the processor in float64.
    tolerance : float
        Largest width, upper − lower, asked for; a length.
    max_boxes : int
        Largest number of boxes to examine for one point. Memory does not grow beyond that of these boxes, or of about
        a million for many points together.
    start : array (..., d), optional
        Guesses of the nearest points, such as `theta` of an earlier answer: a good one saves boxes, a bad one costs
        nothing.
    progress : bool or callable
        Whether to show a progress bar; or what is told in each round how many points are done, how many boxes were
        examined, and the widest gap that is left.

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
    within that distance in θ as well. Where f is not defined there is no surface. A level set is looked for around the
    query; a zero of F counts where F is continuous and changes its sign, which is also what an upper bound rests on, so
    that a sheet on which F does not change its sign is seen by lower bounds only, and leaves them open.

    Over each box f is enclosed between two parallel planes, with an error of second order in the size of the box, by
    one evaluation of f. The boxes are shared by all points of one call: it pays to ask for many at once.

    For 64 points or more, and f that is analytic and of at most three variables, a model of the landscape is made where
    they look: piecewise polynomials, each proven to be next to f within a part of the tolerance. Then a box costs the
    same for a sum of one term or of a thousand, the search is compiled, and later calls for the same f begin with the
    model: see `save_model`. What it cannot prove is left to the search above.

    Examples
    --------
    >>> import numpy as np
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]))
    >>> found = distance(wave, [[-np.pi / 2, 1.0], [0.0, 0.5]], tolerance=1e-9)
    >>> found.lower.round(8), found.closed
    (array([1.81454424, 0.35537439]), array([ True,  True]))
    """
    home, batch, found = _nearest(surface, points, start, tolerance, max_boxes, progress, regions=False)
    return home.enclosure(found, tolerance, batch)


def signed_distance(
    surface: OfFunction,
    points: Array,
    *,
    tolerance: float = 1e-6,
    max_boxes: int = 100_000,
    start: Array | None = None,
    progress: bool | Report = False,
) -> Enclosure:
    """Distance of points to a surface, positive above and negative below, between bounds that are proven.

    Parameters
    ----------
    surface, points, tolerance, max_boxes, start, progress
        As in `distance`.

    Returns
    -------
    Enclosure
        Where rounding leaves open on which side a point is, 0 is inside.

    Raises
    ------
    TypeError, ValueError
        As `distance`.

    Examples
    --------
    >>> import numpy as np
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]))
    >>> found = signed_distance(wave, [[0.0, 2.0], [0.0, -2.0]], tolerance=1e-9)
    >>> found.lower.round(5), found.upper.round(5)
    (array([ 1.51047, -1.51047]), array([ 1.51047, -1.51047]))
    """
    home, batch, found = _nearest(surface, points, start, tolerance, max_boxes, progress, regions=False)
    low, high = (
        numpy.where(found.above > 0, found.lower, -found.upper),
        numpy.where(found.above < 0, -found.lower, found.upper),
    )
    return home.enclosure(found.between(low, high), tolerance, batch)


def footpoint(
    surface: OfFunction,
    points: Array,
    *,
    tolerance: float = 1e-6,
    max_boxes: int = 100_000,
    start: Array | None = None,
    progress: bool | Report = False,
) -> Regions:
    """All regions of θ that may hold a nearest point on a surface; on the medial axis there are several.

    Parameters
    ----------
    surface : FunctionGraph or LevelSet
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
    home, batch, found = _nearest(surface, points, start, tolerance, max_boxes, progress, regions=True)
    enclosure, (lower, upper, query, unique) = home.enclosure(found, tolerance, batch), found.all_regions()
    ends = home.down(lower), home.up(upper)
    return Regions(enclosure, *ends, home.count(query), home.count(unique), enclosure.theta)


project = footpoint
"""`footpoint`, under the name that it has in `geometry`."""


def offset_function(
    surface: FunctionGraph,
    theta: Array,
    radius: Array,
    *,
    tolerance: float = 1e-6,
    max_boxes: int = 100_000,
    progress: bool | Report = False,
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
    options = checked(tolerance, max_boxes, progress)
    positive("radius", radius, zero=True)
    home, theta = numbers("theta", theta)
    radius = to_numpy(floating("radius", radius)[1]).astype(float)
    if theta.ndim == 0 or theta.shape[-1] == 0:
        raise ValueError(f"theta must have shape (..., d) with d >= 1, got {theta.shape}")
    batch, d = broadcast(theta=theta.shape[:-1], radius=radius.shape), theta.shape[-1]
    x = numpy.broadcast_to(theta, (*batch, d)).reshape(-1, d)
    rho = numpy.broadcast_to(radius, batch).reshape(-1)
    return home.enclosure(offsets(Model(surface, d), x, rho, **options), tolerance, batch)


# The border.


def _nearest(
    surface: OfFunction,
    points: Array,
    start: Array | None,
    tolerance: float,
    max_boxes: int,
    progress: bool | Report,
    *,
    regions: bool,
) -> tuple[Home, tuple[int, ...], Solution]:
    """Where answers go, the batch, and bounds of the distances of its points."""
    check_of_function(surface)
    options = checked(tolerance, max_boxes, progress)
    home, points = numbers("points", points)
    if points.ndim == 0 or points.shape[-1] < 2:
        raise ValueError(f"points must have shape (..., n) with n >= 2, got {points.shape}")
    batch, n, starts = points.shape[:-1], points.shape[-1], []
    d = n if isinstance(surface, LevelSet) else n - 1
    if start is not None:
        start = numbers("start", start)[1]
        if start.ndim == 0 or start.shape[-1] != d:
            raise ValueError(f"start must have shape (..., {d}), got {start.shape}")
        batch = broadcast(points=batch, start=start.shape[:-1])
        starts = [numpy.broadcast_to(start, (*batch, d)).reshape(-1, d)]
    points = numpy.broadcast_to(points, (*batch, n)).reshape(-1, n)
    if isinstance(surface, LevelSet):
        return home, batch, level_distances(surface, points, starts, regions=regions, **options)
    x, y = numpy.ascontiguousarray(points[:, :-1]), numpy.ascontiguousarray(points[:, -1])
    return home, batch, distances(Model(surface, d), x, y, starts, regions=regions, **options)
