"""Derivatives by the array's own framework: PyTorch and JAX offer the same transforms under the same names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geometry._namespace import Array, Namespace, device_of, is_jax_namespace, is_torch_namespace

__all__ = ["hessian", "hessian_vector", "is_differentiable", "value_and_gradient"]


def is_differentiable(xp: Namespace) -> bool:
    """Whether arrays of this namespace can be differentiated by their framework."""
    return is_jax_namespace(xp) or is_torch_namespace(xp)


def _transforms(xp: Namespace) -> Any:
    """The module with `grad` and `vmap`."""
    if is_jax_namespace(xp):
        import jax

        return jax
    import torch.func

    return torch.func


def value_and_gradient(xp: Namespace, value: Callable[[Array], Array], theta: Array) -> tuple[Array, Array]:
    """f(θ) and ∇f(θ) of every batch item: items are independent, so the gradient of their sum holds each one's own."""

    def total(t: Array) -> tuple[Array, Array]:
        heights = value(t)
        return xp.sum(heights), heights

    gradient, heights = _transforms(xp).grad(total, has_aux=True)(theta)
    return heights, gradient


def hessian_vector(xp: Namespace, gradient: Callable[[Array], Array], theta: Array, vector: Array) -> Array:
    """∇²f(θ) v, the gradient of ⟨∇f, v⟩."""
    return _transforms(xp).grad(lambda t: xp.sum(gradient(t) * vector))(theta)


def hessian(xp: Namespace, gradient: Callable[[Array], Array], theta: Array) -> Array:
    """∇²f(θ), one column a coordinate direction."""

    def column(direction: Array) -> Array:
        return hessian_vector(xp, gradient, theta, xp.zeros_like(theta) + direction)

    identity = xp.eye(theta.shape[-1], dtype=theta.dtype, device=device_of(theta))
    return xp.moveaxis(_transforms(xp).vmap(column)(identity), 0, -1)
