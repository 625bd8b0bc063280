"""Recorded functions against themselves, and their derivatives against difference quotients of 400 bits."""

import numpy as np
import pytest
from flint import arb, ctx

from geometry.expressions import record
from geometry.expressions._differentiation import reverse_gradient
from geometry.expressions._interpretation import evaluate, evaluate_balls
from geometry.expressions._operations import NUMPY_NAMES
from geometry.expressions._programs import Program

from .functions import SMOOTH

each_function = pytest.mark.parametrize("name", SMOOTH)
POINTS = np.random.default_rng(1).uniform(0.1, 2.3, (5, 2))
RIGHT = 1e-13  # relative to the size of the whole gradient, or Hessian


@pytest.fixture(scope="module")
def recorded():
    return {name: record(function, 2) for name, function in SMOOTH.items()}


@pytest.fixture
def precise():
    before, ctx.prec = ctx.prec, 400
    yield arb((1, -60))  # the step of the quotients; they are right to its square
    ctx.prec = before


def quotients(expression, point, h):
    """∇f and ∇²f from values alone."""

    def f(*offsets):
        return evaluate_balls([expression.node], [arb(float(x)) + o * h for x, o in zip(point, offsets, strict=True)])[
            0
        ][()]

    gradient = [(f(1, 0) - f(-1, 0)) / (2 * h), (f(0, 1) - f(0, -1)) / (2 * h)]
    mixed = (f(1, 1) - f(1, -1) - f(-1, 1) + f(-1, -1)) / (4 * h**2)
    diagonal = [(f(1, 0) - 2 * f(0, 0) + f(-1, 0)) / h**2, (f(0, 1) - 2 * f(0, 0) + f(0, -1)) / h**2]
    hessian = [[diagonal[0], mixed], [mixed, diagonal[1]]]
    return float(f(0, 0).mid()), *(np.array(x, dtype=object).astype(float) for x in (gradient, hessian))


@each_function
def test_values_are_the_functions_own(recorded, name):
    batch = POINTS[:4].reshape(2, 2, 2)
    np.testing.assert_allclose(recorded[name].value(batch), SMOOTH[name](batch), rtol=1e-14, atol=1e-14)
    assert recorded[name].value(POINTS[0]).shape == ()


@each_function
def test_derivatives_against_quotients_of_balls(recorded, precise, name):
    expression = recorded[name]
    found = expression.value(POINTS), expression.gradient(POINTS), expression.hessian(POINTS)
    for i, point in enumerate(POINTS):
        for ours, truth in zip(found, quotients(expression, point, precise), strict=True):
            assert np.abs(ours[i] - truth).max() <= RIGHT * max(np.abs(truth).max(), 1), (i, ours[i], truth)


@each_function
def test_the_sweep_backwards_gives_the_gradient(recorded, name):
    expression = recorded[name]
    (found,) = evaluate([reverse_gradient(expression.node, 2)], np, POINTS)
    expected = expression.gradient(POINTS)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13 * max(np.abs(expected).max(), 1))


@each_function
def test_texts_give_what_graphs_of_arrays_give(recorded, name):
    expression = recorded[name]
    expected = evaluate([expression.node, expression.slope, expression.curvature], np, POINTS)
    for found, truth in zip(expression.parts(np, POINTS, "node", "slope", "curvature"), expected, strict=True):
        assert np.abs(found - truth).max() <= RIGHT * max(np.abs(truth).max(), 1)


@pytest.mark.parametrize("exact", [False, True])
@each_function
def test_texts_for_all_arithmetics_agree(recorded, name, exact):
    """That for numbers which know more than a float does, on NumPy's arrays."""
    program = Program([recorded[name].node, recorded[name].slope], exact)
    functions = {"sum": lambda x: x.sum(-1), "largest": lambda x: x.max(-1), "entries": lambda x, i: x[..., i]}
    value, slopes = program.run(
        POINTS, lambda key: functions.get(key) or getattr(np, NUMPY_NAMES.get(key, key)), np.asarray
    )
    np.testing.assert_allclose(value[0] + np.zeros(5), recorded[name].value(POINTS), rtol=1e-12, atol=1e-13)
    expected = recorded[name].gradient(POINTS)
    for i, slope in enumerate(slopes):
        assert np.abs(slope - expected[:, i]).max() <= 1e-12 * max(np.abs(expected).max(), 1)


def test_large_batches_are_cut_into_portions(recorded):
    theta = np.random.default_rng(0).uniform(-2, 2, (3, 4000, 2))
    for what in ("value", "gradient", "hessian"):
        function = getattr(recorded["dents"], what)
        np.testing.assert_allclose(function(theta)[1, ::500], function(theta[1, ::500]), rtol=1e-14, atol=1e-13)


@each_function
def test_balls_hold_what_arrays_give(recorded, precise, name):
    expression = recorded[name]
    value, gradient, hessian = expression.balls([arb(float(x)) for x in POINTS[0]])
    if name == "long maximum":  # balls do not tell which of equal entries is the largest
        assert not gradient[0].is_finite()
        gradient, hessian = value, value
    arrays = (expression.value, expression.gradient, expression.hessian)
    for ball, array in zip(
        (value, gradient, hessian), arrays if gradient is not value else arrays[:1] * 3, strict=True
    ):
        middles = np.array([float(x.mid()) for x in ball.reshape(-1)])
        assert np.abs(middles - array(POINTS[0]).reshape(-1)).max() <= RIGHT * max(np.abs(middles).max(), 1)
        assert all(x.rad() <= arb(2) ** -250 for x in ball.reshape(-1))


@each_function
def test_products_of_the_hessian_with_vectors(recorded, name):
    expression, vectors = recorded[name], POINTS[::-1] - 1
    expected = (expression.hessian(POINTS) @ vectors[..., None])[..., 0]
    np.testing.assert_allclose(expression.hessian_vector(POINTS, vectors), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("d", [7, 40])
def test_many_variables(d):
    """Chained Rosenbrock: its gradient and its products with vectors by hand."""

    def chain(t):
        x, y = t[..., :-1], t[..., 1:]
        return np.sum(100 * (y - x**2) ** 2 + (1 - x) ** 2, axis=-1)

    theta = np.random.default_rng(0).normal(size=(3, d))
    x, y = theta[:, :-1], theta[:, 1:]
    first, last = -400 * x * (y - x**2) - 2 * (1 - x), 200 * (y - x**2)
    expression = record(chain, d)
    zero = np.zeros((3, 1))
    gradient = np.hstack([first, zero]) + np.hstack([zero, last])
    np.testing.assert_allclose(expression.gradient(theta), gradient, rtol=1e-12, atol=1e-10)
    hessian = np.zeros((3, d, d))
    for i in range(d - 1):
        hessian[:, i, i] += 1200 * theta[:, i] ** 2 - 400 * theta[:, i + 1] + 2
        hessian[:, i + 1, i + 1] += 200
        hessian[:, i, i + 1] = hessian[:, i + 1, i] = -400 * theta[:, i]
    np.testing.assert_allclose(expression.hessian(theta), hessian, rtol=1e-12, atol=1e-9)
    vector = np.cos(theta)
    product = (hessian @ vector[..., None])[..., 0]
    np.testing.assert_allclose(expression.hessian_vector(theta, vector), product, rtol=1e-11, atol=1e-9)


def test_a_network_of_many_weights():
    """A layer's weights are the variables; the gradient by hand, layer by layer."""
    rng = np.random.default_rng(3)
    data, target = rng.normal(size=(50, 8)), rng.normal(size=50)

    def loss(t):
        hidden = np.tanh(data @ t[..., :48].reshape(*t.shape[:-1], 8, 6))
        return np.sum((hidden @ t[..., 48:, None] - target[:, None])[..., 0] ** 2, axis=-1)

    theta = rng.normal(size=54)
    hidden = np.tanh(data @ theta[:48].reshape(8, 6))
    miss = 2 * (hidden @ theta[48:] - target)
    inner = data.T @ (miss[:, None] * theta[48:] * (1 - hidden**2))
    expected = np.concatenate([inner.reshape(-1), hidden.T @ miss])
    np.testing.assert_allclose(record(loss, 54).gradient(theta), expected, rtol=1e-12)


def test_a_branch_that_is_not_taken_has_no_say():
    """√ and log have no slope where they are not used; forward and backward."""
    expression = record(lambda t: np.where(t[..., 0] > 0, np.sqrt(np.abs(t[..., 0])) * np.log(t[..., 0]), t[..., 1]), 2)
    for theta in ([0.0, 2.0], [-1.0, 2.0]):
        np.testing.assert_array_equal(expression.gradient(theta), [0, 1])
        np.testing.assert_array_equal(evaluate([reverse_gradient(expression.node, 2)], np, np.array(theta))[0], [0, 1])


def test_equal_largest_entries_share_the_slope():
    expression = record(lambda t: np.max(np.concatenate([t] * 10, axis=-1), axis=-1), 2)
    np.testing.assert_allclose(expression.gradient([[1.0, 2.0], [3.0, 3.0]]), [[0, 1], [0.5, 0.5]])


@pytest.mark.parametrize("name", ["standard", "powers", "long maximum", "sorted", "softmax"])
def test_every_library(backend, recorded, name):
    expression = recorded[name]
    theta = backend.asarray(POINTS)
    vector = backend.asarray(POINTS - 1)
    for found, expected in (
        (expression.value(theta), expression.value(POINTS)),
        (expression.gradient(theta), expression.gradient(POINTS)),
        (expression.hessian(theta), expression.hessian(POINTS)),
        (expression.hessian_vector(theta, vector), expression.hessian_vector(POINTS, POINTS - 1)),
    ):
        assert backend.belongs(found, backend.dtypes[-1])
        eps = np.finfo(backend.dtypes[-1]).eps
        np.testing.assert_allclose(backend.to_numpy(found), expected, rtol=1e3 * eps, atol=1e3 * eps)


def test_dtypes_follow_theta(recorded):
    for dtype in ("float16", "float32"):
        assert recorded["dents"].hessian(POINTS.astype(dtype)).dtype == dtype


def test_equal_functions_have_equal_digests(recorded):
    again = record(lambda t: 3 * t[..., 0] - 2 * t[..., 1] + 1, 2)
    other = record(lambda t: 3 * t[..., 1] - 2 * t[..., 0] + 1, 2)
    assert again.digest == recorded["plane"].digest != other.digest
    assert record(lambda t: t[..., 0] * 2.0, 1).digest != record(lambda t: t[..., 0] * 2.5, 1).digest


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda e: e.value([1.0, 2.0, 3.0]), r"theta must have shape \(\.\.\., 2\), got \(3,\)"),
        (lambda e: e.value(1.0), r"theta must have shape \(\.\.\., 2\), got \(\)"),
        (lambda e: e.source("fortran"), "language must be one of c, cuda, javascript, numba, got 'fortran'"),
        (lambda e: e.source("c", order=3), "order must be 0, 1 or 2, got 3"),
        (lambda e: e.source("c", name="a b"), "name must be a name of a function, got 'a b'"),
    ],
)
def test_bad_arguments(recorded, call, message):
    with pytest.raises(ValueError, match=message):
        call(recorded["plane"])
