"""Many steps at once against the oracle's truth and tolerances, which are computed one by one in ball arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from flint import ctx

from geometry.arithmetic.formats import error_of, exact, format_of, rounding
from rbo_ref.landscapes import by_name
from rbo_ref.oracle.dialects import DIALECTS, Hyper
from rbo_ref.oracle.replay.judging import CLEARLY
from rbo_ref.oracle.replay.steps import Hypers, Rules
from rbo_ref.oracle.replay.surfaces import Surface, surface_of
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.truth import iterated, true_step

from .runs import CASES

SMALL = [case for case in CASES.values() if case.dimension <= 10]


def hypers(*several) -> Hypers:
    rows = (hyper.values() if isinstance(hyper, dict) else hyper for hyper in several)
    columns = [np.array(column, dtype=float) for column in zip(*rows, strict=True)]
    return Hypers(columns[0], columns[1], columns[2], columns[3].astype(int))


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("dialect", ["authors", "full-candidate"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_tolerances_are_those_of_the_oracle(dtype, dialect):
    """The fast path never lets pass what the slow one would not; its own bound holds against the certified step.

    What is clearly within the fast tolerance is within the oracle's, and that is within the one over boxes.
    """
    target, reading = format_of(dtype), DIALECTS[dialect]
    compared = 0
    for case in SMALL:
        theta, hyper = case.start(target), case.hyper(0)
        truth = true_step(case.loss, tuple(theta), hyper, reading, target)
        rules = Rules(surface_of(case.loss), reading, target)
        orbit, spread = rules.orbit(theta[None], hypers(hyper)), rules.spread(theta[None], hypers(hyper))[0]
        if not np.isfinite(spread).all() or spread.max() > 0.1:
            continue
        assert (CLEARLY * orbit.tolerance[0] <= truth.tolerance).all(), case.id
        assert (truth.tolerance <= spread).all(), case.id
        assert (orbit.tolerance[0] <= spread * (1 + 1e-9)).all()
        error = error_of(orbit.theta[0], truth.theta.value)
        narrow = 2.0**-20 * target.unit * np.abs(orbit.theta).max()  # the truth is this tight
        assert (error <= orbit.doubt[0] + narrow).all()
        assert (orbit.doubt[0] <= 0.1 * truth.tolerance).all() or case.id == "eq13-gentle"
        compared += 1
    assert compared >= {8: 1, 11: 15}.get(target.precision, 30)


def test_the_tolerance_to_first_order_is_almost_all():
    case, target = CASES["waves-3d"], format_of("float64")
    rules = Rules(surface_of(case.loss), DIALECTS["authors"], target)
    theta = case.start(target)[None]
    ratio = rules.orbit(theta, hypers(case.hyper(0))).tolerance / rules.spread(theta, hypers(case.hyper(0)))
    assert (ratio > 0.999).all()


@pytest.mark.parametrize("name", ["eq13-paper", "waves-3d", "steep-3d"])
def test_tolerances_of_one_inner_iteration_are_those_of_the_oracle(name):
    case, target, reading = CASES[name], format_of("float64"), DIALECTS["authors"]
    theta, hyper = case.start(target), case.hyper(0)
    truth = true_step(case.loss, tuple(theta), hyper, reading, target)
    place, once = theta + 0.125, {**hyper, "projection_steps": 1}
    after = iterated(case, once, place, truth.parts["candidate"], Setting(np, target, "authors", 1.0), target)
    expected = after.radius + rounding(after.middle, target)
    rules = Rules(surface_of(case.loss), reading, target)
    found = rules.spread(theta[None], hypers(hyper), place[None].astype(np.longdouble))[0]
    assert (CLEARLY * found <= expected).all()
    assert (expected <= found).all()


def test_steps_of_different_hyper_parameters_are_taken_together():
    case, target = CASES["schedule-3d"], format_of("float64")
    rules = Rules(surface_of(case.loss), DIALECTS["half-candidate"], target)
    several = [Hyper(0.2, 0.5, 0.1, 0), Hyper(0.2, 0.5, 0.1, 6), Hyper(0.1, 1.5, 0.05, 9)]
    theta = np.stack([case.start(target)] * 3)
    together = rules.orbit(theta, hypers(*several))
    spread = rules.spread(theta, hypers(*several))
    for i, hyper in enumerate(several):
        alone = rules.orbit(theta[:1], hypers(hyper))
        for one, other in zip(together, alone, strict=True):
            np.testing.assert_array_equal(one[i], other[0])
        np.testing.assert_allclose(spread[i], rules.spread(theta[:1], hypers(hyper))[0], rtol=1e-14)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", ["waves-3d", "slope-1d", "eq14-valley"])
def test_derivatives_are_limits_of_differences(name, dialect):
    case, target = CASES[name], format_of("float64")
    rules, hyper = Rules(surface_of(case.loss), DIALECTS[dialect], target), hypers(case.hyper(0))
    theta, step = case.start(target), 2.0**-24
    found = rules.orbit(theta[None], hyper).derivative[0]
    for i, e in enumerate(np.eye(len(theta))):
        ahead, behind = (rules.orbit((theta + sign * step * e)[None], hyper).theta[0] for sign in (1, -1))
        # the error of central differences is h²/6 · D³Φ ≈ 1e-15 · D³Φ, and 2⁻⁶⁴/h ≈ 1e-12
        np.testing.assert_allclose(found[:, i], (ahead - behind) / (2 * step), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["wrinkled", "gaussians", "ackley", "himmelblau", "rastrigin"])
def test_ports_that_evaluate_a_formula_are_allowed_its_rounding(name):
    """A float32 evaluation of the whole step is within the tolerance, which is worth something."""
    surface = by_name(name)
    theta = np.array([1.3] if name == "wrinkled" else [1.25, 0.7], dtype=np.float32)
    hyper = Hyper(1e-3, 0.125, 1e-5, 3)
    rules = Rules(surface_of(surface), DIALECTS["authors"], format_of("float32"))
    f, g = surface.value_and_gradient(theta)
    w = np.sqrt(1 + g @ g)
    x, y = (
        theta - np.float32(hyper.radius) * g / w - np.float32(1e-3) * g,
        f + np.float32(0.125) / w - np.float32(1e-3) * g @ g,
    )
    place = theta
    for _ in range(3):
        f, g = surface.value_and_gradient(place)
        place = place - np.float32(1e-5) * ((place - x) + (f - y) * g)
    orbit, spread = rules.orbit(theta[None], hypers(hyper)), rules.spread(theta[None], hypers(hyper))[0]
    assert place.dtype == np.float32
    assert (np.abs(place - orbit.theta[0]) <= orbit.tolerance[0]).all()
    assert (orbit.tolerance[0] <= spread * (1 + 1e-9)).all()
    served = Rules(Surface(surface, None, True), DIALECTS["authors"], format_of("float32"))
    assert (served.orbit(theta[None], hypers(hyper)).tolerance <= orbit.tolerance).all()


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.id)
def test_losses_as_functions_of_arrays(case):
    """In long doubles against balls: to within the rounding of the formula."""
    surface, theta = case.loss.graph, np.array(case.theta, dtype=np.longdouble)
    value, gradient = surface.value_and_gradient(theta)
    with ctx.workprec(200):
        truth, slopes = case.loss.value_and_gradient([exact(t) for t in theta])
        bends = case.loss.hessian([exact(t) for t in theta]).entries()
        scale = 1 + sum(float(abs(s)) for s in slopes) + float(abs(truth))
        assert float(abs(truth - exact(value))) <= 1e-17 * scale
        assert all(float(abs(s - exact(g))) <= 1e-15 * scale for s, g in zip(slopes, gradient, strict=True))
        hessian = surface.hessian(theta.astype(float)).reshape(-1)
        largest = 1 + max(float(abs(b)) for b in bends)
        # phases k²θ of Eq. 13 are rounded to 2·10⁴·2⁻⁵³
        assert all(float(abs(b - exact(h))) <= 1e-11 * largest for b, h in zip(bends, hessian, strict=True))
