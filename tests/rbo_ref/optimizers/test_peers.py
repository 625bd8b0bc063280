"""The optimizers against PyTorch's and Optax's own, many steps on one loss."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
import pytest
from array_api_compat import array_namespace
from numpy.testing import assert_allclose

from rbo_ref import SAM, Adam, AdamW, GradientDescent, Lion, Muon, NAdam, RMSprop, roll
from rbo_ref.optimizers import newton_schulz
from tests.rbo_ref.optimizers.cases import WAVE, first_step, value

START = np.random.default_rng(3).uniform(-2, 2, 6)
STEPS = 20

# A step rounds in tens of places; on this loss with these rates two trajectories do not part faster than they shrink.
# Muon's errors grow by its steep slope at 0; see test_precision.
TOLERANCE = {"rtol": 0, "atol": 1e-13}


def ours(optimizer: Any, loss: Any = WAVE, start: Any = START) -> np.ndarray:
    return np.stack([np.asarray(step.theta) for step in islice(roll(optimizer, loss, start), STEPS)])


# PyTorch.


@pytest.fixture
def doubles():
    """PyTorch keeps the products of NAdam's μ in the default dtype, whatever the parameters are."""
    torch = pytest.importorskip("torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield torch
    torch.set_default_dtype(before)


def theirs(make: Callable[[list], Any], start: np.ndarray = START) -> np.ndarray:
    torch = pytest.importorskip("torch")
    parameter = torch.nn.Parameter(torch.tensor(start))
    optimizer, path = make([parameter]), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        value(torch.reshape(parameter, (-1,))).backward()
        optimizer.step()
        path.append(parameter.detach().numpy().copy())
    return np.stack(path)


@pytest.mark.parametrize(
    ("optimizer", "peer", "settings"),
    [
        (GradientDescent(0.1), "SGD", {"lr": 0.1}),
        (GradientDescent(0.1, momentum=0.9), "SGD", {"lr": 0.1, "momentum": 0.9}),
        (GradientDescent(0.1, momentum=0.9, nesterov=True), "SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
        (Adam(), "Adam", {}),
        (Adam(0.1, betas=(0.5, 0.75), epsilon=1e-3), "Adam", {"lr": 0.1, "betas": (0.5, 0.75), "eps": 1e-3}),
        (AdamW(), "AdamW", {}),
        (AdamW(0.1, weight_decay=0.5), "AdamW", {"lr": 0.1, "weight_decay": 0.5}),
        (RMSprop(), "RMSprop", {}),
        (RMSprop(0.1, smoothing=0.75, momentum=0.5), "RMSprop", {"lr": 0.1, "alpha": 0.75, "momentum": 0.5}),
        (RMSprop(0.1, smoothing=0.5, centered=True), "RMSprop", {"lr": 0.1, "alpha": 0.5, "centered": True}),
        (NAdam(), "NAdam", {}),
        (
            NAdam(0.1, betas=(0.5, 0.75), momentum_decay=0.25),
            "NAdam",
            {"lr": 0.1, "betas": (0.5, 0.75), "momentum_decay": 0.25},
        ),
    ],
    ids=repr,
)
def test_pytorch_agrees(doubles, optimizer, peer, settings):
    assert_allclose(ours(optimizer), theirs(lambda p: getattr(doubles.optim, peer)(p, **settings)), **TOLERANCE)


class Matrix:
    """The loss of a matrix, read row by row."""

    def value_and_gradient(self, theta: Any) -> tuple[Any, Any]:
        xp = array_namespace(theta)
        height, slope = WAVE.value_and_gradient(xp.reshape(theta, (6,)))
        return height, xp.reshape(slope, theta.shape)


MUONS = [
    (Muon(), {}),
    (Muon(0.1, momentum=0.5, weight_decay=0.5), {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.5}),
    (
        Muon(0.1, nesterov=False, adjustment="match_rms_adamw", steps=3, coefficients=(1.5, -0.5, 0.0)),
        {"lr": 0.1, "nesterov": False, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3,
         "ns_coefficients": (1.5, -0.5, 0.0)},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("optimizer", "settings"), MUONS, ids=repr)
@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (6, 1)])
def test_pytorch_agrees_about_muon(monkeypatch, optimizer, settings, shape):
    torch = pytest.importorskip("torch", minversion="2.9")
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)  # as PyTorch, but in double precision
    path = theirs(lambda p: torch.optim.Muon(p, **settings), START.reshape(shape))
    states = islice(roll_tree(optimizer, Matrix(), START.reshape(shape)), STEPS)
    assert_allclose(np.stack([step.theta for step in states]), path, rtol=0, atol=1e-12)


def roll_tree(optimizer: Any, loss: Any, theta: Any) -> Any:
    """`roll` for a θ that is no vector."""
    state = optimizer.init(theta)
    while True:
        step = optimizer.step(loss, theta, state)
        yield step
        theta, state = step.theta, step.state


def test_pytorch_rounds_the_matrices_of_muon_to_bfloat16():
    torch = pytest.importorskip("torch", minversion="2.9")
    path = theirs(lambda p: torch.optim.Muon(p), START.reshape(2, 3))
    step = first_step(Muon(), Matrix(), START.reshape(2, 3))
    # Directions of size 1 to within a few roundings to 8 bits, stretched by the iteration, times the rate.
    assert_allclose(step.theta, path[0], rtol=0, atol=1e-3 * 0.1)
    assert abs(step.theta - path[0]).max() > 1e-9


# Optax.


def optax_path(make: Callable[[Any], Any], **more: Any) -> np.ndarray:
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    jax.config.update("jax_enable_x64", True)
    transformation = make(optax)
    gradient = jax.jit(jax.grad(value))
    theta, path = jax.numpy.asarray(START), []
    state = transformation.init(theta)
    update = jax.jit(lambda g, s, t: transformation.update(g, s, t, **more))
    for _ in range(STEPS):
        updates, state = update(gradient(theta), state, theta)
        theta = optax.apply_updates(theta, updates)
        path.append(np.asarray(theta))
    return np.stack(path)


@pytest.mark.parametrize(
    ("optimizer", "make"),
    [
        (GradientDescent(0.1, momentum=0.9), lambda optax: optax.sgd(0.1, 0.9)),
        (GradientDescent(0.1, momentum=0.9, nesterov=True), lambda optax: optax.sgd(0.1, 0.9, nesterov=True)),
        (Adam(0.1), lambda optax: optax.adam(0.1)),
        (AdamW(0.1, weight_decay=0.5), lambda optax: optax.adamw(0.1, weight_decay=0.5)),
        (RMSprop(0.1, momentum=0.5), lambda optax: optax.rmsprop(0.1, 0.99, eps_in_sqrt=False, momentum=0.5)),
        (RMSprop(0.1, centered=True), lambda optax: optax.rmsprop(0.1, 0.99, eps_in_sqrt=False, centered=True)),
        (NAdam(0.1, momentum_decay=1e6), lambda optax: optax.nadam(0.1)),
        (Lion(0.1, weight_decay=0.5), lambda optax: optax.lion(0.1, weight_decay=0.5)),
    ],
    ids=["momentum", "nesterov", "adam", "adamw", "rmsprop", "centered", "nadam", "lion"],
)
def test_optax_agrees(optimizer, make):
    # Optax computes 1 − βᵗ as a difference: for β = 0.999 it loses up to three digits at the first steps.
    assert_allclose(ours(optimizer), optax_path(make), rtol=0, atol=1e-12)


def test_optax_agrees_about_sam():
    jax = pytest.importorskip("jax")

    def make(optax: Any) -> Any:
        uphill = optax.chain(optax.contrib.normalize(), optax.sgd(0.5))
        return optax.contrib.sam(optax.sgd(0.1, 0.9), uphill, opaque_mode=True)

    path = optax_path(make, grad_fn=lambda theta, _: jax.grad(value)(theta))
    optimizer = SAM(radius=0.5, epsilon=0.0, base=GradientDescent(0.1, momentum=0.9))
    assert_allclose(ours(optimizer), path, **TOLERANCE)


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 2)])
def test_optax_agrees_about_newton_schulz(shape):
    jax, _ = pytest.importorskip("jax"), pytest.importorskip("optax")
    from optax.contrib._muon import orthogonalize_via_newton_schulz

    jax.config.update("jax_enable_x64", True)
    matrix = np.random.default_rng(1).standard_normal(shape)
    coefficients = (3.4445, -4.775, 2.0315)
    peer = orthogonalize_via_newton_schulz(jax.numpy.asarray(matrix), jax.numpy.asarray(coefficients), 5, eps=0.0)
    assert_allclose(newton_schulz(matrix), peer, rtol=0, atol=1e-12)
