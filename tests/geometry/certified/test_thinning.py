"""Long sums without the terms that hardly change: against balls; and what must not be left out."""

from __future__ import annotations

import numpy as np
import pytest

from geometry import FunctionGraph
from geometry.certified import _polynomials
from geometry.certified._model import Model
from geometry.certified._thinning import thinned
from geometry.expressions._nodes import ordered
from rbo_ref import landscapes

flint = pytest.importorskip("flint")

SLACK = 1e-9
DENTS = landscapes.gaussians(0.1, 200, d=2).value
CENTERS = np.random.RandomState(0).uniform(-3, 3, (200, 2))
FUNCTIONS = {
    "dents": DENTS,
    "twice": lambda t: DENTS(t) + t[..., 0] + DENTS(t),
    "opposite": lambda t: 0.5 - (t[..., 1] - DENTS(t)),
    "sharp": lambda t: np.sum(1 / (1 + np.sum((t[..., None, :] - CENTERS) ** 2, axis=-1) * 1e4) ** 8, axis=-1),
    "unlike": lambda t: np.sum(np.exp(-np.sum((t[..., None, :] - CENTERS) ** 2 * [100, 300], axis=-1)), axis=-1),
}


def longest(expression):
    return max((n.arguments[0].size for n in ordered([expression.node]) if n.operation == "sum"), default=0)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_thinned_function_is_as_close_as_it_says(name):
    expression, random = FunctionGraph(FUNCTIONS[name]).expression(2), np.random.default_rng(0)
    center, half = random.uniform(-3, 3, (12, 2)), 10.0 ** random.uniform(-2, -0.5, (12, 1))
    found = thinned(expression, center - half, center + half, SLACK)
    assert all(f.off <= SLACK for f in found)
    assert sum(longest(f.expression) < 100 for f in found) >= 10
    flint.ctx.prec, before = 150, flint.ctx.prec
    try:
        for i, (f, off) in enumerate(found):
            theta = [flint.arb(float(x)) for x in center[i] + half[i] * random.uniform(-1, 1, 2)]
            (short,), (whole,) = f.balls(theta, 0), expression.balls(theta, 0)
            assert abs(short - whole) <= flint.arb(off)
    finally:
        flint.ctx.prec = before


@pytest.mark.parametrize(
    "function",
    [
        lambda t: np.sum(np.sin(np.arange(1.0, 101.0) * t[..., :1]), axis=-1),  # all of them change
        lambda t: np.sum(np.log(t[..., :1] - CENTERS[:, 0]), axis=-1),  # some are not defined
        lambda t: np.max(np.exp(-((t[..., :1] - CENTERS[:, 0]) ** 2)), axis=-1),  # no sum
        lambda t: np.sum(np.exp(-100 * (t[..., :1] - CENTERS[:, 0]) ** 2), axis=-1) ** 2,  # in the argument of another
        lambda t: np.sum(np.exp(-100 * (t[..., :1] - CENTERS[:9, 0]) ** 2), axis=-1),  # short
    ],
)
def test_other_functions_stay_as_they_are(function):
    expression = FunctionGraph(function).expression(1)
    [(found, off)] = thinned(expression, np.array([[0.1]]), np.array([[0.2]]), SLACK)
    assert found is expression
    assert off == 0


def test_polynomials_of_neighbours_are_close_to_the_whole_function():
    """Values in plain floats, whose rounding is far below the errors."""
    surface, target = FunctionGraph(DENTS), 1e-7
    expression, side = surface.expression(2), 2.0**-5
    x, y = np.meshgrid(np.arange(-6, 6), np.arange(20, 30), indexing="ij")
    center = (np.stack([x.ravel(), y.ravel()], axis=1) + 0.5) * 2 * side
    fits = _polynomials.fitted(expression, Model(surface, 2).heights, center, side, target)
    assert (fits.error <= target).all()
    t = np.random.default_rng(0).uniform(-1, 1, (len(center), 2))
    value = [
        np.polynomial.polynomial.polyval2d(*place, c.reshape(16, 16))
        for place, c in zip(t, fits.coefficients, strict=True)
    ]
    assert (np.abs(value - DENTS(center + side * t)) <= fits.error + 1e-13).all()
