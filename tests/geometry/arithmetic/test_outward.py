"""Bounds of functions of floats: against fractions and python-flint's balls, compiled and as they are written."""

from __future__ import annotations

import inspect
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from geometry._kernels import kernel
from geometry.arithmetic import _outward as outward
from geometry.arithmetic.intervals import FUNCTIONS, Interval, interval, pow, pown, recip, sqr

DOMAINS = {
    "exp": (-745, 710), "expm1": (-60, 710), "log": (0, 1e9), "log1p": (-1, 1e9), "sin": (-1e6, 1e6),
    "cos": (-1e6, 1e6), "cosh": (-710, 710), "sinh": (-710, 710), "tanh": (-30, 30), "atan": (-1e9, 1e9),
    "asin": (-1, 1), "acos": (-1, 1), "asinh": (-1e12, 1e12), "acosh": (1, 1e12), "atanh": (-1, 1), "sqrt": (0, 1e9),
    "tan": (-1e6, 1e6),
}  # fmt: skip
BODIES = {
    name: body
    for name, body in vars(outward).items()
    if inspect.isfunction(body)
    and body.__module__ == outward.__name__
    and name not in ("fast", "where", "two_to", "exponent")
}


@pytest.fixture
def precise():
    ctx.prec, before = 300, ctx.prec
    yield
    ctx.prec = before


def numbers(low, high):
    """Of all sizes, and where formulas change, or digits cancel."""
    random = np.random.default_rng(0)
    sizes = random.choice([-1.0, 1.0], 600) * 2.0 ** random.uniform(-1074, 40, 600)
    ends = (low + 1.0, high - 1.0, 0.34, 0.41, -0.29, 22.0, 2.0**28, 1.0, 2**0.5, 2**-0.5, np.log(2) / 2)
    near = np.concatenate([end * (1 + random.choice([-1, 1], 40) * 2.0 ** random.uniform(-53, -1, 40)) for end in ends])
    turns = np.rint(random.uniform(-6e5, 6e5, 200)) * (np.pi / 2)
    x = np.concatenate([random.uniform(low, high, 300), random.uniform(-2, 2, 300), sizes, near, turns])
    x = np.concatenate([x, [low, high, 0.0, -0.0, 1.0, 5e-324, outward.FAR]])
    return x[(x >= low) & (x <= high)]


@pytest.mark.parametrize("name", DOMAINS)
def test_elementary_functions_at_single_numbers(name, precise):
    x = numbers(*DOMAINS[name])
    found = FUNCTIONS[name](interval(x))
    for number, low, high in zip(x.tolist(), found.lo.tolist(), found.hi.tolist(), strict=True):
        truth = getattr(arb(number), name)()
        if truth.is_finite():
            assert not arb(low) > truth, number
            assert not arb(high) < truth, number
    tight = np.isfinite(found.lo) & np.isfinite(found.hi) & (np.abs(found.lo) > 1e-9) & (name != "tan")
    assert (found.width[tight] <= 1e-14 * np.abs(found.lo[tight])).all()


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
@given(low=st.floats(-50, 50), size=st.floats(0, 8), inside=st.floats(0, 1))
def test_waves_of_intervals(name, low, size, inside):
    """With crests, troughs and poles inside or not; and not much wider than need be."""
    x = interval([low], [low + size])
    found, at = FUNCTIONS[name](x), arb(min(low + inside * size, low + size))
    assert not arb(float(found.lo[0])) > getattr(at, name)()
    assert not arb(float(found.hi[0])) < getattr(at, name)()
    if name != "tan":
        values = getattr(np, name)(np.linspace(low, low + size, 2000))
        assert found.lo[0] >= values.min() - 1e-5
        assert found.hi[0] <= values.max() + 1e-5


def test_waves_far_away(precise):
    x = np.array([1e7, -3e9, 1.5e300, 2.0**20 + 0.5])
    for name in ("sin", "cos"):
        found = FUNCTIONS[name](interval(x))
        for number, low, high in zip(x.tolist(), found.lo.tolist(), found.hi.tolist(), strict=True):
            assert arb(low) < getattr(arb(number), name)() < arb(high)
        assert (found.width < 1e-15).all()


def test_parts_of_constants(precise):
    for parts, whole in (
        ((outward.FIRST, outward.SECOND, outward.THIRD), arb.pi() / 2),
        ((outward.LN2_HIGH, outward.LN2_LOW), arb(2).log()),
    ):
        for part in parts:
            whole -= arb(part)
        assert abs(float(whole)) < 2.0**-53 * abs(parts[-1])
        digits = 20 if len(parts) == 3 else 11  # of the integers that the parts are multiplied by
        assert all(int(np.frexp(part)[0] * 2**53) % 2**digits == 0 for part in parts[:-1])


finite = st.floats(-1e300, 1e300) | st.floats(-1e-300, 1e-300) | st.integers(-9, 9).map(float)
ends = st.tuples(finite, finite).map(sorted)
OPERATIONS = {
    "add": (lambda x, y: x + y, lambda x, y: x + y), "subtract": (lambda x, y: x - y, lambda x, y: x - y),
    "multiply": (lambda x, y: x * y, lambda x, y: x * y), "divide": (lambda x, y: x / y, lambda x, y: x / y),
    "square": (lambda x, _: sqr(x), lambda x, _: x * x), "inverse": (lambda _, y: recip(y), lambda _, y: 1 / y),
    "cube": (lambda x, _: pown(x, 3), lambda x, _: x**3), "fourth": (lambda x, _: pown(x, 4), lambda x, _: x**4),
}  # fmt: skip


def holds(found, truth):
    low, high = float(found.lo[0]), float(found.hi[0])
    return (low == -np.inf or Fraction(low) <= truth) and (high == np.inf or truth <= Fraction(high))


@pytest.mark.parametrize("name", OPERATIONS)
@given(x=ends, y=ends)
def test_arithmetic_of_intervals(name, x, y):
    """All corners are inside; and of numbers the result is a number where it is a float."""
    operation, exactly = OPERATIONS[name]
    box = operation(interval([x[0]], [x[1]]), interval([y[0]], [y[1]]))
    for a in x:
        for b in y:
            if b == 0 and name in ("divide", "inverse"):
                continue
            truth = exactly(Fraction(a), Fraction(b))
            point = operation(interval([a]), interval([b]))
            assert holds(box, truth)
            assert holds(point, truth)
            size = abs(truth)
            if (
                name in ("add", "subtract", "multiply", "divide")
                and 1e-280 < min(size, abs(a)) <= max(size, abs(a)) < 1e290
            ):
                assert abs(Fraction(float(point.lo[0])) - truth) <= size / 2**51
                assert (point.lo[0] == point.hi[0]) == (Fraction(float(truth)) == truth)


@given(x=st.floats(0, 1e3), y=st.floats(-5, 5))
def test_powers(x, y):
    if x == 0 and y < 0:
        return
    found = pow(interval([x]), interval([y]))
    truth = arb(x) ** arb(y) if x or not y else arb(0)
    assert not truth.is_finite() or (not arb(float(found.lo[0])) > truth and not arb(float(found.hi[0])) < truth)


def test_zero_times_infinity_and_the_empty_interval():
    everything, zero, nothing = interval([-np.inf], [np.inf]), interval([0.0]), interval([1.0], [0.0])
    assert (everything * zero).hi == 0
    for x in (zero, everything):
        for found in (nothing + x, nothing * x, x * nothing, nothing / interval([2.0]), nothing & x, sqr(nothing)):
            assert np.isnan(found.lo).all()
            assert np.isnan(found.hi).all()
    assert all(np.isnan(function(nothing).lo).all() for function in FUNCTIONS.values())
    assert (recip(interval([0.0], [2.0])).lo, recip(interval([-2.0], [0.0])).hi) == (0.5, -0.5)
    assert recip(interval([-1.0], [2.0])).lo == -np.inf
    assert np.isnan(recip(zero).lo)


def test_what_overflows_is_between_the_largest_float_and_infinity():
    largest = np.finfo(float).max
    for found in (
        interval([largest]) + largest,
        interval([1e200]) * interval([1e200]),
        FUNCTIONS["exp"](interval([800.0])),
    ):
        assert (found.lo, found.hi) == (largest, np.inf)


@pytest.mark.parametrize("name", BODIES)
def test_compiled_functions_are_those_that_are_written(name):
    compile_, body = kernel("elementwise", np), BODIES[name]
    assert compile_ is not None
    random = np.random.default_rng(1)
    x = random.normal(size=(body.__code__.co_argcount, 500)) * 2.0 ** random.uniform(-40, 8, 500)
    x[0, :5] = 0.0, np.inf, -np.inf, np.nan, 1.0
    with np.errstate(all="ignore"):
        expected = np.asarray(body(*x), dtype=float)
        np.testing.assert_array_equal(compile_(body)(*x), expected)


def test_threads_share_nothing():
    from concurrent.futures import ThreadPoolExecutor

    x = np.linspace(-3, 3, 100_001)

    def work(_):
        found: Interval = FUNCTIONS["exp"](FUNCTIONS["sin"](interval(x)) * interval(x, x + 1e-3)) / 3.0
        return found.lo.sum(), found.hi.sum()

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(work, range(64)))) == 1
