"""The arithmetic encloses: true values are exact, and floating programs end within the radius of them."""

from fractions import Fraction

import numpy as np
import pytest
from flint import ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry.arithmetic.batched import Batch, Counts
from geometry.arithmetic.formats import error_of, format_of
from geometry.arithmetic.rounded import Arithmetic
from rbo_ref.oracle.cases import all_cases
from tests.rbo_ref.oracle.drawing import losses, powers, vectors

NUMBERS = st.lists(st.floats(-8, 8, width=32).filter(lambda x: x == 0 or abs(x) > 1e-3), min_size=3, max_size=3)
UNARY = {
    "abs": np.abs,
    "root": lambda x: np.sqrt(np.abs(x)),
    "negative": np.negative,
    "total": lambda x: x * 0 + x.sum(),
}
BINARY = {
    "plus": np.add,
    "minus": np.subtract,
    "times": np.multiply,
    "over": lambda x, y: x / (y * y + 1),
    "least": np.minimum,
    "largest": np.maximum,
}
OURS = {
    "abs": abs,
    "root": lambda x: abs(x).sqrt(),
    "negative": lambda x: -x,
    "total": lambda x: x * 0 + x.sum(),
    "plus": lambda x, y: x + y,
    "minus": lambda x, y: x - y,
    "times": lambda x, y: x * y,
    "over": lambda x, y: x / (y * y + 1),
    "least": lambda x, y: x.minimum(y),
    "largest": lambda x, y: x.maximum(y),
}
PROGRAMS = st.lists(
    st.tuples(st.sampled_from([*UNARY, *BINARY]), st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=8
)


@pytest.fixture(autouse=True)
def precise():
    with ctx.workprec(256), np.errstate(all="ignore"):
        yield


def run(program, pool, functions):
    """Each instruction takes entries of the pool and adds its result."""
    for name, i, j in program:
        x, y = pool[i % len(pool)], pool[j % len(pool)]
        pool.append(functions[name](x) if name in UNARY else functions[name](x, y))
    return pool[-1]


@settings(deadline=None, max_examples=60)
@given(PROGRAMS, NUMBERS, NUMBERS, st.sampled_from(["float32", "float64"]))
def test_floating_programs_end_within_the_radius(program, x, y, dtype):
    arithmetic = Arithmetic(format_of(dtype))
    x, y = np.array(x, dtype=dtype), np.array(y, dtype=dtype)
    ours = run(program, [arithmetic.exact(x), arithmetic.exact(y)], OURS)
    theirs = run(program, [x, y], UNARY | BINARY)
    errors = error_of(theirs, list(ours.value.reshape(-1)))
    assert (errors <= ours.radius.reshape(-1)).all() or not np.isfinite(ours.radius).all()


@settings(deadline=None, max_examples=40)
@given(PROGRAMS, NUMBERS, NUMBERS)
def test_true_values_are_those_of_exact_fractions(program, x, y):
    program = [instruction for instruction in program if instruction[0] != "root"] or [("plus", 0, 1)]
    arithmetic = Arithmetic(format_of("float64"))
    ours = run(program, [arithmetic.exact(x), arithmetic.exact(y)], OURS)
    fractions = [np.array([Fraction(t) for t in numbers], dtype=object) for numbers in (x, y)]
    for ball, fraction in zip(ours.value.reshape(-1), run(program, fractions, UNARY | BINARY), strict=True):
        apart = abs(ball * fraction.denominator - fraction.numerator)
        assert apart.contains(0) or float(apart.upper()) < 2.0**-200 * fraction.denominator * max(1, abs(fraction))


@settings(deadline=None, max_examples=30)
@given(st.data(), st.integers(1, 5))
def test_gradients_follow_the_errors_of_their_place(data, d):
    """Anywhere in the box around θ, the served gradient is within the radius."""
    loss, theta = data.draw(losses(d)), data.draw(vectors(d))
    errors = np.abs(data.draw(vectors(d))) * data.draw(powers(-12, -1))
    arithmetic = Arithmetic(format_of("float64"))
    held = arithmetic.exact(theta)
    held.rest = errors
    height, slopes = arithmetic.evaluate(loss, held)
    there = theta + errors * data.draw(vectors(d)) * (1 - 1e-9)
    there = np.clip(there, theta - errors, theta + errors)
    value, gradient = loss.value_and_gradient(list(arithmetic.exact(there).value))
    slack = 1e-15 * (1 + np.abs(slopes.middle).max() + abs(float(height.middle)))  # of there itself
    assert abs(float((value - height.value.item()).mid())) <= float(height.radius) + slack
    for ball, truth, radius in zip(gradient, slopes.value, slopes.radius, strict=True):
        assert abs(float((ball - truth).mid())) <= radius + slack


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_of_matrices(dtype):
    random = np.random.default_rng(0)
    a, b = random.standard_normal((3, 4)).astype(dtype), random.standard_normal((4, 2)).astype(dtype)
    arithmetic = Arithmetic(format_of(dtype))
    product = arithmetic.exact(a) @ arithmetic.exact(b)
    errors = error_of(a @ b, list(product.value.reshape(-1))).reshape(3, 2)
    assert (errors <= product.radius).all()
    assert product.middle == pytest.approx(a.astype(np.longdouble) @ b.astype(np.longdouble), rel=1e-15, abs=1e-15)
    assert (product.radius < 50 * np.finfo(dtype).eps).all()
    assert (product.transposed().middle == product.middle.T).all()


def test_errors_that_come_back_cancel():
    """x − 0.9x keeps a tenth of an error that was anchored; as an interval it would be nearly doubled."""
    arithmetic = Arithmetic(format_of("float64"))
    x = arithmetic.exact([1.0])
    x.rest = np.array([1e-6])
    assert (x - x * 0.9375).radius == pytest.approx(1.9375e-6, rel=1e-6)
    x.anchor()
    assert (x - x * 0.9375).radius == pytest.approx(0.0625e-6, rel=1e-6)


def test_too_many_generators_become_a_box():
    arithmetic = Arithmetic(format_of("float64"))
    total = arithmetic.exact(np.ones((4, 4)))
    for _ in range(60):
        total = total + arithmetic.given(0.1)
        total.anchor()
    assert len(total.names) <= 600 + 16
    assert (total.radius > 0).all()


def test_hyper_parameters_may_be_rounded_or_not():
    single, double = (Arithmetic(format_of(dtype)).given(0.9) for dtype in ("float32", "float64"))
    assert single.radius == abs(float(np.float32(0.9)) - 0.9)
    assert double.radius == 0
    assert float(single.middle) == float(double.middle) == 0.9


def test_another_format_for_a_while():
    arithmetic = Arithmetic(format_of("float64"))
    third = 1 / arithmetic.exact([3.0])
    with arithmetic.within(format_of("float32")):
        assert third.again().radius[0] > 1e7 * third.radius[0]
    assert third.again().radius[0] < 3 * third.radius[0]


def test_what_nobody_can_bound_is_said_to_be_so():
    arithmetic = Arithmetic(format_of("float32"))
    zero = arithmetic.exact([0.0])
    zero.rest = np.array([1e-9])
    assert np.isinf(zero.reciprocal().radius).all()
    assert np.isinf((arithmetic.exact([1e30]) * 1e30).radius).all()
    assert zero.sqrt().radius == pytest.approx(1e-9**0.5, rel=1e-6)
    assert zero.sign().radius == 2
    lost = arithmetic.exact(all_cases("sam")[0].theta).lost()
    assert not np.isfinite(arithmetic.evaluate(all_cases("sam")[0].loss, lost)[1].radius).any()


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_a_power_errs_as_the_products_that_it_is_made_of(dtype):
    """In closed form, with what each product may flush to zero; also where the number or its error is zero."""
    arithmetic = Arithmetic(format_of(dtype))
    x = arithmetic.exact([0.9, -0.5, 1.0, 1.5, 0.0, 0.0]).doubted(np.array([1e-3, 0.0, 0.0, 1e-6, 1e-2, 0.0]))
    product = arithmetic.exact(np.ones(6))
    for times in range(9):
        np.testing.assert_allclose((x**times).middle, product.middle, rtol=1e-15)
        np.testing.assert_allclose((x**times).radius, product.radius, rtol=1e-12)
        product = product * x
    for exponent in (-1, 1.5):
        with pytest.raises(TypeError, match=f"a power of {exponent} is not known"):
            x**exponent


def test_each_step_of_a_batch_has_a_power_of_its_own():
    batch = Batch(format_of("float32"), is_served=True)
    rate = batch.given(0.9)
    together = rate ** (Counts(np.array([0, 2, 4])) + 1)
    for i, times in enumerate((1, 3, 5)):
        np.testing.assert_allclose(together.middle[..., i], (rate**times).middle[..., 0], rtol=1e-15)
        np.testing.assert_allclose(together.radius[..., i], (rate**times).radius[..., 0], rtol=1e-12)
