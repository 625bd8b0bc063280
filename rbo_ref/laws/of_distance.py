"""Laws of the distance to a graph, of its sign, and of footpoints.

Queries are drawn so near that they have one footpoint, and that descent from below them finds it: a solver that is
local but never moves away is tried fairly. Each query is told with its footpoint, of which `queries` has the proof.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Any

import numpy
from hypothesis import assume
from hypothesis import strategies as st

from rbo_ref.laws.law import BATCHES, Draw, Numbers, Trial, law
from rbo_ref.strategies import (
    Landscape,
    Query,
    batch_shapes,
    coordinates,
    dimensions,
    dyadics,
    landscapes,
    medial_queries,
    queries,
)

__all__: list[str] = []

DISTANCES = ("distance", "signed_distance")
TUBE = "q = p + rν(p), |r| ≤ 1/(2hW) for the bound h of ‖∇²f‖, W = √(1 + |g|²)"
FEDERER = "H. Federer, Curvature measures (1959), Theorem 4.8"
CLOSE = 0.75  # of 1/h: how far above the graph a query may be to be below its focal points


def _found(trial: Trial, landscape: Landscape, point: Any, **told: Any) -> Numbers:
    given = {"f(θ)": landscape, "q": point, **told}
    of = "theta" if "project" in trial.law.verbs else None
    return trial.answer(landscape.graph, trial.array(point), of=of, given=given)


def _told(query: Query, **further: Any) -> dict[str, Any]:
    return {"f(θ)": query.landscape, "q": query.point, "footpoint": query.footpoints[0], "r": query.offset, **further}


def _drawn(trial: Trial, draw: Draw, dimension: int | None = None) -> Query:
    """A query in the dtype on trial."""
    query = draw(queries(draw(landscapes(dimension))))
    return replace(query, point=trial.rounded(query.point))


def _batch(trial: Trial, draw: Draw) -> tuple[Query, Query, Query]:
    """Three queries of one landscape."""
    first = _drawn(trial, draw)
    others = (draw(queries(first.landscape)) for _ in range(2))
    second, third = (replace(query, point=trial.rounded(query.point)) for query in others)
    return first, second, third


def _tolerance(trial: Trial, *queries: Query) -> float:
    """Of a footpoint, along the graph: a residual of ε^(3/4) of the coordinates, and the rounding of f and of q.

    The residual is enlarged by the inverse of the least eigenvalue of I − rS, which is above 1/2 here, and below it on
    the medial axis. A distance is off by no more.
    """
    return max(_tolerance_of(trial, query) for query in queries)


def _scaled(trial: Trial, query: Query, factor: float) -> float:
    """Of what was found at another scale, and of what is expected from here. What is promised has a unit of length."""
    return 2 * factor * _tolerance(trial, query) + trial.tolerance


def _tolerance_of(trial: Trial, query: Query) -> float:
    theta, eps = query.footpoints[0], 2 * trial.unit
    graph = query.landscape.graph
    g, rise = graph.gradient(theta), graph.value(theta) - query.point[-1]
    inner = numpy.eye(len(g)) + numpy.outer(g, g) + rise * graph.hessian(theta)
    bend = float(numpy.linalg.eigvalsh(inner)[0])
    assume(bend > 2.0**-12)
    e_value, e_gradient = query.landscape.rounding(theta, trial.unit)
    size = float(numpy.abs(query.point).sum() + abs(graph.value(theta)) + abs(query.offset))
    stretch = math.hypot(1, *g)
    rounding = 8 * trial.unit * size * stretch + e_value * stretch + abs(rise) * e_gradient
    tolerance = 4 * (eps**0.75 * size * stretch + rounding) / min(bend, 1.0) + trial.tolerance
    assume(tolerance < 2.0**-6 * (1 + size))
    return tolerance


def _is_close(landscape: Landscape, point: Numbers) -> bool:
    """Whether descent from below a point ends at its footpoint."""
    return abs(point[-1] - landscape.graph.value(point[:-1])) * landscape.curvature_bound <= CLOSE


def _nearby(draw: Draw, query: Query) -> Query:
    """Another point whose footpoint descent finds."""
    h = query.landscape.curvature_bound
    steep = math.hypot(1, *query.landscape.graph.gradient(query.point[:-1]))
    size = 2.0 ** math.floor(math.log2(min(1.0, 1 / (16 * h * steep) if h else 1.0)))
    point = query.point + size * numpy.asarray(draw(coordinates(len(query.point), 1.0)))
    assume(_is_close(query.landscape, point))
    return replace(query, point=point)


@law("distance", domain=TUBE, source=f"{FEDERER}; up to the focal points the distance grows along normals")
def parallel(trial: Trial, draw: Draw) -> None:
    """Along a normal the distance is the length: d(p + rν(p)) = |r|."""
    query = _drawn(trial, draw)
    found = _found(trial, query.landscape, query.point)
    trial.same("d(q)", found, abs(query.offset), _tolerance(trial, query), _told(query))


@law("signed_distance", domain=TUBE, source=f"{FEDERER}; positive above the graph")
def signed_parallel(trial: Trial, draw: Draw) -> None:
    """Along a normal the signed distance is the length, with the sign of the side: s(p + rν(p)) = r."""
    query = _drawn(trial, draw)
    found = _found(trial, query.landscape, query.point)
    trial.same("s(q)", found, query.offset, _tolerance(trial, query), _told(query))


@law(*DISTANCES, domain=f"{TUBE}, and a point near it", source="the triangle inequality; Γ parts above from below")
def lipschitz(trial: Trial, draw: Draw) -> None:
    """The distance changes no faster than one moves: |d(q) − d(q′)| ≤ |q − q′|."""
    query = _drawn(trial, draw)
    other = _nearby(draw, query)
    other = replace(other, point=trial.rounded(other.point))
    change = abs(_found(trial, query.landscape, query.point) - _found(trial, query.landscape, other.point))
    told = _told(query, **{"q′": other.point})
    moved = numpy.linalg.norm(query.point - other.point)
    trial.at_most("|d(q) − d(q′)|", change, moved, 2 * _tolerance(trial, query), told)


@law(
    "distance", domain="every query; f with slopes up to s", source="Γ lies within the cone of slope s about (x, f(x))"
)
def vertical_gap(trial: Trial, draw: Draw) -> None:
    """The gap to the graph right below bounds the distance: |y − f(x)|/√(1 + s²) ≤ d(x, y) ≤ |y − f(x)|."""
    landscape = draw(landscapes(max_slope=4.0))
    point = numpy.asarray(draw(coordinates(landscape.dimension + 1)))
    gap = abs(float(point[-1] - landscape.graph.value(point[:-1])))
    found, told = _found(trial, landscape, point), {"f(θ)": landscape, "q": point}
    e_value = landscape.rounding(point[:-1], trial.unit)[0]
    rounding = 4 * e_value + 16 * trial.unit * (numpy.abs(point).sum() + gap) + trial.tolerance
    trial.at_most("d(q)", found, gap, rounding, told)
    trial.at_most("|y − f(x)|/√(1 + s²)", gap / math.hypot(1, landscape.slope_bound), found, rounding, told)


@law("distance", domain=f"{TUBE}; every θ", source="definition: d(q) = min |q − p| over Γ")
def nearest(trial: Trial, draw: Draw) -> None:
    """No point of the graph is nearer than the distance: d(q) ≤ |q − (θ, f(θ))|."""
    query = _drawn(trial, draw)
    theta = numpy.asarray(draw(coordinates(query.landscape.dimension)))
    away = numpy.linalg.norm(query.point - query.landscape.graph.point(theta))
    found = _found(trial, query.landscape, query.point)
    trial.at_most("d(q)", found, away, _tolerance(trial, query), _told(query, θ=theta))


@law(*DISTANCES, domain=TUBE, source="translations are isometries")
def distance_translated(trial: Trial, draw: Draw) -> None:
    """The distance moves with the graph: that of q + (a, b) to the graph of f(θ − a) + b is that of q to Γ."""
    query = _drawn(trial, draw)
    by = numpy.asarray(draw(coordinates(len(query.point))))
    moved = Query(
        query.landscape.moved(by[:-1]).lifted(float(by[-1])),
        trial.rounded(query.point + by),
        query.footpoints + by[:-1],
        query.offset,
    )
    found = _found(trial, moved.landscape, moved.point)
    expected = _found(trial, query.landscape, query.point)
    trial.same("d(q + (a, b))", found, expected, 2 * _tolerance(trial, query, moved), _told(query, moved=by))


@law(*DISTANCES, domain=TUBE, source="similarity")
def distance_scaled(trial: Trial, draw: Draw) -> None:
    """There is no unit of length: the distance of λq to the graph of λf(θ/λ) is λd(q)."""
    query, factor = _drawn(trial, draw), draw(st.sampled_from([2.0, 0.5, 8.0, 0.125]))
    found = _found(trial, query.landscape.scaled(factor), factor * query.point)
    expected = factor * _found(trial, query.landscape, query.point)
    trial.same("d(λq)", found, expected, _scaled(trial, query, factor), _told(query, λ=factor))


@law(*DISTANCES, domain=f"{TUBE}, d ≥ 2", source="orthogonal maps of θ are isometries, and keep graphs")
def distance_turned(trial: Trial, draw: Draw) -> None:
    """The distance turns with the graph: that of (Qx, y) to the graph of f(Qᵀθ) is that of (x, y) to Γ."""
    query = _drawn(trial, draw, draw(dimensions(2)))
    d = query.landscape.dimension
    v = numpy.asarray(draw(coordinates(d, 2.0, bits=1).filter(any)))
    q = numpy.eye(d) - 2 * numpy.outer(v, v) / (v @ v)
    point = trial.rounded(numpy.append(q @ query.point[:-1], query.point[-1]))
    found = _found(trial, query.landscape.turned(q), point)
    expected = _found(trial, query.landscape, query.point)
    trial.same("d(Qx, y)", found, expected, 2 * _tolerance(trial, query), _told(query, Q=q))


@law("signed_distance", domain=TUBE, source="a reflection turns above and below around")
def upside_down(trial: Trial, draw: Draw) -> None:
    """Upside down the sign changes: that of (x, −y) to the graph of −f is −s(x, y)."""
    query = _drawn(trial, draw)
    assume(abs(query.offset) > 4 * _tolerance(trial, query))  # on the graph the sign is a matter of rounding
    point = query.point * numpy.append(numpy.ones(len(query.point) - 1), -1.0)
    found = _found(trial, query.landscape.flattened(-1.0), point)
    expected = -_found(trial, query.landscape, query.point)
    trial.same("s(x, −y)", found, expected, 2 * _tolerance(trial, query), _told(query))


@law("signed_distance", domain=f"{TUBE}, and a point above it", source="docs/reach.rst, Lemma 1: footpoints lie below")
def rising(trial: Trial, draw: Draw) -> None:
    """Straight up the signed distance grows: s(x, y) ≤ s(x, y + t) for t ≥ 0."""
    query, h = _drawn(trial, draw), 0.0
    h = query.landscape.curvature_bound
    size = 2.0 ** math.floor(math.log2(min(8.0, 1 / (8 * h) if h else 8.0)))
    up = size * draw(dyadics(0, 1))
    higher = trial.rounded(query.point + up * numpy.eye(len(query.point))[-1])
    assume(_is_close(query.landscape, higher))
    low, high = _found(trial, query.landscape, query.point), _found(trial, query.landscape, higher)
    trial.at_most("s(x, y)", low, high, 2 * _tolerance(trial, query), _told(query, t=up))


@law(*DISTANCES, "project", domain=f"{TUBE}; {BATCHES}", source="leading dimensions are a batch")
def batches(trial: Trial, draw: Draw) -> None:
    """A batch is its items, in whatever shape they are given."""
    drawn = _batch(trial, draw)
    found, rounding = partial(_found, trial, drawn[0].landscape), 2 * _tolerance(trial, *drawn)
    trial.batched(found, [query.point for query in drawn], draw(batch_shapes()), rounding, _told(drawn[0]))


@law("distance_gradient", domain=f"{TUBE}, not on Γ; {BATCHES}", source=FEDERER)
def gradient_along_the_normal(trial: Trial, draw: Draw) -> None:
    """The distance grows along the normal on which the query lies: ∇d(p + rν) = ν(p) for r > 0, −ν(p) for r < 0."""
    drawn = _batch(trial, draw)
    landscape, thetas = drawn[0].landscape, numpy.concatenate([query.footpoints for query in drawn])
    offsets, off = numpy.asarray([query.offset for query in drawn]), _tolerance(trial, *drawn)
    assume((numpy.abs(offsets) > 4 * off).all())  # on the graph the sign is a matter of rounding
    expected = numpy.sign(offsets)[:, None] * landscape.graph.normal(thetas)
    points = numpy.stack([query.point for query in drawn])
    steep = 1 + float(numpy.max(numpy.linalg.norm(landscape.graph.gradient(thetas), axis=-1)))
    gradients = max(landscape.rounding(theta, trial.unit)[1] for theta in thetas)
    rounding = landscape.curvature_bound * steep * off + gradients + 16 * trial.unit + trial.tolerance
    trial.same("∇d(q)", _found(trial, landscape, points), expected, rounding, _told(drawn[0], batch=points))
    trial.same("∇d(q)", _found(trial, landscape, points[0]), expected[0], rounding, _told(drawn[0]))


# Footpoints.


@law("project", domain=TUBE, source=FEDERER)
def normal_segment(trial: Trial, draw: Draw) -> None:
    """A whole piece of a normal has one footpoint: proj(p + rν(p)) = p."""
    query = _drawn(trial, draw)
    found = _found(trial, query.landscape, query.point)
    trial.same("proj(q)", found, query.footpoints[0], _tolerance(trial, query), _told(query))


@law("project", domain=TUBE, source="definition")
def projected_twice(trial: Trial, draw: Draw) -> None:
    """What is on the graph stays: proj(proj(q)) = proj(q)."""
    query = _drawn(trial, draw)
    once = _found(trial, query.landscape, query.point)
    again = _found(trial, query.landscape, trial.rounded(query.landscape.graph.point(once)))
    trial.same("proj(proj(q))", again, once, 2 * _tolerance(trial, query), _told(query))


@law("project", domain=TUBE, source="the distance is stationary at its least")
def orthogonality(trial: Trial, draw: Draw) -> None:
    """The query lies on the normal of its footpoint: (x − θ) + (y − f(θ))g(θ) = 0 for θ = proj(x, y)."""
    query = _drawn(trial, draw)
    theta = _found(trial, query.landscape, query.point)
    value, g = query.landscape.graph.value_and_gradient(theta)
    pull = numpy.linalg.norm(theta - query.point[:-1] + (value - query.point[-1]) * g)
    steep = 1 + g @ g + abs(value - query.point[-1]) * query.landscape.curvature_bound
    trial.same("|(x − θ) + (y − f)g|", pull, 0.0, 2 * steep * _tolerance(trial, query), _told(query))


@law("project", domain=f"{TUBE}, and a point near it", source=f"{FEDERER}(8); the reach of Γ is 1/h at least")
def lipschitz_footpoints(trial: Trial, draw: Draw) -> None:
    """Footpoints move little: |proj(q) − proj(q′)| ≤ |q − q′|/(1 − rh) where no distance exceeds r < 1/h."""
    query = _drawn(trial, draw)
    other = _nearby(draw, query)
    other = replace(other, point=trial.rounded(other.point))
    graph, h = query.landscape.graph, query.landscape.curvature_bound
    ends = [_found(trial, query.landscape, q.point) for q in (query, other)]
    r = max(float(numpy.linalg.norm(q.point - graph.point(t))) for q, t in zip((query, other), ends, strict=True))
    assume(r * h <= CLOSE)
    moved = numpy.linalg.norm(graph.point(ends[0]) - graph.point(ends[1]))
    bound = numpy.linalg.norm(query.point - other.point) / (1 - r * h)
    steep = math.hypot(1, *graph.gradient(ends[0]))
    rounding = 4 * steep * _tolerance(trial, query)
    trial.at_most("|proj(q) − proj(q′)|", moved, bound, rounding, _told(query, **{"q′": other.point}))


@law("project", domain=TUBE, source="translations are isometries")
def footpoint_translated(trial: Trial, draw: Draw) -> None:
    """The footpoint moves with the graph: that of q + (a, b) on the graph of f(θ − a) + b is proj(q) + a."""
    query = _drawn(trial, draw)
    by = numpy.asarray(draw(coordinates(len(query.point))))
    landscape = query.landscape.moved(by[:-1]).lifted(float(by[-1]))
    moved = Query(landscape, trial.rounded(query.point + by), query.footpoints + by[:-1], query.offset)
    found = _found(trial, moved.landscape, moved.point)
    expected = _found(trial, query.landscape, query.point) + by[:-1]
    trial.same("proj(q + (a, b))", found, expected, 2 * _tolerance(trial, query, moved), _told(query, moved=by))


@law("project", domain=TUBE, source="similarity")
def footpoint_scaled(trial: Trial, draw: Draw) -> None:
    """There is no unit of length: the footpoint of λq on the graph of λf(θ/λ) is λproj(q)."""
    query, factor = _drawn(trial, draw), draw(st.sampled_from([2.0, 0.5, 8.0, 0.125]))
    found = _found(trial, query.landscape.scaled(factor), factor * query.point)
    expected = factor * _found(trial, query.landscape, query.point)
    trial.same("proj(λq)", found, expected, _scaled(trial, query, factor), _told(query, λ=factor))


MEDIAL = "valleys ½Σkᵢθᵢ² with k₁ > |kᵢ|, q = p + rν(p) with r ≤ W/k₁: on the medial axis, and near it"


@law("distance", domain=MEDIAL, source="weak duality: no eigenvalue of the Hessian exceeds W/r")
def medial_distance(trial: Trial, draw: Draw) -> None:
    """Up to the medial axis the distance is the radius of the ball that touches: d(p + rν(p)) = r."""
    query = _medial(trial, draw)
    found = _found(trial, query.landscape, query.point)
    trial.same("d(q)", found, query.offset, _tolerance(trial, query), _told(query))


@law("project", domain=MEDIAL, source="weak duality: no eigenvalue of the Hessian exceeds W/r")
def medial_footpoints(trial: Trial, draw: Draw) -> None:
    """On the medial axis one of the two nearest points is found, beside it the nearest: proj(p + rν(p)) ∈ {p, p̄}."""
    query = _medial(trial, draw)
    theta = _found(trial, query.landscape, query.point)
    away = numpy.min(numpy.linalg.norm(theta - query.footpoints, axis=-1))
    trial.same("distance of proj(q) from the footpoints", away, 0.0, _tolerance(trial, query), _told(query))


def _medial(trial: Trial, draw: Draw) -> Query:
    """A query in the dtype on trial; rounding takes it off the axis by less than the footpoints are known."""
    query = draw(medial_queries())
    return replace(query, point=trial.rounded(query.point))
