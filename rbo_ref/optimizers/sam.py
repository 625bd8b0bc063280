"""Sharpness-aware minimization: the gradient is taken uphill, where the loss is worst nearby."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

from geometry import FunctionGraph
from geometry._namespace import Array, positive
from geometry._results import comparable
from geometry._vectors import length
from rbo_ref.optimizers._parameters import VectorOptimizer, hyper_parameters
from rbo_ref.optimizers.gradient_descent import GradientDescent

__all__ = ["SAM", "State", "Step"]


class State(NamedTuple):
    """What SAM remembers: what its base optimizer does."""

    base: Any


@comparable
class Step(NamedTuple):
    """One step of SAM."""

    theta: Any  # θ_t
    state: State  # to be handed to the next step
    height: Array  # (...): f(θ_{t-1})
    gradient: Array  # (..., d): g = ∇f(θ_{t-1})
    perturbation: Array  # (..., d): e
    perturbed: Any  # the base's step, taken on the loss seen from θ + e: its height is f(θ+e), its gradient ∇f(θ+e)
    status: Any = None  # (...): an Outcome


@dataclass(frozen=True)
class SAM(VectorOptimizer):
    """Sharpness-aware minimization.

    The algorithm, with one norm over all parameters::

        1  g ← ∇f(θ)
        2  e ← ρ g/(|g| + ε)                           (SAM)
           e ← ρ |θ|²g/(‖ |θ|g ‖ + ε)                  (adaptive: ASAM; products coordinate by coordinate)
        3  θ ← the base optimizer's step at θ, with the gradient ∇f(θ + e)

    Two gradients a step.

    Parameters
    ----------
    learning_rate : float or array, optional
        η of the default base. With another base it may be left out; the base's own counts.
    radius : float or array
        ρ ≥ 0.
    adaptive : bool
        ASAM: the ball is measured in units of the parameters.
    base : optimizer, optional
        What takes the step: anything with `init` and `step`. Default: ``GradientDescent(learning_rate)``.
    epsilon : float or array
        ε ≥ 0. The paper has none; ε = 10⁻¹² is that of the common PyTorch port. Where g = 0 the perturbation is 0,
        with ε = 0 too, where the formula is 0/0.
    shift : float or array
        ASAM with |θ| + shift for |θ|, so that parameters at 0 are not exempt. The ASAM paper's code has 0.01 for
        weights and no scaling of biases; the PyTorch port has 0.

    References
    ----------
    P. Foret et al., "Sharpness-Aware Minimization for Efficiently Improving Generalization" (2021), Algorithm 1 and
    Eq. (2) with p = 2; as there, without the second order term of the gradient.
    J. Kwon et al., "ASAM: Adaptive Sharpness-Aware Minimization" (2021), Algorithm 1.

    Examples
    --------
    In a bowl the gradient is that of a point farther out by ρ:

    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> bowl = FunctionGraph(lambda t: np.sum(t**2, axis=-1) / 2, lambda t: t)
    >>> step = SAM(0.5, radius=1.0).step(bowl, [3.0, 4.0])
    >>> step.perturbation, step.theta
    (array([0.6, 0.8]), array([1.2, 1.6]))
    """

    learning_rate: Any = None
    _: KW_ONLY
    radius: Any = 0.05
    adaptive: bool = False
    base: Any = None
    epsilon: Any = 1e-12
    shift: Any = 0.0

    def __post_init__(self) -> None:
        if self.base is None:
            if self.learning_rate is None:
                raise ValueError("SAM needs a learning_rate, or a base optimizer that has one")
            positive("learning_rate", self.learning_rate, zero=True)
        elif isinstance(self.base, type) or not (hasattr(self.base, "init") and hasattr(self.base, "step")):
            raise TypeError(f"base must be an object with methods init and step, got {self.base!r}")
        else:
            self._check_rates()
        for name in ("radius", "epsilon", "shift"):
            positive(name, getattr(self, name), zero=True)

    def _check_rates(self) -> None:
        """Raise where two numbers for η contradict each other."""
        pair = self.learning_rate, getattr(self.base, "learning_rate", None)
        if all(isinstance(rate, int | float) for rate in pair) and pair[0] != pair[1]:
            raise ValueError(f"learning_rate {self.learning_rate} is not that of the base, {self.base!r}")

    @property
    def _stepper(self) -> Any:
        return GradientDescent(self.learning_rate) if self.base is None else self.base

    @property
    def _remembers(self) -> bool:
        return not isinstance(self._stepper, VectorOptimizer) or self._stepper._remembers

    def _values(self, theta: Array) -> tuple[Any, ...]:
        return hyper_parameters(theta, radius=self.radius, epsilon=self.epsilon, shift=self.shift)

    def _start(self, theta: Array) -> State:
        return State(self._stepper.init(self._values(theta)[1]))

    def _advance(self, loss: FunctionGraph, theta: Array, state: State) -> Step:
        xp, theta, rho, epsilon, shift = self._values(theta)
        height, g = loss.value_and_gradient(theta)  # line 1
        scale = xp.abs(theta) + shift if self.adaptive else xp.ones_like(theta)
        norm = length(xp, scale * g)[..., None] + epsilon
        e = rho * scale * (scale * g / xp.where(norm > 0, norm, xp.ones_like(norm)))  # line 2

        seen_from_e = FunctionGraph.from_value_and_gradient(lambda t: loss.value_and_gradient(t + e), name=loss.name)
        taken = self._stepper.step(seen_from_e, theta, state.base)  # line 3
        return Step(taken.theta, State(taken.state), height, g, e, taken)
