"""Largest touching balls: closed forms, Voronoi balls, the closing by a ball, and the laws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Voronoi, cKDTree

from geometry import (
    FunctionGraph,
    LevelSet,
    certified,
    closing,
    critical_radius,
    dilate,
    distance,
    medial_axis,
    medial_radius,
    offset,
    offset_function,
    reachable,
    shapes,
)
from tests.geometry import surfaces
from tests.geometry.test_offset import wrinkles

# ρ and s*: the ball over the trough of the sine wave touches at −π/2 ± s*.
TROUGH = {
    1.1: 0.395282648158646,
    1.5: 0.944118904412333,
    2: 1.40433771374748,
    3: 2.01206516734667,
    5: 2.51892889486761,
    10: 2.84079112692739,
    30: 3.03957259971718,
    100: 3.1104678917276,
    1000: 3.13845417880182,
}


@pytest.mark.parametrize("rho", TROUGH)
def test_where_the_ball_over_the_trough_of_a_sine_touches(rho):
    """s* is given to 15 digits; dρ/ds* = ρ (1/s* + …) ~ ρ²·10⁻³ near the crest."""
    found = medial_radius(surfaces.sine(), [[-math.pi / 2 + TROUGH[rho]], [-math.pi / 2 - TROUGH[rho]]])
    np.testing.assert_allclose(found, rho, rtol=3e-15 * max(2, rho))


def test_the_trough_and_the_crest():
    found = medial_radius(surfaces.sine(), [[-math.pi / 2], [math.pi / 2]])
    np.testing.assert_allclose(found, [1, np.inf], rtol=1e-15)
    np.testing.assert_array_equal(medial_radius(surfaces.sine(), [[math.pi / 2]], side="below"), 1)


@pytest.mark.parametrize("k", [0.01, 1.3, 400.0])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_paraboloid(d, k):
    """√(1 + k²|θ|²)/k above, nothing below; unreachable are |θ|² < ρ² − 1/k²."""
    theta = np.random.default_rng(d).normal(size=(8, d)) / k
    exact = np.sqrt(1 + k**2 * np.sum(theta**2, axis=-1)) / k
    surface = surfaces.paraboloid(k)
    np.testing.assert_allclose(medial_radius(surface, theta), exact, rtol=1e-12)
    np.testing.assert_array_equal(medial_radius(surface, theta, side="below"), np.inf)
    for rho in (0.7 / k, 1.5 / k):
        np.testing.assert_array_equal(reachable(surface, theta, rho), np.sum(theta**2, axis=-1) >= rho**2 - k**-2)


@pytest.mark.parametrize("d", [1, 2])
def test_well(d):
    """The ball of radius ρ ≥ 1 over the bottom rests on |θ|² = u = ρ² − W(e^{ρ²}), so that ρ² = u + eᵘ."""
    u = np.array([0.1, 0.5, 1.0, 2.0, 4.0])
    theta = np.zeros((5, d))
    theta[:, -1] = np.sqrt(u)
    exact = np.sqrt(u + np.exp(u))  # of the normal, as far as the axis
    np.testing.assert_allclose(medial_radius(surfaces.well(), theta), exact, rtol=1e-12)


def test_cone_and_roof():
    """Kinks: the ball in a cone touches all around; on a roof nothing stops it."""
    m = 0.7
    theta = np.array([[0.5, 0.0], [1.0, -2.0]])
    size = np.linalg.norm(theta, axis=-1)
    cone = shapes.Cone(m).graph()
    np.testing.assert_allclose(medial_radius(cone, theta), size * math.hypot(1, m) / m, rtol=1e-12)
    roof = FunctionGraph(lambda t: -cone.value(t), lambda t: -cone.gradient(t), lambda t: -cone.hessian(t))
    np.testing.assert_array_equal(medial_radius(roof, theta), np.inf)


def test_level_sets():
    t = np.linspace(0.2, 3, 7)
    ellipse = np.stack([2 * np.cos(t), np.sin(t)], axis=-1)
    exact = np.sqrt(np.cos(t) ** 2 + 4 * np.sin(t) ** 2) / 2  # the normal as far as the long axis
    found = medial_radius(shapes.Ellipsoid([2.0, 1.0]), ellipse, side="below", samples=1200)
    np.testing.assert_allclose(found, exact, rtol=1e-12)
    np.testing.assert_array_equal(medial_radius(shapes.Ellipsoid([2.0, 1.0]), ellipse, samples=1200), np.inf)
    walls = medial_radius(shapes.ParallelPlanes(3.0), [[0.3, 1.5], [7.0, -1.0]], side="below", samples=1200)
    np.testing.assert_allclose(walls, 1.5, rtol=1e-12)
    ring = medial_radius(shapes.Torus(2.0, 1.5), [[0.5, 0.0, 0.0], [3.5, 0.0, 0.0]], samples=3000)
    np.testing.assert_allclose(ring, [0.5, np.inf], rtol=1e-12)


def _signed_distance(center, radius, hessian):
    """To a circle or a sphere, the commonest implicit function: of slope 1, with the rounding of |x − c|."""
    center = np.array(center)

    def size(x):
        return np.sqrt(np.sum((x - center) ** 2, axis=-1))

    def bend(x):
        unit = (x - center) / size(x)[..., None]
        return (np.eye(len(center)) - unit[..., :, None] * unit[..., None, :]) / size(x)[..., None, None]

    gradient = lambda x: (x - center) / size(x)[..., None]  # noqa: E731
    return LevelSet(lambda x: size(x) - radius, gradient, bend if hessian else None)


def _stadium(half, radius):
    """The signed distance to the points at a distance from a segment of the first axis; of the slot, its outline."""

    def away(x):
        return x - np.clip(x[..., :1], -half, half) * np.array([1.0, 0.0])

    return LevelSet(
        lambda x: np.hypot(*np.moveaxis(away(x), -1, 0)) - radius,
        lambda x: away(x) / np.linalg.norm(away(x), axis=-1, keepdims=True),
    )


def _rounded_box(half, radius):
    """Outside of a box, and beyond: the distance from it, less a radius."""

    def away(x):
        return x - np.clip(x, -half, half)

    return LevelSet(
        lambda x: np.linalg.norm(away(x), axis=-1) - radius,
        lambda x: away(x) / np.linalg.norm(away(x), axis=-1, keepdims=True),
    )


def _directions(n, count=12):
    a = np.random.default_rng(n).normal(size=(count, n))
    return a / np.linalg.norm(a, axis=-1, keepdims=True)


FEW = {"samples": 600}


@pytest.mark.parametrize("radius", [2e-9, 2.0, 2000.0])
@pytest.mark.parametrize("n", [2, 3])
def test_balls_outside_of_a_sphere_are_never_stopped_by_rounding(n, radius):
    sphere, x = shapes.Sphere(radius), radius * _directions(n)
    np.testing.assert_array_equal(medial_radius(sphere, x, **FEW), np.inf)
    np.testing.assert_allclose(medial_radius(sphere, x, side="below", **FEW), radius, rtol=1e-9)
    assert reachable(sphere, x, radius / 20, **FEW).all()
    assert not reachable(sphere, x, radius * 1.01, side="below", **FEW).any()


def test_single_precision():
    x = (2 * _directions(3)).astype(np.float32)
    np.testing.assert_array_equal(medial_radius(shapes.Sphere(2.0), x, **FEW), np.inf)
    np.testing.assert_allclose(medial_radius(shapes.Sphere(2.0), x, side="below", **FEW), 2, rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "n", "above", "below"),
    [
        (shapes.Plane([3.0, 4.0], 10.0), 2, math.inf, math.inf),
        (shapes.Plane([3.0, 4.0, -1.0]), 3, math.inf, math.inf),
        (shapes.Cylinder(2.0), 3, math.inf, 2.0),
        (shapes.ParallelPlanes(3.0), 3, math.inf, 1.5),
        (shapes.Cone(0.75), 2, None, math.inf),
        (shapes.Cone(0.75), 3, None, math.inf),
        (shapes.Torus(2.0, 0.5), 3, None, 0.5),
        (shapes.Ellipsoid([3.0, 2.0, 1.0]), 3, math.inf, None),
        (shapes.Paraboloid(1.5), 3, None, math.inf),
        (shapes.Hyperbola(1.0, 0.5), 2, None, None),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_every_shape_at_points_that_are_no_round_numbers(shape, n, above, below):
    """Where a ball is never stopped, or by what is the same everywhere; never by less than the reach."""
    x = shape.true_footpoint(3 * _directions(n) + 0.5)
    for side, truth in (("above", above), ("below", below)):
        found = medial_radius(shape, x, side=side, **FEW)
        assert (found >= shape.true_reach(side) * (1 - 1e-9)).all()
        if truth is not None:
            np.testing.assert_allclose(found, truth, rtol=1e-9)


@pytest.mark.parametrize("box", [None, 3.0])
@pytest.mark.parametrize("hessian", [False, True])
@pytest.mark.parametrize(("center", "radius"), [((0.0, 0.0), 1.0), ((1.0, 0.0), 1.0), ((9.0, 0.0, 1.0), 2e-3)])
def test_signed_distance_functions(center, radius, hessian, box):
    """The second passes through the origin, where coordinates are small and the rounding of F is not."""
    ball = _signed_distance(center, radius, hessian)
    x = np.concatenate([radius * _directions(len(center)), radius * -np.eye(len(center))[:1]]) + center
    box = None if box is None else [(c - box * radius, c + box * radius) for c in center]
    np.testing.assert_array_equal(medial_radius(ball, x, box=box, **FEW), np.inf)
    np.testing.assert_allclose(medial_radius(ball, x, side="below", box=box, **FEW), radius, rtol=1e-6)


@pytest.mark.parametrize("box", [None, [(-4, 4), (-3, 3)]])
def test_slot_and_rounded_box(box):
    """Inside of a slot the largest balls fill its width; outside of a convex outline none is stopped."""
    t = np.random.default_rng(0).uniform(0, 2 * np.pi, 12)
    ring = np.stack([np.cos(t), np.sin(t)], axis=-1)
    slot = ring + np.where(ring[:, :1] > 0, 2.0, -2.0) * np.array([1.0, 0.0])
    np.testing.assert_array_equal(medial_radius(_stadium(2.0, 1.0), slot, box=box, **FEW), np.inf)
    found = medial_radius(_stadium(2.0, 1.0), slot, side="below", box=box, **FEW)
    np.testing.assert_allclose(found, 1, rtol=1e-6)
    corners = 0.5 * ring + np.where(ring > 0, 1.0, -1.0)
    np.testing.assert_array_equal(medial_radius(_rounded_box(1.0, 0.5), corners, box=box, **FEW), np.inf)


def test_the_medial_axis_of_a_slot_is_its_middle():
    points, radii = medial_axis(_stadium(2.0, 1.0), [(-3.3, 3.1), (-1.2, 1.4)], side="below", samples=24)
    known = np.isfinite(radii)
    assert known.sum() > 20
    np.testing.assert_allclose(radii[known], 1, rtol=1e-6)
    np.testing.assert_allclose(points[known, 1], 0, atol=1e-6)
    assert (abs(points[known, 0]) <= 2 + 1e-6).all()


@pytest.mark.parametrize("start", [[3e5, 4.1e5], [1e-3, -2e-3], [0.6, 0.8]])
def test_points_are_on_the_surface_however_far_the_start(start):
    point = _signed_distance((0.0, 0.0), 1.0, False).point(start)
    assert abs(math.hypot(*point) - 1) <= 4 * 2.0**-52


def test_voronoi_balls():
    """The largest upper Voronoi ball of dense samples at p is ρ_max(p) up to the spacing."""
    f = wrinkles(3, 1)[0]
    h = 2e-3
    x = np.arange(-8, 8, h)
    points = np.stack([x, f(x[:, None])], axis=-1)
    voronoi = Voronoi(points)
    surface = differentiable(3)
    inner = np.flatnonzero(abs(x) < 2)[::100]
    exact = medial_radius(surface, x[inner][:, None], box=[(-8, 8)])
    for i, radius in zip(inner, exact, strict=True):
        region = [v for v in voronoi.regions[voronoi.point_region[i]] if v >= 0]
        vertices = voronoi.vertices[region]
        up = vertices[vertices[:, 1] > np.interp(vertices[:, 0], x, points[:, 1])]
        if len(up) and radius < 5:
            assert np.linalg.norm(up - points[i], axis=-1).max() == pytest.approx(radius, rel=0.05)


def differentiable(seed):
    """The same sum of waves, with a gradient and a Hessian."""
    rng = np.random.default_rng(seed)
    a, k, phase = rng.normal(size=6), rng.uniform(-5, 5, (6, 1))[:, 0], rng.uniform(0, 6, 6)
    return FunctionGraph(
        lambda t: np.sum(a * np.sin(k * t + phase), axis=-1),
        lambda t: np.sum(a * k * np.cos(k * t + phase), axis=-1, keepdims=True),
        lambda t: -np.sum(a * k**2 * np.sin(k * t + phase), axis=-1, keepdims=True)[..., None],
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_definition(seed):
    """Brute force: the one-sided quotient over dense samples is an upper bound, and not far."""
    surface = differentiable(seed)
    theta = np.linspace(-2, 2, 9)[:, None]
    x = np.linspace(-12, 12, 60_001)[:, None]
    q = surface.point(x)
    for side, sign in (("above", 1), ("below", -1)):
        found = medial_radius(surface, theta, side=side, box=[(-12, 12)])
        for p, normal, radius in zip(surface.point(theta), sign * surface.normal(theta), found, strict=True):
            away = q - p
            height = away @ normal
            near = np.abs(away[:, 0]) < 1e-3  # where rounding decides
            quotient = np.where(
                (height > 0) & ~near, np.sum(away**2, axis=-1) / (2 * np.where(height > 0, height, 1)), np.inf
            )
            assert radius <= quotient.min() * (1 + 1e-12)
            assert radius == np.inf or radius >= quotient.min() * (1 - 5e-3)


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), x=st.floats(-3, 3))
def test_laws(seed, x):
    """ρ_max ≥ ρ_c; the centre of the largest ball is at its radius from Γ, and a larger ball is not."""
    surface = differentiable(seed)
    radius = medial_radius(surface, [x])
    assert radius >= critical_radius(surface, [(-15, 15)], samples=2048) * (1 - 1e-6)
    if radius < 10:
        for times, crossed in ((1 - 1e-6, False), (1 + 1e-3, True)):
            center = offset(surface, np.array([x]), times * radius)
            lowest = offset_function(surface, center[:1], times * radius)
            assert (center[1] < lowest - 1e-9) == crossed or radius > 5


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), scale=st.floats(0.05, 20), shift=st.floats(-3, 3))
def test_scaling_and_translation(seed, scale, shift):
    surface = differentiable(seed)
    moved = FunctionGraph(
        lambda t: scale * surface.value(t / scale - shift) + 1,
        lambda t: surface.gradient(t / scale - shift),
        lambda t: surface.hessian(t / scale - shift) / scale,
    )
    theta, box = np.array([[0.3], [-1.0]]), [(-9, 9)]
    found = medial_radius(moved, scale * (theta + shift), box=[(scale * (shift - 9), scale * (shift + 9))])
    np.testing.assert_allclose(found, scale * medial_radius(surface, theta, box=box), rtol=1e-6)


@pytest.mark.parametrize("rho", [0.5, 1.2, 2.0, 5.0])
def test_what_closing_leaves_is_reachable(rho):
    """On a grid: the ball touches where the closing by it changes nothing."""
    h = 2e-3
    x = np.arange(-12, 12, h)
    heights = np.sin(x)
    lowered = closing(heights, rho, spacing=h)
    inner = np.abs(x) < 4
    left = lowered[inner] - heights[inner] <= 10 * h**2  # the error of samples is of second order
    theta = x[inner][::50, None]
    found = reachable(surfaces.sine(), theta, rho)
    margin = np.abs(medial_radius(surfaces.sine(), theta) / rho - 1) < 0.05  # too near to call on a grid
    np.testing.assert_array_equal(found[~margin], left[::50][~margin])
    assert (~margin).sum() > 40


@pytest.mark.parametrize("rho", [0.5, 2.0])
def test_where_dilated_samples_touch_is_reachable(rho):
    h = 1e-3
    x = np.arange(-12, 12, h)
    contact = dilate(np.sin(x), rho, spacing=h, return_contact=True)[1]
    inner = np.unique(contact[np.abs(x) < 4])[::50]
    radius = medial_radius(surfaces.sine(), x[inner][:, None])
    assert (radius >= rho * (1 - 5 * math.sqrt(h))).all()


def test_sum_is_the_distance_from_the_other_side():
    """At a bottleneck-free graph the ball from below is the ball from above of −f."""
    surface = differentiable(4)
    upside_down = FunctionGraph(
        lambda t: -surface.value(t), lambda t: -surface.gradient(t), lambda t: -surface.hessian(t)
    )
    theta = np.linspace(-2, 2, 7)[:, None]
    np.testing.assert_array_equal(medial_radius(surface, theta, side="below"), medial_radius(upside_down, theta))


def test_without_hessian():
    bowl = FunctionGraph(lambda t: t[..., 0] ** 2 / 2, lambda t: t)
    np.testing.assert_allclose(medial_radius(bowl, [[0.0], [0.75]]), [1, 1.25], rtol=1e-6)


def test_box_and_batches():
    theta = np.linspace(-1, 1, 6).reshape(3, 2, 1)
    together = medial_radius(surfaces.sine(), theta)
    assert together.shape == (3, 2)
    np.testing.assert_allclose(together[1], medial_radius(surfaces.sine(), theta[1]), rtol=1e-9)
    assert medial_radius(surfaces.sine(), np.zeros((0, 1))).shape == (0,)
    assert reachable(surfaces.sine(), theta, [0.5, 100.0]).shape == (3, 2)
    assert reachable(surfaces.sine(), theta, [0.5, 100.0])[:, 0].all()
    # only the right slope of the parabola is there: nothing but the curvature at p's side
    alone = medial_radius(surfaces.paraboloid(), [1.0], box=[(1.0, 5.0)])
    assert alone == pytest.approx(2**1.5, rel=1e-12)  # the radius of curvature


def test_no_surface():
    hole = FunctionGraph(
        lambda t: np.where(abs(t[..., 0]) < 1, np.nan, t[..., 0] ** 2), lambda t: np.where(abs(t) < 1, np.nan, 2 * t)
    )
    found = medial_radius(hole, [[0.0], [2.0]])
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(math.sqrt(17) / 2, rel=1e-9)
    assert reachable(hole, [[0.0], [2.0]], 1.0).tolist() == [False, True]


def test_backends(backend, dtype):
    if backend.name == "jax" or (backend.name == "jax-jit" and dtype == "float32"):
        pytest.skip("JAX would compile every single operation, or the same again")
    theta = backend.asarray([[0.0, 0.0], [0.5, -0.7]], dtype)
    run = backend.jit(lambda t: medial_radius(surfaces.paraboloid(), t, samples=600))
    found = run(theta)
    assert backend.belongs(found, dtype)
    eps = float(np.finfo(dtype).eps)
    # the height of the ball's contact is some 0.1, and known to 4 ε times coordinates of 2
    np.testing.assert_allclose(backend.to_numpy(found), np.sqrt([1, 1.74]), rtol=200 * eps)


# The medial axis.


def test_medial_axis_of_a_parabola():
    points, radii = medial_axis(surfaces.paraboloid(2.0), [(-2, 2)] * 2, samples=30)
    np.testing.assert_allclose(points[:, :2], 0, atol=1e-9)
    assert (points[:, 2] >= 0.5 - 1e-9).all()
    np.testing.assert_allclose(np.sqrt(points[:, 2] - 0.25), radii, rtol=1e-9)  # √(2y/k − 1/k²)


def test_medial_axis_of_an_ellipse():
    points, radii = medial_axis(shapes.Ellipsoid([2.0, 1.0]), [(-3, 3)] * 2, side="below", samples=8)
    assert np.isnan(radii[0])  # the first sample is the centre, from where no gradient leads to the ellipse
    np.testing.assert_allclose(points[1:, 1], 0, atol=1e-9)
    assert (abs(points[1:, 0]) <= 1.5 + 1e-9).all()  # between the centres of curvature
    assert (radii[1:] <= 1 + 1e-9).all()
    outside = medial_axis(shapes.Ellipsoid([2.0, 1.0]), [(-3, 3)] * 2, samples=4)
    assert np.isinf(outside.radii[1:]).all()


def test_medial_axis_is_equally_far_from_two_points():
    surface = differentiable(7)
    points, radii = medial_axis(surface, [(-2, 2)], samples=12)
    x = np.linspace(-9, 9, 1_800_001)
    samples = np.stack([x, surface.value(x[:, None])], axis=-1)
    finite = radii < 3
    nearest = cKDTree(samples).query(points[finite])[0]
    np.testing.assert_allclose(nearest, radii[finite], rtol=1e-8)
    assert finite.sum() > 5
    np.testing.assert_array_less(distance(surface, points[finite]), radii[finite] * 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: medial_radius(np.sin, [0.0]), TypeError, "surface must be a FunctionGraph, got <ufunc 'sin'>"),
        (lambda: medial_radius(surfaces.sine(), 0.0), ValueError, r"theta must have shape \(..., d\)"),
        (
            lambda: medial_radius(surfaces.sine(), [0.0], side="both"),
            ValueError,
            "side must be one of 'above', 'below'",
        ),
        (lambda: medial_radius(surfaces.sine(), [0.0], box=[(0, 1)] * 2), ValueError, "box must have one"),
        (lambda: medial_radius(surfaces.sine(), [0.0], samples=1), ValueError, "samples must be at least"),
        (lambda: reachable(surfaces.sine(), [0.0], -1.0), ValueError, "radius must be finite and positive"),
        (lambda: medial_axis(surfaces.sine(), [(0, 1)], samples=0), ValueError, "samples must be at least 1"),
        (lambda: medial_axis(surfaces.sine(), [(0, 1)], side="both"), ValueError, "side must be one of"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(("slope", "center", "theta"), [(2.0, 3.25, 0.0), (0.0, 1.5, 6.0), (0.0, -40.0, 0.0)])
def test_a_hill_is_seen_from_where_the_ground_hardly_bends(slope, center, theta):
    """There the ball of curvature is 1e8 times as large as the hill, or there is none."""
    surface = FunctionGraph(lambda t: slope * t[..., 0] + np.exp(-2 * (t[..., 0] - center) ** 2))
    q = np.linspace(center - 4, center + 4, 2_000_001)[:, None]
    away, normal = surface.point(q) - surface.point([theta]), surface.normal([theta])
    height = away @ normal
    least = (np.sum(away**2, axis=-1)[height > 1e-6] / (2 * height[height > 1e-6])).min()
    assert medial_radius(surface, [theta]) == pytest.approx(least, rel=1e-9)  # the samples are 4e-6 apart
    enclosed = certified.medial_radius(surface, [theta], tolerance=1e-6)
    assert enclosed.lower <= least * (1 + 1e-9)
    assert medial_radius(surface, [theta]) >= enclosed.lower * (1 - 1e-12)
