"""Many steps at once against the oracle's truth and tolerances, which are computed one by one in ball arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from flint import ctx

from geometry import FunctionGraph
from geometry.arithmetic.formats import error_of, exact, format_of
from rbo_ref.landscapes import by_name
from rbo_ref.oracle import RightPort
from rbo_ref.oracle.dialects import DIALECTS, Hyper
from rbo_ref.oracle.formulas import formula_of
from rbo_ref.oracle.replay.maps import Hypers, Map
from rbo_ref.oracle.replay.surfaces import surface_of
from rbo_ref.oracle.truth import true_step

from .runs import CASES

SMALL = [case for case in CASES.values() if case.dimension <= 10]


def hypers(*several) -> Hypers:
    rows = (hyper.values() if isinstance(hyper, dict) else hyper for hyper in several)
    return Hypers({name: np.array(column) for name, column in zip(Hyper._fields, zip(*rows, strict=True), strict=True)})


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):
        yield


def map_of(loss, dialect: str, dtype: str) -> Map:
    return Map(surface_of(loss), formula_of("rolling-ball", dialect), format_of(dtype))


@pytest.mark.parametrize("dialect", ["authors", "full-candidate"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_tolerances_are_those_of_the_oracle(dtype, dialect):
    """The tolerance of the truth is between the one to first order and the whole one, and these are almost equal."""
    target, compared, alike = format_of(dtype), 0, 0
    for case in SMALL:
        theta, hyper = case.start(target), case.hyper(0)
        truth = true_step(case.loss, tuple(theta), hyper, dialect, target)
        images = map_of(case.loss, dialect, dtype).images(theta[None], hypers(hyper))
        first, whole, doubt = images.first[0], images.whole[0], images.doubt[0]
        if not np.isfinite(whole).all():
            continue
        assert (first <= truth.tolerance * (1 + 1e-6)).all(), case.id
        assert (truth.tolerance <= whole * (1 + 1e-6)).all(), case.id
        error = error_of(images.theta[0], truth.theta.value)
        narrow = 2.0**-20 * target.unit * np.abs(images.theta).max()  # the truth is this tight
        assert (error <= doubt + narrow).all(), case.id
        compared += 1
        alike += bool((whole <= 1.05 * first).all() and (doubt <= 0.05 * first).all())
    assert compared >= {8: 8, 11: 15}.get(target.precision, 30)
    assert alike >= compared * {8: 0.1, 11: 0.1}.get(target.precision, 0.8)


def test_steps_of_different_hyper_parameters_are_taken_together():
    case = CASES["schedule-3d"]
    rule = map_of(case.loss, "half-candidate", "float64")
    several = [Hyper(0.2, 0.5, 0.1, 0), Hyper(0.2, 0.5, 0.1, 6), Hyper(0.1, 1.5, 0.05, 6)]
    theta = np.stack([case.start(format_of("float64"))] * 3)
    together = rule.images(theta, hypers(*several))
    for i, hyper in enumerate(several):
        for one, other in zip(together, rule.images(theta[:1], hypers(hyper)), strict=True):
            np.testing.assert_allclose(one[i], other[0], rtol=1e-3)
        np.testing.assert_array_equal(together.theta[i], rule.images(theta[:1], hypers(hyper)).theta[0])


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", ["waves-3d", "slope-1d", "eq14-valley"])
def test_derivatives_are_limits_of_differences(name, dialect):
    case = CASES[name]
    rule, hyper = map_of(case.loss, dialect, "float64"), hypers(case.hyper(0))
    theta, step = case.start(format_of("float64")), 2.0**-24
    found = rule.images(theta[None], hyper).derivative[0]
    for i, e in enumerate(np.eye(len(theta))):
        ahead, behind = (rule.images((theta + sign * step * e)[None], hyper).theta[0] for sign in (1, -1))
        # the error of central differences is h²/6 · D³Φ ≈ 1e-15 · D³Φ, and 2⁻⁶⁴/h ≈ 1e-12
        np.testing.assert_allclose(found[:, i], (ahead - behind) / (2 * step), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["wrinkled", "gaussians", "ackley", "himmelblau", "rastrigin"])
def test_ports_that_evaluate_a_formula_are_allowed_its_rounding(name):
    """A float32 evaluation of the whole step is within the tolerance, which is worth something."""
    surface = by_name(name)
    theta = np.array([1.3] if name == "wrinkled" else [1.25, 0.7], dtype=np.float32)
    hyper = Hyper(1e-3, 0.125, 1e-5, 3)
    place = RightPort()(surface.value_and_gradient, theta, **hyper._asdict())
    assert place.dtype == np.float32
    rule = map_of(surface, "authors", "float32")
    images = rule.images(theta[None], hypers(hyper))
    assert (np.abs(place - images.theta[0]) <= images.first[0]).all()
    assert (images.whole <= images.first * 1.05).all()
    served = rule._replace(surface=rule.surface._replace(is_served=True))
    assert (served.images(theta[None], hypers(hyper)).first <= images.first).all()


def test_a_gradient_that_was_given_is_the_one_that_is_evaluated():
    """Here it cancels, and rounds more than the derivative of the value."""
    given = FunctionGraph(lambda t: (t**2).sum(-1), lambda t: (2 * t + 1e6) - 1e6)
    plain = FunctionGraph(lambda t: (t**2).sum(-1))
    theta, hyper = np.array([[1.25, 0.7]], dtype=np.float32), hypers(Hyper(1e-2, 0.125, 1e-2, 2))
    first, other = (map_of(graph, "authors", "float32").images(theta, hyper).first for graph in (given, plain))
    assert (first > 1e3 * other).all()


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.id)
def test_losses_as_functions_of_arrays(case):
    """In long doubles against balls: to within the rounding of the formula."""
    surface, theta = case.loss.graph, np.array(case.theta, dtype=np.longdouble)
    value, gradient = surface.value_and_gradient(theta)
    with ctx.workprec(200):
        truth, slopes = case.loss.value_and_gradient([exact(t) for t in theta])
        bends = case.loss.hessian([exact(t) for t in theta]).reshape(-1)
        scale = 1 + sum(float(abs(s)) for s in slopes) + float(abs(truth))
        assert float(abs(truth - exact(value))) <= 1e-17 * scale
        assert all(float(abs(s - exact(g))) <= 1e-15 * scale for s, g in zip(slopes, gradient, strict=True))
        hessian = surface.hessian(theta.astype(float)).reshape(-1)
        largest = 1 + max(float(abs(b)) for b in bends)
        # phases k²θ of Eq. 13 are rounded to 2·10⁴·2⁻⁵³
        assert all(float(abs(b - exact(h))) <= 1e-11 * largest for b, h in zip(bends, hessian, strict=True))
