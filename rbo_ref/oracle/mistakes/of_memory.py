"""Mistakes of the rolling ball that carry something from step to step."""

from __future__ import annotations

from functools import partial
from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.mistake import Mistake

__all__ = ["MISTAKES"]

Remembering = partial(Mistake, memory=None)


def _heard(part: int) -> dict[str, Any]:
    """Lines with the loss, or its gradient, of the last inner evaluation."""

    def evaluated(self: Any, theta: Array) -> tuple[Array, Array]:
        f, g = self.right.evaluated(theta)
        return (f, g) if self.memory is None else (self.memory, g) if part == 0 else (f, self.memory)

    def pull(self: Any, theta: Array) -> Array:
        self.memory = self.loss(theta)[part]
        return self.right.pull(theta)

    return {"evaluated": evaluated, "pull": pull}


def _late(which: int) -> Any:
    """Hyper-parameters, one of which is that of the step before."""

    def tuned(self: Any, *told: Any) -> tuple[Any, ...]:
        late, self.memory = self.memory or told[which], told[which]
        return (*told[:which], late, *told[which + 1 :])

    return tuned


def _kept(self: Any, x: Any) -> Any:
    self.memory = x
    return x


def _first(self: Any, x: Any) -> Any:
    return _kept(self, x if self.memory is None else self.memory)


def _gathered(self: Any, x: Array, share: float) -> Array:
    return _kept(self, x if self.memory is None else share * self.memory + x)


def _waits(self: Any, theta: Array) -> Array:
    late, self.memory = self.memory, theta
    return theta if late is None else late


MISTAKES = {
    "carries_height": Remembering("The height of the last inner evaluation is carried to the next step", **_heard(0)),
    "carries_gradient": Remembering(
        "The gradient of the last inner evaluation is carried to the next step", **_heard(1)
    ),
    "carries_center": Remembering(
        "The centre is carried from step to step instead of being lifted from the contact",
        center=lambda self: self.right.center() if self.memory is None else self.memory,
        stepped=lambda self: _kept(self, self.right.stepped()),
    ),
    "carries_normal": Remembering(
        "The first normal is kept for all steps", normal=lambda self, g: _first(self, self.right.normal(g))
    ),
    "carries_momentum": Remembering(
        "The step of the centre has momentum 0.9",
        stepped=lambda self: self.c - self.eta * _gathered(self, self.tau, 0.9),
    ),
    "carries_inner_momentum": Remembering(
        "The inner loop has momentum that no step resets",
        descended=lambda self, theta, pull, k: theta - self.gamma * _gathered(self, pull, 0.5),
    ),
    "hyperparameters_frozen": Remembering(
        "The hyper-parameters of the first step are used for all", tuned=lambda self, *told: _first(self, told)
    ),
    "schedule_late": Remembering("The learning rate is that of the step before", tuned=_late(0)),
    "radius_late": Remembering("The radius is that of the step before", tuned=_late(1)),
    "averages_parameters": Remembering(
        "The parameters returned are an average over the steps",
        finished=lambda self, theta: _kept(self, theta if self.memory is None else 0.5 * self.memory + 0.5 * theta),
    ),
    "waits_a_step": Remembering("The result of a step is delivered with the next one", finished=_waits),
}
