"""The exact solver in `project` and under the Rolling Ball Optimizer."""

from __future__ import annotations

import numpy as np
import pytest

from geometry import MultiStart, Status, project
from geometry.certified import Certified, distance
from geometry.certified._landscape import _forget as forget
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


def test_many_balls_over_dents_are_where_samples_and_a_search_without_a_model_say():
    """A fine grid of samples bounds the distances from above; a search of other boxes from both sides."""
    surface, radius = landscapes.gaussians(0.3, 60), np.array([0.1, 0.4, 2.0])
    ball, theta, state = (
        RollingBall(0.05, radius, Certified()),
        np.random.default_rng(0).uniform(-2, 2, (30, 1, 2)),
        None,
    )
    for _ in range(3):
        step = ball.step(surface, np.broadcast_to(theta, (30, 3, 2)), state)
        theta, state = step.theta, step.state
    found, at = step.footpoints, step.candidate
    assert found.converged.all()
    assert (found.residual < 1e-9).all()
    grid = np.stack(np.meshgrid(*[np.linspace(-4, 4, 161)] * 2), axis=-1).reshape(-1, 2)
    samples = surface.point(grid)
    for query, distance_ in zip(at.reshape(-1, 3)[::7], found.distance.reshape(-1)[::7], strict=True):
        assert distance_ <= np.linalg.norm(samples - query, axis=1).min() + 1e-9
    forget()
    plain = distance(surface, at[:10, 1], tolerance=1e-6)
    assert (found.distance[:10, 1] >= plain.lower - 1e-12).all()
    assert (found.distance[:10, 1] <= plain.upper + 1e-9).all()


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
