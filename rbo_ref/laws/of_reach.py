"""Laws of the largest balls that touch a graph: of the medial radius at a point, and of the reach over a box."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy
from hypothesis import assume
from hypothesis import strategies as st

from rbo_ref.laws.law import BATCHES, Draw, Numbers, Trial, law
from rbo_ref.strategies import Landscape, Ridge, batch_shapes, coordinates, landscapes, medial_queries

__all__: list[str] = []

REACHES = ("reach", "critical_radius")
DIMENSIONS = st.integers(1, 2)
VALLEYS = "valleys ½Σkᵢθᵢ² with k₁ > |kᵢ|, d ≤ 2, θ₁ > 0"
FEDERER = "H. Federer, Curvature measures (1959), Theorem 4.18"


def _found(trial: Trial, landscape: Landscape, theta: Any) -> Numbers:
    return trial.answer(landscape.graph, trial.array(theta), given={"f(θ)": landscape, "θ": theta})


def _rounding(trial: Trial, radius: float) -> float:
    """Of a radius at which the search is stationary: its place is off by √ε at most, and rounding by less."""
    return 4 * (2 * trial.unit) ** 0.75 * radius * (1 + radius) + trial.tolerance


@law("medial_radius", domain=f"{VALLEYS}; {BATCHES}", source="docs/reach.rst; by symmetry the ball touches at −θ₁, too")
def balls_in_valleys(trial: Trial, draw: Draw) -> None:
    """The largest ball at a point of a valley touches both sides of it: ρ_max(p) = W/k₁."""
    query = draw(medial_queries(dimension=draw(DIMENSIONS), gap=0.0))
    (theta, image), told = query.footpoints, {"f(θ)": query.landscape, "θ": query.footpoints}
    rounding = _rounding(trial, query.offset) * (1 + numpy.abs(query.point).sum() / theta[0] ** 2)
    assume(rounding < 2.0**-6)
    found = _found(trial, query.landscape, theta)
    trial.same("ρ_max(p)", found, query.offset, rounding, told)
    shape, call = draw(batch_shapes()), partial(_found, trial, query.landscape)
    trial.batched(call, [theta, image], shape, 2 * rounding, told)


@law("medial_radius", domain="every f, d ≤ 2; a point of Γ above the tangent plane", source="definition")
def no_point_inside(trial: Trial, draw: Draw) -> None:
    """No point of the graph lies in a ball that touches: ρ_max(p) ≤ |q − p|²/(2ν(p)·(q − p))."""
    landscape = draw(landscapes(draw(DIMENSIONS)))
    theta, other = (numpy.asarray(draw(coordinates(landscape.dimension))) for _ in range(2))
    away, normal = landscape.graph.point(other) - landscape.graph.point(theta), landscape.graph.normal(theta)
    above = float(away @ normal)
    assume(above > 2.0**-6)
    bound = float(away @ away) / (2 * above)
    rounding = _rounding(trial, bound) * (1 + math.hypot(*away) / above)
    told = {"f(θ)": landscape, "θ": theta, "q": landscape.graph.point(other)}
    trial.at_most("ρ_max(p)", _found(trial, landscape, theta), bound, rounding, told)


@law(
    "reach", domain="f = aφ(w·θ + s), φ = u²/2, sin u, √(1 + u²); d ≤ 2; a box about its sharpest bend", source=FEDERER
)
def reach_of_a_ridge(trial: Trial, draw: Draw) -> None:
    """The reach is the radius of the sharpest bend: 1/(|a||w|²)."""
    _ridge(trial, draw, (1.0, -1.0))


@law("critical_radius", domain="as of reach-of-a-ridge, a > 0", source=FEDERER)
def critical_radius_of_a_valley(trial: Trial, draw: Draw) -> None:
    """A ball fits everywhere up to the radius of the sharpest valley: 1/(a|w|²)."""
    _ridge(trial, draw, (1.0,))


def _ridge(trial: Trial, draw: Draw, signs: tuple[float, ...]) -> None:
    weights = numpy.asarray(draw(coordinates(draw(DIMENSIONS), 2.0, bits=1).filter(any)))
    profile, lowest = draw(st.sampled_from([("square", 0.0), ("hyperbola", 0.0), ("sine", -math.pi / 2)]))
    amplitude = draw(st.sampled_from([1.0, 2.0, 0.5])) * draw(st.sampled_from(signs))
    shift = draw(st.sampled_from([0.0, 1.0]))
    ridge = Landscape((Ridge(profile, amplitude, tuple(weights.tolist()), shift),))
    sharpest = (lowest - shift) * weights / (weights @ weights)
    box = [(float(t) - 1.5, float(t) + 1.0) for t in sharpest]
    expected = 1 / (abs(amplitude) * (weights @ weights))
    given = {"f(θ)": ridge, "box": box}
    found = trial.answer(ridge.graph, trial.array(box), of="value", given=given)
    trial.same("reach", found, expected, 4 * _rounding(trial, expected), given)


@law(*REACHES, domain="every f, d ≤ 2, a box", source=f"{FEDERER}: no curvature exceeds h")
def reach_at_least(trial: Trial, draw: Draw) -> None:
    """Where the graph bends gently the reach is large: 1/h at least for the bound h of ‖∇²f‖."""
    landscape = draw(landscapes(draw(DIMENSIONS)))
    box, h = [(-1.0, 2.0)] * landscape.dimension, landscape.curvature_bound
    assume(h > 0)
    given = {"f(θ)": landscape, "box": box}
    found = trial.answer(landscape.graph, trial.array(box), of="value", given=given)
    trial.at_most("1/h", 1 / h, found, 4 * _rounding(trial, 1 / h), given)
