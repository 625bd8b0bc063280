"""The paper's inner loop against arbitrary precision and closed forms, its cost, and what it says of its end."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geometry import Descent, Status, project
from tests.geometry import surfaces


def test_descent_equals_the_formula_in_fifty_digits():
    """θ ← θ − γ((θ − x) + (f − y)f′), the error carried along by |1 − γφ″| and a few roundings a step."""
    rng = np.random.default_rng(3)
    for x, y, start in rng.uniform(-2, 2, (10, 3)):
        rate, steps, unit = 0.05, 20, 2.0**-53
        foot = project(surfaces.sine(), [x, y], Descent(rate, steps), start=[start])
        error = 0.0
        with mpmath.workdps(50):
            theta, gamma = mpmath.mpf(start), mpmath.mpf(rate)
            for _ in range(steps):
                sin, cos = mpmath.sin(theta), mpmath.cos(theta)
                bend = float(1 + cos**2 - (sin - y) * sin)
                terms = float(abs(theta) + gamma * (abs(theta) + abs(x) + (abs(sin) + abs(y)) * abs(cos)))
                error = abs(1 - rate * bend) * error + 4 * unit * terms
                theta -= gamma * ((theta - x) + (sin - y) * cos)
            assert abs(foot.theta[0] - theta) <= error
        assert foot.steps == steps


def test_descent_on_every_backend(backend, dtype):
    """On f = θ the steps are affine: φ′ = 2θ − x − y, so θ_P = s + (1 − 2γ)^P(θ₀ − s), s = (x + y)/2."""
    rates, x, y = np.array([0.1, 0.25, 0.5]), 0.5, 2.0
    points = backend.asarray([[[x, y]], [[x, y]]], dtype)
    solver = Descent(backend.asarray(rates, dtype), 7)
    theta = backend.jit(lambda q: project(surfaces.plane(1.0), q, solver).theta)(points)
    assert theta.shape == (2, 3, 1)
    assert backend.belongs(theta, dtype)
    middle = (x + y) / 2
    expected = middle + (1 - 2 * rates) ** 7 * (x - middle)
    np.testing.assert_allclose(
        backend.to_numpy(theta)[..., 0], [expected, expected], rtol=50 * float(np.finfo(dtype).eps)
    )


def test_descent_costs_exactly_its_steps():
    surface, calls = surfaces.counting(surfaces.sine())
    foot = project(surface, [[0.3, 2.0], [0.0, 1.0]], Descent(0.05, 20))
    assert (foot.theta.shape, foot.steps.tolist(), len(calls)) == ((2, 1), [20, 20], 20)
    for field in ("residual", "status", "converged", "distance", "point"):
        assert getattr(foot, field).shape[:1] == (2,)
        assert len(calls) == 21


def test_descent_of_no_steps_is_the_start():
    foot = project(surfaces.sine(), [0.3, 2.0], Descent(0.1, 0), start=[1.0])
    assert (foot.theta[0], foot.steps, foot.status) == (1.0, 0, Status.STEPS_USED)
    assert project(surfaces.sine(), [0.3, 2.0], Descent([0.1, 0.2], 0)).theta.tolist() == [[0.3], [0.3]]


def test_descent_tells_where_it_ended():
    """A rate above 2/φ″ diverges, to large numbers first, then to NaN; a small one arrives, or is on its way."""
    rates, steps = [1.5, 1.5, 0.2, 0.01], [3, 200, 200, 10]
    ends = [Status.STEPS_USED, Status.NOT_FINITE, Status.CONVERGED, Status.STEPS_USED]
    for rate, count, status in zip(rates, steps, ends, strict=True):
        foot = project(surfaces.paraboloid(), [3.0, 2.0], Descent(rate, count))
        assert foot.status == status
        assert foot.converged == (status == Status.CONVERGED)
        assert not (foot.converged and np.isnan(foot.distance))


@given(st.floats(0.01, 100), st.integers(0, 60), st.floats(-3, 3), st.floats(-3, 3))
def test_descent_never_calls_noise_converged(rate, steps, x, y):
    for surface in (surfaces.paraboloid(), surfaces.exponential(), surfaces.double_well()):
        foot = project(surface, [x, y], Descent(rate, steps))
        if foot.converged:
            slope = surface.gradient(foot.theta)[0]
            tangential = ((x - foot.theta[0]) + (y - foot.point[1]) * slope) / np.hypot(1, slope)
            assert abs(tangential) <= 1e-9 * (1 + abs(foot.point).max())


def test_rates_must_fit_the_batch():
    with pytest.raises(ValueError, match=r"batch shapes must broadcast, got rate \(2,\), the batch \(3,\)"):
        project(surfaces.sine(), np.ones((3, 2)), Descent(np.ones(2), 1))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Descent(-1, 3), ValueError, "rate must be finite and positive, got -1"),
        (lambda: Descent(np.nan, 3), ValueError, "rate must be finite and positive, got nan"),
        (lambda: Descent("fast", 3), TypeError, "rate must be an array of real numbers, got 'fast'"),
        (lambda: Descent(1j, 3), TypeError, "rate must be an array of real numbers"),
        (lambda: Descent(0.1, 3.0), TypeError, "steps must be an integer, got 3.0"),
        (lambda: Descent(0.1, True), TypeError, "steps must be an integer, got True"),
        (lambda: Descent(0.1, -1), ValueError, "steps must be at least 0, got -1"),
    ],
)
def test_bad_settings_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
