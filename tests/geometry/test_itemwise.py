"""Dask arrays of queries: lazy, by blocks, one evaluation an iteration, and what NumPy finds."""

import numpy as np
import pytest

from geometry import (
    Descent,
    FunctionGraph,
    GaussNewton,
    LevelSet,
    MultiStart,
    Newton,
    Sampling,
    distance,
    distance_gradient,
    medial_radius,
    offset_function,
    project,
    reachable,
    signed_distance,
)
from rbo_ref import RollingBall, trajectory

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

WAVE = FunctionGraph(lambda t: (t**2).sum(-1) / 2 + t[..., 0] ** 3 / 9, name="wave", compile=False)
SPHERE = LevelSet(lambda x: (x**2).sum(-1) - 1)
POINTS = np.random.default_rng(0).normal(size=(6, 3))
THETA = POINTS[:, :2]
BALL = RollingBall(0.1, 0.4)
VERBS = {
    "distance": lambda q: distance(WAVE, q),
    "GaussNewton": lambda q: distance(WAVE, q, GaussNewton()),
    "Newton-CG": lambda q: distance(WAVE, q, Newton(matrix=False)),
    "Descent": lambda q: distance(WAVE, q, Descent(0.1, 4)),
    "MultiStart": lambda q: distance(WAVE, q, MultiStart(starts=3)),
    "signed_distance": lambda q: signed_distance(WAVE, q),
    "distance_gradient": lambda q: distance_gradient(WAVE, q),
    "foot": lambda q: project(WAVE, q, start=np.zeros(2) if isinstance(q, np.ndarray) else da.zeros(2)).theta,
    "status": lambda q: project(WAVE, q).status,
    "of a level set": lambda q: distance(SPHERE, q),
    "curvatures": lambda q: WAVE.curvatures(q[..., :2]),
    "offset_function": lambda q: offset_function(WAVE, q[..., :2], abs(q[..., 2]), samples=256),
    "medial_radius": lambda q: medial_radius(WAVE, q[..., :2], samples=384),
    "reachable": lambda q: reachable(WAVE, q[..., :2], 0.5),
    "step": lambda q: BALL.step(WAVE, q[..., :2]).theta,
    "trajectory": lambda q: trajectory(BALL, WAVE, q[..., :2], 2).height,
}


def refuse(*_, **__):
    raise AssertionError("computed")


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
@pytest.mark.parametrize("shape", [(6,), (2, 3), ()], ids=str)
def test_blocks_are_what_numpy_finds_and_nothing_is_computed_at_the_call(verb, shape):
    queries = POINTS[: int(np.prod(shape))].reshape(*shape, 3)
    with dask.config.set(scheduler=refuse):
        lazy = verb(da.from_array(queries, chunks=(*((2,) * len(shape)), 2)))
    expected = verb(queries)
    assert isinstance(lazy, da.Array)
    assert lazy.shape == expected.shape
    with dask.config.set(scheduler="synchronous"):
        found = lazy.compute()
    assert found.dtype == lazy.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


def test_one_evaluation_an_iteration():
    """Each block of queries takes as many evaluations as NumPy takes for it, whatever is asked of the footpoints."""
    calls = []

    def pair(t):
        calls.append(t.shape)
        return (t**2).sum(-1) / 2, t

    bowl = FunctionGraph.from_value_and_gradient(pair)
    feet = project(bowl, da.from_array(POINTS, chunks=(2, 3)))
    assert not calls
    with dask.config.set(scheduler="synchronous"):
        dask.compute(feet.theta, feet.distance, feet.status, feet.steps, feet.residual)
    lazily = len(calls)
    calls.clear()
    for block in np.split(POINTS, 3):
        project(bowl, block)
    assert lazily == len(calls) > 3


def test_sampling_looks_around_each_block():
    with dask.config.set(scheduler=refuse):
        lazy = distance(WAVE, da.from_array(POINTS, chunks=(2, 3)), Sampling(samples=500))
    with dask.config.set(scheduler="synchronous"):
        np.testing.assert_allclose(lazy, distance(WAVE, POINTS, Sampling(samples=500)), rtol=1e-9)


def test_blocks_of_unknown_size_are_refused():
    queries = da.from_array(POINTS, chunks=(2, 3))
    with pytest.raises(ValueError, match=r"points has chunks of unknown size; call points.compute_chunk_sizes"):
        project(WAVE, queries[queries[:, 0] > 0])
