"""Adam, and with decoupled decay AdamW, in the readings of their libraries."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.formulas.formula import Formula

__all__ = [
    "AMSGrad",
    "AMSGradW",
    "AdamFormula",
    "AdamWFormula",
    "CorrectedAMSGrad",
    "CorrectedAMSGradW",
    "FreelyDecayed",
    "HatAdam",
    "HatAdamW",
]


class AdamFormula(Formula):
    """m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  θ ← θ − η m̂/(√v̂ + ε) with m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ).

    Kingma and Ba (2015), Algorithm 1.
    """

    optimizer = "adam"

    def begin(self, theta: Array) -> None:
        self.m, self.v = self.xp.zeros_like(theta), self.xp.zeros_like(theta)

    def step(self, theta: Array) -> Array:
        (b1, b2), g = self.h.betas, self.gradient(theta)
        self.m = b1 * self.m + (1 - b1) * g
        self.v = b2 * self.v + (1 - b2) * self.squared(g)
        return theta - self.h.learning_rate * self.mean(self.m, g) / self.denominator(self.mean_square(self.v))

    def mean(self, m: Array, g: Array) -> Array:
        return m / self.correction(self.h.betas[0], self.t)

    def mean_square(self, v: Array) -> Array:
        return v / self.correction(self.h.betas[1], self.t)

    def squared(self, g: Array) -> Array:
        return g * g

    def correction(self, beta: Any, t: int) -> Any:
        return 1 - beta**t

    def denominator(self, v: Array) -> Array:
        return self.xp.sqrt(v) + self.h.epsilon


class HatAdam(AdamFormula):
    """m̂√(1−β₂ᵗ)/(√v + ε): the ε̂ at the end of the paper's section 2."""

    dialect, reading = "tensorflow", "ε is added before the bias correction, as in TensorFlow, Keras and scikit-learn"
    mistake = "epsilon_not_corrected"

    def denominator(self, v: Array) -> Array:
        return (self.xp.sqrt(self.v) + self.h.epsilon) / self.correction(self.h.betas[1], self.t) ** 0.5


class AMSGrad(AdamFormula):
    """v̂ is the largest v so far, corrected. Reddi et al. (2018), who correct nothing; as PyTorch and Keras have it."""

    dialect, reading = "amsgrad", "AMSGrad: the largest v so far takes the place of v"

    def begin(self, theta: Array) -> None:
        super().begin(theta)
        self.peak = self.xp.zeros_like(theta)

    def mean_square(self, v: Array) -> Array:
        self.peak = self.xp.maximum(self.peak, v)
        return super().mean_square(self.peak)


class CorrectedAMSGrad(AMSGrad):
    """v̂ is the largest of all corrected v so far."""

    dialect, reading = "amsgrad-optax", "AMSGrad of Optax: the largest v̂ so far takes the place of v̂"
    mistake = "amsgrad"

    def mean_square(self, v: Array) -> Array:
        self.peak = self.xp.maximum(self.peak, AdamFormula.mean_square(self, v))
        return self.peak


class AdamWFormula(AdamFormula):
    """Adam's step, from which ηλθ is subtracted. Loshchilov and Hutter (2019)."""

    optimizer = "adamw"

    def step(self, theta: Array) -> Array:
        return super().step(theta) - self.decay(theta)

    def decay(self, theta: Array) -> Array:
        return self.h.learning_rate * (self.h.weight_decay * theta)


class HatAdamW(HatAdam, AdamWFormula):
    """With ε̂."""


class FreelyDecayed(AdamWFormula):
    """λθ is subtracted, as in the paper's Algorithm 2 with a schedule of 1."""

    dialect, reading = "free-decay", "the decay λθ is not multiplied by the learning rate"
    mistake = "decay_without_rate"

    def decay(self, theta: Array) -> Array:
        return self.h.weight_decay * theta


class AMSGradW(AMSGrad, AdamWFormula):
    """With the largest v."""


class CorrectedAMSGradW(CorrectedAMSGrad, AdamWFormula):
    """With the largest v̂."""
