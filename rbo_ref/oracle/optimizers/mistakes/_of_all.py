"""Mistakes that a port of any optimizer can make, entered into every catalogue."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.optimizers.mistakes.right_port import RIGHT_PORTS, OptimizerPort, mistake

WITHOUT_EFFECT = {"memory_lost": ("gradient-descent", "sam", "entropy-sgd"), "gradient_averaged": ("muon",)}
# or that of a mistake already there: without momentum, without scoping


class ascent(OptimizerPort):
    """The parameters move uphill: the step has the wrong sign."""

    def stepped(self, theta: Array) -> Array:
        return theta - (super().stepped(theta) - theta)


class step_halved(OptimizerPort):
    """The step has half of its length."""

    def stepped(self, theta: Array) -> Array:
        return theta + (super().stepped(theta) - theta) / 2


class memory_lost(OptimizerPort):
    """Every step begins without memory, as the first: the optimizer is made anew."""

    def stepped(self, theta: Array) -> Array:
        self.begin(theta)
        self.t = 1
        return super().stepped(theta)


class first_gradient_kept(OptimizerPort):
    """The gradient is evaluated once, at the start, and used in all steps."""

    def stepped(self, theta: Array) -> Array:
        if self.t == 1:
            loss, answers = self.loss, []

            def recorded(theta: Array) -> tuple[Array, Array]:
                answers.append(loss(theta))
                return answers[-1]

            self.loss, self.answers = recorded, answers
            return super().stepped(theta)
        replies = iter(self.answers)
        self.loss = lambda theta: next(replies, self.answers[-1])
        return super().stepped(theta)


class gradient_averaged(OptimizerPort):
    """The gradient is divided by the number of parameters (mean instead of sum)."""

    def served(self, loss: Any) -> Any:
        def averaged(theta: Array) -> tuple[Array, Array]:
            f, g = loss(theta)
            count = 1
            for size in g.shape:
                count *= size
            return f, g / count

        return averaged


class float32_inside(OptimizerPort):
    """Something is computed in float32 inside."""

    def stepped(self, theta: Array) -> Array:
        new = super().stepped(theta)
        return theta + self.xp.astype(self.xp.astype(new - theta, self.xp.float32), theta.dtype)


class start_delivered(OptimizerPort):
    """The iterates begin with the starting point: each is delivered a step late."""

    def delivered(self, iterates: list[Array]) -> list[Array]:
        return [1 * theta for theta in iterates[:-1]]


class one_array_delivered(OptimizerPort):
    """All iterates are the last one: one array is changed in place and listed again and again."""

    def delivered(self, iterates: list[Array]) -> list[Array]:
        return [iterates[-1]] * (len(iterates) - 1)


class moves_delivered(OptimizerPort):
    """The moves are delivered instead of the iterates."""

    def delivered(self, iterates: list[Array]) -> list[Array]:
        return [b - a for a, b in pairwise(iterates)]


class rate_fixed(OptimizerPort):
    """The learning rate is always 0.1, whatever it is told."""

    def tuned(self, hyper: dict[str, Any]) -> dict[str, Any]:
        return super().tuned(hyper) | {"learning_rate": 0.1}


def enter() -> None:
    """Every mistake of this file, made in every optimizer.

    Examples
    --------
    >>> from rbo_ref.oracle.optimizers.mistakes import MISTAKES
    >>> all("ascent" in catalogue for catalogue in MISTAKES.values())
    True
    """
    wrong = (
        ascent,
        step_halved,
        memory_lost,
        first_gradient_kept,
        gradient_averaged,
        float32_inside,
        start_delivered,
        one_array_delivered,
        moves_delivered,
        rate_fixed,
    )
    for optimizer, port in RIGHT_PORTS.items():
        for cls in wrong:
            if optimizer not in WITHOUT_EFFECT.get(cls.__name__, ()):
                mistake(type(cls.__name__, (cls, port), {"__doc__": cls.__doc__}))
