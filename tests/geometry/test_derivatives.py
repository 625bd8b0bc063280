"""Derivatives through footpoints, against the implicit function theorem by hand and closed forms."""

import numpy as np
import pytest

from geometry import (
    Descent,
    FunctionGraph,
    GaussNewton,
    LevelSet,
    MultiStart,
    Newton,
    Sampling,
    distance,
    distance_gradient,
    project,
    signed_distance,
)
from geometry.certified import Certified
from rbo_ref import RollingBall

torch = pytest.importorskip("torch")

SOLVERS = {
    "default": None,
    "GaussNewton": GaussNewton(),
    "Newton-CG": Newton(matrix=False),
    "MultiStart": MultiStart(starts=3),
    "Sampling": Sampling(samples=500),
}
each_solver = pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS)
QUERY = np.array([0.3, 0.2, 0.4])
BOWL = FunctionGraph(lambda t: (t**2).sum(-1) / 2, name="bowl")


def tensor(values, **options):
    return torch.tensor(np.array(values), dtype=torch.float64, **options)


def foot_of_the_bowl(q):
    """s³/2 + (1 − y)s = r along the query's own direction."""
    r = np.hypot(*q[:2])
    s = np.roots([0.5, 0, 1 - q[2], -r])
    return q[:2] / r * s.real[abs(s.imag) < 1e-9].max()


def jacobian_of_the_foot(q):
    """∇²φ⁻¹ [I, g], from differentiating (θ − x) + (f − y)g = 0 with g = θ, H = I."""
    theta = foot_of_the_bowl(q)
    stiffness = np.eye(2) * (1 + theta @ theta / 2 - q[2]) + np.outer(theta, theta)
    return np.linalg.solve(stiffness, np.concatenate([np.eye(2), theta[:, None]], axis=1))


def unit_of_the_bowl(q):
    theta = foot_of_the_bowl(q)
    away = q - [*theta, theta @ theta / 2]
    return away / np.linalg.norm(away)


def hessian_of_the_distance(q):
    """The derivative of (q − p)/|q − p|, in which p moves with q."""
    theta = foot_of_the_bowl(q)
    moves = jacobian_of_the_foot(q)
    p_moves = np.concatenate([moves, theta[None, :] @ moves])
    away = q - [*theta, theta @ theta / 2]
    d = np.linalg.norm(away)
    unit = away / d
    return (np.eye(3) - np.outer(unit, unit)) @ (np.eye(3) - p_moves) / d


def starts():
    return {"default": None, "elsewhere": tensor([0.5, 0.1]), "foot": tensor(foot_of_the_bowl(QUERY))}


@each_solver
@pytest.mark.parametrize("start", starts())
def test_distance_and_foot_from_any_start(solver, start):
    start, q = starts()[start], tensor(QUERY, requires_grad=True)
    (found,) = torch.autograd.grad(distance(BOWL, q, solver, start=start), q)
    np.testing.assert_allclose(found, unit_of_the_bowl(QUERY), rtol=0, atol=1e-10)
    (found,) = torch.autograd.grad(signed_distance(BOWL, q, solver, start=start), q)
    np.testing.assert_allclose(found, unit_of_the_bowl(QUERY), rtol=0, atol=1e-10)
    jacobian = torch.autograd.functional.jacobian
    found = jacobian(lambda x: project(BOWL, x, solver, start=start).theta, tensor(QUERY))
    np.testing.assert_allclose(found, jacobian_of_the_foot(QUERY), rtol=0, atol=1e-10)
    found = jacobian(lambda x: distance_gradient(BOWL, x, solver, start=start), tensor(QUERY))
    np.testing.assert_allclose(found, hessian_of_the_distance(QUERY), rtol=0, atol=1e-10)
    found = torch.autograd.functional.hessian(lambda x: distance(BOWL, x, solver, start=start), tensor(QUERY))
    np.testing.assert_allclose(found, hessian_of_the_distance(QUERY), rtol=0, atol=1e-10)


def test_second_derivatives_of_the_foot():
    """Against differences of its first ones."""
    step = 1e-5
    for i in range(2):
        found = torch.autograd.functional.hessian(lambda x, i=i: project(BOWL, x).theta[i], tensor(QUERY))
        aside = [(jacobian_of_the_foot(QUERY + h)[i] - jacobian_of_the_foot(QUERY - h)[i]) for h in step * np.eye(3)]
        np.testing.assert_allclose(found, np.array(aside) / (2 * step), rtol=0, atol=1e-8)


@each_solver
def test_a_ball_at_rest_spoils_nothing(solver):
    """At the minimum of the bowl the step has the Jacobian 1 − η/(1 − ρ), as for a quadratic seen by the ball."""
    ball = RollingBall(0.1, 0.4, solver)
    found = torch.autograd.functional.jacobian(lambda t: ball.step(BOWL, t).theta, torch.zeros(2, dtype=torch.float64))
    np.testing.assert_allclose(found, (1 - 0.1 / (1 - 0.4)) * np.eye(2), rtol=0, atol=1e-10)


@each_solver
def test_the_gradient_by_the_learning_rate_of_a_batch_with_a_ball_at_rest(solver):
    def total(rate):
        return RollingBall(rate, 0.4, solver).step(BOWL, tensor([[0.0, 0.0], [1.0, 0.5]])).theta.sum()

    rate = tensor(0.1, requires_grad=True)
    (found,) = torch.autograd.grad(total(rate), rate)
    difference = (total(tensor(0.1 + 1e-6)) - total(tensor(0.1 - 1e-6))) / 2e-6
    assert float(found) == pytest.approx(float(difference), abs=1e-8)


@each_solver
def test_by_a_parameter_of_the_surface(solver):
    """The distance moves by −⟨ν, ∂p/∂a⟩ = −ν_y ∂f/∂a (the footpoint's own motion is tangential)."""
    a = tensor(1.0, requires_grad=True)
    family = FunctionGraph(lambda t: a * (t**2).sum(-1) / 2)
    (found,) = torch.autograd.grad(distance(family, tensor(QUERY), solver), a)
    theta = foot_of_the_bowl(QUERY)
    assert float(found) == pytest.approx(-unit_of_the_bowl(QUERY)[2] * (theta @ theta) / 2, abs=1e-10)


@pytest.mark.parametrize("solver", [None, GaussNewton(), Newton(matrix=False)])
def test_level_sets(solver):
    """The unit circle: p = q/|q|, its Jacobian (I − pp ᵀ)/|q|; the distance inside is 1 − |q|."""
    circle = LevelSet(lambda x: (x**2).sum(-1) - 1)
    for q in ([0.3, 0.4], [0.6, 0.8], [3.0, -4.0]):
        size = np.hypot(*q)
        p = np.array(q) / size
        found = torch.autograd.functional.jacobian(lambda x: project(circle, x, solver).theta, tensor(q))
        np.testing.assert_allclose(found, (np.eye(2) - np.outer(p, p)) / size, rtol=0, atol=1e-9)
        x = tensor(q, requires_grad=True)
        (found,) = torch.autograd.grad(signed_distance(circle, x, solver), x)
        np.testing.assert_allclose(found, p, rtol=0, atol=1e-9)


@pytest.mark.parametrize("gap", [0.0, 1e-16, 1e-9])
def test_next_to_the_surface_the_gradient_is_the_normal(gap):
    normal = np.array([-0.6, -0.8, 1.0]) / np.sqrt(2)
    q = np.array([0.6, 0.8, 0.5]) + gap * normal
    for verb in (distance, signed_distance):
        x = tensor(q, requires_grad=True)
        (found,) = torch.autograd.grad(verb(BOWL, x), x)
        sign = np.sign(float(found[2])) if verb is distance else 1  # rounding decides on which side q is
        np.testing.assert_allclose(found, sign * normal, rtol=0, atol=1e-8)


def test_the_numbers_do_not_depend_on_being_differentiated():
    points = np.random.default_rng(0).normal(size=(50, 3))
    for solver in SOLVERS.values():
        plain, recorded = (project(BOWL, tensor(points, requires_grad=r), solver) for r in (False, True))
        for field in ("theta", "point", "distance", "residual", "steps", "status", "normal"):
            assert torch.equal(getattr(plain, field), getattr(recorded, field).detach()), field


def test_items_that_are_not_finite_do_not_spoil_the_others():
    q = tensor([QUERY, [np.nan, 0.0, 1.0], [np.inf, 0.0, 0.0]], requires_grad=True)
    foot = project(BOWL, q)
    (found,) = torch.autograd.grad(torch.where(foot.converged, foot.distance, 0.0).sum(), q)
    np.testing.assert_allclose(found[0], unit_of_the_bowl(QUERY), atol=1e-10)
    assert torch.isfinite(found[0]).all()


def test_many_dimensions_without_a_matrix():
    """Along the query's own direction the bowl is a parabola, whatever the dimension; across, the foot turns with q."""
    d = 40
    q = np.array([0.3 / np.sqrt(d)] * d + [0.4])
    radial = np.array([0.3, 0.0, 0.4])
    moves = jacobian_of_the_foot(radial)  # along, across, up
    e = q[:-1] / 0.3
    expected = moves[0, 0] * np.outer(e, e) + moves[1, 1] * (np.eye(d) - np.outer(e, e))
    expected = np.concatenate([expected, moves[0, 2] * e[:, None]], axis=1)
    found = torch.autograd.functional.jacobian(lambda x: project(BOWL, x).theta, tensor(q))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_certified():
    q = tensor(QUERY)
    found = torch.autograd.functional.jacobian(lambda x: project(BOWL, x, Certified()).theta, q)
    np.testing.assert_allclose(found, jacobian_of_the_foot(QUERY), rtol=0, atol=1e-4)  # θ is known to √tolerance


def test_descent_is_differentiated_step_by_step():
    """One step from 0 at the rate γ: θ = γ(x − 0), for ∇φ(0) = −x + (0 − y)·0."""
    found = torch.autograd.functional.jacobian(
        lambda q: project(BOWL, q, Descent(0.25, 1), start=torch.zeros(2, dtype=q.dtype)).theta, tensor(QUERY)
    )
    np.testing.assert_allclose(found, [[0.25, 0, 0], [0, 0.25, 0]], atol=1e-15)


def test_without_second_derivatives_a_derivative_is_refused_or_right():
    pair = FunctionGraph.from_value_and_gradient(lambda t: ((t**2).sum(-1) / 2, t))
    found = torch.autograd.functional.jacobian(lambda x: project(pair, x).theta, tensor(QUERY))
    np.testing.assert_allclose(found, jacobian_of_the_foot(QUERY), rtol=0, atol=1e-10)
    detached = FunctionGraph.from_value_and_gradient(lambda t: ((t**2).sum(-1) / 2, t.detach()))
    x = tensor(QUERY, requires_grad=True)
    foot = project(detached, x)
    np.testing.assert_allclose(foot.theta.detach(), foot_of_the_bowl(QUERY), atol=1e-10)
    for output in (foot.distance, foot.theta.sum(), foot.point.sum()):
        with pytest.raises(TypeError, match="needs second derivatives of the surface; pass hessian="):
            torch.autograd.grad(output, x, retain_graph=True)


@pytest.mark.parametrize("name", ["torch", "jax", "compiled by jax"])
def test_a_gradient_that_is_detached_has_no_curvature_of_zero(name):
    """It changes with θ; a derivative of it that is zero would be silently wrong. A constant one has none at all."""
    if name == "torch":
        xp, detach, compiled = torch, torch.Tensor.detach, lambda verb: verb
    else:
        jax = pytest.importorskip("jax")
        xp, detach, compiled = jax.numpy, jax.lax.stop_gradient, jax.jit if "compiled" in name else lambda verb: verb
    theta, query = xp.asarray([0.3, 0.2]), xp.asarray([0.3, 0.2, 2.0])

    def wave(t):
        return xp.sin(t).sum(-1)

    detached = FunctionGraph(wave, lambda t: detach(xp.cos(t)), name="wave")
    for verb in (detached.hessian, detached.curvatures, lambda t: detached.hessian_vector(t, t)):
        with pytest.raises(TypeError, match=r"wave was given a gradient that .* cannot differentiate, and no hessian"):
            compiled(verb)(theta)
    assert not detached.has_second_order(theta)
    truth = compiled(lambda q: distance(FunctionGraph(wave), q))(query)
    assert float(compiled(lambda q: distance(detached, q))(query)) == pytest.approx(float(truth), rel=1e-5)
    good = FunctionGraph(wave, xp.cos)
    np.testing.assert_allclose(compiled(good.hessian)(theta), -np.diag(np.sin([0.3, 0.2])), rtol=1e-6)
    plane = FunctionGraph(lambda t: t.sum(-1), xp.ones_like)
    assert not np.asarray(compiled(plane.hessian)(theta)).any()


def test_a_gradient_of_autograds_own_has_the_default_solver():
    """``torch.autograd.grad`` refuses to run within function transforms: there are footpoints, but no curvatures."""

    def gradient(t):
        with torch.enable_grad():
            at = t.detach().requires_grad_()
            return torch.autograd.grad(torch.sin(at).sum(), at)[0]

    own = FunctionGraph(lambda t: torch.sin(t).sum(-1), gradient)
    plain = FunctionGraph(lambda t: torch.sin(t).sum(-1))
    query = tensor([0.3, 0.2, 2.0])
    torch.testing.assert_close(distance(own, query), distance(plain, query), rtol=1e-12, atol=0)
    with pytest.raises(TypeError, match=r"pass hessian=..., or no gradient"):
        own.curvatures(query[:2])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_start_that_is_a_list_is_of_the_library_of_the_points(dtype):
    query = torch.tensor(QUERY, dtype=dtype)
    found = project(BOWL, query, start=[0.1, 0.3])
    assert found.theta.dtype == dtype
    assert torch.equal(found.theta, project(BOWL, query, start=torch.tensor([0.1, 0.3], dtype=dtype)).theta)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script")  # of PyTorch's own, in its own forward mode
def test_function_transforms():
    q = tensor(QUERY)
    found = torch.func.grad(lambda x: distance(BOWL, x))(q)
    np.testing.assert_allclose(found, unit_of_the_bowl(QUERY), rtol=0, atol=1e-10)
    _, found = torch.func.jvp(lambda x: distance(BOWL, x), (q,), (tensor([0.0, 0.0, 1.0]),))
    assert float(found) == pytest.approx(unit_of_the_bowl(QUERY)[2], abs=1e-10)


# JAX: forward, reverse and compiled.


@pytest.fixture
def jax():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return jax


@pytest.mark.parametrize("solver", [None, GaussNewton()])
def test_jax_in_both_modes(jax, solver):
    q, start = jax.numpy.asarray(QUERY), jax.numpy.asarray(foot_of_the_bowl(QUERY))

    @jax.jit
    def everything(q):
        warm = [jac(lambda x: project(BOWL, x, solver, start=start).theta)(q) for jac in (jax.jacfwd, jax.jacrev)]
        return (
            jax.grad(lambda x: distance(BOWL, x, solver))(q),
            jax.jacfwd(lambda x: distance(BOWL, x, solver))(q),
            *warm,
        )

    reverse, forward, *warm = everything(q)
    for found in (reverse, forward):
        np.testing.assert_allclose(found, unit_of_the_bowl(QUERY), rtol=0, atol=1e-10)
    for found in warm:
        np.testing.assert_allclose(found, jacobian_of_the_foot(QUERY), rtol=0, atol=1e-10)


def test_jax_through_a_compiled_function_and_a_parameter_of_the_surface(jax):
    def height(a, q):
        return distance(FunctionGraph(lambda t: a * (t**2).sum(-1) / 2), q)

    theta = foot_of_the_bowl(QUERY)
    expected = -unit_of_the_bowl(QUERY)[2] * (theta @ theta) / 2
    for found in (jax.grad(jax.jit(height)), jax.jit(jax.jacfwd(height))):
        assert float(found(1.0, jax.numpy.asarray(QUERY))) == pytest.approx(expected, abs=1e-10)


def test_jax_ball_at_rest(jax):
    ball = RollingBall(0.1, 0.4)
    found = jax.jit(jax.jacrev(lambda t: ball.step(BOWL, t).theta))(jax.numpy.zeros((2, 2)))
    expected = np.einsum("ij,kl->ikjl", np.eye(2), (1 - 0.1 / 0.6) * np.eye(2))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_jax_level_set(jax):
    circle = LevelSet(lambda x: (x**2).sum(-1) - 1)
    found = jax.jit(jax.jacrev(lambda x: project(circle, x).theta))(jax.numpy.asarray([0.3, 0.4]))
    np.testing.assert_allclose(found, [[1.28, -0.96], [-0.96, 0.72]], rtol=0, atol=1e-9)
