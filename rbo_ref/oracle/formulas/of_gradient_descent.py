"""Gradient descent with momentum, in two readings of what is remembered."""

from __future__ import annotations

from geometry._namespace import Array
from rbo_ref.oracle.formulas.formula import Formula

__all__ = ["DampenedDescent", "GradientDescentFormula"]


class GradientDescentFormula(Formula):
    """v ← μv + g, the first v being g;  θ ← θ − ηv, or θ − η(g + μv) with Nesterov's look-ahead."""

    optimizer = "gradient-descent"

    def begin(self, theta: Array) -> None:
        self.v = self.xp.zeros_like(theta)

    def step(self, theta: Array) -> Array:
        g = self.gradient(theta)
        self.v = self.remembered(self.v, g)
        return theta - self.h.learning_rate * self.direction(g, self.v)

    def remembered(self, v: Array, g: Array) -> Array:
        return self.h.momentum * v + g

    def direction(self, g: Array, v: Array) -> Array:
        return g + self.h.momentum * v if self.h.nesterov else v


class DampenedDescent(GradientDescentFormula):
    """v ← μv + (1−μ)g, in the first step too."""

    dialect, reading = "dampened", "the momentum is an average, μv + (1−μ)g"
    mistake = "momentum_dampened"

    def remembered(self, v: Array, g: Array) -> Array:
        return self.h.momentum * v + (1 - self.h.momentum) * g
