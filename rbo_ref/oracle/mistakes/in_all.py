"""What people get wrong in any optimizer but the rolling ball."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.mistake import Mistake, in_precision

__all__ = ["in_all"]


def _anew(self: Any, theta: Array) -> Array:
    self.begin(theta)
    self.t = 1
    return self.right.step(theta)


def _with_first_gradient(self: Any, theta: Array) -> Array:
    if self.t == 1:
        loss, answers = self.loss, []

        def recorded(theta: Array) -> tuple[Array, Array]:
            answers.append(loss(theta))
            return answers[-1]

        self.loss, self.answers = recorded, answers
        return self.right.step(theta)
    replies = iter(self.answers)
    self.loss = lambda theta: next(replies, self.answers[-1])
    return self.right.step(theta)


MISTAKES = {
    "ascent": Mistake(
        "The parameters move uphill: the step has the wrong sign",
        step=lambda self, theta: theta - (self.right.step(theta) - theta),
    ),
    "step_halved": Mistake(
        "The step has half of its length", step=lambda self, theta: theta + (self.right.step(theta) - theta) / 2
    ),
    "memory_lost": Mistake("Every step begins without memory, as the first: the optimizer is made anew", step=_anew),
    "first_gradient_kept": Mistake(
        "The gradient is evaluated once, at the start, and used in all steps", step=_with_first_gradient
    ),
    "gradient_averaged": Mistake(
        "The gradient is divided by the number of parameters (mean instead of sum)",
        answered=lambda self, f, g: (f, g / math.prod(g.shape)),
    ),
    "float32_inside": in_precision("float32"),
    "start_delivered": Mistake(
        "The iterates begin with the starting point: each is delivered a step late",
        delivered=lambda self, iterates: [1 * theta for theta in iterates[:-1]],
    ),
    "one_array_delivered": Mistake(
        "All iterates are the last one: one array is changed in place and listed again and again",
        delivered=lambda self, iterates: [iterates[-1]] * (len(iterates) - 1),
    ),
    "moves_delivered": Mistake(
        "The moves are delivered instead of the iterates",
        delivered=lambda self, iterates: [b - a for a, b in pairwise(iterates)],
    ),
    "rate_fixed": Mistake(
        "The learning rate is always 0.1, whatever it is told",
        tuned=lambda self, hyper: self.right.tuned(hyper) | {"learning_rate": 0.1},
    ),
}


def in_all(*but: str) -> dict[str, Mistake]:
    """All of them but some, which have no effect in an optimizer, or that of another mistake of it."""
    return {name: mistake for name, mistake in MISTAKES.items() if name not in but}
