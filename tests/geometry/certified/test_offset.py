"""The offset function against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import lambertw

from geometry import FunctionGraph
from geometry import offset_function as sampled
from geometry.certified import offset_function
from rbo_ref import landscapes
from tests.geometry import surfaces
from tests.geometry.certified.truths import holds

DROP = {  # ρ: 1 + ρ − f_ρ(−π/2) of the sine wave
    1.1: 1.99636371078797807, 1.5: 1.92084985581264225, 2: 1.74167003662809628, 3: 1.34769520375891753,
    5: 0.868529054387585614, 10: 0.456892248821957107, 30: 0.159580116133504938, 100: 0.0488710952180324313,
    1000: 0.00492988445178681416,
}  # fmt: skip


def close(truth):
    """Truths rounded to floats."""
    return truth - 4e-16 * np.abs(truth) - 1e-15, truth + 4e-16 * np.abs(truth) + 1e-15


def test_valleys_of_the_sine_wave():
    radius = np.array(list(DROP))
    found = offset_function(surfaces.sine(), [-np.pi / 2], radius, tolerance=1e-9)
    assert found.closed.all()
    assert holds(found, *close(1 + radius - np.array(list(DROP.values()))))


def test_what_overflows_on_the_way_is_not_undefined():
    """Exponentials that cancel are 0, however large: a sum of ten is as honest as a difference."""
    nothing = FunctionGraph(
        lambda t: np.stack([*[np.exp(t[..., 0] ** 2)] * 9, -9 * np.exp(t[..., 0] ** 2)], -1).sum(-1)
    )
    found = offset_function(nothing, [30.0], 0.5, max_boxes=50)
    assert holds(found, 0.5)
    assert not found.closed


def test_balls_that_are_too_large_for_a_search():
    found = offset_function(surfaces.sine(), [0.0], [1e200, 1.7e308])
    assert holds(found, [1e200, 1.7e308])
    assert not found.closed.any()


@pytest.mark.parametrize("d", [1, 2])
def test_gaussian_well(d):
    radius = np.array([0.5, 1.5, 2, 3, 5])
    u = radius**2 - lambertw(np.exp(radius**2)).real
    truth = np.where(radius <= 1, radius - 1, 2 * np.sinh(u / 2))
    found = offset_function(landscapes.gaussian_well(), np.zeros(d), radius, tolerance=1e-6)
    assert found.closed.all()
    assert holds(found, truth - 1e-12, truth + 1e-12)  # of Lambert's W by SciPy


@pytest.mark.parametrize("d", [1, 2, 3])
def test_paraboloid_cone_cap_and_plane(d):
    def cone(slope):
        return FunctionGraph(lambda t: slope * np.sqrt((t**2).sum(-1)))

    rho, here, there = 2.0, np.zeros(d), np.full(d, 0.3)
    size = np.linalg.norm(there)
    cases = [
        (landscapes.paraboloid(), here, (rho**2 + 1) / 2),
        (cone(0.75), here, 1.25 * rho),
        (cone(0.75), there, 0.75 * size + 1.25 * rho),
        (cone(-0.75), there, np.sqrt(rho**2 - size**2)),
        (surfaces.cap(1.5), there, np.sqrt((1.5 + rho) ** 2 - size**2)),
        (surfaces.plane(0.5), there, 0.5 * there.sum() + rho * np.sqrt(1 + d / 4)),
    ]
    for surface, theta, truth in cases:
        found = offset_function(surface, theta, rho, tolerance=1e-4 if d < 3 else 0.05)
        assert found.closed.all(), surface
        assert holds(found, truth * (1 - 1e-14), truth * (1 + 1e-14)), surface


def test_never_below_what_samples_find():
    random = np.random.default_rng(0)
    for surface, d in ((landscapes.wrinkled(20), 1), (landscapes.gaussians(0.3, 40), 2)):
        theta = random.uniform(-1, 1, (5, d))
        found = offset_function(surface, theta, 0.7, tolerance=1e-5)
        assert found.closed.all()
        assert (found.upper >= sampled(surface, theta, 0.7) * (1 - 1e-13)).all()


def test_shapes_radius_zero_and_no_surface():
    found = offset_function(surfaces.sine(), np.zeros((3, 1, 1)), [0.0, 1.0])
    assert found.lower.shape == (3, 2)
    assert (found.lower[:, 0] == 0).all()
    outside = offset_function(surfaces.cap(1.0), [5.0], 1.0)
    assert (outside.lower, outside.upper) == (-np.inf, -np.inf)


@pytest.mark.parametrize(("theta", "radius", "name"), [(1.0, 1.0, "theta"), ([1.0], -1.0, "radius")])
def test_wrong_arguments_are_named(theta, radius, name):
    with pytest.raises(ValueError, match=name):
        offset_function(surfaces.sine(), theta, radius)
