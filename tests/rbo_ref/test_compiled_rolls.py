"""Compiled trajectories and inner loops against those on arrays, which are their specification.

On polynomials every operation of both is the same, in the same order, and so are the bits.
"""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from geometry import Descent, FunctionGraph, GaussNewton, MultiStart, Newton, project
from geometry._kernels import kernel
from rbo_ref import RollingBall, roll, trajectory
from rbo_ref._compiled_trajectories import rolled

pytestmark = pytest.mark.skipif(kernel("roll", np) is None, reason="numba cannot compile here")

VARIANTS = ["footpoint", "distance"]
SOLVERS = {
    "paper": Descent(0.03, 6),
    "standing": Descent(0.03, 0),
    "rates": Descent([[0.01], [0.1]], 3),
    "newton": Newton(),
    "gauss-newton": GaussNewton(),
    "default": None,
}
STEPS = 12
EPS = np.finfo(float).eps


def tub(t):
    """A polynomial with a maximum at 0 between its valleys; sums of less than eight terms have one order."""
    square = t * t
    return np.sum(square * square, axis=-1) / 4 - np.sum(square, axis=-1) / 2 + 0.25 * t[..., 0] * t[..., -1]


def valley(t):
    return t[..., 0] ** 2 + t[..., -1] ** 2 / 8


def waves(t):
    return np.sum(np.sin(3 * t) + t * t / 8, axis=-1) + np.exp(-(t[..., 0] ** 2))


@pytest.fixture(scope="module")
def surfaces():
    """Each function as a surface whose loops are compiled, and as one whose loops run on arrays."""
    return {f: [FunctionGraph(f, compile=choice) for choice in (True, False)] for f in (tub, waves)}


def starts(d):
    """In general position, at rest, at a maximum, where slopes and their squares overflow, and nowhere."""
    some = np.random.default_rng(d).normal(size=(4, d))
    same = np.array([-np.sqrt(0.75), -0.0, 1e60, 1e200, np.inf, np.nan])
    return np.concatenate([some, np.broadcast_to(same[:, None], (6, d))])


def by_steps(ball, surface, theta, steps=STEPS):
    """The trajectory, step by step: the search of each is compiled where the surface's are."""
    with np.errstate(all="ignore"):
        return trajectory(ball, surface, theta, steps, callback=lambda t, step: None)


def hold(found, truth, room=0.0):
    for ours, expected in zip(found, truth, strict=True):
        assert ours.dtype == expected.dtype
        np.testing.assert_allclose(ours, expected, rtol=room, atol=room, strict=True)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_same_bits_on_polynomials(surfaces, variant, solver, d):
    compiled, arrays = surfaces[tub]
    large = 0.02 if solver == "gauss-newton" else 3.0  # which leaves a maximum of the distance on arrays
    ball = RollingBall([[0.05], [5e-324], [1e300]], [[[0.2]], [[large]], [[1e-3]]], SOLVERS[solver], variant)
    if solver == "rates":
        ball = RollingBall(0.05, 0.2, SOLVERS[solver], variant)
    theta = starts(d)
    found = trajectory(ball, compiled, theta, STEPS)
    truth = by_steps(ball, arrays if isinstance(ball.solver, Descent) else compiled, theta)
    assert np.isfinite(found.theta[..., :4, :]).any()
    room = 0.0
    if d == 1 and not isinstance(ball.solver, Descent):
        # A batch of queries for one variable is searched side by side, with other roundings: within the tolerance, but
        # from the two starts at rest, one on a crest, whose way either side is up to them.
        room, moving = 10 * EPS**0.75, [0, 1, 2, 3, 6, 7, 8, 9]
        found, truth = ([array[:, :, :, moving] for array in path] for path in (found, truth))
    hold(found, truth, room)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("solver", [Descent(0.03, 6), Newton(), GaussNewton()], ids=str)
@pytest.mark.parametrize("d", [1, 2, 3])
def test_every_step_is_that_of_the_body_but_for_the_rounding_of_functions(surfaces, variant, solver, d):
    """From the same contact: sines differ by an ulp, which a step enlarges; a search ends within its tolerance."""
    compiled, arrays = surfaces[waves]
    ball = RollingBall(0.05, 0.1, solver, variant)
    theta, height, center = trajectory(ball, compiled, np.random.default_rng(d).normal(size=(30, d)), STEPS)
    steps = ball.step(arrays, theta[:-1], center[:-1] if variant == "distance" else None)
    room = 1000 * EPS if isinstance(solver, Descent) else 10 * EPS**0.75
    hold((theta[1:], height[:-1], center[:-1]), (steps.theta, steps.height, steps.center), room)
    if variant == "distance":
        np.testing.assert_allclose(center[1:], steps.candidate, rtol=room, atol=room)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_paper_s_solver_stays_with_the_body_for_hundreds_of_steps(surfaces, variant):
    """Balls that fit into the valleys: their rolling forgets errors, of which each step makes some.

    In the variant "distance" those of u = c − p count 1/ρ times.
    """
    compiled, arrays = surfaces[waves]
    ball = RollingBall([0.01, 0.02], 0.02, Descent(0.05, 8), variant)
    theta = np.random.default_rng(0).normal(size=(6, 1, 2))
    found, truth = trajectory(ball, compiled, theta, 300), by_steps(ball, arrays, theta, 300)
    hold(found, truth, room=300 * 8 * 10 * EPS * (1 if variant == "footpoint" else 1 / 0.02))
    assert np.ptp(truth.theta[:, 0], axis=0).max() > 0.1


@pytest.mark.parametrize(
    ("theta", "radius", "rate", "gamma"),
    [
        (np.ones(2), 0.1, 0.1, 0.1),
        (np.ones((3, 1, 2)), [0.1, 0.2], 0.1, 0.1),
        (np.ones(2), [0.1, 0.2], [[0.1], [0.2], [0.3]], 0.1),
        (np.ones((2, 2)), np.float32(0.1), np.array(0.1), [[0.1, 0.2]]),
        ([1, 2], 1, True, [0.1, 0.2]),
        (np.ones((0, 2)), 0.1, 0.1, 0.1),
        (np.broadcast_to(1.0, (3, 2)), 0.1, 0.1, 0.1),
        (np.arange(8.0).reshape(2, 4).T, 0.1, 0.1, 0.1),
    ],
    ids=str,
)
def test_batches(surfaces, theta, radius, rate, gamma):
    compiled, arrays = surfaces[tub]
    for solver in (Descent(gamma, 3), Newton()):
        ball = RollingBall(rate, radius, solver)
        found = trajectory(ball, compiled, theta, 3)
        hold(found, by_steps(ball, arrays if isinstance(solver, Descent) else compiled, theta, 3))
        assert all(array.flags.writeable for array in found)


@pytest.mark.parametrize("solver", [None, Descent(0.05, 5)], ids=str)
def test_the_same_bits_for_any_number_of_threads_in_any_company_and_any_shares(surfaces, solver, monkeypatch):
    compiled, _ = surfaces[waves]
    theta, ball = np.random.default_rng(0).normal(size=(50, 3)), RollingBall(0.05, [[0.1], [2.0]], solver, "distance")
    whole = trajectory(ball, compiled, theta, 20)
    alone = [trajectory(ball, compiled, theta[i : i + 1], 20) for i in range(0, 50, 17)]
    hold([np.concatenate(parts, axis=2) for parts in zip(*alone, strict=True)], [array[:, :, ::17] for array in whole])
    run, projection = kernel("roll", np), (None, 100, True, None) if solver is None else (0.05, 5, False, None)
    for most in (10**9, 10**5, 1):
        monkeypatch.setattr("geometry._kernels.rolls.MOST", most)
        for workers in (1, 2, 5):
            settings = {"carried": True, "workers": workers}
            expression = compiled.to_compile(theta)
            hold(run(expression, theta, np.array([[[0.1]], [[2.0]]]), 0.05, 20, projection, **settings), whole)
    inner = kernel("descent", np)
    results = [inner(expression, np.ones((50, 4)), theta, 0.05, 9, workers=workers) for workers in (1, 2, 5)]
    monkeypatch.setattr("geometry._kernels.rolls.MOST", 10**9)
    for result in results:
        np.testing.assert_array_equal(result, inner(expression, np.ones((50, 4)), theta, 0.05, 9))


def test_a_run_is_interrupted_between_its_shares(surfaces, monkeypatch):
    from geometry._kernels import rolling

    roll_, calls = rolling.roll, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        roll_(*arguments)

    monkeypatch.setattr("geometry._kernels.rolls.MOST", 1)
    monkeypatch.setattr("geometry._kernels.rolls.available_cores", lambda: 1)
    monkeypatch.setattr(rolling, "roll", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trajectory(RollingBall(0.1, 0.2, Descent(0.1, 2)), surfaces[tub][0], np.ones((4, 2)), 5)
    assert len(calls) == 3


# The inner loop by itself, and single steps.


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_inner_loop(surfaces, d):
    compiled, arrays = surfaces[tub]
    theta = starts(d)
    query = np.concatenate([theta + 0.1, 3 - theta[:, :1]], axis=-1)
    for rate in (0.05, [[0.05], [0.2]]):
        found, truth = (project(s, query, Descent(rate, 9), start=theta) for s in (compiled, arrays))
        for field in ("theta", "steps", "status", "distance", "residual"):
            np.testing.assert_array_equal(getattr(found, field), getattr(truth, field), strict=True)
    ball = RollingBall([[0.05], [0.1]], 0.3, Descent(0.05, 9))
    with np.errstate(all="ignore"):
        found, truth = (ball.step(s, theta) for s in (compiled, arrays))
    np.testing.assert_array_equal(found.theta, truth.theta)
    np.testing.assert_array_equal(found.footpoints.status, truth.footpoints.status)


def test_queries_without_a_start(surfaces):
    compiled, arrays = surfaces[tub]
    query = np.ones((3, 1, 3))
    for solver in (Descent(0.1, 0), Descent([0.1, 0.2], 4)):
        found, truth = (project(s, query, solver).theta for s in (compiled, arrays))
        np.testing.assert_array_equal(found, truth, strict=True)
    assert project(compiled, query[:0], solver).theta.shape == (0, 2, 2)


# What is for the loop over arrays.


class OtherBall(RollingBall):
    pass


def test_what_the_compiled_loop_is_for(surfaces):
    compiled, arrays = surfaces[tub]
    theta, ball = np.ones((3, 2)), RollingBall(0.1, 0.2)
    assert rolled(ball, compiled, theta, 5) is not None
    assert rolled(ball, arrays, theta, 5) is None
    assert rolled(ball, FunctionGraph(tub), theta, 5) is None  # too little work
    assert rolled(ball, compiled, theta, 0) is None
    assert rolled(ball, compiled, theta.astype("float32"), 5) is None
    assert rolled(ball, compiled, np.ones((3, 7)), 5) is None
    assert rolled(OtherBall(0.1, 0.2), compiled, theta, 5) is None
    for solver in (Newton(matrix=False), MultiStart(starts=2)):
        assert rolled(RollingBall(0.1, 0.2, solver), compiled, theta, 5) is None
    assert rolled(ball, FunctionGraph(tub, lambda t: 0 * t), np.ones((10**7, 2)), 5) is None  # another gradient


def test_much_work_is_compiled_unasked():
    surface, ball = FunctionGraph(waves, name="waves"), RollingBall(0.1, 0.2, Descent(0.1, 10**4))
    assert rolled(ball, surface, np.ones((1, 1)), 10) is not None
    assert rolled(ball, FunctionGraph(waves, compile=False), np.ones((1, 1)), 10) is None


def test_a_callback_is_called():
    seen, surface = [], FunctionGraph(tub, compile=True)
    path = trajectory(RollingBall(0.1, 0.2), surface, [1.0], 3, callback=lambda t, step: seen.append(step.theta))
    np.testing.assert_array_equal(path.theta[1:], seen)
    np.testing.assert_array_equal([s.theta for s in islice(roll(RollingBall(0.1, 0.2), surface, [1.0]), 3)], seen)


@pytest.mark.parametrize(
    ("ball", "theta"),
    [
        (RollingBall(0.1, [0.1, 0.2]), np.ones((3, 2))),
        (RollingBall([0.1, 0.2, 0.3], [0.1, 0.2]), np.ones(2)),
        (RollingBall([0.1, 0.2], 0.1), np.ones((3, 2))),
        (RollingBall(0.1, 0.1, Descent([0.1, 0.2], 3)), np.ones((3, 2))),
        (RollingBall(0.1, 0.1, Newton), np.ones((3, 2))),
        (RollingBall(0.1, 0.1), 1.0),
        (RollingBall(0.1, 0.1), np.ones((3, 0))),
    ],
    ids=["radius", "both", "rate", "inner", "solver", "number", "nothing"],
)
def test_bad_arguments_are_answered_alike(surfaces, ball, theta):
    sentences = []
    for surface in surfaces[tub]:
        with pytest.raises((TypeError, ValueError)) as error:
            trajectory(ball, surface, theta, 2)
        sentences.append((type(error.value), str(error.value)))
    assert sentences[0] == sentences[1]


def test_what_cannot_be_compiled_says_so():
    def branch(t):
        return t[..., 0] if t[..., 0].sum() > 0 else 0 * t[..., 0]

    surface = FunctionGraph(branch, lambda t: 0 * t + 1, name="branch", compile=True)
    with pytest.raises(TypeError, match="branch cannot be compiled: a branch on data"):
        trajectory(RollingBall(0.1, 0.2, Descent(0.1, 2)), surface, np.ones((3, 2)), 2)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("solver", [Newton(), GaussNewton()], ids=["newton", "gauss-newton"])
@pytest.mark.parametrize(
    "f", [lambda t: 0.75 * np.abs(t[..., 0]) + t[..., -1] ** 2 / 8, valley], ids=["fold", "valley"]
)
def test_a_ball_that_is_balanced_falls_to_the_same_side(f, solver, variant):
    """Over a fold, as over a maximum of the distance, the ball leaves where it balances, as by single steps."""
    ball, theta = RollingBall(0.05, 3.0, solver, variant), np.array([[0.0, 0.0], [0.0, 0.5], [0.25, 0.5]])
    found = trajectory(ball, FunctionGraph(f, compile=True), theta, 5)
    hold(found, by_steps(ball, FunctionGraph(f, compile=False), theta, 5), room=1e-7)
    assert (np.abs(found.theta[1, :, 0]) > 0.1).all()
