"""Running errors against the balls of python-flint and against floats of other widths."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry.arithmetic import number_arrays
from geometry.arithmetic.formats import format_of
from geometry.arithmetic.running import Rounding, Running
from geometry.expressions import record
from rbo_ref.landscapes import LANDSCAPES

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # an overflow makes a radius infinite
TINY = 1e-300  # balls of numbers near zero: their radii are not smaller

FORMULAS = {  # name: formula in a namespace, and where it is smooth
    "polynomial": (lambda xp, x: x**3 - 2 * x * x + x / 3 - 1, -5, 5),
    "waves": (lambda xp, x: xp.sin(7 * x) + xp.cos(x) * x, -9, 9),
    "bell": (lambda xp, x: xp.exp(-(x**2)) + xp.expm1(x / 4), -4, 4),
    "softplus": (lambda xp, x: xp.log1p(xp.exp(x)) + xp.log(2 + x * x), -8, 8),
    "root": (lambda xp, x: xp.sqrt(1 + x**2) - 1 / (3 + x), -2, 5),
    "hyperbolic": (lambda xp, x: xp.tanh(x) + xp.sinh(x / 2) - xp.cosh(x / 3), -4, 4),
    "angle": (lambda xp, x: xp.atan(3 * x) + xp.tan(x / 4), -5, 5),
    "inverse": (lambda xp, x: xp.asin(x / 9) + xp.acos(x / 8) * xp.asinh(x) - xp.atanh(x / 9), -5, 5),
    "kinks": (lambda xp, x: xp.abs(x - 1) + xp.maximum(x, 0.25 * x) - xp.where(x > 2, x - 2, 0 * x), -4, 4),
    "powers": (lambda xp, x: (x + 6) ** 1.5 + (x + 6) ** -2 + 2**x, -5, 3),
    "steps": (lambda xp, x: xp.round(x) + xp.floor(x / 2) * x, -4, 4),
    "sums": (lambda xp, x: xp.sum(xp.stack([x, 2 * x, x * x]), axis=0) + xp.max(xp.stack([x, -x / 3]), axis=0), -4, 4),
    "pairs": (lambda xp, x: xp.hypot(x, x - 1) + xp.logaddexp(x, 2 * x) + xp.atan2(x, 9 + x), -4, 4),
}  # fmt: skip


def numbers(middle: float, reach: float, rounding: Rounding) -> Running:
    return Running(rounding, np.array([middle]), np.array([reach]))


def truth(formula, x: float, bits: int = 200) -> arb:
    """By what the formula was recorded to do."""
    expression = record(lambda theta: formula(theta.__array_namespace__(), theta)[0], 1)
    with ctx.workprec(bits):
        return expression.balls([arb(x)])[0].item()


def bound(found) -> float:
    return float(np.broadcast_to(found, (1,))[0]) * (1 + 1e-12) + TINY  # bounds are rounded to nearest


@pytest.mark.parametrize("name", FORMULAS)
@settings(max_examples=30, deadline=None)
@given(share=st.floats(0, 1), inside=st.floats(-1, 1), exponent=st.integers(-40, -1))
def test_the_reach_holds_the_truth_over_a_box(name, share, inside, exponent):
    formula, low, high = FORMULAS[name]
    middle = low + share * (high - low)
    radius = 2.0**exponent * (high - low) / 4
    found = formula(number_arrays, numbers(middle, radius, Rounding()))
    if not np.isfinite(found.reach[0]):
        return
    place = middle + inside * radius
    with ctx.workprec(200):
        error = abs(truth(formula, place) - arb(float(found.middle[0])))
    slack = abs(place - middle) - radius  # rounding of `place` may leave the box
    assert slack > 0 or float(error) <= bound(found.reach)


@pytest.mark.parametrize("name", FORMULAS)
@settings(max_examples=30, deadline=None)
@given(share=st.floats(0, 1, width=32), inside=st.floats(-1, 1))
def test_errors_bound_the_rounding_of_narrower_floats(name, share, inside):
    """At the middle of a box, and at the places around it."""
    formula, low, high = FORMULAS[name]
    middle = low + share * (high - low)
    found = formula(number_arrays, numbers(middle, 2.0**-10, Rounding(format_of("float32"))))
    place = np.float32(middle + inside * 2.0**-11)
    narrow = formula(np, np.array([place], dtype=np.float32))
    assert narrow.dtype == np.float32
    with ctx.workprec(200):
        error = abs(truth(formula, float(place)) - arb(float(narrow[0])))
    assert not float(error) > bound(found.error)


@pytest.mark.parametrize("name", sorted(FORMULAS.keys() - {"kinks", "steps"}))
@settings(max_examples=10, deadline=None)
@given(share=st.floats(0, 1))
def test_errors_are_at_least_in_proportion_to_the_unit(name, share):
    formula, low, high = FORMULAS[name]
    middle = low + share * (high - low)
    coarse, fine = (Rounding(format_of(dtype)) for dtype in ("float16", "float32"))
    errors = [bound(formula(number_arrays, numbers(middle, 1e-9, rounding)).error) for rounding in (coarse, fine)]
    assert not errors[1] > errors[0] * fine.unit / coarse.unit * (1 + 1e-9) or coarse.jumped


@pytest.mark.parametrize("name", LANDSCAPES)
def test_landscapes_run(name):
    theta = np.array([0.3]) if name in ("sine", "wrinkled") else np.array([0.3, -0.7])
    expression = LANDSCAPES[name]().expression(len(theta))
    box = Running(Rounding(), theta, np.zeros(theta.shape))
    parts = expression.parts(number_arrays, box, "node", "slope", "curvature")
    with ctx.workprec(200):
        for found, truths in zip(parts, expression.balls([arb(float(t)) for t in theta]), strict=True):
            middle, reach = (np.broadcast_to(p, found.shape).reshape(-1) for p in (found.middle, found.reach))
            errors = [float(abs(t - arb(float(m)))) for t, m in zip(truths.reshape(-1), middle, strict=True)]
            assert (np.array(errors) <= reach * (1 + 1e-12)).all()
            assert (reach < 1e-4 * (1 + np.abs(middle)) + (name == "weierstrass") * 1e9).all()  # and is worth something


def test_what_is_not_known_is_said():
    x = numbers(0.5, 0.0, Rounding())
    with pytest.raises(AttributeError, match="fft is not known"):
        _ = number_arrays.fft
    with pytest.raises(TypeError):
        np.sin(x)
    with pytest.raises(ArithmeticError, match="rounding decides"):
        bool(numbers(0.0, 1.0, Rounding()) > 0)
    assert bool(x > 0)
    assert not bool(x > 1)


def test_a_choice_in_doubt_holds_both():
    x = numbers(0.0, 0.5, rounding := Rounding(format_of("float32")))
    found = number_arrays.where(x > 0, x + 10, x)
    assert found.middle - found.reach <= -0.5
    assert found.middle + found.reach >= 10.5
    assert found.error >= 10
    assert rounding.jumped
