"""Gradient descent, with Polyak's momentum or Nesterov's."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

from geometry import FunctionGraph
from geometry._namespace import Array, positive
from geometry._results import comparable
from rbo_ref.optimizers._parameters import VectorOptimizer, check_fraction, hyper_parameters

__all__ = ["GradientDescent", "State", "Step"]


class State(NamedTuple):
    """What gradient descent remembers."""

    momentum: Array  # (..., d): b, the decaying sum of gradients


@comparable
class Step(NamedTuple):
    """One step of gradient descent."""

    theta: Any  # θ_t
    state: State  # to be handed to the next step
    height: Array  # (...): f(θ_{t-1})
    gradient: Array  # (..., d): g
    direction: Array  # (..., d): what the learning rate multiplies
    status: Any = None  # (...): an Outcome


@dataclass(frozen=True)
class GradientDescent(VectorOptimizer):
    """Gradient descent with momentum.

    The algorithm, from b = 0, as PyTorch's ``SGD`` has it::

        1  g ← ∇f(θ)
        2  b ← μb + g
        3  θ ← θ − ηb                     (Polyak's heavy ball)
           θ ← θ − η(g + μb)              (Nesterov's momentum)

    Parameters
    ----------
    learning_rate : float or array
        η ≥ 0. Arrays broadcast against the batch of θ, as those of every hyper-parameter do.
    momentum : float or array
        μ in [0, 1); 0 is plain gradient descent.
    nesterov : bool
        Needs a momentum.

    Notes
    -----
    Polyak's and Nesterov's papers put η inside b; for a constant η the iterates are the same. With `nesterov`, θ is the
    point where the next gradient is taken, Nesterov's extrapolated y, not his x.

    References
    ----------
    B. T. Polyak, "Some methods of speeding up the convergence of iteration methods" (1964).
    I. Sutskever et al., "On the importance of initialization and momentum in deep learning" (2013), Section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> from itertools import islice
    >>> from rbo_ref import roll
    >>> bowl = FunctionGraph(lambda t: np.sum(t**2, axis=-1) / 2, lambda t: t)
    >>> [float(s.theta[0]) for s in islice(roll(GradientDescent(0.5, momentum=0.5), bowl, [1.0]), 3)]
    [0.5, 0.0, -0.25]
    """

    learning_rate: Any
    _: KW_ONLY
    momentum: Any = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        positive("learning_rate", self.learning_rate, zero=True)
        check_fraction("momentum", self.momentum)
        if self.nesterov and isinstance(self.momentum, int | float) and self.momentum == 0:
            raise ValueError("nesterov needs a momentum > 0, got momentum=0")

    @property
    def _remembers(self) -> bool:
        return not (isinstance(self.momentum, int | float) and self.momentum == 0)

    def _start(self, theta: Array) -> State:
        xp, theta, *_ = hyper_parameters(theta, learning_rate=self.learning_rate, momentum=self.momentum)
        return State(xp.zeros_like(theta))

    def _advance(self, loss: FunctionGraph, theta: Array, state: State) -> Step:
        _, theta, eta, mu = hyper_parameters(theta, learning_rate=self.learning_rate, momentum=self.momentum)
        height, g = loss.value_and_gradient(theta)  # line 1
        b = mu * state.momentum + g  # line 2
        direction = g + mu * b if self.nesterov else b
        return Step(theta - eta * direction, State(b), height, g, direction)  # line 3
