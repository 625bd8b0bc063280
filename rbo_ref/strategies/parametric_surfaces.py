"""Surfaces given by parameters, and by samples, with query points of which the footpoint is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy
from hypothesis import strategies as st

from geometry._namespace import Array, array_namespace
from geometry.parametric import Parametric
from geometry.sampled import SampledGraph
from rbo_ref.strategies.drawing import landscapes
from rbo_ref.strategies.numbers import dyadics
from rbo_ref.strategies.query import SHARES, SurfaceQuery, queries

__all__ = ["parametric_queries", "sampled_queries"]

Draw = Callable[[st.SearchStrategy[Any]], Any]
SIZES = st.sampled_from([1.0, 2.0, 0.5])
NEAR = 3.0  # samples from which searches without a box begin are not farther


@st.composite
def parametric_queries(draw: Draw, *, share: float = 0.5) -> SurfaceQuery:
    """Points on normals of circles, tori and graphs, written by parameters, at most `share` of the reach away.

    Examples
    --------
    >>> from hypothesis import find
    >>> query = find(parametric_queries(), lambda query: query.offset > 0.125)
    >>> round(float(numpy.linalg.norm(query.point - query.footpoint)), 12) == query.offset
    True
    """
    return draw(st.sampled_from([_graph, _circle, _torus]))(draw, share)


def _graph(draw: Draw, share: float) -> SurfaceQuery:
    landscape = draw(landscapes(draw(st.integers(1, 2)), max_curvature=2.0))
    query = draw(queries(landscape, share=share, size=NEAR))
    surface = Parametric(landscape.graph.point, name="(t, f(t))")
    footpoint = landscape.graph.point(query.footpoints[0])
    return SurfaceQuery(surface, f"(t, f(t)), f = {landscape}", query.point, footpoint, query.offset)


def _circle(draw: Draw, share: float) -> SurfaceQuery:
    radius, t = draw(SIZES), draw(dyadics(0, 6))
    outward = numpy.array([math.cos(t), math.sin(t)])
    surface = Parametric(
        lambda t: radius * array_namespace(t).concat(_turned(t), axis=-1), box=[(0, 2 * math.pi)], name="circle"
    )
    r = draw(st.sampled_from(SHARES)) * share * radius
    return SurfaceQuery(
        surface, f"the circle of radius {radius:g}", (radius - r) * outward, radius * outward, r
    )  # its normal is to the left, inward


def _torus(draw: Draw, share: float) -> SurfaceQuery:
    minor, s, t = draw(SIZES), draw(dyadics(0, 6)), draw(dyadics(0, 6))

    def point(t: Array) -> Array:
        xp, (x, y), (a, b) = array_namespace(t), _turned(t[..., :1]), _turned(t[..., 1:])
        return xp.concat([minor * (2 + a) * x, minor * (2 + a) * y, minor * b], axis=-1)

    outward = numpy.array([math.cos(t) * math.cos(s), math.cos(t) * math.sin(s), math.sin(t)])
    p = minor * (2 * numpy.array([math.cos(s), math.sin(s), 0.0]) + outward)
    r = draw(st.sampled_from(SHARES)) * share * minor
    surface = Parametric(point, box=[(0, 2 * math.pi)] * 2, name="torus")
    return SurfaceQuery(surface, f"the torus of radii {2 * minor:g} and {minor:g}", p + r * outward, p, r)


def _turned(t: Array) -> tuple[Array, Array]:
    xp = array_namespace(t)
    return xp.cos(t), xp.sin(t)


@st.composite
def sampled_queries(draw: Draw, *, share: float = 0.5) -> SurfaceQuery:
    """Points on normals of paraboloids that are given by samples on a grid: their spline is the paraboloid.

    Examples
    --------
    >>> from hypothesis import find
    >>> query = find(sampled_queries(), lambda query: query.offset > 0.125)
    >>> bool(abs(query.surface.value(query.footpoint[:-1]) - query.footpoint[-1]) < 1e-12)
    True
    """
    d, count, spacing = draw(st.integers(1, 2)), draw(st.sampled_from([6, 5, 9, 33])), draw(SIZES)
    k, center, place = (numpy.asarray(draw(st.tuples(*[numbers] * d))) for numbers in (BENDS, SHARE, SHARE))
    size = spacing * (count - 1)
    k, center, theta = k / size, size * center, size * place
    grid = spacing * numpy.moveaxis(numpy.indices((count,) * d), 0, -1)
    surface = SampledGraph(numpy.sum(k * (grid - center) ** 2, axis=-1) / 2, spacing)
    slope = k * (theta - center)
    stretch = math.hypot(1, *slope)
    normal = numpy.append(-slope, 1.0) / stretch
    p = numpy.append(theta, numpy.sum(k * (theta - center) ** 2) / 2)
    r = draw(st.sampled_from(SHARES)) * share / (float(numpy.max(numpy.abs(k))) * stretch)
    name = f"½Σkᵢ(θᵢ − aᵢ)² on {count}^{d} samples, spacing {spacing:g}, k = {k.tolist()}, a = {center.tolist()}"
    return SurfaceQuery(surface, name, p + r * normal, p, r)


BENDS = st.sampled_from([1.0, -1.0, 2.0, -2.0, 4.0])
SHARE = st.sampled_from([0.5, 0.25, 0.375, 0.75, 0.625])  # of a side of the grid
