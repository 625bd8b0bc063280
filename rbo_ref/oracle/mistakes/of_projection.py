"""Mistakes of the rolling ball in the inner loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.mistake import Mistake

__all__ = ["MISTAKES"]


def _heard(pull: Callable[..., Array]) -> Any:
    """A pull that is a function of f and g, too."""
    return lambda self, theta: pull(self, theta, *self.loss(theta))


def _gap(self: Any, theta: Array, f: Array) -> Array:
    """The distance from the candidate."""
    return self.norm(self.joined(theta, f) - self.candidate)


def _begun_with_height(self: Any, theta: Array) -> Array:
    self.late = self.f
    return self.right.projected(theta)


def _with_late_height(self: Any, theta: Array) -> Array:
    late, (self.late, g) = self.late, self.loss(theta)
    return (theta - self.x) + (late - self.y) * g


def _gathered(self: Any, pull: Array, k: int) -> Array:
    self.velocity = 0.9 * self.velocity + pull if k else pull
    return self.velocity


def _in_turn(self: Any, theta: Array, pull: Array, k: int) -> Array:
    here = self.xp.arange(theta.shape[0]) == k % theta.shape[0]
    return self.xp.where(here, theta - self.gamma * pull, theta)


def _backtracked(self: Any, theta: Array, pull: Array, k: int) -> Array:
    new = theta - self.gamma * pull
    farther = _gap(self, new, self.loss(new)[0]) > _gap(self, theta, self.loss(theta)[0])
    return self.xp.where(farther, theta, new)


def _slow(self: Any, theta: Array, pull: Array, k: int) -> Array:
    move = self.gamma * pull
    return self.xp.where(self.norm(move) < 1e-3 * self.norm(theta), theta, theta - move)


def _averaged(self: Any, theta: Array) -> Array:
    total = 0 * theta
    for k in range(self.steps):
        theta = self.descended(theta, self.pull(theta), k)
        total = total + theta
    return total / self.steps


def _best(self: Any, theta: Array) -> Array:
    best, least = theta, _gap(self, theta, self.loss(theta)[0])
    for k in range(self.steps):
        theta = self.descended(theta, self.pull(theta), k)
        gap = _gap(self, theta, self.loss(theta)[0])
        best, least = self.xp.where(gap < least, theta, best), self.xp.minimum(gap, least)
    return best


MISTAKES = {
    "projects_center": Mistake(
        "The centre before the step is projected, not the candidate: the ball never moves on",
        stepped=lambda self: self.c,
    ),
    "starts_at_center": Mistake(
        "The inner loop starts at the parameters of the centre", start=lambda self: self.c[:-1]
    ),
    "starts_at_gradient_step": Mistake(
        "The inner loop starts at θ − ηg", start=lambda self: self.theta - self.eta * self.g
    ),
    "one_step_too_few": Mistake(
        "The inner loop runs P − 1 times", tuned=lambda self, eta, rho, gamma, steps: (eta, rho, gamma, steps - 1)
    ),
    "one_step_too_many": Mistake(
        "The inner loop runs P + 1 times", tuned=lambda self, eta, rho, gamma, steps: (eta, rho, gamma, steps + 1)
    ),
    "fixed_number_of_steps": Mistake(
        "The inner loop always runs 10 times, whatever it is told",
        tuned=lambda self, eta, rho, gamma, steps: (eta, rho, gamma, 10),
    ),
    "rates_swapped": Mistake(
        "The learning rate and the projection rate are exchanged",
        tuned=lambda self, eta, rho, gamma, steps: (gamma, rho, eta, steps),
    ),
    "learning_rate_in_projection": Mistake(
        "The inner loop uses the learning rate", tuned=lambda self, eta, rho, gamma, steps: (eta, rho, eta, steps)
    ),
    # the pull
    "stale_gradient": Mistake(
        "The inner loop uses the contact's gradient throughout",
        pull=_heard(lambda self, theta, f, g: (theta - self.x) + (f - self.y) * self.g),
    ),
    "stale_height": Mistake(
        "The inner loop uses the contact's height throughout",
        pull=_heard(lambda self, theta, f, g: (theta - self.x) + (self.f - self.y) * g),
    ),
    "stale_loss": Mistake(
        "The inner loop evaluates the loss once, at the contact",
        pull=lambda self, theta: (theta - self.x) + (self.f - self.y) * self.g,
    ),
    "late_height": Mistake(
        "The height in the inner loop is that of the previous iterate, the gradient that of the present one",
        projected=_begun_with_height,
        pull=_with_late_height,
    ),
    "vertical_term_missing": Mistake(
        "The inner loop pulls sideways only: (f − y)g is missing", pull=lambda self, theta: theta - self.x
    ),
    "horizontal_term_missing": Mistake(
        "The inner loop pulls vertically only: θ − x is missing",
        pull=_heard(lambda self, theta, f, g: (f - self.y) * g),
    ),
    "vertical_term_without_gradient": Mistake(
        "The height difference is added to every coordinate: (f − y) is not multiplied by g",
        pull=_heard(lambda self, theta, f, g: (theta - self.x) + (f - self.y)),
    ),
    "vertical_term_sign": Mistake(
        "The vertical pull has the wrong sign: (y − f)g",
        pull=_heard(lambda self, theta, f, g: (theta - self.x) - (f - self.y) * g),
    ),
    "vertical_term_absolute": Mistake(
        "The vertical pull is |f − y|g: the side is lost",
        pull=_heard(lambda self, theta, f, g: (theta - self.x) + self.xp.abs(f - self.y) * g),
    ),
    "distance_not_squared": Mistake(
        "The inner loop descends on the distance, not on its square",
        pull=_heard(lambda self, theta, f, g: self.right.pull(theta) / _gap(self, theta, f)),
    ),
    "projects_to_radius": Mistake(
        "The inner loop pulls to a distance of ρ instead of to the nearest point",
        pull=_heard(lambda self, theta, f, g: self.right.pull(theta) * (1 - self.rho / _gap(self, theta, f))),
    ),
    # the inner step
    "inner_momentum": Mistake(
        "The inner loop has momentum 0.9",
        descended=lambda self, theta, pull, k: theta - self.gamma * _gathered(self, pull, k),
    ),
    "inner_nesterov": Mistake(
        "The inner loop has Nesterov momentum 0.9",
        descended=lambda self, theta, pull, k: theta - self.gamma * (pull + 0.9 * _gathered(self, pull, k)),
    ),
    "inner_rate_decays": Mistake(
        "The inner rate decays as γ/(k + 1)",
        descended=lambda self, theta, pull, k: theta - self.gamma / (k + 1) * pull,
    ),
    "inner_sign": Mistake(
        "The inner loop follows the sign of the pull",
        descended=lambda self, theta, pull, k: theta - self.gamma * self.xp.sign(pull),
    ),
    "inner_weight_decay": Mistake(
        "Weight decay of 1e-2 acts in the inner loop",
        descended=lambda self, theta, pull, k: theta - self.gamma * (pull + 1e-2 * theta),
    ),
    "inner_pull_clipped": Mistake(
        "The inner pull is clipped to length 1",
        descended=lambda self, theta, pull, k: theta - self.gamma * pull / self.max(self.norm(pull), 1.0),
    ),
    "inner_coordinates_in_turn": Mistake("The inner loop moves one coordinate at a time", descended=_in_turn),
    "inner_backtracking": Mistake(
        "Inner steps that go farther from the candidate are taken back", descended=_backtracked
    ),
    "stops_when_small": Mistake(
        "The inner loop stops early, once the pull is shorter than 1e-4",
        descended=lambda self, theta, pull, k: self.xp.where(self.norm(pull) < 1e-4, theta, theta - self.gamma * pull),
    ),
    "stops_when_slow": Mistake("The inner loop stops early, once it moves by less than 1e-3 of θ", descended=_slow),
    # what it returns
    "averages_iterates": Mistake("The mean of the inner iterates is returned", projected=_averaged),
    "best_iterate": Mistake("The inner iterate nearest to the candidate is returned, not the last", projected=_best),
}
