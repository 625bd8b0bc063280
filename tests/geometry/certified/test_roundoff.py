"""Values in floats with a bound of their rounding errors, against balls and against intervals."""

from __future__ import annotations

import numpy as np
import pytest

from geometry import FunctionGraph
from geometry.certified._model import Model
from geometry.certified._roundoff import values
from rbo_ref import landscapes

flint = pytest.importorskip("flint")

FUNCTIONS = {
    "arithmetic": lambda t: (t[..., 0] - 0.3) * (1.7 + t[..., 1]) / (3 + t[..., 0]) - t[..., 1] ** 2,
    "a pole near by": lambda t: 1.1 / t[..., 0] + t[..., 1] / (t[..., 0] * t[..., 1] + 0.01),
    "cancellation": lambda t: (1e8 + t[..., 0]) - 1e8 + t[..., 1] * 1e-8,
    "exponentials": lambda t: np.exp(3 * t[..., 0] - np.exp(t[..., 1])) - np.exp(-1000 * t[..., 0] ** 2),
    "waves": lambda t: np.sin(1e4 * t[..., 0]) * np.cos(t[..., 1]) + np.sin(np.exp(t[..., 1]) * 1e3),
    "dents": landscapes.gaussians(0.3, 40, low=-1, high=1).value,
    "wrinkles": lambda t: np.sum(np.sin(np.arange(1.0, 30.0) ** 2 * t[..., :1]) / np.arange(1.0, 30.0), axis=-1),
    "a coordinate": lambda t: t[..., 1],
}


def places(size):
    random = np.random.default_rng(0)
    return random.uniform(-1, 1, (6, 1, 2)) + size * random.uniform(-1, 1, (6, 8, 2))


@pytest.mark.parametrize("size", [1e-9, 1e-3, 0.3])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_exact_values_are_within(name, size):
    surface, theta = FunctionGraph(FUNCTIONS[name]), places(size)
    expression = surface.expression(2)
    found, enclosed = values(expression, theta), Model(surface, 2).heights(theta.reshape(-1, 2))
    assert (found.lo.reshape(-1) <= enclosed.hi).all()
    assert (enclosed.lo <= found.hi.reshape(-1)).all()
    for low, high, place in zip(found.lo.flat, found.hi.flat, theta.reshape(-1, 2), strict=True):
        truth = expression.balls([flint.arb(float(x)) for x in place], order=0)[0].item()
        assert low <= float(truth.upper())
        assert float(truth.lower()) <= high


def test_far_waves_and_divisors_that_may_be_zero_prove_nothing():
    surface = FunctionGraph(lambda t: np.sin(1e7 * t[..., 0]) + 1 / t[..., 1])
    theta = np.array([[[1.0, 0.5]], [[0.01, 0.5]], [[0.01, 0.0]]])
    found = values(surface.expression(2), theta)
    assert (found.hi - found.lo < 1)[:, 0].tolist() == [False, True, False]


def test_a_bound_is_not_much_wider_than_intervals_in_a_small_box():
    surface, theta = FunctionGraph(FUNCTIONS["dents"]), places(1e-3)
    found, enclosed = values(surface.expression(2), theta), Model(surface, 2).heights(theta.reshape(-1, 2))
    assert (found.hi - found.lo).max() < 4 * (enclosed.hi - enclosed.lo).max()


@pytest.mark.parametrize("function", [np.tanh, np.log, np.abs, lambda t: t**3])
def test_what_has_no_bound_is_left_to_intervals(function):
    expression = FunctionGraph(lambda t: function(t[..., 0])).expression(1)
    assert values(expression, np.ones((1, 1, 1))) is None
