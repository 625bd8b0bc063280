"""NAdam: Adam that looks ahead as Nesterov does."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

from geometry import FunctionGraph
from geometry._namespace import Array, positive
from geometry._results import comparable
from rbo_ref.optimizers._parameters import (
    VectorOptimizer,
    bias_correction,
    check_betas,
    counter,
    hyper_parameters,
)

__all__ = ["NAdam", "State", "Step"]


class State(NamedTuple):
    """What NAdam remembers."""

    steps: Array  # (): t
    mean: Array  # (..., d): m, average of the gradients
    square: Array  # (..., d): v, average of their squares
    product: Array  # (..., 1): μ₁μ₂⋯μ_t


@comparable
class Step(NamedTuple):
    """One step of NAdam."""

    theta: Any  # θ_t
    state: State  # to be handed to the next step
    height: Array  # (...): f(θ_{t-1})
    gradient: Array  # (..., d): g
    direction: Array  # (..., d): m̂/(√v̂ + ε), what the learning rate multiplies
    status: Any = None  # (...): an Outcome


@dataclass(frozen=True)
class NAdam(VectorOptimizer):
    """Adam with Nesterov's momentum.

    The algorithm, from m = v = 0, for t = 1, 2, ...; squares, roots and quotients are taken coordinate by coordinate::

        1  g ← ∇f(θ)
        2  m ← β₁m + (1−β₁)g
        3  v ← β₂v + (1−β₂)g²
        4  μ_t = β₁(1 − ½·0.96^(tψ)),  π_t = μ₁μ₂⋯μ_t
        5  m̂ = (1−μ_t)g/(1−π_t) + μ_{t+1}m/(1−π_{t+1}),  v̂ = v/(1−β₂ᵗ)
        6  θ ← θ − η m̂/(√v̂ + ε)

    Parameters
    ----------
    learning_rate : float or array
        η ≥ 0. Arrays broadcast against the batch of θ, as those of every hyper-parameter do.
    betas : pair of float or array
        β₁ and β₂ in [0, 1).
    epsilon : float or array
        ε ≥ 0, outside of the root. With ε = 0 a coordinate without gradient is 0/0.
    momentum_decay : float or array
        ψ ≥ 0, how soon μ_t rises from about β₁/2 to β₁. A large one, such as 10⁶, has μ_t = β₁ from the start, which is
        Optax's NAdam.

    Notes
    -----
    As in PyTorch, line 2 forms the average with β₁. Dozat's Algorithm 2 has μ_t for β₁ there.

    References
    ----------
    T. Dozat, "Incorporating Nesterov Momentum into Adam" (2016), Algorithm 2.

    Examples
    --------
    On the way down a slope that never changes, all averages are right but for the schedule of μ:

    >>> import numpy as np
    >>> from itertools import islice
    >>> from geometry import FunctionGraph
    >>> from rbo_ref import roll
    >>> plane = FunctionGraph(lambda t: t[..., 0], np.ones_like)
    >>> nadam = NAdam(1.0, betas=(0.5, 0.9), epsilon=0.0, momentum_decay=1e6)
    >>> [float(s.theta[0].round(3)) for s in islice(roll(nadam, plane, [0.0]), 3)]
    [-1.333, -2.429, -3.467]
    """

    learning_rate: Any = 2e-3
    _: KW_ONLY
    betas: tuple[Any, Any] = (0.9, 0.999)
    epsilon: Any = 1e-8
    momentum_decay: Any = 4e-3

    def __post_init__(self) -> None:
        positive("learning_rate", self.learning_rate, zero=True)
        check_betas(self.betas)
        positive("epsilon", self.epsilon, zero=True)
        positive("momentum_decay", self.momentum_decay, zero=True)

    def _values(self, theta: Array) -> tuple[Any, ...]:
        return hyper_parameters(
            theta,
            learning_rate=self.learning_rate,
            beta1=self.betas[0],
            beta2=self.betas[1],
            epsilon=self.epsilon,
            momentum_decay=self.momentum_decay,
        )

    def _start(self, theta: Array) -> State:
        xp, theta, *_ = self._values(theta)
        zeros = xp.zeros_like(theta)
        return State(counter(theta), zeros, xp.zeros_like(theta), xp.ones_like(theta[..., :1]))

    def _advance(self, loss: FunctionGraph, theta: Array, state: State) -> Step:
        xp, theta, eta, beta1, beta2, epsilon, psi = self._values(theta)
        height, g = loss.value_and_gradient(theta)  # line 1
        t = state.steps + 1
        m = beta1 * state.mean + (1 - beta1) * g  # line 2
        v = beta2 * state.square + (1 - beta2) * g**2  # line 3
        count = xp.astype(t, theta.dtype)
        mu, mu_next = (beta1 * (1 - 0.96 ** (n * psi) / 2) for n in (count, count + 1))  # line 4
        product = mu * state.product
        m_hat = (1 - mu) * g / (1 - product) + mu_next * m / (1 - mu_next * product)  # line 5
        v_hat = v / bias_correction(theta, beta2, t)
        direction = m_hat / (xp.sqrt(v_hat) + epsilon)
        return Step(theta - eta * direction, State(t, m, v, product), height, g, direction)  # line 6
