"""RMSprop, in two readings of its ε."""

from __future__ import annotations

from geometry._namespace import Array
from rbo_ref.oracle.formulas.formula import Formula

__all__ = ["InsideRMSprop", "RMSpropFormula"]


class RMSpropFormula(Formula):
    """v ← αv + (1−α)g²;  m ← αm + (1−α)g;  b ← μb + g/(√v + ε), if centered with v − m² for v;  θ ← θ − ηb.

    Tieleman and Hinton (2012); Graves (2013) for the centered one; ε and b as PyTorch has them.
    """

    optimizer, dialect = "rmsprop", "pytorch"

    def begin(self, theta: Array) -> None:
        self.v, self.m, self.b = (self.xp.zeros_like(theta) for _ in range(3))

    def step(self, theta: Array) -> Array:
        g = self.gradient(theta)
        self.v, self.m = self.averaged(self.v, self.squared(g)), self.averaged(self.m, g)
        self.b = self.summed(self.b, g / self.denominator(self.spread(self.v, self.m)))
        return theta - self.h.learning_rate * self.b

    def squared(self, g: Array) -> Array:
        return g * g

    def averaged(self, old: Array, new: Array) -> Array:
        return self.h.smoothing * old + (1 - self.h.smoothing) * new

    def spread(self, v: Array, m: Array) -> Array:
        return v - m * m if self.h.centered else v

    def denominator(self, v: Array) -> Array:
        return self.xp.sqrt(v) + self.h.epsilon

    def summed(self, b: Array, scaled: Array) -> Array:
        return self.h.momentum * b + scaled


class InsideRMSprop(RMSpropFormula):
    """The denominator is √(v + ε), as in TensorFlow, Keras and Graves's paper."""

    dialect, reading = "tensorflow", "ε is inside of the root"

    def denominator(self, v: Array) -> Array:
        return self.xp.sqrt(v + self.h.epsilon)
