"""Entropy-SGD, in the readings of the paper and of its authors' program."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.formulas.formula import Formula

__all__ = ["CodedEntropySGD", "EntropySGDFormula", "FixedScope"]


class EntropySGDFormula(Formula):
    """L times: y ← y − η'(∇f(y) − γ(θ−y)) + √η'·εN,  μ ← (1−α)μ + αy;  then θ ← θ − ηγ(θ−μ);  γ ← (1+γ₁)γ.

    Chaudhari et al. (2017), Algorithm 1.
    """

    optimizer = "entropy-sgd"

    def begin(self, theta: Array) -> None:
        self.scope = self.h.scope

    def step(self, theta: Array) -> Array:
        y, mu = theta, theta
        for k in range(self.h.steps):
            y = y - self.h.inner_rate * self.pull(y) + self.heat(k)
            mu = self.averaged(mu, y)
        self.last = y
        new = self.moved(theta, mu)
        self.scope = self.next_scope()
        return new

    def remember(self, theta: Array) -> None:
        self.scope = self.next_scope()

    def next_scope(self) -> Any:
        return self.scope * (1 + self.h.scoping)

    def pull(self, y: Array) -> Array:
        return self.gradient(y) - self.scope * (self.theta - y)

    def heat(self, k: int) -> Array:
        return self.h.inner_rate**0.5 * self.h.noise * self.draw[k, ...]

    def averaged(self, mu: Array, y: Array) -> Array:
        return (1 - self.h.averaging) * mu + self.h.averaging * y

    def moved(self, theta: Array, mu: Array) -> Array:
        return theta - self.h.learning_rate * (self.scope * (theta - mu))


class CodedEntropySGD(EntropySGDFormula):
    """The authors' program: the noise is √(2η')·εN, the average (1−α)y + αμ, and the outer step θ − η(θ−μ)."""

    dialect, reading = "code", "the noise, the average and the outer step are those of the authors' program"

    def heat(self, k: int) -> Array:
        return (2 * self.h.inner_rate) ** 0.5 * self.h.noise * self.draw[k, ...]

    def averaged(self, mu: Array, y: Array) -> Array:
        return (1 - self.h.averaging) * y + self.h.averaging * mu

    def moved(self, theta: Array, mu: Array) -> Array:
        return theta - self.h.learning_rate * (theta - mu)


class FixedScope(EntropySGDFormula):
    """γ stays as it is."""

    dialect, reading = "fixed-scope", "the scope γ does not grow, as in the package of the rolling ball's authors"
    mistake = "scope_fixed"
    is_memoryless = True

    def next_scope(self) -> Any:
        return self.scope
