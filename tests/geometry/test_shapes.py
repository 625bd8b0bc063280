"""The truths of the shapes: their defining properties, arbitrary precision, and brute force; then the verbs on them."""

import copy
import math
import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry import MultiStart, Newton, distance, medial_radius, project, reach_from_points, shapes, signed_distance

SHAPES = {
    "plane": (shapes.Plane([1.0, -2.0, 0.5], 0.7), 3),
    "sphere": (shapes.Sphere(1.5), 4),
    "circle": (shapes.Sphere(0.3), 2),
    "ellipse": (shapes.Ellipsoid([0.5, 2.0]), 2),
    "ellipsoid": (shapes.Ellipsoid([3.0, 1.0, 2.0]), 3),
    "torus": (shapes.Torus(2.0, 0.5), 3),
    "fat torus": (shapes.Torus(2.0, 1.7), 3),
    "cylinder": (shapes.Cylinder(1.2), 3),
    "cone": (shapes.Cone(0.8), 3),
    "wedge": (shapes.Cone(0.8), 2),
    "paraboloid": (shapes.Paraboloid(1.4), 3),
    "parabola": (shapes.Paraboloid(0.2), 2),
    "planes": (shapes.ParallelPlanes(1.1), 3),
    "hyperbola": (shapes.Hyperbola(1.0, 2.0), 2),
    "sharp hyperbola": (shapes.Hyperbola(2.0, 0.5), 2),
}
each_shape = pytest.mark.parametrize(("shape", "n"), SHAPES.values(), ids=SHAPES)
smooth = pytest.mark.parametrize(
    ("shape", "n"),
    [pytest.param(*pair, id=name) for name, pair in SHAPES.items() if name not in ("cone", "wedge")],
)


def queries(n, seed=0, count=200):
    return np.random.default_rng(seed).normal(size=(count, n)) * 2


@each_shape
def test_a_shape_is_what_its_repr_says(shape, n):
    again = eval(repr(shape), vars(shapes))
    x = queries(n, count=3)
    np.testing.assert_array_equal(again.value(x), shape.value(x))
    assert repr(pickle.loads(pickle.dumps(shape))) == repr(copy.copy(shape)) == repr(shape)


@each_shape
def test_footpoints_lie_on_the_surface_along_the_normal(shape, n):
    q = queries(n)
    foot = shape.true_footpoint(q)
    np.testing.assert_allclose(shape.value(foot), 0, atol=1e-13)
    tip = np.linalg.norm(foot, axis=-1) == 0  # of a cone
    normal, away = shape.normal(foot), q - foot
    across = away - np.sum(away * normal, axis=-1, keepdims=True) * normal
    np.testing.assert_allclose(across[~tip], 0, atol=1e-13)
    np.testing.assert_allclose(shape.true_footpoint(foot[~tip]), foot[~tip], atol=1e-13)
    np.testing.assert_allclose(shape.true_distance(q), np.linalg.norm(away, axis=-1), rtol=4e-15)


@each_shape
def test_no_sample_is_nearer(shape, n):
    """Brute force, over points that footpoints of other queries are."""
    q = queries(n, 1, 50)
    samples = shape.true_footpoint(queries(n, 2, 20_000) * 1.5)
    nearest = np.array([np.linalg.norm(samples - p, axis=-1).min() for p in q])
    exact = shape.true_distance(q)
    assert (exact <= nearest + 1e-13).all()
    assert (nearest - exact).mean() < 0.1 * n


@pytest.mark.parametrize("point", [(0.7, 1.3), (3.0, 0.01), (0.2, 0.0), (-1.4, -0.3)])
def test_ellipse_and_hyperbola_in_arbitrary_precision(point):
    """min over the parameter of the curve, by 40 digits of golden section around the best of samples."""
    ellipse = (
        shapes.Ellipsoid([2.0, 1.0]),
        lambda t: (2 * mpmath.cos(t), mpmath.sin(t)),
        [0.001 + 0.01 * i for i in range(629)],
    )
    branch = (
        shapes.Hyperbola(1.0, 0.5),
        lambda t: (mpmath.cosh(t), mpmath.sinh(t) / 2),
        [0.001 + 0.01 * i for i in range(-300, 300)],
    )
    for shape, curve, parameters in (ellipse, branch):
        sign = -1 if point[0] < 0 and shape.name == "hyperbola" else 1
        with mpmath.workdps(40):

            def square(t, curve=curve, sign=sign):
                x, y = curve(t)
                return (sign * x - point[0]) ** 2 + (y - point[1]) ** 2

            best = min(parameters, key=square)
            low, high = best - mpmath.mpf("0.01"), best + mpmath.mpf("0.01")
            ratio = (mpmath.sqrt(5) - 1) / 2
            for _ in range(90):
                a, b = high - ratio * (high - low), low + ratio * (high - low)
                low, high = (low, b) if square(a) < square(b) else (a, high)
            exact = float(mpmath.sqrt(square(low)))
        assert shape.true_distance(point) == pytest.approx(exact, rel=1e-14)


@smooth
def test_curvatures(shape, n):
    """Against derivatives of the normal, by differences along tangents."""
    x = shape.true_footpoint(queries(n, 3, 40))
    found = shape.true_curvatures(x)
    assert (np.diff(found, axis=-1) >= 0).all()
    np.testing.assert_allclose(shape.curvatures(x), found, atol=1e-12)
    h = 1e-5
    normal = shape.normal(x)
    turns = np.stack([(shape.normal(x + h * e) - shape.normal(x - h * e)) / (2 * h) for e in np.eye(n)], axis=-1)
    project_ = np.eye(n) - normal[..., :, None] * normal[..., None, :]
    bends = -np.linalg.eigvals(project_ @ turns @ project_).real
    for one, other in zip(bends, found, strict=True):
        largest = np.sort(np.append(other, 0.0))
        np.testing.assert_allclose(np.sort(one), largest, atol=1e-6 * (1 + abs(other).max() ** 3))


@smooth
def test_distances_of_the_verbs(shape, n):
    q = queries(n, 4, 60)
    found = distance(shape, q, MultiStart(starts=12))
    exact = shape.true_distance(q)
    assert (found >= exact - 1e-13).all()
    # twelve starts find nearly all footpoints
    assert (found <= exact + 1e-12).mean() >= 0.97
    np.testing.assert_array_equal(np.sign(signed_distance(shape, q, MultiStart())), np.sign(shape.value(q)))
    feet = project(shape, shape.true_footpoint(q) + 1e-3 * shape.normal(shape.true_footpoint(q)))
    assert feet.converged.all()
    np.testing.assert_allclose(feet.point, shape.true_footpoint(q), atol=1e-9)


REACHES = [
    (shapes.Plane([1.0, 2.0]), math.inf, math.inf),
    (shapes.Sphere(2.0), math.inf, 2.0),
    (shapes.Cylinder(2.0), math.inf, 2.0),
    (shapes.Ellipsoid([2.0, 1.0]), math.inf, 0.5),
    (shapes.Ellipsoid([4.0, 3.0, 2.0]), math.inf, 1.0),
    (shapes.Torus(3.0, 1.0), 2.0, 1.0),
    (shapes.Torus(3.0, 2.0), 1.0, 2.0),
    (shapes.Cone(1.0), 0.0, math.inf),
    (shapes.Paraboloid(4.0), 0.25, math.inf),
    (shapes.ParallelPlanes(3.0), math.inf, 1.5),
    (shapes.Hyperbola(2.0, 1.0), 0.5, 2.0),
    (shapes.Hyperbola(1.0, 2.0), 4.0, 1.0),
]


@pytest.mark.parametrize(("shape", "above", "below"), REACHES)
def test_reaches(shape, above, below):
    assert (shape.true_reach("above"), shape.true_reach("below")) == (above, below)
    assert shape.true_reach() == min(above, below)
    with pytest.raises(ValueError, match="side must be one of"):
        shape.true_reach("left")


@smooth
def test_reach_is_that_of_no_pair_of_points(shape, n):
    """Federer's quotient over pairs is an upper bound, and for dense samples of a curve near."""
    x = shape.true_footpoint(queries(n, 5, 1200))
    federer = reach_from_points(x, normals=shape.gradient(x))
    assert federer >= shape.true_reach() * (1 - 1e-9)
    if n == 2 and shape.true_reach() < 1:
        assert federer <= 1.2 * shape.true_reach()


@settings(max_examples=30)
@given(k=st.floats(0.01, 100), x=st.floats(-50, 50), y=st.floats(-50, 50))
def test_paraboloid_footpoints_solve_the_cubic(k, x, y):
    shape = shapes.Paraboloid(k)
    s = abs(float(shape.true_footpoint([x, y])[0]))
    terms = [k**2 / 2 * s**3, s, -k * y * s, -abs(x)]
    assert abs(sum(terms)) <= 1e-13 * sum(map(abs, terms)) + 1e-40  # the bisection's smallest interval
    roots = np.roots([k**2 / 2, 0, 1 - k * y, -abs(x)])
    near = min(math.hypot(r - abs(x), k / 2 * r**2 - y) for r in roots.real)
    assert float(shape.true_distance([x, y])) <= near * (1 + 1e-9) + 1e-9


def test_paraboloid_from_its_axis():
    shape = shapes.Paraboloid(2.0)
    y = np.linspace(-2, 5, 29)
    q = np.stack([0 * y, 0 * y, y], axis=-1)
    np.testing.assert_allclose(shape.true_distance(q), shape.true_distance_from_the_axis(y), atol=1e-14)
    x = shape.true_footpoint(queries(3, 6, 5))
    np.testing.assert_allclose(medial_radius(shape.graph(), x[:, :2]), shape.true_medial_radius(x), rtol=1e-12)


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("solver", [Newton(), Newton(matrix=False), MultiStart()])
def test_from_the_axis_of_a_cone(n, solver):
    """Over the tip, a kink, the distance has a maximum there, 1, and its minimum 0.8 all around."""
    cone, axis = shapes.Cone(0.75), np.eye(n)[-1]
    for surface in (cone, cone.graph()):
        foot = project(surface, [axis, -axis], solver)
        np.testing.assert_allclose(foot.distance, [0.8, 1.0], rtol=1e-12)
        np.testing.assert_array_equal(foot.converged, [True, False])  # what is nearest at a kink, no derivative tells


@pytest.mark.parametrize("shape", [shapes.Plane([1.0, -2.0, 0.5], 0.7), shapes.Cone(0.8), shapes.Paraboloid(1.4)])
def test_graphs(shape):
    graph = shape.graph()
    theta = queries(2, 7, 20)
    x = graph.point(theta)
    np.testing.assert_allclose(shape.value(x), 0, atol=1e-14)
    np.testing.assert_allclose(graph.normal(theta), shape.normal(x), atol=1e-15)
    np.testing.assert_allclose(graph.curvatures(theta), shape.true_curvatures(x), atol=1e-13)


def test_on_the_medial_axis():
    """Any of the nearest points is right, NaN is not."""
    for shape, q, exact in [
        (shapes.Sphere(2.0), [0.0, 0.0], 2.0),
        (shapes.Ellipsoid([2.0, 1.0]), [0.0, 0.0], 1.0),
        (shapes.Ellipsoid([1.0, 1.0, 3.0]), [0.0, 0.0, 0.0], 1.0),
        (shapes.Ellipsoid([2.0, 1.0]), [1.5, 0.0], 0.5),
        (shapes.Torus(2.0, 0.5), [0.0, 0.0, 0.0], 1.5),
        (shapes.Torus(2.0, 0.5), [2.0, 0.0, 0.0], 0.5),
        (shapes.Cylinder(2.0), [0.0, 0.0, 3.0], 2.0),
        (shapes.Cone(0.75), [0.0, 0.0, 1.0], 0.8),
        (shapes.ParallelPlanes(1.0), [4.0, 0.0], 0.5),
        (shapes.Hyperbola(1.0, 2.0), [0.0, 0.0], 1.0),
        (shapes.Hyperbola(1.0, 0.5), [3.0, 0.0], math.sqrt(0.6**2 + 0.25 * (2.4**2 - 1))),
    ]:
        assert float(shape.true_distance(q)) == pytest.approx(exact, rel=1e-14)
        assert abs(float(shape.value(shape.true_footpoint(q)))) < 1e-14


def test_backends(backend, dtype):
    if backend.name == "jax" or (backend.name == "jax-jit" and dtype == "float32"):
        pytest.skip("JAX would compile every single operation, or the same again")
    for name in ("ellipsoid", "torus", "paraboloid", "hyperbola", "planes"):
        shape, n = SHAPES[name]
        q = queries(n, 8, 5)
        found = backend.jit(shape.true_footpoint)(backend.asarray(q, dtype))
        assert backend.belongs(found, dtype)
        atol = 256 * float(np.finfo(dtype).eps)
        np.testing.assert_allclose(
            backend.to_numpy(found), shape.true_footpoint(q.astype(dtype).astype(float)), atol=atol
        )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: shapes.Sphere(-1.0), "radius must be finite and positive"),
        (lambda: shapes.Ellipsoid([1.0, 0.0]), "axes must be finite and positive"),
        (lambda: shapes.Torus(1.0, 2.0), "major must be larger than minor"),
        (lambda: shapes.Plane([0.0, 0.0]), "length of the normal must be finite and positive"),
        (lambda: shapes.Hyperbola(1.0, math.nan), "a and b must be finite and positive"),
        (lambda: shapes.Ellipsoid([1.0] * 4).true_curvatures(np.ones(4)), "known for 2 or 3 axes, not for 4"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
