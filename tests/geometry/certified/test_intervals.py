"""Intervals and affine forms contain what they enclose: against python-flint's balls, one function at a time."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry import FunctionGraph
from geometry.arithmetic._forms import Record, box_form, differentiated, point_form
from geometry.arithmetic.intervals import FUNCTIONS, interval
from geometry.certified import offset_function
from geometry.expressions import record as recorded
from geometry.expressions._operations import NUMPY_NAMES, TABLE

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
def test_intervals_contain_the_function(name, a, b, inside):
    low, high = DOMAINS[name]
    ends = np.sort(low + (high - low) * np.array([a, b]))
    x = min(max(ends[0] + inside * (ends[1] - ends[0]), ends[0]), ends[1])
    truth = getattr(flint.arb(x), name)()
    found = FUNCTIONS[name](interval(ends[:1], ends[1:]))
    assert flint.arb(found.lo[0]) <= truth.upper()
    assert flint.arb(found.hi[0]) >= truth.lower()


@settings(max_examples=200)
@given(names, unit, st.floats(1e-9, 0.2), st.floats(-1, 1))
def test_a_form_contains_the_function_for_every_epsilon(name, where, size, epsilon):
    low, high = DOMAINS[name]
    center = low + (high - low) * np.clip(where, 0.3, 0.7)
    radius = size * (high - low)
    record = Record()
    form = TABLE[name].enclosure(box_form(np.array([[center]]), np.array([[radius]]), record))
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
    error = TABLE[name].enclosure(box_form(center, radius, Record())).center
    coarse, fine = (error.hi - error.lo)[:, 0]
    assert fine < coarse / 50  # 100, but for rounding and for the change of φ″


@pytest.mark.parametrize("power", [-3, -1, 0, 1, 2, 3, 7, 0.5, 2.5, -1.5])
def test_powers(power):
    form = box_form(np.array([[1.5]]), np.array([[0.25]]), Record()) ** power
    values = np.linspace(1.25, 1.75, 101) ** power
    whole = form.range()
    assert whole.lo[0, 0] <= values.min() * (1 + 1e-15)
    assert whole.hi[0, 0] >= values.max() * (1 - 1e-15)
    assert whole.hi[0, 0] - whole.lo[0, 0] <= 1.5 * np.ptp(values) + 1e-9


@settings(max_examples=100)
@given(
    st.sampled_from([0.0, 0.5, 1.0, 2.0]) | st.floats(0, 4),
    st.sampled_from([0.0, 0.5]) | st.floats(0, 3),
    st.sampled_from([-2.0, -1.5, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 2.75]),
    unit,
)
def test_powers_contain_those_of_mpmath(low, size, p, inside):
    """Of points and of intervals that touch 0, for exponents that are numbers, and that are forms."""
    x = low + size * inside
    if x == 0 and p < 0:
        return
    ends = (np.array([[low + size / 2]]), np.array([[np.nextafter(size / 2, 9) if size else 0.0]]))
    with mpmath.workdps(50):
        truth = mpmath.mpf(x) ** mpmath.mpf(p)
    for make in (box_form, lambda c, r, *rest: point_form(np.array([[x]]), *rest)):
        form = make(*ends, Record())
        for found in (form**p, form ** form.constant(p)):
            whole = found.range()
            assert whole.lo[0, 0] <= truth <= whole.hi[0, 0]


def test_a_power_of_zero_is_zero():
    for p in (0.5, 1.5, 7.3):
        found = offset_function(FunctionGraph(lambda t, p=p: t[..., 0] ** p), [0.0], 0.0)
        assert -1e-300 <= found.lower <= 0 <= found.upper <= 1e-300


@pytest.mark.parametrize(
    ("value", "truth"),
    [
        (lambda x: 1 / (1 / x), 0.0),
        (lambda x: 1 + x / np.inf, 1.0),
        (lambda x: np.exp(-np.inf + 0 * x), 0.0),
        (lambda x: 1 / x**-1.5, 0.0),
        (lambda x: np.exp(np.log(x)), 0.0),
        (lambda x: 3 - np.exp(-1 / (x - x) ** 2), 3.0),
        (lambda x: np.where(np.sqrt(x - 1) >= 0, 1 + 0 * x, 5 + 0 * x), 5.0),
        (lambda x: np.fmax(np.sqrt(x - 1), 0.5), 0.5),
        (lambda x: np.fmin(0.5, np.log(x - 1)), 0.5),
        (lambda x: np.where(np.isnan(np.sqrt(x - 1)), 2 + x, x), 2.0),
        (lambda x: np.where(np.isfinite(1 / x), 1 / x, 4.0), 4.0),
        (lambda x: (x - 1) ** (2 + x), 1.0),
        (lambda x: x**x, 1.0),
    ],
)
def test_what_numpy_makes_a_number_of_at_0_is_not_left_out(value, truth):
    """Infinities and NaN on the way to a finite value: at 0 itself, and in boxes around it."""
    with np.errstate(all="ignore"):
        assert value(np.zeros(1)) == truth

    expression, record = recorded(lambda t: value(t[..., 0]), 1), Record()
    with np.errstate(all="ignore"):
        point = differentiated(expression, point_form(np.zeros((1, 1)), record), 0)[0].range()
        assert point.lo[0] <= truth <= point.hi[0] or record.partial
        for center in (0.0, 0.25, -0.25):
            box = box_form(np.full((1, 1), center), np.full((1, 1), 0.25), Record())
            found = differentiated(expression, box, 0)[0].range()
            assert found.lo[0] <= truth <= found.hi[0]


def test_functions_are_restricted_to_where_they_are_defined():
    record = Record()
    theta = box_form(np.array([[0.0], [-3.0]]), np.array([[1.0], [1.0]]), record)
    root = TABLE["sqrt"].enclosure(theta).range()
    assert root.lo[0, 0] == 0
    assert root.hi[0, 0] == 1
    assert np.isnan(root.lo[1, 0])
    assert record.irregular


@pytest.mark.parametrize(
    "function",
    [
        lambda x: abs(x),
        TABLE["sign"].enclosure,
        TABLE["floor"].enclosure,
        lambda x: 1 / x,
        lambda x: x.choice(x > 0, 0 * x),
        lambda x: x.maximum(0 * x),
    ],
)
def test_what_is_not_smooth_over_a_box_is_noticed(function):
    for center, irregular in ((0.1, True), (0.7, False)):
        record = Record()
        found = function(box_form(np.array([[center]]), np.array([[0.2]]), record)).range()
        assert record.irregular == irregular
        for name in ("floor", "sign"):
            if function is TABLE[name].enclosure:
                values = getattr(np, name)(np.linspace(center - 0.2, center + 0.2, 12))
                assert ((found.lo[0, 0] <= values) & (values <= found.hi[0, 0])).all()


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=40))
def test_sums_contain_the_exact_sum(numbers):
    from fractions import Fraction

    exact = sum(map(Fraction, numbers))
    found = interval(np.array([numbers])).sum(1)
    assert found.lo[0] == -np.inf or Fraction(found.lo[0]) <= exact
    assert found.hi[0] == np.inf or exact <= Fraction(found.hi[0])


def test_sums_that_overflow_are_not_empty():
    large, beyond = np.finfo(float).max, np.inf
    for terms in ([(large, beyond)] * 9 + [(-beyond, -large)], [(large, beyond)] * 9, [(-beyond, -large)] * 9):
        low, high = np.array(terms).T
        found = interval(low, high).sum(0)
        assert found.lo < found.hi
        assert found.lo <= large


ENDS = [-np.inf, -1.7e308, -1e200, -30.0, -1.0, -0.5, -1e-300, 0.0, 5e-324, 0.5, 1.0, 30.0, 1e200, 1.7e308, np.inf]
NUMBERS = np.unique([*np.linspace(-5, 5, 101), *np.ravel([[e, e * 0.999, e * 1.001] for e in ENDS if abs(e) < np.inf])])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_intervals_of_all_sizes(name):
    """From the least number to no end at all, values of NumPy are inside, up to their rounding."""
    low, high = np.array([(a, b) for a in ENDS for b in ENDS if a <= b and a < np.inf and b > -np.inf]).T
    found = FUNCTIONS[name](interval(low, high))
    with np.errstate(all="ignore"):
        values = getattr(np, NUMPY_NAMES.get(name, name))(NUMBERS)
    slack = 1e-12 * np.abs(values) + 1e-300
    inside = (found.lo[:, None] - slack <= values) & (values <= found.hi[:, None] + slack)
    there = (low[:, None] <= NUMBERS) & (high[:, None] >= NUMBERS) & np.isfinite(values)
    assert there.any(1).sum() > 50
    assert (inside | ~there).all()


def test_products_of_forms_keep_what_they_have_in_common():
    theta = box_form(np.array([[1.0, 2.0]]), np.array([[1e-3, 1e-3]]), Record())
    x, y = theta[..., 0], theta[..., 1]
    zero = (x * y - y * x).range()
    assert zero.hi[0] - zero.lo[0] < 1e-5  # 3e-3 for intervals


# Functions of several numbers.

corners = st.tuples(*[st.floats(-3, 3)] * 2, *[st.floats(0, 2)] * 2)


@settings(max_examples=100)
@given(corners, unit, unit)
def test_the_angle_of_a_point_of_a_box(box, a, b):
    center, radius = np.array([box[:2]]), np.array([box[2:]])
    theta = box_form(center, radius, Record())
    angle = theta[..., 1].atan2(theta[..., 0]).range()
    x, y = (
        flint.arb(float(c)) + flint.arb(float(r)) * (2 * flint.arb(e) - 1)
        for c, r, e in zip(center[0], radius[0], (a, b), strict=True)
    )
    truth = flint.arb.atan2(y, x)
    assert truth.upper() >= flint.arb(angle.lo[0])
    assert truth.lower() <= flint.arb(angle.hi[0])
    assert angle.hi[0] - angle.lo[0] < 10


@pytest.mark.parametrize("turn", np.linspace(-3.1, 3.1, 9))
def test_angles_of_small_boxes(turn):
    """In all quadrants, with an excess of second order."""
    middle = 2 * np.array([[np.cos(turn), np.sin(turn)]])
    for size in (1e-3, 1e-5):
        record = Record()
        theta = box_form(middle, np.full((1, 2), size), record)
        angle = theta[..., 1].atan2(theta[..., 0])
        assert angle.range().lo[0] <= turn <= angle.range().hi[0]
        assert angle.center.hi[0] - angle.center.lo[0] < 3 * size**2 + 1e-14
        assert not record.irregular


def test_there_is_no_angle_where_the_coordinates_are_not_defined():
    record = Record()
    x = box_form(np.array([[-3.0], [-3.0]]), np.array([[1.0], [5.0]]), record)[..., 0]
    angle = TABLE["sqrt"].enclosure(x).atan2(x - 9.0).range()
    assert np.isnan(angle.lo[0])
    assert angle.lo[1] <= -np.pi < np.pi <= angle.hi[1]
    assert record.irregular
