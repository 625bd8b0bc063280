"""Sharpness-aware minimization: SAM, and with a scale of its own for each coordinate ASAM."""

from __future__ import annotations

from geometry._namespace import Array
from rbo_ref.oracle.formulas.formula import Formula

__all__ = ["PlainSAM", "SAMFormula"]


class SAMFormula(Formula):
    """θ ← θ − η∇f(θ + e), e = ρg/(|g| + ε);  adaptive: e = ρ θ²g/(|θg| + ε). One norm over all parameters.

    Foret et al. (2021); Kwon et al. (2021).
    """

    optimizer = "sam"
    is_memoryless = True

    def step(self, theta: Array) -> Array:
        self.g = self.gradient(theta)
        return theta - self.h.learning_rate * self.gradient(theta + self.perturbation(theta, self.g))

    def perturbation(self, theta: Array, g: Array) -> Array:
        if self.h.adaptive:
            scale = self.xp.abs(theta)
            return self.h.radius * (scale * (scale * g)) / self.length(scale * g)
        return self.h.radius * g / self.length(g)

    def length(self, g: Array) -> Array:
        return self.norm(g) + self.h.epsilon


class PlainSAM(SAMFormula):
    """e = ρg/|g|: the papers have no ε. Where g = 0, they say nothing."""

    dialect, reading = "without-epsilon", "there is no ε, as in the paper and in Optax"
    mistake = "epsilon_missing"
    rests = False

    def length(self, g: Array) -> Array:
        size = self.norm(g)
        return self.xp.where(size > 0, size, self.xp.ones_like(size))
