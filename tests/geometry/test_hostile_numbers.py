"""Numbers that no formula likes: never an exception or a warning, and never a trace of them at the neighbours."""

import numpy as np
import pytest

from geometry import (
    GaussNewton,
    MultiStart,
    Newton,
    Sampling,
    Status,
    dilate,
    erode,
    opening,
    project,
    reachable_samples,
)
from rbo_ref import landscapes
from tests.geometry.every_verb import AT_PARAMETERS, AT_POINTS, BAD, SURFACES, answered, items

pytestmark = pytest.mark.filterwarnings("error")


def spoilt(good):
    """Good items, (m, n), and the same with every second one replaced: one number of it, or all."""
    n = good.shape[-1]
    where = [(bad, columns) for bad in BAD for columns in ([0], [n - 1], range(n))]
    plain = np.resize(good, (2 * len(where) + 1, n))
    hostile = plain.copy()
    for i, (bad, columns) in enumerate(where):
        hostile[2 * i + 1, list(columns)] = bad
    return plain, hostile


def check_neighbours(name, verb, surface, good):
    plain, hostile = spoilt(good)
    expected = answered(verb, surface, plain)
    if expected is None:
        return False
    before = hostile.copy()
    found = items(verb(surface, hostile))
    np.testing.assert_array_equal(hostile, before)
    for array, same in zip(found, expected, strict=True):
        assert array.dtype == same.dtype
        if "sampling" not in name:  # whose samples are spread for all queries of a call
            np.testing.assert_array_equal(array[::2], same[::2], err_msg=name)
    if name.startswith("project"):
        check_feet(hostile, found)
    return True


def check_feet(query, found):
    """What is told of footpoints agrees with itself, and is finite where it is called converged."""
    _, point, normal, away, _, _, status = found
    fine = status == Status.CONVERGED
    assert np.isfinite(query[fine]).all()
    apart, normal = (query[fine] - point[fine]).T, normal[fine]
    size = np.abs(apart).max(0, initial=1e-300)
    np.testing.assert_allclose(away[fine], size * np.linalg.norm(apart / size, axis=0), rtol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(normal, axis=-1), 1, rtol=1e-12)


REPEATED = "reachable"  # compares a number with what medial_radius says


@pytest.mark.parametrize("kind", SURFACES)
def test_no_number_spoils_its_neighbours(kind):
    surface, theta, points = SURFACES[kind]
    asked = [check_neighbours(name, verb, surface, theta) for name, verb in AT_PARAMETERS.items() if name != REPEATED]
    asked += [check_neighbours(name, verb, surface, points) for name, verb in AT_POINTS.items()]
    assert sum(asked) > 10


AXES = [(1e300, 1e-300), (1e-300, 1e300), (1e300, 1e300), (1e-300, 1e-300), (1e308, 5e-324), (5e-324, 1e308)]


@pytest.mark.parametrize("axes", AXES, ids=str)
@pytest.mark.parametrize("boundary", ["none", "periodic"])
@pytest.mark.parametrize("shape", [(5,), (3, 4)])
def test_balls_of_any_semi_axes(shape, boundary, axes):
    """So much wider than the grid the ball is flat; so much narrower it sees one sample."""
    heights = np.random.default_rng(0).normal(size=shape)
    wide, high = axes
    semi = (wide,) * len(shape) + (high,)
    seen = np.full(shape, heights.max()) if wide > 1 else heights
    np.testing.assert_allclose(dilate(heights, semi, boundary=boundary), seen + high, rtol=1e-15)
    low = np.full(shape, heights.min()) if wide > 1 else heights
    np.testing.assert_allclose(erode(heights, semi, boundary=boundary), low - high, rtol=1e-15)
    if high < 1:
        np.testing.assert_allclose(opening(heights, semi, boundary=boundary), low, rtol=1e-15)


def test_a_ball_larger_than_a_period_needs_no_copies_of_it():
    heights = np.random.default_rng(2).normal(size=7)
    near, far = (reachable_samples(heights, radius, boundary="periodic") for radius in (30.0, 1e9))
    assert far[heights.argmax()]
    assert (near | ~far).all()


@pytest.mark.parametrize(("step", "wide"), [(1e-300, 1e-300), (1e-200, 3e-200), (1e300, 3e300), (7e-310, 7e-310)])
def test_scales_of_a_grid_do_not_matter(step, wide):
    """A ball of 1, or of 3, samples, whatever it is measured in."""
    heights = np.random.default_rng(1).normal(size=9)
    usual = dilate(heights, (wide / step, 1.5))
    np.testing.assert_allclose(dilate(heights, (wide, 1.5), spacing=step), usual, rtol=1e-13)


FAR = [(1e20, np.float32), (1e38, np.float32), (1e155, np.float64), (1e160, np.float64), (1e300, np.float64)]


@pytest.mark.parametrize("solver", [None, GaussNewton(), Newton(matrix=False), MultiStart(starts=4), Sampling(64)])
def test_never_farther_than_the_start(solver):
    """Where squares overflow: the start is at (0, 0), and no point of the sine is nearer than its crest."""
    for far, dtype in FAR:
        found = project(landscapes.sine(), np.array([[0, far], [0.0, -far], [0.3, 0.9]], dtype), solver)
        assert found.distance.dtype == dtype
        noise = 1 + 100 * np.finfo(dtype).eps
        assert (found.distance[:2] <= dtype(far) * noise).all()
        assert (found.distance[:2] >= dtype(far) / noise).all()
        assert found.converged[2]
