"""Reach, critical and medial radius against exact values."""

from __future__ import annotations

import numpy as np
import pytest

from geometry import FunctionGraph
from geometry.certified import critical_radius, medial_radius, reach
from rbo_ref import landscapes
from tests.geometry import surfaces
from tests.geometry.certified.truths import holds, polynomial


def graph(value, first, second):
    return FunctionGraph(lambda t: value(t[..., 0]), first, lambda t: second(t)[..., None])


def wave(a, w):
    return graph(lambda t: a * np.sin(w * t), lambda t: a * w * np.cos(w * t), lambda t: -a * w**2 * np.sin(w * t))


COSH = graph(lambda t: 2 * np.cosh(t / 2), lambda t: np.sinh(t / 2), lambda t: np.cosh(t / 2) / 2)
TANH = graph(np.tanh, lambda t: 1 - np.tanh(t) ** 2, lambda t: -2 * np.tanh(t) * (1 - np.tanh(t) ** 2))
HILL = FunctionGraph(
    *(lambda t, f=f: -f(t) for f in (surfaces.well().value, surfaces.well().gradient, surfaces.well().hessian))
)

REACH = {
    "sine": (surfaces.sine(), "both", 1.0),
    "steep sine": (wave(8.0, 3.0), "both", 1 / 72),
    "cosh": (COSH, "both", 2.0),
    "exponential": (surfaces.exponential(), "both", 2.598076211353316),
    "cubic": (polynomial([0, 0, 0, 1]), "both", 0.567444965401905),
    "quartic": (polynomial([0, 0, 0, 0, 1]), "both", 0.464798588399668),
    "double well": (surfaces.double_well(), "both", 0.122285678467449),
    "tanh": (TANH, "both", 1.971199095256077),
    "well": (surfaces.well(), "both", 1.0),
    "well from below": (surfaces.well(), "below", 2.676208711244663),
    "hill from above": (HILL, "above", 2.676208711244663),
}


@pytest.mark.parametrize("name", REACH)
def test_reach_of_curves(name):
    surface, side, truth = REACH[name]
    found = reach(surface, [(-4, 3)], side=side, tolerance=1e-9)
    assert found.closed
    assert holds(found, truth * (1 - 4e-15), truth * (1 + 4e-15))


def test_reach_of_surfaces():
    cases = [
        (landscapes.paraboloid(2.0), "both", 2, 0.5),
        (landscapes.paraboloid([[2.0, 0.5], [0.5, -3.0]]), "both", 2, 1 / 3.0495097567963922),
        (landscapes.paraboloid([[2.0, 0.5], [0.5, -3.0]]), "above", 2, 1 / 2.0495097567963922),
        (landscapes.gaussian_well(), "both", 2, 1.0),
        (landscapes.gaussian_well(), "above", 3, 1.0),
        (surfaces.plane(0.5), "both", 2, np.inf),
        (landscapes.paraboloid(), "below", 2, np.inf),
    ]
    for surface, side, d, truth in cases:
        found = reach(surface, [(-2, 2.5)] * d, side=side, tolerance=1e-4 if d == 2 else 1e-2)
        assert found.closed or truth == np.inf
        assert holds(found, truth * (1 - 1e-13), truth * (1 + 1e-13))


def test_critical_radius_of_the_wrinkled_landscape():
    # Near its greatest curvature; in arbitrary precision 1/κ(4.188792763181493) = 5.119290773525777e-06.
    found = critical_radius(landscapes.wrinkled(), [(4.18, 4.2)], tolerance=5e-12)
    assert found.closed
    assert found.lower <= 5.119290773525778e-06
    assert found.upper >= 5.11929e-06


def test_values_alone_have_a_reach_and_medial_radii():
    value = FunctionGraph(lambda t: (t[..., 0] ** 2 - 1) ** 2)
    assert holds(reach(value, [(-2, 2)], tolerance=1e-9), 0.122285678467449)
    found = critical_radius(FunctionGraph(lambda t: np.sin(t[..., 0])), [(-4, 4)])
    assert found.closed
    assert holds(found, 1.0)
    ball = medial_radius(FunctionGraph(lambda t: t[..., 0] ** 2 / 2), [[0.75], [2.0]])
    assert ball.closed.all()
    assert holds(ball, [1.25, np.sqrt(5) * (1 - 1e-15)], [1.25, np.sqrt(5) * (1 + 1e-15)])


@pytest.mark.parametrize(
    "roof",
    [
        lambda t: np.where(t[..., 0] >= 0, t[..., 0], -t[..., 0]),
        lambda t: np.maximum(t[..., 0], -t[..., 0]),
        lambda t: np.sqrt(t[..., 0] ** 2),
        lambda t: np.clip(t[..., 0], 0, None) - np.clip(t[..., 0], None, 0),
        lambda t: t[..., 0] * np.sign(t[..., 0]),
    ],
)
def test_a_kink_between_two_boxes_has_no_reach(roof):
    """Each box holds one side, and its end, where the curvature of that side says nothing."""
    surface = FunctionGraph(roof)
    assert reach(surface, [(-1.0, 1.0)], max_boxes=500).lower == 0
    assert reach(surface, [(0.0, 1.0)], max_boxes=500).lower == 0
    assert medial_radius(surface, [0.0], tolerance=1e-3).lower == 0


def test_a_kink_has_no_reach():
    roof = FunctionGraph(lambda t: np.abs(t[..., 0]), np.sign, lambda t: 0 * t[..., None])
    found = reach(roof, [(-1.1, 1.0)], max_boxes=500)
    assert found.lower == 0
    assert not found.closed
    assert reach(roof, [(0.1, 1.0)]).lower == np.inf


def test_a_budget_that_ends_is_said_and_the_bounds_hold():
    found = reach(surfaces.double_well(), [(-2, 2)], tolerance=1e-9, max_boxes=20)
    assert not found.closed
    assert holds(found, 0.122285678467449)


def test_medial_radius_of_a_parabola():
    theta = np.array([[0.0], [0.3], [1.0], [2.5]])
    truth = np.sqrt(theta[:, 0] ** 2 + 1)
    found = medial_radius(landscapes.paraboloid(), theta, tolerance=1e-4)
    assert found.closed.all()
    assert holds(found, truth * (1 - 1e-14), truth * (1 + 1e-14))
    below = medial_radius(landscapes.paraboloid(), theta, side="below")
    assert (below.upper == np.inf).all()
    assert (below.lower > 1e5).all()
    assert not below.closed.any()


def test_medial_radius_of_the_sine_wave():
    contact = np.array([0.395282648158646, 0.944118904412333, 1.40433771374748, 2.01206516734667, 2.51892889486761])
    radius = np.array([1.1, 1.5, 2, 3, 5])
    found = medial_radius(surfaces.sine(), (contact - np.pi / 2)[:, None], tolerance=1e-6)
    assert found.closed.all()
    assert holds(found, radius - 1e-12, radius + 1e-12)
    below = medial_radius(surfaces.sine(), (np.pi / 2 - contact)[:, None], side="below", tolerance=1e-6)
    assert holds(below, radius - 1e-12, radius + 1e-12)


def test_medial_radius_is_federers_quotient():
    surface = surfaces.double_well()
    theta = np.array([[-1.2], [0.2], [0.9]])
    found = medial_radius(surface, theta, tolerance=1e-5)
    others = np.linspace(-3, 3, 400_001)[:, None]
    q = surface.point(others)
    for i, t in enumerate(theta):
        along = (q - surface.point(t)) @ surface.normal(t)
        with np.errstate(divide="ignore", invalid="ignore"):
            quotient = np.where(along > 1e-9, ((q - surface.point(t)) ** 2).sum(-1) / (2 * along), np.inf)
        assert found.lower[i] <= quotient.min() + 1e-6  # next to p the quotient is little but rounding
        assert found.upper[i] >= quotient.min() - 1e-3


def test_at_a_kink_nothing_is_known():
    roof = FunctionGraph(lambda t: np.abs(t[..., 0]), np.sign, lambda t: 0 * t[..., None])
    found = medial_radius(roof, [[0.0], [1.0]], tolerance=1e-3)
    assert (found.lower[0], found.upper[0]) == (0, np.inf)
    # The ball between both sides of the valley touches them at equal heights: |θ|√2 from the corner, at 45°.
    assert holds(found, [0, np.sqrt(2) * (1 - 1e-15)], [np.inf, np.sqrt(2) * (1 + 1e-15)])


def test_a_box_says_which_points_count():
    found = medial_radius(landscapes.paraboloid(), [1.0], box=[(0.5, 3.0)], tolerance=1e-6)
    truth = (0.25 + 0.375**2) / (2 * (0.5 - 0.375) / np.sqrt(2))  # stopped at θ = 1/2
    assert holds(found, truth * (1 - 1e-12), truth * (1 + 1e-12))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reach(FunctionGraph(np.sin), [(0, 1)]), "must return one number"),
        (lambda: reach(np.sin, [(0, 1)]), "surface"),
        (lambda: reach(surfaces.sine(), [0, 1]), "box"),
        (lambda: reach(surfaces.sine(), [(1, 0)]), "box"),
        (lambda: reach(surfaces.sine(), [(0, 1)], side="left"), "side"),
        (lambda: medial_radius(surfaces.sine(), [0.0], side="both"), "side"),
        (lambda: medial_radius(surfaces.sine(), 0.0), "theta"),
        (lambda: medial_radius(surfaces.sine(), [0.0], box=[(0, 1), (0, 1)]), "box"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


@pytest.mark.parametrize(
    ("function", "box", "truth"),
    [
        (lambda t: np.sin(t[..., 0]) + np.floor(t[..., 0]), (0.5, 2.5), 0.0),  # derivatives do not tell of the jumps
        (lambda t: np.sin(t[..., 0]) + np.floor(t[..., 0]), (1.1, 1.9), 1 / np.sin(np.pi / 2)),
        (lambda t: np.abs(t[..., 0]), (-1.0, 2.0), 0.0),
        (lambda t: np.log(t[..., 0]), (-1.0, 2.0), 27**0.5 / 2),
        (lambda t: np.sqrt(t[..., 0]), (-1.0, 0.3), 0.5),  # of a parabola on its side, at its vertex
    ],
)
def test_where_a_function_is_not_smooth_nothing_is_skipped(function, box, truth):
    """Of log the least radius is 3√3/2 at 1/√2; a jump and a kink have none."""
    found = reach(FunctionGraph(function), [box], tolerance=1e-3, max_boxes=200)
    assert holds(found, truth)
