"""What a step costs: counted by the calls, and compared with what each algorithm needs."""

from itertools import islice

import numpy as np
import pytest

from benchmarks.training.budget import BudgetSpent, Meter
from geometry import Descent, FunctionGraph, GaussNewton
from rbo_ref import SAM, Adam, Alice, EntropySGD, GradientDescent, InducedMetric, RollingBall, roll


def wave(theta):
    return np.sum(np.sin(theta)) + 3.0, np.cos(theta)


@pytest.mark.parametrize(
    ("optimizer", "costs"),
    [
        (GradientDescent(0.1), [1, 1]),
        (GradientDescent(0.1, momentum=0.9), [1, 1]),
        (Adam(0.1), [1, 1]),
        (SAM(0.1), [2, 2]),
        (EntropySGD(0.1, steps=20), [20, 20]),
        (InducedMetric(0.1), [1, 1]),
        (Alice(0.1), [3] * 10 + [1, 3, 1, 1, 1, 3]),  # samples for 10 steps, then at every fourth
        (RollingBall(0.1, 0.5, Descent(0.1, 1)), [1, 1]),
        (RollingBall(0.1, 0.5, Descent(0.1, 7)), [7, 7]),
        (RollingBall(0.1, 0.5, GaussNewton(max_steps=2)), [3, 3]),
    ],
)
def test_costs_of_steps(optimizer, costs):
    theta, state, paid = np.array([0.3, 0.7]), optimizer.init(np.zeros(2)), []
    for _ in costs:
        meter = Meter(100)
        step = optimizer.step(meter.counted(wave), theta, state)
        theta, state = step.theta, step.state
        paid.append(meter.spent)
    assert paid == costs


def test_the_meter_changes_nothing():
    for optimizer in (RollingBall(0.1, 0.5, Descent(0.1, 7)), Alice(0.1), EntropySGD(0.1)):
        plain = roll(optimizer, FunctionGraph.from_value_and_gradient(wave), np.array([0.3, 0.7]))
        metered = roll(optimizer, Meter(1000).counted(wave), np.array([0.3, 0.7]))
        for one, other in islice(zip(plain, metered, strict=True), 12):
            np.testing.assert_array_equal(one.theta, other.theta)


def test_the_budget_is_never_exceeded():
    calls = []
    meter = Meter(budget=10, spent=4)
    loss = meter.counted(lambda theta: (calls.append(theta), wave(theta))[1])
    with pytest.raises(BudgetSpent):
        RollingBall(0.1, 0.5, Descent(0.1, 7)).step(loss, np.zeros(2))
    assert len(calls) == 6
    assert meter.spent == 10


def test_memory_is_of_the_last_point_and_of_one_batch():
    meter, here, there = Meter(100), np.zeros(2), np.ones(2)
    loss = meter.counted(wave)
    for theta in (here, here.copy(), there, here):
        loss.value_and_gradient(theta)
    assert meter.spent == 3
    meter.counted(wave).value_and_gradient(here)
    assert meter.spent == 4


def test_nan_is_no_place_to_remember():
    meter = Meter(100)
    loss = meter.counted(wave)
    for _ in range(2):
        loss.value_and_gradient(np.array([np.nan, 0.0]))
    assert meter.spent == 2
