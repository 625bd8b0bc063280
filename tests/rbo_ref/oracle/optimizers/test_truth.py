"""The truth agrees with closed forms, with linear algebra, and with minimizers found otherwise."""

import numpy as np
import pytest
from flint import arb, ctx
from scipy.optimize import minimize_scalar

from geometry.arithmetic.formats import format_of
from geometry.arithmetic.rounded import Arithmetic
from rbo_ref.oracle.formulas import FORMULAS, formula_of
from rbo_ref.oracle.formulas.evaluation import steps_of
from rbo_ref.oracle.losses import Loss, Quadratic

START = np.array([1.5, -0.75])
HESSIAN = np.array([[2.0, 0.5], [0.5, 1.0]])
BOWL = Loss((Quadratic(HESSIAN, np.zeros(2), 1.0),))
SLOPE = np.array([0.75, -1.25])
PLANE = Loss((Quadratic(np.zeros((2, 2)), SLOPE, 8.0),))


def walk(optimizer, loss, theta, iterations, draws=None, dialect=None, **hyper):
    """So many true iterates, each from the one before."""
    with ctx.workprec(256), np.errstate(all="ignore"):
        arithmetic = Arithmetic(format_of("float64"))
        steps = steps_of(formula_of(optimizer, dialect)(), arithmetic, loss, [hyper] * iterations, draws)
        next(steps)
        there, iterates = arithmetic.exact(theta), []
        for _ in range(iterations):
            there = steps.send(there)
            iterates.append(there.middle)
        return np.array(iterates)


def close(x):
    return pytest.approx(x, rel=1e-13, abs=1e-14)  # of the closed forms, in float64


def test_gradient_descent_on_a_bowl_is_a_power_of_a_matrix():
    eta, mu = 0.125, 0.75
    iterates = walk("gradient-descent", BOWL, START, 5, learning_rate=eta, momentum=mu, nesterov=False)
    ahead = walk("gradient-descent", BOWL, START, 5, learning_rate=eta, momentum=mu, nesterov=True)
    one, zero = np.eye(2), np.zeros((2, 2))
    polyak = np.block([[one - eta * HESSIAN, -eta * mu * one], [HESSIAN, mu * one]])
    nesterov = np.block([[one - eta * (1 + mu) * HESSIAN, -eta * mu**2 * one], [HESSIAN, mu * one]])
    for t in range(1, 6):
        both = np.concatenate([START, zero[0]])
        assert iterates[t - 1] == close((np.linalg.matrix_power(polyak, t) @ both)[:2])
        assert ahead[t - 1] == close((np.linalg.matrix_power(nesterov, t) @ both)[:2])


def test_adam_on_a_plane_takes_the_same_step_each_time():
    """m̂ = g and v̂ = g²: only a right bias correction makes the averages of a constant that constant."""
    rate, epsilon, decay = 0.25, 0.125, 0.5
    hyper = {"learning_rate": rate, "betas": (0.9, 0.999), "epsilon": epsilon}
    step = rate * SLOPE / (np.abs(SLOPE) + epsilon)
    iterates = walk("adam", PLANE, START, 4, **hyper)
    assert iterates == close(np.array([START - t * step for t in range(1, 5)]))
    decayed, theta = walk("adamw", PLANE, START, 4, **hyper, weight_decay=decay), START
    for there in decayed:
        theta = (1 - rate * decay) * theta - step
        assert there == close(theta)


def test_sam_on_a_bowl_takes_the_gradient_farther_out():
    g = HESSIAN @ START
    e = 0.5 * g / np.linalg.norm(g)
    hyper = {"learning_rate": 0.25, "radius": 0.5, "epsilon": 0.0}
    assert walk("sam", BOWL, START, 1, adaptive=False, **hyper)[0] == close(START - 0.25 * HESSIAN @ (START + e))
    scaled = np.abs(START) * g
    e = 0.5 * START**2 * g / np.linalg.norm(scaled)
    assert walk("sam", BOWL, START, 1, adaptive=True, **hyper)[0] == close(START - 0.25 * HESSIAN @ (START + e))


@pytest.mark.parametrize("shape", [(2, 4), (4, 2), (3, 3), (1, 5)])
@pytest.mark.parametrize("dialect", FORMULAS["muon"])
def test_muon_acts_on_singular_values(shape, dialect):
    """The iteration of a matrix is that of its singular values, whatever its orientation."""
    random = np.random.default_rng(1)
    slope, theta = random.standard_normal(shape), random.standard_normal(shape)
    loss = Loss((Quadratic(np.zeros((slope.size, slope.size)), slope.reshape(-1)),))
    a, b, c = 3.4445, -4.775, 2.0315
    hyper = {"learning_rate": 0.25, "momentum": 0.5, "nesterov": False, "weight_decay": 0.125, "steps": 3}
    epsilon = 1e-7 if dialect in ("original", "match_rms_adamw") else 1e-30  # added to the norm
    there = walk("muon", loss, theta, 1, dialect=dialect, coefficients=(a, b, c), epsilon=epsilon, **hyper)[0]
    u, s, vh = np.linalg.svd(slope, full_matrices=False)
    s = s / np.linalg.norm(s)
    for _ in range(3):
        s = a * s + b * s**3 + c * s**5
    m, n = shape
    ratio = n / m if dialect == "optax" else m / n
    scale = 0.2 * np.sqrt(max(m, n)) if dialect in ("match_rms_adamw", "keras") else np.sqrt(max(1, ratio))
    assert there == close(theta - 0.25 * 0.125 * theta - 0.25 * scale * (u * s) @ vh)


def test_muon_with_a_converging_iteration_is_exactly_orthogonal():
    random = np.random.default_rng(2)
    slope = random.standard_normal((3, 4))
    loss = Loss((Quadratic(np.zeros((12, 12)), slope.reshape(-1)),))
    hyper = {"learning_rate": 1.0, "momentum": 0.0, "nesterov": True, "weight_decay": 0.0, "steps": 30}
    there = walk("muon", loss, np.zeros((3, 4)), 1, coefficients=(1.875, -1.25, 0.375), epsilon=1e-7, **hyper)[0]
    u, _, vh = np.linalg.svd(slope, full_matrices=False)
    assert there == close(-u @ vh)


def test_entropy_sgd_on_a_plane_adds_up_its_noise():
    """Without a pull, y_k = θ − kη'g + heat Σ N, and μ is a geometric mean of those."""
    draws = np.random.default_rng(3).standard_normal((1, 4, 2))
    hyper = {"learning_rate": 0.5, "steps": 4, "inner_rate": 0.25, "noise": 0.5, "averaging": 0.75, "scoping": 0.25}
    there = walk("entropy-sgd", PLANE, START, 1, draws, "code", scope=0.0, **hyper)[0]
    places = START - 0.25 * np.arange(1, 5)[:, None] * SLOPE + 0.5 * np.sqrt(0.5) * np.cumsum(draws[0], axis=0)
    mean = 0.75**4 * START + sum(0.25 * 0.75 ** (3 - k) * place for k, place in enumerate(places))
    assert there == close(START - 0.5 * (START - mean))
    assert (walk("entropy-sgd", PLANE, START, 1, draws, scope=0.0, **hyper)[0] == START).all()


def test_entropy_sgd_is_tied_by_a_growing_scope():
    """One inner step: θ' = θ + ηγ_t α(√η'εN − η'g), γ_t = γ(1 + γ₁)ᵗ."""
    draws = np.random.default_rng(4).standard_normal((3, 1, 2))
    hyper = {"learning_rate": 0.5, "steps": 1, "inner_rate": 0.25, "noise": 0.5, "averaging": 0.75}
    iterates, theta = walk("entropy-sgd", BOWL, START, 3, draws, scope=2.0, scoping=0.5, **hyper), START
    for t, there in enumerate(iterates):
        theta = theta + 0.5 * 2.0 * 1.5**t * 0.75 * (0.5 * 0.5 * draws[t, 0] - 0.25 * HESSIAN @ theta)
        assert there == close(theta)


@pytest.mark.parametrize("variant", ["plain", "log", "rms"])
def test_the_induced_metric_is_a_solve(variant):
    """(D + ξ∇φ∇φᵀ)⁻¹∇φ by linear algebra: φ = f, log f, or f with the preconditioner D."""
    xi, epsilon, rate = 0.5, 0.125, 0.25
    hyper = {"learning_rate": rate, "momentum": 0.0, "beta": 0.0, "beta_rms": 0.9, "epsilon": epsilon}
    there = walk("induced-metric", BOWL, START, 1, variant=variant, xi=xi, weight_decay=0.5, **hyper)[0]
    f, g = START @ HESSIAN @ START / 2 + 1, HESSIAN @ START
    g = g / f if variant == "log" else g
    metric = np.diag(np.abs(g) + epsilon) if variant == "rms" else np.eye(2)
    step = np.linalg.solve(metric + xi * np.outer(g, g), g)
    assert there == close(START - rate * step - rate * 0.5 * START)


def alice(loss, steps, draws, **other):
    hyper = {
        "learning_rate": 0.25,
        "betas": (0.0, 0.75),
        "quick_steps": 0,
        "omega": 1.0,
        "phi": 1.0,
        "epsilon": 0.0,
        "hessian": "abs",
        "glass": True,
        "bounds": "fixed",
        "lowest": 0.0,
        "highest": 100.0,
        "l1": 0.0,
        "l2": 0.0,
    }
    return walk("alice", loss, START, steps, draws, **(hyper | other))


def test_alice_on_a_quadratic_takes_a_newton_step_in_each_coordinate():
    """A diagonal quadratic has no kinks, and its Hessian samples are exact."""
    loss = Loss((Quadratic(np.diag([2.0, 8.0]), np.zeros(2)),))
    iterates = alice(loss, 2, np.array([[1.0, -1.0], [1.0, 1.0]]))
    assert iterates == close(np.array([START, [0.0, 0.0]]))


def test_alice_keeps_the_gradient_of_its_center_exact():
    """With φ = ω(1 − β₁), what is averaged stays ∇f(μ): Newton's method for a diagonal quadratic, damped by φ."""
    loss = Loss((Quadratic(np.diag([2.0, 8.0]), np.zeros(2)),))
    iterates = alice(loss, 6, np.ones((6, 2)), betas=(0.5, 0.75), phi=0.5)
    assert iterates == close(np.array([START, START, START / 2, START / 4, START / 8, START / 16]))


def test_alice_minimizes_its_model():
    """Against a search, on a loss with kinks that the perturbation feels: two half-parabolas."""
    loss = _Kinked()
    draws = np.array([[1.0, -1.0], [-1.0, 1.0]])
    sigma = 0.25
    delta = alice(loss, 2, draws, omega=1.0)[1] - START
    g = loss.slopes(START)
    plus, minus = loss.slopes(START + sigma * draws[0]), loss.slopes(START - sigma * draws[0])
    curvature, density = np.abs(plus - minus) / (2 * sigma), 2 * ((plus + minus) / 2 - g) ** 2 / sigma
    assert (density > 0).all()
    for i in range(2):

        def model(size, i=i):
            kinks = np.sqrt(2 / (3 * np.pi)) * np.sqrt(density[i]) * size**1.5
            return -abs(g[i]) * size + curvature[i] * size**2 / 2 + kinks

        found = minimize_scalar(model, bounds=(0, 10), method="bounded", options={"xatol": 1e-10})
        assert delta[i] == pytest.approx(-np.sign(g[i]) * found.x, rel=1e-6)  # a flat minimum


class _Kinked:
    """Two half-parabolas in each coordinate, of curvature 2 above the start and 6 below."""

    def slopes(self, theta):
        away = theta - START
        return 1.0 + np.where(away > 0, 2.0, 6.0) * away

    def value_and_gradient(self, theta):
        away = [t - float(s) for t, s in zip(theta, START, strict=True)]
        slopes = [1 + (2 if float(a.mid()) > 0 else 6) * a for a in away]
        return arb(1), slopes

    def second(self, theta, xp):
        return np.zeros((2, 2))

    def hessian(self, theta):
        return np.full((2, 2), arb(0))
