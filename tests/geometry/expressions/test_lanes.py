"""Texts for many θ at once: run as Python they give what the expressions give."""

from functools import reduce

import numpy as np
import pytest

from geometry.expressions import record
from geometry.expressions._lane_source import LANES
from tests.geometry.expressions.functions import SMOOTH

PLACES = np.random.default_rng(5).uniform(0.1, 2.3, (LANES + 3, 2))  # one full vector, and one that is not


def run(expression, order, theta, large=2.0**20):
    """The text as Python: f, ∇f and ∇²f up to an order, and for how many θ the function of one θ was called."""
    d, asked = theta.shape[1], []

    def one(x, g, h):
        asked.append(x)
        g[:], h[:] = (part[: len(to)] for part, to in ((expression.gradient(x), g), (expression.hessian(x).ravel(), h)))
        return expression.value(x)

    def is_far(x):
        return not abs(x) <= large

    room = {"np": np, "exp": np.exp, "sin": np.sin, "cos": np.cos, "is_far": is_far, "one": one}
    exec(expression.block_source(order=order, name="block", one="one"), room)
    shapes = (d if order else 0), (d * d if order == 2 else 0)
    values, g, h = np.zeros(len(theta)), *(np.zeros((len(theta), size)) for size in shapes)
    room["block"](theta, values, g, h)
    return (values, g, h.reshape(-1, d, d))[: order + 1], len(asked)


@pytest.mark.parametrize("name", SMOOTH)
def test_every_function(name):
    expression = record(SMOOTH[name], 2)
    found, _ = run(expression, 2, PLACES)
    expected = expression.value(PLACES), expression.gradient(PLACES), expression.hessian(PLACES)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("order", [0, 1])
def test_lower_orders(order):
    expression = record(SMOOTH["nested loops"], 2)
    found, _ = run(expression, order, PLACES)
    assert len(found) == order + 1
    np.testing.assert_allclose(found[order], (expression.value, expression.gradient)[order](PLACES), rtol=1e-12)


def test_large_angles_are_for_the_function_of_one_theta():
    expression = record(lambda t: np.sum(np.sin(t * np.arange(1.0, 21.0)), axis=-1) + np.exp(-(t[..., 0] ** 2)), 1)
    theta = np.array([[1.0], [7.0], [-3.0], [np.nan], [np.inf]])
    with np.errstate(invalid="ignore"):
        (values,), asked = run(expression, 0, theta, large=20 * 5.0)
        assert asked == 3
        np.testing.assert_allclose(values, expression.value(theta), rtol=1e-12)


def test_no_angle_is_large_where_there_are_none():
    assert "is_far" not in record(SMOOTH["dents"], 2).block_source(order=2, name="block", one="one")


def test_long_chains_and_long_sums_are_written():
    long = record(lambda t: reduce(lambda value, a: value * t[..., 0] / 2 + a, np.cos(np.arange(600.0)), 0.0), 1)
    (values, slopes), _ = run(long, 1, np.array([[0.5], [-1.5]]))
    np.testing.assert_allclose(values, long.value(np.array([[0.5], [-1.5]])), rtol=1e-12)
    np.testing.assert_allclose(slopes, long.gradient(np.array([[0.5], [-1.5]])), rtol=1e-12)

    def lines(count):
        centers = np.linspace(-1, 1, count)
        dents = record(lambda t: np.sum(np.exp(-((t[..., :1] - centers) ** 2)), axis=-1), 1)
        return dents.block_source(order=2, name="block", one="one").count("\n")

    assert lines(12) == lines(1000)
