"""Laws of the reach of a surface of which points and normals are known: of all pairs, and of each point."""

from __future__ import annotations

import math
from typing import Any

import numpy
from hypothesis import strategies as st

from rbo_ref.laws.law import Draw, Numbers, Trial, law
from rbo_ref.strategies import dyadics, vectors

__all__: list[str] = []

VERBS = ("reach_from_points", "reach_from_points+each")
FEDERER = "H. Federer, Curvature measures (1959), Theorem 4.18"


def _radii(trial: Trial, points: Numbers, normals: Numbers, told: dict[str, Any]) -> Numbers:
    each = {} if VERBS[0] in trial.law.verbs and VERBS[1] not in trial.law.verbs else {"per_point": True}
    return trial.answer(
        trial.array(points), normals=trial.array(normals), kind=None if each else "float", given=told, **each
    )


@law(VERBS[0], domain="points with integer coordinates, and normals", source=FEDERER)
def least_quotient(trial: Trial, draw: Draw) -> None:
    """The reach is the least of Federer's quotients: min over p ≠ q of |q − p|²/(2|ν(p)·(q − p)|)."""
    _defined(trial, draw, numpy.min)


@law(VERBS[1], domain="points with integer coordinates, and normals", source=FEDERER)
def least_quotients(trial: Trial, draw: Draw) -> None:
    """Each point has its least quotient: min over q ≠ p of |q − p|²/(2|ν(p)·(q − p)|)."""
    _defined(trial, draw, numpy.asarray)


def _defined(trial: Trial, draw: Draw, least: Any) -> None:
    n = draw(st.integers(2, 3))
    points = numpy.asarray(draw(st.lists(vectors(n, bits=0), min_size=2, max_size=12, unique=True)))
    normals = numpy.asarray([draw(vectors(n, 2.0, bits=0).filter(any)) for _ in points])
    told = {"points": points, "normals": normals}
    away = points - points[:, None]
    heights = numpy.abs(numpy.einsum("pqi,pi->pq", away, normals)) / numpy.linalg.norm(normals, axis=-1)[:, None]
    with numpy.errstate(divide="ignore", invalid="ignore"):
        quotients = numpy.where(heights > 0, numpy.sum(away**2, axis=-1) / (2 * heights), math.inf)
    expected = least(numpy.min(quotients, axis=1))
    size = float(numpy.max(numpy.abs(points)))
    most = float(numpy.max(quotients, where=numpy.isfinite(quotients), initial=0.0))  # no height is below 1/√12
    rounding = 64 * trial.unit * most * (1 + size * math.sqrt(12)) + trial.tolerance
    trial.same("reach", _radii(trial, points, normals, told), expected, rounding, told)


@law(VERBS[0], domain="points of spheres in two to four dimensions, two at least", source="Thales")
def points_of_a_sphere(trial: Trial, draw: Draw) -> None:
    """The points of a sphere know its radius: every quotient is that."""
    _sphere(trial, draw, ())


@law(VERBS[1], domain="points of spheres in two to four dimensions, two at least", source="Thales")
def each_point_of_a_sphere(trial: Trial, draw: Draw) -> None:
    """Each point of a sphere knows its radius, from whatever other point."""
    _sphere(trial, draw, None)


def _sphere(trial: Trial, draw: Draw, shape: tuple[int, ...] | None) -> None:
    n, radius = draw(st.integers(2, 4)), draw(dyadics(0.0625, 8))
    rays = st.lists(vectors(n, 2.0, bits=0).filter(any), min_size=2, max_size=12, unique_by=_direction)
    u = numpy.asarray([_direction(ray) for ray in draw(rays)])
    told = {"points": radius * u, "radius": radius}
    rounding = 2**10 * trial.unit * radius + trial.tolerance  # the least height of a point over a tangent is radius/16
    expected = numpy.full(len(u) if shape is None else shape, radius)
    trial.same("reach", _radii(trial, radius * u, u, told), expected, rounding, told)


def _direction(ray: tuple[float, ...]) -> tuple[float, ...]:
    size = math.hypot(*ray)
    return tuple(round(x / size, 15) for x in ray)
