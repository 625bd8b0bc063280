"""Lion, which moves every coordinate by the learning rate."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.formulas.formula import Formula

__all__ = ["LionFormula"]


class LionFormula(Formula):
    """c ← β₁m + (1−β₁)g;  θ ← θ − η(sign c + λθ);  m ← β₂m + (1−β₂)g.

    Chen et al. (2023), Algorithm 2.
    """

    optimizer = "lion"

    def begin(self, theta: Array) -> None:
        self.m = self.xp.zeros_like(theta)

    def step(self, theta: Array) -> Array:
        g = self.gradient(theta)
        c = self.direction(self.m, g)
        self.m = self.remembered(self.m, g)
        return theta - self.h.learning_rate * (self.signed(c) + self.decay(theta))

    def direction(self, m: Array, g: Array) -> Array:
        return self.averaged(m, g, self.h.betas[0])

    def remembered(self, m: Array, g: Array) -> Array:
        return self.averaged(m, g, self.h.betas[1])

    def averaged(self, m: Array, g: Array, beta: Any) -> Array:
        return beta * m + (1 - beta) * g

    def signed(self, c: Array) -> Array:
        return self.xp.sign(c)

    def decay(self, theta: Array) -> Array:
        return self.h.weight_decay * theta
