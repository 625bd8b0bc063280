"""Level sets: verbs against closed forms, graphs, published numbers, and laws."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry import (
    Descent,
    FunctionGraph,
    GaussNewton,
    LevelSet,
    MultiStart,
    Newton,
    Sampling,
    Status,
    bottleneck,
    distance,
    distance_gradient,
    medial_radius,
    offset,
    offset_function,
    project,
    reach,
    reach_from_points,
    shapes,
    signed_distance,
)
from tests.geometry import curves, surfaces


def as_level_set(graph):
    """{y − f(θ) = 0}: the same surface, with the same signs."""

    def bordered(matrix):
        wide = np.concatenate([matrix, 0 * matrix[..., :1]], axis=-1)
        return np.concatenate([wide, 0 * wide[..., :1, :]], axis=-2)

    return LevelSet(
        lambda x: x[..., -1] - graph.value(x[..., :-1]),
        lambda x: np.concatenate([-graph.gradient(x[..., :-1]), np.ones_like(x[..., -1:])], axis=-1),
        lambda x: -bordered(graph.hessian(x[..., :-1])),
        name=graph.name,
    )


GRAPHS = [surfaces.paraboloid(1.3), surfaces.well(), surfaces.monkey_saddle(), surfaces.plane(0.7)]


@pytest.mark.parametrize("graph", GRAPHS, ids=str)
def test_a_graph_is_a_level_set(graph):
    level = as_level_set(graph)
    theta = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    on = graph.point(theta)
    np.testing.assert_allclose(level.normal(on), graph.normal(theta), atol=1e-15)
    np.testing.assert_allclose(level.curvatures(on), graph.curvatures(theta), atol=1e-13)
    for rho in (0.3, -0.5):
        np.testing.assert_allclose(offset(level, on, rho), offset(graph, theta, rho), atol=1e-14)
    near = on + 0.1 * graph.normal(theta)  # inside of the tube
    for solver in (None, Newton(), GaussNewton(), MultiStart(starts=3)):
        feet, known = project(level, near, solver), project(graph, near, solver)
        assert feet.converged.all()
        np.testing.assert_allclose(feet.point, on, atol=1e-9)
        np.testing.assert_allclose(feet.point, known.point, atol=1e-9)
        np.testing.assert_allclose(feet.distance, 0.1, atol=1e-11)
        np.testing.assert_array_equal(feet.theta, feet.point)
    np.testing.assert_allclose(signed_distance(level, near), signed_distance(graph, near), atol=1e-11)
    np.testing.assert_allclose(distance_gradient(level, near), graph.normal(theta), atol=1e-9)


# Published numbers.


@pytest.fixture(scope="module")
def spiky():
    return reach(curves.reach_of_a_curve(), [(-4, 4)] * 2)


def test_reach_of_the_published_curve(spiky):
    """Largest curvature 2097.17 and narrowest bottleneck 0.138 (HomotopyContinuation.jl)."""
    assert 1 / float(spiky.value) == pytest.approx(2097.16647502384, rel=1e-11)
    np.testing.assert_allclose(spiky.theta, [-2.50847978, 2.23592926], atol=1e-8)
    neck = bottleneck(curves.reach_of_a_curve(), [(-4, 4)] * 2)
    assert 2 * neck.radius == pytest.approx(0.138351, abs=5e-7)
    ends = sorted(neck.points.tolist())
    np.testing.assert_allclose(ends, [[0.782503, 1.489380], [0.838065, 1.616084]], atol=5e-7)


def test_its_curvature_in_arbitrary_precision(spiky):
    """−tᵀ∇²F t/|∇F| for the unit tangent t, F differentiated by mpmath."""

    def f(x, y):
        return (x**3 - x * y**2 + y + 1) ** 2 * (x**2 + y**2 - 1) + y**2 - 5

    with mpmath.workdps(40):
        x, y = mpmath.findroot(lambda y: f(mpmath.mpf(float(spiky.theta[0])), y), float(spiky.theta[1])), None
        x, y = mpmath.mpf(float(spiky.theta[0])), x
        fx, fy = mpmath.diff(f, (x, y), (1, 0)), mpmath.diff(f, (x, y), (0, 1))
        bend = fy**2 * mpmath.diff(f, (x, y), (2, 0)) + fx**2 * mpmath.diff(f, (x, y), (0, 2))
        bend -= 2 * fx * fy * mpmath.diff(f, (x, y), (1, 1))
        exact = float(abs(bend) / (fx**2 + fy**2) ** 1.5)
    assert 1 / float(spiky.value) == pytest.approx(exact, rel=1e-9)


def test_butterfly():
    """Reach 0.10362272960376587 and weak feature size 0.25132220149841, published with the examples of 2022."""
    found = reach(curves.butterfly(), [(-4, 4)] * 2, samples=4096)
    assert float(found.value) == pytest.approx(0.10362272960376587, rel=1e-10)
    neck = bottleneck(curves.butterfly(), [(-4, 4)] * 2)
    assert neck.radius == pytest.approx(0.25132220149841, rel=1e-12)


@pytest.mark.parametrize("corner", [0.0, 1 / 14])
def test_quadrics(corner):
    """Weak feature size 1/√λ_max, reach √λ_min/λ_max: 1.0 and 0.99503525697798 are the published ones."""
    matrix = np.diag([1.0, 1.0, 0.5])
    matrix[0, 2] = matrix[2, 0] = corner
    low, *_, high = np.linalg.eigvalsh(matrix)
    surface = curves.quadric(matrix)
    neck = bottleneck(surface, [(-2, 2)] * 3)
    assert neck.radius == pytest.approx(1 / math.sqrt(high), rel=1e-12)
    assert neck.radius == pytest.approx(0.9950352569779831 if corner else 1.0, rel=1e-12)
    found = float(reach(surface, [(-2, 2)] * 3, samples=2048).value)
    assert found == pytest.approx(math.sqrt(low) / high, rel=1e-11)
    if corner:
        assert found == pytest.approx(0.69306383830, rel=1e-10)


# Bottlenecks.


@pytest.mark.parametrize(
    ("surface", "n", "half", "side", "exact"),
    [
        (shapes.ParallelPlanes(1.4), 3, 2.0, "both", 0.7),
        (shapes.ParallelPlanes(1.4), 2, 2.0, "above", math.inf),
        (shapes.Hyperbola(1.0, 2.0), 2, 4.0, "both", 1.0),
        (shapes.Hyperbola(1.0, 0.5), 2, 4.0, "both", 0.25),
        (shapes.Hyperbola(1.0, 2.0), 2, 4.0, "above", 4.0),
        (shapes.Torus(2.0, 1.5), 3, 4.0, "both", 0.5),
        (shapes.Torus(2.0, 0.5), 3, 4.0, "above", 1.5),
        (shapes.Sphere(1.7), 3, 2.0, "both", 1.7),
    ],
)
def test_reach_of_shapes(surface, n, half, side, exact):
    found = reach(surface, [(-half, half)] * n, side=side, samples=2048)
    assert float(found.value) == pytest.approx(exact, rel=1e-11)
    if exact < math.inf:
        assert abs(surface.value(found.theta)) < 1e-12


def two_spheres(gap):
    """Of radius 1, side by side: the product of both equations."""
    middle = np.array([1 + gap / 2, 0.0])

    def jet(x):
        parts = [(np.sum((x - m) ** 2, axis=-1) - 1, 2 * (x - m)) for m in (middle, -middle)]
        (f, g), (h, k) = parts
        outer = g[..., :, None] * k[..., None, :]
        bend = 2 * (f + h)[..., None, None] * np.eye(2) + outer + np.swapaxes(outer, -1, -2)
        return f * h, f[..., None] * k + h[..., None] * g, bend

    return LevelSet(*((lambda x, i=i: jet(x)[i]) for i in range(3)), name="two spheres")


@pytest.mark.parametrize("gap", [0.2, 1.0, 3.0])
def test_two_spheres(gap):
    found = reach(two_spheres(gap), [(-5, 5), (-2, 2)], samples=2048)
    assert float(found.value) == pytest.approx(min(1, gap / 2), rel=1e-11)
    assert found.side == ("above" if gap < 2 else "below")


def test_federer_over_samples_is_an_upper_bound():
    surface = curves.butterfly()
    x = surface.point(np.random.default_rng(0).uniform(-3, 3, (4000, 2)))
    x = x[np.isfinite(x[:, 0])][:2500]
    federer = reach_from_points(x, normals=surface.normal(x))
    assert 0.10362272960376587 <= federer <= 1.02 * 0.10362272960376587


# Footpoints.


@settings(max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_footpoints_are_stationary_and_lipschitz(seed):
    q = np.random.default_rng(seed).uniform(-3, 3, (40, 2))
    surface = curves.butterfly()
    feet = project(surface, q, MultiStart(starts=6))
    ok = feet.converged
    assert ok.mean() > 0.9
    away = (q - feet.point)[ok]
    normal = surface.normal(feet.point)[ok]
    across = away - np.sum(away * normal, axis=-1, keepdims=True) * normal
    np.testing.assert_allclose(across, 0, atol=1e-9)
    scale = np.linalg.norm(surface.gradient(feet.point[ok]), axis=-1)
    assert (abs(surface.value(feet.point[ok])) <= 1e-12 * (1 + scale)).all()
    again = project(surface, feet.point[ok])
    np.testing.assert_allclose(again.point, feet.point[ok], atol=1e-9)


def test_statuses_in_one_call():
    circle = shapes.Sphere(1.0)
    feet = project(circle, [[2.0, 0.0], [np.nan, 0.0], [0.0, 0.0]])
    assert [Status(s).name for s in feet.status] == ["CONVERGED", "NOT_FINITE", "CONVERGED"]
    assert np.isnan(feet.distance[1])
    assert (
        Status(int(project(shapes.Ellipsoid([9.0, 1.0]), [3.0, 0.1], GaussNewton(max_steps=1)).status)).name
        == "STEPS_USED"
    )
    rescued = project(circle, [0.0, 0.0], MultiStart(starts=4))
    assert rescued.distance == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("d", [2, 3])
def test_from_a_centre_there_is_a_way_to_the_surface(d):
    """The gradient of F vanishes there. All points of a sphere, and the ends of the short axis, are nearest."""
    assert project(shapes.Sphere(2.0), np.zeros(d)).distance == pytest.approx(2, rel=1e-12)
    axes = [3.0, 2.0, 1.0][-d:]
    foot = project(shapes.Ellipsoid(axes), np.zeros(d))
    assert foot.converged
    assert foot.distance == pytest.approx(1, rel=1e-9)


def test_beyond_a_focal_point_the_start_is_left():
    """(0, 0.2) in the ellipse: its far point on the long axis is stationary, but no minimum."""
    ellipse = shapes.Ellipsoid([2.0, 1.0])
    foot = project(ellipse, [0.2, 0.0], start=[2.0, 0.0])
    assert foot.converged
    assert foot.distance == pytest.approx(float(ellipse.true_distance([0.2, 0.0])), rel=1e-9)


def test_no_surface_nearby():
    empty = LevelSet(lambda x: np.sum(x**2, axis=-1) + 1, lambda x: 2 * x, lambda x: 2 * np.eye(2) + 0 * x[..., None])
    assert np.isnan(empty.point([[1.0, 2.0]])).all()
    assert reach(empty, [(-1, 1)] * 2, samples=64).value == math.inf
    assert np.isnan(distance(empty, [1.0, 1.0]))


def test_backends(backend, dtype):
    if backend.name == "jax" or (backend.name == "jax-jit" and dtype == "float32"):
        pytest.skip("JAX would compile every single operation, or the same again")
    sphere, q = shapes.Sphere(2.0), np.array([[[3.0, 4.0, 0.0], [0.0, 0.5, 0.1]]])

    def run(q):
        feet = project(sphere, q)
        return feet.point, feet.distance, signed_distance(sphere, q), sphere.curvatures(q), offset(sphere, q, 1.0)

    truths = (
        sphere.true_footpoint(q),
        sphere.true_distance(q),
        np.array([[3.0, math.hypot(0.5, 0.1) - 2]]),
        -1 / np.linalg.norm(q, axis=-1)[..., None] * np.ones(2),
        1.5 * sphere.true_footpoint(q),
    )
    for found, truth in zip(backend.jit(run)(backend.asarray(q, dtype)), truths, strict=True):
        assert backend.belongs(found, dtype)
        np.testing.assert_allclose(backend.to_numpy(found), truth, atol=64 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: LevelSet(3), TypeError, "function must be callable, got 3"),
        (lambda: LevelSet(np.sum, 3), TypeError, "gradient must be callable, got 3"),
        (lambda: project(shapes.Sphere(1), [1.0, 2.0], Descent(0.1, 3)), TypeError, "Descent is for a FunctionGraph"),
        (lambda: project(shapes.Sphere(1), [1.0, 2.0], start=[1.0]), ValueError, r"start must have shape \(..., 2\)"),
        (lambda: project(shapes.Sphere(1), [1.0]), ValueError, "points must have shape"),
        (lambda: offset_function(shapes.Sphere(1), [1.0], 1.0), TypeError, "surface must be a FunctionGraph"),
        (lambda: LevelSet(lambda x: x[0] if x[0] > 0 else x[1]).point([1.0, 2.0]), TypeError, "was given no gradient"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


# Footpoints that are not the only ones.

TIES = {  # queries with two feet or more, and with one: by symmetry, within and beyond the ends of the medial axis
    shapes.Sphere(1.0): ([[0.0, 0.0, 0.0]], [[0.5, 0.1, 0.0], [2.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1e-6, 0.0, 0.0]]),
    shapes.Ellipsoid([1.0, 2.0]): ([[0.0, 0.0], [0.0, 0.3], [0.0, 1.4]], [[0.1, 0.3], [0.0, 1.5], [0.0, 1.9]]),
    shapes.Torus(2.0, 1.0): ([[0.0, 0.0, 0.5], [2.0, 0.0, 0.0]], [[2.5, 0.0, 0.0], [1.0, 2.0, 3.0]]),
    FunctionGraph(lambda t: np.sum(t**2, axis=-1) / 2): ([[0.0, 2.0], [0.0, 1.01]], [[0.0, 1.0], [1e-5, 2.0]]),
}


@pytest.mark.parametrize("surface", TIES, ids=lambda surface: type(surface).__name__)
def test_where_another_foot_is_as_near(surface):
    two, one = TIES[surface]
    feet = project(surface, [*two, *one], MultiStart())
    assert feet.converged.all()
    assert feet.unique.tolist() == [False] * len(two) + [True] * len(one)
    assert project(surface, two).unique is None


def test_samples_meet_feet_as_near():
    wave = FunctionGraph(lambda t: np.sin(t[..., 0]))
    feet = project(wave, [[-np.pi / 2, 2.0], [np.pi / 2, 2.0], [np.nan, 0.0]], Sampling(2**10))
    assert feet.unique.tolist() == [False, True, True]
    assert feet.converged.tolist() == [True, True, False]


def test_points_of_an_ellipse_and_their_medial_radii_have_derivatives_along_it_alone():
    """ρ(t) = b √(b² cos² t + a² sin² t) / a inside; along the normal a point stays where it is."""
    torch = pytest.importorskip("torch")
    ellipse, t = LevelSet(lambda x: (x[..., 0] / 2) ** 2 + x[..., 1] ** 2 - 1), 0.9
    x = torch.asarray([2 * math.cos(t), math.sin(t)], dtype=torch.float64)
    along, normal = torch.asarray([[-2 * math.sin(t), math.cos(t)], [math.cos(t), 2 * math.sin(t)]], dtype=x.dtype)
    moved = torch.func.jacrev(ellipse.point)(x)
    torch.testing.assert_close(moved @ along, along)
    torch.testing.assert_close(moved @ normal, torch.zeros_like(normal), rtol=0, atol=1e-14)
    gradient = torch.func.grad(lambda x: medial_radius(ellipse, x, side="below"))(x)
    radius = math.hypot(math.cos(t), 2 * math.sin(t)) / 2
    exact = 3 * math.sin(t) * math.cos(t) / (4 * radius)
    torch.testing.assert_close(gradient @ along, torch.as_tensor(exact, dtype=x.dtype), rtol=1e-7, atol=0)
    assert abs(gradient @ normal) < 1e-12
