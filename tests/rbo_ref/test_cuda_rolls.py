"""Trajectories and inner loops one item a thread, in CUDA C++: compiled for GPUs, and run on the CPU against arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from geometry import Descent, FunctionGraph, GaussNewton, Newton, project
from geometry._kernels import kernel
from geometry.expressions import record
from rbo_ref import RollingBall
from tests.geometry.cuda import CuPyOnCPU, compiled, each_target
from tests.rbo_ref.test_compiled_rolls import STEPS, VARIANTS, by_steps, hold, starts, tub, waves

pytestmark = pytest.mark.skipif(kernel("roll", np) is None, reason="numba cannot compile here")


@pytest.fixture(scope="module")
def gpu(tmp_path_factory):
    return CuPyOnCPU(tmp_path_factory.mktemp("cuda"))


@pytest.fixture(scope="module")
def recorded():
    return {(f, d): record(f, d) for f in (tub, waves) for d in (1, 3)}


def projection(solver: Any) -> tuple[Any, ...]:
    if isinstance(solver, Descent):
        rate = solver.rate if isinstance(solver.rate, float) else np.asarray(solver.rate)[..., None]
        return rate, solver.steps, False, None
    return None, solver.max_steps, isinstance(solver, Newton), solver.tolerance


def rolled(gpu, expression, ball, theta, steps):
    hyper = [np.asarray(number, float)[..., None] for number in (ball.radius, ball.learning_rate)]
    arguments = theta, *hyper, steps, projection(ball.solver)
    return gpu.run(gpu.rolls.roll, expression, *arguments, carried=ball.variant == "distance")


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("solver", [Descent(0.03, 6), Descent(0.03, 0), Descent([[0.01], [0.1]], 3)], ids=str)
@pytest.mark.parametrize("d", [1, 3])
def test_the_same_bits_on_polynomials(gpu, recorded, variant, solver, d):
    """At rest, where squares overflow, and nowhere, too: as `test_compiled_rolls` holds the loops of the CPU."""
    ball = RollingBall(0.05, 0.2, solver, variant)
    if isinstance(solver.rate, float):
        ball = RollingBall([[0.05], [5e-324], [1e300]], [[[0.2]], [[3.0]], [[1e-3]]], solver, variant)
    theta = starts(d)
    truth = by_steps(ball, FunctionGraph(tub, compile=False), theta)
    hold(rolled(gpu, recorded[tub, d], ball, theta, STEPS), truth, room=0.0 if variant == "footpoint" else 1e-12)
    assert np.isfinite(truth.theta[:, ..., :4, :]).any()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("solver", [Newton(), GaussNewton()], ids=str)
def test_contacts_that_are_searched(gpu, recorded, variant, solver):
    """One step from the same contact: sines differ by an ulp, and a search ends within its tolerance."""
    theta = np.random.default_rng(3).normal(size=(30, 3))
    ball = RollingBall(0.05, 0.1, solver, variant)
    truth = by_steps(ball, FunctionGraph(waves, compile=False), theta, 1)
    hold(rolled(gpu, recorded[waves, 3], ball, theta, 1), truth, room=10 * np.finfo(float).eps ** 0.75)


def test_descents(gpu, recorded):
    theta = starts(3)
    with np.errstate(all="ignore"):
        points = np.concatenate([theta + 0.25, theta[:, :1] ** 2], axis=-1)
    for rate, steps in ((0.03, 5), (np.linspace(0.01, 0.05, 10), 4), (0.1, 0)):
        truth = project(FunctionGraph(tub, compile=False), points, Descent(rate, steps), start=theta).theta
        rates = rate if isinstance(rate, float) else rate[:, None]
        found = gpu.run(gpu.rolls.descent, recorded[tub, 3], points, theta, rates, steps)
        np.testing.assert_array_equal(found, truth)


def test_no_balls_and_any_number_of_thread_blocks(gpu, recorded, tmp_path):
    theta, ball = np.random.default_rng(0).normal(size=(150, 3)), RollingBall(0.05, 0.1, Descent(0.03, 3))
    whole = rolled(gpu, recorded[tub, 3], ball, theta, 4)
    for count in (150, 0):
        for part, all_of_it in zip(
            rolled(CuPyOnCPU(tmp_path, most_blocks=1), recorded[tub, 3], ball, theta[:count], 4), whole, strict=True
        ):
            np.testing.assert_array_equal(part, all_of_it[:, :count])


MISTAKES = {
    "first block only": ("n += (long long)gridDim.x * blockDim.x", "n += 1LL << 40"),
    "the ball of another item": ("radius = balls[3 * n]", "radius = balls[n]"),
    "the next contact is this one": ("after = place + count", "after = place + 1"),
    "the rate of the ball for that of the inner steps": ("balls[3 * n + 2], inner", "balls[3 * n + 1], inner"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_seen(tmp_path, recorded, mistake):
    broken = CuPyOnCPU(tmp_path, most_blocks=1, patch=MISTAKES[mistake])
    theta, ball = np.random.default_rng(0).normal(size=(150, 1)), RollingBall(0.05, 0.1, Descent(0.03, 3))
    truth = by_steps(ball, FunctionGraph(tub, compile=False), theta, 4)
    with pytest.raises(AssertionError):
        hold(rolled(broken, recorded[tub, 1], ball, theta, 4), truth)


@each_target
def test_gpus_compile_it(gpu, recorded, target):
    text = gpu.texts.text("rolling.cu", recorded[waves, 3])
    for searched, carried in {(False, False), (False, True), (target == "sm_90", False)}:
        defined = {"SEARCHED": searched, "NEWTON": searched, "CARRIED": carried}
        assert b"roll" in compiled(text, target, gpu.texts.options(recorded[waves, 3], **defined))
