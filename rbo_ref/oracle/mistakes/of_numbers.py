"""Mistakes of the rolling ball in what is computed with: the loss, its gradient, the precision."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from geometry._namespace import Array, array_namespace
from rbo_ref.oracle.mistakes.mistake import Mistake

__all__ = ["MISTAKES"]

LINES = ("normal", "square", "center", "stepped", "start", "pull", "descended")


def _differenced(self: Any, loss: Any) -> Any:
    def differenced(theta: Array) -> tuple[Array, Array]:
        f, _ = loss(theta)
        h = float(self.xp.finfo(theta.dtype).eps) ** 0.5
        unit = self.xp.eye(theta.shape[0], dtype=theta.dtype)
        slopes = [(loss(theta + h * unit[i, :])[0] - f) / h for i in range(theta.shape[0])]
        return f, self.xp.stack(slopes)

    return differenced


def _in_float32(self: Any, loss: Any, theta: Array, hyper: Mapping[str, Any], draw: Any = None) -> Array:
    xp = array_namespace(theta)
    return xp.astype(self.right.advance(loss, xp.astype(theta, xp.float32), hyper), theta.dtype)


def _summed_in_float32(self: Any, g: Array) -> Array:
    small = self.xp.astype(g, self.xp.float32)
    return self.xp.astype(self.xp.sum(small * small), g.dtype)


def _rounded(xp: Any, numbers: Array, bits: int) -> Array:
    """To so many bits: (2ˢ + 1)x − 2ˢx, of which each term ends s bits before x."""
    digits = 1 - round(math.log2(xp.finfo(numbers.dtype).eps))
    if digits <= bits:
        return numbers
    stretched = numbers * (2.0 ** (digits - bits) + 1)
    return stretched - (stretched - numbers)


def _coarse(bits: int) -> dict[str, Any]:
    """Every line of the algorithm rounded to so many bits."""

    def coarse(line: str) -> Any:
        return lambda self, *known: _rounded(self.xp, getattr(self.right, line)(*known), bits)

    def answered(self: Any, *heard: Array) -> tuple[Array, ...]:
        return tuple(_rounded(self.xp, numbers, bits) for numbers in heard)

    return {"answered": answered} | {line: coarse(line) for line in LINES}


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
    "float32_inside": Mistake("Something is computed in float32 inside", advance=_in_float32),
    "float16_inside": Mistake("Something is computed in float16 inside", **_coarse(11)),
    "bfloat16_inside": Mistake("Something is computed in bfloat16 inside", **_coarse(8)),
    "tf32_inside": Mistake(
        "Products are summed of numbers rounded to TF32, as matrix units do unless told otherwise",
        square=lambda self, g: self.right.square(_rounded(self.xp, g, 11)),
    ),
    "float32_norm": Mistake("The norm of the gradient is summed in float32", square=_summed_in_float32),
    "low_precision": Mistake(
        "The result carries noise far above the rounding of its dtype",
        finished=lambda self, theta: theta * (1 + 1e-11 * self.xp.sin(1e6 * theta)),
    ),
    "result_rounded": Mistake(
        "The result is rounded to eight decimals", finished=lambda self, theta: self.xp.round(theta * 1e8) / 1e8
    ),
}
