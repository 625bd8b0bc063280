"""Numbers, hyper-parameters, queries and samples: what is promised of them, by brute force and by rolling."""

import inspect
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from rbo_ref import oracle, strategies
from rbo_ref.strategies import (
    Landscape,
    Ridge,
    dtypes,
    dyadics,
    hyper_parameters,
    implicit_queries,
    inner_bounds,
    landscapes,
    medial_queries,
    parametric_queries,
    points,
    queries,
    radii,
    sampled_queries,
    samples,
)
from rbo_ref.strategies.numbers import _eight_bits, _fractions

QUICK = settings(max_examples=500, database=None)
SOME = settings(QUICK, phases=[Phase.generate])  # any example will do, not the smallest


def steps(regime):
    """A landscape, a start, hyper-parameters."""
    starts = landscapes().flatmap(lambda f: st.tuples(st.just(f), points(f.dimension)))
    return starts.flatmap(lambda s: st.tuples(*map(st.just, s), hyper_parameters(*s, regime=regime)))


def inner_distances(landscape, theta, hyper):
    """Distances to the candidate along the inner loop."""
    graph = landscape.graph
    candidate = graph.point(theta) + hyper.radius * graph.normal(theta) - hyper.learning_rate * graph.tangent(theta)
    found = []
    for count in range(hyper.projection_steps + 1):
        options = hyper._replace(projection_steps=count)._asdict()
        end = oracle.RightPort()(graph.value_and_gradient, theta, **options)
        found.append(np.linalg.norm(graph.point(end) - candidate))
    return np.array(found)


@settings(max_examples=40)
@given(steps("stable"))
def test_the_stable_regime_approaches_the_candidate(drawn):
    landscape, theta, hyper = drawn
    away = inner_distances(landscape, theta, hyper)
    assert (away[1:] <= away[:-1] * (1 + 1e-9) + 1e-9).all()
    bounds = inner_bounds(landscape, theta, hyper.learning_rate, hyper.radius)
    assert away[0] == pytest.approx(bounds.distance)
    assert hyper.projection_rate * bounds.high <= 1


@settings(max_examples=40)
@given(steps("unstable"))
def test_the_unstable_regime_overshoots(drawn):
    """γλ ≥ 2 at the contact, by finite differences of the pull."""
    landscape, theta, hyper = drawn
    graph = landscape.graph
    g = graph.gradient(theta)
    rise = hyper.learning_rate * g @ g - hyper.radius / math.hypot(1, *g)
    inner = np.eye(len(g)) + np.outer(g, g) + rise * graph.hessian(theta)
    assert hyper.projection_rate * max(np.linalg.eigvalsh(inner)[-1], 0.5) >= 2


def test_any_regime_has_both():
    bowl, origin = Landscape((Ridge("square", 1.0, (1.0,)),)), np.zeros(1)
    for wanted in (True, False):
        found = find(
            hyper_parameters(bowl, origin, regime="any"),
            lambda h, wanted=wanted: (h.projection_rate > 2) == wanted,
            settings=QUICK,
        )
        assert found.projection_steps >= 1
    with pytest.raises(ValueError, match="regime must be one of stable, unstable, any, got 'wild'"):
        find(hyper_parameters(bowl, origin, regime="wild"), lambda h: True)


def nearest_of_many(query, half=12.0, count=40_001):
    """The distance to a dense sample of a curve, from the sample and the bound of its sag."""
    t = np.linspace(query.point[0] - half, query.point[0] + half, count)[:, None]
    away = np.linalg.norm(query.landscape.graph.point(t) - query.point, axis=-1)
    return t[np.argmin(away), 0], away.min()


@settings(max_examples=25)
@given(st.data())
def test_footpoints_of_queries_are_global(data):
    query = data.draw(queries(data.draw(landscapes(1)), size=4.0))
    theta, away = nearest_of_many(query)
    point = query.landscape.graph.point(query.footpoints[0])
    assert np.linalg.norm(query.point - point) == pytest.approx(abs(query.offset), abs=1e-9)
    assert away >= abs(query.offset) - 1e-9
    assert query.footpoints.shape == (1, 1)
    steep = math.hypot(1, *query.landscape.graph.gradient(query.footpoints[0]))
    assert abs(theta - query.footpoints[0, 0]) <= 6e-4 * (2 + steep)  # a step of the sample


@settings(max_examples=25)
@given(medial_queries(dimension=1))
def test_medial_queries_are_on_the_medial_axis_or_near_it(query):
    _, away = nearest_of_many(query)
    assert away >= query.offset - 1e-9
    distances = np.linalg.norm(query.landscape.graph.point(query.footpoints) - query.point, axis=-1)
    np.testing.assert_allclose(distances, query.offset, rtol=1e-12)
    if len(query.footpoints) == 2:
        assert abs(query.point[0]) <= 1e-9
        assert query.footpoints[0, 0] == -query.footpoints[1, 0] > 0
    else:
        assert query.point[0] > 0


@settings(max_examples=25)
@given(medial_queries())
def test_medial_queries_in_more_dimensions(query):
    """No point near a footpoint, or anywhere among random ones, is nearer."""
    d = query.landscape.dimension
    random = np.random.default_rng(0).normal(size=(2000, d))
    near = query.footpoints[0] + random * np.geomspace(1e-3, 8, 2000)[:, None]
    away = np.linalg.norm(query.landscape.graph.point(near) - query.point, axis=-1)
    assert away.min() >= query.offset * (1 - 1e-12)


@settings(max_examples=30)
@given(implicit_queries())
def test_footpoints_on_implicit_surfaces(query):
    """Against the closed forms of the shapes, which share nothing with the way they are drawn."""
    surface = query.surface
    assert abs(surface.value(query.footpoint)) <= 1e-12
    np.testing.assert_allclose(surface.true_footpoint(query.point), query.footpoint, rtol=0, atol=1e-9)
    assert surface.true_distance(query.point) == pytest.approx(abs(query.offset), abs=1e-12)


def test_implicit_surfaces_of_every_kind():
    for kind in ("Plane", "Sphere", "Ellipsoid", "Cylinder", "Torus"):
        find(implicit_queries(), lambda q, kind=kind: type(q.surface).__name__ == kind, settings=SOME)


@settings(max_examples=30)
@given(parametric_queries() | sampled_queries())
def test_footpoints_on_surfaces_by_parameters_and_samples(query):
    """They are on the surface, no sample of which is nearer."""
    surface, d = query.surface, len(query.point) - 1
    box = surface.box or [(-4.0, 4.0)] * d
    theta = np.stack(np.meshgrid(*[np.linspace(low, high, 41) for low, high in box], indexing="ij"), axis=-1)
    away = np.linalg.norm(surface.point(theta.reshape(-1, d)) - query.point, axis=-1)
    assert np.linalg.norm(query.point - query.footpoint) == pytest.approx(abs(query.offset), abs=1e-12)
    assert np.min(away) >= abs(query.offset) - 1e-12


def test_the_page_lists_every_strategy():
    page = (Path(__file__).parents[3] / "docs" / "strategies.rst").read_text(encoding="utf-8")
    for name in strategies.__all__:
        thing = getattr(strategies, name)
        drawn = callable(thing) and not isinstance(thing, type) and name != "inner_bounds"
        arguments = f"({', '.join(inspect.signature(thing).parameters)})" if drawn else ""
        assert f"``{name}{arguments}``" in page or name in INSIDE, name


INSIDE = ("KINDS", "PROFILES", "Bump", "Ridge")  # what landscapes consist of


def test_medial_gaps():
    assert len(find(medial_queries(gap=0.5), lambda q: q.offset > 0, settings=QUICK).footpoints) == 1
    with pytest.raises(ValueError, match="gap must be at least 0 and below 1, got 1"):
        find(medial_queries(gap=1), lambda q: True)


@settings(max_examples=50)
@given(radii(above=0.3, below=0.4), radii(below=1e-3), radii(above=100.0), dyadics(-0.5, 1.25))
def test_ranges(between, small, large, number):
    assert 0.3 < between < 0.4
    assert 0 < small < 1e-3
    assert large > 100
    assert -0.5 <= number <= 1.25
    assert all(np.float32(x) == x and (x * 2**20).is_integer() for x in (between, large, number))


def test_simple_numbers_first():
    """Hypothesis shrinks towards the front of what it samples from; the order of that is ours."""
    assert _fractions(-2, 2, 1) == [0.0, 1.0, 2.0, -1.0, -2.0, 0.5, 1.5, -0.5, -1.5]
    assert _fractions(0.3, 0.8, 2) == [0.5, 0.75]
    numbers = _eight_bits(0.3, 5.0)
    assert numbers[:4] == [1.0, 2.0, 4.0, 0.5]
    bits = [len(f"{Fraction(r).numerator:b}".rstrip("0")) for r in numbers]
    assert bits == sorted(bits)
    assert max(bits) == 8


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (lambda: radii(above=2.0, below=1.0), "radii must have 0 <= above < below"),
        (lambda: radii(above=1.0, below=1.0001), "no number of eight bits lies between"),
        (lambda: dyadics(2, 1), "low must not be above high, got 2 and 1"),
        (lambda: dyadics(0.51, 0.52), "no fraction of 4 bits lies between"),
    ],
)
def test_empty_ranges(strategy, message):
    with pytest.raises(ValueError, match=message):
        strategy()


@settings(max_examples=50)
@given(samples())
def test_samples(drawn):
    assert drawn.heights.ndim in (1, 2, 3)
    assert drawn.heights.size
    assert abs(drawn.heights).max() <= 8
    assert drawn.options() == {"spacing": drawn.spacing, "boundary": drawn.boundary}
    assert drawn.steps.shape == (drawn.heights.ndim,)
    twice = drawn.scaled(2.0)
    assert (twice.heights == 2 * drawn.heights).all()
    assert (twice.radius, *twice.steps) == (2 * drawn.radius, *(2 * drawn.steps))


@pytest.mark.parametrize(
    "sought",
    [
        lambda s: s.heights.ndim == 3 and len(set(s.steps)) > 1,
        lambda s: max(s.heights.shape) > 64,
        lambda s: s.heights.shape[0] > 64 and s.heights.ndim > 1,
        lambda s: s.heights.size == 1,
    ],
)
def test_samples_of_every_kind(sought):
    find(samples(), sought, settings=SOME)


def test_samples_are_missing():
    assert np.isnan(find(samples(hole=math.nan), lambda s: np.isnan(s.heights).any(), settings=SOME).heights).any()


def test_dtypes_are_those_that_a_library_has():
    torch = pytest.importorskip("torch")
    assert find(dtypes(torch), lambda name: name == "bfloat16", settings=QUICK)
    assert find(dtypes(), lambda name: name == "float16", settings=QUICK)
    strict = pytest.importorskip("array_api_strict")
    assert {find(dtypes(strict), lambda n, w=w: n == w, settings=QUICK) for w in ("float32", "float64")}
    with pytest.raises(ValueError, match="has none of the dtypes"):
        dtypes(math)
