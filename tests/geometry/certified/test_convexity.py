"""Valleys: what strict convexity proves of a minimum, against samples all over the box."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry import FunctionGraph
from geometry.certified import _problems, distance
from geometry.certified._convexity import Convexity, Height, SquaredDistance
from rbo_ref import landscapes
from tests.geometry import surfaces
from tests.geometry.certified.truths import polynomial

NUMBER = st.floats(-3, 3)


def look(objective, center, radius):
    """One query, one box."""
    found = Convexity(objective)(np.zeros(1, dtype=int), *(np.atleast_2d(a) for a in (center, radius)))
    return [part[0] for part in found]


def holds(lower, upper, theta, radius, samples, values):
    """Values of samples of the box are nowhere below the bound, and the least one is where it must be."""
    slack = 1e-12 * (1 + np.abs(values))
    assert (values >= lower - slack).all()
    assert lower <= upper <= values.min() + slack.max()
    better = values <= upper - slack.max()
    assert (np.abs(samples[better] - theta) <= radius).all()


@settings(max_examples=150)
@given(st.lists(st.integers(-4, 4), min_size=2, max_size=6), NUMBER, NUMBER, NUMBER, st.floats(1e-4, 1))
def test_distances_to_polynomials(coefficients, x, y, center, size):
    surface = polynomial(coefficients)
    lower, upper, theta, radius = look(SquaredDistance(surface, np.array([[x]]), np.array([y])), [center], [size])
    samples = np.linspace(center - size, center + size, 1001)
    if radius < np.inf:
        values = np.hypot(samples - x, surface.value(samples[:, None]) - y)
        holds(lower, upper, theta, radius, samples, values)
    else:
        assert (lower, upper) == (-np.inf, np.inf)


@settings(max_examples=100)
@given(NUMBER, NUMBER, st.floats(0.1, 3), st.floats(1e-4, 1))
def test_heights_of_balls_on_the_sine_wave(x, center, rho, size):
    objective = Height(surfaces.sine(), np.array([[x]]), np.array([rho]))
    lower, upper, theta, radius = look(objective, [center], [size])
    if radius < np.inf:  # so the box is under the ball
        samples = np.linspace(center - size, center + size, 1001)
        values = -np.sin(samples) - np.sqrt(rho**2 - (samples - x) ** 2)
        holds(lower, upper, theta, radius, samples, values)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_foot_of_a_paraboloid(d):
    """Below the focus half the squared distance of (0, h) is convex, and 0 is nearest, at the distance h."""
    surface = landscapes.paraboloid(2.0)
    objective = SquaredDistance(surface, np.zeros((1, d)), np.array([0.25]))
    lower, upper, theta, radius = look(objective, np.full(d, 0.01), np.full(d, 0.06))
    assert lower <= 0.25 <= upper <= lower + 1e-12
    assert np.abs(theta).max() <= radius + 1e-12 < 1e-9


def test_two_minima_are_no_valley():
    objective = SquaredDistance(surfaces.sine(), np.array([[-np.pi / 2]]), np.array([1.25833]))
    assert look(objective, [-np.pi / 2], [1.5])[3] == np.inf


def test_a_kink_is_no_valley():
    cone = FunctionGraph(lambda t: np.abs(t[..., 0]), np.sign, lambda t: 0 * t[..., None])
    assert look(SquaredDistance(cone, np.zeros((1, 1)), np.ones(1)), [0.0], [0.5])[3] == np.inf


def test_valleys_save_boxes_and_change_nothing(monkeypatch):
    random = np.random.default_rng(0)
    points = random.normal(size=(200, 2)) * [3, 1]
    bare = FunctionGraph(surfaces.sine().value)
    monkeypatch.setattr(_problems, "by_landscape", lambda *_, **__: None)  # polynomials need no valleys
    with_valleys = [distance(surface, points, tolerance=1e-9) for surface in (surfaces.sine(), bare)]
    monkeypatch.setattr(Convexity, "_least_eigenvalue", lambda self, query, *_: np.full(len(query), -np.inf))
    without = distance(bare, points, tolerance=1e-9)
    assert without.closed.all()
    for found in with_valleys:
        assert found.closed.all()
        assert (found.lower <= without.upper).all()
        assert (without.lower <= found.upper).all()
        assert np.median(found.boxes) < np.median(without.boxes) / 2
