"""Certified distances and nearest points of level sets, against closed forms and graphs."""

from __future__ import annotations

import numpy as np
import pytest

from geometry import FunctionGraph, LevelSet
from geometry.certified import distance, footpoint, signed_distance
from tests.geometry.certified.truths import holds


def sphere(radius):
    return LevelSet(lambda x: (x**2).sum(-1) - radius**2)


def ring(x):
    return (np.sqrt(x[..., 0] ** 2 + x[..., 1] ** 2) - 2) ** 2 + x[..., 2] ** 2 - 0.25


def ring_distance(q):
    return np.hypot(np.hypot(q[:, 0], q[:, 1]) - 2, q[:, 2]) - 0.5


@pytest.mark.parametrize(("n", "tolerance"), [(2, 1e-9), (3, 1e-6)])
def test_spheres(n, tolerance):
    points = np.random.default_rng(n).normal(size=(3, 4, n))
    points *= 1 + 0.7 / np.linalg.norm(points, axis=-1, keepdims=True)  # not next to the centre, the medial axis
    truth = np.linalg.norm(points, axis=-1) - 1.5
    found = signed_distance(sphere(1.5), points, tolerance=tolerance)
    assert found.closed.all()
    assert holds(found, truth - 1e-14, truth + 1e-14)
    regions = footpoint(sphere(1.5), points, tolerance=tolerance)
    assert (regions.count == 1).all()
    assert regions.unique.all()
    foot = (points / np.linalg.norm(points, axis=-1, keepdims=True) * 1.5).reshape(-1, n)
    assert (regions.lower <= foot + 1e-14).all()
    assert (foot - 1e-14 <= regions.upper).all()
    assert (regions.upper - regions.lower < 1e-12).all()


def test_a_ring():
    points = np.array([[2.5, 0.6, 0.3], [1.0, 1.3, -0.2], [3.0, 0.0, 1.0]])
    truth = ring_distance(points)
    for budget in (30, 20_000):
        found = signed_distance(LevelSet(ring), points, tolerance=1e-4, max_boxes=budget)
        assert holds(found, truth - 1e-14, truth + 1e-14)
    assert found.closed.all()


def test_on_the_medial_axis_all_nearest_points_are_in_regions():
    """Of an ellipse, from a point of its long axis: two nearest points, one on each side."""
    ellipse = LevelSet(lambda x: x[..., 0] ** 2 / 4 + x[..., 1] ** 2 - 1)
    found = footpoint(ellipse, [0.3, 0.0], tolerance=1e-9)
    theta = 0.3 / (1 - 1 / 4)
    assert found.count == 2
    assert found.unique.all()
    for lower, upper, sign in zip(found.lower, found.upper, (-1, 1), strict=True):
        foot = np.array([theta, sign * np.sqrt(1 - theta**2 / 4)])
        assert ((lower <= foot + 1e-14) & (foot - 1e-14 <= upper)).all()


def test_a_graph_is_a_level_set():
    points = np.random.default_rng(0).uniform(-2, 2, (8, 2))
    level = footpoint(LevelSet(lambda x: x[..., 1] - np.sin(2 * x[..., 0])), points, tolerance=1e-7)
    graph = footpoint(FunctionGraph(lambda t: np.sin(2 * t[..., 0])), points, tolerance=1e-7)
    assert level.distance.closed.all()
    assert holds(level.distance, graph.distance.lower, graph.distance.upper)
    assert level.query.tolist() == graph.query.tolist()
    assert level.unique.all()
    assert (np.abs(level.lower[:, 0] - graph.lower[:, 0]) < 1e-9).all()


def test_several_sheets_and_random_curves():
    """Against dense samples of the curve: zeros of F on the edges of a fine grid."""
    random = np.random.default_rng(4)
    side = np.linspace(-3, 3, 1501)
    grid = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1)
    for _ in range(4):
        a, b, c = random.normal(size=3)

        def value(x, a=a, b=b, c=c):
            return np.sin(a + 2 * x[..., 0]) + b * np.cos(x[..., 1]) * x[..., 0] + 0.3 * c + 0.2 * x[..., 1]

        above = value(grid) > 0
        near = (above[1:, :-1] != above[:-1, :-1]) | (above[:-1, 1:] != above[:-1, :-1])
        zeros = grid[:-1, :-1][near]
        points = random.uniform(-1.5, 1.5, (4, 2))
        brute = np.array([np.linalg.norm(zeros - p, axis=-1).min() for p in points])
        found = distance(LevelSet(value), points, tolerance=1e-3)
        spacing = 2 * (side[1] - side[0])
        assert (found.lower <= brute + spacing).all()
        assert (brute - spacing <= found.upper)[brute < 1.4].all()
        assert found.closed.all()


def test_what_is_not_proven_stays_open():
    """No change of sign is no proof of a zero; nor is a jump."""
    touching = distance(LevelSet(lambda x: ((x**2).sum(-1) - 1) ** 2), [2.0, 0.0])
    jump = distance(LevelSet(lambda x: np.where(x[..., 0] > 0.3, 1.0 + 0 * x[..., 1], -1.0)), [1.0, 0.0])
    nowhere = distance(LevelSet(lambda x: 1 + (x**2).sum(-1)), [0.0, 0.0])
    for found in (touching, jump, nowhere):
        assert (found.lower, found.upper, bool(found.closed)) == (0.0, np.inf, False)


def test_a_domain_with_a_border():
    """The half circle y = √(1 − x²): a curve that ends."""
    arc = LevelSet(lambda x: x[..., 1] - np.sqrt(1 - x[..., 0] ** 2))
    found = distance(arc, [[0.3, 2.0], [0.2, 0.1]], tolerance=1e-6)
    truth = np.abs(np.hypot([0.3, 0.2], [2.0, 0.1]) - 1)
    assert holds(found, truth - 1e-12, truth + 1e-12)
    assert found.closed.all()


def test_wrong_arguments_are_named():
    for arguments, error in (
        ({"points": [1.0]}, ValueError),
        ({"start": [1.0]}, ValueError),
        ({"surface": 1}, TypeError),
    ):
        with pytest.raises(error, match=next(iter(arguments))):
            distance(**{"surface": sphere(1.0), "points": [0.0, 1.0], **arguments})
