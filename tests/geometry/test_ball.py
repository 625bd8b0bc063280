"""A ball on a grid, against exact fractions of the decimal numbers that people write, and arbitrary precision."""

import itertools
import math
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geometry._ball import Ball, ball_on_grid

EPSILON = np.finfo(float).eps
FAR = (10**6,)  # an array that no ball below fills
SPACINGS = ["0.1", "0.2", "0.3", "0.7", "1.1", "0.05", "0.01", "0.001", "3e-7", "2.54", "12.7", "0.0625", "1e-9", "3e5"]


# How far the ball reaches.


@pytest.mark.parametrize("spacing", SPACINGS)
def test_a_sample_on_the_rim_is_inside_in_decimal_spacings(spacing):
    h = float(spacing)
    for k in range(1, 1001):
        for radius in (k * h, float(k * Decimal(spacing))):
            ball = Ball(radius, (h,))
            assert ball.half_widths(FAR) == (k,), f"{radius!r} / {h!r}"
            # √ turns an error of a few ε of ρ² under the root into √ε.
            assert 0 <= ball.cap((k,))[k] <= math.sqrt(8 * EPSILON) * radius


@given(st.integers(1, 10**6), st.integers(-6, 3), st.integers(1, 10**3), st.integers(-6, 3))
def test_half_widths_are_those_of_the_decimal_numbers(radius, exponent, step, exponent_):
    exact = Fraction(radius) * Fraction(10) ** exponent, Fraction(step) * Fraction(10) ** exponent_
    # Two such numbers have a ratio that is whole, or misses the next whole number by 1/(step·10⁹), far above rounding
    # as long as the ratio is below 10⁶.
    ball = Ball(float(f"{radius}e{exponent}"), (float(f"{step}e{exponent_}"),))
    expected = min(exact[0] // exact[1], FAR[0] - 1)
    assert ball.half_widths(FAR) == (expected,)


def inside(radius: str, spacing: tuple[str, ...], shape: tuple[int, ...]) -> np.ndarray:
    """Which samples a ball contains, exactly, in decimal numbers."""
    squares = [[(m * Fraction(h)) ** 2 for m in range(n)] for h, n in zip(spacing, shape, strict=True)]
    limit = Fraction(radius) ** 2
    return np.array([sum(sum_) <= limit for sum_ in itertools.product(*squares)]).reshape(shape)


@pytest.mark.parametrize(
    ("radius", "spacing"),
    [
        *((str(n * Decimal("0.1")), ("0.1", "0.1")) for n in (3, 5, 10, 13, 17, 25, 29, 65, 85)),
        *((str(n * Decimal("0.7")), ("0.7", "0.7")) for n in (5, 13, 25)),
        *((str(n * Decimal("0.03")), ("0.01", "0.01")) for n in (5, 13, 25)),
        ("0.5", ("0.3", "0.4")),
        ("6.5", ("0.25", "0.6")),
        ("0.13", ("0.05", "0.012")),
        ("0.3", ("0.1", "0.1", "0.1")),
        ("0.9", ("0.1", "0.1", "0.1")),
        ("0.7", ("0.1", "0.2", "0.3")),
        ("0.4", ("0.1",) * 4),
    ],
)
def test_the_cap_contains_exactly_the_samples_of_the_ball(radius, spacing):
    ball = Ball(float(radius), tuple(map(float, spacing)))
    half = ball.half_widths(FAR * len(spacing))
    assert half == tuple(Fraction(radius) // Fraction(h) for h in spacing)
    cap = ball.cap(half)
    np.testing.assert_array_equal(cap > -np.inf, inside(radius, spacing, cap.shape))
    assert (cap[cap > -np.inf] >= 0).all()


@pytest.mark.parametrize("radius", [0.3, 2.0, 5.5, 100.0, 1e9, 1e300])
@pytest.mark.parametrize("n", [1, 2, 3, 10, 11])
def test_half_widths_end_with_the_array(radius, n):
    ball = Ball(radius, (1.0, 0.5))
    assert ball.half_widths((n, 2 * n)) == (min(math.floor(radius), n - 1), min(math.floor(2 * radius), 2 * n - 1))
    assert ball.half_widths((n, 2 * n), periodic=True) == (
        min(math.floor(radius), n // 2),
        min(math.floor(2 * radius), n),
    )


def test_a_radius_smaller_than_the_spacing_reaches_one_sample():
    assert Ball(0.999, (1.0, 2.0)).half_widths((5, 5)) == (0, 0)
    np.testing.assert_array_equal(Ball(0.999, (1.0, 2.0)).cap((0, 0)), [[0.999]])


# The cap.


def exact_cap(radius: float, spacing: tuple[float, ...], place: tuple[int, ...]) -> mpmath.mpf:
    """ρ² − |s|² of the floating-point numbers as they are."""
    return mpmath.mpf(radius) ** 2 - mpmath.fsum((m * mpmath.mpf(h)) ** 2 for m, h in zip(place, spacing, strict=True))


@given(
    st.floats(0.01, 40),
    st.lists(st.floats(0.2, 5), min_size=1, max_size=3),
    st.integers(-900, 900),
)
def test_cap_against_arbitrary_precision(radius, spacing, exponent):
    scale = 2.0**exponent
    ball = Ball(radius * scale, tuple(h * scale for h in spacing))
    cap = ball.cap(tuple(min(k, 5) for k in ball.half_widths(FAR * len(spacing))))
    n = len(spacing)
    for place in np.ndindex(*cap.shape):
        with mpmath.workprec(200):
            left = exact_cap(radius, tuple(spacing), place)
            # ρ² − |s|² in units of ρ²: 3 half-units ε/2 for a square, one for each of n − 1 sums, ρ² and the
            # difference; so e = (n + 4)·ε/2. Through √ it becomes e/w, and √e where w is about 0.
            error = (n + 4) * EPSILON / 2 * radius**2
            if left < -(n + 4) * EPSILON * radius**2:
                assert cap[place] == -np.inf
                continue
            assert left >= -2 * (n + 4) * EPSILON * radius**2 or cap[place] == -np.inf
            if cap[place] > -np.inf:
                w = mpmath.sqrt(max(left, 0))
                bound = min(error / w, math.sqrt(error)) if w > 0 else math.sqrt(2 * error)
                assert abs(cap[place] / scale - w) <= bound + EPSILON * w


@pytest.mark.parametrize("exponent", [-1000, -500, -3, 1, 500, 900, 1015])
def test_a_power_of_two_scales_the_cap_and_nothing_else(exponent):
    ball, scale = Ball(7.3, (0.1, 3.7)), 2.0**exponent
    scaled = Ball(7.3 * scale, (0.1 * scale, 3.7 * scale))
    half = ball.half_widths((90, 90))
    assert scaled.half_widths((90, 90)) == half
    np.testing.assert_array_equal(scaled.cap(half), ball.cap(half) * scale)


@pytest.mark.parametrize("radius", [5e-324, 1e-320, 1e-310, 3e-308, 1e-300, 1e300, 9.1e307, 1.7e308])
@pytest.mark.parametrize("spacing", [1e-320, 1.0, 1e10, 1e300])
def test_no_scale_overflows(radius, spacing):
    ball = Ball(radius, (spacing, 1.0))
    cap = ball.cap(ball.half_widths((4, 4)))
    assert cap[0, 0] == radius
    assert (cap[cap > -np.inf] >= 0).all()
    assert not np.isnan(cap).any()


def test_cap_falls_along_every_axis():
    cap = Ball(13.7, (0.3, 1.0, 2.2)).cap((45, 13, 6))
    for axis in range(3):
        near, far = (np.take(cap, range(*r), axis) for r in [(0, cap.shape[axis] - 1), (1, cap.shape[axis])])
        assert ((near > far) | (far == -np.inf)).all()


# Balls and ellipsoids from what the user writes.


def test_one_spacing_serves_all_axes():
    assert ball_on_grid(2, 0.5, 3) == ball_on_grid([2.0], np.array([0.5]), 3) == Ball(2.0, (0.5, 0.5, 0.5))
    assert ball_on_grid(np.float32(2), (1, 2), 2) == Ball(2.0, (1.0, 2.0))
    assert ball_on_grid((2.0, 2.0, 2.0), (0.1, 0.3), 2) == Ball(2.0, (0.1, 0.3))


@pytest.mark.parametrize(
    ("axes", "spacing"),
    [((3.0, 2.0), (1.0,)), ((0.5, 4.0), (0.1,)), ((3.0, 5.0, 0.7), (1.0, 0.25)), ((1e-3, 1e4, 1.0), (1e-4, 3e3))],
)
def test_an_ellipsoid_has_its_semi_axes(axes, spacing):
    ball = ball_on_grid(axes, spacing, len(spacing))
    *across, height = axes
    assert ball.half_widths(FAR * len(spacing)) == tuple(
        Fraction(str(a)) // Fraction(str(h)) for a, h in zip(across, spacing, strict=True)
    )
    cap = ball.cap(ball.half_widths(FAR * len(spacing)))
    for place in np.ndindex(*cap.shape):
        left = 1 - sum((m * mpmath.mpf(h) / a) ** 2 for m, h, a in zip(place, spacing, across, strict=True))
        # As above, with two more roundings in each spacing, which count twice in its square.
        error = (len(spacing) + 8) * EPSILON / 2
        if left < -2 * error:
            assert cap[place] == -np.inf
        elif left > error:
            w = mpmath.sqrt(left)
            assert abs(cap[place] / height - w) <= error / w + EPSILON * w


@pytest.mark.parametrize("spacing", ["0.1", "0.7", "0.05", "1.1"])
def test_a_sample_on_the_rim_of_an_ellipsoid_is_inside(spacing):
    for k, height in itertools.product(range(1, 100), ("0.3", "1", "7.7", "123")):
        ball = ball_on_grid((float(k * Decimal(spacing)), float(height)), float(spacing), 1)
        assert ball.half_widths(FAR) == (k,)


@pytest.mark.parametrize("name", ["radius", "spacing"])
@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (0, ValueError, "must be finite and positive, got 0"),
        (-1.0, ValueError, "must be finite and positive, got -1.0"),
        (math.nan, ValueError, "must be finite and positive, got nan"),
        (math.inf, ValueError, "must be finite and positive, got inf"),
        ((1.0, 0.0, 1.0), ValueError, "must be finite and positive"),
        ("1", TypeError, "got '1'"),
        (["a", "b", "c"], TypeError, "got .'a'"),
        (None, TypeError, "must be a number or a sequence of numbers, got None"),
        (1j, TypeError, "must be a number or a sequence of numbers, got 1j"),
        ({1.0}, TypeError, "must be a number or a sequence of numbers"),
        ([], ValueError, "must be a number or a sequence of numbers"),
        (np.ones((1, 1)), ValueError, r"got shape \(1, 1\)"),
        ([1.0, 2.0, 3.0, 4.0], ValueError, "got 4 numbers"),
        (np.ones(4), ValueError, "got 4 numbers"),
    ],
)
def test_what_is_no_ball_is_refused_by_name(name, value, error, message):
    arguments = {"radius": 1.0, "spacing": 1.0} | {name: value}
    with pytest.raises(error, match=f"^{name} .*{message}"):
        ball_on_grid(**arguments, ndim=2)


def test_the_number_of_semi_axes_and_spacings_is_that_of_the_axes():
    with pytest.raises(ValueError, match=r"^radius must be one number or 3 semi-axes, the height's last, got 2"):
        ball_on_grid((1.0, 2.0), 1.0, 2)
    with pytest.raises(ValueError, match=r"^spacing must be one number or one per axis \(2\), got 3 numbers$"):
        ball_on_grid(1.0, (1.0, 2.0, 3.0), 2)
