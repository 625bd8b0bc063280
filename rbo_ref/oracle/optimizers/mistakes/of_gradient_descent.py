"""Gradient descent, and what people get wrong in it."""

from __future__ import annotations

from geometry._namespace import Array
from rbo_ref.oracle.optimizers.mistakes.right_port import OptimizerPort, mistake, right


@right
class GradientDescentPort(OptimizerPort):
    """A right port."""

    optimizer = "gradient-descent"

    def begin(self, theta: Array) -> None:
        self.v = 0 * theta

    def stepped(self, theta: Array) -> Array:
        g = self.gradient(theta)
        self.v = self.remembered(self.v, g)
        return theta - self.h.learning_rate * self.direction(g, self.v)

    def remembered(self, v: Array, g: Array) -> Array:
        return self.h.momentum * v + g

    def direction(self, g: Array, v: Array) -> Array:
        return g + self.h.momentum * v if self.h.nesterov else v


@mistake
class momentum_dampened(GradientDescentPort):
    """The momentum is an average: v ← μv + (1 − μ)g."""

    def remembered(self, v: Array, g: Array) -> Array:
        return self.h.momentum * v + (1 - self.h.momentum) * g


@mistake
class momentum_dampened_late(GradientDescentPort):
    """The momentum is an average from the second step on, after v = g."""

    def remembered(self, v: Array, g: Array) -> Array:
        return g if self.t == 1 else self.h.momentum * v + (1 - self.h.momentum) * g


@mistake
class momentum_ignored(GradientDescentPort):
    """There is no momentum."""

    def remembered(self, v: Array, g: Array) -> Array:
        return g


@mistake
class momentum_of_first_gradient(GradientDescentPort):
    """The momentum starts as g₁ and is used before it is renewed: g₁ counts twice."""

    def remembered(self, v: Array, g: Array) -> Array:
        return self.h.momentum * (g if self.t == 1 else v) + g


@mistake
class nesterov_ignored(GradientDescentPort):
    """Nesterov's look-ahead is not taken."""

    def direction(self, g: Array, v: Array) -> Array:
        return v


@mistake
class nesterov_always(GradientDescentPort):
    """Nesterov's look-ahead is taken where it is not asked for."""

    def direction(self, g: Array, v: Array) -> Array:
        return g + self.h.momentum * v


@mistake
class nesterov_without_momentum_factor(GradientDescentPort):
    """Nesterov's look-ahead is g + v, without μ."""

    def direction(self, g: Array, v: Array) -> Array:
        return g + v if self.h.nesterov else v


@mistake
class nesterov_squared(GradientDescentPort):
    """Nesterov's look-ahead is v + μv: the gradient is counted with the momentum."""

    def direction(self, g: Array, v: Array) -> Array:
        return v + self.h.momentum * v if self.h.nesterov else v


@mistake
class nesterov_before_the_step(GradientDescentPort):
    """Nesterov's gradient is taken at θ − ημv, and θ moves by v (Sutskever's form): another sequence."""

    def stepped(self, theta: Array) -> Array:
        ahead = self.h.learning_rate * self.h.momentum * self.v if self.h.nesterov else 0
        self.v = self.remembered(self.v, self.gradient(theta - ahead))
        return theta - self.h.learning_rate * self.v


@mistake
class gradient_normalized(GradientDescentPort):
    """The gradient is divided by its norm."""

    def gradient(self, theta: Array) -> Array:
        g = super().gradient(theta)
        return g / self.norm(g)


@mistake
class gradient_clipped(GradientDescentPort):
    """The gradient is clipped to length 1."""

    def gradient(self, theta: Array) -> Array:
        g = super().gradient(theta)
        length = self.norm(g)
        return g / self.xp.maximum(length, self.xp.ones_like(length))


@mistake
class weight_decay_added(GradientDescentPort):
    """Weight decay of 1e-2 is added to the gradient."""

    def gradient(self, theta: Array) -> Array:
        return super().gradient(theta) + 1e-2 * theta


@mistake
class momentum_of_moves(GradientDescentPort):
    """The momentum gathers moves that the learning rate then shrinks again: v ← μv + ηg, θ ← θ − ηv."""

    def remembered(self, v: Array, g: Array) -> Array:
        return self.h.momentum * v + self.h.learning_rate * g
