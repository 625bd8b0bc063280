"""Intervals and affine forms contain what they enclose: against python-flint's balls, one function at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry.certified._forms import Record, box_form
from geometry.certified._functions import namespace as xp
from geometry.certified._intervals import add_up, engine, interval

pytest.importorskip("ival")
flint = pytest.importorskip("flint")

# Name, and an interval on which the function is defined.
DOMAINS = {
    "sin": (-9, 9), "cos": (-9, 9), "tan": (-1.5, 1.5), "exp": (-20, 9), "expm1": (-9, 9), "log": (1e-3, 9),
    "log1p": (-0.99, 9), "sqrt": (1e-3, 9), "sinh": (-9, 9), "cosh": (-9, 9), "tanh": (-9, 9), "asin": (-0.99, 0.99),
    "acos": (-0.99, 0.99), "atan": (-9, 9), "asinh": (-9, 9), "acosh": (1.01, 9), "atanh": (-0.99, 0.99),
}  # fmt: skip
names = st.sampled_from(sorted(DOMAINS))
unit = st.floats(0, 1)


@settings(max_examples=200)
@given(names, unit, unit, unit)
def test_both_libraries_contain_the_function(name, a, b, inside):
    low, high = DOMAINS[name]
    ends = np.sort(low + (high - low) * np.array([a, b]))
    x = min(max(ends[0] + inside * (ends[1] - ends[0]), ends[0]), ends[1])
    truth = getattr(flint.arb(x), name)()
    for library in ("ival", "arb"):
        kind = engine(library)
        found = getattr(kind, name)(kind.Interval(ends[:1], ends[1:]))
        assert flint.arb(found.lo[0]) <= truth.upper(), library
        assert flint.arb(found.hi[0]) >= truth.lower(), library


@settings(max_examples=200)
@given(names, unit, st.floats(1e-9, 0.2), st.floats(-1, 1))
def test_a_form_contains_the_function_for_every_epsilon(name, where, size, epsilon):
    low, high = DOMAINS[name]
    center = low + (high - low) * np.clip(where, 0.3, 0.7)
    radius = size * (high - low)
    record = Record()
    form = getattr(xp, name)(box_form(np.array([[center]]), np.array([[radius]]), interval, record))
    theta = flint.arb(center) + flint.arb(radius) * flint.arb(epsilon)
    truth = getattr(theta, name)()
    slopes = form.full_slopes()
    slope = flint.arb(slopes.lo[0, 0, 0]).union(flint.arb(slopes.hi[0, 0, 0]))
    rest = truth - slope * flint.arb(epsilon)
    assert rest.upper() >= flint.arb(form.center.lo[0, 0])
    assert rest.lower() <= flint.arb(form.center.hi[0, 0])
    assert not record.irregular


@pytest.mark.parametrize("name", sorted(DOMAINS))
def test_the_excess_is_of_second_order(name):
    low, high = DOMAINS[name]
    center, radius = np.full((2, 1), low + 0.6 * (high - low)), np.array([[1e-3], [1e-4]])
    error = getattr(xp, name)(box_form(center, radius, interval, Record())).center
    coarse, fine = (error.hi - error.lo)[:, 0]
    assert fine < coarse / 50  # 100, but for rounding and for the change of φ″


@pytest.mark.parametrize("power", [-3, -1, 0, 1, 2, 3, 7, 0.5, 2.5, -1.5])
def test_powers(power):
    form = box_form(np.array([[1.5]]), np.array([[0.25]]), interval, Record()) ** power
    values = np.linspace(1.25, 1.75, 101) ** power
    whole = form.range()
    assert whole.lo[0, 0] <= values.min() * (1 + 1e-15)
    assert whole.hi[0, 0] >= values.max() * (1 - 1e-15)
    assert whole.hi[0, 0] - whole.lo[0, 0] <= 1.5 * np.ptp(values) + 1e-9


def test_functions_are_restricted_to_where_they_are_defined():
    record = Record()
    theta = box_form(np.array([[0.0], [-3.0]]), np.array([[1.0], [1.0]]), interval, record)
    root = xp.sqrt(theta).range()
    assert root.lo[0, 0] == 0
    assert root.hi[0, 0] == 1
    assert np.isnan(root.lo[1, 0])
    assert record.irregular


@pytest.mark.parametrize(
    "function",
    [
        lambda x: abs(x),
        xp.sign,
        xp.floor,
        lambda x: 1 / x,
        lambda x: xp.where(x > 0, x, 0 * x),
        lambda x: xp.maximum(x, 0),
    ],
)
def test_what_is_not_smooth_over_a_box_is_noticed(function):
    for center, irregular in ((0.1, True), (0.7, False)):
        record = Record()
        found = function(box_form(np.array([[center]]), np.array([[0.2]]), interval, record)).range()
        assert record.irregular == irregular
        for x in np.linspace(center - 0.2, center + 0.2, 12):
            value = {"floor": np.floor, "sign": np.sign}.get(getattr(function, "__name__", ""))
            assert value is None or found.lo[0, 0] <= value(x) <= found.hi[0, 0]


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=40))
def test_sums_contain_the_exact_sum(numbers):
    from fractions import Fraction

    exact = sum(map(Fraction, numbers))
    found = add_up(interval(np.array([numbers])), 1)
    assert found.lo[0] == -np.inf or Fraction(found.lo[0]) <= exact
    assert found.hi[0] == np.inf or exact <= Fraction(found.hi[0])


def test_products_of_forms_keep_what_they_have_in_common():
    theta = box_form(np.array([[1.0, 2.0]]), np.array([[1e-3, 1e-3]]), interval, Record())
    x, y = theta[..., 0], theta[..., 1]
    zero = (x * y - y * x).range()
    assert zero.hi[0] - zero.lo[0] < 1e-5  # 3e-3 for intervals
