"""A right port in the plainest words, one method for each line of the algorithm: a mistake overrides one or two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from geometry._namespace import Array, array_namespace

__all__ = ["MISTAKES", "RightPort", "mistake"]


class RightPort:
    """A right port. The intermediate quantities are attributes, so that a mistake can mix them up.

    Examples
    --------
    >>> import numpy as np
    >>> port = RightPort()
    >>> bowl = lambda theta: (theta @ theta / 2, theta)
    >>> port(bowl, np.array([1.0]), learning_rate=0.5, radius=1.0, projection_rate=0.25, projection_steps=1)  # 1 − γηW²
    array([0.75])
    """

    name: ClassVar[str] = "right"
    description: ClassVar[str] = "a right port"
    walks = False  # it goes where it says
    factor: ClassVar[int] = 1  # the dialect: of the projection rate,
    begins: ClassVar[str] = "contact"  # and where the inner loop starts

    def fresh(self) -> RightPort:
        """The same port without memory."""
        return type(self)()

    def __call__(
        self,
        loss: Callable[[Array], tuple[Array, Array]],
        theta: Array,
        *,
        learning_rate: float,
        radius: float,
        projection_rate: float,
        projection_steps: int,
    ) -> Array:
        self.xp, self.theta = array_namespace(theta), theta
        self.eta, self.rho, self.gamma, self.steps = self.tuned(
            learning_rate, radius, projection_rate, projection_steps
        )
        self.gamma, self.loss = self.factor * self.gamma, self.served(loss)
        self.f, self.g = self.evaluated(theta)
        self.nu, self.tau = self.normal(self.g), self.tangent(self.g)
        self.p = self.contact(theta, self.f)
        self.c = self.center()
        self.candidate = self.stepped()
        start = self.start() if self.begins == "contact" else self.candidate[:-1]
        return self.finished(self.projected(start))

    def advance(self, loss: Any, theta: Array, hyper: Mapping[str, Any], draw: Any = None) -> Array:
        """One step, in any arithmetic."""
        return self(loss, theta, **hyper)

    def delivered(self, iterates: list[Array]) -> list[Array]:
        return iterates[1:]

    # the lines of the algorithm

    def tuned(self, eta: float, rho: float, gamma: float, steps: int) -> tuple[float, float, float, int]:
        return eta, rho, gamma, steps

    def served(self, loss: Any) -> Any:
        return lambda theta: self.answered(*loss(theta))

    def answered(self, f: Array, g: Array) -> tuple[Array, Array]:
        return f, g

    def evaluated(self, theta: Array) -> tuple[Array, Array]:
        return self.loss(theta)

    def contact(self, theta: Array, f: Array) -> Array:
        return self.joined(theta, f)

    def normal(self, g: Array) -> Array:
        return self.joined(-g / self.stretch(g), 1 / self.stretch(g))

    def stretch(self, g: Array) -> Array:
        return self.xp.sqrt(1 + self.square(g))

    def square(self, g: Array) -> Array:
        return self.xp.sum(g * g)

    def tangent(self, g: Array) -> Array:
        return self.joined(g, self.square(g))

    def center(self) -> Array:
        return self.p + self.rho * self.nu

    def stepped(self) -> Array:
        return self.c - self.eta * self.tau

    def start(self) -> Array:
        return self.theta

    def projected(self, theta: Array) -> Array:
        for k in range(self.steps):
            theta = self.descended(theta, self.pull(theta), k)
        return theta

    def pull(self, theta: Array) -> Array:
        """The gradient of half the squared distance to the candidate."""
        f, g = self.loss(theta)
        away = self.joined(theta, f) - self.candidate
        return away[:-1] + away[-1] * g

    def descended(self, theta: Array, pull: Array, k: int) -> Array:
        return theta - self.gamma * pull

    def finished(self, theta: Array) -> Array:
        return theta

    # tools

    def joined(self, vector: Array, number: Array) -> Array:
        return self.xp.concat([vector, self.xp.reshape(number, (1,))])

    def norm(self, vector: Array) -> Array:
        return self.xp.sqrt(self.xp.sum(vector * vector))


MISTAKES: dict[str, type[RightPort]] = {}


def mistake(cls: type[RightPort]) -> type[RightPort]:
    """Enter a wrong port into the catalogue; its docstring is the description.

    Examples
    --------
    >>> MISTAKES["ascent"].description
    'The centre moves uphill: + ητ'
    """
    cls.name, cls.description = cls.__name__, (cls.__doc__ or "").strip().rstrip(".")
    MISTAKES[cls.name] = cls
    return cls
