"""Correct rounding against CPython's, the processor's and mpmath's, and against its definition."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import assume, example, given
from hypothesis import strategies as st

from geometry.arithmetic.formats import exact, format_of, nearest, rounded
from tests.rbo_ref.oracle.multiprecision import fraction

FORMATS = ("float16", "float32", "float64", "longdouble")
each_format = pytest.mark.parametrize("name", FORMATS)
formats = st.sampled_from(FORMATS).map(format_of)
doubles = st.floats(allow_nan=False, allow_infinity=False)


def dyadic(bits=130, exponents=(-1200, 1100)):
    """Exact balls man·2^exp; narrow significands make ties and numbers of the format likely."""
    man = st.integers(0, bits).flatmap(lambda b: st.integers(-(2**b), 2**b))
    return st.builds(lambda m, e: arb((m, e)), man, st.integers(*exponents))


def neighbours(number):
    with np.errstate(all="ignore"):
        return np.nextafter(number, number.dtype.type(-np.inf)), np.nextafter(number, number.dtype.type(np.inf))


def is_even(number, target):
    """Whether the last bit of the significand is 0."""
    man, exponent = (int(x) for x in exact(number).man_exp())
    return man == 0 or exponent > max(target.least, abs(man).bit_length() + exponent - target.precision)


@each_format
def test_a_format_is_what_numpy_says(name):
    target, info = format_of(name), np.finfo(name)
    one = np.ones((), target.dtype)[()]
    assert np.ldexp(one, target.least) == info.smallest_subnormal == np.nextafter(0 * one, one)
    assert fraction(info.max) == Fraction(2) ** target.most * (1 - Fraction(1, 2**target.precision))
    assert fraction(info.smallest_normal) == Fraction(2) ** (target.least + target.precision - 1)
    assert one + one * target.unit == one < one + one * target.unit * (1 + 2 * info.eps)


def test_a_format_of_integers_does_not_exist():
    with pytest.raises(TypeError, match="dtype must be a floating dtype, got int32"):
        format_of("int32")


@given(doubles)
def test_a_double_is_exact(number):
    assert fraction(exact(number)) == Fraction(number)
    assert fraction(exact(np.float64(number))) == Fraction(number)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_single_is_exact(number):
    assert fraction(exact(np.float32(number))) == Fraction(number)


@given(doubles, st.floats(-1, 1))
def test_a_long_double_is_exact(high, low):
    with np.errstate(all="ignore"):
        number = np.longdouble(high) + np.longdouble(low) * np.spacing(np.longdouble(high)) * 2.0**40
        assume(1e-280 < abs(number) < 1e308)
        rest = number - np.longdouble(float(number))  # exact: it has fewer bits than the number
    assert fraction(exact(number)) == Fraction(float(number)) + Fraction(float(rest))


@pytest.mark.parametrize("power", [-16445, -16382, -1075, 1024, 16383])
def test_a_long_double_beyond_doubles_is_exact(power):
    if not format_of("longdouble").least <= power < format_of("longdouble").most:
        pytest.skip("long double is no wider than double here")
    assert fraction(exact(np.ldexp(np.longdouble(-1), power))) == -(Fraction(2) ** power)


@given(dyadic())
@example(arb((2**54 - 1, 970)))  # half a unit above the largest double: a tie that goes to infinity
@example(arb((2**55 - 3, 969)))  # a little below it
@example(arb((1, -1075)))  # half of the smallest double: a tie that goes to zero
@example(arb((3, -1075)))  # and one that goes to its double
@example(arb((2**53 + 1, 0)))
@example(arb((2**53 + 3, 0)))
def test_doubles_as_cpython_rounds_fractions(number):
    try:
        truth = float(fraction(number))
    except OverflowError:
        truth = math.copysign(math.inf, number.mid())
    result = nearest(number, format_of("float64"))
    assert type(result) is np.float64
    assert result == truth


@pytest.mark.parametrize("name", ["float16", "float32"])
@given(number=doubles)
@example(number=65519.999)
@example(number=65520.0)  # the tie between the largest half and infinity
@example(number=2.0**-25)
@example(number=3 * 2.0**-25)
@example(number=2.0**-149 * 1.5)
@example(number=-1e-60)
def test_narrow_formats_as_the_processor_casts(name, number):
    with np.errstate(all="ignore"):
        truth = np.float64(number).astype(name)
    result = nearest(exact(number), format_of(name))
    assert result.dtype == name
    assert result == truth


@given(dyadic(exponents=(-16000, 15000)))
def test_long_doubles_as_mpmath_rounds(number):
    if format_of("longdouble").precision != 64:
        pytest.skip("long double is not the 80-bit format here")
    with mpmath.workprec(64):
        truth = +mpmath.mpf(tuple(int(x) for x in number.man_exp()))
    assert fraction(nearest(number, format_of("longdouble"))) == fraction(truth)


@given(formats, dyadic(exponents=(-300, 150)), st.integers(-3, 3))
def test_nearest_is_nearest_and_ties_are_even(target, number, near_the_least):
    """The definition, also among the subnormal numbers of every format."""
    for place in (number, arb((number.man_exp()[0], target.least + near_the_least))):
        result = nearest(place, target)
        if not np.isfinite(result):
            assert abs(fraction(place)) >= (fraction(np.finfo(target.dtype).max) + Fraction(2) ** target.most) / 2
            continue
        error = abs(fraction(result) - fraction(place))
        for other in neighbours(result):
            if np.isfinite(other):
                distance = abs(fraction(other) - fraction(place))
                assert error < distance or (error == distance and is_even(result, target))


@pytest.mark.parametrize("name", ["float16", "bfloat16", "tf32", "float32"])
@given(number=doubles)
@example(number=1.0 + 2.0**-8 + 2.0**-40)  # rounded twice, through float32, it would go to 1
@example(number=2.0**-134)
@example(number=3 * 2.0**-134)
@example(number=2.0**128 - 2.0**119)  # the tie between the largest bfloat16 and infinity
def test_arrays_are_rounded_as_balls(name, number):
    target = format_of(name)
    assert rounded([number], target)[0] == nearest(exact(number), target)
    assert np.isnan(rounded(np.nan, target))
    assert rounded(-np.inf, target) == -np.inf


@given(formats, dyadic(bits=60, exponents=(-40, 20)), st.integers(-90, -1))
def test_a_ball_is_rounded_as_all_its_points_or_not_at_all(target, middle, width):
    radius = max(abs(middle), 1) * arb((1, width))
    wide = arb(middle, radius.mid())
    with ctx.workprec(256):
        ends = [nearest(end.mid(), target) for end in (wide.lower(), wide.mid(), wide.upper())]
        result = nearest(wide, target)
    if result is None:
        assert ends[0] < ends[2]
    else:
        assert all(end == result for end in ends)


@each_format
def test_a_ball_about_a_tie_is_not_rounded(name):
    target = format_of(name)
    with ctx.workprec(256):
        tie = 1 + arb((1, -target.precision))
        assert nearest(tie, target) == 1
        assert nearest(arb(tie.mid(), arb((1, -200))), target) is None
        assert nearest(arb(1, arb((1, -target.precision - 2))), target) == 1
        assert nearest(arb(1, 0.5), target) is None


@each_format
def test_numbers_out_of_range(name):
    target = format_of(name)
    assert nearest(arb(1e15).exp().mid(), target) == np.inf
    assert nearest(-arb(1e15).exp().mid(), target) == -np.inf
    assert nearest(arb(-1e15).exp(), target) == 0  # an exponent that no machine could shift by
    assert nearest(arb(0), target) == 0
    beyond = arb((1, target.most))
    assert nearest(arb(3 * beyond, beyond), target) == np.inf
    assert nearest(arb(beyond, beyond), target) is None


@pytest.mark.parametrize("nothing", [arb("nan"), arb(0, "inf"), arb("inf")])
def test_what_is_not_finite_has_no_nearest_number(nothing):
    assert nearest(nothing, format_of("float64")) is None


@each_format
@given(number=dyadic(exponents=(-60, 0)))
def test_rounding_is_odd(name, number):
    target = format_of(name)
    with ctx.workprec(256):
        assert nearest(-number, target) == -nearest(number, target)
