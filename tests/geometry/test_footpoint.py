"""Footpoints against closed forms, certified polynomial roots, brute force and arbitrary precision."""

from types import SimpleNamespace

import numpy as np
import pytest
from flint import fmpz_poly
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.special import lambertw

from geometry import Descent, FunctionGraph, GaussNewton, MultiStart, Newton, offset, project
from tests.geometry import surfaces

SOLVERS = {
    "GaussNewton": GaussNewton(),
    "Newton": Newton(),
    "Newton-CG": Newton(matrix=False),
    "MultiStart": MultiStart(starts=4),
}
each_solver = pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS)
FIELDS = ("theta", "point", "distance", "residual", "steps", "status", "converged")


def found(backend, surface, points, solver=None):
    """The fields of `Footpoints` in NumPy, from one compiled call where the backend compiles."""

    def run(points):
        foot = project(surface, points, solver)
        return tuple(getattr(foot, field) for field in FIELDS)

    values = (backend.to_numpy(array) for array in backend.jit(run)(points))
    return SimpleNamespace(**dict(zip(FIELDS, values, strict=True)))


def accuracy(dtype, conditioning=8.0) -> float:
    """The solvers stop at a residual of ε^(3/4) times the coordinates, here of order 1; 1/λ_min(∇²φ) multiplies it."""
    return conditioning * float(np.finfo(dtype).eps) ** 0.75


def queries(shape, d, low=-1.5, high=1.5):
    rng = np.random.default_rng(d)
    return np.concatenate([rng.uniform(-1.5, 1.5, (*shape, d)), rng.uniform(low, high, (*shape, 1))], axis=-1)


# Closed forms.


def on_plane(q, slope=0.7):
    normal = np.array([-slope] * (q.shape[-1] - 1) + [1])
    return (q - (q @ normal)[..., None] * normal / (normal @ normal))[..., :-1]


def on_paraboloid(q, k=1.5):
    """The footpoint's radius is the largest root of (k²/2)s³ + (1 − ky)s − r."""
    r = np.linalg.norm(q[..., :-1], axis=-1)
    s = np.empty_like(r)
    for i in np.ndindex(r.shape):
        roots = np.roots([k**2 / 2, 0, 1 - k * q[(*i, -1)], -r[i]])
        s[i] = roots.real[abs(roots.imag) < 1e-6].max()
    return q[..., :-1] * (s / r)[..., None]


def on_cap(q, r=3.0):
    return r * (q / np.linalg.norm(q, axis=-1, keepdims=True))[..., :-1]


CLOSED_FORMS = {
    "plane": (surfaces.plane(0.7), on_plane, (-3, 3)),
    "paraboloid": (surfaces.paraboloid(1.5), on_paraboloid, (-3, 3)),
    "cap": (surfaces.cap(3.0), on_cap, (0.5, 6)),
}


@each_solver
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("d", [1, 2, 7])
@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_closed_forms(name, d, dtype, solver):
    surface, truth, heights = CLOSED_FORMS[name]
    q = queries((20,), d, *heights)
    q[:, :-1] /= np.sqrt(d)  # keeps the cap's queries over the cap
    foot = project(surface, q.astype(dtype), solver)
    assert foot.converged.all()
    assert foot.theta.dtype == foot.distance.dtype == dtype
    np.testing.assert_allclose(foot.theta, truth(q), atol=accuracy(dtype, 30))
    exact = np.concatenate([truth(q), surface.value(truth(q))[..., None]], axis=-1)
    np.testing.assert_allclose(foot.distance, np.linalg.norm(q - exact, axis=-1), atol=accuracy(dtype, 30))


@each_solver
def test_paraboloid_on_every_backend(backend, solver):
    if backend.name == "jax" and solver != Newton():
        pytest.skip("JAX compiles every single operation when not under jit: one solver is enough")
    dtype = backend.dtypes[-1]
    q = queries((2, 3), 2)
    foot = found(backend, surfaces.paraboloid(1.5), backend.asarray(q, dtype), solver)
    assert foot.converged.all()
    assert (foot.theta.shape, foot.point.shape, foot.distance.shape) == ((2, 3, 2), (2, 3, 3), (2, 3))
    assert foot.theta.dtype == foot.point.dtype == foot.distance.dtype == foot.residual.dtype == dtype
    assert foot.steps.dtype.kind == foot.status.dtype.kind == "i"
    np.testing.assert_allclose(foot.theta, on_paraboloid(q), atol=accuracy(dtype, 30))
    np.testing.assert_array_equal(foot.point[..., :-1], foot.theta)
    np.testing.assert_allclose(foot.distance, np.linalg.norm(q - foot.point, axis=-1), atol=accuracy(dtype, 1))


@pytest.mark.parametrize(("shape", "dtype"), [((), "float64"), ((5,), "float32"), ((2, 3), "float64")])
def test_results_follow_the_points(backend, dtype, shape):
    if dtype not in backend.dtypes or backend.name == "jax" or (backend.name == "jax-jit" and shape == ()):
        pytest.skip("the device has no float64, or JAX would compile every single operation, or all of it once more")
    points = backend.asarray(queries(shape, 1), dtype)
    foot = project(surfaces.sine(), points, Descent(0.1, 3))
    for field, item in {"theta": (1,), "point": (2,), "distance": (), "residual": ()}.items():
        assert getattr(foot, field).shape == (*shape, *item)
        assert backend.belongs(getattr(foot, field), dtype)
    theta = backend.jit(lambda q: project(surfaces.sine(), q, GaussNewton()).theta)(points)
    assert theta.shape == (*shape, 1)
    assert backend.belongs(theta, dtype)


def test_integers_become_the_default_float(backend):
    if backend.name == "jax":
        pytest.skip("JAX would compile every single operation")
    default = {"torch": "float32", "strict-no-float64": "float32"}.get(backend.name, "float64")
    theta = backend.jit(lambda q: project(surfaces.plane(1.0), q, GaussNewton()).theta)(backend.asarray([0, 2]))
    assert backend.belongs(theta, default)
    np.testing.assert_allclose(backend.to_numpy(theta), 1, rtol=1e-6)


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("rho", [1.5, 2, 3, 5])
def test_centre_above_the_well(d, rho):
    """The ball of radius ρ > 1 rests on the rim: |θ| = √u at height 2 sinh(u/2), u = ρ² − W(exp ρ²)."""
    u = rho**2 - lambertw(np.exp(rho**2)).real
    q = np.append(np.zeros(d), 2 * np.sinh(u / 2))
    for solver in (None, Newton(matrix=False), MultiStart()):
        foot = project(surfaces.well(), q, solver)
        assert foot.converged
        assert np.linalg.norm(foot.theta) == pytest.approx(np.sqrt(u), rel=1e-10)
        assert foot.distance == pytest.approx(rho, rel=1e-10)


# Over the trough of the sine wave: ρ and 1 + ρ − f_ρ(−π/2), from the scalar equation s√(1 + sin²s) = ρ sin s.
TROUGH = [
    (1.1, 1.99636371078797807),
    (1.5, 1.92084985581264225),
    (2, 1.74167003662809628),
    (3, 1.34769520375891753),
    (5, 0.868529054387585614),
    (10, 0.456892248821957107),
]


@pytest.mark.parametrize(("rho", "gap"), TROUGH)
def test_centre_above_the_trough_on_the_medial_axis(rho, gap):
    for solver in (None, Newton(matrix=False), MultiStart()):
        foot = project(surfaces.sine(), [-np.pi / 2, 1 + rho - gap], solver)
        assert foot.converged
        assert foot.distance == pytest.approx(rho, rel=1e-9)


# Other routes to the truth.


@pytest.mark.parametrize("start", ["default", "random"])
@pytest.mark.parametrize("seed", range(5))
def test_double_well_against_all_critical_points(seed, start):
    """The critical points of φ are the real roots of (t − x) + (f − y)f′, isolated with certainty."""
    rng = np.random.default_rng(seed)
    x, y = (int(n) for n in rng.integers(-32, 48, 2))  # sixteenths
    t = fmpz_poly([0, 1])
    stationary = 16 * t - x + (16 * (t * t - 1) ** 2 - y) * 4 * t * (t * t - 1)
    roots = np.array([float(r.real) for r, _ in stationary.complex_roots() if r.imag == 0])
    q = np.array([x / 16, y / 16])
    surface = surfaces.double_well()
    distances = np.linalg.norm(q - surface.point(roots[:, None]), axis=-1)
    starts = None if start == "default" else rng.uniform(-2, 2, (20, 1))
    for solver in (GaussNewton(), Newton(), Newton(matrix=False)):
        foot = project(surface, q, solver, start=starts)
        assert foot.converged.all()
        assert abs(foot.theta - roots).min(axis=-1).max() < 1e-9
    foot = project(surface, q, MultiStart(starts=32))
    assert foot.distance == pytest.approx(distances.min(), abs=1e-12)
    assert foot.theta[0] == pytest.approx(roots[distances.argmin()], abs=1e-9)


def test_multistart_against_brute_force():
    """Between grid points of width h the squared distance falls by at most max φ″·h²/4."""
    rng = np.random.default_rng(0)
    q, h = rng.uniform(-4, 4, (64, 2)), 1e-3
    grid = np.arange(-10, 10, h)  # no footpoint is farther than |y − sin x| ≤ 5 from x
    squares = (q[:, :1] - grid) ** 2 + (q[:, 1:] - np.sin(grid)) ** 2
    brute = squares.min(axis=-1)
    foot = project(surfaces.sine(), q, MultiStart(starts=32))
    assert foot.converged.all()
    assert (foot.distance**2 <= brute + 1e-14).all()
    assert (foot.distance**2 >= brute - (2 + 5) * h**2 / 4).all()


@example(surface=0, theta=0.0, part=0.99, above=True)
@given(st.integers(0, 3), st.floats(-2, 2), st.floats(0.01, 0.95), st.booleans())
def test_projection_undoes_the_offset(surface, theta, part, above):
    """Below the critical radius of its side a parallel surface projects back, from any start in the neighbourhood."""
    surface, over, under = [
        (surfaces.sine(), 1, 1),
        (surfaces.paraboloid(2.0), 0.5, np.inf),
        (surfaces.well(), 1, 2.676208711244663),
        (surfaces.exponential(), 1.5 * np.sqrt(3), np.inf),
    ][surface]
    rho = part * min(over if above else under, 3.0) * (1 if above else -1)
    theta = np.array([theta])
    center = offset(surface, theta, rho)
    for solver in (GaussNewton(), Newton(), Newton(matrix=False)):
        foot = project(surface, center, solver, start=theta + 0.02)
        assert foot.converged
        # ∇²φ = G(1 − ρκ) ≥ 1 − part
        assert abs(foot.theta - theta).max() <= accuracy("float64", 20) / (1 - part)
        assert foot.distance == pytest.approx(abs(rho), rel=1e-9)


@each_solver
def test_a_batch_equals_its_items(solver):
    q = queries((4, 3), 2)
    whole = project(surfaces.monkey_saddle(), q, solver)
    assert whole.converged.all()
    for i in np.ndindex(4, 3):
        item = project(surfaces.monkey_saddle(), q[i], solver)
        assert item.status == whole.status[i]
        np.testing.assert_allclose(item.theta, whole.theta[i], atol=accuracy("float64", 100))


@each_solver
def test_one_bad_query_spoils_nothing(solver):
    good = np.array([[0.3, 2.0], [1.0, -1.0]])
    bad = np.array([[np.nan, 1], [1, np.nan], [np.inf, 1], [1, -np.inf]])
    mixed = project(surfaces.sine(), np.concatenate([good[:1], bad, good[1:]]), solver)
    alone = project(surfaces.sine(), good, solver)
    assert mixed.status.tolist() == [0, 3, 3, 3, 3, 0]
    np.testing.assert_array_equal(mixed.theta[[0, -1]], alone.theta)
    assert not np.isnan(mixed.distance[[0, -1]]).any()


def test_surfaces_without_derivatives(backend):
    """A value is enough, and Newton is the default."""
    if backend.name == "jax":
        pytest.skip("JAX would compile every single operation")
    q = queries((2, 3), 2)
    bare = FunctionGraph(surfaces.well().value, name="bare")
    foot, truth = found(backend, bare, backend.asarray(q)), project(surfaces.well(), q, Newton())
    np.testing.assert_array_equal(foot.status, truth.status)
    if backend.dtypes[-1] == "float64":
        np.testing.assert_array_equal(foot.steps, truth.steps)
    np.testing.assert_allclose(foot.theta, truth.theta, atol=accuracy(backend.dtypes[-1], 30))


def unrecordable(t):
    return np.sin(t[..., 0]) if np.all(t == t) else 0 * t[..., 0]


def test_the_default_is_newton_where_there_are_second_derivatives():
    surface, q = surfaces.sine(), queries((9,), 1)
    first = FunctionGraph(unrecordable, surface.gradient)
    for known, solver in ((surface, Newton()), (first, GaussNewton())):
        np.testing.assert_array_equal(project(known, q).steps, project(known, q, solver).steps)


def test_multistart_starts_in_the_ball_that_holds_every_nearer_point():
    surface, calls = surfaces.counting(surfaces.sine())
    query, start = np.array([2.0, 3.0]), np.array([9.0])
    project(surface, query, MultiStart(GaussNewton(max_steps=0), starts=40), start=start)
    starts = calls[1][:, 0]
    assert starts[:2].tolist() == [9, 2]
    assert len(set(starts)) == 40
    radius = np.linalg.norm(query - surface.point(start))
    assert 0.8 * radius < abs(starts - 2).max() <= radius
    drawn = [project(surface, query, MultiStart(starts=5, seed=seed)).steps for seed in (1, 1)]
    assert drawn[0] == drawn[1]


def test_start_broadcasts_against_the_points():
    foot = project(surfaces.sine(), [0.0, 3.0], start=np.linspace(-3, 3, 7)[:, None])
    assert foot.theta.shape == (7, 1)
    foot = project(surfaces.sine(), np.zeros((4, 1, 2)), start=np.zeros((3, 1)))
    assert foot.distance.shape == (4, 3)
    assert project(surfaces.sine(), np.zeros((0, 2))).theta.shape == (0, 1)


@pytest.mark.parametrize("solver", [GaussNewton(), Newton()])
def test_steps_count_the_evaluations(solver):
    surface, calls = surfaces.counting(surfaces.sine())
    foot = project(surface, queries((6,), 1), solver)
    assert foot.steps.max() == len(calls) - 1
    assert foot.residual.shape == foot.distance.shape == (6,)
    assert foot.steps.max() == len(calls) - 1


# Bad input.


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.sin, [1.0, 2.0]), TypeError, r"surface must be a FunctionGraph, got <ufunc 'sin'>"),
        ((surfaces.sine(), 1.0), ValueError, r"points must have shape \(..., d\+1\) with d >= 1, got \(\)"),
        ((surfaces.sine(), [1.0]), ValueError, r"points must have shape \(..., d\+1\) with d >= 1, got \(1,\)"),
        ((surfaces.sine(), "word"), TypeError, "points must be an array of real numbers, got 'word'"),
        ((surfaces.sine(), [1j, 2]), TypeError, "points must be an array of real numbers"),
        ((surfaces.sine(), [[1.0], [1, 2]]), ValueError, "points must be an array or a rectangular"),
        ((surfaces.sine(), [1.0, 2.0], "newton"), TypeError, "solver must be an instance of .*, got 'newton'"),
        ((surfaces.sine(), [1.0, 2.0], Newton), TypeError, "solver must be an instance of .*, got <class"),
        ((surfaces.sine(), [1.0, 2.0], MultiStart(5)), TypeError, "solver must be an instance of .*, got 5"),
        ((FunctionGraph(np.sum), [1.0, 2.0]), TypeError, "sum was given no gradient"),
        ((FunctionGraph(lambda t: t, lambda t: t), [1.0, 2.0]), ValueError, r"value must return shape \(\)"),
    ],
)
def test_project_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        project(*arguments)


def test_project_refuses_starts_that_do_not_fit():
    bowl = surfaces.paraboloid()
    with pytest.raises(ValueError, match=r"start must have shape \(..., 2\), got \(3, 3\)"):
        project(bowl, np.ones((3, 3)), start=np.ones((3, 3)))
    with pytest.raises(ValueError, match=r"batch shapes must broadcast, got points \(3,\), start \(2,\)"):
        project(bowl, np.ones((3, 3)), start=np.ones((2, 2)))
    with pytest.raises(TypeError, match="points and start must be an array of real numbers"):
        project(bowl, np.ones((3, 3)), start="word")
    strict = pytest.importorskip("array_api_strict")
    with pytest.raises(TypeError, match="points and start: all arrays must belong to one array library"):
        project(bowl, np.ones((3, 3)), start=strict.ones((3, 2)))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: GaussNewton(tolerance=-1), ValueError, "tolerance must be finite and not negative, got -1"),
        (lambda: GaussNewton(tolerance="x"), TypeError, "tolerance must be an array of real numbers, got 'x'"),
        (lambda: GaussNewton(max_steps=1.5), TypeError, "max_steps must be an integer, got 1.5"),
        (lambda: Newton(matrix="yes"), TypeError, "matrix must be True, False or None, got 'yes'"),
        (lambda: Newton(max_steps=-1), ValueError, "max_steps must be at least 0, got -1"),
        (lambda: MultiStart(starts=0), ValueError, "starts must be at least 1, got 0"),
        (lambda: MultiStart(seed="x"), TypeError, "seed must be an integer, got 'x'"),
    ],
)
def test_solvers_refuse(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_newton_wants_second_derivatives():
    first = FunctionGraph(unrecordable, np.cos, name="first")
    assert project(first, [0.0, 1.0]).converged
    with pytest.raises(TypeError, match=r"first was given no hessian.*branch on data.*pass hessian="):
        project(first, [0.0, 1.0], Newton())
