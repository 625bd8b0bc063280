"""Searches compiled with a recorded function against those on arrays, which are their specification."""

from __future__ import annotations

import numpy as np
import pytest

from geometry import FunctionGraph, GaussNewton, MultiStart, Newton, Status, distance, project
from geometry._kernels import kernel

pytestmark = pytest.mark.skipif(kernel("search", np) is None, reason="numba cannot compile here")


def ripples(t):
    return np.sum(np.sin(np.arange(1.0, 13.0) ** 2 * t[..., :1]) / np.arange(1.0, 13.0) ** 2, axis=-1)


def wave(t):
    """No sum, so that many queries are searched for side by side."""
    x = t[..., 0]
    return np.sin(3 * x) + np.exp(x / 4) + np.maximum(x, 0) ** 3 / 9


def valley(t):
    x, y, z = t[..., 0], t[..., 1], t[..., 2]
    return (1 - x) ** 2 / 2 + (y - x**2) ** 2 + np.cosh(z) * np.exp(-(x**2))


FUNCTIONS = {"ripples": (ripples, 1), "wave": (wave, 1), "valley": (valley, 3)}
each_function = pytest.mark.parametrize("name", FUNCTIONS)


@pytest.fixture(scope="module")
def pairs():
    """Each function as a surface whose searches are compiled, and as one whose searches run on arrays."""
    return {
        name: (FunctionGraph(f, compile=True, name=name), FunctionGraph(f, compile=False, name=name))
        for name, (f, _) in FUNCTIONS.items()
    }


def queries(surface, d, count=400):
    """Near the surface on both sides, beyond focal points, far away."""
    rng = np.random.default_rng(d)
    theta = rng.normal(size=(count, d))
    away = rng.choice([-3.0, -0.2, 0.0, 0.01, 0.5, 2.0, 30.0], size=count)
    return surface.point(theta) + away[:, None] * surface.normal(theta), theta


@each_function
@pytest.mark.parametrize("kind", [Newton, GaussNewton])
@pytest.mark.parametrize("steps", [0, 1, 2, 4])
def test_the_same_steps(pairs, name, kind, steps):
    """Step by step every search is the same; rounding differs, and a step enlarges that at most a hundredfold here."""
    compiled, arrays = pairs[name]
    points, start = queries(arrays, FUNCTIONS[name][1])
    found, truth = (
        project(surface, points, kind(max_steps=steps), start=start + 0.05) for surface in (compiled, arrays)
    )
    np.testing.assert_array_equal(found.steps, truth.steps)
    np.testing.assert_array_equal(found.status, truth.status)
    room = 2.0**-52 * 100.0 ** (steps + 1) * (1 + np.abs(truth.theta))
    assert (np.abs(found.theta - truth.theta) <= room).all()


@each_function
@pytest.mark.parametrize("solver", [Newton(), GaussNewton(), GaussNewton(tolerance=1e-3)], ids=str)
def test_no_search_ends_farther_than_its_start(pairs, name, solver):
    compiled, arrays = pairs[name]
    points, start = queries(arrays, FUNCTIONS[name][1])
    found = project(compiled, points, solver, start=start + 0.05)
    assert (found.distance <= distance_to(arrays, start + 0.05, points) * (1 + 1e-14)).all()
    np.testing.assert_allclose(found.point[..., -1], arrays.value(found.theta), rtol=1e-12, atol=1e-12)


def distance_to(surface, theta, points):
    """Without squares, which overflow."""
    return np.hypot.reduce(surface.point(theta) - points, axis=-1)


@each_function
def test_converged_footpoints_are_footpoints(pairs, name):
    """The query lies on the normal there, and no point nearby is nearer."""
    compiled, arrays = pairs[name]
    points, start = queries(arrays, FUNCTIONS[name][1])
    foot = project(compiled, points, start=start + 0.05)
    assert foot.converged.mean() >= 0.99
    theta, points = foot.theta[foot.converged], points[foot.converged]
    tangential = (points[:, :-1] - theta) + (points[:, -1] - arrays.value(theta))[:, None] * arrays.gradient(theta)
    slope = np.linalg.norm(arrays.gradient(theta), axis=-1)
    size = 1 + np.abs(points).max(-1) + slope
    assert (np.linalg.norm(tangential, axis=-1) / np.hypot(1, slope) <= 1e-10 * size).all()
    near = theta + 1e-5 * np.random.default_rng(0).normal(size=(20, *theta.shape))
    around = np.linalg.norm(arrays.point(near) - points, axis=-1)
    assert (around >= distance_to(arrays, theta, points) * (1 - 1e-12)).all()


@pytest.mark.parametrize("name", ["ripples", "wave"])
def test_trouble_is_a_status(pairs, name):
    compiled, arrays = pairs[name]
    points = np.array(
        [[0.3, np.inf], [np.nan, 1.0], [0.3, 1e200], [1e200, 0.0], [0.3, 0.0], [-np.inf, 1.0], [0.0, 0.0]]
    )
    start = np.array([[0.3], [0.3], [0.3], [0.3], [np.nan], [0.3], [0.0]])
    for solver in (Newton(), GaussNewton()):
        found, truth = (project(surface, points, solver, start=start) for surface in (compiled, arrays))
        known = [0, 1, 2, 4, 5, 6]  # at 1e200 the phase of a sine is noise, and so is where a search ends
        np.testing.assert_array_equal(found.status[known], truth.status[known])
        assert found.status[[0, 1, 4, 5]].tolist() == [Status.NOT_FINITE] * 4
        assert (found.distance[2:4] <= distance_to(arrays, start[2:4], points[2:4]) * (1 + 64 * 2.0**-52)).all()


def test_a_maximum_of_the_distance_is_left(pairs):
    """Above a focal point, where the gradient of the distance vanishes."""
    bowl = FunctionGraph(lambda t: np.sum(t**2, axis=-1) / 2, compile=True)
    foot = project(bowl, [[0.0, 0.0, 0.0, 3.0]], start=[[0.0, 0.0, 0.0]])
    assert foot.converged.all()
    np.testing.assert_allclose(foot.distance, np.sqrt(5.0))  # of (0, 3) to the parabola: θ² = 2(3 − 1)


@pytest.mark.parametrize("name", ["wave", "valley"])
def test_the_same_bits_for_any_number_of_threads_and_in_any_company(pairs, name):
    compiled, arrays = pairs[name]
    points, start = queries(arrays, FUNCTIONS[name][1])
    whole = project(compiled, points, start=start)
    alone = [project(compiled, points[i], start=start[i]) for i in range(0, 400, 37)]
    np.testing.assert_array_equal(np.stack([foot.theta for foot in alone]), whole.theta[::37])
    run = kernel("search", np)
    expression = compiled.to_compile(start)
    results = [run(expression, points, start, True, None, 100, workers=workers) for workers in (1, 2, 5)]
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_other_verbs_rest_on_it(pairs):
    compiled, arrays = pairs["ripples"]
    points, _ = queries(arrays, 1, 50)
    np.testing.assert_allclose(distance(compiled, points), distance(arrays, points), rtol=1e-9, atol=1e-12)
    many = MultiStart(starts=8)
    assert (distance(compiled, points, many) <= distance(compiled, points) + 1e-12).all()
    shaped = project(compiled, points.reshape(5, 10, 2))
    assert shaped.theta.shape == (5, 10, 1)
    assert shaped.status.shape == (5, 10)
    assert project(compiled, points[:0]).theta.shape == (0, 1)


def test_many_variables_run_on_arrays():
    surface = FunctionGraph(lambda t: np.sum(t**4, axis=-1), compile=True)
    assert surface.to_compile(np.ones((2, 7))) is None
    assert project(surface, np.ones(8)).converged
