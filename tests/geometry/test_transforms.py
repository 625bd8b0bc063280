"""Transforms of PyTorch and JAX through the verbs, and derivatives of what a search for a maximum finds."""

import doctest
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from geometry import (
    Descent,
    FunctionGraph,
    GaussNewton,
    LevelSet,
    MultiStart,
    Newton,
    closing,
    critical_radius,
    dilate,
    distance,
    distance_gradient,
    medial_radius,
    offset_function,
    project,
    reach,
    reachable,
    rolling_ball,
    signed_distance,
)
from geometry._namespace import fixed
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


@pytest.fixture
def jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return jax


# The table of the documentation: every verb under every transform.

CIRCLE = LevelSet(lambda x: (x**2).sum(-1) - 1, name="circle")
PAGE = Path(__file__).parents[2] / "docs" / "differentiation.rst"
NEAR, HEIGHTS = QUERIES[:2, [0, 2]], np.array([[0.0, 2.0, 0.5, 1.0], [1.0, 0.0, 0.25, 3.0]])
SLOPE, MANY = Descent(0.1, 3), MultiStart(Newton(matrix=False), starts=2)
ADAM = Adam(0.1)
ROLLING = RollingBall(0.1, 0.4, SLOPE)


class Row(NamedTuple):
    """A verb, as a function of a batch, and what carries it."""

    verb: str
    call: Callable[[Any], Any]
    batch: np.ndarray
    compiled: str = ""
    jax: str = "jit, vmap, grad"
    torch: str = "vmap, grad"
    dask: str = "lazy"
    slow: str = ""  # whose compilation, or tracing, takes seconds: left to --full


THETA, FULL = NEAR[:, :1], "fullgraph"
ROWS = [
    Row("``project``, default solver", lambda q: project(VALLEY, q).theta[..., 0], NEAR, FULL, slow="torch"),
    Row("``project``, `MultiStart`", lambda q: project(VALLEY, q, MANY).theta[..., 0], NEAR, FULL, slow="torch jax"),
    Row("``project``, `Descent`", lambda q: project(VALLEY, q, SLOPE).theta[..., 0], NEAR, FULL, slow="torch"),
    Row("``distance``", lambda q: distance(VALLEY, q, GaussNewton()), NEAR, FULL, slow="torch jax"),
    Row("``distance`` of a level set", lambda q: distance(CIRCLE, q), NEAR, FULL, slow="torch tracing"),
    Row("``signed_distance``", lambda q: signed_distance(VALLEY, q), NEAR, FULL, slow="torch tracing"),
    Row("``distance_gradient``", lambda q: distance_gradient(VALLEY, q)[..., 0], NEAR, FULL, slow="torch tracing"),
    Row("``offset_function``", lambda t: offset_function(VALLEY, t, 0.5, samples=16), THETA),
    Row("``medial_radius`` of a graph", lambda t: medial_radius(VALLEY, t, samples=12), THETA, slow="tracing"),
    Row("``medial_radius`` of a level set", lambda x: medial_radius(CIRCLE, x, side="below", samples=6), NEAR / 5,
        jax="jit, vmap, jvp", slow="tracing"),
    Row("``reachable``", lambda t: reachable(VALLEY, t, 0.5, samples=12), THETA, jax="jit, vmap", torch="vmap",
        slow="jax"),
    Row("``reach``, ``critical_radius``", lambda box: critical_radius(VALLEY, box, samples=16), NEAR[0] * [[[-1, 1]]],
        torch="grad", dask="", slow="tracing"),
    Row("``curvatures``", lambda t: VALLEY.curvatures(t)[..., 0], THETA, FULL, slow="torch"),
    Row("``RollingBall.step``", lambda t: ROLLING.step(VALLEY, t).theta[..., 0], THETA, FULL, slow="torch"),
    Row("``Adam.step``, other optimizers", lambda t: ADAM.step(VALLEY, t, ADAM.init(t)).theta[..., 0], THETA, FULL),
    Row("``trajectory``", lambda t: trajectory(ROLLING, VALLEY, t, 3).theta[-1, ..., 0], THETA, FULL, slow="torch jax"),
    Row("``dilate``, ``erode``", lambda h: dilate(h, 1.5)[..., 1], HEIGHTS),
    Row("``closing``, ``opening``", lambda h: closing(h, 1.5)[..., 1], HEIGHTS),
    Row("``rolling_ball``", lambda h: rolling_ball(h, 1.5)[..., 1], HEIGHTS),
]  # fmt: skip
rows = pytest.mark.parametrize("row", ROWS, ids=[row.verb for row in ROWS])


def table():
    """The table in reStructuredText."""
    head = ["verb", "JAX", "``torch.func``", "``torch.compile``", "dask"]
    lines = [[row.verb, row.jax, row.torch, row.compiled, row.dask] for row in ROWS]
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    rule = ["=" * width for width in widths]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (rule, head, rule, *lines, rule)
    ]


def test_the_page_has_the_table():
    assert "\n".join(table()) in PAGE.read_text(encoding="utf-8")


def under_pytorch(row):
    """Values of a batch by its items under vmap, and their gradients where it has any."""
    batch, wants = tensor(row.batch), "grad" in row.torch
    verb = torch.func.grad_and_value(row.call) if wants else row.call
    found = torch.func.vmap(verb)(batch) if "vmap" in row.torch else [verb(item) for item in batch]
    if not wants:
        return (found,)
    gradients, values = found if "vmap" in row.torch else map(torch.stack, zip(*found, strict=True))
    return values, gradients


@rows
def test_under_transforms_of_pytorch(row):
    values, *gradients = under_pytorch(row)
    np.testing.assert_allclose(values, [row.call(item) for item in row.batch], rtol=1e-9, atol=1e-12)
    for gradient in gradients:
        assert gradient.isfinite().all()


@rows
def test_under_transforms_of_jax(row, jax, request):
    """All of them at once, with the numbers of PyTorch."""
    is_full = request.config.getoption("--full")
    if "tracing" in row.slow and not is_full:
        pytest.skip("takes seconds: with --full")
    derived = {"grad": jax.value_and_grad, "jvp": jax.jacfwd}
    verb = next((derive(row.call) for name, derive in derived.items() if name in row.jax), row.call)
    traced = jax.jit(jax.vmap(verb)).lower(jax.numpy.asarray(row.batch))
    if "jax" in row.slow and not is_full:
        return
    compiled = traced.compile(compiler_options={"xla_backend_optimization_level": 0})
    for found, expected in zip(compiled(jax.numpy.asarray(row.batch)), under_pytorch(row), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)


@rows
def test_on_dask(row):
    """Without a computation before it is asked for."""
    if not row.dask:
        pytest.skip("a box of numbers is not lazy")
    dask, array = pytest.importorskip("dask"), pytest.importorskip("dask.array")

    def scheduler(*_, **__):
        raise AssertionError("computed")

    with dask.config.set(scheduler=scheduler):
        found = row.call(array.from_array(row.batch, chunks=(1, *row.batch.shape[1:])))
    assert isinstance(found, array.Array)
    np.testing.assert_allclose(found.compute(scheduler="synchronous"), row.call(row.batch), rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore:Dynamo detected")  # of functions that array_api_compat remembers
@pytest.mark.filterwarnings("ignore:.*should not be instantiated")  # by the compiler itself
@pytest.mark.parametrize("row", [row for row in ROWS if row.compiled], ids=lambda row: row.verb)
def test_under_the_compiler_of_pytorch(row, request):
    if "torch" in row.slow and not request.config.getoption("--full"):
        pytest.skip("takes seconds: with --full")
    batch = tensor(row.batch)
    found = torch.compile(row.call, fullgraph=True, backend="eager")(batch)
    torch.testing.assert_close(found, row.call(batch), rtol=1e-12, atol=1e-14)


# PyTorch's function transforms and compiler.


def test_vmap_carries_what_a_verb_returns():
    found = torch.func.vmap(lambda t: ROLLING.step(VALLEY, t))(tensor(NEAR[:, :1]))
    expected = ROLLING.step(VALLEY, tensor(NEAR[:, :1]))
    assert found.state == expected.state
    torch.testing.assert_close(found.footpoints.distance, expected.footpoints.distance)
    torch.testing.assert_close(found.footpoints.status, expected.footpoints.status)


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
def test_one_graph_of_the_compiler_with_its_derivatives():
    def rolled(theta):
        return RollingBall(0.1, 0.4, Descent(0.1, 4)).step(BOWL, theta).theta + fixed(np.arange, theta, 2)

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


def test_results_surfaces_and_optimizers_are_trees(jax):
    points = jax.numpy.asarray(QUERIES)
    FunctionGraph(abs)  # an object made after JAX was imported: all classes are entered
    expected = project(BOWL, QUERIES, Descent(0.1, 4))
    found = jax.jit(project)(BOWL, points, Descent(0.1, 4))
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


def test_a_ball_on_a_grid_has_no_derivative_by_its_radius(jax):
    for radius in (tensor(2.0, requires_grad=True), None):
        with pytest.raises(TypeError, match=r"radius must be numbers.*no derivative by its radius"):
            dilate(HEIGHTS, radius) if radius is not None else jax.jit(lambda r: dilate(HEIGHTS, r))(2.0)


def test_the_examples_of_the_page():
    assert doctest.testfile(str(PAGE), module_relative=False).failed == 0
