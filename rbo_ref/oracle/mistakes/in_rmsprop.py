"""What people get wrong in RMSprop."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.mistake import Mistake

__all__ = ["MISTAKES"]


def _from_ones(self: Any, theta: Array) -> None:
    self.right.begin(theta)
    self.v = self.xp.ones_like(theta)


def _scaled_late(self: Any, theta: Array) -> Array:
    g = self.gradient(theta)
    self.v, self.m = self.averaged(self.v, self.squared(g)), self.averaged(self.m, g)
    self.b = self.summed(self.b, g)
    return theta - self.h.learning_rate * (self.b / self.denominator(self.spread(self.v, self.m)))


def _corrected(self: Any, v: Array, m: Array) -> Array:
    weight = 1 - self.h.smoothing**self.t
    return self.right.spread(v / weight, m / weight)


MISTAKES = {
    "epsilon_missing": Mistake("There is no epsilon", denominator=lambda self, v: self.xp.sqrt(v)),
    "epsilon_as_bound": Mistake(
        "The denominator is max(√v, ε) instead of √v + ε",
        denominator=lambda self, v: self.xp.maximum(self.xp.sqrt(v), self.h.epsilon * self.xp.ones_like(v)),
    ),
    "root_missing": Mistake(
        "The gradient is divided by v + ε, without the root", denominator=lambda self, v: v + self.h.epsilon
    ),
    "square_missing": Mistake("|g| is averaged instead of g²", squared=lambda self, g: self.xp.abs(g)),
    "square_of_the_norm": Mistake(
        "|g|² is averaged, one number for all coordinates", squared=lambda self, g: 0 * g + self.xp.sum(g * g)
    ),
    "square_undampened": Mistake(
        "The averages are sums: v ← αv + g²", averaged=lambda self, old, new: self.h.smoothing * old + new
    ),
    "square_never_forgotten": Mistake(
        "All squares are added up, as in Adagrad", averaged=lambda self, old, new: old + new
    ),
    "square_starts_at_one": Mistake("v starts at 1, as in the first TensorFlow", begin=_from_ones),
    "smoothing_swapped": Mistake(
        "The weights are exchanged: v ← (1 − α)v + αg²",
        averaged=lambda self, old, new: (1 - self.h.smoothing) * old + self.h.smoothing * new,
    ),
    "correction_added": Mistake("The averages are corrected for their bias, as in Adam", spread=_corrected),
    "centered_ignored": Mistake("The mean is not subtracted where it is asked for", spread=lambda self, v, m: v),
    "centered_always": Mistake("The mean is subtracted where it is not asked for", spread=lambda self, v, m: v - m * m),
    "momentum_ignored": Mistake("There is no momentum", summed=lambda self, b, scaled: scaled),
    "momentum_dampened": Mistake(
        "The momentum is an average: b ← μb + (1 − μ)g/(√v + ε)",
        summed=lambda self, b, scaled: self.h.momentum * b + (1 - self.h.momentum) * scaled,
    ),
    "momentum_before_the_scale": Mistake("Gradients are gathered first, and then divided by √v + ε", step=_scaled_late),
}
