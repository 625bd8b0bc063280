"""RMSprop: the gradient in units of its own recent size."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

from geometry import FunctionGraph
from geometry._namespace import Array, positive
from geometry._results import comparable
from rbo_ref.optimizers._parameters import VectorOptimizer, check_fraction, hyper_parameters

__all__ = ["RMSprop", "State", "Step"]


class State(NamedTuple):
    """What RMSprop remembers."""

    square: Array  # (..., d): v, average of the squares of the gradients, or if centered their variance
    mean: Array  # (..., d): m, average of the gradients; 0 unless centered
    momentum: Array  # (..., d): b, the decaying sum of the scaled gradients


@comparable
class Step(NamedTuple):
    """One step of RMSprop."""

    theta: Any  # θ_t
    state: State  # to be handed to the next step
    height: Array  # (...): f(θ_{t-1})
    gradient: Array  # (..., d): g
    direction: Array  # (..., d): b, what the learning rate multiplies
    status: Any = None  # (...): an Outcome


@dataclass(frozen=True)
class RMSprop(VectorOptimizer):
    """RMSprop.

    The algorithm, from v = m = b = 0; squares, roots and quotients are taken coordinate by coordinate::

        1  g ← ∇f(θ)
        2  v ← αv + (1−α)g²
           v ← αv + α(1−α)(g−m)²,  m ← αm + (1−α)g      (centered)
        3  b ← μb + g/(√v + ε)
        4  θ ← θ − ηb

    Parameters
    ----------
    learning_rate : float or array
        η ≥ 0. Arrays broadcast against the batch of θ, as those of every hyper-parameter do.
    smoothing : float or array
        α in [0, 1).
    epsilon : float or array
        ε ≥ 0, outside of the root as in PyTorch; Graves, TensorFlow and by default Optax have √(v + ε). With ε = 0 a
        coordinate without gradient is 0/0.
    momentum : float or array
        μ in [0, 1). The learning rate is outside of b, as in PyTorch.
    centered : bool
        Divide by the standard deviation of the gradients, as Graves does.

    Notes
    -----
    Nothing corrects the averages for their start at 0: the first step has the length η/√(1−α) in every coordinate.

    Graves's v is E[g²] − E[g]², two averages with the weights (1−α)αᵏ. Line 2 computes the same number as a sum of
    squares: it cannot be negative, and where the gradient hardly changes it does not cancel.

    References
    ----------
    T. Tieleman and G. Hinton, "Lecture 6.5 – RMSProp", Coursera: Neural Networks for Machine Learning (2012).
    A. Graves, "Generating Sequences With Recurrent Neural Networks" (2013), Eqs. (38) to (41).

    Examples
    --------
    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> plane = FunctionGraph(lambda t: t @ [1e-3, -1e3], lambda t: np.zeros_like(t) + [1e-3, -1e3])
    >>> rmsprop, theta = RMSprop(0.1, smoothing=0.75, epsilon=0.0), [0.0, 0.0]
    >>> rmsprop.step(plane, theta, rmsprop.init(theta)).theta
    array([-0.2,  0.2])
    """

    learning_rate: Any = 1e-2
    _: KW_ONLY
    smoothing: Any = 0.99
    epsilon: Any = 1e-8
    momentum: Any = 0.0
    centered: bool = False

    def __post_init__(self) -> None:
        positive("learning_rate", self.learning_rate, zero=True)
        check_fraction("smoothing", self.smoothing)
        positive("epsilon", self.epsilon, zero=True)
        check_fraction("momentum", self.momentum)

    def _values(self, theta: Array) -> tuple[Any, ...]:
        names = ("learning_rate", "smoothing", "epsilon", "momentum")
        return hyper_parameters(theta, **{name: getattr(self, name) for name in names})

    def _start(self, theta: Array) -> State:
        xp, theta, *_ = self._values(theta)
        return State(xp.zeros_like(theta), xp.zeros_like(theta), xp.zeros_like(theta))

    def _advance(self, loss: FunctionGraph, theta: Array, state: State) -> Step:
        xp, theta, eta, alpha, epsilon, mu = self._values(theta)
        height, g = loss.value_and_gradient(theta)  # line 1
        v, m, b = state
        if self.centered:
            v = alpha * v + alpha * (1 - alpha) * (g - m) ** 2  # line 2
            m = alpha * m + (1 - alpha) * g
        else:
            v = alpha * v + (1 - alpha) * g**2
        b = mu * b + g / (xp.sqrt(v) + epsilon)  # line 3
        return Step(theta - eta * b, State(v, m, b), height, g, b)  # line 4
