"""Statements of the paper, and what docs/reach.rst says of them: its theorems and counterexamples, one a test."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from geometry import (
    FunctionGraph,
    critical_radius,
    distance,
    medial_radius,
    offset,
    offset_function,
    project,
    reach,
    reach_from_points,
    reachable,
)
from tests.geometry import surfaces
from tests.geometry.test_reach import BELOW_THE_WELL, graph, hill, tanh
from tests.geometry.test_reachability import differentiable


def nearest_points(f, center, half=6.0, count=200_001):
    """Points of a dense sample that are nearest to a centre, up to the spacing."""
    x = np.linspace(-half, half, count)
    samples = np.stack([x, f(x)], axis=-1)
    away = np.linalg.norm(samples - center, axis=-1)
    return samples[away <= away.min() + 1e-6], away.min()


# A graph has no bottleneck.


@settings(max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_nearest_points_are_below_a_centre_above(seed):
    """Lemma 1: (c − q)·e > 0 for all nearest points, on the medial axis too; c = q + rν(q)."""
    surface = differentiable(seed)
    x = np.linspace(-8, 8, 40_001)
    samples = surface.point(x[:, None])
    centers = samples[15_000:25_000:100] + [0, 1] * np.random.default_rng(seed).uniform(0.5, 3, (100, 1))
    start = x[cKDTree(samples).query(centers)[1]]
    feet = project(surface, centers, start=start[:, None])  # refines the nearest sample
    assert feet.converged.all()
    assert (centers[:, 1] > feet.point[:, 1]).all()
    exact = feet.point + feet.distance[:, None] * surface.normal(feet.theta)
    # the normal turns by the residual, 1e-12, times the steepness and over the curvature, below 10³ here
    np.testing.assert_allclose(exact, centers, atol=1e-8)


@pytest.mark.parametrize("amplitude", [1.0, 30.0, 1000.0])
def test_walls_that_face_each_other_are_no_bottleneck(amplitude):
    """Steep walls, ever nearer to vertical and π apart: reach stays a curvature, 1/A, and no pair has less."""
    surface = graph(lambda t: amplitude * np.sin(t), lambda t: amplitude * np.cos(t), lambda t: -amplitude * np.sin(t))
    found = reach(surface, [(-math.pi, math.pi)])
    assert found.value == pytest.approx(1 / amplitude, rel=1e-12)
    crest = math.pi / 2 + np.linspace(-1, 1, 301) / amplitude**2
    theta = np.concatenate([np.linspace(-4, 7, 1500), crest])[:, None]
    federer = reach_from_points(surface.point(theta), normals=surface.normal(theta))
    assert 1 / amplitude * (1 - 1e-6) <= federer <= 1.01 / amplitude


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6))
def test_below_the_reach_footpoints_are_unique(seed):
    """Theorem 2: a ball of less than 1/K at any point, on any side, is empty; a ball of more is not, where κ = K."""
    surface = differentiable(seed)
    found = reach(surface, [(-15, 15)], samples=2**13)
    theta = np.random.default_rng(seed).uniform(-3, 3, (20, 1))
    samples = cKDTree(surface.point(np.linspace(-15, 15, 60_001)[:, None]))
    for sign in (1, -1):
        center = offset(surface, theta, sign * 0.99 * found.value)
        assert (samples.query(center)[0] >= 0.99 * found.value * (1 - 1e-12)).all()
    sign = 1 if found.side == "above" else -1
    center = offset(surface, found.theta, sign * 1.05 * found.value)
    near = surface.point(found.theta + 0.2 * found.value * np.linspace(-1, 1, 2001)[:, None])
    assert np.linalg.norm(near - center, axis=-1).min() < 1.05 * found.value * (1 - 1e-9)


def test_one_side():
    """Corollary 3: beyond the reach, 1, up to the critical radius every point is still touched from above."""
    theta = np.linspace(-4, 4, 33)[:, None]
    assert reach(hill(1), [(-5, 5)]).value == pytest.approx(1, rel=1e-14)
    assert critical_radius(hill(1), [(-5, 5)]) == pytest.approx(BELOW_THE_WELL, rel=1e-14)
    assert reachable(hill(1), theta, 2.67).all()
    assert not reachable(hill(1), reach(hill(1), [(-5, 5)], side="above").theta, 2.68)
    lowest = offset(hill(1), theta, 2.67)
    np.testing.assert_allclose(offset_function(hill(1), lowest[:, :1], 2.67), lowest[:, 1], rtol=1e-12)


def test_a_kink_has_no_reach():
    """Curvatures do not see it; the balls do."""
    kink = FunctionGraph(lambda t: np.abs(t[..., 0]), np.sign, lambda t: 0 * t[..., None])
    assert reach(kink, [(-1, 2)]).value == math.inf
    found = medial_radius(kink, [[1e-1], [1e-3], [1e-6]])
    np.testing.assert_allclose(found, np.array([1e-1, 1e-3, 1e-6]) * math.sqrt(2), rtol=1e-9)


# Definition 1 is two-sided.


def test_definition_one_is_two_sided():
    """f = θ², ρ = 10, c = (0, −10): the ball touches the sharp minimum from below, and nothing else."""
    rho = 10.0
    touched, away = nearest_points(np.square, np.array([0.0, -rho]))
    assert away == rho
    np.testing.assert_allclose(touched, 0, atol=1e-3)
    valley = surfaces.paraboloid(2.0)
    assert not reachable(valley, [0.0], rho)
    assert reachable(valley, [0.0], rho, side="below")
    assert medial_radius(valley, [0.0]) == 0.5


def test_unreachable_points_grow_and_are_open():
    theta = np.linspace(-math.pi, 0, 101)[:, None]
    radii = np.array([0.9, 1.1, 1.5, 3.0, 10.0])
    found = reachable(surfaces.sine(), theta[:, None, :], radii)
    assert (found[:, :-1] >= found[:, 1:]).all()
    assert found[:, 0].all()
    assert found.mean(axis=0)[-1] < 0.2


def test_the_norm_of_the_hessian_is_not_the_condition():
    """At the crest of sin ρ‖∇²f‖ > 1, yet every ball touches it from above."""
    assert reachable(surfaces.sine(), [math.pi / 2], 1e3)
    assert abs(surfaces.sine().hessian([math.pi / 2])[0, 0]) * 1e3 > 1
    assert not reachable(surfaces.sine(), [-math.pi / 2], 1.001)


# "All points that are not local maxima."


def test_points_that_are_no_local_maxima_and_are_always_reached():
    falling = graph(lambda t: -np.exp(t), lambda t: -np.exp(t), lambda t: -np.exp(t))
    for surface in (surfaces.plane(1.0), falling):
        np.testing.assert_array_equal(medial_radius(surface, [[-1.0], [0.0], [2.0]]), np.inf)


def test_a_local_maximum_that_is_not_reached():
    """−θ² + θ⁴ at 0: Γ rises above its tangent there beyond |θ| = 1."""
    surface = graph(lambda t: t**4 - t**2, lambda t: 4 * t**3 - 2 * t, lambda t: 12 * t**2 - 2)
    found = medial_radius(surface, [0.0])
    t = np.linspace(1.001, 20, 2_000_001)
    height = t**4 - t**2
    assert found == pytest.approx(np.min((t**2 + height**2) / (2 * height)), rel=1e-9)
    assert not reachable(surface, [0.0], 1.01 * found)


@settings(max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_the_points_that_all_balls_reach(seed):
    """Proposition 5 and Corollary 6: f nowhere above the tangent plane; for bounded f, the global maximum only."""
    surface = differentiable(seed)
    x = np.linspace(-15, 15, 30_001)[:, None]
    heights = surface.value(x)
    theta = np.linspace(-15, 15, 13)[:, None]
    top = x[np.argmax(heights)]
    theta = np.concatenate([theta, top[None]])
    found = medial_radius(surface, theta, box=[(-15, 15)])
    for at, radius in zip(theta, found, strict=True):
        above = heights - surface.value(at) - (x - at) @ surface.gradient(at)
        assert (radius < math.inf) or above.max() <= 1e-6
        assert (radius == math.inf) or above.max() > -1e-9


# Lemma 2.


def test_no_uniform_convergence():
    """tanh: Δ(ρ) = 2 for every ρ."""
    for rho in (1.0, 10.0, 100.0):
        left, right = offset_function(tanh, [[-rho - 30], [rho + 30]], rho)
        assert right - left == pytest.approx(2, abs=1e-12)


def test_the_rate_fails_at_a_point():
    """f = −1/(1 + θ²): f_ρ(0) − ρ ~ −√2 ρ^(−1/2), −1.40921 ρ^(−1/2) for ρ = 10⁴."""
    well = FunctionGraph(lambda t: -1 / (1 + t[..., 0] ** 2))
    scaled = [float(offset_function(well, [0.0], rho) - rho) * math.sqrt(rho) for rho in (1e2, 1e4)]
    assert scaled[1] == pytest.approx(-1.40921, abs=1e-5)
    assert abs(scaled[1] + math.sqrt(2)) < abs(scaled[0] + math.sqrt(2)) < 0.1
    # the bound O(1/ρ) would have it fall by 100 from the one to the other
    assert scaled[1] / scaled[0] > 0.9


@settings(max_examples=15)
@given(rho=st.floats(3.2, 300), x=st.floats(-10, 10))
def test_the_rate_of_a_periodic_function(rho, x):
    """0 ≤ sup f − (f_ρ − ρ) ≤ ρ − √(ρ² − D²), D = π for sin."""
    gap = 1 - (float(offset_function(surfaces.sine(), [x], rho)) - rho)
    assert -1e-12 <= gap <= rho - math.sqrt(rho**2 - math.pi**2) + 1e-12


def test_local_convergence():
    """On a bounded set f_ρ − ρ → sup f, at D²/ρ and the ε of a near maximum: for tanh, θ* = 10."""
    for rho in (1e3, 1e5):
        found = offset_function(tanh, [[-2.0], [2.0]], rho) - rho
        assert (found >= math.tanh(10) - 12**2 / rho).all()
        assert (found <= 1 + 1e-10).all()


def test_distance_of_the_centre():
    """Where a point is reachable, the centre is as far from Γ as from the point; otherwise nearer."""
    surface, rho = surfaces.sine(), 2.0
    theta = np.linspace(-3, 3, 13)[:, None]
    dense = surface.point(np.linspace(-8, 8, 160_001)[:, None])
    away = cKDTree(dense).query(offset(surface, theta, rho))[0]
    np.testing.assert_array_equal(away >= rho - 1e-9, reachable(surface, theta, rho))
    assert (distance(surface, offset(surface, theta, rho), start=theta) <= rho + 1e-12).all()
