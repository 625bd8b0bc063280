"""Transforms of PyTorch and JAX through the verbs, and derivatives of what a search for a maximum finds."""

import doctest
from pathlib import Path

import numpy as np
import pytest

from geometry import (
    Descent,
    FunctionGraph,
    GaussNewton,
    Newton,
    critical_radius,
    distance,
    medial_radius,
    offset_function,
    project,
    reach,
)
from rbo_ref import Adam, RollingBall, trajectory

torch = pytest.importorskip("torch")

BOWL = FunctionGraph(lambda t: (t**2).sum(-1) / 2, name="bowl")
VALLEY = FunctionGraph(lambda t: (2 * t - t**3 / 3 + t**2 / 5).sum(-1), name="valley")
QUERIES = np.array([[0.3, 0.2, 0.4], [1.0, -0.5, 2.0], [-0.2, 0.9, -1.0]])


def tensor(values, **options):
    return torch.tensor(np.array(values), dtype=torch.float64, **options)


def by_differences(function, x, h=1e-3):
    """The gradient of a function of NumPy arrays, wrong by O(h⁴)."""
    x = np.array(x, dtype=float)

    def along(e):
        near, far = (function(x + s * e) - function(x - s * e) for s in (h, 2 * h))
        return (8 * near - far) / (12 * h)

    return np.array([along(e) for e in np.eye(len(x))])


# PyTorch's function transforms and compiler.


@pytest.mark.parametrize("solver", [None, GaussNewton(), Descent(0.1, 4)], ids=["Newton", "GaussNewton", "Descent"])
def test_vmap_is_the_batch(solver):
    found = torch.func.vmap(lambda q: project(BOWL, q, solver))(tensor(QUERIES))
    expected = project(BOWL, tensor(QUERIES), solver)
    for name in ("theta", "distance", "status"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), rtol=1e-12, atol=1e-14)


def test_vmap_over_the_radius_and_gradient_by_it():
    radii = tensor([0.2, 0.5])
    theta = tensor([0.3, 0.2])
    for solver in (None, Descent(0.1, 4)):

        def total(radius, solver=solver):
            return RollingBall(0.1, radius, solver).step(BOWL, theta).theta.sum()

        found = torch.func.vmap(torch.func.grad(total))(radii)
        expected = [by_differences(lambda r: float(total(tensor(r[0]))), [radius])[0] for radius in radii.tolist()]
        np.testing.assert_allclose(found, expected, rtol=1e-8)
    with pytest.raises(ValueError, match="radius must be finite and positive"):
        torch.func.vmap(total)(tensor([0.2, -0.5]))


@pytest.mark.filterwarnings("ignore:Dynamo detected")  # of functions that array_api_compat remembers
@pytest.mark.filterwarnings("ignore:.*should not be instantiated")  # by the compiler itself
@pytest.mark.parametrize("solver", [Newton(), Descent(0.1, 4)], ids=["Newton", "Descent"])
def test_one_graph_of_the_compiler_with_its_derivatives(solver):
    def rolled(theta):
        return RollingBall(0.1, 0.4, solver).step(BOWL, theta).theta

    start = tensor(QUERIES[:, :2], requires_grad=True)
    found = torch.compile(rolled, fullgraph=True, backend="eager")(start)
    torch.testing.assert_close(found, rolled(start), rtol=1e-12, atol=1e-14)
    gradients = [torch.autograd.grad((there**2).sum(), start)[0] for there in (found, rolled(start))]
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-14)


# What a search for a maximum finds.


def test_of_the_offset_function():
    x, radius = [-0.8], 2.0
    theta, rho = tensor(x, requires_grad=True), tensor(radius, requires_grad=True)
    height = offset_function(VALLEY, theta, rho)
    by_theta, by_radius = torch.autograd.grad(height, (theta, rho), create_graph=True)
    assert float(height.detach()) == float(offset_function(VALLEY, tensor(x), tensor(radius)))
    np.testing.assert_allclose(
        by_theta.detach(), by_differences(lambda t: float(offset_function(VALLEY, t, radius)), x), rtol=1e-7
    )
    np.testing.assert_allclose(
        by_radius.detach(), by_differences(lambda r: float(offset_function(VALLEY, x, r[0])), [radius])[0], rtol=1e-7
    )
    (second,) = torch.autograd.grad(by_theta.sum(), theta)

    def slope(t):
        at = tensor(t, requires_grad=True)
        return float(torch.autograd.grad(offset_function(VALLEY, at, radius), at)[0])

    np.testing.assert_allclose(second, by_differences(slope, x), rtol=1e-6)


def test_of_a_ball_on_a_tip():
    """√(ρ² − θ²), although f has no derivative where the ball rests."""
    tip, theta = FunctionGraph(lambda t: -abs(t).sum(-1)), tensor([0.3], requires_grad=True)
    (found,) = torch.autograd.grad(offset_function(tip, theta, 1.0), theta)
    assert float(found) == pytest.approx(-0.3 / np.sqrt(1 - 0.09), abs=1e-9)


@pytest.mark.parametrize(("surface", "x", "box"), [(BOWL, [0.3, 0.2], None), (VALLEY, [-1.9], [(-4.0, 4.0)])])
def test_of_the_medial_radius(surface, x, box):
    """Of the limit of curvature, and of a ball that something else stops."""
    theta = tensor(x, requires_grad=True)
    (found,) = torch.autograd.grad(medial_radius(surface, theta, box=box), theta)
    expected = by_differences(lambda t: float(medial_radius(surface, t, box=box)), x)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_of_the_reach_by_a_parameter_of_the_surface_and_by_the_box():
    steepness, box = tensor(1.5, requires_grad=True), tensor([(-1.0, 1.0)] * 2, requires_grad=True)
    found = reach(FunctionGraph(lambda t: steepness * torch.sin(t).sum(-1)), box, side="above")
    by_steepness, by_box = torch.autograd.grad(found.value, (steepness, box))

    def value(a=1.5, low=-1.0):
        wave = FunctionGraph(lambda t: a * np.sin(t).sum(-1))
        return float(reach(wave, [(low, 1.0), (-1.0, 1.0)], side="above").value)

    assert float(by_steepness) == pytest.approx(by_differences(lambda a: value(a=a[0]), [1.5])[0], rel=1e-6)
    assert float(by_box[0, 0]) == pytest.approx(by_differences(lambda a: value(low=a[0]), [-1.0])[0], rel=1e-5)


def test_of_equal_curvatures():
    a = tensor(1.5, requires_grad=True)
    radius = critical_radius(FunctionGraph(lambda t: a * (t**2).sum(-1) / 2), [(-1, 1), (-1, 1)])
    assert float(torch.autograd.grad(radius, a)[0]) == pytest.approx(-1 / 1.5**2, abs=1e-12)


def test_numbers_of_a_box_are_of_the_library_of_the_surface():
    found = critical_radius(FunctionGraph(lambda t: torch.sin(t).sum(-1)), [(-1, 1), (-1, 1)])
    expected = critical_radius(FunctionGraph(lambda t: np.sin(t).sum(-1)), [(-1, 1), (-1, 1)])
    assert isinstance(found, torch.Tensor)
    assert float(found) == pytest.approx(float(expected), rel=1e-12)


# Formats without a LAPACK.


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_short_formats_have_the_default_solver(name):
    query = tensor(QUERIES).to(getattr(torch, name))
    feet = project(BOWL, query)
    exact = project(BOWL, query.double())
    assert feet.theta.dtype == query.dtype
    eps = torch.finfo(query.dtype).eps
    torch.testing.assert_close(feet.distance.double(), exact.distance, rtol=0, atol=16 * eps)
    bends = BOWL.curvatures(query[:, :2])
    torch.testing.assert_close(bends.double(), BOWL.curvatures(query[:, :2].double()), rtol=0, atol=16 * eps)


def test_long_doubles_keep_their_precision():
    if np.finfo(np.longdouble).eps >= np.finfo(float).eps:
        pytest.skip("no longer floats here")
    theta = np.array([0.3, 0.2], dtype=np.longdouble)
    square = 1 + (theta**2).sum()
    expected = [square ** np.longdouble(-1.5), square ** np.longdouble(-0.5)]
    np.testing.assert_allclose(BOWL.curvatures(theta), expected, rtol=8 * np.finfo(np.longdouble).eps)
    found, exact = (project(BOWL, QUERIES.astype(dtype)) for dtype in (np.longdouble, float))
    np.testing.assert_allclose(found.distance, exact.distance, rtol=1e-12)
    assert found.converged.all()


# JAX.


@pytest.fixture
def jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return jax


def test_results_surfaces_and_optimizers_are_trees(jax):
    points = jax.numpy.asarray(QUERIES)
    FunctionGraph(abs)  # an object made after JAX was imported: all classes are entered
    expected = project(BOWL, QUERIES, GaussNewton())
    found = jax.jit(project)(BOWL, points, GaussNewton())
    for name in ("theta", "distance", "residual", "converged"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=0, atol=1e-9)
    ball = RollingBall(jax.numpy.asarray(0.1), jax.numpy.asarray(0.4), Descent(0.1, 4))
    step = jax.jit(lambda ball, theta: ball.step(BOWL, theta))(ball, points[:, :2])
    plain = RollingBall(0.1, 0.4, Descent(0.1, 4)).step(BOWL, QUERIES[:, :2])
    np.testing.assert_allclose(step.footpoints.distance, plain.footpoints.distance, rtol=1e-12)
    by = jax.jit(jax.grad(lambda ball: ball.step(BOWL, points[0, :2]).theta.sum()))(ball)

    def total(rates):
        return float(RollingBall(rates[0], rates[1], Descent(0.1, 4)).step(BOWL, QUERIES[0, :2]).theta.sum())

    np.testing.assert_allclose([by.learning_rate, by.radius], by_differences(total, [0.1, 0.4]), rtol=1e-8)


def test_a_trajectory_is_one_loop(jax):
    start = QUERIES[:, :2]
    for optimizer in (RollingBall(np.array([0.1, 0.2, 0.1]), 0.5, Descent(0.1, 3)), Adam(0.1)):
        expected = trajectory(optimizer, BOWL, start, 6)
        found = jax.jit(lambda theta, optimizer=optimizer: trajectory(optimizer, BOWL, theta, 6))(start)
        for have, want in zip(found, expected, strict=True):
            assert (have is None) == (want is None)
            if want is not None:
                np.testing.assert_allclose(have, want, rtol=1e-12, atol=1e-13)
    sizes = [
        len(jax.make_jaxpr(lambda theta, n=n: trajectory(optimizer, BOWL, theta, n).theta)(start).eqns)
        for n in (10, 1000)
    ]
    assert sizes[0] == sizes[1]


def test_reverse_mode_through_a_search_for_a_maximum(jax):
    x = np.array([-0.8])
    found = jax.jit(jax.grad(lambda t: offset_function(VALLEY, t, 2.0)))(jax.numpy.asarray(x))
    expected = by_differences(lambda t: float(offset_function(VALLEY, t, 2.0)), x)
    np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_distance_of_one_query_under_jit_and_grad(jax):
    found = jax.jit(jax.grad(lambda q: distance(BOWL, q)))(jax.numpy.asarray(QUERIES[0]))
    np.testing.assert_allclose(found, by_differences(lambda q: float(distance(BOWL, q)), QUERIES[0]), rtol=1e-7)


def test_the_examples_of_the_page():
    page = Path(__file__).parents[2] / "docs" / "differentiation.rst"
    assert doctest.testfile(str(page), module_relative=False).failed == 0
