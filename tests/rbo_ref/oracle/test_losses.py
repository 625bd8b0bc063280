"""Value, gradient and Hessian of the served losses against mpmath and against differences."""

import mpmath
import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry.arithmetic import ball_arrays as balls
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.losses import Bumps, Loss, Quadratic, Ridges
from tests.rbo_ref.oracle import drawing, multiprecision
from tests.rbo_ref.oracle.multiprecision import ball, numbers

DIGITS, BITS = 60, 128
KINDS = {"quadratic": drawing.quadratics, "ridges": drawing.ridges, "bumps": drawing.bumps}
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
few = settings(max_examples=settings.default.max_examples // 4)


@st.composite
def places(draw, kind, largest=4):
    """A loss of one term and a place."""
    d = draw(st.integers(1, largest))
    return Loss((draw(kind(d)),)), [float(t) for t in draw(drawing.vectors(d)) * 3]


def agrees(enclosure, truth, size):
    """The enclosure is tight, and the truth, good to some 55 digits of `size`, lies in it."""
    assert enclosure.rad() <= size * 2.0 ** (20 - BITS)
    assert enclosure.overlaps(ball(truth, size * 1e-50)), (enclosure, truth)


def size_of(loss, theta):
    """A bound for everything that a loss adds up, and its derivatives."""
    largest = 1 + max(abs(t) for t in theta)
    total = 1.0
    for term in loss.terms:
        match term:
            case Quadratic():
                total += np.abs(term.matrix).sum() + np.abs(term.slope).sum() + abs(term.height)
            case Ridges():
                steepest = 1 + np.abs(term.weights).sum(-1).max()
                exponent = np.abs(term.weights).sum(-1).max() * largest + np.abs(term.shifts).max()
                total += np.abs(term.amplitudes).sum() * steepest**2 * np.exp(exponent)
            case Bumps():
                widest = np.abs(term.centers).max() + largest
                total += abs(term.amplitude) * len(term.centers) * (1 + widest / term.square_width) ** 2
    return float(total) * largest**2 * len(theta) ** 2


@each_kind
@few
@given(data=st.data())
def test_value_and_gradient_as_mpmath_computes_them(kind, data):
    loss, theta = data.draw(places(kind))
    with mpmath.workdps(DIGITS), ctx.workprec(BITS):
        value, gradient = loss.value_and_gradient([arb(t) for t in theta])
        place, size = numbers(theta), size_of(loss, theta)
        agrees(value, multiprecision.value(loss, place), size)
        for entry, truth in zip(gradient, multiprecision.gradient(loss, place), strict=True):
            agrees(entry, truth, size)


@each_kind
@few
@given(data=st.data())
def test_gradient_and_hessian_are_the_derivatives_of_the_value(kind, data):
    """Central differences with h = 1e-20 err by h²f‴ and by 1e-100/h²: less than 1e-30 at 100 digits."""
    loss, theta = data.draw(places(kind, 3))
    d, size = len(theta), size_of(loss, theta)
    with mpmath.workdps(100), ctx.workprec(BITS):
        h, place = mpmath.mpf(10) ** -20, numbers(theta)

        def at(*moves):
            return multiprecision.value(loss, [t + h * sum(s for k, s in moves if k == i) for i, t in enumerate(place)])

        start = [arb(t) for t in theta]
        _, gradient = loss.value_and_gradient(start)
        hessian = loss.hessian(start)
        for i in range(d):
            slope = (at((i, 1)) - at((i, -1))) / (2 * h)
            assert gradient[i].overlaps(ball(slope, size**2 * 1e-30))
            for j in range(d):
                bend = at((i, 1), (j, 1)) - at((i, 1), (j, -1)) - at((i, -1), (j, 1)) + at((i, -1), (j, -1))
                assert hessian[i, j].overlaps(ball(bend / (4 * h**2), size**2 * 1e-30))
                assert hessian[i, j].rad() <= size * 2.0 ** (20 - BITS)


@each_kind
@few
@given(data=st.data(), radius=drawing.powers(-9, 0))
def test_balls_of_parameters_enclose_all_that_their_points_give(kind, data, radius):
    loss, theta = data.draw(places(kind))
    inside = [t + radius * float(s) for t, s in zip(theta, data.draw(drawing.vectors(len(theta))), strict=True)]
    box, point = [arb(t, radius * (1 + 1e-9)) for t in theta], [arb(t) for t in inside]
    value, gradient = loss.value_and_gradient(box)
    exact_value, exact_gradient = loss.value_and_gradient(point)
    wide, narrow = loss.hessian(box), loss.hessian(point)
    assert value.overlaps(exact_value)
    assert all(w.overlaps(n) for w, n in zip(gradient, exact_gradient, strict=True))
    assert all(w.overlaps(n) for w, n in zip(wide.flat, narrow.flat, strict=True))


@each_kind
@few
@given(data=st.data())
def test_a_hessian_is_symmetric(kind, data):
    loss, theta = data.draw(places(kind))
    hessian = loss.hessian([arb(t) for t in theta])
    assert all(one.overlaps(other) for one, other in zip(hessian.flat, hessian.T.flat, strict=True))


@few
@given(data=st.data(), d=st.integers(1, 4))
def test_a_loss_is_the_sum_of_its_terms(data, d):
    loss, theta = data.draw(drawing.losses(d)), [arb(float(t)) for t in data.draw(drawing.vectors(d))]
    value, gradient = loss.value_and_gradient(theta)
    parts = [Loss((term,)).value_and_gradient(theta) for term in loss.terms]
    assert value.overlaps(sum(v for v, _ in parts))
    assert all(g.overlaps(sum(entries)) for g, *entries in zip(gradient, *(g for _, g in parts), strict=True))
    total = sum(Loss((term,)).hessian(theta) for term in loss.terms)
    assert all(one.overlaps(other) for one, other in zip(loss.hessian(theta).flat, total.flat, strict=True))


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)
def test_the_losses_of_the_cases_where_they_are_asked(case):
    with mpmath.workdps(DIGITS), ctx.workprec(BITS):
        value, gradient = case.loss.value_and_gradient([arb(t) for t in case.theta])
        place = numbers(case.theta)
        truths = [multiprecision.value(case.loss, place), *multiprecision.gradient(case.loss, place)]
        for entry, truth in zip([value, *gradient], truths, strict=True):
            agrees(entry, truth, 1e6)  # Eq. 13 adds up 100 slopes of 1 and arguments up to 2e4


def test_softplus_far_from_zero():
    """log(1 + eᵘ) is eᵘ far below zero and u far above; the slope e^u/(1 + e^u) keeps all its digits."""
    loss = Loss((Ridges("softplus", np.ones((1, 1)), np.zeros(1), np.ones(1)),))
    for u in (-800.0, -50.0, 50.0, 800.0):
        with ctx.workprec(1300):
            value, (slope,) = loss.value_and_gradient([arb(u)])
            tail = arb(-abs(u)).exp()
            assert (value - max(u, 0.0) - tail).overlaps(-tail * tail / 2 + arb(0, tail**3))
            assert (slope - (1 if u > 0 else 0)).overlaps((-1 if u > 0 else 1) * tail + arb(0, 2 * tail * tail))


def test_products_of_balls_and_floats():
    """Of matrices that come and go, too: what is kept of one is not taken for another."""
    vector = balls.vector([arb(2), arb(-3), arb(5)])
    assert list(balls.matmul(vector, np.eye(3)) - vector) == [0, 0, 0]
    outer = balls.matmul(vector[:, None], vector[None, :])
    assert outer.shape == (3, 3)
    assert outer[1, 2] == -15
    for k in range(3 * balls.HELD):
        assert balls.matmul(vector, np.full((3, 1), float(k)))[0] == 4 * k


@each_kind
@few
@given(data=st.data())
def test_one_text_is_evaluated_on_batches_of_floats_too(kind, data):
    """Value, gradient and Hessian at several places at once, within the rounding of float64."""
    loss, theta = data.draw(places(kind))
    rows = np.array([theta, [t / 2 for t in theta]])
    graph, size = loss.graph, size_of(loss, theta) ** 2
    (value, gradient), hessian = graph.value_and_gradient(rows), graph.hessian(rows)
    for i, row in enumerate(rows.tolist()):
        with ctx.workprec(BITS):
            truth, slopes = loss.value_and_gradient([arb(t) for t in row])
            bends = loss.hessian([arb(t) for t in row]).flat
        numbers = zip([value[i], *gradient[i], *hessian[i].reshape(-1)], [truth, *slopes, *bends], strict=True)
        assert all(abs(float(found) - float(known.mid())) <= 1e-12 * size for found, known in numbers)
