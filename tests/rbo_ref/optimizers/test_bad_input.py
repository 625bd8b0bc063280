"""Wrong arguments raise, with the name, what was expected and what came; numerical trouble is a status."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from geometry import FunctionGraph
from rbo_ref import (
    SAM,
    Adam,
    AdamW,
    Alice,
    EntropySGD,
    GradientDescent,
    InducedMetric,
    Jointly,
    Lion,
    Muon,
    NAdam,
    RMSprop,
    RollingBall,
)
from rbo_ref.optimizers import Outcome, flatten, newton_schulz
from tests.rbo_ref.optimizers.cases import CASES, WAVE, first_step

ALL = (GradientDescent, Adam, AdamW, RMSprop, NAdam, Lion, Muon, SAM, EntropySGD, InducedMetric, Alice)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("rate", [-0.1, math.nan, math.inf, [0.1, -0.1]], ids=str)
def test_rates(kind, rate):
    with pytest.raises(ValueError, match=r"learning_rate must be finite and (not negative|positive), got"):
        kind(rate)


@pytest.mark.parametrize("kind", ALL)
def test_rates_are_numbers(kind):
    with pytest.raises(TypeError, match="learning_rate must be an array of real numbers, got 'fast'"):
        kind("fast")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: GradientDescent(0.1, momentum=1.0), ValueError, "momentum must be at least 0 and less than 1"),
        (lambda: GradientDescent(0.1, momentum=-0.5), ValueError, "momentum must be finite and not negative"),
        (lambda: GradientDescent(0.1, nesterov=True), ValueError, "nesterov needs a momentum > 0, got momentum=0"),
        (lambda: Adam(betas=0.9), ValueError, r"betas must be a pair \(beta1, beta2\), got 0.9"),
        (lambda: Adam(betas=(0.9, 1.5)), ValueError, r"betas\[1\] must be at least 0 and less than 1, got 1.5"),
        (lambda: Adam(epsilon=-1.0), ValueError, "epsilon must be finite and not negative, got -1.0"),
        (lambda: AdamW(weight_decay=-1.0), ValueError, "weight_decay must be finite and not negative, got -1.0"),
        (lambda: RMSprop(smoothing=1.0), ValueError, "smoothing must be at least 0 and less than 1, got 1.0"),
        (lambda: RMSprop(momentum=-0.5), ValueError, "momentum must be finite and not negative, got -0.5"),
        (lambda: RMSprop(epsilon=-1.0), ValueError, "epsilon must be finite and not negative, got -1.0"),
        (lambda: NAdam(betas=(1.0, 0.9)), ValueError, r"betas\[0\] must be at least 0 and less than 1, got 1.0"),
        (lambda: NAdam(epsilon=-1.0), ValueError, "epsilon must be finite and not negative, got -1.0"),
        (lambda: NAdam(momentum_decay=-1.0), ValueError, "momentum_decay must be finite and not negative, got -1.0"),
        (lambda: Lion(betas=(0.9,)), ValueError, r"betas must be a pair \(beta1, beta2\), got \(0.9,\)"),
        (lambda: Lion(weight_decay=-1.0), ValueError, "weight_decay must be finite and not negative, got -1.0"),
        (lambda: Muon(adjustment="half"), ValueError, "adjustment must be one of 'original', .*, got 'half'"),
        (lambda: Muon(coefficients=(1.5, -0.5)), ValueError, r"coefficients must be three numbers \(a, b, c\)"),
        (lambda: Muon(steps=1.5), TypeError, "steps must be an integer, got 1.5"),
        (lambda: Muon(shape=(2, 3, 4)), ValueError, r"shape must be a pair \(m, n\), got \(2, 3, 4\)"),
        (lambda: Muon(epsilon=0.0), ValueError, "epsilon must be finite and positive, got 0.0"),
        (lambda: SAM(), ValueError, "SAM needs a learning_rate, or a base optimizer"),
        (lambda: SAM(0.1, radius=-1.0), ValueError, "radius must be finite and not negative, got -1.0"),
        (lambda: SAM(0.1, base=Adam), TypeError, "base must be an object with methods init and step"),
        (lambda: SAM(0.1, base=Adam(0.2)), ValueError, r"learning_rate 0.1 is not that of the base, Adam\("),
        (lambda: EntropySGD(0.1, steps=0), ValueError, "steps must be at least 1, got 0"),
        (lambda: EntropySGD(0.1, noise_form="mine"), ValueError, "noise_form must be 'paper' or 'code', got 'mine'"),
        (lambda: EntropySGD(0.1, average_form=""), ValueError, "average_form must be 'paper' or 'code', got ''"),
        (lambda: EntropySGD(0.1, averaging=1.5), ValueError, "averaging must be at least 0 and at most 1, got 1.5"),
        (lambda: EntropySGD(0.1, scope=-1), ValueError, "scope must be finite and not negative, got -1"),
        (lambda: EntropySGD(0.1, seed=2**32), ValueError, r"seed must be less than 2\*\*32"),
        (lambda: EntropySGD(0.1, seed=0.5), TypeError, "seed must be an integer, got 0.5"),
        (lambda: InducedMetric(variant="square"), ValueError, "variant must be 'plain', 'log' or 'rms', got 'square'"),
        (lambda: InducedMetric(xi=-1.0), ValueError, "xi must be finite and not negative, got -1.0"),
        (lambda: InducedMetric(beta=1.0), ValueError, "beta must be at least 0 and less than 1, got 1.0"),
        (lambda: Alice(0.0), ValueError, "learning_rate must be finite and positive, got 0.0"),
        (lambda: Alice(phi=0.0), ValueError, "phi must be finite and positive, got 0.0"),
        (lambda: Alice(hessian="full"), ValueError, "hessian must be one of 'abs', 'rms', 'zero', got 'full'"),
        (lambda: Alice(bounds="none"), ValueError, "bounds must be one of 'adam', 'sgdm', 'fixed', got 'none'"),
        (lambda: Alice(hessian="zero", glass=False), ValueError, "leaves no curvature in the model"),
        (lambda: Alice(quick_steps=1000), ValueError, r"quick_steps must be less than 1/\(1 - betas\[1\]\), got 1000"),
        (lambda: Alice(betas=([0.9, 0.5], 0.99)), TypeError, "betas must be two Python numbers"),
        (lambda: Jointly(Adam), TypeError, "optimizer must be an object with methods init and step"),
        (lambda: newton_schulz([1.0, 2.0]), ValueError, r"matrix must have shape \(..., m, n\), got \(2,\)"),
    ],
)  # fmt: skip
def test_settings(make, error, message):
    with pytest.raises(error, match=message):
        make()


# Parameters.


class Tree:
    """Answers whatever it was made with."""

    def __init__(self, *answer: Any) -> None:
        self.answer = answer

    def value_and_gradient(self, theta: Any) -> Any:
        return self.answer


THETA = {"w": np.ones((2, 3)), "b": np.ones(2)}
HEIGHT = np.asarray(1.0)


@pytest.mark.parametrize(
    "theta", [[], (), {}, {"a": []}, [{}, ()], np.zeros(0), np.zeros((3, 0)), 1.0, [np.zeros((0, 2))]]
)
@pytest.mark.parametrize("optimizer", [Adam(), Muon(), Jointly(Adam())], ids=["Adam", "Muon", "Jointly"])
def test_no_parameters(theta, optimizer):
    for call in (lambda: optimizer.init(theta), lambda: first_step(optimizer, Tree(HEIGHT, theta), theta)):
        with pytest.raises(ValueError, match=r"theta must hold at least one parameter|Muon takes matrices only"):
            call()


@pytest.mark.parametrize(
    ("gradient", "error", "message"),
    [
        (
            {"w": np.ones((2, 3))},
            ValueError,
            r"gradient must be structured as theta, \[theta\['b'\], theta\['w'\]\], got",
        ),
        ({"w": np.ones((2, 3)), "c": np.ones(2)}, ValueError, r"got \[theta\['c'\], theta\['w'\]\]"),
        ([np.ones((2, 3)), np.ones(2)], ValueError, r"got \[theta\[0\], theta\[1\]\]"),
        (np.ones(8), ValueError, r"gradient must be structured as theta"),
        (
            {"w": np.ones((3, 2)), "b": np.ones(2)},
            ValueError,
            r"gradient\['w'\] must have shape \(2, 3\), as theta there",
        ),
        ({"w": np.ones((2, 3)), "b": np.ones(())}, ValueError, r"gradient\['b'\] must have shape \(2,\)"),
        ({"w": np.ones((2, 3)), "b": np.ones(2, dtype=complex)}, TypeError, "gradient must have a real floating"),
        ({"w": np.ones((2, 3)), "b": "steep"}, ValueError, r"gradient\['b'\] must have shape"),
    ],
)
def test_mismatched_trees(gradient, error, message):
    with pytest.raises(error, match=message):
        first_step(Adam(), Tree(HEIGHT, gradient), THETA)


def test_trees_of_another_library():
    torch = pytest.importorskip("torch")
    gradient = {"w": torch.ones((2, 3)), "b": torch.ones(2)}
    with pytest.raises(TypeError, match="gradient must hold arrays of theta's library, numpy, got torch"):
        first_step(Adam(), Tree(HEIGHT, gradient), THETA)
    with pytest.raises(TypeError, match="theta: all arrays must belong to one array library, got numpy, torch"):
        flatten([np.ones(2), torch.ones(2)])


@pytest.mark.parametrize(
    ("theta", "error", "message"),
    [
        ({1: np.ones(2), "a": np.ones(2)}, TypeError, r"the keys of a mapping of parameters must have an order"),
        ({"a": None}, TypeError, "theta must be an array of real numbers, got None"),
        ({"a": "weights"}, TypeError, "theta must be an array of real numbers, got 'weights'"),
        ([np.ones(2) * 1j], TypeError, "theta must have a real floating or integer dtype, got complex128"),
        (None, TypeError, "theta must be an array of real numbers, got None"),
    ],
)
def test_what_is_no_tree(theta, error, message):
    with pytest.raises(error, match=message):
        Adam().init(theta)


@pytest.mark.parametrize(
    ("loss", "theta", "error", "message"),
    [
        (
            WAVE,
            THETA,
            TypeError,
            r"a FunctionGraph is a function of vectors \(\.\.\., d\), got <FunctionGraph of value>",
        ),
        (
            1.0,
            [1.0],
            TypeError,
            r"loss must be a FunctionGraph, a callable or have value_and_gradient\(theta\), got 1.0",
        ),
        (lambda t: t, [1.0], ValueError, r"value must return shape \(\) for theta of shape \(1,\), got \(1,\)"),
        (Tree(HEIGHT), THETA, ValueError, r"Tree: expected a pair \(value, gradient\), got tuple"),
        (Tree(None, THETA), THETA, TypeError, "Tree: value must return an array of theta's library"),
        (Tree(np.ones(3), THETA), THETA, ValueError, r"Tree: value must return shape \(\) for theta of shape \(8,\)"),
        (Tree(HEIGHT, np.ones(3)), [1.0, 2.0], ValueError, r"Tree: gradient must return shape \(2,\)"),
    ],
)
def test_losses(loss, theta, error, message):
    with pytest.raises(error, match=message):
        first_step(Adam(), loss, theta)


def test_a_tree_has_no_batch():
    with pytest.raises(ValueError, match="a tree of parameters has no batch axes, and hyper-parameters must be single"):
        first_step(Adam([0.1, 0.2]), Tree(HEIGHT, THETA), THETA)


def test_hyper_parameters_must_fit_the_batch():
    with pytest.raises(ValueError, match=r"batch shapes must broadcast, got learning_rate \(2,\), the batch \(3,\)"):
        first_step(Adam([0.1, 0.2]), WAVE, np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"batch shapes must broadcast, got .*momentum \(3,\)"):
        first_step(GradientDescent([0.1, 0.2], momentum=[0.1, 0.2, 0.3]), WAVE, np.zeros(2))


def test_matrices_only():
    for theta in (THETA, np.zeros(3), np.zeros((2, 3, 4)), {"w": np.ones((2, 2)), "s": np.asarray(1.0)}):
        with pytest.raises(ValueError, match=r"Muon takes matrices only, got a parameter of shape \("):
            Muon().init(theta)
    with pytest.raises(ValueError, match=r"theta must have shape \(\.\.\., 6\) for shape=\(2, 3\), got \(4, 5\)"):
        Muon(shape=(2, 3)).init(np.zeros((4, 5)))


@pytest.mark.parametrize("optimizer", [EntropySGD(0.1, steps=3), Alice()], ids=["EntropySGD", "Alice"])
def test_noise_must_fit(optimizer):
    with pytest.raises(ValueError, match=r"noise must have shape|batch shapes must broadcast, got noise"):
        first_step(optimizer, WAVE, np.zeros(2), noise=np.zeros((5, 4, 2)))
    with pytest.raises(TypeError, match="noise"):
        first_step(optimizer, WAVE, np.zeros(2), noise="loud")


def test_no_noise_where_none_is_drawn():
    with pytest.raises(TypeError, match="noise"):
        first_step(Adam(), WAVE, np.zeros(2), noise=np.zeros(2))


# Numerical trouble.

SLOPED = FunctionGraph(lambda t: t[..., 0], lambda t: np.zeros_like(t) + np.array([1.0, 0.0]))


@pytest.mark.parametrize("height", [0.0, -2.0])
def test_the_logarithm_of_a_loss_that_is_not_positive(height):
    optimizer = InducedMetric(0.1, variant="log")
    with pytest.raises(ValueError, match=rf"variant 'log' needs a positive loss, got height {height}: add a constant"):
        first_step(optimizer, SLOPED, np.array([height, 0.0]))

    start = np.array([[height, 1.0], [3.0, 1.0]])
    state = optimizer.init(start)
    for _ in range(3):
        step = optimizer.step(SLOPED, start, state)
        assert_array_equal(step.status, [Outcome.UNDEFINED, Outcome.STEPPED])
        assert_array_equal(step.theta[0], start[0])  # stays
        assert not np.any(step.state.momentum[0])
        start, state = step.theta, step.state
    alone = InducedMetric(0.1, variant="log")
    theta, state = np.array([3.0, 1.0]), alone.init(np.zeros(2))
    for _ in range(3):
        one = alone.step(SLOPED, theta, state)
        theta, state = one.theta, one.state
    np.testing.assert_allclose(start[1], theta, rtol=1e-15)


def test_a_loss_that_is_not_finite_has_no_logarithm_either():
    step = first_step(
        InducedMetric(0.1, variant="log"), SLOPED, [[-1.0, 0.0], [math.nan, 0.0], [math.inf, 0.0], [1.0, 0.0]]
    )
    assert_array_equal(step.status, [Outcome.UNDEFINED, Outcome.NOT_FINITE, Outcome.NOT_FINITE, Outcome.STEPPED])


def test_inside_of_a_compiled_function_nothing_raises():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    optimizer = InducedMetric(0.1, variant="log")
    loss = FunctionGraph(lambda t: t[..., 0], lambda t: jax.numpy.zeros_like(t) + jax.numpy.asarray([1.0, 0.0]))
    step = jax.jit(lambda t: first_step(optimizer, loss, t))(jax.numpy.asarray([-1.0, 2.0]))
    assert int(step.status) == Outcome.UNDEFINED
    assert_array_equal(step.theta, [-1.0, 2.0])


def test_an_item_that_comes_back_steps_again():
    """Averages of an item that stays do not move; its bias correction counts all steps."""
    optimizer = InducedMetric(0.1, variant="log")
    low, high = np.array([[-1.0, 0.0]]), np.array([[2.0, 0.0]])
    stayed = first_step(optimizer, SLOPED, low)
    assert_array_equal(stayed.state.steps, 1)
    assert np.all(np.isfinite(optimizer.step(SLOPED, high, stayed.state).theta))


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", [k for k in ALL if k is not Muon])
def test_a_gradient_that_is_not_finite_is_a_status(kind, wrong):
    def slope(t: np.ndarray) -> np.ndarray:
        return np.stack([np.array([1.0, 1.0]), np.array([1.0, wrong])])

    loss = FunctionGraph(lambda t: np.ones(2), slope)
    step = first_step(kind(0.1), loss, np.zeros((2, 2)))
    assert_array_equal(step.status, [Outcome.STEPPED, Outcome.NOT_FINITE])
    assert np.all(np.isfinite(step.theta[0]))


def test_a_gradient_that_is_not_finite_for_muon():
    loss = FunctionGraph(lambda t: np.ones(2), lambda t: np.array([[1.0, 2.0], [math.nan, 1.0]]))
    assert_array_equal(
        first_step(Muon(shape=(1, 2)), loss, np.zeros((2, 2))).status, [Outcome.STEPPED, Outcome.NOT_FINITE]
    )


@pytest.mark.parametrize(
    "optimizer",
    [
        GradientDescent(0.1),
        Adam(),
        RMSprop(),
        NAdam(),
        Lion(),
        Muon(shape=(1, 2)),
        SAM(0.1),
        EntropySGD(0.1, noise=0.0),
        InducedMetric(),
        Alice(),
    ],
    ids=lambda o: type(o).__name__,
)
def test_without_a_gradient_nothing_moves(optimizer):
    flat = FunctionGraph(lambda t: 1 + 0 * t[..., 0], np.zeros_like)
    theta = np.array([0.0, 0.0])
    state = optimizer.init(theta)
    for _ in range(12):
        step = optimizer.step(flat, theta, state)
        assert_array_equal(step.theta, theta)
        assert int(step.status) == Outcome.STEPPED
        state = step.state


# A step that needs the steps before it.

REMEMBERING = [
    *(case.optimizer for case in CASES if not isinstance(case.optimizer, GradientDescent | SAM)),
    *(GradientDescent(0.1, momentum=0.5), SAM(0.1, base=Adam(0.1)), Jointly(Adam(0.1))),
    RollingBall(0.1, 0.2, variant="distance"),
]


@pytest.mark.parametrize("optimizer", REMEMBERING, ids=repr)
def test_a_step_without_the_state_is_refused_and_not_a_first_one(optimizer):
    with pytest.raises(TypeError, match=r"^state must be what init\(theta\) or the step before returned, got None: "):
        optimizer.step(WAVE, first_step(optimizer, WAVE, np.ones(6)).theta)


@pytest.mark.parametrize("optimizer", [GradientDescent(0.1), SAM(0.1), RollingBall(0.1, 0.2)], ids=repr)
def test_what_remembers_nothing_needs_no_state(optimizer):
    assert_array_equal(optimizer.step(WAVE, np.ones(6)).theta, first_step(optimizer, WAVE, np.ones(6)).theta)
