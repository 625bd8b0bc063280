"""Footpoints on kinks: what is called converged is a minimum of the distance, held to closed forms and to samples."""

from __future__ import annotations

import array_api_compat
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from geometry import FunctionGraph, GaussNewton, LevelSet, MultiStart, Newton, Parametric, Sampling, Status, project
from geometry._beside import aside, ways
from geometry._kernels import kernel
from geometry.expressions import record

SLOPE = 0.75
ABOVE, BELOW, BEYOND, UPON = [0.0, 1.0], [0.0, -1.0], [0.3, 1.0], [0.0, 0.0]
DISTANCES = {"above": (ABOVE, 0.8), "below": (BELOW, 1.0), "beyond": (BEYOND, 0.62), "upon": (UPON, 0.0)}
"""Of queries to the wedge y = ¾|x|: its sides are lines of slope ¾, and its tip is nearest to what is below."""
SOLVERS = [Newton(), Newton(matrix=False), GaussNewton(), MultiStart(starts=4), Sampling()]


def wedge(t):
    xp = array_api_compat.array_namespace(t)
    return SLOPE * xp.abs(t[..., 0])


def wedge_along(t):
    xp = array_api_compat.array_namespace(t)
    return xp.stack([t[..., 0], SLOPE * xp.abs(t[..., 0])], axis=-1)


def above_wedge(x):
    xp = array_api_compat.array_namespace(x)
    return x[..., 1] - SLOPE * xp.abs(x[..., 0])


SURFACES = {
    "graph": FunctionGraph(wedge, compile=False),
    "compiled": FunctionGraph(wedge, compile=True),
    "by hand": FunctionGraph(wedge, lambda t: SLOPE * np.sign(t), lambda t: 0 * t[..., None]),
    "unseen": FunctionGraph.from_value_and_gradient(lambda t: (wedge(t), SLOPE * np.sign(t))),
    "level set": LevelSet(above_wedge),
    "parameters": Parametric(wedge_along, box=[(-4.0, 4.0)]),
}


@pytest.mark.parametrize("query", DISTANCES)
@pytest.mark.parametrize("solver", SOLVERS, ids=repr)
@pytest.mark.parametrize("kind", SURFACES)
def test_the_distance_to_a_wedge(kind, solver, query):
    surface, (place, truth) = SURFACES[kind], DISTANCES[query]
    if kind == "compiled" and kernel("search", np) is None:
        pytest.skip("numba cannot compile here")
    if kind == "unseen" and isinstance(solver, Newton | Sampling):
        pytest.skip("needs a Hessian")
    if kind in ("level set", "parameters") and (solver == Newton(matrix=False) or isinstance(solver, Sampling)):
        pytest.skip("the same, or not for this kind")
    foot = project(surface, place, solver)
    assert foot.converged
    assert_allclose(foot.distance, truth, rtol=0, atol=1e-11)


FOLDS = {
    "across": lambda t: 0.75 * np.abs(t[..., 0]) + t[..., 1] ** 2 / 2,
    "slanted": lambda t: 0.75 * np.abs(t[..., 0] - t[..., 1]) + 0.1 * (t[..., 0] + t[..., 1]) ** 2,
    "saddle": lambda t: 0.75 * (np.abs(t[..., 0]) - np.abs(t[..., 1])),
    "tent": lambda t: -np.maximum(np.abs(t[..., 0]), np.abs(t[..., 1])),
    "pit": lambda t: np.maximum(t[..., 0], 0.5 * np.abs(t[..., 1])) + t[..., 0] ** 2,
    "smooth": lambda t: np.cos(t[..., 0]) * np.cos(t[..., 1]),
}
STARTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.5, -0.5], [0.25, 0.0]])
OFFSETS = np.stack(np.meshgrid(*2 * [np.linspace(-1e-2, 1e-2, 41)]), axis=-1).reshape(-1, 2)


@pytest.mark.parametrize(
    "compiled", [False, pytest.param(True, marks=pytest.mark.skipif(kernel("search", np) is None, reason="no numba"))]
)
@pytest.mark.parametrize("solver", SOLVERS[:3], ids=repr)
@pytest.mark.parametrize("name", FOLDS)
def test_no_sample_beside_a_converged_footpoint_is_nearer(name, solver, compiled):
    f = FOLDS[name]
    queries = np.concatenate([STARTS, np.array([[1.0], [-1.0], [1.0], [-2.0], [2.0]])], axis=-1)
    queries = np.concatenate([queries, np.concatenate([0 * STARTS, queries[:, 2:]], axis=-1)])
    foot = project(FunctionGraph(f, compile=compiled), queries, solver, start=np.concatenate([STARTS, STARTS]))
    beside = foot.theta[:, None, :] + OFFSETS
    seen = np.linalg.norm(queries[:, None, :] - np.concatenate([beside, f(beside)[..., None]], -1), axis=-1)
    assert (seen.min(axis=1) >= foot.distance - 1e-11)[foot.converged].all()
    assert foot.converged.sum() >= {"saddle": 4, "pit": 5}.get(name, 6)


@pytest.mark.parametrize("library", ["torch", "jax", "array_api_strict"])
def test_the_same_statuses_on_other_libraries(library):
    pytest.importorskip(library)
    if library == "jax":
        import jax

        xp, run = jax.numpy, jax.jit(lambda q: _told(project(FunctionGraph(wedge), q, Newton())))
    else:
        xp = pytest.importorskip(f"array_api_compat.{library}") if library == "torch" else pytest.importorskip(library)
        gradient = None if library == "torch" else (lambda t: SLOPE * xp.sign(t))
        surface = FunctionGraph(wedge, gradient, lambda t: 0 * t[..., None])
        run = lambda q: _told(project(surface, q, Newton()))  # noqa: E731
    queries = np.asarray([place for place, _ in DISTANCES.values()])
    distances, status = run(xp.asarray(queries))
    assert_allclose(np.asarray(distances, dtype=float), [truth for _, truth in DISTANCES.values()], rtol=0, atol=1e-6)
    smooth = [True, library != "jax", True, True]  # of |x| the derivative at 0 is 1 to JAX, and no point stationary
    assert_array_equal(np.asarray(status)[smooth], int(Status.CONVERGED))


def _told(foot):
    return foot.distance, foot.status


def test_a_maximum_that_gauss_and_newton_cannot_tell_is_left():
    """Over the valley of a sine at 1 + 2 times its radius of curvature the bottom is the farthest point around."""
    wave, query = FunctionGraph(lambda t: np.sin(t[..., 0])), [-np.pi / 2, 1.0]
    foot, truth = project(wave, query, GaussNewton()), project(wave, query, Newton())
    assert foot.converged
    assert foot.steps > 0
    assert_allclose(foot.distance, truth.distance, rtol=0, atol=1e-11)


def test_a_smooth_function_costs_nothing():
    calls = []

    def value(t):
        calls.append(t.shape)
        return np.sin(t[..., 0])

    surface = FunctionGraph(value, np.cos, lambda t: -np.sin(t)[..., None], compile=False)
    project(surface, np.zeros((5, 2)), Newton())
    recorded = len(calls)
    foot = project(surface, np.zeros((5, 2)), Newton())
    assert len(calls) - recorded == 1 + foot.steps.max()


@pytest.mark.parametrize(
    ("function", "smooth"),
    [
        (lambda t: np.sum(np.sin(t) ** 2 / (1 + np.exp(t)) + t**-3, axis=-1), True),
        (lambda t: np.sum(np.tanh(t), axis=-1) ** 2, True),
        (lambda t: np.abs(t[..., 0]), False),
        (lambda t: np.maximum(t[..., 0], 0.0), False),
        (lambda t: np.max(t, axis=-1), False),
        (lambda t: np.where(t[..., 0] > 0, t[..., 0], 2 * t[..., 1]), False),
        (lambda t: np.sqrt(t[..., 0]), False),
        (lambda t: np.hypot(t[..., 0], t[..., 1]), False),
        (lambda t: t[..., 0] ** 1.5, False),
        (lambda t: np.floor(t[..., 0]), False),
    ],
)
def test_a_recording_tells_whether_there_may_be_kinks(function, smooth):
    assert record(function, 2).is_smooth is smooth


@pytest.mark.parametrize("d", [1, 2, 3, 7, 40])
def test_the_ways_are_orthonormal_and_cross_every_coordinate_plane(d):
    found = ways(np.zeros(d), d)
    half = len(found) // 2
    assert half == (d + d**2 if d <= 6 else 6)
    assert_array_equal(found[half:], -found[:half])
    assert_allclose(np.linalg.norm(found, axis=-1), 1, rtol=1e-14)
    crossing = found[: min(d, 6)]
    assert_allclose(crossing @ crossing.T, np.eye(len(crossing)), rtol=0, atol=1e-14)
    assert (np.abs(crossing) > 1e-3 / d).all()


def test_where_rounding_hides_all_nothing_is_looked_at():
    one = np.ones(3)
    far, tells = aside(np.array([1.0, 1e-12, 0.0]), 1e-15 * one, one, one)
    assert_array_equal(tells, [True, False, False])
    assert 1e-6 < far[0] < 1e-5
