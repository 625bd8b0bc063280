"""What people get wrong in gradient descent."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.mistake import Mistake

__all__ = ["MISTAKES"]


def _before_the_step(self: Any, theta: Array) -> Array:
    ahead = self.h.learning_rate * self.h.momentum * self.v if self.h.nesterov else 0
    self.v = self.remembered(self.v, self.gradient(theta - ahead))
    return theta - self.h.learning_rate * self.v


MISTAKES = {
    "momentum_dampened": Mistake(
        "The momentum is an average: v ← μv + (1 − μ)g",
        remembered=lambda self, v, g: self.h.momentum * v + (1 - self.h.momentum) * g,
    ),
    "momentum_dampened_late": Mistake(
        "The momentum is an average from the second step on, after v = g",
        remembered=lambda self, v, g: g if self.t == 1 else self.h.momentum * v + (1 - self.h.momentum) * g,
    ),
    "momentum_ignored": Mistake("There is no momentum", remembered=lambda self, v, g: g),
    "momentum_of_first_gradient": Mistake(
        "The momentum starts as g₁ and is used before it is renewed: g₁ counts twice",
        remembered=lambda self, v, g: self.h.momentum * (g if self.t == 1 else v) + g,
    ),
    "nesterov_ignored": Mistake("Nesterov's look-ahead is not taken", direction=lambda self, g, v: v),
    "nesterov_always": Mistake(
        "Nesterov's look-ahead is taken where it is not asked for", direction=lambda self, g, v: g + self.h.momentum * v
    ),
    "nesterov_without_momentum_factor": Mistake(
        "Nesterov's look-ahead is g + v, without μ", direction=lambda self, g, v: g + v if self.h.nesterov else v
    ),
    "nesterov_squared": Mistake(
        "Nesterov's look-ahead is v + μv: the gradient is counted with the momentum",
        direction=lambda self, g, v: v + self.h.momentum * v if self.h.nesterov else v,
    ),
    "nesterov_before_the_step": Mistake(
        "Nesterov's gradient is taken at θ − ημv, and θ moves by v (Sutskever's form): another sequence",
        step=_before_the_step,
    ),
    "gradient_normalized": Mistake(
        "The gradient is divided by its norm", answered=lambda self, f, g: (f, g / self.norm(g))
    ),
    "gradient_clipped": Mistake(
        "The gradient is clipped to length 1", answered=lambda self, f, g: (f, g / self.max(self.norm(g), 1.0))
    ),
    "weight_decay_added": Mistake(
        "Weight decay of 1e-2 is added to the gradient",
        gradient=lambda self, theta: self.right.gradient(theta) + 1e-2 * theta,
    ),
    "momentum_of_moves": Mistake(
        "The momentum gathers moves that the learning rate then shrinks again: v ← μv + ηg, θ ← θ − ηv",
        remembered=lambda self, v, g: self.h.momentum * v + self.h.learning_rate * g,
    ),
}
