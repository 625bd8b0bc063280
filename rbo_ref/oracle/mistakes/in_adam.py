"""What people get wrong in Adam and in AdamW."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.mistake import Mistake

__all__ = ["IN_ADAM", "IN_ADAMW"]


def _without_mean(self: Any, theta: Array) -> Array:
    self.m = 0 * theta
    return self.right.step(theta)


def _of_largest(self: Any, v: Array) -> Array:
    self.largest = v if self.t == 1 else self.xp.maximum(self.largest, v)
    return self.right.denominator(self.largest)


IN_BOTH = {
    "correction_missing": Mistake("There is no bias correction", correction=lambda self, beta, t: 1.0),
    "correction_of_mean_missing": Mistake(
        "The first moment has no bias correction",
        correction=lambda self, beta, t: 1.0 if beta == self.h.betas[0] else 1 - beta**t,
    ),
    "correction_of_square_missing": Mistake(
        "The second moment has no bias correction",
        correction=lambda self, beta, t: 1.0 if beta == self.h.betas[1] else 1 - beta**t,
    ),
    "correction_counts_from_zero": Mistake(
        "The bias corrections are those of the step before, 1 − βᵗ⁻¹; the first step has none",
        correction=lambda self, beta, t: 1 - beta ** (t - 1) if t > 1 else 1.0,
    ),
    "correction_counts_from_two": Mistake(
        "The bias corrections are those of the step after, 1 − βᵗ⁺¹",
        correction=lambda self, beta, t: 1 - beta ** (t + 1),
    ),
    "correction_constant": Mistake(
        "The bias corrections are 1 − β at every step: the power t is missing",
        correction=lambda self, beta, t: 1 - beta,
    ),
    "epsilon_inside_the_root": Mistake(
        "Epsilon stands under the root: √(v̂ + ε)", denominator=lambda self, v: self.xp.sqrt(v + self.h.epsilon)
    ),
    "epsilon_not_corrected": Mistake(
        "Epsilon is added before the bias correction: m̂√(1 − β₂ᵗ)/(√v + ε)",
        denominator=lambda self, v: self.xp.sqrt(v) + self.h.epsilon / self.correction(self.h.betas[1], self.t) ** 0.5,
    ),
    "epsilon_missing": Mistake("There is no epsilon", denominator=lambda self, v: self.xp.sqrt(v)),
    "epsilon_as_bound": Mistake(
        "The denominator is max(√v̂, ε) instead of √v̂ + ε",
        denominator=lambda self, v: self.max(self.xp.sqrt(v), self.h.epsilon),
    ),
    "epsilon_fixed": Mistake(
        "Epsilon is always 1e-8, whatever it is told", denominator=lambda self, v: self.xp.sqrt(v) + 1e-8
    ),
    "betas_swapped": Mistake(
        "β₁ and β₂ are exchanged", tuned=lambda self, hyper: hyper | {"betas": hyper["betas"][::-1]}
    ),
    "square_of_the_mean": Mistake(
        "The second moment averages m² instead of g²", squared=lambda self, g: self.m * self.m
    ),
    "square_missing": Mistake("The second moment averages |g| instead of g²", squared=lambda self, g: self.xp.abs(g)),
    "square_of_the_norm": Mistake(
        "The second moment averages |g|², one number for all coordinates",
        squared=lambda self, g: 0 * g + self.xp.sum(g * g),
    ),
    "root_missing": Mistake(
        "The step is divided by v̂ + ε, without the root", denominator=lambda self, v: v + self.h.epsilon
    ),
    "mean_ignored": Mistake(
        "The step follows g instead of m̂ (RMSProp with a correction)",
        step=_without_mean,
        correction=lambda self, beta, t: self.right.correction(beta, 1 if beta == self.h.betas[0] else t),
    ),
    "amsgrad": Mistake("The largest v̂ so far is used (AMSGrad)", denominator=_of_largest),
}

IN_ADAM = IN_BOTH | {
    "decay_though_not_asked": Mistake(
        "Weight decay of 1e-2, which Adam has not, is added to the gradient",
        gradient=lambda self, theta: self.right.gradient(theta) + 1e-2 * theta,
    ),
}

IN_ADAMW = IN_BOTH | {
    "decay_in_the_gradient": Mistake(
        "The decay λθ is added to the gradient (L2 regularization) instead of being decoupled",
        gradient=lambda self, theta: self.right.gradient(theta) + self.h.weight_decay * theta,
        decay=lambda self, theta: 0 * theta,
    ),
    "decay_without_rate": Mistake(
        "The decay is λθ, without the learning rate", decay=lambda self, theta: self.h.weight_decay * theta
    ),
    "decay_of_the_result": Mistake(
        "The decay is of the new parameters: (1 − ηλ)θ′ after the step",
        step=lambda self, theta: self.right.step(theta) * (1 - self.h.learning_rate * self.h.weight_decay),
        decay=lambda self, theta: 0 * theta,
    ),
    "decay_ignored": Mistake("There is no decay", decay=lambda self, theta: 0 * theta),
    "decay_preconditioned": Mistake(
        "The decay λθ is added to m̂ and divided by √v̂ + ε with it",
        decay=lambda self, theta: (
            self.right.decay(theta) / self.denominator(self.v / self.correction(self.h.betas[1], self.t))
        ),
    ),
    "decay_sign": Mistake(
        "The decay lets the parameters grow: + ηλθ", decay=lambda self, theta: -self.right.decay(theta)
    ),
}
