"""Closed forms and laws: what each optimizer must do by its own mathematics, whatever its formulas look like."""

from __future__ import annotations

import math
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize_scalar

from geometry import FunctionGraph
from rbo_ref import SAM, Adam, Alice, EntropySGD, GradientDescent, InducedMetric, Lion, Muon, NAdam, RMSprop, roll
from rbo_ref.optimizers import Outcome, newton_schulz
from rbo_ref.optimizers import alice as alice_module
from tests.rbo_ref.optimizers.cases import WAVE, first_step

EPS = float(np.finfo(float).eps)
positive = st.floats(1e-3, 1e3)
vectors = st.lists(st.floats(-3, 3), min_size=2, max_size=5).map(np.array)


def plane(slope: np.ndarray, height: float = 0.0) -> FunctionGraph:
    return FunctionGraph(lambda t: height + t @ slope, lambda t: np.zeros_like(t) + slope, name="plane")


def quadratic(matrix: np.ndarray, center: np.ndarray) -> FunctionGraph:
    return FunctionGraph.from_value_and_gradient(
        lambda t: (((t - center) @ matrix * (t - center)).sum(-1) / 2, (t - center) @ matrix)
    )


def path(optimizer: Any, loss: Any, start: Any, steps: int) -> list[Any]:
    return list(islice(roll(optimizer, loss, start), steps))


# Gradient descent.


@settings(max_examples=30)
@given(st.floats(0.01, 1.9), st.floats(0, 0.95))
def test_momentum_on_a_parabola_is_a_recurrence_of_second_order(rate, momentum):
    parabola = quadratic(np.eye(1), np.zeros(1))
    x = [1.0] + [float(s.theta[0]) for s in path(GradientDescent(rate, momentum=momentum), parabola, [1.0], 10)]
    for before, here, after in zip(x, x[1:], x[2:], strict=False):
        assert abs(here - rate * here + momentum * (here - before) - after) <= 8 * EPS * max(map(abs, x))


def test_nesterovs_theta_is_his_extrapolated_point():
    """His x_{t+1} = y_t − η∇f(y_t), y_{t+1} = x_{t+1} + μ(x_{t+1} − x_t), from x_0 = y_0, but for the first step,
    where the momentum buffer, not x_1 − x_0, is extrapolated."""
    optimizer = GradientDescent(0.1, momentum=0.75, nesterov=True)
    steps = path(optimizer, WAVE, np.array([1.0, -2.0]), 12)
    y = [np.array([1.0, -2.0])] + [s.theta for s in steps]
    x = [y[0]] + [a - 0.1 * s.gradient for a, s in zip(y, steps, strict=False)]
    for t in range(1, 12):
        assert_allclose(y[t + 1], x[t + 1] + 0.75 * (x[t + 1] - x[t]), rtol=0, atol=64 * EPS)


# Adam.


@settings(max_examples=30)
@given(vectors, st.integers(-30, 30))
def test_adam_does_not_see_the_scale_of_the_loss(theta, exponent):
    scaled = FunctionGraph(lambda t: 2.0**exponent * WAVE.value(t), lambda t: 2.0**exponent * WAVE.gradient(t))
    adam = Adam(0.1, epsilon=0.0)
    for one, other in zip(path(adam, WAVE, theta, 3), path(adam, scaled, theta, 3), strict=True):
        assert_array_equal(one.theta, other.theta)


@given(st.lists(st.floats(1e-100, 1e100).flatmap(lambda x: st.sampled_from([x, -x])), min_size=1, max_size=4))
def test_adams_first_step_is_the_sign_of_the_gradient(slope):
    step = first_step(Adam(0.5, epsilon=0.0), plane(np.array(slope)), np.zeros(len(slope)))
    assert_allclose(step.theta, -0.5 * np.sign(slope), rtol=8 * EPS)


# RMSprop, NAdam, Lion.


@settings(max_examples=30)
@given(vectors, st.integers(-30, 30), st.sampled_from([NAdam(0.1, epsilon=0.0), RMSprop(0.1, epsilon=0.0), Lion(0.1)]))
def test_they_do_not_see_the_scale_of_the_loss(theta, exponent, optimizer):
    scaled = FunctionGraph(lambda t: 2.0**exponent * WAVE.value(t), lambda t: 2.0**exponent * WAVE.gradient(t))
    for one, other in zip(path(optimizer, WAVE, theta, 3), path(optimizer, scaled, theta, 3), strict=True):
        assert_array_equal(one.theta, other.theta)


@given(st.floats(0.1, 0.9), st.integers(1, 60), st.floats(0.1, 100))
def test_rmsprop_on_a_plane(smoothing, steps, slope):
    """The averages of a constant g have gathered 1 − αᵗ, and αᵗ of them is the start, 0; nothing cancels in between."""
    weight = smoothing**steps
    assume(weight > 64 * EPS)  # else g − m is rounding
    for centered, spread in ((False, 1 - weight), (True, weight * (1 - weight))):
        rms = RMSprop(0.5, smoothing=smoothing, epsilon=0.0, centered=centered)
        last = path(rms, plane(np.array([slope])), [0.0], steps)[-1]
        assert_allclose(last.direction, [spread**-0.5], rtol=8 * steps * EPS)


def test_nadam_and_rmsprop_by_hand():
    """From g = 2 at ψ = 0, where μ = β₁/2: m = 1, v̂ = 4, m̂ = ¾·2/(1 − ¼) + ¼·1/(1 − 1/16) = 34/15."""
    step = first_step(NAdam(1.5, betas=(0.5, 0.75), epsilon=0.0, momentum_decay=0.0), plane(np.array([2.0])), [0.0])
    assert_allclose(step.theta, [-1.7], rtol=4 * EPS)
    first, second = path(RMSprop(0.5, smoothing=0.75, epsilon=1.0, momentum=0.5), plane(np.array([2.0])), [0.0], 2)
    assert_allclose(first.theta, [-0.5], rtol=4 * EPS)  # v = 1, b = 2/(1 + 1)
    assert_allclose(second.theta, [-0.5 - 0.25 - 1 / (math.sqrt(1.75) + 1)], rtol=4 * EPS)


def test_lion_by_hand():
    """A slope of 1, then of −4: c = ¾·¼·1 − ¼·4 < 0 and the walk turns; the memory ¼ then −13/16 stays."""
    lion, down, up = Lion(0.5, betas=(0.75, 0.75), weight_decay=0.5), plane(np.ones(1)), plane(np.array([-4.0]))
    first = first_step(lion, down, [2.0])
    second = lion.step(up, first.theta, first.state)
    assert (float(first.theta[0]), float(second.theta[0])) == (1.0, 1.25)  # 2 − ½(1 + 1), 1 − ½(−1 + ½)
    assert (float(first.state.mean[0]), float(second.state.mean[0])) == (0.25, -0.8125)


# Muon.


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from([(2, 2), (3, 5), (5, 3), (1, 4)]), st.integers(0, 6))
def test_newton_schulz_is_a_polynomial_of_the_singular_values(seed, shape, steps):
    matrix = np.random.default_rng(seed).standard_normal(shape)
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    s = s / np.linalg.norm(s)
    for _ in range(steps):
        s = 3.4445 * s - 4.775 * s**3 + 2.0315 * s**5
    # The slope at 0 stretches rounding errors of the singular vectors by 3.4445 a step.
    assert_allclose(newton_schulz(matrix, steps), u * s @ v, rtol=0, atol=64 * EPS * 3.4445**steps)


def test_the_converging_coefficients_give_the_polar_factor():
    matrix = np.random.default_rng(0).standard_normal((4, 6))
    u, _, v = np.linalg.svd(matrix, full_matrices=False)
    assert_allclose(newton_schulz(matrix, 30, (15 / 8, -10 / 8, 3 / 8)), u @ v, rtol=0, atol=1e-13)


def test_the_default_coefficients_reach_the_promised_interval():
    sizes = np.linspace(0.01, 1, 1000)
    for _ in range(5):
        sizes = 3.4445 * sizes - 4.775 * sizes**3 + 2.0315 * sizes**5
    assert sizes.min() > 0.67
    assert sizes.max() < 1.21


def test_muon_treats_every_matrix_of_a_batch_alike():
    thetas = np.random.default_rng(0).standard_normal((4, 6))
    together = first_step(Muon(0.1, shape=(2, 3)), WAVE, thetas).theta
    for theta, moved in zip(thetas, together, strict=True):
        assert_allclose(first_step(Muon(0.1, shape=(2, 3)), WAVE, theta).theta, moved, rtol=0, atol=64 * EPS)


# SAM.


def test_sam_by_hand():
    bowl = quadratic(np.eye(2), np.zeros(2))
    step = first_step(SAM(0.5, radius=10.0, epsilon=0.0), bowl, [3.0, 4.0])
    assert_allclose(step.perturbation, [6.0, 8.0], rtol=4 * EPS)
    assert_allclose(step.theta, [-1.5, -2.0], rtol=4 * EPS)  # 3 − ½(3 + 6), 4 − ½(4 + 8)
    assert step.height == 12.5
    assert math.isclose(float(step.perturbed.height), 112.5, rel_tol=4 * EPS)


def test_asam_by_hand():
    step = first_step(SAM(1.0, radius=3.0, adaptive=True, epsilon=0.0), plane(np.array([4.0, -2.0])), [1.0, -1.5])
    # |θ|g = (4, −3), of length 5; |θ|²g = (4, −4.5)
    assert_allclose(step.perturbation, [2.4, -2.7], rtol=4 * EPS)


@settings(max_examples=30)
@given(vectors, st.integers(-5, 5))
def test_asam_does_not_see_the_scale_of_a_parameter(theta, exponent):
    """f(θ) and f(Dθ'), θ = Dθ': the perturbed points are the same."""
    scale = 2.0 ** (exponent * np.arange(len(theta)))
    rescaled = FunctionGraph(lambda t: WAVE.value(scale * t), lambda t: scale * WAVE.gradient(scale * t))
    sam = SAM(0.1, radius=0.5, adaptive=True, epsilon=0.0)
    there = first_step(sam, WAVE, theta).perturbation
    assert_allclose(scale * first_step(sam, rescaled, theta / scale).perturbation, there, rtol=0, atol=16 * EPS)


@given(vectors)
def test_sam_of_radius_zero_is_its_base(theta):
    base = Adam(0.1)
    for one, other in zip(path(SAM(base=base, radius=0.0), WAVE, theta, 3), path(base, WAVE, theta, 3), strict=True):
        assert_array_equal(one.theta, other.theta)


@pytest.mark.parametrize("epsilon", [0.0, 1e-12])
@pytest.mark.parametrize("adaptive", [False, True])
def test_no_gradient_no_perturbation(adaptive, epsilon):
    step = first_step(SAM(0.1, adaptive=adaptive, epsilon=epsilon), plane(np.zeros(2)), [[1.0, 2.0], [0.0, 0.0]])
    assert_array_equal(step.perturbation, np.zeros((2, 2)))
    assert_array_equal(step.theta, [[1.0, 2.0], [0.0, 0.0]])
    assert_array_equal(step.status, Outcome.STEPPED)


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300])
def test_the_perturbation_has_the_length_of_the_radius_for_every_slope(size):
    step = first_step(SAM(1e-9, epsilon=0.0), plane(size * np.array([3.0, 4.0])), [0.0, 0.0])
    assert_allclose(step.perturbation, [0.03, 0.04], rtol=8 * EPS)


# Entropy-SGD.

FLAT = plane(np.zeros(20_000))


@pytest.mark.parametrize(("form", "heat"), [("paper", 1.0), ("code", 2.0)])
def test_the_walk_is_as_warm_as_it_says(form, heat):
    """On a flat loss the walker is a sum of L = 5 normal numbers of variance η'ε² (in the code 2η'ε²)."""
    walk = EntropySGD(0.1, steps=5, inner_rate=0.04, noise=0.5, scope=0.0, noise_form=form)
    walker = first_step(walk, FLAT, np.zeros(20_000)).walker
    expected = 5 * 0.04 * 0.25 * heat
    assert abs(np.mean(walker)) < 5 * math.sqrt(expected / 20_000)
    assert abs(np.var(walker) / expected - 1) < 5 * math.sqrt(2 / 20_000)


@settings(max_examples=15)
@given(st.floats(0.1, 5), st.floats(0.1, 5), positive)
def test_a_long_cold_walk_finds_the_gradient_of_the_local_entropy(curvature, scope, x):
    """On ½ax² the walk ends at γx/(a+γ), and γ(x − μ) is the slope of ½ aγ/(a+γ) x², the local entropy."""
    parabola = quadratic(np.array([[curvature]]), np.zeros(1))
    walk = EntropySGD(1.0, steps=200, inner_rate=0.1, noise=0.0, averaging=1.0, scope=scope)
    step = first_step(walk, parabola, [x])
    slope = curvature * scope / (curvature + scope) * x
    # The walk contracts by 1 − η'(a+γ) ≤ 0.98 a step: 0.98²⁰⁰ = 0.02 in the worst case.
    worst = abs(1 - 0.1 * (curvature + scope)) ** 200
    assert abs(float(step.theta[0]) - (x - slope)) <= (worst + 64 * EPS) * x * (1 + scope)


def test_the_average_weighs_as_it_says():
    """Two steps of a cold walk down the slope −1 at η' = 1: the places are 1 and 2."""
    for form, weight in (("paper", 0.75), ("code", 0.25)):
        walk = EntropySGD(1.0, steps=2, inner_rate=1.0, noise=0.0, scope=0.0, averaging=0.75, average_form=form)
        step = first_step(walk, plane(np.array([-1.0])), [0.0])
        assert float(step.walker[0]) == 2.0
        assert float(step.average[0]) == (1 - weight) * weight * 1 + weight * 2


def test_the_scope_grows():
    steps = path(EntropySGD(0.1, steps=1, scope=0.5, scoping=0.25), WAVE, np.ones(2), 4)
    assert_allclose([float(s.scope) for s in steps], [0.5, 0.625, 0.78125, 0.9765625], rtol=8 * EPS)


def test_a_scaled_step_is_scope_times_the_other():
    theta, settings_ = np.ones(3), {"steps": 3, "scope": 0.125, "noise": 0.0}
    scaled = first_step(EntropySGD(1.0, **settings_), WAVE, theta).theta - theta
    free = first_step(EntropySGD(1.0, **settings_, scaled=False), WAVE, theta).theta - theta
    assert_allclose(scaled, 0.125 * free, rtol=0, atol=4 * EPS)


# Induced metric.


@settings(max_examples=50)
@given(vectors, positive, st.sampled_from(["plain", "log", "rms"]))
def test_one_step_is_the_inverse_metric_times_the_gradient(theta, xi, variant):
    """Sherman and Morrison against a linear solver: γ = D + ξ∇φ∇φᵀ."""
    optimizer = InducedMetric(0.5, variant=variant, momentum=0.0, beta=0.0, beta_rms=0.0, xi=xi, epsilon=0.25)
    height, g = WAVE.value_and_gradient(theta)
    d = np.diag(np.abs(g) + 0.25) if variant == "rms" else np.eye(len(theta))
    rise = g / height if variant == "log" else g
    metric = d + xi * np.outer(rise, rise)
    right = np.linalg.solve(metric, rise)
    step = first_step(optimizer, WAVE, theta)
    allowed = 32 * EPS * (np.linalg.cond(metric) * np.linalg.norm(right) + np.linalg.norm(theta))
    assert np.linalg.norm((theta - step.theta) / 0.5 - right) <= allowed


@settings(max_examples=50)
@given(st.floats(1e-6, 1e6), positive)
def test_no_plain_step_is_longer_than_it_may(slope, xi):
    optimizer = InducedMetric(1.0, momentum=0.0, beta=0.0, xi=xi)
    limit = 1 / (2 * math.sqrt(xi)) * (1 + 8 * EPS)
    assert abs(float(first_step(optimizer, plane(np.array([slope])), [0.0]).theta[0])) <= limit
    longest = first_step(optimizer, plane(np.array([1 / math.sqrt(xi)])), [0.0]).theta[0]
    assert math.isclose(-float(longest), 1 / (2 * math.sqrt(xi)), rel_tol=8 * EPS)


# Alice.


def model(g: float, h: float, rho: float, delta: float) -> float:
    return g * delta + h * delta**2 / 2 + math.sqrt(2 / (3 * math.pi)) * math.sqrt(rho) * abs(delta) ** 1.5


def delta_of(g: Any, h: Any, rho: Any, **more: Any) -> np.ndarray:
    """δ for these averages. On a plane they stay as they are, and the next step is no sample step."""
    g, h, rho = (np.atleast_1d(np.asarray(x, dtype=float)) for x in (g, h, rho))
    optimizer = Alice(0.5, **{"epsilon": 0.0, "bounds": "fixed", "highest": 1e300} | more)
    state = alice_module.State(np.asarray(1000), np.zeros_like(g), g, g**2, h, rho)
    return optimizer.step(plane(g), np.zeros_like(g), state).delta


@settings(max_examples=100)
@given(st.floats(-100, 100).filter(lambda g: abs(g) > 1e-3), positive, positive)
def test_alices_step_is_the_minimizer_of_her_model(g, h, rho):
    delta = float(delta_of(g, h, rho)[0])
    assert delta * g < 0
    size = abs(delta)
    slope = -abs(g) + h * size + 1.5 * math.sqrt(2 / (3 * math.pi)) * math.sqrt(rho * size)
    assert abs(slope) <= 16 * EPS * abs(g)
    # A search that sees only values knows the place to the square root of the precision.
    found = minimize_scalar(lambda x: model(g, h, rho, x), bounds=(-3 * abs(g) / h, 3 * abs(g) / h), method="bounded",
                            options={"xatol": 1e-10 * size})  # fmt: skip
    assert abs(found.x - delta) <= 1e-5 * size + 1e-7 * abs(g) / h
    assert model(g, h, rho, delta) <= found.fun + 8 * EPS * abs(g * delta)


@given(positive, positive)
def test_alices_limits(g, curvature):
    """Without glass Newton's step g/h; without Hessian 2πg²/(3ρ), from 3/2·√(2/(3π))·√(ρ|δ|) = |g|."""
    assert_allclose(delta_of(g, curvature, 0.0), [-g / curvature], rtol=4 * EPS)
    assert_allclose(delta_of(g, curvature, 1.0, glass=False), [-g / curvature], rtol=4 * EPS)
    assert_allclose(delta_of(g, 0.0, curvature), [-(g**2) * 2 * math.pi / (3 * curvature)], rtol=8 * EPS)
    assert_allclose(
        delta_of(g, 1.0, curvature, hessian="zero"), [-(g**2) * 2 * math.pi / (3 * curvature)], rtol=8 * EPS
    )


@pytest.mark.parametrize(("bounds", "unit"), [("fixed", 1.0), ("sgdm", 4.0), ("adam", 1.0)])
def test_alices_bounds(bounds, unit):
    """v = g², so that Adam's unit is 1."""
    limits = {"bounds": bounds, "lowest": 0.25, "highest": 0.5}
    assert_allclose(delta_of(4.0, 1e-9, 0.0, **limits), [-0.5 * unit], rtol=4 * EPS)
    assert_allclose(delta_of(-4.0, 1e9, 0.0, **limits), [0.25 * unit], rtol=4 * EPS)
    assert_allclose(delta_of(4.0, 0.0, 0.0, **limits), [-0.5 * unit], rtol=4 * EPS)  # |ḡ|/0
    for epsilon in (0.0, 1e-8):  # 0/0, and 0/ε
        assert_array_equal(np.abs(delta_of(0.0, 0.0, 0.0, **limits | {"epsilon": epsilon, "bounds": "fixed"})), [0.0])


@pytest.mark.parametrize("omega", [0.5, 1.0, 1.5])
def test_alices_momentum_does_not_lag_on_quadratics(omega):
    """φ = ω(1−β₁): the averaged gradient is that of the centre, at every step."""
    random = np.random.default_rng(0)
    root = random.standard_normal((5, 5))
    matrix, center = root @ root.T / 5 + np.eye(5), random.standard_normal(5)
    bowl, theta = quadratic(matrix, center), random.standard_normal(5)
    alice = Alice(0.1, betas=(0.75, 0.99), omega=omega, phi=omega * 0.25)
    for n, step in enumerate(path(alice, bowl, theta, 40), start=1):
        # Errors of ḡ do not grow: each step adds a rounding and forgets a quarter.
        assert_allclose(step.state.mean, (theta - center) @ matrix, rtol=0, atol=256 * EPS)
        theta = step.theta
        assert (np.any(step.delta) and n > 4) or (not np.any(step.delta) and n <= 4)
    lagging = path(Alice(0.1, betas=(0.75, 0.99), omega=omega, phi=omega), bowl, theta, 40)[-2:]
    assert np.abs(lagging[1].state.mean - (lagging[0].theta - center) @ matrix).max() > 1e-6


def test_the_hessian_samples_of_a_diagonal_quadratic_are_exact():
    bowl = quadratic(np.diag([2.0, -3.0, 0.5]), np.zeros(3))
    step = first_step(Alice(0.25), bowl, np.ones(3))
    assert_allclose(step.state.hessian, [2.0, 3.0, 0.5], rtol=4 * EPS)
    assert_allclose(step.state.glass, np.zeros(3), atol=64 * EPS**2)
    assert_allclose(
        np.sqrt(first_step(Alice(0.25, hessian="rms"), bowl, np.ones(3)).state.hessian), [2, 3, 0.5], rtol=4 * EPS
    )


def test_the_density_of_a_brownian_gradient_is_found():
    """Three places a coordinate: independent increments of variance ρσ to both sides."""
    d, sigma, rho = 20_000, 0.25, 3.0
    left, right = math.sqrt(rho * sigma) * np.random.default_rng(0).standard_normal((2, d))
    kinked = FunctionGraph(lambda t: 0 * t[..., 0], lambda t: np.where(t > 0, right, np.where(t < 0, left, 0)))
    density = first_step(Alice(sigma), kinked, np.zeros(d)).state.glass
    # Each is ρ times the square of a normal number: variance 2ρ².
    assert abs(np.mean(density) / rho - 1) < 5 * math.sqrt(2 / d)


def test_which_steps_sample():
    calls: list[int] = []

    def evaluate(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        calls[-1] += 1
        return WAVE.value_and_gradient(t)

    loss = FunctionGraph.from_value_and_gradient(evaluate)
    for betas, warm_up in (((0.9, 0.999), 10), ((0.75, 0.999), 4), ((0.95, 0.999), 20), ((0.0, 0.999), 1)):
        calls.clear()
        alice, theta = Alice(betas=betas, quick_steps=2), np.ones(2)
        state = alice.init(theta)
        for n in range(1, 31):
            calls.append(0)
            step = alice.step(loss, theta, state)
            assert np.any(step.delta) == (n > warm_up)
            theta, state = step.theta, step.state
        assert calls == [3 if n <= warm_up or n % 3 == 0 else 1 for n in range(1, 31)]
