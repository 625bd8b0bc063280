"""NAdam, in three readings of the schedule of its momentum."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.formulas.of_adam import AdamFormula

__all__ = ["ConstantNAdam", "HastyNAdam", "NAdamFormula"]


class NAdamFormula(AdamFormula):
    """Adam's averages m and v;  θ ← θ − η m̂/(√v̂ + ε) with m̂ = (1−μ_t)g/(1−π_t) + μ_{t+1}m/(1−π_{t+1}).

    μ_t = β₁(1 − ½·0.96^(tψ)) and π_t = μ₁⋯μ_t. Dozat (2016); the average m is formed with β₁, as PyTorch does.
    """

    optimizer, dialect = "nadam", "pytorch"

    def begin(self, theta: Array) -> None:
        super().begin(theta)
        self.product: Any = 1

    def mean(self, m: Array, g: Array) -> Array:
        now, later = self.rate(self.t), self.rate(self.t + 1)
        self.product = self.grown(now)
        return self.renewed(g, now) + self.carried(m, later)

    def grown(self, now: Any) -> Any:
        return now * self.product

    def renewed(self, g: Array, now: Any) -> Array:
        return (1 - now) * g / (1 - self.product)

    def carried(self, m: Array, later: Any) -> Array:
        return later * m / (1 - later * self.product)

    def rate(self, t: int) -> Any:
        return self.h.betas[0] * (1 - 0.96 ** (t * self.h.momentum_decay) / 2)


class ConstantNAdam(NAdamFormula):
    """μ_t = β₁ in every step."""

    dialect, reading = "optax", "the momentum is β₁ in every step"

    def rate(self, t: int) -> Any:
        return self.h.betas[0]


class HastyNAdam(NAdamFormula):
    """μ_t = β₁(1 − ½·0.96ᵗ), whatever ψ is."""

    dialect, reading = "keras", "the exponent of the schedule is t, without ψ"

    def rate(self, t: int) -> Any:
        return self.h.betas[0] * (1 - self.number(0.96) ** t / 2)
