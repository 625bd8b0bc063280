"""Alice, which models the loss of each coordinate by samples of its gradient."""

from __future__ import annotations

import math
from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.formulas.formula import Formula

__all__ = ["AliceFormula"]


class AliceFormula(Formula):
    """A model of the loss for each coordinate, with a Hessian term h and a glass term ρ, of which δ is the minimizer.

    Averages g̅ (β₁), v (β₂), h and ρ (β₃ = 1 − (q+1)(1−β₂)), every β at most (n−1)/n. In the first 1/(1−β₁) steps, and
    whenever q + 1 divides n, the gradients g₊, g₋ at ν ± σz give samples of h and ρ. After the first 1/(1−β₁) steps,
    ν ← μ + ωδ and μ ← μ + φδ. Duersch et al. (2024).
    """

    optimizer = "alice"
    is_steady = False

    def begin(self, theta: Array) -> None:
        self.mean, self.square, self.bend, self.glass = (self.xp.zeros_like(theta) for _ in range(4))

    def step(self, theta: Array) -> Array:
        (b1, b2), self.here = self.h.betas, self.place(theta)
        g = self.gradient(self.here)
        self.mean = self.averaged(self.mean, g + self.h.l1 * self.xp.sign(self.here) + self.h.l2 * self.here, 1 - b1)
        self.square = self.averaged(self.square, g * g, 1 - b2)
        if self.samples():
            z, around = self.h.learning_rate * self.draw, self.around(theta)
            self.sample(g, self.gradient(around + z), self.gradient(around - z))
        if self.t <= self.warm_up():
            return theta
        delta = self.minimizer()
        self.ahead = self.looked_ahead(theta, delta)
        return self.moved(theta, delta)

    def place(self, theta: Array) -> Array:
        return theta if self.t <= self.warm_up() + 1 else self.ahead

    def around(self, theta: Array) -> Array:
        return self.here

    def averaged(self, old: Array, new: Array, share: Any) -> Array:
        """(1 − w)·old + w·new with w = 1 − β, at least 1/n."""
        w = self.max(share, 1 / self.number(float(self.t)))
        return (1 - w) * old + w * new

    def warm_up(self) -> int:
        beta = self.h.betas[0]
        return math.floor((1 + 1e-9) / (1 - float(getattr(beta, "middle", beta))))

    def samples(self) -> bool:
        return self.t <= self.warm_up() or self.t % (self.h.quick_steps + 1) == 0

    def share_of_samples(self) -> Any:
        return (self.h.quick_steps + 1) * (1 - self.h.betas[1])

    def sample(self, g: Array, plus: Array, minus: Array) -> None:
        self.bend = self.averaged(self.bend, self.sampled(self.slope(g, plus, minus)), self.share_of_samples())
        self.glass = self.averaged(self.glass, self.density((plus + minus) / 2 - g), self.share_of_samples())

    def slope(self, g: Array, plus: Array, minus: Array) -> Array:
        return (plus - minus) / 2 / self.h.learning_rate

    def sampled(self, slope: Array) -> Array:
        return slope * slope + self.h.l2 * self.h.l2 if self.h.hessian == "rms" else self.xp.abs(slope) + self.h.l2

    def density(self, kink: Array) -> Array:
        return 2 * (kink * kink) / self.h.learning_rate

    def minimizer(self) -> Array:
        size, bend = self.xp.abs(self.mean), self.xp.sqrt(self.bend) if self.h.hessian == "rms" else self.bend
        length = size / (self.curvature(self.alpha(size), bend) + self.h.epsilon)
        return -self.xp.sign(self.mean) * self.clipped(length, self.unit(size))

    def alpha(self, size: Array) -> Array:
        return (3 / (4 * self.pi()) if self.h.glass else 0) * self.glass / (size + self.h.epsilon)

    def pi(self) -> Any:
        return math.pi if self.arithmetic is None else self.arithmetic.pi()

    def curvature(self, alpha: Array, h: Array) -> Array:
        return alpha + h + self.xp.sqrt(alpha * (alpha + 2 * h))

    def unit(self, size: Array) -> Array:
        if self.h.bounds == "adam":
            return size / (self.xp.sqrt(self.square) + self.h.epsilon)
        return size if self.h.bounds == "sgdm" else self.xp.ones_like(size)

    def clipped(self, length: Array, unit: Array) -> Array:
        return self.xp.maximum(self.xp.minimum(length, self.h.highest * unit), self.h.lowest * unit)

    def looked_ahead(self, theta: Array, delta: Array) -> Array:
        return theta + self.h.omega * delta

    def moved(self, theta: Array, delta: Array) -> Array:
        return theta + self.h.phi * delta
