"""The Rolling Ball Optimizer, in four readings of its projection, which Algorithm 1 leaves to "an oracle"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from geometry._namespace import Array
from rbo_ref.oracle.formulas.formula import Formula, Loop, Served

__all__ = ["FullCandidate", "FullContact", "HalfCandidate", "RollingBallFormula"]


class RollingBallFormula(Formula):
    """From below or beside c̃ = (x, y), P times θ ← θ − γ[(θ − x) + (f − y)∇f], γ being the projection rate or twice it.

    c̃ = c − ητ,  c = (θ, f) + ρν,  ν = (−g, 1)/√(1 + |g|²),  τ = (g, |g|²), height last. Algorithm 1. As a port it takes
    one step in a call.

    Examples
    --------
    >>> import numpy as np
    >>> port = RollingBallFormula()
    >>> bowl = lambda theta: (theta @ theta / 2, theta)
    >>> port(bowl, np.array([1.0]), learning_rate=0.5, radius=1.0, projection_rate=0.25, projection_steps=1)  # 1 − γηW²
    array([0.75])
    """

    optimizer = "rolling-ball"
    dialect, reading = "authors", "half gradient, inner loop from the contact (the authors' code)"
    factor: ClassVar[int] = 1  # of the projection rate
    begins: ClassVar[str] = "contact"  # where the inner loop starts, or "candidate"
    is_memoryless = True
    parts: ClassVar[Mapping[str, str]] = {"normal": "nu", "tangent": "tau", "center": "c", "candidate": "candidate"}
    loop = Loop("candidate", "projection_steps", run="projected", iteration="descended")
    machinery = Formula.machinery | {"step", "lifted", "joined"}

    def __call__(  # type: ignore[override]
        self,
        loss: Served,
        theta: Array,
        *,
        learning_rate: float,
        radius: float,
        projection_rate: float,
        projection_steps: int,
    ) -> Array:
        hyper = {"projection_rate": projection_rate, "projection_steps": projection_steps}
        return self.advance(loss, theta, {"learning_rate": learning_rate, "radius": radius} | hyper)

    def heed(self, hyper: Mapping[str, Any]) -> None:
        told = (hyper[name] for name in ("learning_rate", "radius", "projection_rate", "projection_steps"))
        self.eta, self.rho, self.gamma, self.steps = self.tuned(*told)
        self.gamma = self.factor * self.gamma

    def tuned(  # type: ignore[override]
        self, eta: float, rho: float, gamma: float, steps: int
    ) -> tuple[float, float, float, int]:
        return eta, rho, gamma, steps

    def step(self, theta: Array) -> Array:
        return self.finished(self.looped(self.lifted(theta)))

    def lifted(self, theta: Array) -> Array:
        """From the contact to the candidate."""
        self.f, self.g = self.evaluated(theta)
        self.nu, self.tau = self.normal(self.g), self.tangent(self.g)
        self.p = self.contact(theta, self.f)
        self.c = self.center()
        self.candidate = self.stepped()
        return self.candidate

    def looped(self, goal: Array, start: Array | None = None) -> Array:
        self.candidate, self.x, self.y = goal, goal[:-1], goal[-1]
        if start is None:
            start = self.start() if self.begins == "contact" else self.x
        return self.projected(start)

    # the lines of the algorithm

    def evaluated(self, theta: Array) -> tuple[Array, Array]:
        return self.loss(theta)

    def contact(self, theta: Array, f: Array) -> Array:
        return self.joined(theta, f)

    def normal(self, g: Array) -> Array:
        return self.joined(-g / self.stretch(g), self.inverse(self.stretch(g)))

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
        return (theta - self.x) + (f - self.y) * g

    def descended(self, theta: Array, pull: Array, k: int) -> Array:
        return theta - self.gamma * pull

    def finished(self, theta: Array) -> Array:
        return theta

    def joined(self, vector: Array, number: Array) -> Array:
        """A point of the ambient space."""
        return self.xp.concat([vector, self.xp.reshape(number, (1,))])


class HalfCandidate(RollingBallFormula):
    """The inner loop starts below the candidate."""

    dialect, reading = "half-candidate", "half gradient, inner loop from below the candidate"
    begins = "candidate"


class FullContact(RollingBallFormula):
    """The inner loop follows the gradient of the squared distance, not of half of it."""

    dialect, reading = "full-contact", "full gradient of the squared distance, inner loop from the contact"
    factor = 2


class FullCandidate(FullContact, HalfCandidate):
    """Both."""

    dialect = "full-candidate"
    reading = "full gradient of the squared distance, inner loop from below the candidate"
