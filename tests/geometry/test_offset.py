"""Offsets: closed forms, distances, samples, the tube formula, and the laws of rolling balls."""

import math

import mpmath
import numpy as np
import pytest
from array_api_compat import array_namespace
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry import FunctionGraph, dilate, offset, offset_function
from geometry._maximum import Starts, climb
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


# The offset function. Truths of facts on paper; `exact` says where they hold.


def norm(t):
    xp = array_namespace(t)
    return xp.sqrt(xp.sum(t**2, axis=-1))


def affine(d):
    a = np.linspace(-1, 1.5, d)
    return (
        lambda t: sum(float(a[i]) * t[..., i] for i in range(d)) + 0.3,
        lambda t, rho: t @ a + 0.3 + rho * math.hypot(1, *a),
    )


def cone(d, m=0.7):
    return lambda t: m * norm(t), lambda t, rho: m * norm(t) + rho * math.hypot(1, m)


def roof(d, m=0.7):
    """At the tip the ball rests on a point."""

    def truth(t, rho):
        r, lift = norm(t), math.hypot(1, m)
        return np.where(r <= rho * m / lift, np.sqrt(np.maximum(rho**2 - r**2, 0)), rho * lift - m * r)

    return lambda t: -m * norm(t), truth


def dome(d, r=1.7):
    """A half sphere, and nothing beyond it."""
    return (
        lambda t: (r**2 - norm(t) ** 2) ** 0.5,
        lambda t, rho: np.where(norm(t) <= r + rho, np.sqrt(np.maximum((r + rho) ** 2 - norm(t) ** 2, 0)), np.nan),
    )


def bowl(d, r=9.0):
    """The lower half sphere; the ball must be smaller. Its rim, from |θ| = r − ρ on, is no part of the claim."""
    return (
        lambda t: -((r**2 - norm(t) ** 2) ** 0.5),
        lambda t, rho: np.where(norm(t) < r - rho, -np.sqrt(np.maximum((r - rho) ** 2 - norm(t) ** 2, 0)), np.inf),
    )


FUNCTIONS = {"affine": affine, "cone": cone, "roof": roof, "dome": dome, "bowl": bowl}


@pytest.mark.parametrize("rho", [0.3, 1.5, 5.0])
@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_offset_functions_in_closed_form(name, d, rho):
    f, truth = FUNCTIONS[name](d)
    theta = 1.3 * np.random.default_rng(d).normal(size=(4, d))
    expected = truth(theta, rho)
    found = offset_function(FunctionGraph(f), theta, rho)
    claimed = expected < np.inf
    # the sums of a dozen terms below 20
    np.testing.assert_allclose(found[claimed], expected[claimed], rtol=0, atol=12 * 20 * 2.3e-16)
    assert claimed.any()


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("rho", [0.5, 1.0, 1.5, 3.0])
def test_over_the_bottom_of_a_valley(rho, d):
    """Where the contact is a whole sphere. Gaussian well: 2 sinh(u/2), u = ρ² − W(exp ρ²)."""
    bottom = np.zeros(d)
    u = rho**2 - float(mpmath.lambertw(mpmath.exp(rho**2)))
    well = offset_function(surfaces.well(), bottom, rho)
    assert well == pytest.approx(2 * math.sinh(u / 2) if rho >= 1 else rho - 1, abs=1e-13)
    for k in (0.4, 2.0):
        expected = rho if rho * k <= 1 else (k * rho**2 + 1 / k) / 2
        assert offset_function(surfaces.paraboloid(k), bottom, rho) == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("d", [5, 12, 40])
def test_many_dimensions_with_gradients(d):
    """Samples are sparse there. The truth is that of d = 1, for these surfaces are of revolution."""
    theta = np.zeros((2, d))
    theta[1, 0] = 0.6
    rho = 2.0
    for many in (surfaces.paraboloid(0.3), surfaces.well(), surfaces.plane(0.4)):
        line = many if many.name != "plane" else FunctionGraph(lambda t: 0.4 * math.sqrt(d) * t[..., 0])
        place = theta[:, :1] if many.name != "plane" else theta[:, :1] / math.sqrt(d)
        expected = offset_function(line, place, rho)
        np.testing.assert_allclose(offset_function(many, theta, rho, samples=1024), expected, rtol=0, atol=1e-9)


SINE = {1.1: 1.99636371078797807, 2: 1.74167003662809628, 10: 0.456892248821957107, 1000: 0.00492988445178681416}


@pytest.mark.parametrize("rho", SINE)
def test_over_the_trough_of_a_sine(rho):
    """1 + ρ − Δ(ρ): two contacts of the same height, and for a large ball hundreds of hills under it."""
    found = offset_function(surfaces.sine(), [-math.pi / 2], rho)
    assert found == pytest.approx(1 + rho - SINE[rho], abs=4e-16 * (1 + rho))
    assert offset_function(surfaces.sine(), [math.pi / 2], rho) == pytest.approx(1 + rho, abs=4e-16 * (1 + rho))


def test_on_every_backend(backend, dtype):
    if backend.name == "jax" and dtype == "float32":
        pytest.skip("JAX would compile every single operation again")
    theta = np.array([[0.3, -0.2], [1.0, 2.0]])
    run = backend.jit(lambda t: offset_function(FunctionGraph(cone(2)[0]), t, 0.8, samples=400))
    found = run(backend.asarray(theta, dtype))
    assert backend.belongs(found, dtype)
    expected = cone(2)[1](theta.astype(dtype).astype(float), 0.8)
    np.testing.assert_allclose(backend.to_numpy(found), expected, rtol=0, atol=16 * float(np.finfo(dtype).eps))


def wrinkles(seed, d):
    """A sum of waves, and the bounds of its first and second derivatives."""
    rng = np.random.default_rng(seed)
    a, k, phase = rng.normal(size=6), rng.uniform(-5, 5, (6, d)), rng.uniform(0, 6, 6)
    size = np.linalg.norm(k, axis=1)
    return lambda t: np.sin(t @ k.T + phase) @ a, np.abs(a) @ size, np.abs(a) @ size**2


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), rho=st.floats(0.05, 3), d=st.sampled_from([1, 2]))
def test_samples_hold_it_from_below(seed, rho, d):
    """max over samples ≤ f_ρ, and f_ρ rests on a point: it is no more than a sample and the distance to it explain."""
    f, slope, bend = wrinkles(seed, d)
    n = 60 if d == 2 else 3000
    h = rho / n
    axes = np.meshgrid(*[h * np.arange(-n, n + 1)] * d, indexing="ij")
    samples = dilate(f(np.stack(axes, axis=-1)), rho, spacing=h)[(n,) * d]
    found = offset_function(FunctionGraph(f), np.zeros(d), rho)
    assert samples <= found + 1e-12
    # The contact is at least as steep as the ball there: |s| ≤ ρm/√(1 + m²). Its nearest sample is h√d/2 away.
    room = rho / math.hypot(1, slope) ** 2 - h * math.sqrt(d) * slope
    if room > 0:
        arc = rho**2 / (rho * room) ** 1.5
        assert found <= samples + d * h**2 / 8 * (bend + arc) + 1e-12


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), rho=st.floats(0.05, 3), sigma=st.floats(0.05, 3))
def test_laws_of_the_offset_function(seed, rho, sigma):
    f = wrinkles(seed, 1)[0]
    graph, theta = FunctionGraph(f), np.linspace(-1, 1, 5)[:, None]
    found = offset_function(graph, theta, rho)
    larger = offset_function(graph, theta, rho + sigma)
    assert (found >= f(theta) + rho - 1e-12).all()
    assert (larger >= found + sigma - 1e-12).all()
    shifted = offset_function(FunctionGraph(lambda t: f(t + 0.7) + 5), theta - 0.7, rho)
    np.testing.assert_allclose(shifted, found + 5, rtol=0, atol=1e-9)
    scaled = offset_function(FunctionGraph(lambda t: 3 * f(t / 3)), 3 * theta, 3 * rho)
    np.testing.assert_allclose(scaled, 3 * found, rtol=0, atol=1e-9)
    # not expansive: what lifts f by at most 0.1 lifts f_ρ by at most 0.1
    lifted = offset_function(FunctionGraph(lambda t: f(t) + 0.1 * np.sin(9 * t[..., 0]) ** 2), theta, rho)
    assert ((lifted >= found - 1e-9) & (lifted <= found + 0.1 + 1e-9)).all()


@pytest.mark.parametrize(("rho", "sigma"), [(0.4, 0.3), (1.5, 0.8)])
def test_two_balls_in_a_row_are_one_of_the_sum(rho, sigma):
    """(f_ρ)_σ = f_{ρ+σ}, beyond the critical radius too."""
    sine = surfaces.sine()
    theta = np.array([[-math.pi / 2], [-1.0], [0.4]])
    first = FunctionGraph(lambda t: offset_function(sine, t, rho, samples=256))
    twice = offset_function(first, theta, sigma, samples=256)
    np.testing.assert_allclose(twice, offset_function(sine, theta, rho + sigma), rtol=0, atol=1e-9)


def test_the_center_is_at_the_radius_from_the_surface():
    """Below f_ρ the ball cuts the graph, at f_ρ it touches: distance to dense samples, from first principles."""
    f = wrinkles(5, 1)[0]
    theta, rho = np.linspace(-1, 1, 9), 0.8
    heights = offset_function(FunctionGraph(f), theta[:, None], rho)
    x = np.linspace(-2, 2, 400_001)
    distance = np.array([np.hypot(x - t, f(x[:, None]) - y).min() for t, y in zip(theta, heights, strict=True)])
    np.testing.assert_allclose(distance, rho, atol=1e-9)


def test_mean_of_the_offset_function():
    """Up to the critical radius the mean grows by ρ times the mean length, then by less."""
    theta = np.linspace(0, 2 * np.pi, 64, endpoint=False)[:, None]  # the mean of an analytic period is exact
    for rho, exact in ((0.5, True), (1.5, False)):
        growth = offset_function(surfaces.sine(), theta, rho).mean() / rho
        assert (abs(growth - 1.216006723424979780) < 1e-9) == exact


def test_no_surface_and_walls():
    hole = FunctionGraph(lambda t: np.where(np.abs(t[..., 0]) < 1, np.nan, 0.0 * t[..., 0]))
    found = offset_function(hole, [[0.0], [0.5], [3.0]], 0.25)
    assert np.isnan(found[:2]).all()
    assert found[2] == 0.25
    # The nearest ground is at ±1; the samples find the edge of the hole up to their last digits.
    np.testing.assert_allclose(offset_function(hole, [0.0], 2.0), math.sqrt(3), atol=1e-9)
    wall = FunctionGraph(lambda t: np.where(t[..., 0] > 1, np.inf, 0.0))
    np.testing.assert_array_equal(offset_function(wall, [[0.0], [0.9]], 0.5), [0.5, np.inf])


def test_radii_and_batches():
    sine = surfaces.sine()
    theta = np.linspace(-1, 1, 6).reshape(3, 2, 1)
    together = offset_function(sine, theta, [0.0, 2.0])
    assert together.shape == (3, 2)
    np.testing.assert_array_equal(together[:, 0], np.sin(theta[:, 0, 0]))
    np.testing.assert_allclose(together[:, 1], offset_function(sine, theta[:, 1], 2.0), rtol=0, atol=1e-14)
    assert offset_function(sine, np.zeros((0, 1)), 1.0).shape == (0,)
    assert offset_function(sine, [0.0], np.zeros((4, 0))).shape == (4, 0)
    assert offset_function(surfaces.plane(0.0), [1, 2], 3) == 3


def test_a_climb_stops_by_itself():
    """Whatever the other item does: one of them stops at once, one alone or beside a climb that goes on and on."""

    def hill(x):
        return -np.sum(x**2, axis=-1)

    places = np.array([[[1.0]], [[2.0]]])
    starts = Starts(hill(places), places, np.full((2, 1), 0.1))
    resolution = np.array([[np.inf], [-1.0]])
    both = climb(hill, starts, resolution)
    alone = climb(hill, Starts(*(a[:1] for a in starts)), resolution[:1])
    assert both.values[0] == alone.values[0] < -0.1
    assert both.values[1] == pytest.approx(0, abs=1e-20)
    np.testing.assert_array_equal(hill(both.places), both.values)


def test_more_samples_see_more():
    """A spike narrower than the gaps of few samples."""
    spike = FunctionGraph(lambda t: 5 * np.exp(-(((t[..., 0] - 0.61803) / 1e-3) ** 2)))
    seen = offset_function(spike, [0.0], 2.0, samples=20_000)
    assert seen == pytest.approx(5 + math.sqrt(4 - 0.61803**2), abs=1e-3)
    assert offset_function(spike, [0.0], 2.0, samples=8) <= seen


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"surface": np.sin}, TypeError, "surface must be a FunctionGraph, got <ufunc 'sin'>"),
        ({"theta": 1.0}, ValueError, r"theta must have shape \(..., d\) with d >= 1, got \(\)"),
        ({"theta": "word"}, TypeError, "theta must be an array of real numbers, got 'word'"),
        ({"radius": -1.0}, ValueError, "radius must be finite and not negative"),
        ({"radius": math.nan}, ValueError, "radius must be finite and not negative"),
        ({"radius": "far"}, TypeError, "radius must"),
        ({"theta": np.ones((3, 1)), "radius": [1.0, 2.0]}, ValueError, "must broadcast"),
        ({"samples": 0}, ValueError, "samples must be at least 1, got 0"),
        ({"samples": 1.5}, TypeError, "samples must be an integer, got 1.5"),
    ],
)
def test_wrong_arguments_of_the_offset_function(arguments, error, message):
    with pytest.raises(error, match=message):
        offset_function(**{"surface": surfaces.sine(), "theta": [0.0], "radius": 1.0} | arguments)
