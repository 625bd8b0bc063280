"""Entropy-SGD: descent on the local entropy, whose gradient a short Langevin walk estimates."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

from geometry import FunctionGraph
from geometry._namespace import Array, Namespace, positive, whole
from geometry._results import comparable
from rbo_ref.optimizers._parameters import VectorOptimizer, check_fraction, counter, hyper_parameters
from rbo_ref.optimizers._randomness import check_seed, drawn, normals

__all__ = ["EntropySGD", "State", "Step"]

FORMS = ("paper", "code")


class State(NamedTuple):
    """What Entropy-SGD remembers."""

    steps: Array  # (): t
    momentum: Array  # (..., d): b, 0 without momentum


@comparable
class Step(NamedTuple):
    """One step of Entropy-SGD."""

    theta: Any  # x_{t+1}
    state: State  # to be handed to the next step
    height: Array  # (...): f(x_t)
    gradient: Array  # (..., d): ∇f(x_t), the first of the walk
    scope: Array  # (..., 1) or (): γ_t
    walker: Array  # (..., d): x', where the walk ends
    average: Array  # (..., d): μ
    status: Any = None  # (...): an Outcome


@dataclass(frozen=True)
class EntropySGD(VectorOptimizer):
    """Entropy-SGD.

    The algorithm, for t = 0, 1, ...; N is a vector of independent standard normal numbers, a new one each time::

        1  x', μ ← x;  γ_t = γ(1+γ₁)ᵗ
        2  L times:
        3    x' ← x' − η'(∇f(x') − γ_t(x − x')) + √η' ε N
        4    μ ← (1−α)μ + αx'
        5  x ← x − ηγ_t(x − μ)

    L gradients a step. One loss, that is one mini-batch, serves all of them, as in the port of Belgoumri et al.; the
    paper draws a mini-batch for each.

    Parameters
    ----------
    learning_rate : float or array
        η ≥ 0. Arrays broadcast against the batch of θ, as those of every hyper-parameter do.
    steps : int
        L ≥ 1.
    inner_rate : float or array
        η' ≥ 0.
    noise : float or array
        ε ≥ 0.
    averaging : float or array
        α in [0, 1].
    scope : float or array
        γ ≥ 0 of the first step. Paper's code: 10⁻⁴ for MNIST, 0.03 for CIFAR-10.
    scoping : float or array
        γ₁ ≥ 0.
    noise_form : "paper" or "code"
        √η' ε N, or √(2η') ε N.
    average_form : "paper" or "code"
        μ ← (1−α)μ + αx', or μ ← αμ + (1−α)x'.
    scaled : bool
        Line 5 as printed; if not, x ← x − η(x − μ): γ is taken as part of η. With the paper's γ and a usual η a scaled
        step is tiny.
    momentum : float or array
        Nesterov's momentum with this factor, which the paper's algorithm does not have; see Notes.
    seed : int
        From 0 to 2³² − 1. The numbers of step t depend on it and on t alone.

    Notes
    -----
    The authors' PyTorch code is ``noise_form="code", average_form="code", scaled=False, scoping=0`` (its counter of
    steps never moves, its Lua twin's does) with ``momentum=0.9``: both loops replace their gradient d, ∇f(x') or x − μ,
    by d + mb after b ← mb + d, and the walk starts from b = 0 each time. It differs further in what is outside of a
    step: it draws a mini-batch for each gradient, throws the first gradient of a step away, and starts the b of the
    outer loop at that of the first step, not at 0.

    `step` takes ``noise=``, an array (L, ..., d) for N, in place of random numbers.

    References
    ----------
    P. Chaudhari et al., "Entropy-SGD: Biasing Gradient Descent Into Wide Valleys" (2017), Algorithm 1.

    Examples
    --------
    Without noise, and averaging nothing but the last place, the walk is gradient descent:

    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> plane = FunctionGraph(lambda t: t[..., 0], np.ones_like)
    >>> optimizer = EntropySGD(0.5, steps=3, inner_rate=0.1, averaging=1.0, scope=0.0, scaled=False)
    >>> step = optimizer.step(plane, [1.0], optimizer.init([1.0]), noise=np.zeros((3, 1)))
    >>> step.walker, step.theta
    (array([0.7]), array([0.85]))
    """

    learning_rate: Any
    _: KW_ONLY
    steps: int = 20
    inner_rate: Any = 0.1
    noise: Any = 1e-4
    averaging: Any = 0.75
    scope: Any = 1e-4
    scoping: Any = 1e-3
    noise_form: str = "paper"
    average_form: str = "paper"
    scaled: bool = True
    momentum: Any = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("learning_rate", "inner_rate", "noise", "scope", "scoping"):
            positive(name, getattr(self, name), zero=True)
        check_fraction("averaging", self.averaging, closed=True)
        check_fraction("momentum", self.momentum)
        for name in ("noise_form", "average_form"):
            if getattr(self, name) not in FORMS:
                raise ValueError(f"{name} must be 'paper' or 'code', got {getattr(self, name)!r}")
        whole("steps", self.steps, least=1)
        check_seed(self.seed)

    def _values(self, theta: Array) -> tuple[Any, ...]:
        names = ("learning_rate", "inner_rate", "noise", "averaging", "scope", "scoping", "momentum")
        return hyper_parameters(theta, **{name: getattr(self, name) for name in names})

    def _start(self, theta: Array) -> State:
        xp, x, *_ = self._values(theta)
        return State(counter(x), xp.zeros_like(x))

    def _advance(self, loss: FunctionGraph, theta: Array, state: State, *, noise: Any = None) -> Step:
        xp, x, eta, inner_eta, epsilon, alpha, scope, scoping, m = self._values(theta)
        shape = (self.steps, *x.shape)
        n = normals(self.seed, state.steps, x, shape) if noise is None else drawn(noise, x, shape)
        heat = epsilon * (2 * inner_eta if self.noise_form == "code" else inner_eta) ** 0.5
        fresh = alpha if self.average_form == "paper" else 1 - alpha

        gamma = scope * _growth(xp, scoping, xp.astype(state.steps, x.dtype))  # line 1
        height, gradient = loss.value_and_gradient(x)
        walker, mu, b = x, x, xp.zeros_like(x)
        for k in range(self.steps):
            g = gradient if k == 0 else loss.value_and_gradient(walker)[1]
            b = m * b + g
            walker = walker - inner_eta * (g + m * b - gamma * (x - walker)) + heat * n[k, ...]  # line 3
            mu = (1 - fresh) * mu + fresh * walker  # line 4

        pull = gamma * (x - mu) if self.scaled else x - mu
        b = m * state.momentum + pull
        return Step(x - eta * (pull + m * b), State(state.steps + 1, b), height, gradient, gamma, walker, mu)  # line 5


def _growth(xp: Namespace, rate: Any, t: Array) -> Array:
    """(1 + rate)ᵗ, without rounding 1 + rate."""
    return xp.exp(t * (math.log1p(rate) if isinstance(rate, float) else xp.log1p(rate)))
