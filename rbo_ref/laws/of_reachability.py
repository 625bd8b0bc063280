"""Laws of the points that a ball can touch, of the medial axis, and of the largest balls at implicit surfaces."""

from __future__ import annotations

import math
from typing import Any

import numpy
from hypothesis import assume
from hypothesis import strategies as st

from geometry.shapes import Ellipsoid
from rbo_ref.laws.law import Draw, Trial, law
from rbo_ref.strategies import (
    SurfaceQuery,
    coordinates,
    dyadics,
    implicit_queries,
    landscapes,
    medial_queries,
)

__all__: list[str] = []

DIMENSIONS = st.integers(1, 2)
VALLEYS = "valleys ½Σkᵢθᵢ² with k₁ > |kᵢ|, d ≤ 2"
FEDERER = "H. Federer, Curvature measures (1959), Theorem 4.18"
SIDES = {"above": 1.0, "below": -1.0}


@law("reachable", domain=f"{VALLEYS}, θ₁ > 0; ρ not near the largest", source="docs/reach.rst: ρ_max(p) = W/k₁")
def touched_in_valleys(trial: Trial, draw: Draw) -> None:
    """At a point of a valley the balls up to the largest touch, and no larger ones: ρ ≤ W/k₁."""
    query, share = draw(medial_queries(dimension=draw(DIMENSIONS), gap=0.0)), draw(st.sampled_from([0.5, 0.875]))
    shares = numpy.array([share, 1 / share])
    told = {"f(θ)": query.landscape, "θ": query.footpoints, "ρ": shares * query.offset}
    theta, radius = (trial.array(numbers) for numbers in (query.footpoints, shares * query.offset))
    found = trial.answer(query.landscape.graph, theta, radius, kind="bool", given=told)
    trial.same("touches", found, shares < 1, 0.0, told)


@law("reachable", domain="every f, d ≤ 2; ρ ≤ 1/(2h) for the bound h of ‖∇²f‖", source=FEDERER)
def small_balls_touch(trial: Trial, draw: Draw) -> None:
    """A ball that is smaller than every bend touches every point."""
    landscape = draw(landscapes(draw(DIMENSIONS)))
    theta, h = numpy.asarray(draw(coordinates(landscape.dimension))), landscape.curvature_bound
    radius = 0.5 / h if h else 8.0
    told = {"f(θ)": landscape, "θ": theta, "ρ": radius}
    found = trial.answer(landscape.graph, trial.array(theta), radius, kind="bool", given=told)
    trial.same("touches", found, numpy.array(True), 0.0, told)


@law("medial_axis", domain="parabolas ½kθ², k > 0; boxes on one side of 0", source="docs/reach.rst: ρ_max(p) = W/k")
def axis_of_a_parabola(trial: Trial, draw: Draw) -> None:
    """The medial axis of a parabola is the line over its focal point: c = (0, y), and ρ² = (2y − 1/k)/k."""
    valley = draw(medial_queries(dimension=1, gap=0.0)).landscape
    k = float(valley.graph.hessian(numpy.zeros(1))[0, 0])
    low, width = draw(dyadics(0.5, 4)), draw(st.sampled_from([1.0, 2.0]))
    box, samples = [(low, low + width)], draw(st.integers(1, 5))
    told = {"f(θ)": valley, "box": box}
    points, radii = (
        trial.answer(valley.graph, trial.array(box), samples=samples, of=of, given=told) for of in ("points", "radii")
    )
    most = math.hypot(1, k * (low + width)) / k
    rounding = 64 * (2 * trial.unit) ** 0.75 * (1 + most) ** 3 + trial.tolerance
    trial.same("c₁", points[:, 0], numpy.zeros(samples), rounding, told)
    trial.same("ρ²", radii**2, (2 * points[:, 1] - 1 / k) / k, rounding * (1 + most), told)


def _largest(trial: Trial, query: SurfaceQuery, side: str, told: dict[str, Any]) -> numpy.ndarray:
    return trial.answer(query.surface, trial.array(query.footpoint), side=side, given=told)


@law("medial_radius+level", domain="spheres, ellipsoids, planes, cylinders, tori; both sides", source=FEDERER)
def level_balls_of_the_reach(trial: Trial, draw: Draw) -> None:
    """A ball as large as the reach touches everywhere, on both sides: ρ_max(p) ≥ reach."""
    query, side = draw(implicit_queries()), draw(st.sampled_from(list(SIDES)))
    told = {"F(x)": query.name, "x": query.footpoint, "side": side}
    least = min(query.surface.true_reach(), 2.0**20)
    rounding = 64 * (2 * trial.unit) ** 0.5 * least + trial.tolerance
    trial.at_most("reach", least, _largest(trial, query, side, told), rounding, told)


@law("medial_radius+level", domain="spheres in two to five dimensions", source="a ball in a ball")
def level_balls_in_spheres(trial: Trial, draw: Draw) -> None:
    """The largest ball in a sphere is the sphere, and outside there is none too large."""
    query = draw(implicit_queries().filter(lambda query: query.name.startswith("|x|")))
    radius, told = query.surface.true_reach(), {"F(x)": query.name, "x": query.footpoint}
    rounding = 64 * (2 * trial.unit) ** 0.5 * radius + trial.tolerance
    trial.same("ρ_max(p) below", _largest(trial, query, "below", told), radius, rounding, told)
    trial.at_most("2²⁰", 2.0**20, _largest(trial, query, "above", told), 0.0, told)


@law("bottleneck", domain="ellipsoids of two or three axes, of which one is the shortest", source="Pythagoras")
def waist_of_an_ellipsoid(trial: Trial, draw: Draw) -> None:
    """An ellipsoid is narrowest along its shortest axis, whose ends face each other."""
    axes = numpy.asarray(draw(st.lists(dyadics(1, 4, bits=1), min_size=2, max_size=3)))
    shortest = int(numpy.argmin(axes))
    assume(numpy.all(numpy.delete(axes, shortest) >= 1.5 * axes[shortest]))
    box, told = [(-a - 0.5, a + 0.5) for a in axes.tolist()], {"axes": axes}
    surface = Ellipsoid(axes)
    radius, points = (
        trial.answer(surface, trial.array(box), samples=256, of=of, given=told) for of in ("radius", "points")
    )
    rounding = 64 * (2 * trial.unit) ** 0.5 * float(numpy.max(axes)) + trial.tolerance
    trial.same("half the length", radius, axes[shortest], rounding, told)
    ends = axes[shortest] * numpy.stack([numpy.eye(len(axes))[shortest], -numpy.eye(len(axes))[shortest]])
    points = points if points[0, shortest] > 0 else points[::-1]
    trial.same("ends", points, ends, rounding, told)
