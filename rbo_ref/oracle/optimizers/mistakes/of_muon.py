"""Muon, and what people get wrong in it."""

from __future__ import annotations

from geometry._namespace import Array
from rbo_ref.oracle.optimizers.mistakes.right_port import OptimizerPort, mistake, right


@right
class MuonPort(OptimizerPort):
    """A right port."""

    optimizer = "muon"

    def begin(self, theta: Array) -> None:
        self.b = 0 * theta

    def stepped(self, theta: Array) -> Array:
        g = self.gradient(theta)
        self.b = self.h.momentum * self.b + (1 - self.h.momentum) * g
        move = self.h.learning_rate * self.scale(*theta.shape) * self.direction(g, self.b)
        return theta - move - self.decay(theta)

    def direction(self, g: Array, b: Array) -> Array:
        return self.orthogonalized(self.ahead(g, b) if self.h.nesterov else b)

    def ahead(self, g: Array, b: Array) -> Array:
        return (1 - self.h.momentum) * g + self.h.momentum * b

    def orthogonalized(self, x: Array) -> Array:
        if x.shape[0] > x.shape[1]:
            return self.orthogonalized(x.T).T
        x = self.normalized(x)
        for _ in range(self.h.steps):
            x = self.iterated(x, x @ x.T, *self.h.coefficients)
        return x

    def normalized(self, x: Array) -> Array:
        size = self.norm(x)
        return x / self.xp.maximum(size, 0 * size + self.h.epsilon)

    def iterated(self, x: Array, gram: Array, a: float, b: float, c: float) -> Array:
        return a * x + (b * gram + c * gram @ gram) @ x

    def scale(self, rows: int, columns: int) -> float:
        if self.dialect == "match_rms_adamw":
            return 0.2 * max(rows, columns) ** 0.5
        return max(1, rows / columns) ** 0.5

    def decay(self, theta: Array) -> Array:
        return self.h.learning_rate * self.h.weight_decay * theta


@mistake
class coefficients_cubic(MuonPort):
    """The coefficients are always those of the cubic iteration, (1.5, −0.5, 0)."""

    def iterated(self, x: Array, gram: Array, a: float, b: float, c: float) -> Array:
        return super().iterated(x, gram, 1.5, -0.5, 0.0)


@mistake
class coefficients_fixed(MuonPort):
    """The coefficients are always the usual ones, whatever it is told."""

    def iterated(self, x: Array, gram: Array, a: float, b: float, c: float) -> Array:
        return super().iterated(x, gram, 3.4445, -4.775, 2.0315)


@mistake
class coefficients_swapped(MuonPort):
    """The coefficients b and c are exchanged."""

    def iterated(self, x: Array, gram: Array, a: float, b: float, c: float) -> Array:
        return super().iterated(x, gram, a, c, b)


@mistake
class gram_not_squared(MuonPort):
    """The iteration is aX + (b + c)AX: the square of A is missing."""

    def iterated(self, x: Array, gram: Array, a: float, b: float, c: float) -> Array:
        return a * x + (b * gram + c * gram) @ x


@mistake
class gram_squared_by_entries(MuonPort):
    """The square of A is taken entry by entry."""

    def iterated(self, x: Array, gram: Array, a: float, b: float, c: float) -> Array:
        return a * x + (b * gram + c * gram * gram) @ x


@mistake
class one_iteration_too_few(MuonPort):
    """One iteration of Newton and Schulz is missing."""

    def tuned(self, hyper: dict) -> dict:
        return hyper | {"steps": hyper["steps"] - 1}


@mistake
class one_iteration_too_many(MuonPort):
    """There is one iteration of Newton and Schulz too many."""

    def tuned(self, hyper: dict) -> dict:
        return hyper | {"steps": hyper["steps"] + 1}


@mistake
class normalized_by_spectral_norm(MuonPort):
    """The matrix is divided by its largest singular value instead of its Frobenius norm."""

    def normalized(self, x: Array) -> Array:
        return x / self.xp.linalg.matrix_norm(x, ord=2)


@mistake
class normalized_by_rows(MuonPort):
    """Each row is divided by its own norm."""

    def normalized(self, x: Array) -> Array:
        return x / self.xp.sqrt(self.xp.sum(x * x, axis=-1, keepdims=True))


@mistake
class normalization_missing(MuonPort):
    """The matrix is not divided by its norm."""

    def normalized(self, x: Array) -> Array:
        return x


@mistake
class epsilon_added(MuonPort):
    """Epsilon is added to the norm, as in Jordan's code, instead of bounding it from below."""

    def normalized(self, x: Array) -> Array:
        return x / (self.norm(x) + self.h.epsilon)


@mistake
class exactly_orthogonal(MuonPort):
    """The matrix is orthogonalized exactly (UVᵀ) instead of by the iteration."""

    def orthogonalized(self, x: Array) -> Array:
        u, _, vh = self.xp.linalg.svd(x, full_matrices=False)
        return u @ vh


@mistake
class signs_for_orthogonal(MuonPort):
    """The signs of the entries are followed: the matrix is not orthogonalized."""

    def orthogonalized(self, x: Array) -> Array:
        return self.xp.sign(x)


@mistake
class scale_missing(MuonPort):
    """The step is not scaled by the shape of the matrix."""

    def scale(self, rows: int, columns: int) -> float:
        return 1.0


@mistake
class scale_of_the_transpose(MuonPort):
    """The scale is √max(1, n/m): rows and columns are exchanged, as they are after transposing."""

    def scale(self, rows: int, columns: int) -> float:
        return super().scale(columns, rows)


@mistake
class scale_not_bounded(MuonPort):
    """The scale is √(m/n), below 1 for wide matrices."""

    def scale(self, rows: int, columns: int) -> float:
        return (rows / columns) ** 0.5


@mistake
class scale_without_root(MuonPort):
    """The scale is max(1, m/n), without the root."""

    def scale(self, rows: int, columns: int) -> float:
        return max(1, rows / columns)


@mistake
class nesterov_ignored(MuonPort):
    """Nesterov's look-ahead is not taken."""

    def ahead(self, g: Array, b: Array) -> Array:
        return b


@mistake
class nesterov_always(MuonPort):
    """Nesterov's look-ahead is taken where it is not asked for."""

    def direction(self, g: Array, b: Array) -> Array:
        return self.orthogonalized(self.ahead(g, b))


@mistake
class nesterov_of_the_sum(MuonPort):
    """The look-ahead mixes two conventions: g + μb with an averaged b."""

    def ahead(self, g: Array, b: Array) -> Array:
        return g + self.h.momentum * b


@mistake
class momentum_ignored(MuonPort):
    """There is no momentum."""

    def ahead(self, g: Array, b: Array) -> Array:
        return g

    def direction(self, g: Array, b: Array) -> Array:
        return self.orthogonalized(g)


@mistake
class momentum_of_orthogonal(MuonPort):
    """Gradients are orthogonalized before they are averaged, not after."""

    def gradient(self, theta: Array) -> Array:
        return self.orthogonalized(super().gradient(theta))

    def direction(self, g: Array, b: Array) -> Array:
        return self.ahead(g, b) if self.h.nesterov else b


@mistake
class decay_in_the_gradient(MuonPort):
    """The decay λθ is added to the gradient instead of being decoupled."""

    def gradient(self, theta: Array) -> Array:
        return super().gradient(theta) + self.h.weight_decay * theta

    def decay(self, theta: Array) -> Array:
        return 0 * theta


@mistake
class decay_scaled(MuonPort):
    """The decay is scaled by the shape of the matrix, like the step."""

    def decay(self, theta: Array) -> Array:
        return self.scale(*theta.shape) * super().decay(theta)


@mistake
class decay_without_rate(MuonPort):
    """The decay is λθ, without the learning rate."""

    def decay(self, theta: Array) -> Array:
        return self.h.weight_decay * theta


@mistake
class decay_ignored(MuonPort):
    """There is no decay."""

    def decay(self, theta: Array) -> Array:
        return 0 * theta
