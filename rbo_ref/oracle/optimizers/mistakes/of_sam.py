"""SAM and ASAM, and what people get wrong in them."""

from __future__ import annotations

from geometry._namespace import Array
from rbo_ref.oracle.optimizers.mistakes.right_port import OptimizerPort, mistake, right
from rbo_ref.oracle.parts import joined, split


@right
class SAMPort(OptimizerPort):
    """A right port."""

    optimizer = "sam"

    def stepped(self, theta: Array) -> Array:
        self.g = self.gradient(theta)
        e = self.perturbation(theta, self.g)
        return theta - self.h.learning_rate * self.gradient(theta + e)

    def perturbation(self, theta: Array, g: Array) -> Array:
        if self.h.adaptive:
            scale = self.xp.abs(theta)
            return self.h.radius * scale * scale * g / self.length(scale * g)
        return self.h.radius * g / self.length(g)

    def length(self, g: Array) -> Array:
        return self.norm(g) + self.h.epsilon


@mistake
class descends_first(SAMPort):
    """The perturbation goes downhill: e = −ρg/|g|."""

    def perturbation(self, theta: Array, g: Array) -> Array:
        return -super().perturbation(theta, g)


@mistake
class norm_per_coordinate(SAMPort):
    """Each coordinate has a norm of its own: the perturbation is ρ sign(g)."""

    def length(self, g: Array) -> Array:
        return self.xp.abs(g) + self.h.epsilon


@mistake
class norm_per_tensor(SAMPort):
    """Each parameter tensor has a norm of its own; the ball is one for all parameters."""

    def length(self, g: Array) -> Array:
        return joined([0 * part + self.norm(part) for part in split(g)]) + self.h.epsilon


@mistake
class norm_missing(SAMPort):
    """The perturbation is ρg: it is not divided by the norm."""

    def length(self, g: Array) -> Array:
        return 1 + 0 * g


@mistake
class norm_squared(SAMPort):
    """The perturbation is divided by |g|²."""

    def length(self, g: Array) -> Array:
        return self.xp.sum(g * g) + self.h.epsilon


@mistake
class norm_of_absolutes(SAMPort):
    """The perturbation is divided by Σ|gᵢ|."""

    def length(self, g: Array) -> Array:
        return self.xp.sum(self.xp.abs(g)) + self.h.epsilon


@mistake
class norm_of_means(SAMPort):
    """The norm is a root mean square: a mean where the norm sums."""

    def length(self, g: Array) -> Array:
        return self.xp.sqrt(self.xp.mean(g * g)) + self.h.epsilon


@mistake
class epsilon_missing(SAMPort):
    """There is no epsilon: a zero gradient gives NaN."""

    def length(self, g: Array) -> Array:
        return self.norm(g)


@mistake
class epsilon_inside_the_root(SAMPort):
    """Epsilon stands under the root: √(|g|² + ε)."""

    def length(self, g: Array) -> Array:
        return self.xp.sqrt(self.xp.sum(g * g) + self.h.epsilon)


@mistake
class gradient_not_renewed(SAMPort):
    """The gradient is not taken again at the perturbed place: plain gradient descent."""

    def stepped(self, theta: Array) -> Array:
        return theta - self.h.learning_rate * self.gradient(theta)


@mistake
class starts_from_the_perturbed_place(SAMPort):
    """The step is taken from θ + e: the perturbation is not undone."""

    def stepped(self, theta: Array) -> Array:
        e = self.perturbation(theta, self.gradient(theta))
        return theta + e - self.h.learning_rate * self.gradient(theta + e)


@mistake
class gradients_added(SAMPort):
    """Both gradients are added (the first is not zeroed)."""

    def stepped(self, theta: Array) -> Array:
        return super().stepped(theta) - self.h.learning_rate * self.g


@mistake
class gradients_averaged(SAMPort):
    """The mean of both gradients is followed."""

    def stepped(self, theta: Array) -> Array:
        first = super().stepped(theta)
        return (first + theta - self.h.learning_rate * self.g) / 2


@mistake
class radius_times_rate(SAMPort):
    """The perturbation is multiplied by the learning rate."""

    def perturbation(self, theta: Array, g: Array) -> Array:
        return self.h.learning_rate * super().perturbation(theta, g)


@mistake
class radius_fixed(SAMPort):
    """The radius is always 0.05, whatever it is told."""

    def tuned(self, hyper: dict) -> dict:
        return hyper | {"radius": 0.05}


@mistake
class perturbs_along_the_last_gradient(SAMPort):
    """The perturbation is along the gradient of the step before, to spare an evaluation."""

    def begin(self, theta: Array) -> None:
        self.last = self.gradient(theta)

    def stepped(self, theta: Array) -> Array:
        self.last = self.gradient(theta + self.perturbation(theta, self.last))
        return theta - self.h.learning_rate * self.last


@mistake
class adaptive_ignored(SAMPort):
    """ASAM is SAM: the scale of the parameters is not used."""

    def tuned(self, hyper: dict) -> dict:
        return hyper | {"adaptive": False}


@mistake
class adaptive_once(SAMPort):
    """ASAM's perturbation is ρ|θ|g/‖|θ|g‖: one factor |θ| is missing."""

    def perturbation(self, theta: Array, g: Array) -> Array:
        if not self.h.adaptive:
            return super().perturbation(theta, g)
        scaled = self.xp.abs(theta) * g
        return self.h.radius * scaled / self.length(scaled)


@mistake
class adaptive_norm_unscaled(SAMPort):
    """ASAM's perturbation is ρθ²g/|g|: the norm is not that of |θ|g."""

    def perturbation(self, theta: Array, g: Array) -> Array:
        if not self.h.adaptive:
            return super().perturbation(theta, g)
        return self.h.radius * theta * theta * g / self.length(g)


@mistake
class adaptive_norm_of_squares(SAMPort):
    """ASAM's perturbation is divided by ‖θ²g‖."""

    def perturbation(self, theta: Array, g: Array) -> Array:
        if not self.h.adaptive:
            return super().perturbation(theta, g)
        scaled = theta * theta * g
        return self.h.radius * scaled / self.length(scaled)
