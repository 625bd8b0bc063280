"""Mistakes of the rolling ball in what is computed with: the loss, its gradient, the precision."""

from __future__ import annotations

from typing import Any

from geometry._namespace import Array
from rbo_ref.oracle.mistakes.mistake import PRECISIONS, Mistake, in_precision

__all__ = ["MISTAKES"]


def _differenced(self: Any, loss: Any) -> Any:
    def differenced(theta: Array) -> tuple[Array, Array]:
        f, _ = loss(theta)
        h = float(self.xp.finfo(theta.dtype).eps) ** 0.5
        unit = self.xp.eye(theta.shape[0], dtype=theta.dtype)
        slopes = [(loss(theta + h * unit[i, :])[0] - f) / h for i in range(theta.shape[0])]
        return f, self.xp.stack(slopes)

    return differenced


def _summed_in_float32(self: Any, g: Array) -> Array:
    small = self.xp.astype(g, self.xp.float32)
    return self.xp.astype(self.xp.sum(small * small), g.dtype)


MISTAKES = {
    # the gradient and the loss
    "gradient_clipped": Mistake(
        "The loss gradient is clipped to length 1",
        answered=lambda self, f, g: (f, g / self.max(self.norm(g), 1.0)),
    ),
    "gradient_clipped_by_value": Mistake(
        "The entries of the loss gradient are clipped to [−1, 1]",
        answered=lambda self, f, g: (f, self.xp.clip(g, -1.0, 1.0)),
    ),
    "loss_clamped": Mistake(
        "Negative losses are set to zero", answered=lambda self, f, g: (self.xp.maximum(f, self.xp.zeros_like(f)), g)
    ),
    "loss_averaged": Mistake(
        "The gradient is divided by the number of parameters (mean instead of sum)",
        answered=lambda self, f, g: (f, g / g.shape[0]),
    ),
    "finite_differences": Mistake("The gradient is a forward difference of the loss", served=_differenced),
    # the precision
    **{f"{name}_inside": in_precision(name) for name in PRECISIONS},
    "float32_norm": Mistake("The norm of the gradient is summed in float32", square=_summed_in_float32),
    "low_precision": Mistake(
        "The result carries noise far above the rounding of its dtype",
        finished=lambda self, theta: theta * (1 + 1e-11 * self.xp.sin(1e6 * theta)),
    ),
    "result_rounded": Mistake(
        "The result is rounded to eight decimals", finished=lambda self, theta: self.xp.round(theta * 1e8) / 1e8
    ),
}
