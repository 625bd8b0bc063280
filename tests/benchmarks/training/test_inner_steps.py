"""The benchmark of inner steps: its plain Gauss–Newton step, and that its second table is made."""

from importlib import util
from pathlib import Path

import numpy as np
import pytest

from geometry import FunctionGraph, GaussNewton, project
from rbo_ref import RollingBall

pytest.importorskip("sklearn")
PATH = Path(__file__).parents[3] / "benchmarks" / "inner_steps.py"


@pytest.fixture(scope="module")
def benchmark_module():
    spec = util.spec_from_file_location("inner_steps", PATH)
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wave(theta):
    return np.sum(np.sin(theta), axis=-1), np.cos(theta)


SURFACE = FunctionGraph.from_value_and_gradient(wave)
THETA = np.random.default_rng(0).normal(size=(20, 5))


@pytest.mark.parametrize("radius", [0.01, 1.0, 100.0])
def test_one_step_is_gradient_descent_whatever_the_radius(benchmark_module, radius):
    ball = RollingBall(0.1, radius, benchmark_module.PlainGaussNewton(1))
    # the candidate is a sum of terms of size ρ, and g is at most 1 in each coordinate
    tolerance = 20 * 2.0**-52 * max(1, radius)
    np.testing.assert_allclose(ball.step(SURFACE, THETA).theta, THETA - 0.1 * np.cos(THETA), atol=tolerance)


def test_many_steps_end_at_a_footpoint(benchmark_module):
    candidate = RollingBall(0.1, 0.3, benchmark_module.PlainGaussNewton(0)).step(SURFACE, THETA).candidate
    plain = project(SURFACE, candidate, benchmark_module.PlainGaussNewton(200), start=THETA)
    safe = project(SURFACE, candidate, GaussNewton(), start=THETA)
    assert plain.converged.all()
    np.testing.assert_allclose(plain.theta, safe.theta, atol=1e-9)  # √ε times the condition of a footpoint at 0.3


def test_the_table_of_losses(benchmark_module, capsys):
    benchmark_module.print_training(evaluations=12, trials=2, seeds=2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 + len(benchmark_module.variants())
    steps = {line[:34].strip(): int(line[34:42]) for line in lines[4:]}
    assert steps["gradient descent"] == steps["RBO, 1 Gauss-Newton, plain"] == 12
    assert steps["RBO, 2 Gauss-Newton, plain"] == steps["RBO, 2 gradient steps"] == 6
    assert steps["RBO, 2 Gauss-Newton, safeguarded"] == 4
