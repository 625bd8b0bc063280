"""Implicit surfaces {F = 0} with query points of which the footpoint is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy
from hypothesis import strategies as st

from geometry._namespace import Array
from geometry.shapes import Cylinder, Ellipsoid, Plane, Sphere, Torus
from rbo_ref.strategies.numbers import vectors
from rbo_ref.strategies.query import SHARES, SurfaceQuery

__all__ = ["implicit_queries"]

Draw = Callable[[st.SearchStrategy[Any]], Any]
SIZES = st.sampled_from([1.0, 2.0, 0.5, 4.0])


@st.composite
def implicit_queries(draw: Draw, *, share: float = 0.5) -> SurfaceQuery:
    """Points on normals of spheres, ellipsoids, planes, cylinders and tori, at most `share` of the reach away.

    Examples
    --------
    >>> from hypothesis import find
    >>> query = find(implicit_queries(), lambda query: query.offset > 0.125)
    >>> bool(abs(query.surface.true_distance(query.point) - query.offset) < 1e-12)
    True
    """
    surface, name, p = draw(st.sampled_from([_plane, _sphere, _ellipsoid, _cylinder, _torus]))(draw)
    offset = draw(st.sampled_from(SHARES)) * share * min(surface.true_reach(), 4.0)
    return SurfaceQuery(surface, name, p + offset * surface.normal(p), p, offset)


def _direction(draw: Draw, n: int) -> numpy.ndarray:
    v = numpy.asarray(draw(vectors(n, 2.0, bits=1).filter(any)))
    return v / math.hypot(*v)


def _plane(draw: Draw) -> tuple[Any, str, Array]:
    a, v = (numpy.asarray(draw(vectors(3, 2.0, bits=1).filter(any))) for _ in range(2))
    return Plane(a), f"{a.tolist()}·x", v - (v @ a) / (a @ a) * a


def _sphere(draw: Draw) -> tuple[Any, str, Array]:
    radius, u = draw(SIZES), _direction(draw, draw(st.integers(2, 5)))
    return Sphere(radius), f"|x| − {radius:g}", radius * u


def _ellipsoid(draw: Draw) -> tuple[Any, str, Array]:
    u = _direction(draw, draw(st.integers(2, 4)))
    axes = numpy.asarray([draw(SIZES) for _ in u])
    return Ellipsoid(axes), f"Σ(xᵢ/aᵢ)² − 1, a = {axes.tolist()}", axes * u


def _cylinder(draw: Draw) -> tuple[Any, str, Array]:
    radius, u, z = draw(SIZES), _direction(draw, 2), draw(vectors(1))
    return Cylinder(radius), f"|(x₁, x₂)| − {radius:g}", numpy.append(radius * u, z)


def _torus(draw: Draw) -> tuple[Any, str, Array]:
    minor, around, across = draw(SIZES), _direction(draw, 2), _direction(draw, 2)
    major = 2 * minor
    p = numpy.append((major + minor * across[0]) * around, minor * across[1])
    return Torus(major, minor), f"the torus of radii {major:g} and {minor:g}", p
