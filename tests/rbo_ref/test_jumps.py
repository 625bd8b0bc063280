"""Jumps through mountains: found where the way of the centre is known to cross the graph, and nowhere else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry import FunctionGraph
from rbo_ref import GradientDescent, RollingBall, Trajectory, trajectory
from rbo_ref.jumps import jumps
from rbo_ref.landscapes import gaussian_well, paraboloid, sine, wrinkled

HILL = gaussian_well(depth=-1.0)  # of height 1, over the origin


def _way(*centers: tuple[float, ...]) -> Trajectory:
    """A trajectory of which only the centres count."""
    points = np.array(centers)
    return Trajectory(points[:, :-1], np.zeros(len(points)), points)


def test_a_way_crosses_the_hill_below_its_top_only():
    ways = _way((-3.0, 0.5), (3.0, 0.5), (3.0, 1.001), (-3.0, 1.001), (-3.0, 0.999), (3.0, 0.999))
    assert jumps(HILL, ways, samples=1001).tolist() == [True, False, False, False, True]


@pytest.mark.parametrize(("beside", "expected"), [(0.8, True), (0.9, False)])
def test_of_two_dimensions(beside, expected):
    """The way passes the hill at a distance r, where the hill is exp(−r²/2) high: 0.726 and 0.667."""
    assert jumps(HILL, _way((-3.0, beside, 0.7), (3.0, beside, 0.7))).tolist() == [expected]


def test_a_centre_in_a_mountain():
    assert jumps(HILL, _way((0.0, 0.5), (3.0, 3.0), (3.0, 4.0))).tolist() == [True, False]


@given(st.floats(-5, 5), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.floats(0.01, 100))
@settings(max_examples=30)
def test_over_a_convex_landscape_only_where_the_ball_does_not_fit(theta, learning_rate, radius, curvature):
    path = trajectory(RollingBall(learning_rate, radius), bowl := paraboloid(curvature), [theta], 3)
    fits = bowl.value(path.center[:, :1]) <= path.center[:, 1]
    assert jumps(bowl, path).tolist() == (~(fits[:-1] & fits[1:])).tolist()


def test_a_ball_that_rolls_on_waves_does_not_jump_below_the_critical_radius():
    path = trajectory(RollingBall(0.1, [0.1, 0.5, 0.9]), sine(), np.linspace(-3, 3, 25)[:, None, None], 40)
    assert not jumps(sine(), path).any()


def test_the_smallest_ball_of_figure_three_jumps():
    """η|τ| ≫ ρ there: the way of the first step is compared with the graph at a hundred thousand places."""
    path = trajectory(RollingBall(1e-3, 1e-2), wrinkled(), [0.0], 1)
    share = np.linspace(0, 1, 100_001)[:, None]
    way = path.center[0] + share * (path.center[1] - path.center[0])
    assert (wrinkled().value(way[:, :1]) > way[:, 1]).any() == jumps(wrinkled(), path)[0]


def test_what_is_not_finite_is_no_jump():
    assert jumps(HILL, _way((3.0, 3.0), (math.nan, 3.0), (math.inf, 0.0))).tolist() == [False, False]


def test_no_step():
    assert jumps(HILL, _way((3.0, 3.0))).shape == (0,)
    assert jumps(sine(), trajectory(RollingBall(0.1, [0.1, 0.2]), sine(), [[1.0], [1.0]], 0)).shape == (0, 2)


def test_a_plain_function_is_a_surface():
    way = _way((-3.0, 0.5), (3.0, 0.5))
    assert jumps(lambda t: np.exp(-(t[..., 0] ** 2)), way).all()
    assert jumps(FunctionGraph(lambda t: np.exp(-(t[..., 0] ** 2))), way).all()


@pytest.mark.parametrize(
    ("path", "options", "error", "message"),
    [
        (np.zeros((3, 1)), {}, TypeError, "trajectory must be a Trajectory, got array"),
        (trajectory(GradientDescent(0.1), sine(), [1.0], 1), {}, ValueError, "must be that of a ball, with centres"),
        (_way((0.0, 1.0)), {"samples": 1}, ValueError, "samples must be"),
    ],
)
def test_wrong_arguments(path, options, error, message):
    with pytest.raises(error, match=message):
        jumps(sine(), path, **options)
