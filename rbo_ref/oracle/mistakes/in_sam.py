"""What people get wrong in SAM and ASAM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.mistake import Mistake
from rbo_ref.oracle.parts import joined, split

__all__ = ["MISTAKES"]


def _first_heard(self: Any, theta: Array) -> None:
    self.last = self.gradient(theta)


def _along_the_last(self: Any, theta: Array) -> Array:
    self.last = self.gradient(theta + self.perturbation(theta, self.last))
    return theta - self.h.learning_rate * self.last


def _adaptive(change: Callable[[Any, Array, Array], Array]) -> Any:
    """A perturbation that differs where it is adaptive: ρ times a function of |θ| and g."""

    def perturbation(self: Any, theta: Array, g: Array) -> Array:
        if self.h.adaptive:
            return self.h.radius * change(self, self.xp.abs(theta), g)
        return self.right.perturbation(theta, g)

    return perturbation


MISTAKES = {
    "descends_first": Mistake(
        "The perturbation goes downhill: e = −ρg/|g|",
        perturbation=lambda self, theta, g: -self.right.perturbation(theta, g),
    ),
    "norm_per_coordinate": Mistake(
        "Each coordinate has a norm of its own: the perturbation is ρ sign(g)",
        length=lambda self, g: self.xp.abs(g) + self.h.epsilon,
    ),
    "norm_per_tensor": Mistake(
        "Each parameter tensor has a norm of its own; the ball is one for all parameters",
        length=lambda self, g: joined([0 * part + self.norm(part) for part in split(g)]) + self.h.epsilon,
    ),
    "norm_missing": Mistake("The perturbation is ρg: it is not divided by the norm", length=lambda self, g: 1 + 0 * g),
    "norm_squared": Mistake(
        "The perturbation is divided by |g|²", length=lambda self, g: self.xp.sum(g * g) + self.h.epsilon
    ),
    "norm_of_absolutes": Mistake(
        "The perturbation is divided by Σ|gᵢ|", length=lambda self, g: self.xp.sum(self.xp.abs(g)) + self.h.epsilon
    ),
    "norm_of_means": Mistake(
        "The norm is a root mean square: a mean where the norm sums",
        length=lambda self, g: self.xp.sqrt(self.xp.mean(g * g)) + self.h.epsilon,
    ),
    "epsilon_missing": Mistake("There is no epsilon: a zero gradient gives NaN", length=lambda self, g: self.norm(g)),
    "epsilon_inside_the_root": Mistake(
        "Epsilon stands under the root: √(|g|² + ε)",
        length=lambda self, g: self.xp.sqrt(self.xp.sum(g * g) + self.h.epsilon),
    ),
    "gradient_not_renewed": Mistake(
        "The gradient is not taken again at the perturbed place: plain gradient descent",
        step=lambda self, theta: theta - self.h.learning_rate * self.gradient(theta),
    ),
    "starts_from_the_perturbed_place": Mistake(
        "The step is taken from θ + e: the perturbation is not undone",
        step=lambda self, theta: self.right.step(theta) + self.perturbation(theta, self.g),
    ),
    "gradients_added": Mistake(
        "Both gradients are added (the first is not zeroed)",
        step=lambda self, theta: self.right.step(theta) - self.h.learning_rate * self.g,
    ),
    "gradients_averaged": Mistake(
        "The mean of both gradients is followed",
        step=lambda self, theta: (self.right.step(theta) + theta - self.h.learning_rate * self.g) / 2,
    ),
    "radius_times_rate": Mistake(
        "The perturbation is multiplied by the learning rate",
        perturbation=lambda self, theta, g: self.h.learning_rate * self.right.perturbation(theta, g),
    ),
    "radius_fixed": Mistake(
        "The radius is always 0.05, whatever it is told", tuned=lambda self, hyper: hyper | {"radius": 0.05}
    ),
    "perturbs_along_the_last_gradient": Mistake(
        "The perturbation is along the gradient of the step before, to spare an evaluation",
        begin=_first_heard,
        step=_along_the_last,
    ),
    "adaptive_ignored": Mistake(
        "ASAM is SAM: the scale of the parameters is not used", tuned=lambda self, hyper: hyper | {"adaptive": False}
    ),
    "adaptive_once": Mistake(
        "ASAM's perturbation is ρ|θ|g/‖|θ|g‖: one factor |θ| is missing",
        perturbation=_adaptive(lambda self, scale, g: scale * g / self.length(scale * g)),
    ),
    "adaptive_norm_unscaled": Mistake(
        "ASAM's perturbation is ρθ²g/|g|: the norm is not that of |θ|g",
        perturbation=_adaptive(lambda self, scale, g: scale * scale * g / self.length(g)),
    ),
    "adaptive_norm_of_squares": Mistake(
        "ASAM's perturbation is divided by ‖θ²g‖",
        perturbation=_adaptive(lambda self, scale, g: scale * scale * g / self.length(scale * scale * g)),
    ),
}
