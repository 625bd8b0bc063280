"""What a generated search is compiled with, by the example f(θ) = ½|θ|² of two variables."""

from __future__ import annotations

from typing import Any

from geometry._kernels.compiling import compiled

__all__ = ["D", "value_and_gradient", "value_gradient_hessian"]

D = 2


@compiled()
def value_and_gradient(x: Any, g: Any, h: Any) -> Any:
    """f(θ); ∇f goes to g."""
    g[0], g[1] = x[0], x[1]
    return (x[0] * x[0] + x[1] * x[1]) / 2


@compiled()
def value_gradient_hessian(x: Any, g: Any, h: Any) -> Any:
    """f(θ); ∇f goes to g, ∇²f to h."""
    h[0], h[1], h[2], h[3] = 1.0, 0.0, 0.0, 1.0
    g[0], g[1] = x[0], x[1]
    return (x[0] * x[0] + x[1] * x[1]) / 2
