"""What people get wrong in Entropy-SGD. Where the authors' code differs from the paper, both are here."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.mistake import Mistake

__all__ = ["MISTAKES"]


def _late(self: Any, theta: Array) -> None:
    self.scope = self.h.scope * (1 + self.h.scoping)


def _linearly(self: Any, theta: Array) -> Array:
    self.scope = self.h.scope * (1 + self.h.scoping * (self.t - 1))
    return self.right.step(theta)


def _shrinking(self: Any, theta: Array) -> Array:
    self.scope = self.h.scope / (1 + self.h.scoping) ** (self.t - 1)
    return self.right.step(theta)


def _carried_on(self: Any, mu: Array, y: Array) -> Array:
    before = self.average if mu is self.theta and self.t > 1 else mu
    self.average = self.right.averaged(before, y)
    return self.average


MISTAKES = {
    "noise_of_the_code": Mistake(
        "The noise is that of the authors' code: ε√(2η′)N, a factor √2 more than the paper's",
        heat=lambda self, k: 2**0.5 * self.right.heat(k),
    ),
    "average_of_the_code": Mistake(
        "The average is that of the authors' code: μ ← αμ + (1 − α)y, with the weights exchanged",
        averaged=lambda self, mu, y: self.h.averaging * mu + (1 - self.h.averaging) * y,
    ),
    "scope_dropped": Mistake(
        "The outer step is that of the authors' code: θ ← θ − η(θ − μ), without γ",
        moved=lambda self, theta, mu: theta - self.h.learning_rate * (theta - mu),
    ),
    "scope_fixed": Mistake(
        "The scope γ stays: scoping does nothing, as in the authors' PyTorch code, of which the clock stands still",
        tuned=lambda self, hyper: hyper | {"scoping": 0.0},
    ),
    "first_gradient_discarded": Mistake(
        "One inner step more is taken",
        tuned=lambda self, hyper: hyper | {"steps": hyper["steps"] + 1},
        heat=lambda self, k: self.right.heat(k % self.draw.shape[0]),
    ),
    "one_step_too_few": Mistake(
        "One inner step is missing", tuned=lambda self, hyper: hyper | {"steps": hyper["steps"] - 1}
    ),
    "scope_starts_late": Mistake("Scoping begins with the first step: γ₀(1 + γ₁) is its scope", begin=_late),
    "scope_grows_linearly": Mistake("The scope is γ₀(1 + γ₁t) instead of γ₀(1 + γ₁)ᵗ", step=_linearly),
    "scope_shrinks": Mistake("The scope shrinks: γ₀/(1 + γ₁)ᵗ", step=_shrinking),
    "noise_without_root": Mistake(
        "The noise is η′εN: the root of the inner rate is missing",
        heat=lambda self, k: self.h.inner_rate * self.h.noise * self.draw[k, ...],
    ),
    "noise_without_rate": Mistake(
        "The noise is εN: it is not multiplied by √η′", heat=lambda self, k: self.h.noise * self.draw[k, ...]
    ),
    "noise_missing": Mistake("There is no noise", heat=lambda self, k: 0 * self.draw[k, ...]),
    "noise_drawn_once": Mistake("The first draw is used in all inner steps", heat=lambda self, k: self.right.heat(0)),
    "noise_in_the_gradient": Mistake(
        "The noise is scaled by √η′ and then by the inner rate, with the gradient",
        heat=lambda self, k: self.h.inner_rate * self.right.heat(k),
    ),
    "pull_missing": Mistake(
        "The inner steps are not tied to θ: γ(θ − y) is missing", pull=lambda self, y: self.gradient(y)
    ),
    "pull_sign": Mistake(
        "The inner steps are pushed away from θ: the sign of γ(θ − y) is wrong",
        pull=lambda self, y: self.gradient(y) + self.scope * (self.theta - y),
    ),
    "gradient_not_renewed": Mistake(
        "The gradient of θ is used in all inner steps",
        pull=lambda self, y: self.gradient(self.theta) - self.scope * (self.theta - y),
    ),
    "average_missing": Mistake("The last inner iterate is taken for the average", averaged=lambda self, mu, y: y),
    "average_carried_on": Mistake(
        "The average goes on from that of the step before instead of starting at θ",
        averaged=_carried_on,
    ),
    "moves_to_the_average": Mistake("The new parameters are μ", moved=lambda self, theta, mu: mu),
    "moves_away_from_the_average": Mistake(
        "The outer step has the wrong sign: θ + ηγ(θ − μ)",
        moved=lambda self, theta, mu: theta + self.h.learning_rate * self.scope * (theta - mu),
    ),
    "keeps_the_inner_iterate": Mistake(
        "The outer step starts at the last inner iterate, not at θ",
        moved=lambda self, theta, mu: self.last - self.h.learning_rate * self.scope * (theta - mu),
    ),
    "rates_swapped": Mistake(
        "The learning rate and the inner rate are exchanged",
        tuned=lambda self, hyper: hyper | {"learning_rate": hyper["inner_rate"], "inner_rate": hyper["learning_rate"]},
    ),
}
