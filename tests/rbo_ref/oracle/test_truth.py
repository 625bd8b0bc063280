"""The true step against 80-digit arithmetic, closed forms and the definition of correct rounding."""

from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry.arithmetic.formats import error_of, exact, format_of, midpoints
from geometry.arithmetic.rounded import Arithmetic
from rbo_ref.oracle import RightPort, truth
from rbo_ref.oracle.cases import all_cases, select
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.dialects import DIALECTS, Hyper
from rbo_ref.oracle.formulas import FORMULAS
from rbo_ref.oracle.losses import Loss, Quadratic, Ridges, correctly_rounded
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.step_formats import Formats
from rbo_ref.oracle.truth import iterated
from tests.rbo_ref.oracle import drawing, multiprecision
from tests.rbo_ref.oracle.multiprecision import ball, fraction, numbers

CASES = {case.id: case for case in all_cases()}
DOUBLE, SINGLE = format_of("float64"), format_of("float32")
AUTHORS = DIALECTS["authors"]
each_dialect = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def true_step(loss, theta, hyper, dialect, target):
    return truth.true_step(loss, theta, hyper._asdict(), dialect, target)


def step_of(case, dialect=AUTHORS, target=DOUBLE):
    return truth.true_step(case.loss, tuple(case.start(target)), case.hyper(0), dialect, target)


def within(enclosures, truths, slack):
    """Every truth lies in its ball, but for `slack` times the largest entry."""
    size = max(abs(float(t)) for t in truths)
    return all(e.overlaps(ball(t, size * slack)) for e, t in zip(enclosures, truths, strict=True))


@each_dialect
@each_case
def test_the_step_of_every_case_as_80_digits_compute_it(case, dialect):
    step = step_of(case, dialect)
    chaotic = case.id == "eq13-paper"  # its inner loop eats some 100 digits
    with mpmath.workdps(200 if chaotic else 80):
        start = numbers(case.start(DOUBLE))
        known = multiprecision.algorithm_1(case.loss, start, Hyper(**case.hyper(0)), dialect.factor, dialect.start)
    for name in ("normal", "tangent", "center", "candidate"):
        assert within(step.parts[name].value, known[name], 1e-70), name
    assert len(step.inner) == len(known["inner"]) == 1 + case.hyper(0)["projection_steps"]
    assert all(within(mine, theirs, 1e-50) for mine, theirs in zip(step.inner, known["inner"], strict=True))
    assert list(step.theta.value) == list(step.inner[-1])


@each_case
def test_every_enclosure_is_tighter_than_rounding(case):
    for target in (SINGLE, DOUBLE):
        step = step_of(case, target=target)
        assert step.is_tight
        assert set(step.parts) == {"normal", "tangent", "center", "candidate"}
        for vector in step.parts.values():
            assert all(x.rad() <= abs(x.mid()) * target.unit / 2**19 + 2.0**-1000 for x in vector.value)
        for theta in step.inner:
            largest = np.abs(midpoints(theta)).max()
            assert all(float(x.rad()) <= largest * target.unit / 2**19 for x in theta)


def test_the_precision_is_doubled_until_the_chaos_of_equation_13_is_resolved(monkeypatch):
    asked = []

    class Spied(RightPort):
        def lifted(self, theta):
            asked.append(ctx.prec)
            return super().lifted(theta)

    monkeypatch.setitem(FORMULAS["rolling-ball"], "authors", Spied)
    truth._alone.cache_clear()
    step = step_of(CASES["eq13-paper"])
    assert asked[0] == 128
    assert all(later == 2 * before for before, later in pairwise(asked))
    monkeypatch.setattr(truth, "PRECISIONS", (asked[-2],))
    truth._alone.cache_clear()
    (hasty,), (tight,) = step_of(CASES["eq13-paper"]).theta.value, step.theta.value
    truth._alone.cache_clear()
    assert hasty.rad() > 1e-22  # what half the precision knows is less than a double can tell
    assert tight.rad() < 1e-22
    assert hasty.overlaps(tight)


def test_a_double_computes_equation_13_as_printed_with_no_digit_right():
    """The reason for levels: the step is well-defined, and no port can compute it."""
    step = step_of(CASES["eq13-paper"])
    eta, rho, gamma, steps = Hyper(**CASES["eq13-paper"].hyper(0))
    k = np.arange(1.0, 101.0)

    def loss(theta):
        return np.sum(np.sin(k**2 * theta) / k**2), np.sum(np.cos(k**2 * theta))

    theta = 2.0
    f, g = loss(theta)
    x, y = theta - (rho / np.sqrt(1 + g * g) + eta) * g, f + rho / np.sqrt(1 + g * g) - eta * g * g
    for _ in range(steps):
        f, g = loss(theta)
        theta = theta - gamma * ((theta - x) + (f - y) * g)
    assert abs(theta - step.theta.middle[0]) > 1e-3


def test_a_walk_that_was_judged_is_not_computed_again(monkeypatch):
    (case,) = select("adam", "short-bowl")
    setting = Setting(np, Formats(DOUBLE), "paper", 1.0)
    places = [case.start(DOUBLE) * (1 + t) for t in range(4)]
    judged = truth.Truth(case, setting)
    steps = [judged.step(place, kept=t > 0) for t, place in enumerate(places)]
    monkeypatch.setattr(truth._Walk, "step", None)
    again = truth.Truth(case, setting)
    assert all(again.step(place, kept=t > 0) is step for t, (place, step) in enumerate(zip(places, steps, strict=True)))
    with pytest.raises(TypeError):
        again.step(places[0])  # where nobody has been


def test_a_step_that_explodes_is_said_to_be_unknown():
    loss = Loss((Ridges("exp", np.ones((1, 1)), np.zeros(1), np.ones(1)),))
    hyper = Hyper(1.0, 1.0, 1.0, 30)
    step = true_step(loss, (np.float64(-5.0),), hyper, AUTHORS, DOUBLE)
    assert step.is_tight
    with ctx.workprec(128):
        assert not true_step(loss, (np.float64(3.0),), hyper, DIALECTS["full-contact"], DOUBLE).is_tight


# --- closed forms ---------------------------------------------------------------------------------------------------

HYPER = Hyper(0.5, 4.0, 0.125, 6)
LINE = Loss((Quadratic(np.zeros((1, 1)), np.array([0.75]), 0.5),))  # W = 5/4: everything is rational
PLANE = Loss((Quadratic(np.zeros((2, 2)), np.array([0.75, -1.0]), 0.5),))


def as_fractions(vector):
    return [fraction(number) for number in vector]


def holds(enclosures, *truths):
    with ctx.workprec(1000):
        return all(e.overlaps(arb(t.numerator) / t.denominator) for e, t in zip(enclosures, truths, strict=True))


def test_the_ball_on_a_line_in_rational_numbers():
    step = true_step(LINE, (np.float64(3.0),), HYPER, AUTHORS, DOUBLE)
    theta, f, g, w = Fraction(3), Fraction(11, 4), Fraction(3, 4), Fraction(5, 4)
    assert holds(step.parts["normal"].value, -g / w, 1 / w)
    assert holds(step.parts["tangent"].value, g, g * g)
    assert holds(step.parts["center"].value, theta - 4 * g / w, f + 4 / w)
    assert holds(step.parts["candidate"].value, theta - 4 * g / w - g / 2, f + 4 / w - g * g / 2)


@pytest.mark.parametrize("steps", [1, 2, 7, 40])
def test_on_a_plane_the_inner_loop_goes_to_the_foot_of_the_candidate_in_powers(steps):
    """θ^(P) − θ* = (1 − cγW²)^P (θ^(0) − θ*) along the gradient, with θ* = θ − ηg and the dialect's c."""
    eta, rho, gamma = (Fraction(x) for x in HYPER[:3])
    for dialect in DIALECTS.values():
        step = true_step(LINE, (np.float64(3.0),), HYPER._replace(projection_steps=steps), dialect, DOUBLE)
        theta, g, w = Fraction(3), Fraction(3, 4), Fraction(5, 4)
        start = theta if dialect.start == "contact" else theta - (rho / w + eta) * g
        foot = theta - eta * g
        assert holds(step.theta.value, foot + (1 - dialect.factor * gamma * w * w) ** steps * (start - foot))


def test_one_inner_iteration_on_a_plane_moves_by_gamma_eta_w_squared_g():
    g = [Fraction(3, 4), Fraction(-1)]
    hyper = Hyper(0.3, 0.7, 0.11, 1)  # doubles, taken as the binary fractions that they are
    step = true_step(PLANE, (np.float64(3.0), np.float64(-2.0)), hyper, AUTHORS, DOUBLE)
    stretch = 1 + g[0] ** 2 + g[1] ** 2
    move = Fraction(hyper.projection_rate) * Fraction(hyper.learning_rate) * stretch
    assert holds(step.theta.value, 3 - move * g[0], -2 - move * g[1])


@settings(max_examples=settings.default.max_examples // 4)
@given(data=st.data(), d=st.integers(1, 5), hyper=drawing.hypers())
def test_the_first_inner_iteration_from_the_contact_does_not_depend_on_the_radius(data, d, hyper):
    """θ − x = (ρ/W + η)g and f − y = −ρ/W + η|g|², so that the first pull is ηW²g whatever the loss."""
    loss, place = data.draw(drawing.losses(d)), data.draw(drawing.vectors(d))
    for dialect in (AUTHORS, DIALECTS["full-contact"]):
        step = true_step(loss, tuple(place), hyper._replace(projection_steps=1), dialect, DOUBLE)
        with ctx.workprec(500):
            rate = arb(hyper.projection_rate) * dialect.factor * hyper.learning_rate
            tangent = step.parts["tangent"].value
            w_squared = 1 + tangent[-1]
            for new, old, g in zip(step.theta.value, place, tangent, strict=False):
                assert new.overlaps(arb(float(old)) - rate * w_squared * g)


def test_at_a_bottom_nothing_moves():
    loss = Loss((Quadratic(np.eye(3), np.zeros(3), -7.0),))
    step = true_step(loss, (np.float64(0.0),) * 3, Hyper(0.1, 2.0, 0.3, 5), AUTHORS, DOUBLE)
    assert holds(step.parts["normal"].value, 0, 0, 0, 1)
    assert holds(step.parts["candidate"].value, 0, 0, 0, -5)
    assert holds(step.theta.value, 0, 0, 0)


def test_one_inner_iteration_by_hand():
    """f = θ²/2 at θ = 2 with the candidate (1, 5) and γ = 1/8: 2 − ((2 − 1) + (2 − 5)·2)/8 = 21/8."""
    loss = Loss((Quadratic(np.eye(1), np.zeros(1)),))
    case = Case("bowl", loss, (2.0,), (Hyper(1.0, 1.0, 0.125, 1),))
    goal = Arithmetic(DOUBLE).exact([1.0, 5.0])
    after = iterated(case, case.hyper(0), np.array([2.0]), goal, Setting(np, Formats(DOUBLE), "authors", 1.0))
    assert holds(after.value, Fraction(21, 8))


# --- the served loss ------------------------------------------------------------------------------------------------


def is_nearest(number, truth, slack):
    """Whether no neighbour of the number is nearer to the truth, which is known to `slack`."""
    error = abs(fraction(number) - truth)
    towards = (number.dtype.type(-np.inf), number.dtype.type(np.inf))
    others = (np.nextafter(number, end) for end in towards)
    return all(error <= abs(fraction(other) - truth) + slack for other in others)


@pytest.mark.parametrize("name", ["float16", "float32", "float64", "longdouble"])
@each_case
def test_the_served_numbers_are_the_nearest_of_their_format(case, name):
    target = format_of(name)
    theta = case.start(target)
    value, gradient = correctly_rounded(case.loss, tuple(theta), target)
    assert value.dtype == gradient.dtype == target.dtype
    with mpmath.workdps(100):
        place = [mpmath.mpf(int(f.numerator)) / int(f.denominator) for f in as_fractions(theta)]
        truths = [multiprecision.value(case.loss, place), *multiprecision.gradient(case.loss, place)]
        for number, known in zip([value, *gradient], truths, strict=True):
            assert is_nearest(number, fraction(known), Fraction(10) ** -90)


@settings(max_examples=settings.default.max_examples // 2)
@given(data=st.data(), d=st.integers(1, 4), target=st.sampled_from([DOUBLE, SINGLE]))
def test_drawn_losses_are_served_correctly_rounded(data, d, target):
    loss = data.draw(drawing.losses(d))
    theta = data.draw(drawing.vectors(d)).astype(target.dtype)
    value, gradient = correctly_rounded(loss, tuple(theta), target)
    with mpmath.workdps(100):
        place = numbers(theta)
        truths = [multiprecision.value(loss, place), *multiprecision.gradient(loss, place)]
        for number, known in zip([value, *gradient], truths, strict=True):
            assert is_nearest(number, fraction(known), (1 + abs(fraction(known))) * Fraction(10) ** -80)


def test_a_value_that_is_exactly_zero_is_served_as_zero():
    """f = θ₀ − θ₁ at equal entries, and a tie, which no precision can certify either."""
    loss = Loss((Quadratic(np.zeros((2, 2)), np.array([1.0, -1.0])),))
    assert correctly_rounded(loss, (np.float64(0.1), np.float64(0.1)), DOUBLE)[0] == 0
    sine = Loss((Ridges("sin", np.array([[1.0, -1.0]]), np.zeros(1), np.ones(1)),))
    assert correctly_rounded(sine, (np.float64(0.1), np.float64(0.1)), DOUBLE)[0] == 0
    tie = Loss((Quadratic(np.zeros((1, 1)), np.array([1.0]), 2.0**-53),))
    assert correctly_rounded(tie, (np.float64(1.0),), DOUBLE)[0] == 1


@pytest.mark.parametrize("theta", [1e3, 1e300])
def test_what_no_number_can_hold_is_served_as_infinity(theta):
    loss = Loss((Ridges("exp", np.ones((1, 1)), np.zeros(1), np.array([-1.0])),))
    value, gradient = correctly_rounded(loss, (np.float64(theta),), DOUBLE)
    assert value == gradient[0] == -np.inf


# --- errors ---------------------------------------------------------------------------------------------------------


def test_errors_are_distances_to_the_ball():
    numbers = np.array([1.0, -1.0, 3.0, np.nan, np.inf])
    errors = error_of(numbers, [arb(1), arb(1), arb(1, 0.5), arb(0), arb(0)])
    np.testing.assert_array_equal(errors[:2], [0, 2])
    assert 2.5 <= errors[2] < 2.5 + 1e-8
    assert np.isinf(errors[3:]).all()


@given(st.floats(-1e10, 1e10), st.floats(-1e10, 1e10))
def test_an_error_is_exact_before_it_is_rounded_up(number, other):
    error = error_of(np.array([number]), [exact(other)])[0]
    assert abs(Fraction(number) - Fraction(other)) <= Fraction(error) * (1 + Fraction(1, 2**50))
    assert Fraction(error) <= abs(Fraction(number) - Fraction(other)) * (1 + Fraction(1, 2**50))
