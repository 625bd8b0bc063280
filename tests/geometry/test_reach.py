"""Reach: exact values, arbitrary precision, Federer's quotient over samples, the laws of scaling and motion."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry import FunctionGraph, LevelSet, bottleneck, critical_radius, reach, reach_from_points, shapes
from tests.geometry import curves, surfaces


def graph(value, first, second) -> FunctionGraph:
    """d = 1."""
    return FunctionGraph(lambda t: value(t)[..., 0], first, lambda t: second(t)[..., None])


def wave(amplitude, rate):
    return graph(
        lambda t: amplitude * np.sin(rate * t),
        lambda t: amplitude * rate * np.cos(rate * t),
        lambda t: -amplitude * rate**2 * np.sin(rate * t),
    )


def power(n):
    return graph(lambda t: t**n, lambda t: n * t ** (n - 1), lambda t: n * (n - 1) * t ** (n - 2))


tanh = graph(np.tanh, lambda t: 1 / np.cosh(t) ** 2, lambda t: -2 * np.tanh(t) / np.cosh(t) ** 2)
logarithm = graph(np.log, lambda t: 1 / t, lambda t: -1 / t**2)


def catenary(a):
    return graph(lambda t: a * np.cosh(t / a), lambda t: np.sinh(t / a), lambda t: np.cosh(t / a) / a)


def hill(d):
    well = surfaces.well()
    return FunctionGraph(lambda t: -well.value(t), lambda t: -well.gradient(t), lambda t: -well.hessian(t))


BELOW_THE_WELL = 2.676208711244663  # at √3.51…, for any d: the slope's curvature
EXACT = {  # surface, dimensions, half side of the box, side, reach
    "paraboloid": (surfaces.paraboloid(2.5), 3, 2.0, "both", 0.4),
    "paraboloid below": (surfaces.paraboloid(2.5), 2, 2.0, "below", math.inf),
    "plane": (surfaces.plane(0.7), 2, 3.0, "both", math.inf),
    "sine": (surfaces.sine(), 1, 4.0, "both", 1.0),
    "steep wave": (wave(3.0, 5.0), 1, 1.0, "both", 1 / 75),
    "catenary": (catenary(1.7), 1, 3.0, "above", 1.7),
    "exponential": (surfaces.exponential(), 1, 3.0, "both", 3 * math.sqrt(3) / 2),
    "cubic": (power(3), 1, 2.0, "both", 0.567444965401905),
    "quartic": (power(4), 1, 2.0, "both", 0.464798588399668),
    "double well": (surfaces.double_well(), 1, 2.0, "both", 0.122285678467449),
    "tanh": (tanh, 1, 4.0, "both", 1.971199095256077),
    "well": (surfaces.well(), 2, 4.0, "both", 1.0),
    "below the well": (surfaces.well(), 1, 4.0, "below", BELOW_THE_WELL),
    "hill": (hill(3), 3, 4.0, "both", 1.0),
    "above a hill": (hill(2), 2, 4.0, "above", BELOW_THE_WELL),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_values(name):
    surface, d, half, side, exact = EXACT[name]
    found = reach(surface, [(-half, half)] * d, side=side, samples=2**13)
    # The curvature is flat where it is extreme, and has a few dozen roundings.
    assert float(found.value) == pytest.approx(exact, rel=64 * 2.3e-16, abs=0)
    if side == "above":
        assert critical_radius(surface, [(-half, half)] * d, samples=2**13) == found.value


@pytest.mark.parametrize(
    ("surface", "box", "place"),
    [
        (power(3), (0, 2), 45**-0.25),
        (power(4), (0, 2), 56 ** (-1 / 6)),
        (surfaces.double_well(), (0, 2), 1.0144413114425),
        (surfaces.exponential(), (-3, 3), -math.log(2) / 2),
        (logarithm, (0.1, 3), math.sqrt(0.5)),
        (tanh, (-3, 0), -0.919021362347),
        (hill(1), (0, 4), 0.0),
    ],
)
def test_places(surface, box, place):
    """To the square root of the precision, as far as values can tell."""
    assert float(reach(surface, [box]).theta[0]) == pytest.approx(place, abs=3e-7)


def test_the_logarithm_is_the_exponential_in_a_mirror():
    found = reach(logarithm, [(0.1, 3)])
    assert (float(found.value), found.side) == (pytest.approx(3 * math.sqrt(3) / 2, rel=1e-14), "below")


def test_sides():
    assert reach(surfaces.sine(), [(0, 3)]).side == "below"
    assert reach(surfaces.sine(), [(-3, 0)]).side == "above"
    assert reach(surfaces.sine(), [(0, 3)], side="above").value > 1e3  # the box ends at an inflection
    cross = np.array([[0.0, 1.0], [1.0, 0.0]])
    saddle = FunctionGraph(lambda t: t[..., 0] * t[..., 1], lambda t: t[..., ::-1], lambda t: cross + 0 * t[..., None])
    assert reach(saddle, [(-1, 1)] * 2).value == pytest.approx(1, rel=1e-14)


def test_at_the_edge_of_the_box_and_of_the_surface():
    assert critical_radius(surfaces.paraboloid(), [(1, 2)]) == pytest.approx(2**1.5, rel=1e-14)
    cut = graph(lambda t: np.where(t < 1, t**2, np.nan), lambda t: np.where(t < 1, 2 * t, np.nan), lambda t: 2 + 0 * t)
    assert reach(cut, [(0.5, 2)]).value == pytest.approx(2**1.5 / 2, rel=1e-14)
    nowhere = FunctionGraph(lambda t: np.nan * t[..., 0], lambda t: np.nan * t, lambda t: np.nan * t[..., None])
    assert reach(nowhere, [(0, 1)]).value == math.inf


def test_critical_radius_of_the_wrinkles():
    """Eq. (13), from the very peak: the arbitrary precision of one curvature bounds it from above."""
    found = reach(surfaces.wrinkled(), [(-2.0945, -2.0943)], side="above", samples=2**13)
    with mpmath.workdps(40):
        theta = mpmath.mpf(float(found.theta[0]))
        slope = mpmath.fsum(mpmath.cos(k * k * theta) for k in range(1, 101))
        bend = -mpmath.fsum(k * k * mpmath.sin(k * k * theta) for k in range(1, 101))
        exact = float((1 + slope**2) ** 1.5 / bend)
    # θ is known to 1 unit in the last place, which 100² multiplies
    assert float(found.value) == pytest.approx(exact, rel=1e-9)
    assert exact == pytest.approx(5.119290772e-06, rel=1e-9)


# Against Federer's quotient.


def samples_of(surface, theta):
    return surface.point(theta), surface.normal(theta)


@pytest.mark.parametrize("seed", range(3))
def test_no_pair_of_samples_has_a_smaller_quotient(seed):
    """Random trigonometric polynomials, steep ones too: no bottleneck, whatever the amplitude."""
    rng = np.random.default_rng(seed)
    a, k, phase = 3 * rng.normal(size=5), rng.integers(1, 6, size=5), rng.uniform(0, 7, 5)
    surface = graph(
        lambda t: np.sum(a * np.sin(k * t + phase), axis=-1, keepdims=True),
        lambda t: np.sum(a * k * np.cos(k * t + phase), axis=-1, keepdims=True),
        lambda t: -np.sum(a * k**2 * np.sin(k * t + phase), axis=-1, keepdims=True),
    )
    found = float(reach(surface, [(0, 2 * math.pi)]).value)
    theta = np.linspace(-1, 7, 1501)[:, None]
    around = np.asarray(reach(surface, [(0, 2 * math.pi)]).theta) + found * np.linspace(-0.2, 0.2, 201)[:, None]
    points, normals = samples_of(surface, np.concatenate([theta, around]))
    federer = reach_from_points(points, normals=normals)
    assert found * (1 - 1e-9) <= federer <= 1.05 * found


def test_brute_force():
    """Curvature by finite differences of the normal along a fine grid."""
    surface = surfaces.monkey_saddle()
    axis = np.linspace(-1, 1, 401)
    theta = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    kappa = np.abs(surface.curvatures(theta)).max()
    found = float(reach(surface, [(-1, 1)] * 2).value)
    assert 1 / kappa * (1 - 1e-4) <= found <= 1 / kappa
    h = 1e-5
    x, y = np.asarray(reach(surface, [(-1, 1)] * 2).theta)
    turn = max(
        np.linalg.norm(surface.normal(at + h * e) - surface.normal(at - h * e))
        / np.linalg.norm(surface.point(at + h * e) - surface.point(at - h * e))
        for at in [np.array([x, y])]
        for e in np.stack([np.cos(np.linspace(0, 3, 50)), np.sin(np.linspace(0, 3, 50))], axis=-1)
    )
    assert turn == pytest.approx(1 / found, rel=1e-3)  # 50 directions


@settings(max_examples=6)
@given(scale=st.floats(0.01, 100), shift=st.floats(-5, 5), height=st.floats(-5, 5))
def test_scaling_and_translation(scale, shift, height):
    """reach(λΓ + a) = λ reach(Γ)."""
    well = surfaces.double_well()
    moved = FunctionGraph(
        lambda t: scale * well.value(t / scale - shift) + height,
        lambda t: well.gradient(t / scale - shift),
        lambda t: well.hessian(t / scale - shift) / scale,
    )
    box = [((shift - 2) * scale, (shift + 2) * scale)]
    for side in ("above", "below"):
        one = reach(well, [(-2, 2)], side=side, samples=512).value
        assert reach(moved, box, side=side, samples=512).value == pytest.approx(scale * one, rel=1e-9)


@settings(max_examples=3)
@given(angle=st.floats(0, 6.28), x=st.floats(-1, 1))
def test_rotation(angle, x):
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    shape = np.diag([0.25, 1.0])
    moved = curves.quadric(turn @ shape @ turn.T)
    shifted = LevelSet(lambda p: moved.value(p - x), lambda p: moved.gradient(p - x), lambda p: moved.hessian(p - x))
    assert reach(shifted, [(-4, 4)] * 2, samples=512).value == pytest.approx(0.5, rel=1e-9)


def test_backends(backend, dtype):
    if backend.name.startswith("jax"):
        pytest.skip("JAX would compile every single operation; no reach is asked for under jit")
    box = backend.asarray([[-2.0, 2.0], [-1.0, 3.0]], dtype)
    found = reach(surfaces.paraboloid(2.0), box, samples=256)
    assert backend.belongs(found.value, dtype)
    assert backend.belongs(found.theta, dtype)
    assert (found.value.shape, found.theta.shape, found.side) == ((), (2,), "above")
    eps = float(np.finfo(dtype).eps)
    assert float(found.value) == pytest.approx(0.5, rel=16 * eps)
    np.testing.assert_allclose(backend.to_numpy(found.theta), 0, atol=4 * eps**0.5)


# From points.


def test_circle_and_sphere_from_points(backend, dtype):
    if backend.name.startswith("jax"):
        pytest.skip("JAX would compile every single operation")
    normals = np.random.default_rng(0).normal(size=(60, 3))
    points = 2.5 * normals / np.linalg.norm(normals, axis=-1, keepdims=True)
    eps = float(np.finfo(dtype).eps)
    found = reach_from_points(backend.asarray(points, dtype), normals=backend.asarray(normals, dtype))
    # nearest pairs are 0.05 apart: rounding is ε·2.5 in a height of 5e-4
    assert found == pytest.approx(2.5, rel=16 * eps * 2.5 / 5e-4)


def test_a_helix_from_points(backend, dtype):
    """Radius of curvature (a² + b²)/a; a steep helix is nowhere nearer to itself. Normals: outwards, and skew to it."""
    if backend.name.startswith("jax"):
        pytest.skip("JAX would compile every single operation")
    a, b, t = 0.7, 1.1, np.linspace(0, 9, 300)
    points = np.stack([a * np.cos(t), a * np.sin(t), b * t], axis=-1)
    outwards = np.stack([np.cos(t), np.sin(t), 0 * t], axis=-1)
    binormal = np.stack([b * np.sin(t), -b * np.cos(t), a + 0 * t], axis=-1)
    normals = np.stack([outwards, outwards - 2 * binormal], axis=-2)
    found = reach_from_points(backend.asarray(points, dtype), normals=backend.asarray(normals, dtype))
    # Neighbours are 0.04 apart: quotients exceed the radius by a part in 10⁴, and a height of 5e-4 is rounded by 10ε.
    assert found == pytest.approx((a**2 + b**2) / a, rel=1e-3 + 10 * float(np.finfo(dtype).eps) / 5e-4)


def naive(points, normals):
    """The least quotient of each point."""
    return [
        min(np.sum((q - p) ** 2) / (2 * abs((q - p) @ n)) for q in points if any(p != q))
        for p, n in zip(points, normals, strict=True)
    ]


@pytest.mark.parametrize("n", [2, 3, 5])
def test_from_points_is_the_definition(n):
    rng = np.random.default_rng(n)
    points, normals = rng.normal(size=(40, n)), rng.normal(size=(40, n))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    expected = naive(points, normals)
    assert reach_from_points(points, normals=3 * normals) == pytest.approx(min(expected), rel=1e-12)
    np.testing.assert_allclose(reach_from_points(points, normals=3 * normals, per_point=True), expected, rtol=1e-12)


def test_local_feature_size_of_an_ellipse(backend, dtype):
    """Of the largest ball that touches it inside, and its mirror image: b √(b² cos² t + a² sin² t) / a."""
    t = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    points = np.stack([2 * np.cos(t), np.sin(t)], axis=-1)
    normals = np.stack([np.cos(t), 2 * np.sin(t)], axis=-1)
    found = reach_from_points(backend.asarray(points, dtype), normals=backend.asarray(normals, dtype), per_point=True)
    assert backend.belongs(found, dtype)
    exact = np.hypot(np.cos(t), 2 * np.sin(t)) / 2
    np.testing.assert_allclose(backend.to_numpy(found), exact, rtol=2e-3 if dtype == "float64" else 2e-2)


def test_from_points_is_an_upper_bound():
    for surface, half, exact in [(surfaces.double_well(), 1.5, 0.122285678467449), (surfaces.sine(), 4, 1.0)]:
        theta = np.linspace(-half, half, 1500)[:, None]
        points, normals = samples_of(surface, theta)
        assert exact <= reach_from_points(points, normals=normals) <= 1.01 * exact


def test_estimated_normals():
    """Of a circle they are right to the square of the spacing."""
    t = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    circle = np.stack([2 * np.cos(t), 2 * np.sin(t)], axis=-1)
    assert reach_from_points(circle) == pytest.approx(2, rel=1e-3)
    assert reach_from_points(circle, neighbors=6) == pytest.approx(2, rel=1e-3)
    two = np.concatenate([np.stack([t, 0 * t], axis=-1), np.stack([t, 0 * t + 0.5], axis=-1)])
    assert reach_from_points(two) == pytest.approx(0.25, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_points_of_which_the_squares_leave_the_range(scale):
    angle = np.arange(0.1, 6.3, 0.1)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    assert reach_from_points(scale * circle, normals=circle) == pytest.approx(scale, rel=1e-12)


def test_flat_and_double_points():
    flat = np.random.default_rng(0).normal(size=(30, 2)) * [1, 0]
    assert reach_from_points(flat, normals=np.ones((30, 2)) * [0, 1]) == math.inf
    pair = [[0.0, 0.0], [0.0, 0.0], [0.0, 1.0]]
    assert reach_from_points(pair, normals=[[0.0, 1.0]] * 3) == pytest.approx(0.5, rel=1e-14)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: reach(np.sin, [(0, 1)]), TypeError, "surface must be a FunctionGraph, got <ufunc 'sin'>"),
        (
            lambda: reach(surfaces.sine(), [(0, 1)], side="up"),
            ValueError,
            "side must be one of 'above', 'below', 'both'",
        ),
        (lambda: reach(surfaces.sine(), [(1, 0)]), ValueError, "box must have finite sides with low < high"),
        (lambda: reach(surfaces.sine(), [(0, math.inf)]), ValueError, "box must have finite sides with low < high"),
        (lambda: reach(surfaces.sine(), 3), ValueError, "box must be a sequence of"),
        (lambda: reach(surfaces.sine(), np.zeros((2, 3))), ValueError, "box must be a sequence of"),
        (lambda: reach(surfaces.sine(), [(0, 1)], samples=0), ValueError, "samples must be at least 1, got 0"),
        (lambda: bottleneck(surfaces.sine(), [(0, 1)]), TypeError, "surface must be a LevelSet"),
        (lambda: reach(FunctionGraph(np.sum, np.cos), [(0, 1)]), ValueError, "value must return shape .*got \\(\\)"),
        (
            lambda: reach_from_points([[0.0, 1.0], [np.nan, 1.0]], normals=np.eye(2)),
            ValueError,
            r"points must be finite, got \[nan, 1.0\] at index 1",
        ),
        (
            lambda: reach_from_points([[0.0, 1.0], [np.inf, 1.0]]),
            ValueError,
            "points must be finite, got .* at index 1",
        ),
        (
            lambda: reach_from_points(np.eye(2), normals=[[0.0, np.nan], [0.0, 1.0]]),
            ValueError,
            r"normals must be finite, got \[0.0, nan\] at index 0",
        ),
        (
            lambda: reach_from_points(np.eye(2), normals=[[0.0, 1.0], [0.0, 0.0]]),
            ValueError,
            "normals must not be zero, got zero at index 1",
        ),
        (lambda: reach_from_points([1.0, 2.0]), ValueError, r"points must have shape \(N, n\)"),
        (lambda: reach_from_points(np.eye(2), normals=np.eye(3)), ValueError, "normals must have the shape of points"),
        (lambda: reach_from_points(np.eye(2), normals=np.ones((2, 3, 2))), ValueError, "with 1 <= k <= n, got"),
        (lambda: reach_from_points(np.eye(2), normals=np.eye(2), neighbors=3), ValueError, "not both"),
        (lambda: reach_from_points(np.eye(2), neighbors=1), ValueError, "neighbors must be at least 2"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_shapes_that_are_graphs_have_the_reach_of_their_level_sets():
    shape = shapes.Paraboloid(1.3)
    one = reach(shape, [(-2, 2)] * 3, samples=1024).value
    two = reach(shape.graph(), [(-2, 2)] * 2, samples=1024).value
    assert one == pytest.approx(float(two), rel=1e-12)
    assert one == pytest.approx(shape.true_reach(), rel=1e-12)
