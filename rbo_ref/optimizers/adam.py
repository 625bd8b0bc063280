"""Adam and AdamW: steps in units of the gradient's own size, coordinate by coordinate."""

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

__all__ = ["Adam", "AdamW", "State", "Step"]


class State(NamedTuple):
    """What Adam remembers."""

    steps: Array  # (): t
    mean: Array  # (..., d): m, average of the gradients
    square: Array  # (..., d): v, average of their squares


@comparable
class Step(NamedTuple):
    """One step of Adam or AdamW."""

    theta: Any  # θ_t
    state: State  # to be handed to the next step
    height: Array  # (...): f(θ_{t-1})
    gradient: Array  # (..., d): g
    direction: Array  # (..., d): m̂/(√v̂ + ε), what the learning rate multiplies
    status: Any = None  # (...): an Outcome


@dataclass(frozen=True)
class Adam(VectorOptimizer):
    """Adam.

    The algorithm, from m = v = 0, for t = 1, 2, ...; squares, roots and quotients are taken coordinate by coordinate::

        1  g ← ∇f(θ)
        2  m ← β₁m + (1−β₁)g
        3  v ← β₂v + (1−β₂)g²
        4  m̂ = m/(1−β₁ᵗ),  v̂ = v/(1−β₂ᵗ)
        5  θ ← θ − η m̂/(√v̂ + ε)

    Parameters
    ----------
    learning_rate : float or array
        η ≥ 0. Arrays broadcast against the batch of θ, as those of every hyper-parameter do.
    betas : pair of float or array
        β₁ and β₂ in [0, 1).
    epsilon : float or array
        ε ≥ 0, outside of the root, as in the paper and in PyTorch. With ε = 0 a coordinate without gradient is 0/0.

    References
    ----------
    D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization" (2015), Algorithm 1.

    Examples
    --------
    The first step has the length η in every coordinate, whatever the scale of the loss:

    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> plane = FunctionGraph(lambda t: t @ [1e-3, -1e3], lambda t: np.zeros_like(t) + [1e-3, -1e3])
    >>> adam, theta = Adam(0.1, epsilon=0.0), [0.0, 0.0]
    >>> adam.step(plane, theta, adam.init(theta)).theta
    array([-0.1,  0.1])
    """

    learning_rate: Any = 1e-3
    _: KW_ONLY
    betas: tuple[Any, Any] = (0.9, 0.999)
    epsilon: Any = 1e-8

    def __post_init__(self) -> None:
        positive("learning_rate", self.learning_rate, zero=True)
        check_betas(self.betas)
        positive("epsilon", self.epsilon, zero=True)

    def _values(self, theta: Array) -> tuple[Any, ...]:
        return hyper_parameters(
            theta, learning_rate=self.learning_rate, beta1=self.betas[0], beta2=self.betas[1], epsilon=self.epsilon
        )

    def _start(self, theta: Array) -> State:
        xp, theta, *_ = self._values(theta)
        return State(counter(theta), xp.zeros_like(theta), xp.zeros_like(theta))

    def _advance(self, loss: FunctionGraph, theta: Array, state: State) -> Step:
        xp, theta, eta, beta1, beta2, epsilon = self._values(theta)
        height, g = loss.value_and_gradient(theta)  # line 1
        t = state.steps + 1
        m = beta1 * state.mean + (1 - beta1) * g  # line 2
        v = beta2 * state.square + (1 - beta2) * g**2  # line 3
        m_hat = m / bias_correction(theta, beta1, t)  # line 4
        v_hat = v / bias_correction(theta, beta2, t)
        direction = m_hat / (xp.sqrt(v_hat) + epsilon)
        return Step(theta - eta * direction, State(t, m, v), height, g, direction)  # line 5


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with a weight decay that the averages do not see.

    The algorithm of `Adam`, of which line 5 becomes::

        5  θ ← θ − ηλθ − η m̂/(√v̂ + ε)

    Parameters
    ----------
    learning_rate, betas, epsilon
        As in `Adam`.
    weight_decay : float or array
        λ ≥ 0.

    Notes
    -----
    The paper multiplies both terms by a schedule and only the second by η; as in PyTorch, η multiplies both.

    References
    ----------
    I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization" (2019), Algorithm 2.

    Examples
    --------
    Without a gradient only the decay is left:

    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> flat = FunctionGraph(lambda t: 0 * t[..., 0], np.zeros_like)
    >>> adamw = AdamW(0.1, weight_decay=0.5)
    >>> adamw.step(flat, [2.0], adamw.init([2.0])).theta
    array([1.9])
    """

    _: KW_ONLY
    weight_decay: Any = 1e-2

    def __post_init__(self) -> None:
        super().__post_init__()
        positive("weight_decay", self.weight_decay, zero=True)

    def _values(self, theta: Array) -> tuple[Any, ...]:
        _, theta, _ = hyper_parameters(theta, weight_decay=self.weight_decay)
        return super()._values(theta)

    def _advance(self, loss: FunctionGraph, theta: Array, state: State) -> Step:
        _, theta, eta, decay = hyper_parameters(theta, learning_rate=self.learning_rate, weight_decay=self.weight_decay)
        taken = super()._advance(loss, theta, state)
        return taken._replace(theta=taken.theta - eta * decay * theta)
