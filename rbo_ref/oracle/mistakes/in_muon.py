"""What people get wrong in Muon."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.mistake import Mistake

__all__ = ["MISTAKES"]


def _exactly(self: Any, x: Array) -> Array:
    u, _, vh = self.xp.linalg.svd(x, full_matrices=False)
    return u @ vh


MISTAKES = {
    "coefficients_cubic": Mistake(
        "The coefficients are always those of the cubic iteration, (1.5, −0.5, 0)",
        iterated=lambda self, x, gram, a, b, c: self.right.iterated(x, gram, 1.5, -0.5, 0.0),
    ),
    "coefficients_fixed": Mistake(
        "The coefficients are always the usual ones, whatever it is told",
        iterated=lambda self, x, gram, a, b, c: self.right.iterated(x, gram, 3.4445, -4.775, 2.0315),
    ),
    "coefficients_swapped": Mistake(
        "The coefficients b and c are exchanged",
        iterated=lambda self, x, gram, a, b, c: self.right.iterated(x, gram, a, c, b),
    ),
    "gram_not_squared": Mistake(
        "The iteration is aX + (b + c)AX: the square of A is missing",
        iterated=lambda self, x, gram, a, b, c: a * x + (b * gram + c * gram) @ x,
    ),
    "gram_squared_by_entries": Mistake(
        "The square of A is taken entry by entry",
        iterated=lambda self, x, gram, a, b, c: a * x + (b * gram + c * gram * gram) @ x,
    ),
    "one_iteration_too_few": Mistake(
        "One iteration of Newton and Schulz is missing", tuned=lambda self, hyper: hyper | {"steps": hyper["steps"] - 1}
    ),
    "one_iteration_too_many": Mistake(
        "There is one iteration of Newton and Schulz too many",
        tuned=lambda self, hyper: hyper | {"steps": hyper["steps"] + 1},
    ),
    "normalized_by_spectral_norm": Mistake(
        "The matrix is divided by its largest singular value instead of its Frobenius norm",
        normalized=lambda self, x: x / self.xp.linalg.matrix_norm(x, ord=2),
    ),
    "normalized_by_rows": Mistake(
        "Each row is divided by its own norm",
        normalized=lambda self, x: x / self.xp.sqrt(self.xp.sum(x * x, axis=-1, keepdims=True)),
    ),
    "normalization_missing": Mistake("The matrix is not divided by its norm", normalized=lambda self, x: x),
    "epsilon_added": Mistake(
        "Epsilon is added to the norm, as in Jordan's code, instead of bounding it from below",
        normalized=lambda self, x: x / (self.norm(x) + self.h.epsilon),
    ),
    "exactly_orthogonal": Mistake(
        "The matrix is orthogonalized exactly (UVᵀ) instead of by the iteration", orthogonalized=_exactly
    ),
    "signs_for_orthogonal": Mistake(
        "The signs of the entries are followed: the matrix is not orthogonalized",
        orthogonalized=lambda self, x: self.xp.sign(x),
    ),
    "scale_missing": Mistake(
        "The step is not scaled by the shape of the matrix", scale=lambda self, rows, columns: 1.0
    ),
    "scale_of_the_transpose": Mistake(
        "The scale is √max(1, n/m): rows and columns are exchanged, as they are after transposing",
        scale=lambda self, rows, columns: self.right.scale(columns, rows),
    ),
    "scale_not_bounded": Mistake(
        "The scale is √(m/n), below 1 for wide matrices",
        scale=lambda self, rows, columns: self.number(rows / columns) ** 0.5,
    ),
    "scale_without_root": Mistake(
        "The scale is max(1, m/n), without the root",
        scale=lambda self, rows, columns: self.number(max(1.0, rows / columns)),
    ),
    "nesterov_ignored": Mistake("Nesterov's look-ahead is not taken", ahead=lambda self, g, b: b),
    "nesterov_always": Mistake(
        "Nesterov's look-ahead is taken where it is not asked for",
        direction=lambda self, g, b: self.orthogonalized(self.ahead(g, b)),
    ),
    "nesterov_of_the_sum": Mistake(
        "The look-ahead mixes two conventions: g + μb with an averaged b",
        ahead=lambda self, g, b: g + self.h.momentum * b,
    ),
    "momentum_ignored": Mistake(
        "There is no momentum", ahead=lambda self, g, b: g, direction=lambda self, g, b: self.orthogonalized(g)
    ),
    "momentum_of_orthogonal": Mistake(
        "Gradients are orthogonalized before they are averaged, not after",
        gradient=lambda self, theta: self.orthogonalized(self.right.gradient(theta)),
        direction=lambda self, g, b: self.ahead(g, b) if self.h.nesterov else b,
    ),
    "decay_in_the_gradient": Mistake(
        "The decay λθ is added to the gradient instead of being decoupled",
        gradient=lambda self, theta: self.right.gradient(theta) + self.h.weight_decay * theta,
        decay=lambda self, theta: 0 * theta,
    ),
    "decay_scaled": Mistake(
        "The decay is scaled by the shape of the matrix, like the step",
        decay=lambda self, theta: self.scale(*theta.shape) * self.right.decay(theta),
    ),
    "decay_without_rate": Mistake(
        "The decay is λθ, without the learning rate", decay=lambda self, theta: self.h.weight_decay * theta
    ),
    "decay_ignored": Mistake("There is no decay", decay=lambda self, theta: 0 * theta),
}
