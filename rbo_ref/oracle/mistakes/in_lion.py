"""What people get wrong in Lion."""

from __future__ import annotations

from rbo_ref.oracle.mistakes.mistake import Mistake

__all__ = ["MISTAKES"]

MISTAKES = {
    "sign_missing": Mistake("The step is c itself, not its signs", signed=lambda self, c: c),
    "sign_of_the_whole": Mistake("The step is c/|c|, not its signs", signed=lambda self, c: c / self.norm(c)),
    "memory_ignored": Mistake("The step follows the signs of the gradient", direction=lambda self, m, g: g),
    "memory_undampened": Mistake(
        "What is remembered is a sum: m ← β₂m + g", remembered=lambda self, m, g: self.h.betas[1] * m + g
    ),
    "memory_of_the_direction": Mistake(
        "One average is all: c is remembered for m", remembered=lambda self, m, g: self.direction(m, g)
    ),
    "direction_of_the_memory": Mistake(
        "One average is all: m is the direction", direction=lambda self, m, g: self.remembered(m, g)
    ),
    "direction_late": Mistake("The direction is that of m before the gradient", direction=lambda self, m, g: m),
    "direction_renewed": Mistake(
        "m is renewed before the direction is formed of it and g",
        direction=lambda self, m, g: self.right.direction(self.remembered(m, g), g),
    ),
    "betas_swapped": Mistake(
        "β₁ and β₂ are exchanged", tuned=lambda self, hyper: hyper | {"betas": hyper["betas"][::-1]}
    ),
    "decay_ignored": Mistake("There is no decay", decay=lambda self, theta: 0 * theta),
    "decay_without_rate": Mistake(
        "The decay is λθ, without the learning rate",
        decay=lambda self, theta: self.h.weight_decay * theta / self.h.learning_rate,
    ),
    "decay_in_the_gradient": Mistake(
        "The decay λθ is added to the gradient instead of being decoupled",
        gradient=lambda self, theta: self.right.gradient(theta) + self.h.weight_decay * theta,
        decay=lambda self, theta: 0 * theta,
    ),
    "decay_within_the_sign": Mistake(
        "The decay stands within the sign: sign(c + λθ)",
        signed=lambda self, c: self.right.signed(c + self.h.weight_decay * self.theta),
        decay=lambda self, theta: 0 * theta,
    ),
    "decay_sign": Mistake(
        "The decay lets the parameters grow: + ηλθ", decay=lambda self, theta: -self.right.decay(theta)
    ),
}
