"""The rolling ball against 60-digit arithmetic, closed forms, brute force, and the laws of one step."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from array_api_compat import array_namespace, device
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize_scalar

from geometry import Descent, FunctionGraph, GaussNewton, Newton, Status
from rbo_ref import RollingBall, landscapes

EPS = float(np.finfo(float).eps)
EXACT = Newton(tolerance=0.0)  # to the precision of the dtype

# A wave on a bowl, f(θ) = sin(a·θ) + ½ Σ wᵢθᵢ². The constants are exact in every dtype. |∇²f| ≤ |a|² + max w < 2.4.
A = (0.75, -0.5, 0.5, 0.25, -0.75)
W = (0.5, 0.25, -0.125, 0.75, 0.375)


def _constants(theta: Any) -> tuple[Any, ...]:
    xp = array_namespace(theta)
    like = {"dtype": theta.dtype, "device": device(theta)}
    a, w = (xp.asarray(constant[: theta.shape[-1]], **like) for constant in (A, W))
    return xp, a, w


def _value(theta: Any) -> Any:
    xp, a, w = _constants(theta)
    return xp.sin(xp.sum(a * theta, axis=-1)) + xp.sum(w * theta**2, axis=-1) / 2


def _gradient(theta: Any) -> Any:
    xp, a, w = _constants(theta)
    return xp.cos(xp.sum(a * theta, axis=-1))[..., None] * a + w * theta


def _hessian(theta: Any) -> Any:
    xp, a, w = _constants(theta)
    diagonal = xp.eye(theta.shape[-1], dtype=theta.dtype, device=device(theta)) * w
    return -xp.sin(xp.sum(a * theta, axis=-1))[..., None, None] * (a[:, None] * a[None, :]) + diagonal


WAVE = FunctionGraph(_value, _gradient, _hessian)
DIMENSIONS = (1, 2, 5)
RADIUS, RATE = 0.25, 0.125  # ρλ_max < 0.6: one footpoint near the contact, well conditioned


def _starts(d: int) -> np.ndarray:
    """Points (3, d) that float32 holds exactly."""
    return np.random.default_rng(d).uniform(-2, 2, (3, d)).astype(np.float32).astype(float)


# One step in 60 digits. The derivatives are mpmath's, so that the formulas above are on trial too.


def _mp_value(theta: list) -> Any:
    wave = mp.sin(sum(mp.mpf(a) * t for a, t in zip(A, theta, strict=False)))
    return wave + sum(mp.mpf(w) * t**2 for w, t in zip(W, theta, strict=False)) / 2


def _mp_gradient(theta: list) -> list:
    def along(i: int, s: Any) -> Any:
        return _mp_value([t + s if j == i else t for j, t in enumerate(theta)])

    return [mp.diff(lambda s, i=i: along(i, s), 0) for i in range(len(theta))]


def _mp_step(theta: list, rho: Any, eta: Any, inner: int | None) -> dict[str, list]:
    """Lines 4 to 6; line 6 by root-finding, or by `inner` steps of gradient descent with γ = 1/8 from θ_t."""
    f, g = _mp_value(theta), _mp_gradient(theta)
    square = sum(gi**2 for gi in g)
    root = mp.sqrt(1 + square)
    nu, tau = [*(-gi / root for gi in g), 1 / root], [*g, square]
    center = [p + rho * n for p, n in zip([*theta, f], nu, strict=True)]
    candidate = [c - eta * t for c, t in zip(center, tau, strict=True)]
    *x, y = candidate

    def force(*at: Any) -> list:
        height = _mp_value(list(at)) - y
        return [a - b + height * c for a, b, c in zip(at, x, _mp_gradient(list(at)), strict=True)]

    foot = list(theta)
    if inner is None:
        foot = list(mp.findroot(force, tuple(theta)))
    else:
        for _ in range(inner):
            foot = [t - s / 8 for t, s in zip(foot, force(*foot), strict=True)]
    point = [*foot, _mp_value(foot)]
    return {
        "theta": foot, "height": [f], "normal": nu, "tangent": tau, "center": center, "candidate": candidate,
        "footpoint": point,
    }  # fmt: skip


@cache
def _truth(d: int, inner: int | None) -> dict[str, np.ndarray]:
    with mp.workdps(60):
        steps = [_mp_step([mp.mpf(t) for t in theta], mp.mpf(RADIUS), mp.mpf(RATE), inner) for theta in _starts(d)]
        return {name: np.array([[float(v) for v in step[name]] for step in steps]) for name in steps[0]}


def _assert_agrees(backend: Any, dtype: str, solver: Any, d: int) -> None:
    ball = RollingBall(RATE, RADIUS, solver)

    def run(theta: Any) -> tuple:
        step = ball.step(WAVE, theta, ball.init(theta))
        return (
            step.theta, step.height[..., None], step.normal, step.tangent, step.center, step.candidate,
            step.footpoints.point,
        )  # fmt: skip

    arrays = backend.jit(run)(backend.asarray(_starts(d), dtype))
    truth = _truth(d, solver.steps if isinstance(solver, Descent) else None)
    # 450 units of the last place (1e-13 in float64): tens of roundings, a condition number below 5.
    allowed = 450 * np.finfo(dtype).eps
    for array, (name, expected) in zip(arrays, truth.items(), strict=True):
        assert backend.belongs(array, dtype)
        error = np.max(np.abs(backend.to_numpy(array) - expected), axis=-1) / np.max(np.abs(expected), axis=-1)
        assert np.max(error) <= allowed, (name, error / np.finfo(dtype).eps)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_one_step_of_the_paper_against_sixty_digits(backend, d):
    _assert_agrees(backend, backend.dtypes[-1], Descent(0.125, 7), d)


def test_one_step_in_single_precision_against_sixty_digits(backend):
    _assert_agrees(backend, "float32", Descent(0.125, 7), 2)


@pytest.mark.parametrize("solver", [EXACT, GaussNewton(tolerance=0.0)], ids=["Newton", "GaussNewton"])
def test_one_step_with_exact_projection_against_sixty_digits(backend, solver):
    _assert_agrees(backend, backend.dtypes[-1], solver, 5)


@pytest.mark.parametrize("solver", [None, Newton(matrix=False), GaussNewton()], ids=repr)
@pytest.mark.parametrize("d", DIMENSIONS)
def test_every_solver_finds_the_same_contact(d, solver):
    step = RollingBall(RATE, RADIUS, solver).step(WAVE, _starts(d))
    assert step.footpoints.converged.all()
    # The tolerance of the residual is 1.8e-12 times coordinates that add up to less than 10; condition number below 5.
    assert_allclose(step.theta, _truth(d, None)["theta"], rtol=0, atol=1e-10)


# Closed forms.


@st.composite
def _planes(draw: Any) -> tuple[FunctionGraph, np.ndarray, np.ndarray]:
    d = draw(st.integers(1, 4))
    numbers = st.lists(st.floats(-10, 10), min_size=d, max_size=d).map(np.array)
    g, theta = draw(numbers), draw(numbers)
    plane = FunctionGraph(lambda t: t @ g, lambda t: np.zeros_like(t) + g, lambda t: np.zeros((*t.shape, t.shape[-1])))
    return plane, g, theta


@settings(max_examples=50)
@given(_planes(), st.floats(1e-3, 1e3), st.floats(1e-4, 1), st.sampled_from(["footpoint", "distance"]))
def test_on_a_plane_the_ball_is_gradient_descent_for_every_radius(case, radius, rate, variant):
    plane, g, theta = case
    for solver in (EXACT, GaussNewton(tolerance=0.0)):
        ball = RollingBall(rate, radius, solver, variant)
        step = ball.step(plane, theta, ball.init(theta))
        # Rounding of the coordinates of the centre, seen through a residual that is stretched by W.
        size = np.abs(theta).sum() + radius + rate * g @ g + abs(theta @ g)
        allowed = 32 * EPS * size * math.sqrt(1 + g @ g)
        assert np.linalg.norm(step.theta - (theta - rate * g)) <= allowed


def _bowl(big: float) -> FunctionGraph:
    """The lower half of a sphere about the origin: f(θ) = −√(R² − |θ|²)."""

    def root(t: np.ndarray) -> np.ndarray:
        return np.sqrt(big**2 - np.sum(t**2, axis=-1))

    return FunctionGraph(lambda t: -root(t), lambda t: t / root(t)[..., None])


def _dome(big: float) -> FunctionGraph:
    bowl = _bowl(big)
    return FunctionGraph(lambda t: -bowl.value(t), lambda t: -bowl.gradient(t))


@st.composite
def _on_a_sphere(draw: Any) -> tuple[float, np.ndarray]:
    big, d = draw(st.floats(0.5, 4)), draw(st.integers(1, 4))
    direction = np.array(draw(st.lists(st.floats(-1, 1), min_size=d, max_size=d)))
    return big, draw(st.floats(0, 0.7)) * big * direction / max(1.0, float(np.linalg.norm(direction)))


@settings(max_examples=30)
@given(_on_a_sphere(), st.floats(0.05, 0.8), st.floats(0.01, 0.1), st.sampled_from([_bowl, _dome]))
def test_on_a_sphere_every_quantity_has_a_closed_form(case, share, rate, cap):
    """The centre rolls on the sphere of radius R ∓ ρ, which is the graph of f_ρ; by the envelope identity
    ∇f_ρ(θ_c) = ∇f(θ) its candidate is a step of gradient descent on f_ρ. The footpoint is on the ray to it."""
    big, theta = case
    rho, eta = share * big, rate * big  # ρ below the critical radius R
    step = RollingBall(eta, rho, GaussNewton(tolerance=0.0)).step(cap(big), theta)
    inside = big - rho if cap is _bowl else big + rho
    f_rho = cap(inside)
    under, height = step.center[:-1], step.center[-1]
    slope = f_rho.gradient(under)
    tight = {"rtol": 1e-12, "atol": 1e-12 * big}  # |∇f| ≤ 1, 1/(1 − ρ/R) ≤ 5: a few dozen roundings
    assert_allclose(height, f_rho.value(under), **tight)
    assert_allclose(step.candidate[:-1], under - eta * slope, **tight)
    assert_allclose(step.candidate[-1], height - eta * slope @ slope, **tight)
    assert_allclose(step.footpoints.point, big * step.candidate / np.linalg.norm(step.candidate), **tight)
    assert_array_equal(step.theta, step.footpoints.theta)


# Brute force on the sine wave, of which the critical radius is 1.


def _sine_dilated(x: float, rho: float) -> float:
    """f_ρ(x) = max over |s| ≤ ρ of sin(x+s) + √(ρ²−s²), with s = ρ sin α."""
    found = minimize_scalar(
        lambda alpha: -math.sin(x + rho * math.sin(alpha)) - rho * math.cos(alpha),
        bounds=(-math.pi / 2, math.pi / 2),
        options={"xatol": 1e-10},
    )
    return -found.fun


def _sine_distance(point: np.ndarray) -> float:
    x, y = (float(v) for v in point)
    grid = np.linspace(x - 3, x + 3, 601)
    near = grid[np.argmin(np.hypot(grid - x, np.sin(grid) - y))]
    found = minimize_scalar(
        lambda s: math.hypot(s - x, math.sin(s) - y), bounds=(near - 0.02, near + 0.02), options={"xatol": 1e-10}
    )
    return found.fun


def test_the_candidate_is_gradient_descent_on_the_offset_function():
    rho, eta, h = 0.5, 0.1, 1e-4
    thetas = np.linspace(-3, 3, 13)[:, None]
    step = RollingBall(eta, rho).step(landscapes.sine(), thetas)
    for under, center, candidate in zip(step.center[:, 0], step.center[:, 1], step.candidate[:, 0], strict=True):
        slope = (_sine_dilated(under + h, rho) - _sine_dilated(under - h, rho)) / (2 * h)
        assert abs(center - _sine_dilated(under, rho)) <= 1e-12  # a maximum: xatol enters squared
        assert abs(candidate - (under - eta * slope)) <= 2e-7  # h²/6·f_ρ''' with |f_ρ'''| < 100, times η


def test_the_centre_keeps_the_distance_of_the_radius():
    ball, theta = RollingBall(0.2, 0.6), np.array([0.3])
    for _ in range(20):
        step = ball.step(landscapes.sine(), theta)
        assert abs(_sine_distance(step.center) - 0.6) <= 1e-12
        theta = step.theta


# The laws of a small step. The slope of log(error) over log(η) is the order of the error.


def _order(error: Any, coarse: float, fine: float) -> np.ndarray:
    """The order of each item's error between two learning rates."""
    errors = [np.max(np.abs(error(eta)), axis=-1) for eta in (coarse, fine)]
    return np.log(errors[0] / errors[1]) / np.log(coarse / fine)


@pytest.mark.parametrize("d", DIMENSIONS)
@pytest.mark.parametrize("radius", [0.1, 0.4])
def test_first_order_law(d, radius):
    """θ' = θ − η (I − ρS)⁻¹ g + O(η²) with the shape operator S = G⁻¹H/√(1+|g|²)."""
    theta = _starts(d)
    g, hessian = _gradient(theta), _hessian(theta)
    metric = np.eye(d) + g[..., :, None] * g[..., None, :]
    shape = np.linalg.solve(metric, hessian) / np.sqrt(1 + np.sum(g**2, axis=-1))[..., None, None]
    assert radius * np.max(np.linalg.eigvals(shape).real) < 1
    velocity = np.linalg.solve(np.eye(d) - radius * shape, g[..., None])[..., 0]

    def error(eta: float) -> np.ndarray:
        return RollingBall(eta, radius, EXACT).step(WAVE, theta).theta - (theta - eta * velocity)

    assert (_order(error, 1e-3, 1e-4) >= 1.9).all()


@pytest.mark.parametrize("d", DIMENSIONS)
def test_small_balls_follow_gradient_descent(d):
    """ρ → 0: θ' = θ − ηg − η² [½ gᵀHg/(1+|g|²)] g + O(η³). So the limit is gradient descent to O(η²)."""
    theta = _starts(d)
    g = _gradient(theta)
    bend = np.sum(g * (_hessian(theta) @ g[..., None])[..., 0], axis=-1, keepdims=True)
    second = bend / 2 / (1 + np.sum(g**2, axis=-1, keepdims=True)) * g

    def error(eta: float) -> np.ndarray:
        return RollingBall(eta, 1e-13, EXACT).step(WAVE, theta).theta - (theta - eta * g)  # ηρ ≪ η³

    assert (_order(error, 1e-3, 1e-4) >= 1.9).all()
    assert (_order(lambda eta: error(eta) + eta**2 * second, 1e-2, 1e-3) >= 2.9).all()


@settings(max_examples=50)
@given(st.integers(1, 5), st.integers(0, 99), st.floats(1e-3, 1e3), st.floats(1e-3, 10), st.floats(1e-3, 1))
def test_one_inner_step_does_not_know_the_radius(d, seed, radius, rate, inner_rate):
    """The inner gradient at the contact is ηW²g, so that Descent(γ, 1) ends at θ − γη(1+|g|²)g, whatever ρ is."""
    theta = np.random.default_rng(seed).uniform(-2, 2, d)
    g = _gradient(theta)
    step = RollingBall(rate, radius, Descent(inner_rate, 1)).step(WAVE, theta)
    # The radius cancels in c̃ − p up to rounding of the coordinates.
    size = np.abs(theta).max() + abs(_value(theta)) + radius + rate * (g @ g + 1)
    allowed = 8 * EPS * (np.abs(theta).max() + inner_rate * size * (1 + np.abs(g).max()))
    assert np.max(np.abs(step.theta - (theta - inner_rate * rate * (1 + g @ g) * g))) <= allowed


# Section 3.2.


def test_eq_11_changes_nothing_while_the_ball_touches():
    """u = ∇d_Γ(c_t) = ν(p_t) and ⟨ν, τ⟩ = 0: the projected update is −ητ, on the first step and on later ones."""
    ball = RollingBall(0.1, 0.25, EXACT, "distance")
    theta = _starts(5)
    state = ball.init(theta)
    for _ in range(10):
        step = ball.step(WAVE, theta, state)
        assert_allclose(step.candidate - step.center, -0.1 * step.tangent, rtol=0, atol=2e-14)  # |c| < 8, |ητ| < 2
        away = step.candidate - step.footpoints.point
        theta, state = step.theta, step.state
        after = WAVE.normal(theta)
        assert_allclose(away / np.linalg.norm(away, axis=-1, keepdims=True), after, rtol=0, atol=1e-13)  # |away| > 1/4


def test_eq_11_corrects_an_inexact_footpoint():
    ball = RollingBall(0.1, 0.25, Descent(0.1, 1), "distance")
    first = ball.step(WAVE, _starts(2), ball.init(_starts(2)))
    second = ball.step(WAVE, first.theta, first.state)
    u = second.center - WAVE.point(first.theta)
    update = second.candidate - second.center
    assert np.max(np.abs(update + 0.1 * second.tangent)) > 1e-3
    assert_allclose(np.sum(u * update, axis=-1), 0, atol=1e-15)
    # What is removed is parallel to u: no other vector would do for Eq. (11).
    removed = -0.1 * second.tangent - update
    along = np.sum(removed * u, axis=-1, keepdims=True) / np.sum(u * u, axis=-1, keepdims=True) * u
    assert_allclose(removed, along, atol=1e-15)


def test_without_a_way_back_the_distance_drifts_by_the_square_of_the_rate():
    radius, thetas = 0.5, np.array([[0.3], [1.0], [-0.7], [2.5]])

    def drift(eta: float, steps: int = 1) -> np.ndarray:
        ball, theta, state = RollingBall(eta, radius, EXACT, "distance"), thetas, ()
        for _ in range(steps):
            step = ball.step(landscapes.sine(), theta, state)
            theta, state = step.theta, step.state
        return np.array([[_sine_distance(center) - radius] for center in state])

    assert (_order(drift, 1e-2, 1e-3) >= 1.9).all()
    assert (np.abs(drift(1e-2, 5)) > 2 * np.abs(drift(1e-2))).all()  # it adds up


def test_the_centre_is_carried_from_step_to_step():
    ball = RollingBall(0.3, 0.5, EXACT, "distance")
    first = ball.step(landscapes.sine(), np.array([0.3]), ball.init(np.array([0.3])))
    second = ball.step(landscapes.sine(), first.theta, first.state)
    assert_array_equal(second.center, first.candidate)
    assert abs(_sine_distance(second.center) - 0.5) > 1e-3  # Algorithm 1 would have put it back
    assert RollingBall(0.3, 0.5).step(landscapes.sine(), np.array([0.3])).state == ()


# Symmetries: a similarity θ ↦ λQθ + b of the parameters, with heights f ↦ λf + h, carries ρ to λρ and η to λη.


def _similar(scale: float, rotation: np.ndarray, shift: np.ndarray, lift: float) -> FunctionGraph:
    def back(t: np.ndarray) -> np.ndarray:
        return (t - shift) @ rotation / scale

    return FunctionGraph(
        lambda t: scale * _value(back(t)) + lift,
        lambda t: _gradient(back(t)) @ rotation.T,
        lambda t: rotation @ _hessian(back(t)) @ rotation.T / scale,
    )


def _assert_carried(d: int, solver: Any, variant: str, scale: float, rotation: Any, shift: Any, lift: float) -> None:
    theta, moved = _starts(d), _similar(scale, rotation, shift, lift)
    at = scale * theta @ rotation.T + shift
    plain, other = RollingBall(0.125, 0.25, solver, variant), RollingBall(0.125 * scale, 0.25 * scale, solver, variant)
    state = other_state = plain.init(theta)
    for _ in range(3):
        step, other_step = plain.step(WAVE, theta, state), other.step(moved, at, other_state)
        theta, state, at, other_state = step.theta, step.state, other_step.theta, other_step.state
    # Rounding of coordinates of this size, through three steps with a condition number below 5 each.
    allowed = 2e-13 * (np.max(np.abs(at)) + np.max(np.abs(shift)) + abs(lift) + scale)
    assert np.max(np.abs(at - (scale * theta @ rotation.T + shift))) <= allowed


_ways = (st.integers(1, 4), st.sampled_from([EXACT, GaussNewton(tolerance=0.0), Descent(0.1, 5)]))
_variants = st.sampled_from(["footpoint", "distance"])


@settings(max_examples=20)
@given(*_ways, _variants, st.lists(st.floats(-100, 100), min_size=4, max_size=4), st.floats(-100, 100))
def test_translations_carry_the_ball_along(d, solver, variant, shift, lift):
    _assert_carried(d, solver, variant, 1.0, np.eye(d), np.array(shift[:d]), lift)


@settings(max_examples=20)
@given(*_ways, _variants, st.integers(0, 999))
def test_rotations_carry_the_ball_along(d, solver, variant, seed):
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]
    _assert_carried(d, solver, variant, 1.0, rotation, np.zeros(d), 0.0)


@settings(max_examples=20)
@given(*_ways, _variants, st.floats(-6, 6).map(lambda e: 10.0**e))
def test_a_change_of_unit_scales_radius_and_rate(d, solver, variant, scale):
    _assert_carried(d, solver, variant, scale, np.eye(d), np.zeros(d), 0.0)


# The border.


def test_hyper_parameters_broadcast_against_the_batch(backend):
    theta = np.linspace(-1, 1, 6).reshape(3, 1, 1, 2)
    radii, rates = np.array([[0.125], [0.5]]), np.array([0.0625, 0.25])
    ball = RollingBall(backend.asarray(rates), radii, Descent(0.125, 3))  # of the library, and of NumPy
    moved = backend.to_numpy(backend.jit(lambda t: ball.step(WAVE, t).theta)(backend.asarray(theta)))
    assert moved.shape == (3, 2, 2, 2)
    allowed = 64 * np.finfo(backend.dtypes[-1]).eps
    for i, j, k in np.ndindex(3, 2, 2):
        one = RollingBall(rates[k], radii[j, 0], Descent(0.125, 3)).step(WAVE, theta[i, 0, 0]).theta
        assert_allclose(moved[i, j, k], one, rtol=0, atol=allowed)


@pytest.mark.parametrize("broadcast", [{"radius": [0.1, 0.2]}, {"learning_rate": [0.1, 0.2]}], ids=str)
@pytest.mark.parametrize("variant", ["footpoint", "distance"])
def test_every_quantity_of_a_step_has_the_whole_batch(broadcast, variant):
    ball = RollingBall(**{"learning_rate": 0.1, "radius": 0.2, **broadcast}, variant=variant)
    step = ball.step(WAVE, np.zeros(3), ball.init(np.zeros(3)))
    assert step.theta.shape == (2, 3)
    assert step.height.shape == step.footpoints.distance.shape == (2,)
    for vector in (step.normal, step.tangent, step.center, step.candidate, step.footpoints.point):
        assert vector.shape == (2, 4)


def test_numerical_trouble_is_a_status():
    hole = FunctionGraph(lambda t: np.where(t[..., 0] > 0, t[..., 0], np.nan), lambda t: np.ones_like(t))
    step = RollingBall(0.1, 0.5).step(hole, np.array([[1.0], [-1.0]]))
    assert list(step.footpoints.status) == [Status.CONVERGED, Status.NOT_FINITE]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"radius": 0.0}, ValueError, "radius must be finite and positive"),
        ({"radius": [1.0, -1.0]}, ValueError, "radius must be finite and positive"),
        ({"radius": math.nan}, ValueError, "radius must be finite and positive"),
        ({"radius": "big"}, TypeError, "radius must be"),
        ({"learning_rate": -0.1}, ValueError, "learning_rate must be finite and positive"),
        ({"learning_rate": math.inf}, ValueError, "learning_rate must be finite and positive"),
        ({"learning_rate": None}, TypeError, "learning_rate must be"),
        ({"variant": "centre"}, ValueError, "variant must be 'footpoint' or 'distance', got 'centre'"),
    ],
)
def test_bad_hyper_parameters(arguments, error, message):
    with pytest.raises(error, match=message):
        RollingBall(**{"learning_rate": 0.1, "radius": 0.5, **arguments})


@pytest.mark.parametrize(
    ("loss", "theta", "error", "message"),
    [
        (WAVE, 1.0, ValueError, "theta must have shape"),
        (WAVE, "here", TypeError, "theta must be an array of real numbers"),
        ("sine", np.zeros(1), TypeError, "value must be callable"),
        (lambda t: t[..., 0] if t[..., 0] > -1 else t[..., 0] ** 2, np.zeros(1), TypeError, "pass gradient="),
    ],
)
def test_bad_arguments_of_a_step(loss, theta, error, message):
    with pytest.raises(error, match=message):
        RollingBall(0.1, 0.5).step(loss, theta)
