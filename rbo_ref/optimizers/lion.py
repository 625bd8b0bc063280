"""Lion: of the averaged gradient only the signs."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

from geometry import FunctionGraph
from geometry._namespace import Array, positive
from geometry._results import comparable
from rbo_ref.optimizers._parameters import VectorOptimizer, check_betas, hyper_parameters

__all__ = ["Lion", "State", "Step"]


class State(NamedTuple):
    """What Lion remembers."""

    mean: Array  # (..., d): m, average of the gradients


@comparable
class Step(NamedTuple):
    """One step of Lion."""

    theta: Any  # θ_t
    state: State  # to be handed to the next step
    height: Array  # (...): f(θ_{t-1})
    gradient: Array  # (..., d): g
    direction: Array  # (..., d): sign c, entries −1, 0 and 1
    status: Any = None  # (...): an Outcome


@dataclass(frozen=True)
class Lion(VectorOptimizer):
    """Lion.

    The algorithm, from m = 0::

        1  g ← ∇f(θ)
        2  c ← β₁m + (1−β₁)g
        3  θ ← θ − η(sign c + λθ)
        4  m ← β₂m + (1−β₂)g

    Parameters
    ----------
    learning_rate : float or array
        η ≥ 0. Arrays broadcast against the batch of θ, as those of every hyper-parameter do.
    betas : pair of float or array
        β₁ and β₂ in [0, 1).
    weight_decay : float or array
        λ ≥ 0. The paper tunes it for every task.

    References
    ----------
    X. Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023), Algorithm 2.

    Examples
    --------
    Every coordinate moves by η, or not at all:

    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> bowl = FunctionGraph(lambda t: np.sum(t**2, axis=-1) / 2, lambda t: t)
    >>> lion, theta = Lion(0.5), [3.0, -1e-3, 0.0]
    >>> lion.step(bowl, theta, lion.init(theta)).theta
    array([2.5  , 0.499, 0.   ])
    """

    learning_rate: Any = 1e-4
    _: KW_ONLY
    betas: tuple[Any, Any] = (0.9, 0.99)
    weight_decay: Any = 0.0

    def __post_init__(self) -> None:
        positive("learning_rate", self.learning_rate, zero=True)
        check_betas(self.betas)
        positive("weight_decay", self.weight_decay, zero=True)

    def _values(self, theta: Array) -> tuple[Any, ...]:
        return hyper_parameters(
            theta,
            learning_rate=self.learning_rate,
            beta1=self.betas[0],
            beta2=self.betas[1],
            weight_decay=self.weight_decay,
        )

    def _start(self, theta: Array) -> State:
        xp, theta, *_ = self._values(theta)
        return State(xp.zeros_like(theta))

    def _advance(self, loss: FunctionGraph, theta: Array, state: State) -> Step:
        xp, theta, eta, beta1, beta2, decay = self._values(theta)
        height, g = loss.value_and_gradient(theta)  # line 1
        m = state.mean
        direction = xp.sign(beta1 * m + (1 - beta1) * g)  # line 2
        there = theta - eta * (direction + decay * theta)  # line 3
        return Step(there, State(beta2 * m + (1 - beta2) * g), height, g, direction)  # line 4
