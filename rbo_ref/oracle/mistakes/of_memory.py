"""Mistakes that carry something from step to step."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.right_port import RightPort, mistake


class _Remembers(RightPort):
    """A port with memory."""

    def __init__(self) -> None:
        self.memory: Any = None


@mistake
class carries_height(_Remembers):
    """The height of the last inner evaluation is carried to the next step."""

    def evaluated(self, theta: Array) -> tuple[Array, Array]:
        f, g = super().evaluated(theta)
        return (f if self.memory is None else self.memory), g

    def pull(self, theta: Array) -> Array:
        self.memory = self.loss(theta)[0]
        return super().pull(theta)


@mistake
class carries_gradient(_Remembers):
    """The gradient of the last inner evaluation is carried to the next step."""

    def evaluated(self, theta: Array) -> tuple[Array, Array]:
        f, g = super().evaluated(theta)
        return f, (g if self.memory is None else self.memory)

    def pull(self, theta: Array) -> Array:
        self.memory = self.loss(theta)[1]
        return super().pull(theta)


@mistake
class carries_center(_Remembers):
    """The centre is carried from step to step instead of being lifted from the contact."""

    def center(self) -> Array:
        return super().center() if self.memory is None else self.memory

    def stepped(self) -> Array:
        self.memory = super().stepped()
        return self.memory


@mistake
class carries_normal(_Remembers):
    """The first normal is kept for all steps."""

    def normal(self, g: Array) -> Array:
        self.memory = super().normal(g) if self.memory is None else self.memory
        return self.memory


@mistake
class carries_momentum(_Remembers):
    """The step of the centre has momentum 0.9."""

    def stepped(self) -> Array:
        self.memory = self.tau if self.memory is None else 0.9 * self.memory + self.tau
        return self.c - self.eta * self.memory


@mistake
class carries_inner_momentum(_Remembers):
    """The inner loop has momentum that no step resets."""

    def descended(self, theta: Array, pull: Array, k: int) -> Array:
        self.memory = pull if self.memory is None else 0.5 * self.memory + pull
        return theta - self.gamma * self.memory


@mistake
class hyperparameters_frozen(_Remembers):
    """The hyper-parameters of the first step are used for all."""

    def tuned(self, eta: float, rho: float, gamma: float, steps: int) -> tuple[float, float, float, int]:
        self.memory = self.memory or (eta, rho, gamma, steps)
        return self.memory


@mistake
class schedule_late(_Remembers):
    """The learning rate is that of the step before."""

    def tuned(self, eta: float, rho: float, gamma: float, steps: int) -> tuple[float, float, float, int]:
        late, self.memory = self.memory or eta, eta
        return late, rho, gamma, steps


@mistake
class radius_late(_Remembers):
    """The radius is that of the step before."""

    def tuned(self, eta: float, rho: float, gamma: float, steps: int) -> tuple[float, float, float, int]:
        late, self.memory = self.memory or rho, rho
        return eta, late, gamma, steps


@mistake
class averages_parameters(_Remembers):
    """The parameters returned are an average over the steps."""

    def finished(self, theta: Array) -> Array:
        self.memory = theta if self.memory is None else 0.5 * self.memory + 0.5 * theta
        return self.memory


@mistake
class waits_a_step(_Remembers):
    """The result of a step is delivered with the next one."""

    def finished(self, theta: Array) -> Array:
        late, self.memory = self.memory, theta
        return theta if late is None else late
