"""Query points of which the footpoint is known, near the graph and near its medial axis."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy
from hypothesis import strategies as st

from geometry._namespace import Array
from rbo_ref.strategies.landscape import Landscape, Ridge
from rbo_ref.strategies.numbers import DIMENSIONS, coordinates, dyadics

__all__ = ["Query", "SurfaceQuery", "medial_queries", "queries"]


@dataclass(frozen=True, eq=False)
class Query:
    """A query point q with its footpoints, q = p + rν(p) for each of them.

    Attributes
    ----------
    landscape : Landscape
    point : array (d+1,)
        q, in float64.
    footpoints : array (k, d)
        Parameters of all nearest points, of which there are one or two.
    offset : float
        r, positive above the graph; the distance is |r|.

    Examples
    --------
    >>> bowl = Landscape((Ridge("square", 1.0, (1.0,)),))
    >>> Query(bowl, numpy.array([0.0, 0.5]), numpy.zeros((1, 1)), 0.5).offset
    0.5
    """

    landscape: Landscape
    point: Array
    footpoints: Array
    offset: float


class SurfaceQuery(NamedTuple):
    """A query point q = p + rν(p) of any surface, nearer to its only footpoint p than the reach."""

    surface: Any
    name: str  # of the surface, in symbols
    point: Array  # q (n,)
    footpoint: Array  # p (n,)
    offset: float  # r, positive where the normal points to


def _query(landscape: Landscape, theta: Any, offset: float, *others: Any) -> Query:
    theta = numpy.asarray(theta, dtype=float)
    point = landscape.graph.point(theta) + offset * landscape.graph.normal(theta)
    return Query(landscape, point, numpy.stack([theta, *others]), offset)


@st.composite
def queries(
    draw: Callable[[st.SearchStrategy[Any]], Any],
    landscape: Landscape,
    *,
    share: float = 0.5,
    size: float = 8.0,
) -> Query:
    """Points on normals of the graph, so near that their footpoint is unique, and that descent from below finds it.

    Parameters
    ----------
    landscape : Landscape
    share : float
        Of 1/h, h the `curvature_bound`: |r| ≤ share/(hW) at a contact of stretch W = √(1 + |g|²).
    size : float
        Largest coordinate of the contact; also the largest |r|.

    Notes
    -----
    The footpoint is global: with w = y − f(θ) = r/W, the half squared distance of q to any (t, f(t)) is at least
    ψ(t) = ½|t − x|² + ½w² + w(y − f(t) − w), as ½u² ≥ ½w² + w(u − w). ψ is convex where |w|h ≤ 1, stationary at θ, and
    equal there: θ is its minimum, and the only one for |w|h < 1.

    Examples
    --------
    >>> from hypothesis import find
    >>> bowl = Landscape((Ridge("square", 1.0, (1.0,)),))
    >>> query = find(queries(bowl), lambda query: query.offset > 0.25)
    >>> query.point.shape, query.footpoints.shape
    ((2,), (1, 1))
    """
    theta = numpy.asarray(draw(coordinates(landscape.dimension, size)))
    stretch = math.hypot(1, *landscape.graph.gradient(theta))
    h = landscape.curvature_bound
    most = min(size, share / (h * stretch)) if h else size
    return _query(landscape, theta, draw(st.sampled_from(SHARES)) * 2.0 ** math.floor(math.log2(most)))


SHARES = (1.0, -1.0, 0.5, -0.5, 0.0, 0.75, -0.75, 0.125, -0.125)


@st.composite
def medial_queries(
    draw: Callable[[st.SearchStrategy[Any]], Any], *, dimension: int | None = None, gap: float | None = None
) -> Query:
    """Points on the medial axis of valleys, or as close to it as `gap` says, with their footpoints.

    The valley is f(θ) = ½Σkᵢθᵢ² with k₁ > |kᵢ|, and the points lie over its floor: q = p + (1 − gap)·(W/k₁)·ν(p).

    Parameters
    ----------
    dimension : int, optional
        d; default: 1 to 4.
    gap : float, optional
        0: on the axis, where p and its mirror image are both nearest. 0 < gap < 1: beside it, where p alone is. By
        default it is drawn: 0, or a power of 2 down to 2⁻²⁰.

    Notes
    -----
    Both footpoints are global, for the same reason as in `queries`: w = r/W ≤ 1/k₁, and no eigenvalue of the Hessian is
    above k₁.

    Examples
    --------
    >>> from hypothesis import find
    >>> query = find(medial_queries(dimension=1), lambda query: len(query.footpoints) == 2)
    >>> bool(query.footpoints[0, 0] == -query.footpoints[1, 0]), float(query.point[0])
    (True, 0.0)
    """
    d = draw(st.integers(1, DIMENSIONS)) if dimension is None else dimension
    if gap is not None and not 0 <= gap < 1:
        raise ValueError(f"gap must be at least 0 and below 1, got {gap}")
    k = draw(st.sampled_from([1.0, 2.0, 0.5, 4.0]))
    others = [k * share for share in draw(st.tuples(*[dyadics(-0.75, 0.75)] * (DIMENSIONS - 1)))[: d - 1]]
    axes = numpy.eye(d)
    terms = [Ridge("square", c, tuple(axis)) for c, axis in zip([k, *others], axes.tolist(), strict=True)]
    theta = numpy.asarray(draw(coordinates(d, 4.0)))
    theta[0] = draw(dyadics(0.0625, 4.0).filter(bool))
    gap = draw(st.sampled_from([0.0, *(2.0**-e for e in range(1, 21))])) if gap is None else gap
    valley = Landscape(tuple(terms))
    stretch = math.hypot(1, *valley.graph.gradient(theta))
    image = theta * numpy.where(numpy.arange(d) == 0, -1.0, 1.0)
    return _query(valley, theta, (1 - gap) * stretch / k, *([] if gap else [image]))
