"""Mistakes in what is computed with: the loss, its gradient, the precision."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from geometry._namespace import Array, array_namespace
from rbo_ref.oracle.mistakes.right_port import RightPort, mistake

# --- the gradient and the loss ---


@mistake
class gradient_clipped(RightPort):
    """The loss gradient is clipped to length 1."""

    def served(self, loss: Any) -> Any:
        def clipped(theta: Array) -> tuple[Array, Array]:
            f, g = loss(theta)
            length = self.norm(g)
            return f, g / self.xp.maximum(length, self.xp.ones_like(length))

        return clipped


@mistake
class gradient_clipped_by_value(RightPort):
    """The entries of the loss gradient are clipped to [−1, 1]."""

    def served(self, loss: Any) -> Any:
        def clipped(theta: Array) -> tuple[Array, Array]:
            f, g = loss(theta)
            return f, self.xp.clip(g, -1.0, 1.0)

        return clipped


@mistake
class loss_clamped(RightPort):
    """Negative losses are set to zero."""

    def served(self, loss: Any) -> Any:
        def clamped(theta: Array) -> tuple[Array, Array]:
            f, g = loss(theta)
            return self.xp.maximum(f, self.xp.zeros_like(f)), g

        return clamped


@mistake
class loss_averaged(RightPort):
    """The gradient is divided by the number of parameters (mean instead of sum)."""

    def served(self, loss: Any) -> Any:
        def averaged(theta: Array) -> tuple[Array, Array]:
            f, g = loss(theta)
            return f, g / g.shape[0]

        return averaged


@mistake
class finite_differences(RightPort):
    """The gradient is a forward difference of the loss."""

    def served(self, loss: Any) -> Any:
        def differenced(theta: Array) -> tuple[Array, Array]:
            f, _ = loss(theta)
            h = float(self.xp.finfo(theta.dtype).eps) ** 0.5
            unit = self.xp.eye(theta.shape[0], dtype=theta.dtype)
            slopes = [(loss(theta + h * unit[i, :])[0] - f) / h for i in range(theta.shape[0])]
            return f, self.xp.stack(slopes)

        return differenced


# --- precision ---


@mistake
class float32_inside(RightPort):
    """Something is computed in float32 inside."""

    def __call__(self, loss: Any, theta: Array, **hyper: Any) -> Array:
        xp = array_namespace(theta)
        return xp.astype(super().__call__(loss, xp.astype(theta, xp.float32), **hyper), theta.dtype)


class _Rounds(RightPort):
    """A port that can round to fewer bits."""

    bits: ClassVar[int]

    def rounded(self, numbers: Array) -> Array:
        """To so many bits: (2ˢ + 1)x − 2ˢx, of which each term ends s bits before x."""
        digits = 1 - round(math.log2(self.xp.finfo(numbers.dtype).eps))
        if digits <= self.bits:
            return numbers
        stretched = numbers * (2.0 ** (digits - self.bits) + 1)
        return stretched - (stretched - numbers)


class _Coarse(_Rounds):
    """Every line of the algorithm is rounded."""

    def served(self, loss: Any) -> Any:
        return lambda theta: tuple(self.rounded(numbers) for numbers in loss(theta))

    def normal(self, g: Array) -> Array:
        return self.rounded(super().normal(g))

    def square(self, g: Array) -> Array:
        return self.rounded(super().square(g))

    def center(self) -> Array:
        return self.rounded(super().center())

    def stepped(self) -> Array:
        return self.rounded(super().stepped())

    def start(self) -> Array:
        return self.rounded(super().start())

    def pull(self, theta: Array) -> Array:
        return self.rounded(super().pull(theta))

    def descended(self, theta: Array, pull: Array, k: int) -> Array:
        return self.rounded(super().descended(theta, pull, k))


@mistake
class float16_inside(_Coarse):
    """Something is computed in float16 inside."""

    bits = 11


@mistake
class bfloat16_inside(_Coarse):
    """Something is computed in bfloat16 inside."""

    bits = 8


@mistake
class tf32_inside(_Rounds):
    """Products are summed of numbers rounded to TF32, as matrix units do unless told otherwise."""

    bits = 11

    def square(self, g: Array) -> Array:
        return super().square(self.rounded(g))


@mistake
class float32_norm(RightPort):
    """The norm of the gradient is summed in float32."""

    def square(self, g: Array) -> Array:
        small = self.xp.astype(g, self.xp.float32)
        return self.xp.astype(self.xp.sum(small * small), g.dtype)


@mistake
class low_precision(RightPort):
    """The result carries noise far above the rounding of its dtype."""

    def finished(self, theta: Array) -> Array:
        return theta * (1 + 1e-11 * self.xp.sin(1e6 * theta))


@mistake
class result_rounded(RightPort):
    """The result is rounded to eight decimals."""

    def finished(self, theta: Array) -> Array:
        return self.xp.round(theta * 1e8) / 1e8
