"""How the rolling ball and the other optimizers are related: identities, exact or to first order in the step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from geometry import Descent, FunctionGraph, GaussNewton, project
from rbo_ref import GradientDescent, InducedMetric, Jointly, RollingBall, landscapes
from tests.rbo_ref.optimizers.cases import WAVE

EPS = float(np.finfo(float).eps)
vectors = st.lists(st.floats(-3, 3), min_size=1, max_size=5).map(np.array)
ONE_STEP = GaussNewton(tolerance=0.0, max_steps=1)


def taken(surface: FunctionGraph, query: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """One Gauss–Newton step, where it brings the point nearer; other examples are not counted."""
    found = project(surface, query, ONE_STEP, start=theta).theta
    assume(np.any(found != theta))
    return found


# Gauss–Newton and the induced metric. With p(θ) = (θ, f(θ)) and a query q = (x, y), half the squared distance has the
# gradient ∇φ = (θ−x) + (f−y)g and the Gauss–Newton matrix DpᵀDp = I + ggᵀ: the induced metric with ξ = 1. So the step
# −(I+ggᵀ)⁻¹∇φ is natural gradient descent on φ, and for a query straight below, where ∇φ = ηg, it is Harvey's step.


@settings(max_examples=50)
@given(vectors, st.lists(st.floats(-1, 1), min_size=6, max_size=6))
def test_a_gauss_newton_step_inverts_the_induced_metric(theta, away):
    query = WAVE.point(theta) + 0.01 * np.array(away[: len(theta) + 1])
    height, g = WAVE.value_and_gradient(theta)
    slope = (theta - query[:-1]) + (height - query[-1]) * g
    full = theta - np.linalg.solve(WAVE.metric(theta), slope)
    found = taken(WAVE, query, theta)
    # Rounding of a height below 20, stretched by the slope; condition number 1 + |g|² below 40.
    assert_allclose(found, full, rtol=0, atol=64 * EPS * 40)


@settings(max_examples=50)
@given(vectors, st.floats(1e-3, 0.25))
def test_the_footpoint_of_a_lowered_contact_is_a_step_in_the_induced_metric(theta, rate):
    """Lower the contact by η; one Gauss–Newton step of its projection is InducedMetric(η) without averages, ξ = 1."""
    lowered = WAVE.point(theta)
    lowered[-1] -= rate
    harvey = InducedMetric(rate, xi=1.0, momentum=0.0, beta=0.0)
    assert_allclose(
        taken(WAVE, lowered, theta), harvey.step(WAVE, theta, harvey.init(theta)).theta, rtol=0, atol=64 * EPS * 40
    )


@settings(max_examples=50)
@given(vectors, st.floats(1e-3, 0.1), st.floats(0.1, 10))
def test_on_a_graph_drawn_taller_by_the_root_of_xi_it_is_that_of_xi(theta, rate, xi):
    """Of √ξ·f, lowered by η/√ξ: then ∇φ = ηg again, and G = I + ξggᵀ."""
    root = math.sqrt(xi)
    tall = FunctionGraph(lambda t: root * WAVE.value(t), lambda t: root * WAVE.gradient(t))
    lowered = tall.point(theta)
    lowered[-1] -= rate / root
    harvey = InducedMetric(rate, xi=xi, momentum=0.0, beta=0.0)
    # As above, with heights and slopes √ξ times as large.
    allowed = 64 * EPS * (1 + root) * (1 + xi * 40)
    assert_allclose(
        taken(tall, lowered, theta), harvey.step(WAVE, theta, harvey.init(theta)).theta, rtol=0, atol=allowed
    )


@settings(max_examples=50)
@given(vectors, st.floats(1e-3, 0.05), st.floats(0.01, 10))
def test_one_gauss_newton_step_of_the_ball_is_gradient_descent_for_every_radius(theta, rate, radius):
    """At the contact ∇φ = ηW²g, whatever ρ, and G⁻¹g = g/W²: the first step is −ηg. The second feels the radius."""
    height, g = WAVE.value_and_gradient(theta)
    ball = RollingBall(rate, radius, ONE_STEP).step(WAVE, theta)
    slope = (theta - ball.candidate[:-1]) + (height - ball.candidate[-1]) * g
    allowed = 16 * EPS * (20 + radius) * (1 + g @ g)  # coordinates that cancel, stretched by the slope
    assert_allclose(slope, rate * (1 + g @ g) * g, rtol=0, atol=allowed)
    found = taken(WAVE, ball.candidate, theta)
    assert_allclose(found, ball.theta, rtol=0, atol=0)
    assert_allclose(found, GradientDescent(rate).step(WAVE, theta).theta, rtol=0, atol=allowed)


# The ball and its offset function.

CASES = [
    (landscapes.sine(), 0.5, np.array([0.7])),  # critical radius 1
    (landscapes.paraboloid(np.diag([1.0, 0.5])), 0.75, np.array([0.6, -0.9])),  # 1
    (WAVE, 0.3, np.array([1.0, -0.5, 0.25])),  # at least 1/2.4
]
smooth = pytest.mark.parametrize(("surface", "radius", "theta"), CASES, ids=["sine", "paraboloid", "wave"])


def offset_height(surface: FunctionGraph, radius: float, theta: np.ndarray, near: np.ndarray) -> float:
    """f_ρ(θ) = max over |s| ≤ ρ of f(θ+s) + √(ρ²−|s|²), by a search over u, s = ρu/√(1+|u|²), from the contact's."""

    def below(u: np.ndarray) -> float:
        root = math.sqrt(1 + u @ u)
        return -float(surface.value(theta + radius * u / root)) - radius / root

    s = (near - theta) / radius
    start = s / math.sqrt(1 - s @ s)
    return -float(minimize(below, start, method="BFGS", options={"gtol": 1e-12}).fun)


def offset_slope(surface: FunctionGraph, radius: float, theta: np.ndarray, near: np.ndarray) -> np.ndarray:
    """∇f_ρ by central differences of fourth order: errors of 1e-12 in heights over 1e-3, and of 1e-12 by truncation."""
    h = 1e-3
    slope = []
    for e in np.eye(len(theta)):
        heights = [offset_height(surface, radius, theta + k * h * e, near) for k in (-2, -1, 1, 2)]
        slope.append((heights[0] - 8 * heights[1] + 8 * heights[2] - heights[3]) / (12 * h))
    return np.array(slope)


@smooth
def test_the_center_is_on_the_graph_of_the_offset_function(surface, radius, theta):
    center = RollingBall(0.1, radius).step(surface, theta).center
    assert abs(offset_height(surface, radius, center[:-1], theta) - center[-1]) <= 1e-12


@smooth
def test_the_step_of_the_center_is_gradient_descent_on_the_offset_function(surface, radius, theta):
    """The envelope theorem: ∇f_ρ at the centre is ∇f at the contact. So c̃ = c − ητ lowers θ_c by η∇f_ρ(θ_c)."""
    step = RollingBall(0.1, radius).step(surface, theta)
    slope = offset_slope(surface, radius, step.center[:-1], theta)
    assert_allclose(slope, step.tangent[:-1], rtol=0, atol=1e-8)
    assert_allclose(step.candidate[:-1], step.center[:-1] - 0.1 * slope, rtol=0, atol=1e-8)


@smooth
def test_the_retraction_is_of_second_order(surface, radius, theta):
    """θ_c after a step of the ball and after gradient descent on f_ρ differ by O(η²): a quarter for half the rate."""

    def gap(rate: float) -> float:
        ball = RollingBall(rate, radius, GaussNewton(tolerance=0.0))
        step = ball.step(surface, theta)
        after = ball.step(surface, step.theta).center[:-1]
        return float(np.linalg.norm(after - step.candidate[:-1]))

    ratios = [gap(rate) / gap(rate / 2) for rate in (4e-3, 2e-3)]
    assert all(abs(ratio - 4) < 0.1 for ratio in ratios), ratios


# One ball over all leaves.


class Tree:
    """The wave, of the vector (b, w₀₀, w₀₁, w₁₀, w₁₁) of a tree."""

    def value_and_gradient(self, theta: Any) -> tuple[Any, Any]:
        height, slope = WAVE.value_and_gradient(np.concatenate([theta["b"], theta["w"].ravel()]))
        return height, {"w": slope[1:].reshape(2, 2), "b": slope[:1]}


@pytest.mark.parametrize("solver", [Descent(0.1, 20), GaussNewton()], ids=repr)
@pytest.mark.parametrize("variant", ["footpoint", "distance"])
def test_one_ball_rolls_over_all_leaves(solver, variant):
    vector = np.random.default_rng(0).uniform(-1, 1, 5)
    tree = {"w": vector[1:].reshape(2, 2), "b": vector[:1]}
    ball = RollingBall(0.1, 0.25, solver, variant)
    joint, alone, together = Jointly(ball), ball.init(vector), Jointly(ball).init(tree)
    for _ in range(3):
        one, all_ = ball.step(WAVE, vector, alone), joint.step(Tree(), tree, together)
        assert list(all_.theta) == ["w", "b"]
        np.testing.assert_array_equal(np.concatenate([all_.theta["b"], all_.theta["w"].ravel()]), one.theta)
        np.testing.assert_array_equal(all_.center, one.center)
        vector, tree, alone, together = one.theta, all_.theta, one.state, all_.state
