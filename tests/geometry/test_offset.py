"""Parallel surfaces: closed forms, distances, and the tube formula."""

import numpy as np
import pytest

from geometry import offset
from tests.geometry import surfaces

SHAPES = [(), (5,), (2, 3)]


def thetas(shape, d):
    return np.random.default_rng(d).uniform(-1, 1, (*shape, d))


def on_plane(theta, rho, slope=0.7):
    """The plane, shifted along its constant normal."""
    d = theta.shape[-1]
    normal = np.array([-slope] * d + [1]) / np.sqrt(1 + d * slope**2)
    return np.concatenate([theta, slope * theta.sum(-1, keepdims=True)], axis=-1) + rho * normal


def on_paraboloid(theta, rho, k=2.0):
    """(θ(1 − kρ/W), k|θ|²/2 + ρ/W), W = √(1 + k²|θ|²)."""
    square = np.sum(theta**2, axis=-1, keepdims=True)
    w = np.sqrt(1 + k**2 * square)
    return np.concatenate([theta * (1 - k * rho / w), k / 2 * square + rho / w], axis=-1)


def on_cap(theta, rho, r=3.0):
    """The concentric sphere."""
    point = np.concatenate([theta, np.sqrt(r**2 - np.sum(theta**2, axis=-1, keepdims=True))], axis=-1)
    return (r + rho) / r * point


CLOSED_FORMS = {
    "plane": (surfaces.plane(0.7), on_plane),
    "paraboloid": (surfaces.paraboloid(2.0), on_paraboloid),
    "cap": (surfaces.cap(3.0), on_cap),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_closed_forms(backend, dtype, name, shape):
    if backend.name == "jax" and shape != (2, 3):
        pytest.skip("JAX would compile every single operation again")
    surface, truth = CLOSED_FORMS[name]
    theta = thetas(shape, 2).astype(dtype)
    run = backend.jit(lambda t, rho: offset(surface, t, rho))
    for rho in (0.5, 2.0, -1.25, 0.0):
        center = run(backend.asarray(theta, dtype), rho)
        assert backend.belongs(center, dtype)
        # a dozen roundings of coordinates up to 5
        expected = truth(theta.astype(float), rho)
        np.testing.assert_allclose(backend.to_numpy(center), expected, atol=64 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize("surface", [surfaces.well(), surfaces.monkey_saddle(), surfaces.cap(3.0)], ids=str)
@pytest.mark.parametrize("rho", [1e-9, 0.3, 1e6, -0.3])
def test_the_center_is_at_the_radius_from_the_contact_along_the_normal(surface, rho):
    theta = thetas((20,), 2)
    away = offset(surface, theta, rho) - surface.point(theta)
    rounding = 1e-15 * (1 + abs(rho))
    np.testing.assert_allclose(np.linalg.norm(away, axis=-1), abs(rho), atol=rounding)
    np.testing.assert_allclose(away, rho * surface.normal(theta), atol=rounding)
    tangent = np.concatenate([np.ones((20, 1)), np.zeros((20, 1)), surface.gradient(theta)[:, :1]], axis=-1)
    np.testing.assert_allclose(np.sum(away * tangent, axis=-1), 0, atol=1e-14 * (1 + abs(rho)))


def test_radii_broadcast_against_the_batch(backend):
    theta = backend.asarray(thetas((2, 1), 1))
    expected = [[on_plane(t, rho) for rho in (1, 2, 3)] for t in backend.to_numpy(theta)[:, 0]]
    for radius in ([1, 2, 3], np.array([1.0, 2.0, 3.0]), backend.asarray([1.0, 2.0, 3.0]), backend.asarray([1, 2, 3])):
        center = offset(surfaces.plane(0.7), theta, radius)
        assert backend.belongs(center, backend.dtypes[-1])
        np.testing.assert_allclose(backend.to_numpy(center), expected, rtol=1e-6)


def test_python_numbers_and_integers():
    assert offset(surfaces.plane(0.0), [1, 2], 3).tolist() == [1, 2, 3]
    assert offset(surfaces.plane(0.0), np.array([1, 2]), np.int32(3)).tolist() == [1, 2, 3]


@pytest.mark.parametrize("rho", [0.5, 0.99, -0.5])
def test_tube_formula(rho):
    """A parallel curve is ∫(1 − ρκ) ds long, and the sine wave turns by 0 a period; the area grows by ρ·length."""
    theta = np.linspace(0, 2 * np.pi, 20001)[:, None]
    length = 7.640395578055424  # of one period
    x, y = offset(surfaces.sine(), theta, rho).T
    assert np.hypot(np.diff(x), np.diff(y)).sum() == pytest.approx(length, rel=1e-6)
    assert np.sum((y[1:] + y[:-1]) / 2 * np.diff(x)) == pytest.approx(rho * length, rel=1e-6)


def test_bad_input():
    sine = surfaces.sine()
    with pytest.raises(TypeError, match="surface must be a FunctionGraph, got <ufunc 'sin'>"):
        offset(np.sin, [1.0], 1.0)
    for radius in ("far", None, 1j, np.array([1j]), [[1.0], [1.0, 2.0]]):
        with pytest.raises((TypeError, ValueError), match="radius must"):
            offset(sine, [1.0], radius)
    with pytest.raises(ValueError, match=r"batch shapes must broadcast, got radius \(2,\), the batch \(3,\)"):
        offset(sine, np.ones((3, 1)), np.ones(2))
    with pytest.raises(TypeError, match="theta must be an array of real numbers, got 'word'"):
        offset(sine, "word", 1.0)
    with pytest.raises(ValueError, match=r"theta must have shape \(..., d\) with d >= 1, got \(\)"):
        offset(sine, 1.0, 1.0)
    with pytest.raises(TypeError, match="was given no gradient"):
        offset(type(sine)(np.sum), [1.0], 1.0)
