"""The exact solver in `project` and under the Rolling Ball Optimizer."""

from __future__ import annotations

import numpy as np
import pytest

from geometry import MultiStart, Status, project
from geometry.certified import Certified, distance
from rbo_ref import RollingBall, landscapes
from tests.geometry import surfaces


def test_the_ball_never_enters_the_surface():
    surface, radius = surfaces.sine(), 3.0
    ball, theta, state = RollingBall(0.2, radius, Certified()), np.array([[1.4], [0.5]]), None
    for _ in range(12):
        step = ball.step(surface, theta, state)
        assert step.footpoints.converged.all()
        found = distance(surface, step.candidate, tolerance=1e-9)
        assert (step.footpoints.distance <= found.upper + 1e-12).all()
        theta, state = step.theta, step.state


def test_never_farther_than_other_solvers():
    random = np.random.default_rng(0)
    for surface, d in ((landscapes.wrinkled(20), 1), (landscapes.gaussians(0.3, 40), 2)):
        queries = random.uniform(-1, 1, (8, d + 1))
        exact, many = project(surface, queries, Certified()), project(surface, queries, MultiStart(starts=8))
        assert exact.converged.all()
        assert (exact.distance <= many.distance + 1e-9).all()


def test_on_the_medial_axis_the_start_decides():
    query = np.array([[-np.pi / 2, 1.0]] * 2)
    found = project(surfaces.sine(), query, Certified(), start=[[-2.0], [-1.0]])
    assert found.converged.all()
    assert (np.sign(found.theta[:, 0] + np.pi / 2) == [-1, 1]).all()
    assert (found.residual < 1e-12).all()


def test_what_the_budget_does_not_suffice_for_says_so():
    found = project(landscapes.wrinkled(), [[0.3, 1.0], [np.nan, 1.0]], Certified(max_boxes=8))
    assert found.status.tolist() == [Status.STEPS_USED, Status.NOT_FINITE]
    assert (found.steps <= 8).all()


def test_arrays_come_back_to_their_library(backend, dtype):
    if backend.name.startswith("jax-jit"):
        pytest.skip("a search has no fixed number of steps")
    query = backend.asarray([[0.3, 2.0], [1.0, -1.0]], dtype)
    found = project(surfaces.sine(), query, Certified(tolerance=1e-6))
    assert backend.belongs(found.theta, dtype)
    assert backend.to_numpy(found.converged).all()
    truth = project(surfaces.sine(), np.array(backend.to_numpy(query), dtype=float), Certified(tolerance=1e-6)).theta
    assert np.allclose(backend.to_numpy(found.theta), truth, atol=1e-6)


@pytest.mark.parametrize(("argument", "value"), [("tolerance", -1.0), ("max_boxes", 0)])
def test_wrong_arguments_are_named(argument, value):
    with pytest.raises(ValueError, match=argument):
        Certified(**{argument: value})
