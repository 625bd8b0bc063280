"""Bounds of sine and cosine at single numbers, against python-flint's balls of 300 bits."""

from __future__ import annotations

import numpy as np
import pytest

from geometry._kernels import kernel
from geometry.certified._points import LARGEST, PARTS, sine_and_cosine

flint = pytest.importorskip("flint")
ENGINES = {"generic": sine_and_cosine, "kernel": kernel("sine_and_cosine", np)}


@pytest.fixture
def precise():
    flint.ctx.prec, before = 300, flint.ctx.prec
    yield
    flint.ctx.prec = before


def numbers() -> np.ndarray:
    """Of all sizes, and where sine or cosine are almost 0, which is where digits cancel."""
    random = np.random.default_rng(0)
    anywhere = random.uniform(-1, 1, 2000) * 2.0 ** random.uniform(-80, 20, 2000)
    zeros = np.rint(random.uniform(-6e5, 6e5, 500)) * (np.pi / 2)
    between = (np.rint(random.uniform(-6e5, 6e5, 200)) + 0.5) * (np.pi / 2)  # where the quadrant changes
    beside = np.nextafter(np.concatenate([zeros, between]), random.choice([-np.inf, np.inf], 700))
    return np.concatenate([anywhere, zeros, between, beside, [0.0, -0.0, 5e-324, LARGEST, -LARGEST]])


@pytest.mark.parametrize("engine", ENGINES)
def test_the_truth_is_inside(engine, precise):
    x = numbers()
    bounds = ENGINES[engine](x)
    for value, low, high, other_low, other_high in zip(x, *bounds, strict=True):
        exact = flint.arb(float(value))
        for truth, below, above in ((exact.sin(), low, high), (exact.cos(), other_low, other_high)):
            # Balls that touch the bound 1 of cos 0 are not told apart from it.
            assert not flint.arb(float(below)) > truth
            assert not flint.arb(float(above)) < truth


@pytest.mark.parametrize("engine", ENGINES)
def test_the_bounds_are_close(engine):
    x = numbers()
    sine_low, sine_high, cosine_low, cosine_high = ENGINES[engine](x)
    assert (sine_high - sine_low <= 6e-15 * np.abs(np.sin(x)) + 3e-30).all()
    assert (cosine_high - cosine_low <= 4e-15).all()


def test_the_parts_of_the_half_turn(precise):
    rest = flint.arb.pi() / 2
    for part in PARTS:
        rest -= flint.arb(part)
    assert abs(float(rest)) < 1.1e-37
    for part in PARTS[:2]:  # products with 20 bits are exact
        mantissa = int(np.frexp(part)[0] * 2**53)
        assert mantissa % 2**20 == 0


def test_the_smallest_numbers():
    """0 < sin x < x, though no float is in between."""
    for run in ENGINES.values():
        low, high = run(np.array([5e-324, -5e-324, 0.0]))[:2]
        np.testing.assert_array_equal(low < [5e-324, -5e-324, 5e-324], [True, True, True])
        np.testing.assert_array_equal(high > [0, -5e-324, -5e-324], [True, True, True])


def test_shapes():
    assert sine_and_cosine(np.zeros((2, 0, 3))).shape == (4, 2, 0, 3)
    assert sine_and_cosine(np.asarray(1.0)).shape == (4,)
