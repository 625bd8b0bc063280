"""The certified range of the offset function, against the closed form of the sine wave and against samples."""

from __future__ import annotations

import numpy as np
import pytest

import rbo_ref
from geometry import FunctionGraph
from geometry.certified import ironing
from rbo_ref import landscapes
from rbo_ref.ironed import ironing_of_sine
from tests.geometry.certified.truths import holds


def test_the_sine_wave():
    radii = np.array([[0.0, 0.5], [1.5, 20.0]])
    found = ironing(landscapes.sine(), radii, [(-np.pi, np.pi)], tolerance=1e-3)
    assert found.closed.all()
    truth = ironing_of_sine(radii)
    assert holds(found, truth - 1e-12, truth + 1e-12)


def test_the_ball_rests_beyond_the_box():
    """On the line θ over [0, 1] it is everywhere ρ√2 above it; on a step it meets the wall outside."""
    line = FunctionGraph(lambda t: t[..., 0])
    found = ironing(line, 2.0, [(0.0, 1.0)], tolerance=1e-2)
    assert holds(found, 1.0, 1.0)
    assert found.closed
    hill = FunctionGraph(lambda t: np.exp(-8 * (t[..., 0] - 1.5) ** 2))
    seen = rbo_ref.ironing(hill, 1.0, [(0.0, 1.0)]).range[0]
    found = ironing(hill, 1.0, [(0.0, 1.0)], tolerance=1e-2)
    assert holds(found, seen - 1e-6, seen + 1e-6)


@pytest.mark.parametrize("slope", [1.0, 8.0])
def test_no_place_beyond_the_box_is_the_lowest(slope):
    """Boxes of 40 halvings at the side where the lowest place is."""
    found = ironing(FunctionGraph(lambda t: slope * t[..., 0]), 0.5, [(0.0, 1.0)], tolerance=1e-13 * slope)
    assert holds(found, slope)
    assert found.theta >= 0


def test_two_dimensions_against_samples():
    surface = FunctionGraph(lambda t: np.cos(t[..., 0]) + 0.5 * np.sin(t[..., 1] + 0.3 * t[..., 0]))
    found = ironing(surface, 0.7, [(-1.0, 1.0), (0.0, 1.0)], tolerance=6e-2)
    seen = rbo_ref.ironing(surface, 0.7, [(-1.0, 1.0), (0.0, 1.0)], samples=61).range[0]
    assert holds(found, seen - 5e-3, seen + 5e-3)
    assert found.closed


def test_a_small_budget_is_open_and_right():
    found = ironing(landscapes.wrinkled(5), 0.1, [(0.0, 3.0)], max_boxes=40)
    seen = rbo_ref.ironing(landscapes.wrinkled(5), 0.1, [(0.0, 3.0)]).range[0]
    assert not found.closed
    assert holds(found, seen - 1e-6, seen + 1e-6)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"radius": -1.0}, ValueError), ({"box": [(1.0, 0.0)]}, ValueError), ({"surface": np.sin}, TypeError)],
)
def test_wrong_arguments_are_named(arguments, error):
    with pytest.raises(error, match=next(iter(arguments))):
        ironing(**{"surface": landscapes.sine(), "radius": 1.0, "box": [(0.0, 1.0)], **arguments})


def test_when_the_budget_ends_the_range_is_bounded():
    surface = landscapes.wrinkled(20)
    poor = ironing(surface, [0.5, 5.0], [(-3, 3)], max_boxes=100)
    rich = ironing(surface, [0.5, 5.0], [(-3, 3)], tolerance=1e-2)
    assert not poor.closed.any()
    assert np.isfinite(poor.upper).all()
    assert (poor.lower <= rich.upper).all()
    assert (rich.lower <= poor.upper).all()
    root = FunctionGraph(lambda t: np.sqrt(t[..., 0]))  # where it is not defined nothing is below a ball
    assert ironing(root, 0.1, [(-3, 3)], max_boxes=20).upper == np.inf
