"""Laws of the largest balls that touch a graph: of the medial radius at a point, and of the reach over a box."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy
from hypothesis import assume
from hypothesis import strategies as st

from rbo_ref.laws.law import BATCHES, Draw, Numbers, Trial, law
from rbo_ref.strategies import Landscape, Ridge, batch_shapes, coordinates, dyadics, landscapes, medial_queries

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


RIDGES = "f = aφ(w·θ + s), φ = u²/2, √(1 + u²), sin u, w ≥ 0; d ≤ 2; a box about the sharpest bend, or beside it"


@law("reach", domain=RIDGES, source=FEDERER)
def reach_of_a_ridge(trial: Trial, draw: Draw) -> None:
    """The reach is the radius of the sharpest bend in the box: W³/(|a||w|²φ″), there is none sharper."""
    ridge, box, radius = _ridge(draw)
    given = {"f(θ)": ridge, "box": box}
    found = trial.answer(ridge.graph, trial.array(box), of="value", given=given)
    trial.same("reach", found, radius, 4 * _rounding(trial, radius), given)


@law("critical_radius", domain=RIDGES, source=FEDERER)
def only_valleys_count(trial: Trial, draw: Draw) -> None:
    """A ball above fits up to the radius of the sharpest valley, and on a hill every ball does: it is large there."""
    ridge, box, radius = _ridge(draw)
    given, is_valley = {"f(θ)": ridge, "box": box}, ridge.terms[0].amplitude > 0
    found = trial.answer(ridge.graph, trial.array(box), of="value", given=given)
    trial.at_most("ρ_c", radius if is_valley else 2.0**10 * radius, found, 4 * _rounding(trial, radius), given)
    if is_valley:
        trial.same("ρ_c", found, radius, 4 * _rounding(trial, radius), given)


def _ridge(draw: Draw) -> tuple[Landscape, list[tuple[float, float]], float]:
    """A ridge, a box of which one corner or the inside has the sharpest bend, and its radius there."""
    weights = numpy.abs(draw(coordinates(draw(DIMENSIONS), 2.0, bits=1).filter(any)))
    profile, sharpest = draw(st.sampled_from([("square", 0.0), ("hyperbola", 0.0), ("sine", -math.pi / 2)]))
    waves = profile == "sine"  # whose next bend is not far, and of the other side
    amplitude, shift = (
        draw(st.sampled_from([1.0, 2.0, 0.5] if waves else [1.0, -1.0, 2.0])),
        draw(dyadics(0, 1, bits=0)),
    )
    beside = 0.0 if waves else draw(st.sampled_from([0.0, 0.5, 1.0]))
    ridge = Landscape((Ridge(profile, amplitude, tuple(weights.tolist()), shift),))
    place = (sharpest - shift + beside) * weights / (weights @ weights)
    box = [(float(t) - (0.0 if beside else 1.5), float(t) + 1.0) for t in place]
    bend = float(numpy.linalg.norm(ridge.graph.hessian(place), 2))
    return ridge, box, math.hypot(1, *ridge.graph.gradient(place)) ** 3 / bend


@law(*REACHES, domain="every f, d ≤ 2, a box", source=f"{FEDERER}: no curvature exceeds h")
def reach_at_least(trial: Trial, draw: Draw) -> None:
    """Where the graph bends gently the reach is large: 1/h at least for the bound h of ‖∇²f‖."""
    landscape = draw(landscapes(draw(DIMENSIONS)))
    box, h = [(-1.0, 2.0)] * landscape.dimension, landscape.curvature_bound
    assume(h > 0)
    given = {"f(θ)": landscape, "box": box}
    found = trial.answer(landscape.graph, trial.array(box), of="value", given=given)
    trial.at_most("1/h", 1 / h, found, 4 * _rounding(trial, 1 / h), given)
