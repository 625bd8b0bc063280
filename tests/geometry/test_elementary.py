"""exp, sin and cos of compiled loops against arb."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("numba")

from flint import arb, ctx
from numba import njit

from geometry import FunctionGraph, project
from geometry._kernels import elementary


@njit
def each(x):
    """exp, sin and cos of numbers, each in a loop."""
    result = np.empty((3, x.size))
    for i in range(x.size):
        result[0, i] = elementary.exp(x[i])
    for i in range(x.size):
        result[1, i] = elementary.sin(x[i])
        result[2, i] = elementary.cos(x[i])
    return result


def ulps(found, ball):
    """The error in units in the last place of the truth."""
    truth = float(ball.mid())
    return float(abs(arb(float(found)) - ball).upper()) / math.ulp(truth)


def test_exp():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-708, 709.7, 500), rng.normal(size=500), 2.0 ** -np.arange(0, 1074, 29.0)])
    x = np.concatenate([x, math.log(2) * (np.arange(-1020, 1024, 16) + 0.5), [0.0, -0.0, 709.78, -708.39]])
    with ctx.workprec(200):
        assert max(ulps(y, arb(float(t)).exp()) for t, y in zip(x, each(x)[0], strict=True)) <= 1


def test_exp_at_the_ends():
    x = np.array([np.inf, -np.inf, np.nan, 710.0, 1e300, -746.0, -1e300, -740.0])
    np.testing.assert_array_equal(each(x)[0, :7], [np.inf, 0, np.nan, np.inf, np.inf, 0, 0])
    assert each(x)[0, 7] == pytest.approx(math.exp(-740), rel=1e-1, abs=2 * 5e-324)


def test_sin_and_cos():
    """Also next to multiples of π/2, where one of them is small."""
    rng = np.random.default_rng(1)
    near = np.round(rng.uniform(-6e5, 6e5, 300)) * (math.pi / 2)
    x = np.concatenate([rng.uniform(-4, 4, 500), rng.uniform(-(2.0**20), 2.0**20, 500), near, np.nextafter(near, 0)])
    x = np.concatenate([x, 2.0 ** -np.arange(0, 1000, 29.0), [0.0, 2.0**20, -(2.0**20)]])
    _, sines, cosines = each(x)
    with ctx.workprec(300):
        for t, sine, cosine in zip(x, sines, cosines, strict=True):
            for found, ball in ((sine, arb(float(t)).sin()), (cosine, arb(float(t)).cos())):
                error = float(abs(arb(float(found)) - ball).upper())
                assert error <= math.ulp(float(ball.mid())) + 2.0**-100, (t, found)
    assert np.isnan(each(np.array([np.nan, np.inf]))[1:]).all()


WAVES = np.arange(1.0, 13.0)
FAR = {
    "a sum": lambda t: np.sum(np.sin(WAVES * t[..., :1]) / WAVES, axis=-1),
    "one wave": lambda t: np.sin(12 * t[..., 0]) * np.cos(t[..., 0]),
}


@pytest.mark.parametrize("name", FAR)
def test_what_is_far_is_left_to_the_system(name):
    """The phase k·θ leaves the range for the largest k only, and for a part of the queries."""
    assert [elementary.is_far.py_func(x) for x in (2.0**20, -(2.0**20), 2.0**20 + 1, np.inf, np.nan)] == [0, 0, 1, 1, 1]
    compiled, arrays = (FunctionGraph(FAR[name], compile=choice) for choice in (True, False))
    points = np.stack([2.0**20 / 12 + np.linspace(-3e4, 3e4, 50), np.linspace(-3, 3, 50)], axis=-1)
    found, truth = (project(surface, points, start=points[:, :1]) for surface in (compiled, arrays))
    np.testing.assert_allclose(found.point[:, -1], arrays.value(found.theta), rtol=0, atol=2e-14)
    np.testing.assert_array_equal(found.status, truth.status)
