"""The safeguarded search: it goes downhill, leaves maxima of the distance, and tells honestly why it stopped."""

import math
import tracemalloc

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

from geometry import FunctionGraph, GaussNewton, MultiStart, Newton, Status, _safeguarded, offset, project
from geometry._contact import Contact, view
from tests.geometry import surfaces

SECOND_ORDER = {"Newton": Newton(), "Newton-CG": Newton(matrix=False)}
SOLVERS = {"GaussNewton": GaussNewton(), **SECOND_ORDER, "MultiStart": MultiStart(starts=5)}
each_solver = pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS)
with_hessian = pytest.mark.parametrize("solver", SECOND_ORDER.values(), ids=SECOND_ORDER)

ONE_DIMENSIONAL = [
    surfaces.sine(),
    surfaces.wrinkled(),
    surfaces.double_well(),
    surfaces.exponential(),
    surfaces.well(),
]
finite = st.floats(-20, 20)


def thousandths(low, high):
    """Numbers of which the squares do not underflow."""
    return st.integers(round(1000 * low), round(1000 * high)).map(lambda n: n / 1000)


def tangential(surface, foot, query):
    """Length of the part of query − footpoint in the tangent space, by least squares over its basis (I; gᵀ)."""
    basis = np.vstack([np.eye(len(foot.theta)), surface.gradient(foot.theta)])
    away = query - foot.point
    return np.linalg.norm(basis @ np.linalg.lstsq(basis, away)[0])


def hessian_of_distance(surface, foot, query):
    """∇²φ = G + (f − y)H."""
    return surface.metric(foot.theta) + (foot.point[-1] - query[-1]) * surface.hessian(foot.theta)


def rounding(query, foot):
    """What the 64 ε that the search takes for granted in φ are in the distance."""
    return 64 * 2.0**-52 * (abs(query).sum(axis=-1) + abs(foot.point).sum(axis=-1))


# Laws.


@given(st.integers(0, 4), st.integers(0, 3), finite, finite, finite)
def test_never_farther_than_the_start_and_honest(surface, solver, x, y, start):
    surface, solver = ONE_DIMENSIONAL[surface], list(SOLVERS.values())[solver]
    query = np.array([x, y])
    foot = project(surface, query, solver, start=[start])
    begin = np.linalg.norm(query - surface.point([start]))
    assert foot.status in (Status.CONVERGED, Status.STEPS_USED, Status.STALLED)
    assert np.linalg.norm(query - foot.point) <= begin + rounding(query, foot)
    np.testing.assert_array_equal(foot.point, surface.point(foot.theta))
    assert foot.distance == pytest.approx(np.linalg.norm(query - foot.point), rel=1e-15)
    if foot.converged:  # the default tolerance, or what the last bits of θ do to ∇φ/W
        scale = abs(query).sum() + abs(foot.point).sum()
        bend = abs(hessian_of_distance(surface, foot, query)).max() / np.hypot(1, surface.gradient(foot.theta)[0])
        bits = (abs(foot.theta[0]) + abs(x)) * 2.0**-52
        assert tangential(surface, foot, query) <= 4e-12 * scale + 16 * bits * bend


@given(st.integers(0, 3), st.lists(st.floats(-2, 2), min_size=5, max_size=5))
def test_the_same_in_two_dimensions(solver, values):
    surface, solver = surfaces.monkey_saddle(), list(SOLVERS.values())[solver]
    query, start = np.array(values[:3]), np.array(values[3:])
    foot = project(surface, query, solver, start=start)
    assert np.linalg.norm(query - foot.point) <= np.linalg.norm(query - surface.point(start)) + rounding(query, foot)
    if foot.converged:
        assert tangential(surface, foot, query) <= 4e-12 * (np.linalg.norm(query) + np.linalg.norm(foot.point) + 1)


@settings(max_examples=20)
@given(st.floats(-700, 700), st.floats(-1e3, 1e3))
def test_overflow_on_the_way_is_no_error(start, y):
    for solver in (GaussNewton(max_steps=20), Newton(max_steps=20), Newton(matrix=False, max_steps=20)):
        foot = project(surfaces.exponential(), [0.0, y], solver, start=[start])
        assert np.isfinite(foot.theta).all()
        assert foot.status in (Status.CONVERGED, Status.STEPS_USED, Status.STALLED)


@each_solver
@pytest.mark.parametrize(
    ("height", "dtype"), [(1e20, "float32"), (1e25, "float32"), (1e160, "float64"), (1e200, "float64")]
)
def test_never_farther_where_squares_overflow(solver, height, dtype):
    query = np.array([[0.0, height], [0.0, -height], [height, 1.0]], dtype)
    foot = project(surfaces.sine(), query, solver)
    begin = np.array([height, height, 1 - math.sin(query[2, 0])])  # and 64 ε of φ + |f − y| (|f| + |y|) in φ
    slack = 100 * np.finfo(dtype).eps * (abs(query).sum(-1) + abs(foot.point).sum(-1))
    assert (foot.distance <= begin + slack).all()
    assert np.isfinite(foot.distance).all()


@each_solver
def test_queries_that_are_not_finite_or_huge_have_a_status(solver):
    query = np.array([[0, 1], [np.inf, 1], [1, np.inf], [np.nan, 0], [0, -1e308], [1e308, 1e308]], float)
    foot = project(surfaces.sine(), query, solver)
    assert (foot.status[1:4] == Status.NOT_FINITE).all()
    assert (foot.status[[0, 4, 5]] != Status.NOT_FINITE).all()
    assert foot.distance[0] == project(surfaces.sine(), query[0], solver).distance


def test_residual_is_the_tangential_part():
    rng = np.random.default_rng(0)
    for query in rng.normal(size=(10, 3)):
        foot = project(surfaces.monkey_saddle(), query, GaussNewton(max_steps=2))
        assert foot.residual == pytest.approx(tangential(surfaces.monkey_saddle(), foot, query), rel=1e-12)


@given(st.integers(0, 2), thousandths(-20, 20), thousandths(-0.9, 0.9), st.floats(-1e-7, 1e-7))
def test_where_the_distance_is_flat_to_its_rounding_the_residual_decides(surface, theta, radius, aside):
    """φ alone tells a minimum only to the square root of the precision, 1e-8; below the critical radius it is one."""
    surface = [surfaces.sine(), surfaces.exponential(), surfaces.well()][surface]
    for solver in (GaussNewton(), Newton()):
        foot = project(surface, offset(surface, [theta], radius), solver, start=[theta + aside])
        assert foot.converged
        assert foot.theta[0] == pytest.approx(theta, abs=1e-9)


@pytest.mark.parametrize("direction_of", [_safeguarded.gauss_newton, _safeguarded.newton, _safeguarded.newton_cg])
def test_directions_lead_downhill_even_beyond_focal_points(direction_of):
    rng = np.random.default_rng(0)
    for surface, d in ((surfaces.monkey_saddle(), 2), (surfaces.well(), 3), (surfaces.sine(), 1)):
        theta, query = rng.normal(size=(500, d)), 3 * rng.normal(size=(500, d + 1))
        contact = Contact(theta, *surface.value_and_gradient(theta))
        away = surface.point(theta) - query
        gradient = away[:, :-1] + away[:, -1:] * contact.gradient
        assert (np.sum(direction_of(surface, view(contact, query)).direction * gradient, axis=-1) < 0).all()


@each_solver
def test_trials_stay_where_a_nearer_point_can_be(solver):
    """No nearer point is farther, in θ, than the start's distance D; a step goes from there to 3D at most."""
    for start, query in ((5.0, [0.3, 2.0]), (-3.0, [1.0, -30.0])):
        surface, calls = surfaces.counting(surfaces.exponential())
        begin = np.linalg.norm(surface.point([start]) - query)
        project(surface, query, solver, start=[start])
        assert max(abs(theta - query[0]).max() for theta in calls) <= 3 * begin


def test_newton_follows_a_steep_curved_valley():
    """Slopes of hundreds and a query close by: straight steps run into the wall; of these a fifth take 100 and more."""
    theta = np.random.default_rng(0).uniform(-1.5, 1.5, (100, 5))
    surface = FunctionGraph(lambda t: np.sum(100 * (t[..., 1:] - t[..., :-1] ** 2) ** 2 + (1 - t[..., :-1]) ** 2, -1))
    foot = project(surface, offset(surface, theta, 0.5) - 1e-5 * surface.tangent(theta), Newton(), start=theta)
    assert foot.converged.mean() >= 0.95
    assert np.median(foot.steps) <= 10


# Maxima and saddles of the distance.


@with_hessian
@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("aside", [0, 1e-14, 1e-9, 1e-5])
def test_newton_leaves_the_bottom_of_the_valley(solver, d, aside):
    """Over the bottom of k|θ|²/2 at height h > 1/k the distance is √(2h/k − 1/k²); straight down it is a maximum."""
    k, h = 1.5, 3.0
    query = np.zeros((2, d + 1))
    query[:, 0], query[:, -1] = aside, [h, 0.5]  # the second below the focal point: the bottom itself
    foot = project(surfaces.paraboloid(k), query, solver)
    # a hardly tilted circle of almost equal distances may take more steps than there are
    assert foot.converged.all() or (d > 1 and aside > 0)
    # to the side the query is nearer by up to `aside`
    np.testing.assert_allclose(foot.distance, [np.sqrt(2 * h / k - 1 / k**2), 0.5], rtol=1e-14, atol=1.1 * aside)


@with_hessian
def test_newton_leaves_the_bottom_on_every_backend(backend, dtype, solver):
    if backend.name.startswith("jax") and (backend.name, dtype) != ("jax-jit", "float32"):
        pytest.skip("JAX would compile every single operation, or the same again")

    def run(query):
        foot = project(surfaces.paraboloid(1.5), query, solver)
        return foot.distance, foot.converged

    distance, converged = backend.jit(run)(backend.asarray([[0.0, 0, 3], [0, 0, 0.5]], dtype))
    assert backend.to_numpy(converged).all()
    rounding = 64 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(backend.to_numpy(distance), [np.sqrt(4 - 1 / 2.25), 0.5], rtol=rounding)


@with_hessian
def test_newton_finds_negative_curvature_that_the_gradient_does_not_see(solver):
    """Above a trough, on its axis: φ falls only across the axis, and ∇φ points along it."""
    trough = FunctionGraph(
        lambda t: t[..., 0] ** 2 / 2,
        lambda t: t * np.array([1.0, 0.0]),
        lambda t: np.diag([1.0, 0.0]) + 0 * t[..., None],
    )
    query = np.array([0.0, 0.3, 3.0])
    foot = project(trough, query, solver, start=[0.0, 2.0])
    assert foot.converged
    np.testing.assert_allclose(np.abs(foot.theta), [2, 0.3], atol=1e-10)  # s² = 2(y − 1)
    assert np.linalg.eigvalsh(hessian_of_distance(trough, foot, query)).min() > 0


@with_hessian
def test_newton_ends_in_minima(solver):
    rng = np.random.default_rng(5)
    for surface, d in ((surfaces.monkey_saddle(), 2), (surfaces.sine(), 1), (surfaces.well(), 3)):
        queries = rng.uniform(-3, 3, (100, d + 1))
        foot = project(surface, queries, solver)
        assert foot.converged.mean() >= 0.99
        bends = np.linalg.eigvalsh(
            surface.metric(foot.theta)
            + (foot.point[:, -1] - queries[:, -1])[:, None, None] * surface.hessian(foot.theta)
        )
        assert (bends[foot.converged].min(axis=-1) >= -1e-7).all()


def test_gauss_newton_stays_at_a_maximum_and_stalls_beside_it():
    """It has no second derivatives to tell the difference."""
    foot = project(surfaces.paraboloid(), [[0.0, 3.0], [1e-9, 3.0]], GaussNewton())
    assert foot.status.tolist() == [Status.CONVERGED, Status.STALLED]
    foot = project(surfaces.paraboloid(), [[1e-4, 3.0]], GaussNewton())
    assert foot.theta[0, 0] == pytest.approx(2, abs=1e-3)


# Statuses.


def test_all_statuses_in_one_call():
    """Eᶿ climbs too steeply to come down in 50 steps; a centre beyond the focal point stalls beside its maximum."""
    surface, contact = surfaces.exponential(), np.array([-0.5 * np.log(2)])
    queries = np.stack([[0.5, 2.0], [0.5, 2.0], offset(surface, contact, 5.0), [np.nan, 1.0]])
    starts = np.array([[0.0], [100.0], contact + 1e-9, [0.0]])
    foot = project(surface, queries, GaussNewton(max_steps=90), start=starts)
    assert foot.status.tolist() == [Status.CONVERGED, Status.STEPS_USED, Status.STALLED, Status.NOT_FINITE]
    assert foot.converged.tolist() == [True, False, False, False]
    assert foot.steps.tolist()[1:2] == [90]
    assert foot.steps[3] == 0


@each_solver
def test_steps_used_and_not_finite(solver):
    inner = type(solver)(max_steps=1) if not isinstance(solver, MultiStart) else MultiStart(Newton(max_steps=1), 3)
    foot = project(surfaces.sine(), [[0.3, 2.0], [0.3, np.inf], [1.0, np.sin(1.0)]], inner)
    assert foot.status.tolist() == [Status.STEPS_USED, Status.NOT_FINITE, Status.CONVERGED]
    assert foot.distance[2] == 0


@each_solver
def test_a_start_outside_the_domain_is_not_finite(solver):
    """√(9 − θ²) is NaN at 4; a trial that leaves the domain is merely rejected."""
    foot = project(surfaces.cap(3.0), [[2.9, 1.0], [0.5, 1.0]], solver, start=[[-2.99], [4.0]])
    assert foot.converged[0]
    assert foot.theta[0, 0] == pytest.approx(3 * 2.9 / np.hypot(2.9, 1), abs=1e-10)
    if not isinstance(solver, MultiStart):
        assert foot.status[1] == Status.NOT_FINITE


@each_solver
def test_tolerance(solver):
    if isinstance(solver, MultiStart):
        pytest.skip("has none of its own")
    query = [0.7, 2.5]
    rough = project(surfaces.sine(), query, type(solver)(tolerance=1e-3))
    fine = project(surfaces.sine(), query, type(solver)(tolerance=0))
    assert rough.converged
    assert fine.converged
    assert rough.steps < fine.steps
    assert fine.residual <= 1e-15 < rough.residual <= 1e-3 * (0.7 + 2.5 + abs(rough.point).sum() + 2)


@pytest.mark.parametrize("phase", [0.0, 2 * np.pi, 6 * np.pi])
def test_queries_above_a_bottom_at_the_origin(phase):
    """There the coordinates are 0, and the rounding of ∇f, 1e-15 for a phase, is no reason to stall."""
    surface = surfaces.sine(phase - np.pi / 2)
    queries = np.stack([np.zeros(30), np.linspace(-3, -0.1, 30)], axis=-1)
    for solver in (GaussNewton(), Newton()):
        foot = project(surface, queries, solver)
        assert foot.converged.all()
        np.testing.assert_allclose(foot.theta, 0, atol=1e-11)


# The share of convergence where it is hard.


@pytest.mark.parametrize("solver", [GaussNewton(), Newton()], ids=["GaussNewton", "Newton"])
@pytest.mark.parametrize("radius", [0.1, 1])
def test_share_of_convergence_on_the_wrinkled_wave(solver, radius):
    """Queries as Algorithm 1 makes them; the wrinkles' curvature radius is 5e-6, far below the ball's."""
    surface = surfaces.wrinkled()
    theta = np.random.default_rng(0).uniform(-10, 10, (2000, 1))
    candidates = offset(surface, theta, radius) - 0.01 * surface.tangent(theta)
    foot = project(surface, candidates, solver, start=theta)
    assert foot.converged.mean() >= 0.99
    begin = np.linalg.norm(candidates - surface.point(theta), axis=-1)
    assert (foot.distance <= begin + rounding(candidates, foot)).all()


# Many dimensions.


@pytest.mark.parametrize("solver", [None, GaussNewton(), Newton(matrix=False)], ids=["default", "GN", "CG"])
def test_many_dimensions_without_a_matrix(solver):
    """d = 10⁵ of Rotationally symmetric k|θ|²/2: the radius s solves (k²/2)s³ + (1 − ky)s = r."""
    d, k, y = 10**5, 2.0, 3.0

    def no_matrix(theta):
        raise AssertionError("a d×d matrix was asked for")

    surface = FunctionGraph(
        lambda t: k / 2 * np.sum(t * t, axis=-1), lambda t: k * t, no_matrix, hessian_vector=lambda t, v: k * v
    )
    direction = np.random.default_rng(0).normal(size=d)
    direction /= np.linalg.norm(direction)
    tracemalloc.start()
    foot = project(surface, np.append(1.5 * direction, y), solver)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    s = np.roots([k**2 / 2, 0, 1 - k * y, -1.5]).real.max()
    assert foot.converged
    np.testing.assert_allclose(foot.theta, s * direction, atol=1e-11)
    assert peak < 100 * 8 * d


# Peers.


@pytest.mark.parametrize("solver", [GaussNewton(), Newton(), Newton(matrix=False)], ids=["GN", "Newton", "CG"])
def test_scipy_finds_the_same(solver):
    """Below the critical radius φ is convex around the footpoint."""
    rng = np.random.default_rng(2)
    for surface, d in ((surfaces.sine(), 1), (surfaces.well(), 3), (surfaces.paraboloid(0.9), 6)):
        theta = rng.uniform(-1, 1, (5, d))
        for start, query in zip(theta + 0.1, offset(surface, theta, 0.7), strict=True):

            def half_square(t, surface=surface, query=query):
                away = surface.point(t) - query
                return away @ away / 2, away[:-1] + away[-1] * surface.gradient(t)

            peer = scipy.optimize.minimize(half_square, start, jac=True, method="BFGS", options={"gtol": 1e-9})
            foot = project(surface, query, solver, start=start)
            assert foot.converged
            np.testing.assert_allclose(foot.theta, peer.x, atol=1e-7)
            assert foot.distance**2 / 2 <= peer.fun * (1 + 1e-14)


# What a search costs.


@pytest.mark.parametrize(("solver", "most"), [(Newton, 445), (GaussNewton, 385)])
def test_array_operations_of_an_iteration(solver, most):
    """As PyTorch counts them, views of arrays among them: one polar form and one residual a contact."""
    torch = pytest.importorskip("torch")
    from torch.utils._python_dispatch import TorchDispatchMode

    class Counted(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            Counted.count += 1
            return function(*args, **(kwargs or {}))

    def hessian(t):
        return -torch.sin(t)[..., None] * torch.eye(2, dtype=t.dtype)

    surface = FunctionGraph(lambda t: torch.sum(torch.sin(t), -1), torch.cos, hessian)
    query = torch.asarray([[0.3, -1.0, 3.0], [2.0, 0.5, -0.7]], dtype=torch.float64)
    counts = []
    for steps in (2, 3):
        Counted.count = 0
        with Counted():
            project(surface, query, solver(max_steps=steps))
        counts.append(Counted.count)
    assert counts[1] - counts[0] <= most
