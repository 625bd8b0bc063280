"""Compiled values, samplers and climbs against the generic bodies, which are their specification."""

from __future__ import annotations

import sys
import tracemalloc

import numpy as np
import pytest

from geometry import (
    FunctionGraph,
    MultiStart,
    Newton,
    Sampling,
    distance,
    medial_radius,
    offset_function,
    reach,
    reachable,
)
from geometry import _maximum as maximum
from geometry._kernels import KERNELS, kernel
from geometry._maximum import Starts, climb
from geometry.offsets import _Ball
from geometry.offsets import _starts as rest
from geometry.reachability import _starts as touch
from geometry.reachability import _Touch
from geometry.reaches import _compiled as compiled_bends

pytestmark = pytest.mark.skipif(kernel("climb", np) is None, reason="numba cannot compile here")

EPS = 2.0**-52
CENTERS = np.random.default_rng(3).uniform(-2, 2, (20, 2))


def ripples(t):
    """Its angles grow up to 144 |θ|."""
    return np.sum(np.sin(np.arange(1.0, 13.0) ** 2 * t[..., :1]) / np.arange(1.0, 13.0) ** 2, axis=-1)


def dents(t):
    """With a hole."""
    away, hole = t[..., None, :] - CENTERS, np.sum((t - 1.5) ** 2, axis=-1) < 0.1
    f = np.sum(t**2, axis=-1) / 4 - np.sum(np.exp(-4 * np.sum(away**2, axis=-1)), axis=-1)
    return np.where(hole, np.nan, f)


def island(t):
    """No surface beyond √(4 − |θ|²), and a wall."""
    return np.where(t[..., 1] > 1.5, np.inf, np.sqrt(4 - np.sum(t**2, axis=-1)))


FUNCTIONS = {"ripples": (ripples, 1), "dents": (dents, 2), "island": (island, 2)}
each_function = pytest.mark.parametrize("name", FUNCTIONS)
differentiable = pytest.mark.parametrize("name", ["ripples", "dents"])


@pytest.fixture(scope="module")
def pairs():
    """Each function as a surface that is compiled, and as one that runs on arrays."""
    return {
        name: (FunctionGraph(f, compile=True, name=name), FunctionGraph(f, compile=False, name=name))
        for name, (f, _) in FUNCTIONS.items()
    }


def places(name, count=9):
    """Some; the last one in the hole."""
    theta = np.random.default_rng(1).uniform(-2, 2, (count, FUNCTIONS[name][1]))
    theta[-1] = 1.5
    return theta


# What each kernel gives for a surface and θ (n, d): arrays (n, ...) of which a row depends on its θ alone.


def evaluated(surface, theta):
    return surface.value(theta), surface.gradient(theta), surface.hessian(theta)


def rested(surface, theta):
    return tuple(rest(ball(surface, theta), 100))


def ball(surface, theta):
    return _Ball(surface, theta, np.linspace(0.1, 2.0, 9)[: len(theta)])


def touched(surface, theta, box=None):
    bounds = None if box is None else (np.full(theta.shape[1], -box), np.full(theta.shape[1], box))
    return tuple(touch(_Touch.at(surface, theta, 1.0, bounds), 100))


def climbed(surface, theta):
    """Of resting balls, from their poles and from beside them."""
    balls = ball(surface, theta)
    v = np.stack([0 * theta, 0 * theta + 0.3], axis=1)
    starts = Starts(balls.heights(v)[1], v, np.full(v.shape[:2], 0.2))
    found = climb(lambda v: balls.heights(v)[1], starts, np.full(v.shape[:2], 1e-12), balls.compiled())
    return found.values, balls.heights(found.places)[1]


def looked(surface, theta):
    """The largest curvatures towards both sides."""
    d = theta.shape[1]
    known = compiled_bends(surface, np.full(d, -2.0), np.full(d, 2.0), "both")
    if known is not None:
        return (kernel("look", np)(*known, theta / 2)[0],)
    bends = np.max(np.abs(surface.curvatures(theta)), axis=-1)
    return (np.where(np.isnan(bends), -np.inf, bends),)


CASES = {"evaluate": evaluated, "rest": rested, "touch": touched, "climb": climbed, "look": looked}


def test_every_kernel_of_theirs_has_a_case():
    modules = {KERNELS[name, "numpy"] for name in CASES}
    assert {name for (name, _), module in KERNELS.items() if module in modules} == CASES.keys()


@differentiable
@pytest.mark.parametrize("case", CASES)
def test_as_the_generic_body(pairs, name, case):
    """Some hundred roundings, of heights up to 4; those of curvatures are relative to their size.

    Samples near p, where a ball is stopped first, are 1e-6 above the tangent plane, and so is their rounding larger.
    """
    rtol = 1e-9 if case == "touch" else 2e-11
    with np.errstate(all="ignore"):
        compiled, arrays = (CASES[case](surface, places(name)) for surface in pairs[name])
    for found, expected in zip(compiled, arrays, strict=True):
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=400 * EPS)


@differentiable
def test_samples_within_a_box(pairs, name):
    with np.errstate(all="ignore"):
        compiled, arrays = (touched(surface, places(name), box=2.1) for surface in pairs[name])
    for found, expected in zip(compiled, arrays, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=400 * EPS)


@pytest.mark.parametrize("case", CASES)
def test_the_same_bits_for_any_number_of_threads_and_in_any_company(pairs, case, monkeypatch):
    from geometry._kernels import blocks, peaks

    surface, theta = pairs["dents"][0], places("dents")
    whole = CASES[case](surface, theta)
    for cores in (1, 3):
        for module in (blocks, peaks):
            monkeypatch.setattr(module, "available_cores", lambda cores=cores: cores)
            monkeypatch.setattr(module, "LEAST", 1)
            monkeypatch.setattr(module, "WORTH", 1)
        for one, other in zip(CASES[case](surface, theta), whole, strict=True):
            np.testing.assert_array_equal(one, other)
    alone = [CASES[case](surface, theta[:i]) for i in (1, 4)]
    for i, found in zip((1, 4), alone, strict=True):
        for one, other in zip(found, whole, strict=True):
            np.testing.assert_array_equal(one, other[:i])


# The verbs.


@each_function
def test_offset_functions(pairs, name):
    theta = places(name)[:, None, :] * np.array([1.0, 1.2])[:, None]
    compiled, arrays = (offset_function(s, theta, [0.0, 0.7], samples=400) for s in pairs[name])
    assert compiled.shape == (9, 2)
    np.testing.assert_allclose(compiled, arrays, rtol=0, atol=64 * EPS)
    assert np.isfinite(compiled).sum() > 6


def test_a_ball_over_nothing_and_under_a_wall(pairs):
    theta = np.array([[9.0, -9.0], [0.0, 1.4], [0.0, -2.4], [np.nan, 0.0]])
    for surface in pairs["island"]:
        found = offset_function(surface, theta, 0.5, samples=400)
        assert np.isnan(found[[0, 3]]).all()
        assert found[1] == np.inf
        assert found[2] == pytest.approx(0.7, abs=1e-14)  # (2 + 1/2)² − 2.4² = 0.7²


@differentiable
@pytest.mark.parametrize("box", [None, 2.5])
def test_largest_balls(pairs, name, box):
    box = None if box is None else [(-box, box)] * FUNCTIONS[name][1]
    for side in ("above", "below"):
        compiled, arrays = (medial_radius(s, places(name), side=side, box=box, samples=1200) for s in pairs[name])
        # the heights of contacts are some 1e-2, and known to some roundings of coordinates of 2
        np.testing.assert_allclose(compiled, arrays, rtol=1e-11)
        assert np.isfinite(compiled).any()
    np.testing.assert_array_equal(*(reachable(s, places(name), 0.4, samples=1200) for s in pairs[name]))


@differentiable
@pytest.mark.parametrize("side", ["above", "below", "both"])
def test_curvatures(pairs, name, side):
    box = [(-2, 2)] * FUNCTIONS[name][1]
    compiled, arrays = (reach(s, box, side=side, samples=2048) for s in pairs[name])
    np.testing.assert_allclose(compiled.value, arrays.value, rtol=1e-13)
    np.testing.assert_allclose(compiled.theta, arrays.theta, atol=1e-6)  # of a maximum: the root of that
    assert compiled.side == arrays.side


def test_in_four_dimensions():
    """Of a surface of revolution, as for d = 1. Starts are sparse, and contacts are rolled."""
    k, theta = 0.5, np.full((2, 4), 0.2)
    bowl = FunctionGraph(lambda t: k * np.sum(t**2, axis=-1) / 2, compile=True)
    line = FunctionGraph(lambda t: k * t[..., 0] ** 2 / 2, compile=False)
    expected = offset_function(line, np.sqrt(np.sum(theta**2, axis=-1))[:, None], 0.8)
    np.testing.assert_allclose(offset_function(bowl, theta, 0.8, samples=1024), expected, rtol=0, atol=1e-9)


def test_many_dimensions_run_on_arrays():
    bowl = FunctionGraph(lambda t: np.sum(t**2, axis=-1) / 2, compile=True)
    assert bowl.prepared(np.ones((2, 7)), 10**9) is bowl
    assert offset_function(bowl, np.zeros(7), 0.5, samples=64) == pytest.approx(0.5)
    assert medial_radius(bowl, np.zeros((1, 7)), samples=600) == pytest.approx(1.0)


@pytest.mark.parametrize("solver", [MultiStart(starts=6), Sampling(2048), Sampling(2048, solver=Newton())], ids=str)
def test_distances_by_many_starts(pairs, solver):
    points = np.concatenate([places("dents"), np.linspace(-2, 2, 9)[:, None]], axis=1)
    compiled, arrays = (distance(surface, points, solver) for surface in pairs["dents"])
    np.testing.assert_allclose(compiled, arrays, rtol=1e-9, atol=1e-12)


# When it is compiled.


def test_compiled_is_what_pays():
    surface, theta = FunctionGraph(dents), places("dents")
    assert surface.prepared(theta, 10) is surface
    assert surface.prepared(theta, 10**4) is surface
    many = surface.prepared(theta, 10**8)
    assert many.compile is True
    assert many.value(theta[0]) == pytest.approx(dents(theta[0]))
    assert surface.compile is None
    forbidden = FunctionGraph(dents, compile=False)
    assert forbidden.prepared(theta, 10**8) is forbidden
    assert surface.prepared(theta.astype(np.float32), 10**8) is surface
    pair = FunctionGraph.from_value_and_gradient(lambda t: (t[..., 0], np.ones_like(t)))
    assert pair.prepared(theta, 10**8) is pair


def test_what_pays_gives_the_bits_of_what_is_asked_for(pairs, monkeypatch):
    """Derivatives of large batches, the side of many points, and verbs."""
    monkeypatch.setattr(sys.modules["geometry._compilable"], "COMPILING", 0.0)
    surface, compiled = FunctionGraph(dents), pairs["dents"][0]
    theta = np.random.default_rng(2).uniform(-2, 2, (300, 2))
    for verb in ("gradient", "hessian"):
        np.testing.assert_array_equal(getattr(surface, verb)(theta), getattr(compiled, verb)(theta))
    points = np.concatenate([theta, compiled.value(theta)[:, None]], axis=1)
    known = ~np.isnan(points[:, -1])
    np.testing.assert_array_equal(surface.is_above(points), known)
    assert known.any()
    for verb in (lambda s: offset_function(s, theta[:2], 0.5, samples=400), lambda s: medial_radius(s, theta[:2])):
        np.testing.assert_array_equal(verb(surface), verb(compiled))


def test_what_cannot_be_recorded_or_has_another_gradient_runs_on_arrays():
    branching = FunctionGraph(lambda t: t[..., 0] if np.all(t < 9) else -t[..., 0])
    assert branching.prepared(places("dents"), 10**8) is branching
    wrong = FunctionGraph(dents, lambda t: 0.9 * t)
    assert wrong.prepared(places("dents"), 10**8) is wrong
    asked = FunctionGraph(branching._value, compile=True)
    assert asked.value([1.0, 2.0]) == 1.0
    with pytest.raises(TypeError, match="cannot be compiled"):
        offset_function(asked, [1.0, 2.0], 1.0)


def test_results_are_those_of_arrays_in_shape_and_kind(pairs):
    compiled, arrays = pairs["dents"]
    for shape in ((2,), (3, 2), (0, 2), (2, 1, 2)):
        theta = np.ones(shape)
        for verb in ("value", "gradient", "hessian", "normal", "curvatures"):
            found, expected = getattr(compiled, verb)(theta), getattr(arrays, verb)(theta)
            assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
            np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(compiled.gradient(np.ones((4, 2))[::2, ::-1]), arrays.gradient(np.ones((2, 2))))


def test_the_memory_is_that_of_the_results(pairs):
    theta = np.random.default_rng(0).uniform(-2, 2, (20_000, 2))
    surface = pairs["dents"][0]
    surface.hessian(theta[:1])
    tracemalloc.start()
    try:
        surface.hessian(theta)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 8 * 20_000 * 12  # θ, f, ∇f, ∇²f; on arrays a number for each dent, many times


def test_the_constants_that_stand_twice():
    from geometry import reachability
    from geometry._kernels import maxima

    offset = sys.modules["geometry.offsets"]
    assert (maxima.OVERLAP, maxima.LONGEST) == (maximum.OVERLAP, maximum.LONGEST)
    assert maxima.LOOK_AROUND == offset.LOOK_AROUND == reachability.LOOK_AROUND
    assert maxima.NOISE == reachability.NOISE
