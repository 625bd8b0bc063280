"""Comparison beyond the horizon: the level of the test, and its power against wrong ports."""

from __future__ import annotations

import numpy as np
import pytest

from rbo_ref.oracle import compare_trajectories
from rbo_ref.oracle.losses import Loss, Quadratic, Ridges
from rbo_ref.oracle.replay.distribution import compare_samples, memory

from .runs import HYPERS

WAVES = Loss(
    (Quadratic(np.eye(1), np.zeros(1)), Ridges("sin", np.array([[5.0]]), np.array([0.5]), np.array([0.2])))
).graph
CHAOTIC = dict(zip(HYPERS, (0.6, 0.5, 0.5, 2), strict=True))


def runs(starts, steps, *, learning_rate=0.6, radius=0.5, projection_rate=0.5, projection_steps=2):
    """Many runs at once, (steps + 1, starts, 1)."""
    theta = np.array(starts, dtype=float)[:, None]
    path = [theta]
    for _ in range(steps):
        f, g = WAVES.value_and_gradient(theta)
        square = (g * g).sum(axis=-1, keepdims=True)
        x = theta - radius * g / np.sqrt(1 + square) - learning_rate * g
        y = f[:, None] + radius / np.sqrt(1 + square) - learning_rate * square
        for _ in range(projection_steps):
            f, g = WAVES.value_and_gradient(theta)
            theta = theta - projection_rate * ((theta - x) + (f[:, None] - y) * g)
        path.append(theta)
    return np.array(path)


STARTS = np.random.default_rng(0).uniform(-1.2, 0.8, 14)


def test_right_runs_from_other_starts_pass_at_the_stated_rate():
    """One in a hundred is told apart: more than 3 of 13 have a probability below 1e-5."""
    path = runs(STARTS, 800)
    verdicts = [
        compare_trajectories(path[:, 0], path[:, i], WAVES, **CHAOTIC).results[1].verdict for i in range(1, len(STARTS))
    ]
    assert set(verdicts) <= {"pass", "fail"}
    assert verdicts.count("fail") <= 3


@pytest.mark.parametrize("wrong", [{"projection_rate": 0.45}, {"radius": 1.0}, {"learning_rate": 0.5}])
def test_wrong_ports_are_told_apart(wrong):
    one, other = runs(STARTS[:1], 3000), runs(STARTS[1:2], 3000, **{**CHAOTIC, **wrong})
    report = compare_trajectories(one[:, 0], other[:, 0], WAVES, **CHAOTIC)
    assert report.results[0].verdict == "skipped"  # other starts
    assert report.results[1].verdict == "fail"
    assert not report.passed
    assert "p = 0.001" in str(report)


def test_a_wrong_port_from_the_same_start_is_told_apart_at_once():
    one, other = runs(STARTS[:1], 300), runs(STARTS[:1], 300, projection_rate=0.5 + 1e-9)
    report = compare_trajectories(one[:, 0], other[:, 0], WAVES, **CHAOTIC)
    assert report.results[0].verdict == "fail"
    assert "after 1 steps" in report.results[0].message


def test_p_values_of_independent_samples_are_uniform():
    random = np.random.default_rng(1)
    values = [
        compare_samples(*random.normal(size=(2, 60, 2)), blocks=10, permutations=99, seed=i).p_value for i in range(200)
    ]
    # Kolmogorov's bound at 1e-4 for 200 values: 2.2/√200 = 0.16
    assert np.abs(np.sort(values) - np.arange(1, 201) / 200).max() < 0.16


def test_the_energy_distance_is_that_of_its_definition():
    random = np.random.default_rng(2)
    one, other = random.normal(size=(30, 2)), random.normal(size=(40, 2)) + 0.5
    pooled = np.concatenate([one, other])
    scale = np.median(np.abs(pooled - np.median(pooled, axis=0)), axis=0)
    one, other = one / scale, other / scale

    def mean_distance(a, b):
        return np.mean([np.linalg.norm(x - y) for x in a for y in b])

    expected = 2 * mean_distance(one, other) - mean_distance(one, one) - mean_distance(other, other)
    assert compare_samples(one * scale, other * scale, blocks=10).distance == pytest.approx(expected)


def test_the_memory_of_an_autoregression():
    """r_k = a^k: the sum of all is (1 + a)/(1 − a)."""
    random, a = np.random.default_rng(3), 0.8
    noise = random.normal(size=50_000)
    process = np.zeros_like(noise)
    for t in range(1, len(noise)):
        process[t] = a * process[t - 1] + noise[t]
    assert memory(process[:, None]) == pytest.approx((1 + a) / (1 - a), rel=0.15)
    assert memory(np.ones((100, 1))) == 1


def test_what_is_too_short_is_not_decided():
    path = runs(STARTS[:2], 60)
    report = compare_trajectories(path[:, 0], path[:, 1], WAVES, **CHAOTIC)
    assert report.results[1].verdict == "undecidable"


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="1 and 2 parameters"):
        compare_trajectories([[1.0], [2.0]], [[1.0, 2.0]] * 2, "paraboloid", **CHAOTIC)
