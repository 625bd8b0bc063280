"""What people get wrong in the optimizers of the induced metric."""

from __future__ import annotations

import math
from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.mistake import Mistake

__all__ = ["MISTAKES"]


def _inside_the_root(self: Any, g: Array) -> Array:
    self.r = self.h.beta_rms * self.r + (1 - self.h.beta_rms) * g * g
    return self.xp.sqrt(self.corrected(self.r, self.h.beta_rms) + self.h.epsilon)


def _hidden(self: Any, g: Array) -> int:
    self.hidden = self.right.diagonal(g)
    return 1


MISTAKES = {
    "metric_from_the_momentum": Mistake(
        "The metric is that of the momentum m instead of the gradient",
        metric=lambda self, g, diagonal: self.right.metric(self.m, diagonal),
    ),
    "metric_not_corrected": Mistake(
        "The average e of the metric has no bias correction",
        corrected=lambda self, average, beta: average if average is self.e else self.right.corrected(average, beta),
    ),
    "metric_not_averaged": Mistake(
        "The metric is that of the present gradient: it is not averaged",
        averaged=lambda self, e, q: q * (1 - self.h.beta**self.t),
    ),
    "metric_per_coordinate": Mistake(
        "Each coordinate has a metric of its own, ξgᵢ²: the sum is missing",
        metric=lambda self, g, diagonal: self.h.xi * g * g / diagonal,
    ),
    "metric_mean": Mistake(
        "The metric takes the mean of gᵢ² instead of the sum",
        metric=lambda self, g, diagonal: self.right.metric(g, diagonal) / float(math.prod(g.shape)),
    ),
    "metric_unsquared": Mistake(
        "The metric is ξ|g| instead of ξ|g|²",
        metric=lambda self, g, diagonal: self.h.xi * self.xp.sqrt(self.xp.sum(g * g / diagonal)),
    ),
    "metric_of_absolutes": Mistake(
        "The metric sums |gᵢ| instead of gᵢ²",
        metric=lambda self, g, diagonal: self.h.xi * self.xp.sum(self.xp.abs(g) / diagonal),
    ),
    "metric_without_preconditioner": Mistake(
        'The metric of the variant "rms" is ξ|g|²: it is not divided by D',
        metric=lambda self, g, diagonal: self.h.xi * self.xp.sum(g * g),
    ),
    "xi_squared": Mistake(
        "The metric is ξ²|g|²", metric=lambda self, g, diagonal: self.h.xi * self.right.metric(g, diagonal)
    ),
    "xi_ignored": Mistake(
        "The metric is |g|², without ξ", metric=lambda self, g, diagonal: self.right.metric(g, diagonal) / self.h.xi
    ),
    "shrinkage_by_the_root": Mistake(
        "The step is divided by √(1 + ê), the root of the determinant, instead of 1 + ê",
        shrinkage=lambda self, f, e: (
            self.right.shrinkage(f, e) if self.h.variant == "log" else self.xp.sqrt(self.right.shrinkage(f, e))
        ),
    ),
    "shrinkage_missing": Mistake(
        "The step is not shrunk by the metric",
        shrinkage=lambda self, f, e: 1 / f if self.h.variant == "log" else 1 + 0 * f,
    ),
    "log_unsquared": Mistake(
        'The variant "log" has f/(f + ê) instead of f/(f² + ê)',
        shrinkage=lambda self, f, e: f / (f + e) if self.h.variant == "log" else self.right.shrinkage(f, e),
    ),
    "log_without_loss": Mistake(
        'The variant "log" has 1/(f² + ê): the f above is missing',
        shrinkage=lambda self, f, e: 1 / (f * f + e) if self.h.variant == "log" else self.right.shrinkage(f, e),
    ),
    "log_gradient_only": Mistake(
        'The variant "log" has the metric of log f but follows the gradient of f: 1/(1 + ê/f²)',
        shrinkage=lambda self, f, e: 1 / (1 + e / (f * f)) if self.h.variant == "log" else self.right.shrinkage(f, e),
    ),
    "log_ignored": Mistake(
        'The variant "log" is the plain one',
        tuned=lambda self, hyper: hyper | {"variant": "plain"} if hyper["variant"] == "log" else hyper,
    ),
    "rms_not_corrected": Mistake(
        "The average r of the squares has no bias correction",
        corrected=lambda self, average, beta: average if average is self.r else self.right.corrected(average, beta),
    ),
    "rms_epsilon_inside_the_root": Mistake("Epsilon stands under the root: D = √(r̂ + ε)", diagonal=_inside_the_root),
    "rms_in_the_metric_only": Mistake(
        'The step of the variant "rms" is not divided by D; the metric is',
        diagonal=_hidden,
        metric=lambda self, g, diagonal: self.right.metric(g, self.hidden if self.h.variant == "rms" else 1),
    ),
    "momentum_not_corrected": Mistake(
        "The momentum has no bias correction",
        corrected=lambda self, average, beta: average if average is self.m else self.right.corrected(average, beta),
    ),
    "decay_shrunk": Mistake(
        "The decay is shrunk by the metric like the step", decay=lambda self, theta, s: s * self.right.decay(theta, s)
    ),
    "decay_without_rate": Mistake(
        "The decay is λθ, without the learning rate", decay=lambda self, theta, s: self.h.weight_decay * theta
    ),
    "decay_ignored": Mistake("There is no decay", decay=lambda self, theta, s: 0 * theta),
    "decay_of_the_result": Mistake(
        "The decay is of the new parameters: (1 − ηλ)θ′ after the step",
        step=lambda self, theta: self.right.step(theta) * (1 - self.h.learning_rate * self.h.weight_decay),
        decay=lambda self, theta, s: 0 * theta,
    ),
}
