"""The search by samples, against certified distances and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from geometry import FunctionGraph, LevelSet, Newton, Sampling, Status, offset, project
from geometry._spread import kronecker
from geometry.certified import distance
from rbo_ref import landscapes
from tests.geometry import surfaces


def test_never_below_the_proven_bound_and_mostly_right():
    surface = landscapes.wrinkled(30)
    points = offset(surface, np.random.default_rng(0).uniform(-5, 5, (200, 1)), 1.0)
    proven = distance(surface, points, tolerance=1e-7)
    sampled, local = (project(surface, points, s).distance for s in (Sampling(2**14), Newton()))
    assert (sampled >= proven.lower - 1e-12).all()
    right = sampled <= proven.upper + 1e-6
    assert right.mean() > 0.95
    assert right.sum() > 2 * (local <= proven.upper + 1e-6).sum()  # which looks at one basin


@pytest.mark.parametrize("d", [1, 2, 3])
def test_around_the_axis_of_a_paraboloid(d):
    """The distance of (0, h), h > 1/k, is √(2h/k − 1/k²); from the axis a local solver may stay there."""
    points = np.append(np.zeros(d), 3.0)
    foot = project(landscapes.paraboloid(2.0), points, Sampling(2**10))
    assert foot.distance == pytest.approx(np.sqrt(3 - 0.25), rel=1e-9)


def test_items_that_are_not_finite_say_so():
    foot = project(surfaces.sine(), [[0.0, np.nan], [0.0, 2.0]], Sampling(100))
    assert [Status(int(s)).name for s in foot.status] == ["NOT_FINITE", "CONVERGED"]
    assert project(surfaces.sine(), [0.0, np.nan], Sampling(100)).status == Status.NOT_FINITE


def test_huge_queries_spoil_no_other():
    """Neither an exception, nor a box so wide that the samples miss the valleys of the others."""
    query = np.array([[0.5, 1.0], [np.inf, 1.0], [1.0, -np.inf], [1e308, 1.0], [0.0, 1e160], [0.0, -1e308]])
    found = project(surfaces.sine(), query, Sampling(samples=1000))
    assert list(found.status[1:3]) == [Status.NOT_FINITE] * 2
    alone = project(surfaces.sine(), query[:1], Sampling(samples=1000))
    np.testing.assert_array_equal(found.theta[0], alone.theta[0])
    assert (found.distance[3:] <= np.array([2.0, 1e160, 1e308])).all()


def test_where_the_surface_is_not_defined_there_are_no_samples():
    half = FunctionGraph(
        lambda t: np.sqrt(t[..., 0]), lambda t: 0.5 / np.sqrt(t), lambda t: (-0.25 * t**-1.5)[..., None]
    )
    with np.errstate(all="ignore"):
        foot = project(half, [1.0, 2.0], Sampling(1000))
    assert distance(half, [1.0, 2.0]).upper == pytest.approx(float(foot.distance), abs=1e-6)


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_samples_are_even(d):
    """Of n samples, every box of volume 16/n or more in a regular grid holds one."""
    n = 4096
    samples = kronecker(d, 1, n + 1)
    assert ((samples >= 0) & (samples < 1)).all()
    side = int((n / 16) ** (1 / d))
    cells = np.ravel_multi_index(tuple((samples.T * side).astype(int)), (side,) * d)
    assert len(np.unique(cells)) == side**d


def test_results_in_the_library_of_the_query(backend):
    if backend.jit(abs) is not abs or not backend.writeable:
        pytest.skip("a search on the processor cannot be compiled")
    xp = backend.xp
    wave = FunctionGraph(lambda t: xp.sin(t[..., 0]), xp.cos)
    foot = project(wave, backend.asarray([[-1.0, 3.0]]), Sampling(1000))
    assert type(foot.theta) is type(backend.asarray([0.0]))


@pytest.mark.parametrize("name", ["samples", "candidates"])
def test_wrong_arguments_are_named(name):
    with pytest.raises(ValueError, match=name):
        Sampling(**{name: 0})


def test_level_sets_are_for_others():
    circle = LevelSet(lambda x: np.sum(x**2, axis=-1) - 1, lambda x: 2 * x)
    with pytest.raises(TypeError, match="FunctionGraph"):
        project(circle, [1.0, 2.0], Sampling())


@pytest.mark.filterwarnings("ignore:Dynamo detected:UserWarning")
def test_a_compiler_that_cannot_follow_is_told_so():
    torch = pytest.importorskip("torch")
    wave = FunctionGraph(lambda t: torch.sin(t[..., 0]))

    def sampled(query):
        return project(wave, query, Sampling(64)).distance

    with pytest.raises(Exception, match="Sampling looks samples up on the processor"):
        torch.compile(sampled, fullgraph=True, backend="eager")(torch.tensor([[0.5, 2.0]], dtype=torch.float64))
