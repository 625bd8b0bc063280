"""Optimizers of libraries: right in the dialects that they speak, and known by their own names where they pose."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from rbo_ref.oracle import READINGS, OptaxPort, TorchPort, check
from rbo_ref.oracle.formulas.others import others
from tests.rbo_ref.oracle.optimizers.test_right_ports import ready

PLACES = ("usual-waves3", "short-*")


def torch_port(name: str, **settings: Any) -> TorchPort:
    torch = ready("torch")
    return TorchPort(partial(getattr(torch.optim, name), **settings))


@pytest.fixture
def doubles():
    """PyTorch keeps the product of NAdam's μ in its default dtype."""
    torch = ready("torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


# Dialects.


@pytest.mark.parametrize(
    ("optimizer", "dialect", "name", "settings"),
    [
        ("rmsprop", "pytorch", "RMSprop", {}),
        ("nadam", "pytorch", "NAdam", {}),
        ("adam", "amsgrad", "Adam", {"amsgrad": True}),
        ("adamw", "amsgrad", "AdamW", {"amsgrad": True}),
    ],
)
def test_pytorch_speaks(doubles, optimizer, dialect, name, settings):
    report = check(torch_port(name, **settings), optimizer=optimizer, xp="torch", dialect=dialect)
    assert report.passed, str(report)


@pytest.mark.parametrize(
    ("optimizer", "dialect", "name", "cases"),
    [
        ("adam", "amsgrad-optax", "amsgrad", "short-*"),
        ("rmsprop", "tensorflow", "rmsprop", ("short-*", "momentum-plane", "centered-bowl")),
        ("lion", "paper", "lion", ("short-saddle", "decay-*")),
        ("muon", "optax", "contrib.muon", ("short-tall", "plain-tall")),
    ],
)
def test_optax_speaks(optimizer, dialect, name, cases):
    ready("jax")
    optax = pytest.importorskip("optax")
    factory = optax.contrib.muon if name == "contrib.muon" else getattr(optax, name)
    report = check(OptaxPort(factory), optimizer=optimizer, xp="jax", dialect=dialect, cases=cases)
    assert report.passed, str(report)


def test_pytorchs_nadam_in_doubles_has_a_product_in_float32():
    report = check(torch_port("NAdam"), optimizer="nadam", xp="torch")
    assert report.diagnosis.name == "float32_inside"


# Posing.


def rmsprop_of_adam(params: Any, lr: float, betas: tuple[float, float], eps: float) -> Any:
    import torch

    return torch.optim.RMSprop(params, lr=lr, alpha=betas[1], eps=eps)


@pytest.mark.parametrize(
    ("optimizer", "name", "told"),
    [
        ("adam", "NAdam", "optimizer-nadam-float32"),
        ("adam", "RAdam", "optimizer-radam"),
        ("adam", "AdamW", "optimizer-adamw"),
    ],
)
def test_pytorchs_are_known_by_their_names(optimizer, name, told):
    report = check(torch_port(name), optimizer=optimizer, xp="torch", cases=PLACES)
    assert report.diagnosis.name == told


def test_one_that_nobody_knows_has_no_name(no_pairs):
    report = check(torch_port("Adamax"), optimizer="adam", xp="torch", cases="short-*")
    assert not report.passed
    assert report.diagnosis is None


def test_more_of_pytorchs_are_known(doubles):
    for port, optimizer, told in (
        (torch_port("NAdam"), "adam", "optimizer-nadam"),
        (torch_port("NAdam", decoupled_weight_decay=True), "adamw", "optimizer-nadam"),
        (TorchPort(rmsprop_of_adam), "adam", "optimizer-rmsprop"),
        (torch_port("Adam", amsgrad=True), "adam", "dialect-amsgrad"),
    ):
        cases = None if told == "dialect-amsgrad" else PLACES
        assert check(port, optimizer=optimizer, xp="torch", cases=cases).diagnosis.name == told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nadam", "optimizer-nadam-optax"),
        ("radam", "optimizer-radam"),
        ("adabelief", "optimizer-adabelief-optax"),
    ],
)
def test_optaxs_are_known_by_their_names(name, told):
    ready("jax")
    optax = pytest.importorskip("optax")
    report = check(OptaxPort(getattr(optax, name)), optimizer="adam", xp="jax", cases=PLACES)
    assert report.diagnosis.name == told


def lookahead(loss, theta, *, iterations, learning_rate, betas, epsilon):
    """Around PyTorch's Adam; in numbers that it takes and returns."""
    torch = ready("torch")
    slow, parameter = theta.copy(), torch.nn.Parameter(torch.tensor(theta))
    adam, iterates = torch.optim.Adam([parameter], lr=learning_rate, betas=betas, eps=epsilon), []
    for t in range(1, iterations + 1):
        parameter.grad = torch.tensor(loss(parameter.detach().numpy().copy())[1])
        adam.step()
        if t % 5 == 0:
            slow = slow + 0.5 * (parameter.detach().numpy() - slow)
            parameter.data.copy_(torch.tensor(slow))
        iterates.append(parameter.detach().numpy().copy())
    return iterates


def test_lookahead_is_known():
    pytest.importorskip("torch", reason="torch is not installed")
    assert check(lookahead, optimizer="adam").diagnosis.name == "optimizer-lookahead-5"


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "gradient-descent", "nadam"])
def test_each_is_another_formula(optimizer):
    """No two of them, nor any of them and the right one, go alike."""
    start, bowl = np.array([1.5, -0.75]), lambda theta: (theta @ theta / 2, theta * [1.0, 0.5])
    hyper = {
        "adam": {"betas": (0.8, 0.9), "epsilon": 1e-3},
        "adamw": {"betas": (0.8, 0.9), "epsilon": 1e-3, "weight_decay": 0.25},
        "gradient-descent": {"momentum": 0.5, "nesterov": False},
        "nadam": {"betas": (0.8, 0.9), "epsilon": 1e-3, "momentum_decay": 1.0},
    }[optimizer]
    ends = {}
    for name, description, formula in others(optimizer, READINGS[optimizer][0]):
        assert description.startswith("This is another optimizer: ")
        ends[name] = tuple(formula()(bowl, start, iterations=12, learning_rate=0.1, **hyper)[-1])
    assert len(set(ends.values())) == len(ends)
