"""The optimizers of the metric that the graph of the loss induces."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.formulas.formula import Formula

__all__ = ["InducedMetricFormula"]


class InducedMetricFormula(Formula):
    """m̂, ê, r̂: bias-corrected averages of g, of q = ξ Σ gᵢ²/Dᵢ and of g²;  θ ← θ − ηs m̂/D − ηλθ.

    D = √r̂ + ε in the variant "rms", else 1; s = f/(f² + ê) in the variant "log", else 1/(1 + ê). Harvey (2025).
    """

    optimizer = "induced-metric"

    def begin(self, theta: Array) -> None:
        self.m, self.r, self.e = self.xp.zeros_like(theta), self.xp.zeros_like(theta), 0

    def step(self, theta: Array) -> Array:
        f, g = self.loss(theta)
        diagonal = self.diagonal(g) if self.h.variant == "rms" else 1
        self.m = self.h.momentum * self.m + (1 - self.h.momentum) * g
        self.e = self.averaged(self.e, self.metric(g, diagonal))
        s = self.shrinkage(f, self.corrected(self.e, self.h.beta))
        move = self.h.learning_rate * s * self.corrected(self.m, self.h.momentum) / diagonal
        return theta - move - self.decay(theta, s)

    def diagonal(self, g: Array) -> Array:
        self.r = self.h.beta_rms * self.r + (1 - self.h.beta_rms) * (g * g)
        return self.xp.sqrt(self.corrected(self.r, self.h.beta_rms)) + self.h.epsilon

    def metric(self, g: Array, diagonal: Array) -> Array:
        return self.h.xi * self.sum(g * g / diagonal)

    def averaged(self, e: Any, q: Array) -> Array:
        return self.h.beta * e + (1 - self.h.beta) * q

    def corrected(self, average: Array, beta: Any) -> Array:
        return average / (1 - beta**self.t)

    def shrinkage(self, f: Array, e: Array) -> Array:
        return f / (f * f + e) if self.h.variant == "log" else 1 / (1 + e)

    def decay(self, theta: Array, s: Array) -> Array:
        return self.h.learning_rate * self.h.weight_decay * theta
