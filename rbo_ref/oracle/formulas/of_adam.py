"""Adam, and with decoupled decay AdamW."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.formulas.formula import Formula

__all__ = ["AdamFormula", "AdamWFormula"]


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
        m, v = self.m / self.correction(b1, self.t), self.v / self.correction(b2, self.t)
        return theta - self.h.learning_rate * m / self.denominator(v)

    def squared(self, g: Array) -> Array:
        return g * g

    def correction(self, beta: Any, t: int) -> Any:
        return 1 - beta**t

    def denominator(self, v: Array) -> Array:
        return self.xp.sqrt(v) + self.h.epsilon


class AdamWFormula(AdamFormula):
    """Adam's step, from which ηλθ is subtracted. Loshchilov and Hutter (2019)."""

    optimizer = "adamw"

    def step(self, theta: Array) -> Array:
        return super().step(theta) - self.decay(theta)

    def decay(self, theta: Array) -> Array:
        return self.h.learning_rate * (self.h.weight_decay * theta)
