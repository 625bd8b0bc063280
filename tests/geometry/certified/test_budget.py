"""Long searches: what they show, what they hold, and what they answer when their budget of boxes ends."""

from __future__ import annotations

import re
import tracemalloc

import numpy as np
import pytest

from geometry import FunctionGraph, certified
from geometry.certified import distance
from rbo_ref import landscapes

BOX = [(-2.0, 2.0)]
VERBS = {
    "distance": lambda **options: certified.distance(landscapes.wrinkled(30), [0.3, 0.5], **options),
    "footpoint": lambda **options: certified.footpoint(landscapes.wrinkled(30), [0.3, 0.5], **options).distance,
    "offset_function": lambda **options: certified.offset_function(landscapes.wrinkled(30), [0.3], 1.0, **options),
    "reach": lambda **options: certified.reach(landscapes.wrinkled(30), BOX, **options),
    "critical_radius": lambda **options: certified.critical_radius(landscapes.wrinkled(30), BOX, **options),
    "medial_radius": lambda **options: certified.medial_radius(landscapes.wrinkled(30), [0.3], **options),
}


@pytest.mark.parametrize("name", VERBS)
def test_when_the_budget_ends_the_bounds_hold_and_the_answer_says_so(name):
    """What more boxes find is within the bounds of fewer."""
    rich = VERBS[name](tolerance=1e-10)
    assert rich.closed
    last = np.inf
    for budget in (1, 20, 60):
        poor = VERBS[name](tolerance=1e-10, max_boxes=budget)
        assert poor.lower <= rich.upper
        assert rich.lower <= poor.upper
        assert poor.closed == (poor.upper - poor.lower <= 1e-10)
        assert poor.boxes <= max(budget, 4)  # the boxes to begin with
        assert poor.upper - poor.lower <= last * 1.02  # the boxes to begin with are others
        last = poor.upper - poor.lower
    assert not VERBS[name](tolerance=1e-10, max_boxes=1).closed


@pytest.mark.parametrize("name", VERBS)
def test_progress_is_shown_when_asked_for(name, capsys):
    VERBS[name]()
    assert capsys.readouterr() == ("", "")
    VERBS[name](progress=True)
    shown = capsys.readouterr().err
    assert re.search(r"1/1 \[.*boxes=\d+, gap=\d", shown)


@pytest.mark.parametrize("verb", [certified.distance, certified.footpoint])
def test_progress_of_what_a_model_answers_is_shown(verb, capsys):
    """A search that has nothing left to do is finished as well."""
    points, heard = np.linspace(-2, 2, 200).reshape(100, 2), []
    for count in (100, 1):
        found = verb(landscapes.sine(), points[:count], progress=lambda *told: heard.append(told))
        boxes = int(getattr(found, "distance", found).boxes.sum())
        assert heard[-1][:2] == (count, boxes)
        verb(landscapes.sine(), points[:count], progress=True)
        assert re.search(rf"{count}/{count} \[.*boxes={boxes}, gap=\d", capsys.readouterr().err)


@pytest.mark.parametrize("name", VERBS)
def test_progress_of_what_a_budget_has_ended_is_shown(name, capsys):
    VERBS[name](progress=True, max_boxes=1)
    assert re.search(r"1/1 \[.*boxes=\d+, gap=(\d|inf)", capsys.readouterr().err)


def waves(dimensions):
    """A surface on which no box that is larger than a wave can be dropped."""
    return FunctionGraph(lambda t: sum(np.sin((40 + 3 * i) * t[..., i]) for i in range(dimensions)))


def peak_of(queries, budget):
    """The largest amount of memory in use during a search that does not end, in bytes."""
    tracemalloc.start()
    try:
        found = distance(waves(3), queries, tolerance=1e-9, max_boxes=budget)
        return tracemalloc.get_traced_memory()[1], found
    finally:
        tracemalloc.stop()


def test_memory_is_that_of_the_budget():
    """A portion of boxes at a time takes about 32 MB, and a box that is kept less than a kilobyte."""
    for budget in (1_000, 30_000):
        peak, found = peak_of([0.1, 0.2, 0.3, 3.0], budget)
        assert not found.closed
        assert found.boxes > budget / 10
        assert peak < 64e6 + 1e3 * budget


def test_memory_of_many_points_together_is_that_of_a_portion(monkeypatch):
    """Points that together need more boxes than are to be held at once are searched in smaller portions."""
    monkeypatch.setattr("geometry.certified._batches.AT_MOST", 2**12)
    queries = np.random.default_rng(0).uniform(-1, 1, (32, 4)) + np.array([0, 0, 0, 4])
    peak, found = peak_of(queries, 2_000)
    assert found.lower.shape == (32,)
    assert peak < 64e6 + 1e3 * 2 * 2**12
    alone = distance(waves(3), queries[7], tolerance=1e-9, max_boxes=2_000)
    assert found.lower[7] <= alone.upper
    assert alone.lower <= found.upper[7]


@pytest.mark.parametrize("number", [8, 70])  # without a model, and with one
@pytest.mark.parametrize("huge", [1e6, 1e160])
def test_a_point_that_is_far_away_costs_the_others_nothing(number, huge):
    surface, points = landscapes.wrinkled(20), np.random.default_rng(0).uniform(-1, 1, (number, 2))
    others = np.arange(number) != 3
    alone = distance(surface, points[others])
    points[3, 1] = huge
    found = distance(surface, points)
    np.testing.assert_array_equal(found.boxes[others], alone.boxes)
    np.testing.assert_array_equal(found.upper[others], alone.upper)
    assert found.lower[3] <= huge + 2
    assert found.upper[3] >= huge - 2
