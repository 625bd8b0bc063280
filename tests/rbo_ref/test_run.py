"""The loop, trajectories and `minimize` against scalar arithmetic, closed forms, SciPy, and counts of calls."""

from __future__ import annotations

import math
import warnings
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.optimize
from array_api_compat import array_namespace
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import LinearConstraint, OptimizeResult, OptimizeWarning

from geometry import Descent, FunctionGraph, GaussNewton, MultiStart, Newton
from rbo_ref import RollingBall, Trajectory, landscapes, minimize, roll, trajectory

WAVE = FunctionGraph(
    lambda t: array_namespace(t).sum(array_namespace(t).sin(t) + t**2 / 8, axis=-1),
    lambda t: array_namespace(t).cos(t) + t / 4,
    name="wave",
)


class Counted:
    """A function that knows its calls."""

    def __init__(self, function: Any) -> None:
        self.function, self.points = function, []

    def __call__(self, *args: Any) -> Any:
        self.points.append(np.array(args[0]))
        return self.function(*args)

    @property
    def calls(self) -> int:
        return len(self.points)


# Trajectories.


def _scalar_roll(theta: float, rho: float, eta: float, gamma: float, inner: int) -> tuple[float, tuple[float, float]]:
    """One step on `WAVE` for d = 1 in Python's own arithmetic, written from the paper: θ', and the centre over θ."""
    f, g = math.sin(theta) + theta**2 / 8, math.cos(theta) + theta / 4
    w = math.sqrt(1 + g * g)
    center = theta - rho * g / w, f + rho / w
    x, y = center[0] - eta * g, center[1] - eta * g * g
    for _ in range(inner):
        f, g = math.sin(theta) + theta**2 / 8, math.cos(theta) + theta / 4
        theta -= gamma * (theta - x + (f - y) * g)
    return theta, center


def test_a_batched_trajectory_is_the_scalar_ones_side_by_side(backend):
    """Three starts × two radii × two rates in one call, on every library and inside ``jax.jit``."""
    starts, radii, rates = [-2.0, 0.5, 3.0], [0.125, 0.5], [0.25, 0.0625]
    ball = RollingBall(rates, [[radius] for radius in radii], Descent(0.125, 4))

    @backend.jit
    def run(theta):
        return trajectory(ball, WAVE, theta, 6)

    path = run(backend.asarray(np.array(starts)[:, None, None, None]))
    assert isinstance(path, Trajectory)
    assert tuple(path.theta.shape) == (7, 3, 2, 2, 1)
    assert tuple(path.height.shape) == (7, 3, 2, 2)
    assert tuple(path.center.shape) == (7, 3, 2, 2, 2)
    theta, height, center = (backend.to_numpy(array) for array in path)
    # Four inner steps of a dozen roundings for each of six contractive steps, coordinates below 4.
    close = partial(assert_allclose, rtol=0, atol=300 * np.finfo(backend.dtypes[-1]).eps)
    for i, j, k in np.ndindex(3, 2, 2):
        at = starts[i]
        for t in range(7):
            close(theta[t, i, j, k, 0], at)
            close(height[t, i, j, k], math.sin(at) + at**2 / 8)
            at, at_center = _scalar_roll(at, radii[j], rates[k], 0.125, 4)
            close(center[t, i, j, k], at_center)


@pytest.mark.parametrize("variant", ["footpoint", "distance"])
@pytest.mark.parametrize("solver", [None, GaussNewton(), Newton(), Descent(0.1, 3)], ids=repr)
def test_a_batched_trajectory_is_the_single_ones_side_by_side(variant, solver):
    wave, starts, radii = landscapes.sine(), np.array([[-1.0], [0.3], [2.0]]), [0.2, 0.7]
    batched = trajectory(RollingBall(0.1, radii, solver, variant), wave, starts[:, None, :], 10)
    for i, j in np.ndindex(3, 2):
        single = trajectory(RollingBall(0.1, radii[j], solver, variant), wave, starts[i], 10)
        for many, one in zip(batched, single, strict=True):
            assert_allclose(many[:, i, j], one, rtol=0, atol=1e-13)  # NumPy's vector and scalar sines differ


@settings(max_examples=20)
@given(st.floats(-0.7, 0.7), st.floats(0.05, 0.8), st.floats(0.01, 0.2), st.integers(0, 8))
def test_in_a_spherical_bowl_the_whole_path_is_known(start, radius, rate, steps):
    """f = −√(1−θ²): the centre is (1−ρ)p, and the next contact is where the ray to c − ητ meets the circle."""
    bowl = FunctionGraph(lambda t: -np.sqrt(1 - t[..., 0] ** 2), lambda t: t / np.sqrt(1 - t**2))
    path = trajectory(RollingBall(rate, radius, GaussNewton(tolerance=0.0)), bowl, [start], steps)
    x, y = start, -math.sqrt(1 - start**2)
    for theta, height, center in zip(*path, strict=True):
        assert_allclose([theta[0], height, *center], [x, y, (1 - radius) * x, (1 - radius) * y], rtol=0, atol=1e-12)
        slope = -x / y
        x, y = (1 - radius) * x - rate * slope, (1 - radius) * y - rate * slope**2
        x, y = x / math.hypot(x, y), y / math.hypot(x, y)


def test_roll_is_the_steps_of_a_trajectory():
    ball, wave = RollingBall(0.2, 0.4), landscapes.sine()
    path, steps = trajectory(ball, wave, [1.0], 4), list(islice(roll(ball, wave, [1]), 5))  # integers become floats
    assert_array_equal(path.theta[1:], [step.theta for step in steps[:4]])
    assert_array_equal(path.height, [step.height for step in steps])
    assert_array_equal(path.center, [step.center for step in steps])


def test_the_centres_of_section_3_2_are_the_carried_ones():
    ball, wave = RollingBall(0.3, 0.4, Newton(), "distance"), landscapes.sine()
    path, steps = trajectory(ball, wave, [1.0], 4), list(islice(roll(ball, wave, [1.0]), 4))
    assert_array_equal(path.center[1:], [step.candidate for step in steps])
    drift = np.linalg.norm(path.center - np.concatenate([path.theta, path.height[:, None]], axis=-1), axis=-1) - 0.4
    assert abs(drift[0]) < 1e-15
    assert abs(drift[-1]) > 1e-3


def test_a_trajectory_costs_what_the_paper_counts():
    counted = Counted(lambda t: (np.sin(t[..., 0]), np.cos(t)))
    surface = FunctionGraph.from_value_and_gradient(counted)
    for steps, inner in [(0, 3), (1, 0), (5, 7)]:
        counted.points.clear()
        trajectory(RollingBall(0.1, 0.2, Descent(0.1, inner)), surface, [1.0], steps)
        assert counted.calls == steps * (1 + inner) + 1


def test_no_steps_give_the_start_alone():
    ball = RollingBall(0.1, [[0.1], [0.2]])
    path = trajectory(ball, landscapes.sine(), np.array([[0.0], [1.0], [2.0]]), 0)
    assert path.theta.shape == (1, 2, 3, 1)
    assert_allclose(path.height, np.broadcast_to(np.sin([0.0, 1.0, 2.0]), (1, 2, 3)))
    assert path.center.shape == (1, 2, 3, 2)


def test_the_rate_of_the_projection_joins_the_batch():
    path = trajectory(RollingBall(0.1, 0.2, Descent([0.1, 0.2], 5)), landscapes.sine(), [1.0], 3)
    assert path.theta.shape == (4, 2, 1)
    assert_array_equal(path.theta[0], [[1.0], [1.0]])
    single = trajectory(RollingBall(0.1, 0.2, Descent(0.2, 5)), landscapes.sine(), [1.0], 3)
    for many, one in zip(path, single, strict=True):
        assert_allclose(many[:, 1], one, rtol=0, atol=1e-14)


def test_the_callback_follows_and_may_stop():
    seen = []

    def callback(t: int, step: Any) -> None:
        seen.append((t, float(step.theta[0])))
        if t == 2:
            raise StopIteration

    path = trajectory(RollingBall(0.1, 0.2), landscapes.sine(), [1.0], 50, callback=callback)
    assert [t for t, _ in seen] == [0, 1, 2]
    assert_array_equal(path.theta[1:, 0], [theta for _, theta in seen])
    assert path.theta.shape == (4, 1)
    assert path.center.shape == (4, 2)


def test_inside_jit_the_callback_is_called_while_tracing():
    jax = pytest.importorskip("jax")
    calls = []
    ball = RollingBall(0.1, 0.2, Descent(0.1, 2))
    run = jax.jit(lambda theta: trajectory(ball, WAVE, theta, 3, callback=lambda t, step: calls.append(t)).theta)
    for start in (1.0, 2.0):
        assert run(jax.numpy.asarray([start])).shape == (4, 1)
    assert calls == [0, 1, 2]


class PlainStep(NamedTuple):
    theta: Any
    state: Any


class Momentum:
    """An optimizer of the same shape that is no ball and tells no height."""

    def init(self, theta: Any) -> Any:
        return 0 * theta

    def step(self, loss: Any, theta: Any, state: Any) -> PlainStep:
        state = 0.5 * state - 0.1 * loss.gradient(theta)
        return PlainStep(theta + state, state)


def test_any_optimizer_of_the_same_shape(backend):
    path = trajectory(Momentum(), WAVE, backend.asarray([[1.0], [-2.0]]), 3)
    assert path.center is None
    for i, theta in enumerate([1.0, -2.0]):
        velocity = 0.0
        for t in range(4):
            close = partial(assert_allclose, rtol=0, atol=32 * np.finfo(backend.dtypes[-1]).eps)
            close(float(backend.to_numpy(path.theta)[t, i, 0]), theta)
            close(float(backend.to_numpy(path.height)[t, i]), math.sin(theta) + theta**2 / 8)
            velocity = 0.5 * velocity - 0.1 * (math.cos(theta) + theta / 4)
            theta += velocity


def test_a_plain_callable_is_differentiated_by_its_framework():
    torch = pytest.importorskip("torch")
    ball = RollingBall(0.1, 0.2, Descent(0.2, 5))
    path = trajectory(ball, lambda t: torch.sin(t[..., 0]), torch.tensor([1.0], dtype=torch.float64), 5)
    for ours, expected in zip(path, trajectory(ball, landscapes.sine(), [1.0], 5), strict=True):
        assert_allclose(ours.numpy(), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"steps": 1.0}, TypeError, "steps must be an integer, got 1.0"),
        ({"steps": True}, TypeError, "steps must be an integer, got True"),
        ({"steps": -1}, ValueError, "steps must be at least 0, got -1"),
        ({"callback": 3}, TypeError, "callback must be callable, got 3"),
        ({"optimizer": RollingBall}, TypeError, "optimizer must be an object with methods init and step"),
        ({"optimizer": None}, TypeError, "optimizer must be an object with methods init and step"),
        ({"loss": None}, TypeError, "value must be callable, got None"),
        ({"theta": "here"}, TypeError, "theta must be an array of real numbers, got 'here'"),
        ({"theta": 1.0}, ValueError, "theta must have shape"),
    ],
)
def test_bad_arguments_of_a_trajectory(arguments, error, message):
    good = {"optimizer": RollingBall(0.1, 0.2), "loss": landscapes.sine(), "theta": [1.0], "steps": 2}
    with pytest.raises(error, match=message):
        trajectory(**{**good, **arguments})


def test_roll_answers_bad_arguments_at_once():
    with pytest.raises(TypeError, match="optimizer must be an object"):
        roll(RollingBall, landscapes.sine(), [1.0])
    with pytest.raises(TypeError, match="theta must be an array of real numbers"):
        roll(RollingBall(0.1, 0.2), landscapes.sine(), "here")


# minimize.

BALL = {"radius": 0.1, "learning_rate": 0.2}


def bowl(x: np.ndarray) -> tuple[float, np.ndarray]:
    """An elliptic bowl with its minimum 1 at (1, 1, ...) and ∇²f = diag(1, 2, 3, ...)."""
    w = np.arange(1, x.size + 1)
    return 1 + 0.5 * float(w @ (x - 1) ** 2), w * (x - 1)


@settings(max_examples=10)
@given(st.integers(1, 6), st.integers(0, 999), st.sampled_from(["footpoint", "distance"]))
def test_convex_quadratics_end_at_their_minimum(d, seed, variant):
    random = np.random.default_rng(seed)
    q, b = np.linalg.qr(random.normal(size=(d, d)))[0], random.normal(size=d)
    matrix = q @ np.diag(random.uniform(0.5, 1.5, d)) @ q.T  # ρλ_max < 1, η < 2(1/λ_max − ρ): the ball converges
    minimum = np.linalg.solve(matrix, b)
    args = (lambda x: (x @ matrix @ x / 2 - b @ x, matrix @ x - b), minimum + random.normal(size=d))
    result = minimize(*args, jac=True, radius=0.2, learning_rate=0.6, variant=variant)
    assert result.success
    assert result.status == 0
    assert np.linalg.norm(matrix @ result.x - b) <= 1e-5  # the default
    assert np.linalg.norm(result.x - minimum) <= 1e-5 / 0.5  # |x − x*| ≤ |∇f|/λ_min
    peer = scipy.optimize.minimize(*args, jac=True, method="BFGS", options={"gtol": 1e-7})
    assert_allclose(result.fun, peer.fun, rtol=0, atol=1e-10)  # f − f* ≤ |∇f|²/(2λ_min)


def test_a_valley_that_is_too_narrow_is_passed():
    """A large ball ends at the bottom of the bowl, a small one in the pit on its side."""

    def fun(x):
        pit = 0.5 * np.exp(-50 * (x[0] - 2) ** 2)
        return x[0] ** 2 / 2 - pit, x + 100 * (x - 2) * pit

    pit = scipy.optimize.minimize_scalar(lambda x: fun(np.array([x]))[0], bounds=(1.9, 2.1), options={"xatol": 1e-9})
    small = minimize(fun, [2.5], jac=True, radius=1e-3, learning_rate=0.01)
    assert_allclose(small.x, [pit.x], atol=1e-6)
    large = minimize(fun, [2.5], jac=True, radius=0.5, learning_rate=0.02)
    assert large.success
    assert_allclose(large.x, [0.0], atol=1e-5)


def _rosenbrock(x, a=1.0, b=20.0):
    return (a - x[0]) ** 2 + b * (x[1] - x[0] ** 2) ** 2


def _rosenbrock_gradient(x, a=1.0, b=20.0):
    bend = 2 * b * (x[1] - x[0] ** 2)
    return np.array([-2 * (a - x[0]) - 2 * x[0] * bend, bend])


@pytest.mark.parametrize("as_pair", [True, False])
@pytest.mark.parametrize(
    "more", [{}, {"projection_rate": 1e-2, "projection_steps": 4}, {"variant": "distance"}], ids=str
)
def test_scipys_call_and_the_direct_one_give_the_same(as_pair, more):
    def pair(*args):
        return _rosenbrock(*args), _rosenbrock_gradient(*args)

    fun, jac = (pair, True) if as_pair else (_rosenbrock, _rosenbrock_gradient)
    options = {"radius": 0.01, "learning_rate": 2e-3, "maxiter": 60, **more}
    direct = minimize(fun, [-1, 1], (1.5, 10.0), jac=jac, tol=0.5, **options)
    wrapped = scipy.optimize.minimize(fun, [-1, 1], (1.5, 10.0), method=minimize, jac=jac, tol=0.5, options=options)
    assert direct.keys() == wrapped.keys()
    for name, value in direct.items():
        assert_array_equal(value, wrapped[name], err_msg=name)
    assert direct.nit > 10


def test_a_number_as_args_is_one_argument():
    assert minimize(lambda x, a: (a * x @ x, 2 * a * x), [1.0], 0.5, jac=True, **BALL).success


def test_the_path_is_that_of_a_trajectory():
    seen = []
    surface = FunctionGraph(lambda t: bowl(t)[0] * np.ones(()), lambda t: bowl(t)[1])
    result = minimize(bowl, [2.0, 0.5], jac=True, callback=seen.append, **BALL)
    path = trajectory(RollingBall(0.2, 0.1), surface, [2.0, 0.5], result.nit)
    assert_array_equal(seen, path.theta[1:])
    assert_array_equal(result.x, path.theta[-1])
    assert_array_equal(result.center, path.center[-1])
    assert result.fun == path.height[-1]
    assert_array_equal(result.jac, bowl(result.x)[1])


# Counts.


@pytest.mark.parametrize("inner", [0, 1, 5])
@pytest.mark.parametrize(("options", "status"), [({}, 0), ({"maxiter": 3}, 1), ({"maxiter": 0}, 1)])
def test_a_step_costs_one_evaluation_and_the_inner_ones(inner, options, status):
    fun, jac = Counted(lambda x: bowl(x)[0]), Counted(lambda x: bowl(x)[1])
    start = [1.0, 1.0] if inner == 0 and not options else [2.0, 0.0]
    result = minimize(
        fun,
        start,
        jac=jac,
        projection_rate=0.2,
        projection_steps=inner,
        **{"radius": 0.1, "learning_rate": 0.2, **options},
    )
    if inner == 0 and options.get("maxiter"):  # no inner steps, no motion
        assert (result.status, result.nit, result.nfev) == (2, 0, 1)
        return
    assert result.status == status
    assert result.nfev == result.njev == fun.calls == jac.calls == result.nit * (1 + inner) + 1
    assert_array_equal(fun.points, jac.points)


@pytest.mark.parametrize("solver", [None, Newton(), GaussNewton(), MultiStart(starts=3)], ids=repr)
@pytest.mark.parametrize("stop_at", [None, 2])
def test_every_call_is_counted(solver, stop_at):
    fun = Counted(bowl)

    def callback(x: np.ndarray) -> None:
        if len(seen := [*fun.points]) and stop_at is not None and len(seen) > 10 * stop_at:
            raise StopIteration

    hess = {"hess": lambda x: np.diag([1.0, 2.0])} if isinstance(solver, Newton) else {}
    result = minimize(fun, [2.0, 0.0], jac=True, solver=solver, callback=callback, **hess, **BALL)
    assert result.nfev == result.njev == fun.calls
    assert result.status == (0 if stop_at is None else 99)


def test_memoized_by_scipy_no_point_is_computed_twice_in_a_row():
    fun = Counted(bowl)
    result = scipy.optimize.minimize(fun, [2.0, 0.0], method=minimize, jac=True, options={**BALL, "maxiter": 5})
    assert fun.calls <= result.nfev


# Callbacks.


def test_both_signatures_of_a_callback():
    points, results = [], []
    first = minimize(bowl, [2.0], jac=True, callback=points.append, **BALL)

    def by_name(intermediate_result):
        results.append(intermediate_result)

    second = scipy.optimize.minimize(bowl, [2.0], method=minimize, jac=True, callback=by_name, options=BALL)
    assert len(points) == len(results) == first.nit == second.nit
    assert all(isinstance(result, OptimizeResult) for result in results)
    assert_array_equal(points, [result.x for result in results])
    assert [result.fun for result in results] == [bowl(x)[0] for x in points]


@pytest.mark.parametrize("named", [False, True])
def test_stop_iteration_stops(named):
    def by_position(xk):
        raise StopIteration

    def by_name(*, intermediate_result):
        raise StopIteration

    result = minimize(bowl, [2.0], jac=True, callback=by_name if named else by_position, **BALL)
    peer = scipy.optimize.minimize(bowl, [2.0], jac=True, callback=by_position, method="BFGS")
    assert (result.status, result.success, result.message) == (peer.status, peer.success, peer.message)
    assert result.nit == 1
    assert_allclose(result.fun, bowl(result.x)[0])


def test_nobody_can_spoil_the_point():
    def spoiling(x):
        value = bowl(x)
        x[...] = np.nan
        return value

    def callback(x):
        x[...] = np.nan

    start = np.array([2.0, 0.0])
    result = minimize(spoiling, start, jac=True, callback=callback, **BALL)
    assert_array_equal(start, [2.0, 0.0])
    assert_array_equal(result.x, minimize(bowl, start, jac=True, **BALL).x)
    assert not np.shares_memory(minimize(bowl, start, jac=True, maxiter=0, **BALL).x, start)


# Why it stops.


def test_a_ball_on_two_crests_uses_up_its_steps():
    """ρ exceeds the critical radius 1/10 of f = 5x²: the ball rests with its centre over 0 and touches at both sides,
    where |x| = √(ρ² − 1/100) and the gradient is far from 0."""
    seen, solver = [], MultiStart(GaussNewton(), starts=4)  # the global footpoint
    result = minimize(
        lambda x: (5 * x[0] ** 2, 10 * x), [0.6], jac=True, radius=0.5, learning_rate=3e-4, maxiter=100, solver=solver,
        callback=seen.append,
    )  # fmt: skip
    assert (result.status, result.success, result.nit) == (1, False, 100)
    assert "maximum number of iterations" in result.message
    assert np.linalg.norm(result.jac) > 1
    assert abs(result.center[0]) < 0.02  # a step of the centre is ητ, and η|g| < 0.002 there
    assert_allclose(np.abs(seen[-10:]), math.sqrt(0.25 - 0.01), atol=0.02)
    assert_array_equal(np.sign(seen[-9:]), -np.sign(seen[-10:-1]))


def test_a_ball_too_slow_to_move_stops_at_once():
    result = minimize(bowl, [2.0], jac=True, radius=0.1, learning_rate=1e-18, projection_rate=0.1, projection_steps=1)
    assert (result.status, result.success, result.nit, result.nfev) == (2, False, 0, 2)
    assert "does not move the ball" in result.message
    assert_array_equal(result.x, [2.0])


def test_in_section_3_2_a_centre_that_moves_is_no_rest():
    """Without inner steps the contact stays where it is and the centre goes on."""
    options = {"projection_rate": 0.1, "projection_steps": 0, "variant": "distance", "maxiter": 7}
    result = minimize(bowl, [2.0], jac=True, **BALL, **options)
    assert (result.status, result.nit) == (1, 7)
    still = minimize(bowl, [2.0], jac=True, **{**BALL, **options, "learning_rate": 1e-30})
    assert (still.status, still.nit) == (2, 0)


@pytest.mark.parametrize("inner", [1, 3])  # the hole is met after the projection, and within it
def test_the_last_finite_contact_is_kept(inner):
    def log(x):
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log(x[0]), 1 / x  # no minimum: the ball falls into the hole at 0

    seen = [np.array([1.0])]
    result = minimize(log, seen[0], jac=True, callback=seen.append, projection_rate=0.5, projection_steps=inner, **BALL)
    assert (result.status, result.success) == (3, False)
    assert "not finite" in result.message
    assert result.nit == len(seen) - 1 > 0
    assert_array_equal(result.x, seen[-1])
    assert result.fun == log(result.x)[0]
    assert np.isfinite([result.fun, *result.jac, *result.center]).all()


def test_a_diverging_projection_ends_quietly():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = minimize(
            lambda x: (5 * x[0] ** 2, 10 * x), [2.0], jac=True, projection_rate=100.0, projection_steps=50, **BALL
        )
    assert (result.status, result.nit) == (3, 0)
    assert_array_equal(result.x, [2.0])
    assert result.fun == 20


@pytest.mark.parametrize("bad", [(math.nan, [1.0]), (1.0, [math.inf])])
def test_a_start_that_is_not_finite(bad):
    result = minimize(lambda x: bad, [2.0], jac=True, **BALL)
    assert (result.status, result.success, result.nit, result.nfev) == (3, False, 0, 1)
    assert_array_equal(result.x, [2.0])


def test_steps_that_are_not_finite():
    huge = minimize(lambda x: (1e200 * x[0], np.array([1e200])), [0.0], jac=True, **BALL)  # |∇f|² overflows
    assert (huge.status, huge.nit) == (3, 0)
    assert_array_equal(huge.x, [0.0])


def test_the_tolerance_is_on_the_length_of_the_gradient():
    for tol in (1e-1, 1e-3):
        result = minimize(bowl, [2.0, 0.0], jac=True, tol=tol, **BALL)
        assert tol / 2 < np.linalg.norm(result.jac) <= tol  # a step shortens it by less than a half
    default = minimize(bowl, [2.0, 0.0], jac=True, **BALL)
    assert 5e-6 < np.linalg.norm(default.jac) <= 1e-5
    assert minimize(bowl, [1.0], jac=True, tol=0, **BALL).nit == 0


# Second derivatives, and what goes in and out.


def test_second_derivatives_serve_the_projection():
    hess, hessp = Counted(lambda x: [[1.0, 0.0], [0.0, 2.0]]), Counted(lambda x, p: [p[0], 2 * p[1]])
    without = minimize(bowl, [2.0, 0.0], jac=True, **BALL)
    for given_, counted in (({"hess": hess}, hess), ({"hessp": hessp}, hessp)):
        result = scipy.optimize.minimize(bowl, [2.0, 0.0], method=minimize, jac=True, options=BALL, **given_)
        assert counted.calls > 0
        assert result.success
        assert_allclose(result.x, without.x, rtol=0, atol=1e-9)
    both = minimize(bowl, [2.0, 0.0], jac=True, hess=hess, hessp=hessp, solver=Newton(matrix=False), **BALL)
    assert_allclose(both.x, without.x, rtol=0, atol=1e-9)


def test_many_starts_are_evaluated_one_by_one():
    """`MultiStart` asks for batches, which SciPy's functions do not know."""
    for more in ({}, {"hess": lambda x: np.diag([1.0, 2.0])}, {"hessp": lambda x, p: p * [1, 2], "solver": None}):
        options = {**BALL, "solver": MultiStart(starts=3), **more}
        result = minimize(bowl, [2.0, 0.0], jac=True, **options)
        assert_allclose(result.x, [1, 1], atol=1e-5)


@pytest.mark.parametrize(
    ("x0", "dtype", "shape"),
    [
        (np.array([2.0, 0.0], dtype=np.float32), np.float32, (2,)),
        ([2, 0], np.float64, (2,)),
        (np.array([2, 0], dtype=np.int8), np.float64, (2,)),
        (2.0, np.float64, (1,)),
        (np.float32(2), np.float32, (1,)),
    ],
)
def test_the_start_decides_the_dtype(x0, dtype, shape):
    seen = set()

    def fun(x):
        seen.add(x.dtype)
        return bowl(x)

    result = minimize(fun, x0, jac=True, tol=1e-3, **BALL)
    assert result.success
    assert seen == {np.dtype(dtype)}
    assert result.x.dtype == result.jac.dtype == result.center.dtype == dtype
    assert result.x.shape == result.jac.shape == shape
    assert result.center.shape == (shape[0] + 1,)
    assert isinstance(result.fun, float)
    assert isinstance(result.success, bool)


def test_the_centre_stands_over_the_contact():
    result = minimize(bowl, [3.0, -1.0], jac=True, maxiter=2, **BALL)
    normal = np.array([*-result.jac, 1.0]) / math.sqrt(1 + result.jac @ result.jac)
    assert_allclose(result.center, [*result.x, result.fun] + 0.1 * normal, rtol=1e-15)


def test_values_of_one_element_are_numbers():
    assert minimize(lambda x: (x**2, 2 * x), [1.0], jac=True, **BALL).success
    assert minimize(lambda x: x[0] ** 2, [1.0], jac=lambda x: 2 * x[0], **BALL).success


def test_disp(capsys):
    minimize(bowl, [1.0], jac=True, disp=True, **BALL)
    assert "The gradient at the contact is at most tol." in capsys.readouterr().out
    minimize(bowl, [1.0], jac=True, **BALL)
    assert capsys.readouterr().out == ""


# Bad arguments.


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"jac": None}, ValueError, r"jac must be callable, or True.*Pass jac=.*replaces '2-point'.*Got None"),
        ({"jac": False}, ValueError, "jac must be callable, or True"),
        ({"jac": "2-point"}, ValueError, "takes no finite differences.*Got '2-point'"),
        ({"fun": 3}, TypeError, "fun must be callable, got 3"),
        ({"fun": lambda x: x[0]}, TypeError, r"with jac=True fun must return the pair \(f, gradient\), got float64"),
        ({"fun": lambda x: (x, x)}, ValueError, r"fun must return one number, got an array of shape \(2,\)"),
        ({"fun": lambda x: (1.0, [1.0])}, ValueError, r"jac must return shape \(2,\) for x of this shape, got \(1,\)"),
        ({"x0": [[1.0, 2.0]]}, ValueError, r"x0 must have shape \(d,\) with d >= 1, got \(1, 2\)"),
        ({"x0": []}, ValueError, r"x0 must have shape \(d,\) with d >= 1, got \(0,\)"),
        ({"x0": [1.0, math.nan]}, ValueError, "x0 must be finite"),
        ({"x0": [1.0, math.inf]}, ValueError, "x0 must be finite"),
        ({"x0": [1j]}, TypeError, "x0 must have a real floating or integer dtype"),
        ({"x0": ["a"]}, TypeError, "x0 must"),
        ({"x0": None}, TypeError, "x0 must"),
        ({"bounds": [(0, 1)]}, ValueError, "bounds must be None"),
        ({"constraints": LinearConstraint([[1.0, 0.0]], 0, 1)}, ValueError, "constraints must be empty"),
        ({"constraints": ({"type": "eq", "fun": lambda x: x[0]},)}, ValueError, "constraints must be empty"),
        ({"radius": 0}, ValueError, "radius must be finite and positive, got 0"),
        ({"radius": [0.1, 0.2]}, ValueError, r"radius must be one number, got shape \(2,\)"),
        ({"learning_rate": -1.0}, ValueError, "learning_rate must be finite and positive, got -1.0"),
        ({"learning_rate": "fast"}, TypeError, "learning_rate must be"),
        ({"variant": "centre"}, ValueError, "variant must be 'footpoint' or 'distance'"),
        ({"projection_rate": 0.1}, ValueError, "belong together: projection_steps is missing"),
        ({"projection_steps": 3}, ValueError, "belong together: projection_rate is missing"),
        ({"projection_rate": 0.0, "projection_steps": 3}, ValueError, "projection_rate must be finite and positive"),
        ({"projection_rate": 0.1, "projection_steps": 3.0}, TypeError, "projection_steps must be an integer, got 3.0"),
        (
            {"projection_rate": 0.1, "projection_steps": 3, "solver": Newton()},
            ValueError,
            "either solver or projection_rate and projection_steps, not both",
        ),
        ({"solver": Newton}, TypeError, "solver must be an instance"),
        ({"maxiter": -1}, ValueError, "maxiter must be at least 0, got -1"),
        ({"maxiter": 1e3}, TypeError, "maxiter must be an integer, got 1000.0"),
        ({"tol": -1.0}, ValueError, "tol must be finite and not negative, got -1.0"),
        ({"callback": 3}, TypeError, "callback must be callable, got 3"),
        ({"hess": "2-point"}, ValueError, "hess must be callable or None, got '2-point'"),
        ({"hessp": 1}, ValueError, "hessp must be callable or None, got 1"),
    ],
)
def test_bad_arguments_of_minimize(arguments, error, message):
    good = {"fun": bowl, "x0": [2.0, 0.0], "jac": True, "radius": 0.1, "learning_rate": 0.2}
    with pytest.raises(error, match=message):
        minimize(**{**good, **arguments})


def test_radius_and_learning_rate_have_no_default():
    with pytest.raises(TypeError, match="radius"):
        minimize(bowl, [1.0], jac=True, learning_rate=0.1)
    with pytest.raises(TypeError, match="learning_rate"):
        scipy.optimize.minimize(bowl, [1.0], jac=True, method=minimize, options={"radius": 0.1})


@pytest.mark.parametrize("jac", [None, "2-point", "3-point", "cs"])
def test_through_scipy_a_missing_gradient_is_named(jac):
    with pytest.raises(ValueError, match=r"Pass jac=.*replaces '2-point', '3-point' and 'cs' by None"):
        scipy.optimize.minimize(lambda x: x[0] ** 2, [1.0], jac=jac, method=minimize, options=BALL)


@pytest.mark.parametrize(
    "refused",
    [{"bounds": [(0, 1)]}, {"constraints": {"type": "eq", "fun": lambda x: x[0]}}],
    ids=["bounds", "constraints"],
)
def test_through_scipy_bounds_and_constraints_are_refused(refused):
    with pytest.raises(ValueError, match=next(iter(refused))):
        scipy.optimize.minimize(bowl, [1.0], jac=True, method=minimize, options=BALL, **refused)


def test_unknown_options_are_named():
    with pytest.warns(OptimizeWarning, match="Unknown solver options: gtol, momentum"):
        minimize(bowl, [1.0], jac=True, gtol=1e-5, momentum=0.9, **BALL)
    with pytest.warns(OptimizeWarning, match="Unknown solver options: gtol"):
        scipy.optimize.minimize(bowl, [1.0], jac=True, method=minimize, options={**BALL, "gtol": 1e-5})


def test_basinhopping():
    """The example of SciPy's manual: f = cos(14.5x − 0.3) + (x + 0.2)x, whose lowest minimum is at −0.1951."""
    fun = Counted(
        lambda x: (np.cos(14.5 * x[0] - 0.3) + (x[0] + 0.2) * x[0], -14.5 * np.sin(14.5 * x - 0.3) + 2 * x + 0.2)
    )
    options = {"radius": 1e-3, "learning_rate": 2e-3}
    kwargs = {"method": minimize, "jac": True, "options": options}
    found = scipy.optimize.basinhopping(fun, [1.0], minimizer_kwargs=kwargs, niter=12, rng=1)
    inside = lambda x: math.cos(14.5 * x - 0.3) + (x + 0.2) * x  # noqa: E731
    truth = scipy.optimize.minimize_scalar(inside, bounds=(-0.3, -0.1), options={"xatol": 1e-10})
    assert found.lowest_optimization_result.success
    assert found.minimization_failures == 0
    assert_allclose(found.x, [truth.x], atol=1e-7)  # |∇f|/f'' = 1e-5/210
    assert_allclose(found.fun, truth.fun, atol=1e-12)
    assert fun.calls <= found.nfev == found.njev
