"""Distance, its sign and its gradient: closed forms, the Lipschitz law, finite differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geometry import GaussNewton, MultiStart, Newton, distance, distance_gradient, project, signed_distance
from tests.geometry import surfaces

coordinates = st.floats(-3, 3)
VERBS = [distance, signed_distance, distance_gradient]


def plane_truth(q, slope=0.7):
    """Signed distance of a plane, and its gradient, the normal of the side."""
    normal = np.array([-slope] * (q.shape[-1] - 1) + [1])
    normal /= np.linalg.norm(normal)
    signed = q @ normal
    return signed, np.sign(signed)[..., None] * normal


def cap_truth(q, r=3.0):
    """The same of half a sphere, from any point above the plane of its rim."""
    size = np.linalg.norm(q, axis=-1)
    return size - r, np.sign(size - r)[..., None] * q / size[..., None]


@pytest.mark.parametrize("d", [1, 2, 6])
@pytest.mark.parametrize(("surface", "truth"), [(surfaces.plane(0.7), plane_truth), (surfaces.cap(3.0), cap_truth)])
def test_closed_forms(surface, truth, d):
    rng = np.random.default_rng(d)
    q = np.concatenate([rng.uniform(-1, 1, (40, d)), rng.uniform(1.0, 6.0, (40, 1))], axis=-1)
    signed, gradient = truth(q)
    for solver in (None, GaussNewton()):
        np.testing.assert_allclose(signed_distance(surface, q, solver), signed, atol=1e-10)
        np.testing.assert_allclose(distance(surface, q, solver), abs(signed), atol=1e-10)
        np.testing.assert_allclose(distance_gradient(surface, q, solver), gradient, atol=1e-10)


def test_every_backend(backend, dtype):
    if backend.name == "jax":
        pytest.skip("JAX would compile every single operation")
    q = np.array([[[0.3, -0.4, 2.0], [1.0, 0.0, -1.0], [0.0, 0.0, 1.0]]] * 2)
    signed, gradient = plane_truth(q)

    def run(points):
        return tuple(verb(surfaces.plane(0.7), points, GaussNewton()) for verb in (signed_distance, distance_gradient))

    results = backend.jit(run)(backend.asarray(q, dtype))
    for found, truth in zip(results, (signed, gradient), strict=True):
        assert backend.belongs(found, dtype)
        assert found.shape == truth.shape
        np.testing.assert_allclose(backend.to_numpy(found), truth, atol=8 * float(np.finfo(dtype).eps) ** 0.75)


@given(*[coordinates] * 4)
def test_distance_is_lipschitz(x0, y0, x1, y1):
    """|d(p) − d(q)| ≤ |p − q| holds for the true distance, which many starts find."""
    p, q = np.array([[x0, y0], [x1, y1]])
    one, two = distance(surfaces.sine(), [p, q], MultiStart(starts=64))
    assert abs(one - two) <= np.linalg.norm(p - q) + 1e-12


@given(*[coordinates] * 3)
def test_below_a_valley_distance_is_lipschitz_and_the_gradient_is_a_unit_vector(x, y, aside):
    """Under the paraboloid the footpoint is unique, and every solver finds it."""
    surface, x = surfaces.paraboloid(), np.array([x, y])
    q = np.append(x, surface.value(x) - 2.0)
    step = np.array([aside, -aside, -abs(aside)]) / 10
    for solver in (None, GaussNewton()):
        assert abs(distance(surface, q, solver) - distance(surface, q + step, solver)) <= np.linalg.norm(step) + 1e-12
        gradient = distance_gradient(surface, q, solver)
        assert np.linalg.norm(gradient) == pytest.approx(1, rel=1e-15)
        assert gradient[-1] < 0


@pytest.mark.parametrize("surface", [surfaces.well(), surfaces.monkey_saddle(), surfaces.paraboloid(0.5)], ids=str)
def test_gradient_is_the_derivative_of_the_distance(surface):
    rng = np.random.default_rng(0)
    theta = rng.uniform(-1, 1, (10, 2))
    for side in (-0.1, 0.1):  # inside the tube without focal points
        q = surface.point(theta) + side * surface.normal(theta)
        h = 1e-5 * np.eye(3)[:, None]
        slopes = (distance(surface, q + h) - distance(surface, q - h)).T / 2e-5
        # third derivatives are 1/0.1² at most, times h²; rounding 1e-16/h
        np.testing.assert_allclose(distance_gradient(surface, q), slopes, atol=1e-7)


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9, 1e-12, -1e-12, -1e-6])
def test_gradient_keeps_its_digits_near_the_surface(gap):
    """Where (q − p)/|q − p| has lost them to rounding."""
    theta = np.linspace(-3, 3, 21)[:, None]
    normal = surfaces.sine().normal(theta)
    gradient = distance_gradient(surfaces.sine(), surfaces.sine().point(theta) + gap * normal)
    np.testing.assert_allclose(gradient, np.sign(gap) * normal, atol=1e-10)


@pytest.mark.parametrize("solver", [None, Newton(matrix=False), GaussNewton(), MultiStart(starts=3)])
def test_on_the_surface(solver):
    """Distance 0, the sign of above, and the upward normal."""
    theta = np.linspace(-3, 3, 13)[:, None]
    q = surfaces.sine().point(theta)
    assert (distance(surfaces.sine(), q, solver) == 0).all()
    assert not np.signbit(signed_distance(surfaces.sine(), q, solver)).any()
    np.testing.assert_array_equal(distance_gradient(surfaces.sine(), q, solver), surfaces.sine().normal(theta))


def test_sign_is_that_of_the_height_whatever_the_solver_finds():
    rng = np.random.default_rng(1)
    q, start = rng.uniform(-5, 5, (200, 2)), rng.uniform(-5, 5, (200, 1))
    signed = signed_distance(surfaces.sine(), q, start=start)
    np.testing.assert_array_equal(np.sign(signed), np.sign(q[:, 1] - np.sin(q[:, 0])))
    np.testing.assert_array_equal(abs(signed), distance(surfaces.sine(), q, start=start))
    np.testing.assert_array_equal(abs(signed), project(surfaces.sine(), q, start=start).distance)


def test_what_is_not_finite_stays_in_its_item():
    q = [[0.0, 1.0], [np.nan, 1.0], [0.0, np.inf]]
    for verb in VERBS:
        result = verb(surfaces.sine(), q)
        np.testing.assert_array_equal(result[0], verb(surfaces.sine(), q[0]))
        assert np.isnan(result[1]).all()
    assert distance(surfaces.sine(), q)[2] == np.inf


@pytest.mark.parametrize("verb", VERBS)
def test_bad_input(verb):
    with pytest.raises(TypeError, match="surface must be a FunctionGraph, got <ufunc 'sin'>"):
        verb(np.sin, [0.0, 1.0])
    with pytest.raises(ValueError, match=r"points must have shape \(..., d\+1\) with d >= 1, got \(1,\)"):
        verb(surfaces.sine(), [0.0])
    with pytest.raises(TypeError, match="points must be an array of real numbers, got 'word'"):
        verb(surfaces.sine(), "word")
    with pytest.raises(TypeError, match="solver must be an instance of"):
        verb(surfaces.sine(), [0.0, 1.0], "newton")
    with pytest.raises(ValueError, match=r"start must have shape \(..., 1\), got \(2,\)"):
        verb(surfaces.sine(), [0.0, 1.0], start=[0.0, 1.0])
    with pytest.raises(ValueError, match="batch shapes must broadcast, got points"):
        verb(surfaces.sine(), np.ones((3, 2)), start=np.ones((2, 1)))
