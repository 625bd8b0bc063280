"""The arithmetics against the balls of python-flint and against floats of other widths."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from rbo_ref.landscapes import LANDSCAPES
from rbo_ref.oracle.replay._functions import Numbers
from rbo_ref.oracle.replay.certified import Certified, CertifiedGraph
from rbo_ref.oracle.replay.running import Running, balls

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
    "kinks": (lambda xp, x: xp.abs(x - 1) + xp.maximum(x, 0.25 * x) - xp.where(x > 2, x - 2, 0 * x), -4, 4),
    "powers": (lambda xp, x: (x + 6) ** 1.5 + (x + 6) ** -2 + 2**x, -5, 3),
    "steps": (lambda xp, x: xp.round(x) + xp.floor(x / 2) * x, -4, 4),
    "sums": (lambda xp, x: xp.sum(xp.stack([x, 2 * x, x * x]), axis=0) + xp.mean(xp.stack([x, -x / 3]), axis=0), -4, 4),
}  # fmt: skip


def certified(formula, x: float, bits: int = 200) -> arb:
    vector = np.empty(1, dtype=object)
    with ctx.workprec(bits):
        vector[0] = arb(x)
        numbers = Numbers(Certified(), vector)
        return formula(numbers.__array_namespace__(), numbers).parts[0][0]


def radius_of(numbers: Numbers) -> float:
    return float(numbers.parts[1][0]) * (1 + 1e-12) + TINY  # radii are rounded to nearest


@pytest.mark.parametrize("name", FORMULAS)
@settings(max_examples=30)
@given(share=st.floats(0, 1), inside=st.floats(-1, 1), exponent=st.integers(-40, -1))
def test_balls_contain_the_truth_over_a_box(name, share, inside, exponent):
    formula, low, high = FORMULAS[name]
    middle = low + share * (high - low)
    radius = 2.0**exponent * (high - low) / 4
    box = balls([middle], radius, Running())
    found = formula(box.__array_namespace__(), box)
    if not np.isfinite(found.parts[1][0]):
        return
    place = middle + inside * radius
    assert abs(place - middle) <= radius * (1 + 1e-9)
    with ctx.workprec(200):
        error = abs(certified(formula, place) - arb(float(found.parts[0][0])))
    slack = abs(place - middle) - radius  # rounding of `place` may leave the box
    assert slack > 0 or float(error) <= radius_of(found)


@pytest.mark.parametrize("name", FORMULAS)
@settings(max_examples=30)
@given(share=st.floats(0, 1, width=32))
def test_running_radii_bound_the_rounding_of_narrower_floats(name, share):
    formula, low, high = FORMULAS[name]
    place = np.float32(low + share * (high - low))
    found = formula(None or _space(), balls([float(place)], 0.0, Running(2 * 2.0**-24, 24, 2.0**-126)))
    narrow = formula(np, np.array([place], dtype=np.float32))
    assert narrow.dtype == np.float32
    with ctx.workprec(200):
        error = abs(certified(formula, float(place)) - arb(float(narrow[0])))
    # midpoints are within 2⁻⁵³ of the same formula, which the radius for 2⁻²³ covers many times over
    assert not float(error) > radius_of(found) + abs(float(narrow[0])) * 2.0**-50


def _space():
    return balls([0.0], 0.0, Running()).__array_namespace__()


@pytest.mark.parametrize("name", LANDSCAPES)
def test_landscapes_run_in_all_arithmetics(name):
    surface = LANDSCAPES[name]()
    theta = np.array([0.3]) if name in ("sine", "wrinkled") else np.array([0.3, -0.7])
    box = balls(theta, 0.0, Running())
    parts = [*surface.value_and_gradient(box), surface.hessian(box)]
    with ctx.workprec(200):
        ball = CertifiedGraph(surface)
        value, gradient = ball.value_and_gradient([arb(float(t)) for t in theta])
        truths = [[value], gradient, ball.hessian([arb(float(t)) for t in theta]).entries()]
        for found, truth in zip(parts, truths, strict=True):
            middle, radius = (np.broadcast_to(p, found.shape).reshape(-1) for p in found.parts)
            errors = [float(abs(t - arb(float(m)))) for t, m in zip(truth, middle, strict=True)]
            assert (np.array(errors) <= radius * (1 + 1e-12)).all()
            assert (
                radius < 1e-4 * (1 + np.abs(middle)) + (name == "weierstrass") * 1e9
            ).all()  # and is worth something


def test_what_is_not_known_is_said():
    x = balls([0.5], 0.0, Running())
    with pytest.raises(TypeError, match="fft"):
        np.fft.fft(x)
    with pytest.raises(TypeError, match="become an array of floats"):
        np.asarray(x)
    with pytest.raises(TypeError, match="one float"):
        float(x)
    with pytest.raises(TypeError, match="several outcomes"):
        bool(balls([0.0], 1.0, Running()) > 0)
    assert bool(x > 0)
    assert not bool(x > 1)


def test_a_choice_in_doubt_holds_both():
    x = balls([0.0], 0.5, Running())
    xp = x.__array_namespace__()
    middle, radius = xp.where(x > 0, x + 10, x).parts
    assert middle - radius <= -0.5
    assert middle + radius >= 10.5
    with ctx.workprec(64):
        vector = np.array([arb(0, 0.5)], dtype=object)
        either = Numbers(Certified(), vector)
        both = xp.where(either > 0, either + 10, either).parts[0][0]
        assert both.contains(arb(-0.25))
        assert both.contains(arb(10.25))
