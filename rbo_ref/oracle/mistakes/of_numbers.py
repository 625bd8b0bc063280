"""Mistakes in what is computed with: the loss, its gradient, the precision."""

from __future__ import annotations

from typing import Any

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
