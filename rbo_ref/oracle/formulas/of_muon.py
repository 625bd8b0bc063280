"""Muon, in the readings of PyTorch, of its author, of Optax and of Keras."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.formulas.formula import Formula

__all__ = ["JordanMuon", "KerasMuon", "MatchedMuon", "MuonFormula", "OptaxMuon"]


class MuonFormula(Formula):
    """b ← μb + (1−μ)g;  θ ← θ − ηλθ − η·scale·O, O the orthogonalized b, or (1−μ)g + μb with Nesterov's look-ahead.

    Newton and Schulz iterate X ← aX + (bA + cA²)X, A = XXᵀ, from X = b/max(|b|_F, ε), always with more columns than
    rows. The scale of an m × n matrix is √max(1, m/n). Jordan et al. (2024), in PyTorch's reading.
    """

    optimizer, dialect = "muon", "original"
    inner_line = "orthogonalized"

    def begin(self, theta: Array) -> None:
        self.b = self.xp.zeros_like(theta)

    def step(self, theta: Array) -> Array:
        g = self.gradient(theta)
        self.b = self.remembered(self.b, g)
        move = self.h.learning_rate * self.scale(*theta.shape) * self.direction(g, self.b)
        return theta - self.decay(theta) - move

    def remembered(self, b: Array, g: Array) -> Array:
        return self.h.momentum * b + (1 - self.h.momentum) * g

    def direction(self, g: Array, b: Array) -> Array:
        return self.orthogonalized(self.ahead(g, b) if self.h.nesterov else b)

    def ahead(self, g: Array, b: Array) -> Array:
        return self.h.momentum * b + (1 - self.h.momentum) * g

    def orthogonalized(self, x: Array) -> Array:
        if x.shape[0] > x.shape[1]:
            return self.orthogonalized(x.T).T
        x = self.normalized(self.again(x))
        for _ in range(self.h.steps):
            x = self.iterated(x, x @ x.T, *self.h.coefficients)
        return x

    def normalized(self, x: Array) -> Array:
        return x / self.max(self.norm(x), self.h.epsilon)

    def iterated(self, x: Array, gram: Array, a: Any, b: Any, c: Any) -> Array:
        return a * x + (b * gram + c * (gram @ gram)) @ x

    def scale(self, rows: int, columns: int) -> Any:
        return self.number(max(1.0, rows / columns)) ** 0.5

    def decay(self, theta: Array) -> Array:
        return self.h.learning_rate * self.h.weight_decay * theta


class MatchedMuon(MuonFormula):
    """The scale is 0.2 √max(m, n), which makes steps as large as those of AdamW."""

    dialect, reading = "match_rms_adamw", "steps are scaled by 0.2 √max(m, n)"

    def scale(self, rows: int, columns: int) -> Any:
        return self.number(0.04 * max(rows, columns)) ** 0.5


class _Added(MuonFormula):
    """ε is added to the norm."""

    def normalized(self, x: Array) -> Array:
        return x / (self.norm(x) + self.h.epsilon)


class _Summed(_Added):
    """And the momentum is a sum, b ← μb + g."""

    def remembered(self, b: Array, g: Array) -> Array:
        return self.h.momentum * b + g

    def ahead(self, g: Array, b: Array) -> Array:
        return g + self.h.momentum * b


class JordanMuon(_Summed):
    """The author's program of 2024, which has the coefficients 3.4445, −4.775 and 2.0315 in its text."""

    dialect = "jordan"
    reading = "the momentum is a sum, ε is added to the norm, the coefficients are always the usual ones"

    def iterated(self, x: Array, gram: Array, a: Any, b: Any, c: Any) -> Array:
        return super().iterated(x, gram, self.number(3.4445), self.number(-4.775), self.number(2.0315))


class KerasMuon(_Summed, MatchedMuon):
    """A momentum that is a sum, ε added to the norm, and steps that are scaled by 0.2 √max(m, n)."""

    dialect = "keras"
    reading = "the momentum is a sum, ε is added to the norm, steps are scaled by 0.2 √max(m, n)"


class OptaxMuon(_Added):
    """b/(1−μᵗ), or with Nesterov's look-ahead μb/(1−μᵗ⁺¹) + (1−μ)g/(1−μᵗ); the scale is √max(1, n/m)."""

    dialect = "optax"
    reading = "the momentum is corrected for its bias, ε is added to the norm, a matrix lies as columns by rows"

    def direction(self, g: Array, b: Array) -> Array:
        return self.orthogonalized(self.ahead(g, b) if self.h.nesterov else b / self.correction(self.t))

    def ahead(self, g: Array, b: Array) -> Array:
        return super().ahead(g / self.correction(self.t), b / self.correction(self.t + 1))

    def correction(self, t: int) -> Any:
        return 1 - self.h.momentum**t

    def scale(self, rows: int, columns: int) -> Any:
        return super().scale(columns, rows)
