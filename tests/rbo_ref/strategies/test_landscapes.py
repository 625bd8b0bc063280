"""Landscapes: their bounds, derivatives and rounding against other libraries and formats; what they shrink to."""

import math

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from geometry import FunctionGraph
from rbo_ref.strategies import (
    KINDS,
    PROFILES,
    Bump,
    Landscape,
    Ridge,
    coordinates,
    dtypes,
    landscapes,
    namespaces,
    planes,
    points,
)

EPS = float(np.finfo(float).eps)
QUICK = settings(max_examples=500, database=None)


def pairs():
    """A landscape and two points."""
    return landscapes().flatmap(lambda f: st.tuples(st.just(f), *[points(f.dimension)] * 2))


@settings(max_examples=60)
@given(pairs())
def test_the_bounds_hold(drawn):
    landscape, one, two = drawn
    graph, away = landscape.graph, np.linalg.norm(one - two)
    slopes, bends = graph.gradient(np.stack([one, two])), graph.hessian(np.stack([one, two]))
    slack = 1 + 1e-12
    assert (np.linalg.norm(slopes, axis=-1) <= landscape.slope_bound * slack).all()
    assert (np.linalg.norm(bends, 2, axis=(-2, -1)) <= landscape.curvature_bound * slack).all()
    assert (abs(graph.curvatures(np.stack([one, two]))) <= landscape.curvature_bound * slack + 1e-12).all()
    assert np.linalg.norm(bends[0] - bends[1], 2) <= landscape.jerk_bound * away * slack + 1e-12


@pytest.mark.parametrize("name", PROFILES)
def test_the_bounds_of_profiles_are_attained(name):
    """A bound that is too large would make every tolerance too large."""
    ridge, t = Ridge(name, 1.0, (1.0,)), np.linspace(-4, 4, 80_001)[:, None]
    slope, bend, jerk = ridge.bounds
    bends = ridge.hessian(t)[:, 0, 0]
    assert slope == math.inf or np.max(abs(ridge.gradient(t))) == pytest.approx(slope, rel=0.03)
    assert np.max(abs(bends)) == pytest.approx(bend, rel=1e-3)
    assert np.max(abs(np.diff(bends))) / 1e-4 == pytest.approx(jerk, rel=1e-3, abs=1e-9)


def test_the_bounds_of_a_bump_are_attained():
    bump, t = Bump(2.0, (0.0,), 0.5), np.linspace(-4, 4, 80_001)[:, None]
    slope, bend, jerk = bump.bounds
    bends = bump.hessian(t)[:, 0, 0]
    assert np.max(abs(bump.gradient(t))) == pytest.approx(slope, rel=1e-6)
    assert np.max(abs(bends)) == pytest.approx(bend, rel=1e-6)
    assert np.max(abs(np.diff(bends))) / 1e-4 == pytest.approx(jerk, rel=1e-3)


@settings(max_examples=8)
@given(pairs())
def test_derivatives_are_those_of_a_framework(drawn):
    """PyTorch differentiates the value; the formulas are our own."""
    torch = pytest.importorskip("torch")
    landscape, theta, _ = drawn
    theta = torch.asarray(theta)
    differentiated = FunctionGraph(landscape.graph.value)
    scale = 1 + landscape.curvature_bound * (8 + float(abs(theta).max()))
    for verb in ("gradient", "hessian"):
        found, expected = (getattr(graph, verb)(theta).numpy() for graph in (landscape.graph, differentiated))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e4 * EPS * scale)


@settings(max_examples=60)
@given(pairs(), st.sampled_from(["float32", "float16"]))
def test_the_rounding_is_a_bound(drawn, dtype):
    """Values in a short format against those in float64."""
    landscape, theta, _ = drawn
    unit = float(np.finfo(dtype).eps) / 2
    with np.errstate(all="ignore"):
        found = landscape.graph.value_and_gradient(theta.astype(dtype))
    expected = landscape.graph.value_and_gradient(theta)
    e_value, e_gradient = landscape.rounding(theta, unit)
    tiny = 64 * float(np.finfo(dtype).tiny)
    assert abs(float(found[0]) - expected[0]) <= e_value + tiny
    assert np.linalg.norm(found[1].astype(float) - expected[1]) <= e_gradient + tiny


def test_where_rounding_leaves_a_root_unbounded_there_is_no_bound():
    """As of √(1 + u²) for u = −6 + 11 − 6 among 33 terms: in float16 running errors do not tell that 1 + u² > 0."""
    weights, theta = np.zeros(33), np.zeros(33)
    weights[[13, 19, 25]], theta[[13, 19, 25]] = [2, 2, -2], [-3, 5.5, 3]
    landscape = Landscape((Ridge("hyperbola", 1.0, tuple(weights)),))
    assert landscape.rounding(theta, 2.0**-11) == (np.inf, np.inf)
    assert max(landscape.rounding(theta, 2.0**-24)) < 1e-3


@settings(max_examples=40)
@given(landscapes())
def test_the_numbers_are_exact_in_every_format(landscape):
    torch = pytest.importorskip("torch")
    numbers = [
        number
        for term in landscape.terms
        for number in (
            (term.amplitude, *term.weights, term.shift) if isinstance(term, Ridge) else (*term.center, term.width)
        )
    ]
    assert torch.asarray(numbers, dtype=torch.bfloat16).double().tolist() == numbers
    assert np.asarray(numbers, dtype="float16").tolist() == numbers


@settings(max_examples=40)
@given(pairs())
def test_transformations(drawn):
    landscape, theta, by = drawn
    value, graph = landscape.graph.value, landscape.graph
    size = 1e3 * (EPS + landscape.rounding(abs(theta) + 2 * abs(by), EPS)[0])
    random = np.linalg.qr(np.random.default_rng(0).normal(size=(landscape.dimension,) * 2))[0]
    assert landscape.moved(by).graph.value(theta + by) == pytest.approx(graph.value(theta), abs=size)
    assert landscape.lifted(2.5).graph.value(theta) == pytest.approx(value(theta) + 2.5, abs=size)
    assert landscape.scaled(4.0).graph.value(4 * theta) == pytest.approx(4 * value(theta), abs=size)
    assert landscape.turned(random).graph.value(random @ theta) == pytest.approx(value(theta), abs=size)
    assert landscape.flattened(-0.5).graph.value(theta) == pytest.approx(-0.5 * value(theta), abs=size)
    even = landscape.mirrored(by).graph
    assert even.value(by + theta) == pytest.approx(even.value(by - theta), abs=size)
    assert np.linalg.norm(even.gradient(by)) <= size


@settings(max_examples=40)
@given(st.data(), st.sampled_from([0.25, 1.0, 3.0]))
def test_the_bounds_that_are_asked_for(data, bound):
    landscape = data.draw(landscapes(max_slope=bound, max_curvature=bound))
    assert landscape.slope_bound <= bound
    assert landscape.curvature_bound <= bound
    assert not any(isinstance(term, Ridge) and term.profile == "square" for term in landscape.terms)
    assert data.draw(planes()).curvature_bound == 0


@settings(max_examples=20)
@given(st.data(), st.sampled_from(KINDS))
def test_only_the_kinds_that_are_asked_for(data, kind):
    landscape = data.draw(landscapes(2, kinds=[kind]))
    assert {getattr(term, "profile", "bump") for term in landscape.terms} == {kind}
    assert landscape.dimension == 2


def test_fewer_terms_are_the_last_ones_drawn():
    """So a term that goes takes no choice of the others with it."""
    found = find(landscapes(1, kinds=["linear"]), lambda f: len(f.terms) == 1, settings=QUICK)
    assert [term.profile for term in found.terms] == ["linear"]


@pytest.mark.parametrize("dimension", [1, 3, 6])
def test_coordinates_of_any_dimension(dimension):
    assert len(find(coordinates(dimension), lambda v: v[0] < -1, settings=QUICK)) == dimension


def test_in_words():
    landscape = Landscape((Ridge("sine", -0.5, (1.0, -2.0), 0.25), Bump(2.0, (0.0, 1.0), 0.5)))
    assert str(landscape) == "-0.5·sin(1θ1 -2θ2 +0.25) + 2·exp(−|θ − (0, 1)|²/0.5)"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": ["cone"]}, "kinds must be some of linear, .*, got cone"),
        ({"kinds": []}, "kinds must be .*, got none"),
        ({"max_slope": 0.0}, "max_slope and max_curvature must be positive, got 0.0 and inf"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        find(landscapes(**options), lambda f: True)


@settings(max_examples=8)
@given(st.data())
def test_every_library_and_dtype(data):
    xp = data.draw(namespaces())
    dtype = data.draw(dtypes(xp))
    theta = data.draw(points(2, xp=xp, dtype=dtype))
    value, gradient = data.draw(landscapes(2)).graph.value_and_gradient(theta)
    assert str(value.dtype).endswith(dtype)
    assert gradient.shape == (2,)
