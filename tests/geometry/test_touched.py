"""Which samples of an image a ball can touch with its centre anywhere: Qhull, closed forms, and lines."""

import math

import numpy as np
import pytest
from scipy.spatial import HalfspaceIntersection

from geometry import dilate, reachable_samples
from geometry._kernels import caps
from geometry._touching import _offsets, touched_in_plane

INF = math.inf


def random_images(count):
    """Heights of few samples, with holes or walls, and radii."""
    rng = np.random.default_rng(0)
    for number in range(count):
        n, radius = int(rng.integers(3, 7)), float(rng.uniform(0.6, 3))
        f = rng.normal(size=(n, n)) * 10 ** rng.uniform(-1.5, 0.7)
        if number % 3:
            f[rng.random(f.shape) < 0.15] = INF if number % 3 == 1 else -INF
        yield f, radius


def farthest(f, place, radius):
    """How large a ball touches a sample from above, in radii, by the polyhedron of Qhull; columns are many points."""
    samples = [other for other in np.ndindex(*f.shape) if other != place and f[other] > -INF]
    points = []
    for other in samples:
        away, rise = np.subtract(other, place) / radius, (f[other] - f[place]) / radius
        below = np.linspace(0, min(rise, 2.5), 40) if rise > 0 else [rise]
        points += [(*away, height) for height in below]
    points = np.array(points)
    sizes = np.linalg.norm(points, axis=1, keepdims=True)
    walls = np.array([[0, 0, -1, 0], [0, 0, 1, -4], [1, 0, 0, -4], [-1, 0, 0, -4], [0, 1, 0, -4], [0, -1, 0, -4]])
    sides = np.concatenate([np.hstack([points / sizes, -sizes]), walls])
    corners = HalfspaceIntersection(sides, np.array([0.0, 0.0, 1e-4])).intersections
    return np.linalg.norm(corners, axis=1).max() / 2


def test_a_sample_is_touched_if_a_ball_rests_on_it():
    """Where a ball larger or smaller by 2 % does not tell otherwise."""
    seen = []
    for f, radius in random_images(5):
        found = reachable_samples(f, radius)
        for place in np.argwhere(np.isfinite(f)).tolist():
            size = farthest(f, tuple(place), radius)
            if abs(size - 1) > 0.02:
                assert found[tuple(place)] == (size > 1)
                seen.append(size > 1)
        assert not found[~np.isfinite(f)].any()
    assert 8 <= sum(seen) <= len(seen) - 8


def test_uncompiled():
    for f, radius in random_images(1):
        found, steps = np.zeros(f.shape, dtype=bool), np.ones(2) / radius
        caps.touched(f / radius, _offsets(steps, f.shape), steps, found, 0, len(f))
        compiled = touched_in_plane(f[None], np.ones(2), radius, np.zeros((1, *f.shape), dtype=bool))[0]
        np.testing.assert_array_equal(found, compiled)
        np.testing.assert_array_equal(reachable_samples(f, radius), compiled)


@pytest.mark.parametrize("radius", [1.5, 3.0, 50.0])
def test_the_ground_of_a_pit(radius):
    """A ball on the four samples around sinks by ρ − √(ρ² − h²). From below its ground is always touched."""
    sag = radius - math.sqrt(radius**2 - 1)
    for depth, reached in ((0.999 * sag, True), (1.001 * sag, False)):
        f = np.zeros((7, 7))
        f[3, 3] = -depth
        touched = reachable_samples(f, radius)
        assert touched[3, 3] == reached
        assert np.delete(touched.ravel(), 24).all()
        assert reachable_samples(f, radius, side="below")[3, 3]


def test_a_bowl_is_touched_by_smaller_balls_only():
    theta = 0.2 * (np.indices((21, 21)) - 10)
    bowl = -np.sqrt(16 - (theta**2).sum(axis=0))
    assert reachable_samples(bowl, 3.9, spacing=0.2)[5:16, 5:16].all()
    assert not reachable_samples(bowl, 4.5, spacing=0.2)[5:16, 5:16].any()


def test_a_groove_of_many_rows_is_a_profile():
    profile = np.array([0.0, 0.1, 0.0, -0.6, -1.0, -0.6, 0.0, 0.3, 0.0, 0.0])
    rows = np.broadcast_to(profile, (61, 10))
    for radius in (0.7, 1.6, 2.5):
        found = reachable_samples(rows, radius, spacing=(0.1, 1.0))
        np.testing.assert_array_equal(found[30], reachable_samples(profile, radius))


def test_contacts_of_a_dilation_periods_and_batches(backend):
    images = np.random.default_rng(1).normal(size=(2, 9, 8))
    options = {"boundary": "periodic", "axes": (1, 2), "spacing": (1.0, 0.5)}
    found = backend.to_numpy(reachable_samples(backend.asarray(images), 2.0, **options))
    assert found.reshape(-1)[dilate(images, 2.0, return_contact=True, **options)[1]].all()
    assert not found.all()
    for item, touched in zip(images, found, strict=True):
        rolled = reachable_samples(np.roll(item, (4, 3), (0, 1)), 2.0, boundary="periodic", spacing=(1.0, 0.5))
        np.testing.assert_array_equal(rolled, np.roll(touched, (4, 3), (0, 1)))


@pytest.mark.parametrize("uncompiled", [False, True])
@pytest.mark.parametrize(
    ("radius", "spacing"),
    [(1e-300, 1e300), (1e300, 1e-300), (1e300, 1.0), ((1e300, 1e-300), 1.0), ((1e300, 1e300), 1e-300), (1e308, 1.0)],
)
def test_balls_of_any_size(monkeypatch, radius, spacing, uncompiled):
    if uncompiled:
        monkeypatch.setattr("geometry._touching.kernel", lambda *_: None)
    for heights, tiny_alone in (([0.0] * 5, 0), ([9.0, 0.0, 9.0], 1)):  # how many samples only a tiny ball touches
        touched = reachable_samples(np.array(heights), radius, spacing=spacing)
        assert np.sum(~touched) == (tiny_alone if np.max(radius) >= 1e300 else 0)
